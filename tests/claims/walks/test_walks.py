"""Nothing that the narrator says is false while a student turns knobs, and no remark outlives its cause."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from playground.lessons.narrator import MAX_LETTERS
from tests.claims.walks.truth import is_true
from tests.claims.walks.walk import CURES, walk
from tests.recorded.record import small_digits as on_small_digits

FURTHER = [("classification", 121)]  # slow, until it comes through its plateau by itself
WALKS = {"regression": 30, "classification": 30, "optimizers": 20, "cnn": 20}


def check(lesson: str, seed: int, acts: int) -> None:
    with on_small_digits() if lesson == "cnn" else nullcontext():
        for now in walk(lesson, seed, acts):
            assert is_true(lesson, now), f"false: {now.said.text} ({now.did or 'after playing'})"
            assert len(now.said.text) <= MAX_LETTERS, f"cut: {now.said.text}"
            outlives = now.cured in CURES and now.said.rule == now.cured
            assert not outlives, f"its cause is gone: {now.said.text} ({now.did})"


@pytest.mark.in_ci
@pytest.mark.parametrize(
    ("lesson", "seed"), [("regression", 4), ("regression", 8), ("classification", 0), ("optimizers", 0)]
)
def test_no_remark_is_false_while_knobs_are_turned(lesson: str, seed: int) -> None:
    check(lesson, seed, acts=3)


@pytest.mark.parametrize(
    ("lesson", "seed"), [*((lesson, seed) for lesson, count in WALKS.items() for seed in range(count)), *FURTHER]
)
def test_no_remark_is_false_on_100_walks_over_the_settings(lesson: str, seed: int) -> None:
    check(lesson, seed, acts=8)
