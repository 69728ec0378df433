"""A teacher's challenge in the link: so few parameters, so high a test accuracy; and the step at which it was met."""

from __future__ import annotations

import math
from dataclasses import dataclass

from playground.lessons.classification.config import ClassificationConfig


@dataclass
class Challenge:
    """What is asked for, 0 where nothing is: parameters at most, and test accuracy at least, in percent."""

    most_parameters: int
    least_accuracy: float
    met_at: int | None = None  # the first step of the history at which it held

    @classmethod
    def of(cls, config: ClassificationConfig) -> Challenge:
        """The challenge of a config, not yet met."""
        return cls(config.most_parameters, config.least_accuracy)

    @property
    def waits(self) -> bool:
        """Whether there is a challenge and it has not been met."""
        return self.met_at is None and bool(self.most_parameters or self.least_accuracy)

    def is_met(self, parameters: int, accuracy: float) -> bool:
        """Whether it holds for so many parameters and a test accuracy from 0 to 1 (nan without test points)."""
        small = not self.most_parameters or parameters <= self.most_parameters
        return small and (not self.least_accuracy or 100 * accuracy >= self.least_accuracy - 1e-9)

    def say(self, parameters: int, accuracy: float) -> str:
        """How it stands, as a sentence with a space behind it; nothing where there is no challenge."""
        if not (self.most_parameters or self.least_accuracy):
            return ""
        parts = []
        if self.most_parameters:
            parts.append(f"{parameters:,} of at most {self.most_parameters:,} parameters")
        if self.least_accuracy and math.isnan(accuracy):
            parts.append("there are no test points, so raise the test share")
        elif self.least_accuracy:
            shown = math.floor(1000 * accuracy + 1e-6) / 10  # rounded down, or it would look met before it is
            parts.append(f"test accuracy {shown:.1f} % of at least {self.least_accuracy:g} %")
        start = "Challenge" if self.met_at is None else f"Challenge met at step {self.met_at}; now"
        return f"{start}: {', '.join(parts)}. "
