// The picture on the home page: a recorded run. A model with one hidden layer bends its curve until it fits the points.

import { element, icon } from "./dom.js";
import { themeOf } from "./theme.js";

const STEPS_PER_SECOND = 30;
const REST_SECONDS = 3.5; // at the last step, before it starts again
const REWIND_SECONDS = 0.9;
const ROUNDS = 3; // then it stays at the last step
const FRAME_MS = 40; // between two pictures, and the time until the browser paints
const MOVED = 0.8; // pixels: the curve is drawn again when it has moved as far
const LONGEST_MS = 100; // between two frames, as far as the picture moves
const GRID = 72; // places of the curve
const UNIT_STRIDE = 3; // of these in a unit's picture
const MARGIN = 0.12; // of the height, above and below
const NODE = 8.5; // pixels: half of the width of input and output
const PICTURE_SIZE = 660; // pixels: where lines have their usual widths

class RecordedRun {
  constructor(parent, { run, words }) {
    this.run = run;
    this.words = words;
    this.at = 0; // the model that is shown, perhaps between two recorded ones
    this.rounds = 0;
    this.rested = 0; // seconds at the last step
    this.model = new Float32Array(run.models[0].length);
    this.still = document.createElement("canvas"); // what does not move, to be copied
    this.moving = element("canvas", { role: "img", "aria-label": words.alt });
    const picture = element("div", { class: "picture" }, this.moving);
    this.step = element("p", { class: "step", "aria-hidden": "true", translate: "no" });
    this.button = element("button", { type: "button", onclick: () => this.toggle() });
    this.root = element("div", { "data-home": "" }, picture, this.step, this.button);
    parent.append(this.root);
    this.prepare();
    this.sizes = new ResizeObserver(([{ contentRect }]) => this.resize(contentRect.width, contentRect.height));
    this.sizes.observe(picture);
    this.sight = new IntersectionObserver(([{ isIntersecting }]) => {
      this.inSight = isIntersecting;
      this.wake();
    });
    this.sight.observe(picture);
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.calm.onchange = () => this.calm.matches && this.setPlaying(false);
    if (this.calm.matches) this.at = this.last;
    this.setPlaying(!this.calm.matches);
  }

  get last() {
    return this.run.models.length - 1;
  }

  /** What is the same in every frame: the curve's places, and how large values are drawn. */
  prepare() {
    const { x, y, models, units } = this.run;
    this.grid = Float32Array.from({ length: GRID }, (_, at) => -1 + (2 * at) / (GRID - 1));
    this.span = [Math.min(...y), Math.max(...y)];
    this.points = x.map((each, at) => [each, y[at]]);
    this.largest = Math.max(...models.flatMap((model) => model.slice(0, units)).map(Math.abs));
    this.largestOut = Math.max(...models.flatMap((model) => model.slice(2 * units, 3 * units)).map(Math.abs));
    this.parts = Array.from({ length: units }, () => new Float32Array(GRID)); // each unit's part of the curve
    this.curve = new Float32Array(GRID);
    this.drawn = new Float32Array(GRID); // the curve as it was drawn last
  }

  /** Streamlit has run the page again: perhaps in another theme. */
  update(parent, palettes) {
    const theme = themeOf(parent);
    if (theme === this.theme) return;
    this.theme = theme;
    const card = getComputedStyle(parent).getPropertyValue("--st-secondary-background-color").trim();
    this.colours = { ...palettes[theme], card };
    this.redraw();
  }

  toggle() {
    if (!this.playing && this.at === this.last) {
      this.at = 0;
      this.rounds = 0;
    }
    this.setPlaying(!this.playing);
  }

  setPlaying(playing) {
    this.playing = playing;
    this.rested = 0;
    const name = playing ? this.words.pause : this.words.play;
    this.button.setAttribute("aria-label", name);
    this.button.title = name;
    this.button.replaceChildren(icon(playing ? "pause" : "play"));
    this.wake();
  }

  /** Move while it plays and can be seen. A timer, and not each frame of the browser, asks for the next picture. */
  wake() {
    if (this.awake) return;
    this.awake = true;
    this.before = performance.now();
    const tick = (now) => {
      this.awake = this.playing && this.inSight && this.root.isConnected;
      if (!this.awake) return;
      this.move(Math.min(Math.max(0, now - this.before), LONGEST_MS) / 1000); // the first frame may be older
      this.before = now;
      setTimeout(() => requestAnimationFrame(tick), FRAME_MS);
    };
    requestAnimationFrame(tick);
  }

  move(seconds) {
    const { last } = this;
    if (this.rewinding) {
      this.at = Math.max(0, this.at - (seconds / REWIND_SECONDS) * last);
      this.rewinding = this.at > 0;
    } else if (this.at < last) {
      this.at = Math.min(last, this.at + (seconds * STEPS_PER_SECOND) / this.run.steps_apart);
    } else {
      this.rested += seconds;
      if (this.rested < REST_SECONDS) return;
      this.rounds++;
      if (this.rounds === ROUNDS) return this.setPlaying(false);
      this.rested = 0;
      this.rewinding = true;
    }
    this.compute();
    if (this.at === 0 || this.at === last || this.hasMoved()) this.draw();
  }

  hasMoved() {
    const smallest = (MOVED * (this.span[1] - this.span[0])) / ((1 - 2 * MARGIN) * (this.size?.height ?? 1));
    return this.curve.some((y, at) => Math.abs(y - this.drawn[at]) > smallest);
  }

  // Drawing.

  resize(width, height) {
    if (!width || !height) return;
    const sharp = Math.min(devicePixelRatio || 1, 2);
    for (const canvas of [this.still, this.moving]) {
      canvas.width = Math.round(width * sharp);
      canvas.height = Math.round(height * sharp);
    }
    const { units } = this.run;
    const pitch = ((1 - 2 * MARGIN) * height) / units;
    const high = 0.76 * pitch;
    const wide = Math.min(1.4 * high, 0.11 * width);
    this.size = {
      sharp,
      width,
      height,
      input: [0.05 * width, height / 2],
      output: [0.33 * width, height / 2],
      boxes: Array.from({ length: units }, (_, at) => ({
        left: 0.19 * width - wide / 2,
        middle: MARGIN * height + (at + 0.5) * pitch,
        wide,
        high,
      })),
      left: 0.46 * width,
      right: 0.97 * width,
      scale: Math.max(0.55, Math.min(width, height) / PICTURE_SIZE),
    };
    this.redraw();
  }

  redraw() {
    if (!this.size || !this.colours) return;
    this.drawStill();
    this.compute();
    this.draw();
  }

  across(x) {
    return this.size.left + ((x + 1) / 2) * (this.size.right - this.size.left);
  }

  up(y) {
    const [low, high] = this.span;
    return (1 - MARGIN - (1 - 2 * MARGIN) * ((y - low) / (high - low))) * this.size.height;
  }

  /**
   * To draw in CSS pixels on one of the canvases, over a picture or else the card's colour. They are opaque: a
   * transparent one takes longer to paint.
   */
  context(canvas, under = null) {
    const context = canvas.getContext("2d", { alpha: false });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.colours.card;
    if (under) context.drawImage(under, 0, 0);
    else context.fillRect(0, 0, canvas.width, canvas.height);
    context.setTransform(this.size.sharp, 0, 0, this.size.sharp, 0, 0);
    context.lineCap = context.lineJoin = "round";
    return context;
  }

  /** What does not move: the points, the frames of the units' pictures, input and output. */
  drawStill() {
    const { scale, boxes, input, output } = this.size;
    const context = this.context(this.still);
    context.fillStyle = this.colours.train;
    for (const [x, y] of this.points) dot(context, this.across(x), this.up(y), 4 * scale);
    context.fillStyle = this.colours.ground;
    context.strokeStyle = this.colours.grid;
    context.lineWidth = 1;
    for (const { left, middle, wide, high } of boxes) {
      context.beginPath();
      context.roundRect(left, middle - high / 2, wide, high, 5 * scale);
      context.fill();
      context.stroke();
    }
    context.fillStyle = this.colours.text;
    dot(context, ...input, NODE * scale);
    context.fillStyle = this.colours.model;
    dot(context, ...output, NODE * scale);
  }

  /** The weights between two recorded models, and the curve that they make. */
  compute() {
    const { models, units } = this.run;
    const before = models[Math.floor(this.at)];
    const after = models[Math.min(Math.floor(this.at) + 1, this.last)];
    const share = this.at % 1;
    for (let at = 0; at < before.length; at++) this.model[at] = before[at] + share * (after[at] - before[at]);
    this.curve.fill(this.model[3 * units]);
    for (let unit = 0; unit < units; unit++) {
      const [weight, bias, out] = [this.model[unit], this.model[units + unit], this.model[2 * units + unit]];
      const part = this.parts[unit];
      for (let at = 0; at < GRID; at++) {
        part[at] = out * Math.tanh(weight * this.grid[at] + bias);
        this.curve[at] += part[at];
      }
    }
  }

  draw() {
    if (!this.size || !this.colours) return;
    this.drawn.set(this.curve);
    const { units, steps_apart } = this.run;
    const { scale, boxes, input, output } = this.size;
    const edge = NODE * scale;
    const context = this.context(this.moving, this.still);
    for (let unit = 0; unit < units; unit++) {
      const { left, middle, wide, high } = boxes[unit];
      const out = this.model[2 * units + unit];
      this.weight(context, [input[0] + edge, input[1]], [left, middle], this.model[unit] / this.largest);
      this.weight(context, [left + wide, middle], [output[0] - edge, output[1]], out / this.largestOut);
      context.strokeStyle = out < 0 ? this.colours.negative : this.colours.positive;
      context.lineWidth = 2.2 * scale;
      context.beginPath();
      for (let at = 0; at < GRID; at += UNIT_STRIDE) {
        const x = left + (0.1 + (0.8 * at) / (GRID - 1)) * wide;
        context.lineTo(x, middle - (0.4 * high * this.parts[unit][at]) / this.largestOut);
      }
      context.stroke();
    }
    const start = [this.across(-1), this.up(this.curve[0])];
    context.strokeStyle = this.colours.model;
    context.globalAlpha = 0.4;
    link(context, [output[0] + edge, output[1]], start, 2 * scale);
    context.globalAlpha = 1;
    context.lineWidth = 4.6 * scale;
    context.beginPath();
    for (let at = 0; at < GRID; at++) context.lineTo(this.across(this.grid[at]), this.up(this.curve[at]));
    context.stroke();
    const step = this.words.step.replace("{step}", String(Math.round(this.at) * steps_apart));
    if (this.step.textContent !== step) this.step.textContent = step;
  }

  /** A line for a weight: wider and stronger for a larger one, dashed for a negative one. */
  weight(context, from, to, share) {
    const size = Math.abs(share);
    const { scale } = this.size;
    context.strokeStyle = share < 0 ? this.colours.negative : this.colours.positive;
    context.globalAlpha = 0.3 + 0.7 * size;
    if (share < 0) context.setLineDash([5 * scale, 4 * scale]);
    link(context, from, to, (0.8 + 3.6 * size) * scale);
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  destroy() {
    this.sizes.disconnect();
    this.sight.disconnect();
    this.calm.onchange = null;
    this.root.remove();
  }
}

function dot(context, x, y, size) {
  context.beginPath();
  context.arc(x, y, size, 0, 2 * Math.PI);
  context.fill();
}

/** A line that leaves and arrives level. */
function link(context, from, to, width) {
  const [[x0, y0], [x1, y1]] = [from, to];
  const middle = (x0 + x1) / 2;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
  context.stroke();
}

const shown = new WeakMap(); // the run of each element that Streamlit gives us

export default function ({ data, parentElement }) {
  let run = shown.get(parentElement);
  if (!run?.root.isConnected) shown.set(parentElement, run = new RecordedRun(parentElement, data));
  run.update(parentElement, data.palette);
  return () => {
    run.destroy();
    shown.delete(parentElement);
  };
}
