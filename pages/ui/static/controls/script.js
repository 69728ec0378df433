// A script as a list of lines: each can be picked, and has what it made beside it; under the fault stand the changes to
// try. The figure's `meta.script` says all of it (`Panel` in playground/lessons/training_loop/figures/clinic.py).
//
// Lines are made again only when the script, its marks or the choices change, and the focus goes back to its place.

import { element, fill } from "../dom.js";

export class Script {
  /** `chart` has board, spec, stage and figure. */
  constructor(chart) {
    this.chart = chart;
    this.board = chart.board;
    this.words = this.board.words.script;
    this.list = element("ol", { class: "lines", translate: "no", onkeydown: (event) => this.key(event) });
    this.error = element("pre", { class: "error", translate: "no" });
    this.said = element("p", { class: "verdict" });
    this.answers = element("div", { class: "answers", role: "group", "aria-label": this.words.answers });
    this.foot = element("div", { class: "foot" }, this.error, this.said, this.answers);
    this.root = element("div", { class: "script", "data-script": "" }, this.list, this.foot);
    chart.stage.classList.add("has-script");
    chart.stage.append(this.root);
    this.at = 0; // the line that Tab comes to
  }

  get panel() {
    return this.chart.figure?.layout.meta?.script ?? null;
  }

  take(part) {
    if (part.figure || part.set?.some(([path]) => path[0] === "layout" && path[1] === "meta")) this.show();
  }

  draw() {}

  show() {
    const { panel } = this;
    if (!panel) return;
    const { lines, choices, answers, answered, pickable, after, too_late: isTooLate } = panel;
    const shape = JSON.stringify([
      lines.map(({ code, sign, mark, number }) => [code, sign, mark, number]),
      choices,
      answers,
      answered,
      pickable,
      after,
      isTooLate,
    ]);
    if (shape !== this.shape) this.build(panel);
    this.shape = shape;
    lines.forEach(({ beside }, at) => write(this.notes[at], beside));
    write(this.error, panel.error);
    this.error.hidden = !panel.error;
    if (this.said.textContent !== panel.said) {
      if (this.said.textContent && !this.board.playing) this.board.announcer.say(panel.said);
      this.said.replaceChildren(...withCode(panel.said));
    }
    this.foot.classList.toggle("good", panel.good);
    this.keepInSight();
  }

  /**
   * Scroll the lines, and nothing else, once for each: to the change whose result has come, else to the line that has
   * run last, failed or been changed.
   */
  keepInSight() {
    const { list } = this;
    const among = [".choice.is-yes, .choice.is-no:focus", ".is-error, .is-now"];
    if (!this.panel.choices.length) among.push(".is-in");
    const row = /** @type {HTMLElement} */ (among.map((each) => list.querySelector(each)).find(Boolean));
    const shown = row && `${row.className} ${row.textContent}`;
    if (shown === this.rowInSight) return;
    this.rowInSight = shown;
    if (!row) return;
    const [box, line] = [list.getBoundingClientRect(), row.getBoundingClientRect()];
    list.scrollTop += Math.max(0, line.bottom - box.bottom + list.clientTop) - Math.max(0, box.top - line.top);
  }

  build(panel) {
    const active = /** @type {HTMLElement} */ (document.activeElement);
    const focused = this.root.contains(active) ? { ...active.dataset } : null;
    const hadChoices = this.root.querySelector("[data-choice]") !== null;
    this.notes = panel.lines.map(() => element("span", { class: "beside-line" }));
    const rows = panel.lines.map((line, at) => this.row(line, at, panel.pickable));
    if (panel.choices.length) {
      const place = panel.after < 0 ? rows.length : panel.after + 1;
      rows.splice(place, 0, this.choices(panel.choices));
    }
    this.list.replaceChildren(...rows);
    if (this.list.querySelector("button")) this.list.removeAttribute("tabindex");
    else this.list.tabIndex = 0; // it can be scrolled with the keyboard
    this.rove(Math.min(this.at, panel.lines.length - 1));
    this.answers.replaceChildren(...panel.answers.map((text, at) => this.answer(text, at, panel)));
    this.answers.hidden = !panel.answers.length;
    const comes = panel.choices.length && !hadChoices;
    if (comes) this.root.querySelector("[data-choice]").parentElement.scrollIntoView({ block: "nearest" });
    if (focused) this.focusOn(comes ? { choice: "0" } : focused);
  }

  /**
   * Give the focus back to what had it, or to what came in its place.
   * @param {Record<string, string>} focused
   */
  focusOn({ choice, line, answer }) {
    const name = choice !== undefined ? `[data-choice="${choice}"]` : `[data-answer="${answer}"]`;
    const same = line === undefined ? name : `[data-line="${line}"]`;
    this.root.querySelector(same)?.focus({ preventScroll: true });
  }

  row({ code, sign, mark, number }, at, pickable) {
    const isLine = number >= 0 && code.trim() !== "";
    const can = pickable && isLine;
    const name = fill(this.words.line, { n: number + 1, code: code.trim() });
    const state = [this.words.signs[sign], this.words.marks[mark]].filter(Boolean).join(", ");
    const text = [
      element(
        "span",
        { class: "line-number", "aria-hidden": "true" },
        number >= 0 && sign !== "−" ? String(number + 1) : "",
      ),
      element("span", { class: "plus-minus", "aria-hidden": "true" }, sign || MARKS[mark] || ""),
      listed(code || " "),
    ];
    const classes = ["script-row", SIGNS[sign], mark && `is-${mark}`].filter(Boolean).join(" ");
    const label = state ? `${name} (${state})` : name;
    const node = isLine
      ? element("button", {
        type: "button",
        class: "code-line",
        tabindex: "-1",
        "data-line": String(at),
        "aria-label": label,
        "aria-disabled": can ? null : "true",
        onclick: () => can && this.pick("line", number),
        onfocus: () => this.rove(at),
      }, ...text)
      : element("span", { class: "code-line" }, ...text);
    return element("li", { class: classes }, node, this.notes[at]);
  }

  choices(choices) {
    const buttons = choices.map(({ lines, state }, at) =>
      element(
        "button",
        {
          type: "button",
          class: ["choice", state && `is-${state}`].filter(Boolean).join(" "),
          "data-choice": String(at),
          onclick: () => {
            this.pick("choice", at);
            this.board.send({ do: "play" });
          },
        },
        ...lines.map(([sign, code]) =>
          element(
            "span",
            { class: ["change", SIGNS[sign]].filter(Boolean).join(" ") },
            element("span", { class: "unseen" }, this.words.signs[sign] ?? ""),
            element("span", { class: "plus-minus", "aria-hidden": "true" }, sign),
            listed(code),
          )
        ),
        ...(state ? [element("span", { class: "state" }, this.words.states[state])] : []),
      )
    );
    return element(
      "li",
      { class: "choices-to-try" },
      element("div", { role: "group", "aria-label": this.words.choices }, ...buttons),
    );
  }

  answer(text, at, { answered, too_late: isTooLate }) {
    const isOver = answered >= 0 || isTooLate;
    return element("button", {
      type: "button",
      class: "choice",
      "data-answer": String(at),
      "aria-pressed": String(at === answered),
      "aria-disabled": isOver ? "true" : null,
      onclick: () => {
        if (isOver) return;
        this.pick("choice", at);
        this.board.send({ do: "play" });
      },
    }, text);
  }

  pick(chart, x) {
    this.board.edit({ do: "pick", chart, x, y: 0 });
  }

  /** Arrow keys go from line to line; Tab leaves the list. */
  key(event) {
    const lines = [...this.list.querySelectorAll("button.code-line")];
    const at = lines.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    lines[Math.min(Math.max(to, 0), lines.length - 1)].focus();
    event.preventDefault();
    event.stopPropagation();
  }

  /** Make one line the one that Tab comes to. */
  rove(at) {
    const lines = [...this.list.querySelectorAll("button.code-line")];
    const here = lines.find((each) => Number(each.dataset.line) >= at) ?? lines[0];
    for (const each of lines) each.tabIndex = each === here ? 0 : -1;
    this.at = Number(here?.dataset.line ?? 0);
  }

  destroy() {}
}

const SIGNS = { "+": "is-in", "−": "is-out" };
const MARKS = { wrong: "✗", fault: "●", error: "✗", now: "▶" };

/** A line of code; what does not fit goes on in the next line, further in than the line begins. */
function listed(code) {
  return element("code", { style: `--indent: ${code.search(/\S|$/)}` }, code);
}

/** A sentence as nodes, with what stands between backticks as code. */
function withCode(sentence) {
  return sentence.split("`").map((part, at) => at % 2 ? element("code", {}, part) : part);
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
