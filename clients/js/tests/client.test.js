import assert from "node:assert/strict";
import { test } from "node:test";
import { WatchClient } from "../src/index.js";
import { problemAnswer } from "./support/connection.js";
import { put, synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

/** A client whose writes and reads are answered with these, in turn; `asked` has what it asked. */
function answered(...answers) {
  const stage = new Stage({ options: { token: ["t1", "t2"] } });
  const asked = [];
  stage.network.answer = (url, { method = "GET", body, headers = {} }) => {
    asked.push(`${method} ${url.pathname}${url.search} ${headers.Authorization} ${body ?? ""}`.trim());
    return answers.shift();
  };
  return { client: stage.client, asked };
}

test("a resource is written, read and deleted at its address", async () => {
  const ack = { resource: "a/b c/d", version: "7", cursor: "c7" };
  const read = Response.json({ n: 1 }, { headers: { "Watch-Cursor": "c8" } });
  const { client, asked } = answered(Response.json(ack), read, Response.json(ack));
  assert.deepEqual(await client.put("a/b c/d", { n: 1 }), ack);
  assert.deepEqual(await client.get("a/b c/d", { atLeast: "c7" }), { data: { n: 1 }, cursor: "c8" });
  assert.deepEqual(await client.delete("a/b c/d"), ack);
  assert.deepEqual(asked, [
    'PUT /v1/a/b%20c%2Fd Bearer t1 {"n":1}',
    "GET /v1/a/b%20c%2Fd?at_least=c7 Bearer t1",
    "DELETE /v1/a/b%20c%2Fd Bearer t1",
  ]);
});

test("what isn't there is null, and any other refusal an error with all that it says", async () => {
  const refusal = problemAnswer({ status: 503, code: "unavailable", outcome: "unknown", retry_after_s: 2 });
  const { client } = answered(problemAnswer({ status: 404, code: "not_found" }), refusal);
  assert.equal(await client.get("a/b"), null);
  await assert.rejects(client.put("a/b", 1), { name: "WatchError", code: "unavailable", status: 503, outcome: "unknown", retryMs: 2000 });
});

test("a token that is refused is asked for once more", async () => {
  const refused = () => problemAnswer({ status: 401, code: "token_expired" });
  const { client, asked } = answered(refused(), Response.json({}), refused(), refused());
  await client.put("a/b", 1);
  assert.deepEqual(asked.map((line) => line.split(" ")[3]), ["t1", "t2"]);
  await assert.rejects(client.put("a/b", 1), { code: "token_expired" });
});

test("an answer that is no problem document is a lost one", async () => {
  const { client } = answered(new Response("<html>Bad gateway</html>", { status: 502 }));
  await assert.rejects(client.put("a/b", 1), { code: "lost", status: 502 });
});

test("Retry-After may be a date", async () => {
  const { client } = answered(new Response("", { status: 503, headers: { "Retry-After": "Thu, 01 Jan 2026 00:00:09 GMT" } }));
  await assert.rejects(client.put("a/b", 1), { retryMs: 9000 });
});

test("two watches that can't share a connection have one each", async () => {
  const stage = new Stage({ options: { transports: ["ws"] } });
  stage.watch("stocks");
  stage.watch("stocks/A"); // both begin with a snapshot: fine
  stage.watch("stocks", { prefix: "A", mode: "log" });
  stage.watch("stocks"); // the same again would get no snapshot
  await stage.play([{ connects: {} }, { connects: {} }, { connects: {} }, { quiet: {} }, ...[1, 2, 3].map((n) => ({ opens: { n } }))]);
  const asked = stage.network.connections.map(({ heard }) => heard.map(({ watch, mode }) => [watch, mode].filter(Boolean).join(" ")));
  assert.deepEqual(asked, [["stocks", "stocks/A"], ["stocks?prefix=A log"], ["stocks"]]);
  stage.client.close();
});

test("a frame goes to every watch that it belongs to", async () => {
  const stage = new Stage({ options: { transports: ["ws"] } });
  for (const path of ["stocks/A", "stocks?prefix=A", "stocks", "stock"]) stage.watch(path);
  await stage.play([{ connects: {} }, { opens: {} }, { says: put("stocks/A", 1) }, { says: put("stocks/AB", 2) }, { says: put("stocks/B", 3) }]);
  assert.deepEqual(stage.watches.map(({ frames }) => frames.map(({ version }) => version).join("")), ["1", "12", "123", ""]);
  stage.client.close();
});

test("tickets are shown where a WebSocket is opened, and each is for one watch", async () => {
  const stage = new Stage({ options: { transports: ["ws"], token: ["t1"], tickets: true } });
  const wanted = [];
  stage.network.answer = (url, { body, headers }) => {
    wanted.push(`${url.pathname} ${headers.Authorization} ${headers["Content-Type"]} ${body}`);
    return Response.json({ ticket: `k${wanted.length}`, expires_in_ms: 30_000 });
  };
  stage.watch("stocks/A");
  stage.watch("stocks?prefix=B");
  await stage.play([{ connects: { ticket: "k1", token: undefined } }, { connects: { ticket: "k2", token: undefined } }, { quiet: {} }]);
  assert.deepEqual(wanted, [
    '/v1/tickets Bearer t1 application/json {"watches":["stocks/A"]}',
    '/v1/tickets Bearer t1 application/json {"watches":["stocks?prefix=B"]}',
  ]);
  stage.client.close();
});

test("the states of a life are told as events", async () => {
  const stage = new Stage({ options: { transports: ["ws"] } });
  const states = [stage.client.state];
  stage.client.addEventListener("state", () => states.push(stage.client.state));
  stage.watch("stocks");
  await stage.play([{ connects: {} }, { opens: {} }, { says: synced("stocks", "c1") }, { fails: {} }]);
  assert.equal(stage.client.reason.code, "lost");
  await stage.play([{ passes: { ms: 250 } }, { opens: {} }, { says: synced("stocks", "c1", true) }]);
  assert.equal(stage.client.reason, null);
  stage.client.close();
  assert.deepEqual(states, ["connecting", "catching_up", "live", "offline", "connecting", "catching_up", "live", "closed"]);
});

test("a client that is closed is closed", async () => {
  const stage = new Stage({ options: { transports: ["ws"] }, watch: { path: "stocks" } });
  await stage.play([{ connects: {} }]);
  stage.client.close();
  await stage.play([{ closed: {} }, { passes: { ms: 60_000 } }, { quiet: {} }, { ends: { of: "w0", code: null } }, { state: "closed" }]);
  assert.throws(() => stage.client.watch("stocks"), { code: "closed" });
});

test("without a WebSocket there are the other transports", async () => {
  const stage = new Stage({ options: {} });
  const { fetch } = stage.network.world;
  const client = new WatchClient("http://server.test/", { world: { fetch, WebSocket: undefined } });
  client.watch("stocks");
  await stage.play([{ connects: { transport: "sse", path: "stocks" } }]);
  client.close();
});
