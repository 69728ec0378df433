// A small dialog: a question with yes and no, or a field for a text.

import { button, part } from "../parts.js";

/**
 * What asks: it takes {title, note, field, value, yes, no} and gives a promise of the text (or true without a field),
 * or null where the answer is no.
 */
export function prompter(words) {
  return ({ title, note = "", field = "", value = "", yes, no = words.every.cancel }) =>
    new Promise((resolve) => {
      const input = field ? part("input", { type: "text", "aria-label": field, maxlength: "60" }) : null;
      if (input) input.value = value;
      const dialog = part(
        "dialog",
        { class: "ask", "aria-label": title },
        part(
          "form",
          {
            method: "dialog",
            onsubmit: (event) => {
              event.preventDefault();
              end(input ? input.value.trim() : true);
            },
          },
          part("h2", {}, title),
          note && part("p", { class: "muted" }, note),
          input && part("label", { class: "field" }, input),
          part(
            "div",
            { class: "acts" },
            button("line", "", no, () => end(null)),
            part("button", { type: "submit", class: "btn fill" }, yes),
          ),
        ),
      );
      const from = /** @type {HTMLElement} */ (document.activeElement);
      const end = (answer) => {
        dialog.close();
        dialog.remove();
        if (from?.isConnected) from.focus({ preventScroll: true });
        resolve(answer);
      };
      dialog.addEventListener("cancel", () => end(null));
      document.body.append(dialog);
      dialog.showModal();
      input?.select();
    });
}
