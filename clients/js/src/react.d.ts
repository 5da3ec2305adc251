import type { ReactNode } from "react";
import type { Put, State, WatchClient, WatchError } from "./index.js";

/** Gives a client to the hooks below it. */
export function WatchProvider(props: { client: WatchClient; children?: ReactNode }): ReactNode;

/** A collection, or the ids under a prefix of it, by resource. `state` is a new map whenever something has changed. */
export function useCollection<T = unknown>(path: string, options?: { prefix?: string }): Known<T>;

/** One resource; `data` is undefined while it isn't known, and when it isn't there (`isReady` says which). */
export function useResource<T = unknown>(path: string): {
  data: T | undefined;
  version: string | undefined;
  isReady: boolean;
  error: WatchError | null;
};

/** How the connection is. */
export function useConnection(): { state: State; reason: WatchError | null };

export interface Known<T> {
  state: ReadonlyMap<string, Put<T>>;
  /** Whether all of it is there. */
  isReady: boolean;
  error: WatchError | null;
}
