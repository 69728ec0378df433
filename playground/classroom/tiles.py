"""Tiles: what a student's run reports, and the bytes from which the teacher's wall draws it.

A message of tiles is one after the other: a head of 26 bytes, up to 8 new losses, then the miniature. All numbers are
little-endian.

    seat u16 | kind u8 | lesson u8 | experiment u8 | flags u8 | age u16 | step u32 | loss f32 | rate f32
    | accuracy u16 | units u16 | length u16

`kind` is in the low four bits, the number of new losses in the high ones. `lesson` is the place in the list of lessons,
`experiment` 1-based (0: none), `age` seconds since the student's last act, `length` that of the miniature; 0 keeps the
one before. NaN and 65535 stand for a number that is not there.

| kind | miniature |
|---|---|
| map | 16 x 16 cells of 4 bits, rows from the lowest y, the high nibble first. Two classes: value / 7.5 - 1, from -1 (class 0) to 1. More: 3 bits of class, 1 bit sure |
| map8 | the same with 8 bits a cell: 4 bits of class, 4 bits of how sure |
| fit | 32 heights, from the lower to the upper end of the chart |
| race | number of racers, then for each the number of points (at most 24) and these losses |
| digit | number of the image u16, ten probabilities |
| diverged | nothing: the new losses say it |
"""  # noqa: E501

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Protocol

HEAD = struct.Struct("<HBBBBHIffHHH")
MAX_TAIL = 8  # new losses in a tile
MAX_CURVE = 64  # losses of a whole curve
MAX_MINIATURE = 600  # bytes
NO_NUMBER = 65_535
AGE_STEP = 15  # seconds: an age alone does not send a tile again before that
LOG_RANGE = 6.0  # a loss byte stands for 1e-6 to 1e6


class Kind(IntEnum):
    """What a miniature shows."""

    NONE = 0
    MAP = 1
    MAP8 = 2
    FIT = 3
    RACE = 4
    DIGIT = 5
    DIVERGED = 6


class Flag(IntFlag):
    """What a tile says of its student."""

    HELP = 1
    DONE = 2
    PLAYS = 4
    DIVERGED = 8
    HERE = 16
    ANSWERED = 32
    STRAYED = 64
    LOOKED_AT = 128


@dataclass(frozen=True)
class Report:
    """What a run says of itself: the numbers of its tile. Numbers that it does not have are None."""

    run: str
    step: int = 0
    plays: bool = False
    is_over: bool = False  # it has come to its end
    loss: float | None = None
    rate: float | None = None
    accuracy: float | None = None  # from 0 to 1
    units: int = 0
    parameters: int = 0
    diverged: bool = False
    tail: bytes = b""  # losses since the report before, at most 8, as `loss_byte` writes them
    curve: bytes = b""  # all of its losses, evenly spaced, at most 64
    kind: Kind = Kind.NONE
    miniature: bytes = b""  # b"" keeps the one before


class Boards(Protocol):
    """Where reports come from: the pool of workers, which computes a miniature at most once a second and run."""

    def reports(self, pictures: frozenset[str], numbers: frozenset[str]) -> list[Report]:
        """The reports of runs that have changed; those of `pictures` with a miniature, of `numbers` without.

        Returns at once with what has come since the last call, and asks for the next.
        """


def loss_byte(loss: float | None) -> int:
    """A loss as one byte, logarithmic from 1e-6 to 1e6; 0 for one that is not finite."""
    if loss is None or not math.isfinite(loss):
        return 0
    power = math.log10(loss) if loss > 0 else -LOG_RANGE
    return 1 + round(254 * (min(max(power, -LOG_RANGE), LOG_RANGE) + LOG_RANGE) / (2 * LOG_RANGE))


def loss_of(byte: int) -> float:
    """The loss that a byte stands for; NaN for 0."""
    return float(10 ** ((byte - 1) / 254 * 2 * LOG_RANGE - LOG_RANGE)) if byte else math.nan


@dataclass(frozen=True)
class Tile:
    """What the wall shows of one seat."""

    seat: int
    lesson: int
    experiment: int
    flags: Flag
    age: float  # seconds since the last act
    report: Report | None

    def head(self, *, miniature: bool) -> bytes:
        """The head and the new losses of a tile, with or without room for a miniature behind it."""
        report = self.report or Report("")
        kind = Kind.DIVERGED if report.diverged else report.kind
        tail = report.tail[-MAX_TAIL:]
        length = len(report.miniature) if miniature else 0
        return (
            HEAD.pack(
                self.seat,
                kind | len(tail) << 4,
                self.lesson,
                self.experiment,
                self.flags & 0xFF,
                min(int(self.age) // AGE_STEP * AGE_STEP, NO_NUMBER),
                min(max(report.step, 0), 2**32 - 1),
                _float(report.loss),
                _float(report.rate),
                NO_NUMBER if report.accuracy is None else round(min(max(report.accuracy, 0), 1) * (NO_NUMBER - 1)),
                min(max(report.units, 0), NO_NUMBER),
                length,
            )
            + tail
        )


def is_report(report: Report) -> bool:
    """Whether the parts of a report have the sizes that a tile can carry."""
    return (
        len(report.tail) <= MAX_TAIL
        and len(report.curve) <= MAX_CURVE
        and len(report.miniature) <= MAX_MINIATURE
        and math.isfinite(report.accuracy if report.accuracy is not None else 0)
    )


def _float(number: float | None) -> float:
    """A number that fits into four bytes; NaN for one that is not there or too large."""
    return number if number is not None and abs(number) <= 3e38 else math.nan
