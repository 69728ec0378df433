"""Taking a training's state, and going on from one as if it had never stopped: what checkpoints are made of."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from playground.runs import state_checks as check
from playground.runs.history import History, Snapshot, Snapshots
from playground.runs.state_checks import StateError
from playground.runs.weight_names import Assignment, assign
from playground.training.trainer import Trainer

MAX_SNAPSHOT_BYTES = 1_000_000  # in a state; where there are more, every second snapshot is left out
DIVERGED = "This run has diverged: there is nothing to go on from. Press Reset, then train anew."
PARTS = ("weights", "optimizer", "batches", "progress", "history", "snapshots", "own")
# What each optimizer remembers of a parameter: its names in torch's own state_dict. "step" is a scalar, the others
# have the parameter's shape. A parameter has all of them, or none before its first update.
OPTIMIZER_STATE_NAMES: dict[type[torch.optim.Optimizer], tuple[str, ...]] = {
    torch.optim.SGD: ("momentum_buffer",),
    torch.optim.Adagrad: ("step", "sum"),
    torch.optim.RMSprop: ("step", "square_avg"),
    torch.optim.Adadelta: ("step", "square_avg", "acc_delta"),
    torch.optim.Adam: ("step", "exp_avg", "exp_avg_sq"),
    torch.optim.AdamW: ("step", "exp_avg", "exp_avg_sq"),
}


class Resuming(ABC):
    """A training whose state can be taken, and given to a fresh run of the same config.

    A state is made of dicts with text keys, lists, texts, numbers, None and tensors. What follows from the config is
    not in it: the data, the loss function, the learning rate. A lesson adds what it keeps besides (`own_state`).
    """

    config: Any
    model: nn.Sequential
    trainer: Trainer
    history: History
    snapshots: Snapshots
    steps: int
    stop_at: float
    stop_below: float
    marks: list[tuple[int, str]]
    outcome: Any

    # What a lesson may say.

    def own_state(self) -> dict[str, Any]:
        """What the lesson keeps besides: the student's edits, more random generators, ..."""
        return {}

    def load_own_state(self, state: Any) -> None:
        """Take up what `own_state` gave, first of all: it may change data and model. Raises StateError."""
        check.entries(state, (), "own")

    def optimizer_state(self) -> Any:
        """What the optimizer remembers; where there are several, the lesson says how they are kept apart."""
        return optimizer_state(self.trainer.optimizer)

    def load_optimizer_state(self, state: Any) -> None:
        """Take up what `optimizer_state` gave. Raises StateError."""
        load_optimizer_state(self.trainer.optimizer, state)

    def config_state(self, config: Any) -> dict[str, Any]:
        """A config that a snapshot was taken with, as texts."""
        return check.texts_of(config)

    def config_of(self, state: Any) -> Any:
        """The config that `config_state` gave. Raises StateError."""
        return check.config(type(self.config), state)

    def script_names(self) -> list[str]:
        """The names of the weights in the exported script's model, in the order of this run's model."""
        return list(self.model.state_dict())

    @abstractmethod
    def snapshot_model(self, config: Any) -> nn.Sequential:
        """A model of a config's shape and activation."""

    @abstractmethod
    def mark(self, text: str) -> None:
        """Remember what was changed at this step."""

    # What a checkpoint asks.

    def state_dict(self) -> dict[str, Any]:
        """Everything that this run needs to go on, copied. Raises StateError for a run that has diverged."""
        state = {
            "weights": {name: value.clone() for name, value in self.model.state_dict().items()},
            "optimizer": self.optimizer_state(),
            "batches": self.trainer.batches.state_dict(),
            "progress": {
                "steps": self.steps,
                "stop_at": check.finite_or_none(self.stop_at),
                "stop_below": check.finite_or_none(self.stop_below),
                "outcome": self.outcome,
                "marks": [list(mark) for mark in self.marks],
            },
            "history": {
                "stride": self.history.stride,
                "steps": torch.from_numpy(self.history.state_dict()["steps"]),
                "table": torch.from_numpy(self.history.state_dict()["table"]),
            },
            "snapshots": self._snapshots_state(),
            "own": self.own_state(),
        }
        if self.outcome == "failed" or not all_finite([state["weights"], state["optimizer"]]):
            raise StateError(DIVERGED)
        return state

    def load_state_dict(self, state: Any) -> None:
        """Take up where `state_dict` was taken, in a fresh run of the same config.

        Raises StateError where something does not fit; this run is then of no more use.
        """
        check.entries(state, PARTS, "state")
        self.load_own_state(state["own"])
        self._load_progress(state["progress"])
        with torch.no_grad():
            for name, value in self._fitting(state["weights"]).items():
                self.model.state_dict()[name].copy_(value)
        self.load_optimizer_state(state["optimizer"])
        self._load_batches(state["batches"])
        self._load_history(state["history"])
        self._load_snapshots(state["snapshots"])

    def script_weights(self) -> dict[str, Tensor]:
        """A copy of the weights that the exported script's model can load. Raises StateError for a diverged run."""
        values = [value.to("cpu", copy=True) for value in self.model.state_dict().values()]
        if self.outcome == "failed" or not all_finite(values):
            raise StateError(DIVERGED)
        return dict(zip(self.script_names(), values, strict=True))

    def assigned(self, weights: Mapping[str, Tensor]) -> Assignment:
        """The tensors of a weights file under this model's names. Raises StateError where they do not fit."""
        return assign(weights, self.model.state_dict(), self.script_names())

    def use_weights(self, weights: Any) -> None:
        """Put these weights into the running model; optimizer, batches and history go on as they are."""
        if self.outcome == "failed":
            raise StateError("This run has diverged. Press Reset, then load the weights.")
        with torch.no_grad():
            for name, value in self.assigned(weights).weights.items():
                self.model.state_dict()[name].copy_(value)
        self.mark("Weights loaded")

    # The parts.

    def _fitting(self, weights: Any) -> Mapping[str, Tensor]:
        """The weights, where they are this model's by name, shape and dtype."""
        own = self.model.state_dict()
        found = check.entries(weights, own, "weights")
        return {name: check.like(found[name], f"weights/{name}", value) for name, value in own.items()}

    def _load_progress(self, state: Any) -> None:
        found = check.entries(state, ("steps", "stop_at", "stop_below", "outcome", "marks"), "progress")
        self.steps = check.whole(found["steps"], "steps")
        stop_at, stop_below = found["stop_at"], found["stop_below"]
        self.stop_at = math.inf if stop_at is None else check.number(stop_at, "stop_at")
        self.stop_below = -math.inf if stop_below is None else check.number(stop_below, "stop_below")
        if found["outcome"] not in ("", "done"):
            raise StateError("The run in this file had failed: there is nothing to go on from.")
        self.outcome = found["outcome"]
        self.marks = []
        for each in check.items(found["marks"], 100, "marks"):
            step, words = [*check.items(each, 2, "marks"), None, None][:2]
            self.marks.append((check.whole(step, "marks", most=self.steps), check.text(words, "marks")))

    def _load_batches(self, state: Any) -> None:
        batches = self.trainer.batches
        found = check.entries(state, batches.state_dict(), "batches")
        check.whole(found["batch_size"], "batch_size", batches.batch_size, batches.batch_size)  # the config's
        check.whole(found["epochs"], "epochs")
        check.permutation(found["order"], "batches/order", len(batches.x))
        check.whole(found["position"], "position", most=len(found["order"]))
        check.generator(found["generator"], "batches/generator")
        batches.load_state_dict(dict(found))

    def _load_history(self, state: Any) -> None:
        found = check.entries(state, ("stride", "steps", "table"), "history")
        width = self.history.state_dict()["table"].shape[1]
        steps = check.tensor(found["steps"], "history/steps", [None], torch.int64)
        table = check.tensor(found["table"], "history/table", [len(steps), width], torch.float32, holes=True)
        stride = check.whole(found["stride"], "stride", 1)
        rising = bool((steps[1:] > steps[:-1]).all()) and bool((steps % stride == 0).all())
        if not 1 <= len(steps) <= self.history.capacity or not rising or not 0 <= steps[0] <= steps[-1] <= self.steps:
            raise StateError("The history in this file does not run from the first step to the present one.")
        self.history.load_state_dict({"stride": stride, "steps": steps.numpy(), "table": table.numpy()})

    def _snapshots_state(self) -> dict[str, Any]:
        stride, kept = self.snapshots.stride, self.snapshots.kept
        while len(kept) > 1 and sum(each.parameters.nbytes for each in kept) > MAX_SNAPSHOT_BYTES:
            stride *= 2
            kept = [each for each in kept if each.steps % stride == 0]
        configs: list[Any] = []
        for each in kept:
            if each.config not in configs:
                configs.append(each.config)
        rows = [
            {"steps": each.steps, "epochs": each.epochs, "config": configs.index(each.config),
             "parameters": each.parameters}
            for each in kept
        ]  # fmt: skip
        return {"stride": stride, "configs": [self.config_state(each) for each in configs], "kept": rows}

    def _load_snapshots(self, state: Any) -> None:
        found = check.entries(state, ("stride", "configs", "kept"), "snapshots")
        snapshots = Snapshots(self.snapshots.capacity)
        configs = [self.config_of(each) for each in check.items(found["configs"], 128, "configs")]
        sizes = [sum(each.numel() for each in self.snapshot_model(config).parameters()) for config in configs]
        snapshots.stride = check.whole(found["stride"], "stride", 1)
        last = -1
        for each in check.items(found["kept"], 128, "kept"):
            check.entries(each, ("steps", "epochs", "config", "parameters"), "kept")
            chosen = check.whole(each["config"], "config", most=len(configs) - 1)
            last = check.whole(each["steps"], "steps", last + 1, self.steps)
            vector = check.tensor(each["parameters"], "kept/parameters", [sizes[chosen]], torch.float32)
            snapshots.append(Snapshot(last, check.whole(each["epochs"], "epochs"), vector, configs[chosen]))
        if not snapshots.kept:
            raise StateError("This file holds no moment to look back at.")
        self.snapshots = snapshots


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What an optimizer remembers, by the number of its parameter: {"0": {"exp_avg": tensor, ...}, ...}, copied."""
    return {
        str(index): {name: value.clone() for name, value in each.items() if isinstance(value, Tensor)}
        for index, each in optimizer.state_dict()["state"].items()
    }


def load_optimizer_state(optimizer: torch.optim.Optimizer, state: Any) -> None:
    """Let an optimizer remember what `memories` gave. Raises StateError where it cannot be its own."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    names = OPTIMIZER_STATE_NAMES[type(optimizer)]
    if not isinstance(state, dict) or not set(state) <= {str(index) for index in range(len(parameters))}:
        raise StateError("The optimizer in this file is not that of its model.")
    found: dict[int, dict[str, Tensor]] = {}
    for index, parameter in enumerate(parameters):
        where = f"optimizer/{index}"
        if state.get(str(index), {}) != {}:
            kept = check.entries(state[str(index)], names, where)
            found[index] = {
                name: check.tensor(kept[name], f"{where}/{name}", [] if name == "step" else parameter.shape,
                                   torch.float32)
                for name in names
            }  # fmt: skip
            if "step" in names and not 1 <= float(kept["step"]) <= check.LARGEST_COUNT:
                raise StateError(f"“{where}/step” counts the updates so far; it must be at least 1.")
    optimizer.load_state_dict({"state": found, "param_groups": optimizer.state_dict()["param_groups"]})


def all_finite(value: Any) -> bool:
    """Whether no tensor within holds NaN or infinity."""
    if isinstance(value, Tensor):
        return bool(torch.isfinite(value).all())
    children = value.values() if isinstance(value, dict) else value
    return all(all_finite(child) for child in children)
