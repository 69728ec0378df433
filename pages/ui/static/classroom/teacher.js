// What a teacher's browser knows of its class, from the socket: for the wall and for the phone.

import { addressOf } from "../address.js";
import { forget, keep, kept, keysOf } from "../storage.js";
import { decoded } from "./real_runs.js";
import { ClassSocket, CLOSED } from "./socket.js";
import { readTiles, updated } from "./tile_codec.js";

const KEYS = { local: (code) => `class teacher ${code}`, state: (code) => `class keep ${code}` };
const PEEK_MS = 1000; // a held Peek is said again this often
const IDLE_SECONDS = 300;

/** What this browser keeps of a class that it teaches: {token, hidesNames}, or null. */
export function keptTeacher(code) {
  try {
    return JSON.parse(kept("localStorage", KEYS.local(code)));
  } catch {
    return null;
  }
}

/** Keep the token of this device; false where the browser forgets it with the page. */
export const keepTeacher = (code, token) => keepOf(code, { token });

/** Keep whether the wall is without names: it may stand on a projector when it is loaded again. */
export const keepHidesNames = (code, hidesNames) => keepOf(code, { hidesNames });

const keepOf = (code, more) =>
  keep("localStorage", KEYS.local(code), JSON.stringify({ ...keptTeacher(code), ...more }));

/** Forget a class that has ended. */
export function forgetTeacher(code) {
  forget("localStorage", KEYS.local(code));
  forget("localStorage", KEYS.state(code));
}

/** The codes of the classes that this browser teaches, as far as it knows. */
export function taughtHere() {
  const start = KEYS.local("");
  return keysOf("localStorage").filter((key) => key.startsWith(start)).map((key) => key.slice(start.length))
    .filter((code) => keptTeacher(code)?.token);
}

/** After these ends of its line a class is over for this device. */
export const FORGOTTEN = [CLOSED.void, CLOSED.noClass, CLOSED.ended];

export class Teacher {
  /**
   * `first` says who this is, without the state to restore: {as, token, view, fresh}. `changed()` is called after each
   * message; `on` has refused(message), ended(code, reason), received(message) for what is not kept here.
   */
  constructor(code, first, changed, on) {
    this.code = code;
    this.token = first.token;
    this.first = first;
    this.changed = changed;
    this.on = on;
    this.state = null;
    this.lessons = []; // names, in the order of a tile's index
    this.seats = new Map();
    this.tiles = new Map();
    this.fresh = new Set(); // seats whose tile is newer than what the page shows
    this.count = null;
    this.peeked = null; // sums, while Peek is held
    this.found = {}; // the last pictures of all runs: dots, curves, leaders
    this.runs = null; // the recordings that answer a vote
    this.finding = null; // which of them this page shows
    this.isConnected = false;
    this.tries = 0;
    this.skew = 0; // seconds that the server's clock is ahead
    this.socket = new ClassSocket(code, () => this.hello(), {
      message: (message) => this.take(message),
      tiles: (bytes) => this.takeTiles(bytes),
      connected: (yes, tries) => {
        this.isConnected = yes;
        this.tries = tries;
        this.changed();
      },
      closed: (closeCode, reason) => this.on.ended(closeCode, reason),
    });
  }

  hello() {
    let state = null;
    try {
      state = JSON.parse(kept("localStorage", KEYS.state(this.code)));
    } catch {
      // nothing is kept
    }
    return { ...this.first, token: this.token, ...(state ? { keep: state } : {}) };
  }

  take(message) {
    const { is } = message;
    if (is === "welcome") {
      this.lessons = message.lessons ?? this.lessons;
      this.skew = message.now - Date.now() / 1000;
      this.use(message.token);
      this.first = { as: "teacher", view: this.first.view, fresh: false };
      for (const each of [this.looking, this.finding]) if (each) this.send(each);
    } else if (is === "token") this.use(message.token);
    else if (is === "state") {
      this.state = message;
      this.count = null; // the state has a newer one
      this.skew = message.at - Date.now() / 1000;
      if (message.link) this.use(message.link);
    } else if (is === "seats") this.takeSeats(message);
    else if (is === "count") this.count = message;
    else if (is === "peek") this.peeked = this.peeking ? message : null;
    else if (["dots", "curves", "leaders"].includes(is)) this.found[is] = message;
    else if (is === "runs") this.runs = decoded(message);
    else if (is === "keep") keep("localStorage", KEYS.state(this.code), JSON.stringify(message.keep));
    else if (is === "refused") this.on.refused(message);
    else if (is === "ended") this.on.ended(CLOSED.ended, "");
    else this.on.received?.(message);
    this.changed(is);
  }

  use(token) {
    if (!token) return;
    this.token = token;
    this.isKept = keepTeacher(this.code, token);
  }

  takeSeats({ all, seats, gone }) {
    if (all) this.seats.clear();
    for (const seat of seats) this.seats.set(seat.seat, seat);
    for (const seat of gone ?? []) {
      this.seats.delete(seat);
      this.tiles.delete(seat);
    }
    if (all) { for (const seat of this.tiles.keys()) if (!this.seats.has(seat)) this.tiles.delete(seat); }
  }

  takeTiles(bytes) {
    for (const tile of readTiles(bytes)) {
      this.tiles.set(tile.seat, { ...updated(this.tiles.get(tile.seat), tile), at: performance.now() });
      this.fresh.add(tile.seat);
    }
    this.changed("tiles");
  }

  send(message) {
    return this.socket.ask(message);
  }

  /** Send a command about the vote, with the state in which it was pressed. */
  ask(act, more = {}) {
    const { vote } = this.state;
    return vote && this.send({ do: act, vote: vote.id, in: vote.state, ...more });
  }

  /** Whether the question of a place was asked in this class. */
  hasAsked({ page, experiment }) {
    return this.state.questions.some(([where, which]) => where === page && which === experiment);
  }

  /** The tiles that are in view, and the board that is open; said again after a reconnect. */
  look(seats, one) {
    const next = { do: "look", seats, one };
    if (JSON.stringify(next) === JSON.stringify(this.looking)) return;
    this.looking = next;
    this.send(next);
  }

  /** Which picture of all runs is shown: "scatter", "ghosts", "leaders", or null. */
  find(what) {
    if ((this.finding?.what ?? null) === what) return;
    this.found = {};
    this.finding = what && { do: "found", on: true, what };
    this.send(this.finding ?? { do: "found", on: false });
  }

  /** Hold Peek, or let it go. */
  peek(on) {
    if (on === Boolean(this.peeking)) return;
    clearInterval(this.peeking);
    this.peeking = on ? setInterval(() => this.send({ do: "peek", on: true }), PEEK_MS) : 0;
    this.peeked = null;
    this.send({ do: "peek", on });
    this.changed();
  }

  /** The server's time in seconds. */
  now() {
    return Date.now() / 1000 + this.skew;
  }

  /** All seats in the order in which they joined, each with its tile, its number from 1, and what it needs. */
  people() {
    const all = [...this.seats.values()].sort((one, other) => one.joined - other.joined || one.seat - other.seat);
    return all.map((seat, at) => {
      const tile = this.tiles.get(seat.seat);
      const idle = tile ? tile.age + (performance.now() - tile.at) / 1000 : 0;
      return {
        ...seat,
        tile,
        number: at + 1,
        waits: seat.help === null || seat.help === undefined ? 0 : Math.max(0, this.now() - seat.help),
        idle: seat.here && idle > IDLE_SECONDS ? idle : 0,
        age: idle,
        diverged: Boolean(tile?.diverged),
      };
    });
  }

  close() {
    clearInterval(this.peeking);
    this.socket.close();
  }
}

/** The address of the page on which students join, with the class's code in it. */
export const joinAddress = (code) => addressOf(`join?class=${code}`).href;

/** The same as one reads it on a projector: without protocol and code. */
export function shortAddress() {
  const { host, pathname } = addressOf("join");
  return host + pathname;
}
