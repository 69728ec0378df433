// What belongs to the whole page: larger type, the drawer with all settings, and the focus in popovers.
//
// Streamlit's HTML loads it before Streamlit itself (routes/files/page_script.py), so that a page opens in the size
// that was chosen; components import the same module.

import { addressOf } from "../address.js";
import { comeBack } from "./session.js";
import { forgetOldClasses, keep, kept } from "../storage.js";

const LARGE_TYPE = "24px"; // of the root: one and a half times
const REM = 16; // pixels of a rem without larger type
const SIDEBAR = 13; // rem, as in page.css
const SIDEBAR_COVERS = 768; // pixels: on a narrower window Streamlit's sidebar lies over the page
const PHONE = 46; // rem of the page's content: the board stands in one column, as in board.css
const NARROW = 62.25; // rem: no room for the drawer beside a board of two columns; it lies over the second place
const PADDING = 2.5; // rem, of the page's main block, left and right
const ICON_FONT = "Material Symbols"; // 375 kB for the few icons that fonts.css does not draw

const root = document.documentElement;

// Larger type.

export const isLarge = () => root.dataset.large === "yes";

/** Switch larger type on or off; false where the browser forgets it. */
export function setLarge(large) {
  applyLarge(large);
  const isKept = keep("localStorage", "board-large", large ? "yes" : "no");
  window.dispatchEvent(new CustomEvent("board:large", { detail: { large } }));
  return isKept;
}

function applyLarge(large) {
  root.dataset.large = large ? "yes" : "no";
  root.style.fontSize = large ? LARGE_TYPE : "";
}

const rem = () => parseFloat(root.style.fontSize) || REM;

// The width of the page, in rem, so that it follows the type.

function applyWidth(content) {
  const width = content <= PHONE ? "phone" : content < NARROW ? "narrow" : "wide";
  if (root.dataset.width === width) return;
  if (root.dataset.width === "wide" && isDrawerOpen()) showDrawer(false); // it would cover what was beside it
  root.dataset.width = width;
  if (width === "wide") showDrawer(kept("localStorage", "drawer") === "open");
}

const sizes = new ResizeObserver(([{ contentRect }]) => applyWidth(contentRect.width / rem()));

// While the sidebar is closed, Streamlit's header has a button that opens it, over the title row.
const sidebar = new MutationObserver(applySidebar);

function applySidebar() {
  root.dataset.sidebar = document.querySelector('[data-testid="stExpandSidebarButton"]') ? "closed" : "open";
}

/** Follow the width of the page's content, an element with no padding of its own, and the sidebar. */
export function followWidth(content) {
  sizes.disconnect();
  sizes.observe(content);
  const header = document.querySelector('[data-testid="stHeader"]');
  if (!header) return;
  sidebar.disconnect();
  sidebar.observe(header, { childList: true, subtree: true });
  applySidebar();
}

// The drawer.

let openedBy; // has the focus again when a drawer that covers something is closed

export const isDrawerOpen = () => root.dataset.drawer === "open";

function showDrawer(open) {
  root.dataset.drawer = open ? "open" : "closed";
  window.dispatchEvent(new CustomEvent("page:drawer", { detail: { open } }));
}

/** Open or close the drawer. Where it stands beside the board, the browser remembers it. */
export function setDrawer(open) {
  showDrawer(open);
  if (root.dataset.width === "wide") {
    keep("localStorage", "drawer", open ? "open" : "closed");
    return;
  }
  if (open) {
    openedBy = document.activeElement;
    drawer()?.querySelector("button")?.focus({ preventScroll: true });
  } else if (drawer() && openedBy?.isConnected) {
    openedBy.focus({ preventScroll: true });
  }
}

const drawer = () => document.querySelector(".st-key-drawer");

// Popovers: Streamlit adds their content at the end of the page and leaves the focus at the button.

const FOCUSABLE = 'a[href], button:not(:disabled), input:not(:disabled), select, textarea, summary, [tabindex="0"]';
const MAX_FRAMES = 60; // until a popover is there

let opener; // the button of the popover that is open
let content; // of that popover

const closing = new MutationObserver(() => {
  if (content?.isConnected) return;
  closing.disconnect();
  const isLost = !document.activeElement || document.activeElement === document.body;
  if (isLost && opener?.isConnected) opener.focus({ preventScroll: true });
  content = undefined;
});

function followPopover({ target }) {
  const pressed = target instanceof Element ? target.closest('[data-testid="stPopoverButton"]') : null;
  if (!pressed || pressed.getAttribute("aria-expanded") === "true") return;
  opener = pressed;
  enterPopover(MAX_FRAMES);
}

/** Move the focus into the popover as soon as it is there, and notice when it is gone. */
function enterPopover(frames) {
  content = [...document.querySelectorAll('[data-testid="stPopoverBody"]')].at(-1);
  const first = content && stops()[0];
  if (!first) {
    if (frames) requestAnimationFrame(() => enterPopover(frames - 1));
    return;
  }
  first.focus({ preventScroll: true });
  closing.observe(content.parentElement.parentElement, { childList: true });
}

/** Close the popover that is open; its button has the focus. */
export function closePopover() {
  if (!content?.isConnected) return;
  opener.click();
  opener.focus({ preventScroll: true });
}

const stops = () =>
  [...content.querySelectorAll(FOCUSABLE)].filter((each) => each.checkVisibility() && each.tabIndex >= 0);

/** Keep the focus in the open popover: after its last element comes its first. */
function keepInside(event) {
  if (event.key !== "Tab" || !content?.contains(document.activeElement)) return;
  const all = stops();
  const [end, other] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
  if (document.activeElement !== end) return;
  event.preventDefault();
  other.focus();
}

function followKeys(event) {
  if (event.key === "Escape" && isDrawerOpen() && root.dataset.width !== "wide" && drawer()?.contains(event.target)) {
    setDrawer(false);
  }
}

// What Streamlit's front end would ask for before it starts.

/** Its socket is opened at once, not after a search for the server; its icon font waits for an icon that needs it. */
function shortenStart() {
  const { origin } = location;
  window.__streamlit = {
    BACKEND_BASE_URL: addressOf(".").href.replace(/[/]$/, ""),
    HOST_CONFIG: { allowedOrigins: [origin], useExternalAuthToken: false }, // until the server's answer comes
  };
  const load = document.fonts.load.bind(document.fonts);
  document.fonts.load = (font, text) => font.includes(ICON_FONT) ? Promise.resolve([]) : load(font, text);
}

function begin() {
  shortenStart();
  comeBack();
  forgetOldClasses();
  applyLarge(kept("localStorage", "board-large") === "yes");
  root.dataset.width = "wide";
  root.dataset.sidebar = innerWidth <= SIDEBAR_COVERS ? "closed" : "open";
  applyWidth(innerWidth / rem() - (innerWidth <= SIDEBAR_COVERS ? 0 : SIDEBAR) - PADDING);
  showDrawer(root.dataset.width === "wide" && kept("localStorage", "drawer") === "open");
  addEventListener("click", followPopover, true);
  addEventListener("keydown", keepInside, true);
  addEventListener("keydown", followKeys);
  addEventListener("board:settings", () => setDrawer(!isDrawerOpen()));
  addEventListener("storage", ({ key, newValue }) => {
    if (key === "board-large") applyLarge(newValue === "yes"); // another tab of the same browser
  });
}

if (!window.__page_begun && !root.dataset.page) { // a page of a class is none of Streamlit's
  window.__page_begun = true;
  begin();
}
