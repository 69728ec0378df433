"""The depth lab: what many layers do to a signal on its way in and to the gradient on its way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.activations.figures.depth import REACH, shares, sizes, slopes, spread
from playground.lessons.activations.functions import with_slope
from playground.training.models import ACTIVATIONS, INITIALISATIONS, linears, mlp

BATCH = 128
FLAT = 0.01  # a slope below this counts as flat
GONE, BLOWN_UP = 1e-2, 1e2  # a size below or above this, of one that started as 1, has vanished or exploded
Array = NDArray[np.float64]


@dataclass(frozen=True)
class DepthConfig(Config):
    """How deep the model is and how it starts."""

    # fmt: off
    layers: int = knob(10, "Layers", group="Model", live=True, lo=1, hi=30)
    activation: str = knob("tanh", "Activation", group="Model", live=True, options=tuple(ACTIVATIONS),
                           names={name: each.label for name, each in ACTIVATIONS.items()})
    initialisation: str = knob("xavier", "Initialisation", group="Start", live=True, options=tuple(INITIALISATIONS),
                               names={name: each.label for name, each in INITIALISATIONS.items()})
    gain: float = knob(1.0, "Gain", help="All starting weights are multiplied by it.", group="Start", live=True,
                       lo=0.1, hi=4.0, step=0.05)
    width: int = knob(64, "Units per layer", group="Model", live=True, lo=2, hi=100)
    seed: int = knob(0, "Seed", help="Of the weights, the input and the gradient.", group="Start", live=True, lo=0,
                     hi=999)
    # fmt: on


@dataclass(frozen=True)
class Passage:
    """One pass there and back through L layers.

    `outputs` and `gradients` are those of the input and of each layer (1 + L, of shape (batch, width)); `inputs` are
    what goes into each layer's activation (L); `weight_gradients` are those of a loss that is a mean (L).
    """

    outputs: Sequence[Tensor]
    inputs: Sequence[Tensor]
    gradients: Sequence[Tensor]
    weight_gradients: Sequence[Tensor]


def there_and_back(model: nn.Sequential, x: Tensor, gradient: Tensor) -> Passage:
    """Send x through the model, and the gradient that arrives at its last output back to x, by autograd."""
    modules = list(model)
    outputs, inputs = [x.requires_grad_()], []
    for layer, activation in zip(modules[::2], modules[1::2], strict=True):
        inputs.append(layer(outputs[-1]))
        outputs.append(activation(inputs[-1]))
    weights = [layer.weight for layer in linears(model)]
    gradients = torch.autograd.grad(outputs[-1], [*outputs, *weights], grad_outputs=gradient)
    count = len(outputs)
    return Passage(outputs, inputs, gradients[:count], [each / len(x) for each in gradients[count:]])


def passage(config: DepthConfig) -> Passage:
    """The pass for a config: standard normal numbers go in, and standard normal numbers come back as the gradient."""
    generator = torch.Generator().manual_seed(config.seed)
    x = torch.randn(BATCH, config.width, generator=generator)
    gradient = torch.randn(BATCH, config.width, generator=generator)
    whole = mlp(config.width, [config.width] * config.layers, 1, activation=config.activation,
                initialisation=config.initialisation, generator=generator)  # fmt: skip
    model = nn.Sequential(*list(whole)[:-1])  # without the output layer: after each layer its activation
    with torch.no_grad():
        for layer in linears(model):
            layer.weight.mul_(config.gain)
    return there_and_back(model, x, gradient)


def signal(output: Tensor) -> float:
    """How much a layer's outputs (batch, width) still differ from input to input.

    That is the root mean square of what is left without each unit's mean; 0 if the layer gives the same for all.
    """
    values = output.detach().double()
    return (values - values.mean(dim=0)).square().mean().sqrt().item()


def rms(values: Tensor) -> float:
    """The root of the mean square."""
    return values.detach().double().square().mean().sqrt().item()


def draw_depth(config: DepthConfig) -> Sheet:
    """The spread of outputs and gradients in each layer, their sizes, and the slopes between them."""
    through = passage(config)
    layers = np.arange(config.layers + 1, dtype=np.float32)
    signals = np.array([signal(each) for each in through.outputs])
    gradients = np.array([rms(each) for each in through.gradients])
    norms = np.array([np.nan, *(each.double().norm().item() for each in through.weight_gradients)])
    every_slope = [with_slope(_activation(config), each)[1] for each in through.inputs]
    mean = np.array([each.mean().item() for each in every_slope])
    flat = np.array([(each.abs() < FLAT).float().mean().item() for each in every_slope])
    charts = {
        "outputs": _spread(layers, through.outputs, signals, "@model", "Output"),
        "gradients": _spread(layers, through.gradients, gradients, "@gradient", "Gradient"),
        "sizes": sizes(layers, [("Signal", "@model", signals), ("Gradient", "@gradient", gradients),
                                ("Gradient of W", "@mark", norms)]),
        "slopes": slopes(layers[1:], mean, flat),
    }  # fmt: skip
    return Sheet(charts, _verdict(signals, gradients), (_ends(signals, gradients[::-1]),))


def _activation(config: DepthConfig) -> nn.Module:
    return ACTIVATIONS[config.activation].module()


def _spread(
    layers: NDArray[np.float32], tensors: Sequence[Tensor], size: Array, colour: str, title: str
) -> dict[str, object]:
    """The chart of one kind of values, with each layer's numbers on hovering."""
    values = [each.detach().numpy() for each in tensors]
    binned = np.stack([shares(each) for each in values])
    hovers = [
        f"layer {index}: size {size[index]:.3g}<br>exactly 0: {np.mean(each == 0):.0%}<br>"
        f"beyond ±{REACH:g}: {np.mean(~(np.abs(each) <= REACH)):.0%}"
        for index, each in enumerate(values)
    ]
    return spread(layers, binned, hovers, colour=colour, title=title)


def _verdict(signals: Array, gradients: Array) -> str:
    """What is to be seen, in two sentences."""
    if not (np.isfinite(signals).all() and np.isfinite(gradients).all()):
        first = int(np.argmax(~(np.isfinite(signals) & np.isfinite(gradients[::-1]))))
        return (f"**Out of range.** After {first} layers the numbers are too large for float32: they become inf, and "
                "inf − inf is NaN. Lower the gain, or take another initialisation.")  # fmt: skip
    there = _fate(signals[-1], "**The signal vanishes**: the last layer gives nearly the same, whatever comes in.",
                  "**The signal explodes** on its way in.", "The signal arrives.")  # fmt: skip
    back = _fate(gradients[0], "**The gradient vanishes**: the first layers would hardly learn.",
                 "**The gradient explodes**: a step would throw the first layers far off.",
                 "The gradient reaches the first layer.")  # fmt: skip
    return f"{there} {back}"


def _fate(size: float, vanished: str, exploded: str, alive: str) -> str:
    return vanished if size < GONE else exploded if size > BLOWN_UP else alive


def _ends(signals: Array, gradients: Array) -> Table:
    """Sizes where they start and where they end, and the factor that each layer multiplies them by on average."""
    rows = []
    for name, along in (("Signal, from the input to the last layer", signals),
                        ("Gradient, from the last layer back to the input", gradients)):  # fmt: skip
        factor = (along[-1] / along[0]) ** (1 / (len(along) - 1))
        rows.append((name, f"{along[0]:.3g}", f"{along[-1]:.3g}", f"× {factor:.3g}"))
    return Table(("What", "Starts as", "Ends as", "Each layer, on average"), tuple(rows))


DEPTH = Lab(
    name="activations_depth",
    title="Depth",
    sentence="Normal numbers of size 1 go in at layer 0, and as a gradient come back from the last layer.",
    config=DepthConfig,
    draw=draw_depth,
    charts=(
        Chart("outputs", "Forward: outputs", "A histogram of every layer's outputs, upright."),
        Chart("gradients", "Backward: gradients", "A histogram of the gradient at each layer, upright."),
        Chart("sizes", "Sizes, layer by layer", "Signal, gradient and the weights' gradient on a log scale."),
        Chart("slopes", "Slope of the activation", "Its mean slope in each layer and the share that is flat."),
    ),
    presets={
        "Tanh with Xavier": {},
        "Sigmoid: vanishing": {"activation": "sigmoid"},
        "ReLU with PyTorch's default": {"activation": "relu", "initialisation": "default"},
        "ReLU with Kaiming": {"activation": "relu", "initialisation": "kaiming"},
        "Weights too small": {"activation": "tanh", "initialisation": "small"},
        "Weights too large, tanh": {"activation": "tanh", "initialisation": "large"},
        "Weights too large, ReLU": {"activation": "relu", "initialisation": "large"},
    },
)
