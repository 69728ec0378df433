// A chart in words, for those who do not see it: computed from its figure, so no lesson has to write it.

import { fill } from "../dom.js";

const LEVEL_SHARE = 0.02; // of a curve's range: a smaller change is none
const LAST_SHARE = 0.1; // of a curve's points: what happens there is what still happens
const LEAST_SHARE = 1e-6; // of the width of a grid across zero: places nearer to zero are zero
const MAX_LISTED = 12; // bars, words or cells that are named one by one
const MAX_CELLS = 6 * MAX_LISTED; // of a table that is said row by row
const WHOLE = 1e6; // whole numbers below are said in full
const LEVELS = 51; // as in pixel_maps.js: byte = 51 * class + certainty

/** What the figure shows, as a list of sentences; `words` are the board's, of which "alt" are these sentences. */
export function describe(figure, words) {
  const { data, layout, maps, parameters } = figure;
  const say = (name, values = {}) => fill(words.alt[name], values);
  const [x, y] = [layout.xaxis, layout.yaxis].map((axis) => plain(axis?.title?.text ?? ""));
  if (layout.meta?.table) return ofTable(layout.meta, say);
  const isForPointer = ({ marker, mode }) => maps && mode === "markers" && marker?.opacity === 0;
  const shown = data.filter((trace) => trace.visible !== false && trace.name && !isForPointer(trace));
  const unnamed = data.filter((trace) => trace.visible !== false && trace.type === "heatmap" && !trace.name);
  const logarithmic = layout.yaxis?.type === "log";
  const said = [
    ...[...shown, ...unnamed].map((trace) => ofTrace(trace, layout, logarithmic, say)),
    ...[maps ?? []].flat().map((group) => ofMaps(group, say)),
    ...(parameters ?? []).map((layer, at) => ofLayer(layer, at, say)),
  ].filter(Boolean);
  if (x && y) said.unshift(say("axes", { x, y }));
  return said.length ? said : ofDrawing(data, layout, say);
}

/** A drawing whose parts have no names: how many there are, and the words in it. */
function ofDrawing(data, layout, say) {
  const shown = data.filter((trace) => trace.visible !== false && trace.y?.length);
  const points = shown.filter(({ mode }) => mode?.includes("markers")).reduce(
    (sum, { x, y }) => sum + pointsOf(x, y).length,
    0,
  );
  const texts = shown.flatMap(({ mode, text }) => (mode?.includes("text") && Array.isArray(text) ? text : []));
  const items = [...texts, ...(layout.annotations ?? []).map(({ text }) => text ?? "")].map(plain).filter(Boolean);
  return points || items.length
    ? [say("drawing", { points, items: items.slice(0, 3 * MAX_LISTED).join(", ") || "–" })]
    : [];
}

function ofTrace(trace, layout, logarithmic, say) {
  const { type, mode = "lines", x, y, z, text, orientation, meta } = trace;
  const name = plain(meta?.series ?? trace.name ?? "");
  if (meta?.csv === false) return ofMarks(name, trace, say); // a decoration, unless it has words
  if (type === "heatmap") return z?.length ? ofCells(trace, layout, say) : "";
  const [places, values] = orientation === "h" ? [y, x] : [x, y];
  if (!places?.length || !values?.length) return "";
  if (type === "bar") return ofBars(name, places, values, layout, say);
  if (mode === "text") {
    return text?.length && text.length <= MAX_LISTED ? say("list", { name, items: text.map(plain).join(", ") }) : "";
  }
  const points = pointsOf(x, y);
  if (points.length === 0) return "";
  if (points.length === 1) return say("point", { name, x: number(points[0][0]), y: number(points[0][1]) });
  if (!mode.includes("lines")) return ofPoints(name, points, say);
  return isAscending(points) ? ofCurve(name, points, logarithmic, say) : ofPath(name, points, y, say);
}

/** Marks with words of their own, the last ones. */
function ofMarks(name, { mode = "lines", text }, say) {
  if (!mode.includes("markers") || !Array.isArray(text) || text.length === 0) return "";
  return say("list", { name, items: text.slice(-MAX_LISTED).map(plain).join("; ") });
}

/** A table of the numbers that a chart shows: row by row, or where `value`, one of its columns, is low and high. */
function ofTable({ table, value }, say) {
  const names = Object.keys(table);
  const columns = Object.values(table).map((column) => Array.from(column));
  const rows = Array.from(columns[0] ?? [], (_, at) => columns.map((column) => column[at]));
  const isCell = (value) => typeof value !== "number" || Number.isFinite(value);
  const cell = (value) => {
    if (!isCell(value) || value === null) return "–";
    return typeof value === "number" ? number(value) : plain(value);
  };
  const title = names.join(", ");
  if (rows.length * names.length <= MAX_CELLS) {
    return rows.length
      ? [say("rows", { columns: title, items: rows.map((row) => row.map(cell).join(", ")).join("; ") })]
      : [];
  }
  const valueAt = value ? names.indexOf(value) : names.length - 1;
  const groups = new Map(columns[0].map((first) => [first, []]));
  for (const row of rows) groups.get(row[0]).push(row);
  const parts = groups.size <= MAX_LISTED ? [...groups] : [["", rows]];
  return [
    say("long_table", { count: rows.length, columns: title }),
    ...parts.map(([key, part]) => {
      const finite = part.filter((row) => Number.isFinite(row[valueAt]));
      if (finite.length === 0) return "";
      const [low, high] = rangeOf(finite.map((row) => row[valueAt]));
      const at = key === "" ? 0 : 1;
      const place = (value) => `${names[at]} ${cell(finite.find((row) => row[valueAt] === value)[at])}`;
      const values = { name: names[valueAt], low: number(low), high: number(high) };
      const ends = { ...values, key: cell(key), lowAt: place(low), highAt: place(high) };
      const said = say(key === "" ? "extremes" : "group", ends);
      return finite.length < part.length ? say("gaps", { said, count: part.length - finite.length }) : said;
    }),
  ].filter(Boolean);
}

/** The points whose two coordinates are finite, in order. */
function pointsOf(x, y) {
  const points = [];
  for (let i = 0; i < y.length; i++) {
    if (Number.isFinite(x?.[i]) && Number.isFinite(y[i])) points.push([x[i], y[i]]);
  }
  return points;
}

const isAscending = (points) => points.every(([x], i) => i === 0 || x >= points[i - 1][0]);

function ofPoints(name, points, say) {
  const [[left, right], [low, high]] = [0, 1].map((at) => rangeOf(points.map((point) => point[at])));
  const values = { left, right, low, high };
  for (const key of Object.keys(values)) values[key] = number(values[key]);
  return say("points", { name, count: points.length, ...values });
}

/** Where a curve begins and ends, where it turns, and what it still does at its end. */
function ofCurve(name, points, logarithmic, say) {
  const heights = points.map(([, y]) => (logarithmic ? Math.log10(Math.max(y, Number.MIN_VALUE)) : y));
  const [low, high] = rangeOf(heights);
  const level = LEVEL_SHARE * (high - low);
  const [first, last] = [heights[0], heights.at(-1)];
  const least = LEAST_SHARE * (points.at(-1)[0] - points[0][0]);
  const place = (x) => number(Math.abs(x) < least && points[0][0] < 0 ? 0 : x); // rounding errors of a grid
  const at = (index) => ({ x: place(points[index][0]), y: number(points[index][1]) });
  const values = { name, first: at(0).y, last: at(points.length - 1).y };
  if (high - low <= 1e-9 * Math.max(Math.abs(high), Math.abs(low), 1e-9)) return say("constant", values);
  const [lowest, highest] = [at(heights.indexOf(low)), at(heights.indexOf(high))];
  const dips = low < Math.min(first, last) - level;
  const peaks = high > Math.max(first, last) + level;
  if (dips && peaks) {
    return say("wave", { ...values, low: lowest.y, lowAt: lowest.x, high: highest.y, highAt: highest.x });
  }
  if (dips) return say("valley", { ...values, low: lowest.y, at: lowest.x });
  if (peaks) return say("hill", { ...values, high: highest.y, at: highest.x });
  const change = last - heights[Math.min(heights.length - 2, Math.floor(heights.length * (1 - LAST_SHARE)))];
  const isFalling = last < first;
  const still = Math.abs(change) <= level ? "level" : change < 0 === isFalling ? "still" : "turned";
  return say(`${isFalling ? "falls" : "rises"}_${still}`, values);
}

function ofPath(name, points, y, say) {
  let parts = 0;
  for (let i = 0; i < y.length; i++) if (Number.isFinite(y[i]) && !Number.isFinite(y[i - 1])) parts++;
  const [from, to] = [points[0], points.at(-1)].map(([x, y]) => ({ x: number(x), y: number(y) }));
  if (parts > 1) return say("lines", { name, count: parts });
  return say("path", { name, count: points.length, x0: from.x, y0: from.y, x1: to.x, y1: to.y });
}

function ofBars(name, places, values, layout, say) {
  const bars = Array.from(values, (value, i) => [nameOf(places[i], layout.xaxis), value]).filter(([, value]) =>
    Number.isFinite(value)
  );
  if (bars.length === 0) return "";
  if (bars.length <= MAX_LISTED) {
    return say("list", { name, items: bars.map(([place, value]) => `${place}: ${number(value)}`).join(", ") });
  }
  const [low, high] = rangeOf(bars.map(([, value]) => value));
  const at = (height) => bars.find(([, value]) => value === height)[0];
  return say("bars", {
    name,
    count: bars.length,
    low: number(low),
    lowAt: at(low),
    high: number(high),
    highAt: at(high),
  });
}

/** A heat map: row by row where it is small, else its size, its range and where its largest value is. */
function ofCells({ name, x, y, z, text, opacity }, layout, say) {
  const rows = Array.from(z, (row) => Array.from(row));
  const title = plain(name || say("cells"));
  if (opacity === 0 || rows.length === 0) return ""; // it is there for the pointer, and the maps show the same
  const columns = rows[0].length;
  const label = (axis, places, at) => nameOf(places?.[at] ?? at, axis);
  const size = { name: title, rows: rows.length, columns };
  if (rows.length * columns <= 3 * MAX_LISTED) {
    const cell = (i, j) => plain(String(text?.[i]?.[j] ?? "")) || number(rows[i][j]);
    const lines = rows.map((row, i) => `${label(layout.yaxis, y, i)}: ${row.map((_, j) => cell(i, j)).join(", ")}`);
    return say("table", { ...size, items: lines.join("; ") });
  }
  const finite = rows.flat().filter(Number.isFinite);
  if (finite.length === 0) return say("empty", size);
  const [low, high] = rangeOf(finite);
  const i = rows.findIndex((row) => row.includes(high));
  return say("matrix", {
    ...size,
    low: number(low),
    high: number(high),
    x: label(layout.xaxis, x, rows[i].indexOf(high)),
    y: label(layout.yaxis, y, i),
  });
}

function ofMaps({ side, tall = side, values, lut = "", name = "", classes }, say) {
  const count = Math.floor(values.length / (side * tall));
  if (count === 0 || side * tall === 1) return ""; // coloured cells, whose numbers are said elsewhere
  if (count > 1 || !lut.startsWith("class")) {
    const said = say(count > 1 ? "maps" : "map", { count, rows: tall, columns: side });
    return name ? say("named", { name: plain(name), said }) : said;
  }
  const cells = new Map();
  for (const value of values) {
    const cls = Math.min(4, Math.floor(value / LEVELS));
    cells.set(cls, (cells.get(cls) ?? 0) + 1);
  }
  const shares = [...cells].sort(([one], [other]) => one - other).map(([cls, cellCount]) =>
    say("share", {
      cls: classes?.[cls] ?? say("class", { cls }),
      share: Math.round((100 * cellCount) / values.length),
    })
  );
  return say("plane", { shares: shares.join(", ") });
}

function ofLayer({ units, weights }, at, say) {
  const finite = [...weights].filter(Number.isFinite);
  if (finite.length === 0) return "";
  const [low, high] = rangeOf(finite).map(number);
  return say("layer", { at: at + 1, units: units.length, low, high });
}

function rangeOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** A place on an axis by its tick's text, where the axis has texts. */
function nameOf(place, axis) {
  const at = axis?.tickvals ? Array.from(axis.tickvals).indexOf(place) : -1;
  if (at >= 0 && axis.ticktext) return plain(String(axis.ticktext[at]));
  return typeof place === "number" ? number(place) : plain(String(place));
}

/** A number with at most three digits that count, whole ones (steps, counts) in full, and a real minus sign. */
export const number = (value) => {
  const isWhole = Number.isInteger(value) && Math.abs(value) < WHOLE;
  return String(isWhole ? value : Number(Number(value).toPrecision(3))).replaceAll("-", "−");
};

/** A text of a figure without its tags. */
const plain = (text) => String(text).replace(/<[^>]*>/g, " ").replace(/\s+/g, " ").trim();
