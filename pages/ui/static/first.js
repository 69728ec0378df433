// The first picture: while Streamlit's front end is still loading, the page's board is built where it will stand, and
// shows step 0. Streamlit's component then takes it over (board.js), so that nothing is drawn twice.

import { openEarly } from "./board.js";
import { loadPlotly } from "./chart/plotly.js";
import "./page/page.js";
import { comesBack } from "./page/session.js";
import { isDarkTheme } from "./theme.js";

const MAX_WAIT_MS = 20_000; // then the page has come without a board, or not at all

async function showFirst() {
  const [picture, plotly] = [linkTo("first"), linkTo("plotly")];
  if (!picture || !plotly || comesBack) return; // a page that was loaded again has a run that is further on
  const answer = await fetch(picture);
  if (answer.status !== 200) return;
  const bytes = await answer.arrayBuffer();
  await Promise.all([loadPlotly(plotly), styled()]); // then everything is drawn at once
  const size = new DataView(bytes).getUint32(0, true);
  const data = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, size)));
  const place = document.createElement("div");
  place.className = `first-board ${isDarkTheme() ? "dark" : "light"} ${data.tabs ? "tabs" : ""}`;
  place.inert = true; // until the page is there
  document.documentElement.append(place); // there may be no body yet
  const close = openEarly(place, data, bytes.slice(4 + size), pressedLater());
  const { pathname } = location;
  setTimeout(close, MAX_WAIT_MS);
  addEventListener("popstate", () => location.pathname !== pathname && close());
}

/** The address that the page's head asks for under this name. */
function linkTo(name) {
  const link = document.querySelector(`link[data-${name}]`);
  return link instanceof HTMLLinkElement ? link.href : undefined;
}

/** A promise of our style sheet, which comes after this script. */
function styled() {
  const link = document.querySelector("link[data-styles]");
  if (!(link instanceof HTMLLinkElement) || link.sheet) return undefined;
  return new Promise((resolve) => link.addEventListener("load", resolve));
}

/** Remember the visitor's last click; a function that presses the button that is there. */
function pressedLater() {
  let place;
  const remember = ({ clientX, clientY }) => (place = [clientX, clientY]);
  addEventListener("click", remember, true);
  return () => {
    removeEventListener("click", remember, true);
    const found = place && document.elementFromPoint(place[0], place[1])?.closest("[data-board] button");
    if (found instanceof HTMLElement) found.click();
  };
}

showFirst().catch(() => {}); // the page comes by itself
