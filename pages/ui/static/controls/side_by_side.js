// Two compared boards: the charts of one stand at the height of the other's, however many lines stand above them.

/** Keep the cards of a board level with those of the board beside it; call the result to end that. */
export function keepLevel(board) {
  const observer = new ResizeObserver(level);
  for (const part of board.root.children) if (part !== board.cards) observer.observe(part);
  return () => {
    observer.disconnect();
    level();
  };
}

function level() {
  /** @type {NodeListOf<HTMLElement>} */
  const all = document.querySelectorAll("[data-board] > .cards");
  const places = [...all].map((cards) => {
    const { left, top } = cards.getBoundingClientRect();
    return { cards, left, top: top - (parseFloat(cards.style.marginTop) || 0) };
  });
  const areBeside = places.length === 2 && places[0].left !== places[1].left;
  const lowest = Math.max(...places.map(({ top }) => top));
  for (const { cards, top } of places) {
    cards.style.marginTop = areBeside && lowest > top ? `${lowest - top}px` : "";
  }
}
