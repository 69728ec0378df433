// How the pages of a class look: the theme, and larger type. Both are this browser's, as on the app's pages.

import { keep, kept } from "../storage.js";
import { colour } from "./parts.js";

const THEME = "class-theme";
const LARGE = "board-large"; // the app's own key (page.js)
const LARGE_TYPE = "24px";
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

/** "light" or "dark": chosen on one of these pages, or in Streamlit's menu on the home page, or the system's. */
function wanted() {
  const own = kept("localStorage", THEME);
  if (own) return own;
  const home = kept("localStorage", `stActiveTheme-${new URL("./", location.href).pathname}-v2`) ?? "";
  if (/dark/i.test(home)) return "dark";
  return system.matches && !/light/i.test(home) ? "dark" : "light";
}

function apply() {
  const theme = wanted();
  if (root.dataset.theme !== theme) {
    root.dataset.theme = theme;
    dispatchEvent(new CustomEvent("class:look"));
  }
  const large = kept("localStorage", LARGE) === "yes";
  root.style.fontSize = large ? LARGE_TYPE : "";
}

/** Apply what was chosen, now and when it changes. */
export function followLook() {
  apply();
  system.onchange = apply;
  addEventListener("storage", apply);
}

export const isDark = () => root.dataset.theme === "dark";

/** Change from light to dark or back. */
export function otherTheme() {
  keep("localStorage", THEME, isDark() ? "light" : "dark");
  apply();
}

export const isLarge = () => kept("localStorage", LARGE) === "yes";

/** Larger type, or the usual one. */
export function otherSize() {
  keep("localStorage", LARGE, isLarge() ? "no" : "yes");
  apply();
  dispatchEvent(new CustomEvent("class:look"));
}

/** How large the type is: 1 for the usual one. */
export const sizeOfType = () => parseFloat(getComputedStyle(root).fontSize) / 16;

const probe = document.createElement("canvas").getContext("2d");

/** Red, green and blue (0 to 255) of a colour's role. */
export function rgbOf(role) {
  probe.fillStyle = colour(role) || "#888888";
  const hex = String(probe.fillStyle);
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
