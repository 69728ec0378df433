"""Every page of labs as Streamlit runs it, with no browser: which lab is open, its knobs, its link and what it shows.

What a lab has in common with a lesson that trains is tested in test_benches.py.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.runtime.state.query_params_proxy import QueryParamsProxy

from pages.ui import lab_page, sheet
from pages.ui.routes import still
from pages.ui.session import pool
from pages.ui.widgets import knob_widgets
from playground.experiments import experiments
from playground.knobs import Config, Value
from playground.lesson import Lab, LabLesson, Sheet, Table
from playground.lessons import LESSONS
from tests.pages.benches import (
    LABS,
    LESSONS_OF_LABS,
    MORE_HOSTILE,
    SOME_LABS,
    address,
    advance,
    applying,
    assert_open,
    drawn,
    each_of,
    open_bench,
    opens,
    pick,
    short,
    some_hostile,
    steps,
    texts,
    turn_all,
    turned,
    two_of,
)
from tests.pages.session import (
    HOSTILE,
    Open,
    another,
    assert_dead,
    board,
    follow,
    go,
    link,
    parameters_of,
    run_id,
    say,
    settings,
    shown_knobs,
    turn,
    warnings,
    widgets,
)
from tests.pages.toys import LESSON as TOYS

SEVERAL = {name: lesson for name, lesson in LESSONS_OF_LABS.items() if len(lesson.labs) > 1}
each_lesson = pytest.mark.parametrize("lesson", LESSONS_OF_LABS.values(), ids=list(LESSONS_OF_LABS))
each_lesson_of_several = pytest.mark.parametrize("lesson", SEVERAL.values(), ids=list(SEVERAL))
LIVE_LABS = {name: pair for name, pair in LABS.items() if pair[1].build is not None}
SHY_LABS = {name: pair for name, pair in LABS.items() if any(spec.shy for spec in pair[1].config.knobs().values())}
each_lab, some_labs, each_live_lab = each_of(LABS, "lab"), each_of(SOME_LABS, "lab"), each_of(LIVE_LABS, "lab")
some_or_live_labs, each_lab_with_shy_knobs = each_of(SOME_LABS | LIVE_LABS, "lab"), each_of(SHY_LABS, "lab")
some_labs_with_text = each_of({name: pair for name, pair in SOME_LABS.items() if texts(pair[1])}, "lab")
REFUSING = (
    *("tensors_tutorial", "tensors_operations", "tensors_broadcasting", "tensors_views", "autograd_slope"),
    *("gradient_descent_basins", "convolution_chain", "toys_echo", "toys_line"),
)  # labs that refuse some configs


# Which lab is open.


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
        assert open_bench(session, lesson) is lesson.labs[0]
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


@pytest.mark.in_turns
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


# Knobs and the link.


@each_lab_with_shy_knobs
def test_knob_that_comes_and_goes_keeps_its_value(visit: Open, lesson: LabLesson, lab: Lab) -> None:
    """A shy knob has no widget while it does not matter, and Streamlit forgets what an absent widget held."""
    for name, spec in [pair for pair in lab.config.knobs().items() if pair[1].shy and pair[1].applies][-2:]:
        bringing_out = [config for config in some_configs(lesson, lab) if spec.applies(config)]
        assert bringing_out, f"no knob and no experiment brings out {name}"
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
            bringing_out = [config for config in some_configs(lesson, lab) if spec.applies(config)]
            trials = [*trials[:1], ({}, [turned(lab, name), bringing_out[0], default, turned(lab, first), default])]
    for hide, configs in trials:
        session = visit(lesson, **hide, **opens(lesson, lab))
        for config in configs:
            follow(session, **hide, **address(lesson, lab, config))
            session.run()
            assert settings(session, lab) == config
            assert link(session) == hide | address(lesson, lab, config)


def some_configs(lesson: LabLesson, lab: Lab) -> list[Config]:
    """Configs that differ from the default in little."""
    specs = lab.config.knobs().items()
    moved = [lab.config(**{name: option}) for name, spec in specs if not spec.many for option in spec.options or ()]
    return [lab.config(), *moved, *(each.config for each in experiments(lesson) if each.bench is lab)]


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


@each_lesson_of_several
def test_setting_of_a_lab_that_is_not_open_is_no_mistake_of_the_one_that_is(visit: Open, lesson: LabLesson) -> None:
    lab, other = lesson.labs[0], lesson.labs[-1]
    session = visit(lesson, **parameters_of(other, turned(other, *two_of(other))))
    assert warnings(session) == []
    assert open_bench(session, lesson) is lab
    assert link(session) == {}


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


# Pictures.


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
            assert not chart.click_turns or (lab.build is not None and chart.click == "pick")
            for name in chart.knobs_set_by_click:
                assert lab.config.knobs()[name].live, "the run would start over"
                assert type(lab.config.knobs()[name].default) in (int, float)


# Labs with a run.


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


def test_live_lab_that_refuses_its_settings_says_so_and_recovers(visit: Open) -> None:
    lab = TOYS.labs[2]
    session = visit(TOYS, **opens(TOYS, lab), toys_count_word="refused")
    until(lambda: pool().state_of(run_id(session)) == "failed")
    turn(session, lab, "word", "better")
    assert_open(session, TOYS, lab, lab.config(word="better"))
    assert pool().state_of(run_id(session)) == "paused"


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


# Tables.


@pytest.mark.parametrize("text", (*HOSTILE, *MORE_HOSTILE))
def test_table_shows_any_text_as_it_is(text: str) -> None:
    """In a heading, in a cell and in code."""
    body = sheet.as_html(text, [Table((text, "code"), ((text, text),), code=("code",))])
    reader = Reader()
    reader.feed(body)
    assert set(reader.tags) <= {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "code"}
    code = {("translate", "no")} if text else set()  # an empty cell is no code
    assert set(reader.attributes) == {("class", "sheet"), ("scope", "col"), *code}
    assert reader.words == [each for each in (text, text, "code", text, text) if each]


def test_an_empty_cell_has_no_background_of_code_and_a_size_stays_on_one_line() -> None:
    body = sheet.as_html("", [Table(("Code", "Size"), (("", "16 × 28 × 28"), ("x", "2 × y")), code=("Code",))])
    cells = re.findall(r"<td>(.*?)</td>", body)
    assert cells == ["", "16\u00a0×\u00a028\u00a0×\u00a028", '<code translate="no">x</code>', "2 × y"]


@pytest.mark.parametrize("text", (*HOSTILE, *MORE_HOSTILE))
def test_note_has_no_links_images_or_html_of_a_visitor(text: str) -> None:
    reader = Reader()
    reader.feed(sheet.note_as_html(f"The note says {text} and goes on."))
    assert not set(reader.tags) & {"a", "img", "script", "b", "br"}


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
