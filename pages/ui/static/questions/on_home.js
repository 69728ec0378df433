// Progress on the home page: a quiet mark on each lesson's tile, and a line to take it away as a file or read it back.

import { download, element, fill } from "../dom.js";
import { noteSession } from "../page/session.js";
import { asText, CHANGED, forget, isEmpty, isKept, ofLesson, readBack } from "./progress.js";

const FILE = "pytorch-playground-progress.json";
const MAX_BYTES = 1_000_000;
const shown = new WeakMap(); // the line of each element that Streamlit gives us

class ProgressLine {
  constructor(parent, { words, lessons }) {
    this.words = words;
    this.lessons = lessons;
    const button = (label, act) => element("button", { type: "button", onclick: act }, label);
    this.sum = element("span", { class: "sum" });
    this.save = button(words.save, () => this.download());
    this.read = button(words.read, () => this.file.click());
    this.clear = button(words.forget, () => this.askToForget());
    this.sure = button(words.sure, () => this.forget());
    this.file = element("input", {
      type: "file",
      accept: ".json,application/json",
      "aria-label": words.read,
      tabindex: "-1",
    });
    this.file.hidden = true;
    this.file.onchange = () => this.readFile();
    this.said = element("span", { role: "status", class: "said" });
    this.acts = element("span", { class: "acts" }, this.save, this.read, this.clear, this.sure, this.file);
    this.root = element("div", { "data-progress": "" }, this.sum, this.acts, this.said);
    parent.append(this.root);
    this.gone = new AbortController();
    addEventListener(CHANGED, () => this.update(), { signal: this.gone.signal });
    this.sure.hidden = true;
    this.update();
  }

  update() {
    const { words, lessons } = this;
    const counts = lessons.map((lesson) => ({ ...lesson, ...ofLesson(lesson.name, lesson.ids) }));
    for (const each of counts) this.mark(each);
    const total = (kind, field) => counts.reduce((sum, each) => sum + each[kind][field], 0);
    const values = {
      answered: total("questions", "answered"),
      count: lessons.reduce((sum, { ids }) => sum + ids.length, 0),
      first: total("questions", "first"),
      predictions: total("predictions", "answered"),
      predictionsRight: total("predictions", "first"),
    };
    const sentence = isEmpty() ? words.none : values.predictions ? words.sumWithPredictions : words.sum;
    this.sum.textContent = fill(sentence, values);
    this.save.hidden = isEmpty();
    this.clear.hidden = isEmpty() || !this.sure.hidden;
  }

  /** The mark on one tile: how many of its questions were answered; nothing where the lesson was not opened. */
  mark({ name, ids, seen, questions, predictions }) {
    const { words } = this;
    const place = /** @type {HTMLElement} */ (document.querySelector(`[data-mark="${name}"]`));
    if (!place) return;
    place.replaceChildren();
    const [count, answered] = [ids.length, questions.answered];
    if (!seen && !answered && !predictions.answered) return;
    const values = { answered, count, first: questions.first, predictions: predictions.answered };
    const spoken = fill(predictions.answered ? words.markWithPredictions : words.mark, values);
    place.title = spoken;
    place.classList.toggle("all", answered === count);
    place.style.setProperty("--share", String(answered / count));
    place.append(
      element("span", { class: "ring", "aria-hidden": "true" }),
      element("span", { class: "unseen" }, spoken),
    );
  }

  download() {
    const url = URL.createObjectURL(new Blob([asText()], { type: "application/json" }));
    download(FILE, url);
    setTimeout(() => URL.revokeObjectURL(url));
  }

  async readFile() {
    const [file] = this.file.files;
    this.file.value = ""; // the same file can be chosen again
    if (!file) return;
    const text = file.size <= MAX_BYTES ? await file.text().catch(() => "") : "";
    const { words } = this;
    this.said.textContent = !readBack(text) ? words.notRead : isKept() ? words.wasRead : words.notKept;
  }

  askToForget() {
    this.sure.hidden = false;
    this.clear.hidden = true;
    this.sure.focus();
  }

  forget() {
    this.sure.hidden = true;
    forget();
    this.said.textContent = this.words.forgotten;
    this.read.focus();
  }
}

export default function ({ data, parentElement }) {
  const line = shown.get(parentElement) ?? new ProgressLine(parentElement, data);
  shown.set(parentElement, line);
  noteSession(data.session); // or a reload would go back to the session of a page before
  line.update();
  return () => {
    line.gone.abort();
    line.root.remove();
    shown.delete(parentElement);
  };
}
