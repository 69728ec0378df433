"""What commands cost counts as their run's time: with a clock made here, so every number is exact."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest

from playground.engine import fairness
from playground.engine.commands import AddPoint, Command, Reset
from playground.engine.engine import HOUSEKEEPING_SECONDS, Engine
from playground.engine.fairness import FREE_SECONDS, MAX_REST_SECONDS, Debt
from playground.engine.open_run import OpenRun
from playground.engine.places import PlaceKeeper
from playground.engine.run import Drawing, Outcome
from playground.settings import Settings

LONGEST_GAP_SECONDS = 1.0


class Clock:
    """Time that passes only when somebody works."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


class CostlyRun:
    """A run that says how long each thing takes, in seconds of the clock."""

    outcome: Outcome = ""
    auto_speed = 0.0

    def __init__(
        self, clock: Clock, *, build: float = 0.0, order: float = 0.0, draw: float = 0.001, step: float = 0.0
    ) -> None:
        self.clock, self.costs = clock, (build, order, draw, step)
        self.steps = self.builds = self.orders = 0
        self.trained = 0.0  # seconds

    def steps_in_epochs(self, epochs: int) -> int:
        return epochs

    def advance(self, seconds: float, steps: int) -> int:
        self.steps += 1
        self.trained += seconds
        self.clock.now += max(seconds, self.costs[3])
        return 1

    def draw(self, charts: list[str], options: Any) -> Drawing:
        self.clock.now += self.costs[2]
        return Drawing({}, {"step": self.steps, "orders": self.orders + self.builds, "at": self.clock.now})

    def apply(self, command: Command) -> None:
        self.orders += 1
        self.clock.now += self.costs[1]

    def tune(self, config: Any) -> None:
        self.clock.now += self.costs[1]

    def rebuilt(self, config: Any) -> CostlyRun:
        self.builds += 1
        self.clock.now += self.costs[0]
        return self

    def resume(self) -> None:
        raise AssertionError("nobody resumes")


class Board:
    """A viewer that notes when its frames come, and asks again at once."""

    def __init__(self, engine: Engine, run_id: str, clock: Clock) -> None:
        self.engine, self.run_id, self.clock = engine, run_id, clock
        self.frames: list[float] = []
        self.paints = True
        engine.attach(run_id, self)
        engine.ask(run_id, self, [], {})

    def deliver(self, frame: bytes) -> None:
        self.frames.append(self.clock.now)
        if self.paints:
            self.engine.ask(self.run_id, self, [], {})

    def dismiss(self, code: int, reason: str) -> None:
        raise AssertionError(reason)


class Room:
    """An engine without threads: the light lane's takes a turn at each call."""

    def __init__(self, clock: Clock, places: PlaceKeeper | None = None, **settings: int) -> None:
        self.clock = clock
        self.engine = Engine(Settings(**({"runs_per_session": 999} | settings)), places=places)
        self.boards: list[Board] = []

    def open(self, run: CostlyRun, *, play: bool = False) -> str:
        run_id = self.engine.open("session", lambda config: run, None)
        self.build(run_id)
        self.boards.append(Board(self.engine, run_id, self.clock))
        if play:
            self.engine.command(run_id, {"do": "play"})
        return run_id

    def opened(self, run_id: str) -> OpenRun:
        return self.engine._runs[run_id]

    def work(self, seconds: float, each_turn: Any = lambda: None) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end:
            each_turn()
            self.turn()

    def build(self, run_id: str) -> None:
        """What the builder's thread does, in no time."""
        opened, before = self.opened(run_id), self.clock.now
        self.engine._begin(opened)
        with self.engine._lock:
            self.engine._let_go(opened)
        self.clock.now = before

    def turn(self) -> None:
        engine, now = self.engine, self.clock.now
        if now - engine._kept_house_at > HOUSEKEEPING_SECONDS:
            engine._keep_house(now)
        with engine._lock:
            opened, _ = engine._light.next(now, now)
        if opened is None:
            self.clock.now += 0.001
            return
        engine._serve(engine._light, opened)
        with engine._lock:
            engine._let_go(opened)


def longest_gap(board: Board, start: float, end: float) -> float:
    return max(later - earlier for earlier, later in pairwise([start, *(at for at in board.frames if at > start), end]))


@pytest.mark.parametrize("attackers", [1, 4, 10])
@pytest.mark.parametrize("cost", [{"build": 0.03}, {"build": 0.1}, {"order": 0.05, "draw": 0.06}])
def test_a_neighbour_is_never_without_a_frame_for_a_second_and_keeps_its_share(
    clock: Clock, attackers: int, cost: dict[str, float]
) -> None:
    room = Room(clock)
    neighbour = CostlyRun(clock)
    room.open(neighbour, play=True)
    strangers = [CostlyRun(clock, **cost) for _ in range(attackers)]
    ids = [room.open(each) for each in strangers]
    room.work(1.0)
    command = Reset() if "build" in cost else AddPoint(0, 0)
    sent, start, before = 0, clock.now, neighbour.trained

    def flood() -> None:
        nonlocal sent
        while sent < 600 and clock.now >= start + sent / 120:
            for run_id in ids:
                room.engine.command(run_id, command)
            sent += 1

    while sent < 600:
        room.work(0.1, flood)
    end = clock.now
    assert longest_gap(room.boards[0], start, end) <= LONGEST_GAP_SECONDS
    assert (neighbour.trained - before) / (end - start) > 0.4 / attackers, "it trains on, too"
    room.work(1.0)
    assert longest_gap(room.boards[0], end, clock.now) < 0.3, "soon after the last command nothing is left of it"


@pytest.mark.parametrize("cost", [{"draw": 0.5}, {"step": 0.5}])
def test_beside_several_runs_whose_frames_or_steps_take_long_a_neighbour_comes_after_each_of_them(
    clock: Clock, cost: dict[str, float]
) -> None:
    room = Room(clock)
    room.open(CostlyRun(clock), play=True)
    strangers = [CostlyRun(clock, **cost) for _ in range(4)]
    for each in strangers:
        room.open(each, play=True)
    room.work(5.0)
    start, before = clock.now, [each.steps for each in strangers]
    room.work(10.0)
    assert longest_gap(room.boards[0], start, clock.now) < 0.7
    assert all(each.steps > steps + 2 for each, steps in zip(strangers, before, strict=True)), "they advance, too"


def test_equal_resets_are_carried_out_as_one(clock: Clock) -> None:
    room, run = Room(clock), CostlyRun(clock, build=0.01)
    run_id = room.open(run)
    for _ in range(600):
        room.engine.command(run_id, Reset())
    room.work(1.0)
    assert run.builds == 1


def test_orders_are_carried_out_in_slices_and_what_they_take_is_not_trained(clock: Clock) -> None:
    room, run = Room(clock), CostlyRun(clock, order=0.01, draw=0.0)
    run_id = room.open(run, play=True)
    room.work(0.1)
    for _ in range(9):
        room.engine.command(run_id, AddPoint(0, 0))
    steps, turns = run.steps, 0
    while run.orders < 9:
        room.turn()
        turns += 1
    assert 3 <= turns <= 9, "at most three of 10 ms fill a slice of 25 ms"
    assert run.steps - steps <= 1, "which leaves no time to train"


def test_the_orders_of_a_run_whose_viewer_has_gone_are_forgotten(clock: Clock) -> None:
    room, run = Room(clock), CostlyRun(clock, order=0.05)
    run_id = room.open(run)
    for n in range(20):
        room.engine.command(run_id, AddPoint(n, 0))
    room.turn()
    before = run.orders
    assert 0 < before < 20
    room.engine.detach(run_id, room.boards[0])
    room.work(3.0)
    assert run.orders == before and not len(room.opened(run_id).orders)


def test_a_run_alone_owes_nobody(clock: Clock) -> None:
    room, run = Room(clock), CostlyRun(clock, order=0.2)
    run_id = room.open(run)
    for n in range(10):
        room.engine.command(run_id, AddPoint(n, 0))
    room.work(2.1)
    assert run.orders == 10 and room.opened(run_id).debt.seconds == 0


def test_the_frame_that_shows_an_order_is_part_of_its_cost(clock: Clock) -> None:
    room = Room(clock)
    room.open(CostlyRun(clock), play=True)
    run = CostlyRun(clock, order=0.01, draw=0.2)
    run_id = room.open(run)
    room.work(1.0)
    assert room.opened(run_id).debt.at(clock.now) == 0
    room.engine.command(run_id, AddPoint(0, 0))
    while not run.orders:
        room.turn()
    assert room.opened(run_id).debt.seconds == pytest.approx(0.21 / 2), "half of it was its own share"


def test_a_debt_is_paid_by_waiting_and_a_small_one_costs_no_wait() -> None:
    debt = Debt()
    debt.add(FREE_SECONDS, 10.0, 0.5)
    assert debt.rests_until < 10.0, "small costs are free"
    debt.add(0.3, 10.3, 0.5)
    owed = FREE_SECONDS / 2 + 0.3 / 2
    assert debt.at(10.3) == pytest.approx(owed)
    assert debt.rests_until == pytest.approx(10.3 + (owed - FREE_SECONDS) / 0.5)
    assert debt.at(10.4) == pytest.approx(owed - 0.05) and debt.at(99.0) == 0
    debt.add(60.0, 99.0, 0.1)
    assert debt.rests_until == 99.0 + MAX_REST_SECONDS


def test_the_same_cost_makes_a_run_wait_longer_the_more_others_want_to_train() -> None:
    waits = []
    for share in (1.0, 0.5, 0.2):
        debt = fairness.Debt()
        debt.add(0.2, 0.0, share)
        waits.append(max(0.0, debt.rests_until))
    assert waits[0] == 0 < waits[1] < waits[2]
