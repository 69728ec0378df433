"""What a wall sees of a run, byte by byte: bounded, and without an effect on the run."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from playground import glance
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.lessons.classification.config import inputs_of
from playground.runs.checksums import checksum
from playground.settings import Settings

MAX_BYTES = 400


def build(name: str, **values: Any) -> Any:
    lesson = LESSONS[name]
    assert isinstance(lesson, LiveLesson)
    return lesson.build(lesson.config(**values), settings=Settings())


def train(run: Any, steps: int) -> Any:
    while run.steps < steps and not run.outcome:
        run.advance(1.0, steps - run.steps)
    return run


def test_a_loss_is_one_byte_on_a_logarithmic_scale() -> None:
    losses = np.array([math.nan, math.inf, 0.0, 1e-6, 1e-9, 1.0, 1e6, 1e9, 0.1], dtype=np.float32)
    codes = [0, 0, 1, 1, 1, 128, 255, 255, 107]
    assert list(glance.loss_bytes(losses)) == codes
    assert list(glance.small_curve(glance.curve_bytes(losses), 9)) == codes


def test_a_curve_has_steps_that_no_screen_shows() -> None:
    losses = 0.3 * 0.999 ** np.arange(40)  # each a thousandth below the one before
    assert len(set(glance.loss_bytes(losses))) == 1, "a level stair"
    codes = np.frombuffer(glance.curve_bytes(losses), "<u2").astype(int)
    assert set(codes[:-1] - codes[1:]) <= {2, 3}, "a line"


def test_values_are_thinned_evenly_and_the_last_one_stays() -> None:
    values = np.arange(1000)
    assert list(glance.thinned(values, 4)) == [0, 333, 666, 999]
    assert list(glance.thinned(values[:3], 4)) == [0, 1, 2]
    assert list(glance.thinned(values[:0], 4)) == []


def test_two_classes_are_sixteen_shades_two_cells_a_byte() -> None:
    second = np.array([0.0, 1.0, 0.5, 0.1] * 64)
    found = glance.map_of_classes(np.stack([1 - second, second], axis=1))
    assert found.kind == "map2"
    assert found.picture == bytes([0x0F, 0x82]) * 64


def test_four_classes_are_three_bits_and_one_for_sure() -> None:
    probabilities = np.tile([[0.0, 0.0, 0.1, 0.9], [0.3, 0.4, 0.2, 0.1]], (128, 1))
    found = glance.map_of_classes(probabilities)
    assert found.kind == "map4"
    assert found.picture == bytes([0x72]) * 128


def test_five_classes_have_a_byte_for_each_cell() -> None:
    probabilities = np.tile([[0.0, 0.0, 0.0, 0.0, 1.0], [0.2, 0.2, 0.2, 0.2, 0.2]], (128, 1))
    found = glance.map_of_classes(probabilities)
    assert found.kind == "map8"
    assert found.picture == bytes([0x4F, 0x00]) * 128


def test_a_fit_race_and_digit_are_the_bytes_that_the_wall_draws() -> None:
    heights = np.array([0.0, 1.0, 0.5, 9.0, -9.0, math.nan])
    assert glance.fit(heights, 0.0, 1.0).picture == bytes([0, 255, 128, 255, 0, 0])
    found = glance.race([np.full(100, 1.0), np.array([10.0, math.inf])])
    assert found.picture == bytes([2, 24]) + bytes([128]) * 24 + bytes([2, 149, 0])
    digit = glance.digit(258, np.array([1.0, 0.5, *[0.0] * 8]))
    assert digit.picture == bytes([2, 1, 255, 128, *[0] * 8])


def test_a_classifiers_map_is_what_it_says_of_each_cell_from_the_lowest_row() -> None:
    run = train(build("classification"), 60)
    found = run.glance(has_picture=True)
    end = 6.0 * 15 / 16  # the centres of 16 cells from -6 to 6
    places = torch.tensor([[x, y] for y in np.linspace(-end, end, 16) for x in np.linspace(-end, end, 16)])
    probabilities = run.model(inputs_of(run.config, places.float())).softmax(dim=1).detach().numpy()
    assert replace(found.miniature, data=b"") == glance.map_of_classes(probabilities)
    assert len(found.miniature.picture) == 128


@pytest.mark.parametrize("name", ["regression", "classification", "optimizers"])
def test_a_glance_is_small_says_the_numbers_and_changes_nothing(name: str) -> None:
    run, other = train(build(name), 40), build(name)
    glances = []
    for step in range(40):
        train(other, step + 1)
        glances.append(other.glance(has_picture=True))
    last = glances[-1]
    assert checksum(run.model.state_dict()) == checksum(other.model.state_dict())
    assert last.step == 40 and math.isfinite(last.loss) and last.rate == run.config.lr
    assert sum(map(len, (last.miniature.picture, last.miniature.data, last.curve))) <= MAX_BYTES
    assert last.curve[-2:] == glance.curve_bytes(np.array([last.loss]))
    assert other.glance(has_picture=False) == run.glance(has_picture=False)
    assert not other.glance(has_picture=False).miniature.picture


def test_points_are_three_bytes_each_and_those_beside_the_picture_are_left_out() -> None:
    x, y = np.array([0.0, 1.0, 0.5, 1.2]), np.array([1.0, 0.0, 0.25, 0.5])
    assert glance.points_in(x, y, np.array([0, 1, 2, 0])) == bytes([0, 255, 0, 255, 0, 1, 128, 64, 2])
    assert len(glance.points_in(np.linspace(0, 1, 500), np.zeros(500))) == 3 * glance.SHOWN_POINTS


@pytest.mark.parametrize("name", ["regression", "classification"])
def test_a_picture_has_points_of_the_data_set_but_none_of_a_students_own_table(name: str) -> None:
    run = build(name)
    shown = run.glance(has_picture=True).miniature.data
    assert 3 * 30 <= len(shown) <= 3 * glance.SHOWN_POINTS
    assert build(name, seed=2).glance(has_picture=True).miniature.data != shown, "of this run"
    run.use_rows(tuple((x / 10, x / 20, x % 2)[: 3 if name == "classification" else 2] for x in range(12)))
    assert run.glance(has_picture=True).miniature.data == b""


def test_a_digit_has_its_image_two_pixels_a_byte() -> None:
    pixels = np.zeros((28, 28))
    pixels[0, :3] = [1.0, 0.2, 0.5]
    assert glance.pixel_bytes(pixels) == bytes([0xF3, 0x80]) + bytes(390)


def test_a_glance_says_whether_a_challenge_is_met() -> None:
    assert build("classification").glance(has_picture=False).challenge == ""
    run = build("classification", cloud="blobs", lr=0.1, least_accuracy=90.0)
    assert run.glance(has_picture=False).challenge == "open"
    assert train(run, 100).glance(has_picture=False).challenge == "met"


def test_a_diverged_run_has_no_picture_and_its_loss_ends_with_zero() -> None:
    run = train(build("regression", lr=10.0, max_steps=0), 500)
    assert run.outcome == "failed"
    found = run.glance(has_picture=True)
    assert found.miniature == glance.Miniature() and found.curve[-1] == 0
