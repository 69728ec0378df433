// Which of the two themes a part of the page has.

import { rgb } from "./dom.js";
import { kept } from "./storage.js";

/** "light" or "dark", by the background of an element that Streamlit gives a component. */
export function themeOf(parent) {
  return isDark(getComputedStyle(parent).getPropertyValue("--st-background-color")) ? "dark" : "light";
}

function isDark(colour) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = colour.trim() || "#ffffff";
  const [red, green, blue] = rgb(String(probe.fillStyle));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

/** Whether Streamlit will choose the dark theme: the visitor's choice in its menu, or the system's. */
export function isDarkTheme() {
  const chosen = kept("localStorage", `stActiveTheme-${location.pathname}-v2`) ?? "";
  return /dark/i.test(chosen) || (!/light/i.test(chosen) && matchMedia("(prefers-color-scheme: dark)").matches);
}
