import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { put, synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

const FELL = [{ connects: { transport: "ws" } }, { fails: {} }, { passes: { ms: 250 } }, { connects: { transport: "ws" } }, { fails: {} }, { passes: { ms: 500 } }];
const LIVE = [...FELL, { connects: { transport: "sse" } }, { opens: {} }, { says: synced("stocks", "c1") }, { yields: {} }, { state: "live" }];
const HEARS = [{ passes: { ms: 29_500 } }, { says: { ...put("stocks/A", 1), n: 3 } }, { yields: {} }];
const TRIES = [...LIVE, ...HEARS, { passes: { ms: 30_000 } }, { connects: { transport: "ws" } }];
let page;

beforeEach(() => {
  page = new EventTarget();
  globalThis.addEventListener = page.addEventListener.bind(page);
});

afterEach(() => delete globalThis.addEventListener);

const stage = (options) => new Stage({ options: { transports: ["ws", "sse"], ...options }, watch: { path: "stocks" } });

test("a network that is another one makes the rest begin anew, and what works is kept until then", async () => {
  const played = stage();
  await played.play([...TRIES, { fails: {} }, { quiet: {} }]);
  page.dispatchEvent(new Event("online"));
  await played.play([
    { connects: { transport: "sse", cursor: "c1" } }, { opens: {} }, { says: synced("stocks", "c2", true) }, { closed: { n: 3 } },
    { passes: { ms: 30_000 } }, { says: put("stocks/A", 2) }, { yields: {} }, { passes: { ms: 29_999 } }, { quiet: {} },
    { passes: { ms: 1 } }, { connects: { transport: "ws" } }, { state: "live" },
  ]);
  played.client.close();
});

test("it says which transport it has, and tells when that is a better one", async () => {
  const played = stage();
  const { client } = played;
  const said = [];
  client.addEventListener("state", () => said.push(`${client.state} ${client.transport}`));
  assert.equal(client.transport, "ws");
  await played.play([...TRIES, { opens: {} }, { hears: {} }]);
  assert.equal(client.transport, "sse");
  said.length = 0;
  await played.play([{ says: synced("stocks", "c2", true) }]);
  assert.deepEqual(said, ["live ws"]);
  client.close();
});

test("a client that is closed tries nothing", async () => {
  const played = stage();
  await played.play(TRIES);
  played.client.close();
  await played.play([{ closed: { n: 4 } }, { passes: { ms: 7_200_000 } }, { quiet: {} }, { state: "closed" }]);
});

test("a watch that ends meanwhile, and one that is new, hold nothing up", async () => {
  const played = new Stage({ options: { transports: ["ws", "sse"] }, watches: [{ path: "a" }, { path: "b" }] });
  const opens = (path, n, of) => [{ connects: { transport: "sse", path } }, { opens: {} }, { says: { ...synced(path, `${path}1`), n } }, { yields: { of } }];
  await played.play([
    ...FELL, { connects: { path: "a" } }, { connects: { path: "b" } }, { opens: { n: 3 } }, { opens: { n: 4 } },
    { says: { ...synced("a", "a1"), n: 3 } }, { yields: {} }, { says: { ...synced("b", "b1"), n: 4 } }, { yields: { of: "w1" } },
    { passes: { ms: 29_500 } }, { says: { ...put("a/1", 1), n: 3 } }, { yields: {} }, { says: { ...put("b/1", 1), n: 4 } }, { yields: { of: "w1" } },
    { passes: { ms: 30_000 } }, { connects: { transport: "ws" } }, { opens: {} }, { hears: { watch: "a" } }, { hears: { watch: "b", cursor: "b1" } },
  ]);
  const { watch } = played.watch("c");
  await played.play(opens("c", 6, "w2"));
  played.watches[0].watch.close();
  await played.play([
    { closed: { n: 3 } }, { says: { ...synced("b", "b2", true), n: 5 } }, { closed: { n: 4 } }, { closed: { n: 6 } },
    { hears: { n: 5, op: "unsubscribe", watch: "a" } }, { hears: { n: 5, op: "subscribe", watch: "c", cursor: "c1" } },
    { says: { ...synced("c", "c2", true), n: 5 } }, { state: "live" }, { quiet: {} },
  ]);
  assert.equal(watch.cursor, "c2");
  played.client.close();
});

test("with tickets each watch goes back on a WebSocket of its own", async () => {
  const played = new Stage({ options: { transports: ["ws", "sse"], tickets: true, token: ["t"] }, watches: [{ path: "a" }, { path: "b" }] });
  let tickets = 0;
  played.network.answer = () => Response.json({ ticket: `k${++tickets}` });
  await played.play([
    { connects: { transport: "ws" } }, { connects: { transport: "ws" } }, { fails: { n: 1 } }, { fails: { n: 2 } }, { passes: { ms: 250 } },
    { connects: { transport: "sse", path: "a" } }, { connects: { transport: "sse", path: "b" } },
    { opens: { n: 3 } }, { says: { ...synced("a", "a1"), n: 3 } }, { yields: {} }, { opens: { n: 4 } }, { says: { ...synced("b", "b1"), n: 4 } }, { yields: { of: "w1" } },
    { passes: { ms: 29_750 } }, { says: { ...put("a/1", 1), n: 3 } }, { yields: {} }, { says: { ...put("b/1", 1), n: 4 } }, { yields: { of: "w1" } },
    { passes: { ms: 30_000 } }, { connects: { transport: "ws", ticket: "k3" } }, { quiet: {} }, { opens: {} }, { hears: { watch: "a" } },
    { says: synced("a", "a2", true) }, { closed: { n: 3 } }, { connects: { transport: "ws", ticket: "k4" } }, { opens: {} }, { hears: { watch: "b", cursor: "b1" } },
    { says: synced("b", "b2", true) }, { closed: { n: 4 } }, { state: "live" }, { quiet: {} },
  ]);
  played.client.close();
});
