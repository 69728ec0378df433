"""The page's own script in Streamlit's HTML: first in the head, in pages alone, with the length that is said."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from pages.ui.routes.files import assets, page_script
from pages.ui.routes.files.page_script import PageScript
from pages.ui.routes.files.streamlit_files import adapted

PAGE = b"<!DOCTYPE html>\n<html><head>\n<title>Streamlit</title></head><body></body></html>"
SCRIPT = f'<script src="{assets.url(assets.MODULES)}" data-words="'

WHOLE = adapted(PAGE.decode()).replace("<head>", "<head>" + page_script._head("", ""))  # of the home page


def answer(
    body: list[bytes], headers: dict[str, str], *, status: int = 200, method: str = "GET"
) -> tuple[dict[str, str], bytes]:
    """The headers and the body that a browser gets for an app's answer, which is sent in these pieces."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raw = [(name.encode(), text.encode()) for name, text in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        for at, piece in enumerate(body):
            await send({"type": "http.response.body", "body": piece, "more_body": at + 1 < len(body)})

    async def keep(message: Any) -> None:
        sent.append(message)

    async def nothing() -> Any:
        return {"type": "http.disconnect"}

    asyncio.run(PageScript(app)({"type": "http", "method": method, "path": "/", "headers": []}, nothing, keep))
    assert sent[0]["type"] == "http.response.start"
    pairs = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
    return pairs, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("pieces", [[PAGE], [PAGE[:20], PAGE[20:]], [PAGE, b""]], ids=len)
def test_a_page_has_the_script_first_in_its_head(pieces: list[bytes]) -> None:
    headers, body = answer(pieces, {"content-type": "text/html; charset=utf-8", "content-length": str(len(PAGE))})
    assert body.decode() == WHOLE
    assert headers["content-length"] == str(len(body))


def test_the_script_runs_before_streamlits_own() -> None:
    for path in ("", "regression"):
        head = page_script._head(path, "")
        assert head.index("<script") == head.index(SCRIPT)


def test_a_browser_is_not_told_to_keep_a_page_whose_scripts_another_release_replaces() -> None:
    """The names that Streamlit gives to a state of its page stay when our scripts change."""
    named = {"content-type": "text/html", "etag": '"one"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
    assert set(answer([PAGE], named)[0]) == {"content-type", "content-length"}
    seen: list[dict[str, str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append({name.decode(): text.decode() for name, text in scope["headers"]})

    for accepted in ("text/html,*/*", "*/*"):
        raw = [(b"accept", accepted.encode()), (b"if-none-match", b'"one"'), (b"if-modified-since", b"x")]
        scope = {"type": "http", "method": "GET", "path": "/", "headers": raw}
        asyncio.run(PageScript(app)(scope, None, None))  # type: ignore[arg-type]
    assert [set(headers) for headers in seen] == [{"accept"}, {"accept", "if-none-match", "if-modified-since"}]


def test_a_compressed_page_has_it_too() -> None:
    zipped = gzip.compress(PAGE)
    headers, body = answer([zipped[:9], zipped[9:]], {"content-type": "text/html", "content-encoding": "gzip"})
    assert gzip.decompress(body).decode() == WHOLE
    assert headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    ("headers", "status", "method"),
    [
        ({"content-type": "text/javascript"}, 200, "GET"),
        ({"content-type": "text/html", "content-encoding": "br"}, 200, "GET"),
        ({"content-type": "text/html"}, 404, "GET"),
        ({"content-type": "text/html"}, 304, "GET"),
        ({"content-type": "text/html"}, 200, "HEAD"),
        ({}, 200, "GET"),
    ],
)  # fmt: skip
def test_everything_else_stays_as_it_is(headers: dict[str, str], status: int, method: str) -> None:
    assert answer([PAGE], headers, status=status, method=method) == (headers, PAGE)


def test_a_page_without_a_head_stays_as_it_is() -> None:
    assert answer([b"<p>no</p>"], {"content-type": "text/html"})[1] == b"<p>no</p>"
