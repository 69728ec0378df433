// The dialog "Send": lessons at the left, labs and experiments at the right; each can be sent, asked, or planned.

import { placeOf, presetOf } from "../pages/catalogue.js";
import { button, iconButton, part, say, showChildren } from "../parts.js";
import { plain } from "../vote_words.js";

export class SendDialog {
  /** `wall` has words, teacher, lessons (the catalogue), plan (Plan) and tell(sentence). */
  constructor(wall) {
    this.wall = wall;
    this.lesson = null;
    this.sought = "";
    this.root = part("dialog", {
      class: "send",
      "aria-label": wall.words.send.title,
      onclick: (event) => event.target === this.root && this.root.close(), // beside it
    });
    document.body.append(this.root);
  }

  /** Open it; with `planning`, its first button adds to the plan. */
  open({ planning = false, to = "all" } = {}) {
    this.planning = planning;
    this.to = to;
    const { state } = this.wall.teacher;
    this.lesson ??= this.wall.lessons.find(({ name }) => name === state.sent?.page) ?? this.wall.lessons[0];
    this.draw();
    this.root.showModal();
  }

  send(kind, place) {
    this.wall.teacher.send({ do: "send", kind, ...place, run: null, to: this.to });
    this.root.close();
  }

  add(place, ask) {
    this.wall.plan.add({ ...place, ask });
    this.wall.tell(say(this.wall.words.send.added, { title: place.title }));
  }

  draw() {
    const { words, lessons, teacher } = this.wall;
    const text = words.send;
    const sought = this.sought.trim().toLowerCase();
    const matches = (each) =>
      !sought || [each.title, plain(each.question?.question ?? "")].join(" ").toLowerCase().includes(sought);
    const listed = sought ? lessons : [this.lesson].filter(Boolean);
    const rows = listed.flatMap((lesson) => [
      ...(sought ? [] : this.places(lesson)),
      ...lesson.experiments.filter(matches).map((each) => this.experiment(lesson, each, Boolean(sought))),
    ]);
    const find = part("input", {
      type: "search",
      "aria-label": text.find,
      placeholder: text.find,
      oninput: (event) => {
        this.sought = event.target.value;
        this.draw();
      },
    });
    find.value = this.sought;
    showChildren(this.root, [
      part(
        "header",
        {},
        part("h2", {}, this.planning ? text.plan_title : text.title),
        part("label", { class: "field" }, find),
        iconButton("quiet", "x", words.every.close, () => this.root.close()),
      ),
      part(
        "div",
        { class: "two" },
        part(
          "nav",
          { "aria-label": text.lessons },
          lessons.map((lesson) =>
            button("quiet", "", lesson.title, () => {
              this.lesson = lesson;
              this.sought = "";
              this.draw();
            }, { "aria-current": lesson === this.lesson && !sought ? "true" : undefined, "data-key": lesson.name })
          ),
        ),
        part("ul", { class: "rows" }, rows.length ? rows : part("li", { class: "muted none" }, text.nothing)),
      ),
      part("p", { class: "muted note" }, teacher.state.vote ? text.while_asked : text.note),
    ]);
  }

  /** The lesson itself and its labs. */
  places(lesson) {
    const text = this.wall.words.send;
    const all = [[lesson.title, placeOf(lesson)], ...lesson.labs.map((lab) => [lab.title, placeOf(lesson, null, lab)])];
    return all.map(([title, place], at) =>
      part(
        "li",
        { "data-key": `place-${place.query}` },
        part("span", { class: "what" }, part("b", {}, title), part("small", {}, at ? text.lab : text.lesson)),
        this.acts(place, null),
      )
    );
  }

  experiment(lesson, each, isNamed) {
    const text = this.wall.words.send;
    const about = [isNamed ? lesson.title : "", each.lab, each.question && plain(each.question.question)].filter(
      Boolean,
    );
    return part(
      "li",
      { "data-key": `${lesson.name}-${each.id}` },
      part(
        "span",
        { class: "what" },
        part("b", {}, each.title),
        part("small", {}, about.join(" · ") || text.experiment),
      ),
      this.acts(placeOf(lesson, each), each, lesson),
    );
  }

  acts(place, experiment, lesson = null) {
    const { words, teacher } = this.wall;
    const text = words.send;
    const name = (act) => `${act}: ${place.title}`;
    const asks = Boolean(experiment?.question);
    if (this.planning) {
      return part(
        "span",
        { class: "acts" },
        asks && button("line", "", text.plan_ask, () => this.add(place, true), { "aria-label": name(text.plan_ask) }),
        button("tonal", "", text.plan_add, () => this.add(place, false), { "aria-label": name(text.plan_add) }),
      );
    }
    return part(
      "span",
      { class: "acts" },
      asks && button("line", "question", text.ask, () => {
        teacher.send({ do: "ask", page: place.page, experiment: place.experiment });
        this.root.close();
      }, { "aria-label": name(text.ask), disabled: Boolean(teacher.state.vote) }),
      experiment && button("quiet", "", text.preset, () => this.send("preset", presetOf(lesson, experiment)), {
        "aria-label": name(text.preset),
        title: text.preset_help,
      }),
      button("tonal", "send", text.send, () => this.send("place", place), { "aria-label": name(text.send) }),
    );
  }
}
