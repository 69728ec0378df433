"""Writes down what this version of the playground makes: `python -m tests.recorded.record`, from the project's folder.

What is written must stay true of every later version: test_recorded.py reads the files again, replays the links and
compares first frames. So run this only for a lesson, a preset or an experiment that is new (`--new`), never to silence
a test.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import torch
from torch import nn

from playground import mnist
from playground.experiments import experiments
from playground.knobs import Config
from playground.lesson import Bench, Lesson, LiveLesson
from playground.lessons import LESSONS
from playground.mnist import files as mnist_files
from playground.runs.checksums import checksum
from playground.saving import checkpoint, replay, weight_files
from playground.settings import Settings
from playground.training.devices import set_threads

FILES = Path(__file__).parent / "files"
LINKS, RUNS, MACHINE = FILES / "links.json", FILES / "runs.json", FILES / "machine.json"
SETTINGS = Settings()
AFTER = 5  # steps that a restored run goes on
TIMED = ("tensors_speed", "data_loader_timeline")  # their first frames hold times of this machine

Turns = tuple[tuple[int, Mapping[str, Any]], ...]
# Three runs of each lesson that trains: the settings at the start, the knobs turned after given steps, the steps.
WAYS: dict[str, tuple[tuple[Mapping[str, Any], Turns, int], ...]] = {
    "regression": (
        ({}, (), 100),
        ({"batch_size": 20, "max_steps": 0},
         ((3, {"optimizer": "adam", "lr": 0.01}), (7, {"noise": 0.5, "activation": "tanh"})), 40),
        ({"target": "sine", "layers": 3, "hidden": 12, "hidden_2": 7, "hidden_3": 5, "optimizer": "momentum", "lr": 0.1,
          "weight_decay": 0.001, "batch_size": 10, "seed": 7, "points": 60, "initialisation": "xavier"},
         ((10, {"lr": 0.03}),), 50),
    ),
    "classification": (
        ({}, (), 60),
        ({"batch_size": 10}, ((2, {"units_1": 12, "inputs": "x1,x2,sin x1"}), (2, {"layers": 2}), (5, {"dropout": 0.3}),
                              (9, {"cloud": "rings", "classes": 4})), 40),
        ({"cloud": "spiral", "layers": 3, "units_1": 8, "units_2": 6, "units_3": 4, "activation": "tanh",
          "optimizer": "adam", "lr": 0.01, "dropout": 0.2, "l1": 0.001, "batch_size": 32, "loss": "brier"},
         ((20, {"dropout": 0.0}),), 50),
    ),
    "optimizers": (
        ({}, (), 60),
        ({"batch_size": 8}, ((4, {"batch_size": 16}), (9, {"lr": 0.03})), 30),
        ({"fair": False, "schedule": "cosine", "hidden": 8}, ((5, {"momentum": 0.5}),), 40),
    ),
    "cnn": (
        ({"filters_1": 4, "filters_2": 6, "lr": 0.01, "epochs": 2}, (), 12),
        ({"filters_1": 3, "filters_2": 4, "batch_norm": True, "dropout": 0.3, "optimizer": "momentum", "lr": 0.03,
          "schedule": "one_cycle", "images": 500}, ((4, {"dropout": 0.0}), (8, {"shift": 2.0, "turn": 10.0})), 14),
        ({"layers": 3, "filters_1": 2, "filters_2": 3, "filters_3": 4, "kernel": 3, "pooling": "average",
          "activation": "tanh", "images": 200, "batch_size": 20, "epochs": 20, "seed": 3},
         ((5, {"dropout": 0.2}),), 12),
    ),
}  # fmt: skip


@contextmanager
def small_digits() -> Iterator[None]:
    """Meanwhile everybody learns from scikit-learn's digits, whatever else is on this machine."""
    places = mnist_files.places
    mnist_files.places = list
    mnist.forget()
    try:
        yield
    finally:
        mnist_files.places = places
        mnist.forget()


def live_lessons() -> dict[str, LiveLesson]:
    return {name: lesson for name, lesson in LESSONS.items() if isinstance(lesson, LiveLesson)}


def trained(name: str, values: Mapping[str, Any], turns: Turns, steps: int) -> Any:
    """The run of one way, at its last step."""
    lesson = live_lessons()[name]
    run: Any = lesson.build(lesson.config(**values), settings=SETTINGS)
    for at, turned in (*turns, (steps, {})):
        while run.steps < at:
            run.step()
        if turned:
            run.tune(run.config.with_values(**turned))
    return run


def setups() -> Iterator[tuple[str, Bench, Config]]:
    """Every experiment: what it is called here, where it is set up, and its settings."""
    for lesson in LESSONS.values():
        for each in experiments(lesson):
            yield f"{each.bench.name}: experiment {each.title}", each.bench, each.config


def link(lesson_of: Lesson, bench: Bench, config: Config) -> str:
    """The address that opens these settings."""
    pairs = {f"{bench.name}_{name}": text for name, text in config.as_texts().items()}
    if bench.name != lesson_of.name:
        pairs = {f"{lesson_of.name}_lab": bench.name.removeprefix(f"{lesson_of.name}_")} | pairs
    return f"/{lesson_of.name}?" + urlencode(pairs, safe=":,~")


def first_frame(bench: Any, config: Config) -> dict[str, Any]:
    """What the first frame shows: of each chart its numbers in short, and the numbers beside the player."""
    if getattr(bench, "draw", None) is not None:
        try:
            charts, status = bench.draw(config).charts, {}
        except ValueError:  # an experiment may ask for what cannot be, to show the sentence
            return {"refused": True}
    else:
        drawing = bench.build(config, settings=SETTINGS).draw([chart.name for chart in bench.charts], {})
        charts, status = drawing.charts, drawing.status
    return {
        "charts": {name: [summary(trace) for trace in figure.get("data", ())] for name, figure in charts.items()},
        "status": {name: rounded(value) for name, value in status.items() if name != "steps_per_second"},
    }


def summary(trace: Mapping[str, Any]) -> dict[str, Any]:
    """Of each array of a trace that holds numbers: how many there are, their sum, and the sum of their sizes."""
    found = {}
    for name in ("x", "y", "z"):
        values = trace.get(name)
        if values is None:
            continue
        try:
            numbers = np.asarray(values, dtype=float).ravel()
        except (TypeError, ValueError):
            continue
        numbers = numbers[np.isfinite(numbers)]
        found[name] = [len(numbers), rounded(numbers.sum()), rounded(np.abs(numbers).sum())]
    return found


def rounded(value: Any) -> float | None:
    number = float(f"{float(value):.6g}")
    return number if np.isfinite(number) else None


def canary() -> str:
    """A fingerprint of bare torch's arithmetic: where it is another, other weights come of the same training."""
    torch.manual_seed(0)
    x, y = torch.randn(64, 1, 28, 28), torch.randint(10, (64,))
    model = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Linear(784, 16), nn.Tanh(), nn.Linear(16, 10))  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(10):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return checksum(model.state_dict())


def record_runs() -> list[dict[str, Any]]:
    """Three runs of each lesson as files and as links that replay them."""
    found = []
    for name, ways in WAYS.items():
        for number, way in enumerate(ways, start=1):
            run = trained(name, *way)
            stem = f"{name}-{number}"
            taken = checkpoint.take(name, run)
            (FILES / f"{stem}.safetensors").write_bytes(checkpoint.pack(taken))
            (FILES / f"{stem}.pt").write_bytes(weight_files.as_pt(run.script_weights()))
            (FILES / f"{stem}.npz").write_bytes(weight_files.as_npz(run.script_weights()))
            again = replay.parameters(run.run_history())
            config = run.config.as_texts()
            weights = {"checksum": taken.checksum, "sizes": sizes(run)}
            for _ in range(AFTER):
                run.step()
            after = {"checksum": run.run_history().checksum, "sizes": sizes(run)}
            found.append({"lesson": name, "file": stem, "config": config, "step": taken.step, "weights": weights,
                          "after": after, "replay": again})  # fmt: skip
    return found


def sizes(run: Any) -> list[float | None]:
    """The Euclidean norm of each parameter, in order."""
    return [rounded(parameter.detach().norm()) for parameter in run.model.parameters()]


def record_links() -> dict[str, Any]:
    """Each preset's and each experiment's link, settings and first frame."""
    owner = {bench.name: lesson for lesson in LESSONS.values() for bench in lesson.benches}
    found = {}
    for title, bench, config in setups():
        frame = None if bench.name in TIMED else first_frame(bench, config)
        found[title] = {"link": link(owner[bench.name], bench, config), "config": config.as_texts(), "frame": frame}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--new", action="store_true", help="add links that are not yet there; change nothing else")
    only_new = parser.parse_args().new
    set_threads(1)
    FILES.mkdir(exist_ok=True)
    with small_digits():
        links = record_links()
        if only_new:
            links = links | json.loads(LINKS.read_text(encoding="utf-8"))
        else:
            MACHINE.write_text(json.dumps({"canary": canary(), "torch": torch.__version__}) + "\n", encoding="utf-8")
            RUNS.write_text(as_lines(record_runs()), encoding="utf-8")
    LINKS.write_text(as_lines(links), encoding="utf-8")


def as_lines(value: Any) -> str:
    """JSON with a line for each entry, so that a change shows as a line."""
    if isinstance(value, dict):
        rows = [
            f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(item, ensure_ascii=False)}"
            for key, item in value.items()
        ]
        return "{\n" + ",\n".join(rows) + "\n}\n"
    return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]\n"


if __name__ == "__main__":
    main()
