// A cursor for the keyboard, in a chart that can be clicked: arrow keys move it, Enter clicks.

import { element, fill } from "../dom.js";
import { number } from "../chart/describe.js";

const STEP = 1 / 20; // of the axes, for an arrow key
const SMALL_STEP = 1 / 200; // with Shift
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Cursor {
  /** `chart` has plot, spec, board, click(point, keys) and point(point); `acts` name what Enter does there. */
  constructor(chart, acts) {
    this.chart = chart;
    this.at = [0.5, 0.5]; // shares of the axes' lengths, from the left and the top
    const { cursor, cursorActs } = chart.board.words;
    this.cross = element("span", { class: "cross", "aria-hidden": "true" });
    this.root = element(
      "div",
      {
        class: "aim",
        tabindex: 0,
        role: "application",
        "aria-label": fill(cursor, { title: chart.spec.title, acts: acts.map((act) => cursorActs[act]).join(" ") }),
        "data-cursor": chart.spec.name,
        onkeydown: (event) => this.key(event),
        onfocus: () => this.show(),
      },
      this.cross,
    );
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || !this.place()) return;
    if (event.key in MOVES) this.move(MOVES[event.key], event.shiftKey ? SMALL_STEP : STEP);
    else if (event.key === "Enter") this.click(event);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(way, step) {
    const moved = this.at.map((share, i) => share + way[i] * step);
    this.at = moved.map((share) => Math.min(1, Math.max(0, Math.round(share / SMALL_STEP) * SMALL_STEP)));
    this.show();
    const { cursorAt, cursorOutside } = this.chart.board.words;
    const isOutside = moved.some((share) => share < -SMALL_STEP / 2 || share > 1 + SMALL_STEP / 2);
    this.say(isOutside ? cursorOutside : cursorAt);
    this.chart.point?.(this.place());
  }

  click(event) {
    this.chart.click(this.place(), event);
    this.say(this.chart.board.words.cursorDone);
  }

  say(sentence) {
    const { x, y } = this.place();
    this.chart.board.announcer.say(fill(sentence, { x: number(x), y: number(y) }));
  }

  /** The data coordinates of the cursor; null before the chart is drawn. */
  place() {
    const full = this.chart.plot._fullLayout;
    if (!full?.xaxis?.p2d) return null;
    return { x: full.xaxis.p2d(this.at[0] * full.xaxis._length), y: full.yaxis.p2d(this.at[1] * full.yaxis._length) };
  }

  /** Put the cross where the cursor is. */
  show() {
    const full = this.chart.plot._fullLayout;
    if (!full?.xaxis?.p2d) return;
    this.cross.style.left = `${full.xaxis._offset + this.at[0] * full.xaxis._length}px`;
    this.cross.style.top = `${full.yaxis._offset + this.at[1] * full.yaxis._length}px`;
  }
}
