"""What a sentence repeats from a visitor is code on the page: none of it comes alive, and each quotation is its own."""

from __future__ import annotations

import pytest

from pages.ui.messages import quoted
from tests.pages.session import HOSTILE, assert_dead, live_text

MORE_HOSTILE = (
    "”", "“", "”“", "” and “", "a” b “c", "” www.evil.example “", "” https://evil.example “", "” [x](//evil.example) “",
    "” :red[x] “", "” <b> “", "”.evil “", "”: :material/warning: “", "`” `` “`", "”\n\n# Heading\n\n“", "``", "” $x$ “",
)  # fmt: skip


def test_each_quotation_is_code_of_its_own() -> None:
    shown = quoted("The part “weights” of the state lacks “8.bias”.")
    assert shown == "The part `` weights `` of the state lacks `` 8.bias ``."
    assert live_text(quoted("“a” is of type “b”; only “c”, “d” and “e” are read.")) == (
        " is of type ; only ,  and  are read."
    )
    assert quoted("“lr”: “x” is no number.") == "`` lr ``: `` x `` is no number."


def test_a_sentence_without_a_quotation_stays_as_it_is() -> None:
    for sentence in ("The shape is [10, 1].", "An end ” and “ a beginning", "”", ""):
        assert quoted(sentence) == sentence


@pytest.mark.parametrize("text", (*HOSTILE, *MORE_HOSTILE))
@pytest.mark.parametrize("sentence", ["No {}.", "The part {} lacks {}.", "{}: {} is not {}"])
def test_no_markdown_of_a_visitor_comes_alive(text: str, sentence: str) -> None:
    shown = quoted(sentence.replace("{}", f"“{text}”"))
    assert_dead(shown)
    assert shown.startswith(sentence.partition("{")[0]) and shown.endswith(sentence.rpartition("}")[2])
