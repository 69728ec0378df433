"""The viewers of one open run: what each has asked for, what it was sent, and when its next frame is due.

One viewer controls the run, and any number only read: they see what it shows, and change nothing. A reader gets the
frames that are drawn for the controlling viewer, where it has asked for the same charts and perhaps for more, or else
frames of its own, a few times a second and out of a small share of the run's time.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.engine.commands import Ask
from playground.engine.frames import Figure, FrameWriter
from playground.engine.run import Viewer

LEASE_SECONDS = 1.5  # a playing run trains this long after its viewer's last ask
READER_GAP_SECONDS = 0.25  # between two frames that are drawn for readers alone
REST_SECONDS = 1.0  # after which a reader gets the charts that were not among the controlling viewer's last ones
READERS_SHARE = 0.1  # of a run's time, that may be spent on frames for readers alone
MAX_READERS = 64  # of one run
GLANCE_SECONDS = 0.5  # between two glances of a wall at a run: with its way to the wall it is there within a second
PICTURE_SECONDS = 1.0  # between two glances with a picture

_CHANGES = itertools.count()


@dataclass(eq=False)
class Stream:
    """What one viewer has asked for, and what it was sent."""

    viewer: Viewer | None = None
    writer: FrameWriter = field(default_factory=FrameWriter)
    asked: Ask | None = None  # by the viewer, and not yet answered
    shown: Ask | None = None  # what the last frame answered; None before the first
    sent_change: int = -1  # the last change of the run that it was sent
    lacks_charts: bool = False  # the last frame, drawn for another viewer, had not all charts that it had asked for
    asked_at: float = -math.inf
    framed_at: float = -math.inf

    def ask(self, ask: Ask, now: float) -> None:
        """The viewer wants its next frame."""
        self.asked, self.asked_at = ask, now

    def take_ask(self, change: int) -> None:
        """A frame is about to be drawn, which will show the run as of this change."""
        self.sent_change, self.shown, self.asked = change, self.asked, None


@dataclass(eq=False)
class Letter:
    """A frame for one viewer, who may be another one by the time that it is drawn."""

    stream: Stream
    viewer: Viewer = field(init=False)
    writer: FrameWriter = field(init=False)
    ask: Ask = field(init=False)

    def __post_init__(self) -> None:
        assert self.stream.viewer is not None and self.stream.asked is not None
        self.viewer, self.writer, self.ask = self.stream.viewer, self.stream.writer, self.stream.asked

    def write(self, head: dict[str, Any], charts: dict[str, Figure], written: dict[tuple[int, ...], bytes]) -> bytes:
        """The bytes that bring the viewer up to date (see `FrameWriter.write`)."""
        return self.writer.write(head, charts, written)

    def return_ask(self) -> None:
        """Nothing was new after all: the viewer keeps waiting, unless it has gone or has asked again."""
        if self.stream.viewer is self.viewer and self.stream.asked is None:
            self.stream.asked = self.ask


@dataclass(eq=False)
class Watching(Stream):
    """Who watches a run: the stream of the viewer that controls it, and those of its readers."""

    change: int = 0  # a number that is new whenever there is something new to show
    restless: bool = False  # the run may have something new to show although it takes no step
    draw_seconds: float = 0.0  # of one frame, a running average
    frame_gap: float = 0.0  # the least time between two frames that the run wants, in seconds
    readers: dict[Viewer, Stream] = field(default_factory=dict)
    readers_rest_until: float = -math.inf  # for what their frames have cost
    is_held: bool = False  # the run rests, and what is asked for waits, apart from first frames
    obeys: bool = True  # what viewers command is done

    def changed(self) -> None:
        """There is something new to show."""
        self.change = next(_CHANGES)

    def attach(self, viewer: Viewer) -> Viewer | None:
        """Send frames to this viewer from now on, the first one whole; returns the viewer before."""
        before, self.viewer = self.viewer, viewer
        self.writer, self.asked, self.shown = FrameWriter(), None, None
        return before

    def attach_reader(self, viewer: Viewer) -> bool:
        """Send frames to this viewer, too; False if there are too many."""
        if len(self.readers) < MAX_READERS:
            self.readers[viewer] = Stream(viewer)
        return viewer in self.readers

    def detach(self, viewer: Viewer) -> bool:
        """Send this viewer no more frames; whether it controlled the run."""
        if (reader := self.readers.pop(viewer, None)) is not None:
            reader.viewer = None
        controls = self.viewer is viewer
        if controls:
            self.viewer = self.asked = None
        return controls

    def dismiss_all(self, code: int, reason: str) -> None:
        """Close all streams."""
        for viewer in self.viewers:
            viewer.dismiss(code, reason)
            self.detach(viewer)

    @property
    def viewers(self) -> list[Viewer]:
        """All who watch, the one that controls first."""
        return [*([] if self.viewer is None else [self.viewer]), *self.readers]

    def stream_of(self, viewer: Viewer) -> Stream | None:
        """The stream of a viewer, if it watches."""
        return self if self.viewer is viewer else self.readers.get(viewer)

    @property
    def wants_frame(self) -> bool:
        """Whether the controlling viewer has asked for a frame that would show something new."""
        return self._wants(self) and not (self.is_held and self.shown is not None)

    @property
    def awaits_first_frame(self) -> bool:
        """Whether the controlling viewer has asked for its first frame."""
        return self.asked is not None and self.shown is None

    def _wants(self, stream: Stream) -> bool:
        asked = stream.asked
        return asked is not None and (stream.sent_change != self.change or self.restless or asked != stream.shown)

    @property
    def reader_due_at(self) -> float:
        """When a frame is to be drawn for a reader alone."""
        if not self.readers:
            return math.inf
        return max(min(self._due_at(each) for each in self.readers.values()), self.readers_rest_until)

    def _due_at(self, reader: Stream) -> float:
        if self._wants(reader):
            return reader.framed_at + READER_GAP_SECONDS
        return reader.framed_at + REST_SECONDS if reader.asked is not None and reader.lacks_charts else math.inf

    def letters(self, now: float) -> list[Letter]:
        """Whom to send what the controlling viewer has asked for: that one first, then readers who asked for that.

        Readers that were sent the same before cost nothing; others only if they need not rest.
        """
        ask = self.asked
        assert ask is not None
        may_cost = now >= self.readers_rest_until
        readers = [
            each for each in self.readers.values()
            if _covers(each.asked, ask) and (self._wants(each) or each.lacks_charts)
            and (may_cost or each.writer.is_level_with(self.writer))
        ]  # fmt: skip
        for each in readers:
            each.lacks_charts = each.asked != ask
        return self._letters([self, *readers], now)

    def letters_to_readers(self, now: float) -> list[Letter]:
        """Whom to send a frame for readers alone: who has waited longest, and all who asked for the same."""
        if not self.readers or now < self.readers_rest_until:
            return []
        due = [each for each in self.readers.values() if self._due_at(each) <= now]
        if not due:
            return []
        first = min(due, key=lambda each: each.framed_at)
        all_alike = [each for each in self.readers.values() if each.asked == first.asked]
        alike = [each for each in all_alike if self._wants(each) or each.lacks_charts]
        for each in alike:
            each.lacks_charts = False
        return self._letters(alike, now)

    def _letters(self, streams: Sequence[Stream], now: float) -> list[Letter]:
        letters = [Letter(each) for each in streams]
        for letter in letters:
            letter.stream.take_ask(self.change)
            if letter.stream is not self:
                letter.stream.framed_at = now
        return letters

    def readers_rest(self, start: float, end: float) -> None:
        """Note that frames were made for readers alone in this time: they rest so that it stays a small share."""
        self.readers_rest_until = max(self.readers_rest_until, end + (end - start) * (1 / READERS_SHARE - 1))

    def is_watched(self, now: float) -> bool:
        """Whether the controlling viewer waits for a frame, or asked for one a moment ago."""
        return self.viewer is not None and self.asks(now)

    def asks(self, now: float) -> bool:
        """Whether a frame was asked for a moment ago, also by a viewer that has gone since: a board may be rebuilt."""
        return self.asked is not None or now - self.asked_at < LEASE_SECONDS


@dataclass(eq=False)
class Glances:
    """What a wall of many boards has seen of a run: its numbers twice a second, and only where something is new.

    Its picture comes at most once a second, or at once where the run has begun again.
    """

    wants_pictures: bool = True
    change: int = -1  # of the run, at the last glance
    step: int = -1  # the same
    at: float = -math.inf
    pictured: int = -1  # the change at the last glance with a picture
    pictured_at: float = -math.inf

    def due_at(self, change: int) -> float:
        """When the next glance is due, for a run that is at this change."""
        if change != self.change:
            return self.at + GLANCE_SECONDS
        return self.pictured_at + PICTURE_SECONDS if self.wants_pictures and change != self.pictured else math.inf

    def has_picture(self, step: int, now: float) -> bool:
        """Whether a glance now, at this step, has a picture."""
        return self.wants_pictures and (now >= self.pictured_at + PICTURE_SECONDS or step < self.step)

    def taken(self, change: int, step: int, now: float, *, has_picture: bool) -> None:
        """One was taken."""
        self.change, self.step, self.at = change, step, now
        if has_picture:
            self.pictured, self.pictured_at = change, now


def _covers(asked: Ask | None, other: Ask) -> bool:
    """Whether who has asked for this can be sent what is drawn for the other: the same charts, or some of them."""
    return asked is not None and asked.options == other.options and set(other.charts) <= set(asked.charts)
