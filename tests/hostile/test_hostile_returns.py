"""A browser that means harm gives back a run: each try gets a sentence or is ignored, and no neighbour notices."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from starlette.requests import Request

from pages.ui import session as sessions
from pages.ui.routes import returns
from pages.ui.session import Session
from playground.engine.commands import Play
from playground.lessons import BENCHES
from playground.saving import checkpoint
from playground.workers import messages, portable
from playground.workers.pool import WorkerPool
from playground.workers.portable import Known
from playground.workers.recipes import Begun, Recipe, Saved
from tests.hostile import corpus
from tests.unit.workers.room import AskingViewer, Peek, pool_of, until

REGRESSION: Any = BENCHES["regression"]
RUN = corpus.good_run(40)
STATE = checkpoint.save("regression", RUN)
CHECKSUM = RUN.run_history().checksum[:16]
RECIPE = Recipe("regression", RUN.config, b"", (), 40, "", "playing")
HEAD: dict[str, Any] = json.loads(
    portable.write("of another server", RECIPE, Saved(STATE, RUN.past()), known=Known(40, 0, CHECKSUM))
)
FROM_STEP_0: dict[str, Any] = json.loads(portable.write("of another server", RECIPE, Begun(RUN.config)))


UPPER = "“ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with pytest.MonkeyPatch.context() as patch, pool_of(workers=1, return_seconds=1) as found:
        patch.setattr(returns, "pool", lambda: found)
        patch.setattr(returns, "_turns", asyncio.Semaphore(returns.MAX_AT_ONCE))  # of this module's event loop
        yield found


@pytest.fixture
def neighbour(pool: WorkerPool) -> Iterator[AskingViewer]:
    """A student in the same worker, whose run plays; nobody closes it, and it plays on afterwards."""
    viewer = AskingViewer(pool, pool.open("a neighbour", "regression", REGRESSION.config(max_steps=0))).watch()
    pool.command(viewer.run_id, Play())
    viewer.until(lambda each: each.step > 10)
    yield viewer
    step = viewer.step
    viewer.until(lambda each: each.step > step + 10 and each.head["state"] == "playing")
    assert not viewer.dismissals and not viewer.head["notice"]
    pool.close(viewer.run_id)


@pytest.fixture
def page(pool: WorkerPool) -> Iterator[Session]:
    found = a_page(pool)
    yield found
    leave(pool, found)


def a_page(pool: WorkerPool) -> Session:
    """A page's session that has opened a run at step 0."""
    found = Session()
    bench = found.bench("regression")
    bench.run_config = RUN.config
    bench.run_id = pool.open(found.name, "regression", RUN.config)
    sessions._sessions[found.name] = found
    return found


def leave(pool: WorkerPool, page: Session) -> None:
    pool.close(page.bench("regression").run_id)
    sessions._sessions.pop(page.name, None)


def head(**changes: Any) -> str:
    return json.dumps(HEAD | changes)


def with_state(state: bytes, **changes: Any) -> str:
    """A head to which this state belongs: the work of somebody who knows how."""
    return head(state={"bytes": len(state), "digest": portable.digest_of(state)}, **changes)


def body(keep: str, state: bytes = b"", step: Any = 40) -> bytes:
    text = orjson.dumps({"keep": keep, "step": step})
    return len(text).to_bytes(4, "little") + text + state


async def send(page: Session, parts: Iterator[bytes], *, ends: bool = True) -> tuple[int, dict[str, Any]]:
    """The answer to a body in these parts; one that does not end hangs."""

    async def receive() -> dict[str, Any]:
        if (part := next(parts, None)) is None and not ends:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    scope = {"type": "http", "method": "POST", "path_params": {"run_id": page.bench("regression").run_id},
             "headers": [(b"session", page.name.encode())]}  # fmt: skip
    response = await returns.bring_back(Request(scope, receive))
    return response.status_code, orjson.loads(response.body)


async def post(page: Session, content: bytes, piece: int = 60_000, *, ends: bool = True) -> tuple[int, dict[str, Any]]:
    """The answer to a body in pieces of this size."""
    return await send(page, (content[at : at + piece] for at in range(0, len(content), piece)), ends=ends)


def ask(page: Session, content: bytes, **how: Any) -> tuple[int, dict[str, Any]]:
    return asyncio.run(post(page, content, **how))


def shuffled(state: bytes) -> bytes:
    pieces = [state[at : at + 1_000] for at in range(0, len(state), 1_000)]
    random.Random(1).shuffle(pieces)
    return b"".join(pieces)


def of_a_cnn() -> bytes:
    """A state whose weights have other shapes, under the name of this page."""
    cnn: Any = BENCHES["cnn"]
    run = cnn.build(cnn.config(layers=1, filters_1=4), settings=sessions.Settings())
    return checkpoint.save("cnn", run)


SPOILT: dict[str, tuple[Callable[[], bytes], str]] = {
    "a negative step": (lambda: body(head(steps=-1), STATE), "“steps”"),
    "a step of another kind": (lambda: body(head(steps="40"), STATE), "“steps”"),
    "a step past all numbers": (lambda: body(head(steps=2**63), STATE), "“steps”"),
    "a step that was never shown": (lambda: body(head(), STATE, step=-7), returns.UNREADABLE),
    "more steps shown than there are": (lambda: body(head(), STATE, step=10**13), returns.UNREADABLE),
    "a checksum of another length": (
        lambda: body(head(known={"steps": 40, "acts": 0, "checksum": "ab"}), STATE), messages.NOT_KEPT),
    "a checksum of no digits": (
        lambda: body(head(known={"steps": 40, "acts": 0, "checksum": "<b>" * 5 + "!"}), STATE), messages.NOT_KEPT),
    "the state of a CNN": (lambda: body(with_state(of_a_cnn()), of_a_cnn()), "saved on the page “cnn”"),
    "a state in another order": (lambda: body(with_state(shuffled(STATE)), shuffled(STATE)), ""),
    "half a state": (lambda: body(with_state(STATE[: len(STATE) // 2]), STATE[: len(STATE) // 2]), ""),
    "no state": (lambda: body(head(), b""), messages.STATE_LOST),
    "another page's head": (lambda: body(head(bench="classification"), STATE), messages.KEPT_OF_ANOTHER_PAGE),
    "acts of another run": (
        lambda: body(head(acts=[[0, "tune", {"hidden": "64"}]]), STATE), messages.NOT_KEPT),
    "a head of other data": (
        lambda: body(head(config=RUN.config.with_values(seed=7).as_texts()), STATE), messages.NOT_KEPT),
    "a second run in the first one's place": (
        lambda: body(head(beside={"start": "here", "knob": "lr", "value": "0.1", "done": 0}), STATE),
        messages.NOT_KEPT),
    "a head of nests": (lambda: body("[" * 100_000, STATE), messages.NOT_KEPT),
    "a head of 600 kB": (lambda: body(head(run="x" * 600_000), STATE), messages.NOT_KEPT),
    **{f"state: {name}": (lambda make=make: body(with_state(make()), make()), word)
       for name, (make, word) in corpus.SAFETENSORS.items() if "100 MB" not in name},
    **{f".pt as a state: {name}": (lambda make=make: body(with_state(make()), make()), "")
       for name, (make, _) in corpus.PICKLES.items() if "bomb" not in name},
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_spoilt_is_refused_with_a_sentence(pool: WorkerPool, page: Session, name: str) -> None:
    make, word = SPOILT[name]
    before, runs = page.bench("regression").run_id, pool.open_runs
    status, answer = ask(page, make())
    assert status in (400, 413, 422), answer
    assert word in answer["why"] and answer["why"][0] in UPPER and answer["why"].endswith((".", "”")), answer
    assert page.bench("regression").run_id == before and pool.has(before) and pool.open_runs == runs


def test_what_is_good_comes_back(pool: WorkerPool, page: Session, neighbour: AskingViewer) -> None:
    status, answer = ask(page, body(head(), STATE), piece=7)
    assert status == 200 and answer["run"] == page.bench("regression").run_id
    until(lambda: pool.call(answer["run"], Peek("steps")) == 40)


def test_other_settings_than_the_pages_bring_nothing_back(pool: WorkerPool, page: Session) -> None:
    other = RUN.config.with_values(hidden=20).as_texts()
    start = {"config": other, "threads": None}
    assert ask(page, body(json.dumps(FROM_STEP_0 | {"config": other, "start": start}))) == (200, {})


def test_a_run_of_a_quadrillion_steps_stops_where_it_is(
    pool: WorkerPool, page: Session, neighbour: AskingViewer
) -> None:
    config = RUN.config.with_values(max_steps=0)
    page.bench("regression").run_config = config
    start = {"config": config.as_texts(), "threads": None}
    far = FROM_STEP_0 | {"config": config.as_texts(), "start": start, "steps": 2**50}
    status, answer = ask(page, body(json.dumps(far)))
    assert status == 200
    viewer = AskingViewer(pool, answer["run"]).watch()
    viewer.until(lambda each: f"of {2**50:,}" in each.head.get("notice", ""))
    assert viewer.head["state"] == "paused"


def test_fifty_megabytes_are_not_read_to_their_end(page: Session, neighbour: AskingViewer) -> None:
    read: list[int] = []
    parts = (bytes(60_000) for _ in range(840))
    counted = (read.append(len(part)) or part for part in parts)
    assert asyncio.run(send(page, counted)) == (413, {"why": returns.TOO_LARGE})
    assert sum(read) < 11_000_000


def test_a_body_that_never_ends_is_given_up(
    pool: WorkerPool, page: Session, neighbour: AskingViewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returns, "MAX_READ_SECONDS", 0.1)
    assert ask(page, body(head(), STATE)[:-5], ends=False) == (400, {"why": returns.UNREADABLE})


def test_a_hundred_at_once_are_answered_and_the_neighbour_plays_on(pool: WorkerPool, neighbour: AskingViewer) -> None:
    pages = [a_page(pool) for _ in range(10)]
    names = list(SPOILT)
    frames = len(neighbour.frames)
    with ThreadPoolExecutor(1) as apart:
        asked = [(page, SPOILT[names[7 * at % len(names)]][0]() if at else body(head(), STATE))
                 for page in pages for at in range(10)]  # fmt: skip

        async def all_at_once() -> list[tuple[int, dict[str, Any]]]:
            return await asyncio.gather(*(post(*each) for each in asked))

        answers = apart.submit(asyncio.run, all_at_once()).result()
    assert {status for status, _ in answers} <= {200, 400, 404, 413, 422, 429}
    assert all("run" in answer or answer == {} or answer["why"].endswith((".", "”")) for _, answer in answers)
    assert sum("run" in answer for _, answer in answers) == len(pages), "who gives back what is good has it back"
    assert len(neighbour.frames) > frames, "frames came meanwhile"
    for page in pages:
        leave(pool, page)
