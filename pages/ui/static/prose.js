// A lesson's prose: HTML from the page.

import "./history.js";
import { markNumbersAndCode } from "./translated.js";

const shown = new WeakMap(); // the root of each element that Streamlit gives us

export default function ({ data, parentElement }) {
  let root = shown.get(parentElement);
  if (!root?.isConnected) {
    root = document.createElement("div");
    root.dataset.prose = "";
    parentElement.append(root);
    shown.set(parentElement, root);
  }
  if (root.words !== data.html) root.innerHTML = root.words = data.html;
  markNumbersAndCode();
}
