"""What the engine does for a run with long steps: its cores, its frames, and its news while it rests."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
import torch

from playground.engine.commands import Command, Reset
from playground.engine.engine import Engine
from playground.engine.open_run import OpenRun
from playground.engine.orders import Rebuild
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
    return OpenRun("id", "session", lambda config: run, None, run=run, state="playing")


@pytest.mark.parametrize(
    ("cores", "others", "free"), [(1, 0, 1), (2, 0, 2), (2, 1, 1), (16, 0, 16), (16, 2, 14), (16, 64, 1)]
)
def test_a_run_is_told_once_how_many_cores_it_may_use_when_it_is_built(cores: int, others: int, free: int) -> None:
    assert Settings(core_limit=cores).free_cores(others) == free
    run = LongSteps()
    assert isinstance(run, Heavy)
    record = OpenRun("id", "session", lambda config: run, None)
    record.build_run(free)
    for _ in range(3):
        record.train(0.001, Settings())
    assert run.cores == [free]
    record.obey(Reset(), 1)
    assert run.cores == [free, 1], "and again when it is built again"


def test_a_run_may_use_the_cores_that_it_was_opened_with() -> None:
    run = LongSteps()
    record = OpenRun("id", "session", lambda config: run, None, cores=3)
    record.build_run(16)
    record.obey(Reset(), 16)
    record.obey(Rebuild(None, 5), 16)
    record.obey(Rebuild(None), 2)
    assert run.cores == [3, 3, 5, 2]


def test_a_cnns_threads_are_chosen_when_it_is_built_and_stay_until_reset() -> None:
    config = cnn.CnnConfig(filters_1=1, filters_2=1, kernel=1, images=50, epochs=0)
    record: Any = OpenRun("id", "session", cnn.build, config, state="playing")
    record.build_run(2)

    def train() -> tuple[int, int | None]:
        """The threads of one step, and those that the run says it has."""
        computed: list[int] = []
        step = record.run.trainer.step
        record.run.trainer.step = lambda: (computed.append(torch.get_num_threads()), step())[1]
        record.train(0.0, Settings())
        return computed[0], record.run.threads

    assert [train() for _ in range(3)] == [(2, 2)] * 3
    assert (record.run.run_history().start.threads, record.run.run_history().changes) == (2, ())
    record.obey(Reset(), 4)
    record.state = "playing"
    assert train() == (4, 4)
    assert record.run.run_history().start.threads == 4


def test_a_run_has_no_more_threads_than_a_link_or_file_may_name() -> None:
    run = cnn.build(cnn.CnnConfig(filters_1=1, filters_2=1, kernel=1, images=50))
    run.use_cores(128)
    assert run.threads == MAX_THREADS


def test_a_run_that_used_its_time_up_without_a_step_is_not_made_to_wait() -> None:
    run = LongSteps()
    record = opened(run)
    record.train(0.005, Settings())
    assert record.pacing.waits_until == 0.0
    run.works = False
    record.train(0.005, Settings())
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
