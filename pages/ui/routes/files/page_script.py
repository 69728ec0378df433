"""Adds our scripts to Streamlit's HTML: the page's, which runs before anything is painted, and the first picture's."""

from __future__ import annotations

import gzip
import json
from functools import cache
from html import escape
from urllib.parse import parse_qs, quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.ui.classroom import locks
from pages.ui.classroom.words import BAR
from pages.ui.messages import TEXT
from pages.ui.routes import base
from pages.ui.routes.classroom import class_pages
from pages.ui.routes.files import assets, streamlit_files
from playground.lessons import LESSONS

HEAD = "<head>"
STATES = ("etag", "last-modified")  # of Streamlit's file: they stay when our scripts change
QUESTIONS = (b"if-none-match", b"if-modified-since")  # whether a browser's copy has that state


class PageScript:
    """Puts our modules at the beginning of the head of every HTML page, also of one that Streamlit has compressed.

    The type's size and the drawer are the visitor's, and in the browser's storage: a component, which comes with the
    first answer of a page's script, would change them while one looks (`page.js`). A lesson's page also asks at once
    for what `first.js` needs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the script to a page that comes back."""
        is_ours = base.within(scope.get("path", "")).strip("/") in class_pages.PAGES
        if scope["type"] != "http" or scope["method"] != "GET" or is_ours:
            await self.app(scope, receive, send)
            return
        head = _head(base.within(scope["path"]).strip("/"), scope.get("query_string", b"").decode("latin-1"))
        start: Message | None = None  # of a page, kept back until its length is known
        page = bytearray()

        async def send_with_script(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif message["type"] == "http.response.body" and start is not None:
                page.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    headers = MutableHeaders(scope=start)
                    body = _with_head(bytes(page), headers.get("content-encoding"), head)
                    headers["content-length"] = str(len(body))
                    for name in STATES:
                        del headers[name]
                    await send(start)
                    await send({"type": "http.response.body", "body": body})
            else:
                await send(message)

        await self.app(_for_a_whole_page(scope), receive, send_with_script)


def _for_a_whole_page(scope: Scope) -> Scope:
    """The request, without a question about a copy of the page where it is one for a page."""
    headers = dict(scope["headers"])
    if b"text/html" not in headers.get(b"accept", b""):
        return scope
    return {**scope, "headers": [(name, text) for name, text in scope["headers"] if name not in QUESTIONS]}


def _is_page(message: Message) -> bool:
    headers = MutableHeaders(scope=message)
    is_html = headers.get("content-type", "").startswith("text/html")
    return bool(message["status"] == 200 and is_html and headers.get("content-encoding") in (None, "gzip"))


def _head(path: str, query: str) -> str:
    """What the head of the page at this path begins with."""
    of_class = _of_a_class() if locks.PARAMETER in parse_qs(query) else ""
    if path not in LESSONS:
        return _of_every_page() + of_class + f'<link rel="prefetch" href="{assets.url(assets.PLOTLY)}" as="script">'
    address = escape(f"./first/{path}" + (f"?{quote(query, safe='=&%+,:;@/?!*()-._~')}" if query else ""))
    picture = f'<link rel="preload" as="fetch" crossorigin href="{address}" data-first>'
    plotly = f'<link rel="preload" as="script" href="{assets.url(assets.PLOTLY)}" data-plotly>'
    return picture + plotly + _of_every_page() + of_class


@cache
def _of_every_page() -> str:
    words = escape(json.dumps({"blocked": TEXT.page.blocked, "streamlit": TEXT.page.streamlit_blocked}))
    return (
        f'<script src="{assets.url(assets.MODULES)}" data-words="{words}"></script>'
        f'<link rel="stylesheet" href="{assets.url(assets.STYLES)}" data-styles>'
    )


@cache
def _of_a_class() -> str:
    """What a page in a class has in addition: its bar."""
    return (
        f'<link rel="stylesheet" href="{assets.url(assets.BAR_STYLES)}">'
        f'<script src="{assets.url(assets.CLASSROOM)}" data-words="{escape(json.dumps(BAR))}"></script>'
    )


def _with_head(page: bytes, encoding: str | None, head: str) -> bytes:
    text = (page if encoding is None else gzip.decompress(page)).decode()
    whole = streamlit_files.adapted(text).replace(HEAD, HEAD + head, 1).encode()
    return whole if encoding is None else gzip.compress(whole, 6)
