"""A table that a visitor pastes or uploads: its separator, decimal mark, header and rows, found by what fits best."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from playground.knobs import shorten
from playground.parsing.decimals import Mark, Marks, is_missing, marks_of
from playground.parsing.messages import TABLE
from playground.parsing.notations import plain_lines
from playground.parsing.text_files import TableError

MAX_COLUMNS = 1_000
MAX_LINES_BEFORE = 200  # title, comments and header, above the first row
MAX_NAME_LINES = 20  # of those lines, in which names are looked for
MAX_HEADER = 2_000  # characters of a line of names
SAMPLE_LINES = 200  # by which the separator is found
PLAIN = "\x1f"  # stands for a separator that the csv module cannot be given: a comma and a space
SEPARATORS = (";", "\t", ",", ", ", "|", " ")  # where two fit equally well, the first; " " is any white space
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # as Excel writes and reads it
_COMMENT = re.compile(r'"?(#|%|//|@)')
_SIGN_APART = re.compile(r"(?<=\d) ([%€$])(?=\s|$)")
_RULE = " \t|:+,;=-"  # the signs in the line below a header, in Markdown and the like
_REMARK = re.compile(r"\s(?:#|%(?=\s?[^\W\d])).*")
_QUOTED_LINE = re.compile(r'"(?:[^"]|"")*"')
_WIDE_SIGNS = {"，": ",", "；": ";"}
_NUMBER_STARTS = frozenset("0123456789+-.,")
_INVISIBLE = str.maketrans(dict.fromkeys("\ufeff\u200b\u200e\u200f\u202a\u202c\u2060"))
_TYPE = re.compile(r"<\w+>|\.\.+|…")  # a type below R's names, or the place of what was left out in print
_SHAPE = re.compile(r"\[?\d+ rows [x×] \d+ columns\]?")  # as pandas ends a print
_UNITS = frozenset((
    "", "-", "1", "s", "ms", "min", "h", "d", "m", "mm", "cm", "dm", "km", "m²", "m2", "m³", "l", "ml", "g", "mg", "kg",
    "n", "j", "kj", "w", "kw", "kwh", "v", "mv", "a", "ma", "ω", "ohm", "hz", "khz", "pa", "hpa", "kpa", "bar", "mbar",
    "k", "c", "°c", "°f", "°", "rad", "%", "m/s", "km/h", "m/s²", "m/s^2", "m/s2", "mol", "mol/l", "t", "lux", "db",
    "€", "$", "eur", "usd", "int", "float", "str", "f64", "f32", "i64", "i32", "mean", "sum", "std", "median", "count",
))  # fmt: skip
_TOTALS = frozenset((
    "sum", "total", "totals", "grand total", "mean", "average", "avg", "median", "std", "stdev", "sd",
    "count", "summe", "gesamt", "gesamtergebnis", "insgesamt", "mittel", "mittelwert", "durchschnitt",
    "standardabweichung", "anzahl", "somme", "moyenne", "suma", "media", "promedio", "totale", "somma", "średnia",
    "итого", "сумма", "среднее", "合计", "总计", "平均", "平均值", "合計",
))  # fmt: skip


class RowLengthError(TableError):
    """A row with another number of cells than the others."""

    def __init__(self, line: int, expected: int, found: int) -> None:
        super().__init__(TABLE["row_length"].format(line=line, expected=expected, found=found))
        self.line, self.expected, self.found = line, expected, found


Header = Literal["names", "numbers", "unused", "none"]


@dataclass(frozen=True)
class Form:
    """How to read what could be read in two ways; None: as is more likely."""

    header: bool | None = None  # whether a first line of numbers (0, 1, 2) names the columns
    decimal: Mark | None = None  # what 1,234 means


@dataclass(frozen=True)
class Row:
    """The cells of a row, and the number of its line."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of texts. Columns without any value are left out; a column without a name has the name "".

    `header`: there was a line of names, a line of numbers read as names, a header that does not fit the columns, or
    none. `first` is the line of numbers that could be names or a row. `skipped` counts other lines above the rows,
    `below` remarks and totals below them.
    """

    names: tuple[str, ...]
    rows: tuple[Row, ...]
    marks: Marks
    header: Header = "none"
    first: str = ""
    skipped: int = 0
    below: int = 0
    is_turned: bool = False  # its points stood side by side

    def column(self, at: int) -> tuple[str, ...]:
        """The cells of a column."""
        return tuple(row.cells[at] for row in self.rows)

    def numeric(self, at: int) -> bool:
        """Whether most of a column's values are numbers."""
        values = [cell for cell in self.column(at) if not is_missing(cell)]
        return 2 * sum(self.marks.number(cell) is not None for cell in values) > len(values)


def read_table(
    text: str, max_rows: int, form: Form | None = None, knows: Callable[[str], bool] = lambda name: False
) -> Table:
    """The table in a text. Raises TableError for too many rows or columns, and for rows of different lengths.

    `knows`: whether a name of a column is one that is looked for.
    """
    form = form or Form()
    lines, forced = _lines(text)
    separator = forced or _separator(lines)
    grid = _split(lines[: max_rows + MAX_LINES_BEFORE + 1], separator)
    if separator == "," and _is_one_column(grid):
        separator, grid = "", _split(lines[: max_rows + MAX_LINES_BEFORE + 1], "")
    marks = marks_of((cell for row in grid for cell in row.cells), form.decimal)
    if separator == "":
        marks = Marks(",") if any("," in row.cells[0] for row in grid if _is_data(row, marks)) else marks
    width = _width(grid, marks)
    if width > MAX_COLUMNS:
        raise TableError(TABLE["too_many_columns"].format(columns=width, limit=MAX_COLUMNS))
    start = _start(grid, width, marks)
    above, rows = grid[:start], grid[start:]
    names, header, first = _names(above, rows, width, marks, separator, lines, knows)
    skipped = len(above) - (header in ("names", "unused"))
    if first:
        is_header = header == "numbers" if form.header is None else form.header
        header = "numbers" if is_header else "none"
        names = rows[0].cells if is_header else ()
        rows = rows[1:] if is_header else rows
    end = _end(rows, width, marks)
    rows, below = rows[:end], len(rows) - end
    if len(rows) > max_rows:
        raise TableError(TABLE["too_many_rows"].format(line=rows[max_rows].line, max_rows=max_rows))
    if header == "unused" and separator == "," and 2 * _filled(above[-1]) == width and not _has_points(rows):
        raise TableError(TABLE["commas"].format(line=rows[0].line, expected=_filled(above[-1]), found=width))
    return _table(rows, width, names, marks, header, first, max(skipped, 0), below)


def _has_points(rows: Sequence[Row]) -> bool:
    return any("." in cell for row in rows for cell in row.cells)


# Lines.


@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    is_comment: bool = False


def _lines(text: str) -> tuple[list[_Line], str]:
    """The lines that are not blank, and the separator that a line such as `sep=;` demands, or ""."""
    text = text.translate(_INVISIBLE).replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    for wide, sign in _WIDE_SIGNS.items():
        if sign not in text:
            text = text.replace(wide, sign)
    lines: list[_Line] = []
    separator = ""
    for number, line in enumerate(plain_lines(text).split("\n"), start=1):
        if not lines and (match := _SEPARATOR_LINE.fullmatch(line.strip(" "))):
            separator = match[1]
        elif _COMMENT.match(line.lstrip()):
            lines.append(_Line(number, line, is_comment=True))
        elif line.strip(" \t,;|") and not (("---" in line or "===" in line) and not line.strip(_RULE)):
            lines.append(_Line(number, line))
    return _unquoted([line for line in lines if not _is_printed(line.text)]), separator


def _is_printed(line: str) -> bool:
    """Whether a line has no values, only what a program prints beside them."""
    cells = line.replace("|", " ").split() if len(line) < MAX_HEADER else []
    return bool(cells) and (all(map(_TYPE.fullmatch, cells)) or bool(_SHAPE.fullmatch(line.strip())))


def _unquoted(lines: list[_Line]) -> list[_Line]:
    """The lines without the quotation marks that a program has put around each whole line."""
    texts = [line.text.strip() for line in lines if not line.is_comment]
    if not texts or not all(_QUOTED_LINE.fullmatch(text) for text in texts):
        return lines
    return [replace(line, text=line.text.strip()[1:-1].replace('""', '"')) for line in lines]


# Cells.


def _split(lines: Sequence[_Line], separator: str) -> list[Row]:
    """The rows of the lines that are not comments; rows without any value are left out."""
    kept = [line for line in lines if not line.is_comment]
    if separator == "":
        return [Row(line.number, (_clean(line.text),)) for line in kept]
    at = 0

    def texts() -> Iterator[str]:
        nonlocal at
        for line in kept:
            at = line.number
            yield _prepared(line.text, separator) + "\n"

    is_odd = sum(line.text.count('"') for line in kept) % 2 == 1  # then a quotation mark is a sign like any other
    sign = PLAIN if separator == ", " else separator
    found = csv.reader(texts(), delimiter=sign, skipinitialspace=sign != "\t",
                       quoting=csv.QUOTE_NONE if is_odd else csv.QUOTE_MINIMAL)  # fmt: skip
    try:
        return [Row(at, tuple(map(_clean, cells))) for cells in found if any(cell.strip() for cell in cells)]
    except csv.Error:
        raise TableError(TABLE["not_csv"].format(line=at)) from None


def _prepared(text: str, separator: str) -> str:
    if text.lstrip()[:1].isdigit() or text.lstrip()[:1] in "+-.":
        text = _REMARK.sub("", text)
    if separator == " ":
        text = _SIGN_APART.sub(r"\1", text)
        return " ".join(text.split())
    return re.sub(r",\s+", PLAIN, text.strip()) if separator == ", " else text


def _clean(cell: str) -> str:
    cell = cell.strip()
    cell = cell[1:] if cell.startswith('="') else cell  # as Excel keeps a text
    if cell.startswith("'") and cell[1:2] in _NUMBER_STARTS and "'" not in cell[1:]:
        return cell[1:]
    while len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\"":
        cell = cell[1:-1].strip()
    return cell.strip('"') if cell.count('"') == 1 else cell


# What the separator is.


def _separator(lines: Sequence[_Line]) -> str:
    """The separator that makes the most numbers in rows of one length; "" where each line is one cell."""
    sample = [line for line in lines if not line.is_comment][:SAMPLE_LINES]
    best, separator = (0.0, 0.0), ""
    for candidate in SEPARATORS:
        try:
            score = _score(_split(sample, candidate), len(sample), candidate)
        except TableError:
            continue
        if score > best:
            best, separator = score, candidate
    if separator == "" and sample:
        _split(sample, ",")  # raises where a cell is too long, or a quotation has no end
    return separator


def _score(rows: Sequence[Row], lines: int, candidate: str) -> tuple[float, float]:
    """How well a separator fits: the share of numbers in rows of one length, and the share of rows of one length."""
    cells = [cell for row in rows for cell in row.cells]
    marks = marks_of(cells)
    lengths = Counter(len(row.cells) for row in rows if len(row.cells) > 1)
    with_numbers = Counter(len(row.cells) for row in rows if len(row.cells) > 1 and _is_data(row, marks))
    if not lengths:
        return 0.0, 0.0
    usual = (with_numbers or lengths).most_common(1)[0][0]
    filled = [cell for row in rows if len(row.cells) == usual and _is_data(row, marks) for cell in row.cells if cell]
    numbers = sum(marks.number(cell) is not None for cell in filled)
    if candidate == ", " and not (marks.decimal == "," and numbers == len(filled)):
        return 0.0, 0.0  # only for 0,5, 0,7
    share = numbers / max(len(filled), 1) * with_numbers[usual] / lines
    return share + (candidate == ", "), lengths[usual] / lines


def _is_one_column(grid: Sequence[Row]) -> bool:
    """Whether commas are decimal marks of a single column: two whole numbers below one name, or a second such as 05."""
    data = [row for row in grid if _is_data(row, Marks())]
    if not data or any(len(row.cells) != 2 or not all(cell.lstrip("+-").isdigit() for cell in row.cells)
                       for row in data):  # fmt: skip
        return False
    first = [row.cells[0] for row in data]
    is_index = first in ([str(at) for at in range(len(data))], [str(at + 1) for at in range(len(data))])
    at = grid.index(data[0])
    has_one_name = at > 0 and len(grid[at - 1].cells) == 1
    return (has_one_name and not is_index) or any(re.fullmatch(r"0\d+", row.cells[1]) for row in data)


# Where the rows begin.


def _is_data(row: Row, marks: Marks) -> bool:
    return any(marks.number(cell) is not None for cell in row.cells)


def _filled(row: Row) -> int:
    """The number of cells up to the last one with a value."""
    return max((at + 1 for at, cell in enumerate(row.cells) if cell), default=0)


def _width(grid: Sequence[Row], marks: Marks) -> int:
    """The usual length of the rows with numbers; of all rows where none has numbers."""
    lengths = Counter(len(row.cells) for row in grid if _is_data(row, marks)) or Counter(len(row.cells) for row in grid)
    return max(lengths, key=lambda length: lengths[length]) if lengths else 0


def _start(grid: Sequence[Row], width: int, marks: Marks) -> int:
    """The index of the first row of the table, below title and header."""
    fitting = [row for row in grid if len(row.cells) == width]
    later = fitting[len(fitting) // 2 :]

    def is_number(row: Row, at: int) -> bool:
        return marks.number(row.cells[at]) is not None

    def fits(row: Row, at: int) -> bool:
        return is_number(row, at) or is_missing(row.cells[at])

    numeric = [at for at in range(width) if later and 2 * sum(is_number(row, at) for row in later) >= len(later)]
    if not numeric:
        return min(1, len(grid))
    begin = 0
    for at, row in enumerate(grid):
        if len(row.cells) >= width and all(fits(row, column) for column in numeric) and _is_data(row, marks):
            break
        is_text = _filled(row) >= min(2, width) and not any(marks.number(cell) is not None for cell in row.cells)
        wrong = sum(column < len(row.cells) and not fits(row, column) for column in numeric)
        is_text = is_text or 2 * wrong > width  # such as the counts and the classes above scikit-learn's tables
        if is_text or _is_counted(row, marks) or len(row.cells) < width:
            begin = at + 1
    return begin


def _end(rows: Sequence[Row], width: int, marks: Marks) -> int:
    """The number of rows above the remarks and totals that end a table."""
    end = len(rows)
    while end > 1:
        row = rows[end - 1]
        label = next(filter(None, row.cells), "").strip(" :").lower()
        is_remark = not _is_data(row, marks) and (len(row.cells) != width or _filled(row) == 1 < width)
        if not is_remark and (label not in _TOTALS or any(label == _total(other) for other in rows[: end - 1])):
            break
        end -= 1
    return end


def _total(row: Row) -> str:
    return row.cells[0].strip(" :").lower()


def _is_counted(row: Row, marks: Marks) -> bool:
    """Whether a row is names and numbers that count, such as label, 0, 1, 2."""
    numbers = [marks.number(cell) for cell in row.cells if marks.number(cell) is not None]
    return len(numbers) > 1 and numbers in ([*range(len(numbers))], [*range(1, len(numbers) + 1)])


# The header.


def _names(
    above: Sequence[Row],
    rows: Sequence[Row],
    width: int,
    marks: Marks,
    separator: str,
    lines: Sequence[_Line],
    knows: Callable[[str], bool],
) -> tuple[tuple[str, ...], Header, str]:
    """The names of the columns, what kind of header they are from, and a first line of numbers that could be one."""
    used = [at for at in range(width) if any(at < len(each.cells) and each.cells[at] for each in rows)]
    found = [
        names
        for row in above[-MAX_NAME_LINES:]
        if (names := _names_in(row, above, rows, used, width, marks, separator, lines))
    ]
    if found:  # above the names there may be values of the whole table, below them units
        return max(reversed(found), key=lambda names: (sum(map(knows, names)), not _are_units(names))), "names", ""
    if above and _filled(above[-1]) > 1:
        return (), "unused", ""
    if names := _from_comment(rows, separator, width, marks, lines):
        return names, "names", ""
    if rows and width > 1 and _are_years(rows, marks):
        return (), "numbers", ", ".join(filter(None, rows[0].cells))
    if rows and width > 1 and _could_be_names(rows[0]):
        return (), "numbers" if _are_names(rows, marks) else "none", ", ".join(filter(None, rows[0].cells))
    return (), "none", ""


def _names_in(
    row: Row,
    above: Sequence[Row],
    rows: Sequence[Row],
    used: Sequence[int],
    width: int,
    marks: Marks,
    separator: str,
    lines: Sequence[_Line],
) -> tuple[str, ...]:
    """The names of the columns in a row above the table; () where it has none."""
    if _is_data(row, marks) and not _is_counted(row, marks):
        return ()
    named = sum(at < len(row.cells) and bool(row.cells[at]) for at in used)
    are_most = 2 * named > len(used) or (row.cells[0] == "" and named == len(used) - 1)
    if len(row.cells) >= width and are_most and _filled(row) <= width:
        return row.cells[:width]
    if len(row.cells) == width - 1 and separator != " " and not all(each.cells[-1] for each in rows):
        return (*row.cells, "")  # a remark behind some rows
    if row is not above[-1] or not _has_row_names(rows, marks, separator):
        return _renamed(row, separator, width, lines)
    if len(row.cells) == width - 1:
        return ("", *row.cells)  # as R writes it
    names = _renamed(row, separator, width - 1, lines)
    return ("", *names) if names else _renamed(row, separator, width, lines)


def _are_units(names: Sequence[str]) -> bool:
    """Whether the cells of a row are units or types, which stand below names."""
    return all(name.strip("()[] ").lower() in _UNITS or re.fullmatch(r"[(\[].*[)\]]", name) for name in names)


def _has_row_names(rows: Sequence[Row], marks: Marks, separator: str) -> bool:
    """Whether the first column has names or counts the rows; in print, where rows are left out, numbers that grow."""
    first = [row.cells[0] for row in rows]
    if separator == " " and all(cell.isdecimal() and len(cell) < 10 for cell in first):
        return all(int(low) < int(high) for low, high in pairwise(first))
    counts = [[str(at + start) for at in range(len(first))] for start in (0, 1)]
    return first in counts or all(marks.number(cell) is None for cell in first)


def _renamed(row: Row, separator: str, width: int, lines: Sequence[_Line]) -> tuple[str, ...]:
    """The names in a line whose names contain the separator: in brackets, or single spaces between words."""
    text = next(line.text for line in lines if line.number == row.line).strip()
    if len(text) > MAX_HEADER or separator in ("", ", ") or len(row.cells) == width or width < 2:
        return ()
    pattern = r"\s{2,}|\t" if separator == " " else rf"{re.escape(separator)}(?![^(\[]*[)\]])"
    names = tuple(_clean(name) for name in re.split(pattern, text))
    return names if len(names) == width else ()


def _from_comment(
    rows: Sequence[Row], separator: str, width: int, marks: Marks, lines: Sequence[_Line]
) -> tuple[str, ...]:
    """The names in the last comment above the rows, as NumPy's savetxt writes them."""
    comments = [line for line in lines if line.is_comment and rows and line.number < rows[0].line]
    if not comments or separator == "":
        return ()
    text = _COMMENT.sub("", comments[-1].text.lstrip(), count=1)
    found = _split([_Line(1, text)], separator) if text.strip() else []
    is_header = len(found) == 1 and len(found[0].cells) == width and not _is_data(found[0], marks)
    return found[0].cells if is_header else ()


def _could_be_names(row: Row) -> bool:
    """Whether a row of numbers counts from 0 or 1, as pandas and others name columns without names."""
    cells = row.cells[1:] if row.cells[0] == "" else row.cells
    return list(cells) in ([str(at) for at in range(len(cells))], [str(at + 1) for at in range(len(cells))])


def _are_years(rows: Sequence[Row], marks: Marks) -> bool:
    """Whether a first row has years that follow each other as names, above numbers that are no years."""
    years = [at for at, cell in enumerate(rows[0].cells) if re.fullmatch(r"(?:19|20)\d\d", cell)]
    numbers = [cell for cell in rows[0].cells if marks.number(cell) is not None]
    first = [int(rows[0].cells[at]) for at in years]
    if len(first) < 2 or len(first) < len(numbers) or first != [*range(first[0], first[0] + len(first))]:
        return False
    below = [row.cells[at] for row in rows[1:] for at in years if at < len(row.cells)]
    return bool(below) and not any(re.fullmatch(r"(?:19|20)\d\d", cell) for cell in below)


def _are_names(rows: Sequence[Row], marks: Marks) -> bool:
    """Whether a first row that could be names or numbers is more likely to be names, by the rows below."""
    first, others = rows[0].cells, rows[1:]
    if first[0] == "":
        return True
    columns = [[row.cells[at] for row in others if at < len(row.cells) and row.cells[at]] for at in range(len(first))]
    if not all(columns):
        return False
    fractions = [all(re.search(r"\d?[.,eE]\d|[^\d+-]", cell) for cell in cells) for cells in columns]
    if len(first) == 2:  # (0, 1) is also a point that a student types, but programs write 1.0 where a student writes 1
        return all(fractions) and any(re.fullmatch(r"[+-]?\d+[.,]0", cell) for cells in columns for cell in cells)
    last = {cell for cell in columns[-1] if cell}
    needed = 1 if first[0] == "0" else 2  # fewer programs count from 1
    return (sum(fractions) >= needed and len(others) > 1) or (len(last) < len(others) and first[-1] not in last)


def _table(
    rows: Sequence[Row],
    width: int,
    names: Sequence[str],
    marks: Marks,
    header: Header,
    first: str,
    skipped: int,
    below: int,
) -> Table:
    """The table without the columns that have no value in any row. Raises TableError for a row of another length."""
    last = max((_filled(row) for row in rows if len(row.cells) <= width), default=0)
    for row in rows:
        if len(row.cells) < min(last, width) or _filled(row) > width:
            found = max(_filled(row), 1) if _filled(row) > width else len(row.cells)
            raise RowLengthError(row.line, last or width, found)
    padded = [Row(row.line, (*row.cells, *[""] * width)[:width]) for row in rows]
    kept = [at for at in range(width) if any(row.cells[at] for row in padded)]
    named = (*names, *[""] * width)
    return Table(
        tuple(shorten(named[at]) for at in kept),
        tuple(Row(row.line, tuple(row.cells[at] for at in kept)) for row in padded),
        marks,
        header,
        first,
        skipped,
        below,
    )
