import { createContext, createElement, useCallback, useContext, useSyncExternalStore } from "react";

const LINGER_MS = 1_000;
const NOTHING = Object.freeze({ state: new Map(), isReady: false, error: null });
const Client = createContext(null);
const collections = new WeakMap(); // client → key → Shared

/** Gives a client to the hooks below it. */
export function WatchProvider({ client, children }) {
  return createElement(Client.Provider, { value: client }, children);
}

/** What is known of a collection, or of a `prefix` of it, by resource. */
export function useCollection(path, { prefix } = /** @type {any} */ ({})) {
  const client = useContext(Client);
  const subscribe = useCallback((listener) => sharedOf(client, path, prefix).subscribe(listener), [client, path, prefix]);
  const getSnapshot = () => collections.get(client)?.get(keyOf(path, prefix))?.snapshot ?? NOTHING;
  return useSyncExternalStore(subscribe, getSnapshot, () => NOTHING);
}

/** The newest frame of a resource: `data`, `version`; undefined while it isn't known, or isn't there. */
export function useResource(path) {
  const { state, isReady, error } = useCollection(path);
  const { data, version } = state.get(path) ?? {};
  return { data, version, isReady, error };
}

/** How the connection is: `state`, and `reason` where there is one. */
export function useConnection() {
  const client = useContext(Client);
  const subscribe = useCallback(
    (listener) => {
      client.addEventListener("state", listener);
      return () => client.removeEventListener("state", listener);
    },
    [client],
  );
  const state = useSyncExternalStore(subscribe, () => client.state, () => "connecting");
  return { state, reason: client.reason };
}

/** One store for all components that show the same. */
class Shared {
  snapshot = NOTHING;
  #store;
  #listeners = new Set();
  #end;
  #timer;

  constructor(store, end) {
    this.#store = store;
    this.#end = end;
    store.subscribe(() => this.#take({ state: store.getSnapshot(), error: store.error }));
    store.ready.then(
      () => this.#take({ state: store.getSnapshot(), isReady: true }),
      () => {}, // `error` has it
    );
  }

  subscribe(listener) {
    clearTimeout(this.#timer);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      // The next view often shows the same, and React mounts twice in strict mode.
      if (!this.#listeners.size) this.#timer = setTimeout(() => this.#close(), LINGER_MS);
    };
  }

  #close() {
    this.#store.close();
    this.#end();
  }

  #take(change) {
    this.snapshot = { ...this.snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function sharedOf(client, path, prefix) {
  const key = keyOf(path, prefix);
  const all = collections.get(client) ?? new Map();
  collections.set(client, all);
  if (!all.has(key)) all.set(key, new Shared(client.store(path, { prefix }), () => all.delete(key)));
  return all.get(key);
}

function keyOf(path, prefix) {
  return prefix === undefined ? path : `${path}?prefix=${prefix}`;
}
