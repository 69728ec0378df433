// All runs of the class in one picture: small beside the tiles, and large over them, as the projector shows it.

import { button, canvas, colour, iconButton, part, say, toggle } from "../parts.js";
import { goalText, leaders, lossCurves, runsText, scatter, standing } from "../pictures.js";
import { arePlaying, runsSideBySide, stepOf } from "../real_runs.js";
import { plain, rich } from "../vote_words.js";
import { percent, stepText } from "./seat_words.js";

const REM = 16;
const LOWEST = 1e-4; // a loss below it is drawn there
const HIGHEST = 30;
const PLAY_MS = 150; // between two pictures of recordings
const ACROSS = ["rate", "units", "parameters"];
const UP = ["loss", "accuracy"];

// Small, from what the tiles have.

/** The losses of all boards, one pale line each, for the box beside the tiles. */
export function lossesParts(people, wall) {
  const text = wall.words.wall;
  const tiles = people.map(({ tile }) => tile).filter((tile) => tile?.losses.length > 1);
  return [
    part("h2", { "data-key": "heading" }, text.losses, part("span", {}, text.losses_note)),
    picture(tiles, text.losses_alt, drawLosses),
    actsOf(wall, "ghosts", { do: "project", what: "ghosts" }),
  ];
}

/** One dot for each board: by the axes that the teacher has chosen, or else by what these boards have. */
export function foundParts(people, wall) {
  const text = wall.words.wall;
  const tiles = people.map(({ tile }) => tile).filter(Boolean);
  const [x, y] = axesOf(tiles, wall);
  const shown = tiles.filter((tile) => tile[x] > 0 && Number.isFinite(tile[y]));
  return part(
    "section",
    { class: "box qbox", "aria-label": text.found, "data-key": "found" },
    part("h2", {}, text.found, part("span", {}, say(text.found_note, { y: text.axes[y], x: text.axes[x] }))),
    picture(
      shown,
      say(text.found_alt, { y: text.axes[y], x: text.axes[x] }),
      x === "rate" ? drawRates(y) : drawUnits(y),
      `${x} ${y}`,
    ),
    actsOf(wall, "scatter", { do: "project", what: "scatter", x, y }),
  );
}

/** The axes of the dots: [x, y]. Parameters are known to the large picture alone. */
function axesOf(tiles, wall) {
  if (wall.axes) return [wall.axes[0] === "parameters" ? "units" : wall.axes[0], wall.axes[1]];
  const withUnits = tiles.filter(({ units, accuracy }) => units > 0 && Number.isFinite(accuracy)).length;
  const withRate = tiles.filter(({ rate, loss }) => rate > 0 && loss > 0).length;
  return withUnits && withUnits >= withRate / 2 ? ["units", "accuracy"] : ["rate", "loss"];
}

/** What a small picture can be: on the projector, or large on the wall. */
function actsOf(wall, what, project) {
  const text = wall.words.wall;
  return part(
    "div",
    { class: "acts", "data-key": "acts" },
    button("line", "screen", text.put_found, () => wall.teacher.send(project)),
    iconButton("line", "full", text.larger_picture, () => wall.openTogether(what), { "data-key": "large" }),
  );
}

function picture(tiles, label, draw, kind = "") {
  const made = canvas((context, width, height) => draw(context, width, height, tiles), {
    "aria-label": label,
    class: "wide",
    "data-own": true,
  });
  made.tile = `${kind} ${tiles.map(({ at }) => at).join(" ")}`;
  return made;
}

const powers = (/** @type {number[]} */ [low, high]) =>
  Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at));
const span = (values) => [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values) + 1e-9)];
const written = (value) => value >= 1e-4 && value < 1e5 ? String(Number(value.toPrecision(1))) : value.toExponential(0);
const scale = (/** @type {number[]} */ [low, high], from, to) => (value) =>
  from + ((value - low) / (high - low || 1)) * (to - from);

function drawLosses(context, width, height, tiles) {
  const [left, right, top, bottom] = [REM * 3, width - REM * 0.7, REM * 0.6, height - REM * 1.5];
  const heights = tiles.map(({ losses }) =>
    losses.map((loss) => Math.log10(Math.min(Math.max(loss, LOWEST), HIGHEST)))
  );
  const all = heights.flat().filter(Number.isFinite);
  if (!all.length) return;
  const last = Math.max(1, ...tiles.map(({ step }) => step));
  const ends = span(all);
  const [x, y] = [scale([0, last], left, right), scale(ends, bottom, top)];
  labels(context, powers(ends).map((value) => [written(value), y(Math.log10(value))]), left, right);
  context.textAlign = "left";
  context.fillText("0", left, height - REM * 0.35);
  context.textAlign = "right";
  context.fillText(stepText(last), right, height - REM * 0.35);
  context.lineWidth = 1.6;
  tiles.forEach(({ step }, each) => {
    const isLost = heights[each].some((value) => !Number.isFinite(value));
    context.strokeStyle = colour(isLost ? "red" : "primary");
    context.globalAlpha = isLost ? 0.8 : 0.5;
    context.setLineDash(isLost ? [5, 3] : []);
    context.beginPath();
    heights[each].forEach((value, at) => {
      if (Number.isFinite(value)) context.lineTo(x(step * at / (heights[each].length - 1)), y(value));
    });
    context.stroke();
  });
  context.globalAlpha = 1;
  context.setLineDash([]);
}

/** Units against loss or accuracy: a place for each number of units. */
const drawUnits = (up) => (context, width, height, tiles) => {
  if (!tiles.length) return;
  const [left, right, top, bottom] = [REM * 3, width - REM * 0.6, REM * 0.6, height - REM * 1.5];
  const y = drawHeights(context, up, tiles, [left, right, top, bottom]);
  const units = [...new Set(tiles.map((tile) => tile.units))].sort((one, other) => one - other);
  const room = REM * 0.6;
  const x = (value) =>
    left + room + (right - left - 2 * room) * (units.length > 1 ? units.indexOf(value) / (units.length - 1) : 0.5);
  context.textAlign = "center";
  const every = Math.ceil(units.length / 9);
  units.forEach((value, at) => at % every || context.fillText(String(value), x(value), height - REM * 0.35));
  dots(context, tiles.map((tile, at) => [x(tile.units) + ((at % 3) - 1) * REM * 0.28, y(tile[up])]), REM * 0.27);
};

const drawRates = (up) => (context, width, height, tiles) => {
  if (!tiles.length) return;
  const [left, right, top, bottom] = [REM * 3, width - REM * 0.7, REM * 0.6, height - REM * 1.5];
  const y = drawHeights(context, up, tiles, [left, right, top, bottom]);
  const ends = span(tiles.map(({ rate }) => Math.log10(rate)));
  const x = scale(ends, left, right);
  context.textAlign = "center";
  for (const value of powers(ends)) context.fillText(written(value), x(Math.log10(value)), height - REM * 0.35);
  dots(context, tiles.map((tile) => [x(Math.log10(tile.rate)), y(tile[up])]), REM * 0.27);
};

/** The lines and numbers of the vertical axis; returns where a value stands. */
function drawHeights(context, up, tiles, [left, right, top, bottom]) {
  if (up === "accuracy") {
    const low = Math.min(0.4, ...tiles.map(({ accuracy }) => accuracy));
    const y = scale([low, 1], bottom, top);
    labels(context, [0.5, 0.75, 1].filter((each) => each >= low).map((each) => [percent(each), y(each)]), left, right);
    return y;
  }
  const ends = span(tiles.map(({ loss }) => Math.log10(loss)));
  const y = scale(ends, bottom, top);
  labels(context, powers(ends).map((value) => [written(value), y(Math.log10(value))]), left, right);
  return (loss) => y(Math.log10(loss));
}

function labels(context, rows, left, right) {
  context.font = `${REM * 0.74}px ${colour("type") || "Arial"}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillStyle = colour("muted");
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  const apart = rows.length > 1 ? Math.abs(rows[1][1] - rows[0][1]) : REM;
  const every = Math.max(1, Math.ceil(REM / apart));
  rows.forEach(([words, y], at) => {
    if (at % every) return;
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
    context.fillText(words, left - 6, y);
  });
}

function dots(context, places, size) {
  context.fillStyle = colour("primary");
  context.globalAlpha = 0.72;
  for (const [x, y] of places) {
    context.beginPath();
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}

// Large, from the messages that the projector gets, too.

/** The real runs of a vote over the tiles, as the projector plays them. */
function runsParts(wall) {
  const { words, teacher } = wall;
  const { vote } = teacher.state;
  const now = teacher.now();
  if (arePlaying(teacher.runs, now)) wall.again(PLAY_MS);
  const result = vote.results?.at(-1) ?? vote.result;
  const step = say(words.pictures.at_step, { step: stepText(stepOf(teacher.runs, now)) });
  return part(
    "section",
    { class: "oneb together", "aria-label": words.question.see_runs, "data-key": "together", tabindex: "-1" },
    part(
      "header",
      {},
      iconButton("line", "left", words.board.back, () => wall.openTogether(null), { "data-key": "back" }),
      part("h2", {}, plain(vote.ask.question)),
    ),
    runsSideBySide(teacher.runs, vote, result, now, words.pictures),
    part("footer", {}, part("span", { class: "num" }, step), vote.say && part("span", {}, rich(vote.say))),
  );
}

/** The picture over the tiles; `what` is "ghosts", "scatter", "leaders", or "runs" after a vote. */
export function togetherParts(what, wall) {
  if (what === "runs") return runsParts(wall);
  const { words, teacher } = wall;
  const text = words.wall;
  const { project, leaders: hasLeaders } = teacher.state;
  const axes = wall.axes ?? [project.x, project.y];
  const isShown = project.what === what;
  const name = text.together[what];
  return part(
    "section",
    { class: "oneb together", "aria-label": name, "data-key": "together", tabindex: "-1" },
    part(
      "header",
      {},
      iconButton("line", "left", words.board.back, () => wall.openTogether(null), { "data-key": "back" }),
      part("h2", {}, name),
      part("small", { class: "muted" }, text.together_note),
      part("span", { class: "gap" }),
      toggle(
        text.together_label,
        ["ghosts", "scatter", ...(hasLeaders ? ["leaders"] : [])].map((each) => [each, text.together[each]]),
        what,
        (each) => wall.openTogether(each),
      ),
    ),
    part("div", { class: "picture", "data-key": what }, large(what, axes, wall)),
    part(
      "footer",
      {},
      what === "scatter" && axisToggle(text.axis_x, ACROSS, axes[0], text, (x) => wall.chooseAxes(x, axes[1])),
      what === "scatter" && axisToggle(text.axis_y, UP, axes[1], text, (y) => wall.chooseAxes(axes[0], y)),
      part("span", { class: "gap" }),
      button("tonal", "screen", isShown ? text.take_off : text.put_found, () => {
        teacher.send({ do: "project", what: isShown ? "auto" : what, x: axes[0], y: axes[1] });
      }),
    ),
  );
}

const axisToggle = (label, names, chosen, text, act) =>
  part(
    "span",
    { class: "axis" },
    part("small", { class: "muted" }, label),
    toggle(label, names.map((name) => [name, text.axes[name]]), chosen, act),
  );

function large(what, [x, y], { words, teacher }) {
  const text = words.pictures;
  const { dots: found, curves, leaders: challenge } = teacher.found;
  const nothing = part("p", { class: "muted" }, words.wall.no_runs);
  const caption = (shown, sentence) => part("p", { class: "muted num" }, runsText(shown, text), " ", sentence);
  if (what === "ghosts") {
    if (!curves?.curves.length) return nothing;
    return [caption(curves), lossCurves(curves.curves, text)];
  }
  if (what === "leaders") {
    if (!challenge?.dots.length) return nothing;
    return [caption(challenge, goalText(challenge, text)), leaders(challenge, text)];
  }
  if (!found?.dots.length || found.x !== x || found.y !== y) return nothing;
  return [caption(found, say(text.ended, { n: standing(found).length })), scatter(found, null, text)];
}
