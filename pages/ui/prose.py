"""The text around a lesson's charts: prose, experiments, questions, code, and the way to the next lesson."""

from __future__ import annotations

import html
import inspect
import re
from typing import Any
from urllib.parse import parse_qsl

import streamlit as st
from markdown_it import MarkdownIt

from pages.ui import knob_widgets, scripts
from pages.ui.messages import TEXT
from pages.ui.routes import assets
from playground.knobs import Config
from playground.lesson import Bench, LabLesson, Lesson
from playground.lessons import LESSONS

TRY_THIS = re.compile(r"^- \[(?P<title>[^\]]+)\]\(\?(?P<query>[^)]*)\):? ?(?P<text>.*)$")
CHECK = re.compile(r"^- (?P<question>.*?) :: (?P<answer>.*)$")


_words = st.components.v2.component(
    "prose",
    js=assets.loader("prose.js"),
    css=(assets.STATIC / "prose.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def marked(markdown: MarkdownIt) -> MarkdownIt:
    """The renderer, whose code is marked as not to be translated."""
    for rule in ("code_inline", "code_block", "fence"):
        markdown.add_render_rule(rule, _as_code)
    return markdown


def _as_code(renderer: Any, tokens: Any, at: int, *_: Any) -> str:
    code = f'<code translate="no">{html.escape(tokens[at].content)}</code>'
    return code if tokens[at].type == "code_inline" else f"<pre>{code}</pre>"


_markdown = marked(MarkdownIt("commonmark", {"html": False}).enable("table"))


def show(lesson: Lesson) -> None:
    """All sections of the lesson's prose, and links to its neighbours.

    The prose is one element of the page: Streamlit renders every element again whenever a knob is changed.
    """
    key = f"{lesson.name}:prose"
    with st.container(key="prose"):
        _words(key=key, data={"html": as_html(lesson)}, on_chosen_change=lambda: _choose(lesson, key))
        _code(lesson)
    _neighbours(lesson)


def as_html(lesson: Lesson) -> str:
    """The prose as HTML: experiments as buttons numbered in `data-try`, questions that unfold, HTML in it as text."""
    parts = []
    for heading, text in lesson.prose.items():
        parts.append(f"<h2>{html.escape(heading)}</h2>")
        if heading == "Try this":
            parts.append(_experiments_as_html(lesson))
        elif heading == "Check yourself":
            parts.append(_questions_as_html(text))
        else:
            table = f"<table><caption>{html.escape(heading)}</caption>"
            parts.append(_markdown.render(_without_script(text)).replace("<table>", table))
    return "\n".join(parts)


def _experiments_as_html(lesson: Lesson) -> str:
    rows = []
    for number, (title, _, _, what) in enumerate(experiments(lesson)):
        button = f'<button type="button" data-try="{number}">{html.escape(title)}</button>'
        rows.append(f"<li>{button} <span>{_markdown.renderInline(what)}</span></li>")
    return f'<ul class="try">{"".join(rows)}</ul>'


def _questions_as_html(text: str) -> str:
    found = [match for line in text.splitlines() if (match := CHECK.match(line))]
    unfold = "<details><summary>{}</summary><p>{}</p></details>"
    inline = _markdown.renderInline  # not a block: an answer that begins with "0." would become a list
    return "".join(unfold.format(inline(match["question"]), inline(match["answer"])) for match in found)


def _without_script(text: str) -> str:
    words, _, rest = text.partition("```")
    return words + rest.partition("```")[2]


def _choose(lesson: Lesson, key: str) -> None:
    """Set up the experiment whose number was clicked; a browser can send any number."""
    number, found = st.session_state[key].chosen, experiments(lesson)
    if isinstance(number, int) and 0 <= number < len(found):
        _, bench, config, _ = found[number]
        _set_up(lesson, bench, config)


@st.fragment
def _code(lesson: Lesson) -> None:
    """The script and the source of what runs, on demand: the highlighter takes over half a second of a first load."""
    script = lesson.prose["In PyTorch"].partition("```")[2].partition("```")[0].removeprefix("python\n")
    if st.toggle(TEXT.page.show_code, key=f"{lesson.name}:code"):
        if not scripts.show(lesson) and script:
            st.code(script.strip(), language="python")
        for shown in lesson.code:
            st.code(inspect.getsource(shown), language="python")


def experiments(lesson: Lesson) -> list[tuple[str, Bench, Config, str]]:
    """The "Try this" items: title, bench, the bench's config, and what to do.

    Raises ValueError for an illegal link.
    """
    found = []
    for line in lesson.prose["Try this"].splitlines():
        if match := TRY_THIS.match(line):
            pairs = dict(parse_qsl(match["query"], keep_blank_values=True))
            bench = _bench_of(lesson, pairs.pop(f"{lesson.name}_lab", ""))
            texts = {name.removeprefix(f"{bench.name}_"): text for name, text in pairs.items()}
            config, problems = bench.config.parse(texts)
            if problems:
                raise ValueError(f"“{match['title']}” in lessons/{lesson.name}/prose.md: {' '.join(problems)}")
            found.append((match["title"], bench, config, match["text"]))
    return found


def _bench_of(lesson: Lesson, lab: str) -> Bench:
    name = f"{lesson.name}_{lab}" if lab else lesson.benches[0].name
    for bench in lesson.benches:
        if bench.name == name:
            return bench
    raise ValueError(f"A link in lessons/{lesson.name}/prose.md names the lab “{lab}”, which does not exist.")


def _set_up(lesson: Lesson, bench: Bench, config: Config) -> None:
    knob_widgets.choose(bench.name, config)
    if isinstance(lesson, LabLesson):
        knob_widgets.choose(lesson.name, lesson.picker(lab=bench.name.removeprefix(f"{lesson.name}_")))


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
