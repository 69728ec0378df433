"""The process that serves pages trains nothing, draws no lab and reads no images: workers do."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.ui.session import pool
from playground import mnist
from playground.engine.engine import Engine
from playground.lesson import Lesson
from playground.lessons import BENCHES, LESSONS
from playground.workers.pool import WorkerPool
from tests.pages.benches import LABS, LIVE, TOYS, advance, each_of, opens
from tests.pages.questions import Peek
from tests.pages.session import Open, boards, turn, widgets


@pytest.fixture(autouse=True)
def _no_work_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("this is for a worker to do")

    for bench in BENCHES.values():
        for name in ("build", "draw"):
            if getattr(bench, name, None) is not None:
                monkeypatch.setitem(vars(bench), name, refuse)
    for owner, name in (
        (torch.nn.Module, "__call__"),
        (torch.nn.Module, "__init__"),
        (torch.Tensor, "backward"),
        (torch.optim.Optimizer, "__init__"),
        (mnist, "load"),
        (Engine, "__init__"),
    ):
        monkeypatch.setattr(owner, name, refuse)


def assert_whole(session: AppTest) -> None:
    assert list(session.exception) == []
    assert [error.value for error in session.error] == []


def test_home_needs_neither_a_drawing_nor_a_worker(visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("open", "draw", "call", "command"):
        monkeypatch.setattr(WorkerPool, name, lambda *_, **__: pytest.fail("this asks a worker"))
    session = visit()
    assert_whole(session)
    names = [each.proto.component_name for each in session.get("bidi_component")]
    assert sorted(names) == ["home", "progress", "title"]


@each_of({name: each for name, each in LABS.items() if each[0] is not TOYS})
def test_a_lab_is_drawn_or_built_elsewhere(visit: Open, lesson: Lesson, bench: Any) -> None:
    session = visit(lesson, **opens(lesson, bench))
    assert_whole(session)
    session.session_state[f"{lesson.name}:share"] = True
    session.session_state[f"{lesson.name}:code"] = True
    assert_whole(session.run())


@pytest.mark.parametrize("name", LIVE)
def test_all_that_a_training_page_offers_is_done_elsewhere(visit: Open, name: str) -> None:
    lesson = LIVE[name]
    session = visit(lesson)
    advance(session, 2)
    for part in ("share", "save", "code", "data", "versus"):
        session.session_state[f"{name}:{part}"] = True
    assert_whole(session.run())
    turn(session, lesson, "seed", 7)
    assert_whole(session)
    (found,) = boards(session)
    assert pool().call(found["run"], Peek("config.seed")) == 7
    assert found["second"], "and a second run is compared with it"


def test_nine_seeds_train_elsewhere(visit: Open) -> None:
    session = visit(LESSONS["classification"])
    widgets(session)["classification:seeds"].set_value(True).run()
    assert_whole(session)
    assert len(boards(session)) == 2
