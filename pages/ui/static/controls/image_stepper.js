// Under the image that a model reads: the image before it, and the one after it.

import { element } from "../dom.js";

const KNOB = "image";

export class ImageStepper {
  /** `chart` has board, stage, plot, place and figure, whose `meta.image` has the image's place and number. */
  constructor(chart) {
    this.chart = chart;
    this.board = chart.board;
    const words = this.board.words.image;
    const button = (label, sign, by) =>
      element("button", { type: "button", class: "by-one", "aria-label": label, onclick: () => this.turn(by) }, sign);
    this.counter = element(
      "span",
      { class: "counter at under", role: "group", "aria-label": words.image, "data-knob": KNOB },
      button(words.earlier, "‹", -1),
      element("span", { class: "how-many" }, words.short),
      button(words.later, "›", 1),
    );
    this.root = element("div", { class: "network" }, this.counter);
    chart.stage.append(this.root);
    this.board.turns.controls.add(this);
    this.show();
  }

  get meta() {
    return this.chart.figure?.layout.meta?.image ?? null;
  }

  /** Show a neighbour of the image that is shown, which may be another one than the setting's: one can click images. */
  turn(by) {
    const { lo, hi } = this.board.turns.spec(KNOB);
    const count = hi - lo + 1;
    const next = (from) => lo + ((from - lo + by + count) % count);
    const wanted = next(this.meta.number);
    const now = this.board.turns.value(KNOB);
    this.board.turn(KNOB, wanted === now ? next(wanted) : wanted); // the same value again would change nothing
  }

  show() {
    this.counter.hidden = !this.board.turns.spec(KNOB);
  }

  take(part) {
    if (part.figure) this.draw();
  }

  draw() {
    const full = this.chart.plot._fullLayout;
    this.root.hidden = !this.meta || !full?.xaxis?.d2p || this.chart.place === "small";
    if (this.root.hidden) return;
    const { xaxis, yaxis } = full;
    const left = `${(xaxis._offset + this.meta.x * xaxis._length).toFixed(1)}px`;
    this.counter.style.left = left;
    this.counter.style.transform = `translateX(max(-50%, -${left}))`; // not beyond the edge
    this.counter.style.top = `${(yaxis._offset + yaxis._length).toFixed(1)}px`;
    this.show();
  }

  destroy() {
    this.board.turns.controls.delete(this);
  }
}
