"""No file does harm: each of the corpus is refused with a sentence, in little memory, and the running run goes on."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from playground.lessons.regression import lesson as regression
from playground.saving import checkpoint, weight_files
from playground.saving.checkpoint import Checkpoint, CheckpointError
from playground.settings import Settings
from tests.hostile import corpus

ROOT = Path(__file__).resolve().parents[2]
MOST_MB = 64  # that the process may grow by, files of 4 MB at most being read
SETTINGS = Settings()


def take_in(content: bytes, run: regression.RegressionRun) -> Any:
    """What the page does with an uploaded file."""
    found = checkpoint.read(content)
    if isinstance(found, Checkpoint):
        return checkpoint.restore(found, regression.LESSON, SETTINGS)[0]
    run.use_weights(found)
    return run


@pytest.mark.parametrize("name", corpus.ALL)
def test_a_hostile_file_is_refused_with_a_sentence_and_the_run_goes_on_untouched(name: str) -> None:
    make, word = corpus.ALL[name]
    run = corpus.good_run()
    before = checkpoint.save("regression", run)
    with pytest.raises(ValueError) as refused:
        take_in(make(), run)
    told = str(refused.value)
    assert word in told, told
    assert told[0].isupper() and told.endswith((".", "”")) and len(told) < 400 and "\n" not in told
    assert checkpoint.save("regression", run) == before


def test_the_same_way_takes_good_files_in() -> None:
    run = corpus.good_run()
    assert take_in(checkpoint.pack(corpus.good()), run).steps == 30
    weights = corpus.weights()
    take_in(weight_files.as_pt(weights), run)
    assert all(torch.equal(run.model.state_dict()[name], value) for name, value in weights.items())
    assert take_in(corpus.zipped(lambda parts: parts), run) is run


def test_memory_stays_within_its_limit() -> None:
    script = """
import resource, warnings
warnings.simplefilter("ignore")
from tests.hostile import corpus, test_hostile_files as hostile
run = corpus.good_run()
files = {name: make() for name, (make, _) in corpus.ALL.items() if "bomb" not in name and "there" not in name}
bomb = corpus.PICKLES["a zip bomb"][0]()
hostile.take_in(corpus.weight_files.as_pt(corpus.weights()), run)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, content in [*files.items(), ("bomb", bomb)] * 2:
    try:
        hostile.take_in(content, run)
        raise SystemExit(name + " was taken in")
    except ValueError:
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 1000 * MOST_MB, f"{int(done.stdout) / 1000:.0f} MB more"


def test_a_thousand_random_changes_of_a_state_are_restored_or_refused() -> None:
    numbers, good, refusals = random.Random(0), corpus.good(), 0
    texts = json.dumps(plain(good.state))
    values = [None, -1, 0, 1, 2**60, 1e308, "", "x" * 500, [], {}, [[]], True, torch.zeros(3), torch.tensor(2**40)]
    for _ in range(1000):
        state = json.loads(texts)
        place = state
        while isinstance(place, (dict, list)) and place:
            parent, key = place, numbers.choice([*place] if isinstance(place, dict) else range(len(place)))
            place = parent[key]
            if numbers.random() < 0.2:
                break
        parent[key] = numbers.choice(values)
        try:
            run, _ = checkpoint.restore(replace(good, state=whole(state, good.state)), regression.LESSON, SETTINGS)
        except CheckpointError:
            refusals += 1
        else:
            run.advance(5.0, 2)
            run.draw(["fit", "loss", "network", "gradients"], {})
    assert refusals > 300


def plain(value: Any, path: str = "") -> Any:
    if isinstance(value, torch.Tensor):
        return f"tensor:{path}"
    if isinstance(value, dict):
        return {name: plain(each, f"{path}/{name}") for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each, f"{path}/{index}") for index, each in enumerate(value)]
    return value


def whole(value: Any, good: Any) -> Any:
    if isinstance(value, str) and value.startswith("tensor:"):
        for name in value.removeprefix("tensor:/").split("/"):
            good = good[int(name) if isinstance(good, list) else name]
        return good
    if isinstance(value, dict):
        return {name: whole(each, good) for name, each in value.items()}
    return [whole(each, good) for each in value] if isinstance(value, list) else value


def test_every_load_says_weights_only() -> None:
    between_own_processes = {"playground/workers/wire.py", "playground/workers/recipes.py"}
    loads, pickles = 0, set()
    for path in [*(ROOT / "playground").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            if name in ("pickle.load", "pickle.loads", "pickle.Unpickler"):
                pickles.add(str(path.relative_to(ROOT)))
            if name == "torch.load":
                loads += 1
                assert "weights_only=True" in [ast.unparse(keyword) for keyword in call.keywords], path
    assert loads >= 4
    assert pickles == between_own_processes
