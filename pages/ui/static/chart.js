// One chart in its card: drawn in place by Plotly, in the colours of the theme, with its own small tools.

import { put } from "./codec.js";
import { isQuick, moveLines } from "./quick.js";

const CLICK_PIXELS = 4; // a pointer that moved further was a drag
const FULL_UPDATE_MS = 1000; // how long quick updates may go without a full one
let plotly; // the promise of Plotly, loaded once for the page

export function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("The chart library did not load. Reload the page."));
    document.head.append(script);
  });
  return plotly;
}

const ICONS = {
  play: "M8 5v14l11-7z", pause: "M7 5h4v14H7zM13 5h4v14h-4z", step: "M6 5v14l8-7zM16 5h2.5v14H16z",
  reset: "M12 5V1.5L6.5 7l5.5 5.5V8a5 5 0 1 1-5 5H4.5A7.5 7.5 0 1 0 12 5z",
  full: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  home: "M12 4 3 12h3v8h5v-5h2v5h5v-8h3z",
};

/** A small picture drawn here, so that no font and no file is needed for it. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  return svg;
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made[name] = value;
    else if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export class Chart {
  /** `spec` is the lesson's chart; `board` has words, options, palette(), large, changed() and edit(command). */
  constructor(spec, board) {
    this.spec = spec;
    this.board = board;
    this.figure = null;
    this.visible = false;
    this.plot = element("div", { class: "plot", "data-chart": spec.name, role: "img", "aria-label": `${spec.title}. ${spec.alt}` });
    this.numbers = element("p", { class: "unseen" });
    this.card = element("section", { class: "card", "aria-label": spec.title }, this.header(), this.plot, this.numbers);
    this.watcher = new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      board.changed();
    }, { rootMargin: "60px" });
    this.watcher.observe(this.plot);
    this.sizer = new ResizeObserver(() => this.fit());
    this.sizer.observe(this.plot);
    if (spec.editable) this.listenForClicks();
  }

  header() {
    const words = this.board.words;
    const tool = (label, sign, act) => element("button", { type: "button", title: label, "aria-label": `${label}: ${this.spec.title}`, onclick: act }, sign);
    const toggles = this.spec.toggles.map((toggle) => {
      const box = element("input", { type: "checkbox" });
      box.checked = this.board.options[toggle.name] ??= toggle.on;
      box.onchange = () => {
        this.board.options[toggle.name] = box.checked;
        this.board.changed();
      };
      return element("label", { class: "toggle" }, box, toggle.label);
    });
    return element("header", {},
      element("h3", {}, this.spec.title), ...toggles,
      element("span", { class: "tools" },
        tool(words.resetZoom, icon("home"), () => this.resetZoom()),
        tool(words.png, "PNG", () => this.savePicture()),
        tool(words.csv, "CSV", () => this.saveNumbers()),
        tool(words.fullScreen, icon("full"), () => toggleFullScreen(this.card))));
  }

  /** Take a whole figure, or the changes to the last one. */
  take(part) {
    if (part.figure) {
      this.figure = part.figure;
      this.shown = this.coloured(this.figure);
      this.draw();
    } else if (this.figure) {
      for (const [path, value] of part.set) {
        put(this.figure, path, value);
        put(this.shown, path, this.coloured(value));
      }
      const moved = new Set(part.set.filter(([path]) => path[2] !== "hovertext").map(([path]) => path[1]));
      if (isQuick(this.figure, part.set) && moveLines(this.plot, this.shown.data, moved)) this.later ??= setTimeout(() => this.draw(), FULL_UPDATE_MS);
      else this.draw();
    }
  }

  /** The full update: Plotly draws everything that has changed. */
  draw() {
    clearTimeout(this.later);
    this.later = undefined;
    if (!this.figure || !window.Plotly) return;
    const { data, layout } = this.shown;
    layout.width = this.plot.clientWidth;
    layout.height = this.plot.clientHeight;
    layout.font = { ...layout.font, size: this.board.large ? 16 : 12, family: this.board.font };
    if (layout.width < 40) return;
    const config = { displayModeBar: false, doubleClick: this.spec.editable ? false : "reset", scrollZoom: false, responsive: false };
    window.Plotly.react(this.plot, data, layout, config);
    this.numbers.textContent = describe(data);
  }

  /** The theme or the type size changed: colour everything again. */
  recolour() {
    if (!this.figure) return;
    this.shown = this.coloured(this.figure);
    this.draw();
  }

  coloured(value) {
    if (typeof value === "string") return value[0] === "@" ? this.board.colour(value) : value;
    if (Array.isArray(value)) return value.map((item) => this.coloured(item));
    if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.coloured(item)]));
  }

  fit() {
    const layout = this.plot.layout;
    if (layout && (layout.width !== this.plot.clientWidth || layout.height !== this.plot.clientHeight)) this.draw();
  }

  resetZoom() {
    if (!this.figure) return;
    const { xaxis, yaxis } = this.figure.layout;
    window.Plotly.relayout(this.plot, { "xaxis.range": [...xaxis.range], "yaxis.range": [...yaxis.range] });
  }

  async savePicture() {
    if (!this.figure) return;
    const { data, layout } = this.plot;
    const solid = { ...layout, paper_bgcolor: this.board.colour("@ground"), title: { text: this.spec.title }, margin: { ...layout.margin, t: 60 } };
    const url = await window.Plotly.toImage({ data, layout: solid }, { format: "png", width: 1000, height: 640, scale: 2 });
    download(`${this.spec.name}.png`, url);
  }

  saveNumbers() {
    if (!this.figure) return;
    const rows = ["series,x,y"];
    for (const trace of this.figure.data) {
      if (trace.visible === false || !trace.x) continue;
      const name = `"${String(trace.name ?? "").replaceAll('"', '""')}"`;
      for (let i = 0; i < trace.x.length; i++) {
        if (Number.isFinite(trace.x[i]) && Number.isFinite(trace.y[i])) rows.push(`${name},${trace.x[i]},${trace.y[i]}`);
      }
    }
    const url = URL.createObjectURL(new Blob([rows.join("\n") + "\n"], { type: "text/csv" }));
    download(`${this.spec.name}.csv`, url);
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  listenForClicks() {
    this.plot.classList.add("editable");
    let from = null;
    this.plot.addEventListener("pointerdown", (event) => (from = event), true);
    this.plot.addEventListener("pointerup", (event) => {
      const start = from;
      from = null;
      if (!start || event.button !== 0 || Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > CLICK_PIXELS) return;
      const point = this.pointAt(event);
      if (point) this.board.edit({ do: event.shiftKey ? "remove" : "add", ...point });
    }, true);
  }

  /** The data coordinates under the pointer, or null outside the axes. */
  pointAt(event) {
    const full = this.plot._fullLayout;
    if (!full) return null;
    const box = this.plot.getBoundingClientRect();
    const left = event.clientX - box.left - full.xaxis._offset;
    const top = event.clientY - box.top - full.yaxis._offset;
    if (left < 0 || top < 0 || left > full.xaxis._length || top > full.yaxis._length) return null;
    return { x: full.xaxis.p2d(left), y: full.yaxis.p2d(top) };
  }

  destroy() {
    clearTimeout(this.later);
    this.watcher.disconnect();
    this.sizer.disconnect();
    if (window.Plotly) window.Plotly.purge(this.plot);
  }
}

export function toggleFullScreen(node) {
  if (document.fullscreenElement) document.exitFullscreen();
  else node.requestFullscreen?.();
}

function download(name, url) {
  const link = element("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** The chart's numbers as a line of text, for those who do not see it. */
function describe(data) {
  return data
    .filter((trace) => trace.visible !== false && trace.name && trace.y?.length)
    .map((trace) => `${trace.name}: ${trace.y.length} values, last ${Number(trace.y[trace.y.length - 1]).toPrecision(4)}`)
    .join("; ");
}
