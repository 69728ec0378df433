"""What a narrator is made of: an ordered list of rules, each with a name, its evidence, its sentence and its advice.

    situation -> rule.find -> evidence (a frozen record of what the rule measured), or None if the rule does not apply
    evidence  -> sentence and advice, from a table of messages with the evidence's fields

The narrator's line is what the first rule finds; whoever wants to know everything asks for all `findings`. A situation
says what came before: `since`, the last change in words. A rule judges only the steps after that change and, if it has
a sentence for it, says which change it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any, Generic, Protocol, TypeVar

from playground.lessons.numbers import number
from playground.lessons.ranking import listed

MAX_LETTERS = 140  # of a sentence and its advice: two lines beside the numbers
NAMED = (0, 3, 2, 1)  # names that a list has, as far as there is room; with 0 all of them
DIGITS = 4  # significant ones of a number in a sentence, as in the status line


class Situation(Protocol):
    """What every situation has; a lesson adds what its rules read."""

    @property
    def since(self) -> str:
        """The last change in words, "Since you set “Learning rate” to 0.3 at step 120"; "" if there was none."""


S = TypeVar("S", bound=Situation)


@dataclass(frozen=True)
class Finding:
    """What a rule found: its name, its evidence (a frozen record), its sentence, and its advice ("" if none is apt)."""

    rule: str
    evidence: Any
    sentence: str
    advice: str = ""

    @property
    def text(self) -> str:
        """The sentence and the advice."""
        return f"{self.sentence} {self.advice}".strip()


@dataclass(frozen=True)
class Rule(Generic[S]):
    """A rule of a narrator. Sentences are formatted with the fields of the evidence, and with `since`.

    `find` returns the evidence, a frozen dataclass, or None if the rule does not apply. `sentence_since` is the
    sentence where something was changed before. `advice` chooses a sentence that says what can be done, and "" where
    nothing can. What is too long for its line names fewer of a tuple of names; after a change it is said without the
    change, or else without the advice. Floats have as many digits as in the status line.
    """

    name: str
    find: Callable[[S], Any]
    sentence: str
    sentence_since: str = ""
    advice: Callable[[S, Any], str] | None = None

    def finding(self, situation: S) -> Finding | None:
        """What the rule finds in a situation; None if it does not apply."""
        evidence = self.find(situation)
        if evidence is None:
            return None
        advice = self.advice(situation, evidence) if self.advice is not None else ""
        ways = [(self.sentence, advice)]
        if situation.since:
            ways = [(self.sentence_since or self.sentence, advice), *ways, (self.sentence, "")]
        values = {"since": situation.since} | {each.name: getattr(evidence, each.name) for each in fields(evidence)}
        said = Finding(self.name, evidence, "")
        for (sentence, and_advice), most in product(ways, NAMED):
            words = {name: _words(value, most) for name, value in values.items()}
            said = replace(said, sentence=sentence.format(**words), advice=and_advice.format(**words))
            if len(said.text) <= MAX_LETTERS:
                break
        return said


def _words(value: Any, most: int) -> Any:
    """A value as a sentence has it: a number with its digits, `most` of the names, or all for 0."""
    if isinstance(value, tuple):
        return listed(value, most)
    return number(value, DIGITS) if isinstance(value, float) else value


def findings(rules: Iterable[Rule[S]], situation: S) -> Iterator[Finding]:
    """What the rules find, in their order, computed as they are asked for."""
    return (found for rule in rules if (found := rule.finding(situation)) is not None)


def first_finding(rules: Iterable[Rule[S]], situation: S) -> Finding:
    """What the first rule that applies finds. Raises StopIteration if none applies: let the last one always apply."""
    return next(findings(rules, situation))
