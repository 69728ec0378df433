"""A class of three browsers, a phone and a projector; at each of its stages every page is loaded again."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.classroom.people import Person, ProjectorPage, StudentPage, TeacherPage, as_before, reload_each
from tests.conftest import Serve, Server, free_port

Open = Callable[..., Any]
KEPT_SECONDS = 3.0  # a changed state goes to the teacher's browser within two
RUN_SECONDS = 60.0
BACK_SECONDS = 60.0  # pages of the app come back one after the other, with their runs
# What a restart may change: the acts that can be taken back, ids of runs, and the way back to a run that is gone.
NOT_BACK = ("undo", "run", "buttons", "bar")


class Killed(Exception):
    """The server was killed."""


class KilledServer:
    """An app that can be killed and started again at the same port."""

    def __init__(self, serve: Serve) -> None:
        self.port, self.serve = free_port(), serve
        self.start()

    def start(self) -> None:
        settings = {"PLAYGROUND_SECRET": "a secret of sixteen letters"}
        self.context = self.serve(port=self.port, settings=settings)
        self.server: Server = self.context.__enter__()

    def kill(self) -> None:
        os.killpg(self.server.pid, signal.SIGKILL)
        time.sleep(0.5)
        with contextlib.suppress(Killed):
            self.context.__exit__(Killed, Killed(), None)

    def close(self) -> None:
        self.context.__exit__(None, None, None)


class Journey:
    """The people of one class; each method is a part of the lesson."""

    def __init__(self, page: Open, url: str) -> None:
        self.teacher = TeacherPage(page(base=url))
        self.ada, self.bob = StudentPage(page(base=url)), StudentPage(page(base=url, width=390, height=844))
        self.phone = Person(page(base=url, width=390, height=844))
        self.projector, self.mine = ProjectorPage(page(base=url, width=1920, height=1080)), StudentPage(page(base=url))

    @property
    def people(self) -> list[Person]:
        return [self.teacher, self.ada, self.bob, self.projector, self.phone]

    def again(self, stage: str) -> None:
        print(f"{time.monotonic():.0f} {stage}")
        reload_each(self.people, stage)

    def come_in(self) -> None:
        """By code, by the link of the picture, and a second device of the teacher's by its picture."""
        teacher = self.teacher
        teacher.start()
        reload_each([teacher], "the door")
        self.ada.join_by_code(teacher.code)
        self.bob.join_by_link(teacher.pictures[0])
        teacher.to_wall(students=2)
        self.projector.page.goto(teacher.opens("Open the projector's page ↗"))
        teacher.menu("more", "A second device …")
        teacher.until(lambda: "#k=" in teacher.pictures[-1], "a picture for the second device")
        self.phone.page.goto(teacher.pictures[-1])
        self.phone.heading("Free work")
        teacher.page.keyboard.press("Escape")
        teacher.page.get_by_text("A second device has joined: A phone.").wait_for()
        teacher.press("It is mine")
        assert not any("#" in each.page.url for each in self.people), "no token stays in an address bar"
        self.again("free")

    def pace(self) -> None:
        """Send, stray, lock, help, done, eyes up from the phone."""
        teacher, ada, bob = self.teacher, self.ada, self.bob
        teacher.choose("Regression", "Send: Small steps")
        for each in (ada, bob):
            each.on("/regression")
            each.says("sent")
        self.again("sent")
        bob.page.goto(f"/tensors?class={teacher.code}")
        bob.on("/tensors")
        teacher.page.get_by_role("button", name="Send 1 who strayed").wait_for()
        self.again("one has strayed")
        teacher.press("Send 1 who strayed")
        bob.on("/regression")
        teacher.lock("Learning rate")
        for each in (ada, bob):
            each.until(lambda each=each: each.seen()["rate"] == ["locked"], "its control is gone")
        ada.press("I need help (Alt+H)")
        bob.press("I am done (Alt+D)")
        teacher.page.locator(".needs .chip.help").wait_for()
        teacher.page.locator(".tile .chip.ok").wait_for()
        self.again("locked, help, done")
        self.phone.press("Eyes up")
        for each in (ada, bob):
            each.covered("Eyes up")
        self.projector.heading("Eyes up")
        self.again("eyes up")
        self.phone.press("Resume")
        for each in (ada, bob):
            each.uncovered()

    def keep_a_snapshot(self) -> None:
        """Keep Ada's run."""
        self.teacher.open_board(self.ada.name)
        self.teacher.press("Snapshot")
        self.teacher.page.get_by_text("Kept. It is on the page before the end").wait_for()
        self.teacher.press("Back to all boards")

    def look(self) -> None:
        """One board on all screens, a snapshot of it, then the teacher's."""
        teacher, ada, bob, projector = self.teacher, self.ada, self.bob, self.projector
        own = ada.board()
        own.play()
        teacher.open_board(ada.name)
        teacher.press("Put on all screens")
        ada.says("spotMine")
        bob.covered("A board of the class")
        projector.heading("A board of this class")
        projector.page.locator(".reader [data-chart] .main-svg").first.wait_for(timeout=20_000)
        teacher.press("Back to all boards")
        self.keep_a_snapshot()
        bob.screens.clear()
        self.again("spotlight")
        assert all(bob.screens), "nothing opens or closes while its owner's page is loaded again"
        teacher.press("Take it off the screens")
        bob.uncovered()
        ada.board().pause()

        mine = self.mine
        mine.page.goto(teacher.opens("My own board ↗"))
        mine.on("/regression")
        mine.press("Show my board to all")
        for each in (ada, bob):
            each.covered("Teacher's board")
        projector.heading("Your teacher's board")
        reload_each([*self.people, mine], "follow")
        mine.press("Show my board to all")
        for each in (ada, bob):
            each.uncovered()

    def vote(self, server: KilledServer) -> None:
        """Two votes; nothing of a result in any message before Show; the server is killed in the second one."""
        teacher, ada, bob, projector = self.teacher, self.ada, self.bob, self.projector
        teacher.choose("Regression", "Ask: Small steps")
        for each in (ada, bob):
            each.says("ask")
        self.again("open 1")
        ada.answer("between")
        bob.answer("further")
        teacher.answered("2 of 2")
        self.again("answered 1")
        self.phone.press("Close vote 1")
        ada.says("closed")
        self.again("closed 1")
        teacher.next("Open vote 2")
        ada.says("again")
        ada.answer("behind")
        bob.answer("behind")
        teacher.answered("2 of 2")
        self.again("answered 2")

        def restart() -> None:
            time.sleep(KEPT_SECONDS)
            server.kill()
            server.start()

        as_before(self.people, restart, "the server was killed", *NOT_BACK, patience=BACK_SECONDS)
        for each in (*self.people, self.mine):
            each.tab.errors.clear()  # lines that were cut
        self.again("after the restart")
        teacher.next("Close vote 2")
        ada.says("closedTwo")
        self.again("closed 2")
        assert [each.results for each in self.people] == [[]] * 5, "no message tells a result before Show"
        teacher.next("Show both votes")
        teacher.sure()
        projector.page.locator("svg.full").wait_for()
        for each in (ada, bob):
            each.says("shown")
        self.again("shown 2")
        teacher.next("Play the real run")
        for each in (ada, bob):
            each.says("run")
            board = each.board()
            board.until(lambda board=board: board.step >= 1_000, "the real run", RUN_SECONDS)
        self.again("the real run")
        teacher.next("End the question")
        for each in (ada, bob):
            each.until(lambda each=each: not each.seen()["question"], "the rail is the page's own again")

    def people_change(self) -> None:
        """Rename, take out, come back, leave."""
        teacher, ada, bob = self.teacher, self.ada, self.bob
        teacher.open_board(bob.name)
        teacher.press("Rename")
        teacher.page.locator("dialog.ask input").fill("Robert")
        teacher.sure()
        bob.until(lambda: bob.name == "Robert", "the new name")
        teacher.press("Back to all boards")
        self.again("renamed")
        teacher.open_board("Robert")
        teacher.press("Take out of the class")
        teacher.sure()
        bob.says("void")
        self.again("taken out")
        bob.press("Join the class")
        bob.heading("You are no longer in this class")
        bob.press("Ask to come back")
        bob.heading("Your teacher was asked")
        teacher.page.get_by_text("Robert asks to come back").wait_for()
        bob.page.reload()
        bob.heading("You are no longer in this class")
        bob.press("Ask to come back")
        teacher.press("Let in")
        bob.page.locator("[data-class-bar]").wait_for(timeout=20_000)
        bob.until(lambda: bob.name == "Robert", "the same seat")
        bob.page.goto(f"/regression?class={teacher.code}")
        bob.on("/regression")
        self.again("back")
        bob.press("Leave the class")
        bob.page.locator("[data-class-bar]").wait_for(state="detached")
        teacher.until(lambda: teacher.page.locator(".tile").count() == 1, "one tile")
        self.again("one has left")
        assert ada.name in teacher.page.locator(".tile").inner_text()

    def end(self, folder: Path) -> None:
        """The files, then the end."""
        teacher, ada = self.teacher, self.ada
        names = [ada.name, "Robert"]
        self.keep_a_snapshot()  # the earlier one was on the server that was killed
        teacher.menu("more", "End the class …")
        teacher.page.locator(".tbl td").first.wait_for()
        reload_each([teacher], "before the end")
        with teacher.page.expect_download() as saved:
            teacher.page.locator("[data-key=save]").click()
        saved.value.save_as(folder / "class.csv")
        rows = list(csv.reader(io.StringIO((folder / "class.csv").read_text("utf-8-sig"))))
        assert sorted(row[0] for row in rows[1:]) == sorted(names), "who left is in the file, too"
        assert {row[2] for row in rows[1:]} == {"Not even at the tutorial’s step 10"}, "the second answer of each"
        with teacher.page.expect_download() as saved:
            teacher.page.get_by_role("button", name=f"Save: {ada.name}").click()
        assert saved.value.suggested_filename.endswith(".safetensors")
        teacher.page.locator("[data-end]").click()
        teacher.sure()
        for each in (teacher, self.projector, self.phone):
            each.heading("class is over")
        ada.says("ended")
        assert all(each.keeps_nothing_of(*names) for each in self.people)
        for each in (teacher, self.projector, self.phone):
            each.page.reload()
        teacher.heading("Teach a class, live")
        self.projector.heading("Nothing to project")
        self.phone.heading("This page is for a teacher's phone")


@pytest.mark.timeout(900)
def test_each_stage_of_a_class_is_the_same_after_a_reload(page: Open, serve: Serve, tmp_path: Path) -> None:
    with contextlib.closing(KilledServer(serve)) as server:
        journey = Journey(page, server.server.url)
        journey.come_in()
        journey.pace()
        journey.look()
        journey.vote(server)
        journey.people_change()
        journey.end(tmp_path)
        for each in (*journey.people, journey.mine):
            each.page.close()  # before its server ends: it would try to reconnect
