// "Needs you": who asks for help, whose run diverged, who has done nothing for a while. Pages and filters never cut it.

import { drawMiniature } from "../miniature.js";
import { button, canvas, chip, part, say } from "../parts.js";
import { minutes, nameOf, needing, stepText } from "./seat_words.js";

/** The list; `room` is how many of it are shown before "more", and `isOpen` shows all. */
export function needsParts(people, wall, room, isOpen, more) {
  const { words, anonymous, open } = wall;
  const text = words.wall;
  const waiting = wall.teacher.state.waiting ?? [];
  const found = needing(people);
  const shown = isOpen ? found : found.slice(0, room);
  const sum = found.length + waiting.length;
  return part(
    "section",
    { class: "box needs", "aria-label": text.needs, "data-key": "needs" },
    part("h2", {}, text.needs, part("span", {}, sum ? String(sum) : text.nobody)),
    part(
      "div",
      { class: "need" },
      waiting.map((each) =>
        part(
          "div",
          { class: "back", "data-key": `back-${each.seat}` },
          part("span", {}, say(text.wants_back, { name: each.name })),
          button("tonal", "", text.let_back, () => wall.teacher.send({ do: "let back", seat: each.seat, yes: true })),
          button("quiet", "", text.no, () => wall.teacher.send({ do: "let back", seat: each.seat, yes: false })),
        )
      ),
      shown.map((person) => row(person, words, anonymous, open)),
      found.length > shown.length && button("quiet", "", say(text.more, { n: found.length - shown.length }), more, {
        class: "mini",
        "data-key": "more",
      }),
      isOpen && found.length > room && button("quiet", "", text.fewer, more, { class: "mini", "data-key": "more" }),
    ),
  );
}

function row(person, words, anonymous, open) {
  const text = words.wall;
  const { tile } = person;
  const step = tile ? stepText(tile.step) : "0";
  const picture = canvas((context, width, height) => drawMiniature(context, width, height, tile), { "data-own": true });
  picture.tile = tile?.look;
  const [why, flag] = person.waits
    ? [text.asks, chip("help", "hand", say(text.minutes, { n: minutes(person.waits) }))]
    : person.diverged
    ? [
      Number.isFinite(tile.rate)
        ? say(text.diverged_at, { step, rate: Number(tile.rate.toPrecision(3)) })
        : say(text.diverged_step, { step }),
      chip("bad", "x", ""),
    ]
    : [say(text.nothing_done, { step }), chip("idle", "", say(text.minutes, { n: minutes(person.idle) }))];
  return part(
    "button",
    { type: "button", "data-key": `need-${person.seat}`, onclick: () => open(person.seat) },
    picture,
    part("b", {}, nameOf(person, words, anonymous)),
    part("small", {}, why),
    flag,
  );
}
