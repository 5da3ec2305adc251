// One connection for all tabs of an origin: the tab that holds a Web Lock serves the others over a BroadcastChannel.
// A tab's lock goes with it, however it ends: the next one serves then, and every watch is told on from there.
import { WatchClient } from "./client.js";
import { WatchError } from "./problem.js";
import { Relays } from "./relays.js";

/** A client whose tabs share a connection; where there are no locks or channels, one like any other. */
export class SharedClient extends WatchClient {
  #leave = () => {};

  /** @param {any} options as of a WatchClient; `share` names who shares, where tabs may be of several users */
  constructor(url, options = {}) {
    const { share = "", ...own } = options;
    const locks = options.world?.locks ?? globalThis.navigator?.locks;
    const canShare = locks && globalThis.BroadcastChannel;
    const name = `watchroute ${url} ${share}`;
    const transport = { name: "tabs", shared: true, open: (line) => new TabConnection(line, name, locks) };
    super(url, canShare ? { ...own, transports: [transport] } : own);
    if (canShare) this.#stand(name, locks, () => new WatchClient(url, own));
  }

  close() {
    super.close();
    this.#leave();
  }

  /** Serve the other tabs, once it is this one's turn. */
  #stand(name, locks, connect) {
    const abort = new AbortController();
    this.#leave = () => abort.abort();
    const lead = () =>
      new Promise((resolve) => {
        const relays = new Relays(name, locks, connect());
        this.#leave = () => resolve(relays.close());
      });
    locks.request(name, { signal: abort.signal }, lead).catch(() => {}); // closed before its turn came
  }
}

/** A tab's connection to the tab that serves it; it looks like a WebSocket to all watches. */
class TabConnection {
  #line;
  #channel;
  #id = crypto.randomUUID();
  #labels = new Set();
  #release = null; // our lock, while we hold it
  #isClosed = false;

  constructor(line, name, locks) {
    this.#line = line;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    // Whoever serves us waits for this lock: it is free when we are gone.
    locks.request(`${name} ${this.#id}`, () => this.#isClosed || new Promise((resolve) => this.#hello(resolve)));
  }

  add(watch) {
    this.#labels.add(watch.label);
    const { label, isPlain } = watch;
    this.#channel.postMessage({ id: this.#id, subscribe: label, isPlain, asked: watch.asked() });
  }

  remove({ label }) {
    this.#labels.delete(label);
    this.#channel.postMessage({ id: this.#id, unsubscribe: label });
  }

  close() {
    this.#isClosed = true;
    this.#release?.();
    this.#channel.close();
  }

  #hello(release) {
    this.#release = release;
    this.#channel.postMessage({ id: this.#id, hello: true });
  }

  #hear({ leader, lost, welcome, to, label, frame }) {
    if (leader && this.#line.isOpen) this.#line.end(new WatchError("lost", "another tab serves now", { retryMs: 0 }));
    else if (leader && this.#release) this.#channel.postMessage({ id: this.#id, hello: true });
    else if (lost && this.#line.isOpen) this.#line.end(new WatchError("lost", lost));
    else if (welcome === this.#id && !this.#line.isOpen) this.#line.opened();
    else if (frame && (to === this.#id || this.#labels.has(label))) this.#line.hear(frame);
  }
}
