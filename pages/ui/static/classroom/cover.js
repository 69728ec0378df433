// What lies over the app's page in a class: eyes up, or a board that all look at. The page below rests, and is kept.

import { element } from "../dom.js";
import { ReaderBoard } from "./reader.js";

const STILL_THERE_MS = 300; // until the page below has drawn again
const BETWEEN_MS = 1_500; // how long the last picture stays while whoever is looked at opens another page
const RETRY_MS = 2_000; // until a board is asked for again that could not be read

export class Cover {
  /** `who` gives {code, token} of this browser. */
  constructor(words, who) {
    this.words = words;
    this.who = who;
    this.shown = "";
  }

  /**
   * Show eyes up ({eyes: true}), a board ({run, title}), or nothing (null). Without a run, whose board it is opens
   * another page just now.
   */
  show(what) {
    const shown = what && JSON.stringify([what.eyes, what.title]);
    if (shown === this.shown) return what && !what.eyes ? this.read(what.run) : undefined;
    this.shown = shown;
    this.clear();
    if (!what) return this.uncover();
    this.root = element(what.eyes ? "div" : "main", {
      class: `class-cover ${what.eyes ? "eyes" : "board"}`,
      tabindex: -1,
    });
    if (what.eyes) this.root.setAttribute("role", "alert");
    document.documentElement.append(this.root);
    this.cover();
    if (what.eyes) this.showEyes();
    else this.showBoard(what);
  }

  showEyes() {
    const { eyesTitle, eyesSentence } = this.words;
    this.root.append(element("main", {}, element("h1", {}, eyesTitle), element("p", {}, eyesSentence)));
  }

  showBoard({ run, title }) {
    this.root.setAttribute("aria-label", title);
    this.place = element("div", { class: "class-board" });
    this.waits = element("p", { class: "class-waits", role: "status" });
    this.root.append(element("h1", {}, title), this.place, this.waits);
    this.read(run);
  }

  /** Read this run; the picture of the one before stays until the new one is there, or for a moment. */
  read(run) {
    if (run === this.run) return;
    this.run = run;
    clearTimeout(this.again);
    clearTimeout(this.between);
    this.before?.destroy();
    this.before = this.reader;
    this.reader = null;
    this.between = setTimeout(() => this.wait(), BETWEEN_MS);
    if (!run) return;
    const isStill = () => this.run === run && this.root;
    this.reader = new ReaderBoard(this.place, {
      ...this.who(),
      run,
      shown: () => isStill() && this.arrived(),
      ended: () => {
        if (!isStill()) return;
        clearTimeout(this.between);
        this.between = setTimeout(() => this.wait(), BETWEEN_MS);
        this.again = setTimeout(() => {
          this.run = undefined;
          this.read(run);
        }, RETRY_MS);
      },
    });
  }

  arrived() {
    clearTimeout(this.between);
    this.waits.textContent = "";
    this.place.classList.remove("waits");
    this.before?.destroy();
    this.before = null;
  }

  /** There is no picture for longer than a page change takes. */
  wait() {
    this.waits.textContent = this.words.boardWaits;
    this.place.classList.add("waits");
    this.before?.destroy();
    this.before = null;
  }

  /** The page below takes no clicks, no keys and no focus. */
  cover() {
    if (!document.body.inert) {
      this.from = /** @type {HTMLElement} */ (document.activeElement);
      for (const open of document.querySelectorAll(":popover-open")) {
        if (open instanceof HTMLElement) open.hidePopover();
      }
      document.body.inert = true;
    }
    if (!this.from?.closest?.("[data-class-bar]")) this.root.focus({ preventScroll: true });
  }

  uncover() {
    if (!document.body.inert) return;
    document.body.inert = false;
    dispatchEvent(new Event("class:uncovered"));
    const isLost = !document.activeElement || document.activeElement === document.body;
    const back = () => this.from?.isConnected && this.from.focus({ preventScroll: true });
    if (isLost) requestAnimationFrame(() => back() ?? setTimeout(back, STILL_THERE_MS));
  }

  clear() {
    clearTimeout(this.again);
    clearTimeout(this.between);
    for (const reader of [this.reader, this.before]) reader?.destroy();
    this.reader = this.before = null;
    this.run = undefined;
    this.root?.remove();
    this.root = null;
  }
}
