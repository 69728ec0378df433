"""A student's own table as rows to learn from: which column is what, by its name, its place or the student's choice."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from playground.data.messages import (
    AND_MORE,
    CLASS,
    COLUMN,
    COLUMN_AT,
    COLUMN_FROM,
    NAMED,
    NOTES,
    REFUSALS,
    UNDERSTOOD,
    UNNAMED,
)
from playground.knobs import shorten
from playground.parsing.decimals import has_sign, is_missing, is_missing_label
from playground.parsing.tables import Form, Row, RowLengthError, Table, read_table
from playground.parsing.text_files import TableError, decode

MAX_BYTES = 1_000_000
MAX_NUMBER = 1e6  # the largest size of a number in a table
MIN_ROWS = 2
MAX_SIDEWAYS = 12  # rows, fewer than which can be columns that lie on their side
MAX_LISTED = 5  # lines or columns that a sentence lists
MAX_CELL = 20  # characters of a cell in a sentence
INDEX_NAMES = frozenset((
    "", "#", "id", "nr", "no", "idx", "index", "number", "nummer", "row", "row names", "rownames", "unnamed:0",
    "unnamed:1", "lfd", "lfdnr", "lfd nr", "编号", "序号", "番号",
))  # fmt: skip
SPLITS = frozenset(("train", "test"))
_ID = re.compile(r"(?:[\s_.-]|^)[iI][dD]$|[a-z](?:Id|ID)$")  # user_id, PassengerId
_UNIT = re.compile(r"[(\[{/].*|\s+in\s+\S+$")

Rows = tuple[tuple[float, ...], ...]


class DataError(ValueError):
    """Data that a model cannot be trained on; the message is a sentence that names the line and the limit.

    `reading`: how the table was understood, where other columns can be chosen.
    """

    reading: Reading | None = None


@dataclass(frozen=True)
class Role:
    """What one column is for: its name, and the names that such columns have, the surest first.

    A role with `labels` takes classes as numbers or texts, `labels` different ones at most. `weak` names count only
    where no column has one of the others.
    """

    name: str
    names: tuple[str, ...]
    weak: tuple[str, ...] = ()
    labels: int = 0


@dataclass(frozen=True)
class Choice:
    """What a student chose: a column for each role, and how to read what could be read in two ways."""

    columns: tuple[int, ...] | None = None
    form: Form = field(default_factory=Form)


@dataclass(frozen=True)
class Reading:
    """Rows to learn from, and how the table was understood: a sentence, and notes where something was decided."""

    rows: Rows
    columns: tuple[int, ...]  # for each role
    options: tuple[str, ...]  # the names of all columns
    summary: str
    notes: tuple[str, ...] = ()
    first: str = ""  # a first line of numbers that could be names or a point
    first_is_names: bool = False
    unclear_decimal: str = ""  # "." or ",": how it was read where both are possible


@dataclass(frozen=True)
class Format:
    """The rows that a lesson learns from: a role for each column, and an example of a row."""

    roles: tuple[Role, ...]
    example: str

    @property
    def columns(self) -> str:
        """The names of the columns, joined by commas."""
        return ",".join(role.name for role in self.roles)

    def read(self, content: bytes | str, max_rows: int, choice: Choice | None = None) -> Reading:
        """The rows of a table in a text, or in the bytes of a file. Raises DataError, naming the line and the limit."""
        choice = choice or Choice()
        if len(content) > MAX_BYTES * (1 if isinstance(content, str) else 4):
            raise self._error("csv_too_large", limit=MAX_BYTES // 1000, max_rows=max_rows)
        try:
            text = decode(content) if isinstance(content, bytes) else content
            if len(text) > MAX_BYTES:
                raise self._error("csv_too_large", limit=MAX_BYTES // 1000, max_rows=max_rows)
            table = upright(read_table(text, max_rows, choice.form, self._knows), self.roles)
        except RowLengthError as error:
            if error.expected != len(self.roles):
                raise DataError(str(error)) from error
            raise self._error("wrong_columns", line=error.line, expected=error.expected, found=error.found) from error
        except TableError as error:
            raise DataError(str(error)) from error
        if not table.rows or (len(table.rows) < MIN_ROWS and len(table.names) >= len(self.roles)):
            raise self._error("too_few_rows", example=self.example)
        if len(table.names) < len(self.roles):
            name = "one_column" if len(table.names) == 1 and len(table.rows) >= MIN_ROWS else "wrong_columns"
            raise self._error(name, line=table.rows[0].line, expected=len(self.roles), found=len(table.names))
        columns = choice.columns if self._is_legal(choice.columns, table) else _columns(table, self.roles)
        assert columns is not None
        try:
            return self._reading(table, columns, is_chosen=choice.columns == columns)
        except DataError as error:
            error.reading = self._described(table, columns, (), "")
            raise

    def _knows(self, name: str) -> bool:
        return any(_key(name) in (*role.names, *role.weak) for role in self.roles)

    def _is_legal(self, columns: tuple[int, ...] | None, table: Table) -> bool:
        return columns is not None and len(columns) == len(self.roles) and all(
            0 <= at < len(table.names) for at in columns
        )  # fmt: skip

    def _error(self, message: str, **values: object) -> DataError:
        return DataError(REFUSALS[message].format(columns=self.columns, **values))

    def _reading(self, table: Table, columns: tuple[int, ...], *, is_chosen: bool) -> Reading:
        if len(set(columns)) < len(columns):
            raise self._error("same_column")
        rows, left_out = self._rows(table, columns)
        if len(rows) < MIN_ROWS:
            raise self._error("too_few_rows_left", lines=_listed([str(line) for line in left_out]))
        numbers, notes = self._numbers(table, columns, rows)
        summary = self._summary(table, columns, len(numbers), is_chosen=is_chosen)
        return self._described(table, columns, numbers, summary, (*_notes(table, columns, left_out), *notes))

    def _described(
        self, table: Table, columns: tuple[int, ...], rows: Rows, summary: str, notes: tuple[str, ...] = ()
    ) -> Reading:
        return Reading(
            rows,
            columns,
            tuple(_title(table, at) for at in range(len(table.names))),
            summary,
            notes,
            table.first,
            table.header == "numbers",
            table.marks.decimal if table.marks.unclear else "",
        )

    def _rows(self, table: Table, columns: tuple[int, ...]) -> tuple[list[tuple[float | str, ...]], list[int]]:
        """The values of each role in each row, classes as texts; and the lines that were left out as incomplete."""
        rows: list[tuple[float | str, ...]] = []
        left_out = []
        for row in table.rows:
            cells = [row.cells[at] for at in columns]
            if any(
                is_missing_label(cell) if role.labels else is_missing(cell)
                for role, cell in zip(self.roles, cells, strict=True)
            ):
                left_out.append(row.line)
                continue
            rows.append(tuple(
                _label(table, cell) if role.labels else self._number(table, row.line, cell)
                for role, cell in zip(self.roles, cells, strict=True)
            ))  # fmt: skip
        return rows, left_out

    def _number(self, table: Table, line: int, cell: str) -> float:
        number = table.marks.number(cell)
        if number is None:
            raise self._error("not_a_number", line=line, cell=shorten(cell, MAX_CELL))
        if not math.isfinite(number) or abs(number) > MAX_NUMBER:
            raise self._error("out_of_range", line=line, cell=shorten(cell, MAX_CELL))
        return number

    def _numbers(
        self, table: Table, columns: tuple[int, ...], rows: Sequence[tuple[float | str, ...]]
    ) -> tuple[Rows, list[str]]:
        """The rows with each class as a whole number from 0, and notes that say which class is which."""
        notes: list[str] = []
        values = [list(column) for column in zip(*rows, strict=True)]
        for at, role in enumerate(self.roles):
            if not role.labels:
                continue
            labels = _ordered({str(label) for label in values[at]})
            if len(labels) > role.labels:
                raise self._error(
                    "too_many_classes", name=_quoted(table, columns[at]), count=len(labels), limit=role.labels
                )
            number_of = {label: float(number) for number, label in enumerate(labels)}
            values[at] = [number_of[str(label)] for label in values[at]]
            if labels != [str(number) for number in range(len(labels))]:
                classes = [CLASS.format(label=shorten(label, MAX_CELL), number=n) for n, label in enumerate(labels)]
                notes.append(NOTES["classes"].format(classes=", ".join(classes)))
            if len(labels) == 1:
                notes.append(NOTES["one_class"])
        return tuple(tuple(map(float, row)) for row in zip(*values, strict=True)), notes

    def _summary(self, table: Table, columns: tuple[int, ...], rows: int, *, is_chosen: bool) -> str:
        texts = []
        for role, at in zip(self.roles, columns, strict=True):
            name = table.names[at]
            form = COLUMN if name == role.name else COLUMN_FROM if name else COLUMN_AT
            texts.append(form.format(role=role.name, name=shorten(name, MAX_CELL), number=at + 1))
        named = table.header in ("names", "numbers")
        return UNDERSTOOD["chosen" if is_chosen else "header" if named else "order"].format(
            rows=rows, columns=", ".join(texts)
        )


def _label(table: Table, cell: str) -> str:
    """A class as a text: whole numbers without a point, so that 1, 1.0 and 1,0 are the same class."""
    number = table.marks.number(cell)
    if number is None or not math.isfinite(number):
        return cell.strip()
    return f"{number:g}" if number == math.floor(number) and abs(number) < MAX_NUMBER else f"{number:.12g}"


def _ordered(labels: set[str]) -> list[str]:
    """Classes in order: numbers by size, texts by the alphabet, and no before yes."""
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels, key=lambda label: (_AFTER.get(label.lower(), 0), label.lower(), label))


_AFTER = {"yes": 1, "ja": 1, "oui": 1, "true": 1, "wahr": 1, "positive": 1, "+": 1, "是": 1, "да": 1}


def _notes(table: Table, columns: tuple[int, ...], left_out: Sequence[int]) -> list[str]:
    unused = [_quoted(table, at) for at in range(len(table.names)) if at not in columns and not _is_split(table, at)]
    texts = {
        "numbers_as_names": table.first if table.header == "numbers" else "",
        "numbers_as_row": table.first if table.header == "none" else "",
        "unused_header": table.header == "unused",
        "skipped": table.skipped,
        "below": table.below,
        "sideways": table.is_turned,
        "signs": any(has_sign(cell) for at in columns for cell in table.column(at)),
        "missing": left_out,
        "decimal_commas": table.marks.decimal == ",",
        "unused": unused,
    }
    values = {
        "first": table.first,
        "count": table.skipped,
        "below": table.below,
        "lines": _listed([str(line) for line in left_out]),
        "columns": _listed(unused),
    }
    return [NOTES[name].format(**values) for name, applies in texts.items() if applies]


def _listed(texts: Sequence[str]) -> str:
    listed = ", ".join(texts[:MAX_LISTED])
    return AND_MORE.format(listed=listed, count=len(texts) - MAX_LISTED) if len(texts) > MAX_LISTED else listed


def _title(table: Table, at: int) -> str:
    return table.names[at] or UNNAMED.format(number=at + 1)


def _quoted(table: Table, at: int) -> str:
    name = table.names[at]
    return NAMED.format(name=shorten(name, MAX_CELL)) if name else UNNAMED.format(number=at + 1)


# Which column is what.


def _key(name: str) -> str:
    """A column's name for comparing: X₁, x_1, "x 1 (cm)" and x[1] are x1."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    plain = re.sub(r"\[(\d)\]", r"\1", plain)
    plain = re.sub(r"[._\s]+", " ", _UNIT.sub("", plain).strip(" .:_-*#") or plain).strip()
    return re.sub(r"[ -]+(?=\d)", "", plain)


def _keys(names: Sequence[str]) -> list[str]:
    """The names for comparing, counted from 1 where they count from 0: x0, x1 are x1, x2."""
    keys = [_key(name) for name in names]
    numbered = [re.fullmatch(r"(\D*)(\d{1,4})", key) for key in keys]
    from_zero = {match[1] for match in numbered if match and match[1] and int(match[2]) == 0}
    return [
        f"{match[1]}{int(match[2]) + 1}" if match and match[1] in from_zero else key
        for key, match in zip(keys, numbered, strict=True)
    ]


def _columns(table: Table, roles: Sequence[Role]) -> tuple[int, ...]:
    """The column for each role: by name, then classes by their values, then by place; indices and splits last."""
    keys = _keys(table.names)
    free = [at for at in range(len(keys)) if not _is_split(table, at)]
    if len(free) < len(roles):
        free = list(range(len(keys)))
    found: dict[int, int] = {}
    for number, role in enumerate(roles):
        at = next((at for name in role.names for at in free if keys[at] == name and at not in found.values()), None)
        if at is not None:
            found[number] = at
    for number, role in enumerate(roles):
        if role.labels and number not in found:
            left = [at for at in free if at not in found.values()]
            found[number] = _class_column(table, keys, left, role, may_skip=len(left) > len(roles) - len(found))
    rest = [at for at in free if at not in found.values()]
    wanted = [number for number in range(len(roles)) if number not in found]
    numeric = [at for at in rest if table.numeric(at)]
    rest = numeric if len(numeric) >= len(wanted) else rest
    for usable in (
        [at for at in rest if not _is_index(table, keys, at)],
        [at for at in rest if not _is_index(table, keys, at) and _is_in_range(table, at)],
        [at for at in rest if not _is_index(table, keys, at) and _is_in_range(table, at) and not _is_same(table, at)],
    ):
        rest = usable if len(usable) >= len(wanted) else rest
    for number in wanted:
        at = next((at for name in roles[number].weak for at in rest if keys[at] == name), None)
        if at is not None:
            found[number] = at
            rest.remove(at)
    for number in wanted:
        if number not in found:
            found[number] = rest.pop(0)
    return tuple(found[number] for number in range(len(roles)))


def _class_column(table: Table, keys: Sequence[str], free: Sequence[int], role: Role, *, may_skip: bool) -> int:
    """The column of the class where none has a sure name: by a weak name, by its values, or the last one.

    A column that is the same in all rows is left out only where there are more columns than needed.
    """
    label_like = [at for at in free if _is_label_like(table, at, role.labels) and not _is_index(table, keys, at)]
    if may_skip:
        label_like = [at for at in label_like if not _is_same(table, at)] or label_like
    weak = [at for name in role.weak for at in label_like if keys[at] == name and not (name == "y" and "x" in keys)]
    texts = [at for at in label_like if not any(table.marks.number(cell) is not None for cell in table.column(at))]
    last = [
        at
        for at in free[-1:]
        if (at in label_like or not _is_same(table, at)) and _is_label_like(table, at, len(table.rows))
    ]  # whole numbers, however many
    first = [at for at in label_like if at == free[0]]
    return next(iter((*weak, *texts[::-1], *last, *first, *label_like, free[-1])))


def _is_label_like(table: Table, at: int, limit: int) -> bool:
    """Whether a column has few different values, all of them whole numbers or texts."""
    labels = {_label(table, cell) for cell in table.column(at) if not is_missing_label(cell)}
    return 0 < len(labels) <= limit and not any(re.fullmatch(r"-?[\d.]*\.[\d]+(e-?\d+)?", label) for label in labels)


def _is_in_range(table: Table, at: int) -> bool:
    numbers = [table.marks.number(cell) for cell in table.column(at)]
    return all(number is None or not abs(number) > MAX_NUMBER for number in numbers)


def _is_same(table: Table, at: int) -> bool:
    """Whether a column has the same value in all rows, so that nothing can be learned from it."""
    return len(set(table.column(at))) == 1


def _is_split(table: Table, at: int) -> bool:
    """Whether a column says which points are for training and which for testing, as in a file saved here."""
    return {cell.strip().lower() for cell in table.column(at)} <= SPLITS


def upright(table: Table, roles: Sequence[Role]) -> Table:
    """A table whose points stand side by side, turned, by their number or their names."""
    is_named = table.header in ("names", "numbers")
    rows = [*([Row(0, table.names)] if is_named else []), *table.rows[:MAX_SIDEWAYS]]
    width = len(table.names)
    if not len(roles) <= len(rows) < MAX_SIDEWAYS or width < len(roles) + 2 or table.header == "unused":
        return table
    firsts = [row.cells[0] for row in rows]
    has_names = all(first and table.marks.number(first) is None for first in firsts) and len(set(firsts)) == len(firsts)
    if is_named and not (has_names and all(table.marks.number(cell) is not None for cell in rows[0].cells[1:])):
        return table
    known = sum(any(_key(first) in (*role.names, *role.weak) for first in firsts) for role in roles)
    has_classes = any(role.labels for role in roles)
    if known < (len(roles) if len(rows) > len(roles) else len(roles) - 1 if has_classes else 0):
        return table
    names = tuple(firsts) if has_names else ("",) * len(rows)
    begin = 1 if has_names else 0
    turned = tuple(Row(table.rows[0].line, tuple(row.cells[at] for row in rows)) for at in range(begin, width))
    return replace(table, names=names, rows=turned, header="names" if has_names else "none", first="", is_turned=True)


def _is_index(table: Table, keys: Sequence[str], at: int) -> bool:
    """Whether a column only counts the rows: by its name, or the first one by its values."""
    if table.header in ("names", "numbers") and (keys[at] in INDEX_NAMES or _ID.search(table.names[at])):
        return True
    cells = table.column(at)
    counts = (tuple(map(str, range(len(cells)))), tuple(map(str, range(1, len(cells) + 1))))
    return at == 0 and len(cells) > 1 and cells in counts


# The formats of the lessons.

_X = ("x", "x1", "x0", "input", "inputs", "feature", "features", "eingabe", "输入", "特征")
_X_WEAK = ("t", "time", "zeit", "时间", "temps", "tiempo", "date", "year", "jahr", "a")
_Y = (
    "y", "target", "targets", "output", "outputs", "label", "response", "ziel", "zielwert", "ausgabe", "目标", "输出",
    "f(x)", "f",
)  # fmt: skip
_Y_WEAK = ("value", "values", "wert", "值", "b", "x2")
_CLASS = (
    "class", "classes", "class label", "label", "labels", "target", "targets", "category", "categories", "group",
    "cluster", "species", "variety", "type", "kind", "outcome", "diagnosis", "result",
    "klasse", "klassen", "gruppe", "kategorie", "art", "sorte", "typ", "ziel", "klass", "classe", "catégorie",
    "étiquette", "clase", "etiqueta", "categoria", "categoría", "gruppo", "класс", "метка",
    "类别", "类", "标签", "分类", "种类", "類別", "標籤", "クラス", "ラベル", "클래스", "라벨",
)  # fmt: skip
_CLASS_WEAK = (
    "survived", "purchased", "quality", "churn", "exited", "spam", "fraud", "passed", "pass", "color", "colour",
    "farbe", "gender", "sex", "geschlecht",
)  # fmt: skip
POINTS = Format((Role("x", _X, _X_WEAK), Role("y", _Y, _Y_WEAK)), "0.5, 0.25")


def labelled_points(max_classes: int) -> Format:
    """The format of points with a class: x1, x2 and one of at most `max_classes` classes."""
    first = ("x1", "feature1", "f1", "merkmal1", "特征1", "var1", "v1", "column1", "sepal length", "x")
    second = ("x2", "feature2", "f2", "merkmal2", "特征2", "var2", "v2", "column2", "sepal width")
    label = Role("class", _CLASS, ("y", "output", "z", "x3", "v3", *_CLASS_WEAK), max_classes)
    return Format((Role("x1", first, ("x0",)), Role("x2", second, ("y",)), label), "0.5, -1.5, 1")
