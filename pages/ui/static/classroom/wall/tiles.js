// The hero of the wall: one tile for each student, with filters, order and pages. Only what changed is drawn again.

import { drawMiniature } from "../miniature.js";
import { become, button, canvas, icon, iconButton, part, repaint, say } from "../parts.js";
import { sizeOfType } from "../look.js";
import { gridFor } from "./grid.js";
import { fits, flagOf, inWords, lossText, nameOf, stepText } from "./seat_words.js";

const SPACE = 6; // pixels left and right of a tile's words
const FILTERS = {
  all: () => true,
  help: ({ waits }) => waits,
  diverged: ({ diverged }) => diverged,
  idle: ({ idle }) => idle,
  done: ({ done }) => done,
  open: ({ done, here }) => !done && here,
};
const ORDERS = {
  joined: () => 0,
  name: (one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }),
  progress: (one, other) => (other.tile?.step ?? -1) - (one.tile?.step ?? -1),
  loss: (one, other) => order(one.tile?.loss) - order(other.tile?.loss),
  help: (one, other) => other.waits - one.waits,
};
const LIVE = new Set(["progress", "loss", "help"]); // orders that change while the class works
const order = (loss) => Number.isFinite(loss) ? loss : Infinity;

export class Tiles {
  /** `wall` has words, anonymous, voting, open(seat) and changed(). */
  constructor(wall) {
    this.wall = wall;
    this.filter = "all";
    this.order = "joined";
    this.page = 0;
    this.box = [0, 0];
    this.sought = ""; // a part of a name
    this.places = []; // seats in the order that the teacher chose: tiles keep their places until the next choice
    this.watcher = new ResizeObserver(([{ contentRect }]) => {
      this.box = [contentRect.width, contentRect.height];
      wall.changed();
    });
  }

  /** The seats that pass the filter, in their order. */
  shown(people) {
    const known = new Map(people.map((each) => [each.seat, each]));
    const places = this.places.filter((seat) => known.has(seat));
    const placed = new Set(places);
    this.places = [...places, ...people.filter(({ seat }) => !placed.has(seat)).map(({ seat }) => seat)];
    const sought = this.sought.trim().toLowerCase();
    return this.places.map((seat) => known.get(seat)).filter((each) =>
      FILTERS[this.filter](each) && (!sought || each.name.toLowerCase().includes(sought))
    );
  }

  sort(name, people) {
    this.order = name;
    this.places = [...people].sort((one, other) => ORDERS[name](one, other) || one.number - other.number)
      .map(({ seat }) => seat);
    this.wall.changed();
  }

  /** The tiles as elements; `view` is filled with the seats in sight. */
  parts(people) {
    const { words } = this.wall;
    const shown = this.shown(people);
    const scale = sizeOfType();
    const grid = gridFor(shown.length, this.box[0] || 900, this.box[1] || 600, scale);
    const pages = Math.max(1, Math.ceil(shown.length / grid.per));
    this.page = Math.min(this.page, pages - 1);
    const here = shown.slice(this.page * grid.per, (this.page + 1) * grid.per);
    this.columns = grid.columns;
    this.inView = here.map(({ seat }) => seat);
    const width = this.width = grid.width / scale;
    this.isTiny = grid.isTiny;
    const highest = Number.isFinite(grid.height) ? `${Math.floor(grid.height)}px` : "1fr"; // a few tiles are no towers
    return part(
      "div",
      { class: "gridw", "data-key": "grid" },
      this.head(people, shown.length, grid.per, pages),
      here.length
        ? part(
          "div",
          {
            class: `tiles ${grid.isTiny ? "tiny" : ""}`,
            role: "group",
            "aria-label": words.wall.boards,
            "data-key": "tiles",
            style: `grid-template-columns: repeat(${grid.columns}, minmax(0, 1fr)); ` +
              `grid-template-rows: repeat(${Math.max(grid.rows, 1)}, minmax(0, ${highest}))`,
          },
          here.map((person) => this.tile(person, width, grid.isTiny)),
        )
        : part(
          "p",
          { class: "tiles none muted", "data-key": "none" },
          people.length ? words.wall.nobody_here : words.wall.nobody_yet,
        ),
    );
  }

  head(people, count, per, pages) {
    const text = this.wall.words.wall;
    const filters = Object.keys(FILTERS).map((name) => {
      const n = people.filter(FILTERS[name]).length;
      return button("quiet", "", say(text.filters[name], { n }), () => {
        this.filter = name;
        this.page = 0;
        this.wall.changed();
      }, { "aria-pressed": String(name === this.filter), "data-key": `filter-${name}` });
    });
    const move = (by) => () => {
      this.page = Math.min(Math.max(0, this.page + by), pages - 1);
      this.wall.changed();
    };
    const from = this.page * per;
    const select = part(
      "select",
      { class: "sel", "aria-label": text.sort, "data-key": "sort" },
      Object.keys(ORDERS).map((name) =>
        part("option", { value: name, selected: name === this.order }, text.orders[name])
      ),
    );
    // the node on the page is another one than this: it is asked for its own value
    select.onchange = (event) => this.sort(/** @type {HTMLSelectElement} */ (event.target).value, people);
    const find = part("input", {
      class: "find",
      type: "search",
      "aria-label": text.find,
      placeholder: text.find_short,
      "data-key": "find",
      "data-find": true,
      oninput: (event) => {
        this.sought = event.target.value;
        this.page = 0;
        this.wall.changed();
      },
    });
    find.value = this.sought;
    return part(
      "div",
      { class: "filters", role: "group", "aria-label": text.show, "data-key": "filters" },
      filters,
      part("span", { class: "gap", "data-key": "gap" }),
      pages > 1 && part(
        "span",
        { class: "pages muted num", "data-key": "pages" },
        iconButton("quiet", "left", text.page_before, move(-1), { disabled: this.page === 0 }),
        say(text.pages, { from: from + 1, to: Math.min(from + per, count), n: count }),
        iconButton("quiet", "right", text.page_next, move(1), { disabled: this.page === pages - 1 }),
      ),
      find,
      LIVE.has(this.order) && iconButton(
        "quiet",
        "again",
        say(text.sort_again, { order: text.orders[this.order] }),
        () => this.sort(this.order, people),
        { "data-key": "again" },
      ),
      part("span", { class: "selbox", "data-key": "selbox" }, select, icon("down")),
    );
  }

  tile(person, width, isTiny) {
    const { words, anonymous, voting, open } = this.wall;
    const { tile } = person;
    const name = nameOf(person, words, anonymous);
    const flag = flagOf(person, words, isTiny ? 0 : width, voting);
    const loss = tile ? lossText(tile.loss, words) : "";
    const state = [
      person.waits && "h",
      (person.idle || !person.here) && "i",
      person.diverged && "b",
    ].filter(Boolean).join(" ");
    const line = tile && person.run ? lineOf(loss, tile.step, width, words) : words.wall.no_run;
    const picture = canvas((context, wide, high) => drawMiniature(context, wide, high, tile), { "data-own": true });
    picture.tile = tile?.look;
    return part(
      "button",
      {
        type: "button",
        class: `tile ${state}`,
        "data-key": `seat-${person.seat}`,
        "data-seat": String(person.seat),
        "aria-label": inWords(person, name, words),
        onclick: () => open(person.seat),
      },
      part("span", { class: "pic", "data-key": "pic" }, picture),
      part(
        "span",
        { class: "cap", "data-key": "cap" },
        part("b", {}, name),
        flag ?? (isTiny ? part("span", { class: "v" }, loss) : part("span", { class: "v" })),
        !isTiny && part("span", { class: "v line" }, line),
      ),
    );
  }

  /** Draw these seats' tiles again, as far as they are in sight. */
  drawAgain(seats, people) {
    for (const person of people) {
      if (!seats.has(person.seat)) continue;
      const node = document.querySelector(`.tile[data-seat="${person.seat}"]`);
      if (!node) continue;
      become(node, this.tile(person, this.width, this.isTiny));
      paintChanged(node);
    }
  }

  /** Move the focus from tile to tile; whether the key was one of the arrows. */
  moveFocus(key) {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns }[key];
    const seat = /** @type {HTMLElement} */ (document.activeElement)?.dataset?.seat;
    if (!step || !seat) return false;
    const at = this.inView.indexOf(Number(seat));
    const next = this.inView[at + step];
    if (next !== undefined) {
      /** @type {HTMLElement} */ (document.querySelector(`[data-seat="${next}"]`))?.focus();
    }
    return true;
  }
}

/** Loss and step in one line, or the loss alone where there is no room for both. */
function lineOf(loss, step, width, words) {
  const both = say(words.wall.loss_step, { loss, step: stepText(step) });
  return fits(both, width - SPACE) ? both : say(words.wall.loss, { loss });
}

/** Paint the canvases below a node whose tile or size has changed; all of them in another theme. */
export function paintChanged(root, all = false) {
  for (const each of root.querySelectorAll("canvas")) {
    const { width, height } = each.getBoundingClientRect();
    const size = `${Math.round(width)} ${Math.round(height)}`;
    if (!all && each.painted === each.tile && each.size === size && "tile" in each) continue;
    each.painted = each.tile;
    each.size = size;
    repaint(each);
  }
}
