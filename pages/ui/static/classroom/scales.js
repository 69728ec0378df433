// Scales of the pictures of a class: where a value stands, and which values have a tick.

export const IS_LOG = { rate: true, units: false, parameters: false, loss: true, accuracy: false };

/** A scale that holds all `values`: {at(value), ticks}, from the place `from` to the place `to`. */
export function scaleOf(values, isLog, from, to, room = 0.04) {
  const numbers = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0)).map((value) =>
    isLog ? Math.log10(value) : value
  );
  let [low, high] = numbers.length ? [Math.min(...numbers), Math.max(...numbers)] : [0, 1];
  const space = (high - low || 1) * room;
  [low, high] = [low - space, high + space];
  const at = (value) => from + (((isLog ? Math.log10(value) : value) - low) / (high - low)) * (to - from);
  const ticks = [];
  if (isLog) {
    const narrow = high - low < 2;
    for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
      for (const each of narrow ? [1, 2, 5] : [1]) ticks.push(each * 10 ** power);
    }
  } else {
    const raw = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find((each) => each * power >= raw) * power;
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      ticks.push(Number(value.toPrecision(6)));
    }
  }
  const inside = (value) => {
    const place = isLog ? Math.log10(value) : value;
    return place >= low && place <= high;
  };
  return { at, ticks: ticks.filter(inside) };
}
