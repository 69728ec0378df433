"""One class: who is in it, what its teacher has set, the vote, and what each event changes.

A class is open until it is ended. Apart from each other there are: the door (open or closed), free or together at a
place, locks, eyes up, what is on all screens, what is projected, the plan's step, and the vote. Time is given by a
clock; `tick` does what time alone brings about. Everything happens on one thread.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from random import Random, SystemRandom
from typing import Any, Literal

from playground.classroom import names, questions
from playground.classroom.commands import MAX_SEATS, Names, Place
from playground.classroom.connections import Connection
from playground.classroom.messages import ACTS
from playground.classroom.rates import Bucket, Clock
from playground.classroom.receipts import MAX_ANSWERS, Receipts
from playground.classroom.records import (
    Act,
    Board,
    Device,
    Errand,
    Refused,
    Returning,
    Screen,
    Seat,
    Send,
    Sending,
    Snapshot,
)
from playground.classroom.tiles import NOTHING
from playground.classroom.tokens import Keys, Pass
from playground.classroom.votes import FEW, Vote
from playground.glance import Glance
from playground.real_runs import RealRuns
from playground.settings import Settings

KEPT_ACTS = 10  # that can be undone
LOST_SEAT_SECONDS = 600.0  # a seat is kept after its connection is lost
AWAY_SECONDS = 20.0  # without any device of the teacher, until all are told
EYES_SECONDS = 60.0  # of eyes up without any device of the teacher
NEVER_CAME_SECONDS = 120.0  # until a class is ended whose teacher never opened it
PAIRING_SECONDS = 60.0
STRAGGLERS_SHARE = 0.1  # of the students with a page: for so few on their way nobody waits
FOLLOW_SECONDS = 5.0  # after a send, in which no run of the class takes a step while pages are on their way
ON_THE_WAY_SECONDS = 8.0  # after a send or a join, until a board that is elsewhere has strayed
RETURN_SECONDS = 10.0  # the longest wait for students after a restart
RETURN_SHARE = 0.9  # of the seats
UNKNOWN_IDS = 1_000  # that may have been given after the state was kept that comes back
UNKNOWN_SEATS = 200
PEEK_SECONDS = 2.0  # without another message
PLAY_SECONDS = 10.0  # in which recordings of real runs are played
MAX_DEVICES = 20
MAX_SNAPSHOT_BYTES = 64 * 2**20  # of all snapshots together
MAX_WAITING = 50  # who ask to come back
ACCURACY_GOAL = 95.0  # percent: of the leaders, where the class was sent to no challenge


class Classroom:
    """A class. Its methods raise Refused where something is not allowed in the present state."""

    def __init__(
        self,
        code: str,
        keys: Keys,
        settings: Settings,
        clock: Clock,
        *,
        began: float | None = None,
        names: Names = "offered",
        show_names: bool = False,
        steps: Iterable[Place] = (),
        inline: Callable[[str], str] = str,
        random: Random | None = None,
    ) -> None:
        self.code, self.keys, self.settings, self.clock, self.inline = code, keys, settings, clock, inline
        self.random = random or SystemRandom()
        self.began = math.floor(clock() if began is None else began)
        self.names: Names = names
        self.show_names = show_names
        self.leaders = self.names_on_leaders = False
        self.is_open = True  # the door
        self.has_ended = False
        self.epoch = 0
        self.seats: dict[int, Seat] = {}
        self.left: dict[int, Seat] = {}  # kept for the file
        self.taken_out: dict[int, Seat] = {}
        self.waiting: dict[int, Connection] = {}  # who ask to come back, by seat
        self.devices: dict[int, Device] = {1: Device(1, "wall", clock())}
        self.connections: dict[Connection, None] = {}  # in the order in which they came
        self.pairings: dict[str, float] = {}  # token -> its end
        self.sent: Send | None = None  # where the class is together
        self.free = True
        self.arrive_until = 0.0  # boards are on their way
        self.follow_until = 0.0  # since the last send
        self.locks: tuple[str, ...] = ()
        self.eyes = False
        self.screen: Screen | None = None
        self.project: dict[str, str] = {"what": "auto", "x": "rate", "y": "loss"}
        self.steps: tuple[Place, ...] = tuple(steps)
        self.at_step = 0
        self.vote: Vote | None = None
        self.past: list[Vote] = []
        self.acts: deque[Act] = deque(maxlen=KEPT_ACTS)
        self.snapshots: dict[int, Snapshot] = {}
        self.errands: deque[Errand] = deque()
        self.returning: Returning | None = None
        self.is_reborn = False  # a process before this one has started it
        self.is_shell = False  # and the teacher's state has not come back yet
        self.shell_ends = 0.0  # when it goes on without, if a teacher is there
        self.restored = -1  # the stamp of the state that came back
        self.receipts = Receipts(keys, code, self.began)
        self.pending_answers: dict[int, list[Any]] = {}  # of students who came back before the teacher
        self.joins = Bucket(settings.class_joins, 2.0 * settings.class_joins, clock)
        self.teacher_lost: float | None = self.clock()
        self.teacher_came = False
        self.is_away = False
        self.rev = 0
        self.latest = 0  # the stamp of the last change
        self.last_id = 0  # of sends, votes, acts and snapshots
        self.last_seat = 0
        self.changed: Callable[[Classroom], None] = lambda _: None
        self._made: dict[str, tuple[int, Any]] = {}

    # Tokens.

    def token_of(self, role: Literal["teacher", "projector", "student"], number: int = 0) -> str:
        """The token of a device, a seat or the projector."""
        epoch = self.epoch if role == "teacher" else 0
        return self.keys.token(self.code, Pass(role, number, epoch, self.began))

    def admits(self, token: object) -> Pass | None:
        """What a token allows here now; None for one that was taken back or is of another class."""
        found = self.keys.read(self.code, token)
        if found is None or found.began != self.began or self.has_ended:
            return None
        if found.role == "teacher":
            return found if found.epoch == self.epoch else None
        if found.role == "student":
            return found if found.number not in self.taken_out else None
        return found

    def pair(self) -> str:
        """A token that makes one more device the teacher's, once, within a minute."""
        now = self.clock()
        self.pairings = {token: end for token, end in self.pairings.items() if end > now}
        if len(self.pairings) >= MAX_DEVICES:
            self.pairings.pop(next(iter(self.pairings)))
        token = self.keys.seal("pair", self.code, self.random.getrandbits(128).to_bytes(16, "little").hex())
        self.pairings[token] = now + PAIRING_SECONDS
        return token

    def use_pairing(self, token: object) -> bool:
        """Whether this is a pairing token in time; it is used up."""
        return isinstance(token, str) and self.pairings.pop(token, 0.0) > self.clock()

    # Who is here.

    @property
    def voters(self) -> set[int]:
        """The seats whose answers count: all that are here, and those that answered and left."""
        answered = set() if self.vote is None else set(self.vote.first) | set(self.vote.second)
        return set(self.seats) | (answered & set(self.left))

    def of_role(self, *roles: str) -> list[Connection]:
        """The connections with these roles, in the order in which they came."""
        return [each for each in self.connections if each.role in roles]

    @property
    def goal(self) -> tuple[float, int]:
        """The least accuracy (0 to 1) and the most parameters (0: any) of the challenge to which the class was sent."""
        place = None if self.sent is None or self.free else self.sent.place
        accuracy, parameters = (
            (0.0, 0) if place is None else questions.challenge(place.page, place.query, place.experiment)
        )
        return (accuracy or ACCURACY_GOAL) / 100, parameters

    def is_here(self, seat: int) -> bool:
        """Whether a browser of this seat is connected."""
        return any(each.role == "student" and each.seat == seat for each in self.connections)

    def is_full(self) -> bool:
        """Whether all seats are taken, or all numbers of seats used up by people who came and went."""
        return len(self.seats) >= self.settings.class_seats or self.last_seat >= MAX_SEATS

    def is_looked_at(self, seat: int) -> bool:
        """Whether a teacher has the board of this seat open."""
        looked: frozenset[int | None] = self.once(
            "looked", lambda: frozenset(each.one for each in self.of_role("teacher"))
        )
        return seat in looked

    def strayed(self, seat: Seat) -> bool:
        """Whether a board is elsewhere than where the class is together; a phone that only answers has none."""
        if self.free or self.sent is None or seat.board == Board():
            return False
        if self.clock() < max(self.sent.at, seat.joined) + ON_THE_WAY_SECONDS:
            return False
        place = self.sent.place
        is_there = seat.board.page == place.page and place.experiment in (None, seat.board.experiment)
        return not is_there

    def new_offer(self) -> str:
        """A name for the next student: a colour and a number, or in a class of numbers the next one."""
        if self.names == "numbers":
            return str(1 + max((int(each) for each in self._names() if each.isdecimal()), default=0))
        given = {each.offer for each in self.of_role("join")}
        return names.offered(self._names() | given, self.random)

    def knock(self, connection: Connection) -> None:
        """A browser comes to the door."""
        connection.offer = self.new_offer()
        self.connections[connection] = None
        connection.wake()

    def another_offer(self, connection: Connection) -> None:
        """Offer another name."""
        connection.offer = self.new_offer()
        connection.wake()

    def join(self, connection: Connection, wish: str | None) -> None:
        """Give a browser at the door a seat.

        Where somebody has the wished name, it is asked first whether a number behind it is fine.
        """
        if self.returning is not None or self.is_shell:
            raise Refused("wait")
        if not self.is_open:
            raise Refused("door")
        if self.is_full():
            raise Refused("full")
        name, typed = connection.offer, False
        if self.names == "own" and wish is not None and wish.casefold() != name.casefold():
            name, typed = names.clean(wish, self.settings.class_name_letters), True
            is_agreed = bool(connection.agreed) and name == connection.agreed
            if not name or (names.is_refused(name) and not is_agreed):
                raise Refused("name")
            if (proposed := names.distinct(name, self._names(), self.settings.class_name_letters)) != name:
                connection.agreed = proposed
                connection.note({"is": "same", "name": proposed})
                return
        elif name in self._names():
            name = self.new_offer()
        seat = self.add(Seat(self.last_seat + 1, name, typed, self.clock(), self.random.getrandbits(32)))
        self.arrive_until = self.clock() + ON_THE_WAY_SECONDS
        self._sit(connection, seat)

    def come_back(self, connection: Connection, number: int, kept: object = None, answers: object = None) -> None:
        """A student's browser connects again: the same seat. Without one, as after a restart, `kept` brings it back."""
        seat = self.seats.get(number) or self.left.pop(number, None)
        if seat is None and not self.is_full():
            seat = self.receipts.seat(number, kept, self.random.getrandbits(32))
            if seat is not None:  # somebody else may have the name by now
                seat.name = names.distinct(seat.name, self._names(), self.settings.class_name_letters)
        if seat is None:
            connection.dismiss("no seat")
            return
        if number not in self.seats:
            self.add(seat)
        self._sit(connection, seat)
        if self.is_reborn and isinstance(answers, list):
            self.pending_answers[number] = answers[:MAX_ANSWERS]
        self._use_answers()
        if self.returning is not None:
            self._wait_for_return(self.clock())

    def take_out(self, number: int) -> None:
        """Take a student out: the token is void, and coming back needs the teacher's yes."""
        seat = self.seat(number)
        self._take_out(seat)
        self._act("take out", lambda: self._put_back(number), name=seat.name)

    def take_out_new(self, minutes: int) -> None:
        """Take all out who have joined in the last minutes, and close the door: an answer to a flood of strangers."""
        now, was_open = self.clock(), self.is_open
        found = [seat for seat in self.seats.values() if now - seat.joined < 60 * minutes]

        def undo() -> None:
            self.is_open = was_open
            for seat in found:
                self._put_back(seat.number)

        for seat in found:
            self._take_out(seat)
        self.is_open = False
        self._act("take out new", undo, count=len(found))

    def knock_again(self, connection: Connection, number: int) -> None:
        """Somebody who was taken out asks to come back."""
        if number not in self.taken_out or len(self.waiting) >= MAX_WAITING:
            raise Refused("gone")
        connection.knocks = number
        self.waiting[number] = connection
        connection.note({"is": "waiting"})
        self._bump()

    def let_back(self, number: int, *, yes: bool) -> None:
        """The teacher's answer to somebody who asks to come back."""
        connection = self.waiting.pop(number, None)
        if connection is None or number not in self.taken_out:
            raise Refused("gone")
        if not yes:
            connection.dismiss("void")
            self._bump()
            return
        if self.is_full():
            raise Refused("full")
        self._put_back(number)
        self._sit(connection, self.seats[number])
        self._act("let back", name=self.seats[number].name)

    def leave(self, connection: Connection) -> None:
        """A student leaves; what the file needs is kept until the end of the class."""
        self._put_aside(connection.seat)
        for each in self._browsers_of(connection.seat):
            each.dismiss("left")
        self._bump()

    def rename(self, number: int, wish: str) -> None:
        """Give a student another name, which may then be projected."""
        seat = self.seat(number)
        name = names.clean(wish, self.settings.class_name_letters)
        if not name or name.casefold() in self._names() - {seat.name.casefold()}:
            raise Refused("name")
        before = (seat.name, seat.typed, seat.allowed)

        def undo() -> None:
            earlier, seat.typed, seat.allowed = before
            seat.name = ""
            seat.name = names.distinct(earlier, self._names(), self.settings.class_name_letters)
            self._tell_name(seat)

        seat.name, seat.typed, seat.allowed = name, True, True
        self._tell_name(seat)
        self._act("rename", undo, name=name)

    def allow(self, numbers: Iterable[int]) -> None:
        """Let these typed names be projected."""
        for number in numbers:
            self.seat(number).allowed = True
            self.touch(self.seat(number))
        self._bump()

    def seat(self, number: int) -> Seat:
        """The seat with this number. Raises Refused."""
        if number not in self.seats:
            raise Refused("gone")
        return self.seats[number]

    # Connections.

    def enter(self, connection: Connection) -> None:
        """A teacher's browser or the projector has come."""
        self.connections[connection] = None
        if connection.role == "teacher":
            device = self.devices.get(connection.device)
            if device is None:
                device = self.devices[connection.device] = Device(connection.device, connection.view, self.clock())
            if connection.view in ("wall", "remote"):
                device.view = connection.view
            self.teacher_lost, self.is_away, self.teacher_came = None, False, True
        self._bump()

    def new_device(self, view: str) -> int:
        """The number of one more device of the teacher's."""
        if len(self.devices) >= MAX_DEVICES:
            here = {each.device for each in self.of_role("teacher")}
            gone = [number for number in self.devices if number not in here]
            if not gone:
                raise Refused("full")
            del self.devices[gone[0]]
        number = max(self.devices, default=0) + 1
        self.devices[number] = Device(number, view, self.clock(), new=True)
        return number

    def keep_device(self, number: int) -> None:
        """The teacher says that a new device is theirs."""
        if number not in self.devices:
            raise Refused("gone")
        self.devices[number].new = False
        self._bump()

    def take_out_device(self, number: int) -> None:
        """Take a device out: all tokens of the teacher change, and the other devices get new ones."""
        if number not in self.devices:
            raise Refused("gone")
        del self.devices[number]
        self.epoch += 1
        self.pairings.clear()
        if self._is_on_screens("follow", number):
            self.screen = None
        for each in self.of_role("teacher"):
            if each.device == number:
                each.dismiss("void")
            else:
                each.epoch = self.epoch
                each.note({"is": "token", "token": self.token_of("teacher", each.device)})
        self._bump()

    def depart(self, connection: Connection) -> None:
        """A browser's connection has ended."""
        if connection not in self.connections:
            return
        del self.connections[connection]
        now = self.clock()
        if connection.role == "student" and connection.seat in self.seats and not self.is_here(connection.seat):
            seat = self.seats[connection.seat]
            seat.lost = now
            self.touch(seat)
        if connection.role == "teacher":
            if connection.one is not None:
                self.look(connection, connection.pictures, None)
            if not self.of_role("teacher"):
                self.teacher_lost = now
            self._bump()
        if self.waiting.get(connection.knocks) is connection:
            del self.waiting[connection.knocks]
            self._bump()

    # What students do.

    def raise_help(self, number: int, *, on: bool) -> None:
        """A student asks for help, or no longer does."""
        self._check_is_back()
        seat = self.seat(number)
        if on and seat.help is None:
            seat.help, seat.helps = self.clock(), seat.helps + 1
        elif not on:
            seat.help = None
        self._acted(seat)

    def say_done(self, number: int, *, on: bool) -> None:
        """A student is done, or no longer is."""
        self._check_is_back()
        seat = self.seat(number)
        seat.done = on
        self._acted(seat)

    def answer(self, number: int, vote: int, state: str, value: object) -> None:
        """A student's answer to the open vote; the browser gets a receipt."""
        self._check_is_back()
        found = self._vote_in(vote, state)
        seat, answer = self.seat(number), found.answer(number, value)
        if answer is None:
            raise Refused("field" if found.is_open else "state")
        self._acted(seat)
        self._give_receipt(found, found.number, number, closed=0)

    def show_board(self, connection: Connection, board: Board) -> None:
        """A student's page, or a page of the teacher's, shows something else now."""
        if connection.role == "teacher":
            device = self.devices.get(connection.device)
            if device is None or device.board == board:
                return
            device.board = board
            self._bump()
            return
        seat = self.seat(connection.seat)
        if seat.board == board:
            return
        if seat.board.run != board.run:
            seat.glance = NOTHING
        seat.board = board
        self._acted(seat)
        if self._is_on_screens("spot", seat.number):
            self._bump()

    def was_placed(self, number: int, send: int) -> None:
        """A student's page has reached the place of a send."""
        seat = self.seat(number)
        seat.placed = max(seat.placed, send)
        if self.follow_until:
            self.changed(self)

    def sessions(self) -> set[str]:
        """The sessions of the students' pages."""
        return {each.board.session for each in self.seats.values() if each.board.session}

    @property
    def is_on_its_way(self) -> bool:
        """Whether pages follow the teacher just now: all are there sooner where no run takes a step meanwhile."""
        now = self.clock()
        if now >= self.follow_until:
            return False
        here = {each.seat for each in self.of_role("student")}
        pages = [each for each in self.seats.values() if each.board.session and each.number in here]
        sends = [each.sent for each in pages if each.sent is not None and each.placed < each.sent.n]
        # Whoever has not followed an earlier send will not follow now.
        on_the_way = sum(each.at > now - FOLLOW_SECONDS for each in sends)
        return on_the_way > STRAGGLERS_SHARE * len(pages)

    # What the teacher does.

    def look(self, connection: Connection, pictures: Collection[int], one: int | None) -> None:
        """What a wall looks at: the tiles in view, and the board that is open, whose student is told."""
        connection.pictures = frozenset(pictures) & self.seats.keys()
        before, connection.one = connection.one, one if one in self.seats else None
        for number in {before, connection.one} - {None}:
            if number in self.seats and before != connection.one:
                self.touch(self.seats[number])

    def open_door(self, *, is_open: bool) -> None:
        """Let students in, or no more."""
        before, self.is_open = self.is_open, is_open
        if before != is_open:
            self._act("door" if is_open else "door off", lambda: setattr(self, "is_open", before))

    def choose_names(self, wish: Names) -> None:
        """How students are called; only before the first has joined, and as the server allows."""
        if self.last_seat or not allows_names(self.settings, wish):
            raise Refused("names")
        self.names = wish
        for each in self.of_role("join"):
            each.offer = self.new_offer()
        self._bump()

    def set_shown(self, **values: bool) -> None:
        """Set `show_names`, `leaders` or `names_on_leaders`."""
        for name, value in values.items():
            setattr(self, name, value)
        self._bump()

    def send(
        self, kind: Sending, place: Place, run: str | None, to: str | Collection[int], *, step: int | None = None
    ) -> None:
        """Send boards somewhere. To all: the class is together there, and latecomers go there, too.

        `step` is the one of the plan at which the class is then.
        """
        if to == "strayed":
            targets = [seat for seat in self.seats.values() if self.strayed(seat)]
        elif to == "all":
            targets = list(self.seats.values())
        else:
            targets = [self.seats[number] for number in to if number in self.seats]
        sent = Send(self._next_id(), kind, place, run, self.clock())
        before = [(seat, seat.sent) for seat in targets]
        was_at, was_free, was_step = self.sent, self.free, self.at_step

        def undo() -> None:
            for seat, earlier in before:
                is_there = seat.sent is not None and replace(seat.sent, n=sent.n, at=sent.at) == sent
                if is_there:  # perhaps with another number, after an undo
                    seat.sent = earlier if seat.placed < sent.n else self._way_back(sent, earlier)
                    self.touch(seat)
            if self.sent is sent:
                self.sent, self.free = was_at, was_free
                self.at_step = min(was_step, max(0, len(self.steps) - 1))
                self._touch_rows()

        self.follow_until = self.clock() + FOLLOW_SECONDS
        for seat in targets:
            seat.sent, seat.done = sent, False
            self.touch(seat)
        if to == "all":
            self.sent, self.free = sent, False
            self.arrive_until = self.clock() + ON_THE_WAY_SECONDS
            self.at_step = self.at_step if step is None else step
            self._act("send", undo, title=place.title or place.page)
        else:
            self._act("send some", undo, count=len(targets), title=place.title or place.page)

    def _way_back(self, sent: Send, earlier: Send | None) -> Send:
        """Where a board goes whose page has followed a send that is taken back."""
        found = replace(sent, kind="back", run=None) if earlier is None else earlier
        return replace(found, n=self._next_id(), at=self.clock())

    def set_free(self) -> None:
        """Let all roam."""
        if self.free:
            return

        def undo() -> None:
            self.free = False
            self._touch_rows()

        self.free = True
        self._touch_rows()
        self._act("free", undo)

    def lock(self, settings: Collection[str]) -> None:
        """Lock these settings, or "all"; none: unlock."""
        before, self.locks = self.locks, tuple(dict.fromkeys(settings))
        if before != self.locks:
            self._act("lock" if self.locks else "unlock", lambda: setattr(self, "locks", before))

    def set_eyes(self, *, on: bool) -> None:
        """Pause all boards, or let them go on."""
        before, self.eyes = self.eyes, on
        if before != on:
            self._act("eyes" if on else "eyes off", lambda: setattr(self, "eyes", before))

    def show_on_all(self, screen: Screen | None) -> None:
        """Put the board of the teacher or of a student on all screens; None: own boards again."""
        if screen is not None:
            is_seat = screen.what == "spot"
            board = self.seat(screen.number).board if is_seat else self.devices[screen.number].board
            if board.run is None:
                raise Refused("no run")
        before = self.screen
        if before == screen:
            return
        self.screen = screen
        shown = screen or before
        assert shown is not None  # one of the two is there, as they differ
        name = self.seats[shown.number].name if shown.what == "spot" and shown.number in self.seats else ""
        what = shown.what if screen is not None else f"{shown.what} off"
        self._act(what, lambda: self._put_screen(before), name=name)

    def set_plan(self, steps: Iterable[Place]) -> None:
        """Set the steps of the lesson."""
        self.steps = tuple(steps)
        self.at_step = min(self.at_step, max(0, len(self.steps) - 1))
        self._bump()

    def go_to_step(self, before: int, step: int) -> None:
        """Send all to a step of the plan, from the one that the browser showed; a step that asks opens its vote."""
        if before != self.at_step or step >= len(self.steps):
            raise Refused("state")
        if self.vote is not None:
            raise Refused("busy")
        place = self.steps[step]
        self.send("place", place, None, "all", step=step)
        if place.ask and place.experiment and questions.find(place.page, place.experiment) is not None:
            self.ask(place.page, place.experiment)

    def show_projected(self, **wish: str) -> None:
        """Choose what the projector shows."""
        self.project = {**self.project, **wish}
        self._bump()

    def help_given(self, number: int) -> None:
        """The teacher has helped."""
        seat = self.seat(number)
        seat.help = None
        self.touch(seat)

    def undo(self, act: int) -> None:
        """Take back the last act that can be, if it is this one."""
        last = next((each for each in reversed(self.acts) if each.undo is not None), None)
        if last is None or last.id != act:
            raise Refused("state")
        assert last.undo is not None
        self.acts.remove(last)
        last.undo()
        self._bump()

    # The vote.

    def ask(self, page: str, experiment: str) -> None:
        """Ask the question of an experiment."""
        if self.vote is not None:
            raise Refused("busy")
        question = questions.find(page, experiment)
        if question is None:
            raise Refused("question")
        self.vote = Vote(self._next_id(), question)
        self._touch_rows()
        self._act("ask")

    def press(self, event: str, vote: int, state: str, *, is_sure: bool = False) -> None:
        """An event of the vote's own, pressed while it was in this state."""
        found = self._vote_in(vote, state)
        if self.returning is not None:
            raise Refused("wait")
        if not found.allows(event):
            raise Refused("state")
        if event == "show" and found.answered(self.voters) < FEW and not is_sure:
            raise Refused("few", few=FEW)
        if event == "reveal" and found.truth is None:
            raise Refused("state")
        self._take(found, event)

    def set_timer(self, vote: int, state: str, seconds: int | None) -> None:
        """Close the open vote after some seconds, or show the time that is left to talk."""
        found = self._vote_in(vote, state)
        end = None if seconds is None else self.clock() + seconds
        if found.is_open:
            found.until = end
        elif found.state == "closed 1":
            found.talk = end
        else:
            raise Refused("state")
        self._bump()

    def peek(self, connection: Connection, *, on: bool) -> None:
        """Show this device, and no other, the sums of the present vote for two seconds, or no more."""
        connection.peeks_until = self.clock() + PEEK_SECONDS if on else 0.0
        if on:
            self.send_peek(connection)

    def send_peek(self, connection: Connection) -> None:
        """Send the sums to a device that peeks."""
        if self.vote is not None and not self.vote.is_shown:
            result = self.vote.result(self.vote.answers, self.voters, self.random)
            connection.note({"is": "peek", "vote": self.vote.id, "result": result})

    def want_runs(self, vote: Vote) -> None:
        """Ask the workers to play the real runs."""
        self.errands.append(Errand("runs", vote.id, vote.question.page, vote.question.experiment))

    def runs_found(self, vote: int, found: RealRuns) -> None:
        """The real runs and what they say, for the vote that waits for them."""
        if self.vote is None or self.vote.id != vote or self.vote.state != "run":
            return
        self.vote.truth = found.truth if self.vote.truth is None else self.vote.truth
        self.vote.recordings, self.vote.played_at = found.recordings, self.clock()
        self._bump()
        self._reveal_if_there()

    # Snapshots.

    def keep_snapshot(self, number: int, asked_by: Connection) -> None:
        """Keep the run of a student for the teacher; the workers are asked for its checkpoint."""
        seat = self.seat(number)
        if seat.board.run is None:
            raise Refused("no run")
        size = sum(len(each.content) for each in self.snapshots.values())
        if len(self.snapshots) >= self.settings.class_snapshots or size > MAX_SNAPSHOT_BYTES:
            raise Refused("many", most=len(self.snapshots))
        if len(self.errands) < self.settings.class_snapshots:
            self.errands.append(Errand("snapshot", number, seat.board.page, run=seat.board.run, asked_by=asked_by))

    def snapshot_taken(self, errand: Errand, content: bytes, query: str, tile: bytes) -> None:
        """The checkpoint has come."""
        seat = self.seats.get(errand.number) or self.left.get(errand.number)
        if seat is None:
            return
        board = Board(page=errand.page, query=query or seat.board.query, experiment=seat.board.experiment)
        number = self._next_id()
        self.snapshots[number] = Snapshot(
            number, seat.number, seat.name, board, seat.glance.step, self.clock(), content, tile
        )
        if errand.asked_by is not None:
            errand.asked_by.note({"is": "snapshot", "id": number})
        self._bump()

    def drop_snapshot(self, number: int) -> None:
        """Keep a snapshot no longer."""
        if self.snapshots.pop(number, None) is None:
            raise Refused("gone")
        self._bump()

    # What runs report.

    @property
    def pictures(self) -> frozenset[str]:
        """The runs whose miniatures a wall looks at."""
        looked: set[int] = set()
        for each in self.of_role("teacher"):
            looked |= each.pictures | ({each.one} if each.one is not None else set())
        boards = (self.seats[number].board for number in looked if number in self.seats)
        return frozenset(board.run for board in boards if board.run is not None)

    def has_run(self, run: str) -> bool:
        """Whether a student or a device of the teacher's shows the run of this name."""
        boards = [each.board for each in self.seats.values()] + [each.board for each in self.devices.values()]
        return any(board.run == run for board in boards)

    @property
    def numbers(self) -> frozenset[str]:
        """The runs whose numbers somebody looks at: none where no teacher and no projector is there."""
        if not self.of_role("teacher", "projector"):
            return frozenset()
        return frozenset(seat.board.run for seat in self.seats.values() if seat.board.run is not None)

    def take_glances(self, glances: Mapping[str, Glance]) -> None:
        """What runs say of themselves, by the name under which they are read. A picture that is not new is kept."""
        new = [seat for seat in self.seats.values() if seat.board.run is not None and seat.board.run in glances]
        for seat in new:
            seat.glance = glances[seat.board.run or ""].with_picture_of(seat.glance)
        for each in self.of_role("teacher"):
            if new and each.view == "wall":
                each.glanced.update(seat.number for seat in new)
                each.wake()
        self._reveal_if_there()

    # Time.

    def tick(self) -> None:
        """Do what time alone brings about; called about once a second."""
        now = self.clock()
        if self.has_ended:
            return
        if now > self.began + self.settings.class_hours * 3600:
            self.end()
            return
        if self.teacher_lost is not None:
            away = now - self.teacher_lost
            is_known = self.teacher_came or self.is_reborn
            limit = self.settings.class_away_minutes * 60 if is_known else NEVER_CAME_SECONDS
            if away > limit:
                self.end()
                return
            self._without_teacher(away)
        if self.returning is not None:
            self._wait_for_return(now)
        self._reveal_if_there()
        if not self.is_shell:
            self._forget_boards(now)
        is_due = self.vote is not None and self.vote.until is not None and now >= self.vote.until and self.vote.is_open
        if self.vote is not None and is_due and self.returning is None:
            self._take(self.vote, "close")
        if self.is_shell and self.teacher_lost is None and now >= self.shell_ends:
            self.is_shell = False
            self._bump()
        if 0 < self.follow_until <= now:
            self.follow_until = 0.0
            self.changed(self)
        if 0 < self.arrive_until <= now:
            self.arrive_until = 0.0
            self._touch_rows()
        for seat in [each for each in self.seats.values() if each.lost is not None]:
            if now - (seat.lost or now) > LOST_SEAT_SECONDS:
                self._put_aside(seat.number)
                self._bump()
        for connection in self.connections:
            if now < connection.peeks_until:
                self.send_peek(connection)
            connection.second = True
            connection.wake()

    def end(self) -> None:
        """End the class: all browsers are told, and everything about its people is forgotten."""
        if self.has_ended:
            return
        self.has_ended = True
        for connection in self.connections:
            connection.notes.clear()
            connection.tiles.clear()
            connection.door, connection.offer, connection.agreed = None, "", ""
            connection.notes.append({"is": "ended"})
            connection.dismiss("ended")
        for group in (
            self.seats, self.left, self.taken_out, self.waiting, self.devices, self.pairings, self.snapshots,
            self.pending_answers, self.acts, self.errands, self.past, self.connections, self._made,
        ):  # fmt: skip
            group.clear()
        self.vote = self.sent = self.screen = self.returning = None
        self.steps = ()
        self.changed(self)

    # After a restart.

    def become_shell(self) -> None:
        """This class was started by a process before: it waits for what browsers have kept."""
        self.is_reborn = self.is_shell = True
        self.shell_ends = self.clock() + RETURN_SECONDS

    def expect(self, numbers: Iterable[int]) -> None:
        """Wait for these seats to come back before votes go on."""
        self.returning = Returning(self.clock() + RETURN_SECONDS, frozenset(numbers))
        self._wait_for_return(self.clock())
        self._use_answers()
        self._bump()

    @property
    def came_back(self) -> int:
        """How many of the expected seats are back."""
        return 0 if self.returning is None else sum(self.is_here(number) for number in self.returning.expected)

    def continue_from(self, last_id: int, last_seat: int, stamp: int) -> None:
        """Go on counting where the process before has ended.

        It may have given more numbers than the state knows, which is some seconds old: those are left out.
        """
        self.last_id = max(self.last_id, last_id + UNKNOWN_IDS)
        self.last_seat = max(self.last_seat, min(MAX_SEATS, last_seat + UNKNOWN_SEATS))
        self.latest = max(self.latest, stamp)

    def reach_epoch(self, epoch: int) -> None:
        """The teacher's tokens have been changed so often: earlier ones are void."""
        self.epoch = max(self.epoch, epoch)
        for each in self.of_role("teacher"):
            if each.epoch != self.epoch:
                each.dismiss("void")

    def is_connected(self, device: int) -> bool:
        """Whether a browser of this device of the teacher's is connected."""
        return any(each.device == device for each in self.of_role("teacher"))

    def add(self, seat: Seat) -> Seat:
        """Put a seat on the list: who comes late, or was away, goes where the class has been sent meanwhile."""
        self.seats[seat.number] = seat
        self.last_seat = max(self.last_seat, seat.number)
        seat.act = seat.act or self.clock()
        if not self.free and self.sent is not None and (seat.sent is None or seat.sent.n < self.sent.n):
            seat.sent = self.sent
        return seat

    def dismiss_seat(self, number: int) -> None:
        """Close the connections of a seat whose token was taken back."""
        for each in self._browsers_of(number):
            each.dismiss("void")

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` returns, made once for all browsers as long as nothing changes."""
        stamp, found = self._made.get(name, (-1, None))
        if stamp != self.latest:
            found = make()
            self._made[name] = self.latest, found
        return found

    # Inside.

    def _stamp(self) -> int:
        self.latest += 1
        return self.latest

    def _next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def _touch_rows(self) -> None:
        """What the wall lists of all seats may have changed."""
        stamp = self._stamp()
        for seat in self.seats.values():
            seat.row = stamp

    def touch(self, seat: Seat) -> None:
        """What a seat shows of itself has changed: to its student, and in the wall's list."""
        seat.rev = seat.row = self._stamp()
        for each in self.connections:
            if each.role == "teacher" or each.seat == seat.number:
                each.wake()
        self.changed(self)

    def _acted(self, seat: Seat) -> None:
        seat.act = self.clock()
        self.touch(seat)

    def _bump(self) -> None:
        self.rev = self._stamp()
        for each in self.connections:
            each.wake()
        self.changed(self)

    def _act(self, what: str, undo: Callable[[], None] | None = None, **fields: object) -> None:
        self.acts.append(Act(self._next_id(), self.clock(), what, ACTS[what].format(**fields), undo))
        self._bump()

    def _names(self) -> set[str]:
        """The names that are taken, in small letters and as they are."""
        people = (*self.seats.values(), *self.left.values(), *self.taken_out.values())
        return {form for seat in people for form in (seat.name, seat.name.casefold())}

    def _sit(self, connection: Connection, seat: Seat) -> None:
        """A browser takes a seat; another one that had it stops."""
        for each in self._browsers_of(seat.number):
            if each is not connection:
                each.dismiss("elsewhere")
        connection.role, connection.seat, connection.state = "student", seat.number, -1
        connection.knocks, connection.offer, connection.agreed = 0, "", ""
        self.connections[connection] = None
        seat.lost = None
        self._tell_name(seat, connection)
        if self.is_shell:
            connection.note({"is": "returning"})
        if self.vote is not None:
            for number, answers in ((1, self.vote.first), (2, self.vote.second)):
                if seat.number in answers:
                    is_open = self.vote.is_open and number == self.vote.number
                    closed = 0 if is_open else self.vote.closings[number]
                    self._give_receipt(self.vote, number, seat.number, closed=closed)

    def _tell_name(self, seat: Seat, *to: Connection) -> None:
        for each in to or self._browsers_of(seat.number):
            each.note({"is": "seat", "seat": seat.number, "name": seat.name,
                       "token": self.token_of("student", seat.number), "kept": self.receipts.name(seat)})  # fmt: skip
        self.touch(seat)

    def _take_out(self, seat: Seat) -> None:
        del self.seats[seat.number]
        self.taken_out[seat.number] = seat
        self.dismiss_seat(seat.number)
        if self._is_on_screens("spot", seat.number):
            self.screen = None

    def _put_aside(self, number: int) -> None:
        """Take a student off the list; what the file needs is kept, where there is anything."""
        seat = self.seats.pop(number, None)
        if seat is None:
            return
        if self._is_on_screens("spot", number):
            self.screen = None
        votes = [*self.past, *([self.vote] if self.vote is not None else [])]
        if seat.glance.step or any(number in vote.first or number in vote.second for vote in votes):
            self.left[number] = seat
        while len(self.left) > self.settings.class_seats:
            del self.left[next(iter(self.left))]

    def _check_is_back(self) -> None:
        if self.is_shell:
            raise Refused("wait")

    def _browsers_of(self, number: int) -> list[Connection]:
        return [each for each in self.connections if each.role == "student" and each.seat == number]

    def _put_back(self, number: int) -> None:
        if (seat := self.taken_out.pop(number, None)) is not None:
            seat.lost = self.clock()
            self.add(seat)
            self.touch(seat)

    def _is_on_screens(self, what: str, number: int) -> bool:
        return self.screen is not None and (self.screen.what, self.screen.number) == (what, number)

    def _forget_boards(self, now: float) -> None:
        """A board is on all screens no longer once its page has been gone for a while."""
        here = {each.device for each in self.of_role("teacher") if each.view == "board"}
        for device in self.devices.values():
            if device.number in here or (device.board.run is None and not self._is_on_screens("follow", device.number)):
                device.board_lost = None
            elif device.board_lost is None:
                device.board_lost = now
            elif now - device.board_lost > AWAY_SECONDS:
                device.board = Board()
                self._take_off_screens("follow", device.number)
        if self.screen is not None and self.screen.what == "spot" and self.returning is None:
            seat = self.seats.get(self.screen.number)
            if seat is None or (seat.lost is not None and now - seat.lost > AWAY_SECONDS):
                self._take_off_screens("spot", self.screen.number)

    def _take_off_screens(self, what: str, number: int) -> None:
        if self._is_on_screens(what, number):
            self.screen = None
        self._bump()

    def _put_screen(self, screen: Screen | None) -> None:
        is_there = screen is None or screen.number in (self.seats if screen.what == "spot" else self.devices)
        self.screen = screen if is_there else None

    def _vote_in(self, vote: int, state: str) -> Vote:
        if self.vote is None or self.vote.id != vote or self.vote.state != state:
            raise Refused("state")
        return self.vote

    def _take(self, vote: Vote, event: str) -> None:
        vote.take(event)
        if event in ("open 2", "next"):
            self._touch_rows()
        if event == "close":
            for seat in vote.answers:
                self._give_receipt(vote, vote.number, seat, closed=vote.closings[vote.number])
        if event == "play":
            self.want_runs(vote)
        if vote.state == "over":
            self.past.append(vote)
            self.vote = None
        if event in ("show", "play"):
            self._act(event)
        else:
            self._bump()

    def _give_receipt(self, vote: Vote, number: int, seat: int, *, closed: int) -> None:
        for each in self._browsers_of(seat):
            each.note(self.receipts.answer(vote, number, seat, closed=closed))

    def _use_answers(self) -> None:
        """Take the answers that students have brought back, once the votes are known."""
        if self.restored < 0:
            return
        votes = [*self.past, *([self.vote] if self.vote is not None else [])]
        for seat, brought in self.pending_answers.items():
            self.receipts.bring_back(votes, seat, brought)
            if seat in self.seats:
                self.touch(self.seats[seat])
        self.pending_answers.clear()

    def _without_teacher(self, seconds: float) -> None:
        if seconds > AWAY_SECONDS and not self.is_away:
            self.is_away = True
            if self.screen is not None and self.screen.what == "follow":
                self.screen = None
            self._bump()
        if seconds > EYES_SECONDS and self.eyes:
            self.eyes = False
            self._bump()

    def _wait_for_return(self, now: float) -> None:
        assert self.returning is not None
        is_enough = self.came_back >= RETURN_SHARE * len(self.returning.expected)
        if is_enough or now >= self.returning.until:
            self.returning = None
            self._bump()

    def _reveal_if_there(self) -> None:
        """Say the right answer once half of the boards of the experiment are where its question ends.

        Where no board has the experiment: once the recordings have been played.
        """
        vote = self.vote
        if vote is None or vote.state != "run" or vote.truth is None or vote.is_revealed:
            return
        question = vote.question
        runs = [
            seat.glance
            for seat in self.seats.values()
            if (seat.board.page, seat.board.experiment) == (question.page, question.experiment) and seat.board.run
        ]
        until = question.prediction.until
        there = sum(each.state in ("done", "failed") or (until is not None and each.step >= until) for each in runs)
        seconds = PLAY_SECONDS if vote.recordings else 0.0
        is_played = vote.played_at is not None and self.clock() >= vote.played_at + seconds
        if 2 * there >= len(runs) if runs else is_played:
            self._take(vote, "reveal")


def allows_names(settings: Settings, wish: str) -> bool:
    """Whether the server allows classes with these names: a school may allow offered ones or numbers alone."""
    order = ("numbers", "offered", "own")
    return order.index(wish) <= order.index(settings.class_names or "own")


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
