"""MNIST from its public mirrors: four files, each checked, moved into place only when all of them are whole."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import http.client
import shutil
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import certifi

from playground.mnist import files as mnist_files
from playground.mnist.files import FILES, MnistError, MnistFile

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
CHUNK = 1 << 16
SCRATCH = ".mnist-"  # what the folder of a download under way begins with
STALE_SECONDS = 24 * 3600.0  # an older one was left by a machine that went down

Report = Callable[[int, int], None]  # (bytes fetched, bytes in all)


class Cancelled(Exception):
    """Somebody asked the download to stop."""


@dataclass(frozen=True)
class Limits:
    """How long to wait: seconds without a byte, the least speed in bytes a second, how often to go through the mirrors.

    A mirror's speed counts once it has had `silence` seconds.
    """

    silence: float = 15.0
    least_speed: float = 10_000.0
    rounds: int = 2


@dataclass(frozen=True)
class Download:
    """What to fetch, from where, how patiently, and whom to tell.

    `report` is told the bytes so far and in all; as soon as `stop` says True, the download ends with Cancelled.
    """

    folder: Path
    report: Report = lambda fetched, total: None
    stop: Callable[[], bool] = lambda: False
    mirrors: Sequence[str] = MIRRORS
    files: Sequence[MnistFile] = FILES
    limits: Limits = Limits()

    def run(self) -> None:
        """Fetch, check and move into place. Raises MnistError with a sentence, or Cancelled, and leaves nothing behind.

        A transfer that breaks off is taken up where it stopped, by the next mirror or, in a second round, the same.
        """
        with _on_disk(self.folder), _scratch(self.folder) as scratch:
            for file in self.files:
                self._fetch(file, scratch / file.packed)
            for file in self.files:
                mnist_files.read(scratch / file.packed, file)
            self._check_stop()
            for file in self.files:
                (scratch / file.packed).replace(self.folder / file.packed)

    def _fetch(self, file: MnistFile, part: Path) -> None:
        """One file, from the first mirror that has all of it."""
        reasons: dict[str, str] = {}
        for mirror in list(self.mirrors) * self.limits.rounds:
            try:
                mixed = part.exists()  # begun by another mirror, whose bytes may be the wrong ones
                self._transfer(mirror + file.packed, file, part)
                if mixed and not _is_right(file, part):
                    part.unlink()
                    self._transfer(mirror + file.packed, file, part)
                if not _is_right(file, part):
                    part.unlink()
                    raise _TryNext("it sent another file: the SHA-256 differs")
            except _TryNext as error:
                reasons[urllib.request.Request(mirror).host] = str(error)
            else:
                return
        told = "; ".join(f"{host}: {reason}" for host, reason in reasons.items())
        raise MnistError(f"{file.packed} could not be downloaded ({told}). Check the connection and try again, or put "
                         f"the four files into “{self.folder}” yourself.")  # fmt: skip

    def _transfer(self, address: str, file: MnistFile, part: Path) -> None:
        """The rest of a file from one address, appended to what is there. Raises _TryNext where that fails."""
        self._check_stop()
        start = have = part.stat().st_size if part.exists() else 0
        began = time.monotonic()
        with contextlib.closing(_pieces(address, have, self.limits.silence)) as pieces, part.open("ab") as sink:
            for goes_on, chunk in pieces:
                self._check_stop()
                if not goes_on:
                    start = have = sink.truncate(0)
                have += len(chunk)
                if have > file.size:
                    sink.truncate(0)
                    raise _TryNext(f"it sent more than the file's {file.size:,} bytes")
                sink.write(chunk)
                self._tell(file, have)
                self._check_speed(have - start, time.monotonic() - began)
        if have < file.size:
            raise _TryNext(f"it broke off after {have:,} of {file.size:,} bytes")

    def _tell(self, file: MnistFile, have: int) -> None:
        before = self.files[: list(self.files).index(file)]
        self.report(sum(each.size for each in before) + have, sum(each.size for each in self.files))

    def _check_stop(self) -> None:
        if self.stop():
            raise Cancelled

    def _check_speed(self, count: int, seconds: float) -> None:
        if seconds > self.limits.silence and count / seconds < self.limits.least_speed:
            raise _TryNext(f"it sent only {count / seconds:,.0f} bytes a second")


class _TryNext(Exception):
    """Why one mirror did not give the file, in words."""


def _is_right(file: MnistFile, part: Path) -> bool:
    return hashlib.sha256(part.read_bytes()).hexdigest() == file.sha256


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder inside the target, on the same disk, that is gone afterwards; so are those of a download that died."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{SCRATCH}*"):
        if time.time() - left.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=folder))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _on_disk(folder: Path) -> Iterator[None]:
    """Say in a sentence what the disk refused."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MnistError(f"The disk is full: MNIST takes 12 MB in “{folder}”. Make room and try again.") from error
        raise MnistError(f"MNIST cannot be written to “{folder}” ({_words(error)}). "
                         "Name another folder in PLAYGROUND_DATA.") from error  # fmt: skip


@contextlib.contextmanager
def _network(silence: float) -> Iterator[None]:
    """Say in a few words what the network refused."""
    try:
        yield
    except urllib.error.HTTPError as error:
        raise _TryNext(f"it answered {error.code} {http.client.responses.get(error.code, '')}".rstrip()) from error
    except TimeoutError as error:
        raise _TryNext(f"nothing came for {silence:g} seconds") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _TryNext(f"no answer within {silence:g} seconds") from error
        raise _TryNext(_words(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _TryNext(_words(error)) from error


def _pieces(address: str, have: int, silence: float) -> Generator[tuple[bool, bytes], None, None]:
    """What comes from an address, behind the first `have` bytes; with each piece, whether it goes on behind the last.

    A server that knows no ranges begins anew. Raises _TryNext.
    """
    request = urllib.request.Request(address, headers={"User-Agent": mnist_files.NAME})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with (
        _network(silence),
        urllib.request.urlopen(request, timeout=silence, context=_certificates()) as response,
    ):
        goes_on = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        while chunk := response.read1(CHUNK):  # what has come, without waiting for more
            yield goes_on, chunk
            goes_on = True


@functools.cache
def _certificates() -> ssl.SSLContext:
    """The system's certificates, as a school's proxy may need, and certifi's, for a Python that has none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _words(reason: object) -> str:
    if isinstance(reason, ssl.SSLError):
        return "its certificate was not accepted"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror.lower()
    return "the connection broke"
