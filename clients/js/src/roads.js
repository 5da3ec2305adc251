import { ws } from "./websocket.js";

const FAILURES = 2;
const LATER = { sse: () => import("./sse.js"), poll: () => import("./poll.js") };

/** The transport in use, until it fails to open twice in a row or falls silent. */
export class Roads {
  #roads;
  #at = 0;
  #failures = 0;

  constructor(given, world) {
    const names = given.filter((name) => name !== "ws" || world.WebSocket);
    this.#roads = names.map((name) => (name === "ws" ? ws : LATER[name] ? later(name) : name));
  }

  get current() {
    return this.#roads[this.#at];
  }

  opened(road) {
    if (road === this.current) this.#failures = 0;
  }

  failed(road) {
    if (road === this.current && ++this.#failures >= FAILURES) this.silent(road);
  }

  silent(road) {
    if (road !== this.current) return;
    this.#at = (this.#at + 1) % this.#roads.length;
    this.#failures = 0;
  }
}

/** Fetched at once, while the network is good. */
function later(name) {
  let module;
  const load = () =>
    (module ??= LATER[name]().catch((error) => {
      module = null;
      throw error;
    }));
  load().catch(() => {});
  return {
    name,
    shared: false,
    open(line) {
      let connection;
      load().then(
        ({ open }) => line.isOver || (connection = open(line)),
        (error) => line.end(error),
      );
      return { close: () => connection?.close() };
    },
  };
}
