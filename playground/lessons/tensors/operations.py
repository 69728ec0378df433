"""The lab "Operations": one array, every operation in both libraries, and whether the results are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import as_tensor

from playground.engine.frames import Figure
from playground.figures.cells import Block, cells, missing
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.tensors.cells import block, corner, one_line
from playground.lessons.tensors.reasons import Comparison, reasons
from playground.lessons.tensors.registry import OPERATIONS, Operation
from playground.lessons.tensors.verdicts import Result, Verdict, run_both
from playground.parsing.arrays import DTYPES, EXAMPLE, MAX_CHARACTERS, as_numpy, as_torch, read_array, shape_text
from playground.training.devices import choices

Array = NDArray[np.generic]
DEVICES = ("cpu", "cuda")
MAX_ERROR_CHARACTERS = 120  # in the table; the chart shows the whole error

SENTENCES = {
    "same": "Both libraries give the same values, shape and dtype.",
    "differs": "The two results differ.",
    "error_numpy": "NumPy raises an error.",
    "error_torch": "torch raises an error.",
    "error_both": "Both libraries raise an error.",
    "note": "**{label}**, `{numpy}` in NumPy and `{torch}` in torch. {verdict}\n\nWith this array: of {total} "
    "operations {same} agree, {differs} differ and {error} fail in one library or in both.",
    "no_device": "Torch finds no graphics card on this machine. Set the device back to cpu.",
    "empty": "no elements",
    "gap_same": "The same.",
}
COLUMNS = ("Operation", "NumPy", "torch", "Verdict", "Difference (NumPy | torch)")
TITLES = {
    "types": "{numpy} | {torch}",
    "result": "{dtype}, {shape}",
    "part": "{library} [{index}]",
    "error": "an error",
    "gap": "NumPy − torch",
    "no_gap": "NumPy − torch: equal",
}


@dataclass(frozen=True)
class OperationsConfig(Config):
    """Two arrays, and the operation to compare."""

    # fmt: off
    operation: str = knob("sin", "Operation", group="Operation", live=True, bar=True, options=tuple(OPERATIONS),
                          names={name: each.label for name, each in OPERATIONS.items()})
    array: str = knob(EXAMPLE, "Array a", group="Arrays", live=True, bar=True, max_length=MAX_CHARACTERS,
                      help="Numbers separated by spaces, rows by ; as in 0 1 2; 3 4 5. Or [[0, 1], [2, 3]], arange(6), "
                           "linspace(-1, 1, 5), zeros(2, 3). nan and inf can be used, too.")
    shape: str = knob("", "Shape of a", help="Such as 3 2, or 2 -1. Empty: as typed.", group="Arrays", live=True,
                      max_length=40)
    dtype: str = knob("auto", "dtype of a", help="auto: each library chooses.",
                      group="Arrays", live=True, bar=True, options=DTYPES)
    second: str = knob("10 20 30", "Array b", help="For operations on two arrays. Its dtype is auto.",
                       group="Arrays", live=True, bar=True, max_length=MAX_CHARACTERS)
    device: str = knob("cpu", "Device of the tensors", help="cuda is a graphics card, if torch finds one.",
                       group="Arrays", live=True, more=True, options=DEVICES)
    # fmt: on


def draw_operations(config: OperationsConfig) -> Sheet:
    """The arrays, both results and their difference as cells, and a table with the verdict on every operation."""
    if config.device not in choices():
        raise ValueError(SENTENCES["no_device"])
    a, b = read_array(config.array, config.shape), read_array(config.second)
    arrays = as_numpy(a, config.dtype), as_numpy(b)
    tensors = as_torch(a, config.dtype, config.device), as_torch(b, device=config.device)
    results = {name: run_both(each, arrays, tensors) for name, each in OPERATIONS.items()}
    chosen, (numpy, torch, verdict) = OPERATIONS[config.operation], results[config.operation]
    scale = max((_largest(part) for part in (*numpy.parts, *torch.parts)), default=1.0) or 1.0
    types = TITLES["types"].format(numpy=arrays[0].dtype, torch=str(tensors[0].dtype).removeprefix("torch."))
    given = [block("a", arrays[0], types)]
    if chosen.uses_second:
        given.append(block("b", arrays[1]))
    drawn = [*given, *_result("NumPy", numpy, scale), *_result("torch", torch, scale)]
    ways = ([len(drawn)], [len(given), len(drawn) - len(given)], [1] * len(drawn))  # the results beside each other
    figures = {"results": cells(drawn, rows=ways), "gap": _gap(numpy, torch, verdict)}
    rows = [_row(OPERATIONS[name], verdict) for name, (_, _, verdict) in results.items()]
    compared = Comparison(chosen, arrays, tensors, numpy, torch, verdict)
    note = _note(compared, (each for _, _, each in results.values()))
    table = Table(COLUMNS, tuple(rows), code=("NumPy", "torch"))
    return Sheet(figures, note, (table,), line=chosen.torch, answer=_answer(torch))


def _note(compared: Comparison, verdicts: Iterable[Verdict]) -> str:
    counts = Counter(each.kind for each in verdicts)
    chosen, kind = compared.operation, compared.verdict.kind
    if kind == "error":
        both = bool(compared.numpy.error and compared.torch.error)
        kind = "error_both" if both else "error_numpy" if compared.numpy.error else "error_torch"
    return SENTENCES["note"].format(
        label=chosen.label, numpy=chosen.numpy, torch=chosen.torch,
        verdict=" ".join([SENTENCES[kind], *reasons(compared)]), total=counts.total(), same=counts["same"],
        differs=counts["differs"], error=counts["error"],
    )  # fmt: skip


def _row(operation: Operation, verdict: Verdict) -> tuple[str, ...]:
    details = verdict.details
    if len(details) > MAX_ERROR_CHARACTERS:
        details = details[: MAX_ERROR_CHARACTERS - 1] + "…"
    return operation.label, operation.numpy, operation.torch, verdict.sign, details


def _result(library: str, result: Result, scale: float) -> list[Block]:
    """What a library gives as cells, or that it raises an error."""
    if result.error:
        return [missing(library, TITLES["error"])]
    blocks: list[Block] = []
    for index, part in enumerate(result.parts):
        title = TITLES["part"].format(library=library, index=index) if len(result.parts) > 1 else library
        detail = TITLES["result"].format(dtype=part.dtype, shape=shape_text(part.shape))
        drawn = block(title, part, detail, scale=scale) if part.size else missing(title, SENTENCES["empty"])
        blocks.append(drawn)
    return blocks


def _gap(numpy: Result, torch: Result, verdict: Verdict) -> Figure:
    """NumPy's values minus torch's as cells if the shapes are equal, or a sentence."""
    comparable = [one.shape == other.shape for one, other in zip(numpy.parts, torch.parts, strict=False)]
    if numpy.error or torch.error or comparable != [True] or numpy.parts[0].size == 0:
        return cells([], message=verdict.details or SENTENCES["gap_same"])
    one, other = corner(numpy.parts[0]).astype(np.float64), corner(torch.parts[0]).astype(np.float64)
    equal = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        gap = np.where(equal, 0.0, one - other)
    return cells([block(TITLES["no_gap" if equal.all() else "gap"], gap)])


def _answer(torch: Result) -> str:
    """What Python prints for torch's result, or torch's error."""
    if torch.error:
        return torch.error
    printed = [one_line(str(as_tensor(part))) for part in torch.parts]
    return one_line(f"({', '.join(printed)})") if len(printed) > 1 else printed[0]


def _largest(part: Array) -> float:
    numbers = np.abs(part.astype(np.float64))
    return float(numbers[np.isfinite(numbers)].max(initial=0.0))


LAB = Lab(
    name="tensors_operations",
    title="Operations",
    sentence="Type an array and apply the same operation in both libraries. Do they agree?",
    config=OperationsConfig,
    draw=draw_operations,
    charts=(
        Chart("results", "Both results", "The input and the results of both libraries as cells, or their errors."),
        Chart("gap", "Difference", "NumPy minus torch, cell by cell."),
    ),
)
