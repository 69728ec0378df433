"""Drawings of arrays: every arrangement shows the same numbers, whole and apart from each other."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from playground.engine.frames import Figure
from playground.figures.cells import Block, cells, missing


def square(title: str, rows: int = 2, columns: int = 3, detail: str = "") -> Block:
    texts = np.array([[f"{title}{row}{column}" for column in range(columns)] for row in range(rows)], object)
    return Block(title, texts, np.full((rows, columns), 0.5), detail=detail)


def arrangements(figure: Figure) -> list[Figure]:
    return [figure, *figure.get("others", [])]


def places(figure: Figure) -> dict[str, tuple[float, float]]:
    numbers = figure["data"][3]
    return dict(zip(numbers["text"], zip(numbers["x"], numbers["y"], strict=True), strict=True))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_arrangement_shows_all_numbers_inside_its_axes_and_none_over_another(count: int) -> None:
    blocks = [square("abcd"[at], rows=1 + at, detail="detail") for at in range(count)]
    found = arrangements(cells(blocks, signs=("+", "=", "−")[: count - 1]))
    assert len(found) == len({str(places(each)) for each in found}) == {1: 1, 2: 2, 3: 3, 4: 3}[count]
    for each in found:
        assert places(each).keys() == places(found[0]).keys()
        (left, right), (bottom, top) = each["layout"]["xaxis"]["range"], each["layout"]["yaxis"]["range"]
        for x, y in places(each).values():
            assert left + 0.5 <= x <= right - 0.5 and top + 0.5 <= y <= bottom - 0.5
        for (x0, y0), (x1, y1) in combinations(places(each).values(), 2):
            assert max(abs(x0 - x1), abs(y0 - y1)) > 1 - 1e-6
        signs = [note["text"] for note in each["layout"]["annotations"] if note["name"] == "sign"]
        assert signs == ["+", "=", "−"][: count - 1]


def test_the_arrangements_can_be_given() -> None:
    blocks = [square(each) for each in "abc"]
    figure = cells(blocks, rows=([3], [1, 2]))
    below = places(arrangements(figure)[1])
    assert below["a00"][1] < below["b00"][1] == below["c00"][1]


def test_a_title_has_room_beside_its_neighbours() -> None:
    figure = cells([square("a", columns=1, detail="a rather long detail"), square("b", columns=1)])
    a, b = places(figure)["a00"], places(figure)["b00"]
    assert b[0] - a[0] > 2


def test_an_array_that_does_not_exist_is_a_frame_with_its_message() -> None:
    figure = cells([square("a"), missing("sum", "no shape fits")])
    (frame,) = figure["layout"]["shapes"]
    assert frame["line"]["dash"] == "dash" and frame["x1"] - frame["x0"] == 3
    assert "sum: no shape fits" in figure["layout"]["meta"]["words"]
    assert '"sum",,"no shape fits"' in figure["layout"]["meta"]["csv"]
    assert "no shape fits" in [note["text"] for note in figure["layout"]["annotations"]]
