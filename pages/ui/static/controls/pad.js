// The drawing pad: strokes by mouse, finger, pen or keyboard, sent to the run as 128 by 128 bits while one draws.

import { element } from "../dom.js";

const SIDE = 128; // pixels of the image that is sent, as in the images that MNIST was made from
const SCALE = 4; // canvas pixels for each of them
const SEND_INTERVAL_MS = 60;
const CURSOR_STEP = 4; // pixels that an arrow key moves the cursor
const MIN_PRESSURE_WIDTH = 0.4; // width at no pressure, as a share of the full width
const PEN_WIDTHS = [7, 11, 16];
const savedStrokes = new Map(); // of each pad, for when its page is opened again

export class Pad {
  /** `chart` has spec and board; the board has words, colour(role) and edit(command). */
  constructor(chart) {
    this.chart = chart;
    this.board = chart.board;
    const { words } = this.board;
    if (!savedStrokes.has(chart.spec.name)) savedStrokes.set(chart.spec.name, []);
    this.strokes = savedStrokes.get(chart.spec.name);
    this.canvas = element("canvas", {
      width: SIDE * SCALE,
      height: SIDE * SCALE,
      tabindex: 0,
      role: "application",
      "aria-label": words.pad,
      "data-pad": chart.spec.name,
    });
    this.small = element("canvas", { width: SIDE, height: SIDE }).getContext("2d", { willReadFrequently: true });
    this.cursor = element("span", { class: "cursor", "aria-hidden": "true" });
    this.hint = element("p", { class: "hint", role: "status" }, words.padHint);
    this.width = element(
      "select",
      { "aria-label": words.penWidth, title: words.penWidth },
      ...PEN_WIDTHS.map((width, at) => element("option", { value: width }, words.penWidths[at])),
    );
    this.width.value = PEN_WIDTHS[1];
    const button = (label, act) => element("button", { type: "button", class: "button", onclick: act }, label);
    this.root = element(
      "div",
      { class: "drawing-pad" },
      element("div", { class: "paper" }, this.canvas, this.cursor),
      element(
        "div",
        { class: "tools" },
        button(words.undo, () => this.undo()),
        button(words.clear, () => this.clear()),
        this.width,
      ),
      this.hint,
    );
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
    const pressure = event.pointerType === "pen" && event.pressure > 0
      ? MIN_PRESSURE_WIDTH + 2 * (1 - MIN_PRESSURE_WIDTH) * event.pressure
      : 1;
    return [
      ((event.clientX - box.left) / box.width) * SIDE,
      ((event.clientY - box.top) / box.height) * SIDE,
      pressure * Number(this.width.value),
    ];
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) this.moveCursor(...moves[event.key].map((way) => way * (event.shiftKey ? 1 : CURSOR_STEP)));
    else if (event.key === " ") this.isDown ? this.lift() : this.press();
    else if (event.key === "Escape" && this.isDown) this.lift();
    else if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) this.undo();
    else if (event.key === "Delete") this.clear();
    else return;
    event.preventDefault();
    event.stopPropagation(); // or the space would start the player
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
    if (!stroke) return this.begin(point); // the stroke was undone while it was drawn
    this.draw(stroke.at(-1), point);
    stroke.push(point);
    this.changed();
  }

  draw(from, to) {
    for (const [pen, scale] of [[this.canvas.getContext("2d"), SCALE], [this.small, 1]]) {
      pen.strokeStyle = this.board.theme ? this.board.colour("@text") : "#000000";
      pen.lineCap = "round";
      pen.lineWidth = to[2] * scale;
      pen.beginPath();
      pen.moveTo(from[0] * scale, from[1] * scale);
      pen.lineTo(to[0] * scale + 0.01, to[1] * scale); // a line of length 0 would draw nothing
      pen.stroke();
    }
  }

  redraw() {
    this.canvas.getContext("2d").clearRect(0, 0, SIDE * SCALE, SIDE * SCALE);
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

  /** Send the drawing now, or as soon as the last message is SEND_INTERVAL_MS ago. */
  changed() {
    if (this.timer) return;
    const wait = Math.max(0, (this.sentAt ?? 0) + SEND_INTERVAL_MS - performance.now());
    this.timer = setTimeout(() => this.send(), wait);
  }

  send() {
    this.timer = undefined;
    this.sentAt = performance.now();
    this.board.edit({ do: "draw", bits: this.strokes.length ? this.bits() : null });
  }

  /** The drawing as bits in base64, row by row from the top; a set bit is ink. */
  bits() {
    const { data } = this.small.getImageData(0, 0, SIDE, SIDE);
    const bytes = new Uint8Array((SIDE * SIDE) / 8);
    for (let i = 0; i < SIDE * SIDE; i++) if (data[4 * i + 3] > 127) bytes[i >> 3] |= 128 >> (i & 7);
    return btoa(String.fromCharCode(...bytes));
  }

  /** The connection is back, perhaps to another run: send the drawing again if the figure was of the drawing. */
  connected() {
    if (this.strokes.length && this.chart.figure?.layout.meta?.drawn) this.changed();
  }

  destroy() {
    clearTimeout(this.timer);
  }
}
