"""What the lesson Activations says of deep stacks of layers, for many seeds."""

from __future__ import annotations

import pytest

from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.activations.depth import DEPTH, DepthConfig, rms, run_pass, signal


def ends(config: DepthConfig) -> tuple[float, float]:
    """Signal at the last layer and gradient at the first."""
    through = run_pass(config)
    return signal(through.outputs[-1]), rms(through.gradients[0])


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.in_ci] * (seed < 3)) for seed in range(20)])
def test_each_experiment_does_what_it_says(seed: int) -> None:
    tried = {each.id: each.config for each in experiments(LESSONS["activations"]) if each.bench is DEPTH}
    fates = {name: ends(config.with_values(seed=seed)) for name, config in tried.items()}
    assert all(1e-2 < size < 1e2 for name in ("tanh-xavier", "relu-kaiming") for size in fates[name])
    assert fates["ten-sigmoids"][1] < 1e-5
    assert max(fates["relu-default"]) < 1e-2
    assert max(fates["too-small"]) < 1e-8
    assert fates["too-large-tanh"][0] > 0.5
    assert fates["too-large-tanh"][1] > 1e3
    assert min(fates["too-large-relu"]) > 1e9
