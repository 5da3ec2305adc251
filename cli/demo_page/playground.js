// The reader's own resources: write one by PUT or DELETE, and see what every watcher sees.

import { element } from "/shared/element.js";
import { Rows } from "/shared/rows.js";

const LONGEST_LIST = 50;
const NAMES = { connecting: "Connecting", live: "Live", catching_up: "Catching up", offline: "Offline", closed: "Closed" };

export class Playground {
  #client;
  #parts;
  #rows;
  #store;

  /** @param parts the elements, by their id */
  constructor(client, parts) {
    this.#client = client;
    this.#parts = parts;
    this.#rows = new Rows(parts["playground-list"], (resource) => this.#row(resource));
    this.#store = client.store("playground");
    this.#store.subscribe(() => this.#show());
    client.addEventListener("state", () => this.#stateChanged());
    parts["playground-form"].addEventListener("submit", (event) => {
      event.preventDefault();
      this.#write(event.submitter?.value === "delete" ? "delete" : "put");
    });
  }

  #stateChanged() {
    this.#parts["playground-state"].dataset.state = this.#client.state;
    this.#parts["playground-state-name"].textContent = NAMES[this.#client.state];
  }

  /** The newest first. */
  #show() {
    const all = [...this.#store.getSnapshot()].sort(([, one], [, other]) => (other.time ?? "").localeCompare(one.time ?? ""));
    this.#rows.show(all.slice(0, LONGEST_LIST));
    this.#parts["playground-empty"].hidden = all.length > 0;
  }

  #row(resource) {
    const id = resource.slice("playground/".length);
    const version = element("small");
    const text = element("code");
    const button = element("button", { type: "button", title: "Put it into the form" }, element("strong", {}, id), version, text);
    const item = element("li", { dataset: { resource } }, button);
    let data = null;
    button.addEventListener("click", () => this.#edit(id, data));
    return {
      element: item,
      show: (frame) => {
        data = frame.data;
        item.dataset.version = frame.version;
        version.textContent = `v ${frame.version}`;
        text.textContent = JSON.stringify(data);
      },
    };
  }

  #edit(id, data) {
    this.#parts["playground-id"].value = id;
    this.#parts["playground-data"].value = JSON.stringify(data, null, 2);
    this.#parts["playground-data"].focus();
  }

  async #write(how) {
    const path = `playground/${this.#parts["playground-id"].value}`;
    try {
      const data = how === "put" ? JSON.parse(this.#parts["playground-data"].value) : undefined;
      this.#report("pending", "Waiting for Kafka’s acknowledgement …");
      const { version } = await (how === "put" ? this.#client.put(path, data) : this.#client.delete(path));
      this.#report("done", `${how === "put" ? "Stored" : "Deleted"} as version ${version}.`);
    } catch (error) {
      this.#report("failed", error instanceof SyntaxError ? `This is not JSON: ${error.message}` : error.message);
    }
  }

  #report(outcome, text) {
    this.#parts["playground-result"].dataset.outcome = outcome;
    this.#parts["playground-result"].textContent = text;
  }
}
