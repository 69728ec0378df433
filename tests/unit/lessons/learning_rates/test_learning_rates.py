"""The lesson Learning rates: a sweep is many trainings as torch would do them, and the theory is what is measured."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.engine.commands import read_command
from playground.figures.images import ZERO
from playground.lessons.learning_rates import momentum as plane
from playground.lessons.learning_rates.config import LABELS, TUTORIAL, draw_points, rates_of
from playground.lessons.learning_rates.lesson import LESSON
from playground.lessons.learning_rates.momentum import MomentumConfig, polyak, roots, spectral_radius
from playground.lessons.learning_rates.narrator import WHO_WINS_RULES, Measured
from playground.lessons.learning_rates.run import KEPT_STEPS, MAX_TRAININGS, SweepRun
from playground.lessons.learning_rates.schedules import SchedulesConfig, planned
from playground.lessons.learning_rates.schedules import build as build_schedules
from playground.lessons.learning_rates.sweep import RATES, SweepConfig, WhoWinsConfig, build_map, build_who_wins
from playground.lessons.learning_rates.trainings import (
    MAX_LOSS,
    Sweep,
    batches_of,
    has_diverged,
    start_model,
)
from playground.lessons.narrator import first_finding
from playground.training.optimizers import OPTIMIZERS, SCHEDULES, build_optimizer
from playground.training.stacked import StackedPart
from tests.unit.plotly_check import assert_plotly_takes

LIVE = {lab.name: lab for lab in LESSON.labs if lab.build}
SMALL = {"optimizers": "sgd,adam", "seeds": 1, "steps": 100}


def run_of(name: str, **knobs: Any) -> Any:
    lab = LIVE[name]
    assert lab.build is not None
    return lab.build(lab.config(**knobs))


def train_alone(name: str, lr: float, seed: int, data: tuple[torch.Tensor, torch.Tensor], steps: int) -> nn.Module:
    """One training as torch does it, on the batches that the sweep's seed sees."""
    model, batches = start_model(seed), batches_of(seed, data, 32)
    optimizer = build_optimizer(name, model.parameters(), lr=lr, weight_decay=0.01, settings=TUTORIAL)
    for _ in range(steps):
        x, y = batches.next()
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


# The sweep.


def test_each_cell_is_the_training_that_torch_would_do_alone() -> None:
    """Every optimizer at two rates and two seeds, 60 steps: losses agree to 2 per cent."""
    data = draw_points(0.1, 0)
    names, rates, seeds, steps = list(OPTIMIZERS), [0.003, 0.03], [4, 5], 60
    parts = [StackedPart(name, TUTORIAL | {"weight_decay": 0.01}) for name in names]
    sweep = Sweep(parts, rates, seeds, data, batch_size=32)
    for _ in range(steps):
        sweep.step()
    losses = sweep.losses()
    assert losses.shape == (len(names), 2, 2)
    for row, name in enumerate(names):
        for column, rate in enumerate(rates):
            for at, seed in enumerate(seeds):
                alone = train_alone(name, rate, seed, data, steps)
                with torch.no_grad():
                    loss = float(nn.functional.mse_loss(alone(data[0]), data[1]))
                assert losses[row, column, at] == pytest.approx(loss, rel=0.02), (name, rate, seed)


def test_all_trainings_of_a_seed_begin_alike_and_seeds_differ() -> None:
    run = build_map(SweepConfig(seeds=3))
    start = run.losses(0)
    assert (start == start[:1, :1]).all()
    assert len(set(start[0, 0].tolist())) == 3


def test_losses_of_a_part_are_those_of_the_whole() -> None:
    """They are measured some copies at a time."""
    run = build_map(SweepConfig(seeds=3, rates=31))
    run.advance(60.0, 3)
    x, y = run.sweep.points
    with torch.no_grad():
        whole = (run.sweep.model(x.expand(len(run.sweep.model), -1, -1)) - y).square().mean(dim=(1, 2))
    np.testing.assert_allclose(run.sweep.losses().ravel(), whole.numpy(), rtol=1e-5)


def test_a_loss_that_is_not_finite_or_too_large_has_diverged() -> None:
    losses = np.array([0.1, MAX_LOSS, MAX_LOSS * 1.01, np.inf, np.nan])
    assert has_diverged(losses).tolist() == [False, False, True, True, True]


def test_diverged_cells_are_marked_and_said_and_leave_no_colour() -> None:
    run = build_map(SweepConfig(**SMALL))
    run.advance(60.0, 100)
    lost = has_diverged(run.losses(100)).any(axis=2)
    assert lost[0, -1] and not lost[1].any(), "SGD diverges at 10, Adam nowhere"
    figure = run.figures(100, {})["map"]()
    cells, _, crosses, rings = figure["data"]
    assert np.array_equal(np.isnan(cells["z"]), lost.ravel())
    shades = figure["maps"]["values"].astype(int)
    assert np.array_equal(shades == ZERO, lost.ravel()), "no colour"
    kept = np.argsort(cells["z"])[: (~lost).sum()]
    assert (np.diff(shades[kept]) <= 0).all() and shades[kept[0]] > shades[kept[-1]] + 20, "the lowest is the strongest"
    assert len(crosses["x"]) == lost.sum() == run.status(100)["diverged"] > 0
    assert all("1 of 1 diverged" in word for word in crosses["text"])
    assert len(rings["x"]) == 2
    assert 10 ** rings["x"][1] == pytest.approx(run.rates[run.means(100)[0][1].argmin()])


def test_an_optimizer_that_diverges_everywhere_has_no_best_rate() -> None:
    run = build_map(SweepConfig(**SMALL))
    run.kept[0] = np.full_like(run.kept[0], np.nan)
    run.kept[0][1, 3] = 0.5
    assert run.best(0).tolist() == [-1, 3]
    for chart in LIVE["learning_rates_sweep"].charts:
        assert_plotly_takes(run.figures(0, {})[chart.name]())
    run.kept[0][:] = np.nan
    run.steps = run.sweep.steps = 1
    assert run.narrate(1) == "All trainings have diverged."
    assert_plotly_takes(run.figures(1, {})["map"]())


def test_a_cell_with_one_diverged_seed_says_how_many() -> None:
    run = build_map(SweepConfig(optimizers="sgd", seeds=3))
    run.kept[0][0, 2, 1] = np.inf
    assert run.cell_texts(0)[2].endswith("1 of 3 diverged") and np.isnan(run.means(0)[0][0, 2])


def test_time_slider_shows_the_losses_of_then() -> None:
    run = build_map(SweepConfig(**SMALL | {"steps": 800}))
    run.advance(60.0, 90)
    assert len(run.kept_steps) <= KEPT_STEPS + 2 and run.kept_steps[:3] == [0, 12, 24]
    assert run.losses(23) is run.kept[1] and run.losses(24) is run.kept[2] and run.losses(90) is run.kept[7]
    run.apply(read_command({"do": "scrub", "to": 30}))
    assert run.draw(["map"], {}).status["step"] == 30


def test_last_step_is_measured_and_playing_again_trains_no_further() -> None:
    run = build_map(SweepConfig(**SMALL))
    run.advance(60.0, 1000)
    assert run.outcome == "done" and run.kept_steps[-1] == 100
    end = run.losses(100)
    run.resume()
    run.advance(60.0, 1000)
    assert run.sweep.steps == 100 and run.losses(100) is end


def test_same_config_gives_the_same_in_slices_and_watched() -> None:
    one, other = build_map(SweepConfig(**SMALL)), build_map(SweepConfig(**SMALL))
    one.advance(60.0, 100)
    while not other.outcome:
        other.advance(60.0, 7)
        other.draw(["map", "best", "course"], {"spread": True})
    assert torch.equal(one.sweep.model.flat.nan_to_num(7.0), other.sweep.model.flat.nan_to_num(7.0))


def test_too_many_trainings_are_refused_with_a_sentence() -> None:
    everything = ",".join(OPTIMIZERS)
    with pytest.raises(ValueError, match="at most 2,250 fit here"):
        build_map(SweepConfig(optimizers=everything, seeds=9, rates=61))
    assert MAX_TRAININGS >= 8 * 31 * 9
    build_map(SweepConfig(optimizers=everything, seeds=9))


def test_rates_are_round_and_evenly_spread() -> None:
    assert rates_of(16)[::3] == [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0] == rates_of(61)[::12]
    assert rates_of(31)[12] == RATES[12] == 0.01
    np.testing.assert_allclose(np.diff(np.log10(rates_of(61))), 1 / 12, atol=1e-3)


# Who wins.


def trained_winner(**knobs: Any) -> Any:
    run = build_who_wins(WhoWinsConfig(**knobs))
    run.advance(60.0, 1000)
    return run


@pytest.fixture(scope="module")
def winner() -> SweepRun:
    return trained_winner()


def test_who_is_first_depends_on_the_rate_as_the_page_says(winner: SweepRun) -> None:
    def first_and_last(rate: float) -> tuple[str, str]:
        column = RATES.index(rate)
        places = {line.name: line.y[column] for line in winner.ranks(400) if np.isfinite(line.y[column])}
        return min(places, key=places.get), max(places, key=places.get)

    assert first_and_last(0.01) == ("Adam", "Adadelta")
    assert first_and_last(0.3162)[0] == "SGD"
    assert first_and_last(1.0)[0] == "Adadelta"
    best = winner.best(400)
    mean = winner.means(400)[0]
    lowest = mean[np.arange(len(best)), best]
    assert lowest.max() < 1.1 * lowest.min(), "tuned, they end within a tenth of each other"
    assert RATES[best.max()] / RATES[best.min()] > 200


def test_ranking_is_by_the_mean_loss_and_the_diverged_come_last(winner: SweepRun) -> None:
    winner.tune(WhoWinsConfig(rate=1.0))
    figure = winner.figures(400, {})["ranking"]()
    mean = winner.means(400)[0][:, RATES.index(1.0)]
    points = [trace for trace in figure["data"] if trace["mode"] == "markers"]
    names = [trace["name"] for trace in sorted(points, key=lambda trace: float(trace["y"][0]))]
    order = sorted(range(len(mean)), key=lambda row: (math.isnan(mean[row]), mean[row]))
    assert names == [LABELS[winner.names[row]] for row in order]
    said = [note["text"] for note in figure["layout"]["annotations"]][1::2]  # the others are the names
    assert [text.startswith("diverged") for text in said] == sorted(np.isnan(mean).tolist()) and "diverged" in said
    sentence = winner.narrate(400)
    assert sentence.startswith("At 1 after step 400: lowest loss") and sentence.endswith("Diverged: 2 of 7.")


@pytest.mark.parametrize("steps", [0, 5])
def test_nothing_is_ranked_before_the_first_measured_step(steps: int) -> None:
    """Losses are measured every sixth step: until then all optimizers have the loss of the start."""
    names = {"optimizers": "sgd,adam,adamw", "seeds": 1}
    for run in (build_map(SweepConfig(**names)), build_who_wins(WhoWinsConfig(**names))):
        if steps:
            run.advance(60.0, steps)
        drawn = {name: draw() for name, draw in run.figures(steps, {}).items()}
        places = [f"{place}. {name}" for place in (1, 2, 3) for name in ("SGD", "Adam", "AdamW")]
        texts = " ".join(str(note["text"]) for each in drawn.values() for note in each["layout"].get("annotations", ()))
        assert not any(place in texts for place in places) and "at 0" not in texts
        for chart in drawn.keys() & {"map", "ranks"}:
            marked = [each for each in drawn[chart]["data"] if chart == "ranks" or each["name"] == "Best rate of each"]
            assert marked and not any(each["visible"] for each in marked)
        assert "Press Play" in run.narrate(steps)


def test_equal_losses_share_a_place_and_are_named_together() -> None:
    run = build_who_wins(WhoWinsConfig(optimizers="sgd,adam,adamw", seeds=1, steps=100, rate=0.01))
    run.advance(60.0, 100)  # without weight decay AdamW is Adam
    texts = [note["text"] for note in run.figures(100, {})["ranking"]()["layout"]["annotations"]]
    assert texts[::2] == ["1. Adam", "1. AdamW", "3. SGD"]
    assert [line.y[RATES.index(0.01)] for line in run.ranks(100)] == [3, 1, 1]
    assert "(Adam and AdamW), highest" in run.narrate(100)


def test_a_ranking_names_a_last_one_only_where_there_is_one() -> None:
    def say(*values: float) -> str:
        now = Measured(1, ["A", "B", "C"][: len(values)], np.array(values), rate="0.1")
        return first_finding(WHO_WINS_RULES, now).text

    assert say(0.5) == "At 0.1 after step 1: the loss of A is 0.5."
    assert say(0.5, 0.5) == "At 0.1 after step 1: A and B have the same loss, 0.5."
    assert say(0.5, math.nan) == "At 0.1 after step 1: the loss of A is 0.5. All others have diverged."
    assert say(0.5, 0.25, 0.5) == "At 0.1 after step 1: lowest loss 0.25 (B), highest 0.5 (A and C)."
    assert say(0.5, 0.25, math.nan).endswith("highest 0.5 (A). Diverged: 1 of 3.")
    assert say(math.nan, math.nan).startswith("At 0.1 all have diverged.")


def test_a_click_picks_the_nearest_rate_and_the_knob_takes_it_back(winner: SweepRun) -> None:
    winner.tune(WhoWinsConfig())
    winner.apply(read_command({"do": "pick", "chart": "lines", "x": math.log10(0.3), "y": 0.0}))
    assert "At 0.3162 after step 400: lowest loss 0.008727 (SGD)" in winner.narrate(400)
    winner.tune(WhoWinsConfig(rate=0.1))
    assert "At 0.1 " in winner.narrate(400)
    for bad in ({"x": math.nan}, {"x": "1"}, {"x": None}, {}):
        with pytest.raises(ValueError, match="numbers from -1e6"):
            winner.apply(read_command({"do": "pick", **bad, "y": 0.0}))
    with pytest.raises(ValueError, match="does not know"):
        winner.apply(read_command({"do": "add", "x": 0.0, "y": 0.0}))


# Schedules.


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_training_with_a_schedule_is_torchs_with_these_rates(name: str) -> None:
    """To a relative tolerance of 1e-3 after 100 steps, momentum and batches included."""
    config = SchedulesConfig(schedules=name, optimizer="momentum", lr=0.1, steps=100)
    run = build_schedules(config)
    run.advance(60.0, 100)
    data = draw_points(config.noise, config.seed)
    model, batches = start_model(config.seed), batches_of(config.seed, data, config.batch_size)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.8)
    for step in range(100):
        optimizer.param_groups[0]["lr"] = 0.1 * SCHEDULES[name].factor(step, 100)
        x, y = batches.next()
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        on_data = float((model(data[0]) - data[1]).square().mean())
        to_curve = float((model(data[0]) - data[0].pow(2)).square().mean())
    assert run.losses[0, 0, 100] == pytest.approx(on_data, rel=1e-3)
    assert run.losses[1, 0, 100] == pytest.approx(to_curve, rel=1e-2)


def test_rates_drawn_are_those_used() -> None:
    run = build_schedules(SchedulesConfig(steps=100))
    traces = run.figures(50, {})["rates"]()["data"]
    used = planned(list(SCHEDULES), 0.1, 100)
    for row, trace in enumerate(traces[:5]):
        assert np.array_equal(trace["y"], used[row])
    run.advance(60.0, 30)
    assert np.array_equal(run.optimizer.lr[:, 0].numpy(), used[:, 29])


def test_schedules_end_as_the_page_says() -> None:
    def ends(**knobs: Any) -> dict[str, float]:
        run = build_schedules(SchedulesConfig(**knobs))
        run.advance(60.0, 1000)
        return dict(zip(run.names, run.losses[1, :, -1].tolist(), strict=True))

    settled = ends()
    assert max(settled["cosine"], settled["one_cycle"]) < settled["constant"] / 3
    dead = ends(optimizer="sgd", lr=0.5)
    assert min(dead[name] for name in ("constant", "step", "cosine")) > 10 * max(dead["warm_up"], dead["one_cycle"])
    gentle = ends(lr=0.01)
    assert min(gentle, key=lambda name: gentle[name]) == "constant"


def test_diverged_schedules_are_said() -> None:
    run = build_schedules(SchedulesConfig(optimizer="nesterov", lr=1.0, steps=100, noise=0.0, schedules="constant"))
    run.losses[:, :, 1:] = np.nan
    run.trained, run.steps = 100, 100
    assert run.narrate(100).startswith("All have diverged") and run.status(100) == {}


# Rate and momentum.


@pytest.mark.parametrize("lr", [0.1, 1.0, 1.9, 2.5])
@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.8, 0.95])
def test_radius_is_that_of_the_momentum_matrix(lr: float, momentum: float) -> None:
    for curvature in (0.05, 1.0):
        matrix = np.array([[1 + momentum - lr * curvature, -momentum], [1, 0]])
        expected = np.abs(np.linalg.eigvals(matrix)).max()
        assert float(spectral_radius(lr, momentum, (curvature,))) == pytest.approx(expected, abs=1e-7)
        one, other = roots(lr, momentum, curvature)
        assert one * other == pytest.approx(momentum) and one + other == pytest.approx(matrix[0, 0])


@pytest.mark.parametrize(
    ("lr", "momentum"), [(1.0, 0.8), (1.0, 0.0), (0.3, 0.5), (2.5, 0.6), (3.0, 0.2), (1.9, 0.0), (1.0, 0.95)]
)
def test_torchs_sgd_goes_at_the_rate_of_the_theory(lr: float, momentum: float) -> None:
    config = MomentumConfig(lr=lr, momentum=momentum)
    measured = plane.measured_rate(plane.descend(config))
    assert measured == pytest.approx(float(spectral_radius(lr, momentum, (config.small, config.large))), rel=0.005)


@pytest.mark.parametrize(("small", "large"), [(0.01, 1.0), (0.2, 1.0), (0.05, 4.0), (1.0, 1.0)])
def test_no_pair_is_faster_than_polyaks(small: float, large: float) -> None:
    lr, momentum = polyak(small, large)
    best = float(spectral_radius(lr, momentum, (small, large)))
    ratio = (large / small) ** 0.5
    assert best == pytest.approx((ratio - 1) / (ratio + 1), abs=1e-7)
    rates, momenta = np.linspace(0.001, 4, 401), np.linspace(0, 0.999, 400)[:, None]
    assert spectral_radius(rates, momenta, (small, large)).min() >= best - 1e-7


def test_regions_have_their_borders_where_the_theory_puts_them() -> None:
    assert [int(plane.regions(lr, 0.0, (1.0,))) for lr in (0.5, 0.99, 1.01, 1.99, 2.01)] == [0, 0, 1, 1, 2]
    lr, b = 0.5, (1 - 0.5**0.5) ** 2
    assert [int(plane.regions(lr, b + move, (1.0,))) for move in (-0.001, 0.001)] == [0, 1]
    assert [int(plane.regions(2 * (1 + 0.5) + move, 0.5, (1.0,))) for move in (-0.01, 0.01)] == [1, 2]
    assert int(plane.regions(1.0, 0.0, (0.05, 3.0))) == 2, "the largest curvature decides"


def test_monotone_coordinates_never_change_their_sign_and_oscillating_ones_do() -> None:
    for lr, momentum in ((0.5, 0.0), (0.2, 0.2), (1.5, 0.0), (1.0, 0.5), (0.3, 0.9)):
        config = MomentumConfig(lr=lr, momentum=momentum, small=1.0)
        path = plane.descend(config)[:, 1]
        changes = (np.sign(path[1:41]) != np.sign(path[:40])).any()
        assert changes == (int(plane.regions(lr, momentum, (1.0,))) == 1), (lr, momentum)


def test_map_has_the_region_and_the_strength_of_each_pixel() -> None:
    values = plane.pixels((0.05, 1.0)).reshape(plane.SIDE, plane.SIDE)
    lr, momentum = polyak(0.05, 1.0)
    row = plane.SIDE - 1 - int(momentum * plane.SIDE)
    column = int(lr / plane.MAX_PAIR[0] * plane.SIDE)
    assert values[row, column - 2] // 51 == 2 and values[row, column - 2] % 51 > 35
    assert values[-1, -1] // 51 == 1 and values[-1, 1] // 51 == 0 and values[1, 80] // 51 == 2


def test_a_round_bowl_is_done_in_one_step() -> None:
    config = MomentumConfig(small=1.0, momentum=0.0)
    assert plane.measured_rate(plane.descend(config)) == 0.0
    assert polyak(1.0, 1.0) == (1.0, 0.0)
    assert "**0.0000**" in plane.draw(config).note


# All live labs.


@pytest.mark.parametrize("name", LIVE)
def test_every_chart_is_drawn_at_any_time(name: str) -> None:
    lab, run = LIVE[name], run_of(name, steps=100)
    for steps in (0, 1, 40):
        run.advance(60.0, steps)
        drawing = run.draw([chart.name for chart in lab.charts], {"spread": steps == 40})
        assert drawing.charts.keys() == {chart.name for chart in lab.charts}
        for figure in drawing.charts.values():
            assert_plotly_takes(figure)
        assert drawing.status.keys() <= lab.status.keys() - {"steps_per_second"}
        assert drawing.note.endswith(".") and "nan" not in drawing.note


@pytest.mark.parametrize("name", LIVE)
def test_figures_keep_their_ranges_from_step_to_step(name: str) -> None:
    run = run_of(name, steps=100)
    charts = [chart.name for chart in LIVE[name].charts]

    def ranges() -> list[Any]:
        layouts = [figure["layout"] for figure in run.draw(charts, {}).charts.values()]
        return [layout[axis]["range"] for layout in layouts for axis in ("xaxis", "yaxis")]

    before = ranges()
    run.advance(60.0, 50)
    assert ranges() == before
