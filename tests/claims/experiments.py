"""What a lesson claims of its experiments, found by title: each has a check, and none is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.experiments import experiments
from playground.lesson import Lesson

Check = Callable[[Any], None]


class Claims:
    """The checks of one lesson: for an experiment, by title, a function of its config."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.checks: dict[str, Check] = {}
        self.in_ci: set[str] = set()

    def of(self, *titles: str, in_ci: bool = False) -> Callable[[Check], Check]:
        """The decorated function checks what is said of these."""

        def keep(check: Check) -> Check:
            self.checks |= dict.fromkeys(titles, check)
            self.in_ci |= set(titles) if in_ci else set()
            return check

        return keep

    def configs(self) -> dict[str, Any]:
        """The settings of each experiment."""
        return {each.title: each.config for each in experiments(self.lesson)}

    @property
    def cases(self) -> list[Any]:
        """For pytest: each title, marked for every run where its check is quick."""
        return [pytest.param(title, marks=[pytest.mark.in_ci] * (title in self.in_ci)) for title in self.checks]

    def holds(self, title: str) -> None:
        """Run the check of a title."""
        self.checks[title](self.configs()[title])

    def missing(self) -> set[str]:
        """Titles without a check, and checks without a title."""
        return self.configs().keys() ^ self.checks.keys()
