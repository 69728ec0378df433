"""The files that browsers need in addition to Streamlit's: plotly.js, cut from its package, our modules and styles."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui.routes.files import bundle, plotly_build

STATIC = Path(__file__).parents[2] / "static"
A_YEAR = "public, max-age=31536000, immutable"
PLOTLY = "plotly.min.js"
STYLES = "first.css"  # all that the first picture needs
BOARD_STYLES = ("board.css", "player.css", "rail.css", "network.css", "racers.css", "lab_line.css", "script.css")
NO_FILE = "There is no such file."
MODULES = "modules.js"  # all of ours, without those of a class
CLASSROOM = "classroom.js"  # what the app's pages need in a class: they load it after the others
CLASS_PAGES = "class.js"  # all that a class's own pages need
CLASS_STYLES = "class.css"  # of these
BAR_STYLES = "bar.css"  # what the app's pages need in a class
OF_A_CLASS = "classroom/"  # the folder of these modules
ENTRIES = {CLASSROOM: "classroom/bar.js", CLASS_PAGES: "classroom/pages/page.js"}  # what a script begins with
NAMES = (MODULES, CLASSROOM, CLASS_PAGES, CLASS_STYLES, BAR_STYLES, PLOTLY, STYLES)


def styles(*names: str) -> str:
    """The text of these style sheets, one after the other."""
    return "\n".join((STATIC / "styles" / name).read_text(encoding="utf-8") for name in names)


def class_styles() -> list[str]:
    """The style sheets of a class's own pages, "base.css" first."""
    found = [path.name for path in (STATIC / "styles" / "classroom").glob("*.css")]
    return [f"classroom/{name}" for name in sorted(found, key=lambda name: (name != "base.css", name))]


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
    if name == BAR_STYLES:
        return styles("classroom_bar.css", "classroom/names.css", "classroom/reader.css").encode()
    if name == CLASS_STYLES:
        return styles("home_picture.css", *class_styles()).encode()
    paths = {path.relative_to(STATIC).as_posix(): path for path in sorted(STATIC.rglob("*.js"))}
    sources = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    others = [name for name in sources if not name.startswith(OF_A_CLASS)]
    if name == MODULES:
        return bundle.bundled(sources, entries=others).encode()
    return bundle.bundled(sources, others if name == CLASSROOM else (), [ENTRIES[name]]).encode()


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
    for cutter in (plotly_build, bundle):
        digest.update(Path(cutter.__file__).read_bytes())
    for path in sorted([*STATIC.rglob("*.js"), *STATIC.rglob("*.css")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def url(name: str) -> str:
    """The address of one file, from any page."""
    return f"./assets/{version()}/{name}"


def loader(name: str) -> str:
    """The JavaScript that Streamlit gets for a component, which is one of our modules."""
    return f'const modules = window.__modules;\nexport default modules["{name}"].default;\n'  # one line would be a path


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
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return Response(content, media_type=kind, headers=headers)


ROUTES = [Route("/assets/{version}/{name:path}", serve)]
