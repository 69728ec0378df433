"""Stacked trainings: each copy learns what torch alone would teach it, and none disturbs another."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from playground.training.models import mlp
from playground.training.optimizers import OPTIMIZERS, build_optimizer
from playground.training.stacked import Stacked, StackedOptimizer, StackedPart

COPIES, STEPS = 5, 40
RATES = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "adagrad": 0.1, "adadelta": 1.0}  # others: 0.02
SETTINGS: list[tuple[str, dict[str, float]]] = [
    *((name, {}) for name in OPTIMIZERS),
    ("momentum", {"momentum": 0.0}),
    ("momentum", {"momentum": 0.95}),
    ("nesterov", {"momentum": 0.1}),
    ("nesterov", {"momentum": 0.95}),
    ("rmsprop", {"alpha": 0.5}),
    ("rmsprop", {"alpha": 0.999}),
    ("adadelta", {"rho": 0.5}),
    ("adadelta", {"rho": 0.99}),
    ("adam", {"beta1": 0.0, "beta2": 0.9}),
    ("adamw", {"beta1": 0.5, "beta2": 0.999}),
]
CASES = [(name, values | {"weight_decay": decay}) for name, values in SETTINGS for decay in (0.0, 0.01, 0.5)]


def plain(seed: int, hidden: tuple[int, ...] = (6, 4), outputs: int = 1) -> nn.Sequential:
    return mlp(1, hidden, outputs, activation="tanh", generator=torch.Generator().manual_seed(seed))


def batches(count: int) -> list[tuple[Tensor, Tensor]]:
    """x of shape (8, 1) and y = x² with noise."""
    generator = torch.Generator().manual_seed(0)
    x = [2 * torch.rand(8, 1, generator=generator) - 1 for _ in range(count)]
    return [(each, each.square() + 0.1 * torch.randn(8, 1, generator=generator)) for each in x]


def one(name: str, model: Stacked, lr: float | Tensor, settings: dict[str, float] | None = None) -> StackedOptimizer:
    """The same optimizer for all copies."""
    return StackedOptimizer(model, [StackedPart(name, settings or {})], lr)


def train_stacked(model: Stacked, optimizer: StackedOptimizer, data: list[tuple[Tensor, Tensor]]) -> None:
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


@pytest.mark.parametrize(("name", "settings"), CASES, ids=str)
def test_each_copy_learns_as_torchs_optimizer_alone_would_teach_it(name: str, settings: dict[str, float]) -> None:
    """Five copies, each with its own start and rate, after 40 steps."""
    rates = [RATES.get(name, 0.02) * 0.5**copy for copy in range(COPIES)]
    model = Stacked([plain(copy) for copy in range(COPIES)], nn.Tanh())
    train_stacked(model, one(name, model, torch.tensor(rates), settings), batches(STEPS))
    for copy in range(COPIES):
        alone = plain(copy)
        train_alone(alone, build_optimizer(name, alone.parameters(), lr=rates[copy], settings=settings), batches(STEPS))
        assert_close(model, copy, alone)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_every_step_is_proportional_to_the_learning_rate(name: str, decay: float) -> None:
    """What StackedOptimizer relies on: from the same weights and gradients, half the rate goes half the way."""
    moves = []
    for lr in (0.5, 0.25):
        weight = torch.tensor([0.5, -0.25, 2.0])
        optimizer = build_optimizer(name, [weight], lr=lr, weight_decay=decay)
        for slope in (0.5, -2.0, 3.0):
            weight.copy_(torch.tensor([0.5, -0.25, 2.0]))
            weight.grad = slope * torch.tensor([1.0, -0.1, 0.01])
            optimizer.step()
        moves.append(weight - torch.tensor([0.5, -0.25, 2.0]))
    assert moves[0].abs().min() > 0
    torch.testing.assert_close(moves[0], 2 * moves[1], rtol=1e-4, atol=1e-6)


def test_several_optimizers_train_side_by_side() -> None:
    model = Stacked([plain(0) for _ in OPTIMIZERS for _ in range(2)], nn.Tanh())
    rates = torch.tensor([0.01, 0.02])
    parts = [StackedPart(name) for name in OPTIMIZERS]
    train_stacked(model, StackedOptimizer(model, parts, rates.repeat(len(parts))), batches(STEPS))
    for at, name in enumerate(OPTIMIZERS):
        alone = Stacked([plain(0)] * 2, nn.Tanh())
        train_stacked(alone, one(name, alone, rates), batches(STEPS))
        assert torch.equal(model.flat[2 * at : 2 * at + 2], alone.flat)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_copy_that_diverges_leaves_the_others_bit_for_bit_as_they_were(name: str) -> None:
    def trained(rates: list[float]) -> Tensor:
        model = Stacked([plain(copy) for copy in range(3)], nn.ReLU())
        train_stacked(model, one(name, model, torch.tensor(rates)), batches(STEPS))
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
    twin, other = plain(0), plain(1)
    model = Stacked([twin, other, twin], nn.Tanh())
    assert torch.equal(model.flat[0], model.flat[2]) and not torch.equal(model.flat[0], model.flat[1])
    train_stacked(model, one("sgd", model, torch.tensor([0.1, 0.1, 0.01])), batches(3))
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


def test_learning_rates_can_change_while_it_trains() -> None:
    model, alone = Stacked([plain(0), plain(0)], nn.Tanh()), plain(0)
    together = one("momentum", model, 0.0)
    optimizer = torch.optim.SGD(alone.parameters(), lr=0.1, momentum=0.9)
    for at, batch in enumerate(batches(10)):
        together.lr = torch.tensor([0.1 / (at + 1), 0.0])
        train_stacked(model, together, [batch])
        optimizer.param_groups[0]["lr"] = 0.1 / (at + 1)
        train_alone(alone, optimizer, [batch])
    assert_close(model, 0, alone)
    assert_close(model, 1, plain(0))


def test_copies_that_cannot_be_divided_evenly_are_refused() -> None:
    model = Stacked([plain(0), plain(1), plain(2)], nn.Tanh())
    with pytest.raises(ValueError, match="3 copies cannot be divided evenly among 2 optimizers"):
        StackedOptimizer(model, [StackedPart("sgd"), StackedPart("adam")], 0.1)
