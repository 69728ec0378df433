"""What is to be sent to a browser now: made when it is sent, so that a slow browser gets less, and never a backlog.

States go at once, answers to what a browser did itself, too; tiles as soon as runs say something new; counts, rows and
pictures of all runs at most once a second. Only what has changed is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import orjson

from playground.classroom import coming_back, commands, views
from playground.classroom.classroom import Classroom
from playground.classroom.connections import Connection

KEEP_SECONDS = 2.0  # between two states that a teacher's browser holds
Message = bytes | str


def messages(of: Classroom, to: Connection) -> Iterator[Message]:
    """What is due, text as JSON, tiles as bytes. Taking one may take time, and changes nothing but `to`."""
    while to.notes:
        yield text(to.notes.popleft())
    if of.has_ended or to.closing is not None:
        return
    is_second, to.second = to.second, False
    if to.role == "join":
        yield from _door(of, to)
    elif to.role == "student":
        yield from _student(of, to, is_second=is_second)
    elif to.role == "teacher":
        yield from _teacher(of, to, is_second=is_second)
    else:
        yield from _projector(of, to, is_second=is_second)


def text(message: Any) -> str:
    """A message as it is sent."""
    return orjson.dumps(message).decode()


def _door(of: Classroom, to: Connection) -> Iterator[Message]:
    door = views.door(of, to)
    if door != to.door:
        to.door = door
        yield text(door)


def _student(of: Classroom, to: Connection, *, is_second: bool) -> Iterator[Message]:
    seat = of.seats.get(to.seat)
    if seat is None or of.is_shell:  # what a page shows stays as it is until the teacher's state is back
        return
    rev = max(of.rev, seat.rev)
    if rev > to.state:
        to.state, to.count = rev, views.count(of)
        yield text(views.student(of, seat))
    if is_second:
        yield from _count(of, to)
        if to.finds and (together := views.together(of)) is not None:
            yield from _together(of, to, together["what"])


def _projector(of: Classroom, to: Connection, *, is_second: bool) -> Iterator[Message]:
    if of.rev > to.state:
        to.state, to.count = of.rev, views.count(of)
        yield text(views.projector(of))
    yield from _runs(of, to)
    if is_second:
        before = to.count
        yield from _count(of, to)
        if before != to.count and views.shown(of) == "door":
            yield text(views.projector(of))  # with the names of those who joined
        if (together := views.together(of)) is not None:
            yield from _together(of, to, together["what"])


def _teacher(of: Classroom, to: Connection, *, is_second: bool) -> Iterator[Message]:
    if of.rev > to.state:
        to.state, to.count = of.rev, views.count(of)
        yield text(views.teacher(of, to))
    yield from _rows(of, to, is_second=is_second)
    if to.view == "wall":
        yield from _runs(of, to)
    if is_second:
        yield from _count(of, to)
    if to.view == "wall":
        seats = of.seats if is_second else to.glanced & of.seats.keys()
        yield from _tiles(of, to, seats, is_second=is_second)
        to.glanced.clear()
    if is_second:
        if to.finds in commands.TOGETHER:
            yield from _together(of, to, to.finds)
        now, rev = of.clock(), coming_back.revision(of)
        if to.view != "board" and rev > to.kept and now - to.kept_at >= KEEP_SECONDS:
            to.kept, to.kept_at = rev, now
            keep = text({"is": "keep", "keep": coming_back.state(of)})
            if len(keep) <= coming_back.MAX_CHARACTERS:
                yield keep


def _count(of: Classroom, to: Connection) -> Iterator[Message]:
    count = views.count(of)
    if count != to.count:
        to.count = count
        yield text({"is": "count", "answered": count[0], "of": count[1], "joined": count[2]})


def _rows(of: Classroom, to: Connection, *, is_second: bool) -> Iterator[Message]:
    """All rows on arrival, then changed ones once a second; at once where somebody asks for help."""
    if to.view == "board":
        return
    is_first = to.rows < 0
    urgent = any(each.row > to.rows and each.help is not None for each in of.seats.values())
    if not (is_first or is_second or urgent):
        return
    found = views.rows(of, to.rows)
    gone = sorted(to.listed - of.seats.keys())
    if found or gone or is_first:
        to.rows, to.listed = of.latest, frozenset(of.seats)
        yield text({"is": "seats", "all": is_first, "seats": found, "gone": gone})


def _tiles(of: Classroom, to: Connection, seats: Collection[int], *, is_second: bool) -> Iterator[Message]:
    """Of these seats the heads that have changed, in view the miniatures that have, and once a second loss curves."""
    found = bytearray()
    shown = to.pictures if to.one is None else to.pictures | {to.one}
    for number in seats:
        tile = views.tile(of, of.seats[number])
        head, parts = tile.bytes(), tile.parts
        sent_head, sent = to.tiles.get(number, (b"", (b"", b"", b"")))
        if number not in shown:
            parts = parts[0], *sent[1:]
        if not is_second:
            parts = sent[0], *parts[1:]
        changed = [part if part != before else None for part, before in zip(parts, sent, strict=True)]
        if head != sent_head or any(part is not None for part in changed):
            found += tile.bytes(changed)
            to.tiles[number] = head, parts
    for number in to.tiles.keys() - of.seats.keys():
        del to.tiles[number]
    if found:
        yield bytes(found)


def _runs(of: Classroom, to: Connection) -> Iterator[Message]:
    """The recordings that answer the vote, once."""
    if of.vote is not None and to.played != of.vote.id and (found := views.runs(of)) is not None:
        to.played = of.vote.id
        yield text(found)


def _together(of: Classroom, to: Connection, what: str) -> Iterator[Message]:
    picture = orjson.dumps(views.picture(of, what, has_names=to.role != "student"))
    if picture != to.together:
        to.together = picture
        yield picture.decode()
