// The line between the pictures and the strip: what there is to say at the left, the important numbers at the right.

import { element, fill, minus, withUnits } from "../dom.js";
import { tip, tipText } from "./tip.js";

const GOOD = "✓"; // with what good news begin
const SHOWN = 4; // numbers; the others open beside them
const LESS_IMPORTANT = new Set(["epoch", "parameters", "steps_per_second"]);
const CALM = 0.85; // small type stays until a sentence has less than this share of the room: its numbers change length
const LETTER = 0.55; // its width, as a part of the type's size
const DASHES = { dash: "5 3", dot: "1.5 2.5", dashdot: "5 2 1.5 2" };

export class Numbers {
  /** `board` has words, statusLabels, charts and root. */
  constructor(board) {
    this.board = board;
    this.status = {}; // name -> its node
    this.values = {};
    const rows = Object.entries(board.statusLabels).map(([name, label]) => {
      this.status[name] = element("span", { "data-status": name, translate: "no" }, "–");
      const row = element(
        "span",
        { class: "stat" },
        element("span", { class: "label" }, label),
        this.status[name],
      );
      return { name, row };
    });
    const important = rows.filter(({ name }) => !LESS_IMPORTANT.has(name)).slice(0, SHOWN).map(({ row }) => row);
    const others = rows.filter(({ row }) => !important.includes(row));
    this.shown = element(others.length ? "button" : "span", { class: "numbers" }, ...important);
    const panel = element("span", { class: "other-numbers" }, ...others.map(({ row }) => row));
    if (others.length) {
      /** @type {HTMLButtonElement} */ (this.shown).type = "button";
      tip(this.shown, panel);
    }
    this.notice = element("span", { class: "notice", role: "alert", translate: "no" });
    this.narrator = element("span", { class: "narrator", translate: "no" }); // the announcer says what of it is said
    this.said = element("p", { class: "said" }, this.notice, this.narrator);
    this.whole = tipText();
    tip(this.said, this.whole, () => {
      this.whole.textContent = this.text;
      return this.isCut;
    });
    this.own = ""; // the board's own sentence, shown before the run's
    this.reason = ""; // the run's notice
    this.place = 0; // in the queue
    this.awaited = ""; // what the run waits for
    this.root = element("div", { class: "line" }, this.said, this.whole, this.shown, ...(others.length ? [panel] : []));
    this.letters = Infinity; // that have room
    this.smallLetters = Infinity; // that have room in a long sentence's small type
    this.sizer = new ResizeObserver(([{ contentRect }]) => {
      const isLong = this.said.classList.contains("long");
      this.letters = this.room(contentRect.width, false);
      this.smallLetters = this.room(contentRect.width, true);
      this.said.classList.toggle("long", isLong);
      this.mayBeCut();
    });
    this.sizer.observe(this.said);
  }

  /** Show a sentence of the board's own in the place of the run's notice: until the next one, or for some time. */
  say(text, ms = 0) {
    clearTimeout(this.later);
    this.own = text;
    if (ms) this.later = setTimeout(() => this.say(""), ms);
    this.showNotice();
  }

  /** Say in the place of the narrator what the run waits for; "" for nothing. */
  wait(text) {
    if (text === this.awaited) return;
    this.awaited = text;
    this.showNotice();
  }

  showNotice() {
    const { queued } = this.board.words;
    const queue = this.place ? fill(queued, { place: this.place }) : "";
    write(this.notice, withUnits(this.own || this.reason || queue || this.awaited));
    this.said.classList.toggle("noticed", this.notice.textContent !== "");
    const said = this.own || this.reason;
    this.said.classList.toggle("alarming", said !== "" && !said.startsWith(GOOD));
    this.mayBeCut();
  }

  get text() {
    return this.notice.textContent || this.narrator.textContent;
  }

  /** How many letters have room; how large they are and in how many lines is the style's. */
  room(width, isLong) {
    this.said.classList.toggle("long", isLong);
    const { fontSize, webkitLineClamp: lines } = getComputedStyle(this.said);
    return (Number(lines) * width) / (LETTER * parseFloat(fontSize));
  }

  /** A long sentence has smaller type and one line more. If it is still cut, Tab reaches it and shows it whole. */
  mayBeCut() {
    const isLong = this.said.classList.contains("long");
    this.said.classList.toggle("long", this.text.length > this.letters * (isLong ? CALM : 1));
    const isCut = this.text.length > this.smallLetters;
    if (isCut === this.isCut) return;
    this.isCut = isCut;
    if (isCut) this.said.tabIndex = 0;
    else this.said.removeAttribute("tabindex");
  }

  /** Show the numbers and the sentences of a frame. */
  take(head) {
    for (const [name, value] of Object.entries(head.status ?? {})) {
      if (this.status[name]) write(this.status[name], value === null ? "–" : plain(value));
    }
    if (head.status) this.showRows(head.status);
    if (head.note !== undefined && head.note !== this.note) {
      this.note = head.note;
      write(this.narrator, withUnits(head.note));
      this.mayBeCut();
    }
    if (head.place !== undefined || head.notice !== undefined) {
      this.place = head.place ?? this.place;
      this.reason = head.notice ?? this.reason;
      this.showNotice();
    }
  }

  /** Show the numbers that there are: those of another picture are not. */
  showRows(status) {
    const names = Object.keys(status).join();
    this.values = status;
    if (names === this.names) return;
    this.names = names;
    for (const [name, node] of Object.entries(this.status)) node.parentElement.hidden = !(name in status);
  }

  /** Give the numbers the pens of their lines in the strip: they are its legend. `lines` is status -> trace. */
  showPens(lines) {
    const pens = Object.entries(lines).map(([name, { line = {} }]) => [name, line.color, DASHES[line.dash]]);
    const signature = JSON.stringify(pens);
    if (signature === this.pens) return;
    this.pens = signature;
    for (const sample of this.root.querySelectorAll(".pen")) sample.remove();
    for (const [name, colour, dashes] of pens) this.status[name]?.parentElement.prepend(pen(colour, dashes));
  }

  destroy() {
    clearTimeout(this.later);
    this.sizer.disconnect();
  }
}

function pen(colour, dashes = "none") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("class", "pen");
  svg.setAttribute("viewBox", "0 0 18 4");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", "M0 2h18");
  path.setAttribute("stroke", colour);
  path.setAttribute("stroke-dasharray", dashes);
  svg.append(path);
  return svg;
}

/** A number as text, with an exponent where it would start with many zeros, and with a real minus sign. */
export function plain(value) {
  return minus(value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential() : String(value));
}

/** Set a node's text in its existing text node: a new node would make the browser compute styles and layout again. */
export function write(node, text) {
  const [only] = node.childNodes;
  if (only?.nodeType !== Node.TEXT_NODE || node.childNodes.length > 1 || text === "") node.textContent = text;
  else if (only.data !== text) only.data = text;
}
