"""What a page does for its knobs, its link and its run, whether it is that of a lesson with a run or of a lab."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.session import pool
from playground.lesson import Bench, Lab, LabLesson, Lesson, Sheet
from playground.lessons import LESSONS
from tests.pages.benches import (
    LABS,
    LESSONS_OF_LABS,
    LIVE,
    MORE_HOSTILE,
    SOME_LABS,
    TRAINED,
    address,
    advance,
    applying,
    assert_open,
    assert_runs,
    drawn,
    each_of,
    errors,
    few,
    htmls,
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
    boards,
    can_turn,
    follow,
    go,
    link,
    live_text,
    numbers,
    one_of_each_kind,
    refusals,
    run_id,
    settings,
    shown_knobs,
    turn,
    warnings,
    widgets,
)

BENCHED = LIVE | LESSONS_OF_LABS
each_lesson = pytest.mark.parametrize("lesson", BENCHED.values(), ids=list(BENCHED))
each_bench = each_of(TRAINED | LABS)
some_benches = each_of(TRAINED | SOME_LABS)
some_benches_or_with_text = each_of(TRAINED | SOME_LABS | {name: pair for name, pair in LABS.items() if texts(pair[1])})
each_live_bench = each_of(TRAINED | {name: pair for name, pair in LABS.items() if pair[1].build is not None})
MARKUP = re.compile(r"[<>\[\]$`]|:\w+\[|www\.|//")  # what Markdown, HTML or Plotly would make something else of


@each_bench
def test_bench_opens_by_its_link_with_its_knobs_and_no_complaint(visit: Open, lesson: Lesson, bench: Bench) -> None:
    session = visit(lesson, **({} if bench is lesson else {f"{lesson.name}_lab": short(lesson, bench)}))
    assert [title.value for title in session.title] == [lesson.title]
    assert_open(session, lesson, bench, bench.config())
    assert warnings(session) == errors(session) == []
    assert shown_knobs(session, bench) == set(applying(bench)) | not_shy(bench)
    for other in lesson.benches:
        assert other is bench or shown_knobs(session, other) == set(), "a knob of a lab that is not open"


def not_shy(bench: Bench) -> set[str]:
    """The knobs that are on the page whether they matter or not."""
    return {name for name, spec in bench.config.knobs().items() if not spec.shy}


@some_benches
def test_redrawing_the_page_changes_nothing(visit: Open, lesson: Lesson, bench: Bench) -> None:
    session = visit(lesson, **opens(lesson, bench))
    before = boards(session)
    session.run()
    session.run()
    assert_open(session, lesson, bench, bench.config())
    assert boards(session) == before


@some_benches
def test_leaving_the_page_and_coming_back_keeps_bench_settings_and_run(
    visit: Open, lesson: Lesson, bench: Bench
) -> None:
    session = visit(lesson)
    pick(session, lesson, bench)
    wanted = turn_all(session, bench, list(bench.config.knobs())[:3] if bench is lesson else two_of(bench))
    first, made = None, 0
    if runs(bench):
        advance(session, 3)
        first, made = run_id(session), steps(session)  # a learning rate that high may have ended it earlier
        assert made > 0
    other = next(name for name in LESSONS if name != lesson.name)
    for elsewhere in ("home.py", f"{other}.py"):
        go(session, elsewhere)
        go(session, f"{lesson.name}.py")
        for _ in range(2):
            assert_open(session, lesson, bench, wanted)
            assert first is None or (run_id(session), steps(session)) == (first, made)
            session.run()  # with what the widgets say


def runs(bench: Bench) -> bool:
    return not isinstance(bench, Lab) or bench.build is not None


# Knobs and the link.


@some_benches
def test_each_knobs_value_by_link_reaches_what_is_shown(visit: Open, lesson: Lesson, bench: Bench) -> None:
    session = visit(lesson)
    for name in few(bench, list(bench.config.knobs())):
        follow(session, **address(lesson, bench, turned(bench, name)))
        assert_open(session, lesson, bench, turned(bench, name))
        assert warnings(session) == [], name


@pytest.mark.in_turns
@some_benches
def test_each_turned_knob_reaches_what_is_shown_and_the_link(visit: Open, lesson: Lesson, bench: Bench) -> None:
    session = visit(lesson, **opens(lesson, bench))
    for name in few(bench, list(applying(bench)), most=3):
        assert can_turn(session, bench, name), name
        turn(session, bench, name, another(bench.config, name))
        assert_open(session, lesson, bench, turned(bench, name))
        turn(session, bench, name, bench.config.knobs()[name].default)
        assert_open(session, lesson, bench, bench.config())


@each_lesson
def test_number_past_its_bounds_in_a_link_is_set_to_the_bound_with_a_sentence(visit: Open, lesson: Lesson) -> None:
    session = visit(lesson)
    for bench in lesson.benches:
        for name, spec in list(numbers(bench.config).items())[: None if bench is lesson else 2]:
            for text, bound in ((f"{spec.hi * 10 + 1:.0f}", spec.hi), ("-1000000000", spec.lo)):
                follow(session, **opens(lesson, bench), **{f"{bench.name}_{name}": text})
                (sentence,) = warnings(session)
                assert spec.label in sentence
                kind = type(spec.default)
                assert sentence.endswith(f"It was set to {spec.name_of(kind(bound))}.")
                assert settings(session, bench) == bench.config(**{name: kind(bound)})
                assert bench is not lesson or assert_runs(session, bench, settings(session, bench)) is None


@some_benches_or_with_text
def test_hostile_values_get_sentences_and_no_markup_comes_alive(visit: Open, lesson: Lesson, bench: Bench) -> None:
    """In one knob of each kind of a lesson that trains; in all of a lab at once, and every text if it takes any."""
    session, every = visit(lesson), bench is lesson or bool(texts(bench))
    specs = bench.config.knobs()
    for names in [[name] for name in one_of_each_kind(bench.config)] if bench is lesson else [list(specs)]:
        for text in (*MORE_HOSTILE, *HOSTILE) if every else (HOSTILE[1], HOSTILE[7], HOSTILE[14]):
            follow(session, **opens(lesson, bench), **{f"{bench.name}_{name}": text for name in names})
            assert open_bench(session, lesson) is bench
            assert settings(session, bench).changed_from(bench.config()).keys() <= set(names)
            assert len(names) > 1 or len(warnings(session)) <= 1
            for sentence in warnings(session):
                assert len(sentence) < (500 if bench is lesson else 700)
                label = max((specs[name].label for name in names if sentence.startswith(specs[name].label)), key=len)
                assert_dead(sentence.removeprefix(label))
            if isinstance(bench, Lab):
                assert_nothing_alive(session, bench)
            else:
                assert_runs(session, bench, settings(session, bench))
        assert bench is not lesson or warnings(session), "the last text is not a value of any knob"


def assert_nothing_alive(session: AppTest, lab: Lab) -> None:
    """What the lab itself says: its refusal, its note, its tables and the words in its charts."""
    assert list(session.error) == [], "the board says a refusal, as text in which no markup has an effect"
    for sentence in refusals(session):
        assert "\n" not in sentence and len(sentence) < 700
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


@each_lesson
def test_hostile_name_gets_a_sentence_and_no_markup_comes_alive(visit: Open, lesson: Lesson) -> None:
    session, bench = visit(lesson), lesson.benches[-1]
    for text in filter(None, some_hostile(lesson)):
        for name in {f"{bench.name}_{text}", f"{lesson.name}_{text}"}:
            follow(session, **opens(lesson, bench), **{name: "1"})
            (sentence,) = warnings(session)
            assert "There is no setting called" in sentence
            assert len(sentence) < 200
            assert_dead(sentence)
            assert_open(session, lesson, bench, bench.config())


@each_lesson
def test_link_with_hundreds_of_mistakes_gets_a_few_sentences(visit: Open, lesson: Lesson) -> None:
    wrong = {f"{name}_x{number}": "1" for number in range(300) for name in (lesson.name, lesson.benches[0].name)}
    assert 1 <= len(warnings(visit(lesson, **wrong))) <= 5


@each_lesson
def test_parameters_of_others_stay_in_the_address_and_out_of_the_config(visit: Open, lesson: Lesson) -> None:
    foreign, bench = {"someone_else": "1", "lab": "99", "lr": "99"}, lesson.benches[0]
    session = visit(lesson, **foreign)
    assert link(session) == foreign
    assert settings(session, bench) == bench.config()
    assert not runs(bench) or assert_runs(session, bench, bench.config()) is None
    assert warnings(session) == []


@some_benches
def test_warning_stays_while_nothing_is_turned_and_leaves_with_the_next_knob(
    visit: Open, lesson: Lesson, bench: Bench
) -> None:
    name = next(iter(applying(bench)))
    for parameter in {f"{lesson.name}_nonsense", f"{bench.name}_nonsense"}:
        session = visit(lesson, **opens(lesson, bench), **{parameter: "1"})
        assert len(warnings(session)) == 1
        session.run()
        assert len(warnings(session)) == 1
        turn(session, bench, name, another(bench.config, name))
        assert warnings(session) == [], parameter


# A teacher's link.


@some_benches
def test_teachers_link_hides_those_knobs_and_only_those(visit: Open, lesson: Lesson, bench: Bench) -> None:
    hidden = set(two_of(bench))
    given = turned(bench, two_of(bench)[0])
    session = visit(lesson, hide=", ".join(hidden), **address(lesson, bench, given))
    assert not shown_knobs(session, bench) & hidden
    assert shown_knobs(session, bench) >= not_shy(bench) - hidden
    session.run()
    assert settings(session, bench) == given, "a hidden knob keeps what the link gave it"
    assert link(session) == {"hide": ", ".join(hidden)} | address(lesson, bench, given)
    follow(session, hide="<b>,nonsense,,", **opens(lesson, bench))
    assert shown_knobs(session, bench) == set(applying(bench)) | not_shy(bench)


def share(session: AppTest, lesson: Lesson, hide: list[str]) -> dict[str, str]:
    """The query parameters of the link that Share gives, with these settings hidden."""
    session.session_state[f"{lesson.name}:share"] = True  # the popover is open
    session.run()
    session.multiselect(key=f"{lesson.name}:hide").set_value(hide).run()
    (shared,) = [code.value for code in session.code if "?" in code.value]
    return dict(parse_qsl(shared.partition("?")[2], keep_blank_values=True))


@some_benches
def test_share_gives_a_link_that_opens_the_same_bench_with_the_same_settings(
    visit: Open, lesson: Lesson, bench: Bench
) -> None:
    session = visit(lesson, **opens(lesson, bench))
    config = turn_all(session, bench, two_of(bench))
    hidden = two_of(bench)[0]
    query = share(session, lesson, [hidden])
    assert query == address(lesson, bench, config) | {"hide": hidden}
    other = visit(lesson, **query)
    assert settings(session, bench) == settings(other, bench) == config
    assert open_bench(other, lesson) is bench
    assert hidden not in shown_knobs(other, bench)


@some_benches
def test_all_that_share_offers_to_hide_is_hidden(visit: Open, lesson: Lesson, bench: Bench) -> None:
    """The picker of labs is among it."""
    session = visit(lesson, **opens(lesson, bench))
    other = visit(
        lesson, **share(session, lesson, ["lab"] * isinstance(lesson, LabLesson) + list(bench.config.knobs()))
    )
    assert [key for key in widgets(other) if key.startswith(f"{lesson.name}_") and ":" not in key] == []
    other.run()
    assert not isinstance(lesson, LabLesson) or settings(other, lesson).lab == short(lesson, bench)


# The run behind the page.


@pytest.mark.in_turns
@each_live_bench
def test_run_stays_while_live_knobs_turn_and_starts_over_with_the_others(
    visit: Open, lesson: Lesson, bench: Bench
) -> None:
    session = visit(lesson, **opens(lesson, bench))
    first = run_id(session)
    starts = {name for chart in bench.charts for name in chart.knobs_set_by_click}
    for name, spec in bench.config.knobs().items():
        advance(session, 2)
        before = steps(session)
        assert before > 0
        if can_turn(session, bench, name):
            turn(session, bench, name, another(bench.config, name))
        else:
            follow(session, **address(lesson, bench, turned(bench, name)))
        assert run_id(session) == first, name
        goes_on = spec.live and name not in starts  # another start puts the ball of the same run at step 0
        assert steps(session) == (before if goes_on else 0), name
        assert_open(session, lesson, bench, turned(bench, name))
        follow(session, **opens(lesson, bench))


@each_live_bench
def test_two_visitors_have_runs_and_knobs_of_their_own(visit: Open, lesson: Lesson, bench: Bench) -> None:
    one, other = visit(lesson, **opens(lesson, bench)), visit(lesson, **opens(lesson, bench))
    assert run_id(one) != run_id(other)
    turn_all(one, bench, two_of(bench))
    other.run()
    assert_open(other, lesson, bench, bench.config())


@each_live_bench
def test_run_that_was_dropped_is_replaced_with_the_same_settings(visit: Open, lesson: Lesson, bench: Bench) -> None:
    session = visit(lesson, **opens(lesson, bench))
    wanted = turn_all(session, bench, two_of(bench))
    first = run_id(session)
    pool().close(first)
    session.run()
    assert run_id(session) != first
    assert pool().has(run_id(session))
    assert_open(session, lesson, bench, wanted)
