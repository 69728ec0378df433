"""What one run has spent on orders beyond its share of the machine, and how long it waits for that."""

from __future__ import annotations

import math
from dataclasses import dataclass

FREE_SECONDS = 0.05  # that a run may spend on orders beyond its share before it waits
MAX_REST_SECONDS = 1.0  # a run never waits longer than this for what it has spent


@dataclass
class Debt:
    """Seconds that a run has taken from the others: what it spent on orders counts, less its own share of that time.

    A run alone on its thread takes from nobody. A debt is paid off by waiting: each second pays the run's share of one.
    """

    seconds: float = 0.0
    share: float = 1.0  # of a thread's time, from 0 to 1
    noted_at: float = -math.inf

    def at(self, now: float) -> float:
        """What it still owes."""
        return max(0.0, self.seconds - self.share * (now - self.noted_at))

    def add(self, spent: float, now: float, share: float) -> None:
        """Note that the run has just spent this many seconds on orders, while its share of the time was `share`."""
        before = self.at(now - spent)
        self.seconds, self.share, self.noted_at = before + spent * (1 - share), share, now

    @property
    def rests_until(self) -> float:
        """When the run may have its next turn."""
        over = self.seconds - FREE_SECONDS
        return self.noted_at + min(MAX_REST_SECONDS, over / self.share) if over > 0 else -math.inf
