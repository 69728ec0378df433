// What all pages of a class are made of: icons, buttons, the code, and how a page is kept like its state.

import { element, fill } from "../dom.js";

const SVG = "http://www.w3.org/2000/svg";
const SOLID = {
  play: "M4 2.5v11l9.5-5.5z",
  pause: "M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z",
  lock: "M4 7V5a4 4 0 0 1 8 0v2h1v7H3V7zm2 0h4V5a2 2 0 0 0-4 0z",
};
const DRAWN = {
  left: "M10.5 3 5.5 8l5 5",
  right: "m5.5 3 5 5-5 5",
  down: "m3.5 6 4.5 4.5L12.5 6",
  check: "M3 8.5 6.5 12 13 4.5",
  x: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  hand: "M5 8.5V4a1 1 0 0 1 2 0v3-4.5a1 1 0 0 1 2 0V7 3.5a1 1 0 0 1 2 0V9c0 3-1 5-3.5 5" +
    "S4.500 12.5 3 10c-.5-1 .6-1.8 1.3-1z",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  screen: "M1.500 3h13v8.5h-13zM5.5 14h5M8 11.5V14",
  send: "M2 8h10M8.5 4.5 12 8l-3.5 3.5",
  undo: "M5.5 3 2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H6",
  again: "M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.500V8l2.5 1.5",
  phone: "M5 1.5h6v13H5zM7.5 12.5h1",
  save: "M3 2.5h8l2 2v9H3zM5.5 2.5V6h5V2.5M5.5 13.5v-4h5v4",
  download: "M8 2.5v8M4.5 7 8 10.5 11.5 7M3 13.5h10",
  leave: "M6.5 2.5H3v11h3.5M7 8h7M11 5l3 3-3 3",
  trash: "M3 4.5h10M6 4.500V2.5h4v2M4.5 4.5l.6 9h5.8l.6-9",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  people:
    "M5.5 7.5a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM1.5 13c0-2.5 1.800-4 4-4s4 1.5 4 4M10.5 7.5a2 2 0 1 0-.6-3.9" +
    "M11 9.2c2 .2 3.5 1.6 3.5 3.8",
  question: "M5.500 5.8A2.5 2.5 0 1 1 8 8.3V10M8 12.5v.1",
  door: "M4 14V2.5h8V14M2 14h12M9.7 8.5v.1",
  full: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.500V10",
};

/** An SVG icon of 16 by 16; it needs no font and no file. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", SOLID[name] ? "icon solid" : "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SOLID[name] ?? DRAWN[name]);
  svg.append(path);
  return svg;
}

/** An element of SVG, with its attributes and children. */
export function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/**
 * An element like `element` makes it, without the children that are null or false; attributes that are false or
 * undefined are left out, and one that is true has no value.
 */
export function part(tag, attributes = {}, ...children) {
  const named = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) named[name] = "";
    else if (value !== false) named[name] = value;
  }
  return element(
    tag,
    named,
    ...children.flat(4).filter((child) => child !== null && child !== undefined && child !== false),
  );
}

/** A button with an icon (or "") and words. `attributes` may name its class ("fill", "tonal", "line", "quiet"). */
export function button(look, iconName, words, act, attributes = {}) {
  return part(
    "button",
    { type: "button", ...attributes, class: `btn ${look} ${attributes.class ?? ""}`.trim(), onclick: act },
    iconName && icon(iconName),
    words !== "" && part("span", { class: "word" }, words),
  );
}

/** An act that the second click of a double click does not do again: by then the button may stand for the next act. */
export const once = (act) => (event) => event.detail > 1 || act(event);

/** A button that shows an icon alone; its name is for screen readers, and its title. */
export function iconButton(look, iconName, name, act, attributes = {}) {
  return button(`${look} only`, iconName, "", act, { ...attributes, "aria-label": name, title: name });
}

/** Choices side by side, one of which is pressed: `[[key, words], …]`. */
export function toggle(label, choices, pressed, act) {
  return part(
    "div",
    { class: "tog", role: "group", "aria-label": label },
    choices.map(([key, words]) =>
      part(
        "button",
        { type: "button", "data-key": key, "aria-pressed": String(key === pressed), onclick: () => act(key) },
        words,
      )
    ),
  );
}

/** A small label with an icon: "help", "bad", "ok", "idle", or plain. */
export function chip(kind, iconName, words) {
  return part("span", { class: `chip ${kind}` }, iconName && icon(iconName), words && part("span", {}, words));
}

/** The six letters of a class in two groups of three; a screen reader spells them. */
export function codeOf(letters, label) {
  return part(
    "span",
    { class: "code6", role: "img", "aria-label": fill(label, { letters: [...letters].join(" ") }), translate: "no" },
    part("span", {}, letters.slice(0, 3)),
    part("span", {}, letters.slice(3)),
  );
}

/** The dot before an offered name ("Blue 7"): its colour, which the name says, too. */
export function swatch(colour) {
  return part("i", { class: "swatch", "data-colour": colour, "aria-hidden": "true" });
}

/**
 * A sentence with its fields filled in. A pair of sentences is for one and for several; `values.n` decides.
 * @param {string | string[]} sentence
 */
export function say(sentence, values = {}) {
  const chosen = typeof sentence === "string" ? sentence : sentence[values.n === 1 ? 0 : 1];
  return fill(chosen, values);
}

/** A sentence with one field, as text and a node in the place of the field. */
export function parted(sentence, field, node) {
  const [before, after] = sentence.split(`{${field}}`);
  return [before, node, after];
}

const ACTS = [
  "onclick",
  "oninput",
  "onchange",
  "onsubmit",
  "onkeydown",
  "onkeyup",
  "onpointerdown",
  "onpointerup",
  "onpointerleave",
  "onpointercancel",
  "onblur",
  "onfocus",
  "ontoggle",
  "onclose",
];
const KEPT = new Set(["open", "width", "height"]); // of a dialog, and of a canvas, which they would clear
const isPlace = (node, name) => name === "style" && node.hasAttribute("popover"); // where a menu was opened
const OWN = "data-own"; // an element whose children are drawn by somebody else

/**
 * Change what `node` shows into what `made` shows, and keep the nodes that stay: the focus, a pressed button, an open
 * pop-up and the text of a field are not lost when a new state is drawn. Children are found again by their
 * `data-key`, or else in their order.
 */
export function become(node, made) {
  for (const { name } of [...node.attributes]) {
    if (!made.hasAttribute(name) && !KEPT.has(name) && !isPlace(node, name)) node.removeAttribute(name);
  }
  for (const { name, value } of made.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  for (const act of ACTS) if (node[act] !== made[act]) node[act] = made[act];
  if (made.paint) {
    node.paint = made.paint;
    node.tile = made.tile; // what it is painted from
  }
  if (node.matches("input, textarea") && document.activeElement !== node && made.value !== node.value) {
    node.value = made.value;
  }
  if (!made.hasAttribute(OWN)) showChildren(node, [...made.childNodes]);
  return node;
}

/** Show exactly these children in a node, and keep those that are there already. */
export function showChildren(node, wanted) {
  const keyed = new Map();
  for (const child of node.children) if (child.dataset?.key) keyed.set(child.dataset.key, child);
  let at = node.firstChild;
  for (const next of wanted) {
    const known = next.dataset?.key && keyed.get(next.dataset.key);
    if (known && known.tagName === next.tagName) {
      if (known === at) at = at.nextSibling;
      else node.insertBefore(known, at);
      become(known, next);
    } else if (at && isAlike(at, next)) {
      if (at.nodeType === Node.ELEMENT_NODE) become(at, next);
      else if (at.data !== next.data) at.data = next.data;
      at = at.nextSibling;
    } else {
      node.insertBefore(next, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    if (!wanted.includes(gone)) gone.remove();
  }
}

const isAlike = (one, other) =>
  one.nodeType === other.nodeType && one.nodeName === other.nodeName && !one.dataset?.key && !other.dataset?.key;

/** A canvas that is painted by `paint(context, width, height)` in CSS pixels, now and whenever `repaint` is called. */
export function canvas(paint, attributes = {}) {
  const made = part("canvas", { role: attributes["aria-label"] ? "img" : undefined, ...attributes });
  if (!attributes["aria-label"]) made.setAttribute("aria-hidden", "true");
  made.paint = paint;
  return made;
}

/** Paint a canvas again, at its present size. */
export function repaint(node) {
  const { width, height } = node.getBoundingClientRect();
  if (!width || !height || !node.paint) return;
  const sharp = Math.min(devicePixelRatio || 1, 2);
  const size = [Math.round(width * sharp), Math.round(height * sharp)];
  if (node.width !== size[0] || node.height !== size[1]) [node.width, node.height] = size;
  const context = node.getContext("2d");
  context.setTransform(sharp, 0, 0, sharp, 0, 0);
  context.clearRect(0, 0, width, height);
  node.paint(context, width, height);
}

/** The value of a colour's role in the theme in use. */
export const colour = (role) => getComputedStyle(document.documentElement).getPropertyValue(`--${role}`).trim();

/** Say a sentence to screen readers; "assertive" for what interrupts. */
export function announce(sentence, manner = "polite") {
  const id = `say-${manner}`;
  let line = document.getElementById(id);
  if (!line) {
    line = part("p", { id, class: "unseen", "aria-live": manner });
    document.body.append(line);
  }
  if (line.textContent !== sentence) line.textContent = sentence;
}

/** Copy a text; whether that worked. Without https a browser has no clipboard for pages, but a selection to copy. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = element("textarea", { readonly: "", class: "unseen" });
    field.value = text;
    document.body.append(field);
    field.select();
    const worked = document.execCommand("copy");
    field.remove();
    return worked;
  }
}
