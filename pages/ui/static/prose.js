// A lesson's prose: HTML from the page, and sections that come on demand.

import "./history.js";
import { element } from "./dom.js";
import { noteLesson } from "./progress.js";
import { markNumbersAndCode } from "./translated.js";

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
  }
  markNumbersAndCode();
}

/** Have the button in a section's place ask for the section. */
function showOnDemand(place, { lesson, words }) {
  const button = place.querySelector("button");
  const problem = element("p", { class: "problem", role: "status" });
  place.append(problem);
  button.onclick = async () => {
    const html = await ask(`/prose/${lesson}/${place.dataset.section}`);
    problem.textContent = html === undefined ? words.noAnswer : "";
    if (html === undefined) return;
    place.tabIndex = -1;
    place.innerHTML = html;
    place.focus({ preventScroll: true }); // the button has gone
    markNumbersAndCode();
  };
}

/** The text at an address; undefined where there is no answer. */
async function ask(address) {
  try {
    const answer = await fetch(address, { cache: "no-store" });
    return answer.ok ? await answer.text() : undefined;
  } catch {
    return undefined;
  }
}
