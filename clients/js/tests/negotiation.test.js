import { test } from "node:test";
import { Stage } from "./support/stage.js";

test("where nothing can be reached no transport is to blame", async () => {
  const stage = new Stage({ options: { transports: ["ws", "sse"] }, watch: { path: "stocks" } });
  for (const ms of [250, 500, 1000, 2000]) {
    await stage.play([{ connects: { transport: "ws" } }]);
    stage.network.probe = Promise.reject(new TypeError("fetch failed"));
    stage.network.newest().ends(1006);
    await stage.play([{ state: "offline" }, { passes: { ms } }]);
  }
  await stage.play([{ connects: { transport: "ws" } }]);
  stage.client.close();
});
