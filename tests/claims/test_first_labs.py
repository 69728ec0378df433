"""What the experiments of Tensors, Autograd and Activations say happens, does: each has a check here, by its id."""

from __future__ import annotations

import math
import re
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
EXPERIMENTS = {f"{name}: {each.id}": each.config for name in PAGES for each in experiments(LESSONS[name])}
CHECKS: dict[str, Callable[[Any], None]] = {}


def claims(*experiments: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register the check of experiments ("<lesson>: <id>"), which gets their config."""

    def register(check: Callable[[Any], None]) -> Callable[[Any], None]:
        CHECKS.update(dict.fromkeys(experiments, check))
        return check

    return register


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_what_it_says_happens(experiment: str) -> None:
    assert experiment in CHECKS, "say in this file what happens in a new experiment"
    CHECKS[experiment](EXPERIMENTS[experiment])


def test_no_check_is_left_of_what_is_gone() -> None:
    assert CHECKS.keys() == EXPERIMENTS.keys()


# Tensors


def verdict_line(config: Any, **values: Any) -> str:
    return operations.draw_operations(config.with_values(**values)).note.split("\n")[0]


def result(config: Any, library: str, **values: Any) -> list[str]:
    """The texts of the cells of a library's result."""
    words = operations.draw_operations(config.with_values(**values)).charts["results"]["layout"]["meta"]["words"]
    part = next(part for part in words.split(". ") if part.startswith(library))
    return re.split(", |; ", part.rpartition(": ")[2])


@claims("tensors: first-cell")
def _(config: Any) -> None:
    for columns in (3, 5):
        strides = tutorial.draw_tutorial(config.with_values(columns=columns)).tables[0].rows[0][4]
        assert strides == f"{8 * columns},\u00a08\u00a0bytes\n{columns},\u00a01\u00a0elements"


@claims("tensors: same-sine")
def _(config: Any) -> None:
    rows = tutorial.draw_tutorial(config).tables[0].rows
    sine, mean = (next(row for row in rows if name in row[0]) for name in ("np.sin", "np.mean"))
    assert sine[2] == "float64\nfloat32"
    assert mean[3:] == ("()\n()", "()\n()"), "as both libraries print shape and strides of a number"
    assert np.asarray(np.mean([1.0])).strides == () == tuple(torch.tensor(1.0).stride())


@claims("tensors: abs", "tensors: one-mean")
def _(config: Any) -> None:
    words = [tutorial.draw_tutorial(config).charts[name]["layout"]["meta"]["words"] for name in ("numpy", "torch")]
    wanted = {"abs": "1, 2, 1, 2", "mean": "0"}[config.cell]
    row = next(row for row in tutorial.draw_tutorial(config).tables[0].rows if f"np.{config.cell}(" in row[0])
    assert row[2].startswith({"abs": "int64\nfloat32", "mean": "float64\nfloat32"}[config.cell])
    assert all(each.endswith(f": {wanted}") for each in words)


@claims("tensors: default-float")
def _(config: Any) -> None:
    assert "torch a float32, its default float type" in verdict_line(config)
    assert "same values, shape and dtype" in verdict_line(config, dtype="float64")


@claims("tensors: sine-of-integers")
def _(config: Any) -> None:
    found = operations.draw_operations(config)
    assert "of 59 operations 43 agree, 9 differ and 7 fail" in found.note
    gap = found.charts["gap"]["data"][-1]["text"]
    assert 0 < max(abs(float(text)) for text in gap) < 1e-7, "rounding"


@claims("tensors: mean-of-floats")
def _(config: Any) -> None:
    assert "same values, shape and dtype" in verdict_line(config)
    assert result(config, "NumPy") == result(config, "torch") == ["0"]
    assert "torch raises an error" in verdict_line(config, dtype="auto")


@claims("tensors: median-of-four")
def _(config: Any) -> None:
    assert (result(config, "NumPy"), result(config, "torch")) == (["2.5"], ["2"])
    assert "same values" in verdict_line(config, array="1 2 3 4 5")


@claims("tensors: two-maxima")
def _(config: Any) -> None:
    assert result(config, "NumPy") == result(config, "torch") == ["1"]
    again = {"array": "5 3 3 1"}
    assert result(config, "NumPy", **again) == result(config, "torch", **again) == ["0"]


@claims("tensors: nan-spreads")
def _(config: Any) -> None:
    for operation in ("max", "sum", "mean"):
        assert result(config, "NumPy", operation=operation) == result(config, "torch", operation=operation) == ["nan"]
    assert operations.OPERATIONS["isnan"].label == "Is it NaN?"


@claims("tensors: repeat")
def _(config: Any) -> None:
    assert result(config, "NumPy") == ["1", "1", "2", "2", "3", "3"]
    assert result(config, "torch") == [str(each) for each in np.tile([1, 2, 3], 2)]


@claims("tensors: max-of-columns")
def _(config: Any) -> None:
    for operation in (config.operation, "sort"):
        assert "torch gives two tensors" in verdict_line(config, operation=operation)


@claims("tensors: dot-of-matrices")
def _(config: Any) -> None:
    assert "accepts exactly 1" in verdict_line(config)
    assert "same values, shape and dtype" in verdict_line(config, operation="matmul")


@claims("tensors: mixed-dtypes")
def _(config: Any) -> None:
    assert "same dtype" in verdict_line(config)
    a, b = np.zeros((2, 3), np.float16), np.zeros(3, np.int64)
    assert (a @ b).dtype == np.float64
    assert "same values, shape and dtype" in verdict_line(config, dtype="auto")


@claims("tensors: backwards")
def _(config: Any) -> None:
    assert "cannot be negative" in verdict_line(config)
    assert result(config, "NumPy") == ["3", "4", "5", "0", "1", "2"]


@claims("tensors: mean-of-integers")
def _(config: Any) -> None:
    assert "torch raises an error" in verdict_line(config) and "needs floats" in verdict_line(config)
    assert result(config, "NumPy", dtype="float32") == result(config, "torch", dtype="float32") == ["0"]


@claims("tensors: two-std")
def _(config: Any) -> None:
    assert "torch by n − 1" in verdict_line(config)
    few, many = ([float(result(config, name, **more)[0]) for name in ("NumPy", "torch")]
                 for more in ({}, {"array": "arange(60)"}))  # fmt: skip
    assert all(9 < after / before < 11 for before, after in zip(few, many, strict=True))
    assert 0 < many[1] / many[0] - 1 < 0.01 < few[1] / few[0] - 1


@claims("tensors: divide-by-zero")
def _(config: Any) -> None:
    assert "torch raises an error" in verdict_line(config) and "divided by zero" in verdict_line(config)
    assert result(config, "NumPy")[2] == "0"
    assert result(config, "NumPy", dtype="float32")[2] == result(config, "torch", dtype="float32")[2] == "nan"
    assert "`b` is int64" in verdict_line(config, dtype="float32") and "error" not in verdict_line(
        config, dtype="float32"
    )


def written(config: Any) -> memory.Written:
    return memory.write(memory.CONVERSIONS[config.way], config.side, (config.row, config.column), config.value)


@claims("tensors: one-memory")
def _(config: Any) -> None:
    assert written(config).visible_in_both
    assert not written(config.with_values(way="tensor")).visible_in_both


@claims("tensors: slice-skips")
def _(config: Any) -> None:
    assert written(config).shared and not written(config).visible_in_both
    assert written(config.with_values(column=2)).visible_in_both


@claims("tensors: a-copy", "tensors: other-dtype")
def _(config: Any) -> None:
    assert not written(config).shared
    assert written(config.with_values(way="as_tensor")).shared


@claims("tensors: slice-shares")
def _(config: Any) -> None:
    assert written(config).visible_in_both
    assert not written(config.with_values(column=1)).visible_in_both


@claims("tensors: column-and-row")
def _(config: Any) -> None:
    assert "Stretched: `a` and `b`" in broadcasting.draw_broadcasting(config).note
    assert "do not fit" in broadcasting.draw_broadcasting(config.with_values(a="4 2")).note


@claims("tensors: a-trillion")
def _(config: Any) -> None:
    sheet = broadcasting.draw_broadcasting(config)
    assert "1,000,000,000,000" in sheet.note and sheet.tables[0].rows[-1][-1] == "4 TB"
    assert "equal: nothing is stretched" in broadcasting.draw_broadcasting(config.with_values(b="1000000")).note


def stretched_cells(config: Any) -> int:
    """The cells of the drawing of both shapes that are orange."""
    values = broadcasting.draw_broadcasting(config).charts["shapes"]["maps"]["values"]
    return int((np.asarray(values).astype(int) < 128).sum())


@claims("tensors: three-axes")
def _(config: Any) -> None:
    assert broadcasting.draw_broadcasting(config).tables[0].rows[-1][1] == "2 × 4 × 3"
    assert stretched_cells(config) == 3, "the 1 of a, the 1 of b and b's missing axis"
    assert broadcasting.draw_broadcasting(config.with_values(b="2 1")).tables[0].rows[-1][1] == "2 × 2 × 3"


@claims("tensors: no-fit")
def _(config: Any) -> None:
    found = broadcasting.draw_broadcasting(config)
    assert "do not fit" in found.note and "no shape fits" in found.charts["sum"]["layout"]["meta"]["words"]
    assert "do not fit" not in broadcasting.draw_broadcasting(config.with_values(b="2 1")).note


@claims("tensors: a-number")
def _(config: Any) -> None:
    sheet = broadcasting.draw_broadcasting(config)
    assert "Stretched: `b`" in sheet.note and stretched_cells(config) == 2, "orange, although both axes are missing"
    assert "(1): missing" in sheet.charts["shapes"]["layout"]["meta"]["words"]
    assert sheet.tables[0].rows[1][2] == "0, 0"


@claims("tensors: bias-of-a-batch")
def _(config: Any) -> None:
    assert "Stretched: `b`" in broadcasting.draw_broadcasting(config).note and stretched_cells(config) == 1
    assert "do not fit" in broadcasting.draw_broadcasting(config.with_values(b="6")).note


@claims("tensors: view-fails", "tensors: transpose")
def _(config: Any) -> None:
    assert "does not work" in views.draw_views(config.with_values(second="view")).note
    copies = {name for name in views.SECOND if "copy" in views.draw_views(config.with_values(second=name)).note}
    assert copies >= {"reshape", "contiguous", "contiguous_view"} and "t" not in copies
    if config.second == "same":
        found = views.draw_views(config)
        assert "is a **view**" in found.note and [row[2] for row in found.tables[0].rows[:2]] == ["4, 1", "1, 4"]


@claims("tensors: expand")
def _(config: Any) -> None:
    sheet = views.draw_views(config)
    row = sheet.tables[0].rows[1]
    assert row[1:3] == ("2 × 2 × 3", "0, 3, 1") and "is a **view**" in sheet.note
    assert "is a **copy**" in views.draw_views(config.with_values(second="contiguous")).note


@claims("tensors: reshape-copies")
def _(config: Any) -> None:
    assert "is a **copy**" in views.draw_views(config).note
    assert "copy" not in views.draw_views(config.with_values(first="same")).note


@claims("tensors: every-second", "tensors: permute")
def _(config: Any) -> None:
    found = views.draw_views(config)
    strides = [row[2] for row in found.tables[0].rows]
    assert "is a **view**" in found.note
    if config.first == "permute":
        assert strides[:2] == ["12, 4, 1", "1, 4, 12"] and "**12**" in found.note
    else:
        columns = views.draw_views(config.with_values(first="columns"))
        assert strides[1] == "4, 2" and columns.tables[0].rows[1][3] == "1"


@claims("tensors: which-is-faster", *(f"tensors: time-of-a-{call}" for call in ("sine", "sum", "sort", "product")))
def _(config: Any) -> None:
    """Times are the machine's; here is only that the named calls can be measured in both libraries."""
    assert config.call in speed.CALLS and speed.MAX_CALL_SECONDS == 0.005


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


@claims("autograd: tutorial")
def _(config: Any) -> None:
    one, two = sent_to(played(config), "v")
    assert (one + two).tolist() == [[0.5, 1.0], [1.5, 2.0]]


@claims("autograd: two-ways")
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


@claims("autograd: sigmoid-neuron")
def _(config: Any) -> None:
    assert sigmoid_factor(config) == pytest.approx(0.149, abs=5e-4)
    assert sigmoid_factor(config, b=5.0) == pytest.approx(0.045, abs=5e-4)


@claims("autograd: four-sigmoids")
def _(config: Any) -> None:
    locals_ = [sent.local for step in played(config).pass_.steps for sent in step.sent]
    assert all(each is not None and each.item() <= 0.25 for each in locals_)
    left = gradients(config)["x"].item()
    assert left == pytest.approx(0.001, abs=5e-4)
    assert gradients(config, expression=config.expression.replace("sigmoid", "tanh"))["x"].item() > 3 * left


@claims("autograd: closed-gate")
def _(config: Any) -> None:
    assert all(each.item() == 0 for each in gradients(config).values())
    assert all(each.item() != 0 for each in gradients(config, w=0.5).values())


@claims("autograd: cross-entropy")
def _(config: Any) -> None:
    wanted = torch.softmax(torch.tensor([1.0, 2.0, 3.0]), 0) - torch.tensor([0.0, 1.0, 0.0])
    torch.testing.assert_close(gradients(config)["z"], wanted)
    assert gradients(config)["z"].sum().item() == pytest.approx(0, abs=1e-6)


@claims("autograd: two-layers")
def _(config: Any) -> None:
    assert set(gradients(config)) == {"W", "c", "U"}
    assert set(gradients(config, fixed="t")) == {"d", "W", "c", "U"}


@claims("autograd: square", "autograd: polynomial", "autograd: error-of-a-line", "autograd: matrix-product")
def _(config: Any) -> None:
    wanted: Any = {"x**2": {"x": 4.0}, "x**3 - 2*x + 1": {"x": 10.0}, "(w*x + b - t)**2": {"w": -10.0, "b": -5.0}}
    found = {name: each.item() for name, each in gradients(config).items() if each.numel() == 1}
    assert found == wanted.get(config.expression, {})
    if "@" in config.expression:
        assert gradients(config)["A"].tolist() == [[0.25, -0.5], [0.25, -0.5]]
    elif "x**3" in config.expression:
        assert gradients(config, x=0.0)["x"].item() == -2
    elif "t" in config.expression:
        assert all(each.item() == 0 for each in gradients(config, b=3.0).values())


@claims(*(f"autograd: {name}" for name in ("bowl", "as-today", "all-the-same", "at-the-bottom", "negative-numbers")))
def _(config: Any) -> None:
    result, gradient = autograd_tutorial.gradient_of(config.numbers)
    if config.a == -1:
        assert result == 7.5 and (gradient < 0).all()
    for d in (config.d, 0.0, -3.0):
        numbers = config.with_values(d=d).numbers
        _, gradient = autograd_tutorial.gradient_of(numbers)
        np.testing.assert_allclose(gradient, np.array(numbers) / 2)
        note = autograd_tutorial.draw_tutorial(config.with_values(d=d)).note
        assert f"the slope of the tangent is {d / 2:g}".replace("-", "−") in note


@claims("autograd: forgotten-zero-grad")
def _(config: Any) -> None:
    calls = accumulate.call_backward(config)
    assert len(calls) == 6 and calls[-1].after == 6 * calls[0].after
    assert [each.after for each in accumulate.call_backward(config.with_values(zero=True))] == [calls[0].after] * 6


@claims("autograd: used-once")
def _(config: Any) -> None:
    assert [bool(call.error) for call in accumulate.call_backward(config)] == [False, True]
    assert not any(call.error for call in accumulate.call_backward(config.with_values(formula="x + x")))


@claims("autograd: twice")
def _(config: Any) -> None:
    assert [call.after for call in accumulate.call_backward(config)] == [6.0, 12.0]
    assert [call.after for call in accumulate.call_backward(config.with_values(zero=True))] == [6.0, 6.0]


@claims("autograd: loop-as-it-should-be")
def _(config: Any) -> None:
    assert [call.after for call in accumulate.call_backward(config)] == [6.0] * 6
    kept = [call.after for call in accumulate.call_backward(config.with_values(zero=False))]
    assert kept == [6.0, 12.0, 18.0, 24.0, 30.0, 36.0]


@claims("autograd: nothing-saved")
def _(config: Any) -> None:
    assert [call.after for call in accumulate.call_backward(config)] == [2.0, 4.0, 6.0, 8.0]
    assert [bool(call.error) for call in accumulate.call_backward(config.with_values(formula="sin(x)"))] == [0, 1]


@claims("autograd: half-detached")
def _(config: Any) -> None:
    wrong, fixed = (table.rows[-1] for table in mistakes.draw_mistake(config).tables)
    assert (wrong[1].strip(), wrong[2]) == ("", "tensor([1., 2.])") and fixed[2] == "tensor([2., 4.])"


@claims(*(f"autograd: {name}" for name in (
    "not-a-leaf", "not-asked", "integers", "detached", "under-no-grad", "leaf-in-place", "view-in-place", "overwritten",
    "second-backward", "many-numbers", "replaced", "unused", "to-numpy")))  # fmt: skip
def _(config: Any) -> None:
    """The wrong program fails, or its last line prints None; the fixed one does neither."""
    wrong, fixed = mistakes.draw_mistake(config).tables
    assert any(row[1] == mistakes.SIGNS["raised"] for row in wrong.rows) or wrong.rows[-1][2].endswith("None")
    assert all(row[1] == mistakes.SIGNS["ran"] for row in fixed.rows) and "None" not in fixed.rows[-1][2]


def errors(config: Any, line: int) -> dict[float, float]:
    """The error of the measured slope by the power of ten of ε; line 0 is float32, 1 float64."""
    trace = slope.draw_slope(config).charts["error"]["data"][line]
    return {round(math.log10(x), 2): float(y) for x, y in zip(trace["x"], trace["y"], strict=True)}


@claims("autograd: no-step-is-right")
def _(config: Any) -> None:
    found = errors(config, 0)
    assert config.exponent == -1 and found[-1.0] > 30 * found[-2.0], "at first a smaller step helps"
    assert all(found[power] < 2e-5 for power in (-2.0, -2.25, -2.5, -2.75, -3.0)), "a few millionths"
    later = [error for power, error in found.items() if power < -3]
    assert sum(error > 3e-5 for error in later) > 0.8 * len(later), "then it grows, but for luck"
    assert slope.draw_slope(config).tables[0].rows[0][3] == "0.0006"


@claims("autograd: corner")
def _(config: Any) -> None:
    measured = {
        method: slope.draw_slope(config.with_values(method=method)).tables[0].rows[1] for method in slope.METHODS
    }
    assert float(measured["forward"][1]) == 1 and float(measured["central"][1]) == 0
    assert all(float(row[4]) == 0 for row in measured.values())
    assert all(row[3] == "–" for row in measured.values()), "no step is the best"


@claims(*(f"autograd: {name}" for name in ("by-hand", "cubic", "bell", "steep-tanh")))
def _(config: Any) -> None:
    for line in (0, 1):
        found = errors(config, line)
        best = min(found, key=lambda power: found[power])
        assert found[0.0] > 100 * found[best] and found[-14.0] > 100 * found[best], "a valley"
    if config.formula == "sin(x)":
        assert errors(config, 1)[-1.0] < errors(config, 1)[0.0] / 50
        assert errors(config, 1)[-2.0] == pytest.approx(errors(config, 1)[-1.0] / 100, rel=0.1)
    if config.formula == "exp(-x**2)":
        for exponent in (0.0, -2.0):
            rows = slope.draw_slope(config.with_values(x=0.0, exponent=exponent)).tables[0].rows
            assert all(float(row[1]) == float(row[4].replace("−", "-")) == 0 for row in rows)


@claims("autograd: smaller-step", "autograd: forward")
def _(config: Any) -> None:
    central, forward = (errors(config.with_values(method=method), 1) for method in ("central", "forward"))
    assert central[-2.0] < central[0.0] / 1000
    assert forward[-2.0] > 100 * central[-2.0]
    assert central[-2.0] == pytest.approx(9e-6, rel=0.05)
    assert forward[-2.0] == pytest.approx(forward[-1.0] / 10, rel=0.1)


@claims("autograd: too-small")
def _(config: Any) -> None:
    assert errors(config, 0)[-7.0] > 0.01 > 1e-3 > errors(config, 0)[-3.0]
    assert errors(config, 1)[-7.0] < 1e-6


@claims("autograd: straight-line")
def _(config: Any) -> None:
    assert errors(config, 1)[0.0] <= 1e-16, "no step is too large"


@claims("autograd: no-slope")
def _(config: Any) -> None:
    assert slope.draw_slope(config).tables[0].rows[1][4] == "∞"
    assert slope.draw_slope(config).tables[0].rows[1][1] == "NaN"


# Activations


def read(config: Any, **values: Any) -> tuple[float, float]:
    """The value and the slope at the probe, as the table shows them."""
    row = curves.draw_curves(config.with_values(**values)).tables[0].rows[0]
    value, slope_there = (float(cell.replace("−", "-")) for cell in row[-2:])
    return value, slope_there


@claims("activations: tutorial-relu", "activations: relu")
def _(config: Any) -> None:
    (kink,) = curves.draw_curves(config.with_values(probe=0.0)).tables[1].rows
    assert kink[1:] == ("0", "0", "1", "0")
    assert [read(config, probe=probe)[1] for probe in (-1.0, 0.0, 1.0)] == [0, 0, 1]


@claims("activations: flat-sigmoid")
def _(config: Any) -> None:
    steepest, far = read(config, probe=0.0)[1], read(config, probe=5.0)[1]
    assert steepest == 0.25 and far == pytest.approx(0.0066, abs=5e-5) and 35 < steepest / far < 40


@claims("activations: softplus")
def _(config: Any) -> None:
    assert read(config)[1] == pytest.approx(0.73, abs=5e-3)
    assert read(config)[1] == pytest.approx(read(config, function="sigmoid")[0], abs=1e-5)


@claims("activations: sharpen-softplus")
def _(config: Any) -> None:
    probes = (-1.0, -0.5, 0.0, 0.5, 1.0)
    gaps = {beta: max(abs(read(config, probe=x, beta=beta)[0] - max(0.0, x)) for x in probes) for beta in (1.0, 10.0)}
    assert gaps[10.0] < 0.07 < 0.6 < gaps[1.0]
    assert read(config, probe=-0.5, beta=10.0)[1] < 0.01 and read(config, probe=0.5, beta=10.0)[1] > 0.99


@claims("activations: softmax-is-sigmoid")
def _(config: Any) -> None:
    def lines(**values: Any) -> tuple[Any, Any]:
        data = curves.draw_curves(config.with_values(**values)).charts["function"]["data"]
        return data[0]["y"], data[1]["y"]

    np.testing.assert_allclose(*lines(), atol=1e-6)
    for values in ({"rivals": 4}, {"temperature": 3.0}):
        assert np.abs(np.subtract(*lines(**values))).max() > 0.1


@claims("activations: tanh", "activations: sigmoid-and-tanh")
def _(config: Any) -> None:
    shown = curves.draw_curves(config).tables[0].rows
    assert shown[-1][0] == "Tanh" and float(shown[-1][-2]) == pytest.approx(math.tanh(1), abs=1e-6)
    at_0 = {name: read(config, function=name, probe=0.0)[1] for name in ("tanh", "sigmoid")}
    assert at_0 == {"tanh": 1, "sigmoid": 0.25} and read(config, function="tanh", probe=3.0)[1] < 0.01
    assert math.tanh(0.7) == pytest.approx(2 * read(config, function="sigmoid", probe=1.4)[0] - 1, abs=1e-5)


@claims("activations: smooth-cousin")
def _(config: Any) -> None:
    relu, gelu = (trace["y"] for trace in curves.draw_curves(config).charts["function"]["data"][:2])
    ends = slice(None, None, len(relu) - 1)
    np.testing.assert_allclose(relu[ends], np.interp([0, 1], [0, 1], gelu[[0, -1]]), atol=1e-3)
    assert len(curves.draw_curves(config).tables[1].rows) == 1, "only ReLU has a kink"


@claims("activations: left-of-zero")
def _(config: Any) -> None:
    slopes = {row[0]: float(row[-1].replace("−", "-")) for row in curves.draw_all(config).tables[0].rows}
    assert {name for name, each in slopes.items() if each == 0} == {"ReLU", "Hardswish", "Step"}
    assert max(slopes, key=lambda name: slopes[name]) == "ELU" and min(slopes.values()) < -0.05


def bars(config: Any) -> tuple[Any, Any]:
    charts = softmax.draw_softmax(config).charts
    return charts["softmax"]["data"][0]["y"], charts["softplus"]["data"][0]["y"]


@claims("activations: up-by-one")
def _(config: Any) -> None:
    before, after = bars(softmax.SoftmaxConfig()), bars(config)
    np.testing.assert_allclose(before[0], after[0], rtol=1e-9)
    assert (after[1] > before[1] + 0.1).all()


@claims(*(f"activations: {name}" for name in ("four-scores", "all-equal", "cold", "hot")))
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


@claims("activations: ten-sigmoids")
def _(config: Any) -> None:
    gradient = [depth.rms(each) for each in depth.run_pass(config).gradients]
    assert all(before < after / 4 for before, after in pairwise(gradient))
    assert gradient[0] / gradient[-1] == pytest.approx(5e-7, rel=0.1), "half a millionth"
    assert "gradient reaches" in depth.draw_depth(config.with_values(layers=3)).note


@claims("activations: relu-default")
def _(config: Any) -> None:
    assert max(ends(config)) < depth.VANISHED
    assert 0.5 < ends(config, gain=2.45)[1] < 2
    assert all(0.3 < each < 2 for each in ends(config, initialisation="kaiming"))


@claims("activations: tanh-xavier", "activations: relu-kaiming")
def _(config: Any) -> None:
    assert all(0.1 < each < 10 for each in ends(config))
    if config.activation == "tanh":
        assert all(each > depth.VANISHED for each in ends(config, layers=30))
    else:
        half = [after / before for before, after in zip(ends(config), ends(config, gain=0.5), strict=True)]
        assert half == pytest.approx([0.5**10] * 2, rel=0.01)


@claims("activations: too-small")
def _(config: Any) -> None:
    assert max(ends(config)) < 1e-8


@claims("activations: too-large-relu")
def _(config: Any) -> None:
    assert min(ends(config)) > 1e9
    assert all(0.1 < each < 10 for each in ends(config, initialisation="kaiming"))


@claims("activations: too-large-tanh")
def _(config: Any) -> None:
    outputs = depth.run_pass(config).outputs[1:]
    assert all(float(each.detach().abs().max()) <= 1 for each in outputs)
    assert float((outputs[-1].detach().abs() > 0.95).float().mean()) > 0.9
    assert "gradient explodes" in depth.draw_depth(config).note


@claims("activations: past-the-largest")
def _(config: Any) -> None:
    assert 1e36 < max(ends(config)) < 1e38
    assert "too large for float32" in depth.draw_depth(config.with_values(gain=2.0)).note


@claims("activations: two-bends")
def _(config: Any) -> None:
    assert "**0**" in units.draw_units(config.with_values(b1=0.0, b2=0.0)).note
    loss = units.draw_units(config.with_values(descent=60)).charts["loss"]["data"][0]["y"]
    assert loss[60] < loss[0] / 500


def sum_of(config: Any) -> Any:
    return units.draw_units(config).charts["sum"]["data"][-1]["y"]


@claims("activations: without-a-bend")
def _(config: Any) -> None:
    for values in ({}, {"descent": 60}, {"w1": 3.0, "b3": -2.0}):
        assert np.abs(np.diff(sum_of(config.with_values(**values)), 2)).max() < 1e-5, "straight"
    assert np.abs(np.diff(sum_of(config.with_values(activation="relu", descent=60)), 2)).max() > 1e-3


@claims("activations: one-unit")
def _(config: Any) -> None:
    assert (np.abs(np.diff(sum_of(config), 2)) > 1e-4).sum() <= 2, "one bend"


@claims("activations: six-by-adam")
def _(config: Any) -> None:
    loss = units.draw_units(config).charts["loss"]["data"][0]["y"]
    assert loss[60] < loss[0] / 10 and "after 60 steps of Adam" in units.draw_units(config).note


@claims("activations: bump")
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


@claims("activations: step-too-far")
def _(config: Any) -> None:
    z = precision.scores(torch.tensor(config.largest).double(), config.gap).half()
    assert torch.exp(z).isfinite().all() and torch.exp(z).sum().isinf()
    assert shares_of_largest(config)["fp16"] == 0 and shares_of_largest(config)["fp32"] > 0.6
    assert math.isnan(shares_of_largest(config, largest=12.0)["fp16"])
    assert all(math.isnan(shares_of_largest(config, largest=90.0)[name]) for name in precision.FORMATS)


@claims("activations: fp16-overflows", "activations: all-overflow", "activations: underflow")
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
