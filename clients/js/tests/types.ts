// Compiled, and never run: what an application writes has the types that it should have.
import { type Frame, type Put, WatchClient, WatchError } from "../src/index.js";

import { useCollection, useConnection, useResource, WatchProvider } from "../src/react.js";
import { SharedClient } from "../src/tabs.js";
interface Price {
  price: number;
}

export async function everything(): Promise<void> {
  const client = new WatchClient("https://example.com", { token: async () => "token", transports: ["ws", "sse"] });
  for await (const frame of client.watch<Price>("stocks", { prefix: "A", mode: "state", signal: new AbortController().signal })) {
    if (frame.event === "put") frame.data.price satisfies number;
    else if (frame.event === "reset") frame.reason satisfies string;
    // @ts-expect-error -- a delete has no data
    else if (frame.event === "delete") frame.data;
  }
  client.watch<Price>("stocks/AAPL", { onFrame: (frame: Frame<Price>) => frame.event, onEnd: (error) => error?.code });
  const store = client.store<Price>("stocks");
  await store.ready;
  const known: Put<Price> | undefined = store.getSnapshot().get("stocks/AAPL");
  known?.data.price satisfies number | undefined;
  const read = await client.get<Price>("stocks/AAPL", { atLeast: (await client.put("stocks/AAPL", { price: 1 })).cursor });
  read?.data.price satisfies number | undefined;
  const state: "connecting" | "live" | "catching_up" | "offline" | "closed" = client.state;
  if (state === "closed" && client.reason instanceof WatchError) client.reason.code satisfies string;
  // @ts-expect-error -- there is no such mode
  client.watch("stocks", { mode: "both" });
  // @ts-expect-error -- there is no such transport
  new WatchClient("/", { transports: ["carrier pigeon"] });
}

export function inReact(): void {
  const { state, isReady } = useCollection<Price>("stocks", { prefix: "A" });
  if (isReady) state.get("stocks/AAPL")?.data.price satisfies number | undefined;
  useResource<Price>("stocks/AAPL").data?.price satisfies number | undefined;
  useConnection().state satisfies string;
  WatchProvider({ client: new SharedClient("/", { share: "ann" }) });
}
