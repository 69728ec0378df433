// The player: play, pause, step, reset, speed, the status line and the time slider of a live board.

import { element, fill, icon, toggleFullScreen } from "../dom.js";

const MAX_STEPS = 100_000; // of one Step, as in commands.py
const SPEEDS = [1, 3, 10, 30, 100, 300, 1000, 0]; // steps a second; 0 is full speed

// Where a key has a meaning of its own. On a slider neither has, and the focus is there after each setting.
const USES_LETTERS = "input:not([type=range]), textarea, select, [contenteditable], [role=combobox], [role=listbox]";
const USES_SPACE = `${USES_LETTERS}, button, summary, [role=button], [role=tab], [role=radio], [role=checkbox],
  [role=switch], [role=option], [role=menuitem], [role=dialog]`;
const SLIDER = "input[type=range], [role=slider]";

export class Player {
  /** `board` has words, statusLabels, root, send(command), setLarge(bool) and restart(). */
  constructor(board) {
    this.board = board;
    const { words } = board;
    const button = (label, sign, act) =>
      element("button", { type: "button", class: "button", "aria-label": label, title: label, onclick: act }, sign);
    this.play = button(words.play, icon("play"), () => this.toggle());
    this.play.classList.add("primary");
    this.step = button(words.step, icon("step"), () => this.takeSteps());
    this.count = element("input", {
      type: "number",
      class: "count",
      min: 1,
      max: MAX_STEPS,
      value: 1,
      "aria-label": words.stepCount,
      title: words.stepCount,
      oninput: () => this.count.removeAttribute("aria-invalid"),
    });
    this.unit = element(
      "select",
      { "aria-label": words.stepUnit, title: words.stepUnit },
      ...board.units.map((unit) => element("option", { value: unit }, words.units[unit])),
    );
    this.unit.hidden = board.units.length < 2;
    this.reset = button(
      words.reset,
      icon("reset"),
      () => (board.root.dataset.state === "lost" ? board.restart() : board.send({ do: "reset" })),
    );
    this.speed = element(
      "select",
      { "aria-label": words.speed, title: words.speed },
      element("option", { value: "auto" }, words.speedAuto),
      ...SPEEDS.map((speed) =>
        element("option", { value: speed }, speed ? words.speedSteps.replace("{n}", speed) : words.speedFull)
      ),
    );
    this.speed.onchange = () => this.sendSpeed();
    this.large = button(words.large, "A+", () => board.setLarge(!board.large));
    this.large.setAttribute("aria-pressed", board.large);
    const pin = button(words.pin, icon("pin"), () => board.pins.add());
    pin.hidden = !board.pinnable;
    const screen = button(words.boardFullScreen, icon("full"), () => toggleFullScreen(board.root));
    this.status = Object.fromEntries(
      Object.keys(board.statusLabels).map((
        name,
      ) => [name, element("span", { "data-status": name, translate: "no" }, "–")]),
    );
    const stats = Object.entries(board.statusLabels).map(([name, label]) =>
      element("span", { class: "stat" }, element("span", { class: "label" }, label), this.status[name])
    );
    this.bar = element(
      "div",
      { class: "player" },
      element(
        "div",
        { class: "buttons", role: "group", "aria-label": words.player },
        this.play,
        this.step,
        this.count,
        this.unit,
        this.reset,
        element("label", { class: "speed" }, words.speedShort, this.speed),
        element("span", { class: "end" }, pin, this.large, screen),
      ),
      element("div", { class: "status" }, ...stats),
    );
    this.root = this.bar;
    this.notice = element("p", { class: "notice", role: "alert", translate: "no" });
    this.own = ""; // the board's own sentence, shown before the run's
    this.reason = ""; // the run's notice
    this.place = 0; // in the queue
    this.slider = element("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": words.time });
    this.slider.oninput = () => this.scrub();
    this.slider.onfocus = () => this.slider.setAttribute("aria-valuetext", this.moment.textContent);
    this.now = element("button", {
      type: "button",
      class: "button",
      onclick: () => board.send({ do: "scrub", to: null }),
    }, words.now);
    this.moment = element("span", { class: "moment", translate: "no" });
    this.goBack = element("button", {
      type: "button",
      class: "button",
      translate: "no",
      onclick: () => board.send({ do: "go_back" }),
    });
    this.goBack.hidden = true;
    this.time = element(
      "div",
      { class: "time" },
      element("span", { class: "label" }, words.timeShort),
      this.slider,
      this.moment,
      this.now,
      this.goBack,
    );
    this.narrator = element("p", { class: "narrator", translate: "no" }); // the announcer says what of it is said
    this.message = element("div", { class: "message" }, this.notice, this.narrator);
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
  }

  toggle() {
    this.board.send({ do: wantsToPlay(this.board.root.dataset.state) ? "pause" : "play" });
  }

  /** Send Step with the number in its field, or say why that is not possible. */
  takeSteps() {
    const { stepCountBad, stepCountBlank } = this.board.words;
    const value = this.count.value;
    const n = Number(value);
    if (value !== "" && Number.isInteger(n) && n >= 1 && n <= MAX_STEPS) {
      return this.board.send({ do: "step", n, unit: this.unit.value });
    }
    this.count.setAttribute("aria-invalid", "true");
    this.count.focus();
    this.board.tell(
      fill(value === "" ? stepCountBlank : stepCountBad, { value, most: MAX_STEPS.toLocaleString("en") }),
    );
  }

  sendSpeed() {
    this.board.send({ do: "speed", value: this.speed.value === "auto" ? null : Number(this.speed.value) });
  }

  /** Send the slider's place, at most once for each painted frame. */
  scrub() {
    if (this.scrubbing) return;
    this.scrubbing = requestAnimationFrame(() => {
      this.scrubbing = 0;
      this.board.send({ do: "scrub", to: Number(this.slider.value) });
    });
  }

  /** The space bar and k play and pause, wherever they do nothing else. */
  key(event) {
    const { target, key } = event;
    const uses = { " ": USES_SPACE, k: USES_LETTERS }[key];
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat && !event.defaultPrevented;
    const { disabled } = this.play;
    if (!uses || this.board.leader || disabled || !isPlain) return;
    if (target.closest?.(uses) && !target.matches(SLIDER)) return;
    event.preventDefault();
    this.toggle();
  }

  /** Show a sentence of the board's own in the place of the run's notice: until the next one, or for some time. */
  say(text, ms = 0) {
    clearTimeout(this.said);
    this.own = text;
    if (ms) this.said = setTimeout(() => this.say(""), ms);
    this.showNotice();
  }

  showNotice() {
    const { queued } = this.board.words;
    write(this.notice, this.own || this.reason || (this.place ? queued.replace("{place}", this.place) : ""));
  }

  /** Show the state, status and messages of a frame. */
  take(head) {
    const { words, root } = this.board;
    if (head.state) {
      root.dataset.state = head.state;
      const playing = wantsToPlay(head.state);
      const label = playing ? words.pause : words.play;
      if (this.play.getAttribute("aria-label") !== label) {
        this.play.setAttribute("aria-label", label);
        this.play.title = `${label} (${words.playKey})`;
        this.play.replaceChildren(icon(playing ? "pause" : "play"));
      }
      this.play.disabled = this.step.disabled = ["failed", "lost"].includes(head.state);
    }
    for (const [name, value] of Object.entries(head.status ?? {})) {
      if (this.status[name]) write(this.status[name], value === null ? "–" : plain(value));
    }
    if (head.note !== undefined) write(this.narrator, head.note);
    if (head.place !== undefined || head.notice !== undefined) {
      this.place = head.place ?? this.place;
      this.reason = head.notice ?? this.reason;
      this.showNotice();
    }
    if (head.time) this.takeTime(head.time);
  }

  /** Show the time slider, except for a run that keeps no history. */
  takeTime({ count, at, step, good }) {
    this.time.style.display = count === 0 ? "none" : "";
    const last = Math.max(0, count - 1);
    if (Number(this.slider.max) !== last) this.slider.max = last;
    if ((document.activeElement !== this.slider || at === null) && Number(this.slider.value) !== (at ?? last)) {
      this.slider.value = at ?? last;
    }
    this.now.disabled = at === null;
    this.goBack.hidden = good === undefined; // after a divergence: the last good step
    if (good !== undefined) write(this.goBack, this.board.words.goBack.replace("{step}", good.toLocaleString("en")));
    write(this.moment, this.board.words.moment.replace("{step}", step));
    const speaks = at !== null || this.board.root.dataset.state !== "playing"; // with the focus, it says each value
    if (speaks) this.slider.setAttribute("aria-valuetext", this.moment.textContent);
  }

  destroy() {
    document.removeEventListener("keydown", this.onKey);
    clearTimeout(this.said);
    cancelAnimationFrame(this.scrubbing);
  }
}

/** A number as text, with an exponent where it would start with many zeros. */
function plain(value) {
  return value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential() : String(value);
}

/** Set a node's text in its existing text node: a new node would make the browser compute styles and layout again. */
function write(node, text) {
  const [only] = node.childNodes;
  if (only?.nodeType !== Node.TEXT_NODE || node.childNodes.length > 1 || text === "") node.textContent = text;
  else if (only.data !== text) only.data = text;
}

/** Whether a run in this state plays, or will as soon as there is a place for it in the queue: it can be paused. */
function wantsToPlay(state) {
  return state === "playing" || state === "queued";
}
