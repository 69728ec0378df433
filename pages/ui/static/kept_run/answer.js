// What this tab keeps of the question before an experiment: the answer that was given. A server that was started again
// has forgotten it; where the run comes back, the answer is given again.

import { forget, keep, kept } from "../storage.js";
import { wasLoadedAgain } from "./store.js";

const TAB = "sessionStorage";
const KEY = "answered";

if (!wasLoadedAgain) forgetAnswer(); // as of the runs

/** Keep what was said to the question of an experiment: {answer} or {skip}, later with {why}. */
export function keepAnswer(experiment, said) {
  const before = "why" in said ? keptAnswer(experiment) : {};
  keep(TAB, KEY, JSON.stringify({ ...before, ...said, experiment }));
}

/** What was said to the question of an experiment; null for nothing. */
export function keptAnswer(experiment) {
  try {
    const { experiment: of, ...said } = JSON.parse(kept(TAB, KEY) ?? "{}");
    return of === experiment ? said : null;
  } catch {
    return null;
  }
}

/** Forget the answer: its question is asked again. */
export function forgetAnswer() {
  forget(TAB, KEY);
}
