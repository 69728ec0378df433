// A page whose session the server has forgotten: after a restart of the server, or after minutes without a connection.

import { addressOf } from "./address.js";

const MIN_AGE_MS = 10_000; // of a page that was itself loaded again: so often at most, if a server keeps restarting

const ASK_EVERY_MS = 5_000;

let isLoading = false;
let session = ""; // of this page
let askedAt = -ASK_EVERY_MS;

/** Note the session of this page. Without a board's socket, which notices, a click or a typed value asks for it. */
export function noteSession(name) {
  if (!session) {
    for (const kind of ["click", "change"]) addEventListener(kind, askWithoutSocket, { capture: true, passive: true });
  }
  session = name;
}

async function askWithoutSocket() {
  // A board that was refused its first picture has no socket.
  if (document.querySelector("[data-board]:not(.refused)") || performance.now() - askedAt < ASK_EVERY_MS) return;
  askedAt = performance.now();
  if (await isForgotten(session)) loadAgain();
}

/** Whether the server has forgotten the session of this page; false while nobody can say. */
export async function isForgotten(session) {
  try {
    const answer = await fetch(addressOf(`session/${session}`), { cache: "no-store" });
    return answer.ok && (await answer.text()) === "gone";
  } catch {
    return false;
  }
}

/** Load the page again from its address, which has its settings. */
export function loadAgain() {
  if (isLoading) return;
  isLoading = true;
  const [visit] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  setTimeout(() => location.reload(), visit?.type === "reload" ? Math.max(0, MIN_AGE_MS - performance.now()) : 0);
}
