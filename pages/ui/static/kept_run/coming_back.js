// A run that the server no longer has comes back from what this browser has kept of it: after a restart, on another
// server, or after a long rest. The page opens a new run; the one that was kept is put in its place, and then watched.

import { addressOf } from "../address.js";
import { askSession, loadAgain } from "../page/session.js";
import { forgetRun, keepRun, keptRun, stateOf, stores } from "./store.js";

const ASK_AGAIN_MS = 1000; // whether the server still knows the page, for as long as it does not answer
const MAX_TRIED = 3; // to give back what was kept
const PATIENCE_MS = 8000; // for the page to open a new run
const isReload = performance.getEntriesByType("navigation")[0]?.["type"] === "reload";

let isFirst = true; // the first board of this page

const aMoment = () => new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS * (0.5 + Math.random())));

export class ComingBack {
  /** `board` has data, words, component, session, gone, watch(run), restart(), say(), tell() and take(state). */
  constructor(board) {
    this.board = board;
    this.seen = 0; // the last step that was shown
    this.pending = false;
    const note = () => this.noteSeen();
    addEventListener("pagehide", note, { signal: board.gone.signal });
  }

  get bench() {
    return this.board.data.bench;
  }

  /** The name under which the run beside this bench's is kept. */
  get beside() {
    return `${this.bench} beside`;
  }

  /** A message of the stream: keep it in the place of the last one. */
  take({ keep, state }) {
    this.kept = { run: this.board.run, text: keep, seen: this.seen };
    keepRun(this.bench, this.kept, state);
  }

  /** The same of the second of two compared runs. */
  takeSecond(run, { keep, state }) {
    keepRun(this.beside, { run, text: keep, seen: 0, first: this.board.run }, state);
  }

  /** The comparison is over. */
  forgetSecond() {
    forgetRun(this.beside);
  }

  /** Follow a frame: the step that it shows, unless it looks back. */
  follow({ time, status }) {
    if (time) this.looksBack = time.at !== null && time.at !== undefined;
    if (time?.now !== undefined) this.seen = time.now;
    else if (status?.step !== undefined && !this.looksBack) this.seen = status.step;
  }

  /** The line was cut, or the page is left: note how far the run was seen. */
  noteSeen() {
    if (this.kept?.run === this.board.run) keepRun(this.bench, { ...this.kept, seen: this.seen });
  }

  /** The page has opened a run: watch it, or the one that was kept and comes back in its place. */
  async open(run) {
    const { board } = this;
    const kept = keptRun(this.bench);
    const wasFirst = isFirst;
    isFirst = false;
    if (!kept || kept.run === run) {
      board.watch(run);
      if (wasFirst && isReload && !stores()) board.tellLater(board.words.notStored);
      return;
    }
    this.pending = true;
    board.say(board.words.comingBack);
    const answer = await this.bringBack(run, kept);
    this.pending = false;
    if (board.gone.signal.aborted || board.given !== run) return;
    this.forgetSecond();
    if (!answer.run) {
      forgetRun(this.bench);
      board.watch(run);
      if (answer.why) board.tellLater(board.words.notBack.replace("{why}", answer.why));
      return;
    }
    board.watch(answer.run, true);
    board.restart(); // the page's forms are for the run that it has opened
    board.rail.question.answerAgain();
  }

  /** Have the server bring back what was kept: {run}, or {why} it was refused, or neither. */
  async bringBack(run, { run: before, text, seen }) {
    const step = Math.max(0, Math.round(seen));
    const states = [await stateOf(this.bench, text)];
    const beside = keptRun(this.beside);
    let second;
    if (beside?.first === before) {
      states.push(await stateOf(this.beside, beside.text));
      second = { keep: beside.text, state: states[1].length };
    }
    const head = new TextEncoder().encode(JSON.stringify({ keep: text, step, second }));
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, head.length, true);
    const body = new Blob([length, head, ...states]);
    const headers = { Session: this.board.session };
    for (let tried = 1; tried <= MAX_TRIED && !this.board.gone.signal.aborted; tried++) {
      try {
        const answer = await fetch(addressOf(`return/${run}`), { method: "POST", headers, body });
        return await answer.json();
      } catch { // the line was cut, or what answered was a proxy
        await aMoment();
      }
    }
    return { why: this.board.words.notSent };
  }

  /** The server has no such run: bring it back if it was kept, by a page that the server knows. */
  async lost(reason) {
    const { board } = this;
    this.noteSeen();
    const { run } = board;
    const isKept = keptRun(this.bench)?.run === run;
    if (isKept) board.say(board.words.comingBack);
    else board.isLost(reason);
    let answer = await askSession(board.session);
    while (!answer && !board.gone.signal.aborted) {
      await aMoment();
      answer = await askSession(board.session);
    }
    if (board.gone.signal.aborted || board.run !== run) return;
    if (answer === "gone") {
      loadAgain();
      return;
    }
    if (!isKept) return;
    board.restart();
    setTimeout(() => {
      if (board.run !== run || this.pending || board.gone.signal.aborted) return;
      if (isReload) board.isLost(reason);
      else loadAgain(); // the page's own line leads to another server than the run's
    }, PATIENCE_MS);
  }

  /** The run was closed on purpose: it does not come back. */
  closed() {
    if (keptRun(this.bench)?.run === this.board.run) forgetRun(this.bench);
  }
}
