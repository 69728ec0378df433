"""The exported script: run with nothing but PyTorch, it ends at the very weights of the run, and prints their loss."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from playground.engine.commands import read_command
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.lessons.classification.clouds import CLOUDS
from playground.lessons.classification.config import INPUTS
from playground.runs import journal
from playground.saving import checkpoint
from playground.scripts.code import comment, plain_source, spaced, written
from playground.settings import Settings
from playground.training.models import ACTIVATIONS, INITIALISATIONS
from playground.training.optimizers import OPTIMIZERS
from tests.written_scripts import script

Values = Mapping[str, Any]


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lesson(name: str) -> LiveLesson:
    found = LESSONS[name]
    assert isinstance(found, LiveLesson)
    return found


def build(name: str, **values: Any) -> Any:
    return lesson(name).build(lesson(name).config(**{"max_steps": 0, **values}), settings=Settings())


def train(run: Any, count: int) -> None:
    for _ in range(count):
        run.step()


def turn(run: Any, **values: Any) -> None:
    run.tune(run.config.with_values(**values))


def printed(text: str) -> tuple[dict[str, str], dict[str, Any]]:
    """What a script prints, by name, and the names that it leaves behind."""
    assert "playground" not in text.lower()
    names: dict[str, Any] = {"__name__": "__main__"}
    with torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(text, "script.py", "exec"), names)
    lines = [line.rpartition(" ") for line in output.getvalue().splitlines()]
    return {name: value for name, _, value in lines}, names


@torch.no_grad()
def assert_same(name: str, run: Any) -> str:
    """The script ends at this run's step, weights and losses, all to the last bit; returns its text."""
    text = script(name, run.run_history())
    numbers, names = printed(text)
    assert int(numbers["step"]) == run.steps
    mine, its = dict(run.model.named_parameters()), list(names["model"].parameters())
    for (at, weight), other in zip(mine.items(), its, strict=True):
        assert torch.equal(weight, other) or bool(weight.isnan().any()), at
    assert torch.equal(names["x_train"], run.trainer.batches.x)
    row = run.measure()
    for side in ("train", "test"):
        if side in row:  # the page runs train and test points through the model together, so the last digit may differ
            loss = run.trainer.loss_fn if name == "regression" else names["loss_fn"]
            exact = loss(run.model(names[f"x_{side}"]), names[f"y_{side}"]).item()
            assert numbers[f"{side} loss"] == str(exact)
            assert exact == pytest.approx(row[side], rel=1e-6, nan_ok=True)
    if "accuracy" in row:
        assert float(numbers["train accuracy"]) == row["accuracy"]
    return text


# From the start, every knob moved at least once.

STARTS: dict[str, list[Values]] = {
    "regression": [
        {},
        {"target": "sine", "noise": 0.5, "points": 37, "test_share": 0.0, "seed": 7, "layers": 2, "hidden": 5,
         "hidden_2": 33, "activation": "tanh", "initialisation": "xavier", "lr": 0.01, "optimizer": "adam",
         "batch_size": 10, "weight_decay": 0.01, "loss": "l1"},
        {"target": "cubic", "layers": 4, "hidden_3": 3, "hidden_4": 64, "activation": "gelu", "optimizer": "nesterov",
         "momentum": 0.5, "lr": 0.02, "batch_size": 32, "loss": "huber", "initialisation": "kaiming"},
        {"target": "sine", "scale": 100, "normalise": True, "zero_grad": False, "lr": 0.01},
        {"target": "step", "layers": 0, "optimizer": "momentum", "momentum": 0.0, "target_loss": 0.01, "lr": 0.1},
    ],
    "classification": [
        {},
        {"cloud": "spiral", "noise": 0.4, "classes": 5, "points": 30, "test_share": 0.3, "seed": 3, "draw": 2,
         "inputs": "x1,x2,x1^2,sin x2", "layers": 2, "units_1": 7, "units_2": 12, "activation": "silu",
         "initialisation": "kaiming", "dropout": 0.3, "lr": 0.01, "optimizer": "adamw", "batch_size": 10,
         "weight_decay": 0.01, "l1": 0.001, "loss": "brier"},
        {"cloud": "xor", "classes": 4, "test_share": 0.0, "layers": 6, "units_3": 5, "units_4": 6, "units_5": 3,
         "units_6": 2, "optimizer": "nesterov", "momentum": 0.0, "brush": 1, "target_loss": 0.1,
         "most_parameters": 100, "least_accuracy": 90.0},
        {"cloud": "circle", "layers": 0, "inputs": "x1^2,x2^2", "batch_size": 32, "optimizer": "nesterov",
         "momentum": 0.8},
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "values"), [(name, each) for name, many in STARTS.items() for each in many])
def test_a_script_ends_at_the_weights_and_losses_of_its_run(name: str, values: Values) -> None:
    run = build(name, **values)
    train(run, 13)
    assert_same(name, run)


@pytest.mark.parametrize("name", STARTS)
def test_every_knob_is_moved_by_some_case(name: str) -> None:
    moved = {knob for case in STARTS[name] for knob, value in case.items()
             if value != lesson(name).config.knobs()[knob].default}  # fmt: skip
    assert set(lesson(name).config.knobs()) - moved == {"max_steps"}


@pytest.mark.parametrize("name", STARTS)
def test_every_choice_is_written_as_it_is_trained(name: str) -> None:
    choices: list[dict[str, Any]] = [{"optimizer": each, "lr": 0.01} for each in OPTIMIZERS]
    choices += [{"activation": each} for each in ACTIVATIONS]
    choices += [{"initialisation": each, "layers": 2} for each in INITIALISATIONS]
    if name == "classification":
        choices += [{"cloud": each, "points": 20} for each in CLOUDS]
        choices.append({"inputs": ",".join(INPUTS)})
    else:
        choices += [{"target": each} for each in lesson(name).config.knobs()["target"].options or ()]
    for values in choices:
        run = build(name, **values)
        train(run, 3)
        assert_same(name, run)


def test_a_script_of_step_0_trains_nothing() -> None:
    assert "for step" not in assert_same("regression", build("regression"))


def test_a_diverged_run_diverges_again() -> None:
    run = build("regression", lr=10.0)
    while not run.outcome:
        run.step()
    assert printed(script("regression", run.run_history()))[0]["train loss"] in ("nan", "inf")


# Live changes.


def test_turned_knobs_are_turned_after_the_same_steps() -> None:
    run = build("regression", batch_size=20)
    train(run, 7)
    turn(run, lr=0.1, batch_size=32)
    train(run, 7)
    turn(run, noise=0.4, activation="tanh", optimizer="momentum")
    train(run, 3)
    turn(run, momentum=0.3, loss="huber", weight_decay=0.01)
    train(run, 3)
    turn(run, batch_size=0)
    turn(run, batch_size=5)
    train(run, 5)
    turn(run, batch_size=200)  # as many as there are, or more
    turn(run, batch_size=5)
    turn(run, max_steps=100)
    train(run, 5)
    text = assert_same("regression", run)
    assert "# After step 7. Learning rate: 0.5 → 0.1. Batch size: 20 → 32." in text
    assert "Stop after" not in text, "it changes no step"


def test_surgery_is_repeated() -> None:
    run = build("classification", batch_size=10)
    train(run, 5)
    turn(run, units_1=12, dropout=0.2)
    train(run, 5)
    turn(run, layers=3, inputs="x1,x2,x1x2", l1=0.001)
    train(run, 5)
    turn(run, inputs="x2,x1x2")
    turn(run, cloud="rings", classes=4, activation="elu")
    train(run, 5)
    turn(run, layers=0, dropout=0.0, points=30)
    train(run, 5)
    assert_same("classification", run)


def test_own_points_and_weights_set_by_hand_are_written_out() -> None:
    run = build("classification", batch_size=10)
    train(run, 4)
    run.apply(read_command({"do": "add", "x": 0.1, "y": -1.7}))
    run.apply(read_command({"do": "set", "layer": 1, "unit": 0, "input": 3, "value": 0.1}))
    run.apply(read_command({"do": "set", "layer": 0, "unit": 2, "input": None, "value": -1 / 3}))
    run.apply(read_command({"do": "undo"}))
    train(run, 4)
    run.use_rows(((0.1, 0.2, 0.0), (1 / 3, -2.0, 1.0), (3e-7, 1e5, 2.0)))
    train(run, 4)
    assert_same("classification", run)
    run = build("regression")
    run.apply(read_command({"do": "remove", "x": 0.5, "y": 0.2}))
    run.use_rows(tuple((x / 7, x / 3) for x in range(9)))
    train(run, 4)
    run.use_rows(None)
    train(run, 4)
    assert_same("regression", run)


@pytest.mark.parametrize(("name", "inputs"), [("regression", {}), ("classification", {"inputs": "x1,x1x2"})])
def test_a_point_more_or_less_is_one_line_and_not_all_points_again(name: str, inputs: Values) -> None:
    run = build(name, batch_size=10, **inputs)
    train(run, 3)
    run.apply(read_command({"do": "add", "x": 0.3, "y": 0.7}))
    train(run, 3)
    run.apply(read_command({"do": "remove", "x": -0.5, "y": 0.2}))
    run.apply(read_command({"do": "undo"}))
    run.apply(read_command({"do": "add", "x": 0.1, "y": 0.2}))
    train(run, 3)
    assert len(assert_same(name, run).splitlines()) < 120


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop", "adagrad", "adadelta"])
def test_a_restored_run_is_written_from_the_step_of_its_file(optimizer: str) -> None:
    first = build("classification", optimizer=optimizer, batch_size=10, dropout=0.2, lr=0.01)
    train(first, 7)
    saved = checkpoint.load(checkpoint.save("classification", first))
    run, _ = checkpoint.restore(saved, lesson("classification"), Settings())
    train(run, 5)
    turn(run, units_1=11)
    train(run, 5)
    text = assert_same("classification", run)
    assert "The run was restored from a file" in text
    assert "weights_only=True" in text


def test_so_many_changes_that_the_script_begins_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_CHANGES", 5)
    run = build("regression", batch_size=20)
    for number in range(12):
        train(run, 3)
        turn(run, lr=(0.1, 0.2)[number % 2])
    train(run, 3)
    assert "changed too often to list every change" in assert_same("regression", run)


# The text.


def test_the_tutorials_script_reads_like_the_tutorials() -> None:
    run = build("regression", max_steps=100)
    train(run, 100)
    text = assert_same("regression", run)
    assert len(text.splitlines()) < 40
    for needless in ("def ", "class ", "batch_size", "global", "base64"):
        assert needless not in text
    for line in ("model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))", "    loss.backward()",
                 "optimizer = torch.optim.SGD(model.parameters(), lr=0.5)", "for step in range(1, 101):"):  # fmt: skip
        assert line in text.splitlines()


def test_a_script_runs_by_itself_away_from_the_project(tmp_path: Path) -> None:
    run = build("classification", batch_size=10)
    train(run, 9)
    (tmp_path / "classification.py").write_text(script("classification", run.run_history()), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", "classification.py"], cwd=tmp_path, check=True, capture_output=True,
                          text=True, timeout=120)  # fmt: skip
    assert printed(script("classification", run.run_history()))[0] == {
        name: value for name, _, value in (line.rpartition(" ") for line in done.stdout.splitlines())
    }


@pytest.mark.parametrize("text", ['"""\nimport os', "a\nos.abort()", "\\", "x\r\ny", "\u2028z", "\x0cy", "'''; x"])
def test_whatever_is_in_a_comment_stays_in_it(text: str) -> None:
    found = comment(f"{text} " * 60)
    assert all(line.startswith("# ") for line in found.splitlines())
    compile(found, "script.py", "exec")


def test_numbers_are_written_so_that_they_are_read_back() -> None:
    values = torch.randn(500, 2, generator=torch.Generator().manual_seed(0)) * torch.logspace(-30, 30, 500)[:, None]
    found = eval(written(values), {"torch": torch})
    assert torch.equal(found, values)
    assert torch.equal(eval(written(torch.arange(5)), {"torch": torch}), torch.arange(5))


def test_code_beside_a_function_is_that_function() -> None:
    x = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    for each in INPUTS.values():
        assert torch.equal(eval(each.code, {"torch": torch, "x": x}), each.function(x))


def test_a_function_is_shown_without_what_a_beginner_does_not_write() -> None:
    def _square(x: float, *, times: int = 1) -> float:
        """Its square."""
        found: float = x**2 * times
        return found

    assert plain_source(_square) == (
        'def square(x, *, times=1):\n    """Its square."""\n    found = x**2 * times\n    return found'
    )


def test_functions_stand_apart() -> None:
    assert spaced("a = 1\n# What it does.\ndef f():\n    return 1\n\n\n\nb = 2\n\n\n\nc = 3") == (
        "a = 1\n\n\n# What it does.\ndef f():\n    return 1\n\n\nb = 2\n\nc = 3"
    )
