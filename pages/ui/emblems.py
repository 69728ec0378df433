"""A small drawing for each lesson, for the home page's tiles: in colours that work in the light and the dark theme."""

from __future__ import annotations

import base64

SIZE = (48, 44)  # of the drawing's coordinates
LINE = 'fill="none" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"'
INK, BLUE, ORANGE, GREEN, PINK = "#7c8a99", "#2b8bd0", "#dd7a1c", "#1e9e78", "#c8569c"


def emblem(lesson: str) -> str:
    """The drawing of a lesson as SVG of SIZE; decoration, without information of its own."""
    wide, high = SIZE
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}">{DRAWINGS[lesson]}</svg>'


def as_html(lesson: str) -> str:
    """The drawing as an HTML image with an empty alternative: screen readers pass over it."""
    data = base64.b64encode(emblem(lesson).encode()).decode()
    return f'<img class="emblem" alt="" width="{SIZE[0]}" height="{SIZE[1]}" src="data:image/svg+xml;base64,{data}">'


def _line(path: str, colour: str = INK, more: str = "") -> str:
    return f'<path d="{path}" stroke="{colour}" {LINE} {more}/>'


def _box(x: float, y: float, wide: float, high: float, colour: str, share: float = 1.0) -> str:
    return f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="1" fill="{colour}" fill-opacity="{share}"/>'


def _dots(places: str, colour: str, size: float = 1.8) -> str:
    """A dot at each place of the form "x,y x,y"."""
    pairs = (place.split(",") for place in places.split())
    return "".join(f'<circle cx="{x}" cy="{y}" r="{size}" fill="{colour}"/>' for x, y in pairs)


def _cells(left: float, top: float, side: float, shares: list[list[float]], colour: str = BLUE) -> str:
    return "".join(
        _box(left + column * (side + 1), top + row * (side + 1), side, side, colour, share)
        for row, each in enumerate(shares)
        for column, share in enumerate(each)
    )


DRAWINGS = {
    "tensors": _cells(6.5, 11, 11, [[0.2, 0.4, 0.6], [0.6, 0.8, 1.0]]),
    "autograd": _line("M10 12 L25 22 L40 22 M10 32 L25 22", INK) + _dots("10,12 10,32 25,22", BLUE, 4.5)
    + _dots("40,22", PINK, 4.5),
    "activations": _line("M5 36 H17 C25 36 25 8 33 8 H43", PINK) + _line("M5 36 H22 L43 12", BLUE),
    "gradient_descent": _line("M6 6 C14 52 34 52 42 6", INK) + _dots("14,23", ORANGE, 4.5),
    "regression": _dots("5,10 9,15 12,24 16,31 20,35 24,38 29,36 32,31 36,26 39,17 43,9", BLUE)
    + _line("M6 8 C16 46 32 46 42 8", PINK),
    "classification": _box(4, 3, 40, 38, ORANGE, 0.85)
    + f'<circle cx="24" cy="22" r="13" fill="{BLUE}" stroke="#ffffff" stroke-width="2.5"/>'
    + _dots("20,18 27,20 22,26 28,27", "#ffffff", 1.7),
    "training_loop": _line("M36.5 14 A15 15 0 1 0 39 22", INK) + _line("M30 14.5 H37.5 V7", INK)
    + _dots("24,7", BLUE, 3.6) + _dots("38.3,26.6", PINK, 3.6) + _dots("32.8,34.1", GREEN, 3.6)
    + _dots("15.2,34.1", BLUE, 3.6) + _dots("9.7,17.4", ORANGE, 3.6),
    "checkpoints": _line("M6 9 C11 43 17 43 22 9", PINK)
    + _line("M27 9 C32 43 38 43 43 9", PINK, 'stroke-dasharray="3 4"')
    + _line("M17 36 H31 M27.5 32.5 L31 36 L27.5 39.5", INK),
    "data_loader": _cells(5, 9, 8, [[0.9, 0.25], [0.25, 0.5], [0.5, 0.25]])
    + _cells(33, 9, 8, [[0.9], [0.6], [0.9]], ORANGE)
    + _line("M24.5 22 H30 M27.5 19 L30.5 22 L27.5 25", INK),
    "optimizers": f'<ellipse cx="27" cy="25" rx="17" ry="13" stroke="{INK}" stroke-opacity="0.45" {LINE}/>'
    + f'<ellipse cx="27" cy="25" rx="8.5" ry="6.5" stroke="{INK}" stroke-opacity="0.45" {LINE}/>'
    + _line("M5 8 L27 25", BLUE) + _line("M5 8 C22 4 40 10 27 25", ORANGE),
    "learning_rates": _line("M6 8 C14 18 28 22 42 24", ORANGE) + _line("M6 8 C12 30 24 32 42 33", PINK)
    + _line("M6 8 C9 36 18 38 42 38", BLUE),
    "convolution": _cells(5, 3.5, 6.5, [[0.2, 0.5, 0.8, 0.4, 0.2], [0.3, 0.9, 0.4, 0.6, 0.3], [0.7, 0.5, 0.2, 0.8, 0.5],
                                        [0.2, 0.4, 0.7, 0.3, 0.6], [0.5, 0.2, 0.3, 0.6, 0.2]])
    + f'<rect x="11.5" y="10" width="24" height="24" rx="2" {LINE} stroke="{ORANGE}"/>',
    "cnn": f'<path d="M13 12 C18 5 34 6 33 14 C32 20 25 21 22 21 C30 21 38 24 36 31 C33 41 16 40 12 33" stroke="{INK}" '
    'fill="none" stroke-width="5" stroke-linecap="round" stroke-linejoin="round"/>',
}  # fmt: skip
