"""How a class goes on after the server has restarted: the teacher's browser holds its state, sealed, without answers.

Students' browsers hold their names and answers, each with a seal or a receipt of this server's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.classroom import questions
from playground.classroom.classroom import Classroom
from playground.classroom.commands import Place
from playground.classroom.records import Board, Device, Screen, Seat, Send
from playground.classroom.votes import Vote

VERSION = 1
MAX_CHARACTERS = 1_000_000  # of a state as text: a larger one is not sent, since it could not come back


def revision(of: Classroom) -> int:
    """Changes whenever the state to be kept may have changed."""
    return of.latest


def state(of: Classroom) -> dict[str, Any]:
    """The state that a teacher's browser keeps: {"version", "code", "began", "data", "seal"}; no answers are in it."""
    sends = {send.n: send for seat in of.seats.values() if (send := seat.sent) is not None}
    if of.sent is not None:
        sends[of.sent.n] = of.sent
    data = {
        "rev": of.latest,
        "last_id": of.last_id,
        "last_seat": of.last_seat,
        "epoch": of.epoch,
        "names": of.names,
        "show_names": of.show_names,
        "leaders": of.leaders,
        "names_on_leaders": of.names_on_leaders,
        "door": of.is_open,
        "free": of.free,
        "sent": None if of.sent is None else of.sent.n,
        "sends": [each.data() for each in sends.values()],
        "locks": list(of.locks),
        "eyes": of.eyes,
        "screen": None if of.screen is None else [of.screen.what, of.screen.number, of.screen.show_name],
        "project": of.project,
        "steps": [each.data() for each in of.steps],
        "at_step": of.at_step,
        "devices": [[each.number, each.view, each.since] for each in of.devices.values()],
        "seats": [_seat(each) for each in of.seats.values()],
        "left": [_seat(each) for each in of.left.values()],
        "taken_out": [_seat(each) for each in of.taken_out.values()],
        "vote": None if of.vote is None else _vote(of.vote),
        "past": [_vote(each) for each in of.past],
    }
    kept = {"version": VERSION, "code": of.code, "began": of.began, "data": data}
    return {**kept, "seal": of.keys.seal("state", kept)}


def restore(of: Classroom, kept: object) -> bool:
    """Give a class the state that a teacher's browser held; False, and nothing changes, where the seal is not right."""
    if not isinstance(kept, Mapping):
        return False
    fields = {name: kept.get(name) for name in ("version", "code", "began", "data")}
    if (fields["version"], fields["code"], fields["began"]) != (VERSION, of.code, of.began):
        return False
    if not of.keys.is_sealed(kept.get("seal"), "state", fields):
        return False
    data: Any = fields["data"]
    sends = {each["n"]: _send(each) for each in data["sends"]}
    of.continue_from(data["last_id"], data["last_seat"], data["rev"])
    for name in ("names", "show_names", "leaders", "names_on_leaders", "free", "eyes", "project", "at_step"):
        setattr(of, name, data[name])
    of.is_open, of.locks = data["door"], tuple(data["locks"])
    of.sent = sends.get(data["sent"])
    of.screen = None if data["screen"] is None else Screen(*data["screen"])
    of.steps = tuple(Place(**each) for each in data["steps"])
    of.devices = {each[0]: Device(*each) for each in data["devices"]} | {
        number: device for number, device in of.devices.items() if of.is_connected(number)
    }
    back = dict(of.seats)
    of.seats = {seat.number: seat for each in data["seats"] if (seat := _seat_of(of, each, sends, back))}
    of.left = {seat.number: seat for each in data["left"] if (seat := _seat_of(of, each, sends, back))}
    of.taken_out = {seat.number: seat for each in data["taken_out"] if (seat := _seat_of(of, each, sends, {}))}
    for number, seat in back.items():  # who joined after this state was kept, or came back from having left
        if number in of.taken_out:
            of.dismiss_seat(number)
        else:
            of.left.pop(number, None)
            of.add(of.seats.get(number, seat))
    of.vote = None if data["vote"] is None else _vote_of(data["vote"])
    of.past = [vote for each in data["past"] if (vote := _vote_of(each)) is not None]
    if of.vote is not None and of.vote.state == "run":
        of.want_runs(of.vote)
    of.is_shell, of.restored = False, data["rev"]
    of.reach_epoch(data["epoch"])
    of.expect(each[0] for each in data["seats"])
    return True


def _seat(of: Seat) -> list[Any]:
    sent = None if of.sent is None else of.sent.n
    return [of.number, of.name, of.typed, of.allowed, of.joined, of.dot, of.help, of.helps, of.done, sent]


def _seat_of(of: Classroom, row: list[Any], sends: Mapping[int, Send], back: Mapping[int, Seat]) -> Seat:
    number, name, typed, allowed, joined, dot, help_since, helps, done, sent = row
    seat = back.get(number) or Seat(number, name, typed, joined, dot, lost=of.clock())
    seat.name, seat.typed, seat.allowed, seat.joined, seat.dot = name, typed, allowed, joined, dot
    seat.help, seat.helps, seat.done, seat.sent = help_since, helps, done, sends.get(sent)
    seat.act = seat.act or of.clock()
    return seat


def _send(data: Mapping[str, Any]) -> Send:
    place = Place(data["page"], data["query"], data["experiment"], data["title"])
    return Send(data["n"], data["kind"], place, data["run"], data["at"])


def _vote(of: Vote) -> dict[str, Any]:
    return {
        "id": of.id, "page": of.question.page, "experiment": of.question.experiment, "state": of.state,
        "number": of.number, "seen_before": of.seen_before, "until": of.until, "talk": of.talk,
        "closings": [of.closings[1], of.closings[2]], "is_revealed": of.is_revealed,
        "truth": of.truth if of.is_revealed else None,
    }  # fmt: skip


def _vote_of(data: Mapping[str, Any]) -> Vote | None:
    question = questions.find(data["page"], data["experiment"])
    if question is None:  # another version of the lessons
        return None
    vote = Vote(data["id"], question, data["state"], data["number"], data["seen_before"])
    vote.until, vote.talk, vote.is_revealed = data["until"], data["talk"], data["is_revealed"]
    vote.closings = dict(enumerate(data["closings"], start=1))
    vote.truth = None if data["truth"] is None else question.read(data["truth"])
    return vote


def board(of: Mapping[str, Any]) -> Board:
    """A board as a message has it."""
    return Board(of.get("session"), of["run"], of["page"], of["query"], of["experiment"])
