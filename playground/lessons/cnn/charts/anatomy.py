"""The anatomy of one image: everything that a digit model makes of it, from the pixels to the probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from playground.engine.frames import Figure
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.figures import digits, pixel_maps
from playground.lessons.cnn.figures.panels import Panel, panels
from playground.lessons.cnn.figures.pixel_maps import Extra, Row
from playground.lessons.cnn.model import Stage
from playground.lessons.cnn.predictions import Moment, Seen
from playground.training.models import ACTIVATIONS

HEIGHT = 38.0  # units of the table of maps
DETAIL_HEIGHT = 28.0
TIMES_HEIGHT = 20.0
STRIP_ROWS, STRIP_HEIGHT = 4, 2.0
MOMENTS = (0, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)  # steps to look back at


def answer(moment: Moment) -> Figure:
    """The image that is looked at, what the linear layer gives for each digit, and the probabilities of that."""
    seen = moment.seen
    number = moment.look.image_number(moment.config, moment.digits)
    title = "Your own image" if seen.label is None else f"Test image {number:,}: a {seen.label}"
    end = moment.look.end("logits", float(np.abs(np.nan_to_num(seen.logits)).max()))
    picture = pixel_maps.image(seen.image[0, 0].numpy(), title)
    return digits.answer(picture, seen.logits, seen.shares, end=end, label=seen.label, guess=seen.guess)


def maps(moment: Moment) -> Figure:
    """Layer by layer: the first filters and their gradients, then every map of every stage, and the flat vector."""
    look, rows = moment.look, _rows(moment)
    first = [at for at, (_, layer) in enumerate(rows) if layer == look.layer]
    chosen = (first[0], look.channel) if first else None
    table = [row for row, _ in rows]
    high = HEIGHT - STRIP_HEIGHT - 1
    figure = pixel_maps.table(table, height=HEIGHT, chosen=chosen, room=high)
    flat = next(stage.output[0].numpy() for stage in moment.seen.stages if stage.kind == "flat")
    used = sum(pixel_maps.row_heights(table, high))
    band, name = pixel_maps.strip("Flat", flat, rows=STRIP_ROWS, y=used + 0.5, high=STRIP_HEIGHT)
    figure["maps"].append(band)
    figure["layout"]["annotations"].append(name)
    return figure


def _rows(moment: Moment) -> list[tuple[Row, int]]:
    """The table's rows, each with its layer."""
    kernels = cnn.convolutions(moment.view.model)[0].weight.detach()[:, 0].cpu().numpy()
    rows = [(Row("Filters", kernels, _hovers("Filter", 1, kernels), height=0.8), 0)]
    gradient = cnn.convolutions(moment.learning)[0].weight.grad
    if moment.view.is_now:
        slopes = np.zeros_like(kernels) if gradient is None else gradient.detach()[:, 0].cpu().numpy()
        rows.append((Row("Gradients", slopes, _hovers("Gradient of filter", 1, slopes), height=0.8), 0))
    for stage in moment.seen.stages:
        if stage.layer >= 0 and stage.kind not in ("flat", "logits"):
            values, name = stage.output[0].numpy(), _name(stage, moment)
            rows.append((Row(name, values, _hovers(name, stage.layer + 1, values)), stage.layer))
    return rows


def _name(stage: Stage, moment: Moment) -> str:
    names = {
        "convolution": f"Convolution {stage.layer + 1}",
        "batch norm": "Batch norm",
        "activation": ACTIVATIONS[moment.config.activation].label,
        "pooling": cnn.POOLINGS[moment.config.pooling][0],
    }
    return names[stage.kind]


def _hovers(name: str, layer: int, values: Any) -> list[str]:
    side = values.shape[-1]
    return [f"{name}, map {at + 1} of layer {layer}, {side} × {side}" for at in range(len(values))]


def pick(moment: Moment, x: float, y: float) -> None:
    """Choose the map of the table that lies at a place."""
    rows = _rows(moment)
    table = [row for row, _ in rows]
    sizes = pixel_maps.row_heights(table, HEIGHT - STRIP_HEIGHT - 1)
    if found := pixel_maps.find([len(row.maps) for row in table], sizes, x, y):
        moment.look.layer, moment.look.channel = rows[found[0]][1], found[1]


def choose(moment: Moment, layer: Any, channel: Any) -> None:
    """Choose a map by its layer and its number, both from 1. Raises ValueError with a sentence."""
    filters = moment.config.filters
    if not isinstance(layer, (int, float)) or not isinstance(channel, (int, float)):
        raise ValueError("A map is chosen by two numbers: its layer and its place in it, both from 1.")
    if not 1 <= layer <= len(filters) or not 1 <= channel <= filters[int(layer) - 1]:
        raise ValueError(f"There are {len(filters)} layers here, with {', '.join(map(str, filters))} maps.")
    moment.look.layer, moment.look.channel = int(layer) - 1, int(channel) - 1


def chosen(moment: Moment) -> tuple[int, int]:
    """The layer and the channel that are looked at; the last ones there are where the model has become smaller."""
    filters = moment.config.filters
    layer = min(moment.look.layer, len(filters) - 1)
    return layer, min(moment.look.channel, filters[layer] - 1)


def convolution(moment: Moment) -> Figure:
    """How one map is made: each input map slid over by its own kernel, and all of it added up; of the image, large."""
    layer, channel = chosen(moment)
    conv = cnn.convolutions(moment.view.model)[layer]
    source = into(moment.seen, layer)  # (1, channels, side, side)
    kernels = conv.weight.detach()[channel].cpu()  # (channels, kernel, kernel)
    parts = functional.conv2d(source, kernels[:, None], padding=conv.padding, groups=len(kernels))[0].numpy()
    assert conv.bias is not None
    bias = conv.bias.detach()[channel].item()
    result = parts.sum(axis=0) + bias
    word, sign = "Product" if len(kernels) == 1 else "Sum", "−" if bias < 0 else "+"
    name = f"{word} {sign} bias {abs(bias):.3f}"
    hover = f"Map {channel + 1} of layer {layer + 1}, from {result.min():.3g} to {result.max():.3g}"
    place = (layer + 1, channel + 1)
    if len(kernels) == 1:
        row = [
            Panel("Image", source[0, 0].numpy(), "The image"),
            Panel("Kernel", kernels[0].numpy(), _numbers(kernels[0].numpy()), is_ink=False),
            Panel("Product", parts[0], "The image, slid over by the kernel", is_ink=False),
            Panel(name, result, hover, is_ink=False),
        ]
        return panels(row, meta={"place": list(place)})
    inputs = [f"Input map {at + 1}" for at in range(len(kernels))]
    rows = [
        Row("Inputs", source[0].numpy(), inputs),
        Row("Kernels", kernels.numpy(), [_numbers(kernel) for kernel in kernels.numpy()], height=0.8),
        Row("Products", parts, [f"{name}, slid over by its kernel" for name in inputs]),
    ]
    return pixel_maps.table(rows, height=DETAIL_HEIGHT, extra=Extra(name, result, hover), place=place)


def into(seen: Seen, layer: int) -> torch.Tensor:
    """What a convolution is given: the image, or the pooled maps of the layer before (1, channels, side, side)."""
    if layer == 0:
        return seen.image
    return next(stage.output for stage in seen.stages if stage.kind == "pooling" and stage.layer == layer - 1)


def _numbers(kernel: Any) -> str:
    """A kernel's numbers, row by row."""
    return "<br>".join("  ".join(f"{value:+.2f}" for value in row) for row in kernel)


def times(moment: Moment) -> Figure:
    """The chosen map of the same image at earlier steps: its filter, the map, and what the model then said."""
    layer, channel = chosen(moment)
    kernels, maps, said = [], [], []
    for steps, model in _models(moment):
        seen = Seen(model, moment.seen.image, moment.seen.label)
        kernels.append(cnn.convolutions(model)[layer].weight.detach()[channel].mean(dim=0).cpu().numpy())
        stage = next(each for each in seen.stages if each.layer == layer and each.kind == "activation")
        maps.append(stage.output[0, channel].numpy())
        said.append(f"step {steps:,}<br>{seen.guess} ({100 * seen.shares[seen.guess]:.0f} %)")
    name = "Filter" if layer == 0 else "Mean kernel"
    rows = [Row(name, np.stack(kernels), said, height=0.7), Row("Map", np.stack(maps), said)]
    return pixel_maps.table(rows, height=TIMES_HEIGHT, under=said)


def _models(moment: Moment) -> list[tuple[int, nn.Sequential]]:
    """A few of the run's models, from its first step to now, each valid until the next is made."""
    kept = moment.snapshots.kept
    nearest = {
        min(range(len(kept)), key=lambda at: abs(kept[at].steps - step)) for step in MOMENTS if step <= kept[-1].steps
    }
    chosen = sorted(nearest | {len(kept) - 1})
    return [(kept[at].steps, cnn.frozen(moment.model_at(kept[at]))) for at in chosen[-11:]]
