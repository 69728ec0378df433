"""Runs of the lessons that train, as the rules of several of them read them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch

from playground.lessons import LESSONS


def fresh(lesson: str, config: Any, steps: int) -> Any:
    """A run of a lesson after some steps, or fewer where it ends before: of one's own, to change."""
    run = LESSONS[lesson].build(config)  # type: ignore[attr-defined]
    return go_on(run, steps)


@lru_cache(maxsize=32)
def trained(lesson: str, config: Any, steps: int) -> Any:
    """A run of a lesson after some steps, which other rules read, too."""
    return fresh(lesson, config, steps)


def go_on(run: Any, until: int) -> Any:
    """Train until a step."""
    with torch.enable_grad(), np.errstate(over="ignore", invalid="ignore"):
        while run.steps < until and not run.outcome:
            run.step()
    return run


def last(run: Any, column: str = "train") -> float:
    """The last value of a column of the history, which is of the current step."""
    return float(run.history.column(column)[-1])


def at(run: Any, step: int, column: str = "train") -> float:
    """The value of a column of the history at a step, or at the last one before it that a long history keeps."""
    return float(run.history.column(column)[np.searchsorted(run.history.steps(), step, side="right") - 1])


def status(run: Any) -> dict[str, float]:
    """The numbers that the page shows of a run."""
    found: dict[str, float] = run.draw([], {}).status
    return found
