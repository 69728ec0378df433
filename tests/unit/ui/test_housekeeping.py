"""What visitors leave behind is given back, also when nobody comes after them."""

from __future__ import annotations

import asyncio
import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from pages.ui import housekeeping

TTL_SECONDS = 120


class Visit:
    """Stands for Streamlit's session of one visitor."""

    def __init__(self, name: str) -> None:
        self.id, self.has_ended = name, False

    def shutdown(self) -> None:
        self.has_ended = True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> MemorySessionStorage:
    """Streamlit's own store of disconnected sessions, with a clock of the test's own."""
    made = MemorySessionStorage(ttl_seconds=TTL_SECONDS)
    monkeypatch.setattr(made._cache, "_timer", clock)
    monkeypatch.setattr(housekeeping, "streamlits_sessions", lambda: SimpleNamespace(_session_storage=made))
    return made


def leave(storage: MemorySessionStorage, name: str) -> Visit:
    visit: Any = Visit(name)
    storage.save(SimpleNamespace(session=visit))  # type: ignore[arg-type]
    return visit


def test_a_session_ends_when_it_cannot_be_continued_any_more(storage: MemorySessionStorage, clock: Clock) -> None:
    first = leave(storage, "first")
    clock.now = 60.0
    second = leave(storage, "second")
    clock.now = TTL_SECONDS - 1.0
    assert housekeeping.end_expired_sessions() == 0
    assert not first.has_ended and storage.get("first") is not None
    clock.now = TTL_SECONDS + 1.0
    assert housekeeping.end_expired_sessions() == 1
    assert first.has_ended and not second.has_ended
    clock.now = 3.0 * TTL_SECONDS
    assert housekeeping.end_expired_sessions() == 1
    assert second.has_ended
    assert housekeeping.end_expired_sessions() == 0


class Loop:
    """An object that only a search for unused objects finds."""

    def __init__(self) -> None:
        self.itself = self


def test_memory_of_what_nobody_uses_is_freed() -> None:
    unused = weakref.ref(Loop())
    gc.disable()
    try:
        assert unused() is not None
        housekeeping.memory_returner()()
        assert unused() is None
    finally:
        gc.enable()


def keep_house_for(monkeypatch: pytest.MonkeyPatch, happenings: list[tuple[Any, int]]) -> tuple[list[int], int]:
    """Keep house for as many rounds as there are happenings: (sessions ended or an error, open runs).

    Returns the rounds after which memory was freed, and the number of rounds.
    """
    freed: list[int] = []
    rounds = 0

    async def next_round(seconds: float) -> None:
        nonlocal rounds
        if rounds == len(happenings):
            raise asyncio.CancelledError
        rounds += 1

    def end() -> int:
        ended = happenings[rounds - 1][0]
        if isinstance(ended, Exception):
            raise ended
        return int(ended)

    async def at_once(function: Any) -> None:
        function()

    monkeypatch.setattr(housekeeping.asyncio, "sleep", next_round)
    monkeypatch.setattr(housekeeping.asyncio, "to_thread", at_once)
    monkeypatch.setattr(housekeeping, "end_expired_sessions", end)
    monkeypatch.setattr(housekeeping, "pool", lambda: SimpleNamespace(open_runs=happenings[rounds - 1][1]))
    monkeypatch.setattr(housekeeping, "memory_returner", lambda: lambda: freed.append(rounds))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(housekeeping.keep_house())
    return freed, rounds


def test_memory_is_freed_after_sessions_and_runs_have_ended_and_else_nothing_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    freed, _ = keep_house_for(monkeypatch, [(0, 0), (0, 3), (0, 3), (2, 3), (0, 3), (0, 1), (0, 1)])
    assert freed == [4, 6]


def test_an_error_is_logged_and_the_next_round_comes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    freed, rounds = keep_house_for(monkeypatch, [(ValueError("broken"), 0), (1, 0)])
    assert (freed, rounds) == ([2], 2)
    assert "Tidying up" in caplog.text
