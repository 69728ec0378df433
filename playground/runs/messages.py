"""Every sentence of the runs that a visitor can read; ready to be formatted with named fields."""

from __future__ import annotations

TOO_MANY_PARAMETERS = (
    "This model has {parameters:,} parameters; at most {most:,} fit here. "
    "Choose fewer or narrower layers, then press Reset."
)

# Marks on the loss chart. The text before the colon names the setting; `Progress.mark` compares it.
SETTING_MARK = "{label}: {before} → {after}"
WEIGHTS_MARK = "Weights loaded"
WENT_BACK_MARK = "Went back to this step"
CONTINUED_MARK = "Continued from this step"

# What was changed last, as the beginning of a sentence about the steps since then.
SINCE = {
    "setting": "Since you set “{label}” to {value} at step {step:,}",
    "settings": "Since you changed {count} settings at step {step:,}",
    "draw": "Since you resampled the points at step {step:,}",
    "points": "Since you changed the points at step {step:,}",
    "table": "Since you loaded your table at step {step:,}",
    "no_table": "Since you returned to the generated points at step {step:,}",
    "weight": "Since you set a weight by hand at step {step:,}",
    "weight_undone": "Since you set a weight back at step {step:,}",
    "weights": "Since you loaded weights at step {step:,}",
    "went_back": "Since you went back to step {step:,}",
    "continued": "Since you continued at step {step:,}",
    "several": "Since your changes at step {step:,}",
}

# Why a run cannot be saved, or cannot take over a file.
DIVERGED = "This run has diverged, so it cannot be continued. Press Reset, then train again."
DIVERGED_BEFORE_LOADING = "This run has diverged. Press Reset, then load the weights."
FILE_OF_DIVERGED_RUN = "The run in this file had diverged, so it cannot be continued."
BAD_HISTORY = "The history in this file does not run from the first step to the current one."
NO_SNAPSHOT = "This file has no snapshot to look back at."
BAD_GRADIENTS = "The gradients in this file do not belong to its model."
BAD_OPTIMIZER = "The optimizer state in this file does not belong to its model."
BAD_OPTIMIZER_STEP = "“{where}/step” counts the updates so far; it must be at least 1."
BAD_SETTINGS = "The settings in this file are not texts by name."
ILLEGAL_SETTINGS = "The settings in this file do not fit this page. {problem}"

# Why one part of a file is refused; `where` names the part.
NOT_A_DICTIONARY = "“{where}” is missing from the file or is not a dictionary."
ENTRY_MISSING = "“{where}” in the file has no entry “{name}”."
ENTRY_UNKNOWN = "“{where}” in the file has an unknown entry “{name}”."
NOT_A_LIST = "“{where}” in the file is not a list."
TOO_MANY_ENTRIES = "“{where}” in the file has {count:,} entries; at most {most:,} fit here."
BAD_ROW = "“{where}” in the file has a row of the wrong length."
NOT_WHOLE = "“{where}” in the file must be a whole number from {least} to {most:,}."
NOT_A_NUMBER = "“{where}” in the file must be a number from -{most:g} to {most:g}."
NOT_A_TEXT = "“{where}” in the file must be a text of at most {most} characters."
NOT_A_CHOICE = "“{where}” in the file cannot be “{value}”."
NOT_A_TENSOR = "“{where}” is missing from the file or is not a tensor."
WRONG_DTYPE = "The tensor “{where}” holds {found}, but {needed} is needed here."
WRONG_SHAPE = "The tensor “{where}” has the shape {found}, but [{needed}] is needed here."
NOT_FINITE = "The tensor “{where}” holds NaN or infinity, so no training can continue from it."
NOT_A_PERMUTATION = "“{where}” must name each of the {count:,} points once."
NOT_A_GENERATOR = "“{where}” is not the state of a random number generator."
BAD_TABLE = "“{where}” must have from 2 to {most:,} rows of numbers from -1e6 to 1e6."

# Why a file of weights does not fit.
WEIGHT_SHAPE = (
    "This file does not fit the model: “{name}” has the shape {found}, but {needed} is needed here. "
    "Set the same layers and units as in the file, then load it again."
)
WEIGHT_MISSING = (
    "This file does not fit the model: it has no tensor for “{name}”. "
    "Set the same layers and units as in the file, then load it again."
)
WEIGHT_UNKNOWN = (
    "This file does not fit the model: the model has no tensor called “{name}”. "
    "Set the same layers and units as in the file, then load it again."
)
