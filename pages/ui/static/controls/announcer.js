// What a screen reader says by itself: one sentence when a run pauses or ends, and few while it plays.

import { element } from "../dom.js";

const REST_MS = 500; // a sentence that is replaced sooner is not said
const PLAYING_MS = 5000; // between two sentences while a run plays

export class Announcer {
  constructor() {
    this.region = element("p", { class: "unseen", role: "status", translate: "no" });
    this.saidAt = -Infinity;
    this.note = null; // the narrator's last sentence
    this.wasPlaying = false;
  }

  /** Say a sentence as soon as nothing newer has come for a moment. */
  say(text) {
    clearTimeout(this.timer);
    this.timer = text && setTimeout(() => this.write(text), REST_MS);
  }

  write(text) {
    this.saidAt = performance.now();
    this.region.textContent = text;
  }

  /**
   * Follow the narrator: its sentence is said when a run pauses or ends, or changes while paused; while it plays, only
   * one with other words, not with other numbers alone.
   */
  follow(note, isPlaying) {
    const isFirst = this.note === null;
    const isNew = note !== this.note;
    const hasEnded = this.wasPlaying && !isPlaying;
    [this.note, this.wasPlaying] = [note, isPlaying];
    if (isFirst) this.words = wordsOf(note);
    else if (!isPlaying && (hasEnded || isNew)) {
      this.words = wordsOf(note);
      this.say(note);
    } else if (isPlaying && isNew && performance.now() - this.saidAt > PLAYING_MS) {
      const words = wordsOf(note);
      if (words !== this.words) this.write(note);
      this.words = words;
    }
  }

  destroy() {
    clearTimeout(this.timer);
  }
}

const wordsOf = (sentence) => sentence.replace(/[−+-]?\d[\d.,e+−-]*/g, "0");
