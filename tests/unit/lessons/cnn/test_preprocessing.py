"""From a drawing to the model's input: what MNIST's own images must not change, and each stage by hand."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from playground import mnist
from playground.lessons.cnn.drawing.preprocessing import (
    BOX,
    NAMES,
    PAD,
    PAD_BYTES,
    SIDE,
    Switches,
    crop,
    fit,
    is_dark_on_light,
    pad_bits,
    place,
    stages,
    threshold,
)


def bar(top: int, bottom: int, left: int, right: int, side: int = PAD) -> np.ndarray:
    """White ink on black, uint8."""
    image = np.zeros((side, side), np.uint8)
    image[top:bottom, left:right] = 255
    return image


def last(image: np.ndarray, **switched: bool) -> np.ndarray:
    return stages(image, Switches(**switched))[-1].image


def test_an_image_of_mnist_goes_through_unchanged() -> None:
    digits = mnist.load()
    if not digits.real:
        pytest.skip("MNIST is not on this machine")
    for image in digits.test_images[:200]:
        assert np.array_equal(np.rint(255 * last(image, threshold=False)), image)


def test_a_drawing_is_the_same_wherever_and_however_large_it_is_drawn() -> None:
    small, large = last(bar(10, 50, 5, 15)), last(bar(30, 110, 60, 80))
    assert np.array_equal(small, large)
    assert small.shape == (SIDE, SIDE) and small.dtype == np.float32
    assert np.array_equal(np.flatnonzero(small.any(axis=1)), np.arange(4, 24)), "20 pixels long"
    assert small.any(axis=0).sum() == 5, "in proportion: 80 by 20 are 20 by 5"


def test_dark_ink_on_light_paper_gives_the_same() -> None:
    drawing = bar(20, 110, 60, 75)
    paper = (200 - drawing.astype(int) * 150 // 255).astype(np.uint8)  # grey paper, dark grey ink
    assert is_dark_on_light(paper / 255) and not is_dark_on_light(drawing / 255)
    assert np.array_equal(last(paper), last(drawing))
    assert not np.array_equal(last(paper, invert=False), last(drawing))


def test_the_threshold_parts_two_groups_and_a_blank_picture_has_no_ink() -> None:
    shades = np.repeat([0.1, 0.15, 0.7, 0.8], 40).reshape(16, 10)
    assert 0.15 < threshold(shades) < 0.7
    grey = np.full((40, 40), 90, np.uint8)
    assert not last(grey).any()


def test_shrinking_averages_what_each_pixel_covers() -> None:
    image = np.random.default_rng(0).random((40, 24)).astype(np.float32)
    small = fit(image, BOX)
    assert small.shape == (20, 12)
    assert np.allclose(small, image.reshape(20, 2, 12, 2).mean(axis=(1, 3)), atol=1e-6)
    odd = fit(image[:33, :7], BOX)
    assert odd.shape == (20, 4) and abs(odd.mean() - image[:33, :7].mean()) < 1e-6, "the mean stays, whatever the size"


@pytest.mark.parametrize("ink", [[(0, 0)], [(3, 5), (3, 6), (9, 2)], [(0, 0), (19, 19), (19, 18)]])
def test_the_centre_of_mass_comes_nearest_to_pixel_14(ink: list[tuple[int, int]]) -> None:
    image = np.zeros((BOX, BOX), np.float32)
    for at in ink:
        image[at] = 1
    placed = place(image, by_mass=True)
    rows, columns = np.nonzero(placed)
    for mean, before in ((rows.mean(), [row for row, _ in ink]), (columns.mean(), [column for _, column in ink])):
        start = mean - np.mean(before)
        assert 13.5 <= mean < 14.5 or start in (0, SIDE - BOX), "as near as the box stays inside"
    assert placed.sum() == len(ink)


def test_each_stage_can_be_switched_off() -> None:
    drawing = bar(8, 68, 8, 18)
    found = dict(zip(NAMES, [stage.image for stage in stages(drawing)], strict=True))
    assert found["cropped"].shape == (60, 10) and found["scaled"].shape == (20, 3)
    uncropped = last(drawing, crop=False)
    assert uncropped.any(axis=1).sum() < 12, "the whole pad is shrunk into 20 by 20, the digit with it"
    large = last(drawing, fit=False)
    assert large.any(axis=1).sum() == 28
    boxed = last(bar(8, 68, 8, 18) | bar(60, 68, 8, 60), centre=False)
    rows, columns = np.flatnonzero(boxed.any(axis=1)), np.flatnonzero(boxed.any(axis=0))
    assert (rows[0], columns[0]) == (4, (28 - len(columns)) // 2), "the box, not the mass, is in the middle"
    grey = (bar(20, 100, 40, 60) // 2 + bar(20, 60, 40, 60) // 4).astype(np.uint8)
    assert len(np.unique(last(grey, threshold=False))) > 2 and set(np.unique(crop(last(grey)))) <= {0.0, 1.0}


def test_the_pads_bits_are_read_and_anything_else_is_refused() -> None:
    drawing = bar(20, 100, 60, 70)
    text = base64.b64encode(np.packbits(drawing > 0).tobytes()).decode()
    assert len(text) < 4_000, "a message of the stream"
    assert np.array_equal(pad_bits(text), drawing)
    for wrong in ("", text[:-4], text + "AAAA", "*" * len(text), 7, None, [text], base64.b64encode(b"x" * 9).decode()):
        with pytest.raises(ValueError, match=f"{PAD_BYTES:,} bytes in base64"):
            pad_bits(wrong)
