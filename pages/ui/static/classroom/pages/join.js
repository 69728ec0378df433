// The page on which students join: the code, a name, and what the teacher can see; then the app's page.

import { default as showPicture } from "../../home.js";
import { addressOf } from "../../address.js";
import { CODE_LENGTH, codeInAddress, lettersOf, setAddress } from "./address.js";
import { isDark } from "../look.js";
import { button, codeOf, icon, part, parted, say, showChildren, swatch } from "../parts.js";
import { forgetSeat, keepForOtherTabs, keepSeat, seatOf } from "../seat.js";
import { ClassSocket } from "../socket.js";

const FORMS = {
  code: "atCode",
  wrong: "atCode",
  slow: "atCode",
  wait: "atWait",
  name: "atName",
  own: "atOwn",
  same: "atSame",
  numbers: "atNumbers",
  again: "atAgain",
  full: "atFull",
  shut: "atShut",
  ended: "atEnded",
  removed: "atRemoved",
  waiting: "atWaiting",
  lost: "atLost",
};
const CLOSED = { 4401: "removed", 4404: "wrong", 4410: "ended", 4429: "slow" };

/** The page `/join`: a seat leads to the app, whose bar goes where the class is. */
export function join(root, words) {
  new JoinPage(root, words, (code) => {
    const url = addressOf(".");
    url.searchParams.set("class", code);
    location.assign(url);
  });
}

export class JoinPage {
  /** `entered(code)` is called when this tab has a seat; `light` is the page that has no board. */
  constructor(root, words, entered, light = false) {
    this.root = root;
    this.entered = entered;
    this.isLight = light;
    this.words = words;
    this.text = words.join;
    this.code = codeInAddress();
    this.typed = this.code; // letters in the six fields
    this.view = "code";
    this.tries = false; // a line is tried again
    this.sameName = ""; // what the server makes of a name that is taken
    this.seat = null; // of another tab
    this.problem = "";
    this.typedName = ""; // of an own name
    this.picture = light ? null : part("div", { class: "pic", "data-own": true, "data-key": "pic" });
    this.draw();
    if (!light) {
      this.showPicture();
      addEventListener("class:look", () => this.showPicture());
    }
    if (this.code) this.look();
  }

  /** The home page's picture beside the form. */
  showPicture() {
    const { run, words } = this.words.picture;
    const palette = JSON.parse(document.querySelector("script[data-palette]")?.getAttribute("data-palette") ?? "{}");
    this.picture.dataset.theme = isDark() ? "dark" : "light";
    showPicture({ data: { run, words, palette }, parentElement: this.picture });
  }

  // The socket.

  look() {
    const seat = seatOf(this.code);
    if (seat?.isOut && seat.asks) return this.connect({ as: "join" }, seat.token);
    if (seat?.isOut) return this.show("removed", { seat });
    if (seat?.isHere) return this.enter();
    if (seat && !this.isNew) return this.show("again", { seat });
    this.connect({ as: "join" });
  }

  connect(first, back = null) {
    this.socket?.close();
    this.show("wait");
    this.back = back;
    this.socket = new ClassSocket(this.code, () => first, {
      message: (message) => this.take(message),
      connected: (yes) => this.connected(yes),
      closed: (closeCode, reason) => this.closed(closeCode, reason),
    });
  }

  take(message) {
    const { is } = message;
    if (is === "door") this.atDoor(message);
    else if (is === "same") this.show("same", { sameName: message.name });
    else if (is === "waiting") this.show("waiting");
    else if (is === "seat") this.sit(message);
    else if (is === "refused") this.refused(message);
    else if (is === "ended") this.closed(4410, "");
  }

  connected(yes) {
    if (yes) this.hasAsked = false;
    else if (this.view === "wait") this.show("wait", { tries: true });
  }

  /** Keep in this tab whether the student asks to come back: a reload asks again. */
  keepAsks(asks) {
    const seat = seatOf(this.code);
    if (seat) keepSeat({ ...seat, isHere: undefined, asks });
  }

  /** Ask to come back, once on each line. */
  askBack() {
    if (!this.hasAsked) this.hasAsked = this.socket.send({ do: "back", token: this.back });
  }

  atDoor(door) {
    this.door = door;
    if (this.back) return this.askBack();
    if (!door.open) return this.show("shut");
    if (door.full) return this.show("full");
    if (["wait", "shut", "full", "name", "numbers", "code"].includes(this.view)) {
      this.show(door.names === "own" ? "own" : door.names === "numbers" ? "numbers" : "name");
    }
  }

  refused({ why, say: sentence }) {
    if (why === "door") return this.show("shut");
    if (why === "full") return this.show("full");
    if (this.back && why === "gone") { // nobody has taken this student out
      forgetSeat(this.code);
      return this.connect({ as: "join" });
    }
    this.problem = why === "name" ? this.text.other_name : sentence;
    if (why === "name") this.typedName = "";
    this.busy = false;
    this.draw();
  }

  sit({ seat, name, token, kept: sealed }) {
    const before = seatOf(this.code);
    const { answers = [], placed = 0 } = before?.seat === seat ? before : {}; // who was let in again goes on
    const mine = { code: this.code, seat, name, token, kept: sealed, answers, placed };
    keepSeat(mine);
    keepForOtherTabs(mine);
    this.enter();
  }

  enter() {
    this.socket?.close();
    this.entered(this.code);
  }

  closed(closeCode, reason) {
    const view = CLOSED[closeCode] ?? "lost";
    if (view === "removed") this.keepAsks(false);
    if (view === "slow") {
      this.until = Date.now() + 1000 * (Number(reason) || 20);
      this.clock = setInterval(() => {
        if (Date.now() >= this.until) clearInterval(this.clock);
        this.draw();
      }, 1000);
    }
    if (view === "wrong" || view === "slow") this.typed = this.code;
    this.show(view);
  }

  show(view, more = {}) {
    const isNew = view !== this.view;
    Object.assign(this, { view, busy: false, ...more });
    if (isNew) this.problem = "";
    this.draw();
    if (isNew && view !== "wait") /** @type {HTMLElement} */ (this.root.querySelector("h1"))?.focus();
  }

  // The form.

  submitCode() {
    if (this.typed.length < CODE_LENGTH) {
      this.problem = this.text.six;
      return this.draw();
    }
    this.code = this.typed;
    setAddress(this.isLight ? "vote" : "join", { class: this.code });
    this.look();
  }

  submitName(name) {
    if (this.busy) return;
    this.busy = true;
    this.problem = "";
    const sent = this.socket.send({ do: "join", ...(name ? { name } : {}) });
    if (!sent) this.problem = this.text.no_line;
    this.busy = sent;
    this.draw();
  }

  draw() {
    const { text, words } = this;
    const isCode = this.view === "code" || this.view === "wrong" || this.view === "slow";
    const form = part(
      "form",
      {
        class: "form",
        "data-key": isCode ? "code" : this.view,
        onsubmit: (event) => {
          event.preventDefault();
          this.press?.();
        },
      },
      !isCode && part("p", { class: "muted of" }, text.class_, codeOf(this.code, words.every.code)),
      ...this[FORMS[this.view]](),
    );
    showChildren(this.root, [part("main", { class: `joinp ${this.isLight ? "light" : ""}` }, form, this.picture)]);
  }

  title(sentence) {
    return part("h1", { tabindex: "-1" }, sentence);
  }

  submit(words, more = {}) {
    return part("button", { type: "submit", class: "btn fill", ...more }, words);
  }

  note() {
    return part("p", { class: "note" }, icon("eye"), part("span", {}, this.text.sees));
  }

  error() {
    return part("p", { class: "error", role: "alert" }, this.problem);
  }

  slots(bad) {
    const set = (letters, at) => {
      this.typed = lettersOf(letters);
      this.problem = "";
      this.draw();
      const fields = /** @type {HTMLInputElement[]} */ ([...this.root.querySelectorAll(".slots input")]);
      fields.forEach((field, each) => (field.value = this.typed[each] ?? "")); // also in the one with the focus
      fields[Math.min(at, CODE_LENGTH - 1)].focus();
    };
    const fields = Array.from({ length: CODE_LENGTH }, (_, at) => {
      const field = part("input", {
        "aria-label": say(this.text.letter, { n: at + 1 }),
        autocapitalize: "characters",
        autocomplete: "off",
        spellcheck: "false",
        inputmode: "text",
        "aria-invalid": String(bad),
        oninput: (event) => {
          const written = lettersOf(event.target.value);
          const before = this.typed.slice(0, at);
          event.target.value = "";
          set(before + written + this.typed.slice(at + written.length), at + written.length);
        },
        onkeydown: (event) => {
          if (event.key === "Backspace") {
            event.preventDefault();
            const gone = this.typed[at] ? at : at - 1;
            if (gone >= 0) set(this.typed.slice(0, gone) + this.typed.slice(gone + 1), gone);
          } else if (event.key === "ArrowLeft" && at) set(this.typed, at - 1);
          else if (event.key === "ArrowRight") set(this.typed, at + 1);
        },
        onfocus: (event) => event.target.select(),
      });
      field.value = this.typed[at] ?? "";
      return field;
    });
    fields.splice(3, 0, part("span", {}));
    return part(
      "div",
      { class: `slots ${bad ? "bad" : ""}`, role: "group", "aria-label": this.text.six_letters },
      fields,
    );
  }

  // What the form shows, by view.

  atCode() {
    const { text } = this;
    const isSlow = this.view === "slow" && Date.now() < this.until;
    const left = isSlow ? Math.ceil((this.until - Date.now()) / 1000) : 0;
    this.press = () => isSlow || this.submitCode();
    const problem = this.problem || (this.view === "wrong" ? text.wrong : "");
    return [
      this.title(text.title),
      part("p", { class: "say muted" }, isSlow ? text.slow : text.type),
      this.slots(this.view === "wrong"),
      part("p", { class: "error", role: "alert" }, problem),
      this.submit(
        isSlow ? say(text.again_in, { n: left }) : this.view === "code" ? text.next : text.again,
        { disabled: isSlow },
      ),
    ];
  }

  atWait() {
    this.press = null;
    return [
      this.title(this.text.looking),
      part("p", { class: "say muted", role: "status" }, this.tries ? this.text.no_line : ""),
    ];
  }

  atName() {
    const { text, door } = this;
    this.press = () => this.submitName(null);
    return [
      this.title(text.name),
      part(
        "div",
        { class: "offer" },
        swatch(door.offer.split(" ")[0]),
        part("span", {}, door.offer),
        button("quiet", "again", text.another, () => this.socket.send({ do: "another" })),
      ),
      this.note(),
      this.submit(text.join),
      this.error(),
      part("p", { class: "muted small" }, text.leave),
      this.other(),
    ];
  }

  atOwn() {
    const { text, door } = this;
    const typed = this.typedName;
    this.press = () => this.submitName(typed.trim() || null);
    const field = part("input", {
      "aria-label": text.name,
      maxlength: String(door.length),
      autocomplete: "off",
      spellcheck: "false",
      oninput: (event) => {
        this.typedName = event.target.value;
        this.draw();
      },
    });
    field.value = typed;
    return [
      this.title(text.call),
      part(
        "label",
        { class: `field ${this.problem ? "bad" : ""}` },
        field,
        part("span", { class: "muted num" }, say(text.letters, { n: typed.length, of: door.length })),
      ),
      this.error(),
      part("p", { class: "muted small" }, ...parted(text.or_stay, "name", part("b", {}, door.offer))),
      this.note(),
      this.submit(typed.trim() ? text.join : say(text.join_as, { name: door.offer })),
    ];
  }

  atSame() {
    const { text } = this;
    this.press = () => this.submitName(this.sameName);
    return [
      this.title(text.same),
      part("p", { class: "say" }, ...parted(text.would_be, "name", part("b", {}, this.sameName))),
      this.note(),
      part(
        "div",
        { class: "row2" },
        this.submit(say(text.join_as, { name: this.sameName })),
        button("line", "", text.choose, () => this.show("own")),
      ),
      this.error(),
    ];
  }

  atNumbers() {
    const { text, door } = this;
    this.press = () => this.submitName(null);
    return [
      this.title(say(text.number, { n: door.offer })),
      part("p", { class: "say" }, text.number_note),
      this.note(),
      this.submit(text.join),
      this.error(),
    ];
  }

  atAgain() {
    const { text, seat } = this;
    this.press = () => {
      keepSeat({ ...seat, isHere: undefined, answers: [] });
      this.enter();
    };
    return [
      this.title(say(text.welcome_back, { name: seat.name })),
      part("p", { class: "say" }, text.in_another_tab),
      part(
        "div",
        { class: "row2" },
        this.submit(text.go_on),
        button("line", "", text.not_me, () => {
          this.isNew = true;
          this.connect({ as: "join" });
        }),
      ),
    ];
  }

  atFull() {
    const { text, door } = this;
    this.press = null;
    return [
      this.title(text.full),
      part(
        "p",
        { class: "say", role: "status" },
        text.full_note,
        " ",
        door.line ? say(text.line, { n: door.line }) : "",
      ),
      part("div", { class: "row2" }, part("a", { class: "btn line", href: "./" }, text.without)),
    ];
  }

  atShut() {
    const { text } = this;
    this.press = () => this.connect({ as: "join" });
    return [
      this.title(text.shut),
      part("p", { class: "say" }, text.shut_note),
      part(
        "div",
        { class: "row2" },
        this.submit(text.again),
        part("a", { class: "btn line", href: "./" }, text.without),
      ),
    ];
  }

  atEnded() {
    const { text } = this;
    this.press = () => location.assign(addressOf("."));
    forgetSeat(this.code);
    return [
      this.title(text.ended),
      part("p", { class: "say" }, text.ended_note),
      part("div", { class: "row2" }, this.submit(text.to_lessons), this.otherCode()),
    ];
  }

  atRemoved() {
    const { text } = this;
    const token = seatOf(this.code)?.token ?? null;
    this.press = () => {
      this.keepAsks(true);
      this.connect({ as: "join" }, token);
    };
    return [
      this.title(text.removed),
      part("p", { class: "say" }, text.removed_note),
      part(
        "div",
        { class: "row2" },
        this.submit(text.come_back),
        part("a", { class: "btn line", href: "./" }, text.without),
      ),
    ];
  }

  atWaiting() {
    this.press = null;
    return [this.title(this.text.waiting), part("p", { class: "say", role: "status" }, this.text.waiting_note)];
  }

  atLost() {
    const { text } = this;
    this.press = () => this.connect({ as: "join" });
    return [
      this.title(text.lost),
      part("p", { class: "say" }, text.lost_note),
      part("div", { class: "row2" }, this.submit(text.again), this.otherCode()),
    ];
  }

  /** The other page on which this class can be joined: without a board, or with one. */
  other() {
    const { text } = this;
    const [page, words] = this.isLight ? ["join", text.with_board] : ["vote", text.without_board];
    return part("p", { class: "small" }, part("a", { href: `./${page}?class=${this.code}` }, words));
  }

  otherCode() {
    return button("line", "", this.text.other_code, () => {
      setAddress(this.isLight ? "vote" : "join");
      Object.assign(this, { code: "", typed: "" });
      this.show("code");
    });
  }
}
