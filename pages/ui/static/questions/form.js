// One question of "Check yourself": it takes an answer, which the server grades; what is wrong has a second try.

import { element, fill } from "../dom.js";
import { isKept, noteAnswer, progress } from "./progress.js";
import { request } from "./request.js";

let forms = 0;

export class QuestionForm {
  /**
   * `question` is what the server sends of it: lesson, id, text (HTML), kind, and options (HTML), unit or names of the
   * inputs. `words` are the sentences for all questions. `title`, of its lesson, is shown where it is of another one.
   */
  constructor(question, words, title = "") {
    this.question = question;
    this.words = words;
    this.tries = 0;
    const id = `question-${++forms}`;
    const text = element("span", {});
    text.innerHTML = question.text;
    const legend = element("legend", {}, ...(title ? [element("span", { class: "from" }, title)] : []), text);
    this.answers = element("div", { class: question.kind === "choice" ? "answers" : "typed" }, ...this.controls(id));
    this.check = element("button", { type: "submit" }, words.check);
    this.show = element("button", { type: "button", class: "quiet", onclick: () => this.send(true) }, words.show);
    this.show.hidden = true;
    this.acts = element("div", { class: "acts" }, this.check, this.show);
    this.result = element("div", { class: "result", role: "status" });
    this.fields = element("fieldset", {}, legend, this.answers, this.acts);
    this.root = element("form", { "data-question": question.id, novalidate: "" }, this.fields, this.result);
    this.root.onsubmit = (event) => {
      event.preventDefault();
      this.send(false);
    };
    const known = progress().questions.get(`${question.lesson}/${question.id}`);
    if (known) legend.append(element("span", { class: "known" }, known.first ? words.knownFirst : words.known));
  }

  controls(id) {
    const { words } = this;
    const { kind, options, unit, names } = this.question;
    if (kind === "choice") {
      this.radios = options.map((_, at) => element("input", { type: "radio", name: id, value: String(at) }));
      return options.map((html, at) => {
        const text = element("span", {});
        text.innerHTML = html;
        return element("label", { class: "option" }, this.radios[at], text);
      });
    }
    const label = kind === "formula" ? fill(words.formula, { names: names.join(", ") }) : words.number;
    this.input = element("input", {
      type: "text",
      id,
      class: kind,
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      translate: "no",
      maxlength: String(words.maxCharacters),
    });
    return [
      element("label", { for: id }, label),
      this.input,
      ...(unit ? [element("span", { class: "unit" }, unit)] : []),
    ];
  }

  get answer() {
    if (this.input) return this.input.value;
    const at = this.radios.findIndex(({ checked }) => checked);
    return at < 0 ? null : at;
  }

  /** Have the server grade the answer; with `gaveUp`, only have it tell the right one. */
  async send(gaveUp) {
    if (this.isSending || this.isDone) return;
    this.isSending = true;
    this.root.setAttribute("aria-busy", "true");
    const { lesson, id } = this.question;
    const { answer } = this;
    const body = { answer: gaveUp ? null : answer, last: gaveUp || this.tries > 0 };
    const graded = await (await request(`prose/${lesson}/questions/${id}`, body))?.json().catch(() => undefined);
    this.isSending = false;
    this.root.removeAttribute("aria-busy");
    if (graded) this.take(graded, answer);
    else this.say(element("p", {}, this.words.noAnswer));
  }

  take(graded, answer) {
    const { words } = this;
    if (graded.problem) {
      this.say(element("p", {}, graded.problem)); // it is not counted
      this.input?.focus();
      return;
    }
    this.tries++;
    this.root.classList.toggle("wrong", !graded.right);
    if (this.radios && answer !== null) this.mark(answer, graded.right);
    if (graded.explanation === undefined) {
      this.show.hidden = false;
      this.say(
        element("p", {}, element("strong", {}, words.wrong), " ", html("span", graded.feedback), " ", words.again),
      );
      this.input?.select();
    } else {
      this.end(graded);
    }
  }

  /** Mark an option that was chosen; a wrong one cannot be chosen again. */
  mark(at, isRight) {
    const { words, radios } = this;
    const label = radios[at].parentElement;
    label.classList.add(isRight ? "is-right" : "is-wrong");
    label.append(element("span", { class: "mark" }, isRight ? words.rightOption : words.wrongOption));
    if (isRight) return;
    radios[at].disabled = true;
    radios[at].checked = false;
  }

  /** The last answer was given: say what is right, and why. */
  end({ right, feedback, explanation, answer, option }) {
    const { words, question } = this;
    this.isDone = true;
    this.root.classList.add("done");
    const { lesson, id } = question;
    noteAnswer(lesson, id, { first: right && this.tries === 1, right });
    if (this.radios && !right) this.mark(option, true);
    for (const field of this.radios ?? [this.input]) field.disabled = true;
    const verdict = element("strong", {}, right ? (this.tries === 1 ? words.rightFirst : words.right) : words.wrong);
    const parts = [element("p", {}, verdict, ...(feedback ? [" ", html("span", feedback)] : []))];
    if (!right && this.input) {
      parts.push(element("p", {}, words.theAnswer, " ", element("code", { translate: "no" }, answer)));
    }
    parts.push(html("p", explanation));
    if (!isKept() && !QuestionForm.hasSaid) {
      QuestionForm.hasSaid = true; // once is enough
      parts.push(element("p", { class: "problem" }, words.notKept));
    }
    this.acts.remove();
    this.say(...parts);
    this.result.tabIndex = -1;
    this.result.focus({ preventScroll: true }); // the button has gone
  }

  say(...parts) {
    this.result.replaceChildren(...parts);
  }
}

QuestionForm.hasSaid = false; // that nothing is kept

function html(tag, text) {
  const made = element(tag, {});
  made.innerHTML = text;
  return made;
}
