// Live scores: a store of all matches, and what changed in them.

import { WatchClient } from "/clients/js/index.js";
import { ConnectionBar } from "/shared/connection.js";
import { element, partsOfPage, setText } from "/shared/element.js";
import { Rows } from "/shared/rows.js";

const MOST_NEWS = 8;
const parts = partsOfPage();
const bar = new ConnectionBar(parts.connection);
const client = new WatchClient("/", { world: bar.world });
const matches = client.store("matches");
bar.follow(client, matches);

const rows = new Rows(parts.matches, matchRow);
const goals = new Map(); // how many events of a match were told already

matches.subscribe(() => {
  const now = [...matches.getSnapshot()].sort(([one], [other]) => one.localeCompare(other));
  rows.show(now);
  for (const [resource, { data }] of now) tellNews(resource, data);
});

/** What has happened since we looked last; nothing of what was before we came. */
function tellNews(resource, { home, away, score, events }) {
  const told = goals.get(resource) ?? events.length;
  goals.set(resource, events.length);
  for (const { kind, minute, side, player } of events.slice(told)) {
    const team = [home, away][side];
    const text = kind === "goal" ? `Goal for ${team}: ${player}` : `Yellow card, ${team}: ${player}`;
    const line = element("span", {}, element("strong", {}, text), ` ${home} ${score.join("–")} ${away}`);
    parts.news.prepend(element("li", { dataset: { kind } }, element("span", { className: "minute" }, `${minute}′`), line));
    parts["news-empty"].hidden = true;
  }
  while (parts.news.children.length > MOST_NEWS) parts.news.lastElementChild.remove();
}

function matchRow(resource) {
  const [home, away] = [element("span", { className: "team" }), element("span", { className: "team away" })];
  const score = element("span", { className: "score" });
  const minute = element("span", { className: "clock" });
  const last = element("p", { className: "last" });
  const played = element("progress", { max: 90, "aria-label": "Played" });
  const item = element(
    "li",
    { className: "match", dataset: { resource } },
    element("h3", {}, home, score, away),
    element("p", { className: "time" }, minute),
    played,
    last,
  );
  return {
    element: item,
    show: ({ data, version }) => {
      Object.assign(item.dataset, { version, status: data.status });
      setText(home, data.home);
      setText(away, data.away);
      if (score.textContent && score.textContent !== data.score.join("–")) flash(score);
      setText(score, data.score.join("–"));
      setText(minute, data.status === "over" ? "Full time" : `${data.minute}′`);
      played.value = data.minute;
      setText(last, lastGoal(data));
    },
  };
}

function lastGoal({ home, away, events }) {
  const goal = events.findLast(({ kind }) => kind === "goal");
  return goal ? `${goal.minute}′ ${goal.player} (${[home, away][goal.side]})` : "No goal yet";
}

function flash(target) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  target.animate([{ backgroundColor: "var(--accent)", color: "var(--on-accent)" }, {}], { duration: 1500 });
}
