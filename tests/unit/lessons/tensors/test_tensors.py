"""The lesson Tensors: verdicts on every operation, memory, broadcasting, views, speed and drawings."""

from __future__ import annotations

import itertools
import math
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from playground.experiments import experiments
from playground.figures.cells import FILL, ROOM, Block, as_csv, cells
from playground.figures.images import ZERO
from playground.lessons import LESSONS
from playground.lessons.tensors import broadcasting, memory, operations, speed, tutorial, views
from playground.lessons.tensors.cells import block
from playground.lessons.tensors.figures.ribbon import ribbon
from playground.lessons.tensors.registry import CASES, OPERATIONS, Case, Operation
from playground.lessons.tensors.verdicts import Result, Verdict, compare, distance, run_both
from playground.parsing.arrays import (
    DTYPES,
    EXAMPLE,
    MAX_CELLS,
    as_numpy,
    as_torch,
    number_text,
    read_array,
    read_shape,
)
from playground.settings import Settings
from tests.unit.plotly_check import assert_plotly_takes

each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))
ARRAYS = ("0 1 2; 3 4 5", "1 3 3 1", "-2.5 0.5 1.5", "1 nan -inf", "7", "True False", "arange(8).reshape(2, 2, 2)")


def sentence_of(make: object, *arguments: object) -> str:
    with pytest.raises(ValueError) as caught:
        make(*arguments)  # type: ignore[operator]
    sentence = str(caught.value)
    assert sentence[0].isupper() and sentence.endswith("."), sentence
    assert len(sentence) < 300
    return sentence


@pytest.mark.parametrize("text", ["1000000000", "100000 100000", "999999999999 999999999999 999999999999"])
def test_huge_shape_is_refused_before_anything_is_made(text: str) -> None:
    tracemalloc.start()
    began = time.thread_time()
    for refused in (
        lambda: read_array(EXAMPLE, text),
        lambda: operations.draw_operations(operations.OperationsConfig(shape=text)),
        lambda: views.draw_views(views.ViewsConfig(shape=text)),
    ):
        assert "elements" in sentence_of(refused)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.thread_time() - began < 0.5
    assert peak < 2_000_000, "bytes"


def verdict_of_case(case: Case, operation: Operation) -> Verdict:
    """The verdict on one of the registry's cases, computed now."""
    a, b = read_array(case.array), read_array(case.second)
    arrays, tensors = (as_numpy(a, case.dtype), as_numpy(b)), (as_torch(a, case.dtype), as_torch(b))
    return run_both(operation, arrays, tensors)[2]


# Verdicts.


@each_operation
def test_operation_gives_a_verdict_for_every_array_and_dtype(operation: Operation) -> None:
    second = read_array("0 -1 2")
    for text, dtype in itertools.product(ARRAYS, DTYPES):
        try:
            array, tensor = as_numpy(read_array(text), dtype), as_torch(read_array(text), dtype)
        except ValueError:
            continue
        _, _, verdict = run_both(operation, (array, as_numpy(second)), (tensor, as_torch(second)))
        assert verdict.kind in ("same", "differs", "error")
        assert bool(verdict.details) is (verdict.kind != "same")


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_known_difference_is_still_one(case: Case) -> None:
    verdict = verdict_of_case(case, OPERATIONS[case.operation])
    assert verdict.kind == case.verdict, verdict
    shown = operations.OperationsConfig(
        operation=case.operation, array=case.array, dtype=case.dtype, second=case.second
    )
    tried = [each.config for each in experiments(LESSONS["tensors"]) if each.bench is operations.LAB]
    assert shown in tried, "it has an experiment"


def test_verdict_table_tells_what_the_libraries_do() -> None:
    """By hand: what Python prints for these calls, not what the page's own comparison makes of them."""
    assert np.std([1.0, 2.0]) == 0.5 and torch.tensor([1.0, 2.0]).std().item() == pytest.approx(math.sqrt(0.5))
    verdict = verdict_of_case(Case("", "std", "", "1 2", "float64"), OPERATIONS["std"])
    assert verdict.details.startswith(f"values by up to {math.sqrt(0.5) - 0.5:.2g} ")
    assert "dtype float64 | float32" in verdict_of_case(Case("", "sin", "", "1 2"), OPERATIONS["sin"]).details
    assert "one array | 2 arrays" in verdict_of_case(Case("", "sort", "", "1 2"), OPERATIONS["sort"]).details
    assert "shape 2 × 1 | 1 × 2" in compare(Result((np.ones((2, 1)),)), Result((np.ones((1, 2)),))).details
    with pytest.raises(RuntimeError) as error:
        torch.mean(torch.tensor([1, 2]))
    assert str(error.value) in verdict_of_case(Case("", "mean", "", "1 2"), OPERATIONS["mean"]).details


def test_distance_is_counted_in_units_of_the_last_place_of_the_coarser_type() -> None:
    one = np.array([1.0, 3.0], np.float32)

    def found(other: np.ndarray[Any, Any], first: np.ndarray[Any, Any] = one) -> tuple[str, str]:
        return distance(first, other) or ("", "")

    assert found(one.copy()) == ("", "")
    kind, text = found(np.nextafter(one, np.float32(9)))
    assert kind == "rounding" and "(1 ulp of float32: rounding)" in text
    assert "(0.25 ulp of float32: rounding)" in found(one + np.spacing(one).astype(np.float64) / 4)[1]
    assert found(one + np.float32(1e-3))[0] == "floats"
    assert found(np.array([np.nan, np.inf]), np.array([np.nan, np.inf])) == ("", "")
    assert found(np.array([np.nan, 1.0]), np.array([1.0, np.nan]))[0] == "not_finite"
    assert found(np.array([np.inf]), np.array([-np.inf]))[0] == "not_finite"
    assert found(np.array([3]), np.array([7])) == ("integers", "values by up to 4")


def test_enough_operations_in_both_libraries() -> None:
    assert len(OPERATIONS) >= 25
    assert {each.group for each in OPERATIONS.values()} >= {"Elementwise", "Reductions", "Products", "Shape"}
    assert [OPERATIONS[name].uses_second for name in ("dot", "add", "abs", "broadcast")] == [True, True, False, False]


@pytest.mark.parametrize("name", ["add", "dot", "argmax", "stack", "outer", "std", "nonzero", "mask"])
def test_operations_lab_draws_hostile_numbers_quickly(name: str) -> None:
    for text in ("nan inf -inf 0", "linspace(-1e300, 1e300, 64)", "9223372036854775807 -9223372036854775807"):
        began = time.thread_time()
        sheet = operations.draw_operations(operations.OperationsConfig(operation=name, array=text))
        assert time.thread_time() - began < 0.5, "processor seconds; about 0.02"
        assert len(sheet.tables[0].rows) == len(OPERATIONS)
        for figure in sheet.charts.values():
            assert_plotly_takes(figure)


# The tutorial's cells.


def test_tutorials_first_cell_shares_one_memory() -> None:
    np_data, torch_data, back = tutorial.convert_both_ways(2, 3)
    assert np_data.tolist() == torch_data.tolist() == back.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert np.shares_memory(np_data, back) and torch_data.data_ptr() == np_data.ctypes.data


def test_tutorials_second_cell_gives_what_the_tutorial_prints() -> None:
    data = [-1, -2, 1, 2]
    assert [each.tolist() for each in tutorial.in_both_libraries("abs", data)] == [[1, 2, 1, 2]] * 2
    for result in tutorial.in_both_libraries("sin", data):
        assert np.asarray(result) == pytest.approx([-0.84147098, -0.90929743, 0.84147098, 0.90929743], rel=1e-6)
    assert [float(each) for each in tutorial.in_both_libraries("mean", data)] == [0.0, 0.0]
    rows = tutorial.draw_tutorial(tutorial.TutorialConfig()).tables[0].rows
    assert any("tensor([-0.8415, -0.9093,  0.8415,  0.9093])" in row[1] for row in rows)
    assert rows[0][4] == "24,\u00a08\u00a0bytes\n3,\u00a01\u00a0elements"
    assert [row[2:] for row in rows[2:4]] == [
        ("int64\nfloat32", "(4,)\n(4,)", "8\u00a0bytes\n1\u00a0element"),
        ("float64\nfloat32", "(4,)\n(4,)", "8\u00a0bytes\n1\u00a0element"),
    ]
    assert rows[4][3:] == ("()\n()", "()\n()"), "a number has no axis, so its strides are () in both libraries"


@pytest.mark.parametrize("cell", ["abs", "sin"])
def test_array_of_one_axis_is_a_row_in_every_lab(cell: str) -> None:
    """In the lab Tutorial, too, where each number is above its result."""
    drawn = tutorial.draw_tutorial(tutorial.TutorialConfig(cell=cell)).charts["numpy"]["data"][-1]
    above, below = drawn["x"].reshape(2, 4).tolist()
    assert above == below == pytest.approx([above[0] + at for at in range(4)])
    assert np.ptp(drawn["y"].reshape(2, 4), axis=1).tolist() == [0.0, 0.0] and drawn["y"][0] < drawn["y"][4]
    row = operations.draw_operations(operations.OperationsConfig(array="-1 -2 1 2")).charts["results"]["data"][-1]
    assert np.ptp(row["y"][:4]) == 0 and row["text"][:4] == ["-1", "-2", "1", "2"]


def test_number_that_is_not_there_is_not_looked_up_without_a_word() -> None:
    assert "there is no index 40, so the last one" in views.draw_views(views.ViewsConfig(probe=40)).note
    assert "there is no index" not in views.draw_views(views.ViewsConfig(probe=11)).note
    assert "has one number" in views.draw_views(views.ViewsConfig(shape="1", probe=1, first="same")).note


@pytest.mark.parametrize("shape", ["()", "1"])
def test_strides_of_a_single_number_are_an_empty_tuple(shape: str) -> None:
    rows = views.draw_views(views.ViewsConfig(shape=shape, first="same")).tables[0].rows
    assert {row[2] for row in rows} == {"()" if shape == "()" else "1"}
    assert torch.zeros(()).stride() == () == np.zeros(()).strides
    both = broadcasting.draw_broadcasting(broadcasting.BroadcastingConfig("()", "()")).tables[0].rows
    assert {row[2] for row in both} == {"()"}


@pytest.mark.parametrize(
    ("cell", "data", "words"),
    [
        (
            "sin",
            "-1 -2 1 2",
            "The numbers agree; the types do not. NumPy stores this list as `int64` and the result as `f",
        ),
        ("abs", "-1 -2 1 2", "stores this list as `int64` and the result as `int64`"),
        ("sin", "1.5 nan inf", "The numbers agree; the types do not. NumPy stores this list as `float64`"),
        ("sin", "123456789", "The numbers do not agree"),  # float32 rounds it to 123456792
        ("mean", "100000001 -100000000", "The numbers do not agree"),
        ("abs", "-100000001", "The numbers agree"),
    ],
)
def test_note_of_the_tutorials_list_is_true_of_any_list(cell: str, data: str, words: str) -> None:
    assert words in tutorial.draw_tutorial(tutorial.TutorialConfig(cell=cell, data=data)).note


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("1 1", "1", "Nothing is stretched: `b` only gets axes of size 1."),
        ("3", "1 1 3", "Nothing is stretched: `a` only gets axes of size 1."),
        ("1 3", "1 1 1", "Stretched: `b`."),
        ("1 1", "3", "Stretched: `a`."),
    ],
)
def test_an_axis_of_size_1_that_stays_1_is_not_called_stretched(a: str, b: str, words: str) -> None:
    sheet = broadcasting.draw_broadcasting(broadcasting.BroadcastingConfig(a=a, b=b))
    assert sheet.note.startswith(words)
    repeated = [f"`{row[0]}`" for row in sheet.tables[0].rows[:2] if "0" in row[2].split(", ")]
    assert repeated == ([] if words.startswith("Nothing") else [words.split()[1].strip(".")])


def test_every_operation_on_a_single_number_is_drawn_or_refused() -> None:
    for first, second in itertools.product(views.FIRST, views.SECOND):
        sheet = views.draw_views(views.ViewsConfig(shape="()", first=first, second=second))
        assert "does not work" in sheet.note or "Number" in sheet.note or "number 0" in sheet.note


@pytest.mark.parametrize("data", ["1 2; 3 4", "1e39", "arange(9)", "", "1e400 x"])
def test_text_that_is_not_the_tutorials_list_gets_a_sentence(data: str) -> None:
    sentence_of(lambda: tutorial.draw_tutorial(tutorial.TutorialConfig(data=data)))


# Memory.


@pytest.mark.parametrize("way", memory.CONVERSIONS.values(), ids=list(memory.CONVERSIONS))
def test_write_changes_both_sides_exactly_where_memory_is_shared(way: memory.Conversion) -> None:
    a, b = way.make()
    a_array, b_array = memory.as_array(a), memory.as_array(b)
    for side, (row, column) in itertools.product(("a", "b"), np.ndindex(2, 2)):
        if row >= len(a if side == "a" else b):
            continue
        done = memory.write(way, side, (row, column), 77)
        assert done.shared is np.shares_memory(a_array, b_array)
        own, other = (a_array, b_array) if side == "a" else (b_array, a_array)
        place = own[row : row + 1, column : column + 1]
        assert done.visible_in_both is np.shares_memory(place, other, max_work=-1), (side, row, column)
        assert int(done.changed_a.sum()) + int(done.changed_b.sum()) == 1 + done.visible_in_both
        assert memory.as_array(done.a if side == "a" else done.b)[row, column] == 77


@pytest.mark.parametrize("way", memory.CONVERSIONS)
@pytest.mark.parametrize("side", ["a", "b"])
def test_a_number_that_was_there_already_tells_nothing_of_the_memory(way: str, side: str) -> None:
    a, b = memory.CONVERSIONS[way].make()
    number = int(memory.as_array(a if side == "a" else b)[0, 1])
    note = memory.draw_memory(memory.MemoryConfig(way=way, side=side, column=1, value=number)).note
    assert note.startswith("That number was there already")


def test_memory_lab_shows_the_memory_once_when_shared_and_twice_when_not() -> None:
    words = [
        memory.draw_memory(memory.MemoryConfig(way=way)).charts["memory"]["layout"]["meta"]["words"]
        for way in ("from_numpy", "tensor")
    ]
    assert [text.count("memory") for text in words] == [1, 2]
    (row_a, row_b) = memory.draw_memory(memory.MemoryConfig()).tables[0].rows
    assert (row_a[3], row_b[3]) == ("p", "p")


def test_data_pointer_is_shown_relative_to_the_other_sides_and_never_as_an_address() -> None:
    """The server's own addresses are not shown; the distance between the two is the lesson."""
    shown = {name: memory.pointer(memory.write(way, "a", (1, 1), 9)) for name, way in memory.CONVERSIONS.items()}
    a, _ = memory.CONVERSIONS["row"].make()
    assert shown["row"] == f"p + {a[1:].ctypes.data - a.ctypes.data} bytes" == "p + 24 bytes"
    assert (shown["numpy"], shown["slice"], shown["tensor"]) == ("p", "p", "a different address")


def test_cell_that_is_not_there_gets_a_sentence() -> None:
    config = memory.MemoryConfig(way="slice", side="b", column=2)
    assert "2 × 2" in sentence_of(memory.draw_memory, config)


# Broadcasting.

SHAPES = [(), (1,), (2,), (3,), (2, 3), (2, 1), (1, 3), (4, 1), (2, 1, 3), (3, 2, 1), (1, 1, 1, 2), (2, 2, 1, 1, 3)]


@pytest.mark.parametrize("a", SHAPES)
@pytest.mark.parametrize("b", SHAPES)
def test_aligned_shapes_are_what_both_libraries_make_of_them(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    sizes = [size for *_, size in broadcasting.aligned(a, b)]
    try:
        expected: list[int] | None = list(np.broadcast_shapes(a, b))
    except ValueError:
        expected = None
    if expected is None:
        assert None in sizes
        numpy, in_torch = broadcasting.real_errors(a, b)
        assert "could not be broadcast" in numpy and "must match" in in_torch
    else:
        assert sizes == expected == list(torch.broadcast_shapes(a, b))
    texts = (" ".join(map(str, shape)) or "()" for shape in (a, b))
    sheet = broadcasting.draw_broadcasting(broadcasting.BroadcastingConfig(*texts))
    assert ("not fit" in sheet.note) is (expected is None)


def test_ghost_cells_are_those_that_broadcasting_repeats() -> None:
    drawn = broadcasting.draw_broadcasting(broadcasting.BroadcastingConfig("2 1 3", "4 1")).charts["sum"]["data"][-1]
    colours = np.array(drawn["textfont"]["color"]).reshape(3, 24)  # of a, of b and of the sum
    assert (colours == "@muted").sum(axis=1).tolist() == [24 - 6, 24 - 4, 0]
    a, b = broadcasting.numbers((2, 1, 3), 1).numpy(), broadcasting.numbers((4, 1), 10).numpy()
    assert drawn["text"][-24:] == [str(value) for value in (a + b).ravel()]


def test_the_controls_of_each_size_have_their_places() -> None:
    """Under the sizes of a and of b, aligned at the right; b's missing axis has a place, too."""
    figure = broadcasting.draw_broadcasting(broadcasting.BroadcastingConfig("2 1 3", "4 1")).charts["shapes"]
    axes, numbers = figure["layout"]["meta"]["axes"], figure["data"][-1]
    assert {name: each["sizes"] for name, each in axes.items()} == {"a": [2, 1, 3], "b": [4, 1]}
    for row, name in ((1, "a"), (2, "b")):
        at = slice(4 * row + 1, 4 * row + 4)
        assert axes[name]["x"] == numbers["x"][at].tolist()
        assert all(0.3 < axes[name]["y"] - y < 0.5 for y in numbers["y"][at])


def test_shapes_too_large_to_make_are_only_looked_at() -> None:
    tracemalloc.start()
    sheet = broadcasting.draw_broadcasting(broadcasting.BroadcastingConfig("1000000", "1000000 1"))
    assert "1,000,000,000,000" in sheet.note
    sheet = broadcasting.draw_broadcasting(broadcasting.BroadcastingConfig("1000000 1000000", "3"))
    assert "must match" in sheet.answer and "too large to draw" in sheet.charts["sum"]["layout"]["meta"]["words"]
    assert tracemalloc.get_traced_memory()[1] < 2_000_000, "bytes"
    tracemalloc.stop()
    for a in ("1000000000 1000000000", "1 1 1 1 1 1", "-1 2", "two", "0"):
        sentence_of(broadcasting.draw_broadcasting, broadcasting.BroadcastingConfig(a=a))


# Views.


@pytest.mark.parametrize("first", views.FIRST)
@pytest.mark.parametrize("second", views.SECOND)
@pytest.mark.parametrize("shape", ["3 4", "2 3 4", "6"])
def test_places_and_shared_memory_are_torchs_own(first: str, second: str, shape: str) -> None:
    x = torch.arange(math.prod(read_shape(shape))).reshape(read_shape(shape))
    try:
        z = views.SECOND_RUN[second](views.FIRST_RUN[first](x))
    except (RuntimeError, IndexError):
        sheet = views.draw_views(views.ViewsConfig(shape=shape, first=first, second=second))
        assert "does not work" in sheet.note
        return
    flat = torch.as_strided(z, (z.untyped_storage().nbytes() // z.element_size(),), (1,), 0)
    assert flat[torch.from_numpy(views.memory_positions(z).ravel())].tolist() == z.flatten().tolist()
    if z.numel() <= views.MAX_READ:
        sheet = views.draw_views(views.ViewsConfig(shape=shape, first=first, second=second, probe=63))
        assert ("copy" in sheet.note) is not views.shares_memory(z, x)
        for figure in sheet.charts.values():
            assert_plotly_takes(figure)
    shared = views.shares_memory(z, x)
    x.fill_(-1)
    assert bool((z == -1).all()) if shared else bool((z >= 0).all()), "the verdict is true of the memory"


# Speed.


def run_of(monkeypatch: pytest.MonkeyPatch, cost: Callable[[str, int], float], call: str = "add") -> speed.SpeedRun:
    """A run whose clock is a formula: seconds of one call by library and size."""
    monkeypatch.setattr(speed, "prepare", lambda call, library, size, dtype: (library, size))
    monkeypatch.setattr(speed, "measure", lambda prepared, library: cost(*prepared))
    monkeypatch.setattr(speed, "libraries", lambda: ("numpy", "cpu"))
    return speed.SpeedRun(speed.SpeedConfig(call=call), Settings())


def test_crossing_is_where_two_lines_meet_on_logarithmic_axes() -> None:
    sizes = (1, 10, 100, 1000)
    one, other = {n: 2.0 * n for n in sizes}, dict.fromkeys(sizes, 60.0)
    assert speed.crossing(one, other) == pytest.approx(30.0)
    assert speed.crossing(other, one) == pytest.approx(30.0)
    assert speed.crossing(one, {n: 3.0 * n for n in sizes}) is None
    assert speed.crossing({}, other) is None
    about = {n: 60.0 * (1.04 if n < 100 else 0.96) for n in sizes}
    assert speed.crossing(about, other) is None, "equal but for noise"
    twice = {1: 1.0, 10: 9.0, 100: 1.0, 1000: 9.0}
    assert 100 < (speed.crossing(twice, dict.fromkeys(sizes, 3.0)) or 0) < 1000, "the last one: from there on for good"


def test_speed_run_finds_the_crossing_of_its_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(monkeypatch, lambda library, size: (1e-7 + 1e-9 * size) * (3 if library == "cpu" else 1))
    run.advance(60.0, 10_000)
    assert run.outcome == "done" and run.steps == run.length == speed.PASSES * len(speed.SIZES) * 2
    assert "NumPy is faster." in run.narrate(run.steps)
    run = run_of(monkeypatch, lambda library, size: 1e-7 + 1e-9 * size if library == "numpy" else 1.1e-6)
    run.advance(60.0, 10_000)
    assert "From about 980 on torch is faster." in (said := run.narrate(run.steps)), "1,000 but for rounding"
    assert "1,048,576 numbers: NumPy 1,050 µs, torch 1.1 µs." in said and len(said) < 100, "one line"
    for name, draw in run.figures(run.steps, {}).items():
        assert_plotly_takes(figure := draw())
        assert "about 980" in str(figure["layout"]), (name, "not more digits than a measurement has")


def test_call_that_would_hold_up_the_neighbours_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[float] = []

    def cost(library: str, size: int) -> float:
        made.append(seconds := 2e-6 * size**1.4 if library == "numpy" else 1e-9 * size)
        return seconds

    run = run_of(monkeypatch, cost)
    run.advance(60.0, 10_000)
    assert speed.MAX_CALL_SECONDS / 20 < max(made) <= speed.MAX_CALL_SECONDS
    found = run.seconds(run.steps)
    assert len(found["cpu"]) == len(speed.SIZES) > len(found["numpy"]) > 5
    assert run.status(run.steps)["numbers"] == max(found["numpy"]), "one size for all times in the line"
    times = run.status(run.steps)
    assert times["cpu"] == pytest.approx(found["cpu"][int(times["numbers"])] * 1e6, rel=1e-2)
    assert "Larger sizes are skipped in NumPy" in run.narrate(run.steps)


def test_times_in_one_line_are_of_one_size_and_of_this_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(monkeypatch, lambda library, size: 1e-6 + 1e-9 * size)
    assert set(run.status(0)) == {"numbers", "numpy", "cpu"} and all(map(math.isnan, run.status(0).values()))
    run.advance(60.0, 1)
    assert math.isnan(run.status(1)["numpy"]), "torch is not measured yet"
    for at in range(2, 30):
        run.advance(60.0, 1)
        status = run.status(at)
        found = run.seconds(at)
        for library in ("numpy", "cpu"):
            assert status[library] == float(f"{found[library][int(status['numbers'])] * 1e6:.3g}")
    assert run.narrate(2).startswith("1 number: ") and run.narrate(4).startswith("2 numbers: ")


def test_interrupted_measurement_is_made_again_and_does_not_end_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[tuple[str, int]] = Counter()

    def cost(library: str, size: int) -> float:
        calls[library, size] += 1
        interrupted = size in (32, 64) and calls[library, size] == 1
        return 0.01 if interrupted else 1e-6 + 1e-9 * size

    run = run_of(monkeypatch, cost)
    run.advance(60.0, len(speed.SIZES) * 2)
    assert sorted(set(speed.SIZES) - set(run.seconds(run.steps)["cpu"])) == [32, 64]
    run.advance(60.0, 10_000)
    assert run.seconds(run.steps)["cpu"] == {size: 1e-6 + 1e-9 * size for size in speed.SIZES}


def test_playing_again_keeps_the_smallest_time(monkeypatch: pytest.MonkeyPatch) -> None:
    times = itertools.chain([5e-6], itertools.repeat(2e-6, 100), itertools.repeat(3e-6))
    run = run_of(monkeypatch, lambda library, size: next(times))
    run.advance(60.0, 1)
    assert run.seconds(1)["numpy"][1] == 5e-6
    run.advance(60.0, 10_000)
    assert run.seconds(run.steps)["numpy"][1] == 2e-6, "the second pass was quicker"
    assert run.seconds(1)["numpy"][1] == 5e-6, "looking back shows what was known then"
    run.resume()
    run.advance(60.0, 1)
    assert run.steps == 1 and run.seconds(1)["numpy"] == {1: 2e-6}


@pytest.mark.parametrize("call", speed.CALLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_timed_is_the_same_in_both_libraries(call: str, dtype: str) -> None:
    results = [np.asarray(speed.prepare(call, library, 4096, dtype)()) for library in ("numpy", "cpu")]
    assert str(results[0].dtype) == str(results[1].dtype) == dtype
    assert results[0].shape == results[1].shape
    assert np.allclose(*results, rtol=1e-3)
    assert 0 < speed.measure(speed.prepare(call, "cpu", 64, dtype), "cpu") < 0.01


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no graphics card")
def test_graphics_card_is_measured_where_there_is_one() -> None:
    assert speed.libraries() == ("numpy", "cpu", "cuda")
    run = speed.SpeedRun(speed.SpeedConfig(), Settings())
    run.advance(60.0, 10_000)
    assert len(run.seconds(run.steps)["cuda"]) == len(speed.SIZES)


# Drawings.


def test_cells_always_have_the_same_traces() -> None:
    """A chart whose traces stay the same is moved in place; one whose number of traces changes is built again."""
    empty, full = cells([], message="<b>no</b>"), cells([block("a", np.array([[1.0, np.nan], [-np.inf, 0]]))])
    assert len(empty["data"]) == len(full["data"])
    assert [trace["mode"] for trace in empty["data"]] == [trace["mode"] for trace in full["data"]]
    assert "<b>" not in empty["layout"]["annotations"][0]["text"], "a message is text"
    for figure in (empty, full):
        assert_plotly_takes(figure)


def test_each_cell_is_filled_once_and_by_its_size() -> None:
    figure = cells([block("a", np.array([-4.0, -1, 0, 1, 4, np.nan]))])
    pale, full = (round(127 * strength) for strength in FILL)
    values = figure["maps"]["values"].astype(int).tolist()
    assert values[0] == ZERO - full and values[4] == ZERO + full
    assert ZERO - full < values[1] < ZERO - pale and ZERO + pale < values[3] < ZERO + full
    assert values[2] == ZERO, "zero stays empty"
    assert values[5] == 0, "NaN has its own grey"
    left, right, bottom, top = figure["maps"]["boxes"].reshape(-1, 4).T
    np.testing.assert_allclose(right - left, 1 - 2 * ROOM, atol=1e-6)
    np.testing.assert_allclose(np.diff(left), 1.0, atol=1e-6)
    np.testing.assert_allclose(bottom - top, 1 - 2 * ROOM, atol=1e-6)


def test_a_ghost_is_not_filled() -> None:
    figure = cells([Block("a", np.array([["1", "2"]], object), np.ones((1, 2)), ghost=np.array([[True, False]]))])
    assert figure["maps"]["values"].tolist() == [ZERO, ZERO + round(127 * FILL[1])]


def test_large_arrays_are_drawn_as_a_corner() -> None:
    drawn = block("a", np.zeros((50, 40, 30)))
    assert drawn.texts.size <= MAX_CELLS and "corner of 50 × 40 × 30" in drawn.name
    assert block("a", np.zeros((9, 9, 2, 2))).texts.ndim <= 3


def test_drawing_says_its_numbers_in_words_and_as_csv() -> None:
    figure = cells([block('a "b"', np.array([[1.5, -2.0]]))])
    assert figure["layout"]["meta"]["words"] == 'a "b", 1 × 2: 1.5, -2'
    square = cells([block("q", np.array([[1, 2], [3, 4]])), block("r", np.array([5, 6]))], message="Two arrays.")
    assert square["layout"]["meta"]["words"] == "q, 2 × 2: 1, 2; 3, 4. r: 5, 6. Two arrays."
    rows = as_csv([block('a "b"', np.array([[1.5, -2.0]]))]).splitlines()
    assert rows == ["array,index,value", '"a ""b""",0 0,1.5', '"a ""b""",0 1,-2']


def test_ribbon_has_an_arc_for_each_jump() -> None:
    texts = np.array([["0", "1", "2", "3"]], object)
    figure = ribbon(Block("memory", texts, np.full((1, 4), 0.5)), [0, 2, 1, 1, 3])
    forwards, back = figure["data"][-3], figure["data"][-2]
    assert [int(np.isnan(line["x"]).sum()) for line in (forwards, back)] == [2, 2]
    middle = figure["data"][3]["y"][0]
    assert np.nanmin(forwards["y"]) >= middle + 0.5 - 1e-6, "below the cells"
    assert np.nanmax(back["y"]) <= middle - 0.5 + 1e-6, "above them"
    low, high = figure["layout"]["yaxis"]["range"]
    assert np.nanmax(forwards["y"]) < low and np.nanmin(back["y"]) > high, "no arc is cut"
    assert_plotly_takes(figure)
    assert_plotly_takes(ribbon(Block("memory", texts[:, :1], np.zeros((1, 1))), [0]))


def test_numbers_in_cells_are_short() -> None:
    assert [number_text(value) for value in (True, 12, 10**12, 1 / 3, np.float32("nan"), -np.inf, -0.0)] == [
        "True", "12", "1e12", "0.3333", "nan", "-inf", "0",
    ]  # fmt: skip
