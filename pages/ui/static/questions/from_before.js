// Two questions from earlier lessons: item 0 of the rail's list. They are asked in a panel that never opens by itself.

import { element, fill } from "../dom.js";
import { QuestionForm } from "./form.js";
import { due, isEmpty } from "./progress.js";
import { request } from "./request.js";

export const ITEM = "from-before"; // its id in the list
const WAIT_MS = 2_000; // after a lesson was opened: first comes what is in sight
const MOST = 2;

let known; // the lessons with the ids of their questions, and the sentences: of the server, once for each page

export class FromBefore {
  /** `opener` has the focus again when the panel is closed. */
  constructor(opener) {
    this.opener = opener;
    this.asked = ""; // the questions that the panel has
    this.forms = [];
    this.title = element("h2", {});
    this.close = element("button", { type: "button", class: "close", onclick: () => this.panel.hidePopover() });
    this.place = element("div", {});
    this.panel = element(
      "div",
      { class: "panel from-before", role: "dialog", popover: "auto" },
      element("div", { class: "head" }, this.title, this.close),
      this.place,
    );
    this.panel.addEventListener("keydown", (event) => event.stopPropagation()); // the player's keys are letters here
    this.panel.addEventListener("toggle", ({ newState }) => {
      const { activeElement: has } = document;
      const isLost = !has || has === document.body || this.panel.contains(has);
      if (newState === "closed" && isLost) this.opener.focus({ preventScroll: true });
    });
  }

  /** Find out, in a quiet moment, which questions there are. */
  prepare(lesson) {
    this.lesson = lesson;
    if (known || this.timer || isEmpty()) return;
    this.timer = setTimeout(async () => {
      known ??= await (await request("prose/questions"))?.json().catch(() => undefined);
      this.timer = undefined;
    }, WAIT_MS);
  }

  get due() {
    if (!known) return [];
    return due(known.lessons.map(({ lesson, ids }) => [lesson, ids]), this.lesson, { most: MOST });
  }

  /** What stands at the top of the rail's list, if a question is due; `pick` is called when it is chosen. */
  options(pick) {
    const count = this.due.length;
    if (!count) return [];
    const { words } = known;
    const option = element(
      "div",
      { role: "option", tabindex: -1, "data-id": ITEM, "aria-selected": "false" },
      element("span", { class: "rail-number" }, "0"),
      element("span", { class: "rail-title" }, count === 1 ? words.oneFromBefore : words.fromBefore),
      element("span", { class: "rail-note" }),
      element("span", { class: "rail-differs" }, words.fromBeforeHelp),
    );
    option.onclick = pick;
    return [element("div", { role: "group", "aria-label": words.fromBeforeGroup }, option)];
  }

  /** Ask the questions that are due; those that were begun stay until they are done. */
  async open() {
    const { words, lessons } = known;
    const asked = this.due;
    if (this.forms.length === 0 || this.forms.every(({ isDone }) => isDone)) {
      const found = await Promise.all(
        asked.map(async ([lesson, id]) =>
          await (await request(`prose/${lesson}/questions/${id}`))?.json().catch(() => undefined)
        ),
      );
      const titles = new Map(lessons.map(({ lesson, title }) => [lesson, title]));
      this.forms = found.filter(Boolean).map((question) =>
        new QuestionForm(question, words, fill(words.fromLesson, { title: titles.get(question.lesson) }))
      );
    }
    this.title.textContent = this.forms.length === 1 ? words.oneFromBefore : words.fromBefore;
    this.panel.setAttribute("aria-label", this.title.textContent);
    this.close.textContent = words.close;
    this.place.replaceChildren(
      ...(this.forms.length ? this.forms.map(({ root }) => root) : [element("p", {}, words.noAnswer)]),
    );
    this.panel.showPopover();
    (this.place.querySelector("input:not(:disabled)") ?? this.close).focus();
  }

  destroy() {
    clearTimeout(this.timer);
  }
}
