// What the address of a class's page says: its code in the query, tokens and a plan in the fragment.

import { addressOf } from "../../address.js";

const LETTERS = "BCDFGHJKLMNPQRSTVWXZ"; // no vowel makes a word; no O and 0, no I and 1
export const CODE_LENGTH = 6;

/** The letters of a code in a text, in upper case, at most six. */
export function lettersOf(text) {
  return [...text.toUpperCase()].filter((letter) => LETTERS.includes(letter)).slice(0, CODE_LENGTH).join("");
}

/** The code in the address, or "". */
export function codeInAddress() {
  const found = lettersOf(new URLSearchParams(location.search).get("class") ?? "");
  return found.length === CODE_LENGTH ? found : "";
}

/** A new code, drawn by this browser. */
export function drawCode() {
  const letters = [];
  while (letters.length < CODE_LENGTH) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < 240) letters.push(LETTERS[byte % LETTERS.length]); // 240: each letter as often
  }
  return letters.join("");
}

/** The parts of the fragment: {t, p, k, s, plan}. */
export const fragment = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

/** Write the page's own address, without an entry in the history. */
export function setAddress(path, query = {}, hidden = {}) {
  const url = addressOf(path);
  url.search = new URLSearchParams(query).toString();
  url.hash = new URLSearchParams(hidden).toString();
  history.replaceState(null, "", url);
}

/** The address of one of our pages, with what only its fragment may hold. */
export function pageAddress(path, code, hidden = {}) {
  const url = addressOf(path);
  if (code) url.searchParams.set("class", code);
  url.hash = new URLSearchParams(hidden).toString();
  return url.href;
}

/** A plan as text for a fragment, and back; null for one that cannot be read. */
export const planAsText = (steps) =>
  JSON.stringify(steps.map(({ page, query, experiment, title, ask }) => [page, query, experiment, title, ask ? 1 : 0]));

const MAX_STEPS = 40;
const MAX_TITLE = 80;

export function planFromText(text) {
  try {
    const rows = JSON.parse(text);
    if (!Array.isArray(rows) || !rows.length || rows.length > MAX_STEPS) return null;
    return rows.map(([page, query, experiment, title, ask]) => ({
      page: String(page),
      query: String(query ?? ""),
      experiment: experiment === null || experiment === undefined ? null : String(experiment),
      title: String(title).slice(0, MAX_TITLE),
      ask: Boolean(ask),
    }));
  } catch {
    return null;
  }
}
