// The network as the client sees it, with a switch: while it is cut every connection is lost and none can be opened.

export class Network {
  isCut = false;
  /** What a WatchClient takes as `world`. */
  world;
  #sockets = new Set();
  #requests = new AbortController();

  constructor() {
    const open = (...given) => this.#socket(...given);
    this.world = {
      fetch: (url, init) => this.#fetch(url, init),
      WebSocket: function (url, protocols) {
        return open(url, protocols);
      },
    };
  }

  cut() {
    this.isCut = true;
    this.#requests.abort(new TypeError("the connection was lost"));
    this.#requests = new AbortController();
    for (const socket of this.#sockets) {
      socket.onclose?.({ code: 1006 });
      socket.close();
    }
  }

  mend() {
    this.isCut = false;
    dispatchEvent(new Event("online")); // what a browser says when the network is back
  }

  #fetch(url, init = {}) {
    if (this.isCut) return Promise.reject(new TypeError("there is no network"));
    const signals = [init.signal, this.#requests.signal].filter(Boolean);
    return fetch(url, { ...init, signal: AbortSignal.any(signals) });
  }

  #socket(url, protocols) {
    if (this.isCut) return failing();
    const socket = new WebSocket(url, protocols);
    this.#sockets.add(socket);
    socket.addEventListener("close", () => this.#sockets.delete(socket));
    return socket;
  }
}

/** A socket that is never opened. */
function failing() {
  const socket = { readyState: 3, onclose: null, send() {}, close() {} };
  queueMicrotask(() => setTimeout(() => socket.onclose?.({ code: 1006 })));
  return socket;
}
