"""The image, really built and run as compose.yaml says: read-only, without rights, with little shared memory.

    pytest -s tests/image                       # with podman or docker; the first build takes minutes
    BASE=debootstrap pytest -s tests/image      # on a base made of Debian's packages, where none can be pulled

TORCH_BACKEND chooses torch's build as for compose.yaml, BUILD_OPTIONS are more words for `build`, such as those that a
mirror of packages needs. The tests are in order: those with a browser come last, and the last one stops the container.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.student import Board
from tests.browser.test_draw import LINK, STROKE, Pad
from tests.image.engine import Container, Engine, find_engine, service
from tests.load.machine import Table
from tests.unit.test_deploy import final_stage, said

MAX_STOP_SECONDS = 3.0
ROWS = "x,y\n" + "".join(f"{at},{at * at}\n" for at in range(7))
WRITTEN = "find / -xdev -user 10001 -not -path '/proc/*' -not -path /mnist 2>&-; true"  # /tmp is another file system
COMPILED = """
import importlib.util, pathlib, streamlit, torch
for file in (torch.__file__, streamlit.__file__, "/app/playground/workers/worker.py"):
    header = pathlib.Path(importlib.util.cache_from_source(file)).read_bytes()[:16]
    print(int.from_bytes(header[8:12], "little") == int(pathlib.Path(file).stat().st_mtime))
"""
BALANCER = """
import socket
line = socket.create_connection(("127.0.0.1", 8501))
line.sendall(b"GET /ready HTTP/1.0\\r\\n\\r\\n")
print(line.recv(100).split()[1].decode())
"""

pytestmark = pytest.mark.timeout(3_600)  # a build on a slow line


@pytest.fixture(scope="session")
def engine() -> Engine:
    found = find_engine()
    seconds = found.build()
    table = Table(f"The image, built by {found.program} in {seconds:.0f} s")
    table.add("size, MB", f"{found.megabytes():,.0f}")
    for size, made in found.layers():
        table.add(made, size)
    table.show()
    return found


@pytest.fixture(scope="session")
def container(engine: Engine) -> Iterator[Container]:
    with engine.started() as started:
        seconds = started.processor_seconds()
        print(
            f"\nIt answers {started.start_seconds:.1f} s after its start, for which it used {seconds:.1f} s of a core."
        )
        yield started


@pytest.fixture(scope="session")
def app_url(container: Container) -> str:
    """The address at which tests/conftest.py opens pages: the container's, here."""
    return container.url


def test_its_health_check_passes(container: Container) -> None:
    check = said(final_stage(), "HEALTHCHECK")[0]
    container.run(*json.loads(check.partition("CMD")[2]))


def test_it_answers_the_check_of_a_balancer(container: Container) -> None:
    """HAProxy's plain one, which names no host."""
    assert container.run("python", "-c", BALANCER).strip() == "200"


def test_its_files_are_read_only_for_an_ordinary_user(container: Container) -> None:
    assert container.run("id", "--user").strip() == "10001"
    for place in ("/app", "/venv", "/etc"):
        with pytest.raises(AssertionError, match=r"Read-only|Permission denied"):
            container.run("touch", f"{place}/file")
    assert "CapEff:\t0000000000000000" in container.run("cat", "/proc/self/status")


def test_what_it_imports_is_compiled(container: Container) -> None:
    """A file's bytecode is taken only where it has the file's time, which both copies must have kept."""
    assert container.run("python", "-c", COMPILED).split() == ["True"] * 3


def test_the_server_counts_the_container_s_cores(engine: Engine) -> None:
    code = "from playground.settings import Settings; print(Settings().cores)"
    assert engine.ask("run", "--rm", "--cpus", "1", "pytorch-playground-test", "python", "-c", code).strip() == "1"


def test_a_lesson_trains(page: Callable[..., Any]) -> None:
    board = Board(page("/regression?regression_max_steps=0").page).ready()
    board.play()
    board.wait_frames(30)
    board.pause()


def test_a_file_is_uploaded(page: Callable[..., Any]) -> None:
    board = Board(page("/regression?regression_max_steps=0").page).ready()
    board.own_points()
    field = board.page.locator('input[type="file"]').first
    field.wait_for(state="attached")
    field.set_input_files({"name": "rows.csv", "mimeType": "text/csv", "buffer": ROWS.encode()})
    board.page.get_by_role("button", name="Use these points").click()
    board.until(lambda: len(board.trace("fit", "Train")["x"]) in (5, 6, 7), "the file's points")


def test_workers_of_a_data_loader_read(page: Callable[..., Any]) -> None:
    """Their batches go through shared memory, of which a container has 64 MB."""
    board = Board(page("/data_loader?data_loader_lab=timeline").page).ready()
    board.play()
    board.until(lambda: board.state == "done", "all three readings", 60)
    assert board.number("seconds_2") > 0, "there is no number where the main process had to read"


def test_a_drawn_digit_is_predicted(page: Callable[..., Any]) -> None:
    pad = Pad(page(LINK))
    before = pad.softmax()
    pad.draw(STROKE)
    pad.wait(lambda: pad.softmax() != before, "another prediction")


def test_a_download_of_mnist_survives_a_restart(container: Container) -> None:
    folder = service()["environment"]["PLAYGROUND_DATA"]
    container.run("touch", f"{folder}/kept")
    container.restart()
    assert container.run("ls", folder).split() == ["kept"]


def test_it_has_written_to_tmp_alone_and_stops_in_time(container: Container, page: Callable[..., Any]) -> None:
    assert container.run("sh", "-c", WRITTEN).split() == []
    tab = page("/regression?regression_max_steps=0")
    Board(tab.page).ready().play()
    seconds = container.stop()
    tab.page.close()
    tab.errors.clear()  # what a browser says of a server that is gone
    print(f"\nStopped in {seconds:.1f} s, with a student who trains.")
    assert seconds <= MAX_STOP_SECONDS
    assert container.state()["ExitCode"] != 137, "it was killed"
