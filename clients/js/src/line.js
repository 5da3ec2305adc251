const LATE_MS = 5_000;
const LEAST_BEAT_MS = 1_000;
let count = 0;

/** One connection, from the attempt to its end: hands what it hears to the watches, and notices silence. */
export class Line {
  isOpen = false;
  isOver = false;
  isCaughtUp = false;
  comeBackMs;
  problem = null;
  number = ++count;
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

  /** Ask for a watch that was refused once more. */
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

  close() {
    this.isOver = true;
    this.client.world.clearTimeout(this.#timer);
    this.#connection?.close();
  }

  end(error) {
    if (this.isOver) return;
    this.close();
    this.link.ended(this, this.problem ?? error);
  }

  heard() {
    this.#heardAt = this.client.world.now();
  }

  /** A frame, or nothing, and the `id` that came with it. */
  hear(frame, id) {
    if (this.isOver) return;
    this.heard();
    if (frame) this.#obey(frame);
    const cursor = id ?? frame?.cursor;
    // The id of an event stream is good at any time, the cursor of a frame for what is synced.
    if (cursor) this.#each((watch, telling) => (id || telling.isSynced) && watch.onCursor(cursor));
  }

  #obey(frame) {
    switch (frame.event) {
      case "put":
      case "delete":
        return this.#each((watch, telling) => watch.matches(frame.resource) && watch.onData(frame, telling));
      case "synced":
      case "reset":
        this.#about(frame, (watch, telling) => watch.onPhase(frame, telling, this.number));
        return this.#count();
      case "bookmark":
        this.#beat();
        return this.#each((watch) => watch.onBookmark(frame));
      case "goaway":
        this.client.beatMs = this.#beatBefore ?? this.client.beatMs; // the last bookmark came early
        this.comeBackMs = frame.reconnect_in_ms;
        return this.link.goAway(this);
      case "auth":
        return this.link.renew(this);
      case "ack":
        return this.#about(frame, (watch) => (watch.label = frame.watch ?? watch.label));
      case "problem":
        return this.link.onProblem(this, frame, this.#named(frame));
    }
    return undefined; // a newer server may say more
  }

  /** Whom a frame is about: by its `ref`, its label, or because there is only one. */
  #named({ ref, watch: label }) {
    const watches = [...this.#tellings.keys()];
    return this.road.shared ? watches.find((watch) => (ref ? watch.number === ref : watch.label === label)) : watches[0];
  }

  #about(frame, call) {
    const watch = this.#named(frame);
    if (watch?.hears(this.number)) call(watch, this.#tellings.get(watch));
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
      // A timer that is late has slept, with the whole machine: that is nobody's fault.
      else this.link.silent(this, world.now() - due < LATE_MS);
    }, wait);
  }
}
