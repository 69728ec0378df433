"""A run comes back from its own browser when its server is gone: killed and started again, or after a long rest."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.browser.student import KEEP_SOCKETS, PATIENCE, Board
from tests.conftest import Tab, free_port

Open = Callable[..., Any]
COMPARED = {"regression_lr": "0.3", "regression_max_steps": "0", "hide": "noise", "versus": "lr:0.05"}
BOTH_PLAY = """() => {
  const [loss, other] = ['[data-status="loss"]', '[data-second="loss"]'].map((each) => document.querySelector(each));
  return other && other.textContent !== loss.textContent;
}"""
LOADED_AGAIN = "() => window.__before === undefined && document.querySelector('[data-chart] .main-svg')"
KEPT = """([bench, step]) => {
  const kept = JSON.parse(sessionStorage.getItem(`kept ${bench}`) ?? "null");
  return kept && (JSON.parse(kept.text).steps >= step);
}"""
SPOIL = """() => {
  const kept = JSON.parse(sessionStorage.getItem("kept regression"));
  sessionStorage.setItem("kept regression", JSON.stringify({ ...kept, text: kept.text.replace('"acts"', '"facts"') }));
}"""


def kept(board: Board, bench: str, step: int) -> None:
    """Wait until the browser has kept a run at this step or later."""
    board.page.wait_for_function(KEPT, arg=[bench, step], timeout=1000 * PATIENCE)


def loaded_again(tab: Tab) -> Board:
    tab.page.wait_for_function(LOADED_AGAIN, timeout=3000 * PATIENCE)
    return Board(tab.page).ready()


def test_after_a_killed_server_every_page_comes_back_with_its_run(page: Open, serve: Any) -> None:
    port = free_port()
    before = serve(port=port)
    server = before.__enter__()
    playing, paused, cnn, spoilt, compared, lab = tabs = [
        page(path, base=server.url) for path in (
            "/regression?regression_max_steps=0", "/classification", "/cnn?cnn_epochs=0&cnn_layers=1&cnn_filters_1=4",
            "/regression", f"/regression?{urlencode(COMPARED)}", "/tensors?tensors_lab=broadcasting",
        )
    ]  # fmt: skip
    for tab in tabs[:-1]:
        Board(tab.page).ready()
    board = Board(playing.page)
    points = len(board.trace("fit", "Train")["x"])
    playing.page.locator('[data-cursor="fit"]').focus()
    playing.page.keyboard.press("Enter")
    board.until(lambda: len(board.trace("fit", "Train")["x"]) == points + 1, "a point of one's own")
    board.play()
    board = Board(paused.page)
    board.take(30)
    board.until(lambda: board.step == 30, "30 steps")
    paused.page.locator('[data-knob="lr"] input').press("ArrowRight")
    paused.page.wait_for_url("**classification_lr=**", timeout=1000 * PATIENCE)
    board.take(5)
    board.until(lambda: board.step == 35, "five more")
    Board(cnn.page).play()
    Board(compared.page).play()
    Board(spoilt.page).press("Step")
    for tab, bench, step in ((playing, "regression", 100), (paused, "classification", 35), (cnn, "cnn", 3),
                             (spoilt, "regression", 1), (compared, "regression", 20)):  # fmt: skip
        kept(Board(tab.page), bench, step)
    spoilt.page.evaluate(SPOIL)
    steps = {}
    for tab in tabs:
        tab.page.evaluate("window.__before = true")
        steps[tab.page] = 0 if tab is lab else Board(tab.page).step
    os.killpg(server.pid, signal.SIGKILL)
    with suppress(pytest.fail.Exception):  # it says that the server died
        before.__exit__(None, None, None)
    with serve(port=port):
        board = loaded_again(playing)
        board.until(lambda: "same weights" in board.said(), "it says that it is back")
        board.until(lambda: board.step > steps[playing.page], "it plays on")
        assert board.state == "playing"
        assert len(board.trace("fit", "Train")["x"]) == points + 1, "with the point"
        board = loaded_again(paused)
        board.until(lambda: board.step == 35, "it is where it was")
        assert board.state == "paused" and "same weights" in board.said()
        assert "classification_lr" in paused.page.url
        board = loaded_again(cnn)
        board.until(lambda: board.step > steps[cnn.page] and board.state == "playing", "the CNN plays on")
        board = loaded_again(spoilt)
        board.until(lambda: "damaged" in board.said(), "what was spoilt is refused with a sentence")
        assert board.step == 0
        board = loaded_again(compared)
        assert dict(parse_qsl(urlsplit(compared.page.url).query)) == COMPARED
        board.until(lambda: board.step > steps[compared.page], "the first run plays on")
        compared.page.wait_for_function(BOTH_PLAY, timeout=1000 * PATIENCE)
        lab.page.wait_for_function(LOADED_AGAIN, timeout=1000 * PATIENCE)
        lab.page.get_by_text("View or copy", exact=True).click()
        lab.page.wait_for_url("**tensors_lab=views**", timeout=1000 * PATIENCE)
        for tab in tabs:
            tab.page.close()  # before its server ends: it would try to reconnect
            tab.errors.clear()  # what the browser says of a server that is not there


def test_a_run_that_was_closed_after_a_rest_comes_back_by_itself(page: Open, serve: Any) -> None:
    with serve(settings={"PLAYGROUND_IDLE_MINUTES": "0.01"}) as server:
        tab = page("/regression", base=server.url, script=KEEP_SOCKETS)
        board = Board(tab.page)
        board.until(lambda: board.state == "paused", "the run is ready")
        board.take(7)
        board.until(lambda: board.step == 7, "seven steps")
        kept(board, "regression", 7)
        run = board.run
        board.hold_the_line(cut=True)
        board.cut_the_line()
        tab.page.wait_for_timeout(2_000)  # longer than the idle time (0.6 s) and the housekeeping's second
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
