"""The training loop itself: the real lines of a step, run one at a time, with what each one makes and changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground import mnist
from playground.training.models import INITIALISATIONS
from playground.training.models import mlp as linear_layers

Array = NDArray[Any]
FORWARD, LOSS, ZERO_GRAD, BACKWARD, STEP = LINES = ("forward", "loss", "zero_grad", "backward", "step")
CODE = {
    FORWARD: "logits = model(x)",
    LOSS: "loss = loss_fn(logits, y)",
    ZERO_GRAD: "optimizer.zero_grad()",
    BACKWARD: "loss.backward()",
    STEP: "optimizer.step()",
}
TENSORS = {FORWARD: ("x", "logits"), LOSS: ("y", "loss")}  # those beside a line
ORDERS = {
    "usual": (FORWARD, LOSS, ZERO_GRAD, BACKWARD, STEP),
    "zero_first": (ZERO_GRAD, FORWARD, LOSS, BACKWARD, STEP),
    "zero_last": (FORWARD, LOSS, BACKWARD, STEP, ZERO_GRAD),
    "zero_late": (FORWARD, LOSS, BACKWARD, ZERO_GRAD, STEP),
    "step_early": (FORWARD, LOSS, ZERO_GRAD, STEP, BACKWARD),
}
SAMPLES, BATCH_SIZE = 64, 16
RADIUS = 2.0  # of the circle that separates the two classes of points
SIDE = 3.0  # the points lie in a square from -SIDE to SIDE
WHITE = 255.0


class Dropout(nn.Module):
    """nn.Dropout, but with a generator of the run's own: nn.Dropout draws from torch's one global generator."""

    def __init__(self, p: float, generator: torch.Generator) -> None:
        super().__init__()
        self.p = p
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """The same shape as x; in train mode some values are 0 and the others are divided by 1 - p."""
        if not self.training:
            return x
        kept = torch.rand(x.shape, generator=self.generator) >= self.p
        return x * kept / (1 - self.p)


def mlp(generator: torch.Generator) -> nn.Sequential:
    """The logits of two classes of points: (batch, 2) -> (batch, 2)."""
    return linear_layers(2, [8], 2, activation="relu", generator=generator)


def cnn(generator: torch.Generator) -> nn.Sequential:
    """The logits of ten digits: (batch, 1, 28, 28) -> (batch, 10)."""
    return nn.Sequential(
        initialised(nn.Conv2d(1, 4, 5, padding=2, device="meta"), generator),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AvgPool2d(7),
        nn.Flatten(),
        Dropout(0.25, generator),
        initialised(nn.Linear(64, 10, device="meta"), generator),
    )


def initialised(layer: Any, generator: torch.Generator) -> Any:
    """The layer on the CPU, with PyTorch's default weights, from this generator instead of the global one."""
    layer.to_empty(device="cpu")
    INITIALISATIONS["default"].fill(layer.weight, generator)
    bound = math.prod(layer.weight.shape[1:]) ** -0.5
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def points(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points float32 (SAMPLES, 2) and their classes int64 (SAMPLES,): inside a circle or outside."""
    x = (2 * torch.rand(SAMPLES, 2, generator=generator) - 1) * SIDE
    return x, (x.norm(dim=1) > RADIUS).long()


def digits(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Training images float32 (SAMPLES, 1, 28, 28), from 0 to 1, and their labels int64 (SAMPLES,)."""
    found = mnist.load()
    chosen = torch.randperm(len(found.train_labels), generator=generator)[:SAMPLES].numpy()
    images = torch.from_numpy(found.train_images[chosen].astype(np.float32)) / WHITE
    return images[:, None], torch.from_numpy(found.train_labels[chosen])


MODELS = {"mlp": (mlp, points), "cnn": (cnn, digits)}


@dataclass(frozen=True)
class Facts:
    """What torch says of one tensor."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    device: str
    requires_grad: bool
    is_leaf: bool


@dataclass(frozen=True)
class LayerOutput:
    """The output of one layer in the forward line: its module, shape, mean, standard deviation and share of zeros.

    `grad_norm` is the norm of the loss's gradient with respect to this output; None before backward() has computed it.
    """

    module: str
    shape: tuple[int, ...]
    mean: float
    std: float
    zeros: float
    grad_norm: float | None = None


@dataclass(frozen=True)
class Parameter:
    """A parameter after a line: its name, its numbers, its .grad (None where it has none), and how it has changed."""

    name: str
    value: Array
    grad: Array | None
    value_before: Array
    grad_before: Array | None


@dataclass(frozen=True)
class Record:
    """What is there after a line has run.

    `step` counts from 1. `facts` are those of the line's own tensors. `loss` is the loss of this step's batch, `after`
    the loss of the same batch with the weights that the optimizer has made; None before they are known. `peaks` are the
    largest parameter and the largest gradient so far, by size. An `error` is torch's own message, and ends the loop.
    """

    line: str
    step: int
    facts: tuple[Facts, ...]
    parameters: tuple[Parameter, ...]
    layers: tuple[LayerOutput, ...]
    loss: float | None
    after: float | None
    peaks: tuple[float, float]
    error: str = ""

    @property
    def grad_norm(self) -> float | None:
        """The norm of all gradients together; None where no parameter has one."""
        return norm([each.grad for each in self.parameters])

    @property
    def grad_norm_before(self) -> float | None:
        """The same before the line."""
        return norm([each.grad_before for each in self.parameters])

    @property
    def moved(self) -> float:
        """How far the line has moved the parameters: the norm of the change of all of them together."""
        return norm([each.value - each.value_before for each in self.parameters]) or 0.0


def norm(arrays: Sequence[Array | None]) -> float | None:
    """The Euclidean norm of all numbers of some arrays; None where there is none."""
    found = [float(np.square(array, dtype=np.float64).sum()) for array in arrays if array is not None]
    return math.sqrt(sum(found)) if found else None


def largest(values: Array | None) -> float:
    """The largest absolute value; 0 where there is none."""
    return 0.0 if values is None else float(np.abs(values).max())


@dataclass
class Loop:
    """A training loop that stops after each line.

    The model ("mlp" or "cnn"), the lines of a step in their order, train or eval mode, whether the forward line records
    a graph, the learning rate of SGD, and the seed of data, weights and dropout.
    """

    model_name: str
    lines: tuple[str, ...]
    is_training: bool = True
    records_graph: bool = True
    lr: float = 0.1
    seed: int = 0
    records: list[Record] = field(default_factory=list)  # the first is from before any line has run

    def __post_init__(self) -> None:
        self.generator = torch.Generator().manual_seed(self.seed)
        build, draw = MODELS[self.model_name]
        self.data = draw(self.generator)
        self.model = build(self.generator).train(self.is_training)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=self.lr)
        self.loss_fn = nn.CrossEntropyLoss()
        self.tensors: dict[str, Tensor] = {}
        self.layers: list[LayerOutput] = []
        self.numbers = self._numbers()
        self.peaks = (0.0, 0.0)
        self.loss: float | None = None
        self.loss_after: float | None = None
        for module in self.model:
            module.register_forward_hook(self._note)
        self._keep("", 0)

    def run_line(self) -> Record:
        """Run the next line of the loop, and say what it has made."""
        step, at = divmod(len(self.records) - 1, len(self.lines))
        if at == 0:
            self._take_batch(step)
        line, tensors, error = self.lines[at], self.tensors, ""
        try:
            if line == FORWARD:
                tensors["logits"] = self._forward()
            elif line == LOSS:
                tensors["loss"] = self.loss_fn(tensors["logits"], tensors["y"])
            elif line == ZERO_GRAD:
                self.optimizer.zero_grad()
            elif line == BACKWARD:
                tensors["loss"].backward()  # type: ignore[no-untyped-call]
            elif line == STEP:
                self.optimizer.step()
        except RuntimeError as problem:
            error = str(problem)
        self._keep(line, step + 1, error)
        return self.records[-1]

    def _take_batch(self, step: int) -> None:
        """The next batch, in order."""
        start = step * BATCH_SIZE % SAMPLES
        x, y = self.data
        self.tensors = {"x": x[start : start + BATCH_SIZE], "y": y[start : start + BATCH_SIZE]}
        self.loss = self.loss_after = None

    def _forward(self) -> Tensor:
        """The logits of the batch, and what each layer gives on the way."""
        self.layers, self.mask = [], self.generator.get_state()
        with torch.set_grad_enabled(self.records_graph):
            logits: Tensor = self.model(self.tensors["x"])
        return logits

    def _note(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        values, layers = output.detach(), self.layers
        zeros = (values == 0).float().mean().item()
        layers.append(
            LayerOutput(type(module).__name__, tuple(values.shape), values.mean().item(), values.std().item(), zeros)
        )
        if output.requires_grad:
            at = len(layers) - 1

            def keep(gradient: Tensor) -> None:
                layers[at] = replace(layers[at], grad_norm=gradient.norm().item())

            output.register_hook(keep)  # type: ignore[no-untyped-call]

    def _loss_again(self) -> float:
        """The loss of the same batch with the new weights: the same dropout mask, and nothing changes.

        The generator ends where the forward line has left it: it has drawn the same mask again.
        """
        layers, buffers = self.layers, deepcopy(list(self.model.buffers()))
        self.layers = []
        self.generator.set_state(self.mask)
        with torch.no_grad():
            loss = self.loss_fn(self.model(self.tensors["x"]), self.tensors["y"])
            for buffer, before in zip(self.model.buffers(), buffers, strict=True):
                buffer.copy_(before)
        self.layers = layers
        return float(loss.item())

    def _numbers(self) -> list[tuple[Array, Array | None]]:
        """Copies of each parameter's numbers and of its .grad."""
        return [
            (each.detach().numpy().copy(), None if each.grad is None else each.grad.numpy().copy())
            for each in self.model.parameters()
        ]

    def _keep(self, line: str, step: int, error: str = "") -> None:
        """Add the record of a line that has run."""
        before, self.numbers = self.numbers, self._numbers()
        names = [name for name, _ in self.model.named_parameters()]
        parameters = tuple(
            Parameter(name, *now, *then) for name, now, then in zip(names, self.numbers, before, strict=True)
        )
        if line == LOSS:
            self.loss = self.tensors["loss"].item()
        if line == STEP and self.loss is not None:
            self.loss_after = self._loss_again()
        facts = tuple(facts_of(name, self.tensors[name]) for name in TENSORS.get(line, ()) if name in self.tensors)
        self.peaks = (
            max(self.peaks[0], *(largest(each.value) for each in parameters)),
            max(self.peaks[1], *(largest(each.grad) for each in parameters)),
        )
        layers, losses = tuple(self.layers), (self.loss, self.loss_after)
        self.records.append(Record(line, step, facts, parameters, layers, *losses, self.peaks, error))


def facts_of(name: str, tensor: Tensor) -> Facts:
    """What torch says of a tensor."""
    dtype, device = str(tensor.dtype).removeprefix("torch."), str(tensor.device)
    return Facts(name, tuple(tensor.shape), dtype, device, tensor.requires_grad, tensor.is_leaf)
