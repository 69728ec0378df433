"""The app as it is, with one more websocket at /control that does what a page's script does: open, tune, close runs."""

from functools import partial
from typing import Any

import orjson
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from app import app as real_app
from pages.ui.session import engine
from playground.lesson import Bench
from playground.lessons import LESSONS
from playground.lessons.data_loader import timeline as data_loader_timeline
from playground.lessons.regression.lesson import LESSON

CONFIG = LESSON.config(max_steps=0)
BENCHES: dict[str, Bench] = {bench.name: bench for lesson in LESSONS.values() for bench in lesson.benches}


async def control(socket: WebSocket) -> None:
    """Obey a message, and answer with the ids of the runs it was about.

    {"open": count}, {"bench": [name, {knob: value}]}, {"timeline": {knob: value}}, {"tune": [run id, {knob: value}]},
    {"rebuild": [run id, name, {knob: value}]}, {"close": [run id, ...]}.
    """
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_bytes(orjson.dumps(obey(orjson.loads(text))))


def obey(message: dict[str, Any]) -> list[str]:
    """One message; the answer is the ids of the runs it was about."""
    build = partial(LESSON.build, settings=engine().settings)
    if "open" in message:
        return [engine().open(f"viewer {number}", build, CONFIG) for number in range(message["open"])]
    if "bench" in message:
        name, values = message["bench"]
        bench: Any = BENCHES[name]
        return [engine().open("stranger", partial(bench.build, settings=engine().settings), bench.config(**values))]
    if "rebuild" in message:
        run_id, name, values = message["rebuild"]
        engine().rebuild(run_id, BENCHES[name].config(**values))
        return [run_id]
    if "timeline" in message:
        read = partial(data_loader_timeline.build, settings=engine().settings)
        return [engine().open("reader", read, data_loader_timeline.TimelineConfig(**message["timeline"]))]
    if "tune" in message:
        run_id, values = message["tune"]
        engine().tune(run_id, CONFIG.with_values(**values))
        return [run_id]
    for run_id in message["close"]:
        engine().close(run_id)
    return message["close"]


CONTROL = WebSocketRoute("/control", control)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The control for its own path, the real app for everything else."""
    if scope["type"] == "websocket" and scope["path"] == "/control":
        await CONTROL.handle(scope, receive, send)
    else:
        await real_app(scope, receive, send)
