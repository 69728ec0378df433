"""The lab "Broadcasting": two shapes aligned at the right, what is stretched, and the error if they do not fit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.cells import Block, cells, missing
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.tensors.cells import block
from playground.lessons.tensors.verdicts import run
from playground.parsing.arrays import MAX_AXES, MAX_CELLS, read_shape, shape_text

Array = NDArray[Any]
Shape = tuple[int, ...]
MAX_SHAPE_AXES = 5  # more do not fit in the drawing
MAX_ELEMENTS = 10**12  # of one shape; an array of that size is never allocated

SENTENCES = {
    "no_fit": "The shapes do not fit: on axis {axis} the sizes differ, and neither is 1.",
    "equal": "The shapes are equal: nothing is stretched.",
    "only_axes": "Nothing is stretched: {names} only gets axes of size 1.",
    "stretched": "Stretched: {names}. An axis of size 1, or a missing axis, gets the other’s size. Nothing is copied: "
    "its stride becomes 0.",
    "grown": "Stretched: {names}. An axis of size 1, or a missing axis, gets the other’s size. Nothing is copied: its "
    "stride becomes 0. The larger one has {larger:,} numbers, the result {result:,}.",
    "both": "`{one}` and `{other}`",
    "one": "`{one}`",
    "too_large": "{shape} is too large to draw (at most {cells} cells on {axes} axes).",
    "unknown_size": "The shape of {name} needs every size: -1 cannot be used without an array. Type a number.",
}
LINE, ANSWER = "(a + b).shape", "torch.Size({shape})"
TITLES = {
    "shapes": "aligned at the right; orange: stretched",
    "shapes_missing": "orange: stretched; (1): missing",
    "sum": "a + b",
    "no_sum": "no shape fits",
    "not_drawn": "too large to draw",
}
SIGNS = ("+", "=")
CONTROLS = (0.18, 0.25)  # cells: how far a size is above the middle of its cell, and its controls below it
COLUMNS = ("", "Shape", "Strides when stretched", "Numbers", "As float32")
ERROR_COLUMNS = ("Library", "Error")


@dataclass(frozen=True)
class BroadcastingConfig(Config):
    """The two shapes."""

    # fmt: off
    a: str = knob("2 1 3", "Shape of a", help="Integers separated by spaces, such as 2 1 3. () is a single number.",
                  group="Shapes", live=True, bar=True, max_length=60)
    b: str = knob("4 1", "Shape of b", group="Shapes", live=True, bar=True, max_length=60)
    # fmt: on


def aligned(a: Shape, b: Shape) -> tuple[tuple[int | None, int | None, int | None], ...]:
    """Both shapes, aligned at the right, axis by axis: (size in a, size in b, size of the result).

    None in a or b is a missing axis; None in the result means that the sizes do not fit: they differ and neither is 1.
    """
    axes = max(len(a), len(b))
    pairs = zip((None,) * (axes - len(a)) + a, (None,) * (axes - len(b)) + b, strict=True)
    return tuple((one, other, _common_size(one or 1, other or 1)) for one, other in pairs)


def _common_size(one: int, other: int) -> int | None:
    if one == other or other == 1:
        return one
    return other if one == 1 else None


def real_errors(a: Shape, b: Shape) -> tuple[str, str]:
    """The errors of NumPy and of torch for a + b of two shapes that do not fit; no array of that size is allocated."""
    numpy = run(lambda x, y: x + y, np.broadcast_to(np.float32(0), a), np.broadcast_to(np.float32(0), b))
    torch_ = run(lambda x, y: x + y, torch.zeros(()).expand(a), torch.zeros(()).expand(b))
    return numpy.error, torch_.error


def draw_broadcasting(config: BroadcastingConfig) -> Sheet:
    """The shapes axis by axis, both arrays stretched to the shape of the result, and the result."""
    a, b = _read("a", config.a), _read("b", config.b)
    axes = aligned(a, b)
    clash = [-(len(axes) - index) for index, (*_, size) in enumerate(axes) if size is None]
    figures = {"shapes": _shapes(a, b, axes)}
    if clash:
        numpy, torch_ = real_errors(a, b)
        figures["sum"] = _without_sum(a, b)
        note = SENTENCES["no_fit"].format(axis=clash[-1])
        errors = Table(ERROR_COLUMNS, (("NumPy", numpy), ("torch", torch_)), code=ERROR_COLUMNS[1:])
        return Sheet(figures, note, (_table({"a": a, "b": b}, None), errors), line=LINE, answer=torch_)
    result = tuple(size for *_, size in axes if size is not None)
    figures["sum"] = _stretched_arrays(a, b, result)
    tables = (_table({"a": a, "b": b, "a + b": result}, result),)
    return Sheet(figures, _note(a, b, result), tables, line=LINE, answer=ANSWER.format(shape=list(result)))


def _read(name: str, text: str) -> Shape:
    shape = read_shape(text, MAX_ELEMENTS, MAX_SHAPE_AXES)
    if -1 in shape:
        raise ValueError(SENTENCES["unknown_size"].format(name=name))
    return shape


def _shapes(a: Shape, b: Shape, axes: tuple[tuple[int | None, int | None, int | None], ...]) -> Figure:
    """The sizes in columns, with the places of the controls that change them below those of a and of b."""
    figure = cells([_alignment(axes)])
    if not axes:
        return figure
    numbers, width = figure["data"][-1], len(axes) + 1
    places = {name: slice(row * width + 1, (row + 1) * width) for row, name in ((1, "a"), (2, "b"))}
    figure["layout"]["meta"]["axes"] = {
        name: {"sizes": list(shape), "x": numbers["x"][at].tolist(), "y": float(numbers["y"][at][0]) + CONTROLS[1]}
        for (name, at), shape in zip(places.items(), (a, b), strict=True)
    }
    for at in places.values():
        numbers["y"][at] -= CONTROLS[0]
    return figure


def _alignment(axes: tuple[tuple[int | None, int | None, int | None], ...]) -> Block:
    """The sizes in a column for each axis: stretched sizes are orange, sizes that do not fit have a frame."""
    width = len(axes) + 1
    texts, shades = np.full((4, width), "", object), np.zeros((4, width))
    ghost, mark = np.zeros((4, width), bool), np.zeros((4, width), bool)
    texts[:, 0] = ("axis", "a", "b", "a + b")
    ghost[0, :] = ghost[:, 0] = True
    for column, (one, other, size) in enumerate(axes, start=1):
        texts[0, column] = str(column - width)
        for row, own in ((1, one), (2, other)):
            texts[row, column] = "(1)" if own is None else f"{own:,}"
            ghost[row, column] = own is None
            shades[row, column] = -0.5 if (own or 1) == 1 and size != 1 else 0.4
        texts[3, column] = "✗" if size is None else f"{size:,}"
        shades[3, column] = 0.0 if size is None else 0.7
        mark[1:, column] = size is None
    is_missing = any(own is None for one, other, _ in axes for own in (one, other))
    title = TITLES["shapes_missing" if is_missing else "shapes"]
    return Block("", texts, shades, ghost, mark, shaded_ghosts=True, detail=title)


def _stretched_arrays(a: Shape, b: Shape, result: Shape) -> Figure:
    """Both arrays stretched, with repeated cells as ghosts, and their sum; a sentence if the result is too large."""
    if not _is_drawn(result):
        return _too_large(result)
    one, other = numbers(a, 1), numbers(b, 10)
    total = block(TITLES["sum"], (one + other).numpy(), shape_text(result))
    return cells([_stretched("a", one, result), _in_orange(_stretched("b", other, result)), total], signs=SIGNS)


def _without_sum(a: Shape, b: Shape) -> Figure:
    """Both arrays as they are, and the place of the sum that does not exist."""
    one, other = (_unstretched(*each) for each in (("a", a, 1), ("b", b, 10)))
    rows = max((1, *each.texts.shape)[-2] if each.texts.ndim else 1 for each in (one, other))
    return cells([one, _in_orange(other), missing(TITLES["sum"], TITLES["no_sum"], (rows, 3))], signs=SIGNS)


def numbers(shape: Shape, step: int) -> torch.Tensor:
    """0, step, 2 step, ... in this shape."""
    return (torch.arange(math.prod(shape)) * step).reshape(shape)


def _stretched(name: str, tensor: torch.Tensor, result: Shape) -> Block:
    """A tensor expanded to the shape of the result; repeated cells are ghosts."""
    stretched = tensor.expand(result)
    first = torch.zeros(result, dtype=torch.bool)
    first[tuple(slice(None) if stride else slice(1) for stride in _strides(stretched))] = True
    drawn = block(name, stretched.numpy(), shape_text(tensor.shape), ghost=~first.numpy())
    return replace(drawn, shaded_ghosts=True)


def _in_orange(drawn: Block) -> Block:
    """The same block in the colour of negative numbers, to tell it from another one."""
    return replace(drawn, shades=-drawn.shades)


def _strides(tensor: torch.Tensor) -> tuple[int, ...]:
    """The strides, with 1 on axes of size 1, where a stride of 0 does not mean stretched."""
    return tuple(stride or int(size == 1) for stride, size in zip(tensor.stride(), tensor.shape, strict=True))


def _unstretched(name: str, shape: Shape, step: int) -> Block:
    if not _is_drawn(shape):
        return missing(f"{name}, {shape_text(shape)}", TITLES["not_drawn"])
    return block(name, numbers(shape, step).numpy(), shape_text(shape))


def _is_drawn(shape: Shape) -> bool:
    return math.prod(shape) <= MAX_CELLS and len(shape) <= MAX_AXES


def _too_large(shape: Shape) -> Figure:
    return cells([], message=SENTENCES["too_large"].format(shape=shape_text(shape), cells=MAX_CELLS, axes=MAX_AXES))


def _note(a: Shape, b: Shape, result: Shape) -> str:
    larger, count = max(math.prod(a), math.prod(b)), math.prod(result)
    if a == b:
        return SENTENCES["equal"]
    stretched = [name for name, shape in (("a", a), ("b", b)) if math.prod(shape) != count]
    if not stretched:  # one shape has more axes, all of size 1
        return SENTENCES["only_axes"].format(names=SENTENCES["one"].format(one="b" if a == result else "a"))
    names = SENTENCES["both" if len(stretched) == 2 else "one"].format(one=stretched[0], other=stretched[-1])
    return SENTENCES["grown" if count > larger else "stretched"].format(names=names, larger=larger, result=count)


def _table(shapes: dict[str, Shape], result: Shape | None) -> Table:
    """A row for each shape: its strides when stretched, its elements and its bytes."""
    rows = []
    for name, shape in shapes.items():
        strides = "–"
        if result is not None:
            stretched = torch.empty(shape, device="meta").expand(result)  # only a shape and strides, without memory
            strides = ", ".join(map(str, stretched.stride()))
        count = math.prod(shape)
        rows.append((name, shape_text(shape), strides or "()", f"{count:,}", _bytes(4 * count)))
    return Table(COLUMNS, tuple(rows), code=("",))


def _bytes(count: int) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:.3g} TB"


LAB = Lab(
    name="tensors_broadcasting",
    title="Broadcasting",
    sentence="Add two arrays of different shapes: which axes are stretched, and when do they not fit?",
    config=BroadcastingConfig,
    draw=draw_broadcasting,
    charts=(
        Chart(
            "sum",
            "a + b",
            "Both arrays in the shape of the result, where repeated cells are ghosts, and the sum, if there is one.",
        ),
        Chart("shapes", "The shapes", "Both shapes and the result’s, aligned at the right, axis by axis.",
              controls=("a", "b")),
    ),
)  # fmt: skip
