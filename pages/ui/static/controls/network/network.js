// What changes a network, at the place in its drawing where it acts: data, inputs, layers, units and activation.
//
// The figure's `meta.network` says where the columns of the drawing are; the knobs are named by the chart's `network`.
// The nodes are made once and moved, so that none of them loses the focus while the network trains.

import { element, fill, icon } from "../../dom.js";
import { setDrawer } from "../../page/page.js";
import { Knob, textOf } from "../knob.js";
import { popup } from "../menu.js";

const DATA_REM = 4; // width of the picture of the data, at least
const DATA_SHARE = 0.14; // of the drawing's width, in a wide one
const DATA_REM_DEEP = 2.75; // beside a deep network
const CHOICE_REM = 4.6; // of a data set to choose
const INPUT_REM = 2.6; // of an input to choose
const HEAD_END = 1.6; // rem from the middle of the last column to the end of its head
const BESIDE_COUNTER = 3.6; // rem from the middle of a button to that of a narrow counter beside it
const NEAR_LINE = 7; // pixels from a weight's line to a click on it
const POINT_SIZE = 0.026; // of a picture's width: half a point
const SQUARES = [1, 3]; // classes that are drawn as squares in pictures of data
const SHAPES = ["circle", "square", "diamond", "triangle", "cross"]; // as in playground/figures/fields.py

export class Network {
  /** `chart` has spec.network, board, plot, stage, slot, card and figure. */
  constructor(chart) {
    this.chart = chart;
    this.board = chart.board;
    this.knobs = chart.spec.network;
    this.words = this.board.words.network;
    this.counted = this.words[this.knobs.kind]; // what one of a layer, and a layer, is called
    this.heads = [];
    this.steppers = new Map(); // of layers, by their number
    this.root = element("div", { class: "network" });
    chart.stage.append(this.root);
    chart.stage.classList.add("has-network");
    this.inHead = [
      ...(this.knobs.activation ? [new Knob(this.board, this.knobs.activation)] : []),
      ...(this.knobs.layers ? [this.stepper(this.knobs.layers, this.counted.layer, "layers")] : []),
    ];
    chart.slot.append(...this.inHead.map(({ root }) => root));
    if (this.knobs.data) this.addData();
    if (this.knobs.inputs) this.addInputs();
    chart.plot.addEventListener("click", (event) => {
      const place = chart.pointAt(event);
      if (place) this.click(place);
    });
    chart.plot.addEventListener("pointermove", (event) => {
      const place = chart.pointAt(event);
      chart.plot.classList.toggle("on-weight", Boolean(place && this.actAt(place)));
    });
    this.board.turns.controls.add(this);
  }

  get turns() {
    return this.board.turns;
  }

  /** What the figure says about its columns; null before there is one. */
  get meta() {
    return this.chart.figure?.layout.meta?.network ?? null;
  }

  // The data.

  addData() {
    this.dataCanvas = element("canvas", { "aria-hidden": "true" });
    this.dataName = element("span", { translate: "no" });
    this.dataLock = lock();
    this.dataButton = element(
      "button",
      { type: "button", class: "data" },
      this.dataCanvas,
      element("span", { class: "name" }, this.dataLock, this.dataName),
    );
    this.dataHolder = element("span", { class: "at", "data-knob": this.knobs.data }, this.dataButton);
    this.dataPanel = element("div", { class: "pictures", role: "group", "aria-label": this.words.data });
    popup(this.dataButton, this.dataPanel, () => this.fillData());
    this.root.append(this.dataHolder, this.dataPanel);
  }

  /** The panel with a picture of each data set; it is made when it is opened first. */
  fillData() {
    const spec = this.turns.spec(this.knobs.data);
    const names = (this.meta && spec?.options.map(({ value }) => value)) ?? [];
    if (this.choices?.length !== names.length) {
      this.choices = names.map((value) =>
        this.choice(spec, value, CHOICE_REM, () => {
          this.board.turn(this.knobs.data, value);
          this.dataPanel.hidePopover();
        })
      );
      this.noise = this.knobs.noise && this.turns.spec(this.knobs.noise)
        ? new Knob(this.board, this.knobs.noise)
        : null;
      this.dataPanel.replaceChildren(
        element("div", { class: names.length > 6 ? "grid four" : "grid" }, ...this.choices.map(({ root }) => root)),
        ...(this.noise ? [this.noise.root] : []),
        ...(this.knobs.redraw && this.turns.spec(this.knobs.redraw)
          ? [this.act(this.words.redraw, () => this.redraw())]
          : []),
        this.act(this.words.own, () => {
          this.dataPanel.hidePopover();
          showOwnPoints();
        }),
      );
    }
    const chosen = this.turns.value(this.knobs.data);
    for (const { root, canvas, value } of this.choices) {
      mark(root, value === chosen, "aria-current");
      this.paintPoints(canvas, CHOICE_REM, this.meta.data[value]);
    }
  }

  act(label, act) {
    return element("button", { type: "button", class: "act", onclick: act }, label);
  }

  redraw() {
    const { lo, hi } = this.turns.spec(this.knobs.redraw);
    const now = this.turns.value(this.knobs.redraw);
    this.board.turn(this.knobs.redraw, now >= hi ? lo : now + 1);
  }

  // The inputs.

  addInputs() {
    this.inputsButton = element(
      "button",
      { type: "button", class: "plus", "aria-label": this.words.inputs },
      this.words.addInput,
    );
    this.inputsHolder = element("span", { class: "at under", "data-knob": this.knobs.inputs }, this.inputsButton);
    this.inputsPanel = element("div", { class: "pictures", role: "group", "aria-label": this.words.inputs });
    popup(this.inputsButton, this.inputsPanel, () => this.fillInputs());
    this.root.append(this.inputsHolder, this.inputsPanel);
  }

  fillInputs() {
    const spec = this.turns.spec(this.knobs.inputs);
    if (!this.features && this.meta) {
      this.features = spec.options.map(({ value }) =>
        this.choice(spec, value, INPUT_REM, () => this.switchInput(value))
      );
      this.inputsPanel.replaceChildren(
        element("div", { class: "grid four" }, ...this.features.map(({ root }) => root)),
      );
    }
    this.showInputs();
    for (const { canvas, value } of this.features ?? []) this.paintBytes(canvas, INPUT_REM, this.meta.inputs[value]);
  }

  chosenInputs() {
    return String(this.turns.value(this.knobs.inputs) ?? "").split(",");
  }

  /** Add an input, or remove it unless it is the only one. */
  switchInput(value) {
    const chosen = this.chosenInputs();
    const all = this.turns.spec(this.knobs.inputs).options.map((option) => option.value);
    const next = chosen.includes(value) ? chosen.filter((each) => each !== value) : [...chosen, value];
    if (next.length) this.board.turn(this.knobs.inputs, all.filter((each) => next.includes(each)).join(","));
  }

  showInputs() {
    const chosen = this.chosenInputs();
    for (const { root, value } of this.features ?? []) {
      root.setAttribute("aria-pressed", String(chosen.includes(value)));
      root.disabled = chosen.length === 1 && chosen.includes(value); // one at least
    }
  }

  /** A picture to choose with its name. */
  choice(spec, value, size, act) {
    const canvas = element("canvas", { "aria-hidden": "true", style: `width: ${size}rem; height: ${size}rem` });
    const root = element(
      "button",
      { type: "button", class: "choice", onclick: act },
      canvas,
      element("span", { class: "name", translate: "no" }, textOf(spec, value)),
    );
    return { root, canvas, value };
  }

  // Layers and units.

  /** − and + for a knob that counts something; `label` names it, also in the buttons. */
  stepper(knob, label, kind) {
    const button = (sign, by) =>
      element("button", { type: "button", class: "by-one", onclick: () => this.turnBy(knob, by) }, sign);
    const [less, more] = [button("−", -1), button("+", 1)];
    const count = element("span", { class: "how-many", translate: "no" });
    const locked = lock();
    const root = element(
      "span",
      { class: `counter ${kind}`, role: "group", "data-knob": knob },
      less,
      ...(kind === "layers" ? [locked, count] : []),
      more,
    );
    const show = () => {
      const spec = this.turns.spec(knob);
      root.hidden = !spec;
      if (!spec) return;
      const value = this.turns.value(knob);
      const words = typeof label === "function" ? label() : label;
      root.setAttribute("aria-label", `${spec.label}: ${value}`);
      less.setAttribute("aria-label", fill(this.words.less, { what: words, knob: spec.label }));
      more.setAttribute("aria-label", fill(this.words.more, { what: words, knob: spec.label }));
      count.textContent = fill(value === 1 ? this.words.oneLayer : this.words.layers, { n: value });
      less.hidden = more.hidden = Boolean(spec.locked);
      locked.hidden = !spec.locked;
      if (spec.locked) root.setAttribute("aria-label", `${spec.label}: ${value}. ${this.board.words.locked}`);
      disable(less, !spec.applies || value <= spec.lo);
      disable(more, !spec.applies || value >= spec.hi);
    };
    show();
    return { root, show };
  }

  turnBy(knob, by) {
    const { lo, hi, step } = this.turns.spec(knob);
    const value = Math.max(lo, Math.min(hi, this.turns.value(knob) + by * (step ?? 1)));
    if (value !== this.turns.value(knob)) this.board.turn(knob, value);
  }

  unitStepper(layer) {
    if (!this.steppers.has(layer)) {
      const made = this.stepper(this.knobs.units[layer], this.counted.unit, "units");
      made.root.classList.add("at", "under");
      this.steppers.set(layer, made);
      const next = [...this.steppers].filter(([other]) => other > layer).sort(([one], [other]) => one - other)[0];
      this.root.insertBefore(made.root, next ? next[1].root : null);
    }
    return this.steppers.get(layer);
  }

  // Showing.

  /** A knob was turned, or the page has answered. */
  show() {
    for (const each of this.inHead) each.show();
    for (const each of this.steppers.values()) each.show();
    if (this.dataButton) {
      const spec = this.turns.spec(this.knobs.data);
      this.dataHolder.hidden = !spec;
      if (spec) {
        const name = textOf(spec, this.turns.value(this.knobs.data));
        this.dataName.textContent = name;
        const { locked } = spec;
        this.dataLock.hidden = !locked;
        this.dataButton.disabled = Boolean(locked);
        const label = locked
          ? `${spec.label}: ${name}. ${this.board.words.locked}`
          : fill(this.words.chooseData, { name });
        this.dataButton.setAttribute("aria-label", label);
        const chosen = this.turns.value(this.knobs.data);
        for (const { root, value } of this.choices ?? []) mark(root, value === chosen, "aria-current");
      }
    }
    if (this.inputsButton) {
      this.inputsHolder.hidden = !this.turns.spec(this.knobs.inputs);
      this.showInputs();
    }
  }

  /** A frame has changed the figure: the columns may be others. */
  take(part) {
    const isNew = part.figure || part.set?.some(([[first, second]]) => first === "layout" && second === "meta");
    if (isNew) this.place();
  }

  /** Put the controls at the columns of the drawing, whose size or columns have changed. */
  place() {
    const { meta } = this;
    const full = this.chart.plot._fullLayout;
    this.root.hidden = !meta || !full?.xaxis?.d2p || this.chart.place === "small";
    if (this.root.hidden) return;
    this.size = {
      left: full.xaxis._offset,
      wide: full.xaxis._length,
      top: full.yaxis._offset,
      high: full.yaxis._length,
    };
    const { left, wide, top, high } = this.size;
    const rem = 16 * this.board.scale;
    const { columns } = meta;
    const gaps = columns.slice(1).map(({ x }, at) => (x - columns[at].x) * wide);
    this.root.classList.toggle("deep", meta.deep === true);
    columns.forEach((column, at) => {
      this.heads[at] ??= this.root.insertBefore(
        element("span", { class: "head", translate: "no" }),
        this.dataHolder ?? null,
      );
      const room = Math.min(gaps[at - 1] ?? Infinity, gaps[at] ?? Infinity);
      const isNarrow = room < 4.4 * rem;
      const head = this.heads[at];
      head.hidden = false;
      write(head, isNarrow && column.title ? column.short : column.title); // without a title the figure has heads
      const isLast = at === columns.length - 1;
      head.classList.toggle("end", isLast);
      put(head, isLast ? Math.min(left + column.x * wide + HEAD_END * rem, left + wide) : left + column.x * wide, 0);
    });
    for (const head of this.heads.slice(columns.length)) head.hidden = true;
    const bottom = top + high;
    columns.forEach(({ layer, x, kind }, at) => {
      if (kind === "layer" && this.knobs.units[layer]) put(this.unitStepper(layer).root, left + x * wide, bottom);
      if (kind === "inputs" && this.inputsHolder) {
        const beside = meta.deep ? left + columns[at + 1].x * wide - BESIDE_COUNTER * rem : Infinity;
        put(this.inputsHolder, Math.min(left + x * wide, beside), bottom);
      }
    });
    const layers = new Set(columns.filter(({ kind }) => kind === "layer").map(({ layer }) => layer));
    for (const [layer, { root, show }] of this.steppers) {
      show();
      root.hidden ||= !layers.has(layer);
    }
    if (this.dataHolder && columns[0].kind === "data") {
      const size = meta.deep || layers.size > 1 ? DATA_REM_DEEP : Math.max(DATA_REM, DATA_SHARE * wide / rem);
      put(this.dataHolder, left + columns[0].x * wide, top + high / 2);
      this.dataCanvas.style.width = this.dataCanvas.style.height = `${size}rem`;
      this.paintPoints(this.dataCanvas, size, meta.points);
    }
  }

  // Pictures.

  paintPoints(canvas, size, picture) {
    const pen = this.pen(canvas, size);
    if (!picture?.x) return;
    const { width, height } = canvas;
    const radius = POINT_SIZE * width;
    for (let i = 0; i < picture.x.length; i++) {
      const cls = picture.class ? picture.class[i] : -1;
      pen.fillStyle = this.board.colour(cls < 0 ? "@train" : `@class${cls}`);
      const [x, y] = [picture.x[i] * width, (1 - picture.y[i]) * height];
      if (x < radius || y < radius || x > width - radius || y > height - radius) continue; // outside the picture
      if (SQUARES.includes(cls)) pen.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
      else {
        pen.beginPath();
        pen.arc(x, y, radius, 0, 2 * Math.PI);
        pen.fill();
      }
    }
  }

  paintBytes(canvas, size, values) {
    if (!values) return;
    const side = Math.round(Math.sqrt(values.length));
    const colours = this.chart.maps.colours("signed");
    const image = new ImageData(side, side);
    new Uint32Array(image.data.buffer).forEach((_, at, pixels) => (pixels[at] = colours[values[at]]));
    const source = element("canvas", { width: side, height: side });
    source.getContext("2d").putImageData(image, 0, 0);
    const pen = this.pen(canvas, size);
    pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  }

  /** A cleared canvas at the screen's resolution. */
  pen(canvas, size) {
    canvas.width = canvas.height = Math.round(size * 16 * this.board.scale * (window.devicePixelRatio || 1));
    return canvas.getContext("2d");
  }

  /** The chart was drawn: its size, the theme or the type may have changed. */
  draw() {
    this.place();
  }

  // Weights.

  /** Do what a click at a place of the drawing does: open the unit's or the weight's field, or the inputs. */
  click(place) {
    this.actAt(place)?.();
  }

  /** The function of a click at a place (in the axes' coordinates); null where a click does nothing. */
  actAt({ x, y }) {
    const { meta } = this;
    if (!meta || !this.size) return null;
    const columns = meta.columns.filter(({ units }) => units);
    const form = this.chart.figure.parameters && this.chart.weightForm;
    for (const { kind, layer, x: middle, y: rows, units, half: [wide, high] } of columns) {
      if (Math.abs(x - middle) > wide) continue;
      const row = rows.findIndex((each) => Math.abs(each - y) <= Math.max(high, 0.02));
      if (row < 0) continue;
      if (kind === "inputs") {
        return this.inputsPanel && !this.inputsHolder.hidden ? () => this.inputsPanel.showPopover() : null;
      }
      return form ? () => form.open(layer, units[row]) : null;
    }
    const weight = form && this.weightAt(columns, x, y);
    return weight ? () => form.open(weight.layer, weight.unit, undefined, weight.source) : null;
  }

  /** The weight whose line passes a place; null where none is near. */
  weightAt(columns, x, y) {
    const at = columns.findIndex((column, i) => i > 0 && columns[i - 1].x < x && x < column.x);
    if (at < 1) return null;
    const [from, to] = [columns[at - 1], columns[at]];
    const [start, end] = [from.x + from.half[0], to.x - to.half[0]]; // between them a line is not level
    const t = Math.max(0, Math.min(1, (x - start) / (end - start)));
    const along = t * t * (3 - 2 * t); // as the lines are bent in playground/figures/graphs.py
    const steepness = (6 * t * (1 - t) * this.size.high) / ((end - start) * this.size.wide); // of a line over all rows
    let nearest = null;
    let least = NEAR_LINE * this.board.scale;
    from.y.forEach((low, source) =>
      to.y.forEach((high, row) => {
        const below = Math.abs(low + (high - low) * along - y) * this.size.high;
        const distance = below / Math.hypot(1, (high - low) * steepness); // across the line, not straight down
        if (distance >= least) return;
        least = distance;
        nearest = { layer: to.layer, unit: to.units[row], source: from.units[source] };
      })
    );
    return nearest;
  }

  destroy() {
    this.board.turns.controls.delete(this);
    for (const each of [...this.inHead, this.noise]) each?.destroy?.();
  }
}

/** The classes to click points with, as buttons in the colours and shapes of the classes. */
export class Brush {
  /** `chart` has spec.brush, board, slot and figure, whose `meta.classes` says how many there are. */
  constructor(chart) {
    this.chart = chart;
    this.board = chart.board;
    this.buttons = [];
    const { words } = this.board;
    this.root = element("span", {
      class: "brush",
      role: "radiogroup",
      "aria-label": words.network.brush,
      "data-knob": chart.spec.brush,
    });
    this.root.append(element("span", { class: "label", "aria-hidden": "true" }, words.network.brushLabel));
    chart.slot.append(this.root);
    this.board.turns.controls.add(this);
    this.show();
  }

  show() {
    const { turns, words } = this.board;
    const knob = this.chart.spec.brush;
    const spec = turns.spec(knob);
    const count = Math.min(this.chart.figure?.layout.meta?.classes ?? 0, spec ? spec.hi + 1 : 0);
    this.root.hidden = count === 0;
    for (let label = this.buttons.length; label < count; label++) {
      this.buttons.push(element(
        "button",
        {
          type: "button",
          role: "radio",
          class: `class-${label}`,
          title: fill(words.network.brushClass, { label }),
          "aria-label": fill(words.network.brushClass, { label }),
          onclick: () => this.board.turn(knob, label),
          onkeydown: (event) => this.key(event, label),
        },
        element("i", { class: SHAPES[label] }),
        String(label),
      ));
      this.root.append(this.buttons[label]);
    }
    const chosen = Math.min(turns.value(knob) ?? 0, count - 1);
    this.buttons.forEach((button, label) => {
      button.hidden = label >= count;
      button.setAttribute("aria-checked", String(label === chosen));
      button.tabIndex = label === chosen ? 0 : -1;
      button.style.setProperty("--class", this.board.palettes ? this.board.colour(`@class${label}`) : "");
    });
    this.count = count;
  }

  /** The arrow keys choose, as in every group of which one is chosen. */
  key(event, label) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = (label + by + this.count) % this.count;
    this.board.turn(this.chart.spec.brush, next);
    this.buttons[next].focus();
  }

  take() {
    const { classes } = this.chart.figure?.layout.meta ?? {};
    if (classes !== this.count) this.show();
  }

  draw() {
    this.show();
  }

  destroy() {
    this.board.turns.controls.delete(this);
  }
}

/** Open the part of the drawer where visitors bring points of their own. */
function showOwnPoints() {
  setDrawer(true);
  const summary = /** @type {HTMLElement} */ (document.querySelector('.st-key-drawer [class*="-data"] summary'));
  if (!summary) return;
  if (!summary.closest("details")?.open) summary.click();
  summary.focus();
}

/** Place a node by its middle and its top. */
function put(node, left, top) {
  node.style.left = `${left.toFixed(1)}px`;
  node.style.top = `${top.toFixed(1)}px`;
}

/** Disable a button without taking the focus from it. */
function disable(button, isOff) {
  button.setAttribute("aria-disabled", String(isOff));
}

/** The sign of a setting that the teacher's link keeps as it is. */
function lock() {
  return element("span", { class: "lock", "aria-hidden": "true" }, icon("lock"));
}

function mark(node, isOn, name) {
  if (isOn) node.setAttribute(name, "true");
  else node.removeAttribute(name);
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
