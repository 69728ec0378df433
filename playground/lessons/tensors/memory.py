"""Who owns the memory: write a number on one side of a conversion, and see whether the other side changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.figures.cells import Block, cells
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.tensors.cells import block
from playground.parsing.arrays import times

Array = NDArray[Any]
Side = Any  # an array or a tensor
SHAPE = (2, 3)


@dataclass(frozen=True)
class Way:
    """A way from one library to the other, as the code that is shown and run: `a` is given, `b` comes out of it."""

    label: str
    code: str
    why: str
    given: str = "np.arange(6).reshape(2, 3)"

    def make(self) -> tuple[Side, Side]:
        """A fresh pair: what is given, and what is made of it."""
        a = eval(self.given, {"np": np, "torch": torch})
        return a, self._make(a)

    @cached_property
    def _make(self) -> Any:
        return eval(f"lambda a: {self.code}", {"np": np, "torch": torch})


GIVEN_TENSOR = "torch.arange(6).reshape(2, 3)"
WAYS: dict[str, Way] = {
    "from_numpy": Way("from_numpy", "torch.from_numpy(a)", "It takes over the array's memory and copies nothing."),
    "as_tensor": Way("as_tensor", "torch.as_tensor(a)", "It copies only where it must, and here it need not."),
    "as_tensor_float": Way("as_tensor, another dtype", "torch.as_tensor(a, dtype=torch.float32)",
                           "Another dtype needs other bytes, so it had to copy."),
    "tensor": Way("tensor", "torch.tensor(a)", "torch.tensor always copies."),
    "clone": Way("from_numpy and clone", "torch.from_numpy(a).clone()", "clone is a copy by definition."),
    "slice": Way("from_numpy of a slice", "torch.from_numpy(a[:, ::2])",
                 "A slice is a view: its strides skip every second column of the same memory."),
    "row": Way("from_numpy of a row", "torch.from_numpy(a[1:])",
               "The second row is a view that begins further on in the same memory."),
    "backwards": Way("from_numpy, backwards", "torch.from_numpy(a[::-1].copy())",
                     "A tensor takes no negative strides, so a reversed array must be copied first."),
    "numpy": Way(".numpy()", "a.numpy()", "The way back copies nothing either.", GIVEN_TENSOR),
    "detach": Way("detach and .numpy()", "a.detach().numpy()",
                  "detach leaves the gradients behind, not the memory.", "torch.arange(6.0).reshape(2, 3)"),
    "copy": Way(".numpy() and copy", "a.numpy().copy()", "copy is a copy by definition.", GIVEN_TENSOR),
}  # fmt: skip
SIDES = {"a": "a, the given one", "b": "b, the new one"}


@dataclass(frozen=True)
class MemoryConfig(Config):
    """How the second side is made, and what is written where."""

    # fmt: off
    way: str = knob("from_numpy", "b is made by", group="Conversion", live=True, options=tuple(WAYS),
                    names={name: way.label for name, way in WAYS.items()})
    side: str = knob("b", "Write into", group="Write", live=True, options=tuple(SIDES), names=SIDES)
    row: int = knob(0, "Row", group="Write", live=True, lo=0, hi=1)
    column: int = knob(1, "Column", group="Write", live=True, lo=0, hi=2)
    value: int = knob(42, "Number", group="Write", live=True, lo=-99, hi=99)
    # fmt: on


@dataclass(frozen=True)
class Written:
    """What a write has done: both sides as they are afterwards, and where each has changed."""

    a: Side
    b: Side
    changed_a: Array  # of bool, in a's shape
    changed_b: Array

    @property
    def seen(self) -> bool:
        """Whether both sides show the write."""
        return bool(self.changed_a.any() and self.changed_b.any())

    @property
    def shared(self) -> bool:
        """Whether both look at the same memory."""
        return bool(np.shares_memory(as_array(self.a), as_array(self.b)))


def write(way: Way, side: str, place: tuple[int, int], value: float) -> Written:
    """Make both sides, write one number into one of them, and look at both. Raises ValueError where no such place is.

    A way's pair is made twice, once to know what was there before.
    """
    (a, b), (old_a, old_b) = way.make(), way.make()
    target = a if side == "a" else b
    if any(index >= size for index, size in zip(place, target.shape, strict=True)):
        raise ValueError(f"Row {place[0]}, column {place[1]} is not in {side}, whose shape is {times(target.shape)}. "
                         "Take a smaller row or column.")  # fmt: skip
    target[place] = value
    return Written(a, b, as_array(a) != as_array(old_a), as_array(b) != as_array(old_b))


def as_array(side: Side) -> Array:
    """Either side as an array, without a copy."""
    array: Array = side.numpy() if isinstance(side, Tensor) else side
    return array


def draw_memory(config: MemoryConfig) -> Sheet:
    """Both sides after the write, the memory under them, and where that is."""
    way, place = WAYS[config.way], (config.row, config.column)
    done = write(way, config.side, place, config.value)
    figures = {
        "sides": cells([_side("a", done.a, done.changed_a), _side("b", done.b, done.changed_b)]),
        "memory": cells(_memory(done)),
    }
    code = f"a = {way.given}\nb = {way.code}\n{config.side}[{config.row}, {config.column}] = {config.value}"
    rows = (_row("a", done.a, "p", code), _row("b", done.b, pointer(done), ""))
    columns = ("", "What", "dtype", "Data pointer", "Strides in bytes", "Shape", "What runs")
    return Sheet(figures, _note(config, way, done), (Table(columns, rows, code=("", "Data pointer", "What runs")),))


def _side(name: str, side: Side, changed: Array) -> Block:
    library = "tensor" if isinstance(side, Tensor) else "array"
    return block(f"{name}, {'a' if library == 'tensor' else 'an'} {library}", as_array(side), mark=changed)


def _memory(done: Written) -> list[Block]:
    """The numbers in the order in which they lie in memory: once where it is shared, else once for each side."""
    a, b = as_array(done.a), as_array(done.b)
    if done.shared:
        return [block("one block of memory: a and b", a.reshape(1, -1), mark=done.changed_a.reshape(1, -1))]
    return [
        block("a's memory", a.reshape(1, -1), mark=done.changed_a.reshape(1, -1)),
        block("b's memory", b.reshape(1, -1), mark=done.changed_b.reshape(1, -1)),
    ]


def _row(name: str, side: Side, where: str, code: str) -> tuple[str, ...]:
    array = as_array(side)
    what = "torch tensor" if isinstance(side, Tensor) else "NumPy array"
    return name, what, str(side.dtype), where, ", ".join(map(str, array.strides)), times(array.shape), code


def pointer(done: Written) -> str:
    """Where b's first number lies, seen from a's, which lies at p: no visitor is told the server's own addresses."""
    if not done.shared:
        return "q, elsewhere"
    ahead = as_array(done.b).ctypes.data - as_array(done.a).ctypes.data
    return f"p + {ahead} bytes" if ahead else "p"


def _note(config: MemoryConfig, way: Way, done: Written) -> str:
    other = "b" if config.side == "a" else "a"
    if done.seen:
        return f"You wrote into `{config.side}`, and **`{other}` changed too**: one block of memory. {way.why}"
    if done.shared:
        return f"You wrote into `{config.side}`. They share memory, but `{other}` does not look at that cell. {way.why}"
    if not (done.changed_a.any() or done.changed_b.any()):
        return f"That number was there already, so nothing has changed. {way.why}"
    return f"You wrote into `{config.side}`, and **`{other}` stayed as it was**: each has memory of its own. {way.why}"


LAB = Lab(
    name="tensors_memory",
    title="Memory",
    sentence="Write a number on one side. Does the other side change?",
    config=MemoryConfig,
    draw=draw_memory,
    charts=(
        Chart("sides", "After the write", "Both sides as cells; what has changed is framed.", low=True),
        Chart("memory", "The memory", "The numbers in the order in which they lie in memory.", low=True),
    ),
    presets={
        "from_numpy": {},
        "tensor": {"way": "tensor"},
        "A slice": {"way": "slice", "side": "a", "column": 2},
        "A cell that the slice skips": {"way": "slice", "side": "a", "column": 1},
        "Another dtype": {"way": "as_tensor_float"},
    },
)
