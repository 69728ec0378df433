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
from torch.nn import functional

from playground import mnist
from playground.lessons import LESSONS
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.evaluation import TEST_BATCH
from playground.lessons.cnn.lesson import build
from playground.lessons.cnn.run import CnnRun
from playground.lessons.cnn.script import CnnScript
from playground.mnist import files as mnist_files
from playground.saving import checkpoint
from playground.settings import Settings
from playground.training.devices import threads
from playground.training.precision import has_bfloat16
from tests.written_scripts import script

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


HALF = "bfloat16" if has_bfloat16() else "float32"
NEEDS_BFLOAT16 = pytest.mark.skipif(
    not has_bfloat16(), reason="this processor has no bfloat16: a run rounds to it, a script takes torch's own"
)


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
    text = script("cnn", run.run_history())
    assert "playground" not in text.lower()
    names: dict[str, Any] = {"__name__": "__main__"}
    with torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(text, "script.py", "exec"), names)
    numbers = printed(output.getvalue())
    assert int(numbers["step"]) == run.steps
    its = [value for name, value in names["model"].state_dict().items() if not name.endswith("num_batches_tracked")]
    mine = list(run.model.named_parameters())
    tested = "running_" if run.config.test_mode == "train" else "-"  # the averages that the script's test changes
    for (at, weight), other in zip(mine, its, strict=True):
        assert tested in at or torch.equal(weight, other), at
    rates = [each.param_groups[0]["lr"] for each in (names["optimizer"], run.trainer.optimizer)]
    assert rates[0] == rates[1]
    tester = run.tester
    tester.begin(run.model, run.steps, full=True)
    while tester.pending is not None:
        tester.advance()
    assert float(numbers["test accuracy"]) == pytest.approx(tester.full_tests[-1][1], abs=1e-12)
    assert float(numbers["test loss"]) == pytest.approx(tester.full_tests[-1][2], rel=1e-5)
    if "losses = [" in text:
        assert_shows_the_pages_train_loss(run, numbers)
    return text


def assert_shows_the_pages_train_loss(run: CnnRun, numbers: dict[str, str]) -> None:
    """The script prints the status "Train loss", under the steps whose mean it is."""
    ((name, value),) = [(name, value) for name, value in numbers.items() if name.startswith("train loss")]
    assert float(f"{float(value):.4g}") == run.draw([], {}).status["loss"]
    assert name.endswith(f" to {int(run.history.steps()[-1])}")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"layers": 3, "batch_norm": True, "dropout": 0.4, "pooling": "average", "activation": "tanh", "seed": 7},
        {"shift": 2.0, "turn": 15.0, "optimizer": "nesterov", "weight_decay": 0.01},
        {"images": 50, "batch_size": 50, "shift": 1.0},  # the whole data, moved
        pytest.param({"precision": "bfloat16", "layers": 1, "kernel": 7}, marks=NEEDS_BFLOAT16),
        {"lr": 0.01, "schedule": "one_cycle", "epochs": 3},
        {"train_order": "sorted", "test_order": "sorted"},
        {"batch_norm": True, "dropout": 0.4, "test_mode": "train", "test_order": "sorted"},
    ],
)
def test_a_script_ends_at_the_weights_of_its_run(values: dict[str, Any]) -> None:
    run = make(**values)
    train(run, 9)
    assert_same(run)


def test_batch_norm_is_torchs_own_and_the_one_dropout_of_ours_says_why() -> None:
    run = make(batch_norm=True, dropout=0.4)
    train(run, 3)
    text = script("cnn", run.run_history())
    assert "nn.BatchNorm2d(2)" in text and "class BatchNorm" not in text
    assert text.count("nn.Dropout draws from torch's global generator") == 1
    assert "if self.p == 0 or not self.training:" in text
    before, loop, after = text.index("model.train()"), text.index("optimizer.zero_grad()"), text.index("model.eval()")
    assert before < loop < after < text.index("with torch.no_grad():", after)


def test_turned_knobs_are_turned_after_the_same_steps() -> None:
    run = make(epochs=20, batch_norm=True)
    train(run, 7)
    turn(run, lr=0.003, shift=1.0, dropout=0.3)
    train(run, 2)
    turn(run, schedule="cosine", batch_size=20)
    train(run, 5)
    turn(run, images=50, optimizer="momentum")
    train(run, 3)
    turn(run, images=200, precision=HALF, image=3, schedule="step", epochs=9)
    train(run, 4)
    turn(run, schedule="constant", momentum=0.3, batch_size=200)
    train(run, 2)
    text = assert_same(run)
    assert "# After step 7. Learning rate: 0.01 → 0.003." in text


def test_a_run_that_ended_and_was_continued_has_a_new_plan() -> None:
    run = make(epochs=1, schedule="one_cycle")
    run.advance(1e9, 1_000)
    assert (run.steps, run.outcome) == (4, "done")
    run.resume()
    train(run, 3)
    assert "The training had ended and was continued." in assert_same(run)


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
    (tmp_path / "cnn.py").write_text(script("cnn", run.run_history()), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", "cnn.py"], cwd=tmp_path, check=True, capture_output=True, text=True,
                          timeout=120)  # fmt: skip
    assert "scikit-learn" in (tmp_path / "cnn.py").read_text(encoding="utf-8")
    assert printed(done.stdout)["step"] == "3"
    logits = run.model(cnn.scaled(run.digits.x_test))
    right = (logits.argmax(dim=1) == run.digits.y_test).sum().item() / len(logits)
    assert float(printed(done.stdout)["test accuracy"]) == right


# Threads.

Way = list[tuple[int, int]]  # a number of threads, and the steps that are taken with it


def trained(way: Way) -> CnnRun:
    run = make()
    for count, steps in way:
        run.use_threads(count)
        train(run, steps)
    return run


def run_alone(text: str, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The script in a process of its own, in an empty folder."""
    place.mkdir()
    (place / "cnn.py").write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, "-I", "cnn.py", *words], cwd=place, capture_output=True, text=True,
                          timeout=120)  # fmt: skip


def weights(run: CnnRun) -> list[torch.Tensor]:
    return [each.detach() for each in run.model.parameters()]


def are_equal(some: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return all(torch.equal(one, two) for one, two in zip(some, others, strict=True))


@pytest.mark.parametrize(
    ("way", "others", "set_threads"),
    [([(1, 9)], [(2, 9)], [1]), ([(2, 9)], [(1, 9)], [2]), ([(2, 5), (1, 4)], [(2, 9)], [2, 1])],
)
def test_a_script_run_by_itself_has_the_runs_threads_and_so_its_weights_train_loss_and_accuracy(
    way: Way, others: Way, set_threads: list[int], folder: Path
) -> None:
    run = trained(way)
    text = script("cnn", run.run_history())
    assert [line for line in text.splitlines() if "set_num_threads" in line] == [
        f"torch.set_num_threads({count})" for count in set_threads
    ]
    assert f"({', then '.join(map(str, set_threads))})" in text, "the docstring says so, too"
    assert f"x_test.split({TEST_BATCH['cpu']})" in text, "the parts in which the page tests"
    done = run_alone(f"{text}\ntorch.save(list(model.parameters()), 'weights.pt')\n", folder / "alone", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    its = torch.load(folder / "alone" / "weights.pt", weights_only=True)
    assert are_equal(its, weights(run))
    assert not are_equal(its, weights(trained(others))), "the number of threads decides the last bits"
    numbers = printed(done.stdout)
    assert_shows_the_pages_train_loss(run, numbers)
    with threads(set_threads[-1]):
        run.tester.begin(run.model, run.steps, full=True)
        while run.tester.pending is not None:
            run.tester.advance()
        model = cnn.frozen(run.model)
        logits = torch.cat([model(cnn.scaled(x)) for x in run.digits.x_test.split(TEST_BATCH["cpu"])])
    assert float(numbers["test accuracy"]) == run.tester.full_tests[-1][1]
    assert float(numbers["test loss"]) == functional.cross_entropy(logits, run.digits.y_test).item(), "the same logits"


def test_a_restored_run_is_written_with_its_threads_and_the_mean_of_losses_before_its_file() -> None:
    first = trained([(2, 150)])  # from step 128 on, the page has a train loss for every second step
    train(first, 1)
    saved = checkpoint.load(checkpoint.save("cnn", first))
    run: Any
    run, _ = checkpoint.restore(saved, LESSONS["cnn"], Settings())  # type: ignore[arg-type]
    train(run, 1)
    text = assert_same(run)
    assert "torch.set_num_threads(2)" in text and "# the mean of the steps before" in text
    again: Any
    again, _ = checkpoint.restore(checkpoint.load(checkpoint.save("cnn", run)), LESSONS["cnn"], Settings())  # type: ignore
    train(again, 1)
    assert "train loss" not in assert_same(again), "the page's is of steps before those of the script"
    again.step()
    again.use_weights(run.model.state_dict())
    assert "train loss" not in assert_same(again), "and so it is where weights were loaded just now"


# What it says where something is missing.


def test_a_missing_folder_is_refused_without_a_traceback(folder: Path) -> None:
    done = run_alone(CnnScript(make().run_history()).text(), folder / "alone")
    assert (done.returncode, done.stdout) == (1, "")
    assert str(folder / "alone" / "data") in done.stderr and "python cnn.py FOLDER" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def execute() -> None:
    exec(compile(CnnScript(make().run_history()).text(), "cnn.py", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("t10k-labels-idx1-ubyte", None, "is not in"),
        ("train-images-idx3-ubyte.gz", lambda content: content[:-20], "cannot be read"),
        ("train-images-idx3-ubyte.gz", lambda content: b"<html>" + content, "cannot be read"),
        ("train-labels-idx1-ubyte.gz", lambda content: content[:40] + b"\0" * 40 + content[80:], "cannot be read"),
        ("t10k-images-idx3-ubyte", lambda content: content[:-1], "is damaged"),
        ("t10k-labels-idx1-ubyte", lambda content: b"", "is damaged"),
    ],
)
def test_a_missing_or_damaged_file_is_refused_by_name(folder: Path, name: str, damage: Any, said: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage:
        (folder / name).write_bytes(damage(content))
    with pytest.raises(SystemExit, match=f"{name.removesuffix('.gz')}.* {said}"):
        execute()


@pytest.mark.parametrize("inside", ["data", "data/MNIST/raw", "data/raw"])
def test_without_a_name_it_looks_in_data_also_as_torchvision_lays_it_out(
    folder: Path, inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / inside).mkdir(parents=True)
    for file in folder.glob("*-ubyte*"):
        file.rename(folder / inside / file.name.replace("-idx", ".idx"))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["cnn.py"])
    execute()


def test_it_says_what_it_needs_and_how_near_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = CnnScript(trained([(2, 1)]).run_history())
    assert "NumPy and a folder with the four files of MNIST" in made.needs
    assert "the same number of threads, which it sets (2)." in made.promise
    monkeypatch.setattr(CnnConfig, "torch_device", "cuda")
    assert "digits differ" in made.promise and "last bit" not in made.promise


def test_the_text_names_no_folder_of_this_machine(folder: Path) -> None:
    text = CnnScript(make().run_history()).text()
    assert str(folder) not in text
    assert 'else "data"' in text
    assert all(len(line) <= 120 for line in text.splitlines())
