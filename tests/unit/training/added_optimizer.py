"""NAdam on offer by one record, in a process of its own: what test_optimizers.py runs before any lesson is imported.

It is trained, restored from a checkpoint, raced, swept and written as a script, as the optimizers on offer are.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from playground.training import optimizers, update_rules
from playground.training.optimizers import STEP, OptimizerChoice, StateTensor
from playground.training.update_rules import Line


def _nadam(
    weight: Tensor, gradient: Tensor, state: Mapping[str, Any], group: Mapping[str, Any]
) -> tuple[list[Line], Tensor]:
    """Dozat 2016, as torch writes it."""
    lr, eps, (beta1, beta2) = group["lr"], group["eps"], group["betas"]
    step = float(state.get("step", 0.0)) + 1
    now, coming = (beta1 * (1 - 0.5 * 0.96 ** (at * group["momentum_decay"])) for at in (step, step + 1))
    product = state.get("mu_product", torch.ones(())) * now
    mean = state.get("exp_avg", torch.zeros_like(weight)).clone().lerp_(gradient, 1 - beta1)
    square = state.get("exp_avg_sq", torch.zeros_like(weight)).clone().mul_(beta2)
    square.addcmul_(gradient, gradient, value=1 - beta2)
    size = square.div(1 - beta2**step).sqrt().add(eps)
    after = weight.clone().addcdiv_(gradient, size, value=(-lr * (1.0 - now) / (1.0 - product.item())))
    after.addcdiv_(mean, size, value=(-lr * coming) / (1.0 - product.item() * coming))
    parts = (weight, lr, 1 - now, gradient, coming, mean, size)
    return [Line("w", "w − lr · (… g + … m) / √v", "{} − {} · ({} · {} + {} · {}) / {}", parts, after)], after


optimizers.OPTIMIZERS["nadam"] = OptimizerChoice(
    "NAdam",
    torch.optim.NAdam,
    update_rules.with_weight_decay(_nadam),
    (
        STEP,
        StateTensor("mu_product", is_scalar=True),
        StateTensor("exp_avg", "m"),
        StateTensor("exp_avg_sq", "v", is_squared=True),
    ),
    settings=("beta1", "beta2"),
)


def main() -> None:
    """Raises AssertionError where the record is not enough."""
    from playground.lessons import LESSONS
    from playground.lessons.learning_rates.sweep import SweepConfig, build_map
    from playground.saving import checkpoint
    from playground.settings import Settings
    from tests.written_scripts import script

    names: dict[str, Mapping[str, Any]] = {
        "regression": {"optimizer": "nadam", "lr": 0.01},
        "classification": {"optimizer": "nadam", "lr": 0.01},
        "optimizers": {"racers": "sgd,nadam", "own": "NAdam(lr=0.02, betas=(0.8, 0.99))", "inside": "nadam"},
    }
    for name, values in names.items():
        lesson: Any = LESSONS[name]
        run = lesson.build(lesson.config(**values), settings=Settings())
        run.advance(60.0, 20)
        content = checkpoint.save(name, run)
        restored: Any = checkpoint.restore(checkpoint.load(content), lesson, Settings())[0]
        for each in (run, restored):
            each.advance(60.0, 10)
        weights = [torch.cat([p.detach().ravel() for p in each.model.parameters()]) for each in (run, restored)]
        assert torch.equal(*weights), f"{name}: restored, it trains as if it had never stopped"
        text = script(name, run.run_history())
        assert "torch.optim.NAdam(" in text
        with contextlib.redirect_stdout(io.StringIO()), torch.enable_grad():
            written: dict[str, Any] = {"__name__": "__main__"}
            exec(compile(text, "script.py", "exec"), written)
        models = written.get("race", written.get("model"))
        assert torch.equal(torch.cat([p.detach().ravel() for p in models.parameters()]), weights[0]), name
    assert run.race.racers[2].entry.optimizer == "nadam" and run.race.racers[2].group["betas"] == (0.8, 0.99)

    charts = run.draw(["memory", "reach", "rule"], {}).charts
    assert {trace["name"] for trace in charts["memory"]["data"]} >= {"m  (exp_avg)", "√v  (exp_avg_sq)"}
    shown = float(charts["rule"]["layout"]["meta"]["csv"].strip().rsplit('"', 2)[1].replace("−", "-"))
    run.advance(60.0, 1)
    assert shown == float(f"{run.race.racers[1].parameters[0][0, 0].item():.4g}"), "the rule gives the next weight"

    sweep = build_map(SweepConfig(optimizers="adam,nadam", seeds=1, steps=100))
    sweep.advance(60.0, 100)
    assert sweep.means(100)[0][1].min() < 0.1 < sweep.means(0)[0][1].min()
    assert "NAdam" in sweep.cell_texts(100)[-1]


if __name__ == "__main__":
    main()
