// A chart's numbers as the text of a CSV file: what the chart shows, in columns with names.

const PIXELS = ["map", "number", "row", "column", "value"];
const WEIGHTS = ["layer", "unit", "input", "weight"];
const ZERO = 128; // the byte of the number 0 in a map of signed numbers

/** The text of a figure's file: its own (`meta.csv`), its own table (`meta.table`), or made of what is drawn. */
export function csvOf({ data, layout, maps, parameters }) {
  const { csv, table } = layout.meta ?? {};
  if (csv) return csv;
  if (table) return text(Object.keys(table), rowsOf(Object.values(table)));
  if (parameters) return text(WEIGHTS, parameters.flatMap(weights));
  const groups = [maps ?? []].flat().filter((group) => group.name);
  const traces = data.filter((trace) =>
    trace.visible !== false && trace.x && trace.mode !== "text" && trace.meta?.csv !== false
  );
  if (groups.length === 0) return text(...drawn(traces, layout));
  const bars = traces.filter(({ type }) => type === "bar");
  return text(PIXELS, [...groups.flatMap(pixels), ...bars.flatMap(digits)]);
}

/** Lines of text; cells that are not finite are empty. */
function text(columns, rows) {
  return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

function cell(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(Number(value.toPrecision(7))) : "";
  const words = String(value ?? "");
  return /[",\n\r]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
}

/** Columns as rows. */
function rowsOf(columns) {
  return Array.from(columns[0] ?? [], (_, row) => columns.map((column) => column[row]));
}

/** The weights and the bias of each unit of a layer. */
function weights({ weights, biases, units, sources }, layer) {
  return units.flatMap((unit, at) => [
    ...sources.map((source, from) => [layer + 1, unit, source, weights[at * sources.length + from]]),
    [layer + 1, unit, "bias", biases[at]],
  ]);
}

/** Each pixel of each map of a group as the number that its colour stands for; `size` is that of the strongest one. */
function pixels({ name, side, tall = side, values, lut, size = 1 }) {
  const isSigned = lut.startsWith("signed");
  const each = side * tall;
  return Array.from(values, (byte, i) => {
    const value = isSigned ? (byte - ZERO) / 127 * size : byte / 255 * size;
    const isMissing = lut.endsWith("filling") && byte === 0;
    const place = i % each;
    return [
      name,
      Math.floor(i / each) + 1,
      Math.floor(place / side),
      place % side,
      isMissing ? NaN : Number(value.toPrecision(3)),
    ];
  });
}

/** The bars beside maps, one for each digit. */
const digits = ({ name, x, y }) => Array.from(x, (digit, i) => [name, "", "", digit, y[i]]);

/** The header and the rows of what Plotly draws, with the titles of its axes as columns' names. */
function drawn(traces, layout) {
  const [x, y] = ["x", "y"].map((letter) => axisOf(letter, traces, layout));
  const withZ = traces.some(({ z }) => z);
  const rows = traces.flatMap((trace) => {
    const series = trace.meta?.series ?? trace.name ?? "";
    return cellsOf(trace)
      .filter((cells) => cells.every((value) => typeof value === "string" || Number.isFinite(value)))
      .map(([left, up, ...more]) => [series, x.label(left), y.label(up), ...more]);
  });
  return [["series", x.name, y.name, ...(withZ ? ["value"] : [])], rows];
}

/** x, y and, for a map, z, which is one list or one row for each y. */
function cellsOf({ x, y, z }) {
  if (z?.[0]?.length === undefined) return Array.from(x, (at, i) => [at, y?.[i], ...(z ? [z[i]] : [])]);
  return Array.from(z).flatMap((row, i) => Array.from(row, (value, j) => [x[j], y[i], value]));
}

/** The name of a column, and its values as the axis labels them: where rows have names, a row is its name. */
function axisOf(letter, traces, layout) {
  const axes = [...new Set(traces.map((trace) => (trace[`${letter}axis`] ?? letter).replace(letter, `${letter}axis`)))]
    .map((name) => layout[name] ?? {});
  const titles = new Set(axes.map(({ title }) => plain(title?.text ?? title ?? "")));
  const name = titles.size === 1 ? [...titles][0] : "";
  const { tickvals, ticktext } = axes.length === 1 ? axes[0] : {};
  const labels = new Map((tickvals ?? []).map((value, i) => [Number(value), plain(ticktext?.[i] ?? value)]));
  const isLabelled = traces.every((trace) => Array.from(trace[letter] ?? []).every((value) => labels.has(value)));
  return { name: name || letter, label: (value) => (isLabelled ? labels.get(value) : value) };
}

const plain = (words) => String(words).replace(/<br\s*\/?>/g, " ").replace(/<[^>]*>/g, "");
