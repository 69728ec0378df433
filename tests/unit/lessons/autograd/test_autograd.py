"""The lesson Autograd: what it shows of graphs, gradients and mistakes is what torch does, to the digit."""

from __future__ import annotations

import gc
import itertools
import re
import threading
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from playground.engine.commands import read_command
from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.autograd import example_programs as programs
from playground.lessons.autograd.accumulate import FORMULAS, AccumulateConfig, call_backward, draw_calls
from playground.lessons.autograd.backward import BackwardPass, record, walk
from playground.lessons.autograd.figures import flow
from playground.lessons.autograd.figures.layers import places
from playground.lessons.autograd.graph import (
    LAB,
    GraphConfig,
    GraphRun,
    list_text,
    record_formula,
    sums_of,
    tensor_text,
    texts_to_fit,
)
from playground.lessons.autograd.mistakes import MISTAKES
from playground.lessons.autograd.named_values import read_values
from playground.lessons.autograd.slope import SlopeConfig, difference, draw_slope, slope_of
from playground.lessons.autograd.tutorial import TutorialConfig, along, gradient_of
from playground.lessons.run_line_by_line import Print, run_program
from playground.parsing.expression_parts import FUNCTIONS
from playground.parsing.expressions import parse
from playground.settings import Settings
from tests.unit.plotly_check import assert_plotly_takes

CONFIGS: dict[str, GraphConfig] = {
    each.id: each.config  # type: ignore[misc]
    for each in experiments(LESSONS["autograd"])
    if each.bench is LAB
}
each_experiment = pytest.mark.parametrize("experiment", CONFIGS)


def recorded(experiment: str) -> BackwardPass:
    return record_formula(CONFIGS[experiment])[0]


# The recorded backward pass.


def test_the_tutorials_numbers() -> None:
    pass_, result = record_formula(GraphConfig())
    assert result.item() == 7.5
    assert [node.name for node in pass_.nodes] == ["MeanBackward0", "MulBackward0", "AccumulateGrad"]
    assert pass_.gradient_at(2, 3).tolist() == [[0.5, 1.0], [1.5, 2.0]]  # type: ignore[union-attr]


@each_experiment
def test_leaf_gradients_are_those_of_torch_autograd_grad(experiment: str) -> None:
    config = CONFIGS[experiment]
    pass_, _ = record_formula(config)
    values = {name: torch.tensor(getattr(config, name)) for name in ("x", "w", "b")} | read_values(config.inputs)
    formula = parse(config.expression, values)
    wanted = [name for name in formula.names if name not in config.fixed.replace(",", " ").split()]
    for name in wanted:
        values[name].requires_grad_()
    expected = torch.autograd.grad(formula.evaluate(values), [values[name] for name in wanted])
    leaves = {
        node.label: pass_.gradient_at(index, len(pass_.steps)) for index, node in enumerate(pass_.nodes) if node.is_leaf
    }
    assert set(leaves) == set(wanted), "inputs without gradient have no node"
    for name, gradient in zip(wanted, expected, strict=True):
        torch.testing.assert_close(leaves[name], gradient)


@each_experiment
def test_what_arrives_at_a_node_is_what_was_sent_to_it(experiment: str) -> None:
    pass_ = recorded(experiment)
    for at, step in enumerate(pass_.steps):
        torch.testing.assert_close(pass_.gradient_at(step.node, at), step.incoming)


@each_experiment
def test_incoming_times_local_derivative_is_what_goes_out(experiment: str) -> None:
    for step in recorded(experiment).steps:
        for sent in step.sent:
            assert sent.local is not None
            if sent.is_factor:
                incoming = step.incoming if step.incoming.numel() == 1 else step.incoming.reshape(sent.local.shape)
                torch.testing.assert_close(incoming * sent.local, sent.gradient.broadcast_to(sent.local.shape))
            else:
                torch.testing.assert_close((step.incoming * sent.local).sum(), sent.gradient.flatten()[0])


def test_local_derivatives_are_the_textbooks() -> None:
    x = torch.tensor([0.3, -1.2], requires_grad=True)
    cases: dict[str, tuple[Any, Tensor]] = {
        "sigmoid": (torch.sigmoid, torch.sigmoid(x) * (1 - torch.sigmoid(x))),
        "square": (lambda v: v**2, 2 * x),
        "relu": (torch.relu, torch.tensor([1.0, 0.0])),
        "log1p": (lambda v: torch.log(v + 3), 1 / (x + 3)),
    }
    for name, (function, expected) in cases.items():
        y = function(x)
        sent = next(each.sent[0] for each in record((y * y).sum(), [("y", y)]).steps[2:] if each.sent)
        assert sent.is_factor, name
        torch.testing.assert_close(sent.local, expected.detach(), msg=name)
    soft = torch.softmax(x, 0)
    sent = record((soft * soft).sum(), []).steps[2].sent[0]
    assert not sent.is_factor
    column = torch.stack([soft[0] * (1 - soft[0]), -soft[1] * soft[0]]).detach()
    torch.testing.assert_close(sent.local, column)


def test_the_graph_is_what_grad_fn_says() -> None:
    x, w = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    y = torch.sigmoid(x * w + x)
    nodes = walk(y)
    assert nodes[0] is y.grad_fn
    assert [node.name().rpartition("::")[2] for node in nodes] == [
        "SigmoidBackward0",
        "AddBackward0",
        "MulBackward0",
        "AccumulateGrad",
        "AccumulateGrad",
    ]
    pass_ = record(y, [("x", x), ("w", w)])
    assert [(node.label, node.inputs) for node in pass_.nodes] == [
        ("", (1,)),
        ("", (2, 3)),
        ("", (3, 4)),
        ("x", ()),
        ("w", ()),
    ]


def test_recording_leaves_no_hook_behind() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = x * x
    pass_ = record(y, [("x", x)])
    y.backward()
    assert len(pass_.steps) == 2 and x.grad is not None and x.grad.item() == 8.0
    input_of_the_graph = weakref.ref(x)
    gc.disable()
    try:
        del x, y
        assert input_of_the_graph() is None, "a hook holds the graph that holds it"
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"expression": "v * v"}, "backward() starts from one number"),
        ({"expression": "mean(v)", "fixed": "v"}, "Nothing here needs a gradient"),
        ({"expression": "2 + 3"}, "Nothing here needs a gradient"),
        ({"expression": "mean(v"}, "At character"),
        ({"expression": ""}, "empty"),
        ({"expression": "foo + 1"}, "At character 1"),
        ({"inputs": "v = [[1, 2], [3]]"}, "rows of equal length"),
        ({"inputs": "v = [" + ",".join(["1"] * 65) + "]"}, "65 numbers"),
        ({"expression": "x.grad"}, "cannot contain a dot followed by a name"),
        ({"expression": "ones(100000, 100000)"}, "function is unknown"),
        ({"expression": "(" * 200}, "cannot be read"),
    ],
)
def test_what_cannot_be_drawn_gets_a_sentence(changed: dict[str, str], part: str) -> None:
    with pytest.raises(ValueError, match=r"\.$|\?$") as caught:
        GraphRun(GraphConfig(**changed), Settings())
    assert part in str(caught.value)


@pytest.mark.parametrize(
    "expression", ["log(x - 5)", "sqrt(x - 2)", "x / (x - 2)", "exp(exp(exp(x)))", "x**20 * 1000000"]
)
def test_results_that_are_not_finite_are_shown(expression: str) -> None:
    run = GraphRun(GraphConfig(expression=expression), Settings())
    run.advance(1.0, 100)
    drawing = run.draw(["graph"], {})
    assert_plotly_takes(drawing.charts["graph"])
    assert run.outcome == "done"


@pytest.mark.parametrize(
    ("expression", "undefined"), [("log(relu(x))", "inf"), ("1 / relu(x)", "−inf"), ("sqrt(relu(w*x + b - 9))", "inf")]
)
def test_a_mask_is_not_called_a_product_of_infinity_and_zero(expression: str, undefined: str) -> None:
    """relu sets gradients to 0 where its input is negative; inf × 0 would be NaN."""
    run = GraphRun(GraphConfig(expression=expression, x=-1.0), Settings())
    run.advance(1.0, 100)
    at = 1 + next(index for index, step in enumerate(run.pass_.steps) if "Relu" in run.pass_.nodes[step.node].name)
    sentence = run.narrate(at)
    assert f"{undefined} × 0 would be NaN" in sentence and f"{undefined} × 0 = 0" not in sentence
    assert sums_of(run.pass_, at).rows[0][2:] == ("0, as a mask", "0")
    for other in range(1, run.steps + 1):
        if other != at:
            assert "mask" not in str(sums_of(run.pass_, other).rows), "the others do multiply"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_product_in_a_sentence_is_what_arithmetic_gives_or_is_called_a_mask(name: str) -> None:
    """For every function of the formulas, where its result or a gradient may be infinite or NaN."""
    for inner, outer, x in itertools.product(("(x)", "(v*x)", "(x, b)"), ("log({})", "sum(1/({}))"), (-1.0, 0.0, 2.0)):
        try:
            run = GraphRun(GraphConfig(expression=outer.format(name + inner), inputs="v = [-1, 0, 2]", x=x), Settings())
        except ValueError:  # not a formula of these inputs, or not one number
            continue
        for at, step in enumerate(run.pass_.steps, start=1):
            for sent in step.sent:
                if sent.local is None or not sent.is_factor or sent.gradient.shape != sent.local.shape:
                    continue
                incoming = step.incoming.reshape(() if step.incoming.numel() == 1 else sent.local.shape)
                if not torch.allclose(incoming * sent.local, sent.gradient, rtol=1e-3, equal_nan=True):
                    assert "would be NaN" in run.narrate(at), (inner, outer, x)


@each_experiment
def test_a_product_in_a_sentence_is_what_the_arithmetic_gives(experiment: str) -> None:
    """No experiment has an infinite gradient, so nothing is called a mask."""
    run = GraphRun(CONFIGS[experiment], Settings())
    assert "mask" not in " ".join(run.narrate(at) for at in range(len(run.pass_.steps) + 1))


@each_experiment
def test_a_box_never_shows_how_many_numbers_there_are_as_if_it_were_a_number(experiment: str) -> None:
    """The value of z in the softmax cross-entropy has 3 numbers: the box does not say "3"."""
    run = GraphRun(CONFIGS[experiment], Settings())
    run.advance(1.0, 100)
    figure = run.draw(["graph"], {}).charts["graph"]
    above, below = (figure["data"][at]["text"] for at in (7, 8))
    where = [(node, run.pass_.gradient_at(index, run.steps)) for index, node in enumerate(run.pass_.nodes)]
    for (node, gradient), value_text, gradient_text in zip(where, above, below, strict=True):
        for tensor, text in ((node.value, value_text), (gradient, gradient_text)):
            if tensor is not None and tensor.dim():
                last = [line for line in re.sub("</?b>", "", text).split("<br>") if line.strip()][-1]
                assert last.endswith(("]", "numbers", ")")), (node.label, text)
                assert "[" in text, "there is room for all numbers of the experiments"


# The lab as a run.


@each_experiment
def test_every_step_of_every_experiment_is_drawn_with_a_sentence(experiment: str) -> None:
    run = GraphRun(CONFIGS[experiment], Settings())
    run.advance(1.0, 100)
    assert run.outcome == "done" and run.steps == len(run.pass_.steps)
    for at in range(run.steps + 1):
        run.apply(read_command({"do": "scrub", "to": at}))
        drawing = run.draw(["graph"], {})
        assert_plotly_takes(drawing.charts["graph"])
        assert drawing.note.endswith(".") and len(drawing.note) < 260 and "{" not in drawing.note
        states = [shape["line"]["width"] for shape in drawing.charts["graph"]["layout"]["shapes"]]
        assert states.count(3) == (at > 0), "one node is marked, none before the first"


def test_the_narrator_gives_the_tutorials_sum_in_numbers() -> None:
    run = GraphRun(GraphConfig(), Settings())
    sentences = [run.narrate(at) for at in range(4)]
    assert "7.5" in sentences[0]
    quarters = "[[0.25, 0.25], [0.25, 0.25]]"
    assert sentences[1] == f"MeanBackward0 passes 1 × {quarters} = {quarters} to v*v."
    assert "[[0.25, 0.25], [0.25, 0.25]] × [[1, 2], [3, 4]] = [[0.25, 0.5], [0.75, 1]] to v, twice" in sentences[2]
    assert sentences[3].endswith("v.grad is [[0.5, 1], [1.5, 2]].")


def test_the_narrator_names_typed_inputs_that_the_formula_does_not_use() -> None:
    assert "does not use" not in GraphRun(GraphConfig(), Settings()).narrate(0)
    assert GraphRun(GraphConfig(expression="x**2"), Settings()).narrate(0).endswith("The formula does not use v.")
    run = GraphRun(GraphConfig(expression="x + u", inputs="v = 1; u = 2; w = 3"), Settings())
    assert run.narrate(0).endswith("The formula does not use v, w.") and "does not use" not in run.narrate(1)


def test_a_changed_input_keeps_the_step_and_a_new_formula_starts_again() -> None:
    run = GraphRun(GraphConfig(expression="x**2"), Settings())
    run.advance(1.0, 1)
    run.tune(GraphConfig(expression="x**2", x=3.0))
    assert run.steps == 1 and run.result.item() == 9.0 and "6" in run.narrate(1)
    run.tune(GraphConfig(expression="sin(x)"))
    assert run.steps == 0 and run.outcome == "" and run.length == 2


def test_a_slider_shows_only_where_the_formula_uses_it() -> None:
    applies = {name: GraphConfig.knobs()[name].applies for name in ("x", "w", "b")}
    shown = [
        name for name, test in applies.items() if test and test(GraphConfig(expression="exp(w) + xb", inputs="b = 1"))
    ]
    assert shown == ["w"]


# The drawing.


def test_layers_put_inputs_left_of_what_they_feed_and_nothing_on_top_of_another() -> None:
    edges = [(3, 1), (1, 0), (3, 0), (2, 1), (4, 0)]
    where = places(5, edges)
    assert all(where.at[left][0] < where.at[right][0] for left, right in edges)
    assert where.at[4][0] == where.at[0][0] - 1, "a leaf is next to its user"
    corners = {corner for line in where.edges for corner in line[1:-1]}
    assert len({*where.at, *corners}) == len(where.at) + len(corners)
    assert len(where.edges[2]) == 3, "an edge over a column goes around its nodes"


def test_arrows_point_along_their_lines() -> None:
    """Two inputs, above and below the result: their arrows are turned towards it, by as much up as down."""
    nodes = [flow.Node(str(index), "", ("1",), (), "done") for index in range(3)]
    figure = flow.flow(nodes, [flow.Edge(1, 0, "done"), flow.Edge(2, 0, "done")], flow.Sums((0.0,), ("",), ()))
    one, other = figure["data"][3]["marker"]["angle"]
    assert 20 < abs(one) < 70 and one == pytest.approx(-other)
    level = flow.flow(nodes[:2], [flow.Edge(1, 0, "done")], flow.Sums((0.0,), ("",), ()))
    assert level["data"][3]["marker"]["angle"] == pytest.approx([0])


def test_one_node_that_is_left_out_is_called_one_node() -> None:
    one, other = ("sin(" * count + "x" + ")" * count for count in (flow.MAX_NODES // 2, flow.MAX_NODES // 2 - 1))
    terms = f"{one}+{other}"  # with x and the sum, one node more than can be drawn
    drawn = GraphRun(GraphConfig(expression=terms, inputs=""), Settings()).draw(["graph"], {}).charts["graph"]
    assert "1 more node, further" in drawn["layout"]["annotations"][-1]["text"]


@pytest.mark.parametrize("terms", [2, 7, 40, 90])
def test_long_graphs_stay_drawable_and_say_what_is_left_out(terms: int) -> None:
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(terms):
        y = torch.sin(y)
    nodes = [flow.Node("", node.name, ("1",), (), "waiting") for node in record(y, []).nodes]
    edges = [flow.Edge(index + 1, index, "waiting") for index in range(terms)]
    figure = flow.flow(nodes, edges, flow.Sums((0.0,), ("",), ()), too_many="Not all.", dots="Dots.")
    assert_plotly_takes(figure)
    output = figure["layout"]["annotations"][-1]["text"]
    assert ("Not all." in output) is (terms >= flow.MAX_NODES)
    assert ("Dots." in output) is (terms >= flow.MAX_COLUMNS)
    assert bool(figure["layout"]["shapes"]) is (terms < flow.MAX_COLUMNS), "dots where boxes would be too narrow"
    assert len(figure["data"][6]["x"]) == min(terms + 1, flow.MAX_NODES)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor(-0.0), "0"),
        (torch.tensor(1 / 3), "0.3333"),
        (torch.tensor([[1.0, 2.5]]), "[[1, 2.5]]"),
        (torch.tensor(float("nan")), "NaN"),
        (torch.ones(5, 5), "[1, …] (5, 5)"),
        (torch.tensor([1e-9, -2e7]), "[1e−9, −2e7]"),
    ],
)
def test_tensors_are_written_short(value: Tensor, text: str) -> None:
    assert tensor_text(value) == text
    if value.dim():
        assert texts_to_fit(value)[-1] == str(tuple(value.shape)), "a shape, which cannot be read as a number"
    assert list_text(np.asarray(value).tolist()).startswith("[") is (value.dim() > 0)


# The tutorial, to the digit.


def test_the_tutorials_program_prints_what_the_tutorial_says() -> None:
    printed = [line.output for line in run_program(programs.tutorial, TutorialConfig().numbers) if line.output]
    assert printed[:7] == [
        "tensor([[1., 2.],\n        [3., 4.]], requires_grad=True)",
        "tensor([[1., 2.],\n        [3., 4.]])",
        "tensor(7.5000)",
        "tensor(7.5000, grad_fn=<MeanBackward0>)",
        "tensor([[0.5000, 1.0000],\n        [1.5000, 2.0000]])",
        "tensor([[1., 2.],\n        [3., 4.]])",
        "[[1. 2.]\n [3. 4.]]",
    ]
    assert printed[7] == "None None", "neither t_out nor tensor has a graph or a gradient"
    assert printed[8] == "<class 'torch.Tensor'> True", "Variable is another name for Tensor"


def test_both_ways_of_writing_the_tutorial_give_the_same_numbers() -> None:
    numbers = ((0.5, -1.0), (2.0, 3.5))
    both = (programs.tutorial, programs.today)
    old, new = ([line.output for line in run_program(program, numbers)] for program in both)
    assert old[9] == new[6] and old[7] == new[4] and "grad_fn" in old[7]


def test_the_tutorials_slope_is_the_gradient_of_the_chosen_entry() -> None:
    config = TutorialConfig(a=-2.0, entry="0, 0")
    out, gradient = gradient_of(config.numbers)
    np.testing.assert_allclose(gradient, np.array(config.numbers) / 2)
    x = torch.tensor([-2.0, -2.0 + 1e-2, -2.0 - 1e-2])
    y = along(config.numbers, (0, 0), x)
    assert y[0].item() == pytest.approx(out)
    assert ((y[1] - y[2]) / 2e-2).item() == pytest.approx(gradient[0, 0], abs=1e-4)


# backward() more than once.


@pytest.mark.parametrize(
    ("formula", "slope"), [("x**2", 2 * 1.5), ("sin(x)", np.cos(1.5)), ("exp(x)", np.exp(1.5)), ("x + x", 2.0)]
)
def test_gradients_add_up_call_by_call(formula: str, slope: float) -> None:
    calls = call_backward(AccumulateConfig(formula=formula, x=1.5, calls=4))
    np.testing.assert_allclose([call.after for call in calls], slope * np.arange(1, 5), rtol=1e-5)
    assert [call.before for call in calls][1:] == [call.after for call in calls][:-1]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_graph_serves_once_unless_it_is_retained_or_saved_nothing(formula: str) -> None:
    calls = call_backward(AccumulateConfig(formula=formula, calls=4, retain=False))
    if formula == "x + x":
        assert [call.error for call in calls] == [""] * 4
    else:
        assert [bool(call.error) for call in calls] == [False, True]
        assert calls[1].error.startswith("Trying to backward through the graph a second time")
    fresh = call_backward(AccumulateConfig(formula=formula, calls=4, retain=False, forward=True))
    assert [call.error for call in fresh] == [""] * 4, "a new forward pass makes a new graph"


def test_zero_grad_makes_each_call_count_alone() -> None:
    calls = call_backward(AccumulateConfig(calls=5, zero=True))
    assert [(call.before, call.after) for call in calls] == [(None, 6.0)] * 5


def test_before_the_first_backward_there_is_no_gradient_and_not_a_zero() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    rows = draw_calls(AccumulateConfig(calls=2)).tables[0].rows
    assert [row[1] for row in rows] == [str(x.grad), "6"]
    assert [row[1] for row in draw_calls(AccumulateConfig(calls=2, zero=True)).tables[0].rows] == ["None", "None"]


# Mistakes.

EXPECTED = {  # what the failing line says, and what the fix prints
    "not_a_leaf": ("The .grad attribute of a Tensor that is not a leaf", "tensor([1., 1.])"),
    "not_asked": ("does not require grad and does not have a grad_fn", "tensor([2., 4.])"),
    "integers": ("Only Tensors of floating point", "tensor([2., 4.])"),
    "detached": ("does not require grad", "tensor([2., 4.])"),
    "half_detached": ("tensor([1., 2.])", "tensor([2., 4.])"),
    "under_no_grad": ("does not require grad", "tensor([2., 4.])"),
    "leaf_in_place": ("a leaf Variable that requires grad is being used in an in-place operation", "tensor([1., 1.])"),
    "view_in_place": ("a view of a leaf Variable", "tensor([0., 4.])"),
    "needed_later": ("has been modified by an inplace operation", "tensor([2.7183, 7.3891])"),
    "second_backward": ("Trying to backward through the graph a second time", "tensor([4., 8.])"),
    "many_numbers": ("grad can be implicitly created only for scalar outputs", "tensor([2., 4.])"),
    "replaced": ("is not a leaf", "tensor([1.6000, 3.2000])"),
    "unused": ("None", "tensor([1., 4.])"),
    "to_numpy": ("Can't call numpy() on Tensor that requires grad", "[1. 4.]"),
}
SILENT = {"not_a_leaf", "half_detached", "replaced", "unused"}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_fails_as_it_should_and_its_cure_works(name: str) -> None:
    message, printed = EXPECTED[name]
    wrong, fixed = run_program(MISTAKES[name].wrong), run_program(MISTAKES[name].fixed)
    assert message in "\n".join(line.output for line in wrong)
    assert any(line.state == "raised" for line in wrong) is (name not in SILENT)
    assert [line.state for line in fixed] == ["ran"] * len(fixed)
    assert fixed[-1].output == printed
    assert "Warning" not in "".join(line.output for line in fixed)


def fails_in_the_middle(print: Print) -> None:
    """Its docstring is not shown."""
    print("one", 1)
    with torch.no_grad():
        raise RuntimeError("First. " + "Second. " * 60)
    print("never")


def test_a_programs_lines_are_its_source_with_what_each_said() -> None:
    lines = run_program(fails_in_the_middle)
    assert [line.code.strip() for line in lines] == [
        'print("one", 1)',
        "with torch.no_grad():",
        'raise RuntimeError("First. " + "Second. " * 60)',
        'print("never")',
    ]
    assert [line.state for line in lines] == ["ran", "ran", "raised", "not_reached"]
    assert lines[0].output == "one 1"
    assert lines[2].output.startswith("RuntimeError: First. Second.") and len(lines[2].output) < 360


def test_warnings_of_other_threads_are_not_shown_as_the_programs_own() -> None:
    inside, done = threading.Event(), threading.Event()

    def slow(print: Print) -> None:
        inside.set()
        done.wait(5)
        warnings.warn("mine", stacklevel=1)

    found: list[str] = []
    with warnings.catch_warnings(record=True) as outside:
        warnings.simplefilter("always")
        worker = threading.Thread(target=lambda: found.extend(line.output for line in run_program(slow)))
        worker.start()
        assert inside.wait(5)
        warnings.warn("not its own", stacklevel=1)
        done.set()
        worker.join(5)
    assert [text for text in found if text] == ["UserWarning: mine"]
    assert [str(each.message) for each in outside] == ["not its own"]


def test_programs_on_many_threads_each_get_their_own_warning_every_time() -> None:
    with warnings.catch_warnings(), ThreadPoolExecutor(8) as pool:
        warnings.simplefilter("ignore")  # whatever the process does with its own
        runs = list(pool.map(lambda _: run_program(MISTAKES["not_a_leaf"].wrong), range(40)))
    assert all(run[-1].output.startswith("UserWarning: The .grad attribute") for run in runs)


# Slopes by hand.


@pytest.mark.parametrize(
    ("formula", "x", "slope"),
    [
        ("sin(x)", 1.0, np.cos(1.0)),
        ("x**3 - 2*x", -1.0, 1.0),
        ("exp(-x**2)", 0.5, -np.exp(-0.25)),
        ("2*x + 1", 3.0, 2.0),
        ("7", 1.0, 0.0),
    ],
)
def test_the_slope_by_autograd_is_the_textbooks_and_differences_come_near_it(
    formula: str, x: float, slope: float
) -> None:
    f = parse(formula, ["x"])
    assert slope_of(f, x, torch.float64)[1] == pytest.approx(slope, abs=1e-12)
    for method, eps, near in (("central", 1e-5, 1e-9), ("forward", 1e-8, 1e-6)):
        measured = difference(f, torch.tensor(x, dtype=torch.float64), torch.tensor(eps, dtype=torch.float64), method)
        assert measured.item() == pytest.approx(slope, abs=near)


@pytest.mark.parametrize("method", ["central", "forward"])
def test_the_error_has_the_shape_of_a_u_whose_bottom_lies_further_left_in_float64(method: str) -> None:
    error = draw_slope(SlopeConfig(method=method)).charts["error"]["data"]
    eps, bottoms = error[0]["x"], []
    for line in error:
        best = int(np.argmin(line["y"]))
        bottoms.append(float(eps[best]))
        assert line["y"][0] > 100 * line["y"][best] and line["y"][-1] > 100 * line["y"][best]
    assert bottoms[1] < bottoms[0] / 10


def test_the_chord_goes_through_the_two_points_of_the_difference() -> None:
    figure = draw_slope(SlopeConfig(formula="x**2", x=1.0, exponent=0.0, method="forward")).charts["curve"]
    lines = {trace["name"]: trace for trace in figure["data"]}
    assert lines["Ends of the chord"]["x"].tolist() == [1.0, 2.0] and lines["Ends of the chord"]["y"].tolist() == [
        1.0,
        4.0,
    ]
    slopes = {name: np.gradient(lines[name]["y"], lines[name]["x"]).mean() for name in ("Tangent", "Chord")}
    assert slopes["Tangent"] == pytest.approx(2.0, rel=1e-4) and slopes["Chord"] == pytest.approx(3.0, rel=1e-4)


@pytest.mark.parametrize(
    ("formula", "x", "method", "best"),
    [
        ("abs(x)", 0.0, "forward", ["–", "–"]),  # the error is 1 for every step
        ("abs(x)", 0.0, "central", ["–", "–"]),  # and 0 for every step
        ("7", 1.0, "central", ["–", "–"]),
        ("log(x)", -1.0, "central", ["–", "–"]),  # never a number
        ("2*x + 1", 1.0, "central", ["1", "1"]),  # as good as any other, and the largest
        ("sin(x)", 1.0, "central", ["0.0006", "6e−6"]),
    ],
)
def test_best_step_is_a_dash_where_none_is_better(formula: str, x: float, method: str, best: list[str]) -> None:
    rows = draw_slope(SlopeConfig(formula=formula, x=x, method=method)).tables[0].rows
    assert [row[3] for row in rows] == best


@pytest.mark.parametrize("formula", ["log(x)", "sqrt(x)", "1/x", "x**-2", "exp(exp(exp(x)))", "x/0", "log(-1 - x**2)"])
def test_functions_that_are_not_finite_everywhere_are_drawn(formula: str) -> None:
    for x in (-3.0, 0.0, 3.0):
        for figure in draw_slope(SlopeConfig(formula=formula, x=x)).charts.values():
            assert_plotly_takes(figure)


@pytest.mark.parametrize("formula", ["sum(x)", "x @ x", "softmax(x)", "y", "", "x.grad", "x" * 119])
def test_a_formula_that_is_not_a_function_of_one_number_gets_a_sentence(formula: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        draw_slope(SlopeConfig(formula=formula))
