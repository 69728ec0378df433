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
  if (!isLog) return { at, ticks: evenTicks(low, high) };
  const ticks = powerTicks(low, high);
  return { at, ticks: ticks.length > 1 ? ticks : evenTicks(10 ** low, 10 ** high) };
}

/** The powers of ten between two exponents; where these are near, twice and five times each, too. */
function powerTicks(low, high) {
  const ticks = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const each of high - low < 2 ? [1, 2, 5] : [1]) ticks.push(each * 10 ** power);
  }
  return ticks.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
}

/** About five round values between two others, at even distances. */
function evenTicks(low, high) {
  const ticks = [];
  const raw = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((each) => each * power >= raw) * power;
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    ticks.push(Number(value.toPrecision(6)));
  }
  return ticks;
}
