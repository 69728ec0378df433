"""The picture on the home page: a recorded run of the lesson "Regression", which is shown without training.

`python -m playground.lessons.welcome` trains it again and writes the recording.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from playground.lessons.regression import lesson as regression
from playground.lessons.regression.config import RegressionConfig
from playground.lessons.regression.run import RegressionRun
from playground.training import models

CONFIG = RegressionConfig(
    target="sine", points=60, test_share=0.0, hidden=8, activation="tanh", optimizer="adam", lr=0.03, seed=3,
    max_steps=300,
)  # fmt: skip
STEPS_APART = 2  # of two recorded models; the page moves between them
PLACES = 4  # after the decimal point
FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class RecordedRun:
    """A run of a model with one input, one hidden layer of tanh units and one output.

    A recorded model is a row of numbers: the weights of the hidden units, their biases, their weights to the output
    and the output's bias, 3 * units + 1 in all.
    """

    config: dict[str, str]  # the settings that differ from the defaults, as in a link
    units: int
    steps_apart: int
    x: list[float]  # of the training points
    y: list[float]
    models: list[list[float]]  # before the first step, and after each `steps_apart` more

    @property
    def steps(self) -> int:
        """The number of steps that the run took."""
        return self.steps_apart * (len(self.models) - 1)


def record() -> RecordedRun:
    """Train the run and note its models on the way."""
    run = regression.build(CONFIG)
    noted = [_numbers(run)]
    while run.steps < CONFIG.max_steps:
        run.advance(seconds=60.0, steps=STEPS_APART)
        noted.append(_numbers(run))
    x, y = (_rounded(each[:, 0].tolist()) for each in (run.data.x_train, run.data.y_train))
    return RecordedRun(CONFIG.as_texts(), CONFIG.hidden, STEPS_APART, x, y, noted)


def _numbers(run: RegressionRun) -> list[float]:
    hidden, output = models.linears(run.model)
    parts = (hidden.weight, hidden.bias, output.weight, output.bias)
    return _rounded([number for part in parts for number in part.detach().flatten().tolist()])


def _rounded(numbers: list[float]) -> list[float]:
    return [round(number, PLACES) for number in numbers]


@cache
def recorded() -> RecordedRun:
    """The recording, read once in a process."""
    return RecordedRun(**json.loads(FILE.read_text(encoding="utf-8")))


def write(run: RecordedRun) -> None:
    """Write a recording, a line for each model."""
    head = {name: value for name, value in asdict(run).items() if name != "models"}
    rows = ",\n".join(json.dumps(model, separators=(",", ":")) for model in run.models)
    FILE.write_text(f'{json.dumps(head)[:-1]}, "models": [\n{rows}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    write(record())
