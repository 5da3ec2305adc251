import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "./support/clock.js";
import { problemAnswer } from "./support/connection.js";
import { synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

const OPEN = [{ connects: {} }, { opens: {} }, { hears: { op: "subscribe" } }, { says: synced("stocks", "c1") }, { yields: {} }];
const WRITTEN = { resource: "stocks/A", version: "7", cursor: "k7" };
const HTTP = { resource: "stocks/A", version: "8", cursor: "k8" };

/** A client whose WebSocket is open; `asked` are the requests that it makes besides. */
async function live(options = {}) {
  const stage = new Stage({ options: { transports: ["ws"], ...options }, watch: { path: "stocks" } });
  stage.asked = [];
  stage.network.answer = (url, init) => {
    stage.asked.push([init.method ?? "GET", url.pathname, init.body]);
    return Response.json(HTTP);
  };
  await stage.play(OPEN);
  return stage;
}

/** What the client has sent over it last; `answers` it, or is refused. */
async function sent(stage, n = 1) {
  await settled();
  const operation = stage.network.connections[n - 1].heard.at(-1);
  return {
    operation,
    says: (frame) => stage.play([{ says: { n, ref: operation.ref, ...frame } }]),
  };
}

const problem = (code, more) => ({ event: "problem", code, message: `${code}!`, retry: false, ...more });

test("a write goes over the open WebSocket", async () => {
  const stage = await live();
  const putting = stage.client.put("stocks/A", { price: 1 });
  let { operation, says } = await sent(stage);
  assert.deepEqual({ ...operation, ref: 0 }, { op: "publish", resource: "stocks/A", data: { price: 1 }, ref: 0 });
  await says({ event: "ack", ...WRITTEN });
  assert.deepEqual(await putting, WRITTEN);
  const deleting = stage.client.delete("stocks/A");
  ({ operation, says } = await sent(stage));
  assert.deepEqual({ ...operation, ref: 0 }, { op: "publish", resource: "stocks/A", delete: true, ref: 0 });
  await says({ event: "ack", ...WRITTEN });
  assert.deepEqual(await deleting, WRITTEN);
  assert.deepEqual(stage.asked, []);
  assert.equal(stage.watches[0].watch.cursor, "c1"); // what was written is not told yet
  stage.client.close();
});

test("where there is no open WebSocket, and for what is long, or has a name that labels take for a prefix, it is a request", async () => {
  const stage = await live();
  assert.deepEqual(await stage.client.put("stocks/A", "x".repeat(20_000)), HTTP);
  assert.deepEqual(await stage.client.delete("stocks/A?prefix=B"), HTTP);
  await stage.play([{ fails: {} }]);
  assert.deepEqual(await stage.client.put("stocks/A", 1), HTTP);
  assert.deepEqual(stage.asked.map(([method, path]) => [method, path]), [
    ["PUT", "/v1/stocks/A"], ["DELETE", "/v1/stocks/A%3Fprefix%3DB"], ["PUT", "/v1/stocks/A"],
  ]);
  stage.client.close();
});

test("what is to outlive the page is a request at once, although a WebSocket is open", async () => {
  const stage = await live();
  const deleting = stage.client.delete("stocks/A", { keepalive: true });
  for (let turn = 0; turn < 4; turn += 1) await null; // no task may come before: the page is gone
  assert.deepEqual(stage.asked, [["DELETE", "/v1/stocks/A", undefined]]);
  assert.deepEqual(await deleting, HTTP);
  stage.client.close();
});

test("what is refused is an error with its code, and the watches don't notice", async () => {
  const stage = await live();
  for (const [code, more] of [["forbidden", {}], ["unavailable", { retry: true, outcome: "unknown" }], ["invalid", { errors: ["price: too low"] }]]) {
    const putting = stage.client.put("stocks/A", 1);
    const refused = assert.rejects(putting, { name: "WatchError", code, message: `${code}!`, ...more, retry: more.retry ?? false });
    await (await sent(stage)).says(problem(code, more));
    await refused;
  }
  await stage.play([{ state: "live" }, { quiet: {} }]);
  assert.deepEqual(stage.asked, []);
  stage.client.close();
});

test("a connection over which something invalid went is written over no more: its server counts mistakes", async () => {
  const stage = await live();
  const refused = assert.rejects(stage.client.put("stocks/A", -1), { code: "invalid" });
  await (await sent(stage)).says(problem("invalid"));
  await refused;
  assert.deepEqual(await stage.client.put("stocks/A", 1), HTTP);
  await stage.play([{ fails: {} }, { passes: { ms: 250 } }, { connects: {} }, { opens: {} }]);
  stage.client.put("stocks/A", 2).catch(() => {});
  assert.equal((await sent(stage, 2)).operation.data, 2);
  stage.client.close();
});

test("what certainly wasn't written is written over HTTP, as is all that comes within a minute", async () => {
  for (const refusal of [problem("unavailable", { outcome: "not_written" }), problem("rate_limited", { limit: "operations" }), problem("token_expired")]) {
    const stage = await live();
    const putting = stage.client.put("stocks/A", 1);
    await (await sent(stage)).says(refusal);
    assert.deepEqual(await putting, HTTP);
    await stage.client.put("stocks/A", 2);
    assert.deepEqual(stage.asked.map(([, , body]) => body), ["1", "2"]);
    await stage.play([{ passes: { ms: 30_000 } }, { says: synced("x", null) }, { passes: { ms: 30_000 } }]);
    stage.client.put("stocks/A", 3).catch(() => {});
    assert.equal((await sent(stage)).operation.data, 3);
    stage.client.close();
  }
});

test("what a lost connection leaves unanswered is unknown, and isn't done again", async () => {
  const stage = await live();
  const unknown = assert.rejects(stage.client.put("stocks/A", 1), { name: "WatchError", code: "lost", outcome: "unknown" });
  await sent(stage);
  await stage.play([{ fails: {} }]);
  await unknown;
  await stage.play([{ passes: { ms: 250 } }, { connects: {} }, { opens: {} }, { hears: { op: "subscribe" } }]);
  assert.deepEqual([stage.network.newest().heard, stage.asked], [[], []]);
  stage.client.close();
});

test("silence leaves it unknown, too", async () => {
  const stage = await live();
  const unknown = assert.rejects(stage.client.put("stocks/A", 1), { code: "lost", outcome: "unknown" });
  await sent(stage);
  await stage.play([{ passes: { ms: 45_000 } }, { closed: { n: 1 } }]);
  await unknown;
  stage.client.close();
});

test("a connection that is let go still answers, and only then is closed", async () => {
  const stage = await live();
  const putting = stage.client.put("stocks/A", 1);
  const { says } = await sent(stage);
  await stage.play([
    { says: { event: "goaway", cursor: "c2", reconnect_in_ms: 100 } }, { passes: { ms: 100 } }, { connects: {} }, { opens: {} },
    { hears: { op: "subscribe" } }, { says: synced("stocks", "c3", true) }, { state: "live" },
  ]);
  assert.equal(stage.network.connections[0].isClosed, false);
  const next = stage.client.put("stocks/A", 2);
  await (await sent(stage, 2)).says({ event: "ack", ...WRITTEN, version: "9" });
  assert.equal((await next).version, "9");
  await says({ event: "ack", ...WRITTEN });
  assert.deepEqual(await putting, WRITTEN);
  await stage.play([{ closed: { n: 1 } }, { state: "live" }, { quiet: {} }]);
  stage.client.close();
});

test("one that is let go and falls silent is closed, and no transport is to blame", async () => {
  const stage = await live({ transports: ["ws", "sse"] });
  const unknown = assert.rejects(stage.client.put("stocks/A", 1), { code: "lost", outcome: "unknown" });
  await sent(stage);
  stage.watches[0].watch.close();
  await stage.play([{ passes: { ms: 45_000 } }, { closed: { n: 1 } }]);
  await unknown;
  assert.equal(stage.client.transport, "ws");
  stage.client.close();
});

test("nothing is written over a connection whose server leaves", async () => {
  const stage = await live();
  await stage.play([{ says: { event: "goaway", cursor: "c2", reconnect_in_ms: 1_000 } }]);
  assert.deepEqual(await stage.client.put("stocks/A", 1), HTTP);
  stage.client.close();
});

test("a few writes wait on a connection, more are requests", async () => {
  const stage = await live();
  const writes = Array.from({ length: 20 }, (_, number) => stage.client.put("stocks/A", number));
  await settled();
  assert.equal(stage.network.newest().heard.length, 16);
  assert.equal(stage.asked.length, 4);
  for (const { ref } of stage.network.newest().heard) await stage.play([{ says: { event: "ack", ref, ...WRITTEN } }]);
  assert.deepEqual((await Promise.all(writes)).map(({ version }) => version).sort(), [...Array(16).fill("7"), ...Array(4).fill("8")]);
  stage.client.close();
});

test("who gives a write up is told that its outcome is unknown", async () => {
  const stage = await live();
  const abort = new AbortController();
  const unknown = assert.rejects(stage.client.put("stocks/A", 1, { signal: abort.signal }), { code: "lost", outcome: "unknown" });
  await sent(stage);
  abort.abort();
  await unknown;
  await stage.play([{ state: "live" }]);
  stage.client.close();
});

test("a request that got no answer of ours is unknown, one that was refused says what it says", async () => {
  const plain = new Stage({ options: { transports: ["sse"] } });
  plain.network.answer = () => Promise.reject(new TypeError("fetch failed"));
  await assert.rejects(plain.client.put("stocks/A", 1), { code: "lost", outcome: "unknown" });
  plain.network.answer = () => new Response("Bad Gateway", { status: 502 });
  await assert.rejects(plain.client.put("stocks/A", 1), { code: "lost", status: 502, outcome: "unknown" });
  plain.network.answer = () => problemAnswer({ status: 503, code: "unavailable", outcome: "not_written" });
  await assert.rejects(plain.client.put("stocks/A", 1), { code: "unavailable", outcome: "not_written" });
  plain.client.close();
});
