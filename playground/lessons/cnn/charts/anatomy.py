"""Charts of one image's anatomy: everything that a digit model computes for it, from pixels to probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from playground.engine.commands import CommandError
from playground.engine.frames import Figure
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn import words
from playground.lessons.cnn.figures import digits, pixel_maps
from playground.lessons.cnn.figures import reading as figures
from playground.lessons.cnn.figures.panels import Panel, panels
from playground.lessons.cnn.figures.pixel_maps import Extra, Row
from playground.lessons.cnn.figures.reading import MAX_MAPS, LayerMaps
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.model import Stage
from playground.lessons.cnn.predictions import Predictions
from playground.training.models import ACTIVATIONS

TABLE_HEIGHT = 66.0  # units of the table of maps
DETAIL_HEIGHT = 96.0
STRIP_ROWS, STRIP_HEIGHT = 4, 2.0
ROOM = TABLE_HEIGHT - STRIP_HEIGHT - 1  # of the table without the flat vector
DETAIL_IN_LINE = 8  # maps side by side in a narrow chart
EARLIER_STEPS = (0, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


def answer(frame: FrameContext) -> Figure:
    """The selected image, the logit of each digit, and the probabilities."""
    predictions = frame.predictions
    number = frame.selection.image_number(frame.config, frame.digits)
    title = words.OWN_IMAGE
    if predictions.label is not None:
        title = words.TEST_IMAGE.format(number=number, a_digit=words.A_DIGIT[predictions.label])
    end = frame.selection.axis_end("logits", float(np.abs(np.nan_to_num(predictions.logits)).max()))
    picture = pixel_maps.image(predictions.image[0, 0].numpy(), title)
    return digits.answer(
        picture,
        predictions.logits,
        predictions.probabilities,
        end=end,
        label=predictions.label,
        predicted=predictions.predicted,
    )


def reading(frame: FrameContext) -> Figure:
    """The image, the first maps of each layer after the activation, and the probability of each digit."""
    found, selection = frame.predictions, frame.selection
    layers = []
    for stage in found.stages:
        if stage.kind == "activation":
            values = stage.output[0, : MAX_MAPS[stage.layer]].numpy()
            name = ACTIVATIONS[frame.config.activation].label
            hovers = _hovers(words.MAP_TO_CLICK, stage.layer + 1, values, name=name)
            title = words.MAPS_OF_LAYER.format(layer=stage.layer + 1)
            layers.append(LayerMaps(title, values, stage.output.shape[1], hovers))
    number = selection.image_number(frame.config, frame.digits)
    own = found.label is None
    title = words.OWN_IMAGE if own else words.IMAGE_NUMBER.format(number=number)
    in_words = words.READING_OWN if own else words.READING_RIGHT if found.predicted == found.label else (
        words.READING_WRONG
    )  # fmt: skip
    return figures.reading(
        found.image[0, 0].numpy(), title, layers, found.probabilities, number=number, predicted=found.predicted,
        label=found.label,
        chosen=chosen(frame),
        in_words=in_words.format(
            title=title, predicted=found.predicted, percent=100 * float(found.probabilities[found.predicted]),
            digit=found.label,
        ),
    )  # fmt: skip


def pick_map(frame: FrameContext, x: float, y: float) -> None:
    """Select the map at a place of the reading."""
    found = figures.find([min(count, most) for count, most in zip(frame.config.filters, MAX_MAPS, strict=False)], x, y)
    if found is not None:
        frame.selection.layer, frame.selection.channel = found


def maps(frame: FrameContext) -> Figure:
    """Layer by layer: the first filters and their gradients, then every map of every stage, and the flat vector."""
    selection, rows = frame.selection, _rows(frame)
    first = [at for at, (_, layer) in enumerate(rows) if layer == selection.layer]
    chosen = (first[0], selection.channel) if first else None
    table = [row for row, _ in rows]
    figure = pixel_maps.table(table, height=ROOM, chosen=chosen)
    flat = next(stage.output[0].numpy() for stage in frame.predictions.stages if stage.kind == "flat")
    lines = [pixel_maps.lines_of(len(row.maps)) for row in table]
    used = float(np.dot(pixel_maps.row_sizes(table, ROOM), lines))
    figure["layout"]["yaxis"]["range"] = [-used - STRIP_HEIGHT - 1, 0.5]
    band, name = pixel_maps.strip(words.FLAT, flat, rows=STRIP_ROWS, y=used + 0.5, high=STRIP_HEIGHT)
    assert isinstance(figure["maps"], list)
    figure["maps"].append(band)
    figure["layout"]["annotations"].append(name)
    return figure


def _rows(frame: FrameContext) -> list[tuple[Row, int]]:
    """The table's rows, each with its layer."""
    kernels = cnn.convolutions(frame.view.model)[0].weight.detach()[:, 0].cpu().numpy()
    rows = [(Row(words.FILTERS, kernels, _hovers(words.FILTER_HOVER, 1, kernels), height=0.8), 0)]
    gradient = cnn.convolutions(frame.live_model)[0].weight.grad
    if frame.view.is_current:
        slopes = np.zeros_like(kernels) if gradient is None else gradient.detach()[:, 0].cpu().numpy()
        rows.append((Row(words.GRADIENTS, slopes, _hovers(words.GRADIENT_HOVER, 1, slopes), height=0.8), 0))
    for stage in frame.predictions.stages:
        if stage.layer >= 0 and stage.kind not in ("flat", "logits"):
            values, name = stage.output[0].numpy(), _name(stage, frame)
            hovers = _hovers(words.MAP_HOVER, stage.layer + 1, values, name=name)
            label = words.ROW_LABELS.get(stage.kind, "").format(layer=stage.layer + 1)
            rows.append((Row(name, values, hovers, label=label), stage.layer))
    return rows


def _name(stage: Stage, frame: FrameContext) -> str:
    names = {
        "convolution": words.CONVOLUTION.format(layer=stage.layer + 1),
        "batch norm": words.BATCH_NORM,
        "activation": ACTIVATIONS[frame.config.activation].label,
        "pooling": cnn.POOLINGS[frame.config.pooling][0],
    }
    return names[stage.kind]


def _hovers(hover: str, layer: int, values: Any, name: str = "") -> list[str]:
    side = values.shape[-1]
    return [hover.format(name=name, map=at + 1, layer=layer, side=side) for at in range(len(values))]


def pick(frame: FrameContext, x: float, y: float) -> None:
    """Select the map at a place in the table."""
    rows = _rows(frame)
    table = [row for row, _ in rows]
    sizes = pixel_maps.row_sizes(table, ROOM)
    if found := pixel_maps.find([len(row.maps) for row in table], sizes, x, y):
        frame.selection.layer, frame.selection.channel = rows[found[0]][1], found[1]


def choose(frame: FrameContext, layer: float, channel: float) -> None:
    """Select a map by its layer and its number, both counted from 1. Raises ValueError."""
    filters = frame.config.filters
    if not 1 <= layer <= len(filters) or not 1 <= channel <= filters[int(layer) - 1]:
        raise CommandError(words.NO_SUCH_MAP.format(layers=len(filters), maps=", ".join(map(str, filters))))
    frame.selection.layer, frame.selection.channel = int(layer) - 1, int(channel) - 1


def chosen(frame: FrameContext) -> tuple[int, int]:
    """The selected layer and channel; the nearest that exist if the model has become smaller."""
    filters = frame.config.filters
    layer = min(frame.selection.layer, len(filters) - 1)
    return layer, min(frame.selection.channel, filters[layer] - 1)


def convolution(frame: FrameContext) -> Figure:
    """How the selected map is made: each input map is convolved with its own kernel, then all are added up."""
    layer, channel = chosen(frame)
    conv = cnn.convolutions(frame.view.model)[layer]
    source = into(frame.predictions, layer)  # (1, channels, side, side)
    kernels = conv.weight.detach()[channel].cpu()  # (channels, kernel, kernel)
    parts = functional.conv2d(source, kernels[:, None], padding=conv.padding, groups=len(kernels))[0].numpy()
    assert conv.bias is not None
    bias = conv.bias.detach()[channel].item()
    result = parts.sum(axis=0) + bias
    is_single = len(kernels) == 1
    title = (words.CONVOLVED_AND_BIAS if is_single else words.SUM_AND_BIAS).format(bias=f"{bias:.3f}".replace("-", "−"))
    hover = words.RESULT_HOVER.format(map=channel + 1, layer=layer + 1, low=result.min(), high=result.max())
    place = (layer + 1, channel + 1)
    if is_single:
        row = [
            Panel(words.IMAGE, source[0, 0].numpy(), words.IMAGE_HOVER),
            Panel(words.KERNEL, kernels[0].numpy(), _numbers(kernels[0].numpy()), is_ink=False),
            Panel(words.CONVOLVED, parts[0], words.CONVOLVED_HOVER, is_ink=False),
            Panel(title, result, hover, is_ink=False),
        ]
        return panels(row, columns=2, meta={"place": list(place)})
    numbers = range(1, len(kernels) + 1)
    rows = [
        Row(words.INPUTS, source[0].numpy(), [words.INPUT_HOVER.format(map=number) for number in numbers]),
        Row(words.KERNELS, kernels.numpy(), [_numbers(kernel) for kernel in kernels.numpy()], height=0.8),
        Row(words.CONVOLUTIONS, parts, [words.CONVOLUTION_HOVER.format(map=number) for number in numbers]),
    ]
    in_line = DETAIL_IN_LINE if len(kernels) <= 2 * DETAIL_IN_LINE else pixel_maps.MAX_IN_LINE
    extra = Extra(title, result, hover)
    return pixel_maps.table(rows, height=DETAIL_HEIGHT, extra=extra, place=place, in_line=in_line)


def into(predictions: Predictions, layer: int) -> torch.Tensor:
    """The input of a convolution: the image, or the pooled maps of the layer before (1, channels, side, side)."""
    if layer == 0:
        return predictions.image
    return next(stage.output for stage in predictions.stages if stage.kind == "pooling" and stage.layer == layer - 1)


def _numbers(kernel: Any) -> str:
    """A kernel's numbers, row by row."""
    return "<br>".join("  ".join(f"{value:+.2f}" for value in row) for row in kernel)


def times(frame: FrameContext) -> Figure:
    """The selected map of the same image at earlier steps: its filter, the map, and the prediction of that step."""
    layer, channel = chosen(frame)
    kernels, maps, captions = [], [], []
    for steps, model in _models(frame):
        predictions = Predictions(model, frame.predictions.image, frame.predictions.label)
        predicted = predictions.predicted
        kernels.append(cnn.convolutions(model)[layer].weight.detach()[channel].mean(dim=0).cpu().numpy())
        stage = next(each for each in predictions.stages if each.layer == layer and each.kind == "activation")
        maps.append(stage.output[0, channel].numpy())
        percent = 100 * predictions.probabilities[predicted]
        captions.append(words.EARLIER_STEP.format(step=steps, predicted=predicted, percent=percent))
    name = words.FILTER if layer == 0 else words.MEAN_KERNEL
    return pixel_maps.times((name, np.stack(kernels)), (words.MAP, np.stack(maps)), captions)


def _models(frame: FrameContext) -> list[tuple[int, nn.Sequential]]:
    """A few models of the run, from its first step to the latest."""
    kept = frame.snapshots.kept
    nearest = {
        min(range(len(kept)), key=lambda at: abs(kept[at].steps - step))
        for step in EARLIER_STEPS
        if step <= kept[-1].steps
    }
    chosen = sorted(nearest | {len(kept) - 1})
    return [(kept[at].steps, cnn.frozen(frame.model_at(kept[at]))) for at in chosen[-11:]]
