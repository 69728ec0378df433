// The rail: one experiment of the lesson in two lines, the way to the others, and a button that sets it up and runs it.

import "../../page/history.js";
import { element, fill } from "../../dom.js";
import { forgetAnswer, keepAnswer } from "../../kept_run/answer.js";
import { FromBefore, ITEM } from "../../questions/from_before.js";
import { notePrediction } from "../../questions/progress.js";
import { popup } from "../menu.js";
import { Question } from "./question.js";

const ASKED = ["open", "running"]; // phases of a question without a verdict
const HAS_PLAYED = ["playing", "done", "failed"];
const REFOCUS_MS = 10_000; // after a click, within which a board of another lab takes over the focus
const opened = new Map(); // by session and lesson: the number of the set-up whose chart was opened last
const LETTER = 8; // pixels, about
const LINE = 19; // pixels, of a sentence
const SHARES = [0.48, 0.56, 0.64]; // of the width, for answers
const MIN_LIST = 320; // pixels
const LIST_MARGIN = 12;
let clickedAt = -Infinity;

export class Rail {
  /** `board` has root, words, announcer, component and places, and its run's step in [data-status=step]. */
  constructor(board) {
    this.board = board;
    const { words } = board;
    const button = (label, sign, className, act) =>
      element("button", { type: "button", class: className, "aria-label": label, title: label, onclick: act }, sign);
    this.earlier = button(words.railEarlier, "‹", "rail-arrow", () => this.look(-1));
    this.later = button(words.railLater, "›", "rail-arrow", () => this.look(1));
    this.number = element("b", {});
    this.count = element("span", {});
    this.all = element(
      "button",
      { type: "button", class: "rail-count", "aria-haspopup": "listbox", title: words.railAll },
      this.number,
      this.count,
    );
    this.list = element("div", { class: "rail-list", role: "listbox", "aria-label": words.railAll });
    this.list.onkeydown = (event) => this.key(event);
    popup(this.all, this.list, () => this.openList());
    this.fromBefore = new FromBefore(this.all);
    this.before = element("p", {});
    this.after = element("p", {});
    this.sentence = element("div", { class: "rail-what" }, this.before, this.after);
    this.question = new Question(board, { send: (sent) => this.send(sent) });
    this.skip = element("button", { type: "button", class: "rail-next", "data-skip": "" }, words.predictSkip);
    this.skip.onclick = () => this.question.commit({ skip: "play" });
    this.required = element("span", { class: "rail-required" }, words.predictRequired); // in the place of Skip
    this.run = element("button", { type: "button", class: "rail-run", "data-try": "", onclick: () => this.tryIt() });
    this.next = element("button", { type: "button", class: "rail-next", onclick: () => this.look(1, true) });
    this.next.append(words.railNext, " ›");
    const [longest] = words.railAgain.toSorted((one, two) => two.length - one.length);
    const reserved = [longest, `${words.railNext} ›`].map((text) => element("span", { class: "rail-next" }, text));
    this.root = element(
      "section",
      { "data-rail": "", class: "rail", "aria-label": words.rail },
      element("div", { class: "rail-nav" }, this.earlier, this.all, this.later),
      this.sentence,
      this.question.root,
      element(
        "div",
        { class: "rail-act" },
        element("div", { class: "rail-reserved", "aria-hidden": "true" }, ...reserved), // room for both
        element("div", { class: "rail-buttons" }, this.skip, this.required, this.run, this.next),
      ),
      this.list,
      this.fromBefore.panel,
    );
    this.root.hidden = true;
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(this.sentence);
    this.at = ""; // the experiment in sight
    this.hasPlayed = false; // since the last one was set up
    this.session = undefined; // that knows what was answered; another one has forgotten it
  }

  /** Show what the page knows of the experiments: a newly set up one, or another lab's, comes into sight. */
  update(data) {
    if (!data?.list.length) {
      this.root.hidden = true;
      return;
    }
    const isNew = this.data?.number !== data.number || this.data?.at !== data.at;
    if (this.data?.number !== data.number) this.hasPlayed = false;
    this.data = data;
    this.fromBefore.prepare(data.lesson);
    this.root.hidden = false;
    if (isNew || !this.find(this.at)) this.at = data.at;
    const hadFocus = this.root.contains(document.activeElement) || document.activeElement?.closest(".sketch");
    const { phase } = this.question;
    const isOther = this.question.update(data.prediction);
    const { session } = this.board; // none before the page is there
    if (session && this.session !== session && data.prediction?.still) this.question.answerAgain();
    if (session && this.session === session && isOther && this.question.isOpen) forgetAnswer();
    this.session = session;
    if (ASKED.includes(phase) && data.prediction?.verdict) {
      notePrediction(data.lesson, data.set, data.prediction.verdict.right);
    }
    const shown = JSON.stringify([data, this.at]);
    if (shown !== this.shown) this.show();
    this.shown = shown;
    this.openChart();
    this.question.openChart();
    const isLost = !document.activeElement || document.activeElement === document.body;
    const wasClicked = performance.now() - clickedAt < REFOCUS_MS;
    const takesFocus = wasClicked && (hadFocus || isLost);
    if (isOther && this.question.phase) {
      if (takesFocus && !this.question.focus()) this.next.focus({ preventScroll: true });
      if (takesFocus || data.prediction.verdict) {
        this.board.announcer.say(this.sentence.querySelector("[aria-hidden=false]").textContent);
      }
    } else if (isLost && wasClicked) this.run.focus({ preventScroll: true });
  }

  /** The run's state has changed. A run that is past step 0 has played before this board was there. */
  state(runState) {
    const step = this.board.numbers?.values?.step ?? 0;
    this.question.follow(runState, step);
    if (this.hasPlayed || this.root.hidden) return;
    this.hasPlayed = HAS_PLAYED.includes(runState) || step > 0;
    if (this.hasPlayed) this.showPhase();
  }

  /** The name of the experiment that is set up. */
  get place() {
    return `${this.data.lesson}/${this.data.set}`;
  }

  find(id) {
    return this.data.list.find((each) => each.id === id);
  }

  /** Of the lab of the experiment in sight; in a lesson without labs, all. */
  get ofLab() {
    const { lab } = this.find(this.at);
    return this.data.list.filter((each) => each.lab === lab);
  }

  /** Bring the experiment before or after this one into sight. */
  look(way, moves = false) {
    const { list } = this.data;
    const at = list.findIndex((each) => each.id === this.at);
    this.choose(list[(at + way + list.length) % list.length].id);
    if (moves) this.run.focus({ preventScroll: true }); // the button that was pressed may have gone
  }

  choose(id) {
    this.at = id;
    this.show();
    const { title } = this.find(id);
    const line = this.root.classList.contains("after") ? this.after : this.before;
    this.board.announcer.say(`${title}. ${line.querySelector("span").textContent}`);
  }

  show() {
    const { words } = this.board;
    const { list, set } = this.data;
    const experiment = this.find(this.at);
    const group = this.ofLab;
    const number = group.indexOf(experiment) + 1;
    this.number.textContent = String(number);
    this.count.textContent = fill(words.railOf, { count: group.length });
    this.all.setAttribute(
      "aria-label",
      fill(words.railWhich, { number, count: group.length, title: experiment.title }),
    );
    const elsewhere = experiment.lab !== this.find(this.data.at).lab ? experiment.lab : "";
    this.isSet = set === experiment.id;
    const asks = this.isSet && this.question.phase;
    const [title, sentence] = asks ? this.question.line(experiment) : [experiment.title, ""];
    write(this.before, title, elsewhere, sentence || experiment.before);
    write(this.after, title, elsewhere, sentence || experiment.after || experiment.before);
    this.earlier.disabled = this.later.disabled = list.length < 2;
    this.run.dataset.try = experiment.id;
    this.root.dataset.at = experiment.id;
    this.showPhase();
    this.fit();
  }

  /** Give the answers so much of the width that the rail is as low as it can be. */
  fit() {
    const heights = SHARES.map((share) => this.fitWith(share));
    const best = heights.indexOf(Math.min(...heights));
    if (best < SHARES.length - 1) this.fitWith(SHARES[best]);
    this.overlap();
  }

  /**
   * A title stands above a sentence that fits into one line, and begins the first line of a longer one. What would need
   * more than two lines is set smaller: three of these are as high. Returns the height with this share of the answers.
   */
  fitWith(share) {
    const { scale } = this.board;
    this.question.fit(share);
    const room = this.sentence.clientWidth - LETTER * scale;
    for (const line of [this.before, this.after]) {
      line.classList.remove("long");
      const width = [...line.querySelector("span > span")?.getClientRects() ?? []].reduce(
        (sum, { width }) => sum + width,
        0,
      );
      line.classList.toggle("stacked", width > 0 && width < room);
      line.classList.toggle("long", line.clientHeight > 2.5 * LINE * scale);
    }
    return this.root.offsetHeight;
  }

  /** What needs more room than two lines lies over the pictures: nothing below moves. A class's question does not. */
  overlap() {
    const isColumn = getComputedStyle(this.root).flexWrap === "wrap"; // a phone's rail is as high as it needs
    const room = parseFloat(getComputedStyle(this.root).minHeight);
    this.root.style.marginBottom = isColumn || this.board.vote ? "" : `${Math.min(0, room - this.root.offsetHeight)}px`;
  }

  destroy() {
    this.watcher.disconnect();
    this.question.destroy();
    this.fromBefore.destroy();
  }

  /** Before the run, what it is about; after it, what is to be seen in it. Both take the same room. */
  showPhase() {
    const { words } = this.board;
    const { runs, plays } = this.find(this.at);
    const phase = this.isSet ? this.question.phase : "";
    const needsWhy = phase && this.question.needsWhy;
    const isAfter = phase
      ? phase !== "open"
      : this.isSet && (runs ? this.hasPlayed : this.data.tried.includes(this.at));
    this.root.classList.toggle("after", isAfter);
    this.root.classList.toggle("asks", phase === "open" || Boolean(needsWhy));
    this.question.root.hidden = !phase;
    this.skip.hidden = phase !== "open" || this.question.isRequired;
    this.required.hidden = !(phase === "open" && this.question.isRequired);
    this.run.hidden = phase === "open" || Boolean(needsWhy);
    this.before.setAttribute("aria-hidden", String(isAfter));
    this.after.setAttribute("aria-hidden", String(!isAfter));
    this.run.textContent = words[`rail${isAfter ? "Again" : "SetUp"}`][Number(plays)];
    this.next.hidden = !isAfter || this.data.list.length < 2;
    this.overlap();
  }

  /** Tell the page what was answered to the question of the experiment that is set up. */
  send(sent) {
    if (!sent.reached) {
      clickedAt = performance.now();
      keepAnswer(this.place, sent);
    }
    this.board.component.setTriggerValue("tried", { id: this.data.set, ...sent });
  }

  /** Have the page set the experiment up; it runs at once, or asks its question. */
  tryIt() {
    clickedAt = performance.now();
    this.board.component.setTriggerValue("tried", { id: this.at });
    this.board.root.querySelector('[data-place="hero"]')?.scrollIntoView({ block: "nearest" });
  }

  /**
   * Open the chart that an experiment names, once for each time that it is set up. The next experiment finds the charts
   * where they were.
   */
  openChart() {
    const { opens, number, lesson } = this.data;
    const place = `${this.board.session} ${lesson}`;
    if (!opens || number <= (opened.get(place) ?? 0)) return;
    opened.set(place, number);
    const { show } = this.find(opens);
    const { places } = this.board;
    if (this.hasOpened) places.reset();
    if (show) places.open(show);
    this.hasOpened = Boolean(show);
  }

  openList() {
    const room = innerHeight - this.all.getBoundingClientRect().bottom - LIST_MARGIN;
    this.list.style.maxHeight = `${Math.max(room, MIN_LIST)}px`; // below the button if there is room for a few
    const { words } = this.board;
    const { list, set, tried } = this.data;
    const labs = [...new Set(list.map(({ lab }) => lab))];
    this.list.replaceChildren(
      ...this.fromBefore.options(() => this.pick(ITEM)),
      ...labs.map((lab) => {
        const options = list.filter((each) => each.lab === lab).map((each, at) => {
          const note = each.id === set ? words.railSet : tried.includes(each.id) ? words.railTried : "";
          const option = element(
            "div",
            {
              role: "option",
              tabindex: each.id === this.at ? 0 : -1,
              "data-id": each.id,
              "aria-selected": String(each.id === this.at),
            },
            element("span", { class: "rail-number" }, String(at + 1)),
            element("span", { class: "rail-title" }, each.title),
            element("span", { class: "rail-note" }, note),
            element("span", { class: "rail-differs" }, each.differs),
          );
          option.onclick = () => this.pick(each.id);
          if (each.id === this.at) option.setAttribute("autofocus", "");
          return option;
        });
        const heading = element("div", { class: "rail-heading", "aria-hidden": "true" }, lab || words.railInOrder);
        return element("div", { role: "group", "aria-label": lab || words.railInOrder }, heading, ...options);
      }),
    );
  }

  pick(id) {
    this.list.hidePopover();
    if (id === ITEM) this.fromBefore.open();
    else this.choose(id);
  }

  /** The keys of a list: arrows, Home and End, the first letters of a title, Enter or space. */
  key(event) {
    const options = [...this.list.querySelectorAll("[role=option]")];
    const at = options.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 }[event.key];
    if (to !== undefined) {
      options[Math.max(0, Math.min(options.length - 1, to))]?.focus();
    } else if (["Enter", " "].includes(event.key) && at >= 0) {
      this.pick(options[at].dataset.id);
    } else if (event.key === "Tab") {
      this.list.hidePopover();
      return;
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const starts = (option) =>
        option.querySelector(".rail-title").textContent.toLowerCase().startsWith(event.key.toLowerCase());
      (options.slice(at + 1).find(starts) ?? options.find(starts))?.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

/** A title and a sentence, which has the page's own markup. */
function write(line, title, lab, html) {
  const words = element("span", {});
  words.innerHTML = html;
  const label = lab ? [element("em", {}, lab)] : [];
  line.replaceChildren(element("strong", {}, title), ...label, " ", element("span", {}, words));
}
