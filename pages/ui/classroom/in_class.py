"""A page of the app in a class: it follows the teacher, and says to the bar in the browser where it is.

    in_class.follow(pages)     before the page runs: what the bar has asked for
    in_class.report(page)      after it: the component through which the bar asks

The bar (`static/classroom/bar.js`) has the line to the class. What it sends here is only a number: where the teacher
sent this student, and what the student said, is read from the class itself.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import streamlit as st

from pages.ui import compare, rail
from pages.ui.classroom import locks
from pages.ui.classroom.boards import BOARDS
from pages.ui.classroom.words import NO_PLACE
from pages.ui.routes.classroom.sockets import LISTENERS, register
from pages.ui.session import NO_ANSWER, Going, OwnPlace, pool, replace_run, session, why_not
from pages.ui.widgets import knob_widgets
from playground.classroom.classroom import Classroom
from playground.classroom.records import Seat, Send
from playground.lesson import LiveLesson
from playground.lessons import BENCHES, LESSONS

KEY = "class:page"
MAX_GIVEN = 8  # checkpoints of runs that teachers have sent lately
ORDERS = ("go", "run", "back", "again", "leave")
Pages = Mapping[str, Any]  # Streamlit's page of each lesson, by its name, and of "" for the home page

log = logging.getLogger(__name__)

_component = st.components.v2.component(
    "class",
    # The modules of a class are only there where the page was opened with its code.
    js='const found = window.__modules["classroom/bar.js"];\nexport default found ? found.default : () => () => {};\n',
    isolate_styles=False,
)


def follow(pages: Pages, page: str) -> None:
    """Do what the bar has asked for: go where the teacher is, show the real run, come back, or leave the class."""
    state = session()
    order, state.order = state.order, {}
    if not locks.code():
        return
    if state.going is not None:
        state.going.arrives = (
            page == state.going.page and state.going.query.items() <= st.query_params.to_dict().items()
        )
    if order.get("leave") is True:
        state.left_class = True
        state.kept_parameters.pop(locks.PARAMETER, None)
        st.query_params.pop(locks.PARAMETER, None)
        return
    if order.get("back") is True and state.own is not None:
        _come_back(pages, page)
        return
    found = _seat()
    if found is None:
        return
    if "go" in order and found.sent is not None and found.sent.n > state.placed:
        state.going = Going("placed", found.sent.n)
        if found.sent.kind != "back":
            _go(pages, page, found.sent)
        elif state.own is not None:
            _come_back(pages, page)
        state.going.arrives = True
    elif "run" in order:
        _run_vote(pages, page, found)


def report(page: str) -> None:
    """Say to the bar where the page is; it asks through this component."""
    if not locks.code():
        return
    found, state = locks.classroom(), session()
    for bench in state.benches.values():
        bench.is_given = False  # what the teacher has set is read
    if state.going is not None and state.going.arrives:
        setattr(state, state.going.what, state.going.n)
        state.going = None
    if state.still is not None and state.still.bench not in _benches(page):
        BOARDS.shows_still(None)
    names = () if found is None or locks.is_teacher() else found.locks
    data = {
        "session": state.name, "page": page, "placed": state.placed, "ran": state.ran, "back": state.own is not None,
        "locks": list(names), "labels": _labels(names),
    }  # fmt: skip
    with st.container(key="class-page"):
        _component(key=KEY, data=data, on_order_change=_take_order)


def _take_order() -> None:
    """Take what the bar asks for; there is nothing where a page was left before it was shown: the bar asks again."""
    _take(getattr(st.session_state.get(KEY), "order", None))


def _take(order: Any) -> None:
    """Remember what the bar asks for; a browser can send anything, and nonsense is ignored."""
    if isinstance(order, dict):
        session().order = {name: order[name] for name in ORDERS if name in order}


def _seat() -> Seat | None:
    """The seat that this page belongs to."""
    of, name = locks.classroom(), session().name
    return None if of is None else next((each for each in list(of.seats.values()) if each.board.session == name), None)


def _labels(names: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for bench in BENCHES.values():
        knobs = bench.config.knobs()
        found |= {name: knobs[name].label for name in names if name in knobs and name not in found}
    return found


# To the teacher's place, and back.


def _go(pages: Pages, page: str, sent: Send) -> None:
    """Open the place where the teacher sent this student; the student's own runs there are kept aside."""
    target = sent.place.page
    is_plain = sent.kind == "place" and not sent.place.query and sent.place.experiment is None
    if target not in pages or (is_plain and page == target):  # who is there already keeps the own run
        return
    _keep_own(page, target)
    query = dict(parse_qsl(sent.place.query.removeprefix("?"), keep_blank_values=True))
    query.pop(locks.PARAMETER, None)
    if sent.place.experiment and target:
        query.setdefault(knob_widgets.try_parameter(target), sent.place.experiment)
    for bench in _benches(target):
        session().bench(bench).is_given = True
    if sent.kind == "run" and sent.run is not None:
        query = _give_run(target, sent, query)
    _open(pages, page, target, query)


def _keep_own(page: str, target: str) -> None:
    """Keep aside what the student has made, unless it is only what the teacher has sent before."""
    state, before = session(), session().own
    if before is None or page != state.given_page:
        benches, rails, widgets = dict(state.benches), dict(state.rails), compare.widgets(page)
        if before is not None and state.given_page is not None:  # what was sent earlier is not the student's own
            benches |= {name: before.benches[name] for name in _benches(state.given_page) if name in before.benches}
            rails |= {name: before.rails[name] for name in (state.given_page,) if name in before.rails}
        state.own = OwnPlace(page, benches, rails, st.query_params.to_dict(), widgets)
    state.benches = {name: bench for name, bench in state.benches.items() if name not in _benches(target)}
    state.rails = {name: found for name, found in state.rails.items() if name != target}
    state.given_page = target
    for key in compare.widgets(target):
        del st.session_state[key]


def _come_back(pages: Pages, page: str) -> None:
    """Back to what the student had before the teacher sent something."""
    state = session()
    own, state.own, state.given_page = state.own, None, None
    assert own is not None
    state.benches, state.rails = state.benches | own.benches, state.rails | own.rails
    for name, bench in own.benches.items():
        bench.chosen = bench.is_given = True  # what the address says is older
        if bench.config is not None:
            knob_widgets.set_widgets(name, bench.config)
    for key in compare.widgets(own.page):
        del st.session_state[key]
    for key, value in own.widgets.items():
        st.session_state[key] = value
    _open(pages, page, own.page, own.query)


def _open(pages: Pages, page: str, target: str, query: Mapping[str, str]) -> None:
    state = session()
    query = {**query, **state.kept_parameters}
    if state.going is not None:
        state.going.page, state.going.query = target, query
    if page == target:
        st.query_params.from_dict(query)
        state.arrived = False
    else:
        st.switch_page(pages[target], query_params=query)


def _benches(page: str) -> list[str]:
    """The names of the benches of a page, and of its choice of labs."""
    return [page, *(bench.name for bench in LESSONS[page].benches)] if page in LESSONS else []


# A run that the teacher has sent.

_given: OrderedDict[tuple[str, int], bytes] = OrderedDict()
_giving = threading.Lock()


def _give_run(target: str, sent: Send, query: dict[str, str]) -> dict[str, str]:
    """Continue in a new run with what the teacher's run was; without one, from its settings."""
    lesson = LESSONS.get(target)
    if not isinstance(lesson, LiveLesson) or sent.run is None:
        return query
    try:
        content = _checkpoint(sent)
        found = pool().restore(session().name, lesson.name, content, "class.safetensors", "")
    except (*NO_ANSWER, ValueError) as error:
        session().problems = [NO_PLACE.format(reason=why_not(error))]
        return query
    replace_run(lesson.name, found.run_id, found.config)  # type: ignore[union-attr]
    knob_widgets.set_widgets(lesson.name, found.config)  # type: ignore[union-attr]
    session().bench(lesson.name).chosen = True
    return {f"{lesson.name}_{name}": text for name, text in found.config.as_texts().items()}  # type: ignore[union-attr]


def _checkpoint(sent: Send) -> bytes:
    """The teacher's run as a file, made once for the whole class. Raises ValueError."""
    key = (locks.code(), sent.n)
    with _giving:
        if key not in _given:
            _given[key] = BOARDS.checkpoint(sent.run or "")[0]
            if len(_given) > MAX_GIVEN:
                _given.popitem(last=False)
        return _given[key]


# The real run of a vote.


def _run_vote(pages: Pages, page: str, seat: Seat) -> None:
    """Run the experiment that the class has voted on, with this student's own answer, which the run then grades."""
    of, state = locks.classroom(), session()
    vote = None if of is None else of.vote
    if vote is None or vote.state != "run" or vote.id <= state.ran:
        return
    state.going = Going("ran", vote.id)
    question = vote.question
    lesson = LESSONS[question.page]
    _keep_own(page, question.page)
    for bench in _benches(question.page):
        session().bench(bench).is_given = True
    rail.run_with_answer(lesson, question.experiment, vote.second.get(seat.number, vote.first.get(seat.number)))
    _open(pages, page, question.page, {})
    state.going.arrives = True


def _after_a_change(of: Classroom) -> None:
    """Let the runs of a class rest while all look up or follow; of a class that has ended, nothing is kept."""
    rests = not of.has_ended and (of.eyes or of.is_on_its_way)
    BOARDS.rest(of.code, of.sessions() if rests else (), obey=not of.eyes)
    if of.has_ended:
        if not register().classes:
            BOARDS.reports((), ())  # nobody looks any more
        with _giving:
            for key in [key for key in _given if key[0] == of.code]:
                del _given[key]


LISTENERS.append(_after_a_change)
