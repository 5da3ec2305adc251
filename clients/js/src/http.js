import { addressOf } from "./address.js";
import { NEEDS_TOKEN, WatchError, fromFrame } from "./problem.js";

const MOST_CHARS = 16_384; // a long one would hold up the watches
const MOST_AT_ONCE = 16;
const REST_MS = 60_000;
const resting = new WeakMap(); // client → until when it writes over HTTP, since WebSockets don't
const spoilt = new WeakSet(); // lines over which something invalid went: the server closes those that persist
let count = 0;

export async function get(client, path, /** @type {any} */ { atLeast, ...init } = {}) {
  try {
    const answer = await request(client, path, init, { at_least: atLeast });
    return { data: await answer.json(), cursor: answer.headers.get("Watch-Cursor") };
  } catch (error) {
    if (error.code === "not_found") return null;
    throw error;
  }
}

/**
 * What a WebSocket has refused without doing it may be done over HTTP: nothing is ever written twice.
 * What is to outlive the page (`keepalive`) goes over HTTP.
 */
export async function write(client, path, /** @type {any} */ { signal, ...init } = {}, what) {
  const line = signal?.aborted || init.keepalive ? undefined : lineFor(client, path);
  const ref = `write ${++count}`;
  const operation = { op: "publish", resource: path, ...what, ref };
  if (line && JSON.stringify(operation).length <= MOST_CHARS) {
    const frame = await answerTo(line, operation, signal);
    if (frame.event === "ack") return { resource: path, version: frame.version, cursor: frame.cursor };
    const error = fromFrame(frame);
    if (error.code === "invalid") spoilt.add(line);
    if (!isForHttp(error)) throw error;
    resting.set(client, client.world.now() + REST_MS);
  }
  return overHttp(client, path, { ...init, signal }, what);
}

function lineFor(client, path) {
  if (client.tickets || !path.includes("/") || path.includes("?") || client.world.now() < resting.get(client)) return undefined;
  const lines = [...client.links].map(({ writer }) => writer);
  return lines.find((line) => line?.answers.size < MOST_AT_ONCE && !spoilt.has(line));
}

/** Without one nobody knows what became of it: to do it again is up to the application. */
async function answerTo(line, operation, signal) {
  let abort;
  const frame = await new Promise((resolve) => {
    line.answers.set(operation.ref, resolve);
    abort = () => resolve(null);
    signal?.addEventListener("abort", abort);
    line.send(operation);
  });
  signal?.removeEventListener("abort", abort);
  line.answers.delete(operation.ref);
  if (line.isOver) line.close();
  if (frame) return frame;
  throw new WatchError("lost", "the write was not answered", { outcome: "unknown", cause: signal?.reason });
}

function isForHttp(/** @type {any} */ { code, outcome, limit }) {
  return outcome === "not_written" || limit === "operations" || NEEDS_TOKEN.has(code);
}

async function overHttp(client, path, init, { data, delete: isDelete }) {
  const how = isDelete
    ? { method: "DELETE" }
    : { method: "PUT", body: JSON.stringify(data), headers: { "Content-Type": "application/json" } };
  try {
    return await (await request(client, path, { ...init, ...how })).json();
  } catch (error) {
    if (error instanceof WatchError && error.code !== "lost") throw error;
    throw new WatchError("lost", error.message, { outcome: "unknown", cause: error, ...error });
  }
}

/** A token that is refused is asked for once more. */
async function request(client, path, init, parameters) {
  const url = addressOf(client.url, path, "", parameters);
  return client.ask(url, init).catch((error) => {
    if (!NEEDS_TOKEN.has(error.code) || !client.token.canAsk) throw error;
    client.token.forget();
    return client.ask(url, init);
  });
}
