"""The records build torch's own optimizers, one record adds an optimizer, and the schedules are torch's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from playground.training.optimizers import OPTIMIZERS, SCHEDULES, build_optimizer, torch_settings

Make = Callable[[torch.optim.Optimizer, int], Any]

TORCH: dict[str, Make] = {
    "constant": lambda o, _: lr_scheduler.ConstantLR(o, factor=1.0),
    "step": lambda o, total: lr_scheduler.StepLR(o, step_size=-(-total // 3), gamma=0.1),
    "cosine": lambda o, total: lr_scheduler.CosineAnnealingLR(o, T_max=total),
    "one_cycle": lambda o, total: lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=total, cycle_momentum=False),
    "warm_up": lambda o, total: lr_scheduler.LinearLR(
        o, start_factor=1 / round(0.1 * total), total_iters=round(0.1 * total) - 1
    ),
}


def weights() -> list[torch.Tensor]:
    return [torch.zeros(3, requires_grad=True)]


def test_the_tutorials_four_are_built_as_it_writes_them() -> None:
    sgd = build_optimizer("sgd", weights(), lr=0.01)
    momentum = build_optimizer("momentum", weights(), lr=0.01, settings={"momentum": 0.8})
    rmsprop = build_optimizer("rmsprop", weights(), lr=0.01, settings={"alpha": 0.9})
    adam = build_optimizer("adam", weights(), lr=0.01, settings={"beta1": 0.9, "beta2": 0.99})
    expected = [
        torch.optim.SGD(weights(), lr=0.01),
        torch.optim.SGD(weights(), lr=0.01, momentum=0.8),
        torch.optim.RMSprop(weights(), lr=0.01, alpha=0.9),
        torch.optim.Adam(weights(), lr=0.01, betas=(0.9, 0.99)),
    ]
    for built, torchs in zip((sgd, momentum, rmsprop, adam), expected, strict=True):
        assert type(built) is type(torchs)
        assert built.defaults | {"foreach": None} == torchs.defaults


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_settings_left_out_have_torchs_defaults(name: str) -> None:
    built, torchs = build_optimizer(name, weights(), lr=0.1), OPTIMIZERS[name].type(weights(), lr=0.1)
    own = {"foreach", "weight_decay", *OPTIMIZERS[name].fixed, "momentum"}
    assert {k: v for k, v in built.defaults.items() if k not in own} == {
        k: v for k, v in torchs.defaults.items() if k not in own
    }


def test_settings_of_others_are_left_out() -> None:
    every = {"momentum": 0.5, "alpha": 0.6, "rho": 0.7, "beta1": 0.8, "beta2": 0.9, "weight_decay": 0.1}
    assert torch_settings("sgd", every) == {"weight_decay": 0.1}
    assert torch_settings("adamw", every) == {"betas": (0.8, 0.9), "weight_decay": 0.1}
    assert torch_settings("nesterov", every) == {"momentum": 0.5, "weight_decay": 0.1}


@pytest.mark.parametrize("total", [60, 384])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_torchs_own(name: str, total: int) -> None:
    optimizer = torch.optim.SGD(weights(), lr=1.0)
    scheduler = TORCH[name](optimizer, total)
    for step in range(total):
        assert SCHEDULES[name].factor(step, total) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 3, 10])
def test_a_short_plan_has_a_factor_at_every_step(name: str, total: int) -> None:
    assert all(0 <= SCHEDULES[name].factor(step, total) <= 1 for step in range(total))


def test_nesterov_without_momentum_is_plain_descent_until_it_gets_one() -> None:
    with_none, plain = nn.Linear(2, 1), nn.Linear(2, 1)
    plain.load_state_dict(with_none.state_dict())
    nesterov = build_optimizer("nesterov", with_none.parameters(), lr=0.1, momentum=0.0)
    sgd = torch.optim.SGD(plain.parameters(), lr=0.1)
    for momentum in (0.0, 0.0, 0.5, 0.5):
        if momentum:
            nesterov.param_groups[0]["momentum"] = momentum
            sgd.param_groups[0].update(momentum=momentum, nesterov=True)
        for model, optimizer in ((with_none, nesterov), (plain, sgd)):
            optimizer.zero_grad()
            model(torch.ones(1, 2)).square().sum().backward()
            optimizer.step()
        assert torch.equal(with_none.weight, plain.weight)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_is_torchs_own_and_leaves_no_record_for_its_profiler(name: str) -> None:
    def trained(optimizer: torch.optim.Optimizer) -> tuple[torch.Tensor, set[str]]:
        (weight,) = optimizer.param_groups[0]["params"]
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            for slope in (0.5, -2.0, 3.0):
                weight.grad = torch.full_like(weight, slope)
                optimizer.step()
        return weight.detach(), {event.key for event in profile.key_averages() if "Optimizer.step" in event.key}

    choice = OPTIMIZERS[name]
    plain = choice.type(
        weights(), **dict(choice.fixed, lr=0.1, weight_decay=0.0) | ({"momentum": 0.9} if choice.momentum else {})
    )
    ours, ours_recorded = trained(build_optimizer(name, weights(), lr=0.1))
    torchs, torchs_recorded = trained(plain)
    assert torch.equal(ours, torchs)
    assert torchs_recorded, "torch records its steps: else there would be nothing to leave out"
    assert not ours_recorded


def test_one_record_adds_an_optimizer_that_trains_is_restored_races_sweeps_and_is_written_as_a_script() -> None:
    """In a process of its own, since lessons read OPTIMIZERS when they are imported."""
    script = Path(__file__).with_name("added_optimizer.py")
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"],
        cwd=root, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_records_of_one_class_have_the_same_state() -> None:
    for choice in OPTIMIZERS.values():
        twins = [each for each in OPTIMIZERS.values() if each.type is choice.type]
        assert all(each.state == choice.state for each in twins)
