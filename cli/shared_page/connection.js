// The bar that says how a client fares: its state in words, how fresh it is, what was left out. And it breaks it.

import { element, setText } from "./element.js";
import { Network } from "./network.js";

const NAMES = {
  connecting: "Connecting",
  live: "Live",
  catching_up: "Catching up",
  offline: "Offline",
  closed: "Closed",
};
const REFRESH_MS = 500;
const BREAK_MS = 4000;
const whole = new Intl.NumberFormat("en-US");

export class ConnectionBar {
  #network = new Network();
  #client = null;
  #watches = [];
  #about = "";
  #listening = new AbortController();
  #word = element("strong");
  #detail = element("span", { className: "detail" });
  #announcement = element("p", { className: "visually-hidden", role: "status", "aria-live": "polite" });
  #freshness = element("dd", { id: "freshness" }, "–");
  #leftOut = element("dd", { id: "left-out" }, "0");
  #leftOutBefore = 0;
  #break = element("button", { type: "button", id: "break" }, "Break the connection");
  #state = element("div", { className: "state", id: "state" });

  /** @param root where it is; more counters may be in it already */
  constructor(root) {
    this.#state.append(
      element("span", { className: "dot", "aria-hidden": "true" }),
      element("p", {}, this.#word, " ", this.#detail),
    );
    const counters = element("dl", { className: "counters" }, counter("Data as of", this.#freshness), counter("Left out", this.#leftOut));
    root.prepend(this.#state, this.#announcement, counters);
    root.append(this.#break);
    this.#break.addEventListener("click", () => this.#cut());
    setInterval(() => this.#refresh(), REFRESH_MS);
  }

  /** Give it to the client as its `world`: then its network can be broken. */
  get world() {
    return this.#network.world;
  }

  /**
   * Report this client from now on.
   *
   * @param watches  its watches or stores
   * @param about    what to say beside "Live"
   */
  follow(client, watches, about = "") {
    this.#leftOutBefore += this.#skipped();
    this.#listening.abort();
    this.#listening = new AbortController();
    this.#client = client;
    this.#watches = [watches].flat();
    this.#about = about;
    client.addEventListener("state", () => this.#changed(), { signal: this.#listening.signal });
    this.#changed();
  }

  #changed() {
    const { state } = this.#client;
    this.#state.dataset.state = state;
    setText(this.#word, NAMES[state]);
    setText(this.#announcement, NAMES[state]);
    this.#refresh();
  }

  #refresh() {
    if (!this.#client) return;
    const freshest = Math.max(...this.#watches.map(({ freshness }) => freshness ?? 0));
    setText(this.#detail, this.#words());
    setText(this.#freshness, freshest > 0 ? ageOf(freshest) : "–");
    setText(this.#leftOut, whole.format(this.#leftOutBefore + this.#skipped()));
  }

  #words() {
    const { state, reason } = this.#client;
    if (state === "live") return this.#about;
    if (state === "closed") return reason ? `– ${reason.message}` : "";
    if (this.#network.isCut) return "– broken by you, for a moment";
    return state === "offline" ? `– ${reason?.message ?? "the connection was lost"}; it tries again` : "";
  }

  #skipped() {
    return this.#watches.reduce((sum, { skipped }) => sum + skipped, 0);
  }

  #cut() {
    if (this.#network.isCut) return;
    this.#network.cut();
    // It keeps the focus, and so isn't `disabled`.
    this.#break.setAttribute("aria-disabled", "true");
    setText(this.#break, "Broken …");
    setTimeout(() => {
      this.#network.mend();
      this.#break.removeAttribute("aria-disabled");
      setText(this.#break, "Break the connection");
    }, BREAK_MS);
  }
}

/** A number and its name, for a list of counters. */
export function counter(name, value) {
  return element("div", {}, element("dt", {}, name), value);
}

function ageOf(time) {
  const age_s = Math.max(0, (Date.now() - time) / 1000);
  if (age_s < 1.5) return "now";
  return age_s < 100 ? `${Math.round(age_s)} s ago` : `${Math.round(age_s / 60)} min ago`;
}
