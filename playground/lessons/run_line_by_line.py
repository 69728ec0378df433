"""Short programs that a page runs and shows: their source, with the output, warnings and errors of each line.

A program is a function that takes `print`. Its own source is shown, and the function itself is run.
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
Program = Callable[..., None]  # takes print, and perhaps more arguments
State = Literal["ran", "raised", "not_reached"]
MAX_MESSAGE = 330  # characters of an error or a warning

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Line:
    """One line of a program: its code, its output (prints, warnings, an error), and whether it ran."""

    code: str
    output: str
    state: State


def run_program(program: Program, *arguments: Any) -> tuple[Line, ...]:
    """The lines of a program after running it. An error ends it and is the output of its line."""
    source, first = inspect.getsourcelines(program)
    body = _body_of(source)
    output: dict[int, list[str]] = {}

    def note(*values: Any) -> None:
        output.setdefault(sys._getframe(1).f_lineno, []).append(" ".join(map(str, values)))

    raised = None
    with _warnings_of_this_thread() as caught:
        try:
            program(note, *arguments)
        except Exception as error:
            raised = _line_of(error, program)
            output.setdefault(raised, []).append(f"{type(error).__name__}: {_first_sentences(str(error))}")
    for number, warning in caught:
        output.setdefault(number, []).insert(0, warning)
    lines = []
    code = textwrap.dedent("".join(source[body:])).splitlines()
    for number, text in enumerate(code, first + body):
        state: State = "ran" if raised is None or number < raised else "raised" if number == raised else "not_reached"
        lines.append(Line(text, "\n".join(output.get(number, [])), state))
    return tuple(lines)


def _body_of(source: list[str]) -> int:
    """The number of lines before the body: the def, and a docstring of one line if there is one."""
    head = next(index for index, line in enumerate(source) if line.lstrip().startswith("def ")) + 1
    return head + source[head].lstrip().startswith('"""')


def _line_of(error: Exception, program: Program) -> int:
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is program.__code__:
            return trace.tb_lineno
        trace = trace.tb_next
    raise error


def _first_sentences(text: str) -> str:
    """The first paragraph of a message, cut after a sentence if it is longer than MAX_MESSAGE."""
    line = " ".join(text.split("\n(Triggered")[0].split())
    if len(line) <= MAX_MESSAGE:
        return line
    cut = line[:MAX_MESSAGE].rfind(". ")
    return line[: cut + 1] if cut > 0 else line[: MAX_MESSAGE - 1] + "…"


@contextmanager
def _warnings_of_this_thread() -> Iterator[list[tuple[int, str]]]:
    """A list that collects (line number, text) of each warning of this thread.

    Python's warning filters are shared by the whole process. So one program runs at a time, and the warnings of other
    threads are still shown as before.
    """
    caught: list[tuple[int, str]] = []
    this_thread = threading.get_ident()
    with _one_at_a_time, warnings.catch_warnings():
        show_others = warnings.showwarning

        def show(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
            if threading.get_ident() == this_thread:
                caught.append((lineno, f"{category.__name__}: {_first_sentences(str(message))}"))
            else:
                show_others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        warnings.simplefilter("always")
        yield caught
