// Reads what playground/frames.py writes: a JSON head with arrays as raw bytes behind it.

const ARRAYS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };

/** A frame from its bytes (ArrayBuffer); arrays become typed arrays over the same memory. */
export function decode(buffer) {
  const headSize = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headSize)));
  return withArrays(head, buffer, 4 + headSize);
}

/** Bytes from base64 text, as a still board receives its frame. */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

function withArrays(value, buffer, start) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => withArrays(item, buffer, start));
  if (value.$) {
    const [offset, items, kind] = value.$;
    return new ARRAYS[kind](buffer, start + offset, items);
  }
  for (const key of Object.keys(value)) value[key] = withArrays(value[key], buffer, start);
  return value;
}

/** The new value, with the old one in the place of every part that is equal: Plotly draws only what is another object. */
export function reused(value, before) {
  if (value === null || before === null || before === undefined || typeof value !== "object" || typeof before !== "object") return value;
  if (value.constructor !== before.constructor) return value;
  if (ArrayBuffer.isView(value)) return value.length === before.length && value.every((item, i) => Object.is(item, before[i])) ? before : value;
  let same = Object.keys(value).length === Object.keys(before).length;
  for (const key of Object.keys(value)) {
    value[key] = reused(value[key], before[key]);
    same &&= value[key] === before[key] && key in before;
  }
  return same ? before : value;
}

/** Put a value at a path inside a figure. */
export function put(figure, path, value) {
  let place = figure;
  for (const key of path.slice(0, -1)) place = place[key];
  place[path[path.length - 1]] = value;
}
