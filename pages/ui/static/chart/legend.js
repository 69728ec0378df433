// The legend of a chart, in its card's head: what each line and marker means. A click hides or shows one.

import { element } from "../dom.js";

const SYMBOLS = {
  square: "M1 1h8v8h-8z",
  diamond: "M5 0l5 5-5 5-5-5z",
  x: "M1 2.5 2.5 1 5 3.5 7.5 1 9 2.5 6.5 5 9 7.5 7.5 9 5 6.5 2.5 9 1 7.5 3.5 5z",
  cross: "M4 0h2v4h4v2h-4v4h-2v-4h-4v-2h4z",
  "triangle-up": "M5 0.5 10 9.5H0z",
  "triangle-down": "M5 9.5 0 0.5h10z",
  star: "M5 0l1.5 3.4 3.5.4-2.6 2.4.8 3.8L5 8l-3.2 2 .8-3.8L0 3.8l3.5-.4z",
};
const CIRCLE = "M5 0.8a4.2 4.2 0 1 0 0 8.4a4.2 4.2 0 1 0 0-8.4z";

export class Legend {
  /** `chart` has draw() and hidden, the names of the traces that are not shown. */
  constructor(chart) {
    this.chart = chart;
    this.signature = "";
    this.root = element("span", { class: "legend", translate: "no" });
  }

  /** Show an entry for each named trace of a figure's data that is more than words. */
  show(data) {
    const entries = data.filter(isListed);
    const unique = entries.filter((trace, at) => entries.findIndex(({ name }) => name === trace.name) === at);
    const signature = JSON.stringify(unique.map((trace) => [trace.name, ...looks(trace), this.isHidden(trace)]));
    if (signature === this.signature) return;
    this.signature = signature;
    const focused = [...this.root.children].indexOf(document.activeElement);
    this.root.replaceChildren(...unique.map((trace) => this.entry(trace)));
    /** @type {HTMLElement} */ (this.root.children[focused])?.focus();
  }

  isHidden(trace) {
    return this.chart.hidden.has(groupOf(trace));
  }

  entry(trace) {
    const group = groupOf(trace);
    return element(
      "button",
      {
        type: "button",
        class: "entry",
        "aria-pressed": String(!this.isHidden(trace)),
        onclick: () => {
          if (!this.chart.hidden.delete(group)) this.chart.hidden.add(group);
          this.chart.draw();
        },
      },
      sign(trace),
      trace.meta?.legend ?? trace.name,
    );
  }
}

/** Whether a trace has an entry: words have none, nor has what its figure gives an empty word for. */
function isListed({ name, mode, showlegend, visible, meta }) {
  return name && mode !== "text" && showlegend !== false && visible !== false && meta?.legend !== "";
}

/** What a click on an entry hides: the trace, or all of its group. */
export const groupOf = ({ legendgroup, name }) => legendgroup || name;

function looks({ mode = "lines", type, ...trace }) {
  /** @type {{ line: any, marker: any }} */
  const { line, marker } = { line: {}, marker: {}, ...trace };
  const colour = [line.color, marker.color].flat().find((each) => typeof each === "string");
  return [type === "bar" ? "bar" : mode, colour, line.dash, [marker.symbol].flat()[0]];
}

function sign(trace) {
  const [mode, colour = "currentColor", dash, symbol] = looks(trace);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const isLine = mode.includes("lines");
  svg.setAttribute("viewBox", isLine ? "0 0 20 10" : "0 0 10 10");
  svg.setAttribute("class", isLine ? "line" : "point");
  svg.setAttribute("aria-hidden", "true");
  const add = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    svg.append(node);
  };
  if (isLine) {
    const dashes = dash && dash !== "solid" ? (dash === "dot" ? "1.5 2.5" : "5 3") : "none";
    add("path", { d: "M0 5h20", stroke: colour, "stroke-width": 2.4, "stroke-dasharray": dashes });
  } else if (mode === "bar") add("path", { d: SYMBOLS.square, fill: colour });
  if (mode.includes("markers")) {
    const isOpen = symbol?.endsWith("-open");
    const d = SYMBOLS[symbol?.replace("-open", "")] ?? CIRCLE;
    const shift = isLine ? "translate(5 0)" : "";
    add("path", {
      d,
      transform: shift,
      fill: isOpen ? "none" : colour,
      stroke: isOpen ? colour : "none",
      "stroke-width": 1.6,
    });
  }
  return svg;
}
