"""The protocol between a board in the browser and the engine: its messages, their limits, and what is refused.

Both directions use one websocket for the viewer that controls an open run: /live/<run id>. Those that only read it, in
a class, have another name of the run and another path; their "do" is ignored, and the run does not train for them.

From the browser: texts in JSON, of two kinds.

    {"ask": [chart, ...], "options": {toggle: true | false, ...}}
        The last frame is painted; send the next one, with these charts. At most MAX_CHARTS of either.
    {"do": command, ...}
        The player, a chart or a form was used. `read_command` makes a command of it; these are all of them:

    do        fields                           command       what it asks for
    play      steps                            Play          train until paused, done or failed; with `steps`, for that
                                                             many at the usual speed, then pause
    pause                                      Pause         stop training
    step      n, unit: "step" | "epoch"        Step          train for n steps or to the end of n epochs, then pause;
              | "line"                                     "line": show the next line of the coming step
    reset                                      Reset         start again from step 0, paused
    speed     value: steps/s, 0 full, null     SetSpeed      train at this speed; null: at the speed of the run
    scrub     to: index | null, or step        LookBack      show what was kept there, or last before the step; null:
                                                             show the current step
    go_back   step                             GoBack        continue from a step that is kept; without one, after a
                                                             divergence, from the last good step
    leave                                      Leave         the page is left: the run is paused for whoever returns
    add       x, y                             AddPoint      add a training point
    remove    x, y                             RemovePoint   remove the training point nearest to this place
    undo                                       Undo          take back the last change made by hand
    set       layer, unit, input | null, value SetWeight     set one weight; without an input, a bias
    explain   x, y                             Explain       show the forward pass for this place
    pick      chart, x, y                      Pick          a chart was clicked at this place
    draw      bits: base64 | null              Draw          the drawing pad; null: it is empty
    slide     name, value                      Slide         a slider in a chart's header was moved
    answer    id, answer | skip                              not of the run: a question of the page was answered
                                                             (`pages/ui/routes/answers.py`)

    n and steps are from 1 to MAX_STEPS, a speed from MIN_SPEED to MAX_SPEED; layer, unit and input count from 0; x, y
    and all other values are numbers from -MAX_NUMBER to MAX_NUMBER, x and y in the units of the chart's axes. A command
    that breaks these rules, or that the lesson does not know, changes nothing; the refusal, one sentence, is the
    "notice" of the next frame. A message that has neither of these two forms closes the socket with code 4400, one that
    is too long with 4413, too many with 4429. The server also closes with 4403 (another website), 4404 (no such run),
    4409 (the run is watched elsewhere, or by too many readers), 4410 (the run was closed on purpose) and 1012
    (the server stops: come back).

A viewer that controls may keep what brings its run back: /live/<run id>?keeps=1. Between frames it gets messages

    keep      a text, to be kept in the place of the last one
    state     the bytes that belong to it, u1; without them, the last ones stay

and it gives both back to POST /return/<run id> when a server no longer has the run (`pages/ui/routes/returns.py`).

To the browser: frames in binary, at most one for each "ask" (`playground.engine.frames` has the bytes). A frame has
only the entries that differ from the frame before:

    state     "playing" | "paused" | "done" | "failed" | "queued"
    notice    the last refusal or the reason for a stop; "" when there is none
    place     the place in the queue for playing, from 1; 0 when the run is not queued
    heading   of two compared runs: the setting in which they differ, and its value
    status    {name: number} beside the player; "steps_per_second" is the engine's
    note      the narrator's sentence
    time      the time slider: {"count": places, "at": index shown | null for the current step, "step": step shown,
              "now": current step, "end": planned last step | null}, after a divergence {"good": step} if the run can
              go back to that step, and {"branch": true} if it can continue from the step shown
    charts    {chart: {"figure": whole figure} | {"set": [[path, value], ...]}}: the changes since the last frame
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from playground.engine import messages

MAX_CHARTS = 32  # in one ask
MAX_STEPS = 100_000  # of one Step
MIN_SPEED, MAX_SPEED = 0.01, 100_000  # steps a second
MAX_NUMBER = 1e6


class CommandError(ValueError):
    """A command that is refused; the message is a sentence for the visitor."""


class ProtocolError(ValueError):
    """A message that the protocol does not have; the message is a sentence that says what it should be."""


@dataclass(frozen=True)
class Ask:
    """A viewer wants the next frame, with these charts, drawn with these toggles."""

    charts: tuple[str, ...]
    options: dict[str, bool]


@dataclass(frozen=True)
class Command:
    """What a player, a chart or a form asks of a run."""


@dataclass(frozen=True)
class Play(Command):
    """Train until paused, done or failed, or, if `steps` is not 0, for this number of steps."""

    steps: int = 0


@dataclass(frozen=True)
class Pause(Command):
    """Stop training."""


@dataclass(frozen=True)
class Step(Command):
    """Train for some steps, or to the end of the current epoch and of those after it, `count` in all; then pause.

    With the unit "line", show `count` more lines of the coming step; the last line takes it.
    """

    count: int = 1
    unit: Literal["step", "epoch", "line"] = "step"


@dataclass(frozen=True)
class Reset(Command):
    """Start again from step 0, paused."""


@dataclass(frozen=True)
class SetSpeed(Command):
    """Train at this many steps a second; 0 is full speed, None the speed that the run prefers."""

    steps_per_second: float | None


@dataclass(frozen=True)
class LookBack(Command):
    """Show the snapshot at this index, or the last one up to this step; with neither, the current step."""

    index: int | None = None
    step: int | None = None

    @property
    def shows_now(self) -> bool:
        """Whether the current step is to be shown."""
        return self.index is self.step is None


@dataclass(frozen=True)
class GoBack(Command):
    """Continue from a step that is kept, paused; without one, from the last good step of a run that has diverged."""

    step: int | None = None


@dataclass(frozen=True)
class Leave(Command):
    """The viewer leaves the page; whoever returns to it later finds the run paused."""


@dataclass(frozen=True)
class AddPoint(Command):
    """Add a training point at this place."""

    x: float
    y: float


@dataclass(frozen=True)
class RemovePoint(Command):
    """Remove the training point nearest to this place."""

    x: float
    y: float


@dataclass(frozen=True)
class Undo(Command):
    """Take back the last change made by hand."""


@dataclass(frozen=True)
class SetWeight(Command):
    """Set one weight of a unit, or its bias where `source` is None; each counts from 0."""

    layer: int
    unit: int
    source: int | None
    value: float


@dataclass(frozen=True)
class Explain(Command):
    """Show the forward pass for this place."""

    x: float
    y: float


@dataclass(frozen=True)
class Pick(Command):
    """A chart was clicked at this place."""

    x: float
    y: float
    chart: str = ""


@dataclass(frozen=True)
class Draw(Command):
    """The drawing pad's bits in base64; None when it is empty."""

    bits: str | None


@dataclass(frozen=True)
class Slide(Command):
    """A slider in a chart's header was moved to this value."""

    name: str
    value: float


def read_command(message: Mapping[str, Any]) -> Command:
    """The command in a message {"do": ..., ...}. Raises CommandError with a sentence."""
    name = message.get("do")
    reader = _READERS.get(name) if isinstance(name, str) else None
    if reader is None:
        raise CommandError(messages.UNKNOWN_COMMAND)
    return reader(message)


def written(command: Command) -> dict[str, Any]:
    """The message of which `read_command` makes this command, without its empty fields."""
    found = {_FIELDS.get(name, name): value for name, value in vars(command).items()}
    return {"do": _NAMES[type(command)], **{name: value for name, value in found.items() if value is not None}}


def read_ask(message: Mapping[str, Any]) -> Ask:
    """The charts and options in a message {"ask": ..., "options": ...}. Raises ProtocolError with a sentence."""
    charts, options = message.get("ask"), message.get("options", {})
    if not isinstance(charts, list) or len(charts) > MAX_CHARTS or not all(isinstance(name, str) for name in charts):
        raise ProtocolError(messages.BAD_ASK)
    if not isinstance(options, dict) or len(options) > MAX_CHARTS:
        raise ProtocolError(messages.BAD_OPTIONS)
    if not all(isinstance(on, bool) for on in options.values()):
        raise ProtocolError(messages.BAD_OPTIONS)
    return Ask(tuple(dict.fromkeys(charts)), options)


def coordinate(value: Any) -> float:
    """A coordinate of a point, from -MAX_NUMBER to MAX_NUMBER. Raises CommandError with a sentence."""
    return _number(value, messages.BAD_POINT)


def _number(value: Any, refusal: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= MAX_NUMBER:
        raise CommandError(refusal)
    return float(value)


def _whole(value: Any, refusal: str) -> int:
    if type(value) is not int:
        raise CommandError(refusal)
    return value


def _point(message: Mapping[str, Any]) -> tuple[float, float]:
    return coordinate(message.get("x")), coordinate(message.get("y"))


def _play(message: Mapping[str, Any]) -> Play:
    bad_steps = messages.BAD_STEPS.format(most=MAX_STEPS)
    steps = _whole(message.get("steps", 0), bad_steps)
    if not 0 <= steps <= MAX_STEPS:
        raise CommandError(bad_steps)
    return Play(steps)


def _step(message: Mapping[str, Any]) -> Step:
    bad_steps = messages.BAD_STEPS.format(most=MAX_STEPS)
    count, unit = _whole(message.get("n", 1), bad_steps), message.get("unit", "step")
    if not 1 <= count <= MAX_STEPS:
        raise CommandError(bad_steps)
    if unit not in ("step", "epoch", "line"):
        raise CommandError(messages.BAD_UNIT)
    return Step(count, unit)


def _set_speed(message: Mapping[str, Any]) -> SetSpeed:
    value = message.get("value")
    if value is None:
        return SetSpeed(None)
    bad_speed = messages.BAD_SPEED.format(least=MIN_SPEED, most=MAX_SPEED)
    speed = _number(value, bad_speed)
    if speed != 0 and not MIN_SPEED <= speed <= MAX_SPEED:
        raise CommandError(bad_speed)
    return SetSpeed(speed)


def _look_back(message: Mapping[str, Any]) -> LookBack:
    to, step = message.get("to"), message.get("step")
    if step is None:
        return LookBack(None if to is None else _whole(to, messages.BAD_TIME))
    if to is not None or _whole(step, messages.BAD_TIME) < 0:
        raise CommandError(messages.BAD_TIME)
    return LookBack(step=step)


def _go_back(message: Mapping[str, Any]) -> GoBack:
    step = message.get("step")
    return GoBack(None if step is None else _whole(step, messages.BAD_TIME))


def _set_weight(message: Mapping[str, Any]) -> SetWeight:
    value = _number(message.get("value"), messages.BAD_WEIGHT)
    layer, unit = (_whole(message.get(name), messages.BAD_WEIGHT_PLACE) for name in ("layer", "unit"))
    source = message.get("input")
    return SetWeight(layer, unit, None if source is None else _whole(source, messages.BAD_WEIGHT_PLACE), value)


def _pick(message: Mapping[str, Any]) -> Pick:
    chart = message.get("chart", "")
    if not isinstance(chart, str):
        raise CommandError(messages.BAD_CHART)
    return Pick(*_point(message), chart)


def _draw(message: Mapping[str, Any]) -> Draw:
    bits = message.get("bits")
    if bits is not None and not isinstance(bits, str):
        raise CommandError(messages.BAD_DRAWING)
    return Draw(bits)


def _slide(message: Mapping[str, Any]) -> Slide:
    name = message.get("name")
    if not isinstance(name, str):
        raise CommandError(messages.BAD_SLIDER)
    return Slide(name, _number(message.get("value"), messages.BAD_SLIDER))


_READERS: dict[str, Callable[[Mapping[str, Any]], Command]] = {
    "play": _play,
    "pause": lambda message: Pause(),
    "step": _step,
    "reset": lambda message: Reset(),
    "speed": _set_speed,
    "scrub": _look_back,
    "go_back": _go_back,
    "leave": lambda message: Leave(),
    "add": lambda message: AddPoint(*_point(message)),
    "remove": lambda message: RemovePoint(*_point(message)),
    "undo": lambda message: Undo(),
    "set": _set_weight,
    "explain": lambda message: Explain(*_point(message)),
    "pick": _pick,
    "draw": _draw,
    "slide": _slide,
}

_NAMES: dict[type[Command], str] = {
    Play: "play", Pause: "pause", Step: "step", Reset: "reset", SetSpeed: "speed", LookBack: "scrub",
    GoBack: "go_back", Leave: "leave", AddPoint: "add", RemovePoint: "remove", Undo: "undo", SetWeight: "set",
    Explain: "explain", Pick: "pick", Draw: "draw", Slide: "slide",
}  # fmt: skip
_FIELDS = {"count": "n", "steps_per_second": "value", "index": "to", "source": "input"}  # that messages call otherwise
