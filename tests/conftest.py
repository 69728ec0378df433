"""What tests share: the app as a running server, a real Chromium, and which tests a plain `pytest` leaves out."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import pytest
import torch

torch.set_num_threads(1)  # as runs do: beside a busy browser, threads that wait for each other take twice as long
ROOT = Path(__file__).resolve().parent.parent
NAMED_ONLY = {  # marker: folder
    "load": ROOT / "tests" / "load",
    "benchmark": ROOT / "tests" / "benchmarks",
    "image": ROOT / "tests" / "image",
}
IN_PART = {  # marker: folder or file
    "matrix": ROOT / "tests" / "matrix",
    "claims": ROOT / "tests" / "claims",
    "first_screen": ROOT / "tests" / "browser" / "test_first_screen.py",
    "asked_everywhere": ROOT / "tests" / "browser" / "test_asked_everywhere.py",
}
BROWSER_MATRIX = tuple(f"tests/matrix/test_{name}.py" for name in ("frames", "proxies", "replicas"))
PLAYWRIGHT = pytest.StashKey[ExitStack]()  # what ends Playwright and every browser that it has started
START_SECONDS = 60.0
STREAMLIT = (
    *(sys.executable, "-m", "streamlit", "run", "app.py"),
    *("--server.headless", "true", "--server.address", "127.0.0.1", "--server.port", "{port}"),
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ONE_PROCESS = "--process-per-site"  # for all tabs of a profile: each next one finds the scripts compiled
MEDIA = {"color_scheme", "reduced_motion", "forced_colors"}  # options of a tab, without a context of its own


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which part of the tests that take turns runs where nothing is named: by default another one each day."""
    words = "the tenth (0 to 9) of long claims and the third of cases marked in_turns to run; by default the day's"
    parser.addoption("--tenth", type=int, choices=range(10), help=words)


def pytest_configure(config: pytest.Config) -> None:
    """Choose the tenth once: the processes that run the tests get it from this one."""
    if config.option.tenth is None:
        config.option.tenth = date.today().toordinal() % 10


def pytest_report_header(config: pytest.Config) -> str:
    tenth = config.option.tenth
    return f"tenth {tenth} of the long claims, third {tenth % 3} of the cases marked in_turns (again: --tenth={tenth})"


def is_named(folder: Path, config: pytest.Config) -> bool:
    """Whether the command names this folder or something in it."""
    named = [config.invocation_params.dir / arg.partition("::")[0] for arg in config.args]
    return any(path.resolve().is_relative_to(folder) for path in named)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out load tests, benchmarks and the image, which take minutes, unless the command names them."""
    return True if collection_path in NAMED_ONLY.values() and not is_named(collection_path, config) else None


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run everything in as many processes as there are cores, at most four; what the command names, in this one."""
    everything = config.args_source is not pytest.Config.ArgsSource.ARGS
    return min(4, os.cpu_count() or 1) if everything else 0


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give all browser tests to one process, which starts with them, and the other tests one by one to the rest.

    Two Chromiums at a time keep each other from painting. pytest-xdist hands out the largest group first. Its own
    groups (`--dist=loadgroup`) have no effect since pytest 9.2: https://github.com/pytest-dev/pytest-xdist/issues/1386
    """
    from xdist.scheduler import LoadScopeScheduling

    class BrowserTestsTogether(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith(("tests/browser/", *BROWSER_MATRIX)) else nodeid

    return BrowserTestsTogether(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Set the markers, put browser tests last for a run in one process, and take only a part of the long matrices.

    Of tests/matrix, tests/claims and the first screen only cases marked `in_ci` run, of the lessons' other claims a
    tenth, and of cases marked `in_turns` a third, unless the command names them.
    """
    left_out = []
    long_claims = in_turns = 0
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        for marker, folder in {**NAMED_ONLY, **IN_PART}.items():
            if item.path.is_relative_to(folder):
                item.add_marker(marker)
                if marker in IN_PART and not item.get_closest_marker("in_ci") and not is_named(folder, config):
                    is_claim = item.path.name == "test_claims.py" and not item.get_closest_marker("many_threads")
                    long_claims += is_claim
                    if not is_claim or long_claims % 10 != config.option.tenth:
                        left_out.append(item)
        if item.get_closest_marker("in_turns") and item not in left_out[-1:] and not is_named(item.path, config):
            in_turns += 1
            if in_turns % 3 != config.option.tenth % 3:
                left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    gone = set(left_out)
    items[:] = sorted((item for item in items if item not in gone), key=is_browser_test)


def is_browser_test(item: pytest.Item | None) -> bool:
    return item is not None and item.get_closest_marker("browser") is not None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give way to the process with the browser, whose tests wait for what they see for so many seconds only."""
    if "PYTEST_XDIST_WORKER" in os.environ and not is_browser_test(item) and hasattr(os, "nice") and not os.nice(0):
        os.nice(10)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """End Playwright after the last browser test: while it runs, no other test in this thread can use asyncio."""
    yield
    if is_browser_test(item) and not is_browser_test(nextitem):
        item.config.stash.get(PLAYWRIGHT, ExitStack()).close()


@dataclass(frozen=True)
class Server:
    """A running app: its address without a slash at the end, and its process."""

    url: str
    port: int
    pid: int


Serve = Callable[..., AbstractContextManager[Server]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_server(
    command: Sequence[str] = (),
    *,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    port: int = 0,
    base: str = "",
) -> Iterator[Server]:
    """Start the app, wait until it is healthy, and end its whole process group afterwards.

    `command` defaults to `streamlit run app.py`; `{port}` in its words is the port it must listen on, or a free one.
    `environment` replaces this process's; `settings` are added to it. Fails the test with the server's output if the
    server dies or is not up in time. `base` is the path under which it lies.
    """
    port = port or free_port()
    command = [word.replace("{port}", str(port)) for word in command or STREAMLIT]
    variables = {**(os.environ if environment is None else environment), **(settings or {})}
    with TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            wait_until_healthy(process, port, log, base)
            yield Server(f"http://127.0.0.1:{port}", port, process.pid)
            if process.poll() is not None:
                pytest.fail(f"The server died with exit code {process.returncode} during the test.\n{output(log)}")
        finally:
            end_group(process)


def wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: IO[bytes], base: str = "") -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while not healthy_at(port, f"127.0.0.1:{port}", base):
        if process.poll() is not None:
            pytest.fail(f"The server ended with exit code {process.returncode} before it was up.\n{output(log)}")
        if time.monotonic() > give_up_at:
            pytest.fail(f"The server was not healthy within {START_SECONDS:g} s.\n{output(log)}")
        time.sleep(0.1)


def healthy(port: int) -> bool:
    return healthy_at(port, f"127.0.0.1:{port}")


def healthy_at(port: int, host: str, base: str = "") -> bool:
    """Whether the app says so that answers at this port for a host's name."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", f"{base}/_stcore/health", headers={"Host": host})
        return connection.getresponse().read() == b"ok"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def output(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-6_000:]


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the process group to end, and after 5 seconds end it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(5)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Start an app of the test's own: `with serve(settings={"PLAYGROUND_MAX_RUNS": "2"}) as server:`."""
    return run_server


@pytest.fixture(scope="session")
def app_url(serve: Serve) -> Iterator[str]:
    """The address of the one app that tests share, with default settings; without a slash at its end."""
    with serve() as server:
        yield server.url


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Start Debian's Chromium under Playwright: with a folder for its profile, or without, for contexts of one's own.

    Where there is none, tests are skipped; or fail, if a browser is required.
    """
    cannot = pytest.fail if os.environ.get("PLAYGROUND_REQUIRE_BROWSER") == "1" else pytest.skip
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        cannot("Playwright is not installed: pip install -r tests/requirements.txt")
    path = shutil.which("chromium")
    if path is None:
        cannot("Chromium is not installed: apt-get install chromium")
    if "PYTEST_XDIST_WORKER" in os.environ:  # a second process with a Chromium of its own fails here
        (tmp_path_factory.getbasetemp().parent / "chromium").touch(exist_ok=False)
    with ExitStack() as started:
        pytestconfig.stash[PLAYWRIGHT] = started
        playwright = started.enter_context(sync_playwright())

        def start(profile: Path | None = None, **options: Any) -> Any:
            flags = [*FLAGS, ONE_PROCESS] if profile else list(FLAGS)
            common: dict[str, Any] = {"executable_path": path, "args": flags, **options}
            kind = playwright.chromium
            one = kind.launch_persistent_context(profile, **common) if profile else kind.launch(**common)
            started.callback(one.close)
            return one

        yield start


@pytest.fixture(scope="session")
def browser(chromium: Callable[..., Any]) -> Any:
    """A Chromium whose contexts know nothing of each other, and have never been anywhere."""
    return chromium()


@dataclass(frozen=True)
class Home:
    """A Chromium with a profile, which knows the app's files from before: a page opens there in half the time."""

    context: Any  # playwright.sync_api.BrowserContext
    storage: Any  # playwright.sync_api.CDPSession
    url: str

    def forget(self) -> None:
        """Cookies and storage of the app; its files stay known."""
        self.context.clear_cookies()
        self.storage.send("Storage.clearDataForOrigin", {"origin": self.url, "storageTypes": "local_storage"})


@pytest.fixture(scope="session")
def home(chromium: Callable[..., Any], app_url: str, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The Chromium in which the first tab of a test opens."""
    context = chromium(tmp_path_factory.mktemp("profile"), base_url=app_url)
    context.pages[0].goto("/_stcore/health")  # this tab stays open, and with it the process of all the others
    return Home(context, context.new_cdp_session(context.pages[0]), app_url)


@dataclass
class Tab:
    """A browser tab, and what went wrong in it: console and page errors, and requests to any other host."""

    page: Any  # playwright.sync_api.Page
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


@pytest.fixture
def page(request: pytest.FixtureRequest, app_url: str, home: Home) -> Iterator[Callable[..., Tab]]:
    """Open tabs, none of which shares cookies or storage with another: `tab = page("/regression")`.

    Without a path the tab stays empty. `width` and `height` in pixels, `base` for another server than the shared one;
    `options` go to Playwright's `new_context`, such as `{"has_touch": True}`, or, where it can be, to the tab alone;
    `script` runs before the page's own.
    At the end no tab may have had an error or asked a foreign host for anything; a test that provokes an error takes it
    out of `tab.errors`.
    """
    tabs: list[Tab] = []
    with ExitStack() as opened:
        opened.callback(home.forget)

        def open_tab(
            path: str | None = None,
            *,
            width: int = 1280,
            height: int = 900,
            base: str = app_url,
            options: Mapping[str, Any] | None = None,
            script: str = "",
        ) -> Tab:
            size: Any = {"width": width, "height": height}
            if tabs or base != home.url or not MEDIA.issuperset(options or ()):
                browser = request.getfixturevalue("browser")
                context = browser.new_context(viewport=size, base_url=base, **(options or {}))
                opened.callback(context.close)
                tab = Tab(context.new_page())
            else:
                tab = Tab(home.context.new_page())
                opened.callback(tab.page.close)
                tab.page.set_viewport_size(size)
                if options:
                    tab.page.emulate_media(**options)
            if script:
                tab.page.add_init_script(script)
            tabs.append(tab)
            watch(tab, base)
            if path is not None:
                tab.page.goto(path)
                wait_for_the_board(tab.page)
            return tab

        yield open_tab
    for tab in tabs:
        assert tab.errors == [], "the page must have no errors"
        assert tab.foreign == [], "the page must ask no foreign host for anything"


def wait_for_the_board(page: Any) -> None:
    """Wait until a lesson's page has taken the board that showed its first picture: nothing can be pressed before."""
    if page.locator("link[data-first]").count():
        page.locator("[data-testid=stMain] [data-board]").first.wait_for(state="attached")


def watch(tab: Tab, base: str) -> None:
    """Note the tab's errors and foreign requests, from now on."""
    host = re.escape(base.partition("://")[2])
    own = re.compile(rf"(http|ws)://{host}(/|$)|(data|blob|about|chrome-extension):")

    def note_message(message: Any) -> None:
        if message.type == "error":
            tab.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def note_address(address: str) -> None:
        if not own.match(address):
            tab.foreign.append(address)

    tab.page.on("console", note_message)
    tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.page.on("request", lambda request: note_address(request.url))
    tab.page.on("websocket", lambda websocket: note_address(websocket.url))
