"""Every sentence of the race that a visitor reads outside its settings and chart titles, with named fields."""

from __future__ import annotations

# The line above the strip, by the names of the narrator's rules; "since" names the last change.
NARRATOR = {
    "past": "You are looking back at step {step:,}. Press Now or Play to return.",
    "nobody": "All have dropped out: {gone}. {why}",
    "start": "Racers at the start: {count}. Press Play; turn the learning rate meanwhile.",
    "unstepped": "{since}: no step yet. Press Play to see what it does.",
    "alone": "{leader} runs alone; its loss is {loss}.",
    "alone since": "{since}: {leader} runs alone; its loss is {loss}.",
    "dropped out": "{gone} dropped out. {why} In the lead: {leader} with {loss}.",
    "dropped out, over": "After step {step:,} {leader} won with a loss of {loss}. {gone} dropped out.",
    "equal": "After step {step:,} the loss of {leader} is the same: {loss}.",
    "dead": "All hidden units of {names} are dead: a flat line.",
    "dead since": "{since}: all hidden units of {names} are dead.",
    "rising": "The loss of {risen} has risen. In the lead: {leader} with {loss}.",
    "rising since": "{since}: the loss of {risen} has risen. In the lead: {leader} with {loss}.",
    "tied": "After step {step:,} {leader} share the first place with {loss}; last: {last} with {worst}.",
    "over, other curve": "After step {step:,} {leader} won with {loss} on all points. {curve} has the lowest "
    "curve (last batches only).",
    "over": "After step {step:,} {leader} won with a loss of {loss}; last: {last} with {worst}.",
    "leads": "{leader} leads with a loss of {loss}; last: {last} with {worst}.",
    "leads since": "{since}: {leader} leads with a loss of {loss}; last: {last} with {worst}.",
}
ON_SURFACE = {  # while the surface is the largest picture; heights are above its lowest point
    "start": "Racers at one point of the surface: {count}. Press Play.",
    "nobody": "All racers have left the surface.",
    "alone": "Step {step:,} on the surface: {leader} is at a height of {loss}.",
    "equal": "Step {step:,} on the surface: {leader} are equally high, at {loss}.",
    "leads": "Step {step:,} on the surface. Lowest: {leader} at {loss}; highest: {last} at {worst}.",
}
GONE = "{name} (step {step:,})"
WHY_ALL = {  # by Racer.why; "both" for racers with different reasons
    "number": "The loss was not finite (NaN).",
    "bound": "The loss rose above {most:,}.",
    "both": "The loss was too large or NaN.",
}
ADVICE = {
    "lower rate": "Lower the learning rate, then press Reset.",
    "other rates": "Lower their rates, then press Reset.",
}

# Under the list of racers.
BADGES = {
    "fair": "✓ Identical at step 0: weights {weights:08x}<br>batch order {order:08x}",
    "unfair": "✗ {starts} different starts<br>batch order {order:08x}, the same for all",
    "mixed": "✗ The racers got different batches",
    "surface": "✓ The same start for all",
}
RANKING_HOVER = "weights at step 0: {start:08x}"

# The loss chart and the ranking measure different losses, and their axes say so.
SMOOTHED_LOSS = "Loss, smoothed batches"
LOSS_ON_ALL = "Loss on all points"
LEADERS_LOSS = "Leader's loss"
HEIGHT, LOWEST_HEIGHT = "Height above the lowest point", "Lowest height"
MINIMUM = "Minimum"
NO_PLACE, NO_LOSS = " ", "–"  # in the list of racers, before the first step and after a racer has dropped out
DROPPED_OUT = "out"
PLACE, RACER = "Place", "Racer"  # columns of the ranking's CSV file

# The marks on the loss chart.
STEP_MARK = "step {step}: {text}"
DROPPED_OUT_MARK = "{name} dropped out: {why}"
WHY = {"number": "the loss is not finite (NaN)", "bound": "the loss is too large"}

# A refused checkpoint.
BAD_DROP_OUT = "A racer in this file has dropped out for no reason, or has a reason and has not dropped out."

# Inside one optimizer.
RULE_HEADINGS = {
    "next": "{racer}, step {step}: how parameter {number},<br>{place} = {weight}, changes with g = {gradient}",
    "left": "{racer} has dropped out. Its next step would have<br>changed parameter {number}, {place} = {weight}, so:",
}
STATE_NOT_SAVED = "The checkpoint does not contain the optimizers' state at this step. Press Now for the current step."
NO_STATE = "{racer} keeps no state: its step depends on the gradient alone."
NO_STATE_YET = "{racer} has no state yet."
STATE_TITLE = "Size, in the gradient's unit"
GRADIENT_NAME = "gradient g"
NEXT_STEP_TITLE = "Length of the next step"
PLAIN_SGD_NAME = "plain SGD: lr · |g|"

# Own entries.
EXAMPLE = "Write for example Adam(lr=0.1), SGD(lr=0.3, momentum=0.5)."
ENTRIES_NOT_READ = "The own entries could not be read. Separate the calls by commas. {example}"
NOT_A_CALL = "“{text}” does not call an optimizer. {example}"
UNKNOWN_OPTIMIZER = "There is no optimizer “{text}” here. Choose from {known}."
NO_MOMENTUM = "Nesterov needs a momentum: write SGD(lr=0.1, momentum=0.9, nesterov=True)."
NOT_BY_NAME = "Give the settings of {optimizer} by name, for example {optimizer}(lr=0.1)."
UNKNOWN_SETTING = "{optimizer} has the settings {known} here, but not “{text}”."
NOT_PLAIN = "{setting} of {optimizer} must be a plain number. {example}"
NOT_BETAS = "betas are two numbers, for example betas=(0.9, 0.99)."
OUT_OF_RANGE = "{setting} must be a number from {least:g} to {most:g}."
TOO_MANY_RACERS = "At most {most} can race at once, so the last own entries were left out."

# Other charts.
SHARED_RATE = "Shared"
RATIO_TITLE = "Update / weights"
