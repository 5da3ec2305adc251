import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream } from "../src/sse.js";

const read = (...pieces) => {
  const parser = new EventStream();
  return { parser, events: pieces.flatMap((piece) => [...parser.feed(piece)]) };
};

test("an event has its data and its id", () => {
  assert.deepEqual(read('id: c1\nevent: put\ndata: {"a":1}\n\n').events, [{ data: '{"a":1}', id: "c1" }]);
});

test("an id comes alone too, and doesn't stay", () => {
  assert.deepEqual(read("id: c1\n\ndata: 1\n\n").events, [{ data: "", id: "c1" }, { data: "1", id: undefined }]);
});

test("pieces end anywhere", () => {
  const text = "retry: 1500\n\nid: c1\ndata: one\ndata: two\n\n";
  for (let at = 0; at <= text.length; at += 1) {
    const { parser, events } = read(text.slice(0, at), text.slice(at));
    assert.deepEqual(events, [{ data: "one\ntwo", id: "c1" }]);
    assert.equal(parser.retryMs, 1500);
  }
});

test("lines end in any of three ways, wherever a piece ends", () => {
  const text = "data: one\r\nid: c1\r\n\r\ndata: two\r\n\r\n";
  for (let at = 0; at <= text.length; at += 1) {
    assert.deepEqual(read(text.slice(0, at), text.slice(at)).events, [{ data: "one", id: "c1" }, { data: "two", id: undefined }]);
  }
  assert.deepEqual(read("data: one\r\rdata: two\r\r\n").events.map(({ data }) => data), ["one", "two"]);
});

test("comments and unknown fields are passed over", () => {
  assert.deepEqual(read(": hello\nweather: fine\nretry: soon\n\n").events, []);
});
