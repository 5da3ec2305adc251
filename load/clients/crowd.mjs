// Clients of the JavaScript SDK: says "there" once all are synced, and what they were told when its input ends.

import { WatchClient } from "../../clients/js/src/index.js";

const [url, number] = process.argv.slice(2);

function application(index) {
  const story = { mode: ["state", "log"][index % 2], told: {}, resets: 0, silence_s: 0 };
  const client = new WatchClient(url, { transports: [["ws", "sse"][(index >> 1) % 2]] });
  let last = null;
  const synced = new Promise((resolve) => {
    const onFrame = ({ event, resource, version }) => {
      if (event === "synced") resolve();
      else if (event === "reset") story.resets += 1;
      else if (event === "put" || event === "delete") {
        const now = performance.now() / 1000;
        (story.told[resource] ??= []).push(Number(version));
        if (last !== null) story.silence_s = Math.max(story.silence_s, now - last);
        last = now;
      }
    };
    const onEnd = (error) => {
      if (error) throw error;
    };
    client.watch("feed", { mode: story.mode, snapshot: false, onFrame, onEnd });
  });
  return { story, client, synced };
}

const applications = Array.from({ length: Number(number) }, (_, index) => application(index));
await Promise.all(applications.map(({ synced }) => synced));
console.log("there");
for await (const _ of process.stdin);
for (const { client } of applications) client.close();
process.stdout.write(`${JSON.stringify(applications.map(({ story }) => story))}\n`, () => process.exit(0));
