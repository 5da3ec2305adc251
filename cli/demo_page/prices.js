// The table of stocks: a row per resource, painted at most once per frame of the screen.

import { Sparkline } from "./sparkline.js";

const FLASH_MS = 900;
const ARROWS = { up: "▲", down: "▼", even: "■" };
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const whole = new Intl.NumberFormat("en-US");
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export class Prices {
  #body;
  #empty;
  #resources;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #due = new Set();

  /** @param resources what is known; it is asked when a row is painted, so a row shows the newest, never a backlog */
  constructor(body, empty, resources) {
    this.#body = body;
    this.#empty = empty;
    this.#resources = resources;
  }

  changed(resource) {
    if (this.#due.size === 0) requestAnimationFrame(() => this.#paint());
    this.#due.add(resource);
  }

  #paint() {
    for (const resource of this.#due) this.#paintRow(resource, this.#resources.get(resource));
    this.#due.clear();
    this.#empty.hidden = this.#rows.size > 0;
  }

  #paintRow(resource, stock) {
    const row = this.#rows.get(resource);
    if (stock === undefined) {
      row?.element.remove();
      this.#rows.delete(resource);
    } else {
      (row ?? this.#addRow(resource)).show(stock);
    }
  }

  #addRow(resource) {
    const row = new Row(resource);
    this.#rows.set(resource, row);
    const next = [...this.#rows.keys()].filter((other) => other > resource).sort()[0];
    this.#body.insertBefore(row.element, this.#rows.get(next)?.element ?? null);
    return row;
  }
}

class Row {
  element = document.createElement("tr");
  #symbol = document.createElement("strong");
  #name = document.createElement("span");
  #price = document.createElement("span");
  #currency = document.createElement("small");
  #change = cell("number change");
  #volume = cell("number volume");
  #version = cell("number version");
  #trend = new Sparkline();
  #lastPrice = null;

  constructor(resource) {
    this.element.dataset.resource = resource;
    const heading = document.createElement("th");
    heading.scope = "row";
    heading.append(this.#symbol, this.#name);
    const trend = cell("trend", this.#trend.element);
    const price = cell("number price", this.#currency, " ", this.#price);
    this.element.append(heading, trend, price, this.#change, this.#volume, this.#version);
  }

  show({ data, version, epoch }) {
    this.element.dataset.version = version;
    this.element.dataset.epoch = epoch;
    this.element.dataset.direction = directionOf(data.change);
    this.#symbol.textContent = data.symbol;
    this.#name.textContent = data.name;
    this.#currency.textContent = data.currency;
    this.#price.textContent = cents.format(data.price);
    this.#change.textContent = `${ARROWS[directionOf(data.change)]} ${signed(data.change)} %`;
    this.#volume.textContent = whole.format(data.volume);
    this.#version.textContent = version;
    this.#trend.add(data.price);
    this.#flash(data.price);
  }

  #flash(price) {
    const before = this.#lastPrice;
    this.#lastPrice = price;
    if (before === null || before === price || calm.matches) return;
    const colour = price > before ? "var(--flash-up)" : "var(--flash-down)";
    this.#price.animate([{ backgroundColor: colour }, { backgroundColor: "transparent" }], {
      duration: FLASH_MS,
      easing: "ease-out",
    });
  }
}

function cell(className, ...content) {
  const element = document.createElement("td");
  element.className = className;
  element.append(...content);
  return element;
}

function directionOf(change) {
  if (change > 0) return "up";
  return change < 0 ? "down" : "even";
}

function signed(change) {
  const sign = { up: "+", down: "−", even: "" }[directionOf(change)];
  return sign + cents.format(Math.abs(change));
}
