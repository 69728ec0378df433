"""Classification by hand: tables of the student's own, in and out, and other points for the same model."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from playground.data.datasets import DataError
from playground.engine.commands import read_command
from playground.lessons.classification import clouds
from playground.lessons.classification.challenge import Challenge
from playground.lessons.classification.config import ClassificationConfig
from playground.lessons.classification.lesson import LESSON, build
from playground.lessons.classification.run import ClassificationRun
from playground.settings import Settings
from playground.training import models

CHARTS = [chart.name for chart in LESSON.charts]
CIRCLE = ClassificationConfig(
    cloud="circle", noise=0.4, layers=1, units_1=4, activation="tanh", lr=0.1, batch_size=10, max_steps=0
)
ROWS = tuple((x / 4 - 3, (x * x) % 7 - 3.0, x % 4 * 1.0) for x in range(24))  # (x1, x2, class), four classes


def trained(config: ClassificationConfig, steps: int) -> ClassificationRun:
    run = build(config)
    while run.steps < steps and not run.outcome:
        run.step()
    return run


# A table in and out.


@pytest.mark.parametrize("text", ["0.5,2,1\n0.7,1,1\n0.8,3,1\n", "3,2,1\n1,1,1\n2,3,1\n"])
def test_three_columns_are_read_by_place_even_if_all_points_are_of_one_class(text: str) -> None:
    rows = clouds.read_csv(text, 30)
    assert {row[2] for row in rows} == {0} and rows[0][1] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The CSV needs at least two rows of x1,x2,class, such as “0.5, -1.5, 1”."),
        ("1,2,1\n", "The CSV needs at least two rows of x1,x2,class, such as “0.5, -1.5, 1”."),
        ("1,2\n3,4\n", "Line 1: expected 3 columns (x1,x2,class), found 2."),
        ("1,2,0\n3,4,0,5\n", "Line 2: expected 3 columns (x1,x2,class), found 4."),
        (
            "1,2,0\n3,4,1\n5,6,2\n7,8,3\n9,9,4\n9,8,5\n",
            "The column of the class, column 3, has 6 different values; at most 5 classes are possible. Choose another "
            "column for the class.",
        ),
        ("1,2,0\n3,red,0\n", "Line 2: “red” is not a number. Each line must be x1,x2,class."),
        ("1,2,0\ninf,1,0\n", "Line 2: “inf” is out of range. Numbers must be from -1e6 to 1e6."),
        ("1,2,0\n1e7,1,0\n", "Line 2: “1e7” is out of range. Numbers must be from -1e6 to 1e6."),
        ("1,2,0\n" * 31, "Line 31: the table has more than 30 rows. Keep at most 30."),
    ],
)
def test_a_csv_that_cannot_be_used_gets_a_sentence_naming_line_and_limit(text: str, message: str) -> None:
    with pytest.raises(DataError) as raised:
        clouds.read_csv(text, 30)
    assert str(raised.value) == message


def test_a_downloaded_file_is_read_back_as_it_was() -> None:
    data = build(CIRCLE.with_values(noise=3.0)).data
    text = clouds.write_csv(data)
    assert text.startswith("x1,x2,class,split\n") and text.count(",train\n") == 200 and text.count(",test\n") == 100
    read = torch.tensor(clouds.read_csv(text, 300))
    assert torch.equal(read[:, :2], torch.cat([data.x_train, data.x_test]))
    assert torch.equal(read[:, 2].long(), torch.cat([data.y_train, data.y_test]))


def test_a_table_keeps_a_third_aside_at_half_a_test_point_for_each_training_point() -> None:
    run = build(CIRCLE)
    run.use_rows(ROWS)
    assert (len(run.data.x_train), len(run.data.x_test)) == (16, 8)
    pairs = [(run.data.x_train, run.data.y_train), (run.data.x_test, run.data.y_test)]
    used = {(*map(float, x), float(y)) for xs, ys in pairs for x, y in zip(xs, ys, strict=True)}
    assert used == set(ROWS)


def test_the_classes_are_the_tables_while_it_is_in_use_whatever_is_changed_or_reset() -> None:
    run = trained(CIRCLE, 20)
    hidden = models.linears(run.model)[0].weight.clone()
    run.use_rows(ROWS)
    assert models.linears(run.model)[-1].out_features == 4
    assert torch.equal(models.linears(run.model)[0].weight, hidden), "the model keeps its hidden layer"
    assert run.marks[-1] == (20, "Points changed")
    run.tune(CIRCLE.with_values(classes=5, noise=1.0))
    assert models.linears(run.model)[-1].out_features == 4 and len(run.data.x_train) == 16
    run = run.rebuilt(CIRCLE.with_values(layers=2))
    assert models.linears(run.model)[-1].out_features == 4 and run.steps == 0
    run.use_rows(None)
    assert models.linears(run.model)[-1].out_features == 2 and len(run.data.x_train) == 200
    with pytest.raises(DataError, match="nothing to undo"):
        run.apply(read_command({"do": "undo"}))


def test_a_table_can_be_trained_on_drawn_and_looked_back_across() -> None:
    run = trained(CIRCLE, 10)
    for rows in (ROWS, ROWS[:2], tuple((x, y, 4.0) for x, y, _ in ROWS), None):
        run.use_rows(rows)
        run.advance(10.0, 5)
        for at in (*range(len(run.snapshots.kept)), None):
            run.apply(read_command({"do": "scrub", "to": at}))
            assert set(run.draw(CHARTS, {}).charts) == set(CHARTS)


def test_a_table_of_one_class_still_has_two_outputs() -> None:
    run = build(CIRCLE)
    run.use_rows(tuple((x, y, 0.0) for x, y, _ in ROWS))
    assert run.config.outputs == 2


def test_a_table_with_the_clicked_points_is_no_larger_than_fits() -> None:
    run = ClassificationRun(CIRCLE.with_values(points=5), Settings(max_points=24))
    run.use_rows(ROWS)
    with pytest.raises(DataError, match=r"25 points, .* at most 24"):
        run.apply(read_command({"do": "add", "x": 0, "y": 0}))
    assert run.data.points == 24 and run.edits.clicks == ()


def test_the_last_two_points_stay() -> None:
    run = build(CIRCLE)
    run.use_rows(ROWS[:4])
    run.apply(read_command({"do": "remove", "x": 0, "y": 0}))
    with pytest.raises(DataError, match="two training points must stay"):
        run.apply(read_command({"do": "remove", "x": 0, "y": 0}))


def test_other_points_leave_the_model_as_it_is_and_are_the_same_each_time() -> None:
    run = trained(CIRCLE, 20)
    weights = [parameter.clone() for parameter in run.model.parameters()]
    points = run.data.x_train
    run.tune(CIRCLE.with_values(draw=1))
    assert run.steps == 20 and not torch.equal(run.data.x_train, points)
    assert all(map(torch.equal, weights, run.model.parameters()))
    assert torch.equal(run.data.x_train, build(CIRCLE.with_values(draw=1)).data.x_train)
    start = build(CIRCLE.with_values(draw=1))
    assert all(map(torch.equal, start.model.parameters(), build(CIRCLE).model.parameters()))


# Weights by hand.


def weight(run: ClassificationRun, layer: int, unit: int, source: int | None) -> float:
    linear = models.linears(run.model)[layer]
    return (linear.bias[unit] if source is None else linear.weight[unit, source]).item()


@pytest.mark.parametrize(("layer", "unit", "source"), [(0, 3, 1), (0, 0, None), (1, 1, 3), (1, 0, None)])
def test_a_weight_set_by_hand_is_the_models_alone_and_undo_takes_it_back(
    layer: int, unit: int, source: int | None
) -> None:
    run = trained(CIRCLE, 20)
    before = [parameter.clone() for parameter in run.model.parameters()]
    run.apply(read_command({"do": "set", "layer": layer, "unit": unit, "input": source, "value": -2.5}))
    assert weight(run, layer, unit, source) == -2.5
    assert sum(int((a != b).sum()) for a, b in zip(before, run.model.parameters(), strict=True)) == 1
    assert run.marks[-1] == (20, "Weight set by hand")
    run.apply(read_command({"do": "undo"}))
    assert all(map(torch.equal, before, run.model.parameters()))
    run.apply(read_command({"do": "set", "layer": layer, "unit": unit, "input": source, "value": 3}))
    run.advance(10.0, 1)
    assert 0 < abs(weight(run, layer, unit, source) - 3) < 0.5, "training continues from there"


def test_undo_takes_back_points_and_weights_last_first() -> None:
    run = build(CIRCLE)
    before = weight(run, 0, 0, 0)
    run.apply(read_command({"do": "add", "x": 0, "y": 0}))
    run.apply(read_command({"do": "set", "layer": 0, "unit": 0, "input": 0, "value": 5}))
    run.apply(read_command({"do": "add", "x": 1, "y": 1}))
    run.apply(read_command({"do": "undo"}))
    assert (len(run.data.x_train), weight(run, 0, 0, 0)) == (201, 5)
    run.apply(read_command({"do": "undo"}))
    assert (len(run.data.x_train), weight(run, 0, 0, 0)) == (201, before)
    run.apply(read_command({"do": "undo"}))
    assert len(run.data.x_train) == 200


def test_another_model_keeps_the_points_and_forgets_which_weights_were_set() -> None:
    run = build(CIRCLE)
    run.apply(read_command({"do": "add", "x": 0, "y": 0}))
    run.apply(read_command({"do": "set", "layer": 0, "unit": 3, "input": 0, "value": 5}))
    run.tune(CIRCLE.with_values(units_1=2))
    run.apply(read_command({"do": "undo"}))
    assert len(run.data.x_train) == 200, "the unit is gone, so the point is the last edit"


SET = {"do": "set", "layer": 0, "unit": 0, "input": 0, "value": 1.0}


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: value} for name in ("layer", "unit") for value in (-1, 99, 10**30, None, "0", 0.0, True, [0])),
        *({"input": value} for value in (-1, 2, "0", 1.0, False, [], {})),
        *({"value": value} for value in (float("nan"), float("inf"), 1e38, -1e6 - 1, 10**400, True, None, "1", [1])),
    ],
)
def test_a_weight_that_cannot_be_set_gets_a_sentence_and_changes_nothing(wrong: dict[str, object]) -> None:
    run = build(CIRCLE)
    before = [parameter.clone() for parameter in run.model.parameters()]
    with pytest.raises(ValueError, match=r"(number from -1e6 to 1e6|whole numbers? from 0( to \d+ here)?)\.$"):
        run.apply(read_command(SET | wrong))
    assert all(map(torch.equal, before, run.model.parameters()))
    assert run.marks == [] and run.edits.done == ()


def test_no_weight_is_set_while_looking_back() -> None:
    run = trained(CIRCLE, 10)
    run.apply(read_command({"do": "scrub", "to": 2}))
    with pytest.raises(DataError, match="Press Now"):
        run.apply(read_command(SET))


def test_the_largest_weights_can_be_drawn_and_end_at_worst_in_a_sentence() -> None:
    run = trained(CIRCLE, 5)
    for unit in range(4):
        run.apply(read_command(SET | {"unit": unit, "value": 1e6}))
    run.advance(10.0, 20)
    drawing = run.draw(CHARTS, {})
    assert set(drawing.charts) == set(CHARTS) and drawing.note.endswith(".")


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_the_drawing_says_which_unit_a_marker_is_and_all_its_numbers(layers: int) -> None:
    run = build(CIRCLE.with_values(layers=layers))
    figure = run.draw(["network"], {}).charts["network"]
    marker, linears = figure["data"][-1], models.linears(run.model)
    assert len(marker["customdata"]) == len(marker["x"])
    assert marker["customdata"][: linears[0].in_features] == [None] * linears[0].in_features
    units = [[layer, unit] for layer, linear in enumerate(linears) for unit in range(linear.out_features)]
    assert marker["customdata"][linears[0].in_features :] == units
    for shown, linear in zip(figure["parameters"], linears, strict=True):
        assert shown["weights"].tolist() == linear.weight.flatten().tolist()
        assert shown["biases"].tolist() == linear.bias.tolist()
        assert (len(shown["units"]), len(shown["sources"])) == (linear.out_features, linear.in_features)


# A teacher's challenge.

SMALL = CIRCLE.with_values(most_parameters=25, least_accuracy=95.0)


def test_without_a_challenge_the_narrator_does_not_mention_one() -> None:
    run = trained(CIRCLE, 300)
    assert "hallenge" not in run.draw([], {}).note and run.challenge.met_at is None


def test_a_challenge_shows_its_goals_and_the_step_at_which_it_was_met() -> None:
    run = build(SMALL)
    accuracy = 100 * run.draw([], {}).status["test_accuracy"]
    assert run.draw([], {}).note.startswith(
        f"Challenge: test accuracy {accuracy:.1f} % (goal: 95 %), 22 parameters (limit: 25). "
    )
    while run.challenge.met_at is None and run.steps < 2_000:
        run.step()
    met = run.steps
    assert run.history.column("test_accuracy")[-1] >= 0.95
    assert (run.history.column("test_accuracy")[:-1] < 0.95).all(), "not before"
    assert run.marks[-1] == (met, "Challenge met")
    run.advance(10.0, 5)
    assert run.draw([], {}).note.startswith(f"You met the challenge at step {met}. Challenge: test accuracy ")
    assert run.rebuilt(SMALL).challenge.met_at is None


def test_a_model_too_large_meets_no_challenge_until_units_are_taken_away() -> None:
    run = trained(SMALL.with_values(units_1=5), 500)
    assert run.draw([], {}).status["test_accuracy"] >= 0.95 and run.challenge.met_at is None
    run.tune(run.config.with_values(units_1=4))
    run.advance(10.0, 500)
    assert run.challenge.met_at is not None and run.challenge.met_at > 500


def test_a_changed_challenge_has_to_be_met_again() -> None:
    run = trained(SMALL, 600)
    assert run.challenge.met_at is not None
    run.tune(run.config.with_values(most_parameters=10))
    run.advance(10.0, 5)
    note = run.draw([], {}).note
    assert note.startswith("Challenge: test accuracy ") and " 22 parameters (limit: 10). " in note


@pytest.mark.parametrize(
    ("goals", "sentence"),
    [
        ({}, None),
        ({"most_parameters": 25}, "Challenge: 22 parameters (limit: 25)."),
        ({"least_accuracy": 95.0}, "Challenge: test accuracy 90.0 % (goal: 95 %)."),
    ],
    ids=str,
)
def test_a_challenge_mentions_only_the_goals_it_has(goals: dict[str, float], sentence: str | None) -> None:
    challenge = Challenge.from_config(ClassificationConfig(**goals))  # type: ignore[arg-type]
    assert challenge.sentences(22, 0.9) == ([] if sentence is None else [sentence])
    assert challenge.is_open == bool(goals)


def test_an_accuracy_just_below_is_not_shown_as_reached() -> None:
    run = build(SMALL)
    assert "test accuracy 94.9 % (goal: 95 %)" in run.challenge.sentences(22, 0.9499)[0]
    assert not run.challenge.is_met(22, 0.9499) and run.challenge.is_met(22, 0.95)
    assert not run.challenge.is_met(22, float("nan"))


def test_a_challenge_without_test_points_says_what_to_do() -> None:
    run = trained(SMALL.with_values(test_share=0.0), 5)
    assert "there are no test points to measure the accuracy with. Raise the test share." in run.draw([], {}).note


@pytest.mark.parametrize("changes", [{"noise": 3.0}, {"noise": 0.0}, {"cloud": "spiral"}, {"draw": 5}, {"points": 30}])
def test_the_point_that_was_removed_stays_the_one_missing(changes: dict[str, Any]) -> None:
    run = build(ClassificationConfig(points=20))
    at = 23  # the fourth point of class 1
    x1, x2 = run.data.x_train[at].tolist()
    run.apply(read_command({"do": "remove", "x": x1, "y": x2}))
    run.tune(run.config.with_values(**changes))
    expected = build(run.config).data.x_train
    missing = at if "points" not in changes else run.config.points + 3
    assert torch.equal(run.data.x_train, expected[torch.arange(len(expected)) != missing])
    run.apply(read_command({"do": "undo"}))
    assert torch.equal(run.data.x_train, expected)
