// A lesson's prose: HTML from the page. A click on an experiment's button tells the page which one was chosen.

import "./history.js";
import { markNumbersAndCode } from "./translated.js";

const shown = new WeakMap(); // the root of each element that Streamlit gives us

export default function ({ data, parentElement, setTriggerValue }) {
  let root = shown.get(parentElement);
  if (!root?.isConnected) {
    root = document.createElement("div");
    root.dataset.prose = "";
    parentElement.append(root);
    shown.set(parentElement, root);
  }
  if (root.words !== data.html) root.innerHTML = root.words = data.html;
  markNumbersAndCode();
  root.onclick = (event) => {
    const button = event.target.closest("button[data-try]");
    if (button) setTriggerValue("chosen", Number(button.dataset.try));
  };
}
