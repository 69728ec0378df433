// Over a drawing of two shapes: − and + on each size, and a way to give a shape one more axis.

import { element, fill } from "../dom.js";

const ADDED = 2; // the size of a new axis: with 1 nothing would change

export class Axes {
  /** `chart` has board, stage, plot, place, spec and figure, whose `meta.axes` has the places of each knob's sizes. */
  constructor(chart) {
    this.chart = chart;
    this.board = chart.board;
    this.root = element("div", { class: "network" });
    this.counters = new Map(); // "<knob> <axis, from the last>" -> its controls
    chart.stage.append(this.root);
    this.board.turns.controls.add(this);
  }

  get meta() {
    return this.chart.figure?.layout.meta?.axes ?? {};
  }

  show() {}

  take(part) {
    if (part.figure) this.draw();
  }

  /** Make the size of an axis, counted from the last, larger or smaller; a first axis of size 1 goes. */
  turn(knob, axis, by) {
    const sizes = [...this.meta[knob].sizes];
    const at = sizes.length + axis;
    if (at < 0) sizes.unshift(ADDED);
    else if (sizes[at] + by >= 1) sizes[at] += by;
    else if (at === 0) sizes.shift();
    else return;
    this.board.turn(knob, sizes.join(" ") || "()");
  }

  /** The controls of one axis of one shape. */
  counter(knob, axis) {
    const words = this.board.words.axes;
    const button = (label, sign, by) =>
      element(
        "button",
        {
          type: "button",
          class: "by-one",
          "aria-label": fill(label, { name: knob, axis }),
          onclick: () => this.turn(knob, axis, by),
        },
        sign,
      );
    const [less, more] = [button(words.smaller, "−", -1), button(words.larger, "+", 1)];
    const root = element("span", { class: "counter at", role: "group", "data-knob": knob }, less, more);
    this.root.append(root);
    return { root, less, more };
  }

  draw() {
    const full = this.chart.plot._fullLayout;
    this.root.hidden = !full?.xaxis?.d2p || this.chart.place === "small" || !Object.keys(this.meta).length;
    if (this.root.hidden) return;
    const { xaxis, yaxis } = full;
    const shown = new Set();
    for (const [knob, { sizes, x, y }] of Object.entries(this.meta)) {
      if (this.board.turns.spec(knob)?.locked ?? true) continue;
      for (let axis = -1; axis >= -Math.min(sizes.length + 1, x.length); axis--) {
        const key = `${knob} ${axis}`;
        const at = sizes.length + axis;
        if (!this.counters.has(key)) this.counters.set(key, this.counter(knob, axis));
        const { root, less, more } = this.counters.get(key);
        shown.add(key);
        root.hidden = false;
        less.hidden = at < 0;
        less.setAttribute("aria-disabled", String(at > 0 && sizes[at] === 1));
        more.setAttribute(
          "aria-label",
          fill(this.board.words.axes[at < 0 ? "add" : "larger"], { name: knob, axis }),
        );
        root.style.left = `${(xaxis._offset + xaxis.d2p(x[x.length + axis])).toFixed(1)}px`;
        root.style.top = `${(yaxis._offset + yaxis.d2p(y)).toFixed(1)}px`;
      }
    }
    for (const [key, { root }] of this.counters) if (!shown.has(key)) root.hidden = true;
  }

  destroy() {
    this.board.turns.controls.delete(this);
  }
}
