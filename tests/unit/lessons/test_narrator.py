"""The narrator: each of its sentences appears for a run that shows it, and not for one that does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from playground.engine.commands import read_command
from playground.lessons import narrator
from playground.lessons.classification import lesson as classification
from playground.lessons.classification.config import ClassificationConfig
from playground.lessons.narrator import SENTENCES
from playground.lessons.regression.config import PRESETS, RegressionConfig
from playground.lessons.regression.lesson import build
from playground.lessons.regression.run import RegressionRun

LINE = tuple((x / 10, x / 5 + 0.1 * (-1) ** x) for x in range(-10, 11))  # nearly straight


def trained(steps: int, **knobs: Any) -> RegressionRun:
    run = build(RegressionConfig(**knobs))
    with np.errstate(over="ignore", invalid="ignore"):
        run.advance(60.0, steps)
    return run


def note_of(run: RegressionRun) -> str:
    with np.errstate(over="ignore", invalid="ignore"):
        return run.draw([], {}).note


def key_of(sentence: str) -> str:
    """The key of this sentence in SENTENCES; every field must hold one number."""
    number = r"-?\d[\d.,e+-]*%?"
    patterns = {key: number.join(map(re.escape, re.split(r"{.*?}", text))) for key, text in SENTENCES.items()}
    matching = [key for key, pattern in patterns.items() if re.fullmatch(pattern, sentence)]
    assert len(matching) == 1, sentence
    return matching[0]


def looking_back() -> RegressionRun:
    run = trained(20)
    run.apply(read_command({"do": "scrub", "to": 4}))
    return run


def on_rows(rows: Sequence[tuple[float, float]], steps: int, **knobs: Any) -> RegressionRun:
    run = build(RegressionConfig(**knobs))
    run.use_rows(tuple(rows))
    run.advance(60.0, steps)
    return run


RUNS: dict[str, tuple[str, Callable[[], RegressionRun]]] = {
    "a rate of 10": ("diverged", lambda: trained(500, lr=10.0, activation="tanh", max_steps=0)),
    "the time slider at step 4": ("past", looking_back),
    "nothing done yet": ("start", lambda: trained(0)),
    "the tutorial at its end": ("limit", lambda: trained(1000)),
    "a target loss reached": ("target", lambda: trained(1000, target_loss=0.05)),
    "L1 with a high rate": ("jumps", lambda: trained(60, loss="l1", lr=0.5, max_steps=0)),
    "all weights zero": ("dead", lambda: trained(1, initialisation="zeros")),
    "much noise and many units": ("overfit", lambda: trained(600, **PRESETS["Overfit"])),
    "a line through a parabola": ("stuck", lambda: trained(100, layers=0, max_steps=0)),
    "a line through a line": ("settled", lambda: on_rows(LINE, 100, layers=0, max_steps=0)),
    "inputs up to 100": ("far", lambda: on_rows([(float(x), 0.0) for x in range(0, 101, 10)], 0, test_share=0.0)),
    "the first steps": ("falling", lambda: trained(5)),
    "one step of 3": ("rising", lambda: trained(1, lr=3.0)),
}


@pytest.mark.parametrize("what", RUNS)
def test_the_narrator_says_what_the_run_shows(what: str) -> None:
    key, run = RUNS[what]
    assert key_of(note_of(run())) == key


def classified(steps: int, **knobs: Any) -> str:
    """The key of a classification's sentence after `steps` steps."""
    run = classification.build(ClassificationConfig(max_steps=0, **knobs))
    run.advance(60.0, steps)
    return key_of(run.draw([], {}).note)


CLASSIFICATIONS: dict[str, tuple[str, Callable[[], str]]] = {
    "every point right": ("all", lambda: classified(400, lr=0.3)),
    "a straight border around a disk": ("straight", lambda: classified(3_000, cloud="circle", layers=0, lr=0.1)),
    "units that all start at zero": ("guessing", lambda: classified(600, cloud="circle", initialisation="zeros")),
    "still learning": ("classes", lambda: classified(8)),
}


@pytest.mark.parametrize("name", CLASSIFICATIONS)
def test_a_classification_gets_the_sentence_for_what_it_shows(name: str) -> None:
    key, shown = CLASSIFICATIONS[name]
    assert shown() == key


def test_every_sentence_is_reached_by_a_run() -> None:
    assert {key for key, _ in (*RUNS.values(), *CLASSIFICATIONS.values())} == set(SENTENCES)


def test_numbers_in_the_sentences_are_the_run_s() -> None:
    run = trained(1000)
    loss = float(run.history.column("train")[-1])
    assert note_of(run) == SENTENCES["limit"].format(step=100, loss=loss, next_stop=200)
    run.resume()
    run.advance(60.0, 1000)
    assert run.steps == 200, "Play continues to the step that the sentence names"
    assert note_of(trained(1, initialisation="zeros")).startswith("10 of 10 hidden units are dead")
    assert " up to ±100." in note_of(RUNS["inputs up to 100"][1]())
    first, last = trained(5).history.column("train")[[0, -1]]
    assert note_of(trained(5)) == SENTENCES["falling"].format(first=float(first), loss=float(last))


@pytest.mark.parametrize("sentence", SENTENCES.values())
def test_a_sentence_is_short_and_whole(sentence: str) -> None:
    assert sentence[0].isupper() or sentence[0] == "{"
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) <= 120


# Crafted histories, for what a run shows only now and then.


def key_for(train: Sequence[float], test: Sequence[float] = (), *, whole: bool = True, r2: float = 0.9) -> str:
    """The key of the sentence for a playing run with these losses."""
    columns = {"train": np.array(train, np.float32), "test": np.full(len(train), np.nan, np.float32)}
    if len(test):
        columns["test"] = np.array(test, np.float32)
    run: Any = SimpleNamespace(
        history=SimpleNamespace(column=columns.__getitem__),
        outcome="",
        progress=SimpleNamespace(stop_at=np.inf),
        data=SimpleNamespace(x_train=torch.ones(3, 1)),
        trainer=SimpleNamespace(batches=SimpleNamespace(whole=whole)),
    )
    view: Any = SimpleNamespace(steps=len(train) - 1, is_current=True, predictions=SimpleNamespace(r2=r2))
    return key_of(narrator.regression(run, view, dead=0, units=10, largest=1.0))


FALLING = np.linspace(1.0, 0.2, 60)


def test_jumps_are_jumps_only_where_the_batch_is_the_whole_data_and_the_loss_matters() -> None:
    jumps = 0.5 + 0.2 * (-1.0) ** np.arange(60)
    assert key_for([1.0, *jumps]) == "jumps"
    assert key_for([1.0, *jumps], whole=False) != "jumps", "small batches always make it jump"
    assert key_for([1.0, *(0.01 * jumps)]) != "jumps", "a loss this small may jump"
    assert key_for(FALLING) == "falling"


def test_overfitting_is_a_test_loss_that_rose_while_the_training_loss_fell() -> None:
    v_shaped = np.abs(np.linspace(-0.5, 0.5, 60)) + 0.2
    assert key_for(FALLING, v_shaped) == "overfit"
    assert key_for(FALLING, FALLING) == "falling"
    assert key_for([*FALLING[::2], *FALLING[::-2]], v_shaped) != "overfit", "both losses rose"


def test_a_flat_loss_is_a_plateau_when_the_fit_is_poor_and_settled_when_it_is_good() -> None:
    flat = [1.0] + [0.3] * 59
    assert key_for(flat, r2=0.1) == "stuck"
    assert key_for(flat, r2=0.95) == "settled"
    assert key_for(flat[:8], r2=0.1) == "falling", "too early to judge"


def test_half_of_the_units_must_be_dead_before_the_narrator_says_so() -> None:
    run = trained(5)
    view = run.view()
    assert key_of(narrator.regression(run, view, dead=5, units=10, largest=1.0)) == "dead"
    assert key_of(narrator.regression(run, view, dead=4, units=10, largest=1.0)) == "falling"
    assert key_of(narrator.regression(run, view, dead=0, units=0, largest=1.0)) == "falling", (
        "a model without hidden units"
    )
