"""What the lesson Autograd says, as rules."""

from __future__ import annotations

import inspect
import math
import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from playground.lessons import LESSONS
from playground.lessons.autograd import accumulate, graph, mistakes, slope
from playground.lessons.autograd import tutorial as autograd_tutorial
from playground.settings import Settings
from tests.claims.claims import Claims

CLAIMS = Claims("autograd")
of, says = CLAIMS.of, CLAIMS.says
PROSE = LESSONS["autograd"].prose


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


@of("tutorial", "`mean(v*v)` of four numbers. v is used twice in `v*v`, so two gradients arrive at it.")
def _(config: Any) -> None:
    one, two = sent_to(played(config), "v")
    assert (one + two).tolist() == [[0.5, 1.0], [1.5, 2.0]]


@of(
    "two-ways",
    "`x*x + 3*x`: the input x is used three times, so three gradients arrive at it.",
    "x.grad is 7.",
    "Step through and find the three parts.",
    "Then drag x: the graph stays the same, its numbers change.",
)
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


@of(
    "sigmoid-neuron",
    "It is 0.149.",
    "Drag b to 5 and it falls to 0.045: when the sigmoid is near 0 or 1, the neuron learns slowly.",
)
def _(config: Any) -> None:
    assert sigmoid_factor(config) == pytest.approx(0.149, abs=5e-4)
    assert sigmoid_factor(config, b=5.0) == pytest.approx(0.045, abs=5e-4)


@of(
    "four-sigmoids",
    "Four sigmoids, one after the other.",
    "Each multiplies by at most a quarter, and 0.001 is left at the end: the vanishing gradient.",
    "Replace each sigmoid by tanh and compare.",
)
def _(config: Any) -> None:
    locals_ = [sent.local for step in played(config).pass_.steps for sent in step.sent]
    assert all(each is not None and each.item() <= 0.25 for each in locals_)
    left = gradients(config)["x"].item()
    assert left == pytest.approx(0.001, abs=5e-4)
    assert gradients(config, expression=config.expression.replace("sigmoid", "tanh"))["x"].item() > 3 * left


@of("closed-gate", "ReLU multiplies by 0, and every input gets 0.", "Drag w up to 0.5 and the gate opens.")
def _(config: Any) -> None:
    assert all(each.item() == 0 for each in gradients(config).values())
    assert all(each.item() != 0 for each in gradients(config, w=0.5).values())


@of(
    "cross-entropy",
    "z.grad is the softmax of z minus t: the probabilities, minus 1 for the true class.",
    "Its numbers add up to 0.",
)
def _(config: Any) -> None:
    wanted = torch.softmax(torch.tensor([1.0, 2.0, 3.0]), 0) - torch.tensor([0.0, 1.0, 0.0])
    torch.testing.assert_close(gradients(config)["z"], wanted)
    assert gradients(config)["z"].sum().item() == pytest.approx(0, abs=1e-6)


@of(
    "two-layers",
    "The data d and the target t need none, so they have no node.",
    "Delete d from “Without gradient” in All settings and read the gradient of the loss with respect to the data.",
)
def _(config: Any) -> None:
    assert set(gradients(config)) == {"W", "c", "U"}
    assert set(gradients(config, fixed="t")) == {"d", "W", "c", "U"}


@of("square", "The smallest graph: x = 2, squared.", "x.grad is 4, which is 2x.")
@of(
    "polynomial",
    "x.grad is 10: 12 from `x**3`, and −2 from `2*x`, which is subtracted.",
    "Drag x to 0: only −2 is left.",
)
@of(
    "error-of-a-line",
    "w.grad is −10 and b.grad −5: they differ by the factor x = 2.",
    "Drag b to 3: the line meets its target, and both are 0.",
)
@of("matrix-product", "The shape of A.", "Each of its rows is B divided by 2, since the mean of two numbers is taken.")
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


@of(
    "bowl",
    "Its gradient is the slope of the tangent.",
    "Drag v[1, 1] down to 0 and below.",
    "The tangent changes its direction, and the gradient is always half the number: the derivative of v²/4.",
)
@of("as-today", "The same gradients.")
@of("all-the-same", "All are 1, half the number.")
@of(
    "at-the-bottom",
    "All four numbers are 0, where `mean(v*v)` is smallest.",
    "Every gradient is 0, and the tangent is level.",
    "Drag v[1, 1] to both sides: on the left the slope is negative.",
)
@of(
    "negative-numbers",
    "The result is 7.5 as before, but every gradient is negative: a larger number makes the result smaller.",
)
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


@of(
    "forgotten-zero-grad",
    "A training loop of six steps.",
    "Each computes y again and calls backward().",
    "The gradient is six times too large at the end.",
    "Switch on zero_grad().",
)
def _(config: Any) -> None:
    calls = accumulate.call_backward(config)
    assert len(calls) == 6 and calls[-1].after == 6 * calls[0].after
    assert [each.after for each in accumulate.call_backward(config.with_values(zero=True))] == [calls[0].after] * 6


@of(
    "used-once",
    "Two calls of backward() on one graph, without retain_graph.",
    "The second call fails, with a message that you will surely meet.",
    "Change y to x + x: its derivative does not depend on x, so nothing had to be saved, and it works.",
)
def _(config: Any) -> None:
    assert [bool(call.error) for call in accumulate.call_backward(config)] == [False, True]
    assert not any(call.error for call in accumulate.call_backward(config.with_values(formula="x + x")))


@of(
    "twice",
    "backward() is called twice on the same y = x², with nothing in between.",
    "x.grad is 6, then 12: the second call adds to the first.",
    "Switch on zero_grad(), and it is 6 both times.",
)
def _(config: Any) -> None:
    assert [call.after for call in accumulate.call_backward(config)] == [6.0, 12.0]
    assert [call.after for call in accumulate.call_backward(config.with_values(zero=True))] == [6.0, 6.0]


@of(
    "loop-as-it-should-be",
    "The same six steps, with zero_grad() before each call.",
    "x.grad is 6 after every call.",
    "Switch zero_grad() off and watch it grow: 6, 12, 18 and so on.",
)
def _(config: Any) -> None:
    assert [call.after for call in accumulate.call_backward(config)] == [6.0] * 6
    kept = [call.after for call in accumulate.call_backward(config.with_values(zero=False))]
    assert kept == [6.0, 12.0, 18.0, 24.0, 30.0, 36.0]


@of(
    "nothing-saved",
    "y = x + x, and four calls without retain_graph.",
    "None: the derivative does not depend on x, so nothing had to be saved.",
    "Choose sin(x): the second call fails.",
)
def _(config: Any) -> None:
    assert [call.after for call in accumulate.call_backward(config)] == [2.0, 4.0, 6.0, 8.0]
    assert [bool(call.error) for call in accumulate.call_backward(config.with_values(formula="sin(x)"))] == [0, 1]


@of(
    "half-detached",
    "The worst mistake gives no message.",
    "The fixed one.",
    "In the other one of the two factors counts as a constant, so the gradient is x and not 2x.",
)
def _(config: Any) -> None:
    wrong, fixed = (table.rows[-1] for table in mistakes.draw_mistake(config).tables)
    assert (wrong[1].strip(), wrong[2]) == ("", "tensor([1., 2.])") and fixed[2] == "tensor([2., 4.])"


@of(
    "not-a-leaf",
    "None, and a warning: only leaf tensors keep their .grad.",
    "Call y.retain_grad() before backward(), or look at x.grad.",
)
@of(
    "not-asked",
    "backward(): without such an input there is no graph.",
    "Make the leaf with requires_grad=True; a model’s parameters have it.",
)
@of("integers", "It does not: an integer cannot change by a tiny amount.", "Write 1.0 instead of 1.")
@of("detached", "There is none: detach() gives the same numbers without their graph.")
@of("under-no-grad", "Nothing: inside, nothing is recorded, and y has no grad_fn.")
@of(
    "leaf-in-place",
    "It refuses: the graph would need both values.",
    "Change it under no_grad(), as an optimizer does, or write y = x + 1.",
)
@of("view-in-place", "It is not: x[0] is a view, the same memory.")
@of("overwritten", "The graph: the derivative of exp is its own result.", "Write y = y + 1, which makes a new tensor.")
@of("second-backward", "The saved values: the first call frees them.", "Compute y again, or set retain_graph=True.")
@of(
    "many-numbers",
    "It needs one number to start from; it would not know the weights of two.",
    "Reduce them first, with sum() or mean().",
)
@of(
    "replaced",
    "A new, computed tensor, which is not a leaf; the gradient goes to the old one.",
    "Update in place under no_grad().",
)
@of("unused", "It is None: no gradient ever reached w, and None is not the same as zero.")
@of("to-numpy", "NumPy has no graph, so torch makes you detach first: y.detach().numpy().")
def _(config: Any) -> None:
    """The wrong program fails, or its last line prints None; the fixed one does neither."""
    wrong, fixed = mistakes.draw_mistake(config).tables
    assert any(row[1] == mistakes.SIGNS["raised"] for row in wrong.rows) or wrong.rows[-1][2].endswith("None")
    assert all(row[1] == mistakes.SIGNS["ran"] for row in fixed.rows) and "None" not in fixed.rows[-1][2]


def errors(config: Any, line: int) -> dict[float, float]:
    """The error of the measured slope by the power of ten of ε; line 0 is float32, 1 float64."""
    trace = slope.draw_slope(config).charts["error"]["data"][line]
    return {round(math.log10(x), 2): float(y) for x, y in zip(trace["x"], trace["y"], strict=True)}


@of(
    "no-step-is-right",
    "ε = 0.1.",
    "It falls to a few millionths between 0.01 and 0.001, then grows (0.0006 is luck): the two values are almost equal, and their difference loses digits.",
)
def _(config: Any) -> None:
    found = errors(config, 0)
    assert config.exponent == -1 and found[-1.0] > 30 * found[-2.0], "at first a smaller step helps"
    assert all(found[power] < 2e-5 for power in (-2.0, -2.25, -2.5, -2.75, -3.0)), "a few millionths"
    later = [error for power, error in found.items() if power < -3]
    assert sum(error > 3e-5 for error in later) > 0.8 * len(later), "then it grows, but for luck"
    assert slope.draw_slope(config).tables[0].rows[0][3] == "0.0006"


@of("corner", "The forward difference gives 1, the central one 0, and autograd 0.")
def _(config: Any) -> None:
    measured = {
        method: slope.draw_slope(config.with_values(method=method)).tables[0].rows[1] for method in slope.METHODS
    }
    assert float(measured["forward"][1]) == 1 and float(measured["central"][1]) == 0
    assert all(float(row[4]) == 0 for row in measured.values())
    assert all(row[3] == "–" for row in measured.values()), "no step is the best"


@of("by-hand", "Make ε smaller: at first the error becomes a hundred times smaller with each power of ten.")
@of("cubic", "The error is a valley again: large steps miss the curve, small ones lose digits.")
@of("bell", "Drag the point to 0, the top: tangent and chord are level there, whatever ε is.")
@of("steep-tanh", "With ε = 1 the chord misses the steep part.")
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


@of(
    "smaller-step",
    "ε = 0.01.",
    "Only the error shows it: about 0.000009 in float64.",
    "Choose the forward difference: it is over a hundred times larger.",
)
@of("forward", "Make ε smaller: the error becomes only ten times smaller with each power of ten.")
def _(config: Any) -> None:
    central, forward = (errors(config.with_values(method=method), 1) for method in ("central", "forward"))
    assert central[-2.0] < central[0.0] / 1000
    assert forward[-2.0] > 100 * central[-2.0]
    assert central[-2.0] == pytest.approx(9e-6, rel=0.05)
    assert forward[-2.0] == pytest.approx(forward[-1.0] / 10, rel=0.1)


@of(
    "too-small",
    "Hardly any: the error of float32 is over 0.01, more than ten times that at ε = 0.001. float64 has digits to spare.",
)
def _(config: Any) -> None:
    assert errors(config, 0)[-7.0] > 0.01 > 1e-3 > errors(config, 0)[-3.0]
    assert errors(config, 1)[-7.0] < 1e-6


@of("straight-line", "It cannot: at ε = 1 the error is 0.", "But small steps lose digits here, too.")
def _(config: Any) -> None:
    assert errors(config, 1)[0.0] <= 1e-16, "no step is too large"


@of("no-slope", "Autograd says ∞, and the central difference NaN: a negative number has no root.")
def _(config: Any) -> None:
    assert slope.draw_slope(config).tables[0].rows[1][4] == "∞"
    assert slope.draw_slope(config).tables[0].rows[1][1] == "NaN"


# Activations


def pieces(x: float) -> tuple[torch.Tensor, torch.Tensor]:
    leaf = torch.tensor(x, requires_grad=True)
    return leaf, leaf * leaf


@says(
    "PyTorch records what happens to a tensor with `requires_grad=True`.",
    "The graph is PyTorch’s own: it is found from `grad_fn` through `next_functions`.",
)
def _() -> None:
    x, y = pieces(2.0)
    assert y.grad_fn is not None
    assert y.grad_fn.name() == "MulBackward0"
    assert y.grad_fn.next_functions[0][0].variable is x  # type: ignore[union-attr]
    assert (x.detach() ** 2).grad_fn is None


@says(
    "Every operation adds a node that knows one thing: its local derivative, which says how its result changes with its inputs.",
    "`backward()` walks this graph in the other direction: it starts at the result with the gradient 1, and each node multiplies the incoming gradient by its local derivative and passes the product on.",
    "That is the chain rule, one step at a time.",
    "1, the derivative of the result with respect to itself.",
    "The answer to start-of-backward: 1.",
)
def _() -> None:
    x = torch.tensor(0.7, requires_grad=True)
    passed: list[float] = []
    inner = torch.sin(x)
    outer = inner**2
    inner.register_hook(lambda gradient: passed.append(gradient.item()))
    outer.register_hook(lambda gradient: passed.append(gradient.item()))
    outer.backward()
    assert passed == [1.0, pytest.approx(2 * math.sin(0.7))]
    assert x.grad is not None
    assert x.grad.item() == pytest.approx(passed[1] * math.cos(0.7)), "the gradient times the local derivative"


@says(
    "The gradient that reaches an input is added to its `.grad`.",
    "If `backward()` is called twice, they add up too: it is the same rule.",
    "The sum of all gradients so far, including the old ones.",
    "The answer to never-zeroed: The sum of all three gradients.",
)
def _() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    for calls in (1, 2, 3):
        (x * x).backward()
        assert x.grad is not None
        assert x.grad.item() == 6 * calls


@says(
    "So one walk finds the slope of the result with respect to every input at once, however many there are: this is what makes it possible to train a model with a million weights.",
    "Every gradient has the shape of the value it belongs to.",
)
def _() -> None:
    weights = torch.randn(1_000, 1_000, requires_grad=True)
    (weights**2).sum().backward()
    assert weights.grad is not None
    assert weights.grad.shape == weights.shape
    torch.testing.assert_close(weights.grad, 2 * weights.detach())


@of("square", "Drag x: the graph stays the same, its numbers change.")
def _(config: Any) -> None:
    nodes = [[node.name for node in played(config, x=x).pass_.nodes] for x in (2.0, -3.0)]
    assert nodes[0] == nodes[1]
    assert gradients(config, x=-3.0)["x"].item() == -6


@of("polynomial", "The input x is used twice.")
def _(config: Any) -> None:
    assert len(sent_to(played(config), "x")) == 2


@of("error-of-a-line", "Only w and b need a gradient.")
def _(config: Any) -> None:
    assert set(gradients(config)) == {"w", "b"}


@of("as-today", "Variable is only another name for Tensor.")
def _(config: Any) -> None:
    from torch.autograd import Variable

    assert type(Variable(torch.zeros(1))) is torch.Tensor


@of("all-the-same", "Drag v[1, 1]: only its own gradient changes.")
def _(config: Any) -> None:
    gradient = [autograd_tutorial.gradient_of(config.with_values(d=d).numbers)[1] for d in (config.d, 5.0)]
    assert int((np.asarray(gradient[0]) != np.asarray(gradient[1])).sum()) == 1


@of("negative-numbers", "−1, −2, −3 and −4 have the same squares as the tutorial’s numbers.")
def _(config: Any) -> None:
    assert np.sort(np.ravel(config.numbers)).tolist() == [-4, -3, -2, -1]


@of("view-in-place", "Write into a clone; the number that was overwritten gets the gradient 0.")
def _(config: Any) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.clone()
    y[0] = 5
    (y**2).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 4]


@of("second-backward", "In both cases the gradients add up.")
def _(config: Any) -> None:
    x = torch.tensor(3.0, requires_grad=True)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 12


@of("by-hand", "The chord is not the tangent.")
def _(config: Any) -> None:
    assert errors(config, 1)[0.0] > 0.05


@of("forward", "The chord leans to one side.")
def _(config: Any) -> None:
    assert config.method == "forward"
    assert errors(config, 1)[-1.0] > 10 * errors(config.with_values(method="central"), 1)[-1.0]


@of("steep-tanh", "`tanh(5*x)` is steep at 0.2 and flat a little further on.")
def _(config: Any) -> None:
    x = torch.tensor([0.0, 0.2, 1.0], requires_grad=True)
    torch.tanh(5 * x).sum().backward()
    assert x.grad is not None
    assert float(x.grad[1]) > 1 > 0.01 > float(x.grad[2])


@of("steep-tanh", "The faster a function bends, the smaller ε must be.")
def _(config: Any) -> None:
    steep, gentle = (errors(config.with_values(formula=formula), 1)[-1.0] for formula in ("tanh(5*x)", "tanh(x)"))
    assert steep > 10 * gentle


@of(
    "corner",
    "abs(x) at 0: its slope is −1 on the left and 1 on the right.",
    "There is no slope at a corner; torch has to pick one value.",
)
def _(config: Any) -> None:
    slopes = []
    for place in (-1.0, 1.0, 0.0):
        x = torch.tensor(place, requires_grad=True)
        x.abs().backward()
        assert x.grad is not None
        slopes.append(x.grad.item())
    assert slopes == [-1, 1, 0]


@of("straight-line", "`2*x + 1` has the same slope everywhere.")
def _(config: Any) -> None:
    x = torch.tensor([-4.0, 0.0, 7.0], requires_grad=True)
    (2 * x + 1).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2, 2, 2]


@of("no-slope", "sqrt(x) at 0, where the curve begins, straight up.")
def _(config: Any) -> None:
    x = torch.tensor(0.0, requires_grad=True)
    x.sqrt().backward()
    assert x.grad is not None
    assert math.isinf(x.grad.item())


@says("Plain numbers, and inputs without a gradient, have no node.")
def _() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3.0 + torch.tensor(1.0)
    assert y.grad_fn is not None
    assert [each[0] is None for each in y.grad_fn.next_functions] == [False, True]


@says(
    "A sum passes the same gradient to all its terms, a product passes it to each factor times the other factor, and ReLU passes everything or nothing.",
    "If an input is used twice, its gradients add up.",
)
def _() -> None:
    a, b = (torch.tensor(value, requires_grad=True) for value in (2.0, 5.0))
    assert [each.item() for each in torch.autograd.grad(a + b, (a, b))] == [1, 1]
    assert [each.item() for each in torch.autograd.grad(a * b, (a, b))] == [5, 2]
    assert torch.autograd.grad(a + a, a)[0].item() == 2
    x = torch.tensor([-1.0, 1.0], requires_grad=True)
    assert torch.autograd.grad(torch.relu(x).sum(), x)[0].tolist() == [0, 1]


@says(
    "Autograd is not an approximation.",
    "It multiplies exact local derivatives, and only the last digit is rounded; a finite difference is never that exact, and for a million weights it would take two million evaluations of the model.",
)
def _() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    torch.sin(x).backward()
    assert x.grad is not None
    exact = abs(x.grad.item() - math.cos(1.0))
    with torch.no_grad():
        best = min(
            abs(float((torch.sin(x + e) - torch.sin(x - e)) / (2 * e)) - math.cos(1.0))
            for e in 10.0 ** torch.arange(-7, 0)
        )
    assert exact < 1e-7 < best


@says(
    "`Variable` has been another name for `Tensor` since PyTorch 0.4: the last line of the tutorial’s program shows it.",
    "`.data` still gives the numbers without their graph; `.detach()` does the same, and autograd notices when the numbers are overwritten.",
)
def _() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = x.exp()
    assert y.data.grad_fn is None
    assert y.detach().grad_fn is None
    y.data.zero_()
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 0, "wrong, and no message"
    z = torch.tensor(2.0, requires_grad=True).exp()
    z.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


@says("That is also why it starts from one number only.")
def _() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x * 2).backward()


@says(
    "Half of v: the mean divides by 4 and the square gives 2v, so each gradient is 2v / 4.",
    "The derivative of a square has a factor 2.",
    "The answer to gradient-of-mean: 2*v / 4.",
)
def _() -> None:
    v = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    (v * v).mean().backward()
    assert v.grad is not None
    assert v.grad.tolist() == [0.5, 1, 1.5, 2]


@says(
    "It was computed from `tensor`, which does not require a gradient, so nothing was recorded.",
    "The answer to no-grad-fn: Its input does not require a gradient.",
)
def _() -> None:
    assert (torch.ones(4) * torch.ones(4)).mean().grad_fn is None


@says(
    "The gradient of one weight is 0, that of another is None.",
    "Zero: a gradient reached the weight, and the result does not change with it.",
    "The answer to zero-or-none: 0 was computed; None says that no gradient ever arrived.",
    "None: no gradient ever reached it, because the result does not depend on the weight or the weight is not a leaf.",
)
def _() -> None:
    w, unused = (torch.tensor(1.0, requires_grad=True) for _ in range(2))
    (w * 0).backward()
    assert w.grad is not None
    assert w.grad.item() == 0
    assert unused.grad is None
    product = w * 2
    product.backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert product.grad is None, "not a leaf"


@says(
    "It can be done on purpose, to get the effect of a larger batch with little memory; then `zero_grad()` is called after every few batches."
)
def _() -> None:
    x, y = torch.randn(8, 3), torch.randn(8, 1)
    whole, parts = (torch.nn.Linear(3, 1) for _ in range(2))
    parts.load_state_dict(whole.state_dict())
    torch.nn.functional.mse_loss(whole(x), y).backward()
    for half in (slice(0, 4), slice(4, 8)):
        (torch.nn.functional.mse_loss(parts(x[half]), y[half]) / 2).backward()
    torch.testing.assert_close(parts.weight.grad, whole.weight.grad)


@says(
    "f(x+ε) and f(x) are rounded.",
    "The answer to small-epsilon: The difference of two rounded values has few correct digits.",
    "Their difference loses the digits they share, and dividing by ε makes the rounding error large.",
)
def _() -> None:
    x = torch.tensor(1.0)
    rough, fine = (abs(float((torch.sin(x + e) - torch.sin(x)) / e) - math.cos(1.0)) for e in (1e-7, 1e-3))
    assert rough > 5 * fine


@says(
    "Set `requires_grad` for the tensors whose gradients you need, compute one number, call `backward()`, and read `.grad`."
)
def _() -> None:
    code = PROSE["In PyTorch"].split("```python\n")[1].split("```")[0]
    found: dict[str, Any] = {"print": lambda *values: None}
    exec(code, found)
    assert any(
        isinstance(each, torch.Tensor) and each.is_leaf and each.requires_grad and each.grad is not None
        for each in found.values()
    )


@says(
    "An optimizer skips a weight whose gradient is None.",
    "With 0 it takes a step, which weight decay or momentum makes different from 0.",
)
def _() -> None:
    weights = [torch.ones(1, requires_grad=True) for _ in range(2)]
    optimizer = torch.optim.SGD(weights, lr=0.1, weight_decay=0.5)
    weights[1].grad = torch.zeros(1)
    optimizer.step()
    assert [each.item() for each in weights] == [1, pytest.approx(0.95)]


@of("polynomial", "`x**3 − 2*x + 1`.")
@of("sigmoid-neuron", "`sigmoid(w*x + b)`.")
@of("closed-gate", "`relu(w*x + b)`, where w·x + b is below zero.")
@of("error-of-a-line", "`(w*x + b − t)**2`, the squared error of a line at one point.")
@of("matrix-product", "mean(A @ B).")
def _(config: Any) -> None:
    formulas = {"x**3 - 2*x + 1", "sigmoid(w*x + b)", "relu(w*x + b)", "(w*x + b - t)**2", "mean(A @ B)"}
    assert config.expression in formulas
    if config.expression.startswith("relu"):
        run = played(config)
        assert not any(each.any() for each in gradients(config).values()) and run.pass_.nodes


@of("cross-entropy", "The loss of a classifier for one example: z are its scores, t has a 1 for the true class.")
def _(config: Any) -> None:
    z, t = torch.tensor([1.0, 2.0, 3.0], requires_grad=True), torch.tensor([0.0, 1.0, 0.0])
    assert config.inputs == "z = [1, 2, 3]; t = [0, 1, 0]" and config.fixed == "t"
    (wanted,) = torch.autograd.grad(torch.nn.functional.cross_entropy(z, t), z)
    torch.testing.assert_close(gradients(config)["z"], wanted)


@of("two-layers", "All the gradients of one training step.")
def _(config: Any) -> None:
    assert gradients(config).keys() == {"W", "c", "U"}


@of("bowl", "One of the tutorial’s four numbers varies, the others stay.")
def _(config: Any) -> None:
    x = torch.linspace(-5, 5, 11)
    place = autograd_tutorial.ENTRIES[config.entry]
    others = sum(each**2 for at, row in enumerate(config.numbers) for to, each in enumerate(row) if (at, to) != place)
    torch.testing.assert_close(autograd_tutorial.along(config.numbers, place, x), (x**2 + others) / 4)


@of("as-today", "The tutorial’s program without Variable.")
def _(config: Any) -> None:
    assert "Variable" not in inspect.getsource(autograd_tutorial.PROGRAMS[config.way])


@of("all-the-same", "Four times the number 2.")
def _(config: Any) -> None:
    assert config.numbers == ((2, 2), (2, 2))


# What the wrong program of each mistake has in it.
PROGRAMS = {
    "not_a_leaf": r"y = 3 \* x\n.*backward\(\)\n *print\(y.grad\)",
    "not_asked": r"x = torch.tensor\(\[1.0, 2.0\]\)\n[^Q]*backward\(\)",
    "integers": r"torch.tensor\(\[1, 2\], requires_grad=True\)",
    "detached": r"x.detach\(\) \*\* 2",
    "under_no_grad": r"torch.no_grad\(\):\n +y =",
    "leaf_in_place": r"requires_grad=True\)\n +x \+= 1",
    "view_in_place": r"requires_grad=True\)\n +x\[0\] = 5.0",
    "needed_later": r"y = torch.exp\(x\)\n +y \+= 1",
    "second_backward": r"y.backward\(\)\n +y.backward\(\)",
    "many_numbers": r"y = x\*\*2\n +y.backward\(\)",
    "replaced": r"x = x - 0.1 \* x.grad",
    "unused": r"\(x\*\*2\).sum\(\).backward\(\)\n +print\(w.grad\)",
    "to_numpy": r"y = x\*\*2\n +print\(y.numpy\(\)\)",
}


@of("not-a-leaf", "The program asks for the gradient of an intermediate result.")
@of("not-asked", "backward() is called, but no input requires a gradient.")
@of("integers", "A tensor of the integers 1 and 2 is asked for its gradient.")
@of("detached", "x.detach() is squared.")
@of("under-no-grad", "y is computed inside torch.no_grad().")
@of("leaf-in-place", "A leaf that requires a gradient is changed in place.")
@of("view-in-place", "Only x[0], a part of the leaf, is overwritten.")
@of("overwritten", "y = exp(x), and then y is changed in place.")
@of("second-backward", "backward() is called twice on the same y.")
@of("many-numbers", "backward() is called on two numbers at once.")
@of("replaced", "A step of gradient descent, written as x = x − ….")
@of("unused", "The result does not depend on the weight w.")
@of("to-numpy", "A result that has a graph is converted to NumPy.")
def _(config: Any) -> None:
    wrong, right = (inspect.getsource(each) for each in (
        mistakes.MISTAKES[config.mistake].wrong, mistakes.MISTAKES[config.mistake].fixed))  # fmt: skip
    assert re.search(PROGRAMS[config.mistake], wrong) and not re.search(PROGRAMS[config.mistake], right)


@of("by-hand", "Two values of sin, at ε = 1 to the left and right of 1, and the chord between them.")
@of("forward", "One of the two values is now at the point itself.")
@of("cubic", "A cubic at −1.")
@of("bell", "A bell curve at 0.5, on its way down.")
def _(config: Any) -> None:
    settings = (config.formula, config.x, config.method)
    assert settings in {
        ("sin(x)", 1, "central"), ("sin(x)", 1, "forward"), ("x**3 - 2*x", -1, "central"), ("exp(-x**2)", 0.5, "central"),
    }  # fmt: skip
    at = torch.tensor(config.x, requires_grad=True)
    if config.formula == "exp(-x**2)":
        assert torch.autograd.grad(torch.exp(-(at**2)), at)[0] < 0, "on its way down"


@says("Every other gradient is this one times something, so all would be 0.")
def _() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x**2).sum().backward(torch.tensor(0.0))
    assert x.grad is not None and not x.grad.any()


@says("v has four numbers, and the result is mean(v*v).", "Differentiate one term of the mean, v² / 4.")
def _() -> None:
    numbers = autograd_tutorial.TutorialConfig().numbers
    value, gradient = autograd_tutorial.gradient_of(numbers)
    v = torch.tensor(numbers)
    assert v.numel() == 4 and value == (v * v).mean()
    torch.testing.assert_close(torch.from_numpy(gradient), 2 * v / 4)


@says("A number that is too small becomes 0.", "None is not a number.")
def _() -> None:
    assert torch.tensor(1e-50).item() == 0
    assert torch.tensor(1.0, requires_grad=True).grad is None


@says("You call `backward()` after each of three batches, but never `zero_grad()`.")
def _() -> None:
    w = torch.tensor(2.0, requires_grad=True)
    for x in (1.0, 2.0, 3.0):
        (w * x).backward()
    assert w.grad is not None and w.grad.item() == 1 + 2 + 3
