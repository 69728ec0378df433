// What a compared run adds to a chart of the first: its lines, dashed and pale, and its points where they differ; its
// side of a plane, which a curtain divides; or, of any other picture, one of its own below.

import { element } from "../dom.js";
import { put } from "../wire/codec.js";
import { groupOf } from "./legend.js";

const PALE = 0.65;
const STEP = 0.02; // of the curtain, for an arrow key
const POINTS = { first: "●", other: "⊙" }; // how the points of each run look where both are among one another

const MAX_PIXELS = 10_000; // of a plane

let curtains = 0; // on this page, for the ids of what they cut off

export class SecondRun {
  /** `chart` has card, stage, plot, figure, shown, fastPath, draw() and drawMaps(). */
  constructor(chart) {
    this.chart = chart;
    this.twin = null; // the same chart of the second run
    this.heading = "";
    this.kind = ""; // or "lines", "curtain", "below"
    this.places = new Map(); // the index of one of its traces -> its index in the drawn data
    this.drawn = []; // all traces as they were drawn last
    this.share = 0.5; // of the plane that is the first run's
    this.hasOwnPoints = false; // other data than the first run's
    this.hasOwnMarks = false; // these, or single ones that show where it is
    this.points = { first: [], other: [] }; // the indices of the traces with the points of each run
    this.clipped = new Set(); // the nodes of those that the curtain cuts off
    this.curtain = this.names = this.below = null; // elements
  }

  /** Show a twin after a patch to its figure (undefined: all of it is new); null ends the comparison. */
  show(twin, heading = "", patch = undefined) {
    const kind = twin?.figure && this.chart.figure ? kindOf(this.chart, twin) : "";
    const isNew = twin !== this.twin || kind !== this.kind || heading !== this.heading;
    if (!isNew && kind === "") return;
    [this.twin, this.heading] = [twin, heading];
    const hadOwnPoints = this.hasOwnPoints;
    if (kind === "lines" || kind === "curtain") this.findPoints();
    const isOther = this.hasOwnPoints !== hadOwnPoints;
    if (isNew || (isOther && kind === "lines")) this.change(kind);
    else if (kind === "curtain" && (isOther || (this.hasOwnPoints && movesPoints(this.twin, patch)))) this.chart.draw();
    else if (kind === "curtain") this.chart.drawMaps();
    else if (kind === "lines" && !(patch && this.move(patch))) this.chart.draw();
  }

  /** Find which points of the second run differ from the first one's; a single one is a mark, more are its data. */
  findPoints() {
    const [own, other] = [this.chart, this.twin].map(({ shown }) => shown?.data ?? []);
    const differs = (trace, at) => isPoints(trace) && !(isPoints(own[at] ?? {}) && isSame(trace, own[at]));
    const found = other.filter(differs);
    this.hasOwnPoints = found.some(({ y }) => y.length > 1);
    this.hasOwnMarks = found.length > 0;
  }

  change(kind) {
    const hadFocus = this.curtain?.contains(document.activeElement);
    this.curtain?.remove();
    this.uncut();
    this.below?.remove();
    this.names?.remove();
    this.kind = kind;
    if ((kind === "lines" || kind === "below") && !this.chart.spec.strip) {
      const name = (text, which) =>
        element("span", { class: `whose ${which}` }, this.hasOwnPoints ? `${text} ${POINTS[which]}` : text);
      const second = kind === "lines" ? [name(this.heading, "other")] : [];
      this.names = element(
        "span",
        { class: "runs", translate: "no" },
        name(this.chart.board.heading, "first"),
        ...second,
      );
      this.chart.slot.after(this.names);
    }
    this.chart.card.classList.toggle("two", kind === "below");
    if (kind === "curtain") this.hang();
    if (kind === "below") {
      this.below = element("div", { class: "twin" }, element("p", { class: "whose" }, this.heading), this.twin.stage);
      this.chart.card.append(this.below);
      this.twin.moveTo("hero");
      this.twin.draw();
    }
    this.chart.draw();
    if (hadFocus && kind === "curtain") this.curtain.focus();
  }

  /** The traces to draw with those of the first run, which are `own`: lines and points that differ from its own. */
  traces(own) {
    this.followLook();
    this.places.clear();
    this.points = { first: [], other: [] };
    if (this.kind !== "lines" && this.kind !== "curtain") return [];
    this.findPoints();
    const found = [];
    this.twin.shown.data.forEach((trace, at) => {
      const first = own[at];
      const name = trace.name && `${trace.name} (${this.heading})`;
      const { opacity = 1 } = trace;
      const isHidden = trace.name !== undefined && this.chart.hidden.has(groupOf(trace));
      const hidden = isHidden ? { visible: false } : {};
      if (isPoints(trace) && this.hasOwnMarks && (this.kind === "lines" || this.hasOwnPoints)) {
        this.points.first.push(at);
        this.points.other.push(own.length + found.length);
        this.places.set(at, own.length + found.length);
        const look = this.kind === "lines" ? { marker: dotted(trace.marker), opacity: opacity * PALE } : {};
        found.push({ ...trace, name, showlegend: false, ...look, ...hidden });
        return;
      }
      if (this.kind !== "lines" || !isLine(trace) || isSame(trace, first)) return;
      this.places.set(at, own.length + found.length);
      const dash = trace.line?.dash && trace.line.dash !== "solid" ? "dot" : "dash";
      const line = { ...trace.line, dash };
      found.push({ ...trace, name, showlegend: false, opacity: opacity * PALE, line, ...hidden });
    });
    return found;
  }

  /** The theme or the type size may have changed since the second run's figure was coloured. */
  followLook() {
    const { theme, scale } = this.chart.board;
    const look = `${theme} ${scale}`;
    if (look !== this.look && this.twin?.figure) this.twin.recolour();
    this.look = look;
  }

  /** Move the drawn lines as a patch says; false where that needs a full update. */
  move(patch) {
    const { plot, visible } = this.chart;
    if (!visible || plot.data?.length !== this.drawn.length) return false;
    const { data } = this.twin.shown;
    const own = this.chart.shown.data;
    const isOther = (at) => isLine(data[at]) || (isPoints(data[at]) && !isSame(data[at], own[at]));
    const isNew = ([[part, at]]) => part === "data" && !this.places.has(at) && isOther(at);
    if (patch.some(isNew)) return false; // it was the same as the first run's until now
    const moved = patch.filter(([[part, at]]) => part === "data" && this.places.has(at))
      .map(([[part, at, ...rest], value]) => [[part, this.places.get(at), ...rest], value]);
    if (patch.some(([[part]]) => part === "layout")) return false;
    const figure = { data: this.drawn, layout: this.chart.shown.layout };
    for (const [path, value] of moved) put(figure, path, this.chart.coloured(value));
    return moved.length === 0 || this.chart.fastPath.show(figure, moved);
  }

  /** Draw the second run's side of the plane. */
  drawMaps(maps) {
    if (this.kind !== "curtain" || !this.twin.figure) return;
    maps.draw(this.twin.figure.maps, this.share, 1);
    const { xaxis, width } = this.chart.plot._fullLayout ?? {};
    if (!xaxis) return;
    const left = xaxis._offset + this.share * xaxis._length;
    this.cutPoints(xaxis._length);
    this.curtain.style.left = `${left}px`;
    this.curtain.style.setProperty("--before", `${left}px`);
    this.curtain.style.setProperty("--after", `${width - left}px`);
  }

  /** Show the points of each run on its own side of the curtain. */
  cutPoints(length) {
    if (!this.hasOwnPoints) return this.uncut();
    const { plot } = this.chart;
    if (!this.cut) {
      this.cut = svg("svg", { width: 0, height: 0, "aria-hidden": "true", style: "position: absolute" });
      this.sides = Object.fromEntries(["first", "other"].map((which) => {
        const side = svg("rect", { y: -MAX_PIXELS / 2, height: MAX_PIXELS });
        const path = svg("clipPath", { id: `curtain-${++curtains}` });
        path.append(side);
        this.cut.append(path);
        return [which, side];
      }));
    }
    if (!this.cut.isConnected) this.chart.stage.append(this.cut);
    const at = this.share * length;
    this.sides.first.setAttribute("x", -MAX_PIXELS);
    this.sides.first.setAttribute("width", MAX_PIXELS + at);
    this.sides.other.setAttribute("x", at);
    this.sides.other.setAttribute("width", MAX_PIXELS);
    for (const [which, traces] of Object.entries(this.points)) {
      const path = `url(#${this.sides[which].parentElement.id})`;
      for (const trace of traces) {
        const node = plot.querySelector(`.trace${plot._fullData[trace]?.uid}`);
        if (node && !this.clipped.has(node)) {
          node.style.clipPath = path;
          this.clipped.add(node);
        }
      }
    }
  }

  uncut() {
    for (const node of this.clipped) node.style.clipPath = "";
    this.clipped.clear();
    this.cut?.remove();
  }

  /** The share of the plane up to which the first run's maps are drawn. */
  get end() {
    return this.kind === "curtain" ? this.share : 1;
  }

  hang() {
    const { words } = this.chart.board;
    this.curtain = element(
      "div",
      {
        class: "curtain",
        role: "slider",
        tabindex: 0,
        "aria-label": words.curtain,
        "aria-orientation": "horizontal",
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        onkeydown: (event) => this.key(event),
        onpointerdown: (event) => this.drag(event),
      },
      element("span", { class: "whose first" }, this.chart.board.heading),
      element("span", { class: "whose other" }, this.heading),
    );
    this.chart.stage.append(this.curtain);
    this.put(this.share);
  }

  put(share) {
    this.share = Math.min(1, Math.max(0, share));
    const percent = Math.round(100 * this.share);
    this.curtain.setAttribute("aria-valuenow", percent);
    this.curtain.setAttribute("aria-valuetext", `${percent} %`);
    this.chart.drawMaps();
  }

  key(event) {
    const way =
      { ArrowLeft: -STEP, ArrowRight: STEP, PageUp: 5 * STEP, PageDown: -5 * STEP, Home: -1, End: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    this.put(this.share + way);
  }

  drag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.curtain.focus();
    const ended = new AbortController();
    const listen = (type, act) => window.addEventListener(type, act, { signal: ended.signal });
    listen("pointermove", ({ clientX }) => {
      const { xaxis } = this.chart.plot._fullLayout;
      this.put((clientX - this.chart.plot.getBoundingClientRect().left - xaxis._offset) / xaxis._length);
    });
    for (const type of ["pointerup", "pointercancel"]) listen(type, () => ended.abort());
  }
}

const isLine = ({ mode = "lines", type, visible, y }) =>
  mode.includes("lines") && type !== "bar" && visible !== false && Boolean(y);

const isPoints = ({ mode = "lines", type, visible, y }) =>
  mode === "markers" && (type ?? "scatter") === "scatter" && visible !== false && Boolean(y);

/** Whether a patch, or the whole figure where there is none, has other points. */
const movesPoints = ({ figure }, patch) =>
  !patch || patch.some(([[part, at]]) => part === "data" && isPoints(figure.data[at] ?? {}));

/** Markers as outlines with a dot, unlike those of the first run. */
function dotted(marker) {
  const symbol = (name) => `${String(name).replace(/-(open|dot|open-dot)$/, "")}-open-dot`;
  const { symbol: own = "circle" } = marker ?? {};
  return { ...marker, symbol: typeof own === "string" ? symbol(own) : Array.from(own, symbol) };
}

function svg(name, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function kindOf({ spec, figure }, twin) {
  if (figure.maps) return spec.click === "add" && twin.figure.maps ? "curtain" : "below";
  return figure.data.some(({ mode, type }) => type !== "bar" && (mode ?? "lines").includes("lines"))
    ? "lines"
    : "below";
}

/** Whether a line is the same in both runs, as a target curve is. */
function isSame(one, other) {
  if (!other?.y || one.y.length !== other.y.length) return false;
  return one.y.every((value, at) => Object.is(value, other.y[at]) && Object.is(one.x[at], other.x[at]));
}
