"""The lesson Activations against formulas written again in NumPy: functions, slopes, depth, units, precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.lessons.activations import precision
from playground.lessons.activations.curves import AllConfig, CurvesConfig, draw_all, draw_curves
from playground.lessons.activations.depth import (
    DepthConfig,
    draw_depth,
    forward_and_backward,
    signal,
)
from playground.lessons.activations.figures.depth import BINS, MAX_SHOWN, bin_shares, sizes
from playground.lessons.activations.figures.ranges import lanes
from playground.lessons.activations.functions import FUNCTIONS, has_kink, sides, with_slope
from playground.lessons.activations.softmax import SoftmaxConfig, draw_softmax
from playground.lessons.activations.units import UnitsConfig, draw_units, train_units, units
from playground.training.models import ACTIVATIONS

Formula = Callable[..., Any]
phi = np.vectorize(lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi))
cdf = np.vectorize(lambda x: (1 + math.erf(x / math.sqrt(2))) / 2)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def mish_slope(x: Any) -> Any:
    t = np.tanh(np.log1p(np.exp(x)))
    return t + x * (1 - t * t) * sigmoid(x)


# f and f' of every function on offer, written a second time. At a kink f' is what torch decides on.
FORMULAS: dict[str, tuple[Formula, Formula]] = {
    "relu": (lambda x: np.maximum(0, x), lambda x: np.where(x > 0, 1.0, 0.0)),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "softplus": (lambda x, beta: np.log1p(np.exp(beta * x)) / beta, lambda x, beta: sigmoid(beta * x)),
    "softmax": (
        lambda x, temperature, rivals: np.exp(x / temperature) / (np.exp(x / temperature) + rivals),
        lambda x, temperature, rivals: (
            rivals * np.exp(x / temperature) / (np.exp(x / temperature) + rivals) ** 2 / temperature
        ),
    ),
    "leaky_relu": (
        lambda x, negative_slope: np.where(x > 0, x, negative_slope * x),
        lambda x, negative_slope: np.where(x > 0, 1.0, negative_slope),
    ),
    "elu": (
        lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)),
        lambda x, alpha: np.where(x > 0, 1.0, alpha * np.exp(x)),
    ),
    "gelu": (lambda x: x * cdf(x), lambda x: cdf(x) + x * phi(x)),
    "silu": (
        lambda x, beta: x * sigmoid(beta * x),
        lambda x, beta: sigmoid(beta * x) + beta * x * sigmoid(beta * x) * (1 - sigmoid(beta * x)),
    ),
    "mish": (lambda x: x * np.tanh(np.log1p(np.exp(x))), mish_slope),
    "hardswish": (
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        lambda x: np.where(x <= -3, 0.0, np.where(x >= 3, 1.0, (2 * x + 3) / 6)),
    ),
    "step": (lambda x: np.where(x > 0, 1.0, np.where(x < 0, 0.0, 0.5)), lambda x: np.zeros_like(x)),
}
OTHER_PARAMETERS = {"negative_slope": 0.3, "alpha": 1.7, "beta": 2.5, "temperature": 0.5, "rivals": 4}
each_function = pytest.mark.parametrize("name", FUNCTIONS)
each_setting = pytest.mark.parametrize("other", [False, True], ids=["default", "other parameters"])


def parameters(name: str, *, other: bool) -> dict[str, float | int]:
    own = FUNCTIONS[name].parameters
    return {each: OTHER_PARAMETERS[each] if other else own[each] for each in own}


def value_of(cell: str) -> float:
    """A number of a table: its minus sign is not a hyphen."""
    assert "-" not in cell and cell not in ("−0", "−0.0000")
    return float(cell.replace("−", "-"))


def points(name: str) -> torch.Tensor:
    """x from -8 to 8 with the kinks among them."""
    return torch.cat([torch.linspace(-8, 8, 161, dtype=torch.float64), torch.tensor(FUNCTIONS[name].kinks).double()])


def test_every_function_has_a_formula_here() -> None:
    assert set(FORMULAS) == set(FUNCTIONS)


@each_setting
@each_function
def test_function_and_slope_are_those_of_the_formula(name: str, other: bool) -> None:
    values, x = parameters(name, other=other), points(name)
    y, slope = with_slope(FUNCTIONS[name].with_parameters(values), x)
    f, f_slope = FORMULAS[name]
    np.testing.assert_allclose(y.numpy(), f(x.numpy(), **values), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(slope.numpy(), f_slope(x.numpy(), **values), rtol=1e-7, atol=1e-9)


@each_setting
@each_function
def test_slope_is_the_limit_of_differences_away_from_kinks(name: str, other: bool) -> None:
    function = FUNCTIONS[name].with_parameters(parameters(name, other=other))
    x, h = points(name) + 0.0137, 1e-6  # no kink is within h
    differences = (function(x + h) - function(x - h)) / (2 * h)
    assert torch.allclose(with_slope(function, x)[1], differences, rtol=1e-5, atol=1e-7)


@each_function
def test_a_kink_is_where_the_slope_differs_on_the_two_sides_and_nowhere_else(name: str) -> None:
    function = FUNCTIONS[name].with_parameters(parameters(name, other=True))
    for x in np.linspace(-4, 4, 41).round(6):
        assert has_kink(function, x) == (x in FUNCTIONS[name].kinks), x


def test_elu_has_a_kink_unless_alpha_is_one() -> None:
    assert len(draw_curves(CurvesConfig(function="elu")).tables) == 1
    (_, kinks) = draw_curves(CurvesConfig(function="elu", alpha=2.0)).tables
    assert kinks.rows == (("ELU", "0", "2", "1", "2"),)


def test_sides_are_the_slopes_left_and_right() -> None:
    assert sides(torch.abs, 0.0) == pytest.approx((-1, 1))
    assert sides(torch.square, 3.0) == pytest.approx((6, 6), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "span"),
    [("relu", (-1, 5)), ("sigmoid", (-0.2, 1.2)), ("tanh", (-1.2, 1.2)), ("softplus", (-0.2, 6))],
)
def test_charts_have_the_tutorials_ranges(name: str, span: tuple[float, float]) -> None:
    figure = draw_curves(CurvesConfig(function=name)).charts["function"]
    assert figure["layout"]["xaxis"]["range"] == [-5, 5]
    assert figure["layout"]["yaxis"]["range"] == list(span)


@each_function
def test_changing_a_parameter_moves_the_curve_and_not_the_axes(name: str) -> None:
    before = draw_curves(CurvesConfig(function=name)).charts
    after = draw_curves(CurvesConfig(function=name, **parameters(name, other=True))).charts
    for chart in ("function", "slope"):
        assert before[chart]["layout"]["yaxis"]["range"] == after[chart]["layout"]["yaxis"]["range"]
    moved = not np.array_equal(before["function"]["data"][0]["y"], after["function"]["data"][0]["y"], equal_nan=True)
    assert moved == bool(FUNCTIONS[name].parameters)


@each_function
def test_the_curve_stays_within_its_chart(name: str) -> None:
    for reach in (1.0, 5.0, 10.0):
        figure = draw_curves(CurvesConfig(function=name, reach=reach, **parameters(name, other=True)))
        for chart in figure.charts.values():
            low, high = chart["layout"]["yaxis"]["range"]
            values = chart["data"][0]["y"]
            assert low <= np.nanmin(values) and np.nanmax(values) <= high


def test_a_jump_is_a_gap_and_not_a_vertical_line() -> None:
    step = draw_curves(CurvesConfig(function="step")).charts["function"]["data"][0]
    before, after = np.flatnonzero(step["y"] == 0)[-1], np.flatnonzero(step["y"] == 1)[0]
    assert np.isnan(step["y"][before + 1 : after]).all() and after - before == 2
    for name, each in FUNCTIONS.items():
        (slope, *_) = draw_curves(CurvesConfig(function=name)).charts["slope"]["data"]
        assert np.isnan(slope["y"]).sum() == len(each.kinks), name


def test_the_tables_say_what_the_probe_reads_and_what_torch_says_at_the_kink() -> None:
    values, kinks = draw_curves(CurvesConfig(function="tanh", against="relu", probe=0.5)).tables
    assert values.rows[0][-2:] == (f"{math.tanh(0.5):.6g}", f"{1 - math.tanh(0.5) ** 2:.6g}")
    assert kinks.rows == (("ReLU", "0", "0", "1", "0"),)
    assert "outside" in draw_curves(CurvesConfig(probe=7.0)).note
    assert draw_curves(CurvesConfig(probe=7.0, reach=8.0)).note == ""


def test_all_at_once_reads_every_function_at_the_probe() -> None:
    sheet = draw_all(AllConfig(probe=-2.0))
    figure = sheet.charts["all"]
    assert [note["text"] for note in figure["layout"]["annotations"]] == [each.label for each in FUNCTIONS.values()]
    assert len({trace["xaxis"] for trace in figure["data"]}) == len(FUNCTIONS), "each has axes of its own"
    assert [trace["name"] for trace in figure["data"] if trace["showlegend"]] == ["Slope"]
    for (name, each), row in zip(FUNCTIONS.items(), sheet.tables[0].rows, strict=True):
        f, f_slope = FORMULAS[name]
        at = np.array([-2.0])
        assert [value_of(cell) for cell in row[2:]] == pytest.approx(
            [f(at, **each.parameters).item(), f_slope(at, **each.parameters).item()], rel=1e-4, abs=1e-6
        )


def test_softmax_shares_sum_to_one_and_answer_to_every_score_and_softplus_to_its_own() -> None:
    config = SoftmaxConfig(z1=0.5, z2=-1.0, z3=3.0, z4=0.0, temperature=2.0, push=3)
    sheet = draw_softmax(config)
    e = np.exp(np.array([0.5, -1.0, 3.0, 0.0]) / 2)
    share = e / e.sum()
    np.testing.assert_allclose(sheet.charts["softmax"]["data"][0]["y"], share, rtol=1e-9)
    np.testing.assert_allclose(sheet.charts["softplus"]["data"][0]["y"], np.log1p(e**2), rtol=1e-9)
    rows = sheet.tables[0].rows
    jacobian = share * ((np.arange(4) == 2) - share[2]) / 2
    assert [value_of(row[3]) for row in rows[:4]] == pytest.approx(jacobian, abs=6e-5)
    assert [value_of(row[5]) for row in rows[:4]] == pytest.approx([0, 0, sigmoid(3.0), 0], abs=6e-5)
    assert rows[4][2:4] == ("1.0000", "0.0000")


# Depth.


def test_gradients_on_the_way_back_are_those_of_the_chain_rule() -> None:
    generator = torch.Generator().manual_seed(1)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 5), nn.Sigmoid())
    for parameter in model.parameters():
        nn.init.normal_(parameter, generator=generator)
    x, g = torch.randn(7, 3, generator=generator), torch.randn(7, 5, generator=generator)
    through = forward_and_backward(model, x.clone(), g)
    w1, b1, w2, b2 = (parameter.detach().double().numpy() for parameter in model.parameters())
    h1 = np.tanh(x.double().numpy() @ w1.T + b1)
    h2 = sigmoid(h1 @ w2.T + b2)
    back2 = g.double().numpy() * h2 * (1 - h2)
    back1 = (back2 @ w2) * (1 - h1**2)
    expected = [back1 @ w1, back2 @ w2, g.numpy(), back1.T @ x.numpy() / 7, back2.T @ h1 / 7]
    for got, wanted in zip([*through.gradients, *through.weight_gradients], expected, strict=True):
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(through.outputs[-1].detach().numpy(), h2, rtol=1e-4, atol=1e-6)


def test_signal_is_what_differs_from_input_to_input() -> None:
    assert signal(torch.tensor([[5.0, -3.0]]).repeat(10, 1)) == 0
    values = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * 3 + 7
    assert signal(values) == pytest.approx(np.sqrt(values.double().numpy().var(axis=0).mean()))


def test_a_sigmoid_hands_on_at_most_a_quarter_and_tanh_at_most_one() -> None:
    for activation, most in (("sigmoid", 0.25), ("tanh", 1.0)):
        bars = draw_depth(DepthConfig(activation=activation)).charts["slopes"]["data"][0]["y"]
        assert 0 < bars.max() <= most + 1e-6


def test_numbers_past_float32_get_a_sentence_and_a_chart() -> None:
    sheet = draw_depth(DepthConfig(activation="relu", initialisation="large", layers=30, width=100, gain=4.0))
    assert "too large for float32" in sheet.note
    assert np.isnan(sheet.charts["sizes"]["data"][0]["y"][-1])
    assert np.isfinite(sheet.charts["sizes"]["layout"]["yaxis"]["range"]).all()


def test_no_weights_no_signal_no_gradient() -> None:
    sheet = draw_depth(DepthConfig(initialisation="zeros"))
    assert "signal vanishes" in sheet.note and "gradient vanishes" in sheet.note


def test_histogram_counts_every_finite_value_once_and_the_far_ones_at_the_edge() -> None:
    values = np.array([0.0, 0.1, 100.0, -np.inf, np.nan, -4.0])
    binned = bin_shares(values)
    assert binned.shape == (BINS,)
    assert binned.sum() == pytest.approx(1)
    assert binned[0] == binned[-1] == 0.25
    assert bin_shares(np.full(3, np.nan)).sum() == 0
    wide = bin_shares(np.linspace(-MAX_SHOWN, MAX_SHOWN, 100_000))
    assert wide == pytest.approx(np.full(BINS, 1 / BINS), rel=0.01)


def test_the_size_axis_moves_in_whole_steps_of_decades() -> None:
    def span(*values: float) -> list[float]:
        figure = sizes(np.arange(2.0), [("it", "@model", np.array([1.0, each])) for each in values])
        return list(figure["layout"]["yaxis"]["range"])

    assert span(0.5) == span(1e5) == span(1e-6) == span(0.0) == span(np.inf) == [-6, 6]
    assert span(1e-7) == [-12, 6]
    assert span(1e-7, 1e13) == [-12, 18]


# Build a function.


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_sum_of_units_is_a_model_of_torchs_layers(activation: str) -> None:
    config = UnitsConfig(units=6, activation=activation)
    hidden, output = nn.Linear(1, 6), nn.Linear(6, 1, bias=False)
    with torch.no_grad():
        hidden.weight[:, 0], hidden.bias[:], output.weight[0] = (torch.tensor(config.values_of(each)) for each in "wbv")
    model = nn.Sequential(hidden, ACTIVATIONS[activation].module(), output)
    sheet = draw_units(config)
    total = sheet.charts["sum"]["data"][-1]
    with torch.no_grad():
        wanted = model(torch.tensor(total["x"]).unsqueeze(dim=1)).squeeze(dim=1)
    np.testing.assert_allclose(total["y"], wanted.numpy(), atol=1e-5)


def test_two_relus_without_bias_are_the_absolute_value() -> None:
    sheet = draw_units(UnitsConfig(b1=0.0, b2=0.0))
    assert "**0**" in sheet.note


def loss(**knobs: Any) -> float:
    config = UnitsConfig(**knobs)
    return float(draw_units(config).charts["loss"]["data"][0]["y"][config.descent])


def test_gradient_descent_starts_from_the_sliders_and_lowers_the_loss() -> None:
    x = torch.linspace(-1, 1, 50)
    start = torch.tensor([[1.0, -1.0], [0.5, 0.5], [1.0, 1.0]])
    path = train_units(x, x.abs(), start, torch.relu, 60)
    assert path.shape == (61, 3, 2)
    assert torch.equal(path[0], start)
    losses = (units(x, path, torch.relu).sum(dim=-2) - x.abs()).square().mean(dim=-1)
    assert losses[60] < losses[0] / 100
    assert loss(descent=60) < 0.001 < loss(descent=0)


def test_without_a_bend_six_units_are_no_better_than_a_line() -> None:
    x = np.linspace(-1, 1, 121)
    level = (x**2).var()
    assert loss(units=6, activation="identity", target="square", descent=60) > 0.99 * level
    assert loss(units=6, activation="relu", target="square", descent=60) < 0.2 * level


def test_table_says_that_it_is_ahead_of_the_sliders() -> None:
    assert "sliders" not in draw_units(UnitsConfig()).note
    assert "after 1 step of Adam" in draw_units(UnitsConfig(descent=1)).note
    assert "after 60 steps of Adam; the sliders keep the start" in draw_units(UnitsConfig(descent=60)).note


def test_bends_are_written_without_a_minus_before_zero_and_only_where_there_are_some() -> None:
    rows = draw_units(UnitsConfig(b1=0.0, w2=0.0)).tables[0].rows
    assert [row[-1] for row in rows] == ["0", "nowhere"]
    straight = draw_units(UnitsConfig(units=6, activation="identity")).tables[0].rows
    assert {row[-1] for row in straight} == {"nowhere"}


def test_a_unit_that_is_not_in_use_gets_a_sentence() -> None:
    assert "not in use" in draw_units(UnitsConfig(units=2, turned=5)).note
    assert "not in use" not in draw_units(UnitsConfig(units=5, turned=5)).note


# Precision.


@pytest.mark.parametrize(("name", "dtype"), precision.FORMATS.items())
def test_exp_overflows_where_the_largest_number_says(name: str, dtype: torch.dtype) -> None:
    edge = precision.overflow_point(dtype)
    assert torch.exp(torch.tensor(edge, dtype=dtype)).isinf()
    below = torch.nextafter(torch.tensor(edge, dtype=dtype), torch.tensor(0.0, dtype=dtype))
    assert torch.exp(below).isfinite()
    assert edge == pytest.approx(math.log(torch.finfo(dtype).max), rel=0.005), name


@pytest.mark.parametrize("dtype", precision.FORMATS.values(), ids=list(precision.FORMATS))
@pytest.mark.parametrize("largest", [-100.0, -30.0, 0.0, 10.0, 12.0, 60.0, 100.0])
def test_stable_ways_are_right_wherever_they_are_asked(largest: float, dtype: torch.dtype) -> None:
    z = precision.scores(torch.tensor(largest).double(), 1.0)
    e = np.exp(np.array([0.0, -1.0, -2.0]))
    shares_of = precision.stable_softmax(z.to(dtype)).double().numpy()
    np.testing.assert_allclose(shares_of, e / e.sum(), atol=2 * torch.finfo(dtype).eps)
    got = precision.stable_log_sum_exp(z.to(dtype)).item()
    assert got == pytest.approx(largest + math.log(e.sum()), rel=2 * torch.finfo(dtype).eps, abs=0.01)


@pytest.mark.parametrize(
    ("largest", "failing"),
    [
        (10.0, set()),
        (11.0, {"fp16"}),
        (12.0, {"fp16"}),
        (90.0, {"fp16", "bf16", "fp32"}),
        (-20.0, {"fp16"}),
    ],
)
def test_the_naive_softmax_fails_where_exp_overflows_or_all_underflow(largest: float, failing: set[str]) -> None:
    note = precision.draw_precision(precision.PrecisionConfig(largest=largest)).note
    assert {name for name in precision.FORMATS if f"{name}" in note} == failing


def test_states_are_right_wrong_or_not_finite() -> None:
    got, right = torch.tensor([1.0, 1.01, 1.5, np.inf, np.nan, 101.0]), torch.tensor([1.0, 1, 1, 1, 1, 100]).double()
    assert precision.states(got, right).tolist() == [0, 0, 1, 2, 2, 0]


def test_lanes_are_drawn_from_where_to_where_each_state_holds() -> None:
    right, wrong, neither = lanes(np.arange(5.0), ["one", "two"], np.array([[0, 0, 1, 0, 0], [2, 2, 2, 2, 1]]), probe=0,
                                  title="x")["data"]  # fmt: skip
    gap = np.nan
    np.testing.assert_array_equal(right["x"], [-0.5, 1.5, gap, 2.5, 4.5, gap])
    np.testing.assert_array_equal(right["y"], [0, 0, gap, 0, 0, gap])
    np.testing.assert_array_equal(wrong["x"], [1.5, 2.5, gap, 3.5, 4.5, gap])
    np.testing.assert_array_equal(wrong["y"], [0, 0, gap, -1, -1, gap])
    np.testing.assert_array_equal(neither["x"], [-0.5, 3.5, gap])


def test_drawing_leaves_torchs_own_generator_alone() -> None:
    before = torch.get_rng_state()
    draw_depth(DepthConfig())
    draw_units(UnitsConfig(descent=3))
    assert torch.equal(torch.get_rng_state(), before)
