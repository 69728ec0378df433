// The rail of the wall: the step of the lesson plan, what the class does now, and the one next act.

import { experimentOf } from "../pages/catalogue.js";
import { pageAddress, planAsText } from "../pages/address.js";
import { button, copy, icon, iconButton, once, part, say } from "../parts.js";
import { openAt } from "../pages/popup.js";
import { actsOf, plain, stateSentence } from "../vote_words.js";

export class Plan {
  /** `wall` has words, teacher, lessons, dialog, tell(sentence), press(act). */
  constructor(wall) {
    this.wall = wall;
  }

  get steps() {
    return this.wall.teacher.state.plan?.steps ?? [];
  }

  get at() {
    return this.wall.teacher.state.plan?.at ?? 0;
  }

  set(steps) {
    this.wall.teacher.send({ do: "plan", steps });
  }

  add(step) {
    this.set([...this.steps, step]);
  }

  move(from, by) {
    const steps = [...this.steps];
    const [step] = steps.splice(from, 1);
    steps.splice(from + by, 0, step);
    this.set(steps);
  }

  go(to) {
    if (to < 0 || to >= this.steps.length) return;
    this.wall.teacher.send({ do: "step", from: this.at, to });
  }

  async copyLink() {
    const { words, tell } = this.wall;
    const worked = await copy(pageAddress("class", "", { plan: planAsText(this.steps) }));
    tell(worked ? words.wall.plan.copied : words.every.not_copied);
  }

  /** What the rail says: the title and one sentence. */
  sentences() {
    const { teacher, words, titles } = this.wall;
    const { state } = teacher;
    const text = words.wall;
    if (state.vote) return [plain(state.vote.ask.question), stateSentence(state.vote, words)];
    if (state.eyes) return [state.sent?.title ?? text.eyes_title, text.eyes_sentence];
    if (state.screen?.what === "follow") return [text.follow_title, text.follow_sentence];
    if (state.screen) {
      return [say(text.spot_title, { name: this.wall.nameOfSeat(state.screen.seat) }), text.spot_sentence];
    }
    if (state.free || !state.sent) return [text.free_title, text.free_sentence];
    const people = teacher.people().filter(({ here }) => here);
    const strayed = people.filter((each) => each.strayed).length;
    const ran = people.filter(({ strayed, tile }) => !strayed && tile?.step > 0).length;
    const page = titles.get(state.sent.page) ?? state.sent.page;
    const number = this.numberOf(state.sent);
    const place = number ? say(text.sent_experiment, { page, n: number }) : page;
    const sentence = people.length === 0 ? text.sent_nobody : strayed ? text.sent_strayed : text.sent_all;
    return [state.sent.title, say(sentence, { place, n: strayed, ran, of: people.length })];
  }

  /** The number of an experiment in its lesson, from 1; 0 for another place. */
  numberOf({ page, experiment }) {
    const lesson = this.wall.lessons.find(({ name }) => name === page);
    return 1 + (lesson?.experiments.findIndex(({ id }) => id === experiment) ?? -1);
  }

  /** The acts of the rail: [words, icon, what is done], the one next act first. */
  acts() {
    const { teacher, words, lessons } = this.wall;
    const { state } = teacher;
    const text = words.wall;
    if (state.vote) {
      return actsOf(state.vote, words).map(([act, name, iconName]) => [name, iconName ?? "", () => this.press(act)]);
    }
    if (state.screen) {
      return [[
        text.stop_screen,
        "x",
        () =>
          state.screen.what === "follow"
            ? teacher.send({ do: "follow", on: false })
            : teacher.send({ do: "spot", seat: null, name: false }),
      ]];
    }
    const acts = [];
    const step = this.steps[this.at];
    const place = step && (!state.sent || state.free) ? null : state.sent;
    const experiment = place && experimentOf(lessons, place.page, place.experiment);
    if (experiment?.question && !teacher.hasAsked(place)) {
      acts.push([
        say(text.ask, { question: short(plain(experiment.question.question)) }),
        "question",
        () => teacher.send({ do: "ask", page: place.page, experiment: place.experiment }),
      ]);
    }
    if (step && (state.free || !state.sent)) {
      acts.push([say(text.send_step, { n: this.at + 1 }), "send", () => this.go(this.at)]);
    } else if (!acts.length && this.at + 1 < this.steps.length) {
      acts.push([say(text.next_step, { title: this.steps[this.at + 1].title }), "right", () => this.go(this.at + 1)]);
    }
    const strayed = state.free ? 0 : teacher.people().filter((each) => each.here && each.strayed).length;
    if (strayed && state.sent) {
      acts.push([say(text.send_strayed, { n: strayed }), "send", () => this.sendStrayed()]);
    }
    if (!acts.length) acts.push([text.send_first, "send", () => this.wall.dialog.open()]);
    return acts;
  }

  sendStrayed() {
    const { kind, page, query, experiment, run, title } = this.wall.teacher.state.sent;
    this.wall.teacher.send({ do: "send", kind, page, query, experiment, run: run ?? null, title, to: "strayed" });
  }

  press(act) {
    this.wall.teacher.ask(act);
  }

  /** The next act, as the key N presses it. */
  next() {
    this.acts()[0]?.[2]();
  }

  parts() {
    const { words, teacher } = this.wall;
    const text = words.wall;
    const [title, sentence] = this.sentences();
    const [next, ...others] = this.acts();
    const isVote = Boolean(teacher.state.vote);
    return part(
      "section",
      { class: "rail", "aria-label": text.plan.label, "data-key": "rail" },
      part(
        "div",
        { class: "nav" },
        iconButton("quiet", "left", text.plan.before, () => this.go(this.at - 1), {
          disabled: isVote || this.at === 0,
        }),
        ...this.list(),
        iconButton("quiet", "right", text.plan.next, () => this.go(this.at + 1), {
          disabled: isVote || this.at + 1 >= this.steps.length,
        }),
      ),
      part("div", { class: "what" }, part("h2", {}, title), part("p", {}, sentence)),
      part(
        "div",
        { class: "act" },
        others.slice(0, 2).reverse().map(([name, iconName, act]) =>
          button("line", iconName, name, once(act), { "data-key": `act-${name}` })
        ),
        button(isVote ? "fill" : "tonal", next[1], next[0], once(next[2]), { "data-key": "next", "data-next": true }),
      ),
    );
  }

  /** The counter, which opens the list of steps. */
  list() {
    const { words, teacher, dialog } = this.wall;
    const text = words.wall.plan;
    const count = this.steps.length;
    const opener = part(
      "button",
      {
        type: "button",
        class: "btn count",
        "aria-label": text.list,
        "aria-haspopup": "dialog",
        "data-key": "plan-opener",
        onclick: (event) => openAt(event.currentTarget),
      },
      part("b", {}, count ? String(this.at + 1) : "–"),
      part("span", {}, count ? say(text.of, { n: count }) : text.none_short, icon("down")),
    );
    const rows = this.steps.map((step, at) =>
      part(
        "li",
        { "data-key": `step-${at}`, "aria-current": at === this.at ? "step" : undefined },
        part("span", { class: "num muted" }, String(at + 1)),
        part(
          "button",
          { type: "button", class: "go", disabled: Boolean(teacher.state.vote), onclick: () => this.go(at) },
          part("b", {}, step.title),
          part(
            "small",
            {},
            [this.wall.titles.get(step.page) ?? step.page, step.ask && text.asks].filter(Boolean).join(" · "),
          ),
        ),
        iconButton("quiet", "left", text.earlier, () => this.move(at, -1), { disabled: at === 0, class: "up" }),
        iconButton("quiet", "right", text.later, () => this.move(at, 1), { disabled: at === count - 1, class: "up" }),
        iconButton("quiet", "x", text.remove, () => this.set(this.steps.filter((_, each) => each !== at))),
      )
    );
    const popup = part(
      "div",
      { class: "pop plan", popover: "auto", "aria-label": text.label, "data-key": "plan" },
      part("h2", {}, text.label),
      count ? part("ol", {}, rows) : part("p", { class: "muted" }, text.none),
      part(
        "div",
        { class: "foot" },
        button("tonal", "", text.add, () => dialog.open({ planning: true })),
        count > 0 && button("line", "copy", text.copy, () => this.copyLink()),
        button("quiet", "", text.add_here, () => teacher.state.sent && this.add(placeAsStep(teacher.state.sent)), {
          disabled: !teacher.state.sent,
        }),
      ),
    );
    return [opener, popup];
  }
}

const placeAsStep = ({ page, query, experiment, title }) => ({ page, query, experiment, title, ask: false });

const MAX_QUESTION = 34; // letters of a question in a button

/** The question itself, without what is said before it, in a few words. */
function short(whole) {
  const question = (/[^.?!]*\?\s*$/.exec(whole)?.[0] ?? whole).trim();
  if (question.length <= MAX_QUESTION) return question;
  return `${question.slice(0, MAX_QUESTION).replace(/\s+\S*$/, "")} …`;
}
