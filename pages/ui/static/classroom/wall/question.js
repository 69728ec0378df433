// The second box beside the tiles: the question that is asked, or else what the class has found, or where it is.

import { button, icon, part, say } from "../parts.js";
import { rich, roundOf, smallBars, stagesList } from "../vote_words.js";
import { nameOf } from "./seat_words.js";
import { foundParts, lossesParts } from "./together.js";

const NAMED = 4; // of those who have not answered

/** The box for the state of the class. */
export function questionParts(people, wall) {
  const { state } = wall.teacher;
  if (state.vote) return ofVote(state.vote, people, wall);
  if (state.free) return whereTheyAre(people, wall);
  return foundParts(people, wall);
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
  const missing = people.filter((each) => each.here && !each.answered);
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
    vote.state === "run" && vote.say && part("p", { class: "t" }, rich(vote.say)),
    vote.state === "run" && teacher.runs?.vote === vote.id &&
      button("line", "full", text.see_runs, () => wall.openTogether("runs"), { "data-key": "large" }),
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
    vote.state !== "run" && stagesList(vote, words),
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
  const { words, titles } = wall;
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
    ...lossesParts(people, wall),
  );
}
