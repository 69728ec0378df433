"""Own entries in the race, typed as in a script: `Adam(lr=0.1), SGD(lr=0.3, momentum=0.5)`."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from playground.knobs import shorten
from playground.lessons.optimizers import words
from playground.lessons.optimizers.race import Entry
from playground.training.optimizers import OPTIMIZERS, SETTINGS, OptimizerChoice

MAX_RACERS = 8
MAX_TEXT_LENGTH = 400
MAX_RATE = 100.0


class EntryError(ValueError):
    """An entry that cannot race; the message is a sentence."""


def _choices_by_class() -> dict[str, dict[str, OptimizerChoice]]:
    """The records of each of torch's classes, by the class's name."""
    found: dict[str, dict[str, OptimizerChoice]] = {}
    for name, choice in OPTIMIZERS.items():
        found.setdefault(choice.type.__name__, {})[name] = choice
    return found


CLASSES = _choices_by_class()


def calls_in(text: str) -> list[str]:
    """The calls in a text of own entries as they were typed; none in a text that is not a list."""
    source = f"[{text.strip().strip(',')}]"
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [ast.get_source_segment(source, each) or "" for each in tree.elts] if isinstance(tree, ast.List) else []


def read_entries(text: str, lr: float) -> list[Entry]:
    """The entries that a text asks for, in order; those without a learning rate get `lr`.

    Raises EntryError with a sentence for anything but calls of torch's optimizers with plain numbers.
    """
    if not text.strip():
        return []
    try:
        tree = ast.parse(f"[{text.strip().strip(',')}]", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise EntryError(words.ENTRIES_NOT_READ.format(example=words.EXAMPLE)) from None
    if not isinstance(tree, ast.List):
        raise EntryError(words.ENTRIES_NOT_READ.format(example=words.EXAMPLE))
    entries: list[Entry] = []
    for number, call in enumerate(tree.elts, start=1):
        entry = _entry(call, f"own_{number}", lr)
        twins = sum(other.optimizer == entry.optimizer and other.lr == entry.lr for other in entries)
        entries.append(replace(entry, label=f"{entry.label} #{twins + 1}") if twins else entry)
    return entries


def _entry(call: ast.expr, name: str, lr: float) -> Entry:
    if not isinstance(call, ast.Call) or not isinstance(call.func, (ast.Name, ast.Attribute)):
        raise EntryError(words.NOT_A_CALL.format(text=shorten(ast.unparse(call), 30), example=words.EXAMPLE))
    typed = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
    kind = next((known for known in CLASSES if known.lower() == typed.lower()), None)
    if kind is None:
        raise EntryError(words.UNKNOWN_OPTIMIZER.format(text=shorten(typed, 30), known=", ".join(CLASSES)))
    given = {"lr": lr, **_arguments(call, kind)}
    rate = _within(given.pop("lr"), "lr", 0.0, MAX_RATE)
    flags = {flag: True for flag in _flags(kind) if given.pop(flag, False)}
    settings = _settings(given)
    optimizer = _optimizer(kind, flags, settings)
    return Entry(name, f"{OPTIMIZERS[optimizer].short_label} {rate:g}", optimizer, rate, settings)


def _optimizer(kind: str, flags: Mapping[str, bool], settings: Mapping[str, float]) -> str:
    """The first record of a class with these flags that has every setting which is not 0."""
    if "nesterov" in flags and not settings.get("momentum"):
        raise EntryError(words.NO_MOMENTUM)
    used = {name for name, value in settings.items() if value and name != "weight_decay"}
    return next(
        name for name, choice in CLASSES[kind].items() if choice.fixed == flags and used <= set(choice.settings)
    )


def _flags(kind: str) -> list[str]:
    """The constructor arguments of a class that are True in some of its records."""
    return list(dict.fromkeys(flag for choice in CLASSES[kind].values() for flag in choice.fixed))


def _arguments(call: ast.Call, kind: str) -> dict[str, Any]:
    settings = dict.fromkeys(setting for choice in CLASSES[kind].values() for setting in choice.settings)
    typed = dict.fromkeys("betas" if setting in ("beta1", "beta2") else setting for setting in settings)
    known = ("lr", *typed, *_flags(kind), "weight_decay")
    if call.args:
        raise EntryError(words.NOT_BY_NAME.format(optimizer=kind))
    found: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg not in known:
            text = shorten(keyword.arg or "**", 20)
            raise EntryError(words.UNKNOWN_SETTING.format(optimizer=kind, known=", ".join(known), text=text))
        try:
            found[keyword.arg] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, RecursionError, MemoryError):
            sentence = words.NOT_PLAIN.format(setting=keyword.arg, optimizer=kind, example=words.EXAMPLE)
            raise EntryError(sentence) from None
    return found


def _settings(given: Mapping[str, Any]) -> dict[str, float]:
    """The settings by the names of SETTINGS, each within its limits."""
    found: dict[str, Any] = dict(given)
    if "betas" in found:
        betas = found.pop("betas")
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise EntryError(words.NOT_BETAS)
        found |= {"beta1": betas[0], "beta2": betas[1]}
    return {name: _within(value, name, *SETTINGS[name]) for name, value in found.items()}


def _within(value: Any, setting: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise EntryError(words.OUT_OF_RANGE.format(setting=setting, least=least, most=most))
    return float(value)
