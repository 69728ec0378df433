"""What all workers of a server have together: the digits, once in memory and always the latest."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from playground import mnist, shared_folder
from playground.mnist import files as mnist_files
from playground.workers.pool import WorkerPool
from playground.workers.service import BENCHES
from tests.unit.workers.room import Peek, pool_of, until

SMALL = BENCHES["cnn"].config(filters_1=4, filters_2=8, images=200)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder where a new server finds MNIST; it is empty."""
    real = mnist_files.named_folder()
    if real is None or mnist_files.find(real) is None:
        pytest.skip("MNIST is not installed")
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / "digits"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "digits").mkdir()
    (tmp_path / "real").symlink_to(real)
    mnist.forget_here()
    return tmp_path / "digits"


@pytest.fixture
def pool(installed: Path) -> Iterator[WorkerPool]:
    with pool_of(workers=2) as made:
        yield made
    mnist.forget_here()


def open_in_both_workers(pool: WorkerPool, config: object = SMALL) -> list[str]:
    """A CNN of one student in each worker."""
    runs = [pool.open(name, "cnn", config) for name in ("first", "second")]
    assert len({pool._runs[run_id].worker.number for run_id in runs}) == 2
    return runs


def test_a_download_reaches_every_worker_and_the_pages(pool: WorkerPool, installed: Path) -> None:
    before = open_in_both_workers(pool)
    for run_id in before:
        assert "1,797 small digits" in pool.call(run_id, Peek("digits.sentence"), 60.0)
    assert not mnist.source().real
    for path in mnist_files.find(installed.parent / "real") or ():
        shutil.copy(path, installed)
    mnist.forget()  # as a download does in the web process when it has ended
    assert mnist.source() == mnist.Source(True, mnist.REAL)
    for name, before_id in zip(("first", "second"), before, strict=True):
        run_id = pool.open(name, "cnn", SMALL)
        assert pool.call(run_id, Peek("digits.sentence"), 60.0) == mnist.REAL
        assert "1,797 small digits" in pool.call(before_id, Peek("digits.sentence"), 60.0), "runs keep their digits"


def test_a_download_reaches_workers_that_share_no_folder(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_folder, "create", lambda: None)
    monkeypatch.delenv(shared_folder.VARIABLE, raising=False)
    with pool_of(workers=2) as pool:
        for run_id in open_in_both_workers(pool):
            assert "1,797 small digits" in pool.call(run_id, Peek("digits.sentence"), 60.0)
        for path in mnist_files.find(installed.parent / "real") or ():
            shutil.copy(path, installed)
        mnist.forget()
        for run_id in open_in_both_workers(pool):
            assert pool.call(run_id, Peek("digits.sentence"), 60.0) == mnist.REAL
    mnist.forget_here()


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has alone is read from /proc")
def test_mnist_is_in_memory_once(pool: WorkerPool, installed: Path) -> None:
    for path in mnist_files.find(installed.parent / "real") or ():
        shutil.copy(path, installed)
    mnist.forget()
    for run_id in open_in_both_workers(pool, BENCHES["cnn"].config()):
        assert pool.call(run_id, Peek("digits.sentence"), 60.0) == mnist.REAL
    own = [own_kilobytes(pid) for pid in pool.worker_pids]
    assert len(own) == 2 and max(own) < 1_000, "each worker has mapped the same file, and has nothing of it alone"


def own_kilobytes(pid: int) -> int:
    """Of the digits: what a process has written, and has therefore for itself."""
    folder = shared_folder.path()
    maps = re.findall(
        rf"{folder}/digits-.*?Private_Dirty: +(\d+) kB", Path(f"/proc/{pid}/smaps").read_text(), re.DOTALL
    )
    assert maps, "the digits are mapped"
    return sum(map(int, maps))


def test_the_folder_goes_with_the_server_and_stays_when_a_worker_is_killed(installed: Path) -> None:
    with pool_of(workers=2) as pool:
        run_id = open_in_both_workers(pool)[0]
        pool.call(run_id, Peek("steps"), 60.0)
        folder = shared_folder.path()
        assert folder is not None
        killed = pool.worker_pids[0]
        psutil.Process(killed).kill()
        until(lambda: all(pool.worker_pids) and killed not in pool.worker_pids)
        assert folder.exists()
    assert not folder.exists() and shared_folder.path() is None
