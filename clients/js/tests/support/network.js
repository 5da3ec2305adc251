import { Connection } from "./connection.js";

/** The other end of every WebSocket and `fetch`: does what the test says, and keeps what was attempted, in order. */
export class Network {
  connections = [];
  /** Answers the next `fetch` that isn't an attempt: what a client asks after a handshake that failed. */
  probe = null;
  /** Answers what is neither a stream nor a poll. */
  answer = () => new Response(null, { status: 500 });

  get world() {
    const attempt = (connection) => this.#attempt(connection);
    class Socket extends FakeSocket {
      constructor(url, protocols) {
        super();
        this.connection = attempt(Connection.ofSocket(new URL(url), protocols, this));
      }
    }
    return { WebSocket: Socket, fetch: (url, init) => this.#fetch(new URL(url), init) };
  }

  newest() {
    return this.connections.at(-1);
  }

  #attempt(connection) {
    connection.n = this.connections.push(connection);
    return connection;
  }

  #fetch(url, init) {
    const { probe } = this;
    if (probe && url.pathname.endsWith("/poll")) {
      this.probe = null;
      return Promise.resolve(probe);
    }
    if (!/\/(stream|poll)$/.test(url.pathname)) return Promise.resolve(this.answer(url, init));
    return this.#attempt(Connection.ofFetch(url, init)).answered;
  }
}

/** What a page sees of a WebSocket. */
class FakeSocket {
  readyState = 0;

  send(text) {
    this.connection.heard.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
    this.connection.isClosed = true;
  }
}
