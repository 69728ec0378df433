"""The looks inside a classifier: each is worked out a second time here, with NumPy or from the model itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from playground.engine.commands import read_command
from playground.figures import fields
from playground.lessons.classification.config import ClassificationConfig, inputs_of
from playground.lessons.classification.figures import insides
from playground.lessons.classification.figures.forward import BARS
from playground.lessons.classification.lesson import LESSON, build
from playground.lessons.classification.look_inside import INSIDE_SIDE, MAX_DRAWN, principal, projection
from playground.lessons.classification.run import ClassificationRun
from playground.training import models
from tests.unit.plotly_check import assert_plotly_takes

CIRCLE = ClassificationConfig(
    cloud="circle", noise=0.4, layers=1, units_1=4, activation="tanh", lr=0.1, batch_size=10, max_steps=0
)
TWO = CIRCLE.with_values(units_1=2)
CHARTS = ("inside", "doubtful", "calibration", "explain", "map")
SHAPES = [
    {}, {"layers": 0}, {"layers": 0, "inputs": "x2"}, {"layers": 0, "inputs": "x1,x2,x1^2"}, {"units_1": 1},
    {"units_1": 2}, {"layers": 6}, {"initialisation": "zeros"}, {"initialisation": "large"},
    {"activation": "relu", "initialisation": "zeros"}, {"points": 5, "test_share": 0.0},
    {"cloud": "blobs", "classes": 5},
    {"cloud": "blobs", "classes": 5, "points": 500, "test_share": 1.0},
]  # fmt: skip


def trained(config: ClassificationConfig, steps: int) -> ClassificationRun:
    run = build(config)
    while run.steps < steps and not run.outcome:
        run.step()
    return run


def drawn(run: ClassificationRun, chart: str, **options: bool) -> dict[str, Any]:
    figure = run.draw([chart], options).charts[chart]
    assert_plotly_takes(figure)
    return figure


def traces(figure: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {trace["name"]: trace for trace in figure["data"]}


def places(figure: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The training points of all classes as they are drawn: (points, 2)."""
    each = [trace for trace in figure["data"] if trace["name"].startswith("Train")]
    return np.concatenate([np.stack([trace["x"], trace["y"]], axis=1) for trace in each])


def poison(run: ClassificationRun) -> None:
    with torch.no_grad():
        models.linears(run.model)[0].weight.fill_(torch.nan)


# Inside.


def test_the_main_directions_are_numpys() -> None:
    run = trained(CIRCLE.with_values(units_1=9), 100)
    with torch.no_grad():
        activations = run.model[:-1](run.inputs[: len(run.data.x_train)]).numpy().astype(np.float64)
    centred = activations - activations.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    by_class = centred[np.argsort(run.data.y_train.numpy(), kind="stable")]
    expected = by_class @ vectors[:, np.argsort(values)[::-1][:2]]
    ours = places(drawn(run, "inside"))
    for column in range(2):
        sign = np.sign(ours[:, column] @ expected[:, column])
        assert ours[:, column] == pytest.approx(sign * expected[:, column], abs=1e-3)


def test_two_units_are_shown_as_they_are() -> None:
    run = trained(TWO, 50)
    with torch.no_grad():
        activations = run.model[:-1](run.inputs[: len(run.data.x_train)]).numpy()
    figure = drawn(run, "inside")
    assert np.allclose(places(figure), activations[np.argsort(run.data.y_train.numpy(), kind="stable")], atol=1e-6)
    assert figure["layout"]["xaxis"]["title"]["text"] == "Unit 1"


def test_without_a_hidden_layer_the_plane_and_its_grid_are_straight() -> None:
    run = build(CIRCLE.with_values(layers=0, inputs="x1,x2"))
    figure = drawn(run, "inside")
    assert np.array_equal(np.sort(places(figure), axis=0), np.sort(run.data.x_train.numpy(), axis=0))
    grid = traces(figure)["Grid of the plane"]
    assert np.nanmin(grid["x"]) == -6 and np.nanmax(grid["y"]) == 6
    assert np.array_equal(np.isnan(grid["x"]), np.isnan(grid["y"]))


def test_the_colour_under_a_point_inside_is_the_models_answer_for_it() -> None:
    run = trained(TWO, 300)
    figure = drawn(run, "inside")
    maps = figure["maps"]
    at = places(figure)
    (left, right), (below, above) = figure["layout"]["xaxis"]["range"], figure["layout"]["yaxis"]["range"]
    column = ((at[:, 0] - left) / (right - left) * INSIDE_SIDE).astype(int)
    row = ((above - at[:, 1]) / (above - below) * INSIDE_SIDE).astype(int)
    colour = maps["values"].reshape(INSIDE_SIDE, INSIDE_SIDE)[row, column] // fields.LEVELS
    with torch.no_grad():
        answer = run.model(run.inputs[: len(at)]).argmax(dim=1).numpy()
    order = np.argsort(run.data.y_train.numpy(), kind="stable")
    assert (colour == answer[order]).mean() > 0.95, "all but those on the border, where a pixel is too coarse"


def test_directions_keep_their_signs_and_places_from_frame_to_frame() -> None:
    spread = torch.tensor([5.0, 4.0, 0.1])
    x = torch.randn(300, 3, generator=torch.Generator().manual_seed(1))
    before = principal(x * spread)
    assert torch.allclose(principal(x * spread, -before.directions).directions, -before.directions)
    swapped = principal(x * spread[[1, 0, 2]], before.directions).directions
    assert (swapped * before.directions).sum(dim=1).min() > 0.9, "the first stays first when the second spreads more"


def test_nothing_inside_jumps_while_it_learns() -> None:
    run, last, ranges = build(CIRCLE), None, []
    for _ in range(150):
        run.step()
        figure = run.draw(["inside"], {}).charts["inside"]
        at = places(figure)
        if last is not None:
            assert np.abs(at - last).max() < 0.35 * np.ptp(at), f"a jump at step {run.steps}"
        last = at
        ranges.append(tuple(figure["layout"]["xaxis"]["range"]))
    assert len(set(ranges)) <= 4


@pytest.mark.parametrize("values", SHAPES, ids=str)
@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken"])
def test_every_shape_of_model_can_be_looked_into(values: dict[str, Any], broken: bool) -> None:
    run = trained(CIRCLE.with_values(**values), 3)
    if broken:
        drawn(run, "inside")
        poison(run)
    for chart in CHARTS:
        drawn(run, chart, doubtful=True)
    figure = drawn(run, "inside")
    assert len(places(figure)) <= MAX_DRAWN
    assert all(np.isfinite(figure["layout"][axis]["range"]).all() for axis in ("xaxis", "yaxis"))


def test_looking_inside_follows_surgery_and_looks_back() -> None:
    run = trained(CIRCLE, 20)
    for change in (
        {"units_1": 2},
        {"layers": 0},
        {"layers": 2},
        {"inputs": "x1,x2,x1x2"},
        {"cloud": "blobs"},
        {"classes": 5},
    ):
        run.tune(run.config.with_values(**change))
        for chart in CHARTS:
            drawn(run, chart)
        run.advance(10.0, 5)
    for index in range(len(run.snapshots.kept)):
        run.apply(read_command({"do": "scrub", "to": index}))
        for chart in CHARTS:
            drawn(run, chart, doubtful=True)
    assert inputs_of(run.config, run.data.x_train).shape[1] == 3


# The least certain points.


def test_the_least_certain_points_are_the_wrong_ones_and_then_those_with_the_lowest_probability() -> None:
    run = trained(CIRCLE.with_values(cloud="blobs", noise=1.0, classes=5, points=10, seed=2), 50)
    bars = drawn(run, "doubtful")["data"][0]
    with torch.no_grad():
        shares = run.model(inputs_of(run.config, run.data.x_test)).softmax(dim=1)
    own = shares.gather(1, run.data.y_test.unsqueeze(dim=1)).squeeze(dim=1)
    is_right = shares.argmax(dim=1) == run.data.y_test
    assert 0 < (~is_right).sum() < 8 and own[is_right].min() < own[~is_right].max(), (
        "a correct point has a lower probability than a wrong one"
    )
    order = sorted(range(len(own)), key=lambda at: (bool(is_right[at]), float(own[at])))[:8]
    assert bars["x"].tolist() == pytest.approx(own[order].tolist(), abs=1e-6)
    wrong = [not bool(is_right[at]) for at in order]
    figure = drawn(run, "doubtful")
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert [("predicted" in text) for text in texts[1::2]] == wrong
    assert int(np.isnan(traces(figure)["Wrong"]["x"]).sum()) == sum(wrong), "each in a dashed frame"
    labels = [int(run.data.y_test[at]) for at in order]
    colours = [divmod(int(value), fields.LEVELS) for value in figure["maps"]["values"]]
    assert [label for label, _ in colours] == labels
    pale = {strength for (_, strength), is_wrong in zip(colours, wrong, strict=True) if is_wrong}
    full = {strength for (_, strength), is_wrong in zip(colours, wrong, strict=True) if not is_wrong}
    assert max(pale) < min(full)
    assert figure["maps"]["boxes"].reshape(-1, 4)[:, 1].tolist() == pytest.approx(bars["x"].tolist())
    first = run.data.x_test[order[0]].tolist()
    name = f"({first[0]:.2f}, {first[1]:.2f}) class {run.data.y_test[order[0]]}: ".replace("-", "−")
    assert bars["hovertext"][0].startswith(name)


def test_the_same_points_are_ringed_on_the_map_when_asked_for() -> None:
    run = trained(CIRCLE, 40)
    assert traces(drawn(run, "map"))["Least certain"]["visible"] is False
    ring = traces(drawn(run, "map", doubtful=True))["Least certain"]
    bars = drawn(run, "doubtful")["data"][0]
    ringed = {f"({x:.2f}, {y:.2f})".replace("-", "−") for x, y in zip(ring["x"], ring["y"], strict=True)}
    assert ringed == {name.partition(" class")[0] for name in bars["hovertext"]}
    wrong = sum("predicted" in text for text in bars["hovertext"])
    assert sum(symbol == "circle-x-open" for symbol in ring["marker"]["symbol"]) == wrong


def test_without_test_points_the_least_certain_training_points_are_shown() -> None:
    run = trained(CIRCLE.with_values(test_share=0.0), 10)
    bars = drawn(run, "doubtful")["data"][0]
    assert bars["name"] == "Train" and len(bars["x"]) == 8


# Calibration.


def test_calibration_counts_every_point_in_the_bin_of_its_probability() -> None:
    run = trained(CIRCLE.with_values(noise=2.0), 60)
    with torch.no_grad():
        shares = run.model(inputs_of(run.config, run.data.x_test)).softmax(dim=1)
    confidence, predicted = (each.tolist() for each in shares.max(dim=1))
    model = traces(drawn(run, "calibration"))["Model"]
    total, gap = 0, 0.0
    for index in range(10):
        mine = [at for at, share in enumerate(confidence) if int(share * 10) == index or (share == 1 and index == 9)]
        total += len(mine)
        assert model["text"][index].split()[0] == str(len(mine))
        if mine:
            mean = sum(confidence[at] for at in mine) / len(mine)
            accuracy = sum(predicted[at] == int(run.data.y_test[at]) for at in mine) / len(mine)
            gap += len(mine) / len(confidence) * abs(mean - accuracy)
            assert (model["x"][index], model["y"][index]) == pytest.approx((mean, accuracy), abs=1e-5)
        else:
            assert np.isnan(model["x"][index]) and np.isnan(model["y"][index])
    assert total == len(run.data.x_test)
    note = drawn(run, "calibration")["layout"]["annotations"][0]["text"]
    assert note == f"Average gap {100 * gap:.1f} %"


# Explain a point.


def explained(run: ClassificationRun) -> tuple[dict[str, Any], list[list[str]]]:
    """The figure, and its table: rows of layer, unit, value."""
    figure = drawn(run, "explain")
    return figure, [
        [str(cell) for cell in row] for row in zip(*figure["layout"]["meta"]["table"].values(), strict=True)
    ]


@pytest.mark.parametrize("values", SHAPES, ids=str)
def test_the_bars_are_the_models_own_numbers(values: dict[str, Any]) -> None:
    run = trained(CIRCLE.with_values(**values), 20)
    run.apply(read_command({"do": "explain", "x": -1.25, "y": 2.5}))
    figure, rows = explained(run)
    x = inputs_of(run.config, torch.tensor([[-1.25, 2.5]]))
    with torch.no_grad():
        outputs = models.layer_outputs(run.model, x)
    logits = outputs[-1]
    expected = torch.cat([x, *outputs[1::2], logits, logits.softmax(dim=1)], dim=1)[0].tolist()
    assert [float(value) for *_, value in rows] == pytest.approx(expected, rel=1e-5, abs=1e-6)
    shares = [float(value) for layer, _, value in rows if layer == "Softmax"]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    lengths = figure["data"][0]["x"]
    for layer in {row[0] for row in rows}:
        mine = [at for at, row in enumerate(rows) if row[0] == layer and abs(float(row[2])) > 1e-9]
        scales = [float(lengths[at]) / float(rows[at][2]) for at in mine]
        assert scales == pytest.approx([scales[0]] * len(scales), rel=1e-3) if scales else True
    ends = figure["data"][0]["base"] + lengths
    assert (np.floor(ends) == np.floor(figure["data"][0]["base"])).all(), "every bar stays in its column"
    full = BARS[1] - BARS[0]
    assert [float(each) for each in lengths[-len(shares) :]] == pytest.approx(
        [full * share for share in shares], abs=1e-5
    )


def test_the_hover_text_plugs_the_weights_in_and_its_sum_is_right() -> None:
    run = trained(CIRCLE, 30)
    run.apply(read_command({"do": "explain", "x": 1.5, "y": -0.5}))
    texts = drawn(run, "explain")["data"][0]["hovertext"]
    layer = models.linears(run.model)[0]
    (first, second), bias = layer.weight[0].tolist(), layer.bias[0].item()
    inner = 1.5 * first - 0.5 * second + bias
    written = texts[2].replace("−", "-")
    for value in (abs(first), abs(second), abs(bias), inner, np.tanh(inner)):
        assert f"{value:.3g}" in written
    assert "·x₁" in written and "Tanh(" in written
    weighted = written.partition("=")[0].replace("·x₁", "*1.5").replace("·x₂", "*(-0.5)")
    terms = weighted.replace(" - ", " + -").split(" + ")
    total = sum(float(np.prod([float(part.strip("()")) for part in term.split("*")])) for term in terms)
    assert total == pytest.approx(inner, abs=0.02)


def test_the_place_explained_is_marked_on_the_map_outlives_reset_and_follows_training() -> None:
    run = trained(CIRCLE, 10)
    assert traces(drawn(run, "map"))["Explained"]["visible"] is False
    assert "to choose a point" in drawn(run, "explain")["layout"]["annotations"][0]["text"]
    points = len(run.data.x_train)
    run.apply(read_command({"do": "explain", "x": 3, "y": 4}))
    mark = traces(drawn(run, "map"))["Explained"]
    assert (mark["visible"], list(mark["x"]), list(mark["y"])) == (True, [3.0], [4.0])
    assert len(run.data.x_train) == points and run.marks == [], "nothing was learned from it"
    before = explained(run)[1]
    run.advance(10.0, 5)
    assert explained(run)[1] != before
    again = run.rebuilt(run.config)
    assert drawn(again, "explain")["layout"]["meta"]["place"] == [3.0, 4.0]


@pytest.mark.parametrize(
    "x", [None, "1", True, [1], float("nan"), float("inf"), 1e300, 10**400], ids=lambda value: str(value)[:6]
)
def test_a_place_that_is_none_gets_a_sentence(x: Any) -> None:
    run = build(CIRCLE)
    with pytest.raises(ValueError, match=r"\.$"):
        run.apply(read_command({"do": "explain", "x": x, "y": 0.0}))
    assert run.drawing_state.place is None


def test_a_place_far_out_can_still_be_drawn() -> None:
    run = trained(CIRCLE.with_values(layers=2, inputs="x1,x2,x1^2,x1x2,sin x1"), 5)
    run.apply(read_command({"do": "explain", "x": 1e6, "y": -1e6}))
    drawn(run, "explain")
    run.tune(run.config.with_values(activation="relu"))
    assert np.isfinite(drawn(run, "explain")["data"][0]["x"]).all()


@pytest.mark.parametrize("size", [1e16, 1e30, 3e38])
@pytest.mark.parametrize("layers", [0, 1, 2])
def test_finite_numbers_that_cannot_be_drawn_get_a_sentence(size: float, layers: int) -> None:
    run = build(ClassificationConfig(layers=layers))
    with torch.no_grad(), np.errstate(over="ignore", invalid="ignore"):
        for parameter in run.model.parameters():
            parameter.copy_(size * parameter.sign())
        charts = run.draw([chart.name for chart in LESSON.charts], {}).charts
    assert [note["text"] for note in charts["inside"]["layout"]["annotations"]] == [insides.TOO_LARGE if layers else ""]


def test_a_projection_that_does_not_converge_keeps_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise torch.linalg.LinAlgError("linalg.svd: The algorithm failed to converge")

    monkeypatch.setattr(torch.linalg, "svd", fail)
    last = torch.eye(5)[1:3]
    assert projection(torch.rand(20, 5), last).directions.equal(last)
