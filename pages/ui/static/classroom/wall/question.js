// The second box beside the tiles: the question that is asked, or else what the class has found, or where it is.

import { button, canvas, colour, icon, part, say } from "../parts.js";
import { roundOf, smallBars, stagesList } from "../vote_words.js";
import { nameOf, percent } from "./seat_words.js";

const NAMED = 4; // of those who have not answered
const REM = 16;

/** The box for the state of the class. */
export function questionParts(people, wall) {
  const { state } = wall.teacher;
  if (state.vote) return ofVote(state.vote, people, wall);
  if (state.free) return whereTheyAre(people, wall);
  return whatTheyFound(people, wall);
}

/** The counter and, where it may be seen, the result. */
function ofVote(vote, people, wall) {
  const { words, teacher } = wall;
  const text = words.question;
  const count = teacher.count ?? vote;
  const answered = vote.state.startsWith("open") ? Math.max(count.answered ?? 0, 0) : vote.answered;
  const of = count.of ?? vote.of;
  const result = vote.state === "shown 2" || (vote.state === "run" && vote.results)
    ? vote.results?.[1] ?? vote.result
    : vote.result;
  const peeked = teacher.peeked?.vote === vote.id ? teacher.peeked.result : null;
  const isShown = Boolean(vote.result ?? vote.results);
  const missing = (vote.missing ?? []).map((seat) => people.find((each) => each.seat === seat)).filter(Boolean);
  return part(
    "section",
    { class: "box qbox", "aria-label": text.label, "data-key": "question" },
    part(
      "h2",
      {},
      say(isShown ? text.shown : text.vote, { round: roundOf(vote) }),
      part("span", { class: "num" }, say(text.counted, { n: answered, of })),
    ),
    part(
      "div",
      { class: "prog", role: "img", "aria-label": say(text.have_answered, { n: answered, of }) },
      part("i", { style: `width: ${of ? (100 * answered) / of : 0}%` }),
    ),
    isShown && result && smallBars(vote, result),
    isShown && vote.changed !== undefined && vote.state !== "shown 1" &&
      part("small", { class: "muted" }, say(text.changed, { n: vote.changed })),
    vote.state === "run" && vote.say && part("p", { class: "t" }, vote.say),
    !isShown && vote.state !== "run" && peekParts(vote, peeked, wall),
    vote.until &&
      part("small", { class: "muted num" }, say(text.closes_in, { left: clockText(vote.until - teacher.now()) })),
    missing.length > 0 && vote.state.startsWith("open") && part(
      "small",
      { class: "muted" },
      text.missing,
      part("span", {}, missing.slice(0, NAMED).map((each) => nameOf(each, words, wall.anonymous)).join(", ")),
      missing.length > NAMED && say(text.and_more, { n: missing.length - NAMED }),
    ),
    stagesList(vote, words),
  );
}

/** Seconds as "1:40". */
export function clockText(seconds) {
  const left = Math.max(0, Math.round(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

/** A button that shows the sums while it is held. */
export function peekButton(teacher, words, look = "line", small = "") {
  const on = () => teacher.peek(true);
  const off = () => teacher.peek(false);
  const isKey = ({ key }) => key === " " || key === "Enter";
  return part(
    "button",
    {
      type: "button",
      class: `btn ${look} peek`,
      "data-key": "peek",
      "aria-pressed": String(Boolean(teacher.peeking)),
      onpointerdown: on,
      onpointerup: off,
      onpointerleave: off,
      onpointercancel: off,
      onblur: off,
      onkeydown: (event) => {
        if (!isKey(event)) return;
        event.preventDefault();
        if (!event.repeat) on();
      },
      onkeyup: (event) => isKey(event) && off(),
    },
    icon("eye"),
    part("span", { class: "word" }, words.question.peek, small && part("small", {}, small)),
  );
}

function peekParts(vote, peeked, { teacher, words }) {
  return part(
    "div",
    { class: "peeking", "data-key": "peeking" },
    peekButton(teacher, words),
    peeked ? smallBars(vote, peeked) : part("small", { class: "muted", "data-key": "note" }, words.question.peek_note),
  );
}

/** How many are where. */
function whereTheyAre(people, wall) {
  const { words, teacher, titles } = wall;
  const text = words.wall;
  const places = new Map();
  for (const { here, page } of people) if (here) places.set(page ?? "", (places.get(page ?? "") ?? 0) + 1);
  const rows = [...places].sort(([, one], [, other]) => other - one);
  const most = Math.max(1, ...rows.map(([, count]) => count));
  return part(
    "section",
    { class: "box qbox", "aria-label": text.where, "data-key": "where" },
    part("h2", {}, text.where),
    part(
      "div",
      { class: "qbars where" },
      rows.slice(0, 6).map(([page, count]) =>
        part(
          "div",
          { class: "qb" },
          part("span", {}, titles.get(page) ?? (page ? page : text.home)),
          part("i", {}, part("i", { style: `width: ${(100 * count) / most}%` })),
          part("b", {}, String(count)),
        )
      ),
    ),
    part("h2", {}, text.losses, part("span", {}, text.losses_note)),
    lossPicture(people, text.losses_alt),
    button("line", "screen", text.put_losses, () => teacher.send({ do: "project", what: "ghosts" })),
  );
}

/** The losses that each tile has sent, one pale line each. */
function lossPicture(people, label) {
  const picture = canvas((context, width, height) => {
    context.fillStyle = colour("bg");
    context.fillRect(0, 0, width, height);
    context.strokeStyle = colour("primary");
    context.globalAlpha = 0.5;
    context.lineWidth = 1.6;
    for (const { tile } of people) {
      const values = (tile?.losses ?? []).filter((loss) => loss > 0);
      if (values.length < 2) continue;
      context.beginPath();
      values.forEach((loss, at) => {
        const x = 10 + ((width - 20) * at) / (values.length - 1);
        const share = Math.min(1, Math.max(0, (Math.log10(loss) + 3) / 4));
        const y = height - 10 - (height - 20) * share;
        if (at) context.lineTo(x, y);
        else context.moveTo(x, y);
      });
      context.stroke();
    }
    context.globalAlpha = 1;
  }, { "aria-label": label, class: "wide", "data-own": true });
  picture.tile = people.reduce((sum, { tile }) => sum + (tile?.at ?? 0), 0);
  return picture;
}

/** One dot for each board: units against test accuracy, or learning rate against loss where there are no units. */
function whatTheyFound(people, wall) {
  const { words, teacher } = wall;
  const text = words.wall;
  const tiles = people.map(({ tile }) => tile).filter(Boolean);
  const byUnits = tiles.filter((tile) => tile.units > 0 && Number.isFinite(tile.accuracy));
  const byRate = tiles.filter((tile) => tile.rate > 0 && tile.loss > 0);
  const isUnits = byUnits.length >= byRate.length / 2 && byUnits.length > 0;
  const picture = canvas(
    (context, width, height) =>
      (isUnits ? unitsPicture : ratePicture)(context, width, height, isUnits ? byUnits : byRate),
    { "aria-label": isUnits ? text.units_alt : text.rate_alt, class: "wide", "data-own": true },
  );
  picture.tile = tiles.reduce((sum, { at }) => sum + at, 0) + (isUnits ? 0.5 : 0);
  return part(
    "section",
    { class: "box qbox", "aria-label": text.found, "data-key": "found" },
    part("h2", {}, text.found, part("span", {}, isUnits ? text.units_note : text.rate_note)),
    picture,
    button(
      "line",
      "screen",
      text.put_found,
      () =>
        teacher.send({
          do: "project",
          what: "scatter",
          x: isUnits ? "units" : "rate",
          y: isUnits ? "accuracy" : "loss",
        }),
    ),
  );
}

function unitsPicture(context, width, height, tiles) {
  const rem = REM;
  const [left, right, top, bottom] = [rem * 2.6, width - rem * 0.6, rem * 0.6, height - rem * 1.5];
  const low = Math.min(0.4, ...tiles.map(({ accuracy }) => accuracy));
  const y = (share) => bottom + ((share - low) / (1 - low)) * (top - bottom);
  const units = [...new Set(tiles.map((tile) => tile.units))].sort((one, other) => one - other);
  const x = (value) =>
    left + rem * 0.6 +
    (right - left - rem * 1.2) * (units.length > 1 ? units.indexOf(value) / (units.length - 1) : 0.5);
  labels(
    context,
    [0.5, 0.75, 1].filter((share) => share >= low).map((share) => [percent(share), y(share)]),
    left,
    right,
  );
  context.textAlign = "center";
  const every = Math.ceil(units.length / 9);
  units.forEach((value, at) => at % every || context.fillText(String(value), x(value), height - rem * 0.35));
  dots(context, tiles.map((tile, at) => [x(tile.units) + ((at % 3) - 1) * rem * 0.28, y(tile.accuracy)]), rem * 0.27);
}

function ratePicture(context, width, height, tiles) {
  const rem = REM;
  if (!tiles.length) return;
  const [left, right, top, bottom] = [rem * 3, width - rem * 0.7, rem * 0.6, height - rem * 1.5];
  const span = (values) => [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values) + 1e-9)];
  const rates = span(tiles.map(({ rate }) => Math.log10(rate)));
  const losses = span(tiles.map(({ loss }) => Math.log10(loss)));
  const scale = (/** @type {number[]} */ [low, high], from, to) => (value) =>
    from + ((Math.log10(value) - low) / (high - low || 1)) * (to - from);
  const [x, y] = [scale(rates, left, right), scale(losses, bottom, top)];
  const powers = (/** @type {number[]} */ [low, high]) =>
    Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at));
  const written = (value) =>
    value >= 1e-4 && value < 1e5 ? String(Number(value.toPrecision(1))) : value.toExponential(0);
  labels(context, powers(losses).map((value) => [written(value), y(value)]), left, right);
  context.textAlign = "center";
  for (const value of powers(rates)) context.fillText(written(value), x(value), height - rem * 0.35);
  dots(context, tiles.map((tile) => [x(tile.rate), y(tile.loss)]), rem * 0.27);
}

function labels(context, rows, left, right) {
  context.font = `${REM * 0.74}px ${colour("type") || "Arial"}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillStyle = colour("muted");
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  for (const [words, y] of rows) {
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
    context.fillText(words, left - 6, y);
  }
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
