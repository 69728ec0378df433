"""What each command does: a table from its name to the class's method, one for each role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from playground.classroom import coming_back, commands, votes
from playground.classroom.classroom import Classroom
from playground.classroom.commands import BadField, Command, NotAllowed, Place
from playground.classroom.connections import Connection
from playground.classroom.messages import REFUSED
from playground.classroom.records import Refused, Screen

Order = Callable[[Classroom, Connection, Command], object]


def obey(of: Classroom, by: Connection, message: Mapping[str, object]) -> None:
    """Carry a browser's message out; what is refused is answered with the reason, and changes nothing."""
    try:
        command = commands.read(by.role, message)
        ORDERS[by.role][command.do](of, by, command)
    except NotAllowed:
        refuse(by, message, "role")
    except BadField:
        refuse(by, message, "field")
    except Refused as problem:
        refuse(by, message, problem.why, str(problem))


def refuse(by: Connection, message: Mapping[str, object], why: str, say: str = "") -> None:
    """Tell a browser that what it sent was not carried out."""
    do = message.get("do")
    by.note({"is": "refused", "do": do[:40] if isinstance(do, str) else "", "why": why, "say": say or REFUSED[why]})


def _here(of: Classroom, by: Connection, command: Command) -> None:
    """Show the browser that its line is alive."""
    by.note({"is": "here"})


def _board(of: Classroom, by: Connection, command: Command) -> None:
    fields = dict(command.fields)
    if by.role == "student":  # the teacher may send this board to all: what else the address sets stays behind
        fields["query"] = _settings_of(fields["page"], fields["query"])
    of.show_board(by, coming_back.board(fields))


def _settings_of(page: str, query: str) -> str:
    """The part of a query that sets what is on its page."""
    kept = [each for each in query.removeprefix("?").split("&") if page and each.startswith(f"{page}_")]
    return f"?{'&'.join(kept)}" if kept else ""


def _knock_again(of: Classroom, by: Connection, command: Command) -> None:
    found = of.keys.read(of.code, command["token"])
    if found is None or found.role != "student" or found.began != of.began:
        raise Refused("gone")
    if found.number in of.seats:  # it was undone meanwhile
        of.come_back(by, found.number)
    else:
        of.knock_again(by, found.number)


def _settings(of: Classroom, by: Connection, command: Command) -> None:
    fields = dict(command.fields)
    if (names := fields.pop("names", None)) is not None and names != of.names:
        of.choose_names(names)
    if fields:
        of.set_shown(**fields)


def _allow(of: Classroom, by: Connection, command: Command) -> None:
    if command.get("all"):
        of.allow(list(of.seats))
    elif command.get("seat") is not None:
        of.allow([command["seat"]])
    else:
        raise BadField


def _send(of: Classroom, by: Connection, command: Command) -> None:
    run = command["run"]
    if command["kind"] == "run":
        own = of.devices[by.device].board.run if by.device in of.devices else None
        run = own if run is None else run
        if run is None or not of.has_run(run):
            raise Refused("no run")
    place = Place(command["page"], command["query"], command["experiment"], command["title"])
    of.send(command["kind"], place, run if command["kind"] == "run" else None, command["to"])


def _screen(of: Classroom, screen: Screen | None, what: str) -> None:
    """Put a board on all screens; take only one of the same kind off again."""
    if screen is not None or (of.screen is not None and of.screen.what == what):
        of.show_on_all(screen)


def _follow(of: Classroom, by: Connection, command: Command) -> None:
    _screen(of, Screen("follow", by.device) if command["on"] else None, "follow")


def _spot(of: Classroom, by: Connection, command: Command) -> None:
    seat = command["seat"]
    _screen(of, None if seat is None else Screen("spot", seat, bool(command.get("name"))), "spot")


def _press(of: Classroom, by: Connection, command: Command) -> None:
    of.press(command.do, command["vote"], command["in"], is_sure=bool(command.get("sure")))


def _pair(of: Classroom, by: Connection, command: Command) -> None:
    by.note({"is": "pair", "token": of.pair(), "seconds": 60})


def _find(of: Classroom, by: Connection, command: Command) -> None:
    by.finds, by.together = (command.get("what", "class") if command["on"] else ""), b""


STUDENT: dict[str, Order] = {
    "answer": lambda of, by, it: of.answer(by.seat, it["vote"], it["in"], it["answer"]),
    "help": lambda of, by, it: of.raise_help(by.seat, on=it["on"]),
    "done": lambda of, by, it: of.say_done(by.seat, on=it["on"]),
    "here": _here,
    "board": _board,
    "placed": lambda of, by, it: of.was_placed(by.seat, it["send"]),
    "together": _find,
    "leave": lambda of, by, it: of.leave(by),
}
TEACHER: dict[str, Order] = {
    "here": _here,
    "board": _board,
    "look": lambda of, by, it: of.look(by, it["seats"], it["one"]),
    "found": _find,
    "door": lambda of, by, it: of.open_door(is_open=it["open"]),
    "settings": _settings,
    "allow": _allow,
    "rename": lambda of, by, it: of.rename(it["seat"], it["name"]),
    "take out": lambda of, by, it: of.take_out(it["seat"]),
    "take out new": lambda of, by, it: of.take_out_new(it["minutes"]),
    "let back": lambda of, by, it: of.let_back(it["seat"], yes=it["yes"]),
    "helped": lambda of, by, it: of.help_given(it["seat"]),
    "send": _send,
    "free": lambda of, by, it: of.set_free(),
    "lock": lambda of, by, it: of.lock(it["names"]),
    "eyes": lambda of, by, it: of.set_eyes(on=it["on"]),
    "follow": _follow,
    "spot": _spot,
    "plan": lambda of, by, it: of.set_plan(it["steps"]),
    "step": lambda of, by, it: of.go_to_step(it["from"], it["to"]),
    "ask": lambda of, by, it: of.ask(it["page"], it["experiment"]),
    **dict.fromkeys(votes.EVENTS, _press),
    "timer": lambda of, by, it: of.set_timer(it["vote"], it["in"], it["seconds"]),
    "peek": lambda of, by, it: of.peek(by, on=it["on"]),
    "project": lambda of, by, it: of.show_projected(**it.fields),
    "snapshot": lambda of, by, it: of.keep_snapshot(it["seat"], by),
    "drop snapshot": lambda of, by, it: of.drop_snapshot(it["id"]),
    "undo": lambda of, by, it: of.undo(it["act"]),
    "pair": _pair,
    "keep device": lambda of, by, it: of.keep_device(it["device"]),
    "take out device": lambda of, by, it: of.take_out_device(it["device"]),
    "end": lambda of, by, it: of.end(),
}
JOIN: dict[str, Order] = {
    "join": lambda of, by, it: of.join(by, it.get("name")),
    "another": lambda of, by, it: of.another_offer(by),
    "back": _knock_again,
    "here": _here,
}
ORDERS: dict[Any, dict[str, Order]] = {
    "join": JOIN,
    "student": STUDENT,
    "teacher": TEACHER,
    "projector": {"here": _here},
}
