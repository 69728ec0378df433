"""A process that forks workers: it has everything imported and tried once, and a single thread, so that a fork is safe.

A worker so begins in a twentieth of a second and shares the memory of what was imported. Each line on stdin is a
worker to start, as JSON; the process ends when stdin closes, and each worker when its connection does.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from typing import Any

from playground.workers import warm, worker

log = logging.getLogger(__name__)


def main() -> None:
    """Warm up, then fork a worker for each line."""
    worker.set_up_process()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for workers that have ended
    warm.warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.flush()
        if os.fork() == 0:
            os._exit(_work(order))


def _work(order: dict[str, Any]) -> int:
    """The life of a forked worker; the exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    try:
        worker.work(order)
    except Exception:
        log.exception("A worker failed.")
        return 1
    return 0


if __name__ == "__main__":
    main()
