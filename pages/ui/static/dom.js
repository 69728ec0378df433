// Elements, icons and other small pieces of the page that every part of the board needs.

const ICONS = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  step: "M6 5v14l8-7zM16 5h2.5v14H16z",
  reset: "M12 5V1.5L6.5 7l5.5 5.5V8a5 5 0 1 1-5 5H4.5A7.5 7.5 0 1 0 12 5z",
  full: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  pin: "M9 3h6v2l-1 1v5l3 3v2h-4v5l-1 1-1-1v-5H7v-2l3-3V6L9 5z",
  settings: "M3 6h8v2H3zM15 6h6v2h-6zM11.5 4h3v6h-3zM3 16h4v2H3zM11 16h10v2H11zM7.5 14h3v6h-3z",
  lock: "M7 10V8a5 5 0 0 1 10 0v2h1v11H6V10zM9 10h6V8a3 3 0 0 0-6 0z",
  home: "M12 4 3 12h3v8h5v-5h2v5h5v-8h3z",
};

/** An SVG icon from the paths above: it needs no font and no file. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  return svg;
}

/** A new element: attributes that start with "on" become event handlers, undefined and null ones are left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made[name] = value;
    else if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** A sentence with its {names} replaced by values. */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A sentence whose numbers stay on one line with their units, as in the page's own prose. */
export function withUnits(sentence) {
  return sentence.replace(/(\d) (?=(?:%|°|ms|s|min|kB|MB|GB)(?!\w))/g, "$1\u00a0");
}

/**
 * A number as people type it, with or without its unit: 0.5, 0,5, −3, 20 %. Where a thousand is legal, three digits
 * behind a comma are a group of it: 1,000. NaN for anything else.
 */
export function readNumber(text, { hi, unit }) {
  const typed = text.trim();
  const plain = (unit && typed.endsWith(unit) ? typed.slice(0, -unit.length).trim() : typed).replace("−", "-");
  const isGrouped = hi >= 1000 && /^-?[1-9]\d{0,2}(,\d{3})+$/.test(plain);
  return plain ? Number(isGrouped ? plain.replaceAll(",", "") : plain.replace(/^(-?\d*),(\d+)$/, "$1.$2")) : NaN;
}

/** A number as text with minus signs instead of hyphens. */
export function minus(number) {
  return String(number).replaceAll("-", "−");
}

/** Let long names in the cells of tables break after a dot or an underscore, so that a narrow table need not scroll. */
export function breakNames(tables) {
  for (const code of tables.querySelectorAll("td code")) {
    const [first, ...rest] = code.textContent.split(/(?<=[._])(?=[a-z])/i);
    if (rest.length) code.replaceChildren(first, ...rest.flatMap((part) => [element("wbr"), part]));
  }
}

/** Red, green and blue (0 to 255) of a colour like "#1f77b4". */
export function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** Show an element in full screen, or leave full screen; the focus goes in with it, and back where it was. */
export async function toggleFullScreen(node) {
  if (document.fullscreenElement) return document.exitFullscreen();
  const from = /** @type {HTMLElement} */ (document.activeElement);
  try {
    await node.requestFullscreen();
  } catch {
    return; // the browser has none, or does not allow it
  }
  if (!node.contains(document.activeElement)) node.querySelector(".play, button:not(:disabled)")?.focus();
  const ended = new AbortController();
  const end = () => {
    if (document.fullscreenElement) return;
    ended.abort();
    if (from.isConnected) from.focus({ preventScroll: true });
  };
  document.addEventListener("fullscreenchange", end, { signal: ended.signal });
}

/** Have the browser save the content of a URL as a file with this name. */
export function download(name, url) {
  const link = element("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
