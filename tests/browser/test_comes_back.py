"""A run comes back from its own browser when its server is gone: killed and started again, or after a long rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.browser.student import KEEP_SOCKETS, PATIENCE, Board

Open = Callable[..., Any]
KEPT = """([bench, step]) => {
  const kept = JSON.parse(sessionStorage.getItem(`kept ${bench}`) ?? "null");
  return kept && (JSON.parse(kept.text).steps >= step);
}"""


def kept(board: Board, bench: str, step: int) -> None:
    """Wait until the browser has kept a run at this step or later."""
    board.page.wait_for_function(KEPT, arg=[bench, step], timeout=1000 * PATIENCE)


def test_a_run_that_was_closed_after_a_rest_comes_back_by_itself(page: Open, serve: Any) -> None:
    with serve(settings={"PLAYGROUND_IDLE_MINUTES": "0.05"}) as server:
        tab = page("/regression", base=server.url, script=KEEP_SOCKETS)
        board = Board(tab.page)
        board.until(lambda: board.state == "paused", "the run is ready")
        board.take(7)
        board.until(lambda: board.step == 7, "seven steps")
        kept(board, "regression", 7)
        run = board.run
        board.hold_the_line(cut=True)
        board.cut_the_line()
        tab.page.wait_for_timeout(5_000)  # longer than the idle time (3 s) and the housekeeping's second
        assert "Reconnecting" in board.said()
        board.hold_the_line(cut=False)
        board.until(lambda: board.run != run and board.state == "paused", "another run in its place")
        board.until(lambda: board.step == 7 and "same weights" in board.said(), "at its step")
        board.play()
        board.until(lambda: board.step > 10, "it plays")
        tab.page.close()  # before its server ends: it would try to reconnect
        tab.errors[:] = [error for error in tab.errors if "/nowhere/" not in error]


def test_a_duplicated_tab_does_not_take_the_run_of_the_first(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    board.press("Step")
    kept(board, "regression", 1)
    storage = tab.page.evaluate("() => ({ ...sessionStorage })")
    other = page("/regression")
    Board(other.page).ready()
    other.page.evaluate(
        "(kept) => Object.entries(kept).forEach(([key, text]) => sessionStorage.setItem(key, text))", storage
    )
    other.page.reload()
    second = Board(other.page).ready()
    assert second.run != board.run and second.step == 0
    board.press("Step")
    board.until(lambda: board.step == 2, "the first goes on")
    assert json.loads(other.page.evaluate("sessionStorage.getItem('kept regression')"))["run"] == second.run
