"""The script of a regression run: its points, its model and its loss as plain PyTorch."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
        drawn = (config.target, config.points, config.noise, config.test_share, change.edits)
        return *drawn, config.scale, config.normalise

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
        return [*lines, *self.units(config, [side for side, _, _ in sides])]

    @staticmethod
    def units(config: Any, sides: list[str]) -> list[str]:
        """Lines that scale and normalise x."""
        lines = [f"x_{side} = x_{side} * {config.scale}" for side in sides if config.scale != 1]
        if config.normalise:
            lines.append("mean, std = x_train.mean().item(), x_train.std().item()  # of the training points alone")
            lines += [f"x_{side} = (x_{side} - mean) / std" for side in sides]
        return lines

    def model(self, config: Any) -> list[str]:
        """Lines that build the model: 1 input, the hidden layers, 1 output."""
        return self.layers(1, config.widths, 1, config)

    @property
    def clears(self) -> set[bool]:
        """Whether steps begin with zero_grad(): each way that there is in the run."""
        return {each.config.zero_grad for each in self.every}

    def settings(self, config: Any) -> dict[str, str]:
        """Whether a step begins with zero_grad(), if that was changed."""
        return {"zero_grad": repr(config.zero_grad)} if len(self.clears) == 2 else {}

    def step(self) -> list[str]:
        """The lines of a step; zero_grad() only where the run has it."""
        lines, clear = super().step(), "    optimizer.zero_grad()"
        if False not in self.clears:
            return lines
        at = lines.index(clear)
        lines[at : at + 1] = ["    if zero_grad:", f"    {clear}"] if len(self.clears) == 2 else []
        return lines

    def changed(self, before: Change, after: Change) -> list[str]:
        """Also that the sum of gradients begins."""
        lines = super().changed(before, after)
        if before.config.zero_grad and not after.config.zero_grad:
            lines.append("optimizer.zero_grad()  # from here on, gradients add up")
        return lines

    def restoring(self, kept: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Also the gradients that the next step adds to, if there are any."""
        state, lines = super().restoring(kept)
        if found := kept["own"].get("gradients"):
            state["gradients"] = found
            lines += ["for name, parameter in model.named_parameters():",
                      '    parameter.grad = saved["gradients"].get(name)']  # fmt: skip
        return state, lines

    def loss_fn(self, config: Any) -> str:
        """The expression for the loss function, one of torch's own."""
        return LOSSES[config.loss][2]
