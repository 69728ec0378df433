// The parts of a page's title row and drawer that need no rerun: buttons that open the drawer, lead to the prose, pin
// the run, make the type larger or fill the screen.

import { element, icon } from "../dom.js";
import { closePopover, followWidth, isDrawerOpen, isLarge, setDrawer, setLarge } from "./page.js";

const PARTS = { settings, head, idea, actions, large };
const shown = new WeakMap(); // the root of each element that Streamlit gives us

/** Opens and closes the drawer, and says how many settings differ from their defaults. */
function settings(root, words) {
  const count = element("span", { class: "count" });
  const button = element(
    "button",
    { type: "button", class: "quiet", onclick: () => setDrawer(!isDrawerOpen()) },
    icon("settings"),
    element("span", { class: "word" }, words.settings),
    count,
  );
  root.append(button);
  followWidth(root.closest(".st-key-page"));
  const end = followLab(root.closest(".st-key-title-row"));
  const follow = () => button.setAttribute("aria-expanded", String(isDrawerOpen()));
  follow();
  return {
    update(data) {
      count.textContent = data.changed || "";
      button.setAttribute("aria-label", data.changed ? data.label : words.settings);
      button.title = data.label;
    },
    events: { "page:drawer": follow },
    end,
  };
}

/**
 * Keep the chosen lab in sight where the row has no room for all of them: Streamlit scrolls to it before the other
 * parts of the row have their widths, and then makes the list again. Returns what ends it.
 */
function followLab(row) {
  const show = () =>
    row.querySelector('.st-key-tabs [aria-checked="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  const list = new ResizeObserver(show);
  const watch = () => {
    list.disconnect();
    const tabs = row.querySelector(".st-key-tabs");
    if (tabs) list.observe(tabs); // which also tells its first size
  };
  const chosen = new MutationObserver(watch);
  watch();
  chosen.observe(row, { subtree: true, childList: true, attributeFilter: ["aria-checked"] });
  return () => {
    list.disconnect();
    chosen.disconnect();
  };
}

/** The head of the drawer. */
function head(root, words) {
  const close = element("button", {
    type: "button",
    class: "quiet close",
    "aria-label": words.close,
    onclick: () => setDrawer(false),
  }, "×");
  root.append(element("h2", {}, words.settings), close);
  return {};
}

/** Leads to the prose below the board. */
function idea(root, words) {
  root.append(element("button", { type: "button", class: "quiet", onclick: showIdea }, words.idea));
  return {};
}

function showIdea() {
  const prose = document.querySelector(".st-key-prose");
  if (!(prose instanceof HTMLElement)) return;
  prose.tabIndex = -1;
  prose.focus({ preventScroll: true });
  const isStill = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  prose.scrollIntoView({ behavior: isStill ? "instant" : "smooth", block: "start" });
}

/** What one does with the board and the page: the first items of "More". */
function actions(root, words) {
  const tell = (name) => () => window.dispatchEvent(new CustomEvent(name));
  const item = (word, act) => element("button", { type: "button", class: "quiet item", onclick: act }, word);
  const large = item(words.large, () => {
    const isKept = setLarge(!isLarge());
    note.textContent = isKept ? "" : words.largeNotKept;
  });
  const pin = item(words.pin, tell("board:pin"));
  const full = item(words.fullScreen, () => {
    closePopover(); // it would lie under the board
    tell("board:fullscreen")();
  });
  const note = element("p", { class: "note", role: "status" });
  root.append(pin, large, full, note);
  const follow = () => large.setAttribute("aria-pressed", String(isLarge()));
  follow();
  return {
    update(data) {
      pin.hidden = !data.pin;
      full.hidden = !data.board;
    },
    events: { "board:large": follow },
  };
}

/** Larger type, on a page without "More". */
function large(root, words) {
  const button = element("button", {
    type: "button",
    class: "quiet",
    "aria-label": words.large,
    title: words.large,
    onclick: () => setLarge(!isLarge()),
  }, words.largeShort);
  root.append(button);
  const follow = () => button.setAttribute("aria-pressed", String(isLarge()));
  follow();
  return { events: { "board:large": follow } };
}

export default function ({ data, parentElement }) {
  let part = shown.get(parentElement);
  if (!part?.root.isConnected) {
    const root = element("div", { "data-title-part": data.part });
    parentElement.append(root);
    part = { root, ...PARTS[data.part](root, data.words) };
    shown.set(parentElement, part);
    part.gone = new AbortController();
    for (const [type, act] of Object.entries(part.events ?? {})) {
      window.addEventListener(type, act, { signal: part.gone.signal });
    }
  }
  part.update?.(data);
  return () => {
    part.gone.abort();
    part.end?.();
    part.root.remove();
    shown.delete(parentElement);
  };
}
