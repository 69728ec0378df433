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
from tests.conftest import free_port

Open = Callable[..., Any]
COMPARED = {"regression_lr": "0.3", "regression_max_steps": "0", "hide": "noise", "versus": "lr:0.05"}
BOTH_PLAY = """() => {
  const [loss, other] = ['[data-status="loss"]', '[data-second="loss"]'].map((each) => document.querySelector(each));
  return other && other.textContent !== loss.textContent;
}"""
BESIDE = """() => document.querySelector('[data-second="loss"]')?.textContent ?? null"""
# A page loads again, unless Streamlit's own socket was back first: then the page has another run without that.
LOADED_AGAIN = """() => {
  const run = document.querySelector("[data-board]")?.dataset.run;
  const hasAnother = typeof window.__before === "string" && run && run !== window.__before;
  return (window.__before === undefined || hasAnother) && document.querySelector("[data-chart] .main-svg");
}"""
KEPT = """([bench, step]) => {
  const kept = JSON.parse(sessionStorage.getItem(`kept ${bench}`) ?? "null");
  return kept && (JSON.parse(kept.text).steps >= step);
}"""
# As if the server did not know the run any more, and what was kept of it were changed: before the page's own scripts.
GIVE_UP = """(() => {
  const [bench, from, to] = %s;
  const kept = JSON.parse(sessionStorage.getItem(`kept ${bench}`));
  if (window.top !== window || !kept || window.name === "given up") return;
  window.name = "given up";
  const text = kept.text.replaceAll(kept.run, "gone").replace(from, to);
  sessionStorage.setItem(`kept ${bench}`, JSON.stringify({ ...kept, run: "gone", text }));
  const beside = JSON.parse(sessionStorage.getItem(`kept ${bench} beside`));
  if (beside) sessionStorage.setItem(`kept ${bench} beside`, JSON.stringify({ ...beside, first: "gone" }));
})()"""


def kept(board: Board, bench: str, step: int) -> None:
    """Wait until the browser has kept a run at this step or later."""
    board.page.wait_for_function(KEPT, arg=[bench, step], timeout=1000 * PATIENCE)


def give_up(board: Board, bench: str, change: tuple[str, str] = ("", "")) -> None:
    """Load the page again as if its run were gone from the server."""
    board.page.add_init_script(GIVE_UP % json.dumps([bench, *change]))
    board.page.evaluate("window.__before = true")
    board.page.reload()
    board.page.wait_for_function(LOADED_AGAIN, timeout=1000 * PATIENCE)


@pytest.mark.timeout(240)  # two starts of a server
def test_after_a_killed_server_every_page_comes_back_with_its_run(page: Open, serve: Any) -> None:
    port = free_port()
    before = serve(port=port)
    server = before.__enter__()
    paths = "/classification", f"/regression?{urlencode(COMPARED)}", "/tensors?tensors_lab=broadcasting"
    paused, compared, lab = tabs = [page(path, base=server.url) for path in paths]
    board = Board(paused.page).ready()
    board.take(30)
    board.until(lambda: board.step == 30, "30 steps")
    paused.page.locator('[data-knob="lr"] input').press("ArrowRight")
    paused.page.wait_for_url("**classification_lr=**", timeout=1000 * PATIENCE)
    board.take(5)
    board.until(lambda: board.step == 35, "five more")
    playing = Board(compared.page).ready()
    points = len(playing.trace("fit", "Train")["x"])
    compared.page.locator('[data-cursor="fit"]').focus()
    compared.page.keyboard.press("Enter")
    playing.until(lambda: len(playing.trace("fit", "Train")["x"]) == points + 1, "a point of one's own")
    playing.play()
    kept(board, "classification", 35)
    kept(playing, "regression", 20)
    for tab in tabs:
        tab.page.evaluate("window.__before = document.querySelector('[data-board]').dataset.run ?? true")
    step = playing.step
    os.killpg(server.pid, signal.SIGKILL)
    with suppress(pytest.fail.Exception):  # it says that the server died
        before.__exit__(None, None, None)
    with serve(port=port):
        for tab in tabs:
            tab.page.wait_for_function(LOADED_AGAIN, timeout=3000 * PATIENCE)
        board.until(lambda: board.step == 35 and "same weights" in board.said(), "it is where it was")
        assert board.state == "paused" and "classification_lr" in paused.page.url
        assert dict(parse_qsl(urlsplit(compared.page.url).query)) == COMPARED
        playing.until(lambda: playing.step > step, "it plays on")
        compared.page.wait_for_function(BOTH_PLAY, timeout=1000 * PATIENCE)
        assert len(playing.trace("fit", "Train")["x"]) == points + 1, "with the point"
        lab.page.get_by_text("View or copy", exact=True).click()
        lab.page.wait_for_url("**tensors_lab=views**", timeout=1000 * PATIENCE)
        for tab in tabs:
            tab.page.close()  # before its server ends: it would try to reconnect
            tab.errors.clear()  # what the browser says of a server that is not there


@pytest.mark.in_turns
def test_an_answer_is_given_again_to_a_server_that_has_forgotten_it(page: Open) -> None:
    tab = page("/regression?regression_try=small-steps").page
    board = Board(tab).ready()
    tab.locator('[data-option="between"]').click()
    board.until(lambda: board.step > 0, "it runs")
    for is_explained in (False, True):
        kept(board, "regression", 1)
        tab.evaluate("sessionStorage.removeItem('session'); window.name = ''")
        give_up(board, "regression")
        tab.wait_for_selector(".rail-answers.graded", state="attached", timeout=1000 * PATIENCE)
        assert tab.locator('[data-option="behind"]').count() == 0, "it is not asked again"
        ended = "the run stops where the question ends, or right after its answer was heard beyond it"
        board.until(lambda: board.state == "paused" and board.step >= 1000, ended)
        if not is_explained:
            tab.locator('[data-option="safe"]').click()
        board.until(lambda: "A smaller step is not a better one" in tab.locator("[data-rail]").inner_text(), "why")


@pytest.mark.in_turns
def test_a_cnn_comes_back_from_its_state_and_plays_on(page: Open) -> None:
    tab = page("/cnn?cnn_epochs=0&cnn_layers=1&cnn_filters_1=4")
    board = Board(tab.page).ready()
    board.play()
    kept(board, "cnn", 3)
    run, step = board.run, board.step
    give_up(board, "cnn")
    board.until(lambda: board.run != run and board.state == "playing" and board.step > step, "it plays on")


@pytest.mark.in_turns
def test_the_run_from_before_comes_back_beside_the_continued_one(page: Open) -> None:
    tab = page("/regression?regression_max_steps=0")
    board = Board(tab.page).ready()
    board.take(40)
    board.until(lambda: board.step == 40, "forty steps")
    board.scrub(5)
    tab.page.get_by_role("button", name="Continue from here").click()
    board.until(lambda: board.page.evaluate(BESIDE) is not None and board.step < 40, "both runs")
    step = board.step + 3
    board.take(3)
    board.until(lambda: board.step == step, "three more")
    kept(board, "regression", step)
    kept(board, "regression beside", 40)
    loss = board.page.evaluate(BESIDE)
    run = board.run
    answers = [lambda route: route.abort(), lambda route: route.fulfill(status=502, body="<html>"), None]
    tab.page.route("**/return/*", lambda route: (answers.pop(0) or (lambda each: each.continue_()))(route))
    give_up(board, "regression")
    board.until(lambda: board.run != run and board.step == step and "same weights" in board.said(), "it is back")
    assert answers == [], "also where the first tries do not arrive"
    tab.errors.clear()  # the browser names them
    assert "gone" not in board.said()
    board.until(lambda: board.page.evaluate(BESIDE) == loss, "beside the one from before")
    assert tab.page.evaluate("sessionStorage.getItem('kept regression beside')")
    board.more()
    board.page.get_by_text("Compare", exact=True).click()
    board.until(lambda: board.page.evaluate(BESIDE) is None, "one run")
    assert not tab.page.evaluate("sessionStorage.getItem('kept regression beside')"), "it does not come back"


def test_what_was_spoilt_is_refused_with_a_sentence(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    board.press("Step")
    kept(board, "regression", 1)
    give_up(board, "regression", ('"acts"', '"facts"'))
    board.until(lambda: "damaged" in board.said(), "a sentence says why")
    tab.errors.clear()  # the browser names the answer's code
    board.press("Step")
    board.until(lambda: board.step == 2, "the page's own run is there")


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
