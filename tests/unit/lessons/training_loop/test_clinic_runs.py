"""The clinic as a student meets it: lines and cures that are picked, what is shown, and what is not shown yet."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from playground.engine.commands import CommandError, LookBack, Pick
from playground.engine.frames import encode
from playground.lessons.training_loop.clinic.cases import LOUD, SILENT
from playground.lessons.training_loop.clinic.labs import ClinicConfig, ErrorsConfig, MythsConfig
from playground.lessons.training_loop.clinic.one_batch import OneBatchConfig, OneBatchRun
from playground.lessons.training_loop.clinic.run import LoudRun, MythRun, SilentRun
from playground.settings import Settings

CHARTS = ["script", "curves"]


def played(run: Any) -> Any:
    """The run at its end."""
    while not run.outcome:
        assert run.advance(10.0, 10_000)
    return run


def silent(case: str = "e1") -> SilentRun:
    return SilentRun(ClinicConfig(case=case), Settings())


def choice(run: Any, *, right: bool) -> Pick:
    """The pick of the cure, or of the first other change."""
    places = [at for at, each in enumerate(run.case.choices) if (each is run.case.cure) == right]
    return Pick(float(places[0]), 0.0, "choice")


def fault(run: Any) -> Pick:
    """The pick of the first line of the fault."""
    return Pick(float(next(at for at in range(len(run.case.lines)) if run.case.is_fault(at))), 0.0, "line")


def sent(run: Any) -> str:
    """All that a frame says."""
    drawing = run.draw(CHARTS, {})
    head = {"note": drawing.note, "status": drawing.status, "time": drawing.time, "charts": drawing.charts}
    return encode(head).decode("utf-8", "ignore")


@pytest.mark.parametrize("name", [*SILENT, *LOUD])
def test_no_frame_tells_fault_or_cure_before_the_pick(name: str) -> None:
    run = silent(name) if name in SILENT else LoudRun(ErrorsConfig(case=name), Settings())
    run.advance(10.0, 2)
    message = sent(run)
    secrets = [run.case.fault, run.case.why, run.case.clue, *(each.why for each in run.case.choices)]
    assert not [each for each in secrets if json.dumps(each, ensure_ascii=False)[1:-1] in message]
    new = {line for each in run.case.choices for line in each.new.split("\n")} - set(run.case.lines)
    assert not new & {line.code for line in run.panel(run.steps).lines}
    assert run.panel(run.steps).choices == ()


def test_a_wrong_line_gets_a_clue_and_no_cures() -> None:
    run = silent()
    run.apply(Pick(0.0, 0.0, "line"))
    assert run.narrate(0) == "Line 1 is not where the fault is."
    panel = run.panel(0)
    assert run.case.clue in panel.said and panel.lines[0].mark == "wrong" and panel.choices == ()


def test_the_line_then_a_change_that_does_not_help_then_the_cure() -> None:
    run = played(silent())
    assert run.narrate(run.steps).startswith("The script has ended: mse = 0.603.")
    run.apply(fault(run))
    assert len(run.panel(run.steps).choices) == 4 and run.panel(run.steps).after >= 0
    run.apply(choice(run, right=False))
    assert run.steps == 0 and run.outcome == "" and not run.is_revealed
    played(run)
    assert run.narrate(run.steps).startswith("That does not help: mse") and not run.is_revealed
    assert run.case.fault not in run.panel(run.steps).said
    run.apply(choice(run, right=True))
    assert [each.state for each in run.panel(0).choices].count("no") == 1, "what did not help stays marked"
    played(run)
    assert run.narrate(run.steps) == "Cured: mse = 0.00719 instead of 0.603. Now choose number 2 below."
    assert run.is_revealed and run.case.fault in run.panel(run.steps).said
    panel = run.panel(run.steps)
    assert {each.sign for each in panel.lines} == {"", "+", "−"}
    assert panel.lines[panel.after].code.strip() == "optimizer.step()", "the changes stand below what one has made"


def test_a_change_says_which_line_is_in_which_block() -> None:
    assert SILENT["b3"].cure.difference == (("−", "    scheduler.step()"), ("+", "scheduler.step()"))
    assert LOUD["l12"].cure.difference[-1] == ("+", "    output = model(x)")


def test_who_has_cured_a_case_is_told_which_one_is_next() -> None:
    assert [silent(name).next for name in ("e1", *list(SILENT)[-1:])] == [
        "Now choose number 2 below.", "This was the last one.",
    ]  # fmt: skip


def test_the_doctor_speaks_once_the_fault_is_known() -> None:
    run = played(silent())
    run.apply(fault(run))
    assert "doctor" not in run.panel(run.steps).said
    run.apply(choice(run, right=True))
    said = played(run).panel(run.steps).said
    assert "The doctor, who sees the run alone, says: No weight has moved in 200 steps" in said
    apart = played(silent("t1"))
    apart.apply(fault(apart))
    apart.apply(choice(apart, right=True))
    assert "finds nothing here" in played(apart).panel(apart.steps).said


def test_the_cured_run_grows_beside_the_sick_one() -> None:
    run = played(silent())
    run.apply(fault(run))
    run.apply(choice(run, right=True))
    run.advance(10.0, 50)
    sick, cured = run.draw(CHARTS, {}).charts["curves"]["data"]
    assert len(sick["x"]) == 200 and len(cured["x"]) == run.steps == 50


def test_only_a_loss_is_called_one() -> None:
    run = silent("s5")
    run.advance(10.0, 2)
    assert "loss" not in run.status(run.steps), "its curve is an accuracy"


def test_looking_back_shows_what_stood_beside_the_lines() -> None:
    run = played(silent("x1"))
    run.apply(LookBack(step=1))
    then = run.draw(CHARTS, {}).charts["script"]["layout"]["meta"]["script"]["lines"]
    run.apply(LookBack())
    now = run.draw(CHARTS, {}).charts["script"]["layout"]["meta"]["script"]["lines"]
    at = next(at for at, each in enumerate(now) if each["code"].strip().startswith("loss ="))
    assert then[at]["beside"] != now[at]["beside"] == "NaN"
    assert math.isnan(run.status(run.steps)["loss"])


@pytest.mark.parametrize(
    "pick",
    [Pick(99.0, 0.0, "line"), Pick(-1.0, 0.0, "line"), Pick(0.5, 0.0, "line"), Pick(0.0, 0.0, "choice"),
     Pick(0.0, 0.0, "another"), Pick(1e6, 0.0, "choice")],
)  # fmt: skip
def test_nonsense_from_a_browser_is_refused_and_changes_nothing(pick: Pick) -> None:
    run = silent()
    before = run.panel(0)
    with pytest.raises(CommandError):
        run.apply(pick)
    assert run.panel(0) == before


def test_a_loud_case_shows_the_message_and_the_line_and_then_runs() -> None:
    run = played(LoudRun(ErrorsConfig(case="l1"), Settings()))
    panel = run.panel(run.steps)
    assert "mat1 and mat2 shapes cannot be multiplied (1200x72 and 128x10)" in panel.error
    assert [each.mark for each in panel.lines].count("error") == 1
    run.apply(fault(run))
    run.apply(choice(run, right=False))
    assert "That does not help" in played(run).narrate(run.steps)
    run.apply(choice(run, right=True))
    assert played(run).narrate(run.steps).startswith("Cured: the script runs to its end.")


def test_a_myth_runs_both_scripts_after_the_answer_and_says_who_was_right() -> None:
    run = MythRun(MythsConfig(case="m2"), Settings())
    assert run.changed is None and run.case.why not in sent(run)
    run.apply(Pick(1.0, 0.0, "choice"))
    played(run)
    assert run.narrate(run.steps).startswith("Not broken: mse =")
    assert run.panel(run.steps).said.startswith("You were right.")
    wrong = MythRun(MythsConfig(case="m8"), Settings())
    wrong.apply(Pick(1.0, 0.0, "choice"))
    assert played(wrong).narrate(wrong.steps).startswith("Broken: test_accuracy")
    assert wrong.panel(wrong.steps).said.startswith("You expected something else.")


def test_who_plays_without_an_answer_has_skipped_the_question() -> None:
    run = MythRun(MythsConfig(case="m2"), Settings())
    assert not run.panel(0).too_late
    played(run)
    shown = run.panel(run.steps)
    assert shown.said.startswith(run.case.why) and shown.too_late
    run.apply(Pick(1.0, 0.0, "choice"))
    assert run.panel(run.steps) == shown, "an answer after the result is not judged"
    assert run.outcome == "done"


def test_overfitting_one_batch_says_what_it_proves() -> None:
    run = played(OneBatchRun(OneBatchConfig(), Settings()))
    assert run.narrate(run.steps).startswith("Passed") and "does not prove" in run.panel(run.steps).said
    forgotten = played(OneBatchRun(OneBatchConfig(case="zero_grad"), Settings()))
    assert forgotten.narrate(forgotten.steps).startswith("Passed"), "this test does not find it"
    twice = played(OneBatchRun(OneBatchConfig(case="softmax"), Settings()))
    assert twice.narrate(twice.steps).startswith("Not passed")


def test_a_changed_loud_script_speaks_of_lines_not_of_a_curve_that_is_not_there() -> None:
    run = LoudRun(ErrorsConfig(case="l1"), Settings())
    run.edit(fault(run))
    run.edit(choice(run, right=True))
    run.advance(10.0, 2)
    said = f"{run.narrate(run.steps)} {run.panel(run.steps).said}"
    assert "line by line" in said
    assert "pale" not in said
    assert "beside" not in said
