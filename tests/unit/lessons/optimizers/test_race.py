"""A race is fair: the same weights, the same batches, each racer trained as alone; and a rule gives the next weight."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from playground.data import datasets
from playground.lessons.optimizers.race import Entry, Race, Racer, SharedBatches, checksum, gradients, order_checksum
from playground.training import models
from playground.training.optimizers import OPTIMIZERS, build_optimizer
from playground.training.trainer import Batches, Trainer

SETTINGS = {"momentum": 0.8, "alpha": 0.9, "rho": 0.9, "beta1": 0.9, "beta2": 0.99}


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batches(size: int = 32) -> Batches:
    data = datasets.curve("square", 100, 0.2, 0.0, seeded())
    return Batches(data.x_train, data.y_train, size, seeded(3))


def model(seed: int = 2) -> nn.Sequential:
    return models.mlp(1, [20], 1, generator=seeded(seed))


def race(*entries: tuple[str, float], starts: tuple[int, ...] = (), **settings: float) -> Race:
    shared, loss_fn = SharedBatches(batches()), nn.MSELoss()
    seeds = starts or (2,) * len(entries)
    racers = [
        Racer(Entry(f"{at}", name, name, lr, SETTINGS | settings), model(seeds[at]), loss_fn, shared)
        for at, (name, lr) in enumerate(entries)
    ]
    return Race(racers, shared, loss_fn)


def vector(network: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().ravel() for parameter in network.parameters()])


def every_step(steps: int, network: nn.Module, make: Any) -> Iterator[Tensor]:
    """A bare loop's weights after each step."""
    optimizer, loss_fn, supply = make(network.parameters()), nn.MSELoss(), batches()
    for _ in range(steps):
        x, y = supply.next()
        prediction = network(x)
        loss = loss_fn(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield vector(network)


# Fairness.


def test_each_of_the_tutorials_racers_is_trained_as_if_alone() -> None:
    together = race(("sgd", 0.01), ("momentum", 0.01), ("rmsprop", 0.01), ("adam", 0.01))
    alone = [
        every_step(50, model(), lambda p: torch.optim.SGD(p, lr=0.01)),
        every_step(50, model(), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.8)),
        every_step(50, model(), lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9)),
        every_step(50, model(), lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.9, 0.99))),
    ]
    for expected in zip(*alone, strict=True):
        together.step()
        for racer, weights in zip(together.racers, expected, strict=True):
            torch.testing.assert_close(vector(racer.trainer.model), weights, rtol=1e-5, atol=1e-7)
    ends = {tuple(vector(racer.trainer.model).tolist()) for racer in together.racers}
    assert len(ends) == 4, "and they go different ways"


def test_two_equal_entries_end_in_equal_bits() -> None:
    twins = race(("adam", 0.01), ("sgd", 0.5), ("adam", 0.01))
    for _ in range(60):
        twins.step()
    first, other, second = (checksum(racer.trainer.model) for racer in twins.racers)
    assert first == second != other


def test_a_fair_race_starts_once_and_an_unfair_one_as_often_as_there_are_racers() -> None:
    fair, unfair = race(("sgd", 0.1), ("adam", 0.1)), race(("sgd", 0.1), ("adam", 0.1), starts=(2, 3))
    assert (fair.starts, unfair.starts) == (1, 2)
    for each in (fair, unfair):
        for _ in range(10):
            each.step()
            assert each.orders == 1
            assert len({racer.batches.checksum for racer in each.racers}) == 1


def test_checksums_notice_one_bit_and_one_swap() -> None:
    network = model()
    before = checksum(network)
    with torch.no_grad():
        network[0].weight[3, 0] = torch.nextafter(network[0].weight[3, 0], torch.tensor(9.0))
    assert checksum(network) != before
    one, other = batches(), Batches(batches().x, batches().y, 32, seeded(4))
    assert order_checksum(one) == order_checksum(batches()) != order_checksum(other)


def test_looking_ahead_changes_nothing() -> None:
    supply = batches()
    shared, plain = SharedBatches(supply), batches()
    for _ in range(9):  # across the end of an epoch
        order_checksum(supply)
        coming = shared.peek()
        shared.draw()
        x, y = plain.next()
        assert torch.equal(shared.batch[0], x) and torch.equal(shared.batch[1], y)
        assert torch.equal(coming[0], x) and torch.equal(coming[1], y)


def test_a_racer_that_diverges_drops_out_and_the_others_continue_as_if_it_had_never_been_there() -> None:
    wild, calm = race(("sgd", 10.0), ("adam", 0.01)), race(("adam", 0.01))
    for _ in range(100):
        wild.step()
        calm.step()
    left, stayed = wild.racers
    assert wild.running == [stayed]
    assert left.why in ("number", "bound") and 0 < left.left_at < 100
    assert checksum(stayed.trainer.model) == checksum(calm.racers[0].trainer.model)


def test_a_race_without_running_racers_gives_a_loss_of_nan() -> None:
    alone = race(("sgd", 1000.0))
    losses = [alone.step().item() for _ in range(20)]
    assert losses[-1] != losses[-1]
    assert alone.running == []


def test_a_new_setting_keeps_the_state_and_reaches_torch() -> None:
    one = race(("adam", 0.01))
    one.step()
    racer = one.racers[0]
    remembered = racer.copy_state()[0]["exp_avg"]
    racer.retune(Entry("0", "adam", "adam", 0.5, SETTINGS | {"beta1": 0.5}))
    one.set_rates(0.1)
    assert racer.group["betas"] == (0.5, 0.99) and racer.group["lr"] == pytest.approx(0.05)
    assert torch.equal(racer.copy_state()[0]["exp_avg"], remembered)


# The rule of the next step.


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_rule_gives_the_next_weight_bit_for_bit(name: str, decay: float) -> None:
    one = race((name, 0.02), weight_decay=decay)
    racer = one.racers[0]
    for _ in range(25):
        found = gradients(racer.trainer.model, one.loss_fn, one.shared.peek())
        memory = racer.copy_state()
        updates = [
            OPTIMIZERS[name].rule(parameter, gradient, state, racer.group)
            for parameter, gradient, state in zip(racer.parameters, found, memory, strict=True)
        ]
        before = vector(racer.trainer.model)
        one.step()
        assert not torch.equal(vector(racer.trainer.model), before)
        for update, parameter in zip(updates, racer.parameters, strict=True):
            assert torch.equal(update.weight, parameter)
            assert torch.equal(update.lines[-1].value, parameter)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_line_written_out_gives_what_it_says(name: str, decay: float) -> None:
    """The numbers shown have four digits; read as arithmetic, they must come to the line's value."""
    weight, gradient = torch.tensor([0.5, -0.25]), torch.tensor([0.125, -0.3])
    parameter = nn.Parameter(weight.clone())
    optimizer = build_optimizer(name, [parameter], lr=0.02, weight_decay=decay, settings=SETTINGS)
    for _ in range(3):
        state = {key: deepcopy(value) for key, value in optimizer.state.get(parameter, {}).items()}
        update = OPTIMIZERS[name].rule(parameter.detach(), gradient, state, optimizer.param_groups[0])
        for line in update.lines:
            written = line.with_numbers(1)
            for sign, python in (("−", "-"), ("·", "*"), ("²", "**2"), ("^", "**"), ("√(", "sqrt(")):
                written = written.replace(sign, python)
            while "√" in written:
                head, _, tail = written.partition("√")
                number = tail.split(" ")[0].rstrip(")")
                written = f"{head}sqrt({number}){tail[len(number) :]}"
            value = eval(written, {"sqrt": lambda v: v**0.5})  # ours, and plain arithmetic by now
            shown = float(line.value[1]) if isinstance(line.value, Tensor) else line.value
            assert value == pytest.approx(shown, rel=5e-3, abs=1e-6), (line.name, written)
        parameter.grad = gradient.clone()
        optimizer.step()


def test_a_rule_changes_nothing_that_it_is_given() -> None:
    one = race(("adam", 0.02), ("adadelta", 0.5))
    one.step()
    for racer in one.racers:
        before, memory = vector(racer.trainer.model), racer.copy_state()
        for parameter, gradient, state in zip(
            racer.parameters,
            gradients(racer.trainer.model, one.loss_fn, one.shared.peek()),
            racer.copy_state(),
            strict=True,
        ):
            OPTIMIZERS[racer.entry.optimizer].rule(parameter, gradient, state, racer.group)
        assert torch.equal(vector(racer.trainer.model), before)
        for old, new in zip(memory, racer.copy_state(), strict=True):
            assert all(torch.equal(old[key], new[key]) for key in old)


def test_a_racers_step_is_the_trainers_own() -> None:
    assert all(type(racer.trainer).step is Trainer.step for racer in race(("sgd", 0.1)).racers)
