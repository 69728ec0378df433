"""Who may play: a limited number of runs, first come first served; a run without a place waits with its steps alone."""

from __future__ import annotations

import random

import pytest

from playground.engine.places import Places
from playground.engine.watching import LEASE_SECONDS
from playground.settings import Settings
from tests.unit.engine.test_fairness import Board, Clock, CostlyRun, Room, clock  # noqa: F401  (a fixture)


class Told(dict[str, int]):
    """The place that each run was told last, and how often somebody was told."""

    count = 0

    def __call__(self, run_id: str, place: int) -> None:
        self[run_id] = place
        self.count += 1


def test_places_go_to_those_who_asked_first_and_the_rest_move_up() -> None:
    told = Told()
    places = Places(2, told)
    for run_id in "abcde":
        places.ask(run_id)
    assert told == {"a": 0, "b": 0, "c": 1, "d": 2, "e": 3}
    places.release("d")
    assert told == {"a": 0, "b": 0, "c": 1, "d": 2, "e": 2}
    places.release("a")
    assert (told["c"], told["e"]) == (0, 1)
    places.ask("a")
    assert told["a"] == 2, "whoever comes back queues up again"


def test_nobody_is_told_what_is_the_same_as_before_except_who_asks() -> None:
    told = Told()
    places = Places(2, told)
    for run_id in "ab":
        places.ask(run_id)
    places.release("a")
    places.release("a")
    places.release("nobody")
    assert told.count == 2
    places.ask("b")
    assert (told.count, told["b"]) == (3, 0)


@pytest.mark.parametrize("limit", [1, 3, 10])
def test_any_order_of_asking_and_releasing_gives_the_places_of_a_plain_list(limit: int) -> None:
    told, numbers, asking = Told(), random.Random(limit), list[str]()
    places = Places(limit, told)
    for _ in range(2_000):
        run_id = str(numbers.randrange(20))
        if run_id in asking:
            asking.remove(run_id)
            places.release(run_id)
        else:
            asking.append(run_id)
            places.ask(run_id)
        assert [told[each] for each in asking] == [max(0, index + 1 - limit) for index in range(len(asking))]


# In the engine.


def test_a_queued_run_shows_its_picture_and_its_place_and_takes_no_step(clock: Clock) -> None:  # noqa: F811
    room = Room(clock, max_runs=2)
    runs = [CostlyRun(clock) for _ in range(5)]
    ids = [room.open(each, play=True) for each in runs]
    room.work(1.0)
    assert [room.engine.state_of(each) for each in ids] == ["playing"] * 2 + ["queued"] * 3
    assert [room.opened(each).head()["place"] for each in ids] == [0, 0, 1, 2, 3]
    assert [each.steps > 0 for each in runs] == [True] * 2 + [False] * 3
    assert all(board.frames for board in room.boards)


def test_paused_runs_and_those_of_left_pages_hold_no_place(clock: Clock) -> None:  # noqa: F811
    room = Room(clock, max_runs=1)
    runs = [CostlyRun(clock) for _ in range(3)]
    ids = [room.open(each, play=True) for each in runs]
    room.work(0.5)
    room.engine.command(ids[0], {"do": "pause"})
    room.work(0.5)
    assert runs[1].steps > 0, "the first one is paused"
    room.engine.detach(ids[1], room.boards[1])
    room.work(LEASE_SECONDS + 1.0)
    assert runs[2].steps > 0, "the second one's page is left"
    assert room.engine.state_of(ids[1]) == "playing", "it plays on as soon as somebody watches it and there is room"


def test_a_hidden_tab_gives_its_place_back_and_asks_for_it_again(clock: Clock) -> None:  # noqa: F811
    room = Room(clock, max_runs=1)
    first, second = CostlyRun(clock), CostlyRun(clock)
    ids = [room.open(each, play=True) for each in (first, second)]
    room.boards[0].paints = False
    room.work(LEASE_SECONDS + 1.0)
    steps = first.steps
    assert second.steps > 0
    room.boards[0].paints = True
    room.engine.ask(ids[0], room.boards[0], [], {})
    room.work(0.5)
    assert (room.engine.state_of(ids[0]), first.steps) == ("queued", steps)
    room.engine.command(ids[1], {"do": "pause"})
    room.work(0.5)
    assert first.steps > steps


def test_a_board_that_is_built_again_at_once_keeps_its_place(clock: Clock) -> None:  # noqa: F811
    room = Room(clock, max_runs=1)
    first, second = CostlyRun(clock), CostlyRun(clock)
    ids = [room.open(each, play=True) for each in (first, second)]
    room.work(0.5)
    room.engine.detach(ids[0], room.boards[0])
    room.work(0.5)
    steps = first.steps
    Board(room.engine, ids[0], clock)
    room.work(0.5)
    assert first.steps > steps and second.steps == 0


def test_a_step_asks_for_a_place_and_gives_it_back(clock: Clock) -> None:  # noqa: F811
    room = Room(clock, max_runs=1)
    first, second = CostlyRun(clock), CostlyRun(clock)
    ids = [room.open(each) for each in (first, second)]
    room.engine.command(ids[0], {"do": "step", "n": 5})
    room.engine.command(ids[1], {"do": "step", "n": 3})
    room.work(1.0)
    assert (first.steps, second.steps) == (5, 3)
    assert not any(room.opened(each).asks_place for each in ids)


def test_a_run_that_fails_or_is_closed_gives_its_place_back(clock: Clock) -> None:  # noqa: F811
    class Breaks(CostlyRun):
        def advance(self, seconds: float, steps: int) -> int:
            raise ValueError("It broke.")

    room = Room(clock, max_runs=1)
    room.open(Breaks(clock), play=True)
    runs = [CostlyRun(clock) for _ in range(2)]
    ids = [room.open(each, play=True) for each in runs]
    room.work(0.5)
    assert runs[0].steps > 0
    room.boards.clear()
    room.engine.detach(ids[0], room.opened(ids[0]).watching.viewer)  # type: ignore[arg-type]
    room.engine.close(ids[0])
    room.work(0.5)
    assert runs[1].steps > 0


class Keeper:
    """Somebody else who decides, later."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def ask(self, run_id: str) -> None:
        self.calls.append(("ask", run_id))

    def release(self, run_id: str) -> None:
        self.calls.append(("release", run_id))


def test_places_can_be_given_by_somebody_else_and_until_then_the_run_neither_trains_nor_looks_queued(
    clock: Clock,  # noqa: F811
) -> None:
    keeper = Keeper()
    room = Room(clock, places=keeper)
    run = CostlyRun(clock)
    run_id = room.open(run, play=True)
    room.work(0.5)
    assert keeper.calls == [("ask", run_id)]
    assert (run.steps, room.engine.state_of(run_id)) == (0, "playing")
    room.engine.set_place(run_id, 2)
    room.work(0.5)
    assert (run.steps, room.engine.state_of(run_id)) == (0, "queued")
    room.engine.set_place(run_id, 0)
    room.work(0.5)
    assert run.steps > 0
    room.engine.command(run_id, {"do": "pause"})
    room.work(0.5)
    assert keeper.calls == [("ask", run_id), ("release", run_id)]
    room.engine.set_place(run_id, 3)  # told too late
    assert room.engine.state_of(run_id) == "paused"


def test_thirty_sessions_with_four_pages_each_see_all_first_pictures_at_once(clock: Clock) -> None:  # noqa: F811
    room = Room(clock, max_runs=Settings().max_runs)
    for _ in range(120):
        room.open(CostlyRun(clock), play=True)
    room.work(1.0)
    assert all(board.frames for board in room.boards)
    playing = [each for each in room.engine._runs.values() if each.place == 0]
    assert len(playing) == Settings().max_runs
