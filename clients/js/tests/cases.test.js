import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Stage } from "./support/stage.js";

const CASES = new URL("../../cases/", import.meta.url);

for (const file of readdirSync(CASES).filter((name) => name.endsWith(".json")).sort()) {
  const played = JSON.parse(readFileSync(new URL(file, CASES), "utf8"));
  test(`${file}: ${played.name}`, async () => {
    const stage = new Stage(played);
    await stage.play(played.steps);
    stage.client.close();
  });
}
