"""The steps since the last change of a run: what was changed, after which step, and the losses right after it.

A loss of other data, of another loss function or of other weights says nothing about the current training, so whoever
judges a training looks at this period alone.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from playground.knobs import Config
from playground.runs import messages
from playground.runs import state_checks as check
from playground.runs.state_checks import StateError

NO_CHANGE = ""
SEVERAL = "several"
ARROW = " → "  # between the values in messages.SETTING_MARK


@dataclass(frozen=True)
class Change:
    """What was changed: the key of its phrase in messages.SINCE, and the fields of that phrase."""

    what: str = NO_CHANGE
    label: str = ""
    value: str = ""
    count: int = 0


@dataclass(frozen=True)
class Period:
    """The steps since the last change that acts on the training.

    `start` is the step after which it was made; `before` and `losses` are rows of `measure` right before and right
    after it. Both are empty where they are not known: in a run restored from a file.
    """

    start: int = 0
    change: Change = field(default_factory=Change)
    losses: Mapping[str, float] = field(default_factory=dict)
    before: Mapping[str, float] = field(default_factory=dict)
    origin: Any = None  # what the run was before its first change at this step: (config, edits, version of the weights)
    previous: Period | None = field(default=None, compare=False)  # the period that this one has ended

    @property
    def is_changed(self) -> bool:
        """Whether something was changed while the run trained; false since step 0."""
        return self.start > 0 and self.change.what != NO_CHANGE

    @property
    def since(self) -> str:
        """The change in words, "Since you set “Learning rate” to 0.3 at step 120"; "" if there was none."""
        if not self.is_changed:
            return ""
        change = self.change
        return messages.SINCE[change.what].format(
            step=self.start, label=change.label, value=change.value, count=change.count
        )

    def state_dict(self) -> dict[str, Any]:
        """The start, the change and the finite losses, as JSON can hold them."""
        losses, before = ({name: value for name, value in row.items() if math.isfinite(value)}
                          for row in (self.losses, self.before))  # fmt: skip
        return {"start": self.start, **asdict(self.change), "losses": losses, "before": before}

    @classmethod
    def from_state(cls, state: Any, steps: int, columns: Collection[str]) -> Period:
        """The period of a run at this step from a `state_dict`. Raises StateError."""
        found = check.entries(state, ("start", "what", "label", "value", "count", "losses", "before"), "period")
        change = Change(
            check.one_of(found["what"], (NO_CHANGE, *messages.SINCE), "period/what"),
            check.text(found["label"], "period/label"),
            check.text(found["value"], "period/value"),
            check.whole(found["count"], "period/count"),
        )
        rows = []
        for name in ("losses", "before"):
            row = found[name]
            if not isinstance(row, dict) or not row.keys() <= set(columns):
                raise StateError(messages.NOT_A_DICTIONARY.format(where=f"period/{name}"))
            rows.append({key: check.number(value, f"period/{name}") for key, value in row.items()})
        start = check.whole(found["start"], "period/start", most=steps)
        return cls(start, change, losses=rows[0], before=rows[1])


def changed_settings(before: Config, after: Config, acting: set[str]) -> Change:
    """The change from one config to another, by those knobs that act on the training."""
    changed = {name: new for name, (_, new) in after.changed_from(before).items() if name in acting}
    if not changed:
        return Change()
    if len(changed) > 1:
        return Change("settings", count=len(changed))
    ((name, value),) = changed.items()
    if name in messages.SINCE:
        return Change(name)
    spec = after.knobs()[name]
    return Change("setting", spec.label, spec.name_of(value))


def period_of_marks(marks: Sequence[tuple[int, str]], acting: set[str], marked: Mapping[str, str], step: int) -> Period:
    """The current period of a run at this step of which only the marks are known.

    `acting` has the labels of the knobs that act on the training, and `marked` the key in messages.SINCE of each other
    mark that stands for a change. All other marks are ignored.
    """
    found: dict[int, list[Change]] = {}
    for at, text in marks:
        label, _, values = text.partition(": ")
        if label in acting and ARROW in values:
            found.setdefault(at, []).append(Change("setting", label, values.partition(ARROW)[2]))
        elif text in marked and at <= step:
            found.setdefault(at, []).append(Change(marked[text]))
    if not found:
        return Period()
    start, changes = max(found.items())
    if len(changes) == 1:
        return Period(start, changes[0])
    all_settings = all(change.what == "setting" for change in changes)
    return Period(start, Change("settings", count=len(changes)) if all_settings else Change(SEVERAL))
