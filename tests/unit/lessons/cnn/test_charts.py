"""What the charts of a training on digits show: maps as they are, mistakes as they were made, points where they lie."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from playground import mnist
from playground.engine.commands import Pick, read_command
from playground.engine.frames import encode
from playground.lessons.cnn.charts import mistakes
from playground.lessons.cnn.charts import projection as cnn_plane
from playground.lessons.cnn.charts.projection import Tsne, main_directions
from playground.lessons.cnn.evaluation import Evaluation
from playground.lessons.cnn.figures import pixel_maps
from playground.lessons.cnn.figures.pixel_maps import Row
from playground.lessons.cnn.lesson import LESSON
from playground.lessons.cnn.run import CnnRun
from playground.settings import Settings
from tests.unit.lessons.cnn.test_run import bars, make, trained, until_done
from tests.unit.plotly_check import assert_plotly_takes

CHARTS = [chart.name for chart in LESSON.charts]


@pytest.fixture(autouse=True)
def digits(monkeypatch: pytest.MonkeyPatch) -> Iterator[mnist.Digits]:
    found = mnist._digits((*bars(300, 0), *bars(130, 1)), "These are bars.", real=False)
    monkeypatch.setattr(mnist, "load", lambda: found)
    yield found


def draw(run: CnnRun, *charts: str, **options: bool) -> dict[str, Any]:
    return run.draw(list(charts), options).charts


def after_a_test(run: CnnRun, *charts: str) -> dict[str, Any]:
    """The charts after the test that looking at them begins."""
    for _ in range(4):
        found = draw(run, *charts)
    return found


def test_every_chart_draws_before_during_and_after_training_in_every_shape() -> None:
    shapes: list[dict[str, Any]] = [
        {},
        {"layers": 1, "filters_1": 1, "activation": "tanh", "pooling": "average"},
        {"layers": 3, "batch_norm": True, "activation": "identity"},
    ]
    for shape in shapes:
        run = make(**shape)
        for steps, options in ((0, {}), (4, {"log": True, "top": True})):
            run.advance(1e9, steps)
            drawing = run.draw(CHARTS, options)
            assert set(drawing.charts) == set(CHARTS)
            encode({"charts": drawing.charts})
        for figure in drawing.charts.values():
            assert_plotly_takes(figure)


def bytes_of(figure: dict[str, Any], group: int) -> np.ndarray:
    """A group's maps as bytes (n, side, side)."""
    maps = figure["maps"][group]
    return maps["values"].reshape(-1, maps["side"], maps["side"])


def test_the_axis_of_steps_ends_with_the_plan_and_later_seldom_moves() -> None:
    run = make(epochs=0, images=200)  # 4 steps an epoch
    ends = []
    for _ in range(12):
        run.advance(1e9, 2)
        ends.append([draw(run, chart)[chart]["layout"]["xaxis"]["range"][1] for chart in ("loss", "accuracy")])
    assert ends[:2] == [pytest.approx([4, 4.04])] * 2
    assert ends[2:] == [[10, 10]] * 3 + [[20, 20]] * 5 + [[50, 50]] * 2


def test_the_table_of_maps_holds_the_filters_and_every_map_of_every_stage() -> None:
    run = trained(3, epochs=0)
    figure = draw(run, "maps")["maps"]
    stages = run.view().predictions.stages
    kernels = run.model[0].weight.detach()[:, 0].numpy()
    gradients = run.model[0].weight.grad[:, 0].numpy()
    expected = [kernels, gradients, *(stage.output[0].detach().numpy() for stage in stages[:6])]
    for group, values in enumerate(expected):
        np.testing.assert_array_equal(bytes_of(figure, group), pixel_maps.signed(values))
    flat = figure["maps"][-1]
    strip = flat["values"][: 3 * 49]
    np.testing.assert_array_equal(strip, pixel_maps.signed(stages[6].output[0].detach().numpy()))


def test_bytes_keep_sign_and_share_one_scale() -> None:
    maps = np.array([[[0.0, -2.0]], [[1.0, 2.0]]])
    np.testing.assert_array_equal(pixel_maps.signed(maps), [[[128, 1]], [[192, 255]]])
    np.testing.assert_array_equal(pixel_maps.signed(np.zeros((1, 2, 2))), np.full((1, 2, 2), 128))
    np.testing.assert_array_equal(pixel_maps.ink(np.array([0.0, 0.5, 1.0])), [0, 128, 255])


@pytest.mark.parametrize(("layer", "channel"), [(1, 2), (2, 3)])
def test_how_a_map_is_made_adds_up_to_the_map(layer: int, channel: int) -> None:
    run = trained(3, epochs=0)
    run.apply(read_command({"do": "explain", "x": layer, "y": channel}))
    figure = draw(run, "convolution")["convolution"]
    stage = [each for each in run.view().predictions.stages if each.kind == "convolution"][layer - 1]
    made = stage.output[0, channel - 1].detach().numpy()
    difference = bytes_of(figure, 3)[0].astype(int) - pixel_maps.signed(made[None])[0]
    assert np.abs(difference).max() <= 1, "but for the rounding of sums in another order"
    assert figure["layout"]["meta"]["place"] == [layer, channel]
    kernel = run.model[3 * layer - 3].weight.detach()[channel - 1].numpy()
    np.testing.assert_array_equal(bytes_of(figure, 1), pixel_maps.signed(kernel))


@pytest.mark.parametrize("place", [(0, 1), (3, 1), (1, 3), (2, 4), (1, -1)])
def test_a_map_that_does_not_exist_is_refused(place: tuple[int, int]) -> None:
    run = make()
    with pytest.raises(ValueError, match=r"Choose a layer from 1 to 2. Maps in each layer: 2, 3\.$"):
        run.apply(read_command({"do": "explain", "x": place[0], "y": place[1]}))


def test_a_click_on_a_map_chooses_it() -> None:
    run = make()
    figure = draw(run, "maps")["maps"]
    found = []
    for x, y in zip(figure["data"][0]["x"].tolist(), figure["data"][0]["y"].tolist(), strict=True):
        run.apply(read_command({"do": "pick", "chart": "maps", "x": x, "y": y}))
        found.append((run.selection.layer, run.selection.channel))
    first, second = [(0, 0), (0, 1)], [(1, 0), (1, 1), (1, 2)]
    assert found == first * 5 + second * 3
    run.apply(read_command({"do": "pick", "chart": "maps", "x": 99.9, "y": 5.0}))
    assert (run.selection.layer, run.selection.channel) == (1, 2), "a click beside them changes nothing"


def test_a_selected_map_that_no_longer_exists_is_replaced_by_the_nearest() -> None:
    run = make(filters_2=8)
    run.apply(read_command({"do": "explain", "x": 2, "y": 8}))
    smaller = run.rebuilt(run.config.with_values(layers=1))
    assert draw(smaller, "convolution")["convolution"]["layout"]["meta"]["place"] == [1, 2]


# How it reads a digit.


def squares(figure: dict[str, Any]) -> list[np.ndarray]:
    """The boxes (maps, 4) of the image and of each layer's maps."""
    return [group["boxes"].reshape(-1, 4) for group in figure["maps"] if group.get("square") and "frame" not in group]


@pytest.mark.parametrize("filters", [(1,), (32,), (3, 5), (16, 32), (8, 12), (32, 32, 32)])
def test_the_reading_shows_maps_after_the_activation_and_each_in_a_place_of_its_own(filters: tuple[int, ...]) -> None:
    values = {f"filters_{layer}": count for layer, count in enumerate(filters, start=1)}
    run = make(layers=len(filters), **values)
    run.advance(1e9, 2)
    figure = draw(run, "reading")["reading"]
    activations = [stage for stage in run.view().predictions.stages if stage.kind == "activation"]
    assert len(figure["maps"]) == 1 + len(filters) + 1 + 3, "the image, the layers, the chosen map, the bars"
    for at, (stage, count) in enumerate(zip(activations, filters, strict=True), start=1):
        shown = min(count, (8, 12, 12)[at - 1])
        np.testing.assert_array_equal(bytes_of(figure, at), pixel_maps.signed(stage.output[0, :shown].detach().numpy()))
    boxes = np.concatenate(squares(figure))
    assert boxes.min() >= 0 and boxes.max() <= 1
    for at, (x0, x1, y0, y1) in enumerate(boxes):
        over = (boxes[:, 0] < x1) & (x0 < boxes[:, 1]) & (boxes[:, 2] < y1) & (y0 < boxes[:, 3])
        assert np.flatnonzero(over).tolist() == [at], "no map over another one"
    columns = figure["layout"]["meta"]["network"]["columns"]
    assert [column["short"] for column in columns] == [str(count) for count in filters]
    assert_plotly_takes(figure)


def test_the_bars_of_the_reading_are_the_probabilities() -> None:
    run = trained(20, epochs=0)
    with torch.no_grad():
        figure, found = draw(run, "reading")["reading"], run.view().predictions
        probabilities = found.probabilities
    grounds, bars, first = (group["boxes"].reshape(-1, 4) for group in figure["maps"][-3:])
    lengths = (bars[:, 1] - bars[:, 0]) / (grounds[:, 1] - grounds[:, 0])
    np.testing.assert_allclose(lengths, np.maximum(probabilities, 0.004), atol=1e-4)
    np.testing.assert_array_equal(first[0], bars[found.predicted])
    assert f"Prediction: {found.predicted} (" in figure["layout"]["meta"]["words"]


def test_a_click_in_the_reading_chooses_a_map() -> None:
    run = make()
    boxes = squares(draw(run, "reading")["reading"])
    for layer, each in enumerate(boxes[1:]):
        for number, (x0, x1, y0, y1) in enumerate(each.tolist()):
            run.apply(Pick((x0 + x1) / 2, (y0 + y1) / 2, "reading"))
            assert (run.selection.layer, run.selection.channel) == (layer, number)
    chosen = run.selection.layer, run.selection.channel
    run.apply(Pick(0.02, 0.5, "reading"))
    assert (run.selection.layer, run.selection.channel) == chosen, "a click beside the maps changes nothing"


def test_earlier_steps_show_the_map_and_the_guess_of_then() -> None:
    run = trained(60, epochs=0)
    figure = draw(run, "times")["times"]
    said = [note["text"] for note in figure["layout"]["annotations"] if note["text"].startswith("step")]
    assert said[0].startswith("step 0<br>") and said[-1].startswith("step 60<br>")
    first = bytes_of(figure, 0)[0]
    run.apply(read_command({"do": "scrub", "to": 0}))
    kernel = run.view().model[0].weight.detach()[0, 0].numpy()
    largest = np.unravel_index(np.abs(kernel).argmax(), kernel.shape)
    assert abs(int(first[largest]) - 128) == np.abs(first.astype(int) - 128).max()


def test_rows_fit_their_table_and_a_map_is_found_where_it_is_drawn() -> None:
    rows = [Row("a", np.zeros((16, 2, 2)), [""] * 16), Row("b", np.zeros((30, 2, 2)), [""] * 30)]
    for height in (3.0, 8.0, 40.0):
        sizes = pixel_maps.row_sizes(rows, height)
        assert sizes[0] + 2 * sizes[1] <= height, "the second row has two lines"
        assert 16 * sizes[0] <= pixel_maps.WIDTH - pixel_maps.LABELS + 1e-9
        figure = pixel_maps.table(rows, height=height)
        places = list(zip(figure["data"][0]["x"].tolist(), figure["data"][0]["y"].tolist(), strict=True))
        found = [pixel_maps.find([16, 30], sizes, *place) for place in places]
        assert found == [(0, number) for number in range(16)] + [(1, number) for number in range(30)]
        last = pixel_maps.LABELS + 15.5 * sizes[1], places[-1][1]
        assert pixel_maps.find([16, 30], sizes, *last) is None, "beside the last map"
        assert pixel_maps.find([16, 30], sizes, 1.0, -0.1) is None


# Mistakes.


def evaluation() -> Evaluation:
    labels = np.array([0, 0, 1, 3, 3])
    probabilities = np.full((5, 10), 0.01)
    for place, (guess, share) in enumerate([(0, 0.9), (8, 0.6), (1, 0.8), (5, 0.7), (5, 0.95)]):
        probabilities[place, guess] = share
    return Evaluation(4, np.array([10, 20, 30, 40, 50]), labels, probabilities)


def test_mistakes_are_counted_and_found() -> None:
    each = evaluation()
    assert each.accuracy == 0.4
    assert (each.confusion[0, 8], each.confusion[3, 5], each.confusion.trace()) == (1, 2, 2)
    assert each.cell(3, 5, 9).tolist() == [4, 3], "the most confident first"
    assert each.class_accuracies[0] == 0.5 and np.isnan(each.class_accuracies[9])
    assert each.hardest(3).tolist() == [1, 3, 4]
    assert each.loss == pytest.approx(-np.log([0.9, 0.01, 0.8, 0.01, 0.01]).mean())


def test_a_click_on_a_cell_shows_its_images_and_a_click_on_one_looks_inside_it() -> None:
    run = make(epochs=0)
    after_a_test(run, "confusion", "cell")
    result = run.tester.latest
    label, guess = divmod(int((result.confusion * (1 - np.eye(10))).argmax()), 10)
    other = next((row, column) for row, column in np.argwhere(result.confusion) if (row, column) != (label, guess))
    run.apply(Pick(float(other[1]) + 0.3, float(other[0]) - 0.3, "confusion"))
    figure = draw(run, "cell", "confusion")["cell"]
    shown = figure["maps"][0]["values"].reshape(-1, 28, 28)
    expected = result.indices[result.cell(*other, 20)]
    np.testing.assert_array_equal(shown, run.digits.x_test[expected.tolist(), 0].numpy())
    run.apply(read_command({"do": "pick", "chart": "cell", "x": 0.5, "y": -0.5}))
    assert run.selection.picked == expected[0]
    assert run.view().predictions.label == other[0]
    run.tune(run.config.with_values(image=2))
    assert run.selection.picked is None


def test_right_and_wrong_are_framed_and_said() -> None:
    run = until_done(make())
    result = run.tester.latest
    figure = draw(run, "hardest")["hardest"]
    words = next(trace for trace in figure["data"] if trace["name"] == "Words")["text"]
    places = result.hardest(len(words))
    for word, place in zip(words, places, strict=True):
        label, guess = result.labels[place], result.predicted[place]
        assert word == (str(label) if label == guess else f"{label} → {guess}")
    frames = {
        trace["name"]: np.isnan(trace["x"]).sum() for trace in figure["data"] if trace["name"] in ("Right", "Wrong")
    }
    wrong = int((result.labels[places] != result.predicted[places]).sum())
    assert frames == {"Right": len(places) - wrong, "Wrong": wrong}


@pytest.mark.parametrize("chart", ["loss", "nowhere", None, 5])
def test_a_click_on_a_chart_without_choices_is_refused(chart: Any) -> None:
    with pytest.raises(ValueError, match=r"chart\.$"):
        make().apply(read_command({"do": "pick", "chart": chart, "x": 0.0, "y": 0.0}))


def test_a_small_picture_of_mistakes_starts_no_test_while_the_model_trains_and_one_that_is_looked_at_does() -> None:
    run = trained(3, epochs=0)
    for _ in range(3):  # small pictures are in each eighth frame
        run.advance(1e9, 1)
        draw(run, "confusion", "plane", "loss")
        for _ in range(7):
            run.advance(1e9, 1)
            draw(run, "loss")
    assert run.tester.pending is None and run.tester.latest is None
    for _ in range(4):
        run.advance(1e9, 1)
        draw(run, "confusion")
    run.advance(1e9, 20)
    assert run.tester.latest is not None or run.tester.pending is not None


def test_a_small_picture_of_the_last_layer_is_seldom_computed_again() -> None:
    run = trained(3, epochs=0)
    figures = []
    for frame in range(48):
        run.advance(1e9, 1)
        found = draw(run, "loss", *(["plane"] if frame % 8 == 0 else []))
        figures += [found["plane"]] if "plane" in found else []
    assert len({id(figure) for figure in figures}) == 2, "the first one, and one after forty frames"


def test_what_stays_of_a_reading_is_made_once_and_not_compared_in_every_frame() -> None:
    run = trained(3, epochs=0)
    before = draw(run, "reading")["reading"]
    run.advance(1e9, 2)
    after = draw(run, "reading")["reading"]
    assert after["data"][0] is before["data"][0], "the lines between the columns"
    assert after["data"][2]["x"] is before["data"][2]["x"], "the places of the pointers"
    assert after["layout"]["annotations"] is before["layout"]["annotations"]
    assert after["layout"]["meta"]["network"] is before["layout"]["meta"]["network"]
    for group, earlier in zip(after["maps"][:3], before["maps"][:3], strict=True):
        assert group["boxes"] is earlier["boxes"]
    assert not np.array_equal(after["maps"][1]["values"], before["maps"][1]["values"]), "the maps are new"
    run.selection.pick(1)
    assert (
        draw(run, "reading")["reading"]["layout"]["annotations"][0]["text"] != after["layout"]["annotations"][0]["text"]
    )


# The last layer.


def test_main_directions_are_those_of_the_singular_value_decomposition() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(80, 30, generator=generator) * torch.logspace(1, -1, 30) + 3
    found = main_directions(values)[:2]
    exact = torch.linalg.svd(values - values.mean(dim=0), full_matrices=False).Vh[:2]
    torch.testing.assert_close((found @ exact.T).abs(), torch.eye(2), atol=1e-3, rtol=0)
    again = main_directions(values + 0.001, main_directions(values))
    assert ((again[:2] * found).sum(dim=1) > 0.99).all(), "no direction turns round from frame to frame"


def test_points_of_the_plane_are_the_test_images_and_a_click_selects_the_nearest() -> None:
    run = trained(20, epochs=0)
    figure = draw(run, "plane")["plane"]
    traces = figure["data"]
    assert [trace["name"] for trace in traces] == [str(digit) for digit in range(10)]
    assert [len(trace["x"]) for trace in traces] == [13] * 10
    run.apply(Pick(float(traces[4]["x"][2]), float(traces[4]["y"][2]), "plane"))
    assert run.selection.picked == 24
    assert "test image 24, a 4" in traces[4]["hovertext"][2]


def test_tsne_comes_when_it_is_asked_for_and_stays_that_of_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn_plane, "embed", lambda values: np.zeros((len(values), 2), np.float32))
    run = trained(3, epochs=0)
    draw(run, "plane", tsne=True)
    end = time.monotonic() + 10
    while run.projection.is_pending and time.monotonic() < end:
        time.sleep(0.01)
    run.advance(1e9, 2)
    note = draw(run, "plane", tsne=True)["plane"]["layout"]["annotations"][0]["text"]
    assert note.startswith("Step 3;")
    assert not run.restless
    draw(run, "plane")
    assert run.projection.tsne is None


def test_one_tsne_at_a_time_and_one_that_is_dropped_never_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[float] = []
    monkeypatch.setattr(cnn_plane, "embed", lambda values: begun.append(float(values[0, 0])) or values)
    values = [torch.full((2, 2), float(number)) for number in range(3)]
    with Tsne._turn:
        first, second = Tsne(values[0], 0), Tsne(values[1], 0)
        second.drop()
        time.sleep(0.1)
        assert begun == [] and not first.has_begun
    end = time.monotonic() + 10
    while first.at is None and time.monotonic() < end:
        time.sleep(0.01)
    assert begun == [0.0]


def test_tsne_keeps_heaps_together() -> None:
    pytest.importorskip("sklearn")
    generator = torch.Generator().manual_seed(0)
    heaps = torch.randn(3, 1, 40, generator=generator) * 20 + torch.randn(3, 30, 40, generator=generator)
    at = cnn_plane.embed(heaps.reshape(90, 40).numpy()).reshape(3, 30, 2)
    assert np.abs(at).max() == pytest.approx(1.0)
    middles = at.mean(axis=1)
    within = np.linalg.norm(at - middles[:, None], axis=2).max()
    between = min(np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert within < between


def test_a_run_too_large_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="at most 10 fit here"):
        LESSON.build(LESSON.config(), Settings(max_parameters=10))


def test_predictions_are_those_of_the_model_that_is_shown_without_any_test() -> None:
    run = until_done(make(epochs=20))

    def words() -> list[str]:
        (found,) = (
            trace["text"] for trace in draw(run, "predictions")["predictions"]["data"] if trace["name"] == "Words"
        )
        return list(found)

    def expected(model: torch.nn.Sequential) -> list[str]:
        spread = np.linspace(0, 130, 10, endpoint=False).astype(int)
        chosen = np.concatenate([spread, np.array(mistakes.HARD) % 130])
        with torch.no_grad():
            guesses = model(run.digits.x_test[chosen].float() / 255).argmax(dim=1).tolist()
        labels = run.digits.y_test[chosen].tolist()
        return [
            f"{label}" if label == guess else f"{label} → {guess}" for label, guess in zip(labels, guesses, strict=True)
        ]

    latest = run.tester.latest
    now = words()
    assert now == expected(run.model)
    run.apply(read_command({"do": "scrub", "to": 0}))
    assert words() == expected(run.view().model) != now
    assert run.tester.latest is latest and run.tester.pending is None
    run.apply(read_command({"do": "pick", "chart": "predictions", "x": 0.5, "y": -0.5}))
    assert run.selection.picked == 0
