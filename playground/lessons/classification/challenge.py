"""A teacher's challenge in the link: a limit for the parameters, a goal for the test accuracy, and when it was met."""

from __future__ import annotations

import math
from dataclasses import dataclass

from playground.lessons.classification.config import ClassificationConfig
from playground.lessons.classification.words import CHALLENGE


@dataclass
class Challenge:
    """The largest number of parameters and the smallest test accuracy in percent; 0 where there is no such goal."""

    max_parameters: int
    min_accuracy: float
    met_at: int | None = None  # the first step of the history at which it was met

    @classmethod
    def from_config(cls, config: ClassificationConfig) -> Challenge:
        """The challenge of a config, not yet met."""
        return cls(config.most_parameters, config.least_accuracy)

    @property
    def is_open(self) -> bool:
        """Whether there is a challenge that has not been met yet."""
        return self.met_at is None and bool(self.max_parameters or self.min_accuracy)

    def is_met(self, parameters: int, accuracy: float) -> bool:
        """Whether a model with these parameters meets it, at a test accuracy from 0 to 1 (NaN without test points)."""
        is_small = not self.max_parameters or parameters <= self.max_parameters
        return is_small and (not self.min_accuracy or 100 * accuracy >= self.min_accuracy - 1e-9)

    def sentences(self, parameters: int, accuracy: float) -> list[str]:
        """What the narrator says about the challenge; empty if there is none."""
        if not (self.max_parameters or self.min_accuracy):
            return []
        if self.min_accuracy and math.isnan(accuracy):
            sentence = CHALLENGE["no_test_points"]
        else:
            goals = "accuracy" if not self.max_parameters else "both" if self.min_accuracy else "parameters"
            # Rounded down, or the goal would seem to be reached before it is.
            shown = math.floor(1000 * accuracy + 1e-6) / 10 if self.min_accuracy else 0.0
            sentence = CHALLENGE[goals].format(
                parameters=parameters, max_parameters=self.max_parameters, accuracy=shown,
                min_accuracy=self.min_accuracy,
            )  # fmt: skip
        met = [] if self.met_at is None else [CHALLENGE["met"].format(step=self.met_at)]
        return [*met, sentence]
