"""The lesson Convolution against torch and sums by hand: outputs, pooling, sizes, chains, a kernel's table."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pages.ui.widgets.number_tables import edited_cells, with_kernel_cells
from playground import mnist
from playground.engine.commands import read_command
from playground.experiments import experiments
from playground.figures import images
from playground.lessons import LESSONS
from playground.lessons.convolution import chain, pooling, slide
from playground.lessons.convolution import kernels as parts
from playground.lessons.convolution.figures import sizes
from playground.lessons.convolution.kernels import Axis, digit_image, kernel_text, read_kernel
from playground.lessons.convolution.pooling import PoolingConfig, PoolingRun
from playground.lessons.convolution.sizes import SizesConfig, draw_sizes, size_by_torch
from playground.lessons.convolution.slide import SlideConfig, SlideRun, kernel_of
from playground.settings import Settings
from tests.unit.plotly_check import assert_plotly_takes

SETTINGS = Settings()
SLIDES = [
    SlideConfig(),
    SlideConfig(kernel="blur", padding=2, digit=8),
    SlideConfig(kernel="outline", stride=3, digit=0, example=7),
    SlideConfig(kernel="random", size=5, seed=3, padding=3, dilation=2, stride=2),
    SlideConfig(kernel="own", cells="-1 1"),
    SlideConfig(kernel="own", cells="1; -1; 2", padding=1, stride=2),
]


@pytest.fixture(scope="module", autouse=True)
def small_digits() -> Any:
    """These tests need no MNIST: the small digits have the same shape, and everybody has them."""
    patch = pytest.MonkeyPatch()
    patch.setattr("playground.mnist.files.places", lambda: ())
    mnist.forget()
    yield
    patch.undo()
    mnist.forget()


def by_hand(image: Tensor, kernel: Tensor, config: SlideConfig) -> Tensor:
    """The output in plain loops over pixels, from the definition; zeros outside of the image."""
    height, width = image.shape
    rows, columns = kernel.shape
    reach = [config.dilation * (size - 1) + 1 for size in (rows, columns)]
    out = [(size + 2 * config.padding - span) // config.stride + 1 for size, span in zip((height, width), reach)]  # noqa: B905
    result = torch.zeros(*out, dtype=torch.float64)
    for row, column, i, j in itertools.product(*map(range, (*out, rows, columns))):
        y = row * config.stride - config.padding + i * config.dilation
        x = column * config.stride - config.padding + j * config.dilation
        if 0 <= y < height and 0 <= x < width:
            result[row, column] += float(image[y, x]) * float(kernel[i, j])
    return result


@pytest.mark.parametrize("config", SLIDES, ids=lambda config: f"{config.kernel}-{config.stride}-{config.padding}")
def test_output_is_what_loops_over_the_definition_give(config: SlideConfig) -> None:
    run = SlideRun(config, SETTINGS)
    expected = by_hand(run.image, run.kernel, config)
    assert run.output.shape == expected.shape
    torch.testing.assert_close(run.output.double(), expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("config", SLIDES, ids=lambda config: f"{config.kernel}-{config.stride}-{config.padding}")
def test_every_place_shows_the_pixels_whose_sum_is_in_the_output(config: SlideConfig) -> None:
    run = SlideRun(config, SETTINGS)
    for at in range(1, run.output.numel() + 1):
        row, column = run.place(at)
        total = (run.patch(row, column).double() * run.kernel.double()).sum()
        assert run.output[row, column].item() == pytest.approx(total.item(), abs=1e-2)


def test_output_equals_the_layer_of_torch() -> None:
    run = SlideRun(SlideConfig(kernel="sharpen", padding=1, stride=2), SETTINGS)
    layer = nn.Conv2d(1, 1, kernel_size=3, stride=2, padding=1, bias=False)
    with torch.no_grad():
        layer.weight[0, 0] = run.kernel
        assert torch.equal(layer(run.image[None, None])[0, 0], run.output)


def test_identity_with_padding_gives_the_digit_back_and_a_corner_moves_it() -> None:
    run = SlideRun(SlideConfig(kernel="identity", padding=1), SETTINGS)
    assert torch.equal(run.output, run.image)
    moved = SlideRun(SlideConfig(kernel="own", cells="1 0 0; 0 0 0; 0 0 0", padding=1), SETTINGS)
    assert torch.equal(moved.output[1:, 1:], moved.image[:-1, :-1]), "down and to the right"


def test_kernels_give_on_equal_pixels_what_the_page_says() -> None:
    even = torch.full((5, 5), 100.0)
    sums = {name: slide.convolve(even, read_kernel(text), 1, 0, 1)[0, 0].item() for name, text in parts.KERNELS.items()}
    assert sums == {"identity": 100, "vertical": 0, "horizontal": 0, "outline": 0, "blur": 100, "sharpen": 100,
                    "emboss": 100}  # fmt: skip
    step = torch.tensor([[0.0, 0, 255, 255, 0]] * 5)
    assert slide.convolve(step, torch.tensor([[-1.0, 1.0]]), 1, 0, 1)[0].tolist() == [0, 255, 0, -255]
    assert set(parts.NAMES) == {*parts.KERNELS, "random", "own"}


def test_a_seed_always_gives_the_same_random_kernel() -> None:
    one, again, other = (kernel_text("random", "", 5, seed) for seed in (1, 1, 2))
    assert one == again != other
    kernel = read_kernel(one)
    assert kernel.shape == (5, 5) and kernel.abs().max() <= 1


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty"), ("a b", "not a number"), ("1 2; 3", "rows"), (" ".join("1" * 8), "up to 7 rows"),
     ("nan 1", "weight"), ("1e9", "weight"), ("[[[1]], [[2]]]", "up to 7 rows"), ("zeros(1000, 1000)", "elements")],
)  # fmt: skip
def test_an_invalid_kernel_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SlideRun(SlideConfig(kernel="own", cells=text), SETTINGS)


def play(run: Any, steps: int) -> None:
    while steps > 0 and not run.outcome:
        steps -= run.advance(1.0, steps)


def test_the_output_is_shown_place_by_place() -> None:
    run = SlideRun(SlideConfig(kernel="outline", stride=3), SETTINGS)
    for at in (0, 1, 40, 81):
        play(run, at - run.steps)
        drawing = run.draw(["output", "sum"], {})
        assert drawing.status["step"] == at and drawing.status["places"] == 81
        shown = drawing.charts["output"]["maps"][1]["values"]
        assert int((shown > 0).sum()) == at and (shown[:at] > 0).all()
        for figure in drawing.charts.values():
            assert_plotly_takes(figure)
    assert run.outcome == "done" and "The output is complete: 9 × 9" in run.narrate(81)


LIVE = [(SlideRun, SlideConfig(stride=3), "sum"), (PoolingRun, PoolingConfig(), "window")]


def pick(run: Any, row: float, column: float, chart: str = "output") -> None:
    run.apply(read_command({"do": "pick", "chart": chart, "x": column, "y": row}))


@pytest.mark.parametrize(("kind", "config", "close"), LIVE)
def test_a_click_on_the_output_shows_the_window_of_that_number(kind: Any, config: Any, close: str) -> None:
    run = kind(config, SETTINGS)
    run.advance(9.0, 3)
    pick(run, 4.9, 5.2)
    drawn = run.draw(["output", close], {})
    at = 4 * run.output.shape[1] + 5 + 1
    assert drawn.status["step"] == at and drawn.note.startswith("Row 4, column 5:")
    assert drawn.charts["output"]["layout"]["meta"]["place"] == [5, 4]
    assert_plotly_takes(drawn.charts[close])
    pick(run, 1, 2)  # earlier: nothing is hidden again
    assert run.steps == at and run.draw([], {}).note.startswith("Row 1, column 2:")
    pick(run, -3, 1e6)  # a typed place outside is moved to the edge
    assert run.place(run._viewed) == (0, run.output.shape[1] - 1)
    for wrong in ("image", "", "sum"):
        with pytest.raises(ValueError, match=r"[A-Z].*\."):
            pick(run, 1, 1, wrong)


@pytest.mark.parametrize(("kind", "config", "close"), LIVE)
def test_a_click_on_the_image_shows_the_window_around_that_pixel(kind: Any, config: Any, close: str) -> None:
    run = kind(config, SETTINGS)
    places, axis = run.places, run.rows
    row, column, height, width = places.box(12, 16, 1, 1)
    pick(run, row + height / 2, column + width / 2)
    assert run.place(run._viewed) == tuple(round((at + 0.5 - axis.span / 2) / axis.stride) for at in (12, 16))
    window = run.draw(["output", close], {}).charts["output"]["data"][-1]
    assert np.nanmin(window["x"]) < column + width and row < np.nanmax(window["y"])
    pick(run, places.box(0, 0, 1, 1)[0], places.left)
    assert run.place(run._viewed) == (0, 0), "a corner of the image, too, has its nearest window"


@pytest.mark.parametrize("padding", [0, 2])
def test_the_image_is_as_high_as_its_output(padding: int) -> None:
    run = SlideRun(SlideConfig(kernel="random", size=5, padding=padding, stride=3), SETTINGS)
    rows = run.output.shape[0]
    top, left, height, width = run.places.box(-padding, -padding, 28 + 2 * padding, 28 + 2 * padding)
    assert (top, left, height, width) == pytest.approx((0, run.places.left, rows, rows))
    maps = run.draw(["output"], {}).charts["output"]["maps"]
    assert [each["side"] for each in maps] == [28, run.output.shape[1]] and maps[0]["boxes"][1] < 0 == maps[1]["boxes"][
        0
    ]


@pytest.mark.parametrize(("kind", "config", "close"), LIVE)
def test_a_complete_output_leaves_the_window_at_its_strongest_number(kind: Any, config: Any, close: str) -> None:
    run = kind(config, SETTINGS)
    run.advance(60.0, 10_000)
    assert run.outcome == "done"
    drawn, name = run.draw(["output", close], {}), "sum" if close == "sum" else "result"
    assert abs(drawn.status[name]) == pytest.approx(float(run.output.abs().max()), rel=1e-5)
    assert "The output is complete" in drawn.note
    row, column = run.place(run.steps)
    assert drawn.charts["output"]["layout"]["meta"]["place"] == [column, row] != [0, 0]
    last = tuple(size - 1 for size in run.output.shape)
    pick(run, *last)
    assert run.draw([], {}).note.startswith("Row {}, column {}:".format(*last)) or "complete" in run.narrate(run.steps)
    assert run.place(run.steps) == last, "the corner, too, can be looked at"


def test_sentence_of_a_place_adds_up() -> None:
    run = SlideRun(SlideConfig(), SETTINGS)
    kinds = set()
    for at in range(1, 300):
        row, column = run.place(at)
        sentence = run.narrate(at).replace("−", "-").replace(",", "")
        assert sentence.startswith(f"Row {row} column {column}:")
        if " = " in sentence and "…" not in sentence:
            left, right = (
                sentence.partition(": ")[2].removesuffix(" The other products are 0.").rstrip(".").split(" = ")
            )
            assert sum(float(a) * float(b) for a, b in re.findall(r"([-\d.]+) × ([-\d.]+)", left)) == float(right)
            kinds.add("sum")
        elif "every product is 0" in sentence:
            assert run.output[row, column] == 0
            kinds.add("nothing")
        else:
            kinds.add("long")
    assert kinds == {"sum", "nothing", "long"}


def test_another_kernel_leaves_a_complete_output_complete_and_a_place_where_it_is() -> None:
    run = SlideRun(SlideConfig(), SETTINGS)
    play(run, 100)
    run.tune(SlideConfig(kernel="blur"))
    assert run.steps == 100
    run.tune(SlideConfig(kernel="blur", stride=2))
    assert run.steps == 100 and not run.outcome
    run.tune(SlideConfig(kernel="blur", stride=3))
    assert run.steps == 81 and run.outcome == "done", "there are no more places"
    run.tune(SlideConfig(kernel="blur", stride=4))
    assert run.outcome == "done" and run.steps == run.output.numel() == 49
    with pytest.raises(ValueError, match="number"):
        run.tune(SlideConfig(kernel="own", cells="x"))
    assert run.output.shape == (7, 7), "a refused kernel changes nothing"


def test_sums_show_the_numbers_that_are_multiplied() -> None:
    run = SlideRun(SlideConfig(kernel="own", cells="1 2; 3 -4"), SETTINGS)
    at = 1 + int(run.output.abs().argmax())
    texts = run._sum(at)["data"][-1]["text"]
    numbers = [float(text.replace("−", "-").replace(",", "")) for text in texts]
    pixels, kernel, products, total = numbers[:4], numbers[4:8], numbers[8:12], numbers[12]
    assert kernel == [1, 2, 3, -4] and pixels == run.patch(*run.place(at)).flatten().tolist()
    assert products == [a * b for a, b in zip(pixels, kernel, strict=True)] and sum(products) == total != 0


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize(("window", "stride"), [(2, 0), (3, 2), (5, 0), (4, 1), (1, 0), (7, 5)])
def test_pooling_equals_the_layer_of_torch_and_its_windows(kind: str, window: int, stride: int) -> None:
    run = PoolingRun(PoolingConfig(kind=kind, window=window, stride=stride, digit=3), SETTINGS)
    layer = (nn.MaxPool2d if kind == "max" else nn.AvgPool2d)(window, stride or None)
    assert torch.equal(layer(run.image[None])[0], run.output)
    for at in range(1, run.output.numel() + 1, 3):
        place = run.place(at)
        patch = run.patch(*place)
        expected = patch.max() if kind == "max" else patch.mean()
        assert run.output[place].item() == pytest.approx(expected.item(), abs=1e-3)
    for figure in run.draw(["output", "window"], {}).charts.values():
        assert_plotly_takes(figure)


def test_pooled_images_change_less_when_a_digit_moves() -> None:
    images = torch.stack([digit_image(digit, example) for digit in range(10) for example in range(10)])
    moved = torch.roll(images, 1, dims=2)

    def change(window: int) -> float:
        one, two = (functional.max_pool2d(each[:, None], window) for each in (images, moved))
        return float((one - two).norm() / one.norm())

    assert change(1) > change(2) > change(4)


AXES = [
    Axis(size, window, stride, padding, dilation)
    for size, window, stride, padding, dilation in itertools.product(
        (1, 5, 28), (1, 2, 5), (1, 2, 3), (0, 2), (1, 3)
    )
    if size + 2 * padding > dilation * (window - 1)
]  # fmt: skip


def test_size_is_torchs_for_every_axis() -> None:
    assert [axis.out for axis in AXES] == [size_by_torch(axis) for axis in AXES]
    assert len(AXES) > 60


def test_unread_pixels_are_those_whose_gradient_is_zero() -> None:
    for axis in AXES:
        row = torch.zeros(1, 1, axis.size, requires_grad=True)
        out = functional.conv1d(row, torch.ones(1, 1, axis.window), None, axis.stride, axis.padding, axis.dilation)
        out.sum().backward()
        assert row.grad is not None
        assert axis.unread() == torch.nonzero(row.grad[0, 0] == 0).flatten().tolist()


def test_no_number_depends_on_more_pixels_than_the_image_has() -> None:
    """With the padding a receptive field can be larger than a small image."""
    for size in (8, 16, 28):
        note = chain.draw_chain(chain.ChainConfig(size=size)).note
        assert ("depends on 16 × 16 pixels" in note) == (size >= 16)
        assert (f"larger than the first image ({size} × {size}" in note) == (size < 16)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (SizesConfig(), "becomes **28 × 28**"),
        (SizesConfig(padding=0), "becomes **24 × 24**"),
        (SizesConfig(window=2, stride=2, padding=0), "becomes **14 × 14**"),
        (SizesConfig(stride=3, padding=0), "the last 2 columns and rows of the image are left out"),
        (SizesConfig(window=2, stride=3, padding=0, size=9), "the last column and the last row of the image"),
        (SizesConfig(stride=2), "No image pixel is lost"),
        (SizesConfig(window=2, stride=4, padding=0), "The windows leave gaps: 12 of the 28 pixels of each row"),
    ],
)
def test_note_says_the_size_and_what_is_lost(config: SizesConfig, words: str) -> None:
    note = draw_sizes(config).note
    assert words in note
    assert ("does not divide evenly" in note) == (
        (config.size + 2 * config.padding - config.window) % config.stride > 0
    )


def test_a_window_that_does_not_fit_is_refused_as_torch_refuses_it() -> None:
    config = SizesConfig(size=4, window=7, padding=0)
    with pytest.raises(ValueError, match="spans 7 pixels, but with the padding there are only 4"):
        draw_sizes(config)
    with pytest.raises(RuntimeError):
        size_by_torch(Axis(4, 7))


def built(size: int, channels: int, layers: list[chain.Layer]) -> tuple[nn.Sequential, list[torch.Size]]:
    """The chain in torch's own layers, and the shape behind each for an image."""
    made: list[nn.Module] = []
    for layer in layers:
        if layer.kind == "conv":
            made.append(nn.Conv2d(channels, layer.maps, layer.window, layer.stride, layer.pad, layer.dilation))
            channels = layer.maps
        else:
            made.append(nn.MaxPool2d(layer.window, layer.stride, layer.pad, layer.dilation))
    model, x = nn.Sequential(*made), torch.rand(1, made[0].in_channels if isinstance(made[0], nn.Conv2d) else channels,
                                                size, size)  # fmt: skip
    shapes = [x.shape]
    for module in model:
        x = module(x)
        shapes.append(x.shape)
    return model, shapes


CHAINS = [each for each in experiments(LESSONS["convolution"]) if each.bench is chain.LAB]


@pytest.mark.parametrize("experiment", CHAINS, ids=lambda each: each.id)
def test_chains_have_torchs_shapes_and_parameters(experiment: Any) -> None:
    config = experiment.config
    layers = chain.read_layers(config.layers)
    if experiment.id == "pooled-too-often":
        with pytest.raises(
            ValueError, match=r"Layer 5, “pool 2”: The window spans 2 pixels, but with the padding there is only one\."
        ):
            chain.draw_chain(config)
        return
    model, shapes = built(config.size, config.channels, layers)
    found = chain.passes(config.size, config.channels, layers)
    assert [(1, each.maps, each.side, each.side) for each in found] == [tuple(shape) for shape in shapes]
    assert sum(each.parameters for each in found) == sum(each.numel() for each in model.parameters())
    assert_plotly_takes(chain.draw_chain(config).charts["chain"])


def test_the_tutorials_chain() -> None:
    sheet = chain.draw_chain(chain.ChainConfig())
    assert "32 × 7 × 7 = **1,568 numbers**" in sheet.note and "**13,248 parameters**" in sheet.note
    assert [row[3] for row in sheet.tables[0].rows] == ["16 × 28 × 28", "16 × 14 × 14", "32 × 14 × 14", "32 × 7 × 7"]


def test_three_small_windows_have_fewer_parameters_than_a_large_one_that_sees_as_much() -> None:
    small, large = (
        chain.draw_chain(each.config)
        for each in CHAINS
        if each.id in ("three-small-for-one-large", "one-large-for-three-small")
    )
    assert "**6,960 parameters**" in small.note and "**12,560 parameters**" in large.note
    assert all("depends on 7 × 7 pixels" in sheet.note for sheet in (small, large))


def test_the_receptive_field_is_where_the_gradient_is_not_zero() -> None:
    for text in (chain.TUTORIAL, "conv 3; conv 3; conv 3", "conv 3 dilation 2; pool 3 stride 2; conv 5 stride 2"):
        layers = chain.read_layers(text)
        found = chain.passes(64, 1, layers)
        row = torch.zeros(1, 1, 64, dtype=torch.float64, requires_grad=True)
        x: Tensor = row
        for layer in layers:
            weight = torch.ones(1, 1, layer.window, dtype=torch.float64)
            x = functional.conv1d(x, weight, None, layer.stride, layer.pad, layer.dilation)
        x[0, 0, x.shape[-1] // 2].backward()
        assert row.grad is not None
        reached = torch.nonzero(row.grad[0, 0]).flatten()
        assert int(reached.max() - reached.min()) + 1 == found[-1].field


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "you typed 0"), ("; ".join(["pool 1"] * 9), "you typed 9"), ("dense 10", "not a layer"),
     ("conv", "not a layer"), ("conv 0", "window must be 1"), ("conv 3 maps 9999", "maps must be 1 to 512"),
     ("pool 2 maps 3", "Delete “maps”"), ("pool 2 pad 2", "half its window"), ("pool 16", "window must be 1 to 15"),
     ("conv 5 pad 2 maps 16 <b>", "not a layer"), ("conv 9; conv 15; conv 15", "Layer 3")],
)  # fmt: skip
def test_an_invalid_chain_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        chain.draw_chain(chain.ChainConfig(layers=text))


def test_edited_cells_become_the_students_own_kernel() -> None:
    text = kernel_text("sharpen", "", 3, 0)
    cells = edited_cells({0: {"1": 7.5}, 2: {"2": None}})
    config = with_kernel_cells(SlideConfig(kernel="sharpen"), text, cells)
    assert config.kernel == "own"
    assert kernel_of(config).tolist() == [[0, 7.5, 0], [-1, 5, -1], [0, -1, 0]]
    row = with_kernel_cells(SlideConfig(kernel="own", cells="-1 1"), "-1 1", edited_cells({0: {"0": 3.0}}))
    assert kernel_of(row).tolist() == [[3, 1]]


def test_bytes_of_images_keep_zero_and_sign_and_hide_pixels_not_shown_yet() -> None:
    assert images.signed(np.array([-8.0, -4, 0, 4, 8]), 8.0).tolist() == [1, 64, 128, 192, 255]
    assert images.ink(np.array([0.0, 51, 255])).tolist() == [0, 51, 255]
    assert images.uncovered(np.array([[0, 5], [9, 9]], np.uint8), 3).tolist() == [[1, 5], [9, 0]]
    wide = images.pixels(np.full((1, 3), 7, np.uint8), images.SIGNED)["maps"]
    assert wide["side"] == 3 and wide["values"].tolist() == [7, 7, 7] + [128] * 6


def test_windows_are_drawn_over_the_pixels_they_read() -> None:
    figure = sizes.windows(5, 1, [-1, 2], [0, 1, 2], [])
    line = next(trace for trace in figure["data"] if trace["name"] == "Windows")
    spans = [(line["x"][at], line["x"][at + 1]) for at in (0, 3)]
    assert spans == [(-1.5, 1.5), (1.5, 4.5)], "pixel 0 goes from -0.5 to 0.5"


def test_prose_has_the_tutorials_layers_and_they_run() -> None:
    text = (Path(slide.__file__).parent / "prose.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    printed: list[Any] = []
    exec(code, {"print": printed.append})
    assert printed == [torch.Size([50, 32, 7, 7])] and "torch.Size([50, 32, 7, 7])" in code
    assert pooling.pool(torch.rand(28, 28), "max", 5, 5).shape == (5, 5)
