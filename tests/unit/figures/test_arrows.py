"""Arrows of a step: where they begin and end, and what they say of an optimizer's step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from playground.figures.arrows import MAX_SHARE, Arrow, arrows
from playground.lessons.gradient_descent.surface import SurfaceConfig, SurfaceRun
from playground.lessons.optimizers.config import OptimizersConfig
from playground.lessons.optimizers.lesson import build
from playground.settings import Settings


def ends(trace: dict[str, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    return np.array([trace["x"][0], trace["y"][0]]), np.array([trace["x"][1], trace["y"][1]])


def test_a_long_vector_is_cut_in_its_own_direction_and_a_tiny_one_is_not_drawn() -> None:
    at, long, tiny = np.array([1.0, 2.0]), np.array([30.0, 40.0]), np.array([1e-9, 0.0])
    drawn, none = arrows(at, [Arrow("a", long, "@mark"), Arrow("b", tiny, "@mark")], (0.0, 10.0))
    start, tip = ends(drawn)
    assert np.allclose(start, at) and np.allclose(tip - at, 10 * MAX_SHARE * long / 50)
    assert len(none["x"]) == 0
    assert len(arrows(None, [Arrow("a", long, "@mark")], (0.0, 10.0))[0]["x"]) == 0


def test_the_step_of_gradient_descent_ends_at_the_balls_next_place() -> None:
    run = SurfaceRun(SurfaceConfig(lr=0.05), Settings())
    run.advance(1e9, 2)
    figure = run.draw(["levels"], {"arrows": True}).charts["levels"]
    trace = next(each for each in figure["data"] if each["name"] == "step")
    start, tip = ends(trace)
    assert np.allclose(start, run.path.positions[2]) and np.allclose(tip, run.path.positions[3])
    plain = run.draw(["levels"], {}).charts["levels"]
    assert not any(each["name"] == "step" for each in plain["data"])


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_an_optimizers_update_leads_to_its_place_and_sgds_is_its_gradient(name: str) -> None:
    run: Any = build(OptimizersConfig(inside=name))
    run.advance(1e9, 6)
    figure = run.draw(["surface"], {"vectors": True}).charts["surface"]
    found = {each["name"]: each for each in figure["data"][-3:]}
    racer = run.surface.racers[run._inside()]
    at = min(6, run.surface.steps)
    start, tip = ends(found["update"])
    assert np.allclose(start, racer.places[at - 1])
    whole = racer.places[at] - racer.places[at - 1]
    assert (
        np.allclose((tip - start) / np.hypot(*(tip - start)), whole / np.hypot(*whole), atol=1e-4)
        and (tip - start) @ whole > 0
    )
    gradient, memory = racer.vectors[at]
    if name == "sgd":
        assert np.allclose(whole, -racer.lr * gradient, atol=1e-6) and np.isnan(memory).all()
    if name == "momentum":
        assert np.allclose(whole, -racer.lr * memory, atol=1e-6)
