// Draws the miniature of a tile: the map of a classifier, a fit, a race, a digit's bars, or a loss that diverged.

import { cellsOf, lossOf } from "./tile_codec.js";
import { rgbOf } from "./look.js";
import { colour } from "./parts.js";

const CELLS = 16;
const STEP = 2; // pixels of one sample of a map
const BORDER = 4; // pixels between two places where the border is looked for
const CLASSES = ["class0", "class1", "class2", "class3", "class4"];
const RACERS = ["series0", "series1", "series2", "series3", "series4", "series5", "series6"];
const DASHES = [[], [7, 3], [2, 3], [8, 3, 2, 3], [4, 4], [10, 4], [1, 4]];
const IMAGE = 28; // pixels along each side of a digit
const SURE = 0.86; // how much of a class's colour a sure cell has

const between = (value, low, high) => Math.min(Math.max(value, low), high);

/** The four weights of a cubic B-spline at a place between two cells: it smooths the levels of the cells away. */
function weights(at) {
  const rest = 1 - at;
  return [
    rest ** 3 / 6,
    (3 * at ** 3 - 6 * at ** 2 + 4) / 6,
    (3 * rest ** 3 - 6 * rest ** 2 + 4) / 6,
    at ** 3 / 6,
  ];
}

/** Which cells count at evenly spaced places along one side, and how much. */
function along(count, start, step) {
  return Array.from({ length: count }, (_, at) => {
    const place = start + at * step;
    const cell = Math.floor(place);
    return {
      cells: [-1, 0, 1, 2].map((each) => between(cell + each, 0, CELLS - 1)),
      weights: weights(place - cell),
    };
  });
}

/** Cells as smooth values at (rows.length * columns.length) places, row by row. */
function smooth(cells, columns, rows) {
  const values = new Float32Array(columns.length * rows.length);
  let at = 0;
  for (const row of rows) {
    const line = new Float32Array(CELLS); // the four rows of cells, added up
    for (let each = 0; each < 4; each++) {
      const start = row.cells[each] * CELLS;
      for (let cell = 0; cell < CELLS; cell++) line[cell] += row.weights[each] * cells[start + cell];
    }
    for (const { cells: near, weights: share } of columns) {
      values[at++] = share[0] * line[near[0]] + share[1] * line[near[1]] + share[2] * line[near[2]] +
        share[3] * line[near[3]];
    }
  }
  return values;
}

/** A map that covers the box, its middle in the middle; the top of the box is the upper end of y. */
function map(context, width, height, kind, bytes, data) {
  const shares = cellsOf(kind, bytes);
  const size = Math.max(width, height) / CELLS; // pixels of a cell
  const left = CELLS / 2 - width / size / 2;
  const top = CELLS / 2 + height / size / 2;
  const grid = (step) => [
    along(Math.ceil(width / step) + 1, left - 0.5, step / size),
    along(Math.ceil(height / step) + 1, top - 0.5, -step / size),
  ];
  const [columns, rows] = grid(STEP);
  const layers = shares.map((each) => smooth(each, columns, rows));
  const ground = rgbOf("map-middle");
  const hues = CLASSES.map((role) => rgbOf(role));
  const picture = new ImageData(columns.length, rows.length);
  for (let at = 0; at < layers[0].length; at++) {
    let hue;
    let share;
    if (shares.length === 1) {
      const value = layers[0][at];
      [hue, share] = [hues[value > 0 ? 1 : 0], Math.abs(value)];
    } else {
      let best = 0;
      for (let each = 1; each < layers.length; each++) if (layers[each][at] > layers[best][at]) best = each;
      [hue, share] = [hues[best % hues.length], layers[best][at]];
    }
    share = SURE * between(share, 0, 1);
    for (let each = 0; each < 3; each++) {
      picture.data[4 * at + each] = ground[each] + share * (hue[each] - ground[each]);
    }
    picture.data[4 * at + 3] = 255;
  }
  const sheet = new OffscreenCanvas(columns.length, rows.length);
  sheet.getContext("2d").putImageData(picture, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(sheet, 0, 0, columns.length * STEP, rows.length * STEP);
  const [wide, high] = grid(BORDER);
  context.strokeStyle = colour("text");
  context.globalAlpha = 0.62;
  context.lineWidth = Math.max(1.2, Math.min(2, width / 150));
  if (shares.length === 1) {
    border(context, smooth(shares[0], wide, high), wide.length, high.length);
  } else {
    const near = shares.map((each) => smooth(each, wide, high));
    for (let one = 0; one < near.length; one++) {
      border(
        context,
        near[one].map((value, at) => value - Math.max(...near.map((each, of) => of === one ? -1 : each[at]))),
        wide.length,
        high.length,
      );
    }
  }
  context.globalAlpha = 1;
  const side = Math.max(width, height); // of the plane
  marks(
    context,
    data,
    Math.min(Math.max(1.7, side / 100), 5),
    (x) => width / 2 + (x - 0.5) * side,
    (y) => height / 2 - (y - 0.5) * side,
  );
}

/** Points of the data (three bytes each), in the shape and the colour of their class. */
function marks(context, data, size, x, y) {
  const hues = CLASSES.map((role) => colour(role));
  context.lineWidth = Math.max(0.8, size / 3);
  context.strokeStyle = colour("map-middle");
  context.lineJoin = "round";
  for (let at = 0; at + 2 < data.length; at += 3) {
    context.fillStyle = hues[data[at + 2] % hues.length];
    shape(context, data[at + 2], x(data[at] / 255), y(data[at + 1] / 255), size);
    context.stroke();
  }
}

/** The line where values change their sign, by marching squares. */
function border(context, values, columns, rows) {
  context.beginPath();
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
      const crossed = [];
      for (let each = 0; each < 4; each++) {
        const [x0, y0] = corners[each];
        const [x1, y1] = corners[(each + 1) % 4];
        const [one, other] = [values[y0 * columns + x0], values[y1 * columns + x1]];
        if (one > 0 === other > 0) continue;
        const share = one / (one - other);
        crossed.push([(x0 + share * (x1 - x0)) * BORDER, (y0 + share * (y1 - y0)) * BORDER]);
      }
      for (let each = 0; each + 1 < crossed.length; each += 2) {
        context.moveTo(...crossed[each]);
        context.lineTo(...crossed[each + 1]);
      }
    }
  }
  context.stroke();
}

function line(context, points, hue, width, dash = []) {
  context.strokeStyle = hue;
  context.lineWidth = width;
  context.lineJoin = context.lineCap = "round";
  context.setLineDash(dash);
  context.beginPath();
  points.forEach(([x, y], at) => at ? context.lineTo(x, y) : context.moveTo(x, y));
  context.stroke();
  context.setLineDash([]);
}

/** The heights of a fit over the range of x, and some of the points. */
function fit(context, width, height, bytes, data) {
  const x = (share) => width * (0.06 + 0.88 * share);
  const y = (share) => height * (0.92 - 0.84 * share);
  const points = [...bytes].map((value, at) => [x(at / (bytes.length - 1)), y(value / 255)]);
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(width * 0.06, height * 0.92);
  context.lineTo(width * 0.94, height * 0.92);
  context.stroke();
  marks(context, data, Math.min(Math.max(1.7, width / 90), 5), x, y);
  line(context, points, colour("model"), Math.min(Math.max(2, width / 60), 6));
}

/** The losses of racers, on a logarithmic scale; lines differ by colour and dash, and end in shapes. */
function race(context, width, height, bytes) {
  const racers = [];
  let at = 1;
  for (let each = 0; each < bytes[0] && at < bytes.length; each++) {
    const count = bytes[at];
    racers.push([...bytes.slice(at + 1, at + 1 + count)].map((byte) => Math.log10(lossOf(byte))));
    at += 1 + count;
  }
  const all = racers.flat().filter(Number.isFinite);
  if (!all.length) return;
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const longest = Math.max(...racers.map((each) => each.length), 2);
  racers.forEach((losses, each) => {
    const points = losses.map((value, at) => [
      width * (0.07 + 0.84 * at / (longest - 1)),
      height * (0.1 + 0.8 * (high - value) / (high - low || 1)),
    ]).filter(([, y]) => Number.isFinite(y));
    if (!points.length) return;
    racer(context, points, each, Math.min(Math.max(1.6, width / 80), 5));
  });
}

/** The line of a racer, with its colour, its dash, and its shape at the end. */
function racer(context, points, each, width) {
  const hue = colour(RACERS[each % RACERS.length]);
  line(context, points, hue, width, DASHES[each % DASHES.length].map((length) => length * Math.max(1, width / 2)));
  context.fillStyle = hue;
  shape(context, each, ...points.at(-1), Math.max(2.5, width * 2));
}

/** What the line of a racer looks like, for a legend. */
export function drawLineSample(context, width, height, each) {
  const size = height / 8;
  racer(context, [[size, height / 2], [width - 3 * size, height / 2]], each, size);
}

/** A small shape: circle, square, triangle or diamond. */
export function shape(context, kind, x, y, size) {
  context.beginPath();
  if (kind % 4 === 0) context.arc(x, y, size, 0, 2 * Math.PI);
  else {
    const corners = [[], [[-1, -1], [1, -1], [1, 1], [-1, 1]], [[0, -1.2], [1.1, 0.9], [-1.1, 0.9]], [
      [0, -1.3],
      [1.3, 0],
      [0, 1.3],
      [-1.3, 0],
    ]][kind % 4];
    corners.forEach(([dx, dy], at) =>
      at ? context.lineTo(x + dx * size, y + dy * size) : context.moveTo(x + dx * size, y + dy * size)
    );
    context.closePath();
  }
  context.fill();
}

/** The image, and ten bars of probability; the highest in the colour of an answer. */
function digit(context, width, height, bytes, data) {
  const bars = [...bytes.slice(2, 12)];
  const best = bars.indexOf(Math.max(...bars));
  const high = (height * 0.88) / 10;
  const large = Math.min(height * 0.8, width * 0.38);
  const [centre, middle] = [width * 0.24, height * 0.5];
  if (data.length === IMAGE * IMAGE / 2) {
    context.imageSmoothingEnabled = false;
    context.drawImage(inked(data), centre - large / 2, middle - large / 2, large, large);
  } else {
    context.fillStyle = colour("text");
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `700 ${large}px ${colour("type") || "Arial"}`;
    context.fillText(String(best), centre, middle);
  }
  const left = width * 0.48;
  const wide = width * 0.46;
  bars.forEach((value, at) => {
    const y = height * 0.06 + at * high;
    context.fillStyle = colour("line");
    context.fillRect(left, y + 1, wide, Math.max(1.5, high - 2));
    context.fillStyle = colour(at === best ? "primary" : "muted");
    context.fillRect(left, y + 1, Math.max(1.5, wide * value / 255), Math.max(1.5, high - 2));
  });
}

/** A digit's pixels as ink on paper, two pixels a byte. */
function inked(data) {
  const [paper, ink] = [rgbOf("bg"), rgbOf("text")];
  const picture = new ImageData(IMAGE, IMAGE);
  for (let at = 0; at < IMAGE * IMAGE; at++) {
    const share = (at % 2 ? data[at >> 1] & 15 : data[at >> 1] >> 4) / 15;
    for (let each = 0; each < 3; each++) {
      picture.data[4 * at + each] = paper[each] + share * (ink[each] - paper[each]);
    }
    picture.data[4 * at + 3] = 255;
  }
  const sheet = new OffscreenCanvas(IMAGE, IMAGE);
  sheet.getContext("2d").putImageData(picture, 0, 0);
  return sheet;
}

/** The last losses of a run that diverged, and a cross. */
function diverged(context, width, height, losses) {
  const red = colour("red");
  const values = losses.map((loss) => Math.log10(loss)).filter(Number.isFinite).slice(-16);
  if (values.length > 1) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const points = values.map((value, at) => [
      width * (0.12 + 0.62 * at / (values.length - 1)),
      height * (0.84 - 0.66 * (value - low) / (high - low || 1)),
    ]);
    line(context, points, red, Math.max(2, width / 60));
  }
  const size = Math.min(width, height) * 0.09;
  const [x, y] = values.length > 1 ? [width * 0.86, height * 0.2] : [width / 2, height / 2];
  context.strokeStyle = red;
  context.lineWidth = Math.max(2.4, size / 2.6);
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x + size, y - size);
  context.lineTo(x - size, y + size);
  context.stroke();
}

/** The curve of a loss, where a tile has no other picture. */
function losses(context, width, height, values) {
  const found = values.map((loss) => Math.log10(loss)).filter(Number.isFinite);
  if (found.length < 2) return;
  const [low, high] = [Math.min(...found), Math.max(...found)];
  const points = found.map((value, at) => [
    width * (0.07 + 0.86 * at / (found.length - 1)),
    height * (0.88 - 0.74 * (value - low) / (high - low || 1)),
  ]);
  line(context, points, colour("train"), Math.max(1.8, width / 80));
}

/** Draw the miniature of a tile in a box. */
export function drawMiniature(context, width, height, tile) {
  context.fillStyle = colour("soft");
  context.fillRect(0, 0, width, height);
  if (!tile) return;
  const { kind, mini, data } = tile;
  if (kind === "diverged" || tile.diverged) return diverged(context, width, height, tile.losses);
  if (!mini.length) return losses(context, width, height, tile.losses);
  if (kind.startsWith("map")) map(context, width, height, kind, mini, data);
  else if (kind === "fit") fit(context, width, height, mini, data);
  else if (kind === "race") race(context, width, height, mini);
  else if (kind === "digit") digit(context, width, height, mini, data);
}
