"""The models: a multilayer perceptron as a plain nn.Sequential, its activations and its initialisations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Activation:
    """An activation function: label, module, its code in a script, and whether units can die (output 0 forever)."""

    label: str
    module: Callable[[], nn.Module]
    code: str
    can_die: bool = False


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation("ReLU", nn.ReLU, "nn.ReLU()", can_die=True),
    "leaky_relu": Activation("Leaky ReLU", nn.LeakyReLU, "nn.LeakyReLU()"),
    "elu": Activation("ELU", nn.ELU, "nn.ELU()"),
    "gelu": Activation("GELU", nn.GELU, "nn.GELU()"),
    "silu": Activation("SiLU", nn.SiLU, "nn.SiLU()"),
    "tanh": Activation("Tanh", nn.Tanh, "nn.Tanh()"),
    "sigmoid": Activation("Sigmoid", nn.Sigmoid, "nn.Sigmoid()"),
    "softplus": Activation("Softplus", nn.Softplus, "nn.Softplus()"),
    "identity": Activation("None (linear)", nn.Identity, "nn.Identity()"),
}

ROUNDING, TINY = 1e-3, 1e-6  # of a weight, and absolute: the same sums in another order, over many steps

Fill = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Initialisation:
    """The initial weights. Biases are zero at first, except with `uniform_bias` (PyTorch's default for nn.Linear).

    `code` is its line in a script; it is empty if nn.Linear does it by itself.
    """

    label: str
    fill: Fill
    code: str = ""
    uniform_bias: bool = False


INITIALISATIONS: dict[str, Initialisation] = {
    # nn.Linear.reset_parameters: kaiming_uniform_ with a = sqrt(5), that is uniform in ±1/sqrt(fan_in).
    "default": Initialisation(
        "PyTorch default", lambda w, g: nn.init.kaiming_uniform_(w, a=5**0.5, generator=g), uniform_bias=True
    ),
    # Glorot and Bengio 2010, He et al. 2015.
    "xavier": Initialisation(
        "Xavier (Glorot)",
        lambda w, g: nn.init.xavier_uniform_(w, generator=g),
        "nn.init.xavier_uniform_(layer.weight, generator=generator)",
    ),
    "kaiming": Initialisation(
        "Kaiming (He)",
        lambda w, g: nn.init.kaiming_normal_(w, nonlinearity="relu", generator=g),
        'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)',
    ),
    "small": Initialisation(
        "Too small (0.01)",
        lambda w, g: nn.init.normal_(w, std=0.01, generator=g),
        "nn.init.normal_(layer.weight, std=0.01, generator=generator)",
    ),
    "large": Initialisation(
        "Too large (3)",
        lambda w, g: nn.init.normal_(w, std=3.0, generator=g),
        "nn.init.normal_(layer.weight, std=3.0, generator=generator)",
    ),
    "zeros": Initialisation("All zeros", lambda w, g: nn.init.zeros_(w), "nn.init.zeros_(layer.weight)"),
}


class Dropout(nn.Module):
    """Sets each input to zero with probability p and divides the others by 1 - p while gradients are recorded.

    nn.Dropout draws from torch's one global generator; this one draws from the run's own.
    """

    def __init__(self, p: float, generator: torch.Generator) -> None:
        super().__init__()
        self.p = p
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """The same shape as x."""
        if self.p == 0 or not torch.is_grad_enabled():
            return x
        kept = torch.rand(x.shape, generator=self.generator).to(x.device) >= self.p
        return x * kept / (1 - self.p)


def mlp(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    *,
    activation: str = "relu",
    initialisation: str = "default",
    generator: torch.Generator,
    dropout: Dropout | None = None,
) -> nn.Sequential:
    """Linear, activation, ..., Linear: (batch, inputs) -> (batch, outputs), an activation after each hidden layer.

    With `dropout`, activation and dropout are one module, so that the layers keep their indices.
    """
    widths = [inputs, *hidden, outputs]
    layers: list[nn.Module] = []
    for index, (fan_in, fan_out) in enumerate(pairwise(widths)):
        if index:
            module = ACTIVATIONS[activation].module()
            layers.append(nn.Sequential(module, dropout) if dropout else module)
        layers.append(nn.Linear(fan_in, fan_out, device="meta").to_empty(device="cpu"))
    model = nn.Sequential(*layers)
    initialise(model, initialisation, generator)
    return model


def initialise(model: nn.Sequential, initialisation: str, generator: torch.Generator) -> None:
    """Give every linear layer its initial weights, layer by layer, weight before bias, as nn.Linear does."""
    start = INITIALISATIONS[initialisation]
    for layer in linears(model):
        start.fill(layer.weight, generator)
        bound = layer.in_features**-0.5 if start.uniform_bias else 0.0
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def set_activation(model: nn.Sequential, activation: str, dropout: Dropout | None = None) -> None:
    """Replace the activation (and dropout, if any) between the layers; the weights stay as they are."""
    for index in range(1, len(model), 2):
        module = ACTIVATIONS[activation].module()
        model[index] = nn.Sequential(module, dropout) if dropout else module


def graft(old: nn.Sequential, new: nn.Sequential, inputs: Sequence[tuple[int, int]]) -> None:
    """Copy every weight of an old model that has a place in a new one.

    Hidden layers correspond from the first one on, output layer to output layer, units by index; `inputs` pairs
    columns of the first layer: (old, new).
    """
    before, after = linears(old), linears(new)
    pairs = [*zip(before[:-1], after[:-1], strict=False), (before[-1], after[-1])]
    with torch.no_grad():
        for source, target in pairs:
            rows = min(source.out_features, target.out_features)
            shared = min(source.in_features, target.in_features)
            first = source is before[0], target is after[0]
            if first[0] is not first[1]:  # a layer was added or removed before this one: nothing corresponds
                columns: Sequence[tuple[int, int]] = []
            else:
                columns = inputs if first[0] else [(column, column) for column in range(shared)]
            for from_column, to_column in columns:
                target.weight[:rows, to_column] = source.weight[:rows, from_column]
            target.bias[:rows] = source.bias[:rows]


def linears(model: nn.Sequential) -> list[nn.Linear]:
    """The linear layers, in order."""
    return [layer for layer in model if isinstance(layer, nn.Linear)]


def layer_of_same_units(model: nn.Sequential) -> int:
    """The first hidden layer, from 1, all of whose units (two at least) learn the same; 0 if there is none.

    Their weights, their biases and the weights of the next layer for them are the same, but for rounding.
    """
    layers = linears(model)
    for index, (layer, following) in enumerate(pairwise(layers), start=1):
        if len(layer.weight) < 2 or not _is_near(layer.weight[1, :1], layer.weight[0, :1]):
            continue  # most are sorted out by one number
        parts = (layer.weight, layer.bias[:, None], following.weight.T)
        if all(_is_near(part, part[:1]) for part in parts):
            return index
    return 0


def _is_near(found: Tensor, wanted: Tensor) -> bool:
    return bool(((found - wanted).abs() <= ROUNDING * wanted.abs() + TINY).all())


def layer_outputs(model: nn.Sequential, x: Tensor) -> list[Tensor]:
    """The output of every module of the model for the inputs x, in order; each (batch, units)."""
    outputs = []
    for module in model:
        x = module(x)
        outputs.append(x)
    return outputs


def count_parameters(model: nn.Module) -> int:
    """The number of parameters of the model."""
    return sum(parameter.numel() for parameter in model.parameters())
