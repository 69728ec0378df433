"""An answer that comes on a board's own line, so that the settings that wait for it need not wait for the page, too.

A rerun of the page takes most of the time until the first frame. The board therefore sends an answer on both ways: here
the run gets the experiment's settings at once and plays; the page does all the rest, and finds the run as it should be.
Whichever comes first begins the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pages.ui import before_play, rail
from pages.ui.routes.classroom import register
from pages.ui.session import bench_of, pool
from playground import predictions
from playground.engine.commands import Play
from playground.engine.open_run import UnknownRun
from playground.lessons import LESSONS

DO = "answer"  # the message {"do": "answer", "id": experiment, "answer": ... or "skip": ...}
_LESSON_OF = {bench.name: lesson for lesson in LESSONS.values() for bench in lesson.benches}


def begin(run_id: str, sent: Mapping[str, Any]) -> None:
    """Run the experiment whose open question is answered or skipped.

    Does nothing in all other cases: a browser can send anything, and the page answers it.
    """
    found = bench_of(pool().session_of(run_id) or "", run_id)
    if found is None or found[1] not in _LESSON_OF or register().locks_of(found[0].name):  # the page knows what stays
        return
    session, bench, lesson = found[0], found[0].bench(found[1]), _LESSON_OF[found[1]]
    state, experiment = session.rail(lesson.name), rail.find(lesson, sent.get("id"))
    if experiment is None or experiment.id != state.at or experiment.bench.name != found[1]:
        return
    mode = before_play.mode_of(session.kept_parameters.get(before_play.PARAMETER, "on"))
    prediction, predicted = before_play.of(lesson, experiment, mode), state.predicted.get(experiment.id)
    if prediction is None or predicted is None or predicted.phase != "open" or predicted.has_begun:
        return  # also where the page is never told: a flood of answers would build the run again for each
    is_answered = predictions.read(prediction.ask, sent.get("answer")) is not None
    if not is_answered and ("skip" not in sent or mode == "required"):
        return
    steps = (prediction.until or 0) if is_answered else 0
    bench.run_config, predicted.has_begun = experiment.config, True
    try:
        pool().rebuild(run_id, experiment.config, plays=not steps)
        if steps:
            pool().command(run_id, Play(steps))
    except UnknownRun:
        predicted.has_begun = False
