import { WatchError } from "./problem.js";

const LATE_MS = 5_000;
const LEAST_BEAT_MS = 1_000;
let count = 0;

/** One connection: tells the watches, and notices silence. */
export class Line {
  isOpen = false;
  isOver = false;
  isCaughtUp = false;
  #isLeaving = false;
  comeBackMs;
  problem = null;
  number = ++count;
  answers = new Map(); // ref of an operation → who waits for its answer
  #tellings = new Map();
  #connection;
  #heardAt;
  #beatAt = null;
  #beatBefore;
  #timer;

  constructor(link, road) {
    this.link = link;
    this.client = link.client;
    this.road = road;
  }

  get watches() {
    return this.link.watches;
  }

  get silentMs() {
    return this.client.world.now() - this.#heardAt;
  }

  open() {
    this.heard();
    this.#mind();
    this.#connection = this.road.open(this);
  }

  opened() {
    if (this.isOver) return;
    this.isOpen = true;
    this.heard();
    this.client.roads.opened(this.road);
    for (const watch of this.watches) this.add(watch);
    this.client.show();
  }

  add(watch) {
    if (!this.isOpen || this.#tellings.has(watch)) return;
    this.#tellings.set(watch, watch.telling());
    this.#connection.add?.(watch);
    this.#count();
  }

  again(watch) {
    if (!this.isOver && this.#tellings.delete(watch)) this.add(watch);
  }

  remove(watch) {
    if (this.#tellings.delete(watch)) this.#connection.remove?.(watch);
    this.#count();
  }

  send(operation) {
    this.#connection.send?.(operation);
  }

  /** What was asked over it is still answered. */
  close() {
    this.isOver = true;
    if (this.answers.size) return;
    this.client.world.clearTimeout(this.#timer);
    this.#connection?.close();
  }

  end(error) {
    const { isOver } = this;
    for (const answer of this.answers.values()) answer();
    this.answers.clear();
    this.close();
    if (isOver) return;
    this.link.ended(this, this.problem ?? (error instanceof WatchError ? error : new WatchError("lost", error.message, { cause: error })));
  }

  heard() {
    this.#heardAt = this.client.world.now();
  }

  hear(frame, id) {
    this.heard();
    this.answers.get(frame?.ref)?.(frame);
    if (this.isOver || frame?.event === "ack") return; // its cursor is of what was written, not of what was told
    if (frame) this.#obey(frame);
    // The id of a stream is good at any time, a cursor for what is synced, a problem's for its watch.
    const cursor = id ?? (frame?.code && frame.watch ? 0 : frame?.cursor);
    if (cursor) this.#each((watch, telling) => (id || telling.isSynced) && watch.onCursor(cursor));
  }

  #obey(frame) {
    const { event } = frame;
    if (event === "put" || event === "delete") {
      this.#each((watch, telling) => watch.matches(frame.resource) && watch.onData(frame, telling));
    } else if (event === "synced" || event === "reset") {
      const about = this.#named(frame);
      this.#each((watch, telling) => watch === about && watch.onPhase(frame, telling, this.number));
      this.#count();
    } else if (event === "bookmark") {
      this.#beat();
      this.#each((watch) => watch.onBookmark(frame));
    } else if (event === "goaway") {
      this.#isLeaving = true;
      this.client.beatMs = this.#beatBefore ?? this.client.beatMs; // its bookmark came early
      this.comeBackMs = frame.reconnect_in_ms;
      this.link.goAway(this);
    } else if (event === "auth") this.link.renew(this);
    else if (event === "problem") this.link.onProblem(this, frame, this.#named(frame));
  }

  #named({ ref, watch: label }) {
    const watches = [...this.#tellings.keys()];
    return this.road.shared ? watches.find((watch) => (ref ? watch.number === ref : watch.label === label)) : watches[0];
  }

  #each(call) {
    for (const [watch, telling] of this.#tellings) if (watch.hears(this.number)) call(watch, telling);
  }

  #count() {
    const was = this.isCaughtUp;
    this.isCaughtUp = [...this.watches].every((watch) => this.#tellings.get(watch)?.isSynced);
    if (this.isCaughtUp && !was) this.link.caughtUp(this);
    this.client.show();
  }

  #beat() {
    if (this.#isLeaving) return;
    const now = this.client.world.now();
    if (this.#beatAt !== null) {
      this.#beatBefore = this.client.beatMs;
      this.client.beatMs = Math.max(now - this.#beatAt, LEAST_BEAT_MS);
      this.#mind();
    }
    this.#beatAt = now;
  }

  #mind() {
    const { world } = this.client;
    const wait = 3 * this.client.beatMs - this.silentMs;
    const due = world.now() + wait;
    world.clearTimeout(this.#timer);
    this.#timer = world.setTimeout(() => {
      if (this.silentMs < 3 * this.client.beatMs) this.#mind();
      else if (this.isOver) this.end();
      // A late timer has slept with the machine.
      else this.link.silent(this, world.now() - due < LATE_MS);
    }, wait);
  }
}
