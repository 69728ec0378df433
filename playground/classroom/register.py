"""The classes of one server: which there are, who may start or enter one, and what they may read."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any, Literal

from playground.classroom import codes, coming_back, commands, questions, views
from playground.classroom.classroom import Classroom, allows_names
from playground.classroom.commands import BadField, Place
from playground.classroom.connections import Connection
from playground.classroom.messages import WHY_NOT_STARTED
from playground.classroom.rates import Bucket, Clock, WrongCodes, address_group
from playground.classroom.records import Refused, Seat
from playground.classroom.tiles import Boards
from playground.classroom.tokens import Keys, Pass
from playground.settings import Settings

DOOR_SHARE = 2  # times as many as there are seats may stand at the door
MAX_PROJECTORS = 20  # pages of one class
MAX_TEACHERS_PAGES = 60  # of one class
STARTS_PER_MINUTE = 6  # of classes, from one address
MAX_ENDED = 1_000  # codes of ended classes that are remembered
MAX_STARTERS = 1_000  # addresses that are remembered
Listener = Callable[[Classroom], None]

log = logging.getLogger(__name__)

WhyNot = Literal["code", "body", "full", "fast", "none"]


class NotStarted(ValueError):
    """A class that is not started: `why` is a key of WHY_NOT_STARTED."""

    def __init__(self, why: WhyNot, **fields: object) -> None:
        super().__init__(WHY_NOT_STARTED[why].format(**fields))
        self.why = why


class NotAdmitted(ValueError):
    """A first message that opens nothing: `why` is a key of CLOSED, `reason` the seconds to wait, if any."""

    def __init__(self, why: str, reason: str = "") -> None:
        super().__init__(why)
        self.why, self.reason = why, reason


class Register:
    """The classes of a server, by their codes. Everything happens on one thread, except `seat_of` and `locks_of`."""

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        clock: Clock,
        *,
        inline: Callable[[str], str] = str,
        random: Random | None = None,
    ) -> None:
        self.settings, self.keys, self.clock, self.inline, self.random = settings, keys, clock, inline, random
        self.classes: dict[str, Classroom] = {}
        self.listeners: list[Listener] = []
        self.wrong_codes = WrongCodes(settings.class_wrong_codes, clock)
        self._ended: OrderedDict[str, int] = OrderedDict()  # when the class with this code had begun
        self._starters: OrderedDict[str, Bucket] = OrderedDict()

    # Starting and ending.

    def start(self, code: object, wish: object, address: str) -> Classroom:
        """A new class. Raises NotStarted."""
        bucket = self._starters.setdefault(
            address_group(address), Bucket(STARTS_PER_MINUTE / 60, STARTS_PER_MINUTE, self.clock)
        )
        while len(self._starters) > MAX_STARTERS:
            self._starters.popitem(last=False)
        if not bucket.take():
            raise NotStarted("fast")
        try:
            fields = _read_wish(wish)
        except BadField:
            raise NotStarted("body") from None
        if not codes.is_code(code) or not allows_names(self.settings, fields["names"]):
            raise NotStarted("body")
        assert isinstance(code, str)
        if code in self.classes or code in self._ended:
            raise NotStarted("code")
        return self._open(code, **fields)

    def find(self, code: object) -> Classroom | None:
        """The class with this code."""
        return self.classes.get(code) if isinstance(code, str) else None

    def tick(self) -> None:
        """Do what time alone brings about in all classes; called about once a second."""
        for each in list(self.classes.values()):
            try:
                each.tick()
            except Exception:  # the other classes go on
                log.exception("A second of a class failed.")

    def take_glances(self, boards: Boards) -> None:
        """Ask the workers about the runs that somebody looks at, and take what they have said since."""
        if not self.classes:
            return
        pictures = frozenset().union(*(each.pictures for each in self.classes.values()))
        numbers = frozenset().union(*(each.numbers for each in self.classes.values()))
        glances = boards.reports(pictures, numbers - pictures)
        if glances:
            for each in self.classes.values():
                each.take_glances(glances)

    # Entering.

    def enter(self, code: object, first: Mapping[str, Any], connection: Connection, address: str) -> Classroom:
        """Let a browser into a class, as its first message says. Raises NotAdmitted."""
        if not codes.is_code(code):
            raise NotAdmitted("no class")
        assert isinstance(code, str)
        role, token = first.get("as"), first.get("token")
        has_token = role in ("student", "teacher", "projector")
        granted = self.keys.read(code, token) if has_token else None
        if not has_token and (wait := self.wrong_codes.wait(address, code)):
            raise NotAdmitted("too many", str(wait))
        if has_token and (granted is None or granted.role != role):
            raise NotAdmitted("no class")  # says nothing of codes: nobody guesses a token
        if granted is not None and self._ended.get(code) == granted.began:
            raise NotAdmitted("ended")
        of = self._known(code, granted) or self._come_back(code, granted)
        if of is None:
            if granted is None:
                self.wrong_codes.wrong(address)
            elif granted.role == "projector" and code not in self._ended and self._is_of_today(granted):
                raise NotAdmitted("slow")  # it opens no class, but tries again until somebody else has
            raise NotAdmitted("ended" if code in self._ended and granted is not None else "no class")
        self._admit(of, role, granted, first, connection)
        if role != "join":
            self.wrong_codes.joined(address, code)
        return of

    def _admit(
        self, of: Classroom, role: object, granted: Pass | None, first: Mapping[str, Any], connection: Connection
    ) -> None:
        if role == "join":
            _make_room_at_the_door(of)
            of.knock(connection)
        elif role == "student" and granted is not None:
            if granted.began != of.began or granted.number in of.taken_out:
                raise NotAdmitted("void")
            of.come_back(connection, granted.number, first.get("kept"), first.get("answers"))
        elif role == "pair":
            if not of.use_pairing(first.get("token")):
                raise NotAdmitted("void")
            self._enter_as_teacher(of, connection, first, number=0)
        elif role == "teacher" and granted is not None:
            if granted.began != of.began:
                raise NotAdmitted("void")
            if of.is_reborn and (of.restored < 0 or of.returning is not None or granted.epoch > of.epoch):
                _restore(of, first.get("keep"))
                of.reach_epoch(granted.epoch)  # the state may be older than the token
            if granted.epoch != of.epoch:
                raise NotAdmitted("void")
            self._enter_as_teacher(of, connection, first, number=0 if first.get("fresh") is True else granted.number)
        elif role == "projector" and granted is not None:
            if granted.began != of.began:
                raise NotAdmitted("void")
            if len(of.of_role("projector")) >= MAX_PROJECTORS:
                raise NotAdmitted("too many", "20")
            connection.role = "projector"
            connection.note(_welcome(of, "projector"))
            of.enter(connection)
        else:
            raise NotAdmitted("bad")

    def _enter_as_teacher(
        self, of: Classroom, connection: Connection, first: Mapping[str, Any], *, number: int
    ) -> None:
        view = first.get("view")
        if view not in ("wall", "remote", "board"):
            raise NotAdmitted("bad")
        if len(of.of_role("teacher")) >= MAX_TEACHERS_PAGES:
            raise NotAdmitted("too many", "20")
        try:
            connection.device = number or of.new_device(view)
        except Refused:
            raise NotAdmitted("too many", "20") from None
        connection.role, connection.view, connection.epoch = "teacher", view, of.epoch
        token = {} if number else {"token": of.token_of("teacher", connection.device)}
        connection.note(_welcome(of, "teacher") | token)
        of.enter(connection)

    def _known(self, code: str, granted: Pass | None) -> Classroom | None:
        """The class with this code.

        Codes are drawn by browsers, so after a restart somebody may start a class with the code of one that has not
        come back yet. A token shows that the earlier class was there: then the later one has to end.
        """
        of = self.classes.get(code)
        if of is None or granted is None or granted.began >= of.began or not self._may_come_back(granted):
            return of
        of.end()
        return None

    def _may_come_back(self, granted: Pass) -> bool:
        """Whether a class that an earlier process has started may go on here with this token."""
        return granted.role != "projector" and self._is_of_today(granted)

    def _is_of_today(self, granted: Pass) -> bool:
        """Whether the class of a token may still go on."""
        return 0 <= self.clock() - granted.began < self.settings.class_hours * 3600

    def _come_back(self, code: str, granted: Pass | None) -> Classroom | None:
        """The class of a token that an earlier process has given: it is empty until the teacher's state comes."""
        if granted is None or not self._may_come_back(granted):
            return None
        if len(self.classes) >= self.settings.classes:  # its people try again
            raise NotAdmitted("too many", "20")
        of = self._open(code, began=granted.began)
        of.become_shell()
        of.epoch = granted.epoch
        return of

    # What may be read.

    def may_read(self, code: object, token: object, name: str) -> bool:
        """Whether a browser with this token may read the run of this name now."""
        of = self.find(code)
        granted = None if of is None else of.admits(token)
        if of is None or granted is None:
            return False
        if granted.role == "teacher":
            return of.has_run(name)
        if granted.role == "student" and granted.number not in of.seats:
            return False
        return views.run_on_screens(of) == name

    def seat_of(self, session: str) -> tuple[Classroom, Seat] | None:
        """The class and the seat of the page with this session, for its script. Any thread may ask."""
        for of in list(self.classes.values()):
            for seat in list(of.seats.values()):
                if seat.board.session == session:
                    return of, seat
        return None

    def locks_of(self, session: str) -> tuple[str, ...]:
        """The settings that are locked on the page with this session. Any thread may ask."""
        found = self.seat_of(session)
        return () if found is None else found[0].locks

    # Inside.

    def _open(self, code: str, **fields: Any) -> Classroom:
        if not self.settings.classes:
            raise NotStarted("none")
        if len(self.classes) >= self.settings.classes:
            raise NotStarted("full", most=self.settings.classes)
        of = Classroom(code, self.keys, self.settings, self.clock, inline=self.inline, random=self.random, **fields)
        of.changed = self._changed
        self.classes[code] = of
        return of

    def _changed(self, of: Classroom) -> None:
        if of.has_ended and self.classes.get(of.code) is of:
            del self.classes[of.code]
            self.wrong_codes.forget(of.code)
            self._ended[of.code] = of.began
            while len(self._ended) > MAX_ENDED:
                self._ended.popitem(last=False)
        for listener in self.listeners:
            listener(of)


def _make_room_at_the_door(of: Classroom) -> None:
    """Send the one away who has stood there longest, where too many do: a flood keeps nobody from joining."""
    standing = [each for each in of.of_role("join") if each.closing is None and not each.knocks]
    if len(standing) < DOOR_SHARE * of.settings.class_seats:
        return
    if of.is_full():
        raise NotAdmitted("too many", "20")
    standing[0].dismiss("slow")


def _restore(of: Classroom, kept: object) -> None:
    """Take the state that a teacher's browser holds, after a restart; of several the one of the last change."""
    data = kept.get("data") if isinstance(kept, dict) else None
    rev = data.get("rev") if isinstance(data, dict) else None
    if isinstance(rev, int) and rev > of.restored:
        coming_back.restore(of, kept)


def _welcome(of: Classroom, role: str) -> dict[str, Any]:
    return {"is": "welcome", "role": role, "code": of.code, "now": of.clock(), "lessons": questions.lessons()}


def _read_wish(wish: object) -> dict[str, Any]:
    """The settings of a new class. Raises BadField."""
    if not isinstance(wish, dict) or not wish.keys() <= {"names", "show_names", "plan"}:
        raise BadField
    steps = commands.list_of(_step, commands.MAX_STEPS)(wish.get("plan", []))
    return {
        "names": commands.one_of(*commands.NAMES)(wish.get("names", "offered")),
        "show_names": commands.flag(wish.get("show_names", False)),
        "steps": [each for each in steps if each is not None],
    }


def _step(value: object) -> Place | None:
    """A step of a plan; None for one that this version of the lessons does not know, as an old link may have."""
    with suppress(BadField):
        return commands.step(value)
    return None
