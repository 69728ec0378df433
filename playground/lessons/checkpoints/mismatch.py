"""The lab Mismatch clinic: a state_dict loaded into another model; PyTorch's messages, explained line by line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from playground.engine.frames import Figure
from playground.figures import functions
from playground.figures.functions import Line
from playground.knobs import Config, knob, shorten
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.checkpoints.ways import SPANS, new_net, trained_net
from playground.training import models

WIDTH, SEED = 10, 1
Net = nn.Sequential
State = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A mismatch: its label, the state that is loaded, the model it is loaded into, and how to fix it."""

    label: str
    state: Callable[[Net], State]
    model: Callable[[], Net]
    fix: str


def _plain(net: Net) -> State:
    return dict(net.state_dict())


def _net(*hidden: int, activation: str = "relu") -> Callable[[], Net]:
    def build() -> Net:
        generator = torch.Generator().manual_seed(SEED + 1)
        return models.mlp(1, hidden, 1, activation=activation, generator=generator)

    return build


def _without_bias() -> Net:
    net = new_net(WIDTH, SEED + 1)
    last = nn.Linear(WIDTH, 1, bias=False, device="meta").to_empty(device="cpu")
    nn.init.normal_(last.weight, generator=torch.Generator().manual_seed(SEED))
    net[2] = last
    return net


CASES: dict[str, Case] = {
    "fits": Case("the same layers", _plain, _net(WIDTH), "Nothing to fix: every key has its tensor."),
    "width": Case("12 units instead of 10", _plain, _net(12),
                  "Build the model as wide as it was when it was saved. `strict=False` does not help: a tensor of "
                  "another shape is never loaded."),
    "deeper": Case("one layer more", _plain, _net(WIDTH, WIDTH),
                   "Build the model as deep as it was. The names are positions in `nn.Sequential`, so `2.` is now "
                   "another layer."),
    "prefix": Case("names with module.", lambda net: {f"module.{name}": each for name, each in _plain(net).items()},
                   _net(WIDTH), "The file was saved from `nn.DataParallel`. Strip the prefix: "
                   "`{name.removeprefix('module.'): value for name, value in state.items()}`."),
    "missing": Case("a key missing", lambda net: {name: each for name, each in _plain(net).items() if name != "2.bias"},
                    _net(WIDTH), "With `strict=False` the missing tensor keeps its initial, random values."),
    "unexpected": Case("no bias in the model", _plain, _without_bias,
                       "The model does not have `2.bias`. With `strict=False` it is ignored."),
    "nested": Case("a whole checkpoint", lambda net: {"model": _plain(net), "step": torch.tensor(100)}, _net(WIDTH),
                   "The file contains more than the weights. Give `load_state_dict` only the model’s part: "
                   "`checkpoint['model']`. `strict=False` would load nothing at all."),
    "classes": Case("a classifier’s weights", lambda net: _plain(models.mlp(
                        2, [WIDTH], 2, generator=torch.Generator().manual_seed(SEED))), _net(WIDTH),
                    "The names are the same, the shapes are not: the file is from another model."),
    "activation": Case("tanh instead of ReLU", _plain, _net(WIDTH, activation="tanh"),
                       "No message at all: an activation has no parameters, so the file does not show the "
                       "difference. The curve does."),
    "double": Case("float64 in the file", lambda net: {name: each.double() for name, each in _plain(net).items()},
                   _net(WIDTH), "No message: `load_state_dict` copies into the model’s own tensors, which stay "
                   "float32."),
}  # fmt: skip
READINGS: tuple[tuple[str, str], ...] = (
    (r"Missing key\(s\) in state_dict: (?P<what>.*)\. *", "The model has these tensors, the file does not."),
    (r"Unexpected key\(s\) in state_dict: (?P<what>.*)\. *", "The file has these tensors, the model does not."),
    (
        r"size mismatch for (?P<what>.*?): .*",
        "Both have this tensor, with different shapes: first the file’s, then the model’s.",
    ),
    (
        r"Error\(s\) in loading state_dict for (?P<what>\w+):",
        "The class of the model whose load_state_dict was called.",
    ),
)
SAYS = "model.load_state_dict(state, strict={strict}) reports"
LOADED = "Nothing: the state was loaded."
LINE, MATCHED = "model.load_state_dict(state, strict={strict})", "<All keys matched successfully>"
MAX_ANSWER = 58  # letters; a table has the whole message
FATES = {"fits": "fits", "missing": "missing", "unexpected": "unexpected", "shape": "size mismatch"}
ABSENT, OTHER_TYPE = "–", "a {type}"
KEY_COLUMNS = ("Key", "In the file", "In the model", "Result")
MESSAGE_COLUMNS = ("In the message", "How to read it")
CURVES = ("The model that was saved", "After load_state_dict")


@dataclass(frozen=True)
class MismatchConfig(Config):
    """The difference between file and model, and the argument `strict` of load_state_dict."""

    # fmt: off
    case: str = knob("width", "The model has", group="Mismatch", live=True, bar=True, options=tuple(CASES),
                     names={name: case.label for name, case in CASES.items()})
    strict: bool = knob(True, "strict", help="If on, missing and unexpected keys are errors.", group="Mismatch",
                        live=True, bar=True)
    # fmt: on


def load(model: nn.Module, state: State, *, strict: bool) -> str:
    """The error of load_state_dict, or the keys that strict=False ignored, or an empty text."""
    try:
        left = model.load_state_dict(state, strict=strict)
    except RuntimeError as error:
        return f"RuntimeError: {error}"
    return "" if not (left.missing_keys or left.unexpected_keys) else str(left)


def fates(state: State, model: nn.Module) -> list[tuple[str, str, str, str]]:
    """Each key of the file or the model: its shapes in both, and the result of loading it."""
    own, rows = model.state_dict(), []
    for name in [*own, *(name for name in state if name not in own)]:
        there, here = state.get(name), own.get(name)
        if here is None:
            fate = FATES["unexpected"]
        elif there is None:
            fate = FATES["missing"]
        else:
            fate = FATES["fits" if there.shape == here.shape else "shape"]
        rows.append((name, _shape(there), _shape(here), fate))
    return rows


def _shape(value: Any) -> str:
    if value is None:
        return ABSENT
    return str(list(value.shape)) if isinstance(value, Tensor) else OTHER_TYPE.format(type=type(value).__name__)


def read_lines(message: str) -> list[tuple[str, str]]:
    """Each line of the message that is known, with its explanation."""
    found = []
    for line in message.splitlines():
        for pattern, meaning in READINGS:
            if match := re.search(pattern, line.strip()):
                found.append((shorten(match[0].removesuffix(" "), 200), meaning))
                break
    return found


def draw_mismatch(config: MismatchConfig) -> Sheet:
    """The sheet: the curves of the saved and the loaded model, the message, and the result for each key."""
    case, net1 = CASES[config.case], trained_net(WIDTH, 100, SEED)
    state, model = case.state(net1), case.model()
    keys = fates(state, model)
    message = load(model, state, strict=config.strict)
    says = SAYS.format(strict=config.strict)
    tables = [
        Table((says,), ((message or LOADED,),), code=(says,) if message else ()),
        Table(KEY_COLUMNS, tuple(keys), code=("Key",)),
    ]
    if lines := read_lines(message):
        tables.append(Table(MESSAGE_COLUMNS, tuple(lines), code=("In the message",)))
    answer = shorten(message.removesuffix(" "), MAX_ANSWER) if message else MATCHED
    return Sheet({"curves": curves_of(net1, model)}, case.fix, tuple(tables), LINE.format(strict=config.strict), answer)


def curves_of(saved: nn.Module, loaded: nn.Module) -> Figure:
    """The chart of both models' predictions."""
    grid = torch.linspace(-1, 1, 201).unsqueeze(dim=1)  # (201, 1)
    with torch.no_grad():
        lines = [
            Line(CURVES[0], "@train", grid[:, 0].numpy(), saved(grid)[:, 0].numpy()),
            Line(CURVES[1], "@model", grid[:, 0].numpy(), loaded(grid)[:, 0].numpy(), "dash"),
        ]
    return functions.function_chart(lines, (), spans=((-1.0, 1.0), (SPANS[1][0], SPANS[1][1])), title="Prediction")


LAB = Lab(
    name="checkpoints_mismatch",
    title="Mismatch clinic",
    sentence="A state_dict is loaded into a model that it does not come from. What does the message tell you?",
    config=MismatchConfig,
    draw=draw_mismatch,
    charts=(Chart("curves", "After loading", "The curves of the saved model and of the model that loaded its state."),),
)
