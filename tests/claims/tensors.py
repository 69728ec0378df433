"""What the lesson Tensors says, as rules."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from playground.lessons.tensors import broadcasting, memory, operations, speed, tutorial, views
from playground.settings import Settings
from tests.claims.claims import Claims

CLAIMS = Claims("tensors")
of, says = CLAIMS.of, CLAIMS.says


# Tensors


def verdict_line(config: Any, **values: Any) -> str:
    return operations.draw_operations(config.with_values(**values)).note.split("\n")[0]


def result(config: Any, library: str, **values: Any) -> list[str]:
    """The texts of the cells of a library's result."""
    words = operations.draw_operations(config.with_values(**values)).charts["results"]["layout"]["meta"]["words"]
    part = next(part for part in words.split(". ") if part.startswith(library))
    return re.split(", |; ", part.rpartition(": ")[2])


@of(
    "first-cell",
    "An array, a tensor made from it, and an array made from that: three names for one block of memory.",
    "Change “Columns” and watch the strides in the table: NumPy counts bytes, torch counts numbers, of 8 bytes each.",
)
def _(config: Any) -> None:
    for columns in (3, 5):
        strides = tutorial.draw_tutorial(config.with_values(columns=columns)).tables[0].rows[0][4]
        assert strides == f"{8 * columns},\u00a08\u00a0bytes\n{columns},\u00a01\u00a0elements"


@of(
    "same-sine",
    "The values agree, the types do not: float64 in NumPy, float32 in torch.",
    "Choose “mean” and find its shape: (), a single number.",
)
def _(config: Any) -> None:
    rows = tutorial.draw_tutorial(config).tables[0].rows
    sine, mean = (next(row for row in rows if name in row[0]) for name in ("np.sin", "np.mean"))
    assert sine[2] == "float64\nfloat32"
    assert mean[3:] == ("()\n()", "()\n()"), "as both libraries print shape and strides of a number"
    assert np.asarray(np.mean([1.0])).strides == () == tuple(torch.tensor(1.0).stride())


@of("abs", "1 2 1 2 in both: int64 in NumPy, which stores this list as integers, and float32 in torch.FloatTensor.")
@of("one-mean", "Four numbers become one.", "Its shape is (): it has no axis, and so no strides.")
def _(config: Any) -> None:
    words = [tutorial.draw_tutorial(config).charts[name]["layout"]["meta"]["words"] for name in ("numpy", "torch")]
    wanted = {"abs": "1, 2, 1, 2", "mean": "0"}[config.cell]
    row = next(row for row in tutorial.draw_tutorial(config).tables[0].rows if f"np.{config.cell}(" in row[0])
    assert row[2].startswith({"abs": "int64\nfloat32", "mean": "float64\nfloat32"}[config.cell])
    assert all(each.endswith(f": {wanted}") for each in words)


@of("default-float", "NumPy computes a float64, torch a float32.", "Set the dtype to float64: the difference is gone.")
def _(config: Any) -> None:
    assert "torch a float32, its default float type" in verdict_line(config)
    assert "same values, shape and dtype" in verdict_line(config, dtype="float64")


@of(
    "sine-of-integers",
    "Only in type and rounding.",
    "The table says it for 59 operations: with this array 43 agree, 9 differ and 7 fail.",
)
def _(config: Any) -> None:
    found = operations.draw_operations(config)
    assert "of 59 operations 43 agree, 9 differ and 7 fail" in found.note
    gap = found.charts["gap"]["data"][-1]["text"]
    assert 0 < max(abs(float(text)) for text in gap) < 1e-7, "rounding"


@of(
    "mean-of-floats",
    "The same four numbers, stored as float32.",
    "Both give 0, in the same type.",
    "Set the dtype back to auto: torch raises an error again.",
)
def _(config: Any) -> None:
    assert "same values, shape and dtype" in verdict_line(config)
    assert result(config, "NumPy") == result(config, "torch") == ["0"]
    assert "torch raises an error" in verdict_line(config, dtype="auto")


@of(
    "median-of-four",
    "The median of 1 2 3 4.",
    "NumPy gives 2.5, the mean of the middle two; torch gives 2, the lower one.",
    "Add a 5 to the array, and they agree.",
)
def _(config: Any) -> None:
    assert (result(config, "NumPy"), result(config, "torch")) == (["2.5"], ["2"])
    assert "same values" in verdict_line(config, array="1 2 3 4 5")


@of("two-maxima", "Both give 1, the first one.", "Change the first number to 5, and the position is 0.")
def _(config: Any) -> None:
    assert result(config, "NumPy") == result(config, "torch") == ["1"]
    again = {"array": "5 3 3 1"}
    assert result(config, "NumPy", **again) == result(config, "torch", **again) == ["0"]


@of(
    "nan-spreads",
    "NaN in both: one NaN makes the result NaN.",
    "Choose “Sum” or “Mean”: it is the same.",
    "“Is it NaN?” finds it.",
)
def _(config: Any) -> None:
    for operation in ("max", "sum", "mean"):
        assert result(config, "NumPy", operation=operation) == result(config, "torch", operation=operation) == ["nan"]
    assert operations.OPERATIONS["isnan"].label == "Is it NaN?"


@of(
    "repeat",
    "a.repeat(2) is legal in both libraries.",
    "The same name, two meanings: NumPy repeats each number, torch the whole array.",
    "In NumPy that is np.tile.",
)
def _(config: Any) -> None:
    assert result(config, "NumPy") == ["1", "1", "2", "2", "3", "3"]
    assert result(config, "torch") == [str(each) for each in np.tile([1, 2, 3], 2)]


@of(
    "max-of-columns", "torch gives two tensors: the values and their positions.", "Choose “Sort”: there it is the same."
)
def _(config: Any) -> None:
    for operation in (config.operation, "sort"):
        assert "torch gives two tensors" in verdict_line(config, operation=operation)


@of(
    "dot-of-matrices",
    "For 2 axes and more NumPy’s dot is a matrix product; torch’s takes exactly 1 axis.",
    "Choose “Matrix product”: a @ b works in both.",
)
def _(config: Any) -> None:
    assert "accepts exactly 1" in verdict_line(config)
    assert "same values, shape and dtype" in verdict_line(config, operation="matmul")


@of(
    "mixed-dtypes",
    "A float16 matrix times a vector of integers.",
    "NumPy converts both to float64; torch needs one dtype for both.",
    "Set the dtype to auto: now both are int64, and it works.",
)
def _(config: Any) -> None:
    assert "same dtype" in verdict_line(config)
    a, b = np.zeros((2, 3), np.float16), np.zeros(3, np.int64)
    assert (a @ b).dtype == np.float64
    assert "same values, shape and dtype" in verdict_line(config, dtype="auto")


@of(
    "backwards",
    "a[::-1] reverses the order of the rows.",
    "torch raises an error: a tensor’s strides cannot be negative. torch.flip makes a reversed copy instead.",
)
def _(config: Any) -> None:
    assert "cannot be negative" in verdict_line(config)
    assert result(config, "NumPy") == ["3", "4", "5", "0", "1", "2"]


@of(
    "mean-of-integers",
    "One of the libraries refuses it.",
    "Torch cannot average integers.",
    "Set the dtype to float32, and both give 0.",
)
def _(config: Any) -> None:
    assert "torch raises an error" in verdict_line(config) and "needs floats" in verdict_line(config)
    assert result(config, "NumPy", dtype="float32") == result(config, "torch", dtype="float32") == ["0"]


@of(
    "two-std",
    "NumPy divides by n, torch by n − 1.",
    "Type arange(60) as the array: both grow about tenfold and now differ by less than 1 %.",
)
def _(config: Any) -> None:
    assert "torch by n − 1" in verdict_line(config)
    few, many = ([float(result(config, name, **more)[0]) for name in ("NumPy", "torch")]
                 for more in ({}, {"array": "arange(60)"}))  # fmt: skip
    assert all(9 < after / before < 11 for before, after in zip(few, many, strict=True))
    assert 0 < many[1] / many[0] - 1 < 0.01 < few[1] / few[0] - 1


@of(
    "divide-by-zero",
    "7, −7 and 0 divided by 2, 2 and 0, rounded down.",
    "An error in torch, a 0 in NumPy.",
    "Set the dtype to float32 and compare again: no error, and NaN in both.",
)
def _(config: Any) -> None:
    assert "torch raises an error" in verdict_line(config) and "divided by zero" in verdict_line(config)
    assert result(config, "NumPy")[2] == "0"
    assert result(config, "NumPy", dtype="float32")[2] == result(config, "torch", dtype="float32")[2] == "nan"
    assert "`b` is int64" in verdict_line(config, dtype="float32") and "error" not in verdict_line(
        config, dtype="float32"
    )


def written(config: Any) -> memory.Written:
    return memory.write(memory.CONVERSIONS[config.way], config.side, (config.row, config.column), config.value)


@of(
    "one-memory",
    "The number 42 is written into b.",
    "It does: from_numpy uses the array’s memory.",
    "Choose “tensor” instead: now a keeps its numbers.",
)
def _(config: Any) -> None:
    assert written(config).visible_in_both
    assert not written(config.with_values(way="tensor")).visible_in_both


@of(
    "slice-skips",
    "Again b is every second column of a, but 42 goes into column 1.",
    "The memory is shared, but b does not change: it does not include column 1.",
    "Set the column to 2.",
)
def _(config: Any) -> None:
    assert written(config).shared and not written(config).visible_in_both
    assert written(config.with_values(column=2)).visible_in_both


@of(
    "a-copy",
    "It does not: torch.tensor always copies, so there are two blocks of memory.",
    "Choose “as_tensor”: it copies only if it must.",
)
@of("other-dtype", "They cannot: another dtype needs other bytes, so it copies.")
def _(config: Any) -> None:
    assert not written(config).shared
    assert written(config.with_values(way="as_tensor")).shared


@of(
    "slice-shares",
    "b is every second column of a.",
    "The number 42 goes into column 2 of a.",
    "b changes too: its strides skip every second column of the same memory.",
    "Set the column to 1.",
)
def _(config: Any) -> None:
    assert written(config).visible_in_both
    assert not written(config.with_values(column=1)).visible_in_both


@of(
    "column-and-row",
    "A column of 4 numbers and a row of 3.",
    "Each is stretched along the other, and the sum is a table.",
    "Change the 1 to a 2 with + and read the error.",
)
def _(config: Any) -> None:
    assert "Stretched: `a` and `b`" in broadcasting.draw_broadcasting(config).note
    assert "do not fit" in broadcasting.draw_broadcasting(config.with_values(a="4 2")).note


@of(
    "a-trillion",
    "Two arrays of a million numbers.",
    "One of them has one axis too many.",
    "The sum would need 4 TB, and no warning is given.",
    "Delete the 1 of b.",
)
def _(config: Any) -> None:
    sheet = broadcasting.draw_broadcasting(config)
    assert "1,000,000,000,000" in sheet.note and sheet.tables[0].rows[-1][-1] == "4 TB"
    assert "equal: nothing is stretched" in broadcasting.draw_broadcasting(config.with_values(b="1000000")).note


def stretched_cells(config: Any) -> int:
    """The cells of the drawing of both shapes that are orange."""
    values = broadcasting.draw_broadcasting(config).charts["shapes"]["maps"]["values"]
    return int((np.asarray(values).astype(int) < 128).sum())


@of(
    "three-axes",
    "2 × 1 × 3 and 4 × 1, aligned at the right.",
    "The 1 of a, the 1 of b, and b’s missing axis: 24 numbers from 6 and 4.",
    "Set b to 2 1.",
)
def _(config: Any) -> None:
    assert broadcasting.draw_broadcasting(config).tables[0].rows[-1][1] == "2 × 4 × 3"
    assert stretched_cells(config) == 3, "the 1 of a, the 1 of b and b's missing axis"
    assert broadcasting.draw_broadcasting(config.with_values(b="2 1")).tables[0].rows[-1][1] == "2 × 2 × 3"


@of(
    "no-fit",
    "2 × 3 and 2.",
    "It is not.",
    "Aligned at the right, 3 meets 2, and neither is 1.",
    "Set b to 2 1: now the 2 meets the 2.",
)
def _(config: Any) -> None:
    found = broadcasting.draw_broadcasting(config)
    assert "do not fit" in found.note and "no shape fits" in found.charts["sum"]["layout"]["meta"]["words"]
    assert "do not fit" not in broadcasting.draw_broadcasting(config.with_values(b="2 1")).note


@of(
    "a-number",
    "A single number, of shape (), is added to a 2 × 3 array.",
    "Both axes are missing in b: it is stretched to all 6 cells without a copy, with the strides 0, 0.",
)
def _(config: Any) -> None:
    sheet = broadcasting.draw_broadcasting(config)
    assert "Stretched: `b`" in sheet.note and stretched_cells(config) == 2, "orange, although both axes are missing"
    assert "(1): missing" in sheet.charts["shapes"]["layout"]["meta"]["words"]
    assert sheet.tables[0].rows[1][2] == "0, 0"


@of(
    "bias-of-a-batch",
    "A batch of 6 examples with 4 outputs each, and a bias of 4 numbers.",
    "Set b to 6 and read the error: shapes are aligned at the right.",
)
def _(config: Any) -> None:
    assert "Stretched: `b`" in broadcasting.draw_broadcasting(config).note and stretched_cells(config) == 1
    assert "do not fit" in broadcasting.draw_broadcasting(config.with_values(b="6")).note


@of(
    "view-fails",
    "A transpose, then view(-1): all numbers in one row, without a copy.",
    "After a transpose no single stride visits the numbers in order.",
    "Choose y.reshape(-1): it works, because it copies.",
)
@of("transpose", "x.t() swaps the two axes.", "The same memory with other strides: 4, 1 became 1, 4.")
def _(config: Any) -> None:
    assert "does not work" in views.draw_views(config.with_values(second="view")).note
    copies = {name for name in views.SECOND if "copy" in views.draw_views(config.with_values(second=name)).note}
    assert copies >= {"reshape", "contiguous", "contiguous_view"} and "t" not in copies
    if config.second == "same":
        found = views.draw_views(config)
        assert "is a **view**" in found.note and [row[2] for row in found.tables[0].rows[:2]] == ["4, 1", "1, 4"]


@of(
    "expand",
    "Twelve numbers from six.",
    "No more than the six: with stride 0 the reader does not move, so the same numbers are read twice.",
    "Choose y.contiguous(): it copies.",
)
def _(config: Any) -> None:
    sheet = views.draw_views(config)
    row = sheet.tables[0].rows[1]
    assert row[1:3] == ("2 × 2 × 3", "0, 3, 1") and "is a **view**" in sheet.note
    assert "is a **copy**" in views.draw_views(config.with_values(second="contiguous")).note


@of(
    "reshape-copies",
    "The same transpose, then reshape(-1).",
    "It works in new memory, where 0, 4 and 8 are neighbours.",
    "Set y to x: then reshape(-1) copies nothing.",
)
def _(config: Any) -> None:
    assert "is a **copy**" in views.draw_views(config).note
    assert "copy" not in views.draw_views(config.with_values(first="same")).note


@of(
    "every-second",
    "y leaves out every second column of x.",
    "It is a view with the strides 4, 2: the reader steps over what it leaves out.",
    "Choose x[..., 1:]: now the offset is 1.",
)
@of(
    "permute",
    "x.permute reverses the axes: 2 × 3 × 4 becomes 4 × 3 × 2.",
    "Still a view: only the strides are reversed, from 12, 4, 1 to 1, 4, 12.",
    "So number 1 is at position 12.",
)
def _(config: Any) -> None:
    found = views.draw_views(config)
    strides = [row[2] for row in found.tables[0].rows]
    assert "is a **view**" in found.note
    if config.first == "permute":
        assert strides[:2] == ["12, 4, 1", "1, 4, 12"] and "**12**" in found.note
    else:
        columns = views.draw_views(config.with_values(first="columns"))
        assert strides[1] == "4, 2" and columns.tables[0].rows[1][3] == "1"


@of("which-is-faster", "a + b for 1 to a million numbers, in both libraries.")
@of("time-of-a-sort", "Sizes whose call would take over 5 ms are skipped.")
@of("time-of-a-product", "A @ B of two square matrices, with about as many numbers each as the axis says.")
def _(config: Any) -> None:
    """Times are the machine's; here is only that the named calls can be measured in both libraries."""
    assert config.call in speed.CALLS and speed.MAX_CALL_SECONDS == 0.005


@says(
    "A tensor is a block of numbers with one type (dtype) for all of them; a shape: how many numbers there are along each axis; and strides: how many steps in memory it takes to get to the next number along each axis.",
    "NumPy calls the same thing an array.",
)
def _() -> None:
    x = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    assert (x.dtype, tuple(x.shape), x.stride()) == (torch.float32, (3, 4), (4, 1))
    assert tuple(each // x.numpy().itemsize for each in x.numpy().strides) == x.stride()


@says(
    "The two libraries offer nearly the same operations, often under the same name, and can even share one block of memory.",
    "Sharing works both ways: after `from_numpy`, an in-place change in one library also changes the other.",
)
def _() -> None:
    a = np.arange(6.0)
    x = torch.from_numpy(a)
    x[0] = 42
    a[1] = 43
    assert a[0] == 42
    assert x[1] == 43
    assert (
        sum(
            hasattr(np, name) and hasattr(torch, name)
            for name in ("sin", "mean", "sum", "abs", "exp", "sort", "matmul")
        )
        == 7
    )


@says(
    "The next lessons show what torch adds: it records how a number was computed, so that it can find gradients, and it can compute on a graphics card."
)
def _() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    (x**2).backward()
    assert x.grad is not None
    assert x.grad.item() == 4
    assert hasattr(x, "to")


@of("bias-of-a-batch", "Every row gets the same bias, as in a linear layer.")
def _(config: Any) -> None:
    layer = torch.nn.Linear(3, 4)
    batch = torch.randn(6, 3)
    torch.testing.assert_close(layer(batch), batch @ layer.weight.T + layer.bias)
    assert (layer(batch).shape, layer.bias.shape) == ((6, 4), (4,))


@of("time-of-a-product", "n numbers take about n · √n multiplications, so the lines are steeper.")
def _(config: Any) -> None:
    for side in (8, 32):
        n = side * side
        assert side**3 == n * int(n**0.5)


@says("If you do not write a dtype, the library chooses one.")
def _() -> None:
    assert np.array([1.0]).dtype == np.float64
    assert torch.tensor([1.0]).dtype == torch.float32


@says("float32 keeps about 7 digits, float64 about 16.")
def _() -> None:
    digits = [-np.log10(np.finfo(dtype).eps) for dtype in (np.float32, np.float64)]
    assert digits[0] == pytest.approx(7, abs=0.5)
    assert digits[1] == pytest.approx(16, abs=0.5)


@says("A difference of one ulp (a unit in the last place) is rounding, not a mistake.")
def _() -> None:
    ulp = float(np.spacing(np.float32(0.8415)))
    assert abs(float(torch.sin(torch.tensor(1.0))) - np.sin(1.0)) < ulp


@says(
    "Broadcasting gives no warning.",
    "A bias of shape `(4,)` added to a batch of `(6, 4)` is what you want; a target of `(6,)` subtracted from a prediction of `(6, 1)` gives `(6, 6)`, and a meaningless loss.",
)
def _() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (torch.zeros(6, 4) + torch.zeros(4)).shape == (6, 4)
        assert (torch.zeros(6, 1) - torch.zeros(6)).shape == (6, 6)


@says("A view costs nothing, however large the tensor; a copy costs time and memory.")
def _() -> None:
    x = torch.zeros(1000, 1000)
    assert x.t().data_ptr() == x[::2].data_ptr() == x.data_ptr()
    assert x.clone().data_ptr() != x.data_ptr()


@says(
    "The strides tell you which operations work without a copy.",
    "When no strides can read the memory in the new order, for example after a transpose.",
    "The answer to reshape-copies: When no strides can read the memory in the new order.",
    "Otherwise it gives a view, like `view`.",
)
def _() -> None:
    x = torch.arange(6).reshape(2, 3)
    assert x.reshape(-1).data_ptr() == x.view(-1).data_ptr() == x.data_ptr()
    assert x.t().reshape(-1).data_ptr() != x.data_ptr()


@says(
    "A tensor has the shape (3, 4) and the strides (4, 1).",
    "(4, 3) and (1, 4).",
    "The answer to transpose: (4, 3) and (1, 4).",
    "The memory does not change; only the two axes are swapped.",
)
def _() -> None:
    x = torch.zeros(3, 4)
    assert (tuple(x.shape), x.stride()) == ((3, 4), (4, 1))
    assert (tuple(x.t().shape), x.t().stride()) == ((4, 3), (1, 4))
    assert x.t().data_ptr() == x.data_ptr()


@says(
    "`torch.tensor` copies; `from_numpy` uses the array’s memory.",
    "The answer to copy-or-share: The first copies, the second uses the same memory.",
)
def _() -> None:
    a = np.zeros(3)
    copied, shared = torch.tensor(a), torch.from_numpy(a)
    a[0] = 1
    assert (copied[0].item(), shared[0].item()) == (0, 1)


@says(
    "No. Aligned at the right, 3 meets 2, and neither is 1.",
    "The answer to add-shapes: No.",
    "With (2, 1) instead of (2,) it works.",
    "Only an axis of size 1 is repeated.",
    "Shapes are aligned at the right.",
    "For that the second shape has to be (2, 1).",
)
def _() -> None:
    with pytest.raises(RuntimeError):
        torch.zeros(2, 3) + torch.zeros(2)
    assert (torch.zeros(2, 3) + torch.zeros(2, 1)).shape == (2, 3)


@says("`x = torch.tensor([1, 2])`, and `torch.mean(x)` raises an error.")
def _() -> None:
    with pytest.raises(RuntimeError):
        torch.mean(torch.tensor([1, 2]))


@says(
    "Floats: `torch.tensor([1.0, 2.0])`, or `.float()`, or `torch.mean(x, dtype=torch.float32)`.",
    "The answer to mean-of-integers: `torch.mean(x.float())`.",
)
def _() -> None:
    x = torch.tensor([1, 2])
    assert torch.mean(torch.tensor([1.0, 2.0])) == torch.mean(x.float()) == torch.mean(x, dtype=torch.float32) == 1.5


@says(
    "A NumPy array is read backwards with a negative stride.",
    "The answer to reversed: The strides of a tensor cannot be negative.",
    "The strides of a tensor cannot be negative; `torch.flip` copies instead.",
    "`x[::2]` works. What does not is a negative step.",
)
def _() -> None:
    a = np.arange(3)
    assert a[::-1].strides[0] == -8
    with pytest.raises(ValueError, match="step must be greater than zero"):
        torch.arange(3)[::-1]
    x = torch.arange(3)
    assert torch.flip(x, (0,)).tolist() == [2, 1, 0]
    assert torch.flip(x, (0,)).data_ptr() != x.data_ptr()


@says(
    "The same formula gives 0.84147098 in NumPy and 0.8415 in torch.",
    "Only by rounding: torch prints four digits, and float32 holds about seven.",
    "NumPy has computed in float64, torch in float32.",
    "It prints four. float32 holds about seven.",
    "The answer to digits: Only by rounding.",
)
def _() -> None:
    assert f"{np.sin(1.0):.8f}" == "0.84147098"
    assert str(torch.sin(torch.tensor(1.0))) == "tensor(0.8415)"
    assert abs(float(torch.sin(torch.tensor(1.0))) - np.sin(1.0)) < 1e-7


@says("`torch.FloatTensor(data)` still works; `torch.tensor(data, dtype=...)` does the same and names the type.")
def _() -> None:
    data = [[1, 2], [3, 4]]
    one, other = torch.FloatTensor(data), torch.tensor(data, dtype=torch.float32)
    assert torch.equal(one, other)
    assert one.dtype == other.dtype


@of("abs", "abs of −1 −2 1 2 in NumPy and in torch.")
@of("same-sine", "The sine of the same list in both libraries.")
def _(config: Any) -> None:
    assert (config.data, config.cell) in {("-1 -2 1 2", "abs"), ("-1 -2 1 2", "sin")}
    assert len(tutorial.draw_tutorial(config).charts) >= 2


@of("sine-of-integers", "The same operation on the integers 0 to 5, in both libraries.")
@of("two-std", "The standard deviation of the numbers 0 to 5.")
@of("max-of-columns", "The maximum along axis 0: one number for each column.")
def _(config: Any) -> None:
    values = np.array([0, 1, 2, 3, 4, 5], float).reshape(2, 3)
    wanted = {"sin": np.sin(values).ravel(), "std": [values.std()], "max_rows": values.max(axis=0)}[config.operation]
    assert [float(each.replace("−", "-")) for each in result(config, "NumPy")] == pytest.approx(list(wanted), abs=1e-3)


@of("default-float", "The sine of four integers.")
@of("mean-of-integers", "The mean of four integers.")
@of("two-maxima", "1 3 3 1 has its maximum twice.")
@of("nan-spreads", "The maximum of 1, NaN and 3.")
def _(config: Any) -> None:
    arrays = {"sin": "-1 -2 1 2", "mean": "-1 -2 1 2", "argmax": "1 3 3 1", "max": "1 nan 3"}
    assert config.array == arrays[config.operation]


@of("dot-of-matrices", "dot of a 2 × 3 and a 3 × 2 array.")
def _(config: Any) -> None:
    assert config.operation == "dot" and config.second == "1 2; 3 4; 5 6"
    assert result(config, "NumPy") == [
        str(each) for each in (np.arange(6).reshape(2, 3) @ np.arange(1, 7).reshape(3, 2)).ravel()
    ]


@of("one-memory", "b is a tensor made from the array a.")
@of("a-copy", "Now b is torch.tensor(a), and 42 is written into b.")
@of("other-dtype", "as_tensor with dtype=torch.float32.")
def _(config: Any) -> None:
    ways = {"from_numpy": "torch.from_numpy(a)", "tensor": "torch.tensor(a)",
            "as_tensor_float": "torch.as_tensor(a, dtype=torch.float32)"}  # fmt: skip
    assert memory.CONVERSIONS[config.way].code == ways[config.way]


@of("time-of-a-sine", "A sine needs more arithmetic than an addition.")
@of("time-of-a-sum", "A sum reads every number and returns one.", "It writes almost nothing.")
@of("time-of-a-sort", "A sort moves every number, many times.")
def _(config: Any) -> None:
    x = torch.rand(1000)
    assert {"sin": x.sin(), "sum": x.sum(), "sort": x.sort().values}[config.call].numel() == (
        1 if config.call == "sum" else 1000
    )


@says(
    "The tutorial printed `torch.int32` for its first tensor, and here it is `torch.int64`: `np.arange` used to make 32-bit numbers on Windows."
)
def _() -> None:
    _, tensor, _ = tutorial.convert_both_ways(2, 3)
    assert tensor.dtype == torch.int64


@says("With these a row would begin after every 4 numbers, but it has only 3.")
def _() -> None:
    x = torch.arange(12).reshape(3, 4).t()
    assert x.shape == (4, 3)
    assert x.contiguous().stride() == (3, 1)
    with pytest.raises(RuntimeError, match="out of bounds"):
        torch.arange(12).as_strided((4, 3), (4, 1))


@of("which-is-faster", "Play it again: the best time of all runs is kept.")
def _(config: Any) -> None:
    run = speed.build(config, Settings())
    with pytest.MonkeyPatch.context() as patched:
        slow = iter([2e-6] * 10_000)
        patched.setattr(speed, "measure", lambda function, library: next(slow))
        run.advance(60.0, run.length)
        before = dict(run.best)
        run.resume()
        fast = iter([1e-6] * 10_000)
        patched.setattr(speed, "measure", lambda function, library: next(fast))
        run.advance(60.0, run.length)
    assert set(before.values()) == {2e-6} and set(run.best.values()) == {1e-6}
