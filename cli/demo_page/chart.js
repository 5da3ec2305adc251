// A line of the last values, the newest at the right. It is decoration: the numbers beside it say the same to who can't
// see it.

import { svg } from "/shared/element.js";

const POINTS = 60;
const WIDTH = 240;
const HEIGHT = 56;
const MARGIN = 3; // half of the stroke, and some air
const LEAST_RANGE = 0.001; // of the value: a cent up or down is no drama

export class Chart {
  #level = svg("line", { class: "level", x1: 0, x2: WIDTH, "vector-effect": "non-scaling-stroke" });
  #area = svg("polygon", { class: "area" });
  #line = svg("polyline", { class: "line", "vector-effect": "non-scaling-stroke" });
  element = svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    this.#level,
    this.#area,
    this.#line,
  );
  #values = [];
  #first = null;

  add(value) {
    this.#first ??= value;
    this.#values.push(value);
    if (this.#values.length > POINTS) this.#values.shift();
  }

  /** The first value that was seen is a level line, and the area is what lies between. */
  paint() {
    const y = this.#scale();
    const last = this.#values.length - 1;
    const x = (index) => (WIDTH - ((last - index) / (POINTS - 1)) * WIDTH).toFixed(1);
    const points = this.#values.map((value, index) => `${x(index)},${y(value)}`).join(" ");
    const level = y(this.#first);
    this.#line.setAttribute("points", points);
    this.#area.setAttribute("points", `${x(0)},${level} ${points} ${WIDTH},${level}`);
    this.#level.setAttribute("y1", level);
    this.#level.setAttribute("y2", level);
  }

  #scale() {
    const all = [...this.#values, this.#first];
    const lowest = Math.min(...all);
    const range = Math.max(...all) - lowest;
    const shown = Math.max(range, lowest * LEAST_RANGE);
    const below = (shown - range) / 2;
    return (value) => (HEIGHT - MARGIN - ((value - lowest + below) / shown) * (HEIGHT - 2 * MARGIN)).toFixed(1);
  }
}
