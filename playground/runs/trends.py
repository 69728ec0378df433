"""Where a curve is going: whether its late part falls, rises, stays level or bounces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_ROWS = 12  # of a history, before a trend is judged
LEVEL = 0.0015  # of the loss: a smaller difference between the two halves of a window is none
CALM = 0.05  # of the mean: a standard deviation up to which a level curve hardly changes
NOISE_ERRORS = 2.0  # standard errors: a smaller difference of the halves is noise


@dataclass(frozen=True)
class Trend:
    """Where the late part of a curve is going: the last quarter of its rows, at least MIN_ROWS.

    `rise` and `fall` add up all single changes upwards and downwards; `share_rising` is the share of changes upwards.
    """

    rows: int
    mean: float
    change: float  # the mean of the second half minus that of the first
    noise: float  # the standard error of `change`
    rise: float
    fall: float
    share_rising: float
    spread: float  # the standard deviation as a share of the mean

    @property
    def is_level(self) -> bool:
        """Whether it neither rises nor falls by more than its noise."""
        return abs(self.change) <= max(LEVEL * abs(self.mean), NOISE_ERRORS * self.noise)

    @property
    def is_falling(self) -> bool:
        """Whether it falls."""
        return self.change < 0 and not self.is_level

    @property
    def is_rising(self) -> bool:
        """Whether it rises."""
        return self.change > 0 and not self.is_level

    @property
    def is_calm(self) -> bool:
        """Whether single values are near the mean."""
        return self.spread <= CALM

    @property
    def bounces(self) -> bool:
        """Whether it goes up often, and by more than half of what it falls and a fifth of its mean."""
        return self.share_rising > 0.25 and self.rise > 0.5 * self.fall and self.rise > 0.2 * self.mean


def trend_of(values: Sequence[float] | NDArray[Any]) -> Trend | None:
    """The trend of a curve (rows,), oldest first; None for too few rows, or where the late ones are not all finite."""
    curve = np.asarray(values, np.float64)
    if len(curve) < MIN_ROWS:
        return None
    late = curve[-max(MIN_ROWS, len(curve) // 4) :]
    if not np.isfinite(late).all():
        return None
    changes, half = np.diff(late), len(late) // 2
    rise = float(np.maximum(changes, 0).sum())
    # A smooth curve has changes that vary little from one to the next; what is left after that is noise.
    second = np.diff(changes)
    deviation = float(np.sqrt((second**2).mean() / 6)) if len(second) else 0.0
    return Trend(
        rows=len(late),
        mean=float(late.mean()),
        change=float(late[-half:].mean() - late[:half].mean()),
        noise=deviation * float(np.sqrt(2 / half)),
        rise=rise,
        fall=rise - float(late[-1] - late[0]),
        share_rising=float(np.count_nonzero(changes > 0)) / len(changes),
        spread=float(late.std() / abs(late.mean())) if late.mean() else 0.0,
    )


@dataclass(frozen=True)
class LossRows:
    """The rows of a history since the last change: their steps, training losses and test losses, each (rows,).

    The first row is the one right after the change. Without test points the test losses are NaN.
    """

    steps: NDArray[Any]
    train: NDArray[Any]
    test: NDArray[Any]

    @cached_property
    def trend(self) -> Trend | None:
        """Where the training loss is going; None while it is too early to say."""
        return trend_of(self.train)


def smooth(values: NDArray[Any], rows: int) -> NDArray[Any]:
    """The mean of each row and the `rows` - 1 before it: (n,) -> (n - rows + 1,)."""
    means: NDArray[Any] = np.convolve(values, np.full(rows, 1 / rows), mode="valid")
    return means
