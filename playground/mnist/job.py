"""One download of MNIST for everybody on this server: a button starts it, and every page can show its progress."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from playground import mnist
from playground.mnist import files as mnist_files
from playground.mnist.download import Cancelled, Download
from playground.mnist.files import MnistError

UNEXPECTED = "The download ended unexpectedly. Try again."

State = Literal["running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Progress:
    """The state of a job, the bytes fetched and in all, and if it failed, the reason."""

    state: State = "running"
    fetched: int = 0
    total: int = sum(file.size for file in mnist_files.FILES)
    sentence: str = ""

    @property
    def share(self) -> float:
        """The fraction that is fetched, from 0 to 1."""
        return min(self.fetched / max(self.total, 1), 1.0)


class Job:
    """A download on its own thread. Any thread may read `progress` and call `cancel`."""

    def __init__(self, download: Download, finished: Callable[[], None] = mnist.forget) -> None:
        self.progress = Progress()
        self._finished = finished
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._download = replace(download, report=self._report, stop=self._stop.is_set)
        self._thread = threading.Thread(target=self._run, name="mnist download", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is not finished. A cancelled job is, even while its thread still waits for a silent server."""
        return self.progress.state == "running"

    def cancel(self) -> None:
        """Ask it to stop; its files are not kept."""
        self._stop.set()
        self._become("cancelled")

    def wait(self, seconds: float | None = None) -> Progress:
        """The progress when its thread has ended, or after `seconds`."""
        self._thread.join(seconds)
        return self.progress

    def _report(self, fetched: int, total: int) -> None:
        with self._lock:
            if self.running:
                self.progress = replace(self.progress, fetched=fetched, total=total)

    def _become(self, state: State, sentence: str = "") -> None:
        with self._lock:
            if self.running:
                self.progress = replace(self.progress, state=state, sentence=sentence)

    def _run(self) -> None:
        try:
            self._download.run()
        except Cancelled:
            self._become("cancelled")
        except MnistError as error:
            self._become("failed", str(error))
        except BaseException:
            self._become("failed", UNEXPECTED)
            raise
        else:
            self._finished()
            self._become("done")


_lock = threading.Lock()
_latest: list[Job] = []


def latest() -> Job | None:
    """The latest job on this server, or None."""
    return _latest[-1] if _latest else None


def start(folder: Path | None = None) -> Job:
    """The running job, or a new one; by default it downloads to PLAYGROUND_DATA or the user's cache."""
    with _lock:
        if not _latest or not _latest[-1].running:
            _latest[:] = [Job(Download(folder or mnist_files.target_folder()))]
        return _latest[-1]
