// Pinned runs: settings, numbers and loss curves kept in this browser's tab. They are drawn as ghosts under the loss
// of the present run and listed below the charts, with what differs between them.

import { element } from "../chart/chart.js";

const MOST = 6;
const MOST_CURVES = 8; // of one run
const MOST_POINTS = 300; // of one curve
const EVERY_MS = 500; // how often the row of the present run follows it
export const CHART = "loss";

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

  /** A frame has come: follow the time that the run has played, and its numbers. */
  take() {
    const now = performance.now();
    const { dataset } = this.board.root;
    const { step } = this.numbers();
    if (step === "0" || this.run !== dataset.run) this.played = 0;
    else if (this.wasPlaying) this.played += Math.min(1000, now - this.at);
    this.run = dataset.run;
    this.wasPlaying = dataset.state === "playing";
    this.at = now;
    if (this.list.length && (this.root.open || this.root.hidden) && (now - this.shownAt > EVERY_MS || !this.wasPlaying)) this.show();
  }

  numbers() {
    const found = Object.entries(this.board.player.status).map(([name, node]) => [name, node.textContent]);
    return Object.fromEntries(found.filter(([name]) => name !== "steps_per_second"));
  }

  now() {
    return { settings: this.board.settings, numbers: this.numbers(), seconds: this.played / 1000 };
  }

  add() {
    const figure = this.board.charts.get(CHART)?.figure;
    if (!figure) return;
    if (this.list.length >= MOST) return this.board.say(this.board.words.pinsFull.replace("{most}", MOST));
    const lines = figure.data.filter((trace) => trace.mode === "lines" && trace.name && trace.visible !== false);
    const curves = lines.slice(0, MOST_CURVES).map((trace) => ({ name: trace.name, dash: trace.line?.dash, ...thinned(trace) }));
    const taken = new Set(this.list.map((pin) => pin.number));
    let number = 1;
    while (taken.has(number)) number++;
    this.keep([...this.list, { number, curves, ...this.now() }]);
    this.root.open = true;
  }

  keep(list) {
    this.list = list;
    sessionStorage.setItem(this.key, JSON.stringify(list));
    this.show();
    this.board.charts.get(CHART)?.draw();
  }

  /** The pinned curves as traces behind those of the present run, and how far they go. */
  ghosts() {
    return this.list.flatMap((pin) =>
      pin.curves.map(({ name, dash, x, y }) => ({
        type: "scatter", mode: "lines", x, y, showlegend: false, name: `${this.title(pin)}: ${name}`, hoverinfo: "name+x+y",
        line: { width: 1.5, dash, color: this.board.colour(`${role(pin)}/0.65`) },
      })));
  }

  title(pin) {
    return this.board.words.pinned.replace("{n}", pin.number);
  }

  /** The table: a row for the present run and for each pinned one; of the settings only those that differ. */
  show() {
    this.shownAt = performance.now();
    const { words, statusLabels } = this.board;
    this.root.hidden = this.list.length === 0;
    if (this.root.hidden) return;
    const rows = [this.now(), ...this.list];
    const labels = [...new Set(rows.flatMap((row) => Object.keys(row.settings)))];
    const differing = labels.filter((label) => new Set(rows.map((row) => row.settings[label])).size > 1);
    const columns = Object.keys(this.numbers());
    const cell = (tag, ...content) => element(tag, {}, ...content);
    const body = rows.map((row, at) => {
      const swatch = element("span", { class: "swatch" });
      if (at) swatch.style.background = this.board.colour(role(row));
      const remove = element("button", { type: "button", class: "button", "aria-label": `${words.unpin}: ${at ? this.title(row) : ""}`, title: words.unpin, onclick: () => this.keep(this.list.filter((pin) => pin !== row)) }, "×");
      return element("tr", {},
        at ? cell("th", swatch, this.title(row)) : cell("th", swatch, words.thisRun),
        ...differing.map((label) => cell("td", row.settings[label] ?? "–")),
        ...columns.map((name) => cell("td", row.numbers[name] ?? "–")),
        cell("td", row.seconds.toFixed(1)),
        at ? cell("td", remove) : cell("td"));
    });
    const head = ["", ...differing, ...columns.map((name) => statusLabels[name]), words.playedSeconds, ""].map((text) => cell("th", text));
    const focused = this.root.contains(document.activeElement);
    if (focused && document.activeElement.matches("button")) return; // not under a finger
    this.root.replaceChildren(element("summary", {}, words.pins),
      element("div", { class: "scroll" }, element("table", {}, cell("thead", element("tr", {}, ...head)), element("tbody", {}, ...body))));
  }
}

const role = (pin) => `@series${(pin.number + 1) % 5}`; // from the third: the first two are those of train and test

/** What this tab has kept; nothing where that is not what we wrote. */
function read(key) {
  try {
    const list = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    return list.filter((pin) => Array.isArray(pin.curves) && pin.settings && pin.numbers && Number.isFinite(pin.seconds)).slice(0, MOST);
  } catch {
    return [];
  }
}

function thinned({ x, y }) {
  const stride = Math.max(1, Math.ceil(y.length / MOST_POINTS));
  const some = (values) => Array.from(values).filter((_, i) => i % stride === 0 || i === values.length - 1);
  return { x: some(x), y: some(y) };
}

/** An axis that also reaches as far as the ghosts' values do. */
export function reaching(axis, values) {
  if (!axis.range || !values.length) return axis;
  const scaled = (axis.type === "log" ? values.filter((value) => value > 0).map(Math.log10) : values).filter(Number.isFinite);
  if (!scaled.length) return axis;
  const [lo, hi] = axis.range;
  const top = scaled.reduce((a, b) => Math.max(a, b), hi);
  return top > hi ? { ...axis, range: [lo, top + (axis.type === "log" ? 0 : (top - lo) * 0.03)] } : axis;
}
