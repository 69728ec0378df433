"""Whether a remark of the narrator is true, found out in another way than by its own rule.

What stands in the run is measured again (units, outputs, losses, gradients). What keeps a loss up is asked of the run
itself: a copy trains on without it, beside one that trains on as before.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from playground.saving import branch
from playground.training import models
from tests.claims.walks.walk import Moment, train

AHEAD = 150  # steps of a copy
FAR_AHEAD = 600  # where a cause keeps the loss up for long
BETTER = 0.99  # of the loss of the run that goes on as before
STILL = 0.9  # of a loss that no longer falls: in so few steps it does not fall lower
SOON = 30
CLOSE = 1e-5


def is_true(lesson: str, now: Moment) -> bool:
    """Whether the remark of a moment is true; rules that only state numbers of the status line are."""
    check = CHECKS.get(lesson, ON_POINTS).get(now.said.rule)
    with np.errstate(all="ignore"):
        return check is None or bool(check(now.run if lesson != "optimizers" else now, now.said.evidence))


def course(run: Any, steps: int = AHEAD, **knobs: Any) -> float:
    """The mean training loss of a copy over the last third of so many more steps, with other knobs."""
    names = run.config.knobs()
    values = {name: value for name, value in knobs.items() if name in names}
    copy = branch.branched(run, run.config.with_values(**{"max_steps": 0, "target_loss": 0.0} | values))
    losses = []
    for at in range(20):
        train(copy, steps // 20)
        if at >= 14:
            losses.append(math.inf if copy.outcome == "failed" else copy.losses_now()["train"])
    return float(np.mean(losses))


def helps(steps: int = AHEAD, **knobs: Any) -> Callable[[Any, Any], bool]:
    """Whether the loss gets lower with other knobs."""
    return lambda run, found: course(run, steps, **knobs) < BETTER * course(run, steps)


def rate(run: Any, factor: float) -> float:
    """The rate of a page that is nearest to the current one times a factor."""
    options = run.config.knobs()["lr"].options
    return float(min(options, key=lambda each: abs(math.log(each / (run.config.lr * factor)))))


def some_rate_helps(*factors: float, within: tuple[int, ...] = (AHEAD,)) -> Callable[[Any, Any], bool]:
    """Whether the loss gets lower at one of these shares of the rate, in one of these numbers of steps."""

    def check(run: Any, found: Any) -> bool:
        return any(
            course(run, steps, lr=rate(run, factor)) < BETTER * now
            for steps in within
            for now in (course(run, steps),)
            for factor in factors
        )

    return check


def smaller_noise_helps(run: Any, found: Any) -> bool:
    """Whether the whole data, or a lower rate, lowers a loss that bounces."""
    now = course(run)
    return course(run, batch_size=0) < BETTER * now or course(run, lr=rate(run, 0.1)) < BETTER * now


def no_longer_falls(run: Any, found: Any = None) -> bool:
    """Whether the loss does not fall in the steps to come."""
    return course(run, SOON) > STILL * run.losses_now()["train"]


# What stands in a run.


@torch.no_grad()
def outputs(run: Any) -> Tensor:
    """The outputs for the training points (points, outputs)."""
    found: Tensor = run.model(run.trainer.batches.x)
    return found


@torch.no_grad()
def dead(run: Any) -> list[Tensor]:
    """Of each hidden layer, which units are 0 for all training points."""
    x, found = run.trainer.batches.x, []
    for module in list(run.model)[:-1]:
        plain = module[0] if isinstance(module, nn.Sequential) else module
        x = plain(x)
        if not isinstance(plain, nn.Linear):
            found.append((x == 0).all(dim=0))
    return found


def gradient_sizes(run: Any) -> list[float]:
    """The norm of each layer's gradient on the training points, per weight."""
    batches, x = run.trainer.batches, run.trainer.batches.x
    weights = [layer.weight for layer in models.linears(run.model)]
    with torch.enable_grad():
        for module in run.model:  # without dropout
            x = (module[0] if isinstance(module, nn.Sequential) else module)(x)
        slopes = torch.autograd.grad(run.trainer.loss_fn(x, batches.y), weights)
    return [float(each.norm()) / each.numel() ** 0.5 for each in slopes]


def _targets(run: Any) -> Tensor:
    found: Tensor = run.trainer.batches.y
    return found


def _spread(values: Tensor) -> float:
    return float(values.double().std(correction=0))


def _accuracy(run: Any) -> float:
    return float((outputs(run).argmax(dim=1) == _targets(run)).double().mean())


def _constant_loss(run: Any) -> float:
    shares = torch.bincount(_targets(run)) / len(_targets(run))
    logits = shares.clamp_min(1e-9).log().expand(len(_targets(run)), -1)
    size = run.config.outputs - logits.shape[1]
    logits = torch.cat([logits, torch.full((len(logits), size), -20.0)], dim=1) if size else logits
    fn = run.trainer.loss_fn
    plain = fn.loss_fn if hasattr(fn, "loss_fn") else fn
    return float(plain(logits, _targets(run)))


# The remarks.


def _kept(run: Any, found: Any) -> bool:
    held = [each.grad for each in run.model.parameters() if each.grad is not None]
    return not run.config.zero_grad and run.steps > 0 and any(bool(each.any()) for each in held)


def _same_units(run: Any, found: Any) -> bool:
    layer = models.linears(run.model)[found.layer - 1]
    rows = torch.cat([layer.weight, layer.bias[:, None]], dim=1)
    return bool(torch.allclose(rows, rows[:1].expand_as(rows), rtol=CLOSE, atol=CLOSE))


def _dead(run: Any, found: Any) -> bool:
    layers = dead(run)
    if found.layer:
        return bool(layers[found.layer - 1].all())
    return sum(int(each.sum()) for each in layers) == found.dead


def _overfitting(run: Any, found: Any) -> bool:
    now = run.losses_now()
    rows = {int(step): at for at, step in enumerate(run.history.steps())}
    at = rows.get(found.best_at)
    if found.best_at == run.period.start and run.period.losses:
        then = run.period.losses["train"], run.period.losses["test"]
    elif at is None:
        return False
    else:
        then = float(run.history.column("train")[at]), float(run.history.column("test")[at])
    return bool(now["train"] < then[0] and now["test"] > 1.1 * then[1])


def _without_penalties(run: Any, found: Any) -> bool:
    return helps(FAR_AHEAD, weight_decay=0.0, l1=0.0)(run, found)


def _collapsed(run: Any, found: Any) -> bool:
    fresh = run.rebuilt(run.config.with_values(**_known(run, weight_decay=0.0, l1=0.0, max_steps=0)))
    train(fresh, 1500)
    smallest = min(float(each.weight.detach().abs().max()) for each in models.linears(run.model))
    return bool(fresh.losses_now()["train"] < 0.95 * run.losses_now()["train"]) and smallest <= 0.06


def _known(run: Any, **knobs: Any) -> dict[str, Any]:
    return {name: value for name, value in knobs.items() if name in run.config.knobs()}


def _dropout_noise(run: Any, found: Any) -> bool:
    return run.config.dropout > 0 and run.trainer.batches.whole


def _outliers(run: Any, found: Any) -> bool:
    squares = np.sort(((outputs(run) - _targets(run))[:, 0] ** 2).numpy().astype(float))[::-1]
    share = squares[: found.points].sum() / squares.sum()
    return abs(100 * share - found.percent) < 0.5 and found.points <= max(1, 0.05 * len(squares)) and share > 0.5


def _noise(run: Any, found: Any) -> bool:
    edits = run.edits
    return edits.rows is None and not edits.clicks and no_longer_falls(run)


def _linear(run: Any, found: Any) -> bool:
    return run.config.activation == "identity" and no_longer_falls(run)


def _no_layer(run: Any, found: Any) -> bool:
    return not run.config.widths and no_longer_falls(run)


def _dies(run: Any, found: Any) -> bool:
    return gradient_sizes(run)[0] < 0.01 * found.last and no_longer_falls(run)


def _constant(run: Any, found: Any) -> bool:
    return _spread(outputs(run)) < 0.11 * _spread(_targets(run))


def _one_prediction(run: Any, found: Any) -> bool:
    return outputs(run).argmax(dim=1).unique().tolist() == [found.label]


def _guessing(run: Any, found: Any) -> bool:
    return run.losses_now()["train"] > 0.85 * _constant_loss(run) and no_longer_falls(run)


def _higher(run: Any, found: Any) -> bool:
    return bool(run.losses_now()["train"] > found.first)


def _lower(run: Any, found: Any) -> bool:
    return bool(run.losses_now()["train"] < found.first)


def _target_scale(run: Any, found: Any) -> bool:
    y = _targets(run)
    return max(abs(float(y.mean())), _spread(y)) > 40


def _far(run: Any, found: Any) -> bool:
    return float(run.data.x_train.abs().max()) > 9


def _one_class(run: Any, found: Any) -> bool:
    return _targets(run).unique().tolist() == [found.label]


ON_POINTS: dict[str, Callable[[Any, Any], bool]] = {
    "past": lambda run, found: not run.view().is_current,
    "far": _far,
    "target scale": _target_scale,
    "diverged": lambda run, found: run.outcome == "failed",
    "one class": _one_class,
    "kept gradients": _kept,
    "same units": _same_units,
    "dead layer": _dead,
    "dead units": _dead,
    "perfect": lambda run, found: run.losses_now()["train"] == 0,
    "overfitting": _overfitting,
    "collapsed": _collapsed,
    "penalty rise": _without_penalties,
    "penalty": _without_penalties,
    "dropout noise": _dropout_noise,
    "dropout": helps(dropout=0.0),
    "bouncing": some_rate_helps(0.3, 0.1, 0.03),
    "noisy": smaller_noise_helps,
    "softmax twice": lambda run, found: run.config.loss == "softmax_twice",
    "noise": _noise,
    "outliers": _outliers,
    "no layer": _no_layer,
    "no layer, classes": _no_layer,
    "linear": _linear,
    "dies backwards": _dies,
    # A run that is slow may come through its plateau by itself: longer steps are through sooner.
    "slow": some_rate_helps(3.0, 10.0, 100.0, 1e5, within=(AHEAD, FAR_AHEAD)),
    "rising": _higher,
    "falling again": _higher,
    "rising again": _higher,
    "constant": _constant,
    "one prediction": _one_prediction,
    "guessing": _guessing,
    "plateau, classes": no_longer_falls,
    "plateau": no_longer_falls,
    "around": no_longer_falls,
    "settled": no_longer_falls,
    "all falls": lambda run, found: _accuracy(run) == 1,
    "all": lambda run, found: _accuracy(run) == 1,
    "classes": _lower,
    "falling": _lower,
}


# CNN.

GUESSING = math.log(10)


def _batch_loss(run: Any) -> float:
    """The mean loss of the next 600 images of a copy, in its batches."""
    steps = -(-600 // run.config.batch_size)
    copy = branch.branched(run, run.config.with_values(epochs=0))
    copy.metrics.row()
    train(copy, steps)
    row = copy.metrics.row()
    return math.inf if copy.outcome == "failed" else row.get("train", float(copy.history.column("train")[-1]))


def _cnn_guesses(run: Any, found: Any) -> bool:
    return _batch_loss(run) > 0.9 * GUESSING


def _cnn_blank(run: Any, found: Any) -> bool:
    stages = [each for each in run.view().predictions.stages if each.kind == "activation"]
    return not stages[found.layer - 1].output.any()


def _cnn_dies(run: Any, found: Any) -> bool:
    return run.config.activation in ("sigmoid", "softplus", "tanh") and _cnn_guesses(run, found)


def _cnn_rises(run: Any, found: Any) -> bool:
    return _batch_loss(run) > found.first


ON_DIGITS: dict[str, Callable[[Any, Any], bool]] = {
    "failed": lambda run, found: run.outcome == "failed",
    "guessing": _cnn_guesses,
    "blank": _cnn_blank,
    "dies backwards": _cnn_dies,
    "rising": _cnn_rises,
    "tested": lambda run, found: run.outcome == "done",
    "overfitted": lambda run, found: found.train_percent > found.test_percent,
    "sorted": lambda run, found: run.config.train_order == "sorted",
}


# The race.


def _race_rises(now: Moment, found: Any) -> bool:
    """Whether the change made it rise: beside a race without the change."""
    if now.unchanged is None:
        return True
    train(now.unchanged, max(0, now.run.steps - now.unchanged.steps))
    as_before, now_ = (_race_losses(race) for race in (now.unchanged.race, now.run.race))
    risen = [name for name in now_ if name in found.risen]
    return any(now_[name] > 1.1 * as_before.get(name, 0.0) for name in risen)


@torch.no_grad()
def _race_losses(race: Any) -> dict[str, float]:
    """The loss on all points of each running racer."""
    x, y = race.batches.x, race.batches.y
    return {racer.entry.label: float(((racer.trainer.model(x) - y) ** 2).mean()) for racer in race.running}


def _race_dead(now: Moment, found: Any) -> bool:
    x, y = now.run.race.batches.x, now.run.race.batches.y
    del y
    named = [racer for racer in now.run.race.running if racer.entry.label in found.names]
    with torch.no_grad():
        return bool(named) and all(not racer.trainer.model[:2](x).any() for racer in named)


def _race_gone(now: Moment, found: Any) -> bool:
    return any(racer.left for racer in now.run.race.racers)


def _race_leads(now: Moment, found: Any) -> bool:
    losses = _race_losses(now.run.race)
    lowest = min(losses.values())
    return all(losses[name] <= lowest * 1.0001 for name in losses if name in found.leader)


IN_RACES: dict[str, Callable[[Any, Any], bool]] = {
    "rising": _race_rises,
    "dead": _race_dead,
    "dropped out": _race_gone,
    "nobody": lambda now, found: not now.run.race.running,
    "leads": _race_leads,
    "over": _race_leads,
}
CHECKS: dict[str, dict[str, Callable[[Any, Any], bool]]] = {"cnn": ON_DIGITS, "optimizers": IN_RACES}
