// A page that was loaded again, and whose run could not come back, has one at step 0. The board says which step the run
// before had reached.

import { keep, kept } from "../storage.js";

let isFirst = true; // this page's first board: later ones are not new because of a reload

const place = () => `left ${location.pathname}`;
const isReload = () => performance.getEntriesByType("navigation")[0]?.["type"] === "reload";

/** The step that the run of this page had reached when the page was loaded again, as text; "" if it was not. */
export function stepBeforeReload(run) {
  const left = isFirst && isReload() ? JSON.parse(kept("sessionStorage", place()) ?? "null") : null;
  isFirst = false;
  return left && left.run !== run && left.step !== "0" ? left.step : "";
}

/** Keep how far a run is when the page is left, until `signal` says that its board is gone; `step()` is its text. */
export function keepStep(run, step, signal) {
  const note = () => keep("sessionStorage", place(), JSON.stringify({ run: run(), step: step() }));
  window.addEventListener("pagehide", note, { signal });
}
