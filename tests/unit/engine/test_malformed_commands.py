"""Whatever a browser sends, to the run of any lesson: the run obeys or refuses with a sentence, and never fails."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from playground.engine.commands import CommandError, read_command
from playground.engine.open_run import OpenRun
from playground.engine.orders import Refuse
from playground.lesson import Bench
from playground.lessons import LESSONS
from playground.lessons.classification import seeds
from playground.settings import Settings

DEEP: Any = "x"
for _ in range(200):
    DEEP = [DEEP]
# What may stand where a value belongs: each type of JSON, extremes, and what looks almost right.
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 3, 1.5, -0.0, 1e-320, 1e6, -1e6, 1e7, 1e308, 10**30, 2**63,
    math.nan, math.inf, -math.inf,
    "", "0", "plane", "maps", "step", "nan", "\x00", "\ud800", "‮", "😀" * 400, "A" * 2731 + "=", "/" * 2732,
    [], [1, 2], ["plane"], {}, {"x": 1}, {"plane": ["plane"]}, DEEP,
]  # fmt: skip
FIELDS = {
    "play": (), "pause": (), "step": ("n", "unit"), "reset": (), "speed": ("value",), "scrub": ("to",),
    "add": ("x", "y"), "remove": ("x", "y"), "undo": (), "set": ("layer", "unit", "input", "value"),
    "explain": ("x", "y"), "pick": ("chart", "x", "y"), "draw": ("bits",), "slide": ("name", "value"),
    "leave": (), "nonsense": ("x",),
}  # fmt: skip
RIGHT = {
    "n": 1, "steps": 1, "unit": 0, "value": 0.5, "to": 0, "x": 0.3, "y": -0.2, "layer": 0, "input": 0, "chart": "plane",
    "bits": None, "name": "epsilon",
}  # fmt: skip
PICKS = 12  # places in each chart, far out and in the middle


@cache
def benches() -> dict[str, Bench]:
    every = [bench for lesson in LESSONS.values() for bench in lesson.benches]
    return {bench.name: bench for bench in every if getattr(bench, "build", None)}


def opened(bench: Bench) -> OpenRun:
    """An open run of a bench, after a few steps."""
    build, config = bench.build, bench.config()  # type: ignore[attr-defined]
    if bench.name == "cnn":
        config = config.with_values(filters_1=2, filters_2=2, images=200, kernel=3)
    found = OpenRun("id", "session", lambda config: build(config, settings=Settings()), config)
    found.build_run()
    assert found.run is not None
    found.run.advance(0.005, 3)
    return found


def messages_to(bench: Bench) -> list[dict[str, Any]]:
    """Every command with each of its fields wrong, in each way; and clicks all over each chart."""
    found: list[dict[str, Any]] = [{"do": value} for value in VALUES] + [{}]
    for do, fields in FIELDS.items():
        right = {"do": do} | {name: RIGHT[name] for name in fields}
        if do == "step":
            right["unit"] = "step"
        found.append(right)
        for name in fields:
            found.append({key: value for key, value in right.items() if key != name})
            found += [right | {name: value} for value in VALUES]
    found += [{"do": do, "step": value} for do in ("scrub", "go_back") for value in VALUES]
    corners = [(x, y) for x in (-1e6, -1.0, 0.0, 4.4, 1e6) for y in (-1e6, 0.49, 27.0, 1e6)]
    charts = [chart.name for chart in bench.charts] + ["", "no such chart"]
    found += [{"do": "pick", "chart": name, "x": x, "y": y} for name in charts for x, y in corners[:PICKS]]
    found += [{"do": "slide", "name": slider.name, "value": value}
              for chart in bench.charts for slider in chart.sliders for value in (-1e6, 0, 0.5, 1e6)]  # fmt: skip
    return found


def is_sentence(text: str) -> bool:
    return (
        (text[:1].isupper() or text[:1] == "“") and text[-1:] in ".)" and "\n" not in text and "Traceback" not in text
    )


@pytest.mark.parametrize("name", [bench.name for lesson in LESSONS.values() for bench in lesson.benches
                                  if getattr(bench, "build", None)])  # fmt: skip
def test_no_message_ends_a_run_and_each_refusal_is_a_sentence(name: str) -> None:
    bench = benches()[name]
    screen, charts = opened(bench), [chart.name for chart in bench.charts]
    for number, message in enumerate(messages_to(bench)):
        try:
            order: Any = read_command(message)
        except CommandError as error:
            order = Refuse(str(error))
        screen.obey(order)
        assert screen.state not in ("failed", "done"), (message, screen.notice)
        assert not screen.notice or is_sentence(screen.notice), (message, screen.notice)
        json.dumps(screen.notice).encode()
        if number % 60 == 0 and screen.run is not None:
            screen.run.advance(0.001, 1)
            drawing = screen.run.draw(charts, {})
            assert set(drawing.charts) <= set(charts)
        if screen.run is not None and screen.run.outcome:  # a lab that has shown everything
            screen.rebuild(1, keep_playing=False)


def test_the_nine_seeds_refuse_what_they_do_not_know() -> None:
    build: Any = seeds.build
    screen = OpenRun("id", "session", lambda config: build(config, settings=Settings()),
                     LESSONS["classification"].benches[0].config())  # fmt: skip
    screen.build_run()
    for message in ({"do": "add", "x": 0, "y": 0}, {"do": "pick", "chart": "maps", "x": 0, "y": 0}, {"do": "undo"}):
        screen.obey(read_command(message))
        assert is_sentence(screen.notice)
    assert np.isfinite(screen.run.draw(["seeds"], {}).status["step"]) if screen.run else False
