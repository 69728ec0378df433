// Over the list of racers: a button that takes each one out of the race, one that adds another, and a look inside each.
//
// The figure's `meta.racers` says what each button turns. The nodes are made once and moved, so none loses the focus.

import { element, fill } from "../dom.js";
import { setDrawer } from "../page/page.js";
import { popup } from "./menu.js";

const BELOW = 24; // pixels from the last row to the button that adds a racer: the numbers of the axis stand between
const INSIDE = "rule"; // the chart that opens with a look inside

export class Racers {
  /** `chart` has board, stage, plot, place and figure. */
  constructor(chart) {
    this.chart = chart;
    this.board = chart.board;
    this.words = this.board.words.racers;
    this.rows = [];
    this.adder = element("button", { type: "button", class: "add" }, this.words.add);
    this.panel = element("div", { class: "choices", role: "group", "aria-label": this.words.add });
    popup(this.adder, this.panel, () => this.fillPanel());
    this.root = element("div", { class: "racer-list" }, this.adder, this.panel);
    chart.stage.append(this.root);
    this.board.turns.controls.add(this);
  }

  get turns() {
    return this.chart.figure?.layout.meta?.racers ?? null;
  }

  /** The names that the list shows, row by row. */
  get names() {
    return this.chart.figure?.layout.yaxis.ticktext ?? [];
  }

  can(knob) {
    return Boolean(this.board.turns.spec(knob));
  }

  row(at) {
    this.rows[at] ??= this.newRow(at);
    return this.rows[at];
  }

  newRow(at) {
    const look = element("button", {
      type: "button",
      class: "inside",
      onclick: () => {
        this.board.turn("inside", this.turns.inside[at]);
        this.board.places.open(INSIDE);
      },
    });
    const remove = element("button", {
      type: "button",
      class: "remove",
      onclick: () => this.turns.remove[at] && this.board.turn(...this.turns.remove[at]),
    }, "−");
    const root = element("div", { class: "racer", role: "group" }, look, remove);
    this.root.insertBefore(root, this.adder);
    return { root, look, remove };
  }

  fillPanel() {
    const button = (label, act) =>
      element("button", {
        type: "button",
        class: "act",
        onclick: () => {
          this.panel.hidePopover();
          act();
        },
      }, label);
    this.panel.replaceChildren(
      ...(this.turns?.add ?? []).map(([label, knob, value]) => button(label, () => this.board.turn(knob, value))),
      ...(this.can("own") ? [button(this.words.own, () => setDrawer(true))] : []),
    );
  }

  show() {
    const { turns, names } = this;
    if (!turns) return;
    names.forEach((name, at) => {
      const { root, look, remove } = this.row(at);
      root.setAttribute("aria-label", name);
      look.setAttribute("aria-label", fill(this.words.inside, { name }));
      look.title = look.getAttribute("aria-label");
      look.hidden = !this.can("inside");
      remove.setAttribute("aria-label", fill(this.words.remove, { name }));
      remove.hidden = !turns.remove[at] || !this.can(turns.remove[at][0]);
    });
    for (const { look, remove } of this.rows.slice(names.length)) look.hidden = remove.hidden = true;
    this.adder.hidden = !this.can("racers") || (turns.add.length === 0 && !this.can("own"));
  }

  take(part) {
    if (part.figure || part.set?.some(([path]) => path[0] === "layout" && path[1] === "meta")) this.draw();
  }

  /** The list was drawn: put the buttons where its rows are. */
  draw() {
    const full = this.chart.plot._fullLayout;
    this.root.hidden = !this.turns || !full?.yaxis?.d2p || this.chart.place === "small";
    if (this.root.hidden) return;
    const { yaxis } = full;
    const high = Math.abs(yaxis.d2p(1) - yaxis.d2p(0));
    this.names.forEach((_, at) => {
      const middle = yaxis._offset + yaxis.d2p(at);
      const { look, remove } = this.row(at);
      for (const node of [look, remove]) node.style.top = `${middle.toFixed(1)}px`;
      look.style.height = `${(0.9 * high).toFixed(1)}px`;
    });
    this.adder.style.top = `${(yaxis._offset + yaxis._length + BELOW * this.board.scale).toFixed(1)}px`;
    this.show();
  }

  destroy() {
    this.board.turns.controls.delete(this);
  }
}
