// Order tracking: a store of all orders, and the log of the one that is looked at.

import { WatchClient } from "/clients/js/index.js";
import { ConnectionBar } from "/shared/connection.js";
import { element, partsOfPage, setText } from "/shared/element.js";
import { Rows } from "/shared/rows.js";

const STEPS = { placed: "Placed", paid: "Paid", packed: "Packed", shipped: "On its way", delivered: "Delivered" };
const NAMES = Object.keys(STEPS);
const LONGEST_STORY = 12;
const money = new Intl.NumberFormat("en-GB", { style: "currency", currency: "EUR" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

const parts = partsOfPage();
const bar = new ConnectionBar(parts.connection);
const client = new WatchClient("/", { world: bar.world });
const orders = client.store("orders");
const rows = new Rows(parts.orders, orderRow);
const steps = NAMES.map((name) => element("li", { dataset: { step: name } }, element("span", { className: "mark", "aria-hidden": "true" }), STEPS[name]));
let chosen = null; // the resource, and the watch of its log
let log = null;

parts.steps.append(...steps);
bar.follow(client, orders);
orders.subscribe(show);

function show() {
  const all = [...orders.getSnapshot()].sort(([one], [other]) => other.localeCompare(one));
  if (!chosen && all.length) track(all[0][0]);
  rows.show(all);
  parts.empty.hidden = all.length > 0;
  showTracked();
}

/** Follow one order: its state now, and then every step of it. */
function track(resource) {
  log?.close();
  chosen = resource;
  parts.story.replaceChildren();
  log = client.watch(resource, { mode: "log", onFrame: tell });
  bar.follow(client, [orders, log]);
  for (const item of parts.orders.children) item.firstElementChild.ariaPressed = String(item.dataset.resource === resource);
  showTracked();
}

function tell({ event, data, version, time }) {
  if (event === "reset") parts.story.replaceChildren();
  if (event !== "put" && event !== "delete") return;
  const words = event === "put" ? (STEPS[data.status] ?? data.status) : "Forgotten";
  const when = time ? clock.format(new Date(time)) : "";
  parts.story.prepend(element("li", {}, element("strong", {}, words), element("span", {}, when), element("small", {}, `version ${version}`)));
  while (parts.story.children.length > LONGEST_STORY) parts.story.lastElementChild.remove();
}

function showTracked() {
  const order = orders.getSnapshot().get(chosen)?.data;
  if (chosen) setText(parts["tracked-title"], `Order ${chosen.slice("orders/".length)}${order ? "" : " is done"}`);
  if (!order) return;
  setText(parts.about, `${order.item} for ${order.customer} in ${order.to}, ${money.format(order.total)}`);
  const at = NAMES.indexOf(order.status);
  steps.forEach((step, n) => {
    step.dataset.done = n <= at;
    if (n === at) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  });
}

function orderRow(resource) {
  const item = element("span", { className: "item" });
  const who = element("span", { className: "who" });
  const status = element("span", { className: "status" });
  const number = element("strong", {}, resource.slice("orders/".length));
  const button = element("button", { type: "button", "aria-pressed": String(resource === chosen) }, number, item, status, who);
  button.addEventListener("click", () => track(resource));
  const row = element("li", { dataset: { resource } }, button);
  return {
    element: row,
    show: ({ data, version }) => {
      Object.assign(row.dataset, { status: data.status, version });
      setText(item, data.item);
      setText(who, `${data.customer}, ${data.to}`);
      setText(status, STEPS[data.status] ?? data.status);
    },
  };
}
