"""Every chart gives its numbers, in columns of one length with names, to its CSV file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from playground.lesson import Bench
from playground.lessons import LESSONS

BENCHES = {
    bench.name: bench
    for name in ("regression", "classification", "optimizers", "learning_rates", "cnn")
    for bench in LESSONS[name].benches
}
# Charts whose traces hold places in a drawing: their numbers are a table, or the pixels of named maps.
DRAWINGS = {
    "regression": {"network"},
    "classification": {"network", "confusion", "doubtful", "explain"},
    "optimizers": {"ranking"},
    "learning_rates_sweep": {"map", "best"},
    "learning_rates_winner": {"lines", "ranking", "ranks"},
    "cnn": {"window", "reading", "predictions", "parameters", "answer", "maps", "convolution", "times", "drawn",
            "stages", "attack", "attention", "confusion", "cell", "hardest", "per_class"},
}  # fmt: skip
# Groups that are not maps of their own: three for bars, whose numbers are in the file of "answer", and the chosen map.
DRAWN_AS_MAPS = {("cnn", "reading"): 4}
PLANES = {("optimizers", "surface")}  # the coordinates are x and y, as columns are called that have no other name


def figures(bench: Any) -> dict[str, Any]:
    if getattr(bench, "draw", None):
        return dict(bench.draw(bench.config()).charts)
    run = bench.build(bench.config())
    run.advance(60.0, 6)
    return dict(run.draw([chart.name for chart in bench.charts], {}).charts)


@pytest.mark.parametrize("name", BENCHES)
def test_every_chart_has_numbers_with_names_for_its_csv_file(name: str) -> None:
    bench: Bench = BENCHES[name]
    for chart, figure in figures(bench).items():
        layout, groups = figure["layout"], figure.get("maps") or []
        table = (layout.get("meta") or {}).get("table")
        if chart in DRAWINGS.get(name, ()):
            named = [group for group in groups if isinstance(group, dict) and group.get("name")]
            unnamed = len(groups) - len(named)
            has_maps = len(named) > 0 and unnamed == DRAWN_AS_MAPS.get((name, chart), 0)
            assert table or figure.get("parameters") or has_maps, chart
            assert not table or len({len(column) for column in table.values()}) == 1, chart
        elif (name, chart) not in PLANES and not (layout.get("meta") or {}).get("csv"):
            titles = [(layout[axis]["title"] or {}).get("text") for axis in ("xaxis", "yaxis")]
            assert all(titles), (chart, titles)


def test_the_pixels_of_a_map_give_back_its_numbers() -> None:
    from playground.lessons.cnn.figures.pixel_maps import Row, table

    values = np.array([[[0.5, -2.0], [0.0, 1.0]]], np.float32)
    (group,) = table([Row("Filters", values, [""])], height=10.0)["maps"]
    assert (group["name"], group["size"]) == ("Filters", 2.0)
    back = (group["values"].astype(float) - 128) / 127 * group["size"]
    np.testing.assert_allclose(back, values.ravel(), atol=0.01)


def test_the_confusion_file_counts_images_and_the_ranking_file_has_places() -> None:
    run = BENCHES["cnn"].build(BENCHES["cnn"].config(filters_1=2, filters_2=2, images=50))  # type: ignore[attr-defined]
    for _ in range(60):
        drawing = run.draw(["confusion"], {})
    counts = drawing.charts["confusion"]["layout"]["meta"]["table"]
    assert list(counts) == ["True digit", "Predicted digit", "Test images"]
    assert len(counts["Test images"]) == 100 and sum(counts["Test images"]) == len(run.tester.latest.labels)
    race = BENCHES["optimizers"].build(BENCHES["optimizers"].config())  # type: ignore[attr-defined]
    race.advance(60.0, 20)
    view, ranking = race.view(), race.draw(["ranking"], {}).charts["ranking"]["layout"]["meta"]["table"]
    assert ranking["Racer"] == ["SGD", "Momentum", "RMSprop", "Adam"]
    assert sorted(ranking["Place"]) == [1, 2, 3, 4]
    np.testing.assert_array_equal(ranking["Loss on all points"], view.predictions.losses)


def test_the_confusion_table_is_in_every_frame_and_agrees_with_the_accuracy_beside_it() -> None:
    bench: Any = BENCHES["classification"]
    assert {chart.name: chart.every for chart in bench.charts}["confusion"] == 1
    run = bench.build(bench.config(max_steps=0))
    for _ in range(3):
        run.advance(60.0, 5)
        drawing = run.draw(["confusion"], {})
        table = drawing.charts["confusion"]["layout"]["meta"]["table"]
        right = sum(count for true, predicted, count in zip(*table.values(), strict=True) if true == predicted)
        assert right / sum(table["Points"]) == pytest.approx(drawing.status["test_accuracy"], abs=1e-4)


def test_each_curve_of_the_gradients_has_a_name_of_its_own_in_the_file() -> None:
    bench: Any = BENCHES["regression"]
    run = bench.build(bench.config())
    run.advance(60.0, 5)
    names = [trace["meta"]["series"] for trace in run.draw(["gradients"], {}).charts["gradients"]["data"]]
    assert names == ["Layer 1 gradient", "Layer 1 update", "Output gradient", "Output update"]


def test_the_value_that_a_long_table_is_about_is_one_of_its_columns() -> None:
    matches = {}
    for bench in BENCHES.values():
        for chart, figure in figures(bench).items():
            meta = figure["layout"].get("meta") or {}
            if "value" in meta:
                matches[chart] = meta["value"] in meta["table"]
    assert matches == {"map": True, "lines": True}
