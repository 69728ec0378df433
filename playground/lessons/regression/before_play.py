"""What students predict of the experiments of Regression, and the rules that read the truth from the run."""

from __future__ import annotations

from playground.lessons.regression.run import RegressionRun
from playground.predictions import Choice, Prediction, Why


def how_it_ends(run: RegressionRun) -> str:
    """Whether the loss has fallen, risen, or is no longer finite."""
    if run.outcome == "failed":
        return "nan"
    train = run.history.column("train")
    return "falls" if train[-1] < train[0] else "rises"


PREDICTIONS = {
    "too-large-a-step": Prediction(
        Choice(
            "The learning rate is 20 times that of the tutorial. What will the loss do in 20 steps?",
            {"falls": "Fall, only faster", "rises": "Jump about, but stay finite", "nan": "Grow until it is NaN"},
            how_it_ends,
        ),
        Why(
            "Why does it do that?",
            {
                "wrong": "The gradient points the wrong way",
                "over": "Each step jumps over the valley and lands higher",
                "noise": "The noise in the data is too strong",
            },
            "over",
            {
                "wrong": "The gradient is right; it describes the loss near the current weights only.",
                "noise": "The noise is the same as in the tutorial, which fits these points well.",
            },
        ),
        until=20,
    ),
}
