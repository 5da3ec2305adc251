import assert from "node:assert/strict";
import { test } from "node:test";
import { put } from "./support/frames.js";
import { Stage } from "./support/stage.js";

const ANSWER = { frames: [put("stocks/A", 1)], cursor: "c1" };

const waits = (stage) => stage.network.connections.map(({ url }) => url.searchParams.get("wait"));

test("the first poll is answered at once, and says whether the cursor was taken", async () => {
  const stage = new Stage({ options: { transports: ["poll"] }, watch: { path: "stocks", cursor: "c0" } });
  await stage.play([{ connects: { cursor: "c0" } }, { state: "connecting" }, { answers: { frames: [], cursor: "c1" } }, { state: "live" }]);
  assert.deepEqual(waits(stage), ["0", "25"]);
  stage.client.close();
});

test("a poll waits for less time than silence may last", async () => {
  const stage = new Stage({ options: { transports: ["poll"], silenceMs: 3000 }, watch: { path: "stocks" } });
  await stage.play([{ connects: {} }, { answers: ANSWER }, { connects: { cursor: "c1" } }, { passes: { ms: 2900 } }, { answers: { frames: [], cursor: "c1" } }, { connects: {} }]);
  assert.deepEqual(waits(stage), ["0", "2", "2"]);
  stage.client.close();
});
