"""What the lesson Activations says, as rules."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.lessons.activations import curves, depth, precision, softmax, units
from playground.lessons.activations.depth import DepthConfig
from tests.claims.claims import Claims

CLAIMS = Claims("activations")
of, says = CLAIMS.of, CLAIMS.says


# Activations


def read(config: Any, **values: Any) -> tuple[float, float]:
    """The value and the slope at the probe, as the table shows them."""
    row = curves.draw_curves(config.with_values(**values)).tables[0].rows[0]
    value, slope_there = (float(cell.replace("−", "-")) for cell in row[-2:])
    return value, slope_there


@of("tutorial-relu", "ReLU at 0: two slopes, 0 on the left and 1 on the right.", "0, as the table shows.")
@of("relu", "The slope is 1 or 0: the gradient passes unchanged, or not at all.")
def _(config: Any) -> None:
    (kink,) = curves.draw_curves(config.with_values(probe=0.0)).tables[1].rows
    assert kink[1:] == ("0", "0", "1", "0")
    assert [read(config, probe=probe)[1] for probe in (-1.0, 0.0, 1.0)] == [0, 0, 1]


@of(
    "flat-sigmoid",
    "The sigmoid at 0, where it is steepest.",
    "The slope is 0.25.",
    "Move the probe to 5: the slope is 0.0066, nearly forty times smaller.",
)
def _(config: Any) -> None:
    steepest, far = read(config, probe=0.0)[1], read(config, probe=5.0)[1]
    assert steepest == 0.25 and far == pytest.approx(0.0066, abs=5e-5) and 35 < steepest / far < 40


@of("softplus", "Its slope is the sigmoid: 0.73 at 1.")
def _(config: Any) -> None:
    assert read(config)[1] == pytest.approx(0.73, abs=5e-3)
    assert read(config)[1] == pytest.approx(read(config, function="sigmoid")[0], abs=1e-5)


@of(
    "sharpen-softplus",
    "They are furthest apart at 0.",
    "Increase beta to 10, and softplus becomes nearly ReLU; its slope is a sigmoid that becomes nearly a step.",
)
def _(config: Any) -> None:
    probes = (-1.0, -0.5, 0.0, 0.5, 1.0)
    gaps = {beta: max(abs(read(config, probe=x, beta=beta)[0] - max(0.0, x)) for x in probes) for beta in (1.0, 10.0)}
    assert gaps[10.0] < 0.07 < 0.6 < gaps[1.0]
    assert read(config, probe=-0.5, beta=10.0)[1] < 0.01 and read(config, probe=0.5, beta=10.0)[1] > 0.99


@of("softmax-is-sigmoid", "The two are the same curve.", "Now add rivals, then change the temperature in All settings.")
def _(config: Any) -> None:
    def lines(**values: Any) -> tuple[Any, Any]:
        data = curves.draw_curves(config.with_values(**values)).charts["function"]["data"]
        return data[0]["y"], data[1]["y"]

    np.testing.assert_allclose(*lines(), atol=1e-6)
    for values in ({"rivals": 4}, {"temperature": 3.0}):
        assert np.abs(np.subtract(*lines(**values))).max() > 0.1


@of("tanh", "At 0, where it is 1: four times that of the sigmoid.", "Move the probe to 3: the slope is below 0.01.")
@of(
    "sigmoid-and-tanh",
    "tanh(x) = 2 · sigmoid(2x) − 1.",
    "So it is twice as high and bends twice as fast: at 0 its slope is four times as large.",
)
def _(config: Any) -> None:
    shown = curves.draw_curves(config).tables[0].rows
    assert shown[-1][0] == "Tanh" and float(shown[-1][-2]) == pytest.approx(math.tanh(1), abs=1e-6)
    at_0 = {name: read(config, function=name, probe=0.0)[1] for name in ("tanh", "sigmoid")}
    assert at_0 == {"tanh": 1, "sigmoid": 0.25} and read(config, function="tanh", probe=3.0)[1] < 0.01
    assert math.tanh(0.7) == pytest.approx(2 * read(config, function="sigmoid", probe=1.4)[0] - 1, abs=1e-5)


@of("smooth-cousin", "Far from 0 they agree.")
def _(config: Any) -> None:
    relu, gelu = (trace["y"] for trace in curves.draw_curves(config).charts["function"]["data"][:2])
    ends = slice(None, None, len(relu) - 1)
    np.testing.assert_allclose(relu[ends], np.interp([0, 1], [0, 1], gelu[[0, -1]]), atol=1e-3)
    assert len(curves.draw_curves(config).tables[1].rows) == 1, "only ReLU has a kink"


@of(
    "left-of-zero",
    "ReLU, hardswish and the step have a slope of exactly 0; ELU has the largest.",
    "Some slopes are negative.",
)
def _(config: Any) -> None:
    slopes = {row[0]: float(row[-1].replace("−", "-")) for row in curves.draw_all(config).tables[0].rows}
    assert {name for name, each in slopes.items() if each == 0} == {"ReLU", "Hardswish", "Step"}
    assert max(slopes, key=lambda name: slopes[name]) == "ELU" and min(slopes.values()) < -0.05


def bars(config: Any) -> tuple[Any, Any]:
    charts = softmax.draw_softmax(config).charts
    return charts["softmax"]["data"][0]["y"], charts["softplus"]["data"][0]["y"]


@of(
    "up-by-one",
    "The shares are the same as before, but every softplus has grown.",
    "Softmax depends only on the differences between scores.",
)
def _(config: Any) -> None:
    before, after = bars(softmax.SoftmaxConfig()), bars(config)
    np.testing.assert_allclose(before[0], after[0], rtol=1e-9)
    assert (after[1] > before[1] + 0.1).all()


@of("all-equal", "A quarter each.")
@of("cold", "z₁ takes over 0.999 of 1.", "Raise the temperature to 1: its share is 0.644.")
@of("hot", "The shares differ by less than 0.1.")
def _(config: Any) -> None:
    shares = bars(config)[0]
    assert shares.sum() == pytest.approx(1)
    if config.z1 == config.z4:
        np.testing.assert_allclose(shares, 0.25)
    if config.temperature < 1:
        assert shares.max() > 0.999
        assert bars(config.with_values(temperature=1.0))[0].max() == pytest.approx(0.644, abs=5e-4)
    if config.temperature > 1:
        assert shares.max() - shares.min() < 0.1


def ends(config: Any, **values: Any) -> tuple[float, float]:
    """Signal at the last layer, gradient at the first."""
    record = depth.run_pass(config.with_values(**values))
    return depth.signal(record.outputs[-1]), depth.rms(record.gradients[0])


@of(
    "ten-sigmoids",
    "Ten layers with sigmoids.",
    "Each layer passes on less than a quarter, and half a millionth is left.",
)
def _(config: Any) -> None:
    gradient = [depth.rms(each) for each in depth.run_pass(config).gradients]
    assert all(before < after / 4 for before, after in pairwise(gradient))
    assert gradient[0] / gradient[-1] == pytest.approx(5e-7, rel=0.1), "half a millionth"
    assert "gradient reaches" in depth.draw_depth(config.with_values(layers=3)).note


@of(
    "relu-default",
    "Signal and gradient both vanish.",
    "Increase the gain until the gradient keeps its size: near √6 ≈ 2.45.",
)
def _(config: Any) -> None:
    assert max(ends(config)) < depth.VANISHED
    assert 0.5 < ends(config, gain=2.45)[1] < 2
    assert all(0.3 < each < 2 for each in ends(config, initialisation="kaiming"))


@of("tanh-xavier", "They do: both keep about their size.")
@of("relu-kaiming", "Signal and gradient keep about their size.", "Set the gain to 0.5: each layer halves both.")
def _(config: Any) -> None:
    assert all(0.1 < each < 10 for each in ends(config))
    if config.activation == "tanh":
        assert all(each > depth.VANISHED for each in ends(config, layers=30))
    else:
        half = [after / before for before, after in zip(ends(config), ends(config, gain=0.5), strict=True)]
        assert half == pytest.approx([0.5**10] * 2, rel=0.01)


@of("too-small", "Nothing: signal and gradient are below 10⁻⁸.")
def _(config: Any) -> None:
    assert max(ends(config)) < 1e-8


@of(
    "too-large-relu",
    "The same large weights with ReLU, which has no upper limit.",
    "Signal and gradient explode: over 10⁹ after ten layers.",
)
def _(config: Any) -> None:
    assert min(ends(config)) > 1e9
    assert all(0.1 < each < 10 for each in ends(config, initialisation="kaiming"))


@of("too-large-tanh", "Nearly all outputs are at −1 or 1, and the gradient still explodes.")
def _(config: Any) -> None:
    outputs = depth.run_pass(config).outputs[1:]
    assert all(float(each.detach().abs().max()) <= 1 for each in outputs)
    assert float((outputs[-1].detach().abs() > 0.95).float().mean()) > 0.9
    assert "gradient explodes" in depth.draw_depth(config).note


@of(
    "past-the-largest",
    "Large weights, ReLU, and now 30 layers.",
    "They reach 10³⁶.",
    "Set the gain to 2: the largest float32 is about 3.4 · 10³⁸, and beyond it there are only inf and NaN.",
)
def _(config: Any) -> None:
    assert 1e36 < max(ends(config)) < 1e38
    assert "too large for float32" in depth.draw_depth(config.with_values(gain=2.0)).note


@of(
    "two-bends",
    "Set the bias of unit 1 to 0, then choose unit 2 and do the same: the error is exactly 0.",
    "Or set it up again and take 60 steps of Adam.",
)
def _(config: Any) -> None:
    assert "**0**" in units.draw_units(config.with_values(b1=0.0, b2=0.0)).note
    loss = units.draw_units(config.with_values(descent=60)).charts["loss"]["data"][0]["y"]
    assert loss[60] < loss[0] / 500


def sum_of(config: Any) -> Any:
    return units.draw_units(config).charts["sum"]["data"][-1]["y"]


@of("without-a-bend", "Move any slider, or take 60 steps: the sum stays a straight line.")
def _(config: Any) -> None:
    for values in ({}, {"descent": 60}, {"w1": 3.0, "b3": -2.0}):
        assert np.abs(np.diff(sum_of(config.with_values(**values)), 2)).max() < 1e-5, "straight"
    assert np.abs(np.diff(sum_of(config.with_values(activation="relu", descent=60)), 2)).max() > 1e-3


@of("one-unit", "One unit makes one bend: it can fit one side, not both.")
def _(config: Any) -> None:
    assert (np.abs(np.diff(sum_of(config), 2)) > 1e-4).sum() <= 2, "one bend"


@of("six-by-adam", "The error is less than a tenth of that at the start.")
def _(config: Any) -> None:
    loss = units.draw_units(config).charts["loss"]["data"][0]["y"]
    assert loss[60] < loss[0] / 10 and "after 60 steps of Adam" in units.draw_units(config).note


@of(
    "bump", "Their sum is a bump.", "Make both weights smaller: its edges become softer.", "Then take 60 steps of Adam."
)
def _(config: Any) -> None:
    y = sum_of(config)
    assert y[len(y) // 2] > 0.85 and max(y[0], y[-1]) < 0.06, "a bump"
    start, end = (
        units.draw_units(config.with_values(descent=steps)).charts["loss"]["data"][0]["y"] for steps in (0, 60)
    )
    assert start[0] < 0.07 and end[60] < start[0], "near its target, and Adam comes nearer"
    soft = sum_of(config.with_values(w1=3.0, w2=3.0))
    assert np.abs(np.diff(soft)).max() < np.abs(np.diff(y)).max()


def shares_of_largest(config: Any, **values: Any) -> dict[str, float]:
    """The share of the largest score by the formula, in each format."""
    rows = precision.draw_precision(config.with_values(**values)).tables[0].rows
    return {row[0]: float(row[1].replace("−", "-")) for row in rows}


@of(
    "step-too-far",
    "In fp16 each exp still fits, but their sum does not, and the share of the largest score becomes 0.",
    "Set s to 12, then to 90.",
)
def _(config: Any) -> None:
    z = precision.scores(torch.tensor(config.largest).double(), config.gap).half()
    assert torch.exp(z).isfinite().all() and torch.exp(z).sum().isinf()
    assert shares_of_largest(config)["fp16"] == 0 and shares_of_largest(config)["fp32"] > 0.6
    assert math.isnan(shares_of_largest(config, largest=12.0)["fp16"])
    assert all(math.isnan(shares_of_largest(config, largest=90.0)[name]) for name in precision.FORMATS)


@of(
    "fp16-overflows",
    "The largest score is now 12.",
    "exp(12) is inf in fp16, and inf / inf is NaN.",
    "The stable softmax subtracts the largest score first, and is right.",
)
@of(
    "all-overflow",
    "The largest score is 90.",
    "None of the three: naive is NaN everywhere, stable is right. bf16 has the range of fp32, so it fails as late.",
)
@of(
    "underflow",
    "The largest score is −120.",
    "0, as for the other scores, and 0 / 0 is NaN.",
    "Stable is right again: its largest exp is always exp(0) = 1.",
)
def _(config: Any) -> None:
    wanted = "fp16" if config.largest == 12 else "fp16, bf16, fp32"
    assert precision.draw_precision(config).note.endswith(f"wrong or NaN in: **{wanted}**.")
    exps = torch.exp(torch.tensor(config.largest))
    assert bool(exps == 0) is (config.largest < 0)
    rows = precision.draw_precision(config).tables[0].rows
    assert all(float(row[2]) == pytest.approx(float(row[3]), abs=precision.MAX_ERROR) for row in rows), (
        "stable is right"
    )
    if config.largest > 80:
        assert bool(exps.isinf())


def slopes(function: Any, x: torch.Tensor) -> torch.Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(function(x).sum(), x)[0]


@says(
    "A layer multiplies by weights and adds biases: it is linear.",
    "Linear layers one after another are still one linear layer, so ten of them can do no more than one.",
)
def _() -> None:
    layers = nn.Sequential(*(nn.Linear(3, 3) for _ in range(10)))
    a, b = torch.randn(2, 3)
    zero = torch.zeros(3)
    torch.testing.assert_close(layers(a) + layers(b) - layers(zero), layers(a + b))


@says("An activation between the layers bends the line, and with enough bends a model can follow any curve.")
def _() -> None:
    def smallest_error(count: int) -> float:
        x = torch.linspace(-1, 1, 400)
        places = torch.linspace(-1, 1, count + 1)[:-1]
        basis = torch.cat([torch.relu(x[:, None] - places), torch.ones(400, 1)], dim=1)
        target = torch.sin(9 * x)[:, None]
        return float((basis @ torch.linalg.lstsq(basis, target).solution - target).abs().max())

    assert smallest_error(3) > 5 * smallest_error(12) > 20 * smallest_error(60)


@says(
    "On its way back through the model the gradient is multiplied, at every activation, by the slope of that activation at its current input.",
    "Where the curve is flat, the slope is nearly zero, and the layers before it learn nothing.",
)
def _() -> None:
    for place in (0.0, 8.0):
        x = torch.tensor(place, requires_grad=True)
        (3 * torch.sigmoid(x)).backward()
        assert x.grad is not None
        assert x.grad.item() == pytest.approx(3 * float(slopes(torch.sigmoid, torch.tensor([place]))))
    assert float(slopes(torch.sigmoid, torch.tensor([8.0]))) < 0.001


@of("relu", "A positive number passes ReLU as it is, a negative one becomes 0.")
def _(config: Any) -> None:
    assert [read(config, probe=probe)[0] for probe in (-2.0, 3.0)] == [0, 3]


@of("tanh", "Tanh goes from −1 to 1.")
def _(config: Any) -> None:
    assert read(config, function="tanh", probe=-5.0)[0] == pytest.approx(-1, abs=1e-3)
    assert read(config, function="tanh", probe=5.0)[0] == pytest.approx(1, abs=1e-3)


@of("softplus", "log(1 + eˣ), which the tutorial calls softmax: a ReLU without a corner.")
def _(config: Any) -> None:
    assert read(config, probe=1.0)[0] == pytest.approx(math.log(1 + math.e), abs=1e-5)


@of("smooth-cousin", "GELU goes down before it goes up and has no corner: its slope changes smoothly.")
@says("SiLU, GELU, Mish and hardswish go down before they go up: in between their slope is negative.")
def _(config: Any = None) -> None:
    x = torch.linspace(-6, 6, 1201)
    for function in (nn.functional.silu, nn.functional.gelu, nn.functional.mish, nn.functional.hardswish):
        found = slopes(function, x)
        assert float(found.min()) < -0.05
        assert float(function(x).min()) < -0.1
    assert float(slopes(nn.functional.gelu, x).diff().abs().max()) < 0.02, "without a corner"


@of(
    "four-scores",
    "Drag z₁: all four shares change, but only one softplus.",
    "Only softmax depends on the other scores.",
)
def _(config: Any) -> None:
    before, after = bars(config), bars(config.with_values(z1=config.z1 + 1))
    changed = [int((np.abs(np.subtract(one, other)) > 1e-6).sum()) for one, other in zip(before, after, strict=True)]
    assert changed == [4, 1]


@of("all-equal", "Drag z₁ up: it takes the same from each of the others.")
def _(config: Any) -> None:
    shares = bars(config.with_values(z1=config.z1 + 1))[0]
    assert shares[0] > 0.25
    np.testing.assert_allclose(shares[1:], shares[1])


@of("cold", "The scores are divided by a temperature of 0.1 before softmax.")
@of("hot", "The scores are divided by a temperature of 10.")
def _(config: Any) -> None:
    assert config.temperature in (0.1, 10)


@of("hot", "Softplus has no temperature and does not change.")
def _(config: Any) -> None:
    np.testing.assert_allclose(bars(config)[1], bars(config.with_values(temperature=1.0))[1])


@of("too-small", "Tanh with very small starting weights.", "Every layer makes them smaller by the same factor.")
def _(config: Any) -> None:
    sizes = [depth.signal(each) for each in depth.run_pass(config).outputs[1:]]
    factors = [after / before for before, after in pairwise(sizes)]
    assert max(factors) < 2 * min(factors)
    assert max(factors) < 0.5


def ends_of(config: DepthConfig) -> tuple[float, float]:
    """Signal at the last layer and gradient at the first."""
    through = depth.run_pass(config)
    return depth.signal(through.outputs[-1]), depth.rms(through.gradients[0])


def of_all_seeds(config: DepthConfig, seeds: range) -> list[tuple[float, float]]:
    return [ends_of(config.with_values(seed=seed)) for seed in seeds]


@of("tanh-xavier", "They do: both keep about their size.")
@of("relu-kaiming", "Signal and gradient keep about their size.")
def _(config: DepthConfig) -> None:
    sizes = [size for ends_of_seed in of_all_seeds(config, range(20)) for size in ends_of_seed]
    assert min(sizes) > 1e-2
    assert max(sizes) < 1e2


@of("relu-default", "Signal and gradient both vanish.")
@of("too-small", "Nothing: signal and gradient are below 10⁻⁸.")
def _(config: DepthConfig) -> None:
    assert max(max(each) for each in of_all_seeds(config, range(20))) < 1e-2


@of("too-large-tanh", "Nearly all outputs are at −1 or 1, and the gradient still explodes.")
def _(config: DepthConfig) -> None:
    assert min(each[0] for each in of_all_seeds(config, range(20))) > 0.5
    assert min(each[1] for each in of_all_seeds(config, range(20))) > 1e3


@of("too-large-relu", "Signal and gradient explode: over 10⁹ after ten layers.")
def _(config: DepthConfig) -> None:
    assert min(min(each) for each in of_all_seeds(config, range(20))) > 1e9


@of("ten-sigmoids", "Each layer passes on less than a quarter, and half a millionth is left.")
def _(config: DepthConfig) -> None:
    assert max(each[1] for each in of_all_seeds(config, range(20))) < 1e-5


@of("bump", "One sigmoid goes up on the left, the other down on the right.")
def _(config: Any) -> None:
    places = [-bias / weight for weight, bias in ((config.w1, config.b1), (config.w2, config.b2))]
    assert places[0] < 0 < places[1]
    assert config.v1 * config.w1 > 0 > config.v2 * config.w2


@says(
    "There is no derivative at a kink.",
    "Torch uses a slope between those on both sides: 0 for ReLU, the smaller slope for leaky ReLU.",
)
def _() -> None:
    zero = torch.zeros(1)
    assert slopes(torch.relu, zero).item() == 0
    assert slopes(lambda x: nn.functional.leaky_relu(x, 0.1), zero).item() == pytest.approx(0.1)


@says(
    "Sigmoid and tanh are flat on both sides, ReLU on one side, and softplus, SiLU, GELU and Mish are smooth versions of ReLU."
)
def _() -> None:
    ends = torch.tensor([-12.0, 12.0])
    for function in (torch.sigmoid, torch.tanh):
        assert float(slopes(function, ends).max()) < 1e-4
    assert slopes(torch.relu, ends).tolist() == [0, 1]
    for function in (nn.functional.softplus, nn.functional.silu, nn.functional.gelu, nn.functional.mish):
        torch.testing.assert_close(function(ends), torch.relu(ends), atol=1e-3, rtol=0)


@says(
    "In the depth lab, outputs of the usual size prove nothing: after ten sigmoids all of them are near 0.5 for every input.",
    "The signal is how much the outputs differ from input to input.",
)
def _() -> None:
    outputs = depth.run_pass(DepthConfig(activation="sigmoid")).outputs[-1].detach()
    assert float((outputs - 0.5).abs().mean()) < 0.3
    assert depth.signal(outputs) < 1e-3, "and hardly any difference from input to input"


@says("On a log scale the sizes are nearly on straight lines: each layer multiplies by about the same factor.")
def _() -> None:
    for config in (DepthConfig(activation="sigmoid"), DepthConfig(activation="relu", initialisation="default")):
        sizes = [math.log(depth.rms(each)) for each in depth.run_pass(config).gradients]
        assert abs(float(np.corrcoef(range(len(sizes)), sizes)[0, 1])) > 0.98


@says("A factor of 0.9 or 1.1 is harmless once, fatal fifty times over.")
def _() -> None:
    assert 0.9**50 < 0.01
    assert 1.1**50 > 100


@says(
    "Kaiming suits ReLU because ReLU cuts off half of its inputs, so the weights must be larger by a factor of √2 to keep the size."
)
def _() -> None:
    x = torch.randn(20_000, 200, generator=torch.Generator().manual_seed(0))
    weights = torch.randn(200, 200, generator=torch.Generator().manual_seed(1)) * 2**0.5 / 200**0.5
    through = torch.relu(x @ weights)
    assert float((through == 0).float().mean()) == pytest.approx(0.5, abs=0.02)
    assert float(through.pow(2).mean()) == pytest.approx(1, abs=0.05)


@says(
    "Softmax and log-sum-exp are right in every format if the largest score is subtracted first (and the format holds the scores themselves: beyond 128 the numbers of bf16 are 1 apart)."
)
def _() -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        z = torch.tensor([100.0, 99.0, 98.0], dtype=dtype)
        shifted = torch.exp(z - z.max())
        torch.testing.assert_close((shifted / shifted.sum()).float(), torch.softmax(z.float(), 0), atol=0.01, rtol=0)
    assert torch.tensor(129.4, dtype=torch.bfloat16).item() == 129


@says(
    "`torch.softmax` does this, and so does `nn.CrossEntropyLoss`; that is why it needs the scores (logits) and not the shares.",
    "Nothing, if it is computed in a stable way: all exponentials grow by the same factor, which cancels in the shares.",
    "You add 100 to every score.",
    "The answer to add-100: Nothing.",
    "The naive formula overflows instead.",
)
def _() -> None:
    z = torch.tensor([102.0, 101.0, 100.0])
    torch.testing.assert_close(torch.softmax(z, 0), torch.softmax(z - 100, 0))
    assert nn.functional.cross_entropy(z[None], torch.tensor([0])).isfinite()
    assert (torch.exp(z) / torch.exp(z).sum()).isnan().all()


@says(
    "0. From the left it is 0, from the right 1, and torch uses the left one; the table of kinks in the lab “Curves” shows it.",
    "The answer to relu-at-0: 0.",
)
def _() -> None:
    assert slopes(torch.relu, torch.tensor([-1e-6, 0.0, 1e-6])).tolist() == [0, 0, 1]


@says(
    "At most 0.25¹⁰, about one millionth.", "The answer to ten-sigmoids: 9.54e-7.", "Each slope is at most a quarter."
)
def _() -> None:
    assert float(slopes(torch.sigmoid, torch.linspace(-5, 5, 1001)).max()) == 0.25
    assert pytest.approx(1e-6, rel=0.1) == 0.25**10


@says(
    "Its slope is 0 everywhere, so every gradient that passes it is 0, and no weight before it would ever change.",
    "Everywhere else the slope is 0, and nothing moves.",
    "Only exactly at the step.",
    "The answer to step-function: Every gradient that passes it is 0.",
)
def _() -> None:
    assert float(np.abs(np.diff(np.heaviside(np.linspace(0.1, 5, 50), 0.5))).max()) == 0


@says(
    "It uses 8 bits for the exponent, like fp32; fp16 uses 5.",
    "The answer to bf16-range: It has as many bits for the exponent as fp32.",
    "So bf16 has the range of fp32 but less precision: the next number after 1 is 1.0078.",
)
def _() -> None:
    formats = [torch.finfo(each) for each in (torch.bfloat16, torch.float32, torch.float16)]
    assert [round(math.log2(math.log2(each.max))) for each in formats] == [7, 7, 4], "an exponent of one bit more"
    assert 1 + formats[0].eps == pytest.approx(1.0078, abs=5e-5)


@says(
    "With tanh or ReLU nothing: each layer gives 0 for every input.",
    "All weights start at zero.",
    "The answer to all-zeros: 0, for every input.",
    "Every gradient of a weight is 0 too, so no weight ever changes.",
    "Nothing is drawn here: 0 times any input is 0.",
    "A weight of 0 removes it.",
    "A weight of 1 would pass it on.",
)
def _() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    x = torch.randn(5, 3)
    assert float(model(x).abs().max()) == 0
    nn.functional.mse_loss(model(x), torch.ones(5, 2)).backward()
    assert all(float(each.weight.grad.abs().max()) == 0 for each in (model[0], model[2]))  # type: ignore[union-attr]


@says("Six, one each at x = −b / w.", "The answer to relu-bends: 6.", "Between the bends the sum is straight.")
def _() -> None:
    w, b = torch.tensor([1.0, 2.0, -1.0, 0.5, 3.0, -2.0]), torch.tensor([0.5, -1.0, 0.3, 1.0, 2.0, 1.5])
    x = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    y = torch.relu(x[:, None] * w + b).sum(dim=1)
    bends = x[1:-1][y.diff(n=2).abs() > 1e-6]
    found = sorted({round(float(each), 2) for each in bends})
    wanted = sorted({round(each, 2) for each in (-b / w).tolist()})
    assert len(wanted) == 6
    assert all(min(abs(place - each) for each in found) < 0.011 for place in wanted)
    assert len(bends) <= 12


@says(
    "Each function exists twice: as a function (`torch.relu`, `torch.nn.functional.gelu`) and as a module (`nn.ReLU()`) that goes between the layers of an `nn.Sequential`.",
    "They have no weights, so both do the same.",
)
def _() -> None:
    x = torch.randn(10)
    assert torch.equal(torch.relu(x), nn.ReLU()(x))
    assert torch.equal(nn.functional.gelu(x), nn.GELU()(x))
    assert list(nn.ReLU().parameters()) == []


@of("sharpen-softplus", "Softplus beside ReLU.")
@of("smooth-cousin", "ReLU and GELU.")
@of("sigmoid-and-tanh", "Two curves of the same kind.")
def _(config: Any) -> None:
    pairs = {("softplus", "relu"), ("relu", "gelu"), ("sigmoid", "tanh")}
    assert (config.function, config.against) in pairs


@of("softmax-is-sigmoid", "Softmax of x and one rival whose score is 0, beside the sigmoid.")
def _(config: Any) -> None:
    assert (config.function, config.against, config.rivals, config.temperature) == ("softmax", "sigmoid", 1, 1)
    x = torch.tensor(1.5)
    assert read(config, probe=1.5)[0] == pytest.approx(
        float(torch.softmax(torch.stack([x, 0 * x]), dim=0)[0]), abs=1e-4
    )


@of("left-of-zero", "All functions at x = −3.")
def _(config: Any) -> None:
    assert config.probe == -3 and len(curves.draw_all(config).tables[0].rows) == len(curves.FUNCTIONS)


@of("four-scores", "The same four scores as shares of 1, and one by one.")
def _(config: Any) -> None:
    shares, one_by_one = bars(config)
    assert len(shares) == len(one_by_one) == 4 and shares.sum() == pytest.approx(1) != one_by_one.sum()


def scores(config: Any) -> list[float]:
    return [config.z1, config.z2, config.z3, config.z4]


@of("all-equal", "Four scores of 1.")
def _(config: Any) -> None:
    assert scores(config) == [1] * 4


@of("up-by-one", "Each score is 1 higher than 2, 1, 0 and −1.")
def _(config: Any) -> None:
    assert [each - 1 for each in scores(config)] == [2, 1, 0, -1] == scores(softmax.SoftmaxConfig())


@of("tanh-xavier", "Random numbers go in at layer 0, a random gradient comes back from layer 10.")
def _(config: Any) -> None:
    record = depth.run_pass(config)
    assert len(record.outputs) == len(record.gradients) == 11
    for each in (record.outputs[0].detach(), record.gradients[10]):
        assert each.std() == pytest.approx(1, abs=0.05) and abs(each.mean()) < 0.05


@of("relu-default", "ReLU with the start that PyTorch gives every linear layer.")
@of("relu-kaiming", "The same layers with a start that is made for ReLU.")
@of("too-large-tanh", "Large starting weights.")
def _(config: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.empty(64, 64)
    depth.INITIALISATIONS[config.initialisation].fill(weights, generator)
    wanted = {"default": float(nn.Linear(64, 64).weight.std()), "kaiming": (2 / 64) ** 0.5}
    if config.initialisation == "large":
        assert weights.std() > 2 * wanted["kaiming"]
    else:
        assert config.activation == "relu" and float(weights.std()) == pytest.approx(
            wanted[config.initialisation], rel=0.05
        )


@of("one-unit", "A single ReLU unit and the target |x|.")
@of("two-bends", "Two ReLU units, their sum, and the target |x|.")
@of("without-a-bend", "Six units without an activation.")
@of("six-by-adam", "Six ReLU units after 60 steps of Adam.")
def _(config: Any) -> None:
    found = (config.units, config.activation, config.target, config.descent)
    assert found in {
        (1, "relu", "absolute", 0), (2, "relu", "absolute", 0), (6, "identity", "square", 0), (6, "relu", "square", 60),
    }  # fmt: skip


@of("step-too-far", "Three scores, the largest of them 11.")
def _(config: Any) -> None:
    found = precision.scores(torch.tensor(config.largest).double(), config.gap)
    assert len(found) == 3 and found.max() == 11


@says("Look up the slope of a sigmoid where it is steepest, at 0, and multiply it ten times.")
def _() -> None:
    found = slopes(torch.sigmoid, torch.linspace(-8, 8, 1601))
    assert int(found.argmax()) == 800 and float(found.max()) ** 10 == pytest.approx(9.54e-7, rel=1e-3)


@says(
    "It overflows to infinity like the others, only later than fp16.",
    "Also the stored number has the range of fp32: its bits are shared out in another way than those of fp16.",
)
def _() -> None:
    fp32, bf16, fp16 = (torch.finfo(each) for each in (torch.float32, torch.bfloat16, torch.float16))
    assert fp32.max > bf16.max > 0.99 * fp32.max > 1e30 * fp16.max
    assert (
        torch.exp(torch.tensor(12.0, dtype=torch.bfloat16)).isfinite() and torch.exp(torch.tensor(12.0).half()).isinf()
    )
    assert torch.exp(torch.tensor(90.0, dtype=torch.bfloat16)).isinf()


@says("The gradient is also multiplied by the weights, which would have to compensate.")
def _() -> None:
    x, w = torch.tensor(0.5, requires_grad=True), 7.0
    (slope,) = torch.autograd.grad(torch.sigmoid(w * x), x)
    inner = torch.sigmoid(w * x.detach())
    assert float(slope) == pytest.approx(w * float(inner * (1 - inner)), rel=1e-5)


@says(
    "`F.sigmoid` and `F.tanh` compute the same as `torch.sigmoid` and `torch.tanh`: use these, and `.detach()` instead of `.data`."
)
def _() -> None:
    x = torch.linspace(-5, 5, 11)
    assert torch.equal(nn.functional.sigmoid(x), torch.sigmoid(x)) and torch.equal(nn.functional.tanh(x), torch.tanh(x))
    assert torch.equal(x.detach(), x.data)
