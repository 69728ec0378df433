// What the browser keeps for the board: in its storage, or for the page's life only where that is blocked or full.

const here = new Map(); // what the storage did not take
const storage = (area) => (area === "localStorage" ? localStorage : sessionStorage);

/**
 * The text kept under a key, or null. `area` is "localStorage" (this browser) or "sessionStorage" (this tab).
 * Naming `localStorage` throws where the visitor or a school's policy blocks site data.
 */
export function kept(area, key) {
  const place = `${area} ${key}`;
  if (here.has(place)) return here.get(place);
  try {
    return storage(area).getItem(key);
  } catch {
    return null;
  }
}

/** Keep a text under a key; false where it will be forgotten when the page is closed or reloaded. */
export function keep(area, key, text) {
  const place = `${area} ${key}`;
  try {
    storage(area).setItem(key, text);
    here.delete(place);
    return true;
  } catch {
    here.set(place, text);
    return false;
  }
}

/** Keep nothing under a key. */
export function forget(area, key) {
  here.delete(`${area} ${key}`);
  try {
    storage(area).removeItem(key);
  } catch {
    // there is nothing
  }
}

/** The keys under which something is kept. */
export function keysOf(area) {
  const found = new Set(
    [...here.keys()].filter((place) => place.startsWith(`${area} `)).map((place) => place.slice(area.length + 1)),
  );
  try {
    for (const key of Object.keys(storage(area))) found.add(key);
  } catch {
    // there is nothing
  }
  return [...found];
}

const OF_A_CLASS = /^class (?:teacher |keep )?[B-Z]{6}$/; // a seat, a teacher's token, a class's state
const MAX_CLASS_HOURS = 24; // as the server's setting PLAYGROUND_CLASS_HOURS

/** Forget classes that must be over, also where this browser was closed at their end. */
export function forgetOldClasses() {
  for (const key of keysOf("localStorage")) {
    if (OF_A_CLASS.test(key) && Date.now() / 1000 - beginOf(key) > MAX_CLASS_HOURS * 3600) forget("localStorage", key);
  }
}

/** When a class was started, in seconds: its token says so; 0 for what cannot be read. */
function beginOf(key) {
  try {
    const { began, token } = JSON.parse(kept("localStorage", key));
    return began ?? parseInt(token.split(".")[3], 16);
  } catch {
    return 0;
  }
}
