"""The figures of the clinic: a script with what stands beside its lines, and the curves of one or two scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import hidden_axis, line
from playground.figures.theme import axis, layout, round_up

Array = NDArray[Any]
MIN_POWER, MAX_POWER = -5, 8  # of ten: a curve that goes further leaves the chart
COLOURS = {"first": "@test", "changed": "@train"}
PALE = 0.55


@dataclass(frozen=True)
class ScriptLine:
    """A line of a script: its code, what stands beside it, and marks.

    `sign` is "+" for a line that was put in, "−" for one that was taken out. `mark` is "" or "wrong" (picked, and not
    the fault), "fault", "error" (the line that raised) and "now" (the line that ran last).
    """

    code: str
    beside: str = ""
    sign: str = ""
    mark: str = ""
    number: int = -1  # in the script; -1 for a line that cannot be picked


@dataclass(frozen=True)
class Choice:
    """A change to choose: its lines, each (sign, code), and whether it was tried: "" | "running" | "no" | "yes"."""

    lines: tuple[tuple[str, str], ...]
    state: str = ""


@dataclass(frozen=True)
class Panel:
    """All that the picture of a script shows: `said` stands under the lines, then the choices or the answers.

    A click on a line sends the command Pick with `chart` "line" and the line as x; on a choice or an answer with
    `chart` "choice" and its place in the list as x, and then Play. `answered` is the place of the answer that was
    given; while it is -1 one can be given, unless it is `too_late`.
    """

    lines: tuple[ScriptLine, ...]
    said: str
    good: bool = False
    pickable: bool = False
    choices: tuple[Choice, ...] = ()
    answers: tuple[str, ...] = ()
    answered: int = -1
    too_late: bool = False
    error: str = ""
    after: int = field(default=-1)  # the line of this picture under which the choices stand


def script(panel: Panel) -> Figure:
    """The script; the board shows it as lines to click, with the choices under the line that they change."""
    text = "\n".join(f"{each.sign or ' '} {each.code}".rstrip() for each in panel.lines)
    rows = "\n".join(f'"{_quoted(each.code)}","{_quoted(each.beside)}"' for each in panel.lines)
    return {
        "data": [],
        "layout": layout(
            hidden_axis([0.0, 1.0]), hidden_axis([0.0, 1.0]), showlegend=False, dragmode=False,
            meta={"script": asdict(panel) | {"lines": [asdict(each) for each in panel.lines], "text": text},
                  "words": "", "csv": f"code,beside\n{rows}\n"},
        ),
    }  # fmt: skip


def _quoted(text: str) -> str:
    return text.replace('"', '""')


@dataclass(frozen=True)
class Curve:
    """Values after each step from 1, with a name; `dash` tells the curves of one script apart.

    One that is `behind` others is pale and wide, so that it is seen where they agree.
    """

    name: str
    values: Array
    colour: str
    dash: str = "solid"
    behind: bool = False


def curves(drawn: Sequence[Curve], *, title: str, until: int, log: bool) -> Figure:
    """Curves over the steps; on a log axis, values of 0 and below leave the chart."""
    lines = []
    for each in drawn:
        steps = np.arange(1, len(each.values) + 1, dtype=np.float32)
        colour, width = (f"{each.colour}/{PALE}", 7) if each.behind else (each.colour, 2.5)
        pen = {"color": colour, "width": width, "dash": each.dash}
        y = each.values.astype(np.float64)
        y = np.where(np.isfinite(y), y, np.nan)
        if log:
            y = np.where(y > 0, y, np.nan)
        hover = each.name + " %{y:.4g} at step %{x}<extra></extra>"
        lines.append(line(each.name, steps, y.astype(np.float32), pen, hover) | {"showlegend": True})
    finite = np.concatenate([each["y"][np.isfinite(each["y"])] for each in lines] or [np.empty(0)])
    return {
        "data": lines,
        "layout": layout(
            axis("Step", [0, max(until, 1)]), _log_axis(title, finite) if log else _plain_axis(title, finite),
            margin={"l": 54, "r": 14, "t": 26, "b": 40},
        ),
    }  # fmt: skip


def _log_axis(title: str, finite: Array) -> dict[str, Any]:
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.01, 1.0)
    low_power = max(MIN_POWER, math.floor(math.log10(max(low, 1e-30)) + 1e-9))
    high_power = min(MAX_POWER, max(math.ceil(math.log10(max(high, 1e-30)) - 1e-9), low_power + 1))
    return axis(title, [low_power, high_power], type="log", dtick=max(1, (high_power - low_power) // 5))


def _plain_axis(title: str, finite: Array) -> dict[str, Any]:
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    return axis(title, [-round_up(-low) if low < 0 else 0.0, round_up(high) if high > 0 else 0.0])
