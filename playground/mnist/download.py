"""The download of MNIST: four files from public mirrors, checked, and moved to their folder once all are complete."""

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
MAX_CHUNK_BYTES = 1 << 16
SCRATCH = ".mnist-"  # how the temporary folder of a download begins
STALE_SECONDS = 24 * 3600.0  # an older temporary folder is left over from a download that crashed

FAILED = (
    "{name} could not be downloaded ({reasons}). Check the connection and try again, or put the four files into "
    "“{folder}” yourself."
)
REASON = "{host}: {reason}"
OTHER_FILE = "it sent another file: the SHA-256 is different"
TOO_MUCH = "it sent more than the file's {size:,} bytes"
BROKE_OFF = "the transfer stopped after {have:,} of {size:,} bytes"
TOO_SLOW = "it sent only {speed:,.0f} bytes per second"
STATUS = "it answered {status} {words}"
NO_DATA = "it sent nothing for {seconds:g} seconds"
NO_ANSWER = "no answer within {seconds:g} seconds"
BAD_CERTIFICATE = "its certificate was not accepted"
BROKEN_CONNECTION = "the connection broke"
DISK_FULL = "The disk is full: MNIST needs 12 MB in “{folder}”. Free some space and try again."
CANNOT_WRITE = "MNIST cannot be written to “{folder}” ({reason}). Set PLAYGROUND_DATA to another folder."

Report = Callable[[int, int], None]  # (bytes fetched, bytes in all)


class Cancelled(Exception):
    """The download was asked to stop."""


@dataclass(frozen=True)
class Limits:
    """How long to wait: seconds without a byte, the minimum speed in bytes per second, rounds over all mirrors.

    A mirror's speed is checked after `silence` seconds.
    """

    silence: float = 15.0
    min_speed: float = 10_000.0
    rounds: int = 2


@dataclass(frozen=True)
class Download:
    """What to download, to where and from where, with which limits, and who is informed.

    `report` gets the bytes so far and in all; as soon as `stop` returns True, the download raises Cancelled.
    """

    folder: Path
    report: Report = lambda fetched, total: None
    stop: Callable[[], bool] = lambda: False
    mirrors: Sequence[str] = MIRRORS
    files: Sequence[MnistFile] = FILES
    limits: Limits = Limits()

    def run(self) -> None:
        """Download, check and move into place. Raises MnistError or Cancelled, and then leaves nothing behind.

        A transfer that breaks off is continued by the next mirror or, in the next round, by the same one.
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
        """Download one file from the first mirror that has all of it."""
        reasons: dict[str, str] = {}
        for mirror in list(self.mirrors) * self.limits.rounds:
            try:
                mixed = part.exists()  # started by another mirror, whose bytes may be wrong
                self._transfer(mirror + file.packed, file, part)
                if mixed and not _is_right(file, part):
                    part.unlink()
                    self._transfer(mirror + file.packed, file, part)
                if not _is_right(file, part):
                    part.unlink()
                    raise _TryNext(OTHER_FILE)
            except _TryNext as error:
                reasons[urllib.request.Request(mirror).host] = str(error)
            else:
                return
        each = "; ".join(REASON.format(host=host, reason=reason) for host, reason in reasons.items())
        raise MnistError(FAILED.format(name=file.packed, reasons=each, folder=self.folder))

    def _transfer(self, address: str, file: MnistFile, part: Path) -> None:
        """Append the rest of a file from one address. Raises _TryNext if that fails."""
        self._check_stop()
        start = have = part.stat().st_size if part.exists() else 0
        began = time.monotonic()
        with contextlib.closing(_pieces(address, have, self.limits.silence)) as pieces, part.open("ab") as sink:
            for continues, chunk in pieces:
                self._check_stop()
                if not continues:
                    start = have = sink.truncate(0)
                have += len(chunk)
                if have > file.size:
                    sink.truncate(0)
                    raise _TryNext(TOO_MUCH.format(size=file.size))
                sink.write(chunk)
                self._report(file, have)
                self._check_speed(have - start, time.monotonic() - began)
        if have < file.size:
            raise _TryNext(BROKE_OFF.format(have=have, size=file.size))

    def _report(self, file: MnistFile, have: int) -> None:
        before = self.files[: list(self.files).index(file)]
        self.report(sum(each.size for each in before) + have, sum(each.size for each in self.files))

    def _check_stop(self) -> None:
        if self.stop():
            raise Cancelled

    def _check_speed(self, count: int, seconds: float) -> None:
        if seconds > self.limits.silence and count / seconds < self.limits.min_speed:
            raise _TryNext(TOO_SLOW.format(speed=count / seconds))


class _TryNext(Exception):
    """One mirror failed; the message is the reason, a part of a sentence."""


def _is_right(file: MnistFile, part: Path) -> bool:
    return hashlib.sha256(part.read_bytes()).hexdigest() == file.sha256


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A temporary folder inside the target, on the same disk; old ones of crashed downloads are removed."""
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
    """Turn errors of the disk into MnistError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MnistError(DISK_FULL.format(folder=folder)) from error
        raise MnistError(CANNOT_WRITE.format(folder=folder, reason=_reason(error))) from error


@contextlib.contextmanager
def _network(silence: float) -> Iterator[None]:
    """Turn errors of the network into _TryNext."""
    try:
        yield
    except urllib.error.HTTPError as error:
        words = http.client.responses.get(error.code, "")
        raise _TryNext(STATUS.format(status=error.code, words=words).rstrip()) from error
    except TimeoutError as error:
        raise _TryNext(NO_DATA.format(seconds=silence)) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _TryNext(NO_ANSWER.format(seconds=silence)) from error
        raise _TryNext(_reason(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _TryNext(_reason(error)) from error


def _pieces(address: str, have: int, silence: float) -> Generator[tuple[bool, bytes], None, None]:
    """The bytes of an address after the first `have`, in pieces; each says whether it continues the one before.

    A server that does not support ranges starts again from the first byte. Raises _TryNext.
    """
    request = urllib.request.Request(address, headers={"User-Agent": mnist_files.NAME})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with (
        _network(silence),
        urllib.request.urlopen(request, timeout=silence, context=_certificates()) as response,
    ):
        continues = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        while chunk := response.read1(MAX_CHUNK_BYTES):  # what has arrived, without waiting for more
            yield continues, chunk
            continues = True


@functools.cache
def _certificates() -> ssl.SSLContext:
    """The system's certificates, which a school's proxy may need, and certifi's, in case Python finds none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _reason(reason: object) -> str:
    if isinstance(reason, ssl.SSLError):
        return BAD_CERTIFICATE
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror.lower()
    return BROKEN_CONNECTION
