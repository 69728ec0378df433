"""The theme's colours, found once: Streamlit looks through all its options for them at each start of a script.

It does so six times for each start, on the event loop that also passes on the frames of all boards. The colours stand
in `.streamlit/config.toml`, and stay as they are while a server runs.
"""

from __future__ import annotations

from functools import cache

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

_find = app_session._populate_theme_msg


@cache
def _found(section: str) -> CustomThemeConfig:
    made = CustomThemeConfig()
    _find(made, section)
    return made


def _fill(message: CustomThemeConfig, section: str = "theme") -> None:
    message.MergeFrom(_found(section))


def find_once() -> None:
    """From now on, find them once."""
    app_session._populate_theme_msg = _fill
