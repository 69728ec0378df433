"""Every page of labs as Streamlit runs it, with no browser: which lab is open, its knobs, its link and what it shows.

The registered lessons are taken as they come; a lesson of toys beside them has a knob of every kind. What depends on
the page more than on the lab is tried with the toys and with one lab of each lesson, since there are many labs.
"""

from __future__ import annotations

import base64
import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.runtime.state.query_params_proxy import QueryParamsProxy
from streamlit.testing.v1 import AppTest

from pages.ui import knob_widgets, lab_page, prose
from pages.ui.routes import still
from pages.ui.session import engine as server_engine
from playground.engine.engine import Engine
from playground.engine.frames import encode
from playground.knobs import Config, Knob, Value
from playground.lesson import Lab, LabLesson, Sheet, Table
from playground.lessons import LESSONS
from tests.pages.session import (
    HOSTILE,
    RUN_SECONDS,
    SCRIPT,
    Open,
    another,
    assert_dead,
    board,
    boards,
    can_turn,
    choose,
    click,
    follow,
    go,
    held,
    link,
    live_text,
    numbers,
    one_of_each_kind,
    parameters_of,
    run_id,
    say,
    settings,
    shown_knobs,
    try_out,
    turn,
    warnings,
    widgets,
)
from tests.pages.toys import LESSON as TOYS

LESSONS_OF_LABS = {name: lesson for name, lesson in LESSONS.items() if isinstance(lesson, LabLesson)} | {"toys": TOYS}
LABS = {lab.name: (lesson, lab) for lesson in LESSONS_OF_LABS.values() for lab in lesson.labs}
each_lesson = pytest.mark.parametrize("lesson", LESSONS_OF_LABS.values(), ids=list(LESSONS_OF_LABS))
each_lesson_of_several = pytest.mark.parametrize(
    "lesson",
    [lesson for lesson in LESSONS_OF_LABS.values() if len(lesson.labs) > 1],
    ids=[name for name, lesson in LESSONS_OF_LABS.items() if len(lesson.labs) > 1],
)
each_lab = pytest.mark.parametrize(("lesson", "lab"), LABS.values(), ids=list(LABS))
SOME_LABS = {lab.name: (lesson, lab) for lesson, lab in LABS.values() if lesson is TOYS or lab is lesson.labs[-1]}
SHY_LABS = {name: pair for name, pair in LABS.items() if any(spec.shy for spec in pair[1].config.knobs().values())}
some_labs = pytest.mark.parametrize(("lesson", "lab"), SOME_LABS.values(), ids=list(SOME_LABS))
SOME_OR_LIVE_LABS = {name: pair for name, pair in LABS.items() if name in SOME_LABS or pair[1].build}
some_or_live_labs = pytest.mark.parametrize(("lesson", "lab"), SOME_OR_LIVE_LABS.values(), ids=list(SOME_OR_LIVE_LABS))
each_lab_with_shy_knobs = pytest.mark.parametrize(("lesson", "lab"), SHY_LABS.values(), ids=list(SHY_LABS))
REFUSING = (
    *("tensors_tutorial", "tensors_operations", "tensors_broadcasting", "tensors_views", "autograd_slope"),
    *("gradient_descent_basins", "convolution_chain", "toys_echo", "toys_line"),
)  # labs that refuse some configs
MOST_KNOBS = 8  # of one lab that are tried one by one; where there are more, one of each kind is
MARKUP = re.compile(r"[<>\[\]$`]|:\w+\[|www\.|//")  # what Markdown, HTML or Plotly would make something else of
MORE_HOSTILE = (
    '<a href="https://evil.example">free</a>',
    "said <b>so</b> ![x](//evil.example/x.png) www.evil.example",
    "$$x^2$$ **bold** | :red[x]",
    "{0}",
    "%(x)s",
    "'\"\\",
)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The navigation script of a copy of the pages, with a page of toys beside the real ones."""
    folder = tmp_path_factory.mktemp("app") / "pages"
    shutil.copytree(SCRIPT.parent / "ui" / "static", folder / "ui" / "static")
    for source in SCRIPT.parent.glob("*.py"):
        shutil.copy(source, folder)
    toys = "from pages.ui import lab_page\nfrom tests.pages import toys\n\nlab_page.show(toys.LESSON)\n"
    (folder / "toys.py").write_text(toys, encoding="utf-8")
    return folder / SCRIPT.name


@pytest.fixture
def visit(engine: Engine, script: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a page of labs in a session of its own."""
    monkeypatch.setitem(LESSONS, "toys", TOYS)

    def open_page(lesson: LabLesson, **parameters: str) -> AppTest:
        session = AppTest.from_file(str(script), default_timeout=RUN_SECONDS)
        go(session, f"{lesson.name}.py", **parameters)
        return session

    return open_page


def short(lesson: LabLesson, lab: Lab) -> str:
    """The lab's name in the link."""
    return lab.name.removeprefix(f"{lesson.name}_")


def opens(lesson: LabLesson, lab: Lab) -> dict[str, str]:
    """The parameter of the page that opens the lab; the first needs none."""
    return {} if lab is lesson.labs[0] else {f"{lesson.name}_lab": short(lesson, lab)}


def address(lesson: LabLesson, lab: Lab, config: Config) -> dict[str, str]:
    """All parameters of the page when the lab is open with this config."""
    return opens(lesson, lab) | parameters_of(lab, config)


def open_lab(session: AppTest, lesson: LabLesson) -> Lab:
    """The lab that the page shows, by the sentence beside its board."""
    shown = {markdown.value for markdown in session.markdown}
    (found,) = [lab for lab in lesson.labs if lab.sentence in shown]
    assert widgets(session)[f"{lesson.name}_lab"].value == short(lesson, found), "the picker says another lab"
    return found


def pick(session: AppTest, lesson: LabLesson, lab: Lab) -> None:
    """Click on a lab's name."""
    widgets(session)[f"{lesson.name}_lab"].set_value(short(lesson, lab)).run()
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
    return [error.value for error in session.error]


def htmls(session: AppTest) -> list[str]:
    return [html.proto.body for html in session.get("html")]


def assert_open(session: AppTest, lesson: LabLesson, lab: Lab, config: Config) -> None:
    """The page shows this lab with this config: link, state, widgets, and what is drawn."""
    assert open_lab(session, lesson) is lab
    assert link(session) == address(lesson, lab, config)
    assert settings(session, lab) == config
    for name in shown_knobs(session, lab):
        assert widgets(session)[f"{lab.name}_{name}"].value == held(lab, name, getattr(config, name)), name
    if lab.build is not None:
        assert_runs(session, lab, config)
        assert [chart["name"] for chart in board(session)["charts"]] == [chart.name for chart in lab.charts]
        return
    sheet = drawn(lab, config)
    if isinstance(sheet, str):
        assert len(errors(session)) == 1 and boards(session) == []
        assert plain(sheet) == plain(errors(session)[0])
        return
    assert errors(session) == []
    if lab.charts:
        shown = board(session)
        assert shown["frame"] == frame_of(sheet, shown["number"])
    assert not sheet.note or sheet.note in {markdown.value for markdown in session.markdown}
    assert [body for body in htmls(session) if 'class="sheet"' in body] == [
        lab_page.as_html(each) for each in sheet.tables
    ]


def assert_runs(session: AppTest, lab: Lab, config: Config) -> None:
    """The run has this config; or it has failed, because there is none of this config."""
    assert lab.build is not None
    engine = server_engine()
    try:
        running = engine.call(run_id(session), lambda run: run.config)
    except (CancelledError, ValueError):
        running = None
    if engine.state_of(run_id(session)) == "failed":
        with pytest.raises(ValueError):
            lab.build(config, settings=engine.settings)
    else:
        assert running == config


def plain(sentence: str) -> list[str]:
    """The words of a sentence, without what sets apart what it quotes."""
    return re.findall(r"\w+", sentence)


def applying(lab: Lab) -> dict[str, Knob]:
    """The knobs that matter at the default, so that they can be turned."""
    config = lab.config()
    return {name: spec for name, spec in lab.config.knobs().items() if spec.applies is None or spec.applies(config)}


def texts(lab: Lab) -> list[str]:
    """The knobs that take any text."""
    specs = lab.config.knobs()
    return [name for name, spec in specs.items() if spec.options is None and isinstance(spec.default, str)]


TEXT_LABS = {name: pair for name, pair in LABS.items() if texts(pair[1])}
some_or_text_labs = pytest.mark.parametrize(
    ("lesson", "lab"), (SOME_LABS | TEXT_LABS).values(), ids=list(SOME_LABS | TEXT_LABS)
)
some_labs_with_text = pytest.mark.parametrize(
    ("lesson", "lab"),
    [pair for name, pair in SOME_LABS.items() if name in TEXT_LABS],
    ids=[name for name in SOME_LABS if name in TEXT_LABS],
)


def two_of(lab: Lab) -> list[str]:
    """The first and the last knob that matter at the default."""
    names = list(applying(lab))
    return list(dict.fromkeys([names[0], names[-1]]))


def few(config_type: type[Config], names: list[str], most: int = MOST_KNOBS) -> list[str]:
    """All of the knobs, or one of each kind where there are many."""
    return names if len(names) <= most else list(one_of_each_kind(config_type, names))


def some_hostile(lesson: LabLesson) -> tuple[str, ...]:
    """What reads a name is the same for all lessons, so only the toys get every text."""
    return (*HOSTILE, *MORE_HOSTILE) if lesson is TOYS else (HOSTILE[0], HOSTILE[7], HOSTILE[9])


def turned(lab: Lab, *names: str) -> Config:
    """The default config with some knobs at another value."""
    return lab.config(**{name: another(lab.config, name) for name in names})


def turn_all(session: AppTest, lab: Lab, names: list[str]) -> Config:
    """Turn knobs by hand, and say which config that makes."""
    for name in names:
        turn(session, lab, name, another(lab.config, name))
    return turned(lab, *names)


# Which lab is open.


@each_lab
def test_lab_opens_by_its_link_with_its_knobs_and_no_complaint(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    session = visit(lesson, **{f"{lesson.name}_lab": short(lesson, lab)})
    assert [title.value for title in session.title] == [lesson.title]
    assert_open(session, lesson, lab, lab.config())
    assert warnings(session) == errors(session) == []
    shy = {name for name, spec in lab.config.knobs().items() if spec.shy}
    assert shown_knobs(session, lab) == set(applying(lab)) | (set(lab.config.knobs()) - shy)
    for other in lesson.labs:
        assert other is lab or shown_knobs(session, other) == set(), "a knob of a lab that is not open"


@each_lesson
def test_first_lab_is_open_without_a_link_and_leaves_no_parameter(visit: Open, lesson: LabLesson) -> None:
    session = visit(lesson)
    assert_open(session, lesson, lesson.labs[0], lesson.labs[0].config())
    assert link(session) == {}
    assert warnings(session) == []


@each_lesson
def test_picker_names_all_labs_in_order(visit: Open, lesson: LabLesson) -> None:
    picker = widgets(visit(lesson))[f"{lesson.name}_lab"]
    assert picker.options == [lab.title for lab in lesson.labs]


@each_lesson
def test_unknown_lab_in_the_link_gets_a_sentence_and_the_first_lab(visit: Open, lesson: LabLesson) -> None:
    session = visit(lesson)
    for text in (*some_hostile(lesson), lesson.labs[0].name, lesson.labs[0].title.swapcase()):
        follow(session, **{f"{lesson.name}_lab": text})
        assert open_lab(session, lesson) is lesson.labs[0]
        (sentence,) = warnings(session)
        assert sentence.startswith("Lab cannot be")
        assert_dead(sentence)
        assert link(session) == {}


def test_no_two_knobs_of_all_lessons_share_a_parameter() -> None:
    """Their names are glued from lesson, lab and knob, so two different ones could come out the same."""
    benches = [bench for lesson in (*LESSONS.values(), TOYS) for bench in lesson.benches]
    owners = [*benches, *(lesson for lesson in LESSONS.values() if isinstance(lesson, LabLesson))]
    names = [owner.name for owner in owners]
    assert len(set(names)) == len(names)
    for lesson in LESSONS.values():
        for name in names:
            own = {bench.name for bench in lesson.benches} | {lesson.name}
            assert name in own or not name.startswith(f"{lesson.name}_"), "a lesson's parameters begin with its name"
        for bench in lesson.benches:
            for name in names:
                assert not name.startswith(f"{bench.name}_") or name == bench.name, f"{name} reads as a knob of {bench}"


# From lab to lab.


@each_lesson_of_several
def test_picker_switches_labs_and_coming_back_finds_the_settings_as_they_were(visit: Open, lesson: LabLesson) -> None:
    session = visit(lesson)
    left = {}
    for lab in lesson.labs:
        pick(session, lesson, lab)
        assert_open(session, lesson, lab, lab.config())
        left[lab.name] = turn_all(session, lab, two_of(lab))
        assert_open(session, lesson, lab, left[lab.name])
    for lab in (*lesson.labs, *reversed(lesson.labs)):
        pick(session, lesson, lab)
        assert_open(session, lesson, lab, left[lab.name])
        session.run()
        assert_open(session, lesson, lab, left[lab.name])
    assert warnings(session) == []


@each_lesson_of_several
def test_coming_back_to_a_lab_finds_settings_that_a_link_gave(visit: Open, lesson: LabLesson) -> None:
    for lab in lesson.labs:
        other = next(each for each in lesson.labs if each is not lab)
        wanted = turned(lab, *two_of(lab))
        session = visit(lesson, **address(lesson, lab, wanted))
        pick(session, lesson, other)
        pick(session, lesson, lab)
        session.run()
        assert_open(session, lesson, lab, wanted)
        turn(session, lab, two_of(lab)[0], lab.config.knobs()[two_of(lab)[0]].default)
        assert_open(session, lesson, lab, turned(lab, *two_of(lab)[1:]))


@each_lesson_of_several
def test_back_button_leads_to_the_lab_before_as_it_was(visit: Open, lesson: LabLesson) -> None:
    first, second = lesson.labs[0], lesson.labs[-1]
    session = visit(lesson)
    wanted = turn_all(session, first, two_of(first))
    pick(session, lesson, second)
    follow(session, **address(lesson, first, wanted))
    assert_open(session, lesson, first, wanted)
    follow(session, **opens(lesson, second))  # forward again
    assert_open(session, lesson, second, second.config())


@each_lesson_of_several
def test_back_button_undoes_in_another_lab_what_was_done_there(visit: Open, lesson: LabLesson) -> None:
    """Pressed several times in a row, the browser may tell only the last address."""
    first, second = lesson.labs[0], lesson.labs[-1]
    session = visit(lesson)
    turn_all(session, first, two_of(first))
    pick(session, lesson, second)
    turn_all(session, second, two_of(second))
    follow(session)
    assert_open(session, lesson, first, first.config())
    follow(session, **opens(lesson, second))
    assert_open(session, lesson, second, second.config())


@some_labs
def test_back_button_undoes_a_turned_knob(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    session = visit(lesson, **opens(lesson, lab))
    names = two_of(lab)
    turn_all(session, lab, names)
    follow(session, **address(lesson, lab, turned(lab, names[0])))
    assert_open(session, lesson, lab, turned(lab, names[0]))
    follow(session, **opens(lesson, lab))
    assert_open(session, lesson, lab, lab.config())


@some_labs
def test_leaving_the_page_and_coming_back_keeps_lab_and_settings(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    session = visit(lesson)
    pick(session, lesson, lab)
    wanted = turn_all(session, lab, two_of(lab))
    other = next(name for name in LESSONS if name != lesson.name)
    for elsewhere in ("home.py", f"{other}.py"):
        go(session, elsewhere)
        go(session, f"{lesson.name}.py")
        assert_open(session, lesson, lab, wanted)
        session.run()
        assert_open(session, lesson, lab, wanted)


def cut_short(*_: Any) -> None:
    """What a click does to the script's run that it comes into."""
    raise StopException


@each_lesson_of_several
@pytest.mark.parametrize(
    "where", [(knob_widgets, "write_link"), (QueryParamsProxy, "from_dict")], ids=["early", "late"]
)
def test_run_that_the_next_click_cuts_short_loses_nothing(
    visit: Open, monkeypatch: pytest.MonkeyPatch, lesson: LabLesson, where: tuple[Any, str]
) -> None:
    """The address is then still the one before, which must not count as the browser's Back."""
    first, second = lesson.labs[0], lesson.labs[1]
    session = visit(lesson)
    wanted = turn_all(session, first, two_of(first))
    pick(session, lesson, second)
    with monkeypatch.context() as patch:
        patch.setattr(*where, cut_short)
        session.segmented_control(key=f"{lesson.name}_lab").set_value(short(lesson, first)).run()
        assert link(session) == opens(lesson, second)
    session.run()
    assert_open(session, lesson, first, wanted)


@each_lesson
def test_arrival_that_the_next_click_cuts_short_loses_nothing(
    visit: Open, monkeypatch: pytest.MonkeyPatch, lesson: LabLesson
) -> None:
    session = visit(lesson)
    wanted = turn_all(session, lesson.labs[0], two_of(lesson.labs[0]))
    go(session, "home.py")
    with monkeypatch.context() as patch:
        patch.setattr(lab_page, "_workbench", cut_short)
        go(session, f"{lesson.name}.py")
    session.run()
    assert_open(session, lesson, lesson.labs[0], wanted)


@each_lesson
def test_value_from_a_run_cut_short_does_not_come_back_later(
    visit: Open, monkeypatch: pytest.MonkeyPatch, lesson: LabLesson
) -> None:
    """Streamlit keeps a value that was set for a widget before there was one, and returns to it when it is gone."""
    lab = lesson.labs[0]
    name = two_of(lab)[0]
    with monkeypatch.context() as patch:
        patch.setattr(knob_widgets, "show", cut_short)
        session = visit(lesson, **address(lesson, lab, turned(lab, name)))
    session.run()
    assert_open(session, lesson, lab, turned(lab, name))
    turn(session, lab, name, lab.config.knobs()[name].default)
    go(session, "home.py")
    go(session, f"{lesson.name}.py")
    assert_open(session, lesson, lab, lab.config())


@some_labs
def test_redrawing_the_page_changes_nothing(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    session = visit(lesson, **opens(lesson, lab))
    before = board(session) if lab.charts else None
    session.run()
    session.run()
    assert_open(session, lesson, lab, lab.config())
    assert before is None or board(session) == before


# Knobs and the link.


@some_labs
def test_each_knobs_value_by_link_reaches_what_is_shown(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    session = visit(lesson)
    for name in few(lab.config, list(lab.config.knobs())):
        wanted = turned(lab, name)
        follow(session, **address(lesson, lab, wanted))
        assert_open(session, lesson, lab, wanted)
        assert warnings(session) == [], name


@some_labs
def test_each_turned_knob_reaches_what_is_shown_and_the_link(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    session = visit(lesson, **opens(lesson, lab))
    for name in few(lab.config, list(applying(lab)), most=3):
        assert can_turn(session, lab, name), name
        turn(session, lab, name, another(lab.config, name))
        assert_open(session, lesson, lab, turned(lab, name))
        turn(session, lab, name, lab.config.knobs()[name].default)
        assert_open(session, lesson, lab, lab.config())


@each_lab_with_shy_knobs
def test_knob_that_comes_and_goes_keeps_its_value(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    """A shy knob has no widget while it does not matter, and Streamlit forgets what an absent widget held."""
    for name, spec in [pair for pair in lab.config.knobs().items() if pair[1].shy and pair[1].applies][-2:]:
        bringing_out = [config for config in presets_and_turns(lab) if spec.applies(config)]
        assert bringing_out, f"no knob and no preset brings out {name}"
        for shown in bringing_out:
            back = {each: lab.config.knobs()[each].default for each in lab.config.knobs() if each != name}
            switches = [each for each, value in back.items() if not spec.applies(shown.with_values(**{each: value}))]
            if not switches:
                continue
            session = visit(lesson, **address(lesson, lab, shown))
            wanted = shown.with_values(**{name: another_than(lab, name, getattr(shown, name))})
            turn(session, lab, name, getattr(wanted, name))
            turn(session, lab, switches[0], back[switches[0]])
            assert name not in shown_knobs(session, lab)
            session.run()
            turn(session, lab, switches[0], getattr(shown, switches[0]))
            assert_open(session, lesson, lab, wanted)
            break


@each_lab_with_shy_knobs
def test_knob_that_is_not_shown_follows_the_link(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    """Be it shy or hidden by the teacher."""
    default, (first, *_) = lab.config(), two_of(lab)
    trials = [({"hide": first}, [turned(lab, first), default, turned(lab, first)])]
    for name, spec in lab.config.knobs().items():
        if spec.shy and spec.applies and name not in applying(lab):
            bringing_out = [config for config in presets_and_turns(lab) if spec.applies(config)]
            trials = [*trials[:1], ({}, [turned(lab, name), bringing_out[0], default, turned(lab, first), default])]
    for hide, configs in trials:
        session = visit(lesson, **hide, **opens(lesson, lab))
        for config in configs:
            follow(session, **hide, **address(lesson, lab, config))
            session.run()
            assert settings(session, lab) == config
            assert link(session) == hide | address(lesson, lab, config)


def presets_and_turns(lab: Lab) -> list[Config]:
    """Configs that differ from the default in little."""
    specs = lab.config.knobs().items()
    moved = [lab.config(**{name: option}) for name, spec in specs if not spec.many for option in spec.options or ()]
    return [lab.config(), *moved, *(lab.config(**values) for values in lab.presets.values())]


def another_than(lab: Lab, name: str, value: Value) -> Value:
    return another(lab.config, name) if value != another(lab.config, name) else lab.config.knobs()[name].default


@each_lab
def test_no_value_of_any_knob_is_an_exception(lesson: LabLesson, lab: Lab) -> None:
    """All knobs at their first and all at their last: drawn, or refused in a sentence."""
    for config in (extreme(lab, 0), extreme(lab, -1)):
        if lab.draw:
            assert isinstance(drawn(lab, config), (Sheet, str))


@some_or_live_labs
def test_values_at_the_ends_of_every_knob_are_shown_or_refused(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    session = visit(lesson)
    for config in (extreme(lab, 0), extreme(lab, -1)):
        follow(session, **address(lesson, lab, config))
        if lab.build is None:
            assert_open(session, lesson, lab, config)
        assert warnings(session) == []


def extreme(lab: Lab, end: int) -> Config:
    """Every knob at the first (0) or last (-1) of its values."""
    values: dict[str, Value] = {}
    for name, spec in lab.config.knobs().items():
        default = spec.default
        if isinstance(default, bool):
            values[name] = bool(end)
        elif spec.options is not None:
            values[name] = spec.options[end]
        elif isinstance(default, str):
            values[name] = ("", "9" * spec.max_length)[end]
        else:
            values[name] = type(default)((spec.lo, spec.hi)[end])
    return lab.config(**values)


def refused(lab: Lab) -> list[Config]:
    """Configs that a still lab refuses: among all knobs at one end, and two texts in each knob of free text."""
    tried = [extreme(lab, 0), extreme(lab, -1)]
    tried += [lab.config(**{name: text}) for name in texts(lab) for text in ("", "1")]
    return [config for config in tried if lab.draw and isinstance(drawn(lab, config), str)]


@pytest.mark.parametrize("name", REFUSING)
def test_refusal_of_a_still_lab_becomes_a_sentence_on_the_page_and_goes_with_its_cause(visit: Open, name: str) -> None:
    lesson, lab = LABS[name]
    config = refused(lab)[0]
    session = visit(lesson, **address(lesson, lab, config))
    assert_open(session, lesson, lab, config)
    follow(session, **opens(lesson, lab))
    assert_open(session, lesson, lab, lab.config())


def test_the_labs_that_refuse_are_the_ones_above() -> None:
    assert [name for name, (_, lab) in LABS.items() if refused(lab)] == list(REFUSING)


def test_toys_refuse_some_texts_and_say_others() -> None:
    """The tests above must not pass for want of a refusal, nor of a text that is said back."""
    echo = TOYS.labs[0]
    for text in MORE_HOSTILE:
        refused = isinstance(drawn(echo, echo.config(text=text)), str)
        assert refused is not text.startswith("said")


@each_lesson
def test_number_past_its_bounds_in_a_link_is_set_to_the_bound_with_a_sentence(visit: Open, lesson: LabLesson) -> None:
    session = visit(lesson)
    for lab in lesson.labs:
        for name, spec in list(numbers(lab.config).items())[:2]:
            for text, bound in ((f"{spec.hi * 10 + 1:.0f}", spec.hi), ("-1000000000", spec.lo)):
                follow(session, **opens(lesson, lab), **{f"{lab.name}_{name}": text})
                (sentence,) = warnings(session)
                assert spec.label in sentence
                kind = type(lab.config.knobs()[name].default)
                assert sentence.endswith(f"It was set to {spec.name_of(kind(bound))}.")
                assert settings(session, lab) == lab.config(**{name: kind(bound)})


@some_or_text_labs
def test_hostile_values_get_sentences_and_no_markup_comes_alive(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    """In all knobs at once; the labs with free text get every text there is."""
    session = visit(lesson)
    for text in (*HOSTILE, *MORE_HOSTILE) if texts(lab) else (HOSTILE[1], HOSTILE[7], HOSTILE[14]):
        follow(session, **opens(lesson, lab), **{f"{lab.name}_{name}": text for name in lab.config.knobs()})
        assert open_lab(session, lesson) is lab
        for sentence in warnings(session):
            assert len(sentence) < 700
            labels = [spec.label for spec in lab.config.knobs().values()]
            label = max((label for label in labels if sentence.startswith(label)), key=len)
            assert_dead(sentence.removeprefix(label))
        assert_nothing_alive(session, lab)


def assert_nothing_alive(session: AppTest, lab: Lab) -> None:
    """What the lab itself says: its refusal, its note, its tables and the words in its charts."""
    for sentence in errors(session):
        assert not re.search(r"<[\w/]|\]\(|:\w+\[|:material|\$\w|www\.|//\w|evil|\n", live_text(sentence)), sentence
    config = settings(session, lab)
    for echo in (text for name in texts(lab) if MARKUP.search(text := getattr(config, name))):
        said = [live_text(markdown.value) for markdown in session.markdown]
        assert not any(echo in each or "evil" in each for each in said), "a note says a visitor's text as Markdown"
        assert not any(echo in each for each in htmls(session) if "<" in echo), "a table says it as HTML"
        if lab.draw is not None and isinstance(sheet := drawn(lab, config), Sheet) and "<" in echo:
            assert not any(echo in words for words in chart_words(sheet.charts)), "Plotly reads this as markup"


def chart_words(value: Any) -> list[str]:
    """Every text in a figure."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [words for item in value.values() for words in chart_words(item)]
    return [words for item in value for words in chart_words(item)] if isinstance(value, (list, tuple)) else []


@some_labs_with_text
def test_typed_text_that_no_knob_takes_gets_a_sentence_and_is_taken_out(
    visit: Open, lesson: LabLesson, lab: Lab
) -> None:
    session = visit(lesson, **opens(lesson, lab))
    for name in texts(lab):
        for text in ("\x1b[31m", "two\nlines"):
            turn(session, lab, name, text)
            (sentence,) = warnings(session)
            assert sentence.startswith(f"{lab.config.knobs()[name].label} cannot be")
            assert_open(session, lesson, lab, lab.config())


@each_lesson
def test_hostile_name_gets_a_sentence_and_no_markup_comes_alive(visit: Open, lesson: LabLesson) -> None:
    session, lab = visit(lesson), lesson.labs[-1]
    for text in filter(None, some_hostile(lesson)):
        for name in (f"{lab.name}_{text}", f"{lesson.name}_{text}"):
            follow(session, **opens(lesson, lab), **{name: "1"})
            (sentence,) = warnings(session)
            assert "There is no setting called" in sentence
            assert len(sentence) < 200
            assert_dead(sentence)
            assert_open(session, lesson, lab, lab.config())


@each_lesson_of_several
def test_setting_of_a_lab_that_is_not_open_is_no_mistake_of_the_one_that_is(visit: Open, lesson: LabLesson) -> None:
    lab, other = lesson.labs[0], lesson.labs[-1]
    session = visit(lesson, **parameters_of(other, turned(other, *two_of(other))))
    assert warnings(session) == []
    assert open_lab(session, lesson) is lab
    assert link(session) == {}


@some_labs
def test_warning_stays_while_nothing_is_turned_and_leaves_with_the_next_knob(
    visit: Open, lesson: LabLesson, lab: Lab
) -> None:
    name = next(iter(applying(lab)))
    for parameter in (f"{lesson.name}_nonsense", f"{lab.name}_nonsense"):
        session = visit(lesson, **opens(lesson, lab), **{parameter: "1"})
        assert len(warnings(session)) == 1
        session.run()
        assert len(warnings(session)) == 1
        turn(session, lab, name, another(lab.config, name))
        assert warnings(session) == [], parameter


@each_lesson_of_several
def test_warning_about_one_lab_is_not_said_of_another_nor_once_more_on_coming_back(
    visit: Open, lesson: LabLesson
) -> None:
    first, second = lesson.labs[0], lesson.labs[1]
    for parameter in (f"{lesson.name}_nonsense", f"{first.name}_nonsense"):
        session = visit(lesson, **{parameter: "1"})
        assert len(warnings(session)) == 1
        pick(session, lesson, second)
        assert warnings(session) == [], parameter
        pick(session, lesson, first)
        assert warnings(session) == [], parameter


@each_lesson
def test_link_with_hundreds_of_mistakes_gets_a_few_sentences(visit: Open, lesson: LabLesson) -> None:
    wrong = {f"{name}_x{number}": "1" for number in range(150) for name in (lesson.name, lesson.labs[0].name)}
    assert 1 <= len(warnings(visit(lesson, **wrong))) <= 5


@each_lesson
def test_parameters_of_others_stay_in_the_address_and_out_of_the_config(visit: Open, lesson: LabLesson) -> None:
    session = visit(lesson, someone_else="1", lab="99")
    assert link(session) == {"someone_else": "1", "lab": "99"}
    assert settings(session, lesson.labs[0]) == lesson.labs[0].config()
    assert warnings(session) == []


# Presets and experiments.


@some_labs
def test_each_preset_sets_the_config_and_the_link(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    session = visit(lesson, **opens(lesson, lab))
    for title, values in lab.presets.items():
        click(session, f"{lab.name}:preset:{title}")
        assert_open(session, lesson, lab, lab.config(**values))


def test_button_wins_over_an_address_that_comes_late(visit: Open) -> None:
    """The browser may send a click before it has received the address that the previous click made."""
    session, lab = visit(TOYS), TOYS.labs[0]
    turn_all(session, lab, two_of(lab))
    session.query_params.clear()
    click(session, f"{lab.name}:preset:Loud")
    assert_open(session, TOYS, lab, lab.config(**lab.presets["Loud"]))
    session.query_params.clear()
    choose(session, 2)
    assert_open(session, TOYS, TOYS.labs[1], TOYS.labs[1].config(shape="bent", bend=2.0))
    session.query_params.clear()
    session.query_params["toys_echo_times"] = "9"
    choose(session, 3)
    assert_open(session, TOYS, TOYS.labs[2], TOYS.labs[2].config(by=2))


def test_button_takes_a_warning_away_even_if_it_changes_nothing(visit: Open) -> None:
    session = visit(TOYS, toys_echo_nonsense="1")
    assert len(warnings(session)) == 1
    click(session, "toys_echo:preset:Quiet")
    assert warnings(session) == []


@each_lesson
def test_every_experiment_is_a_link_to_a_lab_with_known_knobs_and_legal_values(lesson: LabLesson) -> None:
    items = [line for line in lesson.prose["Try this"].splitlines() if line.startswith("- ")]
    found = prose.experiments(lesson)
    assert len(found) == len(items) >= 3
    assert len({title for title, *_ in found}) == len(found), "the title is a widget's key"
    assert all(what for *_, what in found), "it says nothing to do"


@each_lesson
def test_every_experiment_sets_itself_up_by_click_and_by_link(visit: Open, lesson: LabLesson) -> None:
    by_click, by_link = visit(lesson), visit(lesson)
    items = [match for line in lesson.prose["Try this"].splitlines() if (match := prose.TRY_THIS.match(line))]
    for match, (title, lab, wanted, _) in zip(items, prose.experiments(lesson), strict=True):
        try_out(by_click, title)
        follow(by_link, **dict(parse_qsl(match["query"], keep_blank_values=True, strict_parsing=True)))
        for session in (by_click, by_link):
            assert_open(session, lesson, lab, wanted)
            assert warnings(session) == errors(session) == [], title


@each_lesson_of_several
def test_experiment_in_another_lab_is_undone_by_back(visit: Open, lesson: LabLesson) -> None:
    session = visit(lesson)
    wanted = turn_all(session, lesson.labs[0], two_of(lesson.labs[0]))
    elsewhere = [each for each in prose.experiments(lesson) if each[1] is not lesson.labs[0]]
    for title, lab, config, _ in elsewhere[:2]:
        try_out(session, title)
        session.run()
        assert_open(session, lesson, lab, config)
        follow(session, **address(lesson, lesson.labs[0], wanted))
        assert_open(session, lesson, lesson.labs[0], wanted)


def test_each_new_picture_of_a_still_lab_has_a_higher_number_and_goes_ahead_of_its_page(
    visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, bytes]] = []
    monkeypatch.setattr(still, "send", lambda board_id, frame: sent.append((board_id, frame)))
    lesson, lab = LABS["activations_curves"]
    session, other = visit(lesson, **opens(lesson, lab)), visit(lesson, **opens(lesson, lab))
    first = board(session)
    session.run()
    assert board(session) == first, "the same picture"
    turn_all(session, lab, two_of(lab))
    last = board(session)
    assert last["number"] > first["number"]
    assert last["board"] == first["board"] != board(other)["board"]
    mine = [base64.b64encode(frame).decode() for board_id, frame in sent if board_id == first["board"]]
    assert mine[0] == first["frame"] and mine[-1] == last["frame"]
    assert len(mine) == last["number"], "each once"


# A teacher's link.


@some_labs
def test_teachers_link_hides_those_knobs_and_only_those(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    every = set(applying(lab)) | {name for name, spec in lab.config.knobs().items() if not spec.shy}
    hidden = set(two_of(lab))
    given = turned(lab, two_of(lab)[0])
    session = visit(lesson, hide=", ".join(hidden), **address(lesson, lab, given))
    assert not shown_knobs(session, lab) & hidden
    assert shown_knobs(session, lab) >= {name for name in every - hidden if lab.config.knobs()[name].applies is None}
    session.run()
    assert settings(session, lab) == given, "a hidden knob keeps what the link gave it"
    assert link(session) == {"hide": ", ".join(hidden)} | address(lesson, lab, given)
    follow(session, hide="<b>,nonsense,,", **opens(lesson, lab))
    assert shown_knobs(session, lab) == every


@some_labs
def test_share_gives_a_link_that_opens_the_same_lab_with_the_same_settings(
    visit: Open, lesson: LabLesson, lab: Lab
) -> None:
    session = visit(lesson, **opens(lesson, lab))
    config = turn_all(session, lab, two_of(lab))
    session.session_state[f"{lesson.name}:share"] = True  # the popover is open
    session.run()
    hide = session.multiselect(key=f"{lesson.name}:hide")
    hide.set_value([two_of(lab)[0]]).run()
    (shared,) = [code.value for code in session.code if "?" in code.value]
    query = dict(parse_qsl(shared.partition("?")[2], keep_blank_values=True))
    assert query == address(lesson, lab, config) | {"hide": two_of(lab)[0]}
    other = visit(lesson, **query)
    assert settings(session, lab) == settings(other, lab) == config
    assert open_lab(other, lesson) is lab
    assert two_of(lab)[0] not in shown_knobs(other, lab)


@some_labs
def test_all_that_share_offers_to_hide_is_hidden(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    """The picker of labs is among it."""
    session = visit(lesson, **opens(lesson, lab))
    session.session_state[f"{lesson.name}:share"] = True
    session.run()
    session.multiselect(key=f"{lesson.name}:hide").set_value(["lab", *lab.config.knobs()]).run()
    (shared,) = [code.value for code in session.code if "?" in code.value]
    other = visit(lesson, **dict(parse_qsl(shared.partition("?")[2])))
    assert [key for key in widgets(other) if key.startswith(f"{lesson.name}_") and ":" not in key] == []
    other.run()
    assert settings(other, lesson).lab == short(lesson, lab)


def test_share_stays_open_from_lab_to_lab(visit: Open) -> None:
    lesson = TOYS
    session = visit(lesson)
    session.session_state[f"{lesson.name}:share"] = True
    session.run()
    for lab in lesson.labs:
        pick(session, lesson, lab)
        session.session_state[f"{lesson.name}:share"] = True
        session.run()
        session.multiselect(key=f"{lesson.name}:hide").set_value([two_of(lab)[0]]).run()
        assert list(session.exception) == []
        (shared,) = [code.value for code in session.code if "?" in code.value]
        assert dict(parse_qsl(shared.partition("?")[2])) == opens(lesson, lab) | {"hide": two_of(lab)[0]}


# Charts that turn knobs.


def test_a_place_picked_in_a_chart_turns_its_knobs_to_the_nearest_they_take(visit: Open) -> None:
    session, lab = visit(TOYS), TOYS.labs[1]
    pick(session, TOYS, lab)
    turn(session, lab, "large", 20)
    say(session, "board", "picked", {"chart": "line", "x": 0.517, "y": 0.9})
    assert_open(session, TOYS, lab, lab.config(shift=0.5, slope=1.0, large=20))
    say(session, "board", "picked", {"chart": "line", "x": 1e6, "y": -1e6})
    assert_open(session, TOYS, lab, lab.config(shift=2.0, slope=0.25, large=20))


@pytest.mark.parametrize(
    "picked",
    [None, 7, "x", [], {}, {"chart": "line"}, {"chart": "length", "x": 1, "y": 1}, {"chart": "line", "x": "1", "y": 1},
     {"chart": "line", "x": float("nan"), "y": 1}, {"chart": "line", "x": 10**400, "y": 1},
     {"chart": "line", "x": 1, "y": float("-inf")}, {"chart": ["line"], "x": 1, "y": 1}],
    ids=range(12),
)  # fmt: skip
def test_of_nonsense_picked_in_a_chart_nothing_comes(visit: Open, picked: object) -> None:
    session, lab = visit(TOYS), TOYS.labs[1]
    pick(session, TOYS, lab)
    say(session, "board", "picked", picked)
    assert_open(session, TOYS, lab, lab.config())


def test_charts_turn_only_knobs_that_are_numbers_between_bounds_or_of_choices() -> None:
    for _, lab in LABS.values():
        for chart in lab.charts:
            assert len(chart.turns) <= 2
            assert not chart.turns or lab.draw is not None
            for name in chart.turns:
                assert type(lab.config.knobs()[name].default) in (int, float)


# Labs with a run.

LIVE_LABS = {name: pair for name, pair in LABS.items() if pair[1].build is not None}
each_live_lab = pytest.mark.parametrize(("lesson", "lab"), LIVE_LABS.values(), ids=list(LIVE_LABS))


@each_live_lab
def test_run_stays_while_live_knobs_turn_and_starts_over_with_the_others(
    visit: Open, lesson: LabLesson, lab: Lab
) -> None:
    session = visit(lesson, **opens(lesson, lab))
    first = run_id(session)
    for name in applying(lab):
        live = lab.config.knobs()[name].live
        advance(session, 2)
        before = steps(session)
        assert before > 0
        turn(session, lab, name, another(lab.config, name))
        assert run_id(session) == first, name
        assert steps(session) == (before if live else 0), name
        turn(session, lab, name, lab.config.knobs()[name].default)
        advance(session, 0)


def advance(session: AppTest, count: int) -> None:
    """Take steps; a run that waits for what its next step needs is asked again."""
    end, left = time.monotonic() + RUN_SECONDS, count
    while left > 0 and time.monotonic() < end:
        taken, outcome = server_engine().call(run_id(session), lambda run: (run.advance(5.0, 1), run.outcome))
        left = 0 if outcome else left - taken
        time.sleep(0 if taken else 0.02)


def steps(session: AppTest) -> int:
    return server_engine().call(run_id(session), lambda run: run.steps)


@each_live_lab
def test_run_is_still_there_on_coming_back_to_its_lab_and_no_other_lab_has_it(
    visit: Open, lesson: LabLesson, lab: Lab
) -> None:
    session = visit(lesson, **opens(lesson, lab))
    first = run_id(session)
    advance(session, 1)
    if len(lesson.labs) == 1:
        go(session, "home.py")
        go(session, f"{lesson.name}.py")
    else:
        for each in (*lesson.labs, lab):
            pick(session, lesson, each)
            assert each.build is None or (run_id(session) == first) is (each is lab), "each live lab has its own run"
    assert run_id(session) == first
    assert steps(session) == 1


@each_live_lab
def test_two_visitors_have_runs_and_knobs_of_their_own(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    one, other = visit(lesson, **opens(lesson, lab)), visit(lesson, **opens(lesson, lab))
    assert run_id(one) != run_id(other)
    turn_all(one, lab, two_of(lab))
    other.run()
    assert_open(other, lesson, lab, lab.config())


@each_live_lab
def test_run_that_was_dropped_is_replaced_with_the_same_settings(
    visit: Open, engine: Engine, lesson: LabLesson, lab: Lab
) -> None:
    session = visit(lesson, **opens(lesson, lab))
    wanted = turn_all(session, lab, two_of(lab))
    first = run_id(session)
    engine.close(first)
    session.run()
    assert run_id(session) != first
    assert_open(session, lesson, lab, wanted)


def test_live_lab_that_refuses_its_settings_says_so_and_recovers(visit: Open, engine: Engine) -> None:
    lab = TOYS.labs[2]
    session = visit(TOYS, **opens(TOYS, lab), toys_count_word="refused")
    until(lambda: engine.state_of(run_id(session)) == "failed")
    turn(session, lab, "word", "better")
    assert_open(session, TOYS, lab, lab.config(word="better"))
    assert engine.state_of(run_id(session)) == "paused"


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


# Tables.


@pytest.mark.parametrize("text", (*HOSTILE, *MORE_HOSTILE))
def test_table_shows_any_text_as_it_is(text: str) -> None:
    """In a heading, in a cell and in code."""
    body = lab_page.as_html(Table((text, "code"), ((text, text),), code=("code",)))
    reader = Reader()
    reader.feed(body)
    assert set(reader.tags) <= {"div", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert reader.attributes == [("class", "sheet")]
    assert reader.words == [each for each in (text, "code", text, text) if each]


class Reader(HTMLParser):
    """What a browser makes of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data: str) -> None:
        self.words.append(data)
