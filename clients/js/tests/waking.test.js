import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { put, synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

const LIVE = [{ connects: {} }, { opens: {} }, { says: put("stocks/A", 1) }, { says: synced("stocks", "c1") }, { yields: {} }, { yields: {} }];
let page;

beforeEach(() => {
  page = { window: new EventTarget(), document: Object.assign(new EventTarget(), { hidden: false }) };
  globalThis.document = page.document;
  globalThis.addEventListener = page.window.addEventListener.bind(page.window);
});

afterEach(() => {
  delete globalThis.document;
  delete globalThis.addEventListener;
});

const stage = (transports = ["ws"]) => new Stage({ options: { transports }, watch: { path: "stocks" } });
const online = () => page.window.dispatchEvent(new Event("online"));
const seen = () => page.document.dispatchEvent(new Event("visibilitychange"));

test("a network that is back isn't waited for", async () => {
  const { play, network, client } = bound(stage());
  await play([{ connects: {} }, { fails: {} }, { passes: { ms: 250 } }, { connects: {} }, { fails: {} }]);
  online();
  await play([{ connects: {} }, { quiet: {} }]);
  assert.equal(network.connections.length, 3);
  client.close();
});

test("a socket that may be half-open is replaced when the network is back, and kept until then", async () => {
  const { play, client } = bound(stage());
  await play(LIVE);
  online();
  await play([
    { connects: {} }, { state: "live" }, { says: { ...put("stocks/A", 2), n: 1 } }, { yields: { version: 2 } },
    { opens: {} }, { hears: { op: "subscribe", cursor: "c1" } }, { says: put("stocks/A", 2) }, { says: synced("stocks", "c2", true) },
    { closed: { n: 1 } }, { quiet: {} }, { state: "live" },
  ]);
  client.close();
});

test("a page that is seen again asks whether anybody is there, if it has heard nothing for long", async () => {
  const { play, client } = bound(stage());
  await play([...LIVE, { passes: { ms: 17_000 } }]);
  seen();
  await play([{ quiet: {} }, { passes: { ms: 2_000 } }]);
  page.document.hidden = true;
  seen();
  await play([{ quiet: {} }]);
  page.document.hidden = false;
  seen();
  await play([{ connects: {} }, { quiet: {} }, { state: "live" }]);
  client.close();
});

test("a page that is seen again doesn't wait", async () => {
  const { play, client } = bound(stage());
  await play([...LIVE, { fails: {} }]);
  seen();
  await play([{ connects: {} }]);
  client.close();
});

test("a machine that slept is no reason for another transport", async () => {
  const { play, clock, client } = bound(stage(["ws", "sse"]));
  await play(LIVE);
  await clock.sleep(3_600_000);
  await play([{ closed: { n: 1 } }, { passes: { ms: 250 } }, { connects: { transport: "ws" } }]);
  client.close();
});

function bound(made) {
  return { play: (steps) => made.play(steps), network: made.network, client: made.client, clock: made.clock };
}
