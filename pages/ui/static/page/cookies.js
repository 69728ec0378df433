// Notes whether the browser keeps the cookie without which Streamlit takes no file: in a frame it may not.

const COOKIE = "_streamlit_xsrf=";

function isKept() {
  try {
    return document.cookie.includes(COOKIE);
  } catch {
    return false; // a sandboxed frame
  }
}

/** A field for a file comes after a click, or a key that counts as one. */
const note = () => (document.documentElement.dataset.cookies = isKept() ? "kept" : "none");
addEventListener("click", note, { capture: true, passive: true });
