"""A student's page in a class: the bar, help, eyes up, locks, sends, votes in the rail, boards that all look at."""

from __future__ import annotations

import contextlib
import http.client
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from playground.classroom.codes import LENGTH, LETTERS
from tests.browser.student import IN_PAGE, PATIENCE, Board
from tests.browser.test_everybody import Inspector

Open = Callable[..., Any]


# What lies over something else, or beyond the edge: in a class's bar, and of bar, question and page.
COVERED = """() => {
  const bar = document.querySelector("[data-class-bar]");
  const inBar = [...bar.querySelectorAll(".class-me, .class-said, button")].filter((each) => each.checkVisibility());
  const below = [bar, document.querySelector(".class-panel"), document.querySelector("[data-testid=stMain]")];
  const found = [];
  const compare = (nodes) => {
    const boxes = nodes.map((node) => node.getBoundingClientRect());
    boxes.forEach((one, at) => {
      if (one.left < -1 || one.right > innerWidth + 1 || !one.width) found.push(nodes[at].className);
      boxes.slice(at + 1).forEach((other, next) => {
        const [x, y] = [["left", "right"], ["top", "bottom"]].map(([from, to]) =>
          Math.min(one[to], other[to]) - Math.max(one[from], other[from]));
        if (x > 1 && y > 1) found.push(`${nodes[at].className} and ${nodes[at + 1 + next].className}`);
      });
    });
  };
  compare(inBar);
  compare(below);
  return found;
}"""


class Teacher:
    """The teacher's side of a class, without a browser."""

    def __init__(self, url: str, opened: contextlib.ExitStack) -> None:
        self.host = url.removeprefix("http://")
        self.code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        line = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        line.request("POST", f"/class/start?class={self.code}", b"{}", {"Content-Type": "application/json"})
        self.token = str(orjson.loads(line.getresponse().read())["token"])
        self.state: dict[str, Any] = {}
        self.seats: dict[int, dict[str, Any]] = {}
        self.tiles = 0
        self.kept: Any = None
        self.opened = opened
        self.connect()

    def connect(self) -> None:
        address = f"ws://{self.host}/class/socket?class={self.code}"
        self.socket = self.opened.enter_context(connect(address, proxy=None, max_size=None, close_timeout=1))
        keep = {} if self.kept is None else {"keep": self.kept}
        self.send({"as": "teacher", "token": self.token, "view": "wall", "fresh": False, **keep})
        threading.Thread(target=self._listen, args=(self.socket,), daemon=True).start()

    def send(self, message: dict[str, Any]) -> None:
        self.socket.send(orjson.dumps(message).decode())

    def do(self, name: str, /, **fields: Any) -> None:
        self.send({"do": name, **fields})

    def _listen(self, socket: Any) -> None:
        with contextlib.suppress(Exception):  # closed at the end
            for received in socket:
                if isinstance(received, bytes):
                    self.tiles += 1
                    continue
                message = orjson.loads(received)
                if message["is"] == "state":
                    self.state = message
                elif message["is"] == "seats":
                    self.seats |= {each["seat"]: each for each in message["seats"]}
                elif message["is"] == "keep":
                    self.kept = message["keep"]

    def until(self, holds: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"not within {seconds:g} s: {what} ({self.state})"
            time.sleep(0.03)

    def ask(self, page: str, experiment: str) -> int:
        """Open a vote; its number."""
        self.do("ask", page=page, experiment=experiment)
        self.until(lambda: self.state.get("vote"), "the vote is open")
        return int(self.state["vote"]["id"])

    def vote(self, act: str, vote: int, state: str, after: str) -> None:
        """Take a vote from one state to the next."""
        self.do(act, vote=vote, **{"in": state}, sure=True)
        self.until(lambda: (self.state["vote"] or {"state": ""})["state"] == after, after)


@pytest.fixture
def teacher(app_url: str) -> Iterator[Teacher]:
    with contextlib.ExitStack() as opened:
        made = Teacher(app_url, opened)
        yield made
        with contextlib.suppress(ConnectionClosed):  # ended by the test
            made.do("end")


def join(page: Open, teacher: Teacher, path: str = "regression", **options: Any) -> tuple[Any, Board]:
    """A tab that has joined the class, on this page, and its board."""
    tab = page(f"/join?class={teacher.code}", **options)
    tab.page.get_by_role("button", name="Join", exact=True).click()
    tab.page.wait_for_selector("[data-class-bar]", timeout=1000 * PATIENCE)
    tab.page.goto(f"/{path}?class={teacher.code}")
    board = Board(tab.page)
    board.page.wait_for_selector(f"{IN_PAGE} [data-chart]", timeout=1000 * PATIENCE)
    if path == "regression":
        board.ready()
    says(board, "free")
    return tab, board


def says(board: Board, key: str) -> None:
    """Wait until the bar says this."""
    where = board.page.locator("[data-class-bar]")
    board.until(lambda: where.get_attribute("data-says") == key, f"the bar says {key}")


def test_a_student_is_seen_asks_for_help_looks_up_and_finds_settings_locked(page: Open, teacher: Teacher) -> None:
    tab, board = join(page, teacher)
    teacher.until(lambda: teacher.seats.get(1, {}).get("run"), "the teacher's wall knows the board")
    assert board.run not in orjson.dumps(list(teacher.seats.values())).decode(), "its id stays in its own browser"
    box = tab.page.locator(f"{IN_PAGE} .screen").bounding_box()
    bar = tab.page.locator("[data-class-bar]").bounding_box()
    assert bar["height"] == 36 and box["y"] + box["height"] <= 900, "one screen, with the bar"
    tab.page.keyboard.press("Alt+h")
    teacher.until(lambda: teacher.seats[1]["help"], "help is asked for")
    teacher.do("look", seats=[1], one=None)
    board.page.get_by_role("button", name="Play", exact=True).focus()
    board.play()
    teacher.until(lambda: teacher.tiles > 1, "tiles come")

    teacher.do("eyes", on=True)
    says(board, "eyes")
    cover = tab.page.locator(".class-cover.eyes")
    assert cover.inner_text().startswith("Eyes up")
    assert tab.page.evaluate("document.activeElement.classList.contains('class-cover')")
    assert tab.page.evaluate("document.body.inert")
    step = board.step
    tab.page.keyboard.press(" ")
    tab.page.wait_for_timeout(300)
    assert board.step <= step + 1, "it rests"
    teacher.do("eyes", on=False)
    says(board, "free")
    board.until(lambda: board.step > step or board.state == "done", "it goes on")
    focused = "document.activeElement?.classList.contains('play')"
    board.until(lambda: tab.page.evaluate(focused), "the focus is where it was")

    teacher.do("lock", names=["lr"])
    says(board, "lockedOne")
    locked = tab.page.locator('[data-knob="lr"]')
    board.until(lambda: not locked.locator("input, select").count(), "its control is gone")
    inspector = Inspector(tab.page)
    inspector.load()
    assert inspector.problems("in a class") == []
    tab.page.reload()
    board.ready()
    says(board, "lockedOne")
    assert len(teacher.seats) == 1 and teacher.seats[1]["help"], "the same seat"


def test_the_teacher_sends_asks_shows_and_plays(page: Open, teacher: Teacher) -> None:
    tab, board = join(page, teacher)
    own = board.run
    teacher.do("send", kind="preset", page="regression", query="?regression_lr=0.02", experiment=None, run=None,
               title="A small rate", to="all")  # fmt: skip
    board.until(lambda: "regression_lr=0.02" in tab.page.url, "the page follows")
    says(board, "sent")
    board.until(lambda: board.run != own, "with a run of its own")
    tab.page.get_by_role("button", name="Back to my own run").click()
    board.until(lambda: board.run == own, "back to the own run")

    vote = teacher.ask("regression", "small-steps")
    says(board, "ask")
    rail = tab.page.locator("[data-rail] .class-vote")
    option = rail.locator('[data-option="between"]')
    option.click()
    says(board, "answered")
    tab.page.reload()
    board.ready()
    board.until(lambda: option.get_attribute("aria-pressed") == "true", "the answer is still there")
    teacher.vote("close", vote, "open 1", "closed 1")
    says(board, "closed")
    assert option.is_disabled() and not rail.locator("[data-result]").count()
    teacher.vote("show", vote, "closed 1", "shown 1")
    says(board, "shown")
    assert rail.locator('[data-result="between"] em').inner_text() == "1"
    teacher.vote("play", vote, "shown 1", "run")
    board.until(lambda: board.step >= 1_000, "the real run")
    teacher.do("next", vote=vote, **{"in": "run"})
    board.until(lambda: not rail.count(), "the rail is the page's own again")
    verdict = tab.page.locator("[data-rail] .rail-what [aria-hidden=false]")
    board.until(lambda: "Not this time" in verdict.inner_text(), "the own answer is graded")


def test_a_spotlit_board_is_seen_by_the_others_and_by_nobody_afterwards(page: Open, teacher: Teacher) -> None:
    _, board = join(page, teacher)
    other, theirs = join(page, teacher, "tensors", width=390, height=844)
    teacher.until(lambda: teacher.seats.get(1, {}).get("run"), "the wall knows the board")
    teacher.do("spot", seat=1, name=False)
    says(board, "spotMine")
    reader = other.page.locator(".class-cover .reader")
    reader.locator('[data-chart="fit"] .main-svg').first.wait_for(timeout=1000 * PATIENCE)
    board.play()
    shown = reader.locator('[data-status="step"]')
    theirs.until(lambda: int(shown.text_content() or 0) > 10, "it is live")
    assert other.page.evaluate("document.body.inert"), "the own page rests below"
    teacher.do("spot", seat=None, name=False)
    theirs.until(lambda: not reader.count(), "the own page is back")
    says(board, "free")
    teacher.ask("regression", "small-steps")
    says(theirs, "askHere")
    for large in (False, True):
        if large:
            other.page.evaluate("document.documentElement.style.fontSize = '24px'")
        theirs.until(lambda: other.page.evaluate(COVERED) == [], "bar, question and page are one below the other")
    other.page.get_by_role("button", name="Leave the class").click()
    theirs.until(lambda: not other.page.locator("[data-class-bar]").count(), "without a bar")
    other.page.wait_for_function("() => !location.search.includes('class')", timeout=1000 * PATIENCE)
    teacher.do("end")
    says(board, "ended")


def test_a_followed_teacher_goes_from_a_run_to_a_still_lab_and_all_runs_are_shown(page: Open, teacher: Teacher) -> None:
    student, board = join(page, teacher, width=1366, height=657)
    lesson = page(f"/regression?class={teacher.code}#t={teacher.token}")
    own = Board(lesson.page).ready()
    teacher.until(lambda: teacher.state.get("own"), "the class knows the teacher's board")
    teacher.do("follow", on=True)
    reader = student.page.locator(".class-cover .reader")
    reader.locator('[data-chart="fit"] .main-svg').first.wait_for(timeout=1000 * PATIENCE)
    says(board, "followed")
    lesson.page.goto(f"/tensors?class={teacher.code}")
    line = reader.locator(".lab-line code")
    theirs = lesson.page.locator(f"{IN_PAGE} .lab-line code")
    board.until(lambda: line.count() and line.inner_text() == theirs.inner_text() != "", "the still lab is seen, too")
    below = reader.locator("[data-sheet]:not(.beside) table")
    board.until(lambda: below.count() and below.bounding_box()["y"] < 657, "with the table below it, without scrolling")
    before = line.inner_text()
    lesson.page.get_by_role("button", name="Later experiment", exact=True).click()
    lesson.page.get_by_role("button", name="Set up", exact=True).click()
    board.until(lambda: line.inner_text() == theirs.inner_text() != before, "and each of its changes")
    lesson.page.goto(f"/?class={teacher.code}")
    waits = student.page.locator(".class-waits")
    board.until(lambda: "no picture" in waits.inner_text(), "Home has none")
    assert student.page.evaluate("document.body.inert") and own.page
    teacher.do("follow", on=False)
    says(board, "free")

    teacher.do("project", what="scatter")
    runs = student.page.get_by_role("button", name="All runs of the class, without names")
    runs.click()
    panel = student.page.locator(".class-runs")
    board.play()
    board.until(lambda: "Yours: Learning rate" in panel.inner_text(), "the own dot is marked")
    assert panel.locator("svg circle").count() == 2, "a dot, and the ring around the own one"
    panel.focus()
    student.page.keyboard.press("Escape")
    assert panel.is_hidden() and runs.evaluate("node => node === document.activeElement")
    teacher.do("project", what="auto")
    board.until(lambda: not runs.count() or runs.is_hidden(), "no longer shown")
