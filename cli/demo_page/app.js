// The demo page, made with the JavaScript client: start here.

import { WatchClient } from "/clients/js/index.js";
import { ConnectionBar, counter } from "/shared/connection.js";
import { element, partsOfPage, setText } from "/shared/element.js";
import { Playground } from "./playground.js";
import { Quotes } from "./quotes.js";
import { FrameLog, showCommands } from "./terminal.js";

const TRANSPORTS = { sse: "Server-Sent Events", ws: "WebSocket", poll: "long poll" };

const parts = partsOfPage();
const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`).value;
const events = element("dd", { id: "events" }, "0");
const version = element("dd", { id: "last-version" }, "–");
const bar = new ConnectionBar(parts.connection);
parts.connection.querySelector(".counters").prepend(counter("Events received", events), counter("Last version", version));

const quotes = new Quotes(parts["quote-list"], parts["stocks-empty"]);
const frames = new FrameLog(parts.frames, parts["frame-lines"]);
const seen = { events: 0, version: null };
let client = null;
let stocks = null;

/** Watch as is chosen now, from where the watch before has come to: a cursor is good over any transport, in either mode. */
function watchStocks() {
  const cursor = stocks?.cursor ?? undefined;
  const mode = chosen("mode");
  const before = client;
  client = new WatchClient("/", { transports: [chosen("transport")], world: bar.world });
  stocks = client.watch("stocks", { mode, cursor, onFrame: (frame) => told(frame, mode) });
  bar.follow(client, stocks, `over ${TRANSPORTS[chosen("transport")]}, ${mode === "log" ? "every value" : "newest values"}`);
  before?.close();
}

function told(frame, mode) {
  frames.told(frame);
  quotes.told(frame, mode);
  if (frame.event !== "put" && frame.event !== "delete") return;
  seen.events += 1;
  seen.version = frame.version;
}

for (const choice of document.querySelectorAll('input[type="radio"]')) choice.addEventListener("change", watchStocks);
setInterval(() => {
  setText(events, seen.events.toLocaleString("en-US"));
  setText(version, seen.version ?? "–");
}, 250);
watchStocks();

// Over a WebSocket whatever is chosen for the stocks: over HTTP/1.1 a browser opens at most six connections to a server
// for all of its tabs together, and an open event stream keeps one of them for itself.
const own = new WatchClient("/", { world: bar.world });
new Playground(own, parts);
showCommands(parts["curl-lines"]);

/** To look at from the console or a test. */
window.watchroute = Object.freeze({
  get state() {
    return client.state;
  },
  get cursor() {
    return stocks.cursor;
  },
  get epoch() {
    return quotes.epoch;
  },
});
