// The second of two compared runs: its stream, laid over the pictures of the first. Lines are drawn dashed and pale,
// a plane is shared by a curtain that can be dragged, and any other picture stands below the first run's.

import { Chart } from "./chart/chart.js";
import { element } from "./dom.js";
import { plain, write } from "./controls/numbers.js";
import { askNext, CLOSED, Stream } from "./wire/stream.js";

const ROOM_REM = 90; // that all numbers of two runs and a sentence need; with less, the last number is with the others

export class Companion {
  /** `board` is the first run's, with charts, numbers and places. */
  constructor(board, run) {
    this.board = board;
    this.run = run;
    this.heading = "";
    this.waiting = []; // frames to be shown
    this.twins = new Map();
    this.numbers = new Map(); // beside the first run's
    this.sizer = new ResizeObserver(([{ contentRect }]) => this.makeRoom(contentRect.width));
    this.sizer.observe(board.root);
    const stream = new Stream(`live/${run}?keeps=1`, {
      frame: (frame) => {
        if (this.stream !== stream) return;
        if (frame.keep === undefined) this.receive(frame);
        else board.comingBack.takeSecond(run, frame);
      },
      connected: (yes) => yes && this.ask(),
      ended: (reason, code) => {
        if (reason) board.tell(reason);
        if (code === CLOSED) board.comingBack.forgetSecond();
        this.leave();
      },
    });
    this.stream = stream;
  }

  /** The chart of the second run behind one of the first: made when it is first wanted. */
  twin(chart) {
    const { name } = chart.spec;
    if (!this.twins.has(name)) {
      const plain = {
        beside: "",
        click: "",
        turns: [],
        toggles: [],
        sliders: [],
        place: [],
        pins: false,
        network: null,
        controls: [],
        brush: "",
      };
      const twin = new Chart({ ...chart.spec, ...plain }, this.board);
      twin.plot.removeAttribute("data-chart");
      twin.host = chart;
      this.twins.set(name, twin);
    }
    return this.twins.get(name);
  }

  /** The charts that show both runs: the large one and the strip. */
  wanted() {
    const { hero } = this.board.places.shown;
    return [hero, this.board.places.strip].filter((chart) => chart?.visible);
  }

  ask() {
    const charts = this.wanted().map(({ spec }) => spec.name);
    const options = this.board.rail.question.hiding(this.board.options);
    const asked = JSON.stringify([charts, options]);
    this.asked = asked;
    this.stream?.send({ ask: charts, options });
  }

  /** What is to be shown may have changed: another hero, another toggle. */
  changed() {
    const charts = this.wanted().map(({ spec }) => spec.name);
    const options = this.board.rail.question.hiding(this.board.options);
    if (JSON.stringify([charts, options]) !== this.asked) this.ask();
    for (const [name, twin] of this.twins) if (!charts.includes(name)) twin.host.showTwin(null);
  }

  receive(frame) {
    if (this.drawing) {
      this.waiting.push(frame);
      return;
    }
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      const last = this.waiting.pop();
      for (const each of this.waiting.splice(0)) this.show(each);
      if (last) this.receive(last);
    });
    try {
      this.show(frame);
    } finally {
      askNext(() => this.ask());
    }
  }

  show(frame) {
    if (frame.heading !== undefined) this.heading = frame.heading;
    if (frame.notice) this.board.tell(frame.notice);
    this.takeNumbers(frame.status ?? {});
    for (const [name, part] of Object.entries(frame.charts ?? {})) {
      const host = this.board.charts.get(name);
      const twin = this.twin(host);
      twin.take(part);
      host.showTwin(twin, this.heading, part.set);
    }
    this.board.root.dataset.second = this.run;
  }

  /** Show the second run's numbers beside the first run's. */
  takeNumbers(status) {
    for (const [name, value] of Object.entries(status)) {
      const first = this.board.numbers.status[name];
      if (!first || ["step", "epoch", "steps_per_second"].includes(name)) continue;
      if (!this.numbers.has(name)) {
        const node = element("span", { class: "of-second", "data-second": name, translate: "no" });
        this.numbers.set(name, node);
        first.after(node);
      }
      write(this.numbers.get(name), value === null ? "–" : plain(value));
    }
  }

  /** Where two numbers each would leave no room for the sentence beside them, move the last one to the others. */
  makeRoom(width) {
    const { shown, root } = this.board.numbers;
    const others = root.querySelector(".other-numbers");
    const isTight = width < ROOM_REM * 16 * this.board.scale;
    if (!others || isTight === Boolean(this.moved)) return;
    if (isTight) others.prepend(this.moved = shown.lastElementChild);
    else {
      shown.append(this.moved);
      this.moved = null;
    }
  }

  leave() {
    this.sizer.disconnect();
    this.makeRoom(Infinity);
    this.stream?.close();
    this.stream = null;
    for (const twin of this.twins.values()) {
      twin.host.showTwin(null);
      twin.destroy();
    }
    this.twins.clear();
    delete this.board.root.dataset.second;
    for (const node of this.numbers.values()) node.remove();
  }
}
