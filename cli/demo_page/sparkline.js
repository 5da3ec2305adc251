// A small line of the last values. It is decoration: the numbers beside it say the same to who can't see it.

const FEWEST_POINTS = 24;
const MOST_POINTS = 60;
const WIDTH = 120;
const HEIGHT = 32;
const MARGIN = 2; // half of the stroke, and some air

export class Sparkline {
  element = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  #area = svg("polygon", { class: "area" });
  #line = svg("polyline", { class: "line", "vector-effect": "non-scaling-stroke" });
  #values = [];

  constructor() {
    this.element.append(this.#area, this.#line);
  }

  add(value) {
    // A level line before the first value, so that the line moves instead of being stretched.
    if (this.#values.length === 0) this.#values = Array(FEWEST_POINTS).fill(value);
    this.#values.push(value);
    if (this.#values.length > MOST_POINTS) this.#values.shift();
    const points = this.#points().join(" ");
    this.#line.setAttribute("points", points);
    this.#area.setAttribute("points", `0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`);
  }

  #points() {
    const values = this.#values;
    const lowest = Math.min(...values);
    const range = Math.max(...values) - lowest;
    const x = (index) => ((index / (values.length - 1)) * WIDTH).toFixed(1);
    const share = (value) => (range > 0 ? (value - lowest) / range : 0.5);
    const y = (value) => (HEIGHT - MARGIN - share(value) * (HEIGHT - 2 * MARGIN)).toFixed(1);
    return values.map((value, index) => `${x(index)},${y(value)}`);
  }
}

function svg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
