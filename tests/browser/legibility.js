// Texts whose contrast to what is behind them is below the 4.5 of WCAG 2.2, AA; and controls without a name.
() => {
  const channel = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const colour = (text) => text.match(/[\d.]+/g).map(Number);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const [one, other] = [luminance(colour(getComputedStyle(element).color)), luminance(behind(element))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".visually-hidden, .skip");
  const isMoving = (element) => element.getAnimations().length > 0;
  const named = ({ labels, textContent, ariaLabel }) => labels?.length || textContent.trim() || ariaLabel;
  const faint = [...document.body.querySelectorAll("*")]
    .filter((element) => hasText(element) && isSeen(element) && !isMoving(element) && contrast(element) < 4.5)
    .map((element) => `faint: ${element.className} ${element.textContent.trim().slice(0, 40)} ${contrast(element).toFixed(2)}`);
  const nameless = [...document.querySelectorAll("button, input, select, textarea, [tabindex='0']")]
    .filter((element) => isSeen(element) && !named(element))
    .map((element) => `nameless: ${element.outerHTML.slice(0, 80)}`);
  return [...faint, ...nameless];
}
