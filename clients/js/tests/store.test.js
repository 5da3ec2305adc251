import assert from "node:assert/strict";
import { test } from "node:test";
import { bookmark, del, put, reset, synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

async function live(...frames) {
  const stage = new Stage({ options: { transports: ["ws"] } });
  const store = stage.client.store("stocks");
  let calls = 0;
  store.subscribe(() => (calls += 1));
  await stage.play([{ connects: {} }, { opens: {} }]);
  const says = async (...told) => {
    for (const frame of told) stage.network.newest().says(frame);
    await stage.clock.pass(0);
  };
  await says(put("stocks/A", 1), put("stocks/B", 2), synced("stocks", "c1"), ...frames);
  return { stage, store, says, calls: () => calls };
}

const versions = (store) => Object.fromEntries([...store.getSnapshot()].map(([name, { version }]) => [name, version]));

test("it is ready when the snapshot is complete, and live then", async () => {
  const { store, says } = await live();
  await store.ready;
  assert.deepEqual(versions(store), { "stocks/A": "1", "stocks/B": "2" });
  await says(put("stocks/A", 3), del("stocks/B", 4));
  assert.deepEqual(versions(store), { "stocks/A": "3" });
});

test("a snapshot is the same until something changes, and is never changed itself", async () => {
  const { store, says } = await live();
  const before = store.getSnapshot();
  assert.equal(store.getSnapshot(), before);
  await says(bookmark("c2"), put("stocks/A", 1));
  assert.equal(store.getSnapshot(), before);
  await says(put("stocks/A", 3));
  assert.notEqual(store.getSnapshot(), before);
  assert.equal(before.get("stocks/A").version, "1");
});

test("many changes make one call", async () => {
  const { says, calls } = await live();
  assert.equal(calls(), 1);
  await says(...Array.from({ length: 100 }, (_, n) => put("stocks/A", 10 + n)));
  assert.equal(calls(), 2);
});

test("after a reset the old state is shown until the new one is complete", async () => {
  const { store, says, calls } = await live(reset("stocks"), put("stocks/B", 1));
  const before = calls();
  assert.deepEqual(versions(store), { "stocks/A": "1", "stocks/B": "2" });
  await says(synced("stocks", "c2"));
  assert.deepEqual(versions(store), { "stocks/B": "1" });
  assert.equal(calls(), before + 1);
});

test("whoever has left isn't called", async () => {
  const { store, says } = await live();
  let calls = 0;
  const leave = store.subscribe(() => (calls += 1));
  leave();
  await says(put("stocks/A", 3));
  assert.equal(calls, 0);
});

test("freshness and what was left out are those of its watch", async () => {
  const { store } = await live(bookmark("c2", 5));
  assert.equal(store.skipped, 5);
  assert.equal(store.freshness.toISOString(), "2026-01-01T00:00:15.000Z");
  assert.equal(store.cursor, "c2");
});

test("a refusal is its error, and ready fails with it", async () => {
  const { stage } = await live();
  const store = stage.client.store("secrets");
  let calls = 0;
  store.subscribe(() => (calls += 1));
  const problem = { event: "problem", code: "forbidden", message: "not for you", retry: false, watch: "secrets" };
  stage.network.newest().says(problem);
  await stage.clock.pass(0);
  assert.equal(calls, 1);
  assert.equal(store.error.code, "forbidden");
  await assert.rejects(store.ready, { code: "forbidden" });
  assert.equal(stage.client.state, "live");
});

test("a store that is closed lets go of its connection", async () => {
  const { stage, store } = await live();
  store.close();
  await stage.play([{ closed: {} }]);
});
