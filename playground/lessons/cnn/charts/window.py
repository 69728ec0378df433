"""The chart of a kernel that moves over the image: its window, the products there, and the number that they make."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.nn import functional

from playground.engine.frames import Figure
from playground.figures.parts import line, note, outlines
from playground.lesson import Slider, Toggle
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn import words
from playground.lessons.cnn.charts.anatomy import chosen, into
from playground.lessons.cnn.figures.panels import GAP, TITLE_HEIGHT, Panel, panels
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.numbers import number

CHART = "window"
SLIDERS = (Slider("row", "Row", 0, 27, 1, 14), Slider("column", "Column", 0, 27, 1, 14))
MOVES = Toggle("moves", "Let it move")
SENTENCE_HEIGHT = 26  # pixels under the panels
COLUMNS = 2  # of the panels


def window(frame: FrameContext) -> Figure:
    """An input of the selected map with the kernel's window, the kernel, their products, and the map with its number.

    Of several inputs it is the one whose kernel is the strongest.
    """
    layer, channel = chosen(frame)
    conv = cnn.convolutions(frame.view.model)[layer]
    source = into(frame.predictions, layer)  # (1, channels, side, side)
    kernels = conv.weight.detach()[channel].cpu()  # (channels, kernel, kernel)
    assert conv.bias is not None
    result = functional.conv2d(source, kernels[None], padding=conv.padding)[0, 0] + conv.bias.detach()[channel].cpu()
    one = int(kernels.abs().sum(dim=(1, 2)).argmax())
    side, size = source.shape[-1], kernels.shape[-1]
    row, column = place(frame, side)
    padded = functional.pad(source[0, one], (size // 2,) * 4)
    products = padded[row : row + size, column : column + size] * kernels[one]
    total, mine = number(result[row, column].item()), number(products.sum().item())
    title = words.IMAGE if len(kernels) == 1 else words.INPUT_OF.format(map=one + 1, count=len(kernels))
    sums = words.NUMBER_OF_ONE if len(kernels) == 1 else words.NUMBER_OF_SEVERAL
    values = {"sum": mine, "bias": number(conv.bias[channel].item()), "total": total}
    row_of_panels = [
        Panel(title, source[0, one].numpy(), words.WINDOW_HOVER),
        Panel(words.KERNEL, kernels[one].numpy(), words.KERNEL, is_ink=False),
        Panel(words.PRODUCTS, products.numpy(), words.PRODUCTS_HOVER, is_ink=False),
        Panel(words.MAP, result.numpy(), words.MAP, is_ink=False),
    ]
    figure = panels(row_of_panels, columns=COLUMNS, meta={"sliders": {"row": row, "column": column}})
    boxes = [(0, row - size // 2, column - size // 2, size, side), (3, row, column, 1, side)]
    figure["data"] = [*figure["data"], _frames(boxes)]
    groups: Any = figure["maps"]
    for each in groups:
        each["over"] = False  # the frames are over them
    figure["layout"]["margin"]["b"] = SENTENCE_HEIGHT
    sentence = note(sums.format(**values), 0.5, 0.0, "@text") | {"yanchor": "top", "yshift": -5}
    figure["layout"]["annotations"].append(sentence)
    return figure


def place(frame: FrameContext, side: int) -> tuple[int, int]:
    """The row and the column of the window in a map of this side; the sliders are made for the largest."""
    return frame.selection.row * side // cnn.SIDE, frame.selection.column * side // cnn.SIDE


def _frames(boxes: list[tuple[int, int, int, int, int]]) -> dict[str, Any]:
    """Outlines over panels, each given as (panel, row, column, cells, cells of the panel), cut at the panel's edge."""
    found: list[NDArray[Any]] = []
    for panel, row, column, cells, side in boxes:
        left, top = panel % COLUMNS * (1 + GAP), -(panel // COLUMNS) * (1 + TITLE_HEIGHT)
        low_x, high_x, low_y, high_y = (
            min(max(each / side, 0.0), 1.0) for each in (column, column + cells, row, row + cells)
        )
        found.append(np.array([left + low_x, top - high_y, high_x - low_x, high_y - low_y]))
    at = np.stack(found)
    x, y = outlines(at[:, 0], at[:, 1], at[:, 2], at[:, 3])
    return line("Window", x, y, {"color": "@mark", "width": 2.5}) | {"showlegend": False}
