"""The pages of a class that need no widgets: start and wall, door, join, projector, the teacher's phone, vote only.

    GET  /class /join /projector /remote /vote    one HTML template; static/classroom/pages/page.js fills it
    GET  /class/lessons                           what a teacher can send to a class, or ask, by lesson
    POST /class/qr                                a text as a QR code: its cells

They cost no Streamlit session. Whatever says who somebody is stands in the fragment of an address, which browsers send
to nobody, or in a body: never in a path or a query.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict
from functools import cache
from html import escape
from typing import Any
from urllib.parse import urlencode

import segno
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from pages.ui import prose, rail
from pages.ui.classroom.page_words import CLASS_TEXT
from pages.ui.messages import TEXT
from pages.ui.routes.allowance import sent_body
from pages.ui.routes.files import assets
from playground import predictions
from playground.classroom.classroom import allows_names
from playground.classroom.commands import NAMES
from playground.experiments import Experiment, experiments
from playground.figures.theme import PALETTE
from playground.lesson import LabLesson, Lesson
from playground.lessons import LESSONS, welcome
from playground.predictions import Choice, Curve
from playground.settings import Settings

PAGES = {  # by their path: the title, and the parts of the table of sentences that they show
    "class": (
        CLASS_TEXT.title.teacher,
        ("start", "door", "wall", "question", "pace", "send", "board", "after", "pictures"),
    ),
    "join": (CLASS_TEXT.title.join, ("join",)),
    "projector": (CLASS_TEXT.title.projector, ("projector", "pictures", "door")),
    "remote": (CLASS_TEXT.title.remote, ("remote", "wall", "question", "pace", "send")),
    "vote": (CLASS_TEXT.title.vote, ("vote", "join")),
}
SHOW_BOARDS = ("class", "projector")  # pages on which a run is read live
BOARD_STYLES = '<link rel="stylesheet" href="{url}">\n'
MAX_QR_TEXT = 300  # characters
MIN_QR_VERSION = 3
NO_QR = "A QR code is made of an address that begins with http:// or https://, with up to 300 characters."

TEMPLATE = """<!doctype html>
<html lang="en" data-page="{page}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="icon" href="data:,">
{board_styles}<link rel="stylesheet" href="{styles}">
<script src="{script}" defer data-words="{words}" data-palette="{palette}"></script>
</head>
<body><noscript>{no_script}</noscript></body>
</html>
"""


@cache
def _html(page: str) -> str:
    title, parts = PAGES[page]
    words = asdict(CLASS_TEXT)
    shown = {name: words[name] for name in ("every", *parts)}
    if page == "class":
        settings = Settings.from_environment()
        shown["allowed"] = [names for names in NAMES if allows_names(settings, names)]
    if page == "join":
        shown["picture"] = _picture()
    return TEMPLATE.format(
        page=page,
        title=escape(TEXT.page.title.format(page=title, app=TEXT.page.app)),
        board_styles=BOARD_STYLES.format(url=assets.url(assets.STYLES)) if page in SHOW_BOARDS else "",
        styles=assets.url(assets.CLASS_STYLES),
        script=assets.url(assets.CLASS_PAGES),
        words=escape(json.dumps(shown)),
        palette=escape(json.dumps(PALETTE)),
        no_script=escape(CLASS_TEXT.every.no_script),
    )


def _picture() -> dict[str, Any]:
    """The recorded run of the home page, beside the form of /join."""
    text, run = TEXT.home, welcome.recorded()
    alt = text.picture.format(units=run.units, points=len(run.x), steps=run.steps)
    return {"run": asdict(run), "words": {"alt": alt, "step": text.step, "play": text.play, "pause": text.pause}}


async def page(request: Request) -> Response:
    """One of the pages; a browser asks for it again each time, since its scripts change with a release."""
    name = request.url.path.rstrip("/").rpartition("/")[2]
    return _compressed(request, HTMLResponse(_html(name), headers={"Cache-Control": "no-cache"}))


async def lessons(request: Request) -> Response:
    """The lessons in order, with their labs and experiments."""
    found = JSONResponse(await run_in_threadpool(_catalogue), headers={"Cache-Control": "no-cache"})
    return _compressed(request, found)


@cache
def _catalogue() -> list[dict[str, Any]]:
    return [_lesson(lesson) for lesson in LESSONS.values()]


def _lesson(lesson: Lesson) -> dict[str, Any]:
    labs = lesson.labs if isinstance(lesson, LabLesson) else ()
    asked = predictions.of(lesson)
    knobs = {name: spec.label for bench in lesson.benches for name, spec in bench.config.knobs().items()}
    return {
        "name": lesson.name,
        "title": lesson.title,
        "knobs": list(knobs.items()),
        "labs": [{"name": lab.name.removeprefix(f"{lesson.name}_"), "title": lab.title} for lab in labs],
        "experiments": [
            {"id": each.id, "title": each.title, "lab": getattr(each.bench, "title", "") if labs else "",
             "question": _question(asked[each.id].ask) if each.id in asked else None,
             "settings": _settings(lesson, each)}
            for each in experiments(lesson)
        ],
    }  # fmt: skip


def _question(ask: predictions.Ask) -> dict[str, Any]:
    """What is asked, without anything that tells the answer."""
    kind = "choice" if isinstance(ask, Choice) else "curve" if isinstance(ask, Curve) else "number"
    return {"kind": kind, "question": prose.inline(ask.question)}


def _settings(lesson: Lesson, experiment: Experiment) -> str:
    """The experiment's settings as the query of a link that is no experiment's: a preset."""
    bench, texts = experiment.bench, experiment.config.as_texts()
    query = {f"{bench.name}_{name}": text for name, text in texts.items()}
    if isinstance(lesson, LabLesson):
        query = {f"{lesson.name}_{rail.LAB}": bench.name.removeprefix(f"{lesson.name}_"), **query}
    return urlencode(query)


async def qr(request: Request) -> Response:
    """The cells of a QR code: {"size": cells of a side, "cells": "0110…"} row by row, without the quiet zone."""
    text = (await sent_body(request, 4 * MAX_QR_TEXT) or b"").decode(errors="replace")
    if len(text) > MAX_QR_TEXT or not text.startswith(("http://", "https://")):
        return JSONResponse({"say": NO_QR}, status_code=400)
    return JSONResponse(await run_in_threadpool(_cells, text), headers={"Cache-Control": "no-store"})


def _cells(text: str) -> dict[str, Any]:
    made = segno.make_qr(text, error="l")
    if isinstance(made.version, int) and made.version < MIN_QR_VERSION:
        made = segno.make_qr(text, error="l", version=MIN_QR_VERSION)
    return {"size": len(made.matrix), "cells": "".join("1" if cell & 1 else "0" for row in made.matrix for cell in row)}


def _compressed(request: Request, answer: Response) -> Response:
    if "gzip" in request.headers.get("accept-encoding", ""):
        answer.body = gzip.compress(bytes(answer.body), 6)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Content-Length"] = str(len(answer.body))
    answer.headers["Vary"] = "Accept-Encoding"
    return answer


ROUTES = [
    *(Route(f"/{name}", page, methods=["GET"]) for name in PAGES),
    Route("/class/lessons", lessons, methods=["GET"]),
    Route("/class/qr", qr, methods=["POST"]),
]
