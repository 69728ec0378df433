"""A small drawing for each lesson, for the home page's cards: in colours that work in the light and the dark theme."""

from __future__ import annotations

import base64

SIZE = (96, 48)  # pixels
LINE = 'fill="none" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"'
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
    return f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="1.5" fill="{colour}" fill-opacity="{share}"/>'


def _dots(places: str, colour: str, size: float = 2.2) -> str:
    """A dot at each place of the form "x,y x,y"."""
    pairs = (place.split(",") for place in places.split())
    return "".join(f'<circle cx="{x}" cy="{y}" r="{size}" fill="{colour}"/>' for x, y in pairs)


def _cells(left: float, shares: list[list[float]], colour: str, side: float = 13.0, top: float = 4.0) -> str:
    return "".join(
        _box(left + column * (side + 1.5), top + row * (side + 1.5), side, side, colour, share)
        for row, each in enumerate(shares)
        for column, share in enumerate(each)
    )


DRAWINGS = {
    "tensors": _cells(8, [[0.15, 0.3, 0.45], [0.6, 0.75, 0.9]], BLUE, top=9)
    + _cells(59, [[0.9, 0.6], [0.45, 0.3]], ORANGE, top=9),
    "autograd": "".join(_box(x, 15, 20, 18, colour, 0.85) for x, colour in ((4, BLUE), (38, GREEN), (72, PINK)))
    + _line("M36 24 H26 M30 20 L26 24 L30 28 M70 24 H60 M64 20 L60 24 L64 28"),
    "activations": _line("M6 40 H46 L62 24 L78 8", PINK)
    + _line("M6 40 C44 40 40 12 90 12", BLUE, 'stroke-dasharray="5 5"'),
    "gradient_descent": _line("M6 6 C22 56 62 56 90 6", BLUE)
    + _line("M20 30 L29 38 L40 42.5", ORANGE, 'stroke-dasharray="1 5"')
    + _dots("17,25", ORANGE, 4.5),
    "regression": _dots("8,8 16,17 20,24 29,31 36,38 45,36 53,41 60,35 67,33 74,22 80,21 88,7", BLUE)
    + _line("M6 6 C26 52 68 52 90 5", PINK),
    "classification": _box(6, 4, 84, 40, BLUE, 0.22)
    + f'<path d="M6 4 H34 C70 14 28 34 66 44 H6 Z" fill="{ORANGE}" fill-opacity="0.4"/>'
    + _dots("16,14 24,30 33,20 36,37 17,38 44,40", ORANGE)
    + _dots("62,12 72,24 82,13 80,35 66,30 54,18", BLUE),
    "checkpoints": _line("M8 8 C18 46 32 46 42 8", PINK)
    + _line("M54 8 C64 46 78 46 88 8", PINK)
    + _line("M38 32 H58 M53 27 L58 32 L53 37", INK),
    "data_loader": _cells(6, [[0.9, 0.35, 0.6, 0.2], [0.3, 0.75, 0.15, 0.5]], BLUE, side=11, top=11)
    + _line("M59 24 H68 M64 20 L68 24 L64 28")
    + _cells(74, [[0.9], [0.35], [0.6]], ORANGE, side=12),
    "optimizers": _line("M6 8 C30 12 60 22 90 24", BLUE)
    + _line("M6 8 C20 30 50 32 90 34", ORANGE, 'stroke-dasharray="6 5"')
    + _line("M6 8 C12 40 40 42 90 42", GREEN),
    "learning_rates": _line("M6 14 C30 16 40 40 54 40 C66 40 70 34 76 6", BLUE) + _dots("54,40", ORANGE, 4.5),
    "convolution": _cells(6, [[0.15, 0.5, 0.8], [0.3, 0.9, 0.4], [0.7, 0.6, 0.15]], BLUE, side=12)
    + f'<rect x="18" y="2" width="30" height="30" rx="2" {LINE} stroke="{PINK}"/>'
    + _line("M54 24 H64 M60 20 L64 24 L60 28")
    + _box(70, 15, 18, 18, ORANGE, 0.85),
    "cnn": _line("M8 10 H28 L14 40")
    + _cells(40, [[0.4, 0.8], [0.9, 0.3], [0.5, 0.7]], BLUE, side=12)
    + "".join(_box(76, 5 + 8 * at, wide, 5, ORANGE, 0.9) for at, wide in enumerate((3, 16, 5, 2, 4))),
}
