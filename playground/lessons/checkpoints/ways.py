"""The lab Three ways: a trained net, the same restored whole, and the same from its state_dict (tutorial 2.3)."""

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
from playground.figures import curves
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.training import models
from playground.training.trainer import Batches, Trainer, build_optimizer

POINTS, NOISE, RATE = 100, 0.2, 0.5  # the tutorial's
SPANS = ([-1.1, 1.1], [-0.3, 1.5])
# Which classes torch.load may build besides tensors holds for the whole process, so one visitor at a time says so.
ONE_AT_A_TIME = threading.Lock()
LAYERS = (nn.Sequential, nn.Linear, nn.ReLU)


@dataclass(frozen=True)
class WaysConfig(Config):
    """The net that is trained and saved, and whether the third net is given the parameters."""

    # fmt: off
    steps: int = knob(100, "Training steps", group="net1", live=True, lo=0, hi=200, step=10)
    hidden: int = knob(10, "Hidden units", group="net1", live=True, lo=1, hi=64)
    seed: int = knob(1, "Seed", group="net1", live=True, lo=0, hi=9999, more=True)
    load: bool = knob(True, "Call load_state_dict", help="Without it, net3 keeps the weights it was born with.",
                      group="net3", live=True)
    # fmt: on


def draw_points(seed: int) -> Split:
    """The tutorial's points: a noisy parabola."""
    return datasets.curve("square", POINTS, NOISE, 0.0, torch.Generator().manual_seed(seed))


def new_net(hidden: int, seed: int) -> nn.Sequential:
    """Linear(1, hidden), ReLU, Linear(hidden, 1), not trained."""
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
    """The tutorial's net after so many steps; the caller's own copy."""
    return deepcopy(_train(hidden, steps, seed))


def save_both(net1: nn.Module) -> tuple[bytes, bytes]:
    """The files net.pkl, the whole net, and net_params.pkl, its state_dict."""
    whole, params = io.BytesIO(), io.BytesIO()
    torch.save(net1, whole)
    torch.save(net1.state_dict(), params)
    return whole.getvalue(), params.getvalue()


def restore_net(whole: bytes) -> nn.Module:
    """The whole net from its file; torch.load builds it only as these three classes are named to it."""
    with ONE_AT_A_TIME, torch.serialization.safe_globals(list(LAYERS)):
        net2: nn.Module = torch.load(io.BytesIO(whole), weights_only=True)
    return net2


def restore_params(params: bytes, net3: nn.Module) -> nn.Module:
    """A net of the same layers, built by code, with the parameters from the file."""
    net3.load_state_dict(torch.load(io.BytesIO(params), weights_only=True))
    return net3


def refusal(file: bytes) -> str:
    """What torch.load says of a file, with its default of weights_only=True; nothing where it loads."""
    try:
        with ONE_AT_A_TIME:
            torch.load(io.BytesIO(file), weights_only=True)
    except Exception as error:  # the message is the lesson, whichever kind of error it is
        return str(error).replace("\x1b[1m", "").replace("\x1b[0m", "")
    return ""


def draw_ways(config: WaysConfig) -> Sheet:
    """Three fits, how their predictions differ, and what the two files hold."""
    net1 = trained_net(config.hidden, config.steps, config.seed)
    whole, params = save_both(net1)
    net2, net3 = restore_net(whole), new_net(config.hidden, config.seed + 1)
    if config.load:
        restore_params(params, net3)
    data, grid = draw_points(config.seed), torch.linspace(-1, 1, 201).unsqueeze(dim=1)  # (201, 1)
    with torch.no_grad():
        y1, y2, y3 = net1(grid), net2(grid), net3(grid)
    third = "from its state_dict" if config.load else "with its own first weights"
    rows = (
        ("net1", "trained here", "", ""),
        ("net2", "restored whole", *compared(y1, y2)),
        ("net3", third, *compared(y1, y3)),
    )
    tables = (
        Table(("Net", "How it came about", "Largest difference from net1", "Equal bit for bit"), rows),
        Table(("Entry of the file", "Bytes in net.pkl", "Bytes in net_params.pkl"), sizes(whole, params)),
    )
    charts = {name: fit(data, grid, y) for name, y in (("net1", y1), ("net2", y2), ("net3", y3))}
    return Sheet(charts, tables=tables)


def compared(y1: Tensor, other: Tensor) -> tuple[str, str]:
    """The largest difference of two nets' predictions, and whether every bit is the same."""
    same = y1.numpy().tobytes() == other.numpy().tobytes()
    return f"{float((y1 - other).abs().max()):.6g}", "yes" if same else "no"


def sizes(whole: bytes, params: bytes) -> tuple[tuple[str, ...], ...]:
    """Every entry of both archives, and the files themselves."""
    found: list[dict[str, int]] = []
    for file in (whole, params):
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            found.append({entry.filename.partition("/")[2]: entry.file_size for entry in archive.infolist()})
    rows = [(name, *(f"{each.get(name, 0):,}" for each in found)) for name in found[0] if not name.startswith(".")]
    return (*rows, ("The file itself", f"{len(whole):,}", f"{len(params):,}"))


def fit(data: Split, grid: Tensor, y: Tensor) -> dict[str, Any]:
    """The points and one net's curve."""
    train, empty = (data.x_train[:, 0].numpy(), data.y_train[:, 0].numpy()), data.x_test[:, 0].numpy()
    figure = curves.fit(train, (empty, empty), grid[:, 0].numpy(), y[:, 0].numpy(), spans=SPANS)
    figure["data"][0]["marker"]["size"] = 4
    figure["layout"] |= {"showlegend": False, "margin": {"l": 40, "r": 8, "t": 6, "b": 34}}
    for side in ("xaxis", "yaxis"):
        figure["layout"][side] |= {"nticks": 4, "tickangle": 0}
    return figure


CODE: tuple[Callable[..., Any], ...] = (save_both, restore_net, restore_params)
LAB = Lab(
    name="checkpoints_ways",
    title="Three ways",
    sentence="net1 is trained and saved twice: whole, and as its state_dict. net2 and net3 are restored from the two "
    "files. Do they predict the same?",
    config=WaysConfig,
    draw=draw_ways,
    charts=(
        Chart("net1", "net1: trained", "The points and the curve of the net that was trained.", width="small"),
        Chart("net2", "net2: whole", "The same points, and the curve of the net restored whole.", width="small"),
        Chart("net3", "net3: state_dict", "The same points, and the curve of a new net.", width="small"),
    ),
    presets={"Tutorial": {}, "load_state_dict forgotten": {"load": False}, "Wide": {"hidden": 64}},
)
