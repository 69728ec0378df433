// The teacher's wall: every board as a tile, who needs help, the next act of the lesson, and the pace of the class.

import { pageAddress } from "../pages/address.js";
import { lessons } from "../pages/catalogue.js";
import { isDark, isLarge, otherSize, otherTheme, sizeOfType } from "../look.js";
import { button, codeOf, icon, part, say, showChildren, toggle } from "../parts.js";
import { item, menu } from "../pages/popup.js";
import { needsParts } from "./needs.js";
import { OneBoard } from "./one_board.js";
import { eyesUp, follow, lock, paceParts, timeText, undo } from "./pace.js";
import { Plan } from "./plan.js";
import { questionParts } from "./question.js";
import { nameOf } from "./seat_words.js";
import { SendDialog } from "./send.js";
import { keepHidesNames, keptTeacher } from "../teacher.js";
import { paintChanged, Tiles } from "./tiles.js";
import { togetherParts } from "./together.js";

const NEEDS = [[1000, 7], [760, 5], [560, 3], [0, 1]]; // rows of "Needs you", by the window's height at the usual type
const NEW_MINUTES = 5;
const WHAT = ["auto", "door", "scatter", "ghosts", "leaders", "blank"];

export class Wall {
  /** `page` has show(view), tell(sentence, act?, do?), prompt(question) and device(opener). */
  constructor(teacher, words, page) {
    this.teacher = teacher;
    this.words = words;
    this.page = page;
    this.tell = page.tell;
    this.prompt = page.prompt;
    this.anonymous = Boolean(keptTeacher(teacher.code)?.hidesNames);
    this.one = null; // the seat whose board is open
    this.together = null; // which large picture is open: "scatter", "ghosts", "leaders", or "runs" after a vote
    this.axes = null; // of the dots, as the teacher chose them: [x, y]
    this.lessons = [];
    this.titles = new Map();
    this.needsOpen = false;
    this.root = part("main", { class: "wall" });
    this.tiles = new Tiles(this);
    this.plan = new Plan(this);
    this.dialog = new SendDialog(this);
    this.board = new OneBoard(this);
    this.open = (seat) => this.openBoard(seat);
    lessons().then((found) => {
      this.lessons = found;
      this.titles = new Map(found.map(({ name, title }) => [name, title]));
      this.changed();
    });
    this.keys = (event) => this.followKey(event);
    addEventListener("keydown", this.keys);
    this.look = () => paintChanged(this.root, true);
    addEventListener("class:look", this.look);
  }

  get voting() {
    return Boolean(this.teacher.state?.vote?.state.startsWith("open"));
  }

  changed() {
    this.page.changed();
  }

  nameOfSeat(seat) {
    const person = this.teacher.people().find((each) => each.seat === seat);
    return person ? nameOf(person, this.words, this.anonymous) : "";
  }

  /** The page on which most of the class are. */
  mostPage() {
    const counts = new Map();
    for (const { page } of this.teacher.seats.values()) counts.set(page, (counts.get(page) ?? 0) + 1);
    return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0] ?? "";
  }

  // One board.

  openBoard(seat) {
    const before = this.one;
    this.one = seat;
    this.together = null;
    this.draw();
    if (seat) this.root.querySelector(".oneb")?.focus();
    else if (before) this.root.querySelector(`[data-seat="${before}"]`)?.focus();
  }

  // All runs in one picture.

  openTogether(what) {
    const before = this.together;
    this.one = null;
    this.together = what;
    this.draw();
    if (what && !before) this.root.querySelector(".together")?.focus();
    else if (!what) this.root.querySelector("[data-key=large]")?.focus();
  }

  /** Draw again after a while: recordings play. */
  again(milliseconds) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.changed(), milliseconds);
  }

  /** The axes of the dots, here and on the projector. */
  chooseAxes(x, y) {
    this.axes = [x, y];
    this.teacher.send({ do: "project", what: this.teacher.state.project.what, x, y });
    this.changed();
  }

  openBeside(by) {
    const order = this.tiles.shown(this.teacher.people()).map(({ seat }) => seat);
    const at = order.indexOf(this.one);
    this.openBoard(order[(at + by + order.length) % order.length]);
  }

  /** The teacher's own board in the app, in a tab of its own. */
  myBoard() {
    const { code, token, state } = this.teacher;
    const url = new URL(pageAddress(state.sent?.page ?? "", code, { t: token }));
    for (const [name, value] of new URLSearchParams(state.sent?.query ?? "")) url.searchParams.set(name, value);
    open(url, "_blank", "noopener");
  }

  // Keys.

  followKey(event) {
    const { target, key, altKey, ctrlKey, metaKey } = event;
    if (!this.root.isConnected || !this.teacher.state || altKey || ctrlKey || metaKey) return;
    if (document.querySelector("dialog[open]") || target.closest?.("input, select, textarea, [popover]")) return;
    if (this.one && ["ArrowLeft", "ArrowRight"].includes(key) && !target.closest(".live")) {
      event.preventDefault();
      return this.openBeside(key === "ArrowLeft" ? -1 : 1);
    }
    if (this.tiles.moveFocus(key)) return event.preventDefault();
    const acts = {
      e: () => eyesUp(this),
      l: () => lock(this),
      f: () => follow(this),
      n: () => this.plan.next(),
      u: () => undo(this),
      p: () => this.holdPeek(),
      "/": () => this.root.querySelector("[data-find]")?.focus(),
      Escape: () => this.one ? this.openBoard(null) : this.together && this.openTogether(null),
    };
    const act = acts[key.length === 1 ? key.toLowerCase() : key];
    if (!act || event.repeat) return; // a key that is held acts once
    if (key !== "Escape") event.preventDefault(); // a field that gets the focus now must not get the letter
    act();
  }

  holdPeek() {
    if (!this.teacher.state.vote) return;
    this.teacher.peek(true);
    const end = () => {
      this.teacher.peek(false);
      removeEventListener("keyup", end);
      removeEventListener("blur", end);
    };
    addEventListener("keyup", end);
    addEventListener("blur", end);
  }

  // Drawing.

  /** New tiles have come, and nothing else: draw them, where all else may stay as it is; whether that was done. */
  drawTiles() {
    if (this.one || !this.root.isConnected) return false;
    this.tiles.drawAgain(this.teacher.fresh, this.teacher.people());
    this.teacher.fresh.clear();
    return true;
  }

  draw() {
    const { teacher, words } = this;
    if (!teacher.state) return;
    teacher.fresh.clear();
    const { vote } = teacher.state;
    const people = teacher.people();
    let person = people.find(({ seat }) => seat === this.one);
    if (this.one && !person) {
      this.one = null;
      person = undefined;
    }
    const room = NEEDS.find(([height]) => innerHeight / sizeOfType() >= height)[1];
    const more = () => {
      this.needsOpen = !this.needsOpen;
      this.draw();
    };
    if (!person) this.board.close();
    if (this.together === "leaders" && !teacher.state.leaders) this.together = "scatter";
    if (this.together === "runs" && vote?.state !== "run") this.together = null;
    showChildren(this.root, [
      this.head(people),
      this.plan.parts(),
      part(
        "div",
        { class: "wstage", "data-key": "stage" },
        part(
          "div",
          { class: "side2", "data-key": "side" },
          needsParts(people, this, room, this.needsOpen, more),
          questionParts(people, this),
        ),
        part(
          "div",
          { class: "hero-place", "data-key": "hero" },
          this.tiles.parts(people),
          person && this.board.parts(person, people),
          this.together && togetherParts(this.together, this),
        ),
      ),
      paceParts(this),
    ]);
    const box = this.root.querySelector(".tiles");
    if (box && box !== this.watched) {
      this.tiles.watcher.disconnect();
      this.tiles.watcher.observe(box);
      this.watched = box;
    }
    const grid = this.root.querySelector(".gridw");
    if (grid) grid.inert = Boolean(person || this.together);
    teacher.look(this.tiles.inView, this.one);
    teacher.find(this.together === "runs" ? null : this.together);
    paintChanged(this.root);
    document.title = say(words.wall.page_title, { code: teacher.code });
  }

  head(people) {
    const { teacher, words, anonymous } = this;
    const { state, code } = teacher;
    const text = words.wall;
    const here = people.filter((each) => each.here).length;
    return part(
      "header",
      { class: "top", "data-key": "top" },
      part("h1", {}, text.title),
      codeOf(code, words.every.code),
      part("span", { class: "muted here", role: "status" }, say(text.here, { n: here, of: people.length })),
      part("span", { class: "privy" }, icon("lock"), part("span", {}, text.private)),
      part("span", { class: "gap" }),
      part(
        "span",
        { class: "clock num" },
        say(text.clock, {
          time: timeText(teacher.now()),
          n: Math.max(0, Math.floor((teacher.now() - state.began) / 60)),
        }),
      ),
      toggle(
        text.names,
        [["names", text.with_names], ["none", text.no_names]],
        anonymous ? "none" : "names",
        (name) => {
          this.anonymous = name === "none";
          keepHidesNames(teacher.code, this.anonymous);
          this.draw();
        },
      ),
      ...menu("projector", button("line", "screen", text.projector, null), text.projector, this.projectorRows()),
      ...menu("more", button("quiet", "down", text.more_menu, null), text.more_menu, this.moreRows()),
    );
  }

  projectorRows() {
    const { teacher, words } = this;
    const text = words.wall;
    const { project, leaders, names_on_leaders: names } = teacher.state;
    return [
      part("a", {
        class: "row",
        target: "_blank",
        rel: "noopener",
        href: pageAddress("projector", teacher.code, { p: teacher.state.projector }),
      }, text.open_projector),
      part("hr"),
      part("small", {}, text.project_label),
      ...WHAT.map((what) =>
        part(
          "button",
          {
            type: "button",
            class: "row",
            "aria-pressed": String(project?.what === what),
            disabled: what === "leaders" && !leaders,
            onclick: () => teacher.send({ do: "project", what }),
          },
          part("span", { class: "tick" }, project?.what === what && icon("check")),
          text.project[what],
        )
      ),
      part("hr"),
      part(
        "button",
        {
          type: "button",
          class: "row",
          "aria-pressed": String(Boolean(leaders)),
          onclick: () => teacher.send({ do: "settings", leaders: !leaders }),
        },
        part("span", { class: "tick" }, leaders && icon("check")),
        text.leaders,
      ),
      leaders && part(
        "button",
        {
          type: "button",
          class: "row",
          "aria-pressed": String(Boolean(names)),
          onclick: () => teacher.send({ do: "settings", names_on_leaders: !names }),
        },
        part("span", { class: "tick" }, names && icon("check")),
        text.leaders_names,
      ),
    ];
  }

  moreRows() {
    const { teacher, words, page } = this;
    const text = words.wall;
    const { state } = teacher;
    const unseen = [...teacher.seats.values()].filter(({ typed, allowed }) => typed && !allowed).length;
    const since = teacher.now() - 60 * NEW_MINUTES;
    const fresh = [...teacher.seats.values()].filter(({ joined }) => joined > since).length;
    return [
      item(text.to_door, () => page.show("door")),
      item(state.door ? text.shut_door : text.open_door, () => teacher.send({ do: "door", open: !state.door })),
      fresh > 0 && item(say(text.take_out_new, { n: fresh, minutes: NEW_MINUTES }), () => this.takeOutNew(fresh)),
      item(text.second_device, () => page.device(this.root.querySelector("[data-key=open-more]"))),
      item(text.my_board, () => this.myBoard()),
      part("hr"),
      item(
        state.show_names ? text.hide_names : text.show_names,
        () => teacher.send({ do: "settings", show_names: !state.show_names }),
      ),
      unseen > 0 && item(say(text.allow_all, { n: unseen }), () => teacher.send({ do: "allow", all: true })),
      part("hr"),
      item(isLarge() ? text.usual_type : text.larger_type, otherSize),
      item(isDark() ? text.light : text.dark, otherTheme),
      part("hr"),
      item(text.end, () => page.show("after"), { class: "warn" }),
      part("hr"),
      part("small", { class: "keys" }, text.keys),
    ];
  }

  /** Strangers have come in by the hundred: take out who is new, and close the door. */
  async takeOutNew(n) {
    const { teacher, words } = this;
    const { sure_new: title, sure_new_note: note, take_out_yes: yes } = words.wall;
    if (await this.prompt({ title: say(title, { n }), note, yes })) {
      teacher.send({ do: "take out new", minutes: NEW_MINUTES });
    }
  }

  destroy() {
    clearTimeout(this.waiting);
    this.board.close();
    this.tiles.watcher.disconnect();
    this.watched = null;
    this.root.remove();
  }
}
