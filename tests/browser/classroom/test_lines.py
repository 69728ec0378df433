"""A class's pages where a line is cut, a student is taken out, or a browser has old classes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.browser import pretend_class as class_of
from tests.browser.pretend_class import CODE, pretend
from tests.browser.test_in_class import Teacher, teacher  # noqa: F401

Open = Callable[..., Any]
WALL = f"/class?class={CODE}#t={'T' * 22}"
FIRST_MESSAGES = "() => window.__sent.filter((each) => each.as).length"


def wall(**state: Any) -> str:
    """The script of a wall with eight students."""
    return pretend([class_of.welcome("teacher"), class_of.teacher(**state), class_of.seats(8), class_of.tiles(8)])


def test_a_line_is_tried_again_after_every_end_that_is_not_final_and_after_silence(page: Open) -> None:
    tab = page(script=wall(), options={"locale": "en-GB"})  # a context of its own: the clock is that of all its tabs
    tab.page.clock.install()
    tab.page.goto(WALL)
    tab.page.locator(".tile").first.wait_for()
    for code in (1001, 1006, 1011, 4408, 4429):
        before = tab.page.evaluate(FIRST_MESSAGES)
        tab.page.evaluate("(code) => window.__close(code, '')", code)
        tab.page.clock.fast_forward(21_000)
        tab.page.wait_for_function(f"(before) => ({FIRST_MESSAGES})() === before + 1", arg=before)
    before = tab.page.evaluate(FIRST_MESSAGES)
    tab.page.clock.fast_forward(60_000)
    assert tab.page.evaluate(FIRST_MESSAGES) == before, "a server that answers is not left"
    tab.page.evaluate("window.__silent = true")
    tab.page.clock.fast_forward(11_000)
    tab.page.clock.fast_forward(30_000)
    tab.page.wait_for_function(f"(before) => ({FIRST_MESSAGES})() > before", arg=before)
    tab.page.evaluate("window.__close(4410, '')")
    tab.page.get_by_role("heading", name="The class is over").wait_for()
    assert "another of your devices" in tab.page.locator(".lead").inner_text().lower(), "this page has not ended it"


def test_what_a_student_presses_without_a_line_is_sent_when_it_is_back(page: Open) -> None:
    seat = f'sessionStorage.setItem("class", JSON.stringify({{ code: "{CODE}", token: "t", answers: [] }}));'
    asked = {**class_of.vote("open 1"), "answer": None, "first": None}
    tab = page(f"/vote?class={CODE}", script=seat + pretend([class_of.student(vote=asked)]), width=390, height=844)
    tab.page.locator('[data-option="3"]').wait_for()
    shown = tab.page.evaluate("""() => {
      window.__close(1006, "");
      for (const where of ['[data-option="3"]', "[data-key=help]"]) document.querySelector(where).click();
      return document.querySelector("main").innerText;
    }""")
    assert "What you pressed is sent as soon as it is back." in shown
    acts = "() => window.__sent.filter((each) => each.as || ['answer', 'help'].includes(each.do))"
    tab.page.wait_for_function(f"() => ({acts})().length === 4")
    sent = [each.get("do", "as") for each in tab.page.evaluate(acts)]
    assert sent == ["as", "as", "answer", "help"], "once, after it is said who this is"
    tab.page.evaluate("(message) => window.__say(message)", {"is": "receipt", "vote": 1, "n": 1, "answer": "3"})
    tab.page.evaluate("window.__close(1006, '')")
    tab.page.wait_for_function(f"() => ({acts})().filter((each) => each.as).length === 3")
    assert [each.get("do", "as") for each in tab.page.evaluate(acts)][4:] == ["as", "help"], "what was answered is not"


def test_a_second_vote_begins_with_nobody_who_has_answered(page: Open) -> None:
    tab = page(script=wall(vote=class_of.vote("closed 1")))
    tab.page.goto(WALL)
    tab.page.locator(".qbox").wait_for()
    say = "(message) => window.__say(message)"
    tab.page.evaluate(say, {"is": "count", "answered": 8, "of": 8, "joined": 8})
    tab.page.evaluate(say, class_of.teacher(vote={**class_of.vote("open 2"), "answered": 0, "of": 8}))
    tab.page.locator(".qbox .num", has_text="0 of 8").wait_for()


def test_an_open_menu_stays_at_its_button_while_the_class_goes_on(page: Open) -> None:
    tab = page(script=wall())
    tab.page.goto(WALL)
    tab.page.locator("[data-key=open-lock]").click()
    menu = tab.page.locator("[data-key=menu-lock]")
    place = "(menu) => [menu.getBoundingClientRect().x, menu.getBoundingClientRect().y]"
    before = menu.evaluate(place)
    tab.page.evaluate("(message) => window.__say(message)", class_of.teacher(eyes=True))
    tab.page.get_by_role("button", name="Resume").wait_for()
    assert menu.evaluate(place) == before and before[1] > 100


def test_the_next_act_is_pressed_once_by_a_double_click(page: Open) -> None:
    tab = page(script=wall(vote=class_of.vote("open 1")))
    tab.page.goto(WALL)
    tab.page.locator("[data-next]").dblclick()
    acts = tab.page.evaluate("window.__sent.filter((each) => each.do === 'close').length")
    assert acts == 1


def test_the_start_page_knows_the_classes_of_this_browser_and_forgets_old_ones(page: Open) -> None:
    now, old = f"{int(time.time()):x}", f"{int(time.time()) - 25 * 3600:x}"
    kept = {
        f"class teacher {CODE}": f'{{"token": "t.1.0.{now}.x"}}',
        "class teacher BBBBBB": f'{{"token": "t.1.0.{old}.x"}}',
        "class keep BBBBBB": f'{{"began": {int(time.time()) - 25 * 3600}, "data": {{"seats": [[1, "Ada"]]}}}}',
        "class CCCCCC": f'{{"name": "Ada", "token": "s.1.0.{old}.x"}}',
        "class DDDDDD": "",
    }
    tab = page(script=f"for (const [key, text] of Object.entries({kept})) localStorage.setItem(key, text);")
    tab.page.goto("/class?class=ZZZZZZ")
    tab.page.locator(".running a").wait_for()
    assert tab.page.locator(".running a").all_inner_texts() == [f"Go on with class {CODE}"]
    assert "does not belong to class ZZZZZZ" in tab.page.locator(".error").first.inner_text()
    found = tab.page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('class '))")
    assert found == [f"class teacher {CODE}"]


def test_who_was_taken_out_asks_to_come_back_and_has_the_same_seat(page: Open, teacher: Teacher) -> None:  # noqa: F811
    tab = page(width=390, height=844)
    tab.page.goto(f"/vote?class={teacher.code}")
    tab.page.get_by_role("button", name="Join", exact=True).click()
    tab.page.get_by_role("heading", name="Nothing is asked now").wait_for()
    name = tab.page.locator("header b").inner_text()
    teacher.do("take out", seat=1)
    tab.page.get_by_role("link", name="Ask to come back").click()
    tab.page.get_by_role("heading", name="You are no longer in this class").wait_for()
    tab.page.get_by_role("button", name="Ask to come back").click()
    tab.page.get_by_role("heading", name="Your teacher was asked").wait_for()
    teacher.until(lambda: teacher.state.get("waiting"), "the teacher sees who asks")
    tab.page.evaluate("() => void (window.__old = true, setTimeout(() => location.reload()))")
    tab.page.wait_for_function("!window.__old")
    tab.page.get_by_role("heading", name="Your teacher was asked").wait_for()
    teacher.until(lambda: teacher.state.get("waiting"), "a reload asks again")
    teacher.do("let back", seat=1, yes=True)
    tab.page.get_by_role("heading", name="Nothing is asked now").wait_for()
    assert tab.page.locator("header b").inner_text() == name
