"""The tutorial's own cells (1.3), run in both libraries: the same numbers, printed and stored a little differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.figures.cells import Block, cells
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.tensors.cells import block
from playground.parsing.arrays import MAX_CHARACTERS, as_numpy, read_array, shape_text

Array = NDArray[Any]
CELLS = {"convert": "To a tensor and back", "abs": "abs", "sin": "sin", "mean": "mean"}
MOST_ROWS, MOST_COLUMNS = 6, 8  # of the array that is made
NO_BREAK = "\u00a0"
MOST_NUMBERS = 8  # in the list: each stands in a row of the drawing


def there_and_back(rows: int, columns: int) -> tuple[Array, Tensor, Array]:
    """The tutorial's first cell: an array, a tensor made from it, and an array made from that."""
    np_data = np.arange(rows * columns).reshape((rows, columns))
    torch_data = torch.from_numpy(np_data)
    tensor_to_array = torch_data.numpy()
    return np_data, torch_data, tensor_to_array


def in_both(name: str, data: list[float]) -> tuple[Any, Tensor]:
    """The tutorial's second cell: abs, sin or mean of a list in NumPy, and of a tensor in torch."""
    tensor = torch.FloatTensor(data)
    if name == "abs":
        return np.abs(data), torch.abs(tensor)
    if name == "sin":
        return np.sin(data), torch.sin(tensor)
    return np.mean(data), torch.mean(tensor)


@dataclass(frozen=True)
class TutorialConfig(Config):
    """Which cell is drawn, and the numbers it starts from."""

    # fmt: off
    cell: str = knob("convert", "Cell", group="Cell", live=True, options=tuple(CELLS), names=CELLS)
    rows: int = knob(2, "Rows", help="Of np_data.", group="To a tensor and back", live=True, lo=1, hi=MOST_ROWS,
                     applies=lambda config: config.cell == "convert")
    columns: int = knob(3, "Columns", help="Of np_data.", group="To a tensor and back", live=True, lo=1,
                        hi=MOST_COLUMNS, applies=lambda config: config.cell == "convert")
    data: str = knob("-1 -2 1 2", "Numbers", help="One row, with spaces between.", group="abs, sin, mean", live=True,
                     max_length=MAX_CHARACTERS)
    # fmt: on


def draw_tutorial(config: TutorialConfig) -> Sheet:
    """The chosen cell's arrays and tensors as drawings; what every cell prints, in a table."""
    np_data, torch_data, back = there_and_back(config.rows, config.columns)
    made = f"np.arange({np_data.size}).reshape(({config.rows}, {config.columns}))"
    rows = [
        _row(f"np_data = {made}", "torch_data = torch.from_numpy(np_data)", np_data, torch_data),
        _row("tensor_to_array = torch_data.numpy()", "torch_data", back, torch_data),
    ]
    drawn = [block("np_data", np_data), block("tensor_to_array", back)], [block("torch_data", torch_data.numpy())]
    data = _list(config.data)
    for name in ("abs", "sin", "mean"):
        with np.errstate(invalid="ignore"):  # the sine of infinity
            in_numpy, in_torch = in_both(name, data)
        rows.append(_row(f"np.{name}(data)", f"torch.{name}(tensor)", in_numpy, in_torch))
        if config.cell == name:
            drawn = (
                [_column("data", np.array(data)), _column(f"np.{name}(data)", in_numpy)],
                [_column("tensor", torch.FloatTensor(data)), _column(f"torch.{name}(tensor)", in_torch)],
            )
    figures = {"numpy": cells(drawn[0]), "torch": cells(drawn[1])}
    columns = ("NumPy", "torch", "dtype", "Shape", "Strides")
    return Sheet(figures, _note(config), (Table(columns, tuple(rows), code=columns),))


def _list(text: str) -> list[float]:
    """The list of the tutorial's second cell. Raises ValueError with a sentence."""
    numbers = read_array(text)
    if len(numbers.shape) != 1 or len(numbers.values) > MOST_NUMBERS:
        raise ValueError(f"This cell takes one row of up to {MOST_NUMBERS} numbers; here are {shape_text(numbers.shape)}. "
                         "Bigger arrays are for the lab Operations.")  # fmt: skip
    as_numpy(numbers)  # refuses what no whole number of NumPy's holds
    if any(float("inf") > abs(value) > torch.finfo(torch.float32).max for value in numbers.values):
        raise ValueError("Numbers above 3.4e38 have no place in torch.FloatTensor. Take a smaller one.")
    return list(numbers.values)


def _row(numpy_call: str, torch_call: str, array: Array, tensor: Tensor) -> tuple[str, ...]:
    shapes = f"{tuple(np.shape(array))}\n{tuple(tensor.shape)}"
    strides = f"{_listed(np.asarray(array).strides)} bytes\n{_listed(tensor.stride())} elements"
    types = f"{array.dtype}\n{tensor.dtype}"
    together = types, shapes.replace(" ", NO_BREAK), strides.replace(" ", NO_BREAK)
    return f">>> {numpy_call}\n{array!s}", f">>> {torch_call}\n{tensor!s}", *together


def _listed(sizes: tuple[int, ...]) -> str:
    return ", ".join(str(size) for size in sizes) or "0"


def _column(title: str, array: Array | Tensor) -> Block:
    """One row of numbers drawn as a column, so that what goes in stands beside what comes out."""
    return block(title, np.reshape(np.asarray(array), (-1, 1)))


def _note(config: TutorialConfig) -> str:
    if config.cell == "convert":
        return (
            "One block of memory under three names: `from_numpy` and `.numpy()` copy nothing. "
            "Strides say how far it is to the next row and the next column: NumPy counts bytes, torch elements."
        )
    return (
        "The numbers agree; the types do not. A list of whole numbers is `int64` to NumPy and its sine a `float64`; "
        "`torch.FloatTensor` is `float32` from the start, with half the digits."
    )


LAB = Lab(
    name="tensors_tutorial",
    title="Tutorial",
    sentence="The tutorial's cells, run here and now: the same numbers in NumPy and in torch.",
    config=TutorialConfig,
    draw=draw_tutorial,
    charts=(
        Chart("numpy", "NumPy", "The arrays of this cell, as cells.", low=True),
        Chart("torch", "torch", "The tensors of this cell, as cells.", low=True),
    ),
    presets={"To a tensor and back": {}, "abs": {"cell": "abs"}, "sin": {"cell": "sin"}, "mean": {"cell": "mean"}},
)
