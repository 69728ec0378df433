"""The lab Shape walk: from the image to the first Linear after a convolution, with torch's message where it fails."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from playground.engine.frames import Figure
from playground.figures.listing import CodeLine, listing
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet
from playground.lessons.training_loop.figures.arrivals import arrivals

BATCH, CLASSES = 8, 10
FLATTENS = {"module": "nn.Flatten()", "method": "x.flatten()", "left_out": "left out"}
NOTES = {  # at most 90 letters
    "fits": "It fits: {product} numbers per image arrive, as many as in_features.",
    "in_features": "{product} numbers per image arrive, but in_features is {expected:,}.",
    "in_channels": "The first convolution gives {maps} maps, but in_channels of the second is {expected}.",
    "channel": "Without a channel axis Conv2d takes the {batch} images for one with {batch} channels.",
    "window": "The image is smaller than the window of this layer.",
    "batch": "x.flatten() flattens the batch, too: one row of {flat:,} numbers.",
    "batch fits": "No error, but {classes} logits for the whole batch: the axis of the {batch} images is gone.",
    "last axis": "Without Flatten, Linear reads the last axis alone, which has {last} numbers.",
    "last axis fits": "No error, but the logits have the shape {shape}: Linear read the last axis alone.",
}
LINE = "model(x).shape"
ANSWERS = {"shape": "torch.Size({shape})", "error": "{name}: {error}"}
CODE = {
    "x": "x",
    "conv": "nn.Conv2d({maps_in}, {maps}, {kernel}, padding={padding})",
    "pool": "nn.MaxPool2d({window})",
    "module": "nn.Flatten()",
    "method": "x.flatten()",
    "linear": "nn.Linear({in_features}, {classes})",
}
HEADINGS = ("shape", "numbers per image")
WIDTHS = (20, 24)  # characters
CODE_WIDTH = 36
PRODUCT, ONE = "{factors} = {total:,}", "{total:,}"
TIMES = " × "
ERROR_WIDTH, NARROW_ERROR_WIDTH = 42, 34  # characters of a row of torch's message
TITLES = {"x": "x", "conv": "Conv2d", "pool": "MaxPool2d", "module": "Flatten", "method": "flatten()"}
EXPECTED = "in_features = {count:,}"
WORDS = {"fits": "Every layer takes what arrives.", "fails": "{code} fails: {error}"}


@dataclass(frozen=True)
class ShapeWalkConfig(Config):
    """The images and the layers up to the first Linear."""

    # fmt: off
    in_features: int = knob(784, "in_features of Linear", group="Linear", live=True, bar=True, lo=1, hi=200_000,
                            help="The numbers that Linear expects for each image.")
    flatten: str = knob("module", "Flatten", group="Linear", live=True, bar=True, options=tuple(FLATTENS),
                        names=FLATTENS)
    in_channels: int = knob(8, "in_channels of the 2nd Conv2d", group="Convolutions", live=True, bar=True, lo=1, hi=64,
                            step=1, applies=lambda config: config.second)
    kernel: int = knob(3, "Kernel", group="Convolutions", live=True, bar=True, options=(3, 5))
    padding: int = knob(1, "Padding", group="Convolutions", live=True, lo=0, hi=2, step=1)
    pool: int = knob(2, "Pooling", group="Convolutions", live=True, options=(1, 2, 4),
                     names={1: "none", 2: "2 × 2", 4: "4 × 4"})
    filters_1: int = knob(8, "Filters of the 1st Conv2d", group="Convolutions", live=True, options=(4, 8, 16))
    second: bool = knob(True, "A second Conv2d", group="Convolutions", live=True)
    filters_2: int = knob(32, "Filters of the 2nd Conv2d", group="Convolutions", live=True, options=(8, 16, 32),
                          applies=lambda config: config.second)
    size: int = knob(28, "Image size", group="Images", live=True, lo=4, hi=64, step=1)
    channel: bool = knob(True, "Channel axis", group="Images", live=True,
                         help="Off: the images have the shape (8, 28, 28), as they come from a file.")
    # fmt: on


@dataclass(frozen=True)
class Stop:
    """One stop of the walk: its kind, its code, and the shape of x after it; or torch's error, its name and its text.

    A stop after an error is not reached: it has neither.
    """

    kind: str
    code: str
    shape: tuple[int, ...] | None = None
    error: str = ""
    error_name: str = ""


def layers_of(config: ShapeWalkConfig) -> list[tuple[str, str, Callable[[Tensor], Tensor]]]:
    """The layers: of each its kind, its code and the layer itself, whose weights are all 0."""
    with torch.device("meta"):  # no random numbers are drawn
        found: list[tuple[str, str, Any]] = []
        maps_in = [1, config.in_channels] if config.second else [1]
        for inputs, maps in zip(maps_in, (config.filters_1, config.filters_2), strict=False):
            code = CODE["conv"].format(maps_in=inputs, maps=maps, kernel=config.kernel, padding=config.padding)
            found.append(("conv", code, nn.Conv2d(inputs, maps, config.kernel, padding=config.padding)))
            if config.pool > 1:
                found.append(("pool", CODE["pool"].format(window=config.pool), nn.MaxPool2d(config.pool)))
        if config.flatten == "module":
            found.append(("module", CODE["module"], nn.Flatten()))
        elif config.flatten == "method":
            found.append(("method", CODE["method"], torch.flatten))
        code = CODE["linear"].format(in_features=config.in_features, classes=CLASSES)
        found.append(("linear", code, nn.Linear(config.in_features, CLASSES)))
    return [(kind, code, zeros(layer) if isinstance(layer, nn.Module) else layer) for kind, code, layer in found]


def zeros(layer: nn.Module) -> nn.Module:
    """The layer on the CPU, with all parameters 0."""
    layer.to_empty(device="cpu")
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def walk(config: ShapeWalkConfig) -> list[Stop]:
    """x, and what each layer makes of it, up to the first one that fails."""
    x = torch.zeros(BATCH, 1, config.size, config.size)
    if not config.channel:
        x = x[:, 0]
    stops = [Stop("x", CODE["x"], tuple(x.shape))]
    with torch.no_grad():
        for kind, code, layer in layers_of(config):
            if stops[-1].shape is None:
                stops.append(Stop(kind, code))
                continue
            try:
                x = layer(x)
            except RuntimeError as error:
                stops.append(Stop(kind, code, None, str(error).split("\n")[0], type(error).__name__))
            else:
                stops.append(Stop(kind, code, tuple(x.shape)))
    return stops


def draw_walk(config: ShapeWalkConfig) -> Sheet:
    """The layers with the shape after each, the numbers that arrive at each, and why it does not fit."""
    stops = walk(config)
    failed = next((stop for stop in stops if stop.error), None)
    words = WORDS["fails"].format(code=failed.code, error=failed.error) if failed else WORDS["fits"]
    charts = {
        "walk": listing([_line(stop) for stop in stops], HEADINGS, WIDTHS, code_width=CODE_WIDTH, min_rows=11,
                        words=words),
        "arrivals": _arrivals(stops, config),
    }  # fmt: skip
    if failed:
        answer = ANSWERS["error"].format(name=failed.error_name, error=failed.error)
    else:
        answer = ANSWERS["shape"].format(shape=list(stops[-1].shape or ()))
    return Sheet(charts, note_of(stops, config), line=LINE, answer=answer)


def note_of(stops: list[Stop], config: ShapeWalkConfig) -> str:
    """Why the walk ends where it ends, in one sentence."""
    failed = next((stop for stop in stops if stop.error), None)
    reached = [stop.shape for stop in stops if stop.shape is not None]
    arrived = reached[-1] if failed else reached[-2]  # at the layer that fails, or at Linear
    before = next((shape for shape in reversed(reached[:-1] if not failed else reached) if len(shape) == 4), arrived)
    case, expected = "fits", config.in_features
    if failed is None:
        case = {"module": "fits", "method": "batch fits", "left_out": "last axis fits"}[config.flatten]
    elif failed.kind == "linear":
        case = {"module": "in_features", "method": "batch", "left_out": "last axis"}[config.flatten]
    elif failed.kind == "conv" and len(arrived) == 3:
        case = "channel"
    elif failed.kind == "conv" and arrived[1] != config.in_channels and arrived[1] != 1:
        case, expected = "in_channels", config.in_channels
    else:
        case = "window"
    return NOTES[case].format(
        product=_product(before), expected=expected, maps=config.filters_1, batch=BATCH, classes=CLASSES,
        flat=math.prod(before), last=arrived[-1], shape=reached[-1],
    )  # fmt: skip


def _product(shape: tuple[int, ...]) -> str:
    """The numbers of one image: "8 × 14 × 14 = 1,568"."""
    total = math.prod(shape[1:])
    if len(shape) < 3:
        return ONE.format(total=total)
    return PRODUCT.format(factors=TIMES.join(map(str, shape[1:])), total=total)


def _line(stop: Stop) -> CodeLine:
    if stop.error:
        wide, narrow = (
            (f"{stop.error_name}:", *textwrap.wrap(stop.error, width)) for width in (ERROR_WIDTH, NARROW_ERROR_WIDTH)
        )
        return CodeLine((stop.code,), tuple((text,) for text in wide), narrow, "raised")
    if stop.shape is None:
        return CodeLine((stop.code,), ((),), (), "waiting")
    cells = (str(stop.shape), _product(stop.shape))
    return CodeLine((stop.code,), (cells,), ("  ".join(cells),), "done")


def _arrivals(stops: list[Stop], config: ShapeWalkConfig) -> Figure:
    """The numbers per image after each layer up to Linear."""
    shown = [stop for stop in stops if stop.kind != "linear"]
    counts = [None if stop.shape is None else math.prod(stop.shape[1:]) for stop in shown]
    if config.flatten == "method" and shown[-1].shape is not None:
        counts[-1] = shown[-1].shape[0]
    texts = ["" if stop.shape is None else _product(stop.shape) for stop in shown]
    expected = EXPECTED.format(count=config.in_features)
    return arrivals([TITLES[stop.kind] for stop in shown], counts, texts, config.in_features, expected)


LAB = Lab(
    name="training_loop_shapes",
    title="Shape walk",
    sentence="From the image to the first Linear after a convolution: edit the layers until every shape fits.",
    config=ShapeWalkConfig,
    draw=draw_walk,
    charts=(
        Chart("walk", "x after each layer", "The layers in order, with the shape of x after each; ✗ marks an error."),
        Chart("arrivals", "What arrives at Linear",
              "A bar for each layer: its numbers per image. The line is what Linear expects."),
    ),
)  # fmt: skip
