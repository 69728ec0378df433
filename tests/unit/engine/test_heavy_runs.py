"""What the engine does for a run with long steps: its cores, its frames, and its news while it rests."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
import torch

from playground.engine.commands import Command
from playground.engine.engine import Engine
from playground.engine.open_run import OpenRun
from playground.engine.pacing import WAIT_SECONDS
from playground.engine.run import Drawing, Heavy, Outcome
from playground.lessons.cnn import lesson as cnn
from playground.settings import Settings
from playground.training.devices import MAX_THREADS


class LongSteps:
    """Each advance takes its whole time, or none of it, and takes no step."""

    frame_rate = 4.0

    def __init__(self) -> None:
        self.restless = False
        self.cores: list[int] = []
        self.outcome: Outcome = ""
        self.auto_speed = 0.0
        self.works = True
        self.news = 0
        self.draws = 0

    def use_cores(self, count: int) -> None:
        self.cores.append(count)

    def steps_in_epochs(self, epochs: int) -> int:
        return epochs

    def advance(self, seconds: float, steps: int) -> int:
        if self.works:
            time.sleep(seconds)
        return 0

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        self.draws += 1
        if self.restless and self.draws == 4:
            self.news, self.restless = 1, False
        return Drawing({}, {"news": self.news})

    def apply(self, command: Command) -> None:
        pass

    def tune(self, config: Any) -> None:
        pass

    def rebuilt(self, config: Any) -> LongSteps:
        return self

    def resume(self) -> None:
        pass


class Inbox:
    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.came = threading.Condition()

    def deliver(self, frame: bytes) -> None:
        with self.came:
            self.frames.append(orjson.loads(frame[4 : 4 + int.from_bytes(frame[:4], "little")]))
            self.came.notify_all()

    def dismiss(self, code: int, reason: str) -> None:
        pass

    def wait(self, count: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.frames) >= count, 10.0), "no frame came"


def opened(run: LongSteps) -> OpenRun:
    return OpenRun("id", "session", lambda config: run, None, run=run, state="playing", admitted=True)


@pytest.mark.parametrize(
    ("cores", "runs", "share"), [(1, 1, 1), (2, 1, 2), (2, 2, 2), (16, 1, 16), (16, 2, 8), (16, 5, 3), (16, 64, 1)]
)
def test_runs_share_the_cores_but_never_more_runs_than_there_are_workers(
    monkeypatch: pytest.MonkeyPatch, cores: int, runs: int, share: int
) -> None:
    monkeypatch.setattr("playground.settings.available_cores", lambda: cores)
    assert Settings().cores_each(runs) == share
    run = LongSteps()
    assert isinstance(run, Heavy)
    opened(run).train(0.001, Settings(), runs)
    assert run.cores == [share]


def test_a_cnns_threads_are_its_share_at_the_first_step_then_only_fewer_until_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("playground.settings.available_cores", lambda: 4)
    run = cnn.build(cnn.CnnConfig(filters_1=1, filters_2=1, kernel=1, images=50, epochs=0))
    record: Any = OpenRun("id", "session", cnn.build, run.config, run=run, state="paused", admitted=True)

    def train_beside(runs: int) -> tuple[int, int | None]:
        """The threads of the step that the run takes meanwhile, and those that it says it has."""
        record.pacing.owed, computed = 1, []
        step = record.run.trainer.step
        monkeypatch.setattr(record.run.trainer, "step", lambda: (computed.append(torch.get_num_threads()), step())[1])
        record.train(0.001, Settings(), runs)
        return computed[0], record.run.threads

    assert [train_beside(runs) for runs in (2, 1, 2, 3, 1)] == [(2, 2), (2, 2), (2, 2), (1, 1), (1, 1)]
    run_history = run.run_history()
    assert run_history.start.threads == 2
    assert [(change.steps, change.threads) for change in run_history.changes] == [(3, 1)], "only what changed is noted"
    record.rebuild(keep_playing=False)
    assert train_beside(1) == (4, 4)
    assert record.run.run_history().start.threads == 4


def test_a_run_has_no_more_threads_than_a_link_or_file_may_name() -> None:
    run = cnn.build(cnn.CnnConfig(filters_1=1, filters_2=1, kernel=1, images=50))
    run.use_cores(128)
    assert run.threads == MAX_THREADS


def test_a_run_that_used_its_time_up_without_a_step_is_not_made_to_wait() -> None:
    run = LongSteps()
    record = opened(run)
    record.train(0.005, Settings(), 1)
    assert record.pacing.waits_until == 0.0
    run.works = False
    record.train(0.005, Settings(), 1)
    assert record.pacing.waits_until == pytest.approx(time.monotonic() + WAIT_SECONDS, abs=0.02)


def test_it_is_drawn_at_its_own_rate_while_it_plays_and_at_once_when_it_rests() -> None:
    record = opened(LongSteps())
    record.watching.framed_at = 100.0
    record.settle()
    assert record.next_frame_at(1 / 30) == 100.25
    record.state = "paused"
    record.settle()
    assert record.next_frame_at(1 / 30) == pytest.approx(100.0 + 1 / 30)


def test_news_of_a_resting_run_reach_its_viewer_and_until_then_nothing_is_sent() -> None:
    run, inbox = LongSteps(), Inbox()
    engine = Engine(Settings(workers=1))
    run_id = engine.open("session", lambda config: run, None)
    engine.attach(run_id, inbox)
    run.restless = True
    engine.start()
    try:
        engine.ask(run_id, inbox, [], {})
        inbox.wait(1)
        engine.ask(run_id, inbox, [], {})
        inbox.wait(2)
        assert [frame["status"]["news"] for frame in inbox.frames] == [0, 1]
        assert run.draws == 4, "drawn again and again, but sent only with news"
        engine.ask(run_id, inbox, [], {})
        time.sleep(0.2)
        assert run.draws == 4, "and left alone when it has none"
    finally:
        engine.stop()
