"""The people of a class in real browsers, and what each of them sees: teacher, students, projector, phone.

`Person.seen()` is what a page shows of the class, without what changes by itself (clocks, steps, losses), so that it
can be compared before and after a reload.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from playwright.sync_api import Error

from tests.browser.student import IN_PAGE, PATIENCE, Board

POLL_MS = 150
COUNTED_MS = 1_200  # counts come once a second: pages that show the same for so long have settled
# The parts of messages that tell a result.
RESULT = re.compile(r'"(sums|moves|results?|changed|truth|values|curves)":(?!null)')

SEEN = """(role) => {
  const text = (node) => (node?.innerText ?? "").replace(/\\s+/g, " ").replace(/\\d+:\\d\\d( [AP]M)?/g, "(time)")
    .replace(/\\d+ min/g, "(minutes)").trim();
  const one = (where) => text(document.querySelector(where));
  const all = (where) => [...document.querySelectorAll(where)].filter((each) => each.checkVisibility());
  const pressed = (each) => each.getAttribute("aria-pressed") === "true" ? " (on)" : "";
  const buttons = (where) => all(where).map((each) => text(each) + pressed(each) + (each.disabled ? " (off)" : ""));
  const pages = {
    board: () => ({
      path: location.pathname,
      says: document.querySelector("[data-class-bar]")?.dataset.says,
      bar: text(document.querySelector("[data-class-bar]")),
      buttons: buttons("[data-class-act]"),
      question: all(".class-vote h2, .class-vote .class-question p, .class-result").map(text),
      answers: buttons(".class-vote button"),
      cover: all(".class-cover h1").map(text),
      rests: document.body.inert,
      run: document.querySelector("[data-testid=stMain] [data-board]")?.dataset.run,
      rate: all("[data-testid=stMain] [data-knob=lr]").map((each) =>
        each.querySelector("input, select") ? "free" : "locked"),
    }),
    teacher: () => ({
      title: one("h1"),
      here: one(".here"),
      rail: all(".rail h2, .rail p").map(text),
      acts: buttons(".rail .act button"),
      needs: all(".needs h2, .needs .need > *").map(text),
      question: all(".qbox h2, .qbox .qb, .qbox .muted, .qbox [aria-current]").map(text),
      pace: buttons(".player > button"),
      undo: one(".undo .said"),
      tiles: all(".tile").map((each) => text(each.querySelector("b")) + " " + text(each.querySelector(".chip"))),
      board: one(".oneb h2"),
      names: all(".names span").map(text),
      table: all(".tbl th").map(text),
      snapshots: all("figcaption b").map(text),
    }),
    projector: () => ({
      shown: all(".proj > :not(.tools)").map((each) => {
        const copy = each.cloneNode(true);
        copy.querySelectorAll(".reader").forEach((reader) => reader.remove());
        return copy.textContent.replace(/\\d+:\\d\\d/, "(time)");
      }),
      pictures: all(".proj [role=img]").map((each) => each.getAttribute("aria-label")),
      isLive: Boolean(document.querySelector(".proj .reader [data-chart]")),
    }),
    page: () => ({
      words: text(document.querySelector("#page > main")),
      buttons: buttons("main button"),
    }),
  };
  return pages[role]();
}"""


class Person:
    """Somebody at a page of a class; `role` says what is looked at: "board", "teacher", "projector" or "page"."""

    role = "page"

    def __init__(self, tab: Any) -> None:
        self.tab, self.page = tab, tab.page
        self.tokens: set[str] = set()  # that this browser was given
        self.results: list[str] = []  # messages that told a result
        self.last: dict[str, dict[str, Any]] = {}  # the last message of each kind
        self.screens: list[Any] = []  # what was on all screens, state by state
        self.pictures: list[str] = []  # texts of QR codes
        self.page.on("websocket", self._listen)
        self.page.on("request", self._note_request)

    def _listen(self, line: Any) -> None:
        if "class/socket" in line.url:
            line.on("framereceived", self._note)

    def _note(self, frame: Any) -> None:
        if isinstance(frame, str):
            message = json.loads(frame)
            self.last[message["is"]] = message
            self.tokens |= {message[name] for name in ("token", "link", "projector") if message.get(name)}
            if message["is"] == "state":
                self.screens.append(message.get("screen"))
            if RESULT.search(frame):
                self.results.append(frame)

    def _note_request(self, request: Any) -> None:
        if request.url.endswith("class/qr"):
            self.pictures.append(request.post_data)

    def seen(self) -> Any:
        """What the page shows of the class; None while it loads."""
        try:
            return self.page.evaluate(SEEN, self.role)
        except Error:  # it is on its way to another page
            return None

    def is_new(self) -> bool:
        """Whether the page has been loaded again since it was marked."""
        try:
            return not self.page.evaluate("window.__old")
        except Error:
            return False

    def until(self, holds: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
        """Wait until something holds; fail saying what."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"not within {seconds:g} s: {what}; shown: {self.seen()}"
            self.page.wait_for_timeout(30)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).locator("visible=true").first.click()

    def heading(self, name: str) -> None:
        """Wait for a heading."""
        self.page.get_by_role("heading", name=name).locator("visible=true").first.wait_for(timeout=1000 * PATIENCE)

    def keeps_nothing_of(self, *names: str) -> bool:
        """Whether neither these names nor a token of the class are in what the browser stores."""
        stored = str(self.page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])"))
        return not any(each in stored for each in (*names, *self.tokens))


class TeacherPage(Person):
    """The teacher at door, wall and the page before the end."""

    role = "teacher"
    code = ""

    def start(self) -> None:
        self.page.goto("/class")
        self.page.locator("[data-start]").click()
        self.page.locator(".door .code6").wait_for()
        self.code = self.page.evaluate("new URLSearchParams(location.search).get('class')")
        self.until(lambda: self.pictures, "the door has its QR code")

    def to_wall(self, students: int) -> None:
        self.press("Go to the wall")
        self.until(lambda: self.page.locator(".tile").count() == students, f"{students} tiles")

    def menu(self, key: str, row: str) -> None:
        """Open a menu of the wall and choose a row."""
        self.page.locator(f"[data-key=open-{key}]").click()
        self.page.locator(f"[data-key=menu-{key}]").get_by_text(row, exact=True).click()

    def opens(self, row: str) -> str:
        """Choose a row of a menu that opens another window; its address, since a second tab would hide this one."""
        key = "projector" if "projector" in row else "more"
        self.page.evaluate("window.open = (address) => void (window.__opened = String(address))")
        self.page.locator(f"[data-key=open-{key}]").click()
        found = self.page.locator(f"[data-key=menu-{key}]").get_by_text(row, exact=True)
        address = found.get_attribute("href")
        if address is None:
            found.click()
            address = self.page.evaluate("window.__opened")
        else:
            self.page.keyboard.press("Escape")
        return str(address)

    def choose(self, lesson: str, act: str) -> None:
        """Open the dialog of all lessons and press one of its buttons."""
        self.menu("send", "A lesson, a lab or an experiment …")
        self.page.locator("dialog.send").get_by_role("button", name=lesson, exact=True).click()
        self.page.locator("dialog.send").get_by_role("button", name=act, exact=True).click()

    def next(self, name: str) -> None:
        """Press the one next act of the rail."""
        self.page.locator("[data-next]", has_text=name).click()

    def lock(self, label: str) -> None:
        """Lock a setting, or unlock it."""
        self.page.locator("[data-key=open-lock]").click()
        self.page.locator("[data-key=menu-lock] label", has_text=label).first.click()
        self.page.keyboard.press("Escape")

    def sure(self) -> None:
        """Say yes to what is asked first."""
        self.page.locator("dialog.ask .fill").click()

    def open_board(self, name: str) -> None:
        self.page.locator(".tile", has_text=name).click()
        self.page.locator(".oneb").wait_for()

    def answered(self, count: str) -> None:
        self.page.locator(".qbox .num", has_text=count).first.wait_for(timeout=1000 * PATIENCE)


class StudentPage(Person):
    """A student with a board in the app; also the teacher's own board."""

    role = "board"

    def join_by_code(self, code: str) -> None:
        self.page.goto("/join")
        self.page.locator(".slots input").first.click()
        self.page.keyboard.type(code.lower())
        self.page.keyboard.press("Enter")
        self.sit()

    def join_by_link(self, link: str) -> None:
        self.page.goto(link)
        self.sit()

    def sit(self) -> None:
        self.press("Join")
        self.page.locator("[data-class-bar]").wait_for(timeout=1000 * PATIENCE)
        self.says("free", "sent")

    @property
    def name(self) -> str:
        return str(self.page.locator(".class-me").text_content())

    def says(self, *keys: str) -> None:
        """Wait until the bar says one of these."""
        bar = self.page.locator("[data-class-bar]")
        self.until(lambda: bar.get_attribute("data-says") in keys, f"the bar says {' or '.join(keys)}")

    def board(self) -> Board:
        """The board of the page, when it is there."""
        self.page.wait_for_selector(f"{IN_PAGE} [data-chart] .main-svg", timeout=1000 * PATIENCE)
        return Board(self.page)

    def on(self, path: str) -> None:
        """Wait until the page is this one."""
        self.until(lambda: self.page.evaluate("location.pathname").endswith(path), f"at {path}")
        self.board()

    def answer(self, option: str) -> None:
        self.page.locator(f'.class-vote [data-option="{option}"]').click()
        self.says("answered")

    def covered(self, title: str) -> None:
        self.until(lambda: title in (self.seen() or {}).get("cover", ()), f"covered with {title}")

    def uncovered(self) -> None:
        self.until(lambda: (self.seen() or {}).get("cover") == [], "nothing lies over the page")


class ProjectorPage(Person):
    """The window on the projector."""

    role = "projector"


class VotePage(Person):
    """A phone that only answers."""

    def join(self, link: str) -> None:
        self.page.goto(link.replace("/join?", "/vote?"))
        self.press("Join")
        self.heading("Nothing is asked now")

    def answer(self, option: str) -> None:
        self.page.locator(f'[data-option="{option}"]').click()
        self.page.locator(f'[data-option="{option}"][aria-pressed=true]').wait_for()


def without(seen: Any, parts: Sequence[str]) -> Any:
    return seen and {name: part for name, part in seen.items() if name not in parts}


def settled(people: Sequence[Person]) -> list[Any]:
    """What all pages show when they no longer change."""
    before: list[Any] = []
    since = time.monotonic()
    end = since + PATIENCE
    while time.monotonic() < end:
        now = [each.seen() for each in people]
        if now != before or None in now:
            before, since = now, time.monotonic()
        elif 1_000 * (time.monotonic() - since) > COUNTED_MS:
            return now
        people[0].page.wait_for_timeout(POLL_MS)
    raise AssertionError(f"the pages do not settle: {before}")


def as_before(people: Sequence[Person], act: Callable[[], None], stage: str, *parts: str, patience: float) -> None:
    """Do something after which all pages come to show what they have shown, but for some parts."""
    before = [without(each, parts) for each in settled(people)]
    act()
    for each, shown in zip(people, before, strict=True):
        each.until(lambda each=each, shown=shown: without(each.seen(), parts) == shown, f"{stage}: {shown}", patience)


def load_again(people: Sequence[Person], stage: str) -> None:
    """Load these pages again, at once."""
    for each in people:
        each.page.evaluate("() => void (window.__old = true, setTimeout(() => location.reload()))")
    for each in people:
        each.until(each.is_new, f"{stage}: loaded again")


def reload_all(people: Sequence[Person], stage: str) -> None:
    """Load all pages again at once: they come to show what they have shown."""
    as_before(people, lambda: load_again(people, stage), stage, patience=PATIENCE)


def reload_each(people: Sequence[Person], stage: str) -> None:
    """Load each page again, one after the other: it and the others' come to show what they have shown, and stay so."""
    before = settled(people)
    for one in people:
        as_before(people, lambda one=one: load_again([one], stage), stage, patience=PATIENCE)
    after = settled(people)
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert not changed, f"{stage}: it stays so"
