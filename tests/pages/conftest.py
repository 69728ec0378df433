"""What tests of pages share: workers for all of them, and a visitor's session."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from pages.ui.session import pool
from playground.lesson import Lesson
from playground.lessons import LESSONS
from playground.training import devices
from playground.workers.pool import START_SECONDS
from tests.pages.session import RUN_SECONDS, SCRIPT, Open, go

OTHERS = ("toys", "slow")  # lessons of tests, each a module beside this one


@pytest.fixture(autouse=True, scope="session")
def _no_search_for_components() -> Iterator[None]:
    """Each AppTest would look through all installed packages for components of theirs: most of a test's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BidiComponentManager, "discover_and_register_components", lambda *_, **__: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _workers() -> Iterator[None]:
    """The server's workers, for all tests of this process: they take seconds to start, on a busy machine many."""
    end = time.monotonic() + START_SECONDS
    while not all(pool().worker_pids) and time.monotonic() < end:
        time.sleep(0.05)
    devices.set_threads(pool().settings.torch_threads)  # what a test computes itself is the same to the last bit
    yield
    pool().stop()
    pool.cache_clear()


@pytest.fixture(autouse=True)
def _no_runs_left() -> Iterator[None]:
    """No run outlives its test."""
    yield
    for run_id in list(pool()._runs):
        pool().close(run_id)


@pytest.fixture(scope="session")
def script_with_others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The navigation script of a copy of the pages, with a page of each of OTHERS beside the real ones."""
    folder = tmp_path_factory.mktemp("app") / "pages"
    shutil.copytree(SCRIPT.parent / "ui" / "static", folder / "ui" / "static")
    for source in SCRIPT.parent.glob("*.py"):
        shutil.copy(source, folder)
    for name in OTHERS:
        page = f"from pages.ui import lab_page\nfrom tests.pages import {name}\n\nlab_page.show({name}.LESSON)\n"
        (folder / f"{name}.py").write_text(page, encoding="utf-8")
    return folder / SCRIPT.name


@pytest.fixture
def visit(script_with_others: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a page in a session of its own: `visit()` is home, `visit(lesson, hide="lr")` has query parameters."""

    def open_page(lesson: Lesson | None = None, **parameters: str) -> AppTest:
        script = SCRIPT
        if lesson is not None and lesson.name in OTHERS:
            monkeypatch.setitem(LESSONS, lesson.name, lesson)
            script = script_with_others
        session = AppTest.from_file(str(script), default_timeout=RUN_SECONDS)
        if lesson is None:
            return session.run()
        go(session, f"{lesson.name}.py", **parameters)
        return session

    return open_page
