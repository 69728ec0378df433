"""View or copy: what t(), permute, view, reshape and contiguous do to the flat memory under a tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.engine.frames import Figure
from playground.figures.cells import Block, cells
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.tensors.figures.ribbon import ribbon
from playground.parsing.arrays import read_shape, shape_text

Array = NDArray[Any]
MOST = 24  # numbers in the tensor: each is a cell of the ribbon
MOST_READ = 64  # numbers in what is made of it

# The code that is shown and run: y is made of x, then z of y.
FIRST: dict[str, str] = {
    "same": "x",
    "t": "x.t()",
    "transpose": "x.transpose(0, -1)",
    "permute": "x.permute(*range(x.dim())[::-1])",
    "columns": "x[..., 1:]",
    "every_second": "x[..., ::2]",
    "last": "x[-1]",
    "unsqueeze": "x.unsqueeze(0)",
    "expand": "x.expand(2, *x.shape)",
    "flip": "x.flip(0)",
    "clone": "x.clone()",
}
SECOND: dict[str, str] = {
    "same": "y",
    "view": "y.view(-1)",
    "reshape": "y.reshape(-1)",
    "contiguous": "y.contiguous()",
    "contiguous_view": "y.contiguous().view(-1)",
    "view_pairs": "y.view(-1, 2)",
    "reshape_pairs": "y.reshape(-1, 2)",
    "t": "y.t()",
}


def _function(name: str, code: str) -> Callable[[Tensor], Tensor]:
    made: Callable[[Tensor], Tensor] = eval(f"lambda {name}: {code}")
    return made


FIRST_RUN = {key: _function("x", code) for key, code in FIRST.items()}
SECOND_RUN = {key: _function("y", code) for key, code in SECOND.items()}


@dataclass(frozen=True)
class ViewsConfig(Config):
    """The tensor's shape, what is made of it, and which of its numbers is looked up."""

    # fmt: off
    shape: str = knob("3 4", "Shape of x", help=f"Up to {MOST} numbers on 3 axes, such as 3 4 or 2 3 4.",
                      group="Tensor", live=True, max_length=40)
    first: str = knob("t", "y =", group="What is made of it", live=True, options=tuple(FIRST), names=FIRST)
    second: str = knob("same", "z =", group="What is made of it", live=True, options=tuple(SECOND), names=SECOND)
    probe: int = knob(1, "Look up number", help="In the order in which z is read, from 0.", group="Look up", live=True,
                      lo=0, hi=MOST_READ - 1)
    # fmt: on


def places(tensor: Tensor) -> Array:
    """Where in its memory each number of a tensor lies: offset + index · strides. The tensor's shape."""
    found = np.full(tuple(tensor.shape), tensor.storage_offset())
    for axis, stride in enumerate(tensor.stride()):
        steps = np.arange(tensor.shape[axis]) * stride
        found = found + steps.reshape(-1, *(1,) * (tensor.dim() - axis - 1))
    return found


def shares_memory(one: Tensor, other: Tensor) -> bool:
    """Whether both look at the same block of memory."""
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def draw_views(config: ViewsConfig) -> Sheet:
    """x, z, the memory that z reads and the path it takes; or the error where torch makes none."""
    shape = read_shape(config.shape, MOST)
    if -1 in shape:
        raise ValueError("The shape of x needs every size: -1 has no meaning without an array. Type a number.")
    x = torch.arange(int(np.prod(shape))).reshape(shape)
    code = "y" if config.second == "same" else "z"
    try:
        y = FIRST_RUN[config.first](x)
        z = SECOND_RUN[config.second](y)
    except (RuntimeError, IndexError) as error:
        return _failed(x, config, f"{type(error).__name__}: {' '.join(str(error).split())}")
    if not 0 < z.numel() <= MOST_READ:
        raise ValueError(f"The result has {z.numel()} numbers; 1 to {MOST_READ} are drawn. Take another shape of x.")
    at = np.unravel_index(min(config.probe, z.numel() - 1), z.shape) if z.dim() else ()
    figures = {
        "x": _drawn("x", x, x, None),
        "z": _drawn(f"{code} = {_code(config)}", z, x, at),
        "memory": _memory(z, x, at),
    }
    return Sheet(figures, _note(z, x, at, config), (_table({"x": x, "y": y, "z": z}, config),))


def _failed(x: Tensor, config: ViewsConfig, error: str) -> Sheet:
    """What there is: x and its memory, and the error where z would stand."""
    figures = {"x": _drawn("x", x, x, None), "z": cells([], message=error), "memory": _memory(x, x, None)}
    note = (
        f"**`{_code(config)}` does not work.** A view only changes how the memory is read: it needs strides that reach "
        "every number in order, and here there are none. `reshape` would copy; `contiguous()` copies by name."
        if "view size" in error
        else f"**`{_code(config)}` does not work** for a tensor of this shape."
    )
    return Sheet(figures, note, (_table({"x": x}, config),))


def _code(config: ViewsConfig) -> str:
    """Both steps as one expression of x."""
    first = FIRST[config.first]
    return first if config.second == "same" else SECOND[config.second].replace("y", first, 1)


def _shades(values: Array, count: int) -> Array:
    """A number's colour: pale where it lies at the start of x's memory, strong at the end."""
    return (values + 1) / count


def _block(title: str, tensor: Tensor, x: Tensor, at: tuple[Any, ...] | None) -> Block:
    values = tensor.numpy()
    values = values[(0,) * max(values.ndim - 3, 0)] if values.ndim > 3 else values
    mark = np.zeros(tensor.shape, bool)
    if at is not None:
        mark[at] = True
    hovers = np.array([f"{list(map(int, place))} lies at {where}" for place, where in np.ndenumerate(places(tensor))])
    return Block(title, values.astype(str).astype(object), _shades(values, x.numel()), None, mark.reshape(values.shape),
                 hovers.reshape(values.shape))  # fmt: skip


def _drawn(title: str, tensor: Tensor, x: Tensor, at: tuple[Any, ...] | None) -> Figure:
    if tensor.dim() > 3:
        return cells([], message=f"{shape_text(tuple(tensor.shape))} has more axes than are drawn. The memory says all.")
    return cells([_block(title, tensor, x, at)])


def _memory(z: Tensor, x: Tensor, at: tuple[Any, ...] | None) -> Figure:
    """The memory that z looks at, as a ribbon, with the path on which z reads it."""
    size = z.untyped_storage().nbytes() // z.element_size()
    flat = torch.as_strided(z, (size,), (1,), 0)
    path = places(z).ravel()
    title = "x's own memory" if shares_memory(z, x) else "new memory: the numbers were copied"
    mark = np.zeros((1, size), bool)
    if at is not None:
        mark[0, places(z)[at]] = True
    values = flat.numpy().reshape(1, -1)
    ghost = ~np.isin(np.arange(size), path).reshape(1, -1)
    hovers = np.array([[f"place {place}" for place in range(size)]])
    return ribbon(Block(title, values.astype(str).astype(object), _shades(values, x.numel()), ghost, mark, hovers),
                  path.tolist())  # fmt: skip


def _note(z: Tensor, x: Tensor, at: tuple[Any, ...], config: ViewsConfig) -> str:
    kind = "a **view**: nothing was copied" if shares_memory(z, x) else "a **copy** in new memory"
    if z is x:
        kind = "x itself"
    where, index = int(places(z)[at]), [int(each) for each in at]
    terms = " + ".join(f"{i} · {stride}" for i, stride in zip(index, z.stride(), strict=True))
    start = z.storage_offset()
    sum_ = " + ".join(part for part in (str(start) if start or not terms else "", terms) if part)
    return (
        f"`{_code(config)}` is {kind}. Number {index} lies at place {sum_} = **{where}** of that memory "
        "(index shape_text stride, summed). Arcs below read forwards, dashed ones above backwards or the same place again."
    )


def _table(tensors: dict[str, Tensor], config: ViewsConfig) -> Table:
    x, rows = tensors["x"], []
    code = {"x": "torch.arange(n).reshape(shape)", "y": FIRST[config.first], "z": SECOND[config.second]}
    for name, tensor in tensors.items():
        rows.append(
            (f"{name} = {code[name]}", shape_text(tuple(tensor.shape)), ", ".join(map(str, tensor.stride())) or "–",
             str(tensor.storage_offset()), "yes" if tensor.is_contiguous() else "no",
             "yes" if shares_memory(tensor, x) else "no: a copy")
        )  # fmt: skip
    columns = ("Code", "Shape", "Strides", "Offset", "Contiguous?", "x's memory?")
    return Table(columns, tuple(rows), code=("Code",))


LAB = Lab(
    name="tensors_views",
    title="View or copy",
    sentence="A tensor is a way to read a flat block of memory. Which operations only read it in another way?",
    config=ViewsConfig,
    draw=draw_views,
    charts=(
        Chart("x", "The tensor", "The tensor as cells, coloured by where they lie in memory.", low=True),
        Chart("z", "What is made of it", "The result as cells in the same colours, or the error.", low=True),
        Chart("memory", "The memory it reads", "The flat memory as a ribbon, and the path of reading.", low=True,
              wide=True),
    ),
    presets={
        "Transpose": {},
        "view of a transpose": {"second": "view"},
        "reshape of a transpose": {"second": "reshape"},
        "Every second column": {"first": "every_second"},
        "expand": {"first": "expand", "shape": "2 3"},
        "Three axes, permuted": {"first": "permute", "shape": "2 3 4"},
    },
)  # fmt: skip
