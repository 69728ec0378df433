"""Numbers as people write them: decimal points or commas, thousands in groups, exponents, missing values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

MAX_DIGITS = 64  # characters of a number
Mark = Literal[".", ","]

MISSING_LABELS = frozenset(("", "na", "n/a", "#n/a", "#nv", "nan", "null", "<na>", "?"))
MISSING = MISSING_LABELS | {  # in a column of numbers; “none” and “-” can be classes
    "none", "nil", "-", "--", "–", ".", "*", "***", "####", "missing", "nat", "k.a.", "#n/v", "#value!", "#wert!",
    "#div/0!", "#ref!", "#bezug!", "#name?", "缺失", "无",
}  # fmt: skip
_INFINITE = re.compile(r"[+-]?(?:inf(?:inity)?|∞)", re.IGNORECASE)
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[ed][+-]?\d{1,4})?", re.IGNORECASE)
_PLAIN_SIGNS = str.maketrans({"−": "-", "–": "-", **{chr(0xFEE0 + code): chr(code) for code in range(0x21, 0x7F)}})
_BY_SPACES = re.compile(r"[+-]?\d{1,3}(?:[ \u00a0\u2009\u202f'’]\d{3})+(?:[.,]\d*)?")
_BY_POINTS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?")
_BY_COMMAS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_SIGNS = frozenset("%€$£¥₹")
_SIGN = re.compile(r"(?<=\d)[ \u00a0\u202f]?[%€$£¥₹]|[€$£¥₹][ \u00a0\u202f]?(?=[+-]?[\d.,])")
_FOOTNOTE = re.compile(r"(?<=\d) ?\[\w{1,3}\]$")
_SPACE = re.compile(r"[ \u00a0\u2009\u202f'’]")

# What shows which sign is the decimal mark, in all numbers of a table.
_EITHER = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}\{mark}\d{{3}}") for mark in ".,"}  # 1,234: one number or another
_ONE = {mark: re.compile(rf"[+-]?\d*\{mark}\d+(?:[ed][+-]?\d+)?", re.IGNORECASE) for mark in ".,"}
_GROUPS = {",": re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3}){2,}(?:\.\d*)?|(?:,\d{3})+\.\d*)"),
           ".": re.compile(r"[+-]?\d{1,3}(?:(?:\.\d{3}){2,}(?:,\d*)?|(?:\.\d{3})+,\d*)")}  # fmt: skip


@dataclass(frozen=True)
class Marks:
    """The decimal mark of a table. `mixed`: some numbers have the other one; `unclear`: it could be the other one."""

    decimal: Mark = "."
    mixed: bool = False
    unclear: bool = False

    def number(self, cell: str) -> float | None:
        """The number in a cell, NaN or infinity included; None where it has none."""
        text = cell.strip()
        if not text or len(text) > MAX_DIGITS or text.endswith(","):
            return None
        if _PLAIN.fullmatch(text) and text.isascii() and not (self._points_are_groups and _BY_POINTS.fullmatch(text)):
            return _value(text)
        text = _without_sign(text.translate(_PLAIN_SIGNS))
        if _INFINITE.fullmatch(text):
            return -math.inf if text.startswith("-") else math.inf
        if _BY_SPACES.fullmatch(text):
            text = _SPACE.sub("", text)
        if self.decimal == ",":
            if self._points_are_groups and _BY_POINTS.fullmatch(text):
                text = text.replace(".", "")
            text = text.replace(",", ".", 1)
        elif _BY_COMMAS.fullmatch(text):
            text = text.replace(",", "")
        return _value(text) if _PLAIN.fullmatch(text) and text.isascii() else None

    @property
    def _points_are_groups(self) -> bool:
        return self.decimal == "," and not self.mixed


def has_sign(cell: str) -> bool:
    """Whether a number has a sign of percent or of a currency."""
    text = cell.strip()
    return text[-1:] != "]" and _without_sign(text) != text


def _without_sign(text: str) -> str:
    """A number without a sign of percent or of a currency, and without a footnote's mark, as in 1.5[3]."""
    if text[-1:] == "]":
        return _FOOTNOTE.sub("", text, count=1)
    if text[-1:] in _SIGNS or text[:1] in _SIGNS or text[1:2] in _SIGNS:
        return _SIGN.sub("", text, count=1)
    return text


def _value(text: str) -> float:
    return float(text.lower().replace("d", "e"))


def is_missing(cell: str) -> bool:
    """Whether a cell of numbers is empty or says that its value is missing."""
    return cell.strip().lower() in MISSING


def is_missing_label(cell: str) -> bool:
    """Whether a cell of class labels is empty or says that its value is missing."""
    return cell.strip().lower() in MISSING_LABELS


def marks_of(cells: Iterable[str], chosen: Mark | None = None) -> Marks:
    """The decimal mark that the cells of a table show, or the chosen one."""
    decimals = {".": 0, ",": 0}
    groups, either = dict(decimals), dict(decimals)
    for cell in cells:
        text = cell.strip().translate(_PLAIN_SIGNS)
        if len(text) > MAX_DIGITS or not any(mark in text for mark in ".,"):
            continue
        text = _without_sign(text)
        text = _SPACE.sub("", text) if _BY_SPACES.fullmatch(text) else text
        for mark in ".,":
            if _EITHER[mark].fullmatch(text):
                either[mark] += 1
            elif _ONE[mark].fullmatch(text):
                decimals[mark] += 1
            elif _GROUPS[mark].fullmatch(text):
                groups[mark] += 1
    unclear = bool(either[","]) and not (decimals[","] or groups[","] or decimals["."] or either["."] or groups["."])
    if chosen:
        return Marks(chosen, mixed=bool(decimals["."]) and chosen == ",", unclear=unclear)
    if decimals[","] or groups["."] or unclear:
        return Marks(",", mixed=bool(decimals["."]), unclear=unclear)
    return Marks(".")
