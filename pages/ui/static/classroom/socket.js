// The websocket of a class: one for each browser window, which comes back by itself after the line was cut.

import { socketOf } from "../address.js";

const FIRST_RETRY_MS = 1_500; // at most: all browsers of a class lose their line in the same moment
const MAX_RETRY_MS = 4_000;
const SPREAD = 0.9; // of a wait that is by chance
const OPEN_MS = 10_000; // within which a line opens
const HERE_MS = 10_000; // between two signs of life
const ANSWER_MS = 12_000; // within which the server answers: a browser may not notice that a line was cut
const WAIT_SECONDS = 20; // after too many messages, where the server says nothing else
const CUT = 1006;
const FLAGS = ["help", "done"];
export const CLOSED = {
  left: 1000,
  bad: 4400,
  void: 4401,
  foreign: 4403,
  noClass: 4404,
  noSeat: 4405,
  elsewhere: 4409,
  ended: 4410,
  many: 4429,
};
const FINAL = new Set(Object.values(CLOSED)); // a new try would not help; after any other end it may

export class ClassSocket {
  /**
   * `first()` is the first message of each connection, which says who this is. `on` has message(object),
   * tiles(ArrayBuffer), connected(yes, tries), where `tries` counts those since the last connection, and
   * closed(code, reason) for an end after which there is no retry.
   */
  constructor(code, first, on) {
    this.url = socketOf(`class/socket?class=${encodeURIComponent(code)}`);
    this.first = first;
    this.on = on;
    this.retry = FIRST_RETRY_MS;
    this.tries = 0;
    this.isClosed = false;
    this.acts = new Map(); // of a student, by name, that the server has not answered
    this.pulse = setInterval(() => this.beat(), HERE_MS);
    this.wake = () => this.isClosed || document.hidden || this.beat();
    addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    const socket = this.socket = new WebSocket(this.url);
    const opening = setTimeout(() => this.lose(socket, CUT, ""), OPEN_MS);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      clearTimeout(opening);
      if (socket !== this.socket) return socket.close();
      this.heard = Date.now();
      for (const each of [this.first(), ...this.acts.values()]) socket.send(JSON.stringify(each));
      this.retry = FIRST_RETRY_MS;
      this.tries = 0;
      this.on.connected?.(true, 0);
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      this.heard = Date.now();
      if (typeof data !== "string") return this.on.tiles?.(data);
      const message = JSON.parse(data);
      this.settle(message);
      if (message.is !== "here") this.on.message(message);
    };
    socket.onclose = ({ code, reason }) => {
      clearTimeout(opening);
      this.lose(socket, code, reason);
    };
  }

  /** The line has ended: try again, unless that cannot help. */
  lose(socket, code, reason) {
    if (this.isClosed || socket !== this.socket) return;
    const mayWait = code === CLOSED.many && Boolean(this.first().token); // who has no token has typed wrong codes
    if (FINAL.has(code) && !mayWait) {
      this.close();
      this.on.closed?.(code, reason);
      return;
    }
    this.socket = null;
    socket.close();
    this.tries++;
    this.on.connected?.(false, this.tries);
    const wait = mayWait ? 1000 * (Number(reason) || WAIT_SECONDS) : this.retry * (1 - SPREAD * Math.random());
    this.timer = setTimeout(() => this.connect(), wait);
    this.retry = Math.min(this.retry * 2, MAX_RETRY_MS);
  }

  /** Say that this browser is there. */
  beat() {
    this.ask({ do: "here" });
  }

  /** Send what the server answers, and take the line for cut where it does not; false while there is none. */
  ask(message) {
    const { socket } = this;
    const asked = Date.now();
    const isSent = this.send(message);
    if (isSent) setTimeout(() => this.heard < asked && this.lose(socket, CUT, ""), ANSWER_MS);
    return isSent;
  }

  /** What a student presses: sent again on the next line where this one is cut before the server has answered. */
  act(message) {
    this.acts.set(message.do, message);
    return this.ask(message);
  }

  /** An act that this message answers need not be sent again. */
  settle(message) {
    if (message.is === "receipt") this.acts.delete("answer");
    else if (message.is === "refused") this.acts.delete(message.do);
    else if (message.is === "state") {
      for (const name of FLAGS) if (this.acts.get(name)?.on === message[name]) this.acts.delete(name);
    }
  }

  /** Send a message; false while there is no line. */
  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearInterval(this.pulse);
    removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.socket?.close();
  }
}
