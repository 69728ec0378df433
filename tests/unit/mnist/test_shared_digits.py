"""The digits are in memory once for all processes of a server, and a download reaches each of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground import mnist, shared_folder
from playground.mnist import files as mnist_files
from playground.mnist import shared_digits
from playground.mnist.files import FILES

ROOT = Path(__file__).resolve().parents[3]
READS_NO_FILES = """
from playground import mnist
def refuse(*args): raise AssertionError("the files were read again")
mnist._read = refuse
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """The shared folder of a server, which this process has started."""
    before = os.environ.pop(shared_folder.VARIABLE, None)
    mnist.forget_here()
    created = shared_folder.create()
    assert created is not None
    yield created.path
    created.close()
    mnist.forget_here()
    if before is not None:
        os.environ[shared_folder.VARIABLE] = before


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path | None], None]:
    """Search MNIST in one folder only, or nowhere."""

    def search(where: Path | None) -> None:
        monkeypatch.setattr(mnist_files, "places", lambda: (where,) if where else ())

    search(None)
    return search


def python(code: str, **options: Any) -> str:
    """What another process of the same server prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_files_are_read_once_and_every_process_has_the_same_numbers(folder: Path, places: Any) -> None:
    digits = mnist.load()
    assert digits.is_shared and mnist.load() is digits
    found = python(f"{READS_NO_FILES}\nd = mnist.load(); print(d.is_shared, d.train_images.sum(), d.test_labels.sum())")
    assert found == f"True {digits.train_images.sum()} {digits.test_labels.sum()}"
    own = mnist._read()
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        shared, alone = getattr(digits, name), getattr(own, name)
        assert shared.dtype == alone.dtype and np.array_equal(shared, alone)
    assert digits.source == own.source


def test_tensors_lie_on_the_shared_memory_without_a_copy_and_without_a_warning(folder: Path, places: Any) -> None:
    mnist.load()
    code = """
import warnings; warnings.simplefilter("error")
digits = mnist.load()
x = digits.tensors()[0]
assert x.data_ptr() == digits.train_images.ctypes.data
try: digits.train_images[0, 0, 0] = 1
except ValueError as error: print(error, x.dtype, len(x))
"""
    assert python(READS_NO_FILES + code) == "assignment destination is read-only torch.uint8 1500"


def test_what_one_process_writes_by_mistake_no_other_sees(folder: Path, places: Any) -> None:
    before = int(mnist.load().train_images.sum())
    python(f"{READS_NO_FILES}\nmnist.load().tensors()[0].fill_(7)")
    assert int(mnist.load().train_images.sum()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="what is resident is read from /proc")
def test_to_say_which_digits_there_are_takes_no_memory_for_them(folder: Path, places: Any) -> None:
    source = mnist.source()
    assert not source.real and source.sentence.startswith("MNIST is not installed")
    maps = re.findall(rf"{folder}/digits.*?Rss: +(\d+) kB", Path("/proc/self/smaps").read_text(), re.DOTALL)
    assert len(maps) == 1 and int(maps[0]) < 300, "the head alone, and what the system reads ahead"


def test_without_a_shared_folder_asking_for_the_source_keeps_no_images(
    places: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(shared_folder.VARIABLE, raising=False)
    mnist.forget_here()
    source = mnist.source()
    assert source.sentence and mnist._known.digits is None
    monkeypatch.setattr(mnist, "_read", pytest.fail)
    assert mnist.source() is source, "the files are read once"
    mnist.forget_here()


def test_digits_that_are_forgotten_in_one_process_are_read_again_by_all(folder: Path, places: Any) -> None:
    before = mnist.load()
    places(shared_here(folder))
    assert mnist.load() is before
    python("from playground import mnist; mnist.forget()")
    after = mnist.load()
    assert after is not before and "incomplete" in after.sentence and mnist.source() == after.source
    assert before.train_images.sum() == after.train_images.sum(), "digits in use stay valid"
    names = sorted(path.name for path in folder.iterdir() if path.name.startswith("digits-"))
    assert names == [f"digits-{shared_digits.version(folder)}"], "the earlier file is gone"


def shared_here(folder: Path) -> Path:
    """A folder where three of the four files of MNIST are missing."""
    place = folder / "place"
    place.mkdir()
    (place / FILES[1].packed).write_bytes(b"\x1f\x8b")
    return place


def test_to_forget_here_makes_no_other_process_read_again(folder: Path, places: Any) -> None:
    mnist.load()
    version = shared_digits.version(folder)
    mnist.forget_here()
    assert mnist.load().is_shared and shared_digits.version(folder) == version
    python(f"{READS_NO_FILES}\nmnist.forget_here(); mnist.load()")


@pytest.mark.skipif(sys.platform == "win32", reason="a full disk is a limit of the process")
def test_a_full_disk_leaves_each_process_its_own_copy_and_a_line_in_the_log(folder: Path) -> None:
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from playground import mnist
from playground.mnist import files
files.places = lambda: ()
digits = mnist.load()
print(digits.is_shared, len(digits.train_images), mnist.source().real, mnist.load() is digits)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "1500", "False", "True"]
    assert "The digits cannot be shared" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["digits.lock"]


def test_a_folder_that_went_away_leaves_a_copy(folder: Path, places: Any) -> None:
    before = mnist.load()
    shutil.rmtree(folder)
    assert mnist.load() is before, "what is mapped stays valid"
    mnist.forget()
    after = mnist.load()
    assert not after.is_shared and np.array_equal(before.train_images, after.train_images)


def test_what_a_killed_process_had_half_written_is_not_read(folder: Path, places: Any) -> None:
    (folder / "digits-0.part").write_bytes(b"half")
    assert mnist.load().is_shared
    assert sorted(path.name for path in folder.iterdir()) == ["digits-0", "digits.lock"]


def test_who_asked_to_be_informed_hears_of_digits_that_were_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "_listeners", [])
    heard: list[str] = []
    mnist.inform(lambda: heard.append("forgotten"))
    mnist.forget()
    mnist.forget_here()
    assert heard == ["forgotten"]
