// The addresses of our own server: the app may lie under any path, which this script's own address tells.

const script = document.currentScript;
const root = script instanceof HTMLScriptElement ? new URL("../../", script.src) : new URL("./", location.href);

/** The address of what the server has under this path, such as "live/…". */
export const addressOf = (path) => new URL(path, root);

/** The same for a websocket. */
export function socketOf(path) {
  const address = addressOf(path);
  address.protocol = address.protocol.replace("http", "ws");
  return address;
}
