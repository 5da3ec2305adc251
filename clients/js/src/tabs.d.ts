import { type ClientOptions, WatchClient } from "./index.js";

/** A client that shares its connection with the other tabs of its origin; without Web Locks it is one like any other. */
export class SharedClient extends WatchClient {
  /** `share` keeps apart who mustn't share: the name of the user, where tabs may be of several. */
  constructor(url: string | URL, options?: ClientOptions & { share?: string });
}
