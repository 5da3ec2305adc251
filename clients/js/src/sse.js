import { WatchError } from "./problem.js";

const RENEW_MS = 30_000;

/** One event stream for each watch, by `fetch`, so that headers work. */
export const open = (line) => new Stream(line);

class Stream {
  #line;
  #abort = new AbortController();
  #renewing;

  constructor(line) {
    this.#line = line;
    this.#run().then(
      () => line.end(new WatchError("lost", "the stream ended")),
      (error) => line.end(error),
    );
  }

  close() {
    this.#line.client.world.clearTimeout(this.#renewing);
    this.#abort.abort();
  }

  async #run() {
    const line = this.#line;
    const [watch] = line.watches;
    const answer = await line.client.ask(watch.address("stream"), {
      headers: { Accept: "text/event-stream" },
      signal: this.#abort.signal,
    });
    line.opened();
    this.#renewIn(line.client.token.endsAt - line.client.world.now() - RENEW_MS);
    const parser = new EventStream();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      line.heard();
      for (const { data, id } of parser.feed(read.value)) line.hear(data && JSON.parse(data), id);
      line.comeBackMs = parser.retryMs;
    }
  }

  /** A stream can't take a newer token: the next one is opened before this one is over. */
  #renewIn(ms) {
    const line = this.#line;
    if (ms < 2 ** 31) this.#renewing = line.client.world.setTimeout(() => line.link.replace(), Math.max(ms, 0));
  }
}

/** Reads event streams as the HTML standard says (9.2.6), but for names of events: frames name themselves. */
export class EventStream {
  retryMs;
  #rest = "";
  #data = [];
  #id;

  /** The events that this text completes; one without `data` only moves the id. */
  *feed(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line) this.#field(line);
      else {
        if (this.#data.length || this.#id) yield { data: this.#data.join("\n"), id: this.#id };
        this.#data = [];
        this.#id = undefined;
      }
    }
  }

  #field(line) {
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === "data") this.#data.push(value);
    else if (name === "id") this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retryMs = +value;
  }
}
