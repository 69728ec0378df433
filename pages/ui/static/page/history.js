// The browser's history: a turned knob changes the address of the current entry. Another page, another lab and an
// experiment are new entries, which Back undoes.
//
// Streamlit adds an entry for each address that the page's script writes, so that leaving a page took as many clicks on
// Back as knobs had been turned. It asks `window.history` for it, which is where it can be decided otherwise.

const CHOICES = '[data-try], [class*="_lab"]'; // of a whole setup: the next address is a new entry

/** Whether an address leads to the page that is open. */
function isThisPage(url) {
  const { origin, pathname } = new URL(url ?? "", location.href);
  return origin === location.origin && pathname === location.pathname;
}

function decideEntries() {
  const add = window.history.pushState;
  let isChoice = false;
  for (const type of ["pointerdown", "keydown"]) window.addEventListener(type, () => (isChoice = false), true);
  window.addEventListener("click", ({ target }) => {
    isChoice = target instanceof Element && target.closest(CHOICES) !== null;
  }, true);
  window.history.pushState = (state, unused, url) => {
    if (isChoice || !isThisPage(url)) add.call(window.history, state, unused, url);
    else window.history.replaceState(state, unused, url);
    isChoice = false;
  };
}

if (!window.__entries_decided) {
  window.__entries_decided = true;
  decideEntries();
}
