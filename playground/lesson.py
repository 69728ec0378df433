"""What a lesson declares about itself, once: its page, the tests and the home page read it from here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, make_dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from playground.engine.frames import Figure
from playground.engine.run import Run
from playground.knobs import Config, knob

if TYPE_CHECKING:
    from playground.data.own_rows import Format
    from playground.runs.journal import RunHistory
    from playground.scripts.script import TrainingScript

PROSE = Path(__file__).parent / "lessons"
SECTIONS = ("Idea", "Try this", "What to notice", "Check yourself", "In PyTorch")


@dataclass(frozen=True)
class Toggle:
    """A switch on a chart that changes how the chart is drawn, not what is trained."""

    name: str
    label: str
    on: bool = False
    click: Literal["", "explain"] = ""  # the command that a click in the chart sends while the switch is on


@dataclass(frozen=True)
class Slider:
    """A number that a chart depends on, set by a slider in its header, which sends the command Slide."""

    name: str
    label: str
    lo: float
    hi: float
    step: float
    value: float


@dataclass(frozen=True)
class NetworkKnobs:
    """The knobs that the drawing of a network shows where they act, by name; "" or () where it has none."""

    data: str = ""  # which data set: small pictures at the left
    noise: str = ""  # of the data, under these pictures
    redraw: str = ""  # its next value draws other points
    inputs: str = ""  # which inputs: a small map each
    layers: str = ""  # how many hidden layers
    units: tuple[str, ...] = ()  # how many units, for each hidden layer in order
    activation: str = ""
    kind: Literal["dense", "convolution"] = "dense"  # what layers are made of: units or filters

    @property
    def names(self) -> set[str]:
        """The names of all of them."""
        return {self.data, self.noise, self.redraw, self.inputs, self.layers, self.activation, *self.units} - {""}


@dataclass(frozen=True)
class Chart:
    """One chart of a lesson: its name in the page, its title, what it shows in words, clicks, extras.

    Their order says where they stand when the page opens. The first one of a view is its hero, the largest picture, the
    second stands beside it, and the others are small pictures that change places with it, or, if they are `wide`, with
    the hero. The `strip` runs under all of them.
    """

    name: str
    title: str
    alt: str
    toggles: tuple[Toggle, ...] = ()
    every: int = 1  # which frames have it: 1 all, 4 each fourth
    click: Literal["", "add", "pick"] = ""  # "add": add a point, with Shift remove one; "pick": send chart and place
    turns: tuple[str, ...] = ()  # in a still lab: a click or a drag sets these knobs to its x (and y)
    click_turns: tuple[str, ...] = ()  # in a live lab, with `click` "pick": a click sets these knobs to its x (and y)
    place: tuple[str, ...] = ()  # the chart is about one place of the plane: a field for each coordinate, so named
    beside: Literal["", "weights", "pad"] = ""  # "weights": a form for a unit's weights; "pad": a drawing pad
    sliders: tuple[Slider, ...] = ()  # in its header
    views: tuple[str, ...] = ()  # its own view first, and others; the page shows the charts of one view at a time
    magnified_on: str = ""  # the chart that shows, enlarged, the map under the pointer
    pins: bool = False  # it shows the curves of pinned runs, too
    strip: bool = False  # it is the low, wide one under the others, along which one looks back
    wide: bool = False  # it cannot be read in a narrow place, and opens in the hero's
    leads: str = ""  # the option that is on while it is the hero: list, numbers and sentence then speak of it
    network: NetworkKnobs | None = None
    brush: str = ""  # the knob with the class of a clicked point: a button for each class, `meta.classes` of the figure
    controls: tuple[str, ...] = ()  # the knobs that controls over the chart turn, apart from those of a network

    @property
    def knobs_set_by_click(self) -> tuple[str, ...]:
        """The knobs that the page sets to the place of a click, its x first."""
        return self.turns or self.click_turns


@dataclass(frozen=True)
class Lesson(ABC):
    """The content of one page: name in the address, title, a sentence, and the functions whose source it shows.

    `minutes` is how long it takes to read it, try its experiments and answer its questions.
    """

    name: str
    title: str
    sentence: str
    minutes: int = field(kw_only=True)
    code: tuple[Any, ...] = field(default=(), kw_only=True)

    @property
    def prose(self) -> dict[str, str]:
        """The text of each section of the lesson's Markdown file, by its heading."""
        return prose(self.name)

    @property
    @abstractmethod
    def benches(self) -> tuple[Bench, ...]:
        """What has knobs and charts on this page: the lesson itself, or each of its labs."""


class Bench(Protocol):
    """Knobs with their charts: a lesson that trains, or one of several labs. Link parameters are `<name>_<knob>`."""

    @property
    def name(self) -> str:
        """Its name, with which its link parameters begin."""

    @property
    def config(self) -> type[Config]:
        """Its knobs."""

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Its charts."""


@dataclass(frozen=True)
class OwnPoints:
    """How students bring points of their own: what a click does, which columns a table has, and an example of one.

    `format` reads the rows of a table, for the run's `use_rows` (None: back to generated points), and `write` makes a
    CSV of the run's `data`. `redraw` names the knob, if any, whose next value draws other points; `remark` gives a
    warning about rows that are accepted, or "". `without_effect` names the knobs that a table in use overrides.
    `brush` names the knob, if any, with the class of a clicked point, and `classes` tells how many the run's data has.
    """

    what: str
    format: Format
    example: str
    write: Callable[[Any], str]
    redraw: str = ""
    remark: Callable[[Any], str] = lambda rows: ""
    without_effect: tuple[str, ...] = ()
    brush: str = ""
    classes: Callable[[Any], int] = lambda run: 0


@dataclass(frozen=True)
class LiveLesson(Lesson):
    """A lesson around one run: its knobs, how to build it, its charts, and the numbers beside the player, in order.

    `script` writes the run up to its current step as plain PyTorch. The player's Step counts `units`; with "line" the
    run is a `LineRun`.
    """

    config: type[Config]
    build: Callable[..., Run]
    charts: tuple[Chart, ...]
    status: Mapping[str, str]
    units: tuple[str, ...] = ("step", "epoch")
    own_points: OwnPoints | None = None
    script: Callable[[RunHistory], TrainingScript] | None = None

    @property
    def benches(self) -> tuple[Bench, ...]:
        """The lesson itself."""
        return (self,)


@dataclass(frozen=True)
class Table:
    """A table below the charts; `code` names the columns that are set as code. Cells are plain text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """What a still lab shows for one config: figures by chart name, a note in Markdown, and tables.

    `line` is the line of code that the lab is about, such as `(a + b).shape`, and `answer` what Python prints for it:
    a value, or the last line of a traceback ("RuntimeError: ..."), which is shown as an error. Both stand in one row
    under the charts, so together they have at most about 100 letters. A note of at most 90 letters stands with them, a
    longer one below the charts.
    """

    charts: dict[str, Figure]
    note: str = ""
    tables: tuple[Table, ...] = ()
    line: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Lab:
    """One of several things to try on a page: knobs, and charts that follow them.

    `name` is `<lesson>_<lab>`. A still lab has `draw` (config -> Sheet), which raises ValueError with a sentence where
    nothing can be drawn for a config. A live one has `build` and `status`, and a player, whose Step counts `units`:
    "step", "epoch" or both. `unit_names` are their words where they are not the usual ones. Experiments of a live lab
    play at once, unless the lab itself `asks` something first.
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
    unit_names: Mapping[str, str] = field(default_factory=dict)
    asks: bool = False


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
    """The sections of a lesson's prose, or of another Markdown file beside the lessons, by heading."""
    path = PROSE / name / "prose.md"
    if not path.exists():
        path = PROSE / f"{name}.md"
    return dict(_sections(path, path.stat().st_mtime_ns))


@lru_cache(maxsize=64)
def _sections(path: Path, _changed_ns: int) -> dict[str, str]:
    """The sections of a file that was changed last at this time: a page asks for them a dozen times in each run."""
    text = path.read_text(encoding="utf-8")
    parts = ("\n" + text).split("\n## ")[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}
