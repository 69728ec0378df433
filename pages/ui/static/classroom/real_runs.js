// The real runs after a vote: recordings that are played in step, one beside the other, as wide as there is room.

import { drawLineSample, drawMiniature } from "./miniature.js";
import { canvas, icon, part, say } from "./parts.js";
import { lossesIn } from "./tile_codec.js";
import { numberText, optionsOf, plain, shareText } from "./vote_words.js";
import { percent, stepText } from "./wall/seat_words.js";

const MAPS = { map2: "map", map4: "map3", map8: "map8" }; // the recordings' names of maps, and the tiles'

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** A message of recordings, its moments as tiles: {vote, at, seconds, runs: [{name, lines, steps, tiles, …}]}. */
export function decoded({ vote, at, seconds, runs }) {
  return {
    vote,
    at,
    seconds,
    runs: runs.map((run) => {
      const [data, losses] = [bytesOf(run.data), lossesIn(run.curve)];
      const last = run.steps.length - 1;
      const tiles = run.pictures.map((picture, moment) => ({
        kind: MAPS[run.kind] ?? (run.kind || "none"),
        mini: bytesOf(picture),
        data,
        diverged: run.diverged && moment === last,
        losses: losses.slice(0, 1 + Math.round((losses.length - 1) * run.steps[moment] / (run.steps[last] || 1))),
      }));
      return { ...run, tiles };
    }),
  };
}

/** Whether they still play at this time of the server (seconds). */
export const arePlaying = ({ at, seconds }, now) => now < at + seconds;

/** The step at which all of them are. */
export function stepOf({ at, seconds, runs }, now) {
  const last = Math.max(...runs.map(({ steps }) => steps.at(-1)));
  return Math.round(last * Math.min(Math.max((now - at) / seconds, 0), 1));
}

/** The runs side by side at a time of the server; `result` says how many gave each answer. */
export function runsSideBySide(found, vote, result, now, text) {
  const step = stepOf(found, now);
  const options = new Map(optionsOf(vote).map(([key, html]) => [key, plain(html)]));
  return part(
    "div",
    { class: "runs", "data-key": "runs", "data-runs": String(found.runs.length) },
    found.runs.map((run) => {
      const moment = Math.max(0, run.steps.findLastIndex((each) => each <= step));
      const isTrue = vote.truth !== undefined && vote.truth === run.name;
      const name = options.get(run.name) ?? run.name;
      const number = numberOf(run, moment, text);
      const said = options.has(run.name) && result?.sums;
      return part(
        "figure",
        { class: isTrue ? "yes" : "", "data-key": `run-${run.name}` },
        part(
          "figcaption",
          {},
          part("b", {}, name, isTrue && icon("check")),
          part("span", { class: "num" }, number),
        ),
        pictureOf(run, moment, say(text.run_alt, { name: name || text.running, step: stepText(step), number })),
        run.lines.length > 0 && legend(run),
        said && part("small", {}, say(text.said, { n: shareText(said[run.name] ?? 0, result.n) })),
      );
    }),
  );
}

function pictureOf(run, moment, label) {
  const tile = run.tiles[moment];
  const picture = canvas((context, width, height) => drawMiniature(context, width, height, tile), {
    "aria-label": label,
    "data-own": true,
    "data-key": "picture",
  });
  picture.tile = tile;
  return picture;
}

/** The accuracy of a run, or else its loss. */
function numberOf({ accuracy, loss, diverged, steps }, moment, text) {
  if (diverged && moment === steps.length - 1) return text.nan;
  if (accuracy[moment] !== null) return percent(accuracy[moment]);
  return loss[moment] === null ? "" : say(text.loss, { loss: numberText(loss[moment].toPrecision(3)) });
}

/** What each line of a race is. */
function legend({ lines }) {
  return part(
    "ul",
    { class: "lines", "data-key": "lines" },
    lines.map((name, at) => {
      const picture = canvas((context, width, height) => drawLineSample(context, width, height, at), {
        "data-own": true,
      });
      picture.tile = name;
      return part("li", { "data-key": `line-${at}` }, picture, name);
    }),
  );
}
