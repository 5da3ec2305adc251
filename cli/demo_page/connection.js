// The panel that says how the watch fares: its state in words, and its counters.

const NAMES = {
  idle: "Not connected",
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  stopped: "Stopped",
};
const REFRESH_MS = 500;
const whole = new Intl.NumberFormat("en-US");

/** The state of a watch in a word. */
export function nameOf(state) {
  return NAMES[state.name];
}

export class ConnectionPanel {
  #watch;
  #transport;
  #parts;

  /**
   * @param watch      what to report
   * @param transport  gives the name of the transport in use
   * @param parts      the elements, by their id
   */
  constructor(watch, transport, parts) {
    this.#watch = watch;
    this.#transport = transport;
    this.#parts = parts;
    parts.retry.addEventListener("click", () => watch.retryNow());
    setInterval(() => this.#refresh(), REFRESH_MS);
  }

  stateChanged(state) {
    this.#parts.state.dataset.state = state.name;
    this.#parts["state-name"].textContent = nameOf(state);
    this.#parts.retry.hidden = state.name !== "reconnecting" && state.name !== "stopped";
    // The countdown is for the eyes; read out every second it would be a nuisance.
    this.#parts["state-announcement"].textContent = [nameOf(state), state.reason].filter(Boolean).join(": ");
    this.#refresh();
  }

  #refresh() {
    const { state, events, lastVersion, skipped, cursor, asOf } = this.#watch;
    const parts = this.#parts;
    setText(parts["state-detail"], this.#detail(state));
    setText(parts.events, whole.format(events));
    setText(parts["last-version"], lastVersion ?? "–");
    setText(parts.skipped, whole.format(skipped));
    setText(parts.cursor, cursor ?? "–");
    parts.cursor.title = cursor ?? "";
    setText(parts["as-of"], asOf === null ? "–" : ageOf(asOf));
  }

  #detail(state) {
    switch (state.name) {
      case "live":
        return `over ${this.#transport()}`;
      case "reconnecting":
        return state.retry_at === undefined
          ? `– ${state.reason}; the browser tries again` // and doesn't tell when
          : `in ${secondsUntil(state.retry_at)} s: ${state.reason}`;
      default:
        return state.reason ? `– ${state.reason}` : "";
    }
  }
}

function secondsUntil(time) {
  return Math.max(0, Math.ceil((time - performance.now()) / 1000));
}

function ageOf(asOf) {
  const age_s = Math.max(0, (Date.now() - Date.parse(asOf)) / 1000);
  if (age_s < 1) return "now";
  return age_s < 100 ? `${Math.round(age_s)} s ago` : `${Math.round(age_s / 60)} min ago`;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
