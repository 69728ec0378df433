"""MNIST: reading that trusts nothing, the small digits in its place, and downloads that break in every way."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground import mnist
from playground.mnist import download as mnist_download
from playground.mnist import files as mnist_files
from playground.mnist import job as mnist_job
from playground.mnist import small_digits
from playground.mnist.download import Cancelled, Download, Limits
from playground.mnist.files import MnistError, MnistFile

PATIENT = Limits(silence=10.0, min_speed=1_000)
QUICK = Limits(silence=0.3, min_speed=1_000, rounds=1)
Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


def idx(array: np.ndarray[Any, Any]) -> bytes:
    return b"\0\0\x08" + bytes([array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def made(name: str, *shape: int) -> tuple[MnistFile, bytes]:
    """A file like one of MNIST's, small, and its packed bytes."""
    content = idx(np.random.default_rng(len(name)).integers(0, 256, shape, dtype=np.uint8))
    packed = gzip.compress(content, mtime=0)
    return (
        MnistFile(name, len(packed), hashlib.sha256(packed).hexdigest(), shape, hashlib.sha256(content).hexdigest()),
        packed,
    )


MADE = (made("train-images-idx3-ubyte", 120, 28, 28), made("train-labels-idx1-ubyte", 120),
        made("t10k-images-idx3-ubyte", 30, 28, 28), made("t10k-labels-idx1-ubyte", 30))  # fmt: skip
FILES = tuple(file for file, _ in MADE)
PACKED = {f"/{file.packed}": packed for file, packed in MADE}
TOTAL = sum(file.size for file in FILES)


def whole(request: BaseHTTPRequestHandler, content: bytes) -> None:
    start = int((request.headers.get("Range") or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    request.send_header("Content-Length", str(len(content) - start))
    request.end_headers()
    request.wfile.write(content[start:])


def sends(content: bytes) -> Answer:
    return lambda request, _: whole(request, content)


def refuses(status: int) -> Answer:
    return lambda request, _: request.send_error(status)


def truncated(request: BaseHTTPRequestHandler, content: bytes) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content[: len(content) // 2])


def dripping(request: BaseHTTPRequestHandler, content: bytes) -> None:
    request.send_response(200)
    request.end_headers()
    for at in range(200):
        request.wfile.write(content[at : at + 1])
        time.sleep(0.02)


def silent(request: BaseHTTPRequestHandler, content: bytes) -> None:
    request.send_response(200)
    request.end_headers()
    request.wfile.write(content[:100])
    time.sleep(2)


class Mirror:
    """A server on loopback that answers as the test says, and notes what it was asked for."""

    def __init__(self, answer: Answer) -> None:
        asked: list[tuple[str, str | None]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers.get("Range")))
                with_errors = (BrokenPipeError, ConnectionResetError)
                try:
                    answer(self, PACKED[self.path])
                except with_errors:
                    self.close_connection = True

            def log_message(self, *_: object) -> None: ...

        self.asked = asked
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@contextmanager
def mirrors(*answers: Answer) -> Iterator[list[Mirror]]:
    with ExitStack() as opened:
        served = []
        for answer in answers:
            mirror = Mirror(answer)
            opened.callback(mirror.server.server_close)
            opened.callback(mirror.server.shutdown)
            served.append(mirror)
        yield served


def fetch(folder: Path, *answers: Answer, **more: Any) -> list[Mirror]:
    with mirrors(*answers) as served:
        settings = {"limits": PATIENT, "files": FILES} | more
        Download(folder, mirrors=[mirror.address for mirror in served], **settings).run()
    return served


def held(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def only_whole_files(folder: Path) -> bool:
    return held(folder) == {name.lstrip("/"): packed for name, packed in PACKED.items()}


def test_download_puts_four_whole_files_in_place_and_says_how_far_it_is(tmp_path: Path) -> None:
    reports: list[tuple[int, int]] = []
    fetch(tmp_path / "new" / "folder", whole, report=lambda *numbers: reports.append(numbers))
    assert only_whole_files(tmp_path / "new" / "folder")
    assert reports == sorted(reports) and reports[-1] == (TOTAL, TOTAL)
    found = mnist_files.find(tmp_path / "new" / "folder", FILES)
    assert found and mnist_files.read(found[0], FILES[0]).shape == (120, 28, 28)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (truncated, "stopped after"),
        (sends(PACKED["/t10k-labels-idx1-ubyte.gz"]), "stopped after"),
        (lambda request, content: whole(request, content[::-1]), "SHA-256"),
        (lambda request, content: whole(request, content + b"more"), "more than the file's"),
        (refuses(404), "404 Not Found"),
        (refuses(503), "503 Service Unavailable"),
        (dripping, "bytes per second"),
        (silent, "it sent nothing for 0.3 seconds"),
        (lambda request, _: request.wfile.write(b"\0" * 300), "the connection broke"),
        (lambda request, _: request.connection.close(), "127.0.0.1"),
    ],
    ids=["truncated", "another file", "wrong hash", "too much", "404", "503", "slow", "silent", "no HTTP", "hangs up"],
)
def test_a_bad_mirror_is_named_in_the_refusal_and_leaves_nothing(tmp_path: Path, answer: Answer, words: str) -> None:
    with pytest.raises(MnistError, match=r"^train-images.* could not be downloaded \(.*\)\. Check .*\.$") as raised:
        fetch(tmp_path, answer, limits=QUICK)
    assert words in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_dead_mirror_is_passed_over_for_the_next(tmp_path: Path) -> None:
    with mirrors(whole) as (dead,):
        pass  # closed: nobody listens there now
    with mirrors(whole) as (good,):
        Download(tmp_path, mirrors=[dead.address, good.address], limits=PATIENT, files=FILES).run()
    assert only_whole_files(tmp_path)


@pytest.mark.parametrize("answer", [refuses(404), dripping, silent], ids=["404", "slow", "silent"])
def test_a_failing_mirror_is_passed_over_for_the_next(tmp_path: Path, answer: Answer) -> None:
    fetch(tmp_path, answer, whole, files=FILES[1:2], limits=Limits(silence=1.0, min_speed=1_000))
    assert list(held(tmp_path)) == [FILES[1].packed]


def test_a_transfer_that_broke_off_continues_where_it_stopped(tmp_path: Path) -> None:
    first, second = fetch(tmp_path, truncated, whole)
    assert only_whole_files(tmp_path)
    assert [asked for _, asked in second.asked] == [f"bytes={file.size // 2}-" for file in FILES]
    assert len(first.asked) == len(FILES)


def test_a_server_without_ranges_starts_again(tmp_path: Path) -> None:
    def no_ranges(request: BaseHTTPRequestHandler, content: bytes) -> None:
        request.headers.replace_header("Range", "bytes=0-")
        whole(request, content)

    fetch(tmp_path, truncated, no_ranges)
    assert only_whole_files(tmp_path)


def test_a_part_from_a_lying_mirror_does_not_spoil_the_next_ones(tmp_path: Path) -> None:
    fetch(tmp_path, lambda request, content: truncated(request, content[::-1]), whole, files=FILES[1:2])
    assert list(held(tmp_path)) == [FILES[1].packed]


def test_a_gzip_that_unpacks_beyond_its_size_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(idx(np.zeros((120, 28, 28), np.uint8)) + bytes(5_000_000))
    file = replace(FILES[0], size=len(bomb), sha256=hashlib.sha256(bomb).hexdigest())
    with pytest.raises(MnistError, match="is longer than its 94,096 bytes"):
        fetch(tmp_path, sends(bomb), files=(file,))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_refused_with_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def full(path: Path, mode: str = "r", *rest: Any) -> Any:
        if "a" not in mode:
            return opened(path, mode, *rest)
        sink = opened(path, mode, 0)

        class Full:
            def __enter__(self) -> Full:
                return self

            def __exit__(self, *_: object) -> None:
                sink.close()

            def truncate(self, size: int) -> int:
                return sink.truncate(size)

            def write(self, chunk: bytes) -> int:
                sink.write(chunk[:10])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        return Full()

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(MnistError, match=r"^The disk is full: MNIST needs 12 MB in .*Free some space"):
        fetch(tmp_path, whole)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("here")
    with pytest.raises(MnistError, match=r"cannot be written to .*PLAYGROUND_DATA"):
        fetch(tmp_path / "taken", whole)
    assert held(tmp_path) == {"taken": b"here"}


def test_cancelled_half_way_nothing_is_left(tmp_path: Path) -> None:
    so_far: list[int] = []
    with pytest.raises(Cancelled):
        fetch(tmp_path, whole, report=lambda fetched, _: so_far.append(fetched), stop=lambda: sum(so_far) > TOTAL // 2)
    assert 0 < so_far[-1] < TOTAL
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_download_left_is_cleared_away(tmp_path: Path) -> None:
    for name, age in ((".mnist-old", 2 * mnist_download.STALE_SECONDS), (".mnist-other", 60.0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    fetch(tmp_path, whole)
    assert not (tmp_path / ".mnist-old").exists()
    assert (tmp_path / ".mnist-other").exists(), "another process may be at it"


def test_one_job_for_all_ends_done_failed_or_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished: list[str] = []
    with mirrors(whole, refuses(404), silent) as (good, bad, slow):

        def job(mirror: Mirror) -> mnist_job.Job:
            download = Download(tmp_path / "x", mirrors=[mirror.address], limits=PATIENT, files=FILES)
            return mnist_job.Job(download, lambda: finished.append("done"))

        failed = job(bad).wait(10)
        assert failed.state == "failed" and failed.sentence.startswith("train-images")
        cancelled = job(slow)
        assert cancelled.running
        cancelled.cancel()
        assert cancelled.progress.state == "cancelled"
        assert cancelled.wait(10).state == "cancelled" and finished == []
        done = job(good).wait(10)
        assert (done.state, done.fetched, done.share) == ("done", TOTAL, 1.0) and finished == ["done"]
        monkeypatch.setattr(mnist_job, "_latest", [])
        monkeypatch.setattr(mnist_job, "Download", lambda folder: Download(folder, mirrors=[slow.address], files=FILES))
        one, two = mnist_job.start(tmp_path / "y"), mnist_job.start(tmp_path / "y")
        assert one is two is mnist_job.latest()
        one.cancel()
        one.wait(10)


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("inside", [".", "MNIST/raw"])
@pytest.mark.parametrize("unpacked", [False, True], ids=["gz", "unpacked"])
def test_files_are_found_and_read_packed_or_not(tmp_path: Path, inside: str, unpacked: bool) -> None:
    for file, packed in MADE:
        name, content = (file.name, gzip.decompress(packed)) if unpacked else (file.packed, packed)
        write_files(tmp_path / inside, {name: content})
    found = mnist_files.find(tmp_path, FILES)
    assert found
    for path, (file, packed) in zip(found, MADE, strict=True):
        assert idx(mnist_files.read(path, file)) == gzip.decompress(packed)


def test_three_of_four_files_are_not_mnist(tmp_path: Path) -> None:
    write_files(tmp_path, {file.packed: packed for file, packed in MADE[:3]})
    assert mnist_files.find(tmp_path, FILES) is None
    assert mnist_files.find(tmp_path / "nowhere", FILES) is None


def as_found(rename: Callable[[str], str], *, unpacked: bool = False) -> dict[str, bytes]:
    return {
        rename(file.name if unpacked else file.packed): gzip.decompress(packed) if unpacked else packed
        for file, packed in MADE
    }


@pytest.mark.parametrize(
    "files",
    [
        as_found(str.upper),
        as_found(lambda name: name.replace(".gz", " (1).gz")),
        as_found(lambda name: f"{name} (1)"),
        as_found(lambda name: name.replace("-idx", ".idx")),
        as_found(lambda name: name.replace("-", "_")),
        as_found(lambda name: f"MNIST/raw/{name}"),
        as_found(lambda name: f"a/b/c/{name}"),
        as_found(lambda name: f"{name}/{name}", unpacked=True),
        as_found(lambda name: f"{name}.gz", unpacked=True),
        as_found(lambda name: name.removesuffix(".gz")),
        as_found(lambda name: f"FashionMNIST/raw/{name}")
        | {f"FashionMNIST/raw/{FILES[0].packed}": b"\x1f\x8bother", f"MNIST/raw/{FILES[0].packed}": MADE[0][1]},
    ],
    ids=["upper case", "(1).gz", ".gz (1)", "dots", "underscores", "MNIST/raw", "three folders deep", "folders",
         "unpacked by the browser", "packed without .gz", "another data set beside it"],
)  # fmt: skip
def test_files_are_found_under_the_names_they_get_on_the_way(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        write_files((tmp_path / name).parent, {Path(name).name: content})
    for numbers, (_, packed) in zip(mnist_files.read_folder(tmp_path, FILES), MADE, strict=True):
        assert idx(numbers) == gzip.decompress(packed)


@pytest.mark.parametrize("content", [MADE[0][1][:5_000], b"<!DOCTYPE html>", b""], ids=["cut off", "html", "empty"])
def test_a_damaged_file_does_not_hide_a_whole_copy(tmp_path: Path, content: bytes) -> None:
    write_files(tmp_path, as_found(str, unpacked=True) | {FILES[0].packed: content})
    assert mnist_files.read_folder(tmp_path, FILES)[0].shape == (120, 28, 28)


PACKED_FILES = {file.packed: packed for file, packed in MADE}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({FILES[3].packed: None}, "MNIST in “{folder}” is incomplete: t10k-labels-idx1-ubyte.gz is missing."),
        (
            {FILES[0].packed: None, FILES[2].packed: None},
            "MNIST in “{folder}” is incomplete: train-images-idx3-ubyte.gz, t10k-images-idx3-ubyte.gz are missing.",
        ),
        (
            {FILES[1].packed: b"<html>No access</html>"},
            "train-labels-idx1-ubyte.gz cannot be read (it is a web page). Download it again. It is in “{folder}”.",
        ),
        (
            {FILES[1].packed: b"version https://git-lfs.github.com/spec/v1"},
            "train-labels-idx1-ubyte.gz cannot be read (it is a pointer of Git LFS). Download it again. It is "
            "in “{folder}”.",
        ),
        (
            {FILES[1].packed: MADE[1][1][:60]},
            "train-labels-idx1-ubyte.gz cannot be read (it is damaged or incomplete). Download it again. It is in "
            "“{folder}”.",
        ),
        (
            {FILES[0].packed: None, FILES[1].packed: b""},
            "MNIST in “{folder}” is incomplete: train-images-idx3-ubyte.gz is missing. train-labels-idx1-ubyte.gz "
            "cannot be read (it is damaged or incomplete). Download it again. It is in “{folder}”.",
        ),
        (dict.fromkeys(PACKED_FILES), "MNIST was not found: none of its four files is in “{folder}”."),
    ],
    ids=["three of four", "two of four", "html", "Git LFS", "cut off", "missing and damaged", "none"],
)
def test_the_sentence_names_what_is_missing_or_damaged_and_where(
    tmp_path: Path, only: Any, monkeypatch: pytest.MonkeyPatch, changes: dict[str, bytes | None], sentence: str
) -> None:
    write_files(tmp_path, {name: content for name, content in (PACKED_FILES | changes).items() if content is not None})
    with pytest.raises(MnistError) as raised:
        mnist_files.read_folder(tmp_path, FILES)
    assert str(raised.value) == sentence.format(folder=tmp_path)
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    only(tmp_path)
    monkeypatch.setattr(mnist_files.read_folder, "__defaults__", (FILES,))
    assert mnist.load().sentence.startswith(sentence.format(folder=tmp_path))
    app = AppTest.from_string("from pages.ui.widgets import mnist_panel\nmnist_panel.show()").run()
    assert str(tmp_path) in app.caption[0].value and "small digits" in app.caption[0].value


def test_a_named_folder_that_cannot_be_used_is_named(
    tmp_path: Path, only: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("here")

    def no_permission(folder: Any) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))

    for name, words in (("nowhere", "does not exist"), ("file", "is not a folder"), (".", "cannot be opened")):
        monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / name))
        if name == ".":
            monkeypatch.setattr(os, "scandir", no_permission)
        only(tmp_path / name)
        sentence = mnist.load().sentence
        assert sentence.startswith("MNIST was not found") and words in sentence and str(tmp_path / name) in sentence
        monkeypatch.undo()


def test_the_search_ends_in_a_folder_of_very_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist_files, "MAX_ENTRIES", 3)
    write_files(tmp_path, {f"a{at}": b"" for at in range(9)} | PACKED_FILES)
    with pytest.raises(MnistError, match="none of its four files"):
        mnist_files.read_folder(tmp_path, FILES)


IMAGES = gzip.decompress(MADE[0][1])
WRONG = {
    "magic": (b"\x89PNG" + IMAGES[4:], "starts with 89 50 4e 47 instead of 00 00 08 03"),
    "element type": (b"\0\0\x0d\x03" + IMAGES[4:], "starts with 00 00 0d 03"),
    "dimensions": (
        idx(np.zeros((120, 14, 56), np.uint8)),
        "contains 120 × 14 × 56 numbers according to its header, but must",
    ),
    "truncated": (IMAGES[:1000], "ends after 1,000 of its 94,096 bytes"),
    "too long": (IMAGES + b"x", "is longer than its 94,096 bytes"),
    "other numbers": (IMAGES[:-1] + bytes([IMAGES[-1] ^ 1]), "SHA-256 is different"),
    "empty": (b"", "starts with"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_a_wrong_file_is_refused_with_a_sentence(tmp_path: Path, name: str, packed: bool) -> None:
    content, words = WRONG[name]
    path = tmp_path / (FILES[0].packed if packed else FILES[0].name)
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(MnistError, match=rf"^{path.name} .*Download it again\.$") as raised:
        mnist_files.read(path, FILES[0])
    assert words in str(raised.value)


@pytest.mark.parametrize("content", [b"<html>", MADE[0][1][:5_000], b"\x1f\x8b" + b"\0" * 50])
def test_a_damaged_gzip_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILES[0].packed
    path.write_bytes(content)
    with pytest.raises(MnistError, match=r"cannot be read .*Download it again"):
        mnist_files.read(path, FILES[0])


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path | None], None]]:
    """Look for MNIST in one folder only (or nowhere), from now on and until the test's end."""

    def look(folder: Path | None) -> None:
        monkeypatch.setattr(mnist_files, "places", lambda: (folder,) if folder else ())
        mnist.forget()

    yield look
    mnist.forget()


def test_without_mnist_there_are_small_digits_and_the_sentence_says_so(only: Any) -> None:
    only(None)
    digits = mnist.load()
    assert not digits.real and digits.name == "digits" and digits.sentence.startswith("MNIST is not installed")
    assert digits.train_images.shape == (1_500, 28, 28) and digits.test_images.shape == (297, 28, 28)
    assert digits.train_images.dtype == np.uint8 and digits.train_labels.dtype == np.int64
    assert set(digits.test_labels.tolist()) == set(range(10))
    border = digits.train_images[:, [0, 1, -2, -1]]
    assert border.mean() < 1 and digits.train_images.max() == 255, "a margin as in MNIST"


def test_everybody_shares_one_copy_that_nobody_can_change(only: Any) -> None:
    only(None)
    with_lock: list[mnist.Digits] = []
    threads = [threading.Thread(target=lambda: with_lock.append(mnist.load())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    digits = mnist.load()
    assert all(each is digits for each in with_lock) and len(with_lock) == 4
    with pytest.raises(ValueError, match="read-only"):
        digits.train_images[0, 0, 0] = 1
    images, labels, *_ = digits.tensors()
    assert images.data_ptr() == digits.train_images.ctypes.data and labels.tolist() == digits.train_labels.tolist()


def test_small_digits_are_scikit_learns_in_its_order() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = datasets.load_digits(return_X_y=True)
    found, found_labels = small_digits.small_digits()
    assert found_labels.tolist() == labels.tolist()
    assert (found == small_digits.enlarged(images.reshape(-1, 8, 8))).all()


def test_small_digits_keep_their_light_and_their_place() -> None:
    dot = np.zeros((1, 8, 8))
    dot[0, 0, 0] = 16
    image = small_digits.enlarged(dot)[0].astype(float)
    row, column = (image.sum(axis=axis) @ np.arange(28) / image.sum() for axis in (1, 0))
    assert abs(row - 9.5) <= 1 and abs(column - 9.5) <= 1, "moved to the middle as far as the box allows"
    even = small_digits.enlarged(np.full((1, 8, 8), 8.0))[0]
    assert set(even[4:24, 4:24].ravel().tolist()) == {128} and even.sum() == 128 * 400


def test_a_folder_with_another_data_set_is_named_and_not_used(tmp_path: Path, only: Any) -> None:
    write_files(tmp_path, {file.packed: packed for file, packed in MADE})
    only(tmp_path)
    digits = mnist.load()
    assert not digits.real and digits.sentence.startswith("train-images-idx3-ubyte.gz contains 120")


def test_folder_of_the_environment_comes_first_then_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("PLAYGROUND_DATA", "")
    assert mnist_files.places()[0] == mnist_files.target_folder() == tmp_path / "pytorch-playground" / "mnist"
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / "mine"))
    assert mnist_files.places()[:2] == (tmp_path / "mine", mnist_files.cache_folder())
    assert mnist_files.target_folder() == tmp_path / "mine"


def real_mnist() -> mnist.Digits:
    for folder in mnist_files.places():
        if digits := mnist.read_mnist(folder):
            return digits
    pytest.skip("MNIST is not on this machine.")


def test_real_mnist_is_what_everybody_knows() -> None:
    digits = real_mnist()
    assert digits.real and digits.name == "MNIST"
    assert digits.train_images.shape == (60_000, 28, 28) and digits.test_images.shape == (10_000, 28, 28)
    assert digits.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert digits.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert round(float(digits.train_images.mean()) / 255, 4) == 0.1307, "the mean that every tutorial subtracts"


def test_command_line_says_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with mirrors(whole, refuses(404)) as (good, bad):
        monkeypatch.setattr(mnist_files, "FILES", FILES)
        for mirror, code in ((bad, 1), (good, 0), (bad, 0)):
            monkeypatch.setattr(
                mnist_download,
                "Download",
                lambda folder, report, mirror=mirror: Download(folder, report, mirrors=[mirror.address], files=FILES),
            )
            assert mnist.main([str(tmp_path / "to")]) == code
            out, err = capsys.readouterr()
            assert ("404" in err) == (code == 1)
        assert "already" in out
    assert only_whole_files(tmp_path / "to")


def test_panel_offers_shows_cancels_and_forgets_a_download(
    tmp_path: Path, only: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(None)
    monkeypatch.setattr(mnist_job, "_latest", [])
    with mirrors(silent, refuses(404)) as (slow, bad):
        for mirror in (slow, bad):
            monkeypatch.setattr(
                mnist_job,
                "Download",
                lambda folder, mirror=mirror: Download(tmp_path, mirrors=[mirror.address], files=FILES, limits=QUICK),
            )
            if mirror is slow:
                app = AppTest.from_string("from pages.ui.widgets import mnist_panel\nmnist_panel.show()").run()
                assert app.caption[0].value.startswith("MNIST is not installed")
                app.button("mnist:download").click().run()
                assert not app.exception and mnist_job.latest()
                app.button("mnist:cancel").click().run()
                assert mnist_job.latest().progress.state == "cancelled"  # type: ignore[union-attr]
                mnist_job.latest().wait(5)  # type: ignore[union-attr]
                app.run()
            else:
                app.button("mnist:download").click().run()
                mnist_job.latest().wait(5)  # type: ignore[union-attr]
                app.run()
                assert "404" in app.error[0].value
    assert list(tmp_path.iterdir()) == []
