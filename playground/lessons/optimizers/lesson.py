"""Optimizers: a race from the same start over the same batches, and a look inside (tutorial 2.5 and 2.6)."""

from __future__ import annotations

from playground.lesson import Chart, LiveLesson, Toggle
from playground.lessons.optimizers.config import PRESETS, OptimizersConfig, build_model, build_race
from playground.lessons.optimizers.race import Race
from playground.lessons.optimizers.run import build
from playground.lessons.optimizers.script import OptimizersScript
from playground.training.trainer import Trainer

LESSON = LiveLesson(
    name="optimizers",
    title="Optimizers",
    sentence="Same weights, same batches: only the rule of the step differs.",
    config=OptimizersConfig,
    build=build,
    charts=(
        Chart(
            "loss",
            "Loss",
            "Each racer's loss, smoothed over its last batches.",
            toggles=(Toggle("raw", "Batches"), Toggle("log", "Log scale", on=True)),
        ),
        Chart("ranking", "Ranking", "Each racer's loss on all points, its place, and if all began alike.", every=6),
        Chart("fits", "Fits", "Some of the points, and the curve that each racer draws through them.", every=3),
        Chart("surface", "On a surface", "The way of each racer over a surface, from one start, for up to 200 steps.",
              every=2),
        Chart("ratios", "Update to weights", "The length of each racer's update as a share of its weights.", every=10),
        Chart("rates", "Learning rate", "The learning rates so far, and faint the plan of the schedule.", every=14),
        Chart("rule", "The next step of one parameter", "The update rule with the present numbers.", every=12,
              wide=True, low=True),
        Chart("memory", "Memory", "The gradient and the optimizer's state of each parameter.", every=13),
        Chart("reach", "Next step", "The next step of each parameter, beside plain gradient descent.",
              every=16),
    ),
    status={
        "step": "Step",
        "epoch": "Epoch",
        "loss": "Leader's loss",
        "racers": "Racers",
        "starts": "Different starts",
        "steps_per_second": "Steps/s of all",
    },
    presets=PRESETS,
    script=OptimizersScript,
    code=(Trainer.step, Race.step, build_race, build_model),
)  # fmt: skip
