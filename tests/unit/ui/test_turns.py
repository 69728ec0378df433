"""Page scripts run one after the other, and none waits for long."""

from __future__ import annotations

import threading

import pytest

from pages.ui import turns

DEADLINE = 8.0


def in_a_thread(inside: threading.Event, may_end: threading.Event) -> threading.Thread:
    """A script that says when it runs, and runs until it may end."""

    def script() -> None:
        with turns.turn():
            inside.set()
            may_end.wait(DEADLINE)

    thread = threading.Thread(target=script)
    thread.start()
    return thread


def test_a_script_waits_until_the_one_before_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_WAIT_SECONDS", DEADLINE)
    first, second, first_may_end, second_may_end = (threading.Event() for _ in range(4))
    one = in_a_thread(first, first_may_end)
    assert first.wait(DEADLINE)
    other = in_a_thread(second, second_may_end)
    assert not second.wait(0.1), "two scripts at once"
    first_may_end.set()
    assert second.wait(DEADLINE)
    second_may_end.set()
    one.join(DEADLINE)
    other.join(DEADLINE)


def test_a_script_that_takes_long_does_not_hold_up_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_WAIT_SECONDS", 0.01)
    first, second, may_end = (threading.Event() for _ in range(3))
    threads = [in_a_thread(first, may_end)]
    assert first.wait(DEADLINE)
    threads.append(in_a_thread(second, may_end))
    assert second.wait(DEADLINE)
    may_end.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert not turns._script.locked()


def test_of_many_scripts_behind_a_long_one_only_one_begins_and_the_others_wait_for_that_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "MAX_WAIT_SECONDS", 0.3)
    long, long_may_end, may_end = (threading.Event() for _ in range(3))
    inside = [threading.Event() for _ in range(8)]
    threads = [in_a_thread(long, long_may_end)]
    assert long.wait(DEADLINE)
    threads += [in_a_thread(each, may_end) for each in inside]
    began = 0
    while not began:
        began = sum(each.wait(0.01) for each in inside)
    assert began == 1, "those that wait begin one by one, not all at once"
    may_end.set()
    assert all(each.wait(DEADLINE) for each in inside), "the others do not wait for the long one"
    long_may_end.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert not turns._script.locked()


def test_a_fragment_inside_its_page_does_not_wait_for_itself_and_an_interrupted_script_gives_its_turn_back() -> None:
    @turns.turn()
    def fragment() -> str:
        return "drawn"

    with turns.turn():
        assert fragment() == "drawn"
    with pytest.raises(KeyboardInterrupt), turns.turn():
        raise KeyboardInterrupt  # as Streamlit's own exceptions, it is no Exception
    assert not turns._script.locked()


def test_a_script_that_waits_for_a_worker_lets_the_next_one_run_and_then_continues(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "MAX_WAIT_SECONDS", DEADLINE)
    inside, may_end = threading.Event(), threading.Event()
    with turns.turn():
        with turns.away(), turns.away():
            other = in_a_thread(inside, may_end)
            assert inside.wait(DEADLINE), "it waits although nothing runs"
            may_end.set()
        other.join(DEADLINE)
        assert turns._script.locked(), "it has a turn again"
    assert not turns._script.locked()


def test_outside_a_turn_nobody_is_away() -> None:
    with turns.away():
        assert not turns._script.locked()
    assert not turns._script.locked()
