// Two number fields for the place that a chart explains or picks: the keyboard's way to click in it.

import { element } from "../dom.js";

export class PlaceForm {
  /** `place` names the two coordinates; `board` has edit(command). */
  constructor({ name, place: labels, title, click }, board) {
    this.command = click === "pick" ? { do: "pick", chart: name } : { do: "explain" };
    this.fields = labels.map((label) =>
      element("input", {
        type: "number",
        step: click === "pick" ? 1 : 0.1,
        "aria-label": `${label}: ${title}`,
        onchange: () => this.send(board),
      })
    );
    this.form = element(
      "span",
      { class: "place" },
      ...labels.map((label, at) => element("label", {}, label, this.fields[at])),
    );
  }

  send(board) {
    const [x, y] = this.fields.map((field) => field.valueAsNumber);
    if (Number.isFinite(x) && Number.isFinite(y)) board.edit({ ...this.command, x, y });
  }

  /** Show the current place, except in a field that is being typed in. */
  show(place) {
    this.fields.forEach((field, at) => {
      if (place && field !== document.activeElement) field.value = Number(place[at].toFixed(2));
    });
  }
}
