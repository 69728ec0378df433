"""The race's charts of all racers: losses, ranking, fits, ways over the surface, learning rates and update sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.engine.frames import Figure
from playground.figures.theme import round_up
from playground.lessons.optimizers import narrator as words
from playground.lessons.optimizers.config import LOOKS, OVER
from playground.lessons.optimizers.figures import race as figures
from playground.lessons.optimizers.figures.race import Standing, Track
from playground.lessons.optimizers.surface import CATCH_UP_SECONDS

if TYPE_CHECKING:
    from playground.lessons.optimizers.run import RaceRun
    from playground.runs.training_run import View

PLAN_POINTS = 120


def _tracks(run: RaceRun, what: str, x: Callable[[str], Any] | None = None) -> list[Track]:
    """A history column of each racer, over steps or over what `x` gives for its name."""
    steps, column = run.history.steps(), run.history.column
    names = [(racer.entry.name, racer.entry.label) for racer in run.race.racers]
    return [Track(label, LOOKS[name], x(name) if x else steps, column(f"{what} {name}")) for name, label in names]


def loss(run: RaceRun, view: View, *, log: bool, raw: bool) -> Figure:
    """Losses over steps, epochs or each racer's own seconds, with the batches' losses where they are wanted."""
    history, over, steps = run.history, run.config.over, run.history.steps()
    first = run.race.racers[0].entry.name
    scale = {"step": steps, "epoch": history.column("epoch"), "second": history.column(f"second {first}")}[over]
    until = {"step": run.until, "epoch": run.until / run.race.batches.steps_per_epoch}.get(
        over, round_up(max(0.1, *(racer.seconds for racer in run.race.racers)))
    )
    x = (lambda name: history.column(f"second {name}")) if over == "second" else (lambda name: scale)
    place = [(float(np.interp(step, steps, scale)), f"step {step}: {text}") for step, text in run.marks]
    cursor = None if view.is_now else float(np.interp(view.steps, steps, scale))
    return figures.losses(
        _tracks(run, "smooth", x),
        _tracks(run, "loss", x) if raw else [],
        title=OVER[over],
        until=until,
        peak=run.peak,
        log=log,
        marks=[] if over == "second" else place,
        cursor=None if over == "second" else cursor,
    )


def ranking(run: RaceRun, view: View) -> Figure:
    """The places at the moment shown, and whether the race is fair."""
    badge, fair = words.badge(run.race, run.order)
    rows = [
        Standing(r.entry.label, LOOKS[r.entry.name], place, loss,
                 words.MORE.format(start=r.start))
        for r, loss, place in run.placed(view)
    ]  # fmt: skip
    finite = [row.loss for row in rows if row.place]
    low = min([run.lowest, *finite])
    return figures.ranking(rows, span=(max(low, 1e-8), run.peak), badge=badge, fair=fair)


def fits(run: RaceRun, view: View) -> Figure:
    """Every racer's curve; those who have left have none."""
    curves = [
        Track(r.entry.label, LOOKS[r.entry.name], run.grid_x, curve if place else np.full_like(curve, np.nan))
        for (r, _, place), curve in zip(run.placed(view), view.seen.curves, strict=True)
    ]
    return figures.fits(run.points, curves, spans=run.spans)


def paths(run: RaceRun, view: View) -> Figure:
    """The ways over the surface, after a little more walking."""
    run.surface.walk(run.steps, CATCH_UP_SECONDS)
    return run.surface.figure(view.steps, [LOOKS[racer.entry.name] for racer in run.race.racers])


def rates(run: RaceRun, view: View) -> Figure:
    """One line for all who share the learning rate, and one for each own entry with another."""
    ahead = np.unique(np.linspace(run.steps, run.until, PLAN_POINTS).astype(np.int64))
    factors = np.array([run.factor(int(step)) for step in ahead], np.float32)
    past, plan = {}, {}
    for racer, track in sorted(zip(run.race.racers, _tracks(run, "rate"), strict=True), key=lambda each: each[0].left):
        name = racer.entry.label if racer.entry.lr != run.config.lr else "Shared"
        if name not in past:  # the line of one who still runs, if there is one, stands for all who share it
            past[name] = Track(name, track.look, track.x, track.y)
            plan[name] = Track(name, track.look, ahead.astype(np.float32), racer.entry.lr * factors)
    return figures.rates(list(past.values()), list(plan.values()), until=run.until, now=view.steps)


def ratios(run: RaceRun, view: View) -> Figure:
    """The length of each update as a share of the weights'."""
    cursor = None if view.is_now else float(view.steps)
    return figures.over_steps(_tracks(run, "ratio"), title="Update / weights", until=run.until, cursor=cursor)
