"""Every sentence that a visitor of the lesson "Classification" reads, apart from its prose, charts and settings."""

from __future__ import annotations

# Refusals and remarks on the student's own points and weights.
MESSAGES = {
    "bad_class": "Line {line}: the class is a whole number from 0 to {last}, not {value:g}.",
    "hidden_points": "Points outside the map (beyond ±{end:g}): {count:,}. The model trains on them too. Scale the "
    "columns, for instance to mean 0 and standard deviation 2, to see all points.",
    "too_many_edits": "You have changed {edits:,} points and weights by hand, the largest number allowed. Undo some.",
    "nothing_to_undo": "No point or weight was changed by hand, so there is nothing to undo.",
    "looking_back": "You are looking back at an earlier step. Press Now, then set the weight.",
    "bad_layer": "The layer of a weight is a whole number from 0 to {last} here.",
    "bad_unit": "The unit of a weight is a whole number from 0 to {last} here.",
    "bad_input": "The input of a weight is a whole number from 0 to {last} here.",
    "no_history": "“Nine seeds at once” keeps no history, so you cannot look back.",
}

OWN_POINTS = "Click on the map to add a point of the class below; shift-click removes the nearest one."

# Labels of the marks on the loss chart.
MARKS = {
    "points": "Points changed",
    "weight": "Weight set by hand",
    "weight_undone": "Weight set back",
    "challenge": "Challenge met",
}

# What the narrator says about a challenge, by its goals; a challenge that was met has two sentences.
CHALLENGE = {
    "parameters": "Challenge: {parameters:,} parameters (limit: {max_parameters:,}).",
    "accuracy": "Challenge: test accuracy {accuracy:.1f} % (goal: {min_accuracy:g} %).",
    "both": "Challenge: test accuracy {accuracy:.1f} % (goal: {min_accuracy:g} %), {parameters:,} parameters "
    "(limit: {max_parameters:,}).",
    "no_test_points": "Challenge: there are no test points to measure the accuracy with. Raise the test share.",
    "met": "You met the challenge at step {step}.",
}

SEEDS = {
    "note": "Nine models with the same points and settings: their accuracy is {worst:.1f} % to {best:.1f} %.",
    "title": "seed {seed}: {accuracy:.1f} %",
}

EXPLAIN = {
    "chosen": "({x1}, {x2}): class {predicted}, {probability:.1f} %",
    "default": "({x1}, {x2}): class {predicted}, {probability:.1f} %. "
    "Alt-click on the map, or switch on “Explain” there, to choose a point.",
}
