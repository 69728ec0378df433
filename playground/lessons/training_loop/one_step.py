"""The lab One step: the real lines of a training step, one at a time, with what each one makes and changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from playground.engine.frames import Figure
from playground.figures.listing import CodeLine, listing
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.numbers import number
from playground.lessons.training_loop.loop import CODE, LINES, ORDERS, ZERO_GRAD, Loop, Record
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

STEPS = 40  # of the optimizer, each of several lines
LEARNING_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
MODEL_NAMES = {"mlp": "MLP on points", "cnn": "CNN on digits"}
MODE_NAMES = {"train": "model.train()", "eval": "model.eval()"}
ORDER_NAMES = {
    "usual": "forward, loss, zero_grad, backward, step",
    "zero_first": "zero_grad first",
    "zero_last": "zero_grad last",
    "zero_late": "zero_grad after backward",
    "step_early": "step before backward",
}
SENTENCES = {
    "start": "Nothing has run yet. Press Step: it runs one line.",
    "forward": "model(x) gives {count} logits, recorded with their graph. Nothing has changed.",
    "loss": "The loss of this batch is {loss}: one number, from which backward() can start.",
    "zero_grad": "zero_grad() sets every .grad to None. No weight has moved.",
    "backward": "backward() adds the gradient to .grad. No weight has moved.",
    "step": "step() moves the weights by {moved}. On the same batch the loss goes from {loss} to {after}.",
    "raised": "{error}",
}


@dataclass(frozen=True)
class OneStepConfig(Config):
    """The model, and the lines of its loop."""

    # fmt: off
    model: str = knob("mlp", "Model", group="Model", bar=True, options=tuple(MODEL_NAMES), names=MODEL_NAMES,
                      help="The CNN has batch norm and dropout.")
    mode: str = knob("train", "Mode", group="Model", live=True, bar=True, options=tuple(MODE_NAMES), names=MODE_NAMES,
                     help="What dropout and batch norm do. It does not switch gradients on or off.")
    zero_grad: bool = knob(True, "zero_grad()", group="Loop", bar=True,
                           help="Off: the line is left out, and gradients add up.")
    no_grad: bool = knob(False, "Forward under no_grad()", group="Loop",
                         help="The forward line records no graph.")
    order: str = knob("usual", "Order of the lines", group="Loop", bar=True, options=tuple(ORDER_NAMES),
                      names=ORDER_NAMES)
    lr: float = knob(0.1, "Learning rate", group="Loop", live=True, options=LEARNING_RATES)
    seed: int = knob(0, "Seed", group="Model", lo=0, hi=99, step=1, help="Of the data, the weights and dropout.")
    # fmt: on


def lines_of(config: OneStepConfig) -> tuple[str, ...]:
    """The lines of a step, in their order."""
    return tuple(line for line in ORDERS[config.order] if config.zero_grad or line != ZERO_GRAD)


class OneStepRun(SteppedRun):
    """A training loop whose steps are its lines."""

    def __init__(self, config: OneStepConfig, settings: Settings) -> None:
        self.loop = loop_of(config)
        super().__init__(config, settings, STEPS * len(self.loop.lines))

    def step(self) -> None:
        """Run the next line."""
        if self.steps == len(self.loop.records) and self.loop.run_line().error:
            self.length = self.steps + 1

    def tune(self, config: OneStepConfig) -> None:
        """Run the loop of the new settings up to the same line."""
        steps, self.loop = self.steps, loop_of(config)
        self.config, self.length = config, STEPS * len(self.loop.lines)
        self.steps, self.outcome = 0, ""
        self.advance(60.0, steps)

    def steps_in_epochs(self, epochs: int) -> int:
        """The lines to the end of this step of the optimizer, and of those after it."""
        lines = len(self.loop.lines)
        return epochs * lines - self.steps % lines

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The lines with what each one has made."""
        return {"lines": partial(self._lines, at)}

    def status(self, at: int) -> dict[str, float]:
        """The steps of the optimizer that are complete."""
        return {"epoch": at // len(self.loop.lines)}

    def narrate(self, at: int) -> str:
        """What the line has made and changed."""
        if at == 0:
            return SENTENCES["start"]
        record = self.loop.records[at - 1]
        return SENTENCES["raised" if record.error else record.line].format(
            count=len(record.facts), loss=_number(record.loss), after=_number(record.after),
            moved=number(record.moved), error=record.error,
        )  # fmt: skip

    def _lines(self, at: int) -> Figure:
        order = self.loop.lines
        current = (at - 1) % len(order) if at else -1
        shown = {record.line: record for record in self.loop.records[at - 1 - current : at]} if at else {}
        lines = [
            CodeLine(CODE[line], _cells(shown.get(line)), "active" if index == current else "done" if line in shown
                     else "waiting")
            for index, line in enumerate(order)
        ]  # fmt: skip
        return listing(lines, (0.36, 0.5, 0.66), ("", "shape", "dtype"), words=self.narrate(at))


def _cells(record: Record | None) -> tuple[tuple[str, ...], ...]:
    if record is None:
        return ((),)
    return tuple((fact.name, str(fact.shape), fact.dtype) for fact in record.facts) or ((),)


def _number(value: float | None) -> str:
    return "" if value is None else number(value)


def loop_of(config: OneStepConfig) -> Loop:
    """The loop of a config, before its first line."""
    return Loop(config.model, lines_of(config), is_training=config.mode == "train", records_graph=not config.no_grad,
                lr=config.lr, seed=config.seed)  # fmt: skip


LAB = Lab(
    name="training_loop_step",
    title="One step",
    sentence="The lines of a training step, one at a time: what each one makes, and what it changes.",
    config=OneStepConfig,
    build=OneStepRun,
    units=("step", "epoch"),
    charts=(Chart("lines", "The loop, line by line", "The lines of a step, with the tensors that each one makes."),),
    status={"step": "Line", "epoch": "Steps"},
)
assert set(LINES) <= SENTENCES.keys()
