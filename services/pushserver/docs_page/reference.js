// Shows an OpenAPI document: operations by tag, and schemas as they are. Nothing of it is taken for HTML.

const METHODS = ["get", "put", "post", "delete"];

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

// A text in which `this` is code.
function prose(text) {
  return text.split("`").map((piece, index) => (index % 2 ? element("code", piece) : piece));
}

function resolved(api, node) {
  const steps = node?.$ref?.startsWith("#/") ? node.$ref.slice(2).split("/") : null;
  return steps ? steps.reduce((found, step) => found[step.replaceAll("~1", "/").replaceAll("~0", "~")], api) : node;
}

function reference(node) {
  const name = node?.$ref?.startsWith("#/components/schemas/") ? node.$ref.split("/").pop() : null;
  if (!name) return element("code", JSON.stringify(node));
  const link = element("a", name);
  link.href = `#schema-${name}`;
  return link;
}

function table(head, rows) {
  const line = (cell, texts) => element("tr", "", ...texts.map((text) => element(cell, "", text)));
  return element("table", "", element("thead", "", line("th", head)), element("tbody", "", ...rows.map((row) => line("td", row))));
}

function parameters(api, operation, shared) {
  const all = [...(shared ?? []), ...(operation.parameters ?? [])].map((each) => resolved(api, each));
  if (!all.length) return [];
  const rows = all.map((each) => [each.name, each.in, element("span", "", ...prose(each.description ?? "")), reference(each.schema)]);
  return [element("h4", "Parameters"), table(["name", "in", "what", "schema"], rows)];
}

function contents(content) {
  return Object.entries(content ?? {}).flatMap(([kind, media]) => [element("code", kind), " ", reference(media.schema), " "]);
}

function body(api, operation) {
  const sent = resolved(api, operation.requestBody);
  return sent ? [element("h4", "Body"), element("p", "", ...contents(sent.content))] : [];
}

function responses(api, operation) {
  const rows = Object.entries(operation.responses).map(([status, node]) => {
    const answer = resolved(api, node);
    return [status, element("span", "", ...prose(answer.description)), element("span", "", ...contents(answer.content))];
  });
  return [element("h4", "Answers"), table(["status", "what", "body"], rows)];
}

function shown(api, path, item, method) {
  const operation = item[method];
  const verb = element("b", method.toUpperCase());
  verb.dataset.method = method;
  const title = element("summary", "", verb, " ", element("code", path), " ", ...prose(operation.summary ?? ""));
  const details = [...parameters(api, operation, item.parameters), ...body(api, operation), ...responses(api, operation)];
  const made = element("details", "", title, ...details);
  made.classList.toggle("deprecated", Boolean(operation.deprecated));
  return made;
}

function group(api, tag) {
  const found = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]?.tags?.includes(tag.name)).map((method) => shown(api, path, item, method)),
  );
  if (!found.length) return [];
  const about = tag["x-watchroute"];
  const lines = [element("h3", tag.name), element("p", "", ...prose(tag.description))];
  if (about) lines.push(element("p", `You may watch ${about.granted.watch} and publish ${about.granted.publish} of it; modes: ${about.modes.join(", ")}.`));
  if (about?.deprecated) lines.push(element("p", `Deprecated: ${JSON.stringify(about.deprecated)}`));
  const made = element("section", "", ...lines, ...found);
  made.dataset.tag = tag.name;
  return [made];
}

export function showDocument(api, operations, schemas, names) {
  operations.replaceChildren(...api.tags.flatMap((tag) => group(api, tag)));
  schemas.replaceChildren(
    ...Object.entries(api.components.schemas).map(([name, schema]) => {
      const made = element("details", "", element("summary", name), element("pre", JSON.stringify(schema, null, 2)));
      made.id = `schema-${name}`;
      return made;
    }),
  );
  names.replaceChildren(...api.tags.filter((tag) => tag["x-watchroute"]).map((tag) => element("option", tag.name)));
}

addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
});
