"""Every figure is one that Plotly takes, stays still from frame to frame, and is legible in both themes to all."""

from __future__ import annotations

import inspect
import itertools
import math
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.typing import NDArray

from playground.engine.frames import Figure, encode
from playground.figures import curves, graphs, theme
from playground.figures.theme import PALETTE, StickyRange, padded, round_up

ROOT = Path(__file__).resolve().parents[3]
Array = NDArray[Any]
GRID = np.linspace(-1, 1, 40, dtype=np.float32)
SPANS = ([-1.1, 1.1], [-0.2, 1.4])
NOT_FINITE = np.where(np.arange(40) % 3, np.nan, np.inf).astype(np.float32)
NONE = np.empty(0, np.float32)
STEPS = np.arange(0, 80, 2, dtype=np.float32)


def units(y: Array, dead: list[bool], kinks: Array = NONE) -> curves.UnitCurves:
    return curves.UnitCurves(y, np.array(dead, bool), kinks, kinks)


def fit(prediction: Array, more: curves.UnitCurves | None = None, test: Array = GRID[:5]) -> Figure:
    return curves.fit((GRID, GRID**2), (test, test), GRID, prediction, spans=SPANS, units=more)


def loss_curve(values: Array, **more: Any) -> Figure:
    losses = [("Train", "@train", values), ("Test", "@test", values * 2)]
    return curves.loss_curve(STEPS[: len(values)], losses, **({"peak": 0.9, "until": 100} | more))


def layer_sizes(values: Array, layers: int = 5, **more: Any) -> Figure:
    sizes = [(f"Layer {index + 1}", values, values / 100) for index in range(layers)]
    return curves.layer_sizes(STEPS[: len(values)], sizes, **more)


def network(*counts: int, weight: Callable[[tuple[int, int]], Array] | None = None, dead: bool = False) -> Figure:
    shapes = list(itertools.pairwise(counts))
    weights = [(weight or some_weights)((out, into)) for into, out in shapes]
    dead_units = [np.arange(count) == (0 if dead else -1) for count in counts[1:-1]]
    return graphs.network(weights, [w[:, 0] for w in weights], dead_units, inputs=["x"] * counts[0], outputs=["y"])


def some_weights(shape: tuple[int, int]) -> Array:
    return np.linspace(-2, 1, math.prod(shape)).reshape(shape).astype(np.float32)


def full(value: float) -> Callable[[tuple[int, int]], Array]:
    return lambda shape: np.full(shape, value, np.float32)


EXAMPLES: dict[str, Callable[[], Figure]] = {
    "fit": lambda: fit(GRID**2),
    "fit: no test points": lambda: fit(GRID, test=NONE),
    "fit: hidden units": lambda: fit(GRID, units(np.stack([GRID, -GRID, 0 * GRID]), [False, False, True], GRID[:2])),
    "fit: all units dead": lambda: fit(GRID, units(np.stack([GRID, GRID]), [True, True])),
    "fit: not finite": lambda: fit(NOT_FINITE, units(np.stack([NOT_FINITE]), [False])),
    "with_model": lambda: curves.with_model(fit(GRID), GRID, -GRID, None),
    "loss_curve": lambda: loss_curve(0.5 / (STEPS + 1)),
    "loss_curve: log": lambda: loss_curve(0.5 / (STEPS + 1), log=True),
    "loss_curve: marks": lambda: loss_curve(STEPS / 100, marks=[(3, "Learning rate: 0.5 → 1")], cursor=5),
    "loss_curve: log marks": lambda: loss_curve(STEPS / 100, marks=[(3, "Noise: 0 → 1")], cursor=5, log=True),
    "loss_curve: no rows": lambda: loss_curve(NONE, peak=0.0, until=0),
    "loss_curve: no rows, log": lambda: loss_curve(NONE, peak=0.0, until=0, log=True),
    "loss_curve: not finite": lambda: loss_curve(NOT_FINITE, peak=math.nan),
    "loss_curve: not finite, log": lambda: loss_curve(NOT_FINITE, peak=math.inf, log=True),
    "loss_curve: zero, log": lambda: loss_curve(STEPS * 0, peak=0.0, log=True),
    "loss_curve: tiny, log": lambda: loss_curve(STEPS * 0 + 1e-12, peak=1e-12, log=True),
    "loss_curve: always 1, log": lambda: curves.loss_curve(
        STEPS, [("Train", "@train", STEPS * 0 + 1)], peak=1.0, until=100, log=True
    ),
    "loss_curve: huge": lambda: loss_curve(STEPS * 1e30, peak=1e38, until=10**9),
    "loss_curve: huge, log": lambda: loss_curve(STEPS * 1e30, peak=1e38, until=10**9, log=True),
    "layer_sizes": lambda: layer_sizes(1 / (STEPS + 1), cursor=4),
    "layer_sizes: no rows": lambda: layer_sizes(NONE),
    "layer_sizes: not finite": lambda: layer_sizes(NOT_FINITE),
    "layer_sizes: zero": lambda: layer_sizes(STEPS * 0, layers=1),
    "functions": lambda: curves.functions(GRID, [("f", "@model", GRID**2), ("f′", "@gradient", 2 * GRID)], probe=0.5),
    "functions: not finite": lambda: curves.functions(GRID, [("f", "@model", NOT_FINITE)]),
    "errors": lambda: curves.errors((GRID, GRID / 2), (GRID, -GRID), spans=([-1, 1], [-1, 1])),
    "errors: not finite": lambda: curves.errors((GRID, NOT_FINITE), (NONE, NONE), spans=([-1, 1], [-1, 1])),
    "network": lambda: network(1, 10, 1),
    "network: linear": lambda: network(1, 1),
    "network: deep, dead": lambda: network(2, 16, 3, 4, 1, dead=True),
    "network: too wide": lambda: network(1, 17, 1),
    "network: zeros": lambda: network(1, 4, 1, weight=full(0.0)),
    "network: NaN": lambda: network(1, 4, 1, weight=full(math.nan)),
    "network: infinite": lambda: network(1, 4, 1, weight=full(math.inf)),
}
PLOTS = [name for name in EXAMPLES if not name.startswith("network")]


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


def roles(value: Any) -> set[str]:
    """Every "@role" or "@role/alpha" in a figure."""
    return {leaf for leaf in leaves(value) if isinstance(leaf, str) and leaf.startswith("@")}


def rgb(colour: str) -> Array:
    """Red, green and blue of "#rrggbb", from 0 to 1."""
    return np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])


def coloured(value: Any, palette: dict[str, str]) -> Any:
    """The figure with the palette's colours in place of roles, as the board fills them in."""
    if isinstance(value, dict):
        return {key: coloured(item, palette) for key, item in value.items()}
    if isinstance(value, list):
        return [coloured(item, palette) for item in value]
    if isinstance(value, str) and value.startswith("@"):
        role, _, alpha = value[1:].partition("/")
        red, green, blue = (round(255 * part) for part in rgb(palette[role]))
        return f"rgba({red},{green},{blue},{alpha or 1})"
    return value


def ranges(figure: Figure) -> tuple[list[float], list[float]]:
    return figure["layout"]["xaxis"]["range"], figure["layout"]["yaxis"]["range"]


# Figures that Plotly takes.


def test_every_figure_function_has_an_example_here() -> None:
    modules = [curves, graphs]  # the figures of one lesson alone are tested with it
    public = {
        name
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ != theme.__name__ and not name.startswith("_")
        if function.__annotations__["return"] in ("Figure", "dict[str, Any]")
    }
    assert {"fit", "loss_curve", "layer_sizes", "network"} <= public
    assert public == {name.partition(":")[0] for name in EXAMPLES}, "add an example of each figure to EXAMPLES"


@pytest.mark.parametrize("mode", PALETTE)
@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.filterwarnings("error")
def test_plotly_accepts_every_figure_in_both_themes(name: str, mode: str) -> None:
    figure = EXAMPLES[name]()
    checked = go.Figure(coloured(figure, PALETTE[mode]))
    assert len(checked.data) == len(figure["data"]) > 0


def test_plotly_would_refuse_a_wrong_property() -> None:
    figure = fit(GRID)
    figure["data"][0]["marker"]["colour"] = "#000000"
    with pytest.raises(ValueError, match="colour"):
        go.Figure(coloured(figure, PALETTE["light"]))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_figure_travels_as_a_frame(name: str) -> None:
    assert len(encode({"figure": EXAMPLES[name]()})) > 100


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_role_in_a_figure_is_a_colour_of_both_palettes(name: str) -> None:
    found = roles(EXAMPLES[name]())
    assert "@text" in found
    for role in found:
        assert re.fullmatch(r"@\w+(/(0|1|0?\.\d+|1\.0+))?", role)
        for palette in PALETTE.values():
            assert role[1:].partition("/")[0] in palette, f"{role} is not a colour of the palette"


def test_every_role_named_in_the_code_is_a_colour_of_both_palettes() -> None:
    folder = Path(inspect.getfile(theme)).parents[1]
    sources = [path.read_text(encoding="utf-8") for path in folder.rglob("*.py")]
    found = {role for source in sources for role in re.findall(r'"@([a-z]\w*)[/"]', source)}
    assert found >= {"train", "test", "model", "text"}
    assert found <= PALETTE["light"].keys()


def test_both_palettes_name_the_same_roles() -> None:
    assert PALETTE["light"].keys() == PALETTE["dark"].keys()
    for colour in (*PALETTE["light"].values(), *PALETTE["dark"].values()):
        assert re.fullmatch("#[0-9a-f]{6}", colour)


@pytest.mark.parametrize("name", PLOTS)
def test_axes_are_titled_and_their_ranges_fixed_and_finite(name: str) -> None:
    layout = EXAMPLES[name]()["layout"]
    for axis in (layout["xaxis"], layout["yaxis"]):
        assert axis["title"]["text"]
        assert axis["autorange"] is False
        low, high = axis["range"]
        assert math.isfinite(low) and math.isfinite(high) and low < high
    assert layout["uirevision"], "without it a frame would undo the student's zoom"


def test_the_names_of_inputs_have_room_left_of_them() -> None:
    """Between the picture of the data and the inputs, in the narrowest place: 25 rem of 16 pixels."""
    for hidden, data_rem in ((0, 4), (1, 4), (2, 2.75), (3, 2.75), (6, 2.75)):
        columns = network(2, *[4] * hidden, 1)["layout"]["meta"]["network"]["columns"]
        data, inputs = columns[:2]
        room = 400 * (inputs["x"] - inputs["half"][0] - data["x"]) - 16 * data_rem / 2 - graphs.LABEL_SHIFT
        assert room > 6.2 * len("sin x₂"), (hidden, room)  # pixels of a letter, as measured


def test_a_networks_columns_are_where_its_units_are_drawn() -> None:
    for counts in ((1, 1), (2, 4, 3), (1, 17, 4, 1), (7, 12, 12, 12, 12, 12, 12, 5)):
        figure = network(*counts)
        data, *columns = figure["layout"]["meta"]["network"]["columns"]
        assert data["kind"] == "data" and columns[0]["kind"] == "inputs"
        assert [column["layer"] for column in columns] == list(range(-1, len(counts) - 1))
        places = [(column["x"], y) for column in columns for y in column["y"].tolist()]
        units = figure["data"][-1]
        assert np.allclose(places, np.stack([units["x"], units["y"]], axis=1))
        for column in columns:
            assert np.all(np.diff(-column["y"]) >= 2 * column["half"][1]), "no picture lies over another"
        lefts, rights = ([c["x"] + sign * c["half"][0] for c in columns] for sign in (-1, 1))
        assert all(right < left for right, left in zip(rights, lefts[1:], strict=False))
        assert lefts[0] > 0 and rights[-1] < 1


def test_units_show_their_curves_or_their_maps() -> None:
    w = np.ones((3, 2), np.float32)
    shown = {"inputs": ["a", "b"], "outputs": ["y"]}
    curves_of = [np.tile(GRID, (2, 1)), np.stack([GRID, -GRID, 0 * GRID])]
    figure = graphs.network([w, w[:1, :1].repeat(3, 1)], [w[:, 0], w[0, :1]], [np.array([False, False, True])],
                            pictures=graphs.Pictures(curves=curves_of), **shown)  # fmt: skip
    boxes, alive, dead = figure["data"][-4:-1]
    assert boxes["fill"] == "toself" and np.isnan(boxes["x"]).sum() == 5
    assert np.isnan(alive["x"]).sum() == 4 and np.isnan(dead["x"]).sum() == 1
    assert dead["line"]["color"] == "@dead"
    maps = [np.arange(8, dtype=np.uint8).reshape(2, 4), np.arange(12, dtype=np.uint8).reshape(3, 4)]
    figure = graphs.network([w, w[:1, :1].repeat(3, 1)], [w[:, 0], w[0, :1]], [],
                            pictures=graphs.Pictures(maps=maps), **shown)  # fmt: skip
    assert figure["maps"]["side"] == 2 and figure["maps"]["square"]
    assert figure["maps"]["values"].tolist() == [*range(8), *range(12)]
    assert len(figure["maps"]["boxes"]) == 4 * 5


def test_a_networks_axes_are_hidden_and_still() -> None:
    for figure in (network(1, 10, 1), network(1, 3, 3, 1)):
        for axis in (figure["layout"]["xaxis"], figure["layout"]["yaxis"]):
            assert axis["visible"] is False
            assert axis["autorange"] is False
        assert ranges(figure) == ranges(network(1, 17, 1))


# Nothing jumps.


@pytest.mark.parametrize(
    "draw",
    [
        lambda nudge: fit(GRID**2 + nudge),
        lambda nudge: fit(GRID**2 + nudge, units(np.stack([GRID + nudge]), [False])),
        lambda nudge: loss_curve(0.4 / (STEPS + 1) + nudge),
        lambda nudge: loss_curve(0.5 / (STEPS + 1) + nudge, peak=0.9 + nudge, until=61 + 100 * nudge),
        lambda nudge: loss_curve((1 + nudge) * 0.4 / (STEPS + 1), log=True),
        lambda nudge: layer_sizes((1 + nudge) * 0.4 / (STEPS + 1)),
    ],
    ids=["fit", "fit with units", "loss", "loss, higher peak", "log loss", "layer sizes"],
)
def test_the_next_frame_has_the_same_ranges(draw: Callable[[float], Figure]) -> None:
    assert ranges(draw(0.0)) == ranges(draw(0.01))


def test_an_endless_run_moves_its_step_axis_a_few_times_only() -> None:
    ends = [ranges(loss_curve(STEPS, until=until))[0][1] for until in range(0, 100_001, 7)]
    assert all(end >= until for end, until in zip(ends, range(0, 100_001, 7), strict=True))
    assert len(set(ends)) == len([10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5])


def test_every_loss_is_inside_its_axis() -> None:
    values = np.array([0.9, 0.3, 0.004], np.float32)
    low, high = ranges(curves.loss_curve(STEPS[:3], [("Train", "@train", values)], peak=0.9, until=10))[1]
    assert low == 0 and high >= 0.9
    low, high = ranges(curves.loss_curve(STEPS[:3], [("Train", "@train", values)], peak=0.9, until=10, log=True))[1]
    assert (low, high) == (-3, 0)


def test_turning_hidden_units_on_or_off_keeps_the_traces_in_their_places() -> None:
    without, with_units = fit(GRID), fit(GRID, units(np.stack([GRID, GRID]), [False, True]))
    assert [trace["name"] for trace in without["data"]] == [trace["name"] for trace in with_units["data"]]
    shown = (
        [trace.get("visible", True) for trace in without["data"]],
        [trace.get("visible", True) for trace in with_units["data"]],
    )
    assert shown == ([True, True, False, False, False, True], [True] * 6)


def test_another_curve_leaves_the_figure_it_came_from_alone_and_shares_its_points() -> None:
    first = fit(GRID)
    second = curves.with_model(first, GRID, -GRID, None)
    assert np.array_equal(first["data"][-1]["y"], GRID)
    assert np.array_equal(second["data"][-1]["y"], -GRID)
    assert second["data"][0] is first["data"][0]
    assert second["layout"] is first["layout"]


@pytest.mark.parametrize(("value", "up"), [(0.3, 0.5), (0.5, 0.5), (1, 1), (1.01, 2), (7, 10), (100, 100), (101, 200)])
def test_round_up_goes_to_the_next_1_2_or_5(value: float, up: float) -> None:
    assert round_up(value) == pytest.approx(up)


def test_round_up_is_never_below_its_value_and_at_most_two_and_a_half_times_it() -> None:
    for value in np.geomspace(1e-12, 1e38, 997).tolist():
        assert value * (1 - 1e-8) <= round_up(value) <= 2.5 * value * (1 + 1e-8)
    assert [round_up(value) for value in (0.0, -3.0, math.nan, math.inf)] == [1.0] * 4


def test_padded_is_wider_on_both_sides_even_around_one_value() -> None:
    assert padded(0.0, 10.0, 0.1) == [-1.0, 11.0]
    low, high = padded(3.0, 3.0)
    assert low < 3.0 < high


# What a figure shows.


def test_a_fit_shows_the_points_and_the_curve() -> None:
    train, test, *_, model = fit(GRID**3)["data"]
    assert np.array_equal(train["x"], GRID) and np.array_equal(train["y"], GRID**2)
    assert np.array_equal(test["x"], GRID[:5])
    assert np.array_equal(model["x"], GRID) and np.array_equal(model["y"], GRID**3)


def test_live_units_are_one_line_with_gaps_and_dead_units_another() -> None:
    _, _, alive, dead, kinks, _ = fit(
        GRID, units(np.stack([GRID, 2 * GRID, 3 * GRID]), [False, True, False], GRID[:2])
    )["data"]
    assert np.array_equal(alive["y"], np.concatenate([GRID, [np.nan], 3 * GRID, [np.nan]]), equal_nan=True)
    assert np.array_equal(dead["y"], np.concatenate([2 * GRID, [np.nan]]), equal_nan=True)
    assert len(alive["x"]) == len(alive["y"])
    assert np.array_equal(kinks["x"], GRID[:2])


def test_changed_settings_and_the_time_slider_are_marked_on_the_loss() -> None:
    figure = loss_curve(STEPS, marks=[(3, "Noise: 0 → 1"), (9, "Loss: L1 → MSE")], cursor=5)
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [3, 9, 5]
    assert figure["data"][-1]["text"] == ["step 3: Noise: 0 → 1", "step 9: Loss: L1 → MSE"]
    assert figure["data"][-1]["x"].tolist() == [3, 9]


def edges(figure: Figure, colour: str) -> list[tuple[float, int]]:
    """(line width, number of weights) of each class of a sign's weights."""
    lines = [trace for trace in figure["data"] if trace["mode"] == "lines"]
    mine = [trace for trace in lines if trace["line"]["color"].startswith(colour)]
    return [(trace["line"]["width"], int(np.isnan(trace["x"]).sum())) for trace in mine]


def test_every_weight_but_zero_is_one_line_of_its_sign_and_wider_when_larger() -> None:
    w = np.array([[1.0], [-1.0], [0.01], [0.0], [-0.25]], np.float32)
    figure = graphs.network([w], [w[:, 0]], [], inputs=["x"], outputs=list("abcde"))
    positive, negative = edges(figure, "@positive"), edges(figure, "@negative")
    assert sum(count for _, count in positive) == 2
    assert sum(count for _, count in negative) == 2
    assert [width for width, count in positive if count] == [graphs.WIDTHS[0], graphs.WIDTHS[-1]]
    assert [width for width, count in negative if count] == [graphs.WIDTHS[2], graphs.WIDTHS[-1]]


def test_a_weights_line_joins_its_own_two_units() -> None:
    w = np.array([[0.0, 3.0], [0.0, 0.0], [0.0, 0.0]], np.float32)  # from the second input to the first output
    figure = graphs.network([w], [w[:, 0]], [], inputs=["a", "b"], outputs=["p", "q", "r"])
    lines = [t for t in figure["data"] if t["mode"] == "lines" and len(t["x"])]
    (line,) = [t for t in lines if t["line"]["color"].startswith("@positive")]
    units = figure["data"][-1]
    at = [(float(x), float(y)) for x, y in zip(units["x"], units["y"], strict=True)]
    assert (line["x"][0], line["y"][0]) == pytest.approx(at[1]), "from the second input"
    assert (line["x"][-2], line["y"][-2]) == pytest.approx(at[2]), "to the first output"
    assert np.all(np.diff(line["x"][:-1]) > 0)


def test_a_network_shows_every_unit_its_numbers_and_which_are_dead() -> None:
    figure = network(1, 3, 1, dead=True)
    units_drawn = figure["data"][-1]
    assert len(units_drawn["x"]) == len(units_drawn["hovertext"]) == len(units_drawn["marker"]["color"]) == 5
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["x", "×", "y"]
    assert units_drawn["marker"]["color"] == ["@muted", "@dead", "@gradient", "@gradient", "@model"]
    assert units_drawn["hovertext"][1] == "hidden layer 1, unit 1 (dead)<br>weights −2<br>bias −2"
    assert units_drawn["hovertext"][4].startswith("output y<br>weights −2, −0.5, 1<br>bias")


def test_of_a_wide_layer_the_largest_units_are_drawn_and_the_others_counted() -> None:
    w = np.zeros((32, 1), np.float32)
    large = [*range(2, 30, 3), 30, 31]
    w[large] = 1.0
    figure = graphs.network([w, w.T], [w[:, 0], np.zeros(1)], [], inputs=["x"], outputs=["y"])
    units = figure["data"][-1]
    assert len(units["x"]) == 1 + graphs.WIDE_UNITS + 1
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["x", "y", "+ 20 more"]
    assert [f"unit {unit + 1}<" in text for unit, text in zip(large, units["hovertext"][1:], strict=False)] == [
        True
    ] * 12
    assert "+ " not in str(network(1, graphs.MAX_UNITS, 1)["layout"]["annotations"])
    assert len(network(1, 64, 48, 17, 1)["data"][-1]["x"]) == 2 + 3 * graphs.WIDE_UNITS


def test_units_of_a_wide_layer_keep_their_places_until_another_is_clearly_larger() -> None:
    sizes = np.linspace(1.0, 2.0, 20, dtype=np.float32)[:, None]
    before = graphs.shown_units([sizes, sizes.T])
    sizes[0] = 1.55  # a little larger than the smallest that is drawn
    assert np.array_equal(graphs.shown_units([sizes, sizes.T], before)[0], before[0])
    sizes[0] = 3.0
    assert 0 in graphs.shown_units([sizes, sizes.T], before)[0]
    assert np.array_equal(graphs.shown_units([sizes[:4], sizes[:4].T], before)[0], np.arange(4)), "fewer units now"


def test_every_model_has_its_labels_also_without_a_hidden_layer() -> None:
    for counts in ((1, 1), (2, 1), (1, 10, 1), (2, 17, 4, 1)):
        notes = [note["text"] for note in network(*counts)["layout"]["annotations"]]
        assert notes.count("x") == counts[0] and notes.count("y") == counts[-1]


def test_a_log_axis_over_many_decades_has_few_ticks() -> None:
    for figure in (layer_sizes(np.geomspace(1e-8, 1e20, 60)), loss_curve(STEPS * 1e30, peak=1e38, log=True)):
        axis = figure["layout"]["yaxis"]
        assert (axis["range"][1] - axis["range"][0]) / axis["dtick"] <= curves.MAX_DECADES


def test_an_exploding_loss_gets_a_log_axis_by_itself_and_says_so() -> None:
    exploding = np.geomspace(0.2, 1e12, 60)
    axis = loss_curve(exploding, peak=1e12)["layout"]["yaxis"]
    assert axis["type"] == "log" and axis["title"]["text"] == "Loss (log scale)"
    assert "type" not in loss_curve(exploding[:10], peak=0.9)["layout"]["yaxis"]


def test_each_layer_has_a_colour_of_its_own() -> None:
    figure = layer_sizes(1 / (STEPS + 1), layers=7)
    assert len({trace["line"]["color"] for trace in figure["data"]}) == 7


# Legible to all eyes.

# Deuteranopia at full severity, on linear RGB: Machado, Oliveira and Fernandes, "A physiologically-based model for
# simulation of color vision deficiency", IEEE TVCG 15(6), 2009, table of matrices.
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
TOLD_APART = [("train", "test"), ("positive", "negative"), ("class0", "class1"), ("model", "train"), ("model", "test")]


def linear(colour: str) -> Array:
    """Linear RGB from sRGB (IEC 61966-2-1)."""
    part = rgb(colour)
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    dim, bright = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (bright + 0.05) / (dim + 0.05)


def lab(linear_rgb: Array) -> Array:
    """CIE 1976 L*a*b* of linear sRGB under D65."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear_rgb
    t = xyz / np.array([0.95047, 1.0, 1.08883])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one: str, other: str, vision: Array) -> float:
    """How far apart two colours are (CIE76, where about 2 is just noticeable) with this matrix of vision."""
    first, second = (lab((vision @ linear(colour)).clip(0, 1)) for colour in (one, other))
    return float(np.linalg.norm(first - second))


def test_the_measures_of_colour_are_right_on_known_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)  # the well-known grey that just passes
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    # A red and a green that deuteranopes mistake for one another are far apart to others.
    assert difference("#b05a00", "#808000", np.eye(3)) > 2 * difference("#b05a00", "#808000", DEUTERANOPIA)


@pytest.mark.parametrize("mode", PALETTE)
def test_the_palettes_ground_and_text_are_those_of_the_page(mode: str) -> None:
    page = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"][mode]
    assert (PALETTE[mode]["ground"], PALETTE[mode]["text"]) == (page["backgroundColor"], page["textColor"])


@pytest.mark.parametrize("mode", PALETTE)
@pytest.mark.parametrize("role", ["text", "muted"])
def test_text_stands_out_from_the_ground(mode: str, role: str) -> None:
    assert contrast(PALETTE[mode][role], PALETTE[mode]["ground"]) >= 4.5


@pytest.mark.parametrize("mode", PALETTE)
@pytest.mark.parametrize("role", sorted(PALETTE["light"].keys() - {"ground", "grid"}))
def test_what_is_drawn_stands_out_from_the_ground(mode: str, role: str) -> None:
    assert contrast(PALETTE[mode][role], PALETTE[mode]["ground"]) >= 3


@pytest.mark.parametrize("mode", PALETTE)
@pytest.mark.parametrize("pair", TOLD_APART, ids=" and ".join)
@pytest.mark.parametrize("vision", [np.eye(3), DEUTERANOPIA], ids=["full colour", "deuteranopia"])
def test_colours_that_mean_different_things_differ_to_all_eyes(mode: str, pair: tuple[str, str], vision: Array) -> None:
    one, other = (PALETTE[mode][role] for role in pair)
    assert difference(one, other, vision) >= 20


@pytest.mark.parametrize("mode", PALETTE)
def test_the_series_differ_in_pairs(mode: str) -> None:
    series = [PALETTE[mode][f"series{index}"] for index in range(curves.LAYER_COLOURS)]
    assert min(difference(a, b, np.eye(3)) for a, b in itertools.combinations(series, 2)) >= 20


def test_colour_is_never_the_only_cue() -> None:
    train, test, *_ = fit(GRID)["data"]
    assert train["marker"]["symbol"] != test["marker"]["symbol"]
    train, test, *_ = loss_curve(STEPS)["data"]
    assert train["line"]["dash"] != test["line"]["dash"]
    gradient, update, *_ = layer_sizes(STEPS)["data"]
    assert gradient["line"]["dash"] != update["line"]["dash"]
    dashes = {t["line"]["color"].partition("/")[0]: t["line"].get("dash") for t in network(1, 2, 1)["data"][:-1]}
    assert dashes["@positive"] != dashes["@negative"]


def test_an_axis_widens_at_once_and_narrows_only_when_far_less_is_needed() -> None:
    sticky = StickyRange()
    assert sticky.over(-2, 2) == [-2, 2]
    assert sticky.over(-5, 5) == [-5, 5]
    assert sticky.over(-2, 2) == [-5, 5], "it does not change between two steps of round_up"
    assert sticky.over(-1, 1) == [-1, 1]
    assert sticky.over(0, 3) == [0, 3], "what would lie outside always shows"
