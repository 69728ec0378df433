"""A class's own pages in a real Chromium, each with a class that is only pretended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser import pretend_class as class_of
from tests.browser.pretend_class import CODE, FIRST, pretend

Open = Callable[..., Any]
WALL = f"/class?class={CODE}#t={'T' * 22}"
PROJECTOR = f"/projector?class={CODE}#p={'P' * 22}"
SENT = "window.__sent.filter((each) => each.do && each.do !== 'look' && each.do !== 'here')"


def wall_of(count: int, **state: Any) -> str:
    """The script of a wall with this many students."""
    messages = [class_of.welcome("teacher"), class_of.teacher(**state), class_of.seats(count), class_of.tiles(count)]
    return pretend(messages)


def sent(tab: Any) -> list[dict[str, Any]]:
    """What the page has sent as commands."""
    return list(tab.page.evaluate(SENT))


def test_the_wall_is_played_with_keys_and_looks_only_at_tiles_in_sight(page: Open) -> None:
    tab = page(script=wall_of(100))
    tab.page.goto(WALL)
    tab.page.locator(".tile").first.wait_for()
    tab.page.wait_for_timeout(100)
    shown = tab.page.locator(".tile").count()
    assert shown == 49, "seven columns at 1280 by 900; the rest are on other pages"
    look = tab.page.evaluate("window.__sent.filter((each) => each.do === 'look').at(-1)")
    assert look["seats"] == list(range(1, 50)) and look["one"] is None
    assert "T" * 22 not in tab.page.url, "no token stays in an address bar that may be projected"
    keys = tab.page.keyboard
    for key in "elu":
        keys.press(key)
    assert [each["do"] for each in sent(tab)] == ["eyes", "lock", "undo"]
    tab.page.locator(".tile").first.focus()
    keys.press("ArrowDown")
    assert tab.page.evaluate("document.activeElement.dataset.seat") == "8"
    keys.press("Enter")
    tab.page.locator(".oneb").wait_for()
    keys.press("ArrowRight")
    keys.press("Escape")
    looks = tab.page.evaluate("window.__sent.filter((each) => each.do === 'look').map(({ one }) => one)")
    assert looks[-3:] == [8, 9, None], "whose board is open is told to its student"
    assert tab.page.evaluate("document.activeElement.dataset.seat") == "9", "the focus comes back"
    painted = "(canvas) => [...canvas.getContext('2d').getImageData(20, 20, 1, 1).data][3]"
    assert tab.page.locator(".tile canvas").first.evaluate(painted) == 255
    tab.page.get_by_role("button", name="No names").click()
    tab.page.reload()
    tab.page.locator(".tile").first.wait_for()
    assert tab.page.locator(".tile b").first.inner_text() == "Board 1", "a wall without names stays without them"


def test_a_peek_lasts_as_long_as_it_is_held_and_names_nobody(page: Open) -> None:
    tab = page(script=wall_of(30, vote=class_of.vote("open 1")))
    tab.page.goto(WALL)
    button = tab.page.locator(".peek")
    button.wait_for()
    assert "and 3 more" in tab.page.locator(".qbox").text_content(), "who has not answered, of those who are there"
    assert tab.page.locator(".qb").count() == 0, "nothing of a result before Show"
    button.dispatch_event("pointerdown")
    tab.page.evaluate("(result) => window.__say({ is: 'peek', vote: 1, result })", {"n": 21, "sums": FIRST})
    tab.page.locator(".qb").nth(3).wait_for()
    button.dispatch_event("pointerup")
    tab.page.locator(".qb").first.wait_for(state="detached")
    assert [(each["do"], each["on"]) for each in sent(tab)] == [("peek", True), ("peek", False)]
    tab.page.keyboard.press("n")
    assert sent(tab)[-1] == {"do": "close", "vote": 1, "in": "open 1"}, "with the state in which it was pressed"


def test_the_projector_shows_a_result_only_after_show(page: Open) -> None:
    show = {"what": "vote", "x": "rate", "y": "loss", "title": ""}

    def state(vote: str) -> dict[str, Any]:
        return class_of.projector(show=show, vote=class_of.vote(vote))

    tab = page(script=pretend([class_of.welcome("projector"), state("open 1")]), width=1920, height=1080)
    tab.page.goto(PROJECTOR)
    tab.page.locator(".counted").wait_for()
    assert tab.page.locator(".counted .big").text_content() == "21"
    for vote in ("closed 1", "open 2", "closed 2"):
        tab.page.evaluate("(message) => window.__say(message)", state(vote))
        tab.page.wait_for_timeout(60)
        assert tab.page.locator(".pbars, svg.full").count() == 0
    tab.page.evaluate("(message) => window.__say(message)", state("shown 1"))
    tab.page.locator(".pbars").wait_for()
    assert tab.page.locator(".pbars").get_attribute("aria-label") == "2: 9, 3: 8, 4: 10, more: 1"
    tab.page.evaluate("(message) => window.__say(message)", state("shown 2"))
    moves = tab.page.locator("svg.full")
    moves.wait_for()
    assert "5: 2 → 3" in moves.get_attribute("aria-label")
    assert "P" * 22 not in tab.page.url


def test_a_code_can_be_typed_pasted_and_corrected(page: Open) -> None:
    tab = page(script=pretend([], closes=(4404, "")), width=390, height=844)
    tab.page.goto("/join")
    fields = tab.page.locator(".slots input")
    fields.first.click()
    tab.page.keyboard.type("kf0mt")
    assert [field.input_value() for field in fields.all()] == ["K", "F", "M", "T", "", ""], "0 is in no code"
    tab.page.keyboard.press("Backspace")
    tab.page.keyboard.type("txr")
    tab.page.keyboard.press("Enter")
    tab.page.locator("[role=alert]", has_text="no class with this code").wait_for()
    assert tab.page.url.endswith(f"/join?class={CODE}")
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
