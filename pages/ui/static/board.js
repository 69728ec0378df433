// The board: the one component that shows charts, either still (a frame in its data) or live (a run's stream).

import { Chart } from "./chart/chart.js";
import { Companion } from "./companion.js";
import "./page/history.js";
import { loadPlotly } from "./chart/plotly.js";
import { element, rgb, toggleFullScreen } from "./dom.js";
import { isForgotten, loadAgain, noteSession } from "./page/session.js";
import { decode, fromBase64 } from "./wire/codec.js";
import { Announcer } from "./controls/announcer.js";
import { Pins } from "./controls/pins.js";
import { Numbers } from "./controls/numbers.js";
import { Turns } from "./controls/knob.js";
import { LabLine } from "./controls/lab_line.js";
import { Bar, Player } from "./controls/player.js";
import { Rail } from "./controls/rail/rail.js";
import { Strip } from "./controls/strip.js";
import { ComingBack } from "./kept_run/coming_back.js";
import { keepStep, stepBeforeReload } from "./kept_run/reloaded.js";
import { Places } from "./places.js";
import { followOrder } from "./reading_order.js";
import { askNext, CLOSED, NO_RUN, Stream } from "./wire/stream.js";
import { themeOf } from "./theme.js";
import { markNumbersAndCode } from "./page/translated.js";

const MAX_SPOKEN = 240; // characters of a chart in words that are said without being asked for
const SMALL_EVERY = 8; // which frames have the small pictures
const MAX_TRIES = 3; // of a line that never opened, until the board says what may block it
const SHOW_MS = 40; // of drawing, then the browser shows what is drawn: Plotly takes about 50 ms for a new figure
const TOLD_MS = 10_000; // how long a sentence stays that need not be seen again

window.__board_frames ??= 0;

export class Board {
  constructor(parent, data) {
    this.words = data.words;
    this.statusLabels = data.status;
    this.units = data.units ?? [];
    this.unitNames = data.unitNames ?? {};
    this.settings = data.settings ?? {};
    this.knobs = data.knobs ?? [];
    this.data = data;
    this.options = {};
    this.frames = 0;
    this.undrawn = []; // [name, part] of charts of the last frame
    this.heading = "";
    this.scale = 1; // of the page's type: 1.5 with A+
    this.early = []; // what is to be done when the run is there
    this.wasConnected = false;
    this.vote = null; // the class's question, while it stands in the rail
    this.classmates = null; // all runs of the class, behind the own loss curve
    this.gone = new AbortController();
    this.root = element("div", { "data-board": "" });
    this.screen = element("div", { class: "screen" });
    this.root.append(this.screen);
    parent.append(this.root);
    addEventListener("class:asks", () => this.rail && this.saysThatItShows(), { signal: this.gone.signal });
    this.announcer = new Announcer();
    this.turns = new Turns(this);
    this.charts = new Map(data.charts.map((spec) => [spec.name, new Chart(spec, this)]));
    this.places = new Places(this);
    if (data.run) {
      if (!data.reads) keepStep(() => this.run, () => this.numbers.status.step.textContent, this.gone.signal);
      this.pinnable = data.charts.some((spec) => spec.pins) && data.settings;
      this.numbers = new Numbers(this);
      this.strip = new Strip(this);
      this.player = new Player(this);
      this.comingBack = new ComingBack(this);
      if (this.pinnable) this.pins = new Pins(this);
    } else this.lab = new LabLine(this);
    this.bar = this.player?.bar ?? new Bar(this);
    this.rail = new Rail(this);
    const { second, thumbs, hero } = this.places;
    const [above, below] = data.run
      ? [[hero, this.player.signs], [this.numbers.root, this.strip.root]]
      : [[hero, this.lab.refusal], [this.lab.root]];
    const player = this.player?.root ?? element("div", { class: "player" }, this.bar.root);
    this.order = followOrder(this.screen, {
      wide: [this.rail.root, second, thumbs, ...above, ...below, player],
      phone: [...above, ...below, this.rail.root, second, thumbs, player],
    });
    this.root.append(this.places.more, this.places.park, ...(this.pins ? [this.pins.root] : []), this.announcer.region);
    if (this.places.strip) this.strip?.hold(this.places.strip.card);
    this.places.arrange();
    this.followType();
    const listen = (type, act) => window.addEventListener(type, act, { signal: this.gone.signal });
    listen("board:pin", () => this.pins?.add());
    listen("board:fullscreen", () => toggleFullScreen(this.root));
    loadPlotly(data.plotly).then(
      () => [...this.charts.values()].forEach((chart) => chart.draw()), // frames that arrived while it loaded
      () => this.say(this.words.noCharts),
    );
  }

  /** Keep `scale` at the size of the page's type; charts are drawn again when it changes. */
  followType() {
    const rem = element("i", { class: "rem", "aria-hidden": "true" });
    this.root.append(rem);
    this.typeWatcher = new ResizeObserver(([{ contentRect }]) => {
      const scale = contentRect.width / 16 || 1;
      if (scale === this.scale) return;
      this.scale = scale;
      for (const chart of this.charts.values()) chart.recolour();
    });
    this.typeWatcher.observe(rem);
  }

  /** Streamlit has run the page again: new data, or a new theme. */
  update(component) {
    this.component = component;
    const { data, parentElement } = component;
    this.dress(data, parentElement);
    this.session = data.session;
    noteSession(data.session);
    markNumbersAndCode();
    this.lab?.update(data);
    if (data.frame) this.show(data);
    if (data.run && data.run !== this.given) {
      this.given = data.run; // by the page; what is watched may be the run that came back in its place
      if (data.run !== this.run) this.comingBack.open(data.run);
    }
    this.rail.update(data.rail);
    if (!this.comingBack?.pending) this.compareWith(data.second);
    this.saysThatItShows();
  }

  /** A class's bar hears it, or asks for it (`class:asks`) where it has come later. */
  saysThatItShows() {
    dispatchEvent(new CustomEvent("board:shows", { detail: this }));
  }

  /** Show a run that others control, or another page's still lab: what is pressed here has no effect. */
  readFrom(stream) {
    this.stream = stream;
    if (!this.lab) this.run = "read";
    for (const part of [this.player?.root, this.strip?.root, this.bar.root, this.lab?.refusal]) {
      if (part) part.inert = true;
    }
  }

  /** Take what the data say of settings, knobs and colours. */
  dress(data, parent) {
    this.palettes = data.palette;
    this.settings = data.settings ?? {};
    this.knobs = data.knobs ?? [];
    this.data = data;
    this.turns.update();
    this.bar.update();
    this.chooseTheme(parent);
  }

  /** Show the first frame before the page is there: no run yet, nothing to be pressed. */
  begin(data, place, frame) {
    this.dress(data, place);
    this.lab?.update(data);
    this.rail.update(data.rail);
    this.paint(frame);
  }

  /** Show a second run over this one; none ends that. */
  compareWith(run) {
    this.screen.classList.toggle("compared", Boolean(this.data.compares));
    if (this.companion?.run === run) return;
    if (this.companion && !run) this.comingBack.forgetSecond();
    this.companion?.leave();
    this.companion = run ? new Companion(this, run) : null;
  }

  /** A still frame comes with the page; a newer one may already have come on the board's own socket. */
  show({ board, number, frame }) {
    if (board !== this.board) {
      this.board = board;
      this.number = 0;
      this.stream?.close();
      const newer = (early) => this.board === board && early.number > this.number && this.paintStill(early);
      const connected = (yes) => this.lineIs(yes);
      this.stream = new Stream(`still/${board}`, {
        frame: newer,
        connected,
        ended: () => {},
        text: () => this.rail.question.tell(), // its answer brings no new picture
      });
    }
    if (number > this.number) this.paintStill(decode(fromBase64(frame)));
  }

  paintStill(frame) {
    const isFirst = !this.number;
    this.number = frame.number;
    this.paint(frame);
    if (this.component.data.speaks && !isFirst) {
      const news = [...this.charts.values()].filter((chart) => chart.visible).flatMap((chart) => chart.news);
      this.announcer.say(news.join(" ").slice(0, MAX_SPOKEN));
    }
    for (const chart of this.charts.values()) chart.dragKnobs?.shown();
  }

  /** A knob was turned in the board: the page checks it and sets its widget. */
  turn(name, value) {
    if (!this.data.reads) this.turns.turn(name, value);
  }

  /** Have the page continue the run from an earlier step and compare it with the run as it is; whether it can. */
  continueFrom(step) {
    if (!this.data.continues || this.numbers.values.loss === null || this.root.dataset.state === "failed") return false;
    this.component.setTriggerValue("continued", { run: this.run, step });
    return true;
  }

  /** A place in a still chart was picked: the page sets its knobs to it. */
  pick(picked) {
    this.component?.setTriggerValue("picked", picked);
  }

  chooseTheme(parent) {
    const theme = themeOf(parent);
    this.font = getComputedStyle(parent).getPropertyValue("--st-font") || "sans-serif";
    if (theme === this.theme) return;
    this.theme = theme;
    for (const chart of this.charts.values()) chart.recolour();
  }

  /** "@train" or "@train/0.3" in the colours of the theme. */
  colour(role) {
    const [name, alpha] = role.slice(1).split("/");
    const hex = this.palettes[this.theme][name] ?? "#888888";
    if (alpha === undefined) return hex;
    return `rgba(${rgb(hex)},${alpha})`;
  }

  /** Watch a run; one that came `back` says so itself. */
  watch(run, back = false) {
    this.stream?.close();
    this.run = run;
    let before = stepBeforeReload(run);
    if (back) before = "";
    this.root.dataset.run = run;
    this.waiting = [];
    this.asked = "";
    const stream = new Stream(`live/${run}?keeps=1`, {
      frame: (frame) => {
        if (this.stream !== stream) return;
        if (frame.keep === undefined) this.receive(frame);
        else this.comingBack.take(frame);
      },
      connected: (yes, tries) => {
        const isBlocked = !this.wasConnected && tries >= MAX_TRIES;
        this.say(yes ? "" : isBlocked ? this.words.blocked : this.words.reconnecting);
        if (yes && before) this.tell(this.words.reloaded.replace("{step}", before));
        if (yes) before = "";
        if (!yes) this.comingBack.noteSeen();
        this.lineIs(yes);
        if (!yes || this.stream !== stream) return;
        for (const early of this.early.splice(0)) early();
        if (this.player.speed.value !== "auto") this.player.sendSpeed();
        for (const chart of this.charts.values()) chart.pad?.connected();
        this.ask(true);
      },
      ended: (reason, code) => {
        if (code === NO_RUN) {
          this.comingBack.lost(reason);
          return;
        }
        if (code === CLOSED) this.comingBack.closed();
        this.isLost(reason);
        this.checkSession();
      },
    });
    this.stream = stream;
  }

  /** The run is gone, and does not come back by itself. */
  isLost(reason) {
    this.player.take({ state: "lost" });
    this.say(reason || this.words.lost);
  }

  /** The line to the server was cut or is back: while it was cut, the server may have forgotten the page. */
  lineIs(up) {
    if (up && this.wasCut) this.checkSession();
    this.wasCut = !up;
    this.wasConnected ||= up;
  }

  /** A page that the server has forgotten loads again from its address, unless that would end a run that continues. */
  async checkSession() {
    if (!await isForgotten(this.session)) return;
    if (this.run && this.root.dataset.state !== "lost") this.say(this.words.forgotten);
    else loadAgain();
  }

  /**
   * Paint a frame and ask for the next while the browser draws this one. A frame that arrives earlier waits.
   * So hardly more than one waits, and a hidden tab, which draws nothing, asks for nothing.
   */
  receive(frame) {
    if (this.drawing) {
      this.waiting.push(frame); // none is left out: each says only what is new
      return;
    }
    this.drawing = true;
    requestAnimationFrame(() => this.undrawn.length ? requestAnimationFrame(() => this.goOn()) : this.goOn());
    try {
      this.paint(frame, SHOW_MS);
    } finally {
      askNext(() => this.ask(true)); // afterwards: what is due depends on the frame
    }
  }

  /** In an animation frame: draw a part of what the last frame has left to draw; if nothing is left, go to the next. */
  goOn() {
    if (this.gone.signal.aborted) return;
    if (this.undrawn.length) {
      requestAnimationFrame(() => this.goOn());
      this.drawCharts(SHOW_MS);
      return;
    }
    this.drawing = false;
    const last = this.waiting.pop();
    for (const frame of this.waiting.splice(0)) this.paint(frame);
    if (last) this.receive(last);
  }

  /** Charts that would be drawn after `ms` milliseconds are left undrawn: the browser shows the others first. */
  paint(frame, ms = Infinity) {
    if (frame.heading !== undefined) this.heading = frame.heading; // of two compared runs: what differs in this one
    for (const part of [this.player, this.numbers, this.strip]) part?.take(frame);
    this.pins?.take();
    this.comingBack?.follow(frame);
    this.rail.state(this.root.dataset.state);
    if (this.numbers) this.announcer.follow(this.numbers.narrator.textContent, this.playing);
    const rank = (name) => this.charts.get(name)?.place === "hero" ? 0 : 1;
    this.undrawn = Object.entries(frame.charts ?? {}).sort(([one], [other]) => rank(one) - rank(other));
    this.frames++;
    requestAnimationFrame(() => (window.__board_frames += window.Plotly ? 1 : 0));
    this.drawCharts(ms);
  }

  drawCharts(ms) {
    const end = performance.now() + ms;
    do {
      const [name, part] = this.undrawn.shift() ?? [];
      this.charts.get(name)?.take(part);
    } while (this.undrawn.length && performance.now() < end);
    if (this.undrawn.length) return;
    if (!this.playing) { for (const chart of this.charts.values()) chart.settle(); }
    if (this.wasPlaying && !this.playing) { for (const chart of this.charts.values()) chart.writeWords(); }
    this.wasPlaying = this.playing;
  }

  get playing() {
    return this.root.dataset.state === "playing";
  }

  /** Ask for the next frame of the visible charts. While the run plays, slow charts are asked for less often. */
  ask(again) {
    if (!this.run) return;
    const charts = [...this.charts.values()].filter((chart) => chart.visible && this.isDue(chart)).map((chart) =>
      chart.spec.name
    );
    const options = this.rail.question.hiding(this.options);
    const asked = JSON.stringify([charts, options]);
    if (!again && asked === this.asked) return;
    if (this.stream.send({ ask: charts, options })) this.asked = asked;
  }

  /**
   * Whether the chart is part of the next frame. Fast charts always are, and the first frame has only those;
   * slow charts are in every `every`-th frame, and in every frame while the run is paused.
   */
  isDue(chart) {
    const every = chart.place === "small" ? Math.max(SMALL_EVERY, chart.spec.every) : chart.spec.every;
    if (every === 1) return true;
    return this.frames > 0 && (!this.playing || !chart.figure || this.frames % every === 0);
  }

  /** What the frame must contain has changed: a chart became visible, or a toggle was switched. */
  changed() {
    this.companion?.changed();
    if (this.data.reads) { for (const chart of this.charts.values()) if (chart.figure) chart.draw(); }
    else this.ask(false);
  }

  /** Send a command; one that comes before the first connection is sent with it. */
  send(command) {
    if (this.data.reads || this.stream?.send(command)) return;
    if (this.wasConnected) this.say(this.words.reconnecting);
    else this.early.push(() => this.stream.send(command));
  }

  edit(command) {
    if (this.run) this.send(command);
  }

  say(text) {
    if (this.numbers) this.numbers.say(text);
    else if (text) this.root.prepend(element("p", { class: "notice", role: "alert" }, text));
  }

  /** Say something that need not stay: after a while the run's own notice is back. */
  tell(text) {
    this.numbers?.say(text, TOLD_MS);
  }

  /** Say something as soon as the run that is watched from now on is there. */
  tellLater(text) {
    this.early.push(() => this.tell(text));
  }

  /** Have the page run again: where its run no longer exists, it opens a new one. */
  restart() {
    this.component.setTriggerValue("restart", this.run);
  }

  leave() {
    dispatchEvent(new CustomEvent("board:leaves", { detail: this }));
    if (this.run && !this.data.reads) this.stream?.send({ do: "leave" });
    this.stream?.close();
    this.gone.abort();
    this.companion?.leave();
    this.typeWatcher.disconnect();
    this.order.disconnect();
    this.places.destroy();
    this.turns.destroy();
    for (const part of [this.player, this.numbers, this.strip]) part?.destroy();
    this.rail.destroy();
    this.announcer.destroy();
    for (const chart of this.charts.values()) chart.destroy();
    this.root.remove();
  }
}

const boards = new WeakMap(); // the board of each element that Streamlit gives us
let early; // the board that shows the first picture before the page is there, and its place

/**
 * Build a board in a place of its own and show its first frame; a function that gives it up. When the page has taken it
 * and its run is there, `begin` is called.
 */
export function openEarly(place, data, bytes, begin) {
  early = { place, begin, board: new Board(place, { ...data, run: data.lab ? undefined : "none yet" }) };
  early.board.begin(data, place, decode(bytes));
  return closeEarly;
}

function closeEarly() {
  early?.board?.leave();
  early?.place.remove();
  early = undefined;
}

/** The early board, moved to its place of the page; undefined if there is none, or if the page has another one. */
function takeEarly(parent, data) {
  if (!early) return undefined;
  const { board, place, begin } = early;
  const names = (each) => JSON.stringify([each.rail?.lesson, Boolean(each.lab), each.charts.map(({ name }) => name)]);
  if (names(board.data) !== names(data)) {
    closeEarly();
    return undefined;
  }
  early = undefined;
  parent.append(board.root);
  board.rail.question.bringIntoSight();
  place.remove();
  if (data.lab) requestAnimationFrame(begin);
  else board.early.push(begin);
  return board;
}

export default function (component) {
  const { parentElement, data } = component;
  let board = boards.get(parentElement);
  if (!board || !board.root.isConnected) {
    board = takeEarly(parentElement, data) ?? new Board(parentElement, data);
    boards.set(parentElement, board);
  }
  board.update(component);
  return () => {
    board.leave();
    boards.delete(parentElement);
  };
}
