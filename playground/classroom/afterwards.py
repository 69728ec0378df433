"""The file that a teacher keeps: answers and final numbers of a class, with names, or numbered and shuffled."""

from __future__ import annotations

import csv
import io
import math
from random import Random
from typing import Literal

from playground.classroom.classroom import Classroom
from playground.classroom.messages import COLUMNS, NO, YES
from playground.classroom.records import Seat
from playground.classroom.votes import Vote
from playground.predictions import Answer, Choice, is_close

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # with which a spreadsheet would begin to compute
Kind = Literal["names", "numbers"]


def table(of: Classroom, kind: Kind, random: Random | None = None) -> list[list[str]]:
    """The rows of the file, the first one with the names of its columns.

    With "numbers" the rows are shuffled and numbered. No column says when somebody did something.
    A vote whose result was not shown yet is not in it: nobody may read there who says what.
    """
    votes = [*of.past, *([of.vote] if of.vote is not None and of.vote.is_shown else [])]
    people = [*of.seats.values(), *of.left.values()]
    people.sort(key=lambda each: each.number)
    if kind == "numbers":
        (random or of.random).shuffle(people)
    head = [COLUMNS["number" if kind == "numbers" or of.names == "numbers" else "name"]]
    for number, _ in enumerate(votes, start=1):
        head += [COLUMNS[part].format(number=number) for part in ("first", "second", "right")]
    head += [COLUMNS[part] for part in ("lesson", "step", "loss", "rate", "accuracy", "units", "helps")]
    rows = [head]
    for number, seat in enumerate(people, start=1):
        row = [str(number) if kind == "numbers" else seat.name]
        for vote in votes:
            row += _of_vote(vote, seat.number)
        rows.append(row + _numbers(seat))
    return rows


def as_csv(rows: list[list[str]]) -> str:
    """A CSV file that a spreadsheet reads as text and numbers, never as formulas."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows([[_harmless(cell) for cell in row] for row in rows])
    return "\ufeff" + file.getvalue()  # by which spreadsheets know UTF-8


def _harmless(cell: str) -> str:
    if not cell.lstrip().startswith(FORMULA) and not cell.startswith(FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _of_vote(vote: Vote, seat: int) -> list[str]:
    first, second = vote.first.get(seat), vote.second.get(seat)
    last = first if second is None else second
    is_right = ""
    if vote.is_revealed and vote.truth is not None and last is not None:
        is_right = YES if is_close(vote.question.ask, last, vote.truth) else NO
    return [_said(vote, first), _said(vote, second), is_right]


def _said(vote: Vote, answer: Answer | None) -> str:
    if answer is None:
        return ""
    ask = vote.question.ask
    if isinstance(ask, Choice):
        return ask.options[str(answer)]
    if isinstance(answer, tuple):
        return " ".join(f"{y:.4g}" for y in answer)
    return f"{answer:.6g}"


def _numbers(seat: Seat) -> list[str]:
    glance = seat.glance
    parts = (glance.loss, glance.rate, glance.accuracy)
    numbers = [f"{each:.6g}" if math.isfinite(each) else "" for each in parts]
    has_run = glance.step > 0
    return [seat.board.page, str(glance.step) if has_run else "", *numbers, str(glance.units or ""), str(seat.helps)]
