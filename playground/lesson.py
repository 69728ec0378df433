"""What a lesson declares about itself; pages, tests and the home page read it, and nothing is said twice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, make_dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from playground.engine.frames import Figure
from playground.engine.run import Run
from playground.knobs import Config, Value, knob

if TYPE_CHECKING:
    from playground.runs.journal import Course
    from playground.scripts.script import TrainingScript

PROSE = Path(__file__).parent / "lessons"
SECTIONS = ("Idea", "Try this", "What to notice", "Check yourself", "In PyTorch")


@dataclass(frozen=True)
class Toggle:
    """A switch on a chart that changes how it is drawn, not what is trained."""

    name: str
    label: str
    on: bool = False


@dataclass(frozen=True)
class Slider:
    """A number that a chart is about, set by a slider in its header: {"do": "slide", "name": ..., "value": ...}."""

    name: str
    label: str
    lo: float
    hi: float
    step: float
    value: float


@dataclass(frozen=True)
class Chart:
    """One chart of a lesson: its name in the page, its title, what it shows in words, and its switches.

    `every` thins its frames (1: each frame, 4: each fourth); `editable` lets a click add a point; `small` ones stand
    several in a row, for looking at many at once; a `low` one is two thirds as high as others, a `tall`
    one a quarter higher; a `wide` one takes the whole row, is high, and scrolls sideways where the screen is narrow,
    for drawings with text in them. A network drawing with `weights` has a form to set a unit's weights by hand. A chart
    about one `place` of the plane has a field for each of its coordinates, named so. A click on one to `pick` from
    sends its name and the coordinates. A click into a still lab's chart, or a drag, `turns` the knobs named to the
    place's x and, if there are two, its y. Where charts name `views`, the page shows those of one view at a time; the
    first one named is the chart's own, and each view has charts of its own. One with a `pad` has a drawing pad beside
    it, whose drawing is sent as {"do": "draw", "bits": 128 x 128 bits in base64, or None when empty}, and `sliders`
    stand in its header.
    """

    name: str
    title: str
    alt: str
    toggles: tuple[Toggle, ...] = ()
    every: int = 1
    editable: bool = False
    small: bool = False
    low: bool = False
    tall: bool = False
    wide: bool = False
    magnified_on: str = ""
    place: tuple[str, ...] = ()
    weights: bool = False
    pick: bool = False
    turns: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    pad: bool = False
    sliders: tuple[Slider, ...] = ()


@dataclass(frozen=True)
class Lesson(ABC):
    """A page's content: its name in the address, its title, a sentence, and the functions whose source it shows."""

    name: str
    title: str
    sentence: str
    code: tuple[Any, ...] = field(default=(), kw_only=True)

    @property
    def prose(self) -> dict[str, str]:
        """The text of each section of the lesson's Markdown file, by its heading."""
        return prose(self.name)

    @property
    @abstractmethod
    def benches(self) -> tuple[Bench, ...]:
        """Where knobs stand beside charts on this page."""


class Bench(Protocol):
    """Knobs beside charts: a whole lesson that trains, or one lab of several. Link parameters are `<name>_<knob>`."""

    @property
    def name(self) -> str:
        """Its name, which its knobs' link parameters begin with."""

    @property
    def config(self) -> type[Config]:
        """Its knobs."""

    @property
    def presets(self) -> Mapping[str, Mapping[str, Value]]:
        """Settings worth a name; the first is the default."""


@dataclass(frozen=True)
class OwnPoints:
    """How students bring points of their own: what a click does, a CSV's columns and example, and its two functions.

    The run has `use_rows` (what `read` gives, or None) and `data`, which `write` writes. `redraw` names the knob, if
    any, whose next value draws other points; `remark` has a sentence on rows that are taken but need a word.
    """

    what: str
    columns: str
    example: str
    read: Callable[[str, int], Any]
    write: Callable[[Any], str]
    redraw: str = ""
    remark: Callable[[Any], str] = lambda rows: ""


@dataclass(frozen=True)
class LiveLesson(Lesson):
    """A lesson around one run: its knobs, how to build it, its charts, and the numbers beside the player, in order.

    `script` writes the run's way to its present step as plain PyTorch.
    """

    config: type[Config]
    build: Callable[..., Run]
    charts: tuple[Chart, ...]
    status: Mapping[str, str]
    presets: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    own_points: OwnPoints | None = None
    script: Callable[[Course], TrainingScript] | None = None

    @property
    def benches(self) -> tuple[Bench, ...]:
        """The lesson itself."""
        return (self,)


@dataclass(frozen=True)
class Table:
    """A table under the charts; `code` names the columns set like code. Cells are plain text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """What a still lab shows for one config: figures by chart name, a Markdown note under its heading, and tables."""

    charts: dict[str, Figure]
    note: str = ""
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Lab:
    """One of several things to try on a page: knobs beside charts that are drawn anew when a knob is turned.

    `name` is `<lesson>_<lab>`. A still lab has `draw` (config -> Sheet), which raises ValueError with a sentence where
    a config asks for what cannot be. A live one has `build` and `status`, and a player, whose Step counts `units`:
    "step", "epoch" or both.
    """

    name: str
    title: str
    sentence: str
    config: type[Config]
    charts: tuple[Chart, ...]
    draw: Callable[[Any], Sheet] | None = None
    build: Callable[..., Run] | None = None
    status: Mapping[str, str] = field(default_factory=dict)
    units: tuple[str, ...] = ("step",)
    presets: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)


@dataclass(frozen=True)
class LabLesson(Lesson):
    """A lesson of several labs, of which one is open at a time; `<lesson>_lab` in the address says which."""

    labs: tuple[Lab, ...]

    @property
    def benches(self) -> tuple[Bench, ...]:
        """The labs."""
        return self.labs

    @cached_property
    def picker(self) -> type[Config]:
        """A config with the one knob that says which lab is open, by the last part of its name.

        Always the same type, since configs of two types are never equal.
        """
        titles = {lab.name.removeprefix(f"{self.name}_"): lab.title for lab in self.labs}
        choice = knob(next(iter(titles)), "Lab", options=tuple(titles), names=titles, live=True)
        return make_dataclass("Picker", [("lab", str, choice)], bases=(Config,), frozen=True)


def prose(name: str) -> dict[str, str]:
    """The sections of a lesson's Markdown file, or of another one beside the lessons, by heading."""
    path = PROSE / name / "prose.md"
    text = (path if path.exists() else PROSE / f"{name}.md").read_text(encoding="utf-8")
    parts = ("\n" + text).split("\n## ")[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}
