"""Who may open a websocket: the app's own pages, and those of the addresses that the server's settings allow."""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Collection, Iterator, Sequence

import streamlit as st
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from pages.ui.routes import base
from playground.settings import EVERY_ORIGIN, Network, Settings, is_listed, normal_origin

FOREIGN = "The server does not know this address. Whoever runs it can allow it with PLAYGROUND_ORIGINS={origin}"
NO_ORIGIN = "The server does not know this address. Whoever runs it can allow it with PLAYGROUND_ORIGINS."
MAX_REASON_BYTES = 123  # of a closed websocket
REFUSED = (
    "A websocket from “{origin}” to “{host}” was refused. If students open the app at “{origin}”, allow it: "
    "PLAYGROUND_ORIGINS={origin} (or have the proxy keep the Host header, or send X-Forwarded-Host)."
)
OWN_STREAMS = ("/live/", "/still/", "/class/")
MAX_LOGGED_ORIGINS = 20  # in the life of the server: anybody can make up more
MAX_LOGGED_CHARACTERS = 100

log = logging.getLogger(__name__)


class OwnOrigins:
    """Refuses websockets of other sites' pages, before Streamlit's own check.

    Streamlit asks the internet for the server's own address when it sees an Origin that is not the Host, and its event
    loop waits for the answer. Here nothing is looked up, and what is let through looks to Streamlit like its own page.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str] = (), proxies: Sequence[Network] = ()) -> None:
        """`allowed` are more origins, as `Settings.allowed_origins` writes them.

        `proxies` are those that may name the host that a browser asked for, in X-Forwarded-Host, -Proto and -Port.
        """
        self.app = app
        self.allowed = frozenset(allowed)
        self.proxies = tuple(proxies)
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
        elif len(origins) == 1 and self.is_allowed(origins[0], scope):
            await self.app(with_own_origin(scope, origins[0], host), receive, send)
        else:
            self._log(", ".join(origins), host)
            await refuse(WebSocket(scope, receive, send), normal_origin(origins[0]) if len(origins) == 1 else None)

    def is_allowed(self, origin: str, scope: Scope) -> bool:
        """Whether an Origin is this server under the name it was asked for, or one of those that are allowed."""
        found = normal_origin(origin)
        if found is None:
            return False
        if is_listed(found, self.allowed):
            return True
        headers, scheme = Headers(scope=scope), found.partition("://")[0]
        if found == normal_origin(f"{scheme}://{headers.get('host', '')}"):
            return True
        return self._is_from_proxy(scope, headers) and found in forwarded_origins(headers, scheme)

    def _is_from_proxy(self, scope: Scope, headers: Headers) -> bool:
        """Whether the request came through a proxy that is believed.

        uvicorn puts the visitor's address (X-Forwarded-For) in the place of a proxy's that it trusts itself.
        """
        client = (scope.get("client") or ("",))[0]
        if client in (part.strip() for part in ",".join(headers.getlist("x-forwarded-for")).split(",")):
            return True
        try:
            address = ipaddress.ip_address(client)
        except ValueError:  # such as a server on a Unix socket: only a proxy can reach it
            return not client
        return any((getattr(address, "ipv4_mapped", None) or address) in network for network in self.proxies)

    def _log(self, origin: str, host: str) -> None:
        origin = origin[:MAX_LOGGED_CHARACTERS]
        if origin not in self._logged and len(self._logged) < MAX_LOGGED_ORIGINS:
            self._logged.add(origin)
            log.warning(REFUSED.format(origin=origin, host=host[:MAX_LOGGED_CHARACTERS]))


def middleware(settings: Settings) -> Middleware:
    """The middleware of a server with these settings."""
    return Middleware(OwnOrigins, allowed=known_origins(settings), proxies=trusted_proxies(settings))


def forwarded_origins(headers: Headers, scheme: str) -> Iterator[str | None]:
    """The addresses that a browser may have asked for, as the first of the proxies says."""

    def first(name: str) -> str:
        return headers.get(f"x-forwarded-{name}", "").partition(",")[0].strip()

    host, port = first("host"), first("port")
    found = first("proto") or scheme
    yield normal_origin(f"{found}://{host}")
    if host and port:
        yield normal_origin(f"{found}://{host}:{port}")


def known_origins(settings: Settings) -> frozenset[str]:
    """The origins that our settings allow, and those that Streamlit's own name.

    These are `server.corsAllowedOrigins` and `browser.serverAddress`; `server.enableCORS=false` allows all.
    """
    if not st.get_option("server.enableCORS"):
        return frozenset({EVERY_ORIGIN})
    known = [*st.get_option("server.corsAllowedOrigins")]
    address, port = st.get_option("browser.serverAddress"), st.get_option("browser.serverPort")
    if address and address != "localhost":
        known += [f"{scheme}://{address}{end}" for scheme in ("http", "https") for end in ("", f":{port}")]
    return settings.allowed_origins | {found for each in known if (found := normal_origin(each.strip().rstrip("/")))}


def trusted_proxies(settings: Settings) -> tuple[Network, ...]:
    """The proxies that our setting names, or else uvicorn's FORWARDED_ALLOW_IPS, or else private networks."""
    named = settings.proxies or os.environ.get("FORWARDED_ALLOW_IPS", "")
    return Settings(proxies=named).trusted_proxies


def with_own_origin(scope: Scope, origin: str, host: str) -> Scope:
    """The scope of a websocket that may be opened, with the server's own address as its Origin.

    Streamlit compares the Origin with the Host letter by letter. Without a usable Host there is no Origin either.
    """
    scheme = origin.partition("://")[0].lower()
    headers = [(name, value) for name, value in scope["headers"] if name != b"origin"]
    if normal_origin(f"{scheme}://{host}") is not None:
        headers.append((b"origin", f"{scheme}://{host}".encode("latin-1")))
    return {**scope, "headers": headers}


async def refuse(socket: WebSocket, origin: str | None) -> None:
    """Close the socket of a foreign page, and say what to set.

    Our own streams are accepted first: a browser shows no reason for a socket that never opened.
    """
    reason = NO_ORIGIN if origin is None else FOREIGN.format(origin=origin)
    if len(reason.encode()) > MAX_REASON_BYTES:
        reason = NO_ORIGIN
    if base.within(socket.scope["path"]).startswith(OWN_STREAMS):
        await socket.accept()
        await socket.close(4403, reason)
    elif "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(PlainTextResponse(reason, status_code=403))
    else:
        await socket.close(4403, reason)
