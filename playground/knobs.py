"""A knob is one setting a student can turn; this module says it once for widgets, links, checks and tests."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import Any, Self

Value = bool | int | float | str
LARGEST = 1e300  # of any number, so that whole numbers can be compared with floats and printed
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


class KnobError(ValueError):
    """A value that a knob does not take; the message is a sentence for the student."""


@dataclass(frozen=True)
class Knob:
    """What a config's field is called, which values it takes and what turning it does.

    `options` lists the legal values of a choice (with `names` for people); `lo` and `hi` bound a number, inclusive; a
    text without options is free, up to `longest` characters. With `many` the value is one or more of the options, in
    their order, joined by commas.
    A `live` knob acts on a running model; any other builds a new one. `applies` says for which configs it matters;
    for any other it is greyed, or not shown at all if it is `shy`.
    """

    label: str
    help: str = ""
    group: str = "Training"
    options: tuple[Value, ...] | None = None
    names: Mapping[Value, str] | None = None
    lo: float | None = None
    hi: float | None = None
    step: float | None = None
    longest: int = 200
    many: bool = False
    live: bool = False
    more: bool = False
    applies: Callable[[Any], bool] | None = None
    shy: bool = False

    def name_of(self, value: Value) -> str:
        """The words for one of the knob's values."""
        return (self.names or {}).get(value, f"{value:g}" if isinstance(value, float) else str(value))


def knob(default: Value, label: str, **spec: Any) -> Any:
    """A dataclass field with `default` whose metadata is `Knob(label, **spec)`."""
    return field(default=default, metadata={"knob": Knob(label, **spec)})


@dataclass(frozen=True)
class Config:
    """The settings of one run: a frozen dataclass whose fields are knobs, checked as it is made.

    Raises KnobError when a value has the wrong type or lies outside its knob's bounds.
    """

    def __post_init__(self) -> None:
        for name, spec in knobs(type(self)).items():
            object.__setattr__(self, name, _checked(spec, default_of(type(self), name), getattr(self, name)))

    def with_values(self, **values: Value) -> Self:
        """The same config with some knobs turned."""
        return replace(self, **values)


def knobs(config_type: type[Config]) -> dict[str, Knob]:
    """Every knob of a config type by its field's name, in order of declaration."""
    return {f.name: f.metadata["knob"] for f in fields(config_type) if "knob" in f.metadata}


def default_of(config_type: type[Config], name: str) -> Value:
    """The default value of one knob."""
    return next(_default(f) for f in fields(config_type) if f.name == name)


def changed(before: Config, after: Config) -> dict[str, tuple[Value, Value]]:
    """The knobs whose values differ: name -> (value before, value after)."""
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in knobs(type(before))}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def needs_rebuild(before: Config, after: Config) -> bool:
    """Whether going from one config to the other takes a new model or new data."""
    specs = knobs(type(before))
    return any(not specs[name].live for name in changed(before, after))


def parse(config_type: type[Config], texts: Mapping[str, str]) -> tuple[Config, list[str]]:
    """A config from texts (a link's query parameters), and a sentence for each that could not be used as it stands.

    Numbers outside their bounds are moved to the nearest bound; anything else illegal falls back to the default.
    """
    config, problems = config_type(), []
    for name, text in texts.items():
        spec = knobs(config_type).get(name)
        if spec is None:
            problems.append(f"There is no setting called “{shorten(name)}” here, so it was ignored.")
            continue
        default = default_of(config_type, name)
        try:
            config = config.with_values(**{name: _from_text(spec, default, text)})
        except KnobError as error:
            near = _nearest(spec, default, text)
            config = config.with_values(**{name: near})
            problems.append(f"{error} It was set to {spec.name_of(near)}.")
    return config, problems


def nearest(config: Config, numbers: Mapping[str, float]) -> Config:
    """The config with some of its knobs, which are numbers, at the values next to these finite ones."""
    turned: dict[str, Value] = {}
    for name, number in numbers.items():
        spec = knobs(type(config))[name]
        if spec.options is None and spec.step:
            low = spec.lo or 0
            number = round(low + spec.step * round((number - low) / spec.step), 10)
        turned[name] = _closest(spec, default_of(type(config), name), number)
    return config.with_values(**turned)


def as_texts(config: Config) -> dict[str, str]:
    """The knobs that differ from their defaults, as a link's query parameters; `parse` reads them back."""
    return {
        name: as_text(getattr(config, name))
        for name in knobs(type(config))
        if getattr(config, name) != default_of(type(config), name)
    }


def shorten(text: object, limit: int = 40) -> str:
    """A foreign text cut to a length that is safe to repeat in a sentence."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _default(item: Field[Any]) -> Value:
    assert item.default is not MISSING, f"{item.name} has no default"
    value: Value = item.default
    return value


def _checked(spec: Knob, default: Value, value: Any) -> Value:
    if isinstance(value, int) and abs(value) > LARGEST:
        raise KnobError(f"{spec.label} cannot be so large: it takes {_legal(spec, default)}.")
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        raise KnobError(f"{spec.label} cannot be “{shorten(value)}”: it takes {_legal(spec, default)}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise KnobError(f"{spec.label} cannot be {value}: it takes {_legal(spec, default)}.")
    if spec.many:
        parts = str(value).split(",")
        if parts != [option for option in spec.options or () if option in parts]:
            raise KnobError(f"{spec.label} cannot be “{shorten(value)}”: it takes {_legal(spec, default)}.")
    elif spec.options is not None:
        if value not in spec.options:
            raise KnobError(f"{spec.label} cannot be “{shorten(value)}”: it takes {_legal(spec, default)}.")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        too_low, too_high = spec.lo is not None and value < spec.lo, spec.hi is not None and value > spec.hi
        if too_low or too_high:
            raise KnobError(f"{spec.label} cannot be {value:g}: it takes {_legal(spec, default)}.")
    elif isinstance(value, str) and (len(value) > spec.longest or not value.isprintable()):
        raise KnobError(f"{spec.label} cannot be “{shorten(value)}”: it takes {_legal(spec, default)}.")
    checked: Value = value
    return checked


def _legal(spec: Knob, default: Value) -> str:
    if spec.many:
        return (
            f"one or more of {', '.join(str(option) for option in spec.options or ())}, in this order, joined by commas"
        )
    if spec.options is not None:
        return ", ".join(f"{option:g}" if isinstance(option, float) else str(option) for option in spec.options)
    if isinstance(default, bool):
        return "true or false"
    if isinstance(default, str):
        return f"up to {spec.longest} printable characters"
    kind = "whole numbers" if isinstance(default, int) else "numbers"
    return f"{kind} from {spec.lo:g} to {spec.hi:g}"


def _from_text(spec: Knob, default: Value, text: str) -> Value:
    text = text.strip()
    try:
        if isinstance(default, bool):
            value: Value = {"true": True, "false": False}[text.lower()]
        elif isinstance(default, int):
            value = int(_plain(text))
        elif isinstance(default, float):
            value = float(_plain(text))
        else:
            value = text
    except (KeyError, ValueError):
        raise KnobError(f"{spec.label} cannot be “{shorten(text)}”: it takes {_legal(spec, default)}.") from None
    return _checked(spec, default, value)


def _plain(text: str) -> str:
    """The text, if it is a number in plain digits: float() alone would also take “1_0” and other scripts' digits."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return text


def _nearest(spec: Knob, default: Value, text: str) -> Value:
    """The legal number next to the text, or the default where there is none."""
    try:
        number = float(_plain(text.strip()))
    except ValueError:
        return default
    if isinstance(default, (bool, str)) or not math.isfinite(number):
        return default
    return _closest(spec, default, number)


def _closest(spec: Knob, default: Value, number: float) -> Value:
    kind = type(default)
    if spec.options is not None:
        return kind(min((float(option) for option in spec.options), key=lambda option: abs(option - number)))
    return kind(min(max(number, float(spec.lo or 0)), float(spec.hi or 0)))


def as_text(value: Value) -> str:
    """A knob's value as a link writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and float(short := f"{value:g}") == value:
        return short
    return str(value)
