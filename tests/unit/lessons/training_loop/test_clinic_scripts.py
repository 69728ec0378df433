"""The scripts of the clinic: as data, and as they run statement by statement."""

from __future__ import annotations

import difflib
from collections import Counter

import pytest
import torch

from playground.lessons.training_loop.clinic import setups
from playground.lessons.training_loop.clinic.case import Case, Edit, with_seed
from playground.lessons.training_loop.clinic.cases import CASES, LOUD, MYTHS, SILENT
from playground.lessons.training_loop.clinic.labs import LOUD_NAMES, MYTH_NAMES, SILENT_NAMES
from playground.lessons.training_loop.clinic.script import Script

EVERY = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
LOOP = """\
torch.manual_seed(3)
x, y = parabola()
model = nn.Sequential(nn.Linear(1, 4), nn.Dropout(0.5), nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(2):
    for part in torch.arange(100).split(25):
        loss = ((model(x[part]) - y[part]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    last = epoch

end = last + 1
"""


def test_there_are_as_many_cases_as_the_clinic_promises() -> None:
    assert len(SILENT) >= 26 and len(LOUD) >= 10 and len(MYTHS) >= 5 and len(CASES) >= 36


@EVERY
def test_a_cure_changes_one_line(case: Case) -> None:
    old, new = case.script.split("\n"), case.cure.applied(case.script).split("\n")
    signs = Counter(each[0] for each in difflib.ndiff(old, new) if each[0] in "+-")
    assert signs and max(signs["+"], signs["-"]) <= 2, "one line, or one of two lines that belong together"


@EVERY
def test_every_change_of_a_case_is_possible_and_another_one(case: Case) -> None:
    scripts = [case.script, *(each.applied(case.script) for each in case.choices)]
    assert len(set(scripts)) == len(scripts)
    for each in scripts:
        compile(with_seed(each, 0), case.name, "exec")


@pytest.mark.parametrize("case", (*SILENT.values(), *LOUD.values()), ids=[*SILENT, *LOUD])
def test_a_case_says_all_that_a_student_needs(case: Case) -> None:
    assert case.fault and case.clue and case.why
    assert len(case.others) == 3 and all(each.why for each in case.choices)
    assert set(case.also) <= set(case.lines), "a line that is accepted as the place of the fault is in the script"
    assert any(case.is_fault(line) for line in range(len(case.lines)))


def test_the_cure_is_not_always_at_the_same_place() -> None:
    places = Counter(each.choices.index(each.cure) for each in (*SILENT.values(), *LOUD.values()))
    assert max(places.values()) <= 0.35 * places.total()


def test_names_of_cases_do_not_tell_their_fault() -> None:
    for names, cases in ((SILENT_NAMES, SILENT), (LOUD_NAMES, LOUD), (MYTH_NAMES, MYTHS)):
        assert names.keys() == cases.keys() and len(set(names.values())) == len(names)
        for name, shown in names.items():
            assert len(name) <= 3 and cases[name].fault not in shown


def test_an_edit_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="no such line"):
        Edit("no such line", "x = 1", "").applied(LOOP)
    with pytest.raises(ValueError, match="x = 1"):
        Edit("x = 1", "x = 2", "").applied("x = 1\nx = 1\n")


def plain(text: str) -> dict[str, object]:
    """The names of a script that is run as it stands."""
    names = setups.names()
    exec(compile(text, "script", "exec"), names)
    return names


def test_a_script_that_stops_after_each_pass_computes_what_it_computes_as_a_whole() -> None:
    script, names = Script(LOOP), plain(LOOP)
    script.begin()
    assert script.length == 8
    passes = 0
    while script.step():
        passes += 1
    assert passes == 8 and script.has_ended and script.names["end"] == 2
    assert torch.equal(script.names["loss"], names["loss"])  # type: ignore[arg-type]


def test_two_scripts_at_once_do_not_draw_from_each_others_random_numbers() -> None:
    alone = plain(LOOP)["loss"]
    one, other = Script(LOOP), Script(LOOP.replace("manual_seed(3)", "manual_seed(4)"))
    before = torch.get_rng_state()
    one.begin()
    other.begin()
    for _ in range(8):
        one.step()
        other.step()
    assert torch.equal(one.names["loss"], alone)  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), before), "torch's global generator is as it was"


def test_what_stands_beside_the_lines() -> None:
    script = Script(LOOP)
    script.begin()
    script.step()
    said = {script.text.split("\n")[line].strip(): text for line, text in script.beside.items()}
    assert said["x, y = parabola()"].startswith("100×1, −1 to 1; 100×1")
    assert said["optimizer.zero_grad()"] == "gradients deleted"
    assert said["loss.backward()"].startswith("gradient 0") or said["loss.backward()"].startswith("gradient ")
    assert said["optimizer.step()"].startswith("weights moved by")


def test_no_weight_moves_where_step_is_not_called() -> None:
    script = Script(with_seed(SILENT["e1"].script, 0))
    script.begin()
    script.step()
    assert script.beside[10] == "no weight moved"


@pytest.mark.parametrize("name", LOUD)
def test_a_loud_script_stops_at_a_line_with_the_message(name: str) -> None:
    script = Script(with_seed(LOUD[name].script, 0))
    while script.run_line():
        pass
    kind, _, message = script.error.partition(": ")
    assert kind.endswith("Error") and message and "\x1b" not in message
    assert script.error_line is not None and script.text.split("\n")[script.error_line].strip()


def test_a_loader_that_fails_fails_in_the_line_of_its_loop() -> None:
    script = Script(with_seed(LOUD["l10"].script, 0))
    while script.run_line():
        pass
    assert script.error_line is not None and script.text.split("\n")[script.error_line].strip().endswith("in loader:")
