"""Every sentence of the workers that a visitor can read; ready to be formatted with named fields."""

from __future__ import annotations

NO_RUN_TO_REPLACE = "This lesson has no run that could be restored."
LOCKED = "“{label}” is set by your teacher, so this checkpoint is not restored now."
TAKES_NO_WEIGHTS = "Runs of this page take no weights from a file."
CAME_BACK = "The program that trained this run stopped and was started again. The run continues where it was."
CAME_BACK_PAUSED = (
    "The program that trains this run stopped several times. The run is paused where it was; press Play to continue."
)
STOPPED_TOO_OFTEN = "The program that trains this run stopped again and again, so the run was closed. Press Reset."
NO_MEMORY = (
    "The server has no memory left for another run. Close other tabs of this app, or wait until others have finished, "
    "then press Reset."
)
CLOSED_FOR_MEMORY = "This run was closed because the server had no memory left. Press Reset to start again."
NO_ANSWER = "The program that trains does not answer. Try again in a moment."
COMING_BACK = "Coming back: step {step:,} of {steps:,}."
NO_RECIPE = "This run cannot come back: what is kept of it does not fit this version of the app."

# A run that comes back from what its browser has kept. `second` is empty, or SECOND_GONE.
BACK_SAME = "✓ Back at step {step:,} with the same weights (checksum {here}): the server had lost this run. {second}"
BACK_SAME_BEFORE = (
    "✓ Back at step {step:,}, with the same weights at step {at:,} (checksum {here}): the server had lost this run. "
    "{second}"
)
BACK_DIFFERENT = (
    "The server had lost this run. It is back at step {step:,}, but its weights differ at step {at:,}: checksum "
    "{there} before, {here} now. {reason} {second}"
)
BACK = "✓ Back at step {step:,}: the server had lost this run. {second}"
BACK_IN_PART = (
    "The server had lost this run. It was trained again up to step {step:,} of {steps:,}, which takes long; press "
    "Play to continue from there. {second}"
)
SECOND_GONE = "The second run is gone."
SECOND_DIFFERENT = (
    "The second run is back, but its weights differ at step {at:,}: checksum {there} before, {here} now. {reason}"
)
NOT_KEPT = "What the browser kept of it is damaged."
KEPT_OF_ANOTHER_PAGE = "What the browser kept is of another page."
STATE_LOST = "The browser did not keep its state."
