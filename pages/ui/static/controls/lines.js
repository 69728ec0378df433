// In the head of the lines of a step: a button that runs the next one, and the switch of zero_grad().

import { element } from "../dom.js";
import { Knob } from "./knob.js";

export class Lines {
  /** `chart` has board and slot. */
  constructor(chart) {
    const { board } = chart;
    this.next = element(
      "button",
      { type: "button", class: "next-line", onclick: () => board.send({ do: "step", n: 1, unit: "line" }) },
      board.words.nextLine,
    );
    this.knob = new Knob(board, "zero_grad");
    chart.slot.append(element("span", { class: "lines" }, this.knob.root, this.next));
  }

  take() {}

  draw() {}

  destroy() {
    this.knob.destroy();
  }
}
