// What is said of a seat: its name, its loss, its flags.

import { chip, colour, say } from "../parts.js";

const SMALL = 0.01; // a loss below it has four places
const NARROW = 136; // pixels of a tile, at the usual type size
const WIDE = 190;

const ruler = document.createElement("canvas").getContext("2d");

/** Whether a text of the tiles' size fits a width, in pixels of the usual type size. */
export function fits(text, width) {
  ruler.font = `12.8px ${colour("type")}`;
  return ruler.measureText(text).width <= width;
}

/** A loss with three or four places; "nan" where there is none. */
export function lossText(loss, words) {
  if (!Number.isFinite(loss)) return words.wall.nan;
  if (loss >= 1000) return loss.toExponential(1);
  return loss < SMALL ? loss.toFixed(4) : loss.toFixed(3);
}

export const stepText = (step) => String(step).replace(/\B(?=(\d{3})+$)/g, ",");
export const minutes = (seconds) => Math.max(1, Math.round(seconds / 60));
export const percent = (share) => `${Math.round(100 * share)} %`;

/** The name of a seat, or its number where the wall shows none. */
export const nameOf = (person, words, anonymous) =>
  anonymous ? say(words.wall.board, { n: person.number }) : person.name;

/** The flag beside a tile's name, or null. `width` is the tile's, in pixels of the usual type size. */
export function flagOf(person, words, width, voting) {
  const text = words.wall;
  if (voting) {
    return person.answered ? chip("ok", "check", width < NARROW ? "" : text.voted) : chip("idle", "", text.waiting);
  }
  if (person.waits) {
    const n = minutes(person.waits);
    const sentence = width < NARROW ? text.short_minutes : width < WIDE ? text.minutes : text.help_minutes;
    return chip("help", "hand", say(sentence, { n }));
  }
  if (person.diverged) return chip("bad", "x", text.nan);
  if (person.done) return chip("ok", "check", width < NARROW ? "" : text.done);
  if (person.tile?.challenge === "met") return chip("ok", "check", width < NARROW ? "" : text.met);
  if (!person.here) return chip("idle", "", text.away);
  if (person.idle) {
    return chip("idle", "clock", say(width < NARROW ? text.short_minutes : text.minutes, { n: minutes(person.idle) }));
  }
  return null;
}

/** What a screen reader hears of a tile. */
export function inWords(person, name, words) {
  const { tile } = person;
  const text = words.wall;
  const parts = [name];
  if (tile) parts.push(say(text.loss_step, { loss: lossText(tile.loss, words), step: stepText(tile.step) }));
  if (person.waits) parts.push(text.asks);
  if (person.diverged) parts.push(text.diverged);
  if (person.done) parts.push(text.done);
  if (tile?.challenge === "met") parts.push(text.met);
  if (!person.here) parts.push(text.away);
  return parts.join(", ");
}

/** All who need the teacher: help by waiting time, then diverged, then idle. */
export function needing(people) {
  const helped = people.filter(({ waits }) => waits).sort((one, other) => other.waits - one.waits);
  const rest = people.filter((each) => !helped.includes(each));
  const lost = rest.filter(({ diverged, here }) => diverged && here);
  const idle = rest.filter((each) => each.idle && !lost.includes(each)).sort((one, other) => other.idle - one.idle);
  return [...helped, ...lost, ...idle];
}
