"""One point's way through a classifier, with every unit's weights plugged in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.engine.frames import Figure
from playground.lessons.classification.config import INPUTS, ClassificationConfig, inputs_of
from playground.lessons.classification.figures.forward import Column, forward_pass, number
from playground.lessons.classification.look_inside import Memory
from playground.lessons.regression.config import coordinate
from playground.runs.training_run import View
from playground.training import models

START = (2.0, 2.0)  # explained until a place is chosen: the tutorial's first blob has its centre there
PER_ROW = 4  # terms of a sum in a row of the hover text
HINT = "Alt-click on the map, or switch on “Explain” there, to choose a point."
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def place_of(command: Mapping[str, Any]) -> tuple[float, float]:
    """The place that a viewer's command names. Raises DataError with a sentence where it names none."""
    return coordinate(command.get("x")), coordinate(command.get("y"))


def explain(view: View, memory: Memory) -> Figure:
    """The forward pass of the place the student chose: a bar for each unit of each layer, the logits, the softmax."""
    place = memory.place or START
    config: ClassificationConfig = view.config
    x = inputs_of(config, torch.tensor([place]))
    outputs = [output[0] for output in models.layer_outputs(view.model, x)]
    shares = outputs[-1].softmax(dim=0)
    best = int(shares.argmax())
    said = f"({number(place[0])}, {number(place[1])}): class {best}, {100 * shares[best].item():.1f} %"
    return forward_pass(
        columns(view, x[0], outputs, shares, memory), note=said if memory.place else f"{said}. {HINT}", place=place
    )


def columns(view: View, x: Tensor, outputs: list[Tensor], shares: Tensor, memory: Memory) -> list[Column]:
    """The inputs, each hidden layer, the logits and the softmax, for one input x (inputs,)."""
    config, made = view.config, []

    def add(title: str, names: Sequence[str], values: Tensor, said: Sequence[str]) -> None:
        numbers = values.numpy().astype(np.float64)
        finite = numbers[np.isfinite(numbers)]
        below = memory.end(f"{title} below", float(-finite.min(initial=0.0)))
        above = 1.0 if title == "Softmax" else memory.end(f"{title} above", float(finite.max(initial=0.0)))
        made.append(Column(title, names, numbers, said, (-below, above if below or above else 1.0)))

    names = [INPUTS[name].label for name in config.input_names]
    add("Inputs", names, x, [f"{name} = {number(value)}" for name, value in zip(names, x.tolist(), strict=True)])
    activation = models.ACTIVATIONS[config.activation].label
    layers = models.linears(view.model)
    for index, layer in enumerate(layers[:-1]):
        before, after = outputs[2 * index], outputs[2 * index + 1]
        said = [
            f"{text}<br>{activation}({number(inner)}) = {number(outer)}" if config.activation != "identity" else text
            for text, inner, outer in zip(sums(layer, names, before), before.tolist(), after.tolist(), strict=True)
        ]
        names = [f"h{unit + 1}".translate(SUBSCRIPTS) for unit in range(layer.out_features)]
        add(f"Layer {index + 1}", names, after, said)
    classes = [str(label) for label in range(len(shares))]
    logits = outputs[-1].tolist()
    add("Logits", classes, outputs[-1], sums(layers[-1], names, outputs[-1]))
    under = " + ".join(f"exp({number(logit)})" for logit in logits)
    pairs = zip(logits, shares.tolist(), strict=True)
    add(
        "Softmax", classes, shares, [f"exp({number(logit)}) / ({under})<br>= {number(share)}" for logit, share in pairs]
    )
    return made


def sums(layer: torch.nn.Linear, names: Sequence[str], values: Tensor) -> list[str]:
    """Each unit's weighted sum in words: "0.53·x₁ − 1.2·x₂ + 0.1 = 0.43"."""
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), values.tolist(), strict=True)
    return [_sum([*zip(weights, names, strict=True)], bias, value) for weights, bias, value in rows]


def _sum(terms: list[tuple[float, str]], bias: float, value: float) -> str:
    text = ""
    for place, (weight, name) in enumerate([*terms, (bias, "")]):
        sign = " − " if weight < 0 else " + "
        gap = "<br>" if place and place % PER_ROW == 0 and name else ""
        text += f"{gap}{sign if place else sign.strip(' +')}{number(abs(weight))}{'·' + name if name else ''}"
    return f"{text} = {number(value)}"
