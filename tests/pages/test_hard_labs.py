"""A still lab that takes long keeps no other visitor waiting, and one whose worker is lost is drawn by the next one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import still_lab, turns
from pages.ui.messages import TEXT
from pages.ui.session import pool
from playground.lessons import LESSONS
from playground.workers import messages
from playground.workers.wire import DrawnLab
from tests.pages.session import Open, board, boards, refusals, say, sheets
from tests.pages.slow import LESSON as SLOW
from tests.pages.slow import WAIT_SECONDS, FileConfig


def notes(session: AppTest) -> list[str]:
    return [note for note, _ in sheets(session)]


@contextmanager
def drawn_in_threads(files: list[Path]) -> Iterator[list[DrawnLab]]:
    """Page scripts that have labs drawn: what came back, which is complete at the end of the context.

    A session of pages cannot be run beside another one in one process of tests, so these have no page.
    """
    found: list[DrawnLab] = []

    def script(file: Path) -> None:
        with turns.turn():
            found.append(pool().draw(file.name, "slow_waits", FileConfig(str(file)), b"", 0))

    threads = [threading.Thread(target=script, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    yield found
    for thread in threads:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()


def test_labs_that_take_long_to_draw_keep_no_other_visitor_waiting(visit: Open, tmp_path: Path) -> None:
    files = [tmp_path / str(number) for number in range(6)]
    with drawn_in_threads(files) as drawn:
        end = time.monotonic() + WAIT_SECONDS
        while not all(file.with_suffix(".begun").exists() for file in files):
            assert time.monotonic() < end, "they wait for each other"
            time.sleep(0.01)
        for name in ("tensors", "regression", "autograd"):
            other = visit(LESSONS[name])
            assert len(boards(other)) == 1 and refusals(other) == []
        assert drawn == [], "they were drawn before they could be: the others had nothing to wait for"
        for file in files:
            file.touch()
    assert len(drawn) == len(files)


def test_a_lab_says_that_it_is_being_drawn(visit: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    said: list[str] = []
    spinner = still_lab.st.spinner

    def heard(text: str, **options: Any) -> Any:
        said.append(text)
        return spinner(text, **options)

    monkeypatch.setattr(still_lab.st, "spinner", heard)
    visit(SLOW, slow_waits_file=str(there))
    assert said == [TEXT.lab.drawing]


def test_a_lab_whose_worker_is_lost_is_drawn_by_the_next_one(visit: Open, tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.write_text("1")
    session = visit(SLOW, slow_lab="ends", slow_ends_file=str(left))
    assert refusals(session) == [] and notes(session) == ["<p>Drawn at last.</p>\n"]


def test_where_worker_after_worker_is_lost_the_page_says_so_and_offers_to_try_again(
    visit: Open, tmp_path: Path
) -> None:
    left = tmp_path / "left"
    left.write_text("2")
    session = visit(SLOW, slow_lab="ends", slow_ends_file=str(left))
    assert refusals(session) == [messages.NO_ANSWER]
    assert board(session)["lab"]["late"] and "frame" not in board(session)
    say(session, "board", "again", True)
    assert refusals(session) == [] and notes(session) == ["<p>Drawn at last.</p>\n"]
