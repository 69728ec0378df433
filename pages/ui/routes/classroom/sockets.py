"""A live class: one websocket for each browser in it, how it is started, and the files that its teacher saves.

    POST /class/start?class=CODE     {"names", "show_names", "plan"}: the tokens of a new class with this code
    WS   /class/socket?class=CODE    the first message has the token; `playground.classroom.messages` has all of them
    POST /class/file?class=CODE      {"token", "kind": "names", "numbers" or "snapshot", "id"}: a file for the teacher

The code stands in the query, where a balancer sees it: all of a class is in one process. No token is in an address, and
nothing about people is written to a log or a disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from functools import cache, partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.ui import prose
from pages.ui.classroom.boards import BOARDS
from pages.ui.routes.allowance import sent_body
from pages.ui.session import NO_ANSWER, pool
from playground.classroom import afterwards, feed, orders
from playground.classroom.classroom import Classroom
from playground.classroom.connections import Connection
from playground.classroom.messages import CLOSED, FILE_NAME, NOT_YOURS, REFUSED, SNAPSHOT_NAME
from playground.classroom.rates import Bucket
from playground.classroom.records import Errand
from playground.classroom.register import Listener, NotAdmitted, NotStarted, Register
from playground.classroom.tokens import Keys, secret_of
from playground.classroom.views import tile
from playground.mnist.files import cache_folder
from playground.settings import Settings
from playground.workers.operations import PlayForClass

FIRST_MESSAGE_SECONDS = 5.0
MAX_FIRST_BYTES = 1024 * 1024  # with a teacher's state (`coming_back.MAX_CHARACTERS`), or a student's answers
MAX_PLAN_BYTES = 128 * 1024  # a message of the teacher's, or the wish for a class: 40 steps with long links
MAX_MESSAGE_BYTES = 8 * 1024  # a message of anybody else: the query of a link
MESSAGES_PER_SECOND = 30.0  # sustained; twice as many in one burst
TEACHER_ACTS_PER_SECOND = 20.0
SLOW_SECONDS = 20.0  # until a browser that does not read is cut off
FOLD_SECONDS = 0.05  # changes within this time are one state
TICK_SECONDS = 1.0
GLANCES_PER_TICK = 4  # how often a wall gets what runs have said since
MAX_JOIN_WAIT = 60.0  # seconds
PLAY_TIMEOUT = 180.0  # seconds: a vote's runs end sooner by themselves
QUIET = ("here", "placed", "look")  # commands that are no acts
JSON = "application/json"
NOT_KEPT = {"Cache-Control": "no-store"}

log = logging.getLogger(__name__)


LISTENERS: list[Listener] = []  # called with a class after each change of it, on the event loop


def clock() -> float:
    """Seconds since 1970 that never go back."""
    return _STARTED + time.monotonic()


_STARTED = time.time() - time.monotonic()


@cache
def register() -> Register:
    """The classes of this server."""
    settings = Settings.from_environment()
    made = Register(settings, Keys(_secret(settings)), clock, inline=prose.inline)
    made.listeners = LISTENERS
    return made


def _secret(settings: Settings) -> bytes:
    try:
        folder = cache_folder().parent
    except RuntimeError:  # a user without a home
        return settings.secret.encode()
    return secret_of(settings.secret, folder)


# A class goes on by itself while there is one.

_ticking: set[asyncio.Task[None]] = set()  # one, while there are classes
_errands: dict[str, asyncio.Task[None]] = {}  # by class: one at a time, so that no class keeps others waiting


def keep_time() -> None:
    """Have the classes go on with time, as long as there are some."""
    if not _ticking:
        task = asyncio.create_task(_tick())
        _ticking.add(task)
        task.add_done_callback(_ticking.discard)


async def _tick() -> None:
    for beat in itertools.count():
        if not register().classes:
            return
        try:
            if beat % GLANCES_PER_TICK == 0:
                register().tick()
            register().take_glances(BOARDS)
            start_errands()
        except Exception:
            log.exception("A second of the classes failed.")
        await asyncio.sleep(TICK_SECONDS / GLANCES_PER_TICK)


def start_errands() -> None:
    """Ask the workers for what classes need."""
    for of in list(register().classes.values()):
        if of.errands and of.code not in _errands:
            task = _errands[of.code] = asyncio.create_task(_run_all(of))
            task.add_done_callback(lambda _, code=of.code: _errands.pop(code, None))


async def _run_all(of: Classroom) -> None:
    while of.errands:
        await _run(of, of.errands.popleft())


async def _run(of: Classroom, errand: Errand) -> None:
    if errand.kind == "runs" and (of.vote is None or of.vote.id != errand.number):
        return  # the vote is over
    try:
        if errand.kind == "runs":
            operation = PlayForClass(errand.page, errand.experiment)
            compute = partial(pool().compute, f"class {of.code}", operation, PLAY_TIMEOUT)
            of.runs_found(errand.number, await asyncio.to_thread(compute))
        else:
            content, query = await asyncio.to_thread(BOARDS.checkpoint, errand.run)
            if (seat := of.seats.get(errand.number)) is not None:
                picture = tile(of, seat)
                of.snapshot_taken(errand, content, query, picture.bytes(picture.parts))
    except (*NO_ANSWER, ValueError) as problem:
        if errand.asked_by is not None:
            say = str(problem) if isinstance(problem, ValueError) else ""
            orders.refuse(errand.asked_by, {"do": errand.kind}, "no snapshot", say)


# Sockets.


async def socket(websocket: WebSocket) -> None:
    """One browser's line to its class."""
    await websocket.accept()  # a browser shows no reason for a socket that never opened
    address = "" if websocket.client is None else websocket.client.host
    ready = asyncio.Event()
    connection = Connection(ready.set)
    try:
        first = await asyncio.wait_for(_receive(websocket, MAX_FIRST_BYTES), FIRST_MESSAGE_SECONDS)
        of = register().enter(websocket.query_params.get("class"), first, connection, address)
    except TimeoutError:
        await _close(websocket, CLOSED["slow"])
        return
    except BadMessage:
        await _close(websocket, CLOSED["bad"])
        return
    except NotAdmitted as problem:
        await _close(websocket, CLOSED[problem.why], problem.reason)
        return
    except (WebSocketDisconnect, RuntimeError):
        return
    keep_time()
    del first  # what a student has kept is not kept here
    sender = asyncio.create_task(_send_all(websocket, of, connection, ready))
    listener = asyncio.create_task(_listen(websocket, of, connection))
    try:
        await asyncio.wait((sender, listener), return_when=asyncio.FIRST_COMPLETED)
    finally:
        of.depart(connection)
        connection.notes.clear()
        for task in (sender, listener):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await task


class BadMessage(ValueError):
    """A message that is too long, or no JSON object."""


async def _receive(websocket: WebSocket, most: int) -> dict[str, Any]:
    """The next message. Raises BadMessage, WebSocketDisconnect."""
    received = await websocket.receive()
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(received.get("code", 1005))
    text = received.get("text")
    if text is None or len(text) > most:
        raise BadMessage
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadMessage from None
    if not isinstance(message, dict):
        raise BadMessage
    return message


async def _listen(websocket: WebSocket, of: Classroom, connection: Connection) -> None:
    """Obey what a browser sends, until it leaves."""
    messages = Bucket(MESSAGES_PER_SECOND, 2 * MESSAGES_PER_SECOND, clock)
    is_teacher = connection.role == "teacher"
    rate = TEACHER_ACTS_PER_SECOND if is_teacher else float(of.settings.class_acts)
    most = MAX_PLAN_BYTES if is_teacher else MAX_MESSAGE_BYTES
    acts = Bucket(rate, 2 * rate, clock)
    while True:
        try:
            message = await _receive(websocket, most)
        except BadMessage:
            connection.dismiss("bad")
            return await asyncio.sleep(SLOW_SECONDS)  # the sender closes the socket
        except (WebSocketDisconnect, RuntimeError):
            return None
        if not messages.take():
            connection.dismiss("too many", "20")
            return await asyncio.sleep(SLOW_SECONDS)
        if message.get("do") not in QUIET and not acts.take():
            orders.refuse(connection, message, "fast")
            continue
        await _obey(of, connection, message)


async def _obey(of: Classroom, connection: Connection, message: dict[str, Any]) -> None:
    do = message.get("do")
    if connection.role == "join" and do == "join":
        wait = of.joins.reserve(MAX_JOIN_WAIT)
        if wait is None:
            orders.refuse(connection, message, "fast")
            return
        await asyncio.sleep(wait)
    if do == "board":  # a run's id stays here: the class knows its reader's name
        message = {**message, "run": BOARDS.shown(message.get("session"), message.get("run"))}
    if not of.has_ended and connection.closing is None:
        orders.obey(of, connection, message)
        start_errands()


async def _send_all(websocket: WebSocket, of: Classroom, connection: Connection, ready: asyncio.Event) -> None:
    """Send what is due, until the connection is to be closed. A browser that does not read delays nobody else."""
    try:
        while True:
            await ready.wait()
            ready.clear()
            async with asyncio.timeout(SLOW_SECONDS):
                for message in feed.messages(of, connection):
                    if isinstance(message, str):
                        await websocket.send_text(message)
                    else:
                        await websocket.send_bytes(message)
            if connection.closing is not None and not connection.notes:
                await _close(websocket, *connection.closing)
                return
            await asyncio.sleep(FOLD_SECONDS)
    except TimeoutError:
        await _close(websocket, CLOSED["slow"])
    except (WebSocketDisconnect, RuntimeError):
        pass  # the other side has gone


async def _close(websocket: WebSocket, code: int, reason: str = "") -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await websocket.close(code, reason)


# Requests.


async def start(request: Request) -> Response:
    """Start a class: 201 and its tokens, or a sentence."""
    wish = await _body(request)
    address = "" if request.client is None else request.client.host
    try:
        of = register().start(request.query_params.get("class"), wish, address)
    except NotStarted as problem:
        status = {"code": 409, "body": 400}.get(problem.why, 429)
        return JSONResponse({"why": problem.why, "say": str(problem)}, status, NOT_KEPT)
    keep_time()
    tokens = {"code": of.code, "token": of.token_of("teacher", 1), "projector": of.token_of("projector")}
    return JSONResponse(tokens, 201, NOT_KEPT)


async def file(request: Request) -> Response:
    """A file for the teacher: the table of the class, or a snapshot."""
    body = await _body(request) or {}
    of = register().find(request.query_params.get("class"))
    granted = None if of is None else of.admits(body.get("token"))
    if of is None or granted is None or granted.role != "teacher":
        if request.client is not None:
            register().wrong_codes.wrong(request.client.host)
        return JSONResponse({"say": NOT_YOURS}, 403, NOT_KEPT)
    kind = body.get("kind")
    if kind in ("names", "numbers"):
        content = afterwards.as_csv(afterwards.table(of, kind))
        return _download(content.encode(), FILE_NAME.format(code=of.code), "text/csv; charset=utf-8")
    number = body.get("id")
    found = of.snapshots.get(number) if isinstance(number, int) else None
    if kind != "snapshot" or found is None:
        return JSONResponse({"say": REFUSED["gone"]}, 404, NOT_KEPT)
    name = SNAPSHOT_NAME.format(page=found.board.page, step=found.step)
    return _download(found.content, name, "application/octet-stream")


def _download(content: bytes, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **NOT_KEPT}
    return Response(content, headers=headers, media_type=kind)


async def _body(request: Request) -> dict[str, Any] | None:
    """The JSON object that was sent; None where it is too long or of another form.

    It must say that it is JSON: a page of another site could not send that without asking first.
    """
    if not request.headers.get("content-type", "").startswith(JSON):
        return None
    try:
        found = orjson.loads(await sent_body(request, MAX_PLAN_BYTES) or b"")
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


ROUTES = [
    WebSocketRoute("/class/socket", socket),
    Route("/class/start", start, methods=["POST"]),
    Route("/class/file", file, methods=["POST"]),
]
