// What a visitor has seen, answered and predicted: kept in this browser only, to be marked on the home page, to choose
// the questions from before, and to be taken away as a file.
//
// Kept as one JSON text: {"format", "version", "lessons": {lesson: {at}}, "questions" and "predictions": {"lesson/id":
// {first, right, stage, at}}}. `first`: whether the first answer was right; `right`: the last one; `at`: the time in
// milliseconds; `stage`: right answers in a row, without those that came too early to say anything.

import { keep, kept } from "../storage.js";

export const CHANGED = "progress:changed"; // an event of the window
const KEY = "progress";
const FORMAT = "pytorch-playground-progress";
const VERSION = 1;
const MAX_CHARACTERS = 500_000; // of a file
const MAX_ENTRIES = 2_000; // of each kind
const LESSON = /^[a-z][a-z0-9_]{0,39}$/;
const QUESTION = /^[a-z][a-z0-9_]{0,39}\/[a-z0-9]+(-[a-z0-9]+)*$/;
const MAX_NAME = 90; // characters
const KINDS = { lessons: LESSON, questions: QUESTION, predictions: QUESTION };
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
// Until a question is asked again, by its stage: an answer that was wrong comes back in the next lesson.
const WAITS = [10 * MINUTE, DAY, 3 * DAY, 7 * DAY, 16 * DAY, 35 * DAY];

const empty = () => ({ lessons: new Map(), questions: new Map(), predictions: new Map() });

let lastText = "";
let last = empty(); // what the text says that was read last

/** What is kept, as maps by name; nothing where the browser keeps nothing. */
export function progress() {
  const text = kept("localStorage", KEY) ?? "";
  if (text !== lastText) last = read(text) ?? empty();
  lastText = text;
  return last;
}

let wasKept = true;

/** Whether the browser has kept what was noted last. */
export const isKept = () => wasKept;

/** Note that a lesson was opened. */
export function noteLesson(lesson) {
  change((found) => found.lessons.set(lesson, { at: Date.now() }));
}

/** Note the outcome of a question: whether its first answer was right, and its last one. */
export function noteAnswer(lesson, id, { first, right }) {
  note("questions", `${lesson}/${id}`, first, right);
}

/** Note the outcome of a prediction. A skipped one is not noted. */
export function notePrediction(lesson, id, right) {
  note("predictions", `${lesson}/${id}`, right, right);
}

function note(kind, name, first, right) {
  change((found) => {
    const before = found[kind].get(name);
    found[kind].set(name, answered(before, { first, right, at: Date.now() }));
  });
}

/** An entry after one more answer. The first answer of all stays the first; an early repetition does not count. */
export function answered(before, { first, right, at }) {
  if (!before) return { first, right, stage: right && first ? 1 : 0, at };
  if (!right || !first) return { ...before, right, stage: 0, at };
  if (at - before.at < WAITS[before.stage]) return { ...before, right };
  return { ...before, right, stage: Math.min(before.stage + 1, WAITS.length - 1), at };
}

/** Forget everything. */
export function forget() {
  write(empty());
}

/** How the lesson with these questions stands: whether it was opened, and its answers. */
export function ofLesson(lesson, ids) {
  const { lessons, questions, predictions } = progress();
  const count = (entries) => ({ answered: entries.length, first: entries.filter(({ first }) => first).length });
  return {
    seen: lessons.has(lesson),
    questions: count(ids.map((id) => questions.get(`${lesson}/${id}`)).filter(Boolean)),
    predictions: count([...predictions].filter(([name]) => name.startsWith(`${lesson}/`)).map(([, entry]) => entry)),
  };
}

/** Whether nothing is kept. */
export function isEmpty() {
  return Object.values(progress()).every((entries) => !entries.size);
}

/**
 * At most `most` questions of earlier lessons to ask again, most urgent first: [[lesson, id], ...]. `order` is the list
 * of [lesson, ids of its questions] of all lessons, and `lesson` the one that is open. First come those that are due,
 * then, of lessons that were opened, those that were never answered.
 */
export function due(order, lesson, { now = Date.now(), most = 2, known = progress() } = {}) {
  const until = order.findIndex(([name]) => name === lesson);
  const earlier = order.slice(0, Math.max(0, until)).flatMap(([name, ids]) => ids.map((id) => [name, id]));
  const entry = ([name, id]) => known.questions.get(`${name}/${id}`);
  const late = (each) => (now - entry(each).at) / WAITS[entry(each).stage];
  const again = earlier.filter((each) => entry(each) && late(each) >= 1)
    .sort((one, two) => entry(one).stage - entry(two).stage || late(two) - late(one));
  const never = earlier.filter((each) => !entry(each) && known.lessons.has(each[0]));
  return [...again, ...never].slice(0, most);
}

/** Everything as the text of a file. */
export function asText() {
  return asJson(progress(), 2);
}

/** Add what a file says to what is kept: of two entries the later one stays. False where it is no such file. */
export function readBack(text) {
  const other = read(text);
  if (!other) return false;
  change((found) => {
    for (const kind of Object.keys(KINDS)) {
      for (const [name, entry] of other[kind]) {
        if ((found[kind].get(name)?.at ?? -1) < entry.at) found[kind].set(name, entry);
      }
    }
  });
  return true;
}

function change(act) {
  const found = progress();
  act(found);
  write(found);
}

function write(found) {
  wasKept = keep("localStorage", KEY, asJson(found));
  window.dispatchEvent(new CustomEvent(CHANGED));
}

function asJson(found, indent) {
  const kinds = Object.entries(found).map(([kind, entries]) => [kind, Object.fromEntries(entries)]);
  return JSON.stringify({ format: FORMAT, version: VERSION, ...Object.fromEntries(kinds) }, null, indent);
}

/** What a text says, from anywhere; undefined where it is not such a text. Malformed entries are left out. */
function read(text) {
  if (text.length > MAX_CHARACTERS) return undefined;
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (json?.format !== FORMAT || json.version !== VERSION) return undefined;
  const found = empty();
  for (const [kind, pattern] of Object.entries(KINDS)) {
    if (typeof json[kind] !== "object" || json[kind] === null) continue;
    for (const [name, entry] of Object.entries(json[kind]).slice(0, MAX_ENTRIES)) {
      const clean = kind === "lessons" ? visitOf(entry) : answerOf(entry);
      if (name.length <= MAX_NAME && pattern.test(name) && clean) found[kind].set(name, clean);
    }
  }
  return found;
}

const isTime = (at) => Number.isSafeInteger(at) && at >= 0;

function visitOf(entry) {
  return isTime(entry?.at) ? { at: Math.min(entry.at, Date.now()) } : undefined; // a clock may have been wrong
}

function answerOf(entry) {
  const { first, right, stage } = entry ?? {};
  const isSound = typeof first === "boolean" && typeof right === "boolean" && Number.isInteger(stage) && stage in WAITS;
  const visit = visitOf(entry);
  return isSound && visit ? { first, right, stage, ...visit } : undefined;
}

addEventListener("storage", ({ key }) => {
  if (key === KEY) window.dispatchEvent(new CustomEvent(CHANGED)); // another tab of the same browser
});
