"""Two runs beside each other: one player, the same step in both, one setting apart, and neither harms the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch

from playground.engine import lockstep, messages
from playground.engine.engine import Engine, UnknownRun
from playground.engine.open_run import OpenRun
from playground.lessons.classification import lesson as classification
from playground.lessons.optimizers import lesson as optimizers
from playground.lessons.regression import lesson as regression
from playground.saving import branch as branching
from playground.settings import Settings
from tests.unit.engine.test_engine import Plan, Screen, until

LESSONS = {"regression": regression, "classification": classification, "optimizers": optimizers}
VALUES: dict[str, dict[str, Any]] = {
    "regression": {"max_steps": 0, "batch_size": 20},
    "classification": {"max_steps": 0, "batch_size": 10},
    "optimizers": {"max_steps": 0},
}
each_lesson = pytest.mark.parametrize("name", LESSONS)


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(Settings(workers=2))
    made.start()
    yield made
    made.stop()


def varied(values: dict[str, Any], config: Any) -> Any:
    return config.with_values(**values)


class Board(Screen):
    """A viewer of some charts."""

    charts: list[str] = []  # noqa: RUF012  (none, until a test says which)

    def ask(self, charts: list[str] | None = None) -> None:
        super().ask(self.charts if charts is None else charts)


class Pair:
    """A run of a lesson and one beside it, each with a viewer, as two boards on one page."""

    def __init__(self, engine: Engine, name: str, *, apart: dict[str, Any], kind: str = "start", **values: Any) -> None:
        lesson: Any = LESSONS[name].LESSON  # type: ignore[attr-defined]
        self.engine = engine
        config = lesson.config(**(VALUES[name] | values))
        self.first = engine.open("session", partial(lesson.build, settings=engine.settings), config)
        self.screen = Board(engine, self.first, paints=True)
        self.apart, self.kind, self.charts = apart, kind, list[str]()
        until(lambda: self.screen.head.get("state") == "paused", "the first run is there")

    def compare(self) -> Pair:
        build = branching.from_start if self.kind == "start" else branching.from_here
        self.second = self.engine.open_beside(self.first, build, partial(varied, self.apart), next(iter(self.apart)))
        self.other = Board(self.engine, self.second, paints=True)
        until(lambda: self.other.head.get("state") in ("paused", "playing", "done"), "the second run is there")
        return self

    def do(self, command: str, **more: Any) -> None:
        self.engine.command(self.first, {"do": command, **more})

    def both(self, what: str) -> tuple[Any, Any]:
        first, second = (self.engine.call(each, lambda run: getattr(run, what)) for each in (self.first, self.second))
        return first, second

    def settled(self) -> int:
        """Wait until both rest at the same step; that step."""
        until(lambda: len(set(self.both("steps"))) == 1 and self.screen.head["state"] != "playing", "both at one step")
        return int(self.both("steps")[0])


def weights(run: Any) -> torch.Tensor:
    return torch.cat([value.reshape(-1).clone() for value in run.model.state_dict().values()])


@each_lesson
def test_both_advance_together_and_stop_at_the_same_step(engine: Engine, name: str) -> None:
    pair = Pair(engine, name, apart={"seed": 5}).compare()
    pair.do("play")
    until(lambda: pair.both("steps")[1] > 30, "they train")
    for _ in range(20):
        first, second = pair.engine.call(pair.first, lambda run: (run.steps, pair_of(pair).steps))
        assert first == second, "between two slices both have made the same steps"
    pair.do("pause")
    assert pair.settled() > 30
    before = pair.settled()
    pair.do("step", n=7, unit="step")
    until(lambda: pair.both("steps") == (before + 7, before + 7), "seven more in both")
    pair.do("reset")
    until(lambda: pair.both("steps") == (0, 0), "both from the start")


def pair_of(pair: Pair) -> Any:
    return pair.engine._runs[pair.second].run


@each_lesson
def test_the_second_run_catches_up_while_the_first_plays_on(engine: Engine, name: str) -> None:
    pair = Pair(engine, name, apart={"seed": 5})
    pair.do("play")
    until(lambda: pair.engine.call(pair.first, lambda run: run.steps) > 200, "the first one trains")
    pair.compare()
    at = pair.engine.call(pair.first, lambda run: run.steps)
    until(lambda: pair.engine.call(pair.first, lambda run: run.steps) > at, "the first one is not stopped")
    assert pair.screen.head["state"] == "playing"
    until(lambda: not lockstep.is_behind(pair.engine._runs[pair.first]), "the second has caught up", 20.0)
    pair.do("pause")
    assert pair.settled() > at


def test_the_second_run_turns_what_was_turned_in_the_first_after_the_same_steps(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"optimizer": "adam"})
    config = pair.engine.call(pair.first, lambda run: run.config)
    for steps, values in ((12, {"lr": 0.05}), (20, {"noise": 0.6, "momentum": 0.5})):
        pair.do("step", n=steps - pair.engine.call(pair.first, lambda run: run.steps), unit="step")
        until(lambda steps=steps: pair.engine.call(pair.first, lambda run: run.steps) == steps, "the steps are made")
        config = config.with_values(**values)
        pair.engine.tune(pair.first, config)
    pair.compare()
    pair.settled()
    pair.do("step", n=5, unit="step")
    until(lambda: pair.both("steps") == (25, 25), "both made five more")
    pair.engine.tune(pair.first, config.with_values(lr=0.01))
    pair.do("step", n=5, unit="step")
    until(lambda: pair.both("steps") == (30, 30), "and five with another rate")
    alone = regression.build(regression.LESSON.config(**VALUES["regression"], optimizer="adam"), Settings())
    for steps, values in ((12, {"lr": 0.05}), (20, {"noise": 0.6, "momentum": 0.5}), (25, {"lr": 0.01}), (30, {})):
        while alone.steps < steps:
            alone.step()
        alone.tune(alone.config.with_values(**values))
    second = pair.engine.call(pair.second, weights)
    assert torch.equal(second, weights(alone)), "bit for bit a run with Adam that was turned in the same way"


def test_the_time_slider_shows_both_at_the_same_step_also_where_one_has_room_for_fewer() -> None:
    engine = Engine(Settings(workers=2, max_run_mb=1))
    engine.start()
    try:
        look_back_at_a_large_model(engine)
    finally:
        engine.stop()


def look_back_at_a_large_model(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"hidden": 64, "layers": 4, "hidden_2": 64, "hidden_3": 64, "hidden_4": 64})
    pair.do("step", n=500, unit="step")
    until(lambda: pair.engine.call(pair.first, lambda run: run.steps) == 500, "500 steps")
    assert len(engine.call(pair.first, lambda run: run.snapshots.kept)) > 60
    pair.compare()
    pair.settled()
    for to in (0, 3, 5):
        pair.do("scrub", to=to)
        until(lambda: pair.screen.head["time"]["at"] is not None, "looking back")
        until(lambda: len({pair.screen.head["time"]["step"], pair.other.head["time"]["step"]}) == 1, "at one step")
        moments = [engine.call(each, lambda run: run.shown_snapshot.steps) for each in (pair.first, pair.second)]
        assert moments[0] == moments[1]
    pair.do("scrub", to=None)
    until(lambda: pair.other.head["time"] == {**pair.screen.head["time"], "at": None, "step": 500}, "now, in both")


def test_where_one_has_ended_the_other_goes_on_and_can_be_looked_back_at(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 10.0}, lr=0.1, batch_size=0).compare()
    pair.do("play")
    until(lambda: pair.other.head["state"] == "failed", "the second diverges")
    until(lambda: pair.both("steps")[0] > 100, "the first goes on")
    assert pair.screen.head["state"] == "playing"
    pair.do("pause")
    until(lambda: pair.screen.head["state"] == "paused", "paused")
    pair.do("reset")
    until(lambda: pair.both("steps") == (0, 0) and pair.other.head["state"] == "paused", "both from the start")


def test_where_both_diverge_or_one_had_diverged_before_both_are_shown_with_what_may_help(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.2}, lr=0.5, scale=100, batch_size=0).compare()
    pair.do("play")
    until(lambda: pair.both("outcome") == ("failed", "failed"), "large inputs: both diverge")
    for board in (pair.screen, pair.other):
        until(lambda board=board: board.head["state"] == "failed", "and say so")
        assert board.head["notice"] == "" and "Normalise x" in board.head["note"]
        assert board.head["time"]["remedy"] == "normalise"
    late = Pair(engine, "regression", apart={"lr": 0.1}, lr=10.0, batch_size=0)
    late.do("play")
    until(lambda: late.screen.head["state"] == "failed", "a rate that is too high")
    late.compare()
    until(lambda: late.other.head["state"] in ("paused", "done"), "the second is shown")
    assert late.other.head["notice"] == "" and "remedy" not in late.screen.head["time"]


def test_where_the_first_has_ended_the_second_goes_on(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"max_steps": 300}, max_steps=100).compare()
    pair.do("speed", value=0)
    pair.do("play")
    until(lambda: pair.both("outcome") == ("done", "done"), "both come to their own ends")
    assert pair.both("steps") == (100, 300)
    until(lambda: pair.screen.head["state"] == pair.other.head["state"] == "done", "and say so")
    assert pair.screen.head["time"]["count"] == len(engine.call(pair.second, lambda run: run.snapshots.kept))
    pair.do("scrub", to=pair.screen.head["time"]["count"] - 2)
    until(lambda: pair.screen.head["time"]["step"] > 250, "the slider goes as far as the second went")
    moments = [engine.call(each, lambda run: run.shown_snapshot.steps) for each in (pair.first, pair.second)]
    assert moments[0] == 100 and moments[1] > 250, "the first shows its last moment"
    pair.do("scrub", step=41)
    until(lambda: pair.screen.head["time"]["step"] <= 41, "an earlier step is shown")
    until(lambda: pair.other.head["time"]["step"] == pair.screen.head["time"]["step"], "in both")
    pair.engine.close(pair.second)
    assert pair.engine.state_of(pair.first) == "done"


def test_headings_come_from_the_config_of_the_run_they_stand_over(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05}).compare()
    until(lambda: pair.screen.head["heading"] == "Learning rate: 0.5", "the first one's")
    until(lambda: pair.other.head["heading"] == "Learning rate: 0.05", "the second one's")
    pair.engine.tune(pair.first, pair.both("config")[0].with_values(lr=0.2))
    until(lambda: pair.screen.head["heading"] == "Learning rate: 0.2", "of the config that it has now")
    assert pair.other.head["heading"] == "Learning rate: 0.05"
    pair.engine.close(pair.second)
    until(lambda: pair.screen.head["heading"] == "", "alone, it has none")


def test_from_this_moment_the_value_is_turned_while_both_go_on(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05}, kind="here")
    pair.do("step", n=40, unit="step")
    until(lambda: pair.engine.call(pair.first, lambda run: run.steps) == 40, "40 steps")
    pair.compare()
    assert pair.both("steps") == (40, 40)
    assert torch.equal(engine.call(pair.first, weights), engine.call(pair.second, weights))
    pair.engine.vary(pair.second, partial(varied, {"lr": 0.01}))
    until(lambda: pair.both("config")[1].lr == 0.01, "the second one's rate")
    pair.engine.tune(pair.first, pair.both("config")[0].with_values(noise=0.4))
    until(lambda: pair.both("config")[1].noise == 0.4, "what is turned in the first is turned in the second")
    first, second = pair.both("config")
    assert set(second.changed_from(first)) == {"lr"} and pair.both("steps") == (40, 40)


def test_a_new_start_of_the_first_is_one_of_the_second(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"optimizer": "adam"}).compare()
    pair.do("step", n=10, unit="step")
    until(lambda: pair.both("steps") == (10, 10), "ten steps")
    pair.engine.rebuild(pair.first, pair.both("config")[0].with_values(hidden=20))
    until(lambda: pair.both("steps") == (0, 0), "from the start")
    first, second = pair.both("config")
    assert (first.hidden, second.hidden, second.optimizer) == (20, 20, "adam")


def test_points_clicked_into_either_chart_are_in_both_runs(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05}).compare()
    engine.command(pair.first, {"do": "add", "x": 0.1, "y": 0.9})
    engine.command(pair.second, {"do": "add", "x": 0.2, "y": 0.8})
    until(lambda: [len(run.x_train) for run in pair.both("data")] == [102, 102], "two more points in both")
    first, second = pair.both("data")
    assert torch.equal(first.x_train, second.x_train)


def test_an_error_in_the_second_run_leaves_the_first_alone(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05}).compare()

    def break_it(run: Any) -> None:
        run.step = lambda: 1 / 0

    engine.call(pair.second, break_it)
    pair.do("play")
    until(lambda: pair.other.head["state"] == "failed", "the second one fails")
    assert pair.other.head["notice"] == messages.FAILED
    until(lambda: engine.call(pair.first, lambda run: run.steps) > 50, "the first one goes on")
    assert pair.screen.head["state"] == "playing"


def test_closing_the_first_run_closes_the_second_and_a_pair_counts_as_two(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05}).compare()
    assert engine.has(pair.second)
    again = engine.open_beside(pair.first, branching.from_start, partial(varied, {"lr": 0.1}), "lr")
    assert not engine.has(pair.second), "one at a time"
    engine.close(pair.first)
    assert not engine.has(again)
    with pytest.raises(UnknownRun):
        engine.open_beside(pair.first, branching.from_start, partial(varied, {"lr": 0.1}), "lr")


def test_axes_hold_both_curves_and_never_end_before_their_own() -> None:
    def figure(low: float, high: float, kind: str = "linear", axis: str = "yaxis", **more: Any) -> dict[str, Any]:
        return {"layout": {axis: {"range": [low, high], "type": kind, **more}}}

    def shown(mine: dict[str, Any], others: dict[str, Any]) -> list[float]:
        first, second = (OpenRun("id", "session", build=Plan, config=None) for _ in range(2))  # type: ignore[arg-type]
        first.follower, second.leader = second, first
        lockstep.on_common_axes(second, {"loss": others})
        drawn = lockstep.on_common_axes(first, {"loss": mine})
        (axis,) = drawn["loss"]["layout"]
        return list(drawn["loss"]["layout"][axis]["range"])

    wide = lockstep.MAX_WIDENING
    assert shown(figure(0, 1), figure(0, 2)) == [0, 2]
    assert shown(figure(0, 2), figure(-1, 1)) == [-1, 2]
    assert shown(figure(0, 1), figure(0, 1e35)) == [0, wide], "a run that diverges does not flatten the other's curve"
    assert shown(figure(0, 1e35), figure(0, 1)) == [0, 1e35], "and its own is there as a whole"
    assert shown(figure(0, 20, axis="xaxis"), figure(0, 10_000, axis="xaxis")) == [0, 10_000], (
        "steps have no such limit"
    )
    assert shown(figure(0, 10_000, axis="xaxis"), figure(0, 20, axis="xaxis")) == [0, 10_000]
    assert shown(figure(0, 1), figure(-3, 1, "log")) == [0, 1]
    assert shown(figure(0, 1, visible=False), figure(0, 2)) == [0, 1]
    assert shown(figure(5, -1), figure(0, 9)) == [5, -1]
    assert shown(figure(0, 1), figure(0, float("nan"))) == [0, 1]


def test_axes_are_common_at_rest_whichever_chart_was_drawn_last(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05})
    pair.screen.charts = ["loss"]
    pair.compare()  # its charts are out of sight
    pair.do("play")
    until(lambda: pair.both("steps")[0] > 300, "they train")
    pair.do("pause")
    pair.settled()
    pair.other.charts = ["loss"]  # in sight again

    def ranges(screen: Screen) -> Any:
        sent = engine._runs[screen.run_id].watching.writer._sent
        return sent["loss"]["layout"] if "loss" in sent else None

    pair.other.ask()
    until(lambda: ranges(pair.other) and ranges(pair.other)["xaxis"]["range"] == ranges(pair.screen)["xaxis"]["range"],
          "both to the same step")  # fmt: skip
    until(lambda: ranges(pair.other)["yaxis"]["range"] == ranges(pair.screen)["yaxis"]["range"], "and as high")


def test_a_run_that_is_compared_while_the_time_slider_looks_back_shows_the_same_step(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05})
    pair.do("step", n=400, unit="step")
    until(lambda: pair.engine.call(pair.first, lambda run: run.steps) == 400, "400 steps")
    pair.do("scrub", to=20)
    until(lambda: pair.screen.head["time"]["at"] == 20, "looking back")
    pair.compare()
    until(lambda: pair.both("steps") == (400, 400), "the second has caught up")
    until(lambda: pair.other.head["time"]["step"] == pair.screen.head["time"]["step"] < 400, "and shows that step")


def test_a_first_run_that_was_resumed_has_a_second_that_is_resumed_too(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05}, max_steps=50)
    for steps in (50, 100):
        pair.do("speed", value=0)
        pair.do("play")
        until(
            lambda steps=steps: engine.call(pair.first, lambda run: (run.steps, run.outcome)) == (steps, "done"), "done"
        )
    pair.compare()
    until(lambda: pair.both("steps") == (100, 100) and pair.both("outcome") == ("done", "done"), "both at their end")
    pair.do("step", n=5, unit="step")
    until(lambda: pair.both("steps") == (105, 105), "both go on")


def test_the_run_that_ended_earlier_catches_up_when_both_are_resumed(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"max_steps": 300}, max_steps=200).compare()
    pair.do("speed", value=0)
    pair.do("play")
    until(lambda: pair.both("steps") == (200, 300) and pair.screen.head["state"] == "done", "both at their ends")
    pair.do("step", n=20, unit="step")
    until(lambda: len(set(pair.both("steps"))) == 1, "in step again")
    assert pair.both("steps")[0] >= 300


def test_points_and_weights_put_in_by_hand_are_in_both_runs(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05}).compare()
    rows = tuple((0.1 * x, float(x)) for x in range(-8, 8))
    engine.call(pair.first, lambda run: run.use_rows(rows), both=True)
    assert [len(each.x_train) for each in pair.both("data")] == [13, 13], "a part of the rows is for testing"
    other = {name: value + 1 for name, value in pair.both("model")[0].state_dict().items()}
    engine.call(pair.first, lambda run: run.use_weights(other), both=True)
    assert torch.equal(engine.call(pair.first, weights), engine.call(pair.second, weights))


def test_what_the_second_run_refuses_is_said_on_its_own_board(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"hidden": 20}).compare()
    own = {name: value.clone() for name, value in pair.both("model")[0].state_dict().items()}
    engine.call(pair.first, lambda run: run.use_weights(own), both=True)
    until(lambda: "does not fit the model" in pair.other.head["notice"], "the second one's sentence")
    assert pair.screen.head["notice"] == ""


def test_a_partner_that_is_closed_in_the_midst_of_anything_harms_nobody(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05})
    pair.do("play")
    config = engine.call(pair.first, lambda run: run.config)
    for turn in range(60):
        second = engine.open_beside(pair.first, branching.from_start, partial(varied, {"lr": 0.01}), "lr")
        screen = Screen(engine, second, paints=True)
        engine.tune(pair.first, config.with_values(noise=(0.1, 0.2)[turn % 2]))
        engine.close(second)
        assert screen.run_id == second
    before = engine.call(pair.first, lambda run: run.steps)
    until(lambda: engine.call(pair.first, lambda run: run.steps) > before, "the first goes on")
    assert engine.state_of(pair.first) == "playing"


def test_a_playing_run_takes_no_turn_before_its_follower_is_built(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={"lr": 0.05}, max_steps=0)
    pair.do("play")
    until(lambda: engine.call(pair.first, lambda run: run.steps) > 20, "it trains")
    leader = engine._runs[pair.first]
    with engine._lock:  # no thread takes a run meanwhile
        second = engine.open_beside(pair.first, branching.from_start, partial(varied, {"lr": 0.01}), "lr")
        assert leader.awaits_follower and engine._runs[second].can_be_built
    until(lambda: engine._runs[second].run is not None, "it is built")
    assert not leader.awaits_follower
    before = engine.call(pair.first, lambda run: run.steps)
    until(lambda: engine.call(pair.first, lambda run: run.steps) > before, "the first goes on")


def continued(engine: Engine, **values: Any) -> Pair:
    """A run with 60 steps that was continued from step 20, beside the run before."""
    pair = Pair(engine, "regression", apart={}, **({"optimizer": "adam", "lr": 0.05} | values))
    pair.do("step", n=60, unit="step")
    until(lambda: pair.engine.call(pair.first, lambda run: run.steps) == 60, "60 steps")
    pair.do("scrub", step=20)
    pair.second = engine.open_beside(pair.first, branching.as_before, lambda config: config, "")
    pair.do("go_back", step=20)
    pair.other = Board(engine, pair.second, paints=True)
    until(lambda: pair.both("steps") == (20, 60), "the first one is at step 20, the run before stays at step 60")
    return pair


def shown(pair: Pair) -> tuple[int, int]:
    first, second = (pair.engine.call(each, lambda run: run.time()["step"]) for each in (pair.first, pair.second))
    return first, second


def test_a_run_that_was_continued_is_compared_with_the_run_before_step_by_step(engine: Engine) -> None:
    pair = continued(engine)
    assert shown(pair) == (20, 20), "the run before shows the step of the first one"
    until(lambda: (pair.screen.head["state"], pair.screen.head["time"]["now"]) == ("paused", 20), "it is paused there")
    until(lambda: (pair.screen.head["heading"], pair.other.head["heading"]) == ("Continued", "Before"), "the names")
    pair.do("step", n=30, unit="step")
    until(lambda: pair.both("steps") == (50, 60), "the run before waits where it is")
    first, second = shown(pair)
    assert first == 50 and second <= 50, "and is seen as it was at that step"
    pair.do("scrub", to=0)
    until(lambda: shown(pair) == (0, 0), "both are looked back at")
    pair.engine.tune(pair.first, pair.engine.call(pair.first, lambda run: run.config).with_values(lr=0.01))
    pair.do("play")
    until(lambda: pair.both("steps")[1] > 70, "from step 60 on both train")
    pair.do("pause")
    steps = pair.settled()
    assert shown(pair) == (steps, steps)
    alone = regression.build(
        regression.LESSON.config(**VALUES["regression"], optimizer="adam", lr=0.05), engine.settings
    )
    while alone.steps < steps:
        alone.step()
    assert torch.equal(pair.engine.call(pair.second, weights), weights(alone)), "the run before is what it would be"
    assert not torch.equal(pair.engine.call(pair.first, weights), weights(alone))


def test_no_order_is_carried_out_between_the_asking_for_a_second_run_and_its_building(engine: Engine) -> None:
    pair = Pair(engine, "regression", apart={})
    pair.do("step", n=60, unit="step")
    until(lambda: engine.call(pair.first, lambda run: run.steps) == 60, "60 steps")
    asked: list[str] = []

    def ask(run: Any) -> None:  # in the run's own turn, so that its next order is at hand
        asked.append(engine.open_beside(pair.first, branching.as_before, lambda config: config, ""))
        pair.do("go_back", step=20)

    engine.call(pair.first, ask)
    pair.second = asked[0]
    until(lambda: pair.both("steps") == (20, 60), "the second run is the first one before it went back")


def test_what_is_done_to_a_continued_run_leaves_the_run_before_as_it_was(engine: Engine) -> None:
    pair = continued(engine)
    pair.do("add", x=0.3, y=0.4)
    pair.do("set", layer=0, unit=0, input=0, value=1.0)
    until(lambda: pair.engine.call(pair.first, lambda run: run.edits) != pair.both("edits")[1], "a point in the first")
    pair.do("reset")
    until(lambda: pair.both("steps") == (0, 60), "the first one begins again beside the same run")
    assert shown(pair) == (0, 0)
    engine.close(pair.second)
    until(lambda: pair.screen.head["heading"] == "", "alone")


def test_a_continued_run_ends_at_its_own_limit_while_the_run_before_is_ahead(engine: Engine) -> None:
    pair = continued(engine, max_steps=60)
    assert pair.both("outcome") == ("", "done")
    pair.do("play")
    until(lambda: pair.both("steps") == (60, 60), "it trains up to the run before")
    until(lambda: engine.state_of(pair.first) == "done", "and ends with it, not alone")
    assert pair.both("steps") == (60, 60)
    pair.do("play")
    until(lambda: pair.both("steps") == (120, 120) and pair.both("outcome") == ("done", "done"), "both are resumed")
