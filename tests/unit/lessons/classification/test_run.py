"""Classification: its clouds, its surgery on a running model, and that it is the tutorial's, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.engine.commands import read_command
from playground.engine.frames import changes
from playground.experiments import Experiment, experiments
from playground.figures import fields
from playground.lessons.classification import clouds
from playground.lessons.classification.config import INPUTS, ClassificationConfig, build_model, inputs_of
from playground.lessons.classification.lesson import LESSON, build
from playground.lessons.classification.predictions import PLANE, REACH, TALL, UNIT_SIDE, WIDE, small_maps
from playground.lessons.classification.run import ClassificationRun
from playground.settings import Settings
from playground.training import models
from tests.unit.plotly_check import assert_plotly_takes

CHARTS = [chart.name for chart in LESSON.charts]
OPTIONS = {toggle.name: True for chart in LESSON.charts for toggle in chart.toggles}
CIRCLE = ClassificationConfig(
    cloud="circle", noise=0.4, layers=1, units_1=4, activation="tanh", lr=0.1, batch_size=10, max_steps=0
)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def trained(config: ClassificationConfig, steps: int) -> ClassificationRun:
    run = build(config)
    while run.steps < steps and not run.outcome:
        run.step()
    return run


def assert_drawable(run: ClassificationRun) -> None:
    for options in ({}, OPTIONS):
        drawing = run.draw(CHARTS, options)
        assert set(drawing.charts) == set(CHARTS)
        for figure in drawing.charts.values():
            assert_plotly_takes(figure)
        assert drawing.note.endswith((".", "!"))
        assert drawing.status.keys() == LESSON.status.keys() - {"steps_per_second"}


# Clouds.


@pytest.mark.parametrize("name", clouds.CLOUDS)
@pytest.mark.parametrize("classes", range(2, clouds.MAX_CLASSES + 1))
def test_every_cloud_has_its_points_in_every_class_and_inside_the_plane(name: str, classes: int) -> None:
    made = clouds.labelled_points(name, 60, classes, 0.4, 0.5, seeded())
    count = clouds.class_count(name, classes)
    assert count in clouds.CLOUDS[name].classes
    assert made.y_train.bincount().tolist() == [60] * count
    assert made.y_test.bincount().tolist() == [30] * count
    assert made.x_train.shape == (60 * count, 2) and made.x_train.dtype == torch.float32
    assert made.x_train.abs().max() < clouds.MAP_END
    again = clouds.labelled_points(name, 60, classes, 0.4, 0.5, seeded())
    assert torch.equal(made.x_train, again.x_train) and torch.equal(made.x_test, again.x_test)


def test_blobs_are_the_tutorials() -> None:
    made = clouds.labelled_points("blobs", 5_000, 2, 1.0, 0.0, seeded())
    for label, centre in ((0, 2.0), (1, -2.0)):
        mine = made.x_train[made.y_train == label]
        assert mine.mean(dim=0).tolist() == pytest.approx([centre, centre], abs=0.06)
        assert mine.std(dim=0).tolist() == pytest.approx([1.0, 1.0], abs=0.04)


@pytest.mark.parametrize("name", [name for name in clouds.CLOUDS if name != "blobs"])
def test_without_noise_a_nearest_neighbour_tells_the_classes_apart(name: str) -> None:
    made = clouds.labelled_points(name, 300, 2, 0.0, 0.5, seeded())
    nearest = torch.cdist(made.x_test, made.x_train).argmin(dim=1)
    assert (made.y_train[nearest] == made.y_test).float().mean() > 0.98


# Training.


def test_default_is_the_tutorials_training_bit_for_bit() -> None:
    config = ClassificationConfig()
    run = trained(config, 1_000)
    assert run.steps == 100 and run.outcome == "done"
    start, data = build_model(config), run.data
    net = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))
    net.load_state_dict(start.state_dict())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    loss_func = nn.CrossEntropyLoss()
    for _ in range(100):
        out = net(data.x_train)
        loss = loss_func(out, data.y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for mine, bare in zip(run.model.parameters(), net.parameters(), strict=True):
        assert torch.equal(mine, bare)
    assert len(data.x_train) == 200
    assert run.draw([], {}).status["accuracy"] > 0.97


@pytest.mark.parametrize("experiment", experiments(LESSON), ids=lambda experiment: experiment.id)
def test_every_experiment_learns_more_than_guessing(experiment: Experiment) -> None:
    config = experiment.config
    assert isinstance(config, ClassificationConfig)
    run = trained(config, 1_500)
    assert run.draw([], {}).status["accuracy"] > 1 / config.outputs + 0.15
    assert_drawable(run)


def test_same_config_and_seed_give_the_same_weights_in_slices_and_watched() -> None:
    config = CIRCLE.with_values(dropout=0.3)
    one, other = trained(config, 60), build(config)
    while other.steps < 60:
        other.advance(10.0, min(7, 60 - other.steps))
        other.draw(CHARTS, {})
    for a, b in zip(one.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(a, b)


def values_of(name: str) -> list[Any]:
    spec = ClassificationConfig.knobs()[name]
    if spec.many:
        return ["x2", ",".join(INPUTS)]
    if spec.options is not None:
        return list(spec.options)
    kind = type(spec.default)
    return [kind(spec.lo), kind(spec.hi)]


@pytest.mark.in_turns
@pytest.mark.parametrize("name", ClassificationConfig.knobs())
def test_every_knob_moved_alone_builds_advances_and_draws(name: str) -> None:
    for value in values_of(name):
        config = ClassificationConfig(layers=2, max_steps=50).with_values(**{name: value})
        assert_drawable(trained(config, 3))


@pytest.mark.in_turns
@pytest.mark.parametrize("name", [name for name, spec in ClassificationConfig.knobs().items() if spec.live])
def test_every_live_knob_changed_on_a_running_model_keeps_its_steps_and_leaves_a_mark(name: str) -> None:
    for value in values_of(name):
        run = trained(CIRCLE.with_values(layers=2), 20)
        after = run.config.with_values(**{name: value})
        if after == run.config:
            continue
        run.tune(after)
        assert run.steps == 20
        assert run.marks[-1][0] == 20
        assert_drawable(run)
        run.advance(10.0, 5)
        assert run.steps > 20
        assert_drawable(run)


def test_a_weight_that_is_no_number_ends_the_run_with_a_sentence() -> None:
    run = trained(CIRCLE, 20)
    with torch.no_grad():
        models.linears(run.model)[0].weight[0, 0] = torch.nan
    run.advance(10.0, 5)
    assert run.outcome == "failed"
    assert run.draw([], {}).note.startswith("Diverged at step 21")
    assert_drawable(run)


def test_too_many_points_are_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="at most 100 are allowed"):
        build(ClassificationConfig(), Settings(max_points=100))


# Surgery.


def test_a_unit_more_leaves_every_other_weight_where_it_was() -> None:
    run = trained(CIRCLE, 50)
    first, last = (layer.weight.detach().clone() for layer in models.linears(run.model))
    run.tune(run.config.with_values(units_1=run.config.units_1 + 1))
    new_first, new_last = (layer.weight for layer in models.linears(run.model))
    assert torch.equal(new_first[:-1], first)
    assert torch.equal(new_last[:, :-1], last)


def test_an_input_more_leaves_the_columns_of_the_others_where_they_were() -> None:
    run = trained(CIRCLE, 50)
    before = models.linears(run.model)[0].weight.detach().clone()
    run.tune(run.config.with_values(inputs="x1,x2,x1^2,sin x2"))
    after = models.linears(run.model)[0].weight
    assert torch.equal(after[:, :2], before)
    run.tune(run.config.with_values(inputs="x2,sin x2"))
    assert torch.equal(models.linears(run.model)[0].weight[:, 0], before[:, 1])


def test_a_layer_more_leaves_the_layers_before_it_where_they_were() -> None:
    run = trained(CIRCLE.with_values(layers=2), 50)
    first, second, _ = (layer.weight.detach().clone() for layer in models.linears(run.model))
    run.tune(run.config.with_values(layers=3))
    assert torch.equal(models.linears(run.model)[0].weight, first)
    assert torch.equal(models.linears(run.model)[1].weight, second)
    assert run.parameter_count == models.count_parameters(run.model)


def test_no_layer_at_all_and_back_can_be_trained() -> None:
    run = trained(CIRCLE, 20)
    for layers in (0, 3, 0, 1):
        run.tune(run.config.with_values(layers=layers))
        run.advance(10.0, 5)
        assert_drawable(run)


def test_looking_back_across_surgery_shows_what_was_shown_then() -> None:
    run = build(CIRCLE)
    shown = {}
    changes = {10: {"units_1": 6}, 20: {"layers": 2}, 30: {"inputs": "x1,x2,x1x2"}, 40: {"activation": "relu"}}
    for step in range(50):
        run.tune(run.config.with_values(**changes.get(step, {})))
        run.step()
        shown[run.steps] = run.draw(["map"], {})
    for index, snapshot in enumerate(run.snapshots.kept[1:], start=1):
        run.apply(read_command({"do": "scrub", "to": index}))
        again = run.draw(["map"], {})
        assert again.status == shown[snapshot.steps].status
        assert np.array_equal(
            again.charts["map"]["maps"]["values"], shown[snapshot.steps].charts["map"]["maps"]["values"]
        )


def test_looking_back_after_classes_were_added_can_be_drawn() -> None:
    run = trained(ClassificationConfig(max_steps=0), 10)
    run.tune(run.config.with_values(classes=5))
    run.advance(10.0, 5)
    for index in range(len(run.snapshots.kept)):
        run.apply(read_command({"do": "scrub", "to": index}))
        assert_drawable(run)


# Points.


def test_a_click_adds_a_point_of_the_chosen_class_and_undo_takes_it_back() -> None:
    run = build(CIRCLE.with_values(brush=1))
    run.apply(read_command({"do": "add", "x": 0.5, "y": -0.5}))
    assert len(run.data.x_train) == 201
    assert run.data.x_train[-1].tolist() == [0.5, -0.5] and run.data.y_train[-1] == 1
    run.apply(read_command({"do": "remove", "x": 0.5, "y": -0.5}))
    assert len(run.data.x_train) == 200
    run.apply(read_command({"do": "undo"}))
    assert len(run.data.x_train) == 201
    run.advance(10.0, 5)
    assert_drawable(run)
    assert len(run.rebuilt(run.config).data.x_train) == 201, "Reset keeps the student's points"


@pytest.mark.parametrize(
    "command", [{"do": "add"}, {"do": "add", "x": "1", "y": 1}, {"do": "add", "x": 1e9, "y": 0}, {"do": "x"}]
)
def test_a_point_that_is_none_gets_a_sentence_and_changes_nothing(command: dict[str, Any]) -> None:
    run = build(CIRCLE)
    with pytest.raises(ValueError, match=r"\.$"):
        run.apply(read_command(command))
    assert len(run.data.x_train) == 200 and run.marks == []


# What is drawn.


def test_the_map_is_what_the_model_says_of_each_pixel() -> None:
    run = trained(CIRCLE, 300)
    pixels = run.draw(["map"], {}).charts["map"]["maps"]["values"]
    with torch.no_grad():
        shares = run.model(inputs_of(run.config, PLANE)).softmax(dim=1)
    assert np.array_equal(pixels // fields.LEVELS, shares.argmax(dim=1).numpy())
    sure = 2 * (shares.max(dim=1).values.numpy() - 0.5)
    assert np.abs(pixels % fields.LEVELS / (fields.LEVELS - 1) - sure).max() < 0.011


def test_the_planes_pixels_go_from_the_top_left_in_rows() -> None:
    assert PLANE.shape == (WIDE * TALL, 2)
    right, top = REACH
    assert PLANE[0].tolist() == pytest.approx([-right + 0.1, top - 0.1])
    assert PLANE[1].tolist() == pytest.approx([-right + 0.3, top - 0.1])
    assert PLANE[WIDE].tolist() == pytest.approx([-right + 0.1, top - 0.3])
    assert torch.equal(PLANE.abs().amax(dim=0), torch.tensor([right, top]) - 0.1)


def test_the_map_reaches_beyond_what_a_wide_or_a_high_place_shows() -> None:
    right, top = REACH
    assert right / clouds.MAP_END > 1366 / 657 and top / clouds.MAP_END > 470 / 400


def test_small_maps_show_the_middle_of_the_plane() -> None:
    x1, x2 = small_maps(PLANE).reshape(2, UNIT_SIDE, UNIT_SIDE)
    step = 2 * clouds.MAP_END / UNIT_SIDE
    assert x1[0].tolist() == pytest.approx([x1[0, 0] + step * at for at in range(UNIT_SIDE)], abs=1e-5)
    assert x2[:, 0].tolist() == pytest.approx([x2[0, 0] - step * at for at in range(UNIT_SIDE)], abs=1e-5)
    assert -clouds.MAP_END < x1.min() < step - clouds.MAP_END and clouds.MAP_END - step < x2.max() < clouds.MAP_END


def test_discrete_pixels_keep_the_class_and_are_all_sure() -> None:
    shares = np.array([[0.2, 0.5, 0.9], [0.8, 0.5, 0.1]])
    assert (fields.class_bytes(shares) // fields.LEVELS).tolist() == [1, 0, 0]
    assert (fields.class_bytes(shares, discrete=True) % fields.LEVELS).tolist() == [fields.LEVELS - 1] * 3


def test_signed_bytes_put_zero_in_the_middle_and_take_what_is_no_number() -> None:
    values = np.array([[-2.0, 0.0, 2.0], [0.0, 0.0, 0.0], [np.nan, 1.0, np.inf]])
    assert fields.signed_bytes(values)[:2].tolist() == [[1, 128, 255], [128, 128, 128]]
    assert fields.signed_bytes(values)[2].tolist() == [128, 128, 128]


def test_every_input_and_hidden_unit_has_a_small_map_in_its_place() -> None:
    run = build(CIRCLE.with_values(layers=3, inputs="x1,x2,sin x1"))
    figure = run.draw(["network"], {}).charts["network"]
    maps, units = figure["maps"], 3 + sum(run.config.widths)
    assert len(maps["values"]) == units * maps["side"] ** 2
    assert len(maps["boxes"]) == 4 * units
    middles = maps["boxes"].reshape(-1, 4)[:, [0, 2]] + np.diff(maps["boxes"].reshape(-1, 2, 2))[:, :, 0] / 2
    markers = figure["data"][-1]
    assert np.allclose(middles, np.stack([markers["x"], markers["y"]], axis=1)[:units], atol=1e-6)


def test_the_network_has_a_picture_of_its_points_and_of_what_can_be_chosen_and_sends_them_once() -> None:
    run = trained(CIRCLE, 3)
    meta = run.draw(["network"], {}).charts["network"]["layout"]["meta"]["network"]
    assert meta["data"].keys() == clouds.CLOUDS.keys() and meta["inputs"].keys() == INPUTS.keys()
    for picture in (meta["points"], *meta["data"].values()):
        assert len(picture["x"]) == len(picture["y"]) == len(picture["class"]) > 50
    before = run.draw(["network"], {}).charts["network"]
    run.step()
    assert not any(path[0] == "layout" for path, _ in changes(before, run.draw(["network"], {}).charts["network"]))
    run.tune(run.config.with_values(cloud="xor"))
    after = run.draw(["network"], {}).charts["network"]["layout"]["meta"]["network"]
    assert not np.array_equal(after["points"]["x"], meta["points"]["x"]), "the points are other ones"


def test_confusion_counts_every_test_point_once() -> None:
    run = trained(CIRCLE, 50)
    cells = run.draw(["confusion"], {}).charts["confusion"]["data"][0]
    assert sum(int(text) for row in cells["text"] for text in row) == len(run.data.x_test)


def test_dropout_drops_its_share_in_training_and_nothing_when_drawing() -> None:
    dropout = models.Dropout(0.5, seeded())
    x = torch.ones(1_000, 10)
    dropped = dropout(x)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.5, abs=0.03)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    with torch.no_grad():
        assert torch.equal(dropout(x), x)


@pytest.mark.parametrize(("share", "title"), [(0.5, "Predicted class (100 test points)"),
                                              (0.0, "Predicted class (200 training points)")])  # fmt: skip
def test_the_confusion_matrix_says_of_which_points_it_is(share: float, title: str) -> None:
    run = build(ClassificationConfig(test_share=share))
    assert run.draw(["confusion"], {}).charts["confusion"]["layout"]["xaxis"]["title"]["text"] == title


def test_l1_brings_most_weights_within_one_step_of_zero_and_none_to_exactly_zero() -> None:
    config = ClassificationConfig(l1=0.03, lr=0.1, max_steps=0)
    run = build(config)
    for _ in range(1500):
        run.step()
    weights = torch.cat([layer.weight.detach().ravel() for layer in models.linears(run.model)]).abs()
    near = int((weights <= 1.01 * config.lr * config.l1).sum())
    assert near >= 0.7 * len(weights) and not (weights == 0).any()
    assert "not at exactly 0" in config.knobs()["l1"].help
