// What this tab keeps of its runs, one for each bench, so that they can come back from here: a head (a text), and
// where there is one a state, which is bytes. Small states are kept as text, large ones in the browser's database.

import { forget, keep, kept } from "../storage.js";

const MAX_RUNS = 7; // as a session keeps on the server
const MAX_AS_TEXT = 200_000; // bytes of a state
const DATABASE = "playground";
const STATES = "states";
const MAX_AGE_MS = 24 * 3600 * 1000; // of a state in the database, which stays when its tab is closed
const TAB = "sessionStorage";
const LIST = "kept runs";

const here = new Map(); // the last state of each bench, with its digest
const [visit] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
export const wasLoadedAgain = ["reload", "back_forward"].includes(visit?.type);

const names = () => readList(kept(TAB, LIST));
const head = (bench) => `kept ${bench}`;
const state = (bench) => `state ${bench}`;

if (!wasLoadedAgain) names().forEach(forgetRun); // a page that is opened in another way begins with nothing

/** Keep a run: {run, text, seen}, and the bytes of its state where that is new. */
export function keepRun(bench, record, bytes) {
  const list = [...names().filter((name) => name !== bench), bench];
  for (const name of list.splice(0, Math.max(0, list.length - MAX_RUNS))) forgetRun(name);
  keep(TAB, LIST, JSON.stringify(list));
  if (bytes) keepState(bench, record.text, bytes);
  keep(TAB, head(bench), JSON.stringify(record));
}

/** What is kept of the run of a bench, {run, text, seen}; null if there is none. */
export function keptRun(bench) {
  try {
    const found = JSON.parse(kept(TAB, head(bench)) ?? "null");
    const isRecord = typeof found?.run === "string" && typeof found.text === "string" && Number.isInteger(found.seen);
    return isRecord ? found : null;
  } catch {
    return null;
  }
}

/** A promise of the bytes of the state that belongs to a text; empty where they are not kept, or not needed. */
export async function stateOf(bench, text) {
  const digest = digestIn(text);
  if (!digest) return new Uint8Array();
  const own = here.get(bench);
  if (own?.digest === digest) return own.bytes;
  const [digestKept, base64] = (kept(TAB, state(bench)) ?? "").split(" ");
  if (digestKept === digest && base64) return fromText(base64);
  const found = await inDatabase("readonly", (store) => store.get(digest)).catch(() => null);
  return found?.bytes instanceof ArrayBuffer ? new Uint8Array(found.bytes) : new Uint8Array();
}

/** Keep nothing of the run of a bench. */
export function forgetRun(bench) {
  const record = keptRun(bench);
  const digest = record && digestIn(record.text);
  if (digest) dropFromDatabase(digest);
  here.delete(bench);
  forget(TAB, head(bench));
  forget(TAB, state(bench));
}

/** Whether the browser keeps what it is given when the page is loaded again. */
export const stores = () => keep(TAB, "stores", "yes");

function keepState(bench, text, bytes) {
  const digest = digestIn(text);
  const before = here.get(bench)?.digest;
  if (before && before !== digest) dropFromDatabase(before);
  here.set(bench, { digest, bytes });
  if (bytes.length <= MAX_AS_TEXT) {
    keep(TAB, state(bench), `${digest} ${asText(bytes)}`);
    return;
  }
  forget(TAB, state(bench));
  const value = { at: Date.now(), bytes: bytes.slice().buffer };
  inDatabase("readwrite", (store) => store.put(value, digest)).then(dropOld).catch(() => {}); // or for the page's life
}

function digestIn(text) {
  try {
    const digest = JSON.parse(text).state?.digest;
    return typeof digest === "string" ? digest : "";
  } catch {
    return "";
  }
}

function readList(text) {
  try {
    const list = JSON.parse(text ?? "[]");
    return Array.isArray(list) ? list.filter((name) => typeof name === "string").slice(-MAX_RUNS) : [];
  } catch {
    return [];
  }
}

function asText(bytes) {
  let letters = "";
  for (let at = 0; at < bytes.length; at += 8192) letters += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(letters);
}

function fromText(base64) {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

// The browser's database.

function dropFromDatabase(digest) {
  inDatabase("readwrite", (store) => store.delete(digest)).catch(() => {});
}

/** States of tabs that were closed. */
function dropOld() {
  const oldest = Date.now() - MAX_AGE_MS;
  return inDatabase("readwrite", (store) => {
    const looking = store.openCursor();
    looking.onsuccess = () => {
      const cursor = looking.result;
      if (!cursor) return;
      if (!(cursor.value?.at > oldest)) cursor.delete();
      cursor.continue();
    };
    return looking;
  });
}

/** A promise of what a request to the store of states gives, when its transaction is done. */
function inDatabase(mode, request) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STATES);
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error("blocked"));
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STATES, mode);
      const asked = request(transaction.objectStore(STATES));
      transaction.oncomplete = () => {
        database.close();
        resolve(asked.result);
      };
      transaction.onabort = transaction.onerror = () => {
        database.close();
        reject(transaction.error);
      };
    };
  });
}
