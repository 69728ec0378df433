"""Each message of a browser becomes one command, and whatever has a wrong shape is refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from playground.engine import commands
from playground.engine.commands import (
    AddPoint,
    Command,
    CommandError,
    Draw,
    Explain,
    GoBack,
    Leave,
    LookBack,
    Pause,
    Pick,
    Play,
    RemovePoint,
    Reset,
    SetSpeed,
    SetWeight,
    Slide,
    Step,
    Undo,
    read_command,
)

MESSAGES: list[tuple[dict[str, Any], Command]] = [
    ({"do": "play"}, Play()),
    ({"do": "play", "steps": 20}, Play(20)),
    ({"do": "pause"}, Pause()),
    ({"do": "step", "n": 3, "unit": "epoch"}, Step(3, "epoch")),
    ({"do": "reset"}, Reset()),
    ({"do": "speed", "value": 10}, SetSpeed(10.0)),
    ({"do": "scrub", "to": 4}, LookBack(4)),
    ({"do": "scrub", "step": 7}, LookBack(step=7)),
    ({"do": "leave"}, Leave()),
    ({"do": "add", "x": 1, "y": -2.5}, AddPoint(1.0, -2.5)),
    ({"do": "remove", "x": 1, "y": -2.5}, RemovePoint(1.0, -2.5)),
    ({"do": "undo"}, Undo()),
    ({"do": "go_back"}, GoBack()),
    ({"do": "go_back", "step": 30}, GoBack(30)),
    ({"do": "set", "layer": 0, "unit": 1, "input": 2, "value": 3}, SetWeight(0, 1, 2, 3.0)),
    ({"do": "explain", "x": 1, "y": 2}, Explain(1.0, 2.0)),
    ({"do": "pick", "chart": "maps", "x": 1, "y": 2}, Pick(1.0, 2.0, "maps")),
    ({"do": "draw", "bits": "AAAA"}, Draw("AAAA")),
    ({"do": "slide", "name": "epsilon", "value": 0.1}, Slide("epsilon", 0.1)),
]
NONSENSE: list[Any] = [[], {}, ["a"], {"a": 1}, True, "", "1", None, 1.5, -1, float("nan"), float("inf"), 10**400, b"x"]


def test_every_command_has_a_message_here_and_a_line_in_the_protocol() -> None:
    assert {type(command) for _, command in MESSAGES} == set(Command.__subclasses__())
    documented = [line.split()[:1] for line in (commands.__doc__ or "").splitlines()]
    for message, command in MESSAGES:
        assert [message["do"]] in documented
        assert type(command).__name__ in (commands.__doc__ or "")


@pytest.mark.parametrize(("message", "command"), MESSAGES, ids=[message["do"] for message, _ in MESSAGES])
def test_a_message_becomes_its_command(message: dict[str, Any], command: Command) -> None:
    assert read_command(message) == command


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("message", [message for message, _ in MESSAGES], ids=lambda message: message["do"])
def test_nonsense_in_any_field_is_refused_with_a_sentence_or_has_the_fields_type(
    message: dict[str, Any], value: Any
) -> None:
    for field in message:
        try:
            command = read_command(message | {field: value})
        except CommandError as error:
            assert str(error)[0].isupper() and str(error).endswith(".")
        else:
            right, read = vars(read_command(message)), vars(command)
            assert all(read[name] is None or type(read[name]) is type(right[name]) for name in right)


def test_optional_fields_may_be_left_out() -> None:
    assert read_command({"do": "step"}) == Step(1, "step")
    assert read_command({"do": "speed"}) == SetSpeed(None)
    assert read_command({"do": "scrub"}) == LookBack(None)
    assert read_command({"do": "draw"}) == Draw(None)
    assert read_command({"do": "set", "layer": 0, "unit": 0, "value": 1.0}) == SetWeight(0, 0, None, 1.0)
