"""What each role may see of a class: the states that its pages draw.

Nothing of a vote's result is in any of them before it is shown, and no name or answer of one student is in what
another one, or the projector, gets; `votes.Vote.data` and `projected_name` hold that.
"""

from __future__ import annotations

import base64
import math
from collections import Counter
from typing import Any

from playground.classroom import questions
from playground.classroom.classroom import PLAY_SECONDS, Classroom
from playground.classroom.connections import Connection
from playground.classroom.records import Seat
from playground.classroom.tiles import Flag, Tile
from playground.classroom.votes import Vote
from playground.real_runs import Recording

MAX_DOOR_NAMES = 60  # then there are dots
DIGITS = 4  # of the numbers of a dot
HERE, AWAY = "here", "away"


def door(of: Classroom, connection: Connection) -> dict[str, Any]:
    """What a browser at the door sees."""
    is_full = of.is_full()
    line = of.of_role("join").index(connection) + 1 if is_full else 0
    return {
        "is": "door",
        "open": of.is_open and of.returning is None and not of.is_shell,
        "full": is_full,
        "line": line,
        "names": of.names,
        "offer": connection.offer,
        "length": of.settings.class_name_letters,
        "seats": of.settings.class_seats,
    }


def count(of: Classroom) -> tuple[int, int, int]:
    """How many have answered, of how many, and how many are in the class."""

    def make() -> tuple[int, int, int]:
        voters = of.voters
        return (0 if of.vote is None else of.vote.answered(voters), len(voters), len(of.seats))

    found: tuple[int, int, int] = of.once("count", make)
    return found


def student(of: Classroom, seat: Seat) -> dict[str, Any]:
    """What a student sees."""
    vote = _vote(of)
    if of.vote is not None and vote is not None:
        vote |= {"answer": of.vote.answers.get(seat.number), "first": of.vote.first.get(seat.number)}
    return {
        "is": "state",
        "rev": max(of.rev, seat.rev),
        "at": of.clock(),
        "seat": seat.number,
        "name": seat.name,
        "teacher": AWAY if of.is_away else HERE,
        "free": of.free,
        "sent": None if seat.sent is None else seat.sent.data(),
        "locks": list(of.locks),
        "eyes": of.eyes,
        "screen": _screen(of, seat),
        "looked": of.is_looked_at(seat.number),
        "help": seat.help is not None,
        "done": seat.done,
        "vote": vote,
        "together": together(of),
        "joined": len(of.seats),
        "dot": seat.dot,
    }


def teacher(of: Classroom, connection: Connection) -> dict[str, Any]:
    """What a device of the teacher sees."""
    here = {each.device for each in of.of_role("teacher") if each.view != "board"}
    own = of.devices[connection.device].board if connection.device in of.devices else None
    screen = of.screen
    return {
        "is": "state",
        "rev": of.rev,
        "at": of.clock(),
        "code": of.code,
        "began": of.began,
        "ends": of.began + of.settings.class_hours * 3600,
        "link": of.token_of("teacher", connection.device),
        "projector": of.token_of("projector"),
        "device": connection.device,
        "devices": [
            {"device": each.number, "view": each.view, "here": each.number in here, "since": each.since,
             "new": each.new}
            for each in of.devices.values()
        ],
        "own": None if own is None or own.run is None else own.data(),
        "outlives": of.keys.outlives_process,
        "door": of.is_open,
        "names": of.names,
        "show_names": of.show_names,
        "leaders": of.leaders,
        "names_on_leaders": of.names_on_leaders,
        "seats": of.settings.class_seats,
        "free": of.free,
        "sent": None if of.sent is None else of.sent.data(),
        "locks": list(of.locks),
        "eyes": of.eyes,
        "screen": None if screen is None else {
            "what": screen.what, "run": _screen_run(of), "name": screen.show_name,
            "seat": screen.number if screen.what == "spot" else None,
        },
        "project": of.project,
        "plan": {"steps": [each.data() for each in of.steps], "at": of.at_step},
        "vote": _vote(of),
        "asked": len(of.past) + (of.vote is not None),
        "questions": [[each.question.page, each.question.experiment] for each in _votes(of)],
        "acts": [
            {"act": each.id, "at": each.at, "what": each.what, "say": each.say, "undo": each.undo is not None}
            for each in of.acts
        ],
        "snapshots": [
            {"id": each.id, "seat": each.seat, "name": each.name, "step": each.step, "at": each.at,
             "bytes": len(each.content), "tile": _as_text(each.tile), **each.board.data()}
            for each in of.snapshots.values()
        ],
        "waiting": [{"seat": number, "name": of.taken_out[number].name} for number in of.waiting
                    if number in of.taken_out],
        "coming_back": _coming_back(of),
    }  # fmt: skip


def _votes(of: Classroom) -> list[Vote]:
    """All votes of this class, the present one last."""
    return [*of.past, *([] if of.vote is None else [of.vote])]


def _coming_back(of: Classroom) -> dict[str, int] | None:
    if of.is_shell:
        return {"back": len(of.seats), "of": len(of.seats)}
    return None if of.returning is None else {"back": of.came_back, "of": len(of.returning.expected)}


def projector(of: Classroom) -> dict[str, Any]:
    """What the projector sees."""
    return {
        "is": "state",
        "rev": of.rev,
        "at": of.clock(),
        "code": of.code,
        "joined": len(of.seats),
        "teacher": AWAY if of.is_away else HERE,
        "eyes": of.eyes,
        "door": of.is_open,
        "names": door_names(of),
        "screen": _screen(of, None),
        "show": {**of.project, "what": shown(of), "title": "" if of.sent is None else of.sent.place.title},
        "sent": None if of.sent is None or of.free else of.sent.place.data(),
        "vote": _vote(of),
    }


def door_names(of: Classroom) -> list[str | None] | None:
    """The names that stand at the door; None in the place of one that may not, and None alone for dots."""
    if of.names == "numbers" or len(of.seats) > MAX_DOOR_NAMES:
        return None
    return [each.name if each.may_be_shown else None for each in of.seats.values()]


def shown(of: Classroom) -> str:
    """What the projector draws: what was chosen for it, or what the class does now."""
    if of.project["what"] == "leaders" and not of.leaders:
        return "blank"
    if of.project["what"] != "auto":
        return of.project["what"]
    if of.vote is not None:
        return "vote"
    return "place" if of.sent is not None and not of.free else "door"


def rows(of: Classroom, since: int) -> list[dict[str, Any]]:
    """The seats as the wall lists them: those that have changed since a revision."""
    answers = {} if of.vote is None else of.vote.answers
    return [
        {
            "seat": each.number,
            "name": each.name,
            "typed": each.typed,
            "allowed": each.may_be_shown,
            "here": each.lost is None,
            "help": each.help,
            "done": each.done,
            "answered": each.number in answers,
            "strayed": of.strayed(each),
            "joined": each.joined,
            **each.board.data(),
        }
        for each in of.seats.values()
        if each.row > since
    ]


def tile(of: Classroom, seat: Seat) -> Tile:
    """What the wall draws of a seat."""
    flags = {
        Flag.HELP: seat.help is not None,
        Flag.DONE: seat.done,
        Flag.PLAYS: seat.glance.state == "playing",
        Flag.DIVERGED: seat.glance.is_diverged,
        Flag.HERE: seat.lost is None,
        Flag.ANSWERED: of.vote is not None and seat.number in of.vote.answers,
        Flag.STRAYED: of.strayed(seat),
        Flag.LOOKED_AT: of.is_looked_at(seat.number),
    }
    found = Flag(sum(flag for flag, is_set in flags.items() if is_set))
    experiment = questions.experiment_number(seat.board.page, seat.board.experiment)
    age = of.clock() - seat.act
    return Tile(seat.number, questions.lesson_number(seat.board.page), experiment, found, age, seat.glance)


# All runs in one picture, without names.


def together(of: Classroom) -> dict[str, Any] | None:
    """Which picture of all runs the class sees; None for none."""
    what = shown(of)
    return {**of.project, "what": what} if what in ("scatter", "ghosts", "leaders") else None


def picture(of: Classroom, what: str, *, has_names: bool) -> dict[str, Any]:
    """The picture of all runs of the lesson at which most are; `has_names` says whether leaders may be named in it."""
    with_run = _runs(of)
    page = with_run[0].board.page if with_run else ""
    about = {"page": page, "title": questions.lesson_title(page), "of": len(of.seats)}
    if what == "ghosts":
        curves = [[each.dot, each.glance.step, _as_text(each.glance.curve)] for each in with_run]
        return {"is": "curves", **about, "curves": sorted(each for each in curves if each[2])}
    if what == "leaders":
        accuracy, parameters = goal = of.goal
        found = _leaders(of, with_run, goal, has_names=has_names)
        return {"is": "leaders", **about, "accuracy": accuracy, "parameters": parameters, "dots": found}
    x, y = of.project["x"], of.project["y"]
    return {"is": "dots", **about, "x": x, "y": y, "dots": _dots(with_run, x, y)}


def _dots(runs: list[Seat], x: str, y: str) -> list[list[Any]]:
    """One number of each run against another one: [id, x, y, plays], in the order of the ids, which are random.

    The y of a run that has diverged is None.
    """
    return sorted((dot for each in runs if (dot := _dot(each, x, y))), key=lambda dot: dot[0])


def _dot(of: Seat, x: str, y: str) -> list[Any] | None:
    across, is_lost = _number(of, x), of.glance.is_diverged
    plays = of.glance.state == "playing"
    up = None if is_lost else _number(of, y)
    return [of.dot, across, up, plays] if across is not None and (is_lost or up is not None) else None


def runs(of: Classroom) -> dict[str, Any] | None:
    """The recordings that answer the vote; None where there are none. They tell the answer: only once it has ended."""
    vote = of.vote
    if vote is None or vote.state != "run" or not vote.recordings:
        return None
    recordings = [_recording(each) for each in vote.recordings]
    return {"is": "runs", "vote": vote.id, "at": vote.played_at, "seconds": PLAY_SECONDS, "runs": recordings}


def _recording(of: Recording) -> dict[str, Any]:
    moments, last = of.moments, of.moments[-1]
    miniatures = [each.miniature for each in moments]
    return {
        "name": of.name,
        "lines": of.lines,
        "diverged": last.is_diverged,
        "kind": miniatures[0].kind,
        "steps": [each.step for each in moments],
        "loss": [_short(each.loss) for each in moments],
        "accuracy": [_short(each.accuracy) for each in moments],
        "pictures": [_as_text(each.picture) for each in miniatures],
        "data": _as_text(miniatures[0].data),
        "curve": _as_text(last.curve),
    }


def _as_text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _leaders(of: Classroom, runs: list[Seat], goal: tuple[float, int], *, has_names: bool) -> list[list[Any]]:
    found, (least, most) = [], goal
    for each in runs:
        accuracy = _number(each, "accuracy")
        if each.glance.parameters > 0 and accuracy is not None:
            name = each.name if has_names and of.names_on_leaders and each.may_be_shown else None
            is_reached = accuracy >= least - 1e-9 and (not most or each.glance.parameters <= most)
            found.append([each.dot, each.glance.parameters, accuracy, is_reached, name])
    return sorted(found, key=lambda each: each[0])


def _runs(of: Classroom) -> list[Seat]:
    """The seats with a run of the lesson at which most of them are."""
    with_run = [each for each in of.seats.values() if each.board.run is not None and each.glance.step > 0]
    pages = Counter(each.board.page for each in with_run)
    if not pages:
        return []
    page = of.sent.place.page if of.sent is not None and not of.free else pages.most_common(1)[0][0]
    return [each for each in with_run if each.board.page == page]


def _number(of: Seat, name: str) -> float | None:
    value = float(getattr(of.glance, name))
    return None if name in ("units", "parameters") and value == 0 else _short(value)


def _short(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _vote(of: Classroom) -> dict[str, Any] | None:
    """The vote as every role may see it, in a dictionary of its own."""
    vote = of.vote
    if vote is None:
        return None
    return dict(of.once("vote", lambda: vote.data(of.voters, of.random, of.inline)))


def _screen_run(of: Classroom) -> str | None:
    screen = of.screen
    if screen is None:
        return None
    holder = of.seats.get(screen.number) if screen.what == "spot" else of.devices.get(screen.number)
    return None if holder is None else holder.board.run


def _screen(of: Classroom, seat: Seat | None) -> dict[str, Any] | None:
    """The board on all screens, as a student or the projector (None) sees it: no student gets the name of another.

    For a moment there may be none, between two pages of whoever is looked at; students wait for the next one.
    """
    screen, run = of.screen, _screen_run(of)
    if screen is None or (run is None and seat is None):
        return None
    holder = of.seats.get(screen.number) if screen.what == "spot" else None
    is_named = holder is not None and screen.show_name and holder.may_be_shown and of.show_names
    mine = holder is not None and seat is not None and holder.number == seat.number
    name = holder.name if holder is not None and is_named and (seat is None or mine) else None
    return {"what": screen.what, "run": run, "name": name, "mine": mine}


def run_on_screens(of: Classroom) -> str | None:
    """The name of the run on all screens."""
    return _screen_run(of)
