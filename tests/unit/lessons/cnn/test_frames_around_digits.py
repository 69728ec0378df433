"""A digit is read inside what a screenshot or a photograph shows around it: frames, a table, holes, words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from playground.lessons.cnn.drawing import light
from playground.lessons.cnn.drawing.drawing import PadDrawing
from playground.lessons.cnn.drawing.preprocessing import stages
from playground.lessons.cnn.drawing.uploads import read
from tests.unit.lessons.cnn.test_photographs import WANTED, saved, seven

WIDE, HIGH = seven("L", 255, 0).size


def framed(image: Image.Image, colour: int, *, top: int, side: int) -> Image.Image:
    frame = Image.new("L", (WIDE + 2 * side, HIGH + 2 * top), colour)
    frame.paste(image, (side, top))
    return frame


def window(image: Image.Image) -> Image.Image:
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDE, 28), fill=205)
    draw.rectangle((0, 0, WIDE - 1, HIGH - 1), outline=90, width=2)
    return image


def on_a_table(image: Image.Image) -> Image.Image:
    """The paper photographed at an angle on darker wood, under uneven light."""
    wide, high = WIDE + 160, HIGH + 140
    corners = (-70, -60, -60, HIGH + 75, WIDE + 95, HIGH + 60, WIDE + 70, -85)
    paper = image.transform((wide, high), Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    is_paper = Image.new("L", image.size, 255).transform((wide, high), Image.Transform.QUAD, corners)
    generator = np.random.default_rng(0)
    wood = 90 + 8 * np.sin(np.arange(high) / 7)[:, None] + generator.normal(0, 5, (high, wide))
    seen = np.where(np.asarray(is_paper) > 127, np.asarray(paper) * 0.92, wood) * np.linspace(0.7, 1.05, wide)
    return Image.fromarray((seen + generator.normal(0, 3, seen.shape)).clip(0, 255).astype(np.uint8))


def with_holes(image: Image.Image) -> Image.Image:
    shaded = np.asarray(image) * np.linspace(0.7, 0.95, WIDE)
    punched = Image.fromarray(shaded.astype(np.uint8))
    for y in (90, HIGH - 120):
        ImageDraw.Draw(punched).ellipse((4, y, 26, y + 22), fill=40)
    return punched


def with_words(image: Image.Image) -> Image.Image:
    grown = Image.new("L", (WIDE, HIGH + 60), 255)
    grown.paste(image)
    ImageDraw.Draw(grown).text((30, HIGH + 20), "my digit", fill=0, font_size=24)
    return grown


AROUND: dict[str, Callable[[Image.Image], Image.Image]] = {
    "a black frame": lambda image: framed(image, 0, top=4, side=4),
    "a window": window,
    "bars above and below": lambda image: framed(image, 0, top=90, side=0),
    "bars at the sides": lambda image: framed(image, 0, top=0, side=90),
    "a figure's margins": lambda image: framed(image, 140, top=60, side=110),
    "a table": on_a_table,
    "holes": with_holes,
    "words": with_words,
}


@pytest.mark.parametrize("around", AROUND)
def test_what_is_around_the_paper_is_not_ink(around: str) -> None:
    found = stages(read(saved(AROUND[around](seven("L", 255, 0)))))[-1].image
    assert np.abs(found - WANTED).mean() < (0.07 if around == "a table" else 0.03)


def test_white_ink_in_a_light_frame_is_read_too() -> None:
    found = stages(read(saved(framed(seven("L", 30, 240), 255, top=50, side=70))))[-1].image
    assert np.abs(found - WANTED).mean() < 0.03


def test_lines_of_the_digit_are_no_frame() -> None:
    bars = np.ones((100, 80), np.float32)
    bars[10:20, 8:72] = bars[80:90, 8:72] = 0
    assert light.without_frame(bars).shape == bars.shape, "ink in front of paper on all sides"
    ruled = np.ones((200, 150), np.float32)
    ruled[::20] = 0.7
    assert light.without_frame(ruled[5:]).shape == ruled[5:].shape, "ruled paper has the same level outside"
    assert light.without_frame(np.zeros((28, 28), np.float32)).shape == (28, 28)


def test_a_digit_in_two_pieces_keeps_both() -> None:
    image = Image.new("L", (200, 240), 255)
    ImageDraw.Draw(image).rectangle((50, 60, 70, 200), fill=0)
    ImageDraw.Draw(image).rectangle((85, 60, 150, 72), fill=30)
    bilevel = next(each for each in stages(np.asarray(image)) if each.name == "bilevel").image
    assert bilevel[65, 100] == 1 and bilevel[100, 60] == 1


def test_every_pixel_of_the_pad_is_meant() -> None:
    ink = np.zeros((128, 128), np.uint8)
    ink[40:90, 60:66], ink[3:5, 3:5] = 255, 255
    drawing = PadDrawing(grey=255 - ink)
    bilevel = next(each for each in drawing.stages_of(ink, own=True) if each.name == "bilevel").image
    assert bilevel[3, 3] == 1
