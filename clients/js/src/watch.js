import { addressOf } from "./address.js";

const MOST_WAITING = 10_000;
const CURSOR = Symbol("cursor");
let count = 0;

/** A standing request: lines tell it what they hear, it gives what is new. */
export class Watch {
  number = ++count;
  link = null;
  cursor;
  freshness = null;
  skipped = 0;
  #options;
  #client;
  #reached;
  #least = 0; // lines before the one that started over are not heard
  #seen = new Map(); // resource → [version, whether it is there]
  #waiting = new Map();
  #takers = [];
  #isWhole = false;
  #isOver = false;
  #isPaused = false;
  #error = null;

  constructor(client, path, { prefix, ...options }) {
    const [, name, query] = /^([^/?]+)\?prefix=(.*)$/s.exec(path) ?? [, path, prefix];
    this.path = name;
    this.prefix = query;
    this.label = query === undefined ? name : `${name}?prefix=${query}`;
    this.#client = client;
    this.#options = options;
    this.cursor = this.#reached = options.cursor;
  }

  get isPlain() {
    const { cursor, snapshot } = this.#options;
    return !cursor && snapshot !== false && !this.#isLog;
  }

  get #isLog() {
    return this.#options.mode === "log";
  }

  get #begin() {
    return this.path + (this.path.includes("/") ? "" : `/${this.prefix ?? ""}`);
  }

  matches(resource) {
    return this.path.includes("/") ? resource === this.path : resource.startsWith(this.#begin);
  }

  overlaps(other) {
    return other.#begin.startsWith(this.#begin) || this.#begin.startsWith(other.#begin);
  }

  asked() {
    const { mode, snapshot } = this.#options;
    return { mode, snapshot, cursor: this.#reached };
  }

  address(verb, more) {
    return addressOf(this.#client.url, this.path, verb, { prefix: this.prefix, ...this.asked(), ...more });
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  async next() {
    for (;;) {
      for (const [key, value] of this.#waiting) {
        this.#waiting.delete(key);
        if (key !== CURSOR) return { value, done: false };
        this.cursor = value;
        if (this.#reached && this.#reached !== value) this.onCursor(this.#reached);
      }
      if (this.#isPaused) this.#goOn();
      if (this.#isOver) break;
      await new Promise((resolve) => this.#takers.push(resolve));
    }
    const error = this.#error;
    this.#error = null;
    if (error) throw error;
    return { value: undefined, done: true };
  }

  async return() {
    this.close();
    return { value: undefined, done: true };
  }

  close() {
    this.#client.leave(this);
    this.end(null);
  }

  end(error) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#seen.clear();
    if (!error) this.#waiting.clear();
    this.#options.onEnd?.(error);
    this.#wake();
  }

  hears(line) {
    return line >= this.#least && !this.#isOver;
  }

  telling() {
    return { isSynced: false, fresh: this.isPlain ? new Set() : null };
  }

  onData(frame, telling) {
    const { resource, version } = frame;
    telling.fresh?.add(resource);
    const last = this.#seen.get(resource)?.[0];
    if (last && !isNewer(version, last)) return;
    this.#seen.set(resource, [version, frame.event === "put"]);
    this.#give(this.#isLog ? Symbol(version) : resource, frame);
  }

  onPhase(frame, telling, line) {
    if (frame.event === "reset") {
      telling.isSynced = false;
      this.#startOver(frame, line);
    } else if (!telling.isSynced) {
      telling.isSynced = true;
      if (telling.fresh && !frame.resumed) this.#dropMissing(telling.fresh);
      telling.fresh = null;
      if (!this.#isWhole) this.#give(Symbol("synced"), frame);
      this.#isWhole = true;
    }
  }

  onExpired({ cursor }, line) {
    this.#startOver({ event: "reset", watch: this.label, reason: "expired" }, line);
    this.#reached = cursor;
  }

  onBookmark(frame) {
    if (frame.as_of) this.freshness = new Date(frame.as_of);
    this.skipped += frame.skipped;
    this.#options.onBookmark?.(frame);
  }

  onCursor(cursor) {
    this.#reached = cursor;
    if (this.#options.onFrame) this.cursor = cursor;
    else if (!this.#waiting.has(CURSOR)) this.#waiting.set(CURSOR, cursor);
    this.#options.onCursor?.();
    this.#wake();
  }

  #startOver(frame, line) {
    this.#least = line;
    this.#isWhole = false;
    this.#reached = undefined;
    this.#seen.clear();
    if (!this.#isLog) this.#waiting.clear();
    this.#give(Symbol("reset"), frame);
  }

  /** A snapshot that is told anew lacks what was deleted meanwhile. */
  #dropMissing(fresh) {
    for (const [resource, entry] of this.#seen) {
      if (!entry[1] || fresh.has(resource)) continue;
      entry[1] = false;
      this.#give(resource, { event: "delete", resource, version: entry[0] });
    }
  }

  #give(key, frame) {
    if (this.#options.onFrame) return this.#call(frame);
    if (this.#waiting.has(key)) this.skipped += 1;
    this.#waiting.set(key, frame);
    // A log can't be thinned out: the server keeps the rest.
    if (this.#isLog && this.#waiting.size >= MOST_WAITING && !this.#isPaused) {
      this.#isPaused = true;
      this.#client.leave(this);
    }
    return this.#wake();
  }

  #call(frame) {
    try {
      this.#options.onFrame(frame);
    } catch (error) {
      queueMicrotask(() => {
        throw error; // others are told all the same
      });
    }
  }

  #wake() {
    for (const wake of this.#takers.splice(0)) wake();
  }

  #goOn() {
    this.#isPaused = false;
    if (!this.#isOver) this.#client.place(this);
  }
}

/** Versions have 64 bits: a number would round the large ones. */
function isNewer(version, last) {
  return version.length === last.length ? version > last : version.length > last.length;
}
