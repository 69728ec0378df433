// A board that only reads a run of a class: the teacher's, a student's that is spotlit, or one that the teacher opens.

import { Board } from "../board.js";
import { element } from "../dom.js";
import { isDarkTheme } from "../theme.js";
import { Stream } from "../wire/stream.js";

const isDarkNow = () => (document.documentElement.dataset.classTheme ?? (isDarkTheme() ? "dark" : "")) === "dark";

export class ReaderBoard {
  /**
   * Show a run, by its name in the class, in all of `parent`, which has a size. `large` shows nothing but the largest
   * picture; `ended(code)` is called when the run may not be read any more, or is gone.
   */
  constructor(parent, { code, token, run, large = false, isDark = isDarkNow(), ended = undefined }) {
    this.large = large;
    this.root = element("div", { class: `first-board reader ${isDark ? "dark" : "light"} ${large ? "large" : ""}` });
    parent.append(this.root);
    this.waiting = []; // frames that came before the charts
    const stream = new Stream(`class/board/${encodeURIComponent(run)}?class=${code}`, {
      first: () => ({ class: code, token }),
      text: (message) => this.stream === stream && this.build(message),
      frame: (frame) => this.stream === stream && this.board?.receive(frame),
      connected: () => {},
      ended: (_, closeCode) => ended?.(closeCode),
    });
    this.stream = stream;
  }

  /** The server says what the board needs; again, when a setting has changed. */
  build({ data, bench }) {
    this.root.dataset.bench = bench;
    const before = this.board;
    if (before && this.bench === bench) {
      before.dress({ ...data, reads: true }, this.root);
      return;
    }
    before?.leave();
    this.bench = bench;
    this.board = new Board(this.root, { ...data, run: "read", reads: true });
    this.board.dress(data, this.root);
    this.board.rail.update(null);
    this.board.readFrom(this.stream);
  }

  destroy() {
    this.stream.close();
    this.board?.leave();
    this.board = null;
    this.root.remove();
  }
}
