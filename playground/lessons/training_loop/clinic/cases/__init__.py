"""The cases of the clinic: silent ones by what their curves show, loud ones with an error message, and myths."""

from __future__ import annotations

from playground.lessons.training_loop.clinic.case import Case
from playground.lessons.training_loop.clinic.cases import (
    at_chance,
    equal_losses,
    explosions,
    fails_in_test,
    flat_lines,
    impossible_losses,
    learns_badly,
    loud,
    myths,
    second_look,
)

SILENT: dict[str, Case] = {
    each.name: each
    for group in (
        equal_losses,
        explosions,
        flat_lines,
        at_chance,
        impossible_losses,
        learns_badly,
        fails_in_test,
        second_look,
    )
    for each in group.CASES
}  # in the order of teaching
LOUD: dict[str, Case] = {each.name: each for each in loud.CASES}
MYTHS: dict[str, Case] = {each.name: each for each in myths.CASES}
CASES: dict[str, Case] = SILENT | LOUD | MYTHS
