import { ws } from "./websocket.js";

const FAILURES = 2;
const LATER = { sse: () => import("./sse.js"), poll: () => import("./poll.js") };

/** The transport in use, until it fails to open twice in a row or falls silent. */
export class Roads {
  #roads;
  #at = 0;
  #failures = 0;
  #back;

  constructor(given, client) {
    const names = given.filter((name) => name !== "ws" || client.world.WebSocket);
    this.#roads = names.map((name) => (name === "ws" ? ws : LATER[name] ? later(name) : name));
    this.#back = fetched(async () => new (await import("./back.js")).Back(client, this));
    if (names.length > 1) this.back(() => {});
  }

  get current() {
    return this.#roads[this.#at];
  }

  /** Those that were stepped around, the first choice first. */
  get better() {
    return this.#roads.slice(0, this.#at);
  }

  take(road) {
    this.#at = this.#roads.indexOf(road);
    this.#failures = 0;
  }

  back(call) {
    this.#back().then(call, () => {});
  }

  opened(road) {
    if (road === this.current) this.#failures = 0;
  }

  failed(road) {
    if (road === this.current && ++this.#failures >= FAILURES) this.silent(road);
  }

  silent(road) {
    if (road !== this.current) return;
    this.take(this.#roads[this.#at + 1] ?? this.#roads[0]);
    this.back((back) => back.away());
  }
}

/** Fetched once, and again where that failed. */
function fetched(get) {
  let module;
  return () =>
    (module ??= get().catch((error) => {
      module = null;
      throw error;
    }));
}

/** Fetched at once, while the network is good. */
function later(name) {
  const load = fetched(LATER[name]);
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
