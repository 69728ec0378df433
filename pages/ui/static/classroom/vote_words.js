// What is said and shown of a vote, on each page: how far it is, its result, and what comes next.

import { icon, part, say } from "./parts.js";
import { percent } from "./wall/seat_words.js";

const COUNTED = 100; // answers below which results are counts, not percent
const LONG_OPTION = 9; // letters of an option that does not fit beside a bar
const BINS = 6; // of the numbers that a class has said
const STAGES = ["ask", "vote1", "talk", "vote2", "show", "play"];

/** The number of the vote that is on: 1 or 2. */
export const roundOf = ({ state, results }) => state.endsWith("2") || results ? 2 : 1;

/** Which of the six stages a vote is at. */
function stageOf(vote) {
  if (!vote) return 0;
  return { "open 1": 1, "closed 1": 2, "shown 1": 2, "open 2": 3, "closed 2": 4, "shown 2": 4, run: 5 }[vote.state];
}

/** The stages as a list, with what is done and what is on. */
export function stagesList(vote, words) {
  const at = stageOf(vote);
  return part(
    "ol",
    { class: "steps", "data-key": "stages", "aria-label": words.question.stages_label },
    STAGES.map((name, each) =>
      part(
        "li",
        { class: each < at ? "did" : each === at ? "now" : "", "aria-current": each === at ? "step" : undefined },
        words.question.stages[name],
      )
    ),
  );
}

/** The options of a choice with their texts: `[[key, text], …]`; [] for another question. */
export const optionsOf = ({ ask }) => ask.kind === "choice" ? ask.options : [];

export const hasLongOptions = (vote) => optionsOf(vote).some(([, text]) => plain(text).length > LONG_OPTION);

const parser = document.createElement("template");

/** A text of ours that may have inline HTML (code), as text alone. */
export function plain(html) {
  parser.innerHTML = html;
  return parser.content.textContent;
}

/** The same as nodes: our own prose, as the server sends it. */
export function rich(html) {
  parser.innerHTML = html;
  return [...parser.content.cloneNode(true).childNodes];
}

/** An answer in words: the text of an option, a number with its unit; "" for a curve. */
export function answerText(vote, answer) {
  if (answer === null || answer === undefined) return "";
  const { ask } = vote;
  if (ask.kind === "choice") return plain(optionsOf(vote).find(([key]) => key === answer)?.[1] ?? String(answer));
  if (ask.kind === "number") return numberText(answer, ask.unit);
  return "";
}

export function numberText(value, unit = "") {
  const text = String(Number(Number(value).toPrecision(4))).replace("-", "−");
  return unit ? `${text} ${unit}` : text;
}

/** Counts up to 100 answers, then percent. */
export const shareText = (count, of) => of < COUNTED ? String(count) : percent(count / of);

/** Bars of a result: counts of a choice, or of a number's ranges: `[{text, count, isTrue}]`. */
export function barsOf(vote, result) {
  const { ask } = vote;
  if (ask.kind === "choice") {
    return ask.options.map(([key, text]) => ({
      key,
      text: plain(text),
      count: result.sums?.[key] ?? 0,
      isTrue: vote.truth !== undefined && vote.truth === key,
    }));
  }
  if (ask.kind === "number") return binned(result.values ?? [], ask, vote.truth);
  return [];
}

function binned(values, { lo, hi, unit }, truth) {
  if (!values.length) return [];
  const [low, high] = [Math.max(lo, Math.min(...values)), Math.min(hi, Math.max(...values))];
  const count = Math.min(BINS, Math.max(1, new Set(values).size));
  const width = (high - low) / count || 1;
  return Array.from({ length: count }, (_, at) => {
    const [from, to] = [low + at * width, low + (at + 1) * width];
    const isLast = at === count - 1;
    const within = (value) => value >= from && (value < to || (isLast && value <= to));
    const short = (value) => Number(value.toPrecision(2));
    const text = high === low ? numberText(low, unit) : `${numberText(short(from))} – ${numberText(short(to), unit)}`;
    return { key: String(at), text, count: values.filter(within).length, isTrue: truth !== undefined && within(truth) };
  });
}

/** A result as small bars, for the wall and the phone. */
export function smallBars(vote, result) {
  const bars = barsOf(vote, result);
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const isLong = bars.some(({ text }) => text.length > LONG_OPTION);
  return part(
    "div",
    { class: `qbars ${isLong ? "long" : ""}`, "data-key": "bars" },
    bars.map(({ text, count, isTrue }) =>
      part(
        "div",
        { class: "qb" },
        part("b", {}, text, isTrue && icon("check")),
        part("i", {}, part("i", { style: `width: ${(100 * count) / most}%` })),
        part("b", {}, shareText(count, result.n)),
      )
    ),
  );
}

/** One sentence on the state of a vote. */
export const stateSentence = (vote, words) => say(words.question.states[vote.state], { n: vote.answered, of: vote.of });

/**
 * What a teacher may do with a vote now: the one next act, and the quieter ones, each [command, words, icon].
 */
export function actsOf(vote, words) {
  const text = words.question.acts;
  const n = roundOf(vote);
  const acts = {
    "open 1": [["close", say(text.close, { round: n })]],
    "closed 1": [["open 2", text.open_2], ["show", say(text.show, { round: n }), "screen"], [
      "reopen",
      text.reopen,
      "undo",
    ]],
    "shown 1": [["play", text.play, "play"], ["open 2", text.open_2], ["hide", text.hide, "undo"]],
    "open 2": [["close", say(text.close, { round: n })]],
    "closed 2": [["show", text.show_both, "screen"], ["reopen", text.reopen, "undo"]],
    "shown 2": [["play", text.play, "play"], ["hide", text.hide, "undo"]],
    run: [["next", text.next, "right"], ...(vote.truth === undefined ? [["reveal", text.reveal, "eye"]] : [])],
  };
  return acts[vote.state] ?? [];
}
