"""The anatomy of a lesson's page: header, knobs beside the board, prose, and the way to the next lesson."""

from __future__ import annotations

import inspect
import re
import secrets
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import streamlit as st

from pages.ui import board, controls
from pages.ui.stream import engine
from playground.engine import UnknownRun
from playground.knobs import Config, as_texts, knobs, needs_rebuild, parse
from playground.lesson import Lesson
from playground.lessons import LESSONS

GROUPS = ("Data", "Model", "Training")
TRY_THIS = re.compile(r"^- \[(?P<title>[^\]]+)\]\(\?(?P<query>[^)]*)\):? ?(?P<text>.*)$")
CHECK = re.compile(r"^- (?P<question>.*?) :: (?P<answer>.*)$")

Extra = Callable[[str], None]


def show(lesson: Lesson, extra: Extra | None = None) -> None:
    """The whole page. `extra` fills the popover "Data" for the run whose id it is given."""
    _workbench(lesson, extra)
    _prose(lesson)
    _neighbours(lesson)


@st.fragment
def _workbench(lesson: Lesson, extra: Extra | None) -> None:
    """Everything that a turned knob changes; a knob reruns this much of the page and no more."""
    config, problems = controls.read(lesson.name, lesson.config)
    controls.write_link(lesson.name, config)
    run_id = _run(lesson, config)
    _header(lesson, config, run_id, extra)
    for problem in problems:
        st.warning(problem)
    with st.container(key="workbench"):
        # The board stands first, so that on a narrow screen the charts come before the knobs; a wide one swaps them.
        charts, knob_column = st.columns([3.4, 1])
        with knob_column, st.container(key="knobs"):
            controls.show(lesson.name, config, GROUPS)
        with charts:
            board.live(f"{lesson.name}:board", run_id, lesson.charts, lesson.status)


def _run(lesson: Lesson, config: Config) -> str:
    """The session's run of this lesson, brought up to date with the config; opened if there is none."""
    slot, session = f"{lesson.name}:run", st.session_state.setdefault("session", secrets.token_hex(8))
    run_id, built = st.session_state.get(slot, ("", config))
    try:
        if not engine().has(run_id):
            run_id = engine().open(session, partial(lesson.build, settings=engine().settings), config)
        elif needs_rebuild(built, config):
            engine().rebuild(run_id, config)
        elif built != config:
            engine().tune(run_id, config)
    except UnknownRun:  # dropped between the two calls; the next rerun opens another
        pass
    st.session_state[slot] = (run_id, config)
    return run_id


def _header(lesson: Lesson, config: Config, run_id: str, extra: Extra | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="lesson-header"):
        with st.container(width="stretch"):
            st.title(lesson.title, anchor=False)
            st.caption(lesson.sentence)
        with st.popover("Presets"):
            for title, values in lesson.presets.items():
                st.button(title, key=f"{lesson.name}:preset:{title}", width="stretch",
                          on_click=controls.use, args=(lesson.name, lesson.config(**values)))  # fmt: skip
        if extra is not None:
            with st.popover("Data"):
                extra(run_id)
        with st.popover("Share"):
            _share(lesson, config)


def _share(lesson: Lesson, config: Config) -> None:
    """The link to exactly these settings, and a teacher's link that hides some of the knobs."""
    st.caption("This link opens the lesson with the settings you see now.")
    specs = knobs(type(config))
    hidden = st.multiselect("Hide from students", list(specs), format_func=lambda name: specs[name].label,
                            key=f"{lesson.name}:hide")  # fmt: skip
    query = {f"{lesson.name}_{name}": text for name, text in as_texts(config).items()}
    if hidden:
        query[controls.HIDE] = ",".join(hidden)
    address = urlsplit(st.context.url or f"/{lesson.name}")
    st.code(urlunsplit(address._replace(query=urlencode(query), fragment="")), language=None, wrap_lines=True)


def _prose(lesson: Lesson) -> None:
    with st.container(key="prose"):
        for heading, text in lesson.prose.items():
            st.subheader(heading, anchor=False)
            if heading == "Try this":
                _try_this(lesson, text)
            elif heading == "Check yourself":
                _check_yourself(text)
            else:
                st.markdown(text)
        _code(lesson)


@st.fragment
def _code(lesson: Lesson) -> None:
    """The source of what runs, on demand: the highlighter is over half a second of a slow machine's first load."""
    if st.toggle("Show the code that runs here", key=f"{lesson.name}:code"):
        for shown in lesson.code:
            st.code(inspect.getsource(shown), language="python")


def experiments(lesson: Lesson) -> list[tuple[str, Config, str]]:
    """The "Try this" items: title, the config that sets it up, what to do. Raises ValueError for an illegal link."""
    found = []
    for line in lesson.prose["Try this"].splitlines():
        if match := TRY_THIS.match(line):
            texts = {name.removeprefix(f"{lesson.name}_"): text for name, text in parse_qsl(match["query"])}
            config, problems = parse(lesson.config, texts)
            if problems:
                raise ValueError(f"“{match['title']}” in {lesson.name}.md: {' '.join(problems)}")
            found.append((match["title"], config, match["text"]))
    return found


def _try_this(lesson: Lesson, text: str) -> None:
    for title, config, what in experiments(lesson):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(title, key=f"{lesson.name}:try:{title}", on_click=controls.use, args=(lesson.name, config))
            st.markdown(what)


def _check_yourself(text: str) -> None:
    for line in text.splitlines():
        if match := CHECK.match(line):
            with st.expander(match["question"]):
                st.markdown(match["answer"])


def _neighbours(lesson: Lesson) -> None:
    """Links to the lessons before and after this one."""
    names = list(LESSONS)
    at = names.index(lesson.name)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if at == 0:
            st.page_link("home.py", label="← Home")
        else:
            st.page_link(f"{names[at - 1]}.py", label=f"← {LESSONS[names[at - 1]].title}")
        if at + 1 < len(names):
            st.page_link(f"{names[at + 1]}.py", label=f"{LESSONS[names[at + 1]].title} →")
