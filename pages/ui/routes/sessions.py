"""A page's session: whether the server still knows it, and how a page that is loaded again finds it.

A page that the server has forgotten no longer answers to its widgets.
"""

from __future__ import annotations

import asyncio
import time

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.ui.session import is_connected, is_known, streamlit_id_of

PROTOCOLS = b"sec-websocket-protocol"
LEAVING_SECONDS = 1.5  # within which the socket of a page that is loaded again has closed
KNOWN, GONE = "known", "gone"


async def answer(request: Request) -> PlainTextResponse:
    """One word about the session of this unguessable name."""
    word = KNOWN if is_known(request.path_params["name"]) else GONE
    return PlainTextResponse(word, headers={"Cache-Control": "no-store"})


ROUTES = [Route("/session/{name}", answer)]


class LoadedAgain:
    """Has a page that was loaded again come back to its session, and so to its runs, its points and its tables.

    Streamlit continues a session whose line was cut where the page names it as the third of its socket's protocols. A
    new page does not know that name; it sends ours, which the tab keeps (`session.js`). A session that stays connected,
    such as that of a tab that was duplicated, is not taken from its page: the new one begins another.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the connection on, with Streamlit's name of the session."""
        if scope["type"] == "websocket":
            headers = [
                (name, await _with_streamlits_id(text) if name == PROTOCOLS else text)
                for name, text in scope["headers"]
            ]
            scope = {**scope, "headers": headers}
        await self.app(scope, receive, send)


async def _with_streamlits_id(protocols: bytes) -> bytes:
    parts = [part.strip() for part in protocols.decode("latin-1").split(",")]
    if len(parts) != 3 or (found := streamlit_id_of(parts[2])) is None:
        return protocols
    end = time.monotonic() + LEAVING_SECONDS
    while is_connected(found):
        if time.monotonic() > end:
            return ", ".join(parts[:2]).encode("latin-1")
        await asyncio.sleep(0.05)
    return ", ".join((*parts[:2], found)).encode("latin-1")
