"""The exported script of a training on digits: it ends at the very weights of the run."""

from __future__ import annotations

import contextlib
import gzip
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from playground import checkpoint, cnn, mnist, mnist_files
from playground.lessons import LESSONS
from playground.lessons.cnn import build
from playground.lessons.cnn_run import CnnRun
from playground.lessons.cnn_script import CnnScript
from playground.lessons.cnn_setup import FAST, CnnConfig
from playground.lessons.scripts import script
from playground.settings import Settings

SMALL = {"filters_1": 2, "filters_2": 3, "kernel": 3, "batch_size": 64, "images": 200, "lr": 0.01, "epochs": 0}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with four small files as MNIST's are, two of them packed, that the run and the script read."""
    random = np.random.default_rng(0)
    arrays: list[Any] = []
    for file, count in zip(mnist_files.FILES, (230, 230, 90, 90), strict=True):
        shape = (count, *file.shape[1:])
        array = random.integers(0, 255 if len(shape) == 3 else 10, shape).astype(np.uint8)
        header = bytes((0, 0, 8, len(shape))) + b"".join(n.to_bytes(4, "big") for n in shape)
        content = header + array.tobytes()
        if len(arrays) < 2:
            (tmp_path / file.packed).write_bytes(gzip.compress(content))
        else:
            (tmp_path / file.name).write_bytes(content)
        arrays.append(array)
    digits = mnist._digits(arrays, mnist.REAL, real=True)
    monkeypatch.setattr(mnist, "load", lambda: digits)
    monkeypatch.setattr(sys, "argv", ["script.py", str(tmp_path)])
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(before)


def make(**values: Any) -> CnnRun:
    return build(CnnConfig(**(SMALL | values)), settings=Settings(torch_threads=1))


def train(run: CnnRun, steps: int) -> None:
    assert run.advance(1e9, steps) == steps


def turn(run: CnnRun, **values: Any) -> None:
    run.tune(run.config.with_values(**values))


def printed(output: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.rpartition(" ") for line in output.splitlines())}


def assert_same(run: CnnRun) -> str:
    """The script ends at this run's step, weights, learning rate and test accuracy; returns its text."""
    text = script("cnn", run.course())
    assert "playground" not in text.lower()
    names: dict[str, Any] = {"__name__": "__main__"}
    with torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(text, "script.py", "exec"), names)
    numbers = printed(output.getvalue())
    assert int(numbers["step"]) == run.steps
    mine, its = list(run.model.named_parameters()), list(names["model"].parameters())
    for (at, weight), other in zip(mine, its, strict=True):
        assert torch.equal(weight, other), at
    rates = [each.param_groups[0]["lr"] for each in (names["optimizer"], run.trainer.optimizer)]
    assert rates[0] == rates[1]
    tester = run.tester
    tester.begin(run.model, steps=run.steps, epochs=0, whole=True)
    while tester.pending is not None:
        tester.advance()
    assert float(numbers["test accuracy"]) == pytest.approx(tester.whole[-1][1], abs=1e-12)
    assert float(numbers["test loss"]) == pytest.approx(tester.whole[-1][2], rel=1e-5)
    return text


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"layers": 3, "batch_norm": True, "dropout": 0.4, "pooling": "average", "activation": "tanh", "seed": 7},
        {"shift": 2.0, "turn": 15.0, "optimizer": "nesterov", "weight_decay": 0.01},
        {"images": 50, "batch_size": 50, "shift": 1.0},  # the whole data, moved
        {"precision": "bfloat16", "layers": 1, "kernel": 7},
        {key: value for key, value in FAST.items() if key != "images"} | {"epochs": 3},
    ],
)
def test_a_script_ends_at_the_weights_of_its_run(values: dict[str, Any]) -> None:
    run = make(**values)
    train(run, 9)
    assert_same(run)


def test_the_batch_loss_is_the_last_ones() -> None:
    run, losses = make(), []
    step = run.trainer.step
    run.trainer.step = lambda: losses.append(step()) or losses[-1]  # type: ignore[method-assign,func-returns-value]
    train(run, 3)
    text = script("cnn", run.course())
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(text, "script.py", "exec"), {"__name__": "__main__"})
    assert f"batch loss {losses[-1].item()} " in output.getvalue().replace("\n", " ")


def test_turned_knobs_are_turned_after_the_same_steps() -> None:
    run = make(epochs=20, batch_norm=True)
    train(run, 7)
    turn(run, lr=0.003, shift=1.0, dropout=0.3)
    train(run, 2)
    turn(run, schedule="cosine", batch_size=20)
    train(run, 5)
    turn(run, images=50, optimizer="momentum")
    train(run, 3)
    turn(run, images=200, precision="bfloat16", image=3, schedule="step", epochs=9)
    train(run, 4)
    turn(run, schedule="constant", momentum=0.3, batch_size=200)
    train(run, 2)
    text = assert_same(run)
    assert "# After step 7. Learning rate: 0.01 → 0.003." in text


def test_a_run_that_ended_and_went_on_has_a_new_plan() -> None:
    run = make(epochs=1, schedule="one_cycle")
    run.advance(1e9, 1_000)
    assert (run.steps, run.outcome) == (4, "done")
    run.resume()
    train(run, 3)
    assert "The training had ended and went on." in assert_same(run)


def test_a_restored_run_begins_at_its_file() -> None:
    first = make(batch_norm=True, dropout=0.2, epochs=5, schedule="warm_up")
    train(first, 7)
    saved = checkpoint.load(checkpoint.save("cnn", first))
    run: Any
    run, _ = checkpoint.restore(saved, LESSONS["cnn"], Settings())  # type: ignore[arg-type]
    train(run, 4)
    assert "The run was restored from a file" in assert_same(run)


def test_it_runs_by_itself_with_the_small_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist_files, "places", lambda: ())
    digits = mnist._read()
    monkeypatch.setattr(mnist, "load", lambda: digits)
    run = make(shift=1.0)
    train(run, 3)
    (tmp_path / "cnn.py").write_text(script("cnn", run.course()), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", "cnn.py"], cwd=tmp_path, check=True, capture_output=True, text=True,
                          timeout=120)  # fmt: skip
    assert "scikit-learn" in (tmp_path / "cnn.py").read_text(encoding="utf-8")
    assert printed(done.stdout)["step"] == "3"
    logits = run.model(cnn.scaled(run.digits.x_test))
    right = (logits.argmax(dim=1) == run.digits.y_test).sum().item() / len(logits)
    assert float(printed(done.stdout)["test accuracy"]) == right


def test_the_text_names_no_folder_of_this_machine(folder: Path) -> None:
    text = CnnScript(make().course()).text()
    assert str(folder) not in text
    assert 'else "data"' in text
    assert all(len(line) <= 120 for line in text.splitlines())
