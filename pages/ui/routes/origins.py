"""Who may open a websocket: the app's own pages, and those of the addresses that the server's settings allow."""

from __future__ import annotations

import logging
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from playground.settings import normal_origin

FOREIGN = "This address may not open the live stream. Whoever runs the server can allow it: PLAYGROUND_ORIGINS."
REFUSED = (
    "A websocket from “{origin}” to “{host}” was refused. If students open the app at “{origin}”, allow it: "
    "PLAYGROUND_ORIGINS={origin}"
)
OWN_STREAMS = ("/live/", "/still/")
MAX_LOGGED_ORIGINS = 20  # in the life of the server: anybody can make up more
MAX_LOGGED_CHARACTERS = 100

log = logging.getLogger(__name__)


class OwnOrigins:
    """Refuses websockets of other sites' pages, before Streamlit's own check.

    Streamlit asks the internet for the server's own address when it sees an Origin that is not the Host, and its event
    loop waits for the answer. Here nothing is looked up, and what is let through looks to Streamlit like its own page.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str] = ()) -> None:
        """`allowed` are more origins, as `normal_origin` writes them."""
        self.app = app
        self.allowed = frozenset(allowed)
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the connection on, or refuse it if it is a websocket with a foreign Origin."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origins, host = headers.getlist("origin"), headers.get("host", "")
        if not origins:  # not a browser
            await self.app(scope, receive, send)
        elif len(origins) == 1 and self.is_allowed(origins[0], host):
            await self.app(with_own_origin(scope, origins[0], host), receive, send)
        else:
            self._log(", ".join(origins), host)
            await refuse(WebSocket(scope, receive, send))

    def is_allowed(self, origin: str, host: str) -> bool:
        """Whether an Origin is this server under the name it was asked for, or one of those that are allowed."""
        found = normal_origin(origin)
        if found is None:
            return False
        scheme = found.partition("://")[0]
        return found == normal_origin(f"{scheme}://{host}") or found in self.allowed

    def _log(self, origin: str, host: str) -> None:
        origin = origin[:MAX_LOGGED_CHARACTERS]
        if origin not in self._logged and len(self._logged) < MAX_LOGGED_ORIGINS:
            self._logged.add(origin)
            log.warning(REFUSED.format(origin=origin, host=host[:MAX_LOGGED_CHARACTERS]))


def with_own_origin(scope: Scope, origin: str, host: str) -> Scope:
    """The scope of a websocket that may be opened, with the server's own address as its Origin.

    Streamlit compares the Origin with the Host letter by letter. Without a usable Host there is no Origin either.
    """
    scheme = origin.partition("://")[0].lower()
    headers = [(name, value) for name, value in scope["headers"] if name != b"origin"]
    if normal_origin(f"{scheme}://{host}") is not None:
        headers.append((b"origin", f"{scheme}://{host}".encode("latin-1")))
    return {**scope, "headers": headers}


async def refuse(socket: WebSocket) -> None:
    """Close the socket of a foreign page.

    Our own streams are accepted first: a browser shows no reason for a socket that never opened.
    """
    if socket.scope["path"].startswith(OWN_STREAMS):
        await socket.accept()
        await socket.close(4403, FOREIGN)
    elif "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(PlainTextResponse(FOREIGN, status_code=403))
    else:
        await socket.close(4403, FOREIGN)
