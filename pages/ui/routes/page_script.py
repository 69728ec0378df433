"""Adds our page script to Streamlit's HTML, so that it runs before anything is painted."""

from __future__ import annotations

import gzip

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.ui.routes import assets

NAME = "page.js"
HEAD = "<head>"


class PageScript:
    """Puts `page.js` at the beginning of the head of every HTML page, also of one that Streamlit has compressed.

    The type's size and the drawer are the visitor's, and in the browser's storage: a component, which comes with the
    first answer of a page's script, would change them while one looks.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the script to a page that comes back."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
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
                    body = _with_script(bytes(page), headers.get("content-encoding"))
                    headers["content-length"] = str(len(body))
                    await send(start)
                    await send({"type": "http.response.body", "body": body})
            else:
                await send(message)

        await self.app(scope, receive, send_with_script)


def _is_page(message: Message) -> bool:
    headers = MutableHeaders(scope=message)
    is_html = headers.get("content-type", "").startswith("text/html")
    return bool(message["status"] == 200 and is_html and headers.get("content-encoding") in (None, "gzip"))


def _with_script(page: bytes, encoding: str | None) -> bytes:
    script = f'{HEAD}<script type="module" src="{assets.url(NAME)}"></script>'
    if encoding is None:
        return page.replace(HEAD.encode(), script.encode(), 1)
    return gzip.compress(gzip.decompress(page).replace(HEAD.encode(), script.encode(), 1), 6)
