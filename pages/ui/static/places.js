// Where the charts stand: one is the hero, one has the second place beside it, the others are small pictures that
// change places with them, and the strip runs under all. Each chart's card is made once and moved.

import { Thumbnail } from "./chart/thumbnail.js";
import { element } from "./dom.js";

const IN_THE_ROW = 5; // small pictures; the others are behind "All pictures"

export class Places {
  /** `board` has charts (name -> chart), words and changed(). */
  constructor(board) {
    this.board = board;
    const { words } = board;
    const all = [...board.charts.values()];
    this.strip = all.find(({ spec }) => spec.strip);
    const charts = all.filter((chart) => chart !== this.strip);
    const views = [...new Set(charts.map(({ spec }) => spec.views[0] ?? ""))]; // in order of their own charts
    this.views = new Map(views.map((view) => {
      const [hero, second, ...rest] = charts.filter(({ spec }) => !spec.views.length || spec.views.includes(view));
      return [view, { hero, second, rest }];
    }));
    this.view = views[0];
    this.atFirst = new Map(
      [...this.views].map(([view, { hero, second, rest }]) => [view, { hero, second, rest: [...rest] }]),
    );
    this.hero = element("div", { class: "hero", "data-place": "hero" });
    this.second = element("div", { class: "second", "data-place": "second" });
    this.thumbs = element("div", {
      class: "thumbs",
      "data-place": "thumbs",
      role: "group",
      "aria-label": words.thumbs,
    });
    this.more = element("section", { class: "more", "data-place": "more", "aria-label": words.allPictures });
    this.more.hidden = true;
    this.beside = null; // an element
    this.park = element("div", {}); // cards of charts that are small or out of view
    this.park.hidden = true;
    this.inTheRow = [];
    this.below = [];
    this.all = element(
      "button",
      {
        type: "button",
        class: "all-pictures",
        title: words.allPictures,
        "aria-label": words.allPictures,
        "aria-expanded": "false",
        onclick: () => this.toggleAll(),
      },
    );
  }

  get shown() {
    return this.views.get(this.view) ?? { hero: undefined, second: undefined, rest: [] };
  }

  /** Put every chart where it belongs. */
  arrange() {
    const { hero, second, rest } = this.shown;
    for (const chart of this.board.charts.values()) {
      const place = chart === hero ? "hero" : chart === second ? "second" : chart === this.strip ? "strip" : "small";
      const parent = { hero: this.hero, second: this.second }[place];
      if (place === "small") this.park.append(chart.card);
      else if (parent && chart.card.parentNode !== parent) parent.replaceChildren(chart.card);
      chart.moveTo(place);
    }
    for (const { spec, place } of this.board.charts.values()) {
      if (spec.leads) this.board.options[spec.leads] = place === "hero";
    }
    this.placeBeside();
    this.showThumbnails(rest);
    this.board.changed();
  }

  /** What `beside` holds, a still lab's tables, has the place of a chart where there is none. */
  placeBeside() {
    const { hero, second } = this.shown;
    const free = second ? [] : hero ? [this.second] : [this.second, this.hero];
    for (const place of free) place.replaceChildren(...(this.beside && place === free.at(-1) ? [this.beside] : []));
    this.board.screen.classList.toggle("single", !second && !(hero && this.beside?.childElementCount));
    this.board.screen.classList.toggle("tables", !hero);
  }

  showThumbnails(rest) {
    const { thumbs } = this;
    const focused = [...thumbs.children].indexOf(document.activeElement);
    for (const each of [...this.inTheRow, ...this.below]) each.destroy();
    const others = [...this.views].filter(([view]) => view !== this.view);
    const room = Math.max(1, IN_THE_ROW - others.length);
    const isFull = rest.length + others.length > IN_THE_ROW;
    this.inTheRow = [
      ...(isFull ? rest.slice(0, room) : rest).map((chart) =>
        new Thumbnail(chart, chart.spec.title, () => this.open(chart.spec.name, true))
      ),
      ...others.map(([view, { hero }]) => new Thumbnail(hero, view, () => this.choose(view, true))),
    ];
    this.all.hidden = !isFull;
    this.all.textContent = `+${rest.length + others.length - this.inTheRow.length}`;
    thumbs.replaceChildren(...this.inTheRow.map(({ root }) => root), this.all);
    const { length } = thumbs.children;
    if (focused >= 0) /** @type {HTMLElement} */ (thumbs.children[Math.min(focused, length - 1)]).focus();
    this.thumbs.hidden = this.inTheRow.length === 0;
    this.below = this.more.hidden
      ? []
      : [...this.views.values()].flatMap(({ rest }) => rest).filter((chart, at, all) => all.indexOf(chart) === at)
        .filter((chart) => chart.place === "small")
        .map((chart) =>
          new Thumbnail(chart, chart.spec.title, () => {
            this.open(chart.spec.name, true);
            chart.menu.button.focus({ preventScroll: true }); // the small picture has gone
          })
        );
    this.more.replaceChildren(...this.below.map(({ root }) => root));
  }

  toggleAll() {
    this.more.hidden = !this.more.hidden;
    this.all.setAttribute("aria-expanded", String(!this.more.hidden));
    this.showThumbnails(this.shown.rest);
    this.board.changed();
    if (!this.more.hidden) this.more.scrollIntoView({ block: "nearest" });
  }

  /**
   * Open a chart: it changes places with the second one, or with the hero if it cannot be read in a narrow place, or
   * was the hero itself. Where an experiment asks for such a chart, the hero moves to the second place and stays in
   * sight, unless the second chart speaks of what the new one shows.
   */
  open(name, fromButton = false) {
    const chart = this.board.charts.get(name);
    if (!chart || ["hero", "second", "strip"].includes(chart.place)) return;
    if (!this.shown.rest.includes(chart)) this.view = chart.spec.views[0];
    const { shown } = this;
    if (shown.hero === chart || shown.second === chart) return this.arrange();
    const at = shown.rest.indexOf(chart);
    const isLarge = chart.spec.wide || !shown.second || chart === this.atFirst.get(this.view).hero;
    const keepsHero = isLarge && !fromButton && shown.second && !shown.hero.spec.wide && !chart.spec.leads;
    const left = isLarge && !keepsHero ? shown.hero : shown.second;
    if (keepsHero) shown.second = shown.hero;
    if (isLarge) shown.hero = chart;
    else shown.second = chart;
    if (at < IN_THE_ROW) shown.rest[at] = left;
    else { // from behind "All pictures": what it takes the place of stays in the row
      shown.rest.splice(at, 1);
      shown.rest.unshift(left);
    }
    this.rearrange(fromButton);
  }

  /** Put every chart back to where it stood when the page opened. */
  reset() {
    for (const [view, { hero, second, rest }] of this.atFirst) this.views.set(view, { hero, second, rest: [...rest] });
    [this.view] = this.views.keys();
    this.arrange();
  }

  /** The hero and the second chart change places. */
  exchange() {
    const { shown } = this;
    [shown.hero, shown.second] = [shown.second, shown.hero];
    this.arrange();
    shown.hero.menu.button.focus();
  }

  choose(view, fromButton = false) {
    this.view = view;
    this.rearrange(fromButton);
  }

  /** Arrange, and show the board where a picture below it was pressed. */
  rearrange(fromButton) {
    const isBelow = fromButton && this.more.contains(document.activeElement);
    this.arrange();
    if (isBelow) this.board.root.scrollIntoView({ block: "start" });
  }

  destroy() {
    for (const each of [...this.inTheRow, ...this.below]) each.destroy();
  }
}
