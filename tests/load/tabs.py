"""A browser tab without a browser: Streamlit's own socket, over which pages are run as for a student."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streamlit.components.v2.bidi_component.main import _make_trigger_id as trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE_SECONDS = 30.0
KEPT_SECONDS = 20  # a session whose visitor has left
BRIEF_SESSIONS = (  # a server whose sessions end soon, so that the end of a lesson need not be waited for
    *(sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"),
    *("--server.address=127.0.0.1", "--server.port={port}", f"--server.disconnectedSessionTTL={KEPT_SECONDS}"),
)


class Tab:
    """One session of Streamlit's, on one page at a time."""

    def __init__(self, url: str, socket: ClientConnection) -> None:
        self.url, self.socket = url, socket
        self.session = ""
        self.board: dict[str, Any] = {}  # the data of the page's board: its run, its charts
        self.in_class: dict[str, Any] = {}  # what the page says to the bar of a class
        self.page, self.query = "", ""  # as Streamlit names them
        self._bar = ""  # the component through which the bar asks

    @property
    def run_id(self) -> str:
        """The page's live run; "" where it has none."""
        return str(self.board.get("run", ""))

    async def rerun(self, page: str, query: str = "", patience: float = PATIENCE_SECONDS) -> float:
        """Have Streamlit run a page, and wait until it has; returns the seconds that this took."""
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = query
        self.query = query
        start = time.monotonic()
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(patience):
            while await self.receive() != "script_finished":
                pass
        return time.monotonic() - start

    async def receive(self) -> str:
        """Take the next message of Streamlit's, and return its kind."""
        came = ForwardMsg()
        came.ParseFromString(await self.socket.recv(decode=False))
        kind = str(came.WhichOneof("type"))
        component = came.delta.new_element.bidi_component
        if kind == "new_session":
            self.session, self.page = came.new_session.initialize.session_id, came.new_session.page_script_hash
        elif kind == "page_info_changed":
            self.query = came.page_info_changed.query_string
        elif component.component_name.endswith("board"):
            self.board = json.loads(component.json or "{}") or self.board
        elif component.component_name == "class":
            self._bar, self.in_class = component.id, json.loads(component.json)
        return kind

    async def ask_page(self, order: dict[str, Any]) -> None:
        """Have the page do what the bar of a class asks for, as its component does."""
        message = BackMsg()
        message.rerun_script.page_script_hash, message.rerun_script.query_string = self.page, self.query
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.json_value = self._bar, "{}"
        said = message.rerun_script.widget_states.widgets.add()
        said.id = trigger_id(self._bar, "events")
        said.json_trigger_value = json.dumps([{"event": "order", "value": order}])
        await self.socket.send(message.SerializeToString())

    def board_socket(self) -> connect:
        """The live stream of the page's run, as a context."""
        address = f"{self.url.replace('http', 'ws')}/live/{self.run_id}"
        return connect(address, origin=self.url, max_size=None, proxy=None)  # type: ignore[arg-type]

    def still_socket(self) -> connect:
        """The socket of the page's still board, as a context."""
        address = f"{self.url.replace('http', 'ws')}/still/{self.board['board']}"
        return connect(address, origin=self.url, max_size=None, proxy=None)  # type: ignore[arg-type]


@asynccontextmanager
async def open_tab(url: str) -> AsyncIterator[Tab]:
    """A tab that no page has been opened in yet."""
    address = f"{url.replace('http', 'ws')}/_stcore/stream"
    protocols = [Subprotocol("streamlit")]
    async with connect(address, subprotocols=protocols, origin=url, max_size=None, proxy=None) as socket:  # type: ignore[arg-type]
        yield Tab(url, socket)
