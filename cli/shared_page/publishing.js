// Publishing over a WebSocket: one connection for many small writes, each acknowledged once Kafka has it.

const AGAIN_MS = 1000;

export class Publishing {
  #WebSocket;
  #token;
  #socket = null;
  #waiting = new Map();
  #last = 0;

  /**
   * @param world  as of a WatchClient: where its WebSocket comes from
   * @param token  a function that gets a token, or nothing
   */
  constructor(world = {}, token = () => "") {
    this.#WebSocket = world.WebSocket ?? WebSocket;
    this.#token = token;
  }

  /** Resolves to the acknowledgement (`resource`, `version`, `cursor`); rejects with why it was refused. */
  put(resource, data) {
    return this.#write({ resource, data });
  }

  delete(resource) {
    return this.#write({ resource, delete: true });
  }

  async #write(change) {
    const socket = await this.#opened();
    const ref = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(ref, { resolve, reject });
      socket.send(JSON.stringify({ op: "publish", ...change, ref }));
    });
  }

  #opened() {
    this.#socket ??= this.#open().catch((error) => {
      setTimeout(() => (this.#socket = null), AGAIN_MS);
      throw error;
    });
    return this.#socket;
  }

  async #open() {
    const token = await this.#token();
    const bearer = token ? [`bearer.${token}`] : [];
    const url = new URL("/v1/watch/ws", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new this.#WebSocket(url.href, ["watch.v1.json", ...bearer]);
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(data), socket);
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(socket);
      socket.onclose = () => {
        reject(new Error("there is no connection"));
        this.#lost();
      };
    });
  }

  async #heard({ event, ref, ...answer }, socket) {
    // The token ends soon: the next one is shown on the same connection.
    if (event === "auth") return socket.send(JSON.stringify({ op: "auth", token: await this.#token(), ref: "auth" }));
    const { resolve, reject } = this.#waiting.get(ref) ?? {};
    this.#waiting.delete(ref);
    if (event === "ack") resolve?.(answer);
    else if (event === "problem") reject?.(new Error(answer.message));
    return undefined;
  }

  #lost() {
    this.#socket = null;
    for (const { reject } of this.#waiting.values()) reject(new Error("the connection was lost: it may be stored"));
    this.#waiting.clear();
  }
}
