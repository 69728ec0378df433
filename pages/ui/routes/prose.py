"""Parts of a lesson's prose that are not in its page, since they would give answers away: a browser asks for them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pages.ui import prose
from playground.lessons import LESSONS

NOT_KEPT = {"Cache-Control": "no-store"}
NO_SECTION = "There is no such section."


async def section(request: Request) -> Response:
    """A section on demand as HTML, at /prose/<lesson>/<name>."""
    lesson = LESSONS.get(request.path_params["lesson"])
    heading = prose.ON_DEMAND.get(request.path_params["name"])
    if lesson is None or heading is None:
        return Response(NO_SECTION, status_code=404)
    return HTMLResponse(prose.section(lesson, heading), headers=NOT_KEPT)


ROUTES = [Route("/prose/{lesson}/{name}", section)]
