"""The statements of a script for model, optimizer and live changes; a lesson adds those for data and loss."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from playground.runs.journal import Change, RunHistory, WeightSet
from playground.scripts.code import call, plain_source, written
from playground.training import models
from playground.training.optimizers import OPTIMIZERS, torch_settings

# The comments above a change.
WEIGHT_SET = "A weight was set by hand."
SETTING = "{label}: {before} → {after}."
THREADS = "Threads: {before} → {after}."
POINTS = "The points were changed."


class Statements(ABC):
    """The statements that the script of one run consists of."""

    title: str
    learner = "The model, the loss function and the optimizer."  # the comment above their statements
    order_seed: int  # added to the seed for the order of the batches
    weights_seed: int  # added to the seed for the weights
    points_name = "x"  # of the points: the model's inputs, or what they are computed from
    after_activation = ""  # a module that follows each activation

    def __init__(self, run_history: RunHistory) -> None:
        self.run_history = run_history
        self.every = [run_history.start, *run_history.changes]
        self.counts: dict[int, int] = {}
        self.definitions: dict[str, str] = {}
        self.seed = run_history.config.seed
        kinds = {self.is_whole(each) for each in self.every}
        self.shuffles, self.sometimes_whole = False in kinds, len(kinds) == 2

    # What a lesson says.

    @abstractmethod
    def points(self, change: Change) -> Any:
        """The data after a change, as the run has it."""

    @abstractmethod
    def data_key(self, change: Change) -> Any:
        """What decides the data: with equal keys the data is equal."""

    @abstractmethod
    def data(self, change: Change) -> list[str]:
        """Statements that make x_train, y_train, x_test and y_test."""

    def inputs_changed(self, before: Change, after: Change) -> list[str]:
        """Statements that compute other inputs of the model from the same points."""
        del before, after
        return []

    @abstractmethod
    def model(self, config: Any) -> list[str]:
        """Statements that make `model` with its starting weights."""

    @abstractmethod
    def loss_fn(self, config: Any) -> str:
        """The code that makes the loss function."""

    def reshaped(self, before: Any, after: Any) -> list[str] | None:
        """Statements that replace the model by one of another shape; None if its shape stays."""
        del before, after
        return None

    def penalty(self) -> list[str]:
        """Statements of a step that add to `loss`."""
        return []

    def settings(self, config: Any) -> dict[str, str]:
        """More variables that a step reads, by name, as code."""
        del config
        return {}

    def scores(self) -> dict[str, str]:
        """What is printed at the end for train and test points: {name: code with {x} and {y} in it}."""
        return {"loss": "loss_fn(model({x}), {y}).item()"}

    # The optimizer, the model, and their changes.

    def is_whole(self, change: Change) -> bool:
        """Whether each batch is the whole data."""
        size: int = change.config.batch_size
        return size == 0 or size >= self.count(change)

    def count(self, change: Change) -> int:
        """The number of training points after a change."""
        if id(change) not in self.counts:
            self.counts[id(change)] = len(self.points(change).x_train)
        return self.counts[id(change)]

    def optimizer(self, config: Any) -> list[str]:
        """Statements that make the optimizer."""
        given = {"lr": config.lr, "momentum": config.momentum, "weight_decay": config.weight_decay}
        made, late = self.optimizer_call(config.optimizer, given, "model")
        return [f"optimizer = {made}", *(f"optimizer{each}" for each in late)]

    @staticmethod
    def optimizer_call(name: str, given: Mapping[str, float], model: str) -> tuple[str, list[str]]:
        """The code that makes one of OPTIMIZERS for a model, and what is written after its name afterwards.

        `given` has its `lr` and, by name, its settings; settings with torch's default value are left out.
        """
        choice = OPTIMIZERS[name]
        chosen = {"lr": given["lr"]} | torch_settings(name, given) | dict(choice.fixed)
        without_momentum = "nesterov" in chosen and not chosen["momentum"]  # torch refuses it at construction only
        usual = inspect.signature(choice.type).parameters
        if without_momentum:
            del chosen["nesterov"]
        shown = [f"{key}={value!r}" for key, value in chosen.items()
                 if key == "lr" or value != usual[key].default]  # fmt: skip
        made = f"torch.optim.{choice.type.__name__}({model}.parameters(), {', '.join(shown)})"
        return made, ['.param_groups[0]["nesterov"] = True'] if without_momentum else []

    def what(self, before: Change, after: Change) -> str:
        """What was changed, in sentences."""
        if after.weight is not None:
            return WEIGHT_SET
        sentences = []
        for name, (old, new) in after.config.changed_from(before.config).items():
            spec = after.config.knobs()[name]
            sentences.append(SETTING.format(label=spec.label, before=spec.name_of(old), after=spec.name_of(new)))
        if before.threads != after.threads:
            sentences.append(THREADS.format(before=before.threads, after=after.threads))
        if before.edits != after.edits:
            sentences.append(POINTS)
        return " ".join(sentences)

    def changed(self, before: Change, after: Change) -> list[str]:
        """Statements that lead from one change's settings to the next one's; none if no step is affected."""
        if after.weight is not None:
            return self.weight(after.weight)
        old, new = before.config, after.config
        other = self.reshaped(old, new)
        lines = self.activated(old, new) if other is None else other
        if self.loss_fn(old) != self.loss_fn(new):
            lines.append(f"loss_fn = {self.loss_fn(new)}")
        if other is not None or old.optimizer != new.optimizer:
            lines += self.optimizer(new)
        else:
            names = ["lr", "weight_decay", *(["momentum"] if OPTIMIZERS[new.optimizer].momentum else [])]
            lines += [f'optimizer.param_groups[0]["{name}"] = {getattr(new, name)!r}'
                      for name in names if getattr(old, name) != getattr(new, name)]  # fmt: skip
        variables = self.settings(old)
        lines += [f"{name} = {code}" for name, code in self.settings(new).items() if variables[name] != code]
        return lines + self.other_batches(before, after)

    def activated(self, old: Any, new: Any) -> list[str]:
        """Statements that replace the activation between the layers."""
        if old.activation == new.activation:
            return []
        return [f"model[{2 * layer + 1}] = {self.between(new)}" for layer in range(len(new.widths))]

    def between(self, config: Any) -> str:
        """The code of what is between two linear layers."""
        module = models.ACTIVATIONS[config.activation].code
        return f"nn.Sequential({module}, {self.after_activation})" if self.after_activation else module

    def other_batches(self, before: Change, after: Change) -> list[str]:
        """Statements for another batch size and other data."""
        lines = []
        length, longer = (self.count(each) for each in (before, after))
        size, larger = before.config.batch_size, after.config.batch_size
        new_epoch = length != longer
        if self.shuffles and size != larger:
            lines.append(f"batch_size = {larger}")
            new_epoch = new_epoch or any(each == 0 or each >= length for each in (size, larger))
        if self.data_key(before) != self.data_key(after):
            lines += self.few_points(before, after) or self.data(after)
        else:
            lines += self.inputs_changed(before, after)
        if self.shuffles and new_epoch:
            lines.append("order = order[:0]  # a new epoch begins")
        return lines

    def few_points(self, before: Change, after: Change) -> list[str]:
        """Statements that add one point to the training data or remove one; none if that is not the change."""
        old, new = self.points(before), self.points(after)
        if before.config != after.config or not (new.x_test.equal(old.x_test) and new.y_test.equal(old.y_test)):
            return []
        many, few, more = (new, old, True) if len(new.x_train) > len(old.x_train) else (old, new, False)
        count = len(few.x_train)
        if len(many.x_train) != count + 1:
            return []
        moved = (many.x_train[:count] != few.x_train).any(dim=1)
        at = int(moved.byte().argmax()) if moved.any() else count  # the first place where they differ
        lines = []
        for name, longer, shorter in (
            (f"{self.points_name}_train", many.x_train, few.x_train),
            ("y_train", many.y_train, few.y_train),
        ):
            if not torch.cat([longer[:at], longer[at + 1 :]]).equal(shorter):
                return []
            end = f", {name}[{at}:]" if at < count else ""
            put_in = f"torch.cat([{name}[:{at}], {written(longer[at : at + 1])}{end}])"
            lines.append(f"{name} = {put_in if more else f'{name}[torch.arange({count + 1}) != {at}]'}")
        return [*lines, *self.model_inputs(after)]

    def model_inputs(self, change: Change) -> list[str]:
        """Statements that compute the model's inputs from the training points, if the two differ."""
        del change
        return []

    def weight(self, weight: WeightSet) -> list[str]:
        """Statements that set one weight or bias."""
        where = f"weight[{weight.unit}, {weight.source}]" if weight.source is not None else f"bias[{weight.unit}]"
        return ["with torch.no_grad():", f"    model[{2 * weight.layer}].{where} = {weight.value!r}"]

    # The model, for lessons whose model is an mlp.

    def layers(self, inputs: int, widths: Sequence[int], outputs: int, config: Any) -> list[str]:
        """Statements that build an mlp and give it its starting weights."""
        ends = [inputs, *widths, outputs]
        modules: list[str] = []
        for index in range(len(ends) - 1):
            modules += [*([self.between(config)] if index else []), f"nn.Linear({ends[index]}, {ends[index + 1]})"]
        model = call("model = nn.Sequential", modules)
        start = models.INITIALISATIONS[config.initialisation]
        seed = self.seed + self.weights_seed
        if start.uniform_bias:  # what nn.Linear does by itself, with torch's own generator
            return [f"torch.manual_seed({seed})", model]
        return [model, f"generator = torch.Generator().manual_seed({seed})", "for layer in model:",
                "    if isinstance(layer, nn.Linear):", f"        {start.code}",
                "        nn.init.uniform_(layer.bias, 0.0, 0.0, generator=generator)  # zero"]  # fmt: skip

    def define(self, thing: Any) -> str:
        """The name in the script of one of our functions or classes, whose source is added to it."""
        name: str = thing.__name__.lstrip("_")
        self.definitions.setdefault(name, plain_source(thing))
        return name
