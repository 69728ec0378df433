"""A CNN's number of threads: more than one only where this server was measured to be faster with them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch

from playground.lessons.cnn import lesson as cnn
from playground.lessons.cnn import run as cnn_run
from playground.training import thread_choice
from playground.training.devices import MAX_THREADS
from playground.training.thread_choice import Choice, StepTimes, describe, measure, thread_counts

QUIET = {1: 0.010, 2: 0.006, 4: 0.004, 8: 0.0039, 16: 0.005}
CROWDED = {1: 0.025, 2: 0.125, 8: 0.4, 16: 1.0}  # measured beside other busy programs
Measured = Callable[[dict[int, float]], Choice]


@pytest.mark.parametrize(
    ("seconds", "limit", "expected"),
    [
        (QUIET, 16, 4), (QUIET, 8, 4), (QUIET, 4, 4), (QUIET, 3, 2), (QUIET, 2, 2), (QUIET, 1, 1), (QUIET, 0, 1),
        (CROWDED, 16, 1), (CROWDED, 2, 1),
        ({1: 0.0100, 2: 0.0095}, 2, 1), ({1: 0.0100, 2: 0.0089}, 2, 2), ({1: 0.0}, 1, 1), ({1: 0.0}, 64, 1),
    ],
)  # fmt: skip
def test_it_is_the_fewest_threads_of_those_that_are_clearly_faster_within_the_share(
    seconds: dict[int, float], limit: int, expected: int
) -> None:
    assert StepTimes(seconds).fastest(limit) == expected


@pytest.mark.parametrize(
    ("cores", "expected"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (4, [1, 2, 4]), (12, [1, 2, 4, 8, 12])]
)
def test_powers_of_two_and_all_cores_are_compared(cores: int, expected: list[int]) -> None:
    assert thread_counts(cores) == expected
    assert thread_counts(1_000)[-1] == MAX_THREADS


def test_the_numbers_are_measured_by_turns_and_torchs_own_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []
    times = {1: 3.0, 2: 5.0}

    def seconds(step: Any) -> float:
        used.append(torch.get_num_threads())
        return times[used[-1]] * (100 if len(used) % thread_choice.STEPS == 1 else 1)  # the first of each round is slow

    monkeypatch.setattr(thread_choice._Step, "seconds", seconds)
    before, state = torch.get_num_threads(), torch.random.get_rng_state()
    found = measure([1, 2])
    assert found == StepTimes(times)
    assert used[:6] == [1, 1, 1, 2, 2, 2] and len(used) == 2 * thread_choice.ROUNDS * thread_choice.STEPS
    assert torch.get_num_threads() == before
    assert torch.equal(torch.random.get_rng_state(), state), "it must not take random numbers from the runs"


def test_a_step_is_measured_in_real_seconds() -> None:
    step = thread_choice._Step()
    assert 0 < step.seconds() < 60
    assert all(parameter.grad is not None and parameter.isfinite().all() for parameter in step.model.parameters())


def test_the_log_says_once_what_was_measured(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(thread_choice, "measure", lambda counts: StepTimes({1: 0.01, 2: 0.006}))
    with caplog.at_level(logging.INFO):
        Choice().begin(2).join()
        Choice().begin(1).join()
    assert caplog.messages == [describe(StepTimes({1: 0.01, 2: 0.006}), 2)]
    assert (
        caplog.messages[0]
        == "A CNN's step takes 10.0 ms with 1 thread, 6.0 ms with 2 threads: its runs use 2 of 2 cores."
    )


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    """Let CNN runs choose by these times."""

    def use(seconds: dict[int, float]) -> Choice:
        monkeypatch.setattr(thread_choice, "measure", lambda counts: StepTimes(seconds))
        choice = Choice()
        choice.begin(max(seconds)).join()
        monkeypatch.setattr(cnn_run, "CHOICE", choice)
        return choice

    return use


def tiny_run() -> Any:
    return cnn.build(cnn.CnnConfig(filters_1=1, filters_2=1, kernel=1, images=50, epochs=0))


@pytest.mark.parametrize(("seconds", "threads"), [(CROWDED, 1), ({1: 0.01, 2: 0.006}, 2)])
def test_a_run_chooses_once_and_its_journal_has_the_number(
    measured: Measured, seconds: dict[int, float], threads: int
) -> None:
    measured(seconds)
    run = tiny_run()
    for _ in range(2):
        run.use_cores(16)
        run.advance(1e9, 1)
    assert (run.threads, run.run_history().start.threads, run.run_history().changes) == (threads, threads, ())
    again = run.rebuilt(run.config)
    again.use_cores(16)
    assert again.threads == threads


def test_a_restored_run_keeps_its_number_even_where_it_is_slower(measured: Measured) -> None:
    measured(CROWDED)
    run = tiny_run()
    run.use_threads(2)
    run.use_cores(16)
    run.use_cores(1)
    assert run.threads == 2, "bit for bit means with the same number"


def test_while_it_is_being_measured_a_run_takes_one_thread_and_without_a_server_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(thread_choice, "measure", lambda counts: (go_on.wait(30), StepTimes(QUIET))[1])
    choice = Choice()
    assert choice.threads(16) == 16
    thread = choice.begin(16)
    assert choice.threads(16) == 1
    go_on.set()
    thread.join()
    assert choice.threads(16) == 4


def test_what_one_process_measured_is_told_and_holds_in_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_choice, "measure", lambda counts: StepTimes(QUIET))
    told: list[StepTimes] = []
    other = Choice()
    other.set(None)
    assert other.threads(16) == 1, "as long as it is being measured elsewhere"
    Choice().begin(16, told.append).join()
    assert told == [StepTimes(QUIET)]
    other.set(told[0])
    assert other.threads(16) == 4


def test_one_core_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_choice, "measure", lambda counts: pytest.fail("there is nothing to compare"))
    told: list[StepTimes] = []
    Choice().begin(1, told.append).join()
    assert [times.fastest(1) for times in told] == [1]
