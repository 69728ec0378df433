// What is asked of the server apart from Streamlit: parts of a lesson's prose, and what it says to an answer.

import { addressOf } from "../address.js";

/** The server's answer to a GET, or with a body to a POST of JSON; undefined where it gives none. */
export async function request(address, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    const answer = await fetch(addressOf(address), { cache: "no-store", ...(body === undefined ? {} : post) });
    return answer.ok ? answer : undefined;
  } catch {
    return undefined;
  }
}
