"""The headers on every answer, and the files of our own that browsers load: nothing foreign, nothing beside them."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import http.client
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from pages.ui.routes import live as stream
from pages.ui.routes.files import assets
from pages.ui.routes.headers import SecurityHeaders, policy

KEYWORDS = {"'self'", "'none'"}
# What Streamlit's front end needs in addition to its own files. Scripts: components.v2 imports its modules from blob:
# addresses, and packages such as its code highlighter may compile WebAssembly; index.html has one inline script, known
# by its hash. Styles: Emotion writes <style> elements as it goes. Pictures, fonts: data: in style sheets, and Plotly's
# PNG export. Connections: fetch of data: and blob: addresses. Workers: blob:.
NEEDED = {
    "default-src": set(),
    "script-src": {"'wasm-unsafe-eval'", "blob:"},
    "style-src": {"'unsafe-inline'"},
    "img-src": {"data:", "blob:"},
    "font-src": {"data:"},
    "connect-src": {"data:", "blob:"},
    "worker-src": {"blob:"},
    "frame-src": set(),
    "object-src": set(),
    "base-uri": set(),
    "form-action": set(),
    "frame-ancestors": set(),
}
OUR_FILES = [path.relative_to(assets.STATIC) for path in assets.STATIC.rglob("*") if path.suffix in (".js", ".css")]


@dataclass(frozen=True)
class Answer:
    """What came over the wire."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def policy(self) -> dict[str, set[str]]:
        """The Content-Security-Policy: directive -> sources."""
        (policy,) = self.headers.get_all("Content-Security-Policy", [])
        words = [part.split() for part in policy.split(";") if part.strip()]
        assert len({name for name, *_ in words}) == len(words), "only the first of two equal directives counts"
        return {name: set(sources) for name, *sources in words}


def get(app_url: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """One answer, asked for with the path exactly as written."""
    connection = http.client.HTTPConnection(app_url.removeprefix("http://"), timeout=20)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


class Scripts(HTMLParser):
    """The inline scripts of a page, and every address it loads something from."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self._within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert not any(name.startswith("on") for name in values), "an inline event handler"
        if tag in ("script", "link", "img"):
            self.addresses += [value for name in ("src", "href") if (value := values.get(name))]
        self._within = tag == "script" and "src" not in values

    def handle_endtag(self, tag: str) -> None:
        self._within = False

    def handle_data(self, data: str) -> None:
        if self._within:
            self.inline.append(data)


@pytest.fixture(scope="module", params=["/", "/regression", "/no-such-page", "/_stcore/health", "board.js", "404"])
def answer(request: pytest.FixtureRequest, app_url: str) -> Answer:
    """An answer of each kind: pages, Streamlit's own routes, our files, and what is not there."""
    paths = {"board.js": assets.url(assets.MODULES)[1:], "404": "/assets/x/no-such-file.js"}
    return get(app_url, paths.get(request.param, request.param))


# Headers.


def test_every_answer_says_how_little_a_browser_may_do_with_it(answer: Answer) -> None:
    assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert answer.headers.get_all("Referrer-Policy") == ["no-referrer"]
    assert answer.headers.get_all("Cross-Origin-Opener-Policy") == ["same-origin"]
    assert "camera=()" in answer.headers["Permissions-Policy"]


def test_policy_names_no_foreign_host_and_no_wildcard(answer: Answer) -> None:
    local = re.compile(r"'(self|none|unsafe-inline|wasm-unsafe-eval|sha256-[\w+/=]+)'|data:|blob:")
    foreign = {source for sources in answer.policy.values() for source in sources if not local.fullmatch(source)}
    assert foreign == set()


def test_policy_is_no_wider_than_streamlit_needs(answer: Answer) -> None:
    policy = answer.policy
    assert set(policy) == set(NEEDED)
    wider = {
        name: extra
        for name, sources in policy.items()
        if (extra := {source for source in sources if "sha256" not in source} - KEYWORDS - NEEDED[name])
    }
    assert wider == {}
    assert policy["object-src"] == {"'none'"}
    assert policy["base-uri"] <= KEYWORDS
    assert policy["frame-ancestors"] <= KEYWORDS


def test_inline_scripts_run_only_if_streamlit_wrote_them(app_url: str) -> None:
    page = get(app_url, "/")
    inline = Scripts(page.body.decode()).inline
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in inline}
    allowed = page.policy["script-src"]
    assert {source for source in allowed if "sha256" in source} == hashes
    assert not {"'unsafe-inline'", "'unsafe-eval'", "data:", "*"} & allowed


def test_page_loads_everything_from_its_own_address(app_url: str) -> None:
    page = get(app_url, "/regression")
    addresses = Scripts(page.body.decode()).addresses
    links = re.findall(r"<([^>]*)>", ", ".join(page.headers.get_all("Link", [])))
    assert addresses
    assert [address for address in addresses + links if urlsplit(address).netloc] == []


# Websockets pass.


def test_the_live_stream_passes_the_middleware(app_url: str) -> None:
    address = f"{app_url.replace('http', 'ws')}/live/no-such-run"
    with connect(address, proxy=None, origin=app_url) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(10)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4404, stream.LOST)


def test_streamlits_own_socket_passes_the_middleware(app_url: str) -> None:
    address = f"{app_url.replace('http', 'ws')}/_stcore/stream"
    with connect(address, proxy=None, origin=app_url, subprotocols=["streamlit"]) as socket:
        assert socket.protocol.state.name == "OPEN"


# Our files.


@pytest.mark.parametrize("name", assets.NAMES)
def test_file_is_sent_small_to_who_can_unpack_it_and_plain_to_who_cannot(app_url: str, name: str) -> None:
    packed = get(app_url, assets.url(name)[1:], {"Accept-Encoding": "gzip, deflate, br"})
    plain = get(app_url, assets.url(name)[1:], {"Accept-Encoding": "identity"})
    assert (packed.status, plain.status) == (200, 200)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert plain.headers["Content-Encoding"] is None
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert packed.headers["Content-Type"].startswith("text/css" if name.endswith(".css") else "text/javascript")
    assert len(packed.body) < len(plain.body) / 2
    assert gzip.decompress(packed.body) == plain.body == assets._content(name)


def test_file_is_kept_for_a_year(app_url: str) -> None:
    answer = get(app_url, assets.url(assets.MODULES)[1:])
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_file_under_another_versions_address_is_not_kept(app_url: str) -> None:
    answer = get(app_url, f"/assets/0123456789ab/{assets.MODULES}")
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_what_is_not_there_is_not_kept(app_url: str) -> None:
    answer = get(app_url, assets.url("no-such-file.js")[1:])
    assert answer.status == 404
    assert "max-age" not in answer.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "name",
    [
        "../board.py",
        "board.js",
        "../static/board.js",
        "%2e%2e%2fboard.py",
        "%2e%2e%2fstatic%2fboard.js",
        "..%2f..%2f..%2fapp.py",
        "..%5cboard.js",
        "%252e%252e%252fboard.js",
        "board.css",
        "icon.png",
        "board.js%00.css",
        "./board.js%2f",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "//etc/passwd",
        "%2e",
        "%2e%2e",
        "",
        ".js",
        "plotly.min.js.map",
        "package_data%2fplotly.min.js",
        "x" * 300 + ".js",
    ],
)
def test_name_that_is_no_file_of_ours_opens_nothing(app_url: str, name: str) -> None:
    answer = get(app_url, f"/assets/{assets.version()}/{name}")
    while answer.status == 301:  # Streamlit drops the slash at an address's end
        target = urlsplit(answer.headers["Location"])
        assert target.netloc in ("", urlsplit(app_url).netloc), "a link to our address leads somewhere else"
        answer = get(app_url, target.path)
    assert answer.status in (400, 404) or is_streamlits_page(answer)
    assert b"import streamlit" not in answer.body
    assert b"root:" not in answer.body


def is_streamlits_page(answer: Answer) -> bool:
    """Streamlit answers an address it does not know with its empty page, which then says that there is no such page."""
    return (answer.headers["Content-Type"] or "").startswith("text/html") and b'<div id="root">' in answer.body


def test_absolute_path_to_a_real_script_is_not_served(app_url: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside.js"
    outside.write_text("secret = 1")
    answer = get(app_url, f"/assets/{assets.version()}/{str(outside).replace('/', '%2f')}")
    assert answer.status in (400, 404) or is_streamlits_page(answer)
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "name", ["../assets.py", "board.css", "icon.png", "/etc/passwd", "", ".", "..", "a\0.js", "x" * 300]
)
def test_serving_refuses_a_name_even_when_no_router_has_looked_at_it(name: str) -> None:
    request = Request({"type": "http", "headers": [], "path_params": {"version": assets.version(), "name": name}})
    assert asyncio.run(assets.serve(request)).status_code == 404


def test_names_that_do_not_exist_leave_nothing_in_memory() -> None:
    before = assets._content.cache_info().currsize
    for number in range(50):
        request = Request({"type": "http", "headers": [], "path_params": {"version": "v", "name": f"{number}.js"}})
        asyncio.run(assets.serve(request))
    assert assets._content.cache_info().currsize == before


def test_link_out_of_the_folder_is_the_only_way_out_and_there_is_none() -> None:
    assert [path.name for path in assets.STATIC.rglob("*") if path.is_symlink()] == []


# Versions.


def test_version_changes_with_the_content_of_each_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "static"
    shutil.copytree(assets.STATIC, copy)
    monkeypatch.setattr(assets, "STATIC", copy)
    version_now = assets.version.__wrapped__
    assert version_now() == assets.version(), "the same content has the same version"
    versions = {assets.version()}
    for name in OUR_FILES:
        with (copy / name).open("a") as file:
            file.write(" ")
        versions.add(version_now())
    assert len(versions) == 1 + len(OUR_FILES)


def test_version_changes_with_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    before = assets.version()
    plotly = assets._plotly()
    newer = re.sub(r"plotly\.js v[\d.]+", "plotly.js v99.0.0", plotly, count=1)
    assert newer != plotly
    monkeypatch.setattr(assets, "_plotly", lambda: newer)
    assert assets.version.__wrapped__() != before


def with_headers(answer: list[tuple[bytes, bytes]], **scope: Any) -> MutableHeaders:
    """What SecurityHeaders makes of an answer's headers where a site may frame the app."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": answer})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    site = SecurityHeaders(app, embed=["https://moodle.example"])
    asyncio.run(site({"type": "http", "scheme": "http", "headers": [], **scope}, receive, send))
    return MutableHeaders(raw=sent[0]["headers"])


def test_named_sites_may_frame_the_pages_and_nobody_else() -> None:
    ancestors = [part for part in with_headers([])["content-security-policy"].split("; ") if "ancestors" in part]
    assert ancestors == ["frame-ancestors 'self' https://moodle.example"]
    assert "{sites}" not in policy() and policy().endswith("frame-ancestors 'self'")


@pytest.mark.parametrize("scope", [{"scheme": "https"}, {"headers": [(b"x-forwarded-proto", b"https, http")]}])
def test_a_framed_page_keeps_its_cookies_over_https(scope: dict[str, Any]) -> None:
    cookies = [b"_streamlit_xsrf=2|a; Path=/; SameSite=lax", b"other=1; Path=/; Secure"]
    found = with_headers([(b"set-cookie", each) for each in cookies], **scope).getlist("set-cookie")
    assert found == [
        "_streamlit_xsrf=2|a; Path=/; SameSite=None; Secure; Partitioned",
        "other=1; Path=/; SameSite=None; Secure; Partitioned",
    ]


def test_over_http_a_cookie_stays_as_it_is() -> None:
    found = with_headers([(b"set-cookie", b"_streamlit_xsrf=2|a; Path=/; SameSite=lax")]).getlist("set-cookie")
    assert found == ["_streamlit_xsrf=2|a; Path=/; SameSite=lax"], "Secure would have the browser drop it"
