"""All runs of a class in one picture, on its wall and on the projector; and the real runs after a vote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser import pretend_class as class_of
from tests.browser.pretend_class import CODE, pretend

Open = Callable[..., Any]
WALL = f"/class?class={CODE}#t={'T' * 22}"
PROJECTOR = f"/projector?class={CODE}#p={'P' * 22}"
SENT = "window.__sent.filter((each) => each.do && each.do !== 'look' && each.do !== 'here')"
SAY = "(message) => window.__say(message)"
PAINTED = "(canvas) => canvas.width > 0 && canvas.getContext('2d').getImageData(9, 9, 1, 1).data[3] === 255"


def test_the_wall_shows_all_runs_large_and_puts_them_on_the_projector(page: Open) -> None:
    messages = [class_of.welcome("teacher"), class_of.teacher(), class_of.seats(30), class_of.tiles(30)]
    tab = page(script=pretend(messages))
    tab.page.goto(WALL)
    large = tab.page.locator("[data-key=large]")
    large.click()
    picture = tab.page.locator(".together")
    picture.wait_for()
    assert tab.page.evaluate(SENT) == [{"do": "found", "on": True, "what": "scatter"}]
    tab.page.evaluate(SAY, class_of.dots(28))
    picture.locator("svg circle").nth(5).wait_for()
    assert picture.locator("svg path").count() > 0, "those that diverged have a row of their own"
    picture.get_by_role("button", name="All losses").click()
    tab.page.evaluate(SAY, class_of.curves(28))
    picture.locator("svg path").nth(27).wait_for()
    said = picture.locator(".picture p").inner_text()
    assert said == "Classification: the runs of 28 of 30 students.", "it says whose runs it has"
    picture.get_by_role("button", name="Put it on the projector").click()
    tab.page.keyboard.press("Escape")
    picture.wait_for(state="detached")
    assert tab.page.evaluate("document.activeElement.dataset.key") == "large", "the focus comes back"
    assert [each["do"] for each in tab.page.evaluate(SENT)] == ["found", "found", "project", "found"]
    assert tab.page.evaluate(SENT)[-1] == {"do": "found", "on": False}, "nothing more is sent"


def test_the_real_runs_of_all_answers_play_side_by_side_and_then_one_is_right(page: Open) -> None:
    show = {"what": "vote", "x": "rate", "y": "loss", "title": ""}
    state = class_of.projector(show=show, vote=class_of.vote("run"))
    tab = page(script=pretend([class_of.welcome("projector"), state, class_of.runs(ago=5.0)]), width=1920, height=1080)
    tab.page.goto(PROJECTOR)
    runs = tab.page.locator(".runs figure")
    runs.nth(3).wait_for()
    assert [each.split()[0] for each in runs.locator("b").all_text_contents()] == ["2", "3", "4", "more"]
    assert runs.locator("small").all_text_contents() == ["4 said so", "17 said so", "6 said so", "1 said so"]
    step = "Number(document.querySelector('.foot .num').textContent.match(/\\d+/)[0])"
    first = tab.page.evaluate(step)
    assert 200 <= first <= 500
    assert all(each.evaluate(PAINTED) for each in runs.locator("canvas").all())
    assert runs.locator(".icon").count() == 0, "nothing tells which is right"
    done = class_of.projector(show=show, vote=class_of.vote("run", truth="3", say="The answer is “3”."))
    tab.page.evaluate(SAY, done)
    tab.page.evaluate(SAY, class_of.runs(ago=20.0))
    tab.page.locator(".runs .yes b", has_text="3").wait_for()
    assert tab.page.evaluate(step) == 500
    assert runs.locator(".num").all_text_contents() == ["99 %"] * 4
