"""An answer that comes on a board's own line, so that what it starts need not wait for the page.

A rerun of the page takes most of the time until the first picture. The board therefore sends an answer on both ways:
here its run gets the experiment's settings at once and plays, or its still lab is drawn; the page hears of it after the
first picture, does all the rest, and finds the board as it should be. Whichever comes first begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pages.ui import before_play, rail
from pages.ui.routes.classroom.sockets import register
from pages.ui.session import Predicted, Session, bench_of, board_of, pool
from playground import predictions
from playground.engine.commands import Play
from playground.engine.open_run import UnknownRun
from playground.knobs import Config
from playground.lessons import BENCHES, LESSONS

DO = "answer"  # the message {"do": "answer", "id": experiment, "answer": ... or "skip": ...}
_LESSON_OF = {bench.name: lesson for lesson in LESSONS.values() for bench in lesson.benches}


@dataclass(frozen=True)
class _Answered:
    """An experiment whose open question was answered, or skipped."""

    config: Config
    steps: int  # after which its run stops; 0 without end
    predicted: Predicted


def begin(run_id: str, sent: Mapping[str, Any]) -> None:
    """Run the experiment whose open question is answered or skipped.

    Does nothing in all other cases: a browser can send anything, and the page answers it.
    """
    found = bench_of(pool().session_of(run_id) or "", run_id)
    if found is None:
        return
    session, bench = found
    if (answered := _read(session, bench, sent)) is None:
        return
    session.bench(bench).run_config = answered.config
    try:
        pool().rebuild(run_id, answered.config, plays=not answered.steps)
        if answered.steps:
            pool().command(run_id, Play(answered.steps))
    except UnknownRun:
        answered.predicted.has_begun = False


def draw(board_id: str, sent: Mapping[str, Any]) -> bytes:
    """The new picture of a still lab whose open question is answered or skipped; b"" where there is none.

    Waits for a worker.
    """
    found = board_of(board_id)
    if found is None:
        return b""
    session, lab, shown = found
    if (answered := _read(session, lab, sent)) is None:
        return b""
    try:
        drawn = pool().draw(session.name, lab, answered.config, shown.digest, shown.number)
    except (ValueError, TimeoutError):
        return b""
    return drawn.frame if shown.take(drawn) else b""


def _read(session: Session, bench: str, sent: Mapping[str, Any]) -> _Answered | None:
    """What an answer begins. The first answer counts: a later one does not replace it."""
    if bench not in _LESSON_OF or register().locks_of(session.name):  # the page knows which settings stay
        return None
    lesson, experiment = _LESSON_OF[bench], rail.find(_LESSON_OF[bench], sent.get("id"))
    state = session.rail(lesson.name)
    if experiment is None or experiment.id != state.at or experiment.bench is not BENCHES[bench]:
        return None
    mode = before_play.mode_of(session.kept_parameters.get(before_play.PARAMETER, "on"))
    prediction, predicted = before_play.of(lesson, experiment, mode), state.predicted.get(experiment.id)
    if prediction is None or predicted is None or predicted.phase != "open" or predicted.has_begun:
        return None
    answer = predictions.read(prediction.ask, sent.get("answer"))
    if answer is None and ("skip" not in sent or mode == "required"):
        return None
    predicted.has_begun, predicted.answer = True, answer
    return _Answered(experiment.config, 0 if answer is None else prediction.until or 0, predicted)
