// The numbers of a run, and what its narrator or a notice says.

import { element } from "../dom.js";

export class Numbers {
  /** `board` has statusLabels and words. */
  constructor(board) {
    this.board = board;
    this.status = Object.fromEntries(
      Object.keys(board.statusLabels).map((
        name,
      ) => [name, element("span", { "data-status": name, translate: "no" }, "–")]),
    );
    this.notice = element("p", { class: "notice", role: "alert", translate: "no" });
    this.narrator = element("p", { class: "narrator", translate: "no" });
    this.own = "";
    this.reason = "";
    this.root = element(
      "div",
      { class: "line" },
      element("div", { class: "message" }, this.notice, this.narrator),
      ...Object.entries(board.statusLabels).map(([name, label]) =>
        element("span", { class: "stat" }, element("span", { class: "label" }, label), " ", this.status[name])
      ),
    );
  }

  say(text, ms = 0) {
    clearTimeout(this.said);
    this.own = text;
    if (ms) this.said = setTimeout(() => this.say(""), ms);
    this.notice.textContent = this.own || this.reason;
  }

  take(head) {
    for (const [name, value] of Object.entries(head.status ?? {})) {
      if (this.status[name]) this.status[name].textContent = value === null ? "–" : String(value);
    }
    if (head.note !== undefined) this.narrator.textContent = head.note;
    if (head.notice !== undefined) {
      this.reason = head.notice;
      this.notice.textContent = this.own || this.reason;
    }
  }

  destroy() {
    clearTimeout(this.said);
  }
}
