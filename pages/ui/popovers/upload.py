"""The field that takes a file, and what it says where the browser keeps no cookies: Streamlit takes no file then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.ui.messages import TEXT


def field(
    label: str, kinds: Sequence[str], *, key: str, megabytes: int, on_change: Callable[..., None], args: tuple[Any, ...]
) -> Any:
    """The uploaded file, or None. The sentence is on the page at all times; `cookies.js` shows it where it is true."""
    if st.get_option("server.enableXsrfProtection"):
        with st.container(key=f"no-cookies-{key}"):
            st.info(TEXT.page.no_cookies)
    return st.file_uploader(label, list(kinds), key=key, on_change=on_change, args=args, max_upload_size=megabytes)
