"""Every still lab draws, whatever its knobs say: figures that Plotly takes, tables of text, sentences for errors."""

from __future__ import annotations

from typing import Any

import pytest

from playground.experiments import experiments
from playground.knobs import Config, Knob, Value
from playground.lesson import Lab, LabLesson, Sheet
from playground.lessons import LESSONS
from tests.unit.plotly_check import assert_plotly_takes

LABS = {lab.name: lab for lesson in LESSONS.values() if isinstance(lesson, LabLesson) for lab in lesson.labs}
each_lab = pytest.mark.parametrize("lab", LABS.values(), ids=list(LABS))
each_still_lab = pytest.mark.parametrize(
    "lab", [lab for lab in LABS.values() if lab.draw], ids=[name for name, lab in LABS.items() if lab.draw]
)


def values_of(spec: Knob) -> list[Value]:
    """Every option, both bounds of a number, or a text or two."""
    default = spec.default
    if isinstance(default, bool):
        return [False, True]
    if spec.options is not None:
        return list(spec.options)
    if isinstance(default, str):
        return [default, "", "x" * spec.max_length, "1e999", "<b>"]
    return [type(default)(spec.lo or 0), type(default)(spec.hi or 0)]


def draw(lab: Lab, config: Config) -> Sheet | None:
    """The sheet, checked; None where the lab says in a sentence why there is none."""
    assert lab.draw is not None
    try:
        sheet = lab.draw(config)
    except ValueError as error:
        assert len(str(error)) > 10 and str(error)[0].isupper(), f"no sentence: {error}"
        return None
    assert set(sheet.charts) == {chart.name for chart in lab.charts}
    for figure in sheet.charts.values():
        assert_plotly_takes(figure)
    for table in sheet.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert all(isinstance(cell, str) for row in table.rows for cell in row)
        assert set(table.code) <= set(table.columns)
    return sheet


@each_lab
def test_lab_says_what_it_is_and_is_either_still_or_live(lab: Lab) -> None:
    assert (lab.draw is None) is not (lab.build is None)
    assert lab.sentence.endswith((".", "?"))
    assert lab.build is None or "step" in lab.status
    assert all(chart.alt.endswith(".") for chart in lab.charts)


@each_still_lab
def test_lab_draws_its_default_and_its_experiments(lab: Lab) -> None:
    assert draw(lab, lab.config()) is not None
    for lesson in LESSONS.values():
        for experiment in experiments(lesson):
            if experiment.bench is lab:
                draw(lab, experiment.config)


@each_still_lab
def test_every_knob_moved_alone_draws_or_says_why_not(lab: Lab) -> None:
    for name, spec in lab.config.knobs().items():
        for value in values_of(spec):
            config = lab.config(**{name: value})
            again, problems = lab.config.parse(config.as_texts())
            assert problems == [] and again == config, "the link says it all"
            draw(lab, config)


@each_still_lab
def test_the_same_config_draws_the_same(lab: Lab) -> None:
    one, two = draw(lab, lab.config()), draw(lab, lab.config())
    assert one is not None and two is not None
    assert plain(one.charts) == plain(two.charts)


def plain(value: Any) -> Any:
    """A figure with its arrays as lists of texts, so that NaN equals NaN."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.astype(str).tolist() if hasattr(value, "astype") else value
