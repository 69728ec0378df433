"""The smaller build of plotly.js: much smaller, whole for what our charts draw, and never broken by another version."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from pages.ui.routes.files import plotly_build

WHOLE = files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")
CUT = plotly_build.smaller(WHOLE)


def test_it_is_less_than_a_third_of_the_packages_file_and_keeps_its_licence() -> None:
    assert len(CUT) < len(WHOLE) / 3
    assert CUT.startswith(WHOLE[: WHOLE.index("*/")])
    assert CUT.endswith("window.Plotly = Plotly;\nreturn Plotly;\n}));")


def test_every_module_that_is_called_is_there() -> None:
    there, modules = set(plotly_build._DEFINED.findall(CUT)), set(plotly_build._DEFINED.findall(WHOLE))
    called = set(plotly_build._CALLED.findall(CUT)) & modules
    assert len(there) > 300
    assert called <= there


def test_it_has_the_traces_of_our_charts_alone() -> None:
    kinds = set(re.findall(r'moduleType:"trace",name:"(\w+)"', CUT))
    assert kinds == plotly_build.TRACES | {"scatter"}


@pytest.mark.parametrize("source", ["", "const Plotly = {};", WHOLE.replace(".register([", ".add([")], ids=len)
def test_a_file_of_another_form_stays_whole_and_the_log_says_so(source: str, caplog: pytest.LogCaptureFixture) -> None:
    assert plotly_build.smaller(source) == source
    assert "all of it" in caplog.text
