// A run that the server no longer has comes back from what this browser has kept of it: after a restart, on another
// server, or after a long rest. The page opens a new run; the one that was kept is put in its place, and then watched.

import { addressOf } from "../address.js";
import { askSession, loadAgain } from "../session.js";
import { forgetRun, keepRun, keptRun, stateOf, stores } from "./store.js";

const ASK_AGAIN_MS = 1000; // whether the server still knows the page: a server that stops or starts does not answer
const MAX_ASKED = 30;
const PATIENCE_MS = 8000; // for the page to open a new run
const isReload = performance.getEntriesByType("navigation")[0]?.["type"] === "reload";

let isFirst = true; // the first board of this page

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

  /** A message of the stream: keep it in the place of the last one. */
  take({ keep, state }) {
    this.kept = { run: this.board.run, text: keep, seen: this.seen };
    keepRun(this.bench, this.kept, state);
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
  async bringBack(run, { text, seen }) {
    const state = await stateOf(this.bench, text);
    const head = new TextEncoder().encode(JSON.stringify({ keep: text, step: Math.max(0, Math.round(seen)) }));
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, head.length, true);
    try {
      const answer = await fetch(addressOf(`return/${run}`), {
        method: "POST",
        headers: { Session: this.board.session },
        body: new Blob([length, head, state]),
      });
      return await answer.json();
    } catch {
      return {};
    }
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
    for (let asked = 1; !answer && asked < MAX_ASKED && !board.gone.signal.aborted; asked++) {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS * (0.5 + Math.random())));
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
