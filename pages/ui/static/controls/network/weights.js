// The form that sets the weights of one unit by hand, in the card of a model's diagram.

import { element } from "../../dom.js";

export class WeightForm {
  /** `chart` has card, board and figure; the figure's `parameters` list the weights that can be set. */
  constructor(chart) {
    this.chart = chart;
    this.layer = this.at = 0; // the unit that the form shows
    this.shape = "";
    const { words } = chart.board;
    this.unit = element("select", {
      "aria-label": words.unit,
      onchange: () => this.show(...this.unit.value.split(",").map(Number)),
    });
    this.rows = element("div", { class: "rows" });
    const button = (label, act) => element("button", { type: "button", class: "button", onclick: act }, label);
    this.form = element(
      "div",
      { class: "weights", role: "dialog", "aria-label": words.weights },
      element(
        "div",
        { class: "head" },
        this.unit,
        button(words.undo, () => chart.board.edit({ do: "undo" })),
        button(words.close, () => this.close()),
      ),
      this.rows,
    );
    this.form.hidden = true;
    this.form.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    };
    chart.card.append(this.form);
  }

  get layers() {
    return this.chart.figure?.parameters ?? [];
  }

  /** Open the form on a unit, at the weight from `source` or at the bias; `from` gets the focus back when it closes. */
  open(layer, unit, from, source = -1) {
    this.from = from ?? this.chart.weightsButton;
    this.form.hidden = false;
    this.show(layer, unit);
    this.fields[source + 1]?.focus();
    this.fields[source + 1]?.select();
  }

  close() {
    this.form.hidden = true;
    this.from?.focus();
  }

  show(layer, unit) {
    [this.layer, this.at, this.shape] = [layer, unit, this.currentShape()];
    const { words } = this.chart.board;
    this.unit.replaceChildren(
      ...this.layers.flatMap(({ units }, i) => units.map((name, j) => element("option", { value: `${i},${j}` }, name))),
    );
    this.unit.value = `${layer},${unit}`;
    this.form.classList.toggle("left", (layer + 1) / this.layers.length > 0.5);
    const labels = [
      words.bias,
      ...this.layers[layer].sources.map((source) => words.weightFrom.replace("{source}", source)),
    ];
    this.fields = labels.map((_, i) => this.field(i ? i - 1 : null));
    this.rows.replaceChildren(...labels.map((label, i) => element("label", {}, label, this.fields[i])));
    this.refresh();
  }

  field(input) {
    const field = element("input", { type: "number", step: 0.1 });
    field.onchange = () => {
      if (field.value === "") this.write();
      else this.chart.board.edit({ do: "set", layer: this.layer, unit: this.at, input, value: Number(field.value) });
    };
    field.onblur = () => this.write();
    return field;
  }

  /** Follow new weights or a new model: the form closes if its unit no longer exists. */
  refresh() {
    if (this.form.hidden) return;
    if (!this.layers[this.layer]?.units[this.at]) this.close();
    else if (this.shape !== this.currentShape()) this.show(this.layer, this.at);
    else this.write(document.activeElement);
  }

  /** Write the current weights, except in a field that is being typed in. */
  write(typing) {
    const { weights, biases, sources } = this.layers[this.layer];
    this.fields.forEach((field, i) => {
      const value = i ? weights[this.at * sources.length + i - 1] : biases[this.at];
      const text = Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "";
      if (field !== typing && field.value !== text) field.value = text;
    });
  }

  currentShape() {
    return JSON.stringify(this.layers.map(({ units, sources }) => [units, sources]));
  }
}
