"""A process of its own that reads plans with DataLoader workers: started as `python -m playground.loader_host`.

A web server has threads, and a process with threads must not fork. So workers are forked (or spawned) here, where
there is one thread. An order is a line of JSON on stdin, a list of plans; each batch is a line on stdout, then
{"over": ""}, or {"over": reason} where the workers failed. Any line that comes meanwhile stops the reading. The
process ends when stdin closes, or after a while without an order.
"""

from __future__ import annotations

import json
import os
import select
import sys
from dataclasses import asdict

import torch

from playground.lessons.data_loader.timed_dataset import Plan, read

IDLE_SECONDS = 30.0
NICENESS = 10  # boards on the same machine come first


class Orders:
    """Lines of stdin, read so that one can ask whether there is another."""

    def __init__(self) -> None:
        self.rest = b""

    def next(self, seconds: float) -> str | None:
        """The next line, or None when there is none in time. Raises EOFError at the end."""
        while b"\n" not in self.rest:
            if not select.select([0], [], [], seconds)[0]:
                return None
            some = os.read(0, 65_536)
            if not some:
                raise EOFError
            self.rest += some
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()


def tell(message: dict[str, object]) -> None:
    """One line for the server."""
    os.write(1, json.dumps(message).encode() + b"\n")


def obey(order: str, orders: Orders) -> None:
    """Read all the plans of an order, unless told to stop."""
    reason = ""
    try:
        for number, values in enumerate(json.loads(order)):
            for batch in read(Plan(**values), number):
                tell(asdict(batch))
                if orders.next(0) is not None:
                    return
    except (RuntimeError, OSError) as error:
        print(f"DataLoader workers failed: {error}", file=sys.stderr)
        reason = "a worker process failed or took too long"
    finally:
        tell({"over": reason})


def main() -> None:
    """Obey one order after the other."""
    torch.set_num_threads(1)
    os.nice(NICENESS)
    orders = Orders()
    try:
        while (order := orders.next(IDLE_SECONDS)) is not None:
            if order.startswith("["):  # else it was told to stop what it had just ended
                obey(order, orders)
    except (EOFError, BrokenPipeError):
        pass


if __name__ == "__main__":
    main()
