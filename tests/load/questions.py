"""What load tests ask of a run in its worker."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from playground.runs.checksums import checksum
from playground.workers.operations import Operation


@dataclass(frozen=True)
class Process(Operation[int]):
    """The id of the process that has the run."""

    def on(self, run: Any) -> int:
        return os.getpid()


@dataclass(frozen=True)
class Progress(Operation[tuple[int, str]]):
    """The run's step, and the checksum of its weights there."""

    def on(self, run: Any) -> tuple[int, str]:
        return progress(run)


def progress(run: Any) -> tuple[int, str]:
    """A run's step, and the checksum of its weights there."""
    return run.steps, checksum(run.model.state_dict())
