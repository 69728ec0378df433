"""What students predict of the experiments of Classification, and the rules that read the truth from the run."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from playground.lessons.classification.clouds import MAP_END
from playground.lessons.classification.config import ClassificationConfig, inputs_of
from playground.lessons.classification.lesson import LESSON
from playground.lessons.classification.run import ClassificationRun
from playground.predictions import GRID_POINTS, Choice, Curve, Number, Prediction, Why, played

SIDE = 121  # places along each axis of the plane at which the prediction is asked for
X = (-4.0, 4.0)  # of a drawn border
SHARE = 0.1  # of the points, the least certain ones
BESIDE = 1.0  # at most so far from the border, as a distance from the middle
CONTENDERS: dict[str, dict[str, Any]] = {  # for the challenge: settings, by the key of the option
    "two": {"units_1": 2},
    "four": {"units_1": 4},
    "line": {"layers": 0},
    "squares": {"layers": 0, "inputs": "x1^2,x2^2"},
}


@torch.no_grad()
def predicted_plane(run: ClassificationRun) -> NDArray[np.int64]:
    """The predicted class on a grid of the map, row by row from the bottom: (SIDE, SIDE)."""
    along = torch.linspace(-MAP_END, MAP_END, SIDE)
    y, x = torch.meshgrid(along, along, indexing="ij")
    logits = run.model(inputs_of(run.config, torch.stack([x.ravel(), y.ravel()], dim=1)))
    found: NDArray[np.int64] = logits.argmax(dim=1).reshape(SIDE, SIDE).numpy()
    return found


def border(run: ClassificationRun) -> NDArray[np.float64]:
    """The height of the border between two classes at each x of the drawn curve: how far the lower one reaches."""
    along = np.linspace(-MAP_END, MAP_END, SIDE)
    plane = predicted_plane(run)
    below = (plane == plane[0, SIDE // 2]).mean(axis=0)  # the share of each column
    heights: NDArray[np.float64] = np.interp(np.linspace(*X, GRID_POINTS), along, MAP_END * (2 * below - 1))
    return heights


def first_step_above(run: ClassificationRun, accuracy: float) -> float:
    """The first step at which so large a share of the training points was classified correctly."""
    return float(run.history.steps()[np.argmax(run.history.column("accuracy") >= accuracy)])


def final(run: ClassificationRun, column: str) -> float:
    """The last value of a column of the history."""
    return float(run.history.column(column)[-1])


def fewest_cuts(config: ClassificationConfig) -> str:
    """The fewest of 2, 3, 4 or 8 hidden units with which 95 % of the training points are correct after 500 steps."""
    for count in (2, 3, 4):
        if final(played(LESSON, config.with_values(units_1=count), until=500), "accuracy") >= 0.95:
            return str(count)
    return "8"


def shape_of_border(run: ClassificationRun) -> str:
    """Whether the border of the classes is a closed curve, a straight line, or another curve."""
    plane = predicted_plane(run)
    edge = np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]])
    if len(set(edge.tolist())) == 1 and len(set(plane.ravel().tolist())) > 1:
        return "closed"
    rows, columns = np.nonzero(np.diff(plane, axis=0))
    line = np.polyfit(columns, rows, 1)
    return "straight" if np.abs(np.polyval(line, columns) - rows).max() < 2 else "curved"


def accuracy_without_layer(config: ClassificationConfig) -> str:
    """The training accuracy without a hidden layer after 500 steps: about "half", "most" (75 %) or "all"."""
    accuracy = final(played(LESSON, config.with_values(layers=0), until=500), "accuracy")
    return min({"half": 0.5, "most": 0.75, "all": 1.0}.items(), key=lambda each: abs(each[1] - accuracy))[0]


def course_of_test_loss(run: ClassificationRun) -> str:
    """Whether the test loss falls to the end, falls and then rises by half or more, or does not fall."""
    losses = run.history.column("test")
    lowest = float(np.nanmin(losses))
    if lowest > 0.9 * losses[0]:
        return "level"
    return "rises" if losses[-1] > 1.5 * lowest else "falls"


@torch.no_grad()
def least_certain(run: ClassificationRun) -> str:
    """Where most of the least certain training points are: "middle", "border" or "outside" of the circle."""
    points = run.data.x_train
    certain = run.model(inputs_of(run.config, points)).softmax(dim=1).amax(dim=1)
    doubtful = certain.argsort()[: round(SHARE * len(points))]
    radius = points.norm(dim=1)
    plane = predicted_plane(run)
    along = np.linspace(-MAP_END, MAP_END, SIDE)
    distance = np.hypot(*np.meshgrid(along, along))
    at_border = float(np.median(distance[:-1][np.diff(plane, axis=0) != 0]))
    gaps = radius[doubtful] - at_border
    shares = {"middle": (gaps < -BESIDE), "border": (gaps.abs() <= BESIDE), "outside": (gaps > BESIDE)}
    return max(shares, key=lambda name: float(shares[name].float().mean()))


def who_meets_the_challenge(config: ClassificationConfig) -> str:
    """The one of CONTENDERS that meets the challenge within 300 steps."""
    runs = {name: played(LESSON, config.with_values(**values), until=300) for name, values in CONTENDERS.items()}
    (found,) = (name for name, run in runs.items() if run.challenge.met_at is not None)
    return found


PREDICTIONS = {
    "tutorial": Prediction(
        Number(
            "100 steps. After how many of them are 95 % of the training points classified correctly?",
            rule=lambda run: first_step_above(run, 0.95), lo=0, hi=100, tolerance=8, unit="steps", chart="accuracy",
            axis="x",
        ),
        Why(
            "What do the other steps do?",
            {
                "rest": "They raise it to 100 %, evenly",
                "nothing": "Nothing: the loss is lowest",
                "sure": "They make the model surer",
            },
            "sure",
            {
                "rest": "The accuracy jumps early and then hardly changes. It is the loss that still falls.",
                "nothing": "The loss falls to the end, although nearly all points are correct.",
            },
        ),
    ),
    "circle-cuts": Prediction(
        Choice(
            "Each unit makes one straight cut. How many units does a border around the circle need?",
            {"2": "2", "3": "3", "4": "4", "8": "8 or more"},
            fewest_cuts,
        ),
        Why(
            "Why that many?",
            {
                "triangle": "Fewest lines around an area",
                "round": "Round borders need many pieces",
                "sides": "One cut for each side",
            },
            "triangle",
            {
                "round": "tanh units have soft edges, and their sum has round corners.",
                "sides": "That is a square. Three lines already enclose a triangle.",
            },
        ),
        until=500,
        reads="config",
        beside={count: {"units_1": int(count)} for count in ("2", "3", "4", "8")},
    ),
    "circle-inputs": Prediction(
        Choice(
            "No hidden layer; the inputs are x₁² and x₂². Which border can this model have on the map?",
            {"straight": "A straight line", "closed": "A circle or an ellipse", "curved": "A parabola"},
            shape_of_border,
        ),
        Why(
            "Why?",
            {
                "inputs": "A line in squares is an ellipse",
                "linear": "Without a layer it is straight",
                "power": "A square is a parabola",
            },
            "inputs",
            {
                "linear": "It is straight in its inputs. On the map these are bent.",
                "power": "With x₁² and x₂, yes. With both squares a · x₁² + b · x₂² = c is an ellipse.",
            },
        ),
        until=500,
    ),
    "xor": Prediction(
        Choice(
            "Six units solve it. Without a hidden layer, which share of the training points gets correct?",
            {"all": "Nearly all", "half": "About half", "most": "About 75 %"},
            accuracy_without_layer,
        ),
        Why(
            "Why?",
            {
                "balance": "It loses whatever it gains",
                "corners": "It gets three of four corners",
                "steps": "It only needs more steps",
            },
            "balance",
            {
                "corners": "It could. But that costs more loss than it gains: the fourth corner would be very wrong.",
                "steps": "No number of steps helps: its loss is lowest where it answers one half everywhere.",
            },
        ),
        until=500,
        reads="config",
        beside={"No hidden layer": {"layers": 0}, "Six units": {}},
    ),
    "inside": Prediction(
        Curve("Two tanh units and the moons. Draw the border between the classes after 500 steps.", chart="map",
              rule=border, x=X, tolerance=0.4),
        Why(
            "Why does it not follow the moons?",
            {
                "units": "Two soft cuts are too few for an S",
                "steps": "500 steps are too few",
                "best": "A straighter border is better for any model",
            },
            "units",
            {
                "steps": "It stays like this: after 200 steps the loss hardly falls any more.",
                "best": "A few points stay on the wrong side. With more units they are correct.",
            },
        ),
        until=500,
    ),
    "challenge": Prediction(
        Choice(
            "At most 20 parameters and 95 % of the test points: which model can do it?",
            {"squares": "No hidden layer, x₁² and x₂²", "line": "No hidden layer", "two": "2 units",
             "four": "4 units"},
            who_meets_the_challenge,
        ),
        Why(
            "Why that one?",
            {
                "small": "The smallest model generalizes best",
                "more": "More units are always better",
                "inputs": "Good inputs can replace a layer",
            },
            "inputs",
            {
                "more": "Four units can do it, with 22 parameters: two too many.",
                "small": "Two models have 6 parameters. The one with x₁ and x₂ is right half of the time.",
            },
        ),
        until=500,
        reads="config",
        beside=CONTENDERS,
    ),
    "unsure": Prediction(
        Choice(
            "Where are the points of which the model is least certain?",
            {"border": "Along the border", "middle": "In the middle of the circle", "outside": "Far outside"},
            least_certain,
        ),
        Why(
            "Why there?",
            {
                "noise": "The noise is largest there",
                "equal": "The two logits are nearly equal there",
                "far": "The model has seen few points there",
            },
            "equal",
            {
                "noise": "The noise is the same everywhere.",
                "far": "Far from the data the logits only grow: the model is sure, with or without points.",
            },
        ),
        until=500,
    ),
    "noise": Prediction(
        Choice(
            "20 points a class, two layers of 12. The training accuracy rises to 100 %. And the test loss?",
            {"falls": "It falls with the training loss", "level": "It stays level", "rises": "It falls, then rises"},
            course_of_test_loss,
        ),
        Why(
            "Why?",
            {
                "better": "A lower loss is a better model",
                "noise": "It learns the noise, too",
                "rate": "The rate is too large",
            },
            "noise",
            {
                "better": "Better on its own points. Other points have other noise.",
                "rate": "The training loss falls to the end without a jump.",
            },
        ),
        until=1000,
    ),
}  # fmt: skip
