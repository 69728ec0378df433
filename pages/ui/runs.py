"""The session's runs: one for each lesson or lab, brought up to date with its config on every rerun."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial

import streamlit as st

from pages.ui.routes.live import engine
from playground.engine.engine import UnknownRun
from playground.engine.run import Run
from playground.knobs import Config


def run_of(name: str, build: Callable[..., Run], config: Config) -> str:
    """The id of the session's run of this name, brought up to date with the config; opened if there is none."""
    slot = f"{name}:run"
    run_id, built = st.session_state.get(slot, ("", config))
    try:
        if not engine().has(run_id):
            run_id = engine().open(_session(), partial(build, settings=engine().settings), config)
        elif built.needs_rebuild_for(config):
            engine().rebuild(run_id, config)
        elif built != config:
            engine().tune(run_id, config)
    except UnknownRun:  # dropped between the two calls; the next rerun opens another
        pass
    st.session_state[slot] = (run_id, config)
    return run_id


def put_in_place(name: str, run: Run, config: Config, build: Callable[..., Run]) -> None:
    """Go on with a run that exists already, instead of the session's run of this name."""
    before, _ = st.session_state.get(f"{name}:run", ("", config))
    engine().close(before)

    def given(asked: Config) -> Run:
        return run if asked == config else build(asked, settings=engine().settings)

    st.session_state[f"{name}:run"] = (engine().open(_session(), given, config), config)


def _session() -> str:
    key: str = st.session_state.setdefault("session", secrets.token_hex(8))
    return key
