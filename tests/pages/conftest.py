"""What tests of pages share: an engine of each test's own, and a visitor's session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from pages.ui.session import engine as server_engine
from playground.engine.engine import Engine
from playground.lesson import Lesson
from tests.pages.session import RUN_SECONDS, SCRIPT, Open, go


@pytest.fixture(autouse=True, scope="session")
def _no_search_for_components() -> Iterator[None]:
    """Each AppTest would look through all installed packages for components of theirs: most of a test's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BidiComponentManager, "discover_and_register_components", lambda *_, **__: None)
        yield


@pytest.fixture(autouse=True)
def engine() -> Iterator[Engine]:
    """The server's engine, of this test's own."""
    server_engine.cache_clear()
    yield server_engine()
    server_engine().stop()
    server_engine.cache_clear()


@pytest.fixture
def visit(engine: Engine) -> Open:
    """Open a page in a session of its own: `visit()` is home, `visit(lesson, hide="lr")` has query parameters."""

    def open_page(lesson: Lesson | None = None, **parameters: str) -> AppTest:
        session = AppTest.from_file(str(SCRIPT), default_timeout=RUN_SECONDS)
        if lesson is None:
            return session.run()
        go(session, f"{lesson.name}.py", **parameters)
        return session

    return open_page
