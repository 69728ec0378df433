"""Sentences for the page that repeat what a visitor gave."""

from __future__ import annotations

import re

# From one quotation to the next: words that have no meaning in Markdown. Whatever else is there is a visitor's.
BETWEEN = re.compile("”((?:[^\\W_]|[ ,;’'-]|[.:](?= ))+)“")


def quoted(problem: str) -> str:
    """The sentence with what it quotes from a visitor as code, where no Markdown in it comes alive."""
    return re.sub("“(.*)”", _as_code, problem, flags=re.DOTALL)


def _as_code(quotations: re.Match[str]) -> str:
    """A visitor's text may have quotation marks of its own, so only plain words are left between two quotations."""
    return "`` " + BETWEEN.sub(r" ``\1`` ", quotations[1].replace("`", " ")) + " ``"
