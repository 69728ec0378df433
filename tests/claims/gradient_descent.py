"""What the lesson Gradient descent says, as rules."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from playground.data.landscapes import SURFACES, curvatures
from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.gradient_descent import basins, line, rates, surface
from playground.lessons.gradient_descent.figures.basins import basin_bytes
from playground.lessons.regression.config import RegressionConfig
from playground.settings import Settings
from tests.claims.claims import Claims
from tests.claims.trainings import trained

CLAIMS = Claims("gradient_descent")
of, says = CLAIMS.of, CLAIMS.says
EXPERIMENTS = {each.id: each.config for each in experiments(LESSONS["gradient_descent"])}


def rolled(config: Any, **values: Any) -> Any:
    """The run of a live lab at the end of its path."""
    config = config.with_values(**values)
    run = (line.LineRun if isinstance(config, line.LineConfig) else surface.SurfaceRun)(config, Settings())
    run.advance(60.0, 10_000)
    if run.outcome != "done":
        raise AssertionError(run.outcome)
    return run


def heights(run: Any) -> np.ndarray[Any, Any]:
    return np.asarray(run.path.heights)


@of(
    "parabola",
    "The tutorial’s picture: a ball rolls down until the ground is flat.",
    "The steps become shorter by themselves, because the slope becomes smaller.",
)
def _(config: Any) -> None:
    run = rolled(config)
    lengths = np.abs(np.diff(run.path.positions[:, 0]))
    assert run.ending == "global" and (np.diff(lengths) < 0).all(), "the steps become shorter by themselves"
    assert (np.diff(heights(run)) < 0).all() and not (np.diff(heights(rolled(config, lr=1.01))) < 0).any()


@of(
    "side-to-side",
    "Now each step is so long that it crosses the bottom.",
    "Each step ends closer to the bottom, so it does.",
    "At 1.0 the ball jumps between two places, at 1.01 it moves away.",
)
def _(config: Any) -> None:
    run = rolled(config)
    assert (run.path.positions[1:] * run.path.positions[:-1] < 0).all() and run.ending == "global"
    assert rolled(config, lr=1.0).ending == "jumps" and rolled(config, lr=1.01).ending == "away"


@of("local-minimum", "It stops on the right, but the left valley is deeper.")
def _(config: Any) -> None:
    run, other = rolled(config), rolled(config, x=-2.2)
    assert (run.ending, other.ending) == ("local", "global")
    assert run.path.positions[-1] > 0 > other.path.positions[-1]


@of(
    "shelf",
    "It stops at 0, where the ground is flat, although this is no minimum.",
    "Increase the learning rate until the ball jumps over the edge.",
)
def _(config: Any) -> None:
    run = rolled(config)
    assert run.ending == "flat_known" and abs(run.path.positions[-1]) < 0.01
    assert rolled(config, lr=0.5).ending == "bottomless", "a larger rate jumps over the edge"


@of(
    "plateau",
    "Almost no slope, so almost no step: after 300 steps the ball has hardly moved.",
    "Start at x = 2.5 instead.",
)
def _(config: Any) -> None:
    run = rolled(config)
    assert run.path.steps == 300 and abs(run.path.positions[-1] - run.path.positions[0]) < 0.5
    assert rolled(config, x=2.5).ending == "global"


@of(
    "corner",
    "The steps never get shorter, and the ball jumps around the corner.",
    "Lower the learning rate to 0.03: it gets closer.",
)
def _(config: Any) -> None:
    run, closer = rolled(config), rolled(config, lr=0.03)
    assert np.allclose(np.abs(np.diff(run.path.positions[:, 0])), 0.3), "the steps never get shorter"
    assert run.ending == "jumps" and 3 * heights(closer)[-2:].max() <= heights(run)[-2:].min()


@of(
    "zigzag",
    "Across the valley the rate is nearly too large, along it the steps are short.",
    "Lower the rate to 0.1, then increase it to 0.21: the ball climbs out.",
)
def _(config: Any) -> None:
    across = rolled(config).path.positions[:, 1]
    assert (across[1:] * across[:-1] < 0).all()
    across = rolled(config, lr=0.1).path.positions[1:, 1]
    assert (across.abs() < 1e-9).all(), "one step to the bottom of the valley"
    assert rolled(config, lr=0.21).ending == "limit"


@of(
    "saddle",
    "The ball stops on the pass.",
    "Change the start y by one step in All settings, or click beside the line, and play again.",
)
def _(config: Any) -> None:
    assert rolled(config).ending == "saddle"
    assert rolled(config, y=0.05).ending == "bottomless" and config.knobs()["y"].step == 0.05


@of("rosenbrock", "In the valley after a few steps, then very slow.")
def _(config: Any) -> None:
    found = heights(rolled(config))
    assert found[5] < 0.05 * found[0] and found[-1] > 0.2 * found[5], "quickly in the valley, then slow"
    assert rolled(config, lr=0.003).ending != "steps" or heights(rolled(config, lr=0.003)).max() > found[5]


def shares(config: Any, **values: Any) -> list[float]:
    """The share of the balls in each row of the table; the last row is of those in no minimum."""
    sheet = basins.draw(config.with_values(**values))
    return [float(row[3].removesuffix(" %")) for row in sheet.tables[0].rows]


@of(
    "four-basins",
    "Every start has the colour of the minimum that its ball ends in.",
    "Increase the learning rate to 0.015, then to 0.02: the borders become ragged, and starts close together end far apart.",
)
def _(config: Any) -> None:
    def borders(lr: float) -> int:
        """How many neighbours end in different minima: more where borders are ragged."""
        pixels = basins.draw(config.with_values(lr=lr)).charts["basins"]["maps"]["values"]
        kinds = np.asarray(pixels).reshape(basins.STARTS, basins.STARTS) // 32
        return int((np.diff(kinds, axis=0) != 0).sum() + (np.diff(kinds, axis=1) != 0).sum())

    assert len(shares(config)) == 5 and min(shares(config)[:4]) > 10
    assert borders(0.01) < borders(0.015) < borders(0.02)


@of("few-reach-the-global-minimum", "Fewer than one ball in a hundred ends in the global minimum.")
def _(config: Any) -> None:
    assert shares(config)[0] < 1.0 < 90 < shares(config)[1]


@of(
    "limit",
    "A rate of exactly 2 / largest curvature.",
    "Across the valley the factor is exactly 1, and the distance stays the same.",
    "One step of the slider more, and it grows.",
)
def _(config: Any) -> None:
    assert "by 1 across it" in rates.draw(config).note
    beyond = rates.draw(config.with_values(share=round(config.share + config.knobs()["share"].step, 2))).note
    assert float(re.findall(r"by ([0-9.]+) across", beyond)[0]) > 1


@of(
    "near-rosenbrocks-minimum",
    "The curvatures are 0.4 and 1002: even the best rate shortens the distance along it by less than a thousandth per step.",
)
def _(config: Any) -> None:
    note = rates.draw(config).note
    small, large = (float(each.replace(",", "")) for each in re.findall(r"\*\*([0-9.,]+)\*\*", note)[:2])
    assert (round(small, 1), round(large)) == (0.4, 1002)
    best = 2 / (small + large)
    assert 0.999 < 1 - best * small < 1


@of("small-steps", "A tenth of the rate, and again 100 steps.", "They are not: the ball is still at 0.33.")
def _(config: Any) -> None:
    run = rolled(config)
    assert (run.ending, run.path.steps) == ("steps", 100) and run.path.positions[-1].item() == pytest.approx(
        0.33, abs=5e-3
    )
    rates_ = [lr for lr in line.LEARNING_RATES if lr >= config.lr]
    assert next(lr for lr in rates_ if rolled(config, lr=lr).ending == "global") < 0.1, "one of them is the first"


@of(
    "back-and-forth",
    "A rate of exactly 2 / curvature.",
    "Always as far from the bottom as it began: the ball jumps between the same two places without end.",
)
def _(config: Any) -> None:
    run = rolled(config)
    assert config.lr == 2 / run.landscape.largest_curvature and run.ending == "jumps"


@of(
    "too-large",
    "Each step ends further out, where the slope is larger, so the next step is even longer.",
    "The axis of the height becomes logarithmic by itself.",
)
def _(config: Any) -> None:
    run = rolled(config)
    assert run.ending == "limit" and (np.diff(np.abs(np.diff(run.path.positions[:, 0]))) > 0).all()
    assert run.draw(["height"], {}).charts["height"]["layout"]["yaxis"]["type"] == "log"


@of("global-minimum", "This ball ends in the deepest valley.")
def _(config: Any) -> None:
    assert rolled(config).ending == "global" and rolled(config, x=2.1).ending == "local"


@of(
    "out-of-the-local-minimum",
    "The first step crosses the hill, and on the left it never comes to rest.",
    "At 0.1 it does; at 0.07 the ball stays on the right.",
)
def _(config: Any) -> None:
    positions = rolled(config).path.positions
    assert positions[0] > 0 > positions[1], "the first step crosses the hill"
    assert rolled(config, lr=0.1).ending == "global" and rolled(config, lr=0.07).ending == "local"


@of("waves", "In the nearest one, and so it does at every rate up to 0.2.", "Try 0.4: the ball jumps out.")
def _(config: Any) -> None:
    found = [rolled(config, lr=lr) for lr in line.LEARNING_RATES if config.lr <= lr <= 0.2]
    assert {each.ending for each in found} == {"local"}
    assert np.ptp([each.path.positions[-1].item() for each in found]) < 0.01
    assert abs(rolled(config, lr=0.4).path.positions[-1].item() - found[0].path.positions[-1].item()) > 2


@of(
    "flat-bottom",
    "No: near 0 there is almost no slope.",
    "A rate of 0.3 does not help, because on the steep walls it diverges.",
)
def _(config: Any) -> None:
    assert rolled(config).ending == "steps" and rolled(config).path.steps == 300
    assert rolled(config, lr=0.3).ending == "diverged"


@of("your-own-curve", "A formula that you can change: x²/4 + cos(2x).")
def _(config: Any) -> None:
    assert config.formula == "x**2/4 + cos(2*x)" and rolled(config).ending == "minimum"
    assert rolled(config, formula="x**2", lr=0.1).ending == "minimum"


@of(
    "out-of-the-valley",
    "The limit of this valley is a rate of 0.2.",
    "This is 0.21.",
    "Along the valley the ball still gets closer; across it each step ends further out.",
)
def _(config: Any) -> None:
    run = rolled(config)
    along, across = run.path.positions[:40].abs().T
    assert run.ending == "limit" and (np.diff(along) < 0).all() and (np.diff(across) > 0).all()
    assert rolled(config, lr=0.2).ending == "jumps", "the limit"


@of(
    "bowl", "Straight to the minimum: here the gradient is in line with it.", "At a rate of 0.5 it arrives in one step."
)
def _(config: Any) -> None:
    positions = rolled(config).path.positions
    straight = positions[:30] / positions[:30].norm(dim=1, keepdim=True)
    assert (straight - straight[0]).abs().max() < 1e-6 and rolled(config, lr=0.5).path.steps == 1


@of(
    "saddle-with-a-push",
    "The same start, moved to the side by 0.05.",
    "At first the ball rolls towards the pass, then down the side, faster and faster: this surface has no bottom.",
)
def _(config: Any) -> None:
    run = rolled(config)
    assert run.path.positions[0].tolist() == [2.5, 0.05] and run.ending == "bottomless"
    assert run.path.positions[15].norm() < run.path.positions[0].norm(), "at first towards the pass"


@of(
    "himmelblau", "The one at the lower left, after 19 steps.", "At a rate of 0.02 the ball does not come to rest here."
)
def _(config: Any) -> None:
    run = rolled(config)
    x, y = run.path.positions[-1].tolist()
    assert (run.ending, run.path.steps) == ("global", 19) and x < -3 and y < -3, "at the lower left"
    assert rolled(config, lr=0.02).ending == "steps"


@of(
    "rastrigin",
    "It stops in the dip beside its start, at a height of 7.96.",
    "A larger rate is no way out: from 0.005 on the ball does not come to rest.",
)
def _(config: Any) -> None:
    run = rolled(config)
    assert run.ending == "local" and heights(run)[-1] == pytest.approx(7.96, abs=5e-3)
    assert all(rolled(config, lr=lr).ending in ("steps", "jumps") for lr in (0.005, 0.007, 0.01))


@of(
    "dip-in-a-plain",
    "Slow at first, then quick: without a slope there is no step.",
    "From x = 3.5 the ball does not arrive within 100 steps.",
)
def _(config: Any) -> None:
    run = rolled(config)
    assert run.ending == "global" and heights(run)[10] > 0.9 * heights(run)[0], "slow at first"
    assert rolled(config, x=3.5).ending == "steps"


@of(
    "local-minimum-of-a-surface",
    "The ball stops in the shallower valley.",
    "With a rate of 0.15 the same start ends in the deeper one.",
)
def _(config: Any) -> None:
    assert (rolled(config).ending, rolled(config, lr=0.15).ending) == ("local", "global")


def ending_nowhere(config: Any, **values: Any) -> float:
    """The share of the balls that end in no minimum, in percent."""
    return shares(config, **values)[-1]


@of(
    "after-ten-steps",
    "The same balls after only ten steps.",
    "Fewer than one in ten.",
    "Increase the steps, and watch the basins fill.",
)
def _(config: Any) -> None:
    left = [ending_nowhere(config, steps=steps) for steps in (10, 25, 50, 100)]
    assert 90 < left[0] < 100 and left == sorted(left, reverse=True)


@of(
    "large-steps",
    "Half of them end in none: no ball stays in the two minima with a curvature above 100, where 0.02 is above the limit.",
)
def _(config: Any) -> None:
    assert ending_nowhere(config) == pytest.approx(50, abs=2) and shares(config).count(0.0) == 2


@of("steps-that-are-too-large", "No ball ends in a minimum: they jump across the valleys, or have diverged.")
def _(config: Any) -> None:
    assert ending_nowhere(config) == 100 and "No ball ends in a minimum" in basins.draw(config).note


@of("local-and-global", "Only 52 %: the border lies almost in the middle.")
def _(config: Any) -> None:
    assert shares(config)[0] == pytest.approx(52, abs=0.5)


@of(
    "many-dips-large-steps",
    "No ball comes to rest: the rate is above 2 / curvature of every dip.",
    "Lower it to 0.003, and all of them do.",
)
def _(config: Any) -> None:
    assert ending_nowhere(config) == 100 and ending_nowhere(config, lr=0.003) == 0


@of(
    "plain-around-a-dip",
    "Two of five do not in 100 steps: they start where there is almost no slope.",
    "With 150 steps a few more arrive.",
)
def _(config: Any) -> None:
    assert ending_nowhere(config) == pytest.approx(40, abs=1) and 30 < ending_nowhere(config, steps=150) < 36


def factors(config: Any, **values: Any) -> list[float]:
    """The factors of a step along and across the valley, as the note says them."""
    note = rates.draw(config.with_values(**values)).note
    return [float(each) for each in re.findall(r"by ([0-9.e−]+) (?:along|across)", note)]


@of(
    "just-below-the-limit",
    "0.82 along the valley and 0.8 across it.",
    "Move the rate: at the dashed line, the best rate, both factors are equal.",
)
def _(config: Any) -> None:
    assert factors(config) == [0.82, 0.8]
    assert factors(config, share=0.91) == pytest.approx([0.818, 0.82]), "they are equal in between"


@of(
    "just-above-the-limit",
    "Only 5 % above the limit.",
    "Across the valley each step multiplies the distance by 1.1, so after 30 steps the ball is 17 times as far away.",
)
def _(config: Any) -> None:
    assert factors(config)[1] == 1.1 and 16.5 < 1.1**30 < 17.5


@of(
    "round-valley",
    "The factor is 0: the ball is in the minimum after one step.",
    "Increase the largest curvature: no rate can do this any more.",
)
def _(config: Any) -> None:
    assert factors(config) == [0, 0]
    assert all(max(factors(config, large=5.0, share=share)) > 0.6 for share in (0.2, 0.5, 0.8, 1.0))


@of(
    "longer-valley",
    "Curvatures of 0.1 along the valley and 50 across it.",
    "Along the valley a step shortens the distance by less than 0.5 %.",
    "The ratio of the curvatures, here 500, makes a valley long.",
)
def _(config: Any) -> None:
    assert 0.995 < factors(config)[0] < 1 and config.large / config.small == 500


@of(
    "near-himmelblaus-minimum",
    "In one direction the ball gets closer, in the other it moves away by a factor of 1.1 in each step.",
)
def _(config: Any) -> None:
    along, across = factors(config)
    assert along < 1 and across == 1.1


@says(
    "Gradient descent measures the slope at its current place and takes a step downhill: `x = x - lr * gradient`.",
    "A step is the learning rate times the gradient.",
    "`optimizer.step()` is `ball -= lr * ball.grad` here.",
)
def _() -> None:
    run = rolled(EXPERIMENTS["parabola"])
    x = run.path.positions[:, 0]
    torch.testing.assert_close(x[1:], x[:-1] - run.config.lr * 2 * x[:-1])


@says(
    "Where the ground is flat the gradient is zero, and the ball stops.",
    "“Flat” means that the gradient is shorter than 0.0001.",
)
def _() -> None:
    run = rolled(EXPERIMENTS["parabola"])
    slope = abs(2 * run.path.positions[-1].item())
    assert run.ending == "global"
    assert slope < 0.0001


@says(
    "It may also be a shallower valley, a local minimum, or a saddle, a shelf, a plateau.",
    "It is on flat ground.",
    "The answer to ball-stopped: On flat ground.",
    "This may be a local or the global minimum, a saddle, a shelf or a plateau.",
)
def _() -> None:
    endings = {name: rolled(EXPERIMENTS[name]).ending for name in ("parabola", "local-minimum", "saddle", "shelf")}
    assert endings == {"parabola": "global", "local-minimum": "local", "saddle": "saddle", "shelf": "flat_known"}


@of("too-large", "A little above 2 / curvature.")
def _(config: Any) -> None:
    limit = 2 / rolled(config).landscape.largest_curvature
    assert limit < config.lr < 1.1 * limit


@of("local-minimum", "Two valleys, and the start is above the right one.")
def _(config: Any) -> None:
    assert rolled(config, lr=0.02).path.positions[0].item() == pytest.approx(2.1)
    assert rolled(config).path.positions[-1].item() > 0


@of("global-minimum", "The same curve and the same rate, with a start at the left edge.")
@of("out-of-the-local-minimum", "The start above the right valley again, with six times the rate.")
def _(config: Any) -> None:
    first = EXPERIMENTS["local-minimum"]
    assert config.curve == first.curve
    assert config.lr / first.lr == pytest.approx(1 if config.x < 0 else 6)


@of("shelf", "The curve goes down without end on the left.")
def _(config: Any) -> None:
    assert rolled(config, x=-0.5).ending == "bottomless"


@of("plateau", "A start far from the dip, and 300 steps to get there.")
def _(config: Any) -> None:
    assert (config.x, config.steps) == (4, 300)


@of("flat-bottom", "Steep walls and a flat bottom.")
def _(config: Any) -> None:
    run = rolled(config)
    steps = run.path.positions[:, 0].abs().diff().abs()
    assert float(steps[0]) > 50 * float(steps[-1])


@of("corner", "The height is |x|, so the slope is 1 everywhere.")
def _(config: Any) -> None:
    run = rolled(config)
    assert (np.abs(np.diff(run.path.positions[:, 0])) / config.lr).tolist() == pytest.approx([1.0] * run.path.steps)


@of("bowl", "The same curvature in every direction.")
def _(config: Any) -> None:
    run = rolled(config)
    ratios = (run.path.positions[1] / run.path.positions[0]).tolist()
    assert ratios[0] == pytest.approx(ratios[1])


@of("saddle", "A pass between two hills, and a start exactly on its middle line.")
def _(config: Any) -> None:
    assert config.y == 0
    assert float(rolled(config).path.positions[:, 1].abs().max()) == 0


@of("rosenbrock", "The steep walls do not allow a larger rate, the flat floor would need one.")
def _(config: Any) -> None:
    run = rolled(config)
    later = torch.linalg.norm(run.path.positions[-1] - run.path.positions[-2])
    assert float(later) < 0.01, "a step on the flat floor"
    assert rolled(config, lr=0.005).ending != "global"


@of("himmelblau", "Himmelblau’s surface has four minima of the same height.")
def _(config: Any) -> None:
    ends = {
        tuple(rolled(config, x=x, y=y, steps=300).path.positions[-1].round(decimals=1).tolist())
        for x in (-2.5, 2.5)
        for y in (-2.5, 2.5)
    }
    assert len(ends) == 4
    assert all(heights(rolled(config, x=x, y=y, steps=300))[-1] < 1e-4 for x in (-2.5, 2.5) for y in (-2.5, 2.5))


@of("rastrigin", "Rastrigin’s surface: the deepest dip is in the middle.")
def _(config: Any) -> None:
    assert heights(rolled(config, x=0.1, y=0.1))[-1] == pytest.approx(0, abs=1e-6)


@of("your-own-surface", "A formula that you can change: sin(x) · cos(y) + (x² + y²)/20.")
def _(config: Any) -> None:
    assert rolled(config).ending == "minimum"
    assert config.formula == "sin(x) * cos(y) + (x**2 + y**2)/20"


@of("large-steps", "Twice the rate.")
@of("steps-that-are-too-large", "Three times the rate.")
@of("many-dips-large-steps", "Five times the rate on the surface with many dips.")
def _(config: Any) -> None:
    usual = (
        basins.BasinsConfig().lr if config.surface == "himmelblau" else EXPERIMENTS["few-reach-the-global-minimum"].lr
    )
    assert config.lr / usual == pytest.approx({0.02: 2, 0.03: 3}.get(config.lr, 5))


@of("few-reach-the-global-minimum", "Rastrigin’s surface has a dip at every turn.")
def _(config: Any) -> None:
    assert shares(config)[0] < 1.0


@of("plain-around-a-dip", "One minimum only.")
def _(config: Any) -> None:
    assert len(shares(config)) == 2, "one minimum, and none"


@of("basins-of-your-own-surface", "The minima of this formula are not known: they are found from where the balls end.")
def _(config: Any) -> None:
    assert len(shares(config)) >= 3
    assert ending_nowhere(config) < 1


@of("just-below-the-limit", "Lines are theory, dots are measured.")
def _(config: Any) -> None:
    sheet = rates.draw(config)
    assert sheet.charts


@of("round-valley", "Both curvatures are 1, and the rate is 1 / curvature.")
def _(config: Any) -> None:
    assert (config.small, config.large) == (1, 1)
    assert factors(config) == [0, 0]


@of(
    "near-himmelblaus-minimum",
    "Another real minimum, and a rate just above its limit.",
    "The steeper direction decides.",
)
def _(config: Any) -> None:
    along, across = factors(config)
    assert along < 1 < across < 1.2


@says(
    "The gradient is at right angles to the levels, in the steepest direction at this place.",
    "This is rarely the direction of the minimum.",
)
def _() -> None:
    run = rolled(EXPERIMENTS["zigzag"])
    position = run.path.positions[0].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(run.landscape.function(position), position)
    level = torch.stack([-gradient[1], gradient[0]])  # along the level
    small = 1e-4 * level / level.norm()
    there, beside = (float(run.landscape.function(position.detach() + each)) for each in (0 * small, small))
    assert abs(beside - there) < 1e-3 * float(gradient.norm()) * 1e-4 + 1e-6
    to_minimum = -position.detach()
    cosine = float(torch.nn.functional.cosine_similarity(-gradient, to_minimum, dim=0))
    assert cosine < 0.9


@says("With one learning rate, steps are long on steep ground and short on flat ground.")
def _() -> None:
    lengths = np.abs(np.diff(rolled(EXPERIMENTS["parabola"]).path.positions[:, 0]))
    assert lengths[0] > 100 * lengths[-1]


@says("The curvatures show the kind of the flat place: all positive in a minimum, one negative on a saddle.")
def _() -> None:
    pass_, bowl = rolled(EXPERIMENTS["saddle"]), rolled(EXPERIMENTS["bowl"])
    found = []
    for run in (pass_, bowl):
        hessian = torch.autograd.functional.hessian(run.landscape.function, run.path.positions[-1])
        found.append([float(each) > 0 for each in torch.linalg.eigvalsh(hessian)])  # type: ignore[arg-type]
    assert found == [[False, True], [True, True]]


@says(
    "On a quadratic each step multiplies the distance by |1 − lr · curvature|, separately in each direction.",
    "Above lr = 2 / curvature this factor is more than 1.",
    "The largest curvature sets the limit, the smallest one sets the time it takes.",
    "Their ratio makes a valley long.",
)
def _() -> None:
    for curvature, lr in ((1.0, 0.5), (4.0, 0.2), (1.0, 2.5), (4.0, 0.51)):
        x = torch.tensor(1.0, requires_grad=True)
        (gradient,) = torch.autograd.grad(curvature * x**2 / 2, x)
        after = abs(float(x - lr * gradient))
        assert after == pytest.approx(abs(1 - lr * curvature))
        assert (after > 1) is (lr > 2 / curvature)


@says("The loss may go up for a few steps and training may still end well; each basin has its own largest rate.")
def _() -> None:
    config = RegressionConfig(lr=0.05, optimizer="momentum")
    losses = trained("regression", config, 100).history.column("train")
    assert int((np.diff(losses) > 0).sum()) > 5
    assert losses[-1] < 0.05 * losses[0]
    assert shares(EXPERIMENTS["large-steps"]).count(0.0) == 2, "two basins need a smaller rate than the others"


@says("At 0.02 no ball stays in two of Himmelblau’s four minima: their curvature is above 100.")
def _() -> None:
    assert shares(EXPERIMENTS["large-steps"]).count(0.0) == 2


@says(
    "A step is the learning rate times the slope, and the slope goes to 0 at the bottom.",
    "The answer to shorter-steps: The slope goes to 0 at the bottom.",
)
def _() -> None:
    run = rolled(EXPERIMENTS["parabola"])
    lengths = np.abs(np.diff(run.path.positions[:, 0]))
    assert (np.diff(lengths) < 0).all()


@says(
    "f(x) = 3x².",
    "The curvature is 6, so above 2 / 6 = 1/3.",
    "That would be for a curvature of 3.",
    "The second derivative of 3x² is 6.",
    "The answer to diverges-above: 0.3333.",
)
def _() -> None:
    ends = []
    for lr in (0.32, 0.34):
        x = 1.0
        for _ in range(50):
            x -= lr * 6 * x
        ends.append(abs(x))
    assert ends[0] < 1 < ends[1]


@says(
    "1 / curvature: the factor |1 − lr · curvature| is 0.",
    "A step multiplies the distance by 1 − lr · h.",
    "The answer to one-step: 1 / h.",
)
def _() -> None:
    assert all(abs(1 - (1 / curvature) * curvature) == 0 for curvature in (0.5, 2.0, 8.0))


@says(
    "The curvature across a valley is ten times the curvature along it.",
    "This rate is ten times too large for the steep direction, where each step would increase the distance.",
    "The answer to along-the-valley: It diverges across the valley.",
)
def _() -> None:
    small, large = 1.0, 10.0
    lr = 1 / small
    assert abs(1 - lr * large) > 1
    assert lr / (1 / large) == 10


@says(
    "No. The border between two basins is between them.",
    "The answer to side-by-side: No.",
    "With a large learning rate the borders are ragged.",
)
def _() -> None:
    config = EXPERIMENTS["four-basins"]

    def changes(lr: float) -> int:
        pixels = basins.draw(config.with_values(lr=lr)).charts["basins"]["maps"]["values"]
        kinds = np.asarray(pixels).reshape(basins.STARTS, basins.STARTS) // 32
        return int((np.diff(kinds, axis=0) != 0).sum())

    assert 0 < changes(0.01) < changes(0.02)


@says(
    "With plain gradient descent it does not, unless a large step takes it out.",
    "The answer to out-of-a-minimum: It does not.",
)
def _() -> None:
    left, crossed = rolled(EXPERIMENTS["local-minimum"]), rolled(EXPERIMENTS["out-of-the-local-minimum"], lr=0.1)
    assert (left.ending, crossed.ending) == ("local", "global")


@says(
    "With many weights the landscape has more dimensions, and the code is the same.",
    "`torch.autograd.functional.hessian` gives the curvatures, and `torch.linalg.eigvalsh` their eigenvalues.",
)
def _() -> None:
    weights = torch.randn(6, requires_grad=True)
    optimizer = torch.optim.SGD([weights], lr=0.1)
    for _ in range(200):
        loss = (weights**2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(weights.detach().norm()) < 1e-6
    hessian = torch.autograd.functional.hessian(lambda w: (w**2).sum(), torch.zeros(2))
    assert torch.linalg.eigvalsh(hessian).tolist() == [2, 2]  # type: ignore[arg-type]


@says("The same ball with torch’s own optimizer.")
def _() -> None:
    code = LESSONS["gradient_descent"].prose["In PyTorch"].split("```python\n")[1].split("```")[0]
    printed: list[tuple[Any, ...]] = []
    exec(code, {"print": lambda *values: printed.append(values)})
    ((steps, place),) = printed
    run = rolled(surface.SurfaceConfig())
    assert steps == run.path.steps
    assert place == pytest.approx(run.path.positions[-1].tolist(), abs=1e-6)


@of("zigzag", "A long valley, seen from above.")
@of("rosenbrock", "A curved valley with steep walls and a nearly flat floor.")
def _(config: Any) -> None:
    landscape = rolled(config).landscape
    flat, steep = curvatures(landscape, landscape.minima[0])
    assert steep / flat > 9


@of("dip-in-a-plain", "The start is far from the dip.")
def _(config: Any) -> None:
    start, dip = rolled(config).path.positions[[0, -1]]
    assert (start - dip).norm() > 2


@of("local-minimum-of-a-surface", "Two valleys again, now with two weights.")
@of("local-and-global", "Two valleys, one deeper.")
def _(config: Any) -> None:
    landscape = SURFACES[config.surface]
    low, high = sorted(float(landscape.function(torch.tensor(each))) for each in landscape.minima)
    assert low < high


@of("after-ten-steps", "Where the colour is strong, the way is short.")
def _(config: Any) -> None:
    levels = basin_bytes(np.zeros((1, 4)), np.array([[1, 4, 7, 10]]), config.steps)
    assert (np.diff(levels[0].astype(int)) < 0).all()


@of("few-reach-the-global-minimum", "The others stop in the dip they started in, or in one next to it.")
def _(config: Any) -> None:
    landscape = SURFACES[config.surface]
    starts = basins.grid_of_starts(landscape, basins.STARTS)
    ends = basins.roll_many(landscape, starts, config.lr, config.steps)
    dips = torch.tensor(landscape.minima)
    first, last = (torch.cdist(at.float(), dips.float()).argmin(dim=1) for at in (starts, ends.positions))
    width = torch.cdist(dips, dips).add(100 * torch.eye(len(dips))).min(dim=1).values.max()
    apart = (dips[first] - dips[last]).abs().amax(dim=1)[ends.flat]
    assert float(apart.max()) < 1.5 * float(width)


@of("near-rosenbrocks-minimum", "A real surface, close to its minimum.")
def _(config: Any) -> None:
    landscape = SURFACES[config.surface]
    assert landscape.minima and curvatures(landscape, landscape.minima[0])[0] > 0


@says("Compute the curvature, f″, then divide 2 by it.")
def _() -> None:
    x = torch.tensor(0.7, requires_grad=True)
    (slope,) = torch.autograd.grad(3 * x**2, x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, x)
    factors_ = [abs(1 - lr * float(curvature)) for lr in (0.33, 2 / 6, 0.34)]
    assert factors_[0] < 1 < factors_[2] and factors_[1] == pytest.approx(1)


@says("The gradient cannot tell them apart.", "Flat ground may be the deepest valley, the global minimum.")
def _() -> None:
    landscape = rolled(EXPERIMENTS["local-minimum-of-a-surface"]).landscape
    for minimum in landscape.minima:
        at = torch.tensor(minimum, requires_grad=True)
        (slope,) = torch.autograd.grad(landscape.function(at), at)
        assert float(slope.norm()) < 1e-3


@says("Two starts are side by side and end in different minima.")
def _() -> None:
    config = basins.BasinsConfig()
    landscape = SURFACES[config.surface]
    ends = basins.roll_many(landscape, basins.grid_of_starts(landscape, basins.STARTS), config.lr, config.steps)
    reached = basins.assign(landscape, ends, basins.goals_of(landscape, ends, config.lr))
    rows = reached.reshape(basins.STARTS, basins.STARTS)
    beside = (rows[:, 1:] != rows[:, :-1]) & (rows[:, 1:] >= 0) & (rows[:, :-1] >= 0)
    assert int(beside.sum()) > 10


def drawn(run: Any, chart: str, **options: bool) -> Any:
    return run.draw([chart], options).charts[chart]


@of("out-of-the-valley", "The height in the strip gets a logarithmic axis.")
def _(config: Any) -> None:
    labels = [drawn(each, "height", log=False)["layout"]["yaxis"] for each in (rolled(config), rolled(config, lr=0.1))]
    assert labels[0].get("type") == "log" and labels[1].get("type") != "log"


@says(
    "A full star marks a global minimum, an open one a local minimum; grey dots are the steps ahead.",
    "The ball knows neither, so both appear only when it has stopped, or with “Path ahead” ticked in the ⋯ menu.",
)
@of("global-minimum", "Tick “Path ahead” in the curve’s ⋯ menu, and click: you see at once where each start leads.")
def _(config: Any = None) -> None:
    config = EXPERIMENTS["local-minimum"]

    def shown(run: Any, **options: bool) -> tuple[list[float], list[float], int]:
        """The places of full stars and of open ones, and how many places of the path the grey dots reach."""
        traces = drawn(run, "curve", **options)["data"]
        stars = {
            each["marker"]["symbol"]: np.asarray(each["x"]).tolist()
            for each in traces
            if "symbol" in each.get("marker", {})
        }
        grey = next(each["x"] for each in traces if each["name"] == "Way ahead")
        return stars["star"], stars["star-open"], len(np.unique(grey))

    early = line.LineRun(config, Settings())
    early.advance(60.0, 2)
    hidden, ahead, end = shown(early, ahead=False), shown(early, ahead=True), shown(rolled(config), ahead=False)
    assert hidden[0] == hidden[1] == []
    height = {x: float(early.landscape.function(torch.tensor([x]))) for x in (*ahead[0], *ahead[1])}
    assert ahead[:2] == end[:2] and max(height[x] for x in ahead[0]) < min(height[x] for x in ahead[1])
    assert ahead[2] > hidden[2]


@says("Noise helps, such as the noise of small batches, and so does momentum.", is_long=True)
def _() -> None:
    landscape = SURFACES["valleys"]
    starts = basins.grid_of_starts(landscape, 30)
    goal = min(landscape.minima, key=lambda each: float(landscape.function(torch.tensor(each))))

    def reached(momentum: float = 0.0, noise: float = 0.0) -> float:
        """The share of the starts that end in the global minimum."""
        draw = torch.Generator().manual_seed(1)
        at = starts.clone().float().requires_grad_()
        optimizer = torch.optim.SGD([at], lr=0.05, momentum=momentum)
        for step in range(600):
            optimizer.zero_grad()
            landscape.function(at).sum().backward()
            assert at.grad is not None
            if step < 400:
                at.grad += noise * torch.randn(at.shape, generator=draw)
            optimizer.step()
        return float(((at.detach() - torch.tensor(goal)).norm(dim=1) < 0.2).float().mean())

    plain, rolling, noisy = reached(), reached(momentum=0.9), reached(noise=4.0)
    assert rolling > plain + 0.02 and noisy > plain + 0.02


@of(
    "your-own-curve",
    "Write any formula in x under “Height at x” in All settings, and click on the curve to start somewhere else.",
)
def _(config: Any) -> None:
    assert config.knobs()["formula"].label == "Height at x"
    assert rolled(config, formula="(x - 1)**2", lr=0.1).path.positions[-1, 0] == pytest.approx(1, abs=1e-3)
    assert line.LAB.charts[0].click_turns == ("x",)


@of(
    "basins-of-your-own-surface",
    "Write another formula in All settings, and find the starts that lead to its lowest minimum.",
)
def _(config: Any) -> None:
    sheet = basins.draw(config.with_values(formula="(x - 1)**2 + y**2", lr=0.1))
    assert sheet.charts
