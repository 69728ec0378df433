"""The parameters in a network drawing, so that a student can open a unit and set its weights by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, LayerParameters

Array = NDArray[Any]


def with_parameters(
    figure: Figure,
    weights: Sequence[Array],
    biases: Sequence[Array],
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> Figure:
    """A drawing of `graphs.network` whose markers identify their units, with the parameters of every layer.

    A marker's `customdata` is [layer, unit], or null for an input.
    """
    layers: list[LayerParameters] = []
    incoming = list(inputs)
    marks: list[list[int] | None] = [None] * len(inputs)
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
        last = layer == len(weights) - 1
        names = [f"output {name}" for name in outputs] if last else [f"unit {unit + 1}" for unit in range(len(b))]
        titles = names if last else [f"layer {layer + 1}, {name}" for name in names]
        layers.append(
            {"weights": w.ravel().astype(np.float32), "biases": b.astype(np.float32), "units": titles,
             "sources": incoming}
        )  # fmt: skip
        marks += [[layer, unit] for unit in range(len(b))]
        incoming = names
    *lines, units = figure["data"]
    return figure | {"data": [*lines, units | {"customdata": marks}], "parameters": layers}
