// The teacher's page: start, then the class as door, wall or afterwards; in one page, with one socket.

import { forget, keep, kept } from "../../storage.js";
import { addressOf } from "../../address.js";
import { after } from "./after.js";
import { prompter } from "./ask.js";
import { codeInAddress, fragment, setAddress } from "./address.js";
import { Devices } from "./devices.js";
import { doorPlate, teachersDoor } from "./door.js";
import { button, part, say, showChildren } from "../parts.js";
import { start } from "./start.js";
import { CLOSED } from "../socket.js";
import { forgetTeacher, FORGOTTEN, keepTeacher, keptTeacher, Teacher } from "../teacher.js";
import { Wall } from "../wall/wall.js";

const NOTICE_MS = 7000;
const LOST_TRIES = 2; // a line that comes back at once is not worth a word
const CLOCK_MS = 15_000; // times on the page are drawn again
const WHOLE_MS = 1000; // from new tiles until what is drawn from all of them is drawn again

/** The page `/class`. */
export function teach(root, words) {
  const code = codeInAddress();
  const known = code ? keptTeacher(code) : null;
  const token = known?.token ?? fragment().t;
  const begun = (made) => {
    const isKept = keepTeacher(made.code, made.token);
    setAddress("class", { class: made.code }, isKept ? {} : { t: made.token });
    showChildren(root, []);
    new TeachersPage(root, words, made.code, made.token, false, "door");
  };
  if (!code || !token) return start(root, words, begun);
  new TeachersPage(root, words, code, token, !known, kept("sessionStorage", `class view ${code}`) ?? "wall");
}

class TeachersPage {
  constructor(root, words, code, token, fresh, view) {
    this.root = root;
    this.words = words;
    this.code = code;
    this.keepView(view);
    this.prompt = prompter(words);
    this.notice = part("div", { class: "notice", role: "status" });
    this.lost = part("p", { class: "lost", role: "status", hidden: true }, words.every.lost);
    document.body.append(this.lost, this.notice);
    this.tell = (sentence, act, run) => this.say(sentence, act, run);
    const first = { as: "teacher", token, view: "wall", fresh };
    this.teacher = new Teacher(code, first, (is) => this.changed(is), {
      refused: (message) => this.refused(message),
      ended: (closeCode) => this.ended(closeCode),
      received: (message) => this.received(message),
    });
    this.devices = new Devices(this.teacher, words, this.tell);
    this.wall = new Wall(this.teacher, words, this);
    this.plate = doorPlate(code, words);
    this.announced = undefined; // the device that was announced last
    this.isEnding = false; // this page has ended the class
    this.after = null; // the last view, made when it is first shown
    this.clock = setInterval(() => this.changed(), CLOCK_MS);
    showChildren(root, [part("p", { class: "wait muted" }, words.every.connecting)]);
  }

  /** A door that is loaded again stays a door: it may be projected, and the wall must not be. */
  keepView(view) {
    this.view = view;
    keep("sessionStorage", `class view ${this.code}`, view);
  }

  show(view) {
    this.keepView(view);
    this.root.replaceChildren();
    this.changed();
    scrollTo(0, 0);
  }

  device(opener) {
    this.devices.open(opener);
  }

  say(sentence, act, run) {
    this.showNotice(sentence, act ? [button("tonal", "", act, run)] : []);
    this.noticed = setTimeout(() => this.notice.replaceChildren(), NOTICE_MS);
  }

  /** A notice that stays until one of its buttons is pressed, or another one comes. */
  showNotice(sentence, acts) {
    clearTimeout(this.noticed);
    this.notice.replaceChildren(sentence, ...acts.flatMap((each) => [" ", each]));
  }

  received(message) {
    if (message.is === "pair") this.devices.take(message);
    if (message.is === "snapshot") this.say(this.words.board.kept);
  }

  /** A command was not carried out. Show asks first where few have answered. */
  async refused({ do: command, why, say: sentence }) {
    if (why !== "few") return this.say(sentence);
    const { vote } = this.teacher.state;
    if (await this.prompt({ title: sentence, yes: this.words.question.show_anyway })) {
      this.teacher.send({ do: command, vote: vote.id, in: vote.state, sure: true });
    }
  }

  ended(closeCode) {
    clearInterval(this.clock);
    this.teacher.close();
    this.wall.destroy();
    this.lost.hidden = true;
    this.notice.replaceChildren();
    for (const open of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (open).close();
    if (FORGOTTEN.includes(closeCode)) forgetTeacher(this.code);
    forget("sessionStorage", `class view ${this.code}`);
    setAddress("class");
    this.isOver = true;
    const text = this.words.after;
    const [title, lead] = {
      [CLOSED.ended]: [text.gone, this.isEnding ? text.gone_lead : text.gone_itself],
      [CLOSED.void]: [text.taken_out, text.taken_out_lead],
      [CLOSED.noClass]: [text.no_class, text.no_class_lead],
    }[closeCode] ?? [text.closed, text.closed_lead];
    this.root.replaceChildren(part(
      "main",
      { class: "begin over" },
      part(
        "div",
        {},
        part("h1", {}, title),
        part("p", { class: "lead" }, lead),
        part(
          "div",
          { class: "acts" },
          button("fill", "people", text.again, () => location.assign(addressOf("class"))),
          part("a", { class: "btn line", href: "./" }, text.lessons),
        ),
      ),
    ));
  }

  /** Draw at the browser's next frame; of new tiles themselves at first, and what shows all of them once a second. */
  changed(is) {
    if (this.isOver) return;
    this.lost.hidden = this.teacher.isConnected || this.teacher.tries < LOST_TRIES;
    if (is !== "tiles") this.isOther = true;
    if (!this.teacher.state || this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (this.isOver) return;
      const isTilesAlone = !this.isOther && this.view === "wall";
      this.isOther = false;
      if (isTilesAlone && this.wall.drawTiles()) {
        this.whole ??= setTimeout(() => this.changed(), WHOLE_MS);
        return;
      }
      clearTimeout(this.whole);
      this.whole = undefined;
      this.draw();
    });
  }

  draw() {
    const { teacher, words } = this;
    const { state } = teacher;
    if (teacher.isKept && location.hash) setAddress("class", { class: this.code }); // a wall may be projected
    this.announceDevices(state);
    this.devices.root.matches(":popover-open") && this.devices.draw();
    if (this.view === "wall") {
      if (!this.wall.root.isConnected) this.root.replaceChildren(this.wall.root);
      return this.wall.draw();
    }
    if (this.wall.root.isConnected) this.wall.destroy();
    if (this.view === "after") {
      this.after ??= after(this);
      return this.after.draw();
    }
    const people = teacher.people();
    const typed = people.some((each) => each.typed && !each.allowed);
    const shown = {
      code: this.code,
      joined: people.length,
      open: state.door,
      names: state.names === "numbers" || typed ? null : people.map(({ name }) => name),
    };
    showChildren(this.root, [teachersDoor(shown, words, this.plate, {
      toWall: () => this.show("wall"),
      device: (event) => this.device(event.currentTarget),
      door: (open) => teacher.send({ do: "door", open }),
      copied: (worked) => this.say(worked ? words.door.copied : words.every.not_copied),
    })]);
  }

  /** Tell that a second device has come, since it may not be the teacher's. */
  announceDevices(state) {
    const { door } = this.words;
    const found = (state.devices ?? []).find((each) => each.new && each.device !== state.device);
    if (found?.device === this.announced) return;
    if (this.announced && !found) this.notice.replaceChildren();
    this.announced = found?.device;
    if (!found) return;
    const answer = (act) => () => {
      this.teacher.send({ do: act, device: found.device });
      this.notice.replaceChildren();
    };
    this.showNotice(say(door.joined_device, { view: door.views[found.view] ?? door.views.wall }), [
      button("tonal", "check", door.mine, answer("keep device")),
      button("tonal", "", door.take_out, answer("take out device")),
    ]);
  }
}
