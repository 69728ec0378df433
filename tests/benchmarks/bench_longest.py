"""The longest step, drawing, build and change of settings of each lesson and lab, over the corners of its settings.

    PLAYGROUND_DATA=<folder of MNIST> pytest -s tests/benchmarks/bench_longest.py [-k <lesson or lab>]

Nothing may hold a worker for longer than these limits, whatever a link asks for. Times are CPU seconds of the measuring
thread with one torch thread, so neighbours on the machine do not count; how fast the machine is does.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from playground import mnist
from playground.engine.commands import LookBack
from playground.engine.frames import encode
from playground.engine.run import Heavy
from playground.experiments import experiments
from playground.knobs import Config, Value
from playground.lesson import Bench
from playground.lessons import LESSONS
from playground.settings import Settings
from playground.training import devices

MAX_SECONDS = {"step": 0.5, "draw": 0.3, "build": 0.5, "tune": 0.5, "rebuild": 0.5}
RANDOM_CONFIGS = 24
SOME_STEPS, SOME_SECONDS = 300, 0.3  # between two drawings
BENCHES = {bench.name: bench for lesson in LESSONS.values() for bench in lesson.benches}
LONG_TEXTS: dict[str, tuple[str, ...]] = {  # for knobs that take any text
    "expression": ("+".join(["sin(w*x+b)"] * 16), "tanh(" * 12 + "w*x+b" + ")" * 12, "*".join(["(w*x+b)"] * 20)),
    "formula": ("+".join(["sin(x*y)"] * 20), "+".join(["exp(-x**2)"] * 15), "*".join(["sin(x)"] * 25)),
    "layers": ("conv 7; " * 12, "conv 64 3; pool 2; " * 6),
    "array": ("1,2,3,4;5,6,7,8", "arange(64)"),
    "shape": ("8, 8", "4, 4, 4", "2, 2, 2, 2, 2, 2"),
    "data": ("1,2,3,4;5,6,7,8",),
    "a": ("8, 8", "2, 3, 4"),
    "b": ("8, 1", "3, 1"),
    "cells": ("1 2 3 4 5 6 7; " * 7,),
}

pytestmark = pytest.mark.timeout(1800)


@dataclass
class Longest:
    """The longest of each kind of work, and the settings that it took."""

    seconds: dict[str, float] = field(default_factory=dict)
    configs: dict[str, dict[str, str]] = field(default_factory=dict)

    def time(self, what: str, config: Config, work: Callable[[], Any]) -> Any:
        """What `work` returns; None where it refuses with a sentence."""
        start, result = time.thread_time(), None
        with suppress(ValueError):
            result = work()
        seconds = time.thread_time() - start
        if seconds > self.seconds.get(what, 0.0):
            self.seconds[what], self.configs[what] = seconds, config.as_texts()
        return result

    def report(self, name: str) -> None:
        """Print them."""
        print(f"\n{name}")
        for what, seconds in self.seconds.items():
            settings = ", ".join(f"{knob}={value}" for knob, value in self.configs[what].items())
            print(f"  {what:8} {seconds:7.3f} s of {MAX_SECONDS[what]:g}   {settings}")


def ends(bench: Bench, name: str) -> tuple[Value, ...]:
    """The values of a knob that are tried alone: all options, both ends of a number, some texts."""
    knob = bench.config.knobs()[name]
    if knob.many:
        return (str(knob.options[0]), ",".join(map(str, knob.options))) if knob.options else ()
    if knob.options is not None:
        return knob.options if len(knob.options) < 12 else (*knob.options[:3], *knob.options[-3:])
    if isinstance(knob.default, bool):
        return (False, True)
    if isinstance(knob.default, str):
        tried = dict.fromkeys(getattr(config, name) for config in experiments_of(bench))
        return (knob.default, *tried, *LONG_TEXTS.get(name, ()))
    kind = type(knob.default)
    assert knob.lo is not None
    assert knob.hi is not None
    return (kind(knob.lo), kind(knob.hi))


def experiments_of(bench: Bench) -> list[Config]:
    """The settings of the experiments of a bench."""
    return [each.config for lesson in LESSONS.values() for each in experiments(lesson) if each.bench is bench]


def configs(bench: Bench) -> Iterator[Config]:
    """The default, the experiments, all at their upper and lower ends, each knob alone at its ends, and random ones."""
    values = {name: ends(bench, name) for name in bench.config.knobs()}
    values = {name: each for name, each in values.items() if each}
    chance = random.Random(0)
    largest = {name: each[-1] for name, each in values.items() if not isinstance(each[-1], str)}
    yield bench.config()
    yield from experiments_of(bench)
    yield from _legal(bench, largest, {name: each[0] for name, each in values.items()})
    for name, each in values.items():
        for value in each:
            yield from _legal(bench, {name: value}, largest | {name: value})
    for _ in range(RANDOM_CONFIGS):
        yield from _legal(bench, {name: chance.choice(each) for name, each in values.items()})


def _legal(bench: Bench, *values: Any) -> Iterator[Config]:
    for each in values:
        with suppress(ValueError):
            yield bench.config(**each)


def measure(bench: Any, config: Config, other: Config, found: Longest) -> None:
    """Do with one config what a visitor may do."""
    if getattr(bench, "draw", None):
        sheet = found.time("draw", config, lambda: bench.draw(config))
        if sheet:
            found.time("draw", config, lambda: encode({"charts": sheet.charts}))
        return
    charts = [chart.name for chart in bench.charts]
    run = found.time("build", config, lambda: bench.build(config, settings=Settings()))
    if run is None:
        return
    if isinstance(run, Heavy):
        run.use_cores(1)

    def draw() -> None:
        drawing = found.time("draw", config, lambda: run.draw(charts, {}))
        found.time("draw", config, lambda: encode({"charts": drawing.charts}))

    def train() -> None:
        for _ in range(4):
            found.time("step", config, lambda: run.advance(0.0, 1))
        end = time.thread_time() + SOME_SECONDS
        for _ in range(SOME_STEPS):
            if time.thread_time() > end:
                break
            found.time("step", config, lambda: run.advance(0.0, 1))

    draw()
    train()
    draw()
    with suppress(ValueError):
        run.apply(LookBack(0))
        draw()
        run.apply(LookBack())
    live = {name: value for name, (_, value) in other.changed_from(config).items() if other.knobs()[name].live}
    with suppress(ValueError):
        tuned = config.with_values(**live)
        found.time("tune", tuned, lambda: run.tune(tuned))
        draw()
        train()
        draw()
    if hasattr(run, "close"):
        run.close()
    found.time("rebuild", config, lambda: run.rebuilt(config))


@pytest.mark.parametrize("name", BENCHES)
def test_nothing_takes_longer_than_its_limit(name: str) -> None:
    if name == "cnn" and not mnist.load().real:
        pytest.skip("MNIST is not on this machine; set PLAYGROUND_DATA.")
    bench, found = BENCHES[name], Longest()
    every = list(dict.fromkeys(configs(bench)))
    chance = random.Random(1)
    gc.collect()
    gc.freeze()  # as in a worker: collections need not look at the libraries
    with devices.threads(1):
        torch.zeros(1)
        measure(bench, bench.config(), bench.config(), Longest())  # the first of each kind imports and fills caches
        for config in every:
            measure(bench, config, every[chance.randrange(len(every))], found)
    found.report(name)
    late = {what: seconds for what, seconds in found.seconds.items() if seconds > MAX_SECONDS[what]}
    assert not late
