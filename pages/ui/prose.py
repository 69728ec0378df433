"""The text below a lesson's charts: prose, questions, code, and the way to the next lesson.

Its experiments stand above the charts (rail.py).
"""

from __future__ import annotations

import html
import inspect
import re
from functools import lru_cache
from typing import Any

import streamlit as st
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml

from pages.ui import scripts
from pages.ui.messages import TEXT
from pages.ui.routes.files import assets
from playground.lesson import Lesson
from playground.lessons import LESSONS
from playground.questions import MAX_CHARACTERS, SECTION, Choice, Formula, Number, Question, questions

EXPERIMENTS = "Try this"  # the section that is not shown here
ON_DEMAND = {"notice": "What to notice"}  # sections that may give a prediction away, by their names in addresses
# A number stays on one line with its unit; `withUnits` in dom.js does the same for sentences of runs.
_BEFORE_UNIT, NO_BREAK = re.compile(r"(?<=\d) (?=(?:%|°|ms|s|min|kB|MB|GB)(?!\w))"), "\u00a0"

_words = st.components.v2.component(
    "prose",
    js=assets.loader("prose.js"),
    css=assets.styles("prose.css", "questions.css"),
    isolate_styles=False,
)


def marked(markdown: MarkdownIt) -> MarkdownIt:
    """The renderer, whose code is marked as not to be translated, and whose numbers stay with their units."""
    for rule in ("code_inline", "code_block", "fence"):
        markdown.add_render_rule(rule, _as_code)
    markdown.add_render_rule("text", _as_text)
    return markdown


def _as_text(renderer: Any, tokens: Any, at: int, *_: Any) -> str:
    return escapeHtml(_BEFORE_UNIT.sub(NO_BREAK, tokens[at].content))


def _as_code(renderer: Any, tokens: Any, at: int, *_: Any) -> str:
    code = f'<code translate="no">{html.escape(tokens[at].content)}</code>'
    return code if tokens[at].type == "code_inline" else f"<pre>{code}</pre>"


_markdown = marked(MarkdownIt("commonmark", {"html": False}).enable("table"))


def show(lesson: Lesson) -> None:
    """All sections of the lesson's prose, and links to its neighbours.

    The prose is one element of the page: Streamlit renders every element again whenever a knob is changed.
    """
    with st.container(key="prose"):
        data = {"lesson": lesson.name, "html": as_html(lesson), "words": words()}
        data["questions"] = [asked(lesson, each) for each in questions(lesson)]
        _words(key=f"{lesson.name}:prose", data=data)
        _code(lesson)
    _neighbours(lesson)


def as_html(lesson: Lesson) -> str:
    """The prose as HTML without its experiments; HTML in it as text.

    It has places for what is not in it: a button for each section on demand, and the questions.
    """
    parts, on_demand = [], {heading: name for name, heading in ON_DEMAND.items()}
    for heading in lesson.prose:
        if heading == EXPERIMENTS:
            continue
        parts.append(f"<h2>{html.escape(heading)}</h2>")
        if heading in on_demand:
            label = html.escape(TEXT.prose.show.format(heading=heading))
            parts.append(f'<div data-section="{on_demand[heading]}"><button type="button">{label}</button></div>')
        elif heading == SECTION:
            parts.append("<div data-questions></div>")
        else:
            parts.append(section(lesson, heading))
    return "\n".join(parts)


def section(lesson: Lesson, heading: str) -> str:
    """One section of the prose as HTML, without a script in it."""
    table = f"<table><caption>{html.escape(heading)}</caption>"
    return _rendered(_without_script(lesson.prose[heading])).replace("<table>", table)


@lru_cache(maxsize=256)
def _rendered(text: str) -> str:
    return str(_markdown.render(text))


@lru_cache(maxsize=1024)
def inline(text: str) -> str:
    """One line of Markdown as HTML, without a paragraph around it."""
    rendered: str = _markdown.renderInline(text)
    return rendered


def asked(lesson: Lesson, question: Question) -> dict[str, Any]:
    """What a page shows of a question before its answer; nothing of that tells which one is right."""
    found: dict[str, Any] = {"lesson": lesson.name, "id": question.id, "text": inline(question.text)}
    match question.kind:
        case Choice(options=options):
            return found | {"kind": "choice", "options": [inline(each) for each in options]}
        case Number(unit=unit):
            return found | {"kind": "number", "unit": unit}
        case Formula(numbers=numbers):
            return found | {"kind": "formula", "names": list(numbers)}


def words() -> dict[str, Any]:
    """The sentences around a section on demand and the questions, by their names in JavaScript."""
    text = TEXT.prose
    return {
        "noAnswer": text.no_answer, "check": text.check, "show": text.show_answer, "wrong": text.wrong,
        "again": text.again, "right": text.right, "rightFirst": text.right_first, "theAnswer": text.the_answer,
        "number": text.number, "formula": text.formula, "rightOption": text.right_option,
        "wrongOption": text.wrong_option, "known": text.known, "knownFirst": text.known_first,
        "notKept": text.not_kept, "fromBefore": text.from_before, "oneFromBefore": text.one_from_before,
        "fromBeforeHelp": text.from_before_help, "fromBeforeGroup": text.from_before_group,
        "fromLesson": text.from_lesson, "close": text.close, "maxCharacters": MAX_CHARACTERS,
    }  # fmt: skip


def _without_script(text: str) -> str:
    words, _, rest = text.partition("```")
    return words + rest.partition("```")[2]


@st.fragment
def _code(lesson: Lesson) -> None:
    """The script and the source of what runs, on demand: the highlighter takes over half a second of a first load."""
    script = lesson.prose["In PyTorch"].partition("```")[2].partition("```")[0].removeprefix("python\n")
    if st.toggle(TEXT.page.show_code, key=f"{lesson.name}:code"):
        if not scripts.show(lesson) and script:
            st.code(script.strip(), language="python")
        for shown in lesson.code:
            st.code(inspect.getsource(shown), language="python")


def _neighbours(lesson: Lesson) -> None:
    """Links to the lessons before and after this one."""
    names = list(LESSONS)
    at = names.index(lesson.name)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if at == 0:
            st.page_link("home.py", label=TEXT.page.earlier.format(title=TEXT.page.home))
        else:
            st.page_link(f"{names[at - 1]}.py", label=TEXT.page.earlier.format(title=LESSONS[names[at - 1]].title))
        if at + 1 < len(names):
            st.page_link(f"{names[at + 1]}.py", label=TEXT.page.later.format(title=LESSONS[names[at + 1]].title))
