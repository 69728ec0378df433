// A board that only reads a run of a class: the teacher's, a student's that is spotlit, or one that the teacher opens.

import { element } from "../dom.js";
import { isDarkTheme } from "../theme.js";
import { Stream } from "../wire/stream.js";

const isDarkNow = () => (document.documentElement.dataset.classTheme ?? (isDarkTheme() ? "dark" : "")) === "dark";
const here = document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : "";
let loading; // of the app's own modules, which a page of a class needs for this alone

/** The modules of boards: the app's pages have them, others load them when they show the first board. */
function boardModules() {
  const found = () => {
    const modules = /** @type {any} */ (window.__modules);
    return modules["board.js"] && { Board: modules["board.js"].Board, Sheet: modules["sheet.js"].Sheet };
  };
  if (found()) return Promise.resolve(found());
  loading ??= new Promise((resolve, reject) => {
    const script = element("script", { src: here.replace(/[^/]*$/, "modules.js") });
    script.onload = () => resolve(found());
    script.onerror = reject;
    document.head.append(script);
  });
  return loading;
}

export class ReaderBoard {
  /**
   * Show a run or a still lab, by its name in the class, in all of `parent`, which has a size. `large` shows nothing
   * but the largest picture; `shown()` is called with the first one, `ended(code)` when it may not be read any more, or
   * is gone.
   */
  constructor(parent, { code, token, run, large = false, isDark = isDarkNow(), ...on }) {
    const { shown, ended } = /** @type {{shown?: () => void, ended?: (code: number) => void}} */ (on);
    this.root = element("div", { class: `first-board reader ${isDark ? "dark" : "light"} ${large ? "large" : ""}` });
    parent.append(this.root);
    this.waiting = []; // frames to be painted
    this.sheet = null; // what stands below a still lab
    this.shown = shown;
    const stream = new Stream(`class/board/${encodeURIComponent(run)}?class=${code}`, {
      first: () => ({ class: code, token }),
      text: (message) => this.stream === stream && this.build(message),
      frame: (frame) => this.stream === stream && this.take(frame),
      connected: () => {},
      ended: (_, closeCode) => ended?.(closeCode),
    });
    this.stream = stream;
  }

  /** The server says what the board needs; again, when a setting has changed or the line was cut. */
  async build({ data, bench }) {
    const { Board, Sheet } = await boardModules();
    if (!this.stream) return; // it was given up meanwhile
    if (data.sheet) (this.sheet ??= new Sheet(this.root)).update(data.sheet);
    if (this.board && this.bench === bench) {
      this.board.dress({ ...data, reads: true }, this.root);
      this.board.lab?.update(data);
      return;
    }
    this.board?.leave();
    this.bench = this.root.dataset.bench = bench;
    this.board = new Board(this.root, { ...data, run: data.lab ? undefined : "read", reads: true });
    this.board.dress({ ...data, reads: true }, this.root);
    this.board.lab?.update(data);
    this.board.rail.update(null);
    this.board.readFrom(this.stream);
    this.paint();
  }

  /** Frames say what has changed since the one before, and come at the pace of all who read: none may be left out. */
  take(frame) {
    this.waiting.push(frame);
    this.paint();
  }

  paint() {
    if (!this.board || this.isPainting || !this.waiting.length) return;
    for (const frame of this.waiting.splice(0)) this.board.paint(frame);
    this.board.ask(true);
    this.shown?.();
    this.shown = undefined;
    this.isPainting = true;
    requestAnimationFrame(() => {
      this.isPainting = false;
      this.paint();
    });
  }

  destroy() {
    this.stream.close();
    this.stream = null;
    this.board?.leave();
    this.board = null;
    this.root.remove();
  }
}
