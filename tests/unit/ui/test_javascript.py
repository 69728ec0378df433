"""The rules of our JavaScript and style sheets that need no JavaScript tool: `.ci/run` has the formatter and linter."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from pages.ui.routes.files.assets import STATIC

SOURCES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.suffix in (".js", ".css"))
IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)["'](\.[^"']+)["']""")
FROM_ROOT = re.compile(r"""\b(?:fetch|request|Stream|socketOf|addressOf|WebSocket)\(\s*["'`]/[^"'`]*""")
MAX_LINE = 120


def imports(static: Path) -> dict[str, set[str]]:
    """Each module of the folder -> the modules that it imports, as paths below the folder."""
    return {
        path.relative_to(static).as_posix(): {
            (path.parent / target).resolve().relative_to(static.resolve()).as_posix()
            for target in IMPORT.findall(path.read_text(encoding="utf-8"))
        }
        for path in static.rglob("*.js")
    }


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of imports, its first module repeated at the end; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_through_others() -> None:
    graph = imports(STATIC)
    assert "dom.js" in graph["chart/chart.js"], "the imports must be found"
    assert cycle(graph) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('import { b } from "./b.js";', 'import { a } from "../a.js";'),
        ('import {\n  b,\n} from "./b.js";', 'export { a } from "../a.js";'),
        ('import "./b.js";', 'const a = await import("../a.js");'),
    ],
)
def test_a_circle_is_found_in_every_form_of_import(tmp_path: Path, one: str, other: str) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "a.js").write_text(one.replace("./b.js", "./parts/b.js"))
    (tmp_path / "parts" / "b.js").write_text(other)
    assert set(cycle(imports(tmp_path))) == {"a.js", "parts/b.js"}


@pytest.mark.parametrize("name", [name for name in SOURCES if name.endswith(".js")])
def test_every_imported_module_exists(name: str) -> None:
    assert imports(STATIC)[name] <= set(SOURCES)


@pytest.mark.parametrize("name", [name for name in SOURCES if name.endswith(".js")])
def test_no_address_begins_at_the_servers_root(name: str) -> None:
    """The app may lie under a path."""
    assert FROM_ROOT.findall((STATIC / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", SOURCES)
def test_lines_are_short(name: str) -> None:
    lines = (STATIC / name).read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > MAX_LINE] == []
