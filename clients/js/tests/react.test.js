import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { StrictMode, createElement as h } from "react";
import { act, create } from "react-test-renderer";
import { WatchProvider, useCollection, useConnection, useResource } from "../src/react.js";
import { del, put, synced } from "./support/frames.js";
import { Stage } from "./support/stage.js";

globalThis.IS_REACT_ACT_ENVIRONMENT = true;

const Names = () => {
  const { state, isReady, error } = useCollection("stocks");
  return error ? error.code : isReady ? [...state.keys()].join() : "…";
};
const One = ({ path }) => {
  const { data, version, isReady } = useResource(path);
  return isReady ? `${data}@${version}` : "…";
};
const Connection = () => useConnection().state;

/** The stage, and what is shown of these elements; `says` is told, and shown, before it returns. */
async function shown(...elements) {
  const stage = new Stage({ options: { transports: ["ws"] } });
  let tree;
  const show = (children) => h(StrictMode, null, h(WatchProvider, { client: stage.client }, ...children));
  await act(async () => (tree = create(show(elements))));
  const play = (...steps) => act(() => stage.play(steps).then(() => stage.clock.pass(0)));
  await play({ connects: {} }, { quiet: {} }, { opens: {} });
  return { stage, play, text: () => [tree.toJSON()].flat().join(" | "), showing: (...next) => act(async () => tree.update(show(next))), end: () => act(async () => tree.unmount()) };
}

test("components show what is there, and what changes", async () => {
  const { play, text, end } = await shown(h(Names, { key: 1 }), h(Connection, { key: 2 }));
  assert.equal(text(), "… | catching_up");
  await play({ says: put("stocks/A", 1) }, { says: put("stocks/B", 2) }, { says: synced("stocks", "c1") });
  assert.equal(text(), "stocks/A,stocks/B | live");
  await play({ says: del("stocks/A", 3) });
  assert.equal(text(), "stocks/B | live");
  await end();
});

test("two components that show the same share one watch, in strict mode too", async () => {
  const { stage, play, text, end } = await shown(h(One, { key: 1, path: "stocks/A" }), h(One, { key: 2, path: "stocks/A" }));
  await play({ says: put("stocks/A", 1, "x") }, { says: synced("stocks/A", "c1") });
  assert.equal(text(), "x@1 | x@1");
  assert.deepEqual(stage.network.newest().heard.map(({ op, watch }) => `${op} ${watch}`), ["subscribe stocks/A"]);
  await end();
});

test("what is shown again soon is still there, and what isn't is let go", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { stage, play, text, showing, end } = await shown(h(One, { key: 1, path: "stocks/A" }), h(Connection, { key: 2 }));
  await play({ says: put("stocks/A", 1, "x") }, { says: synced("stocks/A", "c1") });
  await showing(h(Connection, { key: 2 }));
  mock.timers.tick(999);
  await showing(h(One, { key: 3, path: "stocks/A" }), h(Connection, { key: 2 }));
  assert.equal(text(), "x@1 | live");
  await end();
  mock.timers.tick(1000);
  assert.ok(stage.network.newest().isClosed);
  mock.timers.reset();
});

test("a refusal is shown", async () => {
  const { play, text, end } = await shown(h(Names));
  await play({ says: { event: "problem", code: "forbidden", message: "no", retry: false, watch: "stocks" } });
  assert.equal(text(), "forbidden");
  await end();
});
