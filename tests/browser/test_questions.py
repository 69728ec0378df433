"""Questions that take an answer, what a browser keeps of them, and how it comes back: in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playground.lessons import LESSONS
from playground.questions import Choice, questions
from tests.browser.student import PATIENCE, Board
from tests.browser.test_everybody import Inspector
from tests.browser.test_site_data import BLOCKED

Open = Callable[..., Any]
DAY = 86_400_000  # milliseconds
NOW = 1_750_000_000_000  # in the past: later times are taken for a clock that was wrong
FOCUS = "() => document.activeElement.className"
ASKED = "() => performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/prose/questions'))"
DUE = """([order, lesson, now, kept]) => {
  localStorage.setItem("progress", JSON.stringify(kept));
  return window.__modules["questions/progress.js"].due(order, lesson, { now });
}"""
READ = """(text) => {
  localStorage.clear();
  const progress = window.__modules["questions/progress.js"];
  return [progress.readBack(text), localStorage.getItem("progress")];
}"""


def ask(tab: Any, id: str) -> Any:
    """A question of the page, in sight."""
    form = tab.locator(f'.st-key-prose [data-question="{id}"]')
    form.wait_for(timeout=1000 * PATIENCE)
    form.scroll_into_view_if_needed()
    return form


def kept(tab: Any) -> dict[str, Any]:
    return dict(json.loads(tab.evaluate("localStorage.getItem('progress')")))


def progress(**kinds: Any) -> dict[str, Any]:
    return {"format": "pytorch-playground-progress", "version": 1, **kinds}


def answer(at: float, *, stage: int = 1, right: bool = True) -> dict[str, Any]:
    return {"first": right, "right": right, "stage": stage, "at": at}


# What was answered in the lessons "a" to "d", which were opened, and what the lesson "c" asks again.
COMES_AGAIN: list[Any] = [
    ({}, [], []),
    ({"a/1": answer(NOW - 2 * DAY)}, [], [["a", "1"]]),
    ({"a/1": answer(NOW - DAY / 2)}, [], []),
    ({"a/1": answer(NOW - 2 * DAY, stage=2)}, [], []),
    ({"a/1": answer(NOW - DAY), "a/2": answer(NOW - DAY, stage=0, right=False)}, [], [["a", "2"], ["a", "1"]]),
    ({"a/1": answer(NOW - 2 * DAY), "b/1": answer(NOW - 9 * DAY)}, [], [["b", "1"], ["a", "1"]]),
    ({"c/1": answer(NOW - 9 * DAY)}, ["c"], []),
    ({"a/1": answer(NOW - 2 * DAY)}, ["b"], [["a", "1"], ["b", "1"]]),
    ({"a/1": answer(NOW)}, ["a", "b"], [["a", "2"], ["b", "1"]]),
]  # fmt: skip


def test_a_wrong_answer_has_a_second_try_and_both_are_graded_by_the_server(page: Open) -> None:
    tab = page("/regression").page
    Board(tab).ready()
    form = ask(tab, "parameters")
    field, result = form.get_by_label("Your formula of n"), form.get_by_role("status")
    field.fill("2*m")
    field.press("Enter")
    result.get_by_text("There is no input with this name").wait_for()
    field.fill("2*n")
    field.press("Enter")
    result.get_by_text("The biases are missing.").wait_for()
    assert form.get_by_text("bias out of it").count() == 0, "the explanation comes with the last try"
    field.fill("n*3 + 1")
    field.press("Enter")
    result.get_by_text("bias out of it").wait_for()
    assert result.locator("strong").text_content() == "Right."
    assert tab.evaluate(FOCUS) == "result", "the button has gone"
    assert (
        kept(tab)["questions"]["regression/parameters"].items() >= {"first": False, "right": True, "stage": 0}.items()
    )


def test_a_choice_is_answered_with_the_keyboard_alone(page: Open) -> None:
    tab = page("/regression").page
    Board(tab).ready()
    question = next(each for each in questions(LESSONS["regression"]) if isinstance(each.kind, Choice))
    form = ask(tab, question.id)
    form.locator("input").first.focus()
    tab.keyboard.press("Space")
    for _ in range(question.kind.right):  # type: ignore[union-attr]
        tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    form.locator(".is-right").wait_for()
    assert form.get_by_role("status").locator("strong").text_content() == "Right, at the first try."
    assert form.locator(".is-right").inner_text().endswith("right")
    assert kept(tab)["questions"][f"regression/{question.id}"]["first"] is True
    assert Board(tab).state == "paused", "the space bar chose an answer, and did not play"


def test_who_gives_up_is_shown_the_answer_and_everybody_can_read_it(page: Open) -> None:
    tab = page("/regression").page
    Board(tab).ready()
    form = ask(tab, "steps-in-epoch")
    assert not form.get_by_role("button", name="Show the answer").is_visible(), "there is a first try"
    form.get_by_role("button", name="Check").click()
    form.get_by_text("Type an answer first.").wait_for()
    form.get_by_label("Your answer").fill("100")
    form.get_by_role("button", name="Check").click()
    form.get_by_role("button", name="Show the answer").click()
    form.get_by_text("The right answer: 1").wait_for()
    assert kept(tab)["questions"]["regression/steps-in-epoch"]["right"] is False
    form = ask(tab, "dead-relu")
    for at in (1, 0):
        form.locator("input").nth(at).check()
        form.get_by_role("button", name="Check").click()
        form.locator(".mark").nth(1 - at).wait_for()
    inspector = Inspector(tab)
    inspector.load()
    assert inspector.in_both_themes("answered right, wrong, and not at all") == []


def test_what_to_notice_comes_when_it_is_asked_for(page: Open) -> None:
    tab = page("/regression").page
    Board(tab).ready()
    place = tab.locator("[data-section=notice]")
    place.scroll_into_view_if_needed()
    assert place.locator("li").count() == 0
    place.get_by_role("button", name="Show “What to notice”").click()
    place.locator("li").first.wait_for()
    assert tab.evaluate("document.activeElement.dataset.section") == "notice"


def test_the_outcome_of_a_prediction_is_kept_with_the_answers(page: Open) -> None:
    tab = page("/regression").page
    board = Board(tab).ready()
    tab.locator(".rail-count").click()
    tab.locator('.rail-list [data-id="too-large-a-step"]').click()
    tab.locator('[data-try="too-large-a-step"]').click()
    tab.locator('[data-answers] [data-option="nan"]').click()
    board.until(lambda: "regression/too-large-a-step" in kept(tab)["predictions"], "the verdict is noted")


def test_two_questions_from_before_stand_in_the_list_and_never_open_by_themselves(page: Open) -> None:
    lessons = {"tensors": {"at": NOW - 2 * DAY}}
    known = progress(
        lessons=lessons,
        questions={"regression/parameters": answer(0, stage=0, right=False), "tensors/digits": answer(0, stage=1)},
    )
    tab = page("/classification", script=f"localStorage.progress ??= {json.dumps(json.dumps(known))}").page
    board = Board(tab).ready()
    board.until(lambda: tab.evaluate(ASKED), "the browser knows which questions there are")
    panel = tab.get_by_role("dialog", name="Two questions from before")
    assert not panel.is_visible()
    tab.locator(".rail-count").click()
    first = tab.locator(".rail-list [role=option]").first
    assert first.locator(".rail-title").text_content() == "Two questions from before"
    tab.keyboard.press("Home")
    tab.keyboard.press("Enter")
    panel.locator("form").first.wait_for()
    asked = panel.locator("form").evaluate_all("(forms) => forms.map((form) => form.dataset.question)")
    assert asked == ["parameters", "digits"], "what was wrong comes first"
    assert tab.evaluate(FOCUS) == "formula"
    inspector = Inspector(tab)
    inspector.load()
    assert inspector.in_both_themes("questions from before") == []
    tab.keyboard.type("3*n + 1")
    tab.keyboard.press("Enter")
    panel.get_by_text("Right, at the first try.").wait_for()
    assert (
        kept(tab)["questions"]["regression/parameters"].items() >= {"first": False, "right": True, "stage": 1}.items()
    )
    assert board.state == "paused", "no letter was taken for one of the player's keys"
    tab.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    board.until(lambda: "rail-count" in tab.evaluate(FOCUS), "the focus is where the list was opened")


def test_which_questions_come_again_depends_on_what_was_answered_and_when(page: Open) -> None:
    tab = page("/").page
    order = [["a", ["1", "2"]], ["b", ["1"]], ["c", ["1"]], ["d", ["1"]]]
    tab.wait_for_function("() => window.__modules")
    for answers, opened, expected in COMES_AGAIN:
        known = progress(questions=answers, lessons={name: {"at": NOW} for name in opened})
        assert tab.evaluate(DUE, [order, "c", NOW, known]) == expected, (answers, opened)


def test_numbers_in_sentences_of_runs_stay_with_their_units(page: Open) -> None:
    tab = page("/").page
    tab.wait_for_function("() => window.__modules")
    said = tab.evaluate("""window.__modules["dom.js"].withUnits("98 % of 12 MB in 3 steps")""")
    assert said == "98\u00a0% of 12\u00a0MB in 3 steps"


def test_numbers_are_read_as_people_type_them(page: Open) -> None:
    tab = page("/").page
    tab.wait_for_function("() => window.__modules")
    typed = {
        "0,5": 0.5,
        " −3 ": -3,
        "20 %": 20,
        "20%": 20,
        "1,000": 1000,
        "1e3": 1000,
        "": None,
        "%": None,
        "3 cm": None,
    }
    read = """(typed) => typed.map((text) => {
      const number = window.__modules["dom.js"].readNumber(text, { hi: 3000, unit: "%" });
      return Number.isNaN(number) ? null : number;
    })"""
    assert tab.evaluate(read, list(typed)) == list(typed.values())
    assert tab.evaluate("""window.__modules["dom.js"].readNumber("1,125", { hi: 10, unit: "" })""") == 1.125


def test_a_file_that_is_not_ours_is_refused(page: Open) -> None:
    tab = page("/").page
    tab.wait_for_function("() => window.__modules")
    ours = '{"format": "pytorch-playground-progress"'
    for text in ("", "nonsense", "[]", "null", "7", '"text"', "{}", ours + "}", ours + ', "version": 2}',
                 "[" * 100_000, "x" * 600_000):  # fmt: skip
        assert tab.evaluate(READ, text) == [False, None], text[:60]


def test_of_a_file_only_what_is_well_formed_is_taken(page: Open) -> None:
    tab = page("/").page
    tab.wait_for_function("() => window.__modules")
    good = answer(5)
    bad = {
        "__proto__/x": good, "a/b/c": good, "<img src=x>/y": good, "a/" + "b" * 200: good, "a/1": {"first": True},
        "a/2": good | {"stage": "length"}, "a/3": good | {"stage": 99}, "a/4": good | {"at": -1}, "a/5": None, "a/6": 7,
        "a/7": good | {"at": 1e308}, "a/8": good | {"first": "yes"}, "good/one": good | {"more": "<script>"},
    }  # fmt: skip
    file = progress(questions=bad, lessons={"a": {"at": 1}, "B": {"at": 1}, "c": 7}, predictions=[good], other={"a": 1})
    is_read, text = tab.evaluate(READ, json.dumps(file))
    assert is_read
    assert json.loads(text) == progress(questions={"good/one": good}, lessons={"a": {"at": 1}}, predictions={})


def test_home_marks_what_was_answered_and_the_file_brings_it_to_another_browser(page: Open, tmp_path: Any) -> None:
    known = progress(
        lessons={"tensors": {"at": 1}, "autograd": {"at": 1}},
        questions={"tensors/digits": answer(1), "tensors/reversed": answer(1, right=False)},
    )
    tab = page("/", script=f"localStorage.progress ??= {json.dumps(json.dumps(known))}").page
    count = len(questions(LESSONS["tensors"]))
    tab.locator('[data-mark="tensors"] .unseen', has_text=f"answered: 2 of {count}; right the first time: 1").wait_for()
    assert tab.locator('[data-mark="autograd"] .ring').count() == 1
    assert tab.locator('[data-mark="regression"] .ring').count() == 0
    line = tab.locator("[data-progress]")
    with tab.expect_download() as saved:
        line.get_by_role("button", name="Save as a file").click()
    file = tmp_path / "progress.json"
    saved.value.save_as(file)
    line.get_by_role("button", name="Forget it").click()
    line.get_by_role("button", name="Really forget all of it?").click()
    line.get_by_text("All of it is forgotten.").wait_for()
    assert tab.locator(".mark .ring").count() == 0
    line.locator("input[type=file]").set_input_files(file)
    line.get_by_text("The file was read").wait_for()
    assert tab.locator('[data-mark="tensors"] .ring').count() == 1
    file.write_text("<html>")
    line.locator("input[type=file]").set_input_files(file)
    line.get_by_text("This file could not be read.").wait_for()
    assert kept(tab)["questions"] == known["questions"]


def test_where_nothing_is_kept_that_is_said_once(page: Open) -> None:
    tab = page("/regression", script=BLOCKED).page
    Board(tab).ready()
    for id, right in (("steps-in-epoch", "1"), ("parameters", "3*n+1")):
        form = ask(tab, id)
        form.locator("input").fill(right)
        form.locator("input").press("Enter")
        form.locator("strong").wait_for()
    tab.get_by_text("your answers are forgotten when you close the page").wait_for()
    assert tab.get_by_text("your answers are forgotten when you close the page").count() == 1
