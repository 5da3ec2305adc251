const LINGER_MS = 10_000;

/** What the serving tab has: one watch for all tabs that want the same state, and its own for each other one. */
export class Relays {
  #channel;
  #name;
  #locks;
  #client;
  #shared = new Map(); // label → Relay
  #tabs = new Map(); // id → label → what ends it

  constructor(name, locks, client) {
    this.#name = name;
    this.#locks = locks;
    this.#client = client;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    client.addEventListener("state", () => this.#onState(client.state));
    this.#post({ leader: true });
  }

  close() {
    this.#channel.close();
    this.#client.close();
  }

  /** Tabs are as offline as we are, and live again when we are. */
  #onState(state) {
    if (state === "offline") this.#post({ lost: "the tab that serves is offline" });
    if (state === "live") for (const [label, relay] of this.#shared) this.#post({ label, frame: relay.synced() });
  }

  #post(message) {
    this.#channel.postMessage(message);
  }

  #hear({ id, hello, subscribe, unsubscribe, ...rest }) {
    if (hello) this.#welcome(id);
    else if (subscribe) this.#subscribe(id, subscribe, rest);
    else if (unsubscribe) this.#drop(id, unsubscribe);
  }

  #welcome(id) {
    if (!this.#tabs.has(id)) {
      this.#tabs.set(id, new Map());
      this.#locks.request(`${this.#name} ${id}`, () => this.#forget(id));
    }
    this.#post({ welcome: id });
  }

  #forget(id) {
    for (const label of [...(this.#tabs.get(id)?.keys() ?? [])]) this.#drop(id, label);
    this.#tabs.delete(id);
  }

  #end(label, relay) {
    if (relay.tabs.size || this.#shared.get(label) !== relay) return;
    relay.close();
    this.#shared.delete(label);
  }

  #drop(id, label) {
    this.#tabs.get(id)?.get(label)?.();
    this.#tabs.get(id)?.delete(label);
  }

  #subscribe(id, label, /** @type {any} */ { isPlain, asked }) {
    const tab = this.#tabs.get(id);
    if (!tab) return;
    this.#drop(id, label);
    const tell = (frame) => this.#post({ to: id, frame });
    if (!isPlain) {
      const watch = watching(this.#client, label, asked, tell);
      tab.set(label, () => watch.close());
      return;
    }
    let relay = this.#shared.get(label);
    if (!relay) this.#shared.set(label, (relay = new Relay(this.#client, label, (frame) => this.#post({ label, frame }))));
    relay.tellTo(tell, this.#client.state === "live");
    relay.tabs.add(id);
    tab.set(label, () => {
      relay.tabs.delete(id);
      // A tab that is only offline, or loaded again, comes back for it.
      if (!relay.tabs.size) this.#client.world.setTimeout(() => this.#end(label, relay), LINGER_MS);
    });
  }
}

/** A watch for everybody, and its state for whoever comes later. */
class Relay {
  tabs = new Set();
  #watch;
  #state = new Map();
  #isWhole = false;

  constructor(client, label, tell) {
    this.#watch = watching(client, label, {}, (frame) => {
      this.#keep(frame);
      tell(frame);
    });
  }

  close() {
    this.#watch.close();
  }

  /** The state to one tab; that it is whole is said once we are live. */
  tellTo(tell, isLive) {
    for (const frame of this.#state.values()) tell(frame);
    if (isLive) tell(this.synced());
  }

  /** Without a cursor: the state may be newer than the last one. The next is good. */
  synced() {
    return this.#isWhole ? { event: "synced", watch: this.#watch.label, cursor: null, resumed: false } : {};
  }

  #keep(frame) {
    const { event, resource } = frame;
    if (event === "put") this.#state.set(resource, frame);
    else if (event === "delete") this.#state.delete(resource);
    else if (event === "synced") this.#isWhole = true;
    else if (event === "reset") {
      this.#isWhole = false;
      this.#state.clear();
    }
  }
}

/** A watch that tells what a connection would: how far it is, too, and why it ends. */
function watching(client, label, asked, tell) {
  const watch = client.watch(label, {
    ...asked,
    onFrame: (frame) => tell({ ...frame, ref: undefined }),
    onBookmark: tell,
    onCursor: () => tell({ event: "progress", cursor: watch.cursor }),
    onEnd: (error) => error && tell({ event: "problem", code: error.code, message: error.message, watch: label }),
  });
  return watch;
}
