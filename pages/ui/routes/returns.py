"""A run comes back that no server has any more: its browser gives back what it has kept.

    POST /return/<run id>    the header Session: the page's name; the body: the length of a JSON text in 4 bytes,
                             little-endian, the text {"keep": ..., "step": that was shown}, and the bytes of a state;
                             of two compared runs the text also has "second": {"keep": ..., "state": the number of
                             bytes of its state}, which come last

The run of this id, which the page has just opened, is replaced by what comes back. The answer is JSON: {"run": its id},
{"why": a sentence} where what was kept is refused, or {} where the page's own run stays, because its address has other
settings, or because the other run is still there. Nobody else notices what is sent: it is read in a worker as an
uploaded file is, a few at a time, first come first served, and each session may try a few times.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pages.ui.routes.allowance import sent_body
from pages.ui.session import NO_ANSWER, SecondRun, Session, bench_of, pool

MAX_TEXT = 1_400_000  # bytes of the JSON text: what is kept of two runs are texts in it
MAX_AT_ONCE = 4  # are read by the workers; more wait in line
MAX_TRIES, TRIES_SECONDS = 12, 60.0  # of one session
MAX_READ_SECONDS = 60.0  # of a body on a slow line
MAX_STEP = 10**12
NOT_STORED = {"Cache-Control": "no-store"}
# The sentences of refusals.
TOO_LARGE = "What the browser kept of it is too large."
TOO_MANY = "Its page has asked for it too often; wait a minute, then load the page again."
UNREADABLE = "What the browser kept of it is damaged."
NO_PAGE = "There is no such page."
BUSY = "The server did not answer in time."


@dataclass(frozen=True)
class Asked:
    """What a browser gives back: of its run a head, the step that was shown last and a state; of the one beside it."""

    head: str
    last_step: int
    state: bytes
    beside: tuple[str, bytes] | None = None


_turns = asyncio.Semaphore(MAX_AT_ONCE)


async def bring_back(request: Request) -> Response:
    """Bring back the run that a page's browser has kept."""
    replaced = request.path_params["run_id"]
    found = bench_of(request.headers.get("session", ""), replaced)
    if found is None:
        return _refusal(NO_PAGE, 404)
    session, bench = found
    if not _may_try(session):
        return _refusal(TOO_MANY, 429)
    try:
        async with asyncio.timeout(MAX_READ_SECONDS):
            body = await sent_body(request, 4 + MAX_TEXT + 2 * 1_000 * pool().settings.kept_kb)  # of two runs
    except TimeoutError:
        return _refusal(UNREADABLE, 400)
    if body is None:
        return _refusal(TOO_LARGE, 413)
    if (asked := _parse(body)) is None:
        return _refusal(UNREADABLE, 400)
    async with _turns:
        try:
            run_id = await run_in_threadpool(_come_back, session, bench, replaced, asked)
        except NO_ANSWER:
            return _refusal(BUSY, 503)
        except ValueError as error:
            return _refusal(str(error), 422)
    return JSONResponse({"run": run_id} if run_id else {}, headers=NOT_STORED)


def _come_back(session: Session, bench_name: str, replaced: str, asked: Asked) -> str:
    """The id of the run that is back, which the session has from now on; "" where its own run stays."""
    bench = session.bench(bench_name)
    config, before = bench.run_config, _run_in(asked.head)
    if bench.run_id != replaced or config is None or (before and (before == bench.replaced or pool().has(before))):
        return ""
    found = pool().come_back(
        session.name, bench_name, config, asked.head, asked.state, asked.last_step, replaced, asked.beside
    )
    if found.run_id:
        bench.run_id = found.run_id
    if (second := found.second) is not None:
        bench.second = SecondRun(second.run_id, found.run_id, second.start, second.knob, second.value)
        bench.is_second_back = True
    return found.run_id


def _run_in(head: str) -> str:
    """The id that the run had, so that one which is still there is not doubled."""
    try:
        found = orjson.loads(head)
    except orjson.JSONDecodeError:
        return ""
    run_id = found.get("run") if isinstance(found, dict) else ""
    return run_id if isinstance(run_id, str) else ""


def _may_try(session: Session) -> bool:
    now = time.monotonic()
    session.returns[:] = [at for at in session.returns if now - at < TRIES_SECONDS]
    if len(session.returns) >= MAX_TRIES:
        return False
    session.returns.append(now)
    return True


def _parse(body: bytes) -> Asked | None:
    """What a body gives back; None for one of another form."""
    length = int.from_bytes(body[:4], "little")
    if len(body) < 4 or length > min(MAX_TEXT, len(body) - 4):
        return None
    try:
        asked: Any = orjson.loads(body[4 : 4 + length])
    except orjson.JSONDecodeError:
        return None
    if not isinstance(asked, dict) or not isinstance(asked.get("keep"), str):
        return None
    last_step = asked.get("step")
    if type(last_step) is not int or not 0 <= last_step <= MAX_STEP:
        return None
    states, second = body[4 + length :], asked.get("second")
    if second is None:
        return Asked(asked["keep"], last_step, states)
    if not isinstance(second, dict) or not isinstance(second.get("keep"), str):
        return None
    size = second.get("state")
    if type(size) is not int or not 0 <= size <= len(states):
        return None
    at = len(states) - size
    return Asked(asked["keep"], last_step, states[:at], (second["keep"], states[at:]))


def _refusal(why: str, status: int) -> Response:
    return JSONResponse({"why": why}, status_code=status, headers=NOT_STORED)


ROUTES = [Route("/return/{run_id}", bring_back, methods=["POST"])]
