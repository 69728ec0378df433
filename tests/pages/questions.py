"""What tests ask of a run in its worker, which imports this module to answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

from playground.workers.operations import Operation


@dataclass(frozen=True)
class Peek(Operation[Any]):
    """An attribute of the run, or of one of its attributes: Peek("config"), Peek("edits.rows")."""

    path: str

    def on(self, run: Any) -> Any:
        return reduce(getattr, self.path.split("."), run)


@dataclass(frozen=True)
class Advance(Operation[tuple[int, str]]):
    """Take steps; the number taken, and how the run has ended, if it has."""

    count: int

    def on(self, run: Any) -> tuple[int, str]:
        return run.advance(8.0, self.count), run.outcome


@dataclass(frozen=True)
class RepeatShared(Operation[str]):
    """Take the steps that a link asks for, as a viewer would let the run; what the narrator says then."""

    def on(self, run: Any) -> str:
        while run.replay is not None and not run.replay.found:
            run.advance(8.0, run.replay.at - run.steps)
        return str(run.draw([], {}).note)


@dataclass(frozen=True)
class Weights(Operation[list[Any]]):
    """The model's parameters as lists."""

    def on(self, run: Any) -> list[Any]:
        return [parameter.tolist() for parameter in run.model.parameters()]


@dataclass(frozen=True)
class Checksum(Operation[str]):
    """Of the weights; "" where the run is no training."""

    def on(self, run: Any) -> str:
        return str(run.run_history().checksum) if hasattr(run, "run_history") else ""
