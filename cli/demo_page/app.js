// The demo page. Start here; then read watch.js for what a client of Watchroute does, and transports.js for how.

import { ConnectionPanel, nameOf } from "./connection.js";
import { Playground } from "./playground.js";
import { Prices } from "./prices.js";
import { FrameLog, showCommands } from "./terminal.js";
import { openEventStream, openLongPoll, openWebSocket } from "./transports.js";
import { Watch } from "./watch.js";

const TRANSPORTS = {
  sse: { name: "Server-Sent Events", open: openEventStream },
  websocket: { name: "WebSocket", open: openWebSocket },
  poll: { name: "long poll", open: openLongPoll },
};

const parts = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));
const choices = document.querySelectorAll('input[name="transport"]');
const chosen = () => [...choices].find((choice) => choice.checked).value;

const stocks = new Watch("stocks", TRANSPORTS[chosen()].open, {
  changed: (resource) => prices.changed(resource),
  stateChanged: (state) => connection.stateChanged(state),
  heard: (frame) => frames.heard(frame),
});
const prices = new Prices(parts["stock-rows"], parts["stocks-empty"], stocks.resources);
const connection = new ConnectionPanel(stocks, () => TRANSPORTS[chosen()].name, parts);
const frames = new FrameLog(parts.frames, parts["frame-lines"]);

// Over a WebSocket whatever is chosen for the stocks: over HTTP/1.1 a browser opens at most six connections to a server
// for all of its tabs together, and an open event stream keeps one of them for itself.
const own = new Watch("playground", openWebSocket, {
  changed: (resource) => playground.changed(resource),
  stateChanged: (state) => {
    parts["playground-state"].dataset.state = state.name;
    parts["playground-state-name"].textContent = nameOf(state);
  },
  heard: () => {},
});
const playground = new Playground(own.resources, parts);

for (const choice of choices) choice.addEventListener("change", () => stocks.use(TRANSPORTS[chosen()].open));
showCommands(parts["curl-lines"]);
stocks.start();
own.start();

/** To look at from the console or a test. */
window.watchroute = Object.freeze({
  get state() {
    return stocks.state.name;
  },
  get transport() {
    return chosen();
  },
  get events() {
    return stocks.events;
  },
  get skipped() {
    return stocks.skipped;
  },
  get cursor() {
    return stocks.cursor;
  },
  get epoch() {
    return stocks.resources.epoch;
  },
  get resources() {
    return stocks.resources.all();
  },
  get playground() {
    return own.resources.all();
  },
});
