"""The lab "A chain of layers": sizes, parameters and fields of view from the image to the flat vector."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from playground.knobs import Config, knob, shorten
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.convolution.figures import sizes
from playground.lessons.convolution.kernels import FITS, Axis

MOST_LAYERS = 8
LIMITS = {"window": 15, "stride": 8, "pad": 7, "dilation": 4, "maps": 512}
TUTORIAL = "conv 5 pad 2 maps 16; pool 2; conv 5 pad 2 maps 32; pool 2"
_LAYER = re.compile(r"(conv|pool)\s+([0-9]{1,4})((?:\s+(?:stride|pad|dilation|maps)\s+[0-9]{1,4})*)")


@dataclass(frozen=True)
class ChainConfig(Config):
    """A square image and the layers it goes through."""

    # fmt: off
    size: int = knob(28, "Image size", group="Image", live=True, lo=1, hi=256, step=1)
    channels: int = knob(1, "Colours", group="Image", live=True, options=(1, 3),
                         names={1: "Grey", 3: "Red, green, blue"})
    layers: str = knob(TUTORIAL, "Layers", group="Layers", live=True, max_length=300,
                       help="With ; between them: conv or pool, the window's size, then any of stride, pad, dilation "
                            "and (for conv) maps with a number each. A pool's stride is its window, if none is said.")
    # fmt: on


@dataclass(frozen=True)
class Layer:
    """One convolution or pooling; `maps` is how many images come out of a convolution."""

    kind: str
    window: int
    stride: int
    pad: int = 0
    dilation: int = 1
    maps: int = 1

    @property
    def code(self) -> str:
        """How it is typed."""
        default = self.window if self.kind == "pool" else 1
        parts = [f"{self.kind} {self.window}", f"stride {self.stride}" if self.stride != default else "",
                 f"pad {self.pad}" if self.pad else "", f"dilation {self.dilation}" if self.dilation > 1 else "",
                 f"maps {self.maps}" if self.kind == "conv" else ""]  # fmt: skip
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Passed:
    """An image behind a layer: its side, maps, the layer's parameters, and the field of view of one of its numbers.

    `apart` is how many of the image's pixels lie between the centres of two neighbouring fields.
    """

    side: int
    maps: int
    parameters: int
    field: int
    apart: int
    axis: Axis | None = None


def read_layers(text: str) -> list[Layer]:
    """The layers typed in. Raises ValueError with a sentence."""
    parts = [" ".join(part.split()).lower() for part in re.split(r"[;,]", text) if part.strip()]
    if not 1 <= len(parts) <= MOST_LAYERS:
        raise ValueError(f"There are {len(parts)} layers; 1 to {MOST_LAYERS} are drawn. Type them with ; between.")
    return [_layer(part) for part in parts]


def _layer(text: str) -> Layer:
    match = _LAYER.fullmatch(text)
    if not match:
        raise ValueError(f"This is no layer: “{shorten(text)}”. Type one as in conv 5 pad 2 maps 16, or pool 2.")
    words = match[3].split()
    options = {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}
    kind, window = match[1], int(match[2])
    if kind == "pool" and "maps" in options:
        raise ValueError("A pool has as many maps as came in. Leave maps out.")
    values = {"window": window, "stride": window if kind == "pool" else 1, **options}
    for name, value in values.items():
        least, typed = 0 if name == "pad" else 1, name == "window" or name in options
        if typed and not least <= value <= LIMITS[name]:
            raise ValueError(f"Here {name} goes from {least} to {LIMITS[name]}, and {value} was typed. Change it.")
    layer = Layer(kind, **values)
    if kind == "pool" and layer.pad > window // 2:
        raise ValueError(f"The padding of a pool may be half its window, {window // 2}, and {layer.pad} was typed. "
                         "Change it.")  # fmt: skip
    return layer


def passes(size: int, channels: int, layers: Sequence[Layer]) -> list[Passed]:
    """The image, and what it becomes behind each layer.

    The field of view grows by d·(k − 1) times the distance between fields; the distance by the stride
    (Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019).
    Raises ValueError with a sentence where a window does not fit.
    """
    found = [Passed(size, channels, 0, 1, 1)]
    for index, layer in enumerate(layers, start=1):
        before = found[-1]
        axis = Axis(before.side, layer.window, layer.stride, layer.pad, layer.dilation)
        try:
            side = axis.out
        except ValueError as error:
            raise ValueError(f"Layer {index}, “{layer.code}”: {error}") from None
        maps = layer.maps if layer.kind == "conv" else before.maps
        parameters = maps * (before.maps * layer.window**2 + 1) if layer.kind == "conv" else 0
        field = before.field + (axis.reach - 1) * before.apart
        found.append(Passed(side, maps, parameters, field, before.apart * layer.stride, axis))
    return found


NOTE = (
    "Flattened, that is {maps} × {side} × {side} = **{flat:,} numbers**, the inputs of a linear layer behind it. One "
    "number of the last image depends on {field} × {field} pixels of the first (dashed). The layers have "
    "**{parameters:,} parameters**."
)


def draw_chain(config: ChainConfig) -> Sheet:
    """The images as squares, and each layer's numbers."""
    layers = read_layers(config.layers)
    found = passes(config.size, config.channels, layers)
    names = [f"{each.side} × {each.side}<br>{each.maps} {_counted(each.maps)}" for each in found]
    last = found[-1]
    note = NOTE.format(maps=last.maps, side=last.side, flat=last.maps * last.side**2, field=last.field,
                       parameters=sum(each.parameters for each in found))  # fmt: skip
    figure = sizes.chain([each.side for each in found], names, min(last.field, config.size))
    return Sheet({"chain": figure}, note, (_table(layers, found),))


def _counted(maps: int) -> str:
    return "map" if maps == 1 else "maps"


def _table(layers: Sequence[Layer], found: Sequence[Passed]) -> Table:
    rows = []
    for layer, before, after in zip(layers, found, found[1:], strict=False):
        axis = after.axis
        assert axis is not None
        formula = f"⌊({axis.size} + 2·{axis.padding} − {axis.reach}) / {axis.stride}⌋ + 1 = {after.side}"
        rows.append((layer.code, _shape(before), formula, _shape(after), f"{after.parameters:,}",
                     f"{after.field} × {after.field}", _fits(axis)))  # fmt: skip
    columns = ("Layer", "In", "Size", "Out", "Parameters", "Sees", "Does the stride fit?")
    return Table(columns, tuple(rows), code=("Layer",))


def _shape(passed: Passed) -> str:
    return f"{passed.maps} × {passed.side} × {passed.side}"


WORDS = {
    "fits": "yes",
    "padding": "no: padding is left over, no pixel of the image",
    "pixel": "no: the last row and column are left out",
    "pixels": "no: the last {count} rows and columns are left out",
}
assert WORDS.keys() == FITS.keys()


def _fits(axis: Axis) -> str:
    lost = axis.rest_of_input()
    kind = "fits" if axis.rest == 0 else "padding" if lost == 0 else "pixel" if lost == 1 else "pixels"
    return WORDS[kind].format(count=lost)


LAB = Lab(
    name="convolution_chain",
    title="A chain of layers",
    sentence="From the image to the vector that a classifier gets: sizes, parameters, and how far each number sees.",
    config=ChainConfig,
    draw=draw_chain,
    charts=(
        Chart("chain", "The image after each layer", "A square for each image, drawn to scale.", height="low",
              width="wide"),
    ),
    presets={
        "The tutorial: 28 → 28 → 14 → 14 → 7": {},
        "Without padding": {"layers": "conv 5 maps 16; pool 2; conv 5 maps 32; pool 2"},
        "Three small windows for a large one": {"layers": "; ".join(["conv 3 pad 1 maps 16"] * 3)},
        "Strides instead of pooling": {"layers": "conv 5 pad 2 stride 2 maps 16; conv 5 pad 2 stride 2 maps 32"},
        "LeNet-5 (1998)": {"size": 32, "layers": "conv 5 maps 6; pool 2; conv 5 maps 16; pool 2; conv 5 maps 120"},
        "Pooled too often": {"layers": "pool 2; pool 2; pool 2; pool 2; pool 2"},
    },
)  # fmt: skip
