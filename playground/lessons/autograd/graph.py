"""The lab "Backward graph": the graph of a formula, and the gradient on its way back through it, node by node."""

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
from playground.lessons.autograd.backward import BackwardPass, BackwardStep, GraphNode, SentGradient, record
from playground.lessons.autograd.figures.flow import MAX_NODES, Edge, Node, Sums, flow
from playground.lessons.autograd.named_values import read_values
from playground.lessons.numbers import minus
from playground.parsing.expressions import MAX_CHARACTERS, parse
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

SLIDERS = ("x", "w", "b")
COLUMNS = (0.01, 0.19, 0.47, 0.74)  # where the columns of the table below the graph begin
MAX_IN_PRODUCT = 30  # characters of a tensor in a product
MAX_ALONE = 60  # characters of a tensor alone
MAX_LISTED = 4  # gradients in the last sentence

SENTENCES = {
    "start": "The forward pass is done: the result is {result}. backward() starts there with the gradient 1. Press "
    "Play, or Step.",
    "unused": "The formula does not use {names}.",
    "one": "{node} passes {first}.",
    "twice": "{node} passes {first}, twice: once for each operand.",
    "two": "{node} passes {first}, and {second}.",
    "more": "{node} passes {first}, and {second}, and so on.",
    "factor": "{incoming} × {local} = {outgoing} to {to}",
    "sum": "{outgoing} to {to}, whose first number is {terms}",
    "masked": "{outgoing} to {to}: torch does not multiply here, it sets the gradient to 0 where the local derivative "
    "is 0 (as a product, {undefined} × 0 would be NaN)",
    "large": "{outgoing} to {to}, each number a sum of many products",
    "leaf": "The gradient has reached an input: {label}.grad is {gradient}.",
    "leaf_twice": "{label} was used twice; its two gradients add up: {label}.grad is {gradient}.",
    "leaf_sum": "{label} was used {count} times; its {count} gradients add up: {label}.grad is {gradient}.",
    "last": "backward() is done. {leaf}",
    "all": "backward() is done: {gradients}.",
    "gradient": "{label}.grad = {gradient}",
}
# Below the graph, and in it.
HEADINGS = ("To", "Incoming gradient", "× local derivative", "= outgoing gradient")
LEAF_HEADINGS = ("Input", "Incoming gradients")
TEXTS = {
    "sum": "{parts}, so {total}",
    "large": "a sum of many products",
    "first": "first: {terms}",
    "masked": "{local}, as a mask",
    "numbers": "{shape} numbers",
    "too_many_one": "1 more node, further from the result, is not drawn.",
    "too_many": "{count} more nodes, further from the result, are not drawn.",
    "dots": "Too many nodes for boxes: point at a dot to read its numbers.",
}


def _slider(name: str) -> Callable[[Any], bool]:
    """A test whether the formula of a config uses this name and its typed inputs do not define it."""
    used = re.compile(rf"(?<![A-Za-z0-9_]){name}(?![A-Za-z0-9_])")
    typed = re.compile(rf"(^|;)\s*{name}\s*=")
    return lambda config: bool(used.search(config.expression)) and not typed.search(config.inputs)


def _number(name: str, default: float) -> Any:
    return knob(
        default, name, group="Inputs", live=True, bar=True, shy=True, lo=-5.0, hi=5.0, step=0.1, applies=_slider(name)
    )


@dataclass(frozen=True)
class GraphConfig(Config):
    """The formula and its inputs."""

    # fmt: off
    expression: str = knob(
        "mean(v*v)", "Formula", group="Formula", live=True, bar=True, max_length=MAX_CHARACTERS,
        help="Numbers, + - * / ** @ and torch’s functions: sum, mean, exp, log, tanh, relu, softmax, mse_loss, …")
    x: float = _number("x", 2.0)
    w: float = _number("w", -1.0)
    b: float = _number("b", 0.5)
    inputs: str = knob(
        "v = [[1, 2], [3, 4]]", "More inputs", group="Inputs", live=True, max_length=300,
        help="Named tensors, separated by ; such as v = [[1, 2], [3, 4]]; t = 1. The formula need not use "
             "all of them.")
    fixed: str = knob(
        "", "Without gradient", group="Inputs", live=True, max_length=60,
        help="Names of inputs that need no gradient, separated by commas: data and targets, for instance.")
    # fmt: on


def record_formula(config: GraphConfig) -> tuple[BackwardPass, Tensor]:
    """The recorded backward pass of the formula, and its result. Raises ValueError with a sentence."""
    values = _values(config)
    formula = parse(config.expression, values)
    fixed = {name.strip() for name in config.fixed.split(",")}
    used = {name: values[name].requires_grad_(name not in fixed) for name in formula.names}
    parts = formula.trace(used)
    result = parts[-1][1]
    return record(result, [(part.text, value) for part, value in parts]), result.detach()


def _values(config: GraphConfig) -> dict[str, Tensor]:
    """The values of all names that a formula may use: the sliders, and the typed inputs."""
    return {name: torch.tensor(getattr(config, name)) for name in SLIDERS} | read_values(config.inputs)


def unused_inputs(config: GraphConfig) -> list[str]:
    """The names of the typed inputs that the formula does not use."""
    used = parse(config.expression, _values(config)).names
    return [name for name in read_values(config.inputs) if name not in used]


class GraphRun(SteppedRun):
    """A recorded backward pass, shown node by node."""

    def __init__(self, config: GraphConfig, settings: Settings) -> None:
        self.pass_, self.result = record_formula(config)
        super().__init__(config, settings, len(self.pass_.steps))

    @property
    def auto_speed(self) -> float:
        """Slow enough to read a sentence for each node."""
        return 0.8

    def step(self) -> None:
        """Show the next node; all were recorded in one backward()."""

    def tune(self, config: GraphConfig) -> None:
        """Use new inputs and stay at the same node, or use a new formula and start again."""
        pass_, result = record_formula(config)
        same = [each.name for each in pass_.nodes] == [each.name for each in self.pass_.nodes]
        self.pass_, self.result, self.config, self.length = pass_, result, config, len(pass_.steps)
        if not same:
            self.resume()

    def status(self, at: int) -> dict[str, float]:
        """The number of nodes, and the result of the formula."""
        return {"nodes": len(self.pass_.steps), "result": float(f"{self.result.item():.6g}")}

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The graph after `at` nodes have run."""
        return {"graph": lambda: draw_graph(self.pass_, at, self.narrate(at))}

    def narrate(self, at: int) -> str:
        """The arithmetic of the node that ran last."""
        if at == 0:
            sentences = [SENTENCES["start"].format(result=tensor_text(self.result))]
            if names := unused_inputs(self.config):
                sentences.append(SENTENCES["unused"].format(names=", ".join(names)))
            return " ".join(sentences)
        step = self.pass_.steps[at - 1]
        node = self.pass_.nodes[step.node]
        if node.is_leaf:
            return self._narrate_leaf(step, node, is_last=at == len(self.pass_.steps))
        products = [product(self.pass_, step, sent) for sent in step.sent]
        first, second = (*products, "", "")[:2]
        name = ("one", "one", "twice" if first == second else "two")[min(len(products), 2)]
        return SENTENCES["more" if len(products) > 2 else name].format(node=node.name, first=first, second=second)

    def _narrate_leaf(self, step: BackwardStep, node: GraphNode, *, is_last: bool) -> str:
        leaves = [each for each in self.pass_.steps if self.pass_.nodes[each.node].is_leaf]
        count = len(gradients_to(self.pass_, step.node))
        if is_last and count == 1 and len(leaves) <= MAX_LISTED:
            gradients = (
                SENTENCES["gradient"].format(
                    label=self.pass_.nodes[leaf.node].label, gradient=tensor_text(leaf.incoming, MAX_ALONE)
                )
                for leaf in leaves
            )
            return SENTENCES["all"].format(gradients=", ".join(gradients))
        name = ("leaf", "leaf", "leaf_twice")[count] if count <= 2 else "leaf_sum"
        gradient = tensor_text(step.incoming, MAX_ALONE)
        sentence = SENTENCES[name].format(label=node.label, gradient=gradient, count=count)
        return SENTENCES["last"].format(leaf=sentence) if is_last else sentence


def product(pass_: BackwardPass, step: BackwardStep, sent: SentGradient) -> str:
    """Incoming gradient times local derivative, as text."""
    words = {"to": target(pass_, sent), "outgoing": tensor_text(sent.gradient), "incoming": tensor_text(step.incoming)}
    if sent.local is None:
        return SENTENCES["large"].format(**words)
    if sent.is_factor and (undefined := undefined_products(step, sent)).numel():
        return SENTENCES["masked"].format(undefined=number(undefined[0].item()), **words)
    if sent.is_factor:
        return SENTENCES["factor"].format(local=tensor_text(sent.local), **words)
    return SENTENCES["sum"].format(terms=terms(step.incoming, sent.local), **words)


def terms(incoming: Tensor, column: Tensor, limit: int = 3) -> str:
    """The sum of products that gives one number of a gradient: "1 × 0.5 + 2 × 0.25"."""
    pairs = list(zip(incoming.flatten().tolist(), column.flatten().tolist(), strict=True))
    shown = " + ".join(f"{number(left)} × {number(right)}" for left, right in pairs[:limit])
    return shown + (" + …" if len(pairs) > limit else "")


def gradients_to(pass_: BackwardPass, node: int) -> list[Tensor]:
    """The gradients sent to a node, one for each edge to it."""
    return [sent.gradient for step in pass_.steps for sent in step.sent if sent.to == node]


def target(pass_: BackwardPass, sent: SentGradient) -> str:
    """The name of the node that a gradient is sent to."""
    node = pass_.nodes[sent.to]
    return node.label if node.label and len(node.label) <= MAX_IN_PRODUCT else node.name


def undefined_products(step: BackwardStep, sent: SentGradient) -> Tensor:
    """The incoming gradients (inf or NaN) whose product with the local derivative is NaN where torch passes a number.

    Operations such as relu mask their incoming gradient instead of multiplying it.
    """
    assert sent.local is not None
    one = step.incoming.numel() == 1
    incoming = (step.incoming.reshape(()) if one else step.incoming.reshape(sent.local.shape)).expand(sent.local.shape)
    masked = (incoming * sent.local).isnan() & ~sent.local.isnan()
    if sent.gradient.shape != sent.local.shape:
        return incoming[:0].flatten()
    return incoming[masked & ~sent.gradient.isnan()].flatten()


def number(value: float, digits: int = 4) -> str:
    """A number with `digits` digits, as in −0.25 and 1e−9, without a minus before a zero."""
    mantissa, e, exponent = f"{value + 0.0:.{digits}g}".partition("e")
    return minus(f"{mantissa}e{int(exponent)}" if e else mantissa).replace("nan", "NaN")


def list_text(items: Any, digits: int = 4) -> str:
    """Numbers in nested lists as text."""
    if not isinstance(items, list):
        return number(items, digits)
    return f"[{', '.join(list_text(each, digits) for each in items)}]"


def tensor_text(value: Tensor, limit: int = MAX_IN_PRODUCT) -> str:
    """A tensor as text: its numbers if they fit in `limit` characters, or its first number and its shape."""
    text = list_text(value.tolist()) if value.numel() <= 16 else ""
    if 0 < len(text) <= limit:
        return text
    return f"[{number(value.flatten()[0].item())}, …] {tuple(value.shape)}"


def texts_to_fit(value: Tensor | None) -> tuple[str, ...]:
    """A tensor as texts, from the longest to the shortest: fewer digits, more lines, at last only how many numbers."""
    if value is None:
        return ()
    texts = []
    for digits in (4, 3, 2) if value.numel() <= 16 else ():
        items = value.tolist()
        texts.append(list_text(items, digits))
        if value.dim() == 2:
            texts.append("\n".join(list_text(row, digits) for row in items))
        elif value.dim() == 1 and len(items) > 2:
            half = (len(items) + 1) // 2
            rows = (", ".join(number(each, digits) for each in part) for part in (items[:half], items[half:]))
            texts.append("[{},\n{}]".format(*rows))
    if value.dim() == 0:
        return tuple(texts)
    shape = " × ".join(map(str, value.shape))
    return (*texts, TEXTS["numbers"].format(shape=shape), f"{tuple(value.shape)}")


def draw_graph(pass_: BackwardPass, at: int, words: str) -> Figure:
    """The graph after `at` nodes have run, with the arithmetic of the last one."""
    active = pass_.steps[at - 1].node if at else -1
    states = [
        "active" if index == active else "done" if pass_.ran(index, at) else "waiting"
        for index in range(len(pass_.nodes))
    ]
    nodes = [
        Node(
            node.label,
            node.name,
            texts_to_fit(node.value),
            texts_to_fit(pass_.gradient_at(index, at)),
            states[index],
            node.is_leaf,
        )
        for index, node in enumerate(pass_.nodes)
    ]
    edges = [
        Edge(to, index, states[index]) for index, node in enumerate(pass_.nodes) for to in node.inputs if to is not None
    ]
    left_out = len(nodes) - MAX_NODES
    too_many = TEXTS["too_many_one" if left_out == 1 else "too_many"].format(count=left_out)
    return flow(nodes, edges, sums_of(pass_, at), too_many=too_many, dots=TEXTS["dots"], words=words)


def sums_of(pass_: BackwardPass, at: int) -> Sums:
    """The arithmetic of the node that ran last, as a table."""
    if at == 0:
        return Sums(COLUMNS, HEADINGS, ())
    step = pass_.steps[at - 1]
    node = pass_.nodes[step.node]
    if node.is_leaf:
        parts = gradients_to(pass_, step.node)
        total = SENTENCES["gradient"].format(label=node.label, gradient=tensor_text(step.incoming, MAX_ALONE))
        if len(parts) > 1:
            total = TEXTS["sum"].format(parts=" + ".join(map(tensor_text, parts)), total=total)
        return Sums(COLUMNS[:2], LEAF_HEADINGS, ((node.label, total),))
    rows = []
    for sent in step.sent[:2]:
        if sent.local is None:
            local = TEXTS["large"]
        elif sent.is_factor:
            local = tensor_text(sent.local)
            if undefined_products(step, sent).numel():
                local = TEXTS["masked"].format(local=local)
        else:
            local = TEXTS["first"].format(terms=terms(step.incoming, sent.local, 2))
        rows.append((target(pass_, sent), tensor_text(step.incoming), local, tensor_text(sent.gradient)))
    return Sums(COLUMNS, HEADINGS, tuple(rows))


LAB = Lab(
    name="autograd_graph",
    title="Backward graph",
    sentence="What autograd records of a formula, and how the gradient goes back through it, node by node.",
    config=GraphConfig,
    build=GraphRun,
    charts=(
        Chart(
            "graph", "The graph behind the formula",
            "Inputs on the left, the result on the right; gradients flow back from right to left.",
        ),
    ),
    status={"step": "Node", "nodes": "of", "result": "Result"},
)  # fmt: skip
