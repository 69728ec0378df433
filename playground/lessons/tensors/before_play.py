"""What students predict of the experiments of Tensors, and the rules that read the truth from the labs."""

from __future__ import annotations

import math

import torch

from playground.lessons.tensors import memory
from playground.lessons.tensors.broadcasting import BroadcastingConfig, draw_broadcasting
from playground.lessons.tensors.memory import MemoryConfig
from playground.lessons.tensors.operations import OperationsConfig
from playground.lessons.tensors.registry import OPERATIONS
from playground.lessons.tensors.tutorial import TutorialConfig, draw_tutorial
from playground.lessons.tensors.verdicts import Result, run_both
from playground.lessons.tensors.views import FIRST_RUN, SECOND_RUN, ViewsConfig, memory_positions
from playground.parsing.arrays import as_numpy, as_torch, read_array, read_shape
from playground.predictions import Choice, Number, Prediction, Why


def dtypes_of_sine(config: TutorialConfig) -> str:
    """The dtypes of the sine in NumPy and in torch, one a line."""
    return next(row[2] for row in draw_tutorial(config).tables[0].rows if "torch.sin" in row[1])


def shape_of_mean(config: TutorialConfig) -> str:
    """The shape of torch's mean, as Python prints it."""
    row = next(row for row in draw_tutorial(config).tables[0].rows if "torch.mean" in row[1])
    return row[3].split("\n")[1]


def in_both(config: OperationsConfig) -> tuple[Result, Result]:
    """The results of the chosen operation in NumPy and in torch."""
    a, b = read_array(config.array, config.shape), read_array(config.second)
    arrays, tensors = (as_numpy(a, config.dtype), as_numpy(b)), (as_torch(a, config.dtype), as_torch(b))
    numpy, in_torch, _ = run_both(OPERATIONS[config.operation], arrays, tensors)
    return numpy, in_torch


def numbers_in_torch(config: OperationsConfig) -> str:
    """The numbers of torch's result, separated by spaces, or "error"."""
    found = in_both(config)[1]
    return "error" if found.error else " ".join(f"{number:g}" for number in found.parts[0].ravel().tolist())


def which_is_larger(config: OperationsConfig) -> str:
    """The library whose result, a single number, is larger, or "equal"."""
    numpy, in_torch = (float(result.parts[0].item()) for result in in_both(config))
    return "equal" if numpy == in_torch else "numpy" if numpy > in_torch else "torch"


def written(config: MemoryConfig) -> memory.Written:
    """Both sides after the number was written."""
    return memory.write(memory.CONVERSIONS[config.way], config.side, (config.row, config.column), config.value)


def does_the_other_change(config: MemoryConfig) -> str:
    """Whether the number that is written can be seen on both sides."""
    return "changes" if written(config).visible_in_both else "stays"


def numbers_that_change(config: MemoryConfig) -> float:
    """How many numbers of b, at which nothing was written, change."""
    return float(written(config).changed_b.sum())


def shape_of_sum(config: BroadcastingConfig) -> str:
    """The shape of a + b as the table shows it, or "error"."""
    sheet = draw_broadcasting(config)
    return sheet.tables[0].rows[-1][1] if len(sheet.tables) == 1 else "error"


def numbers_in_memory(config: ViewsConfig) -> float:
    """How many numbers the memory of z holds."""
    z = result_of(config)
    return float(z.untyped_storage().nbytes() // z.element_size())


def position_of_number(config: ViewsConfig) -> float:
    """The position in memory of the number that is looked up."""
    return float(memory_positions(result_of(config)).ravel()[config.probe])


def result_of(config: ViewsConfig) -> torch.Tensor:
    """The tensor z of the lab, made of numbers in order."""
    shape = read_shape(config.shape)
    x = torch.arange(math.prod(shape)).reshape(shape)
    z: torch.Tensor = SECOND_RUN[config.second](FIRST_RUN[config.first](x))
    return z


PREDICTIONS = {
    "same-sine": Prediction(
        Choice(
            "The sine of the list −1 −2 1 2. Which dtypes do the results have, NumPy first?",
            {"float64\nfloat64": "float64, float64", "float64\nfloat32": "float64, float32",
             "int64\nfloat32": "int64, float32"},
            dtypes_of_sine,
        ),
        Why(
            "Why?",
            {
                "same": "Both choose the most exact type",
                "list": "A list of integers stays whole",
                "default": "Each has its own float type",
            },
            "default",
            {
                "same": "torch’s default is float32: models need memory and speed more than digits.",
                "list": "abs keeps integers. A sine is no integer, so NumPy makes a float64 of it.",
            },
        ),
    ),
    "one-mean": Prediction(
        Choice(
            "torch.mean of a tensor with four numbers: what is its shape?",
            {"(4,)": "(4,)", "(1,)": "(1,)", "()": "()", "(1, 1)": "(1, 1)"},
            shape_of_mean,
        ),
        Why(
            "Why?",
            {
                "same": "An operation keeps the shape",
                "one": "One number is an axis of 1",
                "none": "No axis is left over",
            },
            "none",
            {
                "one": "A single number has no axis at all. Shape (1,) would be a list with one number.",
                "same": "Functions such as sin keep the shape; a mean reduces the axes that it averages.",
            },
        ),
    ),
    "two-std": Prediction(
        Choice(
            "The standard deviation of 0 to 5, in both libraries. Which result is larger?",
            {"equal": "They are equal", "numpy": "NumPy’s", "torch": "torch’s"},
            which_is_larger,
        ),
        Why(
            "Why is that so?",
            {
                "divisor": "NumPy divides by n, torch by n − 1",
                "digits": "float32 has fewer digits",
                "formula": "A standard deviation has one formula",
            },
            "divisor",
            {
                "formula": "There are two: of the numbers themselves (n), and an estimate from a sample (n − 1).",
                "digits": "Both compute in float32 here, and rounding is a million times smaller than this difference.",
            },
        ),
    ),
    "repeat": Prediction(
        Choice(
            "In NumPy repeat(2) of 1 2 3 gives 1 1 2 2 3 3. What does it give in torch?",
            {"1 2 3 1 2 3": "1 2 3 1 2 3", "2 4 6": "2 4 6", "1 1 2 2 3 3": "1 1 2 2 3 3", "error": "An error"},
            numbers_in_torch,
        ),
        Why(
            "Why?",
            {
                "name": "Operations of one name do the same in both",
                "whole": "torch repeats the tensor as a whole",
                "times": "It multiplies by 2",
            },
            "whole",
            {
                "name": "Most names agree; repeat is one of those that do not. NumPy’s np.tile is torch’s repeat.",
                "times": "repeat copies numbers and changes none of them.",
            },
        ),
    ),
    "slice-shares": Prediction(
        Number(
            "b is every second column of a (3 × 4). 42 is written into one number of a. How many numbers of b change?",
            rule=numbers_that_change, lo=0, hi=6, tolerance=0,
        ),
        Why(
            "Why?",
            {
                "copy": "A slice is a copy of numbers",
                "all": "The slice is computed again",
                "same": "One number is the same memory",
            },
            "same",
            {
                "copy": "A slice copies nothing: it reads the memory of a with other strides.",
                "all": "Nothing is computed. Both names read the same memory, where one number is different now.",
            },
        ),
    ),
    "other-dtype": Prediction(
        Choice(
            "b = torch.as_tensor(a, dtype=torch.float32), and a is int64. 42 is written into b. What happens to a?",
            {"changes": "It changes, too", "error": "torch refuses to write", "stays": "It stays as it is"},
            does_the_other_change,
        ),
        Why(
            "Why?",
            {
                "copy": "Another dtype needs other bytes",
                "always": "as_tensor always copies",
                "share": "as_tensor shares the memory with any dtype",
            },
            "copy",
            {
                "always": "It copies only if it must. With the dtype of a both share one memory.",
                "share": "It shares where it can. The bytes of an int64 cannot be read as a float32.",
            },
        ),
    ),
    "column-and-row": Prediction(
        Choice(
            "a is a column, 4 × 1; b is a row of 3. Which shape does a + b have?",
            {"error": "None: an error", "4 × 3": "4 × 3", "4 × 1": "4 × 1", "3 × 4": "3 × 4"},
            shape_of_sum,
        ),
        Why(
            "Why?",
            {
                "equal": "Only arrays of equal shapes can be added",
                "first": "The result has the shape of a",
                "table": "Each is stretched along the other",
            },
            "table",
            {
                "equal": "An axis of 1, or a missing one, is stretched without a warning.",
                "first": "Neither array decides alone: each axis takes the larger size of the two.",
            },
        ),
    ),
    "expand": Prediction(
        Number(
            "x has 6 numbers, and x.expand(2, 2, 3) has 12. How many numbers are in memory?",
            rule=numbers_in_memory, lo=1, hi=24, tolerance=0,
        ),
        Why(
            "Why that many?",
            {
                "two": "A second copy is behind the first",
                "stride": "Stride 0 reads them twice",
                "both": "Each has its own numbers",
            },
            "stride",
            {
                "two": "No copy is made: along the new axis the reader does not move.",
                "both": "The result is a view. Only contiguous() or clone() would write 12 numbers.",
            },
        ),
    ),
    "permute": Prediction(
        Number(
            "x is 2 × 3 × 4; y is x with its axes reversed. At which position of the memory is y[0, 0, 1]?",
            rule=position_of_number, lo=0, hi=23, tolerance=0,
        ),
        Why(
            "Why there?",
            {
                "strides": "Only the strides have changed",
                "order": "y stores its own order",
                "last": "It is at the end of the memory",
            },
            "strides",
            {
                "order": "That would need a copy. permute leaves the memory as it is and changes the strides.",
                "last": "One step along the last axis of y is one step along the first axis of x: 12 numbers.",
            },
        ),
    ),
}  # fmt: skip
