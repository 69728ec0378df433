"""The lesson Optimizers: the tutorial's race, charts that Plotly takes, a race that is saved goes on bit for bit."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.data.landscapes import SURFACES
from playground.engine.commands import read_command
from playground.engine.run import Heavy, Paced
from playground.lessons.optimizers.config import STANDARD, OptimizersConfig, draw_data, entries, list_turns
from playground.lessons.optimizers.entries import EntryError, read_entries
from playground.lessons.optimizers.lesson import LESSON
from playground.lessons.optimizers.race import checksum
from playground.lessons.optimizers.run import ON_SURFACE, RaceRun, build
from playground.lessons.optimizers.surface import MAX_STEPS, Surface
from playground.saving import checkpoint
from playground.settings import Settings
from playground.training.optimizers import SCHEDULES
from tests.unit.plotly_check import assert_plotly_takes

CHARTS = [chart.name for chart in LESSON.charts]


def made(steps: int = 0, **values: Any) -> RaceRun:
    run = build(OptimizersConfig(**values))
    assert run.advance(60.0, steps) == steps if steps else True
    return run


def losses(run: RaceRun) -> dict[str, float]:
    """Each racer's loss on all points."""
    data, loss_fn = run.data, nn.MSELoss()
    with torch.no_grad():
        return {r.entry.name: loss_fn(r.trainer.model(data.x_train), data.y_train).item() for r in run.race.racers}


def places(run: RaceRun) -> list[str]:
    return sorted(losses(run), key=losses(run).__getitem__)


def annotation(run: RaceRun, chart: str, at: int = 0) -> str:
    return str(run.draw([chart], {}).charts[chart]["layout"]["annotations"][at]["text"]).removeprefix(" <br>")


# The race.


def test_a_race_is_drawn_less_often_but_takes_no_share_of_the_cores() -> None:
    run: Any = made()
    assert isinstance(run, Paced) and 20 < run.frame_rate < Settings().frame_rate
    assert not isinstance(run, Heavy)


def test_the_default_is_the_tutorials_race_of_twelve_epochs() -> None:
    run = made()
    groups = [racer.group for racer in run.race.racers]
    assert [type(racer.trainer.optimizer).__name__ for racer in run.race.racers] == ["SGD", "SGD", "RMSprop", "Adam"]
    assert [group["lr"] for group in groups] == [0.01] * 4
    assert (groups[0]["momentum"], groups[1]["momentum"]) == (0, 0.8)
    assert (groups[2]["alpha"], groups[3]["betas"]) == (0.9, (0.9, 0.99))
    assert [tuple(p.shape) for p in run.race.racers[0].parameters] == [(20, 1), (20,), (1, 20), (1,)]
    run.advance(60.0, 10_000)
    assert (run.outcome, run.steps, run.race.batches.epochs) == ("done", 384, 12)
    assert losses(run)["adam"] < 0.01 < losses(run)["sgd"], "Adam fits the curve, SGD has hardly begun"
    assert places(run)[-1] == "sgd"


def test_a_rate_that_suits_sgd_turns_the_ranking_over() -> None:
    assert places(made(384, lr=0.3))[:2] == ["sgd", "momentum"]


def test_slices_and_viewers_change_nothing() -> None:
    watched, alone = made(), made(60)
    for _ in range(20):
        watched.draw(CHARTS, {"raw": True})
        watched.advance(60.0, 3)
        watched.apply(read_command({"do": "scrub", "to": 1}))
        watched.draw(CHARTS, {})
    assert checksum(watched.model) == checksum(alone.model)
    assert np.array_equal(watched.history.column("smooth adam"), alone.history.column("smooth adam"))


def test_the_badge_is_worked_out_from_what_the_racers_got() -> None:
    fair, unfair = made(40), made(40, fair=False)
    assert annotation(fair, "ranking").startswith("✓ Identical at step 0")
    assert f"{checksum(build(OptimizersConfig()).race.racers[2].trainer.model):08x}" in annotation(fair, "ranking")
    assert annotation(unfair, "ranking").startswith("✗ 4 different starts")
    assert (fair.draw([], {}).status["starts"], unfair.draw([], {}).status["starts"]) == (1, 4)
    fair.race.racers[1].batches.checksum += 1
    assert "different batches" in annotation(fair, "ranking")


def test_who_diverges_leaves_with_a_sentence_and_a_mark_and_the_rest_go_on() -> None:
    run = made(100, lr=3.0)
    drawing = run.draw(CHARTS, {})
    assert drawing.status["racers"] == 2 and run.outcome == ""
    assert drawing.note.startswith("SGD (step 5) and Momentum (step 6) dropped out.")
    assert "In the lead: Adam" in drawing.note
    assert [text.partition(" dropped out")[0] for _, text in run.marks] == ["SGD", "Momentum"]
    bars = {trace["name"]: trace["x"] for trace in drawing.charts["ranking"]["data"]}
    assert np.isnan(bars["SGD"][1]) and np.isfinite(bars["Adam"][1])
    run.apply(read_command({"do": "scrub", "to": 2}))
    assert run.draw([], {}).status["racers"] == 4, "at step 2 all were still there"


def test_the_shared_rate_goes_on_when_its_first_racer_has_left() -> None:
    run = made(100, lr=3.0)
    shared = next(trace for trace in run.draw(["rates"], {}).charts["rates"]["data"] if trace["name"] == "Shared")
    assert shared["y"][-1] == pytest.approx(3.0)


def test_a_race_that_everybody_left_has_failed() -> None:
    run = build(OptimizersConfig(racers="sgd", lr=10.0))
    run.advance(60.0, 1000)
    assert run.outcome == "failed"
    assert run.draw(CHARTS, {}).note.startswith("All have dropped out")


def test_smoothed_losses_are_the_running_average_that_they_say() -> None:
    run, expected = made(), math.nan
    for step in range(20):
        if step == 0:
            expected = run.race.racers[3].loss
        run.advance(60.0, 1)
        expected = 0.9 * expected + 0.1 * run.race.racers[3].loss
        assert run.history.column("smooth adam")[-1] == pytest.approx(expected, rel=1e-6)


# Knobs that act while it runs.


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_reaches_every_optimizer(schedule: str) -> None:
    run = made(schedule=schedule, own="SGD(lr=0.5)")
    for step in range(60):
        run.advance(60.0, 1)
        factor = SCHEDULES[schedule].factor(step, 384)
        found = [racer.group["lr"] for racer in run.race.racers]
        assert found == pytest.approx([0.01 * factor] * 4 + [0.5 * factor])


def test_turned_knobs_reach_the_optimizers_and_only_those_that_train_leave_a_mark() -> None:
    run = made(10)
    memory = run.race.racers[3].copy_state()[0]["exp_avg"]
    turned = {"lr": 0.1, "momentum": 0.5, "alpha": 0.8, "beta1": 0.7, "beta2": 0.6, "batch_size": 64}
    run.tune(OptimizersConfig(**turned, over="second", inside="sgd", parameter=7, surface="bowl", surface_lr=0.3))
    groups = [racer.group for racer in run.race.racers]
    assert [group["lr"] for group in groups] == [0.1] * 4
    assert (groups[1]["momentum"], groups[2]["alpha"], groups[3]["betas"]) == (0.5, 0.8, (0.7, 0.6))
    assert len(run.race.shared.peek()[0]) == 64
    assert torch.equal(run.race.racers[3].copy_state()[0]["exp_avg"], memory)
    assert len(run.marks) == len(turned)


@pytest.mark.parametrize("name", OptimizersConfig.knobs())
def test_every_knob_builds_and_draws_at_its_ends(name: str) -> None:
    spec = OptimizersConfig.knobs()[name]
    if isinstance(spec.default, bool):
        values: list[Any] = [False, True]
    elif spec.options is not None:
        values = [spec.options[0], spec.options[-1]]
    else:
        kind = type(spec.default)
        values = ["x" * spec.max_length] if kind is str else [kind(spec.lo), kind(spec.hi)]
    for value in values:
        run = build(OptimizersConfig(**{name: value}))
        run.advance(60.0, 3)
        drawing = run.draw(CHARTS, {"raw": True})
        assert set(drawing.charts) == set(CHARTS)
        for figure in drawing.charts.values():
            assert_plotly_takes(figure)


# Own entries.


def test_own_entries_are_read_as_a_script_is() -> None:
    text = "Adam(lr=0.1, betas=(0.5, 0.9)), torch.optim.SGD(lr=1e-2, momentum=0.5, nesterov=True), SGD(), AdamW(lr=1)"
    adam, nesterov, sgd, adamw = read_entries(text, 0.3)
    assert (adam.optimizer, adam.lr, adam.settings) == ("adam", 0.1, {"beta1": 0.5, "beta2": 0.9})
    assert (nesterov.optimizer, nesterov.label, nesterov.settings) == ("nesterov", "Nesterov 0.01", {"momentum": 0.5})
    assert (sgd.optimizer, sgd.lr) == ("sgd", 0.3)
    assert (adamw.optimizer, adamw.label, adamw.name) == ("adamw", "AdamW 1", "own_4")
    assert [each.label for each in read_entries("Adam(lr=1), Adam(lr=1)", 0.1)] == ["Adam 1", "Adam 1 #2"]


BAD = ["1", "Adam", "Adam(0.1)", "Foo(lr=1)", "Adam(lr=-1)", "Adam(lr=nan)", "Adam(lr='1')", "SGD(nesterov=True)", "(",
       "Adam(lr=1e999)", "Adam(betas=0.9)", "Adam(betas=(0.9,))", "Adam(**{})", "__import__('os').system('x')",
       "Adam(lr=[].__class__)", "Adam(eps=1)", "Adam(lr=True)", "((((((", "Adam(lr=1) for x in y", "]+[", "x:=1",
       "SGD(lr=1)(lr=2)", "lambda: 1", "Adam(lr=" + "-" * 300 + "1)"]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused_with_a_sentence_and_the_race_goes_on_without(text: str) -> None:
    with pytest.raises(EntryError) as caught:
        read_entries(text, 0.1)
    assert str(caught.value)[0] in "“ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    assert str(caught.value).endswith(".")
    run = made(own=text)
    assert len(run.race.racers) == 4
    assert run.draw([], {}).note == str(caught.value)


def test_no_more_than_eight_race() -> None:
    found, problem = entries(OptimizersConfig(racers=",".join(STANDARD), own="Adam(lr=1)"))
    assert len(found) == 8 and problem.startswith("At most 8")


def test_two_equal_own_entries_run_neck_and_neck() -> None:
    run = made(30, own="Adam(lr=0.01, betas=(0.9, 0.99))")
    assert losses(run)["own_1"] == losses(run)["adam"]


# Inside.


@pytest.mark.parametrize("inside", STANDARD)
def test_the_rule_on_the_page_gives_the_weight_of_the_next_step_and_looking_back_keeps_it(inside: str) -> None:
    run = made(5, racers=",".join(STANDARD), inside=inside, parameter=45, schedule="cosine", max_steps=50)
    at = list(STANDARD).index(inside)
    said = []
    for _ in range(4):
        csv = run.draw(["rule"], {}).charts["rule"]["layout"]["meta"]["csv"]
        said.append(csv)
        run.advance(60.0, 1)
        weight = torch.cat([p.detach().ravel() for p in run.race.racers[at].parameters])[45]
        shown = float(csv.strip().rsplit('"', 2)[1].replace("−", "-"))
        assert shown == float(f"{float(weight):.4g}")
    kept = [snapshot.steps for snapshot in run.snapshots.kept]
    for step, before in zip(range(5, 9), said, strict=True):
        run.apply(read_command({"do": "scrub", "to": kept.index(step)}))
        assert run.draw(["rule"], {}).charts["rule"]["layout"]["meta"]["csv"] == before


def test_adams_first_step_is_the_learning_rate_for_every_parameter_that_has_a_gradient() -> None:
    run = made(inside="adam")
    plain, moved = run.draw(["reach"], {}).charts["reach"]["data"]
    steps = moved["y"][np.isfinite(moved["y"]) & (plain["y"] > 1e-6)]
    assert len(steps) > 20 and np.allclose(steps, 0.01, rtol=1e-2)


def test_the_memory_shown_is_the_optimizers_state() -> None:
    run = made(7, inside="adam")
    shown = {trace["name"]: trace["y"] for trace in run.draw(["memory"], {}).charts["memory"]["data"]}
    state = run.race.racers[3].trainer.optimizer.state
    means = torch.cat([state[parameter]["exp_avg"].ravel() for parameter in run.race.racers[3].parameters])
    squares = torch.cat([state[parameter]["exp_avg_sq"].ravel() for parameter in run.race.racers[3].parameters])
    assert np.array_equal(shown["m  (exp_avg)"], means.numpy())
    assert np.allclose(shown["√v  (exp_avg_sq)"], squares.sqrt().numpy())


# The surface.


@pytest.mark.parametrize("surface", SURFACES)
def test_paths_on_a_surface_are_those_of_torchs_own_optimizers(surface: str) -> None:
    config = OptimizersConfig()
    ways = Surface(surface, entries(config)[0], rate=0.003, shared=config.lr, factor=lambda _: 1.0)
    ways.walk(30)
    made = (
        lambda p: torch.optim.SGD(p, lr=0.003),
        lambda p: torch.optim.SGD(p, lr=0.003, momentum=0.8),
        lambda p: torch.optim.RMSprop(p, lr=0.003, alpha=0.9),
        lambda p: torch.optim.Adam(p, lr=0.003, betas=(0.9, 0.99)),
    )
    for racer, make in zip(ways.racers, made, strict=True):
        point = torch.tensor(SURFACES[surface].start, requires_grad=True)
        optimizer = make([point])
        for place in racer.path(30)[1:].tolist():
            optimizer.zero_grad()
            SURFACES[surface].function(point).backward()
            optimizer.step()
            assert place == pytest.approx(point.tolist(), rel=1e-4, abs=1e-5)
        assert racer.has_left or racer.steps == 30


def test_a_path_that_leaves_the_surroundings_ends_and_no_path_is_endless() -> None:
    run = made(surface="rosenbrock", surface_lr=0.1)
    run.surface.walk(10**9)
    sgd, adam = run.surface.racers[0], run.surface.racers[3]
    assert sgd.has_left and not adam.has_left and adam.steps == MAX_STEPS
    assert np.isfinite(sgd.path(MAX_STEPS)).all() and np.isfinite(adam.path(MAX_STEPS)).all()


# Saving.


def test_a_saved_race_goes_on_bit_for_bit_with_those_who_had_left() -> None:
    config = {"racers": ",".join(STANDARD), "lr": 3.0, "own": "", "schedule": "one_cycle"}
    run = made(40, **config)
    content = checkpoint.save("optimizers", run)
    restored, _ = checkpoint.restore(checkpoint.load(content), LESSON, Settings())
    assert restored.draw([], {}).status == run.draw([], {}).status
    for each in (run, restored):
        each.advance(60.0, 40)
    assert checksum(restored.model) == checksum(run.model)
    assert [r.left_at for r in restored.race.racers] == [r.left_at for r in run.race.racers]
    assert restored.race.orders == run.race.orders == 1
    assert restored.draw(CHARTS, {}).note == run.draw(CHARTS, {}).note
    restored.apply(read_command({"do": "scrub", "to": 3}))
    assert "does not contain the optimizers' state" in annotation(restored, "rule")


def test_the_data_are_the_tutorials_curve() -> None:
    data = draw_data(OptimizersConfig())
    assert data.x_train.shape == (1000, 1)
    residual = data.y_train - data.x_train**2
    assert float(residual.min()) >= 0 and float(residual.max()) <= 0.2


# The list of racers.


def test_what_the_buttons_of_the_list_turn_takes_one_racer_away_or_adds_one() -> None:
    config = OptimizersConfig(racers="sgd,adam", own="Adam(lr=0.1), SGD(lr=0.3, momentum=0.5)")
    names = [entry.name for entry in entries(config)[0]]
    turns = made(racers=config.racers, own=config.own).draw(["ranking"], {}).charts["ranking"]["layout"]["meta"]
    assert turns["racers"]["inside"] == names
    for name, (knob, value) in zip(names, turns["racers"]["remove"], strict=True):
        left = [entry.label for entry in entries(config.with_values(**{knob: value}))[0]]
        assert left == [entry.label for entry in entries(config)[0] if entry.name != name]
    for label, knob, value in turns["racers"]["add"]:
        assert label in [entry.label for entry in entries(config.with_values(**{knob: value}))[0]]
    assert len(turns["racers"]["add"]) == len(STANDARD) - 2


def test_the_last_racer_of_the_switches_stays_and_no_ninth_is_offered() -> None:
    assert list_turns(OptimizersConfig(racers="adam"))["remove"] == [None]
    assert list_turns(OptimizersConfig(racers=",".join(STANDARD)))["add"] == []
    unreadable = list_turns(OptimizersConfig(own="Adam(lr=0.1), ]"))
    assert len(unreadable["remove"]) == 4, "own entries that cannot be read do not race"


def test_the_strip_shows_the_lowest_smoothed_loss_at_each_step() -> None:
    run = made(60)
    line = run.draw(["leader"], {}).charts["leader"]["data"][0]
    columns = [run.history.column(f"smooth {racer.entry.name}") for racer in run.race.racers]
    assert np.array_equal(line["y"], np.min(columns, axis=0)) and line["x"][-1] == 60


def test_a_racers_marker_stands_at_the_end_of_its_line_and_is_a_cross_when_it_has_dropped_out() -> None:
    run = made(100, lr=3.0)
    marks = {t["name"]: t for t in run.draw(["loss"], {}).charts["loss"]["data"] if t["mode"] == "markers"}
    assert marks["Adam"]["x"][0] == 100 and marks["Adam"]["marker"]["symbol"] != "x"
    assert marks["SGD"]["marker"]["symbol"] == "x" and marks["SGD"]["x"][0] < 10


def test_list_numbers_strip_and_sentence_speak_of_the_surface_while_it_is_the_largest_picture() -> None:
    run = build(OptimizersConfig(surface="valleys"))
    at_start = run.draw([], {ON_SURFACE: True})
    assert at_start.note == "Racers at one point of the surface: 4. Press Play."
    for _ in range(60):
        run.step()
        run.draw(["surface"], {})
    seen = run.draw(["ranking", "leader"], {ON_SURFACE: True})
    names, places = (table := seen.charts["ranking"]["layout"]["meta"]["table"])["Racer"], table["Place"]
    assert dict(zip(names, places, strict=True))["Momentum"] == 1, "it passes the first valley"
    assert sorted(table) == ["Height above the lowest point", "Place", "Racer"]
    assert seen.note.startswith("Step 60 on the surface. Lowest: Momentum at 0")
    assert seen.status.keys() == {"step", "epoch", "height", "racers"} and seen.status["height"] < 0.01
    strip = seen.charts["leader"]["layout"]["meta"]["strip"]
    assert strip["lines"] == {"height": "Lowest height"} and strip["title"] == "Lowest height"
    training = run.draw(["ranking", "leader"], {ON_SURFACE: False})
    assert "height" not in training.status and training.note.startswith("Adam leads with a loss")
    assert training.charts["leader"]["layout"]["meta"]["strip"]["lines"] == {"loss": "Leader's loss"}


@pytest.mark.parametrize(("surface", "rate"), [("saddle", 0.1), ("bowl", 3.0), ("rosenbrock", 1.0)])
def test_racers_that_leave_a_surface_are_out_there_and_go_on_in_training(surface: str, rate: float) -> None:
    run = build(OptimizersConfig(surface=surface, surface_lr=rate, racers="sgd,momentum"))
    for _ in range(150):
        run.step()
        run.draw(["surface"], {})
    seen = run.draw(["ranking", "leader"], {ON_SURFACE: True})
    assert seen.status["racers"] == 0 and seen.note == "All racers have left the surface."
    assert [note["text"] for note in seen.charts["ranking"]["layout"]["annotations"]].count("out") == 2
    assert run.draw([], {}).status["racers"] == 2


def test_paths_that_are_behind_go_on_while_the_race_rests_and_one_frame_speaks_of_one_step() -> None:
    run = build(OptimizersConfig(surface="valleys"))
    for _ in range(150):
        run.step()
    behind, deadline = 0, time.monotonic() + 30
    while True:
        seen = run.draw(["ranking", "leader", "surface"], {ON_SURFACE: True})
        heights = seen.charts["ranking"]["layout"]["meta"]["table"]["Height above the lowest point"]
        assert seen.status["height"] == min(heights) and seen.note.startswith(
            f"Step {run.surface.steps} on the surface"
        )
        if not run.restless:
            break
        behind += 1
        assert time.monotonic() < deadline
    assert behind and run.surface.steps == 150
    run.step()
    run.draw(["ranking"], {ON_SURFACE: False})
    assert not run.restless, "nobody looks at the surface"
