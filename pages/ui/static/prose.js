// A lesson's prose: HTML from the page, and sections that come on demand.

import "./page/history.js";
import { element } from "./dom.js";
import { noteLesson } from "./questions/progress.js";
import { request } from "./questions/request.js";
import { QuestionForm } from "./questions/form.js";
import { markNumbersAndCode } from "./page/translated.js";

const shown = new WeakMap(); // the root of each element that Streamlit gives us

export default function ({ data, parentElement }) {
  let root = shown.get(parentElement);
  if (!root?.isConnected) {
    root = document.createElement("div");
    root.dataset.prose = "";
    parentElement.append(root);
    shown.set(parentElement, root);
    noteLesson(data.lesson);
  }
  if (root.words !== data.html) {
    root.innerHTML = root.words = data.html;
    for (const place of root.querySelectorAll("[data-section]")) showOnDemand(place, data);
    const forms = data.questions.map((question) => new QuestionForm(question, data.words).root);
    root.querySelector("[data-questions]")?.append(...forms);
  }
  markNumbersAndCode();
}

/** Have the button in a section's place ask for the section. */
function showOnDemand(place, { lesson, words }) {
  const button = place.querySelector("button");
  const problem = element("p", { class: "problem", role: "status" });
  place.append(problem);
  button.onclick = async () => {
    const html = await (await request(`prose/${lesson}/${place.dataset.section}`))?.text().catch(() => undefined);
    problem.textContent = html === undefined ? words.noAnswer : "";
    if (html === undefined) return;
    place.tabIndex = -1;
    place.innerHTML = html;
    place.focus({ preventScroll: true }); // the button has gone
    markNumbersAndCode();
  };
}
