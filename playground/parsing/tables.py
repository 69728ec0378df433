"""A table that a visitor pastes or uploads: its separator, decimal mark, header and rows, found by what fits best."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from playground.knobs import shorten
from playground.parsing.decimals import Mark, Marks, is_missing, marks_of
from playground.parsing.messages import TABLE
from playground.parsing.text_files import TableError

MAX_COLUMNS = 1_000
MAX_LINES_BEFORE = 200  # title, comments and header, above the first row
MAX_HEADER = 2_000  # characters of a line of names
SAMPLE_LINES = 200  # by which the separator is found
PLAIN = "\x1f"  # stands for a separator that the csv module cannot be given: a comma and a space
SEPARATORS = (";", "\t", ",", ", ", "|", " ")  # where two fit equally well, the first; " " is any white space
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # as Excel writes and reads it
_COMMENT = re.compile(r'"?(#|%|//|@)')
_RULE = " \t|:+,;=-"  # the signs in the line below a header, in Markdown and the like
_REMARK = re.compile(r"\s[#%].*")
_BRACKETED = re.compile(r"(?:(?:np\.|numpy\.)?array)?[\[(]")
_WIDE_SIGNS = {"，": ",", "；": ";"}


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
    none. `first` is the line of numbers that could be names or a row. `skipped` counts other lines above the rows.
    """

    names: tuple[str, ...]
    rows: tuple[Row, ...]
    marks: Marks
    header: Header = "none"
    first: str = ""
    skipped: int = 0

    def column(self, at: int) -> tuple[str, ...]:
        """The cells of a column."""
        return tuple(row.cells[at] for row in self.rows)

    def numeric(self, at: int) -> bool:
        """Whether most of a column's values are numbers."""
        values = [cell for cell in self.column(at) if not is_missing(cell)]
        return 2 * sum(self.marks.number(cell) is not None for cell in values) > len(values)


def read_table(text: str, max_rows: int, form: Form | None = None) -> Table:
    """The table in a text. Raises TableError for too many rows or columns, and for rows of different lengths."""
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
    names, header, first = _names(above, rows, width, marks, separator, lines)
    skipped = len(above) - (header in ("names", "unused"))
    if first:
        is_header = header == "numbers" if form.header is None else form.header
        header = "numbers" if is_header else "none"
        names = rows[0].cells if is_header else ()
        rows = rows[1:] if is_header else rows
    if len(rows) > max_rows:
        raise TableError(TABLE["too_many_rows"].format(line=rows[max_rows].line, max_rows=max_rows))
    if header == "unused" and separator == "," and 2 * _filled(above[-1]) == width and not _has_points(rows):
        raise TableError(TABLE["commas"].format(line=rows[0].line, expected=_filled(above[-1]), found=width))
    return _table(rows, width, names, marks, header, first, max(skipped, 0))


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
    text = text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    for wide, sign in _WIDE_SIGNS.items():
        if sign not in text:
            text = text.replace(wide, sign)
    lines: list[_Line] = []
    separator = ""
    for number, line in enumerate(_without_brackets(text).split("\n"), start=1):
        if not lines and (match := _SEPARATOR_LINE.fullmatch(line.strip(" "))):
            separator = match[1]
        elif _COMMENT.match(line.lstrip()):
            lines.append(_Line(number, line, is_comment=True))
        elif line.strip(" \t,;|") and not (("---" in line or "===" in line) and not line.strip(_RULE)):
            lines.append(_Line(number, line))
    return lines, separator


def _without_brackets(text: str) -> str:
    """A list of lists or of tuples, as Python and NumPy print them, as lines; every other text unchanged."""
    if not _BRACKETED.match(text.lstrip()):
        return text
    if "\n" in text.strip():
        lines = text.split("\n")
        if not all(_BRACKETED.match(line.lstrip()) for line in lines if line.strip()):
            return text
    else:
        lines = re.sub(r"[\])] ?,? ?[\[(]", "\n", " ".join(text.split())).split("\n")
    return "\n".join(re.sub(r"array|dtype=\w+|[\[\]()]", "", line).strip(" ,") for line in lines)


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
        return " ".join(text.split())
    return re.sub(r",\s+", PLAIN, text.strip()) if separator == ", " else text


def _clean(cell: str) -> str:
    cell = cell.strip()
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
        if is_text or _is_counted(row, marks) or len(row.cells) < width:
            begin = at + 1
    return begin


def _is_counted(row: Row, marks: Marks) -> bool:
    """Whether a row is names and numbers that count, such as label, 0, 1, 2."""
    numbers = [marks.number(cell) for cell in row.cells if marks.number(cell) is not None]
    return len(numbers) > 1 and numbers in ([*range(len(numbers))], [*range(1, len(numbers) + 1)])


# The header.


def _names(
    above: Sequence[Row], rows: Sequence[Row], width: int, marks: Marks, separator: str, lines: Sequence[_Line]
) -> tuple[tuple[str, ...], Header, str]:
    """The names of the columns, what kind of header they are from, and a first line of numbers that could be one."""
    for row in above:  # the first that names most columns; below it there may be a row of units
        if len(row.cells) >= width and 2 * sum(map(bool, row.cells[:width])) > width and _filled(row) <= width:
            return row.cells[:width], "names", ""
        if len(row.cells) == width - 1 and row is above[-1] and _has_row_names(rows, marks):
            return ("", *row.cells), "names", ""  # as R writes it
        if names := _renamed(row, separator, width, lines):
            return names, "names", ""
    if above and _filled(above[-1]) > 1:
        return (), "unused", ""
    if names := _from_comment(rows, separator, width, marks, lines):
        return names, "names", ""
    if rows and width > 1 and _are_years(rows, marks):
        return (), "numbers", ", ".join(filter(None, rows[0].cells))
    if rows and width > 1 and _could_be_names(rows[0]):
        return (), "numbers" if _are_names(rows, marks) else "none", ", ".join(filter(None, rows[0].cells))
    return (), "none", ""


def _has_row_names(rows: Sequence[Row], marks: Marks) -> bool:
    first = [row.cells[0] for row in rows]
    return first == [str(at + 1) for at in range(len(rows))] or all(marks.number(cell) is None for cell in first)


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
    rows: Sequence[Row], width: int, names: Sequence[str], marks: Marks, header: Header, first: str, skipped: int
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
    )
