"""The forward pass of one point through a classifier, with the calculation of every unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from playground.engine.frames import Figure
from playground.lessons.classification.config import INPUTS, ClassificationConfig, inputs_of
from playground.lessons.classification.drawing_state import DrawingState
from playground.lessons.classification.figures.forward import Column, forward_pass, number
from playground.lessons.classification.words import EXPLAIN
from playground.runs.training_run import View
from playground.training import models

START = (2.0, 2.0)  # explained until a point is chosen: the centre of the tutorial's first blob
TERMS_PER_LINE = 4  # of a sum in the hover text
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def explain(view: View, state: DrawingState) -> Figure:
    """The forward pass of the chosen point: a bar for each unit of each layer, the logits, the softmax."""
    place = state.place or START
    config: ClassificationConfig = view.config
    x = inputs_of(config, torch.tensor([place]))
    outputs = [output[0] for output in models.layer_outputs(view.model, x)]
    probabilities = outputs[-1].softmax(dim=0)
    predicted = int(probabilities.argmax())
    note = EXPLAIN["chosen" if state.place else "default"].format(
        x1=number(place[0]), x2=number(place[1]), predicted=predicted,
        probability=100 * probabilities[predicted].item(),
    )  # fmt: skip
    return forward_pass(columns(view, x[0], outputs, probabilities, state), note=note, place=place)


def columns(view: View, x: Tensor, outputs: list[Tensor], probabilities: Tensor, state: DrawingState) -> list[Column]:
    """The inputs, each hidden layer, the logits and the softmax, for one input x (inputs,)."""
    config, found = view.config, []

    def add(title: str, names: Sequence[str], values: Tensor, texts: Sequence[str]) -> None:
        numbers = values.numpy().astype(np.float64)
        finite = numbers[np.isfinite(numbers)]
        below = state.end(f"{title} below", float(-finite.min(initial=0.0)))
        above = 1.0 if title == "Softmax" else state.end(f"{title} above", float(finite.max(initial=0.0)))
        found.append(Column(title, names, numbers, texts, (-below, above if below or above else 1.0)))

    names = [INPUTS[name].label for name in config.input_names]
    add("Inputs", names, x, [f"{name} = {number(value)}" for name, value in zip(names, x.tolist(), strict=True)])
    activation = models.ACTIVATIONS[config.activation].label
    layers = models.linears(view.model)
    for index, layer in enumerate(layers[:-1]):
        before, after = outputs[2 * index], outputs[2 * index + 1]
        texts = [
            f"{text}<br>{activation}({number(inner)}) = {number(outer)}" if config.activation != "identity" else text
            for text, inner, outer in zip(sums(layer, names, before), before.tolist(), after.tolist(), strict=True)
        ]
        names = [f"h{unit + 1}".translate(SUBSCRIPTS) for unit in range(layer.out_features)]
        add(f"Layer {index + 1}", names, after, texts)
    classes = [str(label) for label in range(len(probabilities))]
    logits = outputs[-1].tolist()
    add("Logits", classes, outputs[-1], sums(layers[-1], names, outputs[-1]))
    under = " + ".join(f"exp({number(logit)})" for logit in logits)
    pairs = zip(logits, probabilities.tolist(), strict=True)
    add("Softmax", classes, probabilities,
        [f"exp({number(logit)}) / ({under})<br>= {number(probability)}" for logit, probability in pairs])  # fmt: skip
    return found


def sums(layer: torch.nn.Linear, names: Sequence[str], values: Tensor) -> list[str]:
    """Each unit's weighted sum as text: "0.53·x₁ − 1.2·x₂ + 0.1 = 0.43"."""
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), values.tolist(), strict=True)
    return [_sum([*zip(weights, names, strict=True)], bias, value) for weights, bias, value in rows]


def _sum(terms: list[tuple[float, str]], bias: float, value: float) -> str:
    text = ""
    for place, (weight, name) in enumerate([*terms, (bias, "")]):
        sign = " − " if weight < 0 else " + "
        gap = "<br>" if place and place % TERMS_PER_LINE == 0 and name else ""
        text += f"{gap}{sign if place else sign.strip(' +')}{number(abs(weight))}{'·' + name if name else ''}"
    return f"{text} = {number(value)}"
