import { setImmediate } from "node:timers/promises";

const TURNS = 8;

/** A clock that stands still until it is told to go on. */
export class Clock {
  #now = Date.UTC(2026, 0, 1);
  #timers = new Map();
  #count = 0;

  now = () => this.#now;

  setTimeout = (call, ms) => {
    this.#timers.set(++this.#count, { at: this.#now + Math.max(0, ms), call });
    return this.#count;
  };

  clearTimeout = (timer) => this.#timers.delete(timer);

  /** Let time pass, and whatever is due happen in its order. */
  async pass(ms) {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const [due] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].call();
    }
    this.#now = end;
    await settled();
  }

  /** The machine sleeps: time passes, and timers notice late. */
  async sleep(ms) {
    this.#now += ms;
    await this.pass(0);
  }
}

/** Whatever promises can still do has been done. */
export async function settled() {
  for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
}
