// The projector's page: what the class sees together, and nothing that a student must not. It can do nothing.

import { toggleFullScreen } from "../../dom.js";
import { forget, keep, kept } from "../../storage.js";
import { codeInAddress, fragment, setAddress } from "./address.js";
import { doorParts, doorPlate } from "./door.js";
import { isDark, otherTheme } from "../look.js";
import { announce, codeOf, iconButton, part, say, showChildren } from "../parts.js";
import { arePlaying, decoded, runsSideBySide, stepOf } from "../real_runs.js";
import {
  goalText,
  hasDiverged,
  largeBars,
  leaders,
  lossCurves,
  lowestOf,
  moved,
  runsText,
  scatter,
  standing,
} from "../pictures.js";
import { ReaderBoard } from "../reader.js";
import { ClassSocket, CLOSED } from "../socket.js";
import { FORGOTTEN, shortAddress } from "../teacher.js";
import { hasLongOptions, numberText, optionsOf, plain, rich, roundOf } from "../vote_words.js";
import { clockText } from "../wall/question.js";
import { stepText } from "../wall/seat_words.js";
import { paintChanged } from "../wall/tiles.js";

const KEY = (code) => `class projector ${code}`;
const MAX_DOTS = 60; // of those who have answered
const LONG_QUESTION = 60; // letters
const AWAKE_MS = 2500; // the tools stay so long after the pointer has moved
const PLAY_MS = 100; // between two pictures of recordings

/** The page `/projector`. */
export function projector(root, words) {
  const code = codeInAddress();
  const { p } = fragment();
  const token = p ?? kept("sessionStorage", KEY(code));
  // no token stays in the address bar, which is projected
  if (p && keep("sessionStorage", KEY(code), p)) setAddress("projector", { class: code });
  if (!code || !token) return over(root, words.projector.nothing, words.projector.nothing_note);
  new Projector(root, words, code, token);
}

function over(root, title, note) {
  showChildren(root, [part(
    "main",
    { class: "proj" },
    part("div", { class: "bar" }),
    part("div", { class: "middle" }, part("div", {}, part("h1", { class: "calm" }, title), part("p", {}, note))),
    part("p", { class: "foot" }),
  )]);
}

class Projector {
  constructor(root, words, code, token) {
    this.root = root;
    this.words = words;
    this.text = words.projector;
    this.pictures = words.pictures;
    this.code = code;
    this.token = token;
    this.plate = doorPlate(code, words);
    this.found = {}; // the last dots, curves and leaders
    this.live = part("div", { class: "reader", "data-own": true, "data-key": "reader" });
    this.lessons = [];
    this.socket = new ClassSocket(code, () => ({ as: "projector", token }), {
      message: (message) => this.take(message),
      connected: (yes) => {
        this.isLost = !yes;
        this.changed();
      },
      closed: (closeCode) => this.closed(closeCode),
    });
    this.clock = setInterval(() => this.state?.vote && this.changed(), 1000);
    addEventListener("pointermove", () => this.wake());
    addEventListener("class:look", () => this.changed());
    over(root, this.text.connecting, "");
  }

  wake() {
    const tools = this.root.querySelector(".tools");
    tools?.classList.add("awake");
    clearTimeout(this.sleep);
    this.sleep = setTimeout(() => this.root.querySelector(".tools")?.classList.remove("awake"), AWAKE_MS);
  }

  take(message) {
    const { is } = message;
    if (is === "welcome") this.skew = message.now - Date.now() / 1000;
    else if (is === "state") {
      this.state = message;
      this.count = null; // the state has a newer one
      this.skew = message.at - Date.now() / 1000;
      if (message.show.what !== this.what) {
        this.found = {};
        this.what = message.show.what;
      }
    } else if (is === "count") this.count = message;
    else if (is === "runs") this.runs = decoded(message);
    else if (is === "ended") return this.closed(CLOSED.ended);
    else if (is === "dots") {
      const known = new Set(standing(this.found.dots ?? { dots: [] }).map(([id]) => id));
      const fresh = standing(message).filter(([id]) => !known.has(id));
      this.newest = known.size && fresh.length ? fresh.at(-1)[0] : this.newest;
      this.found.dots = message;
    } else if (is === "curves" || is === "leaders") this.found[is] = message;
    this.changed();
  }

  closed(closeCode) {
    clearInterval(this.clock);
    clearTimeout(this.waiting);
    this.read(null);
    this.socket.close();
    if (FORGOTTEN.includes(closeCode)) forget("sessionStorage", KEY(this.code));
    const { text } = this;
    const [title, note] = {
      [CLOSED.void]: [text.void, text.nothing_note],
      [CLOSED.noClass]: [text.ended, text.ended_note],
      [CLOSED.ended]: [text.ended, text.ended_note],
    }[closeCode] ?? [text.closed, text.closed_note];
    over(this.root, title, note);
  }

  /** The server's time in seconds. */
  now() {
    return Date.now() / 1000 + (this.skew ?? 0);
  }

  /** Draw again after a while. */
  again(milliseconds) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.changed(), milliseconds);
  }

  changed() {
    if (this.asked || !this.state) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.draw();
    });
  }

  /** Read this run, and no other. */
  read(run) {
    if (run === this.run) return;
    this.run = run;
    this.reader?.destroy();
    this.reader = null;
    this.live.replaceChildren();
    if (run) this.reader = new ReaderBoard(this.live, { code: this.code, token: this.token, run, isDark: isDark() });
  }

  draw() {
    const { state } = this;
    const isDoor = !state.eyes && state.teacher === "here" && !state.screen && state.show.what === "door";
    if (!state.screen || state.eyes) this.read(null);
    showChildren(this.root, [part(
      "main",
      { class: `proj ${isDoor ? "door" : ""}` },
      this.bar(isDoor),
      ...(isDoor ? this.door() : [...this.middle()]),
      this.tools(),
    )]);
    paintChanged(this.root, this.theme !== isDark());
    this.theme = isDark();
  }

  bar(isDoor) {
    const { state, text, words } = this;
    if (isDoor) return part("div", { class: "bar", "data-key": "bar" }, part("b", {}, words.door.app));
    const joined = this.count?.joined ?? state.joined;
    return part(
      "div",
      { class: "bar", "data-key": "bar" },
      part("span", {}, say(text.join, { address: shortAddress() })),
      codeOf(this.code, words.every.code),
      part("span", { class: "gap" }),
      this.isLost && part("b", {}, text.lost),
      part("span", { class: "num" }, say(text.here, { n: joined })),
    );
  }

  tools() {
    const { text } = this;
    return part(
      "div",
      { class: "tools", "data-key": "tools" },
      iconButton("line", "eye", text.theme, otherTheme),
      iconButton("line", "full", text.full, () => toggleFullScreen(document.documentElement)),
    );
  }

  door() {
    const { state } = this;
    const joined = this.count?.joined ?? state.joined;
    return doorParts({ code: this.code, joined, names: state.names, open: state.door }, this.words, this.plate, null);
  }

  /** What stands between the bar and the foot, and the foot. */
  middle() {
    const { state, text } = this;
    if (state.eyes) return this.calm(text.eyes, text.eyes_note, true);
    if (state.teacher === "away") return this.calm(text.away, text.away_note);
    if (state.screen) return this.screen(state.screen);
    const { what } = state.show;
    if (what === "vote" && state.vote) return this.vote(state.vote);
    if (what === "scatter") return this.scatter();
    if (what === "ghosts") return this.ghosts();
    if (what === "leaders") return this.leaders();
    if (what === "blank") return this.calm("", "");
    return this.place();
  }

  calm(title, note, isLarge = false) {
    if (title) announce(title);
    return [
      part(
        "div",
        { class: "middle", "data-key": "calm" },
        part("div", {}, title && part("h1", { class: isLarge ? "" : "calm" }, title), note && part("p", {}, note)),
      ),
      this.foot(""),
    ];
  }

  foot(sentence, right = null) {
    return part(
      "div",
      { class: "foot", "data-key": "foot" },
      part("span", {}, sentence),
      part("span", { class: "gap" }),
      right,
    );
  }

  head(title, note = "", isLarge = false) {
    const size = isLarge ? `large ${title.length > LONG_QUESTION ? "longer" : ""}` : "";
    return part(
      "div",
      { "data-key": "head" },
      part("h1", { class: `q1 ${size}` }, title),
      note && part("p", { class: "q2" }, note),
    );
  }

  /** Where the class is. */
  place() {
    const { state, text } = this;
    const { sent } = state;
    return this.calm(sent?.title ?? text.free, sent ? text.place_note : text.free_note);
  }

  screen({ what, run, name }) {
    const { text } = this;
    this.read(run);
    const title = what === "follow" ? text.teachers_board : name ? say(text.board_of, { name }) : text.a_board;
    return [
      part("div", { class: "stack", "data-key": "screen" }, this.head(title), this.live),
      this.foot(what === "follow" ? "" : text.owner_knows),
    ];
  }

  vote(vote) {
    const { text } = this;
    const question = plain(vote.ask.question);
    const answered = this.count && vote.state.startsWith("open") ? this.count.answered : vote.answered;
    const of = this.count && vote.state.startsWith("open") ? this.count.of : vote.of;
    const round = roundOf(vote);
    const isCurve = vote.ask.kind === "curve";
    const results = vote.results ?? (vote.result ? [vote.result] : []);
    if (vote.state === "run") return this.realRuns(vote, question, results.at(-1), answered);
    if (vote.state === "shown 2" && results.length > 1) {
      return [
        part(
          "div",
          { class: "stack", "data-key": "moves" },
          this.head(question, say(text.changed, { n: vote.changed ?? 0, of: results[1].n })),
          moved(vote, this.pictures),
        ),
        part(
          "div",
          { class: "foot legend", "data-key": "legend" },
          part("span", {}, part("i", { class: "changed" }), isCurve ? this.pictures.second_vote : text.legend_changed),
          part("span", {}, part("i", { class: "stayed" }), isCurve ? this.pictures.first_vote : text.legend_stayed),
        ),
      ];
    }
    if (vote.state.startsWith("shown") && results.length) {
      return [
        part(
          "div",
          { class: "stack", "data-key": "result" },
          this.head(question),
          largeBars(vote, results.at(-1), this.pictures),
        ),
        this.foot(say(round === 1 ? text.first_answers : text.second_answers, { n: results.at(-1).n })),
      ];
    }
    const isOpen = vote.state.startsWith("open");
    const note = isOpen ? (round === 1 ? text.answer_where : text.again) : "";
    const left = isOpen ? vote.until : vote.talk;
    const clock = left ? part("b", { class: "num" }, clockText(left - this.now())) : null;
    const isTalk = vote.state === "closed 1";
    return [
      part(
        "div",
        { class: "stack three", "data-key": "count" },
        this.head(question, note, true),
        part(
          "ul",
          { class: `opts4 ${hasLongOptions(vote) ? "long" : ""}` },
          optionsOf(vote).map(([, option]) => part("li", {}, rich(option))),
        ),
        isTalk
          ? part("div", { class: "talk", "data-key": "talk" }, part("h2", {}, text.talk), part("p", {}, text.talk_note))
          : this.counted(answered, of),
      ),
      this.foot(
        isTalk
          ? say(text.talk_foot, { n: answered, of })
          : isOpen
          ? (round === 1 ? text.first_foot : text.second_foot)
          : text.closed_foot,
        clock,
      ),
    ];
  }

  /** The real run: of each answer side by side, or one beside the answers; then what is true. */
  realRuns(vote, question, result, answered) {
    const { text, runs } = this;
    const found = runs?.vote === vote.id && vote.ask.kind !== "curve" ? runs : null;
    const now = this.now();
    if (found && arePlaying(found, now)) this.again(PLAY_MS);
    const pictures = found && runsSideBySide(found, vote, result, now, this.pictures);
    const answers = result && largeBars(vote, result, this.pictures);
    const isAlone = found?.runs.length === 1;
    return [
      part(
        "div",
        { class: "stack", "data-key": "run" },
        this.head(question, vote.say ? plain(vote.say) : this.pictures.running),
        pictures &&
          (isAlone && answers
            ? part(
              "div",
              { class: `beside ${vote.ask.kind === "number" ? "rows" : ""}`, "data-key": "beside" },
              pictures,
              answers,
            )
            : pictures),
        !pictures && (answers || part("p", { class: "q2" }, text.on_boards)),
      ),
      this.foot(
        vote.truth === undefined ? text.on_boards : say(text.answers, { n: result?.n ?? answered }),
        found && [
          found.runs.some(({ accuracy }) => accuracy.at(-1) !== null) && part("span", {}, this.pictures.above),
          part("span", { class: "num" }, say(this.pictures.at_step, { step: stepText(stepOf(found, now)) })),
        ],
      ),
    ];
  }

  counted(answered, of) {
    return part(
      "div",
      { class: "counted", "data-key": "counted", role: "status" },
      part("span", { class: "big" }, String(answered)),
      part("span", { class: "of" }, say(this.text.have_answered, { n: answered, of })),
      of <= MAX_DOTS && part(
        "span",
        { class: "dotrow", "aria-hidden": "true" },
        Array.from({ length: of }, (_, at) => part("i", { class: at < answered ? "on" : "" })),
      ),
    );
  }

  scatter() {
    const { text, state, found } = this;
    const nothing = { x: state.show.x ?? "rate", y: state.show.y ?? "loss", of: state.joined, dots: [] };
    const dots = found.dots ?? nothing;
    const ended = standing(dots).length;
    const isWhole = ended >= dots.of && dots.of > 0;
    const best = lowestOf(dots);
    const isRate = dots.x === "rate" && dots.y === "loss";
    const title = state.show.title || (isRate ? (isWhole ? text.valley : text.everybody_rate) : text.each_a_dot);
    return [
      part(
        "div",
        { class: "stack", "data-key": "scatter" },
        this.head(title, isWhole ? "" : isRate ? text.rate_note : text.dot_note),
        scatter(dots, this.newest, this.pictures),
      ),
      this.foot(
        `${runsText(dots, this.pictures)} ${say(this.pictures.ended, { n: ended })}`,
        best && part(
          "span",
          {},
          say(text.lowest, { x: numberText(best[1]), y: numberText(best[2]), axis: this.pictures.axes[dots.x] }),
        ),
      ),
    ];
  }

  ghosts() {
    const { text, state, found } = this;
    const all = found.curves?.curves ?? [];
    const lost = all.filter(([, , bytes]) => hasDiverged(bytes)).length;
    return [
      part(
        "div",
        { class: "stack", "data-key": "ghosts" },
        this.head(state.show.title || text.all_losses),
        lossCurves(all, this.pictures),
      ),
      this.foot(
        runsText(found.curves, this.pictures),
        lost > 0 && part("span", { class: "diverged" }, say(text.lost_runs, { n: lost })),
      ),
    ];
  }

  leaders() {
    const { text, state, found } = this;
    const challenge = found.leaders ?? { accuracy: 0.95, parameters: 0, dots: [] };
    const reached = challenge.dots.filter(([, , , is]) => is).length;
    return [
      part(
        "div",
        { class: "stack", "data-key": "leaders" },
        this.head(state.show.title || text.challenge, goalText(challenge, this.pictures)),
        leaders(challenge, this.pictures),
      ),
      this.foot(
        `${runsText(found.leaders, this.pictures)} ${say(text.reached, { n: reached, of: challenge.dots.length })}`,
      ),
    ];
  }
}
