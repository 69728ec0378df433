"""A script of the clinic as it runs: statement by statement, with random numbers of its own, and what each line made.

    script = Script(text)
    while script.step():
        script.values("loss"), script.beside       after each pass of the innermost training loop
    script.names["model"], script.names["optimizer"], script.names["loss_fn"]

The text is executed as it stands, in one namespace that starts with `setups.names()`. Only loops over `step` and
`epoch`, and loops inside them, are taken apart, so that the script can stop after each pass.
"""

from __future__ import annotations

import ast
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from playground.lessons.training_loop.clinic import setups
from playground.lessons.training_loop.clinic.beside import after, weights_before

FILE = "<script>"
LOOPS = ("epoch", "step")  # a loop over one of these is a training loop
ITEM = "_item"  # the name under which an item is handed to the target of a loop
PASS = -1  # instead of a line: the innermost training loop has made a pass
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal, in some messages
_lock = threading.Lock()  # torch has one global generator: one script draws from it at a time

# A case teaches what torch warns of here; the server's log need not repeat it.
warnings.filterwarnings("ignore", message="Using a target size")
warnings.filterwarnings("ignore", message="The .grad attribute of a Tensor that is not a leaf")


class Script:
    """A script before its first statement.

    `beside` has, by line from 0, what the line made when it ran last. `error` is what a failed script has raised, as
    the last line of its traceback, and `error_line` where; `passes` counts the passes of the innermost training loop.
    `watch` is entered whenever statements run.
    """

    def __init__(self, text: str, watch: AbstractContextManager[Any] | None = None) -> None:
        self.text = text
        self._watch: AbstractContextManager[Any] = nullcontext() if watch is None else watch
        self.names: dict[str, Any] = setups.names() | {"__name__": "__main__"}
        self.beside: dict[int, str] = {}
        self.line = 0
        self.passes = 0
        self.error = ""
        self.error_line: int | None = None
        self.has_ended = False
        self._begun = 0  # the line of the statement that was begun last; of a loop, whenever it asks for an item
        self._random: torch.Tensor | None = None
        self._body = ast.parse(text, FILE).body
        self._walk = self._run(self._body)

    def begin(self) -> None:
        """Run the statements before the training loop."""
        with self._own_random_numbers():
            for node in self._body:
                if _is_training_loop(node) or not self._advance():
                    return

    def run_line(self) -> bool:
        """Run the next statement, or the head of a loop; returns whether there was one and it did not fail."""
        with self._own_random_numbers():
            return self._advance()

    def step(self) -> bool:
        """Run to the end of the next pass of the training loop, after the last one to the end of the script.

        Returns whether a pass was made.
        """
        before = self.passes
        with self._own_random_numbers():
            while self.passes == before and self._advance(stop_at_pass=True):
                pass
            if self.passes == self.length and not self.has_ended:
                while self._advance():
                    pass
        return self.passes > before

    @property
    def length(self) -> int:
        """The number of passes of the innermost training loop; 0 for a script without one, before `begin` unknown."""
        loop = next((node for node in self._body if _is_training_loop(node)), None)
        passes = 1 if loop is not None else 0
        while isinstance(loop, ast.For):
            passes *= len(self._value_of(loop.iter))
            loop = next((node for node in loop.body if isinstance(node, ast.For)), None)
        return passes

    def value(self, name: str) -> float:
        """A number of the script; NaN while there is none."""
        value = self.names.get(name, torch.nan)
        return value.item() if isinstance(value, torch.Tensor) else float(value)

    def _advance(self, *, stop_at_pass: bool = False) -> bool:
        """Run the next statement; returns whether there was one, it did not fail, and no pass ended if asked."""
        try:
            while (line := next(self._walk)) == PASS:
                self.passes += 1
                if stop_at_pass:
                    return False
            self.line = line
        except StopIteration:
            self.has_ended = True
            return False
        except Exception as error:  # whatever torch raises is what the case is about
            self.error = f"{type(error).__name__}: {_COLOURS.sub('', str(error)).strip()}"
            self.error_line = self.line = self._line_of(error)
            self.has_ended = True
            return False
        return True

    def _run(self, body: Sequence[ast.stmt], *, inside: bool = False) -> Iterator[int]:
        """Run statements; yields the line of each, and PASS after each pass of an innermost loop."""
        for node in body:
            self._begun = line = node.lineno - 1
            if not isinstance(node, ast.For) or not (inside or _is_training_loop(node)):
                before = weights_before(node, self.names)
                self._execute(node)
                self.beside[line] = after(node, self.names, before)
                yield line
                continue
            is_innermost = not any(isinstance(each, ast.For) for each in node.body)
            target = ast.Assign([node.target], ast.copy_location(ast.Name(ITEM, ast.Load()), node.target))
            ast.copy_location(target, node.target)
            for item in self._value_of(node.iter):
                self.names[ITEM] = item
                self._execute(target)
                self.beside[line] = after(target, self.names, None)
                yield line
                yield from self._run(node.body, inside=True)
                if is_innermost:
                    yield PASS
                self._begun = line

    def _execute(self, node: ast.stmt) -> None:
        code = _compiled(node, lambda: compile(ast.Module([node], []), FILE, "exec"))
        exec(code, self.names)  # our own text, with our own choice of alternatives

    def _value_of(self, node: ast.expr) -> Any:
        return eval(_compiled(node, lambda: compile(ast.Expression(node), FILE, "eval")), self.names)

    def _line_of(self, error: BaseException) -> int:
        """The innermost line of the script in a traceback; where it has none, that of the statement that has failed."""
        trace, found = error.__traceback__, self._begun
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == FILE:
                found = trace.tb_lineno - 1
            trace = trace.tb_next
        return found

    @contextmanager
    def _own_random_numbers(self) -> Iterator[None]:
        """Let torch's global generator be this script's meanwhile."""
        with _lock:
            outside = torch.get_rng_state()
            if self._random is not None:
                torch.set_rng_state(self._random)
            try:
                with self._watch:
                    yield
            finally:
                self._random = torch.get_rng_state()
                torch.set_rng_state(outside)


def _is_training_loop(node: ast.AST) -> bool:
    return isinstance(node, ast.For) and isinstance(node.target, ast.Name) and node.target.id in LOOPS


def _compiled(node: Any, make: Any) -> Any:
    """The code of a statement or an expression, kept with it."""
    if not hasattr(node, "code"):
        node.code = make()
    return node.code
