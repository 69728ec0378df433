"""A history keeps a bounded number of rows, evenly spread, and what it keeps depends on the steps alone."""

from __future__ import annotations

import numpy as np
import pytest

from playground.runs.history import History


def filled(steps: int, capacity: int = 256) -> History:
    """A history of every step as a run keeps it, with the columns step + 0.5 and (every other step) -step."""
    history = History(("a", "b"), capacity)
    for step in range(steps + 1):
        if history.is_due(step):
            history.append(step, {"a": step + 0.5} | ({"b": -float(step)} if step % 2 == 0 else {}))
    return history


@pytest.mark.parametrize("steps", [0, 1, 255, 256, 257, 1_000, 100_000])
def test_history_is_bounded_and_spread_evenly_however_long_the_run(steps: int) -> None:
    history = filled(steps)
    kept = history.steps()
    assert len(kept) == history.rows <= 256
    assert len(kept) >= min(steps + 1, 128)
    assert kept.tolist() == list(range(0, steps + 1, history.stride))
    assert np.array_equal(history.column("a"), kept + 0.5)


def test_history_leaves_a_column_empty_where_its_row_has_none() -> None:
    history = filled(10)
    assert np.array_equal(history.column("b"), np.where(history.steps() % 2 == 0, -history.steps(), np.nan), True)


def test_what_history_keeps_depends_on_the_steps_alone() -> None:
    whole = filled(5_000, capacity=64)
    halves = filled(2_345, capacity=64)
    resumed = History(("a", "b"), 64)
    resumed.load_state_dict(halves.state_dict())
    for step in range(2_346, 5_001):
        if resumed.is_due(step):
            resumed.append(step, {"a": step + 0.5} | ({"b": -float(step)} if step % 2 == 0 else {}))
        else:  # looking at it in between changes nothing
            resumed.steps()
    assert resumed.stride == whole.stride
    for name in ("a", "b"):
        assert np.array_equal(resumed.column(name), whole.column(name), equal_nan=True)
    assert np.array_equal(resumed.steps(), whole.steps())


@pytest.mark.parametrize("every", [1, 3, 10, 64, 1000])
def test_history_stays_bounded_when_rows_come_at_rare_steps_only(every: int) -> None:
    history = History(("a",), capacity=16)
    for step in range(0, 200 * every, every):
        history.append(step, {"a": float(step)})
    assert 8 <= history.rows <= 16
    assert np.array_equal(history.column("a"), history.steps())
    assert np.all(np.diff(history.steps()) > 0)


def test_history_shows_the_same_array_until_a_row_is_added_and_never_alters_one_it_gave() -> None:
    history = filled(10)
    column, steps = history.column("a"), history.steps()
    assert history.column("a") is column
    assert history.steps() is steps
    copies = column.copy(), steps.copy()
    for step in range(11, 600):
        if history.is_due(step):
            history.append(step, {"a": 1.0})
    assert np.array_equal(column, copies[0]) and np.array_equal(steps, copies[1])
    assert len(history.column("a")) == len(history.steps()) == history.rows


def test_historys_state_is_a_copy() -> None:
    history = filled(10)
    state = history.state_dict()
    history.append(11, {"a": 9.0})
    assert (len(state["steps"]), len(state["table"])) == (11, 11)
    other = History(("a", "b"))
    other.load_state_dict(state)
    other.append(11, {"a": 7.0})
    assert history.column("a")[-1] == 9.0
    assert other.column("a")[-1] == 7.0


def test_historys_steps_are_exact_far_into_a_run() -> None:
    history = History(("a",))
    history.append(16_000_000, {"a": 1.0})
    assert history.steps().tolist() == [16_000_000.0]
