"""Own entries in the race, typed as in a script: `Adam(lr=0.1), SGD(lr=0.3, momentum=0.5)`."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from playground.knobs import shorten
from playground.lessons.optimizers.race import Entry
from playground.training.optimizers import OPTIMIZERS, SETTINGS

MOST_RACERS = 8
LONGEST_TEXT = 400  # characters
LARGEST_RATE = 100.0
# What each of torch's classes takes here besides lr and weight_decay.
TAKES: dict[str, tuple[str, ...]] = {
    "SGD": ("momentum", "nesterov"),
    "Adagrad": (),
    "RMSprop": ("alpha",),
    "Adadelta": ("rho",),
    "Adam": ("betas",),
    "AdamW": ("betas",),
}
EXAMPLE = "Write such as Adam(lr=0.1), SGD(lr=0.3, momentum=0.5)."


class EntryError(ValueError):
    """An entry that cannot race; the message is a sentence."""


def read_entries(text: str, lr: float) -> list[Entry]:
    """The entries that a text asks for, in order; those that give no learning rate have `lr`.

    Raises EntryError with a sentence for anything else than calls of torch's optimizers with plain numbers.
    """
    if not text.strip():
        return []
    try:
        tree = ast.parse(f"[{text.strip().strip(',')}]", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise EntryError(f"Own entries are not calls with a comma between them. {EXAMPLE}") from None
    if not isinstance(tree, ast.List):
        raise EntryError(f"Own entries are calls with a comma between them. {EXAMPLE}")
    entries: list[Entry] = []
    for number, call in enumerate(tree.elts, start=1):
        entry = _entry(call, f"own_{number}", lr)
        twins = sum(other.optimizer == entry.optimizer and other.lr == entry.lr for other in entries)
        entries.append(replace(entry, label=f"{entry.label} #{twins + 1}") if twins else entry)
    return entries


def _entry(call: ast.expr, name: str, lr: float) -> Entry:
    if not isinstance(call, ast.Call) or not isinstance(call.func, (ast.Name, ast.Attribute)):
        raise EntryError(f"“{shorten(ast.unparse(call), 30)}” is no optimizer's call. {EXAMPLE}")
    typed = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
    kind = next((known for known in TAKES if known.lower() == typed.lower()), None)
    if kind is None:
        raise EntryError(f"“{shorten(typed, 30)}” is no optimizer here; there are {', '.join(TAKES)}.")
    given = {"lr": lr, **_arguments(call, kind)}
    rate = _within(given.pop("lr"), "lr", 0.0, LARGEST_RATE)
    nesterov = given.pop("nesterov", False)
    settings = _settings(given)
    momentum = settings.get("momentum", 0.0)
    if nesterov and not momentum:
        raise EntryError("Nesterov needs a momentum: write SGD(lr=0.1, momentum=0.9, nesterov=True).")
    optimizer = {"SGD": "nesterov" if nesterov else "momentum" if momentum else "sgd"}.get(kind, kind.lower())
    word = {"momentum": "Momentum", "nesterov": "Nesterov"}.get(optimizer, OPTIMIZERS[optimizer].label)
    return Entry(name, f"{word} {rate:g}", optimizer, rate, settings)


def _arguments(call: ast.Call, kind: str) -> dict[str, Any]:
    known = ("lr", *TAKES[kind], "weight_decay")
    if call.args:
        raise EntryError(f"Give {kind}'s settings by name, such as {kind}(lr=0.1).")
    found: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg not in known:
            raise EntryError(f"{kind} takes {', '.join(known)} here, not “{shorten(keyword.arg or '**', 20)}”.")
        try:
            found[keyword.arg] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, RecursionError, MemoryError):
            raise EntryError(f"{keyword.arg} of {kind} must be a plain number. {EXAMPLE}") from None
    return found


def _settings(given: Mapping[str, Any]) -> dict[str, float]:
    """The settings by the names of SETTINGS, each within its bounds."""
    found: dict[str, Any] = dict(given)
    if "betas" in found:
        betas = found.pop("betas")
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise EntryError("betas are two numbers, such as betas=(0.9, 0.99).")
        found |= {"beta1": betas[0], "beta2": betas[1]}
    return {name: _within(value, name, SETTINGS[name].lo, SETTINGS[name].hi) for name, value in found.items()}


def _within(value: Any, name: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise EntryError(f"{name} must be a number from {least:g} to {most:g}.")
    return float(value)
