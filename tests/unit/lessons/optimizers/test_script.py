"""The exported script of a race: run with nothing but PyTorch, every racer ends at the very weights of the run's."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import torch

from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.lessons.optimizers.config import STANDARD, OptimizersConfig
from playground.runs import journal
from playground.saving import checkpoint
from playground.settings import Settings
from playground.training.optimizers import SCHEDULES
from tests.written_scripts import script

ALL = ",".join(STANDARD)
OWN = "SGD(lr=0.3, momentum=0.5), AdamW(lr=0.1), Adam(), Adam(lr=0.1, betas=(0.5, 0.9), weight_decay=0.1), Adam(lr=0.1)"


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lesson() -> LiveLesson:
    found = LESSONS["optimizers"]
    assert isinstance(found, LiveLesson)
    return found


def build(**values: Any) -> Any:
    return lesson().build(OptimizersConfig(**{"points": 50, "hidden": 4, **values}), settings=Settings())


def train(run: Any, count: int) -> None:
    for _ in range(count):
        run.step()


def turn(run: Any, **values: Any) -> None:
    run.tune(run.config.with_values(**values))


def printed(text: str) -> tuple[list[str], Mapping[str, Any]]:
    """The lines that a script prints, and the names that it leaves behind."""
    assert "playground" not in text.lower()
    names: dict[str, Any] = {"__name__": "__main__"}
    with torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(text, "script.py", "exec"), names)
    return output.getvalue().splitlines(), names


@torch.no_grad()
def assert_same(run: Any) -> str:
    """Each racer of the script ends at this run's weights, memory, rate and loss, to the last bit; returns its text."""
    text = script("optimizers", run.run_history())
    lines, names = printed(text)
    x, y, racers = run.data.x_train, run.data.y_train, run.race.racers
    assert torch.equal(names["x_train"], x) and torch.equal(names["y_train"], y)
    losses = [f"{racer.entry.label} loss {run.race.loss_fn(racer.trainer.model(x), y).item()}" for racer in racers]
    assert lines == [f"step {run.steps}", *losses]
    assert names["running"] == [racer.entry.label for racer in run.race.running]
    for racer, model, optimizer in zip(racers, names["models"].values(), names["optimizers"].values(), strict=True):
        for mine, its in zip(racer.parameters, model.parameters(), strict=True):
            assert torch.allclose(mine, its, rtol=0.0, atol=0.0, equal_nan=True), racer.entry.label
            for key, value in racer.trainer.optimizer.state.get(mine, {}).items():
                other = optimizer.state[its][key]
                assert value is other or torch.allclose(value, other, rtol=0.0, atol=0.0, equal_nan=True), key
        if not racer.left and run.steps:
            mine, its = racer.group, optimizer.param_groups[0]
            assert all(its[key] == mine[key] for key in mine if key not in ("params", "foreach", "lr"))
            if run.config.schedule == "constant":
                assert its["lr"] == mine["lr"]
    return text


STARTS: list[dict[str, Any]] = [
    {},
    {"racers": ALL, "momentum": 0.0, "rho": 0.5, "weight_decay": 0.2, "beta1": 0.3, "beta2": 0.4, "alpha": 0.6},
    {"racers": "sgd,adagrad,nesterov", "own": OWN, "batch_size": 8, "lr": 0.03},
    {"fair": False, "target": "sine", "activation": "tanh", "noise": 0.5, "seed": 7, "batch_size": 0},
    {"racers": "adam", "own": "Adam(lr=0.1), SGD(lr=0.1, momentum=0.9, nesterov=True)", "fair": False, "points": 100},
]


@pytest.mark.parametrize("values", STARTS)
def test_every_racer_ends_at_the_weights_and_loss_of_its_run(values: dict[str, Any]) -> None:
    run = build(**values)
    train(run, 13)
    assert_same(run)


@pytest.mark.parametrize("schedule", [name for name in SCHEDULES if name != "constant"])
@pytest.mark.parametrize("max_steps", [32, 0])
def test_a_schedule_gives_the_same_rates_also_when_its_plan_begins_again(schedule: str, max_steps: int) -> None:
    run = build(schedule=schedule, max_steps=max_steps, racers="sgd,adam", own="Adam(lr=0.1)")
    train(run, 40)
    assert_same(run)


def test_the_tutorials_race_reads_as_one_loop_over_the_racers() -> None:
    run = build(points=1000, hidden=20)
    train(run, 7)
    text = assert_same(run)
    assert "range(1, 8)" in text and "All start from the same weights." in text
    for needless in ("global steps", "schedule", "rates", "base64"):
        assert needless not in text
    for line in ('    "SGD": torch.optim.SGD(models["SGD"].parameters(), lr=0.01),',
                 '    "Momentum": torch.optim.SGD(models["Momentum"].parameters(), lr=0.01, momentum=0.8),',
                 '    "RMSprop": torch.optim.RMSprop(models["RMSprop"].parameters(), lr=0.01, alpha=0.9),',
                 '    "Adam": torch.optim.Adam(models["Adam"].parameters(), lr=0.01, betas=(0.9, 0.99)),'):  # fmt: skip
        assert line in text.splitlines()


def test_own_starts_are_said_and_entries_that_do_not_race_too() -> None:
    text = assert_same(build(racers=ALL, own="SGD(lr=0.1)", fair=False)).replace("\n# ", " ")
    assert "for step" not in text
    assert "Each starts from its own weights." in text and "the last own entries were left out" in text
    assert "The own entries could not be read" in assert_same(build(own="Adam(lr=0.1")).replace("\n# ", " ")


def test_racers_of_the_same_label_are_kept_apart() -> None:
    run = build(racers="sgd", own="Adam(lr=0.1), Adam(lr=0.10000001)")
    train(run, 5)
    lines, _ = printed(script("optimizers", run.run_history()))
    assert [line.partition(" loss")[0] for line in lines] == ["step 5", "SGD", "Adam 0.1 (2)", "Adam 0.1 (3)"]


# Live changes.


def test_turned_knobs_are_turned_after_the_same_steps() -> None:
    run = build(racers=ALL, batch_size=16)
    train(run, 3)
    turn(run, lr=0.03)
    train(run, 3)
    turn(run, momentum=0.0, beta1=0.5, alpha=0.5, rho=0.1, weight_decay=0.5)
    turn(run, over="epoch", inside="sgd", surface_lr=0.3)
    train(run, 3)
    turn(run, batch_size=0)
    train(run, 2)
    turn(run, batch_size=8, momentum=0.3, max_steps=96)
    train(run, 4)
    text = assert_same(run)
    assert "# After step 3. Learning rate: 0.01 → 0.03." in text
    assert "Horizontal axis" not in text, "it changes no step"


def test_a_rate_of_their_own_stays_while_the_shared_one_is_turned() -> None:
    run = build(racers="sgd", own="Adam(lr=0.1), Adam()")
    train(run, 3)
    turn(run, lr=0.3)
    train(run, 3)
    assert "Adam 0.3" in assert_same(run)
    assert run.race.racers[1].group["lr"] == 0.1


def test_schedules_are_changed_after_the_same_steps() -> None:
    run = build(racers="sgd,adam", own="Adam(lr=0.1)")
    train(run, 3)
    turn(run, schedule="cosine")
    train(run, 3)
    turn(run, lr=0.1)
    train(run, 3)
    turn(run, max_steps=64, schedule="one_cycle")
    train(run, 60)
    turn(run, schedule="constant", lr=0.03)
    train(run, 3)
    assert_same(run)


def test_a_racer_that_has_left_stays_out() -> None:
    run = build(own="SGD(lr=100)", lr=0.1)
    train(run, 12)
    turn(run, lr=0.3, momentum=0.1)
    train(run, 8)
    assert run.race.racers[-1].left and len(run.race.running) == 4
    assert_same(run)


# Where no seed leads.


@pytest.mark.parametrize("values", [{"racers": ALL, "momentum": 0.0}, {"own": "SGD(lr=50)", "schedule": "cosine"}])
def test_a_restored_race_is_written_from_the_step_of_its_file(values: dict[str, Any]) -> None:
    first = build(batch_size=16, **values)
    train(first, 4)
    saved = checkpoint.load(checkpoint.save("optimizers", first))
    run, _ = checkpoint.restore(saved, lesson(), Settings())
    train(run, 3)
    turn(run, lr=0.03, momentum=0.5)
    train(run, 3)
    text = assert_same(run)
    assert "The run was restored from a file" in text and "weights_only=True" in text


def test_so_many_changes_that_the_script_begins_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_CHANGES", 3)
    run = build(own="SGD(lr=100)")
    for number in range(7):
        train(run, 3)
        turn(run, lr=(0.1, 0.03)[number % 2])
    assert run.race.racers[-1].left
    assert "so the script begins after step" in assert_same(run)
