"""What a case of the clinic is: a script with one fault, its cure, and changes that do not help."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

SEED = "SEED"  # in a script: the seed that the student has chosen


@dataclass(frozen=True)
class Edit:
    """A change of a script: the lines that it replaces, which the script has once, and the lines that replace them.

    `why` is a sentence about its effect, shown once it has run.
    """

    old: str
    new: str
    why: str

    def applied(self, script: str) -> str:
        """The script with this change. Raises ValueError unless the script has the old lines exactly once."""
        lines, old = script.split("\n"), self.old.split("\n")
        found = [at for at in range(len(lines)) if lines[at : at + len(old)] == old]
        if len(found) != 1:
            raise ValueError(self.old)
        lines[found[0] : found[0] + len(old)] = self.new.split("\n")
        return "\n".join(lines)

    @property
    def difference(self) -> tuple[tuple[str, str], ...]:
        """Its lines, each with a sign: "−" for one that goes, "+" for one that comes, "" for one that stays.

        The indent that all of them share is left out: what remains says which line is in which block.
        """
        signs = {"- ": "−", "+ ": "+", "  ": ""}
        old, new = self.old.split("\n"), self.new.split("\n")
        indent = min(len(line) - len(line.lstrip()) for line in (*old, *new) if line.strip())
        found = (each for each in difflib.ndiff(old, new) if each[:2] in signs)
        return tuple((signs[each[:2]], each[2 + indent :]) for each in found)


@dataclass(frozen=True)
class Measure:
    """A number that a script computes in the end, by its name there; healthy runs are on one side of the limit."""

    name: str
    limit: float
    healthy: Literal["above", "below"] = "below"

    def of(self, names: Mapping[str, Any]) -> float:
        """Its value; NaN where the script has not computed it."""
        return float(names.get(self.name, math.nan))

    def is_healthy(self, value: float) -> bool:
        """Whether a value is on the healthy side; NaN is not."""
        return value < self.limit if self.healthy == "below" else value > self.limit


@dataclass(frozen=True)
class Case:
    """A script with one fault.

    `name` is in links and says nothing about the fault. `cure` repairs it, each of `others` seems to. The student may
    pick any of the lines that the cure replaces, or one of `also`, as the place of the fault. `fault` names it, `clue`
    says what to look at, `why` explains it. `curves` are the numbers of the script that are drawn over the steps, by
    name there; `measure` tells the cured script from the sick one. A loud case has no measure: its script raises an
    error. A myth's `cure` takes back what people warn of, which `fault` says.
    """

    name: str
    group: str
    script: str
    cure: Edit
    others: tuple[Edit, ...] = ()
    fault: str = ""
    clue: str = ""
    why: str = ""
    also: tuple[str, ...] = ()
    curves: tuple[str, ...] = ("loss",)
    measure: Measure | None = None
    log: bool = True  # the curves' axis

    @property
    def choices(self) -> tuple[Edit, ...]:
        """The cure and the other changes, in an order that does not tell which is which."""
        found = list(self.others)
        found.insert(crc32(self.name.encode()) % (len(found) + 1), self.cure)
        return tuple(found)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the script."""
        return tuple(self.script.rstrip("\n").split("\n"))

    def is_fault(self, line: int) -> bool:
        """Whether a line, counted from 0, is accepted as the place of the fault."""
        return self.lines[line] in (*self.cure.old.split("\n"), *self.also)


def with_seed(script: str, seed: int) -> str:
    """The script with the seed that the student has chosen."""
    return script.replace(SEED, str(seed))
