// Menus that open at a button: the browser's own pop-ups, which no box cuts and Escape closes.

import { part } from "../parts.js";

const SPACE = 8; // pixels

/** Open or close the pop-up of a button, beside it. The pop-up is the button's next sibling. */
export function openAt(opener) {
  const menu = /** @type {HTMLElement} */ (opener.nextElementSibling);
  menu.togglePopover();
  if (!menu.matches(":popover-open")) return;
  const box = opener.getBoundingClientRect();
  const own = menu.getBoundingClientRect();
  const isBelow = box.bottom + SPACE + own.height <= innerHeight || box.top < innerHeight / 2;
  const left = Math.min(Math.max(SPACE, box.left), Math.max(SPACE, innerWidth - own.width - SPACE));
  menu.style.left = `${left}px`;
  menu.style.top = `${isBelow ? box.bottom + SPACE : Math.max(SPACE, box.top - SPACE - own.height)}px`;
  /** @type {HTMLElement} */ (menu.querySelector("button:not(:disabled), a, input"))?.focus();
}

/** A button and its pop-up; `rows` are what is in it. */
export function menu(key, opener, label, rows) {
  opener.setAttribute("aria-haspopup", "menu");
  opener.dataset.key = `open-${key}`;
  opener.onclick = (event) => openAt(event.currentTarget);
  return [opener, part("div", { class: "pop", popover: "auto", "aria-label": label, "data-key": `menu-${key}` }, rows)];
}

/** Close the pop-up that an element is in; its button gets the focus. */
function closePopup(inside) {
  const open = /** @type {HTMLElement} */ (inside.closest("[popover]"));
  open?.hidePopover();
}

/** One line of a menu, which closes it. */
export function item(words, act, more = {}) {
  return part("button", {
    type: "button",
    ...more,
    class: `row ${more.class ?? ""}`,
    onclick: (event) => {
      closePopup(event.currentTarget);
      act();
    },
  }, words);
}

/** One line that is on or off, and leaves the menu open. */
export function check(words, on, act, more = {}) {
  const box = part("input", { type: "checkbox", onchange: (event) => act(event.target.checked) });
  box.checked = on;
  if (on) box.setAttribute("checked", "");
  return part("label", { class: "row", ...more }, box, words);
}
