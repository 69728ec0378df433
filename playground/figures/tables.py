"""A chart's numbers as a table with named columns, which the board writes into the chart's CSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from playground.engine.frames import Figure

Column = Sequence[Any] | NDArray[Any]
Columns = Mapping[str, Column]


def with_table(figure: Figure, columns: Columns, *, value: str = "") -> Figure:
    """The figure with a table of the numbers that it shows: columns of one length by name; NaN is an empty cell.

    Only charts need it whose traces hold places instead of numbers. The file's text is made by the browser, when it is
    saved, and so are the words for screen readers: of a long table they say where the column `value` (or else the last
    one) is low and high, for each of the first column.
    """
    meta = {**figure["layout"].get("meta", {}), "table": dict(columns), **({"value": value} if value else {})}
    return {**figure, "layout": {**figure["layout"], "meta": meta}}


def undrawn(trace: dict[str, Any]) -> dict[str, Any]:
    """A trace that only decorates its chart: it is left out of the CSV file."""
    return {**trace, "meta": {"csv": False}}
