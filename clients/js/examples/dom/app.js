import { WatchClient } from "@watchroute/client";

const server = new URLSearchParams(location.search).get("server") ?? location.origin;
const client = new WatchClient(server);
const stocks = client.store("stocks");

client.addEventListener("state", () => (document.getElementById("state").textContent = client.state));

stocks.subscribe(() => {
  const rows = [...stocks.getSnapshot()].sort().map(([resource, { data }]) => {
    const row = document.createElement("li");
    row.textContent = `${resource} ${data.price}`;
    return row;
  });
  document.getElementById("prices").replaceChildren(...rows);
});
