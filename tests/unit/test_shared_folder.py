"""The folder that a server's processes share: private, gone with its server, and never somebody else's."""

from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import shared_folder
from playground.shared_folder import VARIABLE

ROOT = Path(__file__).resolve().parents[2]
CREATES = (
    "from playground import shared_folder; shared_folder.create(); print(shared_folder.path(), flush=True); input()"
)
LOCKS = "import sys; from pathlib import Path; from playground import shared_folder; {}"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="owners and modes of folders are those of POSIX")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own, and no server's folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


def python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.fixture
def other_server() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    process = python(CREATES)
    assert process.stdout is not None
    yield process, Path(process.stdout.readline().strip())
    process.kill()
    process.wait()


def test_only_its_user_can_enter_it_and_it_goes_with_its_server() -> None:
    folder = shared_folder.create()
    assert folder is not None and shared_folder.path() == folder.path
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    (folder.path / "file").write_text("1")
    folder.close()
    assert not folder.path.exists() and shared_folder.path() is None


def test_processes_started_meanwhile_find_it() -> None:
    folder = shared_folder.create()
    assert folder is not None
    try:
        child = python("from playground import shared_folder; print(shared_folder.path())")
        assert child.communicate()[0].strip() == str(folder.path)
    finally:
        folder.close()


def test_what_a_killed_server_left_is_removed_by_the_next(other_server: tuple[subprocess.Popen[str], Path]) -> None:
    process, left = other_server
    process.kill()
    process.wait()
    assert left.exists()
    folder = shared_folder.create()
    assert folder is not None and folder.path.exists() and not left.exists()
    folder.close()


def test_the_folder_of_another_running_server_stays(other_server: tuple[subprocess.Popen[str], Path]) -> None:
    _, others = other_server
    folder = shared_folder.create()
    assert folder is not None and others.exists() and folder.path != others
    folder.close()


def test_a_folder_that_others_can_enter_and_a_link_are_not_used(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all = temporary / f"{shared_folder.PREFIX}open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    own = temporary / "own"
    own.mkdir(0o700)
    link = temporary / f"{shared_folder.PREFIX}link"
    link.symlink_to(own)
    for wrong in (open_to_all, link, temporary / "missing"):
        monkeypatch.setenv(VARIABLE, str(wrong))
        assert shared_folder.path() is None
    folder = shared_folder.create()
    assert folder is not None and own.exists() and link.is_symlink() and open_to_all.exists(), "nothing was followed"
    folder.close()


def test_without_a_place_to_write_there_is_none_and_the_log_says_so(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "missing"))
    assert shared_folder.create() is None and shared_folder.path() is None
    assert "No folder for temporary files" in caplog.text


def test_a_lock_holds_between_processes_until_its_process_is_killed(temporary: Path) -> None:
    path = temporary / "lock"
    takes = LOCKS.format(f"lock = shared_folder.try_lock(Path({str(path)!r})); print(bool(lock), flush=True); input()")
    process = python(takes)
    assert process.stdout is not None and process.stdout.readline() == "True\n"
    assert shared_folder.try_lock(path) is None
    process.kill()
    process.wait()
    lock = shared_folder.try_lock(path)
    assert lock is not None and shared_folder.try_lock(path) is None
    lock.release()
    again = shared_folder.try_lock(path)
    assert again is not None
    again.release()


def test_a_lock_that_is_released_is_free_although_a_forked_process_has_its_file(temporary: Path) -> None:
    lock = shared_folder.try_lock(temporary / "lock")
    assert lock is not None
    child = subprocess.Popen(["sleep", "60"], pass_fds=[lock._descriptor])
    try:
        lock.release()
        again = shared_folder.try_lock(temporary / "lock")
        assert again is not None
        again.release()
    finally:
        child.kill()
        child.wait()
    assert [path.name for path in temporary.iterdir()] == ["lock"]
