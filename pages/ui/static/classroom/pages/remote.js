// The teacher's phone: what is going on above, what to press below. It may peek, since nobody else sees it.

import { prompter } from "./ask.js";
import { codeInAddress, fragment, setAddress } from "./address.js";
import { experimentOf, lessons } from "./catalogue.js";
import { drawMiniature } from "../miniature.js";
import { otherTheme } from "../look.js";
import { button, canvas, chip, codeOf, icon, once, part, say, showChildren } from "../parts.js";
import { item, menu } from "./popup.js";
import { CLOSED } from "../socket.js";
import { forgetTeacher, FORGOTTEN, keptTeacher, Teacher } from "../teacher.js";
import { actsOf, plain, rich, roundOf, smallBars, stagesList, stateSentence } from "../vote_words.js";
import { clockText, peekButton } from "../wall/question.js";
import { nameOf, needing } from "../wall/seat_words.js";
import { paintChanged } from "../wall/tiles.js";

const NOTICE_MS = 5000;
const CLOCK_MS = 1000;
const THEN = 3; // steps of the plan that are listed
const TIMERS = [30, 60, 120, 180];

/** The page `/remote`: after a pairing picture with #k=, or with the private link's #t=. */
export function remote(root, words) {
  const code = codeInAddress();
  const { t, k } = fragment();
  const known = code ? keptTeacher(code) : null;
  if (!code || !(known?.token || t || k)) return over(root, words.remote.nothing, words.remote.nothing_note, words);
  new Remote(root, words, code, known?.token ?? t, known ? null : k, !known);
}

function over(root, title, note, words) {
  root.replaceChildren(part(
    "main",
    { class: "rem over" },
    part("h1", {}, title),
    part("p", { class: "muted" }, note),
    part("a", { class: "btn line", href: "./" }, words.remote.lessons),
  ));
}

class Remote {
  constructor(root, words, code, token, pairing, fresh) {
    this.root = root;
    this.words = words;
    this.text = words.remote;
    this.code = code;
    this.lessons = [];
    this.titles = new Map();
    this.prompt = prompter(words);
    this.notice = part("div", { class: "notice", role: "status" });
    document.body.append(this.notice);
    const first = pairing && !token
      ? { as: "pair", token: pairing, view: "remote" }
      : { as: "teacher", token, view: "remote", fresh };
    this.pairs = first.as === "pair";
    this.teacher = new Teacher(code, first, () => this.changed(), {
      refused: (message) => this.refused(message),
      ended: (closeCode) => this.ended(closeCode),
      received: (message) => message.is === "snapshot" && this.tell(words.remote.kept),
    });
    lessons().then((found) => {
      this.lessons = found;
      this.titles = new Map(found.map(({ name, title }) => [name, title]));
      this.changed();
    });
    this.clock = setInterval(() => this.changed(), CLOCK_MS);
    addEventListener("class:look", () => this.changed());
    showChildren(root, [part("main", { class: "rem" }, part("p", { class: "muted" }, words.every.connecting))]);
  }

  tell(sentence) {
    this.notice.textContent = sentence;
    clearTimeout(this.noticed);
    this.noticed = setTimeout(() => (this.notice.textContent = ""), NOTICE_MS);
  }

  async refused({ do: command, why, say: sentence }) {
    if (why !== "few") return this.tell(sentence);
    if (await this.prompt({ title: sentence, yes: this.words.question.show_anyway })) {
      const { vote } = this.teacher.state;
      this.teacher.send({ do: command, vote: vote.id, in: vote.state, sure: true });
    }
  }

  ended(closeCode) {
    clearInterval(this.clock);
    this.isOver = true;
    this.teacher.close();
    if (FORGOTTEN.includes(closeCode)) forgetTeacher(this.code);
    const { text } = this;
    const [title, note] = {
      [CLOSED.void]: this.pairs ? [text.used, text.nothing_note] : [text.void, text.void_note],
      [CLOSED.noClass]: [text.no_class, text.no_class_note],
      [CLOSED.ended]: [text.ended, text.ended_note],
    }[closeCode] ?? [text.closed, text.closed_note];
    over(this.root, title, note, this.words);
  }

  changed() {
    if (this.isOver || this.isAsked || !this.teacher.state) return;
    this.isAsked = true;
    requestAnimationFrame(() => {
      this.isAsked = false;
      if (!this.isOver) this.draw();
    });
  }

  get steps() {
    return this.teacher.state.plan?.steps ?? [];
  }

  go(to) {
    this.teacher.send({ do: "step", from: this.teacher.state.plan.at, to });
  }

  draw() {
    const { teacher, words, text } = this;
    const { state } = teacher;
    if (teacher.isKept && location.hash) setAddress("remote", { class: this.code }); // no token in the address bar
    const people = teacher.people();
    const here = people.filter((each) => each.here).length;
    const needs = needing(people).length;
    const minutes = Math.max(0, Math.floor((teacher.now() - state.began) / 60));
    const at = state.plan?.at ?? 0;
    const next = this.steps[at + 1];
    teacher.look(state.screen?.what === "spot" ? [state.screen.seat] : [], null);
    showChildren(this.root, [part(
      "main",
      { class: "rem" },
      part(
        "header",
        { class: "hd", "data-key": "head" },
        codeOf(this.code, words.every.code),
        part("span", { class: "chip" }, icon("people"), part("span", { class: "num" }, String(here))),
        needs > 0 && chip("help", "hand", String(needs)),
        !teacher.isConnected && chip("bad", "", text.lost),
        part("span", { class: "clock num" }, say(text.minutes, { n: minutes })),
        part(
          "button",
          { type: "button", class: "btn quiet only", "aria-label": text.theme, onclick: otherTheme },
          icon("eye"),
        ),
      ),
      this.card(people),
      part("div", { class: "mid2", "data-key": "middle" }, this.middle(people, needs)),
      part("div", { class: "thumb", "data-key": "thumb" }, this.primary(), part("div", { class: "g2" }, this.four())),
      part(
        "nav",
        { class: "nav2", "data-key": "plan", "aria-label": words.wall.plan.label },
        button("line", "left", text.before, () => this.go(at - 1), {
          disabled: Boolean(state.vote) || at === 0,
          "data-key": "before",
        }),
        button("line", "right", next ? say(text.next, { title: next.title }) : text.no_next, () => this.go(at + 1), {
          disabled: Boolean(state.vote) || !next,
          "data-key": "next",
          class: "flip",
        }),
      ),
    )]);
    paintChanged(this.root);
  }

  card(people) {
    const { teacher, words, text, titles } = this;
    const { state } = teacher;
    const count = this.steps.length;
    const step = count ? say(text.step, { n: (state.plan?.at ?? 0) + 1, of: count }) : text.no_plan;
    let [title, note] = [text.free, text.free_note];
    if (state.vote) {
      [title, note] = [plain(state.vote.ask.question), stateSentence(state.vote, words)];
      const left = state.vote.until ?? (state.vote.state === "closed 1" ? state.vote.talk : null);
      if (left) note = `${note} ${clockText(left - teacher.now())}`;
    } else if (state.eyes) [title, note] = [text.eyes, text.eyes_note];
    else if (state.screen?.what === "spot") {
      const person = people.find(({ seat }) => seat === state.screen.seat);
      title = say(text.spot, { name: person ? nameOf(person, words, false) : "" });
      note = state.screen.name ? text.spot_named : text.spot_note;
    } else if (state.screen) [title, note] = [text.follow, text.follow_note];
    else if (state.sent && !state.free) {
      const all = people.filter((each) => each.here);
      title = state.sent.title;
      note = say(text.sent, {
        page: titles.get(state.sent.page) ?? state.sent.page,
        n: all.filter((each) => !each.strayed).length,
        of: all.length,
      });
    }
    return part(
      "section",
      { class: "card2", "data-key": "card", "aria-live": "polite" },
      part("p", { class: "muted" }, step),
      part("h1", {}, title),
      part("p", {}, note),
    );
  }

  middle(people, needs) {
    const { teacher, words, text } = this;
    const { state } = teacher;
    const { vote } = state;
    if (vote) {
      const isOpen = vote.state.startsWith("open");
      const count = isOpen && teacher.count ? teacher.count : vote;
      const peeked = teacher.peeked?.vote === vote.id ? teacher.peeked.result : null;
      const result = peeked ?? vote.results?.at(-1) ?? vote.result;
      return [
        part(
          "div",
          { class: "counted", "data-key": "counted" },
          part("span", { class: "muted" }, text.answered),
          part("b", { class: "num" }, say(text.counted, { n: count.answered, of: count.of })),
        ),
        part(
          "div",
          { class: "prog", "data-key": "prog" },
          part("i", { style: `width: ${count.of ? (100 * count.answered) / count.of : 0}%` }),
        ),
        result && smallBars(vote, result),
        result && part(
          "small",
          { class: "muted", "data-key": "note" },
          peeked ? text.only_here : vote.changed !== undefined ? say(words.question.changed, { n: vote.changed }) : "",
        ),
        vote.say && part("p", { "data-key": "say" }, rich(vote.say)),
        part("div", { class: "box", "data-key": "steps" }, stagesList(vote, words)),
      ];
    }
    if (state.screen?.what === "spot") {
      const tile = teacher.tiles.get(state.screen.seat);
      const picture = canvas((context, width, height) => drawMiniature(context, width, height, tile), {
        class: "spot",
        "aria-label": text.spot_picture,
        "data-own": true,
      });
      picture.tile = tile;
      return [picture];
    }
    const found = needs ? needing(people).slice(0, 3) : [];
    const then = this.steps.slice((state.plan?.at ?? 0) + 1).slice(0, THEN);
    return [
      found.length > 0 && part(
        "section",
        { class: "box", "data-key": "needs" },
        part("h2", {}, words.wall.needs, part("span", {}, String(needs))),
        part(
          "ul",
          { class: "then" },
          found.map((person) =>
            part(
              "li",
              { "data-key": `need-${person.seat}` },
              part("b", {}, nameOf(person, words, false)),
              part(
                "span",
                { class: "muted" },
                person.waits ? words.wall.asks : person.diverged ? words.wall.diverged : words.wall.idle,
              ),
              person.waits > 0 &&
                button("line", "check", text.helped, () => teacher.send({ do: "helped", seat: person.seat })),
            )
          ),
        ),
      ),
      then.length > 0 && part(
        "section",
        { class: "box", "data-key": "then" },
        part("h2", {}, text.then),
        part(
          "ol",
          { class: "then" },
          then.map((each, at) =>
            part(
              "li",
              {},
              part("span", { class: "muted num" }, String((state.plan?.at ?? 0) + 2 + at)),
              part("span", {}, each.title),
            )
          ),
        ),
      ),
    ];
  }

  /** The one next act. */
  primary() {
    const { teacher, words, text, lessons: list } = this;
    const { state } = teacher;
    const large = (iconName, name, act, more = {}) =>
      button("fill pri", iconName, name, once(act), { "data-key": "primary", "data-next": true, ...more });
    if (state.vote) {
      const [[act, name, iconName]] = actsOf(state.vote, words);
      return large(iconName ?? "", name, () => teacher.ask(act));
    }
    if (state.eyes) return large("play", text.resume, () => teacher.send({ do: "eyes", on: false }));
    if (state.screen) {
      return large(
        "x",
        text.take_off,
        () =>
          state.screen.what === "follow"
            ? teacher.send({ do: "follow", on: false })
            : teacher.send({ do: "spot", seat: null, name: false }),
      );
    }
    const place = state.free ? null : state.sent;
    const experiment = place && experimentOf(list, place.page, place.experiment);
    if (experiment?.question && !teacher.hasAsked(place)) {
      return large(
        "question",
        text.ask,
        () => teacher.send({ do: "ask", page: place.page, experiment: place.experiment }),
      );
    }
    const at = state.plan?.at ?? 0;
    if (this.steps.length && (state.free || !state.sent)) {
      return large("send", say(text.send_step, { title: this.steps[at].title }), () => this.go(at));
    }
    if (this.steps[at + 1]) {
      return large("right", say(text.next, { title: this.steps[at + 1].title }), () => this.go(at + 1));
    }
    return large("pause", text.eyes, () => teacher.send({ do: "eyes", on: true }));
  }

  /** Whether nothing else is next than to pause the boards. */
  isLast() {
    const { state } = this.teacher;
    const place = state.free ? null : state.sent;
    const experiment = place && experimentOf(this.lessons, place.page, place.experiment);
    const asks = experiment?.question && !this.teacher.hasAsked(place);
    return !asks && !(this.steps.length && !place) && !this.steps[(state.plan?.at ?? 0) + 1];
  }

  /** Four acts for the thumb. */
  four() {
    const { teacher, words, text } = this;
    const { state } = teacher;
    const act = (iconName, name, note, run, more = {}) =>
      part(
        "button",
        { type: "button", class: "btn line", onclick: run, "data-key": `four-${name}`, ...more },
        icon(iconName),
        part("span", {}, name, note && part("small", {}, note)),
      );
    const eyes = act(
      state.eyes ? "play" : "pause",
      state.eyes ? text.resume : text.eyes,
      "",
      () => teacher.send({ do: "eyes", on: !state.eyes }),
    );
    const { vote, screen } = state;
    if (vote) {
      const isHidden = !vote.result && !vote.results && vote.state !== "run";
      const others = actsOf(vote, words).slice(1).map(([name, label, iconName]) =>
        act(iconName || "right", label, name === "show" ? text.most_wait : "", () => teacher.ask(name))
      );
      const timer = ["open 1", "open 2", "closed 1"].includes(vote.state);
      return [
        isHidden && peekButton(teacher, words, "line", text.peek_note),
        ...others,
        timer && this.timer(vote, act),
        eyes,
      ].filter(Boolean).slice(0, 5).flat();
    }
    if (screen?.what === "spot") {
      return [
        act(
          "eye",
          screen.name ? text.hide_name : text.show_name,
          "",
          () => teacher.send({ do: "spot", seat: screen.seat, name: !screen.name }),
        ),
        act("save", text.snapshot, "", () => teacher.send({ do: "snapshot", seat: screen.seat })),
        act("left", text.board_before, "", () => this.spotBeside(-1)),
        act("right", text.board_next, "", () => this.spotBeside(1)),
      ];
    }
    const hasSent = Boolean(state.sent);
    const isPrimary = state.eyes || this.isLast();
    return [
      !isPrimary && eyes,
      act("screen", text.spotlight, text.spotlight_note, () => this.spotBeside(1)),
      state.free || !hasSent
        ? act("people", text.together, "", () => this.sendAll(), { disabled: !hasSent && !this.steps.length })
        : act("people", text.set_free, "", () => teacher.send({ do: "free" })),
      act(
        "screen",
        state.screen?.what === "follow" ? text.follow_off : text.follow_on,
        "",
        () => teacher.send({ do: "follow", on: state.screen?.what !== "follow" }),
        { disabled: !state.own?.run },
      ),
    ];
  }

  timer(vote, act) {
    const { teacher, text, words } = this;
    const left = vote.state === "closed 1" ? vote.talk : vote.until;
    const opener = act(
      "clock",
      text.timer,
      left ? say(text.left, { left: clockText(left - teacher.now()) }) : say(text.round, { n: roundOf(vote) }),
      null,
    );
    return menu("timer", opener, text.timer, [
      ...TIMERS.map((seconds) => item(say(text.seconds, { n: seconds }), () => teacher.ask("timer", { seconds }))),
      left && item(words.remote.no_timer, () => teacher.ask("timer", { seconds: null })),
    ]);
  }

  spotBeside(by) {
    const { teacher } = this;
    const people = teacher.people().filter((each) => each.run && each.here);
    if (!people.length) return this.tell(this.text.no_boards);
    const at = people.findIndex(({ seat }) => seat === teacher.state.screen?.seat);
    const next = people[(at + by + people.length) % people.length];
    teacher.send({ do: "spot", seat: next.seat, name: false });
  }

  sendAll() {
    const { teacher } = this;
    if (this.steps.length) return this.go(teacher.state.plan.at);
    const { kind, page, query, experiment, run, title } = teacher.state.sent;
    teacher.send({ do: "send", kind, page, query, experiment, run: run ?? null, title, to: "all" });
  }
}
