"""A run shared and shown as code, in Chromium: the link leads to the same weights, the script to the same loss."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch

from tests.browser.student import Board

Open = Callable[..., Any]


def losses(script: str) -> dict[str, float]:
    """What a script prints when it is run."""
    before = torch.get_num_threads()
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    torch.set_num_threads(before)
    lines = [line.rpartition(" ") for line in output.getvalue().splitlines()]
    return {name: float(value) for name, _, value in lines}


def test_a_run_is_shared_replayed_and_taken_away_as_a_script(page: Open, tmp_path: Path) -> None:
    tab = page("/regression?regression_max_steps=0&regression_batch_size=20")
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.step > 60, "some steps")
    board.knob("lr").press("ArrowLeft")
    board.until(lambda: len(board.trace("loss", "Setting changed")["x"]) == 1, "the knob is turned")
    board.wait_frames(5)
    board.pause()
    board.more()
    tab.page.get_by_role("dialog").locator("summary", has_text="Share a link").click()
    shared = tab.page.locator("code").filter(has_text="at=").text_content()
    tab.page.keyboard.press("Escape")

    there = urlsplit(shared)
    other = page(f"{there.path}?{there.query}")
    replayed = Board(other.page).ready()
    replayed.until(lambda: "the same weights to the last bit" in replayed.said(), "the replay")
    assert replayed.step == board.step
    assert replayed.number("loss") == board.number("loss")
    assert replayed.state == "paused"
    other.page.wait_for_url(lambda url: "at=" not in url and "regression_lr=0.3" in url)
    replayed.play()
    replayed.until(lambda: replayed.step > board.step and "Replayed" not in replayed.said(), "it goes on")
    replayed.pause()

    other.page.get_by_text("Show the script, and the code that runs here").click()
    with other.page.expect_download() as saving:
        other.page.get_by_role("button", name="Download regression.py").click()
    saving.value.save_as(tmp_path / "regression.py")
    printed = losses((tmp_path / "regression.py").read_text(encoding="utf-8"))
    assert printed["step"] == replayed.step
    assert float(f"{printed['train loss']:.4g}") == replayed.number("loss")
