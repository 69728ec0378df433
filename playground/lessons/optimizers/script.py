"""How a race of optimizers is written as a script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from playground.data.datasets import TARGETS, Split
from playground.lessons.optimizers.config import DATA, ORDER, draw_data, entries, weights_stream
from playground.lessons.optimizers.race import MOST_LOSS, Entry
from playground.runs.journal import Change, Course
from playground.scripts.code import call
from playground.scripts.script import TrainingScript
from playground.training import models, optimizers
from playground.training.optimizers import SCHEDULES, torch_settings

TOGETHER = "All start from the same weights."
APART = "Each starts from weights of its own."


class OptimizersScript(TrainingScript):
    """The script of a race: models and optimizers by the racer's name, as it is called at the present step."""

    title = "Optimizers"
    order_seed = ORDER

    def __init__(self, course: Course) -> None:
        super().__init__(course)
        config = course.config
        racers, problem = entries(config)
        self.keys = _keys(racers)
        self.learner = " ".join([
            "The racers, each with a model and an optimizer of its own.", TOGETHER if config.fair else APART, problem,
        ])  # fmt: skip
        self.scheduled = any(each.config.schedule != "constant" for each in self.every)

    # Data.

    def points(self, change: Change) -> Split:
        """The points, the same at every moment."""
        return draw_data(change.config)

    def count(self, change: Change) -> int:
        """How many points there are."""
        points: int = change.config.points
        return points

    def data_key(self, change: Change) -> Any:
        """Nothing: the data stays what it is while a race goes on."""
        del change

    def data(self, change: Change) -> list[str]:
        """Drawn as the page draws them."""
        config = change.config
        formula = re.sub(r"\bx\b", "x_train", TARGETS[config.target].code)
        return [
            f"generator = torch.Generator().manual_seed({config.seed + DATA})",
            f"x_train = torch.linspace(-1, 1, {config.points}).unsqueeze(dim=1)  # ({config.points}, 1)",
            f"y_train = {formula} + {config.noise!r} * torch.rand(x_train.size(), generator=generator)",
        ]

    # Racers.

    def model(self, config: Any) -> list[str]:
        """A function that builds a model, and one for each racer."""
        layers = [f"nn.Linear(1, {config.hidden})", models.ACTIVATIONS[config.activation].code,
                  f"nn.Linear({config.hidden}, 1)"]  # fmt: skip
        built = call("return nn.Sequential", layers)
        return [
            "def build(seed):",
            "    torch.manual_seed(seed)",
            *(f"    {line}" for line in built.splitlines()),
            "",
            *_table("models", {key: f"build({self.seed + weights_stream(config, at)})"
                               for at, key in enumerate(self.keys)}),
            "race = nn.Sequential(*models.values())  # all racers in one model, as a file of weights holds them",
        ]  # fmt: skip

    def loss_fn(self, config: Any) -> str:
        """The tutorial's."""
        del config
        return "nn.MSELoss()"

    def optimizer(self, config: Any) -> list[str]:
        """An optimizer for each racer, and who is running."""
        made: dict[str, str] = {}
        late: list[str] = []
        racers = dict(zip(self.keys, entries(config)[0], strict=True))
        for key, entry in racers.items():
            given = {"weight_decay": 0.0} | dict(entry.settings) | {"lr": entry.lr}
            made[key], more = self.optimizer_call(entry.optimizer, given, f'models["{key}"]')
            late += [f'optimizers["{key}"]{each}' for each in more]
        rates = {key: repr(entry.lr) for key, entry in racers.items()}
        return [*_table("optimizers", made), *late, *(_table("rates", rates) if self.scheduled else []),
                "running = list(models)"]  # fmt: skip

    def settings(self, config: Any) -> dict[str, str]:
        """The schedule and the steps that it spans, if there is one at some time."""
        if not self.scheduled:
            return {}
        return {
            "schedule": self.schedule(config.schedule),
            "plan": f"{config.plan}  # steps; then the schedule begins again",
        }

    def schedule(self, name: str) -> str:
        """Have the function of a schedule in the script, with what it needs; its name there."""
        factor, known = self.define(SCHEDULES[name].factor), vars(optimizers)
        code = self.definitions[factor]
        for constant in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", code):
            self.definitions.setdefault(constant, f"{constant} = {known[constant]!r}")
        if "along_cosine(" in code:
            self.define(optimizers._along_cosine)
        return factor

    # Live changes.

    def changed(self, before: Change, after: Change) -> list[str]:
        """Statements for other rates and settings, another schedule and other batches."""
        old, new = self.settings(before.config), self.settings(after.config)
        lines = [f"{name} = {code}" for name, code in new.items() if old[name] != code]
        return [*self.retuned(before.config, after.config), *lines, *self.other_batches(before, after)]

    def retuned(self, before: Any, after: Any) -> list[str]:
        """Statements that give the racers other settings; those that get the same are in one loop."""
        groups: dict[tuple[str, str], list[str]] = {}
        for key, old, new in zip(self.keys, entries(before)[0], entries(after)[0], strict=True):
            was = self.held(old)
            for name, value in self.held(new).items():
                if was[name] != value:
                    groups.setdefault((name, repr(value)), []).append(key)
        lines: list[str] = []
        for (name, value), keys in groups.items():
            is_rate = name == "lr" and self.scheduled
            set_to = f"rates[{{}}] = {value}" if is_rate else f'optimizers[{{}}].param_groups[0]["{name}"] = {value}'
            if len(keys) == 1:
                lines.append(set_to.format(f'"{keys[0]}"'))
                continue
            quoted = ", ".join(f'"{key}"' for key in keys)
            these = "models" if keys == self.keys else f"[{quoted}]"
            lines += [f"for name in {these}:", f"    {set_to.format('name')}"]
        return lines

    @staticmethod
    def held(entry: Entry) -> dict[str, Any]:
        """What an optimizer's group holds of an entry."""
        return {"lr": entry.lr} | torch_settings(entry.optimizer, entry.settings)

    # The steps, the state and the end.

    def step(self) -> list[str]:
        """The lines of one step of every racer, indented."""
        x, y = ("x", "y") if self.shuffles else ("x_train", "y_train")
        rate = f'optimizer.param_groups[0]["lr"] = rates[name] * schedule(({self.counter} - 1) % plan, plan)'
        return [
            *(["    x, y = next_batch()  # the same for all"] if self.shuffles else []),
            "    for name in list(running):",
            "        model, optimizer = models[name], optimizers[name]",
            *([f"        {rate}"] if self.scheduled else []),
            f"        prediction = model({x})",
            f"        loss = loss_fn(prediction, {y})",
            "        optimizer.zero_grad()",
            "        loss.backward()",
            "        optimizer.step()",
            f"        if not loss.item() <= {MOST_LOSS:_.0f}:  # too large, or no number",
            "            running.remove(name)  # it has left the race",
        ]

    def restoring(self, kept: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Every racer's weights and its optimizer's memory, and who is still running."""
        per_racer = len(kept["weights"]) // len(self.keys)
        memories: dict[str, Any] = {}
        running: list[str] = []
        for key, entry in zip(self.keys, entries(self.course.config)[0], strict=True):
            told = kept["optimizer"][entry.name]
            memories[key] = [told.get(str(index), {}) for index in range(per_racer)]
            if kept["own"]["racers"][entry.name]["left_at"] < 0:
                running.append(key)
        lines = ['race.load_state_dict(saved["race"])',
                 "for name, model in models.items():",
                 '    for parameter, memory in zip(model.parameters(), saved["optimizers"][name]):',
                 "        if memory:",
                 "            optimizers[name].state[parameter] = memory",
                 'running = saved["running"]']  # fmt: skip
        return {"race": kept["weights"], "optimizers": memories, "running": running}, lines

    def results(self) -> list[str]:
        """The step, and each racer's loss on all points, with all digits."""
        return [
            *self.last_step(),
            "    for name, model in models.items():",
            '        print(name, "loss", loss_fn(model(x_train), y_train).item())',
        ]


def _keys(racers: list[Entry]) -> list[str]:
    """A racer's label; its number besides where another one has the same."""
    labels = [racer.label for racer in racers]
    return [f"{label} ({at})" if labels.count(label) > 1 else label for at, label in enumerate(labels, start=1)]


def _table(name: str, values: Mapping[str, str]) -> list[str]:
    """A dict by the racers' names, a line for each."""
    return [f"{name} = {{", *(f'    "{key}": {code},' for key, code in values.items()), "}"]
