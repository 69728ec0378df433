"""The layout of an acyclic graph in columns from left to right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 6  # over all columns; each one moves nodes towards their neighbours


@dataclass(frozen=True)
class Places:
    """The column and row of each node (rows are centred on 0), the corners of each edge, and the number of each."""

    at: tuple[tuple[float, float], ...]
    edges: tuple[tuple[tuple[float, float], ...], ...]
    columns: int
    rows: int


def places(count: int, edges: Sequence[tuple[int, int]]) -> Places:
    """The columns and rows of `count` nodes; edges are (left node, right node), and a pair may have several.

    An edge over several columns gets a place in each column between, so that it does not cross a node (Sugiyama,
    Tagawa and Toda, 1981).
    """
    column = _columns(count, edges)
    chains, total = [], count
    for left, right in edges:
        between = list(range(column[left] + 1, column[right]))
        chains.append([left, *range(total, total + len(between)), right])
        column += between
        total += len(between)
    order = _order(column, chains)
    row = {node: index - (len(nodes) - 1) / 2 for nodes in order for index, node in enumerate(nodes)}
    where = [(float(column[node]), row[node]) for node in range(total)]
    lines = tuple(tuple(where[node] for node in chain) for chain in chains)
    return Places(tuple(where[:count]), lines, max(column) + 1, max(len(nodes) for nodes in order))


def _columns(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Each node's column: one right of its rightmost input; a node without inputs is one left of its first user."""
    lefts, rights = defaultdict(list), defaultdict(list)
    for left, right in edges:
        lefts[right].append(left)
        rights[left].append(right)
    column = [0] * count
    changed = True
    while changed:
        changed = False
        for node in range(count):
            best = 1 + max((column[left] for left in lefts[node]), default=-1)
            changed, column[node] = changed or best != column[node], best
    for node in range(count):
        if not lefts[node] and rights[node]:
            column[node] = min(column[right] for right in rights[node]) - 1
    return column


def _order(column: list[int], chains: list[list[int]]) -> list[list[int]]:
    """The nodes of each column from top to bottom, ordered near their neighbours."""
    beside: dict[int, list[int]] = defaultdict(list)
    for chain in chains:
        for one, other in pairwise(chain):
            beside[one].append(other)
            beside[other].append(one)
    order: list[list[int]] = [[] for _ in range(max(column) + 1)]
    for node, at in enumerate(column):
        order[at].append(node)
    for sweep in range(SWEEPS):
        steps = range(len(order) - 2, -1, -1) if sweep % 2 == 0 else range(1, len(order))
        for at in steps:
            fixed = order[at + 1 if sweep % 2 == 0 else at - 1]
            row = {node: index - (len(fixed) - 1) / 2 for index, node in enumerate(fixed)}

            def middle(node: int, row: dict[int, float] = row) -> float:
                near = [row[other] for other in beside[node] if other in row]
                return sum(near) / len(near) if near else 0.0

            order[at].sort(key=middle)
    return order
