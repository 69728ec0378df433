"""What the server asks of a run apart from commands: operations with names and data, so that they can go to a process.

Whatever needs torch is imported where an operation is carried out: to name one costs nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from playground.experiments import Experiment
    from playground.lesson import OwnPoints
    from playground.predictions import Answer, Prediction, Verdict
    from playground.real_runs import RealRuns

Result = TypeVar("Result")
Rows = tuple[tuple[float, ...], ...]


class Operation(ABC, Generic[Result]):
    """A question to a run, or a change of it, carried out between two steps in the process that has the run.

    A subclass is a frozen dataclass with plain data; its result is plain data, too (texts, numbers, bytes, configs,
    NumPy arrays), because both travel between processes. It raises ValueError with a sentence where it is refused.

        taken = operation.on(run)          between two steps
        result = operation.finish(taken)   while the run continues
    """

    @abstractmethod
    def on(self, run: Any) -> Any:
        """Carry it out on a run; returns the result, or what `finish` makes the result of."""

    def finish(self, taken: Any) -> Result:
        """The result, made of what `on` returned, on a thread that keeps no run waiting."""
        result: Result = taken
        return result

    def __call__(self, run: Any) -> Any:
        """The part between two steps, as the engine calls it."""
        return self.on(run)


# The student's own points and pictures.


@dataclass(frozen=True)
class UseRows(Operation[int]):
    """Train on the rows of a table, or with None on generated points; the result is the number of rows in use."""

    rows: Rows | None

    def on(self, run: Any) -> int:
        """Change the data."""
        run.use_rows(self.rows)
        return len(self.rows or ())


@dataclass(frozen=True)
class RowsInUse(Operation[int]):
    """The number of rows of the student's own table; 0 while generated points are in use."""

    def on(self, run: Any) -> int:
        """Count them."""
        return len(run.edits.rows or ())


@dataclass(frozen=True)
class CountClasses(Operation[int]):
    """The number of classes that the data of a lesson's run has; 0 where there are none."""

    lesson: str

    def on(self, run: Any) -> int:
        """Count them."""
        return _own_points(self.lesson).classes(run)


@dataclass(frozen=True)
class PointsAsCsv(Operation[str]):
    """The data of a lesson's run as CSV."""

    lesson: str

    def on(self, run: Any) -> str:
        """Write it."""
        return _own_points(self.lesson).write(run.data)


@dataclass(frozen=True)
class UsePicture(Operation[None]):
    """Show a picture of a digit in all charts: grey levels uint8 (height, width)."""

    grey: Any

    def on(self, run: Any) -> None:
        """Show it."""
        run.use_picture(self.grey)


def _own_points(lesson: str) -> OwnPoints:
    from playground.lessons import LESSONS

    found: Any = LESSONS[lesson]
    points: OwnPoints = found.own_points
    return points


# Files.


@dataclass(frozen=True)
class CheckpointFile(Operation[bytes]):
    """The checkpoint of a lesson's run at its current step, as a file."""

    lesson: str

    def on(self, run: Any) -> Any:
        """Copy the run's state."""
        from playground.saving import checkpoint

        return checkpoint.take(self.lesson, run)

    def finish(self, taken: Any) -> bytes:
        """Make the file."""
        from playground.saving import checkpoint

        return checkpoint.pack(taken)


@dataclass(frozen=True)
class WeightsFile(Operation[bytes]):
    """The weights of a run at its current step, as a file that ends in `.pt` or `.npz`."""

    kind: Literal["pt", "npz"]

    def on(self, run: Any) -> Any:
        """Copy the weights."""
        from playground.saving import checkpoint

        return checkpoint.take_weights(run)

    def finish(self, taken: Any) -> bytes:
        """Make the file."""
        from playground.saving import weight_files

        return (weight_files.as_pt if self.kind == "pt" else weight_files.as_npz)(taken)


# How a run came to its current step.


@dataclass(frozen=True)
class WrittenScript:
    """The script of a run, and what the page says about it; with a `refusal`, a sentence, there is none."""

    steps: int
    text: str = ""
    needs: str = ""
    promise: str = ""
    prints: str = ""
    why_saved: str = ""  # why it begins at a later step than 0, in a sentence
    refusal: str = ""


@dataclass(frozen=True)
class WriteScript(Operation["WrittenScript | None"]):
    """The script of a lesson's run up to its current step; None where the run keeps no journal."""

    lesson: str

    def on(self, run: Any) -> Any:
        """Note how the run came here."""
        return _run_history(run)

    def finish(self, taken: Any) -> WrittenScript | None:
        """Write the script."""
        from playground.lessons import LESSONS
        from playground.scripts.script import WHY_SAVED, ScriptError

        lesson: Any = LESSONS[self.lesson]
        if taken is None or lesson.script is None:
            return None
        script = lesson.script(taken)
        try:
            text = script.text()
        except ScriptError as error:
            return WrittenScript(taken.steps, refusal=str(error))
        saved = taken.saved
        why_saved = "" if saved is None else WHY_SAVED[saved.why].format(step=taken.start.steps)
        return WrittenScript(taken.steps, text, script.needs, script.promise, script.prints, why_saved)


@dataclass(frozen=True)
class ReplayLink:
    """What a link needs to repeat a run; with a `refusal`, a sentence, there is no such link.

    `settings` are the run's knobs as texts, `parameters` what the link has in addition. At step 0 it has neither.
    """

    steps: int
    checksum: str = ""  # of the weights, as many digits as the link has
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""


@dataclass(frozen=True)
class WriteReplayLink(Operation["ReplayLink | None"]):
    """What a link to the run's current step needs; None where the run keeps no journal."""

    def on(self, run: Any) -> Any:
        """Note how the run came here."""
        return _run_history(run)

    def finish(self, taken: Any) -> ReplayLink | None:
        """Write the parameters."""
        from playground.saving import replay

        if taken is None or not taken.steps:
            return None if taken is None else ReplayLink(0)
        try:
            parameters = replay.parameters(taken)
        except replay.ReplayError as error:
            return ReplayLink(taken.steps, refusal=str(error))
        checksum = taken.checksum[: replay.CHECKSUM_DIGITS]
        return ReplayLink(taken.steps, checksum, taken.config.as_texts(), parameters)


# Predictions.


@dataclass(frozen=True)
class Grade(Operation["Verdict | None"]):
    """How the answer to an experiment's prediction comes out; None for a run that is not where the question ends.

    That is a run with other settings, or one that has not come to that step yet. A run that has gone on is not asked
    what it was: another one is played from its settings. A still lab has no run, and is graded without one.
    """

    lesson: str
    experiment: str
    answer: Answer

    def on(self, run: Any) -> Any:
        """What the rule says of the run; the settings instead, if the rule reads them or the run has gone on."""
        from playground import predictions

        found, prediction = _predicted(self.lesson, self.experiment)
        if run is None:
            return found.config
        until = prediction.until
        if run.config != found.config or not (run.outcome or (until is not None and run.steps >= until)):
            return None
        if prediction.reads == "config" or (until is not None and run.steps > until):
            return found.config
        return Told(predictions.truth_of(prediction.ask, run))

    def finish(self, taken: Any) -> Verdict | None:
        """The verdict."""
        from playground import predictions

        if taken is None:
            return None
        found, prediction = _predicted(self.lesson, self.experiment)
        if isinstance(taken, Told):
            truth = taken.truth
        else:
            truth = predictions.truth_of(prediction.ask, predictions.subject_of(prediction, found.bench, taken))
        return predictions.grade(prediction, self.answer, truth)


@dataclass(frozen=True)
class PlayForClass(Operation["RealRuns"]):
    """The right answer to an experiment's prediction, and recordings of the runs that show it."""

    lesson: str
    experiment: str

    def on(self, run: Any) -> None:
        """Needs no run."""

    def finish(self, taken: None) -> RealRuns:
        """Play the runs, and read the answer."""
        from playground.real_runs import real_runs

        return real_runs(self.lesson, self.experiment)


@dataclass(frozen=True)
class Told:
    """What a rule has said of a run."""

    truth: Answer


def _predicted(lesson_name: str, experiment: str) -> tuple[Experiment, Prediction]:
    """An experiment and its prediction."""
    from playground import predictions
    from playground.experiments import experiments
    from playground.lessons import LESSONS

    lesson = LESSONS[lesson_name]
    found = next(each for each in experiments(lesson) if each.id == experiment)
    return found, predictions.of(lesson)[experiment]


def _run_history(run: Any) -> Any:
    from playground.runs.training_run import TrainingRun

    return run.run_history() if isinstance(run, TrainingRun) else None
