// Making elements, without a framework. Text is always text: nothing here reads markup.

/** An element: `element("p", { className: "note" }, "text", other)`; members of `dataset` and `aria-…` are known. */
export function element(name, members = {}, ...content) {
  return filled(document.createElement(name), members, content);
}

/** The same of SVG, where everything is an attribute. */
export function svg(name, attributes = {}, ...content) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** Set a text only when it is another one: nothing is painted, or read out, for nothing. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Every element of the page that has an `id`, by it. */
export function partsOfPage() {
  return Object.fromEntries([...document.querySelectorAll("[id]")].map((part) => [part.id, part]));
}

function filled(made, { dataset, ...members }, content) {
  Object.assign(made.dataset, dataset);
  for (const [key, value] of Object.entries(members)) {
    if (key.startsWith("aria-") || key === "role" || key === "for") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...content);
  return made;
}
