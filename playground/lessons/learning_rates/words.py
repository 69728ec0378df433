"""Every sentence of the lesson that a visitor reads under a player, in a cell or above a chart, with named fields."""

from __future__ import annotations

# The labs Sweep and Who wins?.
START = (
    "{trainings:,} trainings; those of one seed share their start and the order of their batches. "
    "Press Play: they all train together."
)
ALL_DIVERGED = "All trainings have diverged."
LOWEST = "Lowest loss after step {step}: {loss} ({optimizer} at {rate}); over the seeds {low} to {high}."
LOWEST_OF_ONE = "Lowest loss after step {step}: {loss} ({optimizer} at {rate})."
CELL = "{optimizer} at {rate:g}: loss {loss:.4g} ({low:.4g} to {high:.4g})"  # one for each cell of each frame
CELL_OF_ONE = "{optimizer} at {rate:g}: loss {loss:.4g}"
CELL_DIVERGED = "{optimizer} at {rate:g}: {diverged} of {seeds} diverged"
RATE_TEXT = "{:g}"
BEST_AT = "at {rate:.2g}"
NO_BEST = "everywhere"  # after "diverged"
PLACE = "{place:.0f}. {name}"  # in a ranking
VALUE = "{value} {at}"  # beside it: the loss, or that it diverged, and at which rate
DIVERGED = "diverged"
ALL_DIVERGED_AT = "At {rate} all have diverged. Lower the learning rate."
# What comes first and last in a ranking; "equal" and "only" are for rankings without a last one.
RANKING_AT = {
    "all": "At {rate} after step {step}: lowest loss {lowest} ({first}), highest {highest} ({last}).",
    "diverged": "At {rate} after step {step}: lowest loss {lowest} ({first}), highest {highest} ({last}). "
    "Diverged: {diverged} of {count}.",
    "equal": "At {rate} after step {step}: {first} have the same loss, {lowest}.",
    "only": "At {rate} after step {step}: the loss of {first} is {lowest}.",
    "only left": "At {rate} after step {step}: the loss of {first} is {lowest}. All others have diverged.",
}
# Columns of CSV files that no axis names.
OPTIMIZER, RATE, PLACE_COLUMN, LOSS = "Optimizer", "Learning rate", "Place", "Loss"
MIN_SEED, MAX_SEED, DIVERGED_SEEDS = "Lowest of the seeds", "Highest of the seeds", "Seeds that diverged"

TOO_MANY = (
    "That would be {trainings:,} trainings at once; at most {most:,} fit here. "
    "Choose fewer seeds, learning rates or optimizers."
)

# The lab Schedules.
SCHEDULES_START = "One start, the same batches, and a learning rate for each line. Press Play."
SCHEDULES_ALL_DIVERGED = "All have diverged. Choose a smaller learning rate."
SCHEDULES_RANKING = {
    "all": "Distance from x² after step {step}: smallest {lowest} ({first}), largest {highest} ({last}).",
    "diverged": "Distance from x² after step {step}: smallest {lowest} ({first}), largest {highest} ({last}). "
    "Diverged: {diverged} of {count}.",
    "equal": "Distance from x² after step {step}: {lowest}, the same for {first}.",
    "only": "Distance from x² after step {step}: {lowest} ({first}).",
    "only left": "Distance from x² after step {step}: {lowest} ({first}). All others have diverged.",
}

# The lab Rate and momentum.
PLANE_NOTE = (
    "Each step multiplies the distance by **{measured:.4f}** (measured over the later half of {steps} steps); the "
    "theory says **{radius:.4f}**. The best pair, learning rate {best_lr:.3f} and momentum {best_momentum:.3f}, has "
    "{fastest:.4f}."
)
PLANE_LINE = "spectral_radius(lr={lr:g}, momentum={momentum:g}, curvatures=({small:g}, {large:g}))"
PLANE_COLUMNS = ("Curvature h", "Rate × h", "Eigenvalue", "Eigenvalue ", "Larger size ρ", "This coordinate")
COORDINATES = ("monotone", "oscillates", "diverges")
