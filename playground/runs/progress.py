"""How far a training is: its steps, its stop rule, how it ended, and the marks on its loss chart."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from playground.engine.run import Outcome
from playground.runs import messages
from playground.runs import state_checks as check
from playground.runs.state_checks import StateError

MAX_MARKS = 100
MAX_SAVED_MARKS = 100


@dataclass
class Progress:
    """The steps of a training, when it stops and how it has ended."""

    stop_at: float = math.inf  # the step at which the stop rule ends it
    stop_below: float = -math.inf  # the training loss at which the stop rule ends it
    steps: int = 0
    outcome: Outcome = ""
    marks: list[tuple[int, str]] = field(default_factory=list)  # (step, what was changed then)

    def set_max_steps(self, max_steps: int) -> None:
        """Stop at this step; 0 means without a limit."""
        self.stop_at = max_steps or math.inf

    def set_target_loss(self, target_loss: float) -> None:
        """Stop at this training loss; 0 means without a target."""
        self.stop_below = target_loss or -math.inf

    def resume(self, max_steps: int) -> None:
        """Continue for `max_steps` more steps, or past a target loss that was reached."""
        if self.outcome == "done":
            if self.steps >= self.stop_at:
                self.stop_at = self.steps + max_steps
            else:
                self.stop_below = -math.inf
            self.outcome = ""

    def mark(self, text: str) -> None:
        """Mark what was changed at this step; a slider that is dragged leaves one mark, not one for each value."""
        label = text.partition(":")[0]
        if self.marks and self.marks[-1][0] == self.steps and self.marks[-1][1].partition(":")[0] == label:
            self.marks.pop()
        self.marks = [*self.marks[-MAX_MARKS + 1 :], (self.steps, text)]

    def state_dict(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        return {
            "steps": self.steps,
            "stop_at": check.finite_or_none(self.stop_at),
            "stop_below": check.finite_or_none(self.stop_below),
            "outcome": self.outcome,
            "marks": [list(mark) for mark in self.marks],
        }

    def load_state_dict(self, state: Any) -> None:
        """Take over what `state_dict` gave. Raises StateError, also for a run that had diverged."""
        found = check.entries(state, ("steps", "stop_at", "stop_below", "outcome", "marks"), "progress")
        self.steps = check.whole(found["steps"], "steps")
        stop_at, stop_below = found["stop_at"], found["stop_below"]
        self.stop_at = math.inf if stop_at is None else check.number(stop_at, "stop_at")
        self.stop_below = -math.inf if stop_below is None else check.number(stop_below, "stop_below")
        if found["outcome"] not in ("", "done"):
            raise StateError(messages.FILE_OF_DIVERGED_RUN)
        self.outcome = found["outcome"]
        self.marks = []
        for each in check.items(found["marks"], MAX_SAVED_MARKS, "marks"):
            step, words = [*check.items(each, 2, "marks"), None, None][:2]
            self.marks.append((check.whole(step, "marks", most=self.steps), check.text(words, "marks")))
