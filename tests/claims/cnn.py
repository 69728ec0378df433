"""What the lesson CNN says, as rules: each holds with one, two and four threads."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.engine.commands import Pick, Slide
from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.cnn.attribution import Occlusion, fgsm, saliency
from playground.lessons.cnn.charts import anatomy, window
from playground.lessons.cnn.charts.projection import Projection, activations, embed, projected, sample
from playground.lessons.cnn.charts.shift_test import ShiftTest, plain_model, shifted
from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.drawing.drawing import SLIDERS, PadDrawing
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.lesson import build
from playground.lessons.cnn.model import convolutions, frozen, scaled
from playground.lessons.cnn.run import CnnRun
from tests.claims.claims import Claims

CLAIMS = Claims("cnn", threads=(1, 2, 4))
of, says = CLAIMS.of, CLAIMS.says
TUTORIAL = CnnConfig()
EXPERIMENTS = {each.id: each.config for each in experiments(LESSONS["cnn"])}


def trained(config: CnnConfig) -> CnnRun:
    """The run at its end, with the threads of this test."""
    return _trained(config, torch.get_num_threads())


@lru_cache(maxsize=24)
@torch.enable_grad()
def _trained(config: CnnConfig, threads: int) -> CnnRun:
    run = build(config)
    run.use_threads(threads)
    while not run.outcome:
        run.advance(60.0, 50)
    return run


@torch.no_grad()
def status(config: CnnConfig) -> dict[str, float]:
    run = trained(config)
    return run.status(run.view())


def all_test_images(config: CnnConfig) -> float:
    return status(config)["full_accuracy"]


@of(
    "tutorial",
    "One epoch in batches of 50.",
    "90 % of the test images take fewer than 300 steps, 98 % several hundred more.",
    is_long=True,
)
@of("back-in-time", "Drag along the strip: the same image and the same filters, earlier.", is_long=True)
def _(config: CnnConfig) -> None:
    run = trained(config)
    steps, sample_accuracy = run.history.steps(), run.history.column("test_accuracy")
    ninety, ninety_eight = (steps[np.nan_to_num(sample_accuracy) >= share].min() for share in (0.9, 0.98))
    assert ninety < 300 < ninety_eight < 1200
    assert run.steps == 1200 and 0.976 < all_test_images(config) < 0.986
    figure = anatomy.times(run.frame_context())
    assert len(figure["maps"][0]["values"]) > 25, "earlier steps"  # type: ignore[index,literal-required]


@of(
    "fast",
    "The rate rises to ten times the tutorial's, then falls to almost nothing: 98 % with a third of the images.",
    is_long=True,
)
def _(config: CnnConfig) -> None:
    assert config.images == 20_000 and all_test_images(config) > 0.98


@of("filter-born", "One layer of four large filters.", is_long=True)
def _(config: CnnConfig) -> None:
    run = trained(config)
    first, last = build(config), run
    moved = [convolutions(each.model)[0].weight.detach() for each in (first, last)]
    assert (moved[1] - moved[0]).norm() > 0.5 * moved[0].norm() and all_test_images(config) > 0.88


@of(
    "linear",
    "Convolution, average pooling and a linear layer together are one linear function of the pixels.",
    "About 90 %.",
    "Choose ReLU as the activation in All settings, and play again: about 95 %.",
    is_long=True,
)
def _(config: CnnConfig) -> None:
    run = trained(config)
    x = scaled(run.digits.x_test[:2])
    with torch.no_grad():
        zero, one, two, both = (run.model(each)[0] for each in (0 * x[:1], x[:1], x[1:], x[:1] + x[1:]))
    torch.testing.assert_close(one + two - zero, both, rtol=1e-3, atol=1e-3, msg="one linear function")
    assert 0.88 < all_test_images(config) < 0.92
    assert 0.94 < all_test_images(config.with_values(activation="relu")) < 0.96


@of(
    "one-pixel",
    "About 12 % of the test images, beside a window of 5.",
    "Set the kernel size to 3 in All settings, and play again: small windows already see edges.",
    is_long=True,
)
def _(config: CnnConfig) -> None:
    five, three = (all_test_images(config.with_values(kernel=side)) for side in (5, 3))
    assert 0.1 < five - all_test_images(config) < 0.14 and five - three < 0.02


@of(
    "too-fast",
    "A hundred times the tutorial's learning rate.",
    "The loss stays at that of guessing, 2.3.",
    "In the ReLU rows, maps that stay blank for every image are dead.",
    is_long=True,
)
def _(config: CnnConfig) -> None:
    run = trained(config)
    assert config.lr == 100 * CnnConfig().lr and abs(status(config)["loss"] - np.log(10)) < 0.1
    x = scaled(run.digits.x_test[:200])
    dead = []
    with torch.no_grad():
        for module in run.model:
            x = module(x)
            if isinstance(module, torch.nn.ReLU):
                dead.append(int((x.amax(dim=(0, 2, 3)) == 0).sum()))
        assert "are blank" in run.narrate(run.view())
    assert min(dead) > 0


@of(
    "fifty-images",
    "A model with 28,938 parameters learns 50 images.",
    "The training accuracy reaches 100 %, the test accuracy does not follow: it has learned its images by heart.",
    is_long=True,
)
def _(config: CnnConfig) -> None:
    assert status(config)["accuracy"] == 1.0 and all_test_images(config) < 0.8
    assert trained(config).parameter_count == 28_938


@of("more-from-200", "The test accuracy ends several percent higher.", is_long=True)
def _(config: CnnConfig) -> None:
    assert all_test_images(config) > all_test_images(config.with_values(shift=0.0, turn=0.0)) + 0.03


@of(
    "200-images",
    "Four times as many images.",
    "The training accuracy is almost 100 % again; of the test images, nearly one in five is read wrong.",
    is_long=True,
)
def _(config: CnnConfig) -> None:
    assert status(config)["accuracy"] > 0.99 and 0.79 < all_test_images(config) < 0.84


@of(
    "small",
    "4 and 8 filters instead of 16 and 32, and 2,000 images, five times.",
    "Almost 90 % of the test images, in a few seconds.",
)
def _(config: CnnConfig) -> None:
    run = trained(config)
    assert 5.5 < build(CnnConfig()).parameter_count / run.parameter_count < 6.5, "a sixth of the parameters"
    assert 0.87 < all_test_images(config) < 0.91


@of("heaps", "Each point is a test image as the linear layer gets it.", is_long=True)
@torch.no_grad()
def _(config: CnnConfig) -> None:
    def separation(run: CnnRun) -> float:
        """The spread between the digits' middles as a share of all spread."""
        frame = run.frame_context()
        at, labels = projected(frame, Projection()), sample(frame)[1]
        middles = np.stack([at[labels == digit].mean(axis=0) for digit in range(10)])
        return float(middles[labels].var(axis=0).sum() / at.var(axis=0).sum())

    assert 1 - separation(trained(config)) < 0.8 * (1 - separation(build(config))), "the digits are less mixed"


@of(
    "draw",
    "Open “How it becomes an input”, switch off “Crop” and “20 × 20”, and draw a small 3 in a corner: a digit unlike any that the model was trained on.",
    is_long=True,
)
@torch.no_grad()
def _(config: CnnConfig) -> None:
    run = trained(config)
    three = scaled(run.digits.x_test[run.digits.y_test == 3][:50])
    small = torch.zeros_like(three)
    small[:, :, 17:27, 17:27] = torch.nn.functional.interpolate(three, 10, mode="area")  # in a corner
    right = [float((run.model(each).argmax(dim=1) == 3).float().mean()) for each in (three, small)]
    assert right[0] > 0.9 and right[1] < 0.5


@of("three-into-eight", "With “Ten small steps” a smaller ε is enough.", is_long=True)
def _(config: CnnConfig) -> None:
    run = trained(config)
    model, x = frozen(run.model), scaled(run.digits.x_test[config.image][None])
    assert int(run.digits.y_test[config.image]) == 3 and int(model(x).argmax()) == 3
    epsilon = next(slider for slider in SLIDERS if slider.name == "epsilon")

    def least(steps: int) -> float:
        for at in np.arange(epsilon.step, epsilon.hi, epsilon.step):
            if int(model(fgsm(model, x, 8, float(at), steps)).argmax()) == 8:
                return float(at)
        return np.inf

    assert 0.05 < least(10) < least(1) < epsilon.hi


@says(
    "Shifted by a pixel or two, the convolutional model loses about half as much accuracy as the fully connected one; from three on both lose it fast.",
    is_long=True,
)
def _() -> None:
    run = trained(EXPERIMENTS["shift"])
    with torch.no_grad():
        test: Any = ShiftTest(run.frame_context())
    test.advance(600.0)
    cnn, plain = test.accuracies
    for pixels in (1, 2):
        assert cnn[0] - cnn[pixels] < 0.65 * (plain[0] - plain[pixels]), "loses about half as much"
    assert max(cnn[4], plain[4]) < 0.55, "from three on both lose it fast"


def layers() -> tuple[nn.Conv2d, nn.Conv2d, nn.Linear]:
    model = build(TUTORIAL).model
    first, second = convolutions(model)
    return first, second, next(each for each in model if isinstance(each, nn.Linear))


def count(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


@says(
    "A filter has only 25 weights (in the first layer; 400 in the second), but it is used at every place, so an edge that was learned in one corner is found in all.",
    "16 filters of 1·5·5 weights and a bias each: 416.",
    "The answer to first-layer: 416.",
    "32 filters with 5·5 weights for each of the 16 input maps, and a bias each: 32 · (16·25 + 1) = 12,832.",
    "A filter has a window of 5 × 5 in each of the 16 input maps, and one bias.",
    "It reads all 16.",
    "It makes 16 maps of one image, with windows of 5 × 5.",
    "The answer to second-layer: 12832.",
)
def _() -> None:
    first, second, _ = layers()
    assert (first.weight[0].numel(), second.weight[0].numel()) == (25, 400)
    assert (count(first), count(second)) == (416, 12_832)


@says(
    "The result is flattened into one long vector, and a linear layer turns it into ten logits.",
    "The model here is the one of the Chinese PyTorch tutorial that these lessons bring to life (“the tutorial” from here on): 16 filters, then 32, then a linear layer from 1,568 numbers to 10.",
    "It has 28,938 parameters, and more than half of them are in the linear layer.",
    "28 pixels become 14 and then 7 by pooling; 32 maps of 7·7 are 1,568 numbers.",
    "The 32 maps begin with 28 × 28 pixels and are pooled twice, by 2.",
    "The answer to flattened: 1568.",
)
def _() -> None:
    first, second, linear = layers()
    assert (first.out_channels, second.out_channels, linear.in_features, linear.out_features) == (16, 32, 1_568, 10)
    assert 32 * 7 * 7 == 1_568
    assert build(TUTORIAL).parameter_count == 28_938
    assert 2 * count(linear) > 28_938


@says("One pass over the 60,000 training images is enough for about 98 % of the test images.", is_long=True)
def _() -> None:
    assert all_test_images(TUTORIAL) == pytest.approx(0.98, abs=0.005)


@says(
    "ReLU keeps what fits, pooling keeps the strongest of every four neighbours, and a second layer of filters looks at the maps of the first.",
    "After ReLU nothing is orange: all negative numbers are gone.",
)
@torch.no_grad()
def _() -> None:
    run = build(TUTORIAL)
    x = scaled(run.digits.x_test[:20])
    for module in run.model[:3]:
        before, x = x, module(x)
        if isinstance(module, nn.ReLU):
            assert float(x.min()) == 0
            assert torch.equal(x, before.clamp_min(0))


@of("back-in-time", "A 3 that looks like an 8.")
def _(config: CnnConfig) -> None:
    assert int(build(config).digits.y_test[config.image]) == 3


@of("one-pixel", "A filter of one pixel cannot detect edges.")
@torch.no_grad()
def _(config: CnnConfig) -> None:
    run = build(config)
    layer = convolutions(run.model)[0]
    assert layer.kernel_size == (1, 1)
    grey, edge = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    edge[..., 2:] = 1
    assert torch.equal(layer(edge)[..., 0], layer(grey)[..., 0]), "the same beside an edge as without one"


@says(
    "The accuracy on a sample of 200 images jumps by half a percent at a time; only the diamond, all test images, can show the difference between 98.4 % and 98.6 %."
)
def _() -> None:
    assert 1 / 200 == 0.005
    assert abs(0.984 - 0.986) < 1 / 200


@says(
    "Pooling halves the maps, and they still show the digit: where exactly an edge was matters less than that it was there."
)
@torch.no_grad()
def _() -> None:
    run = build(TUTORIAL)
    x = scaled(run.digits.x_test[:1])
    sizes = []
    for module in run.model:
        x = module(x)
        if isinstance(module, nn.MaxPool2d):
            sizes.append(x.shape[-1])
    assert sizes == [14, 7]


@says(
    "“How the map is made” hides nothing: in the first layer one kernel slides over the image; in the second each input map has its own kernel, and the results are added up."
)
@torch.no_grad()
def _() -> None:
    _, second, _ = layers()
    x = torch.randn(1, 16, 9, 9)
    parts = [nn.functional.conv2d(x[:, at : at + 1], second.weight[:1, at : at + 1], padding=2) for at in range(16)]
    torch.testing.assert_close(sum(parts) + second.bias[0], second(x)[:, :1], atol=1e-5, rtol=1e-4)  # type: ignore[operator,index]


@says("Each pixel changes by at most ε, but all of them change the loss in the same direction.")
def _() -> None:
    model = frozen(build(TUTORIAL).model)
    x = scaled(build(TUTORIAL).digits.x_test[:1])
    moved = fgsm(model, x, 8, 0.1, 1)
    assert float((moved - x).abs().max()) < 0.1 + 1e-6
    assert float(((moved - x).abs() > 0).float().mean()) > 0.4, "spread over the whole image"


@says("The step that fools the model is spread over the whole image, also where there is no ink.")
def _() -> None:
    model = frozen(build(TUTORIAL).model)
    x = scaled(build(TUTORIAL).digits.x_test[:1])
    without_ink = x == 0
    assert float((fgsm(model, x, 8, 0.1, 1) - x)[without_ink].abs().max()) == pytest.approx(0.1, abs=1e-6)


@says(
    "A window of 5 fits at only 24 places in a row of 28.",
    "The answer to padding-of-2: The maps stay 28 × 28.",
    "With two zeros on each side it is 28 again.",
    "The padded image is 32 wide, but a window of 5 fits at only 28 places of it.",
)
def _() -> None:
    x = torch.zeros(1, 1, 28, 28)
    assert nn.Conv2d(1, 1, 5)(x).shape[-1] == 24
    assert nn.Conv2d(1, 1, 5, padding=2)(x).shape[-1] == 28


@says(
    "The prediction for one image must not depend on the other images in its batch.",
    "The answer to test-averages: The prediction for an image must not depend on the others in its batch.",
    "So running averages from training are used.",
)
@torch.no_grad()
def _() -> None:
    norm = nn.BatchNorm2d(3)
    norm(torch.randn(50, 3, 4, 4) * 3 + 1)
    x = torch.randn(6, 3, 4, 4)
    alone = norm.train()(x[:2])[0].clone()
    assert not torch.allclose(alone, norm(x)[0]), "in training it depends on the others"
    norm.eval()
    torch.testing.assert_close(norm(x)[0], norm(x[:2])[0])


@says("`x` has the shape (batch, channel, height, width), and the labels are class indices.")
def _() -> None:
    run = build(TUTORIAL)
    assert tuple(scaled(run.digits.x_test[:5]).shape) == (5, 1, 28, 28)
    assert run.digits.y_test.dtype == torch.long
    assert set(run.digits.y_test.unique().tolist()) == set(range(10))


@says(
    "The gradients of the filters grow in the first steps, then become small and noisy: most batches then have little left to correct.",
    is_long=True,
)
def _() -> None:
    history = trained(TUTORIAL.with_values(images=20_000)).history
    steps = history.steps()
    for layer in ("Convolution 1", "Convolution 2"):
        sizes = history.column(f"gradient {layer}")
        start, early, late = (
            float(np.nanmean(sizes[(steps >= a) & (steps < b)])) for a, b in ((1, 10), (20, 50), (300, 400))
        )
        assert start < early
        assert late < 0.7 * early


@says(
    "Not quite: the maps shift with it, but the linear layer has a separate weight for every place.",
    "The answer to shifted-digit: Not quite: the linear layer has a weight for every place.",
    "Shifting the training images helps.",
)
@torch.no_grad()
def _() -> None:
    _, _, linear = layers()
    maps = torch.zeros(1, 32, 7, 7)
    maps[0, 0, 3, 3] = 1
    one, other = linear(maps.flatten(1)), linear(maps.roll(1, dims=3).flatten(1))
    assert not torch.allclose(one, other)


@of("one-batch", "One batch of 50 images, again and again: the first test of a new training loop.")
def _(config: CnnConfig) -> None:
    assert config.images == config.batch_size == 50


@of(
    "one-batch",
    "After 50 steps all 50 are correct: images, labels, loss and optimizer fit together.",
    "More it does not prove: of other images about one in three is read wrong.",
)
def _(config: CnnConfig) -> None:
    run = build(config)
    run.use_threads(torch.get_num_threads())
    go_on(run, 50)
    numbers = run.status(run.view())
    assert numbers["accuracy"] == 1
    go_on(run, 100)
    with torch.no_grad():
        answers = torch.cat([run.model.eval()(scaled(part)).argmax(dim=1) for part in run.digits.x_test.split(1_000)])
    wrong = float((answers != run.digits.y_test).float().mean())
    assert wrong == pytest.approx(1 / 3, abs=0.08)


@torch.enable_grad()
def go_on(run: CnnRun, until: int) -> None:
    while run.steps < until:
        run.advance(60.0, until - run.steps)


@of(
    "sorted-digits",
    "All zeros come first, all nines last: nobody has shuffled the training images.",
    "About as accurate as guessing: it gives nearly every image the same digit.",
    is_long=True,
)
def _(config: CnnConfig) -> None:
    assert config.train_order == "sorted"
    assert all_test_images(config) < 0.25
    run = trained(config)
    with torch.no_grad():
        answers = run.model(scaled(run.digits.x_test[:1_000])).argmax(dim=1)
    assert int(answers.bincount().max()) > 800


@of("sorted-digits", "Shuffle them in All settings, then press Play: 90 % of the test images.", is_long=True)
def _(config: CnnConfig) -> None:
    assert all_test_images(config.with_values(train_order="shuffled")) == pytest.approx(0.9, abs=0.03)


@of(
    "train-mode",
    "`model.eval()` is forgotten, and the test images are sorted by digit.",
    "It can read 90 %, and this test finds far fewer.",
    "Set “Mode in tests” to model.eval() in All settings: the test is made again, with the same weights.",
    is_long=True,
)
def _(config: CnnConfig) -> None:
    assert (config.test_mode, config.test_order) == ("train", "sorted")
    rightly = all_test_images(config.with_values(test_mode="eval"))
    assert rightly == pytest.approx(0.9, abs=0.03)
    assert all_test_images(config) < rightly - 0.2


@of("kernel-moves", "Where the pixels under the window look like the kernel.")
@torch.no_grad()
def _(config: CnnConfig) -> None:
    run = build(config)
    layer = convolutions(run.model)[0]
    assert layer.bias is not None
    x = scaled(run.digits.x_test[config.image : config.image + 1])
    windows = nn.functional.unfold(x, layer.kernel_size, padding=layer.padding)[0]  # (pixels of a window, windows)
    kernels = layer.weight.flatten(1)  # (kernels, pixels of a window)
    torch.testing.assert_close(kernels @ windows + layer.bias[:, None], layer(x)[0].flatten(1), atol=1e-4, rtol=1e-4)
    alike = nn.functional.cosine_similarity(kernels[:, None], windows.T[None], dim=2)  # (kernels, windows)
    strongest = layer(x)[0].flatten(1).topk(20).indices
    assert float(alike.gather(1, strongest).mean()) > 0.2 + float(alike.mean())


@says(
    "That is one filter.",
    "There are 16.",
    "That is 32 · (25 + 1), as if each filter read only one map.",
    "That is 32 · 28 · 28, before the pooling.",
    "That is one map.",
    "There are 32.",
    "Halve 28 twice, then count the pixels of 32 maps.",
)
def _() -> None:
    first, second, linear = layers()
    assert count(nn.Conv2d(1, 1, 5)) == 26 and first.out_channels == 16 and second.out_channels == 32
    assert 32 * (25 + 1) == 832 < count(second) and 32 * 28 * 28 == 25_088
    assert 28 // 2 // 2 == 7 and 7 * 7 == 49 and linear.in_features == 32 * 49


@of("more-from-200", "Every image is shifted and rotated a little, in each epoch differently.")
def _(config: CnnConfig) -> None:
    run = build(config)
    x, generator = scaled(run.digits.x_test[:5]), torch.Generator().manual_seed(1)
    one, other = (config.augmentation(x, generator) for _ in range(2))
    assert (config.shift, config.turn) == (2, 10)
    assert all(not torch.equal(a, b) and not torch.equal(a, c) for a, b, c in zip(x, one, other, strict=True))


@of(
    "shift",
    "Switch on “Start”: a fully connected model with about as many parameters trains on the same images, and both are tested on shifted ones.",
)
def _(config: CnnConfig) -> None:
    wanted = build(config).parameter_count
    plain, _ = plain_model(wanted, config)
    assert count(plain) == pytest.approx(wanted, rel=0.05)
    assert all(isinstance(each, (nn.Flatten, nn.Linear, nn.ReLU)) for each in plain)


@says("Beyond about four pixels, strokes begin to leave the image.")
def _() -> None:
    x = scaled(build(TUTORIAL).digits.x_test[:1_000])
    left = [float(1 - shifted(x, 0, pixels).sum() / x.sum()) for pixels in (2, 4, 6)]
    assert left[0] < 0.001 and left[1] < 0.01 < left[2]


def as_drawn(places: slice, columns: slice) -> torch.Tensor:
    """The input for a bar drawn at a place of the pad."""
    ink = np.zeros((128, 128), np.uint8)
    ink[places, columns] = 255
    found = PadDrawing().use_picture(255 - ink)
    assert found is not None
    return found


@says(
    "Where you draw on the pad, and how large, makes no difference to the input: the drawing is cropped, scaled to 20 by 20 and placed by its centre of mass, as every image of MNIST was."
)
def _() -> None:
    one, elsewhere, twice = (
        as_drawn(slice(10, 50), slice(10, 20)),
        as_drawn(slice(60, 100), slice(90, 100)),
        as_drawn(slice(20, 100), slice(40, 60)),
    )
    assert torch.equal(one, elsewhere) and torch.equal(one, twice)


@says(
    "On this page the images are kept as bytes and converted to float32 batch by batch, and images and weights have the channel last in memory (`model.to(memory_format=torch.channels_last)`), which makes convolutions faster and changes only the last digits of results."
)
@torch.no_grad()
def _() -> None:
    run = build(TUTORIAL)
    assert run.digits.x_train.dtype == torch.uint8
    assert convolutions(run.model)[1].weight.is_contiguous(memory_format=torch.channels_last)
    x = scaled(run.digits.x_test[:20])
    last, first = run.model(x), copy.deepcopy(run.model).to(memory_format=torch.contiguous_format)(x.contiguous())
    torch.testing.assert_close(last, first, rtol=1e-4, atol=1e-5)


def seen(run: CnnRun) -> FrameContext:
    """What the charts of a frame are drawn from."""
    return run.frame_context()


@of("back-in-time", "Anatomy has all maps of every layer.")
@torch.no_grad()
def _(config: CnnConfig) -> None:
    run = build(config)
    assert {len(row.maps) for row, _ in anatomy._rows(seen(run))} == set(config.filters)
    stages = [each for each in run.view().predictions.stages if each.layer >= 0 and each.kind not in ("flat", "logits")]
    assert len(anatomy._rows(seen(run))) == 2 + len(stages)


@of("kernel-moves", "Row and Column move the window of one kernel over the image.")
@of(
    "kernel-moves",
    "“Let it move” is in the ⋯ of the picture, and a click on All maps chooses another kernel.",
)
@torch.no_grad()
def _(config: CnnConfig) -> None:
    run = build(config)
    run.apply(Slide("row", 3.0))
    run.apply(Slide("column", 20.0))
    assert window.place(seen(run), 28) == (3, 20)
    chart = next(each for each in LESSONS["cnn"].charts if each.name == window.CHART)  # type: ignore[attr-defined]
    assert [each.label for each in chart.toggles] == ["Let it move"]
    run.draw([window.CHART], {window.MOVES.name: True})
    run.draw([window.CHART], {window.MOVES.name: True})
    assert (run.selection.row, run.selection.column) > (3, 20)
    before = anatomy.chosen(seen(run))
    places = [(x, -y) for y in range(12) for x in range(20)]
    for x, y in places:
        run.apply(Pick(float(x), float(y), "maps"))
        if anatomy.chosen(seen(run)) != before:
            break
    assert anatomy.chosen(seen(run)) != before


@of("mistakes", "A click on an image shows how the model reads it.")
@torch.no_grad()
def _(config: CnnConfig) -> None:
    run = build(config)
    before = run.selection.image_number(run.config, run.digits)
    for x in range(5):
        run.apply(Pick(float(x), 0.0, "predictions"))
        if run.selection.image_number(run.config, run.digits) != before:
            break
    now = run.selection.image_number(run.config, run.digits)
    assert now != before
    torch.testing.assert_close(run.view().predictions.image, scaled(run.digits.x_test[now : now + 1]))


def kept_neighbours(values: np.ndarray[Any, Any], at: np.ndarray[Any, Any], count: int = 10) -> float:
    """The share of each point's nearest neighbours that are nearest in the plane, too."""
    near, shown = (
        np.argsort(((each[:, None] - each[None]) ** 2).sum(axis=2), axis=1)[:, 1 : count + 1] for each in (values, at)
    )
    return float(np.mean([len(set(one) & set(other)) / count for one, other in zip(near, shown, strict=True)]))


def separation(at: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    """The mean distance between points of two digits, in units of that within a digit."""
    apart = np.sqrt(((at[:, None] - at[None]) ** 2).sum(axis=2))
    same = labels[:, None] == labels[None]
    return float(apart[~same].mean() / apart[same & ~np.eye(len(at), dtype=bool)].mean())


@of(
    "heaps",
    "Pause and switch on “t-SNE” in the menu of the picture: it keeps neighbours together, so heaps stand further apart.",
    is_long=True,
)
@torch.no_grad()
def _(config: CnnConfig) -> None:
    run = trained(config.with_values(images=5_000))
    frame = seen(run)
    _, labels, _ = sample(frame)
    values = activations(frame)
    plane, tsne = projected(frame, Projection()), embed(values.numpy())
    assert kept_neighbours(values.numpy(), tsne) > 2 * kept_neighbours(values.numpy(), plane)
    assert separation(tsne, np.asarray(labels)) > 1.2 * separation(plane, np.asarray(labels))


@says("The maps of the second layer are smaller and harder to name.")
def _() -> None:
    stages = [each for each in build(TUTORIAL).view().predictions.stages if each.kind == "convolution"]
    assert stages[1].output.shape[-1] < stages[0].output.shape[-1]  # how hard they are to name, nobody measures


@says("Each row of “All maps” has one scale, so a pale map is a weak one.")
@torch.no_grad()
def _() -> None:
    run = build(TUTORIAL)
    rows, figure = anatomy._rows(seen(run)), anatomy.maps(seen(run))
    maps = rows[-1][0].maps
    drawn = [np.asarray(each["values"]).astype(int) for each in figure["maps"]]  # type: ignore[attr-defined,index]
    sizes = np.abs(maps).max(axis=(1, 2))
    of_row = next(each.reshape(len(maps), -1) for each in drawn if each.size == maps.size)
    shades = np.abs(of_row - 128).max(axis=1)
    assert shades.max() >= 126 and np.corrcoef(shades, sizes)[0, 1] > 0.999


@says("Images of the test set pass these stages unchanged.")
def _() -> None:
    x = scaled(build(TUTORIAL).digits.x_test[:50])[:, 0].numpy()
    for image in x:
        last = PadDrawing().stages_of(image, own=False)[-1].image
        assert np.abs(last - image).max() < 0.02


def roughness(values: np.ndarray[Any, Any]) -> float:
    """The mean step between neighbouring pixels, in units of the largest value."""
    steps = np.abs(np.diff(values, axis=0)).mean() + np.abs(np.diff(values, axis=1)).mean()
    return float(steps / np.abs(values).max())


@says(
    "Saliency is noisy and lies around the strokes; occlusion is smooth and shows which strokes the prediction needs.",
    is_long=True,
)
@torch.no_grad()
def _() -> None:
    run = trained(EXPERIMENTS["kernel-moves"])
    model = frozen(run.model, "cpu")
    rough, near, needed = [], [], []
    for x in scaled(run.digits.x_test[:20]):
        target = int(model(x[None]).argmax())
        slope, occlusion = saliency(model, x[None], target), Occlusion(model, x[None], target)
        occlusion.advance(60.0)
        ink = x[0].numpy() > 0.3
        around = nn.functional.max_pool2d(x[None], 5, 1, 2)[0, 0].numpy() > 0.3
        rough.append(roughness(slope) / roughness(np.nan_to_num(occlusion.falls)))
        near.append(slope[around].mean() / slope[~around].mean())
        falls = np.nan_to_num(occlusion.falls)
        needed.append(falls[ink].mean() > falls[~ink].mean())
    assert np.median(rough) > 1.3 and np.median(near) > 1.5 and np.mean(needed) > 0.8
