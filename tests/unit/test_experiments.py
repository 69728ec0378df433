"""The experiments of a lesson are read from its prose, and one that cannot be used is refused with its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest

from playground import lesson as lesson_module
from playground.experiments import MAX_LENGTH, MAX_TITLE_LENGTH, Experiment, experiments
from playground.lesson import Lesson
from playground.lessons import LESSONS

Written = Callable[..., tuple[Experiment, ...]]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    """The experiments of a lesson whose section "Try this" has these lines."""

    def read(*lines: str, name: str = "classification") -> tuple[Experiment, ...]:
        with monkeypatch.context() as patch:
            patch.setattr(lesson_module, "prose", lambda _: {"Try this": "\n".join(lines)})
            return experiments(LESSONS[name])

    return read


def test_an_item_gives_id_title_settings_and_both_sentences(written: Written) -> None:
    lesson = LESSONS["classification"]
    (found,) = written('- [Too fast](?classification_lr=3&show=map "too-fast"): It jumps. :: A smaller rate does not.')
    config = lesson.benches[0].config(lr=3.0)
    assert found == Experiment(
        "too-fast", "Too fast", lesson.benches[0], config, "It jumps.", "A smaller rate does not.", "map"
    )


def test_an_item_without_settings_or_a_second_sentence_is_complete(written: Written) -> None:
    (found,) = written('- [As it opens](? "tutorial"): Ten units.')
    assert (found.config, found.before, found.after, found.show) == (found.bench.config(), "Ten units.", "", "")
    (found,) = written('- [As it opens](? "tutorial"): Ten units. ::')
    assert (found.before, found.after) == ("Ten units.", "")


def test_an_item_of_a_lab_belongs_to_the_lab(written: Written) -> None:
    lesson = LESSONS["tensors"]
    second = lesson.benches[1]
    lab = second.name.removeprefix("tensors_")
    (found,) = written(f'- [Elsewhere](?tensors_lab={lab} "elsewhere"): Look. :: There.', name="tensors")
    assert found.bench is second and found.config == second.config()


def test_empty_lines_are_no_items(written: Written) -> None:
    assert written("", '- [One](? "one"): Look.', "  ") == written('- [One](? "one"): Look.')


def test_the_text_is_read_again_where_it_has_changed(written: Written) -> None:
    assert [each.id for each in written('- [One](? "one"): Look.')] == ["one"]
    assert [each.id for each in written('- [Two](? "two"): Look.')] == ["two"]


TITLE = "T" * MAX_TITLE_LENGTH
FITS = "t" * (MAX_LENGTH - MAX_TITLE_LENGTH)


def test_texts_may_be_as_long_as_the_rail_has_room_for(written: Written) -> None:
    assert len(written(f'- [{TITLE}](? "one"): {FITS} :: {FITS}')) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("- Words.", "not written as"),
        ("  a line that was wrapped by hand", "not written as"),
        ("- [Title](?): Look.", "not written as"),
        ('- [Title](?classification_lr=1&classification_lr=3 "one"): Look.', "twice"),
        ('- [A](?b "c") no colon', "not written as"),
        ('- [Title](? "Two Words"): Look.', "“Two Words”"),
        ('- [Title](? ""): Look.', "“”"),
        ('- [Title](? "a_b"): Look.', "“a_b”"),
        ('- [Title](? "-"): Look.', "“-”"),
        ('- [](? "one"): Look.', "no title"),
        ('- [Title](? "one"):', "nothing to say"),
        ('- [Title](? "one"): :: After.', "nothing to say"),
        ('- [Title](?classification_lr=fast "one"): Look.', "“fast”"),
        ('- [Title](?classification_nonsense=1 "one"): Look.', "“nonsense”"),
        ('- [Title](?regression_lr=1 "one"): Look.', "“regression_lr”"),
        ('- [Title](?classification_lab=second "one"): Look.', "“second”"),
        ('- [Title](?show=nothing "one"): Look.', "“nothing”"),
        (f'- [{TITLE}T](? "one"): Look.', str(MAX_TITLE_LENGTH + 1)),
        (f'- [{TITLE}](? "one"): {FITS}t', str(MAX_LENGTH + 1)),
        (f'- [{TITLE}](? "one"): Look. :: {FITS}t', str(MAX_LENGTH + 1)),
    ],
)
def test_an_item_that_cannot_be_used_is_refused_with_its_line(written: Written, line: str, reason: str) -> None:
    with pytest.raises(ValueError) as refusal:
        written('- [First](? "first"): Look.', line)
    assert reason in str(refusal.value) and line.strip() in str(refusal.value), refusal.value


def test_two_items_cannot_have_one_id(written: Written) -> None:
    with pytest.raises(ValueError, match="“one” is used twice"):
        written('- [First](? "one"): Look.', '- [Second](? "one"): Look.')


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_every_item_of_a_lesson_is_an_experiment_with_the_settings_of_its_link(lesson: Lesson) -> None:
    items = [line for line in lesson.prose["Try this"].splitlines() if line.startswith("- ")]
    found = experiments(lesson)
    assert len({each.id for each in found}) == len(items) == len(found) >= 5
    for line, experiment in zip(items, found, strict=True):
        query = line.partition("](?")[2].partition(")")[0].partition(" ")[0]
        wanted = dict(parse_qsl(query, keep_blank_values=True))
        lab = wanted.pop(f"{lesson.name}_lab", "")
        assert wanted.pop("show", "") == experiment.show
        assert experiment.bench.name == (f"{lesson.name}_{lab}" if lab else lesson.benches[0].name)
        names = {f"{experiment.bench.name}_{knob}" for knob in experiment.config.as_texts()}
        assert names <= wanted.keys(), "no setting that the link does not have"


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_product_in_the_text_of_an_experiment_is_code(lesson: Lesson) -> None:
    for experiment in experiments(lesson):
        for text in (experiment.before, experiment.after):
            assert "*" not in re.sub(r"`[^`]*`", "", text), f"{experiment.id}: Markdown reads * as emphasis"
