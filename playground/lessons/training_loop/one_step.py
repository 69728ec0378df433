"""The lab One step: the real lines of a training step, one at a time, with what each one makes and changes."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from playground.engine.frames import Figure
from playground.figures import strips
from playground.figures.listing import CodeLine, State, listing
from playground.figures.parts import line as line_trace
from playground.figures.theme import axis, layout
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.numbers import fixed
from playground.lessons.training_loop.figures.parameters import Grid, grids
from playground.lessons.training_loop.loop import (
    BACKWARD,
    BATCH_SIZE,
    CODE,
    FORWARD,
    LOSS,
    ORDERS,
    STEP,
    ZERO_GRAD,
    Array,
    Facts,
    LayerOutput,
    Loop,
    Parameter,
    Record,
)
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

STEPS = 40  # of the optimizer, each of several lines
PLAY_SECONDS = 40.0  # for all lines at automatic speed
LEARNING_RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
MODEL_NAMES = {"mlp": "MLP on points", "cnn": "CNN on digits"}
MODE_NAMES = {"train": "model.train()", "eval": "model.eval()"}
ORDER_NAMES = {
    "usual": "as usual",
    "zero_first": "zero_grad first",
    "zero_last": "zero_grad last",
    "zero_late": "zero_grad after backward",
    "step_early": "step before backward",
}

SENTENCES = {
    "start": "Nothing has run yet, and every .grad is None. Step runs one line. Which line will move the weights?",
    "forward": "{batch} samples went in, logits of shape {shape} came out. No weight and no .grad has changed.",
    "forward train": "Dropout set {dropped} % of its inputs to 0, and batch norm used the mean of this batch. No "
    "weight has changed.",
    "forward eval": "Dropout passed everything on, and batch norm used its running averages. Gradients are still "
    "recorded.",
    "forward no_grad": "The logits are the same numbers, but requires_grad is False: no graph was recorded.",
    "loss": "The loss of this batch is {loss}: one number, from which backward() can start. Nothing has changed.",
    "zero_grad": "The gradients of the step before, with the norm {before}, are gone: every .grad is None. No weight "
    "has moved.",
    "zero_grad none": "Every .grad was None already, since backward() has not run yet.",
    "zero_grad late": "The gradients that backward() has just found are gone before step() can use them.",
    "backward": "Every .grad is filled: the gradients together have the norm {norm}. No weight has moved.",
    "backward adds": "backward() adds to what was there: the norm of .grad was {before} and is now {norm}.",
    "step": "The weights moved by {lr} × {norm} = {moved}. On the same batch the loss goes from {loss} to {after}.",
    "step up": "The weights moved by {lr} × {norm} = {moved}, and the loss of the same batch rises from {loss} to "
    "{after}.",
    "step none": "Every .grad is None, so step() moved no weight. The loss of this batch stays {loss}.",
    "raised": "This line fails. torch says: {error}",
}
LOOP_CODE, LOOP_CODE_AT = "for x, y in loader:", "for x, y in loader:  # step {step}"
NO_GRAD_CODE = "with torch.no_grad():"
COMMENT = "# {code}"
INDENT = 4 * " "
HEADINGS = ("tensor", "shape", "dtype", "device", "requires_grad", ".grad (norm)")
WIDTHS = (14, 17, 9, 8, 15, 15)  # characters
CODE_WIDTH = 34
CELLS = {
    "mode train": "dropout drops, batch norm uses the batch",
    "mode eval": "no dropout, batch norm uses its averages",
    "parameters": "parameters",
    "count": "{numbers} numbers",
    "loss": "loss = {loss}",
    "not kept": "not kept",
    "none": "None",
    "change": "{before} → {after}",
    "moved": "weights moved by {moved}",
    "losses": "loss of this batch: {loss} → {after}",
    "error": "RuntimeError:",
}
BELOW = {  # the same in short lines
    "tensor": "{name} {shape} {dtype} {device}",
    "with gradient": "{name} {shape} {dtype} {device} requires_grad",
    "parameters": ".grad (norm): {grad}",
}
LAYER_HEADINGS = ("output", "mean", "std", "zeros", "gradient (norm)")
LAYER_WIDTHS = (19, 9, 9, 9, 16)
LAYER_CODE_WIDTH = 15
MIN_LAYER_ROWS = 12
LAYER_BELOW = ("{shape} zeros {zeros}", "mean {mean} std {std} grad {grad}")
UNKNOWN = "–"
ZEROS = "{percent:.0f} %"
GRID = {
    "value": "{name} {shape}",
    "grad": "norm {norm}",
    "grad none": "None",
}
GRID_TITLES = ("Weights", ".grad")
AXIS = {"steps": "Lines", "loss": "Loss", "lines": "{count} lines", "before": "Loss", "after": "After the step"}
ROUNDING = 1e-6  # a smaller change of a number is none
MAX_ERROR_WIDTH = 66  # characters of a row of torch's message


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
    order: str = knob("usual", "Order of the lines", group="Loop", bar=True, options=tuple(ORDER_NAMES),
                      names=ORDER_NAMES)
    no_grad: bool = knob(False, "Forward under no_grad()", group="Loop",
                         help="The forward line records no graph.")
    lr: float = knob(0.3, "Learning rate", group="Loop", live=True, options=LEARNING_RATES)
    seed: int = knob(0, "Seed", group="Model", lo=0, hi=99, step=1, help="Of the data, the weights and dropout.")
    # fmt: on


def lines_of(config: OneStepConfig) -> tuple[str, ...]:
    """The lines of a step that run, in their order."""
    return tuple(line for line in ORDERS[config.order] if config.zero_grad or line != ZERO_GRAD)


def loop_of(config: OneStepConfig) -> Loop:
    """The loop of a config, before its first line."""
    return Loop(config.model, lines_of(config), is_training=config.mode == "train", records_graph=not config.no_grad,
                lr=config.lr, seed=config.seed)  # fmt: skip


class OneStepRun(SteppedRun):
    """A training loop that is shown line by line: a step of this run is one line."""

    config: OneStepConfig

    def __init__(self, config: OneStepConfig, settings: Settings) -> None:
        self.loop = loop_of(config)
        super().__init__(config, settings, STEPS * len(self.loop.lines))

    @property
    def auto_speed(self) -> float:
        """Slow enough to follow the marked line."""
        return max(2.0, (self.length or 0) / PLAY_SECONDS)

    def step(self) -> None:
        """Run the next line. A line that fails is the last one."""
        if self.steps + 1 == len(self.loop.records) and self.loop.run_line().error:
            self.length = self.steps + 1

    def tune(self, config: OneStepConfig) -> None:
        """Run the loop with the new settings up to the same line."""
        steps, viewed, self.loop = self.steps, self._viewed, loop_of(config)
        self.config, self.length = config, STEPS * len(self.loop.lines)
        self.resume()
        self.advance(float("inf"), steps)
        self._viewed = viewed

    def steps_in_epochs(self, epochs: int) -> int:
        """The lines to the end of this step of the optimizer, and of those after it."""
        lines = len(self.loop.lines)
        return epochs * lines - self.steps % lines

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The lines with their tensors, the parameters, the layers, and the loss."""
        return {
            "lines": partial(self._lines, at),
            "parameters": partial(self._parameters, at),
            "layers": partial(self._layers, at),
            "loss": partial(self._loss, at),
        }

    def status(self, at: int) -> dict[str, float]:
        """The number of the optimizer's step, and the latest losses and gradient."""
        shown: dict[str, float] = {"updates": self.loop.records[at].step}
        for record in self.loop.records[max(0, at - len(self.loop.lines)) : at + 1]:
            losses = {"loss": record.loss, "after": record.after}
            shown |= {name: float(f"{loss:.6g}") for name, loss in losses.items() if loss is not None}
        return shown

    def narrate(self, at: int) -> str:
        """What the line that ran last has made and changed."""
        record = self.loop.records[at]
        logits = next((fact for fact in record.facts if fact.name == "logits"), None)
        return SENTENCES[self._case(record)].format(
            batch=BATCH_SIZE, shape=logits and logits.shape, dropped=_dropped(record), loss=_text(record.loss),
            after=_text(record.after), before=_text(record.grad_norm_before), norm=_text(record.grad_norm),
            moved=fixed(record.moved, 3), lr=f"{self.config.lr:g}", error=record.error,
        )  # fmt: skip

    def _case(self, record: Record) -> str:
        """Which sentence applies to a line."""
        if record.error:
            return "raised"
        match record.line:
            case "forward":
                kind = "no_grad" if self.config.no_grad else self.config.mode if self.config.model == "cnn" else ""
                return f"forward {kind}".strip()
            case "zero_grad":
                late = self.config.order == "zero_late"
                return (
                    "zero_grad none" if record.grad_norm_before is None else "zero_grad late" if late else "zero_grad"
                )
            case "backward":
                return "backward" if record.grad_norm_before is None else "backward adds"
            case "step":
                if record.grad_norm is None:
                    return "step none"
                return "step up" if (record.after or 0.0) > (record.loss or 0.0) else "step"
        return record.line or "start"

    def _lines(self, at: int) -> Figure:
        """The code of the loop, with what the lines of the current step have made so far."""
        record = self.loop.records[at]
        first = at - (at - 1) % len(self.loop.lines)  # the first line of the current step
        made = {each.line: each for each in self.loop.records[first : at + 1]} if at else {}
        mode = (CELLS[f"mode {self.config.mode}"],) if self.config.model == "cnn" else ()
        loop_code = LOOP_CODE_AT.format(step=record.step) if at else LOOP_CODE
        rows = [
            CodeLine((MODE_NAMES[self.config.mode],), (mode,), mode, "plain"),
            CodeLine((loop_code,), state="plain"),
        ]
        rows += [
            self._line(line, made.get(line), is_last=at > 0 and line == record.line)
            for line in ORDERS[self.config.order]
        ]
        return listing(rows, HEADINGS, WIDTHS, code_width=CODE_WIDTH, words=self.narrate(at))

    def _line(self, line: str, record: Record | None, *, is_last: bool) -> CodeLine:
        code: tuple[str, ...] = (INDENT + CODE[line],)
        if line == FORWARD and self.config.no_grad:
            code = (INDENT + NO_GRAD_CODE, INDENT + INDENT + CODE[line])
        if line not in self.loop.lines:
            return CodeLine((INDENT + COMMENT.format(code=CODE[line]),), state="plain")
        state: State = "waiting" if record is None else "raised" if record.error else "active" if is_last else "done"
        count = 2 if line in (FORWARD, LOSS, STEP) or self.config.no_grad else 1
        if record is None:
            return CodeLine(code, (("",),) * count, ("",) * count, state)
        if record.error:
            error = (CELLS["error"], *textwrap.wrap(record.error, MAX_ERROR_WIDTH))
            narrow = (CELLS["error"], *textwrap.wrap(record.error, MAX_ERROR_WIDTH // 2))
            return CodeLine(code, tuple((text,) for text in error), narrow, state)
        return CodeLine(code, _cells(record), _below(record), state)

    def _parameters(self, at: int) -> Figure:
        record = self.loop.records[at]
        rows = [_grid(each) for each in record.parameters]
        return grids(rows, GRID_TITLES, record.peaks, none=CELLS["none"], words=self.narrate(at))

    def _layers(self, at: int) -> Figure:
        rows = [_layer(each) for each in self.loop.records[at].layers]
        rows = rows or [CodeLine((type(each).__name__,), ((),), ("", ""), "plain") for each in self.loop.model]
        return listing(
            rows,
            LAYER_HEADINGS,
            LAYER_WIDTHS,
            code_width=LAYER_CODE_WIDTH,
            min_rows=MIN_LAYER_ROWS,
            words=self.narrate(at),
        )

    def _loss(self, at: int) -> Figure:
        """The losses over the lines; a short line leads from the loss of a batch to its loss after the step."""
        records = list(enumerate(self.loop.records[: at + 1]))
        before = np.array([(x, each.loss) for x, each in records if each.line == LOSS], float).reshape(-1, 2)
        pairs = [(x, each) for x, each in records if each.line == STEP and each.after is not None]
        gap, lines = np.nan, self.loop.lines
        back = lines.index(STEP) - lines.index(LOSS)
        x = np.array([place for at, _ in pairs for place in (at - back, at, gap)][:-1], float)
        y = np.array([loss for _, each in pairs for loss in (each.loss, each.after, gap)][:-1], float)
        peak = max((each.loss or 0.0 for _, each in records), default=0.0)
        figure: Figure = {
            "data": [
                line_trace(AXIS["before"], before[:, 0], before[:, 1], {"color": "@train", "width": 2},
                           "%{y:.4g}<extra></extra>"),
                line_trace(AXIS["after"], x, y, {"color": "@test", "width": 2}, "%{y:.4g}<extra></extra>"),
            ],
            "layout": layout(axis(AXIS["steps"]), axis(AXIS["loss"], [0.0, strips.top_of(peak)])),
        }  # fmt: skip
        numbers = {"loss": AXIS["before"], "after": AXIS["after"]}
        strip = strips.as_strip(figure, until=float(self.length or 0), numbers=numbers)
        strip["layout"]["xaxis"]["ticktext"][-1] = AXIS["lines"].format(count=self.length)
        return strip


def _text(value: float | None) -> str:
    return CELLS["none"] if value is None else fixed(value, 3)


def _dropped(record: Record) -> str:
    """The share of its inputs that dropout has set to 0, in percent."""
    for layer in record.layers:
        if layer.module == "Dropout":
            return f"{100 * layer.zeros:.0f}"
    return "0"


def _cells(record: Record) -> tuple[tuple[str, ...], ...]:
    """The rows of the table for a line: its tensors, or the parameters with their gradients."""
    if record.facts:
        return tuple(_fact_cells(fact, record) for fact in record.facts)
    numbers = sum(each.value.size for each in record.parameters)
    count = CELLS["count"].format(numbers=numbers)
    rows = ((CELLS["parameters"], count, "float32", "cpu", "True", _grad_change(record)),)
    return rows + tuple((text,) for text in _step_texts(record))


def _fact_cells(fact: Facts, record: Record) -> tuple[str, ...]:
    name = CELLS["loss"].format(loss=_text(record.loss)) if fact.name == "loss" else fact.name
    grad = CELLS["none" if fact.is_leaf else "not kept"]
    return (name, str(fact.shape), fact.dtype, fact.device, str(fact.requires_grad), grad)


def _below(record: Record) -> tuple[str, ...]:
    """What `_cells` says, in short lines."""
    texts = []
    for fact in record.facts:
        name = CELLS["loss"].format(loss=_text(record.loss)) if fact.name == "loss" else fact.name
        form = BELOW["with gradient" if fact.requires_grad else "tensor"]
        texts.append(form.format(name=name, shape=fact.shape, dtype=fact.dtype, device=fact.device))
    if not record.facts:
        texts.append(BELOW["parameters"].format(grad=_grad_change(record)))
    return (*texts, *_step_texts(record))


def _grad_change(record: Record) -> str:
    before, after = _text(record.grad_norm_before), _text(record.grad_norm)
    changes = record.line in (ZERO_GRAD, BACKWARD) and before != after
    return CELLS["change"].format(before=before, after=after) if changes else after


def _step_texts(record: Record) -> tuple[str, ...]:
    if record.line != STEP:
        return ()
    return (CELLS["losses"].format(loss=_text(record.loss), after=_text(record.after)),)


def _grid(parameter: Parameter) -> Grid:
    norm = None if parameter.grad is None else float(np.linalg.norm(parameter.grad))
    return Grid(
        parameter.name, parameter.value, parameter.grad,
        GRID["value"].format(name=parameter.name, shape=parameter.value.shape),
        GRID["grad none"] if norm is None else GRID["grad"].format(norm=fixed(norm, 3)),
        _has_changed(parameter.value_before, parameter.value), _has_changed(parameter.grad_before, parameter.grad),
    )  # fmt: skip


def _has_changed(before: Array | None, after: Array | None) -> bool:
    """Whether numbers have come, gone or changed by more than rounding."""
    if before is None or after is None:
        return before is not after
    return not np.allclose(after, before, rtol=ROUNDING, atol=ROUNDING)


def _layer(layer: LayerOutput) -> CodeLine:
    zeros, grad = (
        ZEROS.format(percent=100 * layer.zeros),
        UNKNOWN if layer.grad_norm is None else fixed(layer.grad_norm, 3),
    )
    cells = (str(layer.shape), fixed(layer.mean, 3), fixed(layer.std, 3), zeros, grad)
    words = {"shape": cells[0], "mean": cells[1], "std": cells[2], "zeros": zeros, "grad": grad}
    below = tuple(text.format(**words) for text in LAYER_BELOW)
    return CodeLine((layer.module,), (cells,), below, "plain")


LAB = Lab(
    name="training_loop_step",
    title="One step",
    sentence="The lines of a training step, one at a time: what each one makes, and what it changes.",
    config=OneStepConfig,
    build=OneStepRun,
    units=("step", "epoch"),
    unit_names={"step": "lines", "epoch": "steps"},
    charts=(
        Chart("lines", "The loop, line by line",
              "The code of a step; beside each line that has run stand its tensors with shape, dtype and gradient."),
        Chart("parameters", "Weights and gradients",
              "A grid of colours for each parameter and one for its .grad; a frame marks what the line has changed."),
        Chart("layers", "Layer by layer", "The output of each layer in the forward line: shape, mean, spread, zeros."),
        Chart("loss", "Loss", "The loss of each batch, and of the same batch after the step.", strip=True),
    ),
    status={"step": "Line", "updates": "Step", "loss": "Loss", "after": "After the step"},
)  # fmt: skip
