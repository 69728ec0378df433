"""Tiles: the bytes from which the teacher's wall draws one student's board.

A message of tiles is one after the other: a head of 30 bytes, then the loss curve, the picture, and what the model was
given. All numbers are little-endian.

    seat u16 | kind u8 | lesson u8 | experiment u8 | flags u8 | age u16 | step u32 | loss f32 | rate f32
    | accuracy u16 | units u16 | losses u8 | picture u16 | data u16 | challenge u8

`lesson` is the place in the list of lessons (255: another page), `experiment` 1-based (0: none), `age` seconds since
the student's last act; `losses`, `picture` and `data` are lengths, the largest number of their type for a part that has
not changed since the last tile. The loss curve is always the whole one: a tile that is lost, or sent for another
reason, changes nothing of it. NaN and 65535 stand for a number that is not there. `playground.glance` says what the
pictures are made of: what a run tells of itself comes as a `Glance`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Protocol

from playground.glance import Glance, small_curve

HEAD = struct.Struct("<HBBBBHIffHHBHHB")
KINDS = {"": 0, "map2": 1, "map8": 2, "fit": 3, "race": 4, "digit": 5, "diverged": 6, "map4": 7}
CHALLENGES = {"": 0, "open": 1, "met": 2}
SAME_LOSSES, SAME = 255, 65_535  # in the place of a length: as in the last tile
MAX_LOSSES = 32  # of a curve
MAX_PART = 1_000  # bytes of a picture, and of the data
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
    def parts(self) -> tuple[bytes, ...]:
        """The loss curve, the picture and the data; b"" for what is not there."""
        miniature = self.glance.miniature
        picture, data = (each if len(each) <= MAX_PART else b"" for each in (miniature.picture, miniature.data))
        return small_curve(self.glance.curve, MAX_LOSSES), picture, data

    def bytes(self, parts: Sequence[bytes | None] = (None, None, None)) -> bytes:
        """The tile with these parts, None for one that has not changed."""
        glance, (losses, picture, data) = self.glance, parts
        kind = KINDS["diverged" if glance.is_diverged else glance.miniature.kind]
        accuracy = glance.accuracy if math.isfinite(glance.accuracy) else None
        head = HEAD.pack(
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
            SAME_LOSSES if losses is None else len(losses),
            SAME if picture is None else len(picture),
            SAME if data is None else len(data),
            CHALLENGES[glance.challenge],
        )
        return head + (losses or b"") + (picture or b"") + (data or b"")


def _float(number: float) -> float:
    """A number that fits into four bytes; NaN for one that does not."""
    return number if abs(number) <= 3e38 else math.nan
