"""What the lesson Data loader says, as rules."""

from __future__ import annotations

import inspect
import itertools
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils import data

from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.data_loader import batches, noise, sorted_labels, timeline
from tests.claims.claims import Claims

CLAIMS = Claims("data_loader")
of, says = CLAIMS.of, CLAIMS.says
EXPERIMENTS = {each.id: each.config for each in experiments(LESSONS["data_loader"])}


# Data loader


def loaded(config: Any, **values: Any) -> Any:
    """The run of the lab Batches with all batches read, without worker processes."""
    return _read(config.with_values(workers=0, **values))


def read(config: Any) -> Any:
    """A run of one's own with all batches read."""
    run = batches.build(config)
    while not run.outcome:
        run.advance(1.0, 1000)
    return run


_read = cache(read)


def order(run: Any) -> Any:
    return run.order(run.steps)


@of(
    "tutorial",
    "Ten samples, batches of five, three epochs, two workers.",
    "Press Reset and Play: “Checksum of the order” ends at the same number.",
    "Change the seed in All settings, and it ends at another.",
)
def _(config: Any) -> None:
    assert (config.samples, config.batch_size, config.epochs, config.workers) == (10, 5, 3, 2)
    one, other = loaded(config), loaded(config, seed=config.seed + 1)
    again = read(config.with_values(workers=0))
    checksums = [run.status(run.steps)["order"] for run in (one, again, other)]
    assert checksums[0] == checksums[1] != checksums[2]


@of(
    "bug-in-print",
    "Without shuffling, the loop prints the samples in order.",
    "Tick “As in the tutorial” in the ⋯ menu of the printed lines: `batch_y.numpy` is the method itself.",
    "Parentheses would call it.",
)
def _(config: Any) -> None:
    run = loaded(config)
    lines, bug = (
        run.draw(["printed"], {"bug": on}).charts["printed"]["layout"]["meta"]["words"].splitlines()
        for on in (False, True)
    )
    assert (
        lines[2].endswith("batch y: [10.  9.  8.  7.  6.]") and "<built-in method numpy of Tensor object at" in bug[2]
    )


@of(
    "short-last-batch",
    "Ten samples in batches of four.",
    "Two are left for a short batch.",
    "Switch “Drop last” on and play again: each epoch leaves out two, not always the same two.",
)
def _(config: Any) -> None:
    run, dropping = loaded(config), loaded(config, drop_last=True)
    assert "leave 2 for the last batch" in run.narrate(3) and "Samples left out: 2 of 10" in dropping.narrate(2)
    left = [frozenset(range(1, 11)) - set(epoch.tolist()) for epoch in order(dropping)]
    assert all(len(each) == 2 for each in left) and len(set(left)) > 1


@of(
    "drop-last",
    "The short batch is left out.",
    "Two in each epoch, the dropped ones; the shuffle decides which.",
    "Without it they would be the same two each time.",
)
def _(config: Any) -> None:
    run, unshuffled = loaded(config), loaded(config, shuffle=False)
    left, same = (
        [frozenset(range(1, 11)) - set(epoch.tolist()) for epoch in order(each)] for each in (run, unshuffled)
    )
    assert all(len(each) == 2 for each in left) and len(set(left)) > 1 and set(same) == {frozenset({9, 10})}


@of(
    "weighted",
    "Here sample 10 is drawn ten times as often as sample 1.",
    "After ten epochs one sample has never been drawn.",
)
def _(config: Any) -> None:
    run = loaded(config)
    assert "Not drawn yet: 1 of 10 samples" in run.narrate(run.steps)
    assert "10 ten times as often as 1" in str(config.knobs()["sampler"].help)


@of(
    "with-replacement",
    "Every draw is from all 30 samples.",
    "After the first epoch only 16 have been drawn, and five are not enough.",
    "Raise “Epochs” in All settings by one.",
)
def _(config: Any) -> None:
    run = loaded(config)
    assert "Not drawn yet: 14 of 30" in run.narrate(3), "16 have been drawn"
    assert "Not drawn yet: 1 of 30" in run.narrate(run.steps), "five epochs are not enough"
    longer = loaded(config, epochs=6)
    assert "Each of the 30 samples has been drawn" in longer.narrate(longer.steps)


def measured(config: Any) -> None:
    """What is measured on this server while one looks depends on the server; the settings must be those of the text."""
    assert isinstance(config, timeline.TimelineConfig)


@of("workers-help", "Fetching takes 30 ms an item, training 20 ms a batch.")
def _(config: Any) -> None:
    measured(config)
    assert (config.item_ms, config.batch_ms, config.cost) == (30, 20, "waiting")


@of("workers-hurt", "Items that cost nothing.")
def _(config: Any) -> None:
    measured(config)
    assert config.item_ms == config.batch_ms == 0


@of("persistent-workers", "Spawned workers again, but they stay after the first epoch.")
def _(config: Any) -> None:
    measured(config)
    assert config.start == "spawn" and config.epochs == 2 and config.persistent


@of("work-for-the-processor", "The items are computed instead of waited for.")
def _(config: Any) -> None:
    measured(config)
    assert config.cost == "computing" and config.item_ms > 0


def cosines(config: Any, size: int) -> Any:
    x, y, at = noise.draw_points(config)
    generator = torch.Generator().manual_seed(config.seed)
    rows = noise.batch_gradients(noise.gradient_of_each(x, y, at), size, generator)
    return noise.cosines(rows, noise.gradient(x, y, at))


@of(
    "one-sample",
    "A batch of one.",
    "The mean cosine is below 0.5, and some samples point the wrong way.",
    "Raise the batch size: the points gather around the full gradient.",
)
def _(config: Any) -> None:
    rows = {row[0]: row for row in noise.draw(config).tables[0].rows}
    assert float(rows["1"][2]) < 0.5 and (cosines(config, 1) < 0).any()
    assert [float(rows[str(size)][2]) for size in (1, 4, 16, 64)] == sorted(
        float(rows[str(size)][2]) for size in (1, 4, 16, 64)
    )


@of("near-the-goal", "Batches of 16, nearly exact before, now point in any direction.")
def _(config: Any) -> None:
    assert config.batch_size == 16
    assert cosines(config, 16).min() < 0.5 and cosines(config.with_values(distance=1.0), 16).mean() > 0.9


def row_of(config: Any, size: int) -> list[float]:
    """The updates per epoch, the mean cosine, the measured noise and the noise by the formula of a batch size."""
    rows = {row[0]: row[1:] for row in noise.draw(config).tables[0].rows}
    return [float(cell) for cell in rows[str(size)]]


@of(
    "batches-of-4",
    "With four samples a batch, nearly every gradient points roughly the right way, and an epoch has 32 updates.",
)
def _(config: Any) -> None:
    updates, cosine, *_ = row_of(config, 4)
    assert updates == 32 and cosine > 0.85 and (cosines(config, 4) > 0).float().mean() > 0.9


@of(
    "all-at-once",
    "A batch of all 128 samples.",
    "The direction is exact, and an epoch has a single update.",
    "Four times the batch size halves the noise and quarters the updates.",
)
def _(config: Any) -> None:
    assert row_of(config, 128) == [1, 1, 0, 0] and config.batch_size == config.samples == 128
    (updates, *_, at_4), (fewer, *_, at_16) = row_of(config, 4), row_of(config, 16)
    assert updates == 4 * fewer and at_4 == pytest.approx(2 * at_16, rel=0.1)


@of(
    "no-noise-in-y",
    "All points lie on one line.",
    "They still differ, because each sample asks for another mix of slope and intercept.",
)
def _(config: Any) -> None:
    assert config.spread == 0 and row_of(config, 4)[1] < 0.95


def losses(config: Any, **values: Any) -> list[list[float]]:
    """Of the training in order and of the shuffled one: the loss at the end, the highest and the lowest of an epoch."""
    return [
        [float(cell) for cell in row[1:]] for row in sorted_labels.draw(config.with_values(**values)).tables[0].rows
    ]


@of(
    "saw-tooth",
    "Eight batches of class 0, then eight of class 1: the data is sorted.",
    "The model forgets one class while it learns the other.",
    "Lower the learning rate to 0.03: the lines are nearly one.",
)
def _(config: Any) -> None:
    (end, high, low), (mixed, most, least) = losses(config)
    assert high - low > 5 * (most - least) and end > mixed
    (small_end, *_), (small_mixed, *_) = losses(config, lr=0.03)
    assert abs(small_end - small_mixed) < 0.01, "the two lines are nearly one"
    assert mixed < small_end < end, "they forget less, and learn less"


@of(
    "small-steps",
    "A rate of 0.03 on the sorted data.",
    "Hardly: the two lines are nearly one.",
    "Smaller steps forget less, and they also learn less: the loss ends higher.",
)
def _(config: Any) -> None:
    (end, *_), (mixed, *_) = losses(config)
    assert abs(end - mixed) < 0.01 and mixed > losses(config, lr=2.0)[1][0], "they learn less"


@of(
    "larger-steps",
    "The teeth are longer: after class 1 the loss is above that of always answering 0.5 (dotted).",
    "Shuffled, the same rate is no problem.",
)
def _(config: Any) -> None:
    (end, high, low), (mixed, most, _) = losses(config)
    (_, lower, higher), _ = losses(config, lr=2.0)
    assert config.lr == max(config.knobs()["lr"].options) and high - low > lower - higher, "the teeth are longer"
    assert high > sorted_labels.CHANCE > 0.65 < end and most < 0.45 and mixed < 0.4


@of(
    "batch-of-everything",
    "One batch is all the data.",
    "It does not: the mean over all samples is the same in any order, and the two lines are the same.",
)
def _(config: Any) -> None:
    one, two = losses(config)
    assert one == two


@says(
    "A `DataLoader` cuts the data into batches; one pass through all of them is an epoch.",
    "With `shuffle=True` each epoch has a new random order, so that the batches differ each time.",
)
def _() -> None:
    loader = data.DataLoader(list(range(10)), batch_size=5, shuffle=True, generator=torch.Generator().manual_seed(0))
    epochs = [torch.cat(list(loader)).tolist() for _ in range(2)]
    assert [sorted(each) for each in epochs] == [list(range(10))] * 2
    assert epochs[0] != epochs[1]


@says(
    "A batch’s gradient is an estimate of the gradient of all the data.",
    "Each batch becomes a fair sample of the data, so its gradient is right on average.",
    "The answer to shuffling: Each batch is a fair sample of the data.",
)
def _() -> None:
    x, y = torch.randn(64, 3), torch.randn(64)
    w = torch.zeros(3, requires_grad=True)

    def gradient(rows: Any) -> torch.Tensor:
        return torch.autograd.grad(((x[rows] @ w - y[rows]) ** 2).mean(), w)[0]

    parts = torch.stack([gradient(slice(at, at + 8)) for at in range(0, 64, 8)])
    torch.testing.assert_close(parts.mean(dim=0), gradient(slice(None)))


@says("Small batches give many noisy updates, large ones a few precise updates.")
def _() -> None:
    config = EXPERIMENTS["batches-of-4"]
    (many, _, noisy, _), (few, _, precise, _) = (row_of(config, size) for size in (4, 64))
    assert many > 10 * few
    assert noisy > 3 * precise


@of("near-the-goal", "The model is nearly the best line, so the full gradient is short.", "The noise is not.")
def _(config: Any) -> None:
    found = []
    for distance in (1.0, config.distance):
        x, y, at = noise.draw_points(config.with_values(distance=distance))
        rows = noise.batch_gradients(noise.gradient_of_each(x, y, at), 16, torch.Generator().manual_seed(0))
        full = noise.gradient(x, y, at)
        found.append((float(full.norm()), float((rows - full).norm(dim=1).mean())))
    assert found[1][0] < 0.2 * found[0][0], "the gradient"
    assert found[1][1] > 0.3 * found[0][1], "the noise"


@of("larger-steps", "The largest rate on the sorted data.")
def _(config: Any) -> None:
    assert config.lr == max(config.knobs()["lr"].options)


@says(
    "Without replacement an epoch shows every sample exactly once, whatever the order; every bar ends at the dashed line."
)
def _() -> None:
    run = loaded(EXPERIMENTS["tutorial"])
    shown = np.ravel(order(run)).tolist()
    assert sorted(shown) == sorted(list(range(1, 11)) * EXPERIMENTS["tutorial"].epochs)


@says(
    "The number of workers does not change the order: the main process draws it.",
    "Set “Workers” to 0, and the checksum is the same.",
    "(Persistent workers do change it from the second epoch on: they draw one random number fewer.)",
    is_long=True,
)
def _() -> None:
    def orders(workers: int, persistent: bool = False) -> list[list[list[int]]]:
        """The batches of two epochs."""
        loader = data.DataLoader(
            list(range(10)), batch_size=5, shuffle=True, generator=torch.Generator().manual_seed(1),
            num_workers=workers, persistent_workers=persistent,
        )  # fmt: skip
        return [[batch.tolist() for batch in loader] for _ in range(2)]

    first, second = orders(0)
    assert orders(2) == [first, second]
    kept = orders(2, persistent=True)
    assert kept[0] == first
    assert kept[1] != second


@says(
    "Workers read ahead: “Batches waiting” climbs while the model is busy, up to the prefetch factor times the number of workers."
)
def _() -> None:
    assert data.DataLoader(list(range(4)), num_workers=2).prefetch_factor == 2


@says("A batch four times as large has half the noise, and a quarter of the updates per epoch.")
def _() -> None:
    config = EXPERIMENTS["batches-of-4"]
    x, y, at = noise.draw_points(config)
    each, full = noise.gradient_of_each(x, y, at), noise.gradient(x, y, at)
    generator = torch.Generator().manual_seed(0)
    errors = [
        torch.stack(
            [
                (each[torch.randint(len(each), (size,), generator=generator)].mean(dim=0) - full).norm()
                for _ in range(2_000)
            ]
        )
        .pow(2)
        .mean()
        .sqrt()
        for size in (4, 16)
    ]
    assert float(errors[0] / errors[1]) == pytest.approx(2, rel=0.1)


@says("`shuffle` and `sampler` exclude each other: a loader given both raises an error.")
def _() -> None:
    with pytest.raises(ValueError, match="mutually exclusive"):
        data.DataLoader([1, 2], shuffle=True, sampler=data.SequentialSampler([1, 2]))


@says(
    "Three: 4, 4 and a short one of 2.",
    "The answer to batches-in-epoch: 3.",
    "With `drop_last=True` two, and two samples are left out.",
)
def _() -> None:
    assert [len(each) for each in data.DataLoader(range(10), batch_size=4)] == [4, 4, 2]  # type: ignore[arg-type]
    assert [len(each) for each in data.DataLoader(range(10), batch_size=4, drop_last=True)] == [4, 4]  # type: ignore[arg-type]


@says(
    "The method and its address, `<built-in method numpy of Tensor object at 0x…>`.",
    "The answer to numpy-printed: The method and its address.",
    "The author meant `batch_y.numpy()`, which calls it and gives the values.",
)
def _() -> None:
    assert str(torch.zeros(1).numpy).startswith("<built-in method numpy of Tensor object at 0x")
    assert str(torch.zeros(1).numpy()) == "[0.]"


@says(
    "It may be tiny, even a single sample, and its mean and variance are then meaningless.",
    "The answer to last-batch: It may be tiny.",
)
def _() -> None:
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        torch.nn.BatchNorm1d(3)(torch.randn(1, 3))


@says("In sorted data each batch pulls in its own direction, and the loss goes up and down.")
def _() -> None:
    (_, high, low), (_, most, least) = losses(EXPERIMENTS["saw-tooth"])
    assert high - low > 5 * (most - least)


@says(
    "A seed: `torch.manual_seed`, or better a separate `torch.Generator` for the loader, as in `DataLoader(..., generator=generator)`.",
    "The answer to missing-seed: A seed.",
)
def _() -> None:
    def shown(generator: torch.Generator | None) -> list[int]:
        return torch.cat(
            list(data.DataLoader(list(range(20)), batch_size=5, shuffle=True, generator=generator))
        ).tolist()

    assert shown(torch.Generator().manual_seed(0)) == shown(torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    first = shown(None)
    torch.manual_seed(1)
    assert shown(None) == first
    assert shown(None) != first


@says(
    "Importing `torch.utils.data` as `Data`, as in older code, still works.",
    "New since then: the arguments `prefetch_factor`, `persistent_workers`, `generator` and `multiprocessing_context` of `DataLoader`.",
)
def _() -> None:
    import torch.utils.data as Data  # noqa: N812

    assert Data.DataLoader is data.DataLoader
    names = inspect.signature(data.DataLoader).parameters
    assert {"prefetch_factor", "persistent_workers", "generator", "multiprocessing_context"} <= names.keys()


@says("That is what `drop_last=True` is for.")
def _() -> None:
    assert all(len(each) == 4 for each in data.DataLoader(range(9), batch_size=4, drop_last=True))  # type: ignore[arg-type]


@of("as-on-windows", "A spawned worker imports Python and PyTorch again, in each epoch.")
def _(config: Any) -> None:
    measured(config)
    assert config.start == "spawn" and config.epochs == 2 and not config.persistent
    assert config.knobs()["persistent"].applies_to(config)


@of("weighted", "Samplers like this balance a data set in which some classes are rare.")
def _(config: Any) -> None:
    assert config.sampler == "weighted"
    labels = torch.tensor([0] * 95 + [1] * 5)
    weights = 1 / labels.bincount()[labels].double()
    sampler = data.WeightedRandomSampler(weights.tolist(), 10_000, generator=torch.Generator().manual_seed(0))
    assert float(labels[list(sampler)].double().mean()) == pytest.approx(0.5, abs=0.02)


@of("batches-of-4", "Each point is the direction of one batch’s gradient, compared with the gradient of all the data.")
def _(config: Any) -> None:
    x, y, at = noise.draw_points(config)
    assert len(noise.gradient_of_each(x, y, at)) == config.samples
    found = cosines(config, config.samples)
    torch.testing.assert_close(found, torch.ones_like(found))


@says(
    "The column “Noise, by the formula” falls faster at the end: the error goes to 0 when the batch is nearly all the data."
)
def _() -> None:
    config = EXPERIMENTS["batches-of-4"]
    noises = [row_of(config, size)[3] for size in (4, 8, 16, 32, 64, 128)]
    falls = [after / before for before, after in itertools.pairwise(noises)]
    assert falls == sorted(falls, reverse=True) and noises[-1] == 0


@of("near-the-goal", "This is why learning rates are lowered towards the end.")
def _(near: Any) -> None:
    assert cosines(near, 16).mean() < 0.7 * cosines(near.with_values(distance=1.0), 16).mean()


@says("Take 4 samples, then 4 again.")
def _() -> None:
    assert [len(each) for each in data.DataLoader(list(range(10)), batch_size=4)] == [4, 4, 2]


@says("Two runs of the same script print different batches.")
def _() -> None:
    loader = data.DataLoader(list(range(1000)), batch_size=5, shuffle=True)
    assert len({tuple(next(iter(loader)).tolist()) for _ in range(3)}) > 1


@says("The tutorial’s script with the missing parentheses, and with a generator, so that each run prints the same.")
def _() -> None:
    code = LESSONS["data_loader"].prose["In PyTorch"].split("```python\n")[1].split("```")[0]
    assert "batch_y.numpy()" in code and "generator=" in code and "manual_seed" in code


@says("That is why “Shuffle” is greyed out.")
def _() -> None:
    knob = batches.BatchesConfig.knobs()["shuffle"]
    assert knob.label == "Shuffle"
    assert [
        knob.applies_to(batches.BatchesConfig(sampler=each)) for each in ("shuffle", "weighted", "replacement")
    ] == [True, False, False]


IMPORTED = """\
import torch
from torch.utils import data
loader = data.DataLoader(data.TensorDataset(torch.randn(4, 1)), batch_size=2, num_workers=1, multiprocessing_context="spawn")
print("the training starts", flush=True)
if {guarded}:
    for batch in loader:
        pass
"""


@says(
    "The answer to main-guard: Because each spawned worker imports the script.",
    "Without that line it would start the training, and more workers, once more.",
    is_long=True,
)
def _() -> None:
    with TemporaryDirectory() as folder:
        starts = []
        for guarded in ('__name__ == "__main__"', "True"):
            script = Path(folder) / "script.py"
            script.write_text(IMPORTED.format(guarded=guarded), encoding="utf-8")
            done = subprocess.run(
                [sys.executable, str(script)], capture_output=True, text=True, timeout=100, check=False
            )
            starts.append((done.stdout.count("the training starts"), done.returncode == 0))
    assert starts[0] == (2, True), "the script is imported by the worker"
    assert starts[1][0] >= 2 and not starts[1][1], "the worker begins the loop again"


@of("persistent-workers", "The second epoch begins at once: starting a process is paid for only once.", is_long=True)
@of("as-on-windows", "Seconds before the first batch, and again before the second epoch.", is_long=True)
def _(config: Any) -> None:
    def processes(*, persistent: bool) -> list[set[int]]:
        """The processes that have fetched the items of each of two epochs."""
        loader = data.DataLoader(
            WhoFetches(), num_workers=1, persistent_workers=persistent, multiprocessing_context="fork"
        )
        return [{int(each) for each in loader} for _ in range(2)]

    kept, again = processes(persistent=True), processes(persistent=False)
    assert config.epochs == 2 and kept[0] == kept[1] and not again[0] & again[1]


class WhoFetches(data.Dataset[int]):
    """Each item is the process that fetches it."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> int:
        return os.getpid()
