// All runs of the class on a student's own page, while the teacher shows them: pale lines behind the own loss curve,
// and a picture to open, in which the own run is marked. Nobody is named.

import { element, fill } from "../dom.js";
import { drawn } from "./parts.js";
import { IS_LOG, scaleOf } from "./scales.js";
import { lossesIn } from "./tile_codec.js";

const PICTURES = { scatter: "dots", leaders: "dots", ghosts: "curves" }; // by what the teacher shows
const HIGH = 15; // of the picture, in rem
const CURVES_LOW = 1e-4; // no loss is drawn lower
const CURVES_HIGH = 30;

export class Together {
  /** `ask(on)` asks the class for its pictures, or for no more; whether that was sent. */
  constructor(words, ask) {
    this.words = words;
    this.ask = ask;
    this.what = null; // the teacher's choice: {what, x, y}
    this.found = null; // the last message with a picture
    this.board = null;
    this.isOpen = false;
    this.caption = element("p", { role: "status" });
    this.picture = element("div", { class: "class-picture" });
    this.panel = element("section", { class: "class-runs", id: "class-runs", tabindex: -1, hidden: "" });
    this.panel.setAttribute("aria-label", words.runsLong);
    this.panel.append(this.picture, this.caption);
    new ResizeObserver(() => this.draw()).observe(this.panel);
  }

  /** Show what the class sees together, or nothing (null); `own` is {dot, page} of this student. */
  show(what, own) {
    this.own = own;
    if (JSON.stringify(what) === JSON.stringify(this.what)) return this.wish();
    this.what = what;
    this.found = null;
    if (!what) this.isOpen = false;
    this.wish();
    this.draw();
    this.redraw();
  }

  /** Have the class send the picture while somebody sees it. */
  wish() {
    const wished = Boolean(this.what) && (this.isOpen || this.what.what === "ghosts");
    if (wished !== this.isAsked && this.ask(wished)) this.isAsked = wished;
  }

  /** There is a new line to the class, which sends nothing yet. */
  connected() {
    this.isAsked = false;
    if (this.what) this.wish();
  }

  toggle(isOpen = !this.isOpen) {
    this.isOpen = isOpen && Boolean(this.what);
    this.wish();
    this.draw();
  }

  take(message) {
    this.found = message;
    this.draw();
    this.redraw();
  }

  // Behind the own loss curve.

  enter(board) {
    this.leave();
    this.board = board;
    board.classmates = this;
    this.redraw();
  }

  leave() {
    if (this.board) this.board.classmates = null;
    this.board = null;
  }

  redraw() {
    for (const chart of this.board?.charts.values() ?? []) if (chart.spec.strip) chart.draw();
  }

  /** The curves of the others, as one trace of the chart with the own loss. */
  traces(chart) {
    const { found, board } = this;
    if (this.what?.what !== "ghosts" || !found?.curves || !chart.spec.strip || board.data.bench !== found.page) {
      return [];
    }
    const [x, y] = [[], []];
    for (const [dot, steps, bytes] of found.curves) {
      if (dot === this.own.dot) continue;
      const losses = lossesIn(bytes);
      losses.forEach((loss, at) => {
        x.push(steps * at / Math.max(1, losses.length - 1));
        y.push(Number.isFinite(loss) ? loss : null);
      });
      x.push(null);
      y.push(null);
    }
    const line = { width: 1, color: board.colour("@muted/0.55") };
    const quiet = { name: this.words.others, showlegend: false, hoverinfo: "skip", zorder: -1 };
    return x.length ? [{ type: "scatter", mode: "lines", ...quiet, x, y, line }] : [];
  }

  // The picture to open.

  draw() {
    this.panel.hidden = !this.isOpen;
    if (!this.isOpen) return;
    const { words, found, what } = this;
    const kind = PICTURES[what.what];
    const list = found?.dots ?? found?.curves ?? [];
    const isEmpty = !list.length;
    this.picture.hidden = isEmpty;
    const own = list.find(([dot]) => dot === this.own?.dot);
    write(this.caption, isEmpty ? words.runsNone : this.said(list, own, kind));
    if (isEmpty || !this.picture.clientWidth) return;
    this.picture.replaceChildren(kind === "dots" ? this.scatter(list, own) : this.curves(list, own));
  }

  /** The names of what is across and what is up. */
  get axes() {
    const { what, x, y } = this.what;
    return what === "leaders" ? ["parameters", "accuracy"] : what === "ghosts" ? ["step", "loss"] : [x, y];
  }

  said(list, own, kind) {
    const { words } = this;
    const [x, y] = this.axes;
    const { title, of } = this.found;
    const all = fill(list.length === 1 ? words.runsOne : words.runsCount, { title, n: list.length, of });
    if (!own) return all;
    if (kind === "curves") return `${all} ${words.yourLine}`;
    const values = { x: textOf(own[1], x), y: textOf(own[2], y), xName: words.axes[x], yName: words.axes[y] };
    return `${all} ${fill(Number.isFinite(own[2]) ? words.yourDot : words.yourDotDiverged, values)}`;
  }

  /** An empty picture with two scales: [svg, x, y]. */
  sheet(across, up, label) {
    const { words } = this;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const [width, height] = [this.picture.clientWidth, HIGH * rem];
    const [left, right, top, bottom] = [3.4 * rem, width - 0.7 * rem, 1.9 * rem, height - 2.7 * rem];
    const [xName, yName] = this.axes;
    const svg = drawn("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    const x = scaleOf(across, IS_LOG[xName], left, right, xName === "step" ? 0 : 0.06);
    const y = scaleOf(up, IS_LOG[yName], bottom, top, 0.08);
    const word = (text, place, anchor) => {
      const made = drawn("text", { ...place, "font-size": 0.8 * rem, "text-anchor": anchor, fill: "currentColor" });
      made.textContent = text;
      svg.append(made);
    };
    for (const value of y.ticks.filter((_, at) => at % Math.ceil(y.ticks.length / 6) === 0)) {
      svg.append(drawn("line", { x1: left, x2: right, y1: y.at(value), y2: y.at(value), stroke: "var(--line)" }));
      word(textOf(value, yName), { x: left - 0.4 * rem, y: y.at(value) + 0.28 * rem }, "end");
    }
    for (const value of x.ticks.filter((_, at) => at % Math.ceil(x.ticks.length / 7) === 0)) {
      word(textOf(value, xName), { x: x.at(value), y: bottom + 1.2 * rem }, "middle");
    }
    word(words.axes[xName], { x: (left + right) / 2, y: height - 0.3 * rem }, "middle");
    word(words.axes[yName], { x: 0.2 * rem, y: 0.9 * rem }, "start");
    return { svg, x, y, rem, top, word };
  }

  scatter(list, own) {
    const isFinite = ([, , y]) => Number.isFinite(y);
    const label = this.said(list, own, "dots");
    const { svg, x, y, rem, top, word } = this.sheet(
      list.map(([, value]) => value),
      list.filter(isFinite).map(([, , value]) => value),
      label,
    );
    for (const each of list) {
      const [cx, cy] = [x.at(each[1]), isFinite(each) ? y.at(each[2]) : top - 0.5 * rem];
      const mark = isFinite(each)
        ? drawn("circle", { cx, cy, r: 0.34 * rem, fill: "var(--lit)", stroke: "var(--paper)" })
        : drawn("path", { d: crossAt(cx, cy, 0.28 * rem), stroke: "var(--red)", "stroke-width": 2.5 });
      svg.append(mark);
      if (each !== own) continue;
      svg.append(drawn("circle", { cx, cy, r: 0.62 * rem, fill: "none", stroke: "currentColor", "stroke-width": 2 }));
      const isRight = cx > svg.width.baseVal.value / 2;
      word(this.words.you, { x: cx + (isRight ? -1 : 1) * 0.9 * rem, y: cy + 0.3 * rem }, isRight ? "end" : "start");
    }
    return svg;
  }

  curves(list, own) {
    const all = list.map((each) => ({ isOwn: each === own, steps: each[1], losses: lossesIn(each[2]) }));
    const within = (loss) => Math.min(Math.max(loss, CURVES_LOW), CURVES_HIGH);
    const { svg, x, y } = this.sheet(
      [0, Math.max(1, ...all.map(({ steps }) => steps))],
      all.flatMap(({ losses }) => losses.filter(Number.isFinite).map(within)),
      this.said(list, own, "curves"),
    );
    for (const { isOwn, steps, losses } of all.sort((one, other) => Number(one.isOwn) - Number(other.isOwn))) {
      const places = losses.map((loss, at) => [steps * at / Math.max(1, losses.length - 1), loss]);
      const line = places.filter(([, loss]) => Number.isFinite(loss)).map(([step, loss], at) =>
        `${at ? "L" : "M"}${x.at(step).toFixed(1)} ${y.at(within(loss)).toFixed(1)}`
      );
      const look = isOwn
        ? { stroke: "var(--lit)", "stroke-width": 3 }
        : { stroke: "var(--ghost)", "stroke-width": 1.2 };
      svg.append(drawn("path", { d: line.join(""), fill: "none", ...look }));
    }
    return svg;
  }
}

const crossAt = (x, y, r) => `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x + r} ${y - r}l${-2 * r} ${2 * r}`;

function textOf(value, name) {
  if (name === "accuracy") return `${Math.round(100 * value)} %`;
  return Number(Number(value).toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
