import assert from "node:assert/strict";
import { WatchClient } from "../../src/index.js";
import "../../src/back.js"; // fetched once: no test waits for that
import "../../src/http.js";
import "../../src/poll.js";
import "../../src/sse.js";
import { Clock, settled } from "./clock.js";
import { problemAnswer } from "./connection.js";
import { Network } from "./network.js";

/** A client, the clock and the network that it lives in, and what its watches have given: plays the steps of a case. */
export class Stage {
  clock = new Clock();
  network = new Network();
  watches = [];
  #ref;

  constructor({ random = 0.5, options = {}, watch, watches = watch ? [watch] : [] }) {
    const { now, setTimeout, clearTimeout } = this.clock;
    const tokens = [].concat(options.token ?? []);
    this.client = new WatchClient("http://server.test", {
      ...options,
      token: tokens.length ? async () => (tokens.length > 1 ? tokens.shift() : tokens[0]) : undefined,
      world: { now, setTimeout, clearTimeout, random: () => random, ...this.network.world },
    });
    for (const { path, ...more } of watches) this.watch(path, more);
  }

  /** Starts a watch, and takes whatever it gives. */
  watch(path, options) {
    const taken = { watch: this.client.watch(path, options), frames: [], end: undefined };
    this.watches.push(taken);
    this.#take(taken);
    return taken;
  }

  async play(steps) {
    for (const [number, step] of steps.entries()) {
      const [[verb, what]] = Object.entries(step);
      await settled();
      try {
        await this.#step(verb, what);
      } catch (error) {
        error.message = `step ${number}, ${JSON.stringify(step)}: ${error.message}`;
        throw error;
      }
      await settled();
    }
  }

  /** The next attempt that nobody has looked at. */
  attempt() {
    const connection = this.network.connections.find((each) => !each.isSeen);
    assert.ok(connection, "nothing was attempted");
    connection.isSeen = true;
    return connection;
  }

  async #take(taken) {
    try {
      for await (const frame of taken.watch) taken.frames.push(frame);
      taken.end = null;
    } catch (error) {
      taken.end = error.code ?? error;
    }
  }

  #connection(n) {
    return n === undefined ? this.network.newest() : this.network.connections[n - 1];
  }

  #step(verb, what) {
    const { n, ...members } = what;
    switch (verb) {
      case "connects":
        return this.#connects(what);
      case "refuses":
        return this.#refuses(this.#connection(n), members);
      case "fails":
        return this.#fails(this.#connection(n));
      case "opens":
        return this.#connection(n).opens();
      case "hears":
        return this.#hears(this.#connection(n), members);
      case "says":
        return this.#connection(n).says(members.ref === "$ref" ? { ...members, ref: this.#ref } : members);
      case "answers":
        return this.#connection(n).answers(members);
      case "closes":
        return this.#connection(n).ends(what.code);
      case "passes":
        return this.clock.pass(what.ms);
      case "closed":
        return assert.ok(this.#connection(n).isClosed, "the connection is still open");
      case "yields":
        return this.#yields(what);
      case "quiet":
        return this.#quiet();
      case "state":
        return assert.equal(this.client.state, what);
      case "ends":
        return assert.equal(this.watches[+what.of.slice(1)].end, what.code);
      default:
        throw new Error(`there is no step ${verb}`);
    }
  }

  #connects(expected) {
    const connection = this.attempt();
    for (const [name, value] of Object.entries(expected)) assert.equal(connection[name], value, name);
  }

  #refuses(connection, problem) {
    // A page isn't told why a handshake failed: it asks again, over HTTP.
    if (connection.transport === "ws") this.network.probe = problemAnswer(problem);
    connection.refuses(problem);
  }

  #fails(connection) {
    // The handshake broke, and it wasn't the server: that answers.
    if (connection.transport === "ws" && !connection.isOpen) this.network.probe = Response.json({ frames: [], cursor: "" });
    connection.fails();
  }

  #hears(connection, members) {
    const operation = connection.heard.shift();
    assert.ok(operation, "the client has sent nothing more");
    for (const [name, value] of Object.entries(members)) assert.deepEqual(operation[name], value, name);
    this.#ref = operation.ref;
  }

  #yields({ of = "w0", ...members }) {
    const frame = this.watches[+of.slice(1)].frames.shift();
    assert.ok(frame, "nothing more was yielded");
    for (const [name, value] of Object.entries(members)) {
      assert.deepEqual(name === "version" ? String(frame[name]) : frame[name], name === "version" ? String(value) : value, name);
    }
  }

  #quiet() {
    assert.deepEqual(this.watches.flatMap(({ frames }) => frames), []);
    assert.deepEqual(this.network.connections.filter(({ isSeen }) => !isSeen).map(({ transport }) => transport), []);
  }
}
