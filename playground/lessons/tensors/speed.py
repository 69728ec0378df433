"""The lab "Speed": how long one call takes in NumPy and in torch, measured here, from one number to a million."""

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
from playground.lessons.numbers import number
from playground.lessons.tensors.figures import timings
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings
from playground.training.devices import choices

SIZES = tuple(2**power for power in range(21))  # numbers in the array: 1 to 1,048,576
BATCH_SECONDS = 0.0003  # of one batch of calls: long compared with the resolution of the clock
STEP_SECONDS = 0.006  # of measuring in one step; the smallest time per call of all batches is kept
MAX_CALL_SECONDS = 0.005  # a call that is expected to take longer is skipped, so that other runs do not wait
TRIES = 3  # single calls before the batches: the first one is slower, another may be interrupted
MAX_TRIES_SECONDS = 0.02  # after which no more single calls are made
MAX_GROWTH = 3.0  # of the time of a call when the numbers double (a matrix product: 2.8)
PASSES = 3  # through all sizes
MAX_SLOWDOWN = 4.0  # a call this many times slower than the longest time expected was interrupted
EQUAL = 0.08  # relative difference of two times that count as equal
MICROSECONDS = 1e6  # in a second
SPAN = (0.1, 20_000.0)  # of the time axis, in microseconds

SENTENCES = {
    "start": "Press Play: each step times one call with one size, {numpy} in NumPy or {torch} in torch.",
    "equal": "{numbers}: NumPy {numpy} µs, torch {torch} µs. Here they are about equal.",
    "numpy": "{numbers}: NumPy {numpy} µs, torch {torch} µs. Here NumPy is faster.",
    "torch": "{numbers}: NumPy {numpy} µs, torch {torch} µs. Here torch is faster.",
    "numpy_from": "{numbers}: NumPy {numpy} µs, torch {torch} µs. From about {crossing} on NumPy is faster.",
    "torch_from": "{numbers}: NumPy {numpy} µs, torch {torch} µs. From about {crossing} on torch is faster.",
    "skipped": "Larger sizes are skipped in {library}: a call would take over {limit:g} ms and hold up other visitors.",
}
NUMBERS = {"one": "1 number", "more": "{count:,} numbers"}


@dataclass(frozen=True)
class Timed:
    """A call to time, as the code of each library; a and b are arrays, A and B square matrices of about their size."""

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
STATUS = "{library}, µs"


@dataclass(frozen=True)
class SpeedConfig(Config):
    """The call to measure, and its dtype."""

    # fmt: off
    call: str = knob("add", "Call", group="What is measured", bar=True, options=tuple(CALLS),
                     names={name: each.label for name, each in CALLS.items()})
    dtype: str = knob("float32", "dtype", group="What is measured", bar=True, options=("float32", "float64"))
    # fmt: on


def libraries() -> tuple[str, ...]:
    """What is measured here: NumPy, torch on the CPU, and torch on a graphics card if there is one."""
    return ("numpy", *choices())


def prepare(call: str, library: str, size: int, dtype: str) -> Callable[[], Any]:
    """The call for `size` numbers, ready to be timed: its arrays are made and are on their device."""
    generator = np.random.default_rng(size)
    side = max(math.isqrt(size), 1)
    shape: tuple[int, ...] = (side, side) if call == "matmul" else (size,)
    one = generator.random(shape, np.float32).astype(dtype, copy=False)
    arrays = (one, one + 1)
    given = arrays if library == "numpy" else [torch.from_numpy(array).to(library) for array in arrays]
    code = CALLS[call].numpy if library == "numpy" else CALLS[call].torch
    function: Callable[[Any, Any, Any, Any], Any] = eval(f"lambda a, b, A, B: {code}", {"np": np, "torch": torch})
    return lambda: function(*given, *given)


def measure(function: Callable[[], Any], library: str) -> float:
    """Seconds of one call: the smallest time of many batches, measured within STEP_SECONDS."""

    def batch(calls: int) -> float:
        began = time.perf_counter()
        for _ in range(calls):
            function()
        if library == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - began) / calls

    began = time.perf_counter()
    best = math.inf
    for _ in range(TRIES):
        best = min(best, batch(1))
        if time.perf_counter() - began > MAX_TRIES_SECONDS:
            return best
    calls = max(1, min(1000, int(BATCH_SECONDS / max(best, 1e-7))))
    while time.perf_counter() - began < STEP_SECONDS:
        best = min(best, batch(calls))
    return best


def crossing(one: Mapping[int, float], other: Mapping[int, float]) -> float | None:
    """The size where the faster one changes for the last time; None if it never changes.

    Found on the straight line between the last two measured sizes with different winners, both axes logarithmic; sizes
    with about EQUAL times are left out.
    """
    leads = [(size, math.log(one[size] / other[size])) for size in sorted(one.keys() & other.keys())]
    decided = [(size, lead) for size, lead in leads if abs(lead) > EQUAL]
    for (size, before), (next_size, after) in reversed(list(pairwise(decided))):
        if (before < 0) != (after < 0):
            return float(size * (next_size / size) ** (before / (before - after)))
    return None


class SpeedRun(SteppedRun):
    """A measurement: one step times one size in one library; sizes that would take too long are skipped.

    All sizes are measured PASSES times and the smallest time is kept: other work of the machine only adds to it.
    """

    def __init__(self, config: SpeedConfig, settings: Settings) -> None:
        self.libraries = libraries()
        self.measured: list[tuple[str, int, float | None]] = []  # library, size, seconds of a call; one for each step
        self.best: dict[tuple[str, int], float] = {}  # by library and size; kept when it is played again
        super().__init__(config, settings, PASSES * len(SIZES) * len(self.libraries))

    @property
    def auto_speed(self) -> float:
        """About four seconds for two libraries."""
        return 30.0

    def step(self) -> None:
        """Measure the next size in the next library."""
        size = SIZES[self.steps // len(self.libraries) % len(SIZES)]
        library = self.libraries[self.steps % len(self.libraries)]
        del self.measured[self.steps :]  # of an earlier play
        self.measured.append((library, size, self._seconds(library, size)))

    def _seconds(self, library: str, size: int) -> float | None:
        expected = self._expected(library, size)
        if expected > MAX_CALL_SECONDS:
            return None
        seconds = measure(prepare(self.config.call, library, size, self.config.dtype), library)
        last_pass = self.steps >= len(SIZES) * len(self.libraries) * (PASSES - 1)
        if seconds > MAX_SLOWDOWN * expected > 0 and not last_pass:
            return None  # interrupted: the next pass measures again
        self.best[library, size] = min(seconds, self.best.get((library, size), math.inf))
        return self.best[library, size]

    def _expected(self, library: str, size: int) -> float:
        """The longest time expected of the call, from the sizes before; 0 for the first size."""
        if size == SIZES[0]:
            return 0.0
        return min(self.best.get((library, size >> back), math.inf) * MAX_GROWTH**back for back in (1, 2, 3, 4))

    def seconds(self, at: int) -> dict[str, dict[int, float]]:
        """The results of the first `at` steps: library -> size, in order -> seconds of one call."""
        found: dict[str, dict[int, float]] = {library: {} for library in self.libraries}
        for library, size, seconds in self.measured[:at]:
            if seconds is not None:
                found[library][size] = min(seconds, found[library].get(size, math.inf))
        return {library: dict(sorted(times.items())) for library, times in found.items()}

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The times of all libraries, and their ratios to NumPy's."""
        del options
        found = self.seconds(at)
        return {"times": lambda: self._times(found), "ratio": lambda: self._ratio(found)}

    def _times(self, found: dict[str, dict[int, float]]) -> Figure:
        lines = [
            (*LINES[library], np.array(list(times)), np.array([seconds * MICROSECONDS for seconds in times.values()]))
            for library, times in found.items()
        ]
        at = crossing(found["numpy"], found["cpu"])
        return timings.timings(lines, sizes=(0.7, 2 * SIZES[-1]), span=SPAN, crossing=at)

    def _ratio(self, found: dict[str, dict[int, float]]) -> Figure:
        lines = []
        for library in self.libraries[1:]:
            sizes = [size for size in found[library] if size in found["numpy"]]
            ratio = [found["numpy"][size] / found[library][size] for size in sizes]
            lines.append((*LINES[library], np.array(sizes), np.array(ratio)))
        at = crossing(found["numpy"], found["cpu"])
        return timings.ratios(lines, sizes=(0.7, 2 * SIZES[-1]), crossing=at)

    def compared(self, at: int) -> int | None:
        """The largest size that was measured in every library in the first `at` steps."""
        common = set(SIZES).intersection(*self.seconds(at).values())
        return max(common, default=None)

    def status(self, at: int) -> dict[str, float]:
        """The largest size measured in all libraries, and the time of one call in each; NaN before there is one."""
        found, size = self.seconds(at), self.compared(at)
        if size is None:
            return dict.fromkeys(("numbers", *self.libraries), math.nan)
        times = {name: float(f"{times[size] * MICROSECONDS:.3g}") for name, times in found.items()}
        return {"numbers": float(size), **times}

    def narrate(self, at: int) -> str:
        """Which library is faster at the largest size measured in all, and from which size on."""
        found, size = self.seconds(at), self.compared(at)
        if size is None:
            return SENTENCES["start"].format(numpy=CALLS[self.config.call].numpy, torch=CALLS[self.config.call].torch)
        numpy, cpu = (found[library][size] * MICROSECONDS for library in ("numpy", "cpu"))
        where = crossing(found["numpy"], found["cpu"])
        faster = "numpy" if numpy < cpu else "torch"
        if abs(math.log(numpy / cpu)) <= EQUAL:
            faster = "equal"
        elif where is not None:
            faster += "_from"
        sentences = [SENTENCES[faster].format(
            numbers=NUMBERS["one" if size == 1 else "more"].format(count=size), numpy=_three_digits(numpy),
            torch=_three_digits(cpu), crossing=number(float(f"{where or 0.0:.2g}")),
        )]  # fmt: skip
        if at == self.length and size < SIZES[-1]:
            slowest = min(found, key=lambda library: max(found[library]))
            sentences.append(SENTENCES["skipped"].format(library=LINES[slowest][0], limit=1000 * MAX_CALL_SECONDS))
        return " ".join(sentences)


def _three_digits(microseconds: float) -> str:
    return number(float(f"{microseconds:.3g}"))


def build(config: SpeedConfig, settings: Settings) -> SpeedRun:
    """A new measurement."""
    return SpeedRun(config, settings)


LAB = Lab(
    name="tensors_speed",
    title="Speed",
    sentence="Which library is faster, and from which size on? Measured on the machine that serves this page.",
    config=SpeedConfig,
    build=build,
    charts=(
        Chart("times", "Time of one call", "Microseconds of one call over the numbers in the array."),
        Chart("ratio", "Which is faster", "NumPy’s time divided by torch’s, over the numbers in the array."),
    ),
    status={
        "step": "Step",
        "numbers": "Numbers",
        **{library: STATUS.format(library=LINES[library][0]) for library in libraries()},
    },
)
