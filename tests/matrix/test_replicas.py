"""Two replicas behind the real HAProxy: visitors stay on one, a class is on one, and the loss of one is nobody's loss.

All of it runs when it is named (pytest tests/matrix/test_replicas.py); every run takes a part.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.browser.student import PATIENCE, Board
from tests.matrix.proxies import PROXIES
from tests.matrix.replicas import Replica, Room, room, written

MAX_VISITORS = 3  # of each replica
CODES = [f"BCD{last}FG" for last in "BCDFGHJKLMNPQRSTVWXZ"]
ANY = "/session/none"  # an address that every replica answers
SETTINGS = "regression_max_steps=0&regression_lr=0.3"

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not PROXIES["haproxy"].is_there, reason="haproxy is not installed."),
]


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("room"), {"PLAYGROUND_MAX_VISITORS": str(MAX_VISITORS)}) as found:
        yield found


@contextmanager
def pages(replica: Replica, count: int) -> Iterator[None]:
    """Open pages of a replica, without a browser."""
    address = f"ws://{replica.address}:{replica.port}/_stcore/stream"
    with ExitStack() as opened:
        for _ in range(count):
            opened.enter_context(connect(address, subprotocols=[Subprotocol("streamlit")], max_size=None))
        yield


def seen(found: Room, path: str = ANY, cookies: dict[str, str] | None = None) -> set[int]:
    """The replicas to which visitors with these cookies are sent."""
    return {found.get(path, cookies).replica for _ in range(6)}


def cookie_of(found: Room, replica: int) -> dict[str, str]:
    """The cookie of a visitor who is on this replica."""
    answer = next(answer for answer in (found.get(ANY) for _ in range(20)) if answer.replica == replica)
    return answer.cookies


@pytest.mark.in_ci
def test_visitors_stay_and_a_full_replica_gets_no_new_ones(replicas: Room) -> None:
    one, two = replicas.replicas
    mine, yours = cookie_of(replicas, 0), cookie_of(replicas, 1)
    assert seen(replicas, cookies=mine) == {0}
    assert seen(replicas, cookies=yours) == {1}
    of_one = next(code for code in CODES if replicas.get(f"{ANY}?class={code}").replica == 0)
    with pages(one, MAX_VISITORS):
        replicas.until(lambda: one.word() == "full", "it is full")
        replicas.until(lambda: seen(replicas) == {1}, "new visitors go to the other")
        assert seen(replicas, cookies=mine) == {0}, "who is there stays there"
        assert seen(replicas, f"{ANY}?class={of_one}") == {0}, "a class stays together"
        with pages(two, MAX_VISITORS):
            replicas.until(lambda: replicas.get("/regression").status == 503, "there is no place")
            assert "All places are taken" in replicas.get("/regression").body
            assert seen(replicas, cookies=mine) == {0}
            assert seen(replicas, cookies={"playground_replica": "of one that is gone"}) <= {0, 1}
    replicas.settled()


@pytest.mark.in_ci
def test_the_code_of_a_class_chooses_its_replica_from_the_first_request_on(replicas: Room) -> None:
    homes = {code: replicas.get(f"/join?class={code}").replica for code in CODES}
    assert set(homes.values()) == {0, 1}, "classes are spread"
    for code, home in homes.items():
        answer = replicas.get(f"{ANY}?class={code.lower()}", cookie_of(replicas, 1 - home))
        assert answer.replica == home, "the code counts more than where its visitor was before"
        assert answer.cookies["playground_class"] == code
        assert replicas.get("/regression", answer.cookies).replica == home, "the pages after it, too"
    before, after = (next(code for code, home in homes.items() if home == number) for number in (0, 1))
    assert replicas.get(f"{ANY}?class={after}", {"playground_class": before}).replica == 1, "another class"
    for nonsense in ("", "ABC", "ABCDEFG", "ABC%0AEF", "%22%3E%3Cb%3E", "12345%00"):
        assert "playground_class" not in replicas.get(f"{ANY}?class={nonsense}").cookies


WHERE = """async () => {
  const answer = await fetch("./session/none");
  return answer.headers.get("Content-Security-Policy").match(/replica-(\\d+)/)?.[1];
}"""


@pytest.mark.in_ci
def test_a_class_is_found_by_its_code_from_every_browser(replicas: Room) -> None:
    for home in (0, 1):
        code = next(code for code in CODES if replicas.get(f"{ANY}?class={code}").replica == home)
        assert started(replicas, code) == 201
        assert started(replicas, code) == 409, "the same replica is asked: it has this class"
        for cookies in ({}, cookie_of(replicas, 0), cookie_of(replicas, 1)):
            address = f"ws://127.0.0.1:{replicas.port}/class/socket?class={code}"
            with connect(address, additional_headers={"Cookie": written(cookies)} if cookies else None) as line:
                line.send(json.dumps({"as": "join"}))
                assert json.loads(line.recv(PATIENCE))["is"] in ("welcome", "door"), cookies


def started(found: Room, code: str) -> int:
    """The status of the answer to a teacher who starts a class."""
    connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=PATIENCE)
    connection.request("POST", f"/class/start?class={code}", b"{}", {"Content-Type": "application/json"})
    status = connection.getresponse().status
    connection.close()
    return status


def where(tab: Any) -> int:
    """The number of the replica that answers this page."""
    return int(tab.evaluate(WHERE))


KEPT = """(step) => {
  const kept = JSON.parse(sessionStorage.getItem("kept regression") ?? "null");
  return kept && JSON.parse(kept.text).steps >= step;
}"""


class Student:
    """A browser of its own, on the page of a lesson that trains."""

    def __init__(self, browser: Any, url: str) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=url)
        self.tab = self.context.new_page()
        self.tab.goto(f"/regression?{SETTINGS}")
        self.board = Board(self.tab).ready()
        self.board.play()
        self.tab.wait_for_function(KEPT, arg=20, timeout=1000 * PATIENCE)
        self.look()

    def look(self) -> None:
        """Note where she is, and how far her run."""
        self.home, self.step = where(self.tab), self.board.step
        self.tab.evaluate("window.__before = true")

    @property
    def stayed(self) -> bool:
        return bool(self.tab.evaluate("window.__before === true"))

    def came_back(self) -> None:
        """Her page loads again, on another replica: her run is where it was, with the same weights, and plays on."""
        self.tab.wait_for_function("() => window.__before === undefined", timeout=2000 * PATIENCE)
        self.board.ready()
        self.board.until(lambda: "same weights" in self.board.said(), "it says that it is back")
        assert where(self.tab) != self.home
        self.works()

    def works(self) -> None:
        """Her run is further on than when one looked, and trains."""
        self.board.until(lambda: self.board.state == "playing", "it plays")
        self.board.until(lambda: self.board.step > self.step, "it trains on")


@pytest.fixture
def students(browser: Any, replicas: Room) -> Iterator[Callable[[int], list[Student]]]:
    """Students come to the room, as many as one asks for; each plays."""
    opened: list[Student] = []

    def come(count: int) -> list[Student]:
        opened.extend(Student(browser, replicas.url) for _ in range(count))
        return opened

    yield come
    for student in opened:
        student.context.close()


def test_a_rolling_restart_loses_no_run(replicas: Room, students: Callable[[int], list[Student]]) -> None:
    everybody = students(4)
    code = next(code for code in CODES if replicas.get(f"{ANY}?class={code}").replica == 0)
    for number, replica in enumerate(replicas.replicas):
        for student in everybody:
            student.look()
        moved, stay = ([each for each in everybody if (each.home == number) == here] for here in (True, False))
        replica.stop()
        replicas.until(lambda replica=replica: replica.word() == "draining", "it drains")
        replicas.until(lambda number=number: seen(replicas) == {1 - number}, "new visitors go to the other")
        replicas.until(lambda number=number: seen(replicas, f"{ANY}?class={code}") == {1 - number}, "a class, too")
        for student in moved:
            student.came_back()
        for student in stay:
            assert student.stayed, "the others notice nothing"
            student.works()
        replica.ended()
        replica.start()
        replica.wait()
        replicas.settled()
        assert seen(replicas, f"{ANY}?class={code}") == {1 - number}, "and stays there: it is not split"
    assert {where(student.tab) for student in everybody} == {0}, "those of the last one moved to the first"


@pytest.mark.parametrize("count", [pytest.param(2, marks=pytest.mark.in_ci), 4])
def test_when_a_replica_is_killed_its_students_continue_on_the_other_where_they_were(
    replicas: Room, students: Callable[[int], list[Student]], count: int
) -> None:
    replicas.mend()
    everybody = students(count)
    assert {student.home for student in everybody} == {0, 1}, "both have students"
    for student in everybody:
        student.look()
    replicas.replicas[0].kill()
    killed_at = time.monotonic()
    for student in everybody:
        if student.home == 0:
            student.came_back()
            print(f"back, and beyond her step, {time.monotonic() - killed_at:.1f} s after the kill")
    for student in everybody:
        if student.home == 1:
            assert student.stayed, "the others notice nothing"
            student.works()
