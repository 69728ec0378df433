// The door of a class, as it is projected: the address, the code, a QR code, and who has come in.

import { joinAddress, shortAddress } from "../teacher.js";
import { button, codeOf, copy, icon, iconButton, part, say, swatch } from "../parts.js";
import { qrPlate } from "./qr.js";

const MAX_NAMES = 60; // more are dots
const MANY = 90; // dots that are drawn
const LONG_ADDRESS = 30; // letters
const HEADING = { role: "heading", "aria-level": "1" }; // of the page, in the size of a sentence

/** The plate with the QR code of a class; made once, since a canvas stays. */
export const doorPlate = (code, words) => qrPlate(joinAddress(code), words.door.qr);

/**
 * The parts of the door: `shown` is {code, joined, names (or null: dots), open}. With `copied` there is a button that
 * copies the link.
 */
export function doorParts(shown, words, plate, copied) {
  const text = words.door;
  const { code, joined, names, open } = shown;
  const address = shortAddress();
  return [
    part(
      "div",
      { class: "mid", "data-key": "mid" },
      part(
        "div",
        { class: "left" },
        open
          ? part("p", { class: "lead", ...HEADING }, text.lead)
          : part("p", { class: "shut", ...HEADING }, icon("lock"), text.shut),
        part(
          "div",
          { class: "address" },
          part("p", { class: `link ${address.length > LONG_ADDRESS ? "long" : ""}`, translate: "no" }, address),
          copied && iconButton("line", "copy", text.copy, async () => copied(await copy(joinAddress(code)))),
        ),
        codeOf(code, words.every.code),
        part(
          "p",
          { class: "here", role: "status" },
          part("b", {}, String(joined)),
          part("span", { class: "muted" }, say(text.joined, { n: joined })),
        ),
        part("div", { class: "names" }, names && names.length <= MAX_NAMES ? chips(names) : dots(joined)),
      ),
      part("div", { class: "right", "data-key": "right" }, plate, part("p", {}, text.no_account)),
    ),
    part("p", { class: "foot", "data-key": "foot" }, icon("eye"), part("span", {}, text.sees)),
  ];
}

function chips(names) {
  return names.map((name, at) =>
    part(
      "span",
      { class: at === names.length - 1 ? "new" : "" },
      /^[A-Z][a-z]+ \d+/.test(name) && swatch(name.split(" ")[0]),
      name,
    )
  );
}

function dots(count) {
  const shown = Math.min(count, MANY);
  return Array.from(
    { length: shown },
    (_, at) => part("i", { class: at === shown - 1 ? "new" : "", "aria-hidden": "true" }),
  );
}

/** The teacher's door: with the buttons that a projected page has not. `acts` has toWall, device, door(open). */
export function teachersDoor(shown, words, plate, acts) {
  const text = words.door;
  return part(
    "main",
    { class: "proj door" },
    part(
      "div",
      { class: "bar", "data-key": "bar" },
      part("b", {}, text.app),
      part("span", { class: "gap" }),
      part(
        "div",
        { class: "acts" },
        shown.open
          ? button("quiet", "lock", text.close, () => acts.door(false), { "data-key": "shut" })
          : button("tonal", "door", text.open, () => acts.door(true), { "data-key": "shut" }),
        button("line", "phone", text.device, acts.device, { "data-key": "device", "aria-haspopup": "dialog" }),
        button("fill", "right", text.wall, acts.toWall, { "data-key": "wall" }),
      ),
    ),
    ...doorParts(shown, words, plate, acts.copied),
  );
}
