"""Every page as Streamlit runs it, with no browser: its words, its link, its knobs and the run behind it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import prose as page
from pages.ui.emblems import DRAWINGS, SIZE, emblem
from pages.ui.session import engine as server_engine
from playground.engine.engine import Engine
from playground.knobs import Config
from playground.lesson import SECTIONS, Lesson, LiveLesson
from playground.lessons import LESSONS
from tests.pages.session import (
    HOSTILE,
    SCRIPT,
    Open,
    another,
    assert_dead,
    board,
    can_turn,
    choose,
    click,
    follow,
    go,
    held,
    link,
    numbers,
    one_of_each_kind,
    parameters_of,
    run_id,
    shown_knobs,
    try_out,
    turn,
    warnings,
    widgets,
    words,
)  # fmt: skip

LIVE = {name: lesson for name, lesson in LESSONS.items() if isinstance(lesson, LiveLesson)}
each_lesson = pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
each_live_lesson = pytest.mark.parametrize("lesson", LIVE.values(), ids=list(LIVE))


def config(session: AppTest) -> Config:
    """The config of the run that the board shows, once the engine has caught up."""
    return server_engine().call(run_id(session), lambda run: run.config)


def steps(session: AppTest) -> int:
    return server_engine().call(run_id(session), lambda run: run.steps)


def train(session: AppTest, count: int) -> None:
    server_engine().call(run_id(session), lambda run: run.advance(10.0, count))


# Home.


def test_home_links_to_every_lesson_in_order(visit: Open) -> None:
    session = visit()
    assert list(session.exception) == []
    links = [each.proto.page for each in session.get("page_link")]
    assert [link.rpartition("/")[2].removesuffix(".py") for link in links][: len(LESSONS)] == list(LESSONS)


def test_home_says_each_lesson_in_a_sentence(visit: Open) -> None:
    captions = {caption.value for caption in visit().caption}
    assert {lesson.sentence for lesson in LESSONS.values()} <= captions


def test_every_lesson_has_a_drawing_on_its_card_that_is_xml() -> None:
    assert DRAWINGS.keys() == LESSONS.keys()
    for name in LESSONS:
        width, height = ElementTree.fromstring(emblem(name)).attrib["viewBox"].split()[2:]
        assert (int(width), int(height)) == SIZE


# Every lesson.


def test_every_lesson_has_a_page_and_a_name_that_fits_an_address() -> None:
    for name, lesson in LESSONS.items():
        assert lesson.name == name
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert (SCRIPT.parent / f"{name}.py").is_file()
        assert lesson.sentence.endswith(".")


@each_live_lesson
def test_lesson_opens_with_its_title_its_knobs_its_run_and_no_complaint(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    assert [title.value for title in session.title] == [lesson.title]
    assert warnings(session) == []
    assert shown_knobs(session, lesson) == set(lesson.config.knobs())
    assert config(session) == lesson.config()
    assert link(session) == {}


@each_live_lesson
def test_board_names_the_lessons_charts_and_numbers(visit: Open, lesson: LiveLesson) -> None:
    data = board(visit(lesson))
    assert [chart["name"] for chart in data["charts"]] == [chart.name for chart in lesson.charts]
    assert data["status"] == dict(lesson.status)
    assert all(chart["alt"].endswith(".") for chart in data["charts"])


@each_live_lesson
def test_every_knob_says_whether_it_starts_the_run_over(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    for name, spec in lesson.config.knobs().items():
        words = widgets(session)[f"{lesson.name}_{name}"].help or ""
        assert ("starts the run over" in words) is not spec.live, name


@each_lesson
def test_code_on_demand_is_the_source_of_what_runs(visit: Open, lesson: Lesson) -> None:
    session = visit(lesson)
    before = len(session.code)
    widgets(session)[f"{lesson.name}:code"].set_value(True).run()
    assert len(session.code) == before + len(lesson.code) + ("```" in lesson.prose["In PyTorch"])
    for shown in lesson.code:
        assert any(f"def {shown.__name__}" in code.value for code in session.code), shown


@each_lesson
def test_neighbours_are_linked_at_the_end(visit: Open, lesson: Lesson) -> None:
    names = ["home", *LESSONS]
    at = names.index(lesson.name)
    links = [each.proto.page.rpartition("/")[2].removesuffix(".py") for each in visit(lesson).get("page_link")]
    home_is_root = ["home" if name == "" else name for name in links]
    assert home_is_root == [names[at - 1], *names[at + 1 : at + 2]]


# Prose.


@each_lesson
def test_prose_has_all_sections_in_order(lesson: Lesson) -> None:
    assert tuple(lesson.prose) == SECTIONS
    assert all(len(text) > 20 for text in lesson.prose.values())


@each_lesson
def test_prose_is_on_the_page(visit: Open, lesson: Lesson) -> None:
    shown = words(visit(lesson))
    assert re.findall("<h3>(.*?)</h3>", shown) == list(SECTIONS)
    text = plain(re.sub("<[^>]+>", "", shown))
    for section, words_of_it in lesson.prose.items():
        written = re.sub(r"\]\(\?[^)]*\)", "", words_of_it.partition("```")[0])
        for word in re.findall(r"[^\W\d_]{3,}", plain(re.sub(r"\*\*|`", "", written))):
            assert word in text, (section, word)


def plain(text: str) -> str:
    """Text as a reader sees it: entities as characters."""
    return html.unescape(text)


def test_markup_in_prose_is_shown_as_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name, lesson = next(iter(LIVE.items()))
    evil = "<img src=x onerror=alert(1)>"
    (tmp_path / f"{name}.md").write_text(
        f"## Idea\n\n{evil}\n\n## Try this\n\n- [{evil}](?): {evil}\n\n## Check yourself\n\n- {evil} :: {evil}\n"
    )
    monkeypatch.setattr("playground.lesson.PROSE", tmp_path)
    shown = page.as_html(lesson)
    assert "<img" not in shown
    assert shown.count("&lt;img") == 5


@pytest.mark.parametrize("number", [-1, 10_000, 1.5, "0", None, [0], {}])
def test_an_experiment_that_there_is_not_changes_nothing(visit: Open, number: object) -> None:
    lesson = next(iter(LIVE.values()))
    session = visit(lesson)
    before = config(session)
    choose(session, number)
    assert config(session) == before


@each_live_lesson
def test_every_experiment_is_a_link_with_known_knobs_and_legal_values(lesson: LiveLesson) -> None:
    items = [line for line in lesson.prose["Try this"].splitlines() if line.startswith("- ")]
    assert len(items) >= 3
    matches = [page.TRY_THIS.match(item) for item in items]
    for item, match in zip(items, matches, strict=True):
        assert match, f"no link, so it would not be shown: {item}"
        pairs = parse_qsl(match["query"], keep_blank_values=True, strict_parsing=True)
        assert all(name.startswith(f"{lesson.name}_") for name, _ in pairs), item
        texts = {name.removeprefix(f"{lesson.name}_"): text for name, text in pairs}
        assert len(texts) == len(pairs), f"a knob is set twice: {item}"
        _, problems = lesson.config.parse(texts)
        assert problems == [], item
        assert match["text"], f"it says nothing to do: {item}"
    titles = [match["title"] for match in matches if match]
    assert len(set(titles)) == len(titles), "the title is a widget's key"


@each_lesson
def test_nothing_in_the_experiments_or_questions_is_lost(lesson: Lesson) -> None:
    """The page shows what its patterns match; a line wrapped by hand would vanish."""
    for section, pattern in (("Try this", page.TRY_THIS), ("Check yourself", page.CHECK)):
        lines = [line for line in lesson.prose[section].splitlines() if line.strip()]
        assert [line for line in lines if not pattern.match(line)] == [], section


@each_live_lesson
def test_every_experiment_sets_itself_up_by_click_and_by_link(visit: Open, lesson: LiveLesson) -> None:
    by_click, by_link = visit(lesson), visit(lesson)
    for title, _, wanted, _ in page.experiments(lesson):
        try_out(by_click, title)
        assert config(by_click) == wanted, title
        assert link(by_click) == parameters_of(lesson, wanted), title
        if parameters_of(lesson, wanted):
            follow(by_link, **parameters_of(lesson, wanted))
            assert config(by_link) == wanted, title
        assert warnings(by_click) == warnings(by_link) == []


def test_illegal_experiment_is_named_with_its_lesson(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name, lesson = next(iter(LIVE.items()))
    (tmp_path / f"{name}.md").write_text(f"## Try this\n\n- [Broken]({f'?{name}_nonsense=1'}): no.\n")
    monkeypatch.setattr("playground.lesson.PROSE", tmp_path)
    with pytest.raises(ValueError, match=rf"“Broken” in {name}\.md"):
        page.experiments(lesson)


@each_lesson
def test_every_question_has_an_answer_to_unfold(visit: Open, lesson: Lesson) -> None:
    found = re.findall(r"<details><summary>(.+?)</summary>\s*<p>(.+?)</p>", words(visit(lesson)))
    assert len(found) == len([line for line in lesson.prose["Check yourself"].splitlines() if line.strip()]) > 0


# Presets.


@each_live_lesson
def test_each_preset_sets_the_config_and_the_link(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    for title, values in lesson.presets.items():
        wanted = lesson.config(**values)
        click(session, f"{lesson.name}:preset:{title}")
        assert config(session) == wanted, title
        assert link(session) == parameters_of(lesson, wanted), title
        for name in lesson.config.knobs():
            assert session.session_state[f"{lesson.name}_{name}"] == held(lesson, name, getattr(wanted, name)), title


@each_live_lesson
def test_first_preset_is_the_default(visit: Open, lesson: LiveLesson) -> None:
    assert [lesson.config(**values) for values in lesson.presets.values()][:1] in ([], [lesson.config()])


# The link.


@each_live_lesson
def test_link_sets_each_knob(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    for name in lesson.config.knobs():
        wanted = lesson.config(**{name: another(lesson.config, name)})
        follow(session, **parameters_of(lesson, wanted))
        assert config(session) == wanted, name
        assert warnings(session) == [], name
        assert link(session) == parameters_of(lesson, wanted)


@each_live_lesson
def test_number_past_its_bounds_in_a_link_is_set_to_the_bound_with_a_sentence(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    for name, spec in numbers(lesson.config).items():
        for text, bound in ((f"{spec.hi * 10 + 1:.0f}", spec.hi), ("-1000000000", spec.lo)):
            follow(session, **{f"{lesson.name}_{name}": text})
            assert getattr(config(session), name) == bound, name
            (sentence,) = warnings(session)
            assert spec.label in sentence
            assert sentence.endswith(f"It was set to {spec.name_of(type(spec.default)(bound))}.")


@each_live_lesson
def test_hostile_value_gets_a_sentence_and_no_markup_comes_alive(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    for name, spec in one_of_each_kind(lesson.config).items():
        for text in HOSTILE:
            follow(session, **{f"{lesson.name}_{name}": text})
            if not warnings(session):
                taken = config(session).changed_from(lesson.config())
                assert taken.keys() <= {name}, "taken, so it must have been legal"
                continue
            (sentence,) = warnings(session)
            assert spec.label in sentence
            assert len(sentence) < 500
            assert_dead(sentence)
        assert warnings(session), "the last text is no value of any knob"


@each_live_lesson
def test_hostile_name_gets_a_sentence_and_no_markup_comes_alive(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    for text in filter(None, HOSTILE):
        follow(session, **{f"{lesson.name}_{text}": "1"})
        (sentence,) = warnings(session)
        assert "There is no setting called" in sentence
        assert len(sentence) < 200
        assert_dead(sentence)
        assert config(session) == lesson.config()
        assert link(session) == {}, "it stays in the address"


@each_live_lesson
def test_link_with_hundreds_of_mistakes_gets_a_few_sentences(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson, **{f"{lesson.name}_x{number}": "1" for number in range(300)})
    assert 1 <= len(warnings(session)) <= 5


@each_live_lesson
def test_parameters_of_others_stay_in_the_address_and_out_of_the_config(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson, someone_else="1", lr="99")
    assert link(session) == {"someone_else": "1", "lr": "99"}
    assert config(session) == lesson.config()
    assert warnings(session) == []


@each_live_lesson
def test_warning_leaves_when_the_next_knob_is_turned(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson, **{f"{lesson.name}_nonsense": "1"})
    assert len(warnings(session)) == 1
    name = next(iter(lesson.config.knobs()))
    turn(session, lesson, name, another(lesson.config, name))
    assert warnings(session) == []


# A teacher's link.


@each_live_lesson
def test_teachers_link_hides_those_knobs_and_only_those(visit: Open, lesson: LiveLesson) -> None:
    every = list(lesson.config.knobs())
    hidden = {every[0], every[-1]}
    session = visit(lesson, hide=", ".join(hidden))
    assert shown_knobs(session, lesson) == set(every) - hidden
    assert link(session)["hide"] == ", ".join(hidden)


def test_learning_rate_and_noise_can_be_hidden_in_regression(visit: Open) -> None:
    lesson = LESSONS["regression"]
    session = visit(lesson, hide="lr,noise", regression_lr="0.1")
    assert set(lesson.config.knobs()) - shown_knobs(session, lesson) == {"lr", "noise"}
    assert config(session).lr == 0.1
    turn(session, lesson, "hidden", 12)
    assert config(session) == lesson.config(lr=0.1, hidden=12), "a hidden knob keeps what the link gave it"


@each_live_lesson
def test_all_knobs_can_be_hidden_and_unknown_names_hide_nothing(visit: Open, lesson: LiveLesson) -> None:
    every = set(lesson.config.knobs())
    assert shown_knobs(visit(lesson, hide=",".join(every)), lesson) == set()
    assert shown_knobs(visit(lesson, hide="<b>,nonsense,,"), lesson) == every


@each_live_lesson
def test_share_gives_the_link_to_these_settings(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    name = next(iter(lesson.config.knobs()))
    turn(session, lesson, name, another(lesson.config, name))
    session.session_state[f"{lesson.name}:share"] = True  # the popover is open
    session.run()
    session.multiselect(key=f"{lesson.name}:hide").set_value([name]).run()
    (shared,) = [code.value for code in session.code if f"{lesson.name}_{name}=" in code.value]
    query = dict(parse_qsl(shared.partition("?")[2]))
    assert query == {**parameters_of(lesson, config(session)), "hide": name}


# Widgets.


@each_live_lesson
def test_turned_knob_reaches_the_run_and_the_link_and_leaves_it_at_its_default(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    for name in lesson.config.knobs():
        if not can_turn(session, lesson, name):
            continue
        wanted = lesson.config(**{name: another(lesson.config, name)})
        turn(session, lesson, name, getattr(wanted, name))
        assert config(session) == wanted, name
        assert link(session) == parameters_of(lesson, wanted) != {}, name
        turn(session, lesson, name, lesson.config.knobs()[name].default)
        assert config(session) == lesson.config(), name
        assert link(session) == {}, name


@each_live_lesson
@pytest.mark.parametrize("far", [1.0, -1.0], ids=["above", "below"])
def test_number_past_its_limit_from_a_browser_becomes_a_legal_one(visit: Open, lesson: LiveLesson, far: float) -> None:
    """Streamlit's widgets put such a number to a bound before our code sees it; illegal it must not stay."""
    session = visit(lesson)
    turned = 0
    for name, spec in numbers(lesson.config).items():
        if can_turn(session, lesson, name):
            turned += 1
            turn(session, lesson, name, type(lesson.config.knobs()[name].default)(far * (spec.hi * 100 + 1)))
            assert spec.lo <= getattr(config(session), name) <= spec.hi, name
            turn(session, lesson, name, lesson.config.knobs()[name].default)
    assert turned == sum(
        spec.applies is None or spec.applies(lesson.config()) for spec in numbers(lesson.config).values()
    )


# The run behind the page.


@each_live_lesson
def test_live_knob_keeps_the_run_and_what_it_has_learned(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    first = run_id(session)
    train(session, 5)
    wanted = lesson.config()
    for name, spec in lesson.config.knobs().items():
        if spec.live:
            wanted = wanted.with_values(**{name: another(lesson.config, name)})
            if can_turn(session, lesson, name):
                turn(session, lesson, name, getattr(wanted, name))
            else:
                follow(session, **parameters_of(lesson, wanted))
            assert run_id(session) == first, name
            assert steps(session) == 5, f"{name} is live, yet it starts the run over"
            assert config(session) == wanted, name


@each_live_lesson
def test_other_knobs_start_the_run_over(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    for name, spec in lesson.config.knobs().items():
        if not spec.live:
            train(session, 5)
            assert steps(session) == 5
            wanted = lesson.config(**{name: another(lesson.config, name)})
            follow(session, **parameters_of(lesson, wanted))
            assert steps(session) == 0, f"{name} is not live, yet the run continues"
            assert config(session) == wanted


@each_live_lesson
def test_leaving_the_page_and_coming_back_keeps_the_config_and_the_run(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    for name in list(lesson.config.knobs())[:3]:
        turn(session, lesson, name, another(lesson.config, name))
    train(session, 3)
    made = steps(session)  # a rate that high may have ended it before
    before, first, address = config(session), run_id(session), link(session)
    go(session, "home.py")
    go(session, f"{lesson.name}.py")
    for _ in range(2):
        assert config(session) == before
        assert run_id(session) == first
        assert steps(session) == made > 0
        assert link(session) == address
        for name in shown_knobs(session, lesson):
            assert widgets(session)[f"{lesson.name}_{name}"].value == held(lesson, name, getattr(before, name)), name
        session.run()  # with what the widgets say


@each_live_lesson
def test_redrawing_the_page_changes_nothing(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    before, first = config(session), run_id(session)
    session.run()
    session.run()
    assert (config(session), run_id(session), link(session)) == (before, first, {})


@each_live_lesson
def test_run_that_was_dropped_is_replaced_with_the_same_config(visit: Open, engine: Engine, lesson: LiveLesson) -> None:
    session = visit(lesson)
    name = next(iter(lesson.config.knobs()))
    turn(session, lesson, name, another(lesson.config, name))
    before, first = config(session), run_id(session)
    engine.close(first)
    session.run()
    assert run_id(session) != first
    assert engine.has(run_id(session))
    assert config(session) == before


@each_live_lesson
def test_two_visitors_have_runs_and_knobs_of_their_own(visit: Open, lesson: LiveLesson) -> None:
    one, other = visit(lesson), visit(lesson)
    assert run_id(one) != run_id(other)
    name = next(iter(lesson.config.knobs()))
    turn(one, lesson, name, another(lesson.config, name))
    other.run()
    assert config(other) == lesson.config()
    assert link(other) == {}


@each_live_lesson
def test_run_ids_cannot_be_guessed(visit: Open, lesson: LiveLesson) -> None:
    assert re.fullmatch(r"[\w-]{22,}", run_id(visit(lesson))), "fewer than 128 bits"


# Regression's own popover: the student's points.


def use_points(session: AppTest, rows: str, lesson: str = "regression") -> None:
    session.session_state[f"{lesson}:data"] = True  # the popover is open
    session.run()
    session.text_area(key=f"{lesson}:csv").set_value(rows).run()
    press(session, "Use these points")


def press(session: AppTest, label: str) -> None:
    next(button for button in session.button if button.label == label).click().run()
    assert list(session.exception) == []


def points(session: AppTest) -> int:
    return server_engine().call(run_id(session), lambda run: run.data.points)


def test_pasted_points_are_learned_from_until_the_student_goes_back(visit: Open) -> None:
    session = visit(LESSONS["regression"], regression_test_share="0")
    generated = points(session)
    use_points(session, "x,y\n0,1\n1,2\n2,3\n3,5\n4,4\n")
    assert [success.value for success in session.success] == ["5 rows in use."]
    assert points(session) == 5
    press(session, "Back to generated points")
    assert points(session) == generated


@pytest.mark.parametrize(("far", "beyond"), [("6,-6,0", 0), ("6.1,0,0", 1), ("1,-70,1", 1)])
def test_pasted_points_beyond_the_map_get_a_word(visit: Open, far: str, beyond: int) -> None:
    session = visit(LESSONS["classification"], classification_test_share="0")
    use_points(session, f"x1,x2,class\n0,1,0\n1,2,1\n{far}\n", "classification")
    assert [success.value for success in session.success] == ["3 rows in use."]
    assert len(warnings(session)) == beyond
    assert all("beyond ±6" in warning and f": {beyond}." in warning for warning in warnings(session))


@pytest.mark.parametrize("rows", ["one,two\nthree,four", "1\n2\n3", "1,2\n3,nan", "<script>,1", "1,2\n" * 9_000])
def test_pasted_text_that_is_no_table_gets_a_sentence_and_leaves_the_points(visit: Open, rows: str) -> None:
    session = visit(LESSONS["regression"])
    before = points(session)
    use_points(session, rows)
    (sentence,) = [error.value for error in session.error]
    assert sentence.endswith(".")
    assert points(session) == before
