"""The sentences of the clinic's labs."""

from __future__ import annotations

SILENT = {
    "start": "One line of this script is wrong, and no message says so. Press Play and watch the curve.",
    "running": "Read what stands beside each line.",
    "ended": "The script has ended: {name} = {value}. Which line is wrong?",
}
LOUD = {
    "start": "Press Play: the script runs line by line until one of them fails.",
    "running": "Line {line} has run.",
    "ended": "The script has failed in line {line}.",
}
SENTENCES = {
    "wrong line": "Line {line} is not where the fault is.",
    "found": "Line {line} it is. Which change is the cure?",
    "trying": "The changed script runs beside the original.",
    "trying loud": "The changed script runs line by line.",
    "cured": "Cured: {name} = {value} instead of {before}. {next}",
    "not cured": "That does not help: {name} = {value}, and it was {before}.",
    "runs": "Cured: the script runs to its end. {next}",
    "fails": "That does not help: {error}",
}
NEXT, LAST = "Now choose number {number} below.", "This was the last one."
PANEL = {
    "pick": "Which line is wrong? Click it, or choose it with the arrow keys and Enter.",
    "pick loud": "The message says where torch noticed. Which line has to change?",
    "look": "Look here: {clue}",
    "choose": "Which change is the cure? Each of them really runs.",
    "trying": "Running. The first script is the pale line.",
    "trying loud": "Running. Does it get past the line that failed?",
    "not cured": "{why} Choose another change.",
    "cured": "{fault}.\n{explanation} {why}",
    "with diagnosis": "{said}\n{diagnosis}",
    "diagnosis": "The doctor, who sees the run alone, says: {sentence}",
    "no diagnosis": "A doctor who sees the run alone finds nothing here: only the code tells.",
}
MYTHS = {
    "claim": "{claim} What do you expect of this script: broken, or not?",
    "start": "Answer, or press Play: the script runs beside one without the change.",
    "answered": "{claim} Now both scripts run.",
    "no answer": "{claim} Both scripts run without an answer of yours. Reset asks again.",
    "running": "Both scripts run with the same seed.",
    "broken": "Broken: {name} = {value} with the change and {before} without it.",
    "harmless": "Not broken: {name} = {value} with the change and {before} without it.",
    "right": "You were right. {why}",
    "wrong": "You expected something else. {why}",
    "skipped": "{why} You gave no answer; Reset asks again.",
}
ANSWERS = ("Broken", "Not broken")
TRACKS = {
    "first": "This script",
    "changed": "With the change",
    "myth": "With the change",
    "without": "Without it",
    "healthy": "Healthy script",
}
CURVE = "{track}: {name}"
AXIS, LOG_AXIS = "{name}", "{name} (log scale)"
GROUP_AND_NUMBER = "{number}. {group}"
ERROR_AND_NUMBER = "Error {number}"
CLAIM = "Claim {number}"
STEP = "Step"
LINES_RUN, LINES = "Lines run", "lines"
