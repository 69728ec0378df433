"""What the lesson Activations says of deep stacks of layers, for many seeds."""

from __future__ import annotations

from typing import Any

import pytest

from playground.lessons.activations.depth import DEPTH, DepthConfig, rms, run_pass, signal


def ends(**knobs: Any) -> tuple[float, float]:
    """Signal at the last layer and gradient at the first."""
    through = run_pass(DepthConfig(**knobs))
    return signal(through.outputs[-1]), rms(through.gradients[0])


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.in_ci] * (seed < 3)) for seed in range(20)])
def test_each_preset_does_what_its_name_says(seed: int) -> None:
    fates = {title: ends(**values, seed=seed) for title, values in DEPTH.presets.items()}
    there, back = zip(*fates.values(), strict=True)
    names = list(fates)
    assert all(1e-2 < size < 1e2 for title in ("Tanh with Xavier", "ReLU with Kaiming") for size in fates[title])
    assert fates["Sigmoid: vanishing"][1] < 1e-5
    assert max(fates["ReLU with PyTorch’s default"]) < 1e-2
    assert max(fates["Weights too small"]) < 1e-8
    assert there[names.index("Weights too large, tanh")] > 0.5
    assert back[names.index("Weights too large, tanh")] > 1e3
    assert min(fates["Weights too large, ReLU"]) > 1e9
