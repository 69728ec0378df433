"""The lab A chain of layers: sizes, parameters and receptive fields from the image to the flat vector."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from playground.knobs import Config, knob, shorten
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.convolution.figures import sizes
from playground.lessons.convolution.kernels import STRIDE_NOTES, Axis, kind_of_rest

MAX_LAYERS = 8
MAX_VALUES = {"window": 15, "stride": 8, "pad": 7, "dilation": 4, "maps": 512}
TUTORIAL = "conv 5 pad 2 maps 16; pool 2; conv 5 pad 2 maps 32; pool 2"
MESSAGES = {
    "layers": "The number of layers must be 1 to {limit} (you typed {count}). Separate them with ;",
    "layer": "This is not a layer: “{text}”. Type one like conv 5 pad 2 maps 16, or pool 2.",
    "maps": "A pool has as many maps as its input. Delete “maps”.",
    "value": "The value of {name} must be {least} to {limit} (you typed {value}).",
    "pool padding": "The padding of a pool must be at most half its window, {limit} (you typed {value}).",
    "does not fit": "Layer {index}, “{code}”: {reason}",
}
NOTE = (
    "Flattened, the output has {maps} × {side} × {side} = **{flat:,} numbers**, the inputs of the linear layer that "
    "follows. {sees} The layers have **{parameters:,} parameters**."
)
LINE, ANSWER = "layers(image).shape", "torch.Size([1, {maps}, {side}, {side}])"
SEES = {
    "part": "One number of the last image depends on {field} × {field} pixels of the first (dashed).",
    "more": "The receptive field of the last image is {field} × {field}, larger than the first image ({size} × {size}, "
    "dashed): the rest of it is padding.",
}
NAMES = {False: "{side} × {side}<br>{maps} maps", True: "{side} × {side}<br>1 map"}  # of an image; True: it has one map
COLUMNS = ("Layer", "In", "Size", "Out", "Parameters", "Receptive field", "Divides evenly?")
# It breaks at most once, before "+ 1 =".
FORMULA = "⌊({size}\u00a0+\u00a02·{padding}\u00a0−\u00a0{span})\u00a0/\u00a0{stride}⌋ +\u00a01\u00a0=\u00a0{out}"
DIVIDES = {
    "fits": "yes",
    "padding": "no: some padding is not used, no image pixel is lost",
    "one of padding": "no: some padding is not used, no image pixel is lost",
    "pixel": "no: the last row and column are left out",
    "pixels": "no: the last {count} rows and columns are left out",
}
assert DIVIDES.keys() == STRIDE_NOTES.keys()
_LAYER = re.compile(r"(conv|pool)\s+([0-9]{1,4})((?:\s+(?:stride|pad|dilation|maps)\s+[0-9]{1,4})*)")


@dataclass(frozen=True)
class ChainConfig(Config):
    """A square image and the layers that it passes through."""

    # fmt: off
    size: int = knob(28, "Image size", group="Image", live=True, bar=True, lo=1, hi=256, step=1)
    channels: int = knob(1, "Maps in", group="Image", live=True, bar=True, options=(1, 3, 16),
                         names={1: "1, grey", 3: "3, red green blue", 16: "16"},
                         help="An image has 1 or 3. With 16 it is the output of an earlier layer.")
    layers: str = knob(TUTORIAL, "Layers", group="Layers", live=True, bar=True, max_length=300,
                       help="Separated by ; – each is conv or pool, the window’s size, then any of stride, pad, "
                            "dilation and (for conv) maps, each with a number. A pool’s default stride is its window.")
    # fmt: on


@dataclass(frozen=True)
class Layer:
    """One convolution or pooling; `maps` is the number of output images of a convolution."""

    kind: str
    window: int
    stride: int
    pad: int = 0
    dilation: int = 1
    maps: int = 1

    @property
    def code(self) -> str:
        """The layer as it is typed."""
        default = self.window if self.kind == "pool" else 1
        parts = [f"{self.kind} {self.window}", f"stride {self.stride}" if self.stride != default else "",
                 f"pad {self.pad}" if self.pad else "", f"dilation {self.dilation}" if self.dilation > 1 else "",
                 f"maps {self.maps}" if self.kind == "conv" else ""]  # fmt: skip
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Output:
    """The output of a layer: its side, maps, the layer's parameters, and the receptive field of one of its numbers.

    `apart` is the distance of two neighbouring receptive fields in pixels of the first image.
    """

    side: int
    maps: int
    parameters: int
    field: int
    apart: int
    axis: Axis | None = None


def read_layers(text: str) -> list[Layer]:
    """The layers that were typed. Raises ValueError with a sentence."""
    parts = [" ".join(part.split()).lower() for part in re.split(r"[;,]", text) if part.strip()]
    if not 1 <= len(parts) <= MAX_LAYERS:
        raise ValueError(MESSAGES["layers"].format(limit=MAX_LAYERS, count=len(parts)))
    return [_layer(part) for part in parts]


def _layer(text: str) -> Layer:
    match = _LAYER.fullmatch(text)
    if not match:
        raise ValueError(MESSAGES["layer"].format(text=shorten(text)))
    words = match[3].split()
    options = {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}
    kind, window = match[1], int(match[2])
    if kind == "pool" and "maps" in options:
        raise ValueError(MESSAGES["maps"])
    values = {"window": window, "stride": window if kind == "pool" else 1, **options}
    for name, value in values.items():
        least, typed = 0 if name == "pad" else 1, name == "window" or name in options
        if typed and not least <= value <= MAX_VALUES[name]:
            raise ValueError(MESSAGES["value"].format(name=name, least=least, limit=MAX_VALUES[name], value=value))
    layer = Layer(kind, **values)
    if kind == "pool" and layer.pad > window // 2:
        raise ValueError(MESSAGES["pool padding"].format(limit=window // 2, value=layer.pad))
    return layer


def passes(size: int, channels: int, layers: Sequence[Layer]) -> list[Output]:
    """The image, then the output of each layer.

    The receptive field grows by d·(k − 1) times the distance between fields; the distance grows by the stride
    (Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019).
    Raises ValueError with a sentence if a window does not fit.
    """
    found = [Output(size, channels, 0, 1, 1)]
    for index, layer in enumerate(layers, start=1):
        before = found[-1]
        axis = Axis(before.side, layer.window, layer.stride, layer.pad, layer.dilation)
        try:
            side = axis.out
        except ValueError as error:
            raise ValueError(MESSAGES["does not fit"].format(index=index, code=layer.code, reason=error)) from None
        maps = layer.maps if layer.kind == "conv" else before.maps
        parameters = maps * (before.maps * layer.window**2 + 1) if layer.kind == "conv" else 0
        field = before.field + (axis.span - 1) * before.apart
        found.append(Output(side, maps, parameters, field, before.apart * layer.stride, axis))
    return found


def draw_chain(config: ChainConfig) -> Sheet:
    """The sheet: each image as a square, a note on the last one, and a table of the layers."""
    layers = read_layers(config.layers)
    found = passes(config.size, config.channels, layers)
    names = [NAMES[each.maps == 1].format(side=each.side, maps=each.maps) for each in found]
    last = found[-1]
    sees = SEES["part" if last.field <= config.size else "more"].format(field=last.field, size=config.size)
    note = NOTE.format(maps=last.maps, side=last.side, flat=last.maps * last.side**2, sees=sees,
                       parameters=sum(each.parameters for each in found))  # fmt: skip
    figure = sizes.chain([each.side for each in found], names, min(last.field, config.size))
    answer = ANSWER.format(maps=last.maps, side=last.side)
    bars = sizes.parameters([each.code for each in layers], [each.parameters for each in found[1:]])
    charts = {"chain": figure, "parameters": bars}
    return Sheet(charts, note, (_table(layers, found),), line=LINE, answer=answer)


def _table(layers: Sequence[Layer], found: Sequence[Output]) -> Table:
    rows = []
    for layer, before, after in zip(layers, found, found[1:], strict=False):
        axis = after.axis
        assert axis is not None
        formula = FORMULA.format(size=axis.size, padding=axis.padding, span=axis.span, stride=axis.stride,
                                 out=after.side)  # fmt: skip
        divides = DIVIDES[kind_of_rest(axis)].format(count=axis.rest_of_input())
        rows.append((layer.code, _shape(before), formula, _shape(after), f"{after.parameters:,}",
                     f"{after.field} × {after.field}", divides))  # fmt: skip
    return Table(COLUMNS, tuple(rows), code=("Layer",))


def _shape(output: Output) -> str:
    return f"{output.maps} × {output.side} × {output.side}"


LAB = Lab(
    name="convolution_chain",
    title="A chain of layers",
    sentence="From the image to the classifier’s input: sizes, parameters, and the pixels that each number depends on.",
    config=ChainConfig,
    draw=draw_chain,
    charts=(
        Chart("chain", "The image after each layer", "A square for each image, drawn to scale."),
        Chart("parameters", "Parameters of each layer", "A bar for each layer; a pooling has none."),
    ),
)  # fmt: skip
