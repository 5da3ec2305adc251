/** What tabs of an origin have in common: locks, and channels on which everybody but the sender hears. */
export class Origin {
  #held = new Map(); // name → those who wait, the holder first
  #channels = new Map();

  locks = { request: (name, options, call) => this.#request(name, call ?? options, call ? options.signal : undefined) };

  /** The class BroadcastChannel of these tabs. */
  channel() {
    const all = this.#channels;
    return class {
      constructor(name) {
        this.name = name;
        all.set(this, name);
      }

      postMessage(message) {
        for (const [other, name] of all) {
          if (other === this || name !== this.name) continue;
          const data = structuredClone(message);
          queueMicrotask(() => all.has(other) && other.onmessage?.({ data }));
        }
      }

      close() {
        all.delete(this);
      }
    };
  }

  /** The tab that took a lock last is gone, without a word. */
  crash() {
    const queue = [...this.#held.values()].findLast(({ length }) => length);
    queue.shift();
    queue[0]?.resolve();
  }

  async #request(name, call, signal) {
    const queue = this.#held.get(name) ?? [];
    this.#held.set(name, queue);
    const turn = new Promise((resolve, reject) => {
      const entry = { resolve };
      queue.push(entry);
      signal?.addEventListener("abort", () => {
        if (queue[0] === entry) return; // it has it
        queue.splice(queue.indexOf(entry), 1);
        reject(new DOMException("aborted", "AbortError"));
      });
    });
    if (queue.length === 1) queue[0].resolve();
    await turn;
    try {
      return await call();
    } finally {
      queue.shift();
      queue[0]?.resolve();
    }
  }
}
