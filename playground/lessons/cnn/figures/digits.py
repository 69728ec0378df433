"""Figures of ten digits and of a model's layers: curves over steps, bars, a confusion table, points in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.curves import loss_curve
from playground.figures.tables import Columns, with_table
from playground.figures.theme import axis, layout, round_up
from playground.lessons.cnn import words

Array = NDArray[Any]
DIGITS = [str(digit) for digit in range(10)]
MARGIN = {"l": 50, "r": 10, "t": 8, "b": 36}
SHAPES = ("circle", "square", "diamond", "cross", "triangle-up")


def over_steps(
    lines: Sequence[tuple[str, str, Array, Array]],
    *,
    title: str,
    span: list[float] | None,
    until: float,
    tests: tuple[Array, Array] | None = None,
    marks: Sequence[tuple[int, str]] = (),
    cursor: int | None = None,
) -> Figure:
    """Lines over steps, each (name, colour role, steps, values), without gaps; `tests` are points of full tests.

    Without a span the axis is logarithmic.
    """
    shown = [(name, colour, steps[np.isfinite(y)], y[np.isfinite(y)]) for name, colour, steps, y in lines]
    plain = [(name, colour, y) for name, colour, _, y in shown]
    figure = loss_curve(np.empty(0, np.float32), plain, peak=1.0, until=until, marks=marks, cursor=cursor,
                        log=span is None, title=title)  # fmt: skip
    for trace, (_, _, steps, _) in zip(figure["data"], shown, strict=False):
        trace["x"] = steps
    if span is not None:
        figure["layout"]["yaxis"]["range"] = span
    figure["layout"]["margin"] = MARGIN
    last = max((float(steps[-1]) for _, _, steps, _ in shown if len(steps)), default=0.0)
    figure["layout"]["xaxis"]["range"] = [0, 1.01 * until if last <= until else round_up(last)]
    if tests is not None:
        figure["data"].append(
            {"type": "scatter", "mode": "markers", "name": words.ALL_TEST_IMAGES, "x": tests[0], "y": tests[1],
             "marker": {"symbol": "diamond", "size": 10, "color": "@mark"}, "customdata": 100 * tests[1],
             "hovertemplate": words.ALL_TEST_IMAGES_HOVER + "<extra></extra>"}
        )  # fmt: skip
    return figure


def answer(
    picture: Figure, logits: Array, probabilities: Array, *, end: float, label: int | None, predicted: int
) -> Figure:
    """An image (a figure with its pixels), and beside it the logits within ±end over the probabilities.

    The bar of the predicted digit is filled, that of the true digit has an outline.
    """
    colours = ["@model" if digit == predicted else "@model/0.35" for digit in range(10)]
    marker = {"color": colours, "line": {"color": "@text", "width": [2.5 if d == label else 0.0 for d in range(10)]}}
    traces = [
        {"type": "bar", "name": name, "x": list(range(10)), "y": np.nan_to_num(values).astype(np.float32),
         "showlegend": False, "marker": marker,
         "xaxis": f"x{at}", "yaxis": f"y{at}", "hovertemplate": words.DIGIT_HOVER + "<extra></extra>"}
        for at, (name, values) in enumerate((("Logits", logits), ("Softmax", probabilities)), start=2)
    ]  # fmt: skip
    ticks = {"tickvals": list(range(10)), "ticktext": DIGITS, "showgrid": False, "zeroline": False, "fixedrange": True}
    axes: dict[str, Any] = {}
    panels: list[tuple[str, list[float], list[float]]] = [
        ("Logits", [-end, end], [0.56, 1.0]),
        ("Softmax", [0.0, 1.0], [0.0, 0.44]),
    ]
    for at, (name, span, domain) in enumerate(panels, start=2):
        axes[f"xaxis{at}"] = axis("", [-0.6, 9.6], anchor=f"y{at}", domain=[0.46, 1], **ticks)
        axes[f"yaxis{at}"] = axis(name, span, anchor=f"x{at}", domain=domain, fixedrange=True)
    frame = picture["layout"] | axes
    frame["xaxis"] = frame["xaxis"] | {"domain": [0, 0.32]}
    frame |= {"margin": {"l": 6, "r": 10, "t": 26, "b": 22}}
    figure: Figure = picture | {"data": [*picture["data"], *traces], "layout": frame}
    return with_table(figure, {words.DIGIT: list(range(10)), words.LOGIT: logits, words.PROBABILITY: probabilities})


def sizes(names: Sequence[str], counts: Sequence[int], sums: Sequence[str]) -> Figure:
    """How many parameters each layer has, the first on top, each with the calculation of it."""
    rows = [
        words.PARAMETERS_OF.format(layer=name, count=count, sum=text)
        for name, count, text in zip(names, counts, sums, strict=True)
    ]
    at = list(range(len(names)))
    trace = {
        "type": "bar", "orientation": "h", "name": words.PARAMETERS, "showlegend": False, "x": list(counts), "y": at,
        "width": 0.36, "offset": 0.0, "marker": {"color": "@weight"}, "hovertext": rows, "hoverinfo": "text",
    }  # fmt: skip
    notes = [
        {"text": row, "x": 0, "xref": "paper", "y": index - 0.22, "yref": "y", "xanchor": "left", "yanchor": "middle",
         "showarrow": False, "font": {"size": 12, "color": "@text"}}
        for index, row in enumerate(rows)
    ]  # fmt: skip
    y = axis("", [len(names) - 0.4, -0.6], showgrid=False, zeroline=False, tickvals=[], showticklabels=False)
    x = axis(words.PARAMETERS_TOTAL.format(total=sum(counts)), [0, 1.05 * max(counts)])
    frame = layout(x, y, margin={"l": 4, "r": 14, "t": 4, "b": 38}, annotations=notes)
    columns: Columns = {words.LAYER: list(names), words.PARAMETERS: list(counts), words.CALCULATION: list(sums)}
    return with_table({"data": [trace], "layout": frame}, columns)


def confusions(counts: Array, chosen: tuple[int, int] | None, *, title: str) -> Figure:
    """How often each digit (row) was predicted as each digit (column, titled `title`); a frame on the chosen cell."""
    wrong = counts * (1 - np.eye(10))
    shade = wrong / max(1.0, float(wrong.max()))
    cells = {
        "type": "heatmap", "name": words.TEST_IMAGES, "showlegend": False, "zmin": 0, "zmax": 1,
        "x": list(range(10)), "y": list(range(10)),
        "z": [row.tolist() for row in shade + 0.12 * np.eye(10)], "colorscale": [[0, "@ground"], [1, "@test"]],
        "showscale": False, "xgap": 2, "ygap": 2, "hovertemplate": words.CONFUSION_HOVER + "<extra></extra>",
        "text": [[str(count) if count else "" for count in row] for row in counts.tolist()],
        "texttemplate": "%{text}",
    }  # fmt: skip
    ticks = {"tickvals": list(range(10)), "ticktext": DIGITS, "showgrid": False, "zeroline": False}
    x = axis(title, [-0.5, 9.5], **ticks)
    y = axis(words.TRUE_DIGIT, [9.5, -0.5], **ticks)
    frame = []
    if chosen is not None:
        row, column = chosen
        frame = [{"type": "rect", "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5,
                  "line": {"color": "@mark", "width": 3}}]  # fmt: skip
    drawn: Figure = {"data": [cells], "layout": layout(x, y, shapes=frame, margin={"l": 42, "r": 6, "t": 4, "b": 40})}
    true, predicted = np.indices(counts.shape).reshape(2, -1)
    return with_table(
        drawn, {words.TRUE_DIGIT: true, words.PREDICTED_DIGIT: predicted, words.TEST_IMAGES: counts.ravel()}
    )


def per_class(accuracies: Array, totals: Array) -> Figure:
    """The accuracy on the test images of each digit."""
    hovers = [
        words.CLASS_ACCURACY_HOVER.format(digit=digit, percent=100 * accuracy, images=total)
        for digit, (accuracy, total) in enumerate(zip(accuracies, totals, strict=True))
    ]
    trace = {
        "type": "bar", "name": words.ACCURACY, "showlegend": False, "x": list(range(10)),
        "y": np.nan_to_num(accuracies).astype(np.float32),
        "marker": {"color": "@test"}, "text": [f"{100 * accuracy:.1f}" for accuracy in np.nan_to_num(accuracies)],
        "textposition": "outside", "cliponaxis": False, "hovertext": hovers, "hoverinfo": "text",
    }  # fmt: skip
    x = axis(words.TRUE_DIGIT, [-0.6, 9.6], tickvals=list(range(10)), ticktext=DIGITS, showgrid=False)
    y = axis(words.CLASS_ACCURACY_AXIS, [0, 1.1], **words.PERCENT_TICKS)
    frame = layout(x, y, margin=MARGIN)
    columns: Columns = {
        words.TRUE_DIGIT: list(range(10)), words.CLASS_ACCURACY_AXIS: 100 * accuracies, words.TEST_IMAGES: totals
    }  # fmt: skip
    return with_table({"data": [trace], "layout": frame}, columns)


def plane(
    at: Array, labels: Array, hovers: Sequence[str], *, span: float, titles: tuple[str, str], note: str
) -> Figure:
    """Points (n, 2) in the colour and shape of their digit, within ±span; `hovers` describe each."""
    data = []
    for digit in range(10):
        mine = np.flatnonzero(labels == digit)
        data.append(
            {"type": "scatter", "mode": "markers", "name": str(digit), "x": at[mine, 0].astype(np.float32),
             "y": at[mine, 1].astype(np.float32), "hoverinfo": "text",
             "hovertext": [hovers[index] for index in mine.tolist()],
             "marker": {"color": f"@class{digit % 5}", "size": 7 if digit < 5 else 8,
                        "symbol": SHAPES[digit % 5] + ("" if digit < 5 else "-open"),
                        "line": {"width": 0 if digit < 5 else 1.5}}}
        )  # fmt: skip
    bounds = [-span, span]
    ticks = {"showticklabels": False, "zeroline": False}
    notes = [{"text": note, "x": 0.01, "y": 0.99, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top",
              "showarrow": False, "font": {"size": 12, "color": "@muted"}}] if note else []  # fmt: skip
    return {
        "data": data,
        "layout": layout(
            axis(titles[0], bounds, **ticks), axis(titles[1], bounds, **ticks), annotations=notes,
            hoverlabel={"font": {"family": "monospace", "size": 7}}, margin={"l": 24, "r": 4, "t": 4, "b": 24},
        ),
    }  # fmt: skip
