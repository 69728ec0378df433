"""What unit tests share: a Starlette app of a test's own as a real server, in a thread of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from playground.training.devices import set_threads

START_SECONDS = 15.0

ServeApp = Callable[[Starlette], str]


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """The app on a free port; yields "127.0.0.1:<port>"."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up_at = time.monotonic() + START_SECONDS
    while not server.started:
        assert thread.is_alive(), "The server ended before it was up."
        assert time.monotonic() < give_up_at, f"The server was not up within {START_SECONDS:g} s."
        time.sleep(0.01)
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = server.force_exit = True
    thread.join(START_SECONDS)


@pytest.fixture(scope="module")
def serve_app() -> Iterator[ServeApp]:
    """Serve an app until the module's tests are done: `host = serve_app(Starlette(routes=ROUTES))`."""
    with ExitStack() as opened:
        yield lambda app: opened.enter_context(serving(app))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """As the app does: one thread for one torch operation. Two would wait for each other on a busy machine."""
    set_threads(1)
