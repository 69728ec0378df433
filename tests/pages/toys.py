"""A lesson of four small labs that has every kind of knob, so that its page shows all that a page of labs can do.

A worker that gets one of its configs imports this module, and so comes to know its benches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.engine.frames import Figure
from playground.knobs import Config, knob
from playground.lesson import SECTIONS, Chart, Lab, LabLesson, Sheet, Table
from playground.lessons import BENCHES
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings


@dataclass(frozen=True)
class EchoConfig(Config):
    """A free text, and how often it is said."""

    # fmt: off
    text: str = knob("one", "Text", group="Words", bar=True, live=True, max_length=60)
    times: int = knob(3, "Times", group="Words", bar=True, live=True, lo=1, hi=9, step=1)
    loud: bool = knob(False, "Loud", group="Manner", bar=True, live=True)
    kinds: str = knob("a,b", "Kinds", group="Manner", bar=True, live=True, many=True, options=("a", "b", "c"))
    # fmt: on


@dataclass(frozen=True)
class LineConfig(Config):
    """A straight line, or a bent one."""

    # fmt: off
    slope: float = knob(0.5, "Slope", group="Line", bar=True, live=True, options=(0.25, 0.5, 1.0))
    shift: float = knob(0.0, "Shift", group="Line", bar=True, live=True, lo=-2.0, hi=2.0, step=0.1)
    shape: str = knob("straight", "Shape", group="Line", live=True, options=("straight", "bent"),
                      names={"straight": "Straight", "bent": "Bent"})
    bend: float = knob(1.0, "Bend", group="Line", bar=True, live=True, lo=0.0, hi=4.0, step=0.5, shy=True,
                       applies=lambda config: config.shape == "bent")
    large: int = knob(10, "Points", group="Line", bar=True, live=True, lo=2, hi=90_000, step=1, more=True)
    # fmt: on


@dataclass(frozen=True)
class CountConfig(Config):
    """How far to count, by how much, and what to call it."""

    # fmt: off
    to: int = knob(5, "Count to", group="Counting", bar=True, lo=1, hi=10, step=1)
    by: int = knob(1, "Count by", group="Counting", bar=True, live=True, lo=1, hi=5, step=1)
    word: str = knob("step", "Word", group="Counting", max_length=20)
    # fmt: on


def line(x: np.ndarray, y: np.ndarray, name: str = "Line") -> Figure:
    return {"data": [{"type": "scatter", "name": name, "x": x, "y": y}], "layout": {}}


def draw_echo(config: EchoConfig) -> Sheet:
    """Says the text back in a table; refuses one that does not begin with a letter."""
    if not config.text[:1].isalpha():
        raise ValueError(f"Text cannot be “{config.text}”: it must begin with a letter. Type a word.")
    said = config.text.upper() if config.loud else config.text
    rows = tuple((str(number), said) for number in range(config.times))
    kinds = line(np.arange(2.0), np.full(2, float(len(config.kinds.split(",")))))
    tables = (Table(("Number", "<i>Said</i>"), rows), Table(("Number", "Said"), rows, code=("Said",)))
    return Sheet({"length": kinds}, note=f"Said {config.times} times.", tables=tables)


def draw_line(config: LineConfig) -> Sheet:
    if config.large > 50_000:
        raise ValueError(f"Points cannot be {config.large}: at most 50000 are drawn. Take fewer.")
    x = np.linspace(0.0, 1.0, min(config.large, 100))
    bend = config.bend if config.shape == "bent" else 0.0
    return Sheet({"line": line(x, config.slope * x + config.shift + bend * x**2)})


class Count(SteppedRun):
    """Counts."""

    def __init__(self, config: CountConfig, settings: Settings) -> None:
        if config.word == "refused":
            raise ValueError("Word cannot be “refused”. Type another.")
        super().__init__(config, settings, config.to)

    def step(self) -> None:
        pass

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        return {"count": lambda: line(np.arange(at + 1.0), np.arange(at + 1.0) * self.config.by)}

    def narrate(self, at: int) -> str:
        return f"Counted to {at}."


class ToyLesson(LabLesson):
    """Labs with their prose beside them, not in a file."""

    @property
    def prose(self) -> dict[str, str]:
        """One link for each lab; the lesson's first lab may go unnamed."""
        tries = "\n".join(
            f'- [{title}](?{query} "{name}"): See what happens. :: That happened.'
            for name, title, query in (
                ("louder", "Louder", "toys_echo_loud=true&toys_echo_text=hear%20this"),
                ("as-it-was", "Echo as it was", "toys_lab=echo"),
                ("bent", "Bent", "toys_lab=line&toys_line_shape=bent&toys_line_bend=2"),
                ("by-twos", "Count by twos", "toys_lab=count&toys_count_by=2"),
            )
        )
        asked = '- Is it? "is-it"\n  - [x] Yes\n  - [ ] No :: Look.\n  - [ ] Perhaps :: Look.\n  - It is.'
        return dict.fromkeys(SECTIONS, "Words.") | {"Try this": tries, "Check yourself": asked}


def chart(name: str, *turns: str) -> tuple[Chart, ...]:
    return (Chart(name, name.title(), "What the knobs make of it.", turns=turns),)


def lab(name: str, title: str, config: type[Config], **more: Any) -> Lab:
    return Lab(f"toys_{name}", title, f"This is {name}.", config, **more)


LESSON = ToyLesson(
    name="toys",
    title="Toys",
    sentence="Labs to test pages with.",
    minutes=5,
    labs=(
        lab("echo", "Echo", EchoConfig, draw=draw_echo, charts=chart("length")),
        lab("line", "Line", LineConfig, draw=draw_line, charts=chart("line", "shift", "slope")),
        lab("count", "Count", CountConfig, build=Count, charts=chart("count"), status={"step": "Step"}),
        lab("again", "Again", CountConfig, build=Count, charts=chart("count"), status={"step": "Step"}),
    ),
)  # fmt: skip
BENCHES.update({bench.name: bench for bench in LESSON.benches})
