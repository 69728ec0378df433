"""Learning rates: sweeps, who wins at which rate, schedules, and the plane of rate and momentum (2.5, 2.6)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.learning_rates import (
    momentum as learning_rates_momentum,
)
from playground.lessons.learning_rates import (
    schedules as learning_rates_schedules,
)
from playground.lessons.learning_rates import (
    sweep as learning_rates_sweep,
)
from playground.lessons.learning_rates.trainings import Sweep
from playground.training.stacked import Adam, Momentum, Stacked

LESSON = LabLesson(
    name="learning_rates",
    title="Learning rates",
    sentence="The number that matters most: see what every optimizer makes of it, all at once.",
    labs=(
        learning_rates_sweep.SWEEP,
        learning_rates_sweep.WHO_WINS,
        learning_rates_schedules.LAB,
        learning_rates_momentum.LAB,
    ),
    code=(
        Sweep.step,
        Stacked.forward,
        Momentum.update,
        Adam.move,
        learning_rates_schedules.SchedulesRun.step,
        learning_rates_momentum.spectral_radius,
        learning_rates_momentum.polyak,
    ),
)
