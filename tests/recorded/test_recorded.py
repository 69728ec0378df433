"""What an earlier version wrote is still true: its files load, its links replay, its settings give the same charts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import torch

from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.activations.functions import FUNCTIONS
from playground.saving import checkpoint, replay
from playground.training.devices import threads
from tests.recorded.record import (
    AFTER,
    FILES,
    LINKS,
    MACHINE,
    RUNS,
    SETTINGS,
    canary,
    first_frame,
    live_lessons,
    setups,
    sizes,
    small_digits,
)

RECORDED_LINKS: dict[str, Any] = json.loads(LINKS.read_text(encoding="utf-8"))
RECORDED_RUNS: list[dict[str, Any]] = json.loads(RUNS.read_text(encoding="utf-8"))
BENCHES = {bench.name: (lesson, bench) for lesson in LESSONS.values() for bench in lesson.benches}
CLOSE = 1e-4  # of a number's size: how far another processor's arithmetic may lead
# Charts that are drawn in another form since, with the same numbers: why.
REDRAWN = {
    "tensors_tutorial: preset abs": "an array of one axis is a row, as in the lab Operations",
    "tensors_tutorial: preset sin": "an array of one axis is a row, as in the lab Operations",
    "tensors_tutorial: preset mean": "an array of one axis is a row, as in the lab Operations",
    "tensors_tutorial: experiment The same sine": "an array of one axis is a row, as in the lab Operations",
    "checkpoints_inside: preset Output layer": "eleven numbers are below each other, no longer on top of each other",
}
# Single charts that are drawn in another form since, by bench and chart: why.
REDRAWN_CHARTS = {
    ("regression", "network"): "drawn from the data to the prediction, with the curve of each unit",
    ("classification", "network"): "drawn from the data to the prediction, with a map of each input",
    ("classification", "explain"): "bars are shorter, so that there is room for their numbers",
    ("optimizers", "loss"): "each racer has a marker at the end of its line",
    ("optimizers", "ranking"): "a list of the racers, with a marker and its place beside each",
    ("optimizers", "surface"): "a picture of the heights, and a marker for each racer",
    ("cnn", "predictions"): "twenty images, half of them hard ones",
    ("cnn", "times"): "six steps in a line",
    ("cnn", "maps"): "at most sixteen maps in a line",
    ("cnn", "convolution"): "the maps that are added up stand in lines over their sum",
    ("cnn", "confusion"): "the sample's test is shown until there is another",
    ("cnn", "per_class"): "the sample's test is shown until there is another",
    ("cnn", "stages"): "three stages in a line",
    ("cnn", "attention"): "two images in a line",
    ("training_loop_shapes", "arrivals"): "each bar has its own mark",
    ("tensors_tutorial", "numpy"): "there is room between cells",
    ("tensors_tutorial", "torch"): "there is room between cells",
    ("tensors_operations", "gap"): "there is room between cells",
    ("tensors_memory", "sides"): "there is room between cells",
    ("tensors_memory", "memory"): "there is room between cells",
    ("tensors_broadcasting", "shapes"): "there is room between cells",
    ("tensors_broadcasting", "sum"): "a, b and their sum are one picture",
    ("tensors_views", "z"): "the tensor and the result are one picture",
    ("tensors_views", "memory"): "arcs are as high as they are wide",
    ("convolution_slide", "output"): "the image stands beside its output",
    ("convolution_slide", "sum"): "there is room between cells",
    ("convolution_pooling", "output"): "the image stands beside its output",
    ("convolution_pooling", "window"): "there is room between cells",
    ("convolution_chain", "chain"): "the images stand in rows",
    ("data_loader_batches", "map"): "empty slots are drawn, too",
    ("checkpoints_pickle", "words"): "every opcode is a cell",
}
# Charts that are a part of another one since, by bench and chart: which.
MERGED_CHARTS = {
    **{("tensors_operations", chart): "results" for chart in ("given", "numpy", "torch")},
    **{("tensors_broadcasting", chart): "sum" for chart in ("a", "b")},
    ("tensors_views", "x"): "z",
    **{("activations_all", function): "all" for function in FUNCTIONS},
    ("convolution_slide", "image"): "output",
    ("convolution_pooling", "image"): "output",
    **{("checkpoints_ways", net): "nets" for net in ("net1", "net2", "net3")},
    **{("checkpoints_inside", chart): "layer" for chart in ("before", "after", "difference")},
}
each_run = pytest.mark.parametrize("recorded", RECORDED_RUNS, ids=[each["file"] for each in RECORDED_RUNS])


@pytest.fixture(autouse=True)
def digits() -> Iterator[None]:
    """The digits and the one thread with which the files were made."""
    with small_digits(), threads(1):
        yield


@pytest.fixture(scope="module")
def same_bits() -> bool:
    """Whether torch's arithmetic is here, bit for bit, what it was where the files were made."""
    machine = json.loads(MACHINE.read_text(encoding="utf-8"))
    with threads(1):
        return bool(canary() == machine["canary"])


def is_near(now: float | None, then: float | None, scale: float = 0.0) -> bool:
    if now is None or then is None:
        return now is then
    return abs(now - then) <= CLOSE * max(abs(then), scale, 1e-3)


def assert_equal_weights(run: Any, then: dict[str, Any], *, same_bits: bool) -> None:
    now = sizes(run)
    assert len(now) == len(then["sizes"])
    assert all(is_near(one, two) for one, two in zip(now, then["sizes"], strict=True)), (now, then["sizes"])
    if same_bits:
        assert run.run_history().checksum == then["checksum"]


def train(run: Any, steps: int) -> None:
    while run.steps < steps:
        run.step()


@each_run
def test_a_checkpoint_of_then_is_restored_and_goes_on_as_it_did(recorded: dict[str, Any], same_bits: bool) -> None:
    lesson = live_lessons()[recorded["lesson"]]
    found = checkpoint.read((FILES / f"{recorded['file']}.safetensors").read_bytes())
    assert isinstance(found, checkpoint.Checkpoint)
    run, config = checkpoint.restore(found, lesson, SETTINGS)
    assert config.as_texts() == recorded["config"]
    assert run.steps == recorded["step"]
    assert run.run_history().checksum == recorded["weights"]["checksum"], "a file has its own bits, wherever it is read"
    train(run, run.steps + AFTER)
    assert_equal_weights(run, recorded["after"], same_bits=same_bits)


@each_run
def test_a_weights_file_of_then_fits_the_model_of_its_settings(recorded: dict[str, Any]) -> None:
    lesson = live_lessons()[recorded["lesson"]]
    config, problems = lesson.config.parse(recorded["config"])
    assert problems == []
    run: Any = lesson.build(config, settings=SETTINGS)
    weights = checkpoint.read((FILES / f"{recorded['file']}.pt").read_bytes())
    assert isinstance(weights, dict)
    run.use_weights(weights)
    assert run.run_history().checksum == recorded["weights"]["checksum"]
    with np.load(FILES / f"{recorded['file']}.npz") as arrays:
        assert arrays.keys() == weights.keys()
        assert all(np.array_equal(arrays[name], value.numpy()) for name, value in weights.items())


@each_run
def test_a_replay_link_of_then_leads_to_the_same_weights(recorded: dict[str, Any], same_bits: bool) -> None:
    lesson, link = live_lessons()[recorded["lesson"]], recorded["replay"]
    config, problems = lesson.config.parse(recorded["config"])
    assert problems == []
    start, again = replay.read(config, link[replay.AT], link.get(replay.SINCE, ""))
    run = replay.build(lesson.build, start, again, SETTINGS)
    train(run, again.at)
    assert run.config == config
    assert_equal_weights(run, recorded["weights"], same_bits=same_bits)
    if same_bits:
        assert again.found == again.checksum and not again.is_touched


def test_here_or_somewhere_the_bits_are_compared(same_bits: bool) -> None:
    if not same_bits:
        pytest.skip(f"torch {torch.__version__} computes other last bits on this processor than where files were made")


@pytest.mark.parametrize("bench", BENCHES)
def test_a_link_of_then_gives_the_same_settings_and_first_frame(bench: str) -> None:
    links = {title: each for title, each in RECORDED_LINKS.items() if title.partition(":")[0] == bench}
    assert links, "record the links of a new lab: python -m tests.recorded.record --new"
    for title, recorded in links.items():
        lesson, there = BENCHES[bench]
        parts = urlsplit(recorded["link"])
        assert parts.path == f"/{lesson.name}"
        pairs = dict(parse_qsl(parts.query, keep_blank_values=True))
        assert pairs.pop(f"{lesson.name}_lab", "") in ("", bench.removeprefix(f"{lesson.name}_"))
        texts = {name.removeprefix(f"{bench}_"): text for name, text in pairs.items()}
        config, problems = there.config.parse(texts)
        assert (problems, config.as_texts()) == ([], recorded["config"]), title
        if recorded["frame"] is not None and title not in REDRAWN:
            assert_same_frame(first_frame(there, config), recorded["frame"], title, bench)


def assert_same_frame(now: dict[str, Any], then: dict[str, Any], title: str, bench: str) -> None:
    assert now.get("refused") == then.get("refused"), title
    for name, value in then.get("status", {}).items():
        assert is_near(now["status"][name], value), (title, name, value, now["status"][name])
    for chart, traces in then.get("charts", {}).items():
        if not any(count for trace in traces for count, _, _ in trace.values()):
            continue  # what was left blank then may show something now
        if (bench, chart) in REDRAWN_CHARTS or (bench, chart) in MERGED_CHARTS:
            shown = MERGED_CHARTS.get((bench, chart), chart)
            assert any(trace for trace in now["charts"][shown]), (title, shown)
            continue
        assert len(now["charts"][chart]) == len(traces), (title, chart)
        for at, (one, two) in enumerate(zip(now["charts"][chart], traces, strict=True)):
            assert one.keys() == two.keys(), (title, chart, at)
            for axis, (count, total, size) in two.items():
                assert one[axis][0] == count, (title, chart, at, axis)
                near = is_near(one[axis][1], total, size) and is_near(one[axis][2], size)
                assert near, (title, chart, at, axis, one[axis], two[axis])


def test_every_preset_and_experiment_is_recorded_and_opens_the_same_settings() -> None:
    """Add a new one with `python -m tests.recorded.record --new`; one that changed keeps its old link, too."""
    now = {title: config.as_texts() for title, _, config in setups()}
    missing = sorted(now.keys() - RECORDED_LINKS.keys())
    assert not missing, f"not recorded: {missing}"
    assert len(RECORDED_LINKS) >= 200
    assert sum(len(experiments(lesson)) for lesson in LESSONS.values()) > 100
