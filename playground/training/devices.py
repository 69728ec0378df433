"""Where torch computes, and with how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

MAX_THREADS = 64  # of one operation of torch in a run, in its checkpoint or in a link


def set_threads(threads: int) -> None:
    """Let one torch operation use this many threads, in this thread and in those started later."""
    torch.get_num_threads()  # a thread's first question gives it the default of that moment, and must not come later
    torch.set_num_threads(threads)


def warm_up() -> None:
    """Have torch load what it loads with the first optimizer (seconds), before a visitor has to wait for it."""
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let the operations of this thread use `count` threads for a while.

    torch's setting belongs to the calling thread, but is also the default of threads that compute for the first time
    just then. So the engine's workers ask for theirs when they start.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def choices() -> tuple[str, ...]:
    """The devices a visitor may pick: "cpu", and "cuda" where torch sees one."""
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
