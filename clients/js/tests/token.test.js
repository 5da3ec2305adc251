import assert from "node:assert/strict";
import { test } from "node:test";
import { Token } from "../src/token.js";
import { Stage } from "./support/stage.js";
import { jwt, put, synced } from "./support/frames.js";

const MINUTE = 60_000;

test("a token is asked for once, however many want it", async () => {
  let asked = 0;
  const token = new Token(async () => `t${++asked}`, () => 0);
  assert.deepEqual(await Promise.all([token.get(), token.get()]), ["t1", "t1"]);
  assert.equal(await token.get(), "t1");
});

test("it is asked for again a minute before it ends, by its own word", async () => {
  let now = 0;
  let asked = 0;
  const token = new Token(() => jwt(10 * MINUTE * ++asked), () => now);
  const first = await token.get();
  now = 9 * MINUTE;
  assert.equal(await token.get(), first);
  now += 1;
  assert.notEqual(await token.get(), first);
});

test("what is no JWT is good until it is refused", async () => {
  let asked = 0;
  const token = new Token(() => `opaque${++asked}`, () => 1e15);
  assert.equal(await token.get(), "opaque1");
  assert.equal(await token.get(), "opaque1");
  token.forget();
  assert.equal(await token.get(), "opaque2");
});

test("a text is a token, nothing is none", async () => {
  assert.equal(await new Token("t", () => 0).get(), "t");
  assert.equal(await new Token(undefined, () => 0).get(), "");
});

test("a callback that fails is called again", async () => {
  let asked = 0;
  const token = new Token(() => (++asked === 1 ? Promise.reject(new Error("away")) : "t"), () => 0);
  await assert.rejects(token.get(), /away/);
  assert.equal(await token.get(), "t");
});

test("while the issuer is away, the client tries again later", async () => {
  const stage = new Stage({ options: { transports: ["ws"] } });
  let asked = 0;
  stage.client.token = new Token(() => (++asked === 1 ? Promise.reject(new Error("away")) : "t"), stage.clock.now);
  stage.watch("stocks");
  await stage.play([{ quiet: {} }, { state: "offline" }, { passes: { ms: 250 } }, { connects: { transport: "ws", token: "t" } }]);
  stage.client.close();
});

test("an event stream is replaced before its token ends, and nothing is lost or repeated", async () => {
  const stage = new Stage({ options: { transports: ["sse"] } });
  const { now } = stage.clock;
  let asked = 0;
  stage.client.token = new Token(() => jwt(now() + 10 * MINUTE, `${++asked}`), now);
  stage.client.beatMs = 100 * MINUTE;
  stage.watch("stocks");
  await stage.play([
    { connects: { transport: "sse" } }, { opens: {} }, { says: put("stocks/A", 1) }, { says: synced("stocks", "c1") },
    { yields: { version: 1 } }, { yields: { event: "synced" } },
    { passes: { ms: 9 * MINUTE + 29_000 } }, { quiet: {} }, { passes: { ms: 1_000 } },
    { connects: { transport: "sse", cursor: "c1" } }, { opens: {} }, { state: "live" },
    { says: { ...put("stocks/A", 2), n: 1 } }, { yields: { version: 2 } },
    { says: put("stocks/A", 2) }, { says: synced("stocks", "c2", true) }, { closed: { n: 1 } }, { quiet: {} }, { state: "live" },
  ]);
  assert.equal(asked, 2);
  stage.client.close();
});
