const FRAMES = new TextEncoder();

/** The server's side of one attempt, and of the connection that it became. */
export class Connection {
  n = 0;
  heard = [];
  isClosed = false;
  isSeen = false;
  isOpen = false;

  static ofSocket(url, protocols, socket) {
    const token = protocols.find((each) => each.startsWith("bearer."))?.slice("bearer.".length);
    return Object.assign(new Connection(), { transport: "ws", url, token, socket, ticket: url.searchParams.get("ticket") });
  }

  static ofFetch(url, { headers, signal }) {
    const connection = new Connection();
    const transport = url.pathname.endsWith("/poll") ? "poll" : "sse";
    const token = headers?.Authorization?.replace("Bearer ", "");
    const answered = new Promise((resolve, reject) => Object.assign(connection, { resolve, reject }));
    signal.addEventListener("abort", () => connection.#aborted());
    return Object.assign(connection, { transport, url, token, answered });
  }

  get cursor() {
    return this.url.searchParams.get("cursor");
  }

  get path() {
    return this.url.pathname.split("/").slice(2, -1).map(decodeURIComponent).join("/");
  }

  opens() {
    this.isOpen = true;
    if (this.transport === "ws") {
      this.socket.readyState = 1;
      this.socket.onopen?.({});
    } else {
      const body = new ReadableStream({ start: (controller) => (this.controller = controller) });
      this.resolve(new Response(body));
    }
  }

  /** A frame; on an event stream the `id` is beside it, and may come without one. */
  says({ id, ...frame }) {
    if (this.transport === "ws") this.socket.onmessage?.({ data: JSON.stringify(frame) });
    else this.writes(`${id || frame.cursor ? `id: ${id ?? frame.cursor}\n` : ""}${frame.event ? `event: ${frame.event}\ndata: ${JSON.stringify(frame)}\n` : ""}\n`);
  }

  writes(text) {
    this.controller.enqueue(FRAMES.encode(text));
  }

  /** The whole answer of a poll. */
  answers(body) {
    this.resolve(Response.json(body));
  }

  refuses(problem) {
    if (this.transport === "ws") this.ends(1006);
    else this.resolve(problemAnswer(problem));
  }

  fails() {
    if (this.transport === "ws") this.ends(1006);
    else if (this.isOpen) this.controller.error(new TypeError("network error"));
    else this.reject(new TypeError("fetch failed"));
  }

  ends(code) {
    if (this.transport !== "ws") return this.controller.close();
    this.socket.readyState = 3;
    return this.socket.onclose?.({ code });
  }

  #aborted() {
    this.isClosed = true;
    const error = new DOMException("aborted", "AbortError");
    this.reject(error);
    if (this.isOpen) this.controller.error(error);
  }
}

/** An HTTP answer that is a problem document. */
export function problemAnswer({ retry_after_s: after, ...problem }) {
  const headers = after === undefined ? {} : { "Retry-After": `${after}` };
  return new Response(JSON.stringify({ detail: problem.code, ...problem }), { status: problem.status, headers });
}
