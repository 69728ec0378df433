"""Words that must not come back: names that say nothing to a reader, and sentences that read like a translation."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(path for folder in ("pages", "playground") for path in (ROOT / folder).rglob("*.py"))
SCRIPTS = sorted((ROOT / "pages" / "ui" / "static").rglob("*.js"))
PROSE = [
    *sorted((ROOT / "playground").rglob("*.md")),
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CHANGELOG.md",
]
NAMES = re.compile(
    r"told|retold|worn|seen|fitted|Desk|Look|Moment|Course|Tally|Judged|Reach|Seen"
    r"|(MOST|FEWEST|LONGEST|LARGEST|SHORTEST|SLOWEST|FASTEST|HIGHEST)_[A-Z_]+"
)
SENTENCES = re.compile(
    r"\banew\b|\bbesides\b|(?<!there )\bis no (?:number|value|list|shape|file|tensor)\b|\bno longer a number\b"
    r"|\bso many\b|\bas many again\b|\b(?:that|those) of (?:now|before)\b|\bgives that \d",
    re.IGNORECASE,
)


def words_of(path: Path) -> list[tuple[int, str, bool]]:
    """The names, and the texts and comments, of a Python file: (line, text, whether it is a name)."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    kinds = {tokenize.NAME: True, tokenize.STRING: False, tokenize.COMMENT: False}
    return [(token.start[0], token.string, kinds[token.type]) for token in tokens if token.type in kinds]


@pytest.mark.parametrize("folder", ["pages", "playground"])
def test_names_are_the_fields_own_words(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {text}"
        for path in CODE
        if path.is_relative_to(ROOT / folder)
        for line, text, is_name in words_of(path)
        if is_name and NAMES.fullmatch(text)
    ]
    assert found == []


@pytest.mark.parametrize("folder", ["pages", "playground"])
def test_docstrings_comments_and_sentences_are_plain_english(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {match[0]}"
        for path in CODE
        if path.is_relative_to(ROOT / folder)
        for line, text, is_name in words_of(path)
        if not is_name and (match := SENTENCES.search(text))
    ]
    assert found == []


def test_prose_and_scripts_are_plain_english() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {match[0]}"
        for path in (*SCRIPTS, *PROSE)
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (match := SENTENCES.search(text))
    ]
    assert found == []


def test_the_words_are_found_where_they_are() -> None:
    assert NAMES.fullmatch("told") and NAMES.fullmatch("MOST_LAYERS") and not NAMES.fullmatch("MOSTLY")
    assert SENTENCES.search("It begins anew.") and SENTENCES.search("The loss is no number any more")
    assert not SENTENCES.search("beside the charts")
