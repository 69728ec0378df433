"""Learning rates: sweeps, rankings at each rate, schedules, and the plane of rate and momentum (2.5, 2.6)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.learning_rates import momentum, schedules, sweep
from playground.lessons.learning_rates.trainings import Sweep
from playground.training.stacked import Stacked, StackedOptimizer

LESSON = LabLesson(
    name="learning_rates",
    title="Learning rates",
    sentence="The setting that matters most: see what it does to every optimizer, all at once.",
    minutes=30,
    labs=(
        sweep.SWEEP,
        sweep.WHO_WINS,
        schedules.LAB,
        momentum.LAB,
    ),
    code=(
        Sweep.step,
        Stacked.forward,
        StackedOptimizer.step,
        schedules.SchedulesRun.step,
        momentum.spectral_radius,
        momentum.polyak,
    ),
)
