"""A student who turns knobs at random while a run trains, and what the narrator says after each act.

    for moment in walk("regression", seed=3):
        ...  # moment.run, moment.did, moment.said

The settings at the start are random, too: noise, one point in a batch or all of them, a momentum up to 0.99, penalties,
rates from far too low to far too high. Each act is what a page offers while a run trains: turn a knob, click a point,
load a table, save and load, continue from an earlier step, compare, look back, take the advice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from playground.engine.commands import AddPoint, GoBack, LookBack, RemovePoint, SetWeight, Undo
from playground.knobs import Knob
from playground.lessons import LESSONS, training_rules
from playground.lessons.cnn import narrator as cnn_narrator
from playground.lessons.narrator import Finding, first_finding
from playground.lessons.optimizers import narrator as race_narrator
from playground.saving import branch, checkpoint
from playground.settings import Settings

SETTINGS = Settings()
ACTS = 8
TURNED_AT_START = 0.3  # of the knobs
STEPS = (0, 1, 5, 20, 60, 60, 120, 300)  # between two acts
MANY_STEPS = 2500  # sometimes
CNN_STEPS = (0, 1, 5, 20, 70, 100)
FEW: dict[str, tuple[Any, ...]] = {  # values of knobs whose largest ones take long, or say nothing else
    "points": (8, 20, 50, 100, 200), "hidden": (1, 2, 10, 24), "hidden_2": (2, 10, 24), "hidden_3": (2, 10),
    "hidden_4": (2, 10), "units_1": (1, 2, 8, 12), "units_2": (2, 8), "max_steps": (0, 0, 100, 400),
    "target_loss": (0.0, 0.0, 0.0, 0.05), "filters_1": (2, 4), "filters_2": (4, 6), "filters_3": (4, 8),
    "images": (50, 200, 1_000), "epochs": (0, 0, 0, 1, 2), "batch_size": (0, 0, 1, 5, 10, 20, 32, 50),
    "own": ("", "", "Adam(lr=0.1)", "SGD(lr=0.3, momentum=0.9)"), "test_share": (0.0, 0.2, 0.5, 1.0),
    "seed": tuple(range(1000, 1050)), "scale": (1, 1, 1, 1, 10), "initialisation": (
        "default", "default", "default", "xavier", "he", "small", "zeros"),
    "loss": ("mse", "mse", "huber", "l1", "cross_entropy", "cross_entropy", "brier", "softmax_twice"),
}  # fmt: skip
FEW_OF = {"cnn": {"batch_size": (1, 10, 50, 64), "layers": (1, 2, 2, 3), "kernel": (3, 5)}, "optimizers": {
    "points": (50, 200), "batch_size": (0, 1, 8, 32)}}  # fmt: skip
LEFT: dict[str, tuple[str, ...]] = {  # knobs that do not act on a training, or not on this machine
    "regression": (), "classification": ("brush", "most_parameters", "least_accuracy"), "optimizers": (
        "over", "inside", "parameter", "surface", "surface_lr"),
    "cnn": ("image", "device", "precision", "turn", "test_mode", "test_order"),
}  # fmt: skip
# The knobs that take the cause of a remark away.
CURES: dict[str, dict[str, Any]] = {
    "kept gradients": {"zero_grad": True},
    "penalty": {"weight_decay": 0.0, "l1": 0.0}, "penalty rise": {"weight_decay": 0.0, "l1": 0.0},
    "collapsed": {"weight_decay": 0.0, "l1": 0.0},
    "dropout": {"dropout": 0.0}, "dropout noise": {"dropout": 0.0},
    "softmax twice": {"loss": "cross_entropy"}, "linear": {"activation": "tanh"},
    "dies backwards": {"activation": "relu"}, "dead layer": {"activation": "leaky_relu"},
    "dead units": {"activation": "leaky_relu"}, "noisy": {"batch_size": 0}, "outliers": {"loss": "huber"},
    "no layer, classes": {"layers": 1},
}  # fmt: skip
RATES = {"bouncing": -2, "rising": -2, "rising again": -2, "slow": 2}  # places to go in the list of rates


@dataclass(frozen=True)
class Moment:
    """A run, what the student did last, the remark whose cause that took away, and what the narrator says now.

    `unchanged` is a copy of a race from right before its last change, which was not changed; None where it is not known.
    """

    run: Any
    did: str
    cured: str
    said: Finding
    unchanged: Any = None


class Walk:
    """One student with one run."""

    def __init__(self, lesson: str, seed: int) -> None:
        self.lesson, self.draw = LESSONS[lesson], random.Random(f"{lesson} {seed}")
        self.name, self.did, self.cured = lesson, "", ""
        self.unchanged: Any = None
        knobs = self.lesson.config.knobs()  # type: ignore[attr-defined]
        self.knobs = {name: knob for name, knob in knobs.items() if name not in LEFT[lesson]}
        values = {name: self.value(name) for name in self.knobs if self.draw.random() < TURNED_AT_START}
        if lesson == "cnn":
            values |= {"epochs": 0, "filters_1": 4, "filters_2": 6, "filters_3": 6}
        elif "max_steps" not in values:
            values["max_steps"] = 0
        self.run: Any = self.lesson.build(self.lesson.config(**values), settings=SETTINGS)  # type: ignore[attr-defined]

    def value(self, name: str) -> Any:
        """A random legal value of a knob."""
        draw, knob = self.draw, self.knobs[name]
        few = FEW_OF.get(self.name, {}).get(name) or FEW.get(name)
        if few is not None:
            return draw.choice([each for each in few if knob.options is None or each in knob.options])
        if knob.many:
            return ",".join(draw.sample(knob.options or (), draw.randint(1, min(4, len(knob.options or ())))))
        if knob.options is not None:
            return draw.choice(knob.options)
        if isinstance(knob.default, bool):
            return draw.random() < 0.5
        return self.number(knob)

    def number(self, knob: Knob) -> int | float:
        """A random number that a slider of a knob has."""
        low, high, step = float(knob.lo or 0), float(knob.hi or 0), float(knob.step or 1)
        found = min(low + step * self.draw.randrange(round((high - low) / step) + 1), high)
        return int(found) if isinstance(knob.default, int) else round(found, 6)

    # What the narrator says.

    def said(self) -> Finding:
        """What the narrator says of the run as it is."""
        run = self.run
        with torch.no_grad(), np.errstate(all="ignore"):
            view = run.view()
            if self.name == "cnn":
                situation = cnn_narrator.CnnSituation(run.frame_context(view), run.period, run.outcome, run._is_last())
                found = first_finding(cnn_narrator.RULES, situation)
            else:
                rules: Any = race_narrator.RULES if self.name == "optimizers" else training_rules.RULES
                found = first_finding(rules, run.situation(view))
            assert run.narrate(view).endswith(found.text) or getattr(run, "problem", ""), found
        return found

    def moment(self) -> Moment:
        """Now."""
        return Moment(self.run, self.did, self.cured, self.said(), self.unchanged)

    # What the student does.

    def train(self) -> None:
        """Play for a while."""
        draw = self.draw
        steps = draw.choice(CNN_STEPS if self.name == "cnn" else STEPS)
        if self.name in ("regression", "classification") and draw.random() < 0.06:
            steps = MANY_STEPS
        train(self.run, steps)

    def act(self) -> None:
        """Do one thing that the page offers."""
        self.did = self.cured = ""
        acts = self.acts()
        self.draw.choices(list(acts), weights=list(acts.values()))[0]()

    def acts(self) -> Mapping[Callable[[], None], float]:
        """What can be done now, and how often it is done."""
        found: dict[Callable[[], None], float] = {self.turn: 3, self.save_and_load: 0.6, self.compare: 0.6}
        rule = self.said().rule
        if self.run.outcome == "failed":
            return {self.go_back: 2, self.reset: 2, self.turn: 1}
        if self.run.outcome == "done":
            return {self.resume: 3, self.turn: 1}
        if rule in CURES or rule in RATES:
            found[self.take_advice] = 4
        found |= {self.continue_earlier: 0.6, self.look_back: 0.3}
        if self.name in ("regression", "classification"):
            found |= {self.click: 1.2, self.load_table: 0.7}
        if self.name == "classification":
            found[self.set_weight] = 0.4
        return found

    def tune(self, **values: Any) -> None:
        """Turn live knobs."""
        names = self.run.config.knobs()
        values = {name: value for name, value in values.items() if name in names}
        self.did += f"turned {values} at {self.run.steps}; "
        is_race = self.name == "optimizers" and self.run.outcome != "failed"
        before = branch.branched(self.run, self.run.config) if is_race else None
        self.run.tune(self.run.config.with_values(**values))
        if self.run.period.start == self.run.steps and self.run.period.is_changed:
            self.unchanged = before

    def turn(self) -> None:
        """Turn one live knob, sometimes two."""
        live = [name for name, knob in self.knobs.items() if knob.live and name not in ("max_steps", "target_loss")]
        if self.run.outcome == "failed":
            live = ["lr"]
        count = 2 if self.draw.random() < 0.2 and len(live) > 1 else 1
        self.tune(**{name: self.value(name) for name in self.draw.sample(live, count)})

    def take_advice(self) -> None:
        """Take the cause of the remark away."""
        rule, config = self.said().rule, self.run.config
        values = dict(CURES.get(rule, {}))
        if rule in RATES:
            rates = list(config.knobs()["lr"].options)
            values["lr"] = rates[min(max(rates.index(config.lr) + RATES[rule], 0), len(rates) - 1)]
        if all(getattr(config, name, value) == value for name, value in values.items()):
            return
        self.tune(**values)
        self.cured = rule

    def click(self) -> None:
        """Add a point, sometimes a far one, remove one, or take the last click back."""
        draw, run = self.draw, self.run
        size = draw.choice((1.0, 1.0, 1.0, 5.0, 40.0)) * (1 if self.name == "regression" else 4)
        place = draw.uniform(-size, size), draw.uniform(-size, size)
        choices = [AddPoint(*place), AddPoint(*place), RemovePoint(*place)]
        if getattr(run.edits, "clicks", ()) or getattr(run.edits, "done", ()):
            choices += [Undo(), Undo()]
        command = draw.choice(choices)
        self.did = f"{command} at {run.steps}; "
        try:
            run.apply(command)
        except ValueError as error:  # too few points, and so on
            self.did += f"refused: {error}; "

    def load_table(self) -> None:
        """Use a table of one's own, or return to the generated points."""
        draw = self.draw
        if self.run.edits.rows is not None and draw.random() < 0.7:
            self.did = f"left the table at {self.run.steps}; "
            self.run.use_rows(None)
            return
        kind, count = draw.choice(("near", "near", "near", "near", "far", "large", "one")), draw.choice((4, 12, 60))
        wide = 60.0 if kind == "far" else 1.5
        rows = []
        for _ in range(count):
            x, other = draw.uniform(-wide, wide), draw.uniform(-wide, wide)
            if self.name == "regression":
                y = 1000 + 300 * x if kind == "large" else x**2 / wide + draw.uniform(0, 0.3)
                rows.append((x, 2.0 if kind == "one" else y))
            else:
                rows.append((x, other, 0 if kind == "one" else int(x * other > 0)))
        self.did = f"a table ({kind}, {count} rows) at {self.run.steps}; "
        self.run.use_rows(tuple(rows))

    def save_and_load(self) -> None:
        """Go on in a new run with the file of the old one, or with its weights alone."""
        if self.draw.random() < 0.3:
            self.did = f"loaded its own weights at {self.run.steps}; "
            weights = {name: value.clone() for name, value in self.run.model.state_dict().items()}
            self.run.use_weights(weights)
            return
        self.did = f"saved and loaded at {self.run.steps}; "
        content = checkpoint.save(self.name, self.run)
        self.run, _ = checkpoint.restore(checkpoint.load(content), self.lesson, SETTINGS)  # type: ignore[arg-type]

    def continue_earlier(self) -> None:
        """Continue from an earlier step."""
        kept = [each.steps for each in self.run.snapshots.kept if each.steps < self.run.steps and self.run.fits(each)]
        if kept:
            step = self.draw.choice(kept)
            self.did = f"continued from {step} at {self.run.steps}; "
            self.run.apply(GoBack(step))

    def compare(self) -> None:
        """Compare with one setting changed, and go on looking at the second run."""
        knobs = {name: knob for name, knob in self.knobs.items() if knob.live and name not in ("max_steps", "own")}
        name = self.draw.choice(list(knobs))
        value = self.value(name)
        begin = self.draw.choice((branch.from_start, branch.from_here))
        self.did = f"compared ({begin.__name__}) with {name} = {value} at {self.run.steps}; "
        first = self.run
        second: Any = begin(first, lambda config: config.with_values(**{name: value}))
        first.is_compared = second.is_compared = True
        train(second, max(0, min(first.steps, 400) - second.steps))
        second.replay, second.is_compared = None, False
        self.run, self.unchanged = second, None

    def look_back(self) -> None:
        """Look back, and return."""
        self.did = "looked back; "
        self.run.apply(LookBack(self.draw.randrange(len(self.run.snapshots.kept))))
        assert self.name == "cnn" or self.said().rule == "past" or self.run.view().is_current
        self.run.apply(LookBack())

    def set_weight(self) -> None:
        """Set a weight by hand."""
        self.did = f"set a weight at {self.run.steps}; "
        self.run.apply(SetWeight(0, 0, None, self.draw.choice((0.0, 1.0, -30.0))))

    def go_back(self) -> None:
        """After a divergence, back to the last good step."""
        if self.run.good_step is not None:
            self.did = f"went back to {self.run.good_step}; "
            self.run.apply(GoBack())

    def reset(self) -> None:
        """Start again at a lower rate."""
        rates = list(self.run.config.knobs()["lr"].options)
        lr = rates[max(0, rates.index(self.run.config.lr) - 3)]
        self.did = f"reset, with lr = {lr}; "
        self.run = self.run.rebuilt(self.run.config.with_values(lr=lr))

    def resume(self) -> None:
        """Play again after the end."""
        self.did = f"resumed at {self.run.steps}; "
        self.run.resume()


def train(run: Any, steps: int) -> None:
    """Take steps, or fewer where the run ends before."""
    until = run.steps + steps
    with torch.enable_grad(), np.errstate(all="ignore"):
        if hasattr(run, "tester"):
            while run.steps < until and not run.outcome:
                run.advance(60.0, until - run.steps)
            return
        while run.steps < until and not run.outcome:
            run.step()


def walk(lesson: str, seed: int, acts: int = ACTS) -> Iterator[Moment]:
    """What there is to hear: after playing for a while, and right after each act."""
    student = Walk(lesson, seed)
    student.train()
    yield student.moment()
    for _ in range(acts):
        student.act()
        yield student.moment()
        student.train()
        yield student.moment()
