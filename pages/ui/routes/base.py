"""Under which path the app lies: on its server (Streamlit's setting `server.baseUrlPath`), and for a browser.

A proxy may put the app under a path of its own, which the server need not know. So pages name all addresses
relative to their own: every page lies at the app's root (`regression`, or nothing for the home page).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain

import streamlit as st
from starlette.routing import BaseRoute, Route, WebSocketRoute


@cache
def base() -> str:
    """What all paths on this server begin with: "" or "/school/torch"."""
    name = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{name}" if name else ""


def within(path: str) -> str:
    """A path on this server as seen from the app's root, with a slash at its start."""
    found = path.removeprefix(base())
    return found if found.startswith("/") or path == found else f"/{found}"


def under_base(*groups: Sequence[Route | WebSocketRoute]) -> list[BaseRoute]:
    """Our routes where the app lies, beside Streamlit's: a mount would answer for all that it does not know."""
    return [
        Route(base() + route.path, route.endpoint, methods=route.methods)
        if isinstance(route, Route)
        else WebSocketRoute(base() + route.path, route.endpoint)
        for route in chain(*groups)
    ]
