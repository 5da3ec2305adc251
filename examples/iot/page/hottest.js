// The sensors that are hottest now, in words.

import { element, setText } from "/shared/element.js";

const SHOWN = 10;

export class Hottest {
  #rows;

  /** @param body of a table; its rows stay, and what they say changes */
  constructor(body) {
    this.#rows = Array.from({ length: SHOWN }, () => {
      const [sensor, ...cells] = [element("th", { scope: "row" }), element("td"), element("td"), element("td", { className: "number" })];
      body.append(element("tr", {}, sensor, ...cells));
      return [sensor, ...cells];
    });
  }

  /** @param known [resource, °C] of all sensors */
  show(known) {
    const hottest = known.sort(([, one], [, other]) => other - one).slice(0, SHOWN);
    this.#rows.forEach(([sensor, hall, line, celsius], n) => {
      const [resource = "", value] = hottest[n] ?? [];
      const parts = resource.slice("sensors/".length).split(".");
      setText(sensor, parts[2] ?? "–");
      setText(hall, parts[0]?.slice(-2) ?? "");
      setText(line, parts[1]?.slice(-2) ?? "");
      setText(celsius, value?.toFixed(1) ?? "");
    });
  }
}
