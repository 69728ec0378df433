"""The files that browsers need in addition to Streamlit's: plotly.js from its package, and the board's modules."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATIC = Path(__file__).parents[1] / "static"
A_YEAR = "public, max-age=31536000, immutable"
PLOTLY = "plotly.min.js"
NO_FILE = "There is no such file."
NAMES = frozenset({PLOTLY, *(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))})


@cache
def _content(name: str) -> bytes:
    folder = files("plotly").joinpath("package_data") if name == PLOTLY else STATIC
    return folder.joinpath(name).read_bytes()


@cache
def _zipped(name: str) -> bytes:
    return gzip.compress(_content(name), 6)


@cache
def version() -> str:
    """A name for the current content of all files: browsers keep the files until it changes."""
    digest = hashlib.sha256(_content(PLOTLY)[:4096])
    for path in sorted(STATIC.rglob("*.js")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def url(name: str) -> str:
    """The address of one file."""
    return f"/assets/{version()}/{name}"


def loader(name: str) -> str:
    """The JavaScript that Streamlit gets for a component: it loads the component's module, one of these files."""
    return f'const module = await import(new URL("{url(name)}", location.origin));\nexport default module.default;\n'


async def serve(request: Request) -> Response:
    """One file, compressed if the browser accepts that, to be kept for a year: new content has a new address."""
    name = request.path_params["name"]
    if name not in NAMES:
        return Response(NO_FILE, status_code=404)
    content = _content(name)
    keep = (
        A_YEAR if request.path_params["version"] == version() else "no-store"
    )  # asked for by a page of another release
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = _zipped(name)
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type="text/javascript", headers=headers)


ROUTES = [Route("/assets/{version}/{name:path}", serve)]
