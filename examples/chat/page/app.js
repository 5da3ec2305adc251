// Chat: the messages of a room are what is named `messages/{room}.…`; each is published over a WebSocket.

import { WatchClient } from "/clients/js/index.js";
import { ConnectionBar } from "/shared/connection.js";
import { element, partsOfPage, setText } from "/shared/element.js";
import { Publishing } from "/shared/publishing.js";
import { Rows } from "/shared/rows.js";
import { signIn, tokenFor } from "/shared/sign_in.js";

const parts = partsOfPage();
const bar = new ConnectionBar(parts.connection);
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
let me = null; // { sub, client, publishing, rooms }
let room = "garden";
let messages = null;
let rows = null;

signIn(parts.who, (sub) => {
  me?.client.close();
  const token = tokenFor(sub);
  const client = new WatchClient("/", { token, world: bar.world });
  me = { sub, client, publishing: new Publishing(bar.world, token), rooms: client.store("rooms") };
  const list = new Rows(parts.rooms, roomRow);
  parts.rooms.replaceChildren();
  me.rooms.subscribe(() => list.show([...me.rooms.getSnapshot()].sort()));
  enter(room);
});

/** Watch a room, and no longer the one before. */
function enter(name) {
  messages?.close();
  room = name;
  messages = me.client.store("messages", { prefix: `${room}.` });
  bar.follow(me.client, [me.rooms, messages]);
  parts.messages.replaceChildren();
  rows = new Rows(parts.messages, messageRow);
  const now = messages;
  now.subscribe(() => now === messages && show());
  setText(parts.outcome, "");
  show();
}

function show() {
  const isRefused = messages.error?.code === "forbidden";
  parts.form.hidden = parts.messages.hidden = isRefused;
  parts.refused.hidden = !isRefused;
  setText(parts["room-title"], titleOf(room));
  for (const item of parts.rooms.children) item.firstElementChild.ariaCurrent = String(item.dataset.room === room);
  if (isRefused) return setText(parts.refused, `The server says no: ${me.sub} has no grant for ${titleOf(room)}.`);
  const wasAtEnd = parts.messages.scrollTop + parts.messages.clientHeight > parts.messages.scrollHeight - 40;
  rows.show([...messages.getSnapshot()].sort(byTime));
  if (wasAtEnd) parts.messages.scrollTop = parts.messages.scrollHeight;
  return undefined;
}

function byTime([, one], [, other]) {
  return (one.time ?? "").localeCompare(other.time ?? "") || one.version - other.version;
}

function messageRow(resource) {
  const author = resource.split(".")[1]; // whom the token grants that name: it can't be made up
  const text = element("p");
  const time = element("time");
  const item = element("li", { dataset: { resource, own: author === me.sub } }, element("p", { className: "author" }, element("strong", {}, nameOf(author)), " ", time), text);
  return {
    element: item,
    show: (message) => {
      setText(text, String(message.data.text));
      if (message.time) setText(time, clock.format(new Date(message.time)));
    },
  };
}

function roomRow(resource) {
  const name = resource.slice("rooms/".length);
  const button = element("button", { type: "button" });
  button.addEventListener("click", () => enter(name));
  const show = ({ data }) => {
    setText(button, data.title);
    button.ariaCurrent = String(name === room);
    if (name === room) setText(parts["room-title"], data.title);
  };
  return { element: element("li", { dataset: { room: name } }, button), show };
}

parts.form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = parts.text.value;
  setText(parts.outcome, "Sending …");
  try {
    await me.publishing.put(`messages/${room}.${me.sub}.${crypto.randomUUID()}`, { text });
    if (parts.text.value === text) parts.text.value = "";
    setText(parts.outcome, "");
  } catch (error) {
    setText(parts.outcome, `Not sent: ${error.message}`);
  }
});

function titleOf(name) {
  return me.rooms.getSnapshot().get(`rooms/${name}`)?.data.title ?? nameOf(name);
}

function nameOf(word) {
  return word[0].toUpperCase() + word.slice(1);
}
