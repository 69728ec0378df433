"""A restored run goes on bit for bit as if it had never stopped; what is taken away is what the model holds."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from playground.engine.commands import read_command
from playground.experiments import experiments
from playground.lesson import LiveLesson
from playground.lessons.classification import lesson as classification
from playground.lessons.regression import lesson as regression
from playground.runs.state import MAX_SNAPSHOT_BYTES
from playground.saving import checkpoint, weight_files
from playground.saving.checkpoint import Checkpoint, CheckpointError, Limits
from playground.settings import Settings
from playground.training.trainer import OPTIMIZERS

SETTINGS = Settings()
LONG = 60.0
MODULES: dict[str, Any] = {"regression": regression, "classification": classification}
each_lesson = pytest.mark.parametrize("name", MODULES)
Change = Callable[[Any], None]


def start(name: str, **values: Any) -> Any:
    lesson: LiveLesson = MODULES[name].LESSON
    plain = {"lr": 0.01, "batch_size": 10, "max_steps": 0}
    return MODULES[name].build(lesson.config(**(plain | values)), SETTINGS)


def restored(name: str, run: Any) -> Any:
    """The run as another server has it that was given the file."""
    return checkpoint.restore(checkpoint.load(checkpoint.save(name, run)), MODULES[name].LESSON, SETTINGS)[0]


def assert_goes_on_alike(name: str, run: Any, steps: int = 50) -> None:
    other = restored(name, run)
    assert other is not run and other.config == run.config
    for each in (run, other):
        each.advance(LONG, steps)
    assert checkpoint.save(name, run) == checkpoint.save(name, other), "weights, optimizer, batches, history, snapshots"
    charts = [chart.name for chart in MODULES[name].LESSON.charts]
    one, two = run.draw(charts, {}), other.draw(charts, {})
    assert (one.status, one.note, one.time) == (two.status, two.note, two.time)


@each_lesson
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_restored_run_equals_an_uninterrupted_one(name: str, optimizer: str) -> None:
    straight, first = start(name, optimizer=optimizer), start(name, optimizer=optimizer)
    straight.advance(LONG, 100)
    first.advance(LONG, 50)
    second = restored(name, first)
    second.advance(LONG, 50)
    assert second.steps == straight.steps == 100
    for weight, value in straight.model.state_dict().items():
        assert torch.equal(second.model.state_dict()[weight], value)
    for column in straight.history.columns:
        np.testing.assert_array_equal(second.history.column(column), straight.history.column(column))
    assert checkpoint.save(name, second) == checkpoint.save(name, straight)


@each_lesson
def test_live_changes_before_the_save_are_part_of_it(name: str) -> None:
    run = start(name, optimizer="momentum")
    for values in (
        {"lr": 0.1}, {"batch_size": 32}, {"optimizer": "adam"}, {"momentum": 0.5}, {"optimizer": "nesterov"},
        {"momentum": 0.0}, {"weight_decay": 0.001}, {"noise": 0.5}, {"activation": "tanh"}, {"batch_size": 0},
        {"batch_size": 20, "max_steps": 1000},
    ):  # fmt: skip
        run.advance(LONG, 17)
        run.tune(run.config.with_values(**values))
        assert_goes_on_alike(name, run, 5)
    assert len(restored(name, run).marks) >= 11


def test_surgery_and_dropout_go_on_too() -> None:
    run = start("classification", optimizer="adam", dropout=0.3)
    for values in ({"layers": 2}, {"units_1": 5}, {"inputs": "x1,x1x2"}, {"classes": 3}, {"l1": 0.001}, {"draw": 4}):
        run.advance(LONG, 21)
        run.tune(run.config.with_values(**values))
        assert_goes_on_alike("classification", run, 13)
    run.apply(read_command({"do": "set", "layer": 0, "unit": 1, "input": None, "value": 2.5}))
    other = restored("classification", run)
    for each in (run, other):
        each.apply(read_command({"do": "undo"}))
    assert checkpoint.save("classification", run) == checkpoint.save("classification", other)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("regression", ((0.5, 1.0), (1.5, 0.1), (2.5, 1 / 3), (-1.0, 2.0))),
        ("classification", ((0.5, 1.0, 0.0), (1.5, 0.1, 1.0), (2.5, 1 / 3, 2.0), (-1.0, 2.0, 2.0), (-2.0, 2.0, 2.0))),
    ],
)
def test_the_students_own_points_are_part_of_it(name: str, rows: Any) -> None:
    run = start(name, batch_size=5)
    run.advance(LONG, 9)
    for x, y in ((0.1, 0.2), (0.3, -0.4)):
        run.apply(read_command({"do": "add", "x": x, "y": y}))
    run.apply(read_command({"do": "remove", "x": 0.0, "y": 0.0}))
    assert_goes_on_alike(name, run)
    run.use_rows(rows)
    run.apply(read_command({"do": "add", "x": 0.1, "y": 0.2}))
    assert_goes_on_alike(name, run)
    again = restored(name, run).rebuilt(run.config)
    assert torch.equal(again.data.x_train, run.data.x_train), "and a reset keeps them"


def test_a_challenge_stays_met_and_its_step_is_kept() -> None:
    run = start("classification", lr=0.1, most_parameters=60, least_accuracy=50.0)
    run.advance(LONG, 300)
    assert run.challenge.met_at is not None
    assert restored("classification", run).challenge.met_at == run.challenge.met_at


@each_lesson
def test_every_experiment_can_be_saved_and_restored(name: str) -> None:
    for experiment in experiments(MODULES[name].LESSON):
        run = start(name, **{knob: getattr(experiment.config, knob) for knob in experiment.config.knobs()})
        run.advance(LONG, 30)
        if run.outcome != "failed":
            assert_goes_on_alike(name, run, 20)


def test_a_run_that_is_done_stays_done_and_plays_on_when_resumed() -> None:
    run = start("regression", max_steps=100)
    run.advance(LONG, 200)
    other = restored("regression", run)
    assert other.outcome == "done" and other.steps == 100
    other.resume()
    other.advance(LONG, 200)
    assert other.steps == 200


def test_a_diverged_run_is_not_saved() -> None:
    run = start("regression", lr=10.0, batch_size=0)
    run.advance(LONG, 1000)
    assert run.outcome == "failed"
    with pytest.raises(ValueError, match="diverged"):
        checkpoint.save("regression", run)
    with pytest.raises(ValueError, match="diverged"):
        run.use_weights(start("regression").model.state_dict())


def test_saving_changes_nothing_and_the_same_run_makes_the_same_file() -> None:
    run, twin = (start("regression", optimizer="adam") for _ in range(2))
    for each in (run, twin):
        each.advance(LONG, 40)
    first = checkpoint.save("regression", run)
    assert first == checkpoint.save("regression", twin)
    taken = checkpoint.take("regression", run)
    run.advance(LONG, 40)
    assert checkpoint.pack(taken) == first, "what was taken does not train on"


def test_the_header_says_what_run_it_is_for_any_reader() -> None:
    run = start("regression", seed=7)
    run.advance(LONG, 12)
    content = checkpoint.save("regression", run)
    length = int.from_bytes(content[:8], "little")
    about = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["checkpoint"])
    assert (about["version"], about["lesson"], about["seed"], about["step"]) == (1, "regression", 7, 12)
    assert about["config"] == {"lr": "0.01", "batch_size": "10", "max_steps": "0", "seed": "7"}
    assert about["checksum"] == checkpoint.checksum(run.model.state_dict())
    found = checkpoint.read(content)
    assert isinstance(found, Checkpoint) and found.step == 12


def test_a_checksum_tells_one_bit() -> None:
    weights = {"a": torch.zeros(3), "b": torch.ones(2)}
    assert checkpoint.checksum(weights) == checkpoint.checksum(dict(reversed(weights.items())))
    for other in ({"a": torch.tensor([0.0, -0.0, 0.0])}, {"a": torch.zeros(3, 1)}, {"b": torch.ones(2).double()}):
        assert checkpoint.checksum(weights | other) != checkpoint.checksum(weights)


def test_a_large_model_leaves_moments_out_and_a_larger_one_says_that_it_does_not_fit() -> None:
    run = start("regression", layers=4, hidden=64, hidden_2=64, hidden_3=64, hidden_4=64, optimizer="adam")
    run.advance(LONG, 60)
    state = run.state_dict()["snapshots"]
    kept = [each["steps"] for each in state["kept"]]
    assert len(kept) * state["kept"][0]["parameters"].nbytes <= MAX_SNAPSHOT_BYTES
    assert kept[0] == 0 and set(np.diff(kept)) == {state["stride"]}
    assert restored("regression", run).steps == 60
    with pytest.raises(CheckpointError, match="Save the weights alone"):
        checkpoint.pack(checkpoint.take("regression", run), Limits(bytes=300_000))


def test_every_optimizers_memory_is_known() -> None:
    for choice in OPTIMIZERS.values():
        parameter = torch.nn.Parameter(torch.ones(3))
        extra = {"momentum": 0.9} if choice.momentum else {}
        optimizer = choice.type([parameter], lr=0.1, **choice.fixed, **extra)
        parameter.sum().backward()
        optimizer.step()
        kept = optimizer.state_dict()["state"].get(0, {})
        names = {name for name, value in kept.items() if value is not None}
        assert names in (set(), {each.name for each in choice.state})


@each_lesson
def test_weights_go_out_as_pt_and_npz_and_come_in_again(name: str) -> None:
    run, other = start(name), start(name, seed=5)
    run.advance(LONG, 20)
    weights: Mapping[str, torch.Tensor] = run.state_dict()["weights"]
    plain = torch.load(io.BytesIO(weight_files.as_pt(weights)), weights_only=True)
    arrays = np.load(io.BytesIO(weight_files.as_npz(weights)))
    assert list(plain) == list(weights) == list(arrays)
    before = other.trainer.batches.state_dict()["order"]
    other.use_weights(weight_files.read_pt(weight_files.as_pt(weights)))
    for weight, value in weights.items():
        assert torch.equal(plain[weight], value) and np.array_equal(arrays[weight], value.numpy())
        assert torch.equal(other.model.state_dict()[weight], value)
    assert torch.equal(other.trainer.batches.state_dict()["order"], before)
    assert other.marks[-1] == (0, "Weights loaded")


def test_a_run_without_a_state_says_so() -> None:
    with pytest.raises(CheckpointError, match="cannot be saved"):
        checkpoint.take("x", object())


@pytest.mark.parametrize("first", [0x80, 0x50])
def test_a_checkpoint_whose_first_byte_is_also_a_pickles_or_a_zips_is_read_as_what_it_is(first: int) -> None:
    taken = checkpoint.take("regression", start("regression"))
    for spaces in range(256):  # the header's length, which the file begins with, is padded to multiples of 8
        content = checkpoint.pack(Checkpoint(**{**vars(taken), "config": {"x" * spaces: ""}}))
        if content[0] == first:
            break
    assert content[0] == first
    found = checkpoint.read(content)
    assert isinstance(found, Checkpoint) and found.checksum == taken.checksum
