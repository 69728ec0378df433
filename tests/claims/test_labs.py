"""What “Try this” and the presets of four pages of labs say happens, does: each experiment has a check here."""

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
    f"{name}: {each.title}": (each.bench, each.config, f"{each.before} {each.after}")
    for name in PAGES
    for each in experiments(LESSONS[name])
}
CHECKS: dict[str, Callable[[Any], None]] = {}


def claims(title: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register the check of an experiment, which gets the experiment's config."""

    def register(check: Callable[[Any], None]) -> Callable[[Any], None]:
        CHECKS[title] = check
        return check

    return register


@pytest.mark.parametrize("title", EXPERIMENTS)
def test_what_an_experiment_says_happens(title: str) -> None:
    assert title in CHECKS, "say in this file what happens in a new experiment"
    CHECKS[title](EXPERIMENTS[title][1])


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


@claims("gradient_descent: Down the parabola")
def _(config: Any) -> None:
    run = rolled(config)
    lengths = np.abs(np.diff(run.path.positions[:, 0]))
    assert run.ending == "global" and (np.diff(lengths) < 0).all(), "the steps become shorter by themselves"
    assert (np.diff(heights(run)) < 0).all() and not (np.diff(heights(rolled(config, lr=1.01))) < 0).any()


@claims("gradient_descent: From side to side")
def _(config: Any) -> None:
    run = rolled(config)
    assert (run.path.positions[1:] * run.path.positions[:-1] < 0).all() and run.ending == "global"
    assert rolled(config, lr=1.0).ending == "jumps" and rolled(config, lr=1.01).ending == "away"


@claims("gradient_descent: The local minimum")
def _(config: Any) -> None:
    run, other = rolled(config), rolled(config, x=-2.2)
    assert (run.ending, other.ending) == ("local", "global")
    assert run.path.positions[-1] > 0 > other.path.positions[-1]


@claims("gradient_descent: A shelf")
def _(config: Any) -> None:
    run = rolled(config)
    assert run.ending == "flat_known" and abs(run.path.positions[-1]) < 0.01
    assert rolled(config, lr=0.5).ending == "bottomless", "a larger rate jumps over the edge"


@claims("gradient_descent: A plateau")
def _(config: Any) -> None:
    run = rolled(config)
    assert run.path.steps == 300 and abs(run.path.positions[-1] - run.path.positions[0]) < 0.5
    assert rolled(config, x=2.5).ending == "global"


@claims("gradient_descent: A corner")
def _(config: Any) -> None:
    run, closer = rolled(config), rolled(config, lr=0.03)
    assert np.allclose(np.abs(np.diff(run.path.positions[:, 0])), 0.3), "the steps never get shorter"
    assert run.ending == "jumps" and 3 * heights(closer)[-2:].max() <= heights(run)[-2:].min()


@claims("gradient_descent: Zigzag")
def _(config: Any) -> None:
    across = rolled(config).path.positions[:, 1]
    assert (across[1:] * across[:-1] < 0).all()
    across = rolled(config, lr=0.1).path.positions[1:, 1]
    assert (across.abs() < 1e-9).all(), "one step to the bottom of the valley"
    assert rolled(config, lr=0.21).ending == "limit"


@claims("gradient_descent: A saddle")
def _(config: Any) -> None:
    assert rolled(config).ending == "saddle"
    assert rolled(config, y=0.05).ending == "bottomless" and config.knobs()["y"].step == 0.05


@claims("gradient_descent: Rosenbrock’s valley")
def _(config: Any) -> None:
    found = heights(rolled(config))
    assert found[5] < 0.05 * found[0] and found[-1] > 0.2 * found[5], "quickly in the valley, then slow"
    assert rolled(config, lr=0.003).ending != "steps" or heights(rolled(config, lr=0.003)).max() > found[5]


@claims("gradient_descent: Your own surface")
def _(config: Any) -> None:
    assert rolled(config).ending == "minimum" and rolled(config, formula="x**2 + y**2").ending == "minimum"


def shares(config: Any, **values: Any) -> list[float]:
    """The share of the balls in each row of the table; the last row is of those in no minimum."""
    sheet = basins.draw(config.with_values(**values))
    return [float(row[3].removesuffix(" %")) for row in sheet.tables[0].rows]


@claims("gradient_descent: Four basins")
def _(config: Any) -> None:
    def borders(lr: float) -> int:
        """How many neighbours end in different minima: more where borders are ragged."""
        pixels = basins.draw(config.with_values(lr=lr)).charts["basins"]["maps"]["values"]
        kinds = np.asarray(pixels).reshape(basins.STARTS, basins.STARTS) // 32
        return int((np.diff(kinds, axis=0) != 0).sum() + (np.diff(kinds, axis=1) != 0).sum())

    assert len(shares(config)) == 5 and min(shares(config)[:4]) > 10
    assert borders(0.01) < borders(0.015) < borders(0.02)


@claims("gradient_descent: Few reach the global minimum")
def _(config: Any) -> None:
    assert shares(config)[0] < 1.0 < 90 < shares(config)[1]


@claims("gradient_descent: The limit")
def _(config: Any) -> None:
    assert "by 1 across it" in rates.draw(config).note
    beyond = rates.draw(config.with_values(share=round(config.share + config.knobs()["share"].step, 2))).note
    assert float(re.findall(r"by ([0-9.]+) across", beyond)[0]) > 1


@claims("gradient_descent: The same near Rosenbrock’s minimum")
def _(config: Any) -> None:
    note = rates.draw(config).note
    small, large = (float(each.replace(",", "")) for each in re.findall(r"\*\*([0-9.,]+)\*\*", note)[:2])
    assert (round(small, 1), round(large)) == (0.4, 1002)
    best = 2 / (small + large)
    assert 0.999 < 1 - best * small < 1


ENDINGS = {
    "Parabola": "global", "Small steps": "steps", "From side to side": "global", "Back and forth": "jumps",
    "Too large": "limit", "The local minimum": "local", "The global minimum": "global", "Waves": "local",
    "Plateau": "steps", "Flat bottom": "steps", "Shelf": "flat_known", "Corner": "jumps", "Your own": "minimum",
    "A long valley": "global",
    "Bowl": "global", "Saddle": "saddle", "Saddle, with a push": "bottomless", "Rosenbrock": "steps",
    "Himmelblau": "global", "Rastrigin": "local",
}  # fmt: skip


@pytest.mark.parametrize("lab", [line.LAB, surface.LAB], ids=lambda lab: lab.name)
def test_presets_of_a_ball_end_as_they_are_called(lab: Any) -> None:
    for title, values in lab.presets.items():
        run = rolled(lab.config(**values))
        if title == "Out of the local one":
            assert run.path.positions[0] > 0 > run.path.positions[-1]
        elif (lab.name, title) == ("gradient_descent_surface", "Plateau"):
            assert run.ending == "global" and heights(run)[10] > 0.9 * heights(run)[0], "slow at first"
        else:
            assert run.ending == ENDINGS[title], title


def test_where_no_ball_ends_in_a_minimum_the_page_says_why() -> None:
    for title, reached in (("Himmelblau", True), ("Steps that are too large", False)):
        config = basins.LAB.config(**basins.LAB.presets[title])
        assert (shares(config)[-1] < 100, "No ball ends in a minimum" not in basins.draw(config).note) == (reached,) * 2
    few = basins.draw(basins.BasinsConfig(surface="plateau", lr=0.0001, steps=5)).note
    assert few.startswith("**No ball has reached a minimum after 5 steps.**")


def test_presets_of_a_rate_are_on_the_side_of_the_limit_that_they_say() -> None:
    across = {}
    for title, values in rates.LAB.presets.items():
        along, across[title] = (
            float(each)
            for each in re.findall(r"by ([0-9.e−]+) (?:along|across)", rates.draw(rates.RatesConfig(**values)).note)
        )
        assert along <= 1
    assert across["Just below the limit"] < across["At the limit"] == 1 < across["Just above it"]
    assert across["Round"] == 0 and across["Himmelblau"] > 1


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


@claims("data_loader: The tutorial, exactly")
def _(config: Any) -> None:
    assert (config.samples, config.batch_size, config.epochs, config.workers) == (10, 5, 3, 2)
    one, again, other = loaded(config), loaded(config), loaded(config, seed=config.seed + 1)
    checksums = [run.status(run.steps)["order"] for run in (one, again, other)]
    assert checksums[0] == checksums[1] != checksums[2]


@claims("data_loader: A bug in print")
def _(config: Any) -> None:
    run = loaded(config)
    lines, bug = (
        run.draw(["printed"], {"bug": on}).charts["printed"]["layout"]["meta"]["words"].splitlines()
        for on in (False, True)
    )
    assert (
        lines[2].endswith("batch y: [10.  9.  8.  7.  6.]") and "<built-in method numpy of Tensor object at" in bug[2]
    )


@claims("data_loader: The short last batch")
def _(config: Any) -> None:
    run, dropping = loaded(config), loaded(config, drop_last=True)
    assert "leave 2 for the last batch" in run.narrate(3) and "Samples left out: 2 of 10" in dropping.narrate(2)
    left = [frozenset(range(1, 11)) - set(epoch.tolist()) for epoch in order(dropping)]
    assert all(len(each) == 2 for each in left) and len(set(left)) > 1


@claims("data_loader: Some more than others")
def _(config: Any) -> None:
    run = loaded(config)
    assert "Not drawn yet: 1 of 10 samples" in run.narrate(run.steps)
    assert "10 ten times as often as 1" in str(config.knobs()["sampler"].help)


@claims("data_loader: Drawn with replacement")
def _(config: Any) -> None:
    run = loaded(config)
    assert "Not drawn yet: 14 of 30" in run.narrate(3), "16 have been drawn"
    assert "Not drawn yet: 1 of 30" in run.narrate(run.steps), "five epochs are not enough"
    longer = loaded(config, epochs=6)
    assert "Each of the 30 samples has been drawn" in longer.narrate(longer.steps)


def measured(config: Any) -> None:
    """What is measured on this server while one looks depends on the server; the settings must be those of the text."""
    assert isinstance(config, timeline.TimelineConfig)


@claims("data_loader: When workers help")
def _(config: Any) -> None:
    measured(config)
    assert config.item_ms >= 20 and config.cost == "waiting"


@claims("data_loader: When workers hurt")
def _(config: Any) -> None:
    measured(config)
    assert config.item_ms == config.batch_ms == 0


@claims("data_loader: As on Windows")
def _(config: Any) -> None:
    measured(config)
    assert config.start == "spawn" and config.epochs == 2 and not config.persistent
    assert config.knobs()["persistent"].applies_to(config)


@claims("data_loader: Work for the processor")
def _(config: Any) -> None:
    measured(config)
    assert config.cost == "computing" and config.item_ms > 0


def cosines(config: Any, size: int) -> Any:
    x, y, at = noise.draw_points(config)
    generator = torch.Generator().manual_seed(config.seed)
    rows = noise.batch_gradients(noise.gradient_of_each(x, y, at), size, generator)
    return noise.cosines(rows, noise.gradient(x, y, at))


@claims("data_loader: A guess from one sample")
def _(config: Any) -> None:
    rows = {row[0]: row for row in noise.draw(config).tables[0].rows}
    assert float(rows["1"][2]) < 0.5 and (cosines(config, 1) < 0).any()
    assert [float(rows[str(size)][2]) for size in (1, 4, 16, 64)] == sorted(
        float(rows[str(size)][2]) for size in (1, 4, 16, 64)
    )


@claims("data_loader: Near the goal")
def _(config: Any) -> None:
    assert config.batch_size == 16
    assert cosines(config, 16).min() < 0.5 and cosines(config.with_values(distance=1.0), 16).mean() > 0.9


def losses(config: Any, **values: Any) -> list[list[float]]:
    """Of the training in order and of the shuffled one: the loss at the end, the highest and the lowest of an epoch."""
    return [
        [float(cell) for cell in row[1:]] for row in sorted_labels.draw(config.with_values(**values)).tables[0].rows
    ]


@claims("data_loader: A saw-tooth")
def _(config: Any) -> None:
    (end, high, low), (mixed, most, least) = losses(config)
    assert high - low > 5 * (most - least) and end > mixed
    (small_end, *_), (small_mixed, *_) = losses(config, lr=0.03)
    assert abs(small_end - small_mixed) < 0.01, "the two lines are nearly one"
    assert mixed < small_end < end, "they forget less, and learn less"


@claims("data_loader: A batch of everything")
def _(config: Any) -> None:
    one, two = losses(config)
    assert one == two


# Convolution


def convolved(config: Any, **values: Any) -> Any:
    return slide.SlideRun(config.with_values(**values), Settings())


@claims("convolution: Find the vertical edges")
def _(config: Any) -> None:
    run = convolved(config)
    run.advance(60.0, 10_000)
    place = run.place(run.steps)
    assert abs(run.output[place]) == run.output.abs().max() > 0
    assert run.output[0, 0] == 0 and run.patch(0, 0).unique().numel() == 1, "equal pixels give 0"


@claims("convolution: One row only")
def _(config: Any) -> None:
    run = convolved(config)
    assert torch.equal(run.output, run.image[:, 1:] - run.image[:, :-1])


@claims("convolution: A kernel that does nothing")
def _(config: Any) -> None:
    run = convolved(config)
    assert torch.equal(run.output, run.image[1:-1, 1:-1])
    assert torch.equal(convolved(config, padding=1).output, run.image)


@claims("convolution: Move the one")
def _(config: Any) -> None:
    run = convolved(config)
    assert torch.equal(run.output[1:, 1:], run.image[:-1, :-1]), "down and to the right"


@claims("convolution: Blur")
def _(config: Any) -> None:
    kernel = slide.kernel_of(config)
    assert (kernel > 0).all() and kernel.sum() == 1
    run = convolved(config)
    run.advance(60.0, 10_000)
    before = run.output.clone()
    run.tune(config.with_values(kernel="sharpen"))
    assert run.outcome == "done" and not torch.equal(run.output, before), "the whole output changes at once"


@claims("convolution: Untrained")
def _(config: Any) -> None:
    outputs = [convolved(config, seed=seed).output for seed in range(5)]
    assert outputs[0].shape == (28, 28)
    assert all((each > 0).any() and (each < 0).any() for each in outputs), "edges: both signs"


@claims("convolution: Stride 3")
def _(config: Any) -> None:
    run = convolved(config)
    assert run.output.shape == (9, 9) and len(slide.unused(run.rows, run.columns)) == 2


@claims("convolution: Max pooling")
def _(config: Any) -> None:
    most, average = (
        pooling.PoolingRun(config.with_values(kind=kind), Settings()).output for kind in ("max", "average")
    )
    assert most.shape == (14, 14) and most.mean() > 1.2 * average.mean(), "the strokes stay strong, then fade"


@claims("convolution: 28 stays 28")
def _(config: Any) -> None:
    assert "becomes **28 × 28**" in sizes.draw_sizes(config).note
    fits = [
        p for p in range(9) if "becomes **28 × 28**" in sizes.draw_sizes(config.with_values(window=7, padding=p)).note
    ]
    assert fits == [3]


def images(config: Any, layers: str = "") -> list[str]:
    """The size of each layer's output, as in the table."""
    sheet = chain.draw_chain(config.with_values(layers=layers) if layers else config)
    return [row[3] for row in sheet.tables[0].rows]


@claims("convolution: The tutorial’s sizes")
def _(config: Any) -> None:
    assert images(config) == ["16 × 28 × 28", "16 × 14 × 14", "32 × 14 × 14", "32 × 7 × 7"]
    assert "**1,568 numbers**" in chain.draw_chain(config).note
    assert images(config, config.layers.replace(" pad 2", ""))[-1] == "32 × 4 × 4"


@claims("convolution: Three small for one large")
def _(config: Any) -> None:
    small, large = (
        chain.draw_chain(config).note,
        chain.draw_chain(config.with_values(layers="conv 7 pad 3 maps 16")).note,
    )
    assert "depends on 7 × 7" in small and "depends on 7 × 7" in large
    assert "**6,960 parameters**" in small and "**12,560 parameters**" in large


# Save and restore


@claims("checkpoints: The tutorial’s three nets")
def _(config: Any) -> None:
    first, files = ways.draw_ways(config).tables
    assert [row[3] for row in first.rows] == ["", "yes", "yes"]
    data = [row for row in files.rows if row[0].startswith("data/")]
    assert data and all(row[1] == row[2] for row in data), "the numbers take the same space in both"
    whole, params = (int(each.replace(",", "")) for each in files.rows[-1][1:])
    assert whole > params


@claims("checkpoints: load_state_dict forgotten")
def _(config: Any) -> None:
    assert [row[3] for row in ways.draw_ways(config).tables[0].rows] == ["", "yes", "no"]


@claims("checkpoints: Why is it so large?")
def _(config: Any) -> None:
    assert config.hidden == 64
    small, large = (len(ways.save_both(ways.trained_net(hidden, 100, 1))[1]) for hidden in (10, 64))
    assert 0 <= large - small < 600


@claims("checkpoints: What has training changed?")
def _(config: Any) -> None:
    for after in (10, 100, 200):
        change = np.array(inside.draw_inside(config.with_values(after=after)).charts["difference"]["data"][0]["z"])
        assert [unit for unit in range(10) if not change[unit].any()] == [8, 9]


@claims("checkpoints: Late in training")
def _(config: Any) -> None:
    charts = inside.draw_inside(config).charts
    scale = {name: charts[name]["data"][0]["zmax"] for name in ("before", "after", "difference")}
    assert scale["before"] == scale["after"] > 20 * scale["difference"]


def message(config: Any, **values: Any) -> str:
    return mismatch.draw_mismatch(config.with_values(**values)).tables[0].rows[0][0]


@claims("checkpoints: A wrong width")
def _(config: Any) -> None:
    assert "copying a param with shape torch.Size([10, 1]) from checkpoint" in message(config)
    assert "the shape in current model is torch.Size([12, 1])" in message(config)
    assert message(config, strict=False) == message(config)


@claims("checkpoints: The prefix module.")
def _(config: Any) -> None:
    keys = mismatch.draw_mismatch(config).tables[1].rows
    assert {row[3] for row in keys} == {"missing", "unexpected"}
    assert "module.0.weight" in message(config, strict=False) and "RuntimeError" not in message(config, strict=False)


@claims("checkpoints: No message, and wrong")
def _(config: Any) -> None:
    assert message(config) == mismatch.LOADED
    one, two = (np.asarray(trace["y"]) for trace in mismatch.draw_mismatch(config).charts["curves"]["data"][:2])
    assert np.abs(one - two).max() > 0.1


def equal(config: Any, **values: Any) -> list[str]:
    return [row[3] for row in resume.draw_resume(config.with_values(**values)).tables[0].rows][1:]


@claims("checkpoints: Resumed with Adam")
def _(config: Any) -> None:
    assert equal(config) == ["no", "no", "yes"]
    whole, weights_only, *_ = resume.trainings(config)
    assert float(weights_only.losses[1]) > 2 * float(whole.losses[config.stop + 1]), "the loss jumps"


@claims("checkpoints: Resumed with SGD")
def _(config: Any) -> None:
    _, weights_only, optimizer, _ = resume.trainings(config)
    assert torch.equal(weights_only.parameters, optimizer.parameters) and equal(config) == ["no", "no", "yes"]
    assert equal(config, batch_size=0) == ["yes"] * 3


@claims("checkpoints: A command in a file")
def _(config: Any) -> None:
    report, table = pickles.draw_pickle(config).tables
    opcodes = [(row[1], row[2]) for row in table.rows]
    at = next(index for index, (name, argument) in enumerate(opcodes) if name == "GLOBAL" and "system" in argument)
    assert "REDUCE" in [name for name, _ in opcodes[at:]] and "Weights only load failed" in report.rows[0][0]
