"""NumPy against torch, measured on this machine: how long one call takes, from one number to a million."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from playground.engine.frames import Figure
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.tensors.figures import timings
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings
from playground.training.devices import choices

SIZES = tuple(2**power for power in range(21))  # numbers in the array: 1 to 1,048,576
BATCH = 0.0003  # seconds: calls are timed in batches, each long against the clock's own grain
BUDGET = 0.006  # seconds of measuring in one step; the smallest time per call of all batches counts
LONGEST = 0.005  # seconds: a call that will probably take longer is not made, so that no neighbour waits
TRIES = 3  # single calls before the batches: the first pays for what is done once, another may be interrupted
PATIENCE = 0.02  # seconds, after which even these few calls are cut short
GROWTH = 3.0  # how much longer a call for twice as many numbers may take (a matrix product: 2.8)
PASSES = 3  # through all sizes
INTERRUPTED = 4.0  # a call that takes so many times what it may take at most was not left alone
EQUAL = 0.08  # share of a time by which two may differ and still count as equal
SECOND = 1e6  # in microseconds
SPAN = (0.1, 20_000.0)  # microseconds on the axis


@dataclass(frozen=True)
class Timed:
    """A call that is timed, as the code in each library; a and b are the arrays, A and B square ones of as many."""

    label: str
    numpy: str
    torch: str


CALLS: dict[str, Timed] = {
    "add": Timed("Add", "a + b", "a + b"),
    "sin": Timed("Sine", "np.sin(a)", "torch.sin(a)"),
    "exp": Timed("Exponential", "np.exp(a)", "torch.exp(a)"),
    "sum": Timed("Sum", "np.sum(a)", "torch.sum(a)"),
    "sort": Timed("Sort", "np.sort(a)", "torch.sort(a).values"),
    "cumsum": Timed("Running sum", "np.cumsum(a)", "torch.cumsum(a, 0)"),
    "matmul": Timed("Matrix product", "A @ B", "A @ B"),
}
LINES = {"numpy": ("NumPy", "@series0"), "cpu": ("torch, cpu", "@series1"), "cuda": ("torch, cuda", "@series2")}


@dataclass(frozen=True)
class SpeedConfig(Config):
    """What is measured."""

    # fmt: off
    call: str = knob("add", "Call", group="What is measured", options=tuple(CALLS),
                     names={name: f"{each.label}: {each.torch}" for name, each in CALLS.items()})
    dtype: str = knob("float32", "dtype", group="What is measured", options=("float32", "float64"))
    # fmt: on


def competitors() -> tuple[str, ...]:
    """Who is measured here: NumPy, torch on the CPU, and torch on a graphics card where there is one."""
    return ("numpy", *choices())


def prepare(call: str, who: str, size: int, dtype: str) -> Callable[[], Any]:
    """The call for so many numbers, ready to be timed: its arrays are made, and on their device."""
    generator = np.random.default_rng(size)
    side = max(math.isqrt(size), 1)
    shape: tuple[int, ...] = (side, side) if call == "matmul" else (size,)
    one = generator.random(shape, np.float32).astype(dtype, copy=False)
    arrays = (one, one + 1)
    given = arrays if who == "numpy" else [torch.from_numpy(array).to(who) for array in arrays]
    code = CALLS[call].numpy if who == "numpy" else CALLS[call].torch
    made: Callable[[Any, Any, Any, Any], Any] = eval(f"lambda a, b, A, B: {code}", {"np": np, "torch": torch})
    return lambda: made(*given, *given)


def measure(function: Callable[[], Any], who: str) -> float:
    """Seconds that one call takes: the quickest of many batches, within BUDGET."""

    def batch(calls: int) -> float:
        began = time.perf_counter()
        for _ in range(calls):
            function()
        if who == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - began) / calls

    began = time.perf_counter()
    best = math.inf
    for _ in range(TRIES):
        best = min(best, batch(1))
        if time.perf_counter() - began > PATIENCE:
            return best
    calls = max(1, min(1000, int(BATCH / max(best, 1e-7))))
    while time.perf_counter() - began < BUDGET:
        best = min(best, batch(calls))
    return best


def crossing(one: Mapping[int, float], other: Mapping[int, float]) -> float | None:
    """The size from which on the other is faster for good (or the one), between two sizes measured; None if never.

    Found on the straight line between the last two sizes with different winners, both axes logarithmic; a size at
    which they are about EQUAL has none.
    """
    leads = [(size, math.log(one[size] / other[size])) for size in sorted(one.keys() & other.keys())]
    decided = [(size, lead) for size, lead in leads if abs(lead) > EQUAL]
    for (size, before), (next_size, after) in reversed(list(pairwise(decided))):
        if (before < 0) != (after < 0):
            return float(size * (next_size / size) ** (before / (before - after)))
    return None


class SpeedRun(SteppedRun):
    """One step measures one size in one library; a size that would take too long there is left out.

    All sizes are gone through PASSES times, and the smallest time counts: what else the machine does only adds to it.
    """

    def __init__(self, config: SpeedConfig, settings: Settings) -> None:
        self.who = competitors()
        self.found: list[tuple[str, int, float | None]] = []  # who, size, seconds of a call; one for each step
        self.best: dict[tuple[str, int], float] = {}  # by who and size; played again, it can only get better
        super().__init__(config, settings, PASSES * len(SIZES) * len(self.who))

    @property
    def auto_speed(self) -> float:
        """About four seconds for two libraries."""
        return 30.0

    def step(self) -> None:
        """Measure the next size in the next library."""
        size, who = SIZES[self.steps // len(self.who) % len(SIZES)], self.who[self.steps % len(self.who)]
        del self.found[self.steps :]  # when it is played again
        self.found.append((who, size, self._seconds(who, size)))

    def _seconds(self, who: str, size: int) -> float | None:
        expected = self._expected(who, size)
        if expected > LONGEST:
            return None
        seconds = measure(prepare(self.config.call, who, size, self.config.dtype), who)
        last_pass = self.steps >= len(SIZES) * len(self.who) * (PASSES - 1)
        if seconds > INTERRUPTED * expected > 0 and not last_pass:
            return None  # something came between: the next pass tries again
        self.best[who, size] = min(seconds, self.best.get((who, size), math.inf))
        return self.best[who, size]

    def _expected(self, who: str, size: int) -> float:
        """How long the call may take, from the few sizes before; 0 for the first size."""
        if size == SIZES[0]:
            return 0.0
        return min(self.best.get((who, size >> back), math.inf) * GROWTH**back for back in (1, 2, 3, 4))

    def seconds(self, at: int) -> dict[str, dict[int, float]]:
        """What the first `at` steps have found: who -> size, in order -> seconds of one call."""
        found: dict[str, dict[int, float]] = {who: {} for who in self.who}
        for who, size, seconds in self.found[:at]:
            if seconds is not None:
                found[who][size] = min(seconds, found[who].get(size, math.inf))
        return {who: dict(sorted(times.items())) for who, times in found.items()}

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The times of all, and how they compare with NumPy's."""
        del options
        found = self.seconds(at)
        return {"times": lambda: self._times(found), "ratio": lambda: self._ratio(found)}

    def _times(self, found: dict[str, dict[int, float]]) -> Figure:
        lines = [
            (*LINES[who], np.array(list(times)), np.array([seconds * SECOND for seconds in times.values()]))
            for who, times in found.items()
        ]
        at = crossing(found["numpy"], found["cpu"])
        return timings.timings(lines, sizes=(0.7, 2 * SIZES[-1]), span=SPAN, crossing=at)

    def _ratio(self, found: dict[str, dict[int, float]]) -> Figure:
        lines = []
        for who in self.who[1:]:
            sizes = [size for size in found[who] if size in found["numpy"]]
            ratio = [found["numpy"][size] / found[who][size] for size in sizes]
            lines.append((*LINES[who], np.array(sizes), np.array(ratio)))
        at = crossing(found["numpy"], found["cpu"])
        return timings.ratios(lines, sizes=(0.7, 2 * SIZES[-1]), crossing=at)

    def status(self, at: int) -> dict[str, float]:
        """The last size, and what a call took there."""
        found, shown = self.seconds(at), dict[str, float]()
        for who, size, _ in self.found[:at]:
            if size in found[who]:
                shown |= {"numbers": float(size), who: float(f"{found[who][size] * SECOND:.3g}")}
        return shown

    def narrate(self, at: int) -> str:
        """Who is ahead at the last size that both have measured, and where it turned."""
        found = self.seconds(at)
        sizes = sorted(found["numpy"].keys() & found["cpu"].keys())
        if not sizes:
            return "Press Play: each step times one call with one size, first in NumPy, then in torch."
        numpy, cpu = (found[who][sizes[-1]] * SECOND for who in ("numpy", "cpu"))
        measured = f"{sizes[-1]:,} numbers: NumPy {_short(numpy)} µs, torch {_short(cpu)} µs."
        if abs(math.log(numpy / cpu)) <= EQUAL:
            return f"{measured} Here they are about equal."
        ahead = "NumPy is faster" if numpy < cpu else "torch is faster"
        where = crossing(found["numpy"], found["cpu"])
        return f"{measured} Here {ahead}." if where is None else f"{measured} From about {_about(where)} on {ahead}."


def _about(number: float) -> str:
    """A number to two digits."""
    return f"{float(f'{number:.2g}'):,.0f}"


def _short(number: float) -> str:
    """A number to three digits, written out."""
    return f"{float(f'{number:.3g}'):,g}" if number < 1e6 else f"{number:.3g}"


def build(config: SpeedConfig, settings: Settings) -> SpeedRun:
    """A measurement from the start."""
    return SpeedRun(config, settings)


LAB = Lab(
    name="tensors_speed",
    title="Speed",
    sentence="Which library is faster, and from how many numbers on? Measured on the machine that serves this page.",
    config=SpeedConfig,
    build=build,
    charts=(
        Chart("times", "Time of one call", "Microseconds of one call over the numbers in the array."),
        Chart("ratio", "Who is faster", "NumPy's time divided by torch's, over the numbers in the array."),
    ),
    status={
        "step": "Step",
        "numbers": "Numbers",
        **{who: f"{LINES[who][0]}, µs" for who in competitors()},
    },
    presets={
        "Add": {},
        "Sine": {"call": "sin"},
        "Sum": {"call": "sum"},
        "Sort": {"call": "sort"},
        "Matrix product": {"call": "matmul"},
    },
)
