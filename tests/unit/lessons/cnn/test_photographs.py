"""Photographs under uneven light are read about as well as clean ones; no kind of picture loses its ink."""

from __future__ import annotations

import base64
import io
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import nn

from playground import mnist
from playground.lessons.cnn.drawing import light
from playground.lessons.cnn.drawing.drawing import PadDrawing
from playground.lessons.cnn.drawing.preprocessing import Switches, stages
from playground.lessons.cnn.drawing.uploads import read

SIDE, DIGIT = 200, 120  # pixels of a photograph, and of the digit in it
PICTURES = 20
LIGHTS = ("gradient", "shadow", "vignette", "dark corner")


def illumination(kind: str) -> np.ndarray:
    """How bright the light is at each pixel, from 0 to 1."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    across = (x - 0.5) * 0.8 + (y - 0.5) * 0.6
    if kind == "shadow":
        return 0.4 + 0.6 / (1 + np.exp(-60 * (across + 0.05)))
    if kind == "gradient":
        return 0.62 + 0.55 * across
    if kind == "vignette":
        return 1 - 1.1 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    return 0.25 + 0.75 * x * y if kind == "dark corner" else np.ones_like(x)


def photograph(digit: np.ndarray, kind: str, seed: int, *, paper: float = 0.85, ink: float = 0.2) -> bytes:
    """A digit, (28, 28) of 0 to 255, on paper under some light, with a camera's noise, as JPEG."""
    generator = np.random.default_rng(seed)
    large = np.asarray(Image.fromarray(digit).resize((DIGIT, DIGIT), Image.Resampling.BICUBIC)) / 255
    covered = np.zeros((SIDE, SIDE))
    top, left = generator.integers(10, SIDE - DIGIT - 10, 2)
    covered[top : top + DIGIT, left : left + DIGIT] = ((large - 0.35) / 0.3).clip(0, 1)
    seen = (paper + (ink - paper) * covered) * illumination(kind)
    pixels = (255 * seen + generator.normal(0, 5, seen.shape)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(file, "JPEG", quality=80)
    return file.getvalue()


@cache
def model() -> nn.Sequential:
    """A small CNN, trained on the first 1,500 training images of this machine's digits."""
    x, y, *_ = mnist.load().tensors()
    images, labels = (x[:1_500] / 255).unsqueeze(1), y[:1_500]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trained = nn.Sequential(
            nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5, padding=2), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(784, 10),
        )  # fmt: skip
        optimizer = torch.optim.Adam(trained.parameters(), lr=0.003)
        for _ in range(6):
            for batch in torch.randperm(len(images)).split(50):
                optimizer.zero_grad()
                nn.functional.cross_entropy(trained(images[batch]), labels[batch]).backward()
                optimizer.step()
    return trained.eval()


def right(pictures: list[bytes], labels: Any, **switched: bool) -> int:
    inputs = np.stack([stages(read(each), Switches(**switched))[-1].image for each in pictures])
    reader = model()
    with torch.no_grad():
        predicted = reader(torch.from_numpy(inputs).unsqueeze(1)).argmax(dim=1)
    return int((predicted.numpy() == labels).sum())


def taken(kind: str, **colours: float) -> list[bytes]:
    return [photograph(each, kind, at, **colours) for at, each in enumerate(mnist.load().test_images[:PICTURES])]


@pytest.mark.parametrize("kind", LIGHTS)
def test_uneven_light_costs_hardly_a_digit(kind: str) -> None:
    labels = mnist.load().test_labels[:PICTURES]
    clean, uneven = right(taken("even"), labels), right(taken(kind), labels)
    assert clean >= 0.8 * PICTURES, "the model reads most clean ones"
    assert uneven >= clean - 2, f"{uneven} of {clean}"
    assert right(taken(kind)[:10], labels[:10], flatten=False) <= 6, "without the stage most are lost"


@pytest.mark.parametrize("kind", ["gradient", "shadow"])
def test_light_ink_on_dark_paper_under_uneven_light_is_read_too(kind: str) -> None:
    labels = mnist.load().test_labels[:PICTURES]
    assert right(taken(kind, paper=0.15, ink=0.9), labels) >= right(taken("even"), labels) - 3


def test_the_stage_is_shown_for_a_photograph_and_can_be_switched_off() -> None:
    drawing = PadDrawing()
    drawing.use_picture(read(taken("shadow")[0]))
    shown = drawing.stages_of(np.zeros((28, 28), np.float32), own=True)
    assert [each.name for each in shown][:3] == ["given", "flattened", "inverted"]
    paper = [np.quantile(each.image, (0.25, 0.9)) for each in shown[:2]]
    assert paper[0][1] - paper[0][0] > 0.3 and paper[1][1] - paper[1][0] < 0.1, "the shadow is gone"
    assert drawing.stages_of(np.zeros((28, 28), np.float32), own=True) is shown, "computed once"
    drawing.switch({"flatten": False})
    assert np.array_equal(*(each.image for each in drawing.stages_of(shown[0].image, own=True)[:2]))
    assert "flattened" not in [each.name for each in stages(mnist.load().test_images[0])]


# Kinds of pictures.


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def seven(mode: str, ground: Any, ink: Any, *, margin: int = 60) -> Image.Image:
    image = Image.new(mode, (240 + 2 * margin, 280 + 2 * margin), ground)
    corners = [(margin + 20, margin + 20), (margin + 220, margin + 20), (margin + 90, margin + 260)]
    ImageDraw.Draw(image).line(corners, fill=ink, width=34, joint="curve")
    return image


WANTED = stages(read(saved(seven("L", 255, 0))))[-1].image
CLEAR = (0, 0, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        saved(seven("RGBA", CLEAR, (255, 255, 255, 255))),
        saved(seven("RGBA", (255, 255, 255, 0), (255, 255, 255, 255))),
        saved(seven("RGBA", CLEAR, (0, 0, 0, 255))),
        saved(seven("RGBA", CLEAR, (128, 128, 128, 255))),
        saved(seven("RGBA", CLEAR, (200, 30, 30, 255))),
        saved(seven("LA", (0, 0), (255, 255))),
        saved(seven("LA", (255, 0), (90, 200))),
        saved(seven("P", 0, 1), transparency=0),
        saved(seven("L", 0, 255)),
        saved(seven("L", 255, 240)),
        saved(seven("1", 1, 0)),
        saved(seven("RGB", (255, 255, 255), (255, 255, 0))),
        saved(seven("RGB", (240, 220, 120), (60, 60, 200))),
        saved(seven("RGB", (20, 90, 40), (250, 250, 240))),
        saved(seven("CMYK", (0, 0, 0, 0), (0, 0, 0, 255)), "JPEG", quality=95),
        saved(seven("L", 255, 0, margin=-3)),
        saved(seven("L", 0, 255, margin=-3)),
        saved(seven("L", 230, 30, margin=600)),
        saved(Image.fromarray(np.asarray(seven("L", 255, 0)).astype(np.uint16) * 16)),
        saved(seven("L", 255, 0), save_all=True, append_images=[seven("L", 0, 255)]),
    ],
    ids=["white on transparent", "white on transparent white", "black on transparent", "grey on transparent",
         "red on transparent", "white LA", "half transparent LA", "palette", "white on black", "pale", "bilevel",
         "yellow on white", "coloured paper", "blackboard", "CMYK", "cut at the ink", "cut at white ink", "small in it",
         "12 of 16 bits", "animated"],
)  # fmt: skip
def test_every_kind_of_picture_gives_the_same_digit(content: bytes) -> None:
    found = stages(read(content))[-1].image
    assert np.abs(found - WANTED).mean() < 0.03, np.abs(found - WANTED).mean()


def test_a_cut_out_of_a_scan_keeps_its_paper() -> None:
    scan = seven("RGBA", (225, 225, 225, 255), (30, 30, 30, 255))
    scan.putalpha(Image.new("L", scan.size, 255))
    ImageDraw.Draw(scan).polygon([(0, 0), (40, 0), (0, 40)], fill=CLEAR)
    assert np.abs(stages(read(saved(scan)))[-1].image - WANTED).mean() < 0.03


def test_specks_and_printed_lines_do_not_count_as_ink() -> None:
    picture = np.asarray(seven("L", 225, 30)).astype(float)
    picture *= np.linspace(0.7, 1, picture.shape[1])
    picture[::30] *= 0.8
    for row, column in ((5, 5), (380, 300), (200, 330)):
        picture[row : row + 3, column : column + 3] = 20
    picture[:, :14] = 25  # the table beside the paper
    found = stages(read(saved(Image.fromarray(picture.clip(0, 255).astype(np.uint8)))))[-1].image
    assert np.abs(found - WANTED).mean() < 0.03


def test_maxima_and_means_over_windows_are_those_of_a_loop() -> None:
    image = np.random.default_rng(0).random((9, 12))
    padded = np.pad(image, 2, "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
    assert np.array_equal(light._maxima(image, 5), windows.max(axis=(2, 3)))
    assert np.allclose(light._mean(image, 5), windows.mean(axis=(2, 3)))


def test_pieces_are_joined_at_corners_and_across_rows() -> None:
    ink = np.array([[1, 0, 1, 0, 0], [1, 0, 1, 0, 1], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 1]], bool)
    labels, sizes = light._pieces(ink)
    assert sorted(sizes[sizes > 0].tolist()) == [1, 2, 5, 17] and labels[0, 0] == labels[0, 2] != labels[1, 4]


def test_a_drawing_is_dark_on_white_until_it_is_inverted() -> None:
    bits = np.zeros((128, 128), np.uint8)
    bits[20:100, 60:70] = 1
    drawing, text = PadDrawing(), base64.b64encode(np.packbits(bits).tobytes()).decode()
    drawn = drawing.draw(text)
    assert drawn is not None
    given, inverted, *_, placed = drawing.stages_of(np.zeros((28, 28), np.float32), own=True)
    assert np.array_equal(given.image, 1 - inverted.image) and np.array_equal(inverted.image, bits)
    assert np.array_equal(placed.image, stages(bits * np.uint8(255))[-1].image), "the input is the same"
    empty = drawing.draw(base64.b64encode(bytes(2048)).decode())
    assert empty is not None and not empty.any()
