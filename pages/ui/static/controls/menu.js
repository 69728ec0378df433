// Small panels that open at a button, in the browser's top layer, where no box cuts them.

import { element } from "../dom.js";

const GAP = 4; // pixels between a button and its panel, and to the window's edge
let panels = 0;

/**
 * Have a button open and close a panel beside it. The browser closes it on Escape and on a click elsewhere, and gives
 * the focus back. `opened` is called each time before it opens.
 */
export function popup(button, panel, opened = () => {}) {
  panel.id ||= `panel-${++panels}`;
  panel.popover = "auto";
  panel.classList.add("panel");
  button.popoverTargetElement = panel;
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-controls", panel.id);
  panel.addEventListener("beforetoggle", ({ newState }) => newState === "open" && opened());
  panel.addEventListener("toggle", ({ newState }) => {
    button.setAttribute("aria-expanded", String(newState === "open"));
    if (newState !== "open") return;
    const [at, own] = [button.getBoundingClientRect(), panel.getBoundingClientRect()];
    const left = Math.max(GAP, Math.min(at.left, innerWidth - own.width - GAP));
    const below = at.bottom + GAP;
    const top = below + own.height <= innerHeight - GAP ? below : Math.max(GAP, at.top - GAP - own.height);
    panel.style.left = `${left}px`;
    panel.style.top = `${top}px`;
    if (!panel.contains(document.activeElement)) {
      /** @type {HTMLElement} */ (panel.querySelector("[aria-current], [autofocus]") ??
        panel.querySelector("button, input, select, a"))?.focus();
    }
  });
}

/** The "⋯" of a card: what to show in its chart, and what to do with it. */
export class ChartMenu {
  /** `toggles` are labels with checkboxes, `acts` pairs of a label and a function. */
  constructor(title, words, toggles, acts) {
    this.button = element("button", {
      type: "button",
      class: "dots",
      title: words.menu,
      "aria-label": `${words.menu}: ${title}`,
    }, "⋯");
    this.panel = element(
      "div",
      { class: "chart-menu", role: "group", "aria-label": `${words.menu}: ${title}` },
      ...toggles,
      ...acts.map(([label, act, name = label]) =>
        element("button", {
          type: "button",
          class: "act",
          "aria-label": name,
          onclick: () => {
            this.panel.hidePopover();
            act();
          },
        }, label)
      ),
    );
    popup(this.button, this.panel);
  }
}
