// Knobs in the board: controls that the page turns the settings with, one value per answer.

import { element, icon, minus } from "../dom.js";
import { tip, tipText } from "./tip.js";

const MAX_WAIT_MS = 1500; // for the page's answer: it sends none where nothing has changed

/** What was turned in a board. The next value waits for the page's answer to the last, so a drag cannot pile up. */
export class Turns {
  /** `board` has knobs (as the page gives them) and component (Streamlit's). */
  constructor(board) {
    this.board = board;
    this.next = new Map(); // name -> the value that waits
    this.sent = null;
    this.controls = new Set(); // each has show()
  }

  /** Turn a knob; of several values that wait, the last one counts. */
  turn(name, value) {
    this.next.delete(name);
    this.next.set(name, value);
    this.show();
    if (!this.sent) this.send();
  }

  send() {
    const [first] = this.next;
    if (!first) return;
    const [name, value] = first;
    this.next.delete(name);
    this.sent = { name, value };
    this.board.component.setTriggerValue("turned", { name, value });
    this.waiting = setTimeout(() => this.answered(), MAX_WAIT_MS);
  }

  /** The page has run again: show what it says, and send what waits. */
  update() {
    const knob = this.sent && this.spec(this.sent.name);
    if (knob && knob.value !== this.sent.value) this.show(); // an answer to something earlier
    else this.answered();
  }

  answered() {
    clearTimeout(this.waiting);
    this.sent = null;
    this.send();
    this.show();
  }

  show() {
    for (const control of this.controls) control.show();
  }

  /** A knob as the page gives it; undefined where it has none of this name. */
  spec(name) {
    return this.board.knobs.find((knob) => knob.name === name);
  }

  /** A knob's value: what was turned last, even if the page has not answered yet. */
  value(name) {
    if (this.next.has(name)) return this.next.get(name);
    return this.sent?.name === name ? this.sent.value : this.spec(name)?.value;
  }

  destroy() {
    clearTimeout(this.waiting);
    this.controls.clear();
  }
}

/**
 * One knob's control, in `[data-knob=name]`: a slider, a choice, a number, a switch, several switches or a text. A
 * `narrow` one has no slider where it can do without.
 */
export class Knob {
  constructor(board, name, { narrow = false } = {}) {
    this.board = board;
    this.name = name;
    this.narrow = narrow;
    this.root = element("span", { class: "knob", "data-knob": name });
    this.made = "";
    board.turns.controls.add(this);
    this.show();
  }

  get spec() {
    return this.board.turns.spec(this.name);
  }

  /** Show the knob as the page has it; a value that is being dragged or is on its way stays. */
  show() {
    const { spec } = this;
    this.root.hidden = !spec;
    if (!spec) return;
    const { label, options, lo, hi, step, locked } = spec;
    const kind = this.narrow && options.length && spec.kind === "slider" ? "choice" : spec.kind;
    const made = JSON.stringify([kind, label, options, lo, hi, step, locked]);
    if (made !== this.made) {
      const hadFocus = this.root.contains(document.activeElement);
      this.made = made;
      this.control = locked ? lockedValue() : CONTROLS[kind](spec, (value) => this.turn(value), this.board.words);
      this.root.className = `knob ${locked ? "locked" : kind}`;
      this.root.replaceChildren(...this.labelled(spec));
      if (hadFocus) this.control.input?.focus();
    }
    const value = this.board.turns.value(this.name);
    this.control.show(value, textOf(spec, value));
    if (this.control.input) this.control.input.disabled = !spec.applies;
    this.root.classList.toggle("off", !spec.applies);
  }

  labelled({ label, help, locked }) {
    const { words } = this.board;
    const name = element("span", { class: "label" }, label);
    if (locked) {
      const lock = element("span", { class: "lock", role: "img", "aria-label": words.locked }, icon("lock"));
      return [name, lock, ...this.control.nodes];
    }
    const parts = [element(this.control.isGroup ? "span" : "label", { class: "field" }, name, ...this.control.nodes)];
    if (help) {
      const panel = tipText(help);
      name.append(element("span", { class: "help", "aria-hidden": "true" }, "?"));
      tip(name, panel, () => true, this.control.input ? [this.control.input] : []);
      parts.push(panel);
    }
    return parts;
  }

  turn(value) {
    this.board.turn(this.name, value);
  }

  destroy() {
    this.board.turns.controls.delete(this);
  }
}

/** The words for one of a knob's values. */
export function textOf({ options, value: current, text }, value) {
  const option = options.find((each) => each.value === value);
  const words = option?.text ?? (value === current && text !== undefined ? text : String(value));
  return typeof value === "number" ? minus(words) : words;
}

function lockedValue() {
  const output = element("span", { class: "value", translate: "no" });
  return { nodes: [output], show: (_value, text) => (output.textContent = text) };
}

const CONTROLS = {
  choice({ options, label }, turn) {
    const input = element(
      "select",
      { "aria-label": label },
      ...options.map(({ value, text }) => element("option", { value }, text)),
    );
    input.onchange = () => turn(options[input.selectedIndex].value);
    return {
      input,
      nodes: [input],
      show: (value) => (input.selectedIndex = options.findIndex((each) => each.value === value)),
    };
  },

  slider({ options, label, lo, hi, step, live }, turn) {
    const isChoice = options.length > 0;
    const bounds = isChoice ? { min: 0, max: options.length - 1, step: 1 } : { min: lo, max: hi, step: step ?? 1 };
    const input = element("input", { type: "range", "aria-label": label, ...bounds });
    const output = element("span", { class: "value", translate: "no" });
    const longest = Math.max(3, ...options.map(({ text }) => text.length));
    output.style.minWidth = `${longest}ch`;
    let isHeld = false;
    const chosen = () => (isChoice ? options[Number(input.value)].value : Number(input.value));
    const write = (text) => {
      output.textContent = text;
      input.setAttribute("aria-valuetext", text);
      fillTrack(input);
    };
    input.addEventListener("pointerdown", () => (isHeld = true));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      input.addEventListener(end, () => (isHeld = false));
    }
    input.oninput = () => {
      write(isChoice ? options[Number(input.value)].text : minus(input.value));
      if (live) turn(chosen()); // another one builds a new model: only when it is let go
    };
    input.onchange = () => turn(chosen());
    return {
      input,
      nodes: [input, output],
      show(value, text) {
        if (isHeld) return;
        input.value = String(isChoice ? options.findIndex((each) => each.value === value) : value);
        write(text);
      },
    };
  },

  number({ label, lo, hi, step }, turn) {
    const input = element("input", {
      type: "number",
      "aria-label": label,
      min: lo,
      max: hi,
      step: step ?? 1,
      inputmode: Number.isInteger(step ?? 1) ? "numeric" : "decimal",
    });
    input.onchange = () => input.value !== "" && turn(Number(input.value));
    return {
      input,
      nodes: [input],
      show(value) {
        if (document.activeElement !== input || Number(input.value) !== value) input.value = String(value);
      },
    };
  },

  switch({ label }, turn) {
    const input = element("input", { type: "checkbox", role: "switch", "aria-label": label });
    input.onchange = () => turn(input.checked);
    return { input, nodes: [input], show: (value) => (input.checked = value === true) };
  },

  many({ options, label }, turn) {
    const boxes = options.map(({ value, text }) => {
      const box = element("input", { type: "checkbox", value });
      box.onchange = () => {
        const chosen = boxes.filter((each) => each.checked).map((each) => each.value);
        if (chosen.length) turn(chosen.join(","));
        else box.checked = true; // one at least
      };
      return { box, label: element("label", {}, box, text) };
    }).map(({ box, label }) => Object.assign(box, { words: label }));
    const group = element(
      "span",
      { class: "several", role: "group", "aria-label": label },
      ...boxes.map(({ words }) => words),
    );
    return {
      isGroup: true,
      nodes: [group],
      show(value) {
        const chosen = String(value).split(",");
        for (const box of boxes) box.checked = chosen.includes(box.value);
      },
    };
  },

  text({ label }, turn) {
    const input = element("input", { type: "text", "aria-label": label });
    input.onchange = () => turn(input.value);
    return {
      input,
      nodes: [input],
      show(value) {
        if (document.activeElement !== input) input.value = String(value);
      },
    };
  },
};

/** Colour the part of a slider's track that is left of its thumb. */
function fillTrack(input) {
  const [lo, hi] = [Number(input.min), Number(input.max)];
  input.style.setProperty("--part", `${hi > lo ? (100 * (Number(input.value) - lo)) / (hi - lo) : 0}%`);
}
