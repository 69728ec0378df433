// The bar of a class over every page of the app: who the student is, what the teacher asks for, help, done and leave.
//
// It belongs to the window: the page's own parts come and go below it. Streamlit's component of each page (`default`)
// says where the page is, and takes it where the teacher sends it.

import { addressOf } from "../address.js";
import { element, fill } from "../dom.js";
import { Cover } from "./cover.js";
import { icon } from "./parts.js";
import { forgetSeat, keepReceipt, keepSeat, markTakenOut, seatIn, teacherInAddress, useSeat } from "./seat.js";
import { isDarkTheme, themeOf } from "../theme.js";
import { ClassSocket, CLOSED } from "./socket.js";
import { Together } from "./together.js";
import { Vote } from "./vote_in_page.js";

const CODE = /^[BCDFGHJKLMNPQRSTVWXZ]{6}$/;
const SPREAD_MS = 1_000; // over which the pages of a class follow the teacher: the server need not draw all at once
// A rerun that was under way may have lost what was asked. Asked again soon, a busy server would run the page twice, so
// each wait is twice as long as the one before.
const REPEAT_MS = 4_000;
const MAX_REPEATS = 5;
const SAID_MS = 5_000; // how long a refusal stays
const COVERED_MS = 60_000; // that a page stays covered without a line, as eyes up does without a teacher
const REPORT_MS = 1_000; // until a board is named again that the server did not take
const MAX_TITLE = 32; // letters
const MAX_QUERY = 2_000; // as the server takes it
const KEYS = { KeyH: "help", KeyD: "done" };
const FINAL = {
  [CLOSED.left]: "left",
  [CLOSED.void]: "void",
  [CLOSED.foreign]: "blocked",
  [CLOSED.noClass]: "unknown",
  [CLOSED.noSeat]: "noSeat",
  [CLOSED.elsewhere]: "elsewhere",
  [CLOSED.ended]: "ended",
};
const OPEN = ["open 1", "open 2"];

const script = document.currentScript;
const root = document.documentElement;

class Bar {
  constructor(code, words) {
    this.code = code;
    this.words = words;
    this.state = null; // of the class, for this role
    this.count = null; // of answers
    this.said = null; // a refusal, for a moment
    this.phase = "connecting";
    this.page = null; // Streamlit's component of the page
    this.asked = new Map(); // what the page was asked for, and how often
    this.makeBar();
    this.cover = new Cover(words, () => ({ code, token: this.seat.token }));
    this.vote = new Vote(words, (answer) => this.answer(answer));
    this.together = new Together(words, (on) => this.socket?.send({ do: "together", on }));
    root.dataset.class = "in";
    root.dataset.classTheme = isDarkTheme() ? "dark" : "light"; // until the page is there
    root.append(this.root, this.together.panel, this.vote.panel);
    const sizes = new ResizeObserver(() => this.makeRoom());
    for (const each of [this.root, this.vote.panel]) sizes.observe(each, { box: "border-box" });
    addEventListener("keydown", (event) => this.key(event), true);
    addEventListener("board:shows", (event) => this.boardShows(/** @type {CustomEvent} */ (event).detail));
    addEventListener("board:leaves", (event) => this.boardLeaves(/** @type {CustomEvent} */ (event).detail));
    this.begin();
  }

  begin() {
    const teacher = teacherInAddress(this.code);
    if (teacher) keepSeat(teacher);
    this.seat = seatIn(this.code);
    if (!this.seat) return this.become("noSeat");
    root.dataset.classRole = this.seat.teacher ? "teacher" : "student";
    this.socket = new ClassSocket(this.code, () => this.first(), {
      message: (message) => this.take(message),
      connected: (yes) => this.connected(yes),
      closed: (code, reason) => this.closed(code, reason),
    });
  }

  first() {
    const { token, kept, answers, teacher } = this.seat;
    if (teacher) return { as: "teacher", token, view: "board" };
    return { as: "student", token, kept, answers: answers ?? [] };
  }

  connected(yes) {
    if (yes) {
      this.reported = "";
      this.isLost = false;
      this.asked.clear(); // what was asked without a line is asked again at once
      this.together.connected();
    } else if (!this.isLost) {
      this.isLost = true;
      this.lostAt = Date.now();
    }
    this.draw();
  }

  closed(code, reason) {
    const isOut = code === CLOSED.void;
    const phase = isOut && this.seat.teacher ? "deviceOut" : FINAL[code] ?? "cut";
    if (["ended", "left", "noSeat", "deviceOut"].includes(phase)) forgetSeat(this.code);
    else if (isOut) markTakenOut(this.seat);
    this.reason = reason;
    this.state = null;
    this.become(phase);
  }

  become(phase) {
    this.phase = phase;
    this.draw();
  }

  // What the server says.

  take(message) {
    const { is } = message;
    if (is === "welcome") {
      if (message.token) keepSeat(Object.assign(this.seat, { token: message.token }));
    } else if (is === "token") keepSeat(Object.assign(this.seat, { token: message.token }));
    else if (is === "seat") useSeat(this.seat, message);
    else if (is === "returning") this.phase = this.state ? this.phase : "returning";
    else if (is === "state") {
      this.state = message;
      this.count = null; // the state has a newer one
      this.phase = "in";
      this.report();
      this.follow();
    } else if (is === "count") this.count = message;
    else if (["dots", "curves", "leaders"].includes(is)) return this.together.take(message);
    else if (is === "receipt") keepReceipt(this.seat, message);
    else if (is === "refused") this.refused(message);
    else if (is === "ended") this.closed(CLOSED.ended, "");
    this.draw();
  }

  refused({ do: what, why, say }) {
    if (what === "board") { // nothing that the student did
      if (why === "fast") setTimeout(() => this.reportAgain(), REPORT_MS);
      return;
    }
    if (!say) return;
    this.said = say;
    clearTimeout(this.saidTimer);
    this.saidTimer = setTimeout(() => {
      this.said = null;
      this.draw();
    }, SAID_MS);
  }

  /** Take the page where the class is: to the teacher's place, to other locks, to the run of a vote. */
  follow() {
    const { sent, vote, locks } = this.state;
    if (this.seat.teacher) return this.followAsTeacher();
    if (sent && sent.n > this.placed) {
      this.have(`go ${sent.n}`, { go: sent.n }, () => (this.data?.placed ?? 0) >= sent.n);
    }
    const names = JSON.stringify(locks ?? []);
    if (this.data && names !== JSON.stringify(this.data.locks)) {
      this.have(`locks ${names}`, { again: true }, () => JSON.stringify(this.data?.locks) === names);
    }
    if (vote?.state === "run") {
      const at = `run ${vote.id}`;
      this.have(at, { run: vote.id }, () => (this.data?.ran ?? 0) >= vote.id);
    }
  }

  /** No lock holds on the teacher's own page, which learns whose it is from its first report. */
  followAsTeacher() {
    if (this.data?.locks.length) this.have("no locks", { again: true }, () => !this.data.locks.length);
  }

  /** The number of the last send that was followed, perhaps before the server was started again. */
  get placed() {
    return Math.max(this.seat.placed ?? 0, this.data?.placed ?? 0);
  }

  /** Have the page do something, until it says that it has: its next rerun may have been under way already. */
  have(what, order, isDone) {
    if (this.asked.has(what)) return;
    const asked = { times: 0 };
    this.asked.set(what, asked);
    const ask = () => {
      if (this.asked.get(what) !== asked) return;
      if (isDone() || asked.times >= MAX_REPEATS) {
        this.asked.delete(what);
        return;
      }
      setTimeout(ask, REPEAT_MS * 2 ** asked.times); // also where Streamlit has no line, and takes nothing
      if (this.page) {
        asked.times++;
        this.page.setTriggerValue("order", { ...order, at: Date.now() });
      }
    };
    setTimeout(ask, Math.random() * SPREAD_MS);
  }

  // The page below.

  /** Streamlit has run the page: what it shows, and its answer to what it was asked for. */
  pageIs(component) {
    this.page = component;
    this.data = component.data;
    root.dataset.classTheme = themeOf(component.parentElement);
    if (this.seat && this.data.placed > (this.seat.placed ?? 0)) {
      this.seat.placed = this.data.placed;
      keepSeat(this.seat);
      this.socket?.send({ do: "placed", send: this.data.placed });
    }
    this.report();
    if (this.state) this.follow();
    this.draw();
  }

  boardShows(board) {
    if (board.data.reads) return;
    if (board !== this.board) this.together.enter(board);
    this.board = board;
    this.report();
    this.draw();
  }

  boardLeaves(board) {
    if (board !== this.board) return;
    this.vote.leave();
    this.together.leave();
    this.board = null;
  }

  /** Say which run this browser shows, and where. */
  report() {
    if (!this.state || !this.data) return;
    const { run, session, rail } = this.board ?? {};
    const shown = {
      do: "board",
      session: session ?? this.data.session,
      run: run && run !== "none yet" ? run : null,
      page: this.data.page,
      query: queryOfPage(),
      experiment: rail?.data?.set || null,
    };
    const text = JSON.stringify(shown);
    if (text !== this.reported && this.socket?.send(shown)) this.reported = text;
  }

  reportAgain() {
    this.reported = "";
    this.report();
  }

  // What the student does.

  flag(name) {
    if (this.state) this.act({ do: name, on: !this.state[name] });
  }

  answer(answer) {
    const { vote } = this.state ?? {};
    if (vote && OPEN.includes(vote.state)) this.act({ do: "answer", vote: vote.id, in: vote.state, answer });
  }

  act(message) {
    if (!this.socket.act(message)) this.draw(); // it waits for a line
  }

  leave() {
    this.socket?.send({ do: "leave" });
    this.socket?.close();
    forgetSeat(this.code);
    this.close();
  }

  /** The class is left or over: the page is as it is without one. */
  close() {
    this.state = null;
    this.cover.show(null);
    this.vote.show(null, null);
    this.together.leave();
    delete root.dataset.class;
    for (const name of ["--class-bar", "--class-asks"]) root.style.removeProperty(name);
    this.root.remove();
    for (const panel of [this.together.panel, this.vote.panel]) panel.remove();
    this.page?.setTriggerValue("order", { leave: true });
    this.phase = "closed";
  }

  key(event) {
    if (event.key === "Escape" && this.together.isOpen && this.together.panel.contains(document.activeElement)) {
      this.toggleRuns();
      this.runs.focus();
    }
    const name = event.altKey && !event.ctrlKey && !event.metaKey && KEYS[event.code];
    if (!name || this.phase !== "in" || this.seat.teacher) return;
    event.preventDefault();
    event.stopPropagation();
    if (!this[name].hidden) this.flag(name);
  }

  // What the bar shows.

  makeBar() {
    const { words } = this;
    const button = (name, sign, act, className = "") => {
      const made = element(
        "button",
        { type: "button", class: className, "data-class-act": name, "aria-label": words[`${name}Long`], onclick: act },
        ...(sign ? [icon(sign)] : []),
        element("span", {}, words[name]),
      );
      made.hidden = true;
      return made;
    };
    this.me = element("b", { translate: "no" });
    this.who = element("span", { class: "class-me" }, element("i", { "aria-hidden": "true" }), this.me);
    this.sign = element("span", { class: "class-sign", "aria-hidden": "true" });
    this.eye = element("span", {
      class: "class-eye",
      role: "img",
      "aria-label": words.looked[0],
      title: words.looked[0],
    });
    this.eye.append(icon("eye"));
    this.long = element("span", { class: "long" });
    this.short = element("span", { class: "short" });
    this.text = element("p", { class: "class-said", role: "status" }, this.long, this.short);
    this.back = button(
      "back",
      "undo",
      () => this.page?.setTriggerValue("order", { back: true, at: Date.now() }),
      "line",
    );
    this.toFollow = button("follow", "screen", () => this.socket.send({ do: "follow", on: !this.isFollowed }), "line");
    this.wall = button("wall", "people", () => location.assign(addressOf(`class?class=${this.code}`)), "line");
    this.runs = button("runs", "people", () => this.toggleRuns(), "line");
    this.runs.setAttribute("aria-controls", "class-runs");
    this.help = button("help", "hand", () => this.flag("help"));
    this.done = button("done", "check", () => this.flag("done"));
    this.leaving = button("leave", "leave", () => this.leave());
    this.join = button("join", "", () => location.assign(addressOf(`join?class=${this.code}`)), "line");
    this.here = button("here", "", () => location.reload(), "line");
    this.keep = button("keep", "save", openMore, "line");
    this.closing = button("close", "x", () => this.close());
    const acts = [
      this.back,
      this.toFollow,
      this.wall,
      this.runs,
      this.help,
      this.done,
      this.leaving,
      this.join,
      this.here,
      this.keep,
      this.closing,
    ];
    for (const [made, keys] of [[this.help, "Alt+H"], [this.done, "Alt+D"]]) {
      made.setAttribute("aria-label", fill(words[`${made.dataset.classAct}Long`], { key: keys }));
      made.title = made.getAttribute("aria-label");
      made.setAttribute("aria-keyshortcuts", keys);
    }
    this.root = element(
      "section",
      { class: "class-bar", "aria-label": words.bar, "data-class-bar": "", "data-theme-of-page": "" },
      this.who,
      this.eye,
      this.sign,
      this.text,
      ...acts,
    );
  }

  /** The page begins below the bar, which has two rows on a narrow page, and below the question. */
  makeRoom() {
    const { offsetHeight: asks } = this.vote.panel;
    root.style.setProperty("--class-bar", `${this.root.offsetHeight}px`);
    root.style.setProperty("--class-asks", asks ? `calc(${asks}px + 1rem)` : "0px");
  }

  get isFollowed() {
    return this.state?.screen?.what === "follow";
  }

  /** Draw everything from the state; what is as before is not touched. */
  draw() {
    if (this.phase === "closed") return;
    const { state, words } = this;
    const isIn = this.phase === "in" && Boolean(state);
    const isTeacher = Boolean(this.seat?.teacher);
    this.placeVote(); // before the bar says where the question is
    const [key, values, sign, isCall] = this.message();
    const [long, short] = words[key];
    write(this.long, fill(long, values));
    write(this.short, fill(short, values));
    write(this.me, isTeacher ? words.teacher : state?.name ?? this.seat?.name ?? "");
    this.who.firstElementChild.dataset.colour = isTeacher ? "" : this.me.textContent.split(" ")[0];
    if (this.sign.dataset.sign !== sign) {
      this.sign.dataset.sign = sign;
      this.sign.replaceChildren(...(sign ? [icon(sign)] : []));
    }
    this.who.hidden = !this.me.textContent;
    this.eye.hidden = !isIn || !state.looked || key === "looked"; // also where the bar has something else to say
    if (isCall && !this.root.classList.contains("call") && document.fullscreenElement) document.exitFullscreen();
    this.root.classList.toggle("call", isCall);
    this.root.dataset.says = key;
    const isWorking = isIn && !isTeacher;
    const isCovered = isWorking && (state.eyes || (state.screen && !state.screen.mine));
    this.back.hidden = !isWorking || !this.data?.back || isCovered;
    this.help.hidden = !isWorking;
    this.done.hidden = !isWorking || state.eyes;
    this.leaving.hidden = !isWorking && !["connecting", "returning"].includes(this.phase);
    this.toFollow.hidden = this.wall.hidden = !(isIn && isTeacher);
    this.join.hidden = !["noSeat", "void"].includes(this.phase);
    this.here.hidden = !["elsewhere", "cut"].includes(this.phase);
    this.keep.hidden = this.phase !== "ended" || !document.querySelector(".st-key-more button");
    this.closing.hidden = ["in", "connecting", "returning"].includes(this.phase);
    for (const name of ["help", "done"]) this[name].setAttribute("aria-pressed", String(Boolean(state?.[name])));
    write(this.help.lastElementChild, state?.help ? words.helpAsked : words.help);
    this.toFollow.setAttribute("aria-pressed", String(this.isFollowed));
    this.together.show(isWorking && !isCovered ? state.together : null, state);
    this.runs.setAttribute("aria-expanded", String(this.together.isOpen));
    this.hideKeeping(this.runs, !this.together.what);
    this.drawCover(isWorking);
    root.toggleAttribute("data-class-spot", isWorking && Boolean(state.screen?.mine));
  }

  /** Hide a button or show it; the focus is not lost with it. */
  hideKeeping(button, isHidden) {
    const hadFocus = button === document.activeElement || this.together.panel.contains(document.activeElement);
    if (button.hidden === isHidden) return;
    button.hidden = isHidden;
    if (isHidden && hadFocus) this.help.focus();
  }

  toggleRuns() {
    this.together.toggle();
    this.draw();
  }

  drawCover(isWorking) {
    const { state } = this;
    const isLongLost = this.isLost && Date.now() - this.lostAt > COVERED_MS; // else nobody uncovers it by a short cut
    if (!isWorking || isLongLost) return this.cover.show(null);
    const { eyes, screen } = state;
    if (eyes) this.cover.show({ eyes: true });
    else if (screen && !screen.mine) this.cover.show({ run: screen.run, title: this.titleOf(screen) });
    else this.cover.show(null);
  }

  titleOf({ what, name }) {
    const { words } = this;
    if (what === "follow") return words.followed[1];
    return name ? fill(words.spotNamed[1], { name }) : words.spot[1];
  }

  placeVote() {
    const vote = this.phase === "in" && !this.seat.teacher && !this.state?.eyes ? this.state?.vote : null;
    if (vote && !this.board) dispatchEvent(new Event("class:asks")); // a board that was there before the bar
    const isHere = vote && this.board && this.board.rail.data?.lesson === vote.page && !this.board.rail.root.hidden;
    this.vote.show(vote, isHere ? this.board : null, this.data?.page);
  }

  /**
   * What the bar says: the name of a sentence, its values, a sign, and whether the teacher asks for something.
   * @returns {[string, Object, string, boolean]}
   */
  message() {
    const { state, phase, seat } = this;
    if (phase !== "in" || !state) return [phase, { reason: this.reason ?? "" }, "", false];
    if (this.isLost) return [this.socket.acts.size ? "lostAct" : "lost", {}, "", false];
    if (this.said) return ["refused", { say: this.said }, "", false];
    if (seat.teacher) return this.isFollowed ? ["followOnSaid", {}, "screen", true] : ["teacherSaid", {}, "", false];
    const { eyes, screen, vote, sent, locks, looked } = state;
    if (eyes) return ["eyes", {}, "", true];
    if (screen) {
      if (screen.mine) return [screen.name ? "spotMineNamed" : "spotMine", {}, "screen", true];
      if (screen.what === "follow") return ["followed", {}, "screen", true];
      return [screen.name ? "spotNamed" : "spot", { name: screen.name }, "screen", true];
    }
    if (vote) return this.voteMessage(vote);
    const isNew = sent && sent.n > this.placed;
    if (sent && sent.kind !== "back" && (isNew || (this.data?.back && !looked))) {
      return ["sent", { title: shortened(sent.title) }, "send", true];
    }
    if (looked) return ["looked", {}, "eye", false];
    if (state.together) return ["runsShown", {}, "people", false];
    if (locks?.length) return this.lockMessage(locks);
    if (state.teacher === "away") return ["away", {}, "", false];
    return [state.free ? "free" : "together", {}, "", false];
  }

  /** @returns {[string, Object, string, boolean]} */
  voteMessage(vote) {
    const { answered, of } = this.count ?? vote;
    const hasAnswered = vote.answer !== null && vote.answer !== undefined;
    if (OPEN.includes(vote.state)) {
      if (hasAnswered) return ["answered", { answered, of }, "question", false];
      if (vote.state === "open 2") return ["again", {}, "question", true];
      return [this.vote.isHere ? "ask" : "askHere", {}, "question", true];
    }
    if (vote.state === "run") return ["run", {}, "question", false];
    if (vote.state === "closed 2") return ["closedTwo", {}, "question", false]; // nobody votes a third time
    return [vote.state === "closed 1" ? "closed" : "shown", {}, "question", false];
  }

  /** @returns {[string, Object, string, boolean]} */
  lockMessage(locks) {
    if (locks[0] === "all") return ["lockedAll", {}, "lock", false];
    const labels = this.data?.labels ?? {};
    const [label, other] = locks.map((name) => labels[name]).filter(Boolean);
    if (!label || locks.length > 2) return ["locked", {}, "lock", false];
    return other ? ["lockedTwo", { label, other }, "lock", false] : ["lockedOne", { label }, "lock", false];
  }
}

/** What the address of this page sets, apart from the class. */
function queryOfPage() {
  const found = new URLSearchParams(location.search);
  found.delete("class");
  const text = `?${found}`;
  return text.length > 1 && text.length <= MAX_QUERY ? text : "";
}

/** Streamlit's menu "More" has the ways to keep a run. */
function openMore() {
  const more = document.querySelector(".st-key-more button");
  if (more instanceof HTMLElement) more.click();
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function shortened(title) {
  return title.length > MAX_TITLE ? `${title.slice(0, MAX_TITLE - 1)}…` : title;
}

let bar = null;

/** The component of each page in a class. */
export default function (component) {
  bar?.pageIs(component);
  return () => {
    if (bar?.page === component) bar.page = null;
  };
}

const code = new URLSearchParams(location.search).get("class") ?? "";
if (script instanceof HTMLScriptElement && script.dataset.words && CODE.test(code)) {
  bar = new Bar(code, JSON.parse(script.dataset.words));
}
