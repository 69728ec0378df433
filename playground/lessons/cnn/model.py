"""The convolutional network for digits: convolution, activation and pooling in turn, then one linear layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from playground.training.models import ACTIVATIONS, INITIALISATIONS, Dropout

CLASSES = 10
SIDE = 28  # pixels of an image
POOLINGS: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "max": ("Max pooling", lambda: nn.MaxPool2d(2)),
    "average": ("Average pooling", lambda: nn.AvgPool2d(2)),
}


class BatchNorm(nn.Module):
    """Normalizes each channel to mean 0 and variance 1, then scales and shifts it by two learned numbers.

    While gradients are recorded in training, it uses the batch's own mean and variance; otherwise their running
    averages. These are parameters without a gradient, so that a copy of a model's parameters includes them.
    Ioffe and Szegedy 2015; the same numbers as nn.BatchNorm2d.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.running_mean = nn.Parameter(torch.zeros(channels), requires_grad=False)
        self.running_var = nn.Parameter(torch.ones(channels), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> the same shape."""
        learns = self.training and torch.is_grad_enabled()
        return functional.batch_norm(
            x, self.running_mean.data, self.running_var.data, self.weight, self.bias, training=learns
        )


def cnn(
    filters: Sequence[int],
    *,
    kernel: int = 5,
    pooling: str = "max",
    activation: str = "relu",
    batch_norm: bool = False,
    dropout: Dropout | None = None,
    generator: torch.Generator,
) -> nn.Sequential:
    """Convolution, activation, pooling for each entry of `filters`, then linear: (batch, 1, 28, 28) -> (batch, 10).

    The padding keeps the size, each pooling halves it. `dropout` comes before the linear layer. The weights are
    initialised like those of PyTorch's layers: a generator gives those that torch.manual_seed gives for its seed.
    """
    layers: list[nn.Module] = []
    channels, side = 1, SIDE
    for count in filters:
        layers.append(nn.Conv2d(channels, count, kernel, padding=kernel // 2, device="meta").to_empty(device="cpu"))
        layers += [BatchNorm(count)] if batch_norm else []
        layers += [ACTIVATIONS[activation].module(), POOLINGS[pooling][1]()]
        channels, side = count, side // 2
    layers += [nn.Flatten(), *([dropout] if dropout else [])]
    layers.append(nn.Linear(channels * side * side, CLASSES, device="meta").to_empty(device="cpu"))
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            _initialise(layer, generator)
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _initialise(layer: nn.Conv2d | nn.Linear, generator: torch.Generator) -> None:
    """The same as reset_parameters of nn.Conv2d and nn.Linear: uniform in ±1/sqrt(fan_in), weight before bias."""
    INITIALISATIONS["default"].fill(layer.weight, generator)
    assert layer.bias is not None
    bound = layer.weight[0].numel() ** -0.5
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def frozen(model: nn.Sequential, device: str = "cpu") -> nn.Sequential:
    """A copy for evaluation: no dropout, batch norm by its running averages, no gradients of parameters."""
    copy = deepcopy(model).to(device).eval()
    for module in copy:
        if isinstance(module, Dropout):
            module.p = 0.0
    for parameter in copy.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    return copy


def in_train_mode(model: nn.Sequential, device: str = "cpu") -> nn.Sequential:
    """A copy for tests without model.eval(): dropout and batch norm work as in training, where gradients are enabled.

    The copy has no gradients of parameters, and random numbers of its own that begin where the model's are.
    """
    copy = deepcopy(model).to(device)
    for parameter in copy.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    return copy


def pixels(images: Tensor) -> Tensor:
    """Images uint8 (n, 28, 28) in the shape of the model's input: (n, 1, 28, 28), channels last in memory, still uint8.

    With one channel the two orders are the same bytes, so this copies nothing; torch's convolutions are a third faster
    if the strides say that the channel comes last.
    """
    return images.as_strided((len(images), 1, SIDE, SIDE), (SIDE * SIDE, 1, SIDE, 1))


def scaled(images: Tensor) -> Tensor:
    """Pixels uint8 from 0 to 255 as float32 from 0 to 1."""
    return images.to(torch.float32).div_(255)


@dataclass(frozen=True)
class Stage:
    """The output of one module of the model; a convolution and the modules after it have the same layer, from 0."""

    kind: str  # "convolution", "batch norm", "activation", "pooling", "flat", "logits"
    layer: int
    output: Tensor  # (batch, channels, side, side), or (batch, numbers)


def stages(model: nn.Sequential, x: Tensor) -> list[Stage]:
    """The outputs of all modules for images x (batch, 1, 28, 28), in order; the logits are the last."""
    found: list[Stage] = []
    layer = -1
    for module in model:
        x = module(x)
        if isinstance(module, nn.Conv2d):
            layer += 1
        if kind := _kind(module):
            found.append(Stage(kind, layer, x))
    return found


def _kind(module: nn.Module) -> str:
    kinds: list[tuple[type[nn.Module] | tuple[type[nn.Module], ...], str]] = [
        (nn.Conv2d, "convolution"),
        (BatchNorm, "batch norm"),
        ((nn.MaxPool2d, nn.AvgPool2d), "pooling"),
        (nn.Flatten, "flat"),
        (nn.Linear, "logits"),
        (Dropout, ""),
    ]
    return next((kind for types, kind in kinds if isinstance(module, types)), "activation")


def convolutions(model: nn.Sequential) -> list[nn.Conv2d]:
    """The convolutions, in order."""
    return [module for module in model if isinstance(module, nn.Conv2d)]


@dataclass(frozen=True)
class LayerSize:
    """The number of parameters of a layer, and the calculation of it."""

    name: str
    sum: str
    count: int


def layer_sizes(model: nn.Sequential) -> list[LayerSize]:
    """The number of parameters of each layer that learns."""
    sizes: list[LayerSize] = []
    layer = 0
    for module in model:
        if isinstance(module, nn.Conv2d):
            layer += 1
            out, into, high, wide = module.weight.shape
            sizes.append(
                LayerSize(f"Convolution {layer}", f"{out} × ({into}·{high}·{wide} + 1)", out * (into * high * wide + 1))
            )
        elif isinstance(module, BatchNorm):
            channels = len(module.weight)
            sizes.append(LayerSize(f"Batch norm {layer}", f"2 × {channels}", 2 * channels))
        elif isinstance(module, nn.Linear):
            out, into = module.weight.shape
            sizes.append(LayerSize("Linear", f"{out} × ({into:,} + 1)", out * (into + 1)))
    return sizes
