// The contract is index.d.ts.
import { addressOf } from "./address.js";
import { Link } from "./link.js";
import { WatchError, fromAnswer } from "./problem.js";
import { Roads } from "./roads.js";
import { Store } from "./store.js";
import { Token } from "./token.js";
import { Watch } from "./watch.js";
import { world } from "./world.js";

const JSON_BODY = { "Content-Type": "application/json" };
const STATES = ["live", "catching_up", "connecting", "offline"]; // best first
let http; // here when the page is left
const load = async () => (http = await import("./http.js"));

export class WatchClient extends EventTarget {
  state = "connecting";
  reason = null;
  links = new Set();
  #isClosed = false;
  #isRefused = false;
  #listening = new AbortController();

  /** @param {any} options */
  constructor(url, options = {}) {
    super();
    this.url = new URL(url, globalThis.location?.href).href.replace(/\/$/, "");
    this.tickets = options.tickets;
    this.world = { ...world, ...options.world };
    this.beatMs = (options.silenceMs ?? 45_000) / 3;
    this.token = new Token(options.token, this.world.now);
    this.roads = new Roads(options.transports ?? ["ws", "sse", "poll"], this);
    load().catch(() => {});
    this.#listen();
  }

  get transport() {
    return this.roads.current.name;
  }

  watch(path, /** @type {any} */ options = {}) {
    if (this.#isClosed) throw new WatchError("closed");
    const watch = new Watch(this, path, options);
    const { signal } = options;
    if (signal?.aborted) watch.end(null);
    else this.place(watch);
    signal?.addEventListener("abort", () => watch.close(), { once: true });
    return watch;
  }

  store(path, options) {
    return new Store(this, path, options);
  }

  get(path, options) {
    return this.#http("get", path, options);
  }

  put(path, data, options) {
    return this.#http("write", path, options, { data });
  }

  delete(path, options) {
    return this.#http("write", path, options, { delete: true });
  }

  close() {
    this.#isClosed = true;
    this.#listening.abort();
    this.roads.back((back) => back.close());
    for (const link of [...this.links]) for (const watch of [...link.watches]) watch.close();
    this.show();
  }

  async ask(url, /** @type {any} */ init = {}) {
    const token = await this.token.get();
    const headers = token ? { Authorization: `Bearer ${token}`, ...init.headers } : init.headers;
    const answer = await this.world.fetch(url.href, { cache: "no-store", ...init, headers }).catch((cause) => {
      throw new WatchError("lost", cause.message, { cause });
    });
    if (!answer.ok) throw await fromAnswer(answer, this.world.now());
    return answer;
  }

  async ticket(watches) {
    const body = JSON.stringify({ watches: [...watches].map((watch) => watch.label) });
    const answer = await this.ask(addressOf(this.url, "tickets"), { method: "POST", body, headers: JSON_BODY });
    return (await answer.json()).ticket;
  }

  place(watch) {
    this.#isRefused = false;
    const link = this.#isShared && [...this.links].find((each) => each.admits(watch));
    (link || this.#link()).add(watch);
  }

  leave(watch) {
    watch.link?.remove(watch);
    watch.link = null;
  }

  /** As many watches to a link as the transport takes: returns the links of the others. */
  arrange(link, failures) {
    const waiting = [...this.links].filter((other) => other !== link && other.isWaiting);
    if (this.#isShared) for (const other of waiting) other.hand([...other.watches].filter((watch) => link.admits(watch)), link);
    if (this.#isShared) return [];
    return [...link.watches].slice(1).map((watch) => link.hand([watch], this.#link(failures)));
  }

  refuse(watch, error) {
    this.#isRefused = true;
    this.reason = error;
    this.leave(watch);
    watch.end(error);
  }

  forget(link) {
    this.links.delete(link);
  }

  show() {
    const state = this.#isClosed ? "closed" : this.links.size ? this.#worst() : this.#isRefused ? "closed" : "connecting";
    if (state === "live") this.reason = null;
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  #worst() {
    return STATES[Math.max(...[...this.links].map((link) => STATES.indexOf(link.state)))];
  }

  get #isShared() {
    return this.roads.current.shared && !this.tickets;
  }

  #link(failures) {
    const link = new Link(this, failures);
    this.links.add(link);
    return link;
  }

  async #http(verb, ...asked) {
    if (!http)
      await load().catch((cause) => {
        throw new WatchError("lost", cause.message, { cause, outcome: "not_written" });
      });
    return http[verb](this, ...asked);
  }

  #listen() {
    const { document } = globalThis;
    const on = (target, name, call) =>
      target?.addEventListener?.(name, () => [...this.links].forEach(call), { signal: this.#listening.signal });
    on(globalThis, "online", (link) => {
      link.replace();
      this.roads.back((back) => back.soon());
    });
    on(document, "visibilitychange", (link) => document.hidden || link.wake());
  }
}
