"""Arrays that a visitor types: what is read, in both libraries, and a sentence for text that is not an array."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from playground.parsing.arrays import (
    DTYPES,
    EXAMPLE,
    MAX_CELLS,
    MAX_CHARACTERS,
    Numbers,
    as_numpy,
    as_rows,
    as_torch,
    read_array,
    read_shape,
    with_cells,
)

ARRAYS = ("0 1 2; 3 4 5", "1 3 3 1", "-2.5 0.5 1.5", "1 nan -inf", "7", "True False", "arange(8).reshape(2, 2, 2)")


def sentence_of(make: object, *arguments: object) -> str:
    with pytest.raises(ValueError) as caught:
        make(*arguments)  # type: ignore[operator]
    sentence = str(caught.value)
    assert sentence[0].isupper() and sentence.endswith("."), sentence
    assert len(sentence) < 300
    return sentence


@pytest.mark.parametrize(
    ("text", "shape", "numbers"),
    [
        ("0 1 2; 3 4 5", (2, 3), [0, 1, 2, 3, 4, 5]),
        ("0,1,2", (3,), [0, 1, 2]),
        ("1;", (1, 1), [1]),
        ("[[0, 1], [2, 3]]", (2, 2), [0, 1, 2, 3]),
        ("[[[1]], [[2]]]", (2, 1, 1), [1, 2]),
        ("np.arange(6).reshape((2, 3))", (2, 3), [0, 1, 2, 3, 4, 5]),
        ("arange(5, 0, -2)", (3,), [5, 3, 1]),
        ("linspace(-1, 1, 3)", (3,), [-1.0, 0.0, 1.0]),
        ("torch.zeros(1, 2)", (1, 2), [0.0, 0.0]),
        ("ones(2).reshape(-1, 1)", (2, 1), [1.0, 1.0]),
        (" -1e3  .5 True ", (3,), [-1000.0, 0.5, True]),
    ],
)
def test_array_is_read_as_it_was_meant(text: str, shape: tuple[int, ...], numbers: list[float]) -> None:
    read = read_array(text)
    assert (read.shape, list(read.values)) == (shape, numbers)
    assert as_numpy(read).shape == tuple(as_torch(read).shape) == shape
    assert as_numpy(read).ravel().tolist() == as_torch(read).ravel().tolist() == numbers


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("1 2; 3", "rows"),
        (";", "rows"),
        ("one two", "not a number"),
        ("0x10 1_000", "not a number"),
        ("__import__('os').system('true')", "not a number"),
        ("exp(3)", "not known"),
        ("arange(1000000000)", "1,000,000,000"),
        ("zeros(100000, 100000)", "10,000,000,000"),
        ("ones(1, 1, 1, 1)", "axes"),
        ("linspace(0, 1, 1000000000)", "1,000,000,000"),
        ("arange(1e300)", "elements"),
        ("arange(0, 1, 0)", "0 elements"),
        ("arange(nan)", "Finite"),
        ("arange(-1e308, 1e308, 1e-308)", "elements"),
        ("[" * 140 + "]" * 140, "140 deep"),
        ("[1, [2]]", "inner lists"),
        ("[]", "inner lists"),
        ("[1, 2", "match"),
        ("]1[", "match"),
        ("[1], [2]", "one pair"),
        ("1 " * 65, "65 elements"),
        ("7" * 2000, "2000 characters"),
        ("٣ ٤", "not a number"),
    ],
)
def test_text_that_is_not_an_array_gets_a_sentence(text: str, word: str) -> None:
    assert word in sentence_of(read_array, text)


def test_shape_reshapes_and_says_what_does_not_fit() -> None:
    assert read_array(EXAMPLE, "3 -1").shape == (3, 2)
    assert read_shape("()") == ()
    assert "the array has 6" in sentence_of(read_array, EXAMPLE, "4 2")
    assert "multiple of 4" in sentence_of(read_array, EXAMPLE, "4 -1")
    for wrong in ("2 x", "1.5"):
        assert "not a shape" in sentence_of(read_shape, wrong)
    for wrong in ("-1 -1", "0 3", "-2 3"):
        assert "Each size" in sentence_of(read_shape, wrong)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("text", [*ARRAYS, "300 1", "-1 0", "1e300 1", "9223372036854775807", "1e30 nan"])
def test_both_libraries_hold_the_same_numbers_or_none(text: str, dtype: str) -> None:
    numbers = read_array(text)
    try:
        array, tensor = as_numpy(numbers, dtype), as_torch(numbers, dtype)
    except ValueError as error:
        assert "does not fit in" in str(error)
        return
    if dtype != "auto":
        assert str(array.dtype) == str(tensor.dtype).removeprefix("torch.") == dtype
        assert np.array_equal(array, tensor.numpy(), equal_nan=dtype != "bool")
    assert tensor.dtype == torch.tensor(list(numbers.values)).dtype or dtype != "auto"


@pytest.mark.parametrize("text", ["0 1 2; 3 4 5", "1 2 3", "1 2;", "5", "1; 2", "-1.5 1e300", "True 2"])
def test_edited_table_is_the_array_with_those_cells_changed(text: str) -> None:
    numbers = read_array(text)
    assert read_array(with_cells(numbers, {})) == numbers
    last = (len(as_rows(numbers)) - 1, numbers.shape[-1] - 1)
    again = read_array(with_cells(numbers, {last: 0.1, (0, 0): None}))
    assert again.shape == numbers.shape
    assert again.values[-1] == 0.1 or last == (0, 0)
    assert math.isnan(again.values[0]), "an empty cell is NaN"
    assert again.values[1:-1] == numbers.values[1:-1]


def test_any_array_that_is_drawn_fits_into_the_texts_length() -> None:
    longest = Numbers((-1.2345678901234567e-300,) * MAX_CELLS, (8, 8))
    assert len(text := with_cells(longest, {})) <= MAX_CHARACTERS
    assert read_array(text) == longest


def test_what_a_dtype_cannot_hold_is_named_with_its_bounds() -> None:
    assert "300" in (sentence := sentence_of(as_numpy, read_array("300"), "uint8")) and "255" in sentence
    assert "nan" in sentence_of(as_torch, read_array("nan"), "int64")
    assert "int64" in sentence_of(as_numpy, read_array("99999999999999999999"))
