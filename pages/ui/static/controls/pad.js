// The drawing pad: strokes by mouse, finger, pen or keyboard, sent to the run as 128 by 128 bits while one draws.

import { element } from "../chart/chart.js";

const SIDE = 128; // pixels that are sent, as many as of the images that MNIST was made from
const SHARP = 4; // pixels drawn for each of them
const EVERY_MS = 60; // between two messages
const STEP = 4; // pixels that an arrow key moves the cursor
const LIGHTEST = 0.4; // share of the width that a pen without pressure draws
const WIDTHS = [7, 11, 16];
const kept = new Map(); // the strokes of each pad, for when its page is opened again

export class Pad {
  /** `chart` has spec and board; the board has words, colour(role) and edit(command). */
  constructor(chart) {
    this.chart = chart;
    this.board = chart.board;
    const { words } = this.board;
    if (!kept.has(chart.spec.name)) kept.set(chart.spec.name, []);
    this.strokes = kept.get(chart.spec.name);
    this.canvas = element("canvas", { width: SIDE * SHARP, height: SIDE * SHARP, tabindex: 0, role: "application", "aria-label": words.pad, "data-pad": chart.spec.name });
    this.small = element("canvas", { width: SIDE, height: SIDE }).getContext("2d", { willReadFrequently: true });
    this.cursor = element("span", { class: "cursor", "aria-hidden": "true" });
    this.hint = element("p", { class: "hint", role: "status" }, words.padHint);
    this.width = element("select", { "aria-label": words.penWidth, title: words.penWidth }, ...WIDTHS.map((width, at) => element("option", { value: width }, words.penWidths[at])));
    this.width.value = WIDTHS[1];
    const button = (label, act) => element("button", { type: "button", class: "button", onclick: act }, label);
    this.root = element("div", { class: "drawing-pad" },
      element("div", { class: "paper" }, this.canvas, this.cursor),
      element("div", { class: "tools" }, button(words.undo, () => this.undo()), button(words.clear, () => this.clear()), this.width),
      this.hint);
    this.at = { x: SIDE / 2, y: SIDE / 2 };
    this.listen();
    this.moveCursor(0, 0);
  }

  listen() {
    const { canvas } = this;
    canvas.onpointerdown = (event) => {
      if (event.button !== 0 || this.pointer !== undefined) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.lift();
      this.begin(this.pointOf(event));
    };
    canvas.onpointermove = (event) => {
      if (event.pointerId !== this.pointer) return;
      const passed = event.getCoalescedEvents?.() ?? [];
      for (const each of passed.length ? passed : [event]) this.lineTo(this.pointOf(each));
    };
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      if (event.pointerId === this.pointer) this.pointer = undefined;
    };
    canvas.onkeydown = (event) => this.key(event);
    canvas.onblur = () => this.lift();
  }

  pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    const pressure = event.pointerType === "pen" && event.pressure > 0 ? LIGHTEST + 2 * (1 - LIGHTEST) * event.pressure : 1;
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE, pressure * Number(this.width.value)];
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) this.moveCursor(...moves[event.key].map((way) => way * (event.shiftKey ? 1 : STEP)));
    else if (event.key === " ") this.isDown ? this.lift() : this.press();
    else if (event.key === "Escape" && this.isDown) this.lift();
    else if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) this.undo();
    else if (event.key === "Delete") this.clear();
    else return;
    event.preventDefault();
    event.stopPropagation(); // else the space would play
  }

  moveCursor(right, down) {
    const within = (value) => Math.min(SIDE - 1, Math.max(0, value));
    this.at = { x: within(this.at.x + right), y: within(this.at.y + down) };
    this.cursor.style.left = `${(100 * this.at.x) / SIDE}%`;
    this.cursor.style.top = `${(100 * this.at.y) / SIDE}%`;
    if (this.isDown) this.lineTo([this.at.x, this.at.y, Number(this.width.value)]);
  }

  press() {
    this.isDown = true;
    this.hint.textContent = this.board.words.penDown;
    this.begin([this.at.x, this.at.y, Number(this.width.value)]);
  }

  lift() {
    if (!this.isDown) return;
    this.isDown = false;
    this.hint.textContent = this.board.words.padHint;
  }

  begin(point) {
    this.strokes.push([point]);
    this.draw(point, point);
    this.changed();
  }

  lineTo(point) {
    const stroke = this.strokes.at(-1);
    if (!stroke) return this.begin(point); // it was undone meanwhile
    this.draw(stroke.at(-1), point);
    stroke.push(point);
    this.changed();
  }

  draw(from, to) {
    for (const [pen, scale] of [[this.canvas.getContext("2d"), SHARP], [this.small, 1]]) {
      pen.strokeStyle = this.board.theme ? this.board.colour("@text") : "#000000";
      pen.lineCap = "round";
      pen.lineWidth = to[2] * scale;
      pen.beginPath();
      pen.moveTo(from[0] * scale, from[1] * scale);
      pen.lineTo(to[0] * scale + 0.01, to[1] * scale); // a line without length would draw nothing
      pen.stroke();
    }
  }

  redraw() {
    this.canvas.getContext("2d").clearRect(0, 0, SIDE * SHARP, SIDE * SHARP);
    this.small.clearRect(0, 0, SIDE, SIDE);
    for (const stroke of this.strokes) stroke.forEach((point, at) => this.draw(stroke[Math.max(0, at - 1)], point));
  }

  undo() {
    this.strokes.pop();
    this.lift();
    this.redraw();
    this.changed();
  }

  clear() {
    this.strokes.length = 0;
    this.lift();
    this.redraw();
    this.changed();
  }

  /** The drawing is sent at once, or as soon as the last message is long enough ago. */
  changed() {
    if (this.timer) return;
    const wait = Math.max(0, (this.sentAt ?? 0) + EVERY_MS - performance.now());
    this.timer = setTimeout(() => this.send(), wait);
  }

  send() {
    this.timer = undefined;
    this.sentAt = performance.now();
    this.board.edit({ do: "draw", bits: this.strokes.length ? this.bits() : null });
  }

  /** Ink as bits in base64, row by row from the top. */
  bits() {
    const { data } = this.small.getImageData(0, 0, SIDE, SIDE);
    const bytes = new Uint8Array((SIDE * SIDE) / 8);
    for (let i = 0; i < SIDE * SIDE; i++) if (data[4 * i + 3] > 127) bytes[i >> 3] |= 128 >> (i & 7);
    return btoa(String.fromCharCode(...bytes));
  }

  /** The line is up again, perhaps to another run: it is shown the drawing, if that was what it looked at. */
  connected() {
    if (this.strokes.length && this.chart.figure?.layout.meta?.drawn) this.changed();
  }

  destroy() {
    clearTimeout(this.timer);
  }
}
