// Drawings fill their place: cells of arrays stay square, and as large as the place allows, and so do words in boxes.

const MAX_CELL = 100; // pixels, times the scale of the page's type
const NUMBER = { share: 0.42, least: 6 }; // of a cell; smaller ones are not written, the tooltip shows them
const LETTER = 0.68; // width of a letter of a number, as a share of its size; a minus is wider than a digit
const WORDS = { title: { share: 0.3, least: 11, most: 16 }, sign: { share: 0.55, least: 14, most: 30 } };
const LINE_SHARE = 0.375; // of a cell: the type whose lines have the room that the drawing leaves them above an array
const SMALLEST = 8; // pixels, of that type
const ENLARGED = { least: 0.75, most: 1.7 }; // of the type of a drawing that says for which size it is made

/** How many pixels a cell has in this arrangement of the drawing. */
function cell({ layout: { xaxis, yaxis, margin } }, width, height, scale) {
  const wide = xaxis.range[1] - xaxis.range[0];
  const high = yaxis.range[0] - yaxis.range[1];
  const across = (width - (margin.l + margin.r) * scale) / wide;
  const up = (height - (margin.t + margin.b) * scale) / high;
  return Math.min(across, up, MAX_CELL * scale);
}

/** The arrangement with the largest cells: 0 is the figure itself, 1 the first of its `others`, and so on. */
export function bestArrangement(figure, width, height, scale) {
  const sizes = [figure, ...(figure.others ?? [])].map((each) => cell(each, width, height, scale));
  const best = Math.max(...sizes);
  return sizes.findIndex((size) => size >= 0.95 * best);
}

/** An arrangement of a figure by its number. */
export const arrangement = (figure, number) => (number ? figure.others[number - 1] : figure);

/** The traces and the layout of a drawing in a place of this size. */
export function fitted(figure, width, height, scale) {
  const { layout } = figure;
  const { margin } = layout;
  const [left, right] = layout.xaxis.range;
  const [bottom, top] = layout.yaxis.range;
  const size = cell(figure, width, height, scale);
  const across = ((width - (margin.l + margin.r) * scale) / size - (right - left)) / 2; // cells left on each side
  const up = ((height - (margin.t + margin.b) * scale) / size - (bottom - top)) / 2;
  const data = figure.data.map((trace) => {
    if (trace.mode !== "text") return trace;
    const longest = trace.text.reduce((most, text) => Math.max(most, text.length), layout.meta.letters ?? 2);
    const type = Math.min(NUMBER.share * size, (0.88 * size) / (LETTER * longest));
    return { ...trace, textfont: { ...trace.textfont, size: type }, opacity: type < NUMBER.least ? 0 : 1 };
  });
  const annotations = layout.annotations.map((note) => {
    const kind = WORDS[note.name];
    if (!kind) return note;
    const fits = note.name === "title" ? Math.max(SMALLEST, LINE_SHARE * size) : Infinity;
    const least = Math.min(kind.least * scale, fits);
    const type = Math.max(least, Math.min(kind.most * scale, kind.share * size));
    return { ...note, yshift: (note.yshift ?? 0) * (type / 12), font: { ...note.font, size: type } };
  });
  const xaxis = { ...layout.xaxis, range: [left - across, right + across] };
  const yaxis = { ...layout.yaxis, range: [bottom + up, top - up], scaleanchor: undefined };
  return { data, layout: { ...layout, annotations, xaxis, yaxis } };
}

/** Of a drawing with words in boxes, the arrangement that is made for a place as wide as this one, or the narrowest. */
export function widestThatFits(figure, width) {
  const wide = [figure, ...(figure.others ?? [])].map((each) => each.layout.meta.made_for[0]);
  const at = wide.findIndex((each) => ENLARGED.least * each <= width);
  return at < 0 ? wide.length - 1 : at;
}

/** A drawing whose words stand in boxes, made for a place of some size: its type follows the size of its place. */
export function enlarged({ data, layout }, width, height, scale) {
  const [wide, high] = layout.meta.made_for;
  const fit = Math.min(width / wide, height / high);
  const factor = Math.max(ENLARGED.least, Math.min(ENLARGED.most, fit)) / scale;
  const larger = (font) => font?.size > 0 ? { ...font, size: font.size * factor } : font;
  return {
    data: data.map((trace) => trace.textfont ? { ...trace, textfont: larger(trace.textfont) } : trace),
    layout: { ...layout, annotations: layout.annotations?.map((note) => ({ ...note, font: larger(note.font) })) },
  };
}
