// A page whose session the server has forgotten: after a restart of the server, or after minutes without a connection.

import { addressOf } from "../address.js";
import { keep, kept } from "../storage.js";

const MIN_AGE_MS = 10_000; // of a page that was itself loaded again: so often at most, if a server keeps restarting

const ASK_EVERY_MS = 5_000;

const KEPT = "session"; // in the tab's storage
const NAME = /^[0-9a-f]{16}$/;
const STREAMLITS = "/_stcore/stream";

let isLoading = false;
let session = ""; // of this page
let askedAt = -ASK_EVERY_MS;

/** Note the session of this page. Without a board's socket, which notices, a click or a typed value asks for it. */
export function noteSession(name) {
  if (!session) {
    for (const kind of ["click", "change"]) addEventListener(kind, askWithoutSocket, { capture: true, passive: true });
  }
  session = name;
  keep("sessionStorage", KEPT, name);
}

/** The session that this page had before it was loaded again; null for one that was opened in another way. */
function sessionBefore() {
  const [visit] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  const before = kept("sessionStorage", KEPT) ?? "";
  return NAME.test(before) && ["reload", "back_forward"].includes(visit?.type) ? before : null;
}

export const comesBack = sessionBefore() !== null;

/** Have Streamlit's first socket name the session before; the server has its runs, its points and its tables. */
export function comeBack() {
  const before = sessionBefore();
  if (before === null) return;
  const Socket = window.WebSocket;
  const OneSocket = class extends Socket {
    constructor(url, protocols) {
      const isStreamlits = String(url).includes(STREAMLITS);
      super(url, isStreamlits && protocols?.length === 2 ? [...protocols, before] : protocols);
      if (isStreamlits && window.WebSocket === OneSocket) window.WebSocket = Socket;
    }
  };
  window.WebSocket = OneSocket;
}

async function askWithoutSocket() {
  // A board that was refused its first picture has no socket.
  if (document.querySelector("[data-board]:not(.refused)") || performance.now() - askedAt < ASK_EVERY_MS) return;
  askedAt = performance.now();
  if (await isForgotten(session)) loadAgain();
}

/** What the server says of the session of this page: "known" or "gone", or "" while nobody can say. */
export async function askSession(session) {
  try {
    const answer = await fetch(addressOf(`session/${session}`), { cache: "no-store" });
    return answer.ok ? await answer.text() : "";
  } catch {
    return "";
  }
}

/** Whether the server has forgotten the session of this page; false while nobody can say. */
export const isForgotten = async (session) => (await askSession(session)) === "gone";

/** Load the page again from its address, which has its settings. */
export function loadAgain() {
  if (isLoading) return;
  isLoading = true;
  const [visit] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  setTimeout(() => location.reload(), visit?.type === "reload" ? Math.max(0, MIN_AGE_MS - performance.now()) : 0);
}
