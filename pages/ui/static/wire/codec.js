// Reads the frames that playground/engine/frames.py writes: a JSON head, followed by arrays as raw bytes.

const ARRAYS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };

/** A frame from its bytes (ArrayBuffer); its arrays are typed arrays over the same memory. */
export function decode(buffer) {
  const headSize = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headSize)));
  return withArrays(head, buffer, 4 + headSize);
}

/** An ArrayBuffer from base64 text, the form in which a still board receives its frame. */
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

/** The new value, with each part that is equal replaced by the old object: Plotly draws only objects that changed. */
export function reuseEqualParts(value, before) {
  if (
    value === null || before === null || before === undefined || typeof value !== "object" || typeof before !== "object"
  ) return value;
  if (value.constructor !== before.constructor) return value;
  if (ArrayBuffer.isView(value)) {
    return equalArrays(value, before) ? before : value;
  }
  let same = Object.keys(value).length === Object.keys(before).length;
  for (const key of Object.keys(value)) {
    value[key] = reuseEqualParts(value[key], before[key]);
    same &&= value[key] === before[key] && key in before;
  }
  return same ? before : value;
}

const equalArrays = (one, other) => one.length === other.length && one.every((item, i) => Object.is(item, other[i]));

/** Put a value at a path inside a figure. */
export function put(figure, path, value) {
  let place = figure;
  for (const key of path.slice(0, -1)) place = place[key];
  place[path[path.length - 1]] = value;
}
