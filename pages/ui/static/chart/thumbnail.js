// A small picture of a chart, painted on a canvas from its figure: lines, points, bars, cells and maps, without words.

import { element } from "../dom.js";
import { PixelMaps } from "./pixel_maps.js";

const MARGIN = 4; // pixels around the axes
const SPILL = 1.5; // pixels that a point at the edge of the axes may take outside
const MOST_POINTS = 400; // of one trace
/** @type {Record<string, any>} */
const NO_LOOKS = {}; // of a trace that says nothing about its lines or markers

export class Thumbnail {
  /** `chart` has spec, shown, board; a click on the picture, or Enter, calls `act`. */
  constructor(chart, title, act) {
    this.chart = chart;
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.root = element(
      "button",
      { type: "button", class: "thumb", "data-thumb": chart.spec.name, title, onclick: act },
      this.canvas,
      element("span", { class: "label" }, title),
    );
    this.visible = false;
    this.size = { width: 0, height: 0 };
    this.pixels = new PixelMaps(chart.plot, chart.board);
    this.watcher = new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      chart.board.changed();
    });
    this.watcher.observe(this.root);
    this.sizer = new ResizeObserver(([{ contentRect: { width, height } }]) => {
      this.size = { width, height };
      this.paint();
    });
    this.sizer.observe(this.canvas);
    chart.thumbnails.add(this);
  }

  paint() {
    const { width, height } = this.size;
    const figure = this.chart.shown;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      [this.canvas.width, this.canvas.height] = [wide, high];
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (!figure) return;
    const traces = figure.data.filter((trace) => trace.visible !== false && trace.visible !== "legendonly");
    const scales = new Scales(figure.layout, traces, width, height);
    const { left, right, top, bottom } = scales.box;
    pen.save();
    pen.beginPath();
    pen.rect(left - SPILL, top - SPILL, right - left + 2 * SPILL, bottom - top + 2 * SPILL);
    pen.clip();
    if (!this.chart.figure.maps && traces.every(isEmpty)) this.guide(pen, scales.box);
    this.maps(pen, scales, false);
    this.shapes(pen, scales, figure.layout.shapes ?? []);
    for (const trace of traces) {
      const [x, y] = scales.of(trace);
      pen.globalAlpha = trace.opacity ?? 1;
      if (trace.type === "bar") this.bars(pen, trace, x, y);
      else if (trace.type === "heatmap") this.cells(pen, trace, x, y);
      else if (trace.x && trace.y) this.scatter(pen, trace, x, y);
      pen.globalAlpha = 1;
    }
    this.maps(pen, scales, true);
    if (traces.length === 0 && !this.chart.figure?.maps) {
      this.lines(pen, figure.layout.annotations ?? [], width, height);
    }
    pen.restore();
  }

  /** A chart over the steps that has nothing to show at step 0: its axes, and a dotted guide for its lines. */
  guide(pen, { left, right, top, bottom }) {
    pen.strokeStyle = this.chart.board.colour("@muted");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(left, top);
    pen.lineTo(left, bottom);
    pen.lineTo(right, bottom);
    pen.stroke();
    pen.setLineDash([2, 3]);
    pen.beginPath();
    pen.moveTo(left, (top + bottom) / 2);
    pen.lineTo(right, (top + bottom) / 2);
    pen.stroke();
    pen.setLineDash([]);
  }

  /** A chart of words alone: a line for each of its texts. */
  lines(pen, texts, width, height) {
    pen.strokeStyle = this.chart.board.colour("@muted");
    pen.lineWidth = 1.4;
    for (const { text, x, y, xref, yref, xanchor } of texts) {
      if (xref !== "paper" || yref !== "paper" || !text) continue;
      const long = Math.min(0.4, 0.012 * String(text).length) * width;
      const left = MARGIN + x * (width - 2 * MARGIN) - (xanchor === "right" ? long : 0);
      const top = MARGIN + (1 - y) * (height - 2 * MARGIN);
      pen.beginPath();
      pen.moveTo(left, top);
      pen.lineTo(left + long, top);
      pen.stroke();
    }
  }

  scatter(pen, trace, toX, toY) {
    const { x, y, mode = "lines", fill, fillcolor } = trace;
    const [line, marker] = [trace.line ?? NO_LOOKS, trace.marker ?? NO_LOOKS];
    const length = Math.min(x.length, y.length);
    if (mode.includes("lines")) {
      const stride = Math.max(1, Math.floor(length / MOST_POINTS));
      pen.beginPath();
      let isDown = false;
      for (let i = 0; i < length; i += stride) {
        const [left, top] = [toX(x[i]), toY(y[i])];
        if (!Number.isFinite(left) || !Number.isFinite(top)) {
          isDown = false;
          continue;
        }
        if (isDown) pen.lineTo(left, top);
        else pen.moveTo(left, top);
        isDown = true;
      }
      if (fill === "toself") {
        pen.fillStyle = fillcolor ?? line.color;
        pen.fill();
      }
      pen.strokeStyle = colourOf(line.color, 0) ?? this.chart.board.colour("@muted");
      pen.lineWidth = Math.min(1.6, line.width ?? 1.6);
      pen.setLineDash(line.dash && line.dash !== "solid" ? [3, 2] : []);
      if (line.width !== 0) pen.stroke();
      pen.setLineDash([]);
    }
    if (mode.includes("markers") && marker.opacity !== 0) {
      const stride = Math.max(1, Math.floor(length / MOST_POINTS));
      for (let i = 0; i < length; i += stride) {
        const [left, top] = [toX(x[i]), toY(y[i])];
        if (!Number.isFinite(left) || !Number.isFinite(top)) continue;
        const size = Array.isArray(marker.size) || ArrayBuffer.isView(marker.size) ? marker.size[i] : marker.size ?? 6;
        const radius = Math.max(0.8, Math.min(2.5, size / 5));
        pen.fillStyle = colourOf(marker.color, i) ?? colourOf(line.color, 0) ?? this.chart.board.colour("@muted");
        pen.beginPath();
        pen.arc(left, top, radius, 0, 2 * Math.PI);
        pen.fill();
      }
    }
  }

  bars(pen, { x, y, orientation, marker = NO_LOOKS, base }, toX, toY) {
    const across = orientation === "h";
    const [values, places] = across ? [x, y] : [y, x];
    const [toValue, toPlace] = across ? [toX, toY] : [toY, toX];
    const width = Math.max(1, 0.7 * Math.abs(toPlace(1, 1) - toPlace(0, 0)));
    for (let i = 0; i < values.length; i++) {
      const from = Array.isArray(base) || ArrayBuffer.isView(base) ? base[i] : base ?? 0;
      const [start, end] = [toValue(from), toValue(from + values[i])];
      const middle = toPlace(places?.[i] ?? i, i);
      if (![start, end, middle].every(Number.isFinite)) continue;
      pen.fillStyle = colourOf(marker.color, i) ?? this.chart.board.colour("@train");
      const [low, size] = [Math.min(start, end), Math.max(1, Math.abs(end - start))];
      if (across) pen.fillRect(low, middle - width / 2, size, width);
      else pen.fillRect(middle - width / 2, low, width, size);
    }
  }

  cells(pen, { x, y, z, zmin, zmax, colorscale }, toX, toY) {
    const rows = z?.length ?? 0;
    const columns = rows ? z[0]?.length ?? 0 : 0;
    if (!columns) return;
    const ends = [toX(x?.[0] ?? 0, 0), toX(x?.[columns - 1] ?? columns - 1, columns - 1)];
    const wide = columns > 1 ? Math.abs(ends[1] - ends[0]) / (columns - 1) : 20;
    const tops = [toY(y?.[0] ?? 0, 0), toY(y?.[rows - 1] ?? rows - 1, rows - 1)];
    const high = rows > 1 ? Math.abs(tops[1] - tops[0]) / (rows - 1) : 20;
    const flat = z.flatMap ? z.flatMap((row) => Array.from(row)).filter(Number.isFinite) : [];
    const [lo, hi] = [
      zmin ?? flat.reduce((a, b) => Math.min(a, b), 0),
      zmax ?? flat.reduce((a, b) => Math.max(a, b), 1),
    ];
    const end = Array.isArray(colorscale) ? colorscale[colorscale.length - 1][1] : this.chart.board.colour("@train");
    const start = Array.isArray(colorscale) ? colorscale[0][1] : null;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const share = (z[row][column] - lo) / (hi - lo || 1);
        if (!Number.isFinite(share)) continue;
        const two = start && zmin < 0 && share < 0.5;
        pen.globalAlpha = Math.max(0, Math.min(1, zmin < 0 ? Math.abs(share - 0.5) * 2 : share));
        pen.fillStyle = two ? start : end;
        const left = toX(x?.[column] ?? column, column) - wide / 2;
        pen.fillRect(left, toY(y?.[row] ?? row, row) - high / 2, wide, high);
      }
    }
    pen.globalAlpha = 1;
  }

  shapes(pen, { box, x: toX, y: toY }, shapes) {
    for (const { type, x0, x1, y0, y1, xref, yref, line = NO_LOOKS, fillcolor } of shapes) {
      const place = (ref, scale, value, low, high) => (ref === "paper" ? low + value * (high - low) : scale(value));
      const left = place(xref, toX, x0, box.left, box.right);
      const right = place(xref, toX, x1, box.left, box.right);
      const [top, bottom] = [place(yref, toY, y0, box.bottom, box.top), place(yref, toY, y1, box.bottom, box.top)];
      if (![left, right, top, bottom].every(Number.isFinite)) continue;
      pen.strokeStyle = line.color ?? "transparent";
      pen.lineWidth = Math.min(1, line.width ?? 1);
      if (type === "line") {
        pen.beginPath();
        pen.moveTo(left, top);
        pen.lineTo(right, bottom);
        pen.stroke();
      } else if (type === "rect") {
        if (fillcolor) {
          pen.fillStyle = fillcolor;
          pen.fillRect(left, top, right - left, bottom - top);
        }
        if (line.width !== 0) pen.strokeRect(left, top, right - left, bottom - top);
      }
    }
  }

  /** The chart's maps, under or over its traces. */
  maps(pen, { x: toX, y: toY }, over) {
    const groups = this.chart.figure?.maps ? [this.chart.figure.maps].flat() : [];
    if (!groups.length || Boolean(groups[0].over) !== over) return;
    for (const group of groups) {
      const { side, boxes, tall = side } = group;
      const count = this.pixels.fill(group);
      for (let at = 0; at < count; at++) {
        const [x0, x1, y0, y1] = boxes.subarray(4 * at, 4 * at + 4);
        const [left, top] = [toX(x0), toY(y1)];
        pen.drawImage(this.pixels.source, 0, at * tall, side, tall, left, top, toX(x1) - left, toY(y0) - top);
      }
    }
  }

  destroy() {
    this.watcher.disconnect();
    this.sizer.disconnect();
    this.chart.thumbnails.delete(this);
    this.root.remove();
  }
}

/** Data to pixels, on the axes of a figure: linear, logarithmic and of categories. */
class Scales {
  constructor(layout, traces, width, height) {
    this.layout = layout;
    this.traces = traces;
    this.box = { left: MARGIN, right: width - MARGIN, top: MARGIN, bottom: height - MARGIN };
    this.made = new Map();
    this.x = this.scale("x");
    this.y = this.scale("y");
    const ratio = layout.yaxis?.scaleanchor && this.sameScale();
    if (ratio) [this.x, this.y] = [this.scale("x"), this.scale("y")];
  }

  of({ xaxis = "x", yaxis = "y" }) {
    return [this.scale(xaxis), this.scale(yaxis)];
  }

  /** Narrow the box so that a unit is as long across as up. */
  sameScale() {
    const [x, y] = [this.range("x"), this.range("y")].map(([lo, hi]) => Math.abs(hi - lo) || 1);
    const { left, right, top, bottom } = this.box;
    const unit = Math.min((right - left) / x, (bottom - top) / y);
    const [wide, high] = [unit * x, unit * y];
    const [middle, centre] = [(left + right) / 2, (top + bottom) / 2];
    this.box = {
      left: middle - wide / 2,
      right: middle + wide / 2,
      top: centre - high / 2,
      bottom: centre + high / 2,
    };
    this.made.clear();
    return true;
  }

  axis(name) {
    return this.layout[`${name[0]}axis${name.slice(1)}`] ?? {};
  }

  range(name) {
    const { range, type } = this.axis(name);
    if (range) return range;
    const values = this.traces.filter((trace) => (trace[`${name[0]}axis`] ?? name[0]) === name)
      .flatMap((trace) => this.numbers(trace, name[0])).map((value) => (type === "log" ? Math.log10(value) : value))
      .filter(Number.isFinite);
    const [lo, hi] = [
      values.reduce((a, b) => Math.min(a, b), Infinity),
      values.reduce((a, b) => Math.max(a, b), -Infinity),
    ];
    if (!values.length) return [0, 1];
    const room = (hi - lo || 1) * 0.06;
    return this.axis(name).autorange === "reversed" ? [hi + room, lo - room] : [lo - room, hi + room];
  }

  numbers(trace, letter) {
    const values = trace[letter];
    if (!values) return letter === "x" ? [0, (trace.y?.length ?? 1) - 1] : [0];
    const isBar = trace.type === "bar" && (trace.orientation === "h") === (letter === "x");
    const numbers = Array.from(values, (value, at) => (typeof value === "number" ? value : at));
    return isBar ? [0, ...numbers] : numbers;
  }

  scale(name) {
    if (this.made.has(name)) return this.made.get(name);
    const { type, domain = [0, 1] } = this.axis(name);
    const [lo, hi] = this.range(name);
    const { left, right, top, bottom } = this.box;
    const [from, to] = name[0] === "x" ? [left, right] : [bottom, top];
    const [start, end] = [from + domain[0] * (to - from), from + domain[1] * (to - from)];
    const scale = (value, at = 0) => {
      const number = typeof value === "number" ? value : at;
      return start + (((type === "log" ? Math.log10(number) : number) - lo) / (hi - lo || 1)) * (end - start);
    };
    this.made.set(name, scale);
    return scale;
  }
}

/** Whether a line has fewer than two points to join: nothing of it can be seen. */
function isEmpty({ type = "scatter", mode = "lines", x, y }) {
  if (type !== "scatter") return false;
  const length = Math.min(x?.length ?? 0, y?.length ?? 0);
  return length === 0 || (length === 1 && mode === "lines");
}

/** The colour of one point: a single colour, or one of a list; undefined for numbers on a colour scale. */
function colourOf(colour, at) {
  const one = Array.isArray(colour) ? colour[at] : colour;
  return typeof one === "string" ? one : undefined;
}
