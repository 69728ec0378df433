"""The frame of every lesson's page: a title row, the drawer with all settings beside the board, and what is below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import streamlit as st

from pages.ui import before_play, rail
from pages.ui.messages import TEXT, quoted
from pages.ui.popovers import share_replay
from pages.ui.routes.files import assets
from pages.ui.session import session
from pages.ui.widgets import knob_widgets
from playground.knobs import Config
from playground.lesson import Lesson

MAX_PROBLEMS = 4  # shown at once, however many a link has
Part = Literal["settings", "head", "idea", "actions", "large"]

_title = st.components.v2.component(
    "title",
    js=assets.loader("page/title.js"),
    css=assets.styles("title.css"),
    isolate_styles=False,
)


def page(*, tabs: bool) -> Any:
    """The whole screen: title row and workbench. With `tabs` the row has the choice of labs."""
    with st.container(key="page", gap=None):
        return st.container(key="page-tabs" if tabs else "page-plain", gap=None)


def title_row(lesson: Lesson, sentence: str, bench: str, config: Config, *, player: bool) -> tuple[Any, Any]:
    """The row at the top; its places for the choice of labs and for the content of "More".

    On a phone the player, where there is one, has the button that opens the drawer.
    """
    with st.container(key="title-row", horizontal=True, vertical_alignment="center", gap=None):
        with st.container(key="settings-of-player" if player else "settings", width="content"):
            _show(bench, "settings", changed=len(knob_widgets.changed(config)), label=_label(config))
        st.title(lesson.title, anchor=False, width="content")
        tabs = st.container(key="tabs", width="content")
        with st.container(key="sentence", width="stretch"):
            st.caption(sentence, wrap=False)
        _show(bench, "idea")
        with st.container(key="more", width="content"), st.popover(TEXT.page.more, type="tertiary"):
            return tabs, st.container(key="more-content")


def actions(bench: str, *, pin: bool = False, board: bool = True) -> None:
    """The items of "More" that act in the browser alone: pin the run, larger type, full screen."""
    _show(bench, "actions", pin=pin, board=board)


def large_type() -> None:
    """The button for larger type of a page that has no "More"."""
    _show("page", "large")


def workbench(problems: list[str]) -> tuple[Any, Any]:
    """The places for the drawer and for the board; the problems lie over the board's first row until they are read."""
    with st.container(key="workbench", horizontal=True, gap=None):
        drawer = st.container(key="drawer", gap=None)
        with st.container(key="board", gap=None):
            # Always here: a container that came and went would move the board to another place of the page.
            with st.container(key="problems", horizontal=True, gap=None):
                if problems:
                    with st.container(gap=None):
                        for problem in problems[:MAX_PROBLEMS]:
                            st.warning(quoted(problem))
                    st.button(TEXT.drawer.read, key="problems:read", type="tertiary", on_click=_forget_problems)
            return drawer, st.container(key="board-place", gap=None)


def _forget_problems() -> None:
    session().problems = []


def drawer_head(bench: str, config: Config) -> None:
    """The drawer's title, and the way back to the defaults."""
    _show(bench, "head")
    text = TEXT.drawer
    st.button(text.to_defaults, key=f"{bench}:defaults", help=text.to_defaults_help, type="tertiary",
              disabled=not knob_widgets.changed(config), on_click=knob_widgets.to_defaults, args=(bench,))  # fmt: skip


def share(lesson: Lesson, configs: Mapping[str, Config]) -> None:
    """The link to exactly these settings, and a teacher's link that hides some of the knobs."""
    place = st.expander(TEXT.share.title, key=f"{lesson.name}:share", on_change="rerun")
    if not place.open:
        return
    with place:
        st.caption(TEXT.share.settings)
        labels = {name: spec.label for config in configs.values() for name, spec in config.knobs().items()}
        hidden = st.multiselect(TEXT.share.hide, list(labels), format_func=labels.get, key=f"{lesson.name}:hide")
        modes = dict(TEXT.share.predict_modes)
        asks = st.selectbox(TEXT.share.predict, list(modes), format_func=modes.get, key=f"{lesson.name}:predict",
                            index=list(modes).index(before_play.mode()))  # fmt: skip
        query = {f"{name}_{knob}": text for name, config in configs.items() for knob, text in config.as_texts().items()}
        *_, (bench, config) = configs.items()
        if experiment := rail.in_address(lesson, bench, config):
            query[knob_widgets.try_parameter(lesson.name)] = experiment
        if hidden:
            query[knob_widgets.HIDE] = ",".join(hidden)
        if asks != before_play.MODES[0]:
            query[before_play.PARAMETER] = asks
        st.code(share_replay.address(lesson, query), language=None, wrap_lines=True)
        share_replay.offer(lesson, query)


def _label(config: Config) -> str:
    """The drawer's name, with the number of settings that differ from their defaults."""
    count, text = len(knob_widgets.changed(config)), TEXT.drawer
    return text.one_changed if count == 1 else text.changed.format(count=count) if count else text.title


def _show(bench: str, part: Part, **data: Any) -> None:
    """One of the parts of the row, the drawer and "More" that need no rerun."""
    text = TEXT.drawer
    words = {
        "settings": text.title, "close": text.close, "idea": text.idea, "pin": text.pin, "large": text.large,
        "largeShort": text.large_short,
        "fullScreen": text.full_screen, "largeNotKept": text.large_not_kept,
    }  # fmt: skip
    width: Any = "stretch" if part in ("head", "actions") else "content"
    _title(key=f"{bench}:{part}", data={"part": part, "words": words, **data}, width=width)
