"""The questions of "Check yourself" are read from a lesson's prose, and grade what a visitor answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground import lesson as lesson_module
from playground.lesson import Lesson
from playground.lessons import LESSONS
from playground.questions import (
    MAX_CHARACTERS,
    SECTION,
    AnswerError,
    Choice,
    Formula,
    Number,
    Question,
    find,
    questions,
    read_number,
)

Written = Callable[..., tuple[Question, ...]]
each_lesson = pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)

CHOICE = """\
- Which? "which"
  - [ ] One :: Too few.
  - [x] Two
  - [ ] Three :: Too many.
  - Because."""
NUMBER = """\
- How many? "how-many"
  - [=] 88 ± 1 %
  - [ ] 12,832 :: A thousand times too many.
  - [ ] * :: Count again.
  - Because."""
FORMULA = """\
- Which padding? "padding"
  - [=] (k - 1) / 2 for k = 3, 5, 7
  - [ ] k - 1 :: On one side.
  - [ ] * :: Try k = 3.
  - Because."""


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    """The questions of a lesson whose section "Check yourself" has this text."""

    def read(text: str) -> tuple[Question, ...]:
        with monkeypatch.context() as patch:
            patch.setattr(lesson_module, "prose", lambda _: {SECTION: text})
            return questions(LESSONS["classification"])

    return read


def test_a_choice_has_its_options_in_order_and_a_sentence_for_each_wrong_one(written: Written) -> None:
    (found,) = written(CHOICE)
    kind = Choice(("One", "Two", "Three"), 1, {0: "Too few.", 2: "Too many."})
    assert found == Question("which", "Which?", kind, "Because.")
    assert [kind.feedback_on(at) for at in range(3)] == ["Too few.", "", "Too many."]


@pytest.mark.parametrize("answer", [None, -1, 3, True, 1.0, "1", [1], {"answer": 1}])
def test_what_is_no_option_is_not_graded(written: Written, answer: object) -> None:
    (found,) = written(CHOICE)
    with pytest.raises(AnswerError, match="Choose one"):
        found.kind.feedback_on(answer)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("88", ""), (" 88 % ", ""), ("87", ""), ("89,0", ""), ("100 * 0.88", ""), ("8.8e1", ""),
        ("86.9", "Count again."), ("0.88", "Count again."), ("-88", "Count again."), ("−88", "Count again."),
        ("12832", "A thousand times too many."), ("12,832", "A thousand times too many."),
        ("12 832", "A thousand times too many."),
    ],
)  # fmt: skip
def test_a_typed_number_is_right_within_its_tolerance(written: Written, answer: str, said: str) -> None:
    (found,) = written(NUMBER)
    assert found.kind == Number("88", 88.0, 1.0, "%", {12832.0: "A thousand times too many."}, "Count again.")
    assert found.kind.feedback_on(answer) == said


@pytest.mark.parametrize("answer", [None, "", "  ", 88, True, "many", "nan", "inf", "-inf", "1e999", "8" * 200, "1/0",
                                    "__import__('os')", "9**9**9", "x", ["88"], "88; 88", "\x00", "８x"])  # fmt: skip
def test_what_is_no_number_gets_a_sentence_and_is_not_graded(written: Written, answer: object) -> None:
    (found,) = written(NUMBER)
    with pytest.raises(AnswerError) as refusal:
        found.kind.feedback_on(answer)
    assert str(refusal.value).endswith(".") and len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [("0,25", 0.25), ("-0,125", -0.125), ("1,250", 1250), ("1/3", 1 / 3), ("2**3", 8), ("1e-6", 1e-6)],
)
def test_numbers_are_read_as_people_write_them(text: str, value: float) -> None:
    assert read_number(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("(k-1)/2", ""), ("k/2 - 0.5", ""), ("0.5*(k - 1)", ""), ("-1 + k", "On one side."),
        ("k", "Try k = 3."), ("1 / (k - k)", "Try k = 3."), ("log(k - 5)", "Try k = 3."),
        ("1", "Try k = 3."), ("(k - 1) / 2 + 0.01", "Try k = 3."),
    ],
)  # fmt: skip
def test_a_typed_formula_is_right_where_it_has_the_same_values(written: Written, answer: str, said: str) -> None:
    (found,) = written(FORMULA)
    assert found.kind == Formula("(k - 1) / 2", {"k": (3.0, 5.0, 7.0)}, {"k - 1": "On one side."}, "Try k = 3.")
    assert found.kind.feedback_on(answer) == said


@pytest.mark.parametrize("answer", ["", "n", "2k", "k +", "sum(k)", "k @ k", "k" * 101, "k.__class__", 3,
                                    "(" * 90])  # fmt: skip
def test_a_formula_that_cannot_be_computed_gets_a_sentence_and_is_not_graded(written: Written, answer: object) -> None:
    (found,) = written(FORMULA)
    with pytest.raises(AnswerError) as refusal:
        found.kind.feedback_on(answer)
    assert str(refusal.value).endswith((".", "?"))


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("- Is it? :: It is.", "not written as", "- Is it? :: It is."),
        ("Words.", "not written as", "Words."),
        ("  - [x] Yes", "not written as", "- [x] Yes"),
        ('- Is it? "Two Words"', "“Two Words”", '"Two Words"'),
        (CHOICE + "\n" + CHOICE, "“which” is used twice", '"which"'),
        (CHOICE.replace("  - Because.", ""), "needs one explanation", '"which"'),
        ('- Which? "which"', "needs one explanation", '"which"'),
        (CHOICE.replace("[x] Two", "[ ] Two :: Yes."), "it has 0", '"which"'),
        (CHOICE.replace("[ ] One :: Too few.", "[x] One"), "it has 2", '"which"'),
        (CHOICE.replace("  - [ ] One :: Too few.\n", ""), "it has 2", '"which"'),
        (CHOICE.replace(":: Too few.", ""), "“One” has no sentence", '"which"'),
        (CHOICE.replace("[x] Two", "[x] Two :: Yes."), "the explanation", '"which"'),
        (CHOICE.replace("Three", "One"), "“One” is there twice", '"which"'),
        (CHOICE.replace("[x]", "[y]"), "An answer is written as", '"which"'),
        (CHOICE.replace("  - [x] Two", "  - Two"), "An answer is written as", '"which"'),
        (NUMBER.replace("  - [ ] * :: Count again.\n", ""), "any other answer", '"how-many"'),
        (NUMBER.replace("88 ± 1 %", "many"), "“many” is not a number", '"how-many"'),
        (NUMBER.replace("12,832", "87.5"), "“87.5” would be graded as right", '"how-many"'),
        (NUMBER.replace("12,832", "several"), "“several” is not a number", '"how-many"'),
        (FORMULA.replace("k - 1 ::", "(k - 1) * 0.5 ::"), "would be graded as right", '"padding"'),
        (FORMULA.replace("k = 3, 5, 7", "k = 3"), "two or more", '"padding"'),
        (FORMULA.replace("k = 3, 5, 7", "k = 3, 5; n = 1, 2, 3"), "same count", '"padding"'),
        (FORMULA.replace("(k - 1) / 2", "(n - 1) / 2"), "no input with this name", '"padding"'),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_used_is_refused_with_its_line(
    written: Written, text: str, reason: str, line: str
) -> None:
    with pytest.raises(ValueError) as refusal:
        written(text)
    assert reason in str(refusal.value) and line in str(refusal.value), refusal.value


@each_lesson
def test_every_item_of_a_lesson_is_a_question_and_each_of_its_wrong_answers_is_graded_as_wrong(lesson: Lesson) -> None:
    found = questions(lesson)
    assert len(found) == sum(line.startswith("- ") for line in lesson.prose[SECTION].splitlines()) > 0
    for question in found:
        assert find(lesson, question.id) is question
        kind = question.kind
        if isinstance(kind, Choice):
            assert kind.feedback_on(kind.right) == ""
            assert all(kind.feedback_on(at) == said for at, said in kind.feedback.items())
            assert len(kind.feedback) == len(kind.options) - 1
        else:
            assert kind.feedback_on(kind.text) == ""
            assert len(kind.text) <= MAX_CHARACTERS
            assert all(kind.feedback_on(str(answer)) == said for answer, said in kind.wrong.items())
            assert kind.other and kind.wrong


@each_lesson
def test_texts_of_questions_are_sentences(lesson: Lesson) -> None:
    for question in questions(lesson):
        kind = question.kind
        said = [*kind.feedback.values()] if isinstance(kind, Choice) else [*kind.wrong.values(), kind.other]
        assert len(set(said)) == len(said), f"{question.id}: each wrong answer has a sentence of its own"
        for text in (question.explanation, *said):
            assert text[-1] in ".?", text


def test_right_answers_stand_in_all_places() -> None:
    """Whoever always chooses the first, or the last, is right about as often as by chance."""
    kinds = [each.kind for lesson in LESSONS.values() for each in questions(lesson)]
    choices = [kind for kind in kinds if isinstance(kind, Choice)]
    by_chance = sum(1 / len(kind.options) for kind in choices)
    for strategy in (
        lambda kind: 0,
        lambda kind: 1,
        lambda kind: len(kind.options) - 1,
        lambda kind: max(range(len(kind.options)), key=lambda at: len(kind.options[at])),
        lambda kind: min(range(len(kind.options)), key=lambda at: len(kind.options[at])),
    ):
        right = sum(strategy(kind) == kind.right for kind in choices)
        assert right < by_chance + 0.1 * len(choices)


@each_lesson
def test_a_unit_does_not_tell_that_the_answer_is_one(lesson: Lesson) -> None:
    units = {each.kind.unit for each in questions(lesson) if isinstance(each.kind, Number)}
    assert [unit for unit in units - {"", "%"} if not unit.endswith("s")] == []
