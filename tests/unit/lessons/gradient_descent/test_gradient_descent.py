"""Gradient descent against closed forms and torch's own optimizer; the places where balls rest; the labs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from playground.data.landscapes import CURVES, SURFACES, own_landscape
from playground.engine.commands import read_command
from playground.lessons.gradient_descent import basins, rates
from playground.lessons.gradient_descent import line as line_lab
from playground.lessons.gradient_descent import surface as surface_lab
from playground.lessons.gradient_descent.descent import classify, descent_step, roll, roll_many
from playground.lessons.gradient_descent.figures import relief
from playground.lessons.gradient_descent.figures.landscapes import level_bytes
from playground.lessons.gradient_descent.line import LineConfig, LineRun
from playground.lessons.gradient_descent.surface import SurfaceConfig, SurfaceRun
from playground.settings import Settings
from tests.unit.plotly_check import assert_plotly_takes


def test_a_quadratic_contracts_by_one_minus_rate_times_curvature() -> None:
    path = roll(SURFACES["ellipse"], (3.5, 1.0), 0.15, 12)
    steps = torch.arange(13, dtype=torch.float64)
    assert torch.allclose(path.positions[:, 0], 3.5 * (1 - 0.15 * 1) ** steps, rtol=1e-12)
    assert torch.allclose(path.positions[:, 1], 1.0 * (1 - 0.15 * 10) ** steps, rtol=1e-12)
    assert path.end == "steps" and path.steps == 12


@pytest.mark.parametrize("name", SURFACES)
def test_the_path_is_what_torchs_sgd_takes(name: str) -> None:
    landscape = SURFACES[name]
    path = roll(landscape, landscape.start, landscape.lr, 25)
    ball = torch.tensor(landscape.start, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([ball], lr=landscape.lr)
    for step in range(path.steps):
        assert torch.allclose(path.positions[step], ball.detach(), rtol=1e-9, atol=1e-12)
        height = landscape.function(ball)
        assert path.heights[step].item() == pytest.approx(height.item())
        optimizer.zero_grad()
        height.backward()  # type: ignore[no-untyped-call]
        assert ball.grad is not None and torch.allclose(path.gradients[step], ball.grad, rtol=1e-9, atol=1e-9)
        optimizer.step()


@pytest.mark.parametrize(
    ("landscape", "start", "lr", "end", "kind"),
    [
        (CURVES["parabola"], (2.5,), 0.1, "flat", "global"),
        (CURVES["parabola"], (2.5,), 1.01, "left", "slope"),
        (CURVES["parabola"], (2.5,), 1.0, "steps", "slope"),  # it jumps from side to side without end
        (CURVES["valleys"], (2.1,), 0.02, "flat", "local"),
        (CURVES["valleys"], (-2.0,), 0.02, "flat", "global"),
        (CURVES["shelf"], (0.9,), 0.3, "flat", "flat"),
        (CURVES["flat_bottom"], (1.3,), 0.2, "steps", "slope"),
        (CURVES["plateau"], (4.9,), 0.5, "flat", "flat"),
        (CURVES["waves"], (5.2,), 0.05, "flat", "local"),
        (SURFACES["saddle"], (2.5, 0.0), 0.1, "flat", "saddle"),
        (SURFACES["saddle"], (2.5, 0.01), 0.1, "left", "slope"),
        (SURFACES["himmelblau"], (0.0, 0.0), 0.01, "flat", "global"),
        (SURFACES["rastrigin"], (2.4, -1.7), 0.002, "flat", "local"),
        (SURFACES["valleys"], (1.6, 1.4), 0.05, "flat", "local"),
        (SURFACES["valleys"], (-1.6, 1.4), 0.05, "flat", "global"),
        (own_landscape("(x - 1)**2 + y**2", 2), (2.0, 1.0), 0.1, "flat", "minimum"),
        (own_landscape("-x**2 - y**2", 2), (0.0, 0.0), 0.1, "flat", "maximum"),
        (own_landscape("x*y", 2), (1.0, 1.0), 0.1, "flat", "saddle"),
        (own_landscape("x**3", 1), (0.9,), 0.3, "flat", "flat"),
        (own_landscape("5", 1), (1.0,), 0.3, "flat", "flat"),
        (own_landscape("sqrt(x)", 1), (1.0,), 3.0, "left", "slope"),  # NaN left of 0
    ],
)
def test_how_a_path_ends_and_where(landscape, start, lr, end, kind) -> None:  # type: ignore[no-untyped-def]
    path = roll(landscape, start, lr, 300)
    assert path.end == end
    assert classify(landscape, path.positions[-1].tolist()).kind == kind


def test_the_limit_of_the_rate_is_two_over_the_largest_curvature() -> None:
    for landscape in (CURVES["parabola"], SURFACES["bowl"], SURFACES["ellipse"]):
        assert landscape.largest_curvature is not None
        limit = 2 / landscape.largest_curvature
        start = (1.0,) * landscape.dims
        below, above = (roll(landscape, start, factor * limit, 300) for factor in (0.99, 1.05))
        assert below.heights[-1] < 0.1 * below.heights[0]
        assert above.heights[-1] > 1000 * above.heights[0]


def test_many_balls_end_where_each_ends_alone() -> None:
    landscape, generator = SURFACES["himmelblau"], torch.Generator().manual_seed(3)
    starts = 10 * torch.rand(30, 2, generator=generator, dtype=torch.float64) - 5
    ends = roll_many(landscape, starts, 0.01, 150)
    assert ends.flat.all()
    for start, end, steps in zip(starts, ends.positions, ends.steps, strict=True):
        at = start
        for step in range(150):
            onward, _, slope = descent_step(landscape, at, 0.01)
            if slope.norm() < 1e-3:
                assert step == steps
                break
            at = onward
        alone = roll(landscape, start.tolist(), 0.01, 300).positions[-1]
        assert torch.allclose(end, alone, atol=1e-3)


def test_balls_thrown_out_do_not_disturb_the_others() -> None:
    starts = torch.tensor([[3.0, 1.9], [1e3, 1e3], [-3.0, -3.0]])
    ends = roll_many(SURFACES["himmelblau"], starts, 0.01, 200)
    assert ends.flat.tolist() == [True, False, True]
    assert math.isclose(ends.positions[0, 0].item(), 3.0, abs_tol=1e-3)


CHARTS = {LineRun: ["curve", "height"], SurfaceRun: ["levels", "relief", "height"]}


def played(run: Any) -> Any:
    """A run at the end of its path."""
    run.advance(60.0, 10_000)
    assert run.outcome == "done"
    return run


def line(**values: Any) -> LineRun:
    return LineRun(LineConfig(**values), Settings())


def test_steps_show_the_path_one_by_one_and_say_its_arithmetic() -> None:
    run = line()
    said = run.draw([], {})
    assert said.status == {"step": 0, "loss": 6.25, "x": 2.5, "gradient": 5.0, "slope": 5.0} and "x = 2.5" in said.note
    run.advance(9.0, 1)
    said = run.draw([], {})
    assert said.status == {"step": 1, "loss": 4.0, "x": 2.0, "gradient": 4.0, "slope": 4.0}
    assert said.note == "Step 1: 2.5 − 0.1 × 5 = 2. The height is now 4."


def test_each_frame_has_as_many_markers_and_those_ahead_lie_under_the_ball() -> None:
    """A chart whose number of markers changes takes a full update."""
    run = line()
    run.advance(9.0, 3)
    data = {trace["name"]: trace for trace in run.draw(["height"], {}).charts["height"]["data"]}
    every, places, ball = (data[name] for name in ("Way ahead", "Places", "Ball"))
    assert len(places["x"]) == len(every["x"]) > 4 == len(data["Path"]["x"])
    assert places["x"][:4].tolist() == [0, 1, 2, 3] and set(places["x"][4:].tolist()) == {3.0} == {*ball["x"].tolist()}
    assert places["hovertext"][-1] == "step 3"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"lr": 1.05}, "above 2 / 2 = 1"),
        ({"lr": 1.0}, "100 steps the ball still jumps between x = −2.5 and x = 2.5"),
        ({"lr": 0.01}, "All 100 steps are done, and the ground is not flat yet"),
        ({"lr": 0.5, "x": 2.0}, "Flat after 1 step: a global minimum"),
        ({"curve": "valleys", "x": 2.1, "lr": 0.02}, "local minimum of height −2.62. The lowest height is −5.44"),
        ({"curve": "valleys", "x": -2.1, "lr": 0.02}, "a global minimum"),
        ({"curve": "shelf", "x": 0.9, "lr": 0.3, "steps": 300}, "it is not in a minimum"),
        ({"curve": "shelf", "x": -0.5, "lr": 0.3}, "no bottom"),
        ({"curve": "flat_bottom", "x": 1.5, "lr": 0.9}, "is a good learning rate here"),
        ({"curve": "own", "formula": "sqrt(x)", "x": 1.0, "lr": 3.0}, "no height or no slope"),
        ({"curve": "own", "formula": "-x**2", "x": 1.0, "lr": 0.5}, "no bottom"),
        ({"curve": "own", "formula": "1 - x**2", "x": 0.0}, "top of a hill"),
    ],
)
def test_the_end_of_a_path_has_a_sentence(values: dict[str, Any], words: str) -> None:
    assert words in played(line(**values)).draw([], {}).note


@pytest.mark.parametrize("lr", [0.05, 0.1])
def test_rounding_errors_of_the_steps_are_no_places(lr: float) -> None:
    run = played(line(curve="corner", x=2.5, lr=lr))  # 2.5 is a multiple of the rate, but not in binary
    assert {abs(run.path.positions[-1].item()), abs(run.path.positions[-2].item())} != {0.0, lr}
    for at in (run.path.steps - 1, run.path.steps):
        assert "e−" not in run.narrate(at) and "x = 0" in run.narrate(at)
        assert run.status(at)["x"] in (0.0, lr, -lr)


def test_a_ball_on_the_same_height_is_not_higher() -> None:
    run = SurfaceRun(SurfaceConfig(surface="plateau", lr=3.0, x=2.45, y=1.0), Settings())
    heights = run.path.heights
    same = [at for at in range(1, run.path.steps) if 0 < heights[at] - heights[at - 1] < 1e-12]
    assert same and not any("higher" in run.narrate(at) for at in same)


def test_a_changed_rate_shows_the_whole_new_path_at_the_end_and_keeps_the_step_before() -> None:
    run = line()
    run.advance(9.0, 7)
    run.tune(LineConfig(lr=0.2))
    assert run.steps == 7 and run.outcome == ""
    assert run.draw([], {}).status["x"] == pytest.approx(2.5 * 0.6**7, rel=1e-3)
    played(run).tune(LineConfig(lr=0.01))
    assert run.outcome == "done" and run.steps == run.length == 100
    run.tune(LineConfig(lr=0.5))  # one step leads to the bottom
    assert run.draw([], {}).status["step"] == 1 and run.draw([], {}).status["x"] == 0


def test_a_start_by_the_knobs_puts_the_ball_there_and_hides_the_path_again() -> None:
    """A click in a chart sets the same knobs, so the ball, the knobs and the link agree."""
    clicked = [chart for lab in (line_lab.LAB, surface_lab.LAB) for chart in lab.charts if chart.click]
    assert [chart.knobs_set_by_click for chart in clicked] == [("x",), ("x", "y")]
    run = played(SurfaceRun(SurfaceConfig(), Settings()))
    run.tune(SurfaceConfig(x=-1.5, y=6.0))
    assert (run.steps, run.outcome) == (0, "")
    assert run.draw([], {}).status["x"] == -1.5 and run.draw([], {}).status["y"] == 4.0  # the picture's edge
    assert run.rebuilt(SurfaceConfig(x=-1.5, y=6.0)).draw([], {}).status["x"] == -1.5
    with pytest.raises(ValueError, match=r"[A-Z].*\."):
        run.apply(read_command({"do": "pick", "chart": "levels", "x": 1.0, "y": 1.0}))


HIDDEN = {"ahead": False, "log": False}


@pytest.mark.parametrize(("kind", "top"), [(LineRun, "curve"), (SurfaceRun, "levels")])
def test_the_path_ahead_and_the_minima_appear_only_when_the_ball_has_stopped_or_by_the_switch(
    kind: Any, top: str
) -> None:
    run = kind(LineConfig() if kind is LineRun else SurfaceConfig(), Settings())

    def shown(options: dict[str, bool]) -> tuple[int, int, int]:
        """Different places of the path in both charts, and the minima."""
        charts = run.draw([top, "height", "relief"], options).charts
        ahead, along = (
            next(
                np.column_stack([each["x"], each["y"]]) for each in charts[name]["data"] if each["name"] == "Way ahead"
            )
            for name in (top, "height")
        )
        stars = next(len(each["x"]) for each in charts[top]["data"] if each["name"] == "Global minimum")
        if "relief" in charts:
            assert np.isfinite(charts["relief"]["data"][0]["x"]).sum() == len(np.unique(ahead, axis=0))
        return len(np.unique(ahead, axis=0)), len(np.unique(along, axis=0)), stars

    assert shown(HIDDEN) == (1, 1, 0)
    assert shown(HIDDEN | {"ahead": True}) == (run.length + 1, run.length + 1, 1)
    run.advance(9.0, 3)
    assert shown(HIDDEN) == (4, 4, 0)
    played(run)
    assert shown(HIDDEN) == (run.length + 1, run.length + 1, 1)
    run.apply(read_command({"do": "scrub", "to": 3}))
    assert shown(HIDDEN)[2] == 1, "who looks back has seen it"
    for step, shows in ((2, 2), (10**9, run.steps)):
        run.apply(read_command({"do": "scrub", "step": step}))
        assert run.draw([], {}).time["step"] == shows


def height_axis(run: Any, options: dict[str, bool] = HIDDEN) -> tuple[dict[str, Any], Any]:
    figure = run.draw(["height"], options).charts["height"]
    return figure["layout"]["yaxis"], figure["data"][2]["y"]


@pytest.mark.parametrize("start", [line(lr=1.05), SurfaceRun(SurfaceConfig(lr=0.21), Settings())])
def test_a_diverging_ball_gets_a_logarithmic_axis_on_which_all_of_its_heights_are_seen(start: Any) -> None:
    assert height_axis(start)[0].get("type") is None, "nothing has diverged yet"
    axis, heights = height_axis(played(start))
    assert axis["type"] == "log" and 10 ** axis["range"][0] <= heights.min() <= heights.max() <= 10 ** axis["range"][1]
    assert heights.max() > 1e4 and (np.diff(np.log(heights)) > 0).mean() > 0.5


def test_a_ball_that_hardly_moves_is_a_level_line() -> None:
    run = played(line(curve="plateau", x=4.0, lr=0.5, steps=300))
    axis, heights = height_axis(run)
    low, high = axis["range"]
    assert np.ptp(heights) < 0.01 * (high - low) and low <= run.landscape.lowest


def test_a_fall_without_end_is_shown_to_its_end_once_it_has_come() -> None:
    run = SurfaceRun(SurfaceConfig(surface="saddle", x=2.5, y=0.05, lr=0.1), Settings())
    before = height_axis(run)[0]["range"]
    axis, heights = height_axis(played(run))
    assert before[0] > -20 and axis.get("type") is None
    assert axis["range"][0] <= heights.min() < -10_000


def test_the_slope_of_a_curve_has_its_sign() -> None:
    for x, slope in ((2.5, 5.0), (-1.5, -3.0)):
        assert line(x=x).draw([], {}).status["slope"] == slope
    assert line_lab.LAB.status["slope"] == "Gradient"


def test_a_step_that_is_too_short_for_three_digits_is_shown_with_more() -> None:
    run = line(curve="plateau", x=4.0, lr=0.5, steps=300)
    run.advance(9.0, 1)
    assert run.draw([], {}).note == "Step 1: 4 − 0.5 × 0.00134 = 3.999. The height is now 0.9997."


def test_a_ball_on_flat_ground_can_be_played_all_the_same() -> None:
    run = played(line(x=0.0))
    assert run.draw([], {}).status["step"] == 0
    run.resume()
    assert played(run).draw(["curve", "height"], {"log": True}).note.startswith("Flat after 0 steps")


@pytest.mark.parametrize("kind", [LineRun, SurfaceRun])
def test_every_landscape_draws_at_rest_and_on_the_way(kind: Any) -> None:
    config, field, known = (LineConfig, "curve", CURVES) if kind is LineRun else (SurfaceConfig, "surface", SURFACES)
    for name in (*known, "own"):
        run = kind(config(**{field: name, "steps": 20}), Settings())
        for log in (False, True):
            drawn = run.draw(CHARTS[kind], {"log": log})
            assert set(drawn.charts) == set(CHARTS[kind])
            for figure in drawn.charts.values():
                assert_plotly_takes(figure)
            run.advance(9.0, 5)


def test_levels_are_darker_where_it_is_higher_and_rows_come_from_the_top() -> None:
    z = np.add.outer(np.linspace(0, 1, 60), np.zeros(60))  # rises with y
    pixels = level_bytes(z).astype(int)
    assert pixels[:5].mean() > pixels[-5:].mean() + 20 and pixels.min() >= 128


def test_the_relief_shows_what_is_visible() -> None:
    places = relief.ground(0.0)
    flat = np.where(np.isnan(places).any(axis=2), np.nan, 0.5)
    pixels = relief.Relief(0.0, places, flat).pixels()
    visible = pixels > 128
    height = 2 * math.sin(relief.RISE) / (2 * relief.EDGE) * relief.ROWS  # of a square 2 long, at an angle
    assert visible[:, relief.COLUMNS // 2].sum() == pytest.approx(height, abs=3)
    assert visible.any(axis=0).sum() == pytest.approx(2 / (2 * relief.EDGE) * relief.COLUMNS, abs=3)


def test_what_lies_behind_a_hill_is_hidden() -> None:
    places = relief.ground(0.0)
    wall = np.where(np.isnan(places).any(axis=2), np.nan, np.exp(-((places[..., 1] / 0.1) ** 2)))
    made = relief.Relief(0.0, places, wall)
    spots = np.array([[0.0, -0.5], [0.0, 0.25], [0.0, 0.95], [0.0, 1.5]])
    u, v, hidden = made.project(spots, np.zeros(4))
    assert hidden.tolist() == [False, True, False, False]
    assert np.isnan(u[3]) and v[2] > v[1] > v[0]
    rotated = relief.Relief(180.0, relief.ground(180.0), wall[:, ::-1])
    assert rotated.project(np.array([[0.0, 0.5], [0.0, -0.25]]), np.zeros(2))[2].tolist() == [False, True]


def test_each_colour_of_the_basins_has_the_name_that_the_table_gives_it() -> None:
    sheet = basins.draw(basins.BasinsConfig())
    named = sheet.charts["basins"]["maps"]["classes"]
    assert list(named.values()) == [row[1] for row in sheet.tables[0].rows]


def test_basins_cut_the_double_valley_at_its_pass() -> None:
    landscape = SURFACES["valleys"]
    starts = basins.grid_of_starts(landscape, 20)
    ends = roll_many(landscape, starts, 0.05, 150)
    reached = basins.assign(landscape, ends, basins.goals_of(landscape, ends, 0.05))
    assert torch.equal(reached, (starts[:, 0] > 0.0754).long())  # 4x³ - 4x + 0.3 = 0 has its middle root there


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"surface": "ellipse", "lr": 0.0001, "steps": 150}, "few steps"),  # more than 150 steps cannot be chosen
        ({"surface": "ellipse", "lr": 0.2}, "none reach"),  # at the limit itself they jump for ever
        ({"surface": "bowl", "lr": 1.0}, "none reach"),
        ({"surface": "own", "formula": "x + y"}, "none found"),
        ({"surface": "own", "formula": "x**2 + y**2", "lr": 3.0}, "none found"),
    ],
)
def test_where_no_ball_ends_in_a_minimum_the_note_says_what_helps(values: dict[str, Any], sentence: str) -> None:
    config = basins.BasinsConfig(**values)
    assert basins.draw(config).note == basins.SENTENCES[sentence].format(lr=f"{config.lr:g}", steps=config.steps)


def test_one_ball_of_all_is_not_zero_percent() -> None:
    balls = torch.zeros(basins.STARTS**2)
    balls[0] = 1
    assert [basins._percent(each) for each in (balls, 1 - balls, 0 * balls)] == ["0.02 %", "99.98 %", "0 %"]


def test_an_own_surfaces_minima_are_found() -> None:
    landscape = own_landscape("(x**2 - 1)**2 + y**2 + 0.1*x", 2)
    ends = roll_many(landscape, basins.grid_of_starts(landscape, 24), 0.02, 150)
    goals = basins.goals_of(landscape, ends, 0.02)
    assert goals.shape == (2, 2)
    assert goals[:, 0].tolist() == pytest.approx([-1.0122, 0.9870], abs=2e-3)


@pytest.mark.parametrize("surface", rates.NAMES)
def test_the_measured_factor_is_the_theorys(surface: str) -> None:
    sheet = rates.draw(rates.RatesConfig(surface=surface))
    theory = {trace["name"]: trace["y"] for trace in sheet.charts["factors"]["data"] if trace["mode"] == "lines"}
    measured = {trace["name"]: trace["y"] for trace in sheet.charts["factors"]["data"] if trace["mode"] == "markers"}
    for name, values in theory.items():
        assert np.allclose(measured[f"{name}, measured"], values[1::2], atol=0.02), name


def test_the_note_names_the_limit() -> None:
    note = rates.draw(rates.RatesConfig(large=8.0, small=0.5, share=1.0)).note
    assert "2 / 8 = **0.25**" in note and "0.875 along the valley and by 1 across it" in note


def test_where_no_ball_ends_in_a_minimum_the_page_says_why() -> None:
    assert "No ball ends in a minimum" not in basins.draw(basins.BasinsConfig()).note
    few = basins.draw(basins.BasinsConfig(surface="plateau", lr=0.0001, steps=5)).note
    assert few.startswith("**No ball has reached a minimum after 5 steps.**")
