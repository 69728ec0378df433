// What the projector shows of a class: bars, how answers moved, ghosts of numbers and curves, dots, losses, leaders.

import { drawn, icon, part, say } from "./parts.js";
import { IS_LOG, scaleOf } from "./scales.js";
import { lossesIn } from "./tile_codec.js";
import { answerText, barsOf, numberText, optionsOf, plain, shareText } from "./vote_words.js";

const WIDE = 1760; // units of all drawings
const TYPE = "var(--type)";
const DOT = 32; // units of a dot with its space

/**
 * A line of text.
 * @param {{weight?: number, fill?: string, anchor?: string}} more
 */
function words(text, x, y, size, more = {}) {
  const { weight = 400, fill = "var(--text)", anchor = "start", ...rest } = more;
  const made = drawn("text", {
    x,
    y,
    "font-size": size,
    "font-family": TYPE,
    "font-weight": weight,
    fill,
    "text-anchor": anchor,
    ...rest,
  });
  made.textContent = text;
  return made;
}

const sheet = (height, label) =>
  drawn("svg", { viewBox: `0 0 ${WIDE} ${height}`, class: "full", role: "img", "aria-label": label });

const muted = { fill: "var(--muted)" };
const middle = { ...muted, anchor: "middle" };

/** A result as large bars: counts, or percent from 100 answers on. */
export function largeBars(vote, result, text) {
  const bars = barsOf(vote, result);
  if (vote.ask.kind === "curve") return curves(vote, [result], text);
  if (vote.ask.kind === "number") return numberDots(vote, result, text);
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const isLong = bars.some((each) => each.text.length > 9);
  return part(
    "div",
    {
      class: `pbars ${isLong ? "long" : ""}`,
      role: "img",
      "aria-label": bars.map((each) => `${each.text}: ${shareText(each.count, result.n)}`).join(", "),
      "data-key": "bars",
    },
    bars.map((each) =>
      part(
        "div",
        { class: `pb ${each.isTrue ? "yes" : ""}` },
        part("span", { class: "l" }, each.text, each.isTrue && icon("check")),
        part("span", { class: "tr" }, part("i", { style: `width: ${(100 * each.count) / most}%` })),
        part("span", { class: "n" }, shareText(each.count, result.n)),
      )
    ),
  );
}

/** Each number as a dot on its line; equal ones are stacked. */
function numberDots(vote, result, text) {
  const [left, right] = [120, WIDE - 120];
  const values = result.values ?? [];
  if (!values.length) return part("p", { class: "q2" }, text.no_answers);
  const hasTruth = typeof vote.truth === "number";
  const x = scaleOf([...values, ...(hasTruth ? [vote.truth] : [])], false, left, right, 0.06);
  const stacks = new Map();
  for (const value of values) {
    const place = Math.round(x.at(value) / DOT);
    stacks.set(place, (stacks.get(place) ?? 0) + 1);
  }
  const most = Math.max(...stacks.values());
  const apart = Math.min(DOT, 420 / most);
  const bottom = 110 + apart * Math.max(most, 4);
  const label = say(text.dots_alt, { n: values.length, values: values.map((each) => numberText(each)).join(", ") });
  const picture = sheet(bottom + 110, label);
  const line = { y1: bottom + 24, y2: bottom + 24, stroke: "var(--line)", "stroke-width": 4 };
  picture.append(drawn("line", { x1: left, x2: right, ...line }));
  for (const value of x.ticks) {
    picture.append(words(numberText(value, vote.ask.unit), x.at(value), bottom + 76, 34, middle));
  }
  if (hasTruth) {
    const at = x.at(vote.truth);
    const real = say(text.truth, { answer: numberText(vote.truth, vote.ask.unit) });
    const look = { stroke: "var(--green)", "stroke-width": 6 };
    picture.append(
      drawn("line", { x1: at, x2: at, y1: 62, y2: bottom + 24, ...look }),
      words(real, at, 44, 38, { weight: 700, fill: "var(--green)", anchor: "middle" }),
    );
  }
  const look = { r: 14, fill: "var(--primary)", stroke: "var(--bg)", "stroke-width": 3 };
  for (const [place, count] of stacks) {
    for (let row = 0; row < count; row++) {
      picture.append(drawn("circle", { cx: place * DOT, cy: bottom - row * apart, ...look }));
    }
  }
  return picture;
}

/** How answers moved between the votes: of a choice as ribbons, of numbers as lines; else the curves of both. */
export function moved(vote, text) {
  const { ask, moves, results } = vote;
  if (ask.kind === "curve" || !moves) return curves(vote, results, text);
  return ask.kind === "number" ? numbersMoved(vote, text) : ribbons(vote, text);
}

const LINE = 18; // letters of a line beside the ribbons
const COUNTED = 34; // height of the count below a name there

/** A name in lines that fit beside the ribbons. */
function wrapped(name) {
  const lines = [""];
  for (const word of name.split(" ")) {
    if (lines.at(-1) && lines.at(-1).length + word.length >= LINE) lines.push("");
    lines[lines.length - 1] += `${lines.at(-1) ? " " : ""}${word}`;
  }
  return lines;
}

function ribbons(vote, text) {
  const HIGH = 680;
  const [left, right, bar, gap, top] = [480, 1250, 30, 22, 60];
  const options = optionsOf(vote).map(([key, html]) => [key, plain(html)]);
  const count = (from, to) => vote.moves[from]?.[to] ?? 0;
  const first = options.map(([from]) => options.reduce((sum, [to]) => sum + count(from, to), 0));
  const second = options.map(([to]) => options.reduce((sum, [from]) => sum + count(from, to), 0));
  const all = Math.max(1, first.reduce((sum, each) => sum + each, 0));
  const labels = options.map(([, name]) => {
    const [lines, size] = [wrapped(name), name.length > LINE ? 28 : 46];
    return { lines, size, high: 1.1 * size * lines.length + COUNTED };
  });
  const room = HIGH - 70 - gap * (options.length - 1);
  let unit = room / all;
  // No name lies over another.
  const slots = (values) => values.map((value, each) => Math.max(value * unit, labels[each].high));
  const isTooHigh = (values) => slots(values).reduce((sum, each) => sum + each, 0) > room;
  while (unit > room / all / 4 && (isTooHigh(first) || isTooHigh(second))) unit *= 0.97;
  const starts = (values) => {
    let at = top;
    return slots(values).map((slot, each) => {
      const start = at + (slot - Math.max(4, values[each] * unit)) / 2;
      at += slot + gap;
      return start;
    });
  };
  const [ones, others] = [starts(first), starts(second)];
  const [outs, ins] = [[...ones], [...others]];
  const found = [];
  options.forEach(([from], one) =>
    options.forEach(([to], other) => {
      const n = count(from, to);
      if (!n) return;
      found.push({
        n,
        isMoved: one !== other,
        y: outs[one],
        z: ins[other],
        text: `${n}: ${options[one][1]} → ${options[other][1]}`,
      });
      outs[one] += n * unit;
      ins[other] += n * unit;
    })
  );
  const picture = sheet(HIGH, say(text.moves_alt, { moves: found.map((each) => each.text).join(", ") }));
  const middle = (left + right) / 2;
  for (const { n, isMoved, y, z } of found.sort((one, other) => Number(one.isMoved) - Number(other.isMoved))) {
    const high = n * unit;
    picture.append(drawn("path", {
      d: `M${left + bar} ${y}C${middle} ${y} ${middle} ${z} ${right} ${z}V${z + high}` +
        `C${middle} ${z + high} ${middle} ${y + high} ${left + bar} ${y + high}Z`,
      fill: isMoved ? "var(--primary)" : "var(--muted)",
      "fill-opacity": isMoved ? 0.62 : 0.24,
      stroke: isMoved ? "var(--primary)" : "none",
    }));
    if (isMoved && high > 34) picture.append(words(String(n), left + bar + 22, y + high / 2 + 12, 34, { weight: 700 }));
  }
  const side = (at, values, x, anchor, edge) => {
    labels.forEach(({ lines, size }, each) => {
      const high = Math.max(4, values[each] * unit);
      picture.append(drawn("rect", { x, y: at[each], width: bar, height: high, fill: "var(--text)", rx: 4 }));
      const label = drawn("text", { "font-family": TYPE, "text-anchor": anchor });
      const start = at[each] + high / 2 - (lines.length * size) / 2 + size * 0.62;
      lines.forEach((line, row) => {
        const part = drawn("tspan", { x: edge, y: start + row * size * 1.1, "font-size": size, "font-weight": 700 });
        part.setAttribute("fill", "var(--text)");
        part.textContent = line;
        label.append(part);
      });
      const counted = drawn("tspan", {
        x: edge,
        y: start + lines.length * size * 1.1 - size * 0.15,
        "font-size": 28,
        ...muted,
      });
      counted.textContent = say(text.votes, { n: values[each] });
      label.append(counted);
      picture.append(label);
    });
  };
  side(ones, first, left, "end", left - 24);
  side(others, second, right, "start", right + bar + 24);
  picture.append(
    words(text.first_vote, left, 30, 30, muted),
    words(text.second_vote, right + bar, 30, 30, { ...muted, anchor: "end" }),
  );
  return picture;
}

/** Each pair of numbers as a line from the first vote to the second. */
function numbersMoved(vote, text) {
  const HIGH = 680;
  const [left, right, top, bottom] = [420, 1340, 70, 640];
  const values = [
    ...vote.results.flatMap(({ values }) => values),
    ...(typeof vote.truth === "number" ? [vote.truth] : []),
  ];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
  const picture = sheet(HIGH, say(text.numbers_alt, { n: vote.changed ?? 0 }));
  for (const x of [left, right]) {
    const span = { y1: top, y2: bottom };
    picture.append(drawn("line", { x1: x, x2: x, ...span, stroke: "var(--line)", "stroke-width": 3 }));
  }
  for (const [one, other] of vote.moves) {
    const isMoved = one !== other;
    picture.append(drawn("line", {
      x1: left,
      x2: right,
      y1: y(one),
      y2: y(other),
      stroke: isMoved ? "var(--primary)" : "var(--muted)",
      "stroke-width": 4,
      "stroke-opacity": isMoved ? 0.75 : 0.45,
      "stroke-linecap": "round",
    }));
  }
  vote.results.forEach((result, round) =>
    result.values.forEach((value) =>
      picture.append(drawn("circle", { cx: round ? right : left, cy: y(value), r: 11, fill: "var(--primary)" }))
    )
  );
  for (const value of [low, high]) {
    picture.append(words(numberText(value, vote.ask.unit), left - 40, y(value) + 12, 34, { ...muted, anchor: "end" }));
  }
  if (typeof vote.truth === "number") {
    truthLine(picture, y(vote.truth), left, right, answerText(vote, vote.truth), text);
  }
  picture.append(
    words(text.first_vote, left, 36, 30, middle),
    words(text.second_vote, right, 36, 30, middle),
  );
  return picture;
}

function truthLine(picture, y, left, right, value, text) {
  picture.append(
    drawn("line", {
      x1: left - 20,
      x2: right + 20,
      y1: y,
      y2: y,
      stroke: "var(--green)",
      "stroke-width": 5,
      "stroke-dasharray": "16 10",
    }),
    words(say(text.truth, { answer: value }), right + 40, y + 12, 34, { weight: 700, fill: "var(--green)" }),
  );
}

/** All drawn curves as ghosts: those of the second vote blue, the first ones grey and dashed. */
function curves(vote, results, text) {
  const HIGH = 700;
  const [left, right, top, bottom] = [130, 1720, 30, 620];
  const { grid, x: span, y: heights } = vote.ask;
  const isTrue = Array.isArray(vote.truth);
  const all = [...results.flatMap((result) => result?.curves ?? []), ...(isTrue ? [vote.truth] : [])];
  const values = [...all.flat(), ...(heights ?? [])];
  if (!values.length) return part("p", { class: "q2" }, text.no_answers);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (value) => left + ((value - span[0]) / (span[1] - span[0] || 1)) * (right - left);
  const y = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
  const picture = sheet(HIGH, say(text.curves_alt, { n: results.at(-1)?.curves?.length ?? 0 }));
  for (const value of [low, (low + high) / 2, high]) {
    picture.append(
      drawn("line", { x1: left, x2: right, y1: y(value), y2: y(value), stroke: "var(--line)", "stroke-width": 2 }),
      words(numberText(value), left - 16, y(value) + 10, 28, { ...muted, anchor: "end" }),
    );
  }
  for (const value of span) {
    picture.append(words(numberText(value), x(value), HIGH - 40, 28, middle));
  }
  const path = (curve) =>
    curve.map((value, at) => `${at ? "L" : "M"}${x(grid[at]).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  results.forEach((result, round) => {
    const isLast = round === results.length - 1;
    for (const curve of result?.curves ?? []) {
      picture.append(drawn("path", {
        d: path(curve),
        fill: "none",
        stroke: isLast ? "var(--primary)" : "var(--muted)",
        "stroke-width": 4,
        "stroke-opacity": isLast ? 0.5 : 0.4,
        "stroke-dasharray": isLast ? "" : "10 10",
      }));
    }
  });
  if (isTrue) {
    picture.append(
      drawn("path", { d: path(vote.truth), fill: "none", stroke: "var(--green)", "stroke-width": 8 }),
      words(text.real, right, y(vote.truth.at(-1)) - 20, 34, { weight: 700, fill: "var(--green)", anchor: "end" }),
    );
  }
  return picture;
}

// All together.

/** A line across the picture at each tick of `y`, with its number at the left. */
function drawHeights(picture, y, [left, right], textOf) {
  for (const value of y.ticks) {
    const at = y.at(value);
    picture.append(
      drawn("line", { x1: left, x2: right, y1: at, y2: at, stroke: "var(--line)", "stroke-width": 2 }),
      words(textOf(value), left - 16, at + 9, 27, { ...muted, anchor: "end" }),
    );
  }
}

const tickText = (value, name) => name === "accuracy" ? `${Math.round(100 * value)} %` : numberText(value);

/** Whose runs a picture of all has: of the students those at one lesson; "" for none. */
export function runsText(found, text) {
  const n = (found?.dots ?? found?.curves ?? []).length;
  return n ? say(text.runs_in, { title: found.title, n, of: found.of }) : "";
}

/** The runs that have come to an end or are paused: their dots stand. */
export const standing = ({ dots }) => dots.filter(([, , , plays]) => !plays);

/** The run with the lowest loss, where losses are shown and enough of them stand. */
export function lowestOf({ y, dots }) {
  const fine = standing({ dots }).filter(([, x, up]) => Number.isFinite(x) && Number.isFinite(up));
  if (y !== "loss" || fine.length < 3) return null;
  return fine.reduce((best, each) => each[2] < best[2] ? each : best);
}

/**
 * One dot for each run: `dots` is {x, y, dots: [[id, x, y, plays], …]}. Those whose loss is not finite stand in a row
 * of their own; those that still play are outlines, since they move; the newest that stands has a ring.
 */
export function scatter(dots, newest, text) {
  const HIGH = 760;
  const { x: across, y: up } = dots;
  const [left, right, top, bottom] = [150, WIDE - 40, 120, HIGH - 90];
  const fine = dots.dots.filter(([, x, y]) => Number.isFinite(x) && Number.isFinite(y));
  const lost = dots.dots.filter(([, x, y]) => Number.isFinite(x) && !Number.isFinite(y));
  const picture = sheet(HIGH, say(text.scatter_alt, { x: text.axes[across], y: text.axes[up], n: dots.dots.length }));
  const x = scaleOf([...fine, ...lost].map(([, value]) => value), IS_LOG[across], left, right);
  const y = scaleOf(fine.map(([, , value]) => value), IS_LOG[up], bottom, top, 0.08);
  drawHeights(picture, y, [left, right], (value) => tickText(value, up));
  for (const value of x.ticks) {
    picture.append(
      drawn("line", {
        x1: x.at(value),
        x2: x.at(value),
        y1: top,
        y2: bottom,
        stroke: "var(--line)",
        "stroke-width": 2,
      }),
      words(tickText(value, across), x.at(value), HIGH - 46, 27, middle),
    );
  }
  picture.append(
    words(text.axes[across], (left + right) / 2, HIGH - 10, 30, { anchor: "middle" }),
    words(text.axes[up], 0, 36, 30),
  );
  if (lost.length) {
    picture.append(
      drawn("rect", { x: left, y: top - 62, width: right - left, height: 46, rx: 10, fill: "var(--soft)" }),
      words(text.diverged, left + 20, top - 30, 26, muted),
    );
    for (const [, value] of lost) {
      const [at, middle] = [x.at(value), top - 39];
      picture.append(drawn("path", {
        d: `M${at - 11} ${middle - 11}l22 22M${at + 11} ${middle - 11}l-22 22`,
        stroke: "var(--red)",
        "stroke-width": 5.5,
        "stroke-linecap": "round",
      }));
    }
  }
  const ring = { stroke: "var(--primary)", "stroke-width": 3 };
  const [still, moving] = [
    { r: 14, fill: "var(--primary)", stroke: "var(--bg)", "stroke-width": 3 },
    { r: 11, fill: "var(--bg)", stroke: "var(--primary)", "stroke-width": 4, "stroke-opacity": 0.7 },
  ];
  for (const [id, across_, up_, plays] of fine) {
    const place = { cx: x.at(across_), cy: y.at(up_) };
    picture.append(drawn("circle", { ...place, ...(plays ? moving : still) }));
    if (id === newest) {
      picture.append(drawn("circle", { ...place, r: 23, fill: "none", ...ring }));
    }
  }
  const best = lowestOf(dots);
  if (best) {
    const place = { cx: x.at(best[1]), cy: y.at(best[2]) };
    picture.append(drawn("circle", { ...place, r: 23, fill: "none", stroke: "var(--text)", "stroke-width": 4 }));
  }
  return picture;
}

const CURVES_LOW = 1e-4; // no loss is drawn lower
const CURVES_HIGH = 30;

/** Whether a loss curve, as a message has it, ends with a loss that is not finite. */
export const hasDiverged = (curve) => lossesIn(curve).some(Number.isNaN);

/** All loss curves: `[[id, steps, base64 of two bytes for each loss], …]`. Those that diverged are red and dashed. */
export function lossCurves(found, text) {
  const HIGH = 760;
  const [left, right, top, bottom] = [120, WIDE - 40, 30, HIGH - 90];
  const all = found.map(([, steps, curve]) => ({ steps, losses: lossesIn(curve) })).filter(({ losses }) =>
    losses.length > 1
  );
  const picture = sheet(HIGH, say(text.curves_of_loss_alt, { n: all.length }));
  const clamp = (loss) => Math.min(Math.max(loss, CURVES_LOW), CURVES_HIGH);
  const finite = all.flatMap(({ losses }) => losses.filter(Number.isFinite).map(clamp));
  const longest = Math.max(1, ...all.map(({ steps }) => steps));
  const y = scaleOf(finite, true, bottom, top);
  const x = scaleOf([0, longest], false, left, right, 0);
  drawHeights(picture, y, [left, right], numberText);
  for (const value of x.ticks) {
    picture.append(words(numberText(value), x.at(value), HIGH - 46, 27, middle));
  }
  picture.append(words(text.axes.step, (left + right) / 2, HIGH - 10, 30, { anchor: "middle" }));
  for (const { steps, losses } of all) {
    const isLost = losses.some((loss) => !Number.isFinite(loss));
    const places = losses.map((loss, at) => [x.at((steps * at) / (losses.length - 1)), loss]).filter(([, loss]) =>
      Number.isFinite(loss)
    );
    picture.append(drawn("path", {
      d: places.map(([at, loss], each) => `${each ? "L" : "M"}${at.toFixed(1)} ${y.at(clamp(loss)).toFixed(1)}`).join(
        "",
      ),
      fill: "none",
      stroke: isLost ? "var(--red)" : "var(--primary)",
      "stroke-width": 3.6,
      "stroke-opacity": isLost ? 0.9 : 0.62,
      "stroke-dasharray": isLost ? "14 8" : "",
      "stroke-linejoin": "round",
    }));
  }
  return picture;
}

const MAX_LEADERS = 5;

/** What the challenge asks for. */
export const goalText = ({ accuracy, parameters }, text) =>
  say(parameters ? text.goal : text.goal_fewest, { accuracy: tickText(accuracy, "accuracy"), parameters });

/**
 * The challenge: parameters against accuracy, and the first five beside it. `found` has the least `accuracy`, the most
 * `parameters` (0: any), and dots.
 */
export function leaders(found, text) {
  const [WIDTH, HIGH] = [1150, 700];
  const picture = drawn("svg", {
    viewBox: `0 0 ${WIDTH} ${HIGH}`,
    class: "full",
    role: "img",
    "aria-label": say(text.leaders_alt, { n: found.dots.length }),
  });
  const [left, right, top, bottom] = [100, WIDTH - 30, 30, HIGH - 84];
  const { accuracy: least, parameters: most } = found;
  const counts = [...found.dots.map(([, parameters]) => parameters), ...(most ? [most] : [])];
  const x = scaleOf(counts, false, left, right, 0.08);
  const y = scaleOf([...found.dots.map(([, , accuracy]) => accuracy), 1, least], false, bottom, top, 0.08);
  const end = most ? x.at(most) + 20 : right;
  picture.append(
    drawn("rect", {
      x: left,
      y: y.at(1) - 20,
      width: end - left,
      height: y.at(least) - y.at(1) + 20,
      rx: 12,
      fill: "var(--tint2)",
    }),
  );
  for (const value of y.ticks.filter((each) => each <= 1)) {
    picture.append(
      drawn("line", {
        x1: left,
        x2: right,
        y1: y.at(value),
        y2: y.at(value),
        stroke: "var(--line)",
        "stroke-width": 2,
      }),
      words(tickText(value, "accuracy"), left - 14, y.at(value) + 9, 26, { ...muted, anchor: "end" }),
    );
  }
  for (const value of x.ticks) {
    picture.append(words(numberText(value), x.at(value), HIGH - 42, 26, middle));
  }
  picture.append(words(text.axes.parameters, (left + right) / 2, HIGH - 6, 28, { anchor: "middle" }));
  for (const [, parameters, accuracy, reached] of found.dots) {
    picture.append(drawn("circle", {
      cx: x.at(parameters),
      cy: y.at(accuracy),
      r: 13,
      fill: reached ? "var(--primary)" : "var(--bg)",
      stroke: reached ? "var(--bg)" : "var(--muted)",
      "stroke-width": reached ? 3 : 4,
    }));
  }
  picture.append(words(text.goal_short, left + 22, y.at(1) + 14, 28, { weight: 700 }));
  const first = found.dots.filter(([, , , reached]) => reached).sort((one, other) =>
    one[1] - other[1] || other[2] - one[2]
  );
  return part(
    "div",
    { class: "lead2" },
    picture,
    part(
      "ol",
      { "aria-label": text.first_five },
      first.length > 0 &&
        part("li", { class: "lh" }, part("span", {}, text.first_five), part("span", {}, text.leader_head)),
      first.slice(0, MAX_LEADERS).map(([, parameters, accuracy, , name], at) =>
        part(
          "li",
          {},
          part("em", {}, String(at + 1)),
          part("b", {}, name ?? ""),
          part("span", {}, say(text.leader, { parameters, accuracy: tickText(accuracy, "accuracy") })),
        )
      ),
    ),
  );
}
