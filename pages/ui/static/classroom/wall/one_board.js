// One student's board, large, read only and live, over the tiles; the student knows that the teacher looks.

import { isDark } from "../look.js";
import { drawMiniature } from "../miniature.js";
import { button, canvas, chip, colour, iconButton, part, say } from "../parts.js";
import { ReaderBoard } from "../reader.js";
import { flagOf, lossText, minutes, nameOf, percent, stepText } from "./seat_words.js";

const WIDE = 400;

export class OneBoard {
  constructor(wall) {
    this.wall = wall;
    this.live = part("div", { class: "live", "data-own": true });
  }

  /** Which run is read: another one means another reader. */
  follow(person) {
    const { teacher } = this.wall;
    const run = person?.run ?? null;
    if (run === this.run && person?.seat === this.seat) return;
    this.reader?.destroy();
    this.reader = null;
    this.live.replaceChildren();
    this.run = run;
    this.seat = person?.seat;
    if (!run) return;
    this.reader = new ReaderBoard(this.live, {
      code: teacher.code,
      token: teacher.token,
      run,
      large: true,
      isDark: isDark(),
    });
  }

  close() {
    this.follow(null);
  }

  parts(person, people) {
    const { words, anonymous, teacher } = this.wall;
    const text = words.board;
    const { tile, seat } = person;
    const name = nameOf(person, words, anonymous);
    this.follow(person);
    const picture = canvas((context, width, height) => drawMiniature(context, width, height, tile), {
      class: "under",
      "aria-label": say(text.picture, { name }),
      "data-own": true,
    });
    picture.tile = tile;
    const isSpot = teacher.state.screen?.what === "spot" && teacher.state.screen.seat === seat;
    const step = (by) => () => this.wall.openBeside(by);
    return part(
      "section",
      { class: "oneb", "aria-label": say(text.label, { name }), "data-key": "one", tabindex: "-1" },
      part(
        "header",
        {},
        iconButton("line", "left", text.back, () => this.wall.open(null), { "data-key": "back" }),
        part("h2", {}, name),
        flagOf(person, words, WIDE, false),
        chip("", "eye", text.read_only),
        part("span", { class: "gap" }),
        iconButton("quiet", "left", text.before, step(-1), { disabled: people.length < 2, "data-key": "before" }),
        iconButton("quiet", "right", text.next, step(1), { disabled: people.length < 2, "data-key": "next" }),
      ),
      part(
        "div",
        { class: "pair" },
        part("div", { class: "hero" }, picture, this.live),
        part(
          "div",
          { class: "beside" },
          part(
            "dl",
            {},
            this.numbers(person).flatMap(([term, value]) => [part("dt", {}, term), part("dd", {}, value)]),
          ),
          part(
            "div",
            { class: "acts" },
            button(
              "tonal",
              "screen",
              isSpot ? text.take_off : text.put,
              () => teacher.send({ do: "spot", seat: isSpot ? null : seat, name: false }),
              { disabled: !person.run },
            ),
            isSpot &&
              button(
                "line",
                "eye",
                teacher.state.screen.name ? text.hide_name : text.show_name,
                () => teacher.send({ do: "spot", seat, name: !teacher.state.screen.name }),
              ),
            button("line", "save", text.snapshot, () => teacher.send({ do: "snapshot", seat }), {
              disabled: !person.run,
            }),
            button("line", "check", text.helped, () => teacher.send({ do: "helped", seat }), {
              disabled: !person.waits,
            }),
            person.typed && !person.allowed &&
              button("line", "eye", text.allow, () => teacher.send({ do: "allow", seat })),
            button("line", "send", text.send, () => this.sendMine(person), { disabled: !teacher.state.own?.run }),
            button("quiet", "", text.rename, () => this.rename(person)),
            button("quiet warn", "", text.take_out, () => this.takeOut(person, name)),
          ),
        ),
      ),
      this.strip(tile, text),
      part("small", { class: "muted" }, text.keys),
    );
  }

  numbers({ tile, page, age }) {
    const { words, titles } = this.wall;
    const text = words.board.numbers;
    const rows = [[text.lesson, titles.get(page) ?? page ?? "–"]];
    if (!tile) return rows;
    rows.push([text.step, stepText(tile.step)], [text.loss, lossText(tile.loss, words)]);
    if (Number.isFinite(tile.accuracy)) rows.push([text.accuracy, percent(tile.accuracy)]);
    if (Number.isFinite(tile.units)) rows.push([text.units, String(tile.units)]);
    if (Number.isFinite(tile.rate)) rows.push([text.rate, String(Number(tile.rate.toPrecision(3)))]);
    const last = age < 60 ? say(text.seconds, { n: Math.round(age) }) : say(text.minutes, { n: minutes(age) });
    return [...rows, [text.last, last]];
  }

  strip(tile, text) {
    const picture = canvas((context, width, height) => {
      context.fillStyle = colour("soft");
      context.beginPath();
      context.roundRect(0, 0, width, height, 10);
      context.fill();
      const values = (tile?.losses ?? []).map((loss) => Math.log10(loss)).filter(Number.isFinite);
      if (values.length < 2) return;
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const places = values.map((value, at) => [
        20 + ((width - 44) * at) / (values.length - 1),
        12 + ((height - 24) * (high - value)) / (high - low || 1),
      ]);
      context.strokeStyle = colour("train");
      context.lineWidth = 2.4;
      context.lineJoin = "round";
      context.beginPath();
      places.forEach(([x, y], at) => at ? context.lineTo(x, y) : context.moveTo(x, y));
      context.stroke();
      context.fillStyle = colour("train");
      context.beginPath();
      context.arc(...places.at(-1), 6, 0, 2 * Math.PI);
      context.fill();
    }, { "aria-label": text.strip, class: "strip", "data-own": true });
    picture.tile = tile;
    return picture;
  }

  sendMine({ seat }) {
    const { teacher, words } = this.wall;
    const { run, page, query, experiment } = teacher.state.own;
    teacher.send({ do: "send", kind: "run", page, query, experiment, run, title: words.pace.mine_title, to: [seat] });
  }

  async rename({ seat, name }) {
    const { words, prompt, teacher } = this.wall;
    const next = await prompt({
      title: words.board.rename,
      field: words.board.new_name,
      value: name,
      yes: words.board.rename,
    });
    if (next) teacher.send({ do: "rename", seat, name: next });
  }

  async takeOut({ seat }, name) {
    const { words, prompt, teacher } = this.wall;
    const yes = await prompt({
      title: say(words.board.sure, { name }),
      note: words.board.sure_note,
      yes: words.board.take_out,
    });
    if (!yes) return;
    teacher.send({ do: "take out", seat });
    this.wall.open(null);
  }
}
