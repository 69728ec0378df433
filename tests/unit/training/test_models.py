"""The networks have the layers asked for, start from a generator of their own, and stay plain nn.Sequential."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from playground.lessons.regression.config import RegressionConfig, build_model
from playground.training.models import (
    ACTIVATIONS,
    INITIALISATIONS,
    count_parameters,
    initialise,
    layer_outputs,
    linears,
    mlp,
    set_activation,
)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def parameters_of(model: nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("hidden", "shapes", "parameters"),
    [
        # A linear layer from m to n has m * n weights and n biases.
        ((), [(3, 2)], 2 * 3 + 3),
        ((10,), [(10, 2), (3, 10)], 30 + 33),
        ((4, 5), [(4, 2), (5, 4), (3, 5)], 12 + 25 + 18),
        ((4, 5, 6), [(4, 2), (5, 4), (6, 5), (3, 6)], 12 + 25 + 36 + 21),
        ((1, 1, 1, 1), [(1, 2), (1, 1), (1, 1), (1, 1), (3, 1)], 3 + 2 + 2 + 2 + 6),
    ],
)
def test_an_mlp_has_the_layers_asked_for(
    hidden: tuple[int, ...], shapes: list[tuple[int, int]], parameters: int
) -> None:
    model = mlp(2, hidden, 3, generator=seeded())
    assert [tuple(layer.weight.shape) for layer in linears(model)] == shapes
    assert [tuple(layer.bias.shape) for layer in linears(model)] == [(units,) for units, _ in shapes]
    assert [type(module) for module in model] == [nn.Linear] + [nn.ReLU, nn.Linear] * len(hidden)
    assert model(torch.zeros(7, 2)).shape == (7, 3)
    assert count_parameters(model) == parameters
    assert all(p.requires_grad and p.device.type == "cpu" and p.dtype == torch.float32 for p in model.parameters())


def test_the_default_model_is_the_tutorials() -> None:
    model = build_model(RegressionConfig())
    assert str(model) == str(nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1)))
    assert count_parameters(model) == 31


@pytest.mark.parametrize("layers", range(5))
def test_a_config_says_the_models_layers(layers: int) -> None:
    config = RegressionConfig(layers=layers, hidden=2, hidden_2=3, hidden_3=4, hidden_4=5, activation="tanh")
    widths = (2, 3, 4, 5)[:layers]
    model = build_model(config)
    assert [layer.out_features for layer in linears(model)] == [*widths, 1]
    assert sum(isinstance(module, nn.Tanh) for module in model) == layers


# How the weights start.


@pytest.mark.parametrize("hidden", [(), (10,), (4, 5)])
def test_the_default_start_equals_pytorchs_own_for_the_same_seed(hidden: tuple[int, ...]) -> None:
    widths = [2, *hidden, 3]
    with torch.random.fork_rng():
        torch.manual_seed(5)
        torchs = [nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(widths)]
    ours = mlp(2, hidden, 3, generator=seeded(5))
    assert same(parameters_of(ours), [p.detach() for layer in torchs for p in layer.parameters()])


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_the_same_generator_seed_gives_the_same_weights(name: str) -> None:
    first = mlp(1, (8, 8), 1, initialisation=name, generator=seeded(3))
    assert same(parameters_of(first), parameters_of(mlp(1, (8, 8), 1, initialisation=name, generator=seeded(3))))
    other = mlp(1, (8, 8), 1, initialisation=name, generator=seeded(4))
    assert same(parameters_of(first), parameters_of(other)) is (name == "zeros")
    initialise(other, name, seeded(3))
    assert same(parameters_of(first), parameters_of(other))


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_building_a_model_neither_reads_nor_moves_the_global_random_numbers(name: str) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = mlp(1, (8,), 1, initialisation=name, generator=seeded())
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert same(parameters_of(first), parameters_of(mlp(1, (8,), 1, initialisation=name, generator=seeded())))


@pytest.mark.parametrize(
    ("name", "spread"),
    [
        # Of a layer from 200 to 300: standard deviations by each method's formula; a uniform ±b has b / sqrt(3).
        ("default", 1 / math.sqrt(200) / math.sqrt(3)),
        ("xavier", math.sqrt(2 / (200 + 300))),  # Glorot and Bengio 2010, eq. 16
        ("kaiming", math.sqrt(2 / 200)),  # He et al. 2015, eq. 10
        ("small", 0.01),
        ("large", 3.0),
        ("zeros", 0.0),
    ],
)
def test_each_initialisation_spreads_the_weights_as_its_formula_says(name: str, spread: float) -> None:
    (layer,) = linears(mlp(200, (), 300, initialisation=name, generator=seeded()))
    assert layer.weight.std().item() == pytest.approx(spread, rel=0.02)
    assert abs(layer.weight.mean().item()) <= spread * 0.02
    bound = 200**-0.5 if name == "default" else 0.0
    assert layer.bias.abs().max().item() == pytest.approx(bound, rel=0.05)


# Activations.


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_code_shown_for_an_activation_makes_its_module(name: str) -> None:
    shown = eval(ACTIVATIONS[name].code, {"nn": nn})
    assert str(shown) == str(ACTIVATIONS[name].module())
    model = mlp(1, (3,), 1, activation=name, generator=seeded())
    assert str(model[1]) == str(shown)


def test_only_an_activation_with_a_flat_zero_side_can_die() -> None:
    x = torch.linspace(-20, -0.1, 50, requires_grad=True)
    for choice in ACTIVATIONS.values():
        (slope,) = torch.autograd.grad(choice.module()(x).sum(), x)
        assert bool((slope == 0).all()) is choice.can_die, choice.label


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_another_activation_in_place_keeps_the_parameters_themselves(name: str) -> None:
    model = mlp(1, (3, 4), 1, generator=seeded())
    held, values = list(model.parameters()), parameters_of(model)
    set_activation(model, name)
    assert [str(model[index]) for index in (1, 3)] == [str(ACTIVATIONS[name].module())] * 2
    assert all(now is then for now, then in zip(model.parameters(), held, strict=True))
    assert same(parameters_of(model), values)
    fresh = mlp(1, (3, 4), 1, activation=name, generator=seeded())
    x = torch.linspace(-1, 1, 9).unsqueeze(1)
    assert torch.equal(model(x), fresh(x))


def test_a_model_without_hidden_layers_takes_another_activation_in_peace() -> None:
    model = mlp(1, (), 1, generator=seeded())
    set_activation(model, "tanh")
    assert [type(module) for module in model] == [nn.Linear]


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4, 3, 2)])
def test_layer_outputs_are_what_each_module_gives_and_end_in_the_prediction(hidden: tuple[int, ...]) -> None:
    model = mlp(2, hidden, 3, activation="tanh", generator=seeded())
    x = torch.randn(11, 2, generator=seeded(2))
    outputs = layer_outputs(model, x)
    assert len(outputs) == len(model)
    assert torch.equal(outputs[-1], model(x))
    for index, output in enumerate(outputs):
        assert torch.equal(output, model[: index + 1](x))
