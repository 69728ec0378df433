"""The exported script of a race of optimizers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from playground.data.datasets import TARGETS, Split
from playground.lessons.optimizers.config import DATA, ORDER, draw_data, entries, weights_stream
from playground.lessons.optimizers.race import MAX_LOSS, Entry
from playground.runs.journal import Change, RunHistory
from playground.scripts.code import call
from playground.scripts.script import TrainingScript
from playground.training import models, optimizers
from playground.training.optimizers import SCHEDULES, torch_settings

TOGETHER = "All start from the same weights."
APART = "Each starts from its own weights."


class OptimizersScript(TrainingScript):
    """The script of a race: models and optimizers by the racers' current names."""

    title = "Optimizers"
    order_seed = ORDER
    model_name = "race"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        config = run_history.config
        racers, problem = entries(config)
        self.keys = _keys(racers)
        self.learner = " ".join([
            "The racers, each with a model and an optimizer of its own.", TOGETHER if config.fair else APART, problem,
        ])  # fmt: skip
        self.scheduled = any(each.config.schedule != "constant" for each in self.every)

    # Data.

    def points(self, change: Change) -> Split:
        """The points, the same at every step."""
        return draw_data(change.config)

    def count(self, change: Change) -> int:
        """The number of points."""
        points: int = change.config.points
        return points

    def data_key(self, change: Change) -> Any:
        """Always the same: the data does not change during a race."""
        del change

    def data(self, change: Change) -> list[str]:
        """Statements that draw the data as the page does."""
        config = change.config
        formula = re.sub(r"\bx\b", "x_train", TARGETS[config.target].code)
        return [
            f"generator = torch.Generator().manual_seed({config.seed + DATA})",
            f"x_train = torch.linspace(-1, 1, {config.points}).unsqueeze(dim=1)  # ({config.points}, 1)",
            f"y_train = {formula} + {config.noise!r} * torch.rand(x_train.size(), generator=generator)",
        ]

    # Racers.

    def model(self, config: Any) -> list[str]:
        """Statements for a function that builds a model, and a model for each racer."""
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
        """The loss function."""
        del config
        return "nn.MSELoss()"

    def optimizer(self, config: Any) -> list[str]:
        """Statements for an optimizer for each racer, and the list of those still running."""
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
        """The schedule and its number of steps, if there is one at some time."""
        if not self.scheduled:
            return {}
        return {
            "schedule": self.schedule(config.schedule),
            "plan": f"{config.plan}  # steps; then the schedule starts again",
        }

    def schedule(self, name: str) -> str:
        """Define the function of a schedule in the script, with what it needs; returns its name."""
        factor, known = self.define(SCHEDULES[name].factor), vars(optimizers)
        code = self.definitions[factor]
        for constant in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", code):
            self.definitions.setdefault(constant, f"{constant} = {known[constant]!r}")
        if "along_cosine(" in code:
            self.define(optimizers._along_cosine)
        return factor

    # Live changes.

    def changed(self, before: Change, after: Change) -> list[str]:
        """Statements for new rates and settings, a new schedule and new batches."""
        old, new = self.settings(before.config), self.settings(after.config)
        lines = [f"{name} = {code}" for name, code in new.items() if old[name] != code]
        return [*self.retuned(before.config, after.config), *lines, *self.other_batches(before, after)]

    def retuned(self, before: Any, after: Any) -> list[str]:
        """Statements that give the racers new settings; racers that get the same are in one loop."""
        groups: dict[tuple[str, str], list[str]] = {}
        for key, old, new in zip(self.keys, entries(before)[0], entries(after)[0], strict=True):
            before_values = self.group_values(old)
            for name, value in self.group_values(new).items():
                if before_values[name] != value:
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
    def group_values(entry: Entry) -> dict[str, Any]:
        """The values of an entry in the optimizer's param_groups."""
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
            f"        if not loss.item() <= {MAX_LOSS:_.0f}:  # too large or not finite",
            "            running.remove(name)  # it drops out",
        ]

    def restoring(self, kept: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Every racer's weights and optimizer state, and who is still running."""
        per_racer = len(kept["weights"]) // len(self.keys)
        states: dict[str, Any] = {}
        running: list[str] = []
        for key, entry in zip(self.keys, entries(self.run_history.config)[0], strict=True):
            state = kept["optimizer"][entry.name]
            states[key] = [state.get(str(index), {}) for index in range(per_racer)]
            if kept["own"]["racers"][entry.name]["left_at"] < 0:
                running.append(key)
        lines = ['race.load_state_dict(saved["race"])',
                 "for name, model in models.items():",
                 '    for parameter, state in zip(model.parameters(), saved["optimizers"][name]):',
                 "        if state:",
                 "            optimizers[name].state[parameter] = state",
                 'running = saved["running"]']  # fmt: skip
        return {"race": kept["weights"], "optimizers": states, "running": running}, lines

    def results(self) -> list[str]:
        """The step, and each racer's loss on all points, with all digits."""
        return [
            *self.last_step(),
            "    for name, model in models.items():",
            '        print(name, "loss", loss_fn(model(x_train), y_train).item())',
        ]


def _keys(racers: list[Entry]) -> list[str]:
    """The racers' labels, with a number where two have the same."""
    labels = [racer.label for racer in racers]
    return [f"{label} ({at})" if labels.count(label) > 1 else label for at, label in enumerate(labels, start=1)]


def _table(name: str, values: Mapping[str, str]) -> list[str]:
    """The lines of a dict by the racers' names."""
    return [f"{name} = {{", *(f'    "{key}": {code},' for key, code in values.items()), "}"]
