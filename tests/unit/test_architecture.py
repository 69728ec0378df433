"""Who may import whom, and how large a module may grow (ARCHITECTURE.md says why)."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ("streamlit", "starlette", "uvicorn", "pages")
HEAVY = ("torch", "plotly", "numpy")
ENGINE = ("playground.engine.engine", "playground.engine.open_run", "playground.engine.lockstep")
LESSONS = ("playground.lesson", "playground.lessons")
FIGURES = ("playground.figures",)
# Files, what they must not import, and (if not empty) the only things of this project and of others they may import.
RULES: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
    ("playground/**/*.py", (*WEB, "plotly"), ()),
    (
        "playground/**/figures/*.py",
        ("torch",),
        ("numpy", "playground.figures", "playground.engine.frames", "playground.lessons"),
    ),
    (
        "playground/engine/*.py",
        (*LESSONS, *FIGURES, "torch", "playground.runs", "playground.training", "playground.saving"),
        (),
    ),
    ("playground/training/*.py", (*LESSONS, *FIGURES, *ENGINE, "playground.runs", "playground.saving"), ()),
    ("playground/data/*.py", (*LESSONS, *FIGURES, *ENGINE, "playground.runs", "playground.saving"), ()),
    ("playground/parsing/*.py", (*LESSONS, *FIGURES, *ENGINE, "playground.runs", "playground.saving"), ()),
    ("playground/mnist/*.py", (*LESSONS, *FIGURES, *ENGINE, "playground.runs", "playground.saving"), ()),
    ("playground/runs/*.py", (*LESSONS, *ENGINE, "playground.saving", "playground.scripts"), ()),
    ("playground/saving/*.py", ("playground.lessons", *ENGINE, "playground.scripts"), ()),
    ("playground/scripts/*.py", ("playground.lessons", *ENGINE), ()),
    ("playground/lessons/**/*.py", ENGINE, ()),
    ("playground/[!w]*/**/*.py", ("playground.workers",), ()),  # every package but workers itself
    ("playground/workers/pool.py", ("torch", *LESSONS, "playground.runs", "playground.saving"), ()),
    ("pages/*.py", HEAVY, ("streamlit", "pages.ui", "playground.lesson", "playground.lessons")),
    ("pages/ui/**/*.py", ("torch", "plotly"), ()),
    ("app.py", HEAVY, ("streamlit", "starlette", "pages.ui", "playground.lessons", "playground.settings")),
]


def imports(path: Path) -> set[str]:
    """Every module or name that a file imports, with its full path: "playground.figures.curves"."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, packages: tuple[str, ...]) -> bool:
    return name.startswith(tuple(f"{package}." for package in packages)) or name in packages


@pytest.mark.parametrize(("pattern", "forbidden", "allowed"), RULES, ids=[rule[0] for rule in RULES])
def test_imports_go_one_way(pattern: str, forbidden: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    ours_and_others = (*WEB, *HEAVY, "playground", "orjson", "safetensors", "sklearn", "pandas", "PIL")
    paths = sorted(ROOT.glob(pattern))
    assert paths, f"no file is called {pattern}: the rule holds nothing"
    for path in paths:
        wrong = {name for name in imports(path) if within(name, forbidden)}
        if allowed:
            wrong |= {name for name in imports(path) if within(name, ours_and_others) and not within(name, allowed)}
        assert wrong == set(), f"{path.relative_to(ROOT)} must not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("pattern", ["app.py", "pages/*.py"])
def test_pages_stay_thin(pattern: str) -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in ROOT.glob(pattern)}
    assert {name: count for name, count in lines.items() if count > 80} == {}, "more than 80 lines"


def tracked() -> list[Path]:
    try:
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_module_is_named_for_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [str(path) for path in tracked() if path.suffix == ".py" and path.stem in vague] == []


def test_no_file_tells_where_it_was_written() -> None:
    place = "/wor" + "k/"
    neighbours = "shared/" + r"(?!mnist)"
    needle = re.compile(rf"(?<![\w-]){place}|\.\./{neighbours}")
    found = {str(path.relative_to(ROOT)) for path in tracked() if needle.search(path.read_text(errors="ignore"))}
    assert found == set()
