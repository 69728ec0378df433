"""The app as it is, with one more websocket at /control that does what a page's script does: open, tune, close runs."""

import asyncio
from typing import Any

import orjson
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from app import app as real_app
from pages.ui.session import pool
from playground.lesson import Bench
from playground.lessons import LESSONS
from playground.lessons.regression.lesson import LESSON
from tests.load.questions import Process, Progress

CONFIG = LESSON.config(max_steps=0)
BENCHES: dict[str, Bench] = {bench.name: bench for lesson in LESSONS.values() for bench in lesson.benches}


async def control(socket: WebSocket) -> None:
    """Obey a message, and answer with a list: as `obey` says, or with the sentence of an error.

    A thread of its own obeys, as for a page's script: the event loop is free meanwhile.
    """
    await socket.accept()
    async for text in socket.iter_text():
        try:
            answer = await asyncio.to_thread(obey, orjson.loads(text))
        except (ValueError, KeyError, TimeoutError) as error:
            answer = [f"{type(error).__name__}: {error}"]
        await socket.send_bytes(orjson.dumps(answer))


def obey(message: dict[str, Any]) -> list[Any]:
    """One message; the answer is the ids of the runs it was about, or what was asked for each of them.

    {"open": count} and {"bench": [name, {knob: value}]} open runs of regression, or of any bench;
    {"runs": [[session, bench, {knob: value}], ...]} opens runs for these sessions;
    {"tune": [run id, {knob: value}]}, {"rebuild": [run id, bench, {knob: value}]}, {"close": [run id, ...]};
    {"draw": [session, lab, {knob: value}]}: the bytes of its frame;
    {"where": [run id, ...]}: the process of each; {"progress": [run id, ...]}: step and checksum of each;
    {"states": [run id, ...]}: the state of each; {"workers": true}: the fork server's process, then each worker's.
    """
    match message:
        case {"open": int(count)}:
            return [pool().open(f"viewer {number}", LESSON.name, CONFIG) for number in range(count)]
        case {"bench": [str(name), dict(values)]}:
            return [open_run("stranger", name, values)]
        case {"runs": list(wanted)}:
            return [open_run(*each) for each in wanted]
        case {"tune": [str(run_id), dict(values)]}:
            pool().tune(run_id, CONFIG.with_values(**values))
            return [run_id]
        case {"rebuild": [str(run_id), str(name), dict(values)]}:
            pool().rebuild(run_id, BENCHES[name].config(**values))
            return [run_id]
        case {"draw": [str(session), str(name), dict(values)]}:
            return [len(pool().draw(session, name, BENCHES[name].config(**values), b"", 0).frame)]
        case {"where": list(runs)}:
            return [pool().call(run_id, Process()) for run_id in runs]
        case {"progress": list(runs)}:
            return [pool().call(run_id, Progress()) for run_id in runs]
        case {"states": list(runs)}:
            return [pool().state_of(run_id) for run_id in runs]
        case {"workers": True}:
            return [pool().fork_server_pid, *pool().worker_pids]
        case {"close": list(runs)}:
            for run_id in runs:
                pool().close(run_id)
            return runs
    raise ValueError("There is no such message.")


def open_run(session: str, name: str, values: dict[str, Any]) -> str:
    """The id of a new run of a bench."""
    return pool().open(session, name, BENCHES[name].config(**values))


CONTROL = WebSocketRoute("/control", control)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The control for its own path, the real app for everything else."""
    if scope["type"] == "websocket" and scope["path"] == "/control":
        await CONTROL.handle(scope, receive, send)
    else:
        await real_app(scope, receive, send)
