// Reads the document, shows it, and lets a watch be tried. The token is in this module's memory and nowhere else.

import { showDocument } from "/docs/reference.js";
import { openWatch } from "/docs/watch.js";

const MOST_FRAMES = 200;
const at = (id) => document.getElementById(id);
let watch = null;

function token() {
  return at("token").value.trim();
}

async function load() {
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  const problem = at("problem");
  try {
    const answer = await fetch("/v1/openapi.json", { headers, cache: "no-cache" });
    const told = await answer.json();
    if (!answer.ok) throw new Error(`${told.code}: ${told.detail}`);
    showDocument(told, at("operations"), at("schemas"), at("collections"));
    problem.hidden = true;
  } catch (error) {
    problem.textContent = `The document can't be shown. ${error.message}`;
    problem.hidden = false;
  }
}

function say(text) {
  at("state").textContent = text;
}

function tell(frame) {
  const line = document.createElement("li");
  line.textContent = JSON.stringify(frame);
  line.dataset.event = frame.event;
  at("frames").prepend(line);
  while (at("frames").childElementCount > MOST_FRAMES) at("frames").lastElementChild.remove();
}

function stop(text) {
  watch?.close();
  watch = null;
  at("close").disabled = true;
  say(text);
}

at("who").addEventListener("submit", (event) => {
  event.preventDefault();
  load();
});

at("try").addEventListener("submit", (event) => {
  event.preventDefault();
  stop("");
  at("frames").replaceChildren();
  const label = at("watch").value.trim();
  say(`Opening a watch of ${label} …`);
  at("close").disabled = false;
  watch = openWatch(at("transport").value, label, token(), {
    opened: () => say(`Watching ${label}.`),
    frame: tell,
    ended: (why) => stop(`Nothing is watched. ${why}`),
  });
});

at("close").addEventListener("click", () => stop("Nothing is watched."));

load();
