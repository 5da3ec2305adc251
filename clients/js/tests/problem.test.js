import assert from "node:assert/strict";
import { test } from "node:test";
import { WatchError } from "../src/index.js";
import { fromAnswer } from "../src/problem.js";
import { Token } from "../src/token.js";
import { synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

const NOW = Date.UTC(2026, 0, 1);
const waitOf = async (headers) => (await fromAnswer(new Response("", { status: 503, headers }), NOW)).retryMs;

test("Retry-After is seconds, or a date by the clock of who says it", async () => {
  assert.equal(await waitOf({ "Retry-After": "7" }), 7_000);
  assert.equal(await waitOf({ "Retry-After": "0" }), 0);
  assert.equal(await waitOf({ "Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT" }), 30_000);
  const hers = { Date: "Thu, 01 Jan 2026 01:00:00 GMT", "Retry-After": "Thu, 01 Jan 2026 01:00:05 GMT" };
  assert.equal(await waitOf(hers), 5_000);
});

test("a Retry-After that is past or can't be read says nothing: nobody comes back at once for it", async () => {
  for (const text of ["Wed, 31 Dec 2025 23:59:59 GMT", "soon", "", "-5"]) assert.equal(await waitOf({ "Retry-After": text }), undefined);
  assert.equal(await waitOf({}), undefined);
});

test("whatever broke a connection, the reason is an error of ours", async () => {
  const stage = new Stage({ options: { transports: ["sse"] }, watch: { path: "stocks" } });
  await stage.play([{ connects: {} }, { opens: {} }, { says: synced("stocks", "c1") }, { yields: {} }, { fails: {} }]);
  const { reason } = stage.client;
  assert.ok(reason instanceof WatchError);
  assert.equal(reason.code, "lost");
  assert.ok(reason.cause instanceof TypeError);
  stage.client.close();
});

test("what isn't of the protocol is one, too", async () => {
  const stage = new Stage({ options: { transports: ["poll"] }, watch: { path: "stocks" } });
  await stage.play([{ connects: {} }, { answers: { hello: "from a proxy" } }]);
  assert.equal(stage.client.reason.code, "lost");
  stage.client.close();
});

test("a token that can't be had is one, too, and no transport is to blame", async () => {
  const stage = new Stage({ options: { transports: ["ws", "sse"] } });
  const away = new Error("away");
  stage.client.token = new Token(() => Promise.reject(away), stage.clock.now);
  stage.watch("stocks");
  await stage.play([{ quiet: {} }, { passes: { ms: 10_000 } }]);
  assert.deepEqual([stage.client.reason.code, stage.client.reason.cause, stage.client.transport], ["no_token", away, "ws"]);
  stage.client.close();
});
