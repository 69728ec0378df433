"""What students predict of the experiments of Regression, and the rules that read the truth from the run."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from playground.lessons.regression.config import Edits, RegressionConfig
from playground.lessons.regression.run import RegressionRun
from playground.predictions import Choice, Curve, Number, Prediction, Why
from playground.settings import Settings


def train_losses(run: RegressionRun) -> NDArray[np.float64]:
    """The training loss at each step that the history keeps, from step 0: (kept,)."""
    return np.asarray(run.history.column("train"))


def fit(run: RegressionRun) -> float:
    """R² on the training points."""
    return 1 - float(train_losses(run)[-1]) / run.variance


def how_the_loss_ends(run: RegressionRun) -> str:
    """Whether the training loss has fallen, has risen, or is no longer finite."""
    if run.outcome == "failed":
        return "nan"
    losses = train_losses(run)
    return "falls" if losses[-1] < losses[0] else "rises"


def where_small_steps_lead(run: RegressionRun) -> str:
    """How far the run has come, in steps of the tutorial."""
    tutorial = RegressionRun(RegressionConfig(), run.edits, run.settings)
    while not tutorial.outcome:
        tutorial.advance(1.0, 100)
    losses, loss = train_losses(tutorial), train_losses(run)[-1]
    return "further" if loss < losses[-1] else "between" if loss < losses[10] else "behind"


def loss_over_the_steps(run: RegressionRun) -> NDArray[np.float64]:
    """The training loss on the grid of the curve of “momentum”."""
    found: NDArray[np.float64] = np.interp(MOMENTUM.grid, run.history.steps(), train_losses(run))
    return found


def step_of_the_last_death(config: RegressionConfig) -> float:
    """After how many steps all hidden units output 0 for every training point; the number of all steps if never."""
    run = RegressionRun(config, Edits(), Settings())
    while not run.outcome:
        run.advance(1.0, 1)
        with torch.no_grad():
            dead = run.predict(run.model, run.config).dead[0]
        if dead.all():
            break
    return float(run.steps)


def how_the_test_loss_goes(run: RegressionRun) -> str:
    """Whether the test loss ends near its minimum, well above it, or has never fallen."""
    losses = np.asarray(run.history.column("test"))
    if losses.argmin() == 0:
        return "rises"
    return "turns" if losses[-1] > 1.5 * losses.min() else "follows"


def best_step(run: RegressionRun) -> float:
    """The step with the lowest test loss."""
    return float(run.history.steps()[np.argmin(run.history.column("test"))])


MOMENTUM = Curve(
    "Draw the training loss over the 300 steps. It starts at 0.24.",
    "loss",
    loss_over_the_steps,
    x=(0, 300),
    tolerance=0.012,
)
PREDICTIONS = {
    "no-hidden-layer": Prediction(
        Number(
            "R² is 1 for a perfect fit and 0 for a constant one. What does the best line reach?",
            fit,
            lo=-0.5,
            hi=1,
            tolerance=0.1,
        ),
        Why(
            "Why does it not get further?",
            {
                "shape": "A line cannot bend",
                "time": "200 steps are too few for the best line",
                "rate": "The learning rate is too small",
            },
            "shape",
            {
                "time": "More steps do not help: the line is the best one after 20 of them.",
                "rate": "The rate only decides how soon the best line is found.",
            },
        ),
        right="The best line reaches R² = {truth}: hardly better than the mean.",
        wrong="You said {answer}. R² is {truth}: hardly better than the mean.",
        until=200,
    ),
    "small-steps": Prediction(
        Choice(
            "The rate is 500 times smaller than the tutorial’s. Where is the model after 1,000 steps?",
            {
                "behind": "Not even at the tutorial’s step 10",
                "between": "Between its steps 10 and 100",
                "further": "Further than its 100 steps",
            },
            where_small_steps_lead,
        ),
        Why(
            "Why is it there?",
            {
                "safe": "Small steps are surer, so fewer are needed",
                "stuck": "It is stuck in a local minimum",
                "sum": "A step goes 1/500 of the way",
            },
            "sum",
            {
                "safe": "A smaller step is not a better one: it points the same way and goes less far.",
                "stuck": "It still falls in every step: it is slow, not stuck.",
            },
        ),
        until=1000,
    ),
    "too-large-a-step": Prediction(
        Choice(
            "The learning rate is 20 times that of the tutorial. What does the loss do in 20 steps?",
            {"falls": "Fall faster", "nan": "Grow until it is NaN", "rises": "Grow a little and stay there"},
            how_the_loss_ends,
        ),
        Why(
            "Why does it do that?",
            {
                "wrong": "The gradient points the wrong way",
                "noise": "The noise in the data is too strong",
                "over": "Each step overshoots",
            },
            "over",
            {
                "wrong": "The gradient is right, but it describes the loss near the current weights only.",
                "noise": "The noise is that of the tutorial, which fits these points well.",
            },
        ),
        until=20,
    ),
    "momentum": Prediction(
        MOMENTUM,
        Why(
            "Why does the loss fall in this shape?",
            {
                "even": "Each step takes the same amount off the loss",
                "slope": "The gradient shrinks on the way",
                "noise": "The noise slows the training down later",
            },
            "slope",
            {
                "even": "A step is the rate times the gradient, and the gradient is not constant.",
                "noise": "The noise sets the lowest loss, not the shape of the fall.",
            },
        ),
    ),
    "dead-on-arrival": Prediction(
        Number(
            "The tutorial’s settings, and other starting weights: all ten ReLU units die. After how many steps?",
            step_of_the_last_death,
            lo=1,
            hi=100,
            tolerance=2,
            is_factor=True,
            unit="steps",
        ),
        Why(
            "Why do they not come back?",
            {
                "zero": "Their weights are 0",
                "grad": "A flat ReLU has no gradient",
                "few": "They would come back with more steps",
            },
            "grad",
            {
                "zero": "The weights are not 0: only the output is, for every point.",
                "few": "No number of steps helps: without a gradient no weight changes.",
            },
        ),
        right="All ten are dead after {truth}.",
        wrong="You said {answer}. All ten are dead after {truth}.",
        reads="config",
    ),
    "learning-the-noise": Prediction(
        Choice(
            "Ten points, 2,500 parameters. The training loss goes to 0. What does the test loss do in 300 steps?",
            {"follows": "Fall with it", "turns": "Fall first, then rise", "rises": "Rise from the start"},
            how_the_test_loss_goes,
        ),
        Why(
            "Why do the two part?",
            {
                "rate": "The rate is too large",
                "forget": "It forgets",
                "noise": "It learns the noise",
            },
            "noise",
            {
                "rate": "The training loss falls smoothly: the rate is fine.",
                "forget": "On its own ten points it only gets better.",
            },
        ),
        until=300,
    ),
    "stop-in-time": Prediction(
        Number(
            "At which of the first 100 steps is the test loss lowest?",
            best_step,
            lo=1,
            hi=100,
            tolerance=1.5,
            is_factor=True,
            chart="loss",
            axis="x",
        ),
        Why(
            "What does training do after that step?",
            {
                "better": "It makes the model better, only slower",
                "noise": "It fits the training points’ noise",
                "nothing": "Nothing: the training loss stays the same",
            },
            "noise",
            {
                "better": "A lower training loss is not a better model: the test loss rises.",
                "nothing": "The training loss goes on falling, towards 0.",
            },
        ),
        right="The test loss is lowest at step {truth}. You said {answer}.",
        wrong="You said step {answer}. The test loss is lowest at step {truth}.",
        until=100,
    ),
}
