"""Landscapes against calculus: formulas, gradients, minima and curvatures are what is said of them."""

from __future__ import annotations

import math

import pytest
import torch

from playground.data.landscapes import CURVES, SURFACES, Landscape, curvatures, gradient, heights, own_landscape
from playground.parsing.expression_parts import ExpressionError

ALL = {**{f"curve {name}": each for name, each in CURVES.items()},
       **{f"surface {name}": each for name, each in SURFACES.items()}}  # fmt: skip
each_landscape = pytest.mark.parametrize("landscape", ALL.values(), ids=list(ALL))


def some_places(landscape: Landscape, count: int = 40) -> torch.Tensor:
    """Positions all over the landscape (count, dims)."""
    generator = torch.Generator().manual_seed(7)
    share = torch.rand(count, landscape.dims, generator=generator, dtype=torch.float64)
    low, high = (torch.tensor(each, dtype=torch.float64) for each in zip(*landscape.spans, strict=True))
    return low + share * (high - low)


@each_landscape
def test_the_formula_shown_is_the_function_computed(landscape: Landscape) -> None:
    at = some_places(landscape)
    typed = own_landscape(landscape.formula, landscape.dims)
    assert torch.allclose(typed.function(at), landscape.function(at), rtol=1e-9)


@each_landscape
def test_autograd_agrees_with_differences(landscape: Landscape) -> None:
    at, eps = some_places(landscape), 1e-6
    height, slope = gradient(landscape, at)
    assert torch.equal(height, landscape.function(at))
    for axis in range(landscape.dims):
        aside = torch.zeros(landscape.dims, dtype=torch.float64)
        aside[axis] = eps
        measured = (landscape.function(at + aside) - landscape.function(at - aside)) / (2 * eps)
        assert torch.allclose(slope[:, axis], measured, rtol=1e-4, atol=1e-5)


@each_landscape
def test_every_minimum_named_is_one_and_none_in_the_picture_is_lower(landscape: Landscape) -> None:
    for point in landscape.minima:
        _, slope = gradient(landscape, torch.tensor(point, dtype=torch.float64))
        if landscape.label != "Corner":  # which has no slope there
            assert slope.abs().max() < 1e-8
        assert min(curvatures(landscape, point)) >= 0
        assert all(lo <= each <= hi for each, (lo, hi) in zip(point, landscape.spans, strict=True))
    sampled = heights(landscape, 401 if landscape.dims == 1 else 101)[-1]
    if landscape.lowest is not None:
        assert landscape.lowest <= sampled.min() + 1e-12
    else:
        assert landscape.bottomless


@each_landscape
def test_no_minimum_within_sight_is_left_out(landscape: Landscape) -> None:
    *_, z = heights(landscape, 201)
    z = z if landscape.dims == 2 else z.unsqueeze(0).expand(3, -1) + torch.tensor([[1.0], [0.0], [1.0]])
    middle = z[1:-1, 1:-1]
    lower = torch.ones_like(middle, dtype=torch.bool)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            if down or right:
                lower &= middle < z[1 + down : len(z) - 1 + down, 1 + right : z.shape[1] - 1 + right]
    found = int(lower.sum())
    if landscape.label == "Rosenbrock’s valley":
        assert found >= 1  # a grid sees false ones on the floor of a slanting valley
    else:
        assert found == len(landscape.minima)


def test_a_quadratics_curvatures_are_its_hessians_everywhere() -> None:
    quadratics = [each for each in ALL.values() if each.curvatures]
    assert len(quadratics) >= 4
    for landscape in quadratics:
        for place in some_places(landscape, 3).tolist():
            assert curvatures(landscape, place) == pytest.approx(landscape.curvatures, abs=1e-9)
        assert landscape.largest_curvature == max(landscape.curvatures)


def test_known_curvatures_elsewhere() -> None:
    # Rosenbrock's at (1, 1): the eigenvalues of [[802, -400], [-400, 200]].
    root = math.sqrt(602**2 / 4 + 400**2)
    assert curvatures(SURFACES["rosenbrock"], (1.0, 1.0)) == pytest.approx((501 - root, 501 + root))
    assert curvatures(CURVES["flat_bottom"], (0.5,)) == pytest.approx((3.0,))
    assert curvatures(own_landscape("2*x", 2), (0.0, 0.0)) == (0.0, 0.0)


def test_float32_in_float32_out() -> None:
    for landscape in (*ALL.values(), own_landscape("sin(x) + exp(1)", 1)):
        at = some_places(landscape, 5).float()
        height, slope = gradient(landscape, at)
        assert height.dtype == slope.dtype == torch.float32 and slope.shape == at.shape


def test_an_own_formula_may_leave_out_a_coordinate_or_both() -> None:
    at = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    height, slope = gradient(own_landscape("y**2", 2), at)
    assert height.tolist() == [4.0, 16.0] and slope.tolist() == [[0.0, 4.0], [0.0, 8.0]]
    height, slope = gradient(own_landscape("3", 2), at)
    assert height.tolist() == [3.0, 3.0] and slope.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("text", ["", "x +", "y", "sum(x)", "x.real", "__import__('os')", "1/0", "x @ x", "softmax(x)"])
def test_text_that_is_not_a_formula_gets_a_sentence(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"[A-Z].*\."):
        own_landscape(text, 1)
