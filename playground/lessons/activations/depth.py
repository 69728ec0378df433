"""The lab "Depth": what many layers do to a signal on its way forward and to the gradient on its way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.engine.frames import Figure
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.activations.figures.depth import MAX_SHOWN, bin_shares, sizes, slopes, spread
from playground.lessons.activations.functions import with_slope
from playground.lessons.numbers import number
from playground.training.models import ACTIVATIONS, INITIALISATIONS, linears, mlp

BATCH = 128
MAX_FLAT_SLOPE = 0.01  # a smaller slope counts as flat
VANISHED, EXPLODED = 1e-2, 1e2  # a size of 1 that gets smaller or larger than this has vanished or exploded

SENTENCES = {
    "not_finite_1": "**Out of range.** After 1 layer the numbers are too large for float32: they become inf, and "
    "inf − inf is NaN. Lower the gain, or choose another initialisation.",
    "not_finite": "**Out of range.** After {layers} layers the numbers are too large for float32: they become inf, and "
    "inf − inf is NaN. Lower the gain, or choose another initialisation.",
    "note": "{signal} {gradient}",
}
SIGNAL = {
    "vanished": "**The signal vanishes**: the last layer gives nearly the same output for every input.",
    "exploded": "**The signal explodes** on its way forward.",
    "kept": "The signal reaches the last layer.",
}
GRADIENT = {
    "vanished": "**The gradient vanishes**: the first layers would hardly learn.",
    "exploded": "**The gradient explodes**: one step would change the first layers far too much.",
    "kept": "The gradient reaches the first layer.",
}
HOVER = "layer {layer}: size {size}<br>exactly 0: {zero:.0f} %<br>beyond ±{limit:g}: {beyond:.0f} %"
COLUMNS = ("Quantity", "Starts as", "Ends as", "Each layer, on average")
ROWS = ("Signal, from the input to the last layer", "Gradient, from the last layer back to the input")
FACTOR = "× {factor}"
LINES = ("Signal", "Gradient", "Gradient of W")
COLOURS = ("@model", "@gradient", "@mark")
TITLES = ("Output", "Gradient")
LINE = "signal(outputs[-1]), rms(gradients[0])"
Array = NDArray[np.float64]


@dataclass(frozen=True)
class DepthConfig(Config):
    """The depth of the model and its starting weights."""

    # fmt: off
    layers: int = knob(10, "Layers", group="Model", live=True, bar=True, lo=1, hi=30)
    activation: str = knob("tanh", "Activation", group="Model", live=True, bar=True, options=tuple(ACTIVATIONS),
                           names={name: each.label for name, each in ACTIVATIONS.items()})
    initialisation: str = knob("xavier", "Initialisation", group="Start", live=True, bar=True,
                               options=tuple(INITIALISATIONS),
                               names={name: each.label for name, each in INITIALISATIONS.items()})
    gain: float = knob(1.0, "Gain", help="All starting weights are multiplied by this.", group="Start", live=True,
                       bar=True, lo=0.1, hi=4.0, step=0.05)
    width: int = knob(64, "Units per layer", group="Model", live=True, lo=2, hi=100)
    seed: int = knob(0, "Seed", help="For the random weights, inputs and gradients.", group="Start", live=True, lo=0,
                     hi=999)
    # fmt: on


@dataclass(frozen=True)
class PassRecord:
    """One forward and one backward pass through L layers.

    `outputs` and `gradients` belong to the input and to each layer (1 + L, of shape (batch, width)); `inputs` are the
    inputs of each layer's activation (L); `weight_gradients` are the gradients of a loss that is a mean (L).
    """

    outputs: Sequence[Tensor]
    inputs: Sequence[Tensor]
    gradients: Sequence[Tensor]
    weight_gradients: Sequence[Tensor]


def forward_and_backward(model: nn.Sequential, x: Tensor, gradient: Tensor) -> PassRecord:
    """The record of sending x through the model, and the given gradient of its last output back to x, by autograd."""
    modules = list(model)
    outputs, inputs = [x.requires_grad_()], []
    for layer, activation in zip(modules[::2], modules[1::2], strict=True):
        inputs.append(layer(outputs[-1]))
        outputs.append(activation(inputs[-1]))
    weights = [layer.weight for layer in linears(model)]
    gradients = torch.autograd.grad(outputs[-1], [*outputs, *weights], grad_outputs=gradient)
    count = len(outputs)
    return PassRecord(outputs, inputs, gradients[:count], [each / len(x) for each in gradients[count:]])


def run_pass(config: DepthConfig) -> PassRecord:
    """The record for a config: both the input and the gradient at the last layer are standard normal numbers."""
    generator = torch.Generator().manual_seed(config.seed)
    x = torch.randn(BATCH, config.width, generator=generator)
    gradient = torch.randn(BATCH, config.width, generator=generator)
    complete = mlp(config.width, [config.width] * config.layers, 1, activation=config.activation,
                initialisation=config.initialisation, generator=generator)  # fmt: skip
    model = nn.Sequential(*list(complete)[:-1])  # without the output layer: pairs of a layer and its activation
    with torch.no_grad():
        for layer in linears(model):
            layer.weight.mul_(config.gain)
    return forward_and_backward(model, x, gradient)


def signal(output: Tensor) -> float:
    """How much the outputs of a layer (batch, width) differ from input to input.

    It is the root mean square after subtracting the mean of each unit; 0 if all outputs are the same.
    """
    values = output.detach().double()
    return (values - values.mean(dim=0)).square().mean().sqrt().item()


def rms(values: Tensor) -> float:
    """The root of the mean square."""
    return values.detach().double().square().mean().sqrt().item()


def draw_depth(config: DepthConfig) -> Sheet:
    """The distributions of outputs and gradients in each layer, their sizes, and the slopes of the activation."""
    record = run_pass(config)
    layers = np.arange(config.layers + 1, dtype=np.float32)
    signals = np.array([signal(each) for each in record.outputs])
    gradients = np.array([rms(each) for each in record.gradients])
    norms = np.array([np.nan, *(each.double().norm().item() for each in record.weight_gradients)])
    every_slope = [with_slope(_activation(config), each)[1] for each in record.inputs]
    mean = np.array([each.mean().item() for each in every_slope])
    flat = np.array([(each.abs() < MAX_FLAT_SLOPE).float().mean().item() for each in every_slope])
    charts = {
        "outputs": _spread(layers, record.outputs, signals, "@model", TITLES[0]),
        "gradients": _spread(layers, record.gradients, gradients, "@gradient", TITLES[1]),
        "sizes": sizes(layers, list(zip(LINES, COLOURS, (signals, gradients, norms), strict=True))),
        "slopes": slopes(layers[1:], mean, flat),
    }  # fmt: skip
    answer = f"({signals[-1]:.4g}, {gradients[0]:.4g})"
    return Sheet(charts, _note(signals, gradients), (_ends(signals, gradients[::-1]),), line=LINE, answer=answer)


def _activation(config: DepthConfig) -> nn.Module:
    return ACTIVATIONS[config.activation].module()


def _spread(layers: NDArray[np.float32], tensors: Sequence[Tensor], size: Array, colour: str, title: str) -> Figure:
    """The distributions in all layers as a chart, with numbers for each layer on hovering."""
    values = [each.detach().numpy() for each in tensors]
    binned = np.stack([bin_shares(each) for each in values])
    hovers = [
        HOVER.format(
            layer=index,
            size=number(size[index]),
            zero=100 * np.mean(each == 0),
            limit=MAX_SHOWN,
            beyond=100 * np.mean(~(np.abs(each) <= MAX_SHOWN)),
        )
        for index, each in enumerate(values)
    ]
    return spread(layers, binned, hovers, colour=colour, title=title)


def _note(signals: Array, gradients: Array) -> str:
    """What happens to the signal and to the gradient, in two sentences."""
    if not (np.isfinite(signals).all() and np.isfinite(gradients).all()):
        first = int(np.argmax(~(np.isfinite(signals) & np.isfinite(gradients[::-1]))))
        return SENTENCES["not_finite_1" if first == 1 else "not_finite"].format(layers=first)
    return SENTENCES["note"].format(signal=SIGNAL[_fate(signals[-1])], gradient=GRADIENT[_fate(gradients[0])])


def _fate(size: float) -> str:
    return "vanished" if size < VANISHED else "exploded" if size > EXPLODED else "kept"


def _ends(signals: Array, gradients: Array) -> Table:
    """The sizes at the start and at the end, and the average factor of one layer."""
    rows = []
    for name, along in zip(ROWS, (signals, gradients), strict=True):
        factor = (along[-1] / along[0]) ** (1 / (len(along) - 1))
        rows.append((name, number(along[0]), number(along[-1]), FACTOR.format(factor=number(factor))))
    return Table(COLUMNS, tuple(rows))


DEPTH = Lab(
    name="activations_depth",
    title="Depth",
    sentence="Random numbers (standard normal) go in at layer 0; random gradients go back from the last layer.",
    config=DepthConfig,
    draw=draw_depth,
    charts=(
        Chart("outputs", "Forward: outputs", "A vertical histogram of the outputs of each layer."),
        Chart("gradients", "Backward: gradients", "A vertical histogram of the gradients at each layer."),
        Chart("sizes", "Sizes", "Signal, gradient and gradient of the weights on a log scale."),
        Chart("slopes", "Slopes", "The mean slope in each layer and the share of flat places."),
    ),
)
