// Notifications: the state of `inbox/{sub}` is the list, that of `read/{sub}` is how far it has been read, in any window.

import { WatchClient } from "/clients/js/index.js";
import { ConnectionBar } from "/shared/connection.js";
import { element, partsOfPage, setText } from "/shared/element.js";
import { Rows } from "/shared/rows.js";
import { signIn, tokenFor } from "/shared/sign_in.js";

const MARKS = { comment: "“”", build: "⚙", delivery: "▣", security: "!" };
const parts = partsOfPage();
const bar = new ConnectionBar(parts.connection);
let me = null; // { sub, client, inbox, read, newest }
let rows = null;

signIn(parts.who, (sub, name) => {
  me?.client.close();
  const client = new WatchClient("/", { token: tokenFor(sub), world: bar.world });
  const mine = { sub, name, client, inbox: client.store(`inbox/${sub}`), read: client.store(`read/${sub}`), newest: null };
  me = mine;
  bar.follow(client, [mine.inbox, mine.read]);
  parts.items.replaceChildren();
  rows = new Rows(parts.items, itemRow);
  for (const store of [mine.inbox, mine.read]) store.subscribe(() => mine === me && show());
  setText(parts.peeked, "");
  setText(parts.outcome, "");
  show();
});

function show() {
  const { items, upTo } = known();
  rows.show(items.map((item) => [item.id, { ...item, isUnread: item.id > upTo }]));
  const unread = items.filter(({ id }) => id > upTo).length;
  parts.badge.hidden = unread === 0;
  setText(parts.badge, `${unread} unread`);
  parts.empty.hidden = items.length > 0;
  document.title = `${unread ? `(${unread}) ` : ""}Notifications · Watchroute`;
  // Read out what is new since this page was opened, and not all that was there.
  const [newest] = items;
  if (me.newest !== null && newest?.id > me.newest) setText(parts.news, `${newest.title}. ${newest.text}`);
  me.newest = newest?.id ?? me.newest;
}

function known() {
  return {
    items: me.inbox.getSnapshot().get(`inbox/${me.sub}`)?.data.items ?? [],
    upTo: me.read.getSnapshot().get(`read/${me.sub}`)?.data.upTo ?? 0,
  };
}

function itemRow() {
  const title = element("strong");
  const text = element("p");
  const age = element("small");
  const mark = element("span", { className: "mark", "aria-hidden": "true" });
  const unread = element("span", { className: "visually-hidden" });
  const item = element("li", {}, mark, element("div", {}, element("h3", {}, title, unread), text), age);
  return {
    element: item,
    show: ({ kind, title: words, text: more, at, isUnread }) => {
      Object.assign(item.dataset, { kind, unread: isUnread });
      setText(mark, MARKS[kind] ?? "•");
      setText(title, words);
      setText(text, more);
      setText(unread, isUnread ? " (unread)" : "");
      setText(age, new Date(at * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }));
    },
  };
}

parts["read-all"].addEventListener("click", async () => {
  const [newest] = known().items;
  if (!newest) return;
  try {
    await me.client.put(`read/${me.sub}`, { upTo: newest.id });
    setText(parts.outcome, "");
  } catch (error) {
    setText(parts.outcome, `It could not be noted: ${error.message}`);
  }
});

parts.peek.addEventListener("click", async () => {
  const other = me.sub === "ada" ? "bob" : "ada";
  try {
    await me.client.get(`inbox/${other}`);
    setText(parts.peeked, `inbox/${other} was shown: that is a mistake.`);
  } catch (error) {
    setText(parts.peeked, `inbox/${other}: ${error.code}. ${error.message}`);
  }
});
