/** A live map. What `getSnapshot` gives is never changed, only replaced. */
export class Store {
  ready;
  error = null;
  #watch;
  #world;
  #state = new Map();
  #next = null; // the state after a `reset`, shown once it is complete
  #shown = this.#state;
  #listeners = new Set();
  #timer = null;

  constructor(client, path, options) {
    let settle;
    this.ready = new Promise((resolve, reject) => (settle = { resolve, reject }));
    this.ready.catch(() => {}); // whoever doesn't ask has `error`
    this.#world = client.world;
    this.#watch = client.watch(path, {
      ...options,
      onFrame: (frame) => this.#on(frame, settle),
      onEnd: (error) => {
        this.error = error;
        if (error) settle.reject(error);
        this.#changed();
      },
    });
  }

  get freshness() {
    return this.#watch.freshness;
  }

  get skipped() {
    return this.#watch.skipped;
  }

  get cursor() {
    return this.#watch.cursor;
  }

  getSnapshot = () => {
    this.#shown ??= new Map(this.#state);
    return this.#shown;
  };

  subscribe = (listener) => {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  };

  close() {
    this.#watch.close();
  }

  #on(frame, settle) {
    const { event, resource } = frame;
    if (event === "reset") this.#next = new Map();
    else if (event === "synced") {
      this.#state = this.#next ?? this.#state;
      this.#next = null;
      settle.resolve();
    } else if (event === "put") (this.#next ?? this.#state).set(resource, frame);
    else (this.#next ?? this.#state).delete(resource);
    if (!this.#next) this.#changed();
  }

  /** Once for each picture that the page draws, or soon where none is drawn. */
  #changed() {
    this.#shown = null;
    this.#timer ??= this.#soon(() => {
      this.#timer = null;
      for (const listener of this.#listeners) listener();
    });
  }

  #soon(call) {
    const { document, requestAnimationFrame } = globalThis;
    return document && !document.hidden ? requestAnimationFrame(call) : this.#world.setTimeout(call, 0);
  }
}
