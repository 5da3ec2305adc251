import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "./support/clock.js";
import { bookmark, del, put, reset, synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

/** A live watch of `stocks` whose application takes nothing until the test does. */
async function lazy(options = {}) {
  const stage = new Stage({ options: { transports: ["ws"] } });
  const watch = stage.client.watch("stocks", options);
  await stage.play([{ connects: { transport: "ws" } }, { opens: {} }]);
  const server = stage.network.newest();
  return { stage, watch, server, says: (...frames) => frames.forEach((frame) => server.says(frame)) };
}

async function take(watch, count) {
  const taken = [];
  for (let n = 0; n < count; n += 1) taken.push((await watch.next()).value);
  return taken.map(({ event, resource, version }) => [event, resource, version].filter(Boolean).join(" "));
}

test("in state mode the newest value waits for an application that is slow, and what is left out is counted", async () => {
  const { watch, says } = await lazy();
  says(put("stocks/A", 1), put("stocks/B", 2), put("stocks/A", 3), synced("stocks", "c1"), del("stocks/B", 4), put("stocks/A", 5));
  assert.deepEqual(await take(watch, 3), ["put stocks/A 5", "delete stocks/B 4", "synced"]);
  assert.equal(watch.skipped, 3);
});

test("a reset makes what waits superfluous", async () => {
  const { watch, says } = await lazy();
  says(put("stocks/A", 8), synced("stocks", "c1"), reset("stocks"), put("stocks/A", 1), synced("stocks", "c2"));
  assert.deepEqual(await take(watch, 3), ["reset", "put stocks/A 1", "synced"]);
});

test("the cursor covers what was taken, and nothing else", async () => {
  const { watch, says } = await lazy();
  says(put("stocks/A", 1), synced("stocks", "c1"));
  assert.equal(watch.cursor, undefined);
  await take(watch, 2);
  says(put("stocks/A", 2), bookmark("c2"), put("stocks/B", 3), bookmark("c3"));
  await take(watch, 1);
  assert.equal(watch.cursor, "c1");
  await take(watch, 1);
  assert.equal(watch.cursor, "c1");
  const next = watch.next();
  assert.equal(watch.cursor, "c3");
  says(bookmark("c4"));
  await settled();
  assert.equal(watch.cursor, "c4");
  watch.close();
  await next;
});

test("bookmarks say how fresh it is, and what the server left out", async () => {
  const { watch, says } = await lazy();
  says(synced("stocks", "c1"), bookmark("c2", 3), bookmark("c3", 4));
  assert.equal(watch.skipped, 7);
  assert.equal(watch.freshness.toISOString(), "2026-01-01T00:00:15.000Z");
});

test("in log mode nothing is left out", async () => {
  const { watch, says } = await lazy({ mode: "log" });
  says(put("stocks/A", 1), put("stocks/A", 2), synced("stocks", "c1"), put("stocks/A", 3));
  assert.deepEqual(await take(watch, 4), ["put stocks/A 1", "put stocks/A 2", "synced", "put stocks/A 3"]);
});

test("a log that nobody takes is left to the server, and goes on from where it was", async () => {
  const { stage, watch, server, says } = await lazy({ mode: "log" });
  says(synced("stocks", "c1"));
  for (let version = 1; version <= 20_000 && !server.isClosed; version += 1) says(put("stocks/A", version));
  assert.ok(server.isClosed, "everything was kept");
  const before = await take(watch, 9_999);
  assert.equal(before.at(-1), "put stocks/A 9998");
  const next = take(watch, 1);
  await stage.play([{ connects: { transport: "ws" } }, { opens: {} }, { hears: { op: "subscribe", mode: "log", cursor: "c1" } }]);
  for (let version = 1; version <= 10_001; version += 1) stage.network.newest().says(put("stocks/A", version));
  assert.deepEqual(await next, ["put stocks/A 9999"]);
});

test("callbacks get every frame, and the cursor at once", async () => {
  const frames = [];
  const { watch, says } = await lazy({ onFrame: (frame) => frames.push(frame.event), onEnd: (error) => frames.push(error) });
  says(put("stocks/A", 1), synced("stocks", "c1"), put("stocks/A", 2));
  assert.deepEqual(frames, ["put", "synced", "put"]);
  assert.equal(watch.cursor, "c1");
  watch.close();
  assert.equal(frames.at(-1), null);
});

test("a callback that throws costs nobody else a frame", async () => {
  const { stage, says } = await lazy({
    onFrame() {
      throw new Error("of the application");
    },
  });
  const thrown = [];
  const ofTheRunner = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").once("uncaughtException", (error) => thrown.push(error.message));
  const other = stage.watch("stocks/A");
  says(put("stocks/A", 1));
  await settled();
  for (const listener of ofTheRunner) process.on("uncaughtException", listener);
  assert.deepEqual(thrown, ["of the application"]);
  assert.equal(other.frames.length, 1);
});

test("leaving the loop ends the watch, and the last one its connection", async () => {
  const { stage, watch, server, says } = await lazy();
  says(put("stocks/A", 1), put("stocks/B", 2));
  for await (const frame of watch) {
    assert.equal(frame.resource, "stocks/A");
    break;
  }
  assert.ok(server.isClosed);
  assert.deepEqual(await watch.next(), { value: undefined, done: true });
  assert.equal(stage.client.state, "connecting");
});

test("a signal ends it, also one that was given before", async () => {
  const abort = new AbortController();
  const { stage, watch, server } = await lazy({ signal: abort.signal });
  const next = watch.next();
  abort.abort();
  assert.deepEqual(await next, { value: undefined, done: true });
  assert.ok(server.isClosed);
  assert.deepEqual(await stage.client.watch("stocks", { signal: abort.signal }).next(), { value: undefined, done: true });
  await stage.play([{ quiet: {} }]);
});

test("one of two that ends is unsubscribed, and the other stays", async () => {
  const { stage, watch, server } = await lazy();
  stage.watch("chats/1");
  await stage.play([{ hears: { op: "subscribe", watch: "stocks" } }, { hears: { op: "subscribe", watch: "chats/1" } }]);
  watch.close();
  await stage.play([{ hears: { op: "unsubscribe", watch: "stocks" } }]);
  assert.ok(!server.isClosed);
});
