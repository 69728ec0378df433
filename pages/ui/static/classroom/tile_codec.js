// Reads the tiles of one second (playground/classroom/tiles.py): a head of 30 bytes, losses, a picture, the data.

export const KINDS = ["none", "map", "map8", "fit", "race", "digit", "diverged", "map3"];
const CHALLENGES = ["", "open", "met"];
const HEAD = 30; // bytes
const CELLS = 16; // of a map, along each side
const FLAGS = { help: 1, done: 2, plays: 4, diverged: 8, here: 16, answered: 32, strayed: 64, looked: 128 };
const NOT_KNOWN = 65535;
const LARGEST_EXPONENT = 6; // a loss is 10 to the power of -6 to 6
const SAME_LOSSES = 255; // in the place of a length: as in the last tile
const SAME = 65535;

/** A loss from its byte, or from its number up to `most`; NaN for one that is not finite. */
export function lossOf(code, most = 255) {
  return code === 0 ? NaN : 10 ** (((code - 1) / (most - 1)) * 2 * LARGEST_EXPONENT - LARGEST_EXPONENT);
}

/** The losses of a curve in a message: base64 of two bytes each. */
export function lossesIn(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length >> 1 }, (_, at) => lossOf(view.getUint16(2 * at, true), 65_535));
}

/**
 * The tiles in a message (ArrayBuffer), each with `seat`, `kind`, `lesson`, `experiment`, flags, `age` (s), `step`,
 * `loss`, `rate`, `accuracy` (0 to 1), `units` (NaN where there is none), `challenge` ("", "open" or "met"), `losses`
 * (the whole curve, from step 0 to `step`), `mini` and `data` (bytes). Of these three, null stands for one that has not
 * changed since the last tile.
 */
export function readTiles(buffer) {
  const view = new DataView(buffer);
  const tiles = [];
  for (let at = 0; at + HEAD <= buffer.byteLength;) {
    const lengths = [view.getUint8(at + 24), view.getUint16(at + 25, true), view.getUint16(at + 27, true)];
    let end = at + HEAD;
    const parts = lengths.map((length, each) => {
      if (length === (each ? SAME : SAME_LOSSES)) return null;
      end += length;
      return new Uint8Array(buffer.slice(end - length, end));
    });
    if (end > buffer.byteLength) break;
    const [losses, mini, data] = parts;
    const flags = view.getUint8(at + 5);
    const accuracy = view.getUint16(at + 20, true);
    const units = view.getUint16(at + 22, true);
    const tile = {
      seat: view.getUint16(at, true),
      kind: KINDS[view.getUint8(at + 2)] ?? "none",
      lesson: view.getUint8(at + 3),
      experiment: view.getUint8(at + 4),
      age: view.getUint16(at + 6, true),
      step: view.getUint32(at + 8, true),
      loss: view.getFloat32(at + 12, true),
      rate: view.getFloat32(at + 16, true),
      accuracy: accuracy === NOT_KNOWN ? NaN : accuracy / (NOT_KNOWN - 1),
      units: units || NaN,
      challenge: CHALLENGES[view.getUint8(at + 29)] ?? "",
      losses: losses && Array.from(losses, (byte) => lossOf(byte)),
      mini,
      data,
    };
    for (const [name, bit] of Object.entries(FLAGS)) tile[name] = Boolean(flags & bit);
    tiles.push(tile);
    at = end;
  }
  return tiles;
}

/**
 * The tile of a seat after a newer one: it keeps the parts that have not changed. A picture of another kind goes.
 * `look` is another object whenever the miniature looks another way.
 */
export function updated(before, tile) {
  const kept = before?.kind === tile.kind ? before : null;
  const mini = tile.mini ?? kept?.mini ?? NONE;
  const isCurve = tile.diverged || !mini.length; // the losses are drawn
  const isNew = !kept || tile.diverged !== kept.diverged || tile.mini || tile.data || (isCurve && tile.losses);
  return {
    ...tile,
    losses: tile.losses ?? before?.losses ?? [],
    mini,
    data: tile.data ?? kept?.data ?? NONE,
    look: isNew ? {} : kept.look,
  };
}

const NONE = new Uint8Array(0);

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
