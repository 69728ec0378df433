"""What a worker does with its runs when it knows no more than names and data: build, compare, restore, replay, draw."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from typing import Any

from playground.engine.commands import Step
from playground.engine.engine import Engine
from playground.engine.frames import encode
from playground.engine.run import Run
from playground.knobs import Config, Value
from playground.lesson import Lab, LiveLesson
from playground.lessons import BENCHES, LESSONS
from playground.saving import branch, checkpoint, replay
from playground.workers import messages, portable
from playground.workers.portable import BackFromBrowser
from playground.workers.recipes import ComingBack
from playground.workers.recording import Recording
from playground.workers.wire import (
    BringBack,
    ComeBack,
    DrawnLab,
    Loaded,
    OpenBeside,
    Restore,
    Restored,
    Returned,
    RunReplay,
    Start,
)

BUILDERS = {"start": branch.from_start, "here": branch.from_here, "before": branch.as_before}


class Service:
    """One worker's engine, and what is built for it."""

    def __init__(self, engine: Engine, recording: Recording) -> None:
        self.engine = engine
        self.recording = recording  # notes every run that is built here
        self.settings = engine.settings
        self._refusals: dict[str, str] = {}  # of runs that may not be built

    def open(
        self,
        run_id: str,
        session: str,
        bench: str,
        config: Config,
        cores: int,
        refusal: str = "",
        *,
        plays: bool = False,
    ) -> None:
        """Open a run of a bench, which may play; with a refusal, one that fails with this sentence until allowed."""
        build = self._build_of(bench)
        if refusal:
            self._refusals[run_id] = refusal
            build = partial(self._build_if_allowed, run_id, build)
        self.engine.open(session, build, config, run_id=run_id, cores=cores, plays=plays)

    def allow(self, run_id: str) -> None:
        """A run that was opened with a refusal can be built from now on; for any other, nothing changes."""
        self._refusals.pop(run_id, None)

    def open_beside(self, run_id: str, leader_id: str, start: Start, knob: str, value: Value) -> None:
        """Open a second run beside an open one, with another value of one knob. Raises UnknownRun."""
        build = self.recording.builds_beside(start, BUILDERS[start])
        self.engine.open_beside(leader_id, build, partial(with_value, knob, value), knob, run_id=run_id)

    def bring_back(self, message: BringBack) -> None:
        """Open a run again whose process was lost, in the same way as it was. Raises UnknownRun where it has no leader.

        From a recipe that cannot be used it fails with a sentence.
        """
        run_id, session, recipe, cores = message.run_id, message.session, message.recipe, message.cores
        try:
            coming = ComingBack(recipe, self.settings, may_play=message.may_play, notice=message.notice)
        except ValueError as error:
            self.open(run_id, session, recipe.bench, recipe.config, cores, str(error))
            return
        if (beside := recipe.beside) is None:
            build = self.recording.comes_back(coming, self._build_of(recipe.bench))
            self.engine.open(session, build, recipe.config, run_id=run_id, cores=cores, returning=coming)
            return
        opened = OpenBeside(run_id, beside.leader_id, beside.start, beside.knob, beside.value)
        self._open_back_beside(opened, coming, cores)

    def _open_back_beside(self, opened: OpenBeside, coming: ComingBack, cores: int) -> None:
        """Open the second of two compared runs again. Raises UnknownRun where it has no leader."""
        again = self.recording.builds_beside(opened.start, BUILDERS[opened.start])
        self.engine.open_beside(
            opened.leader_id, self.recording.comes_back(coming, again), partial(with_value, opened.knob, opened.value),
            opened.knob, run_id=opened.run_id, cores=cores, returning=coming,
        )  # fmt: skip

    def come_back(self, asked: ComeBack) -> Returned:
        """Open a run from what its browser has kept. Raises ValueError with a sentence; nothing has changed then."""
        kept = portable.read(asked.head, asked.state, asked.bench, self.settings, asked.last_step)
        config = kept.recipe.config
        if config.needs_rebuild_for(asked.config):
            return Returned()
        second = self._kept_beside(asked, kept)
        coming = BackFromBrowser(kept, self.settings, has_second=second is not None)
        build = self.recording.comes_back(coming, self._build_of(asked.bench))
        self.engine.open(asked.session, build, config, run_id=asked.run_id, cores=asked.cores, returning=coming)
        opened = None if second is None else self._come_back_beside(asked, second)
        if config != asked.config:
            self.engine.tune(asked.run_id, asked.config)
        return Returned(asked.run_id, opened)

    def _kept_beside(self, asked: ComeBack, first: portable.Kept) -> portable.Kept | None:
        """What is kept of the second run; None where there is none that can be used: the first one says so."""
        if asked.beside is None:
            return None
        with suppress(ValueError):
            return portable.read_second(asked.beside.head, asked.beside.state, first, self.settings)
        return None

    def _come_back_beside(self, asked: ComeBack, kept: portable.Kept) -> OpenBeside:
        beside, also = kept.recipe.beside, asked.beside
        assert beside is not None and also is not None
        opened = OpenBeside(also.run_id, asked.run_id, beside.start, beside.knob, beside.value)
        self._open_back_beside(opened, BackFromBrowser(kept, self.settings), asked.cores)
        return opened

    def vary(self, run_id: str, knob: str, value: Value) -> None:
        """Give the second of two compared runs another value of this knob. Raises UnknownRun."""
        self.engine.vary(run_id, partial(with_value, knob, value))

    def restore(self, asked: Restore) -> Restored | Loaded:
        """Continue from a checkpoint in a new run, or load a file of weights into the run that it would replace.

        Raises ValueError with a sentence; nothing has changed then.
        """
        found = checkpoint.read(asked.content, name=asked.file_name)
        if not isinstance(found, checkpoint.Checkpoint):
            return self.engine.call(asked.replaces, partial(_use_weights, found), both=True)
        lesson = _live_lesson(asked.lesson)
        run, config = checkpoint.restore(found, lesson, self.settings)
        _check_locked(lesson, config, asked.locked)
        self._open_given(asked.run_id, asked.session, asked.lesson, lambda: run, config, asked.cores)
        return Restored(asked.run_id, config, found.step, found.checksum)

    def replay(
        self, run_id: str, session: str, lesson: str, config: Config, at: str, since: str, threads: str, cores: int
    ) -> None:
        """Repeat a shared run in a new one. Raises ValueError with a sentence for a link that cannot be replayed."""
        run, steps = self._replayed(lesson, config, at, since, threads)
        self._open_given(run_id, session, lesson, lambda: run, config, cores)
        self.engine.command(run_id, Step(steps))

    def open_again(self, asked: Restore | RunReplay | ComeBack, config: Config) -> None:
        """Do once more what was done in a process that is lost, for a run that the front knows already.

        Here the run is there at once, and made by the thread that builds: its viewers can be attached.
        """
        if isinstance(asked, ComeBack):
            self.come_back(asked)
            return
        if isinstance(asked, Restore):
            found = checkpoint.read(asked.content, name=asked.file_name)
            assert isinstance(found, checkpoint.Checkpoint)
            lesson = _live_lesson(asked.lesson)

            def make() -> Run:
                run: Run = checkpoint.restore(found, lesson, self.settings)[0]
                return run

            self._open_given(asked.run_id, asked.session, asked.lesson, make, config, asked.cores)
            return
        run, steps = self._replayed(asked.lesson, asked.config, asked.at, asked.since, asked.threads)
        self._open_given(asked.run_id, asked.session, asked.lesson, lambda: run, config, asked.cores)
        self.engine.command(asked.run_id, Step(steps))

    def draw(self, lab: str, config: Config, digest: bytes, number: int) -> DrawnLab:
        """What a still lab shows. Raises ValueError with a sentence where nothing can be drawn."""
        bench = BENCHES[lab]
        assert isinstance(bench, Lab) and bench.draw is not None
        return drawn(bench, config, digest, number)

    def _build_of(self, bench: str) -> Any:
        found: Any = BENCHES[bench]
        return self.recording.builds(bench, partial(found.build, settings=self.settings))

    def _build_if_allowed(self, run_id: str, build: Any, config: Config) -> Run:
        if (refusal := self._refusals.get(run_id)) is not None:
            raise ValueError(refusal)
        found: Run = build(config)
        return found

    def _replayed(self, lesson: str, config: Config, at: str, since: str, threads: str) -> tuple[Run, int]:
        """A run that repeats a shared one, and how many steps it has to take."""
        start, again = replay.read(config, at, since, threads)
        return replay.build(_live_lesson(lesson).build, start, again, self.settings), again.at

    def _open_given(
        self, run_id: str, session: str, lesson: str, make: Callable[[], Run], config: Config, cores: int
    ) -> None:
        build = self._build_of(lesson)
        made = cache(lambda: self.recording.listen(lesson, make()))

        def given(asked: Config) -> Run:
            found: Run = made() if asked == config else build(asked)
            return found

        self.engine.open(session, given, config, run_id=run_id, cores=cores)


def drawn(lab: Lab, config: Config, digest: bytes, number: int) -> DrawnLab:
    """A still lab's sheet as it travels; the same charts as before have the same number. Raises ValueError."""
    assert lab.draw is not None
    sheet = lab.draw(config)
    charts = {name: {"figure": figure} for name, figure in sheet.charts.items()}
    found = hashlib.sha256(encode(charts)).digest()
    number += found != digest
    frame = encode({"charts": charts, "number": number})
    return DrawnLab(frame, found, number, sheet.note, sheet.tables, sheet.line, sheet.answer)


def with_value(knob: str, value: Value, config: Config) -> Config:
    """The config with another value of one knob."""
    return config.with_values(**{knob: value})


def _check_locked(lesson: LiveLesson, config: Config, locked: Mapping[str, Value]) -> None:
    """Raise ValueError where a checkpoint has another value of a locked setting, or may have data that override it."""
    data = () if lesson.own_points is None else lesson.own_points.without_effect
    for name, value in locked.items():
        if name in data or getattr(config, name) != value:
            raise ValueError(messages.LOCKED.format(label=config.knobs()[name].label))


def _live_lesson(name: str) -> LiveLesson:
    found = LESSONS[name]
    if not isinstance(found, LiveLesson):
        raise ValueError(messages.NO_RUN_TO_REPLACE)
    return found


def _use_weights(weights: Any, run: Any) -> Loaded:
    if not isinstance(run, checkpoint.Resumable):
        raise ValueError(messages.TAKES_NO_WEIGHTS)
    assigned = run.assigned(weights)
    run.use_weights(assigned.weights)
    return Loaded(checkpoint.checksum(assigned.weights), assigned.in_order)
