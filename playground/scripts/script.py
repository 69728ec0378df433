"""A run as a plain PyTorch script: the same data, start, batches and live changes, and so the same loss.

A lesson writes its data and its model; `playground.scripts.statements` has the statements that follow from them, and
this module puts the script together.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch

from playground.runs.journal import Change
from playground.scripts.code import MAX_LINE_CHARACTERS, comment, imports_of, packed, spaced
from playground.scripts.statements import Statements

MAX_CHARACTERS = 2_000_000
# What a reader of the script or of its page sees.
WHY_SAVED = {
    "restored": "The run was restored from a file after step {step:,}, so the script begins there: it contains the "
    "weights and the state of the optimizer at that step.",
    "loaded": "The weights were loaded from a file after step {step:,}, so the script begins there: it contains the "
    "weights and the state of the optimizer.",
    "went_back": "The run went back to step {step:,} after it had diverged, so the script begins there: it contains "
    "the weights at that step.",
    "continued": "The run was continued from step {step:,} with a new optimizer, so the script begins there: it "
    "contains the weights at that step.",
    "long": "The run was changed too often to list every change, so the script begins after step {step:,}: it contains "
    "the weights and the state of the optimizer at that step.",
}
SAVED_NOTE = "SAVED is what torch.save wrote."
TOO_LONG = "This run would make a script of {size:.1f} MB. Press Reset, then try again."
TITLE = "{title}: a training of {steps:,} steps, written out in plain PyTorch."
NEEDS = "It needs PyTorch and nothing else."
PROMISE = "It ends at the same weights, to the last bit with the same version of PyTorch on the same kind of processor."
PRINTS = "The page shows the numbers that it prints, rounded to four digits."
VERSION = "The run was trained with PyTorch {version}."
TRAINS = "{model}.train()  # the mode for training"
TESTS = "{model}.eval()  # the mode for tests: no dropout, and batch norm uses its running averages"
AFTER_STEP = "After step {step:,}. {changes}"


class ScriptError(ValueError):
    """A run that cannot be written as a script; the message is a sentence."""


class TrainingScript(Statements):
    """The script of one run at its current step."""

    model_name = "model"  # the variable with all that learns

    # The script.

    def text(self) -> str:
        """The whole script. Raises ScriptError if it would be too long to read or run."""
        start = self.run_history.start
        body = [
            "\n".join(["# The data.", *self.data(start)]),
            "\n".join([comment(self.learner), *self.model(start.config), *self.learning(start.config)]),
            *self.batching(start),
            *self.saved(),
            *self.training(),
            "\n".join(self.results()),
        ]
        defined = self.definitions.values()
        threads = start.threads or self.run_history.settings.torch_threads
        text = "\n\n".join([f"torch.set_num_threads({threads})", *defined, *body])
        whole = "\n".join([self.head(), "", *imports_of(text), "", spaced(text), ""])
        if len(whole) > MAX_CHARACTERS:
            raise ScriptError(TOO_LONG.format(size=len(whole) / 1e6))
        return whole

    @property
    def needs(self) -> str:
        """What the script needs to run, in a sentence."""
        return NEEDS

    @property
    def promise(self) -> str:
        """How exactly it repeats the run, in a sentence."""
        return PROMISE

    @property
    def prints(self) -> str:
        """How the numbers that it prints compare with those on the page, in a sentence."""
        return PRINTS

    def head(self) -> str:
        """The script's docstring."""
        first = f'"""{TITLE.format(title=self.title, steps=self.run_history.steps)}'
        version = VERSION.format(version=torch.__version__.partition("+")[0])
        about = "\n".join(textwrap.fill(each, MAX_LINE_CHARACTERS) for each in (self.needs, self.promise, version))
        return f'{first}\n\n{about}\n"""'

    def learning(self, config: Any) -> list[str]:
        """The loss function, the optimizer and the other variables of a step."""
        assigned = [f"{name} = {code}" for name, code in self.settings(config).items()]
        return [f"loss_fn = {self.loss_fn(config)}", *self.optimizer(config), *assigned]

    def batching(self, start: Change) -> list[str]:
        """Statements that define `next_batch`; none if each batch is the whole data."""
        if not self.shuffles:
            return []
        whole = ["    if batch_size == 0 or batch_size >= len(x_train):", "        return x_train, y_train"]
        return [
            "\n".join([
                "# The batches: each epoch goes through the points in a new order.",
                f"shuffle = torch.Generator().manual_seed({self.seed + self.order_seed})",
                f"batch_size = {start.config.batch_size}",
                "order = torch.empty(0, dtype=torch.long)  # of the points that this epoch has left",
            ]),
            "\n".join([
                "def next_batch():",
                "    global order",
                *(whole if self.sometimes_whole else []),
                "    if len(order) == 0:",
                "        order = torch.randperm(len(x_train), generator=shuffle)",
                "    chosen, order = order[:batch_size], order[batch_size:]",
                "    return x_train[chosen], y_train[chosen]",
            ]),
        ]  # fmt: skip

    def saved(self) -> list[str]:
        """Statements that load the state from which the run continued, if no seed leads to it."""
        saved = self.run_history.saved
        if saved is None:
            return []
        kept, batches = saved.state, saved.state["batches"]
        state, lines = self.restoring(kept)
        if self.shuffles:
            state |= {"order": batches["order"][batches["position"] :].clone(), "shuffle": batches["generator"]}
            lines += ['order = saved["order"]', 'shuffle.set_state(saved["shuffle"])']
        for name, value in self.more_saved(kept["own"]).items():
            state[name] = value
            lines.append(f'{name}.generator.set_state(saved["{name}"])')
        why = comment(f"{WHY_SAVED[saved.why].format(step=self.run_history.start.steps)} {SAVED_NOTE}")
        load = "saved = torch.load(io.BytesIO(base64.b64decode(SAVED)), weights_only=True)"
        return ["\n".join([why, f'SAVED = """\n{packed(state)}\n"""', load, *lines])]

    def restoring(self, kept: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The saved state of model and optimizer, and the statements that load it from `saved`."""
        memories = [kept["optimizer"].get(str(index), {}) for index in range(len(kept["weights"]))]
        lines = ['model.load_state_dict(saved["model"])',
                 'for parameter, memory in zip(model.parameters(), saved["optimizer"]):',
                 "    if memory:",
                 "        optimizer.state[parameter] = memory"]  # fmt: skip
        return {"model": kept["weights"], "optimizer": memories}, lines

    def more_saved(self, own: Any) -> dict[str, Any]:
        """The states of more random generators, by the name of the object that uses them."""
        del own
        return {}

    # The training.

    @cached_property
    def phases(self) -> list[tuple[int, str]]:
        """What was changed on the way: (after which step, the statements)."""
        found: list[tuple[int, str]] = []
        before = self.run_history.start
        for after in self.run_history.changes:
            lines = self.changed(before, after)
            if before.threads != after.threads:
                lines.append(f"torch.set_num_threads({after.threads})")
            if lines:
                why = comment(AFTER_STEP.format(step=after.steps, changes=self.what(before, after)))
                found.append((after.steps, "\n".join([why, *lines])))
            before = after
        return found

    @property
    def counter(self) -> str:
        """The variable that counts the steps, from 1 in the first."""
        return "steps" if self.phases else "step"

    def training(self) -> list[str]:
        """One loop if nothing was changed on the way; otherwise a function, with the changes between its calls."""
        start, steps = self.run_history.start.steps, self.run_history.steps
        trains = TRAINS.format(model=self.model_name)
        if not self.phases:
            if steps == start:
                return []
            return ["\n".join([trains, f"for step in range({start + 1}, {steps + 1}):", *self.step()])]
        counted = "\n".join(["    global steps", "    while steps < until:", "        steps += 1"])
        step = "\n".join(f"    {line}" for line in self.step())
        blocks = [f"steps = {start}\n{trains}", f"def train(until):\n{counted}\n{step}"]
        now = start
        for at, lines in [*self.phases, (steps, "")]:
            if at > now:
                blocks.append(f"train(until={at})")
            blocks.append(lines)
            now = at
        return [block for block in blocks if block]

    def step(self) -> list[str]:
        """The lines of one optimizer update, indented."""
        lines = ["x, y = next_batch()"] if self.shuffles else []
        x, y = ("x", "y") if self.shuffles else ("x_train", "y_train")
        lines += [f"prediction = model({x})", f"loss = loss_fn(prediction, {y})", *self.penalty()]
        return [f"    {line}" for line in [*lines, "optimizer.zero_grad()", "loss.backward()", "optimizer.step()"]]

    def last_step(self) -> list[str]:
        """The first of the last lines: the mode for tests, and the step."""
        steps = "steps" if self.phases else str(self.run_history.steps)
        return [TESTS.format(model=self.model_name), "with torch.no_grad():", f'    print("step", {steps})']

    def results(self) -> list[str]:
        """The last lines: the step and the losses, with all digits."""
        lines = self.last_step()
        data = self.points(self.every[-1])
        sides = ["train", *(["test"] if len(data.x_test) else [])]
        for name, code in self.scores().items():
            lines += [f'    print("{side} {name}", {code.format(x=f"x_{side}", y=f"y_{side}")})' for side in sides]
        return lines
