"""Where torch computes, and with how many threads."""

from __future__ import annotations

import torch


def set_threads(threads: int) -> None:
    """Let one torch operation use this many threads. Call it once, before any thread that computes is started."""
    torch.set_num_threads(threads)


def choices() -> tuple[str, ...]:
    """The devices a visitor may pick: "cpu", and "cuda" where torch sees one."""
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
