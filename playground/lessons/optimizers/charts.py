"""The charts of all racers: losses, ranking, fits, learning rates and update sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import Part
from playground.figures.theme import round_up
from playground.lessons.optimizers import words
from playground.lessons.optimizers.config import OVER, PENS
from playground.lessons.optimizers.figures import race as figures
from playground.lessons.optimizers.figures.race import Standing, Track
from playground.lessons.optimizers.race import Placing, Racer
from playground.lessons.optimizers.surface import DECIMALS
from playground.lessons.ranking import places
from playground.runs.history import History

Array = NDArray[Any]
PLAN_POINTS = 120
MIN_HEIGHT = 10.0**-DECIMALS  # on a log axis


def tracks(
    history: History, racers: Sequence[Racer], what: str, x: Callable[[str], Array] | None = None
) -> list[Track]:
    """A history column of each racer, over steps or over `x` of its name."""
    steps, column = history.steps(), history.column
    names = [(racer.entry.name, racer.entry.label) for racer in racers]
    return [Track(label, PENS[name], x(name) if x else steps, column(f"{what} {name}")) for name, label in names]


def loss(
    history: History, racers: Sequence[Racer], *, over: str, last_step: float, steps_per_epoch: int, peak: float,
    marks: Sequence[tuple[int, str]], cursor: int | None, log: bool, raw: bool,
) -> Figure:  # fmt: skip
    """Losses over steps, epochs or each racer's own seconds; with `raw`, the losses of the batches behind them.

    `marks` are (step, text); `cursor` is the step that is shown, None for the current one.
    """
    steps, column = history.steps(), history.column
    if over == "second":
        last = round_up(max(0.1, *(racer.seconds for racer in racers)))
        return figures.losses(
            tracks(history, racers, "smooth", lambda name: column(f"second {name}")),
            tracks(history, racers, "loss", lambda name: column(f"second {name}")) if raw else [],
            title=OVER[over], until=last, peak=peak, log=log,
        )  # fmt: skip
    scale = column("epoch") if over == "epoch" else steps
    return figures.losses(
        tracks(history, racers, "smooth", lambda name: scale),
        tracks(history, racers, "loss", lambda name: scale) if raw else [],
        title=OVER[over],
        until=last_step / steps_per_epoch if over == "epoch" else last_step,
        peak=peak,
        log=log,
        marks=[
            (float(np.interp(step, steps, scale)), words.STEP_MARK.format(step=step, text=text)) for step, text in marks
        ],
        cursor=None if cursor is None else float(np.interp(cursor, steps, scale)),
    )


def leaders(history: History, racers: Sequence[Racer], *, last_step: float, peak: float, marks: Any) -> Figure:
    """The lowest smoothed loss at each step; `marks` are (step, text)."""
    columns = np.stack([history.column(f"smooth {racer.entry.name}") for racer in racers])  # (racers, rows)
    lowest = np.where(np.isfinite(columns), columns, np.inf).min(axis=0)
    lowest = np.where(np.isfinite(lowest), lowest, np.nan).astype(np.float32)
    return figures.leaders(history.steps(), lowest, peak=peak, until=last_step, marks=marks)


def ranking(
    placings: Sequence[Placing], *, ranked: bool, span: tuple[float, float], badge: str, fair: bool,
    turns: dict[str, Any],
) -> Figure:  # fmt: skip
    """The places at the step shown, and whether the race is fair; `span` is the lowest and highest loss so far.

    Without `ranked` it names no places: nothing is trained yet. `turns` says what the list's buttons turn.
    """
    rows = [
        Standing(racer.entry.label, PENS[racer.entry.name], place, loss, words.RANKING_HOVER.format(start=racer.start))
        for racer, loss, place in placings
    ]
    low = min([span[0], *(row.loss for row in rows if row.place)])
    span = max(low, figures.MIN_LOG), span[1]
    return figures.ranking(rows, ranked=ranked, span=span, badge=badge, fair=fair, turns=turns)


def heights(racers: Sequence[Racer], on_surface: Array, *, peak: float, turns: dict[str, Any]) -> Figure:
    """The racers' heights on a surface, as `ranking` has their losses: (racers, steps + 1), NaN for one that has left.

    `peak` is the height of the start.
    """
    now = on_surface[:, -1]
    rows = [
        Standing(racer.entry.label, PENS[racer.entry.name], 0 if np.isnan(place) else int(place), float(height), "")
        for racer, height, place in zip(racers, now, places(now), strict=True)
    ]
    span = MIN_HEIGHT, max(peak, MIN_HEIGHT)
    return figures.ranking(
        rows, ranked=on_surface.shape[1] > 1, span=span, badge=words.BADGES["surface"], fair=True, turns=turns,
        title=words.HEIGHT,
    )  # fmt: skip


def lowest(on_surface: Array, *, last_step: float) -> Figure:
    """The height of the lowest racer on a surface at each step; `on_surface` is (racers, steps + 1)."""
    finite = np.where(np.isnan(on_surface), np.inf, on_surface).min(axis=0)
    line = np.where(np.isfinite(finite), np.maximum(finite, MIN_HEIGHT), np.nan).astype(np.float32)
    steps = np.arange(len(line), dtype=np.float32)
    return figures.lowest(steps, line, peak=float(np.nanmax(on_surface[:, 0])), until=last_step)


def fits(placings: Sequence[Placing], curves: Sequence[Array], *, x: Array, data: Part, spans: Any) -> Figure:
    """Every racer's curve over x in front of the data; racers that have dropped out have none."""
    lines = [
        Track(racer.entry.label, PENS[racer.entry.name], x, curve if place else np.full_like(curve, np.nan))
        for (racer, _, place), curve in zip(placings, curves, strict=True)
    ]
    return figures.fits(data, lines, spans=spans)


def rates(
    history: History, racers: Sequence[Racer], *, shared: float, factor: Callable[[int], float], step: int,
    last_step: float, cursor: int,
) -> Figure:  # fmt: skip
    """The learning rates so far and, by the schedule's `factor` of a step, up to the last step.

    One line is for all racers with the `shared` rate, and one for each own entry with another.
    """
    ahead = np.unique(np.linspace(step, last_step, PLAN_POINTS).astype(np.int64))
    factors = np.array([factor(int(each)) for each in ahead], np.float32)
    past, plan = {}, {}
    pairs = zip(racers, tracks(history, racers, "rate"), strict=True)
    for racer, track in sorted(pairs, key=lambda pair: pair[0].left):
        name = racer.entry.label if racer.entry.lr != shared else words.SHARED_RATE
        if name not in past:  # a racer that still runs, if there is one, represents all with the shared rate
            past[name] = Track(name, track.pen, track.x, track.y)
            plan[name] = Track(name, track.pen, ahead.astype(np.float32), racer.entry.lr * factors)
    return figures.rates(list(past.values()), list(plan.values()), until=last_step, now=cursor)


def ratios(history: History, racers: Sequence[Racer], *, last_step: float, cursor: int | None) -> Figure:
    """The length of each racer's update as a share of the length of its weights."""
    return figures.over_steps(tracks(history, racers, "ratio"), title=words.RATIO_TITLE, until=last_step, cursor=cursor)
