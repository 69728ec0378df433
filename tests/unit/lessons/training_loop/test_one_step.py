"""The lab One step: a line at a time, with a sentence for each, also where a setting makes it fail or do nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from playground.engine.commands import LookBack
from playground.lessons.training_loop import one_step
from playground.lessons.training_loop.one_step import LAB, SENTENCES, OneStepConfig, OneStepRun
from playground.settings import Settings
from tests.unit.plotly_check import assert_plotly_takes

CHARTS = [chart.name for chart in LAB.charts]


def opened(lines: int = 0, **values: Any) -> OneStepRun:
    run = OneStepRun(OneStepConfig(**values), Settings())
    assert run.advance(60.0, lines) == lines or run.outcome == "done"
    return run


def words(figure: Any) -> str:
    """All that is written into a figure, in its wide form."""
    return "\n".join(note["text"] for note in figure["layout"]["annotations"]).replace("\u00a0", " ")


CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "start": (0, {}),
    "forward": (1, {}),
    "forward train": (1, {"model": "cnn"}),
    "forward eval": (1, {"model": "cnn", "mode": "eval"}),
    "forward no_grad": (1, {"no_grad": True}),
    "loss": (2, {}),
    "zero_grad none": (3, {}),
    "zero_grad": (8, {}),
    "zero_grad late": (4, {"order": "zero_late"}),
    "backward": (4, {}),
    "backward adds": (7, {"zero_grad": False}),
    "step": (5, {}),
    "step none": (5, {"order": "zero_late"}),
    "step up": (40, {"lr": 3.0, "model": "cnn"}),
    "raised": (4, {"no_grad": True}),
}


def test_each_case_has_its_sentence() -> None:
    assert CASES.keys() == SENTENCES.keys()


@pytest.mark.parametrize("case", CASES)
def test_a_line_is_described_by_what_it_did(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, values = CASES[case]
    monkeypatch.setattr(one_step, "SENTENCES", {name: name for name in SENTENCES})
    said = opened(lines, **values)
    shown = {said.narrate(at) for at in range(lines + 1)} if case == "step up" else {said.narrate(said.steps)}
    assert case in shown


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_drawn(case: str) -> None:
    lines, values = CASES[case]
    drawing = opened(lines, **values).draw(CHARTS, {})
    assert list(drawing.charts) == CHARTS and "{" not in drawing.note
    for figure in drawing.charts.values():
        assert_plotly_takes(figure)
        for other in figure.get("others", ()):
            assert_plotly_takes(other)


def test_the_line_that_ran_last_is_marked_and_the_next_ones_wait() -> None:
    text = words(opened(4).draw(["lines"], {}).charts["lines"])
    assert "▶     loss.backward()" in text and "None → 0.458" in text
    assert "loss of this batch" not in text, "step() has not run"
    assert "loss of this batch: 0.706 → 0.653" in words(opened(5).draw(["lines"], {}).charts["lines"])


def test_the_rows_keep_their_places_from_line_to_line() -> None:
    run, places = opened(), []
    for _ in range(7):
        notes = run.draw(["lines"], {}).charts["lines"]["layout"]["annotations"]
        places.append([note["y"] for note in notes if "()" in note["text"] or "=" in note["text"]])
        run.advance(1.0, 1)
    code = [sorted(set(each), reverse=True)[:2] for each in places]
    assert all(each == code[0] for each in code)


def test_a_line_that_is_left_out_is_a_comment_and_takes_no_step() -> None:
    run = opened(4, zero_grad=False)
    assert "# optimizer.zero_grad()" in words(run.draw(["lines"], {}).charts["lines"])
    assert run.loop.records[-1].line == "step" and run.length == one_step.STEPS * 4


def test_a_line_that_fails_ends_the_run_with_torchs_message() -> None:
    run = opened(100, no_grad=True)
    assert (run.steps, run.length, run.outcome) == (4, 4, "done")
    text = words(run.draw(["lines"], {}).charts["lines"])
    assert "✗     loss.backward()" in text and "element 0 of tensors does not require grad" in text
    run.resume()
    run.advance(1.0, 100)
    assert run.outcome == "done" and len(run.loop.records) == 5, "playing it again runs nothing twice"


def test_a_step_of_several_lines_ends_with_the_step_of_the_optimizer() -> None:
    run = opened(2)
    assert run.steps_in_epochs(1) == 3 and run.steps_in_epochs(2) == 8
    run.advance(1.0, 3)
    assert run.steps_in_epochs(1) == 5
    assert LAB.unit_names == {"step": "lines", "epoch": "steps"}


def test_the_mode_is_changed_at_the_same_line_and_at_the_step_that_is_shown() -> None:
    run = opened(12, model="cnn")
    run.apply(LookBack(index=6))
    run.tune(OneStepConfig(model="cnn", mode="eval"))
    fresh = opened(12, model="cnn", mode="eval")
    assert run.steps == 12 and run.draw([], {}).status["step"] == 6
    assert run.loop.records[12].loss == fresh.loop.records[12].loss != opened(12, model="cnn").loop.records[12].loss


def test_looking_back_shows_the_numbers_of_that_line() -> None:
    run = opened(10)
    run.apply(LookBack(index=5))
    drawing = run.draw(CHARTS, {})
    assert drawing.status == {
        "step": 5,
        "updates": 1,
        "loss": pytest.approx(0.706323),
        "after": pytest.approx(0.653077),
    }
    assert drawing.note == opened(5).narrate(5)


def test_the_strip_leads_from_the_loss_of_a_batch_to_its_loss_after_the_step() -> None:
    run = opened(10)
    loss, after = run.draw(["loss"], {}).charts["loss"]["data"]
    records = run.loop.records
    assert list(loss["x"]) == [2, 7] and list(loss["y"]) == [records[2].loss, records[7].loss]
    assert list(after["x"][:2]) == [2, 5] and list(after["y"][:2]) == [records[2].loss, records[5].after]
    assert np.isnan(after["x"][2]) and list(after["x"][3:]) == [7, 10]


def test_frames_mark_what_a_line_has_changed() -> None:
    def framed(lines: int) -> set[float]:
        figure = opened(lines).draw(["parameters"], {}).charts["parameters"]
        x = figure["data"][-1]["x"]
        return {float(left) for left in x[~np.isnan(x)]}

    assert framed(1) == framed(2) == framed(3) == set()
    assert min(framed(4)) > 0.5, "the gradients at the right"
    assert max(framed(5)) < 0.5, "the weights at the left"
