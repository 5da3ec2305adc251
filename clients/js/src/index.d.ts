/** One Watchroute: docs/protocol.md is what it speaks. */
export class WatchClient extends EventTarget {
  constructor(url: string | URL, options?: ClientOptions);
  readonly url: string;
  /** Dispatches `state` whenever it changes, and when a better transport is in use again. */
  readonly state: State;
  /** Why it is offline or closed. */
  readonly reason: WatchError | null;
  /** The transport in use: `ws`, `sse`, `poll`, or the name of one's own. */
  readonly transport: string;
  /** Watch a resource (`stocks/AAPL`), a collection (`stocks`), or the ids under a prefix. It begins at once. */
  watch<T = unknown>(path: string, options?: WatchOptions<T>): Watch<T>;
  /** A live map of what is watched. */
  store<T = unknown>(path: string, options?: StoreOptions): Store<T>;
  /** The state now, `null` when there is none. `atLeast` is the cursor of a write that it must not be older than. */
  get<T = unknown>(path: string, options?: { atLeast?: string; signal?: AbortSignal }): Promise<Read<T> | null>;
  /**
   * Replace the state: resolves when it is written for good.
   * It goes over the open WebSocket, or is a request; nothing is ever written twice.
   * Where nobody knows what became of it (`outcome: "unknown"`) it is up to you to do it again, which is safe.
   */
  put(path: string, data: unknown, options?: WriteOptions): Promise<Written>;
  /** As `put`. */
  delete(path: string, options?: WriteOptions): Promise<Written>;
  /** End every watch and connection, for good. */
  close(): void;
  addEventListener(type: "state", listener: (event: Event) => void, options?: AddEventListenerOptions | boolean): void;
}

export interface WriteOptions {
  signal?: AbortSignal;
  /** Go on when the page is left (as `fetch` has it), by a request of its own. */
  keepalive?: boolean;
}

export interface ClientOptions {
  /** A token, or a function that gets one: asked at first, before it ends, and when it was refused. */
  token?: string | (() => string | Promise<string>);
  /** Show tickets instead of the token where a WebSocket is opened; each watch has a connection of its own then. */
  tickets?: boolean;
  /** What is tried, in this order. Default: all three. */
  transports?: (TransportName | Transport)[];
  /** How long a connection may be silent while nobody knows how often the server speaks. Default: 45 000. */
  silenceMs?: number;
  /** Clock, chance, `fetch` and `WebSocket`, where others than those of the platform are wanted. */
  world?: Partial<World>;
}

export type State = "connecting" | "live" | "catching_up" | "offline" | "closed";
export type TransportName = "ws" | "sse" | "poll";

/** A transport of one's own, such as `tabs()`. */
export interface Transport {
  readonly name: string;
}

export interface World {
  now(): number;
  random(): number;
  setTimeout(call: () => void, ms: number): unknown;
  clearTimeout(timer: never): void;
  fetch: typeof fetch;
  WebSocket: unknown;
}

export interface StoreOptions {
  prefix?: string;
  signal?: AbortSignal;
}

export interface WatchOptions<T = unknown> extends StoreOptions {
  /** `state` (default): the newest of everything. `log`: every record, in order. */
  mode?: "state" | "log";
  /** Go on from here. */
  cursor?: string;
  /** `false`: begin with the changes from now on. */
  snapshot?: boolean;
  /** Called with each frame, instead of iterating. */
  onFrame?(frame: Frame<T>): void;
  /** Called once: `null` when it was closed here. */
  onEnd?(error: WatchError | null): void;
}

/** Frames until it is closed; throws WatchError when it is refused for good. */
export interface Watch<T = unknown> extends AsyncIterableIterator<Frame<T>> {
  /** Covers what was given out, and nothing else: what to resume from, at any time. */
  readonly cursor: string | null;
  /** How fresh the server says it is. */
  readonly freshness: Date | null;
  /** How many values were left out because newer ones came. */
  readonly skipped: number;
  close(): void;
}

export interface Put<T = unknown> {
  event: "put";
  resource: string;
  version: string;
  time?: string;
  type?: string;
  data: T;
}

export interface Delete {
  event: "delete";
  resource: string;
  version: string;
  time?: string;
  type?: string;
}

/** The state is complete: what was not told is not there. */
export interface Synced {
  event: "synced";
  watch: string;
}

/** Forget what was told: everything follows anew, or, in `log` mode and for `expired`, what is still kept. */
export interface Reset {
  event: "reset";
  watch: string;
  reason: "expired" | "epoch" | "cursor";
}

export type Frame<T = unknown> = Put<T> | Delete | Synced | Reset;

export interface Read<T = unknown> {
  data: T;
  cursor: string | null;
}

export interface Written {
  resource: string;
  version: string;
  cursor: string;
}

/** Everything of a watch by resource; each `Map` that `getSnapshot` gives stays as it is. */
export interface Store<T = unknown> {
  /** Resolves when all of the state is there; rejects when the watch is refused. */
  readonly ready: Promise<void>;
  readonly error: WatchError | null;
  readonly freshness: Date | null;
  readonly skipped: number;
  readonly cursor: string | null;
  getSnapshot: () => ReadonlyMap<string, Put<T>>;
  /** Called after changes, at most once for each picture that the page draws. Returns what ends it. */
  subscribe: (listener: () => void) => () => void;
  close(): void;
}

/** Something was refused, or failed: `code` is of the protocol's table, or `lost`, `silent`, `closed`, `no_token` (`cause`: why). */
export class WatchError extends Error {
  readonly code: string;
  readonly status?: number;
  readonly retryMs?: number;
  readonly cursor?: string;
  readonly limit?: string;
  /** Of a write: whether it may have been done. */
  readonly outcome?: "not_written" | "unknown" | "written";
}
