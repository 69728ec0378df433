"""The first picture before Streamlit has started: which addresses have one, what it holds, and what it may cost."""

from __future__ import annotations

import gzip
import struct
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest

from pages.ui.routes import first
from pages.ui.routes.files import assets, page_script, plotly_build
from playground.lessons import BENCHES, LESSONS
from playground.settings import Settings
from tests.unit.ui.test_headers import get


def opened(address: str) -> first.Opening | None:
    path, _, query = address.partition("?")
    return first.opening(path.strip("/"), dict(parse_qsl(query)))


def read(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The board's data, and the head of the frame."""
    size = struct.unpack("<I", body[:4])[0]
    frame = body[4 + size :]
    return orjson.loads(body[4 : 4 + size]), orjson.loads(frame[4 : 4 + struct.unpack("<I", frame[:4])[0]])


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_opens_with_a_picture_of_its_first_bench(name: str, app_url: str) -> None:
    bench = LESSONS[name].benches[0]
    assert opened(f"/{name}") == first.Opening(name, bench.name, bench.config())
    answer = get(app_url, f"/first/{name}")
    assert answer.status == 200
    data, frame = read(gzip.decompress(answer.body))
    charts = BENCHES[bench.name].charts  # type: ignore[attr-defined]
    assert [chart["name"] for chart in data["charts"]] == [chart.name for chart in charts]
    assert {chart.name for chart in charts if not chart.views or chart.views[0] == charts[-1].views[:1]} <= set(
        frame["charts"]
    )
    assert frame["charts"]
    assert data["rail"]["at"]
    assert "lab" in data or "player" in data["words"]


@pytest.mark.parametrize(
    ("address", "bench", "values"),
    [
        ("/regression?regression_lr=0.1", "regression", {"lr": 0.1}),
        ("/regression?hide=lr,noise", "regression", {}),
        ("/tensors?tensors_lab=broadcasting", "tensors_broadcasting", {}),
        ("/cnn?cnn_filters_1=4", "cnn", {"filters_1": 4}),
    ],
)
def test_settings_of_the_address_are_those_of_the_picture(address: str, bench: str, values: dict[str, Any]) -> None:
    what = opened(address)
    assert what is not None
    assert what.bench_name == bench
    assert what.config == BENCHES[bench].config(**values)


def test_an_experiment_of_the_address_is_set_up() -> None:
    lesson = LESSONS["regression"]
    found = first.rail.experiments(lesson)[1]
    what = opened(f"/regression?regression_try={found.id}")
    assert what is not None
    assert (what.config, what.experiment) == (found.config, found.id)


@pytest.mark.parametrize(
    "address",
    [
        "/", "/nothing", "/regression?regression_lr=abc", "/regression?regression_lr=1e9", "/regression?versus=lr:0.1",
        "/regression?regression_at=100&regression_lr=0.1", "/regression?regression_try=no-such",
        "/tensors?tensors_lab=nothing", "/regression?utm=x", "/../app.py", "/regression?cnn_lr=0.1",
    ],
)  # fmt: skip
def test_an_address_whose_page_says_more_than_a_picture_has_none(address: str) -> None:
    assert opened(address) is None


@pytest.mark.parametrize("query", ["regression_lr=abc", "regression_lr=0.1&regression_lr=0.5", "x=" + "y" * 5000])
def test_where_there_is_none_the_answer_is_empty(app_url: str, query: str) -> None:
    answer = get(app_url, f"/first/regression?{query}")
    assert (answer.status, answer.body) == (204, b"")


def test_what_was_drawn_is_kept_within_bounds_and_few_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[first.Opening] = []
    answers = first.Answers()

    def draw(what: first.Opening, seconds: float) -> bytes:
        drawn.append(what)
        if len(drawn) == 1:  # while it is drawn, others ask
            assert answers.get(many[1]) == b"2"
            assert [answers._free.acquire(blocking=False) for _ in range(first.MAX_AT_ONCE)][-1] is False
            assert answers.get(many[2]) is None
            answers._free.release()
        return str(len(drawn)).encode()

    config = BENCHES["regression"].config
    many = [first.Opening("regression", "regression", config(seed=seed)) for seed in range(1, first.MAX_KEPT + 3)]
    monkeypatch.setattr(first, "_draw", draw)
    assert answers.get(many[0]) == b"2"
    assert answers.get(many[0]) == b"2"
    assert len(drawn) == 2
    for each in many:
        answers.get(each)
    assert len(answers._kept) == first.MAX_KEPT
    answers.forget()
    assert not answers._kept


@pytest.mark.parametrize("error", [TimeoutError("late"), ValueError("not drawn")], ids=repr)
def test_what_cannot_be_drawn_gives_no_answer_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def draw(what: first.Opening, seconds: float) -> bytes:
        if tries:
            return b"drawn"
        tries.append(what)
        raise error

    tries: list[first.Opening] = []
    monkeypatch.setattr(first, "_draw", draw)
    what, answers = opened("/regression"), first.Answers()
    assert what is not None
    assert answers.get(what) is None
    assert answers.get(what) == b"drawn"


def test_what_was_begun_with_the_digits_of_before_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(what: first.Opening, seconds: float) -> bytes:
        if not drawn:
            answers.forget()  # a download ends just then
        drawn.append(what)
        return str(len(drawn)).encode()

    drawn: list[first.Opening] = []
    monkeypatch.setattr(first, "_draw", draw)
    what, answers = opened("/cnn"), first.Answers()
    assert what is not None
    assert [answers.get(what) for _ in range(3)] == [b"1", b"2", b"2"]


def test_a_run_that_could_not_be_built_is_no_first_picture_for_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(run_id: str, watcher: first.Watcher, charts: list[str], options: dict[str, bool]) -> None:
        head = orjson.dumps(heads.pop())
        watcher.deliver(struct.pack("<I", len(head)) + head)

    class Pool:
        open, attach, detach, close, ask = (
            staticmethod(each) for each in (lambda *_: "1", *[lambda *_: None] * 3, send)
        )

    monkeypatch.setattr(first, "pool", Pool)
    what, answers = opened("/regression"), first.Answers()
    assert what is not None
    shown = {"state": "paused", "charts": {"fit": {}}}
    heads = [shown, {"state": "paused"}, {"state": "failed", "charts": {}, "notice": "No memory."}]
    assert answers.get(what) is None
    assert answers.get(what) is None
    assert answers.get(what) is not None


# The page's head.


def test_a_lessons_page_asks_at_once_for_all_that_its_picture_needs(app_url: str) -> None:
    head = get(app_url, "/regression?regression_lr=0.1&a=%22%3E%3Cscript%3E").body.decode()
    assert 'href="./first/regression?regression_lr=0.1&amp;a=%22%3E%3Cscript%3E" data-first' in head
    assert f'<script src="{assets.url(assets.MODULES)}" data-words="' in head
    assert f'href="{assets.url(assets.PLOTLY)}"' in head
    assert "<script>" not in head[: head.index("data-first")]


@pytest.mark.parametrize("query", ['"><script>x</script>', "a=\x00\x7f", "ä=ö", "%zz", "'" * 20])
def test_no_address_can_write_into_the_head(query: str) -> None:
    head = page_script._head("regression", query)
    (address,) = [part for part in head.split('"') if part.startswith("./first/")]
    assert not set(address) & set("<>\"' \x00\x7fäö")


def test_home_has_no_picture_of_this_kind_and_fetches_plotly_when_it_has_nothing_else_to_do() -> None:
    head = page_script._head("", "")
    assert "data-first" not in head
    assert f'<link rel="prefetch" href="{assets.url(assets.PLOTLY)}" as="script">' in head


# What is drawn can be drawn.


@pytest.mark.parametrize("name", [bench.name for lesson in LESSONS.values() for bench in lesson.benches])
def test_plotlys_build_has_every_kind_of_trace_that_is_drawn(name: str) -> None:
    bench: Any = BENCHES[name]
    if getattr(bench, "draw", None) is not None:
        charts = bench.draw(bench.config()).charts
    else:
        run = bench.build(bench.config(), settings=Settings())
        charts = run.draw([chart.name for chart in bench.charts], {}).charts
    kinds = {trace.get("type", "scatter") for figure in charts.values() for trace in figure["data"]}
    assert kinds <= plotly_build.TRACES | {"scatter"}
