// The three roads to a watch. Each function opens one connection and returns the function that closes it.
//
// They report to `on`:
//   opened()               the server has accepted the watch
//   frame(frame, cursor)   one frame, and the cursor that came with it, if any
//   progress(cursor)       everything up to `cursor` has been reported (long poll)
//   retrying(reason)       the browser reconnects by itself (Server-Sent Events)
//   ended(end)             it is over: { reason, retry, delay_ms? }; nothing follows

const FRAME_EVENTS = ["put", "delete", "synced", "bookmark", "reset", "goaway", "problem"];
const SUBPROTOCOL = "watch.v1.json";
const POLL_WAIT_S = 25;
// Asking again would be answered in the same way: too large, invalid, unauthenticated, forbidden, not found.
const FINAL_CLOSE_CODES = new Set([1009, 4400, 4401, 4403, 4404]);
const FINAL_STATUSES = new Set([400, 401, 403, 404, 405, 406, 413, 415, 422]);

const LOST = "the connection was lost";

export function openEventStream({ collection, cursor }, on) {
  const source = new EventSource(path(collection, "stream", { cursor }));
  source.onopen = () => on.opened();
  for (const name of FRAME_EVENTS) {
    source.addEventListener(name, (event) => on.frame(JSON.parse(event.data), event.lastEventId || null));
  }
  source.onerror = () => {
    // The browser reconnects with Last-Event-ID after a lost connection, but gives up for good on any HTTP error, a
    // passing 503 included, and doesn't tell which one it was.
    if (source.readyState === EventSource.CLOSED) on.ended({ reason: "the server refused the stream", retry: true });
    else on.retrying(LOST);
  };
  return () => source.close();
}

export function openWebSocket({ collection, cursor }, on) {
  const url = new URL(path(collection, "ws", { cursor }), location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, [SUBPROTOCOL]);
  socket.onopen = () => on.opened();
  socket.onmessage = (message) => {
    const frame = JSON.parse(message.data);
    on.frame(frame, frame.cursor ?? null);
  };
  socket.onclose = ({ code }) => {
    const reason = code === 1006 ? LOST : `the server closed the connection (${code})`;
    on.ended({ reason, retry: !FINAL_CLOSE_CODES.has(code) });
  };
  return () => socket.close();
}

export function openLongPoll({ collection, cursor }, on) {
  const abort = new AbortController();
  pollOnAndOn(collection, cursor, on, abort.signal).catch((error) => {
    if (abort.signal.aborted) return;
    // A network failure is a TypeError of fetch, an answer that was cut off a SyntaxError of JSON.
    console.debug("long poll failed", error);
    on.ended({ reason: LOST, retry: true });
  });
  return () => abort.abort();
}

async function pollOnAndOn(collection, cursor, on, signal) {
  let wait = 0; // The first answer comes at once, so that it is known whether the server takes the cursor.
  for (;;) {
    const url = path(collection, "poll", { cursor, wait });
    const response = await fetch(url, { signal, cache: "no-store" });
    if (!response.ok) return on.ended(await refusal(response));
    const answer = await response.json();
    if (signal.aborted) return undefined;
    if (wait === 0) on.opened();
    for (const frame of answer.frames) on.frame(frame, null);
    on.progress(answer.cursor);
    cursor = answer.cursor;
    wait = POLL_WAIT_S;
  }
}

/** What a refusal (RFC 9457 problem document) means for us. */
async function refusal(response) {
  const problem = await response.json().catch(() => ({})); // a proxy in between may answer with something else
  const after_s = Number(response.headers.get("Retry-After"));
  return {
    reason: problem.detail ?? problem.title ?? `the server answered ${response.status}`,
    retry: !FINAL_STATUSES.has(response.status),
    // Every client was told the same number: spread them.
    delay_ms: after_s > 0 ? after_s * 1000 * (1 + Math.random() / 2) : undefined,
  };
}

function path(collection, transport, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  const query = new URLSearchParams(given).toString();
  return `/v1/${encodeURIComponent(collection)}/${transport}${query && `?${query}`}`;
}
