// What a tab keeps of its seat in a class: enough to come back after a reload, or after the server was started again.

import { forget, keep, kept } from "../storage.js";

const KEY = "class";
const MAX_ANSWERS = 200; // that come with the first message after a restart

const elsewhere = (code) => `${KEY} ${code}`;

function read(area, key, code) {
  try {
    const found = JSON.parse(kept(area, key) || "null");
    return found?.code === code && typeof found.token === "string" ? found : null;
  } catch {
    return null;
  }
}

/** What this tab has of a class: {code, token, name, seat, kept, answers, placed, teacher}; null if it has nothing. */
export const seatIn = (code) => read("sessionStorage", KEY, code);

/** The same, or else what another tab of this browser has; `isHere` says which. */
export function seatOf(code) {
  const here = seatIn(code);
  const found = here ?? read("localStorage", elsewhere(code), code);
  return found && { ...found, isHere: Boolean(here) };
}

/** Keep a seat in this tab. */
export function keepSeat(seat) {
  seat.answers = (seat.answers ?? []).slice(-MAX_ANSWERS);
  keep("sessionStorage", KEY, JSON.stringify(seat));
}

/** Keep a seat, without its answers, for the other tabs of this browser. */
export const keepForOtherTabs = (seat) =>
  keep("localStorage", elsewhere(seat.code), JSON.stringify({ ...seat, answers: [] }));

/** Forget it: the student has left, or the class is over. */
export function forgetSeat(code) {
  if (seatIn(code)) forget("sessionStorage", KEY);
  forget("localStorage", elsewhere(code));
}

/** The teacher has taken the student out: coming back needs the teacher's yes. */
export function markTakenOut(seat) {
  seat.isOut = true;
  keepSeat(seat);
  keepForOtherTabs(seat);
}

/** Use what the server says of a seat: {seat, name, token, kept}. */
export function useSeat(mine, { seat, name, token, kept }) {
  Object.assign(mine, { seat, name, token, kept, isOut: undefined });
  keepSeat(mine);
}

/** Keep the receipt of an answer in the place of earlier ones of the same vote. */
export function keepReceipt(seat, { vote, n, answer, receipt, closed }) {
  const others = (seat.answers ?? []).filter((each) => each.vote !== vote || each.n !== n);
  seat.answers = [...others, { vote, n, answer, receipt, closed }];
  keepSeat(seat);
}

/** The teacher's token in the address of this page, which it is taken out of; null if there is none. */
export function teacherInAddress(code) {
  const token = new URLSearchParams(location.hash.slice(1)).get("t");
  if (!token) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  return { code, token, teacher: true };
}
