// One watch, over an event stream or a WebSocket. An EventSource can't show a token in a header, so that the stream is
// read with fetch.

const JSON_PROTOCOL = "watch.v1.json";

export function openWatch(transport, label, token, on) {
  return transport === "websocket" ? overWebSocket(label, token, on) : overStream(label, token, on);
}

function overWebSocket(label, token, on) {
  const protocols = token ? [JSON_PROTOCOL, `bearer.${token}`] : [JSON_PROTOCOL];
  const address = new URL("/v1/watch/ws", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address, protocols);
  let closed = false;
  socket.addEventListener("open", () => {
    on.opened();
    socket.send(JSON.stringify({ op: "subscribe", watch: label, ref: 1 }));
  });
  socket.addEventListener("message", (event) => closed || on.frame(JSON.parse(event.data)));
  socket.addEventListener("close", (event) => closed || on.ended(`The connection was closed (${event.code}).`));
  return {
    close() {
      closed = true;
      socket.close();
    },
  };
}

function overStream(label, token, on) {
  const stopping = new AbortController();
  const headers = { Accept: "text/event-stream", ...(token && { Authorization: `Bearer ${token}` }) };
  const address = `/v1/watch/stream?resource=${encodeURIComponent(label)}`;
  read(address, { headers, signal: stopping.signal, cache: "no-store" }, on).then(
    () => on.ended("The server has ended the stream."),
    (error) => stopping.signal.aborted || on.ended(error.message),
  );
  return { close: () => stopping.abort() };
}

async function read(address, options, on) {
  const answer = await fetch(address, options);
  if (!answer.ok) {
    const problem = await answer.json();
    throw new Error(`${problem.code}: ${problem.detail}`);
  }
  on.opened();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop();
    for (const message of messages) {
      // Every frame is one line of data: see docs/protocol.md, section 3.
      const data = message.split("\n").find((line) => line.startsWith("data: "));
      if (data) on.frame(JSON.parse(data.slice("data: ".length)));
    }
  }
}
