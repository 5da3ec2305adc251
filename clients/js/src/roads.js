import { poll } from "./poll.js";
import { sse } from "./sse.js";
import { ws } from "./websocket.js";

const KNOWN = { ws, sse, poll };
const FAILURES = 2;

/** Which transport is taken: the first that works, until it fails to open twice in a row or falls silent. */
export class Roads {
  #roads;
  #at = 0;
  #failures = 0;

  constructor(names, world) {
    this.#roads = names.map((name) => KNOWN[name] ?? name).filter((road) => road !== ws || world.WebSocket);
  }

  get current() {
    return this.#roads[this.#at];
  }

  opened(road) {
    if (road === this.current) this.#failures = 0;
  }

  failed(road) {
    if (road === this.current && ++this.#failures >= FAILURES) this.#next();
  }

  silent(road) {
    if (road === this.current) this.#next();
  }

  #next() {
    this.#at = (this.#at + 1) % this.#roads.length;
    this.#failures = 0;
  }
}
