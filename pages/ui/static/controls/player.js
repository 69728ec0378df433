// The player: play, step, reset, speed and the settings that are turned most, on one line; and what a run that cannot
// play says over its picture.

import { element, fill, icon } from "../dom.js";
import { Knob } from "./knob.js";
import { write } from "./numbers.js";
import { placeBeside, tip, tipText } from "./tip.js";

const MAX_STEPS = 100_000; // of one Step, as in commands.py
const FAR_BELOW = 20; // times: a learning rate to start again with after a divergence
const ENDED_BADLY = ["failed", "lost"];
const SPEEDS = [1, 3, 10, 30, 100, 300, 1000, 0]; // steps a second; 0 is full speed
const LONG_PRESS_MS = 500;
const PACE_REM = 7.4; // the width of the pace in player.css, with its gap

// Where a key has a meaning of its own. On a slider neither has, and the focus is there after each setting.
const USES_LETTERS = "input:not([type=range]), textarea, select, [contenteditable], [role=combobox], [role=listbox]";
const USES_SPACE = `${USES_LETTERS}, button, summary, [role=button], [role=tab], [role=radio], [role=checkbox],
  [role=switch], [role=option], [role=menuitem], [role=dialog]`;
const SLIDER = "input[type=range], [role=slider]";
const FIELD = `${USES_LETTERS}, [data-cursor]`; // where Shift+Enter has a meaning of its own

/** The knobs that stand beside the player, or alone under a still lab. */
export class Bar {
  /** `board` has knobs, as the page gives them, and turns. */
  constructor(board) {
    this.board = board;
    this.root = element("span", { class: "bar" });
    this.knobs = [];
    this.sizer = new ResizeObserver(() => this.fit());
    this.sizer.observe(this.root);
    this.update();
  }

  /** Where there is no room, hide the pace beside them, and then the last knobs: all are in the drawer, too. */
  fit() {
    const { clientWidth } = this.root;
    if (!clientWidth) return;
    for (const { root } of this.knobs) root.classList.remove("crowded");
    const { left } = this.root.getBoundingClientRect();
    const ends = this.knobs.map(({ root }) => root.getBoundingClientRect().right - left);
    this.knobs.forEach(({ root }, at) => root.classList.toggle("crowded", ends[at] > clientWidth + 1));
    const { parentElement } = this.root;
    const wasTight = parentElement?.classList.contains("tight");
    const room = clientWidth - (wasTight ? PACE_REM * 16 * this.board.scale : 0);
    parentElement?.classList.toggle("tight", Math.max(0, ...ends) > room + 1);
  }

  destroy() {
    this.sizer.disconnect();
  }

  /** The page has run again: it may have other knobs. */
  update() {
    const names = this.board.knobs.filter(({ bar }) => bar).map(({ name }) => name);
    if (names.join() === this.knobs.map(({ name }) => name).join()) return;
    const kept = new Map(this.knobs.map((knob) => [knob.name, knob]));
    this.knobs = names.map((name, at) => kept.get(name) ?? new Knob(this.board, name, { narrow: at > 0 }));
    for (const knob of kept.values()) {
      if (this.knobs.includes(knob)) continue;
      knob.destroy();
      knob.root.remove();
    }
    this.knobs.forEach(({ root }, at) => { // one that stays is not moved: it may have the focus
      if (this.root.children[at] !== root) this.root.insertBefore(root, this.root.children[at] ?? null);
    });
    this.fit();
  }
}

export class Player {
  /** `board` has words, units, unitNames, root, screen, numbers, knobs, turns, send(), tell(text) and restart(). */
  constructor(board) {
    this.board = board;
    const { words } = board;
    const button = (label, sign, act) =>
      element("button", { type: "button", class: "button", "aria-label": label, title: label, onclick: act }, sign);
    this.advised = ""; // the switch that the run's own sentence advises after a divergence
    this.word = element("span", { class: "word" }, words.play);
    this.queue = element("small", { translate: "no" });
    this.play = button(words.play, icon("play"), () => this.toggle());
    this.play.classList.add("primary", "play");
    this.play.append(element("span", { class: "words" }, this.word, this.queue));
    this.play.title = fill(words.keyOf, { name: words.play, key: words.playKey });
    this.step = button(words.step, icon("step"), (event) => (event.shiftKey ? this.askSteps() : this.takeSteps(1)));
    this.step.title = words.stepTitle;
    this.reset = button(words.reset, icon("reset"), () => this.startAgain());
    this.speed = element(
      "select",
      { "aria-label": words.speed, title: words.speed },
      element("option", { value: "auto" }, words.speedAuto),
      ...SPEEDS.map((speed) =>
        element("option", { value: speed }, speed ? fill(words.speedSteps, { n: speed }) : words.speedFull)
      ),
    );
    this.speed.onchange = () => this.sendSpeed();
    this.bar = new Bar(board);
    const settings = button(words.allSettings, icon("settings"), () => dispatchEvent(new Event("board:settings")));
    settings.classList.add("settings");
    this.root = element(
      "div",
      { class: "player", role: "group", "aria-label": words.player },
      this.play,
      this.step,
      this.reset,
      element("label", { class: "speed" }, element("span", { class: "label" }, words.speedShort), this.speed),
      this.bar.root,
      settings,
      ...(board.numbers.status.steps_per_second ? [this.makePace()] : []),
    );
    this.makeStepsForm();
    this.makeSigns();
    this.root.append(this.steps);
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
  }

  /** The steps a second, at the end of the line where it is long enough, or else with the other numbers. */
  makePace() {
    const value = this.board.numbers.status.steps_per_second;
    const row = value.parentElement;
    const pace = element("span", { class: "pace" });
    const word = document.createTextNode(` ${this.board.words.pace}`);
    let isHere = null;
    this.sizer = new ResizeObserver(([{ contentRect }]) => {
      const fits = contentRect.width > 0;
      if (fits === isHere) return;
      isHere = fits;
      row.hidden = fits;
      if (fits) pace.replaceChildren(value, word);
      else row.append(value);
    });
    this.sizer.observe(pace);
    return pace;
  }

  /** The small form for several steps at once, beside Step. */
  makeStepsForm() {
    const { words, units, unitNames } = this.board;
    this.count = element("input", {
      type: "number",
      class: "count",
      min: 1,
      max: MAX_STEPS,
      value: 10,
      "aria-label": words.stepCount,
      title: words.stepCount,
      oninput: () => this.count.removeAttribute("aria-invalid"),
    });
    this.unit = element(
      "select",
      { "aria-label": words.stepUnit, title: words.stepUnit },
      ...units.map((unit) => element("option", { value: unit }, unitNames[unit])),
    );
    this.unit.hidden = units.length < 2;
    const only = element("span", { class: "label" }, unitNames[units[0]] ?? "");
    only.hidden = !this.unit.hidden;
    this.steps = element(
      "form",
      { class: "several-steps", "aria-label": words.severalSteps, novalidate: "" },
      this.count,
      this.unit,
      only,
      element("button", { type: "submit", class: "button" }, words.takeSteps),
    );
    this.steps.onsubmit = (event) => {
      event.preventDefault();
      this.takeSteps();
    };
    this.steps.popover = "auto";
    this.steps.classList.add("panel");
    let timer = 0;
    let wasLong = false;
    this.step.addEventListener("pointerdown", () => {
      wasLong = false;
      timer = setTimeout(() => {
        wasLong = true;
        this.askSteps();
      }, LONG_PRESS_MS);
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
      this.step.addEventListener(end, () => clearTimeout(timer));
    }
    this.step.addEventListener("click", (event) => {
      if (wasLong) event.stopImmediatePropagation();
      wasLong = false;
    }, true);
  }

  /** What stands over the hero: the place in the queue, and ways on from a run that has ended badly. */
  makeSigns() {
    const { board } = this;
    const { words } = board;
    const button = (text, act) => element("button", { type: "button", class: "button", onclick: act }, text);
    this.place = element("strong", { translate: "no" });
    this.waiting = element("div", { class: "sign queue", "aria-hidden": "true" }, this.place, words.queueHint);
    this.goBack = button("", () => board.send({ do: "go_back" }));
    this.stays = element("span", {}, words.lastPicture);
    this.again = button(words.startAgain, () => this.startBetter());
    board.turns.controls.add({ show: () => this.nameAgain() });
    this.onward = element("div", { class: "sign onward" }, this.stays, this.goBack, this.again);
    const branch = button(words.branch, () => {
      board.strip.branchFrom();
      this.play.focus(); // the button goes with what it was for
    });
    const branchHelp = tipText(words.branchHelp);
    tip(branch, branchHelp);
    this.branch = element("div", { class: "sign onward branch" }, branch, branchHelp);
    this.branch.hidden = true;
    this.waiting.hidden = this.onward.hidden = this.goBack.hidden = true;
    this.signs = element("div", { class: "over-hero" }, this.waiting, this.onward, this.branch);
  }

  /** The learning rate to try after a divergence, far below its own; undefined where it cannot be turned. */
  lowerRate() {
    const { root, turns } = this.board;
    const spec = root.dataset.state === "failed" ? turns.spec("lr") : undefined;
    if (!spec?.applies || spec.locked) return undefined;
    const most = (turns.value("lr") / FAR_BELOW) * (1 + 1e-9);
    return spec.options.filter(({ value }) => value <= most).sort((one, other) => other.value - one.value)[0];
  }

  /** What may help after a divergence: words for a button, a knob and its value; undefined if there is nothing. */
  get remedy() {
    const { root, words, turns } = this.board;
    const spec = root.dataset.state === "failed" ? turns.spec(this.advised) : undefined;
    if (spec?.applies && !spec.locked) {
      return { text: fill(words.startAgainSwitched, { label: spec.label }), name: spec.name, value: true };
    }
    const lower = this.lowerRate();
    return lower && { text: fill(words.startAgainLower, { rate: lower.text }), name: "lr", value: lower.value };
  }

  nameAgain() {
    write(this.again, this.remedy?.text ?? this.board.words.startAgain);
  }

  /** Start again; after a divergence with what may help. */
  startBetter() {
    const { remedy } = this;
    this.startAgain();
    if (remedy) this.board.turn(remedy.name, remedy.value);
  }

  startAgain() {
    const { board } = this;
    if (board.root.dataset.state === "lost") board.restart();
    else board.send({ do: "reset" });
  }

  toggle() {
    const { root, rail } = this.board;
    if (wantsToPlay(root.dataset.state)) return this.board.send({ do: "pause" });
    if (!rail.question.skips()) this.board.send(rail.question.play());
  }

  /** Open the form for several steps. */
  askSteps() {
    if (this.step.disabled || this.steps.matches(":popover-open")) return;
    this.steps.showPopover();
    placeBeside(this.step, this.steps);
    this.count.focus(); // at once: what is typed next is the number
    this.count.select();
  }

  /** Send Step with this number, or with the one in the form, or say why that is not possible. */
  takeSteps(number) {
    const { board } = this;
    if (number !== undefined) return this.sendStep(number, board.units[0]);
    const { stepCountBad, stepCountBlank } = board.words;
    const { value } = this.count;
    const n = Number(value);
    if (value !== "" && Number.isInteger(n) && n >= 1 && n <= MAX_STEPS) {
      this.steps.hidePopover();
      this.step.focus();
      return this.sendStep(n, this.unit.value);
    }
    this.count.setAttribute("aria-invalid", "true");
    this.count.focus();
    board.tell(fill(value === "" ? stepCountBlank : stepCountBad, { value, most: MAX_STEPS.toLocaleString("en") }));
  }

  sendStep(n, unit) {
    if (!this.board.rail.question.skips()) this.board.send({ do: "step", n, unit });
  }

  /** Whether the run waits for an answer to a question. */
  lock(isLocked) {
    const { words } = this.board;
    if (isLocked !== this.isLocked) {
      this.play.title = isLocked ? words.predictRequired : fill(words.keyOf, { name: words.play, key: words.playKey });
    }
    this.isLocked = isLocked;
    this.board.numbers.wait(isLocked ? words.predictWaits : "");
    this.play.disabled = this.step.disabled = isLocked || ENDED_BADLY.includes(this.board.root.dataset.state);
    for (const each of this.board.root.querySelectorAll(".next-line")) each.disabled = isLocked;
  }

  sendSpeed() {
    this.board.send({ do: "speed", value: this.speed.value === "auto" ? null : Number(this.speed.value) });
  }

  /** The space bar and k play and pause, wherever they do nothing else; Shift+Enter asks for several steps. */
  key(event) {
    const { target, key, shiftKey } = event;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat && !event.defaultPrevented;
    if (this.play.disabled || !isPlain || this.root.closest("[inert]")) return;
    if (key === "Enter" && shiftKey && !(target.closest?.(FIELD) && !target.matches(SLIDER))) {
      event.preventDefault();
      return this.askSteps();
    }
    const uses = { " ": USES_SPACE, k: USES_LETTERS }[key];
    if (!uses || (target.closest?.(uses) && !target.matches(SLIDER))) return;
    event.preventDefault();
    this.toggle();
  }

  /** Show the state of a frame. */
  take(head) {
    const { words, root } = this.board;
    if (head.state) {
      root.dataset.state = head.state;
      const playing = wantsToPlay(head.state);
      const label = playing ? words.pause : words.play;
      if (this.word.textContent !== label) {
        this.play.setAttribute("aria-label", label);
        this.play.title = fill(words.keyOf, { name: label, key: words.playKey });
        this.play.firstChild.replaceWith(icon(playing ? "pause" : "play"));
        write(this.word, label);
      }
      this.lock(this.isLocked);
    }
    if (head.place !== undefined) {
      write(this.queue, head.place ? fill(words.inQueue, { place: head.place }) : "");
      write(this.place, head.place ? fill(words.queueTitle, { place: head.place }) : "");
    }
    if (head.time) {
      const { good } = head.time;
      this.advised = head.time.remedy ?? "";
      this.canBranch = Boolean(head.time.branch);
      this.goBack.hidden = good === undefined; // after a divergence: the last good step
      if (good !== undefined) write(this.goBack, fill(words.goBack, { step: good.toLocaleString("en") }));
    }
    if (head.state || head.time) {
      const { state } = root.dataset;
      const hadFocus = this.onward.contains(document.activeElement);
      this.waiting.hidden = state !== "queued";
      this.onward.hidden = !["failed", "lost"].includes(state);
      this.stays.hidden = state !== "lost";
      this.branch.hidden = !this.canBranch || !this.onward.hidden;
      this.nameAgain();
      if (hadFocus && this.onward.hidden) this.play.focus();
    }
  }

  destroy() {
    document.removeEventListener("keydown", this.onKey);
    this.sizer?.disconnect();
    this.bar.destroy();
  }
}

/** Whether a run in this state plays, or will as soon as there is a place for it in the queue: it can be paused. */
function wantsToPlay(state) {
  return state === "playing" || state === "queued";
}
