"""What the experiments of four pages of labs say happens, does: each experiment has a check here, by its id."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.checkpoints import inside, mismatch, pickles, resume, ways
from playground.lessons.convolution import chain, pooling, sizes, slide
from playground.lessons.data_loader import batches, noise, sorted_labels, timeline
from playground.lessons.gradient_descent import basins, line, rates, surface
from playground.settings import Settings

pytestmark = pytest.mark.in_ci
PAGES = ("gradient_descent", "data_loader", "convolution", "checkpoints")
EXPERIMENTS = {
    f"{name}: {each.id}": (each.bench, each.config, f"{each.before} {each.after}")
    for name in PAGES
    for each in experiments(LESSONS[name])
}
CHECKS: dict[str, Callable[[Any], None]] = {}


def claims(*experiments: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register the check of experiments ("<lesson>: <id>"), which gets their config."""

    def register(check: Callable[[Any], None]) -> Callable[[Any], None]:
        CHECKS.update(dict.fromkeys(experiments, check))
        return check

    return register


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_what_an_experiment_says_happens(experiment: str) -> None:
    assert experiment in CHECKS, "say in this file what happens in a new experiment"
    CHECKS[experiment](EXPERIMENTS[experiment][1])


def test_no_check_is_left_of_an_experiment_that_is_gone() -> None:
    assert CHECKS.keys() == EXPERIMENTS.keys()


# Gradient descent


def rolled(config: Any, **values: Any) -> Any:
    """The run of a live lab at the end of its path."""
    config = config.with_values(**values)
    run = (line.LineRun if isinstance(config, line.LineConfig) else surface.SurfaceRun)(config, Settings())
    run.advance(60.0, 10_000)
    assert run.outcome == "done"
    return run


def heights(run: Any) -> np.ndarray[Any, Any]:
    return np.asarray(run.path.heights)


@claims("gradient_descent: parabola")
def _(config: Any) -> None:
    run = rolled(config)
    lengths = np.abs(np.diff(run.path.positions[:, 0]))
    assert run.ending == "global" and (np.diff(lengths) < 0).all(), "the steps become shorter by themselves"
    assert (np.diff(heights(run)) < 0).all() and not (np.diff(heights(rolled(config, lr=1.01))) < 0).any()


@claims("gradient_descent: side-to-side")
def _(config: Any) -> None:
    run = rolled(config)
    assert (run.path.positions[1:] * run.path.positions[:-1] < 0).all() and run.ending == "global"
    assert rolled(config, lr=1.0).ending == "jumps" and rolled(config, lr=1.01).ending == "away"


@claims("gradient_descent: local-minimum")
def _(config: Any) -> None:
    run, other = rolled(config), rolled(config, x=-2.2)
    assert (run.ending, other.ending) == ("local", "global")
    assert run.path.positions[-1] > 0 > other.path.positions[-1]


@claims("gradient_descent: shelf")
def _(config: Any) -> None:
    run = rolled(config)
    assert run.ending == "flat_known" and abs(run.path.positions[-1]) < 0.01
    assert rolled(config, lr=0.5).ending == "bottomless", "a larger rate jumps over the edge"


@claims("gradient_descent: plateau")
def _(config: Any) -> None:
    run = rolled(config)
    assert run.path.steps == 300 and abs(run.path.positions[-1] - run.path.positions[0]) < 0.5
    assert rolled(config, x=2.5).ending == "global"


@claims("gradient_descent: corner")
def _(config: Any) -> None:
    run, closer = rolled(config), rolled(config, lr=0.03)
    assert np.allclose(np.abs(np.diff(run.path.positions[:, 0])), 0.3), "the steps never get shorter"
    assert run.ending == "jumps" and 3 * heights(closer)[-2:].max() <= heights(run)[-2:].min()


@claims("gradient_descent: zigzag")
def _(config: Any) -> None:
    across = rolled(config).path.positions[:, 1]
    assert (across[1:] * across[:-1] < 0).all()
    across = rolled(config, lr=0.1).path.positions[1:, 1]
    assert (across.abs() < 1e-9).all(), "one step to the bottom of the valley"
    assert rolled(config, lr=0.21).ending == "limit"


@claims("gradient_descent: saddle")
def _(config: Any) -> None:
    assert rolled(config).ending == "saddle"
    assert rolled(config, y=0.05).ending == "bottomless" and config.knobs()["y"].step == 0.05


@claims("gradient_descent: rosenbrock")
def _(config: Any) -> None:
    found = heights(rolled(config))
    assert found[5] < 0.05 * found[0] and found[-1] > 0.2 * found[5], "quickly in the valley, then slow"
    assert rolled(config, lr=0.003).ending != "steps" or heights(rolled(config, lr=0.003)).max() > found[5]


@claims("gradient_descent: your-own-surface")
def _(config: Any) -> None:
    assert rolled(config).ending == "minimum" and rolled(config, formula="x**2 + y**2").ending == "minimum"


def shares(config: Any, **values: Any) -> list[float]:
    """The share of the balls in each row of the table; the last row is of those in no minimum."""
    sheet = basins.draw(config.with_values(**values))
    return [float(row[3].removesuffix(" %")) for row in sheet.tables[0].rows]


@claims("gradient_descent: four-basins")
def _(config: Any) -> None:
    def borders(lr: float) -> int:
        """How many neighbours end in different minima: more where borders are ragged."""
        pixels = basins.draw(config.with_values(lr=lr)).charts["basins"]["maps"]["values"]
        kinds = np.asarray(pixels).reshape(basins.STARTS, basins.STARTS) // 32
        return int((np.diff(kinds, axis=0) != 0).sum() + (np.diff(kinds, axis=1) != 0).sum())

    assert len(shares(config)) == 5 and min(shares(config)[:4]) > 10
    assert borders(0.01) < borders(0.015) < borders(0.02)


@claims("gradient_descent: few-reach-the-global-minimum")
def _(config: Any) -> None:
    assert shares(config)[0] < 1.0 < 90 < shares(config)[1]


@claims("gradient_descent: limit")
def _(config: Any) -> None:
    assert "by 1 across it" in rates.draw(config).note
    beyond = rates.draw(config.with_values(share=round(config.share + config.knobs()["share"].step, 2))).note
    assert float(re.findall(r"by ([0-9.]+) across", beyond)[0]) > 1


@claims("gradient_descent: near-rosenbrocks-minimum")
def _(config: Any) -> None:
    note = rates.draw(config).note
    small, large = (float(each.replace(",", "")) for each in re.findall(r"\*\*([0-9.,]+)\*\*", note)[:2])
    assert (round(small, 1), round(large)) == (0.4, 1002)
    best = 2 / (small + large)
    assert 0.999 < 1 - best * small < 1


@claims("gradient_descent: small-steps")
def _(config: Any) -> None:
    run = rolled(config)
    assert (run.ending, run.path.steps) == ("steps", 100) and run.path.positions[-1].item() == pytest.approx(
        0.33, abs=5e-3
    )
    rates_ = [lr for lr in line.LEARNING_RATES if lr >= config.lr]
    assert next(lr for lr in rates_ if rolled(config, lr=lr).ending == "global") < 0.1, "one of them is the first"


@claims("gradient_descent: back-and-forth")
def _(config: Any) -> None:
    run = rolled(config)
    assert config.lr == 2 / run.landscape.largest_curvature and run.ending == "jumps"


@claims("gradient_descent: too-large")
def _(config: Any) -> None:
    run = rolled(config)
    assert run.ending == "limit" and (np.diff(np.abs(np.diff(run.path.positions[:, 0]))) > 0).all()
    assert run.draw(["height"], {}).charts["height"]["layout"]["yaxis"]["type"] == "log"


@claims("gradient_descent: global-minimum")
def _(config: Any) -> None:
    assert rolled(config).ending == "global" and rolled(config, x=2.1).ending == "local"


@claims("gradient_descent: out-of-the-local-minimum")
def _(config: Any) -> None:
    positions = rolled(config).path.positions
    assert positions[0] > 0 > positions[1], "the first step crosses the hill"
    assert rolled(config, lr=0.1).ending == "global" and rolled(config, lr=0.07).ending == "local"


@claims("gradient_descent: waves")
def _(config: Any) -> None:
    found = [rolled(config, lr=lr) for lr in line.LEARNING_RATES if config.lr <= lr <= 0.2]
    assert {each.ending for each in found} == {"local"}
    assert np.ptp([each.path.positions[-1].item() for each in found]) < 0.01
    assert abs(rolled(config, lr=0.4).path.positions[-1].item() - found[0].path.positions[-1].item()) > 2


@claims("gradient_descent: flat-bottom")
def _(config: Any) -> None:
    assert rolled(config).ending == "steps" and rolled(config).path.steps == 300
    assert rolled(config, lr=0.3).ending == "diverged"


@claims("gradient_descent: your-own-curve")
def _(config: Any) -> None:
    assert config.formula == "x**2/4 + cos(2*x)" and rolled(config).ending == "minimum"
    assert rolled(config, formula="x**2", lr=0.1).ending == "minimum"


@claims("gradient_descent: out-of-the-valley")
def _(config: Any) -> None:
    run = rolled(config)
    along, across = run.path.positions[:40].abs().T
    assert run.ending == "limit" and (np.diff(along) < 0).all() and (np.diff(across) > 0).all()
    assert rolled(config, lr=0.2).ending == "jumps", "the limit"


@claims("gradient_descent: bowl")
def _(config: Any) -> None:
    positions = rolled(config).path.positions
    straight = positions[:30] / positions[:30].norm(dim=1, keepdim=True)
    assert (straight - straight[0]).abs().max() < 1e-6 and rolled(config, lr=0.5).path.steps == 1


@claims("gradient_descent: saddle-with-a-push")
def _(config: Any) -> None:
    run = rolled(config)
    assert run.path.positions[0].tolist() == [2.5, 0.05] and run.ending == "bottomless"
    assert run.path.positions[15].norm() < run.path.positions[0].norm(), "at first towards the pass"


@claims("gradient_descent: himmelblau")
def _(config: Any) -> None:
    run = rolled(config)
    x, y = run.path.positions[-1].tolist()
    assert (run.ending, run.path.steps) == ("global", 19) and x < -3 and y < -3, "at the lower left"
    assert rolled(config, lr=0.02).ending == "steps"


@claims("gradient_descent: rastrigin")
def _(config: Any) -> None:
    run = rolled(config)
    assert run.ending == "local" and heights(run)[-1] == pytest.approx(7.96, abs=5e-3)
    assert all(rolled(config, lr=lr).ending in ("steps", "jumps") for lr in (0.005, 0.007, 0.01))


@claims("gradient_descent: dip-in-a-plain")
def _(config: Any) -> None:
    run = rolled(config)
    assert run.ending == "global" and heights(run)[10] > 0.9 * heights(run)[0], "slow at first"
    assert rolled(config, x=3.5).ending == "steps"


@claims("gradient_descent: local-minimum-of-a-surface")
def _(config: Any) -> None:
    assert (rolled(config).ending, rolled(config, lr=0.15).ending) == ("local", "global")


def ending_nowhere(config: Any, **values: Any) -> float:
    """The share of the balls that end in no minimum, in percent."""
    return shares(config, **values)[-1]


@claims("gradient_descent: after-ten-steps")
def _(config: Any) -> None:
    left = [ending_nowhere(config, steps=steps) for steps in (10, 25, 50, 100)]
    assert 90 < left[0] < 100 and left == sorted(left, reverse=True)


@claims("gradient_descent: large-steps")
def _(config: Any) -> None:
    assert ending_nowhere(config) == pytest.approx(50, abs=2) and shares(config).count(0.0) == 2


@claims("gradient_descent: steps-that-are-too-large")
def _(config: Any) -> None:
    assert ending_nowhere(config) == 100 and "No ball ends in a minimum" in basins.draw(config).note


@claims("gradient_descent: local-and-global")
def _(config: Any) -> None:
    assert shares(config)[0] == pytest.approx(52, abs=0.5)


@claims("gradient_descent: many-dips-large-steps")
def _(config: Any) -> None:
    assert ending_nowhere(config) == 100 and ending_nowhere(config, lr=0.003) == 0


@claims("gradient_descent: plain-around-a-dip")
def _(config: Any) -> None:
    assert ending_nowhere(config) == pytest.approx(40, abs=1) and 30 < ending_nowhere(config, steps=150) < 36


@claims("gradient_descent: basins-of-your-own-surface")
def _(config: Any) -> None:
    assert len(shares(config)) >= 3 and ending_nowhere(config) < 1


def test_where_no_ball_ends_in_a_minimum_the_page_says_why() -> None:
    assert "No ball ends in a minimum" not in basins.draw(basins.BasinsConfig()).note
    few = basins.draw(basins.BasinsConfig(surface="plateau", lr=0.0001, steps=5)).note
    assert few.startswith("**No ball has reached a minimum after 5 steps.**")


def factors(config: Any, **values: Any) -> list[float]:
    """The factors of a step along and across the valley, as the note says them."""
    note = rates.draw(config.with_values(**values)).note
    return [float(each) for each in re.findall(r"by ([0-9.e−]+) (?:along|across)", note)]


@claims("gradient_descent: just-below-the-limit")
def _(config: Any) -> None:
    assert factors(config) == [0.82, 0.8]
    assert factors(config, share=0.91) == pytest.approx([0.818, 0.82]), "they are equal in between"


@claims("gradient_descent: just-above-the-limit")
def _(config: Any) -> None:
    assert factors(config)[1] == 1.1 and 16.5 < 1.1**30 < 17.5


@claims("gradient_descent: round-valley")
def _(config: Any) -> None:
    assert factors(config) == [0, 0]
    assert all(max(factors(config, large=5.0, share=share)) > 0.6 for share in (0.2, 0.5, 0.8, 1.0))


@claims("gradient_descent: longer-valley")
def _(config: Any) -> None:
    assert 0.995 < factors(config)[0] < 1 and config.large / config.small == 500


@claims("gradient_descent: near-himmelblaus-minimum")
def _(config: Any) -> None:
    along, across = factors(config)
    assert along < 1 and across == 1.1


def test_the_script_of_the_page_is_the_same_ball_as_in_the_lab() -> None:
    code = LESSONS["gradient_descent"].prose["In PyTorch"].split("```python\n")[1].split("```")[0]
    printed: list[tuple[Any, ...]] = []
    exec(code, {"print": lambda *values: printed.append(values)})
    ((steps, place),) = printed
    run = rolled(surface.SurfaceConfig())
    assert steps == run.path.steps and place == pytest.approx(run.path.positions[-1].tolist(), abs=1e-6)


# Data loader


def loaded(config: Any, **values: Any) -> Any:
    """The run of the lab Batches with all batches read, without worker processes."""
    run = batches.build(config.with_values(workers=0, **values))
    while not run.outcome:
        run.advance(1.0, 1000)
    return run


def order(run: Any) -> Any:
    return run.order(run.steps)


@claims("data_loader: tutorial")
def _(config: Any) -> None:
    assert (config.samples, config.batch_size, config.epochs, config.workers) == (10, 5, 3, 2)
    one, again, other = loaded(config), loaded(config), loaded(config, seed=config.seed + 1)
    checksums = [run.status(run.steps)["order"] for run in (one, again, other)]
    assert checksums[0] == checksums[1] != checksums[2]


@claims("data_loader: bug-in-print")
def _(config: Any) -> None:
    run = loaded(config)
    lines, bug = (
        run.draw(["printed"], {"bug": on}).charts["printed"]["layout"]["meta"]["words"].splitlines()
        for on in (False, True)
    )
    assert (
        lines[2].endswith("batch y: [10.  9.  8.  7.  6.]") and "<built-in method numpy of Tensor object at" in bug[2]
    )


@claims("data_loader: short-last-batch")
def _(config: Any) -> None:
    run, dropping = loaded(config), loaded(config, drop_last=True)
    assert "leave 2 for the last batch" in run.narrate(3) and "Samples left out: 2 of 10" in dropping.narrate(2)
    left = [frozenset(range(1, 11)) - set(epoch.tolist()) for epoch in order(dropping)]
    assert all(len(each) == 2 for each in left) and len(set(left)) > 1


@claims("data_loader: drop-last")
def _(config: Any) -> None:
    run, unshuffled = loaded(config), loaded(config, shuffle=False)
    left, same = (
        [frozenset(range(1, 11)) - set(epoch.tolist()) for epoch in order(each)] for each in (run, unshuffled)
    )
    assert all(len(each) == 2 for each in left) and len(set(left)) > 1 and set(same) == {frozenset({9, 10})}


@claims("data_loader: weighted")
def _(config: Any) -> None:
    run = loaded(config)
    assert "Not drawn yet: 1 of 10 samples" in run.narrate(run.steps)
    assert "10 ten times as often as 1" in str(config.knobs()["sampler"].help)


@claims("data_loader: with-replacement")
def _(config: Any) -> None:
    run = loaded(config)
    assert "Not drawn yet: 14 of 30" in run.narrate(3), "16 have been drawn"
    assert "Not drawn yet: 1 of 30" in run.narrate(run.steps), "five epochs are not enough"
    longer = loaded(config, epochs=6)
    assert "Each of the 30 samples has been drawn" in longer.narrate(longer.steps)


def measured(config: Any) -> None:
    """What is measured on this server while one looks depends on the server; the settings must be those of the text."""
    assert isinstance(config, timeline.TimelineConfig)


@claims("data_loader: workers-help")
def _(config: Any) -> None:
    measured(config)
    assert (config.item_ms, config.batch_ms, config.cost) == (30, 20, "waiting")


@claims("data_loader: workers-hurt")
def _(config: Any) -> None:
    measured(config)
    assert config.item_ms == config.batch_ms == 0


@claims("data_loader: as-on-windows")
def _(config: Any) -> None:
    measured(config)
    assert config.start == "spawn" and config.epochs == 2 and not config.persistent
    assert config.knobs()["persistent"].applies_to(config)


@claims("data_loader: persistent-workers")
def _(config: Any) -> None:
    measured(config)
    assert config.start == "spawn" and config.epochs == 2 and config.persistent


@claims("data_loader: work-for-the-processor")
def _(config: Any) -> None:
    measured(config)
    assert config.cost == "computing" and config.item_ms > 0


def cosines(config: Any, size: int) -> Any:
    x, y, at = noise.draw_points(config)
    generator = torch.Generator().manual_seed(config.seed)
    rows = noise.batch_gradients(noise.gradient_of_each(x, y, at), size, generator)
    return noise.cosines(rows, noise.gradient(x, y, at))


@claims("data_loader: one-sample")
def _(config: Any) -> None:
    rows = {row[0]: row for row in noise.draw(config).tables[0].rows}
    assert float(rows["1"][2]) < 0.5 and (cosines(config, 1) < 0).any()
    assert [float(rows[str(size)][2]) for size in (1, 4, 16, 64)] == sorted(
        float(rows[str(size)][2]) for size in (1, 4, 16, 64)
    )


@claims("data_loader: near-the-goal")
def _(config: Any) -> None:
    assert config.batch_size == 16
    assert cosines(config, 16).min() < 0.5 and cosines(config.with_values(distance=1.0), 16).mean() > 0.9


def row_of(config: Any, size: int) -> list[float]:
    """The updates per epoch, the mean cosine, the measured noise and the noise by the formula of a batch size."""
    rows = {row[0]: row[1:] for row in noise.draw(config).tables[0].rows}
    return [float(cell) for cell in rows[str(size)]]


@claims("data_loader: batches-of-4")
def _(config: Any) -> None:
    updates, cosine, *_ = row_of(config, 4)
    assert updates == 32 and cosine > 0.85 and (cosines(config, 4) > 0).float().mean() > 0.9


@claims("data_loader: all-at-once")
def _(config: Any) -> None:
    assert row_of(config, 128) == [1, 1, 0, 0] and config.batch_size == config.samples == 128
    (updates, *_, at_4), (fewer, *_, at_16) = row_of(config, 4), row_of(config, 16)
    assert updates == 4 * fewer and at_4 == pytest.approx(2 * at_16, rel=0.1)


@claims("data_loader: no-noise-in-y")
def _(config: Any) -> None:
    assert config.spread == 0 and row_of(config, 4)[1] < 0.95


def losses(config: Any, **values: Any) -> list[list[float]]:
    """Of the training in order and of the shuffled one: the loss at the end, the highest and the lowest of an epoch."""
    return [
        [float(cell) for cell in row[1:]] for row in sorted_labels.draw(config.with_values(**values)).tables[0].rows
    ]


@claims("data_loader: saw-tooth")
def _(config: Any) -> None:
    (end, high, low), (mixed, most, least) = losses(config)
    assert high - low > 5 * (most - least) and end > mixed
    (small_end, *_), (small_mixed, *_) = losses(config, lr=0.03)
    assert abs(small_end - small_mixed) < 0.01, "the two lines are nearly one"
    assert mixed < small_end < end, "they forget less, and learn less"


@claims("data_loader: small-steps")
def _(config: Any) -> None:
    (end, *_), (mixed, *_) = losses(config)
    assert abs(end - mixed) < 0.01 and mixed > losses(config, lr=2.0)[1][0], "they learn less"


@claims("data_loader: larger-steps")
def _(config: Any) -> None:
    (end, high, low), (mixed, most, _) = losses(config)
    (_, lower, higher), _ = losses(config, lr=2.0)
    assert config.lr == max(config.knobs()["lr"].options) and high - low > lower - higher, "the teeth are longer"
    assert high > sorted_labels.CHANCE > 0.65 < end and most < 0.45 and mixed < 0.4


@claims("data_loader: batch-of-everything")
def _(config: Any) -> None:
    one, two = losses(config)
    assert one == two


# Convolution


def convolved(config: Any, **values: Any) -> Any:
    return slide.SlideRun(config.with_values(**values), Settings())


@claims("convolution: vertical-edges")
def _(config: Any) -> None:
    run = convolved(config)
    run.advance(60.0, 10_000)
    place = run.place(run.steps)
    assert abs(run.output[place]) == run.output.abs().max() > 0
    assert run.output[0, 0] == 0 and run.patch(0, 0).unique().numel() == 1, "equal pixels give 0"


@claims("convolution: horizontal-edges")
def _(config: Any) -> None:
    run, vertical = convolved(config), convolved(config, kernel="vertical")
    assert torch.equal(run.kernel, vertical.kernel.T), "turned by 90 degrees, or mirrored at the diagonal"
    assert run.output.max() > 1000 and run.output.min() < -1000, "edges of opposite signs"


@claims("convolution: sharpen")
def _(config: Any) -> None:
    run = convolved(config)
    assert run.kernel.sum() == 1 and run.output.max() == 704 > run.image.max()


@claims("convolution: outline")
def _(config: Any) -> None:
    run = convolved(config)
    inside = run.image[1:-1, 1:-1] > 200
    assert run.kernel.sum() == 0 and run.output[inside].mean() > 0 > run.output[run.image[1:-1, 1:-1] == 0].mean()


@claims("convolution: emboss")
def _(config: Any) -> None:
    kernel = slide.kernel_of(config)
    assert kernel.sum() == 1 and (kernel[0, :2] < 0).all() and (kernel[2, 1:] > 0).all()
    assert kernel[0, 0] == -kernel[2, 2]


@claims("convolution: one-row-only")
def _(config: Any) -> None:
    run = convolved(config)
    assert torch.equal(run.output, run.image[:, 1:] - run.image[:, :-1])


@claims("convolution: kernel-that-does-nothing")
def _(config: Any) -> None:
    run = convolved(config)
    assert torch.equal(run.output, run.image[1:-1, 1:-1])
    assert torch.equal(convolved(config, padding=1).output, run.image)


@claims("convolution: move-the-one")
def _(config: Any) -> None:
    run = convolved(config)
    assert torch.equal(run.output[1:, 1:], run.image[:-1, :-1]), "down and to the right"


@claims("convolution: blur")
def _(config: Any) -> None:
    kernel = slide.kernel_of(config)
    assert (kernel > 0).all() and kernel.sum() == 1
    run = convolved(config)
    run.advance(60.0, 10_000)
    before = run.output.clone()
    run.tune(config.with_values(kernel="sharpen"))
    assert run.outcome == "done" and not torch.equal(run.output, before), "the whole output changes at once"


@claims("convolution: untrained")
def _(config: Any) -> None:
    outputs = [convolved(config, seed=seed).output for seed in range(5)]
    assert outputs[0].shape == (28, 28)
    assert all((each > 0).any() and (each < 0).any() for each in outputs), "edges: both signs"


@claims("convolution: stride-3")
def _(config: Any) -> None:
    run = convolved(config)
    assert run.output.shape == (9, 9) and len(slide.unused(run.rows, run.columns)) == 2


@claims("convolution: max-pooling")
def _(config: Any) -> None:
    most, average = (
        pooling.PoolingRun(config.with_values(kind=kind), Settings()).output for kind in ("max", "average")
    )
    assert most.shape == (14, 14) and most.mean() > 1.2 * average.mean(), "the strokes stay strong, then fade"


def pooled(config: Any, **values: Any) -> Any:
    return pooling.PoolingRun(config.with_values(**values), Settings()).output


@claims("convolution: average-pooling")
def _(config: Any) -> None:
    most, average = pooled(config, kind="max"), pooled(config)
    assert (average <= most).all() and (average[most > 250] < 200).any(), "weaker at the edges"


@claims("convolution: overlapping-windows")
def _(config: Any) -> None:
    assert (
        pooled(config).shape == (13, 13)
        and (pooled(config) > 128).float().mean() > (pooled(config, window=2, stride=0) > 128).float().mean()
    ), "thicker"


@claims("convolution: seven-numbers-a-row")
def _(config: Any) -> None:
    assert pooled(config).shape == (7, 7)


@claims("convolution: window-that-does-not-fit")
def _(config: Any) -> None:
    assert pooled(config).shape == (5, 5) and pooling.Axis(28, 5, 5).unread() == [25, 26, 27]


@claims("convolution: 28-stays-28")
def _(config: Any) -> None:
    assert "becomes **28 × 28**" in sizes.draw_sizes(config).note
    fits = [
        p for p in range(9) if "becomes **28 × 28**" in sizes.draw_sizes(config.with_values(window=7, padding=p)).note
    ]
    assert fits == [3]


def axis_of(config: Any, **values: Any) -> Any:
    changed = config.with_values(**values)
    return sizes.Axis(changed.size, changed.window, changed.stride, changed.padding, changed.dilation)


@claims("convolution: no-padding")
def _(config: Any) -> None:
    assert axis_of(config).out == 24 and axis_of(config).starts()[0] == 0


@claims("convolution: half-the-size")
def _(config: Any) -> None:
    assert axis_of(config).out == 14 and axis_of(config).unread() == [] and axis_of(config, size=27).unread() == [26]


@claims("convolution: stride-that-does-not-fit")
def _(config: Any) -> None:
    assert axis_of(config).unread() == [26, 27]
    assert any(axis_of(config, padding=padding).rest == 0 for padding in range(4))
    assert any(axis_of(config, size=size).rest == 0 for size in (26, 29))


@claims("convolution: only-padding-is-lost")
def _(config: Any) -> None:
    assert axis_of(config).out == 14 and axis_of(config).rest == 1 and axis_of(config).unread() == []


@claims("convolution: dilation")
def _(config: Any) -> None:
    assert axis_of(config).span == 7 and axis_of(config).window == 3 and axis_of(config).unread() == []


@claims("convolution: windows-with-gaps")
def _(config: Any) -> None:
    unread = axis_of(config).unread()
    assert len(unread) == 14 and unread[-2:] == [26, 27] and "12 of the 28 pixels" in sizes.draw_sizes(config).note


@claims("convolution: window-that-is-too-large")
def _(config: Any) -> None:
    for padding, fits in ((0, False), (1, False), (2, True)):
        assert (axis_of(config, padding=padding).room >= 0) is fits


def images(config: Any, layers: str = "") -> list[str]:
    """The size of each layer's output, as in the table."""
    sheet = chain.draw_chain(config.with_values(layers=layers) if layers else config)
    return [row[3] for row in sheet.tables[0].rows]


@claims("convolution: tutorial-sizes")
def _(config: Any) -> None:
    assert images(config) == ["16 × 28 × 28", "16 × 14 × 14", "32 × 14 × 14", "32 × 7 × 7"]
    assert "**1,568 numbers**" in chain.draw_chain(config).note
    assert images(config, config.layers.replace(" pad 2", ""))[-1] == "32 × 4 × 4"


@claims("convolution: three-small-for-one-large")
def _(config: Any) -> None:
    small, large = (
        chain.draw_chain(config).note,
        chain.draw_chain(config.with_values(layers="conv 7 pad 3 maps 16")).note,
    )
    assert "depends on 7 × 7" in small and "depends on 7 × 7" in large
    assert "**6,960 parameters**" in small and "**12,560 parameters**" in large


@claims("convolution: without-padding")
def _(config: Any) -> None:
    padded, bare = (chain.draw_chain(each).note for each in (chain.ChainConfig(), config))
    assert "**512 numbers**" in bare and "**1,568 numbers**" in padded
    assert all("16 × 16 pixels" in note and "**13,248 parameters**" in note for note in (padded, bare))


@claims("convolution: one-large-for-three-small")
def _(config: Any) -> None:
    note = chain.draw_chain(config).note
    assert "**12,560 parameters**" in note and "7 × 7 pixels" in note


@claims("convolution: strides-instead-of-pooling")
def _(config: Any) -> None:
    note = chain.draw_chain(config).note
    assert "**1,568 numbers**" in note and "**13,248 parameters**" in note and "13 × 13 pixels" in note


@claims("convolution: lenet-5")
def _(config: Any) -> None:
    note = chain.draw_chain(config).note
    assert config.size == 32 and "120 × 1 × 1" in note and "32 × 32 pixels" in note
    with pytest.raises(ValueError, match="The window spans"):
        chain.draw_chain(config.with_values(size=28))


@claims("convolution: pooled-too-often")
def _(config: Any) -> None:
    with pytest.raises(ValueError, match="only one"):
        chain.draw_chain(config)
    assert images(config, "pool 2; pool 2; pool 2; pool 2")[-1] == "1 × 1 × 1"


# Save and restore


@claims("checkpoints: tutorial")
def _(config: Any) -> None:
    first, files = ways.draw_ways(config).tables
    assert [row[3] for row in first.rows] == ["", "yes", "yes"]
    data = [row for row in files.rows if row[0].startswith("data/")]
    assert data and all(row[1] == row[2] for row in data), "the numbers take the same space in both"
    whole, params = (int(each.replace(",", "")) for each in files.rows[-1][1:])
    assert whole > params


@claims("checkpoints: load-forgotten")
def _(config: Any) -> None:
    assert [row[3] for row in ways.draw_ways(config).tables[0].rows] == ["", "yes", "no"]


@claims("checkpoints: why-so-large")
def _(config: Any) -> None:
    assert config.hidden == 64
    small, large = (len(ways.save_both(ways.trained_net(hidden, 100, 1))[1]) for hidden in (10, 64))
    assert 0 <= large - small < 600


@claims("checkpoints: what-has-changed")
def _(config: Any) -> None:
    for after in (10, 100, 200):
        change = np.array(inside.draw_inside(config.with_values(after=after)).charts["layer"]["data"][2]["z"])
        assert [unit for unit in range(10) if not change[unit].any()] == [8, 9]


@claims("checkpoints: late-in-training")
def _(config: Any) -> None:
    before, after, difference = (panel["zmax"] for panel in inside.draw_inside(config).charts["layer"]["data"])
    assert before == after > 20 * difference


def message(config: Any, **values: Any) -> str:
    return mismatch.draw_mismatch(config.with_values(**values)).tables[0].rows[0][0]


@claims("checkpoints: wrong-width")
def _(config: Any) -> None:
    assert "copying a param with shape torch.Size([10, 1]) from checkpoint" in message(config)
    assert "the shape in current model is torch.Size([12, 1])" in message(config)
    assert message(config, strict=False) == message(config)


@claims("checkpoints: prefix")
def _(config: Any) -> None:
    keys = mismatch.draw_mismatch(config).tables[1].rows
    assert {row[3] for row in keys} == {"missing", "unexpected"}
    assert "module.0.weight" in message(config, strict=False) and "RuntimeError" not in message(config, strict=False)


@claims("checkpoints: no-message")
def _(config: Any) -> None:
    assert message(config) == mismatch.LOADED
    one, two = (np.asarray(trace["y"]) for trace in mismatch.draw_mismatch(config).charts["curves"]["data"][:2])
    assert np.abs(one - two).max() > 0.1


def equal(config: Any, **values: Any) -> list[str]:
    return [row[3] for row in resume.draw_resume(config.with_values(**values)).tables[0].rows][1:]


@claims("checkpoints: resumed-with-adam")
def _(config: Any) -> None:
    assert equal(config) == ["no", "no", "yes"]
    whole, weights_only, *_ = resume.trainings(config)
    assert float(weights_only.losses[1]) > 2 * float(whole.losses[config.stop + 1]), "the loss jumps"


@claims("checkpoints: resumed-with-sgd")
def _(config: Any) -> None:
    _, weights_only, optimizer, _ = resume.trainings(config)
    assert torch.equal(weights_only.parameters, optimizer.parameters) and equal(config) == ["no", "no", "yes"]
    assert equal(config, batch_size=0) == ["yes"] * 3


@claims("checkpoints: command-in-a-file")
def _(config: Any) -> None:
    report, table = pickles.draw_pickle(config).tables
    opcodes = [(row[1], row[2]) for row in table.rows]
    at = next(index for index, (name, argument) in enumerate(opcodes) if name == "GLOBAL" and "system" in argument)
    assert "REDUCE" in [name for name, _ in opcodes[at:]] and "Weights only load failed" in report.rows[0][0]


@claims("checkpoints: output-layer")
def _(config: Any) -> None:
    rows = inside.draw_inside(config).tables[0].rows
    changes = {row[0]: float(row[7]) for row in rows[:-1]}
    assert max(changes, key=lambda name: changes[name]) == "2.weight"
    before, after = inside.checkpoints("regression")[0]["2.weight"], inside.checkpoints("regression")[-1]["2.weight"]
    assert [unit for unit in range(10) if before[0, unit] == after[0, unit]] == [8, 9]


@claims("checkpoints: larger-model")
def _(config: Any) -> None:
    every = inside.checkpoints("spiral")
    before, after = every[0]["2.weight"], every[-1]["2.weight"]
    assert before.shape == (12, 12) and (before != after).all() and (after - before).abs().max() < 0.3
    assert before.std() < after.std() < 1.5 * before.std(), "a little wider"


@claims("checkpoints: strict-off")
def _(config: Any) -> None:
    assert "missing_keys=['2.bias']" in message(config) and "RuntimeError" not in message(config)
    one, two = (np.asarray(trace["y"]) for trace in mismatch.draw_mismatch(config).charts["curves"]["data"][:2])
    assert np.ptp(one - two) < 1e-5 < abs(one - two).min(), "shifted"


@claims("checkpoints: sgd-all-points")
def _(config: Any) -> None:
    assert equal(config) == ["yes"] * 3


@claims("checkpoints: momentum-all-points")
def _(config: Any) -> None:
    assert equal(config) == ["no", "yes", "yes"]
    whole, weights_only, *_ = resume.trainings(config)
    assert weights_only.losses[1:].mean() > 1.2 * whole.losses[config.stop + 1 :].mean(), "it falls behind"


@claims("checkpoints: whole-model")
def _(config: Any) -> None:
    kinds = [pickles.kind_of(name) for _, name, _ in pickles.opcodes(pickles.file_of(config.file))]
    assert (kinds.count(pickles.KINDS[0]), kinds.count(pickles.KINDS[1])) == (8, 76)
    assert "Weights only load failed" in pickles.draw_pickle(config).tables[0].rows[0][0]


@claims("checkpoints: state-dict")
def _(config: Any) -> None:
    kinds = [pickles.kind_of(name) for _, name, _ in pickles.opcodes(pickles.file_of(config.file))]
    assert kinds.count(pickles.KINDS[0]) == 3 and pickles.draw_pickle(config).tables[0].rows[0][0] == pickles.LOADED
