// Before the end of a class: what the teacher may take along; then everything is deleted.

import { addressOf } from "../../address.js";
import { download } from "../../dom.js";
import { drawMiniature } from "../miniature.js";
import { button, canvas, icon, part, say, showChildren, toggle } from "../parts.js";
import { readTiles } from "../tile_codec.js";
import { paintChanged } from "../wall/tiles.js";
import { stepText } from "../wall/seat_words.js";

const ROWS = 10; // of the table that are shown
const KILO = 1000;

/** The view; `page` is the teacher's page. */
export function after(page) {
  const { teacher, words } = page;
  const text = words.after;
  let kind = "names";
  let files = {}; // by kind: {text, rows}
  let loading = "";
  let from = "";

  async function load() {
    const wanted = `${kind} ${teacher.seats.size} ${teacher.state.asked} ${teacher.state.vote?.state}`;
    if (loading || from === wanted) return;
    loading = kind;
    try {
      const content = await (await fileOf({ kind })).text();
      files = { ...files, [kind]: { content, rows: rowsOf(content) } };
      from = wanted;
    } catch {
      page.tell(text.no_file);
      from = wanted;
    }
    loading = "";
    draw();
  }

  async function fileOf(body) {
    const url = addressOf("class/file");
    url.searchParams.set("class", teacher.code);
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: teacher.token, ...body }),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer;
  }

  function save(name, content, type) {
    const url = URL.createObjectURL(new Blob([content], { type }));
    download(name, url);
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  async function saveSnapshot(each) {
    try {
      const answer = await fileOf({ kind: "snapshot", id: each.id });
      const named = /filename="?([^";]+)/.exec(answer.headers.get("content-disposition") ?? "");
      save(named?.[1] ?? `snapshot-${each.id}.safetensors`, await answer.blob(), "application/octet-stream");
    } catch {
      page.tell(text.no_file);
    }
  }

  async function end() {
    const yes = await page.prompt({ title: text.sure, note: text.sure_note, yes: text.end });
    if (yes) page.isEnding = teacher.send({ do: "end" });
  }

  function table() {
    const file = files[kind];
    if (!file) return part("p", { class: "muted none" }, loading ? text.loading : text.nothing);
    const [head, ...rows] = file.rows;
    return part(
      "div",
      { class: "tbl", tabindex: "0", role: "region", "aria-label": text.table },
      part(
        "table",
        {},
        part("thead", {}, part("tr", {}, head.map((each) => part("th", { scope: "col" }, each)))),
        part("tbody", {}, rows.slice(0, ROWS).map((row) => part("tr", {}, row.map((each) => part("td", {}, each))))),
      ),
      part(
        "p",
        { class: "muted" },
        rows.length > ROWS && say(text.more_rows, { n: rows.length - ROWS }),
        " ",
        kind === "numbers" && text.shuffled,
      ),
    );
  }

  function snapshots() {
    const { snapshots } = teacher.state;
    return part(
      "section",
      { "data-key": "snapshots" },
      part(
        "div",
        { class: "hd2" },
        part("h2", {}, text.snapshots),
        part("span", { class: "muted" }, say(text.kept, { n: snapshots.length })),
        part("span", { class: "gap" }),
        snapshots.length > 1 && button("line", "download", text.save_all, () => snapshots.forEach(saveSnapshot)),
      ),
      snapshots.length
        ? part("div", { class: "snaps" }, snapshots.map(snapshot))
        : part("p", { class: "muted" }, text.no_snapshots),
    );
  }

  function snapshot(each) {
    const tile = each.tile
      ? readTiles(Uint8Array.from(atob(each.tile), (letter) => letter.charCodeAt(0)).buffer)[0]
      : null;
    const name = kind === "numbers" ? say(text.board, { n: each.id }) : each.name;
    const picture = canvas((context, width, height) => drawMiniature(context, width, height, tile), {
      "aria-label": say(text.picture, { name }),
      "data-own": true,
    });
    picture.tile = each.id;
    return part(
      "figure",
      { "data-key": `snapshot-${each.id}` },
      picture,
      part(
        "figcaption",
        {},
        part("b", {}, name),
        part("span", { class: "muted" }, say(text.step, { step: stepText(each.step) })),
      ),
      part(
        "div",
        { class: "acts" },
        button("line", "download", text.save, () => saveSnapshot(each), { "aria-label": `${text.save}: ${name}` }),
        each.query && part("a", {
          class: "btn quiet",
          href: `./${each.page}?${each.query.replace(/^\?/, "")}`,
          target: "_blank",
          rel: "noopener",
          "aria-label": say(text.open_link, { name }),
        }, text.link),
        button("quiet", "trash", text.drop, () => teacher.send({ do: "drop snapshot", id: each.id }), {
          "aria-label": `${text.drop}: ${name}`,
        }),
      ),
    );
  }

  const stays = (iconName, title, sentence) =>
    part("div", {}, icon(iconName), part("b", {}, title), part("p", {}, sentence));

  function draw() {
    const { state } = teacher;
    const minutes = Math.max(1, Math.round((teacher.now() - state.began) / 60));
    const file = files[kind];
    showChildren(page.root, [part(
      "main",
      { class: "after" },
      part(
        "header",
        { "data-key": "head" },
        part(
          "div",
          {},
          part("h1", {}, text.title),
          part(
            "p",
            { class: "muted" },
            say(text.lead, { minutes, students: teacher.seats.size, questions: state.asked }),
          ),
        ),
        part("span", { class: "gap" }),
        button("line", "left", text.back, () => page.show("wall")),
        button("fill", "", text.end, end, { "data-end": true }),
      ),
      part(
        "div",
        { class: "cols", "data-key": "cols" },
        part(
          "div",
          { class: "first" },
          part(
            "section",
            { "data-key": "answers" },
            part(
              "div",
              { class: "hd2" },
              part("h2", {}, text.answers),
              part("span", { class: "gap" }),
              state.names !== "numbers" &&
                toggle(text.kinds, [["names", text.names], ["numbers", text.numbers]], kind, (next) => {
                  kind = next;
                  from = "";
                  draw();
                }),
              button(
                "tonal",
                "download",
                file
                  ? say(text.save_csv, { n: Math.max(1, Math.round(new Blob([file.content]).size / KILO)) })
                  : text.save_file,
                () => file && save(`class-${teacher.code}.csv`, file.content, "text/csv"),
                { disabled: !file, "data-key": "save" },
              ),
            ),
            table(),
          ),
          snapshots(),
        ),
        part(
          "aside",
          { class: "box keep" },
          part("h2", {}, text.stays),
          stays("save", text.with_you, text.with_you_note),
          stays("people", text.with_students, text.with_students_note),
          part("h2", {}, text.deleted),
          stays("trash", text.at_once, text.at_once_note),
          stays("clock", text.by_itself, text.by_itself_note),
        ),
      ),
    )]);
    paintChanged(page.root);
    load();
  }
  return { draw };
}

/** The rows of a CSV text: fields may be quoted. */
export function rowsOf(text) {
  const rows = [[""]];
  let quoted = false;
  for (let at = text.charCodeAt(0) === 0xfeff ? 1 : 0; at < text.length; at++) {
    const letter = text[at];
    const row = rows.at(-1);
    if (quoted) {
      if (letter === '"' && text[at + 1] === '"') row[row.length - 1] += text[++at];
      else if (letter === '"') quoted = false;
      else row[row.length - 1] += letter;
    } else if (letter === '"') quoted = true;
    else if (letter === ",") row.push("");
    else if (letter === "\n") rows.push([""]);
    else if (letter !== "\r") row[row.length - 1] += letter;
  }
  return rows.filter((row) => row.length > 1 || row[0]);
}
