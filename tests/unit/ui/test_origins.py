"""Who may open a websocket, and that the server never asks the internet for its own address to find out."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import subprocess
import sys
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from streamlit import net_util
from streamlit.web.server.starlette import starlette_websocket

from pages.ui.routes.origins import (
    FOREIGN,
    MAX_LOGGED_ORIGINS,
    MAX_REASON_BYTES,
    NO_ORIGIN,
    OwnOrigins,
    trusted_proxies,
)
from playground.settings import Settings
from tests.conftest import ROOT
from tests.unit.ui import asked_from_elsewhere

ALLOWED = Settings(
    origins="https://school.example/, HTTP://Other.example:80, https://schüle.example, https://*.uni.example, https://*.lab.example:8443"
).allowed_origins
ALONE = ["unshare", "--map-root-user", "--net"]


def scope_of(path: str, *headers: tuple[str, str], kind: str = "websocket", client: str = "203.0.113.9") -> Scope:
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {
        "type": kind, "path": path, "headers": pairs, "extensions": {"websocket.http.response": {}},
        "client": (client, 5000),
    }  # fmt: skip


def passed_on(scope: Scope, proxies: str = "") -> tuple[Scope | None, list[Message]]:
    """The scope that reaches the app, None for a refused one; and what was sent to the browser."""
    reached: list[Scope] = []
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(OwnOrigins(app, ALLOWED, Settings(proxies=proxies).trusted_proxies)(scope, receive, send))
    return (reached[0] if reached else None), sent


@pytest.fixture(autouse=True)
def no_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test where Streamlit looks up the server's own address."""
    for name in ("get_external_ip", "get_internal_ip"):
        monkeypatch.setattr(net_util, name, lambda: pytest.fail("The server looked up its own address."))


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8501", "http://127.0.0.1:8501"),
        ("school.example", "https://school.example"),
        ("class.example:443", "https://class.example"),
        ("class.example", "http://class.example:80"),
        ("CLASS.example", "http://class.EXAMPLE"),
        ("[::1]:8501", "http://[::1]:8501"),
        ("my_host:8501", "http://my_host:8501"),
        ("inside.example:8501", "https://school.example"),
        ("inside.example:8501", "http://other.example"),
        ("inside.example:8501", "https://xn--schle-mva.example"),
        ("not a host/..", "https://school.example"),
        ("user@school.example", "https://school.example"),
        ("", "https://school.example"),
        ("inside.example:8501", "https://physics.uni.example"),
        ("inside.example:8501", "https://a.b.uni.example"),
        ("inside.example:8501", "https://a.lab.example:8443"),
    ],
)
def test_own_and_allowed_origins_pass_and_streamlit_needs_no_lookup(host: str, origin: str) -> None:
    reached, sent = passed_on(scope_of("/_stcore/stream", ("host", host), ("origin", origin)))
    assert reached is not None and sent == []
    headers = Headers(scope=reached)
    assert headers.get("host") == host
    assert starlette_websocket._is_origin_allowed(headers.get("origin"), headers.get("host"))


@pytest.mark.parametrize("path", ["/_stcore/stream", "/live/x", "/still/x", "/", "/no/such/page"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://evil.example#host.example",
        "http://host.example:8501",
        "http://host.example.",
        "http://user@host.example",
        "http://host.example/",
        "https://school.example.evil.example",
        "http://school.example",
        "http://localhost",
        "http://127.0.0.1",
        "https://uni.example",
        "https://evil-uni.example",
        "http://physics.uni.example",
        "https://a.lab.example",
        "https://*.uni.example",
        "null",
        "file://",
        "http://[",
        "http://",
        "",
        "x" * 10_000,
    ],
)
def test_foreign_origins_are_refused_with_a_sentence(path: str, origin: str) -> None:
    reached, sent = passed_on(scope_of(path, ("host", "host.example"), ("origin", origin)))
    assert reached is None
    reason = sent[1].get("reason") or sent[1]["body"].decode()
    assert reason in (FOREIGN.format(origin=origin.lower()), NO_ORIGIN)
    if path.startswith(("/live/", "/still/")):  # a browser shows no reason for a socket that never opened
        assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
        assert (sent[1]["code"], sent[1]["reason"]) == (4403, reason)
    else:
        assert sent[0]["status"] == 403


def test_a_refusal_names_what_to_set_where_it_fits() -> None:
    def reason(origin: str) -> str:
        return str(passed_on(scope_of("/live/x", ("host", "host.example"), ("origin", origin)))[1][1]["reason"])

    assert reason("https://class.example:8443") == FOREIGN.format(origin="https://class.example:8443")
    assert reason(f"https://{'e' * 60}.example") == NO_ORIGIN
    assert len(NO_ORIGIN.encode()) <= MAX_REASON_BYTES, "longer reasons close no socket"


FORWARDED = [
    ({"host": "class.example"}, "https://class.example"),
    ({"host": "class.example", "proto": "https"}, "https://class.example"),
    ({"host": "class.example:8443", "proto": "https"}, "https://class.example:8443"),
    ({"host": "class.example", "port": "8080"}, "http://class.example:8080"),
    ({"host": "class.example, inner.example", "proto": "https, http"}, "https://class.example"),
]


@pytest.mark.parametrize(("forwarded", "origin"), FORWARDED)
@pytest.mark.parametrize(
    ("client", "proxies", "seen_for"),
    [
        ("127.0.0.1", "", ""),
        ("10.4.0.7", "", ""),
        ("::ffff:172.17.0.1", "", ""),
        ("198.51.100.7", "198.51.100.0/24", ""),
        ("198.51.100.7", "*", ""),
        ("198.51.100.99", "", "198.51.100.99"),  # uvicorn has put the visitor's address in the place of its proxy's
        ("", "", ""),  # a Unix socket
    ],
)
def test_a_proxy_that_is_believed_names_the_host(
    forwarded: dict[str, str], origin: str, client: str, proxies: str, seen_for: str
) -> None:
    headers = [(f"x-forwarded-{name}", text) for name, text in (forwarded | {"for": seen_for}).items()]
    scope = scope_of("/live/x", ("host", "inner:8501"), ("origin", origin), *headers, client=client)
    reached, _ = passed_on(scope, proxies)
    assert reached is not None
    assert Headers(scope=reached)["origin"].endswith("://inner:8501"), "Streamlit sees its own page"


@pytest.mark.parametrize(
    ("client", "proxies", "forwarded", "origin"),
    [
        ("198.51.100.7", "", {"host": "class.example"}, "https://class.example"),
        ("10.4.0.7", "192.0.2.1", {"host": "class.example"}, "https://class.example"),
        ("10.4.0.7", "", {"host": "class.example"}, "https://evil.example"),
        ("10.4.0.7", "", {"host": "class.example", "proto": "https"}, "http://class.example"),
        ("10.4.0.7", "", {"host": "other.example, class.example"}, "https://class.example"),
        ("10.4.0.7", "", {"host": "http://class.example"}, "https://class.example"),
        ("no address", "", {"host": "class.example"}, "https://class.example"),
    ],
)
def test_others_are_not_believed_and_a_proxy_only_for_what_it_says(
    client: str, proxies: str, forwarded: dict[str, str], origin: str
) -> None:
    headers = [(f"x-forwarded-{name}", text) for name, text in forwarded.items()]
    scope = scope_of("/live/x", ("host", "inner:8501"), ("origin", origin), *headers, client=client)
    assert passed_on(scope, proxies)[0] is None


def test_uvicorns_own_setting_names_proxies_where_ours_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "198.51.100.7")
    assert [str(each) for each in trusted_proxies(Settings())] == ["198.51.100.7/32"]
    assert [str(each) for each in trusted_proxies(Settings(proxies="192.0.2.0/24"))] == ["192.0.2.0/24"]


def test_two_origins_are_refused() -> None:
    own = ("origin", "http://host.example")
    assert passed_on(scope_of("/live/x", ("host", "host.example"), own, own))[0] is None


def test_a_socket_without_an_origin_is_no_browsers_and_passes() -> None:
    scope = scope_of("/_stcore/stream", ("host", "host.example"))
    assert passed_on(scope) == (scope, [])


def test_requests_that_are_no_websockets_pass_unchanged() -> None:
    scope = scope_of("/", ("host", "host.example"), ("origin", "https://evil.example"), kind="http")
    assert passed_on(scope) == (scope, [])


def test_a_server_without_denial_responses_closes_the_socket() -> None:
    scope = scope_of("/_stcore/stream", ("origin", "https://evil.example")) | {"extensions": {}}
    assert passed_on(scope) == (
        None,
        [{"type": "websocket.close", "code": 4403, "reason": FOREIGN.format(origin="https://evil.example")}],
    )


def test_the_log_names_each_refused_origin_once_and_only_so_many(caplog: pytest.LogCaptureFixture) -> None:
    async def never(*_: object) -> Any:
        return None

    judge = OwnOrigins(never)
    with caplog.at_level(logging.WARNING):
        for number in (0, 0, *range(3 * MAX_LOGGED_ORIGINS)):
            asyncio.run(judge(scope_of("/", ("origin", f"https://{number}{'e' * 999}.example")), never, never))
    assert len(caplog.records) == MAX_LOGGED_ORIGINS
    assert max(len(record.getMessage()) for record in caplog.records) < 600
    assert "PLAYGROUND_ORIGINS=https://0e" in caplog.messages[0]


def can_be_alone() -> bool:
    """Whether a process may have a network of its own here."""
    trial = [*ALONE, *["ip", "link", "add", "hole", "type", "veth", "peer", "name", "nowhere"]]
    return (
        shutil.which("unshare") is not None and subprocess.run(trial, check=False, capture_output=True).returncode == 0
    )


@pytest.fixture(scope="module", params=["streamlit", "uvicorn"])
def answers(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a whole server did with Origins of all kinds, where possible on a machine whose packets vanish."""
    command = [sys.executable, "-m", "tests.unit.ui.asked_from_elsewhere", request.param]
    command = [*ALONE, *command, "alone"] if can_be_alone() else command
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_whole_server_opens_its_own_sockets_and_no_others(answers: dict[str, Any]) -> None:
    for path, found in ((path, found) for path, found in answers.items() if path.startswith("/")):
        opened = [4404, found["none"][1]] if path.startswith("/live/") else "open"  # there is no such run
        assert [found[who] for who in ("own", "none", asked_from_elsewhere.ALLOWED)] == [opened] * 3, path
        code = 403 if path == "/_stcore/stream" else 4403
        assert [found[origin][0] for origin in asked_from_elsewhere.FOREIGN] == [code] * 5, path
        assert all("PLAYGROUND_ORIGINS" in found[origin][1] for origin in asked_from_elsewhere.FOREIGN), path
    assert answers["healthy"]


def test_no_packet_leaves_the_machine_from_the_start_to_the_last_socket(answers: dict[str, Any]) -> None:
    if answers["packets"] is None:
        pytest.skip("A network namespace needs Linux, unshare and ip. A lookup would have ended the server, though.")
    assert answers["packets"] == 0
