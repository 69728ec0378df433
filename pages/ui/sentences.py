"""Sentences for the page that repeat what a visitor gave."""

from __future__ import annotations

import re


def quoted(problem: str) -> str:
    """The sentence with what it quotes from a visitor as code, where no Markdown in it comes alive."""
    return re.sub("“(.*)”", lambda quote: f"`` {quote[1].replace('`', ' ')} ``", problem)
