"""The viewer of one open run: what it has asked for, what it was sent, and when its next frame is due."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from playground.engine.commands import Ask
from playground.engine.frames import FrameWriter
from playground.engine.run import Viewer

LEASE_SECONDS = 1.5  # a playing run trains this long after its viewer's last ask


@dataclass
class Watching:
    """Who watches a run, and the frames that it gets."""

    viewer: Viewer | None = None
    writer: FrameWriter = field(default_factory=FrameWriter)
    asked: Ask | None = None  # by the viewer, and not yet answered
    shown: Ask | None = None  # what the last frame answered
    stale: bool = True  # something has changed since the last frame
    restless: bool = False  # the run may have something new to show although it takes no step
    asked_at: float = -math.inf
    framed_at: float = -math.inf
    draw_seconds: float = 0.0  # of one frame, a running average
    frame_gap: float = 0.0  # the least time between two frames that the run wants, in seconds

    def attach(self, viewer: Viewer) -> Viewer | None:
        """Send frames to this viewer from now on, the first one whole; returns the viewer before."""
        before, self.viewer = self.viewer, viewer
        self.writer, self.asked, self.stale = FrameWriter(), None, True
        return before

    def detach(self) -> None:
        """Send no more frames."""
        self.viewer = self.asked = None

    def ask(self, ask: Ask, now: float) -> None:
        """The viewer wants its next frame."""
        self.asked, self.asked_at = ask, now

    @property
    def wants_frame(self) -> bool:
        """Whether a frame has been asked for and would show something new."""
        return self.asked is not None and (self.stale or self.restless or self.asked != self.shown)

    def is_watched(self, now: float) -> bool:
        """Whether the viewer waits for a frame, or asked for one a moment ago."""
        return self.viewer is not None and (self.asked is not None or now - self.asked_at < LEASE_SECONDS)
