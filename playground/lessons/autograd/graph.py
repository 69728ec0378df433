"""The lab "Backward graph": a formula's own graph, and the gradient's way back through it, node by node."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from playground.engine.frames import Figure
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.autograd.backward import BackwardPass, Passage, Sent, record
from playground.lessons.autograd.figures.flow import MOST_NODES, Edge, Node, Sums, flow
from playground.lessons.autograd.named_values import read_values
from playground.parsing.expressions import MAX_CHARACTERS, parse
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

SLIDERS = ("x", "w", "b")
COLUMNS = (0.01, 0.19, 0.47, 0.74)  # of the sum
MOST_CHARACTERS = 30  # of a tensor that is written out in a product
DOTS = "Too many nodes for boxes: point at a dot to read its numbers."
MOST_ALONE = 60  # of one that stands alone

SENTENCES = {
    "start": "Forward is done: the result is {result}. Backward starts there with the gradient 1. Press Play, or Step.",
    "one": "{node} sends on {first}.",
    "twice": "{node} sends on {first}, twice: once for each side it was used on.",
    "two": "{node} sends on {first}, and {second}.",
    "more": "{node} sends on {first}, and {second}, and so on.",
    "factor": "{incoming} × {local} = {outgoing} to {to}",
    "sum": "{outgoing} to {to}, whose first number is {terms}",
    "large": "{outgoing} to {to}, each number a sum of many products",
    "leaf": "The gradient has come to an input: {label}.grad is {gradient}.",
    "leaf_sum": "{label} was used {count} times, and its {count} gradients add up: {label}.grad is {gradient}.",
    "last": "backward() is done. {leaf}",
}


def _slider(name: str) -> Callable[[Any], bool]:
    """Whether the formula uses this name, and no input of this name is typed in."""
    used = re.compile(rf"(?<![A-Za-z0-9_]){name}(?![A-Za-z0-9_])")
    typed = re.compile(rf"(^|;)\s*{name}\s*=")
    return lambda config: bool(used.search(config.expression)) and not typed.search(config.inputs)


def _number(name: str, default: float) -> Any:
    return knob(default, name, group="Inputs", live=True, shy=True, lo=-5.0, hi=5.0, step=0.1, applies=_slider(name))


@dataclass(frozen=True)
class GraphConfig(Config):
    """The formula and its inputs."""

    # fmt: off
    expression: str = knob(
        "mean(v*v)", "Formula", group="Formula", live=True, max_length=MAX_CHARACTERS,
        help="Numbers, + - * / ** @ and torch's functions: sum, mean, exp, log, tanh, relu, softmax, mse_loss, …")
    x: float = _number("x", 2.0)
    w: float = _number("w", -1.0)
    b: float = _number("b", 0.5)
    inputs: str = knob(
        "v = [[1, 2], [3, 4]]", "More inputs", group="Inputs", live=True, max_length=300,
        help="Tensors by name, with ; between them: v = [[1, 2], [3, 4]]; t = 1")
    fixed: str = knob(
        "", "Without gradient", group="Inputs", live=True, max_length=60,
        help="Names of inputs that need no gradient, with commas between them: data and targets, for instance.")
    # fmt: on


PRESETS: dict[str, Mapping[str, Any]] = {
    "The tutorial": {},
    "Square": {"expression": "x**2"},
    "Polynomial": {"expression": "x**3 - 2*x + 1"},
    "One input, two ways": {"expression": "x*x + 3*x"},
    "Sigmoid neuron": {"expression": "sigmoid(w*x + b)", "fixed": "x"},
    "Four sigmoids deep": {"expression": "sigmoid(sigmoid(sigmoid(sigmoid(x))))"},
    "ReLU that blocks": {"expression": "relu(w*x + b)"},
    "Error of a line": {"expression": "(w*x + b - t)**2", "inputs": "t = 1", "fixed": "x, t"},
    "Matrix product": {"expression": "mean(A @ B)", "inputs": "A = [[1, 2], [3, 4]]; B = [[0.5], [-1]]"},
    "Softmax cross-entropy": {
        "expression": "-sum(t * log_softmax(z))",
        "inputs": "z = [1, 2, 3]; t = [0, 1, 0]",
        "fixed": "t",
    },
    "Two layers, one example": {
        "expression": "mse_loss(tanh(d @ W + c) @ U, t)",
        "inputs": "d = [[1, -2]]; W = [[0.5, -1], [0.2, 0.1]]; c = [0.1, -0.3]; U = [[1.5], [-1]]; t = [[1]]",
        "fixed": "d, t",
    },
}


def backward_of(config: GraphConfig) -> tuple[BackwardPass, Tensor]:
    """The formula computed forward, its backward pass recorded, and its result. Raises ValueError with a sentence."""
    values = {name: torch.tensor(getattr(config, name)) for name in SLIDERS} | read_values(config.inputs)
    formula = parse(config.expression, values)
    fixed = {name.strip() for name in config.fixed.split(",")}
    used = {name: values[name].requires_grad_(name not in fixed) for name in formula.names}
    parts = formula.trace(used)
    result = parts[-1][1]
    return record(result, [(part.text, value) for part, value in parts]), result.detach()


class GraphRun(SteppedRun):
    """A recorded backward pass, shown node by node."""

    def __init__(self, config: GraphConfig, settings: Settings) -> None:
        self.pass_, self.result = backward_of(config)
        super().__init__(config, settings, len(self.pass_.passages))

    @property
    def auto_speed(self) -> float:
        """Slow enough to read a sentence for each node."""
        return 0.8

    def step(self) -> None:
        """Go on to the next node; all were recorded in one backward()."""

    def tune(self, config: GraphConfig) -> None:
        """Take new inputs and stay at the same node, or a new formula and start over."""
        pass_, result = backward_of(config)
        same = [each.name for each in pass_.nodes] == [each.name for each in self.pass_.nodes]
        self.pass_, self.result, self.config, self.length = pass_, result, config, len(pass_.passages)
        if not same:
            self.resume()

    def status(self, at: int) -> dict[str, float]:
        """The number of nodes, and the result of the formula."""
        return {"nodes": len(self.pass_.passages), "result": float(f"{self.result.item():.6g}")}

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The graph after `at` nodes have run."""
        return {"graph": lambda: draw_graph(self.pass_, at, self.narrate(at))}

    def narrate(self, at: int) -> str:
        """The arithmetic of the node that ran last."""
        if at == 0:
            return SENTENCES["start"].format(result=written(self.result))
        passage = self.pass_.passages[at - 1]
        node = self.pass_.nodes[passage.node]
        if node.is_leaf:
            ways = len(arrivals(self.pass_, passage.node))
            words = {"label": node.label, "gradient": written(passage.incoming, MOST_ALONE), "count": ways}
            said = SENTENCES["leaf_sum" if ways > 1 else "leaf"].format(**words)
            return SENTENCES["last"].format(leaf=said) if at == len(self.pass_.passages) else said
        products = [product(self.pass_, passage, sent) for sent in passage.sent]
        first, second = (*products, "", "")[:2]
        shape = ("one", "one", "twice" if first == second else "two")[min(len(products), 2)]
        return SENTENCES["more" if len(products) > 2 else shape].format(node=node.name, first=first, second=second)


def product(pass_: BackwardPass, passage: Passage, sent: Sent) -> str:
    """Incoming gradient times local derivative, in words and numbers."""
    words = {"to": target(pass_, sent), "outgoing": written(sent.gradient), "incoming": written(passage.incoming)}
    if sent.local is None:
        return SENTENCES["large"].format(**words)
    if sent.is_factor:
        return SENTENCES["factor"].format(local=written(sent.local), **words)
    return SENTENCES["sum"].format(terms=terms(passage.incoming, sent.local), **words)


def terms(incoming: Tensor, column: Tensor, most: int = 3) -> str:
    """The sum of products that is one number of a gradient: "1 × 0.5 + 2 × 0.25"."""
    pairs = list(zip(incoming.flatten().tolist(), column.flatten().tolist(), strict=True))
    shown = " + ".join(f"{number(left)} × {number(right)}" for left, right in pairs[:most])
    return shown + (" + …" if len(pairs) > most else "")


def arrivals(pass_: BackwardPass, node: int) -> list[Tensor]:
    """The gradients sent to a node, one for each way to it."""
    return [sent.gradient for passage in pass_.passages for sent in passage.sent if sent.to == node]


def target(pass_: BackwardPass, sent: Sent) -> str:
    """What to call the node that a gradient is sent to."""
    node = pass_.nodes[sent.to]
    return node.label if node.label and len(node.label) <= MOST_CHARACTERS else node.name


def number(value: float, digits: int = 4) -> str:
    """A number with so many digits, and no minus before a zero."""
    return f"{value + 0.0:.{digits}g}"


def listed(items: Any, digits: int = 4) -> str:
    """Numbers in nested lists as text."""
    return (
        f"[{', '.join(listed(each, digits) for each in items)}]" if isinstance(items, list) else number(items, digits)
    )


def written(value: Tensor, most: int = MOST_CHARACTERS) -> str:
    """A tensor as text: its numbers where they fit, else its shape and its first number."""
    text = listed(value.tolist()) if value.numel() <= 16 else ""
    if 0 < len(text) <= most:
        return text
    return f"[{number(value.flatten()[0].item())}, …] {tuple(value.shape)}"


def forms(value: Tensor | None) -> tuple[str, ...]:
    """A tensor as texts, from the fullest to the shortest: fewer digits, a row to a line, and its shape alone."""
    if value is None:
        return ()
    full = []
    for digits in (4, 3, 2) if value.numel() <= 16 else ():
        full.append(listed(value.tolist(), digits))
        if value.dim() == 2:
            full.append("\n".join(listed(row, digits) for row in value.tolist()))
    return (*full, " × ".join(map(str, value.shape)))


def draw_graph(pass_: BackwardPass, at: int, words: str) -> Figure:
    """The graph after `at` nodes have run, and the arithmetic of the last of them."""
    active = pass_.passages[at - 1].node if at else -1
    states = [
        "active" if index == active else "done" if pass_.ran(index, at) else "waiting"
        for index in range(len(pass_.nodes))
    ]
    nodes = [
        Node(node.label, node.name, forms(node.value), forms(pass_.arrived(index, at)), states[index], node.is_leaf)
        for index, node in enumerate(pass_.nodes)
    ]
    edges = [
        Edge(to, index, states[index]) for index, node in enumerate(pass_.nodes) for to in node.inputs if to is not None
    ]
    left_out = f"{len(nodes) - MOST_NODES} more nodes, further from the result, are not drawn."
    return flow(nodes, edges, sums_of(pass_, at), too_many=left_out, dots=DOTS, words=words)


def sums_of(pass_: BackwardPass, at: int) -> Sums:
    """The arithmetic of the node that ran last as a table."""
    headings = ("To", "Gradient that came in", "× local derivative", "= gradient sent on")
    if at == 0:
        return Sums(COLUMNS, headings, ())
    passage = pass_.passages[at - 1]
    node = pass_.nodes[passage.node]
    if node.is_leaf:
        parts = arrivals(pass_, passage.node)
        total = f"{node.label}.grad = {written(passage.incoming, MOST_ALONE)}"
        sums = f"{' + '.join(map(written, parts))},  so {total}" if len(parts) > 1 else total
        return Sums(COLUMNS[:2], ("Input", "Gradients that came in"), ((node.label, sums),))
    rows = []
    for sent in passage.sent[:2]:
        if sent.local is None:
            local = "a sum of many products"
        elif sent.is_factor:
            local = written(sent.local)
        else:
            local = f"first: {terms(passage.incoming, sent.local, 2)}"
        rows.append((target(pass_, sent), written(passage.incoming), local, written(sent.gradient)))
    return Sums(COLUMNS, headings, tuple(rows))


LAB = Lab(
    name="autograd_graph",
    title="Backward graph",
    sentence="What autograd remembers of a formula, and the gradient’s way back through it, node by node.",
    config=GraphConfig,
    build=GraphRun,
    charts=(
        Chart(
            "graph", "The graph behind the formula",
            "Inputs on the left, the result on the right; gradients flow back from right to left.", wide=True,
        ),
    ),
    status={"step": "Node", "nodes": "of", "result": "Result"},
    presets=PRESETS,
)  # fmt: skip
