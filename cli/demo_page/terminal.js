// What to type into a terminal, and what the client is told: for those who want to see the protocol itself.

import { element } from "/shared/element.js";

const SHOWN_FRAMES = 12;
const COPIED_MS = 1500;

/** Shell commands that work as they are, against this server. */
export function showCommands(list) {
  const quoted = (path) => `'${location.origin}${path}'`;
  const commands = [
    ["Watch a price", `curl -N ${quoted("/v1/stocks/AAPL/stream")}`],
    ["Read it once, with its ETag and cursor", `curl -i ${quoted("/v1/stocks/AAPL")}`],
    [
      "Publish",
      `curl -X PUT ${quoted("/v1/playground/hello")} -H 'Content-Type: application/json' -d '{"text": "Hello from a terminal"}'`,
    ],
  ];
  list.append(...commands.map(([title, command]) => commandItem(title, command)));
}

function commandItem(title, command) {
  const line = element("div", {}, element("code", {}, command), copyButton(title, command));
  return element("li", {}, element("p", {}, title), line);
}

function copyButton(title, command) {
  const button = element("button", { type: "button", "aria-label": `Copy: ${title}` }, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copied(command, button)) ? "Copied" : "Selected";
    setTimeout(() => (button.textContent = "Copy"), COPIED_MS);
  });
  return button;
}

/** Without HTTPS or a permission there is no clipboard; then the text is selected, ready for the keyboard. */
async function copied(command, button) {
  try {
    await navigator.clipboard.writeText(command);
    return true;
  } catch (error) {
    console.debug("no clipboard", error);
    getSelection().selectAllChildren(button.previousElementSibling);
    return false;
  }
}

/** The newest frames, as they come, while the panel is open. */
export class FrameLog {
  #panel;
  #list;

  constructor(panel, list) {
    this.#panel = panel;
    this.#list = list;
  }

  told(frame) {
    if (!this.#panel.open) return;
    this.#list.prepend(element("li", {}, JSON.stringify(frame)));
    while (this.#list.children.length > SHOWN_FRAMES) this.#list.lastElementChild.remove();
  }
}
