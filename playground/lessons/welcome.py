"""The picture on the home page: the tutorial's small network after 100 steps."""

from __future__ import annotations

from functools import cache

from playground.engine.frames import Figure
from playground.lessons.regression import lesson as regression
from playground.lessons.regression.config import RegressionConfig

CHARTS = tuple(chart for chart in regression.LESSON.charts if chart.name == "network")


@cache
def picture() -> dict[str, Figure]:
    """The figure of each of CHARTS, trained once for the whole server (100 steps, well under a second)."""
    run = regression.build(RegressionConfig())
    run.advance(seconds=60.0, steps=run.config.max_steps)
    return run.draw([chart.name for chart in CHARTS], {}).charts
