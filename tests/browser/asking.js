// What a script of a page sees of a server of another origin. Each way of asking ends with one object: `seen` is what
// came, `refused` what the browser said instead. Nothing here waits for longer than `patience`.
const patience = 10_000;

const soon = (promise) =>
  Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error("no answer in time")), patience))]);

const caught = (promise) => soon(promise).catch((error) => ({ refused: error.name }));

async function answered(url, options) {
  const answer = await fetch(url, options);
  const cursor = answer.headers.get("Watch-Cursor");
  return { status: answer.status, seen: await answer.json(), cursor: cursor !== null };
}

async function streamed(url, options) {
  const answer = await fetch(url, { ...options, headers: { ...options.headers, Accept: "text/event-stream" } });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("secret")) {
    const { value, done } = await reader.read();
    if (done) return { status: answer.status, seen: text };
    text += value;
  }
  await reader.cancel();
  return { status: answer.status, seen: "secret" };
}

const sourced = (url, withCredentials) =>
  new Promise((done) => {
    const source = new EventSource(url, { withCredentials });
    const end = (result) => (source.close(), done(result));
    source.addEventListener("put", (event) => event.data.includes("secret") && end({ seen: "secret" }));
    source.onerror = () => end({ refused: source.readyState === EventSource.CLOSED ? "closed" : "tries again" });
  });

const opened = (url, protocols) =>
  new Promise((done) => {
    const socket = new WebSocket(url, protocols);
    const end = (result) => (socket.close(), done(result));
    socket.onmessage = (event) => event.data.includes("secret") && end({ seen: "secret", protocol: socket.protocol });
    socket.onclose = (event) => end({ refused: event.code });
  });

window.ask = {
  fetch: (url, options) => caught(answered(url, options)),
  stream: (url, options) => caught(streamed(url, options)),
  source: (url, withCredentials) => caught(sourced(url, withCredentials)),
  socket: (url, protocols) => caught(opened(url, protocols)),
};
