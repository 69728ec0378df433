// The player of a class: eyes up, locks, follow, send, free; and the last act with its undo.

import { button, once, part, say } from "../parts.js";
import { check, item, menu } from "../pages/popup.js";

const ALL = "all";

/** The line below the tiles. `wall` has words, teacher, dialog, myBoard(), one (the open board or null). */
export function paceParts(wall) {
  const { words, teacher } = wall;
  const { state } = teacher;
  const text = words.pace;
  const act = state.acts?.at(-1);
  const follows = state.screen?.what === "follow";
  const isFree = state.free || !state.sent;
  const hasRun = Boolean(state.own?.run);
  return part(
    "div",
    { class: "player", role: "toolbar", "aria-label": text.label, "data-key": "player" },
    button("fill play", state.eyes ? "play" : "pause", state.eyes ? text.resume : text.eyes, once(() => eyesUp(wall)), {
      "aria-pressed": String(state.eyes),
      "aria-keyshortcuts": "E",
      "data-key": "eyes",
    }),
    part("span", { class: "sep", "data-key": "sep" }),
    ...locks(wall),
    button("line", "screen", follows ? text.follows : text.follow, () => follow(wall), {
      "aria-pressed": String(follows),
      "aria-keyshortcuts": "F",
      "data-key": "follow",
    }),
    ...menu("send", button("line", "send", text.send, null, { "data-key": "send" }), text.send, [
      part("small", {}, say(text.send_to, { n: teacher.people().filter(({ here }) => here).length })),
      item(text.send_place, () => wall.dialog.open()),
      item(text.send_mine, () => sendOwn(wall), { disabled: !hasRun }),
      wall.one && item(say(text.send_this, { name: wall.nameOfSeat(wall.one) }), () => sendBoard(wall), {
        disabled: !teacher.seats.get(wall.one)?.run,
      }),
      part("hr"),
      item(text.my_board, () => wall.myBoard()),
      part("small", {}, hasRun ? text.send_note : text.no_run),
    ]),
    isFree
      ? button("line", "people", text.together, () => together(wall), { "data-key": "free" })
      : button("line", "people", text.free, () => teacher.send({ do: "free" }), { "data-key": "free" }),
    part(
      "span",
      { class: "undo", "data-key": "undo" },
      act && part("span", { class: "num" }, timeText(act.at)),
      act && part("span", { class: "said" }, act.say),
      button("line", "undo", text.undo, () => undo(wall), {
        disabled: !act?.undo,
        "aria-keyshortcuts": "U",
        "data-key": "undo-button",
      }),
    ),
  );
}

/** What is locked: nothing, everything, or some settings of the lesson where the class is. */
function locks(wall) {
  const { words, teacher, lessons } = wall;
  const text = words.pace;
  const names = new Set(teacher.state.locks ?? []);
  const page = teacher.state.sent?.page ?? wall.mostPage();
  const knobs = lessons.find(({ name }) => name === page)?.knobs ?? [];
  const set = (next) => teacher.send({ do: "lock", names: [...next] });
  const label = names.has(ALL) ? text.locked_all : names.size ? say(text.locked, { n: names.size }) : text.lock;
  return menu(
    "lock",
    button("line", "lock", label, null, { "aria-pressed": String(names.size > 0), "aria-keyshortcuts": "L" }),
    text.lock,
    [
      part("small", {}, text.lock_note),
      check(text.lock_all, names.has(ALL), (on) => set(on ? [ALL] : [])),
      part("hr"),
      part(
        "div",
        { class: "knobs" },
        knobs.map(([name, label]) =>
          check(label, names.has(ALL) || names.has(name), (on) => {
            const next = new Set(names);
            next.delete(ALL);
            if (on) next.add(name);
            else next.delete(name);
            set(next);
          }, { "data-key": `knob-${name}` })
        ),
      ),
    ],
  );
}

/** Pause all boards, or let them go on. */
export const eyesUp = ({ teacher }) => teacher.send({ do: "eyes", on: !teacher.state.eyes });

/** Lock everything, or nothing. */
export const lock = ({ teacher }) => teacher.send({ do: "lock", names: teacher.state.locks?.length ? [] : [ALL] });

/** Show the teacher's board on all screens, or take it off. */
export function follow(wall) {
  const { teacher, words } = wall;
  const on = teacher.state.screen?.what !== "follow";
  if (on && !teacher.state.own?.run) return wall.tell(words.pace.no_board, words.pace.my_board, () => wall.myBoard());
  teacher.send({ do: "follow", on });
}

/** Take back the last act. */
export function undo({ teacher }) {
  const act = teacher.state.acts?.at(-1);
  if (act?.undo) teacher.send({ do: "undo", act: act.act });
}

function together(wall) {
  const { teacher, plan, dialog } = wall;
  if (plan.steps.length) plan.go(plan.at);
  else if (teacher.state.sent) {
    const { kind, page, query, experiment, run, title } = teacher.state.sent;
    teacher.send({ do: "send", kind, page, query, experiment, run: run ?? null, title, to: "all" });
  } else dialog.open();
}

function sendOwn({ teacher, words }) {
  const { run, page, query, experiment } = teacher.state.own;
  teacher.send({ do: "send", kind: "run", page, query, experiment, run, title: words.pace.mine_title, to: "all" });
}

function sendBoard({ teacher, words, one }) {
  const { run, page, query, experiment } = teacher.seats.get(one);
  teacher.send({ do: "send", kind: "run", page, query, experiment, run, title: words.pace.board_title, to: "all" });
}

export const timeText = (seconds) =>
  new Date(1000 * seconds).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
