"""The pieces of Python in a script: the source of a function, points and saved tensors written out, imports."""

from __future__ import annotations

import ast
import base64
import inspect
import io
import re
import textwrap
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

MAX_LINE_CHARACTERS = 100
MAX_ROWS_ON_A_LINE = 2


def plain_source(thing: Any) -> str:
    """The source of a function or class as a beginner would write it: no annotations, no leading underscores."""
    source = textwrap.dedent(inspect.getsource(thing))
    lines = source.splitlines()
    for node in sorted(ast.walk(ast.parse(source)), key=lambda node: getattr(node, "lineno", 0), reverse=True):
        if isinstance(node, ast.FunctionDef):
            names = _without_annotations(node.args)
            indent = " " * node.col_offset
            lines[node.lineno - 1 : node.body[0].lineno - 1] = [f"{indent}def {node.name}({names}):"]
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            rest = lines[node.lineno - 1][node.value.col_offset :]
            lines[node.lineno - 1] = f"{' ' * node.col_offset}{ast.unparse(node.target)} = {rest}"
    return re.sub(r"(?<![\w.])_(?=[a-z])", "", "\n".join(lines))


def _without_annotations(arguments: ast.arguments) -> str:
    for each in (*arguments.args, *arguments.kwonlyargs):
        each.annotation = None
    return ast.unparse(arguments)


def comment(text: str) -> str:
    """A text as comment lines; whatever is in it stays in the comment."""
    return "\n".join(f"# {line}" for line in textwrap.wrap(" ".join(text.split()), MAX_LINE_CHARACTERS - 2))


def call(head: str, parts: Sequence[str]) -> str:
    """`head(part, part, ...)` on one line, or with one part on each line if that would be too long."""
    line = f"{head}({', '.join(parts)})"
    if len(line) <= MAX_LINE_CHARACTERS:
        return line
    return "\n".join([f"{head}(", *(f"    {part}," for part in parts), ")"])


def written(values: Tensor) -> str:
    """A tensor of numbers (rows,) or (rows, columns) as `torch.tensor([...])`, each number exact."""
    rows = [_row(row) for row in values.numpy()]
    if len(rows) <= MAX_ROWS_ON_A_LINE:
        return f"torch.tensor([{', '.join(rows)}])"
    lines = textwrap.fill(", ".join(rows), MAX_LINE_CHARACTERS, initial_indent="    ", subsequent_indent="    ")
    return f"torch.tensor([\n{lines}\n])"


def _row(row: Any) -> str:
    """A number, or several in brackets, in the fewest digits that are read back exactly."""
    return f"[{', '.join(str(value) for value in row)}]" if getattr(row, "shape", ()) else str(row)


def packed(state: Any) -> str:
    """What torch.save writes for a state, as lines of base64."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return "\n".join(textwrap.wrap(base64.b64encode(buffer.getvalue()).decode(), MAX_LINE_CHARACTERS))


def imports_of(body: str) -> list[str]:
    """The import lines that a body of code needs."""
    modules = ("base64", "gzip", "io", "math", "sys", "zlib")
    found = [f"import {name}" for name in modules if re.search(rf"\b{name}\.", body)]
    found += ["from pathlib import Path"] if "Path(" in body else []
    numpy = ["import numpy as np"] if re.search(r"\bnp\.", body) else []
    functional = ["from torch.nn import functional"] if re.search(r"(?<!\.)\bfunctional\.", body) else []
    torch_nn = ["from torch import nn"] if "nn." in body else []
    return [*found, *([""] if found else []), *numpy, "import torch", *torch_nn, *functional]


def spaced(code: str) -> str:
    """Code with two blank lines around each function and class, and at most one elsewhere."""
    lines: list[str] = []
    inside = False
    for line in re.sub(r"\n{3,}", "\n\n", code).splitlines():
        starts = line.startswith(("def ", "class "))
        if starts or (inside and line and not line.startswith(" ")):
            while lines and not lines[-1]:
                lines.pop()
            at = len(lines)
            while at and lines[at - 1].startswith("#"):  # a comment belongs to what follows it
                at -= 1
            while at and not lines[at - 1]:
                del lines[at - 1]
                at -= 1
            lines[at:at] = ["", ""]
        inside = starts or (inside and (not line or line.startswith(" ")))
        lines.append(line)
    return "\n".join(lines)
