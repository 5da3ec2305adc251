import { WatchError } from "./problem.js";

const EARLY_MS = 60_000;

/** Asked for again when it ends soon or was refused, and kept in memory only. */
export class Token {
  #given;
  #now;
  #asked = null;
  endsAt = Infinity;

  constructor(given, now) {
    this.#given = given;
    this.#now = now;
  }

  get canAsk() {
    return typeof this.#given === "function";
  }

  get() {
    if (!this.canAsk) return Promise.resolve(this.#given ?? "");
    if (this.endsAt - this.#now() < EARLY_MS) this.forget();
    this.#asked ??= this.#ask();
    return this.#asked;
  }

  forget() {
    this.#asked = null;
    this.endsAt = Infinity;
  }

  async #ask() {
    try {
      const token = await this.#given();
      this.endsAt = endOf(token);
      return token;
    } catch (cause) {
      this.forget();
      throw new WatchError("no_token", cause?.message, { cause });
    }
  }
}

function endOf(token) {
  try {
    const claims = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return claims.exp * 1000 || Infinity;
  } catch {
    return Infinity;
  }
}
