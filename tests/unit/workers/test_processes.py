"""Starting workers: who may still come, when what was to start them has ended."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from playground.workers import processes
from playground.workers.processes import Processes

RESTART_SECONDS = 1.0


@pytest.fixture
def idle_servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    """Processes whose fork server reads its orders and forks nobody."""

    def start(module: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)

    monkeypatch.setattr(processes, "_popen", start)
    monkeypatch.setattr(processes, "RESTART_SECONDS", RESTART_SECONDS)
    started = Processes(lambda hello, connection: None, forks=True)
    started.start()
    yield started
    started.close()


def kill_fork_server(of: Processes) -> None:
    server = of._server
    assert server is not None
    server.kill()
    server.wait()


def test_workers_of_a_fork_server_that_has_ended_will_not_come(idle_servers: Processes) -> None:
    idle_servers.start_worker(1)
    assert idle_servers.is_coming(1)
    kill_fork_server(idle_servers)
    assert not idle_servers.is_coming(1)


def test_a_worker_that_waits_for_the_next_fork_server_is_not_given_up(idle_servers: Processes) -> None:
    """It was: again and again while the next one was awaited, until its runs were closed."""
    kill_fork_server(idle_servers)
    starting = threading.Thread(target=idle_servers.start_worker, args=(2,))
    starting.start()
    while starting.is_alive():
        assert idle_servers.is_coming(2)
        time.sleep(0.05)
    assert idle_servers.is_coming(2)
    idle_servers.start_worker(3)
    kill_fork_server(idle_servers)
    assert not idle_servers.is_coming(2) and not idle_servers.is_coming(3)
