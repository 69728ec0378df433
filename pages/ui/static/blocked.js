// Says what is wrong where websockets do not pass: without its own, Streamlit's page stays grey and silent.

import { addressOf, socketOf } from "./address.js";

const FIRST_LOOK_MS = 2_500; // after the page's start; a page that is connected by then has nothing to say
const LOOK_MS = 1_000;
const PROBE_MS = 1_500; // for a socket to open
const MAX_HANGS = 2; // in a row: one that does not open in time may be a busy server's
const SLOW_MS = 15_000; // our sockets pass, and Streamlit's still does not
const REFUSED = 4403; // the close code of a foreign origin, with a sentence

/** A table of the sentences, from the script's own tag. */
const words = JSON.parse(document.currentScript?.dataset.words ?? "{}");

const isConnected = () => document.querySelector('[data-test-connection-state="CONNECTED"]') !== null;

let hangs = 0;

/** What a socket of ours meets: "" if it passes, or the server's sentence, or `undefined` if it is closed unopened. */
function probe() {
  return new Promise((resolve) => {
    const socket = new WebSocket(socketOf("live/none"));
    const end = (found) => {
      clearTimeout(timer);
      resolve(found);
      socket.close();
    };
    const timer = setTimeout(() => end(++hangs < MAX_HANGS ? "" : undefined), PROBE_MS);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      hangs = 0;
    };
    socket.onclose = ({ code, reason }) => end(code === REFUSED ? reason : opened ? "" : undefined);
  });
}

async function isServerThere() {
  try {
    return (await fetch(addressOf("_stcore/health"), { cache: "no-store" })).ok;
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
