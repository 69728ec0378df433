"""The lesson Data loader: what its loader gives is what torch gives, its workers are real, bounded and gone."""

from __future__ import annotations

import contextlib
import gc
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from playground import shared_folder
from playground.engine.commands import read_command
from playground.engine.engine import Engine
from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.data_loader import batches, timeline
from playground.lessons.data_loader import noise as noisy
from playground.lessons.data_loader import reader as loading
from playground.lessons.data_loader import sorted_labels as in_order
from playground.lessons.data_loader import timed_dataset as timed_items
from playground.lessons.data_loader.figures import lanes, noise
from playground.lessons.data_loader.figures import loading as figures
from playground.lessons.data_loader.lesson import LESSON
from playground.lessons.data_loader.reader import Loading
from playground.lessons.data_loader.run import LoadingRun, batch_sizes
from playground.lessons.data_loader.timed_dataset import SAMPLERS, Plan, read
from playground.settings import Settings
from tests.unit.plotly_check import assert_plotly_takes

SECONDS = 60.0  # within which anything here has happened, on a busy machine
SOON = 3.0  # seconds: well before a reading of the tests below would end by itself
each_live_lab = pytest.mark.parametrize("lab", [lab for lab in LESSON.labs if lab.build], ids=lambda lab: lab.name)


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    """Whatever a test did, its workers end with it."""
    yield
    gc.collect()
    until(lambda: not workers(), "the workers have ended")
    loading.hosts.end_all()
    until(lambda: not hosts(), "the hosts have ended")


def hosts() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if "playground.lessons.data_loader.worker_host" in " ".join(command(child))
    ]


def workers() -> list[psutil.Process]:
    """The processes of the hosts, except the resource tracker: that one ends with its host."""
    return [child for host in hosts() for child in host.children(recursive=True) if is_worker(command(child))]


def is_worker(words: list[str]) -> bool:
    return bool(words) and "resource_tracker" not in " ".join(words)


def command(process: psutil.Process) -> list[str]:
    """A process's command line; empty when it has gone."""
    try:
        return [] if process.status() == psutil.STATUS_ZOMBIE else process.cmdline()
    except psutil.NoSuchProcess:
        return []


def until(holds: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    give_up_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up_at, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


def finish(run: LoadingRun) -> LoadingRun:
    give_up_at = time.monotonic() + SECONDS
    while not run.outcome:
        assert time.monotonic() < give_up_at, "the run is not done in time"
        if not run.advance(0.02, 1_000):
            time.sleep(0.01)
    return run


def wait_for(reading: Loading) -> Loading:
    def ended() -> bool:
        reading.look()
        return not reading.alive

    until(ended, "the reading is over")
    return reading


def order(plan: Plan, **changed: Any) -> list[list[float]]:
    return [batch.x for batch in read(Plan(**{**vars(plan), "workers": 0, **changed}))]


# What the loader gives.


def test_tutorials_script_gives_the_batches_of_the_page() -> None:
    config = batches.BatchesConfig()
    assert (config.samples, config.batch_size, config.shuffle, config.workers, config.epochs) == (10, 5, True, 2, 3)
    x, y = torch.linspace(1, 10, 10), torch.linspace(10, 1, 10)
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True, generator=generator)
    expected = [(epoch, bx.tolist(), by.tolist()) for epoch in range(3) for bx, by in loader]
    run = finish(batches.build(config))
    assert [(batch.epoch, batch.x, batch.y) for batch in run.batches] == expected
    assert {worker for batch in run.batches for worker in batch.worker} == {0, 1}, "two workers fetched"


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_same_seed_gives_the_same_order_and_another_seed_another(sampler: str) -> None:
    plan = Plan(samples=20, sampler=sampler)
    assert order(plan) == order(plan)
    assert (order(plan) == order(plan, seed=1)) is (sampler == "sequential")


def test_workers_do_not_change_the_order() -> None:
    plan = Plan(samples=11, batch_size=3, workers=2)
    reading = wait_for(Loading([plan], limit=1))
    assert [batch.x for batch in reading.look()] == order(plan)
    assert not reading.fell_back


@pytest.mark.parametrize("sampler", ["shuffle", "sequential", "random"])
@pytest.mark.parametrize("batch_size", [1, 3, 10, 60])
def test_an_epoch_shows_each_sample_once(sampler: str, batch_size: int) -> None:
    plan = Plan(samples=10, batch_size=batch_size, sampler=sampler, workers=0, epochs=2)
    for epoch in range(2):
        shown = [x for batch in read(plan) if batch.epoch == epoch for x in batch.x]
        assert sorted(shown) == list(range(1, 11))


def test_without_shuffle_each_epoch_is_in_order() -> None:
    assert order(Plan(shuffle=False, epochs=2)) == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]] * 2


def test_weighted_sampler_draws_in_proportion() -> None:
    drawn = np.concatenate(order(Plan(samples=4, batch_size=4, sampler="weighted", epochs=2_000)))
    shares = np.bincount(drawn.astype(int), minlength=5)[1:] / len(drawn)
    assert shares == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.02)


@pytest.mark.in_turns
@pytest.mark.parametrize("samples", [2, 9, 10, 60])
@pytest.mark.parametrize("batch_size", [1, 2, 5, 60])
@pytest.mark.parametrize("drop_last", [False, True])
def test_sizes_of_batches_are_those_of_the_loader(samples: int, batch_size: int, drop_last: bool) -> None:
    plan = Plan(samples=samples, batch_size=batch_size, drop_last=drop_last, epochs=1)
    found = [len(batch) for batch in order(plan)]
    if found:
        assert batch_sizes(plan) == found
    else:
        with pytest.raises(ValueError, match="never fills"):
            batch_sizes(plan)


def test_a_gradient_of_zero_has_no_direction() -> None:
    sheet = noisy.draw(noisy.NoiseConfig(distance=0.0, spread=0.0))
    assert {row[2] for row in sheet.tables[0].rows} == {noisy.NO_DIRECTION}
    assert sheet.note == noisy.EXACT
    near = noisy.draw(noisy.NoiseConfig(distance=0.0, spread=0.1))
    assert not near.note and near.tables[0].rows[-1][2] == "1.000"


def test_names_of_samplers_fit_into_their_field() -> None:
    assert max(map(len, batches.SAMPLER_NAMES.values())) <= 22


def test_reading_leaves_torchs_own_random_numbers_alone() -> None:
    before = torch.get_rng_state()
    order(Plan(sampler="replacement"))
    in_order.draw(in_order.SortedConfig())
    noisy.draw(noisy.NoiseConfig())
    assert torch.equal(before, torch.get_rng_state())


# The batches on the page.


def test_map_counts_and_lines_show_the_batches() -> None:
    run = finish(batches.build(batches.BatchesConfig(batch_size=4, workers=0)))
    assert run.steps == 9 and run.order(9).shape == (3, 10)
    for at in range(10):
        shown = [x for batch in run.batches[:at] for x in batch.x]
        assert run.counts(run.order(at)).tolist() == [shown.count(sample) for sample in range(1, 11)]
    assert run.steps_in_epochs(1) == 3
    printed = run.figures(2, {})["printed"]()["layout"]["meta"]["words"].splitlines()
    x, y = (torch.tensor(values) for values in (run.batches[1].x, run.batches[1].y))
    assert printed[-1] == f"Epoch: 0 |Step: 1 |batch x: {x.numpy()} |batch y: {y.numpy()}"


def test_tutorials_bug_prints_the_method_and_the_same_each_time() -> None:
    run = finish(batches.build(batches.BatchesConfig(workers=0)))
    first, again = (run.figures(3, {"bug": True})["printed"]() for _ in range(2))
    assert "<built-in method numpy of Tensor object at 0x" in first["layout"]["meta"]["words"]
    notes = [each["text"] for each in first["layout"]["annotations"]]
    assert any("&lt;built-in" in text for text in notes), "Plotly would read <...> as markup"
    assert first == again


def test_short_batch_and_dropped_samples_are_flagged() -> None:
    def notes(**knobs: Any) -> list[str]:
        run = batches.build(batches.BatchesConfig(workers=0, **knobs))
        return [note["text"] for note in run.figures(0, {})["map"]()["layout"]["annotations"]]

    assert notes() == []
    assert notes(batch_size=4) == ["short: 2"]
    assert notes(batch_size=4, drop_last=True) == ["dropped: 2"]


def test_the_checksum_tells_orders_apart() -> None:
    def checksum(seed: int) -> float:
        run = finish(batches.build(batches.BatchesConfig(workers=0, seed=seed)))
        return run.status(run.steps)["order"]

    assert checksum(3) == checksum(3) != checksum(4)


@each_live_lab
def test_every_experiment_of_a_live_lab_draws_before_during_and_after(lab: Any) -> None:
    for each in experiments(LESSONS["data_loader"]):
        if each.bench is not lab or getattr(each.config, "start", "") == "spawn":  # takes seconds; one is tested below
            continue
        run = finish(lab.build(each.config))
        assert not run.loading.fell_back, each.id
        for at in (0, 1, run.steps):
            run.apply(read_command({"do": "scrub", "to": at}))
            drawing = run.draw([chart.name for chart in lab.charts], {"bug": True})
            assert set(drawing.charts) == {chart.name for chart in lab.charts}
            assert set(drawing.status) == set(lab.status)
            assert drawing.note.endswith((".", "…"))
            for figure in drawing.charts.values():
                assert_plotly_takes(figure)


# Workers: measured, bounded, ended.


def test_workers_fetch_items_at_the_same_time() -> None:
    plan = Plan(samples=8, batch_size=2, workers=2, item_ms=30.0, epochs=1)
    reading = wait_for(Loading([plan], limit=1))
    spans = {number: timeline.Measured(reading.look()).fetches(number) for number in (0, 1)}
    for mine in spans.values():
        assert len(mine) == 4
        assert all(span.end - span.start >= 0.03 for span in mine), "each item costs what was asked"
        assert all(one.end <= two.start for one, two in pairwise(mine)), "one after the other"
    overlap = min(each[-1].end for each in spans.values()) - max(each[0].start for each in spans.values())
    assert overlap > 0, "both workers fetch at the same time"
    for batch in reading.look():
        assert 0 <= batch.asked <= batch.got <= batch.used and max(batch.ends) <= batch.got


def test_computing_costs_the_processors_time_not_the_clocks() -> None:
    before = time.thread_time()
    timed_items.compute(0.05)
    assert time.thread_time() - before == pytest.approx(0.05, abs=0.02)


def test_spawned_workers_read_too() -> None:
    reading = wait_for(Loading([Plan(start="spawn", workers=1, epochs=1)], limit=1))
    assert [batch.x for batch in reading.look()] == order(Plan(epochs=1))
    assert not reading.fell_back


def test_a_garbage_collected_reading_ends_its_workers() -> None:
    readings = [Loading([Plan(samples=40, batch_size=1, item_ms=300.0, workers=2)], limit=1)]
    until(lambda: readings[0].look() is not None and len(workers()) >= 2, "the workers have started")
    readings.clear()
    until(lambda: not loading.hosts.busy and not workers(), "the reading and its workers have ended", SOON)


def test_a_run_that_the_engine_drops_ends_its_workers() -> None:
    engine = Engine(Settings(workers=1))
    engine.start()
    run_id = engine.open(
        "session", timeline.build, timeline.TimelineConfig(item_ms=30, samples=40, epochs=2, batch_ms=60)
    )
    until(
        lambda: engine.call(run_id, lambda run: run.advance(0.01, 1)) >= 0 and bool(workers()), "a worker has started"
    )
    engine.close(run_id)
    engine.stop()
    until(lambda: not loading.hosts.busy and not workers(), "the reading and its workers have ended", SOON)


def test_a_reading_that_nobody_looks_at_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "LEASE_SECONDS", 0.5)
    reading = Loading([Plan(samples=40, batch_size=2, item_ms=200.0, workers=1)], limit=1)
    until(lambda: not reading.alive, "it ends although it is still referred to")
    assert len(reading.look()) < 60


def test_a_host_ends_with_its_server() -> None:
    wait_for(Loading([Plan()], limit=1))
    (host,) = hosts()
    (warm,) = loading.hosts.warm
    assert warm.process.stdin is not None
    warm.process.stdin.close()  # as when the server is killed
    until(lambda: not command(host), "the host has ended by itself")


def test_one_reading_waits_for_another_with_a_sentence() -> None:
    first = Loading([Plan(samples=20, batch_size=2, item_ms=50.0, workers=1, epochs=1)], limit=1)
    until(lambda: first.look(), "the first reads")
    second = Loading([Plan()], limit=1)
    until(lambda: second.note == loading.WAITING, "the second says that it waits")
    assert len(hosts()) == 1 and second.look() == []

    def both_done() -> bool:
        first.look()
        second.look()
        return not first.alive and not second.alive

    until(both_done, "both come to their end")
    assert len(second.look()) == 6 and second.note == ""


SERVERS_WORKER = """
import os, socket, sys, time
from playground.lessons.data_loader import reader
from playground.lessons.data_loader.timed_dataset import Plan
listener = socket.create_server(("127.0.0.1", 0))
line, _ = socket.create_connection(listener.getsockname()), listener.accept()
os.set_inheritable(line.fileno(), True)  # as a library might
plan = Plan(samples=200, batch_size=100, item_ms=100.0, workers=2, start=sys.argv[1], epochs=100)
reading = reader.Loading([plan], limit=1)
while not reader.hosts.busy:
    reading.look()
    time.sleep(0.01)
(host,) = reader.hosts.busy
print(host.process.pid, flush=True)
while True:
    reading.look()
    time.sleep(0.1)
"""


@pytest.fixture
def shared() -> Iterator[Path]:
    """The shared folder of a server that this process has started."""
    folder = shared_folder.create()
    assert folder is not None
    yield folder.path
    folder.close()


@pytest.fixture
def servers_worker(shared: Path, request: pytest.FixtureRequest) -> Iterator[tuple[psutil.Process, psutil.Process]]:
    """Another worker process of the server, in the middle of a slow reading, and its host."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVERS_WORKER, getattr(request, "param", "fork")], cwd=loading.ROOT,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    worker, host = psutil.Process(process.pid), psutil.Process(int(process.stdout.readline()))
    until(lambda: len([each for each in host.children(True) if is_worker(command(each))]) == 2, "it reads")
    yield worker, host
    process.kill()
    process.wait()


@pytest.mark.parametrize("servers_worker", ["fork", "spawn"], indirect=True)
def test_nothing_is_left_of_the_reading_of_a_worker_that_was_killed(
    servers_worker: tuple[psutil.Process, psutil.Process],
) -> None:
    worker, host = servers_worker
    started = [host, *host.children(recursive=True)]
    worker.kill()
    until(lambda: not any(command(each) for each in started), "the host and its workers have ended", SOON)


@pytest.mark.skipif(sys.platform != "linux", reason="open files are read from /proc")
def test_a_host_inherits_nothing_that_its_worker_has_open(
    servers_worker: tuple[psutil.Process, psutil.Process], shared: Path
) -> None:
    worker, host = servers_worker
    of_worker = {name for name in opened_by(worker) if name.startswith("socket:") or str(shared) in name}
    assert len(of_worker) >= 4, "two sockets, a listening one, and the lock on its place"
    for process in (host, *host.children(recursive=True)):
        assert not of_worker & opened_by(process)


def opened_by(process: psutil.Process) -> set[str]:
    """What a process has open, by the system's names for it."""
    found = set()
    for each in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(each.readlink()))
    return found


def test_readings_of_another_worker_count_until_it_is_killed(
    servers_worker: tuple[psutil.Process, psutil.Process],
) -> None:
    reading = Loading([Plan()], limit=1)
    until(lambda: reading.note == loading.WAITING, "it waits for the other worker's reading")
    second = Loading([Plan()], limit=2)
    assert [batch.x for batch in wait_for(second).look()] == order(Plan()), "two places hold two readings"
    assert reading.look() == [] and reading.note == loading.WAITING
    servers_worker[0].kill()
    assert [batch.x for batch in wait_for(reading).look()] == order(Plan())
    assert not reading.fell_back and loading.hosts.places == []


def test_switched_off_workers_fall_back_with_a_sentence() -> None:
    run = finish(batches.build(batches.BatchesConfig(), Settings(loaders=0)))
    assert {worker for batch in run.batches for worker in batch.worker} == {-1}
    assert run.narrate(run.steps).startswith(loading.OFF)
    assert hosts() == []


def test_killed_workers_fall_back_to_the_same_batches_with_a_sentence() -> None:
    plan = Plan(samples=20, batch_size=2, item_ms=30.0, workers=2, epochs=1)
    reading = Loading([plan], limit=1)
    until(lambda: reading.look(), "the first batch")
    for worker in workers():
        os.kill(worker.pid, signal.SIGKILL)
    wait_for(reading)
    assert reading.fell_back and reading.note == loading.FELL_BACK
    assert [batch.x for batch in reading.look()] == order(plan, item_ms=0.0)


def test_a_host_that_cannot_start_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "COMMAND", ("no-such-program",))
    reading = wait_for(Loading([Plan()], limit=1))
    assert reading.fell_back and [batch.x for batch in reading.look()] == order(Plan())


def test_a_reading_that_takes_too_long_is_killed_and_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MAX_SECONDS", 0.2)
    reading = wait_for(Loading([Plan(samples=4, batch_size=2, item_ms=1_500.0, workers=1, epochs=1)], limit=1))
    assert reading.fell_back and len(reading.look()) == 2


# A host whose workers read the first plan and are too slow for the second, without the processes.
SLOW_WORKERS = """
import json
print('{"ready": true}', flush=True)
plans = json.loads(input())
batch = dict(plan=0, epoch=0, slot=0, x=[1.0], y=[1.0], worker=[-1], starts=[0.0], ends=[0.1], asked=0.0, got=0.1,
             used=0.1)
for slot in range(2):
    print(json.dumps(batch | {"slot": slot}), flush=True)
print(json.dumps(batch | {"plan": 1, "worker": [0]}), flush=True)
print('{"over": "slow", "plan": 1}', flush=True)
input()
"""


def test_where_workers_are_too_slow_only_their_lanes_fall_back_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "COMMAND", (sys.executable, "-c", SLOW_WORKERS))
    config = timeline.TimelineConfig(samples=4, batch_size=2, item_ms=0, batch_ms=0)
    run = timeline.build(config)
    until(lambda: run.advance(0.1, 100) == 0 and bool(run.outcome), "all batches are shown")
    drawn = run.draw(["lanes", "throughput"], {})
    assert "because this server is busy" in drawn.note and "Press Reset and Play" in drawn.note
    assert len(run.batches) == 6 and run.batches[0].ends == [0.1], "the lane without workers is still the first reading"
    names = drawn.charts["lanes"]["layout"]["yaxis"]["ticktext"]
    main = [name for name in names if "main" in name]
    assert main == ["0 workers: main", "1 worker: main,<br>fell back to 0", "2 workers: main,<br>fell back to 0"]
    bars = drawn.charts["throughput"]["data"][0]["x"]
    assert list(bars) == ["0 workers", "1 worker,<br>fell back to 0", "2 workers,<br>fell back to 0"]
    assert np.isnan([drawn.status["seconds_1"], drawn.status["seconds_2"]]).all(), "these are not the times of workers"


def test_a_reading_that_has_not_begun_has_no_seconds() -> None:
    run = timeline.build(timeline.TimelineConfig(samples=4, batch_size=2))
    assert all(map(np.isnan, run.status(0).values())), "0 seconds would be the fastest of all"


def test_time_limits_grow_with_the_time_that_a_process_takes_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[list[dict[str, Any]]] = []
    monkeypatch.setattr(loading, "COMMAND", (sys.executable, "-c", 'print(\'{"ready": true}\\n{"over": ""}\')'))
    monkeypatch.setattr(loading.Host, "write", lambda host, line: sent.append(json.loads(line)))
    for usual, most, slowness in ((1e9, 10.0, 1.0), (1e-9, 10.0, 10.0)):
        monkeypatch.setattr(loading, "USUAL_START_SECONDS", usual)
        host = loading.Host()
        assert list(host.read([Plan()])) == [] and host.slowness == slowness <= most
        host.kill()
    assert [plans[0]["timeout"] for plans in sent] == [20.0, 200.0]


def test_while_workers_start_the_page_says_how_long_it_has_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "QUIET_SECONDS", -1.0)
    monkeypatch.setattr(loading, "COMMAND", (sys.executable, "-c", "input()"))
    reading = Loading([Plan()], limit=1)
    until(lambda: re.fullmatch(r"Starting the worker processes: [0-9]+ s so far\.", reading.note), "the sentence")
    reading.close()


def test_the_script_prints_x_and_y_before_its_loop() -> None:
    run = batches.build(batches.BatchesConfig(workers=0))
    lines = run.draw(["printed"], {}).charts["printed"]["layout"]["meta"]["words"].splitlines()
    assert lines == [str(torch.linspace(1, 10, 10)), str(torch.linspace(10, 1, 10))]
    until(lambda: run.advance(0.1, 100) == 0 and bool(run.outcome), "all batches")
    lines = run.draw(["printed"], {}).charts["printed"]["layout"]["meta"]["words"].splitlines()
    assert len(lines) == 8 and lines[0].startswith("tensor([ 1.,") and lines[-1].startswith("Epoch: 2 |Step: 1 |")


def test_a_long_line_continues_on_the_next() -> None:
    figure = figures.printed(["word " * 20, "b"])
    *rows, last = [note["text"] for note in figure["layout"]["annotations"]]
    assert last == "b" and len(rows) == 3 and all(len(row) <= figures.WIDTH for row in rows)
    assert "".join(rows).split() == ["word"] * 20 and all(row.startswith(figures.INDENT) for row in rows[1:])


def test_asking_for_a_batch_never_blocks() -> None:
    run = timeline.build(timeline.TimelineConfig(item_ms=30))
    longest = 0.0
    while not run.outcome:
        before = time.thread_time()
        run.advance(0.02, 1)
        longest = max(longest, time.thread_time() - before)
        time.sleep(0.005)
    assert longest < 0.05


# Gradients of batches.


@pytest.mark.parametrize("size", noisy.SIZES)
def test_gradient_of_a_batch_is_the_mean_of_its_samples(size: int) -> None:
    x, y, at = noisy.draw_points(noisy.NoiseConfig())
    rows = noisy.gradient_of_each(x, y, at)
    torch.testing.assert_close(rows[:size].mean(dim=0), noisy.gradient(x[:size], y[:size], at))


def test_noise_follows_its_formula() -> None:
    x, y, at = noisy.draw_points(noisy.NoiseConfig())
    rows = noisy.gradient_of_each(x, y, at)
    whole = rows.mean(dim=0)
    generator = torch.Generator().manual_seed(0)
    for size in (2, 8, 32):
        draws = torch.cat([noisy.batch_gradients(rows, size, generator) for _ in range(300)])
        measured = (draws - whole).pow(2).sum(dim=1).mean().sqrt().item()
        assert measured == pytest.approx(noisy.expected_noise(rows, size), rel=0.1)
    assert noisy.expected_noise(rows, len(rows)) == 0


def test_cosine_grows_with_the_batch_and_is_one_for_all_the_data() -> None:
    table = noisy.draw(noisy.NoiseConfig()).tables[0].rows
    means = {int(row[0]): float(row[2]) for row in table}
    assert means[1] < 0.5 < means[4] < means[32] <= means[128] == 1
    assert [int(row[1]) for row in table] == [128 // size for size in means]


# Sorted labels.


def test_the_loss_is_a_sawtooth_on_sorted_labels_and_not_on_shuffled_ones() -> None:
    config = in_order.SortedConfig()
    x, y = in_order.draw_points(config)
    straight, mixed = (in_order.train(config, x, y, shuffle=shuffle) for shuffle in (False, True))
    last = slice(-16, None)
    assert straight.labels[:16].tolist() == [0.0] * 8 + [1.0] * 8
    assert straight.losses[last].max() - straight.losses[last].min() > 0.2
    assert mixed.losses[last].max() - mixed.losses[last].min() < 0.05
    assert straight.losses[0].item() == pytest.approx(in_order.CHANCE)


def test_whole_batches_make_order_irrelevant() -> None:
    config = in_order.SortedConfig(batch_size=160)
    x, y = in_order.draw_points(config)
    one, two = (in_order.train(config, x, y, shuffle=shuffle) for shuffle in (False, True))
    torch.testing.assert_close(one.losses, two.losses)


def test_training_is_that_of_numpy() -> None:
    config = in_order.SortedConfig(batch_size=40, samples=80, epochs=2)
    x, y = in_order.draw_points(config)
    weight = bias = 0.0
    for _ in range(2):
        for start in (0, 40):
            bx, by = x[start : start + 40, 0].double().numpy(), y[start : start + 40, 0].double().numpy()
            error = 1 / (1 + np.exp(-(weight * bx + bias))) - by
            weight, bias = weight - config.lr * (error * bx).mean(), bias - config.lr * error.mean()
    answers = (1 / (1 + np.exp(-(weight * x.double().numpy() + bias)))).mean()
    assert in_order.train(config, x, y, shuffle=False).answers[-1].item() == pytest.approx(answers, rel=1e-4)


# Figures and code.


def test_figures_are_taken_by_plotly_at_their_edges() -> None:
    empty = np.empty(0)
    for figure in (
        figures.batch_map(np.zeros((10, 60), int), batch_size=60, dropped=0, latest=None),
        figures.times_drawn(np.zeros(60), top=2, expected=0),
        figures.printed(["<b>bold</b> & more"] * 9),
        figures.printed([]),
        lanes.lanes([[("main", [])]], 0.0),
        lanes.throughput({"0 workers": (None, None)}, 1.0),
        lanes.ahead([("1 worker", empty, empty)], 1.0, 1.0),
        noise.cloud(np.zeros((1, 2)), np.zeros(2), np.zeros((2, 2))),
    ):
        assert_plotly_takes(figure)


def test_code_shown_is_the_code_run() -> None:
    assert timed_items.build_loader in LESSON.code
    assert "build_loader(plan)" in inspect.getsource(timed_items.read)
