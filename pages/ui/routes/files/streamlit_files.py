"""Streamlit's own files: compressed once for all visitors, and those that a first picture needs, known in advance.

Streamlit sends its scripts as they lie on the disk, 2.6 MB for a page of ours; compressed they have a quarter of that.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.ui.routes import base

FONTS = Path(__file__).parents[2] / "static" / "styles" / "fonts.css"
FOLDER = Path(str(files("streamlit").joinpath("static")))
A_YEAR = "public, max-age=31536000, immutable"
MAX_KEPT_BYTES = 16_000_000  # of compressed files; all of Streamlit's have 7 MB
LEVEL = 9
# Answers to these come from Streamlit: a part of a file, or that a browser's copy is still good.
SPECIAL = ("range", "if-range", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since")

_TEXT = re.compile(r"\.[\w-]{8}\.(js|css)")  # ends a name that changes with the file's content
_NO_WEIGHT = re.compile(r"q=0(\.0*)?")
_FONT = re.compile(r'<link\s+rel="preload"[^>]*\bas="font"[^>]*>\s*')
_ENTRY = re.compile(r'(?:src|href)="\./(static/[^"]+\.(?:js|css))"')

# Streamlit loads each kind of element when a page shows the first one. All pages show these before the board:
BEFORE_THE_BOARD = ("Html", "BidiComponent")
# and most pages these, in the drawer and below the board:
BESIDE_THE_BOARD = ("Button", "Selectbox", "Slider", "NumberInput", "Checkbox", "PageLink", "ButtonGroup")


@dataclass(frozen=True)
class Kept:
    """A compressed file, and the headers of the answer with it."""

    headers: Headers
    content: bytes


class StreamlitFiles:
    """Sends Streamlit's scripts and style sheets compressed, to browsers that accept it.

    A file is compressed when it is first asked for, and those that every page needs when the server starts; neither
    keeps the event loop waiting. Everything else is Streamlit's business: other files, names that are none, parts of
    files, and whether a browser's copy is still good.
    """

    def __init__(self, app: ASGIApp, folder: Path = FOLDER, max_kept_bytes: int = MAX_KEPT_BYTES) -> None:
        self.app = app
        self._files = {f"/{path.relative_to(folder).as_posix()}": path for path in _texts(folder)}
        self._kept: dict[str, Future[Kept | None]] = {}
        self._room = max_kept_bytes
        self._compressing = ThreadPoolExecutor(1, "compress")  # its thread alone counts the room
        for address in (*entry_files(folder), *modules(BEFORE_THE_BOARD, folder), *modules(BESIDE_THE_BOARD, folder)):
            if address in self._files:
                self._compressed(address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or pass the request on."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        address = base.within(scope["path"])
        if address not in self._files:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        kept = None
        if accepts_gzip(headers.getlist("accept-encoding")) and not any(name in headers for name in SPECIAL):
            kept = await asyncio.shield(asyncio.wrap_future(self._compressed(address)))
        if kept is None:
            await self.app(scope, receive, _with_vary(send))
        else:
            await send({"type": "http.response.start", "status": 200, "headers": list(kept.headers.raw)})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else kept.content})

    def _compressed(self, address: str) -> Future[Kept | None]:
        """The answer with this file; None where there is no room for it any more."""
        if address not in self._kept:
            self._kept[address] = self._compressing.submit(self._compress, self._files[address])
        return self._kept[address]

    def _compress(self, path: Path) -> Kept | None:
        try:
            content = gzip.compress(path.read_bytes(), LEVEL, mtime=0)
            own = FileResponse(path, stat_result=path.stat()).headers  # what Streamlit says about the file
        except OSError:  # it is no longer there
            return None
        if len(content) > self._room:
            return None
        self._room -= len(content)
        headers = {
            "Cache-Control": A_YEAR,
            "Content-Length": str(len(content)),
            "Content-Encoding": "gzip",
            "Content-Type": own["content-type"],
            "ETag": f"W/{own['etag']}",  # weak: the same file, in other bytes
            "Last-Modified": own["last-modified"],
            "Vary": "Accept-Encoding",
        }
        return Kept(Headers(headers), content)


def accepts_gzip(accepted: Iterable[str]) -> bool:
    """Whether the values of a request's Accept-Encoding name gzip, and not with the weight 0."""
    for part in ",".join(accepted).split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() == "gzip":
            return not _NO_WEIGHT.fullmatch(weight.strip())
    return False


def _with_vary(send: Send) -> Send:
    """A `send` after which caches know that another browser may get this file compressed."""

    async def send_with_vary(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
        await send(message)

    return send_with_vary


def _texts(folder: Path) -> list[Path]:
    return [path for path in (folder / "static").rglob("*.*") if _TEXT.search(path.name) and path.is_file()]


@cache
def entry_files(folder: Path = FOLDER) -> tuple[str, ...]:
    """The addresses of the scripts and style sheets that Streamlit's own page asks for."""
    page = (folder / "index.html").read_text(encoding="utf-8")
    return tuple(f"/{name}" for name in _ENTRY.findall(page))


@cache
def modules(kinds: Sequence[str], folder: Path = FOLDER) -> tuple[str, ...]:
    """The addresses of all modules that Streamlit loads late, for these kinds of elements; none twice.

    Streamlit's manifest names the module of each kind ("Slider"), and what a module imports.
    """
    manifest: dict[str, dict[str, Any]] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    early, found = entry_files(folder), dict[str, None]()

    def add(name: str) -> None:
        address = f"/{manifest[name]['file']}"
        if address not in early and address not in found:
            found[address] = None
            for imported in manifest[name].get("imports", ()):
                add(imported)

    for kind in kinds:
        for name in manifest:
            if name.endswith(f"/{kind}/{kind}.tsx"):
                add(name)
    return tuple(found)


@cache
def _at_the_end_of_the_head() -> str:
    fonts = FONTS.read_text(encoding="utf-8")
    before = "".join(f'<link rel="modulepreload" href=".{address}">' for address in modules(BEFORE_THE_BOARD))
    beside = "".join(
        f'<link rel="modulepreload" href=".{address}" fetchpriority="low">'
        for address in modules(BESIDE_THE_BOARD)
        if address not in modules(BEFORE_THE_BOARD)
    )
    return f"{before}{beside}<style>{fonts}</style>"


def adapted(page: str) -> str:
    """Streamlit's page as this app needs it.

    It asks for the modules that Streamlit would find out about late, and not for a font at once: text is set in the
    visitor's own fonts, and `fonts.css` draws the icons that every page shows.
    """
    return _FONT.sub("", page).replace("</head>", f"{_at_the_end_of_the_head()}</head>", 1)
