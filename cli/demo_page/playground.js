// The reader's own resources: write one by PUT or DELETE, and see what every watcher sees.

const LONGEST_LIST = 50;

export class Playground {
  #resources;
  #parts;
  /** The newest change first. @type {Map<string, HTMLElement>} */
  #items = new Map();

  /** @param parts the elements, by their id */
  constructor(resources, parts) {
    this.#resources = resources;
    this.#parts = parts;
    parts["playground-form"].addEventListener("submit", (event) => {
      event.preventDefault();
      this.#write(event.submitter?.value === "delete" ? "DELETE" : "PUT");
    });
  }

  changed(resource) {
    this.#items.get(resource)?.remove();
    this.#items.delete(resource);
    const found = this.#resources.get(resource);
    if (found !== undefined) this.#addItem(resource, found);
    this.#parts["playground-empty"].hidden = this.#items.size > 0;
  }

  #addItem(resource, { data, version, epoch }) {
    const id = resource.slice("playground/".length);
    const item = itemOf(id, data, version, () => this.#edit(id, data));
    Object.assign(item.dataset, { resource, version, epoch });
    this.#items.set(resource, item);
    this.#parts["playground-list"].prepend(item);
    if (this.#items.size > LONGEST_LIST) this.#dropOldest();
  }

  #dropOldest() {
    const [resource, item] = this.#items.entries().next().value;
    item.remove();
    this.#items.delete(resource);
  }

  #edit(id, data) {
    this.#parts["playground-id"].value = id;
    this.#parts["playground-data"].value = JSON.stringify(data, null, 2);
    this.#parts["playground-data"].focus();
  }

  async #write(method) {
    const id = this.#parts["playground-id"].value;
    const body = this.#parts["playground-data"].value;
    const mistake = method === "PUT" ? mistakeOf(body) : null;
    if (mistake !== null) return this.#report("failed", mistake);
    this.#report("pending", "Waiting for Kafka’s acknowledgement …");
    try {
      const { version } = await send(method, id, body);
      return this.#report("done", `${method === "PUT" ? "Stored" : "Deleted"} as version ${version}.`);
    } catch (error) {
      return this.#report("failed", error.message);
    }
  }

  #report(outcome, text) {
    this.#parts["playground-result"].dataset.outcome = outcome;
    this.#parts["playground-result"].textContent = text;
  }
}

/** Resolves to the producer's answer (`resource`, `version`, `cursor`), rejects with the detail of its refusal. */
async function send(method, id, body) {
  const response = await fetch(`/v1/playground/${encodeURIComponent(id)}`, {
    method,
    ...(method === "PUT" && { headers: { "Content-Type": "application/json" }, body }),
  });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? problem.title ?? `The server answered ${response.status}.`);
}

function mistakeOf(text) {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return `This is not JSON: ${error.message}`;
  }
}

function itemOf(id, data, version, onChoose) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.title = "Put it into the form";
  button.append(text("strong", id), text("small", `v ${version}`), text("code", JSON.stringify(data)));
  button.addEventListener("click", onChoose);
  item.append(button);
  return item;
}

function text(name, content) {
  const element = document.createElement(name);
  element.textContent = content;
  return element;
}
