"""Streamlit's own files: small to browsers that can unpack them, made once, and otherwise as Streamlit sends them."""

from __future__ import annotations

import asyncio
import gzip
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_handler

from pages.ui.routes.files import streamlit_files
from pages.ui.routes.files.streamlit_files import FOLDER, StreamlitFiles, accepts_gzip, adapted, entry_files, modules

ENTRY = next(name for name in entry_files() if "/index." in name and name.endswith(".js"))
GZIP = {"accept-encoding": "gzip, deflate, br, zstd"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes

    @property
    def plain(self) -> bytes:
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body


async def asked(app: Any, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
    """What an app answers."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    raw = [(name.encode(), text.encode()) for name, text in (headers or {}).items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "root_path": "", "query_string": b""}
    await app(scope, receive, send)
    start, *rest = sent
    return Answer(start["status"], Headers(raw=start["headers"]), b"".join(part.get("body", b"") for part in rest))


def answer(app: Any, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
    return asyncio.run(asked(app, path, headers, method))


@pytest.fixture(scope="module")
def streamlit() -> Any:
    """Streamlit's own handler of its files."""
    return create_streamlit_static_handler(str(FOLDER), None)


@pytest.fixture(scope="module")
def ours(streamlit: Any) -> Any:
    return StreamlitFiles(streamlit)


# Small, and once.


@pytest.mark.parametrize("name", entry_files())
def test_a_file_of_every_page_is_sent_small_with_streamlits_content_and_kept_for_a_year(ours: Any, name: str) -> None:
    found = answer(ours, name, GZIP)
    content = (FOLDER / name[1:]).read_bytes()
    assert found.status == 200
    assert found.headers["content-encoding"] == "gzip"
    assert found.headers["content-length"] == str(len(found.body))
    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert found.headers["vary"] == "Accept-Encoding"
    assert found.plain == content
    assert len(found.body) < len(content) or len(content) < 200


def test_a_page_of_streamlits_files_is_a_third_of_what_lies_on_the_disk(ours: Any) -> None:
    names = (*entry_files(), *modules(streamlit_files.BEFORE_THE_BOARD))
    small = sum(len(answer(ours, name, GZIP).body) for name in names)
    assert small < sum((FOLDER / name[1:]).stat().st_size for name in names) / 3


@pytest.mark.parametrize("name", [ENTRY, next(name for name in entry_files() if name.endswith(".css"))])
def test_the_headers_are_streamlits_own_apart_from_the_compression(ours: Any, streamlit: Any, name: str) -> None:
    found, own = answer(ours, name, GZIP).headers, answer(streamlit, name).headers
    assert found["content-type"] == own["content-type"]
    assert found["last-modified"] == own["last-modified"]
    assert found["etag"] == f"W/{own['etag']}"
    assert set(found["cache-control"].split(", ")) == set(own["cache-control"].split(", "))


@dataclass
class Disk:
    """A folder like Streamlit's, and how often each of its files was compressed."""

    folder: Path
    compressed: list[str] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    def app(self, **options: Any) -> StreamlitFiles:
        return StreamlitFiles(create_streamlit_static_handler(str(self.folder), None), self.folder, **options)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """A page with one script, and a module that comes late, which imports another one."""
    scripts = tmp_path / "static" / "js"
    scripts.mkdir(parents=True)
    (tmp_path / "index.html").write_text('<head><script src="./static/js/index.abcdefgh.js"></script></head>')
    for name in ("index.abcdefgh", "Html.-f9-1zS0", "purify.BcD_fGhI", "Big.12345678", "plain"):
        (scripts / f"{name}.js").write_text(f"// {name}\n" + "let x = 1;\n" * 1000)
    (tmp_path / "manifest.json").write_text(
        '{"lib/Html/Html.tsx": {"file": "static/js/Html.-f9-1zS0.js", "imports": ["_p.js", "index.html"]},'
        '"_p.js": {"file": "static/js/purify.BcD_fGhI.js", "imports": ["lib/Html/Html.tsx"]},'
        '"index.html": {"file": "static/js/index.abcdefgh.js"}}'
    )
    one = Disk(tmp_path)
    one.go_on.set()
    compress = gzip.compress

    def counted(content: bytes, *options: Any, **more: Any) -> bytes:
        assert one.go_on.wait(20)
        one.compressed.append(content.split(b"\n")[0].decode()[3:])
        return compress(content, *options, **more)

    monkeypatch.setattr(streamlit_files.gzip, "compress", counted)
    yield one
    one.go_on.set()


def test_files_of_every_page_are_compressed_before_anybody_asks_and_others_when_asked(disk: Disk) -> None:
    app = disk.app()
    app._compressing.shutdown(wait=True)  # of what was begun at the start
    assert disk.compressed == ["index.abcdefgh", "Html.-f9-1zS0", "purify.BcD_fGhI"]


def test_each_file_is_compressed_once_however_many_ask(disk: Disk) -> None:
    app = disk.app()

    async def all_at_once() -> list[Answer]:
        return await asyncio.gather(*(asked(app, "/static/js/Big.12345678.js", GZIP) for _ in range(20)))

    answers = asyncio.run(all_at_once()) + [answer(app, "/static/js/Big.12345678.js", GZIP) for _ in range(3)]
    assert {len(each.plain) for each in answers} == {(disk.folder / "static/js/Big.12345678.js").stat().st_size}
    assert disk.compressed.count("Big.12345678") == 1


def test_the_event_loop_does_not_wait_while_a_file_is_compressed(disk: Disk) -> None:
    disk.go_on.clear()
    app = disk.app()

    async def ask() -> Answer:
        asking = asyncio.ensure_future(asked(app, "/static/js/Big.12345678.js", GZIP))
        other = await asked(app, "/index.html")  # is answered while the first one waits
        assert other.status == 200
        assert not asking.done()
        disk.go_on.set()
        return await asking

    assert asyncio.run(ask()).headers["content-encoding"] == "gzip"


def test_a_browser_that_goes_away_takes_the_file_from_nobody_else(disk: Disk) -> None:
    disk.go_on.clear()
    app = disk.app()

    async def two() -> Answer:
        first = asyncio.ensure_future(asked(app, "/static/js/Big.12345678.js", GZIP))
        second = asyncio.ensure_future(asked(app, "/static/js/Big.12345678.js", GZIP))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        disk.go_on.set()
        return await second

    assert asyncio.run(two()).headers["content-encoding"] == "gzip"


def test_what_is_kept_has_a_bound_and_files_beyond_it_come_from_the_disk(disk: Disk) -> None:
    app = disk.app(max_kept_bytes=0)
    found = answer(app, "/static/js/Big.12345678.js", GZIP)
    assert found.headers.get("content-encoding") is None
    assert found.body == (disk.folder / "static/js/Big.12345678.js").read_bytes()
    assert all(each.result() is None for each in app._kept.values())


def test_all_of_streamlits_files_have_room(ours: Any) -> None:
    sizes = [len(gzip.compress(path.read_bytes(), 1)) for path in streamlit_files._texts(FOLDER)]
    assert sum(sizes) < streamlit_files.MAX_KEPT_BYTES


def test_a_file_that_has_gone_is_streamlits_business(disk: Disk) -> None:
    app = disk.app()
    (disk.folder / "static/js/Big.12345678.js").unlink()
    assert answer(app, "/static/js/Big.12345678.js", GZIP).body == (disk.folder / "index.html").read_bytes()


# As Streamlit's own.

HOSTILE = [
    "/static/../index.html",
    "/static/js/../../../__init__.py",
    "/static/js/..%2f..%2findex.html",
    "/static/js/%2e%2e/index.html",
    "//static/js/index.js",
    "/static//js/index.js",
    "/static\\js\\index.js",
    "/static/js/no-such-file.12345678.js",
    "/static/js/",
    "/static",
    "/etc/passwd",
    ENTRY + "/",
    ENTRY + "\0",
    ENTRY.upper(),
    ENTRY + ".map",
    "/manifest.json",
    "/index.html",
    "/favicon.png",
    "/",
    "/regression",
    "/regression" + ENTRY,
    "/_stcore/health",
]  # fmt: skip


def outcome(ask: Callable[[], Answer]) -> Any:
    """An answer's status, body and headers, or the error that a handler raises."""
    try:
        found = ask()
    except Exception as error:
        return repr(error)
    headers = {name: text for name, text in found.headers.items() if name != "vary"}
    return found.status, found.body, headers


@pytest.mark.parametrize("headers", [{}, GZIP], ids=["plain", "gzip"])
@pytest.mark.parametrize("path", HOSTILE)
def test_any_other_address_is_answered_by_streamlit(
    ours: Any, streamlit: Any, path: str, headers: dict[str, str]
) -> None:
    assert outcome(lambda: answer(ours, path, headers)) == outcome(lambda: answer(streamlit, path, headers))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_any_other_method_is_answered_by_streamlit(ours: Any, streamlit: Any, method: str) -> None:
    assert outcome(lambda: answer(ours, ENTRY, GZIP, method)) == outcome(lambda: answer(streamlit, ENTRY, GZIP, method))


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"range": "bytes=0-9"}, 206), ({"range": "bytes=99999999-"}, 416), ({"if-none-match": "*"}, 304), ({}, 200)],
)
def test_parts_and_questions_about_a_copy_are_streamlits_business(
    ours: Any, streamlit: Any, headers: dict[str, str], status: int
) -> None:
    found = answer(ours, ENTRY, headers if not headers else GZIP | headers)
    assert found.status == status
    assert found.headers.get("content-encoding") is None
    assert "Accept-Encoding" in found.headers["vary"]
    assert found.body == answer(streamlit, ENTRY, headers).body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_browser_that_asks_whether_its_copy_is_good_learns_that_it_is(ours: Any, method: str) -> None:
    first = answer(ours, ENTRY, GZIP)
    for condition in ("etag", "last-modified"):
        name = "if-none-match" if condition == "etag" else "if-modified-since"
        again = answer(ours, ENTRY, GZIP | {name: first.headers[condition]}, method)
        assert (again.status, again.body) == (304, b"")
    changed = answer(ours, ENTRY, GZIP | {"if-none-match": '"another"'}, method)
    assert changed.status == 200


def test_head_has_the_headers_and_no_body(ours: Any) -> None:
    head, get = answer(ours, ENTRY, GZIP, "HEAD"), answer(ours, ENTRY, GZIP)
    assert (head.status, head.body) == (200, b"")
    assert head.headers == get.headers


def test_headers_that_are_added_to_one_answer_are_not_in_the_next(ours: Any) -> None:
    async def change(message: Any) -> None:
        message.get("headers", []).append((b"x-once", b"1"))

    raw = [(b"accept-encoding", b"gzip")]
    asyncio.run(ours({"type": "http", "method": "GET", "path": ENTRY, "headers": raw}, None, change))
    assert "x-once" not in answer(ours, ENTRY, GZIP).headers


@pytest.mark.parametrize(
    ("accepted", "does"),
    [
        (["gzip"], True), (["deflate, GZip;q=0.5"], True), (["br", "gzip"], True), ([], False), ([""], False),
        (["identity"], False), (["gzip;q=0"], False), (["gzip; q=0.000, br"], False), (["x-gzip"], False),
        (["*"], False),
    ],
)  # fmt: skip
def test_who_can_unpack_gzip(accepted: list[str], does: bool) -> None:
    assert accepts_gzip(accepted) is does


# What is known in advance.


def test_every_kind_of_element_has_its_module_in_streamlits_manifest() -> None:
    for kind in (*streamlit_files.BEFORE_THE_BOARD, *streamlit_files.BESIDE_THE_BOARD):
        found = modules((kind,))
        assert re.fullmatch(rf"/static/js/{kind}\..{{8}}\.js", found[0])
        assert all((FOLDER / name[1:]).is_file() for name in found)


def test_modules_are_those_that_the_page_does_not_name_itself_each_once(disk: Disk) -> None:
    assert modules(("Html", "NoSuchElement"), disk.folder) == (
        "/static/js/Html.-f9-1zS0.js",
        "/static/js/purify.BcD_fGhI.js",
    )
    known = modules((*streamlit_files.BEFORE_THE_BOARD, *streamlit_files.BESIDE_THE_BOARD))
    assert len(set(known)) == len(known)
    assert not set(known) & set(entry_files())


def test_streamlits_page_asks_for_late_modules_at_once_and_for_no_font() -> None:
    page = (FOLDER / "index.html").read_text()
    assert 'as="font"' in page, "if Streamlit drops it, so can we"
    changed = adapted(page)
    assert 'as="font"' not in changed
    end = changed[changed.index('rel="stylesheet"') :]
    for name in modules(streamlit_files.BEFORE_THE_BOARD):
        assert end.count(f'<link rel="modulepreload" href=".{name}">') == 1
    assert changed.count("<style>") == 1
    assert changed.count("</head>") == 1
    kept = [name for name in re.findall(r'(?:src|href)="([^"]+)"', page) if not name.endswith(".woff2")]
    assert [name for name in kept if f'"{name}"' not in changed] == []
