"""Values that no widget has sent: a browser can send anything on Streamlit's own socket, and it is read in one place.

Streamlit gives each value to its widget as it comes, of any type, and what fails there is a traceback on the page and
in the log. Here a value that is not of its widget's type, or that the widget cannot read, becomes the widget's default,
which is the knob's current value; what a value means is checked by the knobs. The log has one line for such a value,
and the traceback of an error only once in a while.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from streamlit import logger as streamlit_logger
from streamlit.runtime.state.session_state import Serialized, WStates
from streamlit.runtime.uploaded_file_manager import DeletedFile

QUIET_SECONDS = 60.0  # after an error was logged, until the same one is logged again
MAX_REMEMBERED = 200  # errors
LEFT_OUT = "A browser sent a value of an impossible kind for the widget “%s”. It was left out."
BAD_MESSAGE = "A browser sent a message that is not one of Streamlit's. Its connection was closed."
UNREADABLE = "Error deserializing back message"  # Streamlit's own words for a message that is no protobuf
READS_A_MESSAGE = ("receive_bytes", "_websocket_endpoint")  # functions that raise for a message that is text
WHOLE = {"int_value": "double_value"}  # as a field for integers sends its number, though it is declared otherwise
STREAMLIT = (
    "streamlit.error_util",
    "streamlit.runtime.app_session",
    "streamlit.web.server.starlette.starlette_websocket",
)

log = logging.getLogger(__name__)


def check_all() -> None:
    """Check every widget's value from now on, and keep the log short. A second call does nothing."""
    if getattr(WStates.__getitem__, "checks", False):
        return
    WStates.__getitem__ = _checked(WStates.__getitem__)  # type: ignore[method-assign]
    once = OnceInAWhile()
    log.addFilter(once)
    for name in STREAMLIT:
        streamlit_logger.get_logger(name).addFilter(once)
    logging.getLogger("uvicorn.error").addFilter(once)


def _checked(read: Callable[[WStates, str], Any]) -> Callable[[WStates, str], Any]:
    """Streamlit's reading of a widget's value, for values that the widget can have."""

    def checked(states: WStates, widget: str) -> Any:
        state, metadata = states.states.get(widget), states.widget_metadata.get(widget)
        if not isinstance(state, Serialized) or metadata is None:
            return read(states, widget)
        kind = state.value.WhichOneof("value")
        try:
            declared = metadata.value_type
            if kind is None or declared in (None, kind, WHOLE.get(kind)):  # None: of a field that was emptied
                value = read(states, widget)
                if _is_possible(value):
                    return value
        except Exception:
            log.debug("The widget could not read it.", exc_info=True)
        log.warning(LEFT_OUT, shorten(widget))
        default = metadata.deserializer(None)
        states.set_from_value(widget, default)
        return default

    checked.checks = True  # type: ignore[attr-defined]
    return checked


def _is_possible(value: Any) -> bool:
    """Whether a value that its widget has read can be one: a file that is here, or edits of the cells of a table."""
    if isinstance(value, DeletedFile):
        return False
    if isinstance(value, dict) and "edited_rows" in value:
        edited, added, deleted = value["edited_rows"], value.get("added_rows", []), value.get("deleted_rows", [])
        of_dicts = isinstance(edited, dict) and isinstance(added, list) and isinstance(deleted, list)
        return of_dicts and all(map(_is_row, (*edited.values(), *added))) and all(type(row) is int for row in deleted)
    return True


def _is_row(cells: Any) -> bool:
    return isinstance(cells, dict) and not any(isinstance(cell, (dict, list)) for cell in cells.values())


def shorten(widget: str) -> str:
    """A widget's own key: Streamlit's id without its digest; printable, and not longer than a line."""
    return ascii(widget.rpartition("-")[2])[1:-1][:60]


class OnceInAWhile(logging.Filter):
    """Lets an error pass once in QUIET_SECONDS, with its traceback; what a browser has caused, as one line without.

    Of Streamlit's modules that read a browser's messages, it is the same with all that they log.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._passed_at: dict[Any, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        if record.levelno < logging.WARNING and record.name not in STREAMLIT:
            return True
        place = _raised_at(record)
        if record.msg == UNREADABLE or (place is not None and place[0] in READS_A_MESSAGE):
            record.msg, record.args, record.exc_info, record.exc_text = BAD_MESSAGE, (), None, None
        what = (record.pathname, record.lineno) if place is None else (place, record.exc_info and record.exc_info[0])
        now = time.monotonic()
        with self._lock:
            if now - self._passed_at.get(what, -QUIET_SECONDS) < QUIET_SECONDS:
                return False
            if len(self._passed_at) >= MAX_REMEMBERED:
                self._passed_at.clear()
            self._passed_at[what] = now
        return True


def _raised_at(record: logging.LogRecord) -> tuple[str, str, int] | None:
    """The function, file and line where the error of a record was raised, if it has one."""
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return None
    code = trace.tb_frame.f_code
    return code.co_name, code.co_filename, trace.tb_lineno
