"""One real backward pass, recorded: the graph that autograd walks, and the gradients that each of its nodes passes on.

The graph is found by following `grad_fn.next_functions`; a hook on each node records its gradients while backward()
runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

MAX_NODES = 200
MAX_JACOBIAN = 1024  # numbers in the Jacobian of a local derivative

SENTENCES = {
    "too_many_nodes": "The graph has over {limit} nodes. Use a shorter formula.",
    "no_graph": "Nothing here needs a gradient, so there is no graph. Let at least one input need a gradient.",
    "not_a_scalar": "The formula gives {count} numbers, of shape {shape}. backward() starts from one number: write "
    "mean( ) or sum( ) around it.",
}


@dataclass(frozen=True)
class GraphNode:
    """One node of the backward graph: torch's name for it, its formula or input, and its value, if known.

    `inputs` are the indices of the nodes that get its gradients; None where no gradient is needed.
    """

    name: str
    label: str
    value: Tensor | None
    inputs: tuple[int | None, ...]

    @property
    def is_leaf(self) -> bool:
        """Whether it adds up the gradients of an input."""
        return self.name == "AccumulateGrad"


@dataclass(frozen=True)
class SentGradient:
    """The gradient that a node sends to one of its inputs: incoming gradient times local derivative.

    `local` has the shape of the output or of the input if the local derivative is elementwise (`is_factor`). Otherwise
    it is the column of the Jacobian for the input's first number, shaped like the node's value; None if too large.
    """

    to: int
    gradient: Tensor
    local: Tensor | None
    is_factor: bool


@dataclass(frozen=True)
class BackwardStep:
    """One step of the backward pass: the node that ran, its incoming gradient, and the gradients that it sent."""

    node: int
    incoming: Tensor
    sent: tuple[SentGradient, ...]


@dataclass(frozen=True)
class BackwardPass:
    """A whole backward pass: its nodes (the first is the result), and its steps in the order in which autograd ran."""

    nodes: tuple[GraphNode, ...]
    steps: tuple[BackwardStep, ...]

    def gradient_at(self, node: int, at: int) -> Tensor | None:
        """The gradient that a node has received in the first `at` steps: the sum of all that was sent to it."""
        if node == 0:
            return self.steps[0].incoming
        parts = [sent.gradient for step in self.steps[:at] for sent in step.sent if sent.to == node]
        return torch.stack(parts).sum(0) if parts else None

    def ran(self, node: int, at: int) -> bool:
        """Whether a node ran in the first `at` steps."""
        return any(step.node == node for step in self.steps[:at])


def walk(result: Tensor) -> list[Any]:
    """The nodes of the graph behind a tensor, breadth first, by following `next_functions`."""
    nodes = [torch.autograd.graph.get_gradient_edge(result).node]
    for node in nodes:  # the list grows during the loop
        for follower, _ in node.next_functions:
            if follower is not None and follower not in nodes:
                nodes.append(follower)
        if len(nodes) > MAX_NODES:
            raise ValueError(SENTENCES["too_many_nodes"].format(limit=MAX_NODES))
    return nodes


def record(result: Tensor, labels: Sequence[tuple[str, Tensor]]) -> BackwardPass:
    """Run backward() from one number and record what every node does. `labels` name intermediate tensors.

    Raises ValueError with a sentence if torch would raise an error.
    """
    if not result.requires_grad:
        raise ValueError(SENTENCES["no_graph"])
    if result.numel() != 1:
        raise ValueError(SENTENCES["not_a_scalar"].format(count=result.numel(), shape=tuple(result.shape)))
    nodes = walk(result)
    calls: list[tuple[Any, Tensor, tuple[Tensor | None, ...]]] = []

    def add_hook(node: Any) -> Any:
        return node.register_hook(lambda outgoing, incoming: calls.append((node, incoming[0], outgoing)))

    hooks = [add_hook(node) for node in nodes]
    try:
        torch.autograd.backward(result, retain_graph=True)
    finally:
        for hook in hooks:
            hook.remove()
    with torch.no_grad():
        steps = tuple(_step(nodes, *call) for call in calls)
    return BackwardPass(_described(nodes, labels), steps)


def _described(nodes: list[Any], labels: Sequence[tuple[str, Tensor]]) -> tuple[GraphNode, ...]:
    """Each node with its label, its value, and the nodes that get its gradients."""
    known: Mapping[Any, tuple[str, Tensor]] = {
        torch.autograd.graph.get_gradient_edge(value).node: (label, value.detach())
        for label, value in labels
        if value.requires_grad
    }
    described = []
    for node in nodes:
        label, value = known.get(node, ("", None))
        inputs = tuple(None if follower is None else nodes.index(follower) for follower, _ in node.next_functions)
        described.append(GraphNode(node.name().rpartition("::")[2], label, value, inputs))
    return tuple(described)


def _step(nodes: list[Any], node: Any, incoming: Tensor, outgoing: tuple[Tensor | None, ...]) -> BackwardStep:
    sent = []
    for index, (follower, _) in enumerate(node.next_functions):
        gradient = outgoing[index] if index < len(outgoing) else None
        if follower is not None and gradient is not None:
            local, is_factor = _local_derivative(node, index, incoming, gradient)
            sent.append(SentGradient(nodes.index(follower), gradient.clone(), local, is_factor))
    return BackwardStep(nodes.index(node), incoming.clone(), tuple(sent))


def _local_derivative(node: Any, index: int, incoming: Tensor, gradient: Tensor) -> tuple[Tensor | None, bool]:
    """A node's derivative with respect to one input, and whether it is elementwise, by calling the node.

    A node is linear in its incoming gradient. So a gradient of ones gives the factors, if a random gradient confirms
    that they are factors; otherwise one-hot gradients give the column of the Jacobian for the input's first number.
    """

    def pull(given: Tensor) -> Tensor:
        answer = node(given)
        answer = answer[index] if isinstance(answer, tuple) else answer
        return answer.sum_to_size(gradient.shape)  # type: ignore[no-any-return]  # the sum over broadcast axes

    factors = pull(torch.ones_like(incoming))
    random = torch.rand(incoming.shape, generator=torch.Generator().manual_seed(0)) + 0.5
    if incoming.numel() in (1, gradient.numel()):  # the sizes allow an elementwise factor
        shaped = random if random.numel() == 1 else random.reshape(gradient.shape)
        if torch.allclose(pull(random), shaped * factors, rtol=1e-4, atol=1e-6, equal_nan=True):
            return factors, True
    if incoming.numel() * gradient.numel() > MAX_JACOBIAN:
        return None, False
    one_hot = torch.eye(incoming.numel()).reshape(-1, *incoming.shape)
    column = torch.stack([pull(each).flatten()[0] for each in one_hot])
    return column.reshape(incoming.shape), False
