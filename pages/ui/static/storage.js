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
