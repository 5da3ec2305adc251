import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "./support/clock.js";
import { put, synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

const OPEN = [{ connects: {} }, { opens: {} }];

const stage = () => new Stage({ options: { transports: ["sse"] }, watch: { path: "stocks" } });

test("the retry of an event stream is waited for exactly", async () => {
  const played = stage();
  await played.play(OPEN);
  played.network.newest().writes("retry: 2345\n\n");
  await played.play([{ says: put("stocks/A", 1) }, { says: synced("stocks", "c1") }, { yields: {} }, { yields: {} }, { closes: {} }]);
  await played.play([{ passes: { ms: 2344 } }, { quiet: {} }, { passes: { ms: 1 } }, { connects: { cursor: "c1" } }]);
  played.client.close();
});

test("a letter may be cut in two", async () => {
  const played = stage();
  await played.play(OPEN);
  const bytes = new TextEncoder().encode(`data: ${JSON.stringify(put("stocks/A", 1, "naïve – 漢字"))}\n\n`);
  for (const byte of bytes) played.network.newest().controller.enqueue(Uint8Array.of(byte));
  await settled();
  assert.equal(played.watches[0].frames[0].data, "naïve – 漢字");
  played.client.close();
});
