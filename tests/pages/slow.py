"""A lesson of labs that are hard to draw: one waits for a file, another one ends its worker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.knobs import Config, knob
from playground.lesson import SECTIONS, Chart, Lab, LabLesson, Sheet
from playground.lessons import BENCHES

WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class FileConfig(Config):
    """A file that tells a drawing something."""

    file: str = knob("", "File", live=True, max_length=300)


def draw_when_there(config: FileConfig) -> Sheet:
    """Draws once the file is there; beside it, says that the drawing has begun."""
    path = Path(config.file)
    path.with_suffix(".begun").touch()
    end = time.monotonic() + WAIT_SECONDS
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return Sheet({"line": {"data": [], "layout": {}}}, note="Drawn at last.")


def draw_at_last(config: FileConfig) -> Sheet:
    """Takes its process along while there is a number in the file that is not 0, and counts it down."""
    path = Path(config.file)
    left = int(path.read_text())
    if left:
        path.write_text(str(left - 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return Sheet({"line": {"data": [], "layout": {}}}, note="Drawn at last.")


class SlowLesson(LabLesson):
    """Labs with their prose beside them, not in a file."""

    @property
    def prose(self) -> Mapping[str, Any]:  # type: ignore[override]
        """No experiments and no questions."""
        return dict.fromkeys(SECTIONS, "Words.") | {"Try this": "", "Check yourself": ""}


CHARTS = (Chart("line", "Line", "Nothing."),)
LESSON = SlowLesson(
    name="slow",
    title="Slow",
    sentence="Labs that are hard to draw.",
    minutes=5,
    labs=(
        Lab("slow_waits", "Waits", "It waits for a file.", FileConfig, CHARTS, draw=draw_when_there),
        Lab("slow_ends", "Ends", "It ends its worker.", FileConfig, CHARTS, draw=draw_at_last),
    ),
)
BENCHES.update({bench.name: bench for bench in LESSON.benches})
