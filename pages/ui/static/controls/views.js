// Views: groups of charts of which one is visible, chosen with a row of buttons. Hidden charts cost nothing.

import { element } from "../dom.js";

export class Views {
  /** The `board`'s charts have a spec with views (none: always visible); `label` is the row's accessible name. */
  constructor(board, label) {
    this.board = board;
    const charts = [...board.charts.values()];
    const names = [...new Set(charts.flatMap((chart) => chart.spec.views.slice(0, 1)))]; // in order of their own charts
    this.buttons = names.map((name) =>
      element("button", { type: "button", class: "button", "data-view": name, onclick: () => this.choose(name) }, name)
    );
    this.bar = element("div", { class: "views", role: "group", "aria-label": label }, ...this.buttons);
    this.bar.hidden = names.length === 0;
    if (names.length) this.choose(names[0]);
  }

  choose(name) {
    for (const button of this.buttons) button.setAttribute("aria-pressed", button.dataset.view === name);
    for (const { spec, card } of this.board.charts.values()) {
      card.hidden = spec.views.length > 0 && !spec.views.includes(name);
    }
    this.board.countNarrow();
  }
}
