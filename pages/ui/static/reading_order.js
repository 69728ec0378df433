// The parts of the screen in the order in which they are seen, for the keyboard and for screen readers.

const PHONE = 46; // rem: as in board.css, where a narrower board stands in one column

/**
 * Keep the parts of a board's `screen` in the order for its width: `wide` or `phone`, lists of the same nodes. Returns
 * the observer.
 */
export function followOrder(screen, orders) {
  let current;
  const apply = (name) => {
    if (name === current) return;
    current = name;
    arrange(screen, orders[name]);
  };
  apply("wide");
  const observer = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width === 0) return; // not on the page
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    apply(contentRect.width <= PHONE * rem ? "phone" : "wide");
  });
  observer.observe(screen);
  return observer;
}

/** Give a parent its children in this order. The one with the focus is not moved: it would lose it. */
function arrange(parent, children) {
  const at = children.findIndex((child) => child.contains(document.activeElement));
  const stays = children[at];
  for (const child of children.slice(0, Math.max(0, at))) parent.insertBefore(child, stays);
  parent.append(...children.slice(at + 1));
}
