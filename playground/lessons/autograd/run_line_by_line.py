"""Short programs that a page shows and runs: their own source, and beside each line what Python and torch said there.

A program is a function that takes `print`. What is shown is its source, what ran is the function itself.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

Print = Callable[..., None]
Program = Callable[..., None]  # of print, and what it is given besides
State = Literal["ran", "raised", "missed"]

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Line:
    """One line of a program: its code, what it printed or was told (warnings, an error), and whether it ran."""

    code: str
    said: str
    state: State


def perform(program: Program, *given: Any) -> tuple[Line, ...]:
    """Run a program and return its lines. An error ends it, and is what its line said."""
    source, first = inspect.getsourcelines(program)
    body = _body_of(source)
    said: dict[int, list[str]] = {}

    def note(*values: Any) -> None:
        said.setdefault(sys._getframe(1).f_lineno, []).append(" ".join(map(str, values)))

    raised = None
    with _warnings_of_this_thread() as told:
        try:
            program(note, *given)
        except Exception as error:
            raised = _line_of(error, program)
            said.setdefault(raised, []).append(f"{type(error).__name__}: {_first_sentences(str(error))}")
    for number, warning in told:
        said.setdefault(number, []).insert(0, warning)
    lines = []
    code = textwrap.dedent("".join(source[body:])).splitlines()
    for number, text in enumerate(code, first + body):
        state: State = "ran" if raised is None or number < raised else "raised" if number == raised else "missed"
        lines.append(Line(text, "\n".join(said.get(number, [])), state))
    return tuple(lines)


def _body_of(source: list[str]) -> int:
    """How many lines its head has: the def, which is one line, and a docstring of one line."""
    head = next(index for index, line in enumerate(source) if line.lstrip().startswith("def ")) + 1
    return head + source[head].lstrip().startswith('"""')


def _line_of(error: Exception, program: Program) -> int:
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is program.__code__:
            return trace.tb_lineno
        trace = trace.tb_next
    raise error


def _first_sentences(text: str, most: int = 330) -> str:
    """The first paragraph of a message, cut after a sentence if it is long."""
    line = " ".join(text.split("\n(Triggered")[0].split())
    if len(line) <= most:
        return line
    cut = line[:most].rfind(". ")
    return line[: cut + 1] if cut > 0 else line[: most - 1] + "…"


@contextmanager
def _warnings_of_this_thread() -> Iterator[list[tuple[int, str]]]:
    """Collect (line number, text) of each warning of this thread.

    Python's filters belong to the whole process. So one program runs at a time, and meanwhile the warnings of other
    threads go where they went before.
    """
    told: list[tuple[int, str]] = []
    mine = threading.get_ident()
    with _one_at_a_time, warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
            if threading.get_ident() == mine:
                told.append((lineno, f"{category.__name__}: {_first_sentences(str(message))}"))
            else:
                others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        warnings.simplefilter("always")
        yield told
