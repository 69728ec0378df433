// Sliders in a chart's header that set what the chart shows; values are sent to the run while one is dragged.

import { element, minus } from "../dom.js";

export class Sliders {
  /** `specs` have name, label, lo, hi, step and value; `board` has edit(command). */
  constructor(specs, title, board) {
    this.board = board;
    this.fields = new Map(specs.map((spec) => [spec.name, this.field(spec, title)]));
    this.form = element(
      "span",
      { class: "sliders" },
      ...specs.map((spec) => {
        const { input, output } = this.fields.get(spec.name);
        return element("label", {}, spec.label, input, output);
      }),
    );
  }

  field({ name, label, lo, hi, step, value }, title) {
    const input = element("input", {
      type: "range",
      min: lo,
      max: hi,
      step,
      value,
      "aria-label": `${label}: ${title}`,
      "data-slider": name,
    });
    const output = element("span", { class: "value", translate: "no" }, minus(value));
    input.oninput = () => {
      output.textContent = minus(input.value);
      this.send(name, input);
    };
    return { input, output };
  }

  /** Send the latest value, at most once for each painted frame. */
  send(name, input) {
    if (input.waits) return;
    input.waits = requestAnimationFrame(() => {
      input.waits = 0;
      this.board.edit({ do: "slide", name, value: Number(input.value) });
    });
  }

  /** Show the current values, except on a slider that is being moved. */
  show(values) {
    for (const [name, { input, output }] of this.fields) {
      if (values?.[name] === undefined || input === document.activeElement) continue;
      input.value = values[name];
      output.textContent = minus(input.value);
    }
  }
}
