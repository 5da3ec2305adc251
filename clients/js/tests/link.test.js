import assert from "node:assert/strict";
import { test } from "node:test";
import { bookmark, put, synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

const stage = (options, ...paths) => new Stage({ options: { transports: ["ws"], ...options }, watches: paths.map((path) => ({ path })) });
const OPEN = [{ connects: {} }, { opens: {} }];
const LIVE = [...OPEN, { hears: {} }, { says: synced("stocks", "c1") }, { yields: { event: "synced" } }];
const AGAIN = [{ passes: { ms: 250 } }, ...OPEN];

test("a watch that isn't synced has no use for a cursor of the connection", async () => {
  const played = stage({}, "stocks", "chats");
  await played.play([...OPEN, { says: synced("stocks", null) }, { says: bookmark("c1") }, { fails: {} }, ...AGAIN]);
  assert.deepEqual(played.network.newest().heard.map(({ watch, cursor }) => [watch, cursor]), [["stocks", "c1"], ["chats", undefined]]);
  played.client.close();
});

test("a synced is of the watch whose ref it has, whatever the server calls it", async () => {
  const played = stage({}, "stocks");
  await played.play([...OPEN, { hears: { op: "subscribe" } }, { says: { ...synced("the stocks", "c1"), ref: "$ref" } }, { state: "live" }]);
  played.client.close();
});

test("the bookmark before a goaway comes early, and says nothing of the next ones", async () => {
  const played = stage({ transports: ["ws", "sse"] }, "stocks");
  await played.play([
    ...LIVE, { says: bookmark("c2") }, { passes: { ms: 10_000 } }, { says: bookmark("c3") },
    { passes: { ms: 1_500 } }, { says: bookmark("c4") }, { says: { event: "goaway", cursor: "c4", reconnect_in_ms: 100 } },
    { closes: { code: 1012 } }, { passes: { ms: 100 } }, ...OPEN, { says: synced("stocks", "c5", true) },
    { passes: { ms: 29_999 } }, { quiet: {} }, { passes: { ms: 1 } }, { closed: { n: 2 } },
  ]);
  played.client.close();
});

test("silence is never expected within three seconds", async () => {
  const played = stage({}, "stocks");
  await played.play([...LIVE, { says: bookmark("c2") }, { passes: { ms: 10 } }, { says: bookmark("c3") }, { passes: { ms: 2_999 } }, { quiet: {} }, { state: "live" }, { passes: { ms: 1 } }, { state: "offline" }]);
  played.client.close();
});

test("a problem says why a connection ends, whatever it is closed with", async () => {
  const played = stage({}, "stocks");
  await played.play([...LIVE, { says: { event: "problem", code: "slow", message: "too slow", retry: true, cursor: "c7" } }, { closes: { code: 1000 } }]);
  assert.equal(played.client.reason.code, "slow");
  await played.play([...AGAIN, { hears: { cursor: "c7" } }]);
  played.client.close();
});

test("what is expired goes on from the cursor that is given, and the application is told", async () => {
  const played = stage({}, "stocks");
  await played.play([...LIVE, { fails: {} }, ...AGAIN, { hears: { cursor: "c1" } },
    { says: { event: "problem", code: "expired", message: "too old", retry: true, watch: "stocks", cursor: "c6" } },
    { yields: { event: "reset", reason: "expired" } }, { hears: { op: "subscribe", cursor: "c6" } }, { says: synced("stocks", "c7", true) }, { yields: { event: "synced" } }]);
  played.client.close();
});

test("a token that was refused and renewed may be refused again, much later", async () => {
  const played = stage({ token: ["t1", "t2", "t3"] }, "stocks");
  const refused = { refuses: { status: 401, code: "token_expired" } };
  await played.play([
    { connects: { token: "t1" } }, refused, { passes: { ms: 0 } }, { connects: { token: "t2" } }, { opens: {} }, { hears: {} }, { says: synced("stocks", "c1") }, { yields: {} },
    { passes: { ms: 1_001 } }, { closes: { code: 4401 } }, { passes: { ms: 0 } }, { connects: { token: "t3" } }, { quiet: {} },
    // A server that takes every token and then refuses it is not asked without a pause.
    { opens: {} }, { says: synced("stocks", "c2", true) }, { closes: { code: 4401 } }, { passes: { ms: 249 } }, { quiet: {} }, { passes: { ms: 1 } }, { connects: {} },
  ]);
  played.client.close();
});

test("a watch never joins an event stream, which is of another one", async () => {
  const played = stage({ transports: ["sse", "ws"] }, "stocks");
  await played.play([...OPEN, { says: synced("stocks", "c1") }, { yields: {} }]);
  played.watch("chats/1");
  for (const ms of [250, 500]) await played.play([{ connects: { path: "chats/1" } }, { fails: {} }, { passes: { ms } }]);
  played.watch("chats/2");
  await played.play([{ connects: { transport: "ws" } }, { quiet: {} }, { opens: {} }]);
  assert.deepEqual(played.network.newest().heard.map(({ watch }) => watch), ["chats/1", "chats/2"]);
  played.client.close();
});

test("a watch that is added while a connection is being replaced is on both", async () => {
  const played = stage({}, "stocks");
  await played.play([...LIVE, { says: { event: "goaway", cursor: "c1", reconnect_in_ms: 100 } }, { passes: { ms: 100 } }, { connects: {} }]);
  played.watch("chats");
  await played.play([{ hears: { n: 1, watch: "chats" } }, { opens: {} }, { hears: { watch: "stocks" } }, { hears: { watch: "chats" } }, { says: put("chats/1", 1) }, { yields: { of: "w1" } }]);
  played.client.close();
});

test("a server that says goodbye twice is left once", async () => {
  const played = stage({}, "stocks");
  const goaway = (ms) => ({ says: { n: 1, event: "goaway", cursor: "c1", reconnect_in_ms: ms } });
  await played.play([...LIVE, goaway(100), goaway(50), { passes: { ms: 99 } }, { quiet: {} }, { passes: { ms: 1 } }, { connects: {} }, goaway(50), { passes: { ms: 60 } }, { quiet: {} }]);
  played.client.close();
});

test("between two servers of a rolling restart it is catching up, and not offline", async () => {
  const played = stage({}, "stocks");
  await played.play([...LIVE, { says: { event: "goaway", cursor: "c1", reconnect_in_ms: 100 } }, { closes: { code: 1012 } }, { state: "catching_up" }]);
  played.client.close();
});

test("a token is renewed in place, by another one", async () => {
  const played = stage({ token: ["t1", "t2"] }, "stocks");
  await played.play([{ connects: { token: "t1" } }, { opens: {} }, { hears: {} }, { says: synced("stocks", "c1") }, { yields: {} },
    { says: { event: "auth", expires_in_ms: 60_000 } }, { hears: { op: "auth", token: "t2" } }, { says: { event: "ack", ref: "auth" } }, { quiet: {} }, { state: "live" }]);
  played.client.close();
});

test("a handshake that is refused for one of two watches ends that one", async () => {
  const played = stage({}, "secrets", "stocks");
  await played.play([{ connects: {} }, { refuses: { status: 403, code: "forbidden" } }, { ends: { of: "w0", code: "forbidden" } }, ...AGAIN, { hears: { watch: "stocks" } }]);
  assert.equal(played.watches[1].end, undefined);
  played.client.close();
});

test("watches that come back to a WebSocket share it again", async () => {
  const played = stage({ transports: ["sse", "ws"] }, "stocks", "chats");
  await played.play([{ connects: {} }, { connects: {} }, { fails: { n: 1 } }, { fails: { n: 2 } }, { passes: { ms: 250 } }, { connects: { transport: "ws" } }, { quiet: {} }, { opens: {} }]);
  assert.equal(played.network.newest().heard.length, 2);
  played.client.close();
});

test("a client that is closed while it waits for a token opens nothing", async () => {
  let give;
  const late = new Stage({ options: { transports: ["ws"] } });
  late.client.token.get = () => new Promise((resolve) => (give = resolve));
  late.watch("stocks");
  late.client.close();
  give("t1");
  await late.play([{ quiet: {} }]);
});

test("frames, members and codes that don't exist yet are passed over, but for whether to try again", async () => {
  const played = stage({}, "stocks", "chats");
  const problem = (watch, retry) => ({ says: { event: "problem", code: "eclipse", message: "dark", retry, watch, phase: 1 } });
  await played.play([...OPEN, { hears: { watch: "stocks" } }, { hears: { watch: "chats" } }, { says: { event: "weather", watch: "stocks", cursor: null } },
    { says: { ...put("stocks/A", 1), colour: "red" } }, { yields: { version: 1, colour: "red" } },
    problem("stocks", true), { passes: { ms: 250 } }, { hears: { op: "subscribe", watch: "stocks" } },
    problem("chats", false), { ends: { of: "w1", code: "eclipse" } }, { says: put("stocks/A", 1) }, { says: { ...synced("stocks", "c1"), deprecated: true } }, { yields: { event: "synced" } }, { state: "live" }]);
  played.client.close();
});
