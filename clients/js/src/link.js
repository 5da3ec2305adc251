import { Line } from "./line.js";
import { NEEDS_TOKEN, WatchError, fromFrame, isFinal } from "./problem.js";
import { ws } from "./websocket.js";

const LONGEST_MS = 30_000;
const FIRST_MS = 500;
const HASTY_MS = 1_000;

/** Some watches: decides when to connect for them, and when to give up. */
export class Link {
  watches = new Set();
  #line = null;
  #next = null; // #line, once it has caught up
  #timer = null;
  #isPlanned = false;
  #failures;
  #hasAsked = false;
  #askedAt = 0;

  constructor(client, failures = 0) {
    this.client = client;
    this.#failures = failures;
  }

  get state() {
    if (this.#line) return !this.#line.isOpen ? "connecting" : this.#line.isCaughtUp ? "live" : "catching_up";
    return this.#isPlanned ? "catching_up" : "offline";
  }

  get isWaiting() {
    return !this.#line;
  }

  /** The line to write over: an open WebSocket whose server doesn't leave. */
  get writer() {
    return [this.#next, this.#line].find((line) => line?.isOpen && line.road === ws && line.comeBackMs === undefined);
  }

  get road() {
    return this.#line?.road;
  }

  admits(watch) {
    return this.road?.shared !== false && fits(watch, this.watches);
  }

  /** A line that has caught up. */
  adopt(line) {
    this.#line = line;
    line.link = this;
    return this;
  }

  add(watch) {
    this.watches.add(watch);
    watch.link = this;
    this.#lines((line) => line.add(watch));
    if (this.isWaiting && this.#timer === null) this.connect();
    this.client.show();
  }

  remove(watch) {
    this.watches.delete(watch);
    this.#lines((line) => line.remove(watch));
    if (!this.watches.size) this.#close();
    this.client.show();
  }

  hand(watches, link) {
    for (const watch of watches) {
      this.watches.delete(watch);
      link.watches.add(watch);
      watch.link = link;
    }
    if (!this.watches.size) this.#close();
    return link;
  }

  connect() {
    this.#stopWaiting();
    const others = this.client.arrange(this, this.#failures);
    const line = new Line(this, this.client.roads.current);
    this.#next?.close();
    this.#next = null;
    if (this.#line?.isOpen) this.#next = line;
    else {
      this.#line?.close();
      this.#line = line;
    }
    line.open();
    for (const other of others) other.connect();
    this.client.show();
  }

  replace() {
    if (this.#line ? this.#line.isOpen && !this.#next : this.#timer !== null) this.connect();
  }

  wake() {
    if (this.isWaiting || this.#line.silentMs > 1.2 * this.client.beatMs) this.replace();
  }

  caughtUp(line) {
    this.#failures = 0;
    this.#hasAsked = false;
    if (line !== this.#next) return;
    this.#line.close();
    this.#line = line;
    this.#next = null;
  }

  goAway(line) {
    if (line === this.#line && !this.#next && this.#timer === null) this.#plan(line.comeBackMs, true);
  }

  silent(line, isBlamed) {
    if (isBlamed) this.client.roads.silent(line.road);
    line.end(new WatchError("silent"));
  }

  ended(line, error) {
    const { code } = error;
    const wasNext = line === this.#next;
    if (!wasNext) this.#line = this.#next;
    this.#next = null;
    if (!line.isOpen && code !== "silent" && !error.isAway) this.client.roads[code === "lost" ? "failed" : "opened"](line.road);
    this.client.reason = error;
    if (code === "expired") for (const watch of this.watches) watch.onExpired(error, line.number);
    if (isFinal(error) || (NEEDS_TOKEN.has(code) && !this.#askAgain())) this.#fail(error);
    else if (this.#timer === null && (wasNext || !this.#line)) this.#plan(this.#pause(line, error));
    this.client.show();
  }

  /** That of one watch leaves a shared connection as it is. */
  onProblem(line, frame, watch) {
    const error = fromFrame(frame);
    const { code } = error;
    if (!watch || !line.road.shared) line.problem = frame.ref ? line.problem : error;
    else if (isFinal(error) || NEEDS_TOKEN.has(code)) this.client.refuse(watch, error);
    else if (code === "expired") {
      watch.onExpired(error, line.number);
      line.again(watch);
    } else this.client.world.setTimeout(() => line.again(watch), error.retryMs ?? this.#backoff());
  }

  async renew(line) {
    this.client.token.forget();
    const token = await this.client.token.get().catch(() => "");
    if (token) line.send({ op: "auth", token, ref: "auth" });
  }

  #lines(call) {
    for (const line of [this.#line, this.#next]) if (line) call(line);
  }

  #close() {
    this.#stopWaiting();
    this.#lines((line) => line.close());
    this.#line = this.#next = null;
    this.client.forget(this);
  }

  #askAgain() {
    if (!this.client.token.canAsk || this.#hasAsked) return false;
    this.client.token.forget();
    return (this.#hasAsked = true);
  }

  #fail(error) {
    for (const watch of error.watch ? [error.watch] : [...this.watches]) this.client.refuse(watch, error);
    if (this.watches.size && this.isWaiting && this.#timer === null) this.#plan(this.#backoff());
  }

  #pause(line, error) {
    if (NEEDS_TOKEN.has(error.code)) {
      const before = this.#askedAt;
      this.#askedAt = this.client.world.now();
      if (this.#askedAt - before > HASTY_MS) return 0;
    }
    return error.retryMs ?? (line.isOpen ? line.comeBackMs : undefined) ?? this.#backoff();
  }

  #backoff() {
    return this.client.world.random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures++);
  }

  #plan(ms, isPlanned = false) {
    this.#stopWaiting();
    this.#isPlanned = isPlanned;
    this.#timer = this.client.world.setTimeout(() => this.connect(), ms);
  }

  #stopWaiting() {
    this.client.world.clearTimeout(this.#timer);
    this.#timer = null;
    this.#isPlanned = false;
  }
}

/** The snapshot of one watch is news to another that began without. */
export function fits(watch, others) {
  return [...others].every(
    (other) => !other.overlaps(watch) || (other.isPlain && watch.isPlain && other.label !== watch.label),
  );
}
