"""Whether the server still knows a page's session: a page that it has forgotten no longer answers to its widgets."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pages.ui.session import is_known

KNOWN, GONE = "known", "gone"


async def answer(request: Request) -> PlainTextResponse:
    """One word about the session of this unguessable name."""
    word = KNOWN if is_known(request.path_params["name"]) else GONE
    return PlainTextResponse(word, headers={"Cache-Control": "no-store"})


ROUTES = [Route("/session/{name}", answer)]
