"""The lab Three ways: a trained model, the same restored whole, and restored from its state_dict (tutorial 2.3)."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from playground.data import datasets
from playground.data.datasets import Split
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.checkpoints.figures import predictions
from playground.lessons.numbers import number
from playground.training import models
from playground.training.trainer import Batches, Trainer, build_optimizer

POINTS, NOISE, RATE = 100, 0.2, 0.5  # the tutorial's
SPANS = ([-1.1, 1.1], [-0.3, 1.5])
# torch.load's list of safe classes belongs to the whole process, so one visitor at a time changes it.
LOAD_LOCK = threading.Lock()
LAYERS = (nn.Sequential, nn.Linear, nn.ReLU)
ORIGINS = {
    "trained": "trained here",
    "whole": "restored whole",
    "state_dict": "from its state_dict",
    "untrained": "untrained, random weights",
}
NET_COLUMNS = ("Model", "Where it came from", "Largest difference from net1", "Equal bit for bit")
FILE_COLUMNS = ("Entry of the file", "Bytes in net.pkl", "Bytes in net_params.pkl")
WHOLE_FILE = "The whole file"
LINES = ("net1", "net2", "net3")
LINE = "torch.equal(net1(x), net3(x))"
YES_NO = {True: "yes", False: "no"}


@dataclass(frozen=True)
class WaysConfig(Config):
    """The model that is trained and saved, and whether net3 loads its parameters."""

    # fmt: off
    steps: int = knob(100, "Training steps", group="net1", live=True, bar=True, lo=0, hi=200, step=10)
    hidden: int = knob(10, "Hidden units", group="net1", live=True, bar=True, lo=1, hi=64)
    seed: int = knob(1, "Seed", group="net1", live=True, lo=0, hi=9999, more=True)
    load: bool = knob(True, "Call load_state_dict", help="Without it, net3 keeps its initial, random weights.",
                      group="net3", live=True, bar=True)
    # fmt: on


def draw_points(seed: int) -> Split:
    """The tutorial's points: a noisy parabola."""
    return datasets.curve("square", POINTS, NOISE, 0.0, torch.Generator().manual_seed(seed))


def new_net(hidden: int, seed: int) -> nn.Sequential:
    """An untrained model: Linear(1, hidden), ReLU, Linear(hidden, 1)."""
    return models.mlp(1, [hidden], 1, generator=torch.Generator().manual_seed(seed))


@lru_cache(maxsize=64)
def _train(hidden: int, steps: int, seed: int) -> nn.Sequential:
    data, net = draw_points(seed), new_net(hidden, seed)
    batches = Batches(data.x_train, data.y_train, 0, torch.Generator())
    trainer = Trainer(net, nn.MSELoss(), build_optimizer("sgd", net.parameters(), lr=RATE), batches)
    for _ in range(steps):
        trainer.step()
    return net


def trained_net(hidden: int, steps: int, seed: int) -> nn.Sequential:
    """A copy of the tutorial's model after some steps of training."""
    return deepcopy(_train(hidden, steps, seed))


def save_both(net1: nn.Module) -> tuple[bytes, bytes]:
    """The bytes of net.pkl, the whole model, and of net_params.pkl, its state_dict."""
    whole, params = io.BytesIO(), io.BytesIO()
    torch.save(net1, whole)
    torch.save(net1.state_dict(), params)
    return whole.getvalue(), params.getvalue()


def restore_net(whole: bytes) -> nn.Module:
    """The whole model from its file; torch.load builds it only because these three classes are on its list."""
    with LOAD_LOCK, torch.serialization.safe_globals(list(LAYERS)):
        net2: nn.Module = torch.load(io.BytesIO(whole), weights_only=True)
    return net2


def restore_params(params: bytes, net3: nn.Module) -> nn.Module:
    """The model net3, built by code, after loading the parameters from the file."""
    net3.load_state_dict(torch.load(io.BytesIO(params), weights_only=True))
    return net3


def refusal(file: bytes) -> str:
    """The message of torch.load with its default weights_only=True; an empty text if the file loads."""
    try:
        with LOAD_LOCK:
            torch.load(io.BytesIO(file), weights_only=True)
    except Exception as error:  # of any type: the lesson is about the message
        return str(error).replace("\x1b[1m", "").replace("\x1b[0m", "")
    return ""


def draw_ways(config: WaysConfig) -> Sheet:
    """The sheet: three fits, how their predictions differ, and the entries of both files."""
    net1 = trained_net(config.hidden, config.steps, config.seed)
    whole, params = save_both(net1)
    net2, net3 = restore_net(whole), new_net(config.hidden, config.seed + 1)
    if config.load:
        restore_params(params, net3)
    data, grid = draw_points(config.seed), torch.linspace(-1, 1, 201).unsqueeze(dim=1)  # (201, 1)
    with torch.no_grad():
        y1, y2, y3 = net1(grid), net2(grid), net3(grid)
    third = ORIGINS["state_dict" if config.load else "untrained"]
    rows = (
        ("net1", ORIGINS["trained"], "", ""),
        ("net2", ORIGINS["whole"], *compared(y1, y2)),
        ("net3", third, *compared(y1, y3)),
    )
    tables = (
        Table(NET_COLUMNS, rows),
        Table(FILE_COLUMNS, sizes(whole, params)),
    )
    lines = [(name, grid[:, 0].numpy(), y[:, 0].numpy()) for name, y in zip(LINES, (y1, y2, y3), strict=True)]
    points = data.x_train[:, 0].numpy(), data.y_train[:, 0].numpy()
    chart = predictions.overlaid(points, lines, SPANS)
    return Sheet({"nets": chart}, tables=tables, line=LINE, answer=str(y1.equal(y3)))


def compared(y1: Tensor, other: Tensor) -> tuple[str, str]:
    """The largest difference of two models' predictions, and “yes” or “no”: whether every bit is the same."""
    same = y1.numpy().tobytes() == other.numpy().tobytes()
    return number(float((y1 - other).abs().max()), 4), YES_NO[same]


def sizes(whole: bytes, params: bytes) -> tuple[tuple[str, ...], ...]:
    """The bytes of each entry in both files, and of the whole files."""
    found: list[dict[str, int]] = []
    for file in (whole, params):
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            found.append({entry.filename.partition("/")[2]: entry.file_size for entry in archive.infolist()})
    rows = [(name, *(f"{each.get(name, 0):,}" for each in found)) for name in found[0] if not name.startswith(".")]
    return (*rows, (WHOLE_FILE, f"{len(whole):,}", f"{len(params):,}"))


CODE: tuple[Callable[..., Any], ...] = (save_both, restore_net, restore_params)
LAB = Lab(
    name="checkpoints_ways",
    title="Three ways",
    sentence="net1 is trained and saved twice: whole, and as its state_dict. net2 and net3 are restored from the two "
    "files. Do they predict the same?",
    config=WaysConfig,
    draw=draw_ways,
    charts=(
        Chart("nets", "Three models", "The points, and the curves of the model that was trained, the one restored "
              "whole and the one that got the state_dict, over each other."),
    ),
)  # fmt: skip
