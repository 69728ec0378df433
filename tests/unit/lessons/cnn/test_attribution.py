"""Saliency, occlusion and FGSM on a linear model, where all three have closed forms; and that no model is changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from playground.lessons.cnn.attribution import Occlusion, fgsm, saliency

SIDE = 8


@pytest.fixture
def linear() -> tuple[nn.Sequential, Tensor]:
    """A linear model of three classes, and an image (1, 1, 8, 8) from 0.3 to 0.7."""
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(SIDE * SIDE, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(3, SIDE * SIDE, generator=generator))
        layer.bias.copy_(torch.randn(3, generator=generator))
    layer.requires_grad_(False)
    x = 0.3 + 0.4 * torch.rand(1, 1, SIDE, SIDE, generator=generator)
    return nn.Sequential(nn.Flatten(), layer), x


def weights(model: nn.Sequential, target: int) -> Tensor:
    assert isinstance(model[1], nn.Linear)
    return model[1].weight[target].reshape(SIDE, SIDE)


def test_the_saliency_of_a_linear_model_is_the_size_of_its_weights(linear: tuple[nn.Sequential, Tensor]) -> None:
    model, x = linear
    for target in range(3):
        assert np.allclose(saliency(model, x, target), weights(model, target).abs().numpy())
    assert not x.requires_grad and all(parameter.grad is None for parameter in model.parameters())


def test_blackening_a_patch_takes_away_what_its_pixels_add(linear: tuple[nn.Sequential, Tensor]) -> None:
    model, x = linear
    adds = (weights(model, 1) * x[0, 0]).numpy()
    single = Occlusion(model, x, 1, patch=1, stride=1)
    single.advance(60)
    assert single.is_done and np.allclose(single.falls, adds, atol=1e-4)
    quarters = Occlusion(model, x, 1, patch=4, stride=4)
    quarters.advance(60)
    assert np.allclose(quarters.falls[:4, 4:], adds[:4, 4:].sum(), atol=1e-4)


def test_occlusion_in_slices_comes_to_the_same_end(linear: tuple[nn.Sequential, Tensor]) -> None:
    model, x = linear
    whole, sliced = (Occlusion(model, x, 0, patch=3, stride=1) for _ in range(2))
    whole.advance(60)
    sliced.advance(0, at_once=5)
    assert sliced.covered == 5 and np.isnan(sliced.falls[-1]).all() and np.isfinite(sliced.falls[0, 0])
    while not sliced.is_done:
        sliced.advance(0, at_once=5)
    assert np.allclose(sliced.falls, whole.falls, atol=1e-5)


@pytest.mark.parametrize("steps", [1, 10])
def test_fgsm_moves_each_pixel_by_epsilon_against_the_losss_slope(
    linear: tuple[nn.Sequential, Tensor], steps: int
) -> None:
    model, x = linear
    shares = torch.softmax(model(x), dim=1)[0]
    slope = sum((shares[k] - float(k == 2)) * weights(model, k) for k in range(3))  # of the cross-entropy for class 2
    assert isinstance(slope, Tensor)
    moved = fgsm(model, x, target=2, epsilon=0.1, steps=steps)
    assert (moved - x).abs().max() <= 0.1 + 1e-6
    if steps == 1:
        assert torch.allclose(moved, x - 0.1 * slope.sign(), atol=1e-6)
    assert torch.softmax(model(moved), dim=1)[0, 2] > shares[2]
    assert torch.equal(fgsm(model, x, target=2, epsilon=0.0), x)


def test_fgsm_stays_an_image(linear: tuple[nn.Sequential, Tensor]) -> None:
    model, x = linear
    moved = fgsm(model, x.round(), target=0, epsilon=0.4)
    assert moved.min() >= 0 and moved.max() <= 1


def test_weights_that_are_not_finite_do_no_harm(linear: tuple[nn.Sequential, Tensor]) -> None:
    model, x = linear
    assert isinstance(model[1], nn.Linear)
    model[1].weight[:] = float("nan")
    occlusion = Occlusion(model, x, 0)
    occlusion.advance(60)
    assert not saliency(model, x, 0).any() and not occlusion.falls[:6, :6].any()
    assert torch.equal(fgsm(model, x, 0, 0.1), x)
