// Who is at this page: made-up people, for whom the demo gives tokens. A page of yours asks its own backend.

import { element } from "./element.js";

/** Fill a group with those whom one may be. `chosen(sub, name)` is called now, and whenever it is somebody else. */
export async function signIn(group, chosen) {
  const people = await (await fetch("/sign-in/")).json();
  const named = location.hash.slice(1);
  const first = named in people ? named : Object.keys(people)[0];
  for (const [sub, name] of Object.entries(people)) {
    const choice = element("input", { type: "radio", name: "who", value: sub, checked: sub === first });
    choice.addEventListener("change", () => {
      history.replaceState(null, "", `#${sub}`); // another window may be somebody else
      chosen(sub, name);
    });
    group.append(element("label", {}, choice, element("span", {}, name)));
  }
  chosen(first, people[first]);
}

/** The function that a WatchClient takes as `token`: a new one whenever it is asked. */
export function tokenFor(sub) {
  return async () => {
    const answer = await fetch(`/sign-in/${sub}`, { method: "POST" });
    return (await answer.json()).token;
  };
}
