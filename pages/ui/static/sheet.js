// A still lab's note and tables. The note is said by screen readers when it has changed.

import { Announcer } from "./controls/announcer.js";
import { breakNames, element } from "./dom.js";
import { markNumbersAndCode } from "./page/translated.js";

export class Sheet {
  constructor(parent) {
    this.note = element("div");
    this.tables = element("div");
    this.announcer = new Announcer();
    this.root = element("div", { "data-prose": "", "data-sheet": "" }, this.note, this.tables, this.announcer.region);
    parent.append(this.root);
  }

  update({ note, tables }) {
    if (this.written?.note !== note) {
      this.note.innerHTML = note;
      if (this.written) this.announcer.say(this.note.textContent.trim());
    }
    if (this.written?.tables !== tables) {
      this.tables.innerHTML = tables;
      breakNames(this.tables);
    }
    this.written = { note, tables };
    for (const wide of this.tables.querySelectorAll(".sheet")) {
      if (wide.scrollWidth > wide.clientWidth) wide.setAttribute("tabindex", "0"); // or the keyboard cannot scroll it
      else wide.removeAttribute("tabindex");
    }
    markNumbersAndCode();
  }
}

const sheets = new WeakMap(); // the sheet of each element that Streamlit gives us

export default function ({ data, parentElement }) {
  let sheet = sheets.get(parentElement);
  if (!sheet?.root.isConnected) sheets.set(parentElement, sheet = new Sheet(parentElement));
  sheet.update(data);
}
