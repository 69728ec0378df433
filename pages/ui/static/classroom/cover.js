// What lies over the app's page in a class: eyes up, or a board that all look at. The page below rests, and is kept.

import { element } from "../dom.js";
import { ReaderBoard } from "./reader.js";

const STILL_THERE_MS = 300; // until the page below has drawn again

export class Cover {
  /** `who` gives {code, token} of this browser; `ended` is called when a board may not be read any more. */
  constructor(words, who, ended) {
    this.words = words;
    this.who = who;
    this.ended = ended;
    this.shown = "";
  }

  /** Show eyes up ({eyes: true}), a board ({run, title}), or nothing (null). */
  show(what) {
    const shown = JSON.stringify(what);
    if (shown === this.shown) return;
    this.shown = shown;
    this.clear();
    if (!what) return this.uncover();
    this.root = element("div", { class: `class-cover ${what.eyes ? "eyes" : "board"}`, tabindex: -1 });
    this.root.setAttribute("role", what.eyes ? "alert" : "region");
    document.documentElement.append(this.root);
    this.cover();
    if (what.eyes) this.showEyes();
    else this.showBoard(what);
  }

  showEyes() {
    const { eyesTitle, eyesSentence } = this.words;
    this.root.append(element("div", {}, element("b", {}, eyesTitle), element("p", {}, eyesSentence)));
  }

  showBoard({ run, title }) {
    this.root.setAttribute("aria-label", title);
    const place = element("div", { class: "class-board" });
    this.root.append(element("h2", {}, title), place);
    this.reader = new ReaderBoard(place, { ...this.who(), run, ended: (code) => this.ended(code) });
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
    this.reader?.destroy();
    this.reader = null;
    this.root?.remove();
    this.root = null;
  }
}
