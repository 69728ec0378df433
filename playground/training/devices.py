"""The devices on which torch computes, and its number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

MAX_THREADS = 64  # of one torch operation, in a run, a checkpoint or a link
DRIVERS = ("nvidiactl", "nvgpu", "dxg", "kfd", "dri")  # in /dev: NVIDIA, Jetson, Windows' Linux, AMD, Intel


def set_threads(threads: int) -> None:
    """Use this many threads for a torch operation, in this thread and in those started later."""
    torch.get_num_threads()  # the first call in a thread sets the default number there, so it must come before
    torch.set_num_threads(threads)


def warm_up() -> None:
    """Let torch import what it needs for the first optimizer, which takes seconds, before a visitor waits for it."""
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Use `count` threads for the torch operations of this thread inside the `with` block.

    torch's setting belongs to the calling thread, but is also the default for threads that compute for the first time
    during the block. So the engine's threads set theirs when they start.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def choices() -> tuple[str, ...]:
    """The devices that a visitor can choose: "cpu", and "cuda" if torch finds one and may look for it."""
    return ("cpu", "cuda") if _may_look and torch.cuda.is_available() else ("cpu",)


_may_look = True


def look_for_graphics_cards(*, allowed: bool) -> None:
    """Say whether torch may look for graphics cards in this process.

    To look may start the driver, and a process that has started it cannot fork others that use it.
    """
    global _may_look
    _may_look = allowed


def may_have_graphics_card(folder: Path = Path("/dev")) -> bool:
    """Whether torch was built for graphics cards and the system has a driver for any, without starting it."""
    version = torch.version
    was_built_for_any = any(getattr(version, name, None) for name in ("cuda", "hip", "xpu"))
    return was_built_for_any and any((folder / driver).exists() for driver in DRIVERS)
