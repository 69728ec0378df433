// A still lab in words: its line of code with the answer and a short note, under the charts; its tables, in the place
// of a second chart; and, over the last picture, why nothing can be drawn.

import { breakNames, element } from "../dom.js";

const ERROR = /^\w*(Error|Exception|Warning)\b/; // how the last line of a traceback begins

export class LabLine {
  /** `board` has words, places, screen, announcer and component. */
  constructor(board) {
    this.board = board;
    this.code = element("code", { translate: "no" });
    this.answer = element("samp", { class: "answer", translate: "no" });
    const prompt = element("span", { class: "prompt", "aria-hidden": "true" }, ">>>");
    this.typed = element("p", { class: "typed" }, prompt, " ", this.code, " ", this.answer);
    this.note = element("p", { class: "note" });
    this.typed.hidden = this.note.hidden = true;
    this.root = element("div", { class: "strip lab-line", "data-line": "" }, this.typed, this.note);
    this.tables = element("div", { class: "beside", "data-prose": "", "data-sheet": "" });
    this.why = element("p", {});
    this.again = element(
      "button",
      { type: "button", class: "button", onclick: () => board.component.setTriggerValue("again", true) },
      board.words.tryAgain,
    );
    this.refusal = element("div", { class: "refusal", "data-refusal": "" }, this.why, this.again);
    board.places.beside = this.tables;
  }

  /** The page has run again: `lab` has line, answer, note, tables, refusal and late. */
  update({ lab }) {
    const { board } = this;
    const isFirst = !this.lab;
    const said = this.said(lab);
    this.refusal.hidden = !lab.refusal;
    this.why.textContent = lab.refusal;
    this.again.hidden = !lab.late;
    board.root.classList.toggle("refused", Boolean(lab.refusal));
    if (!lab.refusal) this.write(lab);
    this.lab = lab;
    board.places.placeBeside();
    if (!isFirst && said && said !== this.spoken) board.announcer.say(said);
    this.spoken = said;
  }

  write({ line, answer, note, tables }) {
    this.code.textContent = line;
    this.answer.textContent = answer;
    this.answer.classList.toggle("error", ERROR.test(answer));
    this.typed.hidden = !line && !answer;
    if (this.note.words !== note) this.note.innerHTML = this.note.words = note;
    this.note.hidden = !note;
    this.root.hidden = this.typed.hidden && this.note.hidden;
    if (this.tables.words !== tables) {
      this.tables.innerHTML = this.tables.words = tables;
      breakNames(this.tables);
    }
    this.tables.classList.toggle("two", this.tables.childElementCount === 2);
    for (const wide of this.tables.querySelectorAll(".sheet")) wide.setAttribute("tabindex", "0"); // it may scroll
  }

  /** What is new, in words. */
  said({ refusal, answer, note }) {
    if (refusal) return refusal;
    const text = element("p", {});
    text.innerHTML = note;
    return [answer, text.textContent].filter(Boolean).join(" ");
  }
}
