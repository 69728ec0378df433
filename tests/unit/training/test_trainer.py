"""Training equals the tutorial's bare loop bit for bit, and resumes as if never stopped."""

from __future__ import annotations

import io
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from playground.lessons.regression.config import (
    ORDER,
    Edits,
    RegressionConfig,
    build_model,
    draw_data,
    generator,
)
from playground.training.retune import optimizer_of
from playground.training.trainer import LOSSES, OPTIMIZERS, Batches, Trainer, build_optimizer


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def build(config: RegressionConfig) -> Trainer:
    """A trainer at step 0, made as the regression lesson makes it."""
    data, model = draw_data(config, Edits()), build_model(config)
    batches = Batches(data.x_train, data.y_train, config.batch_size, generator(config, ORDER))
    return Trainer(model, LOSSES[config.loss][1](), optimizer_of(config, model), batches)


def parameters_of(model: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


def assert_equal_bits(one: nn.Module, other: nn.Module) -> None:
    for (name, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b), f"{name} differs by up to {(a - b).abs().max().item():.3g}"


def count_batches(points: int, batch_size: int) -> Batches:
    """Batches of the points 0, 1, 2, ... whose y is ten times x."""
    x = torch.arange(points, dtype=torch.float32).unsqueeze(1)
    return Batches(x, 10 * x, batch_size, seeded())


def taken(batches: Batches) -> list[int]:
    """The points of the next batch."""
    x, y = batches.next()
    assert torch.equal(y, 10 * x)
    return [int(value) for value in x[:, 0]]


def epoch_of(batches: Batches) -> list[int]:
    """The points of an epoch's worth of batches."""
    return [point for _ in range(batches.steps_per_epoch) for point in taken(batches)]


# One step is the textbook's.


def test_training_equals_the_tutorials_bare_loop_bit_for_bit() -> None:
    config = RegressionConfig()
    trainer = build(config)

    net = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1))
    net.load_state_dict(trainer.model.state_dict())
    x = torch.unsqueeze(torch.linspace(-1, 1, 100), dim=1)
    y = x.pow(2) + 0.2 * torch.rand(x.size(), generator=seeded(config.seed))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    loss_func = nn.MSELoss()
    losses = []
    for _ in range(100):
        prediction = net(x)
        loss = loss_func(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    assert [trainer.step().item() for _ in range(100)] == losses
    assert_equal_bits(trainer.model, net)
    assert losses[-1] < losses[0] / 5, "the tutorial's net learns: a loop that does nothing would be equal too"


BARE: dict[str, Any] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.03, weight_decay=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.03, momentum=0.8, weight_decay=0.01),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.03, momentum=0.8, nesterov=True, weight_decay=0.01),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.03, weight_decay=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.03, weight_decay=0.01),
    "adadelta": lambda p: torch.optim.Adadelta(p, lr=0.03, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, lr=0.03, weight_decay=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.03, weight_decay=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_equals_torchs_own_class_used_bare(name: str) -> None:
    trainer = build(RegressionConfig(layers=2, activation="tanh", optimizer=name))
    net = deepcopy(trainer.model)
    trainer.optimizer = build_optimizer(name, trainer.model.parameters(), lr=0.03, momentum=0.8, weight_decay=0.01)
    bare, loss_fn, batches = BARE[name](net.parameters()), nn.MSELoss(), trainer.batches
    before = parameters_of(net)
    for _ in range(20):
        trainer.step()
        bare.zero_grad()
        loss_fn(net(batches.x), batches.y).backward()
        bare.step()
    for ours, theirs, start in zip(trainer.model.parameters(), net.parameters(), before, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
        assert not torch.equal(theirs, start)


def test_every_optimizer_on_offer_trains_differently() -> None:
    ends = {}
    for name in OPTIMIZERS:
        trainer = build(RegressionConfig(optimizer=name, lr=0.01, momentum=0.5, weight_decay=0.01))
        for _ in range(5):
            trainer.step()
        ends[name] = tuple(torch.cat([p.ravel() for p in parameters_of(trainer.model)]).tolist())
    assert len(set(ends.values())) == len(OPTIMIZERS)


@pytest.mark.parametrize("name", LOSSES)
def test_the_code_shown_for_a_loss_makes_its_module(name: str) -> None:
    _, make, code = LOSSES[name]
    assert str(eval(code, {"nn": nn})) == str(make())


def test_a_step_returns_the_loss_before_the_update() -> None:
    trainer = build(RegressionConfig())
    x, y = trainer.batches.x, trainer.batches.y
    before = nn.functional.mse_loss(trainer.model(x), y).item()
    loss = trainer.step()
    assert loss.shape == ()
    assert loss.item() == before
    assert nn.functional.mse_loss(trainer.model(x), y).item() < before


def test_building_and_training_neither_read_nor_move_the_global_random_numbers() -> None:
    ends = []
    for seed in (0, 99):
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        trainer = build(RegressionConfig(batch_size=10, initialisation="kaiming", optimizer="adam", lr=0.01))
        for _ in range(25):
            trainer.step()
        assert torch.equal(torch.get_rng_state(), state)
        ends.append(trainer.model)
    assert_equal_bits(*ends)


# Batches.


def test_batches_of_size_zero_are_the_whole_data_in_its_own_order() -> None:
    for batch_size in (0, 12, 50):
        batches = count_batches(12, batch_size)
        assert batches.whole
        assert (batches.steps_per_epoch, batches.left_in_epoch) == (1, 1)
        for epoch in range(1, 4):
            assert taken(batches) == list(range(12))
            assert batches.epochs == epoch


@pytest.mark.parametrize(("points", "batch_size"), [(100, 32), (100, 10), (7, 1), (10, 9), (5, 4)])
def test_each_epoch_visits_each_point_exactly_once_in_an_order_of_its_own(points: int, batch_size: int) -> None:
    batches = count_batches(points, batch_size)
    sizes = [batch_size] * (points // batch_size) + ([points % batch_size] if points % batch_size else [])
    orders = []
    for epoch in range(1, 5):
        visited = []
        for index, size in enumerate(sizes):
            assert batches.epochs == epoch - 1
            assert batches.left_in_epoch == len(sizes) - index
            batch = taken(batches)
            assert len(batch) == size
            visited += batch
        assert sorted(visited) == list(range(points))
        assert batches.epochs == epoch
        orders.append(tuple(visited))
    assert batches.steps_per_epoch == len(sizes)
    assert len(set(orders)) == 4


def test_the_same_seed_gives_the_same_order() -> None:
    one, other = count_batches(20, 6), count_batches(20, 6)
    other.generator.manual_seed(2)
    again = count_batches(20, 6)
    orders = [[taken(batches) for _ in range(8)] for batches in (one, again, other)]
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 9])
def test_batches_resized_within_an_epoch_go_on_with_the_points_that_are_left(batch_size: int) -> None:
    batches = count_batches(10, 4)
    visited = taken(batches)
    batches.resize(batch_size)
    left = -(-6 // batch_size)
    assert batches.left_in_epoch == left
    for _ in range(left):
        assert batches.epochs == 0
        visited += taken(batches)
    assert sorted(visited) == list(range(10))
    assert batches.epochs == 1
    assert sorted(epoch_of(batches)) == list(range(10))


def test_batches_resized_to_the_whole_data_and_back_start_a_new_epoch() -> None:
    batches = count_batches(10, 4)
    taken(batches)
    batches.resize(0)
    assert taken(batches) == list(range(10))
    batches.resize(5)
    assert batches.left_in_epoch == 2
    assert sorted(taken(batches) + taken(batches)) == list(range(10))


def test_data_replaced_by_as_many_points_goes_on_within_the_epoch() -> None:
    batches = count_batches(10, 4)
    visited = taken(batches)
    x = batches.x + 100
    batches.replace(x, 10 * x)
    assert batches.left_in_epoch == 2
    visited += [point - 100 for point in taken(batches) + taken(batches)]
    assert sorted(visited) == list(range(10))


@pytest.mark.parametrize("points", [1, 3, 4, 9, 11, 30])
def test_data_replaced_by_more_or_fewer_points_starts_a_new_epoch(points: int) -> None:
    batches = count_batches(10, 4)
    taken(batches)
    x = torch.arange(points, dtype=torch.float32).unsqueeze(1)
    batches.replace(x, 10 * x)
    assert batches.left_in_epoch == batches.steps_per_epoch == -(-points // 4)
    assert sorted(epoch_of(batches)) == list(range(points))


# Interrupted and resumed.

RESUMED = [
    RegressionConfig(batch_size=2, optimizer=name, lr=0.01, momentum=0.7, weight_decay=0.001, layers=2)
    for name in OPTIMIZERS
]


def interrupted(config: RegressionConfig) -> Trainer:
    """A trainer 33 of 50 steps into its second epoch."""
    trainer = build(config)
    for _ in range(83):
        trainer.step()
    assert (trainer.batches.epochs, trainer.batches.left_in_epoch) == (1, 17)
    return trainer


@pytest.mark.parametrize("config", RESUMED, ids=list(OPTIMIZERS))
def test_a_training_resumed_from_a_file_equals_one_never_interrupted(config: RegressionConfig) -> None:
    trainer = interrupted(config)
    file = io.BytesIO()
    torch.save(trainer.state_dict(), file)
    losses = [trainer.step().item() for _ in range(100)]

    resumed = build(config.with_values(seed=777))
    data = draw_data(config, Edits())
    resumed.batches.replace(data.x_train, data.y_train)
    file.seek(0)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert (resumed.batches.epochs, resumed.batches.left_in_epoch) == (1, 17)
    assert [resumed.step().item() for _ in range(100)] == losses
    assert_equal_bits(resumed.model, trainer.model)
    assert resumed.batches.epochs == trainer.batches.epochs


@pytest.mark.parametrize("config", RESUMED, ids=list(OPTIMIZERS))
def test_a_state_kept_in_memory_stays_as_it_was_while_training_goes_on(config: RegressionConfig) -> None:
    trainer = interrupted(config)
    state = trainer.state_dict()
    losses = [trainer.step().item() for _ in range(60)]
    for _ in range(2):  # resuming does not spoil it either
        resumed = build(config)
        resumed.load_state_dict(state)
        assert [resumed.step().item() for _ in range(60)] == losses
        assert_equal_bits(resumed.model, trainer.model)
