"""Workers are forked from a process that has tried everything: they compute as if nothing had been tried before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playground.training import devices

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 120.0  # within which a child that does not hang has ended, on a busy machine
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

TRAIN = """
import json, os, random, sys, threading, zlib
import numpy as np
import torch

def train(name, steps, threads=1):
    from playground.lessons import LESSONS
    from playground.settings import Settings
    run = LESSONS[name].build(LESSONS[name].config(), settings=Settings())
    if hasattr(run, "use_cores"):
        run.use_cores(threads)
    assert run.advance(60.0, steps) == steps
    return sum(zlib.crc32(each.detach().numpy().tobytes()) for each in run.model.parameters())
"""
ALONE = """
from playground.training import devices
devices.set_threads(1)
print(json.dumps([train("regression", 30), train("classification", 30), train("cnn", 3)]))
"""
IMPORT = "from playground.workers import warm; warm.MAX_SECONDS = 600.0\n"  # on a busy machine
WARM = """
before = random.getstate()[1], np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
tried = []
attempt = warm._try
warm._try = lambda bench: (attempt(bench), tried.append(bench.name))
warm.warm_up()
after = random.getstate()[1], np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
from playground import mnist
from playground.lessons import BENCHES
from playground.lessons.data_loader.reader import hosts
import psutil
print(json.dumps({
    "threads": [threading.active_count(), warm.threads()],
    "random": before == after,
    "missing": sorted(set(BENCHES) - set(tried)),
    "hosts": len(hosts.warm) + len(hosts.busy),
    "children": len(psutil.Process().children()),
    "files": [name for name in os.listdir(os.environ["TMPDIR"]) if not name.startswith("torchinductor")],  # torch's
}), flush=True)
"""
FORK = """
def refuse():
    raise AssertionError("the digits were read again")
for threads in (1, 2):
    if os.fork() == 0:
        mnist._read = refuse
        devices = warm.devices
        devices.set_threads(1)
        sums = [train("regression", 30), train("classification", 30), train("cnn", 3, threads)]
        np.ones((700, 700)) @ np.ones((700, 700))
        print(json.dumps(sums), flush=True)
        os._exit(0)
    _, status = os.wait()
    assert status == 0, status
"""
WITH_CARD = """
devices = warm.devices
devices.may_have_graphics_card = lambda: True
from torch.autograd.variable import Variable
real = Variable._execution_engine
class Engine:
    def run_backward(self, *args, **options):
        sys.exit("a gradient was computed")
    def __getattr__(self, name):
        return getattr(real, name)
Variable._execution_engine = Engine()
available = torch.cuda.is_available
torch.cuda.is_available = lambda: sys.exit("torch was asked for graphics cards")
tried = []
attempt = warm._try
warm._try = lambda bench: (tried.append(bench.name), attempt(bench))
warm.warm_up()
Variable._execution_engine, torch.cuda.is_available = real, lambda: True
print(devices.choices(), set(warm.BENCHES) - set(tried), warm.threads(), flush=True)
torch.cuda.is_available = available
if os.fork() == 0:
    train("regression", 3)
    os._exit(0)
sys.exit(os.wait()[1])
"""


def python(code: str, folder: Path) -> list[str]:
    """The lines that a fresh process prints; what it leaves in its temporary folder is in `folder`."""
    variables = {**os.environ, "TMPDIR": str(folder)}
    variables.pop("PYTORCH_PLAYGROUND_FOLDER", None)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS,
        env=variables,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What was left by the trying, then the checksums of a child with one thread and of one with two."""
    return [json.loads(line) for line in python(IMPORT + TRAIN + WARM + FORK, tmp_path_factory.mktemp("warm"))]


def test_trying_leaves_one_thread_and_no_process_file_or_random_number(lines: list[Any]) -> None:
    assert lines[0] == {"threads": [1, 1], "random": True, "missing": [], "hosts": 0, "children": 0, "files": []}


def test_a_forked_worker_computes_the_same_numbers_as_a_fresh_process(lines: list[Any], tmp_path: Path) -> None:
    assert lines[1] == json.loads(python(TRAIN + ALONE, tmp_path)[0])


def test_a_forked_worker_can_use_two_threads(lines: list[Any]) -> None:
    assert lines[2][:2] == lines[1][:2], "and what uses one thread computes the same"


def test_where_there_may_be_a_graphics_card_nothing_computes_a_gradient_before_the_fork(tmp_path: Path) -> None:
    assert python(IMPORT + TRAIN + WITH_CARD, tmp_path) == ["('cpu', 'cuda') set() 1"]


def test_a_driver_alone_is_no_graphics_card_and_torch_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", pytest.fail)
    monkeypatch.setattr("torch.version.cuda", None)
    (tmp_path / "nvidiactl").touch()
    assert not devices.may_have_graphics_card(tmp_path)
    monkeypatch.setattr("torch.version.cuda", "12.8")
    assert devices.may_have_graphics_card(tmp_path)
    (tmp_path / "nvidiactl").unlink()
    assert not devices.may_have_graphics_card(tmp_path)
