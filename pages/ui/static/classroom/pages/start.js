// The first page of /class: one button starts a class.

import { addressOf } from "../../address.js";
import { codeInAddress, drawCode, fragment, pageAddress, planFromText } from "./address.js";
import { button, part, say, showChildren, toggle } from "../parts.js";
import { taughtHere } from "../teacher.js";

const TRIES = 5; // codes that were taken already
const TAKEN = 409;

/** Show the page in `root`; `begun({code, token, projector})` is called with the class that was started. */
export function start(root, words, begun) {
  const text = words.start;
  const code = codeInAddress(); // of a class for which this browser has no token
  const allowed = words.allowed; // by the server
  const chosen = { names: allowed.includes("offered") ? "offered" : allowed[0], show_names: false };
  const plan = planFromText(fragment().plan ?? "");
  let problem = "";
  let busy = false;

  const choose = (name) => (value) => {
    chosen[name] = value;
    draw();
  };

  async function press() {
    if (busy) return;
    busy = true;
    problem = "";
    draw();
    const answer = await startOne({ ...chosen, ...(plan ? { plan } : {}) });
    busy = false;
    if (answer.code) return begun(answer);
    problem = answer.say ?? text.failed;
    draw();
  }

  function draw() {
    const option = (title, choices, name, note) =>
      part(
        "div",
        { class: "opt" },
        part("b", {}, title),
        toggle(title, choices, chosen[name], choose(name)),
        part("p", {}, note),
      );
    const names = [["offered", text.offered], ["own", text.own], ["numbers", text.numbers]]
      .filter(([name]) => allowed.includes(name));
    showChildren(root, [
      part(
        "main",
        { class: "begin" },
        part(
          "div",
          {},
          part("h1", {}, text.title),
          part("p", { class: "lead" }, text.lead),
          code && part("p", { class: "error" }, say(text.unknown_here, { code })),
          taughtHere().map((each) =>
            part(
              "p",
              { class: "running", "data-key": each },
              part("a", { class: "btn line", href: pageAddress("class", each) }, say(text.go_on, { code: each })),
            )
          ),
          button("fill", "people", text.start, press, { "aria-busy": String(busy), "data-start": true }),
          part("p", { class: "error", role: "alert" }, problem),
          part(
            "div",
            { class: "opts" },
            option(text.names, names, "names", text.notes[chosen.names]),
            option(
              text.projected,
              [[false, text.no_names], [true, text.show_names]],
              "show_names",
              text.projected_note,
            ),
            plan && part(
              "div",
              { class: "planned" },
              part("b", {}, say(text.plan, { n: plan.length })),
              part("span", { class: "muted" }, plan.map(({ title }) => title).join(" · ")),
            ),
            part(
              "nav",
              {},
              part("a", { href: "./join" }, text.join),
              part("a", { href: "./" }, text.lessons),
            ),
          ),
        ),
        part(
          "aside",
          { class: "who" },
          part("h2", {}, text.who),
          part(
            "dl",
            {},
            text.sees.map(([who, what]) => part("div", {}, part("dt", {}, who), part("dd", {}, what))),
          ),
        ),
      ),
    ]);
  }
  draw();
}

async function startOne(body) {
  for (let each = 0; each < TRIES; each++) {
    const url = addressOf("class/start");
    url.searchParams.set("class", drawCode());
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (answer.status === TAKEN) continue;
      return await answer.json();
    } catch {
      return {};
    }
  }
  return {};
}
