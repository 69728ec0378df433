"""Tiles: the bytes from which the teacher's wall draws one student's board.

A message of tiles is one after the other: a head of 26 bytes, up to 8 new losses, then the miniature. All numbers are
little-endian.

    seat u16 | kind u8 | lesson u8 | experiment u8 | flags u8 | age u16 | step u32 | loss f32 | rate f32
    | accuracy u16 | units u16 | length u16

`kind` is in the low four bits, the number of new losses in the high ones. `lesson` is the place in the list of lessons
(255: another page), `experiment` 1-based (0: none), `age` seconds since the student's last act, `length` that of the
miniature; 0 keeps the one before. NaN and 65535 stand for a number that is not there. `playground.glance` says what the
miniatures are made of: what a run tells of itself comes as a `Glance`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Protocol

from playground.glance import Glance

HEAD = struct.Struct("<HBBBBHIffHHH")
KINDS = {"": 0, "map2": 1, "map8": 2, "fit": 3, "race": 4, "digit": 5, "diverged": 6, "map4": 7}
MAX_TAIL = 8  # new losses in a tile
MAX_MINIATURE = 1_000  # bytes
NO_NUMBER = 65_535
AGE_STEP = 15  # seconds: an age alone does not send a tile again before that
NOTHING = Glance()


class Boards(Protocol):
    """The runs that pages of a class show, by the names under which others read them.

    The workers make a glance of a run twice a second, with a picture at most once a second.
    """

    def shown(self, session: object, run_id: object) -> str | None:
        """The name under which a run is read; None unless it belongs to the page with this session."""

    def checkpoint(self, name: str) -> tuple[bytes, str]:
        """A checkpoint of a run, and the query of a link that replays it or "". Waits. Raises ValueError."""

    def reports(self, pictures: frozenset[str], numbers: frozenset[str]) -> Mapping[str, Glance]:
        """What is new since the last call, by the name under which a run is read. Returns at once, and asks for more.

        Of the runs in `pictures` with a miniature, of those in `numbers` without.
        """


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
class Tile:
    """What the wall shows of one seat."""

    seat: int
    lesson: int
    experiment: int
    flags: Flag
    age: float  # seconds since the last act
    glance: Glance = NOTHING

    @property
    def miniature(self) -> bytes:
        """Its picture, b"" for none."""
        picture = self.glance.miniature.picture
        return picture if len(picture) <= MAX_MINIATURE else b""

    def head(self) -> bytes:
        """The numbers, 24 of the 26 bytes: what stands before the length of the miniature."""
        glance = self.glance
        kind = KINDS["diverged" if glance.is_diverged else glance.miniature.kind]
        accuracy = glance.accuracy if math.isfinite(glance.accuracy) else None
        packed = HEAD.pack(
            self.seat,
            kind,
            self.lesson,
            self.experiment,
            self.flags,
            min(max(int(self.age), 0) // AGE_STEP * AGE_STEP, NO_NUMBER),
            min(max(glance.step, 0), 2**32 - 1),
            _float(glance.loss),
            _float(glance.rate),
            NO_NUMBER if accuracy is None else round(min(max(accuracy, 0.0), 1.0) * (NO_NUMBER - 1)),
            min(max(glance.units, 0), NO_NUMBER),
            0,
        )
        return packed[:-2]

    def bytes(self, *, picture: bool, losses: bool) -> bytes:
        """The whole tile; `picture` and `losses` say whether these parts are in it."""
        head = bytearray(self.head())
        tail = self.glance.tail[-MAX_TAIL:] if losses else b""
        miniature = self.miniature if picture else b""
        head[2] |= len(tail) << 4
        return bytes(head) + len(miniature).to_bytes(2, "little") + tail + miniature


def _float(number: float) -> float:
    """A number that fits into four bytes; NaN for one that does not."""
    return number if abs(number) <= 3e38 else math.nan
