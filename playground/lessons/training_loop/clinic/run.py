"""A case as the engine runs it: the script, the line that the student picks, and the changed script beside it."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from itertools import takewhile
from typing import Any, ClassVar

from playground.engine.commands import Command, CommandError, Pick
from playground.engine.frames import Figure
from playground.engine.messages import UNKNOWN_COMMAND
from playground.knobs import shorten
from playground.lessons.doctor.watch import Watch
from playground.lessons.numbers import number
from playground.lessons.training_loop.clinic import words
from playground.lessons.training_loop.clinic.case import Case, Edit, with_seed
from playground.lessons.training_loop.clinic.cases import LOUD, MYTHS, SILENT
from playground.lessons.training_loop.clinic.track import Track
from playground.lessons.training_loop.figures.clinic import Choice, Curve, Panel, ScriptLine, curves, script
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

PLAY_SECONDS = 8.0  # a script takes this long at the speed "Auto"
LINES_PER_SECOND = 6.0  # of a script that runs line by line
DASHES = ("solid", "dash")
MAX_ERROR = 600  # letters of a message that are shown


class ScriptRun(SteppedRun):
    """A case's script, and beside it one with a change, at the same step.

    What others may read: `case`; `first` and `changed`, each a `Track` with `script.names` ("model", "optimizer",
    "loss_fn", "loss", ...) and `curve(name, at)`; `is_revealed`, whether the student knows the fault.
    """

    cases: ClassVar[Mapping[str, Case]]
    has_doctor: ClassVar[bool] = False  # whether the doctor watches the first script

    def __init__(self, config: Any, settings: Settings) -> None:
        self.case = self.cases[config.case]
        self.by_line = self.case.measure is None
        self.seed = config.seed
        self.first = self.track(self.case.script, watch=Watch() if self.has_doctor and not self.by_line else None)
        self.changed: Track | None = None
        super().__init__(config, settings, self.first.length)

    @property
    @abstractmethod
    def is_revealed(self) -> bool:
        """Whether the student knows what is wrong, so that it may be named."""

    @abstractmethod
    def panel(self, at: int) -> Panel:
        """The script as it is shown after `at` steps."""

    @property
    def auto_speed(self) -> float:
        """All steps within about eight seconds, lines more slowly."""
        return LINES_PER_SECOND if self.by_line else max(10.0, (self.length or 0) / PLAY_SECONDS)

    def track(self, text: str, watch: Watch | None = None) -> Track:
        """A script of this case at its start."""
        return Track(with_seed(text, self.seed), self.case.curves, by_line=self.by_line, watch=watch)

    def begin_again(self, changed: Track) -> None:
        """Run a changed script beside the first one, from step 0."""
        self.changed = changed
        self.steps, self.outcome, self._viewed = 0, "", None
        self.length = max(self.first.length, changed.length)

    def step(self) -> None:
        """A pass of the training loop, or a line, of each script."""
        for each in (self.first, self.changed):
            if each is not None:
                each.advance_to(self.steps + 1)

    def value(self, track: Track) -> str:
        """The number that a script has ended with, as text."""
        return number(track.result(self.case.measure))

    def is_healthy(self, track: Track) -> bool:
        """Whether a script that has ended has done well: its own number says so."""
        measure = self.case.measure
        return not track.error and (measure is None or measure.is_healthy(track.result(measure)))

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The script, and its curves."""
        return {"script": lambda: script(self.panel(at)), "curves": partial(self._curves, at)}

    def status(self, at: int) -> dict[str, float]:
        """The loss of the script, and of the changed one, where it is the loss that is drawn."""
        if self.by_line or self.case.curves[0] != "loss":
            return {}
        losses = {"loss": _rounded(self.first.loss(at))}
        if self.changed is not None:
            losses["changed_loss"] = _rounded(self.changed.loss(at))
        return losses

    @property
    def names_of_tracks(self) -> tuple[str, str]:
        """What the two scripts are called in the legend."""
        return words.TRACKS["first"], words.TRACKS["changed"]

    def marked_lines(self, at: int) -> tuple[ScriptLine, ...]:
        """The lines of the first script, none to be picked, marked where they differ from the one beside it."""
        first, other = self.first, self.first if self.changed is None else self.changed
        beside = first.beside(at)
        return tuple(
            ScriptLine(first.lines[new] if new is not None else other.lines[old or 0],
                       beside.get(new, "") if new is not None else "", sign)
            for sign, old, new in _aligned(other.lines, first.lines)
        )  # fmt: skip

    def _curves(self, at: int) -> Figure:
        drawn = []
        pairs = [(self.first, "@test"), *([] if self.changed is None else [(self.changed, "@train")])]
        for (track, colour), name in zip(pairs, self.names_of_tracks, strict=False):
            is_behind = track is self.first and self.changed is not None
            for curve, dash in zip(self.case.curves, DASHES, strict=False):
                values = track.curve(curve, track.steps if is_behind else at)
                label = words.CURVE.format(track=name, name=curve)
                drawn.append(Curve(label, values, colour, dash, is_behind))
        title = (words.LOG_AXIS if self.case.log else words.AXIS).format(name=self.case.curves[0])
        return curves(drawn, title=title, until=self.length or 1, log=self.case.log)


class CaseRun(ScriptRun):
    """A case whose fault the student looks for: first the line, then the change that cures it."""

    sentences: ClassVar[Mapping[str, str]]

    def __init__(self, config: Any, settings: Settings) -> None:
        super().__init__(config, settings)
        self.wrong_lines: list[int] = []
        self.line: int | None = None  # of the fault, once it was picked
        self.chosen: int | None = None  # of the case's choices
        self.failed: set[int] = set()  # choices that did not help

    @property
    def is_revealed(self) -> bool:
        """Whether a cure has been found."""
        return self.changed is not None and self.changed.has_ended and self.is_healthy(self.changed)

    @property
    def change(self) -> Edit | None:
        """The change that was chosen."""
        return None if self.chosen is None else self.case.choices[self.chosen]

    def step(self) -> None:
        """A step of each script; a change that did not help is remembered."""
        super().step()
        if self.changed is not None and self.chosen is not None and self.changed.has_ended and not self.is_revealed:
            self.failed.add(self.chosen)

    def edit(self, command: Command) -> None:
        """Take a line or a change that was picked. Raises CommandError for nonsense."""
        place = int(command.x) if isinstance(command, Pick) and float(command.x).is_integer() else -1
        chart = command.chart if isinstance(command, Pick) else ""
        if chart == "line" and 0 <= place < len(self.case.lines):
            self._pick(place)
        elif chart == "choice" and self.line is not None and 0 <= place < len(self.case.choices):
            self.chosen = place
            self.failed.discard(place)
            self.begin_again(self.track(self.case.choices[place].applied(self.case.script)))
        else:
            raise CommandError(UNKNOWN_COMMAND)

    def _pick(self, line: int) -> None:
        if self.line is not None or not self.case.lines[line].strip():
            return
        if self.case.is_fault(line):
            self.line = line
        elif line not in self.wrong_lines:
            self.wrong_lines.append(line)

    def narrate(self, at: int) -> str:
        """What has happened, in one sentence."""
        changed, change, measure = self.changed, self.change, self.case.measure
        name = "" if measure is None else measure.name
        if changed is not None and change is not None:
            if not changed.has_ended_at(at):
                return words.SENTENCES["trying loud" if self.by_line else "trying"]
            kind = ("runs" if self.by_line else "cured") if self.is_healthy(changed) else (
                "fails" if changed.error else "not cured")  # fmt: skip
            values = {"value": "", "before": ""} if self.by_line else {
                "value": self.value(changed), "before": self.value(self.first)}  # fmt: skip
            return words.SENTENCES[kind].format(name=name, error=_last_line(changed.error), next=self.next, **values)
        if self.line is not None:
            return words.SENTENCES["found"].format(line=self.line + 1)
        if self.wrong_lines:
            return words.SENTENCES["wrong line"].format(line=self.wrong_lines[-1] + 1)
        if self.first.has_ended_at(at):
            value = "" if self.by_line else self.value(self.first)
            return self.sentences["ended"].format(name=name, value=value, line=self.first.position(at) + 1)
        kind = "running" if at else "start"
        return self.sentences[kind].format(line=self.first.position(at) + 1)

    def panel(self, at: int) -> Panel:
        """The script, or what the chosen change makes of it; the choices under the line of the fault."""
        shown = self.first if self.changed is None else self.changed
        lines = self._lines(at)
        error = _whole_error(shown.error) if self.by_line and shown.has_ended_at(at) else ""
        return Panel(
            lines, self._said(at), good=self.is_revealed and shown.has_ended_at(at), pickable=self.line is None,
            choices=self._choices(at), error=error, after=self._after(lines),
        )  # fmt: skip

    def _said(self, at: int) -> str:
        """What stands under the script."""
        texts, change = words.PANEL, self.change
        if self.changed is not None and change is not None:
            if not self.changed.has_ended_at(at):
                return texts["trying loud" if self.by_line else "trying"]
            if not self.is_healthy(self.changed):
                return texts["not cured"].format(why=change.why)
            return texts["cured"].format(fault=self.case.fault, explanation=self.case.why, why=change.why)
        if self.line is not None:
            return texts["choose"]
        if self.wrong_lines:
            return texts["look"].format(clue=self.case.clue)
        return texts["pick loud" if self.by_line else "pick"]

    def _choices(self, at: int) -> tuple[Choice, ...]:
        """Nothing before the line was found."""
        if self.line is None:
            return ()
        states = dict.fromkeys(self.failed, "no")
        if self.chosen is not None and self.changed is not None:
            is_over = self.changed.has_ended_at(at)
            states[self.chosen] = ("yes" if self.is_healthy(self.changed) else "no") if is_over else "running"
        return tuple(Choice(each.difference, states.get(place, "")) for place, each in enumerate(self.case.choices))

    def _after(self, lines: Sequence[ScriptLine]) -> int:
        """The place of the line of the fault among the lines that are shown, or of the last that came in its place."""
        if self.line is None:
            return -1
        at = next(at for at, each in enumerate(lines) if each.number == self.line)
        if lines[at].sign:
            at += len(list(takewhile(lambda each: each.sign, lines[at + 1 :])))
        return at

    @property
    def next(self) -> str:
        """Which case comes after this one, in one sentence."""
        names = list(self.cases)
        number = names.index(self.case.name) + 2
        return (words.NEXT if number <= len(names) else words.LAST).format(number=number)

    def _lines(self, at: int) -> tuple[ScriptLine, ...]:
        if self.changed is None:
            rows = _aligned(self.first.lines, self.first.lines)
        else:
            rows = _aligned(self.first.lines, self.changed.lines)
        shown = self.first if self.changed is None else self.changed
        beside, found = shown.beside(at), []
        for sign, old, new in rows:
            code = shown.lines[new] if new is not None else self.first.lines[old or 0]
            mark = "" if old is None else "fault" if old == self.line else "wrong" if old in self.wrong_lines else ""
            if new is not None and self.by_line and at:
                mark = self._mark_of_line(shown, at, new) or mark
            found.append(ScriptLine(code, beside.get(new, "") if new is not None else "", sign, mark,
                                    -1 if old is None else old))  # fmt: skip
        return tuple(found)

    def _mark_of_line(self, shown: Track, at: int, line: int) -> str:
        """Whether a line of a script that runs line by line was the last, or has raised."""
        if line != shown.position(at):
            return ""
        return "error" if shown.error and shown.has_ended_at(at) else "now"


class SilentRun(CaseRun):
    """A case without a message."""

    cases = SILENT
    sentences = words.SILENT
    has_doctor = True

    @cached_property
    def diagnosis(self) -> str:
        """What the doctor says of the first script, after the fault is known."""
        found = self.first.diagnosis()
        return words.PANEL["diagnosis"].format(sentence=found) if found else words.PANEL["no diagnosis"]

    def _said(self, at: int) -> str:
        """What stands under the script, in the end with the doctor's words."""
        said = super()._said(at)
        is_over = self.is_revealed and self.first.has_ended and at >= self.steps and self.outcome == "done"
        return words.PANEL["with diagnosis"].format(said=said, diagnosis=self.diagnosis) if is_over else said


class LoudRun(CaseRun):
    """A case whose script raises an error, line by line."""

    cases = LOUD
    sentences = words.LOUD

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The script alone."""
        return {"script": lambda: script(self.panel(at))}


class MythRun(ScriptRun):
    """A change that people warn of: the student says whether it breaks the script, then both run."""

    cases = MYTHS

    def __init__(self, config: Any, settings: Settings) -> None:
        super().__init__(config, settings)
        self.answer: int | None = None  # 0: broken, 1: not broken

    @property
    def is_revealed(self) -> bool:
        """Whether both scripts have ended."""
        return self.changed is not None and self.changed.has_ended and self.first.has_ended

    @property
    def names_of_tracks(self) -> tuple[str, str]:
        """What the two scripts are called in the legend."""
        return words.TRACKS["myth"], words.TRACKS["without"]

    def step(self) -> None:
        """A step of both scripts; who plays without an answer has skipped the question."""
        if self.changed is None:
            self.changed = self._without_change()
        super().step()

    def edit(self, command: Command) -> None:
        """Take the answer, once, and only before the scripts run. Raises CommandError for nonsense."""
        if not isinstance(command, Pick) or command.chart != "choice" or command.x not in (0, 1):
            raise CommandError(UNKNOWN_COMMAND)
        if self.changed is None:
            self.answer = int(command.x)
            self.begin_again(self._without_change())

    def _without_change(self) -> Track:
        return self.track(self.case.cure.applied(self.case.script))

    def narrate(self, at: int) -> str:
        """What has happened, in one sentence."""
        if self.changed is None or self.case.measure is None:
            return words.MYTHS["start"]
        if not (self.is_revealed and at >= (self.length or 0)):
            return words.MYTHS["running"]
        kind = "harmless" if self.is_healthy(self.first) else "broken"
        return words.MYTHS[kind].format(
            name=self.case.measure.name, value=self.value(self.first), before=self.value(self.changed)
        )

    def panel(self, at: int) -> Panel:
        """The script with the claim, and after the answer what the change has done."""
        is_over, is_skipped = self.is_revealed and at >= (self.length or 0), self.answer is None
        has_begun = self.changed is not None
        is_right = self.answer == int(self.is_healthy(self.first)) if is_over else False
        kind = "claim"
        if is_over:
            kind = "skipped" if is_skipped else "right" if is_right else "wrong"
        elif has_begun:
            kind = "no answer" if is_skipped else "answered"
        said = words.MYTHS[kind].format(claim=self.case.fault, why=self.case.why)
        return Panel(self.marked_lines(at), said, good=is_right, answers=words.ANSWERS,
                     answered=-1 if self.answer is None else self.answer,
                     too_late=has_begun and is_skipped)  # fmt: skip


def _aligned(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int | None, int | None]]:
    """The lines of two scripts in one order: sign, place in the old one, place in the new one."""
    rows: list[tuple[str, int | None, int | None]] = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            rows += [("", i + each, k + each) for each in range(j - i)]
        else:
            rows += [("−", each, None) for each in range(i, j)]
            rows += [("+", None, each) for each in range(k, m)]
    return rows


def _rounded(loss: float) -> float:
    return float(f"{loss:.4g}")


def _last_line(error: str) -> str:
    """The first line of an error, which names it."""
    return error.split("\n")[0]


def _whole_error(error: str) -> str:
    """An error as it is shown: at most as much of it as a reader needs."""
    return shorten(error, MAX_ERROR)
