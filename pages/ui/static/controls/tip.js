// A few words that are shown beside what is pointed at or has the focus, in the browser's top layer.

import { element } from "../dom.js";

const GAP = 6; // pixels between a thing and its words, and to the window's edge
const CLOSE_MS = 120; // so that the pointer can move onto the words

let tips = 0;

/**
 * Show `panel` while `anchor` is pointed at or has the focus, and after a tap on it; Escape hides it. `opened` is
 * called each time before it opens, and may return false to keep it closed. `focused` are other things that show it
 * while one of them has the focus.
 */
export function tip(anchor, panel, opened = () => true, focused = []) {
  let later = 0;
  panel.id ||= `tip-${++tips}`;
  panel.popover = "manual";
  panel.classList.add("panel", "tip");
  panel.setAttribute("role", "tooltip");
  for (const node of [anchor, ...focused]) node.setAttribute("aria-describedby", panel.id);
  const isOpen = () => panel.matches(":popover-open");
  const close = () => {
    clearTimeout(later);
    document.removeEventListener("keydown", escape, true);
    if (isOpen()) panel.hidePopover();
  };
  const escape = ({ key }) => key === "Escape" && close();
  const open = () => {
    clearTimeout(later);
    if (isOpen() || !panel.isConnected || opened() === false) return;
    panel.showPopover();
    placeBeside(anchor, panel);
    document.addEventListener("keydown", escape, true);
  };
  const leave = () => {
    clearTimeout(later);
    later = setTimeout(close, CLOSE_MS);
  };
  for (const node of [anchor, panel]) {
    node.addEventListener("pointerenter", ({ pointerType }) => pointerType !== "touch" && open());
    node.addEventListener("pointerleave", ({ pointerType }) => pointerType !== "touch" && leave());
  }
  for (const node of [anchor, ...focused]) {
    node.addEventListener("focus", () => node.matches(":focus-visible") && open());
    node.addEventListener("blur", leave);
  }
  anchor.addEventListener("pointerup", ({ pointerType }) => {
    if (pointerType === "touch") isOpen() ? close() : open();
  });
  return { close };
}

/** Put an open panel above or below its anchor, inside the window. */
export function placeBeside(anchor, panel) {
  const [at, own] = [anchor.getBoundingClientRect(), panel.getBoundingClientRect()];
  const middle = at.left + at.width / 2 - own.width / 2;
  const above = at.top - own.height - GAP;
  panel.style.left = `${Math.max(GAP, Math.min(middle, innerWidth - own.width - GAP))}px`;
  panel.style.top = `${above >= GAP ? above : Math.min(at.bottom + GAP, innerHeight - own.height - GAP)}px`;
}

/** A panel with one text. */
export function tipText(text = "") {
  return element("span", { translate: "no" }, text);
}
