// A page that uses the JavaScript client, and keeps all that it was told, in order.
import { WatchClient } from "/src/index.js";
import { SharedClient } from "/src/tabs.js";

window.longTasks = [];
new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ entryTypes: ["longtask"] });

/** Watch, from now on: `seen.entries` are frames and cursors in the order in which the application had them. */
window.begin = ({ path, isShared, ...options }) => {
  const client = new (isShared ? SharedClient : WatchClient)(location.origin, options);
  const seen = { entries: [], states: [client.state], versions: {}, error: null };
  client.addEventListener("state", () => seen.states.push(client.state));
  Object.assign(window, { client, seen });
  follow(client.watch(path), seen).catch((error) => (seen.error = `${error.code}: ${error.message}`));
};

async function follow(watch, seen) {
  window.watched = watch;
  let cursor;
  for await (const frame of watch) {
    if (watch.cursor !== cursor) seen.entries.push({ frame: null, cursor: (cursor = watch.cursor) });
    seen.entries.push({ frame, cursor: null });
    if (frame.resource) seen.versions[frame.resource] = frame.version;
  }
}

/** Show a collection as an application would: once for each picture. */
window.show = ({ path, ...options }) => {
  const client = new WatchClient(location.origin, options);
  const store = client.store(path);
  const pictures = { at: [], shown: 0, longest: 0 };
  const list = document.querySelector("ul");
  store.subscribe(() => {
    const began = performance.now();
    for (const [resource, { data }] of store.getSnapshot()) {
      const row = document.getElementById(resource) ?? list.appendChild(Object.assign(document.createElement("li"), { id: resource }));
      row.textContent = `${resource} ${JSON.stringify(data)}`;
    }
    pictures.shown += 1;
    pictures.longest = Math.max(pictures.longest, performance.now() - began);
  });
  const tick = (at) => {
    pictures.at.push(at);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  Object.assign(window, { client, store, pictures });
};
window.isLoaded = true;
