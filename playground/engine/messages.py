"""Every sentence of the engine that a visitor can read; ready to be formatted with named fields."""

from __future__ import annotations

# Refused commands.
UNKNOWN_COMMAND = "This lesson does not know that command."
BAD_STEPS = "Step takes a whole number from 1 to {most:,}."
BAD_UNIT = "Step counts steps, epochs or lines."
NO_LINES = "This training cannot be shown line by line."
BAD_SPEED = "The speed is 0 (full speed) or a number of steps a second from {least} to {most:,}."
BAD_TIME = "The time slider takes a whole number."
OUT_OF_TIME = "The time slider goes from 0 to {most}."
BAD_POINT = "A point needs x and y, numbers from -1e6 to 1e6."
BAD_WEIGHT = "A weight takes a number from -1e6 to 1e6."
BAD_WEIGHT_PLACE = "The layer, unit and input of a weight are whole numbers from 0."
BAD_CHART = "A click needs the name of its chart."
BAD_DRAWING = "A drawing is sent as bits in base64."
BAD_SLIDER = "A slider has a name and takes a number from -1e6 to 1e6."
TOO_MANY_COMMANDS = "Too many commands at once, so some were left out. Wait a moment, then try again."
NOT_BUILT = "This run could not be started. Press Reset to try again."
ENDED = "This run has ended. Press Reset to start again."
NOT_COMPARED = "Two compared runs cannot go back. Press Reset, or leave the comparison first."
NOTHING_TO_GO_BACK_TO = "There is no good step to go back to. Press Reset."
NOT_KEPT = "This run cannot continue from step {step:,}. Look back at another step first."

# Why a run has stopped.
TRAINED_LONG = "This run has trained for a long time, so it was paused. Press Play to continue."
OUT_OF_MEMORY = "This run needs more memory than there is. Choose a smaller model or less data, then press Reset."
FAILED = "Something went wrong inside this run. Press Reset to start again; the other runs continue."

# Why a run is gone.
CLOSED = "This run was closed. Press Reset to start again."
TOO_MANY = "This run was closed because a session keeps only a few runs. Press Reset to start again."
IDLE = "This run was closed because nobody used it for a while. Press Reset to start again."
STOPPING = "The server is stopping."
TOO_MANY_READERS = "This run has as many viewers as it can have. Try again later."
WATCHED_ELSEWHERE = "This run is being watched elsewhere."

# Two compared runs.
RUN_BEFORE, CONTINUED_RUN = "Before", "Continued"  # the names of a run as it was, and as it was continued
CATCHING_UP = "Catching up with the other run: step {step:,} of {steps:,}."

# Why a socket is closed.
BAD_ASK = "“ask” is a list of chart names."
BAD_OPTIONS = "“options” maps names to true or false."
