"""A class's pages for everybody: axe in each state, keys alone, what is said aloud, less motion, forced colours."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest

from tests.browser import pretend_class as class_of
from tests.browser.classroom.people import Person, StudentPage, TeacherPage
from tests.browser.pretend_class import CODE, pretend
from tests.browser.student import PATIENCE
from tests.browser.test_everybody import Inspector

Open = Callable[..., Any]
States = dict[str, list[dict[str, Any]]]
MAX_TABS = 90  # presses of Tab until a control is reached
WALL = f"/class?class={CODE}#t={'T' * 22}"
REMOTE = f"/remote?class={CODE}#t={'T' * 22}"
PROJECTOR = f"/projector?class={CODE}#p={'P' * 22}"
VOTE = f"/vote?class={CODE}#s={'S' * 22}"
CSV = "name,question 1\r\nBlue 7,3\r\nTeal 4,4\r\n"
SEAT = f"""sessionStorage.setItem("class", JSON.stringify({{ code: "{CODE}", seat: 7, name: "Blue 7",
  token: "{"S" * 22}", kept: null, answers: [] }}));"""
CUT = """() => [...document.querySelectorAll("button, h1, h2, p, b, a, input")].filter((each) =>
  each.checkVisibility() && getComputedStyle(each).overflow === "visible" && !each.closest("[popover], .unseen") &&
  each.getBoundingClientRect().right > innerWidth + 1).map((each) => each.outerHTML.slice(0, 120))"""
SMALL = """(least) => [...document.querySelectorAll("button, a, input, select")]
  .filter((each) => each.checkVisibility() && getComputedStyle(each).display !== "inline")
  .map((each) => [each.closest("label") ?? each, each.outerHTML.slice(0, 100)])
  .filter(([{ offsetWidth, offsetHeight }]) => Math.min(offsetWidth, offsetHeight) < least - 0.5)
  .map(([each, html]) => `${each.offsetWidth} x ${each.offsetHeight}: ${html}`)"""
MOVES = """() => [...document.querySelectorAll("body *")].filter((each) => {
  const { transitionDuration, animationName } = getComputedStyle(each);
  return animationName !== "none" || transitionDuration.split(", ").some((time) => parseFloat(time) > 0.01);
}).map((each) => each.outerHTML.slice(0, 100))"""
OF_A_PAGE = ("landmark-one-main", "page-has-heading-one")  # the page that rests under eyes up has them
DOOR = {"is": "door", "open": True, "full": False, "line": 0, "names": "offered", "offer": "Blue 7", "length": 16}
NUMBER = {"kind": "number", "question": "How large is the test loss?", "lo": 0, "hi": 10, "unit": ""}
CURVE = {"kind": "curve", "question": "Draw the loss.", "chart": "loss", "grid": [0, 25, 50, 75, 100], "y": [0, 1]}
SPOT = {"what": "spot", "run": "read", "name": None, "seat": 7, "mine": False}


def at_projector(what: str, **state: Any) -> list[dict[str, Any]]:
    show = {"what": what, "x": "rate", "y": "loss", "title": ""}
    return [class_of.projector(show=show, **state)]


JOIN: States = {
    "name": [class_of.welcome("join"), DOOR],
    "own name": [class_of.welcome("join"), DOOR | {"names": "own"}],
    "numbers": [class_of.welcome("join"), DOOR | {"names": "numbers", "offer": "14"}],
    "shut": [class_of.welcome("join"), DOOR | {"open": False}],
    "full": [class_of.welcome("join"), DOOR | {"full": True, "line": 2}],
    "same name": [class_of.welcome("join"), DOOR | {"names": "own"}, {"is": "same", "name": "Comet 2"}],
    "waiting": [class_of.welcome("join"), {"is": "waiting"}],
}
VOTES: States = {
    "nothing is asked": [class_of.student()],
    "help": [class_of.student(help=True)],
    "open": [class_of.student(vote=class_of.vote("open 1"))],
    "answered": [class_of.student(vote=class_of.vote("open 2", answer="3", first="4"))],
    "closed": [class_of.student(vote=class_of.vote("closed 1", answer="3"))],
    "shown": [class_of.student(vote=class_of.vote("shown 2", answer="3", first="4"))],
    "the real run": [class_of.student(vote=class_of.vote("run", answer="3", truth="3", say="It takes three."))],
    "number": [class_of.student(vote=class_of.vote("open 1", ask=NUMBER))],
    "curve": [class_of.student(vote=class_of.vote("open 1", ask=CURVE))],
    "eyes up": [class_of.student(eyes=True)],
}
PROJECTED: States = {
    "door": at_projector("door"),
    "place": at_projector("place"),
    "open": at_projector("vote", vote=class_of.vote("open 1")),
    "talk": at_projector("vote", vote=class_of.vote("closed 1")),
    "shown": at_projector("vote", vote=class_of.vote("shown 1")),
    "moves": at_projector("vote", vote=class_of.vote("shown 2")),
    "scatter": [*at_projector("scatter"), {"is": "dots", "x": "rate", "y": "loss", "of": 3,
                                           "dots": [[1, 0.1, 0.4], [2, 0.5, 0.1], [3, 1.0, 0.9]]}],
    "losses": [*at_projector("ghosts"), class_of.curves(2)],
    "leaders": [*at_projector("leaders"), {"is": "leaders", "accuracy": 0.95, "parameters": 20,
                                           "dots": [[1, 17, 0.98, True, "Blue 7"], [2, 33, 0.8, False, None]]}],
    "eyes up": at_projector("place", eyes=True),
    "away": at_projector("place", teacher="away"),
}  # fmt: skip
PHONE: States = {
    "a place": [class_of.teacher(), class_of.seats(30), class_of.tiles(30)],
    "free": [class_of.teacher(free=True, plan={"steps": [], "at": 0}, sent=None)],
    "open": [class_of.teacher(vote=class_of.vote("open 1"))],
    "shown": [class_of.teacher(vote=class_of.vote("shown 2"))],
    "spotlight": [class_of.teacher(screen=SPOT)],
    "eyes up": [class_of.teacher(eyes=True)],
}
PAGES = {
    "join": (f"/join?class={CODE}", JOIN, ".form", 390),
    "vote": (VOTE, VOTES, ".votep", 390),
    "projector": (PROJECTOR, PROJECTED, ".proj .foot, .proj.door", 1920),
    "remote": (REMOTE, PHONE, ".rem .thumb", 390),
}


class Class:
    """A page of a pretended class, and what is wrong with it."""

    def __init__(self, page: Open, address: str, messages: list[dict[str, Any]], width: int) -> None:
        height = {390: 844, 1280: 900, 1920: 1080}[width]
        self.page = page(script=pretend(messages), width=width, height=height).page
        self.page.route("**/class/file*", lambda route: route.fulfill(body=CSV, content_type="text/csv"))
        self.page.goto(address)
        self.inspector = Inspector(self.page)
        self.least = 44 if width == 390 else 24
        self.problems: list[str] = []

    def say(self, *messages: dict[str, Any]) -> None:
        for each in messages:
            self.page.evaluate("(message) => window.__say(message)", each)
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))")

    def look(self, where: str) -> None:
        """Note what axe finds in both themes, what is cut, and what is too small for a finger or a pointer."""
        self.inspector.load()
        for scheme, rules in (("light", ""), ("dark", "color-contrast")):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.wait_for_timeout(30)
            self.problems += self.inspector.problems(f"{where}, {scheme}", rules)
        self.problems += [f"{where}: cut: {each}" for each in self.page.evaluate(CUT)]
        self.problems += [f"{where}: small: {each}" for each in self.page.evaluate(SMALL, self.least)]
        self.problems += [f"{where}: moves: {each}" for each in self.page.evaluate(MOVES)]


@pytest.mark.in_turns
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_in_any_state_of_a_page(page: Open, name: str) -> None:
    address, states, part, width = PAGES[name]
    role = {"vote": "student", "remote": "teacher"}.get(name, name)
    of = Class(page, address, [class_of.welcome(role), *next(iter(states.values()))], width)
    for state, messages in states.items():
        of.say(*messages)
        of.page.locator(part).first.wait_for()
        of.look(f"{name}, {state}")
    assert of.problems == []


@pytest.mark.in_turns
def test_axe_finds_nothing_on_the_teachers_page(page: Open) -> None:
    start = Class(page, "/class", [], 1280)
    start.page.locator("[data-start]").wait_for()
    start.look("start")
    of = Class(
        page, WALL, [class_of.welcome("teacher"), class_of.teacher(), class_of.seats(30), class_of.tiles(30)], 1280
    )
    of.page.locator(".tile").first.wait_for()
    of.look("wall")
    for key in ("lock", "send", "projector", "more"):
        of.page.locator(f"[data-key=open-{key}]").click()
        of.look(f"wall, menu {key}")
        of.page.keyboard.press("Escape")
    of.page.get_by_role("button", name="The lesson plan: a list").click()
    of.look("wall, plan")
    of.page.keyboard.press("Escape")
    of.page.locator("[data-key=open-send]").click()
    of.page.get_by_role("button", name="A lesson, a lab or an experiment …").click()
    of.page.locator("dialog.send li").first.wait_for()
    of.look("send")
    of.page.keyboard.press("Escape")
    for state in ("open 1", "closed 1", "shown 1", "shown 2", "run"):
        of.say(class_of.teacher(vote=class_of.vote(state)))
        of.look(f"wall, {state}")
    of.say(class_of.teacher(free=True, sent=None, eyes=True, waiting=[{"seat": 40, "name": "Teal 9"}]))
    of.look("wall, eyes up")
    of.page.locator(".tile").first.click()
    of.page.locator(".oneb").wait_for()
    of.look("one board")
    of.page.get_by_role("button", name="Rename").click()
    of.look("one board, rename")
    of.page.keyboard.press("Escape")
    of.page.keyboard.press("Escape")
    of.page.locator("[data-key=open-more]").click()
    of.page.get_by_role("button", name="The door: code and QR code").click()
    of.page.locator(".door .code6").wait_for()
    of.look("door")
    of.page.get_by_role("button", name="Second device").click()
    of.say({"is": "pair", "token": "K" * 22, "seconds": 60})
    of.look("door, second device")
    of.page.keyboard.press("Escape")
    of.page.get_by_role("button", name="Go to the wall").click()
    of.page.locator("[data-key=open-more]").click()
    of.page.get_by_role("button", name="End the class …").click()
    of.page.locator(".tbl td").first.wait_for()
    of.look("afterwards")
    of.page.locator("[data-end]").click()
    of.look("afterwards, sure?")
    of.page.keyboard.press("Escape")
    of.say({"is": "ended"})
    of.look("the class is over")
    assert start.problems + of.problems == []


@pytest.mark.in_turns
def test_axe_finds_nothing_in_the_bar_and_what_it_says_is_said_aloud(page: Open) -> None:
    student = class_of.student
    tab = page(script=SEAT + pretend([class_of.welcome("student"), student()]))
    tab.page.goto(f"/regression?class={CODE}")
    board = StudentPage(tab)
    board.board().ready()
    board.says("free")
    inspector, problems = Inspector(tab.page), []
    inspector.load()
    said = tab.page.locator("[data-class-bar] [role=status]")
    asked = class_of.vote("open 1", page="regression", query="?regression_try=small-steps", experiment="small-steps")
    sent = {"n": 1, "kind": "place", "page": "regression", "query": "", "experiment": None, "run": None,
            "title": "Regression", "at": 0}  # fmt: skip
    states = {
        "free": student(help=True, done=True),
        "sent": student(free=False, sent=sent),
        "lockedAll": student(locks=["all"]),
        "looked": student(looked=True),
        "spotMine": student(screen=SPOT | {"mine": True}),
        "ask": student(vote=asked),
        "answered": student(vote=asked | {"answer": "3"}),
        "closed": student(vote=asked | {"state": "closed 1", "answer": "3"}),
        "shown": student(vote=class_of.vote("shown 2", page="regression", answer="3", first="4")),
        "askHere": student(vote=class_of.vote("open 1", page="classification")),
        "eyes": student(eyes=True),
    }
    for theme, rules in (("light", ""), ("dark", "color-contrast")):
        tab.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        tab.page.wait_for_function(
            "(theme) => getComputedStyle(document.querySelector('.stApp')).colorScheme === theme", arg=theme
        )
        for key, state in states.items():
            tab.page.evaluate("(message) => window.__say(message)", state)
            board.says(key)
            found = inspector.problems(f"bar, {key}, {theme}", rules)
            problems += [each for each in found if key != "eyes" or not any(rule in each for rule in OF_A_PAGE)]
            assert said.inner_text().strip(), "a polite region says it"
            if key == "free":
                board.board().more()
                problems += inspector.problems(f"bar, More, {theme}", rules)
                tab.page.keyboard.press("Escape")
    alert = tab.page.locator(".class-cover[role=alert]")
    assert alert.inner_text().startswith("Eyes up") and tab.page.evaluate("document.activeElement.className") == (
        "class-cover eyes"
    ), "eyes up interrupts, and takes the focus off the board"
    tab.page.evaluate("window.__say({ is: 'ended' })")
    board.says("ended")
    problems += inspector.problems("bar, ended")
    assert problems == []


def tab_to(person: Person, where: str) -> None:
    """Press Tab until this control has the focus."""
    wanted = person.page.locator(where).locator("visible=true").first
    wanted.wait_for(timeout=1000 * PATIENCE)
    for _ in range(MAX_TABS):
        if wanted.evaluate("(node) => node === document.activeElement"):
            return
        person.page.keyboard.press("Tab")
    raise AssertionError(f"{where} is not reached with {MAX_TABS} presses of Tab")


def enter(person: Person, where: str) -> None:
    tab_to(person, where)
    person.page.keyboard.press("Enter")


def test_a_class_is_taught_and_answered_with_keys_alone(page: Open) -> None:
    teacher, student = TeacherPage(page()), StudentPage(page())
    teacher.page.goto("/class")
    enter(teacher, "[data-start]")
    enter(teacher, "[data-key=wall]")
    code = teacher.page.evaluate("new URLSearchParams(location.search).get('class')")
    student.page.goto("/join")
    tab_to(student, ".slots input")
    student.page.keyboard.type(code)
    student.page.keyboard.press("Enter")
    enter(student, 'button[type=submit]:has-text("Join")')
    student.says("free")
    teacher.page.locator(".tile").wait_for()

    teacher.page.keyboard.press("n")
    tab_to(teacher, "dialog.send input")
    teacher.page.keyboard.type("small steps")
    enter(teacher, "dialog.send [aria-label='Ask: Small steps']")
    student.says("askHere")
    enter(student, '.class-vote [data-option="between"]')
    student.says("answered")
    focused = student.page.evaluate("document.activeElement.dataset.option")
    assert focused == "between", "the focus stays where the answer was given"
    student.page.keyboard.press("Alt+h")
    teacher.page.locator(".needs .chip.help").wait_for()

    teacher.answered("1 of 1")
    teacher.page.keyboard.press("n")
    student.says("closed")
    enter(teacher, '.rail button:has-text("Show vote 1")')
    teacher.page.locator("dialog.ask").wait_for()
    enter(teacher, "dialog.ask .fill")
    student.says("shown")
    teacher.page.keyboard.press("e")
    student.covered("Eyes up")
    teacher.page.keyboard.press("e")
    student.uncovered()


def test_tab_goes_through_the_wall_as_it_is_seen(page: Open) -> None:
    messages = [class_of.welcome("teacher"), class_of.teacher(), class_of.seats(8), class_of.tiles(8)]
    of = Class(page, WALL, messages, 1280)
    of.page.locator(".tile").first.wait_for()
    parts = []
    for _ in range(MAX_TABS):
        of.page.keyboard.press("Tab")
        part = of.page.evaluate(
            "document.activeElement.closest('[data-key=top], [data-key=rail], [data-key=side], [data-key=filters], "
            "[data-key=tiles], [data-key=player]')?.dataset.key"
        )
        if part is None:
            break
        parts.append(part)
    order = [part for part, _ in groupby(parts)]
    assert order == ["top", "rail", "side", "filters", "tiles", "player"]


def test_what_is_pressed_is_seen_where_colours_are_forced(page: Open) -> None:
    looks = """() => [...document.querySelectorAll("[aria-pressed=true]")].filter((each) => each.checkVisibility())
      .map((each) => [each, each.parentElement.querySelector("[aria-pressed=false]")])
      .filter(([, other]) => other).map((pair) => pair.map((each) => {
        const { backgroundColor, borderWidth, outlineStyle } = getComputedStyle(each);
        return [each.textContent, backgroundColor, borderWidth, outlineStyle];
      }))"""
    vote = class_of.vote("open 1", answer="3")
    for address, messages, part in (
        (WALL, [class_of.welcome("teacher"), class_of.teacher(), class_of.seats(8)], ".tile"),
        (VOTE, [class_of.welcome("student"), class_of.student(vote=vote)], "[data-option]"),
    ):
        of = Class(page, address, messages, 1280)
        of.page.emulate_media(forced_colors="active")
        of.page.locator(part).first.wait_for()
        found = of.page.evaluate(looks)
        assert found
        for pressed, other in found:
            assert pressed[1:] != other[1:], f"{pressed[0]} looks like {other[0]}"
