"""The lab "Tutorial": the tutorial's own cells (1.3), run in both libraries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.figures.cells import cells
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.tensors.cells import block, one_line
from playground.parsing.arrays import MAX_CHARACTERS, as_numpy, read_array, shape_text

Array = NDArray[Any]
CELLS = {"convert": "To a tensor and back", "abs": "abs", "sin": "sin", "mean": "mean"}
MAX_ROWS, MAX_COLUMNS = 6, 8  # of np_data
NO_BREAK = "\u00a0"
MAX_NUMBERS = 8  # in the list: each has a row in the drawing

SENTENCES = {
    "convert": "One block of memory under three names: `from_numpy` and `.numpy()` copy nothing. Strides are the steps "
    "in memory to the next row and to the next column: NumPy counts bytes, torch counts elements.",
    "functions": "{agree} NumPy stores this list as `{stored}` and the result as `{result}`; `torch.FloatTensor` is "
    "`float32` from the start, with about 7 digits.",
    "agree": "The numbers agree; the types do not.",
    "disagree": "The numbers do not agree: some number of this list needs more digits than `float32` has.",
    "not_a_list": "This cell takes one row of up to {limit} numbers, not {shape}. Use the lab Operations for larger "
    "arrays.",
    "too_large": "A torch.FloatTensor cannot hold numbers above 3.4e38. Type a smaller one.",
}
COLUMNS = ("NumPy", "torch", "dtype", "Shape", "Strides")
LINE = "torch_data.stride(), np_data.strides"
STRIDES = "{numpy} bytes\n{torch} elements"
ONE_STRIDE = "{numpy} bytes\n1 element"
NO_STRIDES = "()\n()"  # of a single number, as both libraries print them


def convert_both_ways(rows: int, columns: int) -> tuple[Array, Tensor, Array]:
    """The tutorial's first cell: an array, a tensor made from it, and an array made from that."""
    np_data = np.arange(rows * columns).reshape((rows, columns))
    torch_data = torch.from_numpy(np_data)
    tensor_to_array = torch_data.numpy()
    return np_data, torch_data, tensor_to_array


def in_both_libraries(name: str, data: list[float]) -> tuple[Any, Tensor]:
    """The tutorial's second cell: abs, sin or mean of a list in NumPy, and of a tensor in torch."""
    tensor = torch.FloatTensor(data)
    if name == "abs":
        return np.abs(data), torch.abs(tensor)
    if name == "sin":
        return np.sin(data), torch.sin(tensor)
    return np.mean(data), torch.mean(tensor)


@dataclass(frozen=True)
class TutorialConfig(Config):
    """Which cell is drawn, and its numbers."""

    # fmt: off
    cell: str = knob("convert", "Cell", group="Cell", live=True, bar=True, options=tuple(CELLS), names=CELLS)
    rows: int = knob(2, "Rows", help="Rows of np_data.", group="To a tensor and back", live=True, bar=True, lo=1,
                     hi=MAX_ROWS, applies=lambda config: config.cell == "convert")
    columns: int = knob(3, "Columns", help="Columns of np_data.", group="To a tensor and back", live=True, bar=True,
                        lo=1, hi=MAX_COLUMNS, applies=lambda config: config.cell == "convert")
    data: str = knob("-1 -2 1 2", "Numbers", help="One row, separated by spaces.", group="abs, sin, mean", live=True,
                     bar=True, max_length=MAX_CHARACTERS)
    # fmt: on


def draw_tutorial(config: TutorialConfig) -> Sheet:
    """The arrays and tensors of the chosen cell as drawings, and a table of what every cell prints."""
    np_data, torch_data, back = convert_both_ways(config.rows, config.columns)
    code = f"np.arange({np_data.size}).reshape(({config.rows}, {config.columns}))"
    rows = [
        _row(f"np_data = {code}", "torch_data = torch.from_numpy(np_data)", np_data, torch_data),
        _row("tensor_to_array = torch_data.numpy()", "torch_data", back, torch_data),
    ]
    drawn = [block("np_data", np_data), block("tensor_to_array", back)], [block("torch_data", torch_data.numpy())]
    ways = None if config.cell == "convert" else ([1, 1],)  # so that each number is above its result
    data = _list(config.data)
    note, line, answer = SENTENCES["convert"], LINE, str((tuple(torch_data.stride()), np_data.strides))
    for name in ("abs", "sin", "mean"):
        with np.errstate(invalid="ignore"):  # the sine of infinity
            in_numpy, in_torch = in_both_libraries(name, data)
        rows.append(_row(f"np.{name}(data)", f"torch.{name}(tensor)", in_numpy, in_torch))
        if config.cell == name:
            note = _note(data, in_numpy, in_torch)
            line, answer = f"torch.{name}(tensor)", one_line(str(in_torch))
            drawn = (
                [block("data", np.array(data)), block(f"np.{name}(data)", np.asarray(in_numpy))],
                [block("tensor", torch.FloatTensor(data).numpy()), block(f"torch.{name}(tensor)", in_torch.numpy())],
            )
    figures = {library: cells(blocks, rows=ways) for library, blocks in zip(("numpy", "torch"), drawn, strict=True)}
    return Sheet(figures, note, (Table(COLUMNS, tuple(rows), code=COLUMNS),), line=line, answer=answer)


def _note(data: list[float], in_numpy: Any, in_torch: Tensor) -> str:
    """Whether the numbers of both libraries agree but for rounding, and their types."""
    agree = np.allclose(in_numpy, in_torch.numpy(), rtol=1e-5, atol=1e-6, equal_nan=True)
    return SENTENCES["functions"].format(
        agree=SENTENCES["agree" if agree else "disagree"], stored=np.array(data).dtype, result=in_numpy.dtype
    )


def _list(text: str) -> list[float]:
    """The list of the tutorial's second cell. Raises ValueError with a sentence."""
    numbers = read_array(text)
    if len(numbers.shape) != 1 or len(numbers.values) > MAX_NUMBERS:
        raise ValueError(SENTENCES["not_a_list"].format(limit=MAX_NUMBERS, shape=shape_text(numbers.shape)))
    as_numpy(numbers)  # refuses integers that do not fit in int64
    if any(float("inf") > abs(value) > torch.finfo(torch.float32).max for value in numbers.values):
        raise ValueError(SENTENCES["too_large"])
    return list(numbers.values)


def _row(numpy_call: str, torch_call: str, array: Array, tensor: Tensor) -> tuple[str, ...]:
    shapes = f"{tuple(np.shape(array))}\n{tuple(tensor.shape)}"
    form = ONE_STRIDE if tensor.stride() == (1,) else STRIDES
    strides = form.format(numpy=_listed(np.asarray(array).strides), torch=_listed(tensor.stride()))
    if not tensor.dim():
        strides = NO_STRIDES
    types = f"{array.dtype}\n{str(tensor.dtype).removeprefix('torch.')}"
    unbroken = types, shapes.replace(" ", NO_BREAK), strides.replace(" ", NO_BREAK)
    return f">>> {numpy_call}\n{array!s}", f">>> {torch_call}\n{tensor!s}", *unbroken


def _listed(sizes: tuple[int, ...]) -> str:
    return ", ".join(str(size) for size in sizes)


LAB = Lab(
    name="tensors_tutorial",
    title="Tutorial",
    sentence="The tutorial’s cells, run just now: the same numbers in NumPy and in torch.",
    config=TutorialConfig,
    draw=draw_tutorial,
    charts=(
        Chart("numpy", "NumPy", "The arrays of this cell, as cells."),
        Chart("torch", "torch", "The tensors of this cell, as cells."),
    ),
)
