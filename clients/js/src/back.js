import { Line } from "./line.js";
import { Link, fits } from "./link.js";
import { WatchError } from "./problem.js";

const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;
const ENDS = new Set(["reset", "problem", "goaway"]);

/** The way back to a transport that was stepped around. After a rest it is tried beside what works. */
export class Back {
  watches = new Set(); // those that a try would take over
  #roads;
  #restMs = FIRST_MS;
  #backAt = -Infinity;
  #at = 0;
  #line = null;
  #timer;

  constructor(client, roads) {
    this.client = client;
    this.#roads = roads;
  }

  /** A transport was stepped around: one that hadn't lasted rests longer. */
  away() {
    if (this.client.world.now() - this.#backAt > LONGEST_MS) this.#restMs = FIRST_MS;
    this.#rest();
  }

  /** The network is another one: what was learnt of the old one says nothing. */
  soon() {
    this.#restMs = FIRST_MS;
    if (!this.#line) this.#rest();
  }

  /** What a line tells its link. Nothing but that it has caught up is of use to a try, and nothing else is told. */
  caughtUp(line) {
    this.#line = null;
    this.#backAt = this.client.world.now();
    this.#roads.take(line.road);
    this.#move(line);
    if (this.#at) this.#rest();
    this.client.dispatchEvent(new Event("state"));
  }

  ended(line) {
    if (line !== this.#line) return;
    this.#line = null;
    this.#try(this.#at + 1);
  }

  silent(line) {
    line.end(new WatchError("silent"));
  }

  renew() {}

  replace() {}

  #rest() {
    this.#line?.close();
    this.#line = null;
    this.#wait(this.#restMs);
    this.#restMs = Math.min(2 * this.#restMs, LONGEST_MS);
  }

  #wait(ms) {
    const { world } = this.client;
    world.clearTimeout(this.#timer);
    if (!this.#roads.better.length) return;
    this.#timer = world.setTimeout(() => this.#try(0), ms * (0.5 + world.random()));
    this.#timer?.unref?.(); // no reason for Node to stay
  }

  /** Only while all is well: what has a connection to lose is not what a try may harm. */
  #try(at) {
    const { state } = this.client;
    const road = this.#roads.better[at];
    if (state === "closed") return;
    if (state !== "live") return this.#wait(FIRST_MS);
    if (!road) return this.#rest();
    this.#at = at;
    this.watches.clear();
    for (const link of this.client.links) this.#gather(link, road);
    if (!this.watches.size) return this.#roads.take(road); // all that there is has stayed with it
    this.#line = new Try(this, road);
    this.#line.open();
  }

  /** Those watches of a link that fit on one line with what there is. */
  #gather(link, road) {
    if (link.road === road) return;
    const isShared = road.shared && !this.client.tickets;
    for (const watch of link.watches) if (!this.watches.size || (isShared && fits(watch, this.watches))) this.watches.add(watch);
  }

  /** With those that came meanwhile, where they fit; each other link replaces its own line. */
  #move(line) {
    const link = new Link(this.client);
    const others = [...this.client.links].filter(({ road }) => road !== line.road);
    this.client.links.add(link.adopt(line));
    for (const other of others) {
      this.#gather(other, line.road);
      other.hand([...other.watches].filter((watch) => this.watches.has(watch)), link);
      other.replace();
    }
    for (const watch of this.watches) link.watches.has(watch) ? line.add(watch) : link.remove(watch);
  }

  close() {
    this.client.world.clearTimeout(this.#timer);
    this.#line?.close();
  }
}

/** A line that ends rather than tell what would change what was told: that is left to the one that works. */
class Try extends Line {
  hear(frame, id) {
    if (this.link instanceof Back) {
      this.link.watches.forEach((watch) => watch.link || this.remove(watch));
      if (!this.link.watches.size || ENDS.has(frame?.event)) return this.end(new WatchError("lost"));
      // What works goes on meanwhile: its cursor may be the newer one.
      return super.hear(frame && { ...frame, cursor: undefined });
    }
    return super.hear(frame, id);
  }

  /** The application has ended it. */
  remove(watch) {
    this.watches.delete(watch);
    super.remove(watch);
  }
}
