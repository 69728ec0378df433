"""Whether the server still knows a page's session."""

from __future__ import annotations

import asyncio
import gc
import http.client
from types import SimpleNamespace

import pytest
import streamlit as st
from starlette.requests import Request
from starlette.responses import Response

from pages.ui import session as sessions
from pages.ui.routes import sessions as route


@pytest.fixture
def streamlits(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The ids of the sessions that Streamlit has, connected or not."""
    ids = {"one"}
    manager = SimpleNamespace(get_session_info=lambda session_id: "info" if session_id in ids else None)
    monkeypatch.setattr(sessions, "streamlits_sessions", lambda: manager)
    monkeypatch.setattr(sessions, "get_script_run_ctx", lambda: SimpleNamespace(session_id="one"))
    monkeypatch.setattr(st, "session_state", {})
    return ids


def answer(name: str) -> Response:
    return asyncio.run(route.answer(Request({"type": "http", "path_params": {"name": name}})))


def test_a_session_is_known_as_long_as_streamlit_has_it(streamlits: set[str]) -> None:
    name = sessions.session().name
    assert sessions.session().name == name, "the same session at each rerun"
    assert answer(name).body == b"known"
    streamlits.clear()
    assert answer(name).body == b"gone"
    assert answer(name).headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("streamlits")
def test_a_session_that_streamlit_dropped_is_gone_and_leaves_nothing_behind() -> None:
    name = sessions.session().name
    st.session_state.clear()
    gc.collect()
    assert answer(name).body == b"gone"
    assert name not in sessions._sessions


def test_another_servers_session_is_gone(app_url: str) -> None:
    connection = http.client.HTTPConnection(app_url.removeprefix("http://"), timeout=10)
    connection.request("GET", "/session/0123456789abcdef")
    assert connection.getresponse().read() == b"gone"
    connection.close()
