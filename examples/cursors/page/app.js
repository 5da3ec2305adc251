// Cursors: everybody publishes where they point to, over a WebSocket, and shows where all others do.

import { WatchClient } from "/clients/js/index.js";
import { ConnectionBar } from "/shared/connection.js";
import { element, partsOfPage, setText, svg } from "/shared/element.js";
import { Publishing } from "/shared/publishing.js";
import { Rows } from "/shared/rows.js";

const PAUSE_MS = 50;
const GONE_MS = 15_000;
const AGAIN_MS = 5_000;
const STEP = 0.02;
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

const parts = partsOfPage();
const bar = new ConnectionBar(parts.connection);
const client = new WatchClient("/", { world: bar.world });
const publishing = new Publishing(bar.world);
const mine = `cursors/${crypto.randomUUID().slice(0, 8)}`;
const cursors = client.store("cursors");
const layer = element("div", { className: "layer", "aria-hidden": "true" });
const pointers = new Rows(layer, pointerOf);
const people = new Rows(parts.people, personOf);
const me = { name: parts.name.value, x: 0.5, y: 0.5 };
let isSending = false;
let isDue = false;

parts.board.append(layer);
bar.follow(client, cursors);
cursors.subscribe(show);
setInterval(show, 1000); // who has not been heard of for a while is gone
setInterval(move, AGAIN_MS, me); // and we are still here
move(me);

function show() {
  const now = Date.now();
  const here = [...cursors.getSnapshot()].filter(([, { time }]) => !time || now - Date.parse(time) < GONE_MS).sort();
  pointers.show(here);
  people.show(here);
}

/** Go there. While one place is on its way, only the newest of the next ones waits. */
async function move(there) {
  Object.assign(me, there, { x: within(there.x ?? me.x), y: within(there.y ?? me.y) });
  isDue = true;
  if (isSending) return;
  isSending = true;
  while (isDue) {
    isDue = false;
    await publishing.put(mine, { ...me }).catch((error) => console.debug("not told", error)); // the next place is
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  isSending = false;
}

function pointerOf(resource) {
  const arrow = svg("svg", { viewBox: "0 0 20 20", class: "arrow" }, svg("path", { d: "M2 1 L17 9 L10 11 L7 18 Z" }));
  const name = element("span");
  const pointer = element("div", { className: "pointer", dataset: { hue: hueOf(resource), own: resource === mine } }, arrow, name);
  return {
    element: pointer,
    show: ({ data }) => {
      setText(name, data.name);
      pointer.style.left = `${within(data.x) * 100}%`;
      pointer.style.top = `${within(data.y) * 100}%`;
    },
  };
}

function personOf(resource) {
  const name = element("span");
  const person = element("li", { dataset: { hue: hueOf(resource) } }, element("span", { className: "swatch", "aria-hidden": "true" }), name);
  return { element: person, show: ({ data }) => setText(name, resource === mine ? `${data.name} (this page)` : data.name) };
}

/** One of six colours. */
function hueOf(resource) {
  return [...resource].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6;
}

function within(share) {
  return Math.min(Math.max(Number(share) || 0, 0), 1);
}

parts.board.addEventListener("pointermove", ({ clientX, clientY }) => {
  const { left, top, width, height } = parts.board.getBoundingClientRect();
  move({ x: (clientX - left) / width, y: (clientY - top) / height });
});
parts.board.addEventListener("keydown", (event) => {
  const step = ARROWS[event.key];
  if (!step) return;
  event.preventDefault(); // the page would scroll
  move({ x: me.x + step[0], y: me.y + step[1] });
});
parts.name.addEventListener("input", () => move({ name: parts.name.value || "You" }));
addEventListener("pagehide", () => client.delete(mine, { keepalive: true }).catch(() => {})); // it is gone soon anyway
