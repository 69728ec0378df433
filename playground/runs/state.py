"""The state of a training's parts as checkpoints hold it: taken as copies, and checked before it is loaded.

A state consists of dicts with text keys, lists, texts, numbers, None and tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from playground.runs import messages
from playground.runs import state_checks as check
from playground.runs.history import History, Snapshot, Snapshots
from playground.runs.state_checks import StateError
from playground.training.optimizers import STEP, state_of
from playground.training.trainer import Batches

MAX_SNAPSHOT_BYTES = 1_000_000  # in a state; with more, every second snapshot is left out
MAX_SAVED_SNAPSHOTS = 128


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """A copy of a model's state_dict."""
    return {name: value.clone() for name, value in model.state_dict().items()}


@torch.no_grad()
def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy these values into the model; each keeps its place in memory."""
    own = model.state_dict()
    for name, value in weights.items():
        own[name].copy_(value)


def checked_weights(model: nn.Module, state: Any) -> Mapping[str, Tensor]:
    """The weights in a state, if they are this model's by name, shape and dtype. Raises StateError."""
    own = model.state_dict()
    found = check.entries(state, own, "weights")
    return {name: check.like(found[name], name, value) for name, value in own.items()}


def gradients_of(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the gradients that parameters have, by name."""
    return {name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None}


def load_gradients(model: nn.Module, state: Any) -> None:
    """Give a model's parameters the gradients that `gradients_of` returned. Raises StateError if they do not fit."""
    own = dict(model.named_parameters())
    if not isinstance(state, dict) or not set(state) <= set(own):
        raise StateError(messages.BAD_GRADIENTS)
    for name, each in own.items():
        each.grad = check.like(state[name], f"gradients/{name}", each.detach()).clone() if name in state else None


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What an optimizer keeps, by the index of its parameter: {"0": {"exp_avg": tensor, ...}, ...}, copied."""
    return {
        str(index): {name: value.clone() for name, value in each.items() if isinstance(value, Tensor)}
        for index, each in optimizer.state_dict()["state"].items()
    }


def load_optimizer_state(optimizer: torch.optim.Optimizer, state: Any) -> None:
    """Give an optimizer what `optimizer_state` returned. Raises StateError if it does not fit."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    tensors = state_of(optimizer)
    if not isinstance(state, dict) or not set(state) <= {str(index) for index in range(len(parameters))}:
        raise StateError(messages.BAD_OPTIMIZER)
    found: dict[int, dict[str, Tensor]] = {}
    for index, parameter in enumerate(parameters):
        where = f"optimizer/{index}"
        if state.get(str(index), {}) != {}:
            kept = check.entries(state[str(index)], [each.name for each in tensors], where)
            found[index] = {
                each.name: check.tensor(kept[each.name], f"{where}/{each.name}",
                                        [] if each.is_scalar else parameter.shape, torch.float32)
                for each in tensors
            }  # fmt: skip
            if STEP in tensors and not 1 <= float(kept["step"]) <= check.MAX_COUNT:
                raise StateError(messages.BAD_OPTIMIZER_STEP.format(where=where))
    optimizer.load_state_dict({"state": found, "param_groups": optimizer.state_dict()["param_groups"]})


def load_batches(batches: Batches, state: Any) -> None:
    """Give batches over the same data what their `state_dict` returned. Raises StateError if it does not fit."""
    found = check.entries(state, batches.state_dict(), "batches")
    check.whole(found["batch_size"], "batch_size", batches.batch_size, batches.batch_size)  # the config's
    check.whole(found["epochs"], "epochs")
    check.permutation(found["order"], "batches/order", len(batches.x))
    check.whole(found["position"], "position", most=len(found["order"]))
    check.generator(found["generator"], "batches/generator")
    batches.load_state_dict(dict(found))


def history_state(history: History) -> dict[str, Any]:
    """A history's rows as tensors."""
    kept = history.state_dict()
    return {
        "stride": kept["stride"],
        "steps": torch.from_numpy(kept["steps"]),
        "table": torch.from_numpy(kept["table"]),
    }


def load_history(history: History, state: Any, last_step: int) -> None:
    """Give a history with the same columns what `history_state` returned. Raises StateError if it does not fit."""
    found = check.entries(state, ("stride", "steps", "table"), "history")
    width = history.state_dict()["table"].shape[1]
    steps = check.tensor(found["steps"], "history/steps", [None], torch.int64)
    table = check.tensor(found["table"], "history/table", [len(steps), width], torch.float32, holes=True)
    stride = check.whole(found["stride"], "stride", 1)
    rising = bool((steps[1:] > steps[:-1]).all()) and bool((steps % stride == 0).all())
    if not 1 <= len(steps) <= history.capacity or not rising or not 0 <= steps[0] <= steps[-1] <= last_step:
        raise StateError(messages.BAD_HISTORY)
    history.load_state_dict({"stride": stride, "steps": steps.numpy(), "table": table.numpy()})


def snapshots_state(snapshots: Snapshots, config_state: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """The snapshots, thinned to MAX_SNAPSHOT_BYTES, and the configs they were taken with."""
    stride, kept = snapshots.stride, snapshots.kept
    while len(kept) > 1 and sum(each.parameters.nbytes for each in kept) > MAX_SNAPSHOT_BYTES:
        stride *= 2
        kept = [each for each in kept if each.steps % stride == 0]
    configs: list[Any] = []
    for each in kept:
        if each.config not in configs:
            configs.append(each.config)
    rows = [
        {
            "steps": each.steps,
            "epochs": each.epochs,
            "config": configs.index(each.config),
            "parameters": each.parameters,
        }
        for each in kept
    ]
    return {"stride": stride, "configs": [config_state(each) for each in configs], "kept": rows}


def loaded_snapshots(
    state: Any,
    *,
    capacity: int,
    last_step: int,
    config_of: Callable[[Any], Any],
    count_parameters: Callable[[Any], int],
) -> Snapshots:
    """The snapshots that `snapshots_state` returned. Raises StateError if they do not fit.

    `config_of` reads a config's state; `count_parameters` says how many parameters a config's model has.
    """
    found = check.entries(state, ("stride", "configs", "kept"), "snapshots")
    snapshots = Snapshots(capacity)
    configs = [config_of(each) for each in check.items(found["configs"], MAX_SAVED_SNAPSHOTS, "configs")]
    counts = [count_parameters(config) for config in configs]
    snapshots.stride = check.whole(found["stride"], "stride", 1)
    last = -1
    for each in check.items(found["kept"], MAX_SAVED_SNAPSHOTS, "kept"):
        check.entries(each, ("steps", "epochs", "config", "parameters"), "kept")
        chosen = check.whole(each["config"], "config", most=len(configs) - 1)
        last = check.whole(each["steps"], "steps", last + 1, last_step)
        vector = check.tensor(each["parameters"], "kept/parameters", [counts[chosen]], torch.float32)
        snapshots.append(Snapshot(last, check.whole(each["epochs"], "epochs"), vector, configs[chosen]))
    if not snapshots.kept:
        raise StateError(messages.NO_SNAPSHOT)
    return snapshots


def all_finite(value: Any) -> bool:
    """Whether no tensor in nested dicts and lists holds NaN or infinity."""
    if isinstance(value, Tensor):
        return bool(torch.isfinite(value).all())
    children = value.values() if isinstance(value, dict) else value
    return all(all_finite(child) for child in children)
