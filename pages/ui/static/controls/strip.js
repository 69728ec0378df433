// The strip under the pictures: the loss over the whole run, along which one looks back.
//
// What moves on it is placed with transforms, from the axes that Plotly has computed: nothing here reads a size or a
// position from the page for a frame.

import { element, fill } from "../dom.js";
import { tip, tipText } from "./tip.js";

const MAX_NOTCHES = 12; // the last ones, where more settings were changed
const NOTCH_PIXELS = 20; // between two of them
const PLAIN = { left: 46, right: 48 }; // pixels beside the axis of a strip without a chart, as figures/strips.py has

export class Strip {
  /** `board` has words, charts, numbers, scale, root and send(command). */
  constructor(board) {
    this.board = board;
    const { words } = board;
    this.time = { count: 0, at: null, step: 0, now: 0, end: null };
    this.slider = element("input", {
      type: "range",
      class: "time",
      min: 0,
      max: 0,
      value: 0,
      "aria-label": words.time,
    });
    this.slider.oninput = () => {
      this.typed = Number(this.slider.value);
      this.askLater({ to: this.typed });
    };
    this.slider.onfocus = () => this.slider.setAttribute("aria-valuetext", this.valueText());
    this.line = element("span", { class: "handle" });
    this.knob = element("span", { class: "handle-knob" });
    this.veil = element("span", { class: "veil" });
    this.cross = element("span", { class: "cross", translate: "no" }, words.notFinite);
    this.now = element("button", { type: "button", class: "now", onclick: () => this.backToNow() }, words.now);
    this.nowLine = element("span", { class: "now-line" });
    this.now.hidden = this.nowLine.hidden = true;
    this.hint = element("span", { class: "strip-hint" });
    this.notches = element("span", { class: "notches", role: "group", "aria-label": words.notches });
    this.glass = element(
      "div",
      { class: "glass timeless" },
      this.slider,
      element("span", { class: "clip" }, this.veil),
      this.nowLine,
      this.line,
      this.knob,
      this.cross,
      this.hint,
      this.notches,
      this.now,
    );
    this.track = element("div", { class: "stage plain" }, element("span", { class: "axis" }), this.glass);
    this.ends = ["first", "last"].map((end) => element("span", { class: `end ${end}`, translate: "no" }));
    this.track.append(...this.ends);
    this.root = element("div", { class: "strip plain", "data-place": "strip" }, this.track);
    this.width = 0;
    this.sizer = new ResizeObserver(([{ contentRect }]) => {
      this.width = contentRect.width;
      this.place();
    });
    this.sizer.observe(this.root);
    this.listen(this.track);
  }

  /** Stand on this chart, whose x axis counts steps. */
  hold(card) {
    this.chart = [...this.board.charts.values()].find((chart) => chart.card === card);
    this.chart.overlays.push({ take() {}, draw: () => this.placeSoon(), destroy() {} }); // its first drawing, too
    const stage = card.querySelector(".stage");
    this.track.remove();
    this.root.classList.remove("plain");
    this.root.append(card);
    stage.append(this.glass);
    this.listen(stage);
  }

  /** Show the time of a frame. */
  take({ time, state, status }) {
    if (status) this.isFinite = status.loss !== null;
    if (state) this.state = state;
    if (!time && !state) return;
    if (this.branchAt !== undefined && time && time.at === null) this.branch();
    if (time) this.time = { now: time.count - 1, end: null, ...time };
    const { count, at } = this.time;
    const last = Math.max(0, count - 1);
    if (Number(this.slider.max) !== last) this.slider.max = String(last);
    const value = at ?? last;
    if (at === this.typed || at === null) this.typed = undefined; // what was typed is shown
    if (this.typed === undefined && Number(this.slider.value) !== value) this.slider.value = String(value);
    const speaks = at !== null || this.state !== "playing"; // with the focus, it says each value
    if (speaks) this.slider.setAttribute("aria-valuetext", this.valueText());
    this.glass.classList.toggle("timeless", count === 0);
    this.root.classList.toggle("past", at !== null);
    this.glass.classList.toggle("failed", this.state === "failed" && this.isFinite === false);
    this.placeSoon();
  }

  valueText() {
    const { moment } = this.board.words;
    const mark = this.marks().find(([step]) => step === this.time.step);
    return [fill(moment, { step: this.time.step }), mark?.[1]].filter(Boolean).join(", ");
  }

  /** Steps with the words for what was changed there. */
  marks() {
    return this.chart?.figure?.layout.meta?.strip?.marks ?? [];
  }

  /** Place everything when the charts of the same frame have been shown. */
  placeSoon() {
    if (this.isPlanned) return;
    this.isPlanned = true;
    queueMicrotask(() => {
      this.isPlanned = false;
      this.place();
    });
  }

  /** From steps and values to pixels; null while the chart is not drawn. */
  axes() {
    if (this.chart) {
      const { plot } = this.chart;
      const full = plot._fullLayout;
      if (!full?.xaxis?.d2p || !this.chart.shown) return null;
      if (!this.isFollowing) {
        this.isFollowing = true;
        plot.on("plotly_afterplot", () => this.placeSoon());
      }
      const { xaxis, yaxis } = full;
      return {
        key: `${xaxis._offset} ${xaxis._length} ${xaxis.range}`,
        x: (step) => xaxis._offset + xaxis.d2p(step),
        step: (x) => xaxis.p2d(x - xaxis._offset),
        y: (step) => {
          const value = valueAt(this.mainLine(), step);
          const top = yaxis._offset + yaxis.d2p(value);
          return Number.isFinite(top) ? Math.min(Math.max(top, yaxis._offset), yaxis._offset + yaxis._length) : null;
        },
        middle: yaxis._offset + yaxis._length / 2,
      };
    }
    const { scale } = this.board;
    const { now, end } = this.time;
    const last = Math.max(end ?? 0, now, 1);
    const left = PLAIN.left * scale;
    const length = this.width - left - PLAIN.right * scale;
    if (length <= 0) return null;
    return {
      key: `${left} ${length} ${last}`,
      x: (step) => left + (step / last) * length,
      step: (x) => ((x - left) / length) * last,
      y: () => null,
      last,
    };
  }

  /** The line on which the handle stands: the first one that a number above belongs to. */
  mainLine() {
    const { data, layout } = this.chart.shown;
    const [name] = Object.values(layout.meta?.strip?.lines ?? {});
    const lines = data.filter(({ x, mode, visible }) => x?.length && mode?.includes("lines") && visible !== false);
    return lines.find((trace) => trace.name === name) ?? lines[0];
  }

  place() {
    const axes = this.axes();
    if (!axes) return;
    const { time, state, hint } = this;
    const step = this.wanted ?? time.step;
    const x = axes.x(step);
    const y = axes.y(step);
    move(this.line, x);
    move(this.veil, x);
    move(this.knob, x, y ?? axes.middle);
    move(this.cross, x);
    if (state === "failed") this.cross.classList.toggle("before", x + this.cross.offsetWidth > this.glass.clientWidth);
    const now = axes.x(time.now);
    move(this.now, now);
    move(this.nowLine, now);
    this.now.hidden = this.nowLine.hidden = time.at === null && this.wanted === undefined;
    const isEmpty = time.now === 0 && state !== "playing";
    if (hint.hidden === isEmpty) hint.hidden = !isEmpty;
    if (isEmpty) {
      const { stripHint, plainHint } = this.board.words;
      const title = this.chart?.figure?.layout.meta?.strip?.title ?? this.chart?.spec.title;
      const text = this.chart ? fill(stripHint, { title }) : plainHint;
      if (hint.textContent !== text) hint.textContent = text;
      move(hint, x);
    }
    if (axes.last !== undefined && axes.key !== this.ticked) {
      this.ticked = axes.key;
      const { words, unitNames: { step: unit } } = this.board;
      const n = axes.last.toLocaleString("en");
      this.ends[0].textContent = "0";
      this.ends[1].textContent = unit === words.units.step
        ? fill(words.stepsWord, { n })
        : fill(words.unitsWord, { n, unit }); // a lab's own word
    }
    this.showNotches(axes);
    if (this.chart) this.showPens();
  }

  /** A notch with its words for each change of a setting; those that lie on one another are one. */
  showNotches(axes) {
    const signature = `${axes.key} ${JSON.stringify(this.marks())}`;
    if (signature === this.notched) return;
    this.notched = signature;
    const buttons = () => [...this.notches.querySelectorAll("button")];
    const focused = buttons().indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const groups = [];
    for (const [step, text] of this.marks()) {
      const x = axes.x(step);
      const words = fill(this.board.words.notch, { step: step.toLocaleString("en"), text });
      const last = groups.at(-1);
      if (last && x - last.x < NOTCH_PIXELS * this.board.scale) last.words.push(words);
      else groups.push({ step, x, words: [words] });
    }
    this.notches.replaceChildren(...groups.slice(-MAX_NOTCHES).flatMap((group) => this.notch(group)));
    if (focused >= 0) buttons()[Math.min(focused, buttons().length - 1)]?.focus();
  }

  notch({ step, x, words }) {
    const button = element("button", {
      type: "button",
      class: "notch",
      "aria-label": words.join(". "),
      onclick: () => this.ask({ step }),
    });
    move(button, x);
    const panel = tipText(words.join("\n"));
    tip(button, panel);
    return [button, panel];
  }

  /** The numbers above are the legend of the lines. */
  showPens() {
    const lines = this.chart.figure.layout.meta?.strip?.lines ?? {};
    const { data } = this.chart.shown;
    const found = Object.entries(lines).map(([name, line]) => [name, data.find((trace) => trace.name === line)]);
    this.board.numbers.showPens(Object.fromEntries(found.filter(([, trace]) => trace)));
  }

  listen(stage) {
    stage.addEventListener("pointerdown", (event) => event.button === 0 && this.begin(event, stage), true);
  }

  /** Look back along the strip for as long as the pointer is down. */
  begin(event, stage) {
    const { target } = event;
    if (this.time.count === 0 || target.closest("button")) return;
    const { left } = stage.getBoundingClientRect();
    const ended = new AbortController();
    const listen = (type, act) => window.addEventListener(type, act, { capture: true, signal: ended.signal });
    const end = () => {
      ended.abort();
      this.root.classList.remove("dragging");
      this.wanted = undefined;
      this.place();
    };
    listen("pointermove", (later) => this.drag(later.clientX - left)); // on window: Plotly covers the page meanwhile
    listen("pointerup", end);
    listen("pointercancel", end);
    this.root.classList.add("dragging");
    this.slider.focus({ preventScroll: true });
    this.drag(event.clientX - left);
  }

  drag(x) {
    const axes = this.axes();
    if (!axes) return;
    const { now } = this.time;
    const isNow = x >= axes.x(now) - 1;
    this.typed = undefined;
    this.wanted = isNow ? now : Math.max(0, Math.min(now, Math.floor(axes.step(x))));
    this.place();
    this.askLater(isNow ? { to: null } : { step: this.wanted });
  }

  /** Ask for another time at most once for each painted frame. */
  askLater(time) {
    this.branchAt = undefined;
    const isWaiting = this.next !== undefined;
    this.next = time;
    if (isWaiting) return;
    this.asking = requestAnimationFrame(() => {
      this.ask(this.next);
      this.next = undefined;
    });
  }

  /**
   * Continue from the step that is shown, beside the run as it is now. One that cannot be trained any further is only
   * pinned, once its numbers are shown.
   */
  branchFrom() {
    const { step } = this.time;
    if (this.board.continueFrom(step)) return;
    this.branchAt = step;
    this.ask({ to: null });
  }

  branch() {
    const step = this.branchAt;
    this.branchAt = undefined;
    queueMicrotask(() => { // when the frame's charts have been shown
      const { board } = this;
      if (!board.pins || board.pins.add()) board.send({ do: "go_back", step });
    });
  }

  /** Show the present again; the button that asks for it goes, and the focus to the slider. */
  backToNow() {
    this.slider.focus({ preventScroll: true });
    this.ask({ to: null });
  }

  ask(time) {
    this.board.send({ do: "scrub", ...time });
  }

  destroy() {
    cancelAnimationFrame(this.asking);
    this.sizer.disconnect();
  }
}

/** The value of a line at a step, or at the last one before it where it is finite. */
function valueAt(line, step) {
  if (!line) return NaN;
  const { x, y } = line;
  let [low, high] = [0, x.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (x[middle] <= step) low = middle;
    else high = middle - 1;
  }
  const next = low + 1;
  if (x[low] < step && next < x.length && Number.isFinite(y[next])) {
    return y[low] + ((y[next] - y[low]) * (step - x[low])) / (x[next] - x[low]);
  }
  while (low > 0 && !Number.isFinite(y[low])) low--;
  return y[low];
}

function move(node, x, y = 0) {
  const to = `translate(${x.toFixed(1)}px,${y.toFixed(1)}px)`;
  if (node.movedTo !== to) node.style.transform = node.movedTo = to;
}
