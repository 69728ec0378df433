"""The files that browsers need in addition to Streamlit's: plotly.js, cut from its package, our modules and styles."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui.routes import plotly_build

STATIC = Path(__file__).parents[1] / "static"
A_YEAR = "public, max-age=31536000, immutable"
PLOTLY = "plotly.min.js"
STYLES = "first.css"  # all that the first picture needs
BOARD_STYLES = ("board.css", "player.css", "rail.css", "network.css", "racers.css", "lab_line.css")
NO_FILE = "There is no such file."
MODULES = frozenset(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))
NAMES = MODULES | {PLOTLY, STYLES}
_IMPORT = re.compile(r'^(?:import|export)\b[^"]*"(\.[^"]+)";$', re.MULTILINE)


def styles(*names: str) -> str:
    """The text of these style sheets, one after the other."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


@cache
def _plotly() -> str:
    """The package's own file."""
    return files("plotly").joinpath("package_data", PLOTLY).read_text(encoding="utf-8")


@cache
def _content(name: str) -> bytes:
    if name == PLOTLY:
        return plotly_build.smaller(_plotly()).encode()
    if name == STYLES:
        return styles(STYLES, *BOARD_STYLES, "page.css").encode()
    return (STATIC / name).read_bytes()


@cache
def needed_by(name: str) -> tuple[str, ...]:
    """A module and all that it imports, directly or not, in the order of reading."""
    found: list[str] = []

    def read(module: str) -> None:
        found.append(module)
        folder = (STATIC / module).parent
        for address in _IMPORT.findall((STATIC / module).read_text(encoding="utf-8")):
            imported = (folder / address).resolve().relative_to(STATIC).as_posix()
            if imported not in found:
                read(imported)

    read(name)
    return tuple(found)


def prepare() -> None:
    """Cut and compress everything before the first visitor comes."""
    for name in NAMES:
        _zipped(name)


@cache
def _zipped(name: str) -> bytes:
    return gzip.compress(_content(name), 6)


@cache
def version() -> str:
    """A name for the current content of all files: browsers keep the files until it changes."""
    digest = hashlib.sha256(_plotly()[:4096].encode())
    digest.update(Path(plotly_build.__file__).read_bytes())
    for path in sorted([*STATIC.rglob("*.js"), *STATIC.rglob("*.css")]):
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
    kind = "text/css" if name == STYLES else "text/javascript"
    return Response(content, media_type=kind, headers=headers)


ROUTES = [Route("/assets/{version}/{name:path}", serve)]
