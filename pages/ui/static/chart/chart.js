// One chart in its card: drawn in place by Plotly, in the colours of the theme, with its own small tools.

import { download, element, fill, icon, toggleFullScreen } from "../dom.js";
import { put, reuseEqualParts } from "../wire/codec.js";
import { csvOf } from "./csv.js";
import { describe } from "./describe.js";
import { FastPath } from "./fast_path.js";
import { PixelMaps } from "./pixel_maps.js";
import { Cursor } from "../controls/cursor.js";
import { Pad } from "../controls/pad.js";
import { reaching } from "../controls/pins.js";
import { PlaceForm } from "../controls/place.js";
import { Sliders } from "../controls/sliders.js";
import { DragKnobs } from "../controls/drag_knobs.js";
import { WeightForm } from "../controls/weights.js";

const MAX_CLICK_PIXELS = 4; // a pointer that moved further was a drag
const FULL_UPDATE_MS = 1000; // a paused chart, or one under the pointer, gets its full update at most this late
const WORDS_MS = 2000; // while a run plays, the chart in words is written this often

let charts = 0; // on this page, for their ids

export class Chart {
  /** `spec` is the lesson's chart; `board` has words, options, palette(), large, changed() and edit(command). */
  constructor(spec, board) {
    this.spec = spec;
    this.board = board;
    this.figure = null;
    this.visible = false;
    this.magnified = null; // the chart and the index of the map that this chart shows enlarged
    this.plot = element("div", {
      class: "plot",
      "data-chart": spec.name,
      role: "img",
      "aria-label": `${spec.title}. ${spec.alt}`,
      "aria-describedby": `chart-${++charts}`,
      translate: "no",
    });
    this.inWords = element("p", { class: "unseen", id: `chart-${charts}`, translate: "no" });
    this.sentences = this.news = []; // what the chart shows, and what of it is new
    this.maps = new PixelMaps(this.plot, board);
    this.fastPath = new FastPath(this.plot);
    if (spec.place.length) this.place = new PlaceForm(spec, board);
    if (spec.sliders.length) this.sliders = new Sliders(spec.sliders, spec.title, board);
    const acts = actsOf(spec);
    if (acts.length) this.cursor = new Cursor(this, acts);
    let stage = element(
      "div",
      { class: "stage" },
      this.maps.canvas,
      this.plot,
      ...(this.cursor ? [this.cursor.root] : []),
    );
    if (spec.beside === "pad") {
      this.pad = new Pad(this);
      stage = element("div", { class: "beside-pad" }, this.pad.root, stage);
    }
    this.card = element(
      "section",
      {
        class: ["card", spec.width, spec.height, spec.beside === "pad" && "pad"].filter(Boolean).join(" "),
        "aria-label": spec.title,
      },
      this.header(),
      stage,
      this.inWords,
    );
    if (spec.beside === "weights") this.weightForm = new WeightForm(this);
    this.watcher = new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      board.changed();
    }, { rootMargin: "60px" });
    this.watcher.observe(this.plot);
    this.sizer = new ResizeObserver(() => this.fit());
    this.sizer.observe(this.plot);
    this.plot.addEventListener("pointerenter", () => {
      this.isPointedAt = true;
      if (this.isBehind) this.draw(); // so that Plotly's hover text shows the current values
    });
    this.plot.addEventListener("pointerleave", () => (this.isPointedAt = false));
    if (spec.magnified_on) this.listenForPointing();
    if (spec.click) this.listenForClicks();
    else if (spec.turns.length) this.dragKnobs = new DragKnobs(this);
  }

  header() {
    const words = this.board.words;
    const tool = (label, sign, act) =>
      element(
        "button",
        { type: "button", title: label, "aria-label": `${label}: ${this.spec.title}`, onclick: act },
        sign,
      );
    const toggles = this.spec.toggles.map((toggle) => {
      const box = element("input", { type: "checkbox", name: toggle.name });
      box.checked = this.board.options[toggle.name] ??= toggle.on;
      box.onchange = () => {
        this.board.options[toggle.name] = box.checked;
        if (toggle.click === "explain") this.plot.classList.toggle("explains", box.checked);
        this.board.changed();
      };
      return element("label", { class: "toggle" }, box, toggle.label);
    });
    if (this.spec.beside === "weights") {
      this.weightsButton = tool(words.weights, "±w", () => this.figure?.parameters && this.weightForm.open(0, 0));
      this.weightsButton.setAttribute("aria-label", `±w: ${words.weights}`);
    }
    return element(
      "header",
      {},
      element("h2", {}, this.spec.title),
      ...toggles,
      ...(this.place ? [this.place.form] : []),
      ...(this.sliders ? [this.sliders.form] : []),
      element(
        "span",
        { class: "tools" },
        ...(this.weightsButton ? [this.weightsButton] : []),
        tool(words.resetZoom, icon("home"), () => this.resetZoom()),
        tool(words.png, "PNG", () => this.savePicture()),
        tool(words.csv, "CSV", () => this.saveNumbers()),
        tool(words.fullScreen, icon("full"), () => toggleFullScreen(this.card)),
      ),
    );
  }

  /** Show a whole figure, or changes to the last one. */
  take(part) {
    if (part.figure) {
      const figure = reuseEqualParts(part.figure, this.figure);
      if (figure !== this.figure) {
        this.figure = figure;
        this.shown = this.coloured(figure);
        this.draw();
      }
    } else if (this.figure) {
      for (const [path, value] of part.set) {
        put(this.figure, path, value);
        put(this.shown, path, this.coloured(value));
      }
      if (this.visible && this.fastPath.show(this.shown, part.set)) {
        this.drawMaps();
        this.isBehind ||= part.set.some(([[name]]) => name === "data" || name === "layout");
        if (this.isPointedAt) this.settle();
        if (performance.now() - this.inWordsAt > WORDS_MS) this.writeWords();
      } else this.draw();
    }
    this.weightForm?.refresh();
    this.place?.show(this.figure?.layout.meta?.place);
    this.sliders?.show(this.figure?.layout.meta?.sliders);
  }

  /** Plan a full update for changes that the fast path drew without Plotly. */
  settle() {
    if (this.isBehind) this.later ??= setTimeout(() => this.draw(), FULL_UPDATE_MS);
  }

  /** The full update: Plotly draws everything that has changed. */
  draw() {
    clearTimeout(this.later);
    this.later = undefined;
    this.isBehind = false;
    if (!this.figure || !window.Plotly) return;
    const ghosts = this.spec.pins && this.board.pins ? this.board.pins.ghosts() : [];
    const data = [...this.shown.data, ...ghosts];
    const layout = this.currentLayout(ghosts);
    if (layout.width < 40) return;
    const config = { displayModeBar: false, doubleClick: false, scrollZoom: false, responsive: false };
    window.Plotly.react(this.plot, data, layout, config);
    this.fastPath.forget();
    this.listenForZoom();
    this.drawMaps();
    this.cursor?.show();
    this.writeWords();
  }

  /** Name the card, of two compared runs with the run's heading. */
  nameCard(heading) {
    const { title } = this.spec;
    const name = heading ? fill(this.board.words.cardOf, { title, run: heading }) : title;
    this.card.setAttribute("aria-label", name);
  }

  /** Write what the chart shows in words, for screen readers. */
  writeWords() {
    if (!this.shown) return;
    this.inWordsAt = performance.now();
    const { words } = this.figure.layout.meta ?? {};
    const sentences = words === undefined ? describe(this.figure, this.board.words) : [words].filter(Boolean);
    this.news = sentences.filter((sentence) => !this.sentences.includes(sentence));
    this.sentences = sentences;
    const text = sentences.join(" ");
    if (this.inWords.textContent !== text) this.inWords.textContent = text;
  }

  /** The figure's layout at the current size and zoom: a new object, because Plotly writes into it. */
  currentLayout(ghosts = []) {
    const { layout } = this.shown;
    const kinds = `${layout.xaxis.type} ${layout.yaxis.type}`;
    if (this.zoom?.kinds !== kinds) this.zoom = null;
    return {
      ...layout,
      width: this.plot.clientWidth,
      height: this.plot.clientHeight,
      dragmode: this.dragKnobs ? false : layout.dragmode,
      legend: atTop(layout.legend),
      font: { ...layout.font, size: this.board.large ? 16 : 12, family: this.board.font },
      xaxis: currentAxis(reaching(layout.xaxis, ghosts.flatMap((ghost) => ghost.x)), this.zoom?.xaxis),
      yaxis: currentAxis(reaching(layout.yaxis, ghosts.flatMap((ghost) => ghost.y)), this.zoom?.yaxis),
    };
  }

  listenForZoom() {
    if (this.listening) return;
    this.listening = true;
    this.plot.on("plotly_relayout", (event) => {
      if (!Object.keys(event).some((key) => key.includes("axis.range"))) return;
      const { xaxis, yaxis } = this.plot._fullLayout;
      const { layout } = this.shown;
      this.zoom = {
        kinds: `${layout.xaxis.type} ${layout.yaxis.type}`,
        xaxis: [...xaxis.range],
        yaxis: [...yaxis.range],
      };
    });
    if (this.weightForm) {
      this.plot.on("plotly_click", ({ points }) => {
        const unit = points.find((point) => point.customdata)?.customdata;
        if (unit) this.weightForm.open(...unit);
      });
    }
    if (this.spec.click !== "add") this.plot.on("plotly_doubleclick", () => this.resetZoom());
  }

  /** The theme or the type size changed: colour everything again. */
  recolour() {
    this.pad?.redraw();
    if (!this.figure) return;
    this.shown = this.coloured(this.figure);
    this.draw();
  }

  coloured(value) {
    if (typeof value === "string") return value[0] === "@" ? this.board.colour(value) : value;
    if (Array.isArray(value)) {
      const items = value.map((item) => this.coloured(item));
      return items.every((item, i) => item === value[i]) ? value : items; // Plotly compares lists by identity
    }
    if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.coloured(item)]));
  }

  fit() {
    const layout = this.plot.layout;
    if (layout && (layout.width !== this.plot.clientWidth || layout.height !== this.plot.clientHeight)) this.draw();
  }

  resetZoom() {
    this.zoom = null;
    this.draw();
  }

  async savePicture() {
    if (!this.figure) return;
    const { data, layout } = this.plot;
    const solid = {
      ...layout,
      legend: this.shown.layout.legend,
      images: this.maps.pictures(this.figure.maps),
      shapes: [...(layout.shapes ?? []), ...this.maps.frames(this.figure.maps)],
      paper_bgcolor: this.board.colour("@ground"),
      title: { text: this.spec.title },
      margin: { ...layout.margin, t: 60 },
    };
    const url = await window.Plotly.toImage({ data, layout: solid }, {
      format: "png",
      width: 1000,
      height: 640,
      scale: 2,
    });
    download(`${this.spec.name}.png`, url);
  }

  saveNumbers() {
    if (!this.figure) return;
    const url = URL.createObjectURL(new Blob([csvOf(this.figure)], { type: "text/csv" }));
    download(`${this.spec.name}.csv`, url);
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  /** Draw the figure's maps, or the map under the pointer in another chart; then the chart that magnifies ours. */
  drawMaps() {
    const large = this.magnified && this.magnified.chart.smallMap(this.magnified.index);
    const own = this.figure.maps;
    this.maps.draw(large && own ? { ...large, boxes: own.boxes, over: own.over } : own);
    if (this.pointedAt >= 0) this.board.charts.get(this.spec.magnified_on)?.drawMaps();
  }

  smallMap(index) {
    const maps = this.figure?.maps;
    const size = maps ? maps.side * maps.side : 0;
    return maps && (index + 1) * size <= maps.values.length
      ? { ...maps, values: maps.values.subarray(index * size, (index + 1) * size) }
      : null;
  }

  /** Show the map at a place enlarged in another chart; none where there is no map. */
  point(place) {
    const boxes = this.figure?.maps?.boxes ?? [];
    let index = -1;
    for (let i = 0; place && i < boxes.length; i += 4) {
      const [x0, x1, y0, y1] = boxes.subarray(i, i + 4);
      if (x0 <= place.x && place.x <= x1 && y0 <= place.y && place.y <= y1) index = i / 4;
    }
    if (index === this.pointedAt) return;
    this.pointedAt = index;
    const other = this.board.charts.get(this.spec.magnified_on);
    if (!other?.figure) return;
    other.magnified = index < 0 ? null : { chart: this, index };
    other.drawMaps();
  }

  listenForPointing() {
    this.pointedAt = -1;
    this.plot.addEventListener("pointermove", (event) => this.point(this.pointAt(event)));
    this.plot.addEventListener("pointerleave", () => this.point(null));
  }

  /** What a click at a place does, or Enter on the keyboard's cursor. */
  click(point, { altKey, shiftKey }) {
    const { click, name, toggles, turns } = this.spec;
    const explain = toggles.find((toggle) => toggle.click === "explain");
    if (this.dragKnobs) this.dragKnobs.pick(point);
    else if (turns.length) this.board.pick({ chart: name, ...point });
    else if (click === "pick") this.board.edit({ do: "pick", chart: name, ...point });
    else if (explain && (altKey || this.board.options[explain.name])) this.board.edit({ do: "explain", ...point });
    else if (click) this.board.edit({ do: shiftKey ? "remove" : "add", ...point });
  }

  listenForClicks() {
    this.plot.classList.add(this.spec.click === "pick" ? "pick" : "editable");
    this.plot.addEventListener("pointerdown", (from) => {
      // While a button is down, Plotly covers the whole page, so the chart itself gets no pointerup.
      const ended = new AbortController();
      const finish = (event) => {
        ended.abort();
        const moved = Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY);
        const point = event.type === "pointerup" && event.button === 0 && moved <= MAX_CLICK_PIXELS &&
          this.pointAt(from);
        if (point) this.click(point, from);
      };
      for (const type of ["pointerup", "pointercancel"]) {
        window.addEventListener(type, finish, { capture: true, signal: ended.signal });
      }
    }, true);
  }

  /** The data coordinates under the pointer, or null outside the axes. */
  pointAt(event) {
    const full = this.plot._fullLayout;
    if (!full) return null;
    const box = this.plot.getBoundingClientRect();
    const left = event.clientX - box.left - full.xaxis._offset;
    const top = event.clientY - box.top - full.yaxis._offset;
    if (left < 0 || top < 0 || left > full.xaxis._length || top > full.yaxis._length) return null;
    return { x: full.xaxis.p2d(left), y: full.yaxis.p2d(top) };
  }

  destroy() {
    clearTimeout(this.later);
    this.pad?.destroy();
    this.watcher.disconnect();
    this.sizer.disconnect();
    if (window.Plotly) window.Plotly.purge(this.plot);
  }
}

/** A legend above the axes, moved to the upper end of the chart: Plotly leaves a row empty there. */
function atTop(legend) {
  const isAbove = legend?.y === 1 && legend.yanchor === "bottom";
  return isAbove ? { ...legend, yref: "container", yanchor: "top" } : legend;
}

/** A copy of an axis with the student's range, if any: Plotly writes into the range that it is given. */
function currentAxis(axis, zoomed) {
  const range = zoomed ?? axis.range;
  return { ...axis, uirevision: false, ...(range && { range: [...range] }) };
}

/** What the keyboard can do at a place of the chart, by the names of the sentences that say so. */
function actsOf({ click, turns, toggles, magnified_on: magnified }) {
  return [
    turns.length ? "turns" : click,
    toggles.some((toggle) => toggle.click === "explain") && "explain",
    magnified && "magnify",
  ].filter(Boolean);
}
