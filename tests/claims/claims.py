"""What a lesson says, sentence by sentence: bound to a rule that a run decides, or marked as not for a run to decide.

    CLAIMS = Claims("regression")

    @CLAIMS.of("small-steps", "After 3,000 steps it is not where the tutorial is after 10.")
    def _(config):  # the settings of the experiment with this id
        assert last(curve(config, 3_000)) > at(curve(config.with_values(lr=0.5), 10), 10)

    @CLAIMS.says("After thirty steps the curve already has most of its shape.")
    def _():
        ...

A sentence is given as the page shows it, without asterisks and line breaks. What no run can decide is a line of
`undecided/<lesson>.txt`: a reason, a colon, the sentence. Questions and plain invitations ("Try other seeds.") need no line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.questions import SECTION, Choice, Question, questions

UNDECIDED = Path(__file__).parent / "undecided"
REASONS = {
    "definition": "what a word, a symbol or a formula means here",
    "invitation": "what the student may do",
    "scene": "what the student is about to see",
    "page": "where something is on the page, or what a control does: the tests of pages hold it",
    "eye": "what one sees in a picture, and no number decides",
    "why": "the reason of something else that is decided",
    "advice": "what one should do",
    "hint": "what somebody who answers wrongly should think of",
    "history": "what was true of other versions, texts and programs",
    "people": "what people do or know",
    "machine": "times and speeds, which are those of the machine",
}
VERBS = (
    "Add|Change|Choose|Click|Compare|Count|Double-click|Drag|Draw|Find|Give|Go|Guess|Increase|Look|Lower|Make|Move|Open"
    "|Pause|Play|Point|Press|Raise|Read|Remove|Reset|See|Set|Shift-click|Start|Switch|Tick|Try|Turn|Type|Wait|Watch|Write"
)
INVITATION = re.compile(rf"(?:(?:Then|Now) )?(?:{VERBS}|{VERBS.lower()})\b[^:;,]*")
END_OF_SENTENCE = re.compile(r"(?<=[.?!])([”\")`]?)\s+(?=[“(]?[A-Z0-9√exλ`])")


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph, without emphasis. A short answer ("Yes.") goes with what follows it."""
    text = re.sub(r"\s+", " ", re.sub(r"\*\*(?=\S)([^*`]+)\*\*", "\\1", text)).strip()
    found: list[str] = []
    for each in END_OF_SENTENCE.sub("\\1\n", text).split("\n"):
        if found and len(found[-1].split()) < 3 and not found[-1].endswith("?"):
            found[-1] += f" {each}"
        elif each:
            found.append(each)
    return found


@dataclass(frozen=True)
class Sentence:
    """A sentence of a lesson, and the experiment or section in which it stands."""

    place: str
    text: str

    @property
    def asks(self) -> bool:
        """Whether it is a question or an invitation that claims nothing."""
        return self.text.rstrip(")”").endswith("?") or INVITATION.fullmatch(self.text) is not None


def claimed(lesson: str) -> Iterator[Sentence]:
    """All sentences of a lesson, in order."""
    tried = experiments(LESSONS[lesson])
    for section, text in LESSONS[lesson].prose.items():
        if section == "Try this":
            for each in tried:
                yield from (Sentence(each.id, found) for part in (each.before, each.after) for found in sentences(part))
            continue
        if section == SECTION:
            for question in questions(LESSONS[lesson]):
                yield from (Sentence(section, found) for text in _asked(question) for found in sentences(text))
            continue
        plain = re.sub(r"```.*?```", "\n\n", text, flags=re.DOTALL)
        for paragraph in re.split(r"\n\s*\n|\n(?=\s*- )|^- | :: ", plain):
            yield from (Sentence(section, found) for found in sentences(re.sub(r"^\s*- ", "", paragraph)))


def _asked(question: Question) -> Iterator[str]:
    """What a question says: its text, the right answer, what wrong ones hear that has a number, its explanation."""
    kind = question.kind
    yield question.text
    answer = kind.options[kind.right] if isinstance(kind, Choice) else kind.text
    yield f"The answer to {question.id}: {answer.rstrip('.')}."
    feedback = kind.feedback.values() if isinstance(kind, Choice) else (*kind.wrong.values(), kind.other)
    yield from (each for each in feedback if re.search(r"\d", each))
    yield question.explanation


@dataclass(frozen=True)
class Rule:
    """What decides sentences of a lesson. `experiment` is the id of the one whose settings `check` gets, if any."""

    lesson: str
    experiment: str
    texts: tuple[str, ...]
    check: Callable[..., None]
    is_long: bool
    threads: int = 1

    def holds(self) -> None:
        """Raise AssertionError, with the sentences in its notes, where one of them is not true."""
        try:
            if self.experiment:
                configs = {each.id: each.config for each in experiments(LESSONS[self.lesson])}
                self.check(configs[self.experiment])
            else:
                self.check()
        except AssertionError as error:
            for text in self.texts:
                error.add_note(f"No longer true in the lesson {self.lesson}: “{text}”")
            raise


class Claims:
    """The rules of one lesson; `threads` are the numbers of torch's threads with which each of them must hold."""

    def __init__(self, lesson: str, threads: tuple[int, ...] = (1,)) -> None:
        self.lesson = lesson
        self.threads = threads
        self.rules: list[Rule] = []

    def of(self, experiment: str, *texts: str, is_long: bool = False) -> Callable[[Any], Any]:
        """The decorated function gets the settings of an experiment and asserts what these sentences of it say."""

        def keep(check: Any) -> Any:
            for at, threads in enumerate(self.threads):
                self.rules.append(Rule(self.lesson, experiment, texts, check, is_long or at > 0, threads))
            return check

        return keep

    def says(self, *texts: str, is_long: bool = False) -> Callable[[Any], Any]:
        """The decorated function asserts what these sentences of the other sections say."""
        return self.of("", *texts, is_long=is_long)


def undecided(lesson: str) -> dict[str, str]:
    """The sentences that no run decides, each with its reason. Raises ValueError for a line that has none."""
    found: dict[str, str] = {}
    for line in (UNDECIDED / f"{lesson}.txt").read_text(encoding="utf-8").splitlines():
        reason, _, text = line.partition(": ")
        if reason not in REASONS or not text:
            raise ValueError(f"{lesson}.txt: begin the line with one of {', '.join(REASONS)} and a colon: {line}")
        if text in found:
            raise ValueError(f"{lesson}.txt: this sentence is there twice: {text}")
        found[text] = reason
    return found
