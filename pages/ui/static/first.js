// The first picture: while Streamlit's front end is still loading, the page's board is built where it will stand, and
// shows step 0. Streamlit's component then takes it over (board.js), so that nothing is drawn twice.

import { openEarly } from "./board.js";
import "./page.js";
import { isDarkTheme } from "./theme.js";

const MAX_WAIT_MS = 20_000; // then the page has come without a board, or not at all

async function showFirst() {
  const link = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[data-first]"));
  if (!link) return;
  const answer = await fetch(link.href);
  if (answer.status !== 200) return;
  const bytes = await answer.arrayBuffer();
  const size = new DataView(bytes).getUint32(0, true);
  const data = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, size)));
  const place = document.createElement("div");
  place.className = `first-board ${isDarkTheme() ? "dark" : "light"} ${data.tabs ? "tabs" : ""}`;
  place.inert = true; // until the page is there
  document.body.append(place);
  const close = openEarly(place, data, bytes.slice(4 + size));
  const { pathname } = location;
  setTimeout(close, MAX_WAIT_MS);
  addEventListener("popstate", () => location.pathname !== pathname && close());
}

showFirst();
