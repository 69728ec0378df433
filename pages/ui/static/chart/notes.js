// Words written into a chart that stand in a row or in a column: where there is no room beside one another, all of them
// are smaller.

const SMALLEST = 0.5; // of their type's size
const BETWEEN = 0.5; // of the type's size: room between two words
const ROW_OF_CHARTS = 107; // pixels, in which a title and numbers of the usual size have room
const LINE = 1.15; // of the type's size: its height

const widths = new Map(); // text -> its width
let pen;

/** The width of a text, in units of its type's size. */
export function widthOf(text, family) {
  const key = `${family} ${text}`;
  if (!widths.has(key)) {
    pen ??= document.createElement("canvas").getContext("2d");
    pen.font = `100px ${family}`;
    widths.set(key, pen.measureText(text).width / 100);
  }
  return widths.get(key);
}

/** The annotations of a layout whose axes are `wide` and `high` pixels, each row and column as small as it needs. */
export function apart({ annotations, xaxis, yaxis }, wide, high, { size, family }) {
  if (!annotations || wide <= 0 || high <= 0) return annotations;
  const words = annotations.map((note, at) => {
    const own = note.font?.size ?? size;
    const up = { bottom: 0.5, top: -0.5 }[note.yanchor] ?? 0; // from its place to its middle, in lines
    const over = { left: 0.5, right: -0.5 }[note.xanchor] ?? 0; // the same, in widths
    const across = widthOf(note.text ?? "", family) * own;
    const x = wide * place(note.x, note.xref, "x", xaxis) + (note.xshift ?? 0) + over * across;
    const y = high * place(note.y, note.yref, "y", yaxis) + (note.yshift ?? 0) + up * LINE * own;
    return { at, note, size: own, x, y };
  }).filter((each) => isWord(each.note) && Number.isFinite(each.x) && Number.isFinite(each.y));
  const factors = annotations.map(() => 1);
  const shrink = (group, gap, need) => {
    const pairs = group.slice(1).map((each, i) => [gap(group[i], each), need(group[i], each)])
      .filter(([room]) => room > 1) // two at one place are meant to be there
      .map(([room, needed]) => room / needed);
    const factor = Math.max(SMALLEST, Math.min(1, ...pairs));
    for (const { at } of group) factors[at] = Math.min(factors[at], factor);
  };
  const width = ({ note, size }) => size * (widthOf(note.text, family) + BETWEEN);
  for (const row of grouped(words, ({ y }) => Math.round(y))) {
    row.sort((one, other) => one.x - other.x);
    shrink(row, (one, other) => other.x - one.x, (one, other) => (width(one) + width(other)) / 2);
  }
  for (const column of grouped(words, ({ x }) => Math.round(x))) {
    column.sort((one, other) => one.y - other.y);
    shrink(column, (one, other) => other.y - one.y, (one, other) => LINE * Math.max(one.size, other.size));
  }
  return annotations.map((note, at) =>
    factors[at] < 1 ? { ...note, font: { ...note.font, size: factors[at] * (note.font?.size ?? size) } } : note
  );
}

/** One line of words. */
const isWord = ({ text, showarrow, textangle, visible }) =>
  showarrow === false && !textangle && visible !== false && text && !/[<&]/.test(text);

/** A layout with several rows of small charts: their words are as small as a row of `high` pixels in all needs. */
export function inRows(layout, high, scale) {
  const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
  const rows = new Set(axes.filter((name) => name[0] === "y").map((name) => layout[name].domain?.[0] ?? 0)).size;
  const factor = Math.max(SMALLEST, high / rows / (ROW_OF_CHARTS * scale));
  if (rows < 2 || factor >= 1 || high <= 0) return layout;
  const smaller = (font) => font?.size ? { ...font, size: font.size * factor } : font;
  return {
    ...layout,
    ...Object.fromEntries(axes.map((name) => [name, { ...layout[name], tickfont: smaller(layout[name].tickfont) }])),
    annotations: layout.annotations?.map((note) => ({ ...note, font: smaller(note.font) })),
  };
}

/** A place along an axis, from 0 to 1; NaN on an axis with numbers, where words follow what moves. */
function place(at, ref, letter, axis) {
  if (ref === "paper") return at;
  if (ref !== letter || !axis?.range || axis.visible !== false) return NaN;
  const [[low, high], [start, end]] = [axis.range, axis.domain ?? [0, 1]];
  return start + ((end - start) * (Number(at) - low)) / (high - low);
}

const grouped = (words, key) => Object.values(Object.groupBy(words, key)).filter((group) => group.length > 1);
