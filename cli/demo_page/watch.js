// One watch of one collection that never gives up: it keeps the cursor, reconnects, and says how it fares.

import { Resources } from "./resources.js";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
// A bookmark comes every 15 s or so. Three missing ones: the connection is dead, though nobody has said so.
const SILENCE_MS = 45_000;
const SILENCE_CHECK_MS = 5_000;

/**
 * @typedef {object} State
 * @property {"idle" | "connecting" | "live" | "reconnecting" | "stopped"} name
 * @property {string} [reason]    why it isn't live, for people
 * @property {number} [retry_at]  when it tries again, by performance.now(); absent when the browser decides
 */

/** Its listener has `changed(resource)` (it is new, newer or gone), `stateChanged(state)` and `heard(frame)`. */
export class Watch {
  /** @type {State} */
  state = { name: "idle" };
  resources = new Resources();
  cursor = null;
  lastVersion = null;
  asOf = null;
  events = 0;
  skipped = 0;

  #collection;
  #open;
  #listener;
  #connection = null;
  #failures = 0;
  #heardAt = 0;
  #retryTimer;

  /** @param open one of the functions of transports.js */
  constructor(collection, open, listener) {
    this.#collection = collection;
    this.#open = open;
    this.#listener = listener;
  }

  start() {
    setInterval(() => this.#checkSilence(), SILENCE_CHECK_MS);
    this.#connect();
  }

  /** Go on over another transport, from the same cursor: a cursor is good on all of them. */
  use(open) {
    this.#open = open;
    this.retryNow();
  }

  retryNow() {
    this.#failures = 0;
    this.#connect();
  }

  #connect() {
    this.#disconnect();
    this.#heardAt = performance.now();
    this.#become({ name: "connecting" });
    const connection = { close: () => {} };
    this.#connection = connection;
    // A connection that has been given up may still have something to say; it isn't heard any more.
    const whileCurrent = (hear) => (...what) => {
      if (this.#connection === connection) hear(...what);
    };
    connection.close = this.#open(
      { collection: this.#collection, cursor: this.cursor },
      {
        opened: whileCurrent(() => this.#opened()),
        frame: whileCurrent((frame, cursor) => this.#frame(frame, cursor)),
        progress: whileCurrent((cursor) => this.#progress(cursor)),
        retrying: whileCurrent((reason) => this.#become({ name: "reconnecting", reason })),
        ended: whileCurrent((end) => this.#ended(end)),
      },
    );
  }

  #disconnect() {
    clearTimeout(this.#retryTimer);
    const connection = this.#connection;
    this.#connection = null;
    connection?.close();
  }

  #opened() {
    this.#heardAt = performance.now();
    this.#become({ name: "connecting", reason: "catching up" });
    this.asOf = null; // what the server before said of itself; long poll has no bookmarks to say anything
    if (this.cursor === null) this.resources.startOver();
  }

  #frame(frame, cursor) {
    this.#heardAt = performance.now();
    this.#listener.heard(frame);
    this.#obey(frame);
    if (cursor !== null) this.#covered(cursor);
  }

  #obey(frame) {
    switch (frame.event) {
      case "put":
      case "delete":
        return this.#change(frame);
      case "synced":
        return this.#synced(frame);
      case "bookmark":
        this.skipped += frame.skipped;
        this.asOf = frame.as_of;
        return undefined;
      case "reset":
        // What is shown stays until the new snapshot is complete, so that nothing flickers.
        this.resources.startOver();
        return this.#become({ name: "connecting", reason: `starting over (${frame.reason})` });
      case "goaway":
        return this.#ended({ reason: "the server is going away", retry: true, delay_ms: frame.reconnect_in_ms });
      case "problem":
        return this.#ended({ reason: frame.message, retry: frame.retry });
      default:
        return undefined; // A newer server may say more than we understand.
    }
  }

  #change(frame) {
    this.events += 1;
    this.lastVersion = frame.version;
    const isNews = frame.event === "put" ? this.resources.put(frame) : this.resources.delete(frame);
    if (isNews) this.#listener.changed(frame.resource);
  }

  #synced({ resumed }) {
    for (const resource of this.resources.synced(resumed)) this.#listener.changed(resource);
    this.#live();
  }

  /** Long poll has no `synced` after its first answer: an answer to a cursor says that the cursor was taken. */
  #progress(cursor) {
    this.#heardAt = performance.now();
    this.#covered(cursor);
    if (!this.resources.inSnapshot) this.#live();
  }

  #covered(cursor) {
    this.cursor = cursor;
    this.resources.covered();
  }

  #live() {
    this.#failures = 0;
    if (this.state.name !== "live") this.#become({ name: "live" });
  }

  #ended({ reason, retry, delay_ms }) {
    this.#disconnect();
    if (!retry) return this.#become({ name: "stopped", reason });
    const wait_ms = delay_ms ?? this.#backoff_ms();
    this.#retryTimer = setTimeout(() => this.#connect(), wait_ms);
    return this.#become({ name: "reconnecting", reason, retry_at: performance.now() + wait_ms });
  }

  /** Twice as long after each failure, and at random, so that a crowd doesn't come back as one. */
  #backoff_ms() {
    const longest_ms = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    return longest_ms * (0.5 + Math.random() / 2);
  }

  #checkSilence() {
    const isOpen = this.state.name === "connecting" || this.state.name === "live";
    if (isOpen && performance.now() - this.#heardAt > SILENCE_MS) {
      this.#ended({ reason: "the server has gone silent", retry: true });
    }
  }

  #become(state) {
    this.state = state;
    this.#listener.stateChanged(state);
  }
}
