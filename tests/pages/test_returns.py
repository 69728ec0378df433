"""The page of a run that came back from its browser: it is the page's run from then on."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from pages.ui.routes import returns
from pages.ui.routes.returns import Asked
from pages.ui.session import KEY, Session, bench_of, pool, replace_run
from playground.lessons import BENCHES, LESSONS
from playground.settings import Settings
from playground.workers.portable import Known, write
from playground.workers.recipes import Begun, Beside, Recipe
from tests.pages.questions import Advance, Checksum, Peek
from tests.pages.session import Open, board, run_id, turn

REGRESSION: Any = LESSONS["regression"]


def kept(steps: int, second: str = "", beside: Beside | None = None, **values: Any) -> tuple[str, str]:
    """What a browser has kept of a run of another server, and the checksum of its weights."""
    config = BENCHES["regression"].config(**values)  # type: ignore[attr-defined]
    run = REGRESSION.build(config, settings=Settings())
    run.advance(60.0, steps)
    checksum = run.run_history().checksum
    recipe = Recipe("regression", config, b"", (), steps, "", "paused", beside=beside)
    head = write("of another server", recipe, Begun(config), known=Known(steps, 0, checksum), second=second)
    return head, checksum


def give_back(session: AppTest, head: str, beside: tuple[str, bytes] | None = None) -> str:
    """As the page's browser does it; the id of the run that is back, "" if the page's own run stays."""
    visitor: Session = session.session_state[KEY]
    run = run_id(session)
    assert bench_of(visitor.name, run) == (visitor, "regression")
    return returns._come_back(visitor, "regression", run, Asked(head, 0, b"", beside))


def test_the_page_goes_on_with_the_run_that_came_back(visit: Open) -> None:
    session = visit(REGRESSION, regression_lr="0.1")
    opened = run_id(session)
    head, checksum = kept(30, lr=0.1)
    back = give_back(session, head)
    assert back and not pool().has(opened)
    session.run()
    assert list(session.exception) == []
    assert run_id(session) == board(session)["run"] == back
    assert pool().call(back, Peek("steps")) == 30 and checksum.startswith(pool().call(back, Checksum())[:8])
    turn(session, REGRESSION, "lr", 0.5)
    pool().call(back, Advance(5))
    assert run_id(session) == back and pool().call(back, Peek("config.lr")) == 0.5
    assert pool().call(back, Peek("steps")) == 35


def test_the_second_run_comes_back_with_its_form(visit: Open) -> None:
    session = visit(REGRESSION, regression_lr="0.1")
    first, _ = kept(30, "here", lr=0.1)
    second, checksum = kept(30, beside=Beside("of another server", "here", "lr", 0.02), lr=0.02)
    back = give_back(session, first, (second, b""))
    session.run()
    assert list(session.exception) == [] and not session.warning
    beside = board(session)["second"]
    assert session.toggle(key="regression:versus").value is True
    assert session.session_state["regression:versus:from"] == "here"
    assert session.selectbox(key="regression:versus:knob").value == "lr"
    assert pool().call(beside, Peek("config.lr")) == 0.02
    assert checksum.startswith(pool().call(beside, Checksum())[:8])
    turn(session, REGRESSION, "lr", 0.5)
    assert run_id(session) == back and board(session)["second"] == beside
    session.toggle(key="regression:versus").set_value(False).run()
    assert not board(session)["second"] and not pool().has(beside)
    session.run()
    assert session.toggle(key="regression:versus").value is False, "it stays closed"


def test_an_address_with_other_settings_keeps_its_own_run(visit: Open) -> None:
    session = visit(REGRESSION, regression_seed="3")
    opened = run_id(session)
    assert give_back(session, kept(30)[0]) == ""
    session.run()
    assert run_id(session) == opened and pool().has(opened)


def test_a_run_that_a_file_has_replaced_does_not_come_back(visit: Open) -> None:
    session = visit(REGRESSION)
    visitor: Session = session.session_state[KEY]
    visitor.bench("regression").replaced = "of another server"
    assert give_back(session, kept(30)[0]) == ""


def test_a_run_that_is_put_in_the_place_of_another_is_noted(monkeypatch: Any) -> None:
    visitor = Session()
    monkeypatch.setattr("pages.ui.session.session", lambda: visitor)
    visitor.bench("regression").run_id = "before"
    replace_run("regression", "from a file", None)  # type: ignore[arg-type]
    assert visitor.bench("regression").replaced == "before"
