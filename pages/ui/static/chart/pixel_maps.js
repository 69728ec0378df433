// Maps under or over a chart: small grids of bytes drawn as pixels on one canvas, far faster than heatmap traces.

import { element, rgb } from "../dom.js";

const SHARP = 4; // times the pixels of a square map in a saved picture, so that its frame is thin
const LEVELS = 51; // in a map of classes: byte = 51 * class + certainty (0 to 50)

export class PixelMaps {
  constructor(plot, board) {
    this.plot = plot;
    this.board = board;
    this.canvas = element("canvas", { class: "maps", "aria-hidden": "true" });
    this.source = document.createElement("canvas");
    this.tables = new Map(); // colours by name of the lut and theme
  }

  /**
   * Draw a group of maps, or a list of groups. A group has `side` (pixels in a row of one map), `boxes` (x0, x1, y0
   * and y1 of each map), `values` (bytes, rows from the top), `lut` and `over`; optional are `crisp` (pixels have
   * edges), `tall` (rows of one map, if not `side`), `square` (each map is a square in the middle of its box) and
   * `frame` (a colour role). The first group's `over` decides for the whole canvas. Only what lies from the share
   * `from` to the share `to` of the horizontal axis is drawn.
   */
  draw(maps, from = 0, to = 1) {
    const full = this.plot._fullLayout;
    const groups = groupsOf(maps);
    if (groups.length === 0 || !full?.xaxis?.d2p) {
      this.canvas.hidden = true;
      return;
    }
    this.canvas.hidden = false;
    this.canvas.classList.toggle("over", Boolean(groups[0].over));
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [full.width, full.height];
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const { xaxis, yaxis } = full;
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (from === 0) pen.clearRect(0, 0, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(xaxis._offset + from * xaxis._length, yaxis._offset, (to - from) * xaxis._length, yaxis._length);
    pen.clip();
    for (const group of groups) {
      const { side, boxes, tall = side, frame, square } = group;
      const count = this.fill(group);
      pen.imageSmoothingEnabled = !group.crisp;
      if (frame) pen.strokeStyle = this.board.colour(frame);
      for (let at = 0; at < count; at++) {
        const [x0, x1, y0, y1] = boxes.subarray(4 * at, 4 * at + 4);
        let left = xaxis._offset + xaxis.d2p(x0);
        let top = yaxis._offset + yaxis.d2p(y1);
        let [wide, high] = [xaxis._offset + xaxis.d2p(x1) - left, yaxis._offset + yaxis.d2p(y0) - top];
        if (square) [left, top, wide, high] = inTheMiddle(left, top, wide, high);
        pen.drawImage(this.source, 0, at * tall, side, tall, left, top, wide, high);
        if (frame) pen.strokeRect(Math.floor(left) + 0.5, Math.floor(top) + 0.5, Math.round(wide), Math.round(high));
      }
    }
    pen.restore();
  }

  /** Write all maps of a group to the source canvas, one below the other, and return their number. */
  fill({ side, values, lut, tall = side }) {
    const count = Math.floor(values.length / (side * tall));
    if (this.source.width !== side || this.source.height !== tall * count) {
      this.source.width = side;
      this.source.height = Math.max(1, tall * count);
    }
    if (count === 0) return 0;
    const colours = this.colours(lut);
    const image = new ImageData(side, tall * count);
    const pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) pixels[i] = colours[values[i]];
    this.source.getContext("2d").putImageData(image, 0, 0);
    return count;
  }

  /** The colour of each byte value, in the layout of an ImageData (little-endian: alpha, blue, green, red). */
  colours(lut) {
    const name = `${lut} ${this.board.theme}`;
    if (!this.tables.has(name)) {
      const ground = rgb(this.board.colour("@ground"));
      const mix = (role, share) => {
        const colour = rgb(this.board.colour(role));
        const [red, green, blue] = colour.map((part, at) => Math.round(part * share + ground[at] * (1 - share)));
        return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
      };
      const table = Uint32Array.from({ length: 256 }, (_, byte) => {
        if (byte === 0 && lut.endsWith("filling")) return mix("@muted", 0.22); // still to be computed
        if (lut === "grey") return ((255 << 24) | (byte << 16) | (byte << 8) | byte) >>> 0;
        if (lut.startsWith("ink")) return mix("@text", byte / 255);
        if (lut.startsWith("signed")) return mix(byte < 128 ? "@negative" : "@positive", Math.abs(byte - 128) / 127);
        return mix(`@class${Math.min(4, Math.floor(byte / LEVELS))}`, 0.05 + 0.6 * ((byte % LEVELS) / (LEVELS - 1)));
      });
      this.tables.set(name, table);
    }
    return this.tables.get(name);
  }

  /** The maps as images of a Plotly layout, for the saved picture. */
  pictures(maps) {
    return groupsOf(maps).flatMap((group) => this.picturesOf(group));
  }

  /** The maps' frames as shapes of a Plotly layout, for the saved picture. */
  frames(maps) {
    return groupsOf(maps).filter(({ frame, square }) => frame && !square).flatMap(({ boxes, frame }) =>
      Array.from({ length: boxes.length / 4 }, (_, at) => {
        const [x0, x1, y0, y1] = boxes.subarray(4 * at, 4 * at + 4);
        return { type: "rect", x0, x1, y0, y1, line: { color: this.board.colour(frame), width: 1 } };
      })
    );
  }

  picturesOf(maps) {
    const count = this.fill(maps);
    return Array.from({ length: count }, (_, at) => {
      const piece = document.createElement("canvas");
      const { side, tall = side, square, frame } = maps;
      const scale = square ? SHARP : 1;
      piece.width = scale * side;
      piece.height = scale * tall;
      const pen = piece.getContext("2d");
      pen.drawImage(this.source, 0, at * tall, side, tall, 0, 0, piece.width, piece.height);
      if (square && frame) {
        pen.strokeStyle = this.board.colour(frame);
        pen.strokeRect(0.5, 0.5, piece.width - 1, piece.height - 1);
      }
      const [x0, x1, y0, y1] = maps.boxes.subarray(4 * at, 4 * at + 4);
      return {
        source: piece.toDataURL(),
        xref: "x",
        yref: "y",
        x: (x0 + x1) / 2,
        y: (y0 + y1) / 2,
        xanchor: "center",
        yanchor: "middle",
        sizex: x1 - x0,
        sizey: y1 - y0,
        sizing: square ? "contain" : "stretch",
        layer: maps.over ? "above" : "below",
      };
    });
  }
}

/** The largest square in the middle of a box. */
function inTheMiddle(left, top, wide, high) {
  const side = Math.min(wide, high);
  return [left + (wide - side) / 2, top + (high - side) / 2, side, side];
}

/** The groups as a list: none, one or several. */
const groupsOf = (maps) => (maps ? [maps].flat() : []);
