"""One form for the numbers in sentences and tables: a few digits, a real minus sign, and never a minus before zero."""

from __future__ import annotations

import math

SMALLEST, LARGEST = 1e-4, 1e6  # sizes between them are written without an exponent


def number(value: float, digits: int = 3) -> str:
    """A number with so few significant digits, as in −0.25, 15,490 and 4.46e−5; NaN and ∞ for what is not finite."""
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else minus(f"{value:+}".replace("inf", "∞").removeprefix("+"))
    size = abs(float(f"{value:.{digits - 1}e}"))
    if size == 0:
        return "0"
    if SMALLEST <= size < LARGEST:
        decimals = max(0, digits - 1 - math.floor(math.log10(size)))
        text = f"{value:,.{decimals}f}"
        return minus(text.rstrip("0").removesuffix(".") if decimals else text)
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").removesuffix(".") if "." in mantissa else mantissa
    return minus(f"{mantissa}e{int(exponent)}")


def fixed(value: float, decimals: int) -> str:
    """A number with this many decimals, for a column of a table; what rounds to zero has no minus."""
    if not math.isfinite(value):
        return number(value)
    text = f"{value:,.{decimals}f}"
    return minus(text if text.strip("-0.,") else text.removeprefix("-"))


def minus(text: str) -> str:
    """The text with minus signs instead of hyphens."""
    return text.replace("-", "−")
