// One chart in its card: drawn in place by Plotly, in the colours of the theme, or small by its thumbnails.

import { download, element, toggleFullScreen } from "../dom.js";
import { put, reuseEqualParts } from "../wire/codec.js";
import { arrangement, bestArrangement, enlarged, fitted, widestThatFits } from "./cells.js";
import { csvOf } from "./csv.js";
import { describe } from "./describe.js";
import { FastPath } from "./fast_path.js";
import { apart, inRows, widthOf } from "./notes.js";
import { groupOf, Legend } from "./legend.js";
import { PixelMaps } from "./pixel_maps.js";
import { SecondRun } from "./second_run.js";
import { Axes } from "../controls/axes.js";
import { Cursor } from "../controls/cursor.js";
import { ChartMenu } from "../controls/menu.js";
import { Pad } from "../controls/pad.js";
import { reaching } from "../controls/pins.js";
import { ImageStepper } from "../controls/image_stepper.js";
import { PlaceForm } from "../controls/place.js";
import { Brush, Network } from "../controls/network/network.js";
import { Racers } from "../controls/racers.js";
import { Script } from "../controls/script.js";
import { Lines, NetworkLines } from "../controls/network/lines.js";
import { Sliders } from "../controls/sliders.js";
import { DragKnobs } from "../controls/drag_knobs.js";
import { WeightForm } from "../controls/network/weights.js";

const MAX_CLICK_PIXELS = 4; // a pointer that moved further was a drag
const FULL_UPDATE_MS = 1000; // a paused chart, or one under the pointer, gets its full update at most this late
const TITLE = 1.2; // of an axis, as a part of the type's size: Plotly's own
const SMALLEST = 0.65; // that a title becomes where it has no room
const BETWEEN_NUMBERS = 0.6; // of the type's size
const ROW = 1.5; // of the type's size: from one number above another to the next
const MANY_ROWS = 6; // Plotly itself takes care of more
const UNIT = /^[\d,]+ \p{L}+$/u; // a number with its unit, as "1,200 steps"
const FONTS = new Set(["font", "tickfont", "textfont", "titlefont", "marker"]); // whose sizes follow the page's type
const WORDS_MS = 2000; // while a run plays, the chart in words is written this often

let charts = 0; // on this page, for their ids

/** Whether a chart shows the lines of a step; only beside it has the network a button for the next line. */
const hasLines = ({ controls }) => controls.includes("zero_grad");

export class Chart {
  /** `spec` is the lesson's chart; `board` has words, options, colour(role), scale, changed() and edit(command). */
  constructor(spec, board) {
    this.spec = spec;
    this.board = board;
    this.figure = null;
    this.place = "small"; // or "hero", "second", "strip"
    this.isSeen = false;
    this.arranged = 0; // which arrangement of a drawing of cells is shown
    this.host = null; // of a second run's chart: the first run's
    this.thumbnails = new Set();
    this.gone = new AbortController();
    this.isSwiped = false; // a finger has moved over the chart, and nothing was touched since
    this.hidden = new Set(); // names of traces that the visitor has switched off
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
    this.legend = new Legend(this);
    this.slot = element("span", { class: "slot" }); // in the head, for controls that belong to this chart alone
    if (spec.place.length) this.placeForm = new PlaceForm(spec, board);
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
    this.stage = stage;
    this.secondRun = new SecondRun(this);
    this.card = element(
      "section",
      {
        class: ["card", spec.wide && "wide", spec.beside === "pad" && "pad"].filter(Boolean).join(" "),
        "aria-label": spec.title,
      },
      this.header(),
      stage,
      this.inWords,
    );
    if (spec.beside === "weights") this.weightForm = new WeightForm(this);
    if (spec.network) this.network = new Network(this);
    this.overlays = [
      this.network,
      spec.brush && new Brush(this),
      spec.controls.includes("racers") && new Racers(this),
      spec.controls.includes("script") && new Script(this),
      spec.controls.includes("image") && new ImageStepper(this),
      spec.controls.includes("a") && new Axes(this),
      hasLines(spec) && new Lines(this),
      spec.network && board.data.charts.some(hasLines) && new NetworkLines(this),
    ].filter(Boolean);
    this.watcher = new IntersectionObserver(([entry]) => {
      this.isSeen = entry.isIntersecting;
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
    window.addEventListener("pointerdown", (event) => this.followTouch(event), {
      capture: true,
      signal: this.gone.signal,
    });
    if (spec.magnified_on) this.listenForPointing();
    if (spec.click) this.listenForClicks();
    else if (spec.turns.length) this.dragKnobs = new DragKnobs(this);
  }

  header() {
    const { words } = this.board;
    const { title } = this.spec;
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
    const named = (label, act) => [label, act, `${label}: ${title}`];
    this.menu = new ChartMenu(title, words, toggles, [
      ...(this.spec.beside === "weights"
        ? [[words.weights, () => this.figure?.parameters && this.weightForm.open(0, 0)]]
        : []),
      ...(this.spec.strip ? [] : [named(words.exchange, () => this.board.places.exchange())]),
      named(words.resetZoom, () => this.resetZoom()),
      named(words.png, () => this.savePicture()),
      named(words.csv, () => this.saveNumbers()),
      named(words.fullScreen, () => toggleFullScreen(this.card)),
    ]);
    this.weightsButton = this.menu.button;
    return element(
      "header",
      {},
      element("h2", {}, title),
      this.slot,
      this.legend.root,
      ...(this.placeForm ? [this.placeForm.form] : []),
      ...(this.sliders ? [this.sliders.form] : []),
      this.menu.button,
      this.menu.panel,
    );
  }

  /** Whether anybody sees the chart, large or small. */
  get visible() {
    return this.place === "small" ? [...this.thumbnails].some((each) => each.visible) : this.isSeen;
  }

  /** Stand in another place; a chart that becomes large is drawn when its card has its size. */
  moveTo(place) {
    if (place === this.place) return;
    this.place = place;
    this.card.dataset.size = place;
    if (place === "small") clearTimeout(this.later);
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
        put(this.shown, path, this.coloured(value, path[path.length - 1]));
      }
      if (this.place === "small") this.draw();
      else if (this.visible && this.fastPath.show(arrangement(this.shown, this.arranged), this.patchOf(part.set))) {
        this.drawMaps();
        this.isBehind ||= part.set.some(([[name]]) => name === "data" || name === "layout");
        if (this.isPointedAt) this.settle();
        if (performance.now() - this.inWordsAt > WORDS_MS) this.writeWords();
      } else this.draw();
    }
    this.weightForm?.refresh();
    for (const overlay of this.overlays) overlay.take(part);
    this.placeForm?.show(this.figure?.layout.meta?.place);
    this.sliders?.show(this.figure?.layout.meta?.sliders);
  }

  /** What is drawn: the figure, or the arrangement of its cells that suits the chart's place best. */
  fitted() {
    this.arranged = 0;
    const { meta } = this.shown.layout;
    const place = [this.plot.clientWidth, this.plot.clientHeight, this.board.scale];
    if (meta?.made_for) {
      this.arranged = widestThatFits(this.shown, this.plot.clientWidth);
      return enlarged(arrangement(this.shown, this.arranged), ...place);
    }
    if (!meta?.cells) return this.shown;
    this.arranged = bestArrangement(this.shown, ...place);
    return fitted(arrangement(this.shown, this.arranged), ...place);
  }

  /** Changes of the figure as changes of the arrangement that is shown. */
  patchOf(set) {
    if (!this.figure.others) return set;
    const [shown, others] = [this.arranged - 1, set.filter(([[part]]) => part === "others")];
    if (shown < 0) return set.filter((change) => !others.includes(change));
    return others.filter(([[, at]]) => at === shown).map(([path, value]) => [path.slice(2), value]);
  }

  /** Plan a full update for changes that the fast path drew without Plotly. */
  settle() {
    if (this.isBehind) this.later ??= setTimeout(() => this.draw(), FULL_UPDATE_MS);
  }

  /** The full update: Plotly draws everything that has changed, or the thumbnails do. */
  draw() {
    clearTimeout(this.later);
    this.later = undefined;
    this.isBehind = false;
    if (!this.figure) return;
    if (this.place === "small") {
      for (const each of this.thumbnails) if (each.visible) each.paint();
      return this.writeWords();
    }
    if (!window.Plotly) return;
    const ghosts = [
      ...(this.spec.pins && this.board.pins ? this.board.pins.ghosts() : []),
      ...(this.board.rail?.question.traces(this) ?? []),
    ];
    const drawing = this.fitted();
    const own = this.hidden.size
      ? drawing.data.map((trace) => this.hidden.has(groupOf(trace)) ? { ...trace, visible: false } : trace)
      : drawing.data;
    const data = [
      ...own,
      ...this.secondRun.traces(own),
      ...ghosts,
      ...(this.board.classmates?.traces(this) ?? []),
    ];
    const layout = this.currentLayout(inRows(drawing.layout, this.plot.clientHeight, this.board.scale), ghosts);
    if (layout.width < 40) return;
    this.secondRun.drawn = data;
    const config = { displayModeBar: false, doubleClick: false, scrollZoom: false, responsive: false };
    window.Plotly.react(this.plot, data, layout, config);
    this.fastPath.forget();
    this.legend.show([...this.shown.data, ...named(drawing.layout.shapes)]);
    this.listenForZoom();
    this.drawMaps();
    this.cursor?.show();
    for (const overlay of this.overlays) overlay.draw();
    this.writeWords();
  }

  /** Show, or stop showing, what a compared run has in this chart. */
  showTwin(twin, heading, patch) {
    this.secondRun.show(twin, heading, patch);
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
  currentLayout(layout, ghosts = []) {
    const kinds = `${layout.xaxis.type} ${layout.yaxis.type}`;
    if (this.zoom?.kinds !== kinds) this.zoom = null;
    const { scale } = this.board;
    const { l = 0, r = 0, t = 0, b = 0 } = layout.margin ?? {};
    const { clientWidth: width, clientHeight: height } = this.plot;
    const wide = width - scale * (l + r - 2 * Math.min(l, r));
    const high = height - scale * (t + b - 2 * Math.min(t, b));
    const type = { size: 12 * scale, family: this.board.font };
    return {
      ...layout,
      width,
      height,
      dragmode: this.dragKnobs || isTouch() ? false : layout.dragmode,
      showlegend: false,
      shapes: layout.shapes?.map((shape) => this.hidden.has(shape.name) ? { ...shape, visible: false } : shape),
      margin: { ...layout.margin, l: l * scale, r: r * scale, t: t * scale, b: b * scale },
      font: { ...layout.font, ...type },
      annotations: apart(layout, width - scale * (l + r), height - scale * (t + b), type),
      xaxis: withTitle(
        thinned(
          currentAxis(reaching(layout.xaxis, ghosts.flatMap((ghost) => ghost.x)), this.zoom?.xaxis),
          width - scale * (l + r),
          type,
        ),
        wide,
        type,
      ),
      yaxis: withTitle(
        withRows(
          currentAxis(reaching(layout.yaxis, ghosts.flatMap((ghost) => ghost.y)), this.zoom?.yaxis),
          (height - scale * (t + b)) / (ROW * type.size),
        ),
        high,
        type,
      ),
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
    this.plot.on("plotly_beforehover", () => !this.isSwiped); // Plotly takes the end of a swipe for a tap
    if (this.spec.click !== "add") this.plot.on("plotly_doubleclick", () => this.resetZoom());
  }

  /** The theme or the type size changed: colour everything again. */
  recolour() {
    this.pad?.redraw();
    if (!this.figure) return;
    this.shown = this.coloured(this.figure);
    this.draw();
  }

  /** A part of a figure in the theme's colours and the page's type size. */
  coloured(value, key = "") {
    if (typeof value === "string") return value[0] === "@" ? this.board.colour(value) : value;
    if (Array.isArray(value)) {
      const items = value.map((item) => this.coloured(item, key));
      return items.every((item, i) => item === value[i]) ? value : items; // Plotly compares lists by identity
    }
    if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
    const { scale } = this.board;
    const isType = FONTS.has(key) && scale !== 1;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [
        name,
        isType && name === "size" && typeof item === "number" ? item * scale : this.coloured(item, name),
      ]),
    );
  }

  fit() {
    const { layout } = this.plot;
    if (this.place === "small" || !this.plot.clientWidth) return;
    if (!layout || (layout.width !== this.plot.clientWidth || layout.height !== this.plot.clientHeight)) this.draw();
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
      showlegend: true,
      legend: { orientation: "h", x: 1, xanchor: "right", y: 1, yanchor: "bottom" },
      images: this.maps.pictures(arrangement(this.figure, this.arranged).maps),
      shapes: [...(layout.shapes ?? []), ...this.maps.frames(arrangement(this.figure, this.arranged).maps)],
      ...(layout.meta?.cells && { yaxis: { ...layout.yaxis, scaleanchor: "x" } }),
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
    const own = arrangement(this.figure, this.arranged).maps;
    const enlarged = large && own && { ...large, boxes: large.enlarged ?? own.boxes, over: own.over, square: false };
    this.maps.draw(enlarged || own, 0, this.secondRun.end);
    this.secondRun.drawMaps(this.maps);
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
    if (this.network && !click) this.network.click(point);
    else if (this.dragKnobs) this.dragKnobs.pick(point);
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

  /** Hover text that a tap has opened closes with a swipe and with a touch elsewhere, since no pointer leaves it. */
  followTouch(from) {
    this.isSwiped = false;
    if (from.pointerType !== "touch" || !this.plot.querySelector(".hoverlayer")) return;
    if (!this.plot.contains(from.target)) return this.closeHover();
    const ended = new AbortController();
    const finish = (event) => {
      ended.abort();
      const moved = Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY);
      this.isSwiped = event.type === "pointercancel" || moved > MAX_CLICK_PIXELS;
      if (this.isSwiped) this.closeHover();
    };
    for (const type of ["pointerup", "pointercancel"]) {
      window.addEventListener(type, finish, { capture: true, signal: ended.signal });
    }
  }

  closeHover() {
    if (this.plot._fullLayout && this.plot.querySelector(".hoverlayer > *")) window.Plotly.Fx.unhover(this.plot);
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
    this.gone.abort();
    this.pad?.destroy();
    for (const overlay of this.overlays) overlay.destroy();
    this.watcher.disconnect();
    this.sizer.disconnect();
    if (window.Plotly) window.Plotly.purge(this.plot);
  }
}

/** The shapes that stand in the legend: those with a name, which Plotly marks as it marks traces. */
const named = (shapes = []) => shapes.filter(({ showlegend }) => showlegend);

/** Whether the visitor points with a finger: a swipe over a chart then scrolls the page and zooms nothing. */
const isTouch = () => window.matchMedia("(pointer: coarse)").matches;

/**
 * A copy of an axis with the student's range, if any: Plotly writes into the range that it is given. Where the numbers
 * stand inside, there is no room for the title.
 */
function currentAxis(axis, zoomed) {
  const range = zoomed ?? axis.range;
  const title = axis.ticklabelposition?.startsWith("inside") ? { title: undefined } : {};
  return { ...axis, ...title, uirevision: false, ...(range && { range: [...range] }) };
}

/** An axis whose title is as small as its place needs: `room` pixels, centred over the axis. */
function withTitle(axis, room, { size, family }) {
  const title = typeof axis.title === "string" ? { text: axis.title } : axis.title;
  if (!title?.text || room <= 0) return axis;
  const wanted = title.font?.size ?? TITLE * size;
  const width = wanted * widthOf(title.text, family);
  if (width <= room) return axis;
  return {
    ...axis,
    title: { ...title, font: { ...title.font, size: Math.max(SMALLEST * size, (wanted * room) / width) } },
  };
}

/** A horizontal axis with every nth of its numbers, as many as fit in `room` pixels; a last one with its unit stays. */
function thinned(axis, room, { size, family }) {
  const { ticktext = [], tickvals = [] } = axis;
  if (!ticktext.length && axis.dtick > 0 && axis.range) return withFewerTicks(axis, room, { size, family });
  const numbers = [...ticktext];
  const unit = UNIT.test(numbers.at(-1) ?? "") ? numbers.pop() : "";
  const isNumber = (text) => text.trim() && Number.isFinite(Number(text.replaceAll(",", "")));
  if (ticktext.length < 3 || room <= 0 || !numbers.every(isNumber)) return axis;
  const wide = size * (Math.max(...numbers.map((text) => widthOf(text, family))) + BETWEEN_NUMBERS);
  const last = unit ? size * (widthOf(unit, family) + BETWEEN_NUMBERS) : 0;
  const nth = Math.max(1, Math.ceil((wide * numbers.length) / Math.max(room - last, wide)));
  const kept = (_each, at) =>
    at % nth === 0 && (!unit || at + nth <= numbers.length) || (unit && at === numbers.length);
  return { ...axis, tickangle: 0, tickvals: [...tickvals].filter(kept), ticktext: ticktext.filter(kept) };
}

/** A horizontal axis with a fixed distance between its ticks, which is doubled until the numbers have room. */
function withFewerTicks(axis, room, { size, family }) {
  const [low, high] = axis.range;
  const ends = axis.type === "log" ? ["1000"] : [low, high].map((each) => each.toPrecision(2)); // as 10⁻⁶ or 1e-6
  const wide = size * (Math.max(...ends.map((text) => widthOf(text, family))) + BETWEEN_NUMBERS);
  const most = Math.max(1, room / wide);
  let { dtick } = axis;
  while (Math.abs(high - low) / dtick > most) dtick *= 2;
  return { ...axis, dtick };
}

/** A vertical axis with room for `rows` numbers: Plotly puts five on the lowest chart. */
function withRows(axis, rows) {
  if (rows <= 0 || axis.tickvals || axis.nticks || axis.visible === false) return axis;
  if (axis.dtick > 0 && axis.range) {
    let { dtick } = axis;
    while (Math.abs(axis.range[1] - axis.range[0]) / dtick > Math.max(rows, 1)) dtick *= 2;
    return { ...axis, dtick };
  }
  return rows < MANY_ROWS ? { ...axis, nticks: Math.max(2, Math.floor(rows)) } : axis;
}

/** What the keyboard can do at a place of the chart, by the names of the sentences that say so. */
function actsOf({ click, turns, toggles, magnified_on: magnified }) {
  return [
    turns.length ? "turns" : click,
    toggles.some((toggle) => toggle.click === "explain") && "explain",
    magnified && "magnify",
  ].filter(Boolean);
}
