"""The first visitor waits for no import that the server could have done before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Opens a lesson's page, and prints the packages, and our modules, that only this has imported.
VISIT = """
import sys
from streamlit.testing.v1 import AppTest
{early}
from pages.ui import session
from playground import lessons
known = set(sys.modules)
try:
    page = AppTest.from_file("{navigation}", default_timeout=60).run().switch_page("regression.py").run()
    assert not page.exception
    late = set(sys.modules) - known
    print(*{{name if name.startswith("pages.") else name.partition(".")[0] for name in late}})
finally:
    session.pool().stop()
"""


def imported_by_the_first_visit(early: str) -> set[str]:
    script = [sys.executable, "-c", VISIT.format(early=early, navigation=ROOT / "pages" / "navigation.py")]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_first_visit_imports_no_large_library() -> None:
    assert "pandas" in imported_by_the_first_visit(""), "Streamlit no longer needs it: early_imports.py neither"
    late = imported_by_the_first_visit("from pages.ui import early_imports")
    assert late & {"pandas", "pyarrow", "PIL", "numpy", "torch", "sklearn", "altair", "markdown_it"} == set()
    assert {name for name in late if name.startswith("pages.")} == set()
