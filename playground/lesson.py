"""What a lesson declares about itself; pages, tests and the home page read it, and nothing is said twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.knobs import Config, Value
from playground.run import Run

PROSE = Path(__file__).parent / "lessons"
SECTIONS = ("Idea", "Try this", "What to notice", "Check yourself", "In PyTorch")


@dataclass(frozen=True)
class Toggle:
    """A switch on a chart that changes how it is drawn, not what is trained."""

    name: str
    label: str
    on: bool = False


@dataclass(frozen=True)
class Chart:
    """One chart of a lesson: its name in the page, its title, what it shows in words, and its switches.

    `every` thins its frames (1: each frame, 4: each fourth); `editable` lets a click add a point.
    """

    name: str
    title: str
    alt: str
    toggles: tuple[Toggle, ...] = ()
    every: int = 1
    editable: bool = False


@dataclass(frozen=True)
class Lesson:
    """A page's content: its words, its knobs, how to build its run and which charts it shows.

    `status` names the numbers beside the player, in order; `code` holds the functions whose source the page shows.
    """

    name: str
    title: str
    sentence: str
    config: type[Config]
    build: Callable[[Any], Run]
    charts: tuple[Chart, ...]
    status: Mapping[str, str]
    presets: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    code: tuple[Any, ...] = ()

    @property
    def prose(self) -> dict[str, str]:
        """The text of each section of the lesson's Markdown file, by its heading."""
        text = (PROSE / f"{self.name}.md").read_text(encoding="utf-8")
        parts = ("\n" + text).split("\n## ")[1:]
        return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}
