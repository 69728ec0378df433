// Says what is wrong where websockets do not pass: without its own, Streamlit's page stays grey and silent.

import { addressOf, socketOf } from "../address.js";

const FIRST_LOOK_MS = 2_500; // after the page's start; a page that is connected by then has nothing to say
const LOOK_MS = 1_000;
const PROBE_MS = 1_500; // for a socket to open
const ANSWER_MS = 2_000; // for the server to answer by http
const AFTER_MS = 200; // a busy server has opened the socket by then: it takes requests in their order
const MAX_REFUSED = 2; // of Streamlit's sockets, one after the other, while ours pass
const SLOW_MS = 15_000; // our sockets pass, and Streamlit has not even tried its own
const STREAMLITS = "/_stcore/stream";
const REFUSED = 4403; // the close code of a foreign origin, with a sentence
const STOPS = 1012; // that of a server which is about to end, and opens no socket of Streamlit's either

/** A table of the sentences, from the script's own tag. */
const words = JSON.parse(document.currentScript?.dataset.words ?? "{}");

const isConnected = () => document.querySelector('[data-test-connection-state="CONNECTED"]') !== null;

/** Streamlit's sockets: whether one has opened, and how many did not. */
const streamlits = { opened: false, refused: 0 };

/** Watch the sockets that the page opens, until it is connected; a function that ends that. */
function watchSockets() {
  const Socket = window.WebSocket;
  const Watched = class extends Socket {
    constructor(url, protocols) {
      super(url, protocols);
      if (String(url).includes(STREAMLITS)) watchStreamlits(this);
    }
  };
  window.WebSocket = Watched;
  return () => {
    if (window.WebSocket === Watched) window.WebSocket = Socket;
  };
}

function watchStreamlits(socket) {
  let opened = false;
  socket.addEventListener("open", () => (opened = streamlits.opened = true));
  socket.addEventListener("close", () => {
    if (!opened) streamlits.refused++;
  });
}

/** Whether Streamlit's sockets alone do not pass. One that hangs also keeps ours waiting: browsers open one by one. */
const isStreamlitsBlocked = () =>
  !streamlits.opened && (streamlits.refused >= MAX_REFUSED || performance.now() > SLOW_MS);

/** What a socket of ours meets: {passes}, or the server's sentence, {why}; neither where nobody can say. */
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
      setTimeout(() => end(isThere && !opened ? { passes: false } : {}), AFTER_MS);
    }, PROBE_MS);
    socket.onopen = () => (opened = true);
    socket.onclose = ({ code, reason }) => {
      end(code === REFUSED ? { why: reason } : code === STOPS ? {} : { passes: opened });
    };
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
  const { passes, why } = await probe();
  if (why) return why;
  if (passes) return isStreamlitsBlocked() ? words.streamlit : "";
  return passes === false && await isServerThere() ? words.blocked : "";
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
  if (isConnected()) stopWatching();
  else setTimeout(look, LOOK_MS);
}

const stopWatching = words.blocked ? watchSockets() : () => {};
if (words.blocked) setTimeout(look, FIRST_LOOK_MS);
