"""A drawing on its way through a run: its commands, what they refuse, and the charts that follow it while it trains."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
import torch

from playground.engine.commands import read_command
from playground.lessons.cnn.charts.shift_test import SHIFTS, ShiftTest, plain_model, shifted
from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.lesson import DRAW, LESSON, build
from playground.lessons.cnn.run import CnnRun
from playground.training.models import count_parameters

CHARTS = [chart.name for chart in LESSON.charts if chart.views[0] == DRAW]
CONFIG = CnnConfig(filters_1=2, filters_2=2, images=200, batch_size=20, epochs=2)


@pytest.fixture
def run() -> CnnRun:
    return build(CONFIG)


def stroke(left: int = 60, right: int = 70) -> str:
    """An upright stroke as the pad sends it."""
    ink = np.zeros((128, 128), np.uint8)
    ink[20:110, left:right] = 1
    return base64.b64encode(np.packbits(ink).tobytes()).decode()


def bars(figure: dict[str, Any], name: str) -> Any:
    return next(trace["y"] for trace in figure["data"] if trace["name"] == name)


def test_a_drawing_becomes_the_image_and_an_empty_pad_goes_back(run: CnnRun) -> None:
    test_image = run.view().predictions.image.clone()
    run.apply(read_command({"do": "draw", "bits": stroke()}))
    drawn = run.draw(CHARTS, {})
    assert list(drawn.charts) == ["drawn"] and run.restless, "the prediction first"
    assert run.draw(CHARTS, {}).charts.keys() == set(CHARTS)
    image = run.view().predictions.image
    assert image[0, 0].any(dim=1).sum() == 20, "as MNIST was made"
    with torch.no_grad():
        probabilities = torch.softmax(run.model(image), dim=1)[0]
    assert np.allclose(bars(drawn.charts["drawn"], "Softmax"), probabilities, atol=1e-6)
    assert "your digit" in drawn.note
    frame = drawn.charts["drawn"]["layout"]
    assert "ticklabelposition" not in frame["yaxis2"], "labels inside hide that of the digit 0 under them"
    assert "Probability" in [note["text"] for note in frame["annotations"]]
    run.apply(read_command({"do": "draw", "bits": None}))
    assert torch.equal(run.view().predictions.image, test_image)


@pytest.mark.parametrize("bits", ["", "AAAA", stroke()[:-4], stroke() + "AAAA", 3, [1], {"a": 1}, "é" * 2732, True])
def test_what_is_not_a_drawing_is_refused_and_changes_nothing(run: CnnRun, bits: Any) -> None:
    run.apply(read_command({"do": "draw", "bits": stroke()}))
    before = run.view().predictions.image.clone()
    with pytest.raises(ValueError, match=r"in base64\.$"):
        run.apply(read_command({"do": "draw", "bits": bits}))
    assert torch.equal(run.view().predictions.image, before)


@pytest.mark.parametrize(
    ("name", "value"),
    [("epsilon", 0.6), ("epsilon", -1), ("epsilon", "0.1"), ("epsilon", float("nan")), ("target", 10), ("target", True),
     ("target", None), ("grey", 1), (None, 1), (["target"], 1)],
)  # fmt: skip
def test_a_slider_takes_numbers_within_its_bounds(run: CnnRun, name: Any, value: Any) -> None:
    before = run.selection.drawing.target, run.selection.drawing.epsilon
    with pytest.raises(ValueError, match=r"\.$"):
        run.apply(read_command({"do": "slide", "name": name, "value": value}))
    assert (run.selection.drawing.target, run.selection.drawing.epsilon) == before


def test_the_sliders_set_the_step_that_fools(run: CnnRun) -> None:
    run.advance(60, 20)
    run.apply(read_command({"do": "draw", "bits": stroke()}))
    run.apply(read_command({"do": "slide", "name": "target", "value": 5}))
    run.apply(read_command({"do": "slide", "name": "epsilon", "value": 0.25}))
    run.draw(["drawn"], {})
    figure = run.draw(["attack"], {}).charts["attack"]
    assert figure["layout"]["meta"]["sliders"] == {"target": 5, "epsilon": 0.25}
    assert bars(figure, "After")[5] > bars(figure, "Before")[5]


def test_a_stage_that_is_switched_off_changes_the_input_at_once(run: CnnRun) -> None:
    run.apply(read_command({"do": "draw", "bits": stroke(10, 20)}))
    run.draw(CHARTS, {})
    whole = run.view().predictions.image.clone()
    run.draw(CHARTS, {"crop": False})
    assert run.view().predictions.image[0, 0].any(dim=1).sum() < 18
    run.draw(CHARTS, {"crop": True})
    assert torch.equal(run.view().predictions.image, whole)


def test_the_drawing_outlives_a_reset_and_the_charts_follow_the_training(run: CnnRun) -> None:
    run.apply(read_command({"do": "draw", "bits": stroke()}))
    before = bars(run.draw(["drawn"], {}).charts["drawn"], "Softmax")
    run.advance(60, 10)
    assert not np.allclose(bars(run.draw(["drawn"], {}).charts["drawn"], "Softmax"), before)
    again = run.rebuilt(CONFIG)
    assert np.allclose(bars(again.draw(["drawn"], {}).charts["drawn"], "Softmax"), before)


def test_frames_come_quickly_while_one_draws(run: CnnRun) -> None:
    slow = run.frame_rate
    run.apply(read_command({"do": "draw", "bits": stroke()}))
    run.draw(["drawn"], {})
    assert run.frame_rate > 2 * slow
    run.drawing_pace.stroke_at -= 2
    run.draw(["drawn"], {})
    assert run.frame_rate == slow


def test_drawing_and_its_charts_leave_the_training_as_it_is() -> None:
    watched, alone = build(CONFIG), build(CONFIG)
    for _ in range(5):
        watched.apply(read_command({"do": "draw", "bits": stroke()}))
        watched.draw(CHARTS, {"shift_test": True})
        watched.advance(60, 2)
        alone.advance(60, 2)
    assert all(torch.equal(a, b) for a, b in zip(watched.model.parameters(), alone.model.parameters(), strict=True))


def test_the_run_asks_for_frames_until_occlusion_and_shift_test_are_done(run: CnnRun) -> None:
    run.advance(60, 15)
    first = run.draw(["shift"], {"shift_test": True}).charts["shift"]["data"][0]["y"]
    sent = first.copy()  # it may have its first place already
    for _ in range(2_000):
        drawing = run.draw(["attention", "shift"], {"shift_test": True})
        if not run.restless:
            break
    right = drawing.charts["shift"]["data"][0]["y"]
    assert np.isfinite(right).all() and right[0] > right[-1], "moved far, fewer are right"
    assert np.isnan(sent).any(), "the test takes more than one frame"
    assert np.array_equal(first, sent, equal_nan=True), "or the next frame has nothing new"
    run.draw(["loss"], {})
    assert not run.restless


def test_the_plain_model_is_as_large_and_trained_alike(run: CnnRun) -> None:
    for parameters in (1_000, 28_938, 200_000):
        plain, hidden = plain_model(parameters, CONFIG)
        assert abs(count_parameters(plain) - parameters) <= 400 and hidden >= 1
    run.advance(60, 12)
    test = ShiftTest(run.frame_context())
    while not test.is_done:
        test.advance(60)
    assert test.trained == 12 and test.accuracies.shape == (2, len(SHIFTS))
    assert test.trainer.batches.batch_size == CONFIG.batch_size
    answers = run.model(test.x / 255).argmax(dim=1).numpy()
    assert abs(test.accuracies[0, 0] - (answers == test.y).mean()) < 1e-6


def test_images_are_moved_by_whole_pixels() -> None:
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert torch.equal(shifted(x, 0, 0), x)
    down = shifted(x, 1, 0)[0, 0]
    assert not down[0].any() and torch.equal(down[1:], x[0, 0, :-1])
    left = shifted(x, 0, -3)[0, 0]
    assert torch.equal(left[:, 0], x[0, 0, :, 3]) and not left[:, 1:].any()


def test_a_picture_becomes_the_image_and_a_blank_one_is_refused(run: CnnRun) -> None:
    picture = np.full((60, 40), 200, np.uint8)
    picture[10:50, 15:20] = 30
    run.use_picture(picture)
    assert run.view().predictions.image[0, 0].any(dim=1).sum() == 20
    with pytest.raises(ValueError, match="This picture is blank"):
        run.use_picture(np.zeros((9, 9), np.uint8))
