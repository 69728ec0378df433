"""What “Try this” and the presets of Tensors, Autograd and Activations say happens, does: each has a check here."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.activations import curves, depth, precision, softmax, units
from playground.lessons.autograd import accumulate, graph, mistakes, slope
from playground.lessons.autograd import tutorial as autograd_tutorial
from playground.lessons.tensors import broadcasting, memory, operations, speed, tutorial, views
from playground.settings import Settings

pytestmark = pytest.mark.in_ci
PAGES = ("tensors", "autograd", "activations")
EXPERIMENTS = {
    f"{name}: {each.title}": each.config for name in PAGES for each in experiments(LESSONS[name])
} | {
    f"{bench.name}: preset {title}": bench.config(**values)
    for name in PAGES
    for bench in LESSONS[name].benches
    for title, values in bench.presets.items()
}  # fmt: skip
CHECKS: dict[str, Callable[[Any], None]] = {}
ELSEWHERE = (
    "tensors_operations: preset ",
    "autograd_mistakes: preset ",
    "activations_depth: preset ",
    "tensors_speed: ",
)


def claims(*titles: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register the check of experiments and presets, which gets their config."""

    def register(check: Callable[[Any], None]) -> Callable[[Any], None]:
        CHECKS.update(dict.fromkeys(titles, check))
        return check

    return register


@pytest.mark.parametrize("title", [title for title in EXPERIMENTS if not title.startswith(ELSEWHERE)])
def test_what_it_says_happens(title: str) -> None:
    assert title in CHECKS, "say in this file what happens in a new experiment or preset"
    CHECKS[title](EXPERIMENTS[title])


def test_no_check_is_left_of_what_is_gone() -> None:
    """Presets of four labs have their checks beside the tests of these labs."""
    assert CHECKS.keys() == {title for title in EXPERIMENTS if not title.startswith(ELSEWHERE)}


# Tensors


def verdict_line(config: Any, **values: Any) -> str:
    return operations.draw_operations(config.with_values(**values)).note.split("\n")[0]


def result(config: Any, library: str, **values: Any) -> list[str]:
    """The texts of the cells of a library's result."""
    figure = operations.draw_operations(config.with_values(**values)).charts[library]
    return list(figure["data"][-1]["text"])


@claims("tensors: The tutorial’s first cell", "tensors_tutorial: preset To a tensor and back")
def _(config: Any) -> None:
    for columns in (3, 5):
        strides = tutorial.draw_tutorial(config.with_values(columns=columns)).tables[0].rows[0][4]
        assert strides == f"{8 * columns},\u00a08\u00a0bytes\n{columns},\u00a01\u00a0elements"


@claims("tensors: The same sine", "tensors_tutorial: preset sin")
def _(config: Any) -> None:
    rows = tutorial.draw_tutorial(config).tables[0].rows
    sine, mean = (next(row for row in rows if name in row[0]) for name in ("np.sin", "np.mean"))
    assert sine[2] == "float64\nfloat32"
    assert mean[3:] == ("()\n()", "()\n()"), "as both libraries print shape and strides of a number"
    assert np.asarray(np.mean([1.0])).strides == () == tuple(torch.tensor(1.0).stride())


@claims("tensors_tutorial: preset abs", "tensors_tutorial: preset mean")
def _(config: Any) -> None:
    words = [tutorial.draw_tutorial(config).charts[name]["layout"]["meta"]["words"] for name in ("numpy", "torch")]
    wanted = {"abs": "1, 2, 1, 2", "mean": "0"}[config.cell]
    assert all(each.endswith(f": {wanted}") for each in words)


@claims("tensors: The default float type")
def _(config: Any) -> None:
    assert "torch a float32, its default float type" in verdict_line(config)
    assert "same values, shape and dtype" in verdict_line(config, dtype="float64")


@claims("tensors: A mean that fails")
def _(config: Any) -> None:
    assert "torch raises an error" in verdict_line(config) and "needs floats" in verdict_line(config)
    assert result(config, "numpy", dtype="float32") == result(config, "torch", dtype="float32") == ["0"]


@claims("tensors: Two standard deviations")
def _(config: Any) -> None:
    assert "torch by n − 1" in verdict_line(config)
    few, many = ([float(result(config, name, **more)[0]) for name in ("numpy", "torch")]
                 for more in ({}, {"array": "arange(60)"}))  # fmt: skip
    assert all(9 < after / before < 11 for before, after in zip(few, many, strict=True))
    assert 0 < many[1] / many[0] - 1 < 0.01 < few[1] / few[0] - 1


@claims("tensors: Integers divided by zero")
def _(config: Any) -> None:
    assert "torch raises an error" in verdict_line(config) and "divided by zero" in verdict_line(config)
    assert result(config, "numpy")[2] == "0"
    assert "`b` is int64" in verdict_line(config, dtype="float32") and "error" not in verdict_line(
        config, dtype="float32"
    )


def written(config: Any) -> memory.Written:
    return memory.write(memory.CONVERSIONS[config.way], config.side, (config.row, config.column), config.value)


@claims("tensors: One memory, two names", "tensors_memory: preset from_numpy")
def _(config: Any) -> None:
    assert written(config).visible_in_both
    assert not written(config.with_values(way="tensor")).visible_in_both


@claims("tensors: A cell that the slice skips", "tensors_memory: preset A cell that the slice skips")
def _(config: Any) -> None:
    assert written(config).shared and not written(config).visible_in_both
    assert written(config.with_values(column=2)).visible_in_both


@claims("tensors_memory: preset tensor", "tensors_memory: preset Another dtype")
def _(config: Any) -> None:
    assert not written(config).shared


@claims("tensors_memory: preset A slice")
def _(config: Any) -> None:
    assert written(config).visible_in_both


@claims("tensors: A column and a row", "tensors_broadcasting: preset A row and a column")
def _(config: Any) -> None:
    assert "Stretched: `a` and `b`" in broadcasting.draw_broadcasting(config).note
    assert "do not fit" in broadcasting.draw_broadcasting(config.with_values(a="4 2")).note


@claims("tensors: A trillion numbers by accident", "tensors_broadcasting: preset By accident: 10¹² numbers")
def _(config: Any) -> None:
    sheet = broadcasting.draw_broadcasting(config)
    assert "1,000,000,000,000" in sheet.note and sheet.tables[0].rows[-1][-1] == "4 TB"
    assert "equal: nothing is stretched" in broadcasting.draw_broadcasting(config.with_values(b="1000000")).note


def stretched_cells(config: Any) -> int:
    """The cells of the drawing of both shapes that are orange."""
    values = broadcasting.draw_broadcasting(config).charts["shapes"]["maps"]["values"]
    return int((np.asarray(values).astype(int) < 128).sum())


@claims("tensors_broadcasting: preset Three axes and two")
def _(config: Any) -> None:
    assert broadcasting.draw_broadcasting(config).tables[0].rows[-1][1] == "2 × 4 × 3"
    assert stretched_cells(config) == 3, "the 1 of a, the 1 of b and b's missing axis"


@claims("tensors_broadcasting: preset They do not fit")
def _(config: Any) -> None:
    assert "do not fit" in broadcasting.draw_broadcasting(config).note


@claims("tensors_broadcasting: preset A number")
def _(config: Any) -> None:
    sheet = broadcasting.draw_broadcasting(config)
    assert "Stretched: `b`" in sheet.note and stretched_cells(config) == 2, "orange, although both axes are missing"
    assert "(1): a missing axis" in sheet.charts["shapes"]["layout"]["meta"]["words"]


@claims("tensors_broadcasting: preset A bias for each row of a batch")
def _(config: Any) -> None:
    assert "Stretched: `b`" in broadcasting.draw_broadcasting(config).note and stretched_cells(config) == 1


@claims("tensors: view fails", "tensors_views: preset view of a transpose", "tensors_views: preset Transpose")
def _(config: Any) -> None:
    assert "does not work" in views.draw_views(config.with_values(second="view")).note
    copies = {name for name in views.SECOND if "copy" in views.draw_views(config.with_values(second=name)).note}
    assert copies >= {"reshape", "contiguous", "contiguous_view"} and "t" not in copies
    if config.second == "same":
        assert "is a **view**" in views.draw_views(config).note


@claims("tensors: The same numbers twice", "tensors_views: preset expand")
def _(config: Any) -> None:
    sheet = views.draw_views(config)
    row = sheet.tables[0].rows[1]
    assert row[1:3] == ("2 × 2 × 3", "0, 3, 1") and "is a **view**" in sheet.note


@claims("tensors_views: preset reshape of a transpose")
def _(config: Any) -> None:
    assert "is a **copy**" in views.draw_views(config).note


@claims("tensors_views: preset Every second column", "tensors_views: preset Three axes, permuted")
def _(config: Any) -> None:
    assert "is a **view**" in views.draw_views(config).note


@claims("tensors: Which is faster?")
def _(config: Any) -> None:
    """Times are the machine's; here is only that the named calls can be measured in both libraries."""
    assert {"sin", "sum", "sort"} <= speed.CALLS.keys() and config.call == "add"


# Autograd


def played(config: Any, **values: Any) -> graph.GraphRun:
    run = graph.GraphRun(config.with_values(**values), Settings())
    run.advance(10.0, 1000)
    assert run.outcome == "done"
    return run


def gradients(config: Any, **values: Any) -> dict[str, torch.Tensor]:
    """The gradients of all inputs."""
    run = played(config, **values)
    found = {node.label: run.pass_.gradient_at(at, run.steps)
             for at, node in enumerate(run.pass_.nodes) if node.is_leaf}  # fmt: skip
    assert all(each is not None for each in found.values())
    return found  # type: ignore[return-value]


def sent_to(run: graph.GraphRun, label: str) -> list[torch.Tensor]:
    node = next(at for at, each in enumerate(run.pass_.nodes) if each.label == label and each.is_leaf)
    return graph.gradients_to(run.pass_, node)


@claims("autograd: The tutorial, exactly", "autograd_graph: preset The tutorial")
def _(config: Any) -> None:
    one, two = sent_to(played(config), "v")
    assert (one + two).tolist() == [[0.5, 1.0], [1.5, 2.0]]


@claims("autograd: One input, two ways", "autograd_graph: preset One input, two ways")
def _(config: Any) -> None:
    parts = sent_to(played(config), "x")
    assert len(parts) == 3 and sum(each.item() for each in parts) == 7
    assert [node.name for node in played(config, x=-1.0).pass_.nodes] == [
        node.name for node in played(config).pass_.nodes
    ]
    assert config.inputs == "", "no typed input that the formula does not use"


def sigmoid_factor(config: Any, **values: Any) -> float:
    first = played(config, **values).pass_.steps[0].sent[0].local
    assert first is not None
    return first.item()


@claims("autograd: A sigmoid neuron", "autograd_graph: preset Sigmoid neuron")
def _(config: Any) -> None:
    assert sigmoid_factor(config) == pytest.approx(0.149, abs=5e-4)
    assert sigmoid_factor(config, b=5.0) == pytest.approx(0.045, abs=5e-4)


@claims("autograd: Four sigmoids deep", "autograd_graph: preset Four sigmoids deep")
def _(config: Any) -> None:
    locals_ = [sent.local for step in played(config).pass_.steps for sent in step.sent]
    assert all(each is not None and each.item() <= 0.25 for each in locals_)
    left = gradients(config)["x"].item()
    assert left == pytest.approx(0.001, abs=5e-4)
    assert gradients(config, expression=config.expression.replace("sigmoid", "tanh"))["x"].item() > 3 * left


@claims("autograd: A closed gate", "autograd_graph: preset ReLU that blocks")
def _(config: Any) -> None:
    assert all(each.item() == 0 for each in gradients(config).values())
    assert all(each.item() != 0 for each in gradients(config, w=0.5).values())


@claims("autograd: Softmax and cross-entropy", "autograd_graph: preset Softmax cross-entropy")
def _(config: Any) -> None:
    wanted = torch.softmax(torch.tensor([1.0, 2.0, 3.0]), 0) - torch.tensor([0.0, 1.0, 0.0])
    torch.testing.assert_close(gradients(config)["z"], wanted)
    assert gradients(config)["z"].sum().item() == pytest.approx(0, abs=1e-6)


@claims("autograd: A model of two layers", "autograd_graph: preset Two layers, one example")
def _(config: Any) -> None:
    assert set(gradients(config)) == {"W", "c", "U"}
    assert set(gradients(config, fixed="t")) == {"d", "W", "c", "U"}


@claims("autograd_graph: preset Square", "autograd_graph: preset Polynomial", "autograd_graph: preset Error of a line",
        "autograd_graph: preset Matrix product")  # fmt: skip
def _(config: Any) -> None:
    wanted = {"x**2": {"x": 4.0}, "x**3 - 2*x + 1": {"x": 10.0}, "(w*x + b - t)**2": {"w": -10.0, "b": -5.0}}
    found = {name: each.item() for name, each in gradients(config).items() if each.numel() == 1}
    assert found == wanted.get(config.expression, {})
    if "@" in config.expression:
        assert gradients(config)["A"].tolist() == [[0.25, -0.5], [0.25, -0.5]]


@claims("autograd: A bowl from the side", *(f"autograd_tutorial: preset {title}" for title in (
    "The tutorial", "As written today", "All the same", "At the bottom", "Negative numbers")))  # fmt: skip
def _(config: Any) -> None:
    for d in (config.d, 0.0, -3.0):
        numbers = config.with_values(d=d).numbers
        _, gradient = autograd_tutorial.gradient_of(numbers)
        np.testing.assert_allclose(gradient, np.array(numbers) / 2)
        note = autograd_tutorial.draw_tutorial(config.with_values(d=d)).note
        assert f"the slope of the tangent is {d / 2:g}".replace("-", "−") in note


@claims("autograd: Forgotten zero_grad", "autograd_accumulate: preset A training loop that forgets zero_grad")
def _(config: Any) -> None:
    calls = accumulate.call_backward(config)
    assert len(calls) == 6 and calls[-1].after == 6 * calls[0].after
    assert [each.after for each in accumulate.call_backward(config.with_values(zero=True))] == [calls[0].after] * 6


@claims("autograd: A graph is used once", "autograd_accumulate: preset The graph is used up")
def _(config: Any) -> None:
    assert [bool(call.error) for call in accumulate.call_backward(config)] == [False, True]
    assert not any(call.error for call in accumulate.call_backward(config.with_values(formula="x + x")))


@claims("autograd_accumulate: preset Twice the gradient")
def _(config: Any) -> None:
    assert [call.after for call in accumulate.call_backward(config)] == [6.0, 12.0]


@claims("autograd_accumulate: preset A training loop as it should be")
def _(config: Any) -> None:
    assert [call.after for call in accumulate.call_backward(config)] == [6.0] * 6


@claims("autograd_accumulate: preset Nothing saved, nothing missing")
def _(config: Any) -> None:
    assert [call.after for call in accumulate.call_backward(config)] == [2.0, 4.0, 6.0, 8.0]


@claims("autograd: No error, wrong gradient")
def _(config: Any) -> None:
    wrong, fixed = (table.rows[-1] for table in mistakes.draw_mistake(config).tables)
    assert (wrong[1].strip(), wrong[2]) == ("", "tensor([1., 2.])") and fixed[2] == "tensor([2., 4.])"


def errors(config: Any, line: int) -> dict[float, float]:
    """The error of the measured slope by the power of ten of ε; line 0 is float32, 1 float64."""
    trace = slope.draw_slope(config).charts["error"]["data"][line]
    return {round(math.log10(x), 2): float(y) for x, y in zip(trace["x"], trace["y"], strict=True)}


@claims("autograd: No step is right")
def _(config: Any) -> None:
    found = errors(config, 0)
    assert config.exponent == -1 and found[-1.0] > 30 * found[-2.0], "at first a smaller step helps"
    assert all(found[power] < 2e-5 for power in (-2.0, -2.25, -2.5, -2.75, -3.0)), "a few millionths"
    later = [error for power, error in found.items() if power < -3]
    assert sum(error > 3e-5 for error in later) > 0.8 * len(later), "then it grows, but for luck"
    assert slope.draw_slope(config).tables[0].rows[0][3] == "0.0006"


@claims("autograd: At a corner", "autograd_slope: preset A corner")
def _(config: Any) -> None:
    measured = {
        method: slope.draw_slope(config.with_values(method=method)).tables[0].rows[1] for method in slope.METHODS
    }
    assert float(measured["forward"][1]) == 1 and float(measured["central"][1]) == 0
    assert all(float(row[4]) == 0 for row in measured.values())
    assert all(row[3] == "–" for row in measured.values()), "no step is the best"


@claims(*(f"autograd_slope: preset {title}" for title in (
    "Sine", "A cubic", "A bell", "A steep tanh")))  # fmt: skip
def _(config: Any) -> None:
    for line in (0, 1):
        found = errors(config, line)
        best = min(found, key=lambda power: found[power])
        assert found[0.0] > 100 * found[best] and found[-14.0] > 100 * found[best], "a U"


@claims("autograd_slope: preset A smaller step", "autograd_slope: preset Forward difference")
def _(config: Any) -> None:
    central, forward = (errors(config.with_values(method=method), 1) for method in ("central", "forward"))
    assert central[-2.0] < central[0.0] / 1000
    assert forward[-2.0] > 100 * central[-2.0]


@claims("autograd_slope: preset A step that is too small")
def _(config: Any) -> None:
    assert errors(config, 0)[-7.0] > 0.01 > 1e-3 > errors(config, 0)[-3.0]


@claims("autograd_slope: preset A straight line")
def _(config: Any) -> None:
    assert errors(config, 1)[0.0] <= 1e-16, "no step is too large"


@claims("autograd_slope: preset No slope there")
def _(config: Any) -> None:
    assert slope.draw_slope(config).tables[0].rows[1][4] == "∞"


# Activations


def read(config: Any, **values: Any) -> tuple[float, float]:
    """The value and the slope at the probe, as the table shows them."""
    row = curves.draw_curves(config.with_values(**values)).tables[0].rows[0]
    value, slope_there = (float(cell.replace("−", "-")) for cell in row[-2:])
    return value, slope_there


@claims("activations: The tutorial’s ReLU", "activations_curves: preset ReLU")
def _(config: Any) -> None:
    (kink,) = curves.draw_curves(config.with_values(probe=0.0)).tables[1].rows
    assert kink[1:] == ("0", "0", "1", "0")
    assert [read(config, probe=probe)[1] for probe in (-1.0, 0.0, 1.0)] == [0, 0, 1]


@claims("activations: A sigmoid is flat", "activations_curves: preset Sigmoid")
def _(config: Any) -> None:
    steepest, far = read(config, probe=0.0)[1], read(config, probe=5.0)[1]
    assert steepest == 0.25 and far == pytest.approx(0.0066, abs=5e-5) and 35 < steepest / far < 40


@claims("activations: Sharpen softplus", "activations_curves: preset Softplus")
def _(config: Any) -> None:
    probes = (-1.0, -0.5, 0.0, 0.5, 1.0)
    gaps = {beta: max(abs(read(config, probe=x, beta=beta)[0] - max(0.0, x)) for x in probes) for beta in (1.0, 10.0)}
    assert gaps[10.0] < 0.07 < 0.6 < gaps[1.0]
    assert read(config, probe=-0.5, beta=10.0)[1] < 0.01 and read(config, probe=0.5, beta=10.0)[1] > 0.99


@claims("activations: Softmax of two scores is sigmoid")
def _(config: Any) -> None:
    def lines(**values: Any) -> tuple[Any, Any]:
        data = curves.draw_curves(config.with_values(**values)).charts["function"]["data"]
        return data[0]["y"], data[1]["y"]

    np.testing.assert_allclose(*lines(), atol=1e-6)
    for values in ({"rivals": 4}, {"temperature": 3.0}):
        assert np.abs(np.subtract(*lines(**values))).max() > 0.1


@claims("activations_curves: preset Tanh", "activations_curves: preset Sigmoid and tanh")
def _(config: Any) -> None:
    shown = curves.draw_curves(config).tables[0].rows
    assert shown[-1][0] == "Tanh" and float(shown[-1][-2]) == pytest.approx(math.tanh(1), abs=1e-6)


@claims("activations_curves: preset ReLU and its smooth cousin")
def _(config: Any) -> None:
    relu, gelu = (trace["y"] for trace in curves.draw_curves(config).charts["function"]["data"][:2])
    ends = slice(None, None, len(relu) - 1)
    np.testing.assert_allclose(relu[ends], np.interp([0, 1], [0, 1], gelu[[0, -1]]), atol=1e-3)
    assert len(curves.draw_curves(config).tables[1].rows) == 1, "only ReLU has a kink"


@claims("activations: Left of zero")
def _(config: Any) -> None:
    slopes = {row[0]: float(row[-1].replace("−", "-")) for row in curves.draw_all(config).tables[0].rows}
    assert {name for name, each in slopes.items() if each == 0} == {"ReLU", "Hardswish", "Step"}
    assert max(slopes, key=lambda name: slopes[name]) == "ELU" and min(slopes.values()) < -0.05


def bars(config: Any) -> tuple[Any, Any]:
    charts = softmax.draw_softmax(config).charts
    return charts["softmax"]["data"][0]["y"], charts["softplus"]["data"][0]["y"]


@claims("activations: All scores up by one")
def _(config: Any) -> None:
    before, after = bars(softmax.SoftmaxConfig()), bars(config)
    np.testing.assert_allclose(before[0], after[0], rtol=1e-9)
    assert (after[1] > before[1] + 0.1).all()


@claims(*(f"activations_softmax: preset {title}" for title in (
    "Four scores", "All equal", "Cold: the winner takes all", "Hot: nearly equal")))  # fmt: skip
def _(config: Any) -> None:
    shares = bars(config)[0]
    assert shares.sum() == pytest.approx(1)
    if config.z1 == config.z4:
        np.testing.assert_allclose(shares, 0.25)
    if config.temperature < 1:
        assert shares.max() > 0.999
    if config.temperature > 1:
        assert shares.max() - shares.min() < 0.1


def ends(config: Any, **values: Any) -> tuple[float, float]:
    """Signal at the last layer, gradient at the first."""
    record = depth.run_pass(config.with_values(**values))
    return depth.signal(record.outputs[-1]), depth.rms(record.gradients[0])


@claims("activations: Ten sigmoids")
def _(config: Any) -> None:
    gradient = [depth.rms(each) for each in depth.run_pass(config).gradients]
    assert all(before < after / 4 for before, after in pairwise(gradient))
    assert gradient[0] / gradient[-1] == pytest.approx(5e-7, rel=0.1), "half a millionth"
    assert "gradient reaches" in depth.draw_depth(config.with_values(layers=3)).note


@claims("activations: ReLU with the default start")
def _(config: Any) -> None:
    assert max(ends(config)) < depth.VANISHED
    assert 0.5 < ends(config, gain=2.45)[1] < 2
    assert all(0.3 < each < 2 for each in ends(config, initialisation="kaiming"))


@claims("activations: Too large: does tanh save it?")
def _(config: Any) -> None:
    outputs = depth.run_pass(config).outputs[1:]
    assert all(float(each.detach().abs().max()) <= 1 for each in outputs)
    assert float((outputs[-1].detach().abs() > 0.95).float().mean()) > 0.9
    assert "gradient explodes" in depth.draw_depth(config).note


@claims("activations: Past the largest number")
def _(config: Any) -> None:
    assert 1e36 < max(ends(config)) < 1e38
    assert "too large for float32" in depth.draw_depth(config.with_values(gain=2.0)).note


@claims("activations: Two bends make an absolute value", "activations_units: preset Two ReLUs")
def _(config: Any) -> None:
    assert "**0**" in units.draw_units(config.with_values(b1=0.0, b2=0.0)).note
    loss = units.draw_units(config.with_values(descent=60)).charts["loss"]["data"][0]["y"]
    assert loss[60] < loss[0] / 500


def sum_of(config: Any) -> Any:
    return units.draw_units(config).charts["sum"]["data"][-1]["y"]


@claims("activations: Six units without a bend", "activations_units: preset No bend")
def _(config: Any) -> None:
    for values in ({}, {"descent": 60}, {"w1": 3.0, "b3": -2.0}):
        assert np.abs(np.diff(sum_of(config.with_values(**values)), 2)).max() < 1e-5, "straight"
    assert np.abs(np.diff(sum_of(config.with_values(activation="relu", descent=60)), 2)).max() > 1e-3


@claims("activations_units: preset One unit")
def _(config: Any) -> None:
    assert (np.abs(np.diff(sum_of(config), 2)) > 1e-4).sum() <= 2, "one bend"


@claims("activations_units: preset Six units, by Adam")
def _(config: Any) -> None:
    loss = units.draw_units(config).charts["loss"]["data"][0]["y"]
    assert loss[60] < loss[0] / 10 and "after 60 steps of Adam" in units.draw_units(config).note


@claims("activations_units: preset A bump of two sigmoids")
def _(config: Any) -> None:
    y = sum_of(config)
    assert y[len(y) // 2] > 0.85 and max(y[0], y[-1]) < 0.06, "a bump"
    start, end = (
        units.draw_units(config.with_values(descent=steps)).charts["loss"]["data"][0]["y"] for steps in (0, 60)
    )
    assert start[0] < 0.07 and end[60] < start[0], "near its target, and Adam comes nearer"


def shares_of_largest(config: Any, **values: Any) -> dict[str, float]:
    """The share of the largest score by the formula, in each format."""
    rows = precision.draw_precision(config.with_values(**values)).tables[0].rows
    return {row[0]: float(row[1].replace("−", "-")) for row in rows}


@claims("activations: A step too far")
def _(config: Any) -> None:
    z = precision.scores(torch.tensor(config.largest).double(), config.gap).half()
    assert torch.exp(z).isfinite().all() and torch.exp(z).sum().isinf()
    assert shares_of_largest(config)["fp16"] == 0 and shares_of_largest(config)["fp32"] > 0.6
    assert math.isnan(shares_of_largest(config, largest=12.0)["fp16"])
    assert all(math.isnan(shares_of_largest(config, largest=90.0)[name]) for name in precision.FORMATS)


@claims("activations_precision: preset fp16 overflows", "activations_precision: preset bf16 and fp32 overflow too",
        "activations_precision: preset All underflow")  # fmt: skip
def _(config: Any) -> None:
    wanted = "fp16" if config.largest == 12 else "fp16, bf16, fp32"
    assert precision.draw_precision(config).note.endswith(f"wrong or NaN in: **{wanted}**.")
    exps = torch.exp(torch.tensor(config.largest))
    assert bool(exps == 0) is (config.largest < 0)
