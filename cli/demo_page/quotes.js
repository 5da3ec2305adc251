// The grid of stocks: a card and a chart for each, painted at most once for each picture that the screen shows.

import { element } from "/shared/element.js";
import { Chart } from "./chart.js";

const FLASH_MS = 900;
const ARROWS = { up: "▲", down: "▼", even: "■" };
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const whole = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export class Quotes {
  /** How often it was told to start over. */
  epoch = 0;
  #list;
  #empty;
  /** @type {Map<string, Quote>} */
  #quotes = new Map();
  #due = new Set();
  #fresh = null; // what was told since a reset, until all of it was

  constructor(list, empty) {
    this.#list = list;
    this.#empty = empty;
  }

  /** One frame of the watch. */
  told({ event, resource, ...frame }, mode) {
    if (event === "reset") this.#startOver(mode);
    else if (event === "synced") this.#complete();
    else if (event === "delete") this.#drop(resource);
    else this.#put(resource, { ...frame, epoch: this.epoch });
  }

  #put(resource, stock) {
    this.#fresh?.add(resource);
    (this.#quotes.get(resource) ?? this.#add(resource)).take(stock);
    if (this.#due.size === 0) requestAnimationFrame(() => this.#paint());
    this.#due.add(resource);
  }

  /** What is shown stays until the new state is complete, so that nothing flickers; a log has no such moment. */
  #startOver(mode) {
    this.epoch += 1;
    this.#fresh = mode === "log" ? null : new Set();
    if (mode === "log") for (const resource of [...this.#quotes.keys()]) this.#drop(resource);
  }

  #complete() {
    if (this.#fresh) for (const resource of this.#quotes.keys()) if (!this.#fresh.has(resource)) this.#drop(resource);
    this.#fresh = null;
  }

  #add(resource) {
    const quote = new Quote(resource);
    this.#quotes.set(resource, quote);
    const next = [...this.#quotes.keys()].filter((other) => other > resource).sort()[0];
    this.#list.insertBefore(quote.element, this.#quotes.get(next)?.element ?? null);
    this.#empty.hidden = true;
    return quote;
  }

  #drop(resource) {
    this.#quotes.get(resource)?.element.remove();
    this.#quotes.delete(resource);
    this.#empty.hidden = this.#quotes.size > 0;
  }

  #paint() {
    for (const resource of this.#due) this.#quotes.get(resource)?.paint();
    this.#due.clear();
  }
}

class Quote {
  element = element("li", { className: "quote" });
  #symbol = element("strong");
  #name = element("span");
  #currency = element("small");
  #price = element("span");
  #change = element("p", { className: "change" });
  #volume = element("span");
  #version = element("span");
  #chart = new Chart();
  #stock = null;
  #shownPrice = null;

  constructor(resource) {
    this.element.dataset.resource = resource;
    this.element.append(
      element("h3", {}, this.#symbol, " ", this.#name),
      element("p", { className: "price" }, this.#currency, " ", this.#price),
      this.#change,
      this.#chart.element,
      element("p", { className: "foot" }, element("span", {}, "Volume ", this.#volume), element("span", {}, "v ", this.#version)),
    );
  }

  /** Each value is in the chart, also when several come before the next picture. */
  take(stock) {
    this.#stock = stock;
    this.#chart.add(stock.data.price);
  }

  paint() {
    const { data, version, epoch } = this.#stock;
    const direction = directionOf(data.change);
    Object.assign(this.element.dataset, { version, epoch, direction });
    this.#symbol.textContent = data.symbol;
    this.#name.textContent = data.name;
    this.#currency.textContent = data.currency;
    this.#price.textContent = cents.format(data.price);
    this.#change.textContent = `${ARROWS[direction]} ${signed(data.change)} %`;
    this.#volume.textContent = whole.format(data.volume);
    this.#version.textContent = version;
    this.#chart.paint();
    this.#flash(data.price);
  }

  #flash(price) {
    const before = this.#shownPrice;
    this.#shownPrice = price;
    if (before === null || before === price || calm.matches) return;
    const colour = price > before ? "var(--flash-up)" : "var(--flash-down)";
    this.#price.animate([{ backgroundColor: colour }, { backgroundColor: "transparent" }], {
      duration: FLASH_MS,
      easing: "ease-out",
    });
  }
}

function directionOf(change) {
  if (change > 0) return "up";
  return change < 0 ? "down" : "even";
}

function signed(change) {
  const sign = { up: "+", down: "−", even: "" }[directionOf(change)];
  return sign + cents.format(Math.abs(change));
}
