// A QR code on a canvas: black on white in both themes, with its quiet zone of four cells.

import { addressOf } from "../../address.js";
import { part, repaint } from "../parts.js";

const QUIET = 4; // cells on each side, as the standard says

/** A white plate with the QR code of a text; it stays empty where the server gives none. */
export function qrPlate(text, label) {
  const canvas = part("canvas", { role: "img", "aria-label": label, "data-own": true });
  let code = null;
  canvas.paint = (context, width, height) => {
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, width, height);
    if (!code) return;
    const cell = Math.max(1, Math.floor((width / (code.size + 2 * QUIET)) * devicePixelRatio) / devicePixelRatio);
    const start = Math.round(((width - cell * code.size) / 2) * devicePixelRatio) / devicePixelRatio;
    context.fillStyle = "#000000";
    for (let at = 0; at < code.cells.length; at++) {
      if (code.cells[at] === "0") continue;
      context.fillRect(start + (at % code.size) * cell, start + Math.floor(at / code.size) * cell, cell, cell);
    }
  };
  new ResizeObserver(() => repaint(canvas)).observe(canvas);
  cellsOf(text).then((found) => {
    code = found;
    canvas.dataset.ready = code ? "yes" : "no";
    repaint(canvas);
  });
  return part("span", { class: "plate" }, canvas);
}

async function cellsOf(text) {
  try {
    const answer = await fetch(addressOf("class/qr"), { method: "POST", body: text });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
