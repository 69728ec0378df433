// The question of an experiment before it runs: its answers in the rail, the answer in the chart, and the verdict.

import { element, fill, readNumber } from "../../dom.js";
import { keptAnswer } from "../../kept_run/answer.js";
import { Sketch } from "./sketch.js";

const ENDED = ["done", "failed"];
const TELL_MS = 500; // after which the page hears an answer also where no frame of its run has come

export class Question {
  /** `send` gives the page what was answered. */
  constructor(board, { send }) {
    this.board = board;
    this.send = send;
    this.data = null; // what the page knows of the prediction of the experiment that is set up
    this.sketch = null;
    this.untold = null; // an answer whose run begins, until its first frame is painted
    this.root = element("div", { class: "rail-answers", "data-answers": "" });
  }

  /** "open", "running", "changed", "late" or "graded"; "" without a question. */
  get phase() {
    return this.data?.phase ?? "";
  }

  get isOpen() {
    return this.phase === "open";
  }

  /** Whether nothing but an answer starts the run. */
  get isRequired() {
    return this.isOpen && this.data.required;
  }

  get needsWhy() {
    return this.phase === "graded" && !this.data.why.answer;
  }

  /** The page says what it knows of the question. Returns whether that is new. */
  update(data) {
    const shown = JSON.stringify(data);
    if (shown === this.shown) return false;
    this.shown = shown;
    const before = this.data;
    this.data = data;
    this.asked = "";
    if (before?.phase !== data?.phase || before?.question !== data?.question) this.begin();
    this.write();
    for (const name of new Set([...before?.hides ?? [], ...data?.hides ?? []])) this.lock(name);
    this.board.player?.lock(this.isRequired);
    this.showLarge();
    if (this.isOpen && before?.phase !== "open") this.bringIntoSight();
    for (const ask of [before?.ask, data?.ask]) this.board.charts.get(ask?.chart)?.draw();
    if (before?.hides?.length || data?.hides?.length) this.board.changed();
    if (this.board.run) this.follow(this.board.root.dataset.state, this.board.numbers.values.step); // it may have ended
    if (this.needsWhy && this.whyBefore) this.sayAgain({ why: this.whyBefore });
    return true;
  }

  /** A new phase: a curve is drawn only while its question is open. */
  begin() {
    this.sketch?.destroy();
    this.sketch = null;
    const { ask } = this.data ?? {};
    if (!this.isOpen || ask.kind !== "curve" || this.board.vote) return; // the class's question comes first
    const chart = this.board.charts.get(ask.chart);
    const changed = () => {
      this.drawSoon(chart);
      this.showTools();
    };
    this.sketch = new Sketch(chart, ask, { done: () => this.commitCurve(), changed });
  }

  /** A strip is low: it is higher while a curve is drawn in it, and while the gap to the truth is explained. */
  showLarge() {
    const { ask } = this.data ?? {};
    const chart = ask?.kind === "curve" && (this.isOpen || this.needsWhy)
      ? this.board.charts.get(ask.chart)
      : undefined;
    const { strip } = this.board.places;
    this.isRaised = Boolean(chart) && chart === strip;
    strip?.card.classList.toggle("raised", this.isRaised);
    this.board.screen.classList.toggle("drawn-in", this.isRaised);
  }

  /** Where the window is too low for the board, a question, its answers and what is drawn in are seen together. */
  bringIntoSight() {
    if (!this.isOpen) return;
    const { places, rail } = this.board;
    const parts = [...(this.isRaised ? [places.strip.card] : []), rail.root];
    requestAnimationFrame(() => parts.forEach((part) => part.scrollIntoView({ block: "nearest" })));
  }

  /** A chart to draw in has to be a large one. */
  openChart() {
    if (this.sketch) this.board.places.open(this.data.ask.chart);
  }

  /** A switch that shows the answer is off while the question is open. */
  lock(name) {
    for (const box of this.board.root.querySelectorAll(`input[type=checkbox][name="${name}"]`)) {
      box.disabled = this.isOpen && this.data.hides.includes(name);
    }
  }

  /** The options of a chart without what would show the answer. */
  hiding(options) {
    if (!this.isOpen || !this.data.hides.length) return options;
    return { ...options, ...Object.fromEntries(this.data.hides.map((name) => [name, false])) };
  }

  // What the player asks.

  /** Play or Step without an answer counts as Skip. Returns whether the page does the rest. */
  skips() {
    if (!this.isOpen || this.untold) return false;
    if (this.isRequired) return true;
    const { isReady } = this;
    if (isReady) this.tellSoon({ skip: "play", begun: true });
    else this.commit({ skip: "play" });
    return !isReady;
  }

  /**
   * Give an answer, or none. The run begins at once where it stands ready; else the server sets it up, or draws the
   * lab, when the answer comes, on the board's own line or with the page.
   */
  commit(sent) {
    if (this.untold) return;
    const { board, isReady } = this;
    const play = "answer" in sent ? this.playToItsEnd() : { do: "play" };
    const command = isReady ? play : { do: "answer", id: board.rail.data.set, ...sent };
    const begins = Boolean(board.stream?.send(command));
    if (begins) this.tellSoon({ ...sent, begun: isReady });
    else this.send({ ...sent, begun: false });
  }

  /** Tell the page what was answered after the first frame: a page that is drawn again would hold it up. */
  tellSoon(sent) {
    this.untold = sent;
    this.timer = setTimeout(() => this.tell(), TELL_MS);
  }

  tell() {
    clearTimeout(this.timer);
    const sent = this.untold;
    this.untold = null;
    if (sent) this.send(sent);
  }

  /** Whether the run stands at step 0, with the experiment's settings. */
  get isReady() {
    const { root, numbers } = this.board;
    return this.data.applied && root.dataset.state === "paused" && numbers?.values?.step === 0;
  }

  /** The command to play: a run that is to show the truth stops where the question ends. */
  play() {
    return this.phase === "running" ? this.playToItsEnd() : { do: "play" };
  }

  playToItsEnd() {
    const { until } = this.data;
    const steps = until - (this.board.numbers?.values?.step ?? 0);
    return until && steps > 0 ? { do: "play", steps } : { do: "play" };
  }

  /**
   * A server that was started again asks what was answered before, of a run that has come back: give the same answer.
   * The run stops where the question ends.
   */
  answerAgain() {
    const said = this.isOpen && this.data.own ? keptAnswer(this.board.rail.place) : null;
    if (!said) return;
    const { why, ...first } = said;
    this.whyBefore = why;
    this.isAgain = "answer" in first;
    this.sayAgain({ ...first, begun: true });
  }

  sayAgain(said) {
    this.board.component.setTriggerValue("tried", { id: this.board.rail.data.set, ...said });
  }

  /** The run has another state: once it is where the question ends, the page compares it with the answer. */
  follow(state, step) {
    if (this.untold && (step > 0 || this.data.still)) {
      requestAnimationFrame(() => setTimeout(() => this.tell())); // when it is painted
    }
    if (this.phase !== "running" || this.data.still) return;
    const { until } = this.data;
    if (state === "playing" && until) {
      if (step > until) this.board.send({ do: "pause" }); // it came back from a lost worker, and did not know the end
      else if (this.isAgain) this.board.send(this.playToItsEnd());
      this.isAgain = false;
    }
    const isThere = ENDED.includes(state) || (state === "paused" && until && step >= until);
    const asked = `${state} ${step}`;
    if (!isThere || asked === this.asked) return;
    this.asked = asked;
    this.send({ reached: true });
  }

  // The answers.

  write() {
    const { data } = this;
    const { words } = this.board;
    this.root.className = `rail-answers ${this.phase} ${data?.ask.kind ?? ""}`;
    if (this.isOpen) this.root.replaceChildren(this[data.ask.kind]());
    else if (this.phase === "running") {
      const said = data.ask.kind === "curve" ? words.saidCurve : fill(words.said, { answer: data.said });
      this.root.replaceChildren(element("p", {}, said));
    } else if (this.phase === "changed") this.root.replaceChildren(element("p", {}, words.predictChanged));
    else if (this.phase === "late") this.root.replaceChildren(element("p", {}, words.predictLate));
    else if (this.needsWhy) this.root.replaceChildren(this.options(data.why.options, (why) => this.send({ why })));
    else this.root.replaceChildren();
    this.showTools();
  }

  /**
   * Take at most this share of the rail, and no more than the answers have in their rows: the question beside them has
   * the rest. On a phone they stand below it.
   */
  fit(share) {
    const { style } = this.root;
    style.width = style.maxWidth = "";
    const parts = [...this.root.firstElementChild?.children ?? []];
    if (!parts.length || getComputedStyle(this.board.rail.root).flexWrap === "wrap") return;
    style.maxWidth = `${100 * share}%`;
    const text = document.createRange();
    const right = Math.max(...parts.map((each) => {
      text.selectNodeContents(each);
      return (each.matches(".rail-hint") ? text : each).getBoundingClientRect().right;
    }));
    style.width = `${Math.ceil(right - this.root.getBoundingClientRect().left)}px`;
  }

  options(list, choose) {
    const label = new DOMParser().parseFromString(this.data.why?.question ?? this.data.question, "text/html");
    return element(
      "div",
      { class: "rail-options", role: "group", "aria-label": label.body.textContent },
      ...list.map(({ key, text }) => {
        const button = element("button", { type: "button", class: "rail-option", "data-option": key });
        button.innerHTML = text;
        button.onclick = () => choose(key);
        return button;
      }),
    );
  }

  choice() {
    return this.options(this.data.ask.options, (answer) => this.commit({ answer }));
  }

  number() {
    const { words } = this.board;
    const { lo, hi, unit } = this.data.ask;
    const limits = { lo: asText(lo), hi: asText(hi), unit };
    const hint = element("span", { class: "rail-hint", id: `hint-${this.board.session}` });
    const write = (sentence, value) => (hint.textContent = fill(sentence, { ...limits, value }).trim());
    const say = (sentence, value) => {
      write(sentence, value);
      this.board.rail.fit(); // a longer sentence moves nothing below
    };
    write(words.numberRange);
    const field = element("input", {
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      "aria-label": words.numberAnswer,
      "aria-describedby": hint.id,
      oninput: () => {
        field.removeAttribute("aria-invalid");
        say(words.numberRange);
      },
    });
    const form = element(
      "form",
      { class: "rail-number", novalidate: "" },
      field,
      element("button", { type: "submit", class: "rail-option" }, words.numberSubmit),
      hint,
    );
    form.onsubmit = (event) => {
      event.preventDefault();
      const answer = readNumber(field.value, this.data.ask);
      if (answer >= lo && answer <= hi) return this.commit({ answer });
      field.setAttribute("aria-invalid", "true");
      field.focus();
      say(field.value.trim() ? words.numberBad : words.numberBlank, field.value);
      this.board.announcer.say(hint.textContent);
    };
    return form;
  }

  curve() {
    const { words } = this.board;
    const button = (text, act) => element("button", { type: "button", class: "rail-option", onclick: act }, text);
    this.undo = button(words.undo, () => this.sketch?.undo());
    this.clear = button(words.clear, () => this.sketch?.clear());
    this.finish = button(words.curveSubmit, () => this.commitCurve());
    this.hint = element("span", { class: "rail-hint" });
    return element("div", { class: "rail-curve" }, this.undo, this.clear, this.finish, this.hint);
  }

  showTools() {
    if (!this.sketch || !this.hint) return;
    const { words, charts } = this.board;
    const { isEmpty } = this.sketch;
    this.undo.disabled = !this.sketch.before.length;
    this.clear.disabled = this.finish.disabled = isEmpty;
    const { title } = charts.get(this.data.ask.chart).spec;
    const text = isEmpty ? fill(words.curveHint, { title }) : words.curveMore;
    if (this.hint.textContent === text) return;
    this.hint.textContent = text;
    this.board.rail?.fit();
  }

  commitCurve() {
    if (this.sketch && !this.sketch.isEmpty) this.commit({ answer: this.sketch.heights });
  }

  /** Put the focus where the answer is given. */
  focus() {
    const target = this.sketch?.root ?? this.root.querySelector("input, button:not(:disabled)") ??
      (this.phase === "running" ? this.board.player?.play : undefined);
    target?.focus({ preventScroll: true });
    return Boolean(target);
  }

  // What the rail says.

  /** The words of the rail's line: a title and a sentence, as HTML. */
  line({ title, before, after }) {
    const { words } = this.board;
    const { data } = this;
    if (this.isOpen) return [title, data.question];
    if (this.phase !== "graded") return [title, before];
    const { verdict, why } = data;
    if (!why.answer) {
      return [verdict.right ? words.predictRight : words.predictWrong, `${verdict.sentence} <b>${why.question}</b>`];
    }
    return [why.right ? words.whyRight : words.whyWrong, `<b>${why.feedback}</b> ${why.because} ${after}`];
  }

  // The answer in a chart.

  drawSoon(chart) {
    if (this.isPlanned) return;
    this.isPlanned = true;
    requestAnimationFrame(() => {
      this.isPlanned = false;
      chart.draw();
    });
  }

  /** What a chart shows of the answer, as traces: a dashed line, and beside the truth the gap between them. */
  traces(chart) {
    const { ask, answer, verdict } = this.data ?? {};
    if (this.board.vote) return this.board.vote.traces(chart);
    if (ask?.chart !== chart.spec.name || !chart.shown) return [];
    const { words } = this.board;
    const dashed = { width: 2.5, dash: "6px,4px", color: this.board.colour("@mark") };
    const common = { type: "scatter", mode: "lines", showlegend: false };
    const line = (x, y, name) => ({ ...common, x, y, name, hoverinfo: "name+x+y", line: dashed });
    const shade = { fill: "toself", fillcolor: this.board.colour("@mark/0.25"), line: { width: 0 }, hoverinfo: "skip" };
    const gap = (x, y) => ({ ...common, x, y, name: words.predictGap, ...shade });
    if (ask.kind === "curve") {
      const { grid } = ask;
      const drawn = this.sketch ? (this.sketch.isEmpty ? null : this.sketch.heights) : answer;
      const ends = [grid[0], grid.at(-1)]; // so that the axis has room for the whole curve
      const room = { ...line(ends, ask.y ?? [null, null], ""), hoverinfo: "skip", opacity: 0 };
      if (!drawn) return this.isOpen ? [room] : [];
      const truth = verdict?.truth;
      const between = truth ? [gap([...grid, ...[...grid].reverse()], [...drawn, ...[...truth].reverse()])] : [];
      const open = this.isOpen ? [room] : [];
      return [...open, ...between, line([...grid], [...drawn], words.predictLine)];
    }
    if (answer === null || answer === undefined) return [];
    const ranges = { x: chart.shown.layout.xaxis, y: chart.shown.layout.yaxis };
    const [low, high] = ends(ranges[ask.axis === "y" ? "x" : "y"]);
    const upright = ask.axis === "x";
    const place = (across, along) => upright ? [across, along] : [along, across];
    const truth = verdict?.truth;
    const between = typeof truth === "number"
      ? [gap(...place([answer, answer, truth, truth], [low, high, high, low]))]
      : [];
    return [...between, line(...place([answer, answer], [low, high]), words.predictLine)];
  }

  destroy() {
    clearTimeout(this.timer);
    this.sketch?.destroy();
  }
}

/** The ends of an axis in its units. */
function ends({ type, range = [0, 1] }) {
  return type === "log" ? range.map((each) => 10 ** each) : [...range];
}

const asText = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 }).replace("-", "−");
