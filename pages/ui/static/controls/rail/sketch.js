// A curve that the visitor draws in a chart, as the answer to a question: with mouse, finger, pen or the keyboard.

import { element, fill } from "../../dom.js";
import { number } from "../../chart/describe.js";

const STEP = 1 / 20; // of the chart's height, for an arrow key
const SMALL_STEP = 1 / 200; // with Shift
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MAX_UNDO = 50;

export class Sketch {
  /** `grid` are the places along x; `done` is called on Enter, `changed` after each change. The heights are in `y`. */
  constructor(chart, { grid, positive }, { done, changed }) {
    this.chart = chart;
    this.grid = grid;
    this.positive = positive;
    this.done = done;
    this.changed = changed;
    this.y = grid.map(() => null); // in the units of the axis; null where nothing is drawn
    this.before = []; // for Undo
    this.at = 0; // the place of the keyboard's cursor
    const { words } = chart.board;
    this.cross = element("span", { class: "cross", "aria-hidden": "true" });
    this.root = element(
      "div",
      {
        class: "sketch",
        tabindex: 0,
        role: "application",
        "aria-label": fill(words.sketch, { title: chart.spec.title }),
        "data-sketch": chart.spec.name,
        onkeydown: (event) => this.key(event),
        onfocus: () => this.showCross(),
        onpointerdown: (event) => this.begin(event),
      },
      this.cross,
    );
    chart.stage.append(this.root);
    chart.card.classList.add("sketched");
  }

  get isEmpty() {
    return this.y.every((y) => y === null);
  }

  /** The heights at all places: straight between those that were drawn, level beyond them. */
  get heights() {
    const drawn = this.y.map((y, at) => [at, y]).filter(([, y]) => y !== null);
    return this.grid.map((_, at) => {
      const after = drawn.findIndex(([place]) => place >= at);
      if (after < 0) return drawn.at(-1)[1];
      const [right, high] = drawn[after];
      if (right === at || after === 0) return high;
      const [left, low] = drawn[after - 1];
      return low + ((high - low) * (at - left)) / (right - left);
    });
  }

  /** Plotly's axes, once the chart is drawn. */
  get axes() {
    const full = this.chart.plot._fullLayout;
    return full?.xaxis?.p2d ? full : null;
  }

  begin(event) {
    if (event.button !== 0 || !this.axes) return;
    event.preventDefault();
    event.stopPropagation();
    this.root.focus({ preventScroll: true });
    this.root.setPointerCapture(event.pointerId);
    this.keep();
    this.last = null;
    this.follow(event);
    const ended = new AbortController();
    const { signal } = ended;
    this.root.addEventListener("pointermove", (moved) => {
      for (const each of moved.getCoalescedEvents?.() ?? [moved]) this.follow(each);
    }, { signal });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      this.root.addEventListener(type, () => ended.abort(), { signal });
    }
  }

  /** Draw from the last place of the pointer to this one. */
  follow({ clientX, clientY }) {
    const { axes } = this;
    if (!axes) return;
    const box = this.chart.plot.getBoundingClientRect();
    const { xaxis, yaxis } = axes;
    const x = clientX - box.left - xaxis._offset;
    const y = Math.min(Math.max(clientY - box.top - yaxis._offset, 0), yaxis._length);
    const at = this.nearest(x);
    const [from, fromY] = this.last ?? [at, y];
    const way = Math.sign(at - from) || 1;
    for (let each = from; way > 0 ? each <= at : each >= at; each += way) {
      const share = at === from ? 1 : (each - from) / (at - from);
      this.set(each, fromY + share * (y - fromY));
    }
    this.last = [at, y];
    this.at = at;
    this.showCross();
    this.changed();
  }

  /** The place of the grid nearest to a distance in pixels from the left of the axis. */
  nearest(x) {
    const { xaxis } = this.axes;
    const distances = this.grid.map((each) => Math.abs(xaxis.d2p(each) - x));
    return distances.indexOf(Math.min(...distances));
  }

  /** Put the curve this many pixels below the top of the axis. */
  set(at, pixels) {
    const { yaxis } = this.axes;
    const y = yaxis.p2d(Math.min(Math.max(pixels, 0), yaxis._length));
    this.y[at] = this.positive ? Math.max(y, yaxis.p2d(0) / 1000) : y;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.axes) return;
    if (event.key in MOVES) this.move(MOVES[event.key], event.shiftKey ? SMALL_STEP : STEP);
    else if (event.key === "Enter") this.done();
    else if (event.key === "Backspace") this.undo();
    else if (event.key === "Delete") this.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Move along x, which draws on at the same height; up and down move the curve there. */
  move([right, down], step) {
    const { yaxis } = this.axes;
    this.keep();
    const y = this.pixelsAt(this.at);
    this.at = Math.min(Math.max(this.at + right, 0), this.grid.length - 1);
    if (down || this.y[this.at] === null) this.set(this.at, y + down * step * yaxis._length);
    this.showCross();
    this.changed();
    const sentence = this.chart.board.words.cursorAt;
    this.chart.board.announcer.say(fill(sentence, { x: number(this.grid[this.at]), y: number(this.y[this.at]) }));
  }

  /** Where the cursor is at a place: on the curve, or in the middle of the chart. */
  pixelsAt(at) {
    const { yaxis } = this.axes;
    return this.isEmpty ? yaxis._length / 2 : yaxis.d2p(this.heights[at]);
  }

  keep() {
    this.before.push([...this.y]);
    if (this.before.length > MAX_UNDO) this.before.shift();
  }

  undo() {
    if (this.before.length) this.y = this.before.pop();
    this.showCross();
    this.changed();
  }

  clear() {
    this.keep();
    this.y = this.grid.map(() => null);
    this.showCross();
    this.changed();
  }

  showCross() {
    const { axes } = this;
    if (!axes) return;
    this.cross.style.left = `${axes.xaxis._offset + axes.xaxis.d2p(this.grid[this.at])}px`;
    this.cross.style.top = `${axes.yaxis._offset + this.pixelsAt(this.at)}px`;
  }

  destroy() {
    this.root.remove();
    this.chart.card.classList.remove("sketched");
  }
}
