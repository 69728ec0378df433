"""The convolutional network: against PyTorch's own layers, the tutorial's numbers, and its own pieces."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.batches import Augmentation, ImageBatches, moved
from playground.training import models


def numbers(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tutorial(seed: int) -> nn.Sequential:
    """The tutorial's network as a student would write it."""
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 7 * 7, 10)),
    )


def images(count: int = 3, seed: int = 1) -> torch.Tensor:
    return torch.rand(count, 1, 28, 28, generator=numbers(seed))


def test_the_model_is_the_tutorials_weight_by_weight_and_answer_by_answer() -> None:
    ours, theirs = cnn.cnn((16, 32), generator=numbers(7)), tutorial(7)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)
    torch.testing.assert_close(ours(images()), theirs(images()))


def test_its_parameters_are_counted_layer_by_layer() -> None:
    sizes = cnn.layer_sizes(cnn.cnn((16, 32), generator=numbers()))
    assert [(size.name, size.count) for size in sizes] == [
        *(("Convolution 1", 416), ("Convolution 2", 12_832), ("Linear", 15_690)),
    ]
    assert sum(size.count for size in sizes) == models.count_parameters(tutorial(0)) == 28_938


@pytest.mark.parametrize("filters", [(3,), (3, 4, 5)])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_any_shape_counts_what_learns_and_names_its_stages(filters: tuple[int, ...], batch_norm: bool) -> None:
    dropout = models.Dropout(0.5, numbers())
    model = cnn.cnn(filters, kernel=3, pooling="average", batch_norm=batch_norm, dropout=dropout, generator=numbers())
    learning = [parameter.numel() for parameter in model.parameters() if parameter.requires_grad]
    assert sum(size.count for size in cnn.layer_sizes(model)) == sum(learning)
    with torch.no_grad():
        stages = cnn.stages(model, images())
        assert torch.equal(stages[-1].output, model(images()))
    each = ["convolution", *(["batch norm"] if batch_norm else []), "activation", "pooling"]
    assert [stage.kind for stage in stages] == [*(each * len(filters)), "flat", "logits"]
    sides = [stage.output.shape[-1] for stage in stages if stage.kind == "pooling"]
    assert sides == [28 // 2 ** (layer + 1) for layer in range(len(filters))]


def test_batch_norm_learns_and_tests_as_pytorchs_own() -> None:
    ours, theirs = cnn.BatchNorm(4), nn.BatchNorm2d(4)
    for seed in range(3):
        x = torch.randn(5, 4, 6, 6, generator=numbers(seed)) * 3 + 1
        torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.running_mean, theirs.running_mean, check_stride=False, msg="averages")
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs.eval()(x))
    assert not ours.running_mean.requires_grad


def test_a_frozen_copy_answers_as_in_a_test_and_lets_gradients_through_to_the_image() -> None:
    model = cnn.cnn((3,), batch_norm=True, dropout=models.Dropout(0.5, numbers()), generator=numbers())
    model(images(20)).sum().backward()
    copy = cnn.frozen(model)
    x = images().requires_grad_()
    answer = copy(x)
    with torch.no_grad():
        torch.testing.assert_close(answer, model(images()))
        next(iter(model.parameters())).zero_()
    answer[0, 3].backward()
    assert x.grad is not None and x.grad[0].abs().sum() > 0
    assert all(parameter.grad is None for parameter in copy.parameters())
    assert next(iter(copy.parameters())).abs().sum() > 0, "a copy does not change with its model"


def test_pixels_are_the_same_memory_with_the_channel_last() -> None:
    raw = torch.arange(2 * 784, dtype=torch.int32).to(torch.uint8).reshape(2, 28, 28)
    x = cnn.pixels(raw)
    assert x.data_ptr() == raw.data_ptr()
    assert torch.equal(x[:, 0], raw)
    assert x[torch.tensor([1])].float().is_contiguous(memory_format=torch.channels_last)
    assert cnn.scaled(raw).max() <= 1.0 and cnn.scaled(raw)[0, 0, 255 % 28] <= 1.0


def zeros() -> torch.Tensor:
    return torch.zeros(1)


def test_a_shift_moves_the_pixels_right_and_down_and_black_comes_in() -> None:
    x = images(1)
    shifted = moved(x, zeros(), torch.tensor([3 * 2 / 28]), torch.tensor([2 * 2 / 28]))
    torch.testing.assert_close(shifted[0, 0, 2:, 3:], x[0, 0, :-2, :-3], atol=1e-4, rtol=0)
    assert shifted[0, 0, :2].abs().max() < 1e-4 and shifted[0, 0, :, :3].abs().max() < 1e-4


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    x = images(1)
    turned = moved(x, torch.tensor([math.pi / 2]), zeros(), zeros())
    torch.testing.assert_close(turned[0, 0], x[0, 0].rot90(-1), atol=1e-4, rtol=0)


def test_augmentation_draws_new_numbers_each_time_within_its_bounds_and_the_same_for_the_same_seed() -> None:
    spot = torch.zeros(64, 1, 28, 28)
    spot[:, 0, 14, 14] = 1.0
    first, generator = Augmentation(shift=2.0), numbers(5)
    one, two = first(spot, generator), first(spot, generator)
    assert not torch.equal(one, two)
    assert torch.equal(one, first(spot, numbers(5)))
    lit = (one.sum(dim=(0, 1)) > 1e-3).nonzero()
    assert lit.min() >= 11 and lit.max() <= 17, "no further than two pixels, and their neighbours"
    assert len(lit) > 12, "but all over them"
    assert Augmentation()(spot, generator) is spot


def test_batches_of_images_give_every_image_once_an_epoch_as_numbers_from_0_to_1() -> None:
    raw = torch.arange(10, dtype=torch.uint8)[:, None, None].expand(10, 28, 28).contiguous()
    batches = ImageBatches(cnn.pixels(raw), torch.arange(10), 4, numbers(), Augmentation())
    found = [batches.next() for _ in range(3)]
    assert [len(x) for x, _ in found] == [4, 4, 2]
    assert sorted(torch.cat([y for _, y in found]).tolist()) == list(range(10))
    for x, y in found:
        torch.testing.assert_close(x[:, 0, 0, 0], y / 255)
    assert batches.epochs == 1


def test_a_kernel_is_slid_over_with_zeros_around() -> None:
    model = cnn.cnn((2,), kernel=3, generator=numbers())
    layer, x = cnn.convolutions(model)[0], images(1)
    with torch.no_grad():
        out = cnn.stages(model, x)[0].output
        padded = nn.functional.pad(x[0, 0], (1, 1, 1, 1))
        for row, column in ((0, 0), (5, 9), (27, 27)):
            window = padded[row : row + 3, column : column + 3]
            by_hand = (window * layer.weight[1, 0]).sum() + layer.bias[1]
            torch.testing.assert_close(out[0, 1, row, column], by_hand)
    assert all(isinstance(a, nn.Conv2d) is not isinstance(b, nn.Conv2d) for a, b in pairwise(list(model)[:2]))
