"""The narrator of Regression and Classification: each rule speaks for a run that shows it, since the last change."""

from __future__ import annotations

import dataclasses
import math
import string
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from playground.engine.commands import AddPoint, GoBack, LookBack, RemovePoint, SetWeight, Undo
from playground.lessons import narrator, training_rules
from playground.lessons.classification import lesson as classification
from playground.lessons.classification.config import LEARNING_RATES as CLASSIFICATION_RATES
from playground.lessons.classification.config import ClassificationConfig
from playground.lessons.doctor import examine
from playground.lessons.narrator import Finding, Rule, findings, first_finding
from playground.lessons.regression import lesson as regression
from playground.lessons.regression.config import RegressionConfig
from playground.lessons.training_rules import ADVICE, RULES, SENTENCES, SENTENCES_SINCE, TrainingSituation
from playground.runs.history import History
from playground.runs.messages import SINCE
from playground.runs.periods import Period
from playground.runs.trends import LossRows, trend_of
from playground.saving import branch, checkpoint
from playground.settings import Settings
from playground.training.probe import Probe

MIXED: Any = [(x, y, label) for x in (-1, 1) for y in (-1, 1) for label in (0, 1)]  # each place has both classes
MOSTLY_ONE: Any = [(x, y, int(x == y == 0)) for x in (-1, 0, 1) for y in (-1, 0, 1)]  # one of nine, in the middle
SAME: Any = [(x, y) for x in (-1, 0, 1) for y in (-1, 1)]  # each place has both values
MAX_LETTERS_SINCE = narrator.MAX_LETTERS
MAX_LETTERS = 125  # of a sentence with its advice: two lines beside the numbers
OVERFIT: Any = {
    "points": 10, "noise": 1.0, "test_share": 1.0, "seed": 4, "layers": 2, "hidden": 48, "hidden_2": 48,
    "activation": "tanh", "optimizer": "adam", "lr": 0.01,
}  # fmt: skip
LINE = tuple((x / 10, x / 5 + 0.1 * (-1) ** x) for x in range(-10, 11))  # nearly straight


def regressed(steps: int, **knobs: Any) -> Any:
    return train(regression.build(RegressionConfig(**{"max_steps": 0} | knobs)), steps)


def classified(steps: int, **knobs: Any) -> Any:
    return train(classification.build(ClassificationConfig(**{"max_steps": 0} | knobs)), steps)


def train(run: Any, steps: int) -> Any:
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            if not run.outcome:
                run.step()
    return run


def tune(run: Any, steps: int = 0, **knobs: Any) -> Any:
    run.tune(run.config.with_values(**knobs))
    return train(run, steps)


def found(run: Any) -> Finding:
    with torch.no_grad(), np.errstate(over="ignore", invalid="ignore"):
        finding = first_finding(RULES, run.situation(run.view()))
        assert run.narrate(run.view()).endswith(finding.text)
    return finding


def on_rows(run: Any, rows: Sequence[Sequence[float]], steps: int) -> Any:
    run.use_rows(tuple(map(tuple, rows)))
    return train(run, steps)


def continued(run: Any, step: int) -> Any:
    """The run, continued from a step that is kept."""
    run.apply(GoBack(step))
    return run


def went_back(run: Any) -> Any:
    run.apply(GoBack())
    return run


def looking_back(run: Any) -> Any:
    run.apply(LookBack(2))
    return run


RUNS: dict[str, tuple[str, Callable[[], Any]]] = {
    "a rate of 10": ("diverged", lambda: regressed(50, lr=10.0, activation="tanh")),
    "an earlier step after a divergence": ("past", lambda: looking_back(
        regressed(50, lr=10.0, activation="tanh"))),
    "an earlier step is shown": ("past", lambda: looking_back(regressed(5))),
    "points of one class": ("one class", lambda: on_rows(classified(0), [(0, 1, 0), (1, 0, 0), (1, 1, 0)], 2)),
    "inputs up to 100": ("far", lambda: on_rows(regressed(0, test_share=0.0), [(x, 0) for x in range(0, 101, 10)], 0)),
    "inputs up to 15, not finite": ("far", lambda: on_rows(
        regressed(0, lr=1.0, layers=0), [(x * 1.5, x / 10) for x in range(11)], 60)),
    "targets near 200,000": ("target scale", lambda: on_rows(
        regressed(0, optimizer="adam"), [(x / 10, 200_000 + 9_000 * x) for x in range(-10, 11)], 60)),
    "zero_grad() left out": ("kept gradients", lambda: regressed(20, lr=0.1, zero_grad=False)),
    "four layers of sigmoid": (
        "dies backwards", lambda: regressed(200, layers=4, activation="sigmoid", optimizer="momentum", lr=0.03)),
    "six layers of sigmoid, classes": (
        "dies backwards", lambda: classified(150, layers=6, activation="sigmoid", lr=0.1, cloud="circle")),
    "one layer of sigmoid, too weak": ("constant", lambda: regressed(200, layers=2, activation="sigmoid", lr=0.1)),
    "one unit, one of nine points in another class": ("one prediction", lambda: on_rows(
        classified(0, lr=0.1, units_1=1, test_share=0.0), MOSTLY_ONE, 300)),
    "nothing done yet": ("start", lambda: regressed(0)),
    "other points, no step since": ("changed loss", lambda: tune(regressed(5), noise=1.0)),
    "another rate, no step since": ("changed", lambda: tune(regressed(5), lr=0.1)),
    "all weights zero": ("same units", lambda: regressed(1, initialisation="zeros")),
    "all weights zero, sigmoid": ("same units", lambda: classified(60, initialisation="zeros", activation="sigmoid")),
    "dead on arrival": ("dead layer", lambda: regressed(60, seed=3)),
    "dead on arrival, classes": ("dead layer", lambda: classified(60, lr=10.0, layers=2)),
    "most units dead": ("dead units", lambda: classified(110, lr=1.0, batch_size=1, cloud="circle", noise=0.4)),
    "a loss of exactly 0": ("perfect", lambda: classified(20, noise=0.0, lr=10.0)),
    "much noise and many units": ("overfitting", lambda: regressed(300, **OVERFIT)),
    "L1 of 0.1": ("collapsed", lambda: classified(150, l1=0.1, lr=0.1, layers=2)),
    "weight decay, switched on late": ("penalty rise", lambda: tune(classified(300, lr=0.1), 40, weight_decay=0.1)),
    "L1, switched on late": ("penalty rise", lambda: tune(classified(300, lr=0.1), 60, l1=0.03)),
    "weight decay of 0.1": ("penalty", lambda: regressed(110, weight_decay=0.1, lr=0.1)),
    "weight decay of 0.1, Adam": ("penalty", lambda: regressed(110, weight_decay=0.1, lr=0.01, optimizer="adam")),
    "the whole data with dropout": (
        "dropout noise", lambda: classified(100, dropout=0.8, lr=3.0, activation="tanh", units_1=4, noise=3.0)),
    "batches with dropout": (
        "dropout", lambda: classified(110, dropout=0.8, lr=0.1, cloud="circle", noise=0.4, batch_size=10)),
    "absolute errors, a high rate": ("bouncing", lambda: regressed(60, loss="l1", lr=0.5)),
    "one point at a time, a high rate": (
        "noisy", lambda: regressed(300, batch_size=1, lr=0.1, noise=1.0, activation="tanh")),
    "a line through a parabola": ("no layer", lambda: regressed(100, layers=0)),
    "a straight border around a disk": ("no layer, classes", lambda: classified(300, cloud="circle", layers=0, lr=0.3)),
    "no activation": ("linear", lambda: regressed(110, layers=2, activation="identity", lr=0.1)),
    "the lowest rate": ("slow", lambda: classified(40, lr=0.0001)),
    "one far outlier": ("outliers", lambda: outlier(regressed(0, layers=0, points=20, target="step", lr=0.3), 60)),
    "one step of 3": ("rising", lambda: regressed(1, lr=3.0)),
    "one point pair of classes mixed": ("guessing", lambda: on_rows(classified(0, lr=0.3, test_share=0.0), MIXED, 300)),
    "three waves with two units": (
        "plateau", lambda: regressed(300, target="wave", lr=0.1, hidden=2, activation="tanh")),
    "no pattern to learn": ("constant", lambda: on_rows(
        regressed(0, lr=0.1, hidden=2, activation="tanh", test_share=0.0), SAME, 200)),
    "the tutorial at its end": ("limit", lambda: regressed(1000, max_steps=100)),
    "softmax before its loss": ("softmax twice", lambda: classified(200, lr=0.1, loss="softmax_twice")),
    "a target loss reached": ("target", lambda: regressed(1000, target_loss=0.05)),
    "a line through a line": ("settled", lambda: on_rows(regressed(0, layers=0), LINE, 100)),
    "every point correct": ("all falls", lambda: classified(100, lr=0.3)),
    "every point correct, no trend yet": ("all", lambda: tune(classified(100, lr=0.3), 1, l1=0.01)),
    "classes, still learning": ("classes", lambda: classified(8)),
    "the first steps": ("falling", lambda: regressed(5)),
    "back before a divergence": ("went back", lambda: went_back(tune(regressed(50, lr=0.1), 100, lr=10.0))),
    "continued from a step looked back at": ("continued", lambda: continued(regressed(50, lr=0.1), 20)),
    "points with much noise": ("noise", lambda: regressed(1200, batch_size=1, lr=0.03, noise=1.0)),
    "one unit around a disk": (
        "plateau, classes", lambda: classified(1000, cloud="circle", units_1=1, lr=1.0, activation="tanh")),
    "few points at a time, a good fit": ("around", lambda: regressed(120, batch_size=20, lr=0.1, optimizer="adam")),
    "another optimizer, late": ("falling again", lambda: tune(
        regressed(1000, lr=0.1, activation="tanh", seed=2), 180, optimizer="adagrad", lr=1.0)),
    "too much momentum": ("rising again", lambda: regressed(
        20, lr=0.03, optimizer="momentum", momentum=0.99, activation="tanh", noise=1.0)),
    "a rate too small to see": ("no news", lambda: regressed(1, lr=0.0001, batch_size=1, seed=3)),
}  # fmt: skip


def outlier(run: Any, steps: int) -> Any:
    run.apply(AddPoint(0.0, 30.0))
    return train(run, steps)


@pytest.mark.parametrize("what", RUNS)
def test_the_narrator_says_what_the_run_shows(what: str) -> None:
    name, run = RUNS[what]
    assert found(run()).rule == name


def test_every_rule_speaks_for_a_run_and_has_a_sentence_of_its_own() -> None:
    assert {name for name, _ in RUNS.values()} == {rule.name for rule in RULES} == set(SENTENCES)
    assert set(SENTENCES_SINCE) <= set(SENTENCES)


@pytest.mark.parametrize("what", RUNS)
def test_a_sentence_and_its_advice_fit_two_lines(what: str) -> None:
    said = found(RUNS[what][1]())
    most = MAX_LETTERS_SINCE if said.sentence.startswith("Since") else MAX_LETTERS
    assert len(f"{said.sentence} {said.advice}") <= most, f"{said.sentence} {said.advice}"


@pytest.mark.parametrize(("since", "plain", "expected"), [
    ("{since}: it rose.", "It rose.", "Since the step: it rose. Lower it."),
    ("{since}: it rose" + 130 * "!", "It rose.", "It rose. Lower it."),
    ("{since}: it rose" + 130 * "!", "It rose" + 130 * "!", "It rose" + 130 * "!"),
])  # fmt: skip
def test_what_is_too_long_for_its_line_is_said_without_the_change_or_the_advice(
    since: str, plain: str, expected: str
) -> None:
    rule: Rule[Any] = Rule("rise", lambda s: training_rules.AtStep(3), plain, since, lambda s, found: "Lower it.")
    said = rule.finding(SimpleNamespace(since="Since the step"))
    assert said is not None and said.text == expected


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_evidence_is_a_frozen_record_that_other_code_can_read(rule: Rule[Any]) -> None:
    run = next(run for name, run in RUNS.values() if name == rule.name)()
    evidence = found(run).evidence
    name = dataclasses.fields(evidence)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(evidence, name, 0)


@pytest.mark.parametrize("sentence", [*SENTENCES.values(), *SENTENCES_SINCE.values(), *ADVICE.values()])
def test_a_sentence_is_short_and_whole(sentence: str) -> None:
    assert sentence[0].isupper() or sentence[0] == "{"
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) <= 150
    fields = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
    assert "since" not in fields or sentence.startswith("{since}")


# What changed on the way: only what came after the last change is judged, and the sentence names the change.


def test_other_data_is_judged_by_its_own_losses() -> None:
    run = tune(classified(200, lr=0.1), cloud="spiral")
    first = found(run)
    assert first.sentence.startswith("Since you set “Data” to Spiral at step 200: the training loss is ")
    assert first.evidence.loss > 10 * first.evidence.before, "both are losses of the same weights"
    assert found(train(run, 30)).rule == "classes", "the loss of the spiral fell, whatever that of the blobs was"
    run = tune(classified(300, cloud="circle", activation="tanh", lr=0.1), 60, cloud="blobs")
    assert found(run).rule in ("classes", "all falls"), "no overfitting: the lower losses were of other data"


def test_layers_taken_away_and_added_again_are_no_reason_to_lower_the_rate() -> None:
    run = tune(classified(200, layers=6, lr=0.1), 50, layers=0)
    assert found(run).rule in ("classes", "all falls")
    run = tune(run, 10, layers=1)
    assert found(run).sentence.startswith("Since you set “Hidden layers” to 1 at step 250: the loss fell from ")


def test_outliers_clicked_late_are_what_the_loss_is_compared_with() -> None:
    run = regressed(500, lr=0.1)
    before = run.losses_now()["train"]
    for x in (-0.5, 0.0, 0.5):
        run.apply(AddPoint(x, 3.0))
    first = found(run)
    assert first.rule == "changed loss" and first.evidence.before == before
    assert first.sentence.startswith("Since you changed the points at step 500: the training loss is ")
    later = found(train(run, 5))
    assert later.rule == "falling" and later.evidence.first == first.evidence.loss


def test_a_change_taken_back_at_the_same_step_is_none() -> None:
    run = tune(regressed(50, lr=0.1), 20, lr=0.03)
    period = run.period
    tune(tune(run, optimizer="adam"), optimizer="sgd")
    run.apply(AddPoint(0.0, 3.0))
    assert run.period.since == "Since you changed the points at step 70"
    run.apply(Undo())
    assert run.period == period and run.period.since == "Since you set “Learning rate” to 0.03 at step 50"
    tune(run, lr=0.1, optimizer="adam")
    assert run.period.since == "Since you changed 2 settings at step 70"
    run.apply(AddPoint(0.0, 3.0))
    assert run.period.since == "Since your changes at step 70"


def test_settings_that_do_not_act_on_the_training_are_no_change() -> None:
    run = tune(classified(20), max_steps=500, target_loss=0.001, brush=1, momentum=0.5, units_3=7, least_accuracy=90.0)
    assert not run.period.is_changed
    assert not tune(regressed(20), batch_size=100).period.is_changed, "a batch was all 100 points before, too"
    assert tune(regressed(20), batch_size=50).period.is_changed
    run = on_rows(classified(20), [(0, 1, 0), (1, 0, 1), (1, 1, 1)], 5)
    assert run.period.since == "Since you loaded your table at step 20"
    assert tune(run, 5, noise=2.0, cloud="spiral").period.start == 20, "a table is in use"
    run.use_rows(None)
    assert run.period.since == "Since you returned to the generated points at step 30"
    run = tune(on_rows(regressed(20), LINE, 5), target="sine", noise=0.0)
    assert run.period.start == 20


def test_weights_that_were_loaded_or_set_by_hand_are_a_change() -> None:
    run = regressed(300, lr=0.1)
    weights = run.script_weights()
    other = regressed(10, lr=0.1)
    other.use_weights(weights)
    said = found(other)
    assert said.sentence.startswith("Since you loaded weights at step 10: the training loss is ")
    assert said.evidence.loss == pytest.approx(run.losses_now()["train"])
    run = classified(10)
    run.apply(SetWeight(0, 0, 0, 5.0))
    assert run.period.since == "Since you set a weight by hand at step 10"
    train(run, 1).apply(Undo())
    assert run.period.since == "Since you set a weight back at step 11"


def test_a_change_at_step_0_is_no_change_but_its_losses_count() -> None:
    run = tune(regressed(0), noise=1.0)
    assert found(run).rule == "start"
    assert found(train(run, 5)).sentence.startswith("Learning: the training loss fell from ")
    assert found(run).evidence.first == run.period.losses["train"] != float(run.history.column("train")[0])


def test_a_restored_run_knows_its_last_change() -> None:
    run = tune(tune(regressed(50, lr=0.1), 20, lr=0.03), 1, max_steps=5000)
    file = checkpoint.pack(checkpoint.take("regression", run))
    read = checkpoint.read(file)
    assert isinstance(read, checkpoint.Checkpoint)
    again, _ = checkpoint.restore(read, regression.LESSON, Settings())
    assert again.period.since == run.period.since == "Since you set “Learning rate” to 0.03 at step 50"
    assert found(train(again, 5)).rule == "falling"
    assert again.period.losses == run.period.losses
    beside = branch.branched(run, run.config)
    assert beside.period.since == run.period.since
    run.apply(LookBack(0))
    assert not branch.branched(run, run.config).period.is_changed


def test_each_phrase_names_the_step() -> None:
    assert all((phrase.startswith("Since ") and "at step {step:,}" in phrase) or "to step" in phrase
               for phrase in SINCE.values())  # fmt: skip


def test_a_divergence_after_a_change_names_the_change() -> None:
    said = found(tune(regressed(50, lr=0.1), 100, lr=10.0))
    assert said.rule == "diverged" and said.sentence.startswith("Since you set “Learning rate” to 10 at step 50: ")


# Advice is only what can be done.


def advice_of(rule: str, situation: TrainingSituation) -> str:
    finding = next((each for each in findings(RULES, situation) if each.rule == rule), None)
    assert finding is not None, rule
    return finding.advice


def crafted(train: Sequence[float], test: Sequence[float] = (), **values: Any) -> TrainingSituation:
    """The situation of a playing regression with these losses."""
    steps = np.arange(len(train), dtype=np.float64)
    tests = np.array(test, np.float64) if len(test) else np.full(len(train), math.nan)
    probe = partial(Probe, 1.0, 1.0, 1.0, 0.0, 0.0, (1.0, 1.0))
    given: dict[str, Any] = {
        "config": RegressionConfig(), "period": Period(), "step": len(train), "is_current": True, "outcome": "",
        "loss": float(train[-1]), "rows": LossRows(steps, np.array(train, np.float64), tests), "fit": 0.9,
        "constant_loss": 1.0, "test_loss": float(tests[-1]),
        "is_whole": True, "dead": (0,), "largest_input": 1.0, "stop_at": math.inf,
        "probe": probe, "fresh_probe": probe, "max_units": 64, "max_layers": 4,
    }  # fmt: skip
    return TrainingSituation(**given | values)


FLAT = [1.0] + [0.9] * 59
FALLING = list(np.linspace(1.0, 0.2, 60))


def test_no_advice_that_cannot_be_followed() -> None:
    could_fall: dict[str, Any] = {"probe": lambda: Probe(0.9, 0.1, 1.0, 0.0, 0.0, (1.0, 1.0)), "fit": 0.1}
    highest = RegressionConfig(lr=10.0)
    assert advice_of("slow", crafted(FLAT, config=RegressionConfig(), **could_fall)) == ADVICE["higher rate"]
    assert advice_of("slow", crafted(FLAT, config=highest, **could_fall)) == ADVICE["adam"]
    adam = replace(highest, optimizer="adam")
    assert advice_of("slow", crafted(FLAT, config=adam, **could_fall)) == ""
    poor: dict[str, Any] = {"fit": 0.1}
    assert advice_of("plateau", crafted(FLAT, **poor)) == ADVICE["units or layers"]
    widest = RegressionConfig(hidden=64)
    assert advice_of("plateau", crafted(FLAT, config=widest, **poor)) == ADVICE["layers"]
    whole = RegressionConfig(layers=4, hidden=64, hidden_2=64, hidden_3=64, hidden_4=64)
    assert advice_of("plateau", crafted(FLAT, config=whole, dead=(0,) * 4, **poor)) == ADVICE["seed"]
    assert "units" not in advice_of("no layer", crafted(FLAT, config=RegressionConfig(layers=0), dead=(), **poor))
    lowest = RegressionConfig(lr=0.0001)
    assert advice_of("diverged", crafted(FLAT, config=lowest, outcome="failed")) == ADVICE["reset"]
    assert advice_of("rising", crafted([1.0, 2.0], config=lowest)) == ""
    assert "rate" not in advice_of("dead layer", crafted(FLAT, config=lowest, dead=(10,)))
    inputs = ClassificationConfig(layers=0)
    for has_more in (True, False):
        said = advice_of("no layer, classes", crafted(FLAT, config=inputs, dead=(), classes=(0, 1), fit=0.0,
                                                      has_more_inputs=has_more))  # fmt: skip
        assert ("inputs" in said) == has_more


@pytest.mark.parametrize("lr", CLASSIFICATION_RATES)
def test_a_dead_layer_is_said_at_every_rate(lr: float) -> None:
    situation = crafted(FLAT, config=ClassificationConfig(lr=lr, layers=2), dead=(0, 8), classes=(0, 1), fit=0.0)
    said = first_finding(RULES, situation)
    assert said.rule == "dead layer" and said.evidence.layer == 2 and "higher" not in said.advice


def test_a_penalty_is_blamed_only_where_it_is_the_cause() -> None:
    decay = RegressionConfig(weight_decay=1e-5)
    strong = Probe(0.9, 0.1, 1.0, 1.0, 0.0, (1.0, 1.0))
    assert first_finding(RULES, crafted(FLAT, config=decay, probe=lambda: strong)).rule == "penalty"
    weak = replace(strong, decay_pull=0.01)
    assert first_finding(RULES, crafted(FLAT, config=decay, probe=lambda: weak)).rule == "slow"
    dropped: dict[str, Any] = {"config": ClassificationConfig(weight_decay=0.003, dropout=0.8), "classes": (0, 1)}
    said = first_finding(RULES, crafted(FLAT, probe=lambda: strong, **dropped))
    assert said is None or said.rule not in ("penalty", "slow"), "dropout may hold it up"
    at_the_minimum = replace(strong, reachable=0.89)
    assert first_finding(RULES, crafted(FLAT, config=decay, probe=lambda: at_the_minimum)).rule == "settled"
    run = regressed(100, layers=0, weight_decay=1e-5, lr=0.1)
    assert found(run).rule == "no layer", "the best line is flat, with a penalty and without"


def test_a_loss_that_rises_is_not_said_to_fall() -> None:
    classes: dict[str, Any] = {
        "config": ClassificationConfig(l1=0.03),
        "classes": (0, 1),
        "accuracy": 1.0,
        "fit": 1.0,
        "loss": 0.2,
    }
    rising = crafted([0.5, *np.linspace(0.1, 0.2, 59)], **classes)
    assert first_finding(RULES, rising).rule == "rising again"
    bouncing = crafted([0.5, *(0.15 + 0.001 * np.linspace(0, 1, 59))], **classes | {"loss": 0.151})
    assert first_finding(RULES, bouncing).rule != "all falls"
    early = crafted([0.5, 0.1, 0.2], **classes)
    assert first_finding(RULES, early).rule == "all", "it fell, and rises now"
    early = crafted([0.5, 0.3, 0.2], **classes)
    assert first_finding(RULES, early).rule == "all falls"
    assert first_finding(RULES, crafted([0.0] * 60, **classes | {"loss": 0.0})).rule != "all falls"


def test_bounces_count_only_where_the_batch_is_the_whole_data_and_the_loss_matters() -> None:
    bouncing = 0.5 + 0.2 * (-1.0) ** np.arange(60)
    assert first_finding(RULES, crafted([1.0, *bouncing])).rule == "bouncing"
    assert first_finding(RULES, crafted([1.0, *bouncing], is_whole=False)).rule != "bouncing"
    assert first_finding(RULES, crafted([1.0, *(0.01 * bouncing)])).rule != "bouncing", "a loss this small may bounce"
    assert first_finding(RULES, crafted(FALLING)).rule == "falling"


def test_overfitting_is_a_test_loss_that_rose_while_the_training_loss_fell() -> None:
    v_shaped = list(np.abs(np.linspace(-0.5, 0.5, 60)) + 0.2)
    assert first_finding(RULES, crafted(FALLING, v_shaped)).rule == "overfitting"
    assert first_finding(RULES, crafted(FALLING, FALLING)).rule == "falling"
    assert first_finding(RULES, crafted([*FALLING[::2], *FALLING[::-2]], v_shaped)).rule != "overfitting"
    assert first_finding(RULES, crafted(FALLING)).rule == "falling", "no test points"
    lucky = [0.5] * 20 + [0.3] + [0.5] * 39
    assert first_finding(RULES, crafted(FALLING, lucky, is_whole=False)).rule != "overfitting", "one lucky batch"


def test_small_hops_over_a_minimum_are_no_reason_for_a_higher_rate() -> None:
    hops = [1.0, *(0.5 + 0.04 * (-1.0) ** np.arange(60))]
    could_fall = crafted(hops, probe=lambda: Probe(0.5, 0.1, 1.0, 0.0, 0.0, (1.0, 1.0)))
    said = first_finding(RULES, could_fall)
    assert said.rule == "bouncing" and said.advice == ADVICE["lower rate"]


def test_other_inputs_are_advised_where_some_are_off() -> None:
    situation = crafted(FLAT, config=ClassificationConfig(inputs="x1^2"), classes=(0, 1), fit=0.0, has_more_inputs=True)
    assert "other inputs" in advice_of("plateau, classes", situation)
    assert "other inputs" in advice_of("guessing", replace(situation, constant_loss=situation.loss))


def test_a_level_loss_is_a_plateau_when_the_fit_is_poor_and_settled_when_it_is_good() -> None:
    assert first_finding(RULES, crafted(FLAT, fit=0.1)).rule == "plateau"
    assert first_finding(RULES, crafted(FLAT, fit=0.95)).rule == "settled"
    assert first_finding(RULES, crafted(FLAT[:8], fit=0.1)).rule == "falling", "too early to judge"


def test_a_penalty_that_shrank_all_weights_is_named_and_not_the_initialisation() -> None:
    said = found(regressed(1000, weight_decay=0.1, lr=0.3, activation="tanh"))
    assert said.rule == "collapsed" and said.advice == ADVICE["lower penalty, reset"]


def test_units_with_the_same_weights_but_other_biases_are_not_the_same() -> None:
    run = classified(50, lr=0.1, units_1=2, activation="tanh")
    for unit in (0, 1):
        for source in (0, 1):
            run.apply(SetWeight(0, unit, source, 0.0))
    assert run.situation(run.view()).same_units == 0
    assert classified(1, initialisation="zeros").situation(classified(1, initialisation="zeros").view()).same_units == 1


def test_dropout_is_blamed_only_where_the_run_s_own_steps_without_it_lower_the_loss() -> None:
    run = classified(400, lr=0.0001, dropout=0.5, batch_size=10, cloud="circle")
    assert found(run).rule == "slow" and run.loss_without_dropout() > 0.99 * run.losses_now()["train"]
    noisy = classified(110, dropout=0.8, lr=0.1, cloud="circle", noise=0.4, batch_size=10)
    assert noisy.loss_without_dropout() < 0.99 * noisy.losses_now()["train"]


def test_a_loss_is_not_judged_before_each_point_was_in_a_batch() -> None:
    stuck: dict[str, Any] = {"fit": 0.1, "is_whole": False}
    assert first_finding(RULES, crafted(FLAT, steps_per_epoch=200, **stuck)).rule == "falling"
    assert first_finding(RULES, crafted(FLAT, steps_per_epoch=20, **stuck)).rule == "plateau"


def test_a_loss_that_jumps_is_not_said_to_have_settled() -> None:
    jumping = [1.0, *(0.5 + 0.1 * np.random.default_rng(0).standard_normal(100))]
    assert first_finding(RULES, crafted(jumping, is_whole=False)).rule == "around"
    assert first_finding(RULES, crafted([1.0, *(0.001 * np.array(jumping[1:]))], is_whole=False)).advice == ""


def test_a_classifier_is_said_to_guess_only_where_its_loss_is_that_of_guessing() -> None:
    poor: dict[str, Any] = {"config": ClassificationConfig(), "classes": (0, 1), "fit": 0.48, "accuracy": 0.74}
    said = first_finding(RULES, crafted(FLAT, **poor | {"constant_loss": 1.5}))
    assert said.rule == "plateau, classes" and "74 % of the training points" in said.sentence
    assert first_finding(RULES, crafted(FLAT, **poor | {"constant_loss": 0.95})).rule == "guessing"
    same_everywhere = crafted(FLAT, **poor | {"fit": 0.9, "accuracy": 0.95, "constant_loss": 0.9})
    assert first_finding(RULES, same_everywhere).rule == "guessing", "95 % of the points are of one class"


def test_the_rest_of_a_loss_is_noise_where_the_true_curve_has_no_lower_one() -> None:
    run = regressed(1200, batch_size=1, lr=0.03, noise=1.0)
    y = run.data.x_train**2 + 0.5
    assert found(run).evidence.floor == pytest.approx(float(((y - run.data.y_train) ** 2).mean()))
    run.apply(AddPoint(0.0, 1.0))
    assert math.isnan(run.curve_loss()), "the student's points have no true curve"


def test_numbers_of_overfitting_are_those_of_the_status() -> None:
    wide: dict[str, Any] = {"layers": 2, "units_1": 12, "units_2": 12}
    run = classified(600, noise=3.0, points=20, lr=0.3, batch_size=10, **wide)
    said, now = found(run), run.losses_now()
    assert said.rule == "overfitting"
    assert (said.evidence.train, said.evidence.test) == (pytest.approx(now["train"]), pytest.approx(now["test"]))
    at = list(run.history.steps()).index(said.evidence.best_at)
    assert said.evidence.test_then == run.history.column("test")[at]
    assert said.evidence.train_then == run.history.column("train")[at]


def test_points_that_were_resampled_are_said_so() -> None:
    assert tune(classified(20), draw=1).period.since == "Since you resampled the points at step 20"


def test_half_of_the_units_must_be_dead_before_the_narrator_says_so() -> None:
    assert first_finding(RULES, crafted(FALLING, dead=(5,))).rule == "dead units"
    assert first_finding(RULES, crafted(FALLING, dead=(4,))).rule == "falling"
    none = RegressionConfig(layers=0)
    assert first_finding(RULES, crafted(FALLING, dead=(), config=none)).rule == "falling", "no hidden units"


def test_a_trend_is_level_where_noise_hides_it() -> None:
    rng = np.random.default_rng(0)
    noisy = 0.5 + 0.05 * rng.standard_normal(120)
    assert (level := trend_of(noisy)) is not None and level.is_level
    assert (falls := trend_of(noisy - np.linspace(0, 0.5, 120))) is not None and falls.is_falling
    assert (rises := trend_of(np.linspace(0.1, 0.2, 60))) is not None and rises.is_rising
    assert trend_of([0.1] * 5) is None and trend_of([math.nan] * 60) is None


def test_numbers_in_the_sentences_are_the_run_s() -> None:
    run = regressed(1000, max_steps=100)
    loss = run.draw([], {}).status["loss"]
    assert (
        found(run).sentence
        == f"Stopped at step 100 with a training loss of {loss}. Press Play to continue to step 200."
    )
    run.resume()
    assert train(run, 1000).steps == 200, "Play continues to the step that the sentence names"
    assert found(regressed(1, seed=3, lr=3.0)).rule != "start"
    run = classified(8)
    share = run.draw([], {}).status["accuracy"]
    assert f"; {100 * share:g} % of the training points" in found(run).sentence


def test_judging_changes_nothing_in_the_run() -> None:
    silent, watched = (classified(40, dropout=0.5, weight_decay=0.01, batch_size=10, cloud="circle") for _ in range(2))
    for _ in range(80):
        train(silent, 1)
        found(train(watched, 1))
        watched.probe()
    assert silent.run_history().checksum == watched.run_history().checksum


def test_a_removed_point_is_a_change_too() -> None:
    run = regressed(20)
    run.apply(RemovePoint(0.0, 0.0))
    assert run.period.since == "Since you changed the points at step 20"


def test_the_rules_are_ordered_problems_first() -> None:
    names = [rule.name for rule in RULES]
    assert names.index("penalty") < names.index("slow") < names.index("settled") < names.index("falling")
    assert RULES[-1].find(crafted(FLAT)) is not None, "the last rule always applies"
    assert training_rules.RULES is RULES


# After a divergence.


@pytest.mark.parametrize("build", [regressed, classified])
def test_a_diverged_run_goes_back_to_its_last_good_step_and_trains_on(build: Any) -> None:
    run = build(60, lr=0.1, activation="identity", weight_decay=0.0)
    losses, weights = run.losses_now(), run.script_weights()
    tune(run, 200, lr=10.0, loss="mse" if build is regressed else "brier", optimizer="nesterov", momentum=0.99)
    if run.outcome != "failed":  # a bounded loss does not diverge by itself
        with torch.no_grad():
            run.parameters[0].fill_(1e38)
        train(run, 3)
    assert run.outcome == "failed"
    said = found(run)
    assert said.evidence.good_step == run.time()["good"] <= run.steps
    run.apply(GoBack())
    assert run.steps == said.evidence.good_step and run.outcome == ""
    assert "good" not in run.time() and run.period.since.startswith("Since you went back to step ")
    assert run.history.steps()[-1] <= run.steps and run.snapshots.kept[-1].steps <= run.steps
    if run.steps == 60:
        assert all(value.equal(weights[name]) for name, value in run.script_weights().items())
    assert math.isfinite(run.losses_now()["train"]) and run.peak < 100 * max(1.0, losses["train"])
    tune(run, 30, lr=0.01, optimizer="sgd")
    assert run.outcome == "" and run.losses_now()["train"] <= 1.1 * run.period.losses["train"]
    checkpoint.save("regression" if build is regressed else "classification", run)
    assert run.run_history().saved.why == "went_back"


def test_what_is_changed_after_a_divergence_is_not_its_cause() -> None:
    run = tune(regressed(50, lr=0.1), 100, lr=10.0)
    said = found(run).sentence
    tune(run, weight_decay=0.01)
    run.apply(AddPoint(0.0, 3.0))
    assert found(run).sentence == said and said.startswith("Since you set “Learning rate” to 10 at step 50: ")


def test_two_compared_runs_are_not_told_to_go_back() -> None:
    run = tune(regressed(50, lr=0.1), 100, lr=10.0)
    assert "Go back" in found(run).advice and "good" in run.time()
    run.is_compared = True
    assert "Go back" not in found(run).advice and "good" not in run.time()


def test_after_going_back_the_first_advice_is_a_lower_rate() -> None:
    run = went_back(tune(regressed(50, lr=0.1), 100, lr=10.0))
    said = found(run)
    assert said.text == (f"You went back to step {run.steps}, before the divergence, with a new optimizer. "
                         "Lower the learning rate, then press Play.")  # fmt: skip
    assert found(tune(run, lr=0.1)).rule == "changed"


def test_there_is_nothing_to_go_back_to_before_a_divergence_or_without_a_good_step() -> None:
    for run in (regressed(20), regressed(100, lr=10.0, activation="tanh")):
        assert "good" not in run.time()
        with pytest.raises(ValueError, match="no good step"):
            run.apply(GoBack())
    assert "Go back" not in found(regressed(100, lr=10.0, activation="tanh")).advice


@pytest.mark.parametrize("build", [regressed, classified])
def test_a_run_continues_from_a_step_looked_back_at_with_a_new_optimizer(build: Any) -> None:
    run = build(60, lr=0.1, optimizer="adam")
    assert "branch" not in run.time(), "the current step is no earlier one"
    run.apply(LookBack(step=25))
    assert run.time()["branch"]
    loss = run.draw([], {}).status["loss"]
    run.apply(GoBack(25))
    assert run.steps == 25 and run.time()["at"] is None and run.losses_now()["train"] == pytest.approx(loss, rel=1e-3)
    assert not run.trainer.optimizer.state, "the optimizer's state is empty"
    assert run.history.steps()[-1] <= 25 and run.snapshots.kept[-1].steps == 25
    train(run, 60)
    assert run.steps == 85 and run.period.since.startswith("Since you continued at step 25")
    assert run.run_history().saved.why == "continued"
    checkpoint.save("regression" if build is regressed else "classification", run)


def test_a_run_continues_only_from_a_step_that_is_kept_and_that_its_model_fits() -> None:
    run = tune(classified(20), 20, units_1=5)
    for step in (10, 1000, -1):
        with pytest.raises(ValueError, match="cannot continue from step"):
            run.apply(GoBack(step))
    run.apply(LookBack(step=10))
    assert "branch" not in run.time(), "the model had another shape"


def test_probes_are_kept_from_frame_to_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    run, calls = classified(150, l1=0.1, lr=0.1, layers=2), []
    probe_of = run._probe_of
    monkeypatch.setattr(run, "_probe_of", lambda model: calls.append(model) or probe_of(model))
    rules = [found(run).rule for _ in range(3)]
    assert rules == ["collapsed"] * 3 and len(calls) == 2, "one of the current weights, one of those at step 0"


# While knobs are turned: found by tests/claims/walks.


def test_a_loss_that_leaps_at_once_is_not_blamed_on_a_penalty() -> None:
    run = regressed(
        21, noise=0.5, layers=4, hidden=24, hidden_3=2, activation="gelu", optimizer="adam", weight_decay=0.1
    )
    tune(run, 60, zero_grad=False)
    assert found(tune(run, 1, zero_grad=True)).rule == "rising"


def test_longer_steps_are_not_advised_where_dropout_holds_the_loss_up() -> None:
    run = classified(600, draw=18, layers=6, activation="leaky_relu", dropout=0.8)
    assert run.probe().gain > training_rules.MIN_GAIN and found(run).rule != "slow"


def test_small_weights_are_named_where_they_make_the_gradient_die() -> None:
    run = regressed(180, layers=3, hidden=1, hidden_2=2, activation="leaky_relu", initialisation="small", lr=0.02)
    said = found(run)
    assert (said.rule, said.advice) == ("dies backwards", ADVICE["initialisation"])
    saturated = regressed(200, layers=4, activation="sigmoid", optimizer="momentum", lr=0.03)
    assert found(saturated).advice == ADVICE["relu"]


def test_a_gradient_that_has_come_back_has_not_died() -> None:
    history, layers = History(["gradient a", "gradient b"]), [nn.Linear(1, 1), nn.Linear(1, 1)]
    for step, first in enumerate([1e-8] * 20 + [1.0] * 20):
        history.append(step, {"gradient a": first, "gradient b": 1.0})
    assert [each.gradient for each in examine.layers_of(layers, ["a", "b"], history, since=0)] == [1.0, 1.0]
    history.cut(18)
    assert examine.layers_of(layers, ["a", "b"], history, since=0)[0].gradient == pytest.approx(1e-8)
