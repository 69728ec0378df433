"""What stands below a still lab's board: a long note, which is said to those who do not see it, and tables."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

import streamlit as st
from markdown_it import MarkdownIt

from pages.ui.messages import TEXT
from pages.ui.prose import marked
from pages.ui.routes.files import assets
from playground.lesson import Table

_sheet = st.components.v2.component(
    "sheet",
    js=assets.loader("sheet.js"),
    css=assets.styles("prose.css"),
    isolate_styles=False,
)
# A size such as 16 × 28 × 28 stays on one line.
_SIZES, NO_BREAK = re.compile(r"(?<=\d) × (?=\d)"), "\u00a0×\u00a0"
_markdown = marked(MarkdownIt("commonmark", {"html": False}).disable(["image", "link", "autolink"]))


def show(key: str, note: str, tables: str) -> None:
    """A note and tables, as HTML."""
    _sheet(key=key, data={"note": note, "tables": tables})


def note_as_html(note: str) -> str:
    """A note as HTML, without links and images: it may quote a visitor."""
    rendered: str = _markdown.render(note)
    return rendered


def as_html(title: str, tables: Sequence[Table]) -> str:
    """The tables as HTML, each with a caption; every cell is text, whatever it holds."""
    several = TEXT.tables.caption_of_several
    captions = [several.format(title=title, number=at + 1, count=len(tables)) for at in range(len(tables))]
    return "".join(
        _table(table, caption) for table, caption in zip(tables, captions if len(tables) > 1 else [title], strict=False)
    )


def _table(table: Table, caption: str) -> str:
    code = {index for index, column in enumerate(table.columns) if column in table.code}
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in table.columns)
    rows = []
    for row in table.rows:
        cells = [
            f'<td><code translate="no">{html.escape(cell)}</code></td>'
            if index in code and cell  # an empty cell has no code, and so no grey background of code
            else f"<td>{html.escape(_SIZES.sub(NO_BREAK, cell))}</td>"
            for index, cell in enumerate(row)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    caption = f"<caption>{html.escape(caption)}</caption>"
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="sheet"><table>{caption}{body}</table></div>'
