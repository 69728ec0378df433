"""One vote: a question that is asked, answered, discussed, asked again, shown, and then answered by the real run.

| state | events | next |
|---|---|---|
| open 1, open 2 | answer; close | the same; closed |
| closed 1 | reopen, show, open 2, next | open 1, shown 1, open 2, none |
| shown 1 | hide, open 2, play, next | closed 1, open 2 ("seen before"), run, none |
| closed 2 | reopen, show, next | open 2, shown 2, none |
| shown 2 | hide, play, next | closed 2, run, none |
| run | reveal, next | run, none |

Nothing of a result is in `data` before "shown".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from playground.classroom.questions import Question
from playground.predictions import Answer, Choice, Number
from playground.real_runs import Recording

State = Literal["open 1", "closed 1", "shown 1", "open 2", "closed 2", "shown 2", "run", "over"]
STATES: tuple[State, ...] = ("open 1", "closed 1", "shown 1", "open 2", "closed 2", "shown 2", "run", "over")
EVENTS = ("close", "reopen", "open 2", "show", "hide", "play", "reveal", "next")
NEXT: dict[tuple[State, str], State] = {
    ("open 1", "close"): "closed 1",
    ("closed 1", "reopen"): "open 1",
    ("closed 1", "show"): "shown 1",
    ("closed 1", "open 2"): "open 2",
    ("closed 1", "next"): "over",
    ("shown 1", "hide"): "closed 1",
    ("shown 1", "open 2"): "open 2",
    ("shown 1", "play"): "run",
    ("shown 1", "next"): "over",
    ("open 2", "close"): "closed 2",
    ("closed 2", "reopen"): "open 2",
    ("closed 2", "show"): "shown 2",
    ("closed 2", "next"): "over",
    ("shown 2", "hide"): "closed 2",
    ("shown 2", "play"): "run",
    ("shown 2", "next"): "over",
    ("run", "reveal"): "run",
    ("run", "next"): "over",
}
MAX_CURVES = 100  # of a result, drawn at random: more are a cloud
FEW = 5  # with fewer answers it may be plain who said what
IS_OPEN = ("open 1", "open 2")


@dataclass
class Vote:
    """A question to a class and its answers, by seat: `first` of the first vote, `second` of the second."""

    id: int
    question: Question
    state: State = "open 1"
    number: Literal[1, 2] = 1  # which of the two votes is open or was the last
    seen_before: bool = False  # the first result was shown before the second vote
    first: dict[int, Answer] = field(default_factory=dict)
    second: dict[int, Answer] = field(default_factory=dict)
    closings: dict[int, int] = field(default_factory=lambda: {1: 0, 2: 0})  # how often each was closed
    until: float | None = None  # an open vote closes then by itself
    talk: float | None = None  # the end of a discussion
    truth: Answer | None = None  # what the real run says
    recordings: tuple[Recording, ...] = ()  # of the runs that show it
    played_at: float | None = None  # when they came, and all screens begin to play them
    is_revealed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it takes answers."""
        return self.state in IS_OPEN

    @property
    def is_shown(self) -> bool:
        """Whether its result may be seen by all."""
        return self.state in ("shown 1", "shown 2", "run")

    @property
    def answers(self) -> dict[int, Answer]:
        """The answers of the present vote."""
        return self.second if self.number == 2 else self.first

    def allows(self, event: str) -> bool:
        """Whether this event has a meaning in the present state."""
        return (self.state, event) in NEXT

    def take(self, event: str) -> None:
        """Go on to the next state. Raises KeyError for an event that has no meaning here."""
        if (self.state, event) == ("shown 1", "open 2"):
            self.seen_before = True
        if event == "open 2":
            self.number = 2
        if event == "close":
            self.closings[self.number] += 1
        if event == "reveal":
            self.is_revealed = True
        self.state = NEXT[self.state, event]
        self.until = self.talk = None

    def answer(self, seat: int, value: object) -> Answer | None:
        """Take an answer, or another one in its place; None if it is not one, or if the vote is not open."""
        found = self.question.read(value) if self.is_open else None
        if found is not None:
            self.answers[seat] = found
        return found

    def answered(self, seats: Collection[int]) -> int:
        """How many of these seats have answered the present vote."""
        return sum(seat in self.answers for seat in seats)

    def changed(self, seats: Collection[int]) -> int:
        """How many of these seats answered both votes, and differently."""
        return sum(self.first[seat] != self.second[seat] for seat in self._both(seats))

    def result(self, answers: Mapping[int, Answer], seats: Collection[int], random: Random) -> dict[str, Any]:
        """What these seats said, without who said it: sums of options, or numbers or curves in no order."""
        said = [answer for seat, answer in answers.items() if seat in seats]
        if isinstance(self.question.ask, Choice):
            counts = Counter(said)
            return {"n": len(said), "sums": {key: counts[key] for key in self.question.ask.options}}
        if isinstance(self.question.ask, Number):
            return {"n": len(said), "values": sorted(said)}
        random.shuffle(said)
        curves = [[_short(y) for y in answer] for answer in said[:MAX_CURVES]]  # type: ignore[union-attr,arg-type]
        return {"n": len(said), "curves": curves}

    def moves(self, seats: Collection[int], random: Random) -> Any:
        """How answers moved between the votes: {from: {to: count}}, or [first, second] in no order; None for curves."""
        both = [(self.first[seat], self.second[seat]) for seat in self._both(seats)]
        if isinstance(self.question.ask, Choice):
            options, counts = self.question.ask.options, Counter(both)
            return {one: {other: counts[one, other] for other in options} for one in options}
        if isinstance(self.question.ask, Number):
            random.shuffle(both)
            return [list(pair) for pair in both]
        return None

    def data(self, seats: Collection[int], random: Random, inline: Callable[[str], str] = str) -> dict[str, Any]:
        """The vote as every role may see it."""
        found: dict[str, Any] = {
            "id": self.id,
            "page": self.question.page,
            "query": self.question.query,
            "experiment": self.question.experiment,
            "title": self.question.title,
            "state": self.state,
            "seen_before": self.seen_before,
            "ask": self.question.data(inline),
            "answered": self.answered(seats),
            "of": len(seats),
            "until": self.until,
            "talk": self.talk,
        }
        if self.is_shown:
            found["result"] = self.result(self.answers, seats, random)
            if self.number == 2:
                found["results"] = [self.result(self.first, seats, random), found["result"]]
                found["moves"] = self.moves(seats, random)
                found["changed"] = self.changed(seats)
        if self.state == "run" and self.is_revealed and self.truth is not None:
            found |= {"truth": self.truth, "say": inline(self.question.said(self.truth))}
        return found

    def _both(self, seats: Collection[int]) -> list[int]:
        return [seat for seat in self.first if seat in self.second and seat in seats]


def _short(number: float) -> float:
    return float(f"{number:.4g}")
