// Pinned runs: settings, numbers and loss curves kept in this browser's tab. Their curves are drawn behind the loss of
// the current run, and a table below the charts lists them with the settings that differ.

import { element } from "../dom.js";
import { keep, kept } from "../storage.js";

const MAX_PINS = 6;
const MAX_CURVES = 8; // of one run
const MAX_POINTS = 300; // of one curve
const TABLE_INTERVAL_MS = 500; // how often the current run's row is updated

export class Pins {
  /** `board` has words, settings (label -> value), statusLabels, player, charts, root and colour(role). */
  constructor(board) {
    this.board = board;
    this.key = `pins:${location.pathname}`;
    this.list = read(this.key);
    this.played = 0; // ms
    this.root = element("details", { class: "pins" });
    this.root.open = this.list.length > 0;
    this.root.hidden = true; // until the first frame
    this.shownAt = -Infinity;
  }

  /** Follow a new frame: the time that the run has played, and its numbers. */
  take() {
    const now = performance.now();
    const { dataset } = this.board.root;
    const { step } = this.numbers();
    if (step === "0" || this.run !== dataset.run) this.played = 0;
    else if (this.wasPlaying) this.played += Math.min(1000, now - this.at);
    this.run = dataset.run;
    this.wasPlaying = dataset.state === "playing";
    this.at = now;
    if (
      this.list.length && (this.root.open || this.root.hidden) &&
      (now - this.shownAt > TABLE_INTERVAL_MS || !this.wasPlaying)
    ) this.show();
  }

  /** The chart that shows the pinned curves. */
  chart() {
    return [...this.board.charts.values()].find((chart) => chart.spec.pins);
  }

  numbers() {
    const found = Object.entries(this.board.numbers.status).map(([name, node]) => [name, node.textContent]);
    return Object.fromEntries(found.filter(([name]) => name !== "steps_per_second"));
  }

  now() {
    return { settings: this.board.settings, numbers: this.numbers(), seconds: this.played / 1000 };
  }

  /** Pin the run as it is shown; whether that was possible. */
  add() {
    const figure = this.chart().figure;
    if (!figure) return false;
    if (this.list.length >= MAX_PINS) {
      this.board.tell(this.board.words.pinsFull.replace("{most}", MAX_PINS));
      return false;
    }
    const lines = figure.data.filter((trace) => trace.mode === "lines" && trace.name && trace.visible !== false);
    const curves = lines.slice(0, MAX_CURVES).map((trace) => ({
      name: trace.name,
      dash: trace.line?.dash,
      ...thinned(trace),
    }));
    const taken = new Set(this.list.map((pin) => pin.number));
    let number = 1;
    while (taken.has(number)) number++;
    this.keep([...this.list, { number, curves, ...this.now() }]);
    this.root.open = true;
    return true;
  }

  keep(list) {
    const isNew = list.length > this.list.length;
    this.list = list;
    this.show();
    this.chart().draw();
    const isKept = keep("sessionStorage", this.key, JSON.stringify(list));
    if (isNew && !isKept) this.board.tell(this.board.words.pinsNotKept);
  }

  /** The pinned curves as traces, to be drawn behind those of the current run. */
  ghosts() {
    return this.list.flatMap((pin) =>
      pin.curves.map(({ name, dash, x, y }) => ({
        type: "scatter",
        mode: "lines",
        x,
        y,
        showlegend: false,
        name: `${this.title(pin)}: ${name}`,
        hoverinfo: "name+x+y",
        line: { width: 1.5, dash, color: this.board.colour(`${role(pin)}/0.65`) },
      }))
    );
  }

  title(pin) {
    return this.board.words.pinned.replace("{n}", pin.number);
  }

  /** Draw the table: a row for the current run and one for each pinned run; only settings that differ have columns. */
  show() {
    this.shownAt = performance.now();
    const { words, statusLabels } = this.board;
    this.root.hidden = this.list.length === 0;
    if (this.root.hidden) return;
    const rows = [this.now(), ...this.list];
    const labels = [...new Set(rows.flatMap((row) => Object.keys(row.settings)))];
    const differing = labels.filter((label) => new Set(rows.map((row) => row.settings[label])).size > 1);
    const columns = Object.keys(this.numbers());
    const cell = (tag, ...content) => element(tag, tag === "td" ? { translate: "no" } : {}, ...content);
    const heading = (scope, ...content) => element("th", { scope }, ...content);
    const body = rows.map((row, at) => {
      const swatch = element("span", { class: "swatch" });
      if (at) swatch.style.background = this.board.colour(role(row));
      const remove = element("button", {
        type: "button",
        class: "button",
        "aria-label": `${words.unpin}: ${at ? this.title(row) : ""}`,
        title: words.unpin,
        onclick: () => this.keep(this.list.filter((pin) => pin !== row)),
      }, "×");
      return element(
        "tr",
        {},
        heading("row", swatch, at ? this.title(row) : words.thisRun),
        ...differing.map((label) => cell("td", row.settings[label] ?? "–")),
        ...columns.map((name) => cell("td", row.numbers[name] ?? "–")),
        cell("td", row.seconds.toFixed(1)),
        at ? cell("td", remove) : cell("td"),
      );
    });
    const head = ["", ...differing, ...columns.map((name) => statusLabels[name]), words.playedSeconds, ""].map((text) =>
      text ? heading("col", text) : cell("td")
    );
    const focused = this.root.contains(document.activeElement);
    if (focused && document.activeElement.matches("button")) return; // not while the student uses one of its buttons
    this.root.replaceChildren(
      element("summary", {}, words.pins),
      element(
        "div",
        { class: "scroll" },
        element(
          "table",
          {},
          element("caption", {}, words.pins),
          cell("thead", element("tr", {}, ...head)),
          element("tbody", {}, ...body),
        ),
      ),
    );
  }
}

const role = (pin) => `@series${(pin.number + 1) % 5}`; // from the third colour: the first two are for train and test

/** The pins that this tab has kept; none where the stored text is not a list of pins. */
function read(key) {
  try {
    const list = JSON.parse(kept("sessionStorage", key) ?? "[]");
    return list.filter((pin) =>
      Array.isArray(pin.curves) && pin.settings && pin.numbers && Number.isFinite(pin.seconds)
    ).slice(0, MAX_PINS);
  } catch {
    return [];
  }
}

/** At most MAX_POINTS points of a curve, the last one included. */
function thinned({ x, y }) {
  const stride = Math.max(1, Math.ceil(y.length / MAX_POINTS));
  const some = (values) => Array.from(values).filter((_, i) => i % stride === 0 || i === values.length - 1);
  return { x: some(x), y: some(y) };
}

/** The axis, extended where the pinned curves go higher. */
export function reaching(axis, values) {
  if (!axis.range || !values.length) return axis;
  const scaled = (axis.type === "log" ? values.filter((value) => value > 0).map(Math.log10) : values).filter(
    Number.isFinite,
  );
  if (!scaled.length) return axis;
  const [lo, hi] = axis.range;
  const top = scaled.reduce((a, b) => Math.max(a, b), hi);
  if (top <= hi) return axis;
  return { ...withTicks(axis), range: [lo, top + (axis.type === "log" ? 0 : (top - lo) * 0.03)] };
}

/** An axis whose own ticks end too early for its new range: Plotly chooses others, the last one with the unit. */
function withTicks(axis) {
  if (!axis.ticktext?.length) return axis;
  const { tickvals: _values, ticktext, ...rest } = axis;
  const [, ticksuffix = ""] = /\d( .*)$/.exec(ticktext.at(-1)) ?? [];
  return { ...rest, tickmode: "auto", nticks: 5, separatethousands: true, ticksuffix, showticksuffix: "last" };
}
