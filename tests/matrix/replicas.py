"""Replicas of the app behind the real HAProxy, from docs/deploy/haproxy.scale.cfg: only its addresses differ."""

from __future__ import annotations

import http.client
import os
import re
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from tests.conftest import ROOT, START_SECONDS, STREAMLIT, end_group, free_port, output
from tests.matrix.proxies import CERTIFICATES, FILES, PROXIES, certificate

ADDRESSES = ("127.0.1.1", "127.0.1.2")
NAME = "playground"  # of all replicas, in Docker's network
NAMESERVER, APP = "127.0.0.11:53", f"{NAME}:8501"
TLS = "# bind :443 ssl"
IN_PLACE_SECONDS = 30.0
SITE = "https://replica-{number}.example"  # by which a response says whose it is, in its policy
ALL_SETTINGS = {
    "PLAYGROUND_WORKERS": "1",
    "PLAYGROUND_DRAIN_SECONDS": "4",  # as in compose.scale.yaml
    "PLAYGROUND_SECRET": "the same in all replicas",
    "STREAMLIT_SERVER_COOKIE_SECRET": "the same in all replicas",
}


@contextmanager
def names(addresses: tuple[str, ...]) -> Iterator[int]:
    """A name server that knows one name, and that it has these addresses; yields its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        threading.Thread(target=_answer_all, args=(listening, addresses), daemon=True).start()
        yield listening.getsockname()[1]


def _answer_all(listening: socket.socket, addresses: tuple[str, ...]) -> None:
    with suppress(OSError):  # it was closed
        while True:
            asked, sender = listening.recvfrom(4096)
            end = asked.index(b"\0", 12) + 5
            question, kind = asked[12:end], struct.unpack("!H", asked[end - 4 : end - 2])[0]
            found = addresses if kind == 1 else ()  # IPv4
            head = asked[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0)
            answers = (b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(each) for each in found)
            listening.sendto(head + question + b"".join(answers), sender)


@dataclass(frozen=True)
class Answer:
    """An answer, and the number of the replica that gave it; -1 where it was the balancer itself."""

    status: int
    replica: int
    cookies: dict[str, str]
    body: str


@dataclass
class Replica:
    """One server of the app."""

    number: int
    address: str
    port: int
    settings: Mapping[str, str]
    log: IO[bytes]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; `wait` waits until it answers."""
        command = [word.replace("{port}", str(self.port)).replace("127.0.0.1", self.address) for word in STREAMLIT]
        own = {"PLAYGROUND_EMBED": SITE.format(number=self.number)}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **ALL_SETTINGS, **own, **self.settings},
            stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def wait(self) -> None:
        """Wait until it answers."""
        end = time.monotonic() + 2 * START_SECONDS  # two start at once
        while self.word() == "":
            assert self.process is not None and self.process.poll() is None, output(self.log)
            assert time.monotonic() < end, f"A replica does not answer: {output(self.log)}"
            time.sleep(0.1)

    def word(self) -> str:
        """What it says to a balancer; "" where it does not answer."""
        with suppress(OSError, http.client.HTTPException):
            return get(self.port, "/ready", address=self.address).body
        return ""

    def kill(self) -> None:
        """End its web process in an instant; its workers end themselves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end, as Docker does."""
        assert self.process is not None
        self.process.terminate()

    def ended(self) -> None:
        """Wait until it has ended, within the time that Docker gives it."""
        assert self.process is not None
        self.process.wait(10)

    def end(self) -> None:
        """End it and what it started."""
        if self.process is not None:
            end_group(self.process)


@dataclass
class Room:
    """Replicas, and the balancer before them."""

    replicas: list[Replica]
    port: int
    https: int
    _cookies: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, cookies: Mapping[str, str] | None = None) -> Answer:
        """What the balancer answers to a visitor with these cookies."""
        return get(self.port, path, cookies)

    def until(self, holds: Callable[[], Any], what: str) -> None:
        """Wait until something holds; fail saying what."""
        until(holds, what)

    def settled(self) -> None:
        """Wait until the balancer knows every replica that is there."""
        there = {each.number for each in self.replicas if each.word() == "ready"}
        self.until(lambda: self._known() == there, f"it knows {there}")

    def mend(self) -> None:
        """Start every replica that is not there."""
        gone = [each for each in self.replicas if not each.word()]
        for replica in gone:
            replica.start()
        for replica in gone:
            replica.wait()
        self.settled()

    def _known(self) -> set[int]:
        try:
            return {self.get("/session/none").replica for _ in range(8)}
        except OSError:  # it is not there yet
            return set()


def until(holds: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + IN_PLACE_SECONDS
    while not holds():
        assert time.monotonic() < end, f"not within {IN_PLACE_SECONDS:g} s: {what}"
        time.sleep(0.1)


def written(cookies: Mapping[str, str]) -> str:
    """Cookies as a browser sends them."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def get(port: int, path: str, cookies: Mapping[str, str] | None = None, *, address: str = "127.0.0.1") -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("GET", path, headers={"Cookie": written(cookies)} if cookies else {})
        answer = connection.getresponse()
        set_by = (text.partition(";")[0].partition("=") for text in answer.headers.get_all("Set-Cookie", []))
        found = re.search(r"https://replica-(\d+)\.example", answer.headers.get("Content-Security-Policy", ""))
        body = answer.read().decode(errors="replace")
        return Answer(answer.status, int(found[1]) if found else -1, {name: value for name, _, value in set_by}, body)
    finally:
        connection.close()


def configured(text: str, http_port: int, https_port: int, names_port: int, app_port: int, folder: Path) -> str:
    """The file for the balancer with the addresses of this test."""
    for found in ("bind :80\n", TLS, NAMESERVER, APP, CERTIFICATES):
        assert found in text, f"{found} is not in the file"
    text = text.replace("bind :80\n", f"bind 127.0.0.1:{http_port}\n").replace(CERTIFICATES, str(folder))
    text = text.replace(TLS, f"bind 127.0.0.1:{https_port} ssl")
    return text.replace(NAMESERVER, f"127.0.0.1:{names_port}").replace(APP, f"{NAME}:{app_port}")


@contextmanager
def room(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Room]:
    """Two replicas behind HAProxy, which knows both when this yields."""
    port, http_port, https_port = free_port(), free_port(), free_port()
    certificate(folder)
    with ExitStack() as stack:
        replicas = []
        for number, address in enumerate(ADDRESSES):
            log = stack.enter_context(TemporaryFile())
            replicas.append(Replica(number, address, port, settings or {}, log))
            stack.callback(replicas[-1].end)
            replicas[-1].start()
        names_port = stack.enter_context(names(ADDRESSES))
        text = configured((FILES / "haproxy.scale.cfg").read_text(), http_port, https_port, names_port, port, folder)
        (folder / "conf").write_text(text)
        for replica in replicas:
            replica.wait()
        said = stack.enter_context((folder / "log").open("w"))
        process = subprocess.Popen(
            [PROXIES["haproxy"].path, "-db", "-f", str(folder / "conf")],
            stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        stack.callback(end_group, process)
        found = Room(replicas, http_port, https_port)
        found.settled()
        assert process.poll() is None, (folder / "log").read_text()[-2_000:]
        yield found
