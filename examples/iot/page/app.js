// IoT: ten thousand sensors, told frame by frame, painted once for each picture.

import { WatchClient } from "/clients/js/index.js";
import { ConnectionBar, counter } from "/shared/connection.js";
import { element, partsOfPage, setText } from "/shared/element.js";
import { colourOf, paintScale } from "./colours.js";
import { Hottest } from "./hottest.js";

const [HALLS, LINES, SENSORS] = [10, 10, 100];
const HOT = 70;
const whole = new Intl.NumberFormat("en-US");
const parts = partsOfPage();
const bar = new ConnectionBar(parts.connection);
const counts = { sensors: element("dd", { id: "sensors" }), rate: element("dd", { id: "rate" }), hot: element("dd", { id: "hot" }) };
parts.connection
  .querySelector(".counters")
  .prepend(counter("Sensors", counts.sensors), counter("Changes each second", counts.rate), counter(`Above ${HOT} °C`, counts.hot));

/** A hall's picture: a cell for each sensor, a row for each line. */
class Hall {
  known = new Map(); // °C by resource
  #name;
  #summary = element("p");
  #canvas = element("canvas", { width: SENSORS, height: LINES, role: "img" });
  #picture;
  #isDue = false;

  constructor(number) {
    this.#name = `Hall ${number}`;
    this.#canvas.setAttribute("aria-label", `${this.#name}: a cell for each sensor`);
    this.#picture = this.#canvas.getContext("2d").createImageData(SENSORS, LINES);
    this.element = element("li", {}, element("div", { className: "title-line" }, element("h3", {}, this.#name), this.#summary), this.#canvas);
  }

  set(resource, celsius) {
    this.known.set(resource, celsius);
    this.#fill(resource, colourOf(celsius));
  }

  clear() {
    this.known.clear();
    this.#picture.data.fill(0);
    this.#isDue = true;
  }

  paint() {
    if (this.#isDue) this.#canvas.getContext("2d").putImageData(this.#picture, 0, 0);
    this.#isDue = false;
  }

  summarise() {
    const values = [...this.known.values()];
    const hot = values.filter((celsius) => celsius > HOT).length;
    const mean = values.reduce((sum, celsius) => sum + celsius, 0) / values.length;
    this.element.dataset.watched = values.length > 0;
    this.element.dataset.hot = hot > 0;
    setText(this.#summary, values.length ? `${mean.toFixed(1)} °C${hot ? ` · ${hot} hot` : ""}` : "not watched");
    return hot;
  }

  #fill(resource, colour) {
    const [, line, sensor] = resource.split(".").map((part) => Number(part.match(/\d+$/)));
    this.#picture.data.set(colour, ((line - 1) * SENSORS + sensor) * 4);
    this.#isDue = true;
  }
}

const halls = new Map(
  Array.from({ length: HALLS }, (_, n) => [`hall-${String(n + 1).padStart(2, "0")}`, new Hall(n + 1)]),
);
const hottest = new Hottest(parts.hottest);
for (const [name, hall] of halls) {
  parts.halls.append(hall.element);
  parts.hall.append(element("option", { value: `${name}.` }, name.replace("hall-0", "hall ").replace("hall-", "hall ")));
}

const client = new WatchClient("/", { world: bar.world });
let watch = null;
let changes = 0;
let isComplete = false;

/** All sensors, or those of one hall: the prefix of their names is what is asked for, and nothing else is sent. */
function watchHall(prefix) {
  watch?.close();
  isComplete = false;
  for (const hall of halls.values()) hall.clear();
  watch = client.watch("sensors", { prefix: prefix || undefined, onFrame: told });
  bar.follow(client, watch);
}

function told({ event, resource, data }) {
  if (event === "reset") for (const hall of halls.values()) hall.clear();
  if (event === "reset" || event === "synced") isComplete = event === "synced";
  if (event !== "put") return;
  if (isComplete) changes += 1; // what is told before that is the state
  halls.get(resource.slice("sensors/".length).split(".")[0])?.set(resource, data.celsius);
}

function paint() {
  for (const hall of halls.values()) hall.paint();
  requestAnimationFrame(paint);
}

setInterval(() => {
  const all = [...halls.values()];
  const hot = all.reduce((sum, hall) => sum + hall.summarise(), 0);
  setText(counts.sensors, whole.format(all.reduce((sum, { known }) => sum + known.size, 0)));
  setText(counts.rate, whole.format(changes));
  setText(counts.hot, whole.format(hot));
  changes = 0;
  hottest.show(all.flatMap(({ known }) => [...known]));
}, 1000);

parts.hall.addEventListener("change", () => watchHall(parts.hall.value));
paintScale(parts.scale);
watchHall("");
paint();
