"""The lab "View or copy": how t(), permute, view, reshape and contiguous use the flat memory of a tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.engine.frames import Figure
from playground.figures.cells import Block, cells, missing
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.tensors.figures.ribbon import ribbon
from playground.parsing.arrays import read_shape, shape_text

Array = NDArray[Any]
MAX_NUMBERS = 24  # in x: each is a cell of the ribbon
MAX_READ = 64  # numbers in z

SENTENCES = {
    "itself": "`{code}` is x itself. {where}",
    "view": "`{code}` is a **view**: nothing was copied. {where}",
    "copy": "`{code}` is a **copy** in new memory. {where}",
    "where": "Number {index} is at position {sum} = **{position}** of that memory (index times stride, summed). Arcs "
    "below: reading forwards. Dashed arcs above: jumping back, or reading the same number again.",
    "no_view": "**`{code}` does not work.** A view only changes how the memory is read: it needs strides that visit "
    "every number in order, which do not exist here. `reshape` or `contiguous()` would copy.",
    "fails": "**`{code}` does not work** for a tensor of this shape.",
    "only_number": "{name} has one number, at index 0; there is no index {probe}.",
    "no_such_number": "{name} has {count} numbers; there is no index {probe}, so the last one is shown.",
    "unknown_size": "The shape of x needs every size: -1 cannot be used without an array. Type a number.",
    "too_many": "The result has {count} numbers; 1 to {limit} can be drawn. Choose another shape of x.",
}
TITLES = {"own": "x’s own memory", "new": "new memory: the numbers were copied", "error": "an error",
          "many_axes": "{shape}, not drawn"}  # fmt: skip
LINE = "{code}.stride()"
HOVERS = {"cell": "{index} is at position {position}", "memory": "position {position}"}
COLUMNS = ("Code", "Shape", "Strides", "Offset", "Contiguous?", "x’s memory?")
ANSWERS = {"contiguous": ("no", "yes"), "shared": ("no: a copy", "yes")}

# The code that is shown and run: y is computed from x, then z from y.
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
    """The shape of x, the two operations on it, and the number to look up."""

    # fmt: off
    shape: str = knob("3 4", "Shape of x", help=f"Up to {MAX_NUMBERS} numbers on 3 axes, such as 3 4 or 2 3 4.",
                      group="Tensor", live=True, bar=True, max_length=40)
    first: str = knob("t", "y =", group="Operations", live=True, bar=True, options=tuple(FIRST),
                      names=FIRST | {"permute": "x.permute(…, 1, 0)"})
    second: str = knob("same", "z =", group="Operations", live=True, bar=True, options=tuple(SECOND), names=SECOND)
    probe: int = knob(1, "Look up number", help="Its place in z, counted from 0 in reading order.", group="Look up",
                      live=True, bar=True, lo=0, hi=MAX_READ - 1)
    # fmt: on


def memory_positions(tensor: Tensor) -> Array:
    """The position in memory of each number of a tensor, offset + index · strides; in the shape of the tensor."""
    found = np.full(tuple(tensor.shape), tensor.storage_offset())
    for axis, stride in enumerate(tensor.stride()):
        steps = np.arange(tensor.shape[axis]) * stride
        found = found + steps.reshape(-1, *(1,) * (tensor.dim() - axis - 1))
    return found


def shares_memory(one: Tensor, other: Tensor) -> bool:
    """Whether both use the same block of memory."""
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def draw_views(config: ViewsConfig) -> Sheet:
    """x, z, the memory of z and the order in which z reads it; or torch's error."""
    shape = read_shape(config.shape, MAX_NUMBERS)
    if -1 in shape:
        raise ValueError(SENTENCES["unknown_size"])
    x = torch.arange(int(np.prod(shape))).reshape(shape)
    try:
        y = FIRST_RUN[config.first](x)
        z = SECOND_RUN[config.second](y)
    except (RuntimeError, IndexError, TypeError) as error:  # a TypeError: permute() of a single number
        return _failed(x, config, f"{type(error).__name__}: {' '.join(str(error).split())}")
    if not 0 < z.numel() <= MAX_READ:
        raise ValueError(SENTENCES["too_many"].format(count=z.numel(), limit=MAX_READ))
    at = np.unravel_index(min(config.probe, z.numel() - 1), z.shape) if z.dim() else ()
    result = _drawn(_name(config), _code(config), z, x, at)
    figures = {"z": cells([_drawn("x", "", x, x, None), result]), "memory": _memory(z, x, at)}
    answer = str(tuple(z.stride()))
    table = _table({"x": x, "y": y, "z": z}, config)
    return Sheet(figures, _note(z, x, at, config), (table,), line=LINE.format(code=_code(config)), answer=answer)


def _failed(x: Tensor, config: ViewsConfig, error: str) -> Sheet:
    """The tensor x and its memory, with the error in place of z."""
    blocks = [_drawn("x", "", x, x, None), missing(_name(config), TITLES["error"])]
    figures = {"z": cells(blocks), "memory": _memory(x, x, None)}
    note = SENTENCES["no_view" if "view size" in error else "fails"].format(code=_code(config))
    return Sheet(figures, note, (_table({"x": x}, config),), line=_code(config), answer=error)


def _name(config: ViewsConfig) -> str:
    """The name of the result: y, or z if there is a second operation."""
    return "y" if config.second == "same" else "z"


def _code(config: ViewsConfig) -> str:
    """Both operations as one expression in x."""
    first = FIRST[config.first]
    return first if config.second == "same" else SECOND[config.second].replace("y", first, 1)


def _shades(values: Array, count: int) -> Array:
    """Colours of numbers: pale at the start of x's memory, strong at its end."""
    return (values + 1) / count


def _block(title: str, detail: str, tensor: Tensor, x: Tensor, at: tuple[Any, ...] | None) -> Block:
    values = tensor.numpy()
    values = values[(0,) * max(values.ndim - 3, 0)] if values.ndim > 3 else values
    mark = np.zeros(tensor.shape, bool)
    if at is not None:
        mark[at] = True
    hovers = np.array(
        [
            HOVERS["cell"].format(index=list(map(int, index)), position=position)
            for index, position in np.ndenumerate(memory_positions(tensor))
        ]
    )
    return Block(title, values.astype(str).astype(object), _shades(values, x.numel()), None, mark.reshape(values.shape),
                 hovers.reshape(values.shape), detail=detail)  # fmt: skip


def _drawn(name: str, code: str, tensor: Tensor, x: Tensor, at: tuple[Any, ...] | None) -> Block:
    """A tensor as cells under its name and code; one of more than three axes has only its shape."""
    if tensor.dim() > 3:
        return missing(name, TITLES["many_axes"].format(shape=shape_text(tuple(tensor.shape))))
    return _block(name, code, tensor, x, at)


def _memory(z: Tensor, x: Tensor, at: tuple[Any, ...] | None) -> Figure:
    """The memory of z as a ribbon, with the path on which z reads it."""
    size = z.untyped_storage().nbytes() // z.element_size()
    flat = torch.as_strided(z, (size,), (1,), 0)
    path = memory_positions(z).ravel()
    title = TITLES["own" if shares_memory(z, x) else "new"]
    mark = np.zeros((1, size), bool)
    if at is not None:
        mark[0, memory_positions(z)[at]] = True
    values = flat.numpy().reshape(1, -1)
    ghost = ~np.isin(np.arange(size), path).reshape(1, -1)
    hovers = np.array([[HOVERS["memory"].format(position=position) for position in range(size)]])
    return ribbon(Block(title, values.astype(str).astype(object), _shades(values, x.numel()), ghost, mark, hovers),
                  path.tolist())  # fmt: skip


def _note(z: Tensor, x: Tensor, at: tuple[Any, ...], config: ViewsConfig) -> str:
    kind = "itself" if z is x else "view" if shares_memory(z, x) else "copy"
    position, index = int(memory_positions(z)[at]), [int(each) for each in at]
    terms = " + ".join(f"{i} · {stride}" for i, stride in zip(index, z.stride(), strict=True))
    start = z.storage_offset()
    sum_ = " + ".join(part for part in (str(start) if start or not terms else "", terms) if part)
    where = SENTENCES["where"].format(index=index, sum=sum_, position=position)
    if config.probe >= z.numel():
        missing = SENTENCES["only_number" if z.numel() == 1 else "no_such_number"]
        where = " ".join([missing.format(name=_name(config), count=z.numel(), probe=config.probe), where])
    return SENTENCES[kind].format(code=_code(config), where=where)


def _table(tensors: dict[str, Tensor], config: ViewsConfig) -> Table:
    x, rows = tensors["x"], []
    code = {"x": "torch.arange(n).reshape(shape)", "y": FIRST[config.first], "z": SECOND[config.second]}
    for name, tensor in tensors.items():
        rows.append(
            (f"{name} = {code[name]}", shape_text(tuple(tensor.shape)), ", ".join(map(str, tensor.stride())) or "()",
             str(tensor.storage_offset()), ANSWERS["contiguous"][tensor.is_contiguous()],
             ANSWERS["shared"][shares_memory(tensor, x)])
        )  # fmt: skip
    return Table(COLUMNS, tuple(rows), code=("Code",))


LAB = Lab(
    name="tensors_views",
    title="View or copy",
    sentence="A tensor is a way to read a flat block of memory. Which operations only read it in another way?",
    config=ViewsConfig,
    draw=draw_views,
    charts=(
        Chart("memory", "The memory it reads", "The flat memory as a ribbon, and the order in which it is read.",
              wide=True),
        Chart("z", "Tensor and result", "The tensor, coloured by its positions in memory, and the result."),
    ),
)  # fmt: skip
