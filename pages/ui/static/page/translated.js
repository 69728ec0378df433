// Keeps the page alive when the browser translates it. A translator takes a text node out of its element and puts a
// <font> with other words in its place; React (Streamlit's front end) still holds the text node, and raises
// NotFoundError when it removes it, inserts something before it or, worse, changes words that nobody sees.

const MARK_MS = 300; // new elements are looked through this often at most
const fonts = new WeakMap(); // the <font> in the place of each text node

/** The child, or what a translator has put in its place under the parent. */
function inPlaceOf(child, parent) {
  if (!child || child.parentNode === parent) return child;
  let found = fonts.get(child) ?? child;
  while (found && found.parentNode !== parent) found = found.parentNode;
  return found;
}

/** Node.removeChild and Node.insertBefore that take a text node for the <font> in its place. */
function forgive() {
  const { removeChild, insertBefore } = Node.prototype;
  Node.prototype.removeChild = function (child) {
    if (!child || child.parentNode === this) return removeChild.call(this, child);
    const shown = child.nodeType === Node.TEXT_NODE ? inPlaceOf(child, this) : child;
    if (shown?.parentNode === this) removeChild.call(this, shown);
    else if (child.nodeType !== Node.TEXT_NODE) return removeChild.call(this, child); // an error of another kind
    return child;
  };
  Node.prototype.insertBefore = function (node, before) {
    if (!before || before.parentNode === this || before.nodeType !== Node.TEXT_NODE) {
      return insertBefore.call(this, node, before);
    }
    const shown = inPlaceOf(before, this);
    return insertBefore.call(this, node, shown?.parentNode === this ? shown : null);
  };
}

/** Note which <font> has taken the place of which text node, and bring back a text node whose words change. */
function watch() {
  const changed = new MutationObserver((records) => {
    for (const { target } of records) {
      const font = fonts.get(target);
      if (!font?.parentNode || !(target instanceof Text)) continue;
      font.replaceWith(target); // in the page's own language until it is translated again
      fonts.delete(target);
    }
  });
  const replaced = new MutationObserver((records) => {
    for (const { addedNodes, removedNodes, previousSibling, nextSibling } of records) {
      if (removedNodes.length !== 1 || removedNodes[0].nodeType !== Node.TEXT_NODE) continue;
      const font = [...addedNodes, previousSibling, nextSibling].find((node) => node?.nodeName === "FONT");
      if (!font) continue;
      fonts.set(removedNodes[0], font);
      changed.observe(removedNodes[0], { characterData: true });
    }
    if (records.some(({ target }) => !(target instanceof Element && target.closest("[data-board]")))) markSoon();
  });
  replaced.observe(document.documentElement, { childList: true, subtree: true }); // there is no body yet
}

// Of Streamlit's elements, those whose words are numbers or code: a translator must leave them alone.
const NO_WORDS = ["code", "[data-testid=stCode]", "[data-testid=stSlider] [data-orientation]"]
  .map((each) => `${each}:not([translate])`).join();

let timer;

function markSoon() {
  timer ??= setTimeout(() => {
    timer = undefined;
    markNumbersAndCode();
  }, MARK_MS);
}

/** Mark Streamlit's numbers and code as not to be translated, also those that come later. */
export function markNumbersAndCode() {
  for (const node of document.querySelectorAll(NO_WORDS)) node.setAttribute("translate", "no");
}

if (!window.__forgives_translators) {
  window.__forgives_translators = true;
  forgive();
  watch();
}
