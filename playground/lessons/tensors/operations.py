"""One array, every operation, both libraries: what each gives and whether it is the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.cells import Block, cells
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.tensors.cells import block, corner
from playground.lessons.tensors.registry import CASES, FLOAT32, OPERATIONS, Operation
from playground.lessons.tensors.verdicts import Result, Verdict, judge
from playground.parsing.arrays import DTYPES, EXAMPLE, MAX_CHARACTERS, as_numpy, as_torch, read_array, shape_text
from playground.training.devices import choices

Array = NDArray[np.generic]
DEVICES = ("cpu", "cuda")
LONGEST_ERROR = 120  # characters of an error in the table; its card shows more
WORDS = {
    "same": "Both libraries give the same: values, shape and dtype.",
    "differs": "The two results differ.",
    "error": "This does not work in both libraries.",
}


@dataclass(frozen=True)
class OperationsConfig(Config):
    """Two arrays, and the operation that is looked at."""

    # fmt: off
    operation: str = knob("sin", "Operation", group="Operation", live=True, options=tuple(OPERATIONS),
                          names={name: f"{each.label} ({each.group.lower()})" for name, each in OPERATIONS.items()})
    array: str = knob(EXAMPLE, "Array a", group="Arrays", live=True, max_length=MAX_CHARACTERS,
                      help="Numbers with spaces, rows with ; as in 0 1 2; 3 4 5. Or [[0, 1], [2, 3]], arange(6), "
                           "linspace(-1, 1, 5), zeros(2, 3). nan and inf are numbers too.")
    shape: str = knob("", "Shape of a", help="Such as 3 2, or 2 -1. Empty: as typed.", group="Arrays", live=True,
                      max_length=40)
    dtype: str = knob("auto", "dtype of a", help="auto: what each library makes of the numbers by itself.",
                      group="Arrays", live=True, options=DTYPES)
    second: str = knob("10 20 30", "Array b", help="For the operations that take two. Its dtype is auto.",
                       group="Arrays", live=True, max_length=MAX_CHARACTERS)
    device: str = knob("cpu", "Device of the tensors", help="cuda is a graphics card that torch sees.",
                       group="Arrays", live=True, more=True, options=DEVICES)
    # fmt: on


def draw_operations(config: OperationsConfig) -> Sheet:
    """The arrays, both results and their difference as cells; and the verdict on every operation."""
    if config.device not in choices():
        raise ValueError("On this machine torch sees no graphics card. Set the device back to cpu.")
    a, b = read_array(config.array, config.shape), read_array(config.second)
    arrays = as_numpy(a, config.dtype), as_numpy(b)
    tensors = as_torch(a, config.dtype, config.device), as_torch(b, device=config.device)
    judged = {name: judge(each, arrays, tensors) for name, each in OPERATIONS.items()}
    chosen, (numpy, torch, verdict) = OPERATIONS[config.operation], judged[config.operation]
    scale = max((_largest(part) for part in (*numpy.parts, *torch.parts)), default=1.0) or 1.0
    given = [block(f"a: {arrays[0].dtype} | {tensors[0].dtype}", arrays[0])]
    if chosen.takes_two:
        given.append(block("b", arrays[1]))
    figures = {
        "given": cells(given),
        "gap": _gap(numpy, torch, verdict),
        "numpy": _result(numpy, scale),
        "torch": _result(torch, scale),
    }
    rows = [_row(OPERATIONS[name], verdict) for name, (_, _, verdict) in judged.items()]
    columns = ("Operation", "NumPy", "torch", "Verdict", "By how much (NumPy | torch)")
    return Sheet(figures, _note(chosen, judged), (Table(columns, tuple(rows), code=("NumPy", "torch")),))


def _note(chosen: Operation, judged: dict[str, tuple[Result, Result, Verdict]]) -> str:
    verdict = judged[chosen.name][2]
    counts = Counter(each.kind for _, _, each in judged.values())
    why = f" {chosen.why}" if chosen.why and verdict.kind != "same" else ""
    if verdict.how.startswith("dtype float64 | float32") and verdict.how.endswith(("float32", "rounding)")):
        why = f" {FLOAT32}"
    elif verdict.how.endswith("rounding)"):
        why = " Only by rounding: the libraries compute in different ways, each right to the last digit or two."
    return (
        f"**{chosen.label}**, `{chosen.numpy}` in NumPy and `{chosen.torch}` in torch. {WORDS[verdict.kind]}{why}\n\n"
        f"With this array: {counts['same']} of {len(judged)} operations give the same, {counts['differs']} differ, "
        f"{counts['error']} raise an error in one of the two or in both."
    )


def _row(operation: Operation, verdict: Verdict) -> tuple[str, ...]:
    how = verdict.how if len(verdict.how) <= LONGEST_ERROR else verdict.how[: LONGEST_ERROR - 1] + "…"
    return operation.label, operation.numpy, operation.torch, verdict.sign, how


def _result(result: Result, scale: float) -> Figure:
    """A result as cells, or its error."""
    if result.error:
        return cells([], message=result.error)
    blocks: list[Block] = []
    for index, part in enumerate(result.parts):
        which = f"[{index}] " if len(result.parts) > 1 else ""
        blocks.append(block(f"{which}{part.dtype}, shape {shape_text(part.shape)}", part, scale=scale))
    empty = "An array with no elements." if all(part.size == 0 for part in result.parts) else ""
    return cells([each for each in blocks if each.texts.size], message=empty)


def _gap(numpy: Result, torch: Result, verdict: Verdict) -> Figure:
    """NumPy's values less torch's as cells, where they have one shape; else the verdict."""
    comparable = [one.shape == other.shape for one, other in zip(numpy.parts, torch.parts, strict=False)]
    if numpy.error or torch.error or comparable != [True] or numpy.parts[0].size == 0:
        both = bool(numpy.error) and bool(torch.error)
        return cells([], message=verdict.how if verdict.kind == "differs" else "No difference: both raise an error."
                     if both else "No difference to show: one of them raises an error."
                     if verdict.kind == "error" else "The same.")  # fmt: skip
    one, other = corner(numpy.parts[0]).astype(np.float64), corner(torch.parts[0]).astype(np.float64)
    equal = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        gap = np.where(equal, 0.0, one - other)
    return cells([block("NumPy − torch" if not equal.all() else "NumPy − torch: equal", gap)])


def _largest(part: Array) -> float:
    numbers = np.abs(part.astype(np.float64))
    return float(numbers[np.isfinite(numbers)].max(initial=0.0))


LAB = Lab(
    name="tensors_operations",
    title="Operations",
    sentence="Type an array and do the same to it in both libraries. Which of them agree?",
    config=OperationsConfig,
    draw=draw_operations,
    charts=(
        Chart("given", "What goes in", "The first array, and the second where it is used, as cells.", low=True),
        Chart("gap", "Difference", "What NumPy gives less what torch gives, cell by cell.", low=True),
        Chart("numpy", "NumPy gives", "The result of NumPy as cells, or its error.", low=True),
        Chart("torch", "torch gives", "The result of torch as cells, or its error.", low=True),
    ),
    presets={
        "Sine": {},
        **{
            case.title: {
                "operation": case.operation,
                "array": case.array,
                "dtype": case.dtype,
                "second": case.second,
            }
            for case in CASES
        },
    },
)
