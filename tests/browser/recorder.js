// Runs in the page before anything of the page does: writes down every version of a stock that the page ever shows, and
// what the page's policy forbade. `sameDocument` is gone after a reload.
window.sameDocument = true;
window.shown = [];
window.violations = [];

document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
});

new MutationObserver(() => {
  for (const row of document.querySelectorAll("#quote-list .quote")) {
    const { resource, version, epoch } = row.dataset;
    if (version === undefined) continue; // yet to be painted
    const price = row.querySelector(".price span")?.textContent;
    const last = window.shown.findLast((entry) => entry.resource === resource);
    if (last?.version !== version || last.epoch !== Number(epoch)) {
      window.shown.push({ resource, version, epoch: Number(epoch), price });
    }
  }
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-version", "data-epoch"] });
