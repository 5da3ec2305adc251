import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";

const SRC = new URL("../src/", import.meta.url);
const MOST_BYTES = 8192;
const MOST_GZIP_BYTES = 8806; // the ways back and writes over a WebSocket need some lines where connections are
const MOST_LINES = 300;
const sources = readdirSync(SRC).filter((name) => name.endsWith(".js"));
const read = (name) => readFileSync(new URL(name, SRC), "utf8");

/** What a browser fetches before it runs the first line. */
function loaded(name, known = new Set()) {
  known.add(name);
  for (const [, other] of read(name).matchAll(/^(?:import|export) .* from "\.\/(.*)";$/gm)) {
    if (!known.has(other)) loaded(other, known);
  }
  return [...known];
}

const text = (names) => names.map(read).join("");

test("the client is at most 8.6 KB, and the store beside it one", () => {
  const all = loaded("index.js");
  assert.ok(all.includes("link.js") && all.includes("store.js"));
  assert.ok(!all.includes("sse.js") && !all.includes("back.js") && !all.includes("http.js") && !all.includes("tabs.js"));
  const core = gzipSync(text(all.filter((name) => name !== "store.js")), { level: 9 }).length;
  assert.ok(core <= MOST_GZIP_BYTES, `${core} bytes`);
  const whole = brotliCompressSync(text(all)).length;
  assert.ok(whole <= MOST_BYTES, `${whole} bytes`);
  assert.ok(gzipSync(read("store.js"), { level: 9 }).length <= 1024);
});

test("it has no dependencies, and no module is long", () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  assert.deepEqual([dependencies, Object.keys(peerDependencies)], [undefined, ["react"]]);
  for (const name of sources) {
    const lines = read(name).split("\n").length;
    assert.ok(lines <= MOST_LINES, `${name} has ${lines} lines`);
    const foreign = [...read(name).matchAll(/from "([^."][^"]*)"/g)].map(([, module]) => module);
    assert.deepEqual(foreign, name === "react.js" ? ["react"] : [], name);
  }
});

test("nothing is kept in the browser's stores", () => {
  assert.deepEqual(sources.filter((name) => /localStorage|sessionStorage|indexedDB|document\.cookie/.test(read(name))), []);
});

test("the lock names no registry", () => {
  const lock = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8");
  assert.ok(!/https?:\/\//.test(lock.replaceAll(/"url": "[^"]*"/g, "")));
});
