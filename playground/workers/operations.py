"""What the server asks of a run besides commands: operations with names and data, so that they can go to a process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Operation(ABC, Generic[Result]):
    """A question to a run, or a change of it, carried out between two steps in the process that has the run.

    A subclass is a frozen dataclass with plain data; its result is plain data, too (texts, numbers, bytes, configs,
    NumPy arrays), because both travel between processes. It raises ValueError with a sentence where it is refused.
    """

    @abstractmethod
    def on(self, run: Any) -> Result:
        """Carry it out on a run."""

    def __call__(self, run: Any) -> Result:
        """The same, as the engine calls it."""
        return self.on(run)
