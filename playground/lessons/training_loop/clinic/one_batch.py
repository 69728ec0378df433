"""The lab "Overfit one batch": can the loop learn a few examples by heart? What that proves, and what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from playground.engine.commands import Command, CommandError
from playground.engine.messages import UNKNOWN_COMMAND
from playground.knobs import Config, knob
from playground.lesson import Lab
from playground.lessons.doctor.watch import Watch
from playground.lessons.numbers import number
from playground.lessons.training_loop.clinic import words
from playground.lessons.training_loop.clinic.case import Case, Edit, Measure
from playground.lessons.training_loop.clinic.run import ScriptRun
from playground.lessons.training_loop.clinic.track import Track
from playground.lessons.training_loop.figures.clinic import Panel
from playground.settings import Settings

EXAMPLES = (4, 16, 64)
COUNT = "EXAMPLES"  # in the script
LEARNT = 0.1  # a loss below it: the examples are known by heart
SCRIPT = """\
torch.manual_seed(SEED)
x, y, x_test, y_test = digits(EXAMPLES)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
loss_fn = nn.CrossEntropyLoss()

for step in range(300):
    output = model(x)
    loss = loss_fn(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

last_loss = loss.item()
test_accuracy = accuracy(model, x_test, y_test)
"""
MODEL = "model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))"
OPTIMIZER = "optimizer = torch.optim.SGD(model.parameters(), lr=0.5)"
DATA = "x, y, x_test, y_test = digits(EXAMPLES)"
FAULTS: dict[str, tuple[str, Edit | None]] = {
    "none": ("None", None),
    "deleted": ("zero_grad() after backward()", Edit("    optimizer.zero_grad()\n    loss.backward()",
                "    loss.backward()\n    optimizer.zero_grad()", "")),
    "other_model": ("Optimizer of another model", Edit(OPTIMIZER, f"{OPTIMIZER}\n{MODEL}", "")),
    "softmax": ("Softmax before the loss", Edit("    output = model(x)", "    output = model(x).softmax(1)", "")),
    "nll": ("NLLLoss of logits", Edit("loss_fn = nn.CrossEntropyLoss()", "loss_fn = nn.NLLLoss()", "")),
    "zeros": ("All weights zero", Edit(MODEL, f"{MODEL}\nfor p in model.parameters(): nn.init.zeros_(p)", "")),
    "rate_high": ("Learning rate 100 times too high", Edit(OPTIMIZER, OPTIMIZER.replace("0.5", "50.0"), "")),
    "rate_low": ("Learning rate 1000 times too low", Edit(OPTIMIZER, OPTIMIZER.replace("0.5", "0.0005"), "")),
    "zero_grad": ("No zero_grad()", Edit("    optimizer.zero_grad()\n    loss.backward()", "    loss.backward()", "")),
    "not_scaled": ("Inputs times 255", Edit(DATA, f"{DATA}\nx = 255 * x", "")),
    "labels": ("Labels shuffled apart", Edit(DATA, f"{DATA}\ny = y[torch.randperm(len(y))]", "")),
    "no_relu": ("No activation", Edit(MODEL, MODEL.replace(" nn.ReLU(),", ""), "")),
}  # fmt: skip
SENTENCES = {
    "start": "Press Play: {examples} digits, the same in every step.",
    "running": "Loss {loss} on the {examples} digits.",
    "learnt": "Passed: the loss on the {examples} digits is {loss}.",
    "not learnt": "Not passed: the loss on the {examples} digits is {loss}.",
    "impossible": "Not passed: a loss of {loss} cannot be a cross-entropy, which is never below 0.",
}
PROVES = {
    "start": "A loop that is right learns a few examples by heart. Choose a fault, and see whether this test finds it.",
    "learnt": "Loss, backward() and step() work together. It does not prove that the data is right, that gradients are "
    "deleted, or that the model learns anything for other images: their accuracy is {test} %.",
    "not learnt": "So few examples are easy. Look for the fault in the loop, the loss or the learning rate before you "
    "look at the data.",
}


def _case(name: str, edit: Edit | None) -> Case:
    """The script with a fault; its cure takes the fault back."""
    script = SCRIPT if edit is None else edit.applied(SCRIPT)
    cure = Edit(MODEL, MODEL, "") if edit is None else Edit(edit.new, edit.old, "")
    return Case(name, "", script, cure, measure=Measure("last_loss", LEARNT))


@dataclass(frozen=True)
class OneBatchConfig(Config):
    """The fault, the number of examples and the seed."""

    # fmt: off
    case: str = knob("none", "Fault", group="Loop", bar=True, options=tuple(FAULTS),
                     names={name: title for name, (title, _) in FAULTS.items()})
    examples: int = knob(16, "Examples", group="Loop", bar=True, options=EXAMPLES)
    seed: int = knob(0, "Seed", group="Loop", lo=0, hi=99, step=1, help="Of the digits and the weights.")
    # fmt: on


class OneBatchRun(ScriptRun):
    """A training on a few examples, and beside a faulty one the training without the fault."""

    cases: ClassVar[Mapping[str, Case]] = {name: _case(name, edit) for name, (_, edit) in FAULTS.items()}

    def __init__(self, config: Any, settings: Settings) -> None:
        self.examples = config.examples
        super().__init__(config, settings)
        if self.case.name != "none":
            self.changed = self.track(self.case.cure.applied(self.case.script))

    @property
    def is_revealed(self) -> bool:
        """Always True: the fault is a setting."""
        return True

    @property
    def names_of_tracks(self) -> tuple[str, str]:
        """What the two scripts are called in the legend."""
        return words.TRACKS["first"], words.TRACKS["healthy"]

    def track(self, text: str, watch: Watch | None = None) -> Track:
        """A script with this number of examples."""
        return super().track(text.replace(COUNT, str(self.examples)), watch)

    def edit(self, command: Command) -> None:
        """Nothing can be picked here. Raises CommandError."""
        raise CommandError(UNKNOWN_COMMAND)

    def narrate(self, at: int) -> str:
        """How far the loss has come, and whether that is far enough."""
        loss = self.first.loss(at)
        kind = self._verdict if self.first.has_ended_at(at) else "running" if at else "start"
        if kind == "learnt" and loss < 0:
            kind = "impossible"
        return SENTENCES[kind].format(examples=self.examples, loss=number(loss))

    def panel(self, at: int) -> Panel:
        """The script, the fault marked in it, and what the test proves."""
        if not self.first.has_ended_at(at):
            said = PROVES["start"]
        else:
            test = 100 * self.first.script.value("test_accuracy")
            said = PROVES["not learnt" if self.first.loss(at) < 0 else self._verdict].format(test=f"{test:.0f}")
        is_good = self.first.has_ended_at(at) and 0 <= self.first.loss(at) < LEARNT
        return Panel(self.marked_lines(at), said, good=is_good)

    @property
    def _verdict(self) -> str:
        return "learnt" if self.is_healthy(self.first) else "not learnt"


def lab(charts: Any) -> Lab:
    """The lab, with the charts of a script."""
    return Lab(
        name="training_loop_one_batch",
        title="Overfit one batch",
        sentence="The first test of a new loop: can it learn a few examples by heart? Choose a fault and see.",
        config=OneBatchConfig,
        build=OneBatchRun,
        charts=charts,
        status={"step": words.STEP, "loss": "Loss", "changed_loss": "Loss, healthy"},
    )
