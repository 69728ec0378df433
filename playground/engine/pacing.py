"""The pace of one open run: its speed, the steps that a Step still owes, and when the next step is due."""

from __future__ import annotations

from dataclasses import dataclass

RATE_SECONDS = 0.5  # over which the steps a second are counted
MAX_CATCH_UP_SECONDS = 0.25  # a run at a chosen speed that is further behind does not catch up
WAIT_SECONDS = 0.03  # until a run whose next step was not ready is asked again
UNLIMITED_STEPS = 2**62


@dataclass
class Pacing:
    """How fast a run trains, and how fast it did."""

    speed: float | None = None  # steps a second, 0 for full speed, None for what the run prefers
    owed: int = 0  # steps that a Step has still to take
    left: int = 0  # steps until a Play of some steps pauses; 0 for one without end
    next_step_at: float = 0.0  # at a chosen speed
    waits_until: float = 0.0  # set when the next step was not ready
    seconds: float = 0.0  # trained since the last Play
    steps_per_second: float = 0.0  # as last counted
    _counted_from: float = 0.0
    _counted_steps: int = 0

    def play(self, steps: int = 0) -> None:
        """Train from now on, without end or for this number of steps."""
        self.owed, self.seconds, self.next_step_at, self._counted_from = 0, 0.0, 0.0, 0.0
        self.left = steps

    def owe(self, steps: int) -> None:
        """Take this many steps, then stop."""
        self.owed, self.left, self._counted_from = steps, 0, 0.0

    def set_speed(self, steps_per_second: float | None) -> None:
        """Train at this speed from now on."""
        self.speed, self.next_step_at = steps_per_second, 0.0

    def restart(self) -> None:
        """Forget what the run has done and owes; the speed stays."""
        self.owed, self.left, self.seconds, self._counted_from, self.steps_per_second = 0, 0, 0.0, 0.0, 0.0

    def allowed(self, now: float, rate: float, *, plays: bool) -> int:
        """How many steps the run may take now, at `rate` steps a second (0: full speed)."""
        if self.owed or not plays:
            return self.owed
        most = self.left or UNLIMITED_STEPS
        if not rate:
            return most
        if self.next_step_at < now - MAX_CATCH_UP_SECONDS:
            self.next_step_at = now
        return min(most, 1 + int((now - self.next_step_at) * rate))

    def took(self, steps: int, start: float, end: float, rate: float) -> bool:
        """Note that a slice from `start` to `end` took this many steps; returns whether they were the last to play."""
        self.seconds += end - start
        was_left, self.left = self.left, max(0, self.left - steps)
        if self.owed:
            self.owed -= steps
        elif rate:
            self.next_step_at += steps / rate
        else:
            self.next_step_at = end
        self._count(steps, end)
        return was_left > 0 and not self.left

    def _count(self, steps: int, now: float) -> None:
        if not self._counted_from:
            self._counted_from, self._counted_steps = now, 0
            return
        self._counted_steps += steps
        if now - self._counted_from > RATE_SECONDS:
            self.steps_per_second = self._counted_steps / (now - self._counted_from)
            self._counted_from, self._counted_steps = now, 0
