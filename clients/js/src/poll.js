const LONGEST_S = 25;

/** One long poll after the other for each watch: what works where nothing else does. */
export const open = (line) => new Polling(line);

class Polling {
  #line;
  #abort = new AbortController();

  constructor(line) {
    this.#line = line;
    this.#run().catch((error) => line.end(error));
  }

  close() {
    this.#abort.abort();
  }

  /** A poll without news is answered before its silence would be noticed. */
  get #wait() {
    return Math.min(LONGEST_S, this.#line.client.beatMs / 500);
  }

  async #run() {
    const line = this.#line;
    const [watch] = line.watches;
    // The first answer comes at once: it says whether the cursor was taken.
    for (let wait = 0; !line.isOver; wait = this.#wait) {
      const answer = await line.client.ask(watch.address("poll", { wait }), { signal: this.#abort.signal });
      const { frames, cursor } = await answer.json();
      if (!line.isOpen) line.opened();
      line.heard();
      for (const frame of frames) line.hear(frame);
      // Polls from a cursor have no `synced`: their answer says the same.
      line.hear({ event: "synced", resumed: true, cursor });
    }
  }
}
