// The panel for a second device of the teacher: a picture that works once, the private link, and the list of devices.

import { pageAddress } from "./address.js";
import { button, copy, icon, iconButton, part, say, showChildren } from "../parts.js";
import { qrPlate } from "./qr.js";

export class Devices {
  constructor(teacher, words, tell) {
    this.teacher = teacher;
    this.words = words;
    this.tell = tell;
    this.root = part("div", { class: "pop priv", popover: "auto", role: "dialog", "aria-label": words.door.second });
    this.root.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "closed") this.end();
    });
    document.body.append(this.root);
  }

  /** Open it below a button, and ask for a picture. */
  open(opener) {
    this.opener = opener;
    this.pair = null;
    this.draw();
    this.root.showPopover();
    const box = opener.getBoundingClientRect();
    this.root.style.top = `${box.bottom + 8}px`;
    this.root.style.right = `${Math.max(8, innerWidth - box.right)}px`;
    this.teacher.send({ do: "pair" });
    this.clock = setInterval(() => this.draw(), 1000);
  }

  /** A picture has come: {token, seconds}. */
  take({ token, seconds }) {
    if (!this.root.matches(":popover-open")) return;
    const address = pageAddress("remote", this.teacher.code, { k: token });
    this.pair = { plate: qrPlate(address, this.words.door.pair_qr), ends: Date.now() + 1000 * seconds };
    this.draw();
  }

  end() {
    clearInterval(this.clock);
    this.pair = null;
    showChildren(this.root, []);
    this.opener?.focus({ preventScroll: true });
  }

  draw() {
    const text = this.words.door;
    const { state, token, code } = this.teacher;
    const left = this.pair ? Math.ceil((this.pair.ends - Date.now()) / 1000) : 0;
    if (this.pair && left <= 0) this.pair = null;
    const devices = state?.devices ?? [];
    showChildren(this.root, [
      part(
        "h2",
        {},
        icon("lock"),
        text.second,
        iconButton("quiet", "x", this.words.every.close, () => this.root.hidePopover()),
      ),
      part("p", { class: "muted" }, text.cover),
      this.pair
        ? part(
          "div",
          { "data-key": "picture" },
          this.pair.plate,
          part("p", { class: "left num" }, say(text.left, { n: left })),
        )
        : part(
          "div",
          { class: "two", "data-key": "none" },
          part("span", {}, text.used),
          button("line", "again", text.another, () => this.teacher.send({ do: "pair" })),
        ),
      part("hr", { "data-key": "line" }),
      part(
        "div",
        { class: "two", "data-key": "link" },
        part("span", { class: "muted" }, text.private),
        button("line", "copy", this.words.every.copy, async () => {
          const worked = await copy(pageAddress("class", code, { t: token }));
          this.tell(worked ? text.private_copied : this.words.every.not_copied);
        }),
      ),
      part(
        "ul",
        { "data-key": "devices" },
        devices.map((each) =>
          part(
            "li",
            {},
            part(
              "span",
              {},
              say(each.device === state.device ? text.this_device : text.views[each.view] ?? text.views.wall, {}),
              part("span", { class: "muted" }, each.here ? "" : ` ${text.away}`),
            ),
            devices.length > 1 &&
              button(
                "warn",
                "",
                text.take_out,
                () => this.teacher.send({ do: "take out device", device: each.device }),
              ),
          )
        ),
      ),
    ]);
  }
}
