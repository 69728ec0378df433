"""One real backward pass, recorded: the graph that autograd walks, and what each of its nodes takes in and gives on.

The graph is found by following `grad_fn.next_functions`; a hook on each node notes its gradients while backward() runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

MOST_NODES = 200  # followed; a graph of more is refused
LARGEST_JACOBIAN = 1024  # numbers, of a local derivative that is no plain factor


@dataclass(frozen=True)
class GraphNode:
    """One node of the backward graph: torch's name for it, the formula or input it belongs to, and its value, if known.

    `inputs` are the nodes that its gradients go to, by index; None where nothing wants one.
    """

    name: str
    label: str
    value: Tensor | None
    inputs: tuple[int | None, ...]

    @property
    def is_leaf(self) -> bool:
        """Whether it adds up the gradient of an input."""
        return self.name == "AccumulateGrad"


@dataclass(frozen=True)
class Sent:
    """What a node sends to one of its inputs: incoming gradient times local derivative.

    `local` has the shape of the output or the input where each number is its own factor (`is_factor`); else it is the
    column of the Jacobian for the input's first number, shaped like the node's value; None if it is too large.
    """

    to: int
    gradient: Tensor
    local: Tensor | None
    is_factor: bool


@dataclass(frozen=True)
class Passage:
    """One moment of the backward pass: the node that ran, the gradient that came in, and what went out."""

    node: int
    incoming: Tensor
    sent: tuple[Sent, ...]


@dataclass(frozen=True)
class BackwardPass:
    """A whole backward pass: nodes (the first is the result), moments in the order in which autograd ran them."""

    nodes: tuple[GraphNode, ...]
    passages: tuple[Passage, ...]

    def arrived(self, node: int, at: int) -> Tensor | None:
        """The gradient that has come to a node within the first `at` moments: the sum over what was sent to it."""
        if node == 0:
            return self.passages[0].incoming
        parts = [sent.gradient for passage in self.passages[:at] for sent in passage.sent if sent.to == node]
        return torch.stack(parts).sum(0) if parts else None

    def ran(self, node: int, at: int) -> bool:
        """Whether a node ran within the first `at` moments."""
        return any(passage.node == node for passage in self.passages[:at])


def walk(result: Tensor) -> list[Any]:
    """The nodes of the graph behind a tensor, breadth first, by following `next_functions`."""
    nodes = [torch.autograd.graph.get_gradient_edge(result).node]
    for node in nodes:  # grows as it goes
        for follower, _ in node.next_functions:
            if follower is not None and follower not in nodes:
                nodes.append(follower)
        if len(nodes) > MOST_NODES:
            raise ValueError(f"The graph has over {MOST_NODES} nodes. Use a shorter formula.")
    return nodes


def record(result: Tensor, labels: Sequence[tuple[str, Tensor]]) -> BackwardPass:
    """Run backward() from one number and note every node's part. `labels` name tensors on the way.

    Raises ValueError with a sentence where torch would refuse.
    """
    if not result.requires_grad:
        raise ValueError("Nothing here needs a gradient, so there is no graph: let an input need one.")
    if result.numel() != 1:
        raise ValueError(
            f"The formula gives {result.numel()} numbers, of shape {tuple(result.shape)}. backward() starts from one "
            "number: write mean( ) or sum( ) around it."
        )
    nodes = walk(result)
    moments: list[tuple[Any, Tensor, tuple[Tensor | None, ...]]] = []

    def hook_of(node: Any) -> Any:
        return node.register_hook(lambda outgoing, incoming: moments.append((node, incoming[0], outgoing)))

    hooks = [hook_of(node) for node in nodes]
    try:
        torch.autograd.backward(result, retain_graph=True)
    finally:
        for hook in hooks:
            hook.remove()
    with torch.no_grad():
        passages = tuple(_passage(nodes, *moment) for moment in moments)
    return BackwardPass(_described(nodes, labels), passages)


def _described(nodes: list[Any], labels: Sequence[tuple[str, Tensor]]) -> tuple[GraphNode, ...]:
    """What to call each node, its value, and where its gradients go."""
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


def _passage(nodes: list[Any], node: Any, incoming: Tensor, outgoing: tuple[Tensor | None, ...]) -> Passage:
    sent = []
    for index, (follower, _) in enumerate(node.next_functions):
        gradient = outgoing[index] if index < len(outgoing) else None
        if follower is not None and gradient is not None:
            local, is_factor = _local_derivative(node, index, incoming, gradient)
            sent.append(Sent(nodes.index(follower), gradient.clone(), local, is_factor))
    return Passage(nodes.index(node), incoming.clone(), tuple(sent))


def _local_derivative(node: Any, index: int, incoming: Tensor, gradient: Tensor) -> tuple[Tensor | None, bool]:
    """A node's derivative for one input, by giving the node itself gradients of our own.

    A node is linear in what comes in. So ones give the factors, if a random gradient confirms that they are factors;
    otherwise one-hot gradients give the Jacobian's column for the input's first number.
    """

    def pull(given: Tensor) -> Tensor:
        answer = node(given)
        answer = answer[index] if isinstance(answer, tuple) else answer
        return answer.sum_to_size(gradient.shape)  # type: ignore[no-any-return]  # a broadcast input gets a sum

    factors = pull(torch.ones_like(incoming))
    random = torch.rand(incoming.shape, generator=torch.Generator().manual_seed(0)) + 0.5
    if incoming.numel() in (1, gradient.numel()):  # a factor each, as far as the counts go
        shaped = random if random.numel() == 1 else random.reshape(gradient.shape)
        if torch.allclose(pull(random), shaped * factors, rtol=1e-4, atol=1e-6, equal_nan=True):
            return factors, True
    if incoming.numel() * gradient.numel() > LARGEST_JACOBIAN:
        return None, False
    hot = torch.eye(incoming.numel()).reshape(-1, *incoming.shape)
    column = torch.stack([pull(each).flatten()[0] for each in hot])
    return column.reshape(incoming.shape), False
