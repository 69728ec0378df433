"""The lab "Memory": write a number on one side of a conversion, and see whether the other side changes."""

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
from playground.lessons.tensors.cells import block, one_line
from playground.parsing.arrays import shape_text

Array = NDArray[Any]
Side = Any  # an array or a tensor


@dataclass(frozen=True)
class Conversion:
    """A conversion between the libraries, as the code that is shown and run: `b` is made from `a`."""

    label: str
    code: str
    why: str
    given: str = "np.arange(6).reshape(2, 3)"

    def make(self) -> tuple[Side, Side]:
        """A new pair (a, b)."""
        a = eval(self.given, {"np": np, "torch": torch})
        return a, self._make(a)

    @cached_property
    def _make(self) -> Any:
        return eval(f"lambda a: {self.code}", {"np": np, "torch": torch})


GIVEN_TENSOR = "torch.arange(6).reshape(2, 3)"
CONVERSIONS: dict[str, Conversion] = {
    "from_numpy": Conversion("from_numpy", "torch.from_numpy(a)", "It uses the array’s memory and copies nothing."),
    "as_tensor": Conversion("as_tensor", "torch.as_tensor(a)", "It copies only if it must, and here it need not."),
    "as_tensor_float": Conversion("as_tensor, other dtype", "torch.as_tensor(a, dtype=torch.float32)",
                           "Another dtype needs other bytes, so it must copy."),
    "tensor": Conversion("tensor", "torch.tensor(a)", "torch.tensor always copies."),
    "clone": Conversion("from_numpy and clone", "torch.from_numpy(a).clone()", "clone is a copy by definition."),
    "slice": Conversion("from_numpy of a slice", "torch.from_numpy(a[:, ::2])",
                 "A slice is a view: its strides skip every second column of the same memory."),
    "row": Conversion("from_numpy of a row", "torch.from_numpy(a[1:])",
               "The second row is a view that starts later in the same memory."),
    "backwards": Conversion("from_numpy, backwards", "torch.from_numpy(a[::-1].copy())",
                     "A tensor cannot have negative strides, so a reversed array must be copied first."),
    "numpy": Conversion(".numpy()", "a.numpy()", "The conversion back to NumPy copies nothing either.", GIVEN_TENSOR),
    "detach": Conversion("detach and .numpy()", "a.detach().numpy()",
                  "detach drops the gradients and keeps the memory.", "torch.arange(6.0).reshape(2, 3)"),
    "copy": Conversion(".numpy() and copy", "a.numpy().copy()", "copy is a copy by definition.", GIVEN_TENSOR),
}  # fmt: skip
SIDES = {"a": "a, the original", "b": "b, the result"}

SENTENCES = {
    "both": "You wrote into `{side}`, and **`{other}` changed too**: one block of memory. {why}",
    "not_included": "You wrote into `{side}`. They share memory, but `{other}` does not include that cell. {why}",
    "same_number": "That number was there already, so nothing has changed. {why}",
    "one": "You wrote into `{side}`, and **`{other}` did not change**: each has its own memory. {why}",
    "no_such_cell": "Row {row}, column {column} is not in {side}, whose shape is {shape}. Choose a smaller row or "
    "column.",
}
TITLES = {"tensor": "a tensor", "array": "an array", "shared": "one block of memory: a and b", "own": "{name}’s memory"}
LINE = "{side}[{row}, {column}] = {value}; {other}"
KINDS = {"tensor": "torch tensor", "array": "NumPy array"}
POINTERS = {"same": "p", "offset": "p + {bytes} bytes", "elsewhere": "a different address"}
COLUMNS = ("", "Type", "dtype", "Data pointer", "Strides in bytes", "Shape", "Code")


@dataclass(frozen=True)
class MemoryConfig(Config):
    """How b is made, and what is written where."""

    # fmt: off
    way: str = knob("from_numpy", "How b is made", group="Conversion", live=True, bar=True, options=tuple(CONVERSIONS),
                    names={name: way.label for name, way in CONVERSIONS.items()})
    side: str = knob("b", "Write into", group="Write", live=True, bar=True, options=tuple(SIDES), names=SIDES)
    row: int = knob(0, "Row", group="Write", live=True, bar=True, lo=0, hi=1)
    column: int = knob(1, "Column", group="Write", live=True, bar=True, lo=0, hi=2)
    value: int = knob(42, "Number", group="Write", live=True, lo=-99, hi=99)
    # fmt: on


@dataclass(frozen=True)
class Written:
    """The effect of a write: both sides afterwards, and which of their cells changed."""

    a: Side
    b: Side
    changed_a: Array  # of bool, in a's shape
    changed_b: Array

    @property
    def visible_in_both(self) -> bool:
        """Whether both sides show the new number."""
        return bool(self.changed_a.any() and self.changed_b.any())

    @property
    def shared(self) -> bool:
        """Whether both use the same memory."""
        return bool(np.shares_memory(as_array(self.a), as_array(self.b)))


def write(way: Conversion, side: str, place: tuple[int, int], value: float) -> Written:
    """The effect of writing one number into one side. Raises ValueError with a sentence if there is no such cell.

    The pair is made twice, to compare with the numbers before.
    """
    (a, b), (old_a, old_b) = way.make(), way.make()
    target = a if side == "a" else b
    if any(index >= size for index, size in zip(place, target.shape, strict=True)):
        raise ValueError(SENTENCES["no_such_cell"].format(
            row=place[0], column=place[1], side=side, shape=shape_text(target.shape)))  # fmt: skip
    target[place] = value
    return Written(a, b, as_array(a) != as_array(old_a), as_array(b) != as_array(old_b))


def as_array(side: Side) -> Array:
    """Either side as an array, without a copy."""
    array: Array = side.numpy() if isinstance(side, Tensor) else side
    return array


def draw_memory(config: MemoryConfig) -> Sheet:
    """Both sides after the write, their memory, and a table of dtypes, addresses and strides."""
    way, place = CONVERSIONS[config.way], (config.row, config.column)
    done = write(way, config.side, place, config.value)
    figures = {
        "sides": cells([_side("a", done.a, done.changed_a), _side("b", done.b, done.changed_b)]),
        "memory": cells(_memory(done)),
    }
    code = f"a = {way.given}\nb = {way.code}\n{config.side}[{config.row}, {config.column}] = {config.value}"
    rows = (_row("a", done.a, POINTERS["same"], code), _row("b", done.b, pointer(done), ""))
    other = "b" if config.side == "a" else "a"
    line = LINE.format(side=config.side, row=config.row, column=config.column, value=config.value, other=other)
    answer = one_line(repr(getattr(done, other)))
    table = Table(COLUMNS, rows, code=("", "Data pointer", "Code"))
    return Sheet(figures, _note(config, way, done), (table,), line=line, answer=answer)


def _side(name: str, side: Side, changed: Array) -> Block:
    return block(name, as_array(side), TITLES[_kind(side)], mark=changed)


def _kind(side: Side) -> str:
    return "tensor" if isinstance(side, Tensor) else "array"


def _memory(done: Written) -> list[Block]:
    """The numbers in their order in memory: one block if it is shared, or one for each side."""
    a, b = as_array(done.a), as_array(done.b)
    if done.shared:
        return [block(TITLES["shared"], a.reshape(1, -1), mark=done.changed_a.reshape(1, -1))]
    return [
        block(TITLES["own"].format(name="a"), a.reshape(1, -1), mark=done.changed_a.reshape(1, -1)),
        block(TITLES["own"].format(name="b"), b.reshape(1, -1), mark=done.changed_b.reshape(1, -1)),
    ]


def _row(name: str, side: Side, where: str, code: str) -> tuple[str, ...]:
    array = as_array(side)
    strides = ", ".join(map(str, array.strides))
    return name, KINDS[_kind(side)], str(side.dtype), where, strides, shape_text(array.shape), code


def pointer(done: Written) -> str:
    """The address of b's first number, relative to p, the address of a's: the server's own addresses are not shown."""
    if not done.shared:
        return POINTERS["elsewhere"]
    ahead = as_array(done.b).ctypes.data - as_array(done.a).ctypes.data
    return POINTERS["offset" if ahead else "same"].format(bytes=ahead)


def _note(config: MemoryConfig, way: Conversion, done: Written) -> str:
    other = "b" if config.side == "a" else "a"
    if not (done.changed_a.any() or done.changed_b.any()):
        name = "same_number"
    elif done.visible_in_both:
        name = "both"
    else:
        name = "not_included" if done.shared else "one"
    return SENTENCES[name].format(side=config.side, other=other, why=way.why)


LAB = Lab(
    name="tensors_memory",
    title="Memory",
    sentence="Write a number on one side. Does the other side change?",
    config=MemoryConfig,
    draw=draw_memory,
    charts=(
        Chart("sides", "After the write", "Both sides as cells; changed cells have a frame."),
        Chart("memory", "The memory", "The numbers in their order in memory."),
    ),
)
