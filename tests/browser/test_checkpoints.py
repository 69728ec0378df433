"""Saving and restoring in a real Chromium: a checkpoint goes out and comes in, refused files leave the run alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playground.saving import checkpoint, weight_files
from tests.browser.student import Board

Open = Callable[..., Any]
PAGE = "/regression?regression_optimizer=adam&regression_lr=0.01&regression_batch_size=10&regression_max_steps=0"


def save(tab: Any, button: str, path: Path) -> bytes:
    with tab.page.expect_download() as saving:
        tab.page.get_by_role("button", name=button, exact=True).click()
    saving.value.save_as(path)
    return path.read_bytes()


def popover(tab: Any) -> None:
    """Open "Save and restore", in "More"."""
    Board(tab.page).more()
    part = tab.page.get_by_role("dialog").locator("details", has_text="Save and restore")
    part.wait_for()
    if part.get_attribute("open") is None:
        part.locator("summary").click()
    tab.page.get_by_text("exactly as if it had never stopped").wait_for()


def upload(tab: Any, path: Path, told: str) -> None:
    tab.page.get_by_role("dialog").locator("input[type=file]").set_input_files(str(path))
    tab.page.get_by_text(told).wait_for()


def test_a_checkpoint_goes_on_in_another_browser_as_if_it_had_never_stopped(page: Open, tmp_path: Path) -> None:
    tab = page(PAGE)
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.step > 60, "some steps")
    board.pause()
    popover(tab)
    content = save(tab, "Checkpoint", tmp_path / "run.safetensors")
    saved = checkpoint.load(content)
    assert saved.step == board.step and saved.config["lr"] == "0.01"
    weights = weight_files.read_pt(save(tab, "Weights .pt", tmp_path / "run.pt"))
    assert checkpoint.checksum(weights) == saved.checksum
    assert save(tab, "Weights .npz", tmp_path / "run.npz").startswith(b"PK")
    tab.page.keyboard.press("Escape")

    other = page("/regression")
    there = Board(other.page).ready()
    before = there.run
    popover(other)
    (tmp_path / "cut.safetensors").write_bytes(content[: len(content) // 2])
    upload(other, tmp_path / "cut.safetensors", "The file is cut off")
    assert (there.run, there.step) == (before, 0), "untouched"
    upload(other, tmp_path / "run.safetensors", f"Restored at step {saved.step}, weights {saved.checksum}.")
    there.until(lambda: there.run != before and there.state == "paused", "the restored run")
    there.until(lambda: there.numbers()["step"] == str(saved.step), "its step")
    assert there.number("loss") == board.number("loss")
    other.page.wait_for_url("**regression_lr=0.01**")
    other.page.keyboard.press("Escape")
    for each in (board, there):
        each.press("Step")
        each.until(lambda each=each: each.step == saved.step + 1, "one step more")
    assert there.number("loss") == board.number("loss")


def test_weights_of_another_shape_are_refused_and_fitting_ones_are_used(page: Open, tmp_path: Path) -> None:
    tab = page(PAGE)
    board = Board(tab.page).ready()
    popover(tab)
    save(tab, "Weights .pt", tmp_path / "start.pt")
    wide = page("/regression?regression_hidden=12")
    there = Board(wide.page).ready()
    popover(wide)
    upload(wide, tmp_path / "start.pt", "has the shape [10, 1], but [12, 1] is needed here")
    assert there.step == 0
    loss = board.number("loss")
    tab.page.keyboard.press("Escape")
    board.play()
    board.until(lambda: board.step > 30, "some steps")
    board.pause()
    assert board.number("loss") < loss
    popover(tab)
    upload(tab, tmp_path / "start.pt", "Weights loaded (checksum")
    board.until(lambda: board.number("loss") == loss, "the first weights again")


def test_the_page_of_saving_shows_three_nets_and_real_messages(page: Open) -> None:
    tab = page("/checkpoints")
    Board(tab.page)
    tab.page.wait_for_selector("[data-testid=stMain] [data-chart=nets] .main-svg")
    tab.page.get_by_role("cell", name="restored whole").wait_for()
    tab.page.get_by_text("Mismatch clinic").first.click()
    tab.page.get_by_text("size mismatch for 0.weight").first.wait_for()
    tab.page.wait_for_url("**checkpoints_lab=mismatch**")
