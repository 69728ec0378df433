"""A knob is one setting that a student can change, declared once for widgets, links, checks and tests."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Self

Value = bool | int | float | str
MAX_NUMBER = 1e300  # so that whole numbers can be compared with floats and printed
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")

MESSAGES = {
    "refused": "{label} cannot be “{value}”. Allowed: {legal}.",
    "refused number": "{label} cannot be {value}. Allowed: {legal}.",
    "refused as too large": "{label} cannot be that large. Allowed: {legal}.",
    "replaced": "{refusal} It was set to {value}.",
    "unknown": "There is no setting called “{name}” here, so it was ignored.",
}
LEGAL = {  # the values a knob takes, for {legal}
    "options": "{options}",
    "several options": "one or more of {options}, joined by commas",
    "switch": "true or false",
    "text": "up to {max_length} printable characters",
    "whole number": "whole numbers from {lo:g} to {hi:g}",
    "number": "numbers from {lo:g} to {hi:g}",
}


class KnobError(ValueError):
    """A value that a knob does not take; the message is a sentence for the student."""


@dataclass(frozen=True)
class Knob:
    """The label of a config's field, its default, the values it takes and what changing it does.

    `options` lists the legal values of a choice, and `names` their words on the page; `lo` and `hi` bound a number,
    inclusive; a text without options is free, up to `max_length` characters. With `many` the value is one or more of
    the options, joined by commas; it is kept in their order, whatever the order in which it was given.
    A `live` knob acts on a running model; any other builds a new one. `bar` puts it beside the player, too. `more` puts
    it behind "More". `applies` says for which configs the knob has an effect; for any other it is disabled, or not
    shown at all if it is `shy`. A `remedy` is a switch that the board may offer after a divergence.
    """

    label: str
    default: Value
    help: str = ""
    group: str = "Training"
    options: tuple[Value, ...] | None = None
    names: Mapping[Value, str] | None = None
    lo: float | None = None
    hi: float | None = None
    step: float | None = None
    max_length: int = 200
    many: bool = False
    live: bool = False
    bar: bool = False
    more: bool = False
    applies: Callable[[Any], bool] | None = None
    shy: bool = False
    remedy: bool = False

    def name_of(self, value: Value) -> str:
        """The words for one of the knob's values."""
        if self.many:
            return ", ".join((self.names or {}).get(each, each) for each in str(value).split(","))
        return (self.names or {}).get(value, f"{value:g}" if isinstance(value, float) else str(value))

    def applies_to(self, config: Config) -> bool:
        """Whether the knob has an effect under this config."""
        return self.applies is None or self.applies(config)

    def checked(self, value: Any) -> Value:
        """The value as it is kept. Raises KnobError if it is not legal.

        A whole number becomes a float where the knob takes floats, and several options get into their order.
        """
        if isinstance(value, int) and abs(value) > MAX_NUMBER:
            raise self._refusal("refused as too large")
        if isinstance(self.default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(self.default):
            raise self._refusal("refused", shorten(value))
        if isinstance(value, float) and not math.isfinite(value):
            raise self._refusal("refused number", str(value))
        if self.many:
            chosen, unknown = self._chosen(str(value))
            if unknown or not chosen:
                raise self._refusal("refused", shorten(value))
            value = ",".join(chosen)
        elif self.options is not None:
            if value not in self.options:
                raise self._refusal("refused", shorten(value))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            if (self.lo is not None and value < self.lo) or (self.hi is not None and value > self.hi):
                raise self._refusal("refused number", f"{value:g}")
        elif isinstance(value, str) and (len(value) > self.max_length or not value.isprintable()):
            raise self._refusal("refused", shorten(value))
        legal: Value = value
        return legal

    def read(self, text: str) -> Value:
        """The value in a link's text. Raises KnobError if it is not legal."""
        text = text.strip()
        try:
            if isinstance(self.default, bool):
                value: Value = {"true": True, "false": False}[text.lower()]
            elif isinstance(self.default, int):
                value = int(_plain_digits(text))
            elif isinstance(self.default, float):
                value = float(_plain_digits(text))
            else:
                value = text
        except (KeyError, ValueError):
            raise self._refusal("refused", shorten(text)) from None
        return self.checked(value)

    def closest(self, number: float) -> Value:
        """The legal value closest to a finite number, for a knob that takes numbers."""
        kind = type(self.default)
        if self.options is not None:
            return kind(min((float(option) for option in self.options), key=lambda option: abs(option - number)))
        return kind(min(max(number, float(self.lo or 0)), float(self.hi or 0)))

    def closest_to_text(self, text: str) -> Value:
        """The legal value closest to a text: to its number, or those of several options that it names.

        The default where it has neither.
        """
        if self.many:
            return ",".join(self._chosen(text)[0]) or self.default
        try:
            number = float(_plain_digits(text.strip()))
        except ValueError:
            return self.default
        if isinstance(self.default, (bool, str)) or not math.isfinite(number):
            return self.default
        return self.closest(number)

    @property
    def legal(self) -> str:
        """The values that the knob takes, in words."""
        if self.options is not None:
            options = ", ".join(f"{option:g}" if isinstance(option, float) else str(option) for option in self.options)
            return LEGAL["several options" if self.many else "options"].format(options=options)
        if isinstance(self.default, bool):
            return LEGAL["switch"]
        if isinstance(self.default, str):
            return LEGAL["text"].format(max_length=self.max_length)
        kind = "whole number" if isinstance(self.default, int) else "number"
        return LEGAL[kind].format(lo=self.lo, hi=self.hi)

    def _chosen(self, text: str) -> tuple[list[str], set[str]]:
        """The options that a text names, in their order, and what else it names."""
        parts = {part.strip() for part in text.split(",")}
        chosen = [str(option) for option in self.options or () if option in parts]
        return chosen, parts - set(chosen)

    def _refusal(self, message: str, value: str = "") -> KnobError:
        return KnobError(MESSAGES[message].format(label=self.label, value=value, legal=self.legal))


def knob(default: Value, label: str, **spec: Any) -> Any:
    """A dataclass field with `default` whose metadata is `Knob(label, default, **spec)`."""
    return field(default=default, metadata={"knob": Knob(label, default, **spec)})


@dataclass(frozen=True)
class Config:
    """The settings of one run: a frozen dataclass whose fields are knobs, checked in the constructor.

    Raises KnobError when a value has the wrong type or lies outside its knob's bounds.
    """

    def __post_init__(self) -> None:
        for name, spec in self.knobs().items():
            object.__setattr__(self, name, spec.checked(getattr(self, name)))

    @classmethod
    def knobs(cls) -> Mapping[str, Knob]:
        """Every knob by its field's name, in order of declaration."""
        return _knobs_of(cls)  # type: ignore[arg-type]  # mypy does not know that a class is hashable

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> tuple[Self, list[str]]:
        """A config from texts (a link's query parameters), and a sentence for each that was not used as it is.

        Numbers outside their bounds are moved to the nearest bound; anything else illegal becomes the default.
        """
        config, problems = cls(), []
        for name, text in texts.items():
            spec = cls.knobs().get(name)
            if spec is None:
                problems.append(MESSAGES["unknown"].format(name=shorten(name)))
                continue
            try:
                value = spec.read(text)
            except KnobError as refusal:
                value = spec.closest_to_text(text)
                problems.append(MESSAGES["replaced"].format(refusal=refusal, value=spec.name_of(value)))
            config = config.with_values(**{name: value})
        return config, problems

    def with_values(self, **values: Value) -> Self:
        """The same config with some knobs changed."""
        return replace(self, **values)

    def with_closest(self, numbers: Mapping[str, float]) -> Self:
        """The same config with some knobs, which take numbers, at the values closest to these finite ones."""
        values: dict[str, Value] = {}
        for name, number in numbers.items():
            spec = self.knobs()[name]
            step = spec.step or (1 if type(spec.default) is int else 0)
            if spec.options is None and step:
                low = spec.lo or 0
                number = round(low + step * round((number - low) / step), 10)
            values[name] = spec.closest(number)
        return self.with_values(**values)

    def changed_from(self, before: Config) -> dict[str, tuple[Value, Value]]:
        """The knobs whose values differ: name -> (value before, value in this config)."""
        pairs = {name: (getattr(before, name), getattr(self, name)) for name in self.knobs()}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def needs_rebuild_for(self, after: Config) -> bool:
        """Whether a run of this config needs a new model or new data to take the other one."""
        return any(not self.knobs()[name].live for name in after.changed_from(self))

    def as_texts(self) -> dict[str, str]:
        """The knobs that differ from their defaults, as a link's query parameters; `parse` reads them back."""
        values = {name: getattr(self, name) for name in self.knobs()}
        return {name: as_text(value) for name, value in values.items() if value != self.knobs()[name].default}


@cache
def _knobs_of(config_type: type[Config]) -> Mapping[str, Knob]:
    specs = {item.name: item.metadata.get("knob") for item in fields(config_type)}
    return MappingProxyType({name: spec for name, spec in specs.items() if spec is not None})


def as_text(value: Value) -> str:
    """A knob's value as a link writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and float(short := f"{value:g}") == value:
        return short
    return str(value)


def shorten(text: object, limit: int = 40) -> str:
    """A visitor's text cut to a length that is safe to repeat in a sentence."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _plain_digits(text: str) -> str:
    """The text, if it is a number in plain digits: float() alone would also take “1_0” and other scripts' digits."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return text
