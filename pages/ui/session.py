"""A visitor's session: the server's workers, the session's runs in them, and what the pages remember between reruns."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from weakref import WeakValueDictionary

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.session_manager import SessionManager

from pages.ui import turns
from pages.ui.messages import TEXT
from playground.engine.commands import Pause, Play
from playground.engine.open_run import UnknownRun
from playground.knobs import Config, Value
from playground.predictions import Answer, Verdict
from playground.settings import Settings
from playground.workers.pool import WorkerPool
from playground.workers.wire import DrawnLab, Start

NO_ANSWER = (UnknownRun, CancelledError, TimeoutError)
KEY = "playground"  # everything in st.session_state that is not under this key is a widget's value


@cache
def pool() -> WorkerPool:
    """The server's workers, started when they are first needed."""
    started = WorkerPool(Settings.from_environment(), while_waiting=turns.away)
    started.start()
    return started


def why_not(error: Exception) -> str:
    """Why nothing came of what was asked of a run, in a sentence; `error` is one of NO_ANSWER or a refusal."""
    if isinstance(error, UnknownRun):
        return TEXT.page.no_run
    return TEXT.page.no_answer if isinstance(error, NO_ANSWER) else str(error)


@dataclass(frozen=True)
class SecondRun:
    """The run beside a lesson's own, and what it was opened for."""

    run_id: str
    first: str  # the id of the lesson's own run
    start: Start  # where it branched off
    knob: str
    value: Value


@dataclass
class Bench:
    """What a session remembers of one bench of knobs: a lesson that trains, a lab, or the choice of labs."""

    config: Config | None = None  # as it was read last
    link: dict[str, str] = field(default_factory=dict)  # its settings in the address, as the page wrote them last
    refused: list[str] = field(default_factory=list)  # what is wrong with a value that the board sent last
    chosen: bool = False  # a button has set the config since the last rerun
    run_id: str = ""
    run_config: Config | None = None  # that the run was given last
    replaced: str = ""  # the run in whose place another one was put on purpose: it does not come back
    plays: bool = False  # its run is to begin again at step 0 and play
    plays_steps: int = 0  # for this number of steps; 0 without end
    waits: bool = False  # its run is to begin again at step 0, paused
    second: SecondRun | None = None
    is_second_back: bool = False  # it came back from the browser since the last rerun
    compared: str = ""  # the knob that was compared last
    compared_values: dict[str, Value] = field(default_factory=dict)  # the second run's last value of each such knob
    comparison_problem: str = ""  # what is wrong with the comparison that the link asks for
    is_given: bool = False  # the teacher of the class sets it: locks do not hold until the page has read that


@dataclass
class Predicted:
    """What a session remembers of one prediction.

    It is asked ("open"), answered ("running", until the run shows the truth), compared with the truth ("graded"), or
    the visitor ran the experiment without an answer ("skipped"), or with other settings after it ("changed"), or the
    run did not answer in time ("late").
    """

    phase: Literal["open", "running", "graded", "skipped", "changed", "late"] = "open"
    answer: Answer | None = None
    verdict: Verdict | None = None
    why: str = ""  # the option that was chosen
    has_begun: bool = False  # the answer came on the board's own line, which has begun the run or drawn the lab


@dataclass
class Rail:
    """What a session remembers of the experiments of one lesson."""

    at: str = ""  # the id of the one that was set up last
    address: str = ""  # the id in the address, as the page wrote it last
    chosen: bool = False  # one was set up by its button since the last rerun
    number: int = 0  # how many were set up
    tried: set[str] = field(default_factory=set)  # the ids of those that were run
    opened: dict[str, str] = field(default_factory=dict)  # by bench: the one whose settings it had when it was opened
    predicted: dict[str, Predicted] = field(default_factory=dict)  # by the experiment's id


@dataclass(frozen=True)
class Upload:
    """What the page says about a file that the visitor uploaded."""

    accepted: bool
    sentence: str


@dataclass
class OwnTable:
    """What a session remembers of the popover with the student's own table."""

    source: Literal["text", "file"] = "text"  # which of the two was given last
    columns: tuple[int, ...] = ()  # as they were understood or chosen
    chosen_for: str = ""  # the table whose columns were chosen
    chosen: bool = False  # a choice was made since the last rerun, and waits to be used


@dataclass
class StillBoard:
    """The picture that a still board was sent last."""

    board_id: str = field(default_factory=lambda: secrets.token_urlsafe(16))  # unguessable: its socket's address
    digest: bytes = b""
    number: int = 0

    def take(self, drawn: DrawnLab) -> bool:
        """Remember what was drawn; whether it is a new picture."""
        is_new = drawn.number != self.number
        self.digest, self.number = drawn.digest, drawn.number
        return is_new


@dataclass(frozen=True)
class Still:
    """A still lab as a page of a class shows it, for those who may see that board."""

    bench: str
    config: Config
    text: Any  # a LabText of the board
    frame: bytes = b""  # as its socket sends it
    note: str = ""  # below the board, as HTML
    tables: str = ""


@dataclass
class Going:
    """Where a page goes for its class: until it is there, it may be asked again, as another rerun may come between."""

    what: Literal["placed", "ran"]  # of the session: what is done then
    n: int
    page: str = ""
    query: dict[str, str] = field(default_factory=dict)
    arrives: bool = False  # in this rerun


@dataclass
class OwnPlace:
    """Where a student was, with what, before the teacher of the class sent something."""

    page: str
    benches: dict[str, Bench]
    rails: dict[str, Rail]
    query: dict[str, str]
    widgets: dict[str, Any]  # the form of a comparison


@dataclass
class Session:
    """What the pages remember of one visitor, apart from the widgets' values."""

    name: str = field(default_factory=lambda: secrets.token_hex(8))  # by which the engine counts a session's runs
    page: str | None = None
    arrived: bool = False  # from another page, or for the first time, and the page has not read its link yet
    open: tuple[str, ...] = ()  # the benches whose widgets are on the page
    kept_parameters: dict[str, str] = field(default_factory=dict)  # of the link, apart from knobs
    problems: list[str] = field(default_factory=list)
    problems_of: Mapping[str, Config] | None = None  # the configs that the problems are shown with
    benches: dict[str, Bench] = field(default_factory=dict)
    boards: dict[str, StillBoard] = field(default_factory=dict)
    rails: dict[str, Rail] = field(default_factory=dict)  # by lesson
    uploads: dict[str, Upload] = field(default_factory=dict)  # by the uploader's key
    tables: dict[str, OwnTable] = field(default_factory=dict)  # by lesson
    returns: list[float] = field(default_factory=list)  # when runs of it were brought back last
    streamlit_id: str = ""  # by which Streamlit knows it
    # In a class.
    left_class: bool = False  # its browser has said that it leaves
    order: dict[str, Any] = field(default_factory=dict)  # what the bar has asked for since the last rerun
    placed: int = 0  # the number of the last send of the teacher's that was followed
    ran: int = 0  # the number of the last vote whose real run was shown
    going: Going | None = None
    own: OwnPlace | None = None
    given_page: str | None = None  # where the teacher sent it
    still: Still | None = None  # the still lab that is open

    def bench(self, name: str) -> Bench:
        """What is remembered of the bench of this name."""
        return self.benches.setdefault(name, Bench())

    def rail(self, lesson: str) -> Rail:
        """What is remembered of the experiments of the lesson of this name."""
        return self.rails.setdefault(lesson, Rail())

    def board(self, key: str) -> StillBoard:
        """What is remembered of the still board with this key."""
        return self.boards.setdefault(key, StillBoard())


_sessions: WeakValueDictionary[str, Session] = WeakValueDictionary()  # by name


def session() -> Session:
    """The session that this script runs for."""
    found = st.session_state.get(KEY)
    if not isinstance(found, Session):
        context = get_script_run_ctx()
        found = st.session_state[KEY] = Session(streamlit_id="" if context is None else context.session_id)
        _sessions[found.name] = found
    return found


def bench_of(name: str, run_id: str) -> tuple[Session, str] | None:
    """The session of this name and its bench that has this run; None where there is none."""
    found = _sessions.get(name)
    names = [] if found is None else [each for each, bench in list(found.benches.items()) if bench.run_id == run_id]
    return (found, names[0]) if found is not None and names and run_id else None


def board_of(board_id: str) -> tuple[Session, str, StillBoard] | None:
    """The session that has this still board, its lab, and the board; None where there is none."""
    for found in list(_sessions.values()):
        for key, board in list(found.boards.items()):
            if board.board_id == board_id:
                return found, key.removesuffix(":board"), board
    return None


def is_session(name: str) -> bool:
    """Whether there is a session of this name."""
    return name in _sessions


def still_of(name: str) -> Still | None:
    """The still lab that the session of this name shows, if its page is in a class."""
    found = _sessions.get(name)
    return None if found is None else found.still


def is_known(name: str) -> bool:
    """Whether the session of this name is connected, or can still be continued after its line was cut."""
    found = _sessions.get(name)
    return found is not None and streamlits_sessions().get_session_info(found.streamlit_id) is not None


def streamlit_id_of(name: str) -> str | None:
    """The name by which Streamlit knows the session of this name; None for one that is gone."""
    found = _sessions.get(name)
    return None if found is None else found.streamlit_id


def is_connected(streamlit_id: str) -> bool:
    """Whether a page has a socket to this session of Streamlit's."""
    return streamlits_sessions().is_active_session(streamlit_id)


def streamlits_sessions() -> SessionManager:
    """Streamlit's sessions, connected and not."""
    return runtime.get_instance()._session_mgr


def run_of(name: str, config: Config) -> str:
    """The id of the session's run of the bench of this name, brought up to date with the config; opened if missing."""
    bench = session().bench(name)
    before, plays, steps = bench.run_config or config, bench.plays, bench.plays_steps
    has_end = plays and steps > 0
    try:
        if not pool().has(bench.run_id):
            bench.run_id = pool().open(session().name, name, config, plays=plays and not has_end)
        elif plays or bench.waits or before.needs_rebuild_for(config):
            if bench.waits:
                pool().command(bench.run_id, Pause())
            pool().rebuild(bench.run_id, config, plays=plays and not has_end)
        elif before != config:
            pool().tune(bench.run_id, config)
        if has_end:
            pool().command(bench.run_id, Play(steps))
    except UnknownRun:  # closed between the two calls; the next rerun opens another
        pass
    else:
        bench.plays = bench.waits = False
    bench.run_config = config
    return bench.run_id


def replace_run(name: str, run_id: str, config: Config) -> None:
    """Continue with a run that is open already, in the place of the session's run of the bench of this name."""
    bench = session().bench(name)
    bench.run_id, bench.run_config, bench.replaced = run_id, config, bench.run_id
