"""A separate process that reads plans with DataLoader workers; reader.py starts it.

A web server has threads, and a process with threads must not fork. So workers are forked (or spawned) here, where
there is one thread. The first line on stdout says that it is ready. An order is a line of JSON on stdin, a list of
plans; each batch is a line on stdout, then {"over": ""}. If the workers failed it is {"over": reason, "plan": index},
with one of REASONS. Another line on stdin stops the reading. The process ends when stdin closes, or after IDLE_SECONDS
without an order. When the process that started it is killed, it ends with its workers, even while they are slow.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from dataclasses import asdict

import torch

from playground.lessons.data_loader.timed_dataset import Plan, read

IDLE_SECONDS = 30.0
REASONS = ("slow", "failed")
TIMED_OUT = "timed out"  # in DataLoader's message
NICENESS = 10  # the server on the same machine has priority
PARENT_SECONDS = 0.5  # between two looks at whether the process that started this one still runs


class Orders:
    """The lines of stdin, read with a timeout."""

    def __init__(self) -> None:
        self.rest = b""

    def next(self, seconds: float) -> str | None:
        """The next line, or None after this many seconds. Raises EOFError at the end of stdin."""
        while b"\n" not in self.rest:
            if not select.select([0], [], [], seconds)[0]:
                return None
            received = os.read(0, 65_536)
            if not received:
                raise EOFError
            self.rest += received
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()


def send(message: dict[str, object]) -> None:
    """Write a message as one line on stdout."""
    os.write(1, json.dumps(message).encode() + b"\n")


def execute(order: str, orders: Orders) -> None:
    """Read all plans of an order, until another line asks to stop."""
    over: dict[str, object] = {"over": ""}
    number = 0
    try:
        for number, values in enumerate(json.loads(order)):
            for batch in read(Plan(**values), number):
                send(asdict(batch))
                if orders.next(0) is not None:
                    return
    except (RuntimeError, OSError) as error:
        print(f"DataLoader workers failed: {error}", file=sys.stderr)
        over = {"over": "slow" if TIMED_OUT in str(error) else "failed", "plan": number}
    finally:
        send(over)


def end_with(parent: int) -> None:
    """End this process and all that it has started as soon as its parent is another one, because the parent was killed.

    It does not need to return to its loop for that; where the system has no timers, it ends when it reads stdin.
    """
    if not hasattr(signal, "setitimer"):
        return

    def look(*_: object) -> None:
        if os.getppid() != parent:
            os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, PARENT_SECONDS, PARENT_SECONDS)


def main() -> None:
    """Execute one order after another."""
    end_with(os.getppid())
    torch.set_num_threads(1)
    os.nice(NICENESS)
    orders = Orders()
    try:
        send({"ready": True})
        while (order := orders.next(IDLE_SECONDS)) is not None:
            if order.startswith("["):  # any other line asked to stop a reading that had already ended
                execute(order, orders)
    except (EOFError, BrokenPipeError):
        pass


if __name__ == "__main__":
    main()
