// Reads the tiles of one second (playground/classroom/tiles.py): a head of 26 bytes, new losses, and a miniature.

export const KINDS = ["none", "map", "map8", "fit", "race", "digit", "diverged", "map3"];
const HEAD = 26; // bytes
const CELLS = 16; // of a map, along each side
const FLAGS = { help: 1, done: 2, plays: 4, diverged: 8, here: 16, answered: 32, strayed: 64, looked: 128 };
const NOT_KNOWN = 65535;
const LARGEST_EXPONENT = 6; // a byte of loss holds 10 to the power of -6 to 6
const BYTE_STEPS = 254;
const MAX_LOSSES = 240; // that a tile keeps: four minutes

/** A loss from its byte; NaN for one that is not finite. */
export function lossOf(byte) {
  return byte === 0 ? NaN : 10 ** (((byte - 1) / BYTE_STEPS) * 2 * LARGEST_EXPONENT - LARGEST_EXPONENT);
}

/**
 * The tiles in a message (ArrayBuffer), each with `seat`, `kind`, `lesson`, `experiment`, flags, `age` (s), `step`,
 * `loss`, `rate`, `accuracy` (0 to 1), `units` (NaN where there is none), `losses` (new ones) and `mini` (bytes, or
 * null: the last one stays).
 */
export function readTiles(buffer) {
  const view = new DataView(buffer);
  const tiles = [];
  for (let at = 0; at + HEAD <= buffer.byteLength;) {
    const kinds = view.getUint8(at + 2);
    const length = view.getUint16(at + 24, true);
    const tail = kinds >> 4;
    const end = at + HEAD + tail + length;
    if (end > buffer.byteLength) break;
    const flags = view.getUint8(at + 5);
    const accuracy = view.getUint16(at + 20, true);
    const units = view.getUint16(at + 22, true);
    const tile = {
      seat: view.getUint16(at, true),
      kind: KINDS[kinds & 15] ?? "none",
      lesson: view.getUint8(at + 3),
      experiment: view.getUint8(at + 4),
      age: view.getUint16(at + 6, true),
      step: view.getUint32(at + 8, true),
      loss: view.getFloat32(at + 12, true),
      rate: view.getFloat32(at + 16, true),
      accuracy: accuracy === NOT_KNOWN ? NaN : accuracy / (NOT_KNOWN - 1),
      units: units || NaN,
      losses: [...new Uint8Array(buffer, at + HEAD, tail)].map(lossOf),
      mini: length ? new Uint8Array(buffer.slice(at + HEAD + tail, end)) : null,
    };
    for (const [name, bit] of Object.entries(FLAGS)) tile[name] = Boolean(flags & bit);
    tiles.push(tile);
    at = end;
  }
  return tiles;
}

/** The tile of a seat after a newer one: it keeps its miniature where none came, and the losses of its run. */
export function updated(before, tile) {
  const same = before && before.lesson === tile.lesson && tile.step >= before.step;
  const losses = [...(same ? before.losses : []), ...tile.losses].slice(-MAX_LOSSES);
  const mini = tile.mini ?? (before && before.kind === tile.kind ? before.mini : null);
  return { ...tile, losses, mini };
}

/** The cells of a map of two classes: -1 (class 0, sure) to 1, row by row from the lowest y. */
function twoClasses(bytes) {
  const cells = new Float32Array(CELLS * CELLS);
  for (let at = 0; at < cells.length; at++) {
    const byte = bytes[at >> 1];
    cells[at] = (at % 2 ? byte & 15 : byte >> 4) / 7.5 - 1;
  }
  return cells;
}

/**
 * A map's cells by class, each (16 * 16) from 0 to 1 (how sure); of two classes ("map") one array from -1 to 1.
 */
export function cellsOf(kind, bytes) {
  if (kind === "map") return [twoClasses(bytes)];
  const shares = [];
  for (let at = 0; at < CELLS * CELLS; at++) {
    const half = kind === "map8" ? bytes[at] : at % 2 ? bytes[at >> 1] & 15 : bytes[at >> 1] >> 4;
    const of = kind === "map8" ? half >> 4 : half >> 1;
    const sure = kind === "map8" ? 0.2 + (0.8 * (half & 15)) / 15 : half & 1 ? 1 : 0.55;
    (shares[of] ??= new Float32Array(CELLS * CELLS))[at] = sure;
  }
  return Array.from(shares, (each) => each ?? new Float32Array(CELLS * CELLS));
}
