"""One download of MNIST for everybody on this server: started by a button, run in the background, seen by any page."""

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

State = Literal["running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Progress:
    """How far a job is: its state, the bytes fetched and in all, and a sentence where it failed."""

    state: State = "running"
    fetched: int = 0
    total: int = sum(file.size for file in mnist_files.FILES)
    sentence: str = ""

    @property
    def share(self) -> float:
        """The part that has come, from 0 to 1."""
        return min(self.fetched / max(self.total, 1), 1.0)


class Job:
    """A download on a thread of its own. `progress` may be read, and `cancel` called, from any thread."""

    def __init__(self, download: Download, finished: Callable[[], None] = mnist.forget) -> None:
        self.progress = Progress()
        self._finished = finished
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._download = replace(download, report=self._tell, stop=self._stop.is_set)
        self._thread = threading.Thread(target=self._run, name="mnist download", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it goes on. A cancelled job has ended at once, though its thread may yet wait for a silent server."""
        return self.progress.state == "running"

    def cancel(self) -> None:
        """Ask it to stop; nothing of it is kept."""
        self._stop.set()
        self._become("cancelled")

    def wait(self, seconds: float | None = None) -> Progress:
        """How it stands when its thread has ended, or after so many seconds."""
        self._thread.join(seconds)
        return self.progress

    def _tell(self, fetched: int, total: int) -> None:
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
            self._become("failed", "The download ended unexpectedly. Try again.")
            raise
        else:
            self._finished()
            self._become("done")


_lock = threading.Lock()
_latest: list[Job] = []


def latest() -> Job | None:
    """The job that was started last on this server, if any."""
    return _latest[-1] if _latest else None


def start(folder: Path | None = None) -> Job:
    """The job that is running, or a new one; it fetches into the folder that PLAYGROUND_DATA names, else the cache."""
    with _lock:
        if not _latest or not _latest[-1].running:
            _latest[:] = [Job(Download(folder or mnist_files.target_folder()))]
        return _latest[-1]
