"""The benches whose pages are tested, and what a visitor sees and does on them: lessons with a run, and labs.

The registered lessons are taken as they come; a lesson of toys beside them has a knob of every kind. What depends on
the page more than on the lab is tried with the toys and with one lab of each lesson, since there are many labs.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError
from functools import cache

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import sheet as sheet_page
from pages.ui.session import pool
from playground.engine.frames import encode
from playground.knobs import Config, Knob
from playground.lesson import Bench, Lab, LabLesson, Lesson, LiveLesson, Sheet
from playground.lessons import LESSONS
from tests.pages.questions import Advance, Peek
from tests.pages.session import (
    HOSTILE,
    RUN_SECONDS,
    another,
    board,
    held,
    link,
    one_of_each_kind,
    parameters_of,
    refusals,
    run_id,
    settings,
    sheets,
    shown_knobs,
    turn,
    widgets,
)
from tests.pages.toys import LESSON as TOYS

Benches = Mapping[str, tuple[Lesson, Bench]]
MAX_KNOBS = 8  # of one lab that are tried one by one; where there are more, one of each kind is
MORE_HOSTILE = (
    '<a href="https://evil.example">free</a>',
    "said <b>so</b> ![x](//evil.example/x.png) www.evil.example",
    "$$x^2$$ **bold** | :red[x]",
    "{0}",
    "%(x)s",
    "'\"\\",
)
LIVE = {name: lesson for name, lesson in LESSONS.items() if isinstance(lesson, LiveLesson)}
LESSONS_OF_LABS = {name: lesson for name, lesson in LESSONS.items() if isinstance(lesson, LabLesson)} | {"toys": TOYS}
LABS = {lab.name: (lesson, lab) for lesson in LESSONS_OF_LABS.values() for lab in lesson.labs}
SOME_LABS = {lab.name: (lesson, lab) for lesson, lab in LABS.values() if lesson is TOYS or lab is lesson.labs[-1]}
TRAINED: Benches = {name: (lesson, lesson) for name, lesson in LIVE.items()}


def each_of(benches: Benches, argument: str = "bench") -> pytest.MarkDecorator:
    """Run a test on each of these benches and its lesson."""
    return pytest.mark.parametrize(("lesson", argument), benches.values(), ids=list(benches))


def short(lesson: Lesson, bench: Bench) -> str:
    """The lab's name in the link."""
    return bench.name.removeprefix(f"{lesson.name}_")


def opens(lesson: Lesson, bench: Bench) -> dict[str, str]:
    """The parameter of the page that opens the bench; the first needs none."""
    return {} if bench is lesson.benches[0] else {f"{lesson.name}_lab": short(lesson, bench)}


def address(lesson: Lesson, bench: Bench, config: Config) -> dict[str, str]:
    """All parameters of the page when the bench is open with this config."""
    return opens(lesson, bench) | parameters_of(bench, config)


def open_bench(session: AppTest, lesson: Lesson) -> Bench:
    """The bench that the page shows: of several labs, the one whose sentence is beside the board."""
    if not isinstance(lesson, LabLesson):
        return lesson.benches[0]
    shown = {caption.value for caption in session.caption}
    (found,) = [lab for lab in lesson.labs if lab.sentence in shown]
    assert widgets(session)[f"{lesson.name}_lab"].value == short(lesson, found), "the picker says another lab"
    return found


def pick(session: AppTest, lesson: Lesson, bench: Bench) -> None:
    """Click on a lab's name; a lesson with a run has one bench, which is open."""
    if isinstance(lesson, LabLesson):
        widgets(session)[f"{lesson.name}_lab"].set_value(short(lesson, bench)).run()
        assert list(session.exception) == []


def drawn(lab: Lab, config: Config) -> Sheet | str:
    """What a still lab shows for a config, or the sentence that says why not."""
    return _drawn(lab.name, config)


@cache
def _drawn(name: str, config: Config) -> Sheet | str:
    draw = LABS[name][1].draw
    assert draw is not None
    try:
        sheet: Sheet = draw(config)
    except ValueError as error:
        return str(error)
    return sheet


def frame_of(sheet: Sheet, number: int) -> str:
    """The frame that the page gives its board, with this number."""
    figures = {name: {"figure": figure} for name, figure in sheet.charts.items()}
    return base64.b64encode(encode({"charts": figures, "number": number})).decode()


def errors(session: AppTest) -> list[str]:
    return [*(error.value for error in session.error), *refusals(session)]


def htmls(session: AppTest) -> list[str]:
    return [html.proto.body for html in session.get("html")] + [text for each in sheets(session) for text in each]


def assert_open(session: AppTest, lesson: Lesson, bench: Bench, config: Config) -> None:
    """The page shows this bench with this config: link, state, widgets, and what is drawn."""
    assert open_bench(session, lesson) is bench
    assert link(session) == address(lesson, bench, config)
    assert settings(session, bench) == config
    for name in shown_knobs(session, bench):
        assert widgets(session)[f"{bench.name}_{name}"].value == held(bench, name, getattr(config, name)), name
    if isinstance(bench, Lab) and bench.build is None:
        assert_drawn(session, bench, config)
        return
    assert_runs(session, bench, config)
    assert [chart["name"] for chart in board(session)["charts"]] == [chart.name for chart in bench.charts]


def assert_drawn(session: AppTest, lab: Lab, config: Config) -> None:
    """The page shows what the still lab draws for this config, or the sentence that says why not."""
    sheet = drawn(lab, config)
    if isinstance(sheet, str):
        assert errors(session) == [sheet]
        assert "frame" not in board(session), "the board keeps its last picture"
        return
    assert errors(session) == []
    shown = board(session)
    assert shown["frame"] == frame_of(sheet, shown["number"])
    assert (shown["lab"]["line"], shown["lab"]["answer"]) == (sheet.line, sheet.answer)
    below = (sheet_page.note_as_html(sheet.note), sheet_page.as_html(lab.title, sheet.tables))
    assert sheets(session) == [below] * any(below)


def assert_runs(session: AppTest, bench: Bench, config: Config) -> None:
    """The run soon has this config; or it has failed, because there is none of this config."""
    assert isinstance(bench, (LiveLesson, Lab)) and bench.build is not None
    end = time.monotonic() + RUN_SECONDS
    while (running := config_of(session)) != config and time.monotonic() < end:
        try:
            bench.build(config, settings=pool().settings)
        except ValueError:
            assert pool().state_of(run_id(session)) == "failed"
            return
        time.sleep(0.02)
    assert running == config


def config_of(session: AppTest) -> Config | None:
    """What the run of this page trains; None if it has failed."""
    try:
        return pool().call(run_id(session), Peek("config"))
    except (CancelledError, ValueError):
        return None


def steps(session: AppTest) -> int:
    return pool().call(run_id(session), Peek("steps"))


def advance(session: AppTest, count: int) -> None:
    """Take steps; a run that waits for what its next step needs is asked again."""
    end, left = time.monotonic() + RUN_SECONDS, count
    while left > 0 and time.monotonic() < end:
        taken, outcome = pool().call(run_id(session), Advance(1))
        left = 0 if outcome else left - taken
        time.sleep(0 if taken else 0.02)


def applying(bench: Bench) -> dict[str, Knob]:
    """The knobs that matter at the default, so that they can be turned."""
    config = bench.config()
    return {name: spec for name, spec in bench.config.knobs().items() if spec.applies is None or spec.applies(config)}


def texts(bench: Bench) -> list[str]:
    """The knobs that take any text."""
    specs = bench.config.knobs()
    return [name for name, spec in specs.items() if spec.options is None and isinstance(spec.default, str)]


def two_of(bench: Bench) -> list[str]:
    """The first and the last knob that matter at the default."""
    names = list(applying(bench))
    return list(dict.fromkeys([names[0], names[-1]]))


def few(bench: Bench, names: list[str], most: int = MAX_KNOBS) -> list[str]:
    """All of the knobs; of a lab with many, one of each kind."""
    return names if isinstance(bench, LiveLesson) or len(names) <= most else list(one_of_each_kind(bench.config, names))


def some_hostile(lesson: Lesson) -> tuple[str, ...]:
    """What reads a name is the same for all labs, so of them only the toys get every text."""
    every = isinstance(lesson, LiveLesson) or lesson is TOYS
    return (*HOSTILE, *MORE_HOSTILE) if every else (HOSTILE[0], HOSTILE[7], HOSTILE[9])


def turned(bench: Bench, *names: str) -> Config:
    """The default config with some knobs at another value."""
    return bench.config(**{name: another(bench.config, name) for name in names})


def turn_all(session: AppTest, bench: Bench, names: list[str]) -> Config:
    """Turn knobs by hand, and say which config that makes."""
    for name in names:
        turn(session, bench, name, another(bench.config, name))
    return turned(bench, *names)
