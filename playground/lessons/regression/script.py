"""The script of a regression run: its points, its model and its loss as plain PyTorch."""

from __future__ import annotations

import re
from typing import Any

from playground.data.datasets import TARGETS, Split
from playground.lessons.regression.config import DATA, ORDER, WEIGHTS, Edits, draw_data
from playground.runs.journal import Change
from playground.scripts.code import written
from playground.scripts.script import TrainingScript
from playground.training.trainer import LOSSES


class RegressionScript(TrainingScript):
    """The script of a regression."""

    title = "Regression"
    order_seed, weights_seed = ORDER, WEIGHTS

    def points(self, change: Change) -> Split:
        """The points after a change."""
        return draw_data(change.config, change.edits)

    def data_key(self, change: Change) -> Any:
        """The settings and edits that the points depend on."""
        config = change.config
        return config.target, config.points, config.noise, config.test_share, change.edits

    def data(self, change: Change) -> list[str]:
        """Lines that generate the points as the page does, or list them if the student changed them."""
        config, data = change.config, self.points(change)
        sides = [
            ("train", data.x_train, data.y_train),
            *([("test", data.x_test, data.y_test)] * bool(len(data.x_test))),
        ]
        if change.edits != Edits():
            return [
                f"{axis}_{side} = {written(values)}" for side, x, y in sides for axis, values in (("x", x), ("y", y))
            ]
        formula = re.sub(r"\bx\b", "x_{side}", TARGETS[config.target].code)
        noise = f"{config.noise!r} * torch.rand(x_{{side}}.size(), generator=generator)"
        xs = {"train": f"torch.linspace(-1, 1, {config.points}).unsqueeze(dim=1)  # ({config.points}, 1)",
              "test": f"2 * torch.rand({len(data.x_test)}, 1, generator=generator) - 1"}  # fmt: skip
        lines = [f"generator = torch.Generator().manual_seed({config.seed + DATA})"]
        for side, _, _ in sides:
            lines += [f"x_{side} = {xs[side]}", f"y_{side} = {formula} + {noise}".replace("{side}", side)]
        return lines

    def model(self, config: Any) -> list[str]:
        """Lines that build the model: 1 input, the hidden layers, 1 output."""
        return self.layers(1, config.widths, 1, config)

    def loss_fn(self, config: Any) -> str:
        """The expression for the loss function, one of torch's own."""
        return LOSSES[config.loss][2]
