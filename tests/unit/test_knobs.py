"""Knobs refuse what they do not take with a sentence, and links carry every setting there and back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from playground.knobs import KnobError, Value, shorten
from playground.lessons.activations.units import UnitsConfig
from playground.lessons.learning_rates.sweep import RATES, WhoWinsConfig
from playground.lessons.optimizers.config import OptimizersConfig
from playground.lessons.regression.config import RegressionConfig

SPECS = RegressionConfig.knobs()
SWITCHES = [name for name, spec in SPECS.items() if isinstance(spec.default, bool)]
NUMBERS = [name for name, spec in SPECS.items() if spec.options is None and name not in SWITCHES]
CHOICES = [name for name, spec in SPECS.items() if spec.options is not None]


def legal_values(name: str) -> list[Value]:
    """Several legal values of a knob: every option, both of a switch, or both bounds and some between them."""
    spec, default = SPECS[name], SPECS[name].default
    if spec.options is not None:
        return list(spec.options)
    if name in SWITCHES:
        return [False, True]
    assert spec.lo is not None and spec.hi is not None
    between = [spec.lo + (spec.hi - spec.lo) * share for share in (0.0, 1 / 7, 1 / 3, 0.5, 1.0)]
    return [default, *(round(value) if isinstance(default, int) else value for value in between)]


def each_legal_value() -> Iterator[tuple[str, Value]]:
    for name in SPECS:
        for value in legal_values(name):
            yield name, value


def make(**values: Any) -> RegressionConfig:
    return RegressionConfig(**values)


def is_sentence(text: str) -> bool:
    return text[:1].isupper() and text.endswith(".") and len(text) < 400 and "\n" not in text


# The constructor: whatever made a config, its values are legal.


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_outside_its_bounds_is_refused_with_its_value_and_its_limits(name: str) -> None:
    spec = SPECS[name]
    for value in (spec.lo - 1, spec.hi + 1):  # type: ignore[operator]
        value = type(SPECS[name].default)(value)
        with pytest.raises(KnobError) as caught:
            make(**{name: value})
        message = str(caught.value)
        assert is_sentence(message)
        for part in (spec.label, f"{value:g}", f"from {spec.lo:g} to {spec.hi:g}"):
            assert part in message


@pytest.mark.parametrize("name", NUMBERS)
def test_both_bounds_of_a_number_are_legal(name: str) -> None:
    for bound in (SPECS[name].lo, SPECS[name].hi):
        kind = type(SPECS[name].default)
        assert getattr(make(**{name: kind(bound)}), name) == bound


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_takes_its_options_only_and_the_refusal_lists_them(name: str) -> None:
    spec = SPECS[name]
    illegal: Value = "no such option" if isinstance(spec.options[0], str) else type(spec.options[0])(77)  # type: ignore[index]
    with pytest.raises(KnobError) as caught:
        make(**{name: illegal})
    message = str(caught.value)
    assert is_sentence(message)
    assert spec.label in message
    assert str(illegal) in message
    assert all((f"{o:g}" if isinstance(o, float) else str(o)) in message for o in spec.options or ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden", 3.0),
        ("hidden", True),
        ("hidden", "3"),
        ("hidden", None),
        ("hidden", [3]),
        ("layers", False),
        ("noise", "0.2"),
        ("noise", True),
        ("noise", None),
        ("noise", 0.1j),
        ("lr", True),
        ("lr", "0.1"),
        ("batch_size", 10.0),
        ("batch_size", False),
        ("target", 0),
        ("target", None),
        ("target", b"square"),
        ("target", ["square"]),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(KnobError, match=SPECS[name].label):
        make(**{name: value})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["noise", "lr", "target_loss", "momentum", "weight_decay"])
def test_nan_and_infinity_are_refused(name: str, value: float) -> None:
    with pytest.raises(KnobError, match=SPECS[name].label):
        make(**{name: value})


@pytest.mark.parametrize("name", ["hidden", "noise", "batch_size", "lr"])
@pytest.mark.parametrize("digits", [30, 400, 5000])
def test_a_monstrous_whole_number_is_refused_like_any_other(name: str, digits: int) -> None:
    with pytest.raises(KnobError) as caught:
        make(**{name: 10**digits})
    assert is_sentence(str(caught.value))


def test_a_whole_number_is_a_number() -> None:
    config = make(noise=1, lr=1)
    assert (config.noise, config.lr) == (1.0, 1.0)
    assert type(config.noise) is float and type(config.lr) is float


def test_turning_a_knob_is_checked_too_and_leaves_the_old_config_alone() -> None:
    config = make()
    with pytest.raises(KnobError):
        config.with_values(hidden=65)
    assert config.with_values(hidden=64).hidden == 64
    assert config == make()


def test_the_defaults_are_the_tutorials() -> None:
    config = make()
    assert (config.target, config.points, config.noise) == ("square", 100, 0.2)
    assert (config.widths, config.activation, config.initialisation) == ((10,), "relu", "default")
    assert (config.optimizer, config.lr, config.loss, config.batch_size, config.max_steps) == (
        *("sgd", 0.5, "mse"),
        *(0, 100),
    )


@pytest.mark.parametrize(("layers", "widths"), [(0, ()), (1, (3,)), (2, (3, 4)), (3, (3, 4, 5)), (4, (3, 4, 5, 6))])
def test_widths_are_those_of_the_layers_in_use(layers: int, widths: tuple[int, ...]) -> None:
    assert make(layers=layers, hidden=3, hidden_2=4, hidden_3=5, hidden_4=6).widths == widths


# Links.


@pytest.mark.parametrize(("name", "value"), list(each_legal_value()))
def test_a_link_carries_every_knob_there_and_back(name: str, value: Value) -> None:
    config = make(**{name: value})
    texts = config.as_texts()
    assert set(texts) == ({name} if value != SPECS[name].default else set())
    assert RegressionConfig.parse(texts) == (config, [])


def test_a_link_carries_all_knobs_at_once() -> None:
    config = make(**{name: next(v for v in legal_values(name) if v != SPECS[name].default) for name in SPECS})
    texts = config.as_texts()
    assert set(texts) == set(SPECS)
    assert all(isinstance(text, str) for text in texts.values())
    assert RegressionConfig.parse(texts) == (config, [])


def test_the_default_config_makes_an_empty_link() -> None:
    assert make().as_texts() == {}
    assert RegressionConfig.parse({}) == (make(), [])


def test_floats_in_a_link_are_short_where_that_is_exact() -> None:
    assert make(noise=0.35, lr=0.0003).as_texts() == {"noise": "0.35", "lr": "0.0003"}
    third = 1 / 3
    assert RegressionConfig.parse(make(noise=third).as_texts())[0].noise == third


@pytest.mark.parametrize("name", NUMBERS)
def test_a_links_number_outside_its_bounds_goes_to_the_nearest_bound_with_a_sentence(name: str) -> None:
    spec = SPECS[name]
    for text, bound in ((f"{spec.hi + 1:g}", spec.hi), (f"{spec.lo - 1:g}", spec.lo)):  # type: ignore[operator]
        text = "99999999" if name == "max_steps" and bound == spec.hi else text
        config, problems = RegressionConfig.parse({name: text})
        assert getattr(config, name) == bound
        assert len(problems) == 1
        assert is_sentence(problems[0])
        assert spec.label in problems[0]
        assert f"It was set to {spec.name_of(getattr(config, name))}." in problems[0]


@pytest.mark.parametrize(
    ("name", "text", "nearest"),
    [
        ("lr", "0.45", 0.5),
        ("lr", "1000", 10.0),
        ("lr", "-1", 0.0001),
        ("batch_size", "60", 50),
        ("batch_size", "-3", 0),
    ],
)
def test_a_links_number_between_options_goes_to_the_nearest_option(name: str, text: str, nearest: Value) -> None:
    config, problems = RegressionConfig.parse({name: text})
    assert getattr(config, name) == nearest
    assert len(problems) == 1
    assert is_sentence(problems[0])


@pytest.mark.parametrize("name", ["hidden", "noise", "lr", "batch_size", "target"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "1e999",
        "-1e999",
        "ten",
        "1,5",
        "0x10",
        "1_0",
        "٣",  # Arabic-Indic three
        "１",  # full-width one
        "²",
        "1;DROP TABLE",
        "<script>alert(1)</script>",
        "__class__",
        "9" * 5000,
        "9" * 100_000 + "x",
        "A" * 100_000,
        "\x00",
        "1\n2",
        "😀" * 50,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_nonsense_in_a_link_falls_back_to_the_default_with_a_short_sentence(name: str, text: str) -> None:
    config, problems = RegressionConfig.parse({name: text})
    assert config == make()
    assert len(problems) == 1
    assert is_sentence(problems[0])
    assert SPECS[name].label in problems[0]


@pytest.mark.parametrize("text", ["5.5", "5.50000000000000000000", "1e1"])
def test_a_whole_number_knob_says_so_when_a_link_gives_it_another_number(text: str) -> None:
    config, problems = RegressionConfig.parse({"hidden": text})
    assert config.hidden == int(float(text))
    assert len(problems) == 1
    assert "whole numbers" in problems[0]


def test_spaces_around_a_links_value_do_no_harm() -> None:
    assert RegressionConfig.parse({"hidden": " 7 ", "target": " sine "}) == (make(hidden=7, target="sine"), [])


@pytest.mark.parametrize("name", ["hiden", "__class__", "with_values", "widths", "", "x" * 10_000, "<b>"])
def test_an_unknown_setting_in_a_link_is_ignored_with_a_sentence(name: str) -> None:
    config, problems = RegressionConfig.parse({name: "1", "hidden": "3"})
    assert config == make(hidden=3)
    assert len(problems) == 1
    assert is_sentence(problems[0])
    assert shorten(name) in problems[0]


def test_one_bad_value_in_a_link_does_not_spoil_the_others() -> None:
    config, problems = RegressionConfig.parse({"hidden": "5", "noise": "loud", "lr": "0.1", "points": "2"})
    assert config == make(hidden=5, lr=0.1, points=4)
    assert len(problems) == 2


# What a turn of a knob means.


def test_changed_names_each_knob_that_differs_with_both_values() -> None:
    assert make(lr=0.1, hidden=3).changed_from(make()) == {"lr": (0.5, 0.1), "hidden": (10, 3)}
    assert make(noise=0.3).changed_from(make(noise=0.3)) == {}


@pytest.mark.parametrize("name", SPECS)
def test_only_a_knob_that_is_not_live_asks_for_a_new_model(name: str) -> None:
    other = next(value for value in legal_values(name) if value != SPECS[name].default)
    after = make(**{name: other})
    assert make().needs_rebuild_for(after) is not SPECS[name].live
    assert after.needs_rebuild_for(after) is False


@pytest.mark.parametrize("name", ["points", "seed", "layers", "hidden", "hidden_2", "hidden_3", "hidden_4"])
def test_what_changes_the_models_or_the_datas_size_asks_for_a_new_model(name: str) -> None:
    assert not SPECS[name].live


@pytest.mark.parametrize("name", ["lr", "optimizer", "batch_size", "momentum", "weight_decay", "activation", "loss"])
def test_what_leaves_the_parameters_alone_acts_on_the_running_model(name: str) -> None:
    assert SPECS[name].live


def test_a_knob_that_does_nothing_under_a_config_says_so() -> None:
    momentum, second = SPECS["momentum"].applies, SPECS["hidden_2"].applies
    assert momentum is not None and second is not None
    assert [momentum(make(optimizer=name)) for name in ("sgd", "momentum", "nesterov", "adam")] == [
        *(False, True),
        *(True, False),
    ]
    assert [second(make(layers=layers)) for layers in range(5)] == [False, False, True, True, True]


@pytest.mark.parametrize("name", CHOICES)
def test_every_option_of_a_choice_has_words(name: str) -> None:
    words = [SPECS[name].name_of(option) for option in SPECS[name].options or ()]
    assert all(words)
    assert len(set(words)) == len(words)


def test_shorten_leaves_short_texts_and_cuts_long_ones_to_one_line() -> None:
    assert shorten("learning") == "learning"
    assert shorten("a" * 40) == "a" * 40
    assert shorten("a" * 41) == "a" * 39 + "…"
    assert shorten("one\n two\t three") == "one two three"
    assert shorten(3.5) == "3.5"


def test_nearest_takes_the_closest_option_or_step_within_the_bounds() -> None:
    config = RegressionConfig()
    for name in (name for name, spec in SPECS.items() if type(SPECS[name].default) in (int, float)):
        for value in (number for number in legal_values(name) if isinstance(number, (int, float))):
            found = getattr(config.with_closest({name: value}), name)
            step = SPECS[name].step or 0
            assert type(found) is type(SPECS[name].default)
            assert abs(found - value) <= step / 2 + 1e-9, name
        low, high = config.with_closest({name: -1e8}), config.with_closest({name: 1e8})
        assert getattr(low, name) == min(number for number in legal_values(name))
        assert getattr(high, name) == max(number for number in legal_values(name))
    assert WhoWinsConfig().with_closest({"rate": RATES[3] * 1.01}).rate == RATES[3]
    assert config.with_closest({}) == config
    assert UnitsConfig().with_closest({"descent": 39.97}).descent == 40


# Several options at once.


@pytest.mark.parametrize("text", ["adamw,sgd", "sgd,adamw", " adamw , sgd ", "sgd,adamw,sgd"])
def test_several_options_are_taken_in_any_order_and_kept_in_theirs(text: str) -> None:
    config, problems = OptimizersConfig.parse({"racers": text})
    assert (config.racers, problems) == ("sgd,adamw", [])
    assert OptimizersConfig(racers=text).as_texts() == {"racers": "sgd,adamw"}


@pytest.mark.parametrize(
    ("text", "kept", "said"),
    [
        ("adamw,lion,sgd", "sgd,adamw", "SGD, AdamW"),
        ("lion", "sgd,momentum,rmsprop,adam", "SGD, Momentum, RMSprop, Adam"),
        ("", "sgd,momentum,rmsprop,adam", "SGD, Momentum, RMSprop, Adam"),
    ],
)
def test_of_several_options_those_that_exist_are_kept_and_the_sentence_says_which(
    text: str, kept: str, said: str
) -> None:
    config, problems = OptimizersConfig.parse({"racers": text})
    assert config.racers == kept
    assert len(problems) == 1 and is_sentence(problems[0]) and problems[0].endswith(f"It was set to {said}.")
    with pytest.raises(KnobError, match="Racers"):
        OptimizersConfig(racers=text)
