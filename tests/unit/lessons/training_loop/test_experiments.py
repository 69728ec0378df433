"""What the experiments of the lesson say happens, does: each has a check, by its id, with either kind of digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import pytest
import torch

from playground.experiments import experiments
from playground.lessons.training_loop import paired_shapes, shape_walk
from playground.lessons.training_loop.lesson import LESSON
from playground.lessons.training_loop.loop import BACKWARD, LINES, LOSS, STEP, Record
from playground.lessons.training_loop.one_step import OneStepConfig, OneStepRun
from playground.settings import Settings
from tests.recorded.record import small_digits

BENCHES = ("training_loop_step", "training_loop_shapes", "training_loop_pairs")
EXPERIMENTS = {each.id: each.config for each in experiments(LESSON) if each.bench.name in BENCHES}
CHECKS: dict[str, Callable[[Any], None]] = {}


def of(*ids: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register the check of experiments, which gets their config."""

    def register(check: Callable[[Any], None]) -> Callable[[Any], None]:
        CHECKS.update(dict.fromkeys(ids, check))
        return check

    return register


@pytest.fixture(params=["MNIST or what is here", "small digits"], autouse=True)
def digits(request: pytest.FixtureRequest) -> Iterator[None]:
    with small_digits() if request.param == "small digits" else nullcontext():
        yield


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_what_an_experiment_says_happens(experiment: str) -> None:
    assert experiment in CHECKS, "say in this file what happens in a new experiment"
    CHECKS[experiment](EXPERIMENTS[experiment])


def test_no_check_is_left_of_an_experiment_that_is_gone() -> None:
    assert CHECKS.keys() == EXPERIMENTS.keys()


# One step


def records(config: OneStepConfig, **values: Any) -> list[Record]:
    run = OneStepRun(config.with_values(**values), Settings())
    run.advance(float("inf"), 10_000)
    return run.loop.records[1:]


def steps(config: OneStepConfig, **values: Any) -> list[Record]:
    return [record for record in records(config, **values) if record.line == STEP]


def weights(config: OneStepConfig, **values: Any) -> list[bytes]:
    return [each.value.tobytes() for each in records(config, **values)[-1].parameters]


@of("five-lines")
def _(config: Any) -> None:
    assert {record.line for record in records(config) if record.moved} == {STEP}


@of("same-batch-twice")
def _(config: Any) -> None:
    found = steps(config)
    assert len(found) == 40 and all(record.after < record.loss for record in found)
    assert any(after.loss > before.loss for before, after in pairwise(found))


@of("too-large-a-step")
def _(config: Any) -> None:
    assert config.lr == 10 * OneStepConfig().lr and sum(record.after > record.loss for record in steps(config)) == 8
    assert not any(record.after > record.loss for record in steps(config, lr=0.3))


@of("without-zero-grad")
def _(config: Any) -> None:
    found = steps(config)
    assert max(record.loss for record in found[-10:]) > 10 * found[0].loss > 10 * steps(config, zero_grad=True)[-1].loss
    assert found[-1].moved > 10 * found[0].moved


@of("zero-grad-last")
def _(config: Any) -> None:
    run = OneStepRun(config, Settings())
    run.advance(float("inf"), 10_000)
    assert weights(config) == weights(config, order="usual")


@of("zero-grad-late", "step-before-backward")
def _(config: Any) -> None:
    found = records(config)
    assert not any(record.moved for record in found) and {record.line for record in found} == set(LINES)
    losses = [record.loss for record in found if record.line == LOSS]
    assert losses[:4] * 10 == losses, "the same for the same batch, to the last digit"


def layers(config: OneStepConfig, **values: Any) -> dict[str, Any]:
    return {layer.module: layer for layer in records(config, **values)[0].layers}


@of("train-mode")
def _(config: Any) -> None:
    found = layers(config)
    assert abs(found["BatchNorm2d"].mean) < 1e-4 and found["BatchNorm2d"].std == pytest.approx(1, abs=0.01)
    assert found["Dropout"].zeros > found["Flatten"].zeros


@of("eval-mode")
def _(config: Any) -> None:
    found, trained = layers(config), layers(config, mode="train")
    assert found["Dropout"].zeros == found["Flatten"].zeros and found["Conv2d"] != found["BatchNorm2d"]
    assert found["Conv2d"].std == trained["Conv2d"].std and found["BatchNorm2d"].std != trained["BatchNorm2d"].std
    assert records(config)[3].line == BACKWARD and records(config)[3].grad_norm


@of("bias-without-gradient")
def _(config: Any) -> None:
    largest = {each.name: abs(each.grad).max() for each in records(config)[3].parameters if each.grad is not None}
    assert largest["0.bias"] < 1e-3 * min(size for name, size in largest.items() if name != "0.bias")
    found = records(config, mode="eval")[3].parameters[1]
    assert found.name == "0.bias" and found.grad is not None and abs(found.grad).max() > 0.01


@of("under-no-grad")
def _(config: Any) -> None:
    assert [(record.line, bool(record.error)) for record in records(config)][-1] == (BACKWARD, True)


# Shape walk


def failure(config: Any, **values: Any) -> tuple[str, str]:
    """The layer that fails, and torch's message; ("", "") where it fits."""
    found = [stop for stop in shape_walk.walk(config.with_values(**values)) if stop.error]
    return (found[0].kind, found[0].error) if found else ("", "")


@of("first-linear")
def _(config: Any) -> None:
    kind, error = failure(config)
    assert kind == "linear" and "8x1568 and 784x10" in error and failure(config, in_features=1568) == ("", "")


@of("it-fits")
def _(config: Any) -> None:
    stops = shape_walk.walk(config)
    assert stops[-1].shape == (8, 10) and stops[-3].shape == (8, 32, 7, 7)
    assert failure(config, padding=0)[0] == "linear"


@of("wrong-in-channels")
def _(config: Any) -> None:
    kind, error = failure(config)
    assert kind == "conv" and "weight of size [32, 4, 3, 3]" in error and "input[8, 8, 14, 14]" in error
    assert failure(config, in_channels=8)[0] == "linear"


@of("no-flatten")
def _(config: Any) -> None:
    assert "1792x7" in failure(config)[1] and failure(config, in_features=7) == ("", "")
    assert shape_walk.walk(config.with_values(in_features=7))[-1].shape == (8, 32, 7, 10)


@of("batch-flattened")
def _(config: Any) -> None:
    assert "1x12544 and 1568x10" in failure(config)[1] and failure(config, flatten="module") == ("", "")


@of("no-channel-axis")
def _(config: Any) -> None:
    kind, error = failure(config)
    assert kind == "conv" and "expected input[1, 8, 28, 28] to have 1 channels, but got 8" in error
    assert shape_walk.walk(config)[0].shape == (8, 28, 28)


@of("too-small")
def _(config: Any) -> None:
    kind, error = failure(config)
    assert kind == "pool" and "Output size is too small" in error
    assert failure(config, pool=2)[0] != "pool"


# (n) against (n, 1)


def losses(config: Any) -> tuple[float, float, float, float, str]:
    """The loss and the R² with these shapes, with equal ones, and what torch prints."""
    these, equal = paired_shapes.draw_pairs(config).tables[0].rows
    numbers = (float(cell.replace("−", "-")) for cell in (these[4], these[5], equal[4], equal[5]))
    return *numbers, these[6]  # type: ignore[return-value]


@of("every-pair")
def _(config: Any) -> None:
    loss, fit, equal_loss, equal_fit, warning = losses(config)
    assert fit == 0 and equal_fit > 0.9 and loss > 10 * equal_loss and "target size" in warning
    slope, intercept = paired_shapes.train(config, config.prediction, config.target)
    assert abs(slope) < 1e-4 and intercept.item() == pytest.approx(paired_shapes.points(config)[1].mean().item())
    assert paired_shapes.draw_pairs(config).note.startswith("36 differences instead of 6")


@of("squeezed")
def _(config: Any) -> None:
    loss, _, equal_loss, _, warning = losses(config)
    assert loss == equal_loss and warning == paired_shapes.NO_WARNING
    assert losses(config.with_values(prediction="column", target="column"))[0] == loss


@of("other-way-round")
def _(config: Any) -> None:
    assert losses(config)[:4] == losses(config.with_values(prediction="column", target="flat"))[:4]
    assert losses(config)[1] == 0


@of("with-l1")
def _(config: Any) -> None:
    slope, intercept = paired_shapes.train(config, config.prediction, config.target)
    y = paired_shapes.points(config)[1].sort().values
    assert abs(slope) < 0.02 and y[1] < intercept < y[4] and "UserWarning" in losses(config)[4]


@of("at-the-start")
def _(config: Any) -> None:
    loss, _, equal_loss, _, _ = losses(config)
    assert loss == equal_loss
    later = losses(config.with_values(steps=100))
    assert later[2] < 0.1 * equal_loss and later[0] > 0.9 * loss


@of("without-noise")
def _(config: Any) -> None:
    loss, _, equal_loss, _, _ = losses(config)
    assert equal_loss == 0 and loss > 1


def test_the_warning_is_torchs_own() -> None:
    column, row = torch.zeros(3, 1), torch.zeros(3)
    with pytest.warns(UserWarning, match="different to the input size") as caught:
        torch.nn.functional.mse_loss(column, row)
    warning = paired_shapes.warning_of(torch.nn.functional.mse_loss, column, row)
    assert warning == f"UserWarning: {caught[0].message}"
