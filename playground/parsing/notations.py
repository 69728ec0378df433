"""Tables in the notation of a program, printed or typed (Python, NumPy, torch, MATLAB, JSON, LaTeX), as plain lines."""

from __future__ import annotations

import json
import re
from typing import Any

_BRACKETED = re.compile(r"(?:(?:(?:np|numpy|torch)\.)?(?:array|[tT]ensor)\s?)?[\[(]")
_REST = re.compile(r"(?:device|dtype|requires_grad|grad_fn|[\])])")  # begins the last line of a printed array
_DETAILS = re.compile(
    r"(?:np|numpy|torch)\.(?=array|[tT]ensor)|array|[tT]ensor|dtype=[\w.]+|device=['\"][\w:]*['\"]|requires_grad=\w+"
    r"|grad_fn=<\w*>|[\[\]()]"
)
_ASSIGNED = re.compile(r"[^\W\d]\w{0,40}\s?=\s?(?=[\[(]|np\.|numpy\.|torch\.|array|tensor)")
_NAMED_LIST = re.compile(  # x = [1, 2, 3], "x": [1, 2, 3], x = torch.tensor([1, 2, 3]), x <- c(1, 2, 3)
    r"""["']?\b([^\W\d]\w{0,40})["']?\s?(?:=|:|<-)\s?"""
    r"""(?:(?:(?:np\.|numpy\.|torch\.)?[a-zA-Z]{1,10}\()?\[([^\[\]=:]*)\]|c\(([^()=:]*)\))"""
)
_LISTED = re.compile(r"""\"([^\"]*)\"|'([^']*)'|([^\s,;'\"]+)""")
_R_PLACE = re.compile(r"^[ \t]{0,9}\[\d{1,6},?\][ \t]", re.MULTILINE)  # the [1] or [1,] before a row
_R_COLUMNS = re.compile(r"^[ \t]{0,40}(?:\[,\d{1,4}\][ \t]{0,40})+$", re.MULTILINE)
_NAMED_POINT = re.compile(r"^ ?[^\W\d]\w{0,10} ?=? ?(?=\([^()\n]*\)\s?$)", re.MULTILINE)  # A = (1, 2), P1(1, 2)
_BOX = str.maketrans(dict.fromkeys("│┆┃║", "|") | dict.fromkeys("─━═┌┐└┘├┤┬┴┼╞╡╪╭╮╰╯┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬┈╌", "-"))
_LATEX_LINE = re.compile(r"^[ \t]{0,40}\\[a-zA-Z].*$", re.MULTILINE)
_LATEX_END = re.compile(r"\\\\.*$", re.MULTILINE)


def plain_lines(text: str) -> str:
    """The table in a notation that is known here as lines of cells; every other text unchanged."""
    start = text.lstrip()[:1]
    if start in ("{", "[") and '"' in text and (lines := _json(text)):
        return lines
    if (
        any(sign in text for sign in ("=", ":", "<-"))
        and ("[" in text or "c(" in text)
        and (lines := _named_lists(text))
    ):
        return lines
    if "(" in text and text.count("(") == text.count("\n", 0, len(text.rstrip())) + 1:
        text = _NAMED_POINT.sub("", text)
    if "\\\\" in text and "&" in text:
        text = _LATEX_END.sub("", _LATEX_LINE.sub("", text)).replace("&", "|")
    if any(sign in text for sign in "│┆┃║"):
        text = text.translate(_BOX)
    return _without_brackets(text)


def _json(text: str) -> str:
    """Records, one a line or in a list, or columns with an index, as pandas writes them; "" for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = [json.loads(line) for line in text.split("\n") if line.strip()]
        except (ValueError, RecursionError):
            return ""
    if isinstance(found, dict) and found and all(isinstance(column, dict) for column in found.values()):
        if len(found) * len(next(iter(found.values()))) > len(text):
            return ""
        found = [{name: column.get(at) for name, column in found.items()} for at in next(iter(found.values()))]
    if not (isinstance(found, list) and found and all(isinstance(record, dict) for record in found)):
        return ""
    names = list(found[0])
    if len(names) * len(found) > len(text):
        return ""
    rows = [names, *([_cell(record.get(name)) for name in names] for record in found)]
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)


def _cell(value: Any) -> str:
    return "" if value is None or isinstance(value, list | dict) else str(value)


def _named_lists(text: str) -> str:
    """Lists of one length with a name each, such as x = [1, 2, 3], as columns; "" for anything else."""
    found = [
        (name, *("".join(each) for each in _LISTED.findall(cells or more)))
        for name, cells, more in _NAMED_LIST.findall(text)
    ]
    if len(found) < 2 or len({len(cells) for cells in found}) != 1 or len(found[0]) < 3:
        return ""
    return "\n".join("\t".join(row) for row in zip(*found, strict=True))


def _without_brackets(text: str) -> str:
    """A list of lists or of tuples, as Python, NumPy, torch and MATLAB write them, as lines."""
    stripped = text.strip()
    if _R_PLACE.search(text):
        return _R_PLACE.sub("", _R_COLUMNS.sub("", text))
    if assigned := _ASSIGNED.match(stripped):
        stripped = stripped[assigned.end() :]
    if not _BRACKETED.match(stripped):
        return text
    body = stripped.rstrip(" ;")
    if body.count("[") == body.count("]") == 1 and (";" in body or assigned) and body[0] == "[":  # MATLAB
        return re.sub(r"\n+", "\n", body[1:].replace("]", "").replace(";", "\n"))
    if "\n" in stripped:
        lines = stripped.split("\n")
        if not all(_BRACKETED.match(line.lstrip()) or _REST.match(line.lstrip()) for line in lines if line.strip()):
            return text
    else:
        lines = re.sub(r"[\])] ?,? ?[\[(]", "\n", " ".join(stripped.split())).split("\n")
    return "\n".join(_DETAILS.sub("", line).strip(" ,;") for line in lines)
