// The light page: it answers questions and asks for help, without a board. For phones that train nothing.

import { addressOf } from "../../address.js";
import { codeInAddress, fragment, setAddress } from "./address.js";
import { JoinPage } from "./join.js";
import { announce, button, part, say, showChildren, swatch } from "../parts.js";
import { forgetSeat, keepReceipt, keepSeat, markTakenOut, seatOf, useSeat } from "../seat.js";
import { ClassSocket, CLOSED } from "../socket.js";
import { answerText, optionsOf, plain, rich, smallBars } from "../vote_words.js";

const PAD = [320, 200]; // units of the drawing of a curve

/** The page `/vote`. */
export function voteOnly(root, words) {
  const code = codeInAddress();
  const { s } = fragment();
  const enter = (joined) => {
    setAddress("vote", { class: joined });
    new VotePage(root, words, seatOf(joined));
  };
  if (code && s) {
    keepSeat({ code, token: s, name: "", seat: 0, kept: null, answers: [] });
    return enter(code);
  }
  const seat = code && seatOf(code);
  if (seat?.isHere && !seat.isOut) return enter(code);
  new JoinPage(root, words, enter, true);
}

class VotePage {
  constructor(root, words, seat) {
    this.root = root;
    this.words = words;
    this.text = words.vote;
    this.seat = seat;
    this.drafts = new Map(); // answers that are typed or drawn and not sent, by vote and round
    const { code } = seat;
    this.socket = new ClassSocket(code, () => ({
      as: "student",
      token: this.seat.token,
      ...(this.seat.kept ? { kept: this.seat.kept } : {}),
      answers: this.seat.answers ?? [],
    }), {
      message: (message) => this.take(message),
      connected: (yes) => {
        this.isLost = !yes;
        this.draw();
      },
      closed: (closeCode) => this.closed(closeCode),
    });
    this.draw();
  }

  take(message) {
    const { is } = message;
    if (is === "state") {
      const isNew = message.vote?.state !== this.state?.vote?.state;
      this.state = message;
      this.count = null; // the state has a newer one
      this.isReturning = false;
      if (isNew) this.problem = "";
      if (isNew && message.vote) announce(this.text.states[message.vote.state]);
    } else if (is === "seat") useSeat(this.seat, message);
    else if (is === "returning") this.isReturning = true;
    else if (is === "count") this.count = message;
    else if (is === "receipt") keepReceipt(this.seat, message);
    else if (is === "refused") this.problem = message.say;
    else if (is === "ended") return this.closed(CLOSED.ended);
    this.draw();
  }

  closed(closeCode) {
    const { text } = this;
    const { join } = this.words;
    const { code } = this.seat;
    const [title, note, again] = {
      [CLOSED.left]: [text.left, text.left_note, text.join],
      [CLOSED.noSeat]: [text.left, text.left_note, text.join],
      [CLOSED.ended]: [text.ended, text.ended_note],
      [CLOSED.noClass]: [text.ended, text.ended_note],
      [CLOSED.elsewhere]: [text.elsewhere, text.elsewhere_note, text.here],
      [CLOSED.void]: [join.removed, text.removed_note, join.come_back],
    }[closeCode] ?? [join.lost, join.lost_note, join.again];
    if ([CLOSED.left, CLOSED.noSeat, CLOSED.ended].includes(closeCode)) forgetSeat(code);
    if (closeCode === CLOSED.void) markTakenOut(this.seat);
    showChildren(this.root, [part(
      "main",
      { class: "votep over" },
      part("h1", {}, title),
      part("p", {}, note),
      part("a", { class: "btn fill", href: "./" }, text.lessons),
      again && part("a", { class: "btn line", href: `./vote?class=${code}` }, again),
    )]);
  }

  leave() {
    this.socket.send({ do: "leave" });
    this.socket.close();
    this.closed(CLOSED.left);
    location.assign(addressOf("."));
  }

  answer(value) {
    const { vote } = this.state;
    this.problem = "";
    this.socket.act({ do: "answer", vote: vote.id, in: vote.state, answer: value });
    this.draw();
  }

  help(on) {
    this.socket.act({ do: "help", on });
    this.draw();
  }

  draw() {
    const { state, text, problem } = this;
    if (!state) {
      return showChildren(this.root, [
        part("main", { class: "votep" }, part("p", { class: "muted" }, this.waits())),
      ]);
    }
    const { name, help, vote, eyes } = state;
    showChildren(this.root, [part(
      "main",
      { class: "votep" },
      part(
        "header",
        { "data-key": "head" },
        swatch(name.split(" ")[0]),
        part("b", {}, name),
        part("span", { class: "gap" }),
        button("line", "hand", help ? text.asked_help : text.help, () => this.help(!help), {
          "aria-pressed": String(help),
          "data-key": "help",
        }),
        button("quiet", "leave", text.leave, () => this.leave(), { "data-key": "leave" }),
      ),
      this.isLost && part("p", { class: "error", role: "status" }, this.socket.acts.size ? text.lost_act : text.lost),
      eyes && part("div", { class: "eyes", role: "alert" }, part("h1", {}, text.eyes), part("p", {}, text.eyes_note)),
      !eyes && (vote ? this.question(vote) : this.waiting()),
      part("p", { class: "error", role: "alert", "data-key": "error" }, problem ?? ""),
    )]);
  }

  waits() {
    const { every } = this.words;
    return this.isReturning ? every.returning : this.isLost ? this.text.lost : every.connecting;
  }

  waiting() {
    const { state, text } = this;
    return part(
      "section",
      { "data-key": "wait" },
      part("h1", {}, state.teacher === "away" ? text.away : text.nothing),
      part("p", { class: "muted" }, text.nothing_note),
    );
  }

  question(vote) {
    const { text } = this;
    const isOpen = vote.state.startsWith("open");
    const own = vote.answer ?? null;
    const count = this.count && isOpen ? this.count : vote;
    const result = vote.results?.at(-1) ?? vote.result;
    return part(
      "section",
      { "data-key": `vote-${vote.id}` },
      part("p", { class: "muted" }, text.states[vote.state]),
      part("h1", {}, rich(vote.ask.question)),
      isOpen && this.form(vote, own),
      !isOpen && own !== null && vote.ask.kind !== "curve" &&
        part("p", { class: "own" }, say(text.you_said, { answer: answerText(vote, own) })),
      result && vote.ask.kind !== "curve" && smallBars(vote, result),
      vote.say && part("p", { class: "truth" }, rich(vote.say)),
      part(
        "p",
        { class: "muted", role: "status" },
        isOpen && own !== null ? text.can_change : "",
        " ",
        isOpen ? say(text.answered, { n: count.answered, of: count.of }) : "",
      ),
    );
  }

  form(vote, own) {
    const { kind } = vote.ask;
    if (kind === "choice") {
      return part(
        "div",
        { class: "choices", role: "group", "aria-label": plain(vote.ask.question), "data-key": "choices" },
        optionsOf(vote).map(([key, option]) =>
          part("button", {
            type: "button",
            class: "btn line choice",
            "data-key": `option-${key}`,
            "data-option": key,
            "aria-pressed": String(key === own),
            onclick: () => this.answer(key),
          }, rich(option))
        ),
      );
    }
    return kind === "number" ? this.numberForm(vote, own) : this.curveForm(vote, own);
  }

  numberForm(vote, own) {
    const { text } = this;
    const { lo, hi, unit } = vote.ask;
    const key = `${vote.id} ${vote.state}`;
    const typed = this.drafts.get(key) ?? (own === null ? "" : String(own));
    const field = part("input", {
      inputmode: "decimal",
      "aria-label": plain(vote.ask.question),
      autocomplete: "off",
      oninput: (event) => this.drafts.set(key, event.target.value),
    });
    field.value = typed;
    const send = () => {
      const value = Number((this.drafts.get(key) ?? typed).trim().replace(",", ".").replace("−", "-"));
      if (!Number.isFinite(value) || value < lo || value > hi) {
        this.problem = say(text.between, { lo, hi });
        return this.draw();
      }
      this.answer(value);
    };
    return part(
      "form",
      {
        class: "number",
        onsubmit: (event) => {
          event.preventDefault();
          send();
        },
      },
      part("label", { class: "field" }, field, unit && part("span", { class: "muted" }, unit)),
      part("button", { type: "submit", class: "btn fill" }, own === null ? text.send : text.change),
      part("p", { class: "muted" }, say(text.between, { lo, hi })),
    );
  }

  curveForm(vote, own) {
    const { text } = this;
    const { grid, y } = vote.ask;
    if (!y) return part("p", { class: "say" }, text.at_a_board);
    const key = `${vote.id} ${vote.state}`;
    const [low, high] = y;
    const curve = this.drafts.get(key) ?? own ?? grid.map(() => (low + high) / 2);
    const [width, height] = PAD;
    const points = curve.map((value, at) =>
      `${(width * at) / (grid.length - 1)},${height - (height * (value - low)) / (high - low)}`
    ).join(" ");
    const draw = (event) => {
      if (!event.buttons && event.type !== "pointerdown") return;
      const box = event.currentTarget.getBoundingClientRect();
      const at = Math.round(((event.clientX - box.left) / box.width) * (grid.length - 1));
      if (at < 0 || at >= grid.length) return;
      const share = Math.min(1, Math.max(0, 1 - (event.clientY - box.top) / box.height));
      const next = [...(this.drafts.get(key) ?? curve)];
      const value = low + share * (high - low);
      const from = this.lastAt ?? at;
      const start = next[from];
      const steps = Math.abs(at - from);
      for (let each = 0; each <= steps; each++) {
        const place = from + Math.sign(at - from) * each;
        next[place] = steps
          ? (event.type === "pointerdown" ? next[place] : start + ((value - start) * each) / steps)
          : value;
      }
      next[at] = value;
      this.lastAt = at;
      this.drafts.set(key, next);
      this.draw();
    };
    const pad = part("div", {
      class: "pad",
      "data-key": "pad",
      onpointerdown: (event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        this.lastAt = undefined;
        draw(event);
        event.currentTarget.onpointermove = draw;
      },
      onpointerup: (event) => (event.currentTarget.onpointermove = null),
    });
    pad.innerHTML = `<svg viewBox="0 0 ${width} ${height}" aria-hidden="true"><polyline points="${points}"/></svg>`;
    const sliders = part(
      "details",
      {},
      part("summary", {}, text.by_numbers),
      [0, Math.floor(grid.length / 4), Math.floor(grid.length / 2), Math.floor((3 * grid.length) / 4), grid.length - 1]
        .map((at) => {
          const slider = part("input", {
            type: "range",
            min: String(low),
            max: String(high),
            step: String((high - low) / 100),
            "aria-label": say(text.height_at, { x: Number(grid[at].toPrecision(3)) }),
            oninput: (event) => this.setHeight(key, curve, at, Number(event.target.value)),
          });
          slider.value = String(curve[at]);
          return slider;
        }),
    );
    return part(
      "div",
      { class: "curve" },
      part("p", { class: "muted" }, text.draw),
      pad,
      sliders,
      button("fill", "", own === null ? text.send : text.change, () => this.answer(this.drafts.get(key) ?? curve)),
    );
  }

  /** Set the height at one place; those between two such places follow in a straight line. */
  setHeight(key, curve, at, value) {
    const next = [...(this.drafts.get(key) ?? curve)];
    const places = [
      0,
      Math.floor(next.length / 4),
      Math.floor(next.length / 2),
      Math.floor((3 * next.length) / 4),
      next.length - 1,
    ];
    next[at] = value;
    const each = places.indexOf(at);
    for (const [one, other] of [[places[each - 1], at], [at, places[each + 1]]]) {
      if (one === undefined || other === undefined) continue;
      for (let place = one; place <= other; place++) {
        next[place] = next[one] + ((next[other] - next[one]) * (place - one)) / (other - one || 1);
      }
    }
    this.drafts.set(key, next);
    this.draw();
  }
}
