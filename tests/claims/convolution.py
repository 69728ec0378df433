"""What the lesson Convolution says, as rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.experiments import experiments
from playground.figures import images
from playground.lessons import LESSONS
from playground.lessons.convolution import chain, pooling, sizes, slide
from playground.settings import Settings
from tests.claims.claims import Claims

CLAIMS = Claims("convolution")
of, says = CLAIMS.of, CLAIMS.says
EXPERIMENTS = {each.id: each.config for each in experiments(LESSONS["convolution"])}


# Convolution


def convolved(config: Any, **values: Any) -> Any:
    return slide.SlideRun(config.with_values(**values), Settings())


@of("vertical-edges", "Where all pixels are equal it is 0.")
def _(config: Any) -> None:
    run = convolved(config)
    run.advance(60.0, 10_000)
    place = run.place(run.steps)
    assert abs(run.output[place]) == run.output.abs().max() > 0
    assert run.output[0, 0] == 0 and run.patch(0, 0).unique().numel() == 1, "equal pixels give 0"


@of(
    "horizontal-edges",
    "The same weights, turned by 90 degrees.",
    "The upper and the lower edge of each horizontal stroke, with opposite signs.",
)
def _(config: Any) -> None:
    run, vertical = convolved(config), convolved(config, kernel="vertical")
    assert torch.equal(run.kernel, vertical.kernel.T), "turned by 90 degrees, or mirrored at the diagonal"
    assert run.output.max() > 1000 and run.output.min() < -1000, "edges of opposite signs"


@of(
    "sharpen",
    "5 in the middle and −1 around it: the weights add up to 1.",
    "Areas of one grey keep their value, and edges are exaggerated: numbers up to 704, where no pixel is above 255.",
)
def _(config: Any) -> None:
    run = convolved(config)
    assert run.kernel.sum() == 1 and run.output.max() == 704 > run.image.max()


@of(
    "outline",
    "8 in the middle and −1 around it: the weights add up to 0.",
    "Only changes are left, in every direction: blue inside the stroke, orange just outside it.",
)
def _(config: Any) -> None:
    run = convolved(config)
    inside = run.image[1:-1, 1:-1] > 200
    assert run.kernel.sum() == 0 and run.output[inside].mean() > 0 > run.output[run.image[1:-1, 1:-1] == 0].mean()


@of(
    "emboss",
    "Negative weights at the upper left, positive ones at the lower right.",
    "Edges have a sign by their direction, as if light came from one corner.",
    "The weights add up to 1, so areas keep their value.",
)
def _(config: Any) -> None:
    kernel = slide.kernel_of(config)
    assert kernel.sum() == 1 and (kernel[0, :2] < 0).all() and (kernel[2, 1:] > 0).all()
    assert kernel[0, 0] == -kernel[2, 2]


@of(
    "one-row-only",
    "A kernel with one row and two weights, −1 and 1.",
    "The output is the difference of two neighbours: blue where a stroke begins, orange where it ends.",
)
def _(config: Any) -> None:
    run = convolved(config)
    assert torch.equal(run.output, run.image[:, 1:] - run.image[:, :-1])


@of(
    "kernel-that-does-nothing",
    "A 1 in the middle, and 0 everywhere else.",
    "The output is the digit without its border.",
    "Set the padding to 1: now it is complete.",
)
def _(config: Any) -> None:
    run = convolved(config)
    assert torch.equal(run.output, run.image[1:-1, 1:-1])
    assert torch.equal(convolved(config, padding=1).output, run.image)


@of(
    "move-the-one",
    "Now the 1 is at the top left of the kernel.",
    "output(r, c) = input(r − 1, c − 1): the digit moves down and to the right.",
)
def _(config: Any) -> None:
    run = convolved(config)
    assert torch.equal(run.output[1:, 1:], run.image[:-1, :-1]), "down and to the right"


@of(
    "blur",
    "All weights are positive and add up to 1.",
    "Each pixel becomes an average of its neighbours.",
    "Now choose “Sharpen” and “Outline”: the whole output changes at once.",
)
def _(config: Any) -> None:
    kernel = slide.kernel_of(config)
    assert (kernel > 0).all() and kernel.sum() == 1
    run = convolved(config)
    run.advance(60.0, 10_000)
    before = run.output.clone()
    run.tune(config.with_values(kernel="sharpen"))
    assert run.outcome == "done" and not torch.equal(run.output, before), "the whole output changes at once"


@of("untrained", "Random weights, like those of a layer that has not learned anything yet: 5 × 5, as in the tutorial.")
def _(config: Any) -> None:
    outputs = [convolved(config, seed=seed).output for seed in range(5)]
    assert outputs[0].shape == (28, 28)
    assert all((each > 0).any() and (each < 0).any() for each in outputs), "edges: both signs"


@of(
    "stride-3",
    "The window jumps three pixels at a time.",
    "9 × 9.",
    "The stride does not divide evenly, so no window reads the dashed strips at the right and the bottom.",
)
def _(config: Any) -> None:
    run = convolved(config)
    assert run.output.shape == (9, 9) and len(slide.unused(run.rows, run.columns)) == 2


@of(
    "max-pooling",
    "The largest of each 2 × 2 pixels, as in the tutorial.",
    "Half the size, and the strokes stay strong.",
    "Choose “The average”: they fade.",
)
def _(config: Any) -> None:
    most, average = (
        pooling.PoolingRun(config.with_values(kind=kind), Settings()).output for kind in ("max", "average")
    )
    assert most.shape == (14, 14) and most.mean() > 1.2 * average.mean(), "the strokes stay strong, then fade"


def pooled(config: Any, **values: Any) -> Any:
    return pooling.PoolingRun(config.with_values(**values), Settings()).output


@of(
    "average-pooling",
    "The average of each 2 × 2 pixels.",
    "At their edges, where background and ink are mixed.",
    "The largest pixel would ignore the background.",
)
def _(config: Any) -> None:
    most, average = pooled(config, kind="max"), pooled(config)
    assert (average <= most).all() and (average[most > 250] < 200).any(), "weaker at the edges"


@of(
    "overlapping-windows",
    "Windows of 3 × 3, two pixels apart: neighbours share a row or a column.",
    "13 × 13, and the strokes get thicker: one strong pixel may be the largest of four windows.",
)
def _(config: Any) -> None:
    assert (
        pooled(config).shape == (13, 13)
        and (pooled(config) > 128).float().mean() > (pooled(config, window=2, stride=0) > 128).float().mean()
    ), "thicker"


@of(
    "seven-numbers-a-row",
    "One number for each 4 × 4 pixels.",
    "7 × 7 numbers, the size after the tutorial’s two poolings.",
)
def _(config: Any) -> None:
    assert pooled(config).shape == (7, 7)


@of(
    "window-that-does-not-fit",
    "28 is no multiple of 5.",
    "5 × 5 numbers: no window reads the last three rows and columns (dashed), and PyTorch does not say so.",
)
def _(config: Any) -> None:
    assert pooled(config).shape == (5, 5) and pooling.Axis(28, 5, 5).unread() == [25, 26, 27]


@of("28-stays-28", "A 5 × 5 window with padding 2, as in the tutorial.", "Which padding does a window of 7 need?")
def _(config: Any) -> None:
    assert "becomes **28 × 28**" in sizes.draw_sizes(config).note
    fits = [
        p for p in range(9) if "becomes **28 × 28**" in sizes.draw_sizes(config.with_values(window=7, padding=p)).note
    ]
    assert fits == [3]


def axis_of(config: Any, **values: Any) -> Any:
    changed = config.with_values(**values)
    return sizes.Axis(changed.size, changed.window, changed.stride, changed.padding, changed.dilation)


@of("no-padding", "At pixel 0, so 24 windows fit: each layer of 5 × 5 without padding takes four pixels away.")
def _(config: Any) -> None:
    assert axis_of(config).out == 24 and axis_of(config).starts()[0] == 0


@of(
    "half-the-size",
    "The tutorial’s pooling: windows of 2, stride 2.",
    "14 windows side by side, and each pixel is read once.",
    "With an image of 27 the last pixel is left out.",
)
def _(config: Any) -> None:
    assert axis_of(config).out == 14 and axis_of(config).unread() == [] and axis_of(config, size=27).unread() == [26]


@of("stride-that-does-not-fit", "Windows of 5, stride 3.", "No: the last two are left out.")
def _(config: Any) -> None:
    assert axis_of(config).unread() == [26, 27]
    assert any(axis_of(config, padding=padding).rest == 0 for padding in range(4))
    assert any(axis_of(config, size=size).rest == 0 for size in (26, 29))


@of(
    "only-padding-is-lost",
    "Padding 2 and stride 2: again the stride does not divide evenly.",
    "Half the size, and no pixel of the image is lost: the rest is one column of padding.",
)
def _(config: Any) -> None:
    assert axis_of(config).out == 14 and axis_of(config).rest == 1 and axis_of(config).unread() == []


@of(
    "dilation",
    "Three pixels, three apart.",
    "A window of 3 spans 7 pixels and has only three weights.",
    "The windows beside it read what it skips.",
)
def _(config: Any) -> None:
    assert axis_of(config).span == 7 and axis_of(config).window == 3 and axis_of(config).unread() == []


@of(
    "windows-with-gaps",
    "A stride larger than the window.",
    "Between the windows are gaps: 12 of the 28 pixels are never read, and another two are lost at the end.",
)
def _(config: Any) -> None:
    unread = axis_of(config).unread()
    assert len(unread) == 14 and unread[-2:] == [26, 27] and "12 of the 28 pixels" in sizes.draw_sizes(config).note


@of(
    "window-that-is-too-large",
    "An image of 4 × 4, and a window of 7.",
    "There is no place for it, so there is no output.",
)
def _(config: Any) -> None:
    for padding, fits in ((0, False), (1, False), (2, True)):
        assert (axis_of(config, padding=padding).room >= 0) is fits


def sizes_of_images(config: Any, layers: str = "") -> list[str]:
    """The size of each layer's output, as in the table."""
    sheet = chain.draw_chain(config.with_values(layers=layers) if layers else config)
    return [row[3] for row in sheet.tables[0].rows]


@of(
    "tutorial-sizes",
    "From the image through two convolutions and two poolings.",
    "28, 28, 14, 14, 7, and a vector of 1,568 numbers at the end.",
    "Delete both `pad 2`, and see what remains.",
)
def _(config: Any) -> None:
    assert sizes_of_images(config) == ["16 × 28 × 28", "16 × 14 × 14", "32 × 14 × 14", "32 × 7 × 7"]
    assert "**1,568 numbers**" in chain.draw_chain(config).note
    assert sizes_of_images(config, config.layers.replace(" pad 2", ""))[-1] == "32 × 4 × 4"


@of(
    "three-small-for-one-large",
    "Together they see 7 × 7 pixels, as one 7 × 7 window does.",
    "The three have 6,960.",
    "Now type `conv 7 pad 3 maps 16` as the only layer: nearly twice as many.",
)
def _(config: Any) -> None:
    small, large = (
        chain.draw_chain(config).note,
        chain.draw_chain(config.with_values(layers="conv 7 pad 3 maps 16")).note,
    )
    assert "depends on 7 × 7" in small and "depends on 7 × 7" in large
    assert "**6,960 parameters**" in small and "**12,560 parameters**" in large


@of(
    "without-padding",
    "The same layers without padding.",
    "512 instead of 1,568.",
    "Each number still depends on 16 × 16 pixels, and the parameters are the same.",
)
def _(config: Any) -> None:
    padded, bare = (chain.draw_chain(each).note for each in (chain.ChainConfig(), config))
    assert "**512 numbers**" in bare and "**1,568 numbers**" in padded
    assert all("16 × 16 pixels" in note and "**13,248 parameters**" in note for note in (padded, bare))


@of(
    "one-large-for-three-small",
    "One window of 7 × 7 in place of three of 3 × 3.",
    "12,560 parameters for the same 7 × 7 pixels, and room for one activation instead of three.",
)
def _(config: Any) -> None:
    note = chain.draw_chain(config).note
    assert "**12,560 parameters**" in note and "7 × 7 pixels" in note


@of(
    "strides-instead-of-pooling",
    "Two layers with stride 2 in place of convolution and pooling.",
    "The same 1,568 numbers and 13,248 parameters, but each number now depends on 13 × 13 pixels instead of 16 × 16.",
)
def _(config: Any) -> None:
    note = chain.draw_chain(config).note
    assert "**1,568 numbers**" in note and "**13,248 parameters**" in note and "13 × 13 pixels" in note


@of("lenet-5", "The last image is 1 × 1: each of its 120 numbers depends on the whole image.")
def _(config: Any) -> None:
    note = chain.draw_chain(config).note
    assert config.size == 32 and "120 × 1 × 1" in note and "32 × 32 pixels" in note
    with pytest.raises(ValueError, match="The window spans"):
        chain.draw_chain(config.with_values(size=28))


@of("pooled-too-often", "One pixel is left after four, so the fifth has nothing to choose from.", "Delete one pooling.")
def _(config: Any) -> None:
    with pytest.raises(ValueError, match="only one"):
        chain.draw_chain(config)


def digit_run() -> Any:
    return convolved(EXPERIMENTS["vertical-edges"])


@says(
    "The window has a weight for each pixel under it: the kernel.",
    "Multiply each pixel by its weight, add the products, and write the sum as one number of the output.",
)
@of("vertical-edges", "At each place: multiply, add up, write one number.")
def _(config: Any = None) -> None:
    run = digit_run()
    r, c = 12, 9
    window = run.image[r : r + 3, c : c + 3]
    assert run.output[r, c].item() == (window * run.kernel).sum().item()


@says(
    "That is all a convolutional layer computes, except that it learns the weights, adds a bias, and uses many kernels at once, and each kernel produces its own image, a feature map."
)
def _() -> None:
    layer, image = nn.Conv2d(1, 4, 3), torch.randn(1, 1, 8, 8)
    maps = layer(image)
    assert maps.shape == (1, 4, 6, 6)
    by_hand = (image[0, 0, 2:5, 3:6] * layer.weight[1, 0]).sum() + layer.bias[1]  # type: ignore[index]
    torch.testing.assert_close(maps[0, 1, 2, 3], by_hand)


@says("The same weights are used everywhere, so an edge is found anywhere.")
def _() -> None:
    layer, image = nn.Conv2d(1, 1, 3, bias=False), torch.zeros(1, 1, 20, 20)
    image[0, 0, 4:8, 4:8] = torch.randn(4, 4)
    moved = image.roll((5, 3), dims=(2, 3))
    torch.testing.assert_close(layer(image)[0, 0, :10, :10], layer(moved)[0, 0, 5:15, 3:13])


@says(
    "A 5 × 5 kernel has 25 weights for an image of any size, but one unit connected to all 784 pixels of a digit has 784."
)
def _() -> None:
    assert nn.Conv2d(1, 1, 5, bias=False).weight.numel() == 25
    assert nn.Linear(784, 1, bias=False).weight.numel() == 784


@says("Pooling then makes the map smaller: from each window it keeps the largest number, or the average.")
def _() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])
    assert nn.functional.max_pool2d(x, 2).item() == 6
    assert nn.functional.avg_pool2d(x, 2).item() == 3


@says("Its CNN has two convolutions of 5 × 5 and two poolings of 2 × 2.")
def _() -> None:
    assert chain.ChainConfig().layers.count("conv 5") == 2
    assert chain.ChainConfig().layers.count("pool") == 2


@of("vertical-edges", "A window of nine weights moves over the digit.")
def _(config: Any) -> None:
    assert convolved(config).kernel.numel() == 9


@of("untrained", "Many of these kernels already find some edge.")
def _(config: Any) -> None:
    """An edge: the kernel answers a step of brightness more strongly than an area of one grey."""
    found = 0
    for seed in range(20):
        kernel = convolved(config, seed=seed).kernel
        steps = [
            (kernel * torch.where(torch.arange(5) < 3, sign, 0.0)).sum()
            - (kernel * torch.where(torch.arange(5) < 3, 0.0, sign)).sum()
            for sign in (1.0,)
        ]
        found += abs(float(steps[0])) > abs(float(kernel.sum()))
    assert found >= 8


@of("no-padding", "The same window without padding.")
def _(config: Any) -> None:
    assert (config.window, config.padding) == (5, 0)


@says(
    "Pixels here are numbers from 0, the background, to 255, full ink, so that you can check the sums; rows and columns count from 0.",
    "An output can be negative, and larger than any pixel.",
)
def _() -> None:
    run = convolved(EXPERIMENTS["sharpen"])
    assert (float(run.image.min()), float(run.image.max())) == (0, pytest.approx(255, abs=3))
    assert float(run.output.min()) < 0
    assert float(run.output.max()) > 255


@says("A model usually gets them divided by 255; then every sum is divided by 255 too.")
def _() -> None:
    run = digit_run()
    small = nn.functional.conv2d(run.image[None, None] / 255, run.kernel[None, None])[0, 0]
    torch.testing.assert_close(small * 255, run.output, atol=1e-2, rtol=1e-4)


@says(
    "Kernels whose weights add up to 0 give 0 where all pixels are equal: they detect only changes.",
    "Those whose weights add up to 1 keep the brightness.",
)
def _() -> None:
    grey = torch.full((1, 1, 6, 6), 90.0)
    for name in ("vertical-edges", "outline", "sharpen", "blur"):
        kernel = convolved(EXPERIMENTS[name]).kernel
        answer = nn.functional.conv2d(grey, kernel[None, None])
        torch.testing.assert_close(answer, torch.full_like(answer, 90.0 * float(kernel.sum())))
        assert round(float(kernel.sum()), 4) in (0, 1)


@says(
    "PyTorch’s convolution does not flip the kernel; the mathematical convolution does.",
    "For learned weights this makes no difference.",
)
def _() -> None:
    image, kernel = torch.zeros(1, 1, 5, 5), torch.arange(9.0).reshape(1, 1, 3, 3)
    image[0, 0, 2, 2] = 1
    answer = nn.functional.conv2d(image, kernel, padding=1)[0, 0, 1:4, 1:4]
    assert torch.equal(answer, kernel[0, 0].flip(0, 1)), "it slides the kernel as it is"


@says("Padding is zeros, and so is the background of these digits: nothing shows at their border.")
def _() -> None:
    run = convolved(EXPERIMENTS["vertical-edges"], padding=1)
    assert float(run.output[0].abs().max()) == 0


@says("On a photograph a kernel finds an edge there.")
def _() -> None:
    photograph = torch.full((1, 1, 6, 6), 120.0)
    kernel = torch.tensor([[[[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]]]])
    answer = nn.functional.conv2d(photograph, kernel, padding=1)[0, 0]
    assert float(answer[:, 1:-1].abs().max()) == 0
    assert float(answer[:, 0].abs().min()) > 0


@says("If the stride does not divide evenly, PyTorch gives no message: it leaves out the last pixels.")
def _() -> None:
    assert nn.functional.conv2d(torch.zeros(1, 1, 28, 28), torch.zeros(1, 1, 5, 5), stride=3).shape[-1] == 8
    assert 28 - (7 * 3 + 5) == 2


@says(
    "Max pooling forgets where in its window the largest pixel was.",
    "Move a digit by one pixel, and its pooled image changes less than the digit itself: the larger the window, the less.",
)
def _() -> None:
    one, other = torch.zeros(2, 1, 1, 4, 4)
    one[0, 0, 0, 0] = other[0, 0, 1, 1] = 7
    assert torch.equal(nn.functional.max_pool2d(one, 2), nn.functional.max_pool2d(other, 2))
    digit = digit_run().image[None, None]
    moved = digit.roll(1, dims=3)
    changes = [
        float(
            (nn.functional.max_pool2d(digit, k) - nn.functional.max_pool2d(moved, k)).abs().mean()
            / nn.functional.max_pool2d(digit, k).mean()
        )
        for k in (1, 2, 4)
    ]
    assert changes[0] > changes[1] > changes[2]


@says(
    "24 × 24: ⌊(28 − 5) / 1⌋ + 1.",
    "Half of the kernel, rounded down, is lost at each side: 2 pixels on the left and 2 on the right.",
    "The answer to output-width: 24.",
)
def _() -> None:
    assert nn.Conv2d(1, 1, 5)(torch.zeros(1, 1, 28, 28)).shape[-2:] == (24, 24)
    assert (28 - 5) // 1 + 1 == 24


@says(
    "`nn.Conv2d(16, 32, 5)` has 32 · (16 · 5 · 5 + 1) = 12,832.",
    "The answer to conv-parameters: o * (i * k**2 + 1).",
    "Each of the o kernels has i · k · k weights and a bias.",
)
def _() -> None:
    assert sum(each.numel() for each in nn.Conv2d(16, 32, 5).parameters()) == 12_832


@says(
    "No. Only the feature maps grow.", "The answer to larger-image: No.", "It is the linear layer after it that grows."
)
def _() -> None:
    layer = nn.Conv2d(1, 16, 5)
    assert layer(torch.zeros(1, 1, 56, 56)).numel() > layer(torch.zeros(1, 1, 28, 28)).numel()
    assert sum(each.numel() for each in layer.parameters()) == 416
    assert nn.Linear(16 * 52 * 52, 10).weight.numel() > nn.Linear(16 * 24 * 24, 10).weight.numel()


@says(
    "(k − 1) / 2.",
    "A window of 3 needs 1 on each side, a window of 5 needs 2.",
    "The answer to same-size: (k - 1) / 2.",
)
def _() -> None:
    for k in (1, 3, 5, 7):
        assert nn.Conv2d(1, 1, k, padding=(k - 1) // 2)(torch.zeros(1, 1, 28, 28)).shape[-1] == 28


@says("5 × 5.", "The answer to pooled-width: 5.", "No window reads the last three rows and columns.")
def _() -> None:
    image = torch.zeros(1, 1, 28, 28)
    image[..., 25:, :] = image[..., :, 25:] = 9
    assert nn.functional.max_pool2d(image, 5).shape[-2:] == (5, 5)
    assert float(nn.functional.max_pool2d(image, 5).max()) == 0


@says(
    "The three: 3 · (16 · 16 · 9 + 16) = 6,960 against 16 · 16 · 49 + 16 = 12,560.",
    "The answer to three-or-one: The three of 3 × 3.",
    "Both see 7 × 7 pixels.",
    "Three times 9 is less.",
    "One layer, but 49 weights for each pair of maps.",
)
def _() -> None:
    small = nn.Sequential(*(nn.Conv2d(16, 16, 3, padding=1) for _ in range(3)))
    large = nn.Conv2d(16, 16, 7, padding=3)
    assert [sum(each.numel() for each in part.parameters()) for part in (small, large)] == [6_960, 12_560]
    image = torch.zeros(1, 16, 21, 21, requires_grad=True)
    reached = torch.autograd.grad(small(image)[0, :, 10, 10].sum(), image)[0].abs().sum(dim=(0, 1)) > 0
    assert [int(reached.any(dim=each).sum()) for each in (0, 1)] == [7, 7]


@says("Nothing: it is a blur, the average of 9 pixels.", "The answer to ninths: Nothing: it blurs.")
def _() -> None:
    image = torch.randn(1, 1, 6, 6)
    torch.testing.assert_close(
        nn.functional.conv2d(image, torch.full((1, 1, 3, 3), 1 / 9)), nn.functional.avg_pool2d(image, 3, 1)
    )


@says("The tutorial’s two blocks of layers, and their shapes.")
def _() -> None:
    code = LESSONS["convolution"].prose["In PyTorch"].split("```python\n")[1].split("```")[0]
    exec(code, {"print": lambda *values: None})


@of("lenet-5", "A model of 1998 that read the digits on cheques, for images of 32 × 32.")
def _(config: Any) -> None:
    assert config.size == 32 and config.layers == "conv 5 maps 6; pool 2; conv 5 maps 16; pool 2; conv 5 maps 120"


@of("vertical-edges", "Click on a number of the output, on an edge and then in the background, and check the sum.")
def _(config: Any) -> None:
    run = convolved(config)
    for r, c in ((12, 9), (0, 0)):
        assert run.output[r, c].item() == (run.image[r : r + 3, c : c + 3] * run.kernel).sum().item()


@says("The colour shows the sign; the strongest colour is the output’s largest absolute value.")
def _() -> None:
    largest = digit_run().output.abs().max()
    low, none, high = images.signed(np.array([[-float(largest), 0.0, float(largest)]]), float(largest))[0]
    assert int(high) - int(none) == int(none) - int(low) > 100


@says("Write it as a formula of i, o and k.")
def _() -> None:
    for i, o, k in ((1, 16, 5), (3, 8, 3)):
        assert sum(each.numel() for each in nn.Conv2d(i, o, k).parameters()) == o * (i * k**2 + 1)


@says("That is with stride 1.", "Pooling moves by its whole window.")
def _() -> None:
    image = torch.zeros(1, 1, 28, 28)
    assert nn.functional.max_pool2d(image, 5, stride=1).shape[-1] == 24
    assert nn.MaxPool2d(5).stride == 5
