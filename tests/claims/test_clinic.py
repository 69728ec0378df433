"""Each fault of the clinic shows over nine seeds, its cure repairs it, and what only seems to be a cure does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from playground.lessons.training_loop.clinic import one_batch, setups
from playground.lessons.training_loop.clinic.case import Case, Measure, with_seed
from playground.lessons.training_loop.clinic.cases import LOUD, MYTHS, SILENT

SEEDS = range(9)
HARMLESS = ("m1", "m2", "m4", "m6", "m7", "m9")  # the myths; the other claims are true
EQUAL = ("m2", "m4", "m7")  # to the last digit
QUICK = pytest.mark.in_ci


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def measured(script: str, seed: int, measure: Measure) -> float:
    """What a script ends with, run as it stands."""
    names = setups.names() | {"__name__": "__main__"}
    exec(compile(with_seed(script, seed), "script", "exec"), names)
    return measure.of(names)


def scripts_of(case: Case) -> dict[str, str]:
    """The script, the cured one, and those with a change that does not help."""
    others = {f"other {at}": each.applied(case.script) for at, each in enumerate(case.others, start=1)}
    return {"sick": case.script, "cured": case.cure.applied(case.script), **others}


ALL = [
    pytest.param(case, kind, SEEDS, id=f"{case.name}-{kind}") for case in SILENT.values() for kind in scripts_of(case)
]
FIRST_SEED = [
    pytest.param(case, kind, range(1), id=f"{case.name}-{kind}-first", marks=QUICK)
    for case in SILENT.values()
    for kind in ("sick", "cured")
]


@pytest.mark.parametrize(("case", "kind", "seeds"), [*FIRST_SEED, *ALL])
def test_a_silent_case_is_healthy_only_when_it_is_cured(case: Case, kind: str, seeds: range) -> None:
    assert case.measure is not None
    values = [measured(scripts_of(case)[kind], seed, case.measure) for seed in seeds]
    healthy = [case.measure.is_healthy(value) for value in values]
    assert healthy == [kind == "cured"] * len(seeds), f"{case.fault}: {case.measure.name} = {values}"


@pytest.mark.parametrize("seeds", [pytest.param(range(1), marks=QUICK, id="first"), pytest.param(SEEDS, id="nine")])
@pytest.mark.parametrize("name", MYTHS)
def test_a_myth_is_harmless_and_another_claim_is_true(name: str, seeds: range) -> None:
    case = MYTHS[name]
    assert case.measure is not None
    for seed in seeds:
        changed, usual = (measured(script, seed, case.measure) for script in scripts_of(case).values())
        assert case.measure.is_healthy(usual)
        assert case.measure.is_healthy(changed) == (name in HARMLESS), f"{case.fault} {changed} and {usual}"
        assert name not in EQUAL or changed == usual


@QUICK
def test_who_always_gives_the_same_answer_to_a_claim_is_hardly_right_more_than_by_chance() -> None:
    assert abs(len(HARMLESS) / len(MYTHS) - 0.5) <= 0.1


# What stands in the message of each loud case: these are the words of the torch that is installed.
MESSAGES = {
    "l1": "mat1 and mat2 shapes cannot be multiplied (1200x72 and 128x10)",
    "l2": "expected target dtype to be Long or Byte, but got Float",
    "l3": "0D or 1D target tensor expected, multi-target not supported",
    "l4": "Target 1 is out of bounds.",
    "l5": "Target 10 is out of bounds.",
    "l6": "Target size (torch.Size([200])) must be the same as input size (torch.Size([200, 1]))",
    "l7": "mat1 and mat2 must have the same dtype, but got Double and Float",
    "l8": "mat1 and mat2 must have the same dtype, but got Byte and Float",
    "l9": "Tensor on device meta is not on the expected device cpu!",
    "l10": "stack expects each tensor to be equal size, but got [3] at entry 0 and [4] at entry 1",
    "l11": "a leaf Variable that requires grad is being used in an in-place operation.",
    "l12": "Trying to backward through the graph a second time",
    "l13": "element 0 of tensors does not require grad and does not have a grad_fn",
    "l14": "Expected more than 1 value per channel when training, got input size torch.Size([1, 32])",
    "l15": "optimizer got an empty parameter list",
    "l16": "Weights only load failed.",
}


def raised(script: str) -> str:
    """The message that a script fails with; "" if it does not."""
    try:
        exec(compile(with_seed(script, 0), "script", "exec"), setups.names() | {"__name__": "__main__"})
    except Exception as error:
        return str(error)
    return ""


@QUICK
@pytest.mark.parametrize("name", LOUD)
def test_a_loud_case_raises_until_it_is_cured(name: str) -> None:
    scripts = {kind: raised(script) for kind, script in scripts_of(LOUD[name]).items()}
    assert MESSAGES[name] in scripts["sick"]
    assert [kind for kind, message in scripts.items() if not message] == ["cured"]


# Overfit one batch: what it finds, and what it does not.
PASSED = ("none", "zero_grad", "labels", "no_relu")


@pytest.mark.parametrize("seeds", [pytest.param(range(1), marks=QUICK, id="first"), pytest.param(SEEDS, id="nine")])
@pytest.mark.parametrize("name", one_batch.FAULTS)
def test_overfitting_one_batch_finds_some_faults_and_not_a_forgotten_zero_grad(name: str, seeds: range) -> None:
    case = one_batch.OneBatchRun.cases[name]
    assert case.measure is not None
    script = case.script.replace(one_batch.COUNT, "16")
    losses = [measured(script, seed, case.measure) for seed in seeds]
    assert [0 <= loss < one_batch.LEARNT for loss in losses] == [name in PASSED] * len(losses), losses


WITHOUT_MAIN_GUARD = """\
import torch
from torch.utils.data import DataLoader, TensorDataset
data = TensorDataset(torch.randn(20, 2))
loader = DataLoader(data, batch_size=5, num_workers=1, multiprocessing_context="spawn")
for batch in loader:
    print(len(batch[0]))
"""


def test_a_script_that_starts_workers_without_a_main_guard_fails(tmp_path: Path) -> None:
    """It starts processes, so no visitor runs it: only its message is held here."""
    script = tmp_path / "script.py"
    script.write_text(WITHOUT_MAIN_GUARD, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode != 0
    assert "An attempt has been made to start a new process before the" in done.stderr
    assert "exited unexpectedly" in done.stderr
