// The websocket of a class: one for each browser window, which comes back by itself after the line was cut.

import { socketOf } from "../address.js";

const FIRST_RETRY_MS = 1_500; // at most: all browsers of a class lose their line in the same moment
const MAX_RETRY_MS = 4_000;
const SPREAD = 0.9; // of a wait that is by chance
const RETRIED = new Set([1006, 1012, 4408]); // cut, the server stops, too slow: a new try may help

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
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(this.url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.socket.send(JSON.stringify(this.first()));
      this.retry = FIRST_RETRY_MS;
      this.tries = 0;
      this.on.connected?.(true, 0);
    };
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.on.message(JSON.parse(data));
      else this.on.tiles?.(data);
    };
    this.socket.onclose = ({ code, reason }) => {
      if (this.isClosed) return;
      if (!RETRIED.has(code)) {
        this.isClosed = true;
        this.on.closed?.(code, reason);
        return;
      }
      this.tries++;
      this.on.connected?.(false, this.tries);
      this.timer = setTimeout(() => this.connect(), this.retry * (1 - SPREAD * Math.random()));
      this.retry = Math.min(this.retry * 2, MAX_RETRY_MS);
    };
  }

  /** Send a message; false while there is no line. */
  send(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
