// Says what is wrong where websockets do not pass: without its own, Streamlit's page stays grey and silent.

import { addressOf, socketOf } from "./address.js";

const FIRST_LOOK_MS = 2_500; // after the page's start; a page that is connected by then has nothing to say
const LOOK_MS = 1_000;
const PROBE_MS = 1_500; // for a socket to open
const ANSWER_MS = 2_000; // for the server to answer by http
const AFTER_MS = 200; // a busy server has opened the socket by then: it takes requests in their order
const SLOW_MS = 15_000; // our sockets pass, and Streamlit's still does not
const REFUSED = 4403; // the close code of a foreign origin, with a sentence

/** A table of the sentences, from the script's own tag. */
const words = JSON.parse(document.currentScript?.dataset.words ?? "{}");

const isConnected = () => document.querySelector('[data-test-connection-state="CONNECTED"]') !== null;

/** What a socket of ours meets: "" if it passes, or the server's sentence, or `undefined` if it does not open. */
function probe() {
  return new Promise((resolve) => {
    const socket = new WebSocket(socketOf("live/none"));
    const end = (found) => {
      clearTimeout(timer);
      resolve(found);
      socket.close();
    };
    let opened = false;
    const timer = setTimeout(async () => {
      const isThere = await isServerThere();
      setTimeout(() => end(isThere && !opened ? undefined : ""), AFTER_MS);
    }, PROBE_MS);
    socket.onopen = () => (opened = true);
    socket.onclose = ({ code, reason }) => end(code === REFUSED ? reason : opened ? "" : undefined);
  });
}

async function isServerThere() {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    return (await fetch(addressOf("_stcore/health"), { cache: "no-store", signal })).ok;
  } catch {
    return false;
  }
}

/** The sentence for a page that is not connected; "" while there is none. */
async function reason() {
  const found = await probe();
  if (found) return found;
  if (found === "") return performance.now() > SLOW_MS ? words.streamlit : "";
  return await isServerThere() ? words.blocked : "";
}

async function look() {
  let note = document.querySelector(".blocked");
  const text = isConnected() ? "" : await reason();
  if (isConnected() || !text) note?.remove();
  else {
    if (!note) {
      note = document.createElement("p");
      note.className = "blocked";
      note.setAttribute("role", "alert");
      document.documentElement.append(note); // Streamlit replaces what is in the body
    }
    if (note.textContent !== text) note.textContent = text;
  }
  if (!isConnected()) setTimeout(look, LOOK_MS);
}

if (words.blocked) setTimeout(look, FIRST_LOOK_MS);
