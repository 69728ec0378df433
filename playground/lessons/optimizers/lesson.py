"""Optimizers: a race from the same start over the same batches, and a look inside one of them (2.5 and 2.6)."""

from __future__ import annotations

from playground.lesson import Chart, LiveLesson, Toggle
from playground.lessons.optimizers.config import OptimizersConfig, build_model, build_race
from playground.lessons.optimizers.race import Race
from playground.lessons.optimizers.run import ON_SURFACE, VECTORS, build
from playground.lessons.optimizers.script import OptimizersScript
from playground.training.trainer import Trainer

LESSON = LiveLesson(
    name="optimizers",
    title="Optimizers",
    sentence="Same weights, same batches: only the update rule differs.",
    minutes=20,
    config=OptimizersConfig,
    build=build,
    charts=(
        Chart(
            "loss",
            "Race",
            "Each racer's loss, smoothed over its last batches. The list of racers measures all points instead.",
            toggles=(Toggle("raw", "Batches"), Toggle("log", "Log scale", on=True)), pins=True,
        ),
        # In every frame, as the sentence above the strip is: both name the leader.
        Chart("ranking", "Racers",
              "Each racer's loss on all points, or its height on the surface beside it, and its place.",
              controls=("racers", "own", "inside")),
        Chart("leader", "Leader's loss", "The loss of the leader, smoothed over its last batches.", strip=True),
        Chart("fits", "Fits", "Some of the points, and the curve that each racer has learned.", every=3),
        Chart("surface", "On a surface",
              "The path of each racer on a surface, for up to 200 steps, and the vectors of one racer's last step.",
              every=2, wide=True, leads=ON_SURFACE,
              toggles=(Toggle(VECTORS, "Vectors of the step", on=True),)),
        Chart("ratios", "Update to weights",
              "The length of each racer's update as a share of the length of its weights.", every=10),
        Chart("rates", "Learning rate", "The learning rates so far and, faintly, those that the schedule plans.",
              every=14),
        Chart("rule", "The next step", "The update rule of one parameter with its current numbers.", every=12,
              wide=True),
        Chart("memory", "Optimizer state", "The gradient and the optimizer's state of each parameter.", every=13),
        Chart("reach", "Step length", "The length of each parameter's next step, beside plain gradient descent.",
              every=16),
    ),
    status={
        "step": "Step",
        "epoch": "Epoch",
        "loss": "Leader's loss",
        "height": "Lowest height",
        "racers": "Racers",
        "starts": "Sets of starting weights",
        "steps_per_second": "Steps/s (all racers)",
    },
    script=OptimizersScript,
    code=(Trainer.step, Race.step, build_race, build_model),
)  # fmt: skip
