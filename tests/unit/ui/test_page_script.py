"""The page's own script in Streamlit's HTML: first in the head, in pages alone, with the length that is said."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from pages.ui.routes import assets
from pages.ui.routes.page_script import PageScript

PAGE = b"<!DOCTYPE html>\n<html><head>\n<title>Streamlit</title></head><body></body></html>"
SCRIPT = f'<script type="module" src="{assets.url("page.js")}"></script>'.encode()


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

    asyncio.run(PageScript(app)({"type": "http", "method": method, "path": "/"}, nothing, keep))
    assert sent[0]["type"] == "http.response.start"
    pairs = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
    return pairs, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("pieces", [[PAGE], [PAGE[:20], PAGE[20:]], [PAGE, b""]], ids=len)
def test_a_page_has_the_script_first_in_its_head(pieces: list[bytes]) -> None:
    headers, body = answer(pieces, {"content-type": "text/html; charset=utf-8", "content-length": str(len(PAGE))})
    assert body == PAGE.replace(b"<head>", b"<head>" + SCRIPT)
    assert headers["content-length"] == str(len(body))


def test_a_compressed_page_has_it_too() -> None:
    zipped = gzip.compress(PAGE)
    headers, body = answer([zipped[:9], zipped[9:]], {"content-type": "text/html", "content-encoding": "gzip"})
    assert gzip.decompress(body) == PAGE.replace(b"<head>", b"<head>" + SCRIPT)
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
