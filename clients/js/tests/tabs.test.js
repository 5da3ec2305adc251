import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { SharedClient } from "../src/tabs.js";
import { Origin } from "./support/browser.js";
import { bookmark, del, put, reset, synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

const OwnChannel = globalThis.BroadcastChannel;
let origin;

beforeEach(() => {
  origin = new Origin();
  globalThis.BroadcastChannel = origin.channel();
});

afterEach(() => {
  globalThis.BroadcastChannel = OwnChannel;
});

/** So many tabs, with one network and one clock; the first that was opened serves. */
async function tabs(count, options = {}) {
  const first = new Stage({ options: { transports: ["ws"] } });
  first.client.close();
  const all = [];
  for (let n = 0; n < count; n += 1) {
    const stage = n === 0 ? first : Object.assign(new Stage({}), { clock: first.clock, network: first.network });
    const { now, setTimeout, clearTimeout } = first.clock;
    const world = { now, setTimeout, clearTimeout, random: () => 0.5, locks: origin.locks, ...first.network.world };
    stage.client = new SharedClient("http://server.test", { transports: ["ws"], world, ...options });
    all.push(stage);
    await stage.play([]);
  }
  return all;
}

const of = (stage, n = 0) => stage.watches[n].frames.map(({ event, resource, version }) => [event, resource, version].filter(Boolean).join(" "));

test("tabs share one connection, and one watch of the same", async () => {
  const [one, two] = await tabs(2);
  one.watch("stocks");
  two.watch("stocks");
  await one.play([{ connects: {} }, { quiet: {} }, { opens: {} }, { hears: { op: "subscribe", watch: "stocks" } }, { says: put("stocks/A", 1) }, { says: synced("stocks", "c1") }]);
  assert.deepEqual(of(one), ["put stocks/A 1", "synced"]);
  assert.deepEqual(of(two), of(one));
  assert.deepEqual([one.client.state, two.client.state], ["live", "live"]);
  assert.equal(one.network.newest().heard.length, 0);
});

test("a later tab gets the state, and what follows", async () => {
  const [one, two] = await tabs(2);
  one.watch("stocks");
  await one.play([{ connects: {} }, { opens: {} }, { says: put("stocks/A", 1) }, { says: put("stocks/B", 2) }, { says: synced("stocks", "c1") }, { says: put("stocks/A", 3) }, { says: del("stocks/B", 4) }, { says: bookmark("c2") }]);
  two.watch("stocks");
  await one.play([{ says: put("stocks/A", 5) }]);
  assert.deepEqual(of(two), ["put stocks/A 3", "synced", "put stocks/A 5"]);
  assert.equal(one.network.connections.length, 1);
});

test("when the tab that serves is closed the next one does, and nobody misses or gets anything twice", async () => {
  const [one, two, three] = await tabs(3);
  for (const tab of [one, two, three]) tab.watch("stocks");
  await one.play([{ connects: {} }, { opens: {} }, { says: put("stocks/A", 1) }, { says: put("stocks/B", 2) }, { says: synced("stocks", "c1") }]);
  one.client.close();
  await one.play([{ closed: { n: 1 } }, { passes: { ms: 0 } }, { connects: {} }, { opens: {} }, { hears: { op: "subscribe" } }]);
  assert.equal(two.client.state, "catching_up");
  await one.play([{ says: put("stocks/A", 3) }, { says: synced("stocks", "c2") }, { says: put("stocks/C", 4) }]);
  for (const tab of [two, three]) {
    assert.deepEqual(of(tab), ["put stocks/A 1", "put stocks/B 2", "synced", "put stocks/A 3", "delete stocks/B 2", "put stocks/C 4"]);
    assert.equal(tab.client.state, "live");
  }
  assert.equal(one.network.connections.length, 2);
});

test("a reset is everybody's", async () => {
  const [one, two, three] = await tabs(3);
  for (const tab of [one, two]) tab.watch("stocks");
  await one.play([{ connects: {} }, { opens: {} }, { says: put("stocks/A", 9) }, { says: put("stocks/B", 8) }, { says: synced("stocks", "c1") }, { says: reset("stocks") }, { says: put("stocks/A", 1) }, { says: synced("stocks", "c2") }]);
  assert.deepEqual(of(two), ["put stocks/A 9", "put stocks/B 8", "synced", "reset", "put stocks/A 1", "synced"]);
  three.watch("stocks");
  await one.play([{ passes: { ms: 0 } }]);
  assert.deepEqual(of(three), ["put stocks/A 1", "synced"]);
});

test("a log, or a watch from a cursor, is a tab's own", async () => {
  const [one, two] = await tabs(2);
  one.watch("stocks");
  two.watch("stocks", { mode: "log", cursor: "c0" });
  await one.play([{ connects: {} }, { connects: {} }, { opens: { n: 1 } }, { opens: { n: 2 } }, { hears: { n: 2, op: "subscribe", mode: "log", cursor: "c0" } }]);
  await one.play([{ says: { ...put("stocks/A", 7), n: 2 } }, { says: { ...synced("stocks", "c7", true), n: 2 } }]);
  assert.deepEqual(of(two), ["put stocks/A 7", "synced"]);
  assert.deepEqual(of(one), []);
});

test("tabs are offline when the one that serves them is, and live with it", async () => {
  const [one, two] = await tabs(2);
  for (const tab of [one, two]) tab.watch("stocks");
  await one.play([{ connects: {} }, { opens: {} }, { says: put("stocks/A", 1) }, { says: synced("stocks", "c1") }, { fails: {} }]);
  assert.equal(two.client.state, "offline");
  await one.play([{ passes: { ms: 250 } }, { connects: {} }, { opens: {} }, { hears: { cursor: "c1" } }]);
  assert.equal(two.client.state, "catching_up");
  await one.play([{ says: synced("stocks", "c2", true) }]);
  assert.equal(two.client.state, "live");
  assert.deepEqual(of(two), ["put stocks/A 1", "synced"]);
});

test("a refusal is told to the tab that asked", async () => {
  const [one, two] = await tabs(2);
  one.watch("stocks");
  two.watch("secrets");
  await one.play([{ connects: {} }, { opens: {} }, { hears: { watch: "stocks" } }, { hears: { watch: "secrets" } },
    { says: { event: "problem", code: "forbidden", message: "no", retry: false, watch: "secrets" } }, { says: synced("stocks", "c1") }]);
  assert.equal(two.watches[0].end, "forbidden");
  assert.equal(one.client.state, "live");
});

test("a tab that is gone leaves nothing behind", async () => {
  const [one, two] = await tabs(2);
  one.watch("stocks");
  two.watch("chats");
  await one.play([{ connects: {} }, { opens: {} }, { hears: { watch: "stocks" } }, { hears: { watch: "chats" } }]);
  two.client.close();
  await one.play([{ passes: { ms: 9_999 } }]);
  assert.equal(one.network.newest().heard.length, 0);
  await one.play([{ passes: { ms: 1 } }, { hears: { op: "unsubscribe", watch: "chats" } }]);
});

test("a tab that crashed leaves nothing behind either", async () => {
  const [one, two] = await tabs(2);
  one.watch("stocks");
  await one.play([{ connects: {} }, { opens: {} }, { hears: { watch: "stocks" } }]);
  two.watch("chats");
  await one.play([{ hears: { watch: "chats" } }]);
  origin.crash();
  await one.play([{ passes: { ms: 10_000 } }, { hears: { op: "unsubscribe", watch: "chats" } }]);
});

test("without locks it is a client like any other", async () => {
  const stage = new Stage({ options: {} });
  const client = new SharedClient("http://server.test", { transports: ["ws"], world: { ...stage.network.world, locks: null } });
  client.watch("stocks");
  await stage.play([{ connects: { transport: "ws" } }]);
  client.close();
});
