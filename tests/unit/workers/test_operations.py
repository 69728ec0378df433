"""Operations: what they need and what they give are plain data, and to name one costs nothing."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from playground import predictions
from playground.lessons import LESSONS
from playground.saving import checkpoint, replay
from playground.settings import Settings
from playground.workers import operations
from playground.workers.operations import (
    CheckpointFile,
    CountClasses,
    Grade,
    Operation,
    PlayForClass,
    PointsAsCsv,
    ReplayLink,
    RowsInUse,
    UsePicture,
    UseRows,
    WeightsFile,
    WriteReplayLink,
    WriteScript,
    WrittenScript,
)

ROWS = ((0.0, 1.0), (1.0, 2.0), (0.5, 1.0))


def run_of(lesson: str, **knobs: Any) -> Any:
    found: Any = LESSONS[lesson]
    return found.build(found.config(**knobs), settings=Settings())


class WithoutTensors(pickle.Pickler):
    """Packs plain data."""

    def reducer_override(self, value: Any) -> Any:
        assert not isinstance(value, torch.Tensor), "a tensor was to travel"
        return NotImplemented


def ask(run: Any, operation: Operation[Any]) -> Any:
    """The result as it comes back from another process, of the operation as it went there."""
    there = pickle.loads(pickle.dumps(operation))
    packed = io.BytesIO()
    WithoutTensors(packed).dump(there.finish(there(run)))
    return pickle.loads(packed.getvalue())


def test_every_operation_is_a_frozen_dataclass_that_is_equal_after_a_journey() -> None:
    made = {
        UseRows(ROWS), RowsInUse(), CountClasses("regression"), PointsAsCsv("regression"), CheckpointFile("regression"),
        WeightsFile("pt"), WriteScript("regression"), WriteReplayLink(), Grade("regression", "small-steps", "behind"),
        PlayForClass("regression", "small-steps"),
    }  # fmt: skip
    kinds = {kind for kind in vars(operations).values() if isinstance(kind, type) and issubclass(kind, Operation)}
    assert kinds - {Operation, UsePicture} == {type(each) for each in made}
    assert {pickle.loads(pickle.dumps(each)) for each in made} == made


def test_to_name_an_operation_or_a_pool_needs_no_torch_so_that_workers_start_before_all_else() -> None:
    code = "import sys, pages.ui.session, playground.workers.operations; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_rows_are_used_counted_written_and_given_up() -> None:
    run = run_of("regression", test_share=0.0)
    assert ask(run, RowsInUse()) == 0
    assert ask(run, UseRows(ROWS)) == ask(run, RowsInUse()) == 3
    assert ask(run, PointsAsCsv("regression")).count("\n") >= 3
    assert ask(run, UseRows(None)) == ask(run, RowsInUse()) == 0
    assert ask(run_of("classification", classes=4), CountClasses("classification")) == 4


def test_a_file_is_that_of_the_step_at_which_it_was_asked_for() -> None:
    run = run_of("regression")
    run.advance(10.0, 5)
    operation, expected = CheckpointFile("regression"), checkpoint.save("regression", run)
    taken = operation(run)
    weights = WeightsFile("npz")(run)
    run.advance(10.0, 5)
    assert operation.finish(taken) == expected
    found = checkpoint.read(WeightsFile("npz").finish(weights), name="weights.npz")
    assert isinstance(found, dict)
    assert checkpoint.checksum(found) == checkpoint.load(expected).checksum


def test_a_picture_is_shown() -> None:
    run = run_of("cnn")
    ask(run, UsePicture(np.pad(np.full((20, 4), 255, np.uint8), 12)))
    assert run.selection.own_image is not None


@pytest.mark.parametrize(
    ("lesson", "experiment", "truth"),
    [("convolution", "stride-3", 9.0), ("autograd", "unused", None), ("regression", "no-hidden-layer", None)],
)
def test_the_truth_of_an_experiment_is_read_without_a_run_of_a_student(
    lesson: str, experiment: str, truth: float | None
) -> None:
    found = ask(None, PlayForClass(lesson, experiment)).truth
    prediction = predictions.of(LESSONS[lesson])[experiment]
    assert predictions.read(prediction.ask, found) == found
    assert truth is None or found == truth


def test_the_script_and_the_link_of_a_run_come_as_texts() -> None:
    run = run_of("regression")
    assert ask(run, WriteReplayLink()) == ReplayLink(0)
    run.advance(10.0, 7)
    link = ask(run, WriteReplayLink())
    assert (link.steps, link.refusal) == (7, "")
    assert link.parameters[replay.AT] == f"7.{link.checksum}" and link.settings == run.config.as_texts()
    script = ask(run, WriteScript("regression"))
    assert isinstance(script, WrittenScript)
    assert script.steps == 7 and "range(1, 8)" in script.text and script.why_saved == ""
    ask(run, UseRows(ROWS))
    assert ask(run, WriteReplayLink()).refusal == replay.NOT_ONLY_SETTINGS


def test_a_run_without_a_journal_has_neither_script_nor_link() -> None:
    run = object()
    assert WriteScript("regression").finish(WriteScript("regression")(run)) is None
    assert WriteReplayLink().finish(WriteReplayLink()(run)) is None
