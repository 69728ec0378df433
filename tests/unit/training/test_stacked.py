"""Stacked trainings: each copy learns what torch alone would teach it, and none disturbs another."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from playground.training.models import mlp
from playground.training.stacked import RULES, SGD, Momentum, Rule, Stacked, StackedOptimizer
from playground.training.trainer import OPTIMIZERS

COPIES, STEPS = 5, 40
TORCH: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {}),
    "nesterov": (torch.optim.SGD, {"nesterov": True}),
    "adagrad": (torch.optim.Adagrad, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adadelta": (torch.optim.Adadelta, {}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
}
RATES = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "adagrad": 0.1, "adadelta": 1.0}  # others: 0.02
SETTINGS: list[tuple[str, dict[str, list[float]]]] = [
    ("sgd", {}),
    ("momentum", {"momentum": [0.0, 0.5, 0.8, 0.9, 0.95]}),
    ("nesterov", {"momentum": [0.1, 0.5, 0.8, 0.9, 0.95]}),
    ("adagrad", {}),
    ("rmsprop", {"alpha": [0.5, 0.9, 0.95, 0.99, 0.999]}),
    ("adadelta", {"rho": [0.5, 0.8, 0.9, 0.95, 0.99]}),
    ("adam", {}),
    ("adamw", {}),
]
CASES = [
    (name, {**values, **decay})
    for name, values in SETTINGS
    for decay in ({}, {"weight_decay": [0.0, 0.001, 0.01, 0.1, 0.5]})
]


def plain(seed: int, hidden: tuple[int, ...] = (6, 4), outputs: int = 1) -> nn.Sequential:
    return mlp(1, hidden, outputs, activation="tanh", generator=torch.Generator().manual_seed(seed))


def batches(count: int) -> list[tuple[Tensor, Tensor]]:
    """x of shape (8, 1) and y = x² with noise."""
    generator = torch.Generator().manual_seed(0)
    x = [2 * torch.rand(8, 1, generator=generator) - 1 for _ in range(count)]
    return [(each, each.square() + 0.1 * torch.randn(8, 1, generator=generator)) for each in x]


def train_stacked(model: Stacked, rules: list[Rule], data: list[tuple[Tensor, Tensor]]) -> None:
    optimizer = StackedOptimizer(model, rules)
    for x, y in data:
        loss = (model(x.expand(len(model), -1, -1)) - y).square().mean(dim=(1, 2)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def train_alone(model: nn.Sequential, optimizer: torch.optim.Optimizer, data: list[tuple[Tensor, Tensor]]) -> None:
    for x, y in data:
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def parameters_of(model: Stacked, copy: int) -> list[Tensor]:
    """One copy's parameters in the order and shape of a plain model's."""
    pairs = zip(model.weights, model.biases, strict=True)
    return [part for weight, bias in pairs for part in (weight[copy].T, bias[copy, 0])]


def assert_close(model: Stacked, copy: int, alone: nn.Sequential) -> None:
    """To a tolerance of 1e-4 relative and 1e-5 absolute: float sums are taken in another order."""
    for mine, other in zip(parameters_of(model, copy), alone.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "values"), CASES, ids=str)
def test_each_copy_learns_as_torchs_optimizer_alone_would_teach_it(name: str, values: dict[str, list[float]]) -> None:
    """Five copies, each with its own start, rate and settings, after 40 steps."""
    rates = [RATES.get(name, 0.02) * 0.5**copy for copy in range(COPIES)]
    model = Stacked([plain(copy) for copy in range(COPIES)], nn.Tanh())
    settings: dict[str, Any] = {key: torch.tensor(each) for key, each in values.items()}
    train_stacked(model, [RULES[name](model.flat, torch.tensor(rates), **settings)], batches(STEPS))
    kind, fixed = TORCH[name]
    for copy in range(COPIES):
        own = fixed | {key: each[copy] for key, each in values.items()}
        if name in ("momentum", "nesterov"):
            own.setdefault("momentum", 0.9)
        alone = plain(copy)
        train_alone(alone, kind(alone.parameters(), lr=rates[copy], **own), batches(STEPS))
        assert_close(model, copy, alone)


@pytest.mark.parametrize("betas", [(0.9, 0.99), (0.5, 0.999)])
def test_adams_betas_may_differ_from_copy_to_copy(betas: tuple[float, float]) -> None:
    model = Stacked([plain(0), plain(0)], nn.Tanh())
    pair = (torch.tensor([betas[0], 0.0]), torch.tensor([betas[1], 0.9]))
    train_stacked(model, [RULES["adam"](model.flat, 0.02, betas=pair)], batches(STEPS))
    for copy, own in enumerate([betas, (0.0, 0.9)]):
        alone = plain(0)
        train_alone(alone, torch.optim.Adam(alone.parameters(), lr=0.02, betas=own), batches(STEPS))
        assert_close(model, copy, alone)


def test_defaults_are_torchs() -> None:
    for name, (kind, fixed) in TORCH.items():
        model = Stacked([plain(0)], nn.Tanh())
        train_stacked(model, [RULES[name](model.flat, 0.02)], batches(STEPS))
        alone = plain(0)
        extra = {"momentum": 0.9} if name in ("momentum", "nesterov") else {}
        train_alone(alone, kind(alone.parameters(), lr=0.02, **fixed, **extra), batches(STEPS))
        assert_close(model, 0, alone)


def test_every_optimizer_on_offer_can_be_stacked() -> None:
    assert OPTIMIZERS.keys() <= RULES.keys() == TORCH.keys()


def test_several_optimizers_train_side_by_side() -> None:
    names = list(RULES)
    model = Stacked([plain(0) for _ in names for _ in range(2)], nn.Tanh())
    rates = torch.tensor([0.01, 0.02])
    rules = [RULES[name](model.flat[2 * at : 2 * at + 2], rates) for at, name in enumerate(names)]
    train_stacked(model, rules, batches(STEPS))
    for at, name in enumerate(names):
        alone = Stacked([plain(0)] * 2, nn.Tanh())
        train_stacked(alone, [RULES[name](alone.flat, rates)], batches(STEPS))
        assert torch.equal(model.flat[2 * at : 2 * at + 2], alone.flat)


@pytest.mark.parametrize("name", RULES)
def test_a_copy_that_diverges_leaves_the_others_bit_for_bit_as_they_were(name: str) -> None:
    def trained(rates: list[float]) -> Tensor:
        model = Stacked([plain(copy) for copy in range(3)], nn.ReLU())
        train_stacked(model, [RULES[name](model.flat, torch.tensor(rates))], batches(STEPS))
        return model.flat

    calm, wild = trained([0.01, 0.01, 0.02]), trained([0.01, 1e30, 0.02])
    assert not wild[1].isfinite().all()
    assert torch.equal(calm[[0, 2]], wild[[0, 2]])


@pytest.mark.parametrize(("hidden", "outputs"), [((), 1), ((7,), 1), ((6, 4), 3), ((1, 1), 2)], ids=str)
def test_stacked_models_give_what_each_gives_alone(hidden: tuple[int, ...], outputs: int) -> None:
    every = [plain(seed, hidden, outputs) for seed in range(3)]
    x = torch.randn(3, 9, 1, generator=torch.Generator().manual_seed(1))
    together = Stacked(every, nn.Tanh())(x)
    for model, mine, own in zip(every, together, x, strict=True):
        torch.testing.assert_close(mine, model(own))


def test_copies_of_one_model_start_alike_and_go_their_own_ways() -> None:
    one, other = plain(0), plain(1)
    model = Stacked([one, other, one], nn.Tanh())
    assert torch.equal(model.flat[0], model.flat[2]) and not torch.equal(model.flat[0], model.flat[1])
    train_stacked(model, [SGD(model.flat, torch.tensor([0.1, 0.1, 0.01]))], batches(3))
    assert not torch.equal(model.flat[0], model.flat[2])
    assert_close(model, 1, trained_by_sgd(other))


def trained_by_sgd(model: nn.Sequential) -> nn.Sequential:
    train_alone(model, torch.optim.SGD(model.parameters(), lr=0.1), batches(3))
    return model


def test_weights_and_the_flat_block_are_the_same_memory() -> None:
    model = Stacked([plain(0), plain(1)], nn.Tanh())
    with torch.no_grad():
        model.flat[1] = 0.25
    assert all((part[1] == 0.25).all() for part in [*model.weights, *model.biases])
    assert all((part[0] != 0.25).all() for part in model.weights)
    assert model.flat.shape == (2, sum(part.numel() for part in plain(0).parameters())) and len(model) == 2


def test_learning_rates_can_change_as_it_goes() -> None:
    model, alone = Stacked([plain(0), plain(0)], nn.Tanh()), plain(0)
    rule = Momentum(model.flat, 0.0)
    optimizer = torch.optim.SGD(alone.parameters(), lr=0.1, momentum=0.9)
    for at, batch in enumerate(batches(10)):
        rule.lr = torch.tensor([0.1 / (at + 1), 0.0])
        train_stacked(model, [rule], [batch])
        optimizer.param_groups[0]["lr"] = 0.1 / (at + 1)
        train_alone(alone, optimizer, [batch])
    assert_close(model, 0, alone)
    assert_close(model, 1, plain(0))


def test_rules_must_be_for_all_copies() -> None:
    model = Stacked([plain(0), plain(1)], nn.Tanh())
    with pytest.raises(ValueError, match="for 1 copies; there are 2"):
        StackedOptimizer(model, [SGD(model.flat[:1], 0.1)])
