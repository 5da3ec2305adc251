// What is known of the resources of one watch. It decides; it does no I/O and touches no page.
//
// Its promise: within an epoch the version of a resource only grows, whatever is repeated by a resume or a snapshot.

/**
 * @typedef {object} Resource
 * @property {string} version  decimal, as the server sent it
 * @property {number} epoch    counts the times that versions started over for this watch
 * @property {string} time     when the event happened, RFC 3339
 * @property {*} data          the state
 */

export class Resources {
  /** @type {Map<string, Resource>} */
  #shown = new Map();
  // A deleted resource keeps its version until no older event can arrive, so that a repeated put can't bring it back.
  /** @type {Map<string, string>} */
  #deleted = new Map();
  /** @type {Set<string> | null} */
  #snapshot = null;
  #epoch = 0;

  get epoch() {
    return this.#epoch;
  }

  get inSnapshot() {
    return this.#snapshot !== null;
  }

  /** @returns {Resource | undefined} */
  get(resource) {
    return this.#shown.get(resource);
  }

  /** @returns {Map<string, Resource>} a copy */
  all() {
    return new Map(this.#shown);
  }

  /** A whole snapshot follows, and its versions can't be compared with earlier ones. What is shown stays until then. */
  startOver() {
    this.#epoch += 1;
    this.#deleted.clear();
    this.#snapshot = new Set();
  }

  /** @returns {boolean} whether the put is news; if not, nothing has changed */
  put({ resource, version, time, data }) {
    this.#snapshot?.add(resource);
    if (!this.#isNews(resource, version)) return false;
    this.#deleted.delete(resource);
    this.#shown.set(resource, { version, epoch: this.#epoch, time, data });
    return true;
  }

  /** @returns {boolean} whether the resource was there until now */
  delete({ resource, version }) {
    this.#snapshot?.delete(resource);
    if (!this.#isNews(resource, version)) return false;
    this.#deleted.set(resource, version);
    return this.#shown.delete(resource);
  }

  /** The initial state is complete. @returns {string[]} the resources that it didn't have: they are gone */
  synced(resumed) {
    const snapshot = this.#snapshot;
    this.#snapshot = null;
    if (resumed || snapshot === null) return [];
    const gone = [...this.#shown.keys()].filter((resource) => !snapshot.has(resource));
    for (const resource of gone) this.#shown.delete(resource);
    return gone;
  }

  /** A cursor covers everything so far: nothing at or before it arrives any more, not even after a resume from it. */
  covered() {
    this.#deleted.clear();
  }

  #isNews(resource, version) {
    const known = this.#knownVersion(resource);
    // Versions are 64 bits wide; a JavaScript number would round the large ones.
    return known === undefined || BigInt(version) > BigInt(known);
  }

  #knownVersion(resource) {
    const shown = this.#shown.get(resource);
    return shown?.epoch === this.#epoch ? shown.version : this.#deleted.get(resource);
  }
}
