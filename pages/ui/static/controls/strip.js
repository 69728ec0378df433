// The strip under the charts: the loss, along which one looks back.

import { element } from "../dom.js";

export class Strip {
  /** `board` has words and send(command). */
  constructor(board) {
    this.board = board;
    this.slider = element("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": board.words.time });
    this.slider.oninput = () => board.send({ do: "scrub", to: Number(this.slider.value) });
    this.root = element("div", { class: "strip", "data-place": "strip" }, this.slider);
  }

  hold(card) {
    this.root.prepend(card);
  }

  take({ time }) {
    if (!time) return;
    this.slider.max = Math.max(0, time.count - 1);
    this.slider.value = time.at ?? this.slider.max;
  }

  destroy() {}
}
