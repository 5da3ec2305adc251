import { WatchClient } from "@watchroute/client";
import { createApp, onUnmounted, shallowRef } from "vue";

const server = new URLSearchParams(location.search).get("server") ?? location.origin;
const client = new WatchClient(server);

/** What is watched, as a ref to a map that is replaced when it has changed. */
function useCollection(path, options) {
  const store = client.store(path, options);
  const state = shallowRef(store.getSnapshot());
  store.subscribe(() => (state.value = store.getSnapshot()));
  onUnmounted(() => store.close());
  return state;
}

function useConnection() {
  const state = shallowRef(client.state);
  client.addEventListener("state", () => (state.value = client.state));
  return state;
}

createApp({ setup: () => ({ stocks: useCollection("stocks"), state: useConnection() }) }).mount("#app");
