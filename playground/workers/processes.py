"""Starting workers: forked by a warm process where the system can fork, else started one by one; and their connections.

Workers connect to a socket that nobody else can reach: it lies in a folder of this user alone, and asks for a key.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from playground import shared_folder
from playground.workers import wire

ROOT = Path(__file__).resolve().parents[2]
CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"  # on macOS, system libraries do not survive a fork
MAX_SOCKET_PATH = 100  # characters; systems allow 104 or 108
STOP_SECONDS = 2.0  # from the request to end until a process is killed
RESTART_SECONDS = 5.0  # between two starts of a fork server that ends by itself
# Of processes that train, where the server's own do not say otherwise: how long threads of torch keep a core while they
# wait for each other (in turns of a loop; a sixth of the default: hardly slower alone, and neighbours sooner get the
# core), and NumPy's threads, which it would start when it is imported.
VARIABLES = {"GOMP_SPINCOUNT": "50000", "OPENBLAS_NUM_THREADS": "1"}

log = logging.getLogger(__name__)

Connected = Callable[[wire.Hello, Connection], None]


class Processes:
    """The fork server, the socket to which workers connect, and the processes that were started without a fork."""

    def __init__(self, connected: Connected, *, forks: bool = CAN_FORK) -> None:
        self._connected, self._forks = connected, forks
        self._key = secrets.token_bytes(32)
        self._folder = shared_folder.create()
        self._listener = Listener(_address(self._folder), authkey=self._key)
        self._server: subprocess.Popen[bytes] | None = None
        self._server_at = 0.0
        self._spawned: list[subprocess.Popen[bytes]] = []
        self._ordered: dict[int, subprocess.Popen[bytes]] = {}  # by worker, until it connects: what is to start it
        self._closed = False
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, name="workers-accept", daemon=True).start()

    @property
    def fork_server_pid(self) -> int:
        """The process of the fork server; 0 where there is none."""
        return self._server.pid if self._server is not None else 0

    def is_coming(self, number: int) -> bool:
        """Whether a worker that has not connected yet still may: the process that was to become or fork it lives."""
        process = self._ordered.get(number)
        return process is None or process.poll() is None

    def start(self) -> None:
        """Start the fork server, which needs some seconds before its first worker."""
        if self._forks:
            self._start_server()

    def keep_ready(self) -> None:
        """Start another fork server if the last one has ended by itself, before a worker needs it."""
        if self._forks and self._server is not None and self._lock.acquire(blocking=False):
            try:
                is_due = time.monotonic() - self._server_at > RESTART_SECONDS
                if self._server.poll() is not None and is_due and not self._closed:
                    self._start_server()
            finally:
                self._lock.release()

    def start_worker(self, number: int) -> None:
        """Start a worker, which connects when it is ready. Raises OSError if no process can be started."""
        order = {"address": self._listener.address, "key": self._key.hex(), "number": number}
        line = json.dumps(order).encode() + b"\n"
        with self._lock:
            if self._closed:
                return
            if self._forks:
                if self._server is None or self._server.poll() is not None:
                    self._start_server()
                assert self._server is not None
                self._ordered[number] = self._server
                self._write(self._server, line)
            else:
                self._spawned = [each for each in self._spawned if each.poll() is None]
                started = _popen("playground.workers.worker")
                self._spawned.append(started)
                self._ordered[number] = started
                self._write(started, line)

    def close(self) -> None:
        """End the fork server, and every worker that was started without one; forked ones end with their connection."""
        with self._lock:
            self._closed = True
            started = [*self._spawned, *([self._server] if self._server is not None else [])]
        with suppress(OSError):
            self._listener.close()
        for process in started:
            with suppress(OSError, ValueError):
                assert process.stdin is not None
                process.stdin.close()
        end = time.monotonic() + STOP_SECONDS
        for process in started:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._folder is not None:
            self._folder.close()

    def _start_server(self) -> None:
        if (wait := self._server_at + RESTART_SECONDS - time.monotonic()) > 0 and self._server is not None:
            log.warning("The fork server ended by itself; another one is started in %.0f s.", wait)
            time.sleep(wait)
        self._server_at = time.monotonic()
        self._server = _popen("playground.workers.fork_server")

    @staticmethod
    def _write(process: subprocess.Popen[bytes], line: bytes) -> None:
        assert process.stdin is not None
        process.stdin.write(line)
        process.stdin.flush()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection = self._listener.accept()
                hello = wire.unpack(connection.recv_bytes())
            except (OSError, EOFError, AuthenticationError) as error:
                if not self._closed:
                    log.warning("A worker did not connect: %s.", error)
                    time.sleep(0.05)
                continue
            self._ordered.pop(hello.number, None)
            self._connected(hello, connection)


def _address(folder: shared_folder.SharedFolder | None) -> Any:
    """Where the socket is: in the folder, or on a port of this machine where that cannot be."""
    path = "" if folder is None else str(folder.path / "workers")
    return path if path and hasattr(socket, "AF_UNIX") and len(path) < MAX_SOCKET_PATH else ("127.0.0.1", 0)


def _popen(module: str) -> subprocess.Popen[bytes]:
    """A Python process of this project whose stdin is a pipe."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    variables: dict[str, Any] = VARIABLES | dict(os.environ) | {"PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=variables, stdin=subprocess.PIPE)
