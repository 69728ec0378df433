"""Whatever a viewer is sent, the figures it puts together are the figures that were drawn."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from playground.engine.frames import Figure, FrameWriter, changes, encode

TYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u1": "|u1"}


def decode(frame: bytes) -> dict[str, Any]:
    """A frame read as `encode`'s docstring describes it, arrays as NumPy arrays of one dimension."""
    end = 4 + int.from_bytes(frame[:4], "little")

    def read(value: dict[str, Any]) -> Any:
        if set(value) != {"$"}:
            return value
        offset, items, kind = value["$"]
        assert (end + offset) % 8 == 0, "a typed array in the browser must begin at a multiple of its items' size"
        return np.frombuffer(frame, TYPES[kind], items, end + offset)

    head: dict[str, Any] = json.loads(frame[4:end], object_hook=read)
    return head


def same(one: Any, other: Any) -> bool:
    """Equal to the last bit, NaN included."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)


def put(figure: Any, path: list[Any], value: Any) -> None:
    """Put the value at the path inside the figure, as the board in the browser does."""
    assert path, "there is no place for a value without a path"
    for key in path[:-1]:
        figure = figure[key]
    figure[path[-1]] = value


class Viewer:
    """What a browser knows after the frames it was sent."""

    def __init__(self) -> None:
        self.head: dict[str, Any] = {}
        self.charts: dict[str, Any] = {}

    def receive(self, frame: bytes) -> dict[str, Any]:
        sent = decode(frame)
        for name, part in sent.get("charts", {}).items():
            if "figure" in part:
                self.charts[name] = part["figure"]
            for path, value in part.get("set", []):
                put(self.charts[name], path, value)
        self.head |= {key: value for key, value in sent.items() if key != "charts"}
        return sent


def figure(y: list[float], title: str = "Loss") -> Figure:
    trace = {"type": "scatter", "x": np.arange(len(y), dtype=np.float32), "y": np.array(y, np.float32)}
    return {"data": [trace], "layout": {"title": title, "width": 1, "shapes": []}}


# One frame.


@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "uint8"])
@pytest.mark.parametrize("items", [0, 1, 3, 8, 1000])
def test_an_array_arrives_as_it_was(kind: str, items: int) -> None:
    array = (np.arange(items) * 3 % 251).astype(kind)
    (found,) = decode(encode({"a": array})).values()
    assert same(found, array)


def test_arrays_of_all_types_side_by_side_and_nested_are_aligned_and_arrive() -> None:
    frame = {
        "text": "ü → “x” \\ \n",
        "none": None,
        "flags": [True, False],
        "numbers": [0, -1, 2.5, 1e-300],
        "odd": np.array([1, 2, 3], np.uint8),
        "double": np.array([np.pi, -0.0, 1e300]),
        "deep": {"list": [{"y": np.array([7], np.int32)}, [np.array([0.1], np.float32)]], "empty": {}},
        "last": np.array([255], np.uint8),
    }
    assert same(decode(encode(frame)), frame)


def test_nan_and_infinity_in_an_array_arrive() -> None:
    array = np.array([np.nan, np.inf, -np.inf, 0.0], np.float32)
    assert same(decode(encode({"a": array}))["a"], array)


@pytest.mark.parametrize("kind", ["int64", "int16", "uint32", "bool", "float16"])
def test_other_number_types_travel_as_f8(kind: str) -> None:
    array = np.array([0, 1, 1, 0]).astype(kind)
    assert b'"f8"' in encode({"a": array})
    assert same(decode(encode({"a": array}))["a"], array.astype(np.float64))


def test_a_whole_number_beyond_four_bytes_is_not_cut() -> None:
    assert decode(encode({"a": np.array([2**40 + 1])}))["a"].tolist() == [2**40 + 1]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32)[::2],
        np.arange(12, dtype=np.float32).reshape(3, 4).T,
        np.arange(12, dtype=np.float32).reshape(3, 4)[:, 1],
        np.arange(3, dtype=">f4"),
    ],
    ids=["strided", "transposed", "a column", "big-endian"],
)
def test_an_array_laid_out_otherwise_in_memory_arrives_in_reading_order(array: Any) -> None:
    assert decode(encode({"a": array}))["a"].tolist() == array.ravel().tolist()


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, b"bytes", np.float32(1)], ids=lambda each: type(each).__name__)
def test_what_a_frame_cannot_carry_raises_and_is_named(value: Any) -> None:
    with pytest.raises(TypeError) as caught:
        encode({"a": value})
    cause = caught.value.__cause__ or caught.value
    assert f"cannot carry a {type(value).__name__}" in str(cause)


# Frame after frame.


def test_the_first_frame_is_whole() -> None:
    writer, viewer = FrameWriter(), Viewer()
    charts = {"loss": figure([1.0, 0.5]), "fit": figure([2.0])}
    sent = viewer.receive(writer.write({"state": "playing", "step": 1}, charts))
    assert set(sent["charts"]["loss"]) == {"figure"}
    assert same(viewer.charts, charts)
    assert viewer.head == {"state": "playing", "step": 1}


def test_nothing_is_sent_when_nothing_changed() -> None:
    writer = FrameWriter()
    head = {"state": "paused", "status": {"loss": 0.1}}
    assert writer.write(head, {"loss": figure([1.0])})
    assert writer.write(deepcopy(head), {"loss": figure([1.0])}) == b""
    assert writer.write(head, {}) == b""
    assert FrameWriter().write({}, {}) == b""


def test_only_the_array_that_changed_is_sent_again() -> None:
    writer = FrameWriter()
    writer.write({"state": "playing"}, {"loss": figure([1.0, 0.5]), "fit": figure([2.0])})
    sent = decode(writer.write({"state": "playing"}, {"loss": figure([1.0, 0.4]), "fit": figure([2.0])}))
    assert set(sent) == {"charts"}
    assert same(sent["charts"], {"loss": {"set": [[["data", 0, "y"], np.array([1.0, 0.4], np.float32)]]}})


def test_only_the_heads_keys_that_changed_are_sent_again() -> None:
    writer = FrameWriter()
    writer.write({"state": "playing", "step": 1, "note": None}, {})
    assert decode(writer.write({"state": "playing", "step": 2, "note": None}, {})) == {"step": 2}
    assert decode(writer.write({"state": "paused", "step": 2, "note": "x"}, {})) == {"state": "paused", "note": "x"}
    assert decode(writer.write({"state": "paused", "step": 2, "note": None}, {})) == {"note": None}


def test_a_chart_that_was_left_out_of_a_frame_catches_up() -> None:
    writer, viewer = FrameWriter(), Viewer()
    viewer.receive(writer.write({}, {"loss": figure([1.0]), "fit": figure([1.0])}))
    viewer.receive(writer.write({"step": 1}, {"loss": figure([2.0])}))
    viewer.receive(writer.write({"step": 2}, {"loss": figure([3.0]), "fit": figure([3.0]), "new": figure([3.0])}))
    assert same(viewer.charts, {name: figure([3.0]) for name in ("loss", "fit", "new")})


def test_a_figure_with_another_part_at_its_top_is_sent_whole() -> None:
    writer, viewer = FrameWriter(), Viewer()
    viewer.receive(writer.write({}, {"loss": figure([1.0])}))
    drawn = figure([1.0]) | {"config": {"scrollZoom": True}}
    assert "figure" in viewer.receive(writer.write({}, {"loss": drawn}))["charts"]["loss"]
    assert same(viewer.charts["loss"], drawn)


EDITS: dict[str, Callable[[Figure], Any]] = {
    "array values": lambda f: f["data"][0].update(y=np.array([9.0, 9.0], np.float32)),
    "array length": lambda f: f["data"][0].update(y=np.zeros(5, np.float32)),
    "array type": lambda f: f["data"][0].update(y=f["data"][0]["y"].astype(np.float64)),
    "array to list": lambda f: f["data"][0].update(y=[1.0, 0.5]),
    "array to nothing": lambda f: f["data"][0].update(y=None),
    "NaN in an array": lambda f: f["data"][0].update(y=np.array([1.0, np.nan], np.float32)),
    "zero's sign": lambda f: f["data"][0].update(y=np.array([-0.0, 0.5], np.float32)),
    "one trace more": lambda f: f["data"].append({"y": np.zeros(2, np.float32)}),
    "no trace": lambda f: f["data"].clear(),
    "a new key": lambda f: f["data"][0].update(name="Train"),
    "a key gone": lambda f: f["data"][0].pop("x"),
    "a key renamed": lambda f: f["data"][0].update(z=f["data"][0].pop("x")),
    "a key renamed beside a new array": lambda f: f["data"][0].update(
        z=f["data"][0].pop("type"), y=np.array([4.0, 4.0], np.float32)
    ),
    "the last key renamed": lambda f: f["data"][0].update(z=f["data"][0].pop("y")),
    "a leaf": lambda f: f["layout"].update(title="Fit"),
    "a number to a flag": lambda f: f["layout"].update(width=True),
    "a leaf to a dict": lambda f: f["layout"].update(title={"text": "Fit"}),
    "an empty list filled": lambda f: f["layout"]["shapes"].append({"x0": 3}),
    "a list to a dict": lambda f: f["layout"].update(shapes={}),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_kind_of_change_reaches_the_viewer(name: str) -> None:
    first = figure([0.0, 0.5])
    last = deepcopy(first)
    EDITS[name](last)
    assert not same(first, last)
    writer, viewer = FrameWriter(), Viewer()
    viewer.receive(writer.write({}, {"loss": first}))
    sent = viewer.receive(writer.write({}, {"loss": last}))
    assert "set" in sent["charts"]["loss"]
    assert same(viewer.charts["loss"], last)


def random_value(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(7 if depth else 4)
    if kind == 0:
        return rng.choice([None, True, False, "text", "", 0, 1, 2, 0.5, -1.5])
    if kind in (1, 2, 3):
        dtype = rng.choice(["float32", "float64", "int32", "uint8"])
        return np.array([rng.randrange(3) for _ in range(rng.randrange(4))], dtype)
    if kind == 4:
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {key: random_value(rng, depth - 1) for key in rng.sample("abcd", rng.randrange(4))}


def randomly_edited(rng: random.Random, value: Any, depth: int) -> Any:
    """The value with a few parts of it replaced, added, taken away or renamed; unchanged parts are shared."""
    if rng.random() < 0.15:
        return random_value(rng, depth)
    if isinstance(value, list):
        edited = [randomly_edited(rng, item, depth - 1) for item in value]
        return edited[: rng.randrange(len(edited) + 1)] if rng.random() < 0.1 else edited
    if isinstance(value, dict):
        turned = {key: rng.choice("abcd") if rng.random() < 0.1 else key for key in value}
        return {turned[key]: randomly_edited(rng, item, depth - 1) for key, item in value.items()}
    if isinstance(value, np.ndarray) and rng.random() < 0.3:
        return value[::-1].copy()
    return value if rng.random() < 0.5 else deepcopy(value)


def test_patches_applied_to_the_first_figure_always_give_the_last() -> None:
    for seed in range(400):
        rng = random.Random(seed)
        drawn: Any = {key: random_value(rng, 3) for key in "abc"}
        writer, viewer = FrameWriter(), Viewer()
        viewer.receive(writer.write({"step": -1}, {"chart": drawn}))
        for step in range(8):
            drawn = {key: randomly_edited(rng, value, 3) for key, value in drawn.items()}
            viewer.receive(writer.write({"step": step}, {"chart": drawn}))
            assert same(viewer.charts["chart"], drawn), f"seed {seed}, step {step}"


def test_a_figure_has_no_changes_against_its_copy() -> None:
    for seed in range(100):
        value = random_value(random.Random(seed), 3)
        assert list(changes(value, deepcopy(value))) == []


def test_list_of_values_is_replaced_whole_since_plotly_sees_no_change_inside() -> None:
    before, after = {"z": [[1, None], [2, 3]], "shapes": [{"x0": 0}]}, {"z": [[1, 4], [2, 3]], "shapes": [{"x0": 1}]}
    assert list(changes(before, after)) == [[("z",), [[1, 4], [2, 3]]], [("shapes", 0, "x0"), 1]]
