// Moves lines, points and words without a full Plotly update. Plotly.react draws every part of a chart again when one
// line of it moves (42 ms a frame for the regression fit on a slow machine, against 1 ms for the line's own path), so
// between two full updates only the changed attributes are set. Plotly learns of them at the next full update.
// Nothing here reads a size or a position from the page: that would force a new layout of the page for every chart.

// What may change in a trace of each kind.
const CHANGEABLE = { lines: ["x", "y"], markers: ["x", "y"], text: ["text", "textfont.color"], bar: ["y"] };
const BAR = /^(M[\d.,-]+)V[\d.-]+H(.*)$/; // path of a vertical bar: from its base to its end, across, and back
const LINE = /^M[\d.-]+,([\d.-]+)L[\d.-]+,([\d.-]+)$/; // path of a shape that is one straight line
const OUT_OF_SIGHT = "translate(-20000,-20000)"; // for a point that is not finite

export class FastPath {
  constructor(plot) {
    this.plot = plot;
    this.forget();
  }

  /** Plotly has drawn the chart: its nodes may be new ones. */
  forget() {
    this.nodes = new Map();
  }

  /** Show a patch and return true, or return false where it needs a full update. */
  show(figure, patch) {
    const full = this.plot._fullLayout;
    if (!full?.xaxis?.d2p) return false;
    const traces = new Set();
    const notes = new Set();
    const shapes = new Set();
    for (const [[part, at, key, what], value] of patch) {
      const trace = part === "data" && figure.data[at];
      if (
        part === "maps" || part === "parameters" || (part === "layout" && at === "meta") ||
        (trace && (key === "hovertext" || trace.opacity === 0))
      ) continue; // drawn elsewhere, or invisible until the full update
      if (trace && key === "textfont" && !Array.isArray(value)) return false; // one colour for all texts
      if (trace && CHANGEABLE[trace.mode ?? trace.type]?.includes(what === undefined ? key : `${key}.${what}`)) {
        traces.add(at);
      } else if (part === "layout" && at === "annotations" && what === "text" && typeof value === "string") {
        notes.add(key);
      } else if (part === "layout" && at === "shapes" && (what === "x0" || what === "x1")) shapes.add(key);
      else return false;
    }
    const steps = [
      ...[...traces].map((at) => this.trace(figure.data[at], at, full)),
      ...[...notes].map((at) => this.note(figure.layout.annotations[at], at)),
      ...[...shapes].map((at) => this.line(figure.layout.shapes[at], at, full.xaxis)),
    ];
    if (steps.includes(null)) return false;
    for (const step of steps) step();
    return true;
  }

  /** A function that moves a trace; null where Plotly has not drawn all of it. */
  trace({ type, mode, x, y, text, textfont, fill, visible }, at, full) {
    if (visible === false) return () => {};
    if (fill && fill !== "none") return null;
    const drawn = this.plot._fullData[at] ?? {};
    const { uid } = drawn;
    const [xaxis, yaxis] = ["x", "y"].map((letter) =>
      full[(drawn[`${letter}axis`] ?? letter).replace(letter, `${letter}axis`)]
    );
    if (type === "bar") return this.bars(uid, drawn, y, yaxis);
    if (mode === "markers") return this.points(this.found(uid, "path.point"), x, y, xaxis, yaxis);
    if (mode === "text") return this.texts(this.found(uid, ".textpoint text"), text, textfont?.color);
    const paths = this.found(uid, ".js-line");
    if (paths.length === 0) return y.some(Number.isFinite) ? null : () => {};
    const d = pathOf(x, y, xaxis, yaxis) || "M0,0";
    return () => paths.forEach((path, part) => path.setAttribute("d", part ? "M0,0" : d));
  }

  /** Plotly has a node for each point that was finite, with the point's index as its data. */
  points(nodes, x, y, xaxis, yaxis) {
    const places = new Map();
    for (let i = 0; i < y.length; i++) {
      const left = xaxis.d2p(x[i]);
      const top = yaxis.d2p(y[i]);
      if (Number.isFinite(left) && Number.isFinite(top)) {
        places.set(i, `translate(${left.toFixed(2)},${clamp(top).toFixed(2)})`);
      }
    }
    const kept = new Set(nodes.map((node) => node.__data__?.i));
    if ([...places.keys()].some((i) => !kept.has(i))) return null;
    return () => nodes.forEach((node) => node.setAttribute("transform", places.get(node.__data__.i) ?? OUT_OF_SIGHT));
  }

  /** A function that sets where vertical bars end; null for bars with text and bars of height 0, which have no node. */
  bars(uid, { orientation, text }, y, yaxis) {
    const key = `bars ${uid}`;
    if (!this.nodes.has(key)) {
      const group = [...this.plot.querySelectorAll(".trace.bars")].find((each) =>
        each.__data__?.[0]?.trace.uid === uid
      );
      this.nodes.set(key, [...(group?.querySelectorAll(".point > path") ?? [])]);
    }
    const paths = this.nodes.get(key);
    const parts = paths.map((path) => BAR.exec(path.getAttribute("d")));
    if (
      orientation === "h" || text || paths.length !== y.length || parts.includes(null) || !y.every((value) => value)
    ) return null;
    return () =>
      paths.forEach((path, i) => path.setAttribute("d", `${parts[i][1]}V${yaxis.d2p(y[i]).toFixed(2)}H${parts[i][2]}`));
  }

  /** A function that writes the texts at points, and their colours where each has its own. */
  texts(nodes, text, colours) {
    const fit = Array.isArray(text) && text.every(isPlain) && nodes.length === text.length;
    if (!fit || nodes.some((node) => node.firstElementChild)) return null;
    if (!Array.isArray(colours)) return () => nodes.forEach((node, i) => (node.textContent = text[i]));
    if (!colours.every((colour) => colour[0] === "#")) return null; // a colour with an opacity
    return () =>
      nodes.forEach((node, i) => {
        node.textContent = text[i];
        node.style.fill = colours[i];
      });
  }

  /** A function that writes an annotation; null where a new text would move it, or has another number of lines. */
  note({ text, align, xanchor }, at) {
    const key = `note ${at}`;
    if (!this.nodes.has(key)) {
      this.nodes.set(key, this.plot.querySelector(`.annotation[data-index="${at}"] text.annotation-text`));
    }
    const node = this.nodes.get(key);
    const lines = text.split("<br>");
    if (!node || align !== xanchor || !lines.every(isPlain)) return null;
    const nodes = lines.length > 1 ? [...node.children] : [node];
    if (nodes.length !== lines.length || nodes.some((each) => each.firstElementChild)) return null;
    return () => nodes.forEach((each, i) => (each.textContent = lines[i]));
  }

  /** A function that moves a line of the shapes to the left or right; null for other shapes. */
  line({ type, xref, x0, x1 }, at, xaxis) {
    const key = `shape ${at}`;
    if (!this.nodes.has(key)) this.nodes.set(key, this.plot.querySelector(`.shapelayer path[data-index="${at}"]`));
    const node = this.nodes.get(key);
    const [, y0, y1] = LINE.exec(node?.getAttribute("d") ?? "") ?? [];
    if (type !== "line" || xref !== "x" || y1 === undefined) return null;
    const [left, right] = [x0, x1].map((x) => (xaxis._offset + xaxis.r2p(x)).toFixed(2));
    return () => node.setAttribute("d", `M${left},${y0}L${right},${y1}`);
  }

  found(uid, selector) {
    const key = `${uid} ${selector}`;
    if (!this.nodes.has(key)) this.nodes.set(key, [...this.plot.querySelectorAll(`.trace${uid} ${selector}`)]);
    return this.nodes.get(key);
  }
}

/** Whether Plotly shows the text as it is: no tags, entities, line breaks or formulas. */
const isPlain = (text) => typeof text === "string" && text !== "" && !/[<&\n$]/.test(text);

/** An SVG path through the points, broken where a coordinate is not finite. */
function pathOf(x, y, xaxis, yaxis) {
  let d = "";
  let pen = "M";
  for (let i = 0; i < y.length; i++) {
    const left = xaxis.d2p(x[i]);
    const top = yaxis.d2p(y[i]);
    if (!Number.isFinite(left) || !Number.isFinite(top)) {
      pen = "M";
      continue;
    }
    d += `${pen}${left.toFixed(2)},${clamp(top).toFixed(2)}`;
    pen = "L";
  }
  return d;
}

const clamp = (pixels) => Math.max(-20000, Math.min(20000, pixels));
