import { WatchClient } from "@watchroute/client";
import { WatchProvider, useCollection, useConnection, useResource } from "@watchroute/client/react";
import { createElement as h } from "react"; // with a build step this would be JSX
import { createRoot } from "react-dom/client";

const server = new URLSearchParams(location.search).get("server") ?? location.origin;
const client = new WatchClient(server);

function Connection() {
  const { state } = useConnection();
  return h("p", null, "The connection is ", h("strong", { id: "state" }, state), ".");
}

function Price({ resource }) {
  const { data, isReady } = useResource(resource);
  return h("p", { id: "one" }, isReady ? `${data.name} is at ${data.price}` : "…");
}

function Prices() {
  const { state, isReady } = useCollection("stocks");
  if (!isReady) return h("p", null, "…");
  const rows = [...state].sort().map(([resource, { data }]) => h("li", { key: resource }, `${resource} ${data.price}`));
  return h("ul", { id: "prices" }, rows);
}

const page = [h(Connection, { key: 1 }), h(Price, { key: 2, resource: "stocks/AAPL" }), h(Prices, { key: 3 })];
createRoot(document.getElementById("app")).render(h(WatchProvider, { client }, page));
