"""What a student's browser keeps so that nothing is lost when the server restarts: its name and answers, sealed.

A closed answer cannot be altered: when a vote is closed, the browser gets a receipt that counts this closing, and only
the one of the last closing brings an answer back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from playground.classroom.records import Seat
from playground.classroom.tokens import Keys
from playground.classroom.votes import Vote
from playground.predictions import Answer

MAX_ANSWERS = 200  # that a browser brings back


@dataclass(frozen=True)
class Receipts:
    """Writes and reads what the browsers of one class keep."""

    keys: Keys
    code: str
    began: int

    def name(self, seat: Seat) -> dict[str, Any]:
        """What keeps the name of a seat."""
        kept = {"seat": seat.number, "name": seat.name, "typed": seat.typed, "joined": seat.joined}
        return {**kept, "seal": self.keys.seal("seat", self.code, self.began, kept)}

    def seat(self, number: int, kept: object, dot: int) -> Seat | None:
        """The seat that a browser has kept, where this server has sealed it."""
        if not isinstance(kept, dict) or kept.get("seat") != number:
            return None
        fields = {name: kept.get(name) for name in ("seat", "name", "typed", "joined")}
        try:
            is_sealed = self.keys.is_sealed(kept.get("seal"), "seat", self.code, self.began, fields)
        except TypeError:  # what a browser sent is no JSON that was ever sealed
            return None
        if not is_sealed:
            return None
        return Seat(number, str(fields["name"]), bool(fields["typed"]), float(fields["joined"] or 0), dot)

    def answer(self, vote: Vote, number: int, seat: int, *, closed: int) -> dict[str, Any]:
        """The message that keeps an answer; `closed` counts the closings of its vote, 0 while it is open."""
        answer = (vote.first if number == 1 else vote.second)[seat]
        receipt = self.keys.seal(*self._fields(vote, number, seat, answer, closed))
        return {"is": "receipt", "vote": vote.id, "n": number, "answer": answer, "receipt": receipt, "closed": closed}

    def bring_back(self, votes: Iterable[Vote], seat: int, brought: Iterable[object]) -> None:
        """Take the answers of a student that were brought back, where their receipts are right."""
        known = {each.id: each for each in votes}
        for each in brought:
            if isinstance(each, Mapping) and (vote := known.get(_whole(each.get("vote")))) is not None:
                self._bring_back(vote, seat, each)

    def _bring_back(self, vote: Vote, seat: int, brought: Mapping[str, object]) -> None:
        number, closed = _whole(brought.get("n")), _whole(brought.get("closed"))
        answer = vote.question.read(brought.get("answer"))
        if number not in (1, 2) or answer is None:
            return
        if not self.keys.is_sealed(brought.get("receipt"), *self._fields(vote, number, seat, answer, closed)):
            return
        is_open = vote.is_open and vote.number == number
        if is_open or closed == vote.closings[number] > 0:
            (vote.first if number == 1 else vote.second).setdefault(seat, answer)

    def _fields(self, vote: Vote, number: int, seat: int, answer: Answer, closed: int) -> tuple[object, ...]:
        return "answer", self.code, self.began, vote.id, number, seat, answer, closed


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else -1
