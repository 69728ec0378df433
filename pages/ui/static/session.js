// A page whose session the server has forgotten: after a restart of the server, or after minutes without a connection.

const MIN_AGE_MS = 10_000; // of a page that was itself loaded again: so often at most, if a server keeps restarting

let isLoading = false;

/** Whether the server has forgotten the session of this page; false while nobody can say. */
export async function isForgotten(session) {
  try {
    const answer = await fetch(`/session/${session}`, { cache: "no-store" });
    return answer.ok && (await answer.text()) === "gone";
  } catch {
    return false;
  }
}

/** Load the page again from its address, which has its settings. */
export function loadAgain() {
  if (isLoading) return;
  isLoading = true;
  const [visit] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  setTimeout(() => location.reload(), visit?.type === "reload" ? Math.max(0, MIN_AGE_MS - performance.now()) : 0);
}
