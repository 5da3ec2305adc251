import { addressOf } from "./address.js";
import { fromClose } from "./problem.js";

export const ws = { name: "ws", shared: true, open: (line) => new Socket(line) };

class Socket {
  #line;
  #socket = null;
  #closed = false;

  constructor(line) {
    this.#line = line;
    this.#open().catch((error) => line.end(error));
  }

  add(watch) {
    this.send({ op: "subscribe", watch: watch.label, ...watch.asked(), ref: watch.number });
  }

  remove(watch) {
    this.send({ op: "unsubscribe", watch: watch.label });
  }

  send(operation) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(operation));
  }

  close() {
    this.#closed = true;
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  async #open() {
    const { client, watches } = this.#line;
    const token = await client.token.get();
    const ticket = token && client.tickets ? await client.ticket(watches) : null;
    if (this.#closed) return;
    const url = addressOf(client.url, "watch", "ws", { ticket });
    url.protocol = url.protocol.replace("http", "ws");
    const bearer = token && !ticket ? [`bearer.${token}`] : [];
    const socket = new client.world.WebSocket(url.href, ["watch.v1.json", ...bearer]);
    this.#socket = socket;
    socket.onopen = () => this.#line.opened();
    socket.onmessage = ({ data }) => this.#line.hear(JSON.parse(data));
    socket.onclose = ({ code }) => this.#ended(code);
  }

  async #ended(code) {
    const line = this.#line;
    if (line.isOpen) line.end(fromClose(code));
    else line.end(await this.#whyRefused());
  }

  /** A refused handshake tells a page nothing: asked over HTTP the server says why. */
  async #whyRefused() {
    const [watch] = this.#line.watches;
    return this.#line.client.ask(watch.address("poll", { snapshot: false, wait: 0 })).then(
      () => fromClose(1006),
      (error) => Object.assign(error, { watch, isAway: !error.status }),
    );
  }
}
