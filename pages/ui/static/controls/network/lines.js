// In the head of the lines of a step: a button that runs the next one, and the switch of zero_grad().

import { element } from "../../dom.js";
import { Knob } from "../knob.js";

/** The button that runs the next line of a step. */
function nextLine(board) {
  return element(
    "button",
    { type: "button", class: "next-line", onclick: () => board.player.sendStep(1, "line") },
    board.words.nextLine,
  );
}

/** The same button in a drawing of a network, whose lines then have the numbers. */
export class NetworkLines {
  constructor(chart) {
    this.chart = chart;
    const { words } = chart.board;
    this.root = nextLine(chart.board);
    this.root.textContent = words.line;
    this.root.setAttribute("aria-label", words.nextLine);
    this.root.title = words.nextLine;
    chart.stage.append(this.root);
  }

  take() {}

  /** Where there are many layers, their buttons take the room. */
  draw() {
    const columns = this.chart.figure?.layout.meta?.network?.columns ?? [];
    this.root.hidden = this.chart.place === "small" || columns.filter(({ kind }) => kind === "layer").length > 2;
  }

  destroy() {}
}

export class Lines {
  /** `chart` has board and slot. */
  constructor(chart) {
    const { board } = chart;
    this.knob = new Knob(board, "zero_grad");
    chart.slot.append(element("span", { class: "lines" }, this.knob.root, nextLine(board)));
  }

  take() {}

  draw() {}

  destroy() {
    this.knob.destroy();
  }
}
