// The class's question in the app: in the rail of the lesson that it is about, or else in a panel below the bar.

import { element, fill, readNumber } from "../dom.js";
import { Sketch } from "../controls/rail/sketch.js";

const OPEN = ["open 1", "open 2"];

export class Vote {
  /** `answer` is called with an option's key, a number, or the heights of a curve. */
  constructor(words, answer) {
    this.words = words;
    this.answer = answer;
    this.root = element("div", { class: "class-vote", role: "group", "aria-label": words.question });
    this.panel = element("div", { class: "class-panel", hidden: "" });
    this.shown = "";
    this.board = null;
  }

  /** Whether the question stands in the page's own rail. */
  get isHere() {
    return Boolean(this.board);
  }

  /** Show a vote, or nothing (null): in the rail of `board`, or without one in the panel; `page` is what is open. */
  show(vote, board, page) {
    if (board !== this.board || !vote) this.leave();
    if (!vote) {
      this.panel.hidden = true;
      this.shown = "";
      return;
    }
    this.vote = vote;
    if (board && !this.board) this.enter(board);
    this.panel.hidden = Boolean(board);
    if (!board && this.root.parentElement !== this.panel) this.panel.replaceChildren(this.root);
    const { id, state, answer, first, result, results, say } = vote; // what is drawn of it
    const shown = JSON.stringify([id, state, answer, first, result, results, say, Boolean(board), page]);
    if (shown === this.shown) return;
    this.shown = shown;
    if (this.typedFor !== `${id} ${state}`) this.typed = undefined;
    this.typedFor = `${id} ${state}`;
    this.draw(page);
    const asked = `${vote.id} ${vote.state}`;
    if (this.isOpen && asked !== this.asked) requestAnimationFrame(() => this.comeIntoSight());
    this.asked = asked;
  }

  /** A question that is new stands above what a phone shows: it is scrolled to, unless it is far away. */
  comeIntoSight() {
    if (this.root.getBoundingClientRect().top > -innerHeight) this.root.scrollIntoView({ block: "nearest" });
  }

  enter(board) {
    this.board = board;
    board.vote = this;
    for (const node of [board.screen, board.rail.root]) node.classList.add("voting");
    board.rail.root.append(this.root);
    board.rail.overlap();
    board.rail.question.begin(); // one curve at a time is drawn
  }

  /** The board goes, or the vote is over. */
  leave() {
    this.dropSketch();
    if (!this.board) return;
    for (const node of [this.board.screen, this.board.rail.root]) node.classList.remove("voting");
    this.board.vote = null;
    this.board.rail.question.begin();
    this.redraw();
    this.root.remove();
    this.board.rail.fit();
    this.board = null;
    this.shown = "";
  }

  get isOpen() {
    return OPEN.includes(this.vote.state);
  }

  get own() {
    const { answer } = this.vote;
    return answer === null || answer === undefined ? undefined : answer;
  }

  // What is drawn.

  draw(page) {
    const { ask } = this.vote;
    const hadFocus = this.root.contains(document.activeElement);
    const focused = document.activeElement?.getAttribute("data-option");
    const question = element("h2", {});
    question.innerHTML = ask.question;
    const line = element("p", {}, this.sentence());
    if (this.vote.say) {
      const say = element("span", {});
      say.innerHTML = this.vote.say;
      line.append(" ", say);
    }
    const acts = element("div", { class: "class-answers" });
    acts.append(...this.acts(page));
    this.root.replaceChildren(element("div", { class: "class-question" }, question, line), acts);
    if (!hadFocus) return;
    const again = focused && this.root.querySelector(`[data-option="${CSS.escape(focused)}"]:not(:disabled)`);
    const next = again || this.root.querySelector("button:not(:disabled), input");
    if (next instanceof HTMLElement) next.focus({ preventScroll: true });
  }

  /** The line below the question. */
  sentence() {
    const { words, vote } = this;
    const { state, first } = vote;
    const has = (value) => value !== null && value !== undefined;
    const said = { answer: this.inWords(this.own), first: this.inWords(first) };
    if (state === "open 1") return fill(has(this.own) ? words.said : words.open, said);
    if (state === "open 2") {
      if (has(this.own)) return fill(words.said, said);
      return has(first) ? fill(words.openAgain, said) : words.open;
    }
    if (state === "closed 1") return has(this.own) ? fill(words.talk, said) : words.talkNone;
    if (state === "closed 2") return has(this.own) ? fill(words.saidOnly, said) : words.waits;
    const isSecond = Boolean(vote.results);
    const own = has(this.own)
      ? fill(isSecond && has(first) ? words.youSaidTwice : words.youSaid, said)
      : isSecond && has(first)
      ? fill(words.youSaidFirst, said)
      : words.youSaidNone;
    return state === "run" && !vote.say ? `${own} ${words.watch}` : own;
  }

  inWords(answer) {
    const { ask } = this.vote;
    if (answer === null || answer === undefined) return "";
    if (ask.kind === "choice") {
      const [, text] = ask.options.find(([key]) => key === answer) ?? ["", String(answer)];
      return new DOMParser().parseFromString(text, "text/html").body.textContent;
    }
    if (ask.kind === "number") return `${number(answer)} ${ask.unit ?? ""}`.trim();
    return this.words.yourCurve;
  }

  /** What can be pressed, or what the class has said. */
  acts(page) {
    const { ask, result, results } = this.vote;
    const shown = results?.at(-1) ?? result;
    this.dropSketch();
    if (shown) return this.resultOf(shown);
    if (ask.kind === "choice") return this.options();
    if (!this.isOpen) return [];
    return ask.kind === "number" ? [this.form()] : this.curve(page);
  }

  options() {
    return this.vote.ask.options.map(([key, text]) => {
      const button = element("button", { type: "button", class: "class-option", "data-option": key });
      button.innerHTML = text;
      button.setAttribute("aria-pressed", String(key === this.own));
      button.disabled = !this.isOpen;
      button.onclick = () => this.answer(key);
      return button;
    });
  }

  form() {
    const { words } = this;
    const { lo, hi, unit } = this.vote.ask;
    const range = fill(words.range, { lo: number(lo), hi: number(hi), unit: unit ?? "" }).trim();
    const hint = element("span", { class: "class-hint", id: "class-hint" }, range);
    const field = element("input", {
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      "aria-label": words.send,
      "aria-describedby": hint.id,
      value: this.typed ?? this.own ?? "",
      oninput: () => (this.typed = field.value),
    });
    const form = element(
      "form",
      { class: "class-number", novalidate: "" },
      field,
      element("button", { type: "submit", class: "class-option" }, words.send),
      hint,
    );
    form.onsubmit = (event) => {
      event.preventDefault();
      const value = readNumber(field.value, { hi, unit });
      if (value >= lo && value <= hi) {
        this.typed = undefined;
        return this.answer(value);
      }
      field.setAttribute("aria-invalid", "true");
      field.focus();
      hint.textContent = fill(words.notANumber, { value: field.value, lo: number(lo), hi: number(hi) });
    };
    return form;
  }

  /** A curve is drawn in its chart; from elsewhere a link leads there. */
  curve(page) {
    const { words, board } = this;
    const { chart, grid } = this.vote.ask;
    const found = board?.charts.get(chart);
    if (!found) {
      const address = `./${this.vote.page}${this.vote.query || "?"}`;
      const link = element("a", { class: "class-option", href: withClass(address) }, words.openLesson);
      return page === this.vote.page ? [] : [element("span", { class: "class-hint" }, words.drawThere), link];
    }
    board.places.open(chart);
    const commit = () => this.sketch && !this.sketch.isEmpty && this.answer(this.sketch.heights);
    this.sketch = new Sketch(found, { grid, positive: false }, { done: commit, changed: () => this.changed() });
    const button = (text, act) => element("button", { type: "button", class: "class-option", onclick: act }, text);
    this.clearing = button(words.clear, () => this.sketch.clear());
    this.sending = button(words.sendCurve, commit);
    this.changed();
    const hint = fill(words.drawHint, { title: found.spec.title });
    return [element("span", { class: "class-hint" }, hint), this.clearing, this.sending];
  }

  changed() {
    this.clearing.disabled = this.sending.disabled = !this.sketch || this.sketch.isEmpty;
    this.redraw();
  }

  redraw() {
    const { ask } = this.vote ?? {};
    if (ask?.kind === "curve") this.board?.charts.get(ask.chart)?.draw();
  }

  dropSketch() {
    this.sketch?.destroy();
    this.sketch = null;
  }

  /** The drawn curve, as traces of its chart. */
  traces(chart) {
    const { ask } = this.vote;
    if (ask.kind !== "curve" || chart.spec.name !== ask.chart || !chart.shown) return [];
    const y = this.sketch && !this.sketch.isEmpty ? this.sketch.heights : this.own;
    const line = { width: 2.5, dash: "6px,4px", color: this.board.colour("@mark") };
    return y
      ? [{ type: "scatter", mode: "lines", showlegend: false, hoverinfo: "skip", x: [...ask.grid], y: [...y], line }]
      : [];
  }

  /** What the class said: a bar for each option, or what the numbers are. */
  resultOf(result) {
    const { words } = this;
    const { ask } = this.vote;
    if (ask.kind === "choice") {
      const most = Math.max(1, result.n);
      return ask.options.map(([key, text]) => {
        const count = result.sums?.[key] ?? 0;
        const share = element("i", { "aria-hidden": "true" });
        share.style.width = `${(100 * count) / most}%`;
        const name = element("span", {});
        name.innerHTML = text;
        const own = key === this.own ? " mine" : "";
        return element(
          "div",
          { class: `class-result${own}`, "data-result": key },
          name,
          element("em", {}, String(count)),
          share,
        );
      });
    }
    if (ask.kind === "number") {
      const { values = [] } = result;
      const at = (share) => number(values[Math.round(share * (values.length - 1))] ?? 0);
      const said = { n: result.n, low: at(0), high: at(1), left: at(0.25), right: at(0.75) };
      return [element("p", { class: "class-hint" }, fill(words.numbers, said))];
    }
    return [element("p", { class: "class-hint" }, fill(words.curves, { n: result.n }))];
  }
}

/** An address of a lesson, in this class. */
function withClass(address) {
  const url = new URL(address, location.href);
  url.searchParams.set("class", new URLSearchParams(location.search).get("class") ?? "");
  return url.href;
}

const number = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 }).replace("-", "−");
