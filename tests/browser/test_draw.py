"""Drawing a digit in a real Chromium: mouse, keyboard, undo and clear, and the prediction that follows."""

from __future__ import annotations

import io
import operator
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.student import PATIENCE, Board

LINK = "/cnn?cnn_filters_1=4&cnn_filters_2=4&cnn_images=500"
INK = """() => {
  const canvas = document.querySelector("[data-pad]");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, at) => at % 4 === 3 && value > 127).length;
}"""
STROKE = [(0.5, 0.15), (0.5, 0.85)]
HOOK = [(0.3, 0.2), (0.7, 0.2), (0.45, 0.85)]


class Pad:
    """The drawing pad as its visitor sees it."""

    def __init__(self, tab: Any) -> None:
        self.page, self.board = tab.page, Board(tab.page).ready()
        self.page.locator(".thumbs .thumb", has_text="Draw").click()
        self.canvas = self.page.get_by_role("application", name="Drawing pad")
        self.wait(lambda: len(self.softmax()) == 10, "the first prediction")

    def draw(self, points: list[tuple[float, float]]) -> None:
        """One stroke by mouse, through points given as shares of the pad."""
        self.canvas.scroll_into_view_if_needed()
        box = self.canvas.bounding_box()
        at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*at[0])
        self.page.mouse.down()
        for x, y in at[1:]:
            self.page.mouse.move(x, y, steps=6)
        self.page.mouse.up()

    def ink(self) -> int:
        return int(self.page.evaluate(INK))

    def softmax(self) -> list[float]:
        return list(self.page.evaluate(
            "(document.querySelector('[data-chart=drawn]').data ?? []).filter((each) => each.name === 'Softmax')"
            ".flatMap((each) => [...each.y])"
        ))  # fmt: skip

    def settled(self) -> list[float]:
        """The prediction when nothing more is on its way: the same for half a second."""
        seen, now = [], self.softmax()
        while seen != now:
            seen = now
            self.page.wait_for_timeout(500)
            now = self.softmax()
        return now

    def wait(self, holds: Callable[[], Any], what: str) -> None:
        self.board.until(holds, what)


@pytest.fixture
def pad(page: Callable[..., Any]) -> Pad:
    return Pad(page(LINK))


def test_a_stroke_by_mouse_changes_the_prediction_and_clear_takes_it_back(pad: Pad) -> None:
    of_test_image = pad.softmax()
    assert abs(sum(of_test_image) - 1) < 1e-4 and pad.ink() == 0
    pad.draw(STROKE)
    pad.wait(lambda: pad.softmax() != of_test_image, "another prediction")
    pad.wait(lambda: "your digit" in pad.board.said(), "the narrator speaks of the drawing")
    one = pad.settled()
    pad.draw(HOOK)
    pad.wait(lambda: pad.softmax() != one, "the second stroke counts too")
    pad.board.press("Undo")
    pad.wait(lambda: pad.softmax() == one, "the prediction of one stroke again")
    pad.board.choose("stages", "Centre by mass")
    pad.board.choose("stages", "Crop")
    pad.wait(lambda: pad.softmax() != one, "a stage less")
    pad.board.press("Clear")
    pad.wait(lambda: pad.softmax() == of_test_image, "the test image again")
    assert pad.ink() == 0


def test_the_prediction_follows_while_it_trains_and_a_digit_is_turned_into_another(pad: Pad) -> None:
    pad.draw(STROKE)
    pad.wait(lambda: "your digit" in pad.board.said(), "the drawing is looked at")
    before = pad.softmax()
    pad.board.play()
    pad.wait(lambda: pad.softmax() != before, "a prediction of later weights")
    pad.wait(lambda: pad.board.state == "done", "an epoch of 500 images")
    pad.board.open_chart("attack")
    target = pad.page.get_by_role("slider", name="Target digit:")
    target.focus()
    target.press("ArrowLeft")  # into a 7
    drawn = "document.querySelector('[data-chart=attack]').data?.some((trace) => trace.name === 'After') ?? false"
    pad.wait(lambda: pad.board.page.evaluate(drawn), "the attack is drawn")
    pad.wait(lambda: pad.board.trace("attack", "After")["y"][7] > pad.board.trace("attack", "Before")["y"][7], "a 7")


def test_the_keyboard_draws(pad: Pad) -> None:
    before = pad.softmax()
    pad.canvas.focus()
    keys = pad.page.keyboard
    for _ in range(10):
        keys.press("ArrowUp")
    assert pad.ink() == 0, "the pen is up"
    keys.press("Space")
    for _ in range(15):
        keys.press("ArrowDown")
    keys.press("Space")
    drawn = pad.ink()
    assert drawn > 5_000 and pad.board.state != "playing", "the space is the pen's, not the player's"
    keys.press("ArrowLeft")
    assert pad.ink() == drawn
    pad.wait(lambda: pad.softmax() != before, "another prediction")
    keys.press("Backspace")
    assert pad.ink() == 0
    pad.wait(lambda: pad.softmax() == before, "the test image again")


def test_a_picture_is_uploaded(pad: Pad) -> None:
    from PIL import Image, ImageDraw

    image = Image.new("L", (400, 500), 210)
    ImageDraw.Draw(image).line([(120, 100), (280, 100), (180, 400)], fill=40, width=26)
    file = io.BytesIO()
    image.save(file, "JPEG")
    before = pad.softmax()
    pad.board.drawer()
    pad.page.locator(".st-key-drawer summary", has_text="Upload a digit").click()
    field = pad.page.locator('input[type="file"]').first
    field.wait_for(state="attached", timeout=1000 * PATIENCE)
    field.set_input_files({"name": "seven.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()})
    pad.page.get_by_text("The picture is in use.").wait_for(timeout=1000 * PATIENCE)
    pad.wait(lambda: pad.softmax() != before, "the prediction of the picture")
    field.set_input_files({"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG broken"})
    pad.page.get_by_text("This PNG or JPEG file cannot be read.").wait_for(timeout=1000 * PATIENCE)


def test_the_chart_beside_the_pad_is_in_its_card_after_full_screen_and_on_a_phone(page: Callable[..., Any]) -> None:
    ends = (
        "() => ['.card', '.plot'].map((part) => document.querySelector(`.hero ${part}`).getBoundingClientRect().bottom)"
    )
    tab = page(f"{LINK}&cnn_try=draw")
    board = Board(tab.page).ready()
    board.choose("drawn", "Full screen")
    board.until(lambda: tab.page.evaluate("document.fullscreenElement !== null"), "full screen")
    tab.page.evaluate("document.exitFullscreen()")
    board.until(lambda: tab.page.evaluate("document.fullscreenElement === null"), "the page again")
    for size in ((1280, 700), (390, 844)):
        tab.page.set_viewport_size({"width": size[0], "height": size[1]})
        board.until(lambda: operator.ge(*tab.page.evaluate(ends)), f"the plot ends in its card at {size}")
