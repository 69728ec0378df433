"""The lines of the coming step with what each one computes, and the numbers that they give to the network's lines."""

from __future__ import annotations

from playground.engine.frames import Figure
from playground.figures.listing import CodeLine, State, listing
from playground.lessons.numbers import number
from playground.training.line_by_line import (
    BACKWARD,
    CODE,
    FORWARD,
    LINES,
    LOSS,
    STEP,
    ZERO_GRAD,
    StepLines,
    length,
)

CODE_WIDTH, FACTS_WIDTH = 33, 21  # characters
WORDS = {
    "coming": "Step {step:,} will be",
    "walk": "Step {step:,}, line {line} of {lines}",
    FORWARD: "{shape}",
    LOSS: "{loss}",
    ZERO_GRAD: ".grad: None",
    "left out": "left out: .grad {old}",
    BACKWARD: ".grad: {gradient}",
    STEP: "weights move {update}",
    "none": "None",
}


def step_lines(lines: StepLines, step: int, shown: int | None) -> Figure:
    """The five lines of a step with their facts: all of them, or the first `shown`, of which the last one just ran."""
    facts = facts_of(lines)
    rows = []
    for at, line in enumerate(LINES, start=1):
        is_known = shown is None or at <= shown
        state: State = "left_out" if line == ZERO_GRAD and not lines.clears else "done" if is_known else "waiting"
        state = "active" if at == shown else state
        fact = facts[line] if is_known else ""
        rows.append(CodeLine((CODE[line],), ((fact,),), (fact,), state))
    head = WORDS["coming" if shown is None else "walk"].format(step=step, line=shown, lines=len(LINES))
    words = ", ".join([head, *(facts[line] for line in LINES[:shown])])
    return listing(rows, (head,), (FACTS_WIDTH,), code_width=CODE_WIDTH, words=words)


def facts_of(lines: StepLines) -> dict[str, str]:
    """What each line computes, in a few words; the sizes of gradients and updates are Euclidean norms."""
    old = number(length(lines.old)) if any(each is not None for each in lines.old) else WORDS["none"]
    values = {
        "shape": str(tuple(lines.prediction.shape)), "loss": number(lines.loss, 4), "old": old,
        "gradient": number(length(lines.gradients)), "update": number(length(lines.updates)),
    }  # fmt: skip
    return {line: WORDS["left out" if line == ZERO_GRAD and not lines.clears else line].format(**values)
            for line in LINES}  # fmt: skip
