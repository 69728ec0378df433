// How many tiles stand beside each other: so that each picture is as large as it can be, and none is too wide.

const GAP = 8; // pixels, at the usual type size
const MAX_COLUMNS = 16;
const MIN_COLUMNS = 4; // where there are as many tiles
const WIDEST = 1.7; // times the height of a picture
const HIGHEST = 1.3; // times the width of a picture
const MIN_PICTURE = [78, 44]; // smaller ones are shown in pages
const LOW = 104; // a tile with less height has one line of text
const LINES = [17, 37]; // pixels of one line of text, and of two
const IN_PAGES = [118, 88]; // pixels of a tile where there are pages

/**
 * The grid for `count` tiles in a box of width and height, where a rem has `scale` * 16 pixels: {columns, rows, per
 * (tiles of a page), isTiny (one line of text), gap, width and height (of a tile, in pixels)}.
 */
export function gridFor(count, width, height, scale) {
  const gap = GAP * scale;
  let best = null;
  const fewest = Math.min(MIN_COLUMNS, Math.max(count, 1));
  for (let columns = fewest; columns <= MAX_COLUMNS; columns++) {
    const rows = Math.ceil(Math.max(count, 1) / columns);
    const wide = (width - gap * (columns - 1)) / columns;
    const high = (height - gap * (rows - 1)) / rows;
    const isTiny = high < LOW * scale;
    const lines = LINES[isTiny ? 0 : 1] * scale;
    const picture = Math.min(high - lines, HIGHEST * wide);
    if (wide < MIN_PICTURE[0] * scale || picture < MIN_PICTURE[1] * scale) continue;
    const size = Math.min(wide, picture * WIDEST) * Math.min(picture, wide);
    if (best && size <= best.size) continue;
    best = { size, columns, rows, per: rows * columns, isTiny, gap, width: wide, height: picture + lines };
  }
  if (best) return best;
  const columns = Math.max(1, Math.floor((width + gap) / (IN_PAGES[0] * scale)));
  const rows = Math.max(1, Math.floor((height + gap) / (IN_PAGES[1] * scale)));
  return {
    columns,
    rows,
    per: columns * rows,
    isTiny: true,
    gap,
    width: (width - gap * (columns - 1)) / columns,
    height: Infinity,
  };
}
