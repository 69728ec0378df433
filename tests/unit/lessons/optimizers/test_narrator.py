"""The line under the race agrees with its ranking, judges a change by the steps after it, and names equals together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from playground.engine.commands import LookBack
from playground.lessons.narrator import MAX_LETTERS, findings
from playground.lessons.optimizers import narrator
from playground.lessons.optimizers.config import OptimizersConfig
from playground.lessons.optimizers.lesson import LESSON
from playground.lessons.optimizers.narrator import RaceSituation
from playground.lessons.optimizers.race import Placing
from playground.lessons.optimizers.run import RaceRun, build


def made(steps: int, **knobs: Any) -> RaceRun:
    run = build(OptimizersConfig(**knobs))
    train(run, steps)
    return run


def train(run: RaceRun, until: int) -> None:
    while run.steps < until and not run.outcome:
        run.advance(60.0, until - run.steps)


def shown(run: RaceRun) -> tuple[str, dict[str, str]]:
    """The line, and each racer's place in the list of the same frame."""
    drawing = run.draw(["ranking"], {})
    texts = [each["text"].strip() for each in drawing.charts["ranking"]["layout"]["annotations"][2:]]
    return drawing.note, dict(zip(texts[0::3], texts[2::3], strict=True))


def test_the_ranking_is_in_every_frame_because_the_line_names_its_leader() -> None:
    assert {chart.name: chart.every for chart in LESSON.charts}["ranking"] == 1
    run = made(0, max_steps=0)
    for step in range(1, 120, 7):
        train(run, step)
        note, places = shown(run)
        (first,) = [name for name, place in places.items() if place == "1st"]
        assert note.startswith(f"{first} leads with a loss of ")
        assert f"loss of {run.draw([], {}).status['loss']:g};" in note, "the number beside the player"


def test_nobody_has_a_place_before_the_first_step() -> None:
    run = made(3)
    assert set(shown(run)[1].values()) == {"1st", "2nd", "3rd", "4th"}
    run.apply(LookBack(0))
    assert set(shown(run)[1].values()) == {""}
    assert "Press Play" in shown(made(0))[0]


def test_a_winner_whose_curve_is_not_the_lowest_is_explained() -> None:
    run = made(384, lr=0.3)
    note, places = shown(run)
    assert places["SGD"] == "1st"
    assert note.startswith("After step 384 SGD won with 0.004336 on all points. Momentum has the lowest curve")
    smoothed = {racer.entry.label: racer.smooth for racer in run.race.racers}
    assert min(smoothed, key=smoothed.__getitem__) == "Momentum"
    figure = run.draw(["loss"], {}).charts["loss"]
    assert figure["layout"]["yaxis"]["title"]["text"] == "Loss, smoothed batches"
    assert shown(made(384))[0] == "After step 384 Adam won with a loss of 0.003794; last: SGD with 0.04867."


def test_equals_are_named_together_and_one_alone_is_no_winner() -> None:
    assert "Adam and AdamW share the first place" in shown(made(40, racers="sgd,adam,adamw", weight_decay=0.0))[0]
    assert shown(made(9, racers="adam,adamw", weight_decay=0.0))[0].startswith(
        "After step 9 the loss of Adam and AdamW is the same"
    )
    for steps in (9, 384):
        assert shown(made(steps, racers="adam"))[0].startswith("Adam runs alone; its loss is 0.")


def test_all_who_dropped_out_are_named_also_at_the_end_and_the_advice_can_be_followed() -> None:
    note, places = shown(made(384, lr=3.0))
    assert note.startswith("After step 384 Adam won") and "SGD (step 5) and Momentum (step 6) dropped out." in note
    assert (places["SGD"], places["Adam"]) == ("out", "1st")
    lost = shown(made(60, racers="sgd", lr=10.0))[0]
    assert lost.startswith("All have dropped out: SGD (step ") and lost.endswith(
        "Lower the learning rate, then press Reset."
    )
    own = shown(made(60, racers="sgd", lr=0.0001, own="SGD(lr=50)"))[0]
    assert "SGD 50 (step " in own and "dropped out" in own


STANDARD = ("SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW")
OWN = tuple(f"Nesterov 0.00{number}" for number in range(1, 9))


def situation(names: Sequence[str], gone: int, tied: int, since: str, *, is_done: bool) -> RaceSituation:
    """A race of eight with these numbers of racers out and in first place; the others are last. Any rule may speak."""
    placings: list[Any] = []
    for at, name in enumerate(names):
        left = {"left_at": 1234, "why": ("number", "bound")[at % 2]} if at < gone else {"left_at": -1, "why": ""}
        place = 0 if at < gone else 1 if at < gone + tied else tied + 1
        loss = 0.003794 if place == 1 else 0.04867
        placings.append(Placing(SimpleNamespace(entry=SimpleNamespace(label=name), **left), loss, place))
    running = names[gone:]
    return RaceSituation(
        step=1234, is_current=True, is_done=is_done, placings=placings, since=since, has_stepped=True,
        rows=dict.fromkeys(running, (1.0, 2.0)) if since else {},
        smoothed={name: -at for at, name in enumerate(running)}, can_lower_rate=True, dead=tuple(running),
    )  # fmt: skip


@pytest.mark.parametrize("names", [STANDARD, OWN])
def test_no_sentence_about_eight_racers_is_longer_than_its_line(names: Sequence[str]) -> None:
    changes = ("", "Since you set “AdamW's weight decay λ” to 0.5 at step 1,234")
    rules = set()
    for gone, tied, since, is_done in product((0, 1, 2, 3, 8), (1, 2, 3, 8), changes, (False, True)):
        for found in findings(narrator.RULES, situation(names, gone, tied, since, is_done=is_done)):
            assert len(found.text) <= MAX_LETTERS, found.text
            rules.add(found.rule)
    assert rules == {rule.name for rule in narrator.RULES} - {"past", "start", "unstepped", "alone"}


def test_a_sentence_names_the_first_racers_and_counts_the_others() -> None:
    now = situation(STANDARD, 8, 1, "", is_done=False)
    assert next(findings(narrator.RULES, now)).text == (
        "All have dropped out: SGD (step 1,234) and 7 others. The loss was too large or NaN. "
        "Lower the learning rate, then press Reset."
    )
    now = situation(STANDARD, 0, 1, "", is_done=True)
    text = next(found for found in findings(narrator.RULES, now) if found.rule == "leads").text
    assert text.endswith("last: Momentum, Nesterov, Adagrad, RMSprop, Adadelta, Adam and AdamW with 0.04867.")


def test_a_change_is_judged_by_the_steps_after_it() -> None:
    run = made(200, racers="sgd,adam,adadelta", max_steps=0)
    run.tune(run.config.with_values(lr=1.0))
    assert shown(run)[0] == (
        "Since you set “Learning rate” to 1 at step 200: no step yet. Press Play to see what it does."
    )
    train(run, 260)
    assert shown(run)[0].startswith(
        "Since you set “Learning rate” to 1 at step 200: the loss of SGD and Adam has risen."
    )
    run.tune(run.config.with_values(lr=0.01))
    train(run, 400)
    assert shown(run)[0].startswith("Since you set “Learning rate” to 0.01 at step 260: ")
    assert "risen" not in shown(run)[0]


@pytest.mark.parametrize("knob", [{"over": "epoch"}, {"inside": "sgd"}, {"surface_lr": 1.0}, {"max_steps": 640}])
def test_what_changes_the_charts_alone_is_no_change(knob: dict[str, Any]) -> None:
    run = made(50)
    run.tune(run.config.with_values(**knob))
    assert "Since" not in shown(run)[0]


def test_a_setting_of_optimizers_that_do_not_race_is_no_change() -> None:
    run = made(30)
    run.tune(run.config.with_values(rho=0.5, weight_decay=0.5))
    assert not run.period.is_changed, "neither Adadelta nor AdamW is in the race"
    run.tune(run.config.with_values(beta1=0.5))
    assert run.period.since == "Since you set “Adam's β₁” to 0.5 at step 30"


def test_a_racer_without_a_unit_that_is_alive_is_named() -> None:
    run = made(100, lr=1.0)
    assert shown(run)[0].startswith("All hidden units of SGD and Momentum are dead: a flat line.")
    assert shown(run)[0].endswith("Lower the learning rate, then press Reset.")
    assert "dead" not in shown(made(100))[0]


def test_the_noise_of_the_batches_is_no_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(before: int, after: int) -> int:
        """How often a racer is said to have risen after a change that hardly acts on it."""
        monkeypatch.setattr(narrator, "STEPS_BEFORE", before)
        monkeypatch.setattr(narrator, "STEPS_AFTER", after)
        monkeypatch.setattr(narrator, "MIN_ROWS", min(4, after))
        run = made(200, racers="sgd,adam", batch_size=1, lr=0.003, max_steps=0)
        run.tune(run.config.with_values(batch_size=4))
        run.tune(run.config.with_values(batch_size=1, schedule="cosine"))
        count = 0
        for step in range(260, 420, 10):
            train(run, step)
            count += "SGD has risen" in shown(run)[0]
        return count

    assert told(narrator.STEPS_BEFORE, narrator.STEPS_AFTER) == 0 < told(1, 1)


def test_a_racer_whom_a_change_does_not_concern_is_not_blamed_on_it() -> None:
    run = made(300, racers="sgd,adam", lr=0.03, max_steps=0)
    run.tune(run.config.with_values(beta1=0.5))
    sgd, adam = run.race.racers
    assert not run._is_concerned(sgd) and run._is_concerned(adam)
