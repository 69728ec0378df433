"""The picture on the home page: the tutorial's small network after 100 steps."""

from __future__ import annotations

from functools import cache

from playground.lesson import Lab, Sheet
from playground.lessons.regression import lesson as regression
from playground.lessons.regression.config import RegressionConfig

CHARTS = tuple(chart for chart in regression.LESSON.charts if chart.name == "network")


@cache
def draw(config: RegressionConfig) -> Sheet:
    """The figure of each of CHARTS, trained once in a process (100 steps, well under a second)."""
    run = regression.build(config)
    run.advance(seconds=60.0, steps=run.config.max_steps)
    return Sheet(run.draw([chart.name for chart in CHARTS], {}).charts)


BENCH = Lab("welcome", CHARTS[0].title, CHARTS[0].alt, RegressionConfig, CHARTS, draw=draw)
