// The websocket to one run: asks for frames, sends commands, and reconnects after the connection drops.

import { socketOf } from "../address.js";
import { decode } from "./codec.js";

const FIRST_RETRY_MS = 1500; // at most: all boards of a class lose their line in the same moment
const MAX_RETRY_MS = 4000;
const SPREAD = 0.9; // of a wait that is by chance
const OPEN_MS = 5000; // within which a socket opens, or some proxy on the way keeps it
const COVERED_MS = 1000; // between two frames of a page that is covered
export const NO_RUN = 4404; // as pool.py
export const CLOSED = 4410; // on purpose
const FINAL_CODES = new Set([NO_RUN, CLOSED, 4409, 4403]); // watched elsewhere, refused: a retry cannot help

/**
 * Ask for the next frame: at once, or now and then where something covers the whole page (a board that a class looks
 * at). So a covered run trains on and costs hardly a drawing.
 */
export function askNext(ask) {
  if (!document.body.inert) return ask();
  const again = () => {
    clearTimeout(timer);
    removeEventListener("class:uncovered", again);
    ask();
  };
  const timer = setTimeout(again, COVERED_MS);
  addEventListener("class:uncovered", again);
}

export class Stream {
  /**
   * `on` has frame(frame), connected(bool, tries) and ended(reason, code); `tries` counts those that never opened.
   * Where the server wants to know who this is, also first(), the message that says it, and text(message).
   */
  constructor(path, on) {
    this.url = socketOf(path);
    this.on = on;
    this.retry = FIRST_RETRY_MS;
    this.closed = false;
    this.tries = 0;
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(this.url);
    this.socket.binaryType = "arraybuffer";
    const { socket } = this;
    const opening = setTimeout(() => socket.close(), OPEN_MS);
    this.socket.onopen = () => {
      clearTimeout(opening);
      this.retry = FIRST_RETRY_MS;
      this.tries = 0;
      if (this.on.first) this.send(this.on.first());
      this.on.connected(true, 0);
    };
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.on.text(JSON.parse(data));
      else this.on.frame(decode(data));
    };
    this.socket.onclose = (event) => {
      clearTimeout(opening);
      if (this.closed) return;
      if (FINAL_CODES.has(event.code)) {
        this.on.ended(event.reason, event.code);
        return;
      }
      this.tries++;
      this.on.connected(false, this.tries);
      this.timer = setTimeout(() => this.connect(), this.retry * (1 - SPREAD * Math.random()));
      this.retry = Math.min(this.retry * 2, MAX_RETRY_MS);
    };
  }

  send(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
