"""The theme's colours are what Streamlit finds itself, and are looked for once."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

from pages.ui.routes.files import theme

SECTIONS = ("theme", "theme.light", "theme.dark", "theme.sidebar", "theme.light.sidebar", "theme.dark.sidebar")


def test_the_colours_are_streamlits_own_and_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    find = theme._find

    def counted(message: Any, section: str) -> None:
        calls.append(section)
        find(message, section)

    monkeypatch.setattr(theme, "_find", counted)
    monkeypatch.setattr(app_session, "_populate_theme_msg", find)  # put back afterwards
    theme._found.cache_clear()
    theme.find_once()
    for _ in range(2):
        for section in SECTIONS:
            ours, streamlits = CustomThemeConfig(), CustomThemeConfig()
            app_session._populate_theme_msg(ours, section)
            find(streamlits, section)
            assert ours == streamlits
    assert calls == list(SECTIONS)
    whole = CustomThemeConfig()
    app_session._populate_theme_msg(whole)
    assert whole.body_font, "the theme of .streamlit/config.toml"
