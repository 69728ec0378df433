"""Every combination of some choices as test cases, with every pair of them among the few that each run takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import pytest

Case = tuple[Any, ...]


def cases(**axes: Sequence[Any]) -> pytest.MarkDecorator:
    """Parametrize a test's argument `values` by every combination of the axes' values, as dictionaries.

    Cases that together have every pair of values of any two axes are marked `in_ci`, so that a plain pytest takes them.
    """
    part = set(pairwise([len(values) for values in axes.values()]))
    params = []
    for case in product(*(range(len(values)) for values in axes.values())):
        chosen = {name: values[at] for (name, values), at in zip(axes.items(), case, strict=True)}
        marks = [pytest.mark.in_ci] if case in part else []
        params.append(pytest.param(chosen, id="-".join(str(value) for value in chosen.values()), marks=marks))
    return pytest.mark.parametrize("values", params)


def pairwise(sizes: Sequence[int]) -> list[Case]:
    """A few index tuples that together have every pair of indices of any two axes; `sizes` are the axes' lengths.

    Greedy: each new tuple starts with a pair that is still missing and takes on every other axis the index that adds
    the most missing pairs. The same sizes always give the same tuples.
    """
    missing = {
        (one, first, other, second): None  # a dict keeps its order
        for one, other in combinations(range(len(sizes)), 2)
        for first, second in product(range(sizes[one]), range(sizes[other]))
    }
    found = []
    while missing:
        one, first, other, second = next(iter(missing))
        case = {one: first, other: second}
        for axis in range(len(sizes)):
            if axis not in case:
                case[axis] = max(
                    range(sizes[axis]), key=lambda at, axis=axis: len(pairs({**case, axis: at}) & missing.keys())
                )
        for pair in pairs(case):
            missing.pop(pair, None)
        found.append(tuple(case[axis] for axis in range(len(sizes))))
    return found


def pairs(case: dict[int, int]) -> set[tuple[int, int, int, int]]:
    """The pairs (axis, index, later axis, index) in a case, which may lack some axes."""
    return {(one, case[one], other, case[other]) for one, other in combinations(sorted(case), 2)}
