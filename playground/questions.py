"""The questions of a lesson: each takes an answer, which is graded here, and says something about each wrong one.

They are the section "Check yourself" of the lesson's prose. A question is an item with its id; below it stand the
answers and, last, the explanation:

    - Which slope does torch give for ReLU at 0? "relu-at-0"
      - [x] 0
      - [ ] 1 :: What is said to whoever chooses it.
      - [ ] 0.5 :: The same.
      - The explanation, for all.

The right answer `[x]` stands among two or three wrong ones, which are shown in this order. Where the right one is
marked `[=]`, it is typed: a number with a tolerance and a unit (`[=] 88 ± 1 %`), or a formula of named values, compared
with the visitor's at the numbers given (`[=] (k - 1) / 2 for k = 3, 5, 9`). Wrong answers of the same kind stand beside
it, and `*` for any other:

      - [=] 31
      - [ ] 20 :: These are the weights. Each unit has a bias, too.
      - [ ] * :: Count the weights and biases of each layer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from playground.knobs import shorten
from playground.lesson import Lesson
from playground.parsing import expressions
from playground.parsing.decimals import Marks

SECTION = "Check yourself"
MAX_CHARACTERS = 100  # of an answer that is typed
RELATIVE_TOLERANCE = 1e-6  # of numbers without a tolerance, and of formulas

MESSAGES = {
    # About a question that is written wrongly.
    "question": "A question of lessons/{lesson}/prose.md cannot be used: {problem} The line is: {line}",
    "no question": 'It is not written as - Question? "id", with the answers in indented lines below.',
    "no answer": "An answer is written as - [x] right, - [=] typed, or - [ ] wrong :: what to say about it.",
    "illegal id": "The id “{id}” is not made of lowercase letters, digits and hyphens.",
    "duplicate id": "The id “{id}” is used twice.",
    "one right": "It needs one right answer, - [x] or - [=]; it has {count}.",
    "options": "A choice has 3 or 4 options; it has {count}.",
    "duplicate answer": "The answer “{answer}” is there twice.",
    "no feedback": "The wrong answer “{answer}” has no sentence after “::”.",
    "feedback": "The right answer has no “::”: what to say about it is the explanation.",
    "explanation": "It needs one explanation, a line without brackets at its end.",
    "no other": "A typed answer needs a line - [ ] * :: for any other answer.",
    "wrong is right": "The wrong answer “{answer}” would be graded as right.",
    "numbers": "The formula needs the same count of numbers for each of its names, two or more.",
    # About an answer.
    "nothing chosen": "Choose one of the answers.",
    "nothing typed": "Type an answer first.",
    "no number": "“{text}” is not a number. Type one such as 12, 0.5 or 1/3.",
    "not finite": "Type a finite number.",
    "too long": "An answer has at most {most} characters.",
}
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_QUESTION = re.compile(r'- (?P<text>.*\S) "(?P<id>[^"]*)"')
_ANSWER = re.compile(r"- \[(?P<mark>.)\] (?P<answer>.*?)(?: :: (?P<feedback>.*))?")
_NUMBER = re.compile(r"(?P<value>-?[\d.]+(?:e-?\d+)?)(?: ± (?P<tolerance>[\d.]+(?:e-?\d+)?))?(?: (?P<unit>\S.*))?")
_FORMULA = re.compile(r"(?P<text>.+) for (?P<values>\w+ = .+)")
_OTHER = "*"


class AnswerError(ValueError):
    """An answer that cannot be read, so that it is not graded; the message is a sentence."""


@dataclass(frozen=True)
class Choice:
    """One of three or four options, of which `right` is the index of the right one."""

    options: tuple[str, ...]
    right: int
    feedback: Mapping[int, str]  # for each wrong option

    def feedback_on(self, answer: object) -> str:
        """What to say about an index; "" for the right one. Raises AnswerError for anything else."""
        if type(answer) is not int or not 0 <= answer < len(self.options):
            raise AnswerError(MESSAGES["nothing chosen"])
        return self.feedback.get(answer, "")


@dataclass(frozen=True)
class Number:
    """A number that is typed, at most `tolerance` away from the right one."""

    text: str  # the right one, as the file has it
    value: float
    tolerance: float
    unit: str = ""
    wrong: Mapping[float, str] = field(default_factory=dict)
    other: str = ""

    def feedback_on(self, answer: object) -> str:
        """What to say about a typed number; "" for the right one. Raises AnswerError for anything else."""
        value = read_number(_typed(answer), self.unit)
        if abs(value - self.value) <= self.tolerance:
            return ""
        known = (said for wrong, said in self.wrong.items() if math.isclose(value, wrong, rel_tol=RELATIVE_TOLERANCE))
        return next(known, self.other)


@dataclass(frozen=True)
class Formula:
    """A formula that is typed, and has the values of the right one at some numbers, given for each of its names."""

    text: str  # the right one
    numbers: Mapping[str, tuple[float, ...]]
    wrong: Mapping[str, str] = field(default_factory=dict)
    other: str = ""

    def feedback_on(self, answer: object) -> str:
        """What to say about a typed formula; "" for the right one.

        Raises AnswerError for one that cannot be read or computed.
        """
        try:
            values = self._values(_typed(answer))
        except expressions.ExpressionError as problem:
            raise AnswerError(str(problem)) from None
        if _are_close(values, self._values(self.text)):
            return ""
        known = (said for wrong, said in self.wrong.items() if _are_close(values, self._values(wrong)))
        return next(known, self.other)

    def _values(self, text: str) -> Tensor:
        """The formula's values at the numbers: (numbers,). Raises ExpressionError."""
        formula = expressions.parse(text, self.numbers)
        formula.refuse_mixing()
        values = {name: torch.tensor(each, dtype=torch.float64) for name, each in self.numbers.items()}
        return formula.evaluate(values).double().expand(len(next(iter(self.numbers.values()))))


@dataclass(frozen=True)
class Question:
    """A question: its text and explanation in Markdown, and the kind of answer that it takes."""

    id: str
    text: str
    kind: Choice | Number | Formula
    explanation: str


def questions(lesson: Lesson) -> tuple[Question, ...]:
    """The questions in a lesson's prose, in order. Raises ValueError for one that cannot be used, with its line.

    They are read again only where the text has changed.
    """
    text = lesson.prose[SECTION]
    read_from, found = _read_last.get(lesson.name, ("", ()))
    if read_from != text:
        found = tuple(_read_all(lesson.name, text))
        _read_last[lesson.name] = text, found
    return found


def find(lesson: Lesson, name: str) -> Question | None:
    """The question of a lesson with this id."""
    return next((each for each in questions(lesson) if each.id == name), None)


def read_number(text: str, unit: str = "") -> float:
    """A number as visitors type it, with or without its unit: 12,832 or 0,25 or 1/3. Raises AnswerError."""
    plain = text.strip().removesuffix(unit).strip()
    marks = Marks(",") if plain.lstrip("-−").startswith("0,") else Marks()
    value = marks.number(plain)
    if value is None:
        value = Marks(",").number(plain)
    if value is None:
        try:
            value = float(expressions.parse(plain, ()).evaluate({}))
        except expressions.ExpressionError:
            raise AnswerError(MESSAGES["no number"].format(text=shorten(text))) from None
    if not math.isfinite(value):
        raise AnswerError(MESSAGES["not finite"])
    return value


_read_last: dict[str, tuple[str, tuple[Question, ...]]] = {}  # by the lesson's name


def _read_all(lesson: str, text: str) -> Iterator[Question]:
    ids: set[str] = set()
    for line, below in _items(lesson, text):
        try:
            found = _read(line, below)
            if found.id in ids:
                raise ValueError(MESSAGES["duplicate id"].format(id=found.id))
        except ValueError as problem:
            raise ValueError(MESSAGES["question"].format(lesson=lesson, problem=problem, line=line)) from None
        ids.add(found.id)
        yield found


def _items(lesson: str, text: str) -> Iterator[tuple[str, list[str]]]:
    """Each item that is not indented, with the indented lines below it."""
    items: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        if not line.startswith(" "):
            items.append((line.strip(), []))
        elif items:
            items[-1][1].append(line.strip())
        else:
            problem = MESSAGES["no question"]
            raise ValueError(MESSAGES["question"].format(lesson=lesson, problem=problem, line=line.strip()))
    yield from items


def _read(line: str, below: list[str]) -> Question:
    match = _QUESTION.fullmatch(line)
    if match is None:
        raise ValueError(MESSAGES["no question"])
    if not ID.fullmatch(match["id"]):
        raise ValueError(MESSAGES["illegal id"].format(id=match["id"]))
    *answers, explanation = below or [""]
    if not explanation.startswith("- ") or explanation.startswith("- ["):
        raise ValueError(MESSAGES["explanation"])
    return Question(match["id"], match["text"], _kind(answers), explanation.removeprefix("- ").strip())


def _kind(lines: list[str]) -> Choice | Number | Formula:
    right: list[tuple[str, str]] = []
    wrong: dict[str, str] = {}
    for line in lines:
        match = _ANSWER.fullmatch(line)
        if match is None or match["mark"] not in "x= ":
            raise ValueError(MESSAGES["no answer"])
        answer, feedback = match["answer"].strip(), (match["feedback"] or "").strip()
        if answer in wrong or answer in [each for _, each in right]:
            raise ValueError(MESSAGES["duplicate answer"].format(answer=answer))
        if match["mark"] != " ":
            if feedback:
                raise ValueError(MESSAGES["feedback"])
            right.append((match["mark"], answer))
        elif not feedback:
            raise ValueError(MESSAGES["no feedback"].format(answer=answer))
        else:
            wrong[answer] = feedback
    if len(right) != 1:
        raise ValueError(MESSAGES["one right"].format(count=len(right)))
    ((mark, answer),) = right
    if mark == "x":
        return _choice([_ANSWER.fullmatch(line)["answer"].strip() for line in lines], answer, wrong)  # type: ignore[index]
    return _typed_kind(answer, wrong)


def _choice(options: list[str], right: str, wrong: Mapping[str, str]) -> Choice:
    if len(options) not in (3, 4):
        raise ValueError(MESSAGES["options"].format(count=len(options)))
    feedback = {options.index(answer): said for answer, said in wrong.items()}
    return Choice(tuple(options), options.index(right), feedback)


def _typed_kind(right: str, wrong: dict[str, str]) -> Number | Formula:
    if _OTHER not in wrong:
        raise ValueError(MESSAGES["no other"])
    other = wrong.pop(_OTHER)
    kind: Number | Formula
    if match := _FORMULA.fullmatch(right):
        kind = Formula(match["text"], _numbers(match["values"]), wrong, other)
        kind.feedback_on(match["text"])  # raises where it cannot be computed
    elif match := _NUMBER.fullmatch(right):
        value = float(match["value"])
        tolerance = float(match["tolerance"]) if match["tolerance"] else RELATIVE_TOLERANCE * abs(value)
        unit = match["unit"] or ""
        known = {read_number(answer, unit): said for answer, said in wrong.items()}
        kind = Number(match["value"], value, tolerance, unit, known, other)
    else:
        raise ValueError(MESSAGES["no number"].format(text=right))
    for answer, said in wrong.items():
        if kind.feedback_on(answer) != said:
            raise ValueError(MESSAGES["wrong is right"].format(answer=answer))
    return kind


def _numbers(text: str) -> dict[str, tuple[float, ...]]:
    """The numbers of each name in "k = 3, 5; s = 1, 2"."""
    found = {}
    for part in text.split(";"):
        name, _, numbers = part.partition("=")
        found[name.strip()] = tuple(float(each) for each in numbers.split(","))
    if len({len(each) for each in found.values()}) != 1 or min(map(len, found.values())) < 2:
        raise ValueError(MESSAGES["numbers"])
    return found


def _typed(answer: object) -> str:
    if not isinstance(answer, str) or not answer.strip():
        raise AnswerError(MESSAGES["nothing typed"])
    if len(answer) > MAX_CHARACTERS:
        raise AnswerError(MESSAGES["too long"].format(most=MAX_CHARACTERS))
    return answer


def _are_close(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=RELATIVE_TOLERANCE, atol=0)
