"""Every sentence of the lesson that a visitor reads under a player, in a cell or above a chart, with named fields."""

from __future__ import annotations

# The labs Sweep and Who wins?.
START = (
    "{trainings} trainings; those of one seed share their start and the order of their batches. "
    "Press Play: they all train together."
)
ALL_DIVERGED = "All trainings have diverged."
LOWEST = (
    "Lowest loss after {step} steps: {optimizer} at {rate:g} with {loss:.4f} (over the seeds: {low:.4f} to {high:.4f})."
)
CELL = "{optimizer} at {rate:g}: loss {loss:.4f} ({low:.4f} to {high:.4f})"
CELL_DIVERGED = "{optimizer} at {rate:g}: {diverged} of {seeds} diverged"
BEST_AT = "at {rate:.2g}"
NO_BEST = "everywhere"  # after "diverged"
ALL_DIVERGED_AT = "At {rate:g} all have diverged. Lower the learning rate."
RANKING_AT = (
    "After {step} steps at {rate:g}: {first} is first with {lowest:.4f}, {last} is last with {highest:.4f}; "
    "{diverged} of {count} have diverged."
)
TOO_MANY = (
    "That would be {trainings:,} trainings at once; at most {most:,} fit here. "
    "Choose fewer seeds, learning rates or optimizers."
)

# The lab Schedules.
SCHEDULES_START = "One start, the same batches, and a learning rate for each line. Press Play."
SCHEDULES_ALL_DIVERGED = "All have diverged. Choose a smaller learning rate."
SCHEDULES_RANKING = (
    "After {step} steps {first} is nearest to x² with {lowest:.2g}, {last} is farthest with {highest:.2g}; "
    "{diverged} of {count} have diverged."
)

# The lab Rate and momentum.
PLANE_NOTE = (
    "Each step multiplies the distance by **{measured:.4f}** (measured over the later half of {steps} steps); the "
    "theory says **{radius:.4f}**. The best pair, learning rate {best_lr:.3f} and momentum {best_momentum:.3f}, has "
    "{fastest:.4f}."
)
PLANE_COLUMNS = ("Curvature h", "Rate × h", "Eigenvalue", "Eigenvalue ", "Larger size ρ", "This coordinate")
COORDINATES = ("monotone", "oscillates", "diverges")
